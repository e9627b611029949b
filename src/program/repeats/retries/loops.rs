//! Loops that try again: success leaves them, failure goes round.

use rustc_hash::FxHashSet;

use super::waits::Codes;
use super::{How, Limit, Retry, Trigger, Wait, waits};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, FunctionRef, Program};

/// Members and names that say whether a request went well.
const OUTCOMES: &[&str] = &["ok", "status", "status_code", "statusCode", "is_success", "success", "error"];

/// The retry loops of a file.
pub(super) fn in_file(program: &Program, file: FileId, facts: &Facts) -> Vec<Retry> {
    let is_loop = |block: &crate::facts::Block| matches!(block.kind, BlockKind::Loop(_));
    if !facts.blocks.iter().any(is_loop) {
        return vec![];
    }
    let listed: FxHashSet<ExprId> = facts
        .exprs
        .iter()
        .filter_map(|expr| if let ExprKind::ElementOf(list) = expr.kind { Some(list) } else { None })
        .collect();
    let blocks = facts.blocks.iter().enumerate().filter(|(_, block)| is_loop(block));
    let finder = Finder { program, file, facts, listed };
    blocks.filter_map(|(at, _)| finder.retry(BlockId(at as u32))).collect()
}

struct Finder<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    /// What loops go through element by element.
    listed: FxHashSet<ExprId>,
}

/// What one round of a loop does.
#[derive(Default)]
struct Round {
    /// The body of the `try` whose failure goes round, and its handler.
    tried: Option<(BlockId, BlockId)>,
    /// A success leaves the loop.
    leaves: bool,
    /// An answer that is no success goes round.
    asked: bool,
}

impl Finder<'_> {
    fn retry(&self, block: BlockId) -> Option<Retry> {
        let shape = self.facts.block(block);
        let BlockKind::Loop(head) = shape.kind else { return None };
        let mut round = Round::default();
        self.round(block, &mut round);
        let flagged = head.is_some_and(|head| self.is_flag_set(head, block));
        if !(round.leaves || flagged) || (round.tried.is_none() && !round.asked) {
            return None;
        }
        let mut calls = self.calls(round.tried.map_or(block, |(body, _)| body));
        if round.tried.is_none() {
            calls.retain(|call| !self.ends_with(block, *call));
        }
        let (tried, trigger) = match round.tried {
            Some((body, _)) if !round.asked => {
                let thrown = |call: &CallRef| self.program.guards(*call).first().is_some_and(|g| g.body == Some(body));
                (calls.into_iter().filter(thrown).collect::<Vec<_>>(), Trigger::Thrown)
            }
            _ => (calls, Trigger::Answer),
        };
        if tried.is_empty() || self.tries_others(head, block, &tried) {
            return None;
        }
        let region = shape.span;
        let codes = waits::codes_in(self.facts, region);
        if codes == Codes::Request {
            return None;
        }
        let wait = waits::between(self.program, self.file, region, &tried, None);
        Some(Retry {
            how: How::Loop(block),
            place: self.program.head_of(self.file, region),
            function: FunctionRef::new(self.file, shape.function),
            region,
            trigger,
            limit: self.limit(head, block),
            wait: if self.is_listed(head) && wait == Wait::Constant { Wait::Unknown } else { wait },
            only_refused: codes == Codes::Rate
                && !round.tried.is_some_and(|(_, handler)| self.goes_round_on_any(handler)),
            tried,
        })
    }

    /// Whether a handler goes round whatever was thrown, a connection that broke after the work was done among it:
    /// `catch (e) { if (last) throw e; await wait(); }`.
    fn goes_round_on_any(&self, handler: BlockId) -> bool {
        let shape = self.facts.block(handler);
        let leaves = |block: BlockId| ending(self.facts, block) != Ending::GoesOn;
        // What it leaves for is the number of attempts, not what was thrown.
        let by_count = |condition: ExprId| match self.facts.expr(condition) {
            ExprKind::Op(Op::Compare | Op::Equal, parts) => {
                !parts.iter().any(|&part| matches!(self.facts.expr(part), ExprKind::Member(..) | ExprKind::Text(_)))
            }
            ExprKind::Ref(name, _) => name.to_ascii_lowercase().contains("last"),
            _ => false,
        };
        waits::codes_in(self.facts, shape.span) == Codes::Any
            && shape.steps.iter().all(|step| match step {
                Step::Throw(_) | Step::Return(_) | Step::Break => false,
                Step::If { condition, then, otherwise } => {
                    !(leaves(*then) || otherwise.is_some_and(leaves)) || by_count(*condition)
                }
                _ => true,
            })
    }

    /// Reads the steps of a block of the loop's body; inner loops are rounds of their own.
    fn round(&self, block: BlockId, round: &mut Round) {
        for step in &self.facts.block(block).steps {
            match step {
                Step::Return(_) | Step::Break if self.is_straight(block) => round.leaves = true,
                Step::Try { body, handlers, .. } => {
                    // What its handler goes on from goes round.
                    let goes_on = handlers.iter().find(|&&handler| self.goes_round(handler));
                    if let Some(&handler) = goes_on {
                        round.tried.get_or_insert((*body, handler));
                    }
                    self.round(*body, round);
                }
                Step::If { condition, then, .. } => {
                    let outcome = self.outcome(*condition);
                    // `if (res.ok) return res`
                    if outcome == Some(true) && self.leaves_loop(*then) {
                        round.leaves = true;
                        round.asked = true;
                    }
                    // `if (res.status === 429) continue`
                    if outcome == Some(false) && self.jumps(*then) {
                        round.asked = true;
                    }
                }
                Step::Block(inner) => self.round(*inner, round),
                _ => {}
            }
        }
    }

    /// Whether whatever comes to a call leaves the loop behind it, so that no round repeats it:
    /// `if (row) { mail(row); return row }`.
    fn ends_with(&self, block: BlockId, call: CallRef) -> bool {
        let around = self.facts.enclosing(self.facts.call(call.call).block).take_while(|(at, _)| *at != block);
        around.into_iter().any(|(at, arm)| {
            matches!(arm.kind, BlockKind::Then(_) | BlockKind::Else(_))
                && (ending(self.facts, at) != Ending::GoesOn
                    || arm.steps.iter().any(|step| matches!(step, Step::Break)))
        })
    }

    /// Whether a block is passed by every round that meets no failure.
    fn is_straight(&self, block: BlockId) -> bool {
        let mut around = self.facts.enclosing(block);
        loop {
            match around.next().map(|(_, block)| block.kind) {
                Some(BlockKind::Loop(_)) => return true,
                Some(BlockKind::Try | BlockKind::Plain | BlockKind::With(_)) => {}
                _ => return false,
            }
        }
    }

    /// Whether a handler lets the loop go round: not when it leaves on every path.
    fn goes_round(&self, handler: BlockId) -> bool {
        let steps = &self.facts.block(handler).steps;
        if steps.iter().any(|step| matches!(step, Step::Break)) {
            return false;
        }
        // `if (last) throw e; continue;`, also `throw` at the end after a conditional `continue`.
        ending(self.facts, handler) == Ending::GoesOn || self.jumps_inside(handler)
    }

    fn jumps_inside(&self, block: BlockId) -> bool {
        self.facts.block(block).steps.iter().any(|step| match step {
            Step::Jump => true,
            Step::If { then, otherwise, .. } => {
                self.jumps_inside(*then) || otherwise.is_some_and(|block| self.jumps_inside(block))
            }
            Step::Block(inner) => self.jumps_inside(*inner),
            _ => false,
        })
    }

    fn jumps(&self, block: BlockId) -> bool {
        self.jumps_inside(block)
    }

    fn leaves_loop(&self, block: BlockId) -> bool {
        self.facts.block(block).steps.iter().any(|step| matches!(step, Step::Return(_) | Step::Break))
    }

    /// Whether a condition asks for the outcome of a request, and whether it holds when that went well.
    fn outcome(&self, condition: ExprId) -> Option<bool> {
        match self.facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => self.outcome(parts[0]).map(|good| !good),
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().find_map(|&part| self.outcome(part)),
            ExprKind::Op(op @ (Op::Equal | Op::Unequal | Op::Compare), parts) => {
                let code = parts.iter().find_map(|&part| match self.facts.expr(part) {
                    ExprKind::Number(code) => Some(*code),
                    _ => None,
                })?;
                let asks = parts.iter().any(|&part| self.asks_outcome(part));
                let good = (200.0..400.0).contains(&code);
                asks.then_some(if *op == Op::Unequal { !good } else { good })
            }
            ExprKind::Op(Op::In, parts) => parts.first().filter(|&&part| self.asks_outcome(part)).map(|_| false),
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => {
                let name = name.as_str();
                (OUTCOMES.contains(&name)).then_some(name != "error")
            }
            _ => None,
        }
    }

    fn asks_outcome(&self, expr: ExprId) -> bool {
        match self.facts.expr(expr) {
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => {
                let name = name.to_ascii_lowercase();
                name == "code" || name.contains("status")
            }
            _ => false,
        }
    }

    /// `while (!done)`, where the round sets `done`.
    fn is_flag_set(&self, head: ExprId, block: BlockId) -> bool {
        let mut flags: Vec<Name> = vec![];
        self.negated(head, &mut flags);
        if flags.is_empty() {
            return false;
        }
        let region = self.facts.block(block).span;
        let inside = self.facts.blocks.iter().enumerate().filter(|(_, inner)| region.contains(inner.span));
        // A flag that waits for something in the answer is a poll's.
        let straight = inside.filter(|(at, _)| self.is_straight(BlockId(*at as u32)));
        straight.flat_map(|(_, inner)| &inner.steps).any(|step| {
            matches!(step, Step::Bind(def, value) if flags.contains(&self.facts.def(*def).name)
                && matches!(self.facts.expr(*value), ExprKind::Bool(true)))
        })
    }

    fn negated(&self, condition: ExprId, flags: &mut Vec<Name>) {
        match self.facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => {
                if let ExprKind::Ref(name, _) = self.facts.expr(parts[0]) {
                    flags.push(*name);
                }
            }
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().for_each(|&part| self.negated(part, flags)),
            _ => {}
        }
    }

    fn calls(&self, block: BlockId) -> Vec<CallRef> {
        let (region, function) = (self.facts.block(block).span, self.facts.block(block).function);
        let calls = self.program.calls_in(FunctionRef::new(self.file, function));
        calls.filter(|call| region.contains(self.facts.span(self.facts.call(call.call).expr))).collect()
    }

    fn is_listed(&self, head: Option<ExprId>) -> bool {
        head.is_some_and(|head| self.listed.contains(&head)) && !head.is_some_and(|head| self.is_range(head))
    }

    /// `for provider in providers`: each round tries another one, when what is tried takes it.
    fn tries_others(&self, head: Option<ExprId>, block: BlockId, tried: &[CallRef]) -> bool {
        if head.is_some_and(|head| self.tries_by_index(head, tried)) {
            return true;
        }
        let Some(head) = head.filter(|head| self.is_listed(Some(*head))) else { return false };
        let is_element = |name: Name, scope: BlockId| {
            let def = self.facts.lookup(scope, name);
            def.is_some_and(|def| self.facts.def(def).values.iter().any(|&value| self.comes_of(value, head, 4)))
        };
        let region = self.facts.block(block).span;
        let inside = |call: &CallRef| region.contains(self.facts.span(self.facts.call(call.call).expr));
        let spans =
            tried.iter().filter(|call| inside(call)).map(|call| self.facts.span(self.facts.call(call.call).expr));
        let spans: Vec<_> = spans.collect();
        self.facts.exprs.iter().any(|expr| match expr.kind {
            ExprKind::Ref(name, scope) => spans.iter().any(|span| span.contains(expr.span)) && is_element(name, scope),
            _ => false,
        })
    }

    /// `for (let i = 0; i < hosts.length; i++) { .. fetch(hosts[i]) }`
    fn tries_by_index(&self, head: ExprId, tried: &[CallRef]) -> bool {
        let ExprKind::Op(Op::Compare, parts) = self.facts.expr(head) else { return false };
        let lists: Vec<Name> = parts
            .iter()
            .filter_map(|&part| match self.facts.expr(part) {
                ExprKind::Member(base, name) if *name == "length" => self.facts.last_name(*base),
                _ => None,
            })
            .collect();
        let counts = |index: ExprId| {
            let name = self.facts.last_name(index);
            name.is_some() && parts.iter().any(|&part| self.facts.last_name(part) == name)
        };
        let spans: Vec<_> = tried.iter().map(|call| self.facts.span(self.facts.call(call.call).expr)).collect();
        !lists.is_empty()
            && self.facts.exprs.iter().any(|expr| match expr.kind {
                ExprKind::Index(base, index) => {
                    spans.iter().any(|span| span.contains(expr.span))
                        && self.facts.last_name(base).is_some_and(|name| lists.contains(&name))
                        && counts(index)
                }
                _ => false,
            })
    }

    fn comes_of(&self, value: ExprId, list: ExprId, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let next = |&part: &ExprId| self.comes_of(part, list, depth - 1);
        match self.facts.expr(value) {
            ExprKind::ElementOf(of) => *of == list,
            ExprKind::Member(base, _) | ExprKind::Index(base, _) | ExprKind::Await(base) => next(base),
            ExprKind::Template(parts) | ExprKind::Op(_, parts) => parts.iter().any(next),
            ExprKind::Ref(name, scope) => {
                let def = self.facts.lookup(*scope, *name);
                def.is_some_and(|def| self.facts.def(def).values.iter().any(next))
            }
            _ => false,
        }
    }

    /// `range(3)`.
    fn is_range(&self, head: ExprId) -> bool {
        let ExprKind::Call(call) = *self.facts.expr(head) else { return false };
        matches!(self.facts.expr(self.facts.call(call).callee), ExprKind::Ref(name, _) if *name == "range")
    }

    fn limit(&self, head: Option<ExprId>, block: BlockId) -> Limit {
        if head.is_some_and(|head| self.listed.contains(&head)) {
            return match head
                .is_some_and(|head| matches!(self.facts.expr(head), ExprKind::Call(_)) && !self.is_range(head))
            {
                true => Limit::Unknown,
                false => Limit::Bounded,
            };
        }
        let compares = |condition: ExprId| waits::compares(self.facts, condition, 6);
        if head.is_some_and(compares) {
            return Limit::Bounded;
        }
        let region = self.facts.block(block).span;
        let mut inside = self.facts.blocks.iter().filter(|inner| region.contains(inner.span));
        let mut ends = inside.clone().filter(|inner| match inner.kind {
            BlockKind::Then(condition) | BlockKind::Else(condition) => {
                inner.steps.iter().any(|step| matches!(step, Step::Return(_) | Step::Throw(_) | Step::Break))
                    && compares(condition)
            }
            _ => false,
        });
        if ends.next().is_some() {
            return Limit::Bounded;
        }
        // A failure that is not tried again, or something that is not followed, may end it.
        let leaves = inside.any(|inner| {
            matches!(inner.kind, BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Catch(_) | BlockKind::Case(..))
                && inner.steps.iter().any(|step| matches!(step, Step::Return(_) | Step::Throw(_) | Step::Break))
                && !matches!(inner.kind, BlockKind::Then(condition) if self.outcome(condition) == Some(true))
        });
        let endless = match head.map(|head| self.facts.expr(head)) {
            None | Some(ExprKind::Bool(true)) => true,
            Some(ExprKind::Number(number)) => *number != 0.0,
            Some(ExprKind::Op(Op::Not, _)) => head.is_some_and(|head| self.is_flag_set(head, block)),
            _ => false,
        };
        if endless && !leaves { Limit::Endless } else { Limit::Unknown }
    }
}
