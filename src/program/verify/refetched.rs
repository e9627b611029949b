//! Deliveries whose check can be got around, but of which no more than an id is used: what happened is asked of the
//! vendor, and only what it answers is written. A forged one does nothing then that is not so.

use super::Walk;
use crate::facts::{ExprId, ExprKind, Step};
use crate::finding::Place;
use crate::program::values::requested::Origin;
use crate::program::{CallRef, Edge, EdgeKind, ExprRef};

/// How long a chain of calls is followed.
const LONGEST: usize = 12;

impl Walk<'_> {
    /// Notes that the vendor is asked while a check can be got around.
    pub(super) fn note_asked(&mut self, at: CallRef) {
        let mut way: Vec<CallRef> = self.active.iter().filter_map(|&(_, by)| by).collect();
        way.push(at);
        self.account.asked.push((self.program.call_place(at), way));
    }

    /// Where the vendor was asked on every way to an effect, if the effect uses nothing of the delivery itself.
    pub(super) fn told_by_vendor(&self, at: CallRef) -> Option<Place> {
        let mut way: Vec<CallRef> = self.active.iter().filter_map(|&(_, by)| by).collect();
        way.push(at);
        let asked = self.account.asked.iter().find(|(_, asked)| self.stands_before(asked, &way))?;
        self.uses_no_delivery(at).then_some(asked.0)
    }

    /// Whether one way of calls was gone on every way to the end of another.
    fn stands_before(&self, first: &[CallRef], second: &[CallRef]) -> bool {
        let parted = first.iter().zip(second).find(|(one, other)| one != other);
        // Ways part within one function.
        parted.filter(|(one, other)| one.file == other.file).is_some_and(|(one, other)| {
            let facts = self.program.facts(one.file);
            let (one_call, other_call) = (facts.call(one.call), facts.call(other.call));
            facts.span(one_call.expr).end <= facts.span(other_call.expr).start
                && facts.enclosing(other_call.block).any(|(block, _)| block == one_call.block)
        })
    }

    /// Whether what an effect writes, and where, comes from what the server knows.
    fn uses_no_delivery(&self, at: CallRef) -> bool {
        let entered = self.active.iter().filter_map(|&(target, by)| Some((target, by?)));
        let way: Vec<Edge> = entered.map(|(target, call)| Edge { call, target, kind: EdgeKind::Direct }).collect();
        self.written_by(at).into_iter().all(|value| {
            let origin = self.program.origin_on(&way, ExprRef::new(at.file, value), &[]);
            matches!(origin, Origin::Server | Origin::Constant)
        })
    }

    /// What a call and the chain it stands in are given; of one that saves an object, what was put into that.
    fn written_by(&self, at: CallRef) -> Vec<ExprId> {
        let facts = self.program.facts(at.file);
        let outer = self.program.chain(at).map(|(call, _)| call.call);
        let mut calls: Vec<_> = std::iter::once(at.call).chain(outer).collect();
        let mut inner = at.call;
        for _ in 0..LONGEST {
            let ExprKind::Member(base, _) = facts.expr(facts.call(inner).callee) else { break };
            let ExprKind::Call(call) = facts.expr(*base) else { break };
            calls.push(*call);
            inner = *call;
        }
        let mut written: Vec<ExprId> =
            calls.iter().flat_map(|&call| &facts.call(call).args).map(|arg| arg.value).collect();
        if let (true, ExprKind::Member(saved, _)) = (written.is_empty(), facts.expr(facts.call(at.call).callee))
            && let Some(saved) = facts.last_name(*saved)
        {
            let function = self.program.function_of(at);
            let own = facts.blocks.iter().filter(|block| block.function == function.function);
            written.extend(own.flat_map(|block| &block.steps).filter_map(|step| match step {
                Step::Assign(target, value) => match facts.expr(*target) {
                    ExprKind::Member(base, _) => facts.last_name(*base).filter(|of| *of == saved).map(|_| *value),
                    _ => None,
                },
                _ => None,
            }));
        }
        written
    }
}
