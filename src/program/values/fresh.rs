//! Values that are new each time they are asked for: random ones, and the time of the call.

use crate::catalogue::{KnownRole, Seg};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::names::Name;
use crate::program::{CallRef, DefRef, ExprRef, External, Program, Value};

/// How far values are followed through what is made of them.
const DEEPEST: usize = 12;

/// What keeps a moment apart from the next one; anything else rounds it: `toDateString`, `slice(0, 10)`.
const WHOLE: &[&str] = &[
    "toISOString",
    "getTime",
    "valueOf",
    "toString",
    "toJSON",
    "isoformat",
    "timestamp",
    "toLocaleString",
    "toUTCString",
    "replace",
    "padStart",
];

/// What makes of its arguments something that differs when they do.
const MADE_OF: &[&str] = &[
    "createHash",
    "createHmac",
    "hashlib.",
    "Math.floor",
    "Math.round",
    "Math.trunc",
    "JSON.stringify",
    "json.dumps",
    "btoa",
    "Buffer.from",
    "Number",
    "parseInt",
    "int",
    "float",
    "round",
    "hex",
    "base64.",
    "hmac.",
];

/// The same of a text that is not constant.
const CUTS: &[&str] = &["slice", "substring", "substr", "padStart", "padEnd", "hexdigest", "digest"];

/// What cuts a part out of a text.
const SLICES: &[&str] = &["slice", "substring", "substr"];

/// What makes a value new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh {
    /// The call that gives another value each time.
    pub made: CallRef,
    /// It is the time rather than a random value.
    pub is_time: bool,
}

impl Program {
    /// What makes a value new each time it is asked for; none when it stays the same, or that cannot be told. Of
    /// several values (`given ?? randomUUID()`) all must be new.
    pub fn fresh(&self, value: &Value) -> Option<Fresh> {
        self.fresh_to(value, DEEPEST)
    }

    fn fresh_to(&self, value: &Value, depth: usize) -> Option<Fresh> {
        let depth = depth.checked_sub(1)?;
        match value {
            Value::OneOf(parts) => {
                let each: Option<Vec<Fresh>> = parts.iter().map(|part| self.fresh_to(part, depth)).collect();
                each?.first().copied()
            }
            Value::Template(parts) => parts.iter().find_map(|part| self.fresh_to(part, depth)),
            Value::External(external) => self.fresh_external(external, depth),
            Value::Result(at) => {
                let facts = self.facts(at.file);
                let ExprKind::Member(base, method) = *facts.expr(facts.call(at.call).callee) else { return None };
                let cut = CUTS.contains(&method.as_str());
                cut.then(|| self.fresh_expr(ExprRef::new(at.file, base), depth)).flatten()
            }
            _ => None,
        }
    }

    fn fresh_external(&self, external: &External, depth: usize) -> Option<Fresh> {
        let calls = external.segs.iter().enumerate().filter(|(_, seg)| !matches!(seg, Seg::Member(_)));
        let calls: Vec<(usize, CallRef)> = calls.map(|(at, _)| at).zip(external.sites.iter().copied()).collect();
        for &(at, site) in &calls {
            let call = self.facts(site.file).call(site.call);
            let role = self.catalogue.known(external.package, &external.segs[..at]).map(|known| known.role);
            match role {
                Some(KnownRole::Random) => return Some(Fresh { made: site, is_time: false }),
                Some(KnownRole::Clock) if !call.is_new || call.args.is_empty() => {
                    let cuts_front = |part: usize| {
                        let slice = calls.iter().find(|(called, _)| *called == part + 1);
                        slice.is_some_and(|&(_, slice)| self.keeps_end(slice))
                    };
                    let mut after = external.segs.iter().enumerate().skip(at + 1);
                    let whole = |(part, seg): (usize, &Seg)| match seg {
                        Seg::Member(name) if SLICES.contains(&name.as_str()) => cuts_front(part),
                        Seg::Member(name) => WHOLE.contains(&name.as_str()),
                        Seg::Call | Seg::New => true,
                    };
                    return after.all(whole).then_some(Fresh { made: site, is_time: true });
                }
                Some(KnownRole::Clock) => return None,
                _ => {}
            }
        }
        let dotted = external.dotted();
        let made_of = MADE_OF.iter().any(|form| match form.strip_suffix('.') {
            Some(_) => dotted.starts_with(form),
            None => dotted == *form || dotted.starts_with(&format!("{form}.")) || dotted.contains(&format!(".{form}")),
        });
        let mut args = external.sites.iter().filter(|_| made_of).flat_map(|site| {
            let args = &self.facts(site.file).call(site.call).args;
            args.iter().map(|arg| ExprRef::new(site.file, arg.value))
        });
        args.find_map(|arg| self.fresh_expr(arg, depth))
    }

    /// Whether what a call cuts out of a text reaches to its end, where a time changes soonest: `slice(-6)`.
    fn keeps_end(&self, slice: CallRef) -> bool {
        let args = &self.facts(slice.file).call(slice.call).args;
        matches!(&args[..], [from]
            if matches!(self.value(ExprRef::new(slice.file, from.value)), Value::Number(from) if from < 0.0))
    }

    fn fresh_expr(&self, at: ExprRef, depth: usize) -> Option<Fresh> {
        let depth = depth.checked_sub(1)?;
        if let Some(fresh) = self.fresh_to(&self.value(at), depth) {
            return Some(fresh);
        }
        let part = |expr: ExprId| ExprRef::new(at.file, expr);
        match self.facts(at.file).expr(at.expr) {
            // `Date.now() / 3_600_000` is the same for an hour; seconds are as good as fresh. Python's clock counts
            // seconds: `time.time() // 300`, but `time.time() * 1000`.
            ExprKind::Op(Op::Arithmetic | Op::Add, parts) => {
                let fresh = parts.iter().find_map(|&operand| self.fresh_expr(part(operand), depth))?;
                let in_seconds = !self.facts(at.file).language.is_script();
                let is_window = |by: f64| match in_seconds {
                    true => by >= 10.0 && by.log10().fract() != 0.0,
                    false => by > 1000.0,
                };
                let coarse = |&operand: &ExprId| match self.value(part(operand)) {
                    Value::Number(by) => is_window(by.abs()),
                    value => self.fresh(&value).is_none(),
                };
                (!fresh.is_time || !parts.iter().any(coarse)).then_some(fresh)
            }
            ExprKind::List(items) => items.iter().find_map(|&item| self.fresh_expr(part(item), depth)),
            ExprKind::Object(entries) => entries.iter().find_map(|&(_, value)| self.fresh_expr(part(value), depth)),
            _ => None,
        }
    }

    /// Whether what holds a value is handed to something else before a call in the same function: stored, so that
    /// the next attempt can find it. `is_idle` tells calls that keep nothing.
    pub fn is_kept_before(&self, value: &Value, at: CallRef, is_idle: impl Fn(CallRef) -> bool) -> bool {
        let function = self.function_of(at);
        let facts = self.facts(at.file);
        let until = facts.span(facts.call(at.call).expr).start;
        let holds = |name: Name, block: BlockId| {
            let def = facts.lookup(block, name);
            def.is_some_and(|def| {
                let held = crate::link::eval::Eval::new(self).def(DefRef::new(at.file, def));
                held == *value || held.any(|part| part == value) || value.any(|part| *part == held)
            })
        };
        let before = self
            .calls_in(function)
            .filter(|&other| other != at && facts.span(facts.call(other.call).expr).start < until && !is_idle(other));
        let mut handed = before.flat_map(|other| facts.call(other.call).args.iter().map(|arg| arg.value));
        if handed.any(|arg| mentions(facts, arg, 5, &holds)) {
            return true;
        }
        // `order.payment_key = key`
        facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| &block.steps).any(
            |step| match step {
                Step::Assign(target, value) => {
                    facts.span(*target).start < until
                        && !is_header(facts, *target)
                        && mentions(facts, *value, 1, &holds)
                }
                _ => false,
            },
        )
    }

    /// Whether a call stands in code that runs once, when its module is loaded.
    pub fn runs_at_load(&self, at: CallRef) -> bool {
        self.function_of(at).function == FunctionId::MODULE
    }
}

/// `headers["Idempotency-Key"] = key` is the call's own.
fn is_header(facts: &Facts, target: ExprId) -> bool {
    match facts.expr(target) {
        ExprKind::Member(_, name) => name.contains('-') || name.to_ascii_lowercase().contains("idempot"),
        _ => true,
    }
}

/// Whether a name of which `holds` is true stands in what an expression is made of.
fn mentions(facts: &Facts, at: ExprId, depth: usize, holds: &dyn Fn(Name, BlockId) -> bool) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |&part: &ExprId| mentions(facts, part, depth, holds);
    match facts.expr(at) {
        ExprKind::Ref(name, block) => holds(*name, *block),
        ExprKind::Object(entries) => entries.iter().any(|(_, value)| next(value)),
        ExprKind::List(parts) | ExprKind::Op(_, parts) | ExprKind::Template(parts) => parts.iter().any(next),
        ExprKind::Await(inner) | ExprKind::Spread(inner) => next(inner),
        _ => false,
    }
}
