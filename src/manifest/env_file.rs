//! Environment files: names, and of values no more than what they look like and which host they name.

use serde::Serialize;

use crate::catalogue::host_of_url;
use crate::facts::{Span, Token};
use crate::names::Name;

/// An environment file.
#[derive(Debug, Clone, Default)]
pub struct EnvFile {
    /// Its assignments, in order; those that are commented out are not among them.
    pub entries: Vec<EnvEntry>,
    /// Credentials anywhere in it, comments included, by place.
    pub tokens: Vec<Token>,
    /// Byte offsets at which lines start; the first is 0.
    pub lines: Vec<u32>,
}

/// `NAME=value`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvEntry {
    /// The variable.
    pub name: Name,
    /// Where its name stands.
    pub span: Span,
    /// Where its value stands, without quotes.
    pub value_span: Span,
    /// What the value looks like.
    pub value: EnvValue,
    /// The host that the value names, when it is an address.
    pub host: Option<Name>,
    /// One-based.
    pub line: u32,
}

/// What a value looks like. The value itself is never kept, but for the host of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvValue {
    /// Nothing.
    Empty,
    /// Something to be replaced: `your-key-here`, `sk_test_xxx`, `<secret>`, `changeme`.
    Placeholder,
    /// Another variable: `${OTHER}`.
    Reference,
    /// `true`, `1`, `on`, `yes`, or the opposite.
    Switch(bool),
    /// A word, number, address or sentence.
    Plain,
    /// At least 16 characters that look drawn at random: a key or token.
    Random,
}

impl EnvValue {
    /// What a value looks like.
    pub fn of(value: &str) -> Self {
        look(value)
    }
}

impl EnvFile {
    /// Reads every line that is an assignment; others are passed over, as the loaders do.
    pub fn read(text: &str, mut tokens: Vec<Token>) -> Self {
        tokens.sort();
        let mut file = Self { entries: vec![], tokens, lines: vec![0] };
        file.lines.extend(text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at as u32 + 1));
        let mut at = 0;
        while at < text.len() {
            let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
            let next = file.assignment(text, at, end);
            at = next.max(end) + 1;
        }
        file
    }

    /// Reads the line `at..end`; answers where the value ended, which may be further down.
    fn assignment(&mut self, text: &str, at: usize, end: usize) -> usize {
        let line = &text[at..end];
        let Some((left, _)) = line.split_once('=') else { return end };
        let name = left.trim_start();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return end;
        }
        let start = at + left.rfind(name).unwrap_or(0);
        let value = value(text, at + left.len() + 1, end);
        self.entries.push(EnvEntry {
            name: Name::new(name),
            span: span(start, start + name.len()),
            value_span: span(value.start, value.end),
            value: look(&text[value.clone()]),
            host: host_of_url(&text[value.clone()]).map(Name::new),
            line: self.lines.partition_point(|&line| line as usize <= at) as u32,
        });
        // Behind the closing quote of a value of several lines the rest of the line is no assignment.
        text[value.end..].find('\n').map_or(text.len(), |length| value.end + length)
    }

    /// The credentials in an entry's value.
    pub fn tokens_of(&self, entry: &EnvEntry) -> impl Iterator<Item = &Token> {
        let value = entry.value_span;
        self.tokens.iter().filter(move |token| value.contains(token.span))
    }

    /// One-based line of a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.lines.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// An entry by its variable; the last one counts.
    pub fn get(&self, name: &str) -> Option<&EnvEntry> {
        self.entries.iter().rev().find(|entry| entry.name == *name)
    }
}

fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

/// Where the value stands that begins behind the `=`: within quotes, possibly over several lines, or up to a
/// comment or the line's end.
fn value(text: &str, from: usize, end: usize) -> std::ops::Range<usize> {
    let raw = &text[from..end];
    let start = from + (raw.len() - raw.trim_start().len());
    if let Some(quote) = text[start..end].chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let body = start + 1;
        let mut escaped = false;
        for (at, c) in text[body..].char_indices() {
            if c == quote && !escaped {
                return body..body + at;
            }
            escaped = c == '\\' && !escaped;
        }
    }
    let raw = &text[start..end];
    let comment = raw.match_indices('#').find(|&(at, _)| at == 0 || raw[..at].ends_with([' ', '\t']));
    let raw = comment.map_or(raw, |(at, _)| &raw[..at]).trim_end();
    start..start + raw.len()
}

fn look(value: &str) -> EnvValue {
    let value = value.trim();
    if value.is_empty() {
        EnvValue::Empty
    } else if value.starts_with("${") || value.starts_with("$(") || (value.starts_with('$') && value.len() > 1) {
        EnvValue::Reference
    } else if let Some(truth) = truth(value) {
        EnvValue::Switch(truth)
    } else if is_placeholder(value) {
        EnvValue::Placeholder
    } else if is_random(value) {
        EnvValue::Random
    } else {
        EnvValue::Plain
    }
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
    }
}

fn is_placeholder(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "your-",
        "your_",
        "yourkey",
        "changeme",
        "change-me",
        "change_me",
        "replace",
        "placeholder",
        "example",
        "xxxx",
        "insert-",
        "insert_",
        "todo",
        "dummy",
        "my-secret",
        "my_secret",
        "...",
        "-here",
        "_here",
        "paste",
    ];
    let lower = value.to_ascii_lowercase();
    // What follows the last separator, as in `sk_test_xxx`.
    let tail = lower.rsplit(['_', '-']).next().unwrap_or(&lower);
    let mut letters = tail.bytes();
    let first = letters.next();
    let all_one = tail.len() >= 3 && letters.all(|letter| Some(letter) == first);
    all_one || (value.starts_with('<') && value.ends_with('>')) || WORDS.iter().any(|word| lower.contains(word))
}

fn is_random(value: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=');
    value.len() >= 16 && value.chars().all(word) && value.bytes().any(|b| b.is_ascii_digit()) && entropy(value) > 3.2
}

/// Bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    value.bytes().for_each(|byte| counts[byte as usize] += 1);
    let length = value.len() as f64;
    let share = |&count: &u32| f64::from(count) / length;
    -counts.iter().filter(|&&count| count > 0).map(share).map(|share| share * share.log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_form() {
        let text = "# comment\nA=1\nexport B = \"two words\" # why\nC='x#y'\nD=plain # note\nE=\n#F=off\nG=\"one\ntwo=2\n\"\nH=end\nnot a line\n\n=x\nI=";
        let file = EnvFile::read(text, vec![]);
        let seen: Vec<(&str, &str, u32)> = file
            .entries
            .iter()
            .map(|entry| {
                let value = &text[entry.value_span.start as usize..entry.value_span.end as usize];
                assert_eq!(&text[entry.span.start as usize..entry.span.end as usize], entry.name.as_str());
                (entry.name.as_str(), value, entry.line)
            })
            .collect();
        let expected = [
            ("A", "1", 2),
            ("B", "two words", 3),
            ("C", "x#y", 4),
            ("D", "plain", 5),
            ("E", "", 6),
            ("G", "one\ntwo=2\n", 8),
            ("H", "end", 11),
            ("I", "", 15),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_open_quote_ends_with_its_line() {
        let file = EnvFile::read("A=\"open\nB=2\r\n", vec![]);
        assert_eq!(file.entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(file.get("B").unwrap().value_span, span(10, 11));
    }

    #[test]
    fn values_are_told_apart_by_their_looks() {
        for (value, expected) in [
            ("", EnvValue::Empty),
            ("your-key-here", EnvValue::Placeholder),
            ("sk_test_xxxxxxxx", EnvValue::Placeholder),
            ("<secret>", EnvValue::Placeholder),
            ("${OTHER}", EnvValue::Reference),
            ("https://api.shop.test/v1", EnvValue::Plain),
            ("true", EnvValue::Switch(true)),
            ("k9Qm2Lx8Zp4Rt7Vb1Ns5", EnvValue::Random),
        ] {
            assert_eq!(look(value), expected, "{value}");
        }
    }
}
