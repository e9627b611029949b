//! Handlers after which nobody can know that a vendor failed.

use std::collections::BTreeMap;

use crate::facts::ExprKind;
use crate::finding::Severity;
use crate::program::failures::swallowing::{Failing, Instead, Swallowed};
use crate::program::origins::Origin;
use crate::program::terms::Handler;
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, FunctionRef, Program};
use crate::rule::Report;

crate::rule! {
    /// A vendor's failure vanishes
    ///
    /// A handler that neither logs, tells nor rethrows makes an outage invisible: the mail is not sent, the pay link
    /// is missing, the payment row is lost, and there is no line anywhere from which anybody could find out. The
    /// first to notice are customers, days later. A loop that keeps good answers only (`if (res.ok) found.push(..)`, no
    /// `else`) does the same: what is left looks complete.
    ///
    /// ## Silent when
    ///
    /// - the handler logs, reports, shows, counts or answers the failure, reads what it caught, or throws again
    /// - it returns `false` or `null` and a caller looks at that, or "no" is what it was asked for (`testConnection`,
    ///   a check under `/health`)
    /// - what was to be brought is missed afterwards: `if (!session) throw ..`
    /// - a flag that is set only after success is kept in a row, or the hook that runs the call tells of its failure
    /// - it is for failures that are no vendor's: parsing, missing keys, things not found
    /// - the call gives its error back instead of throwing it, so that no handler around it ever runs (whether anybody
    ///   looks at that error is for `returned-error-ignored`)
    /// - the project's own function around the vendor's call records the failure or logs it before it throws
    /// - it guards the app's own backend outside of webhooks, a clean-up after a failure or in a `finally`, analytics, or
    ///   the answer of an arbitrary website
    ///
    /// A handler that logs is reported as a note where the failed call is all that a request is for, and the request is
    /// answered with success all the same.
    ///
    /// ## The cure
    ///
    /// Log what failed with an id that finds it again, and stop or tell the caller where the failed action is what
    /// the caller came for, or where a stand-in for its answer would be written down or shown as the truth.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay-link/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { price, invoice } = await req.json();
    ///   let url = null;
    ///   try {
    ///     const link = await stripe.paymentLinks.create({ line_items: [{ price, quantity: 1 }] });
    ///     url = link.url;
    ///   } catch {
    ///     // goes out without a link
    ///   }
    ///   return Response.json({ invoice, url });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay-link/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { price, invoice } = await req.json();
    ///   let url = null;
    ///   try {
    ///     const link = await stripe.paymentLinks.create({ line_items: [{ price, quantity: 1 }] });
    ///     url = link.url;
    ///   } catch (error) {
    ///     console.error("no pay link", { invoice, error });
    ///   }
    ///   return Response.json({ invoice, url });
    /// });
    /// ```
    id: "swallowed-vendor-error", severity: Warning, confidence: High, section: "Seeing failures",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    // One finding a function: the same repair mends them all.
    let mut functions: BTreeMap<FunctionRef, Vec<Swallowed>> = BTreeMap::new();
    let mut silenced: BTreeMap<Option<usize>, FunctionRef> = BTreeMap::new();
    for swallowed in program.swallowed() {
        let side = program.side(swallowed.place.file);
        let first = swallowed.failing.first().is_none_or(|&(call, _)| program.is_after_failure(call));
        let spared = first || is_probe(program, &swallowed) || is_told_elsewhere(program, &swallowed);
        if !(side.tooling || side.dead || spared) && (side.server || side.client) {
            // A habit that runs through an app is told once.
            let function = match swallowed.instead {
                Instead::Option(_) => {
                    let app = program.only_app_of(swallowed.place.file);
                    *silenced.entry(app).or_insert(swallowed.function)
                }
                _ => swallowed.function,
            };
            functions.entry(function).or_default().push(swallowed);
        }
    }
    for all in functions.values() {
        tell(program, report, all);
    }
}

/// Whether a flag keeps the failure in a row, or the hook that runs the call has a handler of its own for it:
/// `useMutation({ mutationFn, onError })`.
fn is_told_elsewhere(program: &Program, swallowed: &Swallowed) -> bool {
    let stored = |call: CallRef| {
        let body = program.guards(call).first().and_then(|guard| guard.body);
        body.is_some_and(|body| program.failure_is_stored(call.file, body))
    };
    let by_hook = |call: CallRef| {
        program.edges(call).iter().any(|edge| {
            let facts = program.facts(edge.target.file);
            facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Object(entries) => {
                    let runs =
                        |value| matches!(facts.expr(value), ExprKind::Function(of) if *of == edge.target.function);
                    entries.iter().any(|&(key, value)| key == "mutationFn" && runs(value))
                        && entries.iter().any(|(key, _)| *key == "onError")
                }
                _ => false,
            })
        })
    };
    // `catch { answer = await get(otherFields) }`: the second try fails for itself.
    let again = |call: CallRef, failing: CallRef| {
        let Some(Handler::Block(block)) = program.guards(call).first().map(|guard| guard.handler) else { return false };
        let facts = program.facts(call.file);
        let span = facts.block(block).span;
        let vendors = |at: CallRef| program.vendors_at(at).iter().map(|used| used.vendor).collect::<Vec<_>>();
        let first = vendors(failing);
        program.calls_of(call.file).any(|other| {
            let shape = facts.call(other.call);
            let inside = span.contains(facts.span(shape.expr));
            inside
                && !shape.dropped
                && vendors(other).iter().any(|vendor| first.contains(vendor))
                && program.guards(other).first().is_some_and(|guard| guard.handler != Handler::Block(block))
        })
    };
    !swallowed.failing.is_empty()
        && swallowed.failing.iter().all(|&(call, failing)| stored(call) || by_hook(call) || again(call, failing.at))
}

/// Whether "no" is what a function was asked to find out: `ping`, `testConnection`, `isAvailable`, `isSmsSetUp`, or
/// whatever a route under `/health` asks.
fn is_probe(program: &Program, swallowed: &Swallowed) -> bool {
    let names = words(&program.function_name(swallowed.function));
    let says_no = matches!(swallowed.instead, Instead::Default(value) if value.contains("alse"));
    let asks = [
        "ping",
        "probe",
        "health",
        "healthy",
        "reachable",
        "alive",
        "available",
        "connection",
        "connected",
        "connectivity",
        "configured",
    ];
    let set_up = names.windows(2).any(|pair| pair[0] == "set" && pair[1] == "up");
    says_no
        && (set_up
            || names.iter().any(|word| asks.contains(&word.as_str()))
            || is_inside_check(program, swallowed.function)
            || reports_health(program, swallowed.function))
}

/// Whether a function is written inside one that asks how the app is: `health_check`.
fn is_inside_check(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let parents = std::iter::successors(Some(function.function), |&of| facts.function(of).parent).skip(1);
    parents.filter_map(|of| facts.function(of).name).any(|name| words(&name).iter().any(|word| says_health(word)))
}

/// Whether all that starts a function asks how the app is: `GET /health/parts`.
fn reports_health(program: &Program, function: FunctionRef) -> bool {
    let origins = program.origins(function);
    !origins.is_empty()
        && origins.iter().all(|origin| {
            let name = program.entry_name(&program.entries[origin.entry]);
            words(&name).iter().any(|word| says_health(word))
        })
}

fn says_health(word: &str) -> bool {
    matches!(word, "health" | "healthz" | "healthcheck" | "readyz" | "readiness" | "liveness" | "livez")
}

/// What fails, in words.
fn what(program: &Program, failing: Failing) -> String {
    if failing.webhook {
        return "the webhook's database write".to_owned();
    }
    match program.vendors_at(failing.at).first() {
        // The path of a request may not be known.
        Some(used) if used.name.contains(['.', ' ']) && !used.name.contains("{}.") => used.name.clone(),
        Some(used) => format!("the request to {}", program.catalogue.vendor(used.vendor).name),
        None if program
            .requests_at(failing.at)
            .iter()
            .any(|http| http.method.is_some_and(|method| method == "SEND")) =>
        {
            program.call_text(failing.at)
        }
        None => {
            let name = program.requests_at(failing.at).first().and_then(|http| program.destination_name(http));
            format!("the request to {}", name.unwrap_or_else(|| "the service".to_owned()))
        }
    }
}

/// Whether one of the deliveries that lead here comes again when it is answered with an error.
fn comes_again(program: &Program, at: CallRef, origins: &[Origin]) -> bool {
    let mut delivered = origins.iter().filter(|origin| program.is_webhook_work(at, std::slice::from_ref(origin)));
    delivered.any(|origin| program.is_delivered_again(origin.entry))
}

fn tell(program: &Program, report: &mut Report, all: &[Swallowed]) {
    let Some(swallowed) = all.first() else { return };
    let Some(&(call, failing)) = swallowed.failing.first() else { return };
    let origins = program.origins(swallowed.function);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let origin = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    let used = program.vendors_at(failing.at).first().filter(|_| !failing.webhook);
    let what = what(program, failing);
    let who = match origin {
        Some(origin) => program.entry_name(&program.entries[origin.entry]),
        None => program.function_name(swallowed.function),
    };
    let python = !program.facts(swallowed.place.file).language.is_script();
    let handler = if python { "except" } else { "catch" };
    let message = match swallowed.instead {
        Instead::Nothing => {
            format!(
                "an empty {handler} swallows the failure of {what}: {who} goes on, and nobody can know that it failed"
            )
        }
        Instead::GoesOn => {
            format!("this {handler} swallows the failure of {what}: {who} goes on, and nobody can know that it failed")
        }
        Instead::Option(keyword) => {
            format!(
                "`{keyword}=True` swallows the failure of {what}: {who} goes on, and nobody can know that it failed"
            )
        }
        Instead::OnAnArm => format!(
            "when {what} fails, this {handler} goes on with something else where it has it, without a word: {who} works with \
             that, and nobody can know"
        ),
        Instead::Branch(value) => {
            let does = if program.entries_of(swallowed.function).is_empty() { "goes on" } else { "answers" };
            format!(
                "this branch turns a refusal of {what} into {value}: {who} {does} as if that were true, and nobody can know"
            )
        }
        Instead::OnlyLogged => format!(
            "when {what} fails, this {handler} only logs it, and {who} says all the same that it is done: whoever asked \
             for it does not try again, and it never happens"
        ),
        Instead::PassedOver => format!(
            "only good answers of {what} count in this loop: one that is refused is passed over without a word, and {who} gives what is left as if it were all"
        ),
        Instead::StandIn => format!(
            "when {what} fails, this {handler} puts something of the code's own in its place, without a word: {who} works \
             with that, and nobody can know"
        ),
        Instead::Default(value) => format!(
            "this {handler} turns the failure of {what} into {value}: {who} answers as if that were true, and nobody can know"
        ),
    };
    let log = if python {
        "`logger.exception(\"..\", extra={\"id\": id})`"
    } else {
        "`console.error(\"..\", { id, error })`"
    };
    let help = match (swallowed.decides, swallowed.instead) {
        _ if failing.webhook && !comes_again(program, failing.at, &origins) => {
            format!(
                "Log the failure with an id that finds the action again: {log}. The vendor does not deliver again, and may \
                 wait for this answer: answer it all the same, and do what is missing later from what was logged."
            )
        }
        _ if failing.webhook => {
            format!(
                "Log the failure with an id that finds the action again: {log}, then rethrow, so that the vendor \
                     delivers again."
            )
        }
        (Some(name), _) => format!(
            "Stop here, a log is not enough: `{name}` keeps its stand-in and is written down afterwards. Log the \
             failure ({log}) and throw it again, or leave what is stored as it was."
        ),
        (None, Instead::Default(_) | Instead::Branch(_)) => format!(
            "Let whoever asked see that it failed: log it with an id ({log}) and throw it again, or answer an error \
             (a 5xx), rather than a value that a success could have given."
        ),
        (None, Instead::PassedOver) => format!(
            "Log the refusal with an id that finds it again ({log}), and stop or say that something is missing: what is left \
             looks complete."
        ),
        (None, Instead::Option(keyword)) => format!(
            "Leave `{keyword}` out, and put the call into a `try` whose `except` logs the failure with an id that finds \
             the action again: {log}. What follows runs as before."
        ),
        (None, Instead::OnAnArm | Instead::StandIn) => {
            format!("Log the failure before going on with what stands in: {log}. That it stands in may stay.")
        }
        (None, Instead::OnlyLogged) => {
            "Keep the log, and answer an error (a 5xx) from there, so that whoever asked knows and can try again."
                .to_owned()
        }
        (None, Instead::Nothing | Instead::GoesOn) => {
            format!("Log the failure with an id that finds the action again: {log}.")
        }
    };
    let mut draft = report.at(swallowed.place, what.clone(), message).help(help);
    if program.call_place(call) != swallowed.place {
        draft = draft.because(program.call_place(call), format!("what fails: {what}"));
    }
    if let Some(used) = used {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    if failing.at != call {
        draft = draft.because(program.call_place(failing.at), "fails here");
    }
    if let Some(origin) = origin {
        draft = draft.trace(program.trace_from(origin, call, "its failure ends in the handler"));
    }
    for other in &all[1..] {
        draft = draft.because(other.place, "and swallows here too");
    }
    if swallowed.instead == Instead::OnlyLogged {
        draft = draft.severity(Severity::Note);
    }
    if program.side(swallowed.place.file).client && !program.side(swallowed.place.file).server && used.is_none() {
        draft.severity(Severity::Note).auditor_only();
    }
}
