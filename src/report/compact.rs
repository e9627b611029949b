//! One line a finding, as compilers write them: editors and `grep` read it.

use std::io::{self, Write};

use super::Told;
use super::paint::{clean, word};
use crate::finding::Finding;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    told.settled.findings.iter().try_for_each(|settled| writeln!(out, "{}", told.compact(&settled.finding)))
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
