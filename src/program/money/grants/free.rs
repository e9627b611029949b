//! What costs nothing: a plan whose price, as the server knows it, is zero.

use super::Grant;
use crate::facts::{BlockKind, ExprId, ExprKind, Op};
use crate::finding::FileId;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{ExprRef, Program};

impl Program {
    /// Whether a grant is made only where a price is nothing that no request names: `if (amount === 0)`.
    pub(super) fn costs_nothing(&self, grant: &Grant) -> bool {
        let facts = self.facts(grant.at.file);
        let ExprKind::Call(call) = *facts.expr(grant.at.expr) else { return false };
        facts.enclosing(facts.call(call).block).any(|(_, block)| match block.kind {
            BlockKind::Then(condition) => self.asks_for_nothing(grant.at.file, condition, 4),
            _ => false,
        })
    }

    fn asks_for_nothing(&self, file: FileId, condition: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(file);
        let is_price = |expr: ExprId| {
            let named = facts.last_name(expr).is_some_and(|name| {
                let is = |word: &String| matches!(word.as_str(), "price" | "amount" | "total" | "cost" | "fee");
                words(&name).iter().any(is)
            });
            named && !matches!(self.origin_on(&[], ExprRef::new(file, expr), &[]), Origin::Request(_))
        };
        let is_zero = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Number(number) if *number == 0.0);
        match facts.expr(condition) {
            ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| self.asks_for_nothing(file, part, depth)),
            ExprKind::Op(Op::Equal, parts) => match parts[..] {
                [one, other] => is_zero(other) && is_price(one) || is_zero(one) && is_price(other),
                _ => false,
            },
            ExprKind::Op(Op::Not, parts) => is_price(parts[0]),
            _ => false,
        }
    }
}
