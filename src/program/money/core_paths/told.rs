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
        if said.is_empty() {
            continue;
        }
        let next = way.get(at + 1).map_or(last, |edge| edge.call);
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
