//! What a caller switches off: `create_notification(.., send_email=False)` never comes to what stands behind
//! `if send_email`.

use crate::facts::{Call, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::names::Name;
use crate::program::never::is_left_out;
use crate::program::{CallRef, Edge, EdgeKind, Program};

/// The parameters of a function, and the keys of objects that arrive in one, which a call gives a truth that is
/// written out, or leaves to a default that is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Switches(Vec<(u16, Option<Name>, bool)>);

impl Program {
    /// What the call of an edge says of its target's parameters.
    pub fn set_by(&self, edge: &Edge) -> Switches {
        if edge.kind != EdgeKind::Direct {
            return Switches::default();
        }
        let facts = self.facts(edge.call.file);
        let call = facts.call(edge.call.call);
        let by_other_rules = |name: Name| matches!(name.as_str(), "call" | "apply" | "bind" | "delay" | "apply_async");
        let spread = call.args.iter().any(|arg| matches!(facts.expr(arg.value), ExprKind::Spread(_)));
        if spread || facts.last_name(call.callee).is_some_and(by_other_rules) {
            return Switches::default();
        }
        let callee = self.facts(edge.target.file);
        let mut found = vec![];
        for (at, param) in callee.function(edge.target.function).params.iter().enumerate() {
            if param.rest {
                continue;
            }
            match (argument(call, at, param.name), param.default) {
                // `undefined` leaves it to the default.
                (Some(value), Some(_))
                    if callee.language.is_script() && matches!(facts.expr(value), ExprKind::Null) => {}
                (Some(value), _) => {
                    if let ExprKind::Object(entries) = facts.expr(value) {
                        let keys = entries.iter().filter_map(|&(key, value)| Some((key, written(facts, value)?)));
                        found.extend(keys.map(|(key, truth)| (at as u16, Some(key), truth)));
                    }
                    found.extend(written(facts, value).map(|truth| (at as u16, None, truth)));
                }
                (None, Some(default)) => {
                    found.extend(written(callee, default).map(|truth| (at as u16, None, truth)));
                }
                // What a script leaves out is undefined.
                (None, None) if callee.language.is_script() => found.push((at as u16, None, false)),
                (None, None) => {}
            }
        }
        Switches(found)
    }

    /// Whether a call of the function `edge` leads to stands where this caller never comes.
    pub fn is_switched_off(&self, call: CallRef, edge: &Edge) -> bool {
        if self.function_of(call) != edge.target {
            return false;
        }
        let (facts, switches) = (self.facts(call.file), self.set_by(edge));
        let own = edge.target.function;
        !switches.0.is_empty() && is_left_out(facts, call.call, &|expr| switches.truth(facts, own, expr))
    }

    /// Whether a call on a way is switched off by the one before it.
    pub fn is_switched_off_on(&self, way: &[Edge], last: CallRef) -> bool {
        let next = way.iter().skip(1).map(|edge| edge.call).chain([last]);
        way.iter().zip(next).any(|(edge, call)| self.is_switched_off(call, edge))
    }
}

impl Switches {
    /// What is said of an expression of the function.
    fn truth(&self, facts: &Facts, function: FunctionId, expr: ExprId) -> Option<bool> {
        let (param, key) = match *facts.expr(expr) {
            ExprKind::Member(base, key) => (arrives(facts, function, base)?, Some(key)),
            _ => match only_value(facts, expr).map(|value| facts.expr(value)) {
                Some(&ExprKind::Member(base, key)) => (arrives(facts, function, base)?, Some(key)),
                _ => (arrives(facts, function, expr)?, None),
            },
        };
        self.0.iter().find(|(at, name, _)| (*at, *name) == (param, key)).map(|&(.., truth)| truth)
    }
}

/// The argument that arrives in a parameter.
fn argument(call: &Call, at: usize, name: Option<Name>) -> Option<ExprId> {
    let by_name = call.args.iter().find(|arg| arg.name.is_some() && arg.name == name);
    by_name.or_else(|| call.args.get(at).filter(|arg| arg.name.is_none())).map(|arg| arg.value)
}

/// What a constant that is written out comes to as a condition.
fn written(facts: &Facts, value: ExprId) -> Option<bool> {
    match facts.expr(value) {
        ExprKind::Bool(truth) => Some(*truth),
        ExprKind::Null => Some(false),
        ExprKind::Text(text) => Some(!text.is_empty()),
        _ => None,
    }
}

/// The value of a name that has one.
fn only_value(facts: &Facts, expr: ExprId) -> Option<ExprId> {
    let ExprKind::Ref(name, block) = *facts.expr(expr) else { return None };
    match facts.def(facts.lookup(block, name)?).values[..] {
        [value] => Some(value),
        _ => None,
    }
}

/// The parameter of a function that an expression is; its default is the caller's choice too.
fn arrives(facts: &Facts, function: FunctionId, expr: ExprId) -> Option<u16> {
    let param = |value: ExprId| match *facts.expr(value) {
        ExprKind::Param(of, index) if of == function => Some(index),
        _ => None,
    };
    let default = |index: u16| facts.function(function).params[usize::from(index)].default;
    match *facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(block, name)?).values[..] {
            [value] => match facts.expr(value) {
                ExprKind::Op(Op::Or | Op::Nullish, parts) if parts.len() == 2 => {
                    param(parts[0]).filter(|&index| default(index) == Some(parts[1]))
                }
                _ => param(value),
            },
            [first, second] => param(first).filter(|&index| default(index) == Some(second)),
            _ => None,
        },
        _ => param(expr),
    }
}
