//! What happens together in one function: whether a call is waited for, whether two calls run on one way, whether
//! the answer was given before, what becomes of a result.

use rustc_hash::{FxHashMap, FxHashSet};

use super::operations::names_of;
use super::says::{answers_error, derives, holds, is_success, says_done, tells_failure, tells_failure_of};
use crate::facts::{BlockId, BlockKind, CallId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, Edge, EdgeKind, Entry, ExprRef, FunctionRef, Program, Value};

/// What becomes of a call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing looks at it so that the function ends.
    GoesOn,
    /// It is what the function gives.
    Returned,
    /// When it tells of a failure, the function throws.
    Throws,
    /// When it tells of a failure, the function ends.
    Leaves,
}

/// What is known of one file's calls.
#[derive(Default)]
struct Waiting {
    /// Calls whose value a function returns.
    returned: FxHashSet<CallId>,
    /// Calls whose promise is kept in a variable that is awaited later.
    kept: FxHashSet<CallId>,
}

/// Answers questions on the flow of functions; remembers per file.
pub struct Flow<'p> {
    program: &'p Program,
    waiting: FxHashMap<FileId, Waiting>,
}

impl<'p> Flow<'p> {
    /// Knows nothing yet.
    pub fn new(program: &'p Program) -> Self {
        Self { program, waiting: FxHashMap::default() }
    }

    /// Whether the function goes on only after the call has ended. Promises that are kept and never awaited are not.
    pub fn waits(&mut self, call: CallRef) -> bool {
        self.waits_to(call, 6)
    }

    fn waits_to(&mut self, call: CallRef, depth: usize) -> bool {
        let program = self.program;
        let facts = program.facts(call.file);
        if !facts.language.is_script() {
            return !program.is_deferred(call);
        }
        if depth == 0 || program.is_deferred(call) {
            return false;
        }
        let head = facts.call(call.call);
        let last = program.chain(call).last().map_or(call, |(outer, _)| outer);
        if head.awaited || facts.call(last.call).awaited {
            return true;
        }
        let waiting = self.waiting.entry(call.file).or_insert_with(|| Waiting::new(facts));
        if [call.call, last.call].iter().any(|call| waiting.returned.contains(call) || waiting.kept.contains(call)) {
            return true;
        }
        let outer = program.around(call).argument_of(last.call).or_else(|| program.around(call).argument_of(call.call));
        outer.is_some_and(|outer| {
            let outer = CallRef::new(call.file, outer);
            is_combinator(program, outer) && self.waits_to(outer, depth - 1)
        })
    }

    /// Whether the function's answer has been given before the call: the response sent, the page left.
    pub fn answered_before(&self, call: CallRef) -> bool {
        self.answers(call).any(|(at, block)| {
            at < call.call && enclosing(self.program.facts(call.file), call.call).any(|(id, _)| id == block)
        })
    }

    /// Whether a block gives the answer after the call.
    pub fn answers_after(&self, call: CallRef, within: BlockId) -> bool {
        let facts = self.program.facts(call.file);
        let inside = |block: BlockId| facts.enclosing(block).any(|(id, _)| id == within);
        self.answers(call).any(|(at, block)| at > call.call && inside(block))
    }

    /// Whether the answer is given in a block of the call's function.
    pub fn answers_in(&self, call: CallRef, within: BlockId) -> bool {
        let facts = self.program.facts(call.file);
        self.answers(call).any(|(_, block)| facts.enclosing(block).any(|(id, _)| id == within))
    }

    fn answers(&self, call: CallRef) -> impl Iterator<Item = (CallId, BlockId)> + use<'_, 'p> {
        let facts = self.program.facts(call.file);
        let calls = self.program.calls_in(self.program.function_of(call));
        calls
            .filter(move |other| is_answer(facts, other.call))
            .map(move |other| (other.call, facts.call(other.call).block))
    }

    /// Whether both calls of one function can run in one run of it.
    pub fn together(&self, one: CallRef, other: CallRef) -> bool {
        let facts = self.program.facts(one.file);
        let (first, second) = if one.call <= other.call { (one.call, other.call) } else { (other.call, one.call) };
        let ways: [Vec<BlockId>; 2] = [first, second].map(|call| enclosing(facts, call).map(|(id, _)| id).collect());
        let shared = ways[0].iter().find(|block| ways[1].contains(block)).copied();
        let own =
            |way: &[BlockId]| -> Vec<BlockId> { way.iter().copied().take_while(|id| Some(*id) != shared).collect() };
        let (before, after) = (own(&ways[0]), own(&ways[1]));
        if let (Some(&one), Some(&other)) = (before.last(), after.last())
            && are_arms(facts, one, other)
        {
            return false;
        }
        // `if (free.ok) return`: where the first has done it, the second is another way to the same.
        if self.leaves_done(CallRef::new(one.file, first), second) {
            return false;
        }
        // What runs first leaves before the second is reached.
        !before.iter().any(|&block| {
            matches!(
                facts.block(block).kind,
                BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..) | BlockKind::Try
            ) && ending(facts, block) != Ending::GoesOn
        })
    }

    /// Whether the function ends between two calls when the first one has done what was asked for.
    fn leaves_done(&self, first: CallRef, second: CallId) -> bool {
        let facts = self.program.facts(first.file);
        let start = |call: CallId| facts.span(facts.call(call).expr).start;
        let mut between = enclosing(facts, first.call).flat_map(|(_, block)| &block.steps);
        between.any(|step| match *step {
            Step::If { condition, then, .. } => {
                let arm = facts.block(then).span;
                arm.start > start(first.call)
                    && arm.end <= start(second)
                    && says_done(facts, condition, first.call)
                    && matches!(ending(facts, then), Ending::Returns(value)
                        if value.is_none_or(|value| !answers_error(self.program, first.file, value)))
            }
            _ => false,
        })
    }

    /// Whether a call runs only when something has failed already, or never because a constant switches it off.
    pub fn is_beside_the_way(&self, call: CallRef) -> bool {
        let facts = self.program.facts(call.file);
        let shape = facts.call(call.call);
        let start = facts.span(shape.expr).start;
        for (id, block) in enclosing(facts, call.call) {
            let beside = match block.kind {
                BlockKind::Catch(_) => true,
                BlockKind::Then(condition) => {
                    tells_failure(facts, condition, true) || self.constant(call.file, condition) == Some(false)
                }
                BlockKind::Else(condition) => {
                    tells_failure(facts, condition, false) || self.constant(call.file, condition) == Some(true)
                }
                _ => false,
            };
            let arm = matches!(block.kind, BlockKind::Then(_) | BlockKind::Else(_));
            let fails = arm
                && match ending(facts, id) {
                    Ending::Throws => true,
                    Ending::Returns(Some(value)) => answers_error(self.program, call.file, value),
                    _ => false,
                };
            if beside || fails {
                return true;
            }
            for step in &block.steps {
                if let Step::If { condition, then, .. } = step
                    && facts.block(*then).span.end <= start
                    && ending(facts, *then) != Ending::GoesOn
                    && self.constant(call.file, *condition) == Some(true)
                {
                    return true;
                }
            }
        }
        false
    }

    /// The truth of a condition that a constant of the program decides.
    fn constant(&self, file: FileId, condition: ExprId) -> Option<bool> {
        let facts = self.program.facts(file);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, operands) => self.constant(file, *operands.first()?).map(|truth| !truth),
            ExprKind::Bool(truth) => Some(*truth),
            ExprKind::Ref(..) | ExprKind::Member(..) => match self.program.value(ExprRef::new(file, condition)) {
                Value::Bool(truth) => Some(truth),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a call is handed an address that comes out of another: a message with the link to pay.
    pub fn hands_link(&self, from: CallRef, to: CallRef) -> bool {
        let facts = self.program.facts(to.file);
        from.file == to.file
            && facts.call(to.call).args.iter().any(|arg| {
                holds(facts, arg.value, 8, &|facts, value| {
                    let named = |name: &str| {
                        name.to_ascii_lowercase().contains("url") || name.to_ascii_lowercase().contains("link")
                    };
                    matches!(facts.expr(value), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if named(name))
                        && derives(facts, value, from.call, 6)
                })
            })
    }

    /// Whether what a call gives is handed to another: `user = sign_in(code)`, then `login_user(user)`.
    pub fn hands_result(&self, from: CallRef, to: CallRef) -> bool {
        let facts = self.program.facts(to.file);
        from.file == to.file && facts.call(to.call).args.iter().any(|arg| derives(facts, arg.value, from.call, 6))
    }

    /// Whether an arm stores something else and then leads on to a page that says nothing of an error: `if not sent:
    /// user.verified = True; db.commit(); return redirect("/dashboard")`.
    fn leads_on(&self, call: CallRef, arm: BlockId, value: ExprId) -> bool {
        let facts = self.program.facts(call.file);
        let ExprKind::Call(answer) = facts.expr(value) else { return false };
        let answer = facts.call(*answer);
        let leads = facts.last_name(answer.callee).is_some_and(|name| name.to_ascii_lowercase().contains("redirect"));
        let span = facts.block(arm).span;
        let complains = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Text(text) | ExprKind::Member(_, text) | ExprKind::Ref(text, _) => {
                let text = text.to_ascii_lowercase();
                ["err", "fail", "delete", "rollback", "remove", "cancel"].iter().any(|word| text.contains(word))
            }
            _ => false,
        });
        let stores = |at: CallRef| {
            span.contains(facts.span(facts.call(at.call).expr))
                && (self.program.writes_own(at)
                    || self.program.called_name(at).is_some_and(|name| matches!(name.as_str(), "commit" | "save")))
        };
        let function = FunctionRef::new(call.file, facts.function_of(facts.call(call.call).block));
        leads && !complains && self.program.calls_in(function).any(stores)
    }

    /// What becomes of a call's result in its function.
    pub fn fate(&mut self, call: CallRef) -> Fate {
        let facts = self.program.facts(call.file);
        let function = facts.function_of(facts.call(call.call).block);
        let last = self.program.chain(call).last().map_or(call.call, |(outer, _)| outer.call);
        for block in facts.blocks.iter().filter(|block| block.function == function) {
            for step in &block.steps {
                let Step::If { condition, then, otherwise } = step else { continue };
                let arms = [(Some(*then), true), (*otherwise, false)];
                for (arm, truth) in arms.into_iter().filter_map(|(arm, truth)| Some((arm?, truth))) {
                    if !tells_failure_of(facts, *condition, truth, call.call) {
                        continue;
                    }
                    match ending(facts, arm) {
                        Ending::Throws => return Fate::Throws,
                        // `if not sent: return {"success": True, "mail": False}`
                        Ending::Returns(Some(value)) if is_success(facts, value) => return Fate::GoesOn,
                        Ending::Returns(Some(value)) if self.leads_on(call, arm, value) => return Fate::GoesOn,
                        Ending::Returns(_) => return Fate::Leaves,
                        Ending::GoesOn => {}
                    }
                }
            }
        }
        let waiting = self.waiting.entry(call.file).or_insert_with(|| Waiting::new(facts));
        if waiting.returned.contains(&call.call) || waiting.returned.contains(&last) {
            Fate::Returned
        } else {
            Fate::GoesOn
        }
    }
}

impl Program {
    /// Whether what a call gives is asked in its function, which refuses where it says no: `if not is_safe(text): return 400`.
    /// Such a call cannot be put off.
    pub fn refuses_by_answer(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let function = facts.function_of(shape.block);
        let asked = facts.span(shape.expr);
        let of_call = |facts: &Facts, value: ExprId| facts.span(value) == asked;
        let inside = |condition: ExprId| {
            let span = facts.span(condition);
            let parts = (0..).map(ExprId).zip(&facts.exprs).filter(|(_, expr)| span.contains(expr.span));
            parts.into_iter().any(|(at, _)| comes_of(facts, at, 4, &of_call))
        };
        let leaves = |block: BlockId| ending(facts, block) != Ending::GoesOn;
        let mut steps = facts.blocks.iter().filter(|block| block.function == function).flat_map(|block| &block.steps);
        steps.any(|step| match step {
            Step::If { condition, then, otherwise } => {
                (leaves(*then) || otherwise.is_some_and(leaves)) && inside(*condition)
            }
            _ => false,
        })
    }

    /// The write of the app's own rows, in the function of a call, that stores what the call gives.
    pub fn answer_stored(&self, call: CallRef) -> Option<CallRef> {
        let facts = self.facts(call.file);
        let asked = facts.span(facts.call(call.call).expr);
        let of_call = |facts: &Facts, value: ExprId| facts.span(value) == asked;
        let given = |write: &CallRef| {
            let outermost = self.chain(*write).last().map_or(*write, |(outer, _)| outer);
            let span = facts.span(facts.call(outermost.call).expr);
            let objects = facts.objects().filter(|(at, _)| span.contains(facts.span(*at)));
            let mut values = objects.flat_map(|(_, entries)| entries.iter().map(|&(_, value)| value));
            span.start > asked.end && values.any(|value| comes_of(facts, value, 5, &of_call))
        };
        self.calls_in(self.function_of(call)).filter(|&write| self.writes_own(write)).find(given)
    }

    /// Whether an entry point answers with what a call has given, itself or as it is read again from where it was stored.
    pub fn answer_goes_out(&self, entry: &Entry, call: CallRef, stored: CallRef) -> bool {
        if self.is_answered_with(entry, call) {
            return true;
        }
        let facts = self.facts(stored.file);
        let from = facts.span(facts.call(stored.call).expr).end;
        let table = self.table_of(stored);
        let read_again = |&at: &CallRef| {
            facts.span(facts.call(at.call).expr).start > from
                && !self.writes_own(at)
                && self.table_of(at) == table
                && self.is_answered_with(entry, at)
        };
        table.is_some() && self.calls_in(self.function_of(stored)).any(|at| read_again(&at))
    }

    /// Whether what a request is answered is handed back by the function that sends it, to somebody who takes it.
    pub fn answer_decides(&self, request: CallRef, way: &[Edge]) -> bool {
        let facts = self.facts(request.file);
        let function = self.function_of(request).function;
        let body = |facts: &Facts, value: ExprId| match facts.expr(value) {
            ExprKind::Call(call) => matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(base, name)
                if matches!(name.as_str(), "json" | "text") && derives(facts, *base, request.call, 6)),
            ExprKind::Member(base, name) => *name == "data" && derives(facts, *base, request.call, 6),
            _ => false,
        };
        let taken = way.iter().rev().find(|edge| edge.kind == EdgeKind::Direct);
        let taken = taken.is_some_and(|edge| !self.facts(edge.call.file).call(edge.call.call).dropped);
        taken && facts.returned(function).any(|value| comes_of(facts, value, 8, &body))
    }
}

/// Whether a value is made of one that fits.
fn comes_of(facts: &Facts, value: ExprId, depth: usize, fits: &dyn Fn(&Facts, ExprId) -> bool) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |value: &ExprId| comes_of(facts, *value, depth, fits);
    fits(facts, value)
        || match facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => next(inner),
            ExprKind::Op(_, parts) => parts.iter().any(next),
            ExprKind::Object(entries) => entries.iter().any(|(_, value)| next(value)),
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(next))
            }
            _ => false,
        }
}

impl Waiting {
    fn new(facts: &Facts) -> Self {
        let mut waiting = Self::default();
        for block in &facts.blocks {
            for step in &block.steps {
                if let Step::Return(Some(value)) = step {
                    value_calls(facts, *value, 6, &mut waiting.returned);
                }
            }
        }
        let mut awaited = |value: ExprId| {
            if let ExprKind::Ref(name, block) = facts.expr(value)
                && let Some(def) = facts.lookup(*block, *name)
            {
                for &value in &facts.def(def).values {
                    value_calls(facts, value, 6, &mut waiting.kept);
                }
            }
        };
        for expr in &facts.exprs {
            if let ExprKind::Await(inner) = &expr.kind {
                awaited(*inner);
            }
        }
        for call in &facts.calls {
            if matches!(names_of(facts, call.callee).first(), Some(name) if *name == "Promise") {
                for arg in &call.args {
                    awaited(arg.value);
                    if let ExprKind::List(items) = facts.expr(arg.value) {
                        items.iter().for_each(|&item| awaited(item));
                    }
                }
            }
        }
        waiting
    }
}

/// The calls whose value is the value of an expression.
fn value_calls(facts: &Facts, value: ExprId, depth: usize, found: &mut FxHashSet<CallId>) {
    if depth == 0 {
        return;
    }
    match facts.expr(value) {
        ExprKind::Call(call) => {
            found.insert(*call);
        }
        ExprKind::Await(inner) => value_calls(facts, *inner, depth - 1, found),
        ExprKind::Op(Op::And | Op::Or | Op::Nullish | Op::Choose, operands) => {
            operands.iter().for_each(|&operand| value_calls(facts, operand, depth - 1, found));
        }
        _ => {}
    }
}

/// `Promise.all([..])` and its kind; also a list of callbacks mapped.
fn is_combinator(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    let names = names_of(facts, facts.call(call.call).callee);
    names.first().is_some_and(|name| *name == "Promise")
}

/// The blocks around a call within its function, innermost first.
pub fn enclosing(facts: &Facts, call: CallId) -> impl Iterator<Item = (BlockId, &crate::facts::Block)> {
    let block = facts.call(call).block;
    let function = facts.function_of(block);
    facts.enclosing(block).take_while(move |(_, block)| block.function == function)
}

/// Two arms of one decision.
fn are_arms(facts: &Facts, one: BlockId, other: BlockId) -> bool {
    let condition = |block: BlockId| match facts.block(block).kind {
        BlockKind::Then(condition) | BlockKind::Else(condition) | BlockKind::Case(condition, _) => Some(condition),
        _ => None,
    };
    one != other && condition(one).is_some() && condition(one) == condition(other)
}

/// Whether a call answers the request or leaves the page.
fn is_answer(facts: &Facts, call: CallId) -> bool {
    let names = names_of(facts, facts.call(call).callee);
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return false };
    match (first.as_str(), last.as_str()) {
        ("res" | "response" | "reply", "json" | "send" | "end" | "redirect" | "sendStatus" | "render") => {
            names.len() > 1
        }
        (_, "navigate" | "setLocation") => true,
        ("router" | "history" | "navigation", "push" | "replace") | ("location" | "window", "assign") => true,
        _ => false,
    }
}
