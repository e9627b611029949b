//! What a condition says of the caller when it holds, and when it does not.

use super::comparisons::stronger_unknown;
use super::evidence::{is_fault, is_verdict, says_no};
use super::ways::{Way, is_split, meet, stronger};
use super::{Ends, Lapse, Standing, Walk, Why};
use crate::facts::{BlockId, BlockKind, CallId, DefId, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::FileId;
use crate::program::{CallRef, ExprRef, FunctionRef};

/// How far a variable is followed back to what it was computed from.
const FARTHEST: usize = 10;

/// The standings in which a condition holds and does not; none where it cannot.
pub(super) type Both = (Option<Standing>, Option<Standing>);

/// What a variable holds the result of.
enum Made {
    /// A call; whether it was awaited on the way, whether the variable says what is wrong, and whether it holds no more
    /// than a part of what the call gave.
    Call { at: CallRef, awaited: bool, fault: bool, part: bool },
    /// A condition.
    Test(ExprId),
    /// A check's result, or `true` from the start.
    Preset { at: CallRef, from: ExprId },
}

impl Walk<'_> {
    /// The standings in which a condition holds and does not hold.
    pub(super) fn test(&mut self, function: FunctionRef, condition: ExprId, standing: Standing) -> Both {
        let facts = self.facts(function);
        match facts.expr(condition) {
            ExprKind::Bool(true) => (Some(standing), None),
            ExprKind::Bool(false) => (None, Some(standing)),
            ExprKind::Op(Op::Not, parts) => {
                let (yes, no) = self.test(function, parts[0], standing);
                (no, yes)
            }
            ExprKind::Op(op @ (Op::And | Op::Or), parts) if parts.len() == 2 => {
                self.both_tested(function, *op, parts[0], parts[1], standing)
            }
            ExprKind::Op(Op::Choose, parts) if parts.len() == 3 => {
                let (yes, no) = self.test(function, parts[0], standing);
                let arm = |walk: &mut Self, standing: Option<Standing>, expr: ExprId, holds: bool| {
                    let both = standing.map_or((None, None), |standing| walk.test(function, expr, standing));
                    let reason = Some(walk.reason(function, parts[0], holds));
                    let way = |standing: Option<Standing>| standing.map(|standing| Way { standing, reason });
                    (way(both.0), way(both.1))
                };
                let (a, b) = (arm(self, yes, parts[1], true), arm(self, no, parts[2], false));
                let met = |a, b| meet(a, b).map(|way| way.standing);
                (met(a.0, b.0), met(a.1, b.1))
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let (equal, unequal) = self.compared(function, condition, parts[0], parts[1], standing);
                if *op == Op::Equal { (equal, unequal) } else { (unequal, equal) }
            }
            ExprKind::Op(Op::In, parts) if parts.len() == 2 => {
                let Some(standing) = self.value(function, condition, standing) else { return (None, None) };
                if self.looks_into_store(function, parts[0], parts[1]) {
                    return (Some(standing), Some(standing));
                }
                // `request.remote_addr in VENDORS_ADDRESSES`: the scheme of vendors that sign nothing.
                if self.lists_addresses(function, parts[1]) {
                    let place = self.program.place(ExprRef::new(function.file, condition));
                    return (Some(stronger_unknown(standing, place)), Some(standing));
                }
                self.comparison_of(function, condition, parts[0], parts[1], standing)
            }
            // `result instanceof Response`: an answer instead of a result.
            ExprKind::Op(Op::Instance, parts) => {
                let (yes, no) = self.test(function, parts[0], standing);
                (no, yes)
            }
            ExprKind::Await(inner) => self.test(function, *inner, standing),
            // `Boolean(key && given === key)`
            ExprKind::Call(call) if let Some(asked) = truth_of(facts, *call) => self.test(function, asked, standing),
            ExprKind::Call(call) => {
                let at = CallRef::new(function.file, *call);
                match self.value(function, condition, standing) {
                    Some(after) => self.outcome(at, after, facts.call(*call).awaited),
                    None => (None, None),
                }
            }
            ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Index(..) => {
                let Some(standing) = self.value(function, condition, standing) else { return (None, None) };
                self.asked_of_variable(function, condition, standing)
            }
            ExprKind::Object(entries) => {
                let Some(walked) = self.value(function, condition, standing) else { return (None, None) };
                match entries.iter().find(|(key, _)| is_verdict(*key)) {
                    Some(&(_, verdict)) => self.test(function, verdict, walked),
                    None => (Some(walked), Some(walked)),
                }
            }
            ExprKind::List(items) if !facts.language.is_script() && !items.is_empty() => {
                let first = items[0];
                let Some(walked) = self.value(function, condition, standing) else { return (None, None) };
                self.test(function, first, walked)
            }
            _ => {
                let after = self.value(function, condition, standing);
                (after, after)
            }
        }
    }

    fn both_tested(&mut self, function: FunctionRef, op: Op, left: ExprId, right: ExprId, standing: Standing) -> Both {
        let holds = op == Op::And;
        let first = self.test(function, left, standing);
        let (on, off) = if holds { first } else { (first.1, first.0) };
        let reason = self.reason(function, left, !holds);
        let skips = matches!(reason.why, Why::Unset(_) | Why::Either(_) | Why::Mode(_));
        self.reasons.push(None);
        let second = on.map_or((None, None), |on| self.test(function, right, on));
        self.reasons.pop();
        let (through, stopped) = if holds { second } else { (second.1, second.0) };
        let early = off.map(|standing| Way { standing, reason: Some(reason) });
        // `!secret || !verify(..)`: a failed check beside an unset secret is answered alike.
        let late = stopped.map(Way::plain);
        let met = match (early, late) {
            (
                Some(Way { standing: Standing::Unverified, .. }),
                Some(Way { standing: rejected @ Standing::Rejected(_), .. }),
            ) if !skips => Some(rejected),
            (early, late) => meet(early, late).map(|way| way.standing),
        };
        if holds { (through, met) } else { (met, through) }
    }

    /// `a == b`: the standings in which they are equal and are not.
    fn compared(&mut self, function: FunctionRef, at: ExprId, left: ExprId, right: ExprId, standing: Standing) -> Both {
        let facts = self.facts(function);
        // `verify(..) === true`, `result === null`
        for (side, other) in [(left, right), (right, left)] {
            let truth = match facts.expr(other) {
                ExprKind::Bool(truth) => *truth,
                ExprKind::Null => false,
                _ => continue,
            };
            let (yes, no) = self.test(function, side, standing);
            return if truth { (yes, no) } else { (no, yes) };
        }
        let Some(standing) = self.value(function, left, standing).and_then(|s| self.value(function, right, s)) else {
            return (None, None);
        };
        let both = self.comparison_of(function, at, left, right, standing);
        if both.0 != both.1 {
            return both;
        }
        // `result.status === "SUCCESS"`
        for (side, other) in [(left, right), (right, left)] {
            if matches!(facts.expr(other), ExprKind::Text(_) | ExprKind::Number(_))
                && let Some(Made::Call { at, awaited, .. }) = self.made_by(function, side, FARTHEST)
            {
                // `event.type === "paid"`: the event is only there where the check has passed.
                if self.gives_what_it_verified(at) {
                    return (Some(standing), Some(standing));
                }
                let (yes, no) = self.outcome(at, standing, awaited);
                let refusing = matches!(facts.expr(other), ExprKind::Text(text) if says_no(text));
                return if refusing { (no, yes) } else { (yes, no) };
            }
        }
        (Some(standing), Some(standing))
    }

    /// Whether a call is a library's check that throws, and else gives what it has verified.
    fn gives_what_it_verified(&self, at: CallRef) -> bool {
        let mut kinds = self.program.callee(at).externals().filter_map(|external| self.check_kind_of(external));
        kinds.next().is_some_and(|kind| !kind.boolean)
    }

    fn asked_of_variable(&mut self, function: FunctionRef, condition: ExprId, standing: Standing) -> Both {
        match self.made_by(function, condition, FARTHEST) {
            // `event.data.metadata || {}`: what is in the event is beside the point, it is only there when checked.
            Some(Made::Call { at, part: true, .. }) if self.gives_what_it_verified(at) => {
                (Some(standing), Some(standing))
            }
            Some(Made::Call { at, awaited, fault, .. }) => {
                let (yes, no) = self.outcome(at, standing, awaited);
                if fault { (no, yes) } else { (yes, no) }
            }
            Some(Made::Preset { at, from }) => {
                let (yes, no) = self.outcome(at, standing, true);
                let reason = self.preset_reason(function, from);
                let preset = Some(Way { standing, reason });
                let yes = match (yes, reason) {
                    (Some(Standing::Verified(_)), Some(_)) => meet(yes.map(Way::plain), preset).map(|way| way.standing),
                    (yes, _) => yes,
                };
                (yes, no)
            }
            Some(Made::Test(expr)) if !self.asking.contains(&(function, expr)) => {
                // It was walked where it stands; asking again adds no effects.
                let deeds = self.account.deeds.len();
                self.asking.push((function, expr));
                let tested = self.test(function, expr, standing);
                self.asking.pop();
                self.account.deeds.truncate(deeds);
                tested
            }
            Some(Made::Test(_)) => (Some(standing), Some(standing)),
            None => self.flagged(function, condition, standing),
        }
    }

    /// What the result of a call says: of a boolean check, or of an own function that contains checks.
    pub(super) fn outcome(&mut self, at: CallRef, standing: Standing, awaited: bool) -> Both {
        if matches!(standing, Standing::Verified(_)) {
            // Nothing more is to be learnt of the caller.
            return (Some(standing), Some(standing));
        }
        let place = self.program.call_place(at);
        if let Some(kind) = self.check_kind(at) {
            self.account.pending.retain(|&pending| pending != at);
            if kind.is_async && !awaited && !self.is_passed_on(at) {
                let lapse = Lapse { place, check: place, why: Why::NotAwaited, safe_default: false };
                return (Some(Standing::Open(lapse)), Some(standing));
            }
            if matches!(standing, Standing::Open(lapse) if lapse.check == place) {
                return (Some(standing), Some(Standing::Rejected(place)));
            }
            if !kind.boolean {
                // It throws; with nothing given, that was caught.
                return (Some(Standing::Verified(place)), Some(Standing::Rejected(place)));
            }
            let passed = match self.fallback_secret(at) {
                Some(name) => {
                    Standing::Open(Lapse { place, check: place, why: Why::Fallback(name), safe_default: false })
                }
                None => Standing::Verified(place),
            };
            return (Some(passed), Some(Standing::Rejected(place)));
        }
        if let Some(&ends) = self.gave.get(&at)
            && (is_split(ends) || ends.falsy.is_none())
        {
            self.account.pending.retain(|&pending| pending != at);
            let Ends { truthy, falsy } = ends;
            let yes = truthy.map_or(standing, |truthy| stronger(truthy, standing));
            let no = falsy.map_or(standing, |falsy| stronger(falsy, standing));
            let forgotten = is_split(ends) && !awaited && self.gives_promise(at) && !self.is_passed_on(at);
            if forgotten && let (Standing::Verified(check), _) | (_, Standing::Verified(check)) = (yes, no) {
                let lapse = Lapse { place, check, why: Why::NotAwaited, safe_default: false };
                return (Some(Standing::Open(lapse)), Some(standing));
            }
            if is_split(ends) {
                return (Some(yes), Some(no));
            }
            // It tells nothing else: perhaps what it was handed does.
            let handed = self.comparison_by_call(at, standing);
            return if handed.0 == handed.1 { (Some(yes), Some(no)) } else { handed };
        }
        self.comparison_by_call(at, standing)
    }

    /// What a variable, or a member of it, holds the result of.
    fn made_by(&self, function: FunctionRef, expr: ExprId, depth: usize) -> Option<Made> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(function);
        match facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                let id = facts.lookup(*block, *name)?;
                let def = facts.def(id);
                let made = def.values.iter().find_map(|&value| self.made_by(function, value, depth))?;
                let preset = def.values.iter().find(|&&value| matches!(facts.expr(value), ExprKind::Bool(true)));
                match (made, preset) {
                    (Made::Call { at, .. }, Some(&from)) => Some(Made::Preset { at, from }),
                    (made, _) => Some(made),
                }
            }
            ExprKind::Member(base, name) => match self.made_by(function, *base, depth)? {
                Made::Call { at, awaited, fault, .. } => {
                    Some(Made::Call { at, awaited, fault: fault || is_fault(*name), part: true })
                }
                other => Some(other),
            },
            ExprKind::Index(base, index) => match self.made_by(function, *base, depth)? {
                // `ok, error = check()`: the first says whether.
                Made::Call { at, awaited, part, .. } => {
                    let later = matches!(facts.expr(*index), ExprKind::Number(n) if *n > 0.0);
                    (!later).then_some(Made::Call { at, awaited, fault: false, part })
                }
                other => Some(other),
            },
            ExprKind::Await(base) => match self.made_by(function, *base, depth)? {
                Made::Call { at, fault, part, .. } => Some(Made::Call { at, awaited: true, fault, part }),
                other => Some(other),
            },
            ExprKind::Call(call) if truth_of(facts, *call).is_some() => Some(Made::Test(expr)),
            ExprKind::Call(call) => {
                let at = CallRef::new(function.file, *call);
                Some(Made::Call { at, awaited: facts.call(*call).awaited, fault: false, part: false })
            }
            ExprKind::Op(Op::Equal | Op::Unequal | Op::Not | Op::And | Op::Or | Op::Choose | Op::In, _) => {
                Some(Made::Test(expr))
            }
            _ => None,
        }
    }

    /// Why a variable still is `true` as it was set: the condition on which the check that would change it runs, or
    /// the one on which it was set.
    fn preset_reason(&self, function: FunctionRef, from: ExprId) -> Option<super::Reason> {
        let facts = self.facts(function);
        let (def, block) = binding(facts, |_, value| value == from)?;
        let condition = |block: BlockId| match facts.block(block).kind {
            BlockKind::Then(condition) => Some((condition, true)),
            BlockKind::Else(condition) => Some((condition, false)),
            _ => None,
        };
        if let Some((condition, holds)) = condition(block) {
            return Some(self.reason(function, condition, holds));
        }
        let (_, checked) = binding(facts, |found, value| found == def && value != from)?;
        let (condition, holds) = condition(checked)?;
        Some(self.reason(function, condition, !holds))
    }

    /// Whether the own functions that a call runs give promises.
    fn gives_promise(&self, at: CallRef) -> bool {
        let targets = self.program.edges(at).iter().filter(|edge| edge.kind == super::walk::DIRECT);
        let mut targets = targets.map(|edge| edge.target).peekable();
        targets.peek().is_some()
            && targets.all(|target| self.program.facts(target.file).function(target.function).is_async)
    }

    /// Whether a call's promise is returned or handed on rather than dropped or tested.
    pub(super) fn is_passed_on(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let expr = facts.call(at.call).expr;
        let returned = facts
            .blocks
            .iter()
            .flat_map(|block| &block.steps)
            .any(|step| matches!(step, Step::Return(Some(value)) if *value == expr));
        returned || self.program.chain(at).next().is_some() || self.program.handed_to(at).next().is_some()
    }

    /// Whether anything but a log looks at the result of a call.
    pub(super) fn is_looked_at(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let holds = |value: ExprId| {
            value == call.expr || matches!(facts.expr(value), ExprKind::Await(inner) if *inner == call.expr)
        };
        let Some((def, _)) = binding(facts, |_, value| holds(value)) else { return true };
        self.is_read_on(at.file, def, 4)
    }

    /// Whether anything but a log reads a definition, or one that is made of it: `const body = await answer.json()`.
    fn is_read_on(&self, file: FileId, def: DefId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        let facts = self.program.facts(file);
        let bound = facts.blocks.iter().flat_map(|block| &block.steps).filter_map(|step| match step {
            Step::Bind(other, value) if *other != def && is_made_of(facts, *value, def) => Some(*other),
            _ => None,
        });
        let (mut through, mut read_on) = (0, false);
        for other in bound {
            through += 1;
            read_on |= self.is_read_on(file, other, depth);
        }
        read_on || self.reads(file, def, 0) > through
    }

    /// Whether anything but a log reads a definition from a place on.
    pub(super) fn is_read(&self, file: FileId, def: DefId, from: u32) -> bool {
        self.reads(file, def, from) > 0
    }

    /// How often anything but a log reads a definition from a place on.
    fn reads(&self, file: FileId, def: DefId, from: u32) -> usize {
        let facts = self.program.facts(file);
        let name = facts.def(def).name;
        let logs: Vec<_> = facts
            .calls
            .iter()
            .filter(|call| {
                matches!(facts.expr(call.callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
                    if super::evidence::is_logging(name))
            })
            .map(|call| facts.span(call.expr))
            .collect();
        let reads = facts.exprs.iter().filter(|expr| {
            expr.span.start >= from
                && matches!(expr.kind, ExprKind::Ref(read, block) if read == name && facts.lookup(block, name) == Some(def))
                && !logs.iter().any(|log| log.contains(expr.span))
        });
        reads.count()
    }

    /// The functions that a parameter was handed by the call that runs its function.
    pub(super) fn handed_in(&self, function: FunctionRef, index: u16) -> Vec<FunctionRef> {
        let running = self.active.iter().rev().find(|(active, _)| *active == function);
        let Some(&(_, Some(by))) = running else { return vec![] };
        let args = &self.program.facts(by.file).call(by.call).args;
        let Some(arg) = args.get(index as usize) else { return vec![] };
        self.program.value(ExprRef::new(by.file, arg.value)).functions().collect()
    }

    /// Whether a function is, or is written in, another.
    pub(super) fn is_within(&self, inner: FunctionRef, outer: FunctionRef) -> bool {
        let facts = self.facts(inner);
        let mut at = Some(inner.function);
        while let Some(function) = at.filter(|&function| function != FunctionId::MODULE) {
            if FunctionRef::new(inner.file, function) == outer {
                return true;
            }
            at = facts.function(function).parent;
        }
        false
    }
}

/// What a call asks that only makes a truth of it: `Boolean(x)`.
fn truth_of(facts: &Facts, call: CallId) -> Option<ExprId> {
    let call = facts.call(call);
    match (facts.expr(call.callee), &call.args[..]) {
        (ExprKind::Ref(name, block), [only])
            if matches!(name.as_str(), "Boolean" | "bool") && facts.lookup(*block, *name).is_none() =>
        {
            Some(only.value)
        }
        _ => None,
    }
}

/// Whether a value is a definition, or what a chain of members and calls gets out of it.
fn is_made_of(facts: &Facts, value: ExprId, def: DefId) -> bool {
    match facts.expr(value) {
        ExprKind::Ref(name, block) => facts.lookup(*block, *name) == Some(def),
        ExprKind::Await(inner) | ExprKind::Member(inner, _) => is_made_of(facts, *inner, def),
        ExprKind::Call(call) => is_made_of(facts, facts.call(*call).callee, def),
        _ => false,
    }
}

/// The first step that gives a definition a value of a certain kind, and the block it stands in.
fn binding(facts: &Facts, fits: impl Fn(DefId, ExprId) -> bool) -> Option<(DefId, BlockId)> {
    facts.blocks.iter().enumerate().find_map(|(at, block)| {
        block.steps.iter().find_map(|step| match step {
            Step::Bind(def, value) if fits(*def, *value) => Some((*def, BlockId(at as u32))),
            _ => None,
        })
    })
}
