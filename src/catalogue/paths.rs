//! Questions about what code uses of a package: is this a client, which operation, which request.
//!
//! A path is a package's name and the steps from its root. The default export and the module object are one
//! thing (CommonJS interop), so a leading `default` says nothing.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::index::{ClientIndex, PackageIndex, Root, Sdk, VendorIndex};
use super::{Catalogue, HttpClient, Known, Operation, Package, Request, Seg, VendorId, glob};
use crate::names::Name;

/// An operation that a path leads to.
#[derive(Debug, Clone, Copy)]
pub struct OperationMatch<'a> {
    /// Whose it is.
    pub vendor: VendorId,
    /// The position in the vendor's calls.
    pub index: usize,
    /// What it does.
    pub operation: &'a Operation,
    /// The SDK it is called through.
    pub package: &'a Package,
}

/// A request of an HTTP client that a path leads to.
#[derive(Debug, Clone, Copy)]
pub struct RequestMatch<'a> {
    /// The position in [`Catalogue::http_clients`].
    pub index: usize,
    /// The client.
    pub client: &'a HttpClient,
    /// Where its arguments are.
    pub request: &'a Request,
    /// How many of the given segments make the instance it is sent with; none: the package's root sends it.
    pub instance: Option<usize>,
}

/// A function that proves who sent a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifierMatch {
    /// Whose deliveries; none for a library that serves many.
    pub vendor: Option<VendorId>,
    /// It returns a promise: without `await` it verifies nothing.
    pub is_async: bool,
    /// It returns whether: with its result dropped it verifies nothing.
    pub boolean: bool,
    /// It needs Node's own crypto, from this major version of the package on (0: from the first).
    pub node_since: Option<u32>,
}

/// A package found, and the steps from its root.
struct Found<'a, 's> {
    catalogue: &'a Catalogue,
    root: &'a Root,
    segs: Cow<'s, [Seg]>,
    /// How many of `segs` the caller did not give: the module's path inside the package.
    added: usize,
    /// How many of the caller's segments went into the package's name.
    taken: usize,
    /// How many of `segs` are a leading `default`.
    from: usize,
}

impl Found<'_, '_> {
    /// Translates a length of `segs` to one of the caller's segments.
    fn given(&self, length: usize) -> usize {
        (length + self.taken).saturating_sub(self.added)
    }

    /// Where a client of `sdk` ends, for every way it is made, the longest first.
    fn clients(&self, sdk: &Sdk) -> Vec<usize> {
        let rest = &self.segs[self.from..];
        let mut ends: Vec<usize> = (self.catalogue.own_package(sdk).makers.iter())
            .filter_map(|maker| maker.prefix(rest))
            .map(|len| self.from + len)
            .collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        ends.dedup();
        ends
    }

    /// The same, and the package's root.
    fn starts(&self, sdk: &Sdk) -> Vec<usize> {
        let mut starts = self.clients(sdk);
        if !starts.contains(&self.from) {
            starts.push(self.from);
        }
        starts
    }
}

impl Catalogue {
    /// The vendor's package of this name; of several vendors' the first. Subpaths count: `npm:x/y` is `npm:x`.
    pub fn package(&self, name: Name) -> Option<(VendorId, &Package)> {
        self.packages(name, &[]).next()
    }

    /// Every vendor's package that a path starts in.
    pub fn packages<'a>(&'a self, name: Name, segs: &[Seg]) -> impl Iterator<Item = (VendorId, &'a Package)> + use<'a> {
        let sdks = self.find(name, segs).map_or(&[][..], |found| &found.root.sdks);
        sdks.iter().map(|sdk| (sdk.vendor, self.package_of(sdk)))
    }

    /// The names of all packages that something is known of: `npm:stripe`.
    pub fn package_names(&self) -> &FxHashSet<&'static str> {
        self.index.names.get_or_init(|| self.index.packages.keys().map(|name| name.as_str()).collect())
    }

    /// How many segments make a client of a vendor, when the path starts with one; the longest way counts.
    pub fn client_of(&self, package: Name, segs: &[Seg]) -> Option<usize> {
        self.client(package, segs).map(|(_, length)| length)
    }

    /// The vendor whose client the path starts with.
    pub fn is_client(&self, package: Name, segs: &[Seg]) -> Option<VendorId> {
        self.client(package, segs).map(|(vendor, _)| vendor)
    }

    fn client(&self, package: Name, segs: &[Seg]) -> Option<(VendorId, usize)> {
        let found = self.find(package, segs)?;
        let longest = |sdk: &Sdk| found.clients(sdk).first().map(|&end| (sdk.vendor, found.given(end)));
        let mut best: Option<(VendorId, usize)> = None;
        for (vendor, length) in found.root.sdks.iter().filter_map(longest) {
            if best.is_none_or(|(_, most)| length > most) {
                best = Some((vendor, length));
            }
        }
        best
    }

    /// The operation that calling `segs` performs. What the catalogue says sends nothing is none, unless an
    /// operation names it more exactly.
    pub fn operation(&self, package: Name, segs: &[Seg]) -> Option<OperationMatch<'_>> {
        let found = self.find(package, segs)?;
        found.root.sdks.iter().find_map(|sdk| {
            let own = self.own(sdk.vendor);
            let (index, pattern) = own.operations.find(&found.segs, &found.clients(sdk))?;
            let silent = self.own_package(sdk).sends_nothing.find(&found.segs, &found.starts(sdk));
            if silent.is_some_and(|(_, silent)| silent.open() <= pattern.open()) {
                return None;
            }
            let operation = self.vendor(sdk.vendor).calls.get(index)?;
            Some(OperationMatch { vendor: sdk.vendor, index, operation, package: self.package_of(sdk) })
        })
    }

    /// Whether calling `segs` is known to send nothing: local signing, parsing, building.
    pub fn sends_nothing(&self, package: Name, segs: &[Seg]) -> bool {
        let Some(found) = self.find(package, segs) else { return false };
        found
            .root
            .sdks
            .iter()
            .any(|sdk| self.own_package(sdk).sends_nothing.find(&found.segs, &found.starts(sdk)).is_some())
            && self.operation(package, segs).is_none()
    }

    /// The operation that a request performs, and its position in the vendor's calls. In `path`, `{}` stands for
    /// what is not known. Without a method the answer is given only when the path allows just one.
    pub fn http_operation(
        &self,
        vendor: VendorId,
        method: Option<&str>,
        host: &str,
        path: &str,
    ) -> Option<(usize, &Operation)> {
        let entry = self.vendor(vendor);
        let fitting = self.own(vendor).routes.iter().filter(|(route, at)| {
            let on_host = |form: &String| glob::matches(&form.to_ascii_lowercase(), &host.to_ascii_lowercase());
            entry.calls.get(*at).is_some_and(|call| call.host.as_ref().is_none_or(on_host)) && route.matches(path)
        });
        let mut fitting = fitting.filter(|(route, _)| match (method, &route.method) {
            (Some(asked), Some(takes)) => asked.eq_ignore_ascii_case(takes),
            _ => true,
        });
        let &(ref route, at) = fitting.next()?;
        if method.is_none() && fitting.any(|(other, _)| other.method != route.method) {
            return None;
        }
        Some((at, &entry.calls[at]))
    }

    /// The HTTP client that a package is.
    pub fn http_client(&self, package: Name) -> Option<&HttpClient> {
        let found = self.find(package, &[])?;
        found.root.clients.first().map(|&at| &self.http_clients()[at])
    }

    /// The HTTP client and how many segments make an instance of it, when the path starts with one.
    pub fn http_instance(&self, package: Name, segs: &[Seg]) -> Option<(usize, usize)> {
        let found = self.find(package, segs)?;
        let rest = &found.segs[found.from..];
        found.root.clients.iter().find_map(|&at| {
            let length = self.own_client(at).instances.iter().filter_map(|maker| maker.prefix(rest)).max()?;
            Some((at, found.given(found.from + length)))
        })
    }

    /// The request that calling `segs` sends, with the package itself or with an instance.
    pub fn request(&self, package: Name, segs: &[Seg]) -> Option<RequestMatch<'_>> {
        let found = self.find(package, segs)?;
        found.root.clients.iter().find_map(|&index| {
            let own = self.own_client(index);
            let client = &self.http_clients()[index];
            let rest = &found.segs[found.from..];
            let made = own.instances.iter().filter_map(|maker| maker.prefix(rest)).max();
            let by_instance = made.and_then(|length| {
                let end = found.from + length;
                Some((own.requests.find(&found.segs, &[end])?.0, Some(found.given(end))))
            });
            let (request, instance) =
                by_instance.or_else(|| Some((own.requests.find(&found.segs, &[found.from])?.0, None)))?;
            Some(RequestMatch { index, client, request: client.requests.get(request)?, instance })
        })
    }

    /// What is known of a library's function.
    pub fn known(&self, package: Name, segs: &[Seg]) -> Option<&Known> {
        let known = |found: &Found<'_, '_>| {
            let (at, _) = found.root.paths(self.functions()).find(&found.segs, &[found.from])?;
            self.functions().get(at)
        };
        // A nested package goes first; what it does not list its parent may: `pypi:django.db` of `pypi:django`.
        known(&self.find(package, segs)?).or_else(|| known(&self.parent(package, segs)?))
    }

    /// The root of the package as it is named, when more of the path names a nested one.
    fn parent<'s>(&self, package: Name, segs: &'s [Seg]) -> Option<Found<'_, 's>> {
        let &root = self.index.packages.get(&package).filter(|_| self.index.namespaces.contains(&package))?;
        Some(Found {
            catalogue: self,
            root: &self.index.roots[root],
            segs: Cow::Borrowed(segs),
            added: 0,
            taken: 0,
            from: 0,
        })
    }

    /// Whether a package is a database's client: one of its functions writes.
    pub fn is_database(&self, package: Name) -> bool {
        let root = self.index.packages.get(&package).map(|&root| &self.index.roots[root]);
        root.is_some_and(|root| {
            root.functions
                .iter()
                .any(|&at| self.functions().get(at).is_some_and(|known| known.role == super::KnownRole::Write))
        })
    }

    /// Whether calling `segs` reads the environment variable that its first argument names.
    pub fn reads_env(&self, package: Name, segs: &[Seg]) -> bool {
        self.known(package, segs).is_some_and(|known| known.role == super::KnownRole::Env)
    }

    /// Whether the (dotted) name of some method that sets a time limit ends in this one.
    pub fn ends_in_limit_setter(&self, last: Name) -> bool {
        self.index.limit_setters_end.contains(&last)
    }

    /// Whether a method of this (dotted) name sets a time limit on a client, a package or the process.
    pub fn sets_timeout(&self, name: &str) -> bool {
        self.index.limit_setters.contains(&Name::new(name))
    }

    /// Whether calling `segs` verifies a delivery, by a vendor's own SDK or by a library.
    pub fn verifier(&self, package: Name, segs: &[Seg]) -> Option<VerifierMatch> {
        let found = self.find(package, segs)?;
        let vendors = found.root.sdks.iter().find_map(|sdk| {
            let own = self.own(sdk.vendor);
            let starts = found.starts(sdk);
            own.verify.find(&found.segs, &starts)?;
            Some(VerifierMatch {
                vendor: Some(sdk.vendor),
                is_async: own.verify_async.find(&found.segs, &starts).is_some(),
                boolean: own.verify_boolean.find(&found.segs, &starts).is_some(),
                node_since: own.verify_node.find(&found.segs, &starts).map(|(_, _)| {
                    let webhooks = &self.vendor(sdk.vendor).webhooks;
                    webhooks.iter().find_map(|webhook| webhook.verify_node_since).unwrap_or(0)
                }),
            })
        });
        vendors.or_else(|| {
            let known = self.known(package, segs).filter(|known| known.role == super::KnownRole::Verify)?;
            Some(VerifierMatch { vendor: None, is_async: known.is_async, boolean: known.boolean, node_since: None })
        })
    }

    fn package_of(&self, sdk: &Sdk) -> &Package {
        &self.vendor(sdk.vendor).packages[sdk.package]
    }

    fn own(&self, vendor: VendorId) -> &VendorIndex {
        self.index.vendors[vendor.index()].get_or_init(|| VendorIndex::new(self.vendor(vendor)))
    }

    fn own_package<'a>(&self, sdk: &'a Sdk) -> &'a PackageIndex {
        sdk.patterns.get_or_init(|| PackageIndex::new(self.package_of(sdk)))
    }

    fn own_client(&self, at: usize) -> &ClientIndex {
        self.index.clients[at].get_or_init(|| ClientIndex::new(&self.http_clients()[at]))
    }

    /// The root that a package's name and the first steps lead to.
    ///
    /// JavaScript: the package or the one its subpath belongs to. Python: of nested packages the longest listed,
    /// however much of its dotted name the import said.
    fn find<'s>(&self, package: Name, segs: &'s [Seg]) -> Option<Found<'_, 's>> {
        let found = |root: usize, segs: Cow<'s, [Seg]>, added: usize, taken: usize| {
            let from = segs.iter().take_while(|seg| matches!(seg, Seg::Member(name) if *name == "default")).count();
            Some(Found { catalogue: self, root: &self.index.roots[root], segs, added, taken, from })
        };
        if self.index.namespaces.contains(&package) {
            let mut name = package;
            let mut longest = None;
            for (at, seg) in segs.iter().enumerate() {
                let Seg::Member(member) = seg else { break };
                let longer = Name::new(&format!("{name}.{member}"));
                if let Some(&root) = self.index.packages.get(&longer) {
                    longest = Some((root, at + 1));
                }
                if !self.index.namespaces.contains(&longer) {
                    break;
                }
                name = longer;
            }
            if let Some((root, taken)) = longest {
                return found(root, Cow::Borrowed(&segs[taken..]), 0, taken);
            }
        }
        if let Some(&root) = self.index.packages.get(&package) {
            return found(root, Cow::Borrowed(segs), 0, 0);
        }
        let (scheme, path) = package.split_once(':')?;
        match scheme {
            "npm" => {
                let scope = if path.starts_with('@') { path.find('/')? + 1 } else { 0 };
                let slash = scope + path[scope..].find('/')?;
                let &root = self.index.packages.get(&Name::new(&package[..scheme.len() + 1 + slash]))?;
                found(root, Cow::Borrowed(segs), 0, 0)
            }
            "pypi" | "py" => {
                let dots: Vec<usize> = path.match_indices('.').map(|(dot, _)| dot).collect();
                dots.into_iter().rev().find_map(|dot| {
                    let &root = self.index.packages.get(&Name::new(&format!("{scheme}:{}", &path[..dot])))?;
                    let inner = path[dot + 1..].split('.').map(|part| Seg::Member(Name::new(part)));
                    let all: Vec<Seg> = inner.chain(segs.iter().copied()).collect();
                    let added = all.len() - segs.len();
                    found(root, Cow::Owned(all), added, 0)
                })
            }
            _ => None,
        }
    }
}
