//! Refresh tokens that the app keeps, and that never come, as no authorization asks for one.

use std::cell::LazyCell;

use crate::catalogue::{KnownRole, Offline, VendorId};
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::names::Name;
use crate::program::sign_in::oauth::Authorization;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, Program};

/// An authorization after which no refresh token comes, though the app keeps one.
#[derive(Debug, Clone)]
pub struct Unasked<'p> {
    /// Where the customer is sent to authorize.
    pub at: ExprRef,
    /// Where what comes is kept.
    pub kept: ExprRef,
    /// Whose it is.
    pub vendor: VendorId,
    /// What would bring one.
    pub offline: &'p Offline,
}

impl Program {
    /// The authorizations after which deployed code keeps a refresh token that does not come.
    pub fn unasked_renewals(&self) -> Vec<Unasked<'_>> {
        if self.catalogue.vendors().iter().all(|vendor| vendor.offline_parameter.is_none()) {
            return vec![];
        }
        let authorizations = LazyCell::new(|| self.authorizations());
        let mut found: Vec<Unasked<'_>> = Vec::new();
        let grant_type = Name::new("grant_type");
        for (file, _) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            let by_library = self.calls_of(file).filter(|&call| self.has_role(call, KnownRole::Exchange));
            let by_library = by_library.map(|call| ExprRef::new(file, self.facts(file).call(call.call).expr));
            for exchange in self.exchanges_of_any_proof(file, grant_type).into_iter().chain(by_library) {
                let Some(vendor) = self.asked_for_tokens(exchange).0 else { continue };
                let Some(offline) = &self.catalogue.vendor(vendor).offline_parameter else { continue };
                let Some(kept) = self.kept_token(&self.around_exchange(exchange), is_refresh) else { continue };
                let mut asking = authorizations
                    .iter()
                    .filter(|one| is_of(one, vendor, offline) && self.share_app(one.at.file, file))
                    .peekable();
                if asking.peek().is_none() || self.names_parameter(file, &offline.parameter) {
                    continue;
                }
                let asking: Vec<&Authorization> = asking.collect();
                if asking.iter().any(|one| self.may_say(one, offline)) {
                    continue;
                }
                for one in asking {
                    if !found.iter().any(|told| told.at == one.at) {
                        found.push(Unasked { at: one.at, kept, vendor, offline });
                    }
                }
            }
        }
        found
    }

    /// Whether code of a file's app names a parameter, in whichever way.
    fn names_parameter(&self, file: FileId, parameter: &str) -> bool {
        let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
        let wanted = plain(parameter);
        let holds = |name: &Name| plain(name).contains(&wanted);
        self.code().filter(|(other, _)| self.share_app(*other, file)).any(|(_, facts)| {
            facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Ref(name, _) | ExprKind::Text(name) => holds(name),
                ExprKind::Object(entries) => entries.iter().any(|(key, _)| holds(key)),
                _ => false,
            }) || facts.calls.iter().flat_map(|call| &call.args).any(|arg| arg.name.as_ref().is_some_and(holds))
        })
    }

    /// Whether an authorization may be given a parameter that cannot be seen, or its library sets it.
    fn may_say(&self, authorization: &Authorization, offline: &Offline) -> bool {
        let at = authorization.at;
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                let sets = |package: &Name| offline.set_by.iter().any(|known| **package == **known);
                self.callee(call).externals().any(|external| sets(&external.package))
                    || self.option(call, &offline.parameter) != Lookup::Absent
            }
            // A hole that is no parameter's value may hold more of them.
            ExprKind::Template(parts) => {
                parts.windows(2).any(|pair| match (facts.expr(pair[0]), facts.expr(pair[1])) {
                    (_, ExprKind::Text(_)) => false,
                    (ExprKind::Text(before), _) => before.ends_with(['?', '&']),
                    _ => true,
                })
            }
            _ => false,
        }
    }
}

/// Whether an authorization is asked of a vendor.
fn is_of(authorization: &Authorization, vendor: VendorId, offline: &Offline) -> bool {
    authorization.vendor == Some(vendor)
        || authorization.host.is_some_and(|host| offline.hosts.iter().any(|known| *host == **known))
}

/// Whether a name says that it holds a refresh token.
fn is_refresh(name: &str) -> bool {
    name.to_ascii_lowercase().replace('_', "").ends_with("refreshtoken")
}
