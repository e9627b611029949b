//! The figures under a report, the same for every format.

use std::collections::BTreeMap;

use super::Told;
use crate::settle::Counts;
use crate::walk::FileKind;

/// A file that was not, or not wholly, understood.
pub struct GapLine {
    pub path: &'static str,
    pub reason: String,
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

    /// How many files were read.
    pub fn files(&self) -> usize {
        self.repository.files.iter().filter(|file| !matches!(file.kind, FileKind::Other | FileKind::Prose)).count()
    }
}
