//! Functions that run whenever a server starts: `setupAuth(app)` in `main()`, which the module calls as it is loaded.

use super::is_guarded;
use crate::catalogue::KnownRole;
use crate::facts::{BlockKind, FunctionId, Step};
use crate::program::terms::{Ending, Guard, Handler, ending};
use crate::program::{CallRef, EdgeKind, Program};

/// Through how many functions the start is followed.
const DEEPEST: usize = 4;

/// Whether a call in a function runs whenever its module is loaded, and what it throws ends the start.
pub(super) fn is_run_at_start(program: &Program, at: CallRef) -> bool {
    runs(program, at, DEEPEST)
}

fn runs(program: &Program, at: CallRef, depth: usize) -> bool {
    let facts = program.facts(at.file);
    let call = facts.call(at.call);
    // `start().catch((error) => process.exit(1))`
    let goes_on = |guard: &Guard| match guard.handler {
        Handler::Function(function) => {
            !program.calls_in(function).any(|inner| program.has_role(inner, KnownRole::Leave))
        }
        _ => true,
    };
    if is_guarded(facts, call.block) || program.guards(at).iter().any(goes_on) || may_have_left(program, at) {
        return false;
    }
    if facts.function_of(call.block) == FunctionId::MODULE {
        let side = program.side(at.file);
        return !side.tooling && !side.dead;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    let function = program.function_of(at);
    let later = facts.function(function.function).is_async;
    let mut callers = program.incoming(function).iter().filter(|edge| edge.kind == EdgeKind::Direct);
    callers.any(|edge| {
        let caller = program.facts(edge.call.file);
        let shape = caller.call(edge.call.call);
        // A promise that the module leaves alone ends the process when it fails.
        let waits = !later || shape.awaited || caller.function_of(shape.block) == FunctionId::MODULE;
        waits && runs(program, edge.call, depth)
    })
}

/// Whether the function around a call may be left before it: `if (!key) return`.
fn may_have_left(program: &Program, at: CallRef) -> bool {
    let facts = program.facts(at.file);
    let start = facts.span(facts.call(at.call).expr).start;
    let own = facts.function_of(facts.call(at.call).block);
    facts.blocks.iter().filter(|block| block.function == own).flat_map(|block| &block.steps).any(|step| match *step {
        Step::If { then, otherwise, .. } => {
            let leaves = |block| facts.block(block).span.start < start && ending(facts, block) != Ending::GoesOn;
            leaves(then) || otherwise.is_some_and(leaves)
        }
        _ => false,
    }) || facts.enclosing(facts.call(at.call).block).any(|(_, block)| matches!(block.kind, BlockKind::Loop(_)))
}
