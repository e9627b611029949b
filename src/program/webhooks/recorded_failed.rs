//! Deliveries that are written down as handled where their work has failed: the sender is told so and tries again, and
//! the second delivery finds the record and is turned away.

use crate::facts::{Arg, BlockId, BlockKind, Facts};
use crate::names::Name;
use crate::program::money::core_paths::says::tells_failure_of;
use crate::program::terms::{Ending, ending};
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::webhooks::recorded_early::{is_state, names_state};
use crate::program::{CallRef, EdgeKind, Entry, FunctionRef, Program};

/// A delivery that is written down as handled though its work failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedFailed {
    /// What writes it down, or the call that leads there.
    pub record: CallRef,
    /// The work that has failed by then.
    pub work: CallRef,
}

fn says_state(facts: &Facts, arg: &Arg) -> bool {
    arg.name.is_some_and(|name| is_state(&name)) || names_state(facts, arg.value, 5)
}

impl Program {
    /// Where a handler writes an event down in the arm for its failed work, answers an error, and turns away what is
    /// written down. None where what is written or asked says how far the work has come.
    pub fn recorded_failed(&self, handler: &WebhookHandler) -> Option<RecordedFailed> {
        let entry = &self.entries[handler.entry];
        let looks = self.looks_of(handler);
        let asks = |&look: &CallRef| {
            let facts = self.facts(look.file);
            let stateless = facts.call(look.call).args.iter().all(|arg| !says_state(facts, arg));
            self.table_asked(look).filter(|_| stateless)
        };
        let asked: Vec<Name> = looks.iter().filter_map(asks).collect();
        let functions = self.functions_of(handler);
        let works: Vec<CallRef> = self.works_of(handler);
        functions.iter().flat_map(|&function| self.calls_in(function)).find_map(|at| {
            let record = self.writes_down(at, &asked)?;
            let table = self.table_added_to(record)?;
            if !self.asks_no_state(record, table) || looks.contains(&at) {
                return None;
            }
            let work = works.iter().find(|&&work| self.is_for_failure(entry, at, work))?;
            Some(RecordedFailed { record: at, work: *work })
        })
    }

    /// What a handler's work is, and the calls that lead to it.
    fn works_of(&self, handler: &WebhookHandler) -> Vec<CallRef> {
        let reach = self.reach(self.entries[handler.entry].function, |edge| edge.kind != EdgeKind::Jump);
        let deeds = handler.account.deeds.iter().filter(|deed| !deed.records);
        let ways = deeds.flat_map(|deed| {
            let stop = reach.stops.iter().position(|stop| stop.function == self.function_of(deed.at));
            let way = stop.map(|stop| reach.way(stop)).unwrap_or_default();
            way.into_iter().map(|edge| edge.call).chain([deed.at]).collect::<Vec<_>>()
        });
        ways.collect()
    }

    /// The call by which a row that says nothing of its state gets into one of some tables: the call itself, or one in
    /// the helper that it asks.
    fn writes_down(&self, at: CallRef, tables: &[Name]) -> Option<CallRef> {
        let adds = |&at: &CallRef| {
            let facts = self.facts(at.file);
            self.table_added_to(at).is_some_and(|table| tables.contains(&table))
                && !facts.call(at.call).args.iter().any(|arg| says_state(facts, arg))
        };
        let helpers = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        std::iter::once(at).chain(helpers.flat_map(|edge| self.calls_in(edge.target))).find(adds)
    }

    /// The table that a call adds a row to.
    fn table_added_to(&self, at: CallRef) -> Option<Name> {
        let name = self.called_name(at)?;
        match name.as_str() {
            "insert" | "create" | "insertOne" | "insert_one" | "values" | "upsert" => self.table_of(at),
            _ => None,
        }
    }

    /// Whether a call runs only where another has failed, and an error is answered there.
    fn is_for_failure(&self, entry: &Entry, at: CallRef, work: CallRef) -> bool {
        let function = self.function_of(at);
        if at == work || self.function_of(work) != function {
            return false;
        }
        let facts = self.facts(at.file);
        let around = facts.enclosing(facts.call(at.call).block);
        let mut arms = around.take_while(|(_, block)| block.function == function.function);
        arms.any(|(id, block)| {
            let failed = match block.kind {
                BlockKind::Then(condition) => tells_failure_of(facts, condition, true, work.call),
                BlockKind::Else(condition) => tells_failure_of(facts, condition, false, work.call),
                BlockKind::Catch(_) => self.guards(work).iter().any(
                    |guard| matches!(guard.handler, crate::program::terms::Handler::Block(handler) if handler == id),
                ),
                _ => false,
            };
            failed && self.answers_failure(entry, function, id)
        })
    }

    fn answers_failure(&self, entry: &Entry, function: FunctionRef, block: BlockId) -> bool {
        match ending(self.facts(function.file), block) {
            Ending::Throws => true,
            Ending::Returns(value) => self.leaves_refusing(entry, function, block, value),
            Ending::GoesOn => false,
        }
    }
}
