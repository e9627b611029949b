//! Mail services whose mailboxes belong to persons.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A mail service whose mailboxes belong to persons.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mailboxes {
    /// What it is called: `Gmail`.
    pub name: String,
    /// Its servers for outgoing mail.
    pub servers: Vec<String>,
    /// What mail libraries call it.
    #[serde(default)]
    pub services: Vec<String>,
    /// The domains of its addresses.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// The mail service of an outgoing server.
    pub fn mailboxes_of_server(&self, server: &str) -> Option<&Mailboxes> {
        self.mailboxes.iter().find(|known| known.servers.iter().any(|name| name.eq_ignore_ascii_case(server)))
    }

    /// The mail service that a library calls so.
    pub fn mailboxes_of_service(&self, service: &str) -> Option<&Mailboxes> {
        self.mailboxes.iter().find(|known| known.services.iter().any(|name| name.eq_ignore_ascii_case(service)))
    }

    /// The mail service of an address.
    pub fn mailboxes_of_address(&self, address: &str) -> Option<&Mailboxes> {
        let (name, domain) = address.rsplit_once('@')?;
        let plain = !name.is_empty() && !name.contains([' ', '<', '"']);
        self.mailboxes.iter().find(|known| plain && known.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    }
}
