//! The floor and the tool: walking, reading and parsing every file, and nothing else, against a whole scan.
//!
//! Both run in this process, in turn, on a generated tree and on the tree that SEAMCHECK_BENCH_TREE names.
//! SEAMCHECK_BENCH_FILES sets the size of the generated tree, SEAMCHECK_BENCH_ROUNDS the number of rounds.
//! Start-up and memory are those of whole processes.

#![allow(clippy::unwrap_used)]

#[path = "floor/tree.rs"]
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use seamcheck::finding::Persona;
use seamcheck::{Options, extract, scan, settle, walk};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let rounds = number("SEAMCHECK_BENCH_ROUNDS", 7).max(1);
    let files = number("SEAMCHECK_BENCH_FILES", 400).max(10);
    let dir = tempfile::tempdir().unwrap();

    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    println!("start-up (whole process, median of {rounds})");
    println!("  empty folder  {:>9.1} ms", process(&empty, rounds));
    let one = dir.path().join("one");
    tree::generate(&one, 1);
    println!("  one file      {:>9.1} ms", process(&one, rounds));

    let generated = dir.path().join("generated");
    tree::generate(&generated, files);
    compare(&format!("generated tree of {files} files"), &generated, rounds);
    if let Some(path) = std::env::var_os("SEAMCHECK_BENCH_TREE").map(PathBuf::from) {
        compare(&path.display().to_string(), &path, rounds);
    }
}

fn compare(title: &str, root: &Path, rounds: usize) {
    let (files, bytes) = floor(root);
    whole(root);
    let (mut floors, mut wholes) = (vec![], vec![]);
    for _ in 0..rounds {
        floors.push(timed(|| {
            floor(root);
        }));
        wholes.push(timed(|| whole(root)));
    }
    let (floor, whole) = (median(floors), median(wholes));
    let megabytes = bytes as f64 / 1e6;
    let line = |name: &str, time: f64| println!("  {name:12}  {time:>9.1} ms  {:>6.1} MB/s", megabytes / time * 1000.0);
    println!("{title}: {files} files, {megabytes:.2} MB (median of {rounds}, in turn)");
    line("floor", floor);
    line("scan", whole);
    println!("  ratio         {:>9.2}", whole / floor);
    if let Some(peak) = peak(root) {
        let allowed = 40.0 + 4.0 * megabytes;
        println!("  peak memory   {peak:>9.1} MB  (40 MB and 4 bytes a byte: {allowed:.1} MB)");
    }
}

fn choices(root: &Path) -> walk::Choices {
    walk::Choices { paths: vec![root.to_owned()], honour_ignores: true, threads: 0, ignored: vec![] }
}

/// Walk, read and parse; the number of files and bytes parsed.
fn floor(root: &Path) -> (usize, usize) {
    let mut repository = walk::walk(&choices(root)).unwrap();
    let parsed = repository.load(|file, text| {
        Ok(file.kind.holds_code().then(|| {
            extract::parse_only(&file.path, text);
            text.len()
        }))
    });
    let lengths: Vec<usize> = parsed.into_iter().flatten().collect();
    (lengths.len(), lengths.iter().sum())
}

fn whole(root: &Path) {
    let settle = settle::Choices::new(Persona::Auditor);
    let rules = seamcheck::rules::RULES.to_vec();
    let outcome = scan(&Options {
        walk: choices(root),
        rules,
        settle,
        jobs: 0,
        progress: false,
        own: Default::default(),
        cache: None,
    });
    // A scan's process ends without taking the program apart.
    std::mem::forget(outcome.unwrap());
}

/// The median time of a whole process, in milliseconds.
fn process(root: &Path, rounds: usize) -> f64 {
    let run = || drop(command(root).output().unwrap());
    run();
    median((0..rounds.max(9)).map(|_| timed(run)).collect())
}

/// Peak memory of a whole process, in megabytes.
fn peak(root: &Path) -> Option<f64> {
    let output = command(root).env("SEAMCHECK_TIMINGS", "1").output().ok()?;
    let said = String::from_utf8(output.stderr).ok()?;
    let line = said.lines().find(|line| line.contains("peak memory"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

fn command(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
    // What earlier runs kept would be measured instead.
    command.args(["--quiet", "--no-cache"]).arg(root);
    command
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
