//! What an iteration sends for each element.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::{Iteration, is_run};
use crate::facts::{BlockKind, Span};
use crate::program::{CallRef, Edge, FunctionRef, Program};

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
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
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
                if self.runs_on_failure(call) || region.is_none() && !way.is_empty() && self.is_iterated(call) {
                    continue;
                }
                if self.counts_as_sent(call) {
                    found.push(Sent { call, way: way.clone() });
                    continue;
                }
                for &edge in self.edges(call).iter().filter(|edge| is_run(self, edge)) {
                    if seen.len() < MOST_FUNCTIONS && seen.insert(edge.target) {
                        let mut way = way.clone();
                        way.push(edge);
                        queue.push_back((edge.target, None, way));
                    }
                }
            }
        }
        found
    }

    /// Whether a call stands in a loop through a collection of its own function.
    fn is_iterated(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let function = facts.function_of(facts.call(call.call).block);
        let mut around = facts.enclosing(facts.call(call.call).block).take_while(|(_, b)| b.function == function);
        around.any(|(_, block)| matches!(block.kind, BlockKind::Loop(Some(_))))
    }
}
