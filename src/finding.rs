//! What a rule found: message, places, trace, cure; and the order in which findings are told.

use serde::{Deserialize, Serialize};

use crate::facts::Span;
use crate::names::Name;

/// A file of the program: index into [`crate::program::Program::files`], which is sorted by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(pub u32);

impl FileId {
    /// The position in the program's table of files.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A place in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub span: Span,
}

impl Place {
    /// The first word of it: `catch` of a handler.
    pub fn head(self) -> Self {
        let end = self.span.end.min(self.span.start + 6);
        Self { file: self.file, span: Span { start: self.span.start, end } }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// An outage or duplicate waiting to happen.
    Warning,
    /// Money, data or access is at risk.
    Error,
}

/// From which severity on the exit code is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Any finding
    Note,
    /// Warnings and errors
    Warning,
    /// Errors only
    Error,
    /// Never: the exit code is 0 whatever is found
    Never,
}

impl FailOn {
    /// Whether a finding of this severity fails the scan.
    pub fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Error => severity >= Severity::Error,
            Self::Never => false,
        }
    }
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint, for auditors.
    Low,
    /// Likely.
    Medium,
    /// As good as seen.
    High,
}

/// For whom a report is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum, Default)]
#[serde(rename_all = "lowercase")]
pub enum Persona {
    /// What a pull request should see: high and medium confidence, no project notes.
    #[default]
    Regular,
    /// Everything.
    Auditor,
}

/// A place with a word on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What is there, lower case, no full stop.
    pub text: String,
}

/// What a rule found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Shown to auditors only, whatever its confidence.
    pub auditor_only: bool,
    /// Where.
    pub place: Place,
    /// What will happen and why: lower case, names the vendor and the call.
    pub message: String,
    /// Other places that matter, in the order to read them.
    pub related: Vec<Remark>,
    /// The way from the entry point to the place, in the order it runs; empty when it stays in one function.
    pub trace: Vec<Remark>,
    /// How to mend it: one imperative sentence, then code if code helps.
    pub help: String,
    /// The vendors concerned, by catalogue id, for the summary.
    pub vendors: Vec<Name>,
    /// What identifies it besides rule, path and surroundings: the call or variable ("stripe.charges.create").
    /// Two findings of a rule in one function with the same subject are told apart by their order.
    pub subject: String,
}

impl Finding {
    /// The order findings are told in: by place, then rule, then message.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.place, self.rule, &self.message).cmp(&(other.place, other.rule, &other.message))
    }

    /// Whether a persona is shown it.
    pub fn is_for(&self, persona: Persona) -> bool {
        match persona {
            Persona::Auditor => true,
            Persona::Regular => !self.auditor_only && self.confidence >= Confidence::Medium,
        }
    }
}
