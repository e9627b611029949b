//! GitLab's code quality report: what a merge request shows beside its lines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Told;
use super::json::print;
use crate::finding::Severity;
use crate::masking::mask;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = told.settled.findings.iter().map(|settled| {
        let finding = &settled.finding;
        let region = told.texts.region(finding.place);
        json!({
            "description": mask(&finding.message),
            "check_name": finding.rule,
            "fingerprint": settled.fingerprint,
            "severity": match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Note => "info",
            },
            "location": {
                "path": told.path(finding.place),
                "lines": { "begin": region.start.line, "end": region.end.line },
            },
        })
    });
    print(&findings.collect::<Vec<Value>>().into(), out)
}
