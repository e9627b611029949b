//! Reads the catalogue: the files that the binary carries and those of the user's repository.
//!
//! A user's vendor is new, or it has the id of a built-in one and *adds to* it: its hosts, calls, credentials and
//! webhooks go before the built-in's (the first match wins, so the user's word counts), a package, environment
//! variable or idempotency of the same name takes the place of the built-in's, and the head (`name`, `category`,
//! `source`) is the user's. `own_backend` holds when either says so.

use std::sync::{Arc, OnceLock};

use miette::Report;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::fault::{Fault, Problem, Step};
use super::index::{Index, VendorId};
use super::scan::Scanner;
use super::{Gatekeeper, HttpClient, Known, Library, PageScript, Scheduler, Tracker, Vendor, Widget, check};
use crate::names::Name;

mod files {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

/// Everything known of vendors and libraries, with the tables that answer questions about code.
#[derive(Debug)]
pub struct Catalogue {
    vendors: Vec<Vendor>,
    http_clients: Vec<HttpClient>,
    functions: Vec<Known>,
    pub(super) own_urls: Vec<String>,
    pub(super) watchers: Vec<String>,
    pub(super) injected_envs: Vec<String>,
    pub(super) optional_options: Vec<String>,
    pub(super) passing_hosts: Vec<String>,
    pub(super) mailboxes: Vec<super::Mailboxes>,
    pub(super) page_scripts: Vec<PageScript>,
    pub(super) trackers: Vec<Tracker>,
    pub(super) widgets: Vec<Widget>,
    pub(super) schedulers: Vec<Scheduler>,
    pub(super) gatekeepers: Vec<Gatekeeper>,
    pub(super) platforms: Vec<super::Platform>,
    pub(super) tables: Vec<super::Tables>,
    pub(super) table_changes: Vec<super::TableChanges>,
    pub(super) servers: Vec<super::Server>,
    pub(super) index: Index,
    /// Made at the first text searched for credentials.
    pub(super) scanner: OnceLock<Scanner>,
}

/// Something wrong with a vendor that a configuration describes.
#[derive(Debug)]
pub struct Wrong {
    /// The key of a vendor file that it is about.
    pub key: &'static str,
    /// Which item of it, when it is a list.
    pub item: usize,
    /// What.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Catalogue {
    /// The catalogue that the binary carries.
    ///
    /// # Panics
    /// When a built-in file is broken: `tests/catalogue.rs` checks each.
    pub fn builtin() -> Self {
        match Self::load(Vec::new()) {
            Ok(catalogue) => catalogue,
            Err(reports) => panic!("the built-in catalogue is broken: {reports:?}"),
        }
    }

    /// The same as [`Catalogue::load`]. What is built in, with nothing of a user's, is read once a process.
    ///
    /// # Errors
    /// Everything that is wrong in those files, each with its place.
    pub fn shared(user_files: Vec<(String, String)>) -> Result<Arc<Self>, Vec<Report>> {
        static BUILT_IN: OnceLock<Option<Arc<Catalogue>>> = OnceLock::new();
        if user_files.is_empty()
            && let Some(known) = BUILT_IN.get_or_init(|| Self::load(vec![]).ok().map(Arc::new))
        {
            return Ok(Arc::clone(known));
        }
        Self::load(user_files).map(Arc::new)
    }

    /// The built-in catalogue with a user's vendor files: path in the repository, and text.
    ///
    /// # Errors
    /// Everything that is wrong in those files, each with its place.
    pub fn load(user_files: Vec<(String, String)>) -> Result<Self, Vec<Report>> {
        let (builtin, libraries) =
            rayon::join(|| carried::<Vendor>(files::VENDORS), || carried::<Library>(files::LIBRARIES));
        let user = parse_all::<Vendor>(user_files.par_iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let mut reports = Vec::new();
        let builtin = sort_out(builtin, &mut reports);
        let libraries = sort_out(libraries, &mut reports);
        // A file that does not parse has no vendor: keep the others beside their files.
        let user: Vec<(&(String, String), Vendor)> = (user_files.iter().zip(user))
            .filter_map(|(file, parsed)| match parsed {
                Ok(vendor) => Some((file, vendor)),
                Err(report) => {
                    reports.push(report);
                    None
                }
            })
            .collect();
        check_user(&user, &builtin, &mut reports);
        if !reports.is_empty() {
            return Err(reports);
        }
        let vendors = merge(builtin, user.into_iter().map(|(_, vendor)| vendor));
        Ok(Self::of(vendors, libraries))
    }

    /// What is wrong with a vendor that a configuration describes, in the form of a vendor file.
    pub fn check_described(text: &str) -> Vec<Wrong> {
        let Ok(vendor) = toml::from_str::<Vendor>(text) else { return Vec::new() };
        let named = format!("/{}.toml", vendor.id);
        let builtin = files::VENDORS.iter().find(|(path, _)| path.ends_with(&named));
        let extends = builtin.and_then(|(_, json)| serde_json::from_str::<Vendor>(json).ok());
        let problems = check::vendor(&vendor, extends.as_ref()).into_iter();
        let wrong = |Problem { at, message, help, .. }: Problem| {
            let key = at.iter().find_map(|step| if let Step::Key(key) = step { Some(*key) } else { None });
            let item = at.iter().find_map(|step| if let Step::Item(item) = step { Some(*item) } else { None });
            Wrong { key: key.unwrap_or("id"), item: item.unwrap_or(0), message, help }
        };
        problems.map(wrong).collect()
    }

    /// Everything that is wrong in the catalogue's own files of vendors, given by path and text.
    pub fn check_vendors<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<Report> {
        check_each(files, |vendor: &Vendor| check::vendor(vendor, None))
    }

    /// Everything that is wrong in the catalogue's own files of libraries, given by path and text.
    pub fn check_libraries<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Vec<Report> {
        check_each(files, check::library)
    }

    fn of(vendors: Vec<Vendor>, libraries: Vec<Library>) -> Self {
        let (mut http_clients, mut functions, mut own_urls) = (Vec::new(), Vec::new(), Vec::new());
        let (mut watchers, mut injected_envs, mut optional_options) = (Vec::new(), Vec::new(), Vec::new());
        let (mut passing_hosts, mut page_scripts, mut trackers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut platforms, mut tables, mut servers) = (Vec::new(), Vec::new(), Vec::new());
        let mut table_changes = Vec::new();
        let (mut mailboxes, mut widgets) = (Vec::new(), Vec::new());
        let (mut schedulers, mut gatekeepers) = (Vec::new(), Vec::new());
        for library in libraries {
            http_clients.extend(library.http_clients);
            functions.extend(library.functions);
            own_urls.extend(library.own_urls);
            watchers.extend(library.watchers);
            injected_envs.extend(library.injected_envs);
            optional_options.extend(library.optional_options);
            passing_hosts.extend(library.passing_hosts);
            mailboxes.extend(library.mailboxes);
            page_scripts.extend(library.page_scripts);
            trackers.extend(library.trackers);
            widgets.extend(library.widgets);
            schedulers.extend(library.schedulers);
            gatekeepers.extend(library.gatekeepers);
            platforms.extend(library.platforms);
            tables.extend(library.tables);
            table_changes.extend(library.table_changes);
            servers.extend(library.servers);
        }
        let index = Index::new(&vendors, &http_clients, &functions);
        Self {
            vendors,
            http_clients,
            functions,
            own_urls,
            watchers,
            injected_envs,
            optional_options,
            passing_hosts,
            mailboxes,
            page_scripts,
            trackers,
            widgets,
            schedulers,
            gatekeepers,
            platforms,
            tables,
            table_changes,
            servers,
            index,
            scanner: OnceLock::new(),
        }
    }

    /// The ids of the vendors that the binary carries: a file is called like its vendor.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        let name = |path: &'static str| path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
        files::VENDORS.iter().filter_map(move |(path, _)| name(path))
    }

    /// Every vendor: the user's new ones, then the built-in, each in the order of their ids.
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    /// The vendors that hold apps' own data.
    pub fn own_backends(&self) -> impl Iterator<Item = VendorId> {
        let vendors = self.vendors.iter().enumerate();
        vendors.filter(|(_, vendor)| vendor.own_backend).map(|(at, _)| VendorId(at as u16))
    }

    /// The vendor `id`.
    pub fn vendor(&self, id: VendorId) -> &Vendor {
        &self.vendors[id.index()]
    }

    /// The vendor with this id: `stripe`.
    pub fn vendor_named(&self, id: &str) -> Option<VendorId> {
        self.index.ids.get(&Name::new(id)).copied()
    }

    /// The vendor whose id is this word, dashes left out.
    pub fn vendor_spelled(&self, word: &str) -> Option<VendorId> {
        self.index.spelled.get(word).copied()
    }

    /// Every HTTP client.
    pub fn http_clients(&self) -> &[HttpClient] {
        &self.http_clients
    }

    /// Every function of a library that means something.
    pub fn functions(&self) -> &[Known] {
        &self.functions
    }
}

/// What the binary carries. That it reads is tested: see [`Catalogue::check_vendors`].
fn carried<T: serde::de::DeserializeOwned + Send>(files: &[(&str, &str)]) -> Vec<Result<T, Report>> {
    let parse = |&(path, json): &(&str, &str)| {
        serde_json::from_str(json).map_err(|error| miette::miette!("{path} is broken: {error}"))
    };
    files.par_iter().map(parse).collect()
}

fn check_each<'t, T: serde::de::DeserializeOwned>(
    files: impl IntoIterator<Item = (&'t str, &'t str)>,
    check: impl Fn(&T) -> Vec<Problem>,
) -> Vec<Report> {
    let problems = |(path, text)| match toml::from_str::<T>(text) {
        Ok(read) => faults(path, text, check(&read)).collect(),
        Err(error) => vec![Fault::syntax(path, text, &error).into()],
    };
    files.into_iter().flat_map(problems).collect()
}

fn parse_all<'t, T: serde::de::DeserializeOwned + Send>(
    files: impl IndexedParallelIterator<Item = (&'t str, &'t str)>,
) -> Vec<Result<T, Report>> {
    let parse = |(path, text)| toml::from_str(text).map_err(|error| Fault::syntax(path, text, &error).into());
    files.map(parse).collect()
}

fn sort_out<T>(parsed: Vec<Result<T, Report>>, reports: &mut Vec<Report>) -> Vec<T> {
    parsed.into_iter().filter_map(|result| result.map_err(|report| reports.push(report)).ok()).collect()
}

fn faults<'t>(path: &'t str, text: &'t str, problems: Vec<Problem>) -> impl Iterator<Item = Report> + 't {
    problems.into_iter().map(move |problem| Fault::of(path, text, problem).into())
}

fn check_user(user: &[(&(String, String), Vendor)], builtin: &[Vendor], reports: &mut Vec<Report>) {
    let mut seen: FxHashMap<&str, &str> = FxHashMap::default();
    for ((path, text), vendor) in user {
        let extends = builtin.iter().find(|known| known.id == vendor.id);
        reports.extend(faults(path, text, check::vendor(vendor, extends)));
        if let Some(first) = seen.insert(&vendor.id, path) {
            let problem = Problem {
                at: vec![Step::Key("id")],
                part: None,
                message: format!("the vendor `{}` is in two files", vendor.id),
                help: format!("join it with {first}"),
            };
            reports.push(Fault::of(path, text, problem).into());
        }
    }
}

/// Puts the user's vendors first, or into the built-in ones they add to.
fn merge(mut builtin: Vec<Vendor>, user: impl Iterator<Item = Vendor>) -> Vec<Vendor> {
    builtin.sort_by(|a, b| a.id.cmp(&b.id));
    let mut vendors: Vec<Vendor> = Vec::new();
    for vendor in user {
        match builtin.iter_mut().find(|known| known.id == vendor.id) {
            Some(known) => extend(known, vendor),
            None => vendors.push(vendor),
        }
    }
    vendors.sort_by(|a, b| a.id.cmp(&b.id));
    vendors.extend(builtin);
    vendors
}

fn extend(known: &mut Vendor, user: Vendor) {
    let base = std::mem::replace(known, user);
    known.own_backend |= base.own_backend;
    known.hosts.extend(base.hosts);
    known.test_hosts.extend(base.test_hosts);
    known.live_hosts.extend(base.live_hosts);
    known.credentials.extend(base.credentials);
    known.calls.extend(base.calls);
    known.webhooks.extend(base.webhooks);
    known.scopes.extend(base.scopes);
    known.examples.extend(base.examples);
    known.retired.extend(base.retired);
    known.dropped.extend(base.dropped);
    known.api_versions.extend(base.api_versions);
    known.notes.extend(base.notes);
    extend_by(&mut known.packages, base.packages, |package| &package.name);
    extend_by(&mut known.envs, base.envs, |env| &env.name);
    extend_by(&mut known.idempotency, base.idempotency, |entry| &entry.id);
}

/// Adds what has no namesake yet.
fn extend_by<T>(list: &mut Vec<T>, more: Vec<T>, name: impl Fn(&T) -> &String) {
    for item in more {
        if !list.iter().any(|known| name(known) == name(&item)) {
            list.push(item);
        }
    }
}
