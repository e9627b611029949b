//! Routes of routers that are mounted on each other, through any number of files: which path each route ends up
//! with, and which middleware a request passes on its way.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::edge::function_of;
use super::python_web::{NINJA, own_auth};
use super::routers::{Event, Framework, RouterId, What, handles, own};
use super::{Seeker, express, paths, python_web};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{Entry, EntryKind, ExprRef, Gate, Program};

/// More routes than this no app has; only a knot of mounts makes them.
const MOST_ENTRIES: usize = 20_000;

/// How deep routers are mounted in each other.
const DEEPEST: usize = 12;

/// A route that exists though no function of the program serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRoute {
    /// Methods; empty for any.
    pub methods: Vec<Name>,
    /// Its path.
    pub route: Name,
    /// Where it is registered.
    pub file: FileId,
}

#[derive(Default)]
struct Node {
    events: Vec<Event>,
    framework: Option<&'static Framework>,
    is_app: bool,
}

/// Finds the routes of all routers.
pub fn find(seeker: Seeker<'_>) -> (Vec<Entry>, Vec<KnownRoute>) {
    let program = seeker.program;
    let found: Vec<Vec<Event>> = program
        .files
        .par_iter()
        .enumerate()
        .map(|(at, file)| {
            let Some(facts) = file.facts.as_ref() else { return vec![] };
            let file = FileId(at as u32);
            match facts.language.is_script() {
                true => express::events(program, file, facts),
                false => python_web::events(program, file, facts),
            }
        })
        .collect();
    let mut nodes: FxHashMap<RouterId, Node> = FxHashMap::default();
    for event in found.into_iter().flatten() {
        if let What::Mount { child, .. } = event.what {
            nodes.entry(child).or_default();
        }
        nodes.entry(event.router).or_default().events.push(event);
    }
    join_parameters(program, &mut nodes);
    for (id, node) in &mut nodes {
        identify(program, *id, node);
        // Where the router is made comes first, then other files, each from top to bottom. Calls of a chain start
        // at one byte: the one that ends first runs first.
        node.events.sort_by_key(|event| {
            let middleware_first = node.framework.is_some_and(|f| !f.ordered) && !matches!(event.what, What::Use(..));
            let span = event.place.span;
            (middleware_first, event.place.file != id.file(), event.place.file, span.start, span.end)
        });
    }
    let mut walk =
        Walk { program, nodes: &nodes, entries: vec![], known: vec![], stack: vec![], seen: FxHashSet::default() };
    walk.run();
    (walk.entries, walk.known)
}

/// What kind of router an id is.
fn identify(program: &Program, id: RouterId, node: &mut Node) {
    let handle = match id {
        RouterId::Made(site) => {
            let facts = program.facts(site.file);
            handles(program, ExprRef::new(site.file, facts.call(site.call).expr)).into_iter().find(|h| h.id == id)
        }
        RouterId::Param(function, index) => {
            let facts = program.facts(function.file);
            let exists = facts.function(function.function).params.len() > index as usize;
            exists.then(|| super::routers::param_handle(program, function, index))
        }
    };
    if let Some(handle) = handle {
        node.framework = handle.framework;
        node.is_app = handle.is_app;
    }
}

/// Joins each parameter that routes are registered on to the routers that callers hand in.
fn join_parameters(program: &Program, nodes: &mut FxHashMap<RouterId, Node>) {
    let mut waiting: Vec<RouterId> = nodes.keys().copied().collect();
    waiting.sort_unstable();
    let mut done: FxHashSet<RouterId> = FxHashSet::default();
    while let Some(id) = waiting.pop() {
        let RouterId::Param(function, index) = id else { continue };
        if !done.insert(id) {
            continue;
        }
        for &caller in program.callers(function) {
            let call = program.facts(caller.file).call(caller.call);
            let Some(arg) = call.args.get(index as usize).filter(|arg| arg.name.is_none()) else { continue };
            for handle in handles(program, ExprRef::new(caller.file, arg.value)) {
                if handle.id == id {
                    continue;
                }
                let what = What::Mount { path: handle.prefix, child: id, gates: vec![], inline: true, replaces: false };
                let event = Event { router: handle.id, place: program.call_place(caller), what };
                nodes.entry(handle.id).or_default().events.push(event);
                waiting.push(handle.id);
            }
        }
    }
}

/// What stands in front of Python's routers that are mounted without being named: `for name in NAMES:
/// app.include_router(import_module(name).router)`. None where no such call is seen, or where it brings checks of its
/// own.
fn blind_mounts(program: &Program, nodes: &FxHashMap<RouterId, Node>) -> Option<Front> {
    let mut files: FxHashSet<FileId> = FxHashSet::default();
    for (file, facts) in program.code().filter(|(_, facts)| !facts.language.is_script()) {
        for call in &facts.calls {
            let Some(name) = facts.last_name(call.callee) else { continue };
            let Some(child) = call.args.first().filter(|_| name == "include_router") else { continue };
            // A name that nothing defines mounts nothing: its import was taken out.
            if is_undefined(facts, child.value) {
                continue;
            }
            if !handles(program, ExprRef::new(file, child.value)).is_empty() {
                continue;
            }
            if call.args.iter().any(|arg| arg.name.is_some_and(|name| name == "dependencies" || name == "**")) {
                return None;
            }
            files.insert(file);
        }
    }
    if files.is_empty() {
        return None;
    }
    // What the apps put in front of everything, and what the routers of those files bring.
    let mut front: Front = Vec::new();
    let mut ids: Vec<&RouterId> = nodes.keys().collect();
    ids.sort_unstable();
    for id in ids.into_iter().filter(|id| nodes[id].is_app || files.contains(&id.file())) {
        let used = nodes[id].events.iter().filter_map(|event| match &event.what {
            What::Use(path, gates) if path.is_empty() || path == "/" => Some(gates.clone()),
            _ => None,
        });
        let gates = own(program, *id).1.into_iter().chain(used.flatten());
        front.extend(gates.map(|gate| ("/".to_owned(), gate)));
    }
    Some(front)
}

/// Whether a value is a name that nothing defines, in a file that imports what it uses by name.
fn is_undefined(facts: &Facts, value: ExprId) -> bool {
    let ExprKind::Ref(name, block) = *facts.expr(value) else { return false };
    facts.lookup(block, name).is_none() && !facts.exports.iter().any(|export| export.name == "*")
}

struct Walk<'a> {
    program: &'a Program,
    nodes: &'a FxHashMap<RouterId, Node>,
    entries: Vec<Entry>,
    known: Vec<KnownRoute>,
    stack: Vec<RouterId>,
    seen: FxHashSet<RouterId>,
}

/// What stands in front of the routes below a path.
type Front = Vec<(String, Gate)>;

impl Walk<'_> {
    fn run(&mut self) {
        let mut ids: Vec<RouterId> = self.nodes.keys().copied().collect();
        ids.sort_unstable();
        let mounts = self.nodes.values().flat_map(|node| &node.events);
        let mounted: FxHashSet<RouterId> = mounts
            .filter_map(|event| match event.what {
                What::Mount { child, .. } => Some(child),
                _ => None,
            })
            .collect();
        for &id in ids.iter().filter(|id| self.nodes[id].is_app && !mounted.contains(id)) {
            self.visit(id, "", &mut Vec::new(), true);
        }
        // What nothing known mounts: neither its path nor what stands in front of it is known. Where routers are mounted
        // that were loaded by their names, only what holds for the whole app stands there.
        let blind = blind_mounts(self.program, self.nodes);
        for only_unmounted in [true, false] {
            for &id in &ids {
                let is_router = self.nodes[&id].framework.is_some();
                if is_router && !self.seen.contains(&id) && !(only_unmounted && mounted.contains(&id)) {
                    let is_script = self.program.facts(id.file()).language.is_script();
                    let unknown = || vec![("/".to_owned(), Gate::Unknown)];
                    let mut front = blind.clone().filter(|_| !is_script).unwrap_or_else(unknown);
                    self.visit(id, "/**", &mut front, true);
                }
            }
        }
    }

    fn visit(&mut self, id: RouterId, prefix: &str, front: &mut Front, with_own: bool) {
        let Some(node) = self.nodes.get(&id) else { return };
        if self.stack.contains(&id) || self.stack.len() >= DEEPEST || self.entries.len() >= MOST_ENTRIES {
            return;
        }
        self.seen.insert(id);
        self.stack.push(id);
        let (own_prefix, own_gates) = own(self.program, id);
        let prefix = if with_own { paths::join(prefix, &own_prefix) } else { prefix.to_owned() };
        front.extend(own_gates.into_iter().map(|gate| (prefix.clone(), gate)));
        for event in &node.events {
            self.event(event, node, &prefix, front);
        }
        self.stack.pop();
    }

    fn event(&mut self, event: &Event, node: &Node, prefix: &str, front: &mut Front) {
        match &event.what {
            What::Use(path, gates) => {
                let path = paths::join(prefix, path);
                front.extend(gates.iter().map(|gate| (path.clone(), *gate)));
            }
            What::Mount { path, child, gates, inline, replaces } => {
                let path = paths::join(prefix, path);
                if *inline && gates.is_empty() {
                    self.visit(*child, &path, front, !replaces);
                } else {
                    let mut inner = front.clone();
                    inner.extend(gates.iter().map(|gate| (path.clone(), *gate)));
                    self.visit(*child, &path, &mut inner, !replaces);
                }
            }
            What::Route { methods, path, gates, functions } => {
                let route = path.as_ref().map(|path| paths::join(prefix, path));
                let asks_itself = node.framework.is_some_and(|f| f.name == NINJA) && self.says_auth(event.place);
                let mut before: Vec<Gate> = front
                    .iter()
                    .filter(|_| !asks_itself)
                    .filter(|(pattern, _)| match &route {
                        Some(route) => paths::covers(pattern, route),
                        None => pattern == "/" || pattern == prefix,
                    })
                    .map(|(_, gate)| *gate)
                    .collect();
                before.extend(gates.iter().copied());
                self.serve(event.place, node, methods, route, &before, functions);
            }
        }
    }

    /// Whether the call at a place, which registers a route, says who may ask there.
    fn says_auth(&self, place: Place) -> bool {
        let facts = self.program.facts(place.file);
        let mut calls = self.program.calls_of(place.file);
        let call = calls.find(|call| facts.span(facts.call(call.call).expr) == place.span);
        call.is_some_and(|call| own_auth(self.program, call).is_some())
    }

    fn serve(
        &mut self,
        place: Place,
        node: &Node,
        methods: &[Name],
        route: Option<String>,
        before: &[Gate],
        functions: &[crate::program::FunctionRef],
    ) {
        let root = self.stack.first().copied();
        let root_node = root.and_then(|root| self.nodes.get(&root));
        let framework = node.framework.or_else(|| root_node.and_then(|node| node.framework));
        let mut kind = EntryKind::Route;
        let mut name = None;
        let mut route = route;
        let deployed = root.and_then(|root| function_of(self.program.file(root.file()).path.as_str()));
        if let Some(deployed) = deployed {
            kind = EntryKind::EdgeFunction;
            name = Some(Name::new(deployed.name));
            route = route.map(|route| hosted(&route, deployed.platform.route, deployed.name));
        }
        let route = route.map(|route| Name::new(&route));
        if functions.is_empty()
            && let Some(route) = route
        {
            self.known.push(KnownRoute { methods: methods.to_vec(), route, file: place.file });
        }
        for &function in functions {
            self.entries.push(Entry {
                kind,
                function,
                methods: methods.to_vec(),
                route,
                name,
                middleware: before.to_vec(),
                place,
                framework: framework.map_or("router", |framework| framework.name),
            });
        }
    }
}

/// The path of a route of a router that a platform hosts as one function.
fn hosted(route: &str, base: &str, name: &str) -> String {
    let base = base.trim_end_matches('/');
    if route.starts_with(base) && !base.is_empty() {
        return route.to_owned();
    }
    let own = format!("/{name}");
    match route.strip_prefix(&own) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{base}{route}"),
        _ => paths::join(&format!("{base}{own}"), route),
    }
}
