//! Facts and catalogue become one program: modules, values, calls, what leaves, entry points, sides, jumps.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::catalogue::Catalogue;
use crate::facts::Facts;
use crate::finding::FileId;
use crate::link::sides::names::{self, Use};
use crate::names::Name;
use crate::program::hints::{Hints, Known};
use crate::program::terms::Around;
use crate::program::{EntryKind, File, Program, money::core_paths};
use crate::walk::Repository;

pub mod builtins;
pub mod calls;
pub mod composed;
pub mod entries;
pub mod eval;
pub mod expand;
pub mod jumps;
pub mod modules;
pub mod outbound;
pub mod projects;
pub mod rewrites;
pub mod settings;
pub mod sides;
pub mod stand_ins;
pub mod tasks;
pub mod urls;

/// Links the facts of files to a program; `facts` belong to the repository's files, position by position.
pub fn link(
    repository: &Repository,
    facts: Vec<Option<Facts>>,
    catalogue: Arc<Catalogue>,
    hints: &Arc<Hints>,
) -> Program {
    let paths: Vec<Name> = repository.files.iter().map(|file| file.path).collect();
    let read = |path: &str| repository.manifests.text(path).map(str::to_owned);
    let per_file = || {
        let one = |facts: &Option<Facts>| match facts {
            Some(facts) => (eval::Memo::new(facts), Around::new(facts)),
            None => Default::default(),
        };
        facts.par_iter().map(one).unzip()
    };
    let modules = || modules::resolve(&paths, &facts, &repository.everything, &read);
    let (modules, ((memos, around), projects)) =
        rayon::join(modules, || rayon::join(per_file, || projects::Projects::find(repository)));
    let files = paths.into_iter().zip(facts).map(|(path, facts)| File { path, facts }).collect();
    let mut program = Program::new(files, catalogue, modules, memos, around);
    program.manifests = Arc::clone(&repository.manifests);
    let untracked = repository.files.iter().enumerate().filter(|(_, file)| !file.tracked);
    program.untracked = untracked.map(|(at, _)| FileId(at as u32)).collect();
    let is_test = |file: &File| names::of(file.path.as_str()) == Use::Test;
    program.tests = program.files.par_iter().map(is_test).collect();
    program.hints = Known::find(hints, &program);
    program.contexts = calls::contexts(&program);
    calls::connect(&mut program);
    program.assigned = crate::program::values::assigned::collect(&program);
    program.projects = projects;
    outbound::collect(&mut program);
    start(&mut program);
    jumps::connect(&mut program);
    outbound::name_destinations(&mut program);
    program.core_calls = core_paths::find_calls(&program);
    program
}

/// Finds what something outside starts, and where each file runs: the one needs the other.
fn start(program: &mut Program) {
    let seeker = entries::Seeker { program, projects: &program.projects };
    let (mut entries, mut known) = entries::find(seeker);
    let decided = sides::decide(program, &program.projects, &entries);
    let units = sides::units::Units::find(program, &program.projects, &decided.loads);
    let side = |file: FileId| decided.sides[file.index()];
    entries.retain(|entry| {
        let (here, there) = (side(entry.place.file), side(entry.function.file));
        let is_deployed = !here.dead && !there.dead && (!here.tooling || entry.kind == EntryKind::Script);
        // A timer in the browser is no job.
        is_deployed && (entry.kind != EntryKind::Job || !here.client)
    });
    known.retain(|route| !side(route.file).dead && !side(route.file).tooling);
    program.sides = decided.sides;
    program.brought = decided.brought;
    program.units = units;
    program.accounts = entries.iter().map(|_| OnceLock::new()).collect();
    program.entries = entries;
    program.known_routes = known;
}
