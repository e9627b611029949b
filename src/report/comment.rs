//! Markdown for a job summary or a comment on a pull request. Whatever comes out of the code can neither mention
//! people, nor link, nor break out of the page.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Told;
use super::cure::cure;
use super::paint::{clean, count, word};
use crate::finding::{Finding, Severity};
use crate::settle::SettledFinding;

/// The first line: by it a comment is found again.
const MARK: &str = "<!-- seamcheck -->";
/// A comment holds 65,536 characters; what a table or a list needs besides stays below the rest.
const ROOM: usize = 60_000;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let settled = told.settled;
    writeln!(out, "{MARK}\n## seamcheck\n")?;
    if settled.findings.is_empty() {
        writeln!(out, "No findings in {}.", count(told.files(), "file"))?;
    } else {
        let counts = settled.counts;
        writeln!(out, "| errors | warnings | notes | files |\n|---:|---:|---:|---:|")?;
        writeln!(out, "| {} | {} | {} | {} |\n", counts.error, counts.warning, counts.note, told.files())?;
        let mut room = ROOM;
        let mut left = 0;
        for found in told.by_weight() {
            let text = one(told, found);
            match room.checked_sub(text.chars().count()) {
                Some(rest) if left == 0 => {
                    room = rest;
                    out.write_all(text.as_bytes())?;
                }
                _ => left += 1,
            }
        }
        if left > 0 {
            writeln!(
                out,
                "… and {} that find no room here: see the log or the SARIF report.\n",
                count(left, "finding")
            )?;
        }
    }
    for line in told.remarks() {
        writeln!(out, "\n_{}_", plain(&line))?;
    }
    Ok(())
}

fn one(told: &Told<'_>, settled: &SettledFinding) -> String {
    let finding = &settled.finding;
    let mark = match finding.severity {
        Severity::Error => "🔴",
        Severity::Warning => "🟠",
        Severity::Note => "🔵",
    };
    let line = told.texts.region(finding.place).start.line;
    let at = code(&format!("{}:{line}", told.path(finding.place)));
    let mut text = String::new();
    let _ = writeln!(
        text,
        "<details>\n<summary>{mark} {} <b>{}</b> {at}</summary>\n\n{}\n",
        word(finding.severity),
        finding.rule,
        plain(&finding.message)
    );
    steps(told, "See also", &finding.related, &mut text);
    steps(told, "How it gets there", &finding.trace, &mut text);
    help(finding, &mut text);
    text.push_str("\n</details>\n\n");
    text
}

fn steps(told: &Told<'_>, title: &str, remarks: &[crate::finding::Remark], text: &mut String) {
    if remarks.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}:\n");
    for remark in remarks {
        let line = told.texts.region(remark.place).start.line;
        let _ = writeln!(text, "1. {} {}", code(&format!("{}:{line}", told.path(remark.place))), plain(&remark.text));
    }
    text.push('\n');
}

/// The cure: its words, and its code in a fence that the code cannot close.
fn help(finding: &Finding, text: &mut String) {
    for part in cure(&finding.help) {
        if !part.is_code {
            let _ = writeln!(text, "{}\n", plain(&part.lines.join(" ")));
            continue;
        }
        let code: Vec<String> = part.lines.iter().map(|line| line.replace("~~~~~~", "~~~~~")).collect();
        let _ = writeln!(text, "~~~~~~{}\n{}\n~~~~~~\n", part.language, code.join("\n"));
    }
}

/// A text as it stands, whatever marks it holds; code spans stay.
fn plain(text: &str) -> String {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&code(part));
            continue;
        }
        for char in part.chars() {
            match char {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', char]),
                '@' | '#' => out.extend([char, '\u{200b}']),
                _ => out.push(char),
            }
        }
    }
    out.replace("://", ":\u{200b}//")
}

/// A code span of HTML: nothing in it is markdown.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for char in clean(text).replace('\n', " ").chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Entities, so that no markdown is seen in it.
            '*' | '_' | '[' | ']' | '|' | '~' | '!' | '`' | '\\' | '@' | '#' | ':' => {
                let _ = write!(out, "&#{};", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out + "</code>"
}
