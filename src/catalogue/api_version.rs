//! How vendors let code say which version of their API it was written for, and what decides when it does not.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source, VendorId, glob};
use crate::names::Name;

/// A way to call a vendor's API without saying which version of it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiVersion {
    /// Only on these of the vendor's hosts; empty: on all. `*` stands for any run of characters.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The paths it is about; `*` stands for any run, `{}` for a part that is not constant.
    pub http: Vec<String>,
    /// Those among them that have no version, or are documented without one.
    #[serde(default)]
    pub except: Vec<String>,
    /// The header that names the version. Without it the paths themselves are what names none.
    pub header: Option<String>,
    /// How the vendor is called, in messages: `without a \`Stripe-Version\` header`.
    pub how: String,
    /// What decides then, and what that does: `the account's default version decides, ..`.
    pub then: String,
    /// What to write, as an order.
    pub cure: String,
    /// Packages of which old versions name none either.
    #[serde(default)]
    pub sdk: Vec<OldSdk>,
    /// Where it comes from.
    pub source: Source,
}

/// A package that names a version of the API by itself only from some release on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OldSdk {
    /// `npm:stripe`.
    pub package: String,
    /// The first major that names one.
    pub since: u32,
    /// The client's option that names one.
    pub option: String,
    /// What to write, as an order.
    pub cure: String,
    /// Where it comes from.
    pub source: Source,
}

impl ApiVersion {
    /// Whether a request to a host and path needs a version.
    pub fn covers(&self, host: &str, path: &str) -> bool {
        let any = |forms: &[String], text: &str| forms.iter().any(|form| glob::matches(form, text));
        let path = path.split(['?', '#']).next().unwrap_or(path);
        (self.hosts.is_empty() || any(&self.hosts, host)) && any(&self.http, path) && !any(&self.except, path)
    }
}

impl Catalogue {
    /// The ways to call a vendor's API without a version.
    pub fn api_versions(&self, vendor: VendorId) -> &[ApiVersion] {
        &self.vendor(vendor).api_versions
    }

    /// A package that names no version of the API before some major.
    pub fn old_sdk(&self, vendor: VendorId, package: Name) -> Option<(&ApiVersion, &OldSdk)> {
        self.api_versions(vendor).iter().find_map(|version| {
            version.sdk.iter().find(|sdk| package == sdk.package.as_str()).map(|sdk| (version, sdk))
        })
    }
}
