//! Carries out a command: scan, list, explain, show. Writes to what it is given and decides the exit code.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::catalogue::Catalogue;
use crate::cli::{self, Cli, Command, ListFormat, Scan};
use crate::config::{Config, Wanted};
use crate::error::{Error, count};
use crate::extract;
use crate::facts::{TokenKind, print};
use crate::masking;
use crate::pipeline::Judged;
use crate::report::{self, Format, Look};
use crate::rules::RULES;
use crate::settle::FailedRule;
use crate::walk::{self, FileKind, Repository};
use clap::CommandFactory;

mod accepted;
mod categories;
mod changes;
mod settings;
mod suppressions;

/// Nothing found that counts.
pub const CLEAN: u8 = 0;
/// Something found.
pub const FOUND: u8 = 1;
/// The tool could not do its work.
pub const FAILED: u8 = 2;

/// What ended a command early.
pub enum Stop {
    /// The user got something wrong.
    User(Error),
    /// The report could not be written.
    Write(io::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::User(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Carries out what was typed; the answer is the exit code.
pub fn run(cli: &Cli, out: &mut dyn Write, messages: &mut dyn Write) -> Result<u8, Stop> {
    match &cli.command {
        None => return run_scan(&cli.scan, out, messages),
        Some(Command::Rules { format: ListFormat::Human }) => report::rules::table(RULES, plain(cli), out)?,
        Some(Command::Rules { format: ListFormat::Json }) => report::rules::json(RULES, out)?,
        Some(Command::Explain { rule }) => report::rules::explain(cli::rule(rule, RULES)?, plain(cli), out)?,
        Some(Command::Vendors { name, format }) => show_vendors(name.as_deref(), *format, out, plain(cli))?,
        Some(Command::Facts { file, format }) => show_facts(file, *format, out)?,
        Some(Command::Baseline { prune, scan }) => accepted::write(scan, *prune, messages)?,
        Some(Command::Init { folder, print }) => settings::init(folder.as_deref(), *print, out, messages)?,
        Some(Command::Schema) => report::json(&crate::config::schema(), out)?,
        Some(Command::Completions { shell }) => {
            let mut script = vec![];
            clap_complete::generate(*shell, &mut Cli::command(), "seamcheck", &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(CLEAN)
}

/// The vendors known in the current folder: its own ones among them.
fn show_vendors(name: Option<&str>, format: ListFormat, out: &mut dyn Write, look: Look) -> Result<(), Stop> {
    let here = walk::Choices { paths: vec![], honour_ignores: true, threads: 0, ignored: vec![] };
    let mut own = walk::vendor_files(&here)?;
    own.extend(Config::load(&Wanted::Found, &[], &crate::day::today())?.own.vendors);
    let catalogue = Catalogue::load(own).map_err(|reports| Error::Vendors { reports })?;
    let found = match name {
        None => None,
        Some(name) => {
            let is = |text: &str| text.eq_ignore_ascii_case(name.trim());
            let found = catalogue.vendors().iter().find(|vendor| is(&vendor.id) || is(&vendor.name));
            let known = catalogue.vendors().iter().flat_map(|vendor| [vendor.id.as_str(), vendor.name.as_str()]);
            Some(found.ok_or_else(|| Error::unknown_vendor(name, known))?)
        }
    };
    match (found, format) {
        (None, ListFormat::Human) => report::vendors::table(&catalogue, look, out)?,
        (Some(vendor), ListFormat::Human) => report::vendors::one(vendor, look, out)?,
        (None, ListFormat::Json) => report::vendors::json(&catalogue.vendors().iter().collect::<Vec<_>>(), out)?,
        (Some(vendor), ListFormat::Json) => report::vendors::json(&[vendor], out)?,
    }
    Ok(())
}

fn run_scan(typed: &Scan, out: &mut dyn Write, messages: &mut dyn Write) -> Result<u8, Stop> {
    // `-` is standard output.
    let output = typed.output.as_ref().filter(|path| *path != Path::new("-"));
    let mut outputs: Vec<&PathBuf> = output.into_iter().chain(typed.also.iter().map(|(_, path)| path)).collect();
    outputs.iter().try_for_each(|path| check_output(path))?;
    outputs.sort();
    if let Some([path, _]) = outputs.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Config {
            what: format!("two reports are to go to `{}`", path.display()),
            help: "give each a file of its own".to_owned(),
        }
        .into());
    }
    let config = Config::load(&typed.wanted(), &typed.paths, &typed.day())?;
    let prefix = changes::from_top(&typed.paths)?;
    let mut options = typed.options(&config)?;
    options.settle.baseline = accepted::read(typed, &config)?;
    if typed.fix_suppressions && !options.settle.unused {
        return Err(Error::Config {
            what: "comments are taken out by a scan of the whole repository".to_owned(),
            help: format!("run it in {}: what a part reports can hang on code outside of it", config.top.display()),
        }
        .into());
    }
    // What a change looks like may lie in a folder that lives as long as the scan.
    let (looked, _laid_out) = changes::look(typed, &config, &mut options)?;
    let mut outcome = looked.judge(&options)?;
    outcome.settled.unheeded = config.unheeded(&typed.wanted(), &outcome.repository, &outcome.configured);
    let outcome = outcome;
    let start = Instant::now();
    let settled = &outcome.settled;
    let silent = typed.quiet && typed.format == Format::Human && settled.findings.is_empty();
    let (runs, way) = (categories::Runs::of(typed, &config)?, changes::way(&typed.paths)?);
    let page = Page { typed, config: &config, outcome: &outcome, prefix: &prefix, runs: &runs, way: &way };
    match output {
        Some(path) => page.to_file(typed.format, path)?,
        None if silent => {}
        None => {
            let terminal = io::stdout().is_terminal();
            page.write(typed.format, out, look(typed.color.decide(terminal), terminal, typed.quiet))?;
        }
    }
    for (format, path) in &typed.also {
        page.to_file(*format, path)?;
    }
    tell_besides(typed, &outcome, messages)?;
    let whole = matches!(&typed.paths[..], []) || matches!(&typed.paths[..], [only] if only.is_dir());
    if whole && !typed.quiet {
        let root = walk::root_of(&typed.paths)?;
        for doubt in config.doubts(&root, &outcome.idle, &outcome.repository) {
            writeln!(messages, "{:?}", miette::Report::new(doubt))?;
        }
    }
    if typed.fix_suppressions {
        suppressions::remove_unused(&outcome, messages)?;
    }
    if typed.stats {
        let beside = typed.format == Format::Human && output.is_none();
        write_stats(&outcome.repository, if beside { &mut *out } else { &mut *messages })?;
    }
    if typed.wants_timings() {
        write_timings(&outcome, start, messages)?;
    }
    for FailedRule { rule, message } in &settled.failed {
        writeln!(messages, "seamcheck: the rule `{rule}` failed, its findings are missing: {message}")?;
        writeln!(
            messages,
            "  this is a bug of seamcheck; please report it at {}/issues",
            env!("CARGO_PKG_REPOSITORY")
        )?;
    }
    let fail_on = typed.fails_on(&config);
    let fails = settled.findings.iter().any(|finding| fail_on.fails(finding.finding.severity));
    let code = match (settled.failed.is_empty(), fails) {
        (false, _) => FAILED,
        (true, true) => FOUND,
        (true, false) => CLEAN,
    };
    // The process ends here: taking the program apart piece by piece would only cost time.
    std::mem::forget(outcome);
    Ok(code)
}

/// What is reported, and how it was asked for.
struct Page<'a> {
    typed: &'a Scan,
    config: &'a Config,
    outcome: &'a Judged,
    prefix: &'a str,
    runs: &'a categories::Runs,
    way: &'a (String, String),
}

impl Page<'_> {
    fn to_file(&self, format: Format, path: &Path) -> Result<(), Error> {
        let failed = |why: io::Error| output_error(path, &why);
        let mut file = BufWriter::new(File::create(path).map_err(failed)?);
        let colour = self.typed.color == cli::Colour::Always;
        self.write(format, &mut file, look(colour, false, self.typed.quiet)).and_then(|()| file.flush()).map_err(failed)
    }

    fn write(&self, format: Format, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let category = self.typed.sarif_category.as_ref().or(self.config.sarif_category.as_ref());
        let asked = report::Asked {
            look,
            category: category.map(String::as_str),
            prefix: self.prefix,
            workspaces: &self.runs.workspaces,
            only_workspaces: self.runs.only,
            own_category: self.runs.named,
            way: (&self.way.0, &self.way.1),
        };
        let Judged { settled, files, repository, .. } = self.outcome;
        report::write(format, settled, files, repository, RULES, out, asked)
    }
}

/// What is due, where the report has no room for it, and that there was nothing to look at.
fn tell_besides(typed: &Scan, outcome: &Judged, messages: &mut dyn Write) -> io::Result<()> {
    let Judged { settled, repository, .. } = outcome;
    if !matches!(typed.format, Format::Human | Format::Json | Format::Sarif | Format::Github | Format::Markdown) {
        settled.reminders.iter().try_for_each(|reminder| writeln!(messages, "seamcheck: due: {reminder}"))?;
    }
    let is_read = |file: &&walk::SourceFile| file.kind != FileKind::Other && !repository.context.contains(&file.path);
    if repository.gaps.is_empty() && !repository.files.iter().any(|file| is_read(&file)) {
        writeln!(messages, "seamcheck: nothing was checked: there is no file here that is read")?;
    }
    Ok(())
}

/// Refuses before a long scan what would fail after it.
fn check_output(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let why = if path.is_dir() {
        "it is a folder"
    } else if !folder.is_dir() {
        "its folder does not exist"
    } else {
        return Ok(());
    };
    Err(Error::Output { path: path.display().to_string(), why: why.to_owned() })
}

fn output_error(path: &Path, why: &io::Error) -> Error {
    Error::Output { path: path.display().to_string(), why: walk::said(why) }
}

fn write_stats(repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    let number = |wanted: fn(FileKind) -> bool| repository.files.iter().filter(|file| wanted(file.kind)).count();
    let bytes: u64 = repository.files.iter().filter(|file| file.kind.holds_code()).map(|file| file.size).sum();
    writeln!(out, "scanned")?;
    for (words, number) in [
        ("code files", number(FileKind::holds_code)),
        ("manifests", number(|kind| kind == FileKind::Manifest)),
        ("environment files", number(|kind| kind == FileKind::Env)),
        ("lockfiles", number(|kind| kind == FileKind::Lock)),
        ("other texts (read for credentials)", number(|kind| kind == FileKind::Prose)),
        ("other files (not read)", number(|kind| kind == FileKind::Other)),
    ] {
        writeln!(out, "  {number:>7}  {words}")?;
    }
    writeln!(out, "  {:>7}  kilobytes of code", bytes.div_ceil(1024))?;
    writeln!(out, "left out")?;
    for (reason, number) in &repository.left_out {
        writeln!(out, "  {number:>7}  {}", reason.words())?;
    }
    if repository.left_out.is_empty() {
        writeln!(out, "        0  files")?;
    }
    writeln!(out, "{}", count(repository.gaps.len(), "gap"))?;
    for gap in &repository.gaps {
        writeln!(out, "  {}: {}", gap.path, gap.reason)?;
    }
    Ok(())
}

fn write_timings(outcome: &Judged, report: Instant, messages: &mut dyn Write) -> io::Result<()> {
    let stages = outcome.timings.iter().copied().chain([("report", report.elapsed())]);
    for (stage, time) in stages {
        writeln!(messages, "{:>9.2} ms  {stage}", time.as_secs_f64() * 1000.0)?;
    }
    if let Some(peak) = walk::peak_memory() {
        writeln!(messages, "{peak:>9} KB  peak memory")?;
    }
    Ok(())
}

/// How lists and docs look.
fn plain(cli: &Cli) -> Look {
    let terminal = io::stdout().is_terminal();
    look(cli.scan.color.decide(terminal), terminal, false)
}

/// How a report looks: what a terminal is told to have counts before what it has.
fn look(colour: bool, terminal: bool, quiet: bool) -> Look {
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let width = width.or_else(|| asked().filter(|width| terminal && *width > 0));
    let unicode = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    Look { colour, unicode, width: width.unwrap_or(Look::default().width), quiet }
}

fn show_facts(file: &Path, format: ListFormat, out: &mut dyn Write) -> Result<(), Stop> {
    if file.is_dir() {
        return Err(Error::Config {
            what: format!("`{}` is a folder", file.display()),
            help: "name one file of it: `seamcheck facts src/main.ts`".to_owned(),
        }
        .into());
    }
    let text = walk::read_named(file)?;
    let path = file.to_string_lossy().replace('\\', "/");
    let Some(mut facts) = extract::extract(&path, &text) else { return Err(Error::NotCode { path }.into()) };
    let catalogue = Catalogue::load(vec![]).map_err(|reports| Error::Vendors { reports })?;
    facts.tokens = catalogue.tokens(&text);
    let said = match format {
        ListFormat::Human => print::print(&facts),
        ListFormat::Json => serde_json::to_string_pretty(&facts).map_err(io::Error::from)? + "\n",
    };
    // What is known to be a credential, and what only looks like one.
    let known = facts.tokens.iter().filter(|token| token.kind != TokenKind::Publishable);
    let said = known.fold(said, |said, token| {
        let value = text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
        if value.is_empty() { said } else { said.replace(value, &token.masked) }
    });
    out.write_all(masking::mask(&said).as_bytes())?;
    Ok(())
}
