//! How to scan, as it was typed; with the configuration it becomes what the pipeline does.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::{Colour, rule};
use crate::config::{Config, Wanted};
use crate::diff::Scope;
use crate::diff::git::Change;
use crate::error::Error;
use crate::finding::{FailOn, Persona, Severity};
use crate::pipeline::Options;
use crate::report::Format;
use crate::rule::Rule;
use crate::rules::RULES;
use crate::{settle, walk};

/// A scan.
#[derive(Debug, Args, Clone)]
pub struct Scan {
    /// Folders and files to scan [default: the current folder]
    ///
    /// Paths in reports are relative to the folder given, or to the common ancestor of several; of a part of a project
    /// in a git repository, to the project, and what stands above is read for what it says of that part. A file given
    /// by name is always scanned, even if it is ignored, minified or very big.
    #[arg(value_name = "PATHS", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub format: Format,

    /// Write the report to a file
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Write a further report, of the same scan: `sarif=out.sarif` (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = also)]
    pub also: Vec<(Format, PathBuf)>,

    /// Run only this rule (repeatable, or several with commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub rule: Vec<String>,

    /// Leave this rule out (repeatable, or several with commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub skip: Vec<String>,

    /// Who reads the report: `regular` is for pull requests, `auditor` adds hints and project notes [default: regular]
    #[arg(long, value_enum, value_name = "PERSONA", help_heading = "What counts")]
    pub persona: Option<Persona>,

    /// Report only findings of at least this severity [default: note]
    #[arg(long, value_enum, value_name = "SEVERITY", help_heading = "What counts")]
    pub min_severity: Option<Severity>,

    /// Exit with 1 when something of at least this severity is found [default: warning]
    #[arg(long, value_enum, value_name = "SEVERITY", help_heading = "What counts")]
    pub fail_on: Option<FailOn>,

    /// Judge what depends on a date as of this day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = crate::day::parse, help_heading = "What counts")]
    pub as_of: Option<String>,

    /// Show all: heed no ignore file, no suppression comment, nothing the configuration leaves out, no baseline
    #[arg(long, help_heading = "What counts")]
    pub no_ignores: bool,

    /// Take suppression comments out of the files that suppress nothing
    #[arg(long, conflicts_with_all = ["no_ignores", "change"], help_heading = "What counts")]
    pub fix_suppressions: bool,

    /// Read this configuration [default: seamcheck.toml, pyproject.toml or package.json of the repository]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Configuration")]
    pub config: Option<PathBuf>,

    /// Read no configuration, and no vendor files of the repository
    #[arg(long, conflicts_with = "config", help_heading = "Configuration")]
    pub isolated: bool,

    /// Do not report what stands in this baseline [default: .seamcheck-baseline.json, if there is one]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Configuration")]
    pub baseline: Option<PathBuf>,

    /// Report also what stands in the baseline
    #[arg(long, conflicts_with = "baseline", help_heading = "Configuration")]
    pub no_baseline: bool,

    /// Report only what staged changes touch
    #[arg(long, group = "change", help_heading = "Changes (the whole program is analysed all the same)")]
    pub staged: bool,

    /// Report only what uncommitted changes touch
    #[arg(long, group = "change", help_heading = "Changes (the whole program is analysed all the same)")]
    pub changed: bool,

    /// Report only what was touched since this commit and the current one parted
    #[arg(
        long,
        value_name = "REF",
        group = "change",
        help_heading = "Changes (the whole program is analysed all the same)"
    )]
    pub since: Option<String>,

    /// Report only what a unified diff touches; `-` reads it from standard input
    #[arg(
        long,
        value_name = "FILE",
        group = "change",
        help_heading = "Changes (the whole program is analysed all the same)"
    )]
    pub diff: Option<PathBuf>,

    /// Report what a commit touches, as pre-commit sees it: what is staged; what is pushed (PRE_COMMIT_FROM_REF); all when nothing is staged
    #[arg(long, group = "change", help_heading = "Changes (the whole program is analysed all the same)")]
    pub hook: bool,

    /// What of a change is reported [default: lines; of a commit hook, new]
    #[arg(
        long,
        value_enum,
        value_name = "SCOPE",
        requires = "change",
        help_heading = "Changes (the whole program is analysed all the same)"
    )]
    pub scope: Option<Scope>,

    /// The category of a SARIF report, to tell several of one commit apart
    #[arg(long, value_name = "NAME")]
    pub sarif_category: Option<String>,

    /// Number of threads [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Whether to colour the report
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,

    /// No progress bar, and no word when nothing is found
    #[arg(short, long)]
    pub quiet: bool,

    /// Also show what was scanned and what was left out, and why
    #[arg(long)]
    pub stats: bool,

    /// Keep what is understood of files in this folder between runs [default: the user's cache folder]
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath, env = "SEAMCHECK_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Read every file anew, and keep nothing
    #[arg(long)]
    pub no_cache: bool,

    /// Show how long each stage took (also: SEAMCHECK_TIMINGS=1)
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// `FORMAT=FILE`.
fn also(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write FORMAT=FILE, as in sarif=out.sarif")?;
    Ok((<Format as clap::ValueEnum>::from_str(format, false)?, PathBuf::from(file)))
}

impl Scan {
    /// What of a change is reported. A commit is stopped for what it brings, also by taking away what stood elsewhere,
    /// not for what was there in the lines that it touches.
    pub fn scope(&self) -> Scope {
        self.scope.unwrap_or(if self.hook { Scope::New } else { Scope::Lines })
    }

    /// The day that is judged by.
    pub fn day(&self) -> String {
        self.as_of.clone().unwrap_or_else(crate::day::today)
    }

    /// Which configuration counts.
    pub fn wanted(&self) -> Wanted {
        match &self.config {
            Some(path) => Wanted::File(path.clone()),
            None if self.isolated => Wanted::Isolated,
            None => Wanted::Found,
        }
    }

    /// The change that git is to be asked for.
    pub fn change(&self) -> Option<Change> {
        match &self.since {
            Some(commit) => Some(Change::Since(commit.clone())),
            None if self.staged || self.hook => Some(Change::Staged),
            None => self.changed.then_some(Change::Uncommitted),
        }
    }

    /// From which severity on the exit code is 1.
    pub fn fails_on(&self, config: &Config) -> FailOn {
        self.fail_on.or(config.fail_on).unwrap_or(FailOn::Warning)
    }

    /// What the pipeline is to do. What is typed goes before what the configuration says.
    pub fn options(&self, config: &Config) -> Result<Options, Error> {
        let jobs = self.jobs.map_or(0, NonZeroUsize::get);
        let rules = self.rules(RULES)?;
        let settle = settle::Choices {
            min_severity: self.min_severity.or(config.min_severity).unwrap_or(Severity::Note),
            honour_suppressions: !self.no_ignores,
            as_of: self.day(),
            ran: rules.iter().map(|rule| rule.id).collect(),
            levels: config.levels.clone(),
            reminders: config.reminders.clone(),
            unused: walk::covers(&self.paths, &config.top)?,
            ..settle::Choices::new(self.persona.or(config.persona).unwrap_or_default())
        };
        let ignored = config.ignored.clone();
        Ok(Options {
            walk: walk::Choices { paths: self.paths.clone(), honour_ignores: !self.no_ignores, threads: jobs, ignored },
            rules,
            settle,
            jobs,
            progress: !self.quiet && std::io::stderr().is_terminal(),
            own: config.own.clone(),
            cache: self.cache()?,
        })
    }

    /// Where facts are kept. A folder that was asked for must be usable; the default one need not be.
    fn cache(&self) -> Result<Option<PathBuf>, Error> {
        match &self.cache_dir {
            _ if self.no_cache => Ok(None),
            Some(folder) => crate::cache::prepare(folder).map(|()| Some(folder.clone())),
            None => Ok(crate::cache::default_folder()),
        }
    }

    /// The rules to run, in their own order.
    fn rules(&self, all: &[&'static Rule]) -> Result<Vec<&'static Rule>, Error> {
        for id in self.rule.iter().chain(&self.skip) {
            rule(id, all)?;
        }
        let wanted = |rule: &&'static Rule| {
            let named = |ids: &[String]| ids.iter().any(|id| id.trim() == rule.id);
            (self.rule.is_empty() || named(&self.rule)) && !named(&self.skip)
        };
        let chosen: Vec<_> = all.iter().copied().filter(wanted).collect();
        if chosen.is_empty() && !all.is_empty() {
            return Err(Error::Config {
                what: "no rule is left to run".to_owned(),
                help: "`--skip` takes out everything that `--rule` names".to_owned(),
            });
        }
        Ok(chosen)
    }

    /// Whether stages are to be timed.
    pub fn wants_timings(&self) -> bool {
        self.timings || std::env::var_os("SEAMCHECK_TIMINGS").is_some_and(|value| !value.is_empty() && value != *"0")
    }
}
