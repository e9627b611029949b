//! Counts what each rule reports on a folder of repositories, and writes the counts into docs/precision.md.
//!
//! `cargo run --release --example precision -- FOLDER [--write]`: each folder in FOLDER is a repository. Reports are
//! those of the regular persona, and of the auditor beyond them. What was read and found right stays as it is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seamcheck::finding::Persona;
use seamcheck::rules::RULES;
use seamcheck::{Options, scan, settle, walk};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a rule reports.
#[derive(Default, Clone, Copy)]
struct Counts {
    regular: usize,
    repositories: usize,
    auditor: usize,
}

fn main() {
    let mut folder = None;
    let mut write = false;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--write" => write = true,
            _ => folder = Some(PathBuf::from(arg)),
        }
    }
    let Some(folder) = folder else {
        eprintln!("which folder of repositories? cargo run --release --example precision -- FOLDER [--write]");
        std::process::exit(2);
    };
    let mut repositories: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    repositories.sort();
    let mut counts: BTreeMap<&'static str, Counts> = BTreeMap::new();
    for repository in &repositories {
        eprintln!("{}", repository.display());
        for (rule, found) in count(repository) {
            let counts = counts.entry(rule).or_default();
            counts.regular += found.regular;
            counts.auditor += found.auditor;
            counts.repositories += usize::from(found.regular > 0);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/precision.md");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let table = table(&old, &counts);
    if !write {
        println!("{table}");
        return;
    }
    let (before, rest) = old.split_once("| rule |").expect("docs/precision.md has the table");
    let after = rest.find("\n\n").map_or("", |end| &rest[end..]);
    std::fs::write(&path, format!("{before}{}{after}", table.trim_end())).unwrap();
}

/// What each rule reports on one repository.
fn count(root: &Path) -> BTreeMap<&'static str, Counts> {
    let mut counts: BTreeMap<&'static str, Counts> = BTreeMap::new();
    for persona in [Persona::Regular, Persona::Auditor] {
        let outcome = scan(&Options {
            walk: walk::Choices { paths: vec![root.to_owned()], honour_ignores: true, threads: 0, ignored: vec![] },
            rules: RULES.to_vec(),
            settle: settle::Choices::new(persona),
            jobs: 0,
            progress: false,
            own: Default::default(),
            cache: None,
        });
        let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        for settled in &outcome.settled.findings {
            let counts = counts.entry(settled.finding.rule).or_default();
            match persona {
                Persona::Regular => counts.regular += 1,
                Persona::Auditor => counts.auditor += 1,
            }
        }
    }
    // The auditor sees what the regular persona sees.
    counts.values_mut().for_each(|counts| counts.auditor = counts.auditor.saturating_sub(counts.regular));
    counts
}

/// The table with new counts, and with what people noted in the old one.
fn table(old: &str, counts: &BTreeMap<&'static str, Counts>) -> String {
    let mut table = String::from(
        "| rule | reports | repositories | auditor only | read | right |\n|---|---:|---:|---:|---:|---:|\n",
    );
    for rule in RULES {
        let row = old.lines().find(|line| line.starts_with(&format!("| `{}` |", rule.id)));
        let noted: Vec<&str> = row.map_or(vec![], |row| row.split('|').map(str::trim).collect());
        let noted = |at: usize| noted.get(at).copied().unwrap_or("");
        let Counts { regular, repositories, auditor } = counts.get(rule.id).copied().unwrap_or_default();
        table.push_str(&format!(
            "| `{}` | {regular} | {repositories} | {auditor} | {} | {} |\n",
            rule.id,
            noted(5),
            noted(6)
        ));
    }
    table
}
