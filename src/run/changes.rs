//! What a scan of a change takes: its lines, and the sides that lie in no work tree.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::baseline::Baseline;
use crate::cli::Scan;
use crate::config::Config;
use crate::diff::git::{Change, Git};
use crate::diff::{self, Changes, Scope};
use crate::error::Error;
use crate::pipeline::{Options, Outcome, scan};
use crate::program::added::Before;
use crate::{settle, walk};

/// Tells the options what the change touches. What is staged beside other edits is laid out in a folder and scanned
/// there; the folder is given back, to be kept until the scan is over.
pub fn heed(typed: &Scan, config: &Config, options: &mut Options) -> Result<Option<TempDir>, Error> {
    let root = walk::root_of(&typed.paths)?;
    if let Some(path) = &typed.diff {
        if typed.scope == Scope::New {
            return Err(Error::Config {
                what: "a diff alone does not say what was there before".to_owned(),
                help: "`--scope new` goes with `--since`, `--changed` or `--staged`".to_owned(),
            });
        }
        let touched = of_diff(path, &root)?;
        options.settle.change = Some(settle::Change::of(touched, typed.scope));
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
    let touched = git.changes(&change)?;
    if typed.hook && touched.files.is_empty() {
        return Ok(None);
    }
    let touched = touched.below(&folder);
    let base = git.base(&change)?;
    let git = Arc::new(git);
    let mut told = settle::Change::of(touched, typed.scope);
    if typed.scope == Scope::New {
        let outcome = there(&base, &git, &there_options(typed, config, true)?, &told.touched)?;
        let new_path =
            |old: &str| told.touched.renamed.iter().find(|(_, from)| *from == old).map(|(new, _)| new.as_str());
        told.before = Some(Arc::new(Baseline::new(outcome.settled.addresses.clone()).renamed(new_path)));
        let vendors = outcome.program.vendors_in_use();
        told.vendors = Before(Some(Arc::new(move || Some(vendors.clone()))));
    } else {
        let (git, touched, asked) = (Arc::clone(&git), Arc::clone(&told.touched), there_options(typed, config, false)?);
        let ask = move || Some(there(&base, &git, &asked, &touched).ok()?.program.vendors_in_use());
        told.vendors = Before(Some(Arc::new(ask)));
    }
    options.settle.change = Some(told);
    if change != Change::Staged || !git.is_unstaged()? {
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
    if touched.files.is_empty() && !text.trim().is_empty() && !text.lines().any(|line| line.starts_with("diff ")) {
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

/// The other side of the change, scanned.
fn there(base: &Option<String>, git: &Git, options: &Options, touched: &Changes) -> Result<Outcome, Error> {
    let laid_out = lay_out(|to| git.export_commit(base.as_deref(), to))?;
    let mut options = options.clone();
    copy_unknown(&git.top, laid_out.path(), &options, touched);
    move_to(&mut options, &git.top, laid_out.path())?;
    scan(&options)
}

/// Environment files that git does not know stand on both sides.
fn copy_unknown(top: &Path, there: &Path, options: &Options, touched: &Changes) {
    let Ok(here) = walk::walk(&options.walk) else { return };
    let folder = seen_from(top, &here.root);
    for file in here.files.iter().filter(|file| !file.tracked && !touched.files.contains_key(file.path.as_str())) {
        let to = there.join(&folder).join(file.path.as_str());
        if file.size <= walk::SIZE_LIMIT && !to.exists() {
            let _ = std::fs::create_dir_all(to.parent().unwrap_or(there));
            let _ = std::fs::copy(here.root.join(file.path.as_str()), to);
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

/// What is scanned as seen from the top of its git repository, with a slash at its end; empty when it is the top.
pub fn from_top(paths: &[PathBuf]) -> Result<String, Error> {
    let root = walk::root_of(paths)?;
    let below = walk::repository_top(&root).map(|top| seen_from(&top, &root)).unwrap_or_default();
    Ok(if below.is_empty() { below } else { below + "/" })
}
