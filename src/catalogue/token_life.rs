//! How long OAuth access tokens last.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source, VendorId};
use crate::names::Name;

/// How long a vendor's OAuth access tokens last.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLife {
    /// Seconds; 0: they do not end by themselves.
    pub seconds: u32,
    /// In words, for messages: `30 minutes`.
    pub says: String,
    /// Libraries that exchange codes for these tokens and are no SDK of the vendor: `pypi:google_auth_oauthlib`.
    #[serde(default)]
    pub exchanged_by: Vec<String>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

/// What an authorization must ask for, so that a refresh token comes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Offline {
    /// Where customers are sent to authorize, beside the vendor's own hosts.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The parameter: `access_type`.
    pub parameter: String,
    /// Its value: `offline`.
    pub value: String,
    /// What else to say so that one comes for customers who agreed before, for cures.
    pub again: String,
    /// Libraries that set it by themselves.
    #[serde(default)]
    pub set_by: Vec<String>,
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

impl Catalogue {
    /// The vendor for whose tokens a library of others exchanges codes.
    pub fn exchanged_by(&self, package: Name) -> Option<VendorId> {
        let exchanges = |life: &TokenLife| life.exchanged_by.iter().any(|known| *package == **known);
        let at = self.vendors().iter().position(|vendor| vendor.token_life.as_ref().is_some_and(exchanges))?;
        Some(VendorId(at as u16))
    }
}
