//! Functions that call themselves when they failed.

use super::waits::Codes;
use super::{How, Limit, Retry, Trigger, waits};
use crate::facts::{BlockId, BlockKind, CallId, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::program::{CallRef, FunctionRef, Program};

/// The functions that call themselves when they failed.
pub(super) fn all(program: &Program) -> Vec<Retry> {
    let (called, calls) = &program.graph.callers;
    let pairs = called.iter().zip(calls).filter(|(own, call)| own.file == call.file);
    let mut found = Vec::new();
    for (&own, &call) in pairs {
        let side = program.side(own.file);
        let facts = program.facts(own.file);
        let deployed = !side.tooling && !side.dead && own.function != FunctionId::MODULE;
        if deployed && is_within(facts, program.function_of(call), own) {
            found.extend(retry(program, facts, own, call, is_the_same(facts, call, own)));
        }
    }
    found
}

/// Whether `function` is `own` or is written inside it.
pub(super) fn is_within(facts: &Facts, function: FunctionRef, own: FunctionRef) -> bool {
    std::iter::successors(Some(function.function), |&id| facts.function(id).parent).any(|id| id == own.function)
}

/// The retry that a function makes of itself by a call, where that call stands on the way of a failure; `same` says that
/// nothing is counted in what it hands on.
pub(super) fn retry(program: &Program, facts: &Facts, own: FunctionRef, call: CallRef, same: bool) -> Option<Retry> {
    let body = facts.function(own.function).body;
    let around = || facts.enclosing(facts.call(call.call).block).take_while(|(id, _)| *id != body);
    let handler = around().find(|(_, block)| matches!(block.kind, BlockKind::Catch(_)));
    let answer = around().find(|(_, block)| match block.kind {
        BlockKind::Then(condition) => is_failure(facts, condition),
        _ => false,
    });
    let (region, tried, trigger) = match (handler, answer) {
        (Some((id, block)), _) => {
            let body = tried_by(facts, id)?;
            let thrown = |at: &CallRef| program.guards(*at).first().is_none_or(|guard| guard.body == Some(body));
            (block, calls_in(program, facts, own, body).filter(thrown).collect::<Vec<_>>(), Trigger::Thrown)
        }
        (None, Some((_, block))) => {
            let before = facts.span(facts.call(call.call).expr).start;
            let calls = program.calls_in(own).filter(|at| facts.span(facts.call(at.call).expr).start < before);
            let mut calls: Vec<CallRef> = calls.filter(|at| *at != call).collect();
            // Of several requests the one whose answer the branch asks.
            if let BlockKind::Then(condition) = block.kind
                && let Some(asked) =
                    answered_by(facts, condition).filter(|asked| calls.iter().any(|at| at.call == *asked))
            {
                calls.retain(|at| at.call == asked);
            }
            (block, calls, Trigger::Answer)
        }
        (None, None) => return None,
    };
    let conditions = around().filter_map(|(_, block)| match block.kind {
        BlockKind::Then(condition) | BlockKind::Else(condition) => Some(condition),
        _ => None,
    });
    let conditions: Vec<ExprId> = conditions.collect();
    let codes = waits::codes(facts, conditions.iter().copied());
    if codes == Codes::Request {
        return None;
    }
    let limit = if same { limit(facts, &conditions) } else { Limit::Bounded };
    Some(Retry {
        how: How::Recursion(call),
        place: program.call_place(call),
        function: own,
        region: facts.function(own.function).span,
        trigger,
        limit,
        wait: waits::between(program, own.file, region.span, &tried, Some((own, call))),
        only_refused: codes == Codes::Rate,
        tried,
    })
}

/// The body whose failure a handler takes.
pub(super) fn tried_by(facts: &Facts, handler: BlockId) -> Option<BlockId> {
    facts.blocks.iter().flat_map(|block| &block.steps).find_map(|step| match step {
        Step::Try { body, handlers, .. } if handlers.contains(&handler) => Some(*body),
        _ => None,
    })
}

pub(super) fn calls_in<'p>(
    program: &'p Program,
    facts: &'p Facts,
    own: FunctionRef,
    body: BlockId,
) -> impl Iterator<Item = CallRef> + 'p {
    let region = facts.block(body).span;
    program.calls_in(own).filter(move |at| region.contains(facts.span(facts.call(at.call).expr)))
}

/// Whether a condition says that a request failed: `res.status === 429`, `!res.ok`.
fn is_failure(facts: &Facts, condition: ExprId) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => matches!(facts.expr(parts[0]), ExprKind::Member(_, name) if *name == "ok"),
        ExprKind::Op(Op::Equal | Op::Compare, parts) => compares_status(facts, parts, 408.0),
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| is_failure(facts, part)),
        _ => false,
    }
}

/// Whether a status is compared with a code from `least` on.
fn compares_status(facts: &Facts, parts: &[ExprId], least: f64) -> bool {
    let is_code = |part: &ExprId| matches!(facts.expr(*part), ExprKind::Number(code) if (least..600.0).contains(code));
    let names_status = |part: &ExprId| match facts.expr(*part) {
        ExprKind::Member(_, name) | ExprKind::Ref(name, _) => {
            let name = name.to_ascii_lowercase();
            name.contains("status") || name == "code"
        }
        _ => false,
    };
    parts.iter().any(is_code) && parts.iter().any(names_status)
}

/// The call whose answer a condition looks at: `res` of `res.status_code == 429`.
fn answered_by(facts: &Facts, condition: ExprId) -> Option<CallId> {
    match facts.expr(condition) {
        ExprKind::Op(_, parts) => parts.iter().find_map(|&part| answered_by(facts, part)),
        ExprKind::Member(base, _) => answered_by(facts, *base),
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [value] => match *facts.expr(value) {
                ExprKind::Await(made) => match *facts.expr(made) {
                    ExprKind::Call(call) => Some(call),
                    _ => None,
                },
                ExprKind::Call(call) => Some(call),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Whether a function hands itself what it was given: no counter is among it.
fn is_the_same(facts: &Facts, call: CallRef, own: FunctionRef) -> bool {
    let params = &facts.function(own.function).params;
    let same = facts.call(call.call).args.iter().enumerate().all(|(at, arg)| match facts.expr(arg.value) {
        ExprKind::Ref(name, _) => params.get(at).is_none_or(|param| param.name == Some(*name) || arg.name.is_some()),
        ExprKind::Function(_) => true,
        _ => false,
    });
    // `catch { setTimeout(load, 1000) }` in a function that takes nothing: the same again.
    same && facts.call(call.call).args.len() <= params.len()
}

/// A counter may be asked for on the way to the call.
fn limit(facts: &Facts, conditions: &[ExprId]) -> Limit {
    let asked = conditions.iter().any(|&condition| !only_status(facts, condition));
    if asked { Limit::Unknown } else { Limit::Endless }
}

/// Whether a condition asks for nothing but the failure itself.
fn only_status(facts: &Facts, condition: ExprId) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().all(|&part| only_status(facts, part)),
        ExprKind::Op(Op::Equal | Op::Unequal | Op::Compare, parts) => compares_status(facts, parts, 100.0),
        ExprKind::Op(Op::Not, parts) => only_status(facts, parts[0]),
        ExprKind::Member(_, name) => *name == "ok",
        _ => false,
    }
}
