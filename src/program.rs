//! The linked program: the questions a rule may ask.

use crate::facts::Facts;
use crate::finding::{FileId, Place};
use crate::names::Name;

/// A file of the program.
#[derive(Debug)]
pub struct File {
    /// Path from the repository's root, with forward slashes.
    pub path: Name,
    /// What it says; none when it is no code.
    pub facts: Option<Facts>,
}

/// The linked program.
pub struct Program {
    /// Every walked file, sorted by path.
    pub files: Vec<File>,
}

impl Program {
    /// A file.
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.index()]
    }

    /// One-based line of a place.
    pub fn line(&self, place: Place) -> u32 {
        self.file(place.file).facts.as_ref().map_or(1, |facts| facts.line_column(place.span.start).0)
    }
}
