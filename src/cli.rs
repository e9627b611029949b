//! What was typed, and what it means.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::Error;
use crate::rule::Rule;

mod scan;

pub use scan::Scan;

/// The names of the subcommands: what a mistyped path may have meant.
pub const COMMANDS: &[&str] = &["rules", "explain", "vendors", "facts", "baseline", "init", "schema", "completions"];

const EXAMPLES: &str = "\
Examples:
  seamcheck                               scan the current folder
  seamcheck apps/web supabase             scan two folders of one repository
  seamcheck src/api/webhook.ts            scan one file, even if it is ignored
  seamcheck --rule missing-timeout        run one rule
  seamcheck --format sarif -o out.sarif   write a report for code scanning
  seamcheck --fail-on error               let warnings pass in CI
  seamcheck --since origin/main           report what a branch touches
  seamcheck --staged                      report what a commit will touch
  seamcheck baseline                      accept today's findings, report only new ones
  seamcheck explain webhook-unverified    why a rule bites and how to mend it

A path that is called like a command is given as ./rules.

Exit codes:
  0  nothing found at or above --fail-on
  1  something found
  2  the scan could not be done: a wrong argument, a broken configuration or vendor file, or a bug of ours";

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
    /// Write today's findings to a file, so that only new ones are reported from now on
    #[command(
        after_help = "Examples:\n  seamcheck baseline            write .seamcheck-baseline.json\n  seamcheck baseline --prune    drop what is mended, add nothing"
    )]
    Baseline {
        /// Only drop the entries that stand for nothing any more
        #[arg(long)]
        prune: bool,
        /// What to scan, and how
        #[command(flatten)]
        scan: Box<Scan>,
    },
    /// Write a seamcheck.toml that fits the repository, with comments
    #[command(after_help = "Examples:\n  seamcheck init\n  seamcheck init --print    show it, write nothing")]
    Init {
        /// The repository [default: the current folder]
        folder: Option<PathBuf>,
        /// Print it
        #[arg(long)]
        print: bool,
    },
    /// Print the JSON Schema of the configuration, for editors
    #[command(after_help = "Example:\n  seamcheck schema > seamcheck.schema.json")]
    Schema,
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
