//! Records of people at a vendor that are made again for the same person.

use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span};
use crate::names::Name;
use crate::program::keys::Key;
use crate::program::{CallRef, EntryKind, FunctionRef, Program, VendorUse};
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
    let origins = program.origins(program.function_of(used.at));
    if keyed || program.is_run_by_hand(&origins) || origins.is_empty() {
        return false;
    }
    let vendor = program.vendor_id(used.vendor);
    if is_looked_up(program, used.at, vendor) {
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
        asked && !once && !origin.way.iter().any(|edge| is_looked_up(program, edge.call, vendor))
    })
}

/// Whether a function looks, before a call, whether the person is there: a condition that names the customer or what
/// is stored, or a question to the vendor.
fn is_looked_up(program: &Program, call: CallRef, vendor: Name) -> bool {
    let facts = program.facts(call.file);
    let span = facts.span(facts.call(call.call).expr);
    let mut function = Some(facts.function_of(facts.call(call.call).block));
    // A callback stands in what the functions around it found out.
    while let Some(id) = function {
        let own = FunctionRef::new(call.file, id);
        if id.index() != 0 && (asks_vendor(program, own, span, vendor) || asks_state(facts, own, span, &vendor)) {
            return true;
        }
        function = facts.function(id).parent;
    }
    false
}

fn asks_vendor(program: &Program, function: FunctionRef, until: Span, vendor: Name) -> bool {
    let facts = program.facts(function.file);
    program.with_inner(function).into_iter().flat_map(|inner| program.calls_in(inner)).any(|other| {
        facts.span(facts.call(other.call).expr).start < until.start && {
            let name = program.call_text(other).to_ascii_lowercase();
            let finds = ["find", "list", "search", "retrieve", "lookup", "getorcreate", "get_or_create", "upsert"];
            let person = ["customer", "client", "cliente"].iter().any(|word| name.contains(word));
            person && finds.iter().any(|word| name.contains(word))
                || program.vendors_at(other).iter().any(|used| {
                    program.vendor_id(used.vendor) == vendor
                        && used.name.to_ascii_lowercase().contains("customer")
                        && !program.operation(used).is_some_and(|operation| operation.person)
                })
        }
    })
}

/// Whether a condition before (or around) the call names what is known of the person already.
fn asks_state(facts: &Facts, function: FunctionRef, call: Span, vendor: &str) -> bool {
    let body = facts.function(function.function).span;
    let is_known = |name: Name| {
        let name = name.to_ascii_lowercase();
        let about = ["customer", "existing", "already", "found", "record", "subscription", "profile", "cliente"];
        let field = ["email", "name", "phone", "data"].iter().any(|word| name.ends_with(word));
        (about.iter().any(|word| name.contains(word)) || name.contains(vendor)) && !field
    };
    let conditions = facts.blocks.iter().filter_map(|block| match block.kind {
        BlockKind::Then(condition) | BlockKind::Else(condition) => Some(condition),
        _ => None,
    });
    let chosen = facts.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.first().copied(),
        _ => None,
    });
    conditions.chain(chosen).any(|condition| {
        let at = facts.span(condition);
        body.contains(at) && at.start < call.start && names(facts, condition, &is_known, 6)
    })
}

fn names(facts: &Facts, expr: ExprId, wanted: &dyn Fn(Name) -> bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |&part: &ExprId| names(facts, part, wanted, depth);
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => wanted(*name),
        ExprKind::Member(base, name) => wanted(*name) || next(base),
        ExprKind::Index(base, _) | ExprKind::Await(base) => next(base),
        ExprKind::Op(_, parts) => parts.iter().any(next),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            next(&call.callee) || call.args.iter().any(|arg| next(&arg.value))
        }
        _ => false,
    }
}

fn tell(program: &Program, report: &mut Report, used: &VendorUse) {
    let vendor = &program.catalogue.vendor(used.vendor).name;
    let origins = program.origins(program.function_of(used.at));
    let Some(origin) = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script) else {
        return;
    };
    let entry = program.entry_name(&program.entries[origin.entry]);
    let message = format!(
        "{} makes a new customer each time {entry} runs: a person who comes back has several at {vendor}, with cards, \
         invoices and subscriptions spread over them",
        used.name
    );
    let code = if program.facts(used.at.file).language.is_script() {
        "`if (!user.customerId) { .. create, then store the id .. }`"
    } else {
        "`if not user.customer_id:` create, then store the id"
    };
    report
        .at(program.call_place(used.at), used.name.clone(), message)
        .vendor(program.vendor_id(used.vendor))
        .help(format!("Keep {vendor}'s id with the user and create a customer only when there is none: {code}."))
        .trace(program.trace_from(origin, used.at, &format!("{} without a look at what there is", used.name)));
}
