//! Comments that suppress: days, files, and those that suppress nothing.

use super::workbench::{Repo, folded, said};

const FILE: &str = "supabase/functions/join/index.ts";
const CALL: &str = "  const response = await fetch";

fn with_comment(comment: &str) -> Repo {
    let repo = Repo::with_hazard();
    repo.edit(FILE, CALL, &format!("  {comment}\n{CALL}"));
    repo
}

#[test]
fn a_day_ends_a_suppression() {
    let repo = with_comment("// seamcheck-ignore[missing-timeout] until=2026-12-31: the gateway ends it");
    let report = repo.json(&["--as-of", "2026-12-31"]);
    assert_eq!(
        (report["suppressed"][0]["reason"].as_str(), report["suppressed"][0]["by"].as_str()),
        (Some("the gateway ends it"), Some("comment"))
    );
    let report = repo.json(&["--as-of", "2027-01-01"]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["ignore_problems"][0]["problem"], "expired");
    for none in ["soon", "2029-02-29"] {
        let repo = with_comment(&format!("// seamcheck-ignore[missing-timeout] until={none}: the gateway ends it"));
        assert_eq!(repo.json(&[])["ignore_problems"][0]["problem"], "no-day", "{none}");
        assert_eq!(repo.places(&[]).len(), 1);
    }
}

#[test]
fn a_file_can_be_excused() {
    let repo = Repo::with_hazard();
    let text = repo.read(FILE);
    repo.write(FILE, &format!("// seamcheck-ignore-file[missing-timeout]: a prototype\n{text}"));
    let report = repo.json(&[]);
    assert_eq!(
        (report["suppressed"][0]["reason"].as_str(), report["suppressed"][0]["by"].as_str()),
        (Some("a prototype"), Some("file-comment"))
    );
    assert_eq!(repo.json(&["--no-ignores"])["findings"].as_array().unwrap().len(), 1);
    repo.write(FILE, &format!("// seamcheck-ignore-file: everything\n{text}"));
    assert_eq!(repo.json(&[])["ignore_problems"][0]["problem"], "no-rule");
}

#[test]
fn unknown_ids_are_told() {
    let repo = with_comment("// seamcheck-ignore[mising-timeout]: the gateway ends it");
    let human = folded(&repo.run(&["--rule", "missing-timeout"]).stdout);
    assert!(human.contains("did you mean `missing-timeout`?"), "{human}");
}

#[test]
fn unused_ones_are_told_and_removed() {
    let repo = Repo::with_hazard();
    let call = "  // seamcheck-ignore[missing-timeout, webhook-unverified]: both\n  const response = await fetch";
    repo.edit(FILE, CALL, call);
    repo.edit(
        FILE,
        "return new Response(\"ok\");",
        "return new Response(\"ok\"); // seamcheck-ignore[missing-timeout]: nothing here",
    );
    repo.write(
        "src/App.tsx",
        "export const App = () => (\n  <p>\n    {/* seamcheck-ignore[missing-timeout]: old */}\n    text\n  </p>\n);\n",
    );
    repo.write("app.py", "import os\n# seamcheck-ignore[missing-timeout]: old\nx = 1\n");
    let output = repo.run(&["--format", "compact"]);
    assert!(said(&output.stdout).contains("app.py:2:3: warning[suppression] "), "{}", said(&output.stdout));
    let output = repo.run(&["--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let unused: Vec<String> = report["ignore_problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{} {}:{}",
                it["problem"].as_str().unwrap(),
                it["place"]["path"].as_str().unwrap(),
                it["place"]["line"]
            )
        })
        .collect();
    assert_eq!(
        unused,
        ["unused app.py:2", "unused src/App.tsx:3", &format!("unused {FILE}:5"), &format!("unused {FILE}:12")]
    );
    // Of one file alone nothing is concluded.
    let output = repo.run(&["--format", "json", "app.py"]);
    assert!(said(&output.stdout).contains("\"ignore_problems\": []"));
    let output = repo.run(&["--fix-suppressions"]);
    assert!(said(&output.stderr).contains("4 unused suppressions removed from 3 files"), "{}", said(&output.stderr));
    assert_eq!(repo.read("app.py"), "import os\nx = 1\n");
    assert_eq!(repo.read("src/App.tsx"), "export const App = () => (\n  <p>\n    text\n  </p>\n);\n");
    let text = repo.read(FILE);
    assert!(
        text.contains("  // seamcheck-ignore[missing-timeout]: both\n")
            && text.contains("return new Response(\"ok\");\n"),
        "{text}"
    );
    assert!(said(&repo.run(&["--fix-suppressions"]).stderr).contains("0 unused suppressions"));
}

#[test]
fn comments_beside_code_and_marks_of_bytes_survive() {
    let repo = Repo::new();
    repo.write(
        "a.ts",
        "\u{feff}const a = 1; /* seamcheck-ignore[missing-timeout]: old */ const b = 2;\r\nconst c = 3;\r\n",
    );
    repo.run(&["--fix-suppressions"]);
    assert_eq!(repo.read("a.ts"), "\u{feff}const a = 1; const b = 2;\r\nconst c = 3;\r\n");
}

/// A part shows less of the program: what a comment suppresses there can hang on a caller elsewhere.
#[test]
fn of_a_part_nothing_is_concluded() {
    let repo = Repo::committed();
    repo.write("package.json", "{}");
    repo.write("src/a.ts", "// seamcheck-ignore[missing-timeout]: a caller elsewhere\nexport const a = 1;\n");
    let text = repo.read("src/a.ts");
    repo.refuses(&["--fix-suppressions", "src"], &["by a scan of the whole repository"]);
    let within = repo.command().current_dir(repo.at("src")).args(["--fix-suppressions"]).output().unwrap();
    assert_eq!((within.status.code(), repo.read("src/a.ts")), (Some(2), text));
    for args in [&["src"][..], &["src", "supabase"]] {
        let output = repo.run(&[&["--format", "json"], args].concat());
        assert!(said(&output.stdout).contains("\"ignore_problems\": []"), "{args:?}");
    }
    let output = repo.run(&["--fix-suppressions"]);
    assert!(said(&output.stderr).contains("1 unused suppression removed from 1 file"), "{}", said(&output.stderr));
}
