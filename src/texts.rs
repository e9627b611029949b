//! Source text for those that quote it: read late, once, and only where something was found.
//!
//! A file may have changed since it was extracted, or be gone: every offset is clamped to what is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::facts::{Facts, Span};
use crate::finding::{FileId, Place};
use crate::program::File;
use crate::walk::Repository;

/// The text of one file and where its lines start.
#[derive(Debug)]
pub struct Text {
    text: String,
    lines: Vec<usize>,
}

/// A position: one-based line, one-based column in characters and in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column in characters (Unicode scalar values).
    pub column: u32,
    /// The column in UTF-16 units, as SARIF counts.
    pub utf16: u32,
}

/// A span as positions; the end is one past the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first character.
    pub start: Position,
    /// One past the last.
    pub end: Position,
}

impl Text {
    /// Splits a text into lines.
    pub fn new(text: String) -> Self {
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1));
        Self { text, lines }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many lines there are; at least one.
    pub fn line_count(&self) -> u32 {
        self.lines.len() as u32
    }

    /// A one-based line without its line break; empty when there is no such line.
    pub fn line(&self, line: u32) -> &str {
        let Some(start) = self.line_start(line) else { return "" };
        let end = self.line_start(line + 1).unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The byte offset at which a one-based line starts.
    pub fn line_start(&self, line: u32) -> Option<usize> {
        self.lines.get((line as usize).checked_sub(1)?).copied()
    }

    /// The one-based line of a byte offset, however far out.
    pub fn line_of(&self, offset: u32) -> u32 {
        let offset = self.clamp(offset);
        self.lines.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// A byte offset that exists and lies between two characters.
    pub fn clamp(&self, offset: u32) -> usize {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// The position of a byte offset. A column never runs into the line break.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let start = self.line_start(line).unwrap_or(0);
        let text = self.line(line);
        let before = &text[..(self.clamp(offset) - start).min(text.len())];
        Position { line, column: before.chars().count() as u32 + 1, utf16: before.encode_utf16().count() as u32 + 1 }
    }

    /// The one-based column of a byte offset, in bytes.
    pub fn byte_column(&self, offset: u32) -> usize {
        let line = self.line_of(offset);
        let start = self.line_start(line).unwrap_or(0);
        (self.clamp(offset) - start).min(self.line(line).len()) + 1
    }

    /// Both ends of a span.
    pub fn region(&self, span: Span) -> Region {
        let start = self.position(span.start);
        Region { start, end: if span.end > span.start { self.position(span.end) } else { start } }
    }
}

/// What was read; none for what could not be.
type Read = FxHashMap<FileId, Option<Arc<Text>>>;

/// The texts of a repository, each read when first asked for.
pub struct Texts<'a> {
    files: &'a [File],
    repository: &'a Repository,
    read: Mutex<Read>,
}

impl<'a> Texts<'a> {
    /// Nothing read yet.
    pub fn new(files: &'a [File], repository: &'a Repository) -> Self {
        Self { files, repository, read: Mutex::default() }
    }

    /// What is known of a file.
    pub fn facts(&self, file: FileId) -> Option<&'a Facts> {
        self.files[file.index()].facts.as_ref()
    }

    /// The text of a file; none when it can no longer be read.
    pub fn of(&self, file: FileId) -> Option<Arc<Text>> {
        if let Some(known) = self.known().get(&file) {
            return known.clone();
        }
        let text = self.repository.read(self.path(file)).ok().map(|text| Arc::new(Text::new(text)));
        // Whoever read it meanwhile holds the same text; the first one stays.
        self.known().entry(file).or_insert(text).clone()
    }

    /// The text of a file if it holds `marker`; a text without is not kept.
    pub fn holding(&self, file: FileId, marker: &str) -> Option<Arc<Text>> {
        if let Some(known) = self.known().get(&file) {
            return known.clone();
        }
        let text = self.repository.read(self.path(file)).ok().filter(|text| text.contains(marker))?;
        let text = Arc::new(Text::new(text));
        self.known().insert(file, Some(text.clone()));
        Some(text)
    }

    fn known(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file is there, walked or not.
    pub fn exists(&self, path: &str) -> bool {
        self.repository.exists(path) || self.repository.root.join(path).exists()
    }

    /// The path of a file.
    pub fn path(&self, file: FileId) -> &'static str {
        self.files[file.index()].path.as_str()
    }

    /// Where a place is. Without a text the line table of the facts answers, its columns being bytes.
    pub fn region(&self, place: Place) -> Region {
        if let Some(text) = self.of(place.file) {
            return text.region(place.span);
        }
        let facts = self.facts(place.file);
        let position = |offset: u32| {
            let (line, column) = facts.map_or((1, 1), |facts| facts.line_column(offset));
            Position { line, column, utf16: column }
        };
        Region { start: position(place.span.start), end: position(place.span.end.max(place.span.start)) }
    }

    /// `path:line`.
    pub fn link(&self, place: Place) -> String {
        format!("{}:{}", self.path(place.file), self.region(place).start.line)
    }
}
