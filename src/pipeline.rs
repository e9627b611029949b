//! The pipeline: a repository in, settled findings out. Decides what runs beside what, and that one broken file or
//! rule costs only itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::cache::{Cache, Kept, Key, Keys};
use crate::catalogue::{Catalogue, VendorId};
use crate::config::Own;
use crate::contain::{WORKER, contained};
use crate::error::Error;
use crate::facts::{Facts, Lost, Token};
use crate::finding::{FileId, Finding};
use crate::link::sides::names;
use crate::manifest::{Manifest, Manifests, functions};
use crate::names::Name;
use crate::program::{Program, Written, data::tables};
use crate::progress::Progress;
use crate::rule::{Report, Rule};
use crate::settle::ignores::MARKER;
use crate::settle::{self, FailedRule, Settled};
use crate::walk::{self, FileKind, Gap, GapReason, Repository, SourceFile};
use crate::{extract, link, sql};

mod judge;
mod judgement;
mod look;

pub use judge::{Judged, judge, question};
pub use look::Looked;

/// The stack of a worker: nesting in real code is deep, and extraction follows it.
const STACK: usize = 16 * 1024 * 1024;

/// What to do.
#[derive(Clone)]
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
    /// What the repository's configuration tells the analysis.
    pub own: Own,
    /// Where the facts of files are kept between runs; none to read all anew.
    pub cache: Option<PathBuf>,
}

/// What came of it.
pub struct Outcome {
    /// What was walked, left out and missed.
    pub repository: Repository,
    /// What was understood.
    pub program: Program,
    /// What was found, and the rules that failed.
    pub settled: Settled,
    /// How long each stage took, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Scans a repository. The same input gives the same outcome for any number of threads.
pub fn scan(options: &Options) -> Result<Outcome, Error> {
    on_workers(options, || {
        let mut clock = Clock::new();
        let mut walked = Walked::new(options)?;
        clock.lap("walk");
        let read = walked.read(options);
        let Analysed { program, findings, failed, marked, .. } = analyse(&mut walked, read, options, &mut clock);
        let Walked { repository, .. } = walked;
        let choices = settle::Choices { marked: Some(marked), ..options.settle.clone() };
        let mut settled = settle::settle(&program.files, &repository, findings, &choices);
        settled.failed = failed;
        clock.lap("settle");
        Ok(Outcome { repository, program, settled, timings: clock.laps })
    })
}

fn on_workers<T: Send>(options: &Options, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .stack_size(STACK)
        .thread_name(|index| format!("{WORKER}{index}"))
        .build()
        .map_err(|why| Error::Config {
            what: format!("the worker threads cannot be started: {why}"),
            help: "try a smaller `--jobs`".to_owned(),
        })?;
    pool.install(work)
}

/// What is there, and what is known of vendors.
struct Walked {
    catalogue: Arc<Catalogue>,
    repository: Repository,
    /// How files are named by what they hold.
    keys: Keys,
}

impl Walked {
    /// Walks a repository, and does `more` with it, while the catalogue is read.
    fn and<T: Send>(
        options: &Options,
        more: impl FnOnce(&mut Repository, &Keys) -> T + Send,
    ) -> Result<(Self, T), Error> {
        let mut vendors = if options.own.isolated { vec![] } else { walk::vendor_files(&options.walk)? };
        vendors.extend(options.own.vendors.iter().cloned());
        // A repository's own vendors have credentials of their own.
        let keys = Keys::new(format!("{vendors:?}").as_bytes());
        let walked = || {
            let mut repository = walk::walk(&options.walk)?;
            let more = more(&mut repository, &keys);
            Ok::<_, Error>((repository, more))
        };
        let (walked, catalogue) = rayon::join(walked, || Catalogue::shared(vendors));
        let catalogue = catalogue.map_err(|reports| Error::Vendors { reports })?;
        let (repository, more) = walked?;
        Ok((Self { catalogue, repository, keys }, more))
    }

    fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self::and(options, |_, _| ())?.0)
    }

    /// Reads every file and understands it at once.
    fn read(&mut self, options: &Options) -> Vec<Option<Read>> {
        let Self { catalogue, repository, keys } = self;
        let cache = cache(repository, options);
        let progress = Progress::new(repository.files.len(), options.progress);
        let read = repository.load(|file, text| {
            let key = cache.as_ref().map(|_| keys.key(&file.path, file.named, text));
            let said = understand(file, text, catalogue, cache.as_ref().zip(key.as_ref()));
            progress.tick();
            Ok(Some(Read { key, said }))
        });
        progress.finish();
        finish(cache);
        read
    }
}

/// The folder that what is kept is kept for.
fn home<'o>(repository: &'o Repository, options: &'o Options) -> &'o Path {
    options.own.home.as_deref().unwrap_or(&repository.root)
}

fn files_of_code(repository: &Repository) -> usize {
    repository.files.iter().filter(|file| file.kind.holds_code()).count()
}

fn cache(repository: &Repository, options: &Options) -> Option<Cache> {
    Cache::open(options.cache.as_ref()?, home(repository, options), files_of_code(repository))
}

fn finish(cache: Option<Cache>) {
    if let Some(cache) = cache {
        cache.finish();
    }
    rayon::broadcast(|_| extract::let_go());
}

/// What came of a file that was read.
struct Read {
    /// Its name by what it holds, when names are wanted.
    key: Option<Key>,
    said: Said,
}

/// What the rules found.
struct Analysed {
    program: Program,
    findings: Vec<Finding>,
    failed: Vec<FailedRule>,
    /// The files that hold suppression comments.
    marked: Vec<FileId>,
    /// What was read and not understood; the repository names it too.
    gaps: Vec<Gap>,
}

/// Links what was read, and runs the rules.
fn analyse(walked: &mut Walked, read: Vec<Option<Read>>, options: &Options, clock: &mut Clock) -> Analysed {
    let Walked { catalogue, repository, .. } = walked;
    let understood = gather(repository, read);
    clock.lap("extract");
    let mut gaps = understood.gaps;
    for gap in &gaps {
        repository.not_understood(gap.clone());
    }
    let mut program = link::link(&*repository, understood.facts, Arc::clone(catalogue), &options.own.hints);
    program.change = options.settle.change.as_ref().map(settle::Change::brings);
    program.written = understood.written;
    program.as_of = Name::new(&options.settle.as_of);
    program.mentioned = understood.mentioned;
    program.database = database(repository, &understood.scripts, &|file| program.only_app_of(file));
    for (file, count) in program.database.gaps() {
        let gap = Gap { path: repository.files[file.index()].path, reason: GapReason::SqlNotUnderstood(count) };
        repository.not_understood(gap.clone());
        gaps.push(gap);
    }
    for (file, tables) in tables::declared(&program) {
        let path = program.file(file).path;
        program.database.declare(file, &path, tables);
    }
    program.documented = understood.documented;
    clock.lap("link");
    summarize(&program);
    clock.lap("summarize");
    let (mut findings, failed) = check(&program, &options.rules);
    let context = &repository.context;
    findings.retain(|finding| !context.contains(&program.file(finding.place.file).path));
    clock.lap("check");
    Analysed { program, findings, failed, marked: understood.marked, gaps }
}

/// What was read: the facts of each file, and which files hold suppression comments.
struct Understood {
    facts: Vec<Option<Facts>>,
    marked: Vec<FileId>,
    /// The credentials in files that hold no code.
    written: Vec<Written>,
    mentioned: FxHashMap<Name, Vec<FileId>>,
    documented: FxHashMap<VendorId, Vec<FileId>>,
    /// What the files of SQL do.
    scripts: Vec<(FileId, sql::Script)>,
    gaps: Vec<Gap>,
}

/// Replays the migrations.
fn database(
    repository: &Repository,
    scripts: &[(FileId, sql::Script)],
    app: &dyn Fn(FileId) -> Option<usize>,
) -> sql::Database {
    let scripts: Vec<_> =
        scripts.iter().map(|(file, script)| (*file, repository.files[file.index()].path.as_str(), script)).collect();
    sql::database(&scripts, &|path| repository.exists(path), app, &|folder| {
        let settings = format!("{}config.toml", folder.strip_suffix("migrations")?);
        let schemas = repository.manifests.toml(&settings)?.get("api")?.get("schemas")?.as_array()?;
        Some(schemas.iter().filter_map(|schema| schema.as_str().map(str::to_owned)).collect())
    })
}

/// Gathers what the files say; manifests go to the repository.
fn gather(repository: &mut Repository, read: Vec<Option<Read>>) -> Understood {
    let (mut facts, mut manifests) = (Vec::with_capacity(read.len()), vec![]);
    let (mut marked, mut written, mut gaps) = (vec![], vec![], vec![]);
    let (mut mentioned, mut scripts) = (FxHashMap::<Name, Vec<FileId>>::default(), vec![]);
    let mut documented: FxHashMap<VendorId, Vec<FileId>> = FxHashMap::default();
    let mut opened = vec![];
    for (index, read) in read.into_iter().enumerate() {
        let mut file = read.map(|read| read.said).unwrap_or_default();
        if let Some(reason) = file.gap.take().or_else(|| file.facts.as_ref().and_then(not_whole)) {
            gaps.push(Gap { path: repository.files[index].path, reason });
        }
        if file.marked {
            marked.push(FileId(index as u32));
        }
        facts.push(file.facts);
        manifests.extend(file.manifest);
        opened.extend(file.opened);
        scripts.extend(file.script.map(|script| (FileId(index as u32), script)));
        file.mentioned.iter().for_each(|&name| mentioned.entry(name).or_default().push(FileId(index as u32)));
        file.documented.iter().for_each(|&vendor| documented.entry(vendor).or_default().push(FileId(index as u32)));
        if !file.written.is_empty() {
            let Said { written: tokens, lines, .. } = file;
            written.push(Written { file: FileId(index as u32), tokens, lines });
        }
    }
    let mut manifests = Manifests::new(manifests);
    manifests.opened = opened;
    repository.manifests = Arc::new(manifests);
    Understood { facts, marked, written, mentioned, documented, scripts, gaps }
}

/// Why the facts of a file are not all that is in it.
fn not_whole(facts: &Facts) -> Option<GapReason> {
    match facts.lost {
        Some(Lost { line, conflict: true }) => Some(GapReason::Conflict(line)),
        Some(Lost { line, conflict: false }) => Some(GapReason::NotParsed(line)),
        None => facts.too_deep.then_some(GapReason::TooDeep),
    }
}

/// What one file says.
#[derive(Default)]
struct Said {
    facts: Option<Facts>,
    manifest: Option<Manifest>,
    /// Credentials of a file that holds no code.
    written: Vec<Token>,
    /// Where its lines begin, when it holds any.
    lines: Vec<u32>,
    /// The variables it names, where people look for what to set.
    mentioned: Vec<Name>,
    /// What it does to a database.
    script: Option<sql::Script>,
    /// The vendors it names, when it is written for people.
    documented: Vec<VendorId>,
    /// Functions that it deploys without the platform's gate.
    opened: Vec<functions::Opened>,
    marked: bool,
    /// Why it could not be understood.
    gap: Option<GapReason>,
}

fn understand(file: &SourceFile, text: &str, catalogue: &Catalogue, cache: Option<(&Cache, &Key)>) -> Said {
    let work = || {
        if file.kind == FileKind::Lock {
            let manifest = Manifest::lock(file, text, catalogue.package_names())?;
            return Ok(Said { manifest: Some(manifest), ..Said::default() });
        }
        let read =
            || if file.kind.holds_code() { read_code(file, text, catalogue) } else { search(file, text, catalogue) };
        let kept = match cache {
            None => read(),
            Some((cache, key)) => cache.get(key).unwrap_or_else(|| {
                let read = read();
                cache.put(key, &read);
                read
            }),
        };
        if file.kind.holds_code() {
            return Ok(Said::of_code(kept));
        }
        let Kept { marked, written, opened, mentioned, documented, .. } = kept;
        let mut said = Said { marked, written, opened, ..Said::default() };
        if file.tracked {
            (said.mentioned, said.documented) = (mentioned, documented);
        }
        if !said.written.is_empty() {
            said.lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1)).collect();
        }
        if file.kind != FileKind::Prose {
            let mut manifest = Manifest::read(file, text, |_| said.written.clone())?;
            said.gap = manifest.partly.take();
            said.manifest = Some(manifest);
        } else if sql::is_sql(&file.path) {
            said.script = Some(sql::read(text));
            said.gap = extract::conflict(text).map(GapReason::Conflict);
        }
        Ok(said)
    };
    let said = contained(work).unwrap_or_else(|why| Err(GapReason::Crashed(why)));
    said.unwrap_or_else(|reason| Said { gap: Some(reason), ..Said::default() })
}

impl Said {
    fn of_code(kept: Kept) -> Self {
        let Kept { facts, marked, written, opened, .. } = kept;
        Self { facts, marked, written, opened, ..Self::default() }
    }

    /// What a file of code said when it was read before; none when that is not kept.
    fn kept(file: &SourceFile, cache: &Cache, key: &Key) -> Option<Self> {
        let kept = || file.kind.holds_code().then(|| cache.get(key)).flatten();
        contained(kept).ok().flatten().map(Self::of_code)
    }
}

/// What a file of code says. Rules look into tests for credentials alone.
fn read_code(file: &SourceFile, text: &str, catalogue: &Catalogue) -> Kept {
    let is_test = !file.named && names::is_test(&file.path);
    let mut facts = if is_test { extract::outline(&file.path, text) } else { extract::extract(&file.path, text) };
    if let Some(facts) = &mut facts {
        facts.tokens = catalogue.tokens(text);
    }
    let opened = functions::opened_in(&file.path, text);
    Kept { facts, opened, marked: text.contains(MARKER), ..Kept::default() }
}

/// What is found in a file that holds no code without knowing its form.
fn search(file: &SourceFile, text: &str, catalogue: &Catalogue) -> Kept {
    let mut kept = Kept {
        marked: text.contains(MARKER),
        written: catalogue.tokens(text),
        opened: functions::opened_in(&file.path, text),
        ..Kept::default()
    };
    if walk::mentions::tells_what_to_set(&file.path) {
        kept.mentioned = walk::mentions::variables(text);
    }
    if walk::mentions::is_documentation(&file.path) {
        kept.documented = catalogue.named_in(text);
    }
    kept
}

/// Sums up what the program does, as many rules ask it: who calls its doors, what is paid behind them, what is retried,
/// repeated and timed. Each part is found beside the others: a rule that asked first would find it alone, while those
/// that ask next wait. What fails here fails again in the rules that ask, and is told there.
fn summarize(program: &Program) {
    fn found<T: ?Sized>(_: &T) {}
    // The others ask for these.
    let _ = contained(|| program.find_webhook_handlers());
    let _ = contained(|| program.find_paid_doors());
    let shared: &[fn(&Program)] = &[
        |program| found(program.env_defaults()),
        |program| found(program.key_uses()),
        |program| found(program.retries()),
        |program| found(program.iterations()),
        |program| found(program.schedules()),
        |program| found(program.timers()),
        |program| found(program.bundling()),
    ];
    let _ = contained(|| shared.par_iter().with_max_len(1).for_each(|find| drop(contained(|| find(program)))));
}

/// Runs the rules. One that fails is named and does not hide the others.
fn check(program: &Program, rules: &[&'static Rule]) -> (Vec<Finding>, Vec<FailedRule>) {
    let run = |rule: &&'static Rule| {
        contained(|| {
            let mut report = Report::new(rule);
            (rule.check)(program, &mut report);
            report.into_findings()
        })
        .map_err(|message| FailedRule { rule: rule.id, message })
    };
    let (mut findings, mut failed) = (vec![], vec![]);
    // One by one: some take as long as ten others.
    for result in rules.par_iter().with_max_len(1).map(run).collect::<Vec<_>>() {
        match result {
            Ok(found) => findings.extend(found),
            Err(rule) => failed.push(rule),
        }
    }
    findings.sort_by(Finding::order);
    (findings, failed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Span;
    use crate::finding::{Persona, Place};

    crate::rule! {
        /// Falls over.
        id: "falls-over", severity: Error, confidence: High, section: "Tests",
        security: None, since: "0.1.0", check: fall
    }

    fn fall(_: &Program, _: &mut Report) {
        panic!("on purpose");
    }

    mod finds {
        crate::rule! {
            /// Finds something.
            id: "finds", severity: Error, confidence: High, section: "Tests",
            security: None, since: "0.1.0", check: super::find
        }
    }

    fn find(_: &Program, report: &mut Report) {
        report.at(Place { file: FileId(0), span: Span::default() }, "it", "something");
    }

    #[test]
    fn a_rule_that_panics_does_not_hide_the_others() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.ts"), "let a = 1;\n").unwrap();
        let outcome = scan(&Options {
            walk: walk::Choices {
                paths: vec![dir.path().to_owned()],
                honour_ignores: true,
                threads: 1,
                ignored: vec![],
            },
            rules: vec![&RULE, &finds::RULE],
            settle: settle::Choices::new(Persona::Regular),
            jobs: 2,
            progress: false,
            own: Own::default(),
            cache: None,
        })
        .unwrap();
        assert_eq!(outcome.settled.findings.len(), 1);
        let failed = &outcome.settled.failed[0];
        assert_eq!(failed.rule, "falls-over");
        assert!(failed.message.starts_with("on purpose"), "{}", failed.message);
    }
}
