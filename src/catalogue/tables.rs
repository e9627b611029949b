//! How libraries have code declare the tables of a database.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A way to declare tables in code.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// The package: `npm:drizzle-orm`.
    pub package: String,
    /// How it is written.
    pub form: TableForm,
    /// What makes a table, or what tables derive from, as a dotted path in the package: `pgTable`.
    pub paths: Vec<String>,
    /// Where a class says its table's name: `__tablename__`, `Meta.db_table`.
    pub named_by: Option<String>,
    /// What says that no two rows share a value: a method of a column, an option of it, or a constraint of the table.
    pub unique: Vec<String>,
    /// The same for the primary key.
    pub primary: Vec<String>,
    /// Indexes that are unique when an option of `unique` says so.
    #[serde(default)]
    pub indexes: Vec<String>,
    /// Kinds of columns that are unique without saying so.
    #[serde(default)]
    pub unique_kinds: Vec<String>,
    /// Where a class lists what holds for several columns: `__table_args__`, `Meta.constraints`.
    #[serde(default)]
    pub lists: Vec<String>,
    /// Options of a constraint that name its columns: `columns`, `fields`. Else they are its arguments.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Options or methods after which a constraint holds for some rows only.
    #[serde(default)]
    pub partial: Vec<String>,
    /// The primary key of a table that declares none: `id`.
    pub implicit: Option<String>,
    /// Where it comes from.
    pub source: Source,
}

/// How tables are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableForm {
    /// A call with the table's name, its columns, and what holds for several of them.
    Call,
    /// A class whose fields are the columns.
    Class,
    /// A class whose decorator makes it a table, and whose fields' decorators make the columns.
    Decorated,
    /// A construction with the fields; indexes are added to it later, and a model is made of it.
    Document,
}

/// How migrations that are code change tables.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableChanges {
    /// The package that migrations import: `pypi:alembic`.
    pub package: String,
    /// Calls that make columns unique, by their last names; the columns are a list, the table's name stands before it
    /// or where the chain begins.
    #[serde(default)]
    pub unique: Vec<String>,
    /// The same where their option `unique` says so.
    #[serde(default)]
    pub indexes: Vec<String>,
    /// The same for a model, said by keywords.
    #[serde(default)]
    pub models: Vec<String>,
    /// Calls that take a key away, by its name.
    #[serde(default)]
    pub drops: Vec<String>,
    /// Calls whose first argument is SQL.
    #[serde(default)]
    pub sql: Vec<String>,
    /// Functions that take the change back.
    #[serde(default)]
    pub undone_in: Vec<String>,
    /// In SQL, the app's name stands before the model's.
    #[serde(default)]
    pub prefixed: bool,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// How migrations that are code change tables.
    pub fn table_changes(&self) -> &[TableChanges] {
        &self.table_changes
    }

    /// The ways to declare tables.
    pub fn tables(&self) -> &[Tables] {
        &self.tables
    }
}
