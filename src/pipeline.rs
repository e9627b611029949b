//! The pipeline: a repository in, settled findings out. Decides what runs beside what, and that one broken file or
//! rule costs only itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::catalogue::Catalogue;
use crate::contain::contained;
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::manifest::{Manifest, Manifests};
use crate::program::Program;
use crate::progress::Progress;
use crate::rule::{Report, Rule};
use crate::settle::{self, FailedRule, Settled};
use crate::walk::{self, GapReason, Repository, SourceFile};
use crate::{extract, link};

/// The stack of a worker: nesting in real code is deep, and extraction follows it.
const STACK: usize = 16 * 1024 * 1024;

/// What to do.
pub struct Options {
    /// What to walk.
    pub walk: walk::Choices,
    /// The rules to run.
    pub rules: Vec<&'static Rule>,
    /// Which findings count, and how.
    pub settle: settle::Choices,
    /// How many threads; 0 leaves the choice to the machine.
    pub jobs: usize,
    /// Whether a progress bar may be shown on a long scan.
    pub progress: bool,
}

/// What came of it.
pub struct Outcome {
    /// What was walked, left out and missed.
    pub repository: Repository,
    /// What was understood.
    pub program: Program,
    /// What was found.
    pub settled: Settled,
    /// Rules that failed, with what they said: bugs of ours.
    pub crashes: Vec<(&'static str, String)>,
    /// How long each stage took, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Scans a repository. The same input gives the same outcome for any number of threads.
pub fn scan(options: &Options) -> Result<Outcome, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .stack_size(STACK)
        .thread_name(|index| format!("seamcheck-{index}"))
        .build()
        .map_err(|why| Error::Config {
            what: format!("the worker threads cannot be started: {why}"),
            help: "try a smaller `--jobs`".to_owned(),
        })?;
    pool.install(|| stages(options))
}

fn stages(options: &Options) -> Result<Outcome, Error> {
    let mut clock = Clock::new();
    let vendors = walk::vendor_files(&options.walk)?;
    let (catalogue, repository) = rayon::join(|| Catalogue::load(vendors), || walk::walk(&options.walk));
    let catalogue = Arc::new(catalogue.map_err(|reports| Error::Vendors { reports })?);
    let mut repository = repository?;
    clock.lap("walk");
    let facts = extract_all(&mut repository, &catalogue, options.progress);
    clock.lap("extract");
    let program = link::link(&repository, facts, Arc::clone(&catalogue));
    clock.lap("link");
    let (findings, crashes) = check(&program, &options.rules);
    clock.lap("check");
    let mut settled = settle::settle(&program.files, &repository, findings, &options.settle);
    let failed = crashes.iter().map(|(rule, why)| FailedRule { rule, message: why.clone() });
    settled.failed.extend(failed);
    clock.lap("settle");
    Ok(Outcome { repository, program, settled, crashes, timings: clock.laps })
}

/// Reads and understands every file; manifests go to the repository.
fn extract_all(repository: &mut Repository, catalogue: &Catalogue, progress: bool) -> Vec<Option<Facts>> {
    let progress = Progress::new(repository.files.len(), progress);
    let read = repository.load(|file, text| {
        let understood = understand(file, text, catalogue);
        progress.tick();
        understood.map(Some)
    });
    progress.finish();
    let (facts, manifests): (Vec<_>, Vec<_>) = read.into_iter().map(Option::unwrap_or_default).unzip();
    repository.manifests = Manifests::new(manifests.into_iter().flatten().collect());
    let deep = repository.files.iter().zip(&facts).filter(|(_, facts)| facts.as_ref().is_some_and(|f| f.too_deep));
    for path in deep.map(|(file, _)| file.path).collect::<Vec<_>>() {
        repository.gap(path, GapReason::TooDeep);
    }
    facts
}

/// What one file says: facts of code, or a manifest.
fn understand(
    file: &SourceFile,
    text: &str,
    catalogue: &Catalogue,
) -> Result<(Option<Facts>, Option<Manifest>), GapReason> {
    let work = || {
        if !file.kind.holds_code() {
            return Manifest::read(file, text, |text| catalogue.tokens(text)).map(|manifest| (None, Some(manifest)));
        }
        let mut facts = extract::extract(&file.path, text);
        if let Some(facts) = &mut facts {
            facts.tokens = catalogue.tokens(text);
        }
        Ok((facts, None))
    };
    contained(work).unwrap_or_else(|why| Err(GapReason::Crashed(why)))
}

/// Runs the rules. One that fails is named and does not hide the others.
fn check(program: &Program, rules: &[&'static Rule]) -> (Vec<Finding>, Vec<(&'static str, String)>) {
    let run = |rule: &&'static Rule| {
        contained(|| {
            let mut report = Report::new(rule);
            (rule.check)(program, &mut report);
            report.into_findings()
        })
        .map_err(|why| (rule.id, why))
    };
    let (mut findings, mut crashes) = (vec![], vec![]);
    for result in rules.par_iter().map(run).collect::<Vec<_>>() {
        match result {
            Ok(found) => findings.extend(found),
            Err(crash) => crashes.push(crash),
        }
    }
    findings.sort_by(Finding::order);
    (findings, crashes)
}

struct Clock {
    last: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Clock {
    fn new() -> Self {
        Self { last: Instant::now(), laps: vec![] }
    }

    fn lap(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.laps.push((stage, now - self.last));
        self.last = now;
    }
}
