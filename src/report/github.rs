//! Annotations of GitHub Actions: workflow commands that mark lines of a pull request, then the whole list in a group.
//!
//! GitHub shows ten annotations of each level a step: the first ten of each, worst first, are written as commands. No
//! other line can be taken for a command: whatever looks like one is broken up.

use std::io::{self, Write};

use super::Told;
use super::paint::{clean, count};
use crate::finding::{Finding, Severity};

/// Annotations of a level that GitHub shows a step.
const MOST: usize = 10;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = told.by_weight();
    let mut left = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let of = findings.iter().filter(|it| it.finding.severity == severity);
        for settled in of.clone().take(MOST) {
            annotation(told, &settled.finding, out)?;
        }
        left += of.count().saturating_sub(MOST);
    }
    let remarks = told.remarks();
    if findings.is_empty() {
        writeln!(out, "seamcheck: no findings in {}", count(told.files(), "file"))?;
        return remarks.iter().try_for_each(|line| writeln!(out, "- {}", harmless(line)));
    }
    let more = if left > 0 { format!(" ({left} more than GitHub annotates)") } else { String::new() };
    writeln!(out, "::group::seamcheck: {}{more}", count(findings.len(), "finding"))?;
    for settled in &told.settled.findings {
        writeln!(out, "- {}", harmless(&told.compact(&settled.finding, &told.path(settled.finding.place))))?;
    }
    for line in &remarks {
        writeln!(out, "- {}", harmless(line))?;
    }
    writeln!(out, "::endgroup::")
}

fn annotation(told: &Told<'_>, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let region = told.texts.region(finding.place);
    let mut at = format!("file={},line={}", property(&told.path(finding.place)), region.start.line);
    at += &format!(",endLine={}", region.end.line);
    // Columns are heeded within one line only.
    if region.start.line == region.end.line {
        at += &format!(",col={},endColumn={}", region.start.utf16, region.end.utf16);
    }
    let mut words = finding.message.clone();
    if !finding.help.trim().is_empty() {
        words += &format!("\n\n{}", finding.help.trim());
    }
    let title = property(&format!("seamcheck: {}", finding.rule));
    writeln!(out, "::{command} {at},title={title}::{}", data(&clean(&words)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}

/// A line in which no runner finds a command, of neither form.
fn harmless(line: &str) -> String {
    line.replace(['\n', '\r'], " ").replace("##[", "# #[").replace("::", ": :")
}
