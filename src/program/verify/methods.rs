//! Which arms of an entry point are there for requests that are not posted: a handshake, a picture that counts
//! openings, a link to unsubscribe. They are no part of what a delivery does.

use super::Walk;
use super::ways::Flow;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op};
use crate::program::FunctionRef;

/// How deep a condition is looked into.
const DEEPEST: usize = 5;

impl Walk<'_> {
    /// Whether an arm of a condition runs only for requests that are not posted; `holds`: the one on which it holds.
    pub(super) fn is_aside(&self, function: FunctionRef, condition: ExprId, holds: bool) -> bool {
        self.posted && self.behind.is_none() && excludes_posts(self.facts(function), condition, holds, DEEPEST)
    }

    /// The same for a case of a `switch`.
    pub(super) fn is_case_aside(&self, function: FunctionRef, case: BlockId) -> bool {
        let facts = self.facts(function);
        match facts.block(case).kind {
            BlockKind::Case(subject, Some(value)) if self.posted && self.behind.is_none() => {
                is_method(facts, subject, DEEPEST) && reads_only(facts, value) == Some(true)
            }
            _ => false,
        }
    }

    /// Walks a part whose effects and checks count for nothing, only to see how it is left.
    pub(super) fn walk_aside(&mut self, walk: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let account = self.account.clone();
        let (known, visited) = (std::mem::take(&mut self.known), self.visited.clone());
        let flow = walk(self);
        (self.account, self.known, self.visited) = (account, known, visited);
        flow
    }
}

/// Whether a condition that comes out as `holds` says that the request was not posted.
fn excludes_posts(facts: &Facts, condition: ExprId, holds: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => excludes_posts(facts, parts[0], !holds, depth),
        ExprKind::Op(Op::And, parts) if holds => parts.iter().any(|&part| excludes_posts(facts, part, true, depth)),
        ExprKind::Op(Op::Or, parts) if holds => parts.iter().all(|&part| excludes_posts(facts, part, true, depth)),
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
            let (method, text) = if is_method(facts, parts[0], depth) {
                (true, parts[1])
            } else {
                (is_method(facts, parts[1], depth), parts[0])
            };
            let same = (*op == Op::Equal) == holds;
            method && reads_only(facts, text).is_some_and(|reads| reads == same)
        }
        _ => false,
    }
}

/// Whether a text names a method by which nothing is posted; none when it names another one than these.
fn reads_only(facts: &Facts, text: ExprId) -> Option<bool> {
    let ExprKind::Text(text) = facts.expr(text) else { return None };
    match text.to_ascii_uppercase().as_str() {
        "GET" | "HEAD" | "OPTIONS" => Some(true),
        "POST" => Some(false),
        _ => None,
    }
}

/// `req.method`, `const { method } = req`, `request.method.upper()`
fn is_method(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Member(base, name) => {
            matches!(name.as_str(), "method" | "httpMethod")
                && matches!(facts.last_name(*base), Some(of) if matches!(of.as_str(), "req" | "request" | "event" | "ctx" | "c" | "r"))
        }
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| matches!(facts.def(def).values[..], [only] if is_method(facts, only, depth))),
        ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "toUpperCase" | "toLowerCase" | "upper" | "lower")
                    && is_method(facts, *base, depth)
            }
            _ => false,
        },
        _ => false,
    }
}
