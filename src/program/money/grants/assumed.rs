//! Checks of a payment that say yes although the vendor never did: `paid = true` in the catch, behind an answer that is
//! an error, or where no key is set and nobody is asked.

use super::Grant;
use super::loose::made_by;
use super::skipped::{flag, names_mode};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// When a check says yes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yes {
    /// When asking fails.
    Caught,
    /// When the answer is an error.
    Refused,
    /// Where nobody is asked.
    Unasked,
}

impl Program {
    /// The variable or function that says without an answer that something is paid, and lets a grant be written by it.
    pub(super) fn assumed(&self, asks: &[CallRef], grant: &Grant) -> Option<(Name, Yes)> {
        let facts = self.facts(grant.at.file);
        let own = grant.function.function;
        let by_variable = binds_of(facts, own).find_map(|(block, def, value)| {
            let is_true = matches!(facts.expr(value), ExprKind::Bool(true));
            let name = facts.def(def).name;
            if !is_true || !says_paid(&name) || !decides(facts, grant, name) {
                return None;
            }
            let yes = asks.iter().find_map(|&at| self.says_yes(facts, block, at))?;
            Some((name, yes))
        });
        by_variable.or_else(|| asks.iter().find_map(|&at| self.assumed_inside(at, grant)))
    }

    /// How a function of the app's own, whose word decides a grant, answers yes by itself: `catch { return true }`.
    fn assumed_inside(&self, at: CallRef, grant: &Grant) -> Option<(Name, Yes)> {
        let name = self.called_name(at).filter(|name| says_paid(name))?;
        if !decided_by(self.facts(at.file), grant, at) {
            return None;
        }
        let targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        targets.map(|edge| edge.target).find_map(|target: FunctionRef| {
            let facts = self.facts(target.file);
            let asks: Vec<CallRef> = self.calls_in(target).filter(|&at| self.leads_to_payment(at)).collect();
            let mut blocks = (0..facts.blocks.len()).map(|index| BlockId(index as u32));
            blocks.find_map(|block| {
                let is_own = facts.function_of(block) == target.function;
                let says = || {
                    facts.block(block).steps.iter().any(|step| {
                    matches!(step, Step::Return(Some(value)) if matches!(facts.expr(*value), ExprKind::Bool(true)))
                })
                };
                let yes = (is_own && says()).then(|| asks.iter().find_map(|&at| self.says_yes(facts, block, at)))??;
                Some((name, yes))
            })
        })
    }

    /// When a block runs although a call that asks for a payment gave no yes.
    fn says_yes(&self, facts: &Facts, block: BlockId, at: CallRef) -> Option<Yes> {
        let asked = facts.span(facts.call(at.call).expr);
        let around: Vec<BlockId> = facts.enclosing(facts.call(at.call).block).map(|(id, _)| id).collect();
        let mut way = facts.enclosing(block).take_while(|(id, _)| !around.contains(id));
        way.find_map(|(id, block)| match block.kind {
            BlockKind::Catch(_) => guards(facts, id, asked).then_some(Yes::Caught),
            BlockKind::Then(condition) if is_refused(facts, condition, at, 4) => Some(Yes::Refused),
            // `if (key && id) { ask } else { paid = true }`: a choice of the app's own, as a price of nothing, is none.
            BlockKind::Else(condition) if facts.span(condition).end <= asked.start => {
                (self.only_set(facts, at, condition, 4) && stands_in_then(facts, condition, asked))
                    .then_some(Yes::Unasked)
            }
            BlockKind::Then(condition) => match facts.expr(condition) {
                ExprKind::Op(Op::Not, parts) => {
                    let sole = parts.first().copied()?;
                    (facts.span(condition).end <= asked.start && self.only_set(facts, at, sole, 4))
                        .then_some(Yes::Unasked)
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether a condition only asks whether keys are set, or the request brings something.
    fn only_set(&self, facts: &Facts, at: CallRef, condition: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if flag(facts, condition, 6).is_some() || names_mode(facts, condition, 6) {
            return false;
        }
        match facts.expr(condition) {
            ExprKind::Op(Op::And, parts) => parts.iter().all(|&part| self.only_set(facts, at, part, depth)),
            ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Env(_) => {
                let part = ExprRef::new(at.file, condition);
                !self.value(part).envs().is_empty() || self.is_requests(part)
            }
            _ => false,
        }
    }
}

/// Every name of a function that gets a value, and where.
fn binds_of(facts: &Facts, function: FunctionId) -> impl Iterator<Item = (BlockId, DefId, ExprId)> {
    let own = facts.blocks.iter().enumerate().filter(move |(_, block)| block.function == function);
    own.flat_map(|(index, block)| {
        block.steps.iter().filter_map(move |step| match *step {
            Step::Bind(def, value) => Some((BlockId(index as u32), def, value)),
            _ => None,
        })
    })
}

/// Whether a name says that something is paid, or was found right.
fn says_paid(name: &str) -> bool {
    words(name).iter().any(|word| {
        ["paid", "verif", "valid", "succe", "approved", "confirm", "complete", "settled", "captured"]
            .iter()
            .any(|start| word.starts_with(start))
    })
}

/// Whether a grant is only written where a name holds.
fn decides(facts: &Facts, grant: &Grant, name: Name) -> bool {
    is_decided(facts, grant, &|expr| matches!(facts.expr(expr), ExprKind::Ref(other, _) if *other == name))
}

/// Whether a grant is only written where a call, or what it gave, holds.
fn decided_by(facts: &Facts, grant: &Grant, at: CallRef) -> bool {
    is_decided(facts, grant, &|expr| made_by(facts, expr, at, 6))
}

fn is_decided(facts: &Facts, grant: &Grant, is_it: &dyn Fn(ExprId) -> bool) -> bool {
    let holds = |condition: ExprId| match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| is_it(part)),
        ExprKind::Op(Op::Equal, parts) => {
            parts.iter().any(|&part| is_it(part))
                && parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Bool(true)))
        }
        _ => is_it(condition),
    };
    let fails = |condition: ExprId| match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => parts.first().is_some_and(|&part| holds(part)),
        ExprKind::Op(Op::Equal, parts) => {
            parts.iter().any(|&part| is_it(part))
                && parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Bool(false)))
        }
        _ => false,
    };
    let given_at = facts.span(grant.at.expr).start;
    let inside = facts.enclosing(grant.block).any(|(_, block)| match block.kind {
        BlockKind::Then(condition) => holds(condition),
        BlockKind::Else(condition) => fails(condition),
        _ => false,
    });
    let own = facts.blocks.iter().filter(|block| block.function == grant.function.function);
    inside
        || own.flat_map(|block| &block.steps).any(|step| match *step {
            Step::If { condition, then, .. } => {
                fails(condition) && facts.block(then).span.end <= given_at && ending(facts, then) != Ending::GoesOn
            }
            _ => false,
        })
}

/// Whether a handler catches what fails at a place.
fn guards(facts: &Facts, handler: BlockId, at: Span) -> bool {
    facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
        Step::Try { body, handlers, .. } => handlers.contains(&handler) && facts.block(*body).span.contains(at),
        _ => false,
    })
}

/// Whether a condition holds when the answer to a call is an error: `!res.ok`.
fn is_refused(facts: &Facts, condition: ExprId, at: CallRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let ok = |expr: ExprId| {
        matches!(facts.expr(expr), ExprKind::Member(base, name)
            if matches!(name.as_str(), "ok" | "is_success") && made_by(facts, *base, at, 6))
    };
    match facts.expr(condition) {
        ExprKind::Op(Op::Or, parts) => parts.iter().any(|&part| is_refused(facts, part, at, depth)),
        ExprKind::Op(Op::Not, parts) => parts.first().is_some_and(|&part| ok(part)),
        ExprKind::Op(Op::Unequal, parts) => {
            parts.iter().any(|&part| {
                matches!(facts.expr(part), ExprKind::Member(base, name)
                if matches!(name.as_str(), "status" | "status_code") && made_by(facts, *base, at, 6))
            }) && parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(_)))
        }
        _ => false,
    }
}

/// Whether a place stands in the arm of a condition that holds.
fn stands_in_then(facts: &Facts, condition: ExprId, at: Span) -> bool {
    facts
        .blocks
        .iter()
        .any(|block| matches!(block.kind, BlockKind::Then(own) if own == condition) && block.span.contains(at))
}
