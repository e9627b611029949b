//! Colours, wrapping, and texts made fit for a terminal.

use std::fmt::Display;

use crate::finding::Severity;
use crate::masking;

/// Paints when colours are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    fn code(self, code: &str, text: impl Display) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    pub fn bold(self, text: impl Display) -> String {
        self.code("1", text)
    }

    pub fn dim(self, text: impl Display) -> String {
        self.code("2", text)
    }

    pub fn cyan(self, text: impl Display) -> String {
        self.code("36", text)
    }

    pub fn severity(self, severity: Severity, text: impl Display) -> String {
        self.code(
            match severity {
                Severity::Error => "1;31",
                Severity::Warning => "1;33",
                Severity::Note => "1;36",
            },
            text,
        )
    }
}

/// The word for a severity.
pub fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A text without secrets and without what would move a terminal's cursor or hide text in it.
pub fn clean(text: &str) -> String {
    masking::mask(text)
        .chars()
        .map(|char| if is_unprintable(char) && char != '\n' { '\u{fffd}' } else { char })
        .collect()
}

/// Control characters and those that turn the direction of text.
pub fn is_unprintable(char: char) -> bool {
    char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many columns a character takes; wide ones are the East Asian blocks and emoji, marks that combine take none.
pub fn columns(char: char) -> usize {
    match char as u32 {
        0x0300..=0x036f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text.
pub fn text_columns(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Breaks a text into lines of at most `width` columns, the first of which starts `first` columns in. Line breaks of
/// the text stay; lines that begin with a blank are code and are not reflowed.
pub fn wrap(text: &str, first: usize, width: usize) -> Vec<String> {
    let mut lines = vec![];
    for (number, line) in text.lines().enumerate() {
        if line.starts_with([' ', '\t']) {
            lines.push(line.trim_end().to_owned());
            continue;
        }
        let mut room = width.saturating_sub(if number == 0 { first } else { 0 });
        let mut current = String::new();
        for part in line.split_whitespace() {
            if !current.is_empty() && text_columns(&current) + 1 + text_columns(part) > room {
                lines.push(std::mem::take(&mut current));
                room = width;
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(part);
        }
        lines.push(current);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}
