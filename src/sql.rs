//! What the SQL of a repository says: its migrations, replayed in order, become the tables, policies, functions and
//! jobs that are there in the end.
//!
//! Files are read one by one ([`read`]); then the files of each history run after one another ([`database`]).
//! Neither can fail: a statement that is not understood is counted, and what it names has no verdict.

use rustc_hash::FxHashSet;

use crate::finding::{FileId, Place};
use crate::names::Name;

pub mod any_group;
mod columns;
mod cursor;
pub mod declared;
mod fold;
mod histories;
mod lex;
pub mod model;
mod openness;
pub mod people;
mod read;
pub mod roles;
mod split;
mod statement;
pub mod views;

pub use any_group::AnyGroup;
pub use cursor::Qualified;
pub use declared::Declared;
pub use model::{Database, History, Id, Job, Policy, Request, RowSecurity, Table, Unique, View};
pub use openness::{Opening, Opens};
pub use people::{Group, Question};
pub use read::templates::quoted;
pub use roles::TakenRole;
pub use statement::{Asks, Column, Command, Constraint, Rights};
pub use views::Passing;

/// The statements of one file.
#[derive(Debug, Default)]
pub struct Script {
    /// What they do, in order.
    statements: Vec<statement::Statement>,
    /// Where its lines begin.
    lines: Vec<u32>,
    /// It names roles or tables of the platform that serves tables to browsers.
    of_platform: bool,
    /// Its head says that it is for another database than the live one, or that a tool wrote it down from there.
    is_copy: bool,
}

/// Whether a file is read.
pub fn is_sql(path: &str) -> bool {
    path.len() > 4 && path.as_bytes()[path.len() - 4..].eq_ignore_ascii_case(b".sql")
}

/// Whether a file lies where migrations do: it is read however long it is.
pub fn is_migration(path: &str) -> bool {
    is_sql(path) && histories::folder(path).is_some()
}

/// Reads a file.
pub fn read(text: &str) -> Script {
    const SIGNS: &[&str] =
        &["auth.uid()", "auth.users", "service_role", "storage.buckets", "auth.role()", "auth.jwt()"];
    let statements = read::read(text);
    let of_platform = !statements.is_empty() && SIGNS.iter().any(|sign| text.contains(sign));
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
    let is_copy = says_copy(text);
    Script { is_copy, lines: if statements.is_empty() { vec![] } else { lines.collect() }, statements, of_platform }
}

/// Whether the comments at the head of a file say that it is no part of the live database's history.
fn says_copy(text: &str) -> bool {
    const WORDS: &[&str] = &["sandbox", "openapi", "snapshot"];
    let head = text.lines().map(str::trim_start).take_while(|line| line.is_empty() || line.starts_with("--"));
    head.take(12).map(str::to_ascii_lowercase).any(|line| WORDS.iter().any(|word| line.contains(word)))
}

impl Script {
    /// The unique keys that its statements add to tables that are there: the table, the columns, whether it holds for
    /// some rows alone.
    pub fn unique_keys(&self) -> Vec<(Name, Option<Vec<Name>>, bool)> {
        let mut found = Vec::new();
        unique_keys(&self.statements, &mut found);
        found
    }
}

fn unique_keys(statements: &[statement::Statement], found: &mut Vec<(Name, Option<Vec<Name>>, bool)>) {
    use statement::{Action, Asks, What};
    for statement in statements {
        match &statement.what {
            What::Maybe(inner) => unique_keys(inner, found),
            What::Block(block) => unique_keys(&block.body, found),
            What::CreateIndex(index) => found.push((index.table.name, index.columns.clone(), index.partial)),
            What::AlterTable { table, actions } => {
                let added = actions.iter().filter_map(|action| match action {
                    Action::AddConstraint(constraint, _) => Some(constraint),
                    _ => None,
                });
                let unique = added.filter(|added| added.asks == Asks::Unique && !added.columns.is_empty());
                found.extend(unique.map(|added| (table.name, Some(added.columns.clone()), false)));
            }
            _ => {}
        }
    }
}

/// Replays every history.
///
/// `exists` tells whether the repository has a file, `schemas` which schemas the settings beside a folder of migrations
/// expose.
pub fn database(
    scripts: &[(FileId, &str, &Script)],
    exists: &dyn Fn(&str) -> bool,
    app: &dyn Fn(FileId) -> Option<usize>,
    schemas: &dyn Fn(&str) -> Option<Vec<String>>,
) -> Database {
    let lines = scripts.iter().map(|(file, _, script)| (*file, script.lines.clone())).collect();
    let mut database = Database { lines, ..Database::default() };
    for found in histories::histories(scripts, exists, app) {
        let read =
            |of: &[usize]| -> Vec<(FileId, &Script)> { of.iter().map(|&at| (scripts[at].0, scripts[at].2)).collect() };
        let (files, beside) = (read(&found.files), read(&found.beside));
        let mut history = found.history;
        if let Some(schemas) = schemas(&history.folder) {
            history.schemas = schemas.iter().map(|schema| Name::new(schema)).collect();
        }
        let mut history = fold::fold(&files, &beside, history);
        if found.by_hand {
            let (folder, mut jobs) = (history.folder, std::mem::take(&mut history.jobs));
            let known =
                |job: &model::Job| database.jobs().any(|(_, other)| other.name.is_some() && other.name == job.name);
            jobs.retain(|job| !known(job));
            history = model::History { jobs, ..model::History::new(&folder, false, false) };
        }
        database.histories.push(history);
    }
    database
}

impl Database {
    /// One-based line of a place in a file of SQL.
    pub fn line(&self, place: Place) -> Option<u32> {
        let at = self.lines.binary_search_by_key(&place.file, |(file, _)| *file).ok()?;
        Some(self.lines[at].1.partition_point(|&start| start <= place.span.start).max(1) as u32)
    }

    /// The files with statements that were not understood, and how many.
    pub fn gaps(&self) -> Vec<(FileId, usize)> {
        let mut found: Vec<(FileId, usize)> = vec![];
        let places: FxHashSet<_> = self.histories.iter().flat_map(|history| history.gaps.iter().copied()).collect();
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort();
        for place in places {
            match found.last_mut() {
                Some((file, count)) if *file == place.file => *count += 1,
                _ => found.push((place.file, 1)),
            }
        }
        found
    }
}
