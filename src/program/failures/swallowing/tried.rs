//! Handlers in loops that ask again: the failure of one attempt is no failure yet.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::program::terms::{Ending, ending};

/// Whether a handler leaves an attempt to the next one: `except Exception: continue`, or
/// `catch (error) { if (attempt === last) throw error; }`.
pub(super) fn is_tried_again(facts: &Facts, handler: BlockId) -> bool {
    matches!(facts.block(handler).steps[..], [Step::Jump]) || gives_up_at_last(facts, handler)
}

/// Whether a handler in a loop throws when a count says that it was the last attempt.
fn gives_up_at_last(facts: &Facts, handler: BlockId) -> bool {
    let function = facts.function_of(handler);
    let mut around = facts.enclosing(handler).take_while(|(_, block)| block.function == function);
    around.any(|(_, block)| matches!(block.kind, BlockKind::Loop(_)))
        && facts.block(handler).steps.iter().any(|step| match step {
            Step::If { condition, then, .. } => counts(facts, *condition) && ending(facts, *then) == Ending::Throws,
            _ => false,
        })
}

/// Whether a condition compares a count, rather than what was caught: `attempt >= most`, `i === retries - 1`.
fn counts(facts: &Facts, condition: ExprId) -> bool {
    let is_count = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Number(_) => true,
        ExprKind::Op(op, _) => *op == Op::Arithmetic,
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| {
            !facts.def(def).values.iter().any(|&value| matches!(facts.expr(value), ExprKind::Caught))
        }),
        _ => false,
    };
    match facts.expr(condition) {
        ExprKind::Op(Op::Equal | Op::Compare, parts) => parts.iter().all(|&part| is_count(part)),
        _ => false,
    }
}
