//! Tables made once, so that a question about a call costs a look-up: those of names when the catalogue is loaded,
//! those of a vendor's, a package's or a library's patterns when it is first asked for. Most never are.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::pattern::{Maker, Pattern, Patterns, Route};
use super::{HttpClient, Known, Package, Vendor, glob};
use crate::names::Name;

/// A vendor of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    pub(super) patterns: OnceLock<PackageIndex>,
}

/// A package's patterns.
#[derive(Debug, Default)]
pub(super) struct PackageIndex {
    pub(super) makers: Vec<Maker>,
    pub(super) sends_nothing: Patterns,
}

impl PackageIndex {
    pub(super) fn new(package: &Package) -> Self {
        let makers = package.clients.iter().filter_map(|text| Maker::parse(text).ok());
        let mut index =
            Self { makers: makers.map(|maker| maker.with_alias(&package.name)).collect(), ..Self::default() };
        push_all(&mut index.sends_nothing, &package.sends_nothing, 0);
        index
    }
}

/// What a package name stands for.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) sdks: Vec<Sdk>,
    /// Positions in the catalogue's HTTP clients.
    pub(super) clients: Vec<usize>,
    /// Positions in the catalogue's known functions.
    pub(super) functions: Vec<usize>,
    /// Their paths.
    pub(super) paths: OnceLock<Patterns>,
}

impl Root {
    /// Paths of its functions, each leading to its position in all functions.
    pub(super) fn paths(&self, functions: &[Known]) -> &Patterns {
        self.paths.get_or_init(|| {
            let mut paths = Patterns::default();
            for &at in &self.functions {
                push_all(&mut paths, &functions[at].paths, at);
            }
            paths
        })
    }
}

/// A vendor's patterns.
#[derive(Debug, Default)]
pub(super) struct VendorIndex {
    pub(super) operations: Patterns,
    pub(super) routes: Vec<(Route, usize)>,
    pub(super) verify: Patterns,
    pub(super) verify_async: Patterns,
    pub(super) verify_boolean: Patterns,
    pub(super) verify_node: Patterns,
    pub(super) verify_web: Patterns,
}

impl VendorIndex {
    pub(super) fn new(vendor: &Vendor) -> Self {
        let mut index = Self::default();
        for (at, call) in vendor.calls.iter().enumerate() {
            push_all(&mut index.operations, &call.sdk, at);
            index.routes.extend(call.http.iter().filter_map(|text| Some((Route::parse(text).ok()?, at))));
        }
        for (at, webhook) in vendor.webhooks.iter().enumerate() {
            push_all(&mut index.verify, &webhook.verify, at);
            push_all(&mut index.verify_async, &webhook.verify_async, at);
            push_all(&mut index.verify_boolean, &webhook.verify_boolean, at);
            push_all(&mut index.verify_node, &webhook.verify_node, at);
            push_all(&mut index.verify_web, &webhook.verify_web, at);
        }
        index
    }
}

/// An HTTP client's patterns.
#[derive(Debug, Default)]
pub(super) struct ClientIndex {
    pub(super) instances: Vec<Maker>,
    pub(super) requests: Patterns,
}

impl ClientIndex {
    pub(super) fn new(client: &HttpClient) -> Self {
        let instances = client.instances.iter().filter_map(|text| Maker::parse(text).ok()).collect();
        let mut index = Self { instances, ..Self::default() };
        for (at, request) in client.requests.iter().enumerate() {
            push_all(&mut index.requests, std::slice::from_ref(&request.path), at);
        }
        index
    }
}

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) ids: FxHashMap<Name, VendorId>,
    /// The same without dashes.
    pub(super) spelled: FxHashMap<String, VendorId>,
    pub(super) roots: Vec<Root>,
    /// Package names to roots.
    pub(super) packages: FxHashMap<Name, usize>,
    /// Their names as texts.
    pub(super) names: OnceLock<FxHashSet<&'static str>>,
    /// Python packages that are only namespaces of listed ones: `pypi:google` of `pypi:google.genai`.
    pub(super) namespaces: FxHashSet<Name>,
    pub(super) vendors: Vec<OnceLock<VendorIndex>>,
    pub(super) clients: Vec<OnceLock<ClientIndex>>,
    pub(super) hosts: FxHashMap<Box<str>, VendorId>,
    /// By host: the paths on it that are another vendor's, by their beginning.
    pub(super) host_paths: FxHashMap<Box<str>, Vec<(Box<str>, VendorId)>>,
    /// `*.x.com` by `x.com`.
    pub(super) host_suffixes: FxHashMap<Box<str>, VendorId>,
    /// Other forms, the most specific first.
    pub(super) host_globs: Vec<(Box<str>, VendorId)>,
    pub(super) envs: FxHashMap<Box<str>, (VendorId, bool)>,
    pub(super) env_globs: Vec<(Box<str>, VendorId, bool)>,
    /// Fields of forms that vendors deliver.
    pub(super) fields: FxHashMap<Box<str>, Vec<VendorId>>,
    pub(super) headers: FxHashMap<Box<str>, Vec<VendorId>>,
    pub(super) events: FxHashMap<Box<str>, Vec<VendorId>>,
    pub(super) event_globs: Vec<(Box<str>, VendorId)>,
    /// Methods that set a time limit on a client, a package or the process.
    pub(super) limit_setters: FxHashSet<Name>,
    /// The last names of those.
    pub(super) limit_setters_end: FxHashSet<Name>,
    /// The last two names of paths that verify a delivery.
    pub(super) verifiers_end: FxHashSet<Name>,
}

impl Index {
    /// Indexes vendors, HTTP clients and known functions. Patterns that do not parse are left out, here and later:
    /// they are reported when files are checked.
    pub(super) fn new(vendors: &[Vendor], clients: &[HttpClient], functions: &[Known]) -> Self {
        let mut index = Self::default();
        for (at, vendor) in vendors.iter().enumerate() {
            index.vendor(VendorId(at as u16), vendor);
        }
        for (at, client) in clients.iter().enumerate() {
            let root = index.root(&client.package);
            index.roots[root].clients.push(at);
        }
        for (at, function) in functions.iter().enumerate() {
            let root = index.root(&function.package);
            index.roots[root].functions.push(at);
        }
        index.vendors.resize_with(vendors.len(), OnceLock::new);
        index.clients.resize_with(clients.len(), OnceLock::new);
        for client in clients {
            let process = client.process_timeout.iter().filter_map(|path| path.rsplit_once('.')).map(|(_, name)| name);
            let setters = client.instance_calls.iter().map(String::as_str).chain(process);
            index.limit_setters.extend(setters.map(Name::new));
        }
        let verifiers = vendors.iter().flat_map(|vendor| &vendor.webhooks).flat_map(|webhook| &webhook.verify);
        index.verifiers_end.extend(verifiers.filter_map(|path| {
            let mut dots = path.rmatch_indices('.').map(|(at, _)| at + 1);
            dots.next()?;
            Some(Name::new(&path[dots.next().unwrap_or(0)..]))
        }));
        let ends = index.limit_setters.iter().filter_map(|name| name.rsplit('.').next());
        index.limit_setters_end = ends.map(Name::new).collect();
        // The most specific first; stable, so that of equals the first vendor's goes first.
        index.host_globs.sort_by_key(|(form, _)| std::cmp::Reverse(glob::fixed(form)));
        index.env_globs.sort_by_key(|(form, ..)| std::cmp::Reverse(glob::fixed(form)));
        index
    }

    fn vendor(&mut self, id: VendorId, vendor: &Vendor) {
        self.ids.insert(Name::new(&vendor.id), id);
        self.spelled.insert(vendor.id.replace('-', ""), id);
        for (at, package) in vendor.packages.iter().enumerate() {
            let root = self.root(&package.name);
            for name in
                package.timeout.iter().flat_map(|timeout| &timeout.client).filter(|name| name.starts_with("set"))
            {
                self.limit_setters.insert(Name::new(name));
            }
            self.roots[root].sdks.push(Sdk { vendor: id, package: at, patterns: OnceLock::new() });
        }
        for webhook in &vendor.webhooks {
            self.spelled.extend(webhook.also_called.iter().map(|word| (word.clone(), id)));
            for field in &webhook.fields {
                add(&mut self.fields, field, id);
            }
            for header in &webhook.headers {
                add(&mut self.headers, &header.to_ascii_lowercase(), id);
            }
            for event in &webhook.events {
                if glob::is_glob(event) {
                    self.event_globs.push((event.as_str().into(), id));
                } else {
                    add(&mut self.events, event, id);
                }
            }
        }
        for host in &vendor.hosts {
            let host = host.to_ascii_lowercase();
            if let Some(at) = host.find('/') {
                let (host, path) = host.split_at(at);
                self.host_paths.entry(host.into()).or_default().push((path.into(), id));
                continue;
            }
            match host.strip_prefix("*.") {
                Some(rest) if !glob::is_glob(rest) => drop(self.host_suffixes.entry(rest.into()).or_insert(id)),
                _ if glob::is_glob(&host) => self.host_globs.push((host.into(), id)),
                _ => drop(self.hosts.entry(host.into()).or_insert(id)),
            }
        }
        for env in &vendor.envs {
            if glob::is_glob(&env.name) {
                self.env_globs.push((env.name.as_str().into(), id, env.secret));
            } else {
                self.envs.entry(env.name.as_str().into()).or_insert((id, env.secret));
            }
        }
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

fn add(map: &mut FxHashMap<Box<str>, Vec<VendorId>>, key: &str, id: VendorId) {
    let vendors = map.entry(key.into()).or_default();
    if !vendors.contains(&id) {
        vendors.push(id);
    }
}
