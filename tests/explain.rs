//! `seamcheck explain RULE` shows an example and its repair: the example must be found, the repair must not.
//!
//! Both are fenced code below `## Example` and `## Repair`, each fence with the file it stands for in its info string:
//! ```` ```ts path=src/pay.ts ````. A section may have several fences, which make one small repository together.
//! The repair's files are laid over the example's, so that it need only say what changes; a file that it takes away
//! is an empty fence. The loop is over `RULES`: a new rule is tested by being there.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;

use seamcheck::diff::{Changes, Scope, Touched};
use seamcheck::finding::Persona;
use seamcheck::rule::Rule;
use seamcheck::rules::RULES;
use seamcheck::{Options, scan, settle, walk};

/// The files of a docs section by path, or what is wrong with it.
fn files(docs: &str, section: &str) -> Result<BTreeMap<String, String>, String> {
    let (mut files, mut here, mut open) = (BTreeMap::new(), false, None);
    for line in docs.lines() {
        // Doc comments keep the blank after `///`.
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (&mut open, line.strip_prefix("```")) {
            (None, None) if line.starts_with("## ") => here = line == section,
            (None, Some(info)) if here => {
                let path = info.split_once("path=").map(|(_, path)| path.trim());
                let path = path.filter(|path| !path.is_empty());
                let path = path.ok_or_else(|| format!("{section}: a fence names no file: ```{info}"))?;
                open = Some((path.to_owned(), String::new()));
            }
            (None, Some(_)) => open = Some((String::new(), String::new())),
            (None, None) => {}
            (Some(_), Some(_)) => {
                files.extend(open.take().filter(|(path, _)| !path.is_empty()));
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    match (open, files.is_empty()) {
        (Some(_), _) => Err(format!("{section}: a fence is not closed")),
        (None, true) => Err(format!("there is no fenced code below {section}")),
        (None, false) => Ok(files),
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

/// Where a rule reports in a repository made of these files: `path:line`.
fn found(rule: &'static Rule, files: &BTreeMap<String, String>, persona: Persona) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files.iter().filter(|(_, text)| !text.trim().is_empty()) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let options = Options {
        walk: walk::Choices {
            paths: vec![folder.path().to_path_buf()],
            honour_ignores: true,
            threads: 1,
            ignored: vec![],
        },
        rules: vec![rule],
        settle: settle::Choices {
            as_of: "2026-11-22".to_owned(),
            change: files.get("change.txt").map(|text| change(text)),
            ..settle::Choices::new(persona)
        },
        jobs: 1,
        progress: false,
        own: Default::default(),
        cache: None,
    };
    let outcome = scan(&options).unwrap();
    let gaps: Vec<_> = outcome.repository.gaps.iter().map(|gap| format!("{}: {}", gap.path, gap.reason)).collect();
    assert!(gaps.is_empty() && outcome.settled.failed.is_empty(), "{}: {gaps:?}", rule.id);
    let places = outcome.settled.findings.iter().map(|settled| settled.finding.place);
    places.map(|place| format!("{}:{}", outcome.program.file(place.file).path, outcome.program.line(place))).collect()
}

fn check(rule: &'static Rule) -> Result<(), String> {
    let example = files(rule.docs, "## Example")?;
    let mut repair = example.clone();
    repair.extend(files(rule.docs, "## Repair")?);
    // A rule that only tells auditors shows an example of that; the repair is held to the same reader.
    let persona = [Persona::Regular, Persona::Auditor].into_iter().find(|&who| !found(rule, &example, who).is_empty());
    let persona = persona.ok_or("its example is not found")?;
    match found(rule, &repair, persona) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("its repair is still found at {left:?}")),
    }
}

#[test]
fn every_example_is_found_and_its_repair_is_not() {
    let problems: Vec<_> =
        RULES.iter().filter_map(|rule| check(rule).err().map(|why| format!("{}: {why}", rule.id))).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn a_section_is_read_as_written() {
    let docs = " Title\n\n ## Example\n\n ```ts path=a.ts\n x\n\n   y\n ```\n and\n ```json path=b/c.json\n {}\n ```\n ## Repair\n";
    let example = files(docs, "## Example").unwrap();
    assert_eq!(example["a.ts"], "x\n\n  y\n");
    assert_eq!(example["b/c.json"], "{}\n");
    assert!(files(docs, "## Repair").unwrap_err().contains("no fenced code"));
    assert!(files(" ## Example\n ```ts\n x\n ```\n", "## Example").unwrap_err().contains("names no file"));
    assert!(files(" ## Example\n ```ts path=a.ts\n x\n", "## Example").unwrap_err().contains("not closed"));
}
