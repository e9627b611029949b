//! The baseline: which file it is, read for a scan, written and pruned.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::{Stop, output_error};
use crate::baseline::{Baseline, FILE};
use crate::cli::Scan;
use crate::config::Config;
use crate::error::{Error, count};
use crate::pipeline::scan;
use crate::walk;

/// Where the baseline is or goes, and whether it was asked for by name.
fn place(typed: &Scan, config: &Config) -> (PathBuf, bool) {
    match (&typed.baseline, &config.baseline) {
        (Some(path), _) => (path.clone(), true),
        (None, Some(path)) => (config.folder.join(path), true),
        (None, None) => (config.folder.join(FILE), false),
    }
}

/// The baseline of a scan, if there is one.
pub fn read(typed: &Scan, config: &Config) -> Result<Option<Arc<Baseline>>, Error> {
    let (path, named) = place(typed, config);
    let unwanted = typed.no_baseline || typed.no_ignores || (typed.isolated && typed.baseline.is_none());
    if unwanted || (!named && !path.is_file()) {
        return Ok(None);
    }
    let text = walk::read_named(&path)?;
    Baseline::parse(&path.display().to_string(), &text).map(|baseline| Some(Arc::new(baseline)))
}

/// Writes today's findings, or drops from what was written what is mended.
pub fn write(typed: &Scan, prune: bool, messages: &mut dyn Write) -> Result<(), Stop> {
    let changes = [typed.staged, typed.changed, typed.since.is_some(), typed.diff.is_some()];
    if changes.contains(&true) {
        let what = "a baseline is made of the whole repository".to_owned();
        let help = "leave `--staged`, `--changed`, `--since` and `--diff` out".to_owned();
        return Err(Error::Config { what, help }.into());
    }
    let config = Config::load(&typed.wanted(), &typed.paths, &typed.day())?;
    let mut options = typed.options(&config)?;
    options.settle.addresses = true;
    let (path, _) = place(typed, &config);
    let (baseline, said) = if prune {
        let old = Baseline::parse(&path.display().to_string(), &walk::read_named(&path)?)?;
        let before = old.len();
        // A rule that did not run has found nothing; its entries stand.
        if !typed.rule.is_empty() || !typed.skip.is_empty() {
            let what = "a baseline is pruned by all rules".to_owned();
            return Err(Error::Config { what, help: "leave `--rule` and `--skip` out".to_owned() }.into());
        }
        options.settle.baseline = Some(Arc::new(old.clone()));
        let outcome = scan(&options)?;
        let pruned = old.pruned(&outcome.settled.baseline_alive);
        let said = format!("{} dropped, {} left", count(before - pruned.len(), "entry"), pruned.len());
        (pruned, said)
    } else {
        let outcome = scan(&options)?;
        let baseline = Baseline::new(outcome.settled.addresses);
        let said = format!("{} accepted", count(baseline.len(), "finding"));
        (baseline, said)
    };
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
