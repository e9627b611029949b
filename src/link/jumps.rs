//! Jumps: which of the program's own entry points serves a request that its own code sends, a function it invokes
//! by name, a procedure or server action that its browser code calls.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Effect, Seg};
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::link::calls::per_file;
use crate::link::entries::KnownRoute;
use crate::link::entries::handlers::{arguments, key, object};
use crate::link::entries::platforms::FUNCTION_PATHS;
use crate::link::rewrites::{Led, Rewrites};
use crate::manifest::Setting;
use crate::names::Name;
use crate::program::apps;
use crate::program::{
    CallRef, Destination, Edge, EdgeKind, Entry, EntryKind, ExprRef, External, FunctionRef, HttpUse, Program, Value,
    Via,
};

pub mod procedures;
pub mod routes;

use routes::{Asked, Rank, Routes};

/// A request to the app itself that nothing serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The call that sends it.
    pub at: CallRef,
    /// The path, or the function's name.
    pub asked: Name,
    /// The method, when known.
    pub method: Option<Name>,
    /// It asks for a function by name.
    pub is_function: bool,
    /// The path of the app that it is led to, where something leads it on.
    pub led_to: Option<Name>,
}

/// The jumps of a program.
#[derive(Debug, Default)]
pub struct Jumps {
    /// The entries that serve a call's request: index into the program's entries. Sorted by call.
    to: Vec<(CallRef, usize)>,
    /// Requests to the app itself that nothing serves, sorted by call.
    unmatched: Vec<Unmatched>,
}

impl Program {
    /// The entries that serve the request that a call sends.
    pub fn entries_for_jump(&self, call: CallRef) -> Vec<usize> {
        let to = &self.jumps.to;
        let from = to.partition_point(|(at, _)| *at < call);
        let end = to.partition_point(|(at, _)| *at <= call);
        to[from..end].iter().map(|(_, entry)| *entry).collect()
    }

    /// Requests to the app itself that nothing of it serves, in order.
    pub fn unmatched_jumps(&self) -> &[Unmatched] {
        &self.jumps.unmatched
    }
}

/// Finds every jump and adds it to the graph. Where the repository turns out to hold several apps, each request is
/// looked at again: its own app's routes are meant first.
pub fn connect(program: &mut Program) {
    let mut found = all(program);
    program.apps = apps::find(program, &served_from(program, &found.to));
    if program.has_several_apps() {
        found = all(program);
    }
    add(program, found);
}

/// Every jump.
fn all(program: &Program) -> Jumps {
    let mut found = Jumps::default();
    let finder = Finder::new(program);
    let mut seen: FxHashSet<CallRef> = FxHashSet::default();
    for http in told_by(program) {
        finder.request(http, &mut seen, &mut found);
    }
    for used in program.vendor_uses() {
        let invokes = program.operation(used).is_some_and(|operation| operation.effect == Effect::Invoke);
        if invokes && matches!(used.via, Via::Sdk(..)) {
            finder.invoke(used.at, &mut found);
        }
    }
    let queries: Vec<Vec<(CallRef, usize)>> =
        per_file(program, |program, file, _| program.calls_of(file).flat_map(|call| finder.query(call)).collect());
    found.to.extend(queries.into_iter().flatten());
    let procedures: Vec<Vec<(CallRef, usize)>> =
        per_file(program, |program, file, _| program.calls_of(file).flat_map(|call| finder.procedures(call)).collect());
    found.to.extend(procedures.into_iter().flatten());
    found.to.sort_unstable();
    found.to.dedup();
    found.unmatched.sort_by_key(|unmatched| (unmatched.at, unmatched.asked));
    found.unmatched.dedup();
    found
}

/// Adds jumps to the graph.
fn add(program: &mut Program, found: Jumps) {
    let edges: Vec<Edge> = found
        .to
        .iter()
        .map(|&(call, entry)| Edge { call, target: program.entries[entry].function, kind: EdgeKind::Jump })
        .collect();
    let actions: FxHashSet<FunctionRef> = program
        .entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::ServerAction)
        .map(|entry| entry.function)
        .collect();
    let sides = std::mem::take(&mut program.sides);
    let mut all = std::mem::take(&mut program.graph.edges).into_items();
    for edge in &mut all {
        let crosses = edge.target.file != edge.call.file && actions.contains(&edge.target);
        if crosses && sides.get(edge.call.file.index()).is_some_and(|side| side.client) {
            edge.kind = EdgeKind::Jump;
        }
    }
    program.sides = sides;
    all.extend(edges);
    program.graph.edges = super::calls::sorted(all);
    program.jumps = found;
}

/// The files that requests are sent from, each with those that serve it.
fn served_from(program: &Program, to: &[(CallRef, usize)]) -> Vec<(FileId, Vec<FileId>)> {
    let serving =
        |jumps: &[(CallRef, usize)]| jumps.iter().map(|(_, entry)| program.entries[*entry].place.file).collect();
    to.chunk_by(|one, other| one.0 == other.0).map(|jumps| (jumps[0].0.file, serving(jumps))).collect()
}

/// The requests that say where they go: of a wrapper whose callers hand in the path or method, the callers' ones; of
/// any other function its own.
fn told_by(program: &Program) -> Vec<&HttpUse> {
    let mut wrapped: FxHashSet<CallRef> = FxHashSet::default();
    let mut open: FxHashSet<CallRef> = FxHashSet::default();
    for http in program.requests() {
        if http.at != http.inner {
            wrapped.insert(http.inner);
        } else if is_open(program, http) {
            open.insert(http.at);
        }
    }
    let told = |http: &&HttpUse| match http.at == http.inner {
        true => !(open.contains(&http.at) && wrapped.contains(&http.at)),
        false => open.contains(&http.inner) && !is_open(program, http),
    };
    program.requests().iter().filter(told).collect()
}

/// Whether the callers of the function a request stands in decide where it goes.
fn is_open(program: &Program, http: &HttpUse) -> bool {
    let head = match &http.url {
        Value::Template(parts) => parts.first(),
        url => Some(url),
    };
    let from_caller = |value: &Value| {
        value.any(|value| matches!(value, Value::Param(function, _) if !program.callers(*function).is_empty()))
    };
    http.method.is_none() && http.options.iter().any(from_caller) || head.is_some_and(from_caller)
}

struct Finder<'p> {
    program: &'p Program,
    routes: Routes,
    rewrites: Rewrites,
    /// Functions by name.
    functions: FxHashMap<Name, Vec<usize>>,
    /// Procedures by their path.
    procedures: FxHashMap<Name, Vec<usize>>,
    /// Whether any function is there to be invoked.
    has_functions: bool,
    /// The projects of Supabase that the repository deploys, where its settings say so.
    deployed: Vec<String>,
}

impl<'p> Finder<'p> {
    fn new(program: &'p Program) -> Self {
        let mut functions: FxHashMap<Name, Vec<usize>> = FxHashMap::default();
        let mut procedures: FxHashMap<Name, Vec<usize>> = FxHashMap::default();
        for (at, entry) in program.entries.iter().enumerate() {
            match (entry.kind, entry.name) {
                (EntryKind::EdgeFunction, Some(name)) => functions.entry(name).or_default().push(at),
                (EntryKind::Procedure, Some(name)) => procedures.entry(name).or_default().push(at),
                _ => {}
            }
        }
        let has_functions = !functions.is_empty();
        let (routes, rewrites) = (Routes::new(program), Rewrites::find(program));
        let settings = program.manifests.iter().filter(|manifest| manifest.path.ends_with("supabase/config.toml"));
        let named = settings.filter_map(|manifest| match manifest.setting(&["project_id"])? {
            Setting::Text(id) => Some(id),
            _ => None,
        });
        let deployed = named.filter(|id| is_project(id)).collect();
        Self { program, routes, rewrites, functions, procedures, has_functions, deployed }
    }

    /// Whether a text is an address of another project of Supabase's than those of the repository, whose functions are
    /// written elsewhere.
    fn is_of_other_project(&self, text: &str) -> bool {
        !self.deployed.is_empty()
            && project_of(text).is_some_and(|project| !self.deployed.iter().any(|own| own == project))
    }

    /// Whether an address may be in another project.
    fn may_be_elsewhere(&self, url: &Value) -> bool {
        // An address of the app's own that stands before it is asked first.
        let own = || url.envs().into_iter().any(|name| self.program.catalogue.is_own_url(&name));
        url.any(|value| matches!(value, Value::Text(text) if self.is_of_other_project(text))) && !own()
    }

    /// Whether an address is in another project whatever happens.
    fn is_elsewhere(&self, url: &Value) -> bool {
        match url {
            Value::Text(text) => self.is_of_other_project(text),
            Value::Template(parts) => parts.first().is_some_and(|base| self.is_elsewhere(base)),
            Value::OneOf(several) => several.iter().all(|url| self.is_elsewhere(url)),
            _ => false,
        }
    }

    fn request(&self, http: &HttpUse, seen: &mut FxHashSet<CallRef>, found: &mut Jumps) {
        let side = self.program.side(http.at.file);
        let from_client = side.client;
        for to in &http.to {
            let (path, is_own, is_tail) = match to {
                Destination::Own(path) => (*path, true, false),
                Destination::Env(_, path) | Destination::Unknown(path) => (*path, false, true),
                Destination::Vendor(_, _, path) | Destination::Host(_, path) => (*path, false, false),
                Destination::Local => match local_path(&http.url) {
                    Some(path) => (path, true, false),
                    None => continue,
                },
            };
            if let Some((name, rest)) = function_path(&path) {
                // Where an address that is not known stands beside the other project's, a function of that name may be
                // meant, and none is missing.
                let known = self.functions.contains_key(&Name::new(&name));
                if !self.may_be_elsewhere(&http.url) || (known && !self.is_elsewhere(&http.url)) {
                    self.by_name(http.at, &name, &rest, http.method, found);
                }
                seen.insert(http.at);
                continue;
            }
            if matches!(to, Destination::Vendor(..) | Destination::Host(..)) {
                continue;
            }
            // A base that is not known may be another service's, unless the browser asks or the path says so.
            let may_be_own = is_own || from_client || path.starts_with("/api/");
            let asked = Asked::new(&path, http.method, is_tail);
            if !may_be_own || !asked.says_enough() {
                continue;
            }
            let served = self.routes.serve(self.program, http.at.file, &asked);
            found.to.extend(served.entries.iter().map(|&entry| (http.at, entry)));
            let (led, led_to) = if is_own && !served.exists { self.led_on(http, &path, found) } else { (false, None) };
            let exists = served.exists || led;
            if !exists && is_own && from_client && !side.tooling && !side.dead && asked.is_certain() {
                let unmatched = Unmatched { at: http.at, asked: path, method: http.method, is_function: false, led_to };
                found.unmatched.push(unmatched);
            }
        }
    }

    /// Whether a path that no route serves is led to something that may; what serves it is noted. Also the path of
    /// the app that it is led to.
    fn led_on(&self, http: &HttpUse, path: &str, found: &mut Jumps) -> (bool, Option<Name>) {
        let (mut exists, mut led_to) = (false, None);
        for led in self.rewrites.lead(&self.program.file(http.at.file).path, path) {
            let (to, is_own) = match &led {
                Led::Page => continue,
                Led::Unknown => {
                    exists = true;
                    continue;
                }
                Led::Function(name) => {
                    let entries = self.functions.get(&Name::new(name)).into_iter().flatten();
                    found.to.extend(entries.map(|&entry| (http.at, entry)));
                    exists = true;
                    continue;
                }
                Led::Path(to) => (to.as_str(), true),
                Led::Away(to) => (to.as_str(), false),
            };
            if let Some((name, rest)) = function_path(to) {
                // Functions of this kind are here, so that this one should be.
                let prefix = &to[..to.len().saturating_sub(name.len() + rest.len() + usize::from(!rest.is_empty()))];
                let kin = |entry: &Entry| entry.route.is_some_and(|route| route.starts_with(prefix));
                if self.functions.contains_key(&Name::new(&name)) || self.program.entries.iter().any(kin) {
                    self.by_name(http.at, &name, &rest, http.method, found);
                }
                exists = true;
                continue;
            }
            let asked = Asked::new(&bare(to), http.method, false);
            let served = self.routes.serve(self.program, http.at.file, &asked);
            found.to.extend(served.entries.iter().map(|&entry| (http.at, entry)));
            exists |= served.exists || !is_own;
            led_to = led_to.or(is_own.then(|| Name::new(to)));
        }
        (exists, led_to)
    }

    /// `functions.invoke("name")`.
    fn invoke(&self, at: CallRef, found: &mut Jumps) {
        for arg in arguments(self.program, at) {
            let value = self.program.value(arg);
            // A wrapper that is told which function: each of its callers starts the one that it names.
            if let Value::Param(wrapper, index) = value
                && self.by_callers(wrapper, index, 3, found)
            {
                return;
            }
            let value = self.program.expand(&value);
            let texts: Vec<Name> = value.alternatives().iter().filter_map(head).collect();
            for text in &texts {
                let path = text.split(['?', '#']).next().unwrap_or("").trim_matches('/').to_owned();
                let (name, rest) = path.split_once('/').unwrap_or((&path, ""));
                self.by_name(at, name, rest, None, found);
            }
            if !texts.is_empty() {
                return;
            }
        }
    }

    /// The functions that the callers of a wrapper name: whether one of them is there.
    fn by_callers(&self, wrapper: FunctionRef, index: u16, depth: usize, found: &mut Jumps) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let mut named = Jumps::default();
        for &caller in self.program.callers(wrapper) {
            let Some(&arg) = arguments(self.program, caller).get(usize::from(index)) else { continue };
            let value = self.program.value(arg);
            if let Value::Param(outer, index) = value
                && self.by_callers(outer, index, depth, &mut named)
            {
                continue;
            }
            let value = self.program.expand(&value);
            for text in value.alternatives().iter().filter_map(head) {
                let path = text.split(['?', '#']).next().unwrap_or("").trim_matches('/');
                let (name, rest) = path.split_once('/').unwrap_or((path, ""));
                self.by_name(caller, name, rest, None, &mut named);
            }
        }
        found.to.extend_from_slice(&named.to);
        !named.to.is_empty()
    }

    /// Of several apps' entries of one name the own one's are meant.
    fn of_app(&self, near: FileId, entries: &[usize]) -> Vec<usize> {
        let own = |entry: &usize| self.program.share_app(self.program.entries[*entry].place.file, near);
        let some = entries.iter().any(own);
        entries.iter().copied().filter(|entry| !some || own(entry)).collect()
    }

    fn by_name(&self, at: CallRef, name: &str, rest: &str, method: Option<Name>, found: &mut Jumps) {
        if name.is_empty() || name.contains("{}") {
            return;
        }
        let name = Name::new(name);
        let Some(entries) = self.functions.get(&name) else {
            let side = self.program.side(at.file);
            if self.has_functions && !side.tooling && !side.dead {
                found.unmatched.push(Unmatched { at, asked: name, method, is_function: true, led_to: None });
            }
            return;
        };
        let entries = self.of_app(at.file, entries);
        // A function may hold a router of its own: then the rest of the path decides.
        let asked = Asked::new(&format!("/{rest}"), method, true);
        let ranked: Vec<(Option<Rank>, usize)> =
            entries.iter().map(|&entry| (routes::rank_tail(&self.program.entries[entry], &asked), entry)).collect();
        let best = ranked.iter().filter_map(|(rank, _)| *rank).max();
        let fits = ranked.iter().filter(|(rank, _)| rest.is_empty() || best.is_none() || *rank == best);
        let served = fits.filter(|(_, entry)| {
            let methods = &self.program.entries[*entry].methods;
            methods.is_empty() || method.is_none_or(|method| methods.contains(&method))
        });
        found.to.extend(served.map(|(_, entry)| (at, *entry)));
    }

    /// `useQuery({ queryKey: ["/api/users", id] })` without a function of its own: the app's default one asks for the
    /// key as a path.
    fn query(&self, call: CallRef) -> Vec<(CallRef, usize)> {
        const HOOKS: &[&str] = &["useQuery", "useSuspenseQuery", "useInfiniteQuery"];
        let hook = self.program.callee(call).externals().find_map(|external| external.last_member());
        if !hook.is_some_and(|hook| HOOKS.contains(&hook.as_str())) {
            return vec![];
        }
        let options = arguments(self.program, call).first().and_then(|&arg| object(self.program, arg));
        let Some(options) = options.filter(|&options| key(self.program, options, Name::new("queryFn")).is_none())
        else {
            return vec![];
        };
        let Some(parts) = key(self.program, options, Name::new("queryKey")) else { return vec![] };
        let facts = self.program.facts(parts.file);
        let ExprKind::List(items) = facts.expr(parts.expr) else { return vec![] };
        let text = |value: Value| match value {
            Value::Text(text) => text.as_str().to_owned(),
            Value::Template(parts) => {
                parts.iter().map(|part| part.text().map_or("{}".to_owned(), |text| text.as_str().to_owned())).collect()
            }
            _ => "{}".to_owned(),
        };
        let texts: Vec<String> =
            items.iter().map(|&item| text(self.program.value(ExprRef::new(parts.file, item)))).collect();
        if !texts.first().is_some_and(|first| first.starts_with('/')) {
            return vec![];
        }
        let path = |text: &str| text.split(['?', '#']).next().unwrap_or("").to_owned();
        let get = Some(Name::new("GET"));
        let serve = |text: &str| self.routes.serve(self.program, call.file, &Asked::new(&path(text), get, false));
        let whole = serve(&texts.join("/"));
        let served = if whole.entries.is_empty() { serve(&texts[0]) } else { whole };
        served.entries.into_iter().map(|entry| (call, entry)).collect()
    }

    /// `trpc.user.create.mutate(..)`, `api.user.list.useQuery()`, `caller.user.create(..)`.
    fn procedures(&self, call: CallRef) -> Vec<(CallRef, usize)> {
        if self.procedures.is_empty() {
            return vec![];
        }
        let mut found = Vec::new();
        for external in self.program.callee(call).externals() {
            if !external.package.starts_with("npm:@trpc/") {
                continue;
            }
            if let Some(path) = procedure_path(external)
                && let Some(entries) = self.procedures.get(&path)
            {
                found.extend(self.of_app(call.file, entries).into_iter().map(|entry| (call, entry)));
            }
        }
        found
    }
}

/// The path of the procedure that a client's member calls.
fn procedure_path(external: &External) -> Option<Name> {
    const RUNS: &[&str] = &[
        "query",
        "mutate",
        "mutateAsync",
        "subscribe",
        "useQuery",
        "useSuspenseQuery",
        "useInfiniteQuery",
        "useSubscription",
        "fetch",
        "prefetch",
        "ensureData",
    ];
    // `x.useMutation().mutate()`: the path stands before the hook.
    let groups = groups(external);
    let join = |names: &[Name]| Name::new(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("."));
    let last = groups.last()?;
    let (end, path) = last.split_last()?;
    if RUNS.contains(&end.as_str()) {
        if !path.is_empty() {
            return Some(join(path));
        }
        let before = groups.iter().rev().nth(1)?;
        let (hook, path) = before.split_last()?;
        return (hook.starts_with("use") && !path.is_empty()).then(|| join(path));
    }
    // A caller on the server calls the procedure itself.
    (last.len() > 1 && groups.len() > 1).then(|| join(last))
}

/// The members of an external thing, between its calls.
fn groups(external: &External) -> Vec<Vec<Name>> {
    let mut groups: Vec<Vec<Name>> = vec![vec![]];
    for seg in &external.segs {
        match (seg, groups.last_mut()) {
            (Seg::Member(name), Some(group)) => group.push(*name),
            _ => groups.push(vec![]),
        }
    }
    groups
}

/// The path of the procedure that a call of a client names itself: `trpc.orders.list.useQuery()`,
/// `client.orders.list.query()`, `trpc.orders.list.queryOptions()`.
fn procedure_of(external: &External) -> Option<Vec<Name>> {
    const NAMES: &[&str] = &[
        "query",
        "mutate",
        "subscribe",
        "useQuery",
        "useSuspenseQuery",
        "useInfiniteQuery",
        "useSuspenseInfiniteQuery",
        "useMutation",
        "useSubscription",
        "queryOptions",
        "infiniteQueryOptions",
        "mutationOptions",
        "subscriptionOptions",
    ];
    let groups = groups(external);
    let (last, made) = groups.split_last()?;
    // `useUtils().client.orders.list.query()`: what comes first is no router.
    let utils = made.iter().skip(1).flatten().any(|name| matches!(name.as_str(), "useUtils" | "useContext"));
    let (end, path) = last.split_last()?;
    (!utils && !made.is_empty() && !path.is_empty() && NAMES.contains(&end.as_str())).then(|| path.to_vec())
}

/// The constant head of a text: the name of a function, whatever follows.
fn head(value: &Value) -> Option<Name> {
    match value {
        Value::Text(text) => Some(*text),
        Value::Template(parts) => match parts.first() {
            // `${name}?x=${y}` says nothing; `name?x=${y}` does.
            Some(Value::Text(text)) if text.contains(['?', '/']) => Some(*text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text is the id that Supabase gives a project; a project on one's own machine may have any name.
fn is_project(id: &str) -> bool {
    id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The project of Supabase that a URL leads to: `https://abcdefghijklmnopqrst.supabase.co/..`.
fn project_of(url: &str) -> Option<&str> {
    let (before, _) = url.split_once(".supabase.co")?;
    before.strip_prefix("https://").filter(|id| is_project(id))
}

/// The function's name and the rest, of a path that functions are reached by.
fn function_path(path: &str) -> Option<(String, String)> {
    let prefix = FUNCTION_PATHS.iter().find(|prefix| path.starts_with(**prefix))?;
    let rest = &path[prefix.len()..];
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some((name.to_owned(), rest.to_owned()))
}

/// A path without what a file's name has and a route has not: `/api/index.py`.
fn bare(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
    let endings = [".js", ".mjs", ".cjs", ".ts", ".py"];
    let path = endings.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    path.strip_suffix("/index").unwrap_or(path).to_owned()
}

/// The path of a URL on this machine.
pub(crate) fn local_path(url: &Value) -> Option<Name> {
    let text = match url {
        Value::Text(text) => text.as_str().to_owned(),
        Value::Template(parts) => {
            parts.iter().map(|part| part.text().map_or("{}".to_owned(), |text| text.as_str().to_owned())).collect()
        }
        _ => return None,
    };
    let after = text.split_once("://")?.1;
    let path = &after[after.find('/')?..];
    Some(Name::new(path.split(['?', '#']).next().unwrap_or(path)))
}

/// Whether a route is served at all; for what the linker knows to exist without a function.
pub fn is_known<'r>(mut known: impl Iterator<Item = &'r KnownRoute>, asked: &Asked) -> bool {
    known.any(|route| {
        let fits = asked.method.is_none_or(|method| route.methods.is_empty() || route.methods.contains(&method));
        fits && routes::rank(&route.route, asked).is_some()
    })
}

/// Whether an entry takes requests by its path.
pub fn takes_requests(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction) && entry.route.is_some()
}
