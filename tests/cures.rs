//! No cure does harm: none recommends a key that is new on every attempt, in the catalogue, in the rules' docs, or in
//! anything a rule says of a fixture.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use seamcheck::catalogue::Catalogue;
use seamcheck::rules::RULES;

/// What makes a value that the next attempt does not have.
const FRESH: &[&str] =
    &["randomUUID", "uuid4", "uuidv4", "uuid()", "nanoid", "Math.random", "Date.now", "time.time(", "token_hex"];

/// What is recommended: code in which a key is given must not make it anew.
fn recommends_a_fresh_key(text: &str) -> bool {
    let is_key = |line: &str| {
        let line = line.to_lowercase();
        line.contains("idempotency") || line.contains("request-id") || line.contains("requestid")
    };
    let warns = |line: &str| line.contains("not ") || line.contains("never") || line.contains("instead of");
    text.lines().any(|line| is_key(line) && !warns(line) && FRESH.iter().any(|fresh| line.contains(fresh)))
}

#[test]
fn the_guard_sees_what_it_guards_against() {
    assert!(recommends_a_fresh_key("add `{ idempotencyKey: crypto.randomUUID() }`"));
    assert!(!recommends_a_fresh_key("add `{ idempotencyKey: `order-${order.id}` }`"));
    assert!(!recommends_a_fresh_key("a key from crypto.randomUUID() is not the same idempotency key on the retry"));
}

#[test]
fn no_vendors_key_is_made_anew() {
    let catalogue = Catalogue::load(vec![]).unwrap_or_else(|reports| panic!("{reports:?}"));
    for vendor in catalogue.vendors() {
        for way in &vendor.idempotency {
            for cure in [&way.cure_js, &way.cure_py, &way.cure_http] {
                assert!(!FRESH.iter().any(|fresh| cure.contains(fresh)), "{}: {cure}", vendor.id);
            }
        }
    }
}

#[test]
fn no_rules_docs_recommend_one() {
    for rule in RULES {
        let cure = rule.docs.split("## ").filter(|part| part.starts_with("The cure") || part.starts_with("Repair"));
        for part in cure {
            assert!(!recommends_a_fresh_key(part), "{}: {part}", rule.id);
        }
    }
}

#[test]
fn no_report_recommends_one() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut read = 0;
    for rule in std::fs::read_dir(fixtures).unwrap().flatten() {
        let Ok(said) = std::fs::read_to_string(rule.path().join("bad.snap")) else { continue };
        // The advice of a finding goes on to the empty line after it, or to the next fixture's head.
        for finding in said.split("\n\n").flat_map(|part| part.split("\n==== ")) {
            let Some((_, help)) = finding.split_once("  help: ") else { continue };
            read += 1;
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!recommends_a_fresh_key(&help), "{}: {help}", rule.path().display());
        }
    }
    assert!(read > 100, "only {read} findings were read");
}
