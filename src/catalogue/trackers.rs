//! How events are reported to analytics and advertising vendors.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A call that reports an event.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tracker {
    /// Whose it is, for messages.
    pub name: String,
    /// The vendor's id in the catalogue, when it has one.
    pub vendor: Option<String>,
    /// How the call is written at its end: `gtag`, `posthog.capture`.
    #[serde(default)]
    pub call: String,
    /// Instead of a call: how the address ends that a server sends its events to, `graph.facebook.com/{..}/events`
    /// without what stands between.
    pub sent_to: Option<SentTo>,
    /// Who counts the events, where browser and server report them by different ways: `Meta`.
    pub counted_by: Option<String>,
    /// Only when it comes from this package: `npm:@vercel/analytics`.
    pub package: Option<String>,
    /// What its first argument says when it reports an event: `event`, `track`.
    #[serde(default)]
    pub first: Vec<String>,
    /// Position of the event's name.
    #[serde(default)]
    pub event: usize,
    /// Its position in Python where the person comes first: `capture("user", "signed_up")`.
    pub after_person: Option<usize>,
    /// Inside that argument's object, or under that keyword, when it is one: `event`.
    pub option: Option<String>,
    /// What makes a second report of the same action harmless: `transaction_id`.
    #[serde(default)]
    pub dedup: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a server sends events, and how one looks in what it sends.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SentTo {
    /// The host.
    pub host: String,
    /// How the path ends: `/events`.
    pub path: String,
    /// What stands in an event beside its name, one of these at least: `event_time`.
    pub beside: Vec<String>,
}

impl Tracker {
    /// Who counts the events.
    pub fn counter(&self) -> Option<&str> {
        self.counted_by.as_deref().or(self.vendor.as_deref())
    }
}

impl Catalogue {
    /// Every way to report an event.
    pub fn trackers(&self) -> &[Tracker] {
        &self.trackers
    }
}
