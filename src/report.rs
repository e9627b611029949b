//! What was found, told: to people, to machines, to code scanning. No format prints a secret whole, a time, or a
//! path of the machine it runs on.

use std::io::{self, Write};

use crate::program::File;
use crate::rule::Rule;
use crate::settle::Settled;
use crate::texts::Texts;
use crate::walk::Repository;

mod frame;
mod human;
mod json;
mod markdown;
mod paint;
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
}

/// Writes a report. `files` are the program's, `rules` all rules there are, whether they ran or not.
pub fn write(
    format: Format,
    settled: &Settled,
    files: &[File],
    repository: &Repository,
    rules: &[&Rule],
    out: &mut dyn Write,
    look: Look,
) -> io::Result<()> {
    let told = Told { settled, repository, rules, texts: Texts::new(files, repository) };
    match format {
        Format::Human => human::write(&told, look, out),
        Format::Json => json::write(&told, out),
        Format::Sarif => sarif::write(&told, out),
    }
}
