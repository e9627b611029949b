//! What the database is after all migrations: plain data, with the places that made it so.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::cursor::Qualified;
use super::statement::{Asks, Column, Command, Constraint, Rights};
use crate::facts::Span;
use crate::finding::{FileId, Place};
use crate::names::Name;

/// Everything that the SQL of a repository says.
#[derive(Debug, Default)]
pub struct Database {
    /// Each set of migrations that builds a database of its own, in the order of its folder.
    pub histories: Vec<History>,
    /// Where the lines of each file begin, by file.
    pub(super) lines: Vec<(FileId, Vec<u32>)>,
    /// The tables that code declares: the history, and the position in it, by the place that declares them.
    pub(super) declared: FxHashMap<Place, (usize, usize)>,
    /// The same by the name under which clients made of a schema know them.
    pub(super) models: FxHashMap<Name, Vec<(usize, usize)>>,
}

/// Files that build a database, one after the other.
#[derive(Debug, Clone)]
pub struct History {
    /// Where they lie: `supabase/migrations`; empty for scripts at the root.
    pub folder: Name,
    /// Their order is known. Scripts that are run by hand have none.
    pub ordered: bool,
    /// Browsers reach the tables of exposed schemas by the platform's data interface.
    pub exposed: bool,
    /// The schemas that browsers reach.
    pub schemas: Vec<Name>,
    /// The files, in the order they run.
    pub files: Vec<FileId>,
    /// The tables that are there in the end, by schema and name.
    pub tables: Vec<Table>,
    /// Views, by schema and name.
    pub views: BTreeMap<Id, View>,
    /// Functions, by schema and name.
    pub functions: BTreeMap<Id, Routine>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Scheduled jobs, in the order they were made.
    pub jobs: Vec<Job>,
    /// Storage buckets, and whether everyone may read them.
    pub buckets: BTreeMap<Name, Bucket>,
    /// Tables whose changes are broadcast, by publication; none for all tables.
    pub publications: BTreeMap<Name, Option<Vec<Id>>>,
    /// Statements that were not understood though they may matter.
    pub gaps: Vec<Place>,
}

/// The schema and the name of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// The schema.
    pub schema: Name,
    /// The name in it.
    pub name: Name,
}

impl Id {
    /// What a name means: in `public` when it says no schema.
    pub fn of(name: Qualified) -> Self {
        Self { schema: name.schema.unwrap_or_else(|| Name::new("public")), name: name.name }
    }

    /// As SQL writes it.
    pub fn sql(self) -> String {
        let quoted = super::read::templates::quoted;
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// Whether row level security is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSecurity {
    /// No statement ever switched it.
    Never,
    /// Switched off here.
    Off(Place),
    /// Switched on; by the platform where there is no place.
    On(Option<Place>),
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its schema and name.
    pub id: Id,
    /// The statement that made it; none when no migration does (made by hand, or the platform's own).
    pub made: Option<Place>,
    /// That statement's head: `create table orders`; that of a script beside the migrations where none makes it.
    pub head: Option<Place>,
    /// The columns.
    pub columns: Vec<Column>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Unique indexes beside the constraints.
    pub unique: Vec<UniqueIndex>,
    /// Row level security.
    pub security: RowSecurity,
    /// It holds for the owner as well.
    pub forced: bool,
    /// The policies, in the order they were made.
    pub policies: Vec<Policy>,
    /// The table it is a part of.
    pub partition_of: Option<Id>,
    /// What `anon`, `authenticated` and `public` may do by their grants.
    pub rights: Held,
    /// A statement that was not understood and names it, or that may have switched its security.
    pub unsure: Option<Place>,
    /// The columns that code calls by another name: theirs, and the column's.
    pub fields: Vec<(Name, Name)>,
}

/// What the platform's roles may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Who is not signed in.
    pub anon: Rights,
    /// Who is signed in.
    pub authenticated: Rights,
    /// Everyone.
    pub public: Rights,
}

/// A unique index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueIndex {
    /// Its name.
    pub name: Option<Name>,
    /// Its columns; none when it is over an expression.
    pub columns: Option<Vec<Name>>,
    /// Only over some rows.
    pub partial: bool,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Permissive; a restrictive one only narrows.
    pub permissive: bool,
    /// What it allows.
    pub command: Command,
    /// To whom; empty when it does not say, which means everyone.
    pub roles: Vec<Name>,
    /// Which rows can be seen and touched.
    pub using: Option<Box<str>>,
    /// Which rows may be written.
    pub check: Option<Box<str>>,
    /// The head of the statement that made it: `create policy p on t`.
    pub place: Place,
    /// The statement that changed it last.
    pub altered: Option<Place>,
    /// It may have been dropped by a statement that was not understood.
    pub unsure: Option<Place>,
}

/// A view.
#[derive(Debug, Clone)]
pub struct View {
    /// It asks with the rights of who reads it.
    pub invoker: bool,
    /// It keeps what it read.
    pub materialized: bool,
    /// What it reads.
    pub query: Arc<str>,
    /// What the platform's roles may do with it by their grants.
    pub rights: Held,
    /// The statement that made it.
    pub place: Place,
}

/// A function of the database.
#[derive(Debug, Clone)]
pub struct Routine {
    /// It runs with the rights of who made it.
    pub security_definer: bool,
    /// It returns `trigger` or `event_trigger`.
    pub returns_trigger: bool,
    /// It says itself where names are looked for.
    pub sets_search_path: bool,
    /// Its parameters' names.
    pub parameters: Vec<Name>,
    /// Its parameters with their types, in lower case.
    pub takes: Box<str>,
    /// Its body.
    pub body: Arc<str>,
    /// The HTTP requests it makes.
    pub requests: Vec<Request>,
    /// The statement that made it.
    pub place: Place,
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// The table.
    pub table: Id,
    /// What it runs.
    pub function: Qualified,
    /// The arguments it hands on.
    pub arguments: Vec<String>,
    /// The statement that made it.
    pub place: Place,
}

/// A scheduled job of the database.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name, when it has one.
    pub name: Option<Name>,
    /// When, as it is written: `0 * * * *`, `30 seconds`; none when it is put together.
    pub schedule: Option<Box<str>>,
    /// Where the schedule is written.
    pub schedule_place: Place,
    /// What runs: SQL.
    pub command: Box<str>,
    /// The HTTP requests it makes, also through functions of the database.
    pub requests: Vec<Request>,
    /// The statement that schedules it.
    pub place: Place,
}

/// An HTTP request that the database makes.
#[derive(Debug, Clone)]
pub struct Request {
    /// `post`, `get`, `delete`.
    pub method: &'static str,
    /// Its address, with `{}` for what is not written: `{}/functions/v1/daily-report`.
    pub url: Box<str>,
    /// Its headers as they are written.
    pub headers: Box<str>,
    /// Where it stands.
    pub place: Place,
}

/// A storage bucket.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Everyone may read what is in it.
    pub public: bool,
    /// The statement that made or last changed it.
    pub place: Place,
}

/// Whether a table refuses a second row with the same values in some columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// It does.
    Yes,
    /// The migrations make the table, and nothing of the kind.
    No,
    /// No migration makes the table, or not all was understood.
    Unknown,
}

impl Database {
    /// Every scheduled job.
    pub fn jobs(&self) -> impl Iterator<Item = (&History, &Job)> {
        self.histories.iter().flat_map(|history| history.jobs.iter().map(move |job| (history, job)))
    }

    /// The tables of a name, in any history: in an exposed schema when none is said.
    pub fn tables<'d>(&'d self, name: &str) -> impl Iterator<Item = (&'d History, &'d Table)> {
        let (schema, name) = match name.split_once('.') {
            Some((schema, name)) => (Name::new(schema), Name::new(name)),
            None => (Name::new("public"), Name::new(name)),
        };
        let id = Id { schema, name };
        self.histories.iter().filter_map(move |history| Some((history, history.table(id)?)))
    }

    /// The tables that a name in code stands for, in any history: that of a table, or of a model.
    pub fn called<'d>(&'d self, name: &str) -> impl Iterator<Item = (&'d History, &'d Table)> {
        let models = self.models.get(&Name::new(name)).into_iter().flatten();
        let by_model = models.map(|&(history, at)| (&self.histories[history], &self.histories[history].tables[at]));
        self.tables(name).chain(by_model)
    }

    /// The table that is declared at a place in code.
    pub fn declared(&self, place: Place) -> Option<&Table> {
        self.declared.get(&place).map(|&(history, at)| &self.histories[history].tables[at])
    }
}

impl History {
    /// One whose files have not run yet.
    pub fn new(folder: &str, ordered: bool, exposed: bool) -> Self {
        Self {
            folder: Name::new(folder),
            ordered,
            exposed,
            schemas: vec![Name::new("public")],
            files: vec![],
            tables: vec![],
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            triggers: vec![],
            jobs: vec![],
            buckets: BTreeMap::new(),
            publications: BTreeMap::new(),
            gaps: vec![],
        }
    }

    /// Whether browsers reach a table by the platform's data interface.
    pub fn reaches(&self, table: &Table) -> bool {
        self.exposed && self.schemas.contains(&table.id.schema)
    }

    /// A table that is there in the end.
    pub fn table(&self, id: Id) -> Option<&Table> {
        self.tables.binary_search_by_key(&id, |table| table.id).ok().map(|at| &self.tables[at])
    }
}

impl Table {
    /// Whether a second row with the same values in these columns is refused: some unique key lies within them.
    pub fn is_unique(&self, columns: &[&str]) -> bool {
        let columns = self.columns_of(columns);
        let within = |of: &[Name]| !of.is_empty() && of.iter().all(|name| columns.contains(name));
        let by_constraint = self
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.asks, Asks::Primary | Asks::Unique) && within(&constraint.columns));
        by_constraint
            || self
                .unique
                .iter()
                .any(|index| !index.partial && index.columns.as_ref().is_some_and(|columns| within(columns)))
    }

    /// Whether a second row may be refused for all that is known: a key over an expression or over some rows, or a
    /// statement that was not understood.
    pub fn may_be_unique(&self, columns: &[&str]) -> bool {
        let columns = self.columns_of(columns);
        self.made.is_none()
            || self.unsure.is_some()
            || self.unique.iter().any(|index| match &index.columns {
                Some(of) => of.iter().all(|name| columns.contains(name)),
                None => true,
            })
    }

    /// The columns that names in code stand for.
    fn columns_of(&self, names: &[&str]) -> Vec<Name> {
        let column = |name: &&str| {
            let known = self.fields.iter().find(|(field, _)| field == *name);
            known.map_or_else(|| Name::new(name), |(_, column)| *column)
        };
        names.iter().map(column).collect()
    }

    /// Every set of columns that no two rows share, also partial ones.
    pub fn unique_keys(&self) -> impl Iterator<Item = &[Name]> {
        let constraints = self.constraints.iter();
        let by_constraint = constraints.filter(|constraint| matches!(constraint.asks, Asks::Primary | Asks::Unique));
        let by_index = self.unique.iter().filter_map(|index| index.columns.as_deref());
        by_constraint.map(|constraint| constraint.columns.as_slice()).chain(by_index)
    }

    /// Whether all of its columns are known: those of a table made by hand, or from a query, are not.
    pub(super) fn is_whole(&self) -> bool {
        self.made.is_some() && !self.columns.is_empty() && self.unsure.is_none()
    }

    /// A column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

/// A place in a file of a history.
pub(super) fn place(file: FileId, span: Span) -> Place {
    Place { file, span }
}
