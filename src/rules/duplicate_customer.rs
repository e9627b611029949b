//! Records of people at a vendor that are made again for the same person.

use crate::catalogue::Category;
use crate::program::keys::Key;
use crate::program::{CallRef, EntryKind, Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A new customer at the vendor each time the same person comes back
    ///
    /// The vendor does not mind a second customer with the same address, and makes one on every checkout. The person
    /// then has several: saved cards are gone at the next purchase, the billing portal shows an empty account,
    /// a cancelled subscription lives on under another id, and support finds three customers and does not know
    /// which one pays.
    ///
    /// ## Silent when
    ///
    /// - a stored id is looked at first, or the vendor is asked for the person
    /// - the way leads over signup or a webhook: it runs once for a person
    /// - an idempotency key is given
    /// - the vendor refuses or merges a second record for one address: nothing can be doubled there
    /// - only a script run by hand gets there; tests, tooling and dead code
    ///
    /// ## The cure
    ///
    /// Keep the vendor's id with the user, and create a customer only when there is none.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(request: Request) {
    ///   const user = await currentUser(request);
    ///   const customer = await stripe.customers.create({ email: user.email });
    ///   const session = await stripe.checkout.sessions.create({ customer: customer.id, mode: "payment" });
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(request: Request) {
    ///   const user = await currentUser(request);
    ///   let customerId = user.customerId;
    ///   if (!customerId) {
    ///     customerId = (await stripe.customers.create({ email: user.email })).id;
    ///     await saveCustomerId(user.id, customerId);
    ///   }
    ///   const session = await stripe.checkout.sessions.create({ customer: customerId, mode: "payment" });
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    id: "duplicate-customer", severity: Warning, confidence: Medium, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

/// Words of entry points that run once for a person.
const ONCE: &[&str] = &[
    "signup",
    "sign-up",
    "sign_up",
    "register",
    "registration",
    "onboard",
    "webhook",
    "hook",
    "create-user",
    "createuser",
];

fn check(program: &Program, report: &mut Report) {
    let mut told: Vec<CallRef> = Vec::new();
    for used in program.vendor_uses() {
        let makes = program.operation(used).is_some_and(|operation| operation.person);
        let at = program.request_of(used).map_or(used.at, |http| http.inner);
        if makes && program.runs_on_server(used.at.file) && !told.contains(&at) && is_repeated(program, used) {
            told.push(at);
            tell(program, report, used);
        }
    }
}

fn is_repeated(program: &Program, used: &VendorUse) -> bool {
    let keyed = program.idempotency(used).is_some_and(|how| program.idempotency_key(used, how) != Key::Absent);
    let origins = program.origins_of(used.at);
    if keyed || program.is_run_by_hand(&origins) || origins.is_empty() {
        return false;
    }
    let vendor = program.vendor_id(used.vendor);
    // The helper that sends it may have looked.
    let inner = program.request_of(used).map(|http| http.inner);
    if std::iter::once(used.at).chain(inner).any(|at| program.is_person_looked_up(at, vendor)) {
        return false;
    }
    origins.iter().any(|origin| {
        let entry = &program.entries[origin.entry];
        let asked = matches!(
            entry.kind,
            EntryKind::Route | EntryKind::EdgeFunction | EntryKind::ServerAction | EntryKind::Procedure
        );
        let names =
            [entry.route, entry.name, program.facts(entry.function.file).function(entry.function.function).name];
        let file = program.file(entry.function.file).path;
        let once = names.into_iter().flatten().chain([file]).any(|name| {
            let name = name.to_ascii_lowercase();
            ONCE.iter().any(|word| name.contains(word))
        });
        asked && !once && !origin.way.iter().any(|edge| program.is_person_looked_up(edge.call, vendor))
    })
}

fn tell(program: &Program, report: &mut Report, used: &VendorUse) {
    let vendor = &program.catalogue.vendor(used.vendor).name;
    let origins = program.origins_of(used.at);
    let Some(origin) = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script) else {
        return;
    };
    let entry = program.entry_name(&program.entries[origin.entry]);
    let crm = program.catalogue.vendor(used.vendor).category == Category::Crm;
    let script = program.facts(used.at.file).language.is_script();
    let message = match crm {
        true => format!(
            "{} makes a new person each time {entry} runs: somebody who comes back stands in {vendor} several times, \
             with notes, deals and mails spread over them",
            used.name
        ),
        false => format!(
            "{} makes a new customer each time {entry} runs: a person who comes back has several at {vendor}, with cards, \
             invoices and subscriptions spread over them",
            used.name
        ),
    };
    let help = match (crm, script) {
        (true, _) => format!(
            "Ask {vendor} for the person by e-mail first, change the one that is there, and make one only where there is none."
        ),
        (false, true) => format!(
            "Keep {vendor}'s id with the user and create a customer only when there is none: `if (!user.customerId) {{ .. \
             create, then store the id .. }}`."
        ),
        (false, false) => format!(
            "Keep {vendor}'s id with the user and create a customer only when there is none: `if not user.customer_id:` \
             create, then store the id."
        ),
    };
    report
        .at(program.call_place(used.at), used.name.clone(), message)
        .vendor(program.vendor_id(used.vendor))
        .help(help)
        .trace(program.trace_from(origin, used.at, &format!("{} without a look at what there is", used.name)));
}
