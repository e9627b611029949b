//! From what the rules found to what is told: suppressions, persona, severity, fingerprints, order.
//!
//! Every finding gets its fingerprint before anything is left out, so that neither a persona nor a suppression
//! elsewhere changes it.

use std::collections::BTreeSet;

use crate::finding::{FileId, Finding, Persona, Severity};
use crate::program::File;
use crate::rules::RULES;
use crate::texts::Texts;
use crate::walk::{FileKind, Repository};

pub mod fingerprint;
pub mod ignores;

use ignores::Ignore;
pub use ignores::{IgnoreProblem, Problem};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Choices {
    /// For whom.
    pub persona: Persona,
    /// Nothing below this is told.
    pub min_severity: Severity,
    /// Whether suppression comments count.
    pub honour_suppressions: bool,
    /// The day that rules judge by: `YYYY-MM-DD`.
    pub as_of: String,
    /// The ids a suppression may name.
    pub known: Vec<&'static str>,
    /// The rules that ran: suppressions of others are never called unused.
    pub ran: Vec<&'static str>,
    /// The files whose text holds [`ignores::MARKER`], if the walk kept note of it. Without it, files with findings
    /// are searched, for the auditor all files.
    pub marked: Option<Vec<FileId>>,
}

impl Choices {
    /// The defaults for a persona: every rule ran, suppressions count.
    pub fn new(persona: Persona) -> Self {
        let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        Self {
            persona,
            min_severity: Severity::Note,
            honour_suppressions: true,
            as_of: crate::day::today(),
            ran: ids.clone(),
            known: ids,
            marked: None,
        }
    }
}

/// How many of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.error += 1,
            Severity::Warning => self.warning += 1,
            Severity::Note => self.note += 1,
        }
    }

    /// All together.
    pub fn total(self) -> usize {
        self.error + self.warning + self.note
    }
}

/// A finding that is told.
#[derive(Debug, Clone)]
pub struct SettledFinding {
    /// What was found.
    pub finding: Finding,
    /// Its stable name; see [`fingerprint`].
    pub fingerprint: String,
}

/// A finding that a comment suppresses.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Its stable name.
    pub fingerprint: String,
    /// The reason the comment gives.
    pub reason: String,
}

/// A rule that broke down: its findings are missing.
#[derive(Debug, Clone)]
pub struct FailedRule {
    /// The rule's id.
    pub rule: &'static str,
    /// What it said.
    pub message: String,
}

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Findings in the order they are told.
    pub findings: Vec<SettledFinding>,
    /// Those a comment suppresses, among what the choices would show.
    pub suppressed: Vec<Suppressed>,
    /// Suppressions without reason or with an unknown rule; for the auditor also unused ones.
    pub ignore_problems: Vec<IgnoreProblem>,
    /// How many only an auditor is shown.
    pub hidden_by_persona: Counts,
    /// How many are below the chosen severity.
    pub hidden_by_severity: Counts,
    /// What is told, by severity.
    pub counts: Counts,
    /// Rules that broke down; the pipeline adds them.
    pub failed: Vec<FailedRule>,
}

impl Settled {
    /// The worst that is told.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|settled| settled.finding.severity).max()
    }
}

/// Decides what is told. `files` are the program's.
pub fn settle(files: &[File], repository: &Repository, mut findings: Vec<Finding>, choices: &Choices) -> Settled {
    let texts = Texts::new(files, repository);
    // Severity and subject only break ties that would otherwise depend on the order in which rules ran.
    findings
        .sort_by(|a, b| a.order(b).then_with(|| b.severity.cmp(&a.severity)).then_with(|| a.subject.cmp(&b.subject)));
    findings.dedup_by(|b, a| (a.place, a.rule, &a.message) == (b.place, b.rule, &b.message));
    let fingerprints = fingerprint::all(&findings, &texts);
    let mut settled = Settled::default();
    let mut ignores = vec![];
    if choices.honour_suppressions {
        (ignores, settled.ignore_problems) = read_ignores(&texts, repository, &findings, choices);
    }
    for (finding, fingerprint) in findings.into_iter().zip(fingerprints) {
        let reason = suppression(&finding, &texts, &mut ignores);
        if !finding.is_for(choices.persona) {
            if reason.is_none() {
                settled.hidden_by_persona.add(finding.severity);
            }
        } else if finding.severity < choices.min_severity {
            if reason.is_none() {
                settled.hidden_by_severity.add(finding.severity);
            }
        } else if let Some(reason) = reason {
            settled.suppressed.push(Suppressed { finding, fingerprint, reason });
        } else {
            settled.counts.add(finding.severity);
            settled.findings.push(SettledFinding { finding, fingerprint });
        }
    }
    if choices.persona == Persona::Auditor {
        let unused = ignores.into_iter().filter(|ignore| !ignore.used && choices.ran.contains(&ignore.rule.as_str()));
        let unused = unused.map(|ignore| IgnoreProblem { place: ignore.place, problem: Problem::Unused(ignore.rule) });
        settled.ignore_problems.extend(unused);
    }
    settled.ignore_problems.sort_by_key(|problem| problem.place);
    settled
}

fn read_ignores(
    texts: &Texts<'_>,
    repository: &Repository,
    findings: &[Finding],
    choices: &Choices,
) -> (Vec<Ignore>, Vec<IgnoreProblem>) {
    let read = repository.files.iter().enumerate().filter(|(_, file)| file.kind != FileKind::Other);
    let searched: BTreeSet<FileId> = match (&choices.marked, choices.persona) {
        (Some(marked), _) => marked.iter().copied().collect(),
        (None, Persona::Auditor) => read.map(|(at, _)| FileId(at as u32)).collect(),
        (None, Persona::Regular) => findings.iter().map(|finding| finding.place.file).collect(),
    };
    let (mut ignores, mut problems) = (vec![], vec![]);
    for file in searched {
        let Some(text) = texts.holding(file, ignores::MARKER) else { continue };
        let facts = texts.facts(file);
        let (found, wrong) = ignores::scan(file, texts.path(file), &text, facts, &choices.known);
        ignores.extend(found);
        problems.extend(wrong);
    }
    (ignores, problems)
}

/// The reason for which a finding is suppressed.
fn suppression(finding: &Finding, texts: &Texts<'_>, ignores: &mut [Ignore]) -> Option<String> {
    let from = ignores.partition_point(|ignore| ignore.place.file < finding.place.file);
    let to = ignores.partition_point(|ignore| ignore.place.file <= finding.place.file);
    if from == to {
        return None;
    }
    let line = texts.region(finding.place).start.line;
    let matching = ignores[from..to].iter_mut();
    let mut matching = matching.filter(|it| it.rule == finding.rule && (it.covers == line || it.line == line));
    let first = matching.next()?;
    first.used = true;
    Some(first.reason.clone())
}
