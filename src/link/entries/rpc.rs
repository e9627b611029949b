//! Procedures called by name: routers of procedures and their nesting, GraphQL resolvers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::handlers::{arguments, chain_gates, handler, key, object, steps};
use super::{Label, Seeker};
use crate::facts::ExprKind;
use crate::link::calls::per_file;
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, ExprRef, External, Program, Value};

/// The package that routers are made with.
pub(in crate::link) const SERVER: &str = "npm:@trpc/server";

/// Calls that make a procedure, and their HTTP method.
pub(in crate::link) const ENDS: &[(&str, &str)] = &[("query", "GET"), ("mutation", "POST"), ("subscription", "GET")];

/// Finds the procedures of the program.
pub fn find(seeker: Seeker<'_>) -> Vec<Entry> {
    let program = seeker.program;
    let found: Vec<Vec<CallRef>> = per_file(program, |program, file, _| {
        program.calls_of(file).filter(|&call| makes_router(program, call).is_some()).collect()
    });
    let routers: Vec<CallRef> = found.into_iter().flatten().collect();
    let mut walk = Walk { program, nested: FxHashSet::default(), parts: FxHashMap::default(), found: vec![] };
    for &router in &routers {
        let parts = walk.parts_of(router);
        walk.nested.extend(parts.iter().filter_map(|(_, part)| match part {
            Part::Router(child) => Some(*child),
            Part::Procedure(..) => None,
        }));
        walk.parts.insert(router, parts);
    }
    for &router in &routers {
        if !walk.nested.contains(&router) {
            walk.visit(router, "", 0);
        }
    }
    let mut entries = walk.found;
    let resolvers: Vec<Vec<Entry>> = per_file(program, |program, file, _| {
        program.calls_of(file).flat_map(|call| resolvers(program, call)).collect()
    });
    entries.extend(resolvers.into_iter().flatten());
    let functions: Vec<Vec<Entry>> = per_file(program, |program, file, _| {
        program.calls_of(file).flat_map(|call| server_function(program, call)).collect()
    });
    entries.extend(functions.into_iter().flatten());
    entries
}

/// `createServerFn({ method: "POST" }).middleware([..]).handler(async () => {})`.
fn server_function(program: &Program, call: CallRef) -> Vec<Entry> {
    let callee = program.callee(call);
    let made = callee.externals().any(|external| {
        external.last_member().is_some_and(|name| name == "handler")
            && steps(external).first().is_some_and(|(name, _)| name.is_some_and(|name| name == "createServerFn"))
    });
    let Some(&served) = arguments(program, call).first().filter(|_| made) else { return vec![] };
    let label = Label::new(EntryKind::ServerAction, "server-fn");
    super::entries_of(program, served, chain_gates(program, callee), program.call_place(call), &label)
}

/// Whether a call makes a router of procedures: the member that makes it.
pub(in crate::link) fn makes_router(program: &Program, call: CallRef) -> Option<Name> {
    let external = program.callee(call).externals().find(|external| external.package == SERVER)?;
    let name = external.last_member()?;
    matches!(name.as_str(), "router" | "mergeRouters" | "createTRPCRouter").then_some(name)
}

enum Part {
    Router(CallRef),
    Procedure(ExprRef, &'static str, External),
}

struct Walk<'p> {
    program: &'p Program,
    nested: FxHashSet<CallRef>,
    parts: FxHashMap<CallRef, Vec<(String, Part)>>,
    found: Vec<Entry>,
}

impl Walk<'_> {
    fn parts_of(&self, router: CallRef) -> Vec<(String, Part)> {
        let mut parts = Vec::new();
        let merges = makes_router(self.program, router).is_some_and(|name| name == "mergeRouters");
        for arg in arguments(self.program, router) {
            if merges {
                self.part(String::new(), arg, &mut parts);
            } else if let Some(object) = object(self.program, arg) {
                self.object(String::new(), object, &mut parts, 0);
            }
        }
        parts
    }

    fn object(&self, prefix: String, object: ExprRef, parts: &mut Vec<(String, Part)>, depth: usize) {
        let ExprKind::Object(entries) = self.program.facts(object.file).expr(object.expr) else { return };
        if depth > 6 {
            return;
        }
        for &(name, value) in entries {
            let value = ExprRef::new(object.file, value);
            if name == "..." {
                if let Value::Object(inner) = self.program.value(value) {
                    self.object(prefix.clone(), inner, parts, depth + 1);
                }
                continue;
            }
            let path = if prefix.is_empty() { name.as_str().to_owned() } else { format!("{prefix}.{name}") };
            match self.program.value(value) {
                Value::Object(inner) => self.object(path, inner, parts, depth + 1),
                _ => self.part(path, value, parts),
            }
        }
    }

    fn part(&self, path: String, value: ExprRef, parts: &mut Vec<(String, Part)>) {
        for external in self.program.value(value).externals() {
            if external.package != SERVER {
                continue;
            }
            let Some((Some(member), Some(site))) = steps(external).last().copied() else { continue };
            if matches!(member.as_str(), "router" | "mergeRouters" | "createTRPCRouter") {
                parts.push((path.clone(), Part::Router(site)));
            } else if let Some((_, method)) = ENDS.iter().find(|(end, _)| member == *end)
                && let Some(&served) = arguments(self.program, site).first()
            {
                parts.push((path.clone(), Part::Procedure(served, method, external.clone())));
            }
        }
    }

    fn visit(&mut self, router: CallRef, prefix: &str, depth: usize) {
        let Some(parts) = self.parts.remove(&router) else { return };
        for (name, part) in &parts {
            let path = match (prefix.is_empty(), name.is_empty()) {
                (true, _) => name.clone(),
                (false, true) => prefix.to_owned(),
                (false, false) => format!("{prefix}.{name}"),
            };
            match part {
                Part::Router(child) if depth < 10 => self.visit(*child, &path, depth + 1),
                Part::Router(_) => {}
                Part::Procedure(served, method, external) => {
                    let label = Label::new(EntryKind::Procedure, "trpc").named(path).methods(&[method]);
                    let handler = handler(self.program, *served);
                    let mut gates = chain_gates(self.program, &Value::External(external.clone().into()));
                    gates.extend(handler.gates);
                    let place = self.program.place(*served);
                    let entries = handler.functions.iter().map(|&f| label.entry(f, gates.clone(), place));
                    self.found.extend(entries);
                }
            }
        }
        self.parts.insert(router, parts);
    }
}

/// `new ApolloServer({ resolvers: { Mutation: { createUser() {} } } })`.
fn resolvers(program: &Program, call: CallRef) -> Vec<Entry> {
    let facts = program.facts(call.file);
    let args = &facts.call(call.call).args;
    let given = args.iter().find_map(|arg| match facts.expr(arg.value) {
        ExprKind::Object(_) => key(program, ExprRef::new(call.file, arg.value), Name::new("resolvers")),
        _ => None,
    });
    let Some(given) = given.and_then(|given| object(program, given)) else { return vec![] };
    let mut found = Vec::new();
    for ty in ["Query", "Mutation", "Subscription"] {
        let Some(fields) = key(program, given, Name::new(ty)).and_then(|fields| object(program, fields)) else {
            continue;
        };
        let ExprKind::Object(entries) = program.facts(fields.file).expr(fields.expr) else { continue };
        for &(name, value) in entries.iter().filter(|(name, _)| *name != "...") {
            let at = ExprRef::new(fields.file, value);
            let label = Label::new(EntryKind::Procedure, "graphql").named(format!("{ty}.{name}"));
            found.extend(super::entries_of(program, at, vec![], program.place(at), &label));
        }
    }
    found
}
