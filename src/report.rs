//! What was found, told: to people, to machines, to code scanning. No format prints a secret whole, a time, or a
//! path of the machine it runs on.

use std::io::{self, Write};

use crate::program::File;
use crate::rule::Rule;
use crate::settle::Settled;
use crate::texts::Texts;
use crate::walk::Repository;

mod comment;
mod compact;
mod counts;
mod cure;
mod frame;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod paint;
mod rdjson;
pub mod rules;
mod sarif;
mod summary;
pub mod vendors;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Code frames, traces and cures, for a terminal.
    #[default]
    Human,
    /// The tool's own format; see docs/json-format.md.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit XML, for CI systems that show tests.
    Junit,
    /// The format of reviewdog.
    Rdjson,
    /// Markdown for a job summary or a comment.
    Markdown,
    /// One line a finding.
    Compact,
    /// `errors=1`, `warnings=2` and so on, for scripts.
    Counts,
}

/// How the human format looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours and links.
    pub colour: bool,
    /// Lines and arrows beyond ASCII.
    pub unicode: bool,
    /// Columns; kept between 40 and 120.
    pub width: usize,
    /// Findings only, without the summary.
    pub quiet: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { colour: false, unicode: true, width: 100, quiet: false }
    }
}

impl Look {
    /// The columns to fill.
    pub(crate) fn columns(self) -> usize {
        self.width.clamp(40, 120)
    }
}

/// What a report is made of.
pub(crate) struct Told<'a> {
    settled: &'a Settled,
    repository: &'a Repository,
    rules: &'a [&'a Rule],
    texts: Texts<'a>,
    asked: Asked<'a>,
}

/// Writes a report. `files` are the program's, `rules` all rules there are, whether they ran or not.
pub fn write<'a>(
    format: Format,
    settled: &'a Settled,
    files: &'a [File],
    repository: &'a Repository,
    rules: &'a [&'a Rule],
    out: &mut dyn Write,
    asked: impl Into<Asked<'a>>,
) -> io::Result<()> {
    let asked = asked.into();
    let told = Told { settled, repository, rules, texts: Texts::new(files, repository), asked };
    match format {
        Format::Human => human::write(&told, asked.look, out),
        Format::Json => json::write(&told, out),
        Format::Sarif => sarif::write(&told, out),
        Format::Github => github::write(&told, out),
        Format::Gitlab => gitlab::write(&told, out),
        Format::Junit => junit::write(&told, out),
        Format::Rdjson => rdjson::write(&told, out),
        Format::Markdown => comment::write(&told, out),
        Format::Compact => compact::write(&told, out),
        Format::Counts => counts::write(&told, out),
    }
}

/// Prints a value the one way this tool prints JSON.
pub fn json(value: &serde_json::Value, out: &mut dyn Write) -> io::Result<()> {
    json::print(value, out)
}

/// How a report was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// How the human format looks.
    pub look: Look,
    /// The category of a SARIF report.
    pub category: Option<&'a str>,
    /// The folder of the git repository that was scanned, with a slash at its end: services that show findings beside
    /// a change want paths from the repository's top.
    pub prefix: &'a str,
    /// Folders of which a SARIF report makes a run of its own, from the top of the repository.
    pub workspaces: &'a [String],
    /// Whether nothing else was looked at.
    pub only_workspaces: bool,
    /// Whether the category is that of the one workspace there is.
    pub own_category: bool,
    /// What leads from the folder that the tool runs in to the scanned one: what paths lose, and what they get.
    pub way: (&'a str, &'a str),
}

impl From<Look> for Asked<'_> {
    fn from(look: Look) -> Self {
        Self { look, ..Self::default() }
    }
}
