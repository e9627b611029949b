//! Core paths: what is reachable from signup, login and checkout, and which vendors they wait for.
//!
//! A path is found by what the code does: the *core call* makes the account, opens the session or takes the money.
//! Every function that leads to one is part of the path; what such a function waits for beside the core call, in
//! itself or through functions and requests that it waits for, is on the path too. Calls on another arm of a
//! decision, after the answer, in the handling of an error, or that nothing waits for are not.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Core, Operation, VendorId};
use crate::link::calls::per_file;
use crate::program::{CallRef, Edge, EdgeKind, FunctionRef, HttpUse, Program, VendorUse};

mod back_in;
mod chosen;
mod entries;
mod failure;
mod flow;
mod operations;
pub(crate) mod says;
mod told;
mod weight;

pub use chosen::Chosen;
pub use entries::Start;
pub use failure::Failure;
pub use operations::CoreCall;
pub use weight::Weight;

pub use entries::Callers;
use entries::{is_authenticated, is_for_others, is_live, says};
use flow::{Fate, Flow};

/// What leaves the program at a call.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'p> {
    /// The call.
    pub at: CallRef,
    /// The use of a vendor.
    pub vendor: Option<&'p VendorUse>,
    /// The request, when it goes over HTTP.
    pub request: Option<&'p HttpUse>,
}

/// A vendor or external service that a core path waits for.
#[derive(Debug, Clone)]
pub struct CoreUse<'p> {
    /// Which path.
    pub core: Core,
    /// What is waited for.
    pub out: Outgoing<'p>,
    /// The call of the path's own function that leads there; the call itself when it stands in that function.
    pub on_path: CallRef,
    /// The core call, or the call that leads to it, in the same function; none when only names tell the path.
    pub core_call: Option<CallRef>,
    /// What shows the purpose of the path, and how.
    pub purpose: Option<(CallRef, Purpose)>,
    /// What is kept of a customer and decides that the call is made at all: not everybody waits for it.
    pub only_with: Option<Chosen>,
    /// What its failure does.
    pub failure: Failure,
    /// Its wait ends when something else is there first: `Promise.race`.
    pub raced: bool,
    /// How much the path needs it.
    pub weight: Weight,
    /// Where the path starts; nearest first.
    pub starts: Vec<Start>,
    /// The way from the path's own function to the call.
    pub way: Vec<Edge>,
}

/// How a call shows what a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The account, session, payment or order is made here.
    Made,
    /// A payment is only looked up here: the return from paying.
    LookedUp,
    /// What is called here does it.
    Leads,
}

impl CoreUse<'_> {
    /// The whole way from a start to the call.
    pub fn whole_way(&self, start: &Start) -> Vec<Edge> {
        start.way.iter().chain(&self.way).copied().collect()
    }
}

impl<'p> Outgoing<'p> {
    /// The vendor, when it is a known one.
    pub fn vendor_id(&self) -> Option<VendorId> {
        self.vendor.map(|used| used.vendor)
    }

    /// The operation, when the catalogue knows it.
    pub fn operation(&self, program: &'p Program) -> Option<&'p Operation> {
        program.operation(self.vendor?)
    }

    /// The call that really sends: inside a wrapper of the program another one.
    pub fn sender(&self) -> CallRef {
        self.request.map_or(self.at, |http| http.inner)
    }
}

/// The functions that lead to core calls of one kind.
struct Leading {
    functions: FxHashSet<FunctionRef>,
    calls: FxHashMap<CallRef, CoreCall>,
}

/// The search for what paths wait for.
struct Search<'p> {
    program: &'p Program,
    callers: &'p Callers,
    leading: FxHashMap<Core, Leading>,
    flow: Flow<'p>,
}

/// The calls of live code that core paths exist for, in order.
pub fn find_calls(program: &Program) -> Vec<CoreCall> {
    let found = per_file(program, |program, file, _| {
        let calls = program.calls_of(file).filter(|&call| is_live(program, program.function_of(call)));
        calls.filter_map(|call| program.core_call(call)).collect()
    });
    found.into_iter().flatten().collect()
}

impl Program {
    /// What the core paths of some kinds wait for besides their core calls, in the order of the calls.
    pub fn core_uses(&self, cores: &[Core]) -> Vec<CoreUse<'_>> {
        let mut search = Search::new(self);
        let mut found: Vec<CoreUse<'_>> = cores.iter().flat_map(|&core| search.uses(core)).collect();
        found.extend(search.named_uses(cores));
        found.sort_by_key(|used| (used.out.at, used.on_path, used.core));
        let inside: FxHashSet<CallRef> =
            found.iter().filter(|used| used.out.sender() != used.out.at).map(|used| used.out.sender()).collect();
        // The request inside a wrapper is the same as the one its caller sends.
        found.retain(|used| !inside.contains(&used.out.at));
        found
    }
}

impl<'p> Search<'p> {
    fn new(program: &'p Program) -> Self {
        let callers = program.starters.get_or_init(|| Callers::new(program));
        let mut leading: FxHashMap<Core, Leading> = FxHashMap::default();
        for core in &program.core_calls {
            let leading = leading.entry(core.core).or_insert_with(Leading::empty);
            leading.calls.insert(core.at, *core);
            leading.functions.insert(program.function_of(core.at));
        }
        for leading in leading.values_mut() {
            let of = |leading: &Leading, renews: bool| -> Vec<FunctionRef> {
                let calls = leading.calls.values().filter(|call| call.renews == renews);
                calls.map(|call| program.function_of(call.at)).collect()
            };
            let (own, open) = (of(leading, false), of(leading, true));
            leading.lead(program, callers, own, |_| false);
            // What renews the login before each request is not what the requests are for.
            let senders: FxHashSet<FunctionRef> = senders(program);
            leading.lead(program, callers, open, |function| senders.contains(&function));
        }
        Self { program, callers, leading, flow: Flow::new(program) }
    }

    /// The calls of a function that are core calls or lead to one.
    fn towards(&self, function: FunctionRef, core: Core) -> Vec<CallRef> {
        let Some(leading) = self.leading.get(&core).filter(|leading| leading.functions.contains(&function)) else {
            return vec![];
        };
        let leads = |call: &CallRef| {
            leading.calls.contains_key(call)
                || self.program.edges(*call).iter().any(|&edge| {
                    edge.kind != EdgeKind::Deferred
                        && !self.callers.registers(edge)
                        && leading.functions.contains(&edge.target)
                })
        };
        self.program.calls_in(function).filter(leads).collect()
    }

    fn uses(&mut self, core: Core) -> Vec<CoreUse<'p>> {
        let Some(leading) = self.leading.get(&core) else { return vec![] };
        let mut functions: Vec<FunctionRef> = leading.functions.iter().copied().collect();
        functions.sort_unstable();
        let mut found = Vec::new();
        for function in functions {
            let towards = self.towards(function, core);
            if towards.is_empty() || !is_live(self.program, function) {
                continue;
            }
            let waited = self.waited(function, core, &towards);
            if waited.is_empty() {
                continue;
            }
            let starts = self.callers.starts(self.program, function);
            found.extend(
                waited.into_iter().filter_map(|(out, way)| self.judge(core, function, &towards, &starts, out, way)),
            );
        }
        found
    }

    /// What entries wait for that are on a core path by their name alone: known vendors only.
    fn named_uses(&mut self, cores: &[Core]) -> Vec<CoreUse<'p>> {
        let program = self.program;
        let mut found = Vec::new();
        for (at, entry) in program.entries.iter().enumerate() {
            let Some(core) = entries::named(program, at).filter(|core| cores.contains(core)) else { continue };
            let led = self.leading.get(&core).is_some_and(|leading| leading.functions.contains(&entry.function));
            if led || !is_live(program, entry.function) {
                continue;
            }
            let starts = self.callers.starts(program, entry.function);
            for (out, way) in self.waited(entry.function, core, &[]) {
                if out.vendor.is_some() || out.request.is_some_and(|http| program.hands_mail(http)) {
                    found.extend(self.judge(core, entry.function, &[], &starts, out, way));
                }
            }
        }
        found
    }

    /// What a function of the path waits for, with the way to it.
    fn waited(&mut self, start: FunctionRef, core: Core, towards: &[CallRef]) -> Vec<(Outgoing<'p>, Vec<Edge>)> {
        const MOST_FUNCTIONS: usize = 300;
        const DEEPEST: usize = 8;
        let program = self.program;
        let mut found = Vec::new();
        let mut seen = FxHashSet::from_iter([start]);
        let mut open: VecDeque<(FunctionRef, Vec<Edge>)> = VecDeque::from([(start, vec![])]);
        while let Some((function, way)) = open.pop_front() {
            for call in program.calls_in(function) {
                let outs = outgoing(program, call);
                let edges = program.edges(call);
                if outs.is_empty() && edges.is_empty() {
                    continue;
                }
                let goes =
                    |&at: &CallRef| if at == call { self.is_core(core, call) } else { self.flow.together(at, call) };
                let beside = way.is_empty() && !towards.is_empty() && !towards.iter().any(goes);
                if beside
                    || !self.flow.waits(call)
                    || self.flow.answered_before(call)
                    || self.flow.is_beside_the_way(call)
                    || way.last().is_some_and(|edge| program.is_switched_off(call, edge))
                {
                    continue;
                }
                found.extend(outs.into_iter().map(|out| (out, way.clone())));
                if way.len() >= DEEPEST || seen.len() >= MOST_FUNCTIONS {
                    continue;
                }
                for &edge in edges {
                    let leads = self.leading.get(&core).is_some_and(|leading| leading.functions.contains(&edge.target));
                    if edge.kind != EdgeKind::Deferred
                        && !leads
                        && !self.callers.registers(edge)
                        && seen.insert(edge.target)
                    {
                        let way = way.iter().copied().chain([edge]).collect();
                        open.push_back((edge.target, way));
                    }
                }
            }
        }
        found
    }

    fn judge(
        &mut self,
        core: Core,
        function: FunctionRef,
        towards: &[CallRef],
        starts: &[Start],
        out: Outgoing<'p>,
        way: Vec<Edge>,
    ) -> Option<CoreUse<'p>> {
        let program = self.program;
        let on_path = way.first().map_or(out.at, |edge| edge.call);
        let goes = |search: &mut Self, core_call: CallRef| {
            if core_call == on_path { search.is_core(core, on_path) } else { search.flow.together(core_call, on_path) }
        };
        let together: Vec<CallRef> = towards.iter().copied().filter(|&call| goes(self, call)).collect();
        let core_call = together.first().copied();
        let pays = self.towards(function, Core::Checkout);
        let paid = pays.iter().any(|&pay| pay < on_path && self.flow.together(pay, on_path));
        if (core_call.is_none() && !towards.is_empty()) || (core != Core::Checkout && paid) {
            return None;
        }
        let inside = failure::inside(program, out.at, out.sender());
        let mut senders = inside.iter().skip(1).map(|edge| edge.call).chain([out.sender()]);
        if out.sender() != out.at && !senders.all(|call| self.flow.waits(call) && !self.flow.is_beside_the_way(call)) {
            return None;
        }
        let reached = self.core_calls(core, &together);
        let mut starts = self.customers(core, starts, &reached);
        let reads = weight::reads_pages(program, &out);
        starts.retain(|start| {
            let whole: Vec<Edge> = start.way.iter().chain(&way).copied().collect();
            let delivered = start.entry.is_some_and(|entry| program.is_for_deliveries(entry, &whole, out.at));
            !delivered
                && !program.is_switched_off_on(&whole, out.at)
                && !told::goes_elsewhere(program, &whole, out.at)
                && !chosen::is_asked_import(program, &whole, out.at, reads)
        });
        let names = names_around(program, &way, &out);
        let behind: String = way.iter().map(|edge| program.function_name(edge.target) + " ").collect();
        if core == Core::Checkout && entries::says_counter(&behind) {
            return None;
        }
        let mut weight = weight::of(program, core, &out, &names, !pays.is_empty())?;
        // The service may be the one that places the order.
        let own_rows = reached.iter().all(|call| call.weak && call.own) && !reached.is_empty();
        if starts.is_empty() || (out.vendor.is_none() && own_rows && core == Core::Checkout) {
            return None;
        }
        let mut follow = failure::Follow { program, flow: &mut self.flow };
        let failure = follow.outcome(&way, out.at, &inside, out.sender(), &together);
        let mut waits = way.iter().map(|edge| edge.call).chain([out.at]);
        let raced = waits.any(|call| follow.races(call));
        // What the path asks on purpose before it goes on: is the address free, the password known to be stolen?
        let asks = core_call.is_some_and(|core| on_path < core) && self.flow.fate(on_path) != Fate::GoesOn;
        let asks_stranger = asks && out.vendor.is_none();
        let hands_link = core_call.is_some_and(|core| self.flow.hands_link(core, on_path));
        let is_login = core != Core::Checkout
            && (weight::is_provider(&out, &starts)
                || starts.iter().all(|start| weight::names_service(&out, &start.label))
                || {
                    let by_it = core_call.is_some_and(|core| self.flow.hands_result(on_path, core));
                    by_it && weight::names_service(&out, &program.call_text(on_path))
                });
        weight = match weight {
            // Whoever signs in with a service needs that service.
            Weight::Other if is_login => Weight::Essential,
            // A service of an unknown kind that is asked before the order is made delivers what is ordered.
            Weight::Other if asks_stranger && core == Core::Checkout => Weight::Essential,
            Weight::Other if asks_stranger || hands_link || (asks && failure != Failure::Stops) => Weight::Message,
            weight => weight,
        };
        let purpose = self.purpose(core, &together);
        let only_with = chosen::only_with(program, core, &way, out.at);
        Some(CoreUse { core, out, on_path, core_call, purpose, only_with, failure, raced, weight, starts, way })
    }

    /// The call among some of a function that shows best what the path is for.
    fn purpose(&self, core: Core, together: &[CallRef]) -> Option<(CallRef, Purpose)> {
        let calls = &self.leading.get(&core)?.calls;
        let shown = together.iter().map(|at| match calls.get(at) {
            Some(call) if call.reads => (*at, Purpose::LookedUp),
            Some(_) => (*at, Purpose::Made),
            None => (*at, Purpose::Leads),
        });
        shown.min_by_key(|&(at, purpose)| (purpose, at))
    }

    /// The starts that customers start, for this purpose.
    fn customers(&self, core: Core, starts: &[Start], reached: &[CoreCall]) -> Vec<Start> {
        let all = |test: fn(&CoreCall) -> bool| !reached.is_empty() && reached.iter().all(test);
        let (weak, reads, for_anyone) = (all(|call| call.weak), all(|call| call.reads), all(|call| call.for_anyone));
        let is_theirs = |start: &&Start| {
            !is_for_others(start, core, for_anyone)
                && (!weak || says(core, &start.names))
                && (!reads || start.way.iter().all(|edge| edge.kind != EdgeKind::Jump))
                && !entries::sweeps(self.program, start, reached)
                && (!for_anyone || !reached.iter().any(|call| is_authenticated(self.program, start, call.at)))
        };
        starts.iter().filter(is_theirs).cloned().collect()
    }

    fn is_core(&self, core: Core, call: CallRef) -> bool {
        self.leading.get(&core).is_some_and(|leading| leading.calls.contains_key(&call))
    }

    /// The core calls that some calls are or lead to.
    fn core_calls(&self, core: Core, towards: &[CallRef]) -> Vec<CoreCall> {
        let Some(leading) = self.leading.get(&core) else { return vec![] };
        let mut found: Vec<CoreCall> = towards.iter().filter_map(|call| leading.calls.get(call)).copied().collect();
        for &call in towards {
            for edge in self.program.edges(call) {
                if !leading.functions.contains(&edge.target) {
                    continue;
                }
                let reach = self.program.reach(edge.target, |edge| {
                    edge.kind != EdgeKind::Deferred
                        && !self.callers.registers(edge)
                        && leading.functions.contains(&edge.target)
                });
                let calls = reach.stops.iter().flat_map(|stop| self.program.calls_in(stop.function));
                found.extend(calls.filter_map(|call| leading.calls.get(&call)).copied());
            }
        }
        found
    }
}

impl Leading {
    fn empty() -> Self {
        Self { functions: FxHashSet::default(), calls: FxHashMap::default() }
    }

    /// Notes who leads to some functions, but not through those that end the way.
    fn lead(
        &mut self,
        program: &Program,
        callers: &Callers,
        mut open: Vec<FunctionRef>,
        ends: impl Fn(FunctionRef) -> bool,
    ) {
        self.functions.extend(open.iter().copied());
        while let Some(function) = open.pop() {
            if ends(function) {
                continue;
            }
            for edge in callers.of(function) {
                let caller = program.function_of(edge.call);
                if self.functions.insert(caller) {
                    open.push(caller);
                }
            }
        }
    }
}

/// The functions through which others send their requests.
fn senders(program: &Program) -> FxHashSet<FunctionRef> {
    let through = program.requests().iter().filter(|http| http.at != http.inner);
    through.map(|http| program.function_of(http.inner)).collect()
}

/// What leaves at a call: vendors' uses, and requests to services that no vendor of ours is.
fn outgoing(program: &Program, call: CallRef) -> Vec<Outgoing<'_>> {
    let vendors = program.vendors_at(call);
    if !vendors.is_empty() {
        let out = |vendor| Outgoing { at: call, vendor: Some(vendor), request: program.request_of(vendor) };
        return vendors.iter().map(out).collect();
    }
    let requests = program.requests_at(call).iter();
    requests.map(|request| Outgoing { at: call, vendor: None, request: Some(request) }).collect()
}

/// The names around a call: of functions and files on the way to it, of the function it stands in, and what the calls
/// on the way are given.
fn names_around(program: &Program, way: &[Edge], out: &Outgoing<'_>) -> String {
    let mut names = String::new();
    for edge in way {
        let path = program.file(edge.target.file).path.as_str();
        let file = path.rsplit_once('/').map_or(path, |(folder, _)| last_two(folder, path));
        names.push_str(&format!("{} {file} ", program.function_name(edge.target)));
        names.push_str(&weight::about(program, edge.call));
    }
    names.push_str(&program.function_name(program.function_of(out.at)));
    names.push(' ');
    names.push_str(&weight::about(program, out.at));
    names
}

/// A file's name with its folder's: `send-welcome-email/index.ts`.
fn last_two<'t>(folder: &str, path: &'t str) -> &'t str {
    let from = folder.rfind('/').map_or(0, |at| at + 1);
    &path[from..]
}
