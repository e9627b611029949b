//! Calls of a vendor's API that do not say which version of it they were written for.

use std::collections::BTreeMap;

use crate::catalogue::{ApiVersion, VendorId};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::{Destination, HttpUse, Program};

/// Calls in one file that name no version.
#[derive(Debug)]
pub struct Unversioned<'p> {
    /// Whose API.
    pub vendor: VendorId,
    /// How a version is named there.
    pub version: &'p ApiVersion,
    /// What to write.
    pub cure: &'p str,
    /// The call, for messages and as subject: `GET /v1/charges`, `npm:stripe`.
    pub what: String,
    /// Where, the first first.
    pub places: Vec<Place>,
}

/// One way to name no version in one file: whose, which way, through the SDK or not.
type Key = (FileId, VendorId, usize, bool);

impl Program {
    /// The calls of vendors' APIs that name no version, once for a vendor and file.
    pub fn unversioned(&self) -> Vec<Unversioned<'_>> {
        let mut found: BTreeMap<Key, Unversioned<'_>> = BTreeMap::new();
        for http in self.requests().iter().filter(|http| self.is_shipped(http.at.file)) {
            self.unversioned_request(http, &mut found);
        }
        for client in self.clients().iter().filter(|client| self.is_shipped(client.at.file)) {
            let Some((version, sdk)) = self.catalogue.old_sdk(client.vendor, client.package) else { continue };
            if self.is_older(client.at.file, client.package, (sdk.since, 0))
                && self.option(client.at, &sdk.option) == Lookup::Absent
            {
                let place = self.call_place(client.at);
                let what = client.package.to_string();
                let new = Unversioned { vendor: client.vendor, version, cure: &sdk.cure, what, places: vec![] };
                found.entry((place.file, client.vendor, 0, true)).or_insert(new).places.push(place);
            }
        }
        for one in found.values_mut() {
            one.places.sort();
            one.places.dedup();
        }
        found.into_values().collect()
    }

    fn is_shipped(&self, file: FileId) -> bool {
        let side = self.side(file);
        !side.tooling && !side.dead
    }

    fn unversioned_request<'p>(&'p self, http: &HttpUse, found: &mut BTreeMap<Key, Unversioned<'p>>) {
        for to in &http.to {
            let Destination::Vendor(vendor, host, path) = to else { continue };
            let same = |to: &Destination| matches!(to, Destination::Vendor(other, ..) if other == vendor);
            for (at, version) in self.catalogue.api_versions(*vendor).iter().enumerate() {
                // Which headers go with which of several vendors is not known.
                let named = || match &version.header {
                    Some(header) => !http.to.iter().all(same) || self.sent_header(http, header) != Lookup::Absent,
                    None => false,
                };
                if !version.covers(host, path) || named() || self.reads_only_status(http) {
                    continue;
                }
                // A wrapper that knows the vendor is where the version belongs; its callers only repeat it.
                let inside = self.requests_at(http.inner).iter().any(|own| own.to.iter().any(same));
                let place = self.call_place(if inside { http.inner } else { http.at });
                let what = match http.method {
                    Some(method) => format!("{method} {path}"),
                    None => path.to_string(),
                };
                let new = Unversioned { vendor: *vendor, version, cure: &version.cure, what, places: vec![] };
                found.entry((place.file, *vendor, at, false)).or_insert(new).places.push(place);
            }
        }
    }

    /// Whether of a request's answer only how it went is looked at: a check of whether the vendor is there.
    fn reads_only_status(&self, http: &HttpUse) -> bool {
        const HOW: &[&str] = &["ok", "status", "statusText", "status_code", "statusCode", "reason", "is_success"];
        let looks = self.looks(http.at);
        let how = |name: &Name| HOW.contains(&name.as_str());
        !looks.is_empty() && looks.iter().all(|look| look.part.first().is_some_and(how))
    }

    /// A header that a request sends, of its own or its client's instance.
    fn sent_header(&self, http: &HttpUse, name: &str) -> Lookup {
        let names = [name.to_owned()];
        let own = self.request_option(http, "headers");
        let made = http.instance.map_or(Lookup::Absent, |made| self.option(made, "headers"));
        if http.instance.is_some() && own == Lookup::Absent && made == Lookup::Absent {
            // What an instance is given later is not looked at: it may hold all there is.
            return Lookup::Unknown;
        }
        let inside = |headers| match headers {
            Lookup::Present(headers) => self.header(&headers, &names),
            other => other,
        };
        match (inside(own), inside(made)) {
            (Lookup::Absent, other) => other,
            (own, _) => own,
        }
    }
}
