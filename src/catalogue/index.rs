//! Tables made once when the catalogue is loaded, so that a question about a call costs a look-up.

use rustc_hash::{FxHashMap, FxHashSet};

use super::pattern::{Maker, Pattern, Patterns, Route};
use super::{HttpClient, Known, Vendor, glob};
use crate::names::Name;

/// A vendor of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VendorId(pub u16);

impl VendorId {
    /// The position in [`super::Catalogue::vendors`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A vendor's package.
#[derive(Debug)]
pub(super) struct Sdk {
    pub(super) vendor: VendorId,
    /// The position in the vendor's packages.
    pub(super) package: usize,
    pub(super) makers: Vec<Maker>,
    pub(super) sends_nothing: Patterns,
}

/// What a package name stands for.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) sdks: Vec<Sdk>,
    /// Positions in the catalogue's HTTP clients.
    pub(super) clients: Vec<usize>,
    /// Paths of known functions.
    pub(super) functions: Patterns,
}

/// A vendor's patterns.
#[derive(Debug, Default)]
pub(super) struct VendorIndex {
    pub(super) operations: Patterns,
    pub(super) routes: Vec<(Route, usize)>,
    pub(super) verify: Patterns,
    pub(super) verify_async: Patterns,
    pub(super) verify_boolean: Patterns,
}

/// An HTTP client's patterns.
#[derive(Debug, Default)]
pub(super) struct ClientIndex {
    pub(super) instances: Vec<Maker>,
    pub(super) requests: Patterns,
}

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) ids: FxHashMap<Name, VendorId>,
    pub(super) roots: Vec<Root>,
    /// Package names to roots.
    pub(super) packages: FxHashMap<Name, usize>,
    /// Python packages that are only namespaces of listed ones: `pypi:google` of `pypi:google.genai`.
    pub(super) namespaces: FxHashSet<Name>,
    pub(super) vendors: Vec<VendorIndex>,
    pub(super) clients: Vec<ClientIndex>,
    pub(super) hosts: FxHashMap<&'static str, VendorId>,
    /// `*.x.com` by `x.com`.
    pub(super) host_suffixes: FxHashMap<&'static str, VendorId>,
    /// Other forms, the most specific first.
    pub(super) host_globs: Vec<(&'static str, VendorId)>,
    pub(super) envs: FxHashMap<&'static str, (VendorId, bool)>,
    pub(super) env_globs: Vec<(&'static str, VendorId, bool)>,
    pub(super) headers: FxHashMap<&'static str, Vec<VendorId>>,
    pub(super) events: FxHashMap<&'static str, Vec<VendorId>>,
    pub(super) event_globs: Vec<(&'static str, VendorId)>,
    /// Methods that set a time limit on a client, a package or the process.
    pub(super) limit_setters: FxHashSet<&'static str>,
}

impl Index {
    /// Indexes vendors, HTTP clients and known functions. Patterns that do not parse are left out: they were
    /// reported when the files were checked.
    pub(super) fn new(vendors: &[Vendor], clients: &[HttpClient], functions: &[Known]) -> Self {
        let mut index = Self::default();
        for (at, vendor) in vendors.iter().enumerate() {
            index.vendor(VendorId(at as u16), vendor);
        }
        for (at, client) in clients.iter().enumerate() {
            index.client(at, client);
        }
        for (at, function) in functions.iter().enumerate() {
            let root = index.root(&function.package);
            push_all(&mut index.roots[root].functions, &function.paths, at);
        }
        index.host_globs.sort_by_key(|&(form, vendor)| (std::cmp::Reverse(glob::fixed(form)), vendor, form));
        index.env_globs.sort_by_key(|&(form, vendor, _)| (std::cmp::Reverse(glob::fixed(form)), vendor, form));
        index
    }

    fn vendor(&mut self, id: VendorId, vendor: &Vendor) {
        self.ids.insert(Name::new(&vendor.id), id);
        for (at, package) in vendor.packages.iter().enumerate() {
            let makers = package.clients.iter().filter_map(|text| Maker::parse(text).ok());
            let makers = makers.map(|maker| maker.with_alias(&package.name)).collect();
            let mut sends_nothing = Patterns::default();
            push_all(&mut sends_nothing, &package.sends_nothing, 0);
            let root = self.root(&package.name);
            for name in package.timeout.iter().flat_map(|timeout| &timeout.client).filter(|name| name.starts_with("set")) {
                self.limit_setters.insert(Name::new(name).as_str());
            }
            self.roots[root].sdks.push(Sdk { vendor: id, package: at, makers, sends_nothing });
        }
        let mut own = VendorIndex::default();
        for (at, call) in vendor.calls.iter().enumerate() {
            push_all(&mut own.operations, &call.sdk, at);
            own.routes.extend(call.http.iter().filter_map(|text| Some((Route::parse(text).ok()?, at))));
        }
        for (at, webhook) in vendor.webhooks.iter().enumerate() {
            push_all(&mut own.verify, &webhook.verify, at);
            push_all(&mut own.verify_async, &webhook.verify_async, at);
            push_all(&mut own.verify_boolean, &webhook.verify_boolean, at);
            for header in &webhook.headers {
                add(&mut self.headers, Name::new(&header.to_ascii_lowercase()), id);
            }
            for event in &webhook.events {
                if glob::is_glob(event) {
                    self.event_globs.push((Name::new(event).as_str(), id));
                } else {
                    add(&mut self.events, Name::new(event), id);
                }
            }
        }
        self.vendors.push(own);
        for host in &vendor.hosts {
            let host = Name::new(&host.to_ascii_lowercase()).as_str();
            match host.strip_prefix("*.") {
                Some(rest) if !glob::is_glob(rest) => drop(self.host_suffixes.entry(rest).or_insert(id)),
                _ if glob::is_glob(host) => self.host_globs.push((host, id)),
                _ => drop(self.hosts.entry(host).or_insert(id)),
            }
        }
        for env in &vendor.envs {
            let name = Name::new(&env.name).as_str();
            if glob::is_glob(name) {
                self.env_globs.push((name, id, env.secret));
            } else {
                self.envs.entry(name).or_insert((id, env.secret));
            }
        }
    }

    fn client(&mut self, at: usize, client: &HttpClient) {
        let mut own = ClientIndex::default();
        own.instances.extend(client.instances.iter().filter_map(|text| Maker::parse(text).ok()));
        for (request, entry) in client.requests.iter().enumerate() {
            push_all(&mut own.requests, std::slice::from_ref(&entry.path), request);
        }
        self.clients.push(own);
        let process = client.process_timeout.iter().filter_map(|path| path.rsplit_once('.')).map(|(_, name)| name);
        for name in client.instance_calls.iter().map(String::as_str).chain(process) {
            self.limit_setters.insert(Name::new(name).as_str());
        }
        let root = self.root(&client.package);
        self.roots[root].clients.push(at);
    }

    /// The root of a package; made when it is new, with the other names it goes by.
    fn root(&mut self, package: &str) -> usize {
        let name = Name::new(package);
        if let Some(&root) = self.packages.get(&name) {
            return root;
        }
        let root = self.roots.len();
        self.roots.push(Root::default());
        self.packages.insert(name, root);
        if let Some((scheme @ ("pypi" | "py"), path)) = package.split_once(':') {
            // `py:` and `pypi:` name one space; an import has no `-`.
            let path = path.replace('-', "_");
            for scheme in [scheme, if scheme == "py" { "pypi" } else { "py" }] {
                self.packages.entry(Name::new(&format!("{scheme}:{path}"))).or_insert(root);
                for (dot, _) in path.match_indices('.') {
                    self.namespaces.insert(Name::new(&format!("{scheme}:{}", &path[..dot])));
                }
            }
        }
        root
    }
}

fn push_all(patterns: &mut Patterns, texts: &[String], leads_to: usize) {
    for pattern in texts.iter().filter_map(|text| Pattern::parse(text).ok()) {
        patterns.push(pattern, leads_to);
    }
}

fn add(map: &mut FxHashMap<&'static str, Vec<VendorId>>, key: Name, id: VendorId) {
    let vendors = map.entry(key.as_str()).or_default();
    if !vendors.contains(&id) {
        vendors.push(id);
    }
}
