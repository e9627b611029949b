//! All rules together on whole small apps: the demo shows what it is made to show, the clean one shows nothing.

use std::path::{Path, PathBuf};

use seamcheck::finding::Persona;
use seamcheck::report::{self, Format, Look};
use seamcheck::rules::RULES;
use seamcheck::{Options, Outcome, scan, settle, walk};

fn app(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/_apps").join(name)
}

fn run(name: &str, jobs: usize) -> Outcome {
    let options = Options {
        walk: walk::Choices { paths: vec![app(name)], honour_ignores: true, threads: jobs, ignored: vec![] },
        rules: RULES.to_vec(),
        settle: settle::Choices::new(Persona::Regular),
        jobs,
        progress: false,
        own: Default::default(),
        cache: None,
    };
    scan(&options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn told(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.settled.findings.iter().map(|settled| &settled.finding);
    findings
        .map(|finding| {
            let path = outcome.program.file(finding.place.file).path;
            format!("{} {path}:{}", finding.rule, outcome.program.line(finding.place))
        })
        .collect()
}

#[test]
fn the_demo_shows_what_it_is_made_to_show() {
    let outcome = run("demo", 2);
    assert_eq!(
        told(&outcome),
        [
            "returned-error-ignored src/context/AuthContext.tsx:15",
            "env-undocumented src/lib/supabase.ts:3",
            "vendor-sdk-in-browser src/pages/Assistant.tsx:4",
            "secret-in-public-env src/pages/Assistant.tsx:5",
            "env-unchecked supabase/functions/create-payment/index.ts:3",
            "client-controlled-amount supabase/functions/create-payment/index.ts:7",
            "create-without-idempotency supabase/functions/create-payment/index.ts:7",
            "env-unchecked supabase/functions/send-welcome-email/index.ts:3",
            "missing-timeout supabase/functions/send-welcome-email/index.ts:3",
            "unauthenticated-paid-proxy supabase/functions/send-welcome-email/index.ts:3",
            "vendor-on-signup-path supabase/functions/send-welcome-email/index.ts:3",
            "env-unchecked supabase/functions/stripe-webhook/index.ts:4",
            "webhook-verification-bypass supabase/functions/stripe-webhook/index.ts:10",
            "returned-error-ignored supabase/functions/stripe-webhook/index.ts:18",
        ]
    );
}

#[test]
fn the_clean_app_is_clean() {
    let outcome = run("clean", 2);
    assert_eq!(told(&outcome), [""; 0]);
}

/// The README shows one finding of the demo, as it is printed. `UPDATE=1` writes it anew.
#[test]
fn the_readme_shows_what_the_demo_says() {
    let outcome = run("demo", 2);
    let mut text = vec![];
    let Outcome { settled, program, repository, .. } = &outcome;
    report::write(Format::Human, settled, &program.files, repository, RULES, &mut text, Look::default())
        .expect("a report can be written to memory");
    let text = String::from_utf8(text).expect("reports are text");
    let shown = text.split("\n\n").find(|finding| finding.contains("[vendor-on-signup-path]"));
    let shown = shown.expect("the demo waits for a vendor at signup").trim_end();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (before, rest) = readme.split_once("```text\n").expect("the README shows a report");
    let (example, after) = rest.split_once("\n```").expect("the block ends");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}```text\n{shown}\n```{after}")).expect("the README can be written");
    } else {
        assert_eq!(example, shown, "`UPDATE=1 cargo test --test apps` writes it anew");
    }
}
