//! What a change brings: vendors that nothing used before, the secrets and webhooks that come with them, and vendors
//! that it puts onto core paths. Asked only when a change is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Category, Core, VendorId};
use crate::diff::Changes;
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::money::core_paths::{Callers, Weight};
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Program};

/// The change that is looked at.
#[derive(Debug, Clone)]
pub struct Change {
    /// The lines it touches.
    pub touched: Arc<Changes>,
    /// What was there before it.
    pub before: Before,
}

/// The ids of vendors that were used before a change, and those that core paths waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendors {
    /// Used anywhere.
    pub used: BTreeSet<String>,
    /// On core paths.
    pub on_core_paths: BTreeSet<(Core, String)>,
}

/// Finds out what was used before, when somebody wants to know: it takes as long as a scan.
#[derive(Clone, Default)]
pub struct Before(pub Option<Arc<dyn Fn() -> Option<Vendors> + Send + Sync>>);

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Before(..)" } else { "Before" })
    }
}

/// A vendor that a change brings.
#[derive(Debug, Clone)]
pub struct Added {
    /// Which.
    pub vendor: VendorId,
    /// Its calls, in the order of their places.
    pub calls: Vec<CallRef>,
    /// The environment variables that hold its secrets, each with its first read.
    pub secrets: Vec<(Name, Place)>,
    /// Where its deliveries come in.
    pub webhooks: Vec<Place>,
    /// The core paths that wait for it now and did not before, and could do without, each with the call.
    pub onto: Vec<(Core, CallRef)>,
}

impl Program {
    /// The vendors that the change brings, or puts onto core paths, by their first calls.
    pub fn added_vendors(&self) -> Vec<Added> {
        let Some(change) = &self.change else { return vec![] };
        let touched = |call: CallRef| self.is_touched(change, self.call_place(call));
        let mut found: BTreeMap<VendorId, Added> = BTreeMap::new();
        let mut old: BTreeSet<VendorId> = BTreeSet::new();
        for used in self.vendor_uses().iter().filter(|used| self.counts(used.at.file, used.vendor)) {
            if !touched(used.at) {
                old.insert(used.vendor);
                continue;
            }
            let new = || Added { vendor: used.vendor, calls: vec![], secrets: vec![], webhooks: vec![], onto: vec![] };
            let added = found.entry(used.vendor).or_insert_with(new);
            added.calls.push(used.at);
        }
        // One that only delivers is called by nothing.
        for (vendor, place) in self.delivering() {
            if !self.is_touched(change, place) {
                old.insert(vendor);
                continue;
            }
            let new = || Added { vendor, calls: vec![], secrets: vec![], webhooks: vec![], onto: vec![] };
            found.entry(vendor).or_insert_with(new);
        }
        let mut onto: BTreeMap<(Core, VendorId), (CallRef, bool)> = BTreeMap::new();
        if !found.is_empty() {
            // A checkout is the work of who is paid through, and a login that of who knows the user.
            let uses = self.core_uses(&Core::ALL);
            for used in uses.iter().filter(|used| used.weight == Weight::Other) {
                let Some(vendor) = used.out.vendor_id() else { continue };
                let entry = onto.entry((used.core, vendor)).or_insert((used.out.at, true));
                entry.1 &= touched(used.out.at) || touched(used.on_path);
            }
        }
        onto.retain(|_, (_, new)| *new);
        found.retain(|vendor, _| !old.contains(vendor) || onto.keys().any(|(_, of)| of == vendor));
        if found.is_empty() {
            return vec![];
        }
        // Lines may have moved: what the other side used is not new.
        let before = change.before.0.as_ref().and_then(|ask| ask()).unwrap_or_default();
        let id = |vendor: VendorId| self.catalogue.vendor(vendor).id.clone();
        onto.retain(|(core, vendor), _| !before.on_core_paths.contains(&(*core, id(*vendor))));
        let is_new = |vendor: VendorId| !old.contains(&vendor) && !before.used.contains(&id(vendor));
        found.retain(|vendor, _| is_new(*vendor) || onto.keys().any(|(_, of)| of == vendor));
        let mut found: Vec<Added> = found.into_values().collect();
        for added in &mut found {
            let of = onto.iter().filter(|((_, vendor), _)| *vendor == added.vendor);
            added.onto = of.map(|((core, _), (call, _))| (*core, *call)).collect();
            if is_new(added.vendor) {
                added.secrets = self.secrets_of(change, added.vendor);
                added.webhooks = self.webhooks_from(change, added.vendor);
            }
        }
        found.retain(|added| is_new(added.vendor) || !added.onto.is_empty());
        found.sort_by_key(|added| (added.calls.is_empty(), added.calls.first().copied()));
        found
    }

    /// The entry point that leads to a call, as the trace of a core path says it.
    pub fn entry_point_of(&self, call: CallRef) -> Option<String> {
        let callers = self.starters.get_or_init(|| Callers::new(self));
        let starts = callers.starts(self, self.function_of(call));
        starts.first().map(|start| start.text.clone())
    }

    fn is_touched(&self, change: &Change, place: Place) -> bool {
        let path = self.file(place.file).path;
        let line = self.line(place);
        change.touched.files.get(path.as_str()).is_some_and(|touched| touched.touches(line, line))
    }

    /// Whether a use of a vendor in a file is one of the app's: deployed, and not of its own backend. What watches over
    /// the app is no way for it to fail.
    fn counts(&self, file: FileId, vendor: VendorId) -> bool {
        let (side, vendor) = (self.side(file), self.catalogue.vendor(vendor));
        !side.tooling && !side.dead && !vendor.own_backend && vendor.category != Category::Monitoring
    }

    fn secrets_of(&self, change: &Change, vendor: VendorId) -> Vec<(Name, Place)> {
        let mut found: Vec<(Name, Place)> = vec![];
        for (file, facts) in self.code().filter(|(file, _)| self.counts(*file, vendor)) {
            for (at, name) in facts.env_reads() {
                let place = Place { file, span: facts.span(at) };
                let is_its = self.catalogue.env(&name).is_some_and(|(of, secret)| of == vendor && secret);
                if is_its && !found.iter().any(|(known, _)| *known == name) && self.is_touched(change, place) {
                    found.push((name, place));
                }
            }
        }
        found
    }

    /// The vendors whose deliveries come in, and where.
    fn delivering(&self) -> impl Iterator<Item = (VendorId, Place)> {
        let its = |handler: &WebhookHandler| Some((handler.vendor?, self.entries[handler.entry].place));
        self.webhook_handlers().iter().filter_map(its).filter(|(vendor, place)| self.counts(place.file, *vendor))
    }

    /// The places of all deliveries.
    pub fn delivery_places(&self) -> impl Iterator<Item = Place> {
        self.delivering().map(|(_, place)| place)
    }

    fn webhooks_from(&self, change: &Change, vendor: VendorId) -> Vec<Place> {
        let its = self.webhook_handlers().iter().filter(|handler| handler.vendor == Some(vendor));
        its.map(|handler| self.entries[handler.entry].place).filter(|place| self.is_touched(change, *place)).collect()
    }

    /// The vendors that are used, and those that core paths wait for: what a later change is measured against.
    pub fn vendors_in_use(&self) -> Vendors {
        let id = |vendor: VendorId| self.catalogue.vendor(vendor).id.clone();
        let used = self.vendor_uses().iter().filter(|used| self.counts(used.at.file, used.vendor));
        let core = self.core_uses(&Core::ALL);
        Vendors {
            used: used.map(|used| used.vendor).chain(self.delivering().map(|(vendor, _)| vendor)).map(id).collect(),
            on_core_paths: core.iter().filter_map(|used| Some((used.core, id(used.out.vendor_id()?)))).collect(),
        }
    }
}
