//! Engines that run a function again when it fails: durable functions, tasks and jobs of a queue.

use super::{How, Limit, Retry, Trigger, Wait};
use crate::catalogue::{KnownRole, Retries};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::link::eval::Eval;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, Entry, EntryKind, ExprRef, FunctionRef, Program, Value};

/// The functions that an engine runs again.
pub(super) fn all(program: &Program) -> Vec<Retry> {
    let deployed = |entry: &&Entry| {
        let side = program.side(entry.function.file);
        !side.tooling && !side.dead
    };
    let found = program.entries.iter().filter(deployed).filter_map(|entry| match (entry.framework, entry.kind) {
        ("durable", _) if !is_switched_off(program, entry) => Some((entry.function, Limit::Bounded, Wait::Unknown)),
        ("task", EntryKind::Worker) => {
            let facts = program.facts(entry.function.file);
            task(program, facts, entry.function).map(|(limit, wait)| (entry.function, limit, wait))
        }
        ("job", EntryKind::Worker) => {
            queued_again(program, entry).then_some((entry.function, Limit::Bounded, Wait::Unknown))
        }
        _ => None,
    });
    found
        .map(|(function, limit, wait)| Retry {
            how: How::Engine(function),
            place: program.function_head(function),
            function,
            region: program.facts(function.file).function(function.function).span,
            tried: program.calls_in(function).collect(),
            trigger: Trigger::Thrown,
            limit,
            wait,
            only_refused: false,
        })
        .collect()
}

/// Whether a queue that a worker may serve gives it a job again that failed: `add("mail", data, { attempts: 3 })`.
fn queued_again(program: &Program, worker: &Entry) -> bool {
    program.code().filter(|(file, _)| program.share_app(*file, worker.place.file)).any(|(file, _)| {
        program.calls_of(file).any(|call| {
            program.has_role(call, KnownRole::Defer)
                && program.callee(call).externals().any(|external| {
                    let known = program.catalogue.known(external.package, &external.segs);
                    let Some(retries) = known.and_then(|known| known.retries.as_ref()) else { return false };
                    // A queue's name is what it is made with, or the first thing a job is given with.
                    let made = external.sites.first().copied().filter(|&made| made != call);
                    let name = Eval::new(program).argument(made.unwrap_or(call), 0).text();
                    let may_serve =
                        worker.name.as_deref().is_none_or(|served| name.is_none_or(|name| *name == *served));
                    may_serve && goes_again(program, retries, [Some(call), made].into_iter().flatten())
                })
        })
    })
}

/// Whether one of the calls says that a job is tried more than once.
fn goes_again(program: &Program, retries: &Retries, calls: impl Iterator<Item = CallRef>) -> bool {
    let asked = calls.flat_map(|call| retries.limit.iter().map(move |name| program.option(call, name)));
    let given = asked.filter_map(|found| if let Lookup::Present(value) = found { Some(value) } else { None }).next();
    matches!(given, Some(Value::Number(attempts)) if attempts > 1.0)
}

/// `retries: 0`.
fn is_switched_off(program: &Program, entry: &Entry) -> bool {
    let facts = program.facts(entry.place.file);
    let made =
        program.calls_of(entry.place.file).find(|call| facts.span(facts.call(call.call).expr) == entry.place.span);
    let none = |value: Lookup| matches!(value, Lookup::Present(Value::Number(number)) if number == 0.0);
    made.is_some_and(|made| none(program.option(made, "retries")) || none(program.option(made, "retry.maxAttempts")))
}

/// Whether a task says that it runs again: `autoretry_for`, or `self.retry()` in it. How often (three times by default,
/// without end when `max_retries` is None), and after how long.
fn task(program: &Program, facts: &Facts, function: FunctionRef) -> Option<(Limit, Wait)> {
    let shape = facts.function(function.function);
    let made = shape.decorators.iter().find_map(|&decorator| match facts.expr(decorator) {
        ExprKind::Call(call) => Some(CallRef::new(function.file, *call)),
        _ => None,
    });
    let given = |name: &str| {
        let args = made.map(|made| &facts.call(made.call).args);
        args.and_then(|args| args.iter().find(|arg| arg.name.is_some_and(|given| *given == *name))).map(|arg| arg.value)
    };
    let again = |call: &CallRef| {
        matches!(facts.expr(facts.call(call.call).callee), ExprKind::Member(base, name)
            if *name == "retry" && matches!(facts.expr(*base), ExprKind::Ref(owner, _) if *owner == "self" || Some(*owner) == shape.name))
    };
    let again: Vec<CallRef> = program.calls_in(function).filter(again).collect();
    let by_itself = given("autoretry_for").is_some();
    if !by_itself && again.is_empty() {
        return None;
    }
    // Without more said each attempt waits `default_retry_delay`.
    let said = |call: &CallRef| {
        let named =
            |arg: &crate::facts::Arg| arg.name.is_some_and(|name| name == "countdown" || name == "eta" || name == "**");
        facts.call(call.call).args.iter().find(|arg| named(arg)).map(|arg| arg.value)
    };
    let constant = |at: ExprId| matches!(facts.expr(at), ExprKind::Number(_));
    let grows = by_itself && given("retry_backoff").is_some()
        || made
            .is_some_and(|made| facts.call(made.call).args.iter().any(|arg| arg.name.is_some_and(|name| name == "**")))
        || again.iter().filter_map(said).any(|wait| !constant(wait));
    let wait = if grows { Wait::Unknown } else { Wait::Constant };
    let endless = given("max_retries")
        .is_some_and(|value| matches!(program.value(ExprRef::new(function.file, value)), Value::Null));
    Some((if endless { Limit::Endless } else { Limit::Bounded }, wait))
}
