//! A first configuration, made of what is found in the repository: every line a proposal, commented out.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::facts::FunctionId;
use crate::finding::{FileId, Severity};
use crate::names::Name;
use crate::pipeline::Outcome;
use crate::program::{FunctionRef, Program};
use crate::rules::RULES;

/// Words of functions that sound like wrappers, by the key they would stand under.
const SOUNDS: [(&str, &[&str]); 4] = [
    ("logger", &["logerror", "reporterror", "captureerror", "logexception", "handleerror", "trackerror"]),
    ("queue", &["enqueue", "enqueuejob", "addjob", "addtoqueue", "queuejob", "dispatchjob", "runinbackground"]),
    (
        "verifier",
        &[
            "verifysignature",
            "verifywebhook",
            "verifyhmac",
            "validatesignature",
            "checksignature",
            "requireuser",
            "requireauth",
            "requireadmin",
        ],
    ),
    ("timeout", &["withtimeout", "fetchwithtimeout", "withdeadline", "timeoutpromise"]),
];

/// Most proposals for one key.
const MOST: usize = 6;

/// The text of a seamcheck.toml.
pub fn text(outcome: &Outcome) -> String {
    let program = &outcome.program;
    let mut out = String::from(
        "# Configuration of seamcheck. docs/configuration.md describes every key; `seamcheck schema` prints a JSON Schema.\n\n\
         # For whom reports are made: \"regular\" for pull requests, \"auditor\" adds hints and project notes.\n\
         # persona = \"regular\"\n\n\
         # From which severity on the exit code is 1: \"note\", \"warning\", \"error\" or \"never\".\n\
         # fail-on = \"warning\"\n\n\
         # Paths to leave out, as in a .gitignore.\n",
    );
    let _ = writeln!(out, "# ignore = [{}]\n", quoted(&aside(outcome)));
    let apps: Vec<String> = program
        .projects
        .all()
        .iter()
        .map(|project| project.folder.clone())
        .filter(|folder| !folder.is_empty())
        .collect();
    if !apps.is_empty() {
        let _ = writeln!(
            out,
            "# Folders whose own configuration counts for what lies in them.\n# workspaces = [{}]\n",
            quoted(&apps)
        );
    }
    let vendors = vendors(program);
    if !vendors.is_empty() {
        let _ = writeln!(out, "# The code calls: {}.", vendors.join(", "));
    }
    let known = program.catalogue.vendors().first().map(|vendor| vendor.id.as_str());
    let example = vendors.first().map(String::as_str).or(known).unwrap_or_default();
    let _ = writeln!(
        out,
        "# Vendors that signup and checkout cannot do without: waiting for them is right.\n# essential-vendors = [\"{example}\"]\n"
    );
    rules(outcome, &mut out);
    wrappers(program, &mut out);
    out.push_str(
        "# Entry points of core paths that the code does not show: a route, a function's name, or files.\n\
         # [core-paths]\n# signup = [\"/api/join\", \"src/join/**\"]\n# checkout = [\"/api/orders\"]\n\n\
         # A vendor of your own; with own-backend set to true, a service that is yours.\n\
         # [[vendors]]\n# id = \"acme\"\n# name = \"Acme\"\n# category = \"crm\"\n# hosts = [\"api.acme.example\"]\n\n\
         # What is to be looked at again, and when: reports say so from that day on.\n\
         # [[reviews]]\n# date = \"2027-01-31\"\n# what = \"do we still need the skipped rules?\"\n",
    );
    out
}

fn quoted(items: &[String]) -> String {
    items.iter().map(|item| toml::Value::from(item.as_str()).to_string()).collect::<Vec<_>>().join(", ")
}

/// Folders that hold no code of the app.
fn aside(outcome: &Outcome) -> Vec<String> {
    let names = ["examples", "docs", "prototypes", "sandbox", "archive", "legacy", "old", "backup"];
    let is_there = |name: &&&str| {
        let head = format!("{name}/");
        outcome.repository.files.iter().any(|file| file.path.starts_with(&head))
    };
    let found: Vec<String> = names.iter().filter(is_there).map(|name| format!("{name}/")).collect();
    if found.is_empty() { vec!["examples/".to_owned(), "**/*.stories.tsx".to_owned()] } else { found }
}

/// The vendors that the code uses, most used first.
fn vendors(program: &Program) -> Vec<String> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for used in program.vendor_uses() {
        *uses.entry(&program.catalogue.vendor(used.vendor).id).or_default() += 1;
    }
    let mut uses: Vec<(&str, usize)> = uses.into_iter().collect();
    uses.sort_by_key(|&(id, number)| (std::cmp::Reverse(number), id));
    uses.into_iter().map(|(id, _)| id.to_owned()).collect()
}

/// The rules that report today, as they could be set.
fn rules(outcome: &Outcome, out: &mut String) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for settled in &outcome.settled.findings {
        *found.entry(settled.finding.rule).or_default() += 1;
    }
    out.push_str(
        "# A rule gets another level (\"note\", \"warning\", \"error\"), or is skipped with a reason. These report today, each\n\
         # with the level that it has by itself.\n# [rules]\n",
    );
    for (at, (rule, number)) in found.iter().enumerate() {
        let setting = match at {
            0 => format!("{rule} = {{ skip = \"the reason\", until = \"2027-01-31\" }}"),
            _ => format!("{rule} = \"{}\"", level_of(rule)),
        };
        let _ = writeln!(out, "# {setting}  # reports {number} today");
    }
    if found.is_empty() {
        out.push_str("# missing-timeout = \"error\"\n# env-undocumented = { skip = \"kept in the wiki\", until = \"2027-01-31\" }\n");
    }
    out.push('\n');
}

/// The level that a rule has by itself.
fn level_of(rule: &str) -> &'static str {
    match RULES.iter().find(|known| known.id == rule).map(|known| known.severity) {
        Some(Severity::Error) => "error",
        Some(Severity::Note) => "note",
        _ => "warning",
    }
}

fn wrappers(program: &Program, out: &mut String) {
    out.push_str(
        "# Functions of your own that count as something: `name`, `Class.method` or `path:name`.\n# [wrappers]\n",
    );
    for (key, sounds) in SOUNDS {
        let mut found = named(program, sounds);
        if found.is_empty() {
            found.push(match key {
                "logger" => "src/lib/report.ts:reportError".to_owned(),
                "queue" => "enqueue".to_owned(),
                "verifier" => "verifySignature".to_owned(),
                _ => "withDeadline".to_owned(),
            });
        }
        let _ = writeln!(out, "# {key} = [{}]", quoted(&found));
    }
    out.push('\n');
}

/// The functions of the program that are called like this.
fn named(program: &Program, sounds: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for (file, facts) in program.code() {
        for at in 1..facts.functions.len() as u32 {
            let name = facts.function(FunctionId(at)).name.map_or("", Name::as_str);
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            if sounds.contains(&plain.as_str()) {
                found.push(said(program, file, FunctionId(at)));
            }
        }
    }
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}

fn said(program: &Program, file: FileId, function: FunctionId) -> String {
    format!("{}:{}", program.file(file).path, program.function_name(FunctionRef::new(file, function)))
}
