//! Calls that create, send or move money, and give no idempotency key though the vendor takes one.

use std::collections::BTreeMap;

use crate::catalogue::{Effect, Idempotency, Operation};
use crate::facts::{BlockKind, ExprKind, Facts, FunctionId, Op};
use crate::finding::{Confidence, Remark, Severity};
use crate::names::Name;
use crate::program::keys::Key;
use crate::program::origins::Origin;
use crate::program::repeats::state_checks::Held;
use crate::program::verify::words;
use crate::program::webhooks::remembered::Written;
use crate::program::{CallRef, Destination, EntryKind, FunctionRef, Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A create, send or charge without an idempotency key
    ///
    /// Networks fail after the vendor has done its work and before the answer arrives: the request is sent again by
    /// a retry, a second click, a redelivered webhook or a job that starts over. Without an idempotency key the
    /// vendor cannot tell the repeat from a new order: the customer pays twice, or gets the same mail twice.
    /// A key that an SDK makes up by itself is new on every call of yours and covers only its own retries.
    ///
    /// It is an error where money moves (charges, payment intents, transfers, payouts, refunds, invoices,
    /// subscriptions), a warning elsewhere.
    ///
    /// ## Silent when
    ///
    /// - the vendor or this operation takes no key: no key is ever asked for there
    /// - a repeat is harmless: portal sessions, ephemeral keys, setup intents, reads, updates, refunds of all that was
    ///   paid, and what can be done to one thing only once: to capture, finalize or pay it
    /// - a key is given, as an option, a header or a field of the body, also by a wrapper or by the client
    ///   for all its requests
    /// - options are handed through that cannot be followed
    /// - what is kept is asked, and the run written down there, before the call and on every way to it (in a table that
    ///   migrations, or its declaration in code, let take a second row, two runs at the same moment both pass). What
    ///   neither the path nor a delivery after it writes tells of no earlier run: a role, a price, a switch
    /// - what is kept is claimed by a function of the app, and its verdict decides
    /// - a message brings a code or link that is made for it: who asks again wants another one
    /// - only a script run by hand gets there; tests, tooling and dead code
    /// - it stands in a function that nobody calls (a note for auditors)
    ///
    /// ## The cure
    ///
    /// Pass a key that is the same for every attempt of one thing: made of the operation and the order's, cart's or
    /// event's id. Never a random one made in the same function: a repeat would make another. And never one key for two
    /// operations, or for two elements of a list: the vendor refuses a key that came with other parameters before. A
    /// helper that serves several takes the key from its callers. Rows that are added up, paid at once and marked are a
    /// batch: write it down with its sum first, and take its id.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { orderId } = await req.json();
    ///   const order = await loadOrder(orderId);
    ///   const intent = await stripe.paymentIntents.create({ amount: order.total, currency: "eur" });
    ///   return Response.json({ secret: intent.client_secret });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { orderId } = await req.json();
    ///   const order = await loadOrder(orderId);
    ///   const intent = await stripe.paymentIntents.create(
    ///     { amount: order.total, currency: "eur" },
    ///     { idempotencyKey: `payment-${order.id}` },
    ///   );
    ///   return Response.json({ secret: intent.client_secret });
    /// });
    /// ```
    id: "create-without-idempotency", severity: Warning, confidence: High, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

/// A call without a key.
struct Keyless<'p> {
    used: &'p VendorUse,
    operation: &'p Operation,
    how: &'p Idempotency,
}

/// What runs write, by their entries.
type Runs = BTreeMap<usize, Written>;

fn check(program: &Program, report: &mut Report) {
    let mut runs = Runs::new();
    // Uses of one request, as its own place and its wrapper's callers see it.
    let mut requests: BTreeMap<CallRef, Vec<Keyless<'_>>> = BTreeMap::new();
    let mut calls: Vec<(Keyless<'_>, Vec<CallRef>)> = Vec::new();
    for used in program.vendor_uses() {
        let Some(keyless) = keyless(program, used) else { continue };
        match program.request_of(used) {
            Some(http) => requests.entry(http.inner).or_default().push(keyless),
            None => match calls.iter_mut().find(|(other, _)| is_other_branch(program, other.used, used)) {
                Some((_, twins)) => twins.push(used.at),
                None => calls.push((keyless, vec![])),
            },
        }
    }
    for (keyless, twins) in &calls {
        tell(program, report, keyless, &[], twins, &mut runs);
    }
    for (inner, mut uses) in requests {
        uses.retain(|keyless| says_itself(program, keyless));
        uses.sort_by_key(|keyless| keyless.used.at);
        // What the wrapper itself says holds for all its callers; else each caller is a call of its own.
        match uses.iter().position(|keyless| keyless.used.at == inner) {
            Some(own) => {
                let callers: Vec<CallRef> = uses.iter().map(|other| other.used.at).filter(|&at| at != inner).collect();
                tell(program, report, &uses[own], &callers, &[], &mut runs);
            }
            None => uses.iter().for_each(|keyless| tell(program, report, keyless, &[], &[], &mut runs)),
        }
    }
}

/// Whether the operation is written at this place, rather than handed through it by a caller.
fn says_itself(program: &Program, keyless: &Keyless<'_>) -> bool {
    let Some(http) = program.request_of(keyless.used) else { return false };
    program.destinations_as_written(&http.url).iter().any(|to| match to {
        Destination::Vendor(vendor, host, path) => {
            let operation = program.catalogue.http_operation(*vendor, http.method.map(Name::as_str), host, path);
            operation.map(|(at, _)| at) == keyless.used.operation
        }
        _ => false,
    })
}

fn keyless<'p>(program: &'p Program, used: &'p VendorUse) -> Option<Keyless<'p>> {
    let operation = program.operation(used)?;
    let repeats = matches!(operation.effect, Effect::Create | Effect::Send)
        || operation.effect == Effect::Update && operation.money;
    if !repeats || program.is_harmless(used, operation) || !program.runs_on_server(used.at.file) {
        return None;
    }
    let how = program.idempotency(used)?;
    let is_keyless = program.idempotency_key(used, how) == Key::Absent && !has_twin_with_key(program, used, how);
    is_keyless.then_some(Keyless { used, operation, how })
}

/// `key ? create(order, { idempotencyKey: key }) : create(order)`: the same call with a key beside it.
fn has_twin_with_key(program: &Program, used: &VendorUse, how: &Idempotency) -> bool {
    let function = program.function_of(used.at);
    program.calls_in(function).flat_map(|call| program.vendors_at(call)).any(|other| {
        is_given_alike(program, used, other) && matches!(program.idempotency_key(other, how), Key::Given(_))
    })
}

/// Whether another call of the function is given something of the same name.
fn is_given_alike(program: &Program, used: &VendorUse, other: &VendorUse) -> bool {
    let given = |at: CallRef| {
        let facts = program.facts(at.file);
        match *facts.expr(facts.call(at.call).args.first()?.value) {
            ExprKind::Ref(name, _) => Some(name),
            _ => None,
        }
    };
    other.at != used.at
        && (other.vendor, other.operation) == (used.vendor, used.operation)
        && program.function_of(other.at) == program.function_of(used.at)
        && given(used.at).is_some()
        && given(used.at) == given(other.at)
}

/// `account ? create(order, { stripeAccount: account }) : create(order)`: the same call in another branch.
fn is_other_branch(program: &Program, used: &VendorUse, other: &VendorUse) -> bool {
    let facts = program.facts(used.at.file);
    let given = |at: CallRef| {
        let first = facts.call(at.call).args.first().filter(|arg| arg.name.is_none())?;
        match *facts.expr(first.value) {
            ExprKind::Ref(name, block) => facts.lookup(block, name),
            _ => None,
        }
    };
    is_given_alike(program, used, other)
        && given(used.at).is_some()
        && given(used.at) == given(other.at)
        && excludes(facts, used.at, other.at)
}

/// Whether only one of two calls runs: they stand in both arms of one decision. The second of two that may both run is
/// given something else by then, and the vendor refuses that under the same key.
fn excludes(facts: &Facts, one: CallRef, other: CallRef) -> bool {
    let arms = |at: CallRef| {
        let blocks = facts.enclosing(facts.call(at.call).block).map(|(_, block)| block.kind);
        blocks.filter(|kind| matches!(kind, BlockKind::Then(_) | BlockKind::Else(_))).collect::<Vec<_>>()
    };
    let (here, there) = (arms(one), arms(other));
    let by_blocks = here.iter().any(|arm| match *arm {
        BlockKind::Then(condition) => there.contains(&BlockKind::Else(condition)),
        BlockKind::Else(condition) => there.contains(&BlockKind::Then(condition)),
        _ => false,
    });
    let span = |at: CallRef| facts.span(facts.call(at.call).expr);
    by_blocks
        || facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Op(Op::Choose, parts) => {
                let arm = |at: CallRef| parts[1..].iter().position(|&part| facts.span(part).contains(span(at)));
                arm(one).is_some() && arm(other).is_some() && arm(one) != arm(other)
            }
            _ => false,
        })
}

fn tell(
    program: &Program,
    report: &mut Report,
    keyless: &Keyless<'_>,
    callers: &[CallRef],
    twins: &[CallRef],
    runs: &mut Runs,
) {
    let Keyless { used, operation, how } = keyless;
    let origins = program.origins_of(used.at);
    if program.is_run_by_hand(&origins) {
        return;
    }
    // The caller that nothing keeps from a second run is the one to tell of.
    let live = || {
        let live = origins.iter().filter(|origin| program.entries[origin.entry].kind != EntryKind::Script);
        live.filter(|origin| !program.is_for_refused(origin.entry, used.at))
    };
    if !origins.is_empty() && live().next().is_none() {
        return;
    }
    let each: Vec<(Held, &Origin)> = live().map(|origin| (held(program, used.at, origin, runs), origin)).collect();
    let (held, origin) = match each.iter().min_by_key(|(held, _)| *held) {
        Some(&(held, origin)) => (held, Some(origin)),
        None => (Held::Free, None),
    };
    // Where no money moves two at the same moment are rare enough.
    if held == Held::Claimed || held == Held::Changed && !operation.money {
        return;
    }
    // Who asks for another link wants another one.
    if operation.effect == Effect::Send && program.brings_new_secret(used.at, origin) {
        return;
    }
    let message = format!(
        "{} gives no idempotency key: {} {} twice{}",
        used.name,
        again(program, used, origin, held),
        operation.does,
        consequence(program, used, operation)
    );
    let cure = program.key_cure(used, how);
    let severity = if operation.money { Severity::Error } else { Severity::Warning };
    let mut draft = report
        .at(program.call_place(used.at), used.name.clone(), message)
        .severity(severity)
        .vendor(program.vendor_id(used.vendor))
        .help(format!("Give a key that stays the same for every repeat of one order or event: {cure}."));
    let function = program.function_of(used.at);
    if origins.is_empty() && callers.is_empty() && program.callers(function).is_empty() && is_helper(program, function)
    {
        draft = draft.confidence(Confidence::Low).auditor_only();
    }
    if let Some(origin) = origin {
        draft = draft.trace(program.trace_from(origin, used.at, &format!("{} without a key", used.name)));
    }
    for &twin in twins {
        draft = draft.because(program.call_place(twin), "the same in another branch: it takes the same key");
    }
    for related in callers_of(program, used.at, callers) {
        draft = draft.because(related.place, related.text);
    }
}

/// Whether a function is there to be called by others: nothing repeats one that nobody calls.
fn is_helper(program: &Program, function: FunctionRef) -> bool {
    function.function != FunctionId::MODULE && program.facts(function.file).function(function.function).name.is_some()
}

/// Who calls the function the call stands in, when it is a wrapper.
fn callers_of(program: &Program, at: CallRef, known: &[CallRef]) -> Vec<Remark> {
    /// More say nothing more.
    const MOST_CALLERS: usize = 5;
    let callers = if known.is_empty() { program.callers(program.function_of(at)) } else { known };
    let remark = |&caller: &CallRef| Remark { place: program.call_place(caller), text: "called from here".to_owned() };
    callers.iter().filter(|caller| program.runs_on_server(caller.file)).take(MOST_CALLERS).map(remark).collect()
}

/// What keeps the call from running twice; `written`: what runs write, by their entries.
fn held(program: &Program, at: CallRef, origin: &Origin, written: &mut Runs) -> Held {
    let way: Vec<CallRef> = origin.way.iter().map(|edge| edge.call).chain([at]).collect();
    match program.held(&way, None) {
        Held::Free => Held::Free,
        _ => {
            let written = written.entry(origin.entry).or_insert_with(|| program.written_by_run(origin));
            program.held(&way, Some(written))
        }
    }
}

/// What repeats the call.
fn again(program: &Program, used: &VendorUse, origin: Option<&Origin>, held: Held) -> String {
    let Some(origin) = origin else {
        return format!("a repeat of {}", program.function_name(program.function_of(used.at)));
    };
    let entry = &program.entries[origin.entry];
    let name = program.entry_name(entry);
    let looked_up = program.operation(used).is_some_and(|operation| operation.person)
        && program.is_person_looked_up(used.at, program.vendor_id(used.vendor));
    // Who does not deliver again may be asked by somebody else's repeat all the same.
    let delivered =
        program.is_webhook_work(used.at, std::slice::from_ref(origin)) && program.is_delivered_again(origin.entry);
    let asked = looked_up || matches!(held, Held::Asked | Held::Noted | Held::Changed);
    match entry.kind {
        _ if asked && delivered => format!(
            "of two deliveries of one event to {name} at the same moment both pass what is asked before it, and the app"
        ),
        _ if asked => {
            format!("of two runs of {name} at the same moment both pass what is asked before it, and the app")
        }
        _ if delivered => format!("a second delivery of one event to {name}"),
        _ if program.only_webhooks_ask(origin.entry) => format!("a second delivery of the event behind {name}"),
        EntryKind::Job | EntryKind::Worker | EntryKind::Load => format!("a second run of {name}"),
        _ if is_clocked(program, origin) => format!("a second run of {name}"),
        EntryKind::Hook => format!("a second call of {name}"),
        _ => format!("a retry or second click of {name}"),
    }
}

/// Whether a clock asks for an entry point, by a schedule or by its name.
fn is_clocked(program: &Program, origin: &Origin) -> bool {
    const CLOCKS: &[&str] = &["cron", "daily", "weekly", "nightly", "hourly"];
    let entry = &program.entries[origin.entry];
    let named = words(&program.entry_name(entry)).iter().any(|word| CLOCKS.contains(&word.as_str()));
    named
        || program.schedules().iter().any(|schedule| schedule.asks.contains(&origin.entry))
        || program.open_job(origin.entry).is_some()
}

fn consequence(program: &Program, used: &VendorUse, operation: &Operation) -> &'static str {
    match operation.effect {
        _ if operation.money && program.waits_for_payer(used) => {
            ", and a second payment stays open that the customer can make as well"
        }
        _ if operation.money => ", and money can move twice",
        Effect::Send => ", and people get it twice",
        _ => "",
    }
}
