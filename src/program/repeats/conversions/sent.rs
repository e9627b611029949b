//! Events that a server sends to a vendor's address: Meta's Conversions API.

use crate::catalogue::{SentTo, Tracker};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::{Destination, ExprRef, FunctionRef, HttpUse, Program};

use super::Conversion;

impl Program {
    /// Adds the conversions that requests report.
    pub(super) fn sent_events<'p>(&'p self, found: &mut Vec<Conversion<'p>>) {
        for tracker in self.catalogue.trackers() {
            let Some(to) = &tracker.sent_to else { continue };
            for http in self.requests().iter().filter(|http| goes_to(http, to)) {
                let side = self.side(http.at.file);
                if side.tooling || side.dead {
                    continue;
                }
                let function = self.function_of(http.at);
                for event in self.events_in(function, tracker, to) {
                    let told_apart = self.names_one_of(function, &tracker.dedup);
                    self.named(http.at, event, tracker, told_apart, 3, found);
                }
            }
        }
    }

    /// What names the events that are put together in a function.
    fn events_in<'p>(
        &'p self,
        function: FunctionRef,
        tracker: &'p Tracker,
        to: &'p SentTo,
    ) -> impl Iterator<Item = ExprRef> + 'p {
        let facts = self.facts(function.file);
        let around = facts.function(function.function).span;
        facts.objects().filter(move |(at, _)| around.contains(facts.span(*at))).filter_map(move |(_, entries)| {
            let name = entries.iter().find(|(key, _)| tracker.option.as_deref() == Some(key.as_str()))?.1;
            let beside = entries.iter().any(|(key, _)| to.beside.iter().any(|known| *key == **known));
            beside.then_some(ExprRef::new(function.file, name))
        })
    }

    /// Whether a function names one of some fields at all: as a key, a member, a parameter or a text.
    fn names_one_of(&self, function: FunctionRef, names: &[String]) -> bool {
        let facts = self.facts(function.file);
        let around = facts.function(function.function).span;
        let known = |name: &Name| names.iter().any(|one| is_named(name, one));
        facts.exprs.iter().filter(|expr| around.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Object(entries) => entries.iter().any(|(key, _)| known(key)) || spreads(facts, entries),
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) | ExprKind::Text(name) => known(name),
            _ => false,
        })
    }
}

/// Whether an object takes over fields of another, which may hold anything; of `...(phone ? { ph } : {})` all is seen.
fn spreads(facts: &Facts, entries: &[(Name, ExprId)]) -> bool {
    let is_seen = |value: ExprId| matches!(facts.expr(value), ExprKind::Op(..) | ExprKind::Object(_));
    entries.iter().any(|&(key, value)| matches!(key.as_str(), "..." | "**") && !is_seen(value))
}

/// Whether a name is a field's, however it is written: `event_id`, `eventId`, `_fbp`.
fn is_named(name: &str, field: &str) -> bool {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    plain(name) == plain(field)
}

/// Whether a request goes to where events are sent.
fn goes_to(http: &HttpUse, to: &SentTo) -> bool {
    http.to.iter().any(|destination| match destination {
        Destination::Vendor(_, host, path) | Destination::Host(host, path) => {
            let path = path.split('?').next().unwrap_or_default();
            **host == *to.host && path.trim_end_matches('/').ends_with(&to.path)
        }
        _ => false,
    })
}
