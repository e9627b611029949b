//! `new Proxy({}, { get(_, name) { return client()[name] } })`: an object that stands in for another, made when it
//! is first used.

use super::eval::Eval;
use crate::facts::{ExprId, ExprKind, Facts, FunctionId};
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Value};

/// What a `Proxy` gives the members of: what its `get` looks a name up in, else its target.
pub fn stood_for(eval: &mut Eval<'_>, made: CallRef) -> Option<Value> {
    let traps = eval.argument(made, 1);
    let get = match &traps {
        Value::Object(traps) => eval.key(*traps, Name::new("get")),
        _ => None,
    };
    let Some(Value::Function(get)) = get else { return Some(eval.argument(made, 0)) };
    let facts = eval.program().file(get.file).facts.as_ref()?;
    let bases = looked_up_in(facts, get);
    let values: Vec<Value> = bases
        .into_iter()
        .map(|base| match facts.expr(base) {
            _ if is_param(facts, base, get.function, 0) => eval.argument(made, 0),
            _ => eval.expr(ExprRef::new(get.file, base)),
        })
        .filter(|value| !value.is_unknown() && !matches!(value, Value::Object(_)))
        .collect();
    (!values.is_empty()).then(|| Value::one_of(values))
}

/// What a `get` trap looks its name up in: `client[name]`, `Reflect.get(client, name)`.
fn looked_up_in(facts: &Facts, get: FunctionRef) -> Vec<ExprId> {
    let span = facts.function(get.function).span;
    let is_name = |expr: ExprId| is_param(facts, expr, get.function, 1);
    let inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
    inside
        .filter_map(|expr| match &expr.kind {
            ExprKind::Index(base, index) if is_name(*index) => Some(*base),
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let reflects = matches!(facts.expr(call.callee), ExprKind::Member(base, name)
                    if *name == "get" && matches!(facts.expr(*base), ExprKind::Ref(of, _) if *of == "Reflect"));
                match (reflects, &call.args[..]) {
                    (true, [from, name, ..]) if is_name(name.value) => Some(from.value),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}

/// Whether an expression is a parameter of a function, by any name.
fn is_param(facts: &Facts, expr: ExprId, function: FunctionId, index: u16) -> bool {
    match facts.expr(expr) {
        ExprKind::Param(of, at) => *of == function && *at == index,
        ExprKind::Ref(name, block) => {
            facts.lookup(*block, *name).is_some_and(|def| {
                facts.def(def).values.iter().any(
                    |&value| matches!(facts.expr(value), ExprKind::Param(of, at) if *of == function && *at == index),
                )
            })
        }
        _ => false,
    }
}
