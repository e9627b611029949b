//! The figures under a report, the same for every format.

use std::collections::BTreeMap;

use super::Told;
use super::paint::count;
use crate::finding::Place;
use crate::settle::{Counts, IgnoreProblem, SettledFinding};
use crate::walk::FileKind;

/// A file that was not, or not wholly, understood.
pub struct GapLine {
    pub path: &'static str,
    pub reason: String,
}

/// Something to be known of a file that is no finding, for formats that hold nothing but places.
pub struct Notice {
    /// The path from the top of the repository.
    pub path: String,
    pub place: Option<Place>,
    /// What stands in the place of a rule's id.
    pub code: &'static str,
    pub words: String,
}

impl Told<'_> {
    /// What should have been read and was not, or not whole, by path.
    pub fn gaps(&self) -> Vec<GapLine> {
        let gaps = self.repository.gaps.iter();
        let mut gaps: Vec<GapLine> =
            gaps.map(|gap| GapLine { path: gap.path.as_str(), reason: gap.reason.to_string() }).collect();
        gaps.sort_by(|a, b| (a.path, &a.reason).cmp(&(b.path, &b.reason)));
        gaps
    }

    /// Suppressions that do not do what was wanted, and files in which findings may be missing.
    pub fn notices(&self) -> Vec<Notice> {
        let problems = self.settled.ignore_problems.iter().map(|it| Notice {
            path: self.path(it.place),
            place: Some(it.place),
            code: "suppression",
            words: it.problem.to_string(),
        });
        let gaps = self.repository.gaps.iter().filter(|gap| gap.reason.hides()).map(|gap| Notice {
            path: format!("{}{}", self.asked.prefix, gap.path),
            place: None,
            code: "not-checked",
            words: format!("not checked in full: {}", gap.reason),
        });
        problems.chain(gaps).collect()
    }

    /// What is told of each vendor: the worst first, then by name.
    pub fn by_vendor(&self) -> Vec<(&'static str, Counts)> {
        let mut vendors: BTreeMap<&'static str, Counts> = BTreeMap::new();
        for settled in &self.settled.findings {
            for vendor in &settled.finding.vendors {
                vendors.entry(vendor.as_str()).or_default().add(settled.finding.severity);
            }
        }
        let mut vendors: Vec<_> = vendors.into_iter().collect();
        vendors.sort_by_key(|(_, counts)| std::cmp::Reverse((counts.error, counts.warning, counts.note)));
        vendors
    }

    /// The findings that are told, worst and surest first, else in their order.
    pub fn by_weight(&self) -> Vec<&SettledFinding> {
        let mut findings: Vec<&SettledFinding> = self.settled.findings.iter().collect();
        findings.sort_by_key(|it| std::cmp::Reverse((it.finding.severity, it.finding.confidence)));
        findings
    }

    /// The path of a place from the top of the repository.
    pub fn path(&self, place: Place) -> String {
        format!("{}{}", self.asked.prefix, self.texts.path(place.file))
    }

    /// What is to be known besides the findings, a line each.
    pub fn remarks(&self) -> Vec<String> {
        let settled = self.settled;
        let mut remarks = vec![];
        for (number, what) in [
            (settled.suppressed.len(), "suppressed"),
            (settled.hidden_by_baseline.total(), "in the baseline"),
            (settled.hidden_by_change.total(), "outside the change"),
        ] {
            if number > 0 {
                remarks.push(format!("{number} more {what}"));
            }
        }
        if settled.mended() > 0 {
            remarks
                .push(format!("{} of the baseline mended: `seamcheck baseline --prune` drops them", settled.mended()));
        }
        let problem = |it: &IgnoreProblem| format!("{}: {}", self.texts.link(it.place), it.problem);
        remarks.extend(settled.ignore_problems.iter().map(problem));
        remarks.extend(settled.reminders.iter().map(|reminder| format!("due: {reminder}")));
        remarks.extend(self.unheeded());
        let gaps = self.gaps();
        if !gaps.is_empty() {
            remarks.push(format!("{} not checked in full", count(gaps.len(), "file")));
        }
        remarks
            .extend(settled.failed.iter().map(|failed| format!("the rule {} failed: {}", failed.rule, failed.message)));
        remarks
    }

    /// Configurations that do not count, in one sentence.
    pub fn unheeded(&self) -> Option<String> {
        let paths: Vec<&str> = self.settled.unheeded.iter().map(String::as_str).collect();
        let (first, rest) = paths.split_first()?;
        let (are, which) = match rest {
            [] => ("is", (*first).to_owned()),
            [other] => ("are", format!("{first} and {other}")),
            more => ("are", format!("{first} and {} more", more.len())),
        };
        Some(format!(
            "{which} {are} not heeded: what is scanned cannot hide findings; the configuration of the root counts, and \
             those in folders that its `workspaces` names"
        ))
    }

    /// How many files were read.
    pub fn files(&self) -> usize {
        let counts = |kind| !matches!(kind, FileKind::Other | FileKind::Prose | FileKind::Lock);
        self.repository.files.iter().filter(|file| counts(file.kind)).count()
    }
}
