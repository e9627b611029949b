//! Rows into which everything is put that somebody else wrote: `insert({ owner, ...JSON.parse(text) })` lets the text
//! choose the columns.

use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::names::Name;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// How far a value is followed.
const DEEPEST: usize = 8;

/// A row that takes whatever a value holds.
#[derive(Debug, Clone, Copy)]
pub struct SpreadRow {
    /// What is spread.
    pub at: ExprRef,
    /// The write.
    pub write: CallRef,
    /// A column that the row names before, and that the spread value writes over.
    pub over: Option<Name>,
}

impl Program {
    /// The write into whose row all of what a call gave is spread, in its own function or where that hands it on.
    pub fn spread_into_row(&self, made: CallRef) -> Option<SpreadRow> {
        let own = self.function_of(made);
        let mut functions = self.with_inner(own);
        for &caller in self.callers(own).iter().take(8) {
            functions.extend(self.with_inner(self.function_of(caller)));
        }
        functions.into_iter().flat_map(|function| self.calls_in(function)).filter(|&at| self.stores(at)).find_map(
            |write| {
                let facts = self.facts(write.file);
                facts.call(write.call).args.iter().find_map(|arg| {
                    if arg.name.is_some_and(|name| name == "**") {
                        let is_it = self.is_made_by(ExprRef::new(write.file, arg.value), made, DEEPEST);
                        return is_it.then(|| SpreadRow { at: ExprRef::new(write.file, arg.value), write, over: None });
                    }
                    self.spread_in(facts, write, arg.value, made, 3)
                })
            },
        )
    }

    fn spread_in(&self, facts: &Facts, write: CallRef, row: ExprId, made: CallRef, depth: usize) -> Option<SpreadRow> {
        let depth = depth.checked_sub(1)?;
        match facts.expr(row) {
            ExprKind::Object(entries) => {
                let at = entries.iter().position(|&(key, value)| {
                    key == "..." && self.is_made_by(ExprRef::new(write.file, value), made, DEEPEST)
                })?;
                let named = entries[..at].iter().map(|&(key, _)| key).filter(|key| *key != "...");
                let later: Vec<Name> = entries[at + 1..].iter().map(|&(key, _)| key).collect();
                let over = named.into_iter().find(|key| !later.contains(key));
                Some(SpreadRow { at: ExprRef::new(write.file, entries[at].1), write, over })
            }
            ExprKind::List(items) => items.iter().find_map(|&item| self.spread_in(facts, write, item, made, depth)),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice())
            {
                Some([only]) => self.spread_in(facts, write, *only, made, depth),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value is what a call gave, as a whole, at least on some way.
    fn is_made_by(&self, at: ExprRef, made: CallRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_made_by(ExprRef::new(at.file, expr), made, depth);
        match facts.expr(at.expr) {
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                call == made || self.function_of(made) != self.function_of(call) && self.gives_back(call, made, depth)
            }
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
            }
            _ => false,
        }
    }

    /// Whether a call runs the function of another, which returns what that gave.
    fn gives_back(&self, call: CallRef, made: CallRef, depth: usize) -> bool {
        let function: FunctionRef = self.function_of(made);
        let facts = self.facts(made.file);
        let runs = self.edges(call).iter().any(|edge| edge.kind == EdgeKind::Direct && edge.target == function);
        runs && facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| &block.steps).any(
            |step| matches!(step, Step::Return(Some(value)) if self.is_made_by(ExprRef::new(made.file, *value), made, depth)),
        )
    }
}
