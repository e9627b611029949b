//! Ids of vendors' records that nobody keeps.

use rustc_hash::FxHashSet;

use crate::program::{CallRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// The id of a record at a vendor is not kept
    ///
    /// The vendor tells of everything that happens later by the id of its own record: a payment that failed, a
    /// subscription that ended. An app that did not keep it can only search by the address, and that changes, has
    /// capital letters, or belongs to two accounts: the wrong customer loses access, or nobody does.
    ///
    /// ## Silent when
    ///
    /// - the id is stored, given back, or handed on with the whole answer;
    /// - the vendor merges records of the same person by itself;
    /// - the webhook also looks up by an id.
    ///
    /// ## The cure
    ///
    /// Store the id beside the user when the record is made, and look up by it when an event comes in.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/join/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { email, userId } = await req.json();
    ///   await stripe.customers.create({ email }, { idempotencyKey: `customer-${userId}` });
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/join/route.ts
    /// import Stripe from "stripe";
    /// import { saveCustomer } from "@/lib/users";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { email, userId } = await req.json();
    ///   const customer = await stripe.customers.create({ email }, { idempotencyKey: `customer-${userId}` });
    ///   await saveCustomer(userId, customer.id);
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    id: "vendor-id-discarded", severity: Note, confidence: Medium, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for used in program.vendor_uses() {
        let side = program.side(used.at.file);
        if side.tooling || side.dead || !program.runs_on_server(used.at.file) || !program.discards_id(used) {
            continue;
        }
        let vendor = &program.catalogue.vendor(used.vendor).name;
        let message = format!(
            "{} makes a record at {vendor}, and nobody keeps its id: what {vendor} tells of it later can only be \
             matched by an address or a name",
            used.name
        );
        report
            .at(program.call_place(used.at), used.name.clone(), message)
            .auditor_only()
            .vendor(program.vendor_id(used.vendor))
            .help("Store the id of the answer beside the user it belongs to.");
    }
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        let Some(at) = program.matched_by_address(handler).filter(|&at| told.insert(at)) else { continue };
        let Some(vendor) = handler.vendor else { continue };
        let message = format!(
            "{} looks up by the address whom an event is about, though it brings the id of {}'s record: addresses \
             change and are shared, and then the wrong customer is charged, credited or cut off",
            program.webhook_name(handler),
            program.catalogue.vendor(vendor).name
        );
        report
            .at(program.call_place(at), program.call_text(at), message)
            .auditor_only()
            .vendor(program.vendor_id(vendor))
            .help("Keep the vendor's id when its record is made, and look up by that; the address is for mail.");
    }
}
