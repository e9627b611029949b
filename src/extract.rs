//! Source text to [`Facts`]: one parse, one cursor pass, tree dropped. Cannot fail; what it cannot read is counted.
//!
//! Only this module and [`crate::lang`] know tree-sitter.

use crate::facts::{Facts, Language};

pub mod build;
pub mod python;

/// Extracts the facts of one file's text.
pub fn extract(language: Language, text: &str) -> Facts {
    build::Builder::new(language, text).finish()
}
