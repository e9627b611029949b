//! What a scan of a change takes: its lines, and the sides that lie in no work tree.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::baseline::Baseline;
use crate::cache::judgements::{Digest, Judgements};
use crate::cli::Scan;
use crate::config::Config;
use crate::diff::git::{Change, Git};
use crate::diff::{self, Changes, Scope};
use crate::error::Error;
use crate::pipeline::{Looked, Options, question, scan};
use crate::program::added::{Before, Vendors};
use crate::settle::fingerprint::Address;
use crate::{settle, walk};

/// Looks at what is scanned while git is asked what the change touches, which the options are told. What is staged
/// beside other edits is laid out in a folder and looked at there; the folder is given back, to be kept until the scan
/// is over.
pub fn look(typed: &Scan, config: &Config, options: &mut Options) -> Result<(Looked, Option<TempDir>), Error> {
    let (here, unwanted) = (options.clone(), AtomicBool::new(false));
    let (looked, laid_out) = std::thread::scope(|scope| {
        let looked = typed.change().is_some().then(|| scope.spawn(|| Looked::at(&here, &unwanted)));
        let laid_out = heed(typed, config, options);
        unwanted.store(!matches!(laid_out, Ok(None)), Ordering::Relaxed);
        (looked.map(ScopedJoinHandle::join), laid_out)
    });
    let laid_out = laid_out?;
    let looked = match looked {
        Some(looked) if laid_out.is_none() => looked.unwrap_or_else(|why| std::panic::resume_unwind(why))?,
        _ => Looked::at(options, &AtomicBool::new(false))?,
    };
    Ok((looked, laid_out))
}

/// Tells the options what the change touches. What is staged beside other edits is laid out in a folder.
fn heed(typed: &Scan, config: &Config, options: &mut Options) -> Result<Option<TempDir>, Error> {
    let root = walk::root_of(&typed.paths)?;
    if let Some(path) = &typed.diff {
        if typed.scope() == Scope::New {
            return Err(Error::Config {
                what: "a diff alone does not say what was there before".to_owned(),
                help: "`--scope new` goes with `--since`, `--changed` or `--staged`".to_owned(),
            });
        }
        let touched = of_diff(path, &root)?;
        options.settle.change = Some(settle::Change::of(touched, typed.scope()));
        return Ok(None);
    }
    let Some(mut change) = typed.change() else { return Ok(None) };
    let git = Git::open(&root)?;
    if typed.hook
        && let Some(from) = pushed_from()
    {
        change = Change::Since(from);
    }
    let folder = seen_from(&git.top, &root);
    let base = git.base(&change)?;
    let (touched, is_unstaged) = std::thread::scope(|scope| {
        let is_unstaged = (change == Change::Staged).then(|| scope.spawn(|| git.is_unstaged()));
        let touched = git.changes(&change, base.as_deref());
        (touched, is_unstaged.and_then(|asked| asked.join().ok()).unwrap_or(Ok(false)))
    });
    let touched = touched?;
    if typed.hook && touched.files.is_empty() {
        return Ok(None);
    }
    let touched = touched.below(&folder);
    let git = Arc::new(git);
    let mut told = settle::Change::of(touched, typed.scope());
    if typed.scope() == Scope::New {
        let (there, name) = OtherSide::of(&base, &git, &there_options(typed, config, true)?, &told.touched)?;
        told.from = name;
        let new_path =
            |old: &str| told.touched.renamed.iter().find(|(_, from)| *from == old).map(|(new, _)| new.as_str());
        told.before = Some(Arc::new(Baseline::new(there.addresses).renamed(new_path)));
        let vendors = there.vendors;
        told.vendors = Before(Some(Arc::new(move || Some(vendors.clone()))));
    } else {
        let (git, touched, asked) = (Arc::clone(&git), Arc::clone(&told.touched), there_options(typed, config, false)?);
        told.from = OtherSide::name(&base, &git, &asked, &[]);
        let ask = move || Some(OtherSide::of(&base, &git, &asked, &touched).ok()?.0.vendors);
        told.vendors = Before(Some(Arc::new(ask)));
    }
    // Files that are not staged change nothing of the lines that are, but they hold what was not there before.
    let is_apart =
        change == Change::Staged && (is_unstaged? || typed.scope() == Scope::New && !git.untracked()?.is_empty());
    if is_apart {
        // What git does not know stands on the other side alone.
        let unknown = Unknown::all(&git.top, options, &told.touched);
        told.from += &OtherSide::name(&None, &git, options, &unknown.files);
    }
    options.settle.change = Some(told);
    if !is_apart {
        return Ok(None);
    }
    let laid_out = lay_out(|to| git.export_index(to))?;
    move_to(options, &git.top, laid_out.path())?;
    Ok(Some(laid_out))
}

/// What pre-commit says a push or a CI run starts from.
fn pushed_from() -> Option<String> {
    let name = ["PRE_COMMIT_FROM_REF", "PRE_COMMIT_SOURCE"].iter().find_map(|name| std::env::var(name).ok())?;
    // A branch that the other side does not have yet.
    let is_none = name.is_empty() || name.bytes().all(|byte| byte == b'0');
    (!is_none).then_some(name)
}

/// What a diff touches below the scanned root. Its paths are those of the repository's top, or, when nothing of it is
/// there, of the root.
fn of_diff(path: &Path, root: &Path) -> Result<Changes, Error> {
    let text = text_of(path)?;
    let touched = diff::parse(&text);
    let top = walk::repository_top(root).unwrap_or_else(|| root.to_owned());
    let lies_in = |folder: &Path| touched.files.keys().any(|path| folder.join(path).exists());
    let with_lines = touched.files.iter().filter(|(_, touched)| !touched.lines.is_empty()).map(|(path, _)| path).min();
    let help = "make it at the top of the repository: `git diff main | seamcheck --diff -`".to_owned();
    let hunks = |mark: &str| text.lines().any(|line| line.starts_with(mark));
    if hunks("@@@ ") || hunks("\u{1b}[36m@@@ ") {
        let what = "this is a combined diff, of a merge: it does not say what is new against one side".to_owned();
        return Err(Error::Config { what, help: "make it with `git diff HEAD^1`".to_owned() });
    }
    let no_lines = touched.files.values().all(|it| it.lines.is_empty() && it.gaps.is_empty());
    if hunks("@@ -") && no_lines && (text.contains("{+") || text.contains("[-")) {
        let what = "this is a diff of words: it does not say which lines are new".to_owned();
        return Err(Error::Config { what, help: "make it without `--word-diff`".to_owned() });
    }
    // What git shows of a merge that went by itself has no lines.
    let is_commit = text.starts_with("commit ") && text.contains("\nMerge: ");
    if !is_commit
        && touched.files.is_empty()
        && !text.trim().is_empty()
        && !text.lines().any(|line| line.starts_with("diff "))
    {
        return Err(Error::Config { what: "this is no unified diff".to_owned(), help });
    }
    match with_lines {
        _ if lies_in(&top) => Ok(touched.below(&seen_from(&top, root))),
        Some(first) if !lies_in(root) => {
            Err(Error::Config { what: format!("the diff speaks of files that are not here: `{first}`"), help })
        }
        _ => Ok(touched),
    }
}

fn text_of(path: &Path) -> Result<String, Error> {
    if path != Path::new("-") {
        return walk::read_named(path);
    }
    let mut bytes = vec![];
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|why| Error::Unreadable { path: "standard input".to_owned(), why: why.to_string() })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn lay_out(write: impl FnOnce(&Path) -> Result<(), Error>) -> Result<TempDir, Error> {
    let folder = tempfile::Builder::new().prefix("seamcheck-").tempdir().map_err(|why| Error::Config {
        what: format!("no folder can be made for the other side of the change: {why}"),
        help: "point TMPDIR at a folder that can be written to".to_owned(),
    })?;
    write(folder.path())?;
    Ok(folder)
}

/// How the other side of the change is scanned: for its findings, or only for what it is made of.
fn there_options(typed: &Scan, config: &Config, findings: bool) -> Result<Options, Error> {
    let mut options = typed.options(config)?;
    options.settle.addresses = true;
    options.progress = false;
    if !findings {
        options.rules.clear();
    }
    Ok(options)
}

/// What a scan of the other side of a change came to.
#[derive(Serialize, Deserialize)]
struct OtherSide {
    addresses: Vec<Address>,
    vendors: Vendors,
}

impl OtherSide {
    /// Scans it, unless what came of that is kept; with the name it is kept by.
    fn of(base: &Option<String>, git: &Git, options: &Options, touched: &Changes) -> Result<(Self, String), Error> {
        let unknown = Unknown::all(&git.top, options, touched);
        let name = Self::name(base, git, options, &unknown.files);
        let mut key = Digest::default();
        key.text(&name);
        let home = walk::root_of(&options.walk.paths)?;
        let kept = options.cache.as_deref().and_then(|folder| Judgements::open(folder, &home, unknown.code));
        if let Some(side) = kept.as_ref().and_then(|kept| kept.get::<Self>(&key.name())) {
            return Ok((side, name));
        }
        let laid_out = lay_out(|to| git.export_commit(base.as_deref(), to))?;
        unknown.stand_in(laid_out.path());
        let mut options = options.clone();
        move_to(&mut options, &git.top, laid_out.path())?;
        let outcome = scan(&options)?;
        let side = Self { vendors: outcome.program.vendors_in_use(), addresses: outcome.settled.addresses };
        if let Some(kept) = kept.filter(|_| outcome.settled.failed.is_empty()) {
            kept.put(&key.name(), &side);
        }
        // Taking the program apart piece by piece would only cost time.
        std::mem::forget(outcome.program);
        Ok((side, name))
    }

    /// All that decides what a scan of a commit comes to.
    fn name(base: &Option<String>, git: &Git, options: &Options, unknown: &[(String, Vec<u8>)]) -> String {
        let place = |path: &Path| match path.canonicalize() {
            Ok(whole) if whole.starts_with(&git.top) => seen_from(&git.top, &whole),
            _ => path.display().to_string(),
        };
        let root = walk::root_of(&options.walk.paths).map(|root| place(&root)).unwrap_or_default();
        let mut digest = Digest::default();
        for (path, bytes) in unknown {
            digest.text(path);
            digest.bytes(bytes);
        }
        format!("{base:?} {root:?} {} {:?}", question(options, place), digest.name())
    }
}

/// Environment files that git does not know: they stand on both sides.
#[derive(Default)]
struct Unknown {
    /// The files, by their paths from the top.
    files: Vec<(String, Vec<u8>)>,
    /// How many files of code there are on this side.
    code: usize,
}

impl Unknown {
    fn all(top: &Path, options: &Options, touched: &Changes) -> Self {
        let Ok(here) = walk::walk(&options.walk) else { return Self::default() };
        let folder = seen_from(top, &here.root);
        let is_unknown = |file: &&walk::SourceFile| {
            !file.tracked && file.size <= walk::SIZE_LIMIT && !touched.files.contains_key(file.path.as_str())
        };
        let read = |file: &walk::SourceFile| {
            let path = format!("{folder}/{}", file.path);
            Some((path.trim_start_matches('/').to_owned(), std::fs::read(here.root.join(file.path.as_str())).ok()?))
        };
        let code = here.files.iter().filter(|file| file.kind.holds_code()).count();
        Self { files: here.files.iter().filter(is_unknown).filter_map(read).collect(), code }
    }

    /// Puts them into the folder of the other side, where nothing stands in their place.
    fn stand_in(&self, there: &Path) {
        for (path, bytes) in &self.files {
            let to = there.join(path);
            if !to.exists() {
                let _ = std::fs::create_dir_all(to.parent().unwrap_or(there));
                let _ = std::fs::write(to, bytes);
            }
        }
    }
}

/// Turns a scan to the same paths in another folder than the work tree's top.
fn move_to(options: &mut Options, top: &Path, there: &Path) -> Result<(), Error> {
    let there = there.canonicalize().unwrap_or_else(|_| there.to_owned());
    let moved = |path: &Path| -> Option<PathBuf> {
        let whole = path.canonicalize().ok()?;
        Some(there.join(whole.strip_prefix(top).ok()?))
    };
    options.own.home = Some(walk::root_of(&options.walk.paths)?);
    let typed = if options.walk.paths.is_empty() { vec![PathBuf::from(".")] } else { options.walk.paths.clone() };
    let mut paths: Vec<PathBuf> = typed.iter().filter_map(|path| moved(path)).collect();
    // A folder that the other side lacks is empty there.
    for path in paths.iter().filter(|path| path.extension().is_none()) {
        let _ = std::fs::create_dir_all(path);
    }
    paths.retain(|path| path.exists());
    if paths.is_empty() {
        paths.push(there.clone());
    }
    options.walk.paths = paths;
    for (folder, _) in &mut options.walk.ignored {
        if let Some(folder_there) = moved(folder) {
            *folder = folder_there;
        }
    }
    Ok(())
}

/// A folder as seen from one above it, with forward slashes.
fn seen_from(top: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(top).unwrap_or(Path::new(""));
    below.to_string_lossy().replace('\\', "/")
}

/// What leads from the folder that the tool runs in to the scanned one: what its paths lose, and what they get.
pub fn way(paths: &[PathBuf]) -> Result<(String, String), Error> {
    let root = walk::root_of(paths)?;
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let slashed = |way: String| if way.is_empty() { way } else { way + "/" };
    let (less, more) = (seen_from(&root, &here), seen_from(&here, &root));
    Ok((slashed(less), slashed(more)))
}

/// What is scanned as seen from the top of its git repository, with a slash at its end; empty when it is the top.
pub fn from_top(paths: &[PathBuf]) -> Result<String, Error> {
    let root = walk::root_of(paths)?;
    let below = walk::repository_top(&root).map(|top| seen_from(&top, &root)).unwrap_or_default();
    Ok(if below.is_empty() { below } else { below + "/" })
}
