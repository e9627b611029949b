//! Source text to [`Facts`]: one parse, one cursor pass, tree dropped. Cannot fail; what it cannot read is counted.
//!
//! Only this module and [`crate::lang`] know tree-sitter.

use crate::facts::Facts;
use crate::lang;

pub mod build;

/// Extracts the facts of one file's text; none when it is no code.
pub fn extract(path: &str, text: &str) -> Option<Facts> {
    Some(build::Builder::new(lang::language_of(path)?, text).finish())
}

/// Parses and drops the tree: what the benchmark compares with.
pub fn parse_only(path: &str, text: &str) {
    let Some(language) = lang::language_of(path) else { return };
    let mut parser = tree_sitter::Parser::new();
    if parser.set_language(&lang::grammar(language)).is_ok() {
        std::hint::black_box(parser.parse(text, None));
    }
}
