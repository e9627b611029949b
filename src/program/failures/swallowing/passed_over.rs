//! Answers in a loop of which only the good ones are kept: the others are passed over without a word.

use super::{Instead, Swallowed, blocks_within};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, Program};

impl Program {
    /// `for (..) { const res = await fetch(..); if (res.ok) found.push(await res.json()); }`
    pub(super) fn passed_over(&self) -> Vec<Swallowed> {
        let failures = self.vendor_failures().into_iter();
        failures
            .filter_map(|failing| {
                let then = self.kept_when_good(failing.at)?;
                Some(Swallowed {
                    place: Place { file: failing.at.file, span: self.facts(failing.at.file).block(then).span },
                    function: self.function_of(failing.at),
                    instead: Instead::PassedOver,
                    failing: vec![(failing.at, failing)],
                    decides: None,
                })
            })
            .collect()
    }

    /// The branch for a good answer, the last thing in a round of a loop, that adds to what the loop gathers; none where
    /// anything is done about the others.
    fn kept_when_good(&self, call: CallRef) -> Option<BlockId> {
        if !self.requests_at(call).iter().any(|http| http.inner == call) {
            return None;
        }
        let facts = self.facts(call.file);
        let round = facts.call(call.call).block;
        let BlockKind::Loop(_) = facts.block(round).kind else { return None };
        let Some(&Step::If { condition, then, otherwise: None }) = facts.block(round).steps.last() else {
            return None;
        };
        let tested = self.tests_of_status(call);
        let is_good = match facts.expr(condition) {
            ExprKind::Op(Op::Equal, parts) => parts.iter().any(|part| tested.contains(part)),
            _ => tested.contains(&condition),
        };
        let kept = blocks_within(facts, then);
        // One that ends the loop is looked for until it is there: a second try.
        let leaves = ending(facts, then) != Ending::GoesOn
            || kept
                .iter()
                .flat_map(|&id| &facts.block(id).steps)
                .any(|step| matches!(step, Step::Break | Step::Return(_)));
        let others: Vec<BlockId> = blocks_within(facts, round).into_iter().filter(|id| !kept.contains(id)).collect();
        (is_good && !leaves && gathers(facts, &kept) && !self.logs_in(call.file, &others)).then_some(then)
    }
}

/// Whether something is added to a list in some blocks.
fn gathers(facts: &Facts, blocks: &[BlockId]) -> bool {
    let adds = |callee: ExprId| matches!(facts.expr(callee), ExprKind::Member(_, name) if matches!(name.as_str(), "push" | "append" | "extend" | "add"));
    facts.calls.iter().any(|call| blocks.contains(&call.block) && adds(call.callee))
}
