//! Fields that a vendor's answers had, and have no more from some version of its API on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source, VendorId};

/// Fields that answers have no more.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// Whose fields they were, in messages: `a subscription`.
    pub of: String,
    /// Where such objects come from, from the client on: `subscriptions.retrieve()`, `subscriptions.list().data[]`.
    pub answers: Vec<String>,
    /// They are methods: `answer.get("name")`. Then `since` is the version of the SDK.
    #[serde(default)]
    pub methods: bool,
    /// The fields, and where what they said stands now.
    pub fields: BTreeMap<String, String>,
    /// The first day's version of the API without them, and its whole name: `2025-03-31.basil`.
    pub since: String,
    /// The client's option that names a version.
    pub option: String,
    /// The SDKs that name a version by themselves, and the first major whose version is without them.
    pub sdk: BTreeMap<String, u32>,
    /// Where it comes from.
    pub source: Source,
}

impl Dropped {
    /// Whether a version of the API, as clients name it, is without the fields: none when it is no date.
    pub fn is_gone_in(&self, version: &str) -> Option<bool> {
        let day = |text: &str| {
            text.get(..10).filter(|day| day.bytes().filter(|byte| *byte == b'-').count() == 2).map(str::to_owned)
        };
        Some(day(version)? >= day(&self.since)?)
    }
}

impl Catalogue {
    /// What answers of vendors have no more, with whose they are.
    pub fn dropped(&self) -> impl Iterator<Item = (VendorId, &Dropped)> {
        self.vendors().iter().flat_map(|vendor| {
            let id = self.vendor_named(&vendor.id);
            vendor.dropped.iter().filter_map(move |dropped| Some((id?, dropped)))
        })
    }
}
