//! Whether anybody asked the vendor of payments before something is given.

use rustc_hash::FxHashSet;

use super::picked::is_apart;
use super::{Grant, from_request};
use crate::catalogue::{Category, Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Step};
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, Destination, EdgeKind, FunctionRef, Program};

/// What a call asks of the vendor of payments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    No,
    Reads,
    Pays,
}

impl Program {
    /// Whether somebody asks a vendor on the way whether it is paid, or pays there.
    pub fn is_paid_for(&self, start: FunctionRef, grant: &Grant) -> bool {
        let mut functions: FxHashSet<FunctionRef> = FxHashSet::from_iter(self.with_inner(start));
        for from in self.with_inner(start) {
            functions
                .extend(self.reach(from, |edge| edge.kind != EdgeKind::Jump).stops.iter().map(|stop| stop.function));
        }
        functions.insert(grant.function);
        let mut sorted: Vec<FunctionRef> = functions.into_iter().collect();
        sorted.sort();
        let mut reads_here = false;
        for function in sorted {
            for at in self.calls_in(function) {
                let facts = self.facts(at.file);
                if function == grant.function && is_apart(facts, facts.call(at.call).block, grant.block) {
                    continue;
                }
                match self.asks_payment(at) {
                    Asks::No if function == grant.function && self.other_rail_decides(at, grant) => return true,
                    Asks::No => {}
                    Asks::Reads if function == grant.function => reads_here = true,
                    Asks::Reads | Asks::Pays => return true,
                }
            }
        }
        reads_here && self.state_decides(grant)
    }

    /// Whether another service than a vendor of payments is asked with a value of the request, and its answer turns the
    /// caller away: the receipt of a transfer on some chain.
    fn other_rail_decides(&self, at: CallRef, grant: &Grant) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let leaves = |to: &Destination| matches!(to, Destination::Host(..) | Destination::Env(..));
        let asks = self.vendors_at(at).is_empty()
            && self.requests_at(at).iter().any(|http| http.to.iter().any(leaves))
            && call.args.iter().any(|arg| holds_request(facts, arg.value, 6));
        let own = facts.blocks.iter().filter(|block| block.function == grant.function.function);
        asks && own.flat_map(|block| &block.steps).any(|step| match *step {
            Step::If { condition, then, .. } => {
                facts.block(then).span.end <= facts.span(grant.at.expr).start
                    && ending(facts, then) != Ending::GoesOn
                    && reads_body(facts, condition, at, 10)
            }
            _ => false,
        })
    }

    pub(super) fn asks_payment(&self, at: CallRef) -> Asks {
        let payments =
            self.vendors_at(at).iter().filter(|used| self.catalogue.vendor(used.vendor).category == Category::Payments);
        for used in payments {
            let Some(operation) = self.operation(used) else { return Asks::Pays };
            match operation.effect {
                Effect::Read | Effect::List => return Asks::Reads,
                Effect::Create => {
                    // What only starts a payment, or names who will pay, says nothing yet.
                    let starts = ["checkout", "customer", "link", "portal", "setup", "intent", "price", "product"];
                    let name = used.name.to_ascii_lowercase();
                    if !starts.iter().any(|part| name.contains(part)) {
                        return Asks::Pays;
                    }
                }
                _ => return Asks::Pays,
            }
        }
        let facts = self.facts(at.file);
        if let ExprKind::Ref(name, _) | ExprKind::Member(_, name) = facts.expr(facts.call(at.call).callee) {
            let words = words(name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            let checks = has(&["verify", "capture", "confirm", "validate", "check", "retrieve", "fetch"])
                && has(&["payment", "session", "order", "transaction", "signature", "receipt", "purchase", "checkout"]);
            if checks || has(&["hmac"]) || self.has_role(at, KnownRole::Verify) {
                return Asks::Pays;
            }
        }
        Asks::No
    }

    /// Whether a state that is asked for decides whether the grant is written.
    fn state_decides(&self, grant: &Grant) -> bool {
        let facts = self.facts(grant.at.file);
        let around = facts.enclosing(grant.block).any(|(_, block)| match block.kind {
            BlockKind::Then(condition) | BlockKind::Else(condition) => says_state(facts, condition, 6),
            BlockKind::Case(subject, _) => says_state(facts, subject, 6),
            _ => false,
        });
        let mut steps = facts
            .blocks
            .iter()
            .filter(|block| block.function == grant.function.function)
            .flat_map(|block| &block.steps);
        let stops = |arm: BlockId| match ending(facts, arm) {
            Ending::Returns(_) => true,
            Ending::Throws => !self.is_thrown_away(facts, arm),
            Ending::GoesOn => false,
        };
        around
            || steps.any(|step| match step {
                Step::If { condition, then, otherwise } => {
                    says_state(facts, *condition, 6) && std::iter::once(*then).chain(*otherwise).any(stops)
                }
                _ => false,
            })
    }

    /// Whether what a block throws is caught in its own function, and what follows runs all the same.
    fn is_thrown_away(&self, facts: &Facts, block: BlockId) -> bool {
        let function = facts.function_of(block);
        let within: Vec<BlockId> = facts.enclosing(block).map(|(id, _)| id).collect();
        let own = facts.blocks.iter().filter(|block| block.function == function);
        own.flat_map(|block| &block.steps).any(|step| match step {
            Step::Try { body, handlers, .. } => {
                within.contains(body)
                    && !handlers.is_empty()
                    && handlers.iter().all(|&handler| ending(facts, handler) == Ending::GoesOn)
            }
            _ => false,
        })
    }
}

/// Whether a value holds something of the request.
fn holds_request(facts: &Facts, value: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    from_request(facts, value, 12)
        || match facts.expr(value) {
            ExprKind::Object(entries) => entries.iter().any(|&(_, value)| holds_request(facts, value, depth)),
            ExprKind::List(items) => items.iter().any(|&item| holds_request(facts, item, depth)),
            ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| holds_request(facts, arg.value, depth)),
            _ => false,
        }
}

/// Whether an expression reads something of what a request was answered, beyond whether it was.
fn reads_body(facts: &Facts, expr: ExprId, at: CallRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |expr: ExprId| reads_body(facts, expr, at, depth);
    match facts.expr(expr) {
        ExprKind::Op(_, parts) => parts.iter().any(|&part| next(part)),
        ExprKind::Await(inner) | ExprKind::Index(inner, _) | ExprKind::Member(inner, _) => next(*inner),
        ExprKind::Ref(name, block) => {
            facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            matches!(facts.expr(call.callee), ExprKind::Member(base, name)
                if matches!(name.as_str(), "json" | "text") && is_answer(facts, *base, at, 6))
                || matches!(facts.expr(call.callee), ExprKind::Member(base, _) if next(*base))
                || call.args.iter().any(|arg| next(arg.value))
        }
        _ => false,
    }
}

fn is_answer(facts: &Facts, expr: ExprId, at: CallRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Await(inner) => is_answer(facts, *inner, at, depth),
        ExprKind::Call(call) => *call == at.call,
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.iter().any(|&value| is_answer(facts, value, at, depth))),
        _ => false,
    }
}

/// Whether a condition asks for the state of something, by its names or by what made them.
fn says_state(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    const STATES: &[&str] = &["paid", "status", "state", "verified", "valid", "succeeded", "completed", "captured"];
    let Some(depth) = depth.checked_sub(1) else { return false };
    let named = |name: &str| words(name).iter().any(|word| STATES.contains(&word.as_str()));
    match facts.expr(expr) {
        // `const ok = session.payment_status === "paid"; if (ok)`
        ExprKind::Ref(name, block) => {
            named(name)
                || facts
                    .lookup(*block, *name)
                    .is_some_and(|def| facts.def(def).values.iter().any(|&value| says_state(facts, value, depth)))
        }
        ExprKind::Member(base, name) => named(name) || says_state(facts, *base, depth),
        ExprKind::Op(_, parts) => parts.iter().any(|&part| says_state(facts, part, depth)),
        ExprKind::Await(inner) | ExprKind::Index(inner, _) => says_state(facts, *inner, depth),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            // `session.get("payment_status")`
            let read = || match (facts.last_name(call.callee), call.args.first().map(|arg| facts.expr(arg.value))) {
                (Some(get), Some(ExprKind::Text(field))) => get == "get" && named(field),
                _ => false,
            };
            says_state(facts, call.callee, depth)
                || call.args.iter().any(|arg| says_state(facts, arg.value, depth))
                || read()
        }
        _ => false,
    }
}
