//! What a user can get wrong, each with what to do about it. All of it ends with exit code 2.

use miette::Diagnostic;
use thiserror::Error;

/// The tool could not do its work.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// A path that was named does not exist.
    #[error("there is no file or folder `{path}`")]
    MissingPath {
        /// As it was typed.
        path: String,
        /// What may have been meant.
        #[help]
        help: String,
    },

    /// A path that was named cannot be read.
    #[error("`{path}` cannot be read: {why}")]
    #[diagnostic(help("check its permissions, or leave it out"))]
    Unreadable {
        /// As it was typed.
        path: String,
        /// What the system said.
        why: String,
    },

    /// A rule that does not exist was named.
    #[error("there is no rule `{id}`")]
    UnknownRule {
        /// As it was typed.
        id: String,
        /// The nearest rule.
        #[help]
        help: String,
    },

    /// A vendor that the catalogue does not have was named.
    #[error("no vendor is known as `{name}`")]
    UnknownVendor {
        /// As it was typed.
        name: String,
        /// The nearest vendor, and how to add one.
        #[help]
        help: String,
    },

    /// The report cannot be written where it should go.
    #[error("the report cannot be written to `{path}`: {why}")]
    #[diagnostic(help("give `-o` a file in a folder that exists and can be written to"))]
    Output {
        /// As it was typed.
        path: String,
        /// What the system said.
        why: String,
    },

    /// Vendor files of the repository's own are broken.
    #[error("{} in .seamcheck/vendors cannot be used", count(.reports.len(), "vendor file"))]
    #[diagnostic(help("mend what is marked, or move the file out of .seamcheck/vendors"))]
    Vendors {
        /// What is wrong with each.
        reports: Vec<miette::Report>,
    },

    /// The configuration is broken.
    #[error("the configuration {path} cannot be used: {}", count(.reports.len(), "mistake"))]
    #[diagnostic(help(
        "docs/configuration.md describes every key; `seamcheck schema` is for editors; `--isolated` does without"
    ))]
    BrokenConfig {
        /// The file.
        path: String,
        /// What is wrong in it.
        reports: Vec<miette::Report>,
    },

    /// A setting that makes no sense.
    #[error("{what}")]
    Config {
        /// What is wrong.
        what: String,
        /// What to write instead.
        #[help]
        help: String,
    },

    /// `facts` was asked of a file that holds no code.
    #[error("`{path}` holds no code that is understood")]
    #[diagnostic(help(
        "facts are read from JavaScript, TypeScript and Python, and from scripts in HTML, Vue, Svelte and Astro"
    ))]
    NotCode {
        /// As it was typed.
        path: String,
    },
}

impl Error {
    /// An unknown rule, with the nearest of the known ones as advice.
    pub fn unknown_rule<'k>(id: &str, known: impl Iterator<Item = &'k str>) -> Self {
        let help = match nearest(id, known) {
            Some(near) => format!("did you mean `{near}`? `seamcheck rules` lists them all"),
            None => "`seamcheck rules` lists them all".to_owned(),
        };
        Self::UnknownRule { id: id.to_owned(), help }
    }

    /// An unknown vendor, with the nearest of the known ones as advice.
    pub fn unknown_vendor<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Self {
        let add = "a file in .seamcheck/vendors adds one";
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`? `seamcheck vendors` lists them all, {add}"),
            None => format!("`seamcheck vendors` lists them all, {add}"),
        };
        Self::UnknownVendor { name: name.to_owned(), help }
    }

    /// A missing path, with the subcommand that may have been meant.
    pub fn missing_path<'k>(path: &str, commands: impl Iterator<Item = &'k str>) -> Self {
        let help = match nearest(path, commands) {
            Some(near) => format!("check the spelling; did you mean the command `seamcheck {near}`?"),
            None => "check the spelling, and that the path is seen from the current folder".to_owned(),
        };
        Self::MissingPath { path: path.to_owned(), help }
    }
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The one of `known` that `typed` most likely meant; none when nothing is near.
pub fn nearest<'k>(typed: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let typed = typed.to_lowercase().replace('_', "-");
    let score = |candidate: &str| {
        let part = typed.len() >= 4 && candidate.contains(typed.as_str());
        // A word of the id is a good guess, a likely slip of the fingers a better one.
        strsim::jaro_winkler(&typed, candidate).max(if part { 0.85 } else { 0.0 })
    };
    known
        .map(|candidate| (candidate, score(candidate)))
        .filter(|&(_, score)| score > 0.8)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_what_was_meant() {
        let rules = ["secret-in-client", "missing-timeout", "webhook-unverified"];
        let near = |typed| nearest(typed, rules.into_iter());
        assert_eq!(near("mising-timeout"), Some("missing-timeout"));
        assert_eq!(near("missing_timeout"), Some("missing-timeout"));
        assert_eq!(near("timeout"), Some("missing-timeout"));
        assert_eq!(near("xyz"), None);
    }
}
