//! One line a finding, and a problem of a comment that suppresses one, as compilers write them: editors and `grep` read
//! it.

use std::io::{self, Write};

use super::Told;
use super::paint::{clean, word};
use crate::finding::{Finding, Severity};

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    told.settled.findings.iter().try_for_each(|settled| writeln!(out, "{}", told.compact(&settled.finding)))?;
    told.settled.ignore_problems.iter().try_for_each(|it| {
        let start = told.texts.region(it.place).start;
        let path = clean(told.texts.path(it.place.file)).replace('\n', " ");
        let (word, problem) = (word(Severity::Warning), it.problem.to_string());
        writeln!(out, "{path}:{}:{}: {word}[suppression] {}", start.line, start.column, clean(&problem))
    })
}

impl Told<'_> {
    /// `path:line:column: severity[rule] message`.
    pub fn compact(&self, finding: &Finding) -> String {
        let start = self.texts.region(finding.place).start;
        let message = clean(&finding.message);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let path = clean(self.texts.path(finding.place.file)).replace('\n', " ");
        format!("{path}:{}:{}: {}[{}] {message}", start.line, start.column, word(finding.severity), finding.rule)
    }
}
