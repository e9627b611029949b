//! The tool's own JSON; docs/json-format.md describes it and names what may change when.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Told;
use super::paint::word;
use crate::finding::{Finding, Place, Remark};
use crate::masking::mask;
use crate::settle::Counts;
use crate::texts::Texts;

/// The version of the format: raised when a reader of the last one would break.
pub const VERSION: u32 = 1;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let settled = told.settled;
    let texts = &told.texts;
    let findings: Vec<Value> =
        settled.findings.iter().map(|it| finding(&it.finding, &it.fingerprint, texts).into()).collect();
    let suppressed = settled.suppressed.iter().map(|it| {
        let mut value = finding(&it.finding, &it.fingerprint, texts);
        value.insert("reason".into(), mask(&it.reason).into());
        value.insert("by".into(), it.by.word().into());
        Value::from(value)
    });
    let problems = settled.ignore_problems.iter().map(|it| {
        json!({ "problem": it.problem.kind(), "message": mask(&it.problem.to_string()), "place": place(it.place, texts) })
    });
    let failed = settled.failed.iter().map(|it| json!({ "rule": it.rule, "message": mask(&it.message) }));
    let gaps = told.gaps();
    let vendors: Map<String, Value> = told.by_vendor().into_iter().map(|(id, by)| (id.into(), counts(by))).collect();
    let report = json!({
        "version": VERSION,
        "tool": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "findings": findings,
        "suppressed": suppressed.collect::<Vec<_>>(),
        "ignore_problems": problems.collect::<Vec<_>>(),
        "failed_rules": failed.collect::<Vec<_>>(),
        "gaps": gaps.iter().map(|gap| json!({ "path": gap.path, "reason": mask(&gap.reason) })).collect::<Vec<_>>(),
        "left_out": told.repository.left_out,
        "reminders": settled.reminders.iter().map(|it| mask(it)).collect::<Vec<_>>(),
        "unheeded": settled.unheeded.iter().map(|it| mask(it)).collect::<Vec<_>>(),
        "summary": {
            "files": told.files(),
            "findings": counts(settled.counts),
            "suppressed": settled.suppressed.len(),
            "hidden_by_persona": counts(settled.hidden_by_persona),
            "hidden_by_severity": counts(settled.hidden_by_severity),
            "hidden_by_baseline": counts(settled.hidden_by_baseline),
            "hidden_by_change": counts(settled.hidden_by_change),
            "mended": settled.mended(),
            "vendors": vendors,
        },
    });
    print(&report, out)
}

/// Prints a value the one way this tool prints JSON.
pub fn print(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn finding(finding: &Finding, fingerprint: &str, texts: &Texts<'_>) -> Map<String, Value> {
    let remarks = |remarks: &[Remark]| {
        let remark = |it: &Remark| json!({ "message": mask(&it.text), "place": place(it.place, texts) });
        remarks.iter().map(remark).collect::<Vec<Value>>()
    };
    [
        ("rule", json!(finding.rule)),
        ("severity", json!(word(finding.severity))),
        ("confidence", json!(finding.confidence)),
        ("message", json!(mask(&finding.message))),
        ("help", json!(mask(&finding.help))),
        ("place", place(finding.place, texts)),
        ("related", json!(remarks(&finding.related))),
        ("trace", json!(remarks(&finding.trace))),
        ("vendors", json!(finding.vendors)),
        ("fingerprint", json!(fingerprint)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn place(place: Place, texts: &Texts<'_>) -> Value {
    let region = texts.region(place);
    json!({
        "path": texts.path(place.file),
        "line": region.start.line,
        "column": region.start.column,
        "end_line": region.end.line,
        "end_column": region.end.column,
    })
}

fn counts(counts: Counts) -> Value {
    json!({ "error": counts.error, "warning": counts.warning, "note": counts.note })
}
