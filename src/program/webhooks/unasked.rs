//! Work that is left out because somebody else could not be asked: a helper tells of it by giving nothing, and the
//! delivery is answered with success all the same.

use crate::catalogue::Effect;
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::program::{CallRef, EdgeKind, Entry, FunctionRef, Program};

/// Work that is left out when a helper gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unasked {
    /// The test that ends the function.
    pub test: Place,
    /// The call of the helper.
    pub helper: CallRef,
    /// What has failed in it.
    pub failed: CallRef,
}

impl Program {
    /// The test before some work that ends the function well when a helper has given nothing, which it does where its
    /// request to somebody else fails: `const token = await renew(); if (!token) return new Response("ok")`. None where
    /// the helper also gives nothing when all went well: then there may be nothing to do.
    pub fn left_out_unasked(&self, entry: &Entry, work: CallRef) -> Option<Unasked> {
        let mut asked = None;
        let test = self.left_out_before(work, |condition, function, then| {
            asked = self.helper_asked(work, condition);
            asked.is_some() && self.goes_home(entry, function, then) && !self.keeps_failure(function, then)
        })?;
        let (helper, failed) = asked?;
        Some(Unasked { test, helper, failed })
    }

    /// The helper that a condition asks to have given something, and its request that may fail.
    fn helper_asked(&self, near: CallRef, condition: ExprId) -> Option<(CallRef, CallRef)> {
        let facts = self.facts(near.file);
        let missed = match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => parts[0],
            ExprKind::Op(Op::Equal, parts) if parts.len() == 2 && is_nothing(facts, parts[1]) => parts[0],
            _ => return None,
        };
        let ExprKind::Ref(name, block) = *facts.expr(missed) else { return None };
        // `let token = null; if (old) token = await renew(..)`
        facts.def(facts.lookup(block, name)?).values.iter().find_map(|&value| {
            let value = match *facts.expr(value) {
                ExprKind::Await(inner) => inner,
                _ => value,
            };
            let ExprKind::Call(call) = *facts.expr(value) else { return None };
            let helper = CallRef::new(near.file, call);
            let edge = self.edges(helper).iter().find(|edge| edge.kind == EdgeKind::Direct)?;
            Some((helper, self.told_by_nothing(edge.target)?))
        })
    }

    /// The request of a function whose failure it tells of by giving nothing, where it gives nothing in no other case
    /// but that what it needs is not there.
    fn told_by_nothing(&self, function: FunctionRef) -> Option<CallRef> {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        // What it does not know is told from what fails there.
        let mut inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
        if inside.any(|expr| matches!(expr.kind, ExprKind::Number(404.0 | 204.0 | 410.0))) {
            return None;
        }
        let own = facts.blocks.iter().enumerate().filter(|(_, block)| block.function == function.function);
        let returns: Vec<(BlockId, Option<ExprId>)> = own
            .flat_map(|(id, block)| {
                block.steps.iter().filter_map(move |step| match step {
                    Step::Return(value) => Some((BlockId(id as u32), *value)),
                    _ => None,
                })
            })
            .collect();
        let gives_nothing = |value: Option<ExprId>| value.is_none_or(|value| is_nothing(facts, value));
        let unsure = |value: ExprId| match facts.expr(value) {
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().any(|&part| is_nothing(facts, part)),
            _ => false,
        };
        if returns.iter().any(|&(_, value)| value.is_some_and(unsure)) {
            return None;
        }
        let nothing: Vec<BlockId> =
            returns.iter().filter(|&&(_, value)| gives_nothing(value)).map(|&(block, _)| block).collect();
        let asks = |at: &CallRef| {
            !self.requests_at(*at).is_empty()
                || self.vendors_at(*at).iter().any(|used| {
                    let effect = self.operation(used).map(|operation| operation.effect);
                    !self.catalogue.vendor(used.vendor).own_backend
                        && effect.is_some_and(|effect| !matches!(effect, Effect::Verify | Effect::Sign))
                })
        };
        self.calls_in(function).filter(asks).find(|&at| {
            let start = facts.span(facts.call(at.call).expr).start;
            let before = |block: &BlockId| facts.block(*block).span.end <= start;
            nothing.iter().any(|&block| self.is_told_in(at, block))
                && nothing.iter().all(|block| before(block) || self.is_told_in(at, *block))
        })
    }
}

fn is_nothing(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Null | ExprKind::Bool(false))
}
