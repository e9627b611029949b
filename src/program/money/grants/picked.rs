//! Grants in one action of a function whose other action starts the payment: `{ action: "confirm" }`.

use super::from_request;
use crate::catalogue::{Category, Effect};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, FunctionRef, Program};

/// Words of an action that say that somebody has paid.
const CONFIRMS: &[&str] = &[
    "confirm",
    "confirmed",
    "verify",
    "success",
    "succeeded",
    "complete",
    "completed",
    "fulfil",
    "fulfill",
    "finalize",
    "finish",
    "activate",
    "apply",
    "paid",
    "purchased",
];

/// Words of an action by which something else is meant: what is given for nothing, or another thing that is confirmed.
const OTHERS: &[&str] = &[
    "trial", "free", "referral", "bonus", "reward", "coupon", "promo", "code", "discount", "refund", "cancel", "email",
    "phone", "otp", "daily", "delivery", "admin",
];

/// Beginnings of words of rows that stand for those who pay for a plan of the app's, not for whom they serve.
const TENANTS: &[&str] = &[
    "profile",
    "account",
    "organi",
    "org",
    "compan",
    "team",
    "tenant",
    "workspace",
    "business",
    "studio",
    "restaurant",
    "store",
    "shop",
    "salon",
    "barber",
    "clinic",
    "school",
];

impl Program {
    /// The word of the request that picks the arm a block stands in, where that word says that somebody has paid, and
    /// another arm of the same function starts a payment.
    pub(super) fn picked(&self, function: FunctionRef, block: BlockId) -> Option<Name> {
        let facts = self.facts(function.file);
        let (arm, word) = facts.enclosing(block).find_map(|(_, block)| {
            let word = match block.kind {
                BlockKind::Then(condition) => said(facts, condition, 4)?,
                BlockKind::Case(subject, Some(value)) => word_of(facts, subject, value)?,
                _ => return None,
            };
            Some((block.span, word))
        })?;
        let named = words(&word);
        let has = |any: &[&str]| named.iter().any(|word| any.contains(&word.as_str()));
        let outside = |at: &CallRef| !arm.contains(facts.span(facts.call(at.call).expr));
        (has(CONFIRMS) && !has(OTHERS) && self.calls_in(function).filter(outside).any(|at| self.starts_payment(at)))
            .then_some(word)
    }

    /// Whether a call has a vendor of payments start one.
    fn starts_payment(&self, at: CallRef) -> bool {
        self.vendors_at(at).iter().any(|used| {
            let begins = ["checkout", "intent", "link", "order", "charge", "payment"];
            let name = used.name.to_ascii_lowercase();
            self.catalogue.vendor(used.vendor).category == Category::Payments
                && self.operation(used).is_some_and(|operation| operation.effect == Effect::Create)
                && begins.iter().any(|part| name.contains(part))
        })
    }
}

/// The word of the request that a condition compares something with.
fn said(facts: &Facts, condition: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().find_map(|&part| said(facts, part, depth)),
        ExprKind::Op(Op::Equal, parts) if parts.len() == 2 => {
            word_of(facts, parts[0], parts[1]).or_else(|| word_of(facts, parts[1], parts[0]))
        }
        _ => None,
    }
}

fn word_of(facts: &Facts, field: ExprId, value: ExprId) -> Option<Name> {
    match facts.expr(value) {
        ExprKind::Text(text) if from_request(facts, field, 12) => Some(*text),
        _ => None,
    }
}

/// Whether what stands in an arm cannot come to a block outside of it: `if (action === "buy") { ..; return }`.
pub(super) fn is_apart(facts: &Facts, call: BlockId, from: BlockId) -> bool {
    let around: Vec<BlockId> = facts.enclosing(from).map(|(id, _)| id).collect();
    facts.enclosing(call).take_while(|(id, _)| !around.contains(id)).any(|(id, block)| {
        matches!(block.kind, BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..))
            && ending(facts, id) != Ending::GoesOn
    })
}

/// Whether a field gets more of what it holds.
pub(super) fn counts_up(facts: &Facts, field: &str, value: ExprId) -> bool {
    let named = words(field);
    let timed =
        named.last().is_some_and(|last| matches!(last.as_str(), "at" | "until" | "date" | "attempts" | "views"));
    let is_text = |part: ExprId| matches!(facts.expr(part), ExprKind::Text(_) | ExprKind::Template(_));
    !timed
        && match facts.expr(super::resolved(facts, value)) {
            ExprKind::Op(Op::Add, parts) => !parts.iter().any(|&part| is_text(part)),
            ExprKind::Object(entries) => entries.iter().any(|(key, _)| *key == "increment"),
            _ => false,
        }
}

/// Whether a row says of a tenant that its plan runs, at least for some of the plans.
pub(super) fn sets_running(facts: &Facts, row: &str, rows: &[(Name, ExprId)]) -> bool {
    let of_tenant = words(row).last().is_some_and(|last| TENANTS.iter().any(|start| last.starts_with(start)));
    of_tenant
        && rows.iter().any(|&(key, value)| {
            let named = words(&key);
            named.last().is_some_and(|last| last == "status")
                && named.iter().any(|word| matches!(word.as_str(), "subscription" | "plan" | "billing" | "payment"))
                && may_run(facts, value, 4)
        })
}

fn may_run(facts: &Facts, value: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(super::resolved(facts, value)) {
        ExprKind::Text(text) => matches!(text.to_ascii_lowercase().as_str(), "active" | "paid"),
        ExprKind::Op(Op::Choose, parts) => parts.iter().skip(1).any(|&part| may_run(facts, part, depth)),
        _ => false,
    }
}
