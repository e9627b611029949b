//! One door for many things: what a caller writes into a request decides which arm of the door's code is on its way.

use crate::facts::{Block, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::options::Lookup;
use crate::program::{CallRef, Edge, EdgeKind, ExprRef, Program, Value};

/// Whether a way comes to a call although what its requests say picks another arm before it: `{ action: "signup" }`
/// never gets to `case "withdraw"`.
pub fn goes_elsewhere(program: &Program, way: &[Edge], last: CallRef) -> bool {
    let mut said: Vec<(Name, Name)> = Vec::new();
    for (at, edge) in way.iter().enumerate() {
        if edge.kind == EdgeKind::Jump {
            said = says(program, &way[..at], edge.call);
        }
        let next = way.get(at + 1).map_or(last, |edge| edge.call);
        if edge.kind == EdgeKind::Direct && is_not_asked_for(program, *edge, next) {
            return true;
        }
        if said.iter().any(|&(key, text)| is_other_arm(program, next, key, text)) {
            return true;
        }
    }
    false
}

/// The constant texts that a request says, as the way before it hands them in.
fn says(program: &Program, before: &[Edge], call: CallRef) -> Vec<(Name, Name)> {
    let mut bodies: Vec<Value> = Vec::new();
    for http in program.requests_at(call) {
        if let Lookup::Present(body) = program.request_body(http) {
            bodies.push(body);
        }
    }
    if let Lookup::Present(body) = program.option(call, "body") {
        bodies.push(body);
    }
    let entries = bodies.iter().flat_map(|body| program.entries(body));
    entries.filter_map(|(key, value)| Some((key, text_on(program, before, value)?))).collect()
}

/// Whether what a function is handed asks for other things than a call in it does: `tell({ channels: ["inbox"] })`, and
/// the call stands where `channels.includes("text")`.
fn is_not_asked_for(program: &Program, edge: Edge, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    if program.function_of(call) != edge.target {
        return false;
    }
    facts.enclosing(facts.call(call.call).block).any(|(_, block)| {
        let BlockKind::Then(condition) = block.kind else { return false };
        let Some((list, wanted)) = held_by(facts, condition) else { return false };
        let handed = handed_list(program, edge, list);
        handed.is_some_and(|texts| !texts.contains(&wanted))
    })
}

/// The list that a condition looks into, and the text that it looks for: `channels.includes("text")`, alone or with more.
fn held_by(facts: &Facts, condition: ExprId) -> Option<(Name, Name)> {
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().find_map(|&part| held_by(facts, part)),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(list, asks) = facts.expr(call.callee) else { return None };
            let [wanted] = &call.args[..] else { return None };
            match (asks.as_str(), facts.expr(wanted.value)) {
                ("includes", ExprKind::Text(wanted)) => Some((facts.last_name(*list)?, *wanted)),
                _ => None,
            }
        }
        ExprKind::Op(Op::In, parts) => match parts[..] {
            [wanted, list] => match facts.expr(wanted) {
                ExprKind::Text(wanted) => Some((facts.last_name(list)?, *wanted)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The constant texts of the list that a call hands in under a name.
fn handed_list(program: &Program, edge: Edge, name: Name) -> Option<Vec<Name>> {
    let facts = program.facts(edge.call.file);
    let params = &program.facts(edge.target.file).function(edge.target.function).params;
    let args = &facts.call(edge.call.call).args;
    let by_place = || {
        let index = params.iter().position(|param| param.name == Some(name))?;
        args.iter().filter(|arg| arg.name.is_none()).nth(index).map(|arg| arg.value)
    };
    let by_key = || {
        args.iter().find_map(|arg| match facts.expr(arg.value) {
            ExprKind::Object(entries) => {
                entries.iter().rev().find(|(key, _)| *key == name || *key == "...").filter(|(key, _)| *key == name)
            }
            _ => None,
        })
    };
    let keyword = || args.iter().find(|arg| arg.name == Some(name)).map(|arg| arg.value);
    let value = keyword().or_else(by_place).or_else(|| by_key().map(|&(_, value)| value))?;
    let ExprKind::List(items) = facts.expr(value) else { return None };
    items.iter().map(|&item| if let ExprKind::Text(text) = facts.expr(item) { Some(*text) } else { None }).collect()
}

/// The one text that a value is on a way.
fn text_on(program: &Program, before: &[Edge], at: ExprRef) -> Option<Name> {
    match program.value(at) {
        Value::Text(text) => Some(text),
        Value::Param(function, index) => {
            let position = before.iter().rposition(|edge| edge.target == function && edge.kind == EdgeKind::Direct)?;
            let call = before[position].call;
            let args = &program.facts(call.file).call(call.call).args;
            let arg = args.iter().filter(|arg| arg.name.is_none()).nth(usize::from(index))?;
            text_on(program, &before[..position], ExprRef::new(call.file, arg.value))
        }
        _ => None,
    }
}

/// Whether a call stands where what is called `key` is something else than `text`.
fn is_other_arm(program: &Program, call: CallRef, key: Name, text: Name) -> bool {
    let facts = program.facts(call.file);
    let shape = facts.call(call.call);
    let start = facts.span(shape.expr).start;
    facts.enclosing(shape.block).any(|(_, block)| {
        let shut = block.steps.iter().any(|step| match *step {
            Step::If { condition, then, .. } => {
                facts.block(then).span.end <= start
                    && asks_for(facts, condition, key) == Some(text)
                    && ending(facts, then) != Ending::GoesOn
            }
            _ => false,
        });
        shut || match block.kind {
            BlockKind::Then(condition) => asks_for(facts, condition, key).is_some_and(|wanted| wanted != text),
            BlockKind::Else(condition) => asks_for(facts, condition, key) == Some(text),
            BlockKind::Case(subject, value) if is_named(facts, subject, key) => !is_case_of(facts, block, value, text),
            _ => false,
        }
    })
}

/// Whether a case runs for a text: it is its own, falls through to it, or is nobody's.
fn is_case_of(facts: &Facts, block: &Block, value: Option<ExprId>, text: Name) -> bool {
    let BlockKind::Case(subject, _) = block.kind else { return true };
    let says = |value: ExprId| match facts.expr(value) {
        ExprKind::Text(said) => Some(*said),
        _ => None,
    };
    let others = || {
        facts.blocks.iter().filter_map(|other| match other.kind {
            BlockKind::Case(of, Some(value)) if of == subject => Some((other, says(value))),
            _ => None,
        })
    };
    match value.map(says) {
        // What no text names cannot be told.
        Some(None) => true,
        Some(Some(own)) if own == text => true,
        Some(Some(_)) => others()
            .any(|(other, said)| said == Some(text) && other.span.start < block.span.start && other.steps.is_empty()),
        None => !others().any(|(other, said)| said == Some(text) && !other.steps.is_empty()),
    }
}

/// The text that a condition wants under a name: `action === "signup"`.
fn asks_for(facts: &Facts, condition: ExprId, key: Name) -> Option<Name> {
    let ExprKind::Op(Op::Equal, parts) = facts.expr(condition) else { return None };
    let named = parts.iter().any(|&part| is_named(facts, part, key));
    let text = parts.iter().find_map(|&part| match facts.expr(part) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    });
    text.filter(|_| named)
}

fn is_named(facts: &Facts, expr: ExprId, key: Name) -> bool {
    match facts.expr(expr) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => *name == key,
        _ => false,
    }
}
