//! What can be wrong with a catalogue file, and where in the file it stands.
//!
//! The schema's types hold no positions. Only when something is wrong the file is parsed once more, with
//! positions, and the place is looked up by the keys that lead to it.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step to a place in a TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Key(&'static str),
    Item(usize),
}

impl From<&'static str> for Step {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

/// Something wrong at a place of a file.
#[derive(Debug)]
pub(super) struct Problem {
    /// The way to the place.
    pub(super) at: Vec<Step>,
    /// The part of the text there that is meant, when not all of it.
    pub(super) part: Option<Range<usize>>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// A catalogue file that cannot be used.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub(super) struct Fault {
    message: String,
    #[source_code]
    file: NamedSource<String>,
    #[label("here")]
    span: SourceSpan,
    #[help]
    help: String,
}

impl Fault {
    /// A file that is no TOML, or not of the schema's form.
    pub(super) fn syntax(path: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message();
        let span = first_line(text, error.span().unwrap_or(0..0));
        let unknown = message.split_once("unknown field `").and_then(|(_, rest)| rest.split_once("`, expected "));
        let missing = message.split_once("missing field `").and_then(|(_, rest)| rest.split_once('`'));
        let variant = message.split_once("unknown variant `").and_then(|(_, rest)| rest.split_once("`, expected "));
        let help = match (unknown.or(variant), missing) {
            (Some((word, list)), _) => {
                let known = list.split('`').skip(1).step_by(2);
                match known.min_by_key(|known| strsim::damerau_levenshtein(word, known)) {
                    Some(near) if strsim::damerau_levenshtein(word, near) <= 3 => format!("did you mean `{near}`?"),
                    _ => format!("write {}", list.trim_start_matches("one of ")),
                }
            }
            (None, Some((field, _))) => format!("add `{field} = ..`{}", shape_of(field)),
            (None, None) => "see the catalogue's own files for the form of each entry".to_owned(),
        };
        let message = match (unknown, variant, missing) {
            (Some((word, _)), ..) => format!("unknown field `{word}`"),
            (None, Some((word, list)), _) => format!("`{word}` is not {list}"),
            (None, None, Some((field, _))) => format!("`{field}` is missing"),
            (None, None, None) => message.lines().next().unwrap_or(message).to_owned(),
        };
        Self { message, file: source(path, text), span: span.into(), help }
    }

    /// A file of the right form that says something impossible.
    pub(super) fn of(path: &str, text: &str, problem: Problem) -> Self {
        let span = locate(text, &problem.at, problem.part);
        Self { message: problem.message, file: source(path, text), span: span.into(), help: problem.help }
    }
}

/// How a field that is often forgotten looks.
fn shape_of(field: &str) -> &'static str {
    match field {
        "source" => {
            ", where the facts were read: `source = { src = \"https://..\", tier = \"doc\", date = \"2026-01-31\" }`"
        }
        "date" => ", the day it was read: `date = \"2026-01-31\"`",
        "tier" => ", how well it is founded: `sdk`, `doc`, `scanner`, `mixed`, `secondary` or `convention`",
        _ => "",
    }
}

fn source(path: &str, text: &str) -> NamedSource<String> {
    NamedSource::new(path, text.to_owned()).with_language("TOML")
}

/// Where the steps lead; as far as they do.
fn locate(text: &str, at: &[Step], part: Option<Range<usize>>) -> Range<usize> {
    let Ok(document) = DeTable::parse(text) else { return 0..0 };
    let mut span = document.span();
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for (depth, step) in at.iter().enumerate() {
        let next = match (step, value.map(Spanned::get_ref)) {
            (Step::Key(key), None) if depth == 0 => document.get_ref().get(*key),
            (Step::Key(key), Some(DeValue::Table(table))) => table.get(*key),
            (Step::Item(item), Some(DeValue::Array(items))) => items.get(*item),
            _ => None,
        };
        let Some(next) = next else { break };
        span = next.span();
        value = Some(next);
    }
    // A part is known in the value's text; it stands so in the file when nothing in it is escaped.
    if let (Some(part), Some(DeValue::String(string))) = (part, value.map(Spanned::get_ref)) {
        let inner = span.start + 1..span.end.saturating_sub(1);
        if text.get(inner.clone()) == Some(string.as_ref()) && part.end <= string.len() {
            let end = (inner.start + part.end).max(inner.start + part.start + 1);
            return inner.start + part.start..end;
        }
    }
    first_line(text, span)
}

/// The first line of a span: a whole table is no place to look at.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let Some(inside) = text.get(span.clone()) else { return 0..0 };
    match inside.find('\n') {
        Some(end) => span.start..span.start + inside[..end].trim_end().len(),
        None => span,
    }
}
