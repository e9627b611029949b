//! Every rule against its fixtures: `fixtures/<rule-id>/{bad*,ok*}/` are small repositories.
//!
//! A comment `//~ rule-id` (`#~`, `--~`, `<!--~`, `{/*~`) says that the rule must report on its line, `//~^ rule-id` on the
//! line above, `//~? rule-id` that a known gap is pinned (nothing is reported yet), `//~ rule-id (medium)` how sure it is.
//! No marker means silence is required. A case with `change.txt` is looked at as a change that adds what it lists. Files that hold no comments are named in the case's `expect.txt`: `path:line rule-id`.
//! `bad.snap` beside the cases says what the findings say. `UPDATE=1 cargo test` rewrites it; read the difference.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use seamcheck::diff::{Changes, Scope, Touched};
use seamcheck::finding::Persona;
use seamcheck::report::{self, Format, Look};
use seamcheck::rule::Rule;
use seamcheck::rules::RULES;
use seamcheck::{Options, Outcome, scan, settle, walk};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(of)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Copies a case to a folder of its own: fixture files may hold `{}` inside credentials, so that no scanner takes
/// them for a leak; it is taken out here. `env.txt` stands for `.env` and so on: `dot-env` becomes `.env`.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let path = entry.path();
        let name = name(&path);
        let target = to.join(name.strip_prefix("dot-").map_or(name.clone(), |rest| format!(".{rest}")));
        if path.is_dir() {
            copy(&path, &target);
        } else if name != "expect.txt" && name != "change.txt" {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(target, text.replace("{SPLIT}", "")).unwrap();
        }
    }
}

/// What `change.txt` lists: a path a line, with `FROM-TO` when only these lines are new.
fn change(text: &str) -> settle::Change {
    let mut changes = Changes::default();
    for line in text.lines() {
        let (path, lines) = line.split_once(' ').unwrap_or((line, "1-999999"));
        let (from, to) = lines.split_once('-').unwrap();
        let lines = vec![(from.parse().unwrap(), to.parse().unwrap())];
        changes.files.insert(path.to_owned(), Touched { lines, gaps: vec![] });
    }
    settle::Change::of(changes, Scope::Lines)
}

fn run(case: &Path, rules: Vec<&'static Rule>, persona: Persona) -> (tempfile::TempDir, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    copy(case, folder.path());
    let options = Options {
        walk: walk::Choices {
            paths: vec![folder.path().to_path_buf()],
            honour_ignores: true,
            threads: 0,
            ignored: vec![],
        },
        rules,
        // Fixed, so that what is announced today does not change the snapshots when its day comes.
        settle: settle::Choices {
            as_of: "2026-11-22".to_owned(),
            change: fs::read_to_string(case.join("change.txt")).ok().map(|text| change(&text)),
            ..settle::Choices::new(persona)
        },
        jobs: 2,
        progress: false,
        own: Default::default(),
        cache: None,
    };
    let outcome = scan(&options).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    (folder, outcome)
}

/// The places a case expects, as `path:line`.
#[derive(Default)]
struct Expected {
    wanted: BTreeSet<String>,
    /// Where a marker pins a gap.
    gaps: BTreeSet<String>,
    /// How sure the rule is to be, where a marker says so.
    sure: BTreeMap<String, String>,
}

fn expected(case: &Path, id: &str) -> Expected {
    let Expected { mut wanted, mut gaps, mut sure } = Expected::default();
    let mut files = vec![case.to_path_buf()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let relative = path.strip_prefix(case).unwrap().to_string_lossy().replace('\\', "/").replace("dot-", ".");
        if relative == "expect.txt" {
            wanted.extend(
                text.lines()
                    .filter_map(|line| line.split_once(' '))
                    .filter(|(_, rule)| *rule == id)
                    .map(|(at, _)| at.to_owned()),
            );
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let Some((before, marker)) = line.split_once('~') else { continue };
            if !["//", "#", "<!--", "/*", "--"].iter().any(|comment| before.ends_with(comment)) {
                continue;
            }
            let above = marker.starts_with('^');
            let gap = marker.starts_with('?');
            let ids = marker.trim_start_matches(['^', '?']).trim();
            if ids.split([' ', ',']).any(|found| found == id) {
                let place = format!("{relative}:{}", at + 1 - usize::from(above));
                let words = ids.split([' ', ',']).filter_map(|word| word.strip_prefix('(')?.strip_suffix(')'));
                sure.extend(words.map(|word| (place.clone(), word.to_owned())));
                if gap {
                    gaps.insert(place)
                } else {
                    wanted.insert(place)
                };
            }
        }
    }
    Expected { wanted, gaps, sure }
}

fn check_case(rule: &'static Rule, case: &Path, snapshot: &mut String) -> Vec<String> {
    let persona = if name(case).contains("auditor") { Persona::Auditor } else { Persona::Regular };
    let (_folder, outcome) = run(case, vec![rule], persona);
    let mut problems = vec![];
    let path = |file| outcome.program.file(file).path;
    let found: BTreeSet<String> = outcome
        .settled
        .findings
        .iter()
        .map(|settled| format!("{}:{}", path(settled.finding.place.file), outcome.program.line(settled.finding.place)))
        .collect();
    let Expected { wanted, gaps, sure } = expected(case, rule.id);
    for place in wanted.difference(&found) {
        problems.push(format!("{}: nothing reported at {place}", case.display()));
    }
    for place in found.difference(&wanted) {
        let message = outcome.settled.findings.iter().map(|settled| &settled.finding.message);
        let messages: Vec<&String> = message.collect();
        problems.push(format!("{}: reported at {place}: {messages:?}", case.display()));
    }
    for finding in outcome.settled.findings.iter().map(|settled| &settled.finding) {
        let place = format!("{}:{}", path(finding.place.file), outcome.program.line(finding.place));
        let is = format!("{:?}", finding.confidence).to_lowercase();
        if let Some(wanted) = sure.get(&place).filter(|wanted| **wanted != is) {
            problems.push(format!("{}: {place} is told with {is} confidence, not {wanted}", case.display()));
        }
    }
    for place in gaps.intersection(&found) {
        problems.push(format!("{}: the pinned gap at {place} is closed: drop the `?`", case.display()));
    }
    for (failed, why) in outcome.settled.failed.iter().map(|failed| (failed.rule, &failed.message)) {
        problems.push(format!("{}: {failed} failed: {why}", case.display()));
    }
    if name(case).starts_with("bad") {
        let mut text = vec![];
        let look = Look { colour: false, unicode: true, width: 110, quiet: true };
        report::write(
            Format::Human,
            &outcome.settled,
            &outcome.program.files,
            &outcome.repository,
            RULES,
            &mut text,
            look,
        )
        .unwrap();
        let _ = writeln!(snapshot, "==== {}\n{}", name(case), String::from_utf8_lossy(&text).trim_end());
        if wanted.is_empty() {
            problems.push(format!("{}: a bad case without a marker", case.display()));
        }
    } else if !wanted.is_empty() {
        problems.push(format!("{}: an ok case with a marker", case.display()));
    }
    problems
}

fn check_rule(rule: &'static Rule) -> Vec<String> {
    let folder = fixtures().join(rule.id);
    let mut snapshot = String::new();
    let mut problems = vec![];
    let cases = folders(&folder);
    for kind in ["bad", "ok"] {
        // What only auditors are told has its cases under their persona.
        let alone = format!("{kind}-auditor");
        if !cases.iter().any(|case| name(case) == kind || name(case) == alone) {
            problems.push(format!("{}: there is no `{kind}` case", rule.id));
        }
    }
    for case in &cases {
        problems.extend(check_case(rule, case, &mut snapshot));
    }
    let path = folder.join("bad.snap");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &snapshot).unwrap();
    } else if fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n") != snapshot {
        problems
            .push(format!("{}: what the findings say has changed; read `UPDATE=1 cargo test` and its diff", rule.id));
    }
    problems
}

/// All rules, or those named in `RULE=id,id`.
#[test]
fn rules_meet_their_fixtures() {
    let only = std::env::var("RULE").ok();
    let chosen = RULES.iter().filter(|rule| only.as_ref().is_none_or(|ids| ids.split(',').any(|id| id == rule.id)));
    let problems: Vec<String> = chosen.flat_map(|rule| check_rule(rule)).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_fixture_belongs_to_a_rule() {
    for folder in folders(&fixtures()) {
        let id = name(&folder);
        assert!(id.starts_with('_') || RULES.iter().any(|rule| rule.id == id), "fixtures/{id} belongs to no rule");
    }
}
