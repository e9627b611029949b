//! What leaves the program: requests, and uses of vendors' SDKs.

use rustc_hash::FxHashSet;

use crate::catalogue::{HttpClient, Operation, VendorId, is_own_host};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::by_file::ByFile;
use crate::program::{CallRef, ExprRef, External, Program, Value};

mod mail;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// A vendor's API: host, and the path with `{}` for each part that is not constant.
    Vendor(VendorId, Name, Name),
    /// The app itself: a path (`/api/x`, with `{}` holes).
    Own(Name),
    /// This machine: localhost and its like.
    Local,
    /// A host no vendor of ours has: host and path.
    Host(Name, Name),
    /// A base that an environment variable or a column of the app's own rows holds, and the path after it.
    Env(Name, Name),
    /// A base that is not known, and the path after it.
    Unknown(Name),
}

impl Destination {
    /// The path asked for, as far as known.
    pub fn path(&self) -> Option<Name> {
        match self {
            Self::Vendor(_, _, path)
            | Self::Own(path)
            | Self::Host(_, path)
            | Self::Env(_, path)
            | Self::Unknown(path) => Some(*path),
            Self::Local => None,
        }
    }
}

/// Whether a request leaves the app and its own backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// It goes to a vendor, another host, or where a setting says.
    Yes,
    /// It goes to the app itself, its own backend, or this machine.
    No,
    /// Its URL is not known.
    Unknown,
}

/// A request of an HTTP client.
#[derive(Debug, Clone)]
pub struct HttpUse {
    /// The call that sends it. For a wrapper of the program this is the call of the wrapper.
    pub at: CallRef,
    /// The call inside the wrapper that really sends it; the same as `at` when there is none.
    pub inner: CallRef,
    /// The client: index into the catalogue's.
    pub client: usize,
    /// The method in upper case; none when not known.
    pub method: Option<Name>,
    /// The URL.
    pub url: Value,
    /// Where it goes: one for each alternative of the URL.
    pub to: Vec<Destination>,
    /// The options: values of option objects of the call, outermost first.
    pub options: Vec<Value>,
    /// The body, when it is an argument of its own.
    pub body: Option<ExprRef>,
    /// The call that made the client's instance.
    pub instance: Option<CallRef>,
}

/// How a vendor is used.
#[derive(Debug, Clone)]
pub enum Via {
    /// Through its SDK: the package, and the call that made the client.
    Sdk(Name, Option<CallRef>),
    /// Through HTTP: index into [`Outbound::http`].
    Http(usize),
}

/// A call of a vendor.
#[derive(Debug, Clone)]
pub struct VendorUse {
    /// The call.
    pub at: CallRef,
    /// The vendor.
    pub vendor: VendorId,
    /// The operation: index into the vendor's; none when the catalogue does not know it.
    pub operation: Option<usize>,
    /// How.
    pub via: Via,
    /// The name in messages: `stripe.checkout.sessions.create`, `POST api.stripe.com/v1/charges`.
    pub name: String,
}

/// Everything that leaves the program.
#[derive(Default)]
pub struct Outbound {
    /// Requests, sorted by call.
    pub http: ByFile<HttpUse>,
    /// Uses of vendors, sorted by call.
    pub vendors: ByFile<VendorUse>,
    /// Constructions of vendors' clients: the call, the vendor, the package. Sorted by call.
    pub clients: Vec<ClientUse>,
    /// Requests that go where a row of the app's own data says.
    pub(crate) kept: FxHashSet<CallRef>,
}

/// A vendor's client being made.
#[derive(Debug, Clone, Copy)]
pub struct ClientUse {
    /// The call that makes it.
    pub at: CallRef,
    /// The vendor.
    pub vendor: VendorId,
    /// The package.
    pub package: Name,
}

impl Program {
    /// Every request, in order.
    pub fn requests(&self) -> &[HttpUse] {
        &self.outbound.http
    }

    /// Every use of a vendor, in order.
    pub fn vendor_uses(&self) -> &[VendorUse] {
        &self.outbound.vendors
    }

    /// Every construction of a vendor's client, in order.
    pub fn clients(&self) -> &[ClientUse] {
        &self.outbound.clients
    }

    /// The requests a call sends.
    pub fn requests_at(&self, call: CallRef) -> &[HttpUse] {
        self.outbound.http.at(call.file, call.call, |http| http.at.call)
    }

    /// The vendors a call uses.
    pub fn vendors_at(&self, call: CallRef) -> &[VendorUse] {
        self.outbound.vendors.at(call.file, call.call, |used| used.at.call)
    }

    /// Whether a request goes where a row says: one's own system for each customer.
    pub fn goes_where_row_says(&self, call: CallRef) -> bool {
        self.outbound.kept.contains(&call)
    }

    /// The operation of a use.
    pub fn operation(&self, used: &VendorUse) -> Option<&Operation> {
        self.catalogue.vendor(used.vendor).calls.get(used.operation?)
    }

    /// The request behind a use, when it goes over HTTP.
    pub fn request_of(&self, used: &VendorUse) -> Option<&HttpUse> {
        match used.via {
            Via::Http(at) => self.outbound.http.get(at),
            Via::Sdk(..) => None,
        }
    }

    /// The HTTP client of a request.
    pub fn http_client(&self, http: &HttpUse) -> &HttpClient {
        &self.catalogue.http_clients()[http.client]
    }

    /// Whether a request leaves the app: of several destinations one is enough.
    pub fn leaves(&self, http: &HttpUse) -> Leaves {
        if self.http_client(http).always_outbound {
            let local = http.to.iter().all(|to| *to == Destination::Local);
            return if local { Leaves::No } else { Leaves::Yes };
        }
        // `process.env.APP_URL || "https://my-app.example"`: the default is the app's own host too.
        let is_own = |to: &Destination| matches!(to, Destination::Env(name, _) if self.catalogue.is_own_url(name));
        if http.to.iter().any(is_own) || self.is_served_here(http) {
            return Leaves::No;
        }
        let each: Vec<Leaves> = http.to.iter().map(|to| self.destination_leaves(to)).collect();
        if each.contains(&Leaves::Yes) {
            Leaves::Yes
        } else if each.contains(&Leaves::Unknown) {
            Leaves::Unknown
        } else {
            Leaves::No
        }
    }

    /// Whether a route of the program serves a request; one that takes any path says nothing of a foreign base.
    fn is_served_here(&self, http: &HttpUse) -> bool {
        let is_named = |route: Name| route.split('/').any(|part| !part.is_empty() && !part.starts_with([':', '*']));
        let is_own = http.to.iter().all(|to| matches!(to, Destination::Own(_) | Destination::Local));
        let mut served = self.entries_for_jump(http.at).into_iter().map(|entry| self.entries[entry].route);
        served.any(|route| is_own || route.is_none_or(is_named))
    }

    fn destination_leaves(&self, to: &Destination) -> Leaves {
        match to {
            Destination::Vendor(vendor, ..) if self.catalogue.vendor(*vendor).own_backend => Leaves::No,
            Destination::Host(host, _) if is_own_host(host) || self.is_of_own_domain(host) => Leaves::No,
            Destination::Vendor(..) | Destination::Host(..) | Destination::Env(..) => Leaves::Yes,
            Destination::Own(_) | Destination::Local => Leaves::No,
            Destination::Unknown(_) => Leaves::Unknown,
        }
    }

    /// The same request as the callers of its wrapper send it, at any depth.
    pub fn through<'p>(&'p self, http: &'p HttpUse) -> impl Iterator<Item = &'p HttpUse> + 'p {
        self.requests().iter().filter(|other| other.inner == http.inner && other.at != other.inner)
    }

    /// A vendor's id.
    pub fn vendor_id(&self, vendor: VendorId) -> Name {
        Name::new(&self.catalogue.vendor(vendor).id)
    }

    /// Where a request goes, for messages: the vendor's name, the host, the variable.
    pub fn destination_name(&self, http: &HttpUse) -> Option<String> {
        // One caller's address is not everybody's.
        let is_one_of_many = http.to.iter().any(|to| matches!(to, Destination::Unknown(_)));
        http.to.iter().find_map(|to| match to {
            Destination::Vendor(vendor, ..) => Some(self.catalogue.vendor(*vendor).name.clone()),
            Destination::Host(host, _) => (!is_one_of_many).then(|| shown_host(host)),
            Destination::Env(name, _) => Some(format!("the address in {name}")),
            Destination::Own(_) | Destination::Local | Destination::Unknown(_) => None,
        })
    }

    /// Whether code of a file runs on a deployed server.
    pub fn runs_on_server(&self, file: FileId) -> bool {
        let side = self.side(file);
        side.server && !side.tooling && !side.dead
    }

    /// The external thing a call calls, when it is just one.
    pub fn external(&self, call: CallRef) -> Option<&External> {
        match self.callee(call) {
            Value::External(external) => Some(external),
            other => other.externals().next(),
        }
    }
}

/// A host as people read it: of one with a part that is not known, the domain it lies under.
pub fn shown_host(host: &str) -> String {
    match host.rsplit_once("{}") {
        Some((_, rest)) if rest.trim_start_matches(['.', '-']).contains('.') => {
            format!("a host of {}", rest.trim_start_matches(['.', '-']))
        }
        Some(_) => "the other side".to_owned(),
        None => host.to_owned(),
    }
}
