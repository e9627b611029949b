//! What was typed, and what it means.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::Error;
use crate::finding::{Persona, Severity};
use crate::pipeline::Options;
use crate::report::Format;
use crate::rule::Rule;
use crate::rules::RULES;
use crate::{settle, walk};

/// The names of the subcommands: what a mistyped path may have meant.
pub const COMMANDS: &[&str] = &["rules", "explain", "vendors", "facts", "completions"];

const EXAMPLES: &str = "\
Examples:
  seamcheck                               scan the current folder
  seamcheck apps/web supabase             scan two folders of one repository
  seamcheck src/api/webhook.ts            scan one file, even if it is ignored
  seamcheck --rule missing-timeout        run one rule
  seamcheck --format sarif -o out.sarif   write a report for code scanning
  seamcheck --fail-on error               let warnings pass in CI
  seamcheck explain webhook-unverified    why a rule bites and how to mend it

A path that is called like a command is given as ./rules.

Exit codes:
  0  nothing found at or above --fail-on
  1  something found
  2  the scan could not be done: a wrong argument, a broken vendor file, or a bug of ours";

/// Finds integration hazards in AI-built apps: the places where the app meets a vendor and will leak, lose,
/// duplicate, double-charge or hang.
#[derive(Debug, Parser)]
#[command(name = "seamcheck", version, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// What to do; a scan when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to scan.
    #[command(flatten)]
    pub scan: Scan,
}

/// What to do other than scan.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the rules
    #[command(after_help = "Example:\n  seamcheck rules --format json | jq '.rules[].id'")]
    Rules {
        /// How to write the list
        #[arg(long, value_enum, default_value_t = ListFormat::Human, value_name = "FORMAT")]
        format: ListFormat,
    },
    /// Tell why a rule bites, when it is silent, and how to mend what it finds
    #[command(after_help = "Example:\n  seamcheck explain missing-timeout")]
    Explain {
        /// The rule's id, as `seamcheck rules` lists it
        rule: String,
    },
    /// List the vendors that are known, or all that is known of one and where it comes from
    #[command(after_help = "Example:\n  seamcheck vendors --format json | jq '.vendors[].id'")]
    Vendors {
        /// The vendor's id or name
        name: Option<String>,
        /// How to write the list
        #[arg(long, value_enum, default_value_t = ListFormat::Human, value_name = "FORMAT")]
        format: ListFormat,
    },
    /// Show what is understood of a file: imports, functions, calls, environment reads
    #[command(after_help = "Example:\n  seamcheck facts src/api/webhook.ts --format json")]
    Facts {
        /// The file
        file: PathBuf,
        /// How to write it
        #[arg(long, value_enum, default_value_t = ListFormat::Human, value_name = "FORMAT")]
        format: ListFormat,
    },
    /// Print completions for a shell
    #[command(after_help = "Example:\n  seamcheck completions zsh > ~/.zfunc/_seamcheck")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

/// From which severity on the exit code is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Note,
    /// Warnings and errors
    Warning,
    /// Errors only
    Error,
    /// Never: the exit code is 0 whatever is found
    Never,
}

impl FailOn {
    /// Whether a finding of this severity fails the scan.
    pub fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Error => severity >= Severity::Error,
            Self::Never => false,
        }
    }
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal; NO_COLOR and CLICOLOR_FORCE are respected
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// The decision for a stream.
    pub fn decide(self, terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != *"0");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
            Self::Auto => {
                set("CLICOLOR_FORCE") || (terminal && std::env::var_os("TERM").is_none_or(|term| term != *"dumb"))
            }
        }
    }
}

/// A scan.
#[derive(Debug, Args)]
pub struct Scan {
    /// Folders and files to scan [default: the current folder]
    ///
    /// Paths in reports are relative to the folder given, or to the common ancestor of several. A file given by
    /// name is always scanned, even if it is ignored, minified or very big.
    #[arg(value_name = "PATHS", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub format: Format,

    /// Write the report to a file
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Run only this rule (repeatable, or several with commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub rule: Vec<String>,

    /// Leave this rule out (repeatable, or several with commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "What counts")]
    pub skip: Vec<String>,

    /// Who reads the report: `regular` is for pull requests, `auditor` adds hints and project notes
    #[arg(long, value_enum, default_value_t = Persona::Regular, value_name = "PERSONA", help_heading = "What counts")]
    pub persona: Persona,

    /// Report only findings of at least this severity
    #[arg(long, value_enum, default_value_t = Severity::Note, value_name = "SEVERITY", help_heading = "What counts")]
    pub min_severity: Severity,

    /// Exit with 1 when something of at least this severity is found
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY", help_heading = "What counts")]
    pub fail_on: FailOn,

    /// Judge what depends on a date as of this day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = crate::day::parse, help_heading = "What counts")]
    pub as_of: Option<String>,

    /// Heed neither ignore files nor suppression comments
    #[arg(long, help_heading = "What counts")]
    pub no_ignores: bool,

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

impl Scan {
    /// What the pipeline is to do.
    pub fn options(&self) -> Result<Options, Error> {
        let jobs = self.jobs.map_or(0, NonZeroUsize::get);
        let rules = self.rules(RULES)?;
        let settle = settle::Choices {
            min_severity: self.min_severity,
            honour_suppressions: !self.no_ignores,
            as_of: self.as_of.clone().unwrap_or_else(crate::day::today),
            ran: rules.iter().map(|rule| rule.id).collect(),
            ..settle::Choices::new(self.persona)
        };
        Ok(Options {
            walk: walk::Choices { paths: self.paths.clone(), honour_ignores: !self.no_ignores, threads: jobs },
            rules,
            settle,
            jobs,
            progress: !self.quiet && std::io::stderr().is_terminal(),
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

/// A rule by its id.
pub fn rule(id: &str, all: &[&'static Rule]) -> Result<&'static Rule, Error> {
    let id = id.trim();
    let found = all.iter().copied().find(|rule| rule.id == id);
    found.ok_or_else(|| Error::unknown_rule(id, all.iter().map(|rule| rule.id)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
        let known: Vec<_> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(known, COMMANDS);
    }

    #[test]
    fn rules_are_named_with_commas_and_again() {
        let cli = Cli::try_parse_from(["seamcheck", "--rule", "a,b", "--rule", "c", "./rules"]).unwrap();
        assert_eq!(cli.scan.rule, ["a", "b", "c"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.scan.paths, [PathBuf::from("./rules")]);
    }
}
