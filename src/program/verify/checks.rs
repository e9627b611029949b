//! What counts as a check of the caller, and what a condition says of it.

use super::{Ends, Lapse, Standing, Walk, Why, is_verdict};
use crate::catalogue::{Effect, KnownRole};
use crate::facts::{ExprId, ExprKind, Op};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Value};

/// How far a value is followed back to what it was computed from.
const FARTHEST: usize = 10;

impl Walk<'_> {
    /// The standing after a call that is a check by itself; none when it is no such call, or one that tells by its result.
    pub(super) fn verifier(&mut self, at: CallRef, standing: Standing) -> Option<Standing> {
        let program = self.program;
        let place = program.call_place(at);
        let shape = program.facts(at.file).call(at.call);
        if let Some(kind) = self.check_kind(at) {
            self.account.checks.push(place);
            if kind.is_async && !shape.awaited && !self.is_passed_on(at) {
                return Some(Standing::Open(Lapse { place, check: place, why: Why::NotAwaited }));
            }
            if let Some(name) = self.fallback_secret(at) {
                return Some(Standing::Open(Lapse { place, check: place, why: Why::Fallback(name) }));
            }
            if !kind.boolean {
                return Some(Standing::Verified(place));
            }
            if shape.dropped {
                return Some(Standing::Open(Lapse { place, check: place, why: Why::Ignored }));
            }
            return Some(standing);
        }
        // To fetch the object from the vendor by its id proves what the delivery says.
        let fetches = program.vendors_at(at).iter().any(|used| {
            let own = program.catalogue.vendor(used.vendor).own_backend;
            !own && program
                .operation(used)
                .is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::Verify))
        });
        if fetches {
            self.account.checks.push(place);
            return Some(Standing::Verified(place));
        }
        // Something that by its name may check, in code that could not be followed.
        let callee = program.callee(at);
        let unresolved = matches!(callee, Value::Unknown | Value::Result(_) | Value::Param(..) | Value::Member(..));
        if unresolved && self.called_name(at).is_some_and(|name| sounds_like_check(&name)) {
            return Some(match standing {
                Standing::Verified(_) => standing,
                _ => Standing::Unknown(place),
            });
        }
        None
    }

    fn called_name(&self, at: CallRef) -> Option<Name> {
        let facts = self.program.facts(at.file);
        match facts.expr(facts.call(at.call).callee) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(*name),
            _ => None,
        }
    }

    /// Whether a call's promise is returned or handed on rather than dropped or tested.
    fn is_passed_on(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let expr = facts.call(at.call).expr;
        let returned = facts
            .blocks
            .iter()
            .flat_map(|block| &block.steps)
            .any(|step| matches!(step, crate::facts::Step::Return(Some(value)) if *value == expr));
        returned || self.program.chain(at).next().is_some() || self.program.handed_to(at).next().is_some()
    }

    fn check_kind(&self, at: CallRef) -> Option<CheckKind> {
        let program = self.program;
        for external in program.callee(at).externals() {
            if let Some(found) = program.catalogue.verifier(external.package, &external.segs) {
                return Some(CheckKind { is_async: found.is_async, boolean: found.boolean });
            }
            if let Some(known) = program.catalogue.known(external.package, &external.segs)
                && matches!(known.role, KnownRole::Verify | KnownRole::Compare | KnownRole::Authenticate)
            {
                let boolean = known.boolean || known.role == KnownRole::Compare;
                return Some(CheckKind { is_async: known.is_async, boolean });
            }
        }
        None
    }

    /// The environment variable whose fallback a check's secret can be.
    fn fallback_secret(&self, at: CallRef) -> Option<Name> {
        let program = self.program;
        let facts = program.facts(at.file);
        facts.call(at.call).args.iter().find_map(|arg| {
            let value = program.value(ExprRef::new(at.file, arg.value));
            self.weak_secret(&value)
        })
    }

    /// An environment variable beside a constant text: `process.env.X || ""`, unless its absence is asked for.
    fn weak_secret(&self, value: &Value) -> Option<Name> {
        let names = value
            .alternatives()
            .iter()
            .find_map(|value| if let Value::Env(name) = value { Some(*name) } else { None })?;
        let constant = value.alternatives().iter().any(|value| matches!(value, Value::Text(_)));
        (constant && !self.asks_for(names)).then_some(names)
    }

    /// Whether a condition on the way asks if a variable is set.
    fn asks_for(&self, name: Name) -> bool {
        let functions = self.active.iter().copied();
        functions.into_iter().any(|function| {
            let facts = self.program.facts(function.file);
            facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
                crate::facts::Step::If { condition, .. } => {
                    self.presence(function, *condition, 3).is_some_and(|asked| asked == name)
                }
                _ => false,
            })
        })
    }

    /// The standings in which a condition holds and does not hold.
    pub(super) fn test(
        &mut self,
        function: FunctionRef,
        condition: ExprId,
        standing: Standing,
    ) -> (Standing, Standing) {
        let program = self.program;
        let facts = program.facts(function.file);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => {
                let (yes, no) = self.test(function, parts[0], standing);
                (no, yes)
            }
            ExprKind::Op(Op::And, parts) if parts.len() == 2 => {
                let (first, not_first) = self.test(function, parts[0], standing);
                let (both, not_second) = self.test(function, parts[1], first);
                (both, weaker(not_first, not_second))
            }
            ExprKind::Op(Op::Or, parts) if parts.len() == 2 => {
                let (first, not_first) = self.test(function, parts[0], standing);
                let (second, neither) = self.test(function, parts[1], not_first);
                (weaker(first, second), neither)
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                // `verify(..) === true`, `result === null`
                for (side, other) in [(parts[0], parts[1]), (parts[1], parts[0])] {
                    let truth = match facts.expr(other) {
                        ExprKind::Bool(truth) => *truth,
                        ExprKind::Null => false,
                        _ => continue,
                    };
                    let (yes, no) = self.test(function, side, standing);
                    return if truth == (*op == Op::Equal) { (yes, no) } else { (no, yes) };
                }
                let standing = self.value(function, parts[0], standing);
                let standing = self.value(function, parts[1], standing);
                let Some(check) = self.comparison(function, condition, parts[0], parts[1]) else {
                    return (standing, standing);
                };
                self.account.checks.push(check.place());
                let failed = Standing::Rejected(check.place());
                if *op == Op::Equal { (check.standing(), failed) } else { (failed, check.standing()) }
            }
            ExprKind::Await(inner) => self.test(function, *inner, standing),
            ExprKind::Call(call) => {
                let at = CallRef::new(function.file, *call);
                let before = self.account.checks.len();
                let after = self.value(function, condition, standing);
                self.outcome(at, after, self.account.checks.len() > before)
            }
            ExprKind::Ref(..) | ExprKind::Member(..) => match self.made_by(function, condition, FARTHEST) {
                Some(Made::Call(at)) => self.outcome(at, standing, true),
                Some(Made::Test(of, expr)) if of == function || expr != condition => {
                    let checks = self.account.checks.len();
                    let effects = self.account.effects.len();
                    let tested = self.test(of, expr, standing);
                    // It was walked where it stands; asking again adds nothing.
                    self.account.checks.truncate(checks.max(1).min(self.account.checks.len()));
                    self.account.effects.truncate(effects);
                    tested
                }
                _ => (standing, standing),
            },
            ExprKind::Object(entries) => {
                let walked = self.value(function, condition, standing);
                match entries.iter().find(|(key, _)| is_verdict(*key)) {
                    Some(&(_, verdict)) => self.test(function, verdict, walked),
                    None => (walked, walked),
                }
            }
            _ => {
                let after = self.value(function, condition, standing);
                (after, after)
            }
        }
    }

    /// What the result of a call says: of a boolean check, or of an own function that contains checks.
    fn outcome(&mut self, at: CallRef, standing: Standing, walked: bool) -> (Standing, Standing) {
        let place = self.program.call_place(at);
        if let Some(kind) = self.check_kind(at) {
            if matches!(standing, Standing::Open(lapse) if lapse.check == place) || (!kind.boolean && walked) {
                return (standing, Standing::Rejected(place));
            }
            return (Standing::Verified(place), Standing::Rejected(place));
        }
        match self.gave.get(&at) {
            Some(&Ends { truthy, falsy }) => {
                let yes = stronger(truthy.unwrap_or(standing), standing);
                let no = falsy.map_or(standing, |falsy| stronger(falsy, standing));
                (yes, no)
            }
            None => (standing, standing),
        }
    }

    /// A comparison that proves who is calling: of a MAC, or of a secret that only the caller knows.
    fn comparison(&self, function: FunctionRef, at: ExprId, left: ExprId, right: ExprId) -> Option<Comparison> {
        let place = self.program.place(ExprRef::new(function.file, at));
        if self.derives_mac(function, left, FARTHEST) || self.derives_mac(function, right, FARTHEST) {
            return Some(Comparison { place, weak: None });
        }
        let (left, right) = (self.expr_value(function, left), self.expr_value(function, right));
        for (secret, given) in [(&left, &right), (&right, &left)] {
            let envs: Vec<Name> = secret.envs().into_iter().filter(|name| sounds_secret(name)).collect();
            let dynamic =
                !matches!(given, Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null | Value::Env(_));
            if let (Some(&name), true) = (envs.first(), dynamic) {
                let weak = self.weak_secret(secret).map(|_| name);
                return Some(Comparison { place, weak });
            }
        }
        None
    }

    /// Whether a value is computed from a MAC.
    fn derives_mac(&self, function: FunctionRef, expr: ExprId, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let facts = self.program.facts(function.file);
        let next = |expr: ExprId| self.derives_mac(function, expr, depth - 1);
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                let at = CallRef::new(function.file, *call);
                let shape = facts.call(*call);
                self.program.has_role(at, KnownRole::Mac)
                    || self.program.edges(at).iter().any(|edge| self.makes_mac(edge.target, depth - 1))
                    || !matches!(facts.expr(shape.callee), ExprKind::Ref(..)) && next(shape.callee)
                    || shape.args.iter().any(|arg| next(arg.value))
            }
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => facts.def(def).values.iter().any(|&value| next(value)),
                None => false,
            },
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Spread(inner) => next(*inner),
            ExprKind::Index(base, _) => next(*base),
            ExprKind::Template(parts) | ExprKind::Op(_, parts) | ExprKind::List(parts) => {
                parts.iter().any(|&part| next(part))
            }
            _ => false,
        }
    }

    fn makes_mac(&self, function: FunctionRef, depth: usize) -> bool {
        depth > 0
            && self.program.calls_in(function).any(|call| {
                self.program.has_role(call, KnownRole::Mac)
                    || self.program.edges(call).iter().any(|edge| self.makes_mac(edge.target, depth / 2))
            })
    }

    /// The check that a variable or a member of it holds the result of.
    fn made_by(&self, function: FunctionRef, expr: ExprId, depth: usize) -> Option<Made> {
        if depth == 0 {
            return None;
        }
        let facts = self.program.facts(function.file);
        match facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                let def = facts.def(facts.lookup(*block, *name)?);
                def.values.iter().find_map(|&value| self.made_by(function, value, depth - 1))
            }
            ExprKind::Member(base, _) | ExprKind::Await(base) => self.made_by(function, *base, depth - 1),
            ExprKind::Call(call) => Some(Made::Call(CallRef::new(function.file, *call))),
            ExprKind::Op(Op::Equal | Op::Unequal | Op::Not | Op::And | Op::Or, _) => Some(Made::Test(function, expr)),
            _ => None,
        }
    }

    /// What a condition on which a check is skipped is about.
    pub(super) fn why(&self, function: FunctionRef, condition: ExprId) -> (Place, Why) {
        let place = self.program.place(ExprRef::new(function.file, condition));
        let mode = self.mode(function, condition, 4);
        let why = match (mode, self.presence(function, condition, 4)) {
            (Some(name), _) => Why::Mode(Some(name)),
            (None, Some(name)) => Why::Unset(name),
            (None, None) if self.asks_request(function, condition, 5) => Why::Request,
            _ => Why::Condition,
        };
        (place, why)
    }

    /// The variable that a condition compares with a mode: `NODE_ENV === "production"`, a flag compared with a text.
    fn mode(&self, function: FunctionRef, condition: ExprId, depth: usize) -> Option<Name> {
        let facts = self.program.facts(function.file);
        let ExprKind::Op(op, parts) = facts.expr(condition) else {
            let value = self.expr_value(function, condition);
            return value.envs().into_iter().find(|name| !sounds_secret(name)).filter(|_| depth > 0);
        };
        match op {
            Op::Equal | Op::Unequal | Op::In => {
                let value = self.expr_value(function, parts[0]);
                value.envs().into_iter().find(|name| !sounds_secret(name))
            }
            Op::Not | Op::And | Op::Or if depth > 0 => {
                parts.iter().find_map(|&part| self.mode(function, part, depth - 1))
            }
            _ => None,
        }
    }

    /// The secret's variable that a condition asks to be set: `if (secret)`, `if (!process.env.X)`.
    pub(super) fn presence(&self, function: FunctionRef, condition: ExprId, depth: usize) -> Option<Name> {
        let facts = self.program.facts(function.file);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not | Op::And | Op::Or | Op::Equal | Op::Unequal | Op::TypeOf | Op::Choose, parts)
                if depth > 0 =>
            {
                parts.iter().find_map(|&part| self.presence(function, part, depth - 1))
            }
            ExprKind::Env(_) | ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Call(_) => {
                let value = self.expr_value(function, condition);
                value.envs().into_iter().find(|name| sounds_secret(name))
            }
            _ => None,
        }
    }

    fn asks_request(&self, function: FunctionRef, condition: ExprId, depth: usize) -> bool {
        let facts = self.program.facts(function.file);
        let next = |expr: ExprId| depth > 0 && self.asks_request(function, expr, depth - 1);
        match facts.expr(condition) {
            ExprKind::Op(_, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Member(base, name) => name.to_ascii_lowercase().contains("header") || next(*base),
            ExprKind::Ref(name, block) => {
                let signature = name.to_ascii_lowercase();
                signature.contains("sig")
                    || facts
                        .lookup(*block, *name)
                        .is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
            }
            ExprKind::Call(call) => next(facts.call(*call).callee),
            ExprKind::Await(inner) | ExprKind::Index(inner, _) => next(*inner),
            _ => false,
        }
    }
}

struct CheckKind {
    is_async: bool,
    boolean: bool,
}

enum Made {
    Call(CallRef),
    Test(FunctionRef, ExprId),
}

struct Comparison {
    place: Place,
    weak: Option<Name>,
}

impl Comparison {
    fn place(&self) -> Place {
        self.place
    }

    fn standing(&self) -> Standing {
        match self.weak {
            Some(name) => Standing::Open(Lapse { place: self.place, check: self.place, why: Why::Fallback(name) }),
            None => Standing::Verified(self.place),
        }
    }
}

/// Of two standings that both may hold, the one that promises less.
fn weaker(a: Standing, b: Standing) -> Standing {
    let rank = |standing: &Standing| match standing {
        Standing::Unverified => 0,
        Standing::Rejected(_) => 1,
        Standing::Open(_) => 2,
        Standing::Unknown(_) => 3,
        Standing::Verified(_) => 4,
    };
    if rank(&a) <= rank(&b) { a } else { b }
}

/// Of two standings that both hold, the one that says more.
fn stronger(new: Standing, old: Standing) -> Standing {
    match (new, old) {
        (Standing::Unverified, old) => old,
        (new, _) => new,
    }
}

fn sounds_like_check(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["verif", "valid", "signature", "authentic", "authoriz", "hmac", "checksig"].iter().any(|part| name.contains(part))
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "KEY", "PASSWORD", "SIGNATURE", "SIGNING", "HMAC", "AUTH", "HASH"]
        .iter()
        .any(|part| name.contains(part))
}
