//! Tasks and jobs that put themselves back into their queue when they failed: the queue sees a job that is done and a new
//! one, and counts nothing.

use super::{Limit, Retry, Wait, recursion};
use crate::catalogue::KnownRole;
use crate::facts::{Arg, ExprId, ExprKind, Facts};
use crate::link::eval::Eval;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, FunctionRef, Program};

/// What says when and where a task runs, and nothing of what it is given.
const SCHEDULES: &[&str] = &["countdown", "eta", "expires", "queue", "priority", "delay", "routing_key"];

/// Words of what counts the attempts, in the job or in a row.
const COUNTERS: &[&str] = &["attempt", "tries", "retries", "count", "left"];

/// The tasks and jobs that put themselves back when they failed, given the same.
pub(super) fn all(program: &Program) -> Vec<Retry> {
    let mut found = Vec::new();
    for entry in program.entries.iter().filter(|entry| entry.kind == EntryKind::Worker) {
        let own = entry.function;
        let side = program.side(own.file);
        let facts = program.facts(own.file);
        if side.tooling || side.dead || counts(facts, own) {
            continue;
        }
        for call in program.calls_in(own) {
            let again = match entry.framework {
                "task" => is_left_to(program, call, own) && gives_the_same(facts, call, own),
                "job" => serves(program, entry, call) && hands_on(facts, call, own),
                _ => false,
            };
            if !again {
                continue;
            }
            // How long it waits is the queue's to say.
            found.extend(recursion::retry(program, facts, own, call, true).map(|retry| Retry {
                wait: Wait::Unknown,
                limit: if retry.limit == Limit::Endless { Limit::Endless } else { Limit::Unknown },
                ..retry
            }));
        }
    }
    found
}

/// Whether a function speaks of a counter anywhere: it may stop by itself.
fn counts(facts: &Facts, own: FunctionRef) -> bool {
    let span = facts.function(own.function).span;
    facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            let name = name.to_ascii_lowercase();
            COUNTERS.iter().any(|word| name.contains(word)) && name != "countdown"
        }
        _ => false,
    })
}

/// `pull.delay(shop)`
fn is_left_to(program: &Program, call: CallRef, own: FunctionRef) -> bool {
    program.edges(call).iter().any(|edge| edge.kind == EdgeKind::Deferred && edge.target == own)
}

/// Whether a task hands on what it was given, and nothing else.
fn gives_the_same(facts: &Facts, call: CallRef, own: FunctionRef) -> bool {
    let params = &facts.function(own.function).params;
    let is_param =
        |at: ExprId| matches!(facts.expr(at), ExprKind::Ref(name, _) if params.iter().any(|p| p.name == Some(*name)));
    facts.call(call.call).args.iter().all(|arg: &Arg| {
        let schedule = arg.name.is_some_and(|name| SCHEDULES.contains(&name.as_str()));
        schedule
            || match facts.expr(arg.value) {
                ExprKind::List(items) => items.iter().all(|&item| is_param(item)),
                ExprKind::Object(entries) => entries.iter().all(|&(_, value)| is_param(value)),
                _ => is_param(arg.value),
            }
    })
}

/// Whether a call adds a job to the very queue that a worker works off: both are named, and alike.
fn serves(program: &Program, worker: &Entry, call: CallRef) -> bool {
    let Some(served) = worker.name.as_deref().filter(|_| program.has_role(call, KnownRole::Defer)) else {
        return false;
    };
    program.callee(call).externals().any(|external| {
        let made = external.sites.first().copied().filter(|&made| made != call);
        made.and_then(|made| Eval::new(program).argument(made, 0).text()).is_some_and(|name| *name == *served)
    })
}

/// `queue.add("sync", job.data)`
fn hands_on(facts: &Facts, call: CallRef, own: FunctionRef) -> bool {
    let Some(job) = facts.function(own.function).params.first().and_then(|param| param.name) else { return false };
    facts.call(call.call).args.iter().any(|arg| {
        matches!(facts.expr(arg.value), ExprKind::Member(of, name)
            if *name == "data" && matches!(facts.expr(*of), ExprKind::Ref(owner, _) if *owner == job))
    })
}
