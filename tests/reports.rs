//! What is told and how: suppressions, fingerprints, order, and every format.

#![allow(clippy::unwrap_used)]

use std::fs;

use seamcheck::extract::build::Builder;
use seamcheck::facts::{Language, Span, Token, TokenKind};
use seamcheck::finding::{Confidence, FileId, Finding, Persona, Place, Remark, Severity};
use seamcheck::names::Name;
use seamcheck::program::File;
use seamcheck::report::{self, Format, Look};
use seamcheck::rule::Rule;
use seamcheck::settle::{Choices, FailedRule, Settled, settle};
use seamcheck::walk::{FileKind, Gap, GapReason, Reason, Repository, SourceFile};
use serde_json::Value;

#[path = "reports/suppressions.rs"]
mod suppressions;

static UNVERIFIED: Rule = Rule {
    id: "webhook-unverified",
    severity: Severity::Error,
    confidence: Confidence::High,
    section: "Webhooks",
    security_severity: Some(8.6),
    since: "0.1.0",
    docs: " A webhook acts before it knows who sent it\n\n Anyone who finds the URL can post an event and be given what\n was never paid for.\n\n Silent when: the handler only acknowledges.\n\n ## Example\n ```ts\n const event = await req.json();\n await grant(event);\n ```\n\n ## Repair\n - take the *raw* body\n - call the vendor's `verify` function, **before** anything\n   else happens in the handler, whatever its name or its length may be, and stop when it fails\n\n ```ts\n const event = verify(await req.text());\n ```\n",
    check: |_, _| {},
};
static TIMEOUT: Rule = Rule {
    id: "missing-timeout",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    section: "Timeouts, retries, limits",
    security_severity: None,
    since: "0.1.0",
    docs: " An outbound call may hang for ever\n\n The request of the user hangs with it.\n",
    check: |_, _| {},
};
static RULES: &[&Rule] = &[&UNVERIFIED, &TIMEOUT];

/// A repository on disk and what would be known of it.
struct World {
    folder: tempfile::TempDir,
    texts: Vec<(&'static str, String)>,
    files: Vec<File>,
    repository: Repository,
}

impl World {
    fn new(texts: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut texts: Vec<_> = texts.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        texts.sort();
        let mut files = vec![];
        let mut walked = vec![];
        for (path, text) in &texts {
            let target = folder.path().join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
            let language = match path.rsplit('.').next().unwrap() {
                "py" => Some(Language::Python),
                "ts" | "js" => Some(Language::TypeScript),
                "tsx" => Some(Language::Tsx),
                _ => None,
            };
            files.push(File { path: Name::new(path), facts: language.map(|it| Builder::new(it, text).finish()) });
            let kind = FileKind::Code(Language::TypeScript);
            let size = text.len() as u64;
            let path = Name::new(path);
            walked.push(SourceFile { path, kind, size, tracked: true, named: false, generated: false });
        }
        let repository = Repository { root: folder.path().to_owned(), files: walked, ..Repository::default() };
        Self { folder, texts, files, repository }
    }

    /// The first place where a text stands.
    fn at(&self, path: &str, needle: &str) -> Place {
        let file = self.texts.iter().position(|(it, _)| *it == path).unwrap();
        let start = self.texts[file].1.find(needle).unwrap_or_else(|| panic!("no {needle:?} in {path}"));
        Place { file: FileId(file as u32), span: Span { start: start as u32, end: (start + needle.len()) as u32 } }
    }

    fn settle(&self, findings: Vec<Finding>) -> Settled {
        self.settle_for(Persona::Regular, findings)
    }

    fn settle_for(&self, persona: Persona, findings: Vec<Finding>) -> Settled {
        settle(&self.files, &self.repository, findings, &choices(persona))
    }

    fn write(&self, format: Format, settled: &Settled) -> String {
        self.write_with(format, settled, Look::default())
    }

    fn write_with(&self, format: Format, settled: &Settled, look: Look) -> String {
        let mut out = vec![];
        report::write(format, settled, &self.files, &self.repository, RULES, &mut out, look).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn human(&self, findings: Vec<Finding>) -> String {
        self.write(Format::Human, &self.settle(findings))
    }
}

fn choices(persona: Persona) -> Choices {
    let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    Choices { known: ids.clone(), ran: ids, ..Choices::new(persona) }
}

fn finding(rule: &Rule, place: Place, message: &str) -> Finding {
    Finding {
        rule: rule.id,
        severity: rule.severity,
        confidence: rule.confidence,
        auditor_only: false,
        place,
        message: message.into(),
        related: vec![],
        trace: vec![],
        help: String::new(),
        vendors: vec![],
        subject: "call".into(),
    }
}

fn remark(place: Place, text: &str) -> Remark {
    Remark { place, text: text.into() }
}

const HOOK: &str = "import { db } from '../lib/db';

export async function POST(req: Request) {
  const event = await req.json();
  if (event.type === 'checkout.session.completed') {
    await db.insert(orders).values({ id: event.data.object.id });
  }
  return new Response('ok');
}
";
const SIGNUP: &str = "export function Signup() {
\tconst submit = async (form) => {
\t\tawait signUp(form.email);
\t};
\treturn <form onSubmit={submit} />;
}
";
const MAIL: &str = "export async function signUp(email: string) {
  await fetch('https://api.mail.example/send', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      to: email,
      subject: 'Welcome',
    }),
  });
}
";

fn shop() -> (World, Vec<Finding>) {
    let mut world = World::new(&[("api/hook [x].ts", HOOK), ("src/Signup.tsx", SIGNUP), ("src/lib/mail.ts", MAIL)]);
    let mut hook = finding(
        &UNVERIFIED,
        world.at("api/hook [x].ts", "db.insert(orders)"),
        "acme webhook acts on the body before checking who sent it: anyone can post a paid order",
    );
    hook.related = vec![remark(world.at("api/hook [x].ts", "await req.json()"), "the body is read here, as it comes")];
    hook.help = "Verify the delivery before reading it:\n```ts\nconst event = acme.verify(await req.text(), req.headers.get('acme-signature'));\n```".into();
    hook.vendors = vec![Name::new("acme")];
    let fetch = &MAIL[MAIL.find("fetch(").unwrap()..MAIL.rfind(");\n").unwrap() + 1];
    let mut mail = finding(
        &TIMEOUT,
        world.at("src/lib/mail.ts", fetch),
        "the request to mailer has no time limit: when mailer hangs, sign-up hangs",
    );
    mail.related = vec![remark(world.at("src/Signup.tsx", "await signUp"), "the user waits for it here")];
    mail.trace = vec![
        remark(world.at("src/Signup.tsx", "onSubmit={submit}"), "form submit calls submit"),
        remark(world.at("src/Signup.tsx", "signUp(form.email)"), "submit calls signUp"),
        remark(world.at("src/lib/mail.ts", "fetch("), "signUp calls mailer"),
    ];
    mail.help = "Pass `signal: AbortSignal.timeout(10_000)`".into();
    mail.vendors = vec![Name::new("mailer")];
    let mut hidden = finding(&TIMEOUT, world.at("src/Signup.tsx", "submit"), "a hint");
    hidden.confidence = Confidence::Low;
    world.repository.gaps = vec![Gap { path: Name::new("src/old.ts"), reason: GapReason::NotUtf8 }];
    world.repository.left_out.insert(Reason::Lockfile, 1);
    (world, vec![mail, hidden, hook])
}

#[test]
fn people_read_it() {
    let (world, findings) = shop();
    insta::assert_snapshot!(world.human(findings));
}

#[test]
fn narrow_and_plain_terminals() {
    let (world, findings) = shop();
    let look = Look { unicode: false, width: 60, ..Look::default() };
    let report = world.write_with(Format::Human, &world.settle(findings), look);
    assert!(report.is_ascii(), "{report}");
    insta::assert_snapshot!(report);
}

#[test]
fn colours_only_when_asked_for() {
    let (world, findings) = shop();
    let settled = world.settle(findings);
    assert!(!world.write(Format::Human, &settled).contains('\u{1b}'));
    let coloured = world.write_with(Format::Human, &settled, Look { colour: true, ..Look::default() });
    assert!(coloured.contains("\u{1b}[1;31merror[webhook-unverified]\u{1b}[0m"));
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&plain), lines(&world.write(Format::Human, &settled)));
}

#[test]
fn a_clean_repository_is_told_in_a_line() {
    let world = World::new(&[("a.ts", "x\n"), ("b.ts", "y\n")]);
    assert_eq!(world.human(vec![]), "no findings in 2 files\n");
    let quiet = Look { quiet: true, ..Look::default() };
    assert_eq!(world.write_with(Format::Human, &world.settle(vec![]), quiet), "");
}

#[test]
fn many_gaps_are_counted() {
    let mut world = World::new(&[("a.ts", "x\n")]);
    let gap = |at: usize| Gap { path: Name::new(&format!("gap{at:02}.ts")), reason: GapReason::NotUtf8 };
    world.repository.gaps = (0..13).map(gap).collect();
    let report = world.human(vec![]);
    assert!(report.contains("13 files not checked in full") && report.ends_with("    and 3 more\n"), "{report}");
}

#[test]
fn json_is_stable() {
    let (world, findings) = shop();
    let settled = world.settle(findings.clone());
    let report = world.write(Format::Json, &settled);
    assert!(!report.contains(world.folder.path().to_str().unwrap()));
    let other_order = findings.into_iter().rev().collect();
    assert_eq!(report, world.write(Format::Json, &world.settle(other_order)));
    insta::assert_snapshot!(report);
}

fn schema() -> jsonschema::Validator {
    let schema = fs::read_to_string("tests/assets/sarif-schema-2.1.0.json").unwrap();
    jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap()
}

fn assert_valid(sarif: &str) -> Value {
    let sarif: Value = serde_json::from_str(sarif).unwrap();
    let errors: Vec<String> =
        schema().iter_errors(&sarif).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    sarif
}

#[test]
fn sarif_is_valid() {
    let (world, findings) = shop();
    let mut settled = world.settle(findings);
    settled.failed.push(FailedRule { rule: "missing-timeout", message: "index out of bounds".into() });
    let report = world.write(Format::Sarif, &settled);
    let sarif = assert_valid(&report);
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let result = &run["results"][0];
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "api/hook%20%5Bx%5D.ts");
    assert_eq!(run["tool"]["driver"]["rules"][0]["properties"]["security-severity"], "8.6");
    assert!(run["tool"]["driver"]["rules"][1]["properties"].get("security-severity").is_none());
    insta::assert_snapshot!(report);
}

#[test]
fn an_empty_sarif_is_valid_and_lists_the_rules() {
    let world = World::new(&[("a.ts", "x\n")]);
    let sarif = assert_valid(&world.write(Format::Sarif, &world.settle(vec![])));
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
}

#[test]
fn sarif_counts_utf16_and_json_characters() {
    let world = World::new(&[("a.ts", "const s = '😀é'; call(s)\n")]);
    let settled = world.settle(vec![finding(&TIMEOUT, world.at("a.ts", "call(s)"), "m")]);
    let sarif = assert_valid(&world.write(Format::Sarif, &settled));
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startColumn"], &region["endColumn"]), (&18.into(), &25.into()));
    let json: Value = serde_json::from_str(&world.write(Format::Json, &settled)).unwrap();
    assert_eq!(json["findings"][0]["place"]["column"], 17);
}

#[test]
fn frames_of_odd_places() {
    let long = format!("const a = [{}]; danger(a); const b = [{}];\n", "1, ".repeat(200), "2, ".repeat(200));
    let world = World::new(&[
        ("crlf.ts", "a();\r\nb();\r\nc();\r\n"),
        ("empty.ts", ""),
        ("escape.ts", "x('\u{1b}[31m\u{202e}');\n"),
        ("long.ts", &long),
        ("tabs.ts", "\tif (x) {\n\t\tcall('日本語', y);\n\t}\n"),
    ]);
    let mut findings = vec![
        finding(&TIMEOUT, world.at("crlf.ts", "b();\r\n"), "crlf"),
        finding(&TIMEOUT, world.at("escape.ts", "x('\u{1b}[31m\u{202e}')"), "control \u{1b}[31m characters"),
        finding(&TIMEOUT, world.at("long.ts", "danger(a)"), "a long line"),
        finding(&TIMEOUT, world.at("tabs.ts", "y"), "after wide characters"),
        finding(&TIMEOUT, world.at("tabs.ts", "\tif"), "with a tab in it"),
    ];
    let file = |path: &str| world.at(path, "").file;
    for (path, start, end) in [("empty.ts", 0, 0), ("empty.ts", 70, 90), ("crlf.ts", 6, 6), ("crlf.ts", 5, 5)] {
        let place = Place { file: file(path), span: Span { start, end } };
        findings.push(finding(&TIMEOUT, place, &format!("{path} {start}..{end}")));
    }
    // The Japanese text cut in the middle of a character, past the end, and backwards.
    for (start, end) in [(25, 26), (30, 3000), (40, 20)] {
        let place = Place { file: file("tabs.ts"), span: Span { start, end } };
        findings.push(finding(&TIMEOUT, place, &format!("tabs.ts {start}..{end}")));
    }
    insta::assert_snapshot!(world.human(findings.clone()));
    for width in [0, 40, 57, 1000] {
        for unicode in [true, false] {
            let look = Look { width, unicode, ..Look::default() };
            world.write_with(Format::Human, &world.settle(findings.clone()), look);
        }
    }
    assert_valid(&world.write(Format::Sarif, &world.settle(findings)));
}

#[test]
fn a_file_that_is_gone_is_still_linked() {
    let world = World::new(&[("a.ts", "one();\ntwo();\n")]);
    let found = finding(&TIMEOUT, world.at("a.ts", "two()"), "gone");
    fs::remove_file(world.folder.path().join("a.ts")).unwrap();
    let report = world.human(vec![found.clone()]);
    assert!(report.contains("→ a.ts:2:1"), "{report}");
    assert_valid(&world.write(Format::Sarif, &world.settle(vec![found])));
}

#[test]
fn labels_near_far_and_over_each_other() {
    let filler = "filler();\n".repeat(40);
    let text = format!("const secret = read();\n{filler}handle(secret, body);\ncheck(secret);\n");
    let world = World::new(&[("a.ts", &text)]);
    let mut found = finding(&UNVERIFIED, world.at("a.ts", "handle(secret, body)"), "labels");
    found.related = vec![
        remark(
            world.at("a.ts", "check(secret)"),
            "checked only here, after the fact, which is of course much too late for the customer who has long been given the goods",
        ),
        remark(world.at("a.ts", "const secret"), "read far above"),
        remark(world.at("a.ts", "secret, body"), "over the place itself"),
    ];
    insta::assert_snapshot!(world.human(vec![found]));
}

#[test]
fn no_text_and_no_place_breaks_a_report() {
    let pieces = [
        "\t",
        "\r\n",
        "\n",
        "\r",
        "日本",
        "😀",
        "e\u{301}",
        "\u{2028}",
        "\u{0}",
        " ",
        "call(x)",
        "long".repeat(60).leak(),
    ];
    let mut state = 1_u64;
    let mut draw = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..400 {
        let text: String = (0..draw(25)).map(|_| pieces[draw(pieces.len())]).collect();
        let world = World::new(&[("a.ts", &text)]);
        let mut place = || {
            let start = draw(text.len() + 3) as u32;
            Place { file: FileId(0), span: Span { start, end: start + draw(30) as u32 } }
        };
        let mut found = finding(&TIMEOUT, place(), "found");
        found.related = (0..4).map(|_| remark(place(), "here is something that is told in some more words")).collect();
        let settled = world.settle(vec![found]);
        for width in [40, 80] {
            world.write_with(Format::Human, &settled, Look { width, ..Look::default() });
        }
        world.write(Format::Sarif, &settled);
    }
}

// Suppressions.

/// The fingerprints of a finding at each `HERE`.
fn fingerprints(text: &str) -> Vec<String> {
    let world = World::new(&[("a.ts", text)]);
    let findings = text.match_indices("HERE").map(|(at, _)| {
        let span = Span { start: at as u32, end: at as u32 + 4 };
        finding(&TIMEOUT, Place { file: FileId(0), span }, &format!("found on {at}"))
    });
    world.settle(findings.collect()).findings.into_iter().map(|it| it.fingerprint).collect()
}

#[test]
fn fingerprints_survive_what_does_not_matter() {
    let before = fingerprints("const x = 1;\nawait HERE(x);\n");
    assert_eq!(before[0].len(), 32);
    assert_eq!(before, fingerprints("// new\n\nconst renamed = 1;\n    await  HERE(x);\nmore();\n"));
    assert_eq!(before, fingerprints("const x = 1;\r\nawait HERE(x);\r\n"));
    assert_ne!(before, fingerprints("const x = 1;\nawait HERE(y);\n"));
}

#[test]
fn equal_lines_have_fingerprints_of_their_own() {
    let two = fingerprints("HERE();\nHERE();\n");
    assert_ne!(two[0], two[1]);
    assert_eq!(two, fingerprints("// new\nHERE();\nother();\nHERE();\n"));
}

#[test]
fn neither_persona_nor_suppression_changes_a_fingerprint() {
    let text = "HERE();\nHERE();\n";
    let world = World::new(&[("a.ts", text)]);
    let span = |start| Span { start, end: start + 4 };
    let mut found: Vec<_> =
        [0, 8].iter().map(|&at| finding(&TIMEOUT, Place { file: FileId(0), span: span(at) }, "found")).collect();
    found[0].auditor_only = true;
    let all = world.settle_for(Persona::Auditor, found.clone());
    assert_eq!(world.settle(found).findings[0].fingerprint, all.findings[1].fingerprint);
}

// Secrets.

#[test]
fn no_format_prints_a_secret_whole() {
    let known = ["qx", "!!", "correct horse battery"].concat();
    let live = ["sk", "_live_", "51HqLyjWDarjtT1zdp7dcXyZ"].concat();
    let hook = ["whsec", "_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].concat();
    let claims = ["eyJhbGciOiJIUzI1NiJ9", ".eyJyb2xlIjoic2VydmljZV9yb2xlIn0", ".dGhpcyBpcyBhIHNpZ25hdHVyZQ"].concat();
    let public = ["pk", "_live_", "51JkWmQvRtNbPx8sLz4fGh2Y"].concat();
    let secrets = [&known, &live, &hook, &claims];
    let text = format!("a('{known}');\nb('{live}', '{hook}');\nc('{claims}');\nd('{public}');\n");
    let mut world = World::new(&[("a.ts", &text)]);
    let token = |needle: &str, kind, world: &World| Token {
        span: world.at("a.ts", needle).span,
        vendor: Name::new("acme"),
        credential: Name::new("key"),
        kind,
        test: None,
        masked: Name::new("****"),
        hash: 0,
    };
    let tokens = vec![token(&known, TokenKind::Secret, &world), token(&public, TokenKind::Publishable, &world)];
    world.files[0].facts.as_mut().unwrap().tokens = tokens;
    let findings = ["a('", "b('", "c('", "d('"].iter().map(|needle| {
        let place = world.at("a.ts", needle);
        let mut found = finding(&UNVERIFIED, place, &format!("found {live} and {claims}"));
        found.help = format!("Do not use {hook}");
        found.subject = live.clone();
        found.related = vec![remark(place, &format!("here is {live}")), remark(world.at("a.ts", &hook), &hook)];
        found.trace = vec![remark(place, &format!("from {claims}"))];
        found
    });
    let mut settled = world.settle(findings.collect());
    settled.failed.push(FailedRule { rule: "missing-timeout", message: format!("panicked at {live}") });
    for format in [Format::Human, Format::Json, Format::Sarif] {
        for colour in [true, false] {
            let report = world.write_with(format, &settled, Look { colour, ..Look::default() });
            for secret in secrets {
                let tail = &secret[secret.len() / 2..];
                assert!(!report.contains(tail), "{format:?} shows {tail}:\n{report}");
            }
            assert!(format != Format::Human || report.contains(&public), "publishable keys may be shown:\n{report}");
        }
    }
}

#[test]
fn reasons_are_masked_too() {
    let live = ["sk", "_live_", "51HqLyjWDarjtT1zdp7dcXyZ"].concat();
    let world = World::new(&[("a.ts", &format!("// seamcheck-ignore[missing-timeout]: {live}\nHERE();\n"))]);
    let settled = world.settle(vec![finding(&TIMEOUT, world.at("a.ts", "HERE"), "found")]);
    assert_eq!(settled.suppressed.len(), 1);
    assert!(!world.write(Format::Json, &settled).contains(&live));
}

// Rules.

#[test]
fn rules_are_explained() {
    let render = |look| {
        let mut out = vec![];
        report::rules::table(RULES, look, &mut out).unwrap();
        out.extend(b"-----\n");
        report::rules::explain(&UNVERIFIED, look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!(render(Look { width: 80, ..Look::default() }));
    assert!(render(Look { colour: true, ..Look::default() }).contains("\u{1b}[36mverify\u{1b}[0m"));
}

#[test]
fn rules_as_json() {
    let mut out = vec![];
    report::rules::json(RULES, &mut out).unwrap();
    let rules: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(rules["rules"][0]["title"], "A webhook acts before it knows who sent it");
    assert_eq!(rules["rules"][1]["security_severity"], Value::Null);
}
