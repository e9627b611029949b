//! Grants that a word of the request lets past the look at the payment: `if (body.testMode) { grant; return }`.

use super::{Asks, Given, Grant, from_request};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::secrets::defaults::means_production;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

impl Program {
    /// The word of the request that has a grant written before anybody asks whether it is paid: the payment is asked
    /// for only where that word does not stand. None as well where only developers' machines come that far.
    pub fn skipped_by(&self, start: FunctionRef, grant: &Grant) -> Option<Name> {
        let within = self.with_inner(start);
        if !within.contains(&grant.function) {
            return None;
        }
        let facts = self.facts(grant.at.file);
        let (word, arm) = facts.enclosing(grant.block).find_map(|(_, block)| match block.kind {
            BlockKind::Then(condition) => Some((flag(facts, condition, 6)?, block.span)),
            _ => None,
        })?;
        let by_mode = facts.enclosing(grant.block).any(|(_, block)| match block.kind {
            BlockKind::Then(condition) | BlockKind::Else(condition) => names_mode(facts, condition, 6),
            _ => false,
        });
        let own = facts.blocks.iter().filter(|block| block.function == grant.function.function);
        let shut = own.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                facts.block(*then).span.end <= arm.start
                    && names_mode(facts, *condition, 6)
                    && ending(facts, *then) != Ending::GoesOn
            }
            _ => false,
        });
        let asked = || {
            within
                .iter()
                .flat_map(|&function| self.calls_in(function))
                .any(|at| facts.span(facts.call(at.call).expr).start < arm.end && self.leads_to_payment(at))
        };
        (!by_mode && !shut && !asked()).then_some(word)
    }

    /// Whether the function of a grant turns back in production before it comes there: `if not settings.DEBUG: return`.
    pub fn is_for_developers(&self, grant: &Grant) -> bool {
        self.turns_back_in_production(grant.function, self.facts(grant.at.file).span(grant.at.expr).start)
    }

    /// Whether a function ends in production before it comes to a place in it.
    pub fn turns_back_in_production(&self, function: FunctionRef, before: u32) -> bool {
        let facts = self.facts(function.file);
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        own.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                facts.block(*then).span.end <= before
                    && holds_in_production(facts, *condition)
                    && ending(facts, *then) != Ending::GoesOn
            }
            _ => false,
        })
    }

    /// Whether a call asks a vendor for a payment, or leads to one that does.
    pub(super) fn leads_to_payment(&self, at: CallRef) -> bool {
        let through = |target: FunctionRef| {
            let reach = self.reach(target, |edge| edge.kind != EdgeKind::Jump);
            reach.stops.iter().any(|stop| self.calls_in(stop.function).any(|at| self.asks_payment(at) != Asks::No))
        };
        self.asks_payment(at) != Asks::No
            || self.edges(at).iter().any(|edge| edge.kind != EdgeKind::Jump && through(edge.target))
    }
}

/// The plan that is chosen by its number in a row that says of itself that it runs: `plan_id: body.plan`,
/// `status: "active"`.
pub(super) fn chosen_id(facts: &Facts, rows: &[(Name, ExprId)]) -> Option<(Name, ExprId, Given)> {
    let runs = rows.iter().any(|&(key, value)| {
        let text = matches!(facts.expr(value), ExprKind::Text(text) if matches!(text.as_str(), "active" | "paid"));
        text && words(&key).last().is_some_and(|last| last == "status")
    });
    rows.iter().filter(|_| runs).find_map(|&(key, value)| {
        let named = words(&key);
        let is_plan = |word: &String| matches!(word.as_str(), "plan" | "tier" | "package" | "membership");
        let by_id =
            named.len() > 1 && named.last().is_some_and(|last| last == "id") && is_plan(&named[named.len() - 2]);
        (by_id && from_request(facts, value, 12)).then_some((key, value, Given::Chosen))
    })
}

/// Whether a condition holds wherever the app is deployed, whatever else it asks.
fn holds_in_production(facts: &Facts, condition: ExprId) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::Or, parts) => parts.iter().any(|&part| holds_in_production(facts, part)),
        _ => !from_request(facts, condition, 12) && means_production(facts, condition, 6) == Some(true),
    }
}

fn says_test(name: &str) -> bool {
    const TESTS: &[&str] = &[
        "test",
        "testing",
        "testmode",
        "demo",
        "mock",
        "sandbox",
        "simulate",
        "simulated",
        "skip",
        "bypass",
        "fake",
        "debug",
        "dev",
    ];
    words(name).iter().any(|word| TESTS.contains(&word.as_str()))
}

/// The word of the request that a condition asks for, when it says that this is only a test.
pub(super) fn flag(facts: &Facts, condition: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    let sent = |expr: ExprId| from_request(facts, expr, 12) && !of_user(facts, expr, 8);
    let says = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Text(text) if says_test(text));
    match facts.expr(condition) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => (says_test(name) && sent(condition)).then_some(*name),
        ExprKind::Op(Op::Or, parts) => parts.iter().find_map(|&part| flag(facts, part, depth)),
        ExprKind::Op(Op::And, parts) if parts.iter().all(|&part| sent(part)) => {
            parts.iter().find_map(|&part| flag(facts, part, depth))
        }
        ExprKind::Op(Op::Equal, parts) => parts.iter().find_map(|&part| match facts.expr(part) {
            ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Number(_) => None,
            _ if parts.iter().any(|&other| says(other)) && sent(part) => facts.last_name(part),
            _ if parts.iter().any(|&other| matches!(facts.expr(other), ExprKind::Bool(true))) => {
                flag(facts, part, depth)
            }
            _ => None,
        }),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(base, method) = facts.expr(call.callee) else { return None };
            let given = call.args.first().filter(|arg| says(arg.value) && sent(*base))?;
            match (method.as_str(), facts.expr(given.value)) {
                ("startsWith" | "startswith" | "includes" | "endsWith" | "endswith", _) => facts.last_name(*base),
                ("get", ExprKind::Text(key)) => Some(*key),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a value is something of who is logged in: `req.user.isTester`.
fn of_user(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let names = |name: &str| matches!(name, "user" | "session" | "auth" | "currentUser" | "account" | "profile");
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => {
            names(name)
                || facts
                    .lookup(*block, *name)
                    .is_some_and(|def| facts.def(def).values.iter().any(|&value| of_user(facts, value, depth)))
        }
        ExprKind::Member(base, name) => names(name) || of_user(facts, *base, depth),
        ExprKind::Await(inner) => of_user(facts, *inner, depth),
        _ => false,
    }
}

/// Whether a condition asks in which mode the server runs, rather than what was sent.
pub(super) fn names_mode(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let named = |name: &str| {
        words(name).iter().any(|word| {
            matches!(
                word.as_str(),
                "env" | "environment" | "production" | "development" | "debug" | "prod" | "dev" | "mode" | "stage"
            )
        })
    };
    match facts.expr(expr) {
        // A key that is not set says nothing of a mode.
        ExprKind::Env(name) => named(name) || says_test(name),
        ExprKind::Ref(name, block) => {
            named(name) && !from_request(facts, expr, 12)
                || facts
                    .lookup(*block, *name)
                    .is_some_and(|def| facts.def(def).values.iter().any(|&value| names_mode(facts, value, depth)))
        }
        ExprKind::Member(base, name) => {
            named(name) && !from_request(facts, expr, 12) || names_mode(facts, *base, depth)
        }
        ExprKind::Op(_, parts) => parts.iter().any(|&part| names_mode(facts, part, depth)),
        ExprKind::Call(call) => names_mode(facts, facts.call(*call).callee, depth),
        _ => false,
    }
}
