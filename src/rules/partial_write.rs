//! Two systems changed one after the other, and no way back.

use rustc_hash::FxHashSet;

use crate::finding::Confidence;
use crate::program::{CallRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// Two systems are changed in sequence, and nothing ties them
    ///
    /// The first change is made, then the second fails: the charge is there and the order is not, the row says that
    /// somebody is a customer and the vendor has never heard of them. Nobody notices until that customer writes.
    ///
    /// ## Silent when
    ///
    /// - both are made in one transaction, or a function of the database makes them;
    /// - the failure of the second takes the first back: a delete, a cancellation, a refund;
    /// - the first writes a state from which the work can go on (`status: "pending"`), or a queue does the second;
    /// - the second is a message, or nobody waits for it.
    ///
    /// ## The cure
    ///
    /// Write down first what is to be done (`pending`), change the other system with a key made of that row's id, then
    /// mark it done; a job works off what stays pending.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/join/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { email } = await req.json();
    ///   const customer = await stripe.customers.create({ email });
    ///   const { error } = await db.from("members").insert({ email, customer: customer.id });
    ///   if (error) return Response.json({ error: "not stored" }, { status: 500 });
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/join/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { email } = await req.json();
    ///   const { data: member } = await db.from("members").insert({ email, status: "pending" }).select().single();
    ///   const customer = await stripe.customers.create({ email }, { idempotencyKey: `member-${member.id}` });
    ///   const { error } = await db.from("members").update({ customer: customer.id, status: "done" }).eq("id", member.id);
    ///   if (error) await stripe.customers.del(customer.id);
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    id: "partial-write", severity: Note, confidence: Low, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    for entry in &program.entries {
        let side = program.side(entry.function.file);
        if side.tooling || side.dead || !side.server {
            continue;
        }
        let Some(write) = program.partial_write(entry).filter(|write| told.insert(write.second)) else { continue };
        let (first, second) = (program.call_text(write.first), program.call_text(write.second));
        let message = format!(
            "{first} is done before {second}, and nothing takes it back: when {second} fails, one system has what the \
             other has not"
        );
        let mut draft = report
            .at(program.call_place(write.second), second, message)
            .auditor_only()
            .confidence(Confidence::Low)
            .because(program.call_place(write.first), "done already when this fails")
            .help(
                "Write a row with `status: \"pending\"` first, change the other system with a key made of its id, then \
                 mark it done; or take the first change back when the second fails.",
            );
        for used in [write.first, write.second].into_iter().flat_map(|at| program.vendors_at(at)) {
            draft = draft.vendor(program.vendor_id(used.vendor));
        }
    }
}
