//! The only reader of files: a repository and what of it could not be read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::names::Name;

/// A walked repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// Its folder.
    pub root: PathBuf,
    /// Files that could not be read.
    pub gaps: Vec<Gap>,
    /// How many files were left out on purpose, by reason.
    pub left_out: BTreeMap<Reason, usize>,
}

/// A file that could not be read.
#[derive(Debug, Clone)]
pub struct Gap {
    /// Which.
    pub path: Name,
    /// Why.
    pub reason: String,
}

/// Why a file is left out.
pub type Reason = &'static str;

impl Repository {
    /// The text of a file.
    pub fn read(&self, path: &str) -> std::io::Result<String> {
        std::fs::read_to_string(self.root.join(path))
    }
}
