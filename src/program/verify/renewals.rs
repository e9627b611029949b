//! Tokens that are renewed to ask a vendor whether a delivery is its own: what is kept of them comes before the check,
//! and whoever knocks gains nothing by it.

use super::{Account, Verdict};
use crate::facts::ExprKind;
use crate::program::{CallRef, Program};

impl Program {
    /// What a webhook's account comes to: what a function that renews a token keeps is no act of the delivery. Jobs do
    /// their work by it all the same, so that it counts elsewhere.
    pub(in crate::program) fn verdict_of_delivery(&self, account: &Account) -> Verdict {
        if !account.deeds.iter().any(|deed| self.is_of_renewal(deed.at)) {
            return account.verdict();
        }
        let mut rest = account.clone();
        rest.deeds.retain(|deed| !self.is_of_renewal(deed.at));
        rest.verdict()
    }

    /// Whether a call stands in a function of the app's own that renews a token, by its name and by what it asks.
    pub fn is_of_renewal(&self, at: CallRef) -> bool {
        let function = self.function_of(at);
        let named = super::words(&self.function_name(function));
        if !named.iter().any(|word| word == "token" || word == "tokens") || !self.entries_of(function).is_empty() {
            return false;
        }
        let facts = self.facts(at.file);
        let span = facts.function(function.function).span;
        facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
                key == "grant_type" && matches!(facts.expr(value), ExprKind::Text(text) if *text == "refresh_token")
            }),
            ExprKind::Text(text) => text.contains("grant_type=refresh_token"),
            _ => false,
        })
    }
}
