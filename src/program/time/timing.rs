//! Time limits: whether a request or a call of a vendor gives up by itself, by an option of the call, of its client or
//! of the package, by a timer around it, or by default.

use crate::catalogue::{HttpClient, KnownRole, Package, Request, RequestMatch, Timeout};
use crate::facts::{BlockKind, ExprKind, FunctionId};
use crate::names::Name;
use crate::program::outbound::ClientUse;
use crate::program::values::assigned::{Holder, holder_of_external};
use crate::program::values::options::Lookup;
use crate::program::{CallRef, EdgeKind, ExprRef, External, FunctionRef, HttpUse, Program, Value, VendorUse, Via};

pub mod timers;

use timers::Timers;

/// A default from which on a call counts as unlimited: nobody waits for it, and platforms end the work before.
pub const UNSAFE_S: f64 = 300.0;

/// How deep a call's callers are asked whether they bound it.
const DEEPEST_CALLER: usize = 6;

/// Whether something bounds the time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A limit is set, or the default is one.
    Set,
    /// Nothing bounds it.
    None,
    /// That cannot be told.
    Unknown,
}

impl Limit {
    /// The limit of a client that nobody configured.
    pub fn by_default(seconds: f64) -> Self {
        if seconds > 0.0 && seconds < UNSAFE_S { Self::Set } else { Self::None }
    }
}

impl Program {
    /// The timers of the program.
    pub fn timers(&self) -> &Timers {
        self.timers.get_or_init(|| Timers::find(self))
    }

    /// Whether something bounds the time of a request.
    pub fn time_limit(&self, http: &HttpUse) -> Limit {
        let client = self.http_client(http);
        let set = self.limit_of_request(http, client).or_else(|| self.limit_of_client(http, client));
        match set.unwrap_or_else(|| Limit::by_default(client.default_timeout_s)) {
            Limit::Set => Limit::Set,
            _ if self.is_bounded(http.at) || self.is_bounded(http.inner) => Limit::Set,
            other => other,
        }
    }

    /// What the call's own options say.
    fn limit_of_request(&self, http: &HttpUse, client: &HttpClient) -> Option<Limit> {
        let named = client.timeout.iter().map(|name| self.request_option(http, name));
        let placed = self.request_shape(http).and_then(|shape| shape.timeout).map(|position| {
            let facts = self.facts(http.inner.file);
            match facts.call(http.inner.call).args.get(position) {
                Some(arg) if arg.name.is_none() => {
                    Lookup::Present(self.value(ExprRef::new(http.inner.file, arg.value)))
                }
                _ => Lookup::Absent,
            }
        });
        self.strongest(named.chain(placed))
    }

    /// What the client's instance, the package or the process says.
    fn limit_of_client(&self, http: &HttpUse, client: &HttpClient) -> Option<Limit> {
        let package = Name::new(&client.package);
        if client.process_timeout.iter().any(|call| self.is_called(call)) {
            return Some(Limit::Set);
        }
        let on_package = self.limit_put(Holder::Package(package), client.instance_timeout.iter());
        let Some(instance) = http.instance else {
            let hidden = self.uses_hidden_instance(http);
            return on_package.or(hidden.then_some(Limit::Unknown));
        };
        let named = client.instance_timeout.iter().map(|name| self.option(instance, name));
        self.strongest(named)
            .or_else(|| self.limit_put(Holder::Made(instance), client.instance_timeout.iter().chain(&client.timeout)))
            .or_else(|| self.limit_put(Holder::Made(instance), client.instance_calls.iter()))
            .or(on_package)
    }

    /// Whether a request goes through an instance that was made out of sight.
    fn uses_hidden_instance(&self, http: &HttpUse) -> bool {
        self.request_match(http).is_some_and(|matched| matched.instance.is_some())
    }

    fn request_match(&self, http: &HttpUse) -> Option<RequestMatch<'_>> {
        let mut callees = self.callee(http.inner).externals();
        callees.find_map(|external| self.catalogue.request(external.package, &external.segs))
    }

    /// Where the arguments of a request are.
    pub fn request_shape(&self, http: &HttpUse) -> Option<&Request> {
        self.request_match(http).map(|matched| matched.request)
    }

    /// What is assigned to something later, or set by a call on it.
    fn limit_put<'n>(&self, holder: Holder, names: impl Iterator<Item = &'n String>) -> Option<Limit> {
        let mut found = None;
        for name in names {
            if self.timers().set_by_call.contains(&(holder, Name::new(name))) {
                return Some(Limit::Set);
            }
            if let Lookup::Present(value) = self.put_later(holder, name) {
                found = Some(self.limit_of_value(&value));
            }
        }
        found
    }

    /// Whether the program calls something anywhere: `py:socket.setdefaulttimeout`.
    fn is_called(&self, path: &str) -> bool {
        self.timers().set_by_call.iter().any(|(holder, name)| match holder {
            Holder::Package(package) => {
                path.strip_prefix(package.as_str()).and_then(|rest| rest.strip_prefix('.')) == Some(name.as_str())
            }
            _ => false,
        })
    }

    /// What several options say together: a limit wins, then what cannot be told, then a limit switched off.
    fn strongest(&self, found: impl Iterator<Item = Lookup>) -> Option<Limit> {
        let mut strongest = None;
        for lookup in found {
            let limit = match lookup {
                Lookup::Absent => continue,
                Lookup::Unknown => Limit::Unknown,
                Lookup::Present(value) => self.limit_of_value(&value),
            };
            strongest = match (strongest, limit) {
                (_, Limit::Set) => return Some(Limit::Set),
                (Some(Limit::Unknown), _) | (_, Limit::Unknown) => Some(Limit::Unknown),
                _ => Some(Limit::None),
            };
        }
        strongest
    }

    /// What a value says that an option for a limit is given.
    pub fn limit_of_value(&self, value: &Value) -> Limit {
        let value = self.expand(value);
        let mut limits = value.alternatives().iter().map(|alternative| self.limit_of_one(alternative));
        let mut all = Vec::new();
        if limits.any(|limit| {
            all.push(limit);
            limit == Limit::Set
        }) {
            Limit::Set
        } else if all.contains(&Limit::Unknown) {
            Limit::Unknown
        } else {
            Limit::None
        }
    }

    fn limit_of_one(&self, value: &Value) -> Limit {
        match value {
            Value::Null | Value::Bool(false) => Limit::None,
            Value::Number(number) if *number == 0.0 => Limit::None,
            Value::Text(_)
            | Value::Template(_)
            | Value::Number(_)
            | Value::Env(_)
            | Value::Object(_)
            | Value::List(_)
            | Value::Instance(_) => Limit::Set,
            Value::External(external) => self.limit_of_external(external),
            _ => Limit::Unknown,
        }
    }

    fn limit_of_external(&self, external: &External) -> Limit {
        let Some(&made) = external.sites.last() else { return Limit::Unknown };
        let facts = self.facts(made.file);
        let args = &facts.call(made.call).args;
        if timers::is_controller(external) && external.last_member().is_some_and(|name| name == "signal") {
            return if self.timers().aborts(made) { Limit::Set } else { Limit::None };
        }
        if self.has_role(made, KnownRole::Timeout) {
            return Limit::Set;
        }
        // `AbortSignal.any([a, b])`
        if external.dotted() == "AbortSignal.any" {
            let Some(arg) = args.first() else { return Limit::Unknown };
            let ExprKind::List(items) = facts.expr(arg.value) else { return Limit::Unknown };
            let all: Vec<Value> = items.iter().map(|&item| self.value(ExprRef::new(made.file, item))).collect();
            return self.strongest(all.into_iter().map(Lookup::Present)).unwrap_or(Limit::Unknown);
        }
        // `httpx.Timeout(None)`, `ClientTimeout(total=10)`: a limit unless all it is given is nothing.
        if external.last_member().is_some_and(|name| name.ends_with("Timeout")) {
            let given = args.iter().map(|arg| self.value(ExprRef::new(made.file, arg.value)));
            return if given.into_iter().all(|value| value == Value::Null) { Limit::None } else { Limit::Set };
        }
        Limit::Unknown
    }

    // ---- SDKs -----------------------------------------------------------------------------------------------

    /// The package through which a vendor is used.
    pub fn package_used(&self, used: &VendorUse) -> Option<&Package> {
        match used.via {
            Via::Sdk(package, _) => self.package_of_vendor(package, used),
            Via::Http(_) => None,
        }
    }

    /// The time limits of the version of a package that a use is of; of the newest where no version is known.
    pub fn timeout_of<'p>(&self, used: &VendorUse, package: &'p Package) -> Option<&'p Timeout> {
        let major = match used.via {
            Via::Sdk(name, made) if package.older_timeout.is_some() => {
                self.major_of(made.map_or(used.at.file, |made| made.file), name)
            }
            _ => None,
        };
        let older = package.older_timeout.as_ref().zip(major).filter(|(older, major)| older.until > Some(*major));
        older.map(|(older, _)| older).or(package.timeout.as_ref())
    }

    fn package_of_vendor(&self, package: Name, used: &VendorUse) -> Option<&Package> {
        let segs = self.external(used.at).map_or(&[][..], |external| &external.segs);
        self.catalogue.packages(package, segs).find(|(vendor, _)| *vendor == used.vendor).map(|(_, package)| package)
    }

    /// Whether something bounds the calls of a client, as far as the client itself is concerned.
    pub fn client_limit(&self, client: &ClientUse, package: &Package, timeout: &Timeout) -> Limit {
        let named = timeout.client.iter().map(|name| self.client_option(client.at, name, package.key.as_ref()));
        self.strongest(named)
            .or_else(|| self.limit_put(Holder::Made(client.at), timeout.client.iter()))
            .or_else(|| self.package_limit(client.package, timeout))
            .unwrap_or_else(|| Limit::by_default(timeout.default_s))
    }

    /// What is set on a package itself; none when nothing is.
    pub fn package_limit(&self, package: Name, timeout: &Timeout) -> Option<Limit> {
        if timeout.process.iter().any(|call| self.is_called(call)) {
            return Some(Limit::Set);
        }
        self.limit_put(Holder::Package(package), timeout.client.iter())
    }

    /// Whether an option of the call itself or something around it bounds a call of an SDK; what its client says
    /// is not asked.
    pub fn call_limit(&self, used: &VendorUse, timeout: &Timeout) -> Limit {
        let named = timeout.call.iter().map(|name| self.option_from(used.at, name, timeout.call_from));
        match self.strongest(named) {
            Some(Limit::Set) => Limit::Set,
            _ if self.is_bounded(used.at) => Limit::Set,
            other => other.unwrap_or(Limit::None),
        }
    }

    // ---- around ---------------------------------------------------------------------------------------------

    /// Whether something around a call bounds it: a race, a helper, a block with a limit, here or at every caller.
    pub fn is_bounded(&self, call: CallRef) -> bool {
        self.is_bounded_to(call, DEEPEST_CALLER)
    }

    fn is_bounded_to(&self, call: CallRef, depth: usize) -> bool {
        let timers = self.timers();
        let function = self.function_of(call);
        timers.is_bounded(call)
            || timers.ends_in(function)
            || self.stands_in_limit(call, function)
            || depth > 0 && self.is_run_bounded(function, depth - 1)
    }

    /// `async with asyncio.timeout(10):`
    fn stands_in_limit(&self, call: CallRef, function: FunctionRef) -> bool {
        let facts = self.facts(call.file);
        facts.enclosing(facts.call(call.call).block).take_while(|(_, block)| block.function == function.function).any(
            |(_, block)| match block.kind {
                BlockKind::With(context) => match *facts.expr(context) {
                    ExprKind::Call(limit) => self.has_role(CallRef::new(call.file, limit), KnownRole::Timeout),
                    _ => false,
                },
                _ => false,
            },
        )
    }

    /// Whether all that makes a function run bounds it.
    fn is_run_bounded(&self, function: FunctionRef, depth: usize) -> bool {
        if function.function == FunctionId::MODULE || !self.entries_of(function).is_empty() {
            return false;
        }
        let facts = self.facts(function.file);
        let decorated = facts.function(function.function).decorators.iter().any(|&decorator| {
            self.value(ExprRef::new(function.file, decorator)).externals().any(|external| {
                let known = self.catalogue.known(external.package, &external.segs[..external.segs.len().min(1)]);
                known.is_some_and(|known| known.role == KnownRole::Timeout)
            })
        });
        let edges = self.incoming(function);
        decorated
            || !edges.is_empty()
                && edges.iter().all(|edge| {
                    edge.kind == EdgeKind::Callback
                        && (self.timers().is_bounding(edge.call) || self.runs_bounded(edge.call, function, depth))
                        || edge.kind == EdgeKind::Deferred && self.is_waited_for_briefly(edge.call)
                        || self.is_bounded_to(edge.call, depth)
                })
    }

    /// `worker.start()`, where `worker.join(timeout=2)` is all that waits for it.
    fn is_waited_for_briefly(&self, call: CallRef) -> bool {
        self.callee(call).externals().any(|external| {
            matches!(holder_of_external(external), Some((Holder::Made(made), _)) if self.timers().is_bounded(made))
        })
    }

    /// Whether a function of the program bounds what it is handed wherever it calls it.
    fn runs_bounded(&self, handed: CallRef, callback: FunctionRef, depth: usize) -> bool {
        let args = &self.facts(handed.file).call(handed.call).args;
        let is_callback = |value| self.value(ExprRef::new(handed.file, value)).functions().any(|of| of == callback);
        let Some(index) = args.iter().position(|arg| arg.name.is_none() && is_callback(arg.value)) else {
            return false;
        };
        let own = self.edges(handed).iter().find(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target);
        let (Some(own), Some(depth)) = (own, depth.checked_sub(1)) else { return false };
        let facts = self.facts(own.file);
        let is_it = |callee| match facts.expr(callee) {
            ExprKind::Ref(name, block) => {
                let held = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                matches!(held, Some([only])
                    if matches!(*facts.expr(*only), ExprKind::Param(of, at) if of == own.function && usize::from(at) == index))
            }
            _ => false,
        };
        let inner = self.with_inner(own).into_iter().flat_map(|inner| self.calls_in(inner));
        let mut runs = inner.filter(|at| is_it(facts.call(at.call).callee)).peekable();
        runs.peek().is_some() && runs.all(|at| self.is_bounded_to(at, depth))
    }
}
