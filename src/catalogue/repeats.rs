//! What is known of repeats: how a vendor makes one harmless, and how a library makes them.

use serde::{Deserialize, Serialize};

use super::Source;

/// How a repeat is made harmless.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// Its id within the vendor.
    pub id: String,
    /// JavaScript option name, in any object argument after the body: `idempotencyKey`.
    #[serde(default)]
    pub js: Vec<String>,
    /// Python keyword or options key: `idempotency_key`.
    #[serde(default)]
    pub py: Vec<String>,
    /// HTTP headers: `Idempotency-Key`.
    #[serde(default)]
    pub header: Vec<String>,
    /// Body fields (dotted): `idempotency_key`, `headers.Idempotency-Key`.
    #[serde(default)]
    pub body: Vec<String>,
    /// Names in the URL's query: `requestid`.
    #[serde(default)]
    pub query: Vec<String>,
    /// The first version of the JavaScript package that takes it; older ones pass it over without a word.
    pub js_since: Option<(u32, u32)>,
    /// So many characters at most.
    pub longest: Option<usize>,
    /// What to write in JavaScript: the key derived from an order, never random.
    pub cure_js: String,
    /// What to write in Python.
    pub cure_py: String,
    /// What to write for raw HTTP.
    pub cure_http: String,
    /// Where it comes from.
    pub source: Source,
}

/// How a library's retry helper repeats.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retries {
    /// How often it tries by default; 0 is without end.
    pub attempts: u32,
    /// Options or keywords that end it: `stop`, `max_tries`, `retries`.
    #[serde(default)]
    pub limit: Vec<String>,
    /// It waits longer each time by default; else not at all.
    #[serde(default)]
    pub backoff: bool,
    /// Options or keywords that say how long it waits.
    #[serde(default)]
    pub wait: Vec<String>,
    /// Functions of the package that make a wait which is always the same.
    #[serde(default)]
    pub constant: Vec<String>,
    /// Functions of the package that make a wait of no length.
    #[serde(default)]
    pub at_once: Vec<String>,
    /// Options or keywords that are a time to wait, always the same.
    #[serde(default)]
    pub fixed: Vec<String>,
    /// The argument by which it is told how to wait, where that has no name.
    pub wait_arg: Option<usize>,
    /// The options that say how its wait grows.
    pub growth: Option<Growth>,
    /// It is handed no function but, as this argument, the client whose requests it repeats.
    pub client: Option<usize>,
    /// The option that decides which failures are tried again: by default those after which the work may be done.
    pub condition: Option<String>,
}

/// How options make a wait grow: the first wait, times a factor for each attempt, and some chance.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// The factor; with one the wait is always the same.
    pub factor: Option<String>,
    /// The factor by default.
    pub factor_default: f64,
    /// The first wait.
    pub first: Option<String>,
    /// The first wait by default.
    #[serde(default)]
    pub first_default: f64,
    /// The longest wait.
    pub most: Option<String>,
    /// What adds chance to it: then no two waits are alike.
    pub random: Option<String>,
    /// It adds chance by default.
    #[serde(default)]
    pub random_default: bool,
}
