//! The languages: which file is read as what, their grammars, and the tables that `queries/` describes.

use std::sync::OnceLock;

use tree_sitter::Language as Grammar;

use crate::facts::Language;

pub mod syntax;

pub use syntax::{Role, Shape, Syntax};

/// The language of a file by its extension; none for files that hold no code of ours.
/// Files that carry scripts (`.html`, `.vue`, `.svelte`, `.astro`) are split by [`crate::extract::embedded`].
pub fn language_of(path: &str) -> Option<Language> {
    let extension = path.rsplit('/').next()?.rsplit_once('.')?.1;
    Some(match extension.to_ascii_lowercase().as_str() {
        "js" | "jsx" | "mjs" | "cjs" => Language::JavaScript,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "tsx" => Language::Tsx,
        "py" => Language::Python,
        _ => return None,
    })
}

/// The grammar of a language.
pub fn grammar(language: Language) -> Grammar {
    match language {
        Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Language::Python => tree_sitter_python::LANGUAGE.into(),
    }
}

/// What `queries/` says of a language's syntax, compiled once.
pub fn syntax(language: Language) -> &'static Syntax {
    static TABLES: [OnceLock<Syntax>; 4] = [const { OnceLock::new() }; 4];
    let (table, texts): (_, &[&str]) = match language {
        Language::JavaScript => (&TABLES[0], &[include_str!("../queries/javascript/shapes.scm")]),
        Language::TypeScript => (
            &TABLES[1],
            &[include_str!("../queries/javascript/shapes.scm"), include_str!("../queries/typescript/shapes.scm")],
        ),
        Language::Tsx => (
            &TABLES[2],
            &[include_str!("../queries/javascript/shapes.scm"), include_str!("../queries/typescript/shapes.scm")],
        ),
        Language::Python => (&TABLES[3], &[include_str!("../queries/python/shapes.scm")]),
    };
    table.get_or_init(|| Syntax::compile(&grammar(language), texts))
}
