//! JUnit's XML, for CI systems that show tests: a suite a file, a case a finding. Notes pass, with their words.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Told;
use super::paint::word;
use super::summary::Notice;
use crate::finding::{Finding, Severity};
use crate::masking::mask;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for settled in &told.settled.findings {
        suites.entry(told.path(settled.finding.place)).or_default().push(&settled.finding);
    }
    let fails = |finding: &&&Finding| finding.severity > Severity::Note;
    let all = || suites.values().flatten();
    let notices = told.notices();
    let (tests, failures) = ((all().count() + notices.len()).max(1), all().filter(fails).count());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"seamcheck\" tests=\"{tests}\" failures=\"{failures}\">")?;
    if suites.is_empty() && notices.is_empty() {
        // A report without any test counts as a failure to report.
        writeln!(out, "  <testsuite name=\"seamcheck\" tests=\"1\" failures=\"0\">")?;
        writeln!(out, "    <testcase name=\"no findings\" classname=\"seamcheck\"/>")?;
        writeln!(out, "  </testsuite>")?;
    }
    for (path, findings) in &suites {
        let failures = findings.iter().filter(fails).count();
        let (path, tests) = (escape(path), findings.len());
        writeln!(out, "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\">")?;
        for finding in findings {
            case(told, &path, finding, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    if !notices.is_empty() {
        writeln!(out, "  <testsuite name=\"seamcheck\" tests=\"{}\" failures=\"0\">", notices.len())?;
        for Notice { path, place, code, words } in notices {
            let line = place.map_or(1, |place| told.texts.region(place).start.line);
            let (path, words) = (escape(&path), escape(&mask(&words)));
            writeln!(out, "    <testcase name=\"{code} ({path}:{line})\" classname=\"{code}\" file=\"{path}\">")?;
            writeln!(out, "      <system-out>{path}:{line}\n{words}</system-out>")?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn case(told: &Told<'_>, path: &str, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let line = told.texts.region(finding.place).start.line;
    writeln!(
        out,
        "    <testcase name=\"{} ({path}:{line})\" classname=\"{}\" file=\"{path}\" line=\"{line}\">",
        finding.rule, finding.rule
    )?;
    let message = escape(&mask(&finding.message));
    let body = escape(&format!("{path}:{line}\n{}\n\n{}", mask(&finding.message), mask(finding.help.trim())));
    if finding.severity > Severity::Note {
        writeln!(out, "      <failure type=\"{}\" message=\"{message}\">{body}</failure>", word(finding.severity))?;
    } else {
        writeln!(out, "      <system-out>{body}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

/// A text as it may stand in an attribute or element; what XML forbids becomes a replacement mark.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(char),
            _ if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            _ => out.push(char),
        }
    }
    out
}
