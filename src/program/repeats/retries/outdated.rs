//! Functions that call themselves when a credential has run out, with what still holds the old one: the new one is
//! fetched and put away, and never read.

use super::recursion::{calls_in, is_within, tried_by};
use super::waits::{self, Codes};
use super::{How, Limit, Retry, Trigger, Wait};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, FunctionRef, Program};

/// The status of a credential that is not valid, or no longer.
const UNAUTHORIZED: f64 = 401.0;

/// The functions that do.
pub(super) fn all(program: &Program) -> Vec<Retry> {
    let (called, calls) = &program.graph.callers;
    let pairs = called.iter().zip(calls).filter(|(own, call)| own.file == call.file);
    let mut found = Vec::new();
    for (&own, &call) in pairs {
        let side = program.side(own.file);
        let deployed = !side.tooling && !side.dead && own.function != FunctionId::MODULE;
        if deployed && is_within(program.facts(own.file), program.function_of(call), own) {
            found.extend(retry(program, own, call));
        }
    }
    found
}

fn retry(program: &Program, own: FunctionRef, call: CallRef) -> Option<Retry> {
    let facts = program.facts(own.file);
    let body = facts.function(own.function).body;
    let around: Vec<_> = facts.enclosing(facts.call(call.call).block).take_while(|(id, _)| *id != body).collect();
    let (handler, block) = *around.iter().find(|(_, block)| matches!(block.kind, BlockKind::Catch(_)))?;
    let tried = tried_by(facts, handler)?;
    let inside = around.iter().take_while(|(id, _)| *id != handler);
    let conditions = inside.clone().filter_map(|(_, block)| match block.kind {
        BlockKind::Then(condition) => Some(Some(condition)),
        BlockKind::Else(_) | BlockKind::Case(..) => Some(None),
        _ => None,
    });
    let conditions: Vec<ExprId> = conditions.collect::<Option<_>>()?;
    let on_401 = conditions.iter().any(|&condition| says_unauthorized(facts, condition, 4))
        && waits::codes(facts, conditions.iter().copied()) == Codes::Request;
    if !on_401 || !conditions.iter().all(|&condition| asks_no_count(facts, condition, 4)) {
        return None;
    }
    // `if (attempts.get(user.id) > 3) throw error` before it.
    let start = facts.span(facts.call(call.call).expr).start;
    let leaves = |step: &Step| match *step {
        Step::If { then, .. } => facts.block(then).span.end <= start && ending(facts, then) != Ending::GoesOn,
        _ => false,
    };
    if inside.chain([&(handler, block)]).flat_map(|(_, block)| &block.steps).any(leaves) {
        return None;
    }
    let holder = handed_on(facts, own, call)?;
    let used = credential_of(facts, holder, facts.block(tried).span)?;
    if is_renewed(program, facts, own, call, holder, used, block.span) {
        return None;
    }
    Some(Retry {
        how: How::Recursion(call),
        place: program.call_place(call),
        function: own,
        region: facts.function(own.function).span,
        tried: calls_in(program, facts, own, tried).collect(),
        trigger: Trigger::OldCredential,
        limit: Limit::Endless,
        wait: Wait::Unknown,
        only_refused: true,
    })
}

/// Whether a condition compares a status with 401.
fn says_unauthorized(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Equal, parts) => {
            parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(code) if *code == UNAUTHORIZED))
        }
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| says_unauthorized(facts, part, depth)),
        _ => false,
    }
}

/// Whether a condition asks for the status and for what is there, and so holds each time again.
fn asks_no_count(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let says_token = |name: Name| {
        let words = words(&name);
        words.iter().any(|word| CREDENTIALS.contains(&word.as_str()))
            && !words.iter().any(|word| FLAGS.contains(&word.as_str()))
    };
    match facts.expr(condition) {
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().all(|&part| asks_no_count(facts, part, depth)),
        ExprKind::Op(Op::Equal, _) => says_unauthorized(facts, condition, 1),
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => says_token(*name),
        _ => false,
    }
}

/// Words of what opens a vendor's door for a customer.
const CREDENTIALS: &[&str] = &["token", "tokens", "refresh", "credential", "credentials"];

/// Words of what says whether it may be tried at all, or was tried.
const FLAGS: &[&str] =
    &["can", "should", "is", "has", "had", "may", "did", "was", "allow", "retry", "retried", "once", "try"];

/// The only thing that a function is handed and hands itself again, unchanged.
fn handed_on(facts: &Facts, own: FunctionRef, call: CallRef) -> Option<Name> {
    let params = &facts.function(own.function).params;
    let [only] = &facts.call(call.call).args[..] else { return None };
    let first = params.first()?.name?;
    matches!(facts.expr(only.value), ExprKind::Ref(name, _) if *name == first).then_some(first)
}

/// The credential that is read off something in a stretch of code: `user.gmailToken`.
fn credential_of(facts: &Facts, holder: Name, within: Span) -> Option<Name> {
    facts.members().find_map(|(at, (base, name))| {
        let words = words(&name);
        let opens = words.last().is_some_and(|last| last == "token") && !words.iter().any(|word| word == "refresh");
        let held = matches!(facts.expr(base), ExprKind::Ref(of, _) if *of == holder);
        (opens && held && within.contains(facts.span(at))).then_some(name)
    })
}

/// Whether the new credential may find its way into what is handed on: something puts it there, or is handed the
/// holder where the failure is handled.
fn is_renewed(
    program: &Program,
    facts: &Facts,
    own: FunctionRef,
    call: CallRef,
    holder: Name,
    credential: Name,
    handler: Span,
) -> bool {
    let puts = |facts: &Facts| {
        facts.blocks.iter().flat_map(|block| &block.steps).any(|step| {
            matches!(step, Step::Assign(target, _)
                if matches!(facts.expr(*target), ExprKind::Member(_, name) if *name == credential))
        })
    };
    let is_holder = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Ref(name, _) => *name == holder,
        ExprKind::Spread(inner) => matches!(facts.expr(*inner), ExprKind::Ref(name, _) if *name == holder),
        _ => false,
    };
    let handed = program.calls_in(own).filter(|other| *other != call).any(|other| {
        let shape = facts.call(other.call);
        handler.contains(facts.span(shape.expr)) && shape.args.iter().any(|arg| is_holder(arg.value))
    });
    // `user = await load(user.id)`
    let bound = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
        Step::Bind(def, value) => facts.def(*def).name == holder && handler.contains(facts.span(*value)),
        _ => false,
    });
    handed || bound || program.code().any(|(_, facts)| puts(facts))
}
