//! Retries and paced loops that never learn that the vendor asked them to slow down.

use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Facts, Op, Span};
use crate::finding::{FileId, Place};
use crate::program::repeats::retries::{How, Limit, Retry, Wait};
use crate::program::time::iterations::{Iteration, Size};
use crate::program::{CallRef, FunctionRef, Program};
use crate::rule::Report;

crate::rule! {
    /// A retry that looks at neither 429 nor `Retry-After`
    ///
    /// A vendor that is asked too often answers 429 and says in `Retry-After` when to come back. Code that treats this
    /// as any other failure comes back too early: the attempt is refused as well, often counts against the limit, and
    /// the app stays locked out while its customers wait for what was never sent.
    ///
    /// ## Silent when
    ///
    /// - the code or a helper beside it looks at 429, at `Retry-After` or at any other status of a failure
    /// - it calls an SDK: most of them wait as the vendor says by themselves
    /// - it waits the same time before each attempt (`retry-without-backoff`) or never ends (`unbounded-retry`)
    /// - a library does the repeating
    ///
    /// A loop that pauses between two elements is shown to auditors only: mostly it is slow enough, and what it misses
    /// it does the next time. Polling for completion is none.
    ///
    /// ## The cure
    ///
    /// On 429 wait as long as `Retry-After` says, and only then try again.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/contacts/index.ts
    /// Deno.serve(async () => {
    ///   for (let attempt = 0; attempt < 5; attempt++) {
    ///     const res = await fetch("https://api.hubapi.com/crm/v3/objects/contacts?limit=10");
    ///     if (res.ok) return new Response(await res.text());
    ///     await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    ///   }
    ///   return new Response("no contacts", { status: 503 });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/contacts/index.ts
    /// Deno.serve(async () => {
    ///   for (let attempt = 0; attempt < 5; attempt++) {
    ///     const res = await fetch("https://api.hubapi.com/crm/v3/objects/contacts?limit=10");
    ///     if (res.ok) return new Response(await res.text());
    ///     const seconds = res.status === 429 ? Number(res.headers.get("retry-after") ?? 10) : 0.5 * 2 ** attempt;
    ///     await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    ///   }
    ///   return new Response("no contacts", { status: 503 });
    /// });
    /// ```
    id: "retry-ignores-limits", severity: Note, confidence: Medium, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for retry in program.retries() {
        // Waits that do not grow and attempts without end are worse, and told by their own rules.
        let hand_written = matches!(retry.how, How::Loop(_) | How::Recursion(_));
        let grows = matches!(retry.wait, Wait::Growing | Wait::Unknown);
        if hand_written && grows && retry.limit != Limit::Endless && program.runs_on_server(retry.place.file) {
            retried(program, report, retry);
        }
    }
    for iteration in program.iterations().iter().filter(|iteration| iteration.body.is_none()) {
        paced(program, report, iteration);
    }
}

fn retried(program: &Program, report: &mut Report, retry: &Retry) {
    let repeated = program.repeated(retry);
    let Some(first) = repeated.iter().find(|repeated| is_plain_request(program, repeated.call)) else { return };
    let functions = first.way.iter().map(|edge| edge.target).chain([retry.function, first.function]);
    if looks(program, retry.place.file, retry.region, functions.collect(), first.call)
        || program.is_run_by_hand(&program.origins(first.function))
    {
        return;
    }
    tell(program, report, retry.place, first.call, "is tried again", false);
}

fn paced(program: &Program, report: &mut Report, iteration: &Iteration) {
    let file = iteration.place.file;
    // Polling counts to a number.
    if !iteration.pauses(program) || program.size(iteration.collection) == Size::Bounded {
        return;
    }
    let sent = program.sent_by(iteration);
    let Some(first) = sent.iter().find(|sent| sent.way.is_empty() && is_plain_request(program, sent.call)) else {
        return;
    };
    let functions = first.way.iter().map(|edge| edge.target).chain([iteration.function]).collect();
    let inside = |retry: &Retry| retry.place.file == file && iteration.region.contains(retry.region);
    if looks(program, file, iteration.region, functions, first.call)
        || program.retries().iter().any(inside)
        || program.is_run_by_hand(&program.origins(iteration.function))
    {
        return;
    }
    tell(program, report, iteration.place, first.call, "goes on with the next element", true);
}

/// A vendor's API without its SDK: nobody waits as it says but this code.
fn is_plain_request(program: &Program, call: CallRef) -> bool {
    let mut vendors = program.vendors_at(call).iter();
    vendors.any(|used| {
        // A token is fetched on the way to what is asked for.
        let token = program.operation(used).is_some_and(|operation| operation.effect == Effect::Token);
        !token
            && !program.catalogue.vendor(used.vendor).own_backend
            && program.request_of(used).is_some_and(|http| http.inner == call)
    })
}

/// Whether the code of a retry, or of what it calls, tells failures apart: it names 429, `Retry-After`, or a status.
fn looks(program: &Program, file: FileId, region: Span, functions: Vec<FunctionRef>, sent: CallRef) -> bool {
    let mut regions = vec![(file, region)];
    let inner = functions.into_iter().chain([program.function_of(sent)]);
    regions
        .extend(inner.map(|function| (function.file, program.facts(function.file).function(function.function).span)));
    let called = program.calls_of(file).filter(|call| region.contains(program.call_place(*call).span));
    regions.extend(
        called
            .flat_map(|call| program.edges(call))
            .map(|edge| (edge.target.file, program.facts(edge.target.file).function(edge.target.function).span)),
    );
    regions.iter().any(|&(file, region)| {
        let mut inside = program.facts(file).exprs.iter().filter(|expr| region.contains(expr.span));
        inside.any(|expr| match &expr.kind {
            ExprKind::Number(number) => *number == 429.0,
            // `status >= 500`, `status in (502, 503)`
            ExprKind::Op(Op::Compare | Op::Equal | Op::Unequal | Op::In, parts) => {
                parts.iter().any(|&part| is_failure(program.facts(file), part))
            }
            ExprKind::Text(text) => names_limit(text),
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => names_limit(name),
            _ => false,
        })
    })
}

/// The status of a failure.
fn is_failure(facts: &Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Number(number) => (400.0..600.0).contains(number),
        ExprKind::List(parts) => parts.iter().any(|&part| is_failure(facts, part)),
        _ => false,
    }
}

fn names_limit(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(['-', '_', ' '], "");
    ["429", "retryafter", "ratelimit", "toomanyrequests", "retryable", "transient"]
        .iter()
        .any(|word| text.contains(word))
}

fn tell(program: &Program, report: &mut Report, place: Place, call: CallRef, what: &str, paced: bool) {
    let (name, whom) = (program.sent_name(call), program.sent_to(call));
    let message = format!(
        "{name} {what} without a look at 429 or Retry-After: when {whom} asks to slow down, this comes back too early \
         and is refused again, and the app's customers wait"
    );
    let cure = if program.facts(place.file).language.is_script() {
        "On 429 wait as long as the answer says: `if (res.status === 429) await sleep(1000 * \
         Number(res.headers.get(\"retry-after\") ?? 10))`."
    } else {
        "On 429 wait as long as the answer says: `if answer.status_code == 429: \
         time.sleep(int(answer.headers.get(\"Retry-After\", 10)))`."
    };
    let mut draft = report.at(place, name.clone(), message).help(cure);
    if paced {
        draft = draft.auditor_only();
    }
    for used in program.vendors_at(call) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    if program.call_place(call) != place {
        draft.because(program.call_place(call), "sent again and again");
    }
}
