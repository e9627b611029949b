//! One line a finding, a problem of a comment that suppresses one, and a file that was not checked in full, as compilers
//! write them: editors and `grep` read it.

use std::io::{self, Write};

use super::Told;
use super::paint::{clean, word};
use super::summary::Notice;
use crate::finding::{Finding, Place, Severity};

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let here = |place: Place| told.seen_from_here(told.texts.path(place.file));
    told.settled
        .findings
        .iter()
        .try_for_each(|settled| writeln!(out, "{}", told.compact(&settled.finding, &here(settled.finding.place))))?;
    told.notices().into_iter().try_for_each(|Notice { path, place, code, words }| {
        let path = told.seen_from_here(path.strip_prefix(told.asked.prefix).unwrap_or(&path));
        let (line, column) = place.map_or((1, 1), |place| {
            let start = told.texts.region(place).start;
            (start.line, start.column)
        });
        let (word, path) = (word(Severity::Warning), clean(&path).replace('\n', " "));
        writeln!(out, "{path}:{line}:{column}: {word}[{code}] {}", clean(&words).replace('\n', " "))
    })
}

impl Told<'_> {
    /// A path of the scanned folder as seen from the folder that the tool runs in: an editor opens it there.
    fn seen_from_here(&self, path: &str) -> String {
        let (less, more) = self.asked.way;
        match path.strip_prefix(less) {
            Some(path) => format!("{more}{path}"),
            None => format!("{}{path}", "../".repeat(less.matches('/').count())),
        }
    }

    /// `path:line:column: severity[rule] message`.
    pub fn compact(&self, finding: &Finding, path: &str) -> String {
        let start = self.texts.region(finding.place).start;
        let message = clean(&finding.message);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let path = clean(path).replace('\n', " ");
        format!("{path}:{}:{}: {}[{}] {message}", start.line, start.column, word(finding.severity), finding.rule)
    }
}
