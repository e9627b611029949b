//! Idempotency keys that are new on every attempt, or the same for all calls.

use rustc_hash::FxHashSet;

use crate::catalogue::{Effect, Idempotency, Operation};
use crate::facts::{CallId, ExprId, ExprKind};
use crate::finding::Place;
use crate::program::keys::Key;
use crate::program::values::fresh::Fresh;
use crate::program::{CallRef, EntryKind, Program, Value, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// An idempotency key that is new on every attempt
    ///
    /// The key tells the vendor that two requests are one order. A key made of a random value or of the time, in the
    /// code that runs again, is another one on the second attempt: the retry, the second click or the redelivered
    /// webhook charges the customer again, and the code looks as if that could not happen. A constant key does the
    /// opposite: the second customer's request is answered with the first one's result, or refused.
    ///
    /// ## Silent when
    ///
    /// - the key is made of an order's, cart's, event's or request's id
    /// - the caller's key is taken and a random one is only the fallback
    /// - the random key is stored before the call, where the next attempt finds it
    /// - the random key is made once and all attempts of a retry loop share it
    /// - a message brings a secret that is made anew for it: a link to reset a password, a code
    /// - the time in it is rounded: to a day, an hour, some minutes
    /// - the call changes what is there and moves no money: a second run changes nothing more
    /// - a constant key belongs to a request that is constant too: the same product, made once
    /// - only a script run by hand gets there; tests, tooling and dead code
    ///
    /// ## The cure
    ///
    /// Make the key of what is being paid or sent: the order's or the event's id. It must be known before the first
    /// attempt and be the same in the second.
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
    ///   const intent = await stripe.paymentIntents.create(
    ///     { amount: order.total, currency: "eur" },
    ///     { idempotencyKey: crypto.randomUUID() },
    ///   );
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
    ///     { idempotencyKey: `order-${order.id}` },
    ///   );
    ///   return Response.json({ secret: intent.client_secret });
    /// });
    /// ```
    id: "unstable-idempotency-key", severity: Error, confidence: High, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

/// What is wrong with a key.
enum Fault {
    /// It is new each time.
    Fresh(Fresh),
    /// It is made once for the whole process, by this call.
    Once(CallRef),
    /// It is this text.
    Constant(String),
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<(CallRef, Option<CallRef>)> = FxHashSet::default();
    for used in program.vendor_uses() {
        let Some(operation) = program.operation(used) else { continue };
        // A change that is made a second time changes nothing more, unless it moves money.
        let repeats = matches!(operation.effect, Effect::Create | Effect::Send)
            || operation.effect == Effect::Update && operation.money;
        if !repeats || program.is_harmless(used, operation) || !program.runs_on_server(used.at.file) {
            continue;
        }
        let Some(how) = program.idempotency(used) else { continue };
        let Key::Given(value) = program.idempotency_key(used, how) else { continue };
        let Some(fault) = fault(program, used, &program.expand(&value)) else { continue };
        // A request is told once, however many wrappers lead to it.
        let at = program.request_of(used).map_or(used.at, |http| http.inner);
        let made = match &fault {
            Fault::Fresh(fresh) => Some(fresh.made),
            Fault::Once(made) => Some(*made),
            Fault::Constant(_) => None,
        };
        if told.insert((at, made)) {
            tell(program, report, used, operation, how, &fault);
        }
    }
}

fn fault(program: &Program, used: &VendorUse, key: &Value) -> Option<Fault> {
    if let Some(fresh) = program.fresh(key) {
        if program.runs_at_load(fresh.made) {
            let lives_on = !program.runs_at_load(used.at);
            return lives_on.then_some(Fault::Once(fresh.made));
        }
        let shared = is_shared_by_attempts(program, used.at, fresh.made);
        let kept = program.is_kept_before(key, used.at, |call| !stores(program, call));
        return (!shared && !kept).then_some(Fault::Fresh(fresh));
    }
    let constant = key.alternatives().iter().all(|value| matches!(value, Value::Text(text) if !text.is_empty()));
    let text = key.alternatives().first().and_then(Value::text)?;
    let says_something = constant && !is_constant_call(program, used.at);
    says_something.then(|| Fault::Constant(text.to_string()))
}

/// Whether a retry makes the call again with the key that was made before it.
fn is_shared_by_attempts(program: &Program, call: CallRef, made: CallRef) -> bool {
    let place = program.call_place(made);
    program.retried_at(call).any(|retry| retry.place.file != place.file || !retry.region.contains(place.span))
}

/// Whether a call may store what it is handed: a write, or one whose name says so.
fn stores(program: &Program, call: CallRef) -> bool {
    let own = |used: &VendorUse| program.catalogue.vendor(used.vendor).own_backend;
    let vendors = program.vendors_at(call);
    if !vendors.is_empty() {
        return vendors.iter().any(own);
    }
    let facts = program.facts(call.file);
    let name = match facts.expr(facts.call(call.call).callee) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_ascii_lowercase(),
        _ => return false,
    };
    const STORES: [&str; 12] = [
        "save", "store", "record", "create", "insert", "persist", "update", "upsert", "set", "put", "execute", "query",
    ];
    name == "add" || name == "values" || STORES.iter().any(|word| name.contains(word))
}

/// Whether everything a call is given is constant: repeating it is the point of its key.
fn is_constant_call(program: &Program, at: CallRef) -> bool {
    fn is_constant(program: &Program, at: CallRef, expr: ExprId, depth: usize) -> bool {
        let facts = program.facts(at.file);
        let next = |&part: &ExprId| depth > 0 && is_constant(program, at, part, depth - 1);
        match facts.expr(expr) {
            ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Env(_) => true,
            ExprKind::Object(entries) => entries.iter().all(|(_, value)| next(value)),
            ExprKind::List(items) => items.iter().all(next),
            ExprKind::Ref(..) | ExprKind::Member(..) => {
                let value = program.value(crate::program::ExprRef::new(at.file, expr));
                matches!(value, Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Env(_))
            }
            _ => false,
        }
    }
    let call: CallId = at.call;
    program.facts(at.file).call(call).args.iter().all(|arg| is_constant(program, at, arg.value, 6))
}

fn tell(
    program: &Program,
    report: &mut Report,
    used: &VendorUse,
    operation: &Operation,
    how: &Idempotency,
    fault: &Fault,
) {
    let origins = program.origins_of(used.at);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let origin = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    // Who asks for another link wants another one: the key of a new link is new with it.
    let random = matches!(fault, Fault::Fresh(fresh) if !fresh.is_time);
    if random && operation.effect == Effect::Send && program.brings_new_secret(used.at, origin) {
        return;
    }
    let again = match origin {
        Some(origin) => format!("a retry or second run of {}", program.entry_name(&program.entries[origin.entry])),
        None => format!("a repeat of {}", program.function_name(program.function_of(used.at))),
    };
    let name = &used.name;
    let does = &operation.does;
    let (message, because): (String, Option<(Place, String)>) = match fault {
        Fault::Fresh(fresh) => {
            let made = program.call_text(fresh.made);
            let what = if fresh.is_time { "the time" } else { "a random value" };
            let text = format!("{what}, another one each time");
            (
                format!(
                    "the idempotency key of {name} is new on every attempt ({made}): {again} {does} twice{}",
                    match operation.money {
                        true if program.waits_for_payer(used) => {
                            ", and a second payment stays open that the customer can make as well"
                        }
                        true => ", and money can move twice",
                        false => "",
                    }
                ),
                Some((program.call_place(fresh.made), text)),
            )
        }
        Fault::Once(made) => (
            format!(
                "the idempotency key of {name} is made once when the module is loaded: all customers share it, and \
                 the second one gets the first one's result"
            ),
            Some((program.call_place(*made), "runs once, for all calls".to_owned())),
        ),
        Fault::Constant(text) => (
            format!(
                "the idempotency key of {name} is always {text:?}: all customers share it, and the second one gets \
                 the first one's result"
            ),
            None,
        ),
    };
    let cure = program.key_cure(used, how);
    let mut draft = report
        .at(program.call_place(used.at), name.clone(), message)
        .vendor(program.vendor_id(used.vendor))
        .help(format!("Make the key of the order's or event's id, the same for every repeat: {cure}."));
    if let Some((place, text)) = because {
        draft = draft.because(place, text);
    }
    if let Some(origin) = origin {
        draft.trace(program.trace_from(origin, used.at, &format!("{name} with that key")));
    }
}
