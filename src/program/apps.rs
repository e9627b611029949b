//! Which app each file belongs to, where one repository holds several.
//!
//! Most repositories hold one app, be it in several folders: a page and the server behind it, functions, workers. Two
//! folders are two apps when a browser is given something of each, and nothing leads from one to the other: no import,
//! no request that only the other serves. What packages hold belongs to every app that imports it, and what lies in
//! no app's folder (notes, settings, `.env` files at the top) counts for all of them.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::facts::ImportId;
use crate::finding::FileId;
use crate::link::projects::within;
use crate::names::Name;
use crate::program::{EntryKind, Program, Side, Target};

/// An app of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(u16);

/// The apps of a repository.
#[derive(Debug, Default)]
pub struct Apps {
    /// The folder that holds all of each; none are told apart where there is one app alone.
    folders: Vec<Name>,
    /// The apps of each file; empty for what counts for all.
    of: Vec<Vec<AppId>>,
}

impl Apps {
    fn of(&self, file: FileId) -> &[AppId] {
        self.of.get(file.index()).map_or(&[], Vec::as_slice)
    }
}

impl Program {
    /// The apps of the repository, one at least.
    pub fn apps(&self) -> impl Iterator<Item = AppId> + use<> {
        (0..self.apps.folders.len().max(1) as u16).map(AppId)
    }

    /// Whether the repository holds more than one app.
    pub fn has_several_apps(&self) -> bool {
        self.apps.folders.len() > 1
    }

    /// Whether a file is part of an app, or counts for all of them.
    pub fn is_of_app(&self, file: FileId, app: AppId) -> bool {
        let of = self.apps.of(file);
        of.is_empty() || of.contains(&app)
    }

    /// Whether there is an app that two files are both part of.
    pub fn share_app(&self, one: FileId, other: FileId) -> bool {
        let (one, other) = (self.apps.of(one), self.apps.of(other));
        one.is_empty() || other.is_empty() || one.iter().any(|app| other.contains(app))
    }

    /// The apps that a file is part of: all, where it is part of none alone.
    pub fn apps_of(&self, file: FileId) -> Vec<AppId> {
        match self.apps.of(file) {
            [] => self.apps().collect(),
            some => some.to_vec(),
        }
    }

    /// The number of the app that a file belongs to alone; none where it counts for several.
    pub fn only_app_of(&self, file: FileId) -> Option<usize> {
        if let [app] = self.apps.of(file) { Some(usize::from(app.0)) } else { None }
    }

    /// Where to look from for what stands beside a file in one of its apps: the file itself, or, of what several apps
    /// share, a file right in the app's folder.
    pub fn path_in_app(&self, file: FileId, app: AppId) -> String {
        match self.apps.of(file) {
            [_, _, ..] => crate::link::projects::join(&self.app_folder(app), "x"),
            _ => self.file(file).path.to_string(),
        }
    }

    /// ` of apps/shop`, where the repository holds several apps: for messages.
    pub fn of_which_app(&self, app: AppId) -> String {
        let folder = self.app_folder(app);
        if folder.is_empty() { String::new() } else { format!(" of {folder}") }
    }

    /// The folder that holds all of an app; empty for the repository's root.
    pub fn app_folder(&self, app: AppId) -> Name {
        self.apps.folders.get(usize::from(app.0)).copied().unwrap_or_else(|| Name::new(""))
    }
}

/// Finds the apps; `jumps` are the requests that lead from a file to what serves it.
pub(crate) fn find(program: &Program, jumps: &[(FileId, Vec<FileId>)]) -> Apps {
    if program.projects.all().len() < 2 {
        return Apps::default();
    }
    let mut groups = Groups::new(program);
    groups.join_nested();
    groups.join_imports();
    groups.find_users();
    groups.join_jumps(jumps);
    groups.join_servers();
    groups.apps()
}

/// What starts in a project or group of projects.
#[derive(Debug, Clone, Copy, Default)]
struct Starts {
    /// A browser is given something.
    client: bool,
    /// Requests are served.
    serves: bool,
    /// Anything else runs.
    runs: bool,
}

impl Starts {
    fn any(self) -> bool {
        self.client || self.serves || self.runs
    }
}

/// Projects that are being joined to apps.
struct Groups<'p> {
    program: &'p Program,
    /// What starts in each project.
    starts: Vec<Starts>,
    /// For each project another one of its group, itself for the first.
    next: Vec<usize>,
    /// The projects that import each file in which nothing starts by itself.
    users: FxHashMap<FileId, Vec<usize>>,
}

impl<'p> Groups<'p> {
    fn new(program: &'p Program) -> Self {
        let count = program.projects.all().len();
        let mut starts = vec![Starts::default(); count];
        let of = |file: FileId| program.projects.index(file);
        let idle = |side: Side| side.tooling || side.dead;
        for entry in &program.entries {
            let start = &mut starts[of(entry.place.file)];
            match entry.kind {
                EntryKind::Route | EntryKind::EdgeFunction => start.serves = true,
                EntryKind::Page => start.client = true,
                EntryKind::Job | EntryKind::Worker | EntryKind::Load => start.runs = true,
                // These may stand in packages that apps import.
                _ => {}
            }
        }
        let mut pages = vec![0; count];
        for (file, facts) in program.code() {
            let brought = program.brought.get(file.index()).copied().flatten();
            let marked = facts.directives.iter().any(|directive| *directive == "use client");
            let path = program.file(file).path;
            match brought {
                // A page of its own may be a mail or a report; the scripts that it loads say more.
                Some(None) if !marked && !path.ends_with(".html") && !idle(program.side(file)) => {
                    starts[of(file)].client = true;
                }
                Some(Some((by, _))) if program.file(by).path.ends_with(".html") && of(by) == of(file) => {
                    starts[of(file)].client = true;
                }
                Some(None) if is_template(&path) => pages[of(file)] += 1,
                _ => {}
            }
        }
        // A server that writes its pages itself.
        for (start, pages) in starts.iter_mut().zip(pages) {
            start.client |= start.serves && pages > 1;
        }
        Self { program, starts, next: (0..count).collect(), users: FxHashMap::default() }
    }

    fn head(&self, mut project: usize) -> usize {
        while self.next[project] != project {
            project = self.next[project];
        }
        project
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.head(one), self.head(other));
        let (first, second) = (one.min(other), one.max(other));
        self.next[second] = first;
    }

    fn is_live(&self, project: usize) -> bool {
        self.starts[project].any()
    }

    fn folder(&self, project: usize) -> &'p str {
        &self.program.projects.all()[project].folder
    }

    fn live(&self) -> Vec<usize> {
        (0..self.next.len()).filter(|&project| self.is_live(project)).collect()
    }

    /// What starts in each group, by its first project.
    fn of_groups(&self) -> FxHashMap<usize, Starts> {
        let mut found: FxHashMap<usize, Starts> = FxHashMap::default();
        for project in self.live() {
            let (all, own) = (found.entry(self.head(project)).or_default(), self.starts[project]);
            all.client |= own.client;
            all.serves |= own.serves;
            all.runs |= own.runs;
        }
        found
    }

    /// A project in another one's folder is a part of it: functions, a worker.
    fn join_nested(&mut self) {
        let live = self.live();
        for &inner in &live {
            let around = live.iter().filter(|&&outer| outer != inner);
            let around = around.filter(|&&outer| within(self.folder(inner), self.folder(outer)).is_some());
            if let Some(&outer) = around.max_by_key(|&&outer| self.folder(outer).len()) {
                self.join(inner, outer);
            }
        }
    }

    /// What imports from what starts by itself is part of the same app.
    fn join_imports(&mut self) {
        for (from, to) in self.imports().collect::<Vec<_>>() {
            let (from, to) = (self.program.projects.index(from), self.program.projects.index(to));
            if from != to && self.is_live(from) && self.is_live(to) {
                self.join(from, to);
            }
        }
    }

    /// The files that deployed code imports from others.
    fn imports(&self) -> impl Iterator<Item = (FileId, FileId)> + use<'p> {
        let program = self.program;
        let deployed = program.code().filter(|(file, _)| !program.side(*file).tooling && !program.side(*file).dead);
        deployed.flat_map(move |(file, facts)| {
            (0..facts.imports.len() as u32).filter_map(move |at| match program.modules.target(file, ImportId(at)) {
                Target::File(to) => Some((file, *to)),
                _ => None,
            })
        })
    }

    /// A request that nothing of its own part serves leads to another part of the same app. Not between two that both
    /// show pages and serve requests: an app may ask another one, and two may serve the same path.
    fn join_jumps(&mut self, jumps: &[(FileId, Vec<FileId>)]) {
        let project = |file: FileId| self.program.projects.index(file);
        let of_group = self.of_groups();
        let whole = |project: usize| of_group.get(&self.head(project)).is_some_and(|all| all.client && all.serves);
        let mut joined = Vec::new();
        for (from, to) in jumps {
            let users = self.users.get(from).cloned().unwrap_or_else(|| vec![project(*from)]);
            for from in users.into_iter().filter(|&from| self.is_live(from)) {
                let own = to.iter().any(|to| self.head(project(*to)) == self.head(from));
                let others = to.iter().filter(|_| !own).map(|to| (from, project(*to)));
                joined.extend(others.filter(|&(from, to)| self.is_live(to) && !(whole(from) && whole(to))));
            }
        }
        for (from, to) in joined {
            self.join(from, to);
        }
    }

    /// A server that no known request leads to, and that gives browsers nothing, is there for the pages beside it:
    /// those of the same folder, or those that no other server is known of.
    fn join_servers(&mut self) {
        let (live, of_group) = (self.live(), self.of_groups());
        let mut pages: Vec<usize> =
            of_group.iter().filter(|(_, starts)| starts.client).map(|(head, _)| *head).collect();
        let mut servers: Vec<usize> =
            of_group.iter().filter(|(_, starts)| !starts.client).map(|(head, _)| *head).collect();
        pages.sort_unstable();
        servers.sort_unstable();
        if pages.len() < 2 {
            (1..live.len()).for_each(|at| self.join(live[0], live[at]));
            return;
        }
        let folders: FxHashMap<usize, String> =
            pages.iter().chain(&servers).map(|&head| (head, self.common_folder(head, &live))).collect();
        let base = live.iter().map(|&project| self.folder(project).to_owned()).reduce(|a, b| common(&a, &b));
        let base = base.map_or(0, |folder| depth(&folder));
        for server in servers {
            let near = |page: &usize| depth(&common(&folders[&server], &folders[page]));
            let nearest = pages.iter().map(near).max().unwrap_or(0);
            let beside: Vec<usize> = match nearest > base {
                true => pages.iter().copied().filter(|page| near(page) == nearest).collect(),
                false => pages.iter().copied().filter(|page| !of_group[page].serves).collect(),
            };
            beside.into_iter().for_each(|page| self.join(server, page));
        }
    }

    /// The folder that holds all projects of a group.
    fn common_folder(&self, head: usize, live: &[usize]) -> String {
        let own = live.iter().filter(|&&project| self.head(project) == head);
        own.map(|&project| self.folder(project).to_owned()).reduce(|a, b| common(&a, &b)).unwrap_or_default()
    }

    fn apps(self) -> Apps {
        let live = self.live();
        let heads: BTreeSet<usize> = live.iter().map(|&project| self.head(project)).collect();
        if heads.len() < 2 {
            return Apps::default();
        }
        let heads: Vec<usize> = heads.into_iter().take(usize::from(u16::MAX)).collect();
        let folders: Vec<String> = heads.iter().map(|&head| self.common_folder(head, &live)).collect();
        let app_of = |project: usize| {
            let at = self.is_live(project).then(|| heads.binary_search(&self.head(project)).ok())??;
            Some(AppId(at as u16))
        };
        let program = self.program;
        let own: Vec<Option<AppId>> = (0..self.next.len()).map(app_of).collect();
        let mut of: Vec<Vec<AppId>> =
            program.file_ids().map(|file| own[program.projects.index(file)].into_iter().collect()).collect();
        for (file, users) in &self.users {
            let mut apps: Vec<AppId> = users.iter().filter_map(|&user| own[user]).collect();
            apps.sort_unstable();
            apps.dedup();
            of[file.index()] = apps;
        }
        // What lies in the folder of one app alone is that app's, notes above all.
        let alone = |at: usize| {
            let around = |project: &&usize| within(self.folder(**project), &folders[at]).is_some();
            !folders[at].is_empty() && live.iter().filter(around).all(|&project| own[project] == Some(AppId(at as u16)))
        };
        let alone: Vec<usize> = (0..folders.len()).filter(|&at| alone(at)).collect();
        for file in program.file_ids().filter(|file| of[file.index()].is_empty()).collect::<Vec<_>>() {
            let path = program.file(file).path;
            let around = alone.iter().filter(|&&at| within(&path, &folders[at]).is_some());
            of[file.index()].extend(around.max_by_key(|&&at| folders[at].len()).map(|&at| AppId(at as u16)));
        }
        Apps { folders: folders.iter().map(|folder| Name::new(folder)).collect(), of }
    }

    /// Finds which projects import the files of packages.
    fn find_users(&mut self) {
        let project = |file: FileId| self.program.projects.index(file);
        let mut imported: FxHashMap<FileId, Vec<FileId>> = FxHashMap::default();
        let mut queue: Vec<(FileId, usize)> = Vec::new();
        for (from, to) in self.imports().filter(|(_, to)| !self.is_live(project(*to))) {
            match self.is_live(project(from)) {
                true => queue.push((to, project(from))),
                false => imported.entry(from).or_default().push(to),
            }
        }
        let mut users: FxHashMap<FileId, Vec<usize>> = FxHashMap::default();
        while let Some((file, user)) = queue.pop() {
            let known = users.entry(file).or_default();
            if let Err(at) = known.binary_search(&user) {
                known.insert(at, user);
                queue.extend(imported.get(&file).into_iter().flatten().map(|&next| (next, user)));
            }
        }
        self.users = users;
    }
}

/// A page that a server fills in, and no mail.
fn is_template(path: &str) -> bool {
    let mut folders = path.rsplit('/').skip(1);
    path.ends_with(".html")
        && folders.clone().any(|folder| folder == "templates")
        && !folders.any(|folder| matches!(folder, "email" | "emails" | "mail" | "mails"))
}

/// The folder that holds two others.
fn common(one: &str, other: &str) -> String {
    let same = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
    same.map(|(part, _)| part).collect::<Vec<_>>().join("/")
}

fn depth(folder: &str) -> usize {
    folder.split('/').filter(|part| !part.is_empty()).count()
}
