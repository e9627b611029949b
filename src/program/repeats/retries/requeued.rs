//! Tasks and jobs that put themselves back into their queue when they failed: the queue sees a job that is done and a new
//! one, and counts nothing. And functions and routes that send themselves the same request again.

use super::{Limit, Retry, Wait, recursion};
use crate::catalogue::KnownRole;
use crate::facts::{Arg, ExprId, ExprKind, Facts};
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, FunctionRef, Program};

/// What says when and where a task runs, and nothing of what it is given.
const SCHEDULES: &[&str] = &["countdown", "eta", "expires", "queue", "priority", "delay", "routing_key"];

/// Words of what counts the attempts, in the job or in a row.
const COUNTERS: &[&str] = &["attempt", "tries", "retries", "count", "left"];

/// Words of what a request hands on that changes from one to the next, and may end them.
const CHANGING: &[&str] = &[
    "retry",
    "attempt",
    "attempts",
    "depth",
    "hop",
    "hops",
    "round",
    "iteration",
    "max",
    "offset",
    "page",
    "cursor",
    "batch",
    "remaining",
];

/// The tasks and jobs that put themselves back when they failed, given the same, and the functions that ask for
/// themselves again.
pub(super) fn all(program: &Program) -> Vec<Retry> {
    let mut found = asked_again(program);
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

/// The functions and routes that, when they failed, send themselves a request with nothing in it that counts.
fn asked_again(program: &Program) -> Vec<Retry> {
    let mut found = Vec::new();
    let asked = |entry: &&Entry| matches!(entry.kind, EntryKind::EdgeFunction | EntryKind::Route);
    for (at, entry) in program.entries.iter().enumerate().filter(|(_, entry)| asked(entry)) {
        let own = entry.function;
        let side = program.side(own.file);
        let facts = program.facts(own.file);
        if side.tooling || side.dead || counts(facts, own) || changes(facts, own) {
            continue;
        }
        let calls = program.with_inner(own).into_iter().flat_map(|inner| program.calls_in(inner));
        let again = |call: &CallRef| program.entries_for_jump(*call).contains(&at) && asks_the_same(facts, *call);
        for call in calls.filter(again) {
            found.extend(recursion::retry(program, facts, own, call, true).map(|retry| Retry {
                wait: Wait::Unknown,
                limit: if retry.limit == Limit::Endless { Limit::Endless } else { Limit::Unknown },
                ..retry
            }));
        }
    }
    found
}

/// Whether a request has nothing of its own in it, by which the run that it starts could tell itself from this one:
/// `invoke("sync", { body: { shop } })`, not `{ body: { shop, fallback: true } }`.
fn asks_the_same(facts: &Facts, call: CallRef) -> bool {
    const BODIES: &[&str] = &["body", "json", "data", "params", "searchParams"];
    facts.call(call.call).args.iter().enumerate().all(|(at, arg)| match (arg.name, facts.expr(arg.value)) {
        (Some(name), _) => !BODIES.contains(&name.as_str()) || hands_on_only(facts, arg.value, 6),
        (None, ExprKind::Object(entries)) => {
            entries.iter().all(|(key, value)| !BODIES.contains(&key.as_str()) || hands_on_only(facts, *value, 6))
        }
        (None, ExprKind::Text(text)) => !text.contains('?'),
        (None, ExprKind::Template(parts)) => {
            parts.iter().all(|&part| !matches!(facts.expr(part), ExprKind::Text(text) if text.contains('?')))
        }
        // The options may stand elsewhere.
        _ => at == 0,
    })
}

/// Whether an expression is made of what there was before alone.
fn hands_on_only(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(..) | ExprKind::Member(..) => true,
        ExprKind::Await(inner) => hands_on_only(facts, *inner, depth),
        ExprKind::Object(entries) => entries.iter().all(|&(_, value)| hands_on_only(facts, value, depth)),
        // `JSON.stringify(order)`, `json.dumps(order)`
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let writes = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "stringify" || *name == "dumps");
            writes && call.args.first().is_some_and(|arg| hands_on_only(facts, arg.value, depth))
        }
        _ => false,
    }
}

/// Whether a function speaks of a counter anywhere: it may stop by itself.
fn counts(facts: &Facts, own: FunctionRef) -> bool {
    let is = |name: Name| {
        let name = name.to_ascii_lowercase();
        COUNTERS.iter().any(|word| name.contains(word)) && name != "countdown"
    };
    named(facts, own).any(is)
}

/// Whether a function names something that differs from one request to the next, or puts it into one.
fn changes(facts: &Facts, own: FunctionRef) -> bool {
    let is = |name: Name| words(&name).iter().any(|word| CHANGING.contains(&word.as_str()));
    let span = facts.function(own.function).span;
    let mut keys = facts.exprs.iter().filter(|expr| span.contains(expr.span)).filter_map(|expr| match &expr.kind {
        ExprKind::Object(entries) => Some(entries),
        _ => None,
    });
    named(facts, own).any(is) || keys.any(|entries| entries.iter().any(|(key, _)| is(*key)))
}

/// The names that a function speaks of.
fn named(facts: &Facts, own: FunctionRef) -> impl Iterator<Item = Name> + '_ {
    let span = facts.function(own.function).span;
    facts.exprs.iter().filter(move |expr| span.contains(expr.span)).filter_map(|expr| match expr.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(name),
        _ => None,
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
