//! Which of a vendor's modes code talks to, test or live, and addresses that only a developer's machine or a preview
//! of the app has.

use crate::catalogue::{Catalogue, VendorId, host_of_url, is_own_host};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{CallRef, Destination, ExprRef, Program, Value};

/// Which data a vendor's host, or what code makes of it, reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Test data only.
    Test,
    /// Real money and data.
    Live,
    /// One or the other: something decides.
    Either,
}

/// The mode in which a file talks to a vendor.
#[derive(Debug, Clone, Copy)]
pub struct ModeUse {
    /// The vendor.
    pub vendor: VendorId,
    /// The mode; that of the default where a variable may say something else.
    pub mode: Mode,
    /// A variable may name another host.
    pub by_default: bool,
    /// The host.
    pub host: Name,
    /// Where the host is written, or the first request to it.
    pub place: Place,
}

/// An address handed to a vendor that customers or the vendor itself come back to.
#[derive(Debug, Clone)]
pub struct ReturnAddress {
    /// The call it is handed to.
    pub at: CallRef,
    /// Under which name.
    pub name: Name,
    /// The host.
    pub host: String,
    /// Where it is handed over.
    pub place: Place,
}

impl Catalogue {
    /// Which data one of a vendor's hosts reaches, where it has two kinds.
    pub fn mode_of(&self, vendor: VendorId, host: &str) -> Option<Mode> {
        let vendor = self.vendor(vendor);
        if vendor.test_hosts.iter().any(|known| known == host) {
            Some(Mode::Test)
        } else {
            vendor.live_hosts.iter().any(|known| known == host).then_some(Mode::Live)
        }
    }
}

impl Program {
    /// The mode in which each deployed file talks to each vendor that has two, by file.
    pub fn mode_uses(&self) -> Vec<ModeUse> {
        let mut found: Vec<ModeUse> = Vec::new();
        for http in self.requests().iter().filter(|http| http.at == http.inner) {
            let side = self.side(http.at.file);
            if side.tooling || side.dead {
                continue;
            }
            let by_default = http.to.iter().any(|to| !matches!(to, Destination::Vendor(..)));
            for to in &http.to {
                let Destination::Vendor(vendor, host, _) = *to else { continue };
                let Some(mode) = self.catalogue.mode_of(vendor, &host) else { continue };
                let file = http.at.file;
                match found.iter_mut().find(|used| used.vendor == vendor && used.place.file == file) {
                    Some(used) if used.mode != mode => used.mode = Mode::Either,
                    Some(used) => used.by_default &= by_default,
                    None => {
                        let place = self.host_written(file, &host).unwrap_or_else(|| self.call_place(http.at));
                        found.push(ModeUse { vendor, mode, by_default, host, place });
                    }
                }
            }
        }
        found
    }

    /// Where a file writes a host.
    fn host_written(&self, file: FileId, host: &str) -> Option<Place> {
        let facts = self.facts(file);
        let (at, _) = facts.texts().find(|(_, text)| text.contains(host))?;
        Some(Place { file, span: facts.span(at) })
    }

    /// The addresses of a developer's machine or a preview that deployed server code hands to vendors, with nothing
    /// that could say something else.
    pub fn passing_addresses(&self) -> Vec<ReturnAddress> {
        let mut found: Vec<ReturnAddress> = Vec::new();
        for used in self.vendor_uses().iter().filter(|used| self.runs_on_server(used.at.file)) {
            let at = used.at;
            for arg in &self.facts(at.file).call(at.call).args {
                let value = ExprRef::new(at.file, arg.value);
                match arg.name {
                    Some(name) => self.address(at, name, value, 3, &mut found),
                    None => self.addresses_in(at, &self.value(value), 3, &mut found),
                }
            }
        }
        found.sort_by_key(|address| address.place);
        found.dedup_by_key(|address| address.place);
        found
    }

    fn addresses_in(&self, at: CallRef, value: &Value, depth: usize, found: &mut Vec<ReturnAddress>) {
        for (name, value) in self.entries(value) {
            self.address(at, name, value, depth, found);
        }
    }

    fn address(&self, at: CallRef, name: Name, value: ExprRef, depth: usize, found: &mut Vec<ReturnAddress>) {
        let given = self.value(value);
        if comes_back(&name) {
            // What a variable, a condition or the request may decide is left alone.
            let first = match &given {
                Value::Text(text) => Some(*text),
                Value::Template(parts) => parts.first().and_then(Value::text),
                _ => None,
            };
            let host = first.and_then(|text| host_of_url(text.as_str()));
            if let Some(host) = host.filter(|host| self.catalogue.is_passing(host)) {
                found.push(ReturnAddress { at, name, host: host.to_owned(), place: self.place(value) });
            }
        } else if depth > 0 && matches!(given, Value::Object(_)) {
            self.addresses_in(at, &given, depth - 1, found);
        }
    }
}

impl Catalogue {
    /// Whether a host is a developer's machine or a preview that goes away.
    pub fn is_passing(&self, host: &str) -> bool {
        is_own_host(host) || self.is_passing_host(host)
    }
}

/// Whether an option names where somebody comes back to: a redirect, a callback, a notification.
pub fn comes_back(name: &str) -> bool {
    let lower: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_address = lower.ends_with("url") || lower.ends_with("uri") || lower.ends_with("to");
    let word =
        ["success", "cancel", "return", "redirect", "callback", "notif", "webhook", "refresh", "failure", "back"];
    is_address && word.iter().any(|word| lower.contains(word))
}
