//! Middleware of packages that refuses whoever has no session.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A function that makes middleware which lets nobody pass without a session, unless it is told to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Gatekeeper {
    /// The package: `npm:next-auth`.
    pub package: String,
    /// The function's name.
    pub function: String,
    /// Options that hold patterns of paths that it lets through.
    #[serde(default)]
    pub open: Vec<String>,
    /// A dotted option with a function that decides instead: `callbacks.authorized`.
    pub decides: Option<String>,
    /// Options with which code takes over what happens.
    #[serde(default)]
    pub taken_over_by: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// The gatekeeper that a package's function makes.
    pub fn gatekeeper(&self, package: &str, function: &str) -> Option<&Gatekeeper> {
        self.gatekeepers.iter().find(|known| known.package == package && known.function == function)
    }
}
