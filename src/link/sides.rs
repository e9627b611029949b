//! Where each file runs: in a browser, on a server, in both, by hand only, or nowhere.
//!
//! Decided by what is loaded first and what that loads in turn, as the frameworks and bundlers do it; names only
//! where nothing loads a file. A file is dead only where what its app loads first is known.

use std::collections::VecDeque;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{DefId, ExportValue, ExprKind, Facts, FunctionId, ImportId};
use crate::finding::{FileId, Place};
use crate::link::entries::edge::function_of;
use crate::link::entries::next::is_left_over;
use crate::link::projects::{Projects, within};
use crate::names::Name;
use crate::program::{Entry, EntryKind, Program, Side};

pub mod imports;
pub mod names;
pub mod roots;
pub mod units;
mod unused;

use imports::{Load, Paths};
use names::Use;
use roots::Root;

/// Exports that bundlers leave out of what a browser gets, with what only they use.
pub const SERVER_EXPORTS: &[&str] =
    &["getServerSideProps", "getStaticProps", "getStaticPaths", "loader", "action", "headers", "middleware"];

/// Where each file runs, and how the browser comes by it.
#[derive(Debug, Default)]
pub struct Sides {
    /// The side of each file.
    pub sides: Vec<Side>,
    /// The file that first brings each file to the browser, and where it does so; none for what is loaded first.
    pub brought: Vec<Option<Option<(FileId, Place)>>>,
    /// What each file loads, in source order.
    pub loads: Vec<Vec<Load>>,
}

/// Decides the side of every file.
pub fn decide(program: &Program, projects: &Projects, entries: &[Entry]) -> Sides {
    let paths = Paths::new(program);
    let loads = imports::loads(program, projects, &paths);
    let mut roots = roots::find(program, projects, entries, &paths);
    roots::cross_boundaries(program, projects, &loads, &mut roots);
    let islands = islands(program, &loads);
    let starts = |wanted: fn(&Root) -> bool| {
        let found = roots.iter().enumerate().filter(move |(_, root)| wanted(root));
        found.map(|(at, _)| FileId(at as u32)).collect::<Vec<FileId>>()
    };
    let mut client_roots = starts(|root| root.client);
    client_roots.extend(islands);
    client_roots.sort_unstable();
    client_roots.dedup();
    let brought = client(program, &loads, &client_roots);
    let mut served = starts(|root| root.server);
    // A timer that a browser loads is none of a server's.
    served.extend(starts(|root| root.timer && !root.server).into_iter().filter(|file| brought[file.index()].is_none()));
    served.sort_unstable();
    let server = server(program, &loads, &served);
    let mut decision = Decision {
        program,
        projects,
        entries_in: entries
            .iter()
            .filter(|entry| !matches!(entry.kind, EntryKind::Event | EntryKind::Effect))
            .map(|entry| entry.place.file)
            .collect(),
        of_projects: roots::of_projects(projects, &roots),
        roots,
        tops: FxHashSet::default(),
        reached: brought.iter().zip(&server).map(|(brought, server)| brought.is_some() || *server).collect(),
    };
    for (at, _) in decision.reached.iter().enumerate().filter(|(_, reached)| **reached) {
        let file = FileId(at as u32);
        decision.tops.insert((projects.index(file), decision.top(file)));
    }
    let mut sides: Vec<Side> = (0..program.files.len())
        .into_par_iter()
        .map(|at| decision.side(FileId(at as u32), brought[at].is_some(), server[at]))
        .collect();
    for file in unused::find(program, projects, &decision.entries_in) {
        if !decision.reached[file.index()] {
            sides[file.index()].dead = true;
        }
    }
    for file in unused::unmounted(program, projects, entries) {
        sides[file.index()].dead = true;
    }
    for file in unused::unloaded(program) {
        sides[file.index()].dead = true;
    }
    Sides { sides, brought, loads }
}

/// The components that Astro pages start in the browser.
fn islands(program: &Program, loads: &[Vec<Load>]) -> Vec<FileId> {
    let mut found = Vec::new();
    for (file, facts) in program.code() {
        if !program.file(file).path.ends_with(".astro") {
            continue;
        }
        for name in &facts.loads {
            let def = facts.defined_in(facts.function(FunctionId::MODULE).body, *name);
            let import = def.and_then(|def| match facts.def(def).values[..] {
                [value] => match facts.expr(value) {
                    ExprKind::Imported(import, _) => Some(*import),
                    _ => None,
                },
                _ => None,
            });
            found.extend(
                loads[file.index()]
                    .iter()
                    .filter(|load| load.import.is_some() && load.import == import)
                    .map(|load| load.to),
            );
        }
    }
    found
}

/// Whether a browser never gets a module, whoever imports it.
fn is_server_only(program: &Program, file: FileId) -> bool {
    let path = program.file(file).path.as_str();
    let Some(facts) = program.file(file).facts.as_ref() else { return false };
    let name = path.rsplit('/').next().unwrap_or(path);
    facts.directives.iter().any(|directive| *directive == "use server")
        || facts.imports.iter().any(|import| import.specifier == "server-only")
        || name.contains(".server.")
        || path.contains("/lib/server/")
        || path.split('/').any(|part| part == ".server")
}

fn is_client_boundary(facts: &Facts) -> bool {
    facts.directives.iter().any(|directive| *directive == "use client")
}

/// How each file comes to the browser: breadth first from what is loaded first, in the order of paths.
fn client(program: &Program, loads: &[Vec<Load>], starts: &[FileId]) -> Vec<Option<Option<(FileId, Place)>>> {
    let mut brought: Vec<Option<Option<(FileId, Place)>>> = vec![None; program.files.len()];
    let mut queue: VecDeque<FileId> = VecDeque::new();
    for &start in starts.iter().filter(|start| !is_server_only(program, **start)) {
        brought[start.index()] = Some(None);
        queue.push_back(start);
    }
    while let Some(file) = queue.pop_front() {
        let Some(facts) = program.file(file).facts.as_ref() else { continue };
        let left_out = left_out(facts);
        for load in &loads[file.index()] {
            let stays = load.import.is_some_and(|import| left_out.contains(&import)) || is_in_head(facts, load);
            if stays || brought[load.to.index()].is_some() || is_server_only(program, load.to) {
                continue;
            }
            brought[load.to.index()] = Some(Some((file, Place { file, span: load.span })));
            queue.push_back(load.to);
        }
    }
    brought
}

fn server(program: &Program, loads: &[Vec<Load>], starts: &[FileId]) -> Vec<bool> {
    let mut reached = vec![false; program.files.len()];
    // A page that says `use client` is drawn on the server too, but what it does it does in the browser.
    let is_client = |file: FileId| program.file(file).facts.as_ref().is_some_and(is_client_boundary);
    let mut queue: Vec<FileId> = starts.iter().copied().filter(|&start| !is_client(start)).collect();
    for &start in &queue {
        reached[start.index()] = true;
    }
    while let Some(file) = queue.pop() {
        let facts = program.file(file).facts.as_ref();
        // What only the scripts of an Astro page load is not loaded by its head.
        let stays = |load: &&Load| facts.is_none_or(|facts| facts.head.is_none() || is_in_head(facts, load));
        for load in loads[file.index()].iter().filter(stays) {
            if !is_client(load.to) && !std::mem::replace(&mut reached[load.to.index()], true) {
                queue.push(load.to);
            }
        }
    }
    reached
}

/// Whether the head of an Astro page loads it.
fn is_in_head(facts: &Facts, load: &Load) -> bool {
    facts.head.is_some_and(|head| head.contains(load.span))
}

/// The imports that only server exports use: the bundler drops them for the browser.
fn left_out(facts: &Facts) -> FxHashSet<ImportId> {
    let mut dropped: Vec<crate::facts::Span> = Vec::new();
    for export in facts.exports.iter().filter(|export| SERVER_EXPORTS.contains(&export.name.as_str())) {
        let ExportValue::Local(expr) = export.value else { continue };
        let value = match facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).and_then(|def| facts.def(def).values.first().copied()).unwrap_or(expr)
            }
            _ => expr,
        };
        dropped.push(facts.span(value));
    }
    if dropped.is_empty() {
        return FxHashSet::default();
    }
    let mut imports: FxHashMap<DefId, ImportId> = FxHashMap::default();
    for (at, def) in facts.defs.iter().enumerate() {
        if let [value] = def.values[..]
            && let ExprKind::Imported(import, _) = facts.expr(value)
        {
            imports.insert(DefId(at as u32), *import);
        }
    }
    let mut kept: FxHashSet<ImportId> = FxHashSet::default();
    let mut used: FxHashSet<ImportId> = FxHashSet::default();
    for expr in &facts.exprs {
        let ExprKind::Ref(name, block) = &expr.kind else { continue };
        let Some(import) = facts.lookup(*block, *name).and_then(|def| imports.get(&def)) else { continue };
        used.insert(*import);
        if !dropped.iter().any(|span| span.contains(expr.span)) {
            kept.insert(*import);
        }
    }
    used.difference(&kept).copied().collect()
}

struct Decision<'p> {
    program: &'p Program,
    projects: &'p Projects,
    /// Files that hold entry points.
    entries_in: FxHashSet<FileId>,
    of_projects: Vec<Root>,
    roots: Vec<Root>,
    /// Top folders of projects in which anything is reached.
    tops: FxHashSet<(usize, &'static str)>,
    reached: Vec<bool>,
}

impl Decision<'_> {
    fn inner(&self, file: FileId) -> &'static str {
        let path = self.program.file(file).path.as_str();
        within(path, &self.projects.of(file).folder).unwrap_or(path)
    }

    /// The first folder of a file in its project; empty for a file right in the project's folder.
    fn top(&self, file: FileId) -> &'static str {
        self.inner(file).split_once('/').map_or("", |(top, _)| top)
    }

    fn side(&self, file: FileId, client: bool, server: bool) -> Side {
        let mut side = Side { client, server, tooling: false, dead: false };
        let Some(facts) = self.program.file(file).facts.as_ref() else { return side };
        let use_of = names::in_project(&self.projects.of(file).folder, self.inner(file));
        let reached = client || server;
        match use_of {
            Use::Config => {
                side.tooling = true;
                return side;
            }
            Use::Test | Use::Script if !reached => {
                side.tooling = true;
                return side;
            }
            Use::Old if !reached => {
                side.dead = true;
                return side;
            }
            _ => {}
        }
        if is_server_only(self.program, file) {
            side.client = false;
            side.server = true;
            return side;
        }
        if reached {
            return side;
        }
        if !facts.language.is_script() {
            side.tooling = names::is_look(self.inner(file)) && facts.functions.len() == 1;
            side.server = !side.tooling;
            return side;
        }
        let inner = self.inner(file);
        if inner.ends_with(".d.ts") {
            side.tooling = true;
            return side;
        }
        if !inner.contains('/') && facts.exports.is_empty() && roots::acts_when_loaded(facts) {
            // A server that nothing starts is an old copy; anything else may be run by hand.
            match roots::serves(facts) {
                true => side.dead = true,
                false => side.tooling = true,
            }
            return side;
        }
        if self.is_dead(file, facts) {
            side.dead = true;
            return side;
        }
        self.likely(file, facts, &mut side);
        side
    }

    /// Whether nothing deployed loads a file, as far as what its app loads first is known.
    fn is_dead(&self, file: FileId, facts: &Facts) -> bool {
        // A file of a deployed function that its entry does not load is not deployed at all.
        if function_of(self.program.file(file).path.as_str()).is_some() {
            return true;
        }
        if is_left_over(self.projects.of(file), self.inner(file)) {
            return true;
        }
        if self.roots[file.index()].boundary {
            return true;
        }
        if facts.exports.is_empty() {
            return false;
        }
        let project = self.projects.index(file);
        let roots = self.of_projects[project];
        if !roots.client && !roots.server {
            return false;
        }
        let top = self.top(file);
        let has_elements = facts.elements().next().is_some();
        if self.tops.contains(&(project, top)) || (has_elements && roots.client) {
            return true;
        }
        // A copy beside the app: the same path below `src`.
        let folder = &self.projects.of(file).folder;
        let twin = crate::link::projects::join(folder, &format!("src/{}", self.inner(file)));
        let twin = self.program.files.binary_search_by(|other| other.path.as_str().cmp(&twin));
        twin.is_ok_and(|at| self.reached[at])
    }

    /// What nothing known loads and is not dead either: by what it imports.
    fn likely(&self, file: FileId, facts: &Facts, side: &mut Side) {
        let has_elements = facts.elements().next().is_some();
        let on_node = facts.imports.iter().any(|import| {
            let name = import.specifier.as_str();
            name.starts_with("node:")
                || matches!(name, "fs" | "path" | "crypto" | "http" | "https" | "express" | "fastify" | "dotenv")
        });
        side.client = has_elements;
        side.server = on_node || self.entries_in.contains(&file);
    }
}

impl Program {
    /// How a file comes to the browser: from what is loaded first to the file itself, each with the place where it
    /// brings the next one in. Empty when a browser never gets it.
    pub fn client_chain(&self, file: FileId) -> Vec<(FileId, Option<Place>)> {
        let mut chain = Vec::new();
        let Some(Some(first)) = self.brought.get(file.index()) else { return chain };
        chain.push((file, None));
        let mut next = *first;
        while let Some((from, place)) = next {
            chain.push((from, Some(place)));
            next = self.brought.get(from.index()).copied().flatten().flatten();
        }
        chain.reverse();
        chain
    }

    /// The name under which a file's side is told: `client`, `server`, `shared`, `tooling`, `dead`, `unknown`.
    pub fn side_name(&self, file: FileId) -> Name {
        let side = self.side(file);
        Name::new(match side {
            Side { dead: true, .. } => "dead",
            Side { tooling: true, .. } => "tooling",
            Side { client: true, server: true, .. } => "shared",
            Side { client: true, .. } => "client",
            Side { server: true, .. } => "server",
            _ => "unknown",
        })
    }
}
