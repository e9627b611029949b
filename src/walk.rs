//! The only reader of files: a repository and what of it could not be read. (Stub: the walk's own module replaces it.)

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::facts::Language;
use crate::names::Name;

/// A walked repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// The folder that all paths are relative to.
    pub root: PathBuf,
    /// The files that were walked, in byte order of their paths.
    pub files: Vec<SourceFile>,
    /// How many files and folders were left out, by reason.
    pub left_out: BTreeMap<Reason, usize>,
    /// What should have been read and was not, by path.
    pub gaps: Vec<Gap>,
}

/// A walked file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the root, with forward slashes.
    pub path: Name,
    /// What it is read as.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// Git tracks it; always true where there is no git repository to ask.
    pub tracked: bool,
    /// It was given by name.
    pub named: bool,
    /// It says that a tool wrote it (known once it has been read).
    pub generated: bool,
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Code.
    Code(Language),
    /// Anything else; not read.
    Other,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A lockfile.
    Lockfile,
    /// Minified code.
    Minified,
}

/// Something that should have been read and was not, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// Relative to the root.
    pub path: Name,
    /// Why.
    pub reason: GapReason,
}

/// Why something was not read, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// Not text in UTF-8.
    NotUtf8,
    /// The system refuses; what it says.
    Unreadable(String),
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}

impl Repository {
    /// The text of a walked file, as every span counts it.
    pub fn read(&self, path: &str) -> Result<String, GapReason> {
        std::fs::read_to_string(self.root.join(path)).map_err(|why| GapReason::Unreadable(why.to_string()))
    }
}
