//! What is wrong in a configuration file, shown in the file.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// Something wrong at a place of a configuration.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct Fault {
    message: String,
    #[source_code]
    file: NamedSource<String>,
    #[label("{label}")]
    span: SourceSpan,
    label: String,
    #[help]
    help: String,
}

/// What is wrong, before it is known in which file.
#[derive(Debug)]
pub struct Problem {
    /// Where.
    pub span: Range<usize>,
    /// What.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Problem {
    /// In a file.
    pub fn in_file(self, path: &str, text: &str) -> Fault {
        let language = if path.ends_with(".json") { "JSON" } else { "TOML" };
        // A whole table is no place to look at: its first line is.
        let inside = text.get(self.span.clone()).unwrap_or_default();
        let end = self.span.start + inside.find('\n').unwrap_or(inside.len());
        Fault {
            message: self.message,
            file: NamedSource::new(path, text.to_owned()).with_language(language),
            span: (self.span.start..end).into(),
            label: "here".to_owned(),
            help: self.help,
        }
    }
}
