//! Functions asked on the way that turn away whoever is not signed in.

use super::doors::{WHO, from_session, holds_who, is_session};
use crate::catalogue::KnownRole;
use crate::facts::{BlockId, ExprId, ExprKind, Op, Step};
use crate::program::{CallRef, FunctionRef, Program};

impl Program {
    /// Whether a function that is asked on the way throws, or answers by leaving, where nobody is signed in:
    /// `uid = session.get("uid")`, then `if not uid: abort(401)`.
    pub(super) fn refuses_strangers(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let who = |condition: ExprId| {
            let span = facts.span(condition);
            let mut inside = (0..).map(ExprId).zip(&facts.exprs).filter(|(_, expr)| span.contains(expr.span));
            inside.any(|(at, expr)| match &expr.kind {
                ExprKind::Member(base, name) => WHO.contains(&name.as_str()) && holds_who(facts, *base),
                ExprKind::Ref(..) | ExprKind::Call(_) => from_session(facts, at, 4),
                ExprKind::Op(Op::In, parts) => parts.get(1).is_some_and(|&held| is_session(facts, held)),
                _ => false,
            })
        };
        let leaves = |block: BlockId| {
            facts.block(block).steps.iter().any(|step| match step {
                Step::Throw(_) => true,
                Step::Eval(value) => matches!(facts.expr(*value), ExprKind::Call(call)
                    if self.has_role(CallRef::new(function.file, *call), KnownRole::Leave)),
                _ => false,
            })
        };
        let mut steps = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|b| &b.steps);
        steps.any(|step| match step {
            Step::If { condition, then, otherwise } => {
                (leaves(*then) || otherwise.is_some_and(leaves)) && who(*condition)
            }
            _ => false,
        })
    }
}
