//! Calls that say how many they give at most: queries with a limit, pages of a vendor's list, one record.

use super::sizes::MANY;
use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Op};
use crate::program::{CallRef, ExprRef, Program, Value};

/// A function of the database that is told how many rows to give gives a part of them, which somebody has chosen.
const A_PART: f64 = 500.0;

/// Names of options that say how many there are at most.
const CAPS: &[&str] = &[
    "take",
    "limit",
    "first",
    "pageSize",
    "page_size",
    "per_page",
    "perPage",
    "batch_size",
    "batchSize",
    "max_rows",
    "maxRows",
    "max_results",
    "maxResults",
    "top",
];

/// Methods that say how many rows a query gives at most.
const LIMITS: &[&str] = &["limit", "take", "first", "single", "maybeSingle", "one", "one_or_none"];

impl Program {
    /// Whether a call says how many it gives at most: a query with a limit, a page of a vendor's list, one record.
    pub(super) fn is_limited(&self, call: CallRef) -> bool {
        let one = self.vendors_at(call).iter().filter(|used| !self.catalogue.vendor(used.vendor).own_backend);
        let effects = one.filter_map(|used| self.operation(used)).map(|operation| operation.effect);
        for effect in effects {
            match effect {
                Effect::List => return true,
                Effect::Generate | Effect::Read | Effect::Create | Effect::Update => return true,
                _ => {}
            }
        }
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let few = |expr: ExprId| match self.value(ExprRef::new(call.file, expr)) {
            Value::Text(text) => says_limit(&text),
            // `limit = 10`, a parameter's default, counts for callers that hand in nothing or what cannot be seen.
            value => {
                let numbers = || {
                    value.alternatives().iter().filter_map(|one| match one {
                        Value::Number(number) => Some(*number),
                        _ => None,
                    })
                };
                numbers().next().is_some() && numbers().all(|number| number <= MANY)
            }
        };
        let mut callee = Some(shape.callee);
        let mut args = &shape.args;
        // The whole chain: `db.from(..).select().limit(10)`.
        for _ in 0..12 {
            let Some(ExprKind::Member(base, name)) = callee.map(|callee| facts.expr(callee)) else { break };
            if LIMITS.contains(&name.as_str())
                && args
                    .first()
                    .is_none_or(|arg| few(arg.value) || self.is_least_of(ExprRef::new(call.file, arg.value), MANY, 3))
            {
                return true;
            }
            // `.range(from, from + 49)`: one page.
            if *name == "range"
                && let [from, to] = &args[..]
                && self.is_short_range(ExprRef::new(call.file, from.value), ExprRef::new(call.file, to.value))
            {
                return true;
            }
            match facts.expr(*base) {
                ExprKind::Call(inner) => {
                    let inner = facts.call(*inner);
                    (callee, args) = (Some(inner.callee), &inner.args);
                }
                _ => break,
            }
        }
        // `search().list(part="snippet", maxResults=5).execute()`
        let named = |call: &crate::facts::Call| {
            call.args.iter().any(|arg| arg.name.is_some_and(|name| CAPS.contains(&name.as_str())) && few(arg.value))
        };
        let mut on_chain = Some(call.call);
        for _ in 0..12 {
            let Some(at) = on_chain else { break };
            if named(facts.call(at)) {
                return true;
            }
            on_chain = match facts.expr(facts.call(at).callee) {
                ExprKind::Member(base, _) => match facts.expr(*base) {
                    ExprKind::Call(inner) => Some(*inner),
                    _ => None,
                },
                _ => None,
            };
        }
        shape.args.iter().any(|arg| match facts.expr(arg.value) {
            // `findMany({ take: 10 })`
            ExprKind::Object(entries) => entries.iter().any(|(key, value)| {
                // `rpc("claim_due", { p_limit: limit })`
                let own = key.strip_prefix("p_");
                let most = if own.is_some() { A_PART } else { MANY };
                CAPS.contains(&own.unwrap_or(key))
                    && (few(*value) || self.is_least_of(ExprRef::new(call.file, *value), most, 3))
            }),
            ExprKind::Text(text) => says_limit(text),
            ExprKind::Template(parts) => parts.iter().any(|&part| match facts.expr(part) {
                ExprKind::Text(text) => says_limit(text),
                _ => false,
            }),
            _ => false,
        })
    }

    /// `Math.min(MAX_BATCH, wanted)`, also under a name.
    fn is_least_of(&self, at: ExprRef, most: f64, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        match *facts.expr(at.expr) {
            ExprKind::Ref(name, block) => facts.lookup(block, name).is_some_and(|def| {
                let values = &facts.def(def).values;
                values.len() == 1
                    && values.iter().all(|&value| self.is_least_of(ExprRef::new(at.file, value), most, depth))
            }),
            ExprKind::Call(call) => {
                let call = facts.call(call);
                facts.last_name(call.callee).is_some_and(|name| name == "min")
                    && call.args.iter().any(|arg| {
                        matches!(self.value(ExprRef::new(at.file, arg.value)), Value::Number(number) if number <= most)
                    })
            }
            _ => false,
        }
    }

    /// Whether a number has a bound: `7`, `min(asked, 14)`, `max(1, min(asked, 14))`.
    pub(super) fn is_at_most(&self, at: ExprRef, most: f64, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if self.is_least_of(at, most, depth) || self.numbers_at_most(at, most) {
            return true;
        }
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_at_most(ExprRef::new(at.file, expr), most, depth);
        match *facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                facts.lookup(block, name).is_some_and(|def| matches!(facts.def(def).values[..], [only] if next(only)))
            }
            ExprKind::Call(call) => {
                let call = facts.call(call);
                facts.last_name(call.callee).is_some_and(|name| matches!(name.as_str(), "max" | "int" | "round"))
                    && !call.args.is_empty()
                    && call.args.iter().all(|arg| next(arg.value))
            }
            _ => false,
        }
    }

    /// Whether what a value can be, as far as it is seen, are numbers up to some number.
    fn numbers_at_most(&self, at: ExprRef, most: f64) -> bool {
        let value = self.value(at);
        let mut numbers = value.alternatives().iter().filter_map(|one| match one {
            Value::Number(number) => Some(*number),
            _ => None,
        });
        // A parameter's default counts for callers that hand in what cannot be seen.
        numbers.next().is_some_and(|first| first <= most && numbers.all(|number| number <= most))
    }

    /// `range(start, start + 7)`
    pub(super) fn is_few_on(&self, from: ExprRef, to: ExprRef) -> bool {
        let facts = self.facts(from.file);
        let ExprKind::Op(Op::Add, parts) = facts.expr(to.expr) else { return false };
        let ExprKind::Ref(start, _) = facts.expr(from.expr) else { return false };
        match parts[..] {
            [first, more] => {
                matches!(facts.expr(first), ExprKind::Ref(name, _) if name == start)
                    && self.is_at_most(ExprRef::new(from.file, more), MANY, 4)
            }
            _ => false,
        }
    }

    /// Whether a range of rows is no longer than what counts as few, or as long as whoever asks for a page says.
    fn is_short_range(&self, from: ExprRef, to: ExprRef) -> bool {
        match (self.value(from), self.value(to)) {
            (Value::Number(from), Value::Number(to)) => to - from < MANY,
            (_, Value::Number(_)) => false,
            _ => true,
        }
    }

    /// `query = select(Row).limit(50)`, to which more is said later: `query = query.where(..)`.
    pub(super) fn is_limited_query(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let limited = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Call(call) => self.is_limited(CallRef::new(at.file, call)),
            _ => false,
        };
        match *facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                facts.lookup(block, name).is_some_and(|def| facts.def(def).values.iter().any(|&value| limited(value)))
            }
            _ => limited(at.expr),
        }
    }
}

/// `... limit 50`, `?limit=10`.
fn says_limit(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("limit") {
        rest = &rest[at + 5..];
        let digits: String =
            rest.trim_start_matches([' ', '=', '\n', '\t']).chars().take_while(char::is_ascii_digit).collect();
        if digits.parse::<f64>().is_ok_and(|count| count <= MANY) {
            return true;
        }
    }
    false
}
