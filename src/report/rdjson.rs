//! The Reviewdog Diagnostic Format (`reviewdog -f=rdjson`). Its columns count bytes, its ends are exclusive.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Told;
use super::json::print;
use super::summary::Notice;
use crate::finding::{Place, Severity};
use crate::masking::mask;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics = told.settled.findings.iter().map(|settled| {
        let finding = &settled.finding;
        let mut message = mask(&finding.message).into_owned();
        if !finding.help.trim().is_empty() {
            message += &format!("\n\n{}", mask(finding.help.trim()));
        }
        json!({
            "message": message,
            "location": location(told, finding.place),
            "severity": match finding.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Note => "INFO",
            },
            "code": { "value": finding.rule },
        })
    });
    let notices = told.notices().into_iter().map(|Notice { path, place, code, words }| {
        let location = place.map_or_else(|| json!({ "path": path }), |place| location(told, place));
        json!({ "message": mask(&words), "location": location, "severity": "INFO", "code": { "value": code } })
    });
    let report = json!({
        "source": { "name": env!("CARGO_PKG_NAME"), "url": env!("CARGO_PKG_REPOSITORY") },
        "diagnostics": diagnostics.chain(notices).collect::<Vec<_>>(),
    });
    print(&report, out)
}

fn location(told: &Told<'_>, place: Place) -> Value {
    let region = told.texts.region(place);
    let position = |line: u32, offset: u32| {
        let column = told.texts.of(place.file).map_or(1, |text| text.byte_column(offset));
        json!({ "line": line, "column": column })
    };
    json!({
        "path": told.path(place),
        "range": {
            "start": position(region.start.line, place.span.start),
            "end": position(region.end.line, place.span.end.max(place.span.start)),
        },
    })
}
