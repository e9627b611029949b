//! Tables that code or a schema file declares, beside what migrations make: each file is a history of its own, whose
//! tables are reached by no browser.

use super::model::{Held, History, Id, RowSecurity, Table, UniqueIndex};
use super::statement::{Asks, Constraint};
use super::{Column, Database};
use crate::finding::{FileId, Place};
use crate::names::Name;

/// A table as code declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The table's name.
    pub table: Name,
    /// The name under which clients made of a schema know it.
    pub model: Option<Name>,
    /// What declares it.
    pub place: Place,
    /// The beginning of that, to be shown.
    pub head: Place,
    /// Its columns: what code calls them, and their names.
    pub fields: Vec<(Name, Name)>,
    /// What no two rows share.
    pub keys: Vec<Key>,
    /// Something of it could not be read.
    pub unsure: Option<Place>,
}

/// What no two rows of a table share.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// It is the primary key.
    pub primary: bool,
    /// The fields, as code calls them; none when it is over an expression.
    pub fields: Option<Vec<Name>>,
    /// It holds for some rows only.
    pub partial: bool,
}

impl Key {
    /// A key over one field.
    pub fn of(field: Name, primary: bool) -> Self {
        Self { primary, fields: Some(vec![field]), partial: false }
    }
}

impl Database {
    /// Takes in the tables that one file declares.
    pub fn declare(&mut self, file: FileId, path: &str, declared: Vec<Declared>) {
        if declared.is_empty() {
            return;
        }
        let mut history = History::new(path, true, false);
        history.files = vec![file];
        let mut made: Vec<(Table, Declared)> = declared.into_iter().map(|one| (table(&one), one)).collect();
        made.sort_by_key(|(table, declared)| (table.id, declared.place));
        let of = self.histories.len();
        for (at, (table, declared)) in made.into_iter().enumerate() {
            self.declared.insert(declared.place, (of, at));
            if let Some(model) = declared.model {
                self.models.entry(model).or_default().push((of, at));
            }
            history.tables.push(table);
        }
        self.histories.push(history);
    }
}

fn table(declared: &Declared) -> Table {
    let id = Id { schema: Name::new("public"), name: declared.table };
    let column = |field: Name| {
        let known = declared.fields.iter().find(|(name, _)| *name == field);
        known.map_or(field, |(_, column)| *column)
    };
    let kind = Name::new("");
    let columns =
        declared.fields.iter().map(|&(_, name)| Column { name, kind, default: None, span: declared.head.span });
    let (mut constraints, mut unique) = (vec![], vec![]);
    for key in &declared.keys {
        let columns: Option<Vec<Name>> =
            key.fields.as_ref().map(|fields| fields.iter().map(|&field| column(field)).collect());
        match columns {
            Some(columns) if !key.partial => {
                let asks = if key.primary { Asks::Primary } else { Asks::Unique };
                constraints.push(Constraint { name: None, asks, columns, index: None, span: declared.head.span });
            }
            columns => unique.push(UniqueIndex { name: None, columns, partial: key.partial }),
        }
    }
    Table {
        id,
        made: Some(declared.place),
        head: Some(declared.head),
        columns: columns.collect(),
        constraints,
        unique,
        security: RowSecurity::Never,
        forced: false,
        policies: vec![],
        partition_of: None,
        rights: Held::default(),
        unsure: declared.unsure,
        fields: declared.fields.iter().filter(|(field, column)| field != column).copied().collect(),
    }
}
