//! Headers that take what is also taken as a parameter of the URL.

use serde::{Deserialize, Serialize};

use super::{Source, glob};

/// A header in which a vendor takes its key, besides a parameter of the URL.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHeader {
    /// Only on these of the vendor's hosts; empty: on all. `*` stands for any run of characters.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The parameters it stands for: `key`.
    pub parameters: Vec<String>,
    /// The header, with `KEY` where the key goes: `x-goog-api-key: KEY`.
    pub header: String,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

impl KeyHeader {
    /// Whether it takes the place of a parameter on a host.
    pub fn replaces(&self, host: &str, parameter: &str) -> bool {
        let at_host = self.hosts.is_empty() || self.hosts.iter().any(|form| glob::matches(form, host));
        at_host && self.parameters.iter().any(|known| known.eq_ignore_ascii_case(parameter))
    }
}
