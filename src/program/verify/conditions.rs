//! What a condition is about on which a check is skipped: an unset secret, a mode, the request itself.

use std::cell::LazyCell;

use super::evidence::{holds_secret, is_signature_name, sounds_secret};
use super::ways::Reason;
use super::{Walk, Why};
use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::link::entries::edge::function_of;
use crate::link::entries::handlers::follow;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{EdgeKind, ExprRef, FunctionRef, Value};

/// How far conditions are followed through variables and operators.
const FARTHEST: usize = 6;

impl Walk<'_> {
    /// Why the flow goes the way on which a condition holds, or does not.
    pub(super) fn reason(&self, function: FunctionRef, condition: ExprId, holds: bool) -> Reason {
        self.reasons_of(function, condition)[usize::from(holds)]
    }

    /// Why it goes the way on which a condition does not hold, and why the other.
    pub(super) fn reasons_of(&self, function: FunctionRef, condition: ExprId) -> [Reason; 2] {
        let at = ExprRef::new(function.file, condition);
        self.program.reasons.get(at, || self.find_reasons(at))
    }

    fn find_reasons(&self, at: ExprRef) -> [Reason; 2] {
        let presence = self.presence(at, FARTHEST);
        let mode = LazyCell::new(|| self.mode(at, FARTHEST));
        let asks_request = LazyCell::new(|| self.asks_request(at, FARTHEST));
        [false, true].map(|holds| {
            let why = match presence {
                Some((name, set)) if set != holds => match self.also_brought(at, !holds) {
                    true if self.is_refused_without(at, name) => Why::Request,
                    true => Why::Either(name),
                    false if self.is_needed_to_start(at.file, name) => Why::Condition,
                    false if self.has_default(at, FARTHEST) => Why::Fallback(name),
                    false => Why::Unset(name),
                },
                _ => match *mode {
                    Some(name) => Why::Mode(name),
                    None if let Some(header) = self.program.announced(at, holds) => Why::Announced(header),
                    None if *asks_request && self.brought(at, FARTHEST) != Some(holds) => Why::Request,
                    None if self.asks_for_test(at, FARTHEST) => Why::Request,
                    None => Why::Condition,
                },
            };
            let safe_default = matches!(why, Why::Mode(_)) && self.when_unset(at, FARTHEST) != Some(holds);
            let closed = self.is_closed(at, holds, why, safe_default);
            Reason { place: self.program.place(at), why, safe_default, closed }
        })
    }

    /// Whether what a condition asks for has a text to fall back to, so that it always holds something.
    fn has_default(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.program.facts(at.file).expr(at.expr) {
            ExprKind::Op(Op::Not, parts) => self.has_default(ExprRef::new(at.file, parts[0]), depth),
            ExprKind::Ref(..) | ExprKind::Member(..) => {
                let value = self.expanded(at);
                let mut texts = value.alternatives().iter().filter_map(Value::text);
                !value.envs().is_empty() && texts.any(|text| !text.is_empty())
            }
            _ => false,
        }
    }

    /// Whether nothing starts while a variable is unset: `os.environ["X"]`, in the file itself or in the settings.
    fn is_needed_to_start(&self, file: FileId, name: Name) -> bool {
        let mut files = self.program.modules.settings().iter().chain([&file]).map(|&file| self.program.facts(file));
        files.any(|facts| {
            let strict = facts.strict_reads.iter().filter(|&&read| read == name).count();
            strict > 0 && facts.env_reads().filter(|&(_, read)| read == name).count() <= strict
        })
    }

    /// Whether a condition asks if the request calls itself a test: `req.headers.get("x-test")`, `payload.test`.
    fn asks_for_test(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.asks_for_test(ExprRef::new(at.file, expr), depth);
        let says = |name: &str| {
            let words = super::words(name);
            words
                .iter()
                .any(|word| matches!(word.as_str(), "test" | "skip" | "bypass" | "simulate" | "simulated" | "mock"))
        };
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not | Op::And | Op::Or | Op::Equal | Op::Unequal, parts) => {
                parts.iter().any(|&part| next(part))
            }
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| matches!(facts.def(def).values[..], [only] if next(only)))
            }
            ExprKind::Member(base, name) => {
                let of = facts.last_name(*base).map(|of| of.to_ascii_lowercase()).unwrap_or_default();
                let brings = ["body", "payload", "query", "params", "headers", "data", "event", "json"];
                says(name) && brings.contains(&of.as_str())
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let ExprKind::Member(base, method) = facts.expr(call.callee) else { return false };
                let of = facts.last_name(*base).map(|of| of.to_ascii_lowercase()).unwrap_or_default();
                let from = ["headers", "searchparams", "query", "args", "params", "req", "request"];
                matches!(method.as_str(), "get" | "header" | "query")
                    && from.contains(&of.as_str())
                    && call
                        .args
                        .first()
                        .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if says(text)))
            }
            _ => false,
        }
    }

    /// Whether a condition also asks if the request brings its signature: `if (secret && signature)`.
    fn also_brought(&self, at: ExprRef, there: bool) -> bool {
        let at = self.behind(at);
        let facts = self.program.facts(at.file);
        let ExprKind::Op(Op::And | Op::Or, parts) = facts.expr(at.expr) else { return false };
        parts.iter().any(|&part| {
            let part = ExprRef::new(at.file, part);
            self.also_brought(part, there)
                || self.brought(part, FARTHEST) == Some(there)
                    && self.asks_request(part, FARTHEST)
                    && self.presence(part, FARTHEST).is_none()
        })
    }

    /// Whether the function that asks a condition leaves elsewhere where a secret is not set.
    fn is_refused_without(&self, at: ExprRef, name: Name) -> bool {
        let facts = self.program.facts(at.file);
        let asks = |step: &Step| matches!(step, Step::If { condition, .. } if *condition == at.expr);
        let Some(own) = facts.blocks.iter().find(|block| block.steps.iter().any(asks)) else { return false };
        let same = facts.blocks.iter().filter(|block| block.function == own.function);
        same.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                ending(facts, *then) != Ending::GoesOn
                    && asks_plainly(facts, *condition, FARTHEST)
                    && self.presence(ExprRef::new(at.file, *condition), 3) == Some((name, false))
            }
            _ => false,
        })
    }

    /// Whether what a mode decides is never so on a host in production, which names itself.
    fn is_closed(&self, at: ExprRef, holds: bool, why: Why, safe_default: bool) -> bool {
        let Why::Mode(name) = why else { return false };
        let path = self.program.file(at.file).path.as_str();
        let named = matches!(name.as_str(), "NODE_ENV" | "VERCEL_ENV") && function_of(path).is_none();
        let asked = self.behind(at);
        let facts = self.program.facts(asked.file);
        let ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) = facts.expr(asked.expr) else { return false };
        let equal = (*op == Op::Equal) == holds;
        let says = |wanted: &[&str]| {
            parts
                .iter()
                .any(|&part| matches!(facts.expr(part), ExprKind::Text(text) if wanted.contains(&text.as_str())))
        };
        (equal && says(&["development", "test", "dev", "local"]) || !equal && says(&["production"]))
            && (named || safe_default)
    }

    /// Why a function says yes that gives a value which is true only where people develop.
    pub(super) fn mode_given(&self, function: FunctionRef, value: ExprId) -> Option<Reason> {
        self.mode(ExprRef::new(function.file, value), FARTHEST)?;
        Some(self.reason(function, value, true)).filter(|reason| reason.closed)
    }

    /// An expression behind names: the condition that a constant holds.
    fn behind(&self, at: ExprRef) -> ExprRef {
        let found = follow(self.program, at);
        match self.program.facts(found.file).expr(found.expr) {
            // A variable with a fallback stays the variable.
            ExprKind::Op(Op::Or | Op::Nullish, _)
                if self.program.value(found).alternatives().iter().any(|value| matches!(value, Value::Env(_))) =>
            {
                at
            }
            ExprKind::Op(..) | ExprKind::Call(_) | ExprKind::Env(_) => found,
            _ => at,
        }
    }

    /// The secret that a condition asks to be set, and whether it is when the condition holds: `if (secret)`,
    /// `if (!process.env.X)`.
    pub(super) fn presence(&self, at: ExprRef, depth: usize) -> Option<(Name, bool)> {
        self.presence_of(self.behind(at), depth).or_else(|| {
            // What it holds is not known, but its name tells.
            let named = matches!(self.program.facts(at.file).expr(at.expr), ExprKind::Ref(..) | ExprKind::Member(..));
            let name = self.secret_name(at).filter(|_| named && !self.asks_request(at, FARTHEST))?;
            Some((name, true))
        })
    }

    fn presence_of(&self, at: ExprRef, depth: usize) -> Option<(Name, bool)> {
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.presence(ExprRef::new(at.file, expr), depth.checked_sub(1)?);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not, parts) => next(parts[0]).map(|(name, set)| (name, !set)),
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let empty = |expr: ExprId| match facts.expr(expr) {
                    ExprKind::Null | ExprKind::Number(_) => true,
                    ExprKind::Text(text) => text.is_empty() || *text == "undefined",
                    _ => false,
                };
                let asked =
                    parts.iter().find(|&&part| !empty(part)).filter(|_| parts.iter().any(|&part| empty(part)))?;
                next(*asked).map(|(name, set)| (name, set == (*op == Op::Unequal)))
            }
            ExprKind::Op(Op::Compare, parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Op(Op::TypeOf, _) => None,
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let name = |expr: ExprId| match facts.expr(expr) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(*name),
                    _ => None,
                };
                if name(call.callee).is_some_and(|name| matches!(name.as_str(), "Boolean" | "bool" | "len" | "isEmpty"))
                {
                    return call.args.first().and_then(|arg| next(arg.value));
                }
                // `secret.trim()`
                if let ExprKind::Member(base, method) = facts.expr(call.callee)
                    && call.args.is_empty()
                    && matches!(method.as_str(), "trim" | "strip" | "toString")
                {
                    return next(*base);
                }
                self.secret_name(at).map(|name| (name, true)).or_else(|| self.asked_inside(at, depth))
            }
            ExprKind::Env(_) | ExprKind::Ref(..) | ExprKind::Member(..) => {
                if let ExprKind::Member(base, name) = facts.expr(at.expr)
                    && name == "length"
                {
                    return next(*base);
                }
                if self.asks_request(at, FARTHEST) {
                    return None;
                }
                self.secret_name(at).map(|name| (name, true))
            }
            _ => None,
        }
    }

    /// `isConfigured()`: what the function it calls asks for.
    fn asked_inside(&self, at: ExprRef, depth: usize) -> Option<(Name, bool)> {
        let ExprKind::Call(call) = self.program.facts(at.file).expr(at.expr) else { return None };
        let edges = self.program.edges(crate::program::CallRef::new(at.file, *call));
        let target = edges.iter().find(|edge| edge.kind == EdgeKind::Direct)?.target;
        let facts = self.program.facts(target.file);
        match facts.block(facts.function(target.function).body).steps[..] {
            [Step::Return(Some(value))] => self.presence(ExprRef::new(target.file, value), depth.checked_sub(1)?),
            _ => None,
        }
    }

    /// The environment variable or setting that holds a secret.
    fn secret_name(&self, at: ExprRef) -> Option<Name> {
        let value = self.expanded(at);
        let env = value.envs().into_iter().find(|name| sounds_secret(name));
        env.or_else(|| match self.program.facts(at.file).expr(at.expr) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) if holds_secret(name) => {
                Some(self.listed_secrets(at).unwrap_or(*name))
            }
            ExprKind::Call(_) => self.setting(at).filter(|name| holds_secret(name)),
            _ => None,
        })
    }

    /// The variables of a list of secrets, in words: `[process.env.NEW, process.env.OLD].filter(Boolean)`.
    fn listed_secrets(&self, at: ExprRef) -> Option<Name> {
        let ExprRef { file, expr: mut list } = follow(self.program, at);
        let facts = self.program.facts(file);
        while let ExprKind::Call(call) = facts.expr(list)
            && let ExprKind::Member(base, name) = facts.expr(facts.call(*call).callee)
            && matches!(name.as_str(), "filter" | "map")
        {
            list = *base;
        }
        let ExprKind::List(items) = facts.expr(list) else { return None };
        let names: Vec<Name> = items.iter().flat_map(|&item| self.expanded(ExprRef::new(file, item)).envs()).collect();
        match names[..] {
            [only] => Some(only),
            [first, second] => Some(Name::new(&format!("{first} and {second}"))),
            [first, ..] => Some(Name::new(&format!("{first} and {} others", names.len() - 1))),
            [] => None,
        }
    }

    /// The setting that a call reads by its name: `app.config.get("X")`, `getattr(settings, "X", "")`.
    fn setting(&self, at: ExprRef) -> Option<Name> {
        let facts = self.program.facts(at.file);
        let ExprKind::Call(call) = facts.expr(at.expr) else { return None };
        let call = facts.call(*call);
        let text = |index: usize| match facts.expr(call.args.get(index)?.value) {
            ExprKind::Text(text) => Some(*text),
            _ => None,
        };
        let names_settings = |expr: ExprId| match facts.expr(expr) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                let name = name.to_ascii_lowercase();
                name.contains("config") || name.contains("settings") || name == "env"
            }
            _ => false,
        };
        match facts.expr(call.callee) {
            ExprKind::Member(base, name) if name.starts_with("get") && names_settings(*base) => text(0),
            ExprKind::Ref(name, _) if *name == "getattr" && names_settings(call.args.first()?.value) => text(1),
            _ => None,
        }
    }

    /// What an expression can be, with what callers hand in.
    pub(super) fn expanded(&self, at: ExprRef) -> Value {
        self.program.expand(&self.program.value(at))
    }

    /// The variable by which a condition asks for a mode: `NODE_ENV === "production"`, a flag that is set.
    fn mode(&self, at: ExprRef, depth: usize) -> Option<Name> {
        let at = self.behind(at);
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.mode(ExprRef::new(at.file, expr), depth.checked_sub(1)?);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Equal | Op::Unequal | Op::In | Op::Not | Op::And | Op::Or, parts) => {
                parts.iter().find_map(|&part| next(part))
            }
            ExprKind::Op(..) => None,
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let own = self.expanded(at).envs().into_iter().find(|name| !sounds_secret(name));
                let own = own.or_else(|| self.setting(at).filter(|name| names_mode(name)));
                own.or_else(|| call.args.iter().find_map(|arg| next(arg.value)))
            }
            ExprKind::Member(base, name)
                if names_mode(name)
                    && matches!(facts.expr(*base), ExprKind::Ref(of, _) | ExprKind::Member(_, of)
                        if ["config", "settings", "env"].iter().any(|part| of.to_ascii_lowercase().contains(part))) =>
            {
                Some(*name)
            }
            _ => self.expanded(at).envs().into_iter().find(|name| !sounds_secret(name)),
        }
    }

    /// Whether a condition holds when no variable it asks for is set; none when that cannot be told.
    fn when_unset(&self, at: ExprRef, depth: usize) -> Option<bool> {
        let at = self.behind(at);
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.when_unset(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not, parts) => next(parts[0]).map(|holds| !holds),
            ExprKind::Op(Op::And, parts) => {
                let each: Vec<Option<bool>> = parts.iter().map(|&part| next(part)).collect();
                if each.contains(&Some(false)) {
                    Some(false)
                } else {
                    each.into_iter().all(|p| p == Some(true)).then_some(true)
                }
            }
            ExprKind::Op(Op::Or, parts) => {
                let each: Vec<Option<bool>> = parts.iter().map(|&part| next(part)).collect();
                if each.contains(&Some(true)) {
                    Some(true)
                } else {
                    each.into_iter().all(|p| p == Some(false)).then_some(false)
                }
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let unset = |expr: ExprId| self.default_of(ExprRef::new(at.file, expr));
                let constant = |expr: ExprId| self.program.value(ExprRef::new(at.file, expr)).text();
                let (default, other) = match (unset(parts[0]), unset(parts[1])) {
                    (Some(default), _) => (default, constant(parts[1])?),
                    (None, Some(default)) => (default, constant(parts[0])?),
                    (None, None) => return None,
                };
                Some((default == Some(other)) == (*op == Op::Equal))
            }
            ExprKind::Bool(holds) => Some(*holds),
            _ => self.default_of(at).map(|default| default.is_some_and(|text| !text.is_empty())),
        }
    }

    /// What an environment variable's reading gives when it is unset; none when no variable is read.
    fn default_of(&self, at: ExprRef) -> Option<Option<Name>> {
        let value = self.expanded(at);
        if value.envs().is_empty() || matches!(value, Value::Template(_)) {
            return None;
        }
        Some(value.alternatives().iter().find_map(Value::text))
    }

    /// Whether what the request brings is there when a condition holds, if that is all it asks.
    fn brought(&self, at: ExprRef, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not, parts) => {
                self.brought(ExprRef::new(at.file, parts[0]), depth).map(|brought| !brought)
            }
            ExprKind::Op(..) => None,
            _ => Some(true),
        }
    }

    /// Whether a condition asks what the request brings to prove itself: a header, a signature.
    pub(super) fn asks_request(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.asks_request(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Op(_, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Member(base, name) => {
                let small = name.to_ascii_lowercase();
                small.contains("header") || small.starts_with("http_") || next(*base)
            }
            ExprKind::Ref(name, block) => {
                is_signature_name(name) && !holds_secret(name)
                    || facts
                        .lookup(*block, *name)
                        .is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
            }
            ExprKind::Param(function, index) => {
                let param = facts.function(*function).params.get(*index as usize);
                param.is_some_and(|param| {
                    param.name.is_some_and(|name| is_signature_name(&name) && !holds_secret(&name))
                })
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                matches!(facts.expr(call.callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if *name == "header")
                    || next(call.callee)
            }
            ExprKind::Await(inner) | ExprKind::Index(inner, _) => next(*inner),
            _ => false,
        }
    }

    /// Whether some condition in a file asks if a variable is set.
    pub(super) fn asks_for(&self, file: FileId, name: Name) -> bool {
        let facts = self.program.facts(file);
        // What has a text to fall back to always holds something: to ask for that asks nothing.
        let asks = |condition: ExprId| {
            let at = ExprRef::new(file, condition);
            self.presence(at, 3).is_some_and(|(asked, _)| asked == name) && !self.has_default(at, 3)
        };
        let asked = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, .. } => asks(*condition),
            _ => false,
        });
        asked
            || facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Op(Op::Choose, parts) => asks(parts[0]),
                _ => false,
            })
    }
}

/// Whether a condition asks if things are there, and not what a call makes of them.
fn asks_plainly(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not | Op::And | Op::Or, parts) => parts.iter().all(|&part| asks_plainly(facts, part, depth)),
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_none_or(|def| {
            let made = |value: &ExprId| matches!(facts.expr(*value), ExprKind::Call(_) | ExprKind::Await(_));
            !facts.def(def).values.iter().any(made)
        }),
        ExprKind::Env(_) | ExprKind::Member(..) => true,
        _ => false,
    }
}

/// Whether a setting says in which mode the app runs, or what it leaves out.
fn names_mode(name: &str) -> bool {
    super::words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "env"
                | "environment"
                | "debug"
                | "dev"
                | "development"
                | "production"
                | "prod"
                | "testing"
                | "skip"
                | "bypass"
                | "sandbox"
                | "mode"
        )
    })
}
