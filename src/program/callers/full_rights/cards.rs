//! Cards that customers left with a vendor, and charges of them.

use crate::catalogue::{Category, Operation};
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::callers::full_rights::seizes::OWNERS;
use crate::program::callers::full_rights::{Pick, Touch, any_word, only_one_knows};
use crate::program::{Edge, FunctionRef, Program, VendorUse};

impl Program {
    /// A card that lies in a row of the app, charged for whoever names the row: what a page has just been given stands
    /// in no row.
    pub(super) fn charged(&self, way: &[Edge], used: &VendorUse, operation: &Operation) -> Option<Pick> {
        let once = ["nonce", "nonces"];
        let (by, source) = operation.cards.iter().find_map(|field| {
            let value = self.payload_at(used, field)?;
            let kept = self.facts(value.file).last_name(value.expr).is_none_or(|name| !any_word(&name, &once));
            let source = kept.then(|| self.found_by(way, value, OWNERS, 12))??;
            Some((Name::new(field), source))
        })?;
        let what = Name::new("records");
        (!only_one_knows(&source)).then_some(Pick { touch: Touch::Charges, what, by, source: Some(source) })
    }

    /// What a function hands to a payment vendor as the card to pay with: anybody with a card has such a token, and it
    /// says nothing of who brings it.
    pub(super) fn paid_with(&self, function: FunctionRef) -> Vec<Name> {
        let facts = self.facts(function.file);
        let uses = self.calls_in(function).flat_map(|at| self.vendors_at(at));
        let of_payments = uses.filter(|used| self.catalogue.vendor(used.vendor).category == Category::Payments);
        let mut names = Vec::new();
        for used in of_payments {
            let fields = self.operation(used).map_or(&[][..], |operation| &operation.cards);
            for value in fields.iter().filter_map(|field| self.payload_at(used, field)) {
                let span = self.facts(value.file).span(value.expr);
                let inside = (0..facts.exprs.len())
                    .filter(|&at| value.file == function.file && span.contains(facts.exprs[at].span));
                names.extend(inside.filter_map(|at| match facts.expr(ExprId(at as u32)) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(*name),
                    _ => None,
                }));
            }
        }
        names
    }
}
