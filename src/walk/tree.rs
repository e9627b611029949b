//! The walk itself: folders in parallel, then what the ignore files hid but matters.
//!
//! Ignore files speak of what git does *not* track, so a tracked file is walked even when they match it (not when
//! `.ignore` or `.seamcheckignore` do). Where there is no git repository to ask, as in an unpacked download,
//! environment files are looked at whatever the ignore files say: they are what gets published by mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use rustc_hash::{FxHashMap, FxHashSet};

use super::roots::Roots;
use super::{Choices, FileKind, Gap, GapReason, Reason, Repository, SourceFile, folders, git, kind_of, names, text};
use crate::names::Name;

/// The ignore file of our own.
pub const OWN_IGNORES: &str = ".seamcheckignore";

/// What was found so far, in no order.
#[derive(Default)]
struct Found {
    files: Vec<SourceFile>,
    everything: Vec<String>,
    left_out: BTreeMap<Reason, usize>,
    /// Folders that were left out, so that they are counted once.
    pruned: BTreeSet<String>,
    gaps: Vec<Gap>,
    /// What was added for what it says of the walked folders.
    context: Vec<String>,
}

impl Found {
    fn take(&mut self, other: &mut Self) {
        self.files.append(&mut other.files);
        self.everything.append(&mut other.everything);
        self.pruned.append(&mut other.pruned);
        self.gaps.append(&mut other.gaps);
        for (reason, number) in std::mem::take(&mut other.left_out) {
            *self.left_out.entry(reason).or_default() += number;
        }
    }

    fn left_out(&mut self, reason: Reason) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    fn prune(&mut self, path: String, reason: Reason) {
        if self.pruned.insert(path) {
            self.left_out(reason);
        }
    }

    fn gap(&mut self, path: &str, reason: GapReason) {
        self.gaps.push(Gap { path: Name::new(path), reason });
    }
}

/// Walks.
pub fn walk(roots: &Roots, choices: &Choices) -> Repository {
    let mut found = Found::default();
    let mut mistakes = vec![];
    let ignored = Ignored::of(roots, choices, &mut mistakes);
    let tracked = git::tracked(&roots.root);
    let below: Option<FxHashSet<&str>> =
        tracked.as_ref().map(|paths| paths.iter().map(String::as_str).collect::<FxHashSet<_>>());
    if !roots.folders.is_empty() {
        let total = Mutex::new(Found::default());
        let builder = builder(roots, choices);
        builder.build_parallel().visit(&mut Visitors { root: &roots.root, total: &total, ignored: &ignored });
        found = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    }
    for (path, why) in mistakes {
        found.gap(&path, GapReason::BrokenManifest(why));
    }
    let seen = found.everything.iter().cloned().collect();
    let mut later = Later { roots, seen, found: &mut found, ignored: &ignored };
    if choices.honour_ignores {
        match &tracked {
            Some(tracked) => later.tracked(tracked),
            None => later.environment(),
        }
        later.hidden_dependencies();
    }
    later.context_on_the_way(below.as_ref());
    later.named();
    finish(roots, found, below.as_ref())
}

fn finish(roots: &Roots, mut found: Found, tracked: Option<&FxHashSet<&str>>) -> Repository {
    // A file that is both found and named is named.
    found.files.sort_by_key(|file| (file.path, !file.named));
    found.files.dedup_by_key(|file| file.path);
    for file in &mut found.files {
        file.tracked = tracked.is_none_or(|tracked| tracked.contains(file.path.as_str()));
    }
    let named: Vec<String> = roots.files.iter().map(|file| relative(&roots.root, file)).collect();
    found.everything.sort_unstable();
    found.everything.dedup();
    found.gaps.sort();
    found.gaps.dedup();
    Repository {
        root: roots.root.clone(),
        files: found.files,
        everything: found.everything.iter().map(|path| Name::new(path)).collect(),
        left_out: found.left_out,
        gaps: found.gaps,
        manifests: Default::default(),
        context: found.context.iter().filter(|path| !named.contains(path)).map(|path| Name::new(path)).collect(),
    }
}

fn builder(roots: &Roots, choices: &Choices) -> WalkBuilder {
    let mut builder = WalkBuilder::empty();
    for folder in &roots.folders {
        builder.add(folder);
    }
    let honour = choices.honour_ignores;
    // A machine's global ignore file would make results differ between machines. Without a git repository the
    // ignore files of folders further up belong to something else.
    let in_git = git::repository(&roots.root).is_some();
    builder
        .standard_filters(false)
        .git_ignore(honour)
        .git_exclude(honour)
        .ignore(honour)
        .parents(honour && in_git)
        .require_git(in_git)
        .threads(choices.threads);
    builder
}

/// What the configuration and our own ignore files leave out. Those of folders further down are scanned code, as their
/// configurations are, and cannot hide anything.
struct Ignored(Vec<(PathBuf, Gitignore)>);

impl Ignored {
    /// Reads them; what cannot be understood, and so stays in, is told by its path.
    fn of(roots: &Roots, choices: &Choices, mistakes: &mut Vec<(String, String)>) -> Self {
        if !choices.honour_ignores {
            return Self(vec![]);
        }
        let top = git::repository(&roots.root).map_or(roots.root.clone(), |(top, _)| top);
        let above = roots.root.ancestors().take_while(|folder| folder.starts_with(&top));
        let mut folders: Vec<(&Path, &[String])> = above.map(|folder| (folder, &[][..])).collect();
        for (folder, patterns) in &choices.ignored {
            match folders.iter_mut().find(|(known, _)| known == folder) {
                Some((_, known)) => *known = patterns,
                None => folders.push((folder, patterns)),
            }
        }
        let mut read = |(folder, patterns): (&Path, &[String])| {
            let mut builder = GitignoreBuilder::new(folder);
            for pattern in patterns {
                // A pattern that cannot be read has been refused before.
                let _ = builder.add_line(None, pattern);
            }
            let own = folder.join(OWN_IGNORES);
            if own.is_file()
                && let Some(error) = builder.add(&own)
            {
                let mut whys = vec![];
                lines_of(&error, &mut whys);
                mistakes.extend(whys.into_iter().map(|why| (relative(&roots.root, &own), why)));
            }
            Some((folder.to_owned(), builder.build().ok()?)).filter(|(_, patterns)| !patterns.is_empty())
        };
        Self(folders.into_iter().filter_map(&mut read).collect())
    }

    fn matches(&self, path: &Path, is_folder: bool) -> bool {
        self.0.iter().any(|(folder, patterns)| {
            let below = path.strip_prefix(folder).ok();
            below.is_some_and(|path| patterns.matched_path_or_any_parents(path, is_folder).is_ignore())
        })
    }
}

struct Visitors<'w> {
    root: &'w Path,
    total: &'w Mutex<Found>,
    ignored: &'w Ignored,
}

impl<'w> ParallelVisitorBuilder<'w> for Visitors<'w> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'w> {
        Box::new(Visitor { root: self.root, total: self.total, ignored: self.ignored, found: Found::default() })
    }
}

struct Visitor<'w> {
    root: &'w Path,
    total: &'w Mutex<Found>,
    ignored: &'w Ignored,
    found: Found,
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let mut total: MutexGuard<'_, Found> = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.take(&mut self.found);
    }
}

impl ParallelVisitor for Visitor<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => {
                if let Some((path, why)) = failed(&error) {
                    self.found.gap(&relative(self.root, path), GapReason::Unreadable(text::said(why)));
                }
                WalkState::Continue
            }
        }
    }
}

impl Visitor<'_> {
    fn entry(&mut self, entry: &DirEntry) -> WalkState {
        let Some(kind) = entry.file_type().filter(|_| entry.depth() > 0) else { return WalkState::Continue };
        let name = entry.file_name().to_string_lossy();
        let path = relative(self.root, entry.path());
        if self.ignored.matches(entry.path(), kind.is_dir()) {
            self.found.prune(path, Reason::Ignored);
            return if kind.is_dir() { WalkState::Skip } else { WalkState::Continue };
        }
        if kind.is_dir() {
            if let Some(reason) = folders::left_out(entry.path(), &name) {
                self.found.prune(path, reason);
                return WalkState::Skip;
            }
            let hidden = name.starts_with('.') && !names::hidden_but_wanted(&name);
            return if hidden { WalkState::Skip } else { WalkState::Continue };
        }
        if name == OWN_IGNORES {
            self.found.everything.push(path);
        } else if !name.starts_with('.') || names::hidden_but_wanted(&name) {
            add(&mut self.found, self.root, path, kind.is_symlink());
        }
        WalkState::Continue
    }
}

/// Adds a file that is not a folder, by its path from the root.
fn add(found: &mut Found, root: &Path, path: String, is_link: bool) {
    let place = root.join(&path);
    let metadata = match fs::metadata(&place) {
        Ok(metadata) => metadata,
        Err(_) if is_link => return found.gap(&path, GapReason::BrokenLink),
        Err(why) => return found.gap(&path, GapReason::Unreadable(text::said(&why))),
    };
    if metadata.is_dir() {
        return found.left_out(Reason::LinkedFolder);
    }
    if !metadata.is_file() {
        return;
    }
    if is_link && !place.canonicalize().is_ok_and(|target| target.starts_with(root)) {
        return found.gap(&path, GapReason::LinkOutside);
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    match names::left_out(name) {
        Some(reason) => found.left_out(reason),
        None => found.files.push(source(&path, metadata.len(), false)),
    }
    found.everything.push(path);
}

fn source(path: &str, size: u64, named: bool) -> SourceFile {
    /// Notes and SQL that people write are smaller; what is larger is data.
    const PROSE_LIMIT: u64 = 512 * 1024;
    let kind = match kind_of(path) {
        FileKind::Prose if size > PROSE_LIMIT && !named && !crate::sql::is_migration(path) => FileKind::Other,
        kind => kind,
    };
    SourceFile { path: Name::new(path), kind, size, tracked: true, named, generated: false }
}

/// What comes after the walk: files that ignore files hid, or that lie outside the walked folders.
struct Later<'w> {
    roots: &'w Roots,
    seen: FxHashSet<String>,
    found: &'w mut Found,
    ignored: &'w Ignored,
}

impl Later<'_> {
    fn add(&mut self, path: &str) {
        let place = self.roots.root.join(path);
        if self.ignored.matches(&place, false) {
            return;
        }
        if self.seen.insert(path.to_owned())
            && let Ok(metadata) = fs::symlink_metadata(&place)
        {
            add(self.found, &self.roots.root, path.to_owned(), metadata.is_symlink());
        }
    }

    /// Tracked files that `.gitignore` matches.
    fn tracked(&mut self, tracked: &[String]) {
        let folders: Vec<String> = self.roots.folders.iter().map(|folder| relative(&self.roots.root, folder)).collect();
        let missing: Vec<&String> = tracked
            .iter()
            .filter(|path| !self.seen.contains(*path))
            .filter(|path| folders.iter().any(|folder| is_below(path, folder)))
            .collect();
        if missing.is_empty() {
            return;
        }
        let mut own = WalkBuilder::new(&self.roots.root);
        own.standard_filters(false).ignore(true);
        let mut own = own.build_matchers();
        let mut refused: FxHashMap<PathBuf, bool> = FxHashMap::default();
        for path in missing {
            let ignored = own.iter_mut().any(|matcher| matcher.matched(path, false).is_ignore());
            if !ignored && !self.is_refused(path, &mut refused) {
                self.add(path);
            }
        }
    }

    /// Whether the file's name or a folder on its way is left out.
    fn is_refused(&self, path: &str, memo: &mut FxHashMap<PathBuf, bool>) -> bool {
        let hidden = |name: &str| name.starts_with('.') && !names::hidden_but_wanted(name);
        let mut place = self.roots.root.clone();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            if parts.peek().is_none() {
                return hidden(part);
            }
            let refuse = || hidden(part) || folders::left_out(&place, part).is_some();
            if *memo.entry(place.clone()).or_insert_with(refuse) {
                return true;
            }
        }
        false
    }

    /// Environment files beside manifests and at the root, where there is no git repository to ask.
    fn environment(&mut self) {
        for (folder, entries) in self.project_folders() {
            for name in entries.iter().filter(|name| names::is_env(name)) {
                self.add(&joined(&folder, name));
            }
        }
    }

    /// Dependency and output folders beside manifests that ignore files hid: counted, as they would be unhidden.
    fn hidden_dependencies(&mut self) {
        for (folder, entries) in self.project_folders() {
            for name in &entries {
                let path = joined(&folder, name);
                let place = self.roots.root.join(&path);
                if let Some(reason) = folders::left_out(&place, name).filter(|_| place.is_dir()) {
                    self.found.prune(path, reason);
                }
            }
        }
    }

    /// The walked roots and the folders that hold a manifest, with what lies in them.
    fn project_folders(&self) -> Vec<(String, Vec<String>)> {
        let roots = self.roots.folders.iter().map(|folder| relative(&self.roots.root, folder));
        let manifests = self.found.files.iter().filter(|file| file.kind == FileKind::Manifest);
        let parents = manifests.map(|file| file.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder));
        let folders: BTreeSet<String> = roots.chain(parents.map(str::to_owned)).collect();
        let list = |folder: String| {
            let entries = fs::read_dir(self.roots.root.join(&folder)).ok()?;
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            Some((folder, names.collect()))
        };
        folders.into_iter().filter_map(list).collect()
    }

    /// What stands between the root and what was named and says how it is built, resolved, deployed and loaded: read
    /// for that, not looked through.
    fn context_on_the_way(&mut self, tracked: Option<&FxHashSet<&str>>) {
        let root = self.roots.root.clone();
        let above = |start: &Path| -> Vec<PathBuf> {
            start.ancestors().take_while(|way| way.starts_with(&root)).map(Path::to_owned).collect()
        };
        let of_files = self.roots.files.iter().filter_map(|file| file.parent()).flat_map(above);
        let of_folders = self.roots.folders.iter().flat_map(|folder| above(folder));
        let mut ways: BTreeMap<PathBuf, bool> = of_files.map(|way| (way, false)).collect();
        ways.extend(of_folders.map(|way| (way, true)));
        for (way, of_folder) in ways {
            if self.roots.folders.iter().any(|folder| way.starts_with(folder)) {
                continue;
            }
            for entry in fs::read_dir(&way).into_iter().flatten().flatten() {
                let path = relative(&root, &entry.path());
                let name = path.rsplit('/').next().unwrap_or(&path);
                // What git leaves out is left out of a scan of the whole as well.
                let is_set = || names::is_env(name) && tracked.is_some_and(|tracked| tracked.contains(path.as_str()));
                let says = kind_of(&path) == FileKind::Manifest || of_folder && (names::is_context(name) || is_set());
                if says && !self.seen.contains(&path) {
                    self.add(&path);
                    if of_folder {
                        self.found.context.push(path);
                    }
                }
            }
        }
    }

    /// Files given by name, whatever they are. A name that no language claims is still read as far as it goes.
    fn named(&mut self) {
        for file in &self.roots.files {
            let path = relative(&self.roots.root, file);
            if let Ok(metadata) = fs::metadata(file) {
                self.found.files.push(source(&path, metadata.len(), true));
                self.found.everything.push(path);
            }
        }
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { path.into_owned() } else { path.replace('\\', "/") }
}

/// What is wrong in an ignore file, line by line.
fn lines_of(error: &ignore::Error, whys: &mut Vec<String>) {
    match error {
        ignore::Error::Partial(errors) => errors.iter().for_each(|error| lines_of(error, whys)),
        ignore::Error::WithPath { err, .. } => lines_of(err, whys),
        error => whys.push(error.to_string()),
    }
}

/// The path and the system's word in an error of the walk; none for a bad pattern in an ignore file.
fn failed(error: &ignore::Error) -> Option<(&Path, &std::io::Error)> {
    match error {
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => failed(err),
        ignore::Error::WithPath { path, err } => match &**err {
            ignore::Error::Io(why) => Some((path, why)),
            other => failed(other),
        },
        _ => None,
    }
}
