//! GitLab's code quality report: what a merge request shows beside its lines.

use std::hash::BuildHasher;
use std::io::{self, Write};

use rustc_hash::FxBuildHasher;
use serde_json::{Value, json};

use super::Told;
use super::json::print;
use super::summary::Notice;
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
    let notices = told.notices().into_iter().map(|Notice { path, place, code, words }| {
        let line = place.map_or(1, |place| told.texts.region(place).start.line);
        let name = format!("{code} {path} {words}");
        json!({
            "description": mask(&words),
            "check_name": code,
            "fingerprint": format!("{:016x}", FxBuildHasher.hash_one((name, line))),
            "severity": "info",
            "location": { "path": path, "lines": { "begin": line, "end": line } },
        })
    });
    print(&findings.chain(notices).collect::<Vec<Value>>().into(), out)
}
