//! Retries that nothing ends.

use crate::catalogue::KnownRole;
use crate::program::repeats::retries::{How, Limit, Retry, Trigger};
use crate::program::{EdgeKind, Program};
use crate::rule::Report;

crate::rule! {
    /// A retry that nothing ends
    ///
    /// When the vendor is down for an hour, code that tries again without a maximum does so for an hour: every request
    /// holds its memory and its place, a serverless function runs until the platform kills it and is billed for all
    /// of it, and the vendor, just coming back, is met by everyone at once. A request that can never succeed (a wrong
    /// key, a deleted customer) is repeated for ever.
    ///
    /// ## Silent when
    ///
    /// - a count, a deadline or a failure that is not tried again ends it
    /// - a library ends it by itself
    /// - it polls for completion, reads pages, or works off a queue: success does not leave the loop
    ///
    /// ## The cure
    ///
    /// Count the attempts and give up after a few, with the failure in sight.
    ///
    /// ## Example
    ///
    /// ```py path=app.py
    /// import requests
    /// from flask import Flask
    /// from tenacity import retry, wait_exponential
    ///
    /// app = Flask(__name__)
    ///
    ///
    /// @retry(wait=wait_exponential())
    /// def load_rates():
    ///     answer = requests.get("https://api.exchange.example/rates", timeout=5)
    ///     answer.raise_for_status()
    ///     return answer.json()
    ///
    ///
    /// @app.get("/rates")
    /// def rates():
    ///     return load_rates()
    /// ```
    ///
    /// ## Repair
    ///
    /// ```py path=app.py
    /// import requests
    /// from flask import Flask
    /// from tenacity import retry, stop_after_attempt, wait_exponential
    ///
    /// app = Flask(__name__)
    ///
    ///
    /// @retry(wait=wait_exponential(), stop=stop_after_attempt(4))
    /// def load_rates():
    ///     answer = requests.get("https://api.exchange.example/rates", timeout=5)
    ///     answer.raise_for_status()
    ///     return answer.json()
    ///
    ///
    /// @app.get("/rates")
    /// def rates():
    ///     return load_rates()
    /// ```
    id: "unbounded-retry", severity: Error, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for retry in program.retries().iter().filter(|retry| retry.limit == Limit::Endless) {
        if !program.runs_on_server(retry.place.file) {
            continue;
        }
        let repeated = program.repeated(retry);
        let Some(first) = repeated.first() else { continue };
        if program.is_run_by_hand(&program.origins(retry.function)) {
            continue;
        }
        let what = program.sent_name(first.call);
        let whom = program.sent_to(first.call);
        let name = program.function_name(retry.function);
        let message = match puts_itself_back(program, retry) {
            _ if retry.trigger == Trigger::OldCredential => format!(
                "{what} is tried again with the token that {whom} has just refused: {name} puts the new one away and hands \
                 itself what still holds the old one, so that each round is refused and fetches another one, without an end"
            ),
            _ if asks_itself(program, retry) => format!(
                "{what} is tried again for as long as it fails, and nothing ends that: while {whom} is down, each run of \
                 this handler starts another one with the same request, for ever"
            ),
            true => format!(
                "{what} is tried again for as long as it fails, and nothing ends that: while {whom} is down, {name} puts \
                 each job back into its queue, and they go round for ever"
            ),
            false if retry.only_refused => format!(
                "{what} is tried again for as long as {whom} refuses it for coming too often, and nothing ends that: {name} \
                 may never come back"
            ),
            false => format!(
                "{what} is tried again for as long as it fails, and nothing ends that: while {whom} is down, {name} never \
                 comes back"
            ),
        };
        let mut draft = report.at(retry.place, what.clone(), message).help(cure(program, retry));
        for used in program.uses_of(first) {
            draft = draft.vendor(program.vendor_id(used.vendor));
        }
        if program.call_place(first.call) != retry.place {
            draft.because(program.call_place(first.call), "tried again and again");
        }
    }
}

/// Whether a task or job adds itself to its queue again.
fn puts_itself_back(program: &Program, retry: &Retry) -> bool {
    let How::Recursion(call) = retry.how else { return false };
    program.has_role(call, KnownRole::Defer) || program.edges(call).iter().any(|edge| edge.kind == EdgeKind::Deferred)
}

/// Whether a handler sends itself a request again.
fn asks_itself(program: &Program, retry: &Retry) -> bool {
    let How::Recursion(call) = retry.how else { return false };
    !program.entries_for_jump(call).is_empty()
}

fn cure(program: &Program, retry: &Retry) -> &'static str {
    let script = program.facts(retry.place.file).language.is_script();
    match retry.how {
        _ if retry.trigger == Trigger::OldCredential && script => {
            "Put the new token into what is handed on, `{ ...user, token: fresh }`, and do so once only: throw at the \
             second refusal."
        }
        _ if retry.trigger == Trigger::OldCredential => {
            "Put the new token into what is handed on, `user.token = fresh`, and do so once only: raise at the second \
             refusal."
        }
        _ if puts_itself_back(program, retry) && script => {
            "Let the queue try again: throw, and add the job with `{ attempts: 5, backoff: { type: \"exponential\", delay: \
             5000 } }`."
        }
        _ if puts_itself_back(program, retry) => {
            "Let the queue try again, with a maximum: `raise self.retry(countdown=60)` in a task with `bind=True, \
             max_retries=5`."
        }
        _ if asks_itself(program, retry) => {
            "Hand on a counter with the request, `attempt: attempt + 1`, and give up at four, with the failure in sight. \
             Better, write down what is still to be done, with the number of attempts, and let a schedule work it off."
        }
        How::Loop(_) if !script => "Count the attempts: `for attempt in range(4):`, and raise after the last.",
        How::Loop(_) => {
            "Count the attempts: `for (let attempt = 1; attempt <= 4; attempt++)`, and throw after the last."
        }
        How::Recursion(_) | How::Handler(_) if !script => {
            "Hand on a counter, `attempt + 1`, and raise when it reaches four."
        }
        How::Recursion(_) | How::Handler(_) => "Hand on a counter, `attempt + 1`, and throw when it reaches four.",
        How::Helper(_) => "Give the helper a number of attempts.",
        How::Decorator(_) => "Say when to stop: `stop=stop_after_attempt(4)`, or the option of your library.",
        How::Engine(_) => "Give the task a maximum: `max_retries=5`.",
    }
}
