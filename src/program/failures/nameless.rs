//! Logs of failures that do not say whose action failed.

use crate::catalogue::Effect;
use crate::facts::{BlockId, DefKind, ExprId, ExprKind, Facts};
use crate::program::terms::Handler;
use crate::program::{CallRef, Program, VendorUse};

impl Program {
    /// Where a vendor's failure is logged without anything that would find the action again: each use with the first
    /// such log of its handler.
    pub fn nameless_failures(&self) -> Vec<(&VendorUse, CallRef)> {
        let mut found: Vec<(&VendorUse, CallRef)> = Vec::new();
        for used in self.vendor_uses() {
            // What a model was asked is asked again.
            let changes = self
                .operation(used)
                .is_some_and(|operation| operation.effect.changes_something() && operation.effect != Effect::Generate);
            if !changes || self.catalogue.vendor(used.vendor).own_backend || !self.runs_on_server(used.at.file) {
                continue;
            }
            let Some(guard) = self.guards(used.at).into_iter().next() else { continue };
            let Handler::Block(block) = guard.handler else { continue };
            let logs: Vec<CallRef> = self.logs_of_handler(used.at, block);
            let nameless = !logs.is_empty() && logs.iter().all(|&log| self.says_nobody(log));
            // An error tracker keeps what is around it.
            if nameless && !self.tells_more(used.at, block) && !found.iter().any(|(_, log)| *log == logs[0]) {
                found.push((used, logs[0]));
            }
        }
        found
    }

    fn within(&self, at: CallRef, block: BlockId) -> impl Iterator<Item = CallRef> + '_ {
        let facts = self.facts(at.file);
        let span = facts.block(block).span;
        self.calls_of(at.file).filter(move |call| span.contains(facts.span(facts.call(call.call).expr)))
    }

    fn logs_of_handler(&self, at: CallRef, block: BlockId) -> Vec<CallRef> {
        self.within(at, block).filter(|&call| self.is_logging(call)).collect()
    }

    /// Whether a handler hands the failure to something that says more: a tracker, a log of the app's own.
    fn tells_more(&self, at: CallRef, block: BlockId) -> bool {
        self.within(at, block).any(|call| !self.is_logging(call) && self.is_reporting_call(call))
    }

    /// Whether a log says texts and the failure itself, and nothing else.
    fn says_nobody(&self, log: CallRef) -> bool {
        let facts = self.facts(log.file);
        let own = self.edges(log).is_empty();
        own && facts.call(log.call).args.iter().all(|arg| is_failure_alone(facts, arg.value, 6))
    }
}

/// Whether a value is made of constant texts and what was caught.
fn is_failure_alone(facts: &Facts, at: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |&part: &ExprId| is_failure_alone(facts, part, depth);
    match facts.expr(at) {
        ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Caught => true,
        ExprKind::Template(parts) | ExprKind::Op(_, parts) | ExprKind::List(parts) => parts.iter().all(next),
        ExprKind::Member(base, _) | ExprKind::Index(base, _) => next(base),
        ExprKind::Object(entries) => entries.iter().all(|(_, value)| next(value)),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let base = match facts.expr(call.callee) {
                ExprKind::Member(base, _) => {
                    next(base) || matches!(facts.expr(*base), ExprKind::Ref(name, _) if name == "JSON")
                }
                ExprKind::Ref(name, _) => matches!(name.as_str(), "str" | "String" | "repr" | "type"),
                _ => false,
            };
            base && call.args.iter().all(|arg| next(&arg.value))
        }
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
            Some(def) => {
                let shape = facts.def(def);
                shape.kind == DefKind::Caught || !shape.values.is_empty() && shape.values.iter().all(next)
            }
            None => matches!(name.as_str(), "Error" | "undefined"),
        },
        _ => false,
    }
}
