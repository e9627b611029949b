//! Rows that code writes, held against what the migrations say of their table: whether a second one is refused.

use super::repeats::Ids;
use crate::finding::Place;
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
