//! Procedures that the app's code asks for and that no router has.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::procedure_of;
use crate::facts::ExprKind;
use crate::link::entries::handlers::{arguments, object, steps};
use crate::link::entries::rpc::{ENDS, SERVER, makes_router};
use crate::names::Name;
use crate::program::{CallRef, ExprRef, Program, Value};

/// How deep routers stand in each other.
const DEEPEST: usize = 10;

/// A procedure that is asked for and that no router has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProcedure {
    /// The call that asks for it.
    pub at: CallRef,
    /// Its path: `orders.cancel`.
    pub path: Name,
}

/// What stands under a name of a router.
enum Node {
    /// A router: what it has, and whether all of that is seen.
    Router(BTreeMap<Name, Node>, bool),
    Procedure,
    /// There is something, and what is not known.
    Unknown,
}

/// The procedures that the app's own clients ask for, and that no router has: of routers that are seen whole, and
/// serve something else that the same client asks for.
pub fn missing(program: &Program) -> Vec<MissingProcedure> {
    let calls = || program.code().flat_map(|(file, _)| program.calls_of(file));
    let routers: Vec<CallRef> = calls().filter(|&call| makes_router(program, call).is_some()).collect();
    if routers.is_empty() {
        return vec![];
    }
    // What each client asks for.
    let mut asked: FxHashMap<CallRef, Vec<(CallRef, Vec<Name>)>> = FxHashMap::default();
    for call in calls() {
        let side = program.side(call.file);
        let [external] = program.callee(call).externals().collect::<Vec<_>>()[..] else { continue };
        let may = external.package.starts_with("npm:@trpc/") && external.package != SERVER;
        if may
            && !side.tooling
            && !side.dead
            && let Some(path) = procedure_of(external)
            && let Some(&client) = external.sites.first()
        {
            asked.entry(client).or_default().push((call, path));
        }
    }
    if asked.is_empty() {
        return vec![];
    }
    let mut nested = FxHashSet::default();
    let trees: Vec<(CallRef, Node)> =
        routers.iter().map(|&router| (router, router_node(program, router, &mut nested, DEEPEST))).collect();
    let roots: Vec<&(CallRef, Node)> = trees.iter().filter(|(router, _)| !nested.contains(router)).collect();
    let mut found = Vec::new();
    for calls in asked.values() {
        let serves = |node: &Node| calls.iter().any(|(_, path)| node.has(path) == Some(true));
        let answers = roots.iter().any(|(_, node)| serves(node));
        let lacks = |path: &[Name]| roots.iter().all(|(_, node)| node.has(path) == Some(false));
        found.extend(calls.iter().filter(|(_, path)| answers && lacks(path)).map(|(at, path)| {
            let names: Vec<&str> = path.iter().map(|name| name.as_str()).collect();
            MissingProcedure { at: *at, path: Name::new(&names.join(".")) }
        }));
    }
    found.sort_by_key(|missing| missing.at);
    found
}

impl Node {
    /// Whether a procedure stands at a path; none when that cannot be told.
    fn has(&self, path: &[Name]) -> Option<bool> {
        match (self, path.split_first()) {
            (Node::Procedure, None) => Some(true),
            (Node::Router(parts, whole), Some((name, rest))) => match parts.get(name) {
                Some(part) => part.has(rest),
                None => whole.then_some(false),
            },
            _ => None,
        }
    }
}

fn router_node(program: &Program, router: CallRef, nested: &mut FxHashSet<CallRef>, depth: usize) -> Node {
    let (mut parts, mut whole) = (BTreeMap::new(), true);
    let Some(depth) = depth.checked_sub(1) else { return Node::Unknown };
    let merges = makes_router(program, router).is_some_and(|name| name == "mergeRouters");
    for arg in arguments(program, router) {
        if !merges {
            match object(program, arg) {
                Some(object) => whole &= collect(program, object, &mut parts, nested, depth),
                None => whole = false,
            }
        } else if let Node::Router(inner, all) = node(program, arg, nested, depth) {
            parts.extend(inner);
            whole &= all;
        } else {
            whole = false;
        }
    }
    Node::Router(parts, whole)
}

/// Takes up what an object holds: whether that is seen whole.
fn collect(
    program: &Program,
    object: ExprRef,
    parts: &mut BTreeMap<Name, Node>,
    nested: &mut FxHashSet<CallRef>,
    depth: usize,
) -> bool {
    let ExprKind::Object(entries) = program.facts(object.file).expr(object.expr) else { return false };
    let mut whole = true;
    for &(name, value) in entries {
        let value = ExprRef::new(object.file, value);
        if name == "[]" {
            // A name that is reckoned.
            whole = false;
        } else if name != "..." {
            parts.insert(name, node(program, value, nested, depth));
        } else if let (Value::Object(inner), Some(depth)) = (program.value(value), depth.checked_sub(1)) {
            whole &= collect(program, inner, parts, nested, depth);
        } else {
            whole = false;
        }
    }
    whole
}

fn node(program: &Program, at: ExprRef, nested: &mut FxHashSet<CallRef>, depth: usize) -> Node {
    let external = match program.value(at) {
        Value::Object(inner) => {
            let mut parts = BTreeMap::new();
            let Some(depth) = depth.checked_sub(1) else { return Node::Unknown };
            let whole = collect(program, inner, &mut parts, nested, depth);
            return Node::Router(parts, whole);
        }
        Value::External(external) if external.package == SERVER => external,
        value => {
            // One of several routers is a part of another too.
            let several = value.externals().filter(|external| external.package == SERVER);
            nested.extend(several.filter_map(|external| steps(external).last().and_then(|(_, site)| *site)));
            return Node::Unknown;
        }
    };
    match steps(&external).last() {
        Some((_, Some(site))) if makes_router(program, *site).is_some() => {
            nested.insert(*site);
            router_node(program, *site, nested, depth)
        }
        Some((Some(member), _)) if ENDS.iter().any(|(end, _)| member == *end) => Node::Procedure,
        _ => Node::Unknown,
    }
}
