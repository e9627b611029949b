//! The rules themselves, told: as a table, as JSON, and one by one.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Look;
use super::json::print;
use super::markdown;
use super::paint::{Paint, word, wrap};
use crate::rule::Rule;

/// The docs of a rule without the indentation that doc comments have.
pub struct Docs {
    lines: Vec<&'static str>,
}

impl Docs {
    /// The docs of a rule.
    pub fn of(rule: &Rule) -> Self {
        let lines = rule.docs.trim_end().lines();
        let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
        Self { lines: lines.skip_while(|line| line.is_empty()).collect() }
    }

    /// Markdown with the title as its first heading.
    pub fn markdown(&self) -> String {
        let title = self.lines.first().map_or("", |line| line.trim_start_matches(['#', ' ']));
        format!(
            "# {title}\n{}\n",
            self.lines.get(1..).unwrap_or_default().iter().map(|line| format!("\n{line}")).collect::<String>()
        )
        .replacen("\n\n\n", "\n\n", 1)
    }

    /// Everything after the title.
    pub fn body(&self) -> String {
        self.lines.get(1..).unwrap_or_default().join("\n").trim().to_owned()
    }

    /// The first paragraph after the title, on one line.
    pub fn lead(&self) -> String {
        let body = self.body();
        let paragraph = body.split("\n\n").next().filter(|text| !text.is_empty() && !text.starts_with('#'));
        let lead = paragraph
            .map_or_else(|| self.lines.first().copied().unwrap_or("").to_owned(), |text| text.replace('\n', " "));
        // Code scanning cuts longer ones in the middle of a word.
        match lead.char_indices().nth(1000) {
            Some((at, _)) => format!("{} ..", lead[..at].rsplit_once(' ').map_or(&lead[..at], |(head, _)| head)),
            None => lead,
        }
    }

    /// Plain text: markdown without its marks.
    pub fn plain(&self) -> String {
        let look = Look { colour: false, unicode: false, width: 100, ..Look::default() };
        let mut out = vec![];
        let _ = markdown::render(&self.markdown(), look, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// A section's name in tags and links: "Timeouts, retries, limits" is `timeouts-retries-limits`.
pub fn slug(section: &str) -> String {
    let words = section.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// `seamcheck rules`: a table, section by section.
pub fn table(rules: &[&Rule], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(look.colour);
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut section = None;
    for rule in rules {
        if section != Some(rule.section) {
            if section.is_some() {
                writeln!(out)?;
            }
            writeln!(out, "{}", paint.bold(rule.section))?;
            section = Some(rule.section);
        }
        let indent = 2 + widest + 2 + 7 + 2;
        let severity = paint.severity(rule.severity, format!("{:7}", word(rule.severity)));
        let title = wrap(rule.title(), 0, look.columns().saturating_sub(indent).max(24));
        writeln!(out, "  {:widest$}  {severity}  {}", rule.id, title[0])?;
        for line in &title[1..] {
            writeln!(out, "{}{line}", " ".repeat(indent))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{}", paint.dim(format!("{} rules; more on one: seamcheck explain RULE", rules.len())))
}

/// `seamcheck rules --format json`.
pub fn json(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "title": rule.title(),
                "section": rule.section,
                "severity": word(rule.severity),
                "confidence": rule.confidence,
                "security_severity": rule.security_severity.map(|severity| format!("{severity:.1}")),
                "since": rule.since,
                "docs": Docs::of(rule).markdown(),
            })
        })
        .collect();
    print(&json!({ "version": super::json::VERSION, "rules": rules }), out)
}

/// `seamcheck explain RULE`: its docs, with the example and its repair.
pub fn explain(rule: &Rule, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(look.colour);
    let dot = if look.unicode { " · " } else { " | " };
    let about =
        [word(rule.severity).to_owned(), format!("{} confidence", format!("{:?}", rule.confidence).to_lowercase())];
    let about = [about.join(dot), rule.section.to_owned(), format!("since {}", rule.since)].join(dot);
    writeln!(out, "{}", paint.severity(rule.severity, rule.id))?;
    for line in wrap(rule.title(), 0, look.columns()) {
        writeln!(out, "{}", paint.bold(line))?;
    }
    writeln!(out, "{}\n", paint.dim(about))?;
    markdown::render(&Docs::of(rule).body(), look, out)?;
    writeln!(out)?;
    let hint = format!("to accept one finding: // {}[{}]: reason", crate::settle::ignores::MARKER, rule.id);
    writeln!(out, "{}", paint.dim(hint))
}
