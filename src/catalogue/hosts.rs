//! Whose a host is.

use super::{Catalogue, VendorId, glob};

impl Catalogue {
    /// The vendor that serves a host: `api.x.com`, `API.X.com:443`, `{}.x.com` with a part that is not known.
    /// An exact entry goes before `*.x.com`, the longest of those before other forms.
    pub fn vendor_of_host(&self, host: &str) -> Option<VendorId> {
        let host = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        if let Some(&vendor) = self.index.hosts.get(host.as_str()) {
            return Some(vendor);
        }
        let mut rest = host.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(&vendor) = self.index.host_suffixes.get(parent) {
                return Some(vendor);
            }
            rest = parent;
        }
        let mut globs = self.index.host_globs.iter();
        globs.find(|(form, _)| glob::matches(form, &host)).map(|(_, vendor)| *vendor)
    }

    /// The vendor that serves a path of a host, where one company keeps several services on it.
    pub fn vendor_of_path(&self, host: &str, path: &str) -> Option<VendorId> {
        let own = self.index.host_paths.get(host).into_iter().flatten();
        let own = own.filter(|(start, _)| path.starts_with(&**start)).max_by_key(|(start, _)| start.len());
        own.map(|(_, vendor)| *vendor).or_else(|| self.vendor_of_host(host))
    }

    /// The vendor that serves an absolute URL.
    pub fn vendor_of_url(&self, url: &str) -> Option<VendorId> {
        self.vendor_of_host(host_of_url(url)?)
    }
}

/// Whether a host is one of a list, or has the form of one: `*.sandbox.x.com`.
pub fn is_among(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|known| glob::matches(known, host))
}

/// The host of an absolute URL, as it is written, without user and port.
pub fn host_of_url(url: &str) -> Option<&str> {
    let url = url.trim_start();
    let (scheme, rest) = url.split_once("//")?;
    let scheme = scheme.strip_suffix(':').unwrap_or(if scheme.is_empty() { "https" } else { "" });
    if !["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = without_port(authority.rsplit('@').next().unwrap_or(authority));
    (!host.is_empty()).then_some(host)
}

/// Whether a host is this machine or its network: nothing leaves.
pub fn is_own_host(host: &str) -> bool {
    let host = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let address = host.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    address
        || matches!(host.as_str(), "localhost" | "0.0.0.0" | "[::1]" | "::1" | "[::]" | "host.docker.internal")
        || [".localhost", ".local", ".internal"].iter().any(|own| host.ends_with(own))
}

fn without_port(host: &str) -> &str {
    if let Some(close) = host.find(']') {
        return &host[..=close];
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}
