//! Calls by which a webhook only learns whether it has handled a delivery before.

use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Facts, Step};
use crate::program::money::core_paths::says::tells_failure_of;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, Program};

impl Program {
    /// Whether all that hangs on what a call gives is that the handler stops early: what it asks is whether the delivery
    /// is known. When it fails and the handler goes on, nothing is lost.
    pub fn only_tells_known(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let is_error = |value: ExprId| matches!(facts.expr(value), ExprKind::Member(_, part) if *part == "error");
        let given = facts.defs.iter().enumerate().filter(|(_, def)| match def.values[..] {
            [only] => !is_error(only) && comes_from(facts, only, at),
            _ => false,
        });
        let stops = |read: ExprId| {
            facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match *step {
                // `if (!known) return` would leave because it failed.
                Step::If { condition, then, .. } => {
                    facts.span(condition).contains(facts.span(read))
                        && matches!(ending(facts, then), Ending::Returns(_))
                        && !tells_failure_of(facts, condition, true, at.call)
                }
                _ => false,
            })
        };
        // It is asked of every delivery, of whatever kind.
        let block = facts.call(at.call).block;
        let function = facts.function_of(block);
        let mut around = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        if !around.all(|(_, block)| {
            matches!(block.kind, BlockKind::Body | BlockKind::Plain | BlockKind::Try | BlockKind::With(_))
        }) {
            return false;
        }
        let readers = self.readers(at.file);
        let mut reads = given.flat_map(|(id, _)| readers.reads(DefId(id as u32)).iter()).peekable();
        reads.peek().is_some() && reads.all(|&read| stops(read))
    }
}

/// Whether a value is what a call gives, or a part of it.
fn comes_from(facts: &Facts, value: ExprId, at: CallRef) -> bool {
    let mut value = value;
    loop {
        match *facts.expr(value) {
            ExprKind::Member(base, _) | ExprKind::Await(base) => value = base,
            ExprKind::Call(call) => return call == at.call,
            _ => return false,
        }
    }
}
