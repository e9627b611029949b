//! What an iteration sends for each element.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::{Iteration, is_run};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span};
use crate::program::switches::Switches;
use crate::program::{CallRef, Edge, EdgeKind, ExprRef, FunctionRef, Program, Value};

/// What an iteration sends.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The call that sends it.
    pub call: CallRef,
    /// From the iteration's own code to it.
    pub way: Vec<Edge>,
}

/// Functions looked into from one iteration.
const MOST_FUNCTIONS: usize = 150;

impl Program {
    /// What an iteration sends outward for each element, nearest first; none when something on the way holds it
    /// back. What an iteration inside sends is its own.
    pub fn sent_by(&self, iteration: &Iteration) -> Vec<Sent> {
        let mut found: Vec<Sent> = Vec::new();
        let mut seen: FxHashSet<(FunctionRef, Switches)> = FxHashSet::default();
        let mut queue: VecDeque<(FunctionRef, Option<Span>, Vec<Edge>)> = VecDeque::new();
        match iteration.body {
            Some(body) => queue.push_back((body, None, vec![])),
            None => queue.push_back((iteration.function, Some(iteration.region), vec![])),
        }
        while let Some((function, region, way)) = queue.pop_front() {
            let facts = self.facts(function.file);
            for call in self.calls_in(function) {
                let shape = facts.call(call.call);
                if region.is_some_and(|region| !region.contains(facts.span(shape.expr))) {
                    continue;
                }
                if self.is_held_back(call) {
                    return vec![];
                }
                if region.is_some() || way.is_empty() && iteration.body == Some(function) {
                    let of = region.unwrap_or(iteration.region);
                    if self.runs_when_full(call, of) || self.waits_its_turn(call, of) {
                        continue;
                    }
                }
                if way.last().is_some_and(|edge| self.is_spared(call, edge) || self.is_switched_off(call, edge)) {
                    continue;
                }
                if self.runs_on_failure(call) || region.is_none() && !way.is_empty() && self.is_iterated(call) {
                    continue;
                }
                if self.counts_as_sent(call) {
                    if self.asks_nobody(call) {
                        continue;
                    }
                    found.push(Sent { call, way: way.clone() });
                    continue;
                }
                for &edge in self.edges(call).iter().filter(|edge| is_run(self, edge)) {
                    if seen.len() < MOST_FUNCTIONS && seen.insert((edge.target, self.set_by(&edge))) {
                        let mut way = way.clone();
                        way.push(edge);
                        queue.push_back((edge.target, None, way));
                    }
                }
            }
        }
        found
    }

    /// Whether the next element's turn comes before what is sent for one is done: nothing waits for it, or its promise
    /// is kept for later.
    pub fn runs_beside(&self, sent: &Sent) -> bool {
        let call = sent.way.first().map_or(sent.call, |edge| edge.call);
        if self.is_floating(call) || self.is_deferred(call) {
            return true;
        }
        let facts = self.facts(call.file);
        let chain = self.chain(call).any(|(outer, _)| facts.call(outer.call).awaited);
        if facts.call(call.call).awaited || chain {
            return false;
        }
        let collects = |outer: CallRef| {
            let name = facts.last_name(facts.call(outer.call).callee);
            name.is_some_and(|name| matches!(name.as_str(), "push" | "append" | "add"))
        };
        let is_async =
            |edge: &Edge| self.facts(edge.target.file).function(edge.target.function).is_async && is_run(self, edge);
        let gives_promise = self.edges(call).iter().any(is_async);
        // Python's coroutines do not begin before somebody waits for them.
        gives_promise && (!facts.language.is_script() || self.handed_to(call).any(collects))
    }

    /// Whether a call of a loop runs once for many elements: `if (batch.length >= 100) { send(batch); batch = [] }`,
    /// `if (i % 50 === 0)`.
    fn runs_when_full(&self, call: CallRef, region: Span) -> bool {
        let facts = self.facts(call.file);
        let block = facts.call(call.call).block;
        let fills = |list: ExprId| {
            let Some(name) = facts.last_name(list) else { return false };
            facts.calls.iter().any(|other| match facts.expr(other.callee) {
                ExprKind::Member(base, method) => {
                    region.contains(facts.span(other.expr))
                        && matches!(method.as_str(), "push" | "append" | "add" | "extend" | "set")
                        && facts.last_name(*base) == Some(name)
                }
                _ => false,
            })
        };
        let measures = |part: ExprId| match facts.expr(part) {
            ExprKind::Member(list, name) => matches!(name.as_str(), "length" | "size") && fills(*list),
            ExprKind::Call(len) => {
                let len = facts.call(*len);
                facts.last_name(len.callee).is_some_and(|name| name == "len")
                    && len.args.first().is_some_and(|arg| fills(arg.value))
            }
            _ => false,
        };
        let many = |part: ExprId| match self.value(ExprRef::new(call.file, part)) {
            Value::Number(number) => number > 1.0,
            _ => matches!(facts.expr(part), ExprKind::Ref(..) | ExprKind::Member(..)),
        };
        let is_full = |condition: ExprId| match facts.expr(condition) {
            ExprKind::Op(Op::Compare | Op::Equal, parts) if parts.len() == 2 => {
                measures(parts[0]) && many(parts[1]) || measures(parts[1]) && many(parts[0])
            }
            _ => false,
        };
        let within = |condition: ExprId| match facts.expr(condition) {
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| is_full(part)),
            _ => is_full(condition),
        };
        let around = facts.enclosing(block).take_while(|(_, block)| region.contains(block.span));
        around.into_iter().any(|(_, block)| matches!(block.kind, BlockKind::Then(condition) if within(condition)))
    }

    /// Whether a call of a loop starts something only when what it started before is done:
    /// `if task is None or task.done(): task = asyncio.create_task(send())`.
    fn waits_its_turn(&self, call: CallRef, region: Span) -> bool {
        let facts = self.facts(call.file);
        fn asks_done(facts: &Facts, condition: ExprId) -> bool {
            match facts.expr(condition) {
                ExprKind::Op(Op::And | Op::Or | Op::Not, parts) => parts.iter().any(|&part| asks_done(facts, part)),
                ExprKind::Call(call) => facts.last_name(facts.call(*call).callee).is_some_and(|name| name == "done"),
                _ => false,
            }
        }
        let block = facts.call(call.call).block;
        let mut around = facts.enclosing(block).take_while(|(_, block)| region.contains(block.span));
        around.any(|(_, block)| matches!(block.kind, BlockKind::Then(condition) if asks_done(facts, condition)))
    }

    /// Whether all that a function of the program would send is spared to this caller.
    fn asks_nobody(&self, call: CallRef) -> bool {
        let mut edges = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).peekable();
        edges.peek().is_some()
            && edges.all(|edge| {
                let mut sending = self.calls_in(edge.target).filter(|&inner| self.counts_as_sent(inner)).peekable();
                sending.peek().is_some() && sending.all(|inner| self.is_spared(inner, edge))
            })
    }

    /// Whether a call is the second choice for a parameter that this caller gives: `const all = known || (await ask())`.
    fn is_spared(&self, call: CallRef, edge: &Edge) -> bool {
        let facts = self.facts(call.file);
        let span = facts.span(facts.call(call.call).expr);
        let given = |expr: ExprId| {
            let param = match *facts.expr(expr) {
                ExprKind::Ref(name, block) => facts.lookup(block, name).and_then(|def| {
                    facts.def(def).values.iter().find_map(|&value| match *facts.expr(value) {
                        ExprKind::Param(function, index) if function == edge.target.function => Some(index),
                        _ => None,
                    })
                }),
                _ => None,
            };
            let caller = self.facts(edge.call.file);
            let args = &caller.call(edge.call.call).args;
            let arg = param.and_then(|index| args.get(usize::from(index)));
            edge.kind == EdgeKind::Direct
                && edge.target.file == call.file
                && arg.is_some_and(|arg| arg.name.is_none() && !matches!(caller.expr(arg.value), ExprKind::Null))
        };
        facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Op(Op::Or | Op::Nullish, parts) if expr.span.contains(span) => match &parts[..] {
                [first, rest @ ..] => rest.iter().any(|&part| facts.span(part).contains(span)) && given(*first),
                [] => false,
            },
            _ => false,
        })
    }

    /// Whether a call stands in a loop through a collection of its own function.
    fn is_iterated(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let function = facts.function_of(facts.call(call.call).block);
        let mut around = facts.enclosing(facts.call(call.call).block).take_while(|(_, b)| b.function == function);
        around.any(|(_, block)| matches!(block.kind, BlockKind::Loop(Some(_))))
    }
}
