//! What is put together out of functions and run as one: graphs of nodes, agents with their tools.

use rustc_hash::FxHashMap;

use super::eval::Eval;
use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind, Facts};
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

/// How deep functions lie in lists, objects and what wraps them: `add_node("tools", ToolNode([search, pay]))`.
const DEEPEST: usize = 5;

/// More functions than this nobody puts into one.
const MOST: usize = 200;

/// What was put into each thing, by the call that made it: `graph.add_node("answer", answer)`.
pub type Parts = FxHashMap<CallRef, Vec<ExprRef>>;

/// Collects what things are put together of.
pub fn parts(program: &Program) -> Parts {
    let mut parts = Parts::default();
    for (file, _) in program.code() {
        for call in program.calls_of(file).filter(|&call| program.has_role(call, KnownRole::Compose)) {
            let makers = program.graph.callee(call).externals().filter_map(|external| external.sites.first());
            for &maker in makers {
                parts.entry(maker).or_default().extend(arguments(program, call));
            }
        }
    }
    parts
}

/// The functions that a call runs since what it is called on was put together of them.
pub fn run(program: &Program, eval: &mut Eval<'_>, parts: &Parts, call: CallRef) -> Vec<FunctionRef> {
    let mut found = Vec::new();
    let callee = program.graph.callee(call);
    if program.has_role(call, KnownRole::RunComposed) {
        for &site in callee.externals().flat_map(|external| &external.sites) {
            let put_in = parts.get(&site).into_iter().flatten().copied();
            for part in arguments(program, site).chain(put_in) {
                functions_in(eval, part, DEEPEST, &mut found);
            }
        }
    }
    let tools = callee.alternatives().iter().filter_map(|value| match value {
        Value::Member(tool, method) if matches!(method.as_str(), "invoke" | "ainvoke" | "run" | "arun") => Some(tool),
        _ => None,
    });
    found.extend(tools.flat_map(|tool| tool.functions()).filter(|&tool| is_tool(program, eval, tool)));
    found
}

fn arguments(program: &Program, call: CallRef) -> impl Iterator<Item = ExprRef> + '_ {
    program.facts(call.file).call(call.call).args.iter().map(move |arg| ExprRef::new(call.file, arg.value))
}

fn functions_in(eval: &mut Eval<'_>, at: ExprRef, depth: usize, found: &mut Vec<FunctionRef>) {
    if depth == 0 || found.len() >= MOST {
        return;
    }
    let program = eval.program();
    for value in eval.expr(at).alternatives() {
        match value {
            Value::Function(function) => found.push(*function),
            Value::List(items) | Value::Object(items) => {
                let inner: Vec<ExprId> = match program.facts(items.file).expr(items.expr) {
                    ExprKind::List(items) => items.to_vec(),
                    ExprKind::Object(entries) => entries.iter().map(|&(_, value)| value).collect(),
                    _ => continue,
                };
                for item in inner {
                    functions_in(eval, ExprRef::new(items.file, item), depth - 1, found);
                }
            }
            // `partial(answer, tone="warm")`, `ToolNode(tools)`
            Value::External(made) => {
                for argument in made.sites.iter().flat_map(|&site| arguments(program, site)) {
                    functions_in(eval, argument, depth - 1, found);
                }
            }
            _ => {}
        }
    }
}

/// Whether a decorator makes a function a tool, which has methods that run it.
fn is_tool(program: &Program, eval: &mut Eval<'_>, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    facts.function(function.function).decorators.iter().any(|&decorator| {
        let made_by = eval.expr(ExprRef::new(function.file, called(facts, decorator)));
        let mut known = made_by.externals().filter_map(|made| program.catalogue.known(made.package, &made.segs));
        known.any(|known| known.role == KnownRole::MakeTool)
    })
}

/// What a decorator calls: `tool` of `@tool("search")`.
pub(super) fn called(facts: &Facts, decorator: ExprId) -> ExprId {
    match facts.expr(decorator) {
        ExprKind::Call(call) => facts.call(*call).callee,
        _ => decorator,
    }
}
