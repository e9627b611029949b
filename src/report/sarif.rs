//! SARIF 2.1.0, as GitHub code scanning and others read it.
//!
//! Every rule is listed, whether it found something or not. Suppressed findings are left out: whoever reads the
//! file would otherwise open them again.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Told;
use super::cure::cure;
use super::json::print;
use super::paint::word;
use super::rules::{Docs, slug};
use crate::finding::{Confidence, Finding, Place, Severity};
use crate::masking::mask;
use crate::rule::Rule;
use crate::settle::SettledFinding;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The key of our fingerprints; its version changes when they are computed otherwise.
const FINGERPRINT: &str = "seamcheck/v1";
/// The base of every path: the root of what was scanned.
const ROOT: &str = "%SRCROOT%";

/// Results of a run that GitHub shows; it keeps those of the highest severity, we choose before it does.
const MOST_RESULTS: usize = 5_000;
/// Runs of a file that GitHub takes.
const MOST_RUNS: usize = 20;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let folders = &told.asked.workspaces[..told.asked.workspaces.len().min(MOST_RUNS - 1)];
    let home = |settled: &SettledFinding| {
        let path = told.path(settled.finding.place);
        let inside = |folder: &&String| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        folders.iter().filter(inside).max_by_key(|folder| folder.len())
    };
    let run_of = |folder: Option<&String>| {
        let results = told.settled.findings.iter().filter(|settled| home(settled) == folder).collect();
        run(told, folder.map(String::as_str), results)
    };
    let rest = !told.asked.only_workspaces || told.settled.findings.iter().any(|settled| home(settled).is_none());
    let runs = rest.then_some(None).into_iter().chain(folders.iter().map(Some));
    let runs: Vec<Value> = runs.map(run_of).collect();
    print(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs }), out)
}

/// The run of a workspace, or of what lies in none.
fn run(told: &Told<'_>, folder: Option<&str>, mut found: Vec<&SettledFinding>) -> Value {
    let left_out = found.len().saturating_sub(MOST_RESULTS);
    if left_out > 0 {
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse((found[at].finding.severity, found[at].finding.confidence)));
        order.truncate(MOST_RESULTS);
        order.sort_unstable();
        found = order.into_iter().map(|at| found[at]).collect();
    }
    let results: Vec<Value> = found.into_iter().map(|it| result(it, told)).collect();
    // Without a slash at its end GitHub takes it for the id of one run, not for a category.
    let folder = folder.filter(|_| told.asked.category.is_none() || !told.asked.own_category);
    let category = [told.asked.category.unwrap_or("seamcheck").trim_end_matches('/'), folder.unwrap_or_default()];
    let category: String = category.iter().filter(|part| !part.is_empty()).map(|part| format!("{part}/")).collect();
    json!({
        "tool": { "driver": {
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": told.rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        } },
        "automationDetails": { "id": category },
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": { ROOT: { "description": { "text": "the root of the repository" } } },
        "invocations": [invocation(told, left_out)],
        "results": results,
    })
}

fn descriptor(rule: &Rule) -> Value {
    let docs = Docs::of(rule);
    let mut tags = vec![slug(rule.section)];
    let mut properties = json!({
        "precision": precision(rule.confidence),
        "problem.severity": match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "recommendation",
        },
    });
    if let Some(severity) = rule.security_severity {
        tags.push("security".into());
        properties["security-severity"] = format!("{severity:.1}").into();
    }
    properties["tags"] = tags.into();
    json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": docs.lead() },
        "help": { "text": docs.plain(), "markdown": docs.markdown() },
        "defaultConfiguration": { "level": word(rule.severity) },
        "properties": properties,
    })
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

fn result(settled: &SettledFinding, told: &Told<'_>) -> Value {
    let finding = &settled.finding;
    let mut value = json!({ "ruleId": finding.rule });
    if let Some(index) = told.rules.iter().position(|rule| rule.id == finding.rule) {
        value["ruleIndex"] = index.into();
    }
    value["level"] = word(finding.severity).into();
    value["message"] = message(finding);
    value["locations"] = json!([{ "physicalLocation": physical(finding.place, told) }]);
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(id, remark)| {
            json!({ "id": id, "physicalLocation": physical(remark.place, told), "message": text(&remark.text) })
        });
        value["relatedLocations"] = related.collect();
    }
    if !finding.trace.is_empty() {
        value["codeFlows"] = json!([{ "threadFlows": [{ "locations": flow(finding, told) }] }]);
    }
    value["partialFingerprints"] = json!({ FINGERPRINT: settled.fingerprint });
    value["properties"] = json!({ "confidence": finding.confidence, "vendors": finding.vendors });
    value
}

/// The trace, ended by the place itself unless its last step is already there.
fn flow(finding: &Finding, told: &Told<'_>) -> Vec<Value> {
    let step = |place, words: &str| json!({ "location": { "physicalLocation": physical(place, told), "message": text(words) } });
    let mut steps: Vec<Value> = finding.trace.iter().map(|remark| step(remark.place, &remark.text)).collect();
    let (to, here) = (finding.trace.last().map(|last| last.place), finding.place);
    if !to.is_some_and(|to| to.file == here.file && (to.span.contains(here.span) || here.span.contains(to.span))) {
        steps.push(step(finding.place, &finding.message));
    }
    steps
}

fn message(finding: &Finding) -> Value {
    let (words, help) = (mask(&finding.message), mask(finding.help.trim()));
    if help.is_empty() {
        return text(&finding.message);
    }
    // Code fences are for the markdown form.
    let plain: Vec<&str> = help.lines().filter(|line| !line.trim_start().starts_with("```")).collect();
    let parts = cure(&help).into_iter().map(|part| match (part.is_code, part.lines.join("\n")) {
        (true, code) => format!("\n\n```{}\n{}\n```", part.language, code.replace("```", "``")),
        (false, words) => format!("\n\n{words}"),
    });
    let markdown = words.to_string() + &parts.collect::<String>();
    json!({ "text": escape(&format!("{words}\n{}", plain.join("\n"))), "markdown": markdown })
}

fn text(words: &str) -> Value {
    json!({ "text": escape(&mask(words)) })
}

/// In a SARIF text `[words](target)` is a link; ours never are.
fn escape(text: &str) -> String {
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text.to_owned() }
}

fn physical(place: Place, told: &Told<'_>) -> Value {
    let region = told.texts.region(place);
    json!({
        "artifactLocation": artifact(&told.path(place)),
        "region": {
            "startLine": region.start.line,
            "startColumn": region.start.utf16,
            "endLine": region.end.line,
            "endColumn": region.end.utf16,
        },
    })
}

fn artifact(path: &str) -> Value {
    json!({ "uri": encode(path), "uriBaseId": ROOT })
}

/// A path as a relative URI reference.
fn encode(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn invocation(told: &Told<'_>, left_out: usize) -> Value {
    let notification = |level: &str, words: &str, location: Option<Value>| {
        let mut value = json!({ "level": level, "message": text(words) });
        if let Some(location) = location {
            value["locations"] = json!([{ "physicalLocation": location }]);
        }
        value
    };
    let mut notifications = vec![];
    if left_out > 0 {
        let words = format!("{left_out} results are left out: code scanning shows {MOST_RESULTS}, these are the worst");
        notifications.push(notification("warning", &words, None));
    }
    for reminder in &told.settled.reminders {
        notifications.push(notification("note", reminder, None));
    }
    if let Some(words) = told.unheeded() {
        notifications.push(notification("note", &words, None));
    }
    for gap in told.gaps() {
        let place = json!({ "artifactLocation": artifact(&format!("{}{}", told.asked.prefix, gap.path)) });
        notifications.push(notification("warning", &format!("not checked in full: {}", gap.reason), Some(place)));
    }
    for problem in &told.settled.ignore_problems {
        let place = physical(problem.place, told);
        notifications.push(notification("warning", &problem.problem.to_string(), Some(place)));
    }
    for failed in &told.settled.failed {
        let words = format!("the rule `{}` broke down, its findings are missing: {}", failed.rule, failed.message);
        notifications.push(notification("error", &words, None));
    }
    json!({ "executionSuccessful": told.settled.failed.is_empty(), "toolExecutionNotifications": notifications })
}

fn pascal(id: &str) -> String {
    let capital =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    id.split('-').map(capital).collect()
}
