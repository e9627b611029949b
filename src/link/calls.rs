//! Who calls whom: the callee of every call, the edges of the call graph, callers and rendered components.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::catalogue::{KnownRole, Seg};
use crate::facts::{CallId, ExprId, ExprKind, Facts, FunctionId};
use crate::finding::FileId;
use crate::link::composed;
use crate::link::entries::handlers::follow;
use crate::link::eval::Eval;
use crate::link::expand::{Expander, is_open};
use crate::link::tasks::started;
use crate::names::Name;
use crate::program::by_file::ByFile;
use crate::program::graph::Roles;
use crate::program::{CallRef, ClassRef, Edge, EdgeKind, ExprRef, FunctionRef, Program, Value};

/// Fills the graph: callees first without, then twice with what callers hand in.
pub fn connect(program: &mut Program) {
    program.graph.calls =
        program.files.par_iter().map(|file| file.facts.as_ref().map_or(vec![], calls_by_function)).collect();
    program.graph.callees = per_file(program, |program, file, facts| {
        let mut eval = Eval::new(program);
        facts.calls.iter().map(|call| eval.expr(ExprRef::new(file, call.callee))).collect()
    });
    collect_elements(program);
    for _ in 0..2 {
        collect_callers(program);
        expand_callees(program);
    }
    name_rows(program);
    collect_callers(program);
    heed_hints(program);
    let roles = |callees: &Vec<Value>| callees.iter().map(|callee| Roles::of(callee, &program.catalogue)).collect();
    program.graph.roles = program.graph.callees.par_iter().map(roles).collect();
    let parts = composed::parts(program);
    let edges: Vec<Vec<Edge>> = per_file(program, |program, file, facts| {
        let calls = (0..facts.calls.len() as u32).map(|call| CallRef::new(file, CallId(call)));
        calls.flat_map(|call| edges_of(program, &parts, call)).collect()
    });
    program.graph.edges = sorted(edges.into_iter().flatten().collect());
}

/// Edges as the graph keeps them.
pub fn sorted(mut edges: Vec<Edge>) -> ByFile<Edge> {
    edges.sort_unstable();
    edges.dedup();
    ByFile::new(edges, |edge| edge.call.file)
}

/// Methods of models, called on rows that a query of their package gave: `user = User.query.get(..)`, then
/// `user.add_credits(5)`. The one class of the program that has such a method is meant.
fn name_rows(program: &mut Program) {
    let methods = program.row_methods();
    if methods.is_empty() {
        return;
    }
    let named: Vec<Vec<(CallRef, Value)>> = per_file(program, |program, file, facts| {
        if facts.language.is_script() {
            return vec![];
        }
        let callees = program.graph.callees[file.index()].iter().enumerate();
        let on_rows = callees.filter_map(|(at, callee)| {
            // Loaded in several ways it is a row all the same: by its id for one event, by its customer for the next.
            let method = callee.alternatives().iter().find_map(|value| {
                let Value::External(external) = value else { return None };
                let method = methods.get(&external.last_member()?).copied().flatten()?;
                let asked = external.segs.iter().any(|seg| matches!(seg, Seg::Call));
                (asked && program.catalogue.is_database(external.package)).then_some(method)
            })?;
            let is_known = callee.alternatives().iter().any(|value| matches!(value, Value::Function(_)));
            (!is_known).then(|| (CallRef::new(file, CallId(at as u32)), Value::Function(method)))
        });
        on_rows.collect()
    });
    for (call, value) in named.into_iter().flatten() {
        program.graph.callees[call.file.index()][call.call.index()] = value;
    }
}

/// Functions of the project that it says count as something are called as that too.
fn heed_hints(program: &mut Program) {
    if program.hints.is_empty() {
        return;
    }
    let said: Vec<Vec<(CallRef, Value)>> = per_file(program, |program, file, facts| {
        let calls = (0..facts.calls.len() as u32).map(|call| CallRef::new(file, CallId(call)));
        calls.filter_map(|call| Some((call, program.callee_as_said(call, &called(program, call))?))).collect()
    });
    for (call, value) in said.into_iter().flatten() {
        program.graph.callees[call.file.index()][call.call.index()] = value;
    }
}

/// Runs `body` on every file that holds code, in parallel; one result a file, in order.
pub fn per_file<T: Send>(program: &Program, body: impl Fn(&Program, FileId, &Facts) -> Vec<T> + Sync) -> Vec<Vec<T>> {
    let files = program.files.par_iter().enumerate();
    files
        .map(|(at, file)| match &file.facts {
            Some(facts) => body(program, FileId(at as u32), facts),
            None => vec![],
        })
        .collect()
}

fn calls_by_function(facts: &Facts) -> Vec<Vec<CallId>> {
    let mut calls = vec![Vec::new(); facts.functions.len()];
    for (at, call) in facts.calls.iter().enumerate() {
        calls[facts.function_of(call.block).index()].push(CallId(at as u32));
    }
    calls
}

/// Which elements render which component, and what context providers put in.
fn collect_elements(program: &mut Program) {
    let found: Vec<Vec<(FunctionRef, ExprRef)>> = per_file(program, |program, file, facts| {
        let mut eval = Eval::new(program);
        let components = facts.elements().filter(|(_, element)| !matches!(facts.expr(element.tag), ExprKind::Text(_)));
        components
            .flat_map(|(at, element)| {
                let tag = eval.expr(ExprRef::new(file, element.tag));
                tag.functions().map(|function| (function, ExprRef::new(file, at))).collect::<Vec<_>>()
            })
            .collect()
    });
    for (function, element) in found.into_iter().flatten() {
        program.graph.elements.entry(function).or_default().push(element);
    }
}

/// What context providers put in, by the call that made the context: `<Auth.Provider value={..}>`, `<Auth value={..}>`.
pub fn contexts(program: &Program) -> super::eval::Contexts {
    let found: Vec<Vec<(CallRef, ExprRef)>> = per_file(program, |program, file, facts| {
        let mut eval = Eval::new(program);
        let mut provided = vec![];
        for (_, element) in facts.elements() {
            let Some(&(_, value)) = element.attributes.iter().find(|(key, _)| *key == "value") else { continue };
            let context = match facts.expr(element.tag) {
                ExprKind::Member(base, name) if *name == "Provider" => eval.expr(ExprRef::new(file, *base)),
                ExprKind::Ref(..) => eval.expr(ExprRef::new(file, element.tag)),
                _ => continue,
            };
            if let Value::External(external) = &context
                && external.last_member().is_some_and(|name| name == "createContext")
                && let Some(&made) = external.sites.last()
            {
                provided.push((made, ExprRef::new(file, value)));
            }
        }
        provided
    });
    let mut contexts = super::eval::Contexts::default();
    for (made, value) in found.into_iter().flatten() {
        contexts.entry(made).or_default().push(value);
    }
    contexts
}

fn collect_callers(program: &mut Program) {
    let found: Vec<Vec<(FunctionRef, CallRef)>> = per_file(program, |program, file, facts| {
        (0..facts.calls.len() as u32)
            .map(|call| CallRef::new(file, CallId(call)))
            .flat_map(|call| called(program, call).into_iter().map(move |function| (function, call)))
            .collect()
    });
    let mut pairs: Vec<(FunctionRef, CallRef)> = found.into_iter().flatten().collect();
    pairs.par_sort_unstable();
    let (called, calls): (Vec<FunctionRef>, Vec<CallRef>) = pairs.into_iter().unzip();
    program.graph.callers = (ByFile::new(called, |function| function.file), calls);
}

/// The functions of the program that a call calls, constructors among them.
fn called(program: &Program, call: CallRef) -> Vec<FunctionRef> {
    let mut functions = Vec::new();
    for value in program.graph.callee(call).alternatives() {
        match value {
            Value::Function(function) => functions.push(*function),
            Value::Class(class) => functions.extend(constructor(program, *class)),
            // `send.call(this, mail)`
            Value::Member(base, name) if matches!(name.as_str(), "call" | "apply") => {
                functions.extend(base.functions());
            }
            _ => {}
        }
    }
    functions
}

/// The constructor of a class.
pub fn constructor(program: &Program, class: ClassRef) -> Option<FunctionRef> {
    let facts = program.facts(class.file);
    let methods = &facts.classes[class.class.index()].methods;
    let found = methods.iter().find(|method| matches!(method.name.as_str(), "constructor" | "__init__"))?;
    Some(FunctionRef::new(class.file, found.function))
}

fn expand_callees(program: &mut Program) {
    let expanded: Vec<Vec<(CallRef, Value)>> = per_file(program, |program, file, facts| {
        let mut expander = Expander::new(program);
        (0..facts.calls.len() as u32)
            .map(|call| CallRef::new(file, CallId(call)))
            .filter_map(|call| {
                let callee = program.graph.callee(call);
                let open = is_open(program, callee, 8);
                // A parameter that is called is a callback: the call that hands it in has the edge.
                if !open || matches!(callee, Value::Param(..)) {
                    return None;
                }
                let value = expander.expand(callee);
                (value != *callee).then_some((call, value))
            })
            .collect()
    });
    for (call, value) in expanded.into_iter().flatten() {
        program.graph.callees[call.file.index()][call.call.index()] = value;
    }
}

fn edges_of(program: &Program, parts: &composed::Parts, call: CallRef) -> Vec<Edge> {
    let facts = program.facts(call.file);
    let shape = facts.call(call.call);
    let mut edges: Vec<Edge> =
        called(program, call).into_iter().map(|target| Edge { call, target, kind: EdgeKind::Direct }).collect();
    let callee = program.graph.callee(call);
    let mut eval = Eval::new(program);
    let left = started(program, &mut eval, call);
    edges.extend(left.into_iter().map(|target| Edge { call, target, kind: EdgeKind::Deferred }));
    let composed = composed::run(program, &mut eval, parts, call);
    edges.extend(composed.into_iter().map(|target| Edge { call, target, kind: EdgeKind::Callback }));
    // `const send = retried(sendOnce)`: to call what it gave back runs what it was handed.
    for (argument, kind) in captured(program, call, &edges) {
        let handed_in = eval.expr(argument);
        edges.extend(handed_in.functions().map(|target| Edge { call, target, kind }));
    }
    let kind_of = |call: CallRef| match program.has_role(call, KnownRole::Defer) {
        true => EdgeKind::Deferred,
        false => EdgeKind::Callback,
    };
    let kind = kind_of(call);
    let direct: Vec<FunctionRef> = edges.iter().filter(|e| e.kind == EdgeKind::Direct).map(|e| e.target).collect();
    let leaves = |at: usize| direct.iter().any(|&wrapper| is_left_by(program, wrapper, at));
    let mut handed = |value: Value, kind: EdgeKind| {
        let functions = value.functions().map(|target| Edge { call, target, kind });
        edges.extend(functions);
    };
    for (at, arg) in shape.args.iter().enumerate() {
        // Only what is written as a function or a name can be one; evaluating every argument would cost.
        if may_be_function(facts, arg.value) {
            let value = eval.expr(ExprRef::new(call.file, arg.value));
            let left = kind == EdgeKind::Callback && value.functions().next().is_some() && leaves(at);
            handed(value, if left { EdgeKind::Deferred } else { kind });
        }
        if let ExprKind::Object(entries) = facts.expr(arg.value)
            && callee.externals().next().is_some()
        {
            for &(_, value) in entries.iter().filter(|(_, value)| may_be_function(facts, *value)) {
                handed(eval.expr(ExprRef::new(call.file, value)), kind);
            }
        }
    }
    // `mutation.mutate(..)`: runs what was handed in when `mutation` was made.
    for external in callee.externals() {
        if let (Some(Seg::Member(name)), Some(&site)) = (external.segs.last(), external.sites.last())
            && !matches!(name.as_str(), "then" | "catch" | "finally")
        {
            let made = program.facts(site.file);
            for arg in &made.call(site.call).args {
                let values: Vec<ExprId> = match made.expr(arg.value) {
                    ExprKind::Object(entries) => entries.iter().map(|&(_, value)| value).collect(),
                    _ => vec![arg.value],
                };
                for value in values.into_iter().filter(|&value| may_be_function(made, value)) {
                    // `Thread(target=work).start()`
                    let kind = if kind_of(site) == EdgeKind::Deferred { EdgeKind::Deferred } else { kind };
                    handed(eval.expr(ExprRef::new(site.file, value)), kind);
                }
            }
        }
    }
    edges
}

/// The arguments that a wrapper was handed and that the function it gave back calls, when that one is called;
/// deferred where it does not wait for them.
fn captured(program: &Program, call: CallRef, edges: &[Edge]) -> Vec<(ExprRef, EdgeKind)> {
    let caller = program.function_of(call);
    let closures = edges.iter().filter(|edge| edge.kind == EdgeKind::Direct).filter_map(|edge| {
        let parent = program.facts(edge.target.file).function(edge.target.function).parent?;
        let wrapper = FunctionRef::new(edge.target.file, parent);
        (parent != FunctionId::MODULE && wrapper != caller).then_some((edge.target, wrapper))
    });
    let mut found = Vec::new();
    for (closure, wrapper) in closures {
        let inner = &program.graph.calls[closure.file.index()][closure.function.index()];
        let runs = inner.iter().filter_map(|&inner| match program.graph.callee(CallRef::new(closure.file, inner)) {
            Value::Param(of, index) if *of == wrapper => Some((inner, *index as usize)),
            _ => None,
        });
        let made = follow(program, ExprRef::new(call.file, program.facts(call.file).call(call.call).callee));
        let facts = program.facts(made.file);
        let ExprKind::Call(site) = facts.expr(made.expr) else { continue };
        if !program.graph.callee(CallRef::new(made.file, *site)).functions().any(|function| function == wrapper) {
            continue;
        }
        for (inner, index) in runs {
            let Some(arg) = facts.call(*site).args.get(index).filter(|arg| arg.name.is_none()) else { continue };
            let inner = program.facts(closure.file).call(inner);
            let left = inner.dropped && !inner.awaited;
            let kind = if left { EdgeKind::Deferred } else { EdgeKind::Callback };
            found.push((ExprRef::new(made.file, arg.value), kind));
        }
    }
    found
}

/// Whether a function leaves what arrives in a parameter to run later: `def enqueue(func): queue.enqueue(func)`. That
/// it runs it at once where there is no queue is its second choice.
fn is_left_by(program: &Program, wrapper: FunctionRef, index: usize) -> bool {
    let facts = program.facts(wrapper.file);
    let is_param = |value: ExprId| {
        match facts.expr(value) {
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| {
            let arrives = |&value: &ExprId| {
                matches!(*facts.expr(value), ExprKind::Param(of, at) if of == wrapper.function && usize::from(at) == index)
            };
            facts.def(def).values.iter().any(arrives)
        }),
        _ => false,
    }
    };
    let inner = &program.graph.calls[wrapper.file.index()][wrapper.function.index()];
    inner.iter().any(|&inner| {
        program.has_role(CallRef::new(wrapper.file, inner), KnownRole::Defer)
            && facts.call(inner).args.iter().any(|arg| is_param(arg.value))
    })
}

fn may_be_function(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..))
}

impl Program {
    /// The methods of Python classes by their names, of two words and more: none where several classes have one. Only
    /// those of classes that stand on a package's.
    fn row_methods(&self) -> FxHashMap<Name, Option<FunctionRef>> {
        let mut methods: FxHashMap<Name, Option<FunctionRef>> = FxHashMap::default();
        for (file, facts) in self.code().filter(|(_, facts)| !facts.language.is_script()) {
            let classes = facts.classes.iter().filter(|class| !class.bases.is_empty());
            let named = classes.flat_map(|class| &class.methods).filter(|method| !method.is_getter);
            for method in named.filter(|method| !method.name.starts_with('_') && method.name.contains('_')) {
                let function = FunctionRef::new(file, method.function);
                methods.entry(method.name).and_modify(|known| *known = None).or_insert(Some(function));
            }
        }
        methods
    }
}
