//! Stub: the report helper's module replaces it.

use crate::finding::{Finding, Persona, Severity};
use crate::program::Program;
use crate::walk::Repository;

/// Which findings count.
#[derive(Debug, Clone)]
pub struct Choices {
    /// For whom.
    pub persona: Persona,
    /// The least severity reported.
    pub min_severity: Severity,
    /// Whether suppression comments count.
    pub honour_suppressions: bool,
}

/// What is reported.
pub struct Settled {
    /// In order.
    pub findings: Vec<Finding>,
}

/// Settles what is reported.
pub fn settle(_: &Program, _: &Repository, findings: Vec<Finding>, choices: &Choices) -> Settled {
    let counts = |finding: &Finding| finding.is_for(choices.persona) && finding.severity >= choices.min_severity;
    Settled { findings: findings.into_iter().filter(counts).collect() }
}
