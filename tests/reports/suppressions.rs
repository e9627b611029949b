//! What suppression comments, personas and severities leave of the findings.

use seamcheck::facts::ExprKind;
use seamcheck::settle::Problem;

use super::*;

fn suppress(path: &'static str, text: &str, persona: Persona) -> (usize, Vec<String>, Vec<Problem>) {
    let world = World::new(&[(path, text)]);
    let findings = text.match_indices("HERE").map(|(at, _)| {
        let span = Span { start: at as u32, end: at as u32 + 4 };
        finding(&TIMEOUT, Place { file: FileId(0), span }, "found")
    });
    let settled = world.settle_for(persona, findings.collect());
    let reasons = settled.suppressed.iter().map(|it| it.reason.clone()).collect();
    (settled.findings.len(), reasons, settled.ignore_problems.into_iter().map(|it| it.problem).collect())
}

fn suppressed(path: &'static str, text: &str) -> bool {
    let (left, reasons, problems) = suppress(path, text, Persona::Regular);
    assert!(problems.iter().all(|problem| problem.kind() == "unused"), "{problems:?}");
    left == 0 && reasons == ["it is fine"]
}

#[test]
fn every_comment_style() {
    assert!(suppressed("a.ts", "HERE(); // seamcheck-ignore[missing-timeout]: it is fine\n"));
    assert!(suppressed("a.ts", "// seamcheck-ignore[missing-timeout]: it is fine\nHERE();\n"));
    assert!(suppressed("a.ts", "//seamcheck-ignore[missing-timeout] : it is fine\r\nHERE();\r\n"));
    assert!(suppressed("a.ts", "/* seamcheck-ignore[missing-timeout]: it is fine */ HERE();\n"));
    assert!(suppressed("a.tsx", "<p>\n{/* seamcheck-ignore[missing-timeout]: it is fine */}\n<HERE />\n</p>\n"));
    assert!(suppressed("a.tsx", "<p>{/* seamcheck-ignore[missing-timeout]: it is fine */}<HERE /></p>\n"));
    assert!(suppressed("a.py", "HERE()  # seamcheck-ignore[missing-timeout]: it is fine\n"));
    assert!(suppressed("a.py", "# seamcheck-ignore[missing-timeout]: it is fine\nHERE()\n"));
    assert!(suppressed(".env.local", "# seamcheck-ignore[missing-timeout]: it is fine\nHERE=1\n"));
    assert!(suppressed("a.sql", "-- seamcheck-ignore[missing-timeout]: it is fine\nselect HERE;\n"));
    assert!(suppressed("a.html", "<!-- seamcheck-ignore[missing-timeout]: it is fine -->\n<script src=HERE>\n"));
    assert!(suppressed("a.vue", "<script>\n// seamcheck-ignore[missing-timeout]: it is fine\nHERE()\n"));
}

#[test]
fn stacks_and_lists() {
    let several = "// seamcheck-ignore[webhook-unverified, missing-timeout]: it is fine\nHERE();\n";
    assert!(suppressed("a.ts", several));
    let stack = "// seamcheck-ignore[missing-timeout]: it is fine\n// seamcheck-ignore[webhook-unverified]: other\n// @ts-expect-error\nHERE();\n";
    assert!(suppressed("a.ts", stack));
}

#[test]
fn what_does_not_suppress() {
    for text in [
        // A blank line or code between.
        "// seamcheck-ignore[missing-timeout]: it is fine\n\nHERE();\n",
        "// seamcheck-ignore[missing-timeout]: it is fine\nother();\nHERE();\n",
        // At the end of a line it covers that line only.
        "other(); // seamcheck-ignore[missing-timeout]: it is fine\nHERE();\n",
        // Another rule.
        "// seamcheck-ignore[webhook-unverified]: it is fine\nHERE();\n",
        // No comment, or another language's.
        "log('seamcheck-ignore[missing-timeout]: it is fine'); HERE();\n",
        "# seamcheck-ignore[missing-timeout]: it is fine\nHERE();\n",
        // Talk about it.
        "// see seamcheck-ignore[missing-timeout]: it is fine\nHERE();\n",
    ] {
        let (left, reasons, problems) = suppress("a.ts", text, Persona::Regular);
        let problems: Vec<&str> = problems.iter().map(Problem::kind).filter(|kind| *kind != "unused").collect();
        assert_eq!((left, reasons, problems), (1, vec![], vec![]), "{text}");
    }
}

#[test]
fn a_suppression_in_a_string_is_none() {
    let text = "log(`\n// seamcheck-ignore[missing-timeout]: it is fine\nHERE`);\n";
    let mut world = World::new(&[("a.ts", text)]);
    let span = Span { start: 4, end: text.rfind(')').unwrap() as u32 };
    let mut builder = Builder::new(Language::TypeScript, text);
    builder.expr(span, ExprKind::Text(Name::new("text")));
    world.files[0].facts = Some(builder.finish());
    let settled = world.settle(vec![finding(&TIMEOUT, world.at("a.ts", "HERE"), "found")]);
    assert_eq!(settled.findings.len(), 1);
}

#[test]
fn a_reason_and_a_rule_are_required() {
    let problems = |text: &str| {
        let (left, _, problems) = suppress("a.ts", text, Persona::Regular);
        assert_eq!(left, 1);
        problems
    };
    for reason in ["", ":", ":   ", " because it is fine"] {
        let text = format!("// seamcheck-ignore[missing-timeout]{reason}\nHERE();\n");
        assert_eq!(problems(&text), [Problem::NoReason("missing-timeout".into())]);
    }
    assert_eq!(problems("// seamcheck-ignore: it is fine\nHERE();\n"), [Problem::NoRule]);
    assert_eq!(problems("// seamcheck-ignore[]: it is fine\nHERE();\n"), [Problem::NoRule]);
    let unknown = problems("// seamcheck-ignore[mising-timeout]: it is fine\nHERE();\n");
    assert_eq!(unknown, [Problem::UnknownRule("mising-timeout".into(), Some("missing-timeout"))]);
    assert!(unknown[0].to_string().ends_with("did you mean `missing-timeout`?"));
}

#[test]
fn unused_ones_are_told() {
    let text = "// seamcheck-ignore[missing-timeout, webhook-unverified]: it is fine\nHERE();\n";
    let (_, _, problems) = suppress("a.ts", text, Persona::Auditor);
    assert_eq!(problems, [Problem::Unused("webhook-unverified".into())]);
    // Also in files without findings.
    let (_, _, problems) = suppress("a.ts", "// seamcheck-ignore[missing-timeout]: it is fine\n", Persona::Auditor);
    assert_eq!(problems, [Problem::Unused("missing-timeout".into())]);
    let (_, _, problems) = suppress("a.ts", text, Persona::Regular);
    assert_eq!(problems.len(), 1);
    // Of a part of a repository nothing is concluded.
    let world = World::new(&[("a.ts", text)]);
    let part = Choices { unused: false, ..choices(Persona::Regular) };
    assert!(settle(&world.files, &world.repository, vec![], &part).ignore_problems.is_empty());
    let world = World::new(&[("a.ts", text)]);
    let only = Choices { ran: vec!["missing-timeout"], ..choices(Persona::Auditor) };
    let settled = settle(&world.files, &world.repository, vec![], &only);
    assert_eq!(settled.ignore_problems.len(), 1, "a rule that did not run is not called unused");
}

#[test]
fn suppressions_can_be_set_aside() {
    let world = World::new(&[("a.ts", "// seamcheck-ignore[missing-timeout]: it is fine\nHERE();\n")]);
    let found = vec![finding(&TIMEOUT, world.at("a.ts", "HERE"), "found")];
    let none = Choices { honour_suppressions: false, ..choices(Persona::Regular) };
    assert_eq!(settle(&world.files, &world.repository, found.clone(), &none).findings.len(), 1);
    let settled = world.settle(found);
    assert!(settled.findings.is_empty() && settled.worst().is_none());
    let json: Value = serde_json::from_str(&world.write(Format::Json, &settled)).unwrap();
    assert_eq!(json["suppressed"][0]["reason"], "it is fine");
    assert!(assert_valid(&world.write(Format::Sarif, &settled))["runs"][0]["results"].as_array().unwrap().is_empty());
    assert_eq!(world.write(Format::Human, &settled), "no findings in 1 file\n  1 suppressed by comments\n");
}

// Choices.

#[test]
fn persona_and_severity_choose() {
    let world = World::new(&[("a.ts", "a(); b(); c(); d();\n")]);
    let mut findings: Vec<_> = ["a()", "b()", "c()", "d()"]
        .iter()
        .map(|needle| finding(&TIMEOUT, world.at("a.ts", needle), "found"))
        .collect();
    findings[0].severity = Severity::Note;
    findings[1].confidence = Confidence::Low;
    findings[2].auditor_only = true;
    let regular = world.settle(findings.clone());
    assert_eq!((regular.findings.len(), regular.hidden_by_persona.total()), (2, 2));
    assert_eq!(world.settle_for(Persona::Auditor, findings.clone()).findings.len(), 4);
    let warnings = Choices { min_severity: Severity::Warning, ..choices(Persona::Regular) };
    let settled = settle(&world.files, &world.repository, findings, &warnings);
    assert_eq!((settled.counts.total(), settled.hidden_by_severity.note), (1, 1));
}

#[test]
fn findings_told_twice_are_told_once() {
    let world = World::new(&[("a.ts", "a();\n")]);
    let found = finding(&TIMEOUT, world.at("a.ts", "a()"), "found");
    assert_eq!(world.settle(vec![found.clone(), found]).findings.len(), 1);
}
