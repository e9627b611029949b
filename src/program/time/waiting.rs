//! What an entry point waits for before it answers: what it sends, itself and through what it calls, on the way.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::catalogue::KnownRole;
use crate::facts::{BlockId, BlockKind, Facts, Span, Step};
use crate::finding::FileId;
use crate::program::callers::branches::Picks;
use crate::program::repeats::retries::How;
use crate::program::terms::{Ending, ending};
use crate::program::time::timing::Limit;
use crate::program::{CallRef, Edge, EdgeKind, Entry, FunctionRef, Program};

/// Something that is waited for.
#[derive(Debug, Clone)]
pub struct Waited {
    /// The call that sends it.
    pub call: CallRef,
    /// From the entry's function to it.
    pub way: Vec<Edge>,
    /// It is sent once for each element of a loop.
    pub each: bool,
}

/// A function that is come to.
struct Stop {
    function: FunctionRef,
    way: Vec<Edge>,
    looped: bool,
    /// What the app's own request says that leads to it.
    picks: Option<Picks>,
}

impl Stop {
    fn first(function: FunctionRef) -> Self {
        Self { function, way: vec![], looped: false, picks: None }
    }
}

/// Functions looked into from one entry point.
const MOST_FUNCTIONS: usize = 400;

impl Program {
    /// What an entry point sends to others and waits for, nearest first. What is left to run later, what nothing
    /// awaits, what runs after the answer or only when something failed is not waited for.
    pub fn waited_for(&self, entry: &Entry) -> Vec<Waited> {
        let mut found = Vec::new();
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::from_iter([entry.function]);
        let mut queue: VecDeque<Stop> = VecDeque::from([Stop::first(entry.function)]);
        while let Some(Stop { function, way, looped, picks }) = queue.pop_front() {
            for call in self.calls_in(function) {
                if picks.as_ref().is_some_and(|picks| !self.may_be_picked(picks, call)) {
                    continue;
                }
                // A wrapper of the program may leave what it sends to itself: that is seen inside.
                let own = self.edges(call).iter().any(|edge| edge.kind == EdgeKind::Direct);
                let sends = !own && self.counts_as_sent(call);
                if !sends && self.edges(call).is_empty() {
                    continue;
                }
                if self.runs_on_failure(call) || self.is_deferred(call) || self.has_role(call, KnownRole::Defer) {
                    continue;
                }
                let first = way.first().map_or(call, |edge| edge.call);
                if self.answered_before(entry, first).is_some() {
                    continue;
                }
                let each = looped || self.in_loop(call);
                if sends {
                    if !self.is_floating(call) {
                        found.push(Waited { call, way: way.clone(), each });
                    }
                    continue;
                }
                for &edge in self.edges(call).iter().filter(|edge| self.waits_on(edge)) {
                    let jumps = edge.kind == EdgeKind::Jump;
                    // The app's own request that gives up by itself.
                    if jumps && self.requests_at(call).iter().any(|http| self.time_limit(http) == Limit::Set) {
                        continue;
                    }
                    if seen.len() < MOST_FUNCTIONS && seen.insert(edge.target) {
                        let mut way = way.clone();
                        way.push(edge);
                        let each = each || edge.kind == EdgeKind::Callback && self.runs_each(edge.call);
                        let picks = jumps.then(|| self.picks(call));
                        queue.push_back(Stop { function: edge.target, way, looped: each, picks });
                    }
                }
            }
        }
        found
    }

    /// Whether whoever makes a call also waits for what it makes run.
    pub(in crate::program) fn waits_on(&self, edge: &Edge) -> bool {
        let floating = self.is_floating(edge.call);
        match edge.kind {
            EdgeKind::Deferred => false,
            EdgeKind::Jump => !floating,
            EdgeKind::Direct => !(floating && self.facts(edge.target.file).function(edge.target.function).is_async),
            EdgeKind::Callback => match self.method_of(edge.call) {
                Some("catch") => false,
                Some("then" | "finally") => !floating,
                _ => !(floating && self.facts(edge.target.file).function(edge.target.function).is_async),
            },
        }
    }

    /// Whether whoever starts a way waits until its end.
    pub fn is_waited_for(&self, way: &[Edge]) -> bool {
        way.iter().all(|edge| {
            let left = self.is_deferred(edge.call) || self.has_role(edge.call, KnownRole::Defer);
            !left && self.waits_on(edge)
        })
    }

    fn method_of(&self, call: CallRef) -> Option<&'static str> {
        let facts = self.facts(call.file);
        match facts.expr(facts.call(call.call).callee) {
            crate::facts::ExprKind::Member(_, name) => {
                ["catch", "then", "finally", "map", "forEach"].into_iter().find(|known| *name == *known)
            }
            _ => None,
        }
    }

    fn runs_each(&self, call: CallRef) -> bool {
        matches!(self.method_of(call), Some("map" | "forEach"))
    }

    /// Whether a loop of its own function makes a call once for each element: none that is only there to try it again,
    /// and none that ends once it is made.
    fn in_loop(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let block = facts.call(call.call).block;
        let function = facts.function_of(block);
        let mut inner: Vec<BlockId> = Vec::new();
        for (at, shape) in facts.enclosing(block).take_while(|(_, block)| block.function == function) {
            let goes_round = |at| !ends_round(facts, &inner) && !self.is_retry_loop(call.file, at);
            if matches!(shape.kind, BlockKind::Loop(_)) && goes_round(at) {
                return true;
            }
            inner.push(at);
        }
        false
    }

    fn is_retry_loop(&self, file: FileId, block: BlockId) -> bool {
        self.retries().iter().any(|retry| retry.place.file == file && retry.how == How::Loop(block))
    }

    /// Whether some part of what a call gives stands in what an entry point answers with, or is said through a
    /// document that is: the caller asked for it.
    pub fn is_answered_with(&self, entry: &Entry, call: CallRef) -> bool {
        let facts = self.facts(entry.function.file);
        let functions = self.with_inner(entry.function);
        let returns: Vec<Span> = facts
            .blocks
            .iter()
            .filter(|block| functions.iter().any(|function| function.function == block.function))
            .flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                crate::facts::Step::Return(Some(value)) => Some(facts.span(*value)),
                _ => None,
            })
            .collect();
        self.looks(call).iter().any(|look| {
            let span = self.facts(look.at.file).span(look.at.expr);
            let returned = look.at.file == entry.function.file && returns.iter().any(|answer| answer.contains(span));
            returned || self.is_said(look.at)
        })
    }

    /// `twiml.say(reply)`, `res.json({ reply })`
    fn is_said(&self, at: crate::program::ExprRef) -> bool {
        let facts = self.facts(at.file);
        self.readers(at.file).uses(at.expr).iter().any(|used| {
            let crate::program::values::readers::Use::Arg(call, _) = used else { return false };
            let name = match facts.expr(facts.call(*call).callee) {
                crate::facts::ExprKind::Member(_, name) | crate::facts::ExprKind::Ref(name, _) => name.as_str(),
                _ => return false,
            };
            matches!(
                name,
                "say" | "gather" | "message" | "Message" | "escapeXml" | "MessagingResponse" | "json" | "send"
            )
        })
    }
}

/// Whether whatever comes through some blocks, from the innermost, leaves the loop around them. What `break` leaves may
/// be a nearer loop or a `switch`.
fn ends_round(facts: &Facts, inner: &[BlockId]) -> bool {
    let holds = |&at: &BlockId| matches!(facts.block(at).kind, BlockKind::Loop(_) | BlockKind::Case(..));
    inner.iter().enumerate().any(|(depth, &at)| {
        let breaks = facts.block(at).steps.iter().any(|step| matches!(step, Step::Break));
        ending(facts, at) != Ending::GoesOn || breaks && !inner[depth..].iter().any(holds)
    })
}
