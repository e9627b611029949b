//! The walk itself: steps in order, arms apart and together again, own functions entered.

use super::evidence::{Truth, refuses, truth};
use super::ways::{Exit, Flow, Reason, Way, ends, kind_of, meet};
use super::{Ends, Standing, Walk, Why};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Op, Step};
use crate::finding::Place;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef};

/// How deep own functions are entered.
const DEEPEST: usize = 9;

/// The edge of a plain call.
pub(super) const DIRECT: EdgeKind = EdgeKind::Direct;

impl Walk<'_> {
    /// Walks a function that `by` runs.
    pub(super) fn function(&mut self, function: FunctionRef, standing: Standing, by: Option<CallRef>) -> Ends {
        let key = (function, kind_of(standing));
        if let Some(ends) = self.known.get(&key) {
            return *ends;
        }
        if self.active.iter().any(|(active, _)| *active == function) || self.active.len() >= DEEPEST {
            return Ends { truthy: Some(standing), falsy: None };
        }
        self.active.push((function, by));
        self.visited.insert(function);
        let body = self.facts(function).function(function.function).body;
        let flow = self.block(function, body, Way::plain(standing));
        self.active.pop();
        let ends = ends(&flow.exits, flow.after);
        if !self.by_argument.contains(&function) {
            self.known.insert(key, ends);
        }
        ends
    }

    pub(super) fn block(&mut self, function: FunctionRef, block: BlockId, way: Way) -> Flow {
        let facts = self.facts(function);
        let mut flow = Flow { after: Some(way), ..Flow::default() };
        for step in &facts.block(block).steps {
            let Some(way) = flow.after else { break };
            let standing = way.standing;
            // A reason lasts while nothing new is learnt.
            let keep =
                |after: Option<Standing>| after.map(|after| if after == standing { way } else { Way::plain(after) });
            match step {
                Step::Eval(value) | Step::Bind(_, value) => {
                    flow.after = keep(self.value(function, *value, standing));
                }
                Step::Assign(target, value) => {
                    let after = self.value(function, *target, standing);
                    flow.after = keep(after.and_then(|after| self.value(function, *value, after)));
                }
                Step::Return(value) => self.returns(function, *value, way, &mut flow),
                Step::Throw(value) => {
                    if let Some(value) = value {
                        self.value(function, *value, standing);
                    }
                    flow.after = None;
                }
                Step::Jump | Step::Break => {
                    flow.jumped = meet(flow.jumped, Some(way));
                    flow.after = None;
                }
                Step::If { condition, then, otherwise } => {
                    let arms = self.decision(function, *condition, *then, *otherwise, standing);
                    self.merge(&mut flow, arms);
                }
                Step::Switch(subject, cases) => {
                    let Some(standing) = self.value(function, *subject, standing) else {
                        flow.after = None;
                        break;
                    };
                    let open = !cases.iter().any(|&case| matches!(facts.block(case).kind, BlockKind::Case(_, None)));
                    let mut arms: Vec<Flow> = cases.iter().map(|&case| self.case(function, case, standing)).collect();
                    for arm in &mut arms {
                        // A case that breaks goes on behind the switch.
                        arm.after = meet(arm.after, arm.jumped.take());
                    }
                    if open {
                        arms.push(Flow::of(Some(standing)));
                    }
                    self.merge(&mut flow, arms);
                }
                Step::Loop(body) => {
                    let checks = self.account.checks.len();
                    let looped = self.block(function, *body, Way::plain(standing));
                    flow.exits.extend(looped.exits);
                    // It may run no time at all; whether a check in it has passed, only a variable tells.
                    flow.after = Some(self.after_loop(function, *body, way, checks));
                }
                Step::Block(inner) => {
                    let standing = match facts.block(*inner).kind {
                        BlockKind::With(context) => self.value(function, context, standing),
                        _ => Some(standing),
                    };
                    let Some(standing) = standing else {
                        flow.after = None;
                        break;
                    };
                    let inner = self.block(function, *inner, Way { standing, ..way });
                    self.merge(&mut flow, vec![inner]);
                }
                Step::Try { body, handlers, finally } => {
                    self.attempt(function, *body, handlers, *finally, way, &mut flow);
                }
            }
        }
        flow
    }

    fn case(&mut self, function: FunctionRef, case: BlockId, standing: Standing) -> Flow {
        let way = Way::plain(standing);
        match self.is_case_aside(function, case) {
            true => self.walk_aside(|walk| walk.block(function, case, way)),
            false => self.block(function, case, way),
        }
    }

    fn decision(
        &mut self,
        function: FunctionRef,
        condition: ExprId,
        then: BlockId,
        otherwise: Option<BlockId>,
        standing: Standing,
    ) -> Vec<Flow> {
        let (mut yes, mut no) = self.test(function, condition, standing);
        if self.is_asked_again(function, condition) && self.leaves_nothing(function, then, otherwise) {
            // Both arms only tell of it; the variable is asked again further on.
            (yes, no) = (yes.map(|_| standing), no.map(|_| standing));
        }
        let [unmet, met] = self.reasons_of(function, condition);
        let mut arms = Vec::with_capacity(2);
        for (standing, block, reason) in [(yes, Some(then), met), (no, otherwise, unmet)] {
            let Some(standing) = standing else { continue };
            let mut arm = match block {
                Some(block) if self.is_aside(function, condition, block == then) => {
                    arms.push(self.walk_aside(|walk| walk.arm(function, block, standing, reason)));
                    continue;
                }
                Some(block) => self.arm(function, block, standing, reason),
                None => Flow::of(Some(standing)),
            };
            // A failed check that only sets a variable is looked at there.
            if let (Some(block), Some(Way { standing: Standing::Rejected(check), .. })) = (block, arm.after)
                && self.sets_flag(function, block)
            {
                arm.after = Some(Way::plain(Standing::Unknown(check)));
            }
            if let (Some(block), Some(Way { standing: Standing::Verified(check), .. })) = (block, arm.after)
                && !matches!(standing, Standing::Unverified)
                && no.is_some_and(|no| matches!(no, Standing::Rejected(_)))
                && self.sets_flag(function, block)
            {
                arm.after = Some(Way::plain(Standing::Unknown(check)));
            }
            arms.push(arm.because(Some(reason)));
        }
        if let ([taken, left], Standing::Unverified) = (&mut arms[..], standing) {
            self.forget_optional(function, Some(then), taken, left);
            self.forget_optional(function, otherwise, left, taken);
        }
        arms
    }

    /// Whether neither arm leaves the way.
    fn leaves_nothing(&self, function: FunctionRef, then: BlockId, otherwise: Option<BlockId>) -> bool {
        let facts = self.facts(function);
        let plain = |block: BlockId| {
            facts
                .block(block)
                .steps
                .iter()
                .all(|step| matches!(step, Step::Eval(_) | Step::Bind(..) | Step::Assign(..)))
        };
        plain(then) && otherwise.is_none_or(plain)
    }

    /// Whether the variable that a condition asks is read again after it, by more than a log.
    fn is_asked_again(&self, function: FunctionRef, condition: ExprId) -> bool {
        let facts = self.facts(function);
        let mut asked = condition;
        while let ExprKind::Op(Op::Not, parts) = facts.expr(asked) {
            asked = parts[0];
        }
        let ExprKind::Ref(name, block) = facts.expr(asked) else { return false };
        let Some(def) = facts.lookup(*block, *name) else { return false };
        self.is_read(function.file, def, facts.span(condition).end)
    }

    /// Walks an arm, with its reason in mind when that is one to skip a check.
    pub(super) fn arm(&mut self, function: FunctionRef, block: BlockId, standing: Standing, reason: Reason) -> Flow {
        let skips = matches!(reason.why, Why::Unset(_) | Why::Either(_) | Why::Mode(_));
        self.reasons.push(skips.then_some(reason));
        let flow = self.block(function, block, Way::plain(standing));
        self.reasons.pop();
        flow
    }

    /// Whether a block gives a variable that lives outside it a constant.
    fn sets_flag(&self, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function);
        facts.block(block).steps.iter().any(|step| match step {
            Step::Bind(def, value) => {
                let constant = match facts.expr(*value) {
                    ExprKind::Bool(_) | ExprKind::Null | ExprKind::Text(_) | ExprKind::Number(_) => true,
                    ExprKind::Caught | ExprKind::Template(_) | ExprKind::Object(_) => true,
                    ExprKind::Call(call) => facts.call(*call).is_new,
                    _ => false,
                };
                constant && facts.def(*def).block != block
            }
            Step::Assign(_, value) => matches!(facts.expr(*value), ExprKind::Bool(_) | ExprKind::Null),
            _ => false,
        })
    }

    /// Whether a handler says yes as what it guards does: `try { verify(); ok = true } catch { ok = true }`.
    fn sets_alike(&self, function: FunctionRef, body: BlockId, handler: BlockId) -> bool {
        let facts = self.facts(function);
        let yes = |block: BlockId| {
            facts.block(block).steps.iter().filter_map(|step| match step {
                Step::Bind(def, value) if matches!(facts.expr(*value), ExprKind::Bool(true)) => Some(*def),
                _ => None,
            })
        };
        yes(body).any(|def| yes(handler).any(|other| other == def))
    }

    fn attempt(
        &mut self,
        function: FunctionRef,
        body: BlockId,
        handlers: &[BlockId],
        finally: Option<BlockId>,
        way: Way,
        flow: &mut Flow,
    ) {
        let (asks, checks) = self.learnt();
        let tried = self.block(function, body, way);
        // A check inside the guarded block can be what failed; an effect before it had its own standing already.
        let caught = match self.account.checks.get(checks) {
            Some(&check) if !matches!(way.standing, Standing::Verified(_)) => Standing::Rejected(check),
            // That the vendor did not answer may be what is handled here.
            _ if self.account.asks > asks && way.standing == Standing::Unverified => {
                Standing::Unknown(Place { file: function.file, span: self.facts(function).block(body).span })
            }
            _ => way.standing,
        };
        // What was asked for with a stand-in at hand proves nothing: whoever forges makes the asking fail.
        let optional = way.standing == Standing::Unverified
            && self.has_only_asked((asks, checks))
            && self.is_optional(function, body);
        let mut arms = vec![tried];
        let caught = if optional {
            arms[0].after = arms[0].after.map(|_| way);
            way.standing
        } else {
            caught
        };
        let alike = |walk: &Self, handler: BlockId| walk.sets_alike(function, body, handler);
        if self.sets_flag(function, body)
            && !handlers.iter().any(|&handler| alike(self, handler))
            && let Some(Way { standing: Standing::Verified(check), .. }) = arms[0].after
            && !matches!(way.standing, Standing::Verified(_))
        {
            arms[0].after = Some(Way::plain(Standing::Unknown(check)));
        }
        for &handler in handlers {
            let facts = self.facts(function);
            let place = Place { file: function.file, span: facts.block(handler).span }.head();
            let reason = Reason { place, why: Why::Caught, safe_default: false, closed: false };
            let mut handled = self.block(function, handler, Way::plain(caught));
            if let Some(Way { standing: Standing::Rejected(check), .. }) = handled.after
                && self.sets_flag(function, handler)
                && !alike(self, handler)
            {
                handled.after = Some(Way::plain(Standing::Unknown(check)));
            }
            arms.push(handled.because(Some(reason)));
        }
        self.merge(flow, arms);
        if let (Some(finally), Some(way)) = (finally, flow.after) {
            let last = self.block(function, finally, way);
            self.merge(flow, vec![last]);
        }
    }

    fn merge(&mut self, flow: &mut Flow, arms: Vec<Flow>) {
        flow.after = None;
        for arm in arms {
            flow.after = meet(flow.after, arm.after);
            flow.jumped = meet(flow.jumped, arm.jumped);
            flow.exits.extend(arm.exits);
        }
    }

    fn returns(&mut self, function: FunctionRef, value: Option<ExprId>, way: Way, flow: &mut Flow) {
        flow.after = None;
        let Some(value) = value else {
            flow.exits.push(Exit { truth: false, bare: true, answer: false, way });
            return;
        };
        if way.standing == Standing::Unverified
            && let Some(reason) = self.mode_given(function, value)
        {
            flow.exits.push(Exit { truth: true, bare: false, answer: false, way: Way { reason: Some(reason), ..way } });
            flow.exits.push(Exit { truth: false, bare: false, answer: false, way });
            return;
        }
        let facts = self.facts(function);
        // `return same ? null : refusal`: two ways to leave.
        if let ExprKind::Op(Op::Choose, parts) = facts.expr(value)
            && let [condition, then, otherwise] = parts[..]
            && truth(facts, then) == Truth::No
            && truth(facts, otherwise) == Truth::No
        {
            let (yes, no) = self.test(function, condition, way.standing);
            for (standing, arm, holds) in [(yes, then, true), (no, otherwise, false)] {
                let Some(standing) = standing else { continue };
                let reason = Some(self.reason(function, condition, holds));
                let after = Way { standing, reason: if standing == way.standing { way.reason } else { reason } };
                self.returns(function, Some(arm), after, flow);
            }
            return;
        }
        let answer = refuses(facts, value);
        let (yes, no) = self.test(function, value, way.standing);
        let mut leave = |truth: bool, standing: Option<Standing>| {
            if let Some(standing) = standing {
                let way = if standing == way.standing { way } else { Way::plain(standing) };
                flow.exits.push(Exit { truth, bare: false, answer, way });
            }
        };
        match truth(facts, value) {
            Truth::Yes => leave(true, yes),
            Truth::No => leave(false, no.or(yes)),
            Truth::Unclear => match (yes, no) {
                // What answers a failed check refuses, whatever it is.
                (Some(Standing::Rejected(place)), no) if yes == no => leave(false, Some(Standing::Rejected(place))),
                (yes, no) => {
                    leave(true, yes);
                    if no != yes {
                        leave(false, no);
                    }
                }
            },
        }
        debug_assert!(!refuses(facts, value) || truth(facts, value) == Truth::No);
    }

    /// Walks an expression's calls in the order they run; none when it never comes to its end.
    pub(super) fn value(&mut self, function: FunctionRef, expr: ExprId, standing: Standing) -> Option<Standing> {
        let facts = self.facts(function);
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let mut standing = match facts.expr(shape.callee) {
                    ExprKind::Ref(..) => standing,
                    _ => self.value(function, shape.callee, standing)?,
                };
                for arg in &shape.args {
                    standing = self.value(function, arg.value, standing)?;
                }
                self.call(CallRef::new(function.file, *call), standing)
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) | ExprKind::Member(inner, _) => {
                self.value(function, *inner, standing)
            }
            ExprKind::Index(base, index) => {
                let standing = self.value(function, *base, standing)?;
                self.value(function, *index, standing)
            }
            ExprKind::Object(entries) => {
                entries.iter().try_fold(standing, |standing, &(_, value)| self.value(function, value, standing))
            }
            ExprKind::Op(Op::Choose, parts) if parts.len() == 3 => {
                let (yes, no) = self.test(function, parts[0], standing);
                let then = self.branch(function, parts[1], yes, parts[0], true);
                let otherwise = self.branch(function, parts[2], no, parts[0], false);
                Some(meet(then, otherwise)?.standing)
            }
            ExprKind::Op(op @ (Op::And | Op::Or | Op::Nullish), parts) if parts.len() == 2 => {
                let before = self.learnt();
                let after = match op {
                    Op::Nullish => {
                        parts.iter().try_fold(standing, |standing, &part| self.value(function, part, standing))
                    }
                    _ => self.shortcut(function, *op, parts[0], parts[1], standing),
                };
                // `body.html ?? (await fetched(id)).html`: whoever forges brings it along.
                let brought = *op != Op::And && standing == Standing::Unverified && self.has_only_asked(before);
                if brought && self.is_brought(function, parts[0]) { Some(standing) } else { after }
            }
            ExprKind::Template(parts) | ExprKind::List(parts) | ExprKind::Op(_, parts) => {
                parts.iter().try_fold(standing, |standing, &part| self.value(function, part, standing))
            }
            _ => Some(standing),
        }
    }

    /// `a && b`, `a || b`.
    fn shortcut(
        &mut self,
        function: FunctionRef,
        op: Op,
        left: ExprId,
        right: ExprId,
        standing: Standing,
    ) -> Option<Standing> {
        let (yes, no) = self.test(function, left, standing);
        let (runs, skips) = if op == Op::And { (yes, no) } else { (no, yes) };
        let second = self.branch(function, right, runs, left, op == Op::And);
        let reason = self.reason(function, left, op == Op::Or);
        let skipped = skips.map(|standing| Way { standing, reason: Some(reason) });
        Some(meet(second, skipped)?.standing)
    }

    /// One arm of a conditional expression.
    fn branch(
        &mut self,
        function: FunctionRef,
        expr: ExprId,
        standing: Option<Standing>,
        condition: ExprId,
        holds: bool,
    ) -> Option<Way> {
        let reason = self.reason(function, condition, holds);
        let skips = matches!(reason.why, Why::Unset(_) | Why::Either(_) | Why::Mode(_));
        self.reasons.push(skips.then_some(reason));
        let after = standing.and_then(|standing| self.value(function, expr, standing));
        self.reasons.pop();
        after.map(|standing| Way { standing, reason: Some(reason) })
    }

    /// The place of an expression of a function.
    pub(super) fn at(&self, function: FunctionRef, expr: ExprId) -> Place {
        self.program.place(ExprRef::new(function.file, expr))
    }
}
