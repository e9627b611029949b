//! What a statement does, as far as the model asks: plain data, before any of it is applied.

use std::sync::Arc;

use super::cursor::Qualified;
use crate::facts::Span;
use crate::names::Name;

/// A statement of a file that may change the model.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where it stands; within a body, the inner statement.
    pub span: Span,
    /// What it does.
    pub what: What,
    /// It says `if exists`, `if not exists` or `or replace`: what is there, or is not, is no failure.
    pub eased: bool,
}

/// A condition that asks the database's own lists: `if not exists (select from pg_policies where ..)`.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Whether there must be such a row, or none.
    pub wanted: bool,
    /// The rows that are asked for.
    pub over: Over,
}

/// What a parameter is given, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A text, a number, `true` or `false`.
    Text(String),
    /// `null`.
    Null,
}

/// What a statement does.
#[derive(Debug, Clone)]
pub enum What {
    /// `create table`.
    CreateTable(Box<CreateTable>),
    /// `drop table | view | materialized view`.
    Drop { kind: Dropped, names: Vec<Qualified>, cascade: bool },
    /// `alter table`.
    AlterTable { table: Qualified, actions: Vec<Action> },
    /// `alter schema .. rename to`.
    RenameSchema { from: Name, to: Name },
    /// `alter type .. rename to`.
    RenameType { from: Name, to: Name },
    /// `create policy`.
    CreatePolicy(Box<CreatePolicy>),
    /// `alter policy`.
    AlterPolicy(Box<AlterPolicy>),
    /// `drop policy`.
    DropPolicy { name: Name, table: Qualified },
    /// `create unique index`.
    CreateIndex(Box<CreateIndex>),
    /// `grant` and `revoke` on tables.
    Grant(Box<Grant>),
    /// `create function | procedure`.
    CreateFunction(Box<Function>),
    /// `create trigger`.
    CreateTrigger(Trigger),
    /// `drop trigger`.
    DropTrigger { name: Name, table: Qualified },
    /// `create event trigger`: runs this function after statements that change the schema.
    EventTrigger { name: Name, function: Qualified },
    /// `create view`.
    CreateView(Box<View>),
    /// `alter view`.
    AlterView { view: Qualified, change: ViewChange },
    /// Storage buckets made, changed or deleted.
    Buckets(Buckets),
    /// `create publication`, `alter publication`.
    Publish { publication: Name, tables: Vec<Qualified>, how: Publish },
    /// `cron.schedule(..)`.
    Schedule(Box<Schedule>),
    /// `cron.unschedule(..)`, of the jobs that fit.
    Unschedule(Filter),
    /// `alter trigger .. rename to`.
    RenameTrigger { name: Name, table: Qualified, to: Name },
    /// Text that is made and run once for each of some names.
    Each(Box<Each>),
    /// Some statements where a condition holds, others where it does not.
    If { guard: Guard, then: Vec<Statement>, otherwise: Vec<Statement> },
    /// Statements that may not run, or not as they were read: nobody knows whether the database refuses them.
    Maybe(Vec<Statement>),
    /// A block of procedural code.
    Block(Box<Block>),
    /// `return` out of procedural code.
    Return,
    /// The database refuses it: `raise exception`, a form that it does not know.
    Refused(&'static str),
    /// `set search_path`: where names that say no schema are looked for.
    SearchPath(Vec<Name>),
    /// A call of a function whose body may change the schema; none for what is not written there.
    Call { function: Qualified, arguments: Vec<Option<Given>> },
    /// It was not understood; the tables it names.
    Unread(Vec<Qualified>),
}

/// A block of procedural code: all of it is done, or nothing where one of its statements is refused.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it runs.
    pub body: Vec<Statement>,
    /// What runs instead when something in it was refused and undone: `exception when ..`.
    pub handlers: Vec<Handler>,
    /// The whole of a body: what `return` ends.
    pub whole: bool,
}

/// What runs when a block was refused.
#[derive(Debug, Clone)]
pub struct Handler {
    /// Names of conditions: `duplicate_object`, `others`.
    pub conditions: Vec<String>,
    /// What it runs.
    pub body: Vec<Statement>,
}

/// What `drop` drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Tables.
    Table,
    /// Views.
    View,
    /// Functions.
    Function,
    /// Schemas.
    Schema,
    /// Indexes.
    Index,
    /// Types.
    Type,
    /// Event triggers.
    EventTrigger,
}

/// `create table`.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: Qualified,
    /// The statement to the end of the name.
    pub head: Span,
    /// It lives as long as the session.
    pub temporary: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// Constraints, those of columns among them.
    pub constraints: Vec<Constraint>,
    /// The tables whose columns it takes: `like`, `inherits`, `partition of`.
    pub like: Vec<Qualified>,
    /// The table it is a part of.
    pub partition_of: Option<Qualified>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type in lower case, without length: `text`, `uuid`, `timestamp`.
    pub kind: Name,
    /// Whether it has a default.
    pub default: Option<Box<str>>,
    /// Where it is declared.
    pub span: Span,
}

/// What a constraint asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// The primary key.
    Primary,
    /// No two rows with the same values.
    Unique,
    /// A row of another table; its columns when they are named.
    Foreign(Qualified, Vec<Name>),
    /// Anything else.
    Other,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name, given or made up as the database does.
    pub name: Option<Name>,
    /// What it asks.
    pub asks: Asks,
    /// The columns it speaks of.
    pub columns: Vec<Name>,
    /// `using index`: the index that it takes over.
    pub index: Option<Name>,
    /// Where it is declared.
    pub span: Span,
}

/// One action of `alter table`.
#[derive(Debug, Clone)]
pub enum Action {
    /// `add column`, and whether it says `if not exists`.
    AddColumn(Column, Vec<Constraint>, bool),
    /// `drop column [if exists] .. [cascade]`.
    DropColumn { name: Name, cascade: bool, if_there: bool },
    /// `add constraint`, and whether its name is given.
    AddConstraint(Constraint, bool),
    /// `drop constraint`.
    DropConstraint(Name),
    /// `rename to`.
    Rename(Name),
    /// `rename column .. to`.
    RenameColumn(Name, Name),
    /// `rename constraint .. to`.
    RenameConstraint(Name, Name),
    /// `set schema`.
    SetSchema(Name),
    /// `enable | disable row level security`.
    RowSecurity(bool),
    /// `force | no force row level security`.
    Force(bool),
    /// `attach partition`.
    Attach(Qualified),
}

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    /// Everything.
    All,
    /// Reading.
    Select,
    /// New rows.
    Insert,
    /// Changes.
    Update,
    /// Deleting.
    Delete,
}

/// `create policy`.
#[derive(Debug, Clone)]
pub struct CreatePolicy {
    /// Its name.
    pub name: Name,
    /// The table.
    pub table: Qualified,
    /// Permissive; a restrictive one only narrows.
    pub permissive: bool,
    /// The statement to the end of the table's name.
    pub head: Span,
    /// What it allows.
    pub command: Command,
    /// To whom; empty when it does not say, which means everyone.
    pub roles: Vec<Name>,
    /// Which rows can be seen and touched.
    pub using: Option<Box<str>>,
    /// Which rows may be written.
    pub check: Option<Box<str>>,
    /// The tables that its conditions read.
    pub reads: Vec<Qualified>,
}

/// `alter policy`.
#[derive(Debug, Clone)]
pub struct AlterPolicy {
    /// Its name.
    pub name: Name,
    /// The table.
    pub table: Qualified,
    /// Its new name.
    pub rename: Option<Name>,
    /// To whom now.
    pub roles: Option<Vec<Name>>,
    /// Which rows can be seen and touched now.
    pub using: Option<Box<str>>,
    /// Which rows may be written now.
    pub check: Option<Box<str>>,
}

/// `create unique index`.
#[derive(Debug, Clone)]
pub struct CreateIndex {
    /// Its name.
    pub name: Option<Name>,
    /// The table.
    pub table: Qualified,
    /// The columns; none when it is over an expression.
    pub columns: Option<Vec<Name>>,
    /// Only over some rows.
    pub partial: bool,
}

/// `grant` and `revoke`.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Granted, or revoked.
    pub gives: bool,
    /// What: letters of `select`, `insert`, `update`, `delete`.
    pub rights: Rights,
    /// On what.
    pub on: GrantOn,
    /// To whom.
    pub roles: Vec<Name>,
}

/// What a grant is about.
#[derive(Debug, Clone)]
pub enum GrantOn {
    /// Some tables.
    Tables(Vec<Qualified>),
    /// All tables of some schemas that exist by now.
    AllIn(Vec<Name>),
    /// Tables that are made later, in a schema or in all.
    Later(Option<Name>),
}

/// What may be done with the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(pub u8);

impl Rights {
    /// Reading.
    pub const SELECT: Self = Self(1);
    /// New rows.
    pub const INSERT: Self = Self(2);
    /// Changes.
    pub const UPDATE: Self = Self(4);
    /// Deleting.
    pub const DELETE: Self = Self(8);
    /// All four.
    pub const ALL: Self = Self(15);

    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without others.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether any of some is among them.
    pub fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

/// `create function`.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name.
    pub name: Qualified,
    /// It runs with the rights of who made it.
    pub security_definer: bool,
    /// It returns `trigger` or `event_trigger`.
    pub returns_trigger: bool,
    /// It says itself where names are looked for.
    pub sets_search_path: bool,
    /// Its parameters' names, in order.
    pub parameters: Vec<Name>,
    /// Its parameters with their types, in lower case.
    pub takes: Box<str>,
    /// Its body.
    pub body: Arc<str>,
    /// The HTTP requests it makes.
    pub requests: Vec<Request>,
}

/// `create trigger`.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// The table.
    pub table: Qualified,
    /// What it runs.
    pub function: Qualified,
    /// The arguments it hands on: a URL, where it calls a webhook.
    pub arguments: Vec<String>,
}

/// `create view`.
#[derive(Debug, Clone)]
pub struct View {
    /// Its name.
    pub name: Qualified,
    /// It asks with the rights of who reads it, so that row level security holds.
    pub invoker: bool,
    /// It keeps what it read.
    pub materialized: bool,
    /// What it reads.
    pub query: Arc<str>,
}

/// What `alter view` changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewChange {
    /// `set (security_invoker = ..)`, `reset (security_invoker)`.
    Invoker(bool),
    /// `rename to`.
    Rename(Name),
    /// `set schema`.
    Schema(Name),
}

/// A scheduled job.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name, when it has one.
    pub name: Option<Name>,
    /// When: `0 * * * *`, `30 seconds`; none when it is no literal.
    pub schedule: Option<Box<str>>,
    /// Where the schedule is written.
    pub schedule_span: Span,
    /// What runs: SQL.
    pub command: Box<str>,
    /// The HTTP requests in it.
    pub requests: Vec<Request>,
    /// The functions of the database that it calls.
    pub calls: Vec<Qualified>,
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
    pub span: Span,
}

/// Text that is made and run once for each of some names.
#[derive(Debug, Clone)]
pub struct Each {
    /// What it goes over.
    pub over: Over,
    /// The statements, with holes.
    pub templates: Vec<Template>,
}

/// What happens to some storage buckets.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    /// Which; all that there are when it says none.
    pub ids: Vec<Name>,
    /// It makes those that are not there: whether everyone may read them.
    pub made: Option<bool>,
    /// What that becomes where they are there.
    pub set: Option<bool>,
    /// They are deleted.
    pub gone: bool,
}

/// What happens to the tables of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// It is about all tables.
    All,
    /// It is about these.
    Set,
    /// And about these.
    Add,
    /// No longer about these.
    Remove,
    /// It is dropped.
    Drop,
}

/// What a loop goes over.
#[derive(Debug, Clone)]
pub enum Over {
    /// Names that are written.
    Names(Vec<String>),
    /// The tables that there are, where the condition holds.
    Tables(Filter),
    /// The policies that there are, where the condition holds.
    Policies(Filter),
    /// The columns of tables that there are, where the condition holds.
    Columns(Filter),
    /// The scheduled jobs that there are, where the condition holds.
    Jobs(Filter),
    /// What is known as it is written: `if false`.
    Certain,
    /// Something else.
    Unknown,
}

/// Which rows of the database's own lists are meant.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Conditions that hold together, each of them one or another.
    pub tests: Vec<Vec<Test>>,
    /// Whether all of the condition was understood.
    pub whole: bool,
}

/// A column of a list compared with values.
#[derive(Debug, Clone)]
pub struct Test {
    /// The column.
    pub column: Name,
    /// Whether it must be one of the values, or none of them.
    pub wanted: bool,
    /// The values; `%` stands for anything.
    pub values: Vec<String>,
}

/// Text with holes.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text between the holes: one more than holes.
    pub texts: Vec<String>,
    /// What stands in each hole.
    pub holes: Vec<Hole>,
}

/// What stands in a hole.
#[derive(Debug, Clone)]
pub enum Hole {
    /// What the loop goes over: a name, or its field (`tablename`, `policyname`, `schemaname`), quoted as a name or not.
    Field { field: Option<Name>, quoted: bool },
    /// Something that is not known.
    Unknown,
}
