//! What a handler expression runs: through names, modules, objects and classes, and through the wrappers around
//! it, which are gates on the way in.

use crate::facts::{ExportValue, ExprId, ExprKind, FunctionId, ImportId, Imported, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, External, FunctionRef, Gate, Program, Target, Value};

/// How many names, members and wrappers are followed.
const DEEPEST: usize = 12;

/// Wrappers that only adapt a handler: they let everything through.
const TRANSPARENT: &[&str] = &[
    "defineEventHandler",
    "eventHandler",
    "lazyEventHandler",
    "asyncHandler",
    "expressAsyncHandler",
    "catchAsync",
    "useCallback",
    "cache",
    "handleSubmit",
    "memo",
    "partial",
];

/// Packages that only adapt a handler.
const TRANSPARENT_PACKAGES: &[&str] =
    &["npm:express-async-handler", "npm:fastify-plugin", "npm:async-middleware", "py:functools"];

/// Keys of an object that hold a handler.
const HANDLER_KEYS: &[&str] = &["handler", "fetch", "run", "resolve", "execute", "action", "handle"];

/// What a handler expression runs.
#[derive(Debug, Default, Clone)]
pub struct Handler {
    /// The functions of the program that serve.
    pub functions: Vec<FunctionRef>,
    /// What is wrapped around them, outermost first.
    pub gates: Vec<Gate>,
}

/// The expression that an expression names: through definitions with one value, imports, re-exports, modules,
/// object keys and class fields.
pub fn follow(program: &Program, at: ExprRef) -> ExprRef {
    let mut at = at;
    for _ in 0..DEEPEST {
        let facts = program.facts(at.file);
        let next = match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).and_then(|def| single(at.file, &facts.def(def).values))
            }
            ExprKind::Imported(import, what) => imported(program, at.file, *import, *what),
            ExprKind::Await(inner) => Some(ExprRef::new(at.file, *inner)),
            ExprKind::Member(base, name) => member(program, ExprRef::new(at.file, *base), *name),
            _ => None,
        };
        match next {
            Some(next) if next != at => at = next,
            _ => break,
        }
    }
    at
}

fn single(file: FileId, values: &[ExprId]) -> Option<ExprRef> {
    match values {
        [only] => Some(ExprRef::new(file, *only)),
        _ => None,
    }
}

fn imported(program: &Program, file: FileId, import: ImportId, what: Imported) -> Option<ExprRef> {
    let Imported::Name(name) = what else { return None };
    match program.modules.target(file, import) {
        Target::File(target) => export(program, *target, name),
        _ => None,
    }
}

fn member(program: &Program, base: ExprRef, name: Name) -> Option<ExprRef> {
    match program.value(base) {
        Value::Module(file) => export(program, file, name),
        Value::Object(object) => key(program, object, name),
        Value::Instance(class) | Value::Class(class) => {
            let shape = &program.facts(class.file).classes[class.class.index()];
            // `this.one = this.one.bind(this)` stands beside the method itself.
            if shape.methods.iter().any(|method| method.name == name) {
                return None;
            }
            let values: Vec<ExprId> =
                shape.fields.iter().filter(|field| field.name == name).filter_map(|field| field.value).collect();
            single(class.file, &values)
        }
        _ => None,
    }
}

/// The value written under a key of an object literal.
pub fn key(program: &Program, object: ExprRef, name: Name) -> Option<ExprRef> {
    match program.facts(object.file).expr(object.expr) {
        ExprKind::Object(entries) => {
            let (_, value) = entries.iter().rev().find(|(key, _)| *key == name)?;
            Some(ExprRef::new(object.file, *value))
        }
        _ => None,
    }
}

/// The object literal an expression leads to.
pub fn object(program: &Program, at: ExprRef) -> Option<ExprRef> {
    match program.value(at) {
        Value::Object(object) => Some(object),
        Value::OneOf(values) => values.iter().find_map(|v| if let Value::Object(o) = v { Some(*o) } else { None }),
        _ => None,
    }
}

/// The expression that a module exports under a name, through re-exports.
pub fn export(program: &Program, file: FileId, name: Name) -> Option<ExprRef> {
    export_to(program, file, name, DEEPEST)
}

fn export_to(program: &Program, file: FileId, name: Name, depth: usize) -> Option<ExprRef> {
    let facts = program.file(file).facts.as_ref()?;
    if depth == 0 {
        return None;
    }
    let through = |import: ImportId, what: Imported, depth: usize| match (program.modules.target(file, import), what) {
        (Target::File(target), Imported::Name(name)) => export_to(program, *target, name, depth),
        _ => None,
    };
    if !facts.language.is_script()
        && let Some(def) = facts.defined_in(facts.function(FunctionId::MODULE).body, name)
    {
        let at = *facts.def(def).values.last()?;
        return match facts.expr(at) {
            ExprKind::Imported(import, what) => through(*import, *what, depth - 1),
            _ => Some(ExprRef::new(file, at)),
        };
    }
    if let Some(export) = facts.exports.iter().find(|export| export.name == name) {
        return match export.value {
            ExportValue::Local(expr) => Some(ExprRef::new(file, expr)),
            ExportValue::From(import, what) => through(import, what, depth - 1),
        };
    }
    let local = |name: &str| {
        facts.exports.iter().find(|export| export.name == name).and_then(|export| match export.value {
            ExportValue::Local(expr) => Some(ExprRef::new(file, expr)),
            ExportValue::From(..) => None,
        })
    };
    if let Some(whole) = local("=") {
        if name == "default" {
            return Some(whole);
        }
        if let Value::Object(object) = program.value(whole) {
            return key(program, object, name);
        }
    }
    facts.exports.iter().filter(|export| export.name == "*").find_map(|star| match star.value {
        ExportValue::From(import, _) => through(import, Imported::Name(name), depth - 1),
        ExportValue::Local(_) => None,
    })
}

/// Where a module exports a name: the export itself, for the place of an entry.
pub fn export_span(program: &Program, file: FileId, name: &str) -> Option<crate::facts::Span> {
    let facts = program.file(file).facts.as_ref()?;
    facts.exports.iter().find(|export| export.name == name).map(|export| export.span)
}

/// What an expression runs as a handler.
pub fn handler(program: &Program, at: ExprRef) -> Handler {
    handler_to(program, at, 6)
}

fn handler_to(program: &Program, at: ExprRef, depth: usize) -> Handler {
    let at = follow(program, at);
    if depth == 0 {
        return Handler::default();
    }
    let facts = program.facts(at.file);
    let here = |expr: ExprId| ExprRef::new(at.file, expr);
    match facts.expr(at.expr) {
        ExprKind::Function(function) => {
            Handler { functions: vec![FunctionRef::new(at.file, *function)], gates: vec![] }
        }
        ExprKind::Call(call) => wrapped(program, CallRef::new(at.file, *call), depth),
        ExprKind::Op(Op::Choose, operands) if operands.len() == 3 => {
            let mut both = handler_to(program, here(operands[1]), depth - 1);
            let other = handler_to(program, here(operands[2]), depth - 1);
            both.functions.extend(other.functions);
            both.gates.extend(other.gates);
            both
        }
        ExprKind::List(items) => {
            // A list of handlers: all but the last are gates.
            let Some((last, before)) = items.split_last() else { return Handler::default() };
            let mut inner = handler_to(program, here(*last), depth - 1);
            inner.gates.splice(0..0, before.iter().flat_map(|&item| gates(program, here(item))));
            inner
        }
        ExprKind::Object(_) => HANDLER_KEYS
            .iter()
            .find_map(|name| key(program, at, Name::new(name)))
            .map(|inner| handler_to(program, inner, depth - 1))
            .unwrap_or_default(),
        _ => {
            let value = program.value(at);
            let value =
                if matches!(value, Value::Param(..) | Value::Member(..)) { program.expand(&value) } else { value };
            Handler { functions: value.functions().collect(), gates: vec![] }
        }
    }
}

/// A call that gives a handler: the functions handed to it are what runs, the callee is a gate before them.
fn wrapped(program: &Program, at: CallRef, depth: usize) -> Handler {
    let facts = program.facts(at.file);
    let call = facts.call(at.call);
    let here = |expr: ExprId| ExprRef::new(at.file, expr);
    if let ExprKind::Member(base, name) = facts.expr(call.callee)
        && name == "bind"
    {
        return handler_to(program, here(*base), depth - 1);
    }
    let callee = program.callee(at);
    let value = || program.value(here(call.expr));
    let mut handed: Vec<Handler> = Vec::new();
    for arg in call.args.iter().filter(|arg| arg.name.is_none()) {
        if matches!(
            facts.expr(arg.value),
            ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Call(_)
        ) {
            let inner = handler_to(program, here(arg.value), depth - 1);
            if !inner.functions.is_empty() {
                handed.push(inner);
            }
        }
    }
    if handed.is_empty() {
        let objects = call.args.iter().filter(|arg| matches!(facts.expr(arg.value), ExprKind::Object(_)));
        handed.extend(objects.map(|arg| handler_to(program, here(arg.value), depth - 1)));
        handed.retain(|inner| !inner.functions.is_empty());
    }
    let Some(inner) = handed.pop() else {
        // A factory: `createHandler(config)`.
        return Handler { functions: value().functions().collect(), gates: chain_gates(program, callee) };
    };
    let mut gates = chain_gates(program, callee);
    if gates.is_empty() {
        gates = wrapper_gates(callee, here(call.callee), &value());
        // A wrapper that gives back what it got is no gate.
        gates.retain(|gate| !matches!(gate, Gate::Function(function) if inner.functions.contains(function)));
    }
    for before in handed {
        gates.extend(before.gates);
        gates.extend(before.functions.into_iter().map(Gate::Function));
    }
    gates.extend(inner.gates);
    Handler { functions: inner.functions, gates }
}

/// The gates that calling a wrapper puts in front: the closure it returns, or the library.
fn wrapper_gates(callee: &Value, written: ExprRef, result: &Value) -> Vec<Gate> {
    let mut gates = Vec::new();
    for alternative in callee.alternatives() {
        match alternative {
            Value::Function(function) => {
                let closures: Vec<Gate> = result.functions().map(Gate::Function).collect();
                if closures.is_empty() { gates.push(Gate::Function(*function)) } else { gates.extend(closures) }
            }
            Value::External(external) => {
                if !is_transparent(external) {
                    gates.push(Gate::Library(written));
                }
            }
            _ => gates.push(Gate::Unknown),
        }
    }
    gates
}

fn is_transparent(external: &External) -> bool {
    TRANSPARENT_PACKAGES.contains(&external.package.as_str())
        || external.last_member().map_or_else(
            || external.package.strip_prefix("global:").is_some_and(|name| TRANSPARENT.contains(&name)),
            |name| TRANSPARENT.contains(&name.as_str()),
        )
}

/// The calls on the way to an external thing, each with the member that is called: `t` `.procedure` `.use(..)`.
pub fn steps(external: &External) -> Vec<(Option<Name>, Option<CallRef>)> {
    use crate::catalogue::Seg;
    let count = external.segs.iter().filter(|seg| !matches!(seg, Seg::Member(_))).count();
    // What is known by its type only has no site for its making.
    let mut missing = count.saturating_sub(external.sites.len());
    let mut sites = external.sites.iter().copied();
    let mut member = None;
    let mut steps = Vec::with_capacity(count);
    for seg in &external.segs {
        match seg {
            Seg::Member(name) => member = Some(*name),
            Seg::Call | Seg::New => {
                let site = if missing > 0 {
                    missing -= 1;
                    None
                } else {
                    sites.next()
                };
                steps.push((member.take(), site));
            }
        }
    }
    steps
}

/// What `.use(..)` put on a chain: `procedure.use(isSignedIn).mutation(..)`.
pub fn chain_gates(program: &Program, callee: &Value) -> Vec<Gate> {
    let mut found = Vec::new();
    for external in callee.externals() {
        for (member, site) in steps(external) {
            let (Some(member), Some(site)) = (member, site) else { continue };
            if matches!(member.as_str(), "use" | "concat" | "unstable_concat" | "middleware") {
                found.extend(arguments(program, site).into_iter().flat_map(|arg| gates(program, arg)));
            }
        }
    }
    found
}

/// The positional arguments of a call.
pub fn arguments(program: &Program, at: CallRef) -> Vec<ExprRef> {
    let call = program.facts(at.file).call(at.call);
    let positional = call.args.iter().filter(|arg| arg.name.is_none());
    positional.map(|arg| ExprRef::new(at.file, arg.value)).collect()
}

/// The keyword argument of a call.
pub fn keyword(program: &Program, at: CallRef, name: &str) -> Option<ExprRef> {
    let call = program.facts(at.file).call(at.call);
    let arg = call.args.iter().find(|arg| arg.name.is_some_and(|given| given == name))?;
    Some(ExprRef::new(at.file, arg.value))
}

/// A library's middleware; `createMiddleware(async (c, next) => ..)` runs what it is handed.
fn library(program: &Program, external: &External, at: ExprRef) -> Vec<Gate> {
    let made = steps(external).last().copied();
    let Some((member, Some(site))) = made else { return vec![Gate::Library(at)] };
    let member = member.map_or("", |member| member.as_str());
    let handed: Vec<Gate> = arguments(program, site)
        .into_iter()
        .flat_map(|arg| program.value(arg).functions().map(Gate::Function).collect::<Vec<_>>())
        .collect();
    let only_adapts =
        member.ends_with("iddleware") && member.len() <= "createMiddleware".len() || is_transparent(external);
    match (handed.is_empty(), only_adapts) {
        (true, _) => vec![Gate::Library(at)],
        (false, true) => handed,
        (false, false) => std::iter::once(Gate::Library(at)).chain(handed).collect(),
    }
}

/// Methods that classes used as middleware run.
const GUARD_METHODS: &[&str] =
    &["canActivate", "use", "intercept", "dispatch", "process_request", "has_permission", "authenticate", "__call__"];

/// What an expression is as middleware.
pub fn gates(program: &Program, at: ExprRef) -> Vec<Gate> {
    let facts = program.facts(at.file);
    let here = |expr: ExprId| ExprRef::new(at.file, expr);
    match facts.expr(at.expr) {
        ExprKind::List(items) => items.iter().flat_map(|&item| gates(program, here(item))).collect(),
        ExprKind::Spread(inner) | ExprKind::Await(inner) => gates(program, here(*inner)),
        ExprKind::Text(_)
        | ExprKind::Number(_)
        | ExprKind::Bool(_)
        | ExprKind::Null
        | ExprKind::Object(_)
        | ExprKind::Template(_)
        | ExprKind::Env(_) => vec![],
        _ => {
            let value = program.value(at);
            let mut found: Vec<Gate> = value.alternatives().iter().flat_map(|v| gates_of(program, v, at)).collect();
            found.dedup();
            found
        }
    }
}

fn gates_of(program: &Program, value: &Value, at: ExprRef) -> Vec<Gate> {
    match value {
        Value::Function(function) => vec![Gate::Function(*function)],
        Value::List(list) if *list != at => gates(program, *list),
        Value::External(external) => library(program, external, at),
        Value::Class(class) | Value::Instance(class) => {
            let instance = Value::Instance(*class);
            let method =
                GUARD_METHODS.iter().find_map(|name| program.member(&instance, Name::new(name)).functions().next());
            vec![method.map_or(Gate::Unknown, Gate::Function)]
        }
        Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null | Value::Object(_) => vec![],
        // Middleware that callers hand in.
        Value::Param(..) | Value::Member(..) => match program.expand(value) {
            same if same == *value => vec![Gate::Unknown],
            Value::Param(..) | Value::Member(..) => vec![Gate::Unknown],
            given => given.alternatives().iter().flat_map(|value| gates_of(program, value, at)).collect(),
        },
        _ => vec![Gate::Unknown],
    }
}
