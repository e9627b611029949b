//! Customers who are sent to authorize without the permission by which a vendor gives what renews the token.

use super::Authorization;
use crate::catalogue::{OfflineScope, VendorId};
use crate::facts::{DefId, ExprId, ExprKind, Facts};
use crate::program::values::assigned::Holder;
use crate::program::{CallRef, ExprRef, Program};

/// An authorization after which nothing can be renewed.
#[derive(Debug, Clone, Copy)]
pub struct Unrenewable<'p> {
    /// Where its URL is made.
    pub at: ExprRef,
    /// Whose it is.
    pub vendor: VendorId,
    /// The permission that is missing.
    pub offline: &'p OfflineScope,
    /// Where the app asks for the next token, which it never gets.
    pub renewal: ExprRef,
}

impl Program {
    /// The authorizations of deployed code whose permissions are known and lack the one that renews the token, in apps that
    /// would renew it. None of an app that names that permission anywhere.
    pub fn unrenewable_authorizations(&self) -> Vec<Unrenewable<'_>> {
        let asks = self.catalogue.vendors().iter().any(|vendor| vendor.offline.is_some());
        let found = asks.then(|| self.authorizations()).into_iter().flatten();
        found.filter_map(|one| self.unrenewable(&one)).collect()
    }

    fn unrenewable(&self, one: &Authorization) -> Option<Unrenewable<'_>> {
        let vendor = one.vendor?;
        let offline = self.catalogue.vendor(vendor).offline.as_ref()?;
        let named = |facts: &Facts, wanted: &str| facts.texts().any(|(_, text)| text.contains(wanted));
        let of_app = || self.code().filter(|(file, _)| self.share_app(*file, one.at.file));
        if !self.knows_scopes(one.at)
            || !named(self.facts(one.at.file), &offline.path)
            || of_app().any(|(_, facts)| named(facts, &offline.scope))
        {
            return None;
        }
        let renewal = self.renewal_at(one.at.file, vendor)?;
        Some(Unrenewable { at: one.at, vendor, offline, renewal })
    }

    /// Whether the permissions that the query of an authorization asks for stand in the code, all of them.
    fn knows_scopes(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let ExprKind::Call(call) = *facts.expr(at.expr) else { return false };
        let puts = self.puts(Holder::Made(CallRef::new(at.file, call)));
        let put = puts.iter().rev().find(|put| put.name == "scope" || put.name == "searchParams.scope");
        let first = facts.call(call).args.first().map(|arg| self.value(ExprRef::new(at.file, arg.value)));
        let held = || self.entry_of(&first?, "scope");
        let Some(scope) = put.and_then(|put| put.value).or_else(held) else { return false };
        self.value(scope).text().is_some() || self.joins_texts(scope)
    }

    /// `scopes.join(" ")`, where each list that `scopes` can be is written out.
    fn joins_texts(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let ExprKind::Call(call) = *facts.expr(at.expr) else { return false };
        let ExprKind::Member(list, method) = *facts.expr(facts.call(call).callee) else { return false };
        let of_texts = |value: &ExprId| match facts.expr(*value) {
            ExprKind::List(items) => items.iter().all(|&item| matches!(facts.expr(item), ExprKind::Text(_))),
            _ => false,
        };
        // A list that grows later holds more than is seen here.
        let grows = |list: ExprId, def: DefId| {
            self.readers(at.file).reads(def).iter().any(|&read| read != list && is_changed(facts, read))
        };
        match *facts.expr(list) {
            ExprKind::Ref(name, block) if method == "join" => facts.lookup(block, name).is_some_and(|def| {
                let values = &facts.def(def).values;
                !values.is_empty() && values.iter().all(of_texts) && !grows(list, def)
            }),
            _ => method == "join" && of_texts(&list),
        }
    }
}

/// Whether a list is changed where it is read: `scopes.push(..)`.
fn is_changed(facts: &Facts, read: ExprId) -> bool {
    facts.calls.iter().any(|call| {
        matches!(*facts.expr(call.callee), ExprKind::Member(base, method)
            if base == read && matches!(method.as_str(), "push" | "unshift" | "splice" | "concat"))
    })
}
