//! What costs nothing: a plan whose price, as the server knows it, is zero; and what a browser says costs nothing.

use super::{Grant, resolved};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op};
use crate::finding::FileId;
use crate::names::Name;
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

    /// Whether a grant is given where a browser reckons that nothing is left to pay.
    pub fn is_reckoned_free(&self, grant: &Grant) -> bool {
        given_for_nothing(self.facts(grant.at.file), grant.value).is_some()
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

/// The state that a row gets where nothing is left to pay: `due === 0 ? "paid" : "pending"`.
pub(super) fn given_for_nothing(facts: &Facts, value: ExprId) -> Option<ExprId> {
    let ExprKind::Op(Op::Choose, parts) = facts.expr(resolved(facts, value)) else { return None };
    let [condition, then, otherwise] = parts[..] else { return None };
    let is_zero = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Number(number) if *number == 0.0);
    let condition = resolved(facts, condition);
    match facts.expr(condition) {
        ExprKind::Op(Op::Equal, sides) => sides.iter().any(|&side| is_zero(side)).then_some(then),
        ExprKind::Op(Op::Unequal, sides) => sides.iter().any(|&side| is_zero(side)).then_some(otherwise),
        ExprKind::Op(Op::Compare, sides) => {
            let says_paid = |part: ExprId| matches!(facts.expr(part), ExprKind::Text(text) if super::says_paid(text));
            let paid = [then, otherwise].into_iter().find(|&part| says_paid(part));
            paid.filter(|_| sides.iter().any(|&side| is_zero(side)))
        }
        _ => {
            let says_free = |name: Name| words(&name).iter().any(|word| word == "free");
            facts.last_name(condition).is_some_and(says_free).then_some(then)
        }
    }
}
