//! Handlers that throw in the end, and before that give a stand-in where they have one, without a word:
//! `except Exception: if other_key: return {"key": other_key}; raise`.

use std::collections::BTreeMap;

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Step};
use crate::finding::{FileId, Place};
use crate::program::Program;
use crate::program::terms::{Ending, Guard, Handler, ending};

use super::{Instead, Swallowed, blocks_within};

impl Program {
    /// The handlers around a vendor's call that go on with a stand-in on one of their arms, and tell nobody.
    pub(super) fn on_an_arm(&self) -> Vec<Swallowed> {
        let mut found: BTreeMap<(FileId, BlockId), Swallowed> = BTreeMap::new();
        for failing in self.vendor_failures() {
            let call = failing.at;
            let facts = self.facts(call.file);
            let block = facts.call(call.call).block;
            let own = facts.function_of(block);
            let around = facts.enclosing(block).take_while(|(_, block)| block.function == own);
            let Some((body, _)) = around.into_iter().find(|(_, block)| block.kind == BlockKind::Try) else { continue };
            for &handler in self.around(call).handlers(body) {
                let Some(value) = stand_in_on_an_arm(facts, handler) else { continue };
                let function = self.function_of(call);
                let inside = blocks_within(facts, handler);
                let guard = Guard { body: Some(body), handler: Handler::Block(handler), ending: Ending::Throws };
                if self.is_for_something_else(call.file, handler, failing)
                    || self.tells(call.file, &inside)
                    || self.reads_caught(call.file, &inside, &guard)
                    || self.is_told_by(function, value, &guard)
                {
                    continue;
                }
                let place = Place { file: call.file, span: facts.block(handler).span };
                let swallowed = found.entry((call.file, handler));
                swallowed
                    .or_insert_with(|| Swallowed {
                        place,
                        function,
                        instead: Instead::OnAnArm,
                        failing: vec![],
                        decides: None,
                    })
                    .failing
                    .push((call, failing));
            }
        }
        found.into_values().collect()
    }
}

/// The value that an arm of a handler leaves with, where the handler throws otherwise: one that is made there, not what
/// another attempt or an answer that was kept gives.
fn stand_in_on_an_arm(facts: &Facts, handler: BlockId) -> Option<ExprId> {
    if ending(facts, handler) != Ending::Throws {
        return None;
    }
    facts.block(handler).steps.iter().find_map(|step| match *step {
        Step::If { then, otherwise: None, .. } => match ending(facts, then) {
            Ending::Returns(Some(value)) => match facts.expr(value) {
                ExprKind::Object(entries) => (!entries.is_empty()).then_some(value),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
