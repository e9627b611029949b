//! Rows that code writes, held against what the migrations say of their table: whether a second one is refused.

use super::repeats::Ids;
use crate::facts::{ExprId, ExprKind};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, Program};
use crate::sql::Unique;

impl Program {
    /// Whether the table refuses a second row with what this insert writes.
    pub fn refuses_again(&self, at: CallRef) -> Unique {
        let Some(table) = self.table_of(at) else { return Unique::Unknown };
        let ids = self.ids_written(at);
        if ids.opaque || ids.stable.is_empty() {
            // What is written is not all known: only a key over nothing at all could be told.
            return Unique::Unknown;
        }
        let columns: Vec<&str> = ids.stable.iter().map(|name| name.as_str()).collect();
        self.database().is_unique(&table, &columns)
    }

    /// Where the migrations make the table that a call is about.
    pub fn table_made(&self, at: CallRef) -> Option<Place> {
        let table = self.table_of(at)?;
        self.database().tables(&table).find_map(|(_, table)| table.head)
    }

    /// The names of the fields that a write sets, as far as they are written in place.
    pub fn fields_written(&self, at: CallRef) -> Vec<Name> {
        let facts = self.facts(at.file);
        let chain = self.chain(at).filter(|(_, name)| matches!(name.as_str(), "values" | "set")).map(|(at, _)| at.call);
        let mut names = Vec::new();
        let mut open: Vec<ExprId> = std::iter::once(at.call)
            .chain(chain)
            .flat_map(|call| facts.call(call).args.iter().map(|arg| arg.value))
            .collect();
        while let Some(expr) = open.pop() {
            if let ExprKind::Object(entries) = facts.expr(expr) {
                for &(key, value) in entries.iter().filter(|(key, _)| *key != "where") {
                    names.push(key);
                    open.push(value);
                }
            }
        }
        names
    }

    /// What the row of an insert holds.
    pub(super) fn ids_written(&self, at: CallRef) -> Ids {
        let facts = self.facts(at.file);
        // `insert(table).values({ .. })`
        let chain = self.chain(at).filter(|(_, name)| *name == "values").map(|(at, _)| at.call);
        let mut ids = Ids::default();
        for call in std::iter::once(at.call).chain(chain) {
            for arg in &facts.call(call).args {
                ids.look(self, ExprRef::new(at.file, arg.value), arg.name, 5);
            }
        }
        ids
    }
}
