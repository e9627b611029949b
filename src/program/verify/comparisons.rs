//! Comparisons that prove who is calling: of a MAC, or of a secret that only the caller knows; and secrets that
//! fall back to a text that anyone can read.

use super::checks::stronger_unknown;
use super::evidence::{holds_secret, is_logging, sounds_secret};
use super::tests::Both;
use super::{Lapse, Standing, Walk, Why};
use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind, Op, Step};
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Value};

/// How far a value is followed back to what it was computed from.
const FARTHEST: usize = 16;

impl Walk<'_> {
    /// What a comparison of two values says: one of a MAC, or of a secret that only the caller knows.
    pub(super) fn comparison_of(
        &mut self,
        function: FunctionRef,
        at: ExprId,
        left: ExprId,
        right: ExprId,
        standing: Standing,
    ) -> Both {
        match self.proves(function, left, right) {
            Some(weak) if !matches!(standing, Standing::Verified(_)) => self.compared_at(function, at, weak),
            _ => (Some(standing), Some(standing)),
        }
    }

    fn compared_at(&mut self, function: FunctionRef, at: ExprId, weak: Option<Name>) -> Both {
        let place = self.at(function, at);
        self.note_check(place);
        let passed = match weak {
            Some(name) => Standing::Open(Lapse { place, check: place, why: Why::Fallback(name), safe_default: false }),
            None => Standing::Verified(place),
        };
        (Some(passed), Some(Standing::Rejected(place)))
    }

    /// What a tested call says that compares what it is given: `safeEqual(expected, signature)`,
    /// `expected.equals(given)`, `tokens.includes(token)`.
    pub(super) fn comparison_by_call(&mut self, at: CallRef, standing: Standing) -> Both {
        let nothing = (Some(standing), Some(standing));
        let program = self.program;
        let facts = program.facts(at.file);
        let shape = facts.call(at.call);
        let function = program.function_of(at);
        let mut sides: Vec<ExprId> = shape.args.iter().map(|arg| arg.value).collect();
        if let ExprKind::Member(base, name) = facts.expr(shape.callee) {
            if is_logging(name) || matches!(name.as_str(), "get" | "update" | "digest") {
                return nothing;
            }
            sides.push(*base);
        }
        sides.retain(|&side| {
            let global =
                matches!(facts.expr(side), ExprKind::Ref(name, block) if facts.lookup(*block, *name).is_none());
            !global && !matches!(facts.expr(side), ExprKind::Object(_) | ExprKind::Function(_) | ExprKind::Text(_))
        });
        let outbound = !program.requests_at(at).is_empty() || !program.vendors_at(at).is_empty();
        if sides.len() < 2 || outbound || program.is_floating(at) {
            return nothing;
        }
        let compares = self.called_name(at).is_some_and(|name| sounds_like_comparison(&name));
        for (index, &left) in sides.iter().enumerate() {
            for &right in &sides[index + 1..] {
                let mac = self.derives_mac(function, left, FARTHEST) || self.derives_mac(function, right, FARTHEST);
                if let (true, Some(weak)) = (mac || compares, self.proves(function, left, right)) {
                    return self.compared_at(function, shape.expr, weak);
                }
            }
        }
        // An address on a list of allowed ones.
        let listed = self.called_name(at).is_some_and(|name| name == "includes" || name == "has")
            && sides.iter().any(|&side| matches!(facts.expr(side), ExprKind::Ref(name, _) if is_address_list(name)));
        if listed { (Some(stronger_unknown(standing, program.call_place(at))), nothing.1) } else { nothing }
    }

    /// Whether to compare two values proves who is calling; with the variable whose fallback anyone can read.
    fn proves(&self, function: FunctionRef, left: ExprId, right: ExprId) -> Option<Option<Name>> {
        let file = function.file;
        for (side, other) in [(left, right), (right, left)] {
            if self.derives_mac(function, side, FARTHEST) && !self.is_constant(function, other) {
                return Some(self.weak_in(ExprRef::new(file, side), FARTHEST));
            }
        }
        for (side, other) in [(left, right), (right, left)] {
            if self.is_constant(function, other) {
                continue;
            }
            let secret = self.expanded(ExprRef::new(file, side));
            // `key !== key.trim()` only looks at the setting.
            if !self.expanded(ExprRef::new(file, other)).envs().is_empty() {
                continue;
            }
            if secret.envs().iter().any(|name| sounds_secret(name)) {
                return Some(self.weak_secret(ExprRef::new(file, side), &secret));
            }
            if self.encodes_secret(ExprRef::new(file, side), 9) {
                return Some(self.weak_in(ExprRef::new(file, side), FARTHEST));
            }
        }
        // A secret that is kept elsewhere: a field of a setting or a row.
        let kept = |expr: ExprId| match self.program.facts(file).expr(expr) {
            ExprKind::Member(_, name) => holds_secret(name),
            ExprKind::Ref(name, _) => holds_secret(name),
            _ => false,
        };
        let constant = self.is_constant(function, left) || self.is_constant(function, right);
        (!constant && (kept(left) || kept(right))).then_some(None)
    }

    /// Whether a value is a secret put into another form: `"Basic " + btoa(user + ":" + password)`.
    fn encodes_secret(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.encodes_secret(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let of_platform = self.program.external(CallRef::new(at.file, *call)).is_some_and(|external| {
                    ["global:", "node:", "py:"].iter().any(|scheme| external.package.starts_with(scheme))
                });
                of_platform && (shape.args.iter().any(|arg| next(arg.value)) || next(shape.callee))
            }
            ExprKind::Ref(name, block) => {
                let defined = facts.lookup(*block, *name).map(|def| facts.def(def));
                defined.is_some_and(|def| def.values.iter().any(|&value| next(value)))
            }
            ExprKind::Member(inner, _) | ExprKind::Await(inner) => next(*inner),
            ExprKind::Template(parts) | ExprKind::Op(Op::Add, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Env(name) => sounds_secret(name),
            _ => false,
        }
    }

    fn is_constant(&self, function: FunctionRef, expr: ExprId) -> bool {
        matches!(
            self.program.value(ExprRef::new(function.file, expr)),
            Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null
        )
    }

    /// Whether a value is computed from a MAC.
    fn derives_mac(&self, function: FunctionRef, expr: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(function.file);
        let next = |expr: ExprId| self.derives_mac(function, expr, depth);
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                let at = CallRef::new(function.file, *call);
                let shape = facts.call(*call);
                self.program.has_role(at, KnownRole::Mac)
                    || self.program.edges(at).iter().any(|edge| self.makes_mac(edge.target, depth))
                    || !matches!(facts.expr(shape.callee), ExprKind::Ref(..)) && next(shape.callee)
                    || shape.args.iter().any(|arg| next(arg.value))
            }
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => facts.def(def).values.iter().any(|&value| next(value)),
                None => false,
            },
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Spread(inner) => next(*inner),
            ExprKind::Index(base, _) => next(*base),
            ExprKind::Template(parts) | ExprKind::List(parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Op(Op::Add | Op::Or | Op::Nullish | Op::Choose | Op::Other, parts) => {
                parts.iter().any(|&part| next(part))
            }
            ExprKind::ElementOf(list) => next(*list),
            _ => false,
        }
    }

    /// Whether a function computes a MAC and gives it back; one that compares it itself gives a verdict instead.
    fn makes_mac(&self, function: FunctionRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(function.file);
        let returns = facts.blocks.iter().filter(|block| block.function == function.function);
        let returned: Vec<ExprId> = returns
            .flat_map(|block| &block.steps)
            .filter_map(|step| if let Step::Return(Some(value)) = step { Some(*value) } else { None })
            .collect();
        returned.iter().any(|&value| {
            !matches!(facts.expr(value), ExprKind::Op(Op::Equal | Op::Unequal | Op::And | Op::Or | Op::Not, _))
                && self.derives_mac(function, value, depth)
        })
    }

    /// The environment variable whose fallback a check's secret can be.
    pub(super) fn fallback_secret(&self, at: CallRef) -> Option<Name> {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let made = match facts.expr(call.callee) {
            ExprKind::Member(base, _) => self.weak_in(ExprRef::new(at.file, *base), 3),
            _ => None,
        };
        made.or_else(|| call.args.iter().find_map(|arg| self.weak_in(ExprRef::new(at.file, arg.value), 6)))
    }

    /// The environment variable beside a constant text that a value is computed from.
    fn weak_in(&self, at: ExprRef, depth: usize) -> Option<Name> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.weak_in(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let value = self.program.value(at);
                self.weak_secret(at, &value)
                    .or_else(|| next(shape.callee))
                    .or_else(|| shape.args.iter().find_map(|arg| next(arg.value)))
            }
            ExprKind::Ref(name, block) => {
                let value = self.expanded(at);
                self.weak_secret(at, &value).or_else(|| {
                    let def = facts.def(facts.lookup(*block, *name)?);
                    def.values.iter().find_map(|&value| next(value))
                })
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) => next(*inner),
            ExprKind::Member(inner, _) => {
                let value = self.expanded(at);
                self.weak_secret(at, &value).or_else(|| next(*inner))
            }
            ExprKind::Template(parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Op(Op::Or | Op::Nullish, _) => {
                let value = self.expanded(at);
                self.weak_secret(at, &value)
            }
            _ => None,
        }
    }

    /// An environment variable beside a constant text: `process.env.X || ""`, unless its absence is asked for.
    fn weak_secret(&self, at: ExprRef, value: &Value) -> Option<Name> {
        let alternatives = value.alternatives();
        let env = alternatives.iter().find_map(|value| if let Value::Env(name) = value { Some(*name) } else { None });
        // The secret of the app's own sessions is another matter.
        let name = env.filter(|name| sounds_secret(name) && !name.contains("JWT") && !name.contains("SESSION"))?;
        let constant = alternatives.iter().any(|value| matches!(value, Value::Text(_)));
        if !constant {
            return None;
        }
        let mut files = vec![at.file];
        files.extend(self.active.iter().map(|(function, _)| function.file));
        files.dedup();
        (!files.into_iter().any(|file| self.asks_for(file, name))).then_some(name)
    }
}

/// Whether a function compares what it is given, by its name.
fn sounds_like_comparison(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "equal",
        "compare",
        "verif",
        "valid",
        "check",
        "match",
        "includes",
        "startswith",
        "endswith",
        "has",
        "authoriz",
        "some",
    ]
    .iter()
    .any(|part| name.contains(part))
}

fn is_address_list(name: &str) -> bool {
    let words = super::words(name);
    words.iter().any(|word| matches!(word.as_str(), "ip" | "ips" | "allowlist" | "whitelist" | "cidr"))
}
