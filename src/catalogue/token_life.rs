//! How long OAuth access tokens last.

use serde::{Deserialize, Serialize};

use super::Source;

/// How long a vendor's OAuth access tokens last.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLife {
    /// Seconds; 0: they do not end by themselves.
    pub seconds: u32,
    /// In words, for messages: `30 minutes`.
    pub says: String,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

/// The permission without which a vendor's OAuth gives nothing that renews a token.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineScope {
    /// As it stands in the list of what is asked for: `offline_access`.
    pub scope: String,
    /// The end of the address for which that holds: `/oauth2/v2.0/authorize`.
    pub path: String,
    /// Where it comes from.
    pub source: Source,
}

/// A token of another vendor that a login's library hands on without renewing it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HandedToken {
    /// The member that holds it: `provider_token`.
    pub token: String,
    /// The member that holds what renews it.
    pub renewed_by: String,
    /// Calls that read the login again later: the token is in their answer only until it ends.
    #[serde(default)]
    pub read_later_by: Vec<String>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}
