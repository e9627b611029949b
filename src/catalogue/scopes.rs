//! Permissions that vendors grant, and which of them are broader than most apps need.

use serde::{Deserialize, Serialize};

use super::Source;

/// A permission broader than most uses need.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// As it is asked for: `https://www.example.com/auth/drive`.
    pub scope: String,
    /// What it lets the app do, for messages: `read, change and delete every file`.
    pub grants: String,
    /// What to ask for instead, by need.
    pub narrower: String,
    /// A file that asks for it names this address: for scopes that are ordinary words.
    pub asked_at: Option<String>,
    /// Calls that send a customer to authorize, or exchange what comes back: for scopes that are ordinary where an app
    /// asks in its own name.
    #[serde(default)]
    pub asked_by: Vec<String>,
    /// Addresses that code of the app asks, one at least, so that there is something narrower to say: `/me/messages`.
    #[serde(default)]
    pub used_with: Vec<String>,
    /// Packages with which there is no narrower one: an IMAP client.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Calls that make an account of the app's own, which reaches only what is shared with it: a file that has one
    /// of them asks no customer.
    #[serde(default)]
    pub unless_calls: Vec<String>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}
