//! Retries that wait as long before the last attempt as before the first, or not at all.

use crate::catalogue::Category;
use crate::finding::{Confidence, Severity};
use crate::program::Program;
use crate::program::repeats::retries::{How, Limit, Repeated, Retry, Wait};
use crate::rule::Report;

crate::rule! {
    /// A retry without growing waits
    ///
    /// A vendor that fails needs time. Attempts that follow at once, or every second, are over before it is back; and
    /// as all users' requests do the same, they are the load that keeps it down. Against a rate limit each attempt
    /// counts too: the app keeps itself locked out.
    ///
    /// Where a framework waits as it was told, always as long and not for ever (Celery's `default_retry_delay`), it is a
    /// note.
    ///
    /// ## Silent when
    ///
    /// - the wait grows, or comes from the answer (`Retry-After`)
    /// - a library waits longer each time by default, or is told how
    /// - a model is asked again, or the next round tries another provider
    /// - it polls for completion, or repeats what goes to the app's own backend
    ///
    /// ## The cure
    ///
    /// Double the wait with each attempt and add a little chance; take `Retry-After` when the vendor sends it.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/rates/index.ts
    /// Deno.serve(async () => {
    ///   for (let attempt = 0; attempt < 5; attempt++) {
    ///     const res = await fetch("https://api.exchange.example/rates");
    ///     if (res.ok) return new Response(await res.text());
    ///     await new Promise((resolve) => setTimeout(resolve, 1000));
    ///   }
    ///   return new Response("no rates", { status: 502 });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/rates/index.ts
    /// Deno.serve(async () => {
    ///   for (let attempt = 0; attempt < 5; attempt++) {
    ///     const res = await fetch("https://api.exchange.example/rates");
    ///     if (res.ok) return new Response(await res.text());
    ///     await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt + Math.random() * 250));
    ///   }
    ///   return new Response("no rates", { status: 502 });
    /// });
    /// ```
    id: "retry-without-backoff", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for retry in program.retries() {
        let waits = matches!(retry.wait, Wait::None | Wait::Constant);
        // What never ends has a worse fault.
        if !waits || retry.limit == Limit::Endless || !program.runs_on_server(retry.place.file) {
            continue;
        }
        let repeated = program.repeated(retry);
        let Some(first) = repeated.iter().find(|repeated| !asks_model(program, repeated)) else { continue };
        if program.is_run_by_hand(&program.origins(first.function)) {
            continue;
        }
        let what = program.sent_name(first.call);
        let whom = program.sent_to(first.call);
        let how = if retry.wait == Wait::None { "at once" } else { "after the same wait each time" };
        // What a framework repeats has an end, and a wait that somebody chose.
        let chosen = retry.wait == Wait::Constant && program.is_framework(retry);
        let message = match chosen {
            true => format!(
                "{what} is tried again {how}: what failed together comes back together, and is the load that keeps \
                 {whom} down"
            ),
            false => format!(
                "{what} is tried again {how}: all attempts are over before {whom} is back, and together they are the \
                 load that keeps it down"
            ),
        };
        let place = if matches!(retry.how, How::Engine(_)) { first.place } else { retry.place };
        let mut draft = report.at(place, what.clone(), message).help(cure(program, retry));
        if chosen {
            draft = draft.severity(Severity::Note).confidence(Confidence::Medium);
        }
        for used in program.uses_of(first) {
            draft = draft.vendor(program.vendor_id(used.vendor));
        }
        if program.call_place(first.call) != place {
            draft.because(program.call_place(first.call), "tried again");
        }
    }
}

/// Whether a model is asked again: for a better answer, as a rule.
fn asks_model(program: &Program, repeated: &Repeated) -> bool {
    program.uses_of(repeated).iter().any(|used| program.catalogue.vendor(used.vendor).category == Category::Llm)
}

fn cure(program: &Program, retry: &Retry) -> String {
    let script = program.facts(retry.place.file).language.is_script();
    let code = match retry.how {
        How::Engine(_) => {
            "`autoretry_for=(..), retry_backoff=True, retry_jitter=True`, or `self.retry(countdown=10 * 2 ** \
             self.request.retries)`"
        }
        How::Helper(_) | How::Decorator(_) => "tell the library to wait longer each time",
        _ if script => {
            "`await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt + Math.random() * 250))`"
        }
        _ if program.facts(retry.place.file).function(retry.function.function).is_async => {
            "`await asyncio.sleep(0.5 * 2 ** attempt + random.random() / 4)`"
        }
        _ => "`time.sleep(0.5 * 2 ** attempt + random.random() / 4)`",
    };
    format!("Double the wait with each attempt, and take Retry-After when it is sent: {code}.")
}
