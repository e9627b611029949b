//! What is asked of the vendor only when the delivery itself does not bring it: that proves nothing of who sent it.

use super::ways::{Flow, Way};
use super::{Standing, Walk};
use crate::facts::{BlockId, DefId, ExprId, Facts, Step};
use crate::program::{ExprRef, FunctionRef};

/// How far a value is followed back to the request.
const FARTHEST: usize = 12;

impl Walk<'_> {
    /// How often the vendor was asked so far, and how many checks were met.
    pub(super) fn learnt(&self) -> (usize, usize) {
        (self.account.asks, self.account.checks.len())
    }

    /// Whether since then the vendor was asked, and nothing was checked.
    pub(super) fn has_only_asked(&self, (asks, checks): (usize, usize)) -> bool {
        self.account.asks > asks && self.account.checks.len() == checks
    }

    /// Whether a value comes with the delivery.
    pub(super) fn is_brought(&self, function: FunctionRef, value: ExprId) -> bool {
        self.is_given(ExprRef::new(function.file, value), FARTHEST)
    }

    /// Takes back what an arm has asked, where the other arm does without.
    pub(super) fn forget_optional(&self, function: FunctionRef, block: Option<BlockId>, taken: &mut Flow, left: &Flow) {
        let asked = taken.after.is_some_and(|way| matches!(way.standing, Standing::Asked(_)));
        let without = left.after.is_some_and(|way| way.standing == Standing::Unverified);
        if asked && without && block.is_some_and(|block| self.is_optional(function, block)) {
            taken.after = Some(Way::plain(Standing::Unverified));
        }
    }

    /// Whether what a block asks for has a stand-in that the delivery brings: each variable that it sets and that is
    /// read behind it has another value, which came with the request.
    pub(super) fn is_optional(&self, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function);
        let end = facts.block(block).span.end;
        let mut set: Vec<DefId> = set_in(facts, block).map(|(def, _)| def).collect();
        set.dedup();
        set.retain(|&def| self.is_read(function.file, def, end));
        let inside: Vec<ExprId> = set_in(facts, block).map(|(_, value)| value).collect();
        !set.is_empty()
            && set.iter().all(|&def| {
                let mut elsewhere = facts.def(def).values.iter().filter(|value| !inside.contains(value));
                elsewhere.any(|&value| self.is_brought(function, value))
            })
    }
}

/// The variables that a block, or one inside it, sets, with what they are set to.
fn set_in(facts: &Facts, outer: BlockId) -> impl Iterator<Item = (DefId, ExprId)> + '_ {
    let is_inside = move |block: BlockId| block == outer || facts.enclosing(block).any(|(at, _)| at == outer);
    let blocks = facts.blocks.iter().enumerate().map(|(at, block)| (BlockId(at as u32), block));
    let inside = blocks.filter(move |&(at, _)| is_inside(at));
    inside.flat_map(|(_, block)| &block.steps).filter_map(|step| match step {
        Step::Bind(def, value) => Some((*def, *value)),
        _ => None,
    })
}
