//! What a vendor has shut down, or has said it will.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source, VendorId, glob};
use crate::names::Name;

/// Something a vendor has shut down, or will.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// What it is, in messages: `the Assistants API`. Of a model the name is put after it: `the model`.
    pub what: String,
    /// The names of models.
    #[serde(default)]
    pub models: Vec<String>,
    /// Calls of its SDKs as messages name them, without the client: `beta.threads.*`; `*` stands for any run.
    #[serde(default)]
    pub sdk: Vec<String>,
    /// Paths of its HTTP API: `/v1/threads*`; `*` stands for any run.
    #[serde(default)]
    pub http: Vec<String>,
    /// The only host at which those paths are retired: the same are served at another.
    pub host: Option<String>,
    /// SDKs, whole or up to a major version.
    #[serde(default, rename = "package")]
    pub packages: Vec<RetiredPackage>,
    /// It goes on working, but is not mended any more.
    #[serde(default)]
    pub unsupported: bool,
    /// The day it is shut down: `YYYY-MM-DD`.
    pub date: String,
    /// What happens from then on, when calls do not simply fail: `requests are answered by another version`.
    pub then: Option<String>,
    /// What to use in its place, as an order: `use the Responses API`.
    pub cure: String,
    /// Where it comes from.
    pub source: Source,
}

/// An SDK that is retired.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RetiredPackage {
    /// The package: `npm:aws-sdk`.
    pub name: String,
    /// Only versions below this major are.
    pub below: Option<u32>,
}

impl Catalogue {
    /// What the vendors have retired, with whose it is.
    pub fn retired(&self) -> impl Iterator<Item = (VendorId, &Retired)> {
        self.vendors().iter().flat_map(|vendor| {
            let id = self.vendor_named(&vendor.id);
            vendor.retired.iter().filter_map(move |retired| Some((id?, retired)))
        })
    }
}

impl Retired {
    /// The form that a path of the vendor's HTTP API has, when it is part of it.
    pub fn path_form(&self, path: Name) -> Option<&str> {
        self.http.iter().find(|form| glob::matches(form, &path)).map(String::as_str)
    }

    /// Whether a call of the vendor's SDK is part of it, by its name in messages: `client.beta.threads.create`.
    pub fn has_call(&self, name: &str) -> bool {
        let call = name.split_once('.').map_or(name, |(_, call)| call);
        self.sdk.iter().any(|form| glob::matches(form, call))
    }
}
