//! The baseline: which file it is, read for a scan, written and pruned.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Stop, output_error};
use crate::baseline::{Baseline, FILE};
use crate::cli::Scan;
use crate::config::Config;
use crate::error::{Error, count};
use crate::pipeline::{Judged, Options, judge};
use crate::report::Format;
use crate::settle::fingerprint::Address;
use crate::walk;

/// Where the baseline is or goes, and whether it was asked for by name: beside the configuration, unless one lies
/// in a folder that is nearer.
fn place(typed: &Scan, config: &Config, root: &Path) -> (PathBuf, bool) {
    match (&typed.baseline, &config.baseline) {
        (Some(path), _) => return (path.clone(), true),
        (None, Some(path)) => return (config.folder.join(path), true),
        (None, None) => {}
    }
    let top = walk::repository_top(root).unwrap_or_else(|| config.folder.clone());
    let mut above = root.ancestors().take_while(|folder| folder.starts_with(&top));
    (above.find(|folder| folder.join(FILE).is_file()).unwrap_or(&config.folder).join(FILE), false)
}

/// The baseline of a scan, if there is one, as it speaks of what is scanned.
pub fn read(typed: &Scan, config: &Config) -> Result<Option<Arc<Baseline>>, Error> {
    let root = walk::root_of(&typed.paths)?;
    let (path, named) = place(typed, config, &root);
    let unwanted = typed.no_baseline || typed.no_ignores || (typed.isolated && typed.baseline.is_none());
    if unwanted || (!named && !path.is_file()) {
        return Ok(None);
    }
    if typed.baseline.is_none() && typed.config.is_none() && path.exists() {
        walk::check_within(&path, &root)?;
    }
    let baseline = load(&path)?.below(&from_base(&path, config, &root));
    Ok(Some(Arc::new(baseline.of_a_part(!is_whole(typed, &path, config, &root)?))))
}

/// The scanned root as seen from the folder that a baseline's paths are seen from: the one it lies in, or, when that is
/// aside, the configuration's.
fn from_base(path: &Path, config: &Config, root: &Path) -> String {
    let own = path.parent().map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    let own = own.and_then(|folder| folder.canonicalize().ok());
    let base = own.filter(|folder| root.starts_with(folder)).unwrap_or_else(|| config.folder.clone());
    root.strip_prefix(&base).unwrap_or(Path::new("")).to_string_lossy().replace('\\', "/")
}

/// Whether all is scanned that the baseline speaks of: a part alone shows less of the program, and what is not found
/// there need not be mended.
fn is_whole(typed: &Scan, path: &Path, config: &Config, root: &Path) -> Result<bool, Error> {
    Ok(from_base(path, config, root).is_empty() && walk::covers(&typed.paths, root)?)
}

/// Reads a baseline that must be there.
fn load(path: &Path) -> Result<Baseline, Error> {
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(Error::Config {
            what: format!("there is no baseline `{shown}`"),
            help: "`seamcheck baseline` accepts today's findings and writes it; `--no-baseline` does without"
                .to_owned(),
        });
    }
    Baseline::parse(&shown, &walk::read_named(path)?)
}

/// Refuses what lacks the findings of a rule that broke down: they would seem mended.
fn sound(outcome: Judged) -> Result<Judged, Error> {
    let Some(failed) = outcome.settled.failed.first() else { return Ok(outcome) };
    Err(Error::Config {
        what: format!("the rule `{}` failed, its findings are missing: {}", failed.rule, failed.message),
        help: format!("this is a bug of seamcheck; please report it at {}/issues", env!("CARGO_PKG_REPOSITORY")),
    })
}

/// Writes today's findings, or drops from what was written what is mended.
pub fn write(typed: &Scan, prune: bool, messages: &mut dyn Write) -> Result<(), Stop> {
    let changes = [typed.staged, typed.changed, typed.since.is_some(), typed.diff.is_some(), typed.hook];
    let reports = [
        typed.format != Format::Human,
        typed.output.is_some(),
        !typed.also.is_empty(),
        typed.fix_suppressions,
        typed.no_baseline,
    ];
    let (what, help) = match (changes.contains(&true), reports.contains(&true)) {
        (true, _) => (
            "a baseline is made of the whole repository",
            "leave `--staged`, `--changed`, `--since`, `--diff` and `--hook` out",
        ),
        (_, true) => (
            "a baseline is no report",
            "say where it goes with `--baseline FILE`; `seamcheck` without `baseline` writes reports and takes comments out",
        ),
        _ => ("", ""),
    };
    if !what.is_empty() {
        return Err(Error::Config { what: what.to_owned(), help: help.to_owned() }.into());
    }
    let config = Config::load(&typed.wanted(), &typed.paths, &typed.day())?;
    let mut options = typed.options(&config)?;
    options.settle.addresses = true;
    let root = walk::root_of(&typed.paths)?;
    let (path, _) = place(typed, &config, &root);
    let part = from_base(&path, &config, &root);
    if !part.is_empty() {
        let what = format!("`{part}` is only a part of what {} speaks of", path.display());
        let help = "run it without paths in the folder of the baseline, or give the part a baseline of its own with \
                    `--baseline`"
            .to_owned();
        return Err(Error::Config { what, help }.into());
    }
    let whole = is_whole(typed, &path, &config, &root)?;
    let (baseline, said) =
        if prune { pruned(typed, &path, whole, options)? } else { accepted(typed, &path, whole, &options)? };
    let mut text = vec![];
    baseline.write(&mut text)?;
    let failed = |why: io::Error| output_error(&path, &why);
    fs::write(&path, text).map_err(failed)?;
    writeln!(
        messages,
        "{}: {}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        said.replace("entrys", "entries")
    )?;
    Ok(())
}

/// What is left of a baseline once it lost what is mended, and what came of it in words.
fn pruned(typed: &Scan, path: &Path, whole: bool, mut options: Options) -> Result<(Baseline, String), Error> {
    let old = load(path)?;
    let before = old.len();
    let refusal = match (typed.rule.is_empty() && typed.skip.is_empty(), whole) {
        // A rule that did not run has found nothing; its entries stand.
        (false, _) => Some(("a baseline is pruned by all rules", "leave `--rule` and `--skip` out")),
        (_, false) => Some((
            "a baseline is pruned by a scan of the whole repository",
            "run it without paths in the folder of the baseline: what a part reports can hang on code outside of it",
        )),
        _ => None,
    };
    if let Some((what, help)) = refusal {
        return Err(Error::Config { what: what.to_owned(), help: help.to_owned() });
    }
    options.settle.baseline = Some(Arc::new(old.clone()));
    let outcome = sound(judge(&options)?)?;
    let pruned = old.pruned(&outcome.settled.baseline_alive, &outcome.settled.baseline_moved);
    let said = format!("{} dropped, {} left", count(before - pruned.len(), "entry"), pruned.len());
    Ok((pruned, said))
}

/// Today's findings, with what is known from before of all that was not looked at, and what came of it in words.
fn accepted(typed: &Scan, path: &Path, whole: bool, options: &Options) -> Result<(Baseline, String), Error> {
    let outcome = sound(judge(options)?)?;
    let Judged { settled, repository, .. } = outcome;
    let all_rules = typed.rule.is_empty() && typed.skip.is_empty();
    let old = match path.exists() {
        false => Baseline::default(),
        // What is written anew as a whole may have been broken.
        true if whole && all_rules => load(path).unwrap_or_default(),
        true => load(path)?,
    };
    let found = settled.addresses.len();
    let looked_at = |entry: &Address| {
        whole && options.rules.iter().any(|rule| rule.id == entry.rule) && !repository.is_unread(&entry.path)
    };
    let exists = |path: &str| repository.exists(path) || walk::is_there(&repository.root.join(path));
    let (baseline, kept) = old.anew(settled.addresses, exists, looked_at);
    let said = match (kept, whole, all_rules) {
        (0, ..) => String::new(),
        (_, false, _) => format!(", {} kept as only a part was scanned", count(kept, "entry")),
        (_, _, false) => format!(", {} of other rules kept", count(kept, "entry")),
        _ => format!(", {} of files that cannot be read kept", count(kept, "entry")),
    };
    Ok((baseline, format!("{} accepted{said}", count(found, "finding"))))
}
