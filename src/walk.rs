//! A folder becomes a repository: which files there are, which are read, which are left out and why, and which
//! could not be read. The only reader of files.
//!
//! Built-in leave-outs (dependency folders, build output, some lockfiles, minified, generated and vendored files) are
//! counted by reason. What should have been read and could not is a [`Gap`], and the summary names it.
//! A file given by name is read whatever its name, folder, size or looks.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::facts::Language;
use crate::lang;
use crate::manifest::Manifests;
use crate::names::Name;

mod folders;
mod git;
pub mod mentions;
pub(crate) mod names;
mod roots;
mod text;
mod tree;

pub use text::{Decoded, said};
pub use tree::OWN_IGNORES;

/// Code and manifests over this many bytes are gaps, unless they are named.
pub const SIZE_LIMIT: u64 = 2 * 1024 * 1024;

/// Lockfiles over this many bytes are left out, unless they are named.
const LOCK_LIMIT: u64 = 16 * 1024 * 1024;

/// What to walk.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Files and folders as they were typed; none stands for the current folder.
    pub paths: Vec<PathBuf>,
    /// Whether `.gitignore`, `.ignore` and `.seamcheckignore` count.
    pub honour_ignores: bool,
    /// How many threads look at folders; 0 leaves the choice to the machine.
    pub threads: usize,
    /// Patterns of paths that the configuration leaves out, with the folder they are seen from. The ignore file of our
    /// own that lies in such a folder counts.
    pub ignored: Vec<(PathBuf, Vec<String>)>,
}

/// A walked repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// The folder that all paths are relative to.
    pub root: PathBuf,
    /// The files that were walked, in byte order of their paths; [`crate::finding::FileId`] is an index into it.
    pub files: Vec<SourceFile>,
    /// Every path seen, in byte order, also of files that were left out by their name or looks (not: what lies in
    /// folders that were left out). For questions of existence.
    pub everything: Vec<Name>,
    /// How many files and folders were left out, by reason.
    pub left_out: BTreeMap<Reason, usize>,
    /// What should have been read and was not, by path.
    pub gaps: Vec<Gap>,
    /// What the manifests say. Filled by the caller of [`Repository::load`].
    pub manifests: Arc<Manifests>,
    /// Files above the walked folders that are read for what they say of them: nothing is reported there.
    pub context: BTreeSet<Name>,
}

/// A walked file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the root, with forward slashes.
    pub path: Name,
    /// What it is read as.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// Git tracks it; always true where there is no git repository to ask.
    pub tracked: bool,
    /// It was given by name.
    pub named: bool,
    /// It says that a tool wrote it (known once it has been read).
    pub generated: bool,
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Code.
    Code(Language),
    /// A document with scripts in it: `.html`, `.vue`, `.svelte`, `.astro`.
    Document,
    /// Something that says how the code is built, resolved or deployed.
    Manifest,
    /// Environment variables: `.env*`, `.dev.vars`, `.flaskenv`.
    Env,
    /// A lockfile: read for the versions of vendors' packages.
    Lock,
    /// Notes, SQL, notebooks, settings: read for credentials alone.
    Prose,
    /// Anything else; not read.
    Other,
}

impl FileKind {
    /// Whether facts are extracted from it.
    pub fn holds_code(self) -> bool {
        matches!(self, Self::Code(_) | Self::Document)
    }
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A folder of installed dependencies.
    DependencyFolder,
    /// A folder or bundle that a build wrote.
    BuildOutput,
    /// A lockfile that is not read.
    Lockfile,
    /// Minified code.
    Minified,
    /// Code that a tool wrote and that says so.
    Generated,
    /// A library's copy.
    Vendored,
    /// A link to a folder; its target is walked where it stands.
    LinkedFolder,
    /// What the configuration ignores.
    Ignored,
}

impl Reason {
    /// In words, for a count.
    pub fn words(self) -> &'static str {
        match self {
            Self::DependencyFolder => "dependency folders",
            Self::BuildOutput => "build output",
            Self::Lockfile => "lockfiles",
            Self::Minified => "minified files",
            Self::Generated => "generated files",
            Self::Vendored => "vendored files",
            Self::LinkedFolder => "links to folders",
            Self::Ignored => "files and folders that the configuration ignores",
        }
    }
}

/// Something that should have been read and was not, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Relative to the root.
    pub path: Name,
    /// Why.
    pub reason: GapReason,
}

/// Why something was not read, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// Over [`SIZE_LIMIT`]; the size.
    TooBig(u64),
    /// Not text in UTF-8 (or UTF-16 with its mark). A file with few such bytes is read around them.
    NotUtf8,
    /// The system refuses; what it says.
    Unreadable(String),
    /// A link to nothing.
    BrokenLink,
    /// A link that leads out of the repository.
    LinkOutside,
    /// A manifest that cannot be understood; why.
    BrokenManifest(String),
    /// Nested deeper than the extractor follows.
    TooDeep,
    /// A syntax error that takes functions and calls with it; its line.
    NotParsed(u32),
    /// A merge that was not finished left its marks; the line of the first.
    Conflict(u32),
    /// Statements of SQL that may matter and were not understood; how many.
    SqlNotUnderstood(usize),
    /// The extractor failed on it: a bug of ours.
    Crashed(String),
}

impl GapReason {
    /// Whether findings may be missing for it, more than a few.
    pub fn hides(&self) -> bool {
        !matches!(self, Self::SqlNotUnderstood(_))
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooBig(size) => {
                let (size, limit) = (*size as f64 / 1_048_576.0, SIZE_LIMIT as f64 / 1_048_576.0);
                write!(f, "too big to read ({size:.1} MB, the limit is {limit} MB)")
            }
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
            Self::BrokenLink => f.write_str("a link to nothing"),
            Self::LinkOutside => f.write_str("a link that leads out of the repository"),
            Self::BrokenManifest(why) => write!(f, "cannot be understood: {why}"),
            Self::TooDeep => f.write_str("nested too deeply to be read whole"),
            Self::NotParsed(line) => write!(f, "a syntax error in line {line}: what is found here may be missing"),
            Self::Conflict(line) => write!(f, "a merge conflict in line {line}: what is found here may be missing"),
            Self::SqlNotUnderstood(1) => f.write_str("1 statement of SQL was not understood"),
            Self::SqlNotUnderstood(count) => write!(f, "{count} statements of SQL were not understood"),
            Self::Crashed(why) => write!(f, "seamcheck failed to read it (please report this): {why}"),
        }
    }
}

/// Finds the files.
pub fn walk(choices: &Choices) -> Result<Repository, Error> {
    let roots = roots::Roots::of(&choices.paths)?;
    Ok(tree::walk(&roots, choices))
}

/// The user's own vendor files: `.seamcheck/vendors/*.toml` with their text, by path; those of the scanned folder, or,
/// as the configuration, of the nearest one above it in the same git repository.
pub fn vendor_files(choices: &Choices) -> Result<Vec<(String, String)>, Error> {
    let root = roots::Roots::of(&choices.paths)?.root;
    let top = repository_top(&root).unwrap_or_else(|| root.clone());
    let above = root.ancestors().take_while(|folder| folder.starts_with(&top));
    let mut folders = above.map(|folder| folder.join(".seamcheck/vendors"));
    let Some(folder) = folders.find(|folder| folder.is_dir()) else { return Ok(vec![]) };
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(vec![]) };
    let mut files = vec![];
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".toml") {
            continue;
        }
        let path = format!(".seamcheck/vendors/{name}");
        check_within(&entry.path(), &root)?;
        let text = fs::read_to_string(entry.path())
            .map_err(|why| Error::Unreadable { path: path.clone(), why: why.to_string() })?;
        files.push((path, text));
    }
    files.sort();
    Ok(files)
}

/// The ids that the vendor files of a root give, as far as they can be read.
pub fn vendor_ids(root: &Path) -> Vec<String> {
    let choices = Choices { paths: vec![root.to_owned()], honour_ignores: true, threads: 0, ignored: vec![] };
    let files = vendor_files(&choices).unwrap_or_default();
    let id = |text: &str| Some(toml::from_str::<toml::Table>(text).ok()?.get("id")?.as_str()?.to_owned());
    files.iter().filter_map(|(_, text)| id(text)).collect()
}

/// The folder that all paths of a walk will be relative to.
pub fn root_of(paths: &[PathBuf]) -> Result<PathBuf, Error> {
    Ok(roots::Roots::of(paths)?.root)
}

/// The folders that a walk of these paths looks at: of files that are named, theirs.
pub fn folders_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let roots::Roots { folders, files, .. } = roots::Roots::of(paths)?;
    Ok(folders.into_iter().chain(files.iter().filter_map(|file| file.parent().map(Path::to_owned))).collect())
}

/// Whether a walk of these paths sees all that lies in a folder, ignore files apart.
pub fn covers(paths: &[PathBuf], folder: &Path) -> Result<bool, Error> {
    Ok(roots::Roots::of(paths)?.folders.iter().any(|walked| folder.starts_with(walked)))
}

/// Whether what a path of a repository leads to lies in it: the folder is one of the repository's.
pub fn is_within(path: &Path, folder: &Path) -> bool {
    let top = repository_top(folder).unwrap_or_else(|| folder.to_owned());
    let top = top.canonicalize().unwrap_or(top);
    path.canonicalize().is_ok_and(|target| target.starts_with(top))
}

/// Refuses to follow a repository's own file out of it: its lines would be shown.
pub fn check_within(path: &Path, folder: &Path) -> Result<(), Error> {
    if is_within(path, folder) {
        return Ok(());
    }
    let path = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    Err(Error::Unreadable { path, why: GapReason::LinkOutside.to_string() })
}

/// Whether something stands at a place.
pub fn is_there(place: &Path) -> bool {
    place.symlink_metadata().is_ok()
}

/// The top of the git repository that a folder lies in.
pub fn repository_top(folder: &Path) -> Option<PathBuf> {
    git::repository(folder).map(|(top, _)| top)
}

/// The folders right in a folder, sorted.
pub fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// Whether a pattern can be read; if not, why.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut builder = ignore::gitignore::GitignoreBuilder::new("/");
    builder.add_line(None, pattern).map(|_| ()).map_err(|why| why.to_string())
}

/// The text of a file outside of any walk, for a look at a single file.
pub fn read_named(path: &Path) -> Result<String, Error> {
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(Error::missing_path(&shown, std::iter::empty()));
    }
    let unreadable = |why: GapReason| Error::Unreadable { path: shown.clone(), why: why.to_string() };
    read_file(path, 0, Vec::new())
        .map_err(unreadable)
        .and_then(|decoded| decoded.text.ok_or_else(|| unreadable(GapReason::NotUtf8)))
}

/// A file of which the system is not asked how large it is: the walk has asked.
struct Plain(fs::File);

impl Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Reads a file of about this size into an emptied buffer.
fn read_file(path: &Path, size: u64, mut buffer: Vec<u8>) -> Result<Decoded, GapReason> {
    // With room to spare the end of the file is met without another look.
    buffer.reserve(size.min(SIZE_LIMIT) as usize + 64);
    let read = fs::File::open(path).and_then(|file| Plain(file).read_to_end(&mut buffer));
    read.map_err(|why| GapReason::Unreadable(text::said(&why)))?;
    Ok(text::decode(buffer))
}

thread_local! {
    /// The buffer of the last file this thread read: a new one each time would be of another size.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What became of a file when it was loaded.
struct Loaded<T> {
    index: usize,
    left_out: Option<Reason>,
    gap: Option<GapReason>,
    generated: bool,
    value: Option<T>,
}

impl Repository {
    /// The text of a walked file, as every span counts it: without a byte order mark, UTF-16 decoded.
    pub fn read(&self, path: &str) -> Result<String, GapReason> {
        read_file(&self.root.join(path), 0, Vec::new())?.text.ok_or(GapReason::NotUtf8)
    }

    /// Whether a file of this path was seen.
    pub fn exists(&self, path: &str) -> bool {
        self.everything.binary_search_by(|name| name.as_str().cmp(path)).is_ok()
    }

    /// The position in [`Repository::files`] of a path.
    pub fn position(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()
    }

    /// Whether what a path names, or a folder above it, was not read or not understood: nothing that was found there
    /// before can be taken for mended.
    pub fn is_unread(&self, path: &str) -> bool {
        let is_it = |gap: &Gap| {
            let rest = path.strip_prefix(gap.path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && gap.reason.hides()
        };
        self.gaps.iter().any(is_it)
    }

    /// Names something that was not read.
    pub fn gap(&mut self, path: Name, reason: GapReason) {
        let gap = Gap { path, reason };
        let at = self.gaps.partition_point(|other| *other < gap);
        self.gaps.insert(at, gap);
    }

    /// Names what of a file that was read was not understood. When that is all of it, it is no matter that some bytes
    /// were not UTF-8.
    pub fn not_understood(&mut self, Gap { path, reason }: Gap) {
        let is_part = matches!(
            reason,
            GapReason::TooDeep | GapReason::SqlNotUnderstood(_) | GapReason::NotParsed(_) | GapReason::Conflict(_)
        );
        if !is_part {
            self.gaps.retain(|gap| gap.path != path || gap.reason != GapReason::NotUtf8);
        }
        self.gap(path, reason);
    }

    /// Reads each file once, in parallel, and hands its text to `each`; keeps what that makes of it and drops the
    /// text. Files that turn out to be minified, generated, bundled or vendored are left out now.
    /// The answers belong to [`Repository::files`], position by position.
    pub fn load<T: Send>(
        &mut self,
        each: impl Fn(&SourceFile, &str) -> Result<Option<T>, GapReason> + Sync,
    ) -> Vec<Option<T>> {
        // The largest first, so that no thread is left with one of them at the end.
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|&at| (std::cmp::Reverse(self.files[at].size), at));
        let load = |&index: &usize| self.load_one(index, &each);
        let mut loaded: Vec<Loaded<T>> = order.par_iter().with_max_len(8).map(load).collect();
        loaded.sort_unstable_by_key(|loaded| loaded.index);

        let files = std::mem::take(&mut self.files);
        let mut values = Vec::with_capacity(files.len());
        let mut gaps = std::mem::take(&mut self.gaps);
        for (mut file, loaded) in files.into_iter().zip(loaded) {
            if let Some(reason) = loaded.left_out {
                *self.left_out.entry(reason).or_default() += 1;
                continue;
            }
            gaps.extend(loaded.gap.map(|reason| Gap { path: file.path, reason }));
            file.generated = loaded.generated;
            self.files.push(file);
            values.push(loaded.value);
        }
        gaps.sort();
        self.gaps = gaps;
        values
    }

    fn load_one<T>(
        &self,
        index: usize,
        each: &(impl Fn(&SourceFile, &str) -> Result<Option<T>, GapReason> + Sync),
    ) -> Loaded<T> {
        let file = &self.files[index];
        let mut loaded = Loaded { index, left_out: None, gap: None, generated: false, value: None };
        if file.kind == FileKind::Other {
            return loaded;
        }
        let path = self.root.join(file.path.as_str());
        if file.kind == FileKind::Lock {
            if file.size > LOCK_LIMIT && !file.named {
                return Loaded { left_out: Some(Reason::Lockfile), ..loaded };
            }
        } else if file.size > SIZE_LIMIT && !file.named {
            loaded.left_out = text::looks_of_head(&path, file.kind);
            loaded.gap = loaded.left_out.is_none().then_some(GapReason::TooBig(file.size));
            return loaded;
        }
        let text = match read_file(&path, file.size, BUFFER.take()) {
            Ok(decoded) => {
                loaded.gap = decoded.gap;
                decoded.text
            }
            Err(reason) => {
                loaded.gap = Some(reason);
                None
            }
        };
        let Some(text) = text else { return loaded };
        let looks = text::looks(&text, file.kind);
        loaded.generated = looks.generated;
        if !file.named && looks.left_out.is_some() {
            return Loaded { left_out: looks.left_out, gap: None, ..loaded };
        }
        match each(file, &text) {
            Ok(value) => loaded.value = value,
            Err(reason) => loaded.gap = Some(reason),
        }
        let mut buffer = text.into_bytes();
        buffer.clear();
        BUFFER.set(buffer);
        loaded
    }
}

/// The process's largest use of memory so far, in kilobytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The kind of a file by its path.
pub fn kind_of(path: &str) -> FileKind {
    if let Some(kind) = names::special(path) {
        return kind;
    }
    match lang::language_of(path) {
        Some(language) => FileKind::Code(language),
        None if names::is_prose(path) => FileKind::Prose,
        None => FileKind::Other,
    }
}
