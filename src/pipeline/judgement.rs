//! What an analysis came to, in the form it is kept in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Analysed, Clock, Options, Read, Walked, analyse};
use crate::config;
use crate::facts::Facts;
use crate::finding::{Confidence, FileId, Finding, Place, Remark, Severity};
use crate::names::Name;
use crate::program::Program;
use crate::program::hints::Idle;
use crate::rules::RULES;
use crate::settle::FailedRule;
use crate::walk::{Gap, Repository};

/// What an analysis came to, before anything that depends on who wants to know.
#[derive(Serialize, Deserialize)]
pub(super) struct Judgement {
    /// The rules that ran.
    ran: Vec<Name>,
    pub(super) findings: Vec<Found>,
    /// What was read and not understood.
    pub(super) gaps: Vec<Gap>,
    /// The files that hold suppression comments.
    pub(super) marked: Vec<FileId>,
    /// What reports may ask of files.
    pub(super) facts: Vec<(FileId, Facts)>,
    pub(super) configured: Vec<Name>,
    /// What the configuration says in vain.
    pub(super) idle: Vec<Idle>,
    /// The lines on which vendors are used, or deliver: a change that touches none of them brings none.
    uses: BTreeSet<(FileId, u32)>,
}

/// A finding as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) rule: Name,
    severity: Severity,
    confidence: Confidence,
    auditor_only: bool,
    place: Place,
    message: String,
    related: Vec<Remark>,
    trace: Vec<Remark>,
    help: String,
    vendors: Vec<Name>,
    subject: String,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let Finding { rule, severity, confidence, auditor_only, place, .. } = finding;
        let Finding { message, related, trace, help, vendors, subject, .. } = finding;
        let rule = Name::new(rule);
        Self { rule, severity, confidence, auditor_only, place, message, related, trace, help, vendors, subject }
    }
}

impl Found {
    /// The finding; none when there is no such rule.
    pub(super) fn into_finding(self) -> Option<Finding> {
        let rule = RULES.iter().find(|rule| rule.id == self.rule.as_str())?.id;
        let Self { severity, confidence, auditor_only, place, message, .. } = self;
        let Self { related, trace, help, vendors, subject, .. } = self;
        Some(Finding {
            rule,
            severity,
            confidence,
            auditor_only,
            place,
            message,
            related,
            trace,
            help,
            vendors,
            subject,
        })
    }

    fn files(&self) -> impl Iterator<Item = FileId> {
        let beside = self.related.iter().chain(&self.trace).map(|remark| remark.place.file);
        std::iter::once(self.place.file).chain(beside)
    }
}

impl Judgement {
    /// Analyses what was read.
    pub(super) fn make(
        walked: &mut Walked,
        read: Vec<Option<Read>>,
        options: &Options,
        clock: &mut Clock,
    ) -> (Self, Vec<FailedRule>, Program) {
        let Analysed { program, findings, failed, marked, gaps } = analyse(walked, read, options, clock);
        let findings: Vec<Found> = findings.into_iter().map(Found::from).collect();
        let told: BTreeSet<FileId> = findings.iter().flat_map(Found::files).chain(marked.iter().copied()).collect();
        let excerpt = |file: FileId| {
            let facts = program.file(file).facts.as_ref()?;
            Some((file, facts.told(marked.binary_search(&file).is_ok())))
        };
        let uses = program.vendor_uses().iter().map(|used| program.call_place(used.at));
        let judgement = Self {
            ran: options.rules.iter().map(|rule| Name::new(rule.id)).collect(),
            facts: told.into_iter().filter_map(excerpt).collect(),
            configured: config::holding(&walked.repository),
            idle: program.idle_hints(),
            uses: uses.chain(program.delivery_places()).map(|place| (place.file, program.line(place))).collect(),
            findings,
            gaps,
            marked,
        };
        (judgement, failed, program)
    }

    /// Whether the change that is looked at decides nothing: there is none, or it touches no use of a vendor.
    pub(super) fn is_beside(&self, repository: &Repository, options: &Options) -> bool {
        let Some(change) = &options.settle.change else { return true };
        !self.uses.iter().any(|&(file, line)| {
            let path = repository.files[file.index()].path;
            change.touched.files.get(path.as_str()).is_some_and(|touched| touched.touches(line, line))
        })
    }

    /// Whether it answers what is asked, and speaks of files that are there.
    pub(super) fn answers(&self, repository: &Repository, options: &Options) -> bool {
        let ran: BTreeSet<Name> = self.ran.iter().copied().collect();
        let there = |file: FileId| file.index() < repository.files.len();
        options.rules.iter().all(|rule| ran.contains(&Name::new(rule.id)))
            && self.findings.iter().flat_map(Found::files).all(there)
            && self.facts.iter().map(|(file, _)| *file).all(there)
            && self.marked.iter().copied().all(there)
            && self.uses.iter().map(|(file, _)| *file).all(there)
    }
}
