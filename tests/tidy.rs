//! The house rules, each with a guard: layers, vendor knowledge, sizes, module docs, fresh documents.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use seamcheck::catalogue::Catalogue;
use seamcheck::rules::RULES;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, as path from the root and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut open: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, fs::read_to_string(&path).unwrap().replace("\r\n", "\n")));
        }
    }
    found.sort();
    found
}

/// The lines that are code: without comments, and without the tests at a file's end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..end].lines().enumerate();
    lines.filter_map(|(at, line)| {
        let line = line.trim_start();
        (!line.starts_with("//")).then(|| (at + 1, line.split(" // ").next().unwrap_or(line)))
    })
}

/// Lines of `src` that match `pattern` outside the files `allowed`.
fn outside(pattern: &str, allowed: &[&str]) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = vec![];
    for (path, text) in sources("src") {
        if allowed.iter().any(|allowed| path.starts_with(allowed)) {
            continue;
        }
        found.extend(
            code(&text).filter(|(_, line)| pattern.is_match(line)).map(|(at, line)| format!("{path}:{at}: {line}")),
        );
    }
    found
}

#[test]
fn only_extract_and_lang_know_the_parser() {
    let found = outside(r"\btree_sitter", &["src/extract", "src/lang"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_walk_run_and_main_touch_files_and_terminal() {
    let found = outside(
        r"\b(std::fs|fs::|File::|io::stdout|io::stdin|io::stderr|println!|eprintln!|std::process)",
        &["src/walk", "src/cache", "src/run", "src/main.rs", "src/cli", "src/diff/git.rs", "src/progress.rs"],
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_touches_the_network() {
    let found = outside(r"\b(std::net|TcpStream|UdpSocket|reqwest|hyper|ureq)\b", &[]);
    assert!(found.is_empty(), "{found:#?}");
}

/// Vendor knowledge is data. Ids that are ordinary words or languages' own names cannot be told from code.
#[test]
fn no_vendor_is_named_in_code() {
    const ORDINARY: &[&str] = &[
        "make", "segment", "together", "square", "resend", "kit", "front", "linear", "expo", "smtp", "google",
        "github", "vercel", "replit", "firebase", "supabase", "shopify", "clerk", "auth0", "aws", "s3", "push",
        "gemini", "notion", "zoom", "sentry", "loops",
    ];
    // Layouts of hosting platforms and auth frameworks are named where frameworks are known; see their module docs.
    let platforms = [
        "src/link/entries",
        "src/link/sides",
        "src/link/projects.rs",
        "src/link/modules",
        "src/walk",
        "src/manifest",
        "src/report",
    ];
    let catalogue = Catalogue::builtin();
    for vendor in catalogue.vendors() {
        if ORDINARY.contains(&vendor.id.as_str()) {
            continue;
        }
        let found =
            outside(&format!(r"(?i)\b{}\b", regex::escape(&vendor.id)), &[&platforms[..], &["src/catalogue"]].concat());
        assert!(found.is_empty(), "{} is named outside the catalogue: {found:#?}", vendor.name);
    }
}

#[test]
fn files_are_of_a_size_to_read() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        assert!(lines <= 600, "{path} has {lines} lines: two rooms under one roof");
    }
}

#[test]
fn every_module_says_what_it_decides() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        assert!(text.starts_with("//!"), "{path} does not begin with `//!`");
    }
}

#[test]
fn rooms_are_not_called_utils() {
    // Rules are called what the catalogue calls them.
    for (path, _) in sources("src").into_iter().filter(|(path, _)| !path.starts_with("src/rules/")) {
        for word in ["util", "helper", "manager", "context", "misc", "common"] {
            assert!(!path.contains(word), "{path}: name what it decides");
        }
        assert!(!path.ends_with("/mod.rs"), "{path}: `name.rs` and `name/`");
    }
}

/// The table between the markers in README.md is made from the rules. `UPDATE=1 cargo test` writes it.
#[test]
fn the_readme_lists_the_rules() {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (begin, end) = ("<!-- rules: begin -->\n", "<!-- rules: end -->");
    let from = text.find(begin).expect("README.md has the marker") + begin.len();
    let to = text.find(end).expect("README.md has the end marker");
    let mut table = String::from("\n| rule | severity | what it finds |\n|---|---|---|\n");
    for rule in RULES {
        let severity = format!("{:?}", rule.severity).to_lowercase();
        table.push_str(&format!("| `{}` | {severity} | {} |\n", rule.id, rule.title().trim_end_matches('.')));
    }
    table.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{}{table}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(&text[from..to], table, "README.md's table is stale: `UPDATE=1 cargo test --test tidy`");
    }
}

/// Every folder and file that ARCHITECTURE.md's map names exists.
#[test]
fn the_map_is_true() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let map = text.split("```").nth(1).expect("ARCHITECTURE.md begins with the map");
    for name in map.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| name.contains(['/', '.'])) {
        assert!(root().join(name.trim_end_matches('/')).exists(), "ARCHITECTURE.md names {name}");
    }
}
