//! Payments that the payer's own browser brings back: their route looks like a webhook's, and no vendor calls it.

use crate::facts::{ExprId, ExprKind};
use crate::program::{Entry, ExprRef, Program};

impl Program {
    /// Whether an entry takes what a payment page hands back with the payer, and reads none of the headers that the same
    /// vendor's deliveries bring: `form.get("razorpay_signature")`.
    pub(super) fn takes_payers_return(&self, entry: &Entry) -> bool {
        let facts = self.facts(entry.function.file);
        let span = facts.function(entry.function.function).span;
        let named = |at: usize| match facts.exprs[at].kind {
            ExprKind::Text(name) | ExprKind::Member(_, name) => {
                Some((ExprRef::new(entry.function.file, ExprId(at as u32)), name))
            }
            _ => None,
        };
        let inside: Vec<_> =
            (0..facts.exprs.len()).filter(|&at| span.contains(facts.exprs[at].span)).filter_map(named).collect();
        self.catalogue.vendors().iter().flat_map(|vendor| &vendor.webhooks).any(|webhook| {
            let brings = |name: &str| webhook.headers.iter().any(|header| header.eq_ignore_ascii_case(name));
            let hands_back = |name: &str| webhook.returned.iter().any(|field| field == name);
            !webhook.returned.is_empty()
                && inside.iter().any(|&(at, name)| hands_back(&name) && !self.is_read_of_headers(at))
                && !inside.iter().any(|(_, name)| brings(name))
        })
    }
}
