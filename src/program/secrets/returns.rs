//! Addresses of the app that deployed code hands to vendors and that only a developer's machine, a preview or a
//! staging system has.

use crate::catalogue::{Catalogue, VendorId, host_of_url, is_own_host};
use crate::facts::ExprKind;
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::sign_in::oauth::Authorization;
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, Program, Value, VendorUse};

/// How deep objects are looked into.
const DEEPEST: usize = 3;

/// An address handed to a vendor that customers or the vendor itself come back to.
#[derive(Debug, Clone)]
pub struct ReturnAddress {
    /// What it is handed to, for messages.
    pub told: String,
    /// Whose that is.
    pub vendors: Vec<VendorId>,
    /// Under which name.
    pub name: Name,
    /// The host.
    pub host: String,
    /// Where it is handed over.
    pub place: Place,
}

impl Catalogue {
    /// Whether a host is a developer's machine or a preview that goes away.
    pub fn is_passing(&self, host: &str) -> bool {
        is_own_host(host) || self.is_passing_host(host)
    }
}

impl Program {
    /// The addresses of a developer's machine, a preview or a staging system that deployed server code hands to
    /// vendors, with nothing that could say something else.
    pub fn passing_addresses(&self) -> Vec<ReturnAddress> {
        let mut found: Vec<ReturnAddress> = Vec::new();
        for used in self.vendor_uses().iter().filter(|used| self.runs_on_server(used.at.file)) {
            self.handed(used, &mut found);
        }
        // Whoever runs a script by hand comes back to where it runs.
        let sends = |file: FileId| self.runs_on_server(file) && !self.is_hand_script(file);
        for authorization in self.authorizations().iter().filter(|one| sends(one.at.file)) {
            found.extend(self.sent_back(authorization));
        }
        found.sort_by_key(|address| address.place);
        found.dedup_by_key(|address| address.place);
        found
    }

    fn handed(&self, used: &VendorUse, found: &mut Vec<ReturnAddress>) {
        let at = used.at;
        let request = self.request_of(used);
        let mut finder = Finder { program: self, used, registers: self.registers(used), found };
        for arg in &self.facts(at.file).call(at.call).args {
            let value = ExprRef::new(at.file, arg.value);
            match arg.name {
                Some(name) => finder.address(name, value, DEEPEST),
                None => finder.within(&self.value(value), DEEPEST),
            }
        }
        // `body: JSON.stringify({ callback_url })`, `new URLSearchParams({ redirect_uri })`
        if let Some(request) = request
            && let Lookup::Present(body) = self.request_body(request)
        {
            finder.within(&body, DEEPEST);
        }
    }

    /// Whether a call tells a vendor where its deliveries go: every address that it is given is one to come back to.
    fn registers(&self, used: &VendorUse) -> bool {
        const VERBS: &[&str] = &["create", "register", "subscribe", "add", "set", "update"];
        let says = |text: &str| text.to_ascii_lowercase().contains("webhook");
        match self.request_of(used) {
            // Behind `/webhooks/{id}` a message is sent.
            Some(request) => {
                let mut paths = request.to.iter().filter_map(|to| to.path());
                paths.any(|path| path.trim_end_matches('/').rsplit('/').next().is_some_and(says))
            }
            None => {
                let call = self.call_text(used.at);
                let last = call.rsplit('.').next().unwrap_or(&call);
                says(last) || says(&call) && VERBS.iter().any(|verb| last.starts_with(verb))
            }
        }
    }

    /// The address that a customer who is sent to authorize comes back to.
    fn sent_back(&self, authorization: &Authorization) -> Option<ReturnAddress> {
        let at = authorization.at;
        let value = match self.facts(at.file).expr(at.expr) {
            ExprKind::Call(call) => self.redirect_of(CallRef::new(at.file, *call))?,
            _ => self.redirect_in(at)?,
        };
        let host = self.host_that_passes(value.0, value.1.as_deref())?;
        let whose = authorization.vendor.map(|vendor| self.catalogue.vendor(vendor).name.as_str());
        let whose = whose.or(authorization.host.as_ref().map(|host| host.as_str()));
        Some(ReturnAddress {
            told: whose
                .map_or_else(|| "the authorization page".to_owned(), |of| format!("the authorization page of {of}")),
            vendors: authorization.vendor.into_iter().collect(),
            name: Name::new("redirect_uri"),
            host,
            place: self.place(value.0),
        })
    }

    /// `new URLSearchParams({ redirect_uri: .. })`, `url.searchParams.set("redirect_uri", ..)`.
    fn redirect_of(&self, call: CallRef) -> Option<(ExprRef, Option<String>)> {
        let puts = self.puts(Holder::Made(call)).iter().rev();
        let put = puts.filter(|put| put.name.rsplit('.').next() == Some("redirect_uri")).find_map(|put| put.value);
        let given = || {
            let args = self.facts(call.file).call(call.call).args.iter();
            args.flat_map(|arg| self.entries(&self.value(ExprRef::new(call.file, arg.value))))
                .find(|(key, _)| *key == "redirect_uri")
                .map(|(_, value)| value)
        };
        Some((put.or_else(given)?, None))
    }

    /// `https://host/authorize?redirect_uri=..`, written out: the part that holds it, and what it says there.
    fn redirect_in(&self, at: ExprRef) -> Option<(ExprRef, Option<String>)> {
        let parts: Vec<ExprRef> = match self.facts(at.file).expr(at.expr) {
            ExprKind::Template(parts) => parts.iter().map(|&part| ExprRef::new(at.file, part)).collect(),
            _ => vec![at],
        };
        for (index, &part) in parts.iter().enumerate() {
            let text = self.value(part).text();
            let Some((_, rest)) = text.as_ref().and_then(|text| text.split_once("redirect_uri=")) else { continue };
            return if rest.is_empty() {
                Some((self.unquoted(*parts.get(index + 1)?), None))
            } else {
                let plain = rest.split('&').next().unwrap_or(rest).replace("%3A", ":").replace("%2F", "/");
                Some((part, Some(plain)))
            };
        }
        None
    }

    /// `encodeURIComponent(address)` -> `address`.
    fn unquoted(&self, at: ExprRef) -> ExprRef {
        let facts = self.facts(at.file);
        let ExprKind::Call(call) = facts.expr(at.expr) else { return at };
        let call = facts.call(*call);
        let quotes = facts
            .last_name(call.callee)
            .is_some_and(|name| matches!(name.as_str(), "encodeURIComponent" | "quote" | "quote_plus"));
        call.args.first().filter(|_| quotes).map_or(at, |arg| ExprRef::new(at.file, arg.value))
    }

    /// The host of an address, where customers do not know the app by it, and where nothing else may be said: what a
    /// variable, a condition or the request may decide is left alone.
    fn host_that_passes(&self, value: ExprRef, written: Option<&str>) -> Option<String> {
        let given = self.value(value);
        let first = match &given {
            Value::Text(text) => Some(*text),
            Value::Template(parts) => parts.first().and_then(Value::text),
            _ => None,
        };
        let host = host_of_url(written.or(first.as_ref().map(|text| text.as_str()))?)?;
        let passes = self.catalogue.is_passing(host) || is_staging(host);
        (passes && !self.is_for_development(value)).then(|| host.to_owned())
    }
}

struct Finder<'p, 'f> {
    program: &'p Program,
    used: &'p VendorUse,
    registers: bool,
    found: &'f mut Vec<ReturnAddress>,
}

impl Finder<'_, '_> {
    fn within(&mut self, value: &Value, depth: usize) {
        for (name, value) in self.program.entries(value) {
            self.address(name, value, depth);
        }
    }

    fn address(&mut self, name: Name, value: ExprRef, depth: usize) {
        let program = self.program;
        let given = program.value(value);
        if matches!(given, Value::Object(_)) {
            // `back_urls: { success: ".." }`
            let all = self.registers;
            self.registers |= comes_back(name.strip_suffix('s').unwrap_or_default());
            if depth > 0 {
                self.within(&given, depth - 1);
            }
            self.registers = all;
        } else if (self.registers || comes_back(&name))
            && let Some(host) = program.host_that_passes(value, None)
        {
            self.found.push(ReturnAddress {
                told: program.call_text(self.used.at),
                vendors: program.vendors_at(self.used.at).iter().map(|used| used.vendor).collect(),
                name,
                host,
                place: program.place(value),
            });
        }
    }
}

/// Whether an option names where somebody comes back to: a redirect, a callback, a notification.
pub fn comes_back(name: &str) -> bool {
    let lower: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_address = ["url", "uri", "to", "callback", "webhook"].iter().any(|end| lower.ends_with(end));
    let word =
        ["success", "cancel", "return", "redirect", "callback", "notif", "webhook", "refresh", "failure", "back"];
    is_address && word.iter().any(|word| lower.contains(word))
}

/// Whether a host says that it is not what customers use: `staging.shop.example`, `shop-staging.platform.example`,
/// `dev.shop.example`. The domain itself says nothing, whatever it is called.
fn is_staging(host: &str) -> bool {
    let lower = host.to_ascii_lowercase();
    let labels: Vec<&str> = lower.split('.').collect();
    let Some(own) = labels.len().checked_sub(2).map(|own| &labels[..own]) else { return false };
    let whole = own.first().is_some_and(|first| matches!(*first, "dev" | "test" | "stage" | "staging" | "stg" | "qa"));
    whole || own.iter().any(|label| label.split('-').any(|part| matches!(part, "staging" | "stg")))
}

#[cfg(test)]
mod tests {
    use super::{comes_back, is_staging};

    #[test]
    fn hosts_say_what_they_are_for() {
        for host in ["staging.shop.example", "shop-staging.vercel.app", "dev.shop.example", "api.staging.shop.example"]
        {
            assert!(is_staging(host), "{host}");
        }
        for host in ["shop.example", "dev.to", "staging.example", "test-shop.vercel.app", "backstage.shop.example"] {
            assert!(!is_staging(host), "{host}");
        }
    }

    #[test]
    fn names_of_addresses_to_come_back_to() {
        for name in ["success_url", "redirectTo", "statusCallback", "webhook", "notification_url"] {
            assert!(comes_back(name), "{name}");
        }
        for name in ["url", "image_url", "callback_data", "back"] {
            assert!(!comes_back(name), "{name}");
        }
    }
}
