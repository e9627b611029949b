//! Access rules of a backend service: who may read and write which documents and files, as far as constants say it.
//!
//! Two forms: the language of `match` blocks and `allow` statements, and the JSON of a tree database. A file that
//! cannot be read is a gap.

use crate::facts::Span;

mod language;
mod tree;

/// The rules of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRules {
    /// Whose: `cloud.firestore`, `firebase.storage`, `database`.
    pub service: String,
    /// Every statement that allows something, in order.
    pub allows: Vec<Allow>,
}

/// A statement that allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Where it stands.
    pub span: Span,
    /// What it is about: `/databases/{database}/documents/orders/{id}`.
    pub path: String,
    /// What it allows, in the finest words: `get`, `list`, `create`, `update`, `delete`.
    pub methods: Vec<&'static str>,
    /// When.
    pub holds: Holds,
}

/// When a condition holds, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Always.
    Always,
    /// Until a day, `YYYY-MM-DD`.
    Until(String),
    /// Never.
    Never,
    /// It asks for something: who is calling, what is written.
    Asks,
}

impl AccessRules {
    /// Reads the language of `match` and `allow`.
    pub fn language(text: &str) -> Result<Self, String> {
        language::read(text)
    }

    /// Reads the JSON form.
    pub fn tree(text: &str) -> Result<Self, String> {
        tree::read(text)
    }
}

impl Allow {
    /// Whether it is about everything there is: `/{document=**}`, the root of a tree.
    pub fn is_about_all(&self) -> bool {
        let within = ["/documents", "/o"].iter().find_map(|root| {
            let (head, rest) = self.path.split_once(&format!("{root}/"))?;
            head.ends_with('}').then_some(rest)
        });
        self.path.is_empty() || within.is_some_and(|rest| rest.starts_with('{') && rest.ends_with("=**}"))
    }

    /// The collection it is about: the last part of its path that is no variable.
    pub fn about(&self) -> Option<&str> {
        self.path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with(['{', '$']))
    }
}

/// Whether a file's name says that its rules are for tests.
pub fn is_for_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split(['.', '-', '_']).any(|word| matches!(word, "test" | "tests" | "testing" | "emulator" | "emulators"))
}

/// What is allowed when any of several conditions is enough.
fn any_of(parts: impl IntoIterator<Item = Holds>) -> Holds {
    parts.into_iter().fold(Holds::Never, |known, part| match (known, part) {
        (Holds::Always, _) | (_, Holds::Always) => Holds::Always,
        (Holds::Until(one), Holds::Until(other)) => Holds::Until(one.max(other)),
        (Holds::Until(day), _) | (_, Holds::Until(day)) => Holds::Until(day),
        (Holds::Never, other) | (other, Holds::Never) => other,
        (Holds::Asks, Holds::Asks) => Holds::Asks,
    })
}

/// What is allowed when all of several conditions are needed.
fn all_of(parts: impl IntoIterator<Item = Holds>) -> Holds {
    parts.into_iter().fold(Holds::Always, |known, part| match (known, part) {
        (Holds::Never, _) | (_, Holds::Never) => Holds::Never,
        (Holds::Asks, _) | (_, Holds::Asks) => Holds::Asks,
        (Holds::Until(one), Holds::Until(other)) => Holds::Until(one.min(other)),
        (Holds::Until(day), _) | (_, Holds::Until(day)) => Holds::Until(day),
        (Holds::Always, Holds::Always) => Holds::Always,
    })
}

/// A time in milliseconds since 1970 as a day.
fn day_of_millis(millis: f64) -> Option<String> {
    (millis.is_finite() && (0.0..1e15).contains(&millis)).then(|| crate::day::civil((millis / 86_400_000.0) as u64))
}

/// Where the next thing begins: white space and comments are passed over. A comment that nobody closes goes on to the
/// end.
fn after_space(text: &str, mut at: usize) -> usize {
    loop {
        let trimmed = text[at..].trim_start();
        at = text.len() - trimmed.len();
        at += if trimmed.starts_with("//") {
            trimmed.find('\n').unwrap_or(trimmed.len())
        } else if trimmed.starts_with("/*") {
            trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
        } else {
            return at;
        };
    }
}
