//! Bodies of all answers of an app, as what stands around every route sees them.

use super::Secret;
use super::walk::{Known, Walker};
use crate::facts::{DefId, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::program::{ExprRef, FunctionRef};

/// Decorators of functions that are handed every answer.
const AFTER: &[&str] = &["after_request", "after_app_request"];

/// What middleware asks for the answer of what it stands around.
const ASKED: &[&str] = &["call_next", "get_response"];

impl Walker<'_> {
    /// The body of every answer comes out.
    pub(super) fn bodies(&mut self, at: ExprRef) -> Known {
        // A line of a log holds the beginning of an answer.
        if self.tells_nothing(200) { Known::Harmless } else { self.note(Secret::Bodies, at) }
    }

    /// Whether a function stands in for the method that answers: `res.json = function (body) { .. }`.
    pub(super) fn is_body_of_answer(&self, function: FunctionRef) -> bool {
        let facts = self.program.facts(function.file);
        let shape = facts.function(function.function);
        matches!(shape.name, Some(name) if matches!(name.as_str(), "json" | "send"))
            && shape.class.is_none()
            && self.program.incoming(function).is_empty()
    }

    /// Whether an expression reads the body of whatever Python's middleware is handed: `response.get_data()` after each
    /// request, `b"".join([part async for part in response.body_iterator])`.
    pub(super) fn is_every_answer(&self, at: ExprRef) -> bool {
        let facts = self.program.facts(at.file);
        if facts.language.is_script() {
            return false;
        }
        match facts.expr(at.expr) {
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return false };
                match (method.as_str(), call.args.first()) {
                    ("get_data" | "get_json", _) => is_handed(facts, base),
                    ("join", Some(parts)) => is_streamed(facts, parts.value, 8),
                    _ => false,
                }
            }
            ExprKind::Member(base, name) => match name.as_str() {
                "data" | "json" => is_handed(facts, *base),
                "content" => is_asked(facts, *base),
                "body_iterator" => is_asked(facts, *base),
                _ => false,
            },
            _ => false,
        }
    }
}

/// The definition that a name stands for.
fn meant(facts: &Facts, expr: ExprId) -> Option<DefId> {
    match *facts.expr(expr) {
        ExprKind::Ref(name, block) => facts.lookup(block, name),
        _ => None,
    }
}

/// Whether a value is the answer that a function is handed after every request.
fn is_handed(facts: &Facts, expr: ExprId) -> bool {
    let Some(&[only]) = meant(facts, expr).map(|def| &facts.def(def).values[..]) else { return false };
    let ExprKind::Param(function, 0) = *facts.expr(only) else { return false };
    let mut decorators = facts.function(function).decorators.iter();
    decorators.any(|&decorator| facts.last_name(decorator).is_some_and(|name| AFTER.contains(&name.as_str())))
        && !picks_failures(facts, function)
}

/// Whether a value is the answer that middleware got of what it stands around.
fn is_asked(facts: &Facts, expr: ExprId) -> bool {
    let Some(def) = meant(facts, expr).map(|def| facts.def(def)) else { return false };
    let asks = def.values.iter().any(|&value| {
        let value = if let ExprKind::Await(inner) = *facts.expr(value) { inner } else { value };
        matches!(facts.expr(value), ExprKind::Call(call)
            if facts.last_name(facts.call(*call).callee).is_some_and(|name| ASKED.contains(&name.as_str())))
    });
    asks && !picks_failures(facts, facts.function_of(def.block))
}

/// Whether parts are those of an answer's stream.
fn is_streamed(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |expr: ExprId| is_streamed(facts, expr, depth);
    match facts.expr(expr) {
        ExprKind::Member(base, name) if *name == "body_iterator" => is_asked(facts, *base),
        ExprKind::Spread(inner) | ExprKind::ElementOf(inner) | ExprKind::Await(inner) => next(*inner),
        ExprKind::List(items) => items.iter().any(|&item| next(item)),
        ExprKind::Ref(..) => {
            meant(facts, expr).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
        }
        _ => false,
    }
}

/// Whether a function asks what status an answer has: it may write only those of failures.
fn picks_failures(facts: &Facts, function: FunctionId) -> bool {
    let span = facts.function(function).span;
    facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Op(Op::Compare | Op::Equal | Op::Unequal | Op::In, parts) => parts.iter().any(|&part| {
            facts.last_name(part).is_some_and(|name| matches!(name.as_str(), "status_code" | "status" | "is_json"))
        }),
        _ => false,
    })
}
