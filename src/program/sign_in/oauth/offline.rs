//! Customers who are sent to authorize without the permission by which a vendor gives what renews the token.

use super::Authorization;
use crate::catalogue::{OfflineScope, VendorId};
use crate::facts::{ExprKind, Facts};
use crate::names::Name;
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
        let scope = self.scope_asked(one.at)?;
        let named = |facts: &Facts, wanted: &str| facts.texts().any(|(_, text)| text.contains(wanted));
        let of_app = || self.code().filter(|(file, _)| self.share_app(*file, one.at.file));
        if scope.contains(&offline.scope)
            || !named(self.facts(one.at.file), &offline.path)
            || of_app().any(|(_, facts)| named(facts, &offline.scope))
        {
            return None;
        }
        let renewal = self.renewal_at(one.at.file, vendor)?;
        Some(Unrenewable { at: one.at, vendor, offline, renewal })
    }

    /// The permissions that the query of an authorization asks for, where they stand in the code.
    fn scope_asked(&self, at: ExprRef) -> Option<Name> {
        let facts = self.facts(at.file);
        let ExprKind::Call(call) = *facts.expr(at.expr) else { return None };
        let puts = self.puts(Holder::Made(CallRef::new(at.file, call)));
        let put = puts.iter().rev().find(|put| put.name == "scope" || put.name == "searchParams.scope");
        let first = facts.call(call).args.first().map(|arg| self.value(ExprRef::new(at.file, arg.value)));
        let held = || self.entry_of(&first?, "scope");
        self.value(put.and_then(|put| put.value).or_else(held)?).text()
    }
}
