//! Which of a vendor's modes code talks to, test or live.

use crate::catalogue::{Catalogue, VendorId, is_among};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{Destination, Program};

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

impl Catalogue {
    /// Which data one of a vendor's hosts reaches, where it has two kinds.
    pub fn mode_of(&self, vendor: VendorId, host: &str) -> Option<Mode> {
        let vendor = self.vendor(vendor);
        if is_among(&vendor.test_hosts, host) {
            Some(Mode::Test)
        } else {
            is_among(&vendor.live_hosts, host).then_some(Mode::Live)
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
}
