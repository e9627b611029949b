//! `seamcheck-ignore[rule-id]: reason` in a comment: what it covers, and what is wrong with it.
//!
//! It must open its comment, in the file's own comment style, and give a reason. At the end of a line it covers that
//! line; alone on a line it covers the next line that is no comment, so several may be stacked. As
//! `seamcheck-ignore-file[rule-id]: reason` it covers the file. `until=YYYY-MM-DD` before the colon ends it after that day.

use std::fmt;

use crate::catalogue::is_date;
use crate::facts::{ExprKind, Facts, Span};
use crate::finding::{FileId, Place};
use crate::texts::Text;

/// What announces a suppression.
pub const MARKER: &str = "seamcheck-ignore";

/// One rule switched off at one place.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The comment, from the marker to the end of the reason.
    pub place: Place,
    /// The line it covers besides its own.
    pub covers: u32,
    /// The line it stands on.
    pub line: u32,
    /// The rule's id as written.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Whether a finding was suppressed by it.
    pub used: bool,
    /// It covers the whole file.
    pub whole_file: bool,
    /// The whole comment, from its opener to its end.
    pub comment: Span,
    /// Whether nothing else stands on its line.
    pub alone: bool,
}

/// A suppression that does not do what its author wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreProblem {
    /// The comment.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a suppression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It names no rule.
    NoRule,
    /// It gives no reason, so it suppresses nothing.
    NoReason(String),
    /// There is no such rule; perhaps another was meant.
    UnknownRule(String, Option<&'static str>),
    /// Nothing was found there.
    Unused(String),
    /// What stands behind `until=` is no day, so it suppresses nothing.
    NoDay(String, String),
    /// It held until a day that is past: what it suppressed is back.
    Expired(String, String),
}

impl Problem {
    /// A stable word for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoRule => "no-rule",
            Self::NoReason(_) => "no-reason",
            Self::UnknownRule(..) => "unknown-rule",
            Self::Unused(_) => "unused",
            Self::NoDay(..) => "no-day",
            Self::Expired(..) => "expired",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => write!(f, "this suppression names no rule: write {MARKER}[rule-id]: reason"),
            Self::NoReason(rule) => {
                write!(
                    f,
                    "the suppression of `{rule}` gives no reason, so it has no effect: write {MARKER}[{rule}]: reason"
                )
            }
            Self::UnknownRule(rule, None) => write!(f, "the suppression names an unknown rule `{rule}`"),
            Self::UnknownRule(rule, Some(nearest)) => {
                write!(f, "the suppression names an unknown rule `{rule}`: did you mean `{nearest}`?")
            }
            Self::NoDay(rule, day) => {
                write!(f, "the suppression of `{rule}` has no effect: `{day}` is no day, write until=YYYY-MM-DD")
            }
            Self::Expired(rule, day) => write!(f, "the suppression of `{rule}` held until {day}"),
            Self::Unused(rule) => write!(f, "nothing is suppressed by this comment: `{rule}` finds nothing here"),
        }
    }
}

/// A file whose suppressions are read.
pub struct Scan<'a> {
    /// The file.
    pub file: FileId,
    /// Its path.
    pub path: &'a str,
    /// Its text.
    pub text: &'a Text,
    /// What is known of it.
    pub facts: Option<&'a Facts>,
    /// The rules there are.
    pub known: &'a [&'static str],
    /// Today, or the day that is asked for.
    pub as_of: &'a str,
}

/// What stands behind the marker: `[rules]`, perhaps `until=DAY`, and `: reason`.
struct Said<'t> {
    rules: Vec<&'t str>,
    until: Option<&'t str>,
    reason: &'t str,
}

impl<'t> Said<'t> {
    fn read(body: &'t str) -> Option<Self> {
        let (rules, rest) = body.strip_prefix('[')?.split_once(']')?;
        let rest = rest.trim_start();
        let (until, rest) = match rest.strip_prefix("until=") {
            Some(rest) => {
                let end = rest.find(|char: char| char == ':' || char.is_whitespace()).unwrap_or(rest.len());
                (Some(&rest[..end]), rest[end..].trim_start())
            }
            None => (None, rest),
        };
        let reason = rest.strip_prefix(':').map_or("", str::trim);
        Some(Self { rules: rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect(), until, reason })
    }

    /// What is wrong with the suppression of one rule.
    fn problem(&self, rule: &str, scan: &Scan<'_>) -> Option<Problem> {
        if !scan.known.contains(&rule) {
            return Some(Problem::UnknownRule(rule.to_owned(), nearest(rule, scan.known)));
        }
        if self.reason.is_empty() {
            return Some(Problem::NoReason(rule.to_owned()));
        }
        match self.until {
            Some(day) if !is_date(day) => Some(Problem::NoDay(rule.to_owned(), day.to_owned())),
            Some(day) if day < scan.as_of => Some(Problem::Expired(rule.to_owned(), day.to_owned())),
            _ => None,
        }
    }
}

/// Reads the suppressions of a file.
pub fn scan(scan: &Scan<'_>) -> (Vec<Ignore>, Vec<IgnoreProblem>) {
    let (mut ignores, mut problems) = (vec![], vec![]);
    let openers = openers(scan.path);
    let text = scan.text;
    for (at, _) in text.as_str().match_indices(MARKER) {
        let line = text.line_of(at as u32);
        let start = text.line_start(line).unwrap_or(0);
        let whole = text.line(line);
        let Some((before, after)) = whole.split_at_checked(at - start) else { continue };
        let Some((code, closer)) = code_before(before, openers) else { continue };
        if in_string(scan.facts, at as u32) {
            continue;
        }
        let body = &after[MARKER.len()..];
        let (body, code_after) = closer.and_then(|closer| body.split_once(closer)).unwrap_or((body, ""));
        let body = body.trim_end();
        let end = (at + MARKER.len() + body.len()) as u32;
        let place = Place { file: scan.file, span: Span { start: at as u32, end } };
        let (whole_file, body) = match body.strip_prefix("-file") {
            Some(rest) if rest.starts_with(['[', ':', ' ']) || rest.is_empty() => (true, rest),
            _ => (false, body),
        };
        let Some(said) = Said::read(body) else {
            // A longer word ("seamcheck-ignores") is talk, not a suppression.
            if !body.starts_with(|char: char| char.is_alphanumeric() || char == '-' || char == '_') {
                problems.push(IgnoreProblem { place, problem: Problem::NoRule });
            }
            continue;
        };
        let alone = code.trim().is_empty() && matches!(code_after.trim(), "" | "}");
        let covers = if alone { next_code_line(text, line, openers) } else { line };
        if said.rules.is_empty() {
            problems.push(IgnoreProblem { place, problem: Problem::NoRule });
        }
        // With its opener, its closer and the braces that JSX puts around it.
        let mut comment_end = end as usize;
        if let Some(closer) = closer {
            let rest = &text.as_str()[comment_end..start + whole.len()];
            comment_end += rest.find(closer).map_or(0, |found| found + closer.len());
            let braced = before.trim_end().len() > code.len() + 2 && text.as_str()[comment_end..].starts_with('}');
            comment_end += usize::from(braced);
        }
        let comment = Span { start: (start + code.len()) as u32, end: comment_end as u32 };
        for rule in &said.rules {
            if let Some(problem) = said.problem(rule, scan) {
                problems.push(IgnoreProblem { place, problem });
                continue;
            }
            let (rule, reason) = ((*rule).to_owned(), said.reason.to_owned());
            ignores.push(Ignore { place, covers, line, rule, reason, used: false, whole_file, comment, alone });
        }
    }
    (ignores, problems)
}

/// The known rule a mistyped one was probably meant to be.
pub fn nearest(rule: &str, known: &[&'static str]) -> Option<&'static str> {
    let near = known.iter().map(|id| (strsim::normalized_damerau_levenshtein(rule, id), *id));
    near.filter(|&(likeness, _)| likeness >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id)
}

/// How comments open in a file, by its name.
fn openers(path: &str) -> &'static [&'static str] {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with(".env") || name == "Dockerfile" || name.starts_with('.') && !name[1..].contains('.') {
        return &["#"];
    }
    match name.rsplit('.').next().unwrap_or("") {
        "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "json" | "jsonc" | "json5" => &["//", "/*"],
        "py" | "pyi" | "toml" | "yml" | "yaml" | "env" | "sh" | "rb" | "ini" | "cfg" | "conf" => &["#"],
        "sql" => &["--", "/*"],
        "html" | "htm" | "vue" | "svelte" | "astro" => &["<!--", "//", "/*"],
        "md" | "xml" | "svg" => &["<!--"],
        "mdx" => &["<!--", "/*"],
        _ => &["//", "/*", "#", "--", "<!--"],
    }
}

/// The code before a comment that opens right before the marker, and how that comment closes; none when no comment
/// opens there.
fn code_before<'t>(before: &'t str, openers: &[&str]) -> Option<(&'t str, Option<&'static str>)> {
    let before = before.trim_end();
    let (code, opener) = openers.iter().find_map(|opener| Some((before.strip_suffix(opener)?, *opener)))?;
    Some(match opener {
        // `{/* .. */}` is how JSX writes a comment.
        "/*" => (code.strip_suffix('{').unwrap_or(code), Some("*/")),
        "<!--" => (code, Some("-->")),
        _ => (code, None),
    })
}

/// Whether the extractor saw a string around an offset.
fn in_string(facts: Option<&Facts>, offset: u32) -> bool {
    facts.is_some_and(|facts| {
        let strings = facts.exprs.iter().filter(|expr| matches!(expr.kind, ExprKind::Text(_) | ExprKind::Template(_)));
        strings.map(|expr| expr.span).any(|span| span.start < offset && offset < span.end)
    })
}

/// The next line that is not all comment.
fn next_code_line(text: &Text, line: u32, openers: &[&str]) -> u32 {
    let is_comment = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix('{').map_or(line, str::trim_start);
        let closed_early =
            |closer: &str| line.find(closer).is_some_and(|at| !matches!(line[at + closer.len()..].trim(), "" | "}"));
        openers.iter().any(|opener| line.starts_with(opener)) && !closed_early("*/") && !closed_early("-->")
    };
    (line + 1..=text.line_count()).find(|&next| !is_comment(text.line(next))).unwrap_or(line)
}
