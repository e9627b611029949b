//! The figures under a report, the same for every format.

use std::collections::BTreeMap;

use super::Told;
use crate::settle::Counts;

/// A file that was not, or not wholly, understood.
pub struct GapLine {
    pub path: &'static str,
    pub reason: String,
}

impl Told<'_> {
    /// Every gap, by path: what the walk could not read and what the extractor did not follow.
    pub fn gaps(&self) -> Vec<GapLine> {
        let walked = self.repository.gaps.iter();
        let mut gaps: Vec<GapLine> =
            walked.map(|gap| GapLine { path: gap.path.as_str(), reason: gap.reason.to_string() }).collect();
        for file in &self.program.files {
            let too_deep = file.facts.as_ref().is_some_and(|facts| facts.too_deep);
            if too_deep && !gaps.iter().any(|gap| gap.path == file.path.as_str()) {
                gaps.push(GapLine {
                    path: file.path.as_str(),
                    reason: "nested too deeply to be followed to the end".into(),
                });
            }
        }
        gaps.sort_by(|a, b| (a.path, &a.reason).cmp(&(b.path, &b.reason)));
        gaps
    }

    /// What was left out on purpose, by reason.
    pub fn left_out(&self) -> Vec<(String, usize)> {
        self.repository.left_out.iter().map(|(reason, &count)| (reason.to_string(), count)).collect()
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

    /// Files that were read.
    pub fn files(&self) -> usize {
        self.program.files.len()
    }
}
