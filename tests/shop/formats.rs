//! Formats for machines, read by what reads them.

use std::process::Command;

use serde_json::Value;

use super::workbench::{HAZARD, RULE, Repo, program, said};

const FILE: &str = "supabase/functions/join/index.ts";

fn report(repo: &Repo, format: &str) -> String {
    said(&repo.run(&["--rule", RULE, "--format", format]).stdout)
}

#[test]
fn compact_is_a_line_a_finding() {
    let repo = Repo::with_hazard();
    let text = report(&repo, "compact");
    assert!(text.starts_with(&format!("{FILE}:5:26: warning[missing-timeout] ")), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn several_reports_of_one_scan() {
    let repo = Repo::with_hazard();
    let output =
        repo.run(&["--rule", RULE, "--format", "github", "--also", "sarif=out.sarif", "--also", "markdown=out.md"]);
    assert!(said(&output.stdout).starts_with("::warning "));
    assert!(repo.read("out.sarif").contains("\"2.1.0\"") && repo.read("out.md").starts_with("<!-- seamcheck -->"));
    repo.refuses(&["--also", "sarif"], &["write FORMAT=FILE"]);
    repo.refuses(&["--also", "sarif=no/such/x.sarif"], &["its folder does not exist"]);
}

#[test]
fn github_gets_annotations_within_its_limits() {
    let repo = Repo::new();
    for number in 0..13 {
        repo.write(&format!("supabase/functions/f{number:02}/index.ts"), HAZARD);
    }
    let text = report(&repo, "github");
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::warning ")).collect();
    assert_eq!(commands.len(), 10);
    assert!(
        commands[0].starts_with(
            "::warning file=supabase/functions/f00/index.ts,line=5,endLine=9,title=seamcheck%3A missing-timeout::"
        ),
        "{}",
        commands[0]
    );
    assert!(text.contains("::group::seamcheck: 13 findings (3 more than GitHub annotates)\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("- supabase/")).count(), 13);
    assert_eq!(text.lines().last(), Some("::endgroup::"));
}

#[cfg(unix)]
#[test]
fn no_name_of_a_file_becomes_a_command() {
    let repo = Repo::new();
    repo.write("supabase/functions/x/::error::pwned, 100%.ts", HAZARD);
    repo.write("supabase/functions/x/index.ts", "import \"./::error::pwned, 100%.ts\";\n");
    repo.write("supabase/functions/##[error]y/index.ts", HAZARD);
    repo.write("supabase/functions/<img src=x>@everyone`/index.ts", HAZARD);
    let text = report(&repo, "github");
    for line in text.lines().filter(|line| line.trim_start().starts_with("::")) {
        assert!(
            line.starts_with("::warning file=") || line.starts_with("::group::seamcheck") || line == "::endgroup::",
            "{line}"
        );
        assert_eq!(line.matches("::").count(), 2, "{line}");
    }
    assert!(text.contains("file=supabase/functions/x/%3A%3Aerror%3A%3Apwned%2C 100%25.ts"), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("- ") && line.contains("##[")), "{text}");
    let markdown = report(&repo, "markdown");
    assert!(!markdown.contains("<img") && !markdown.contains("@everyone"), "{markdown}");
    let xml = report(&repo, "junit");
    assert!(!xml.contains("<img"), "{xml}");
}

#[test]
fn gitlab_and_reviewdog_read_their_own() {
    let repo = Repo::with_hazard();
    repo.edit(FILE, "  const response = await fetch", "  /* ä */ const response = await fetch");
    let gitlab: Value = serde_json::from_str(&report(&repo, "gitlab")).unwrap();
    assert_eq!((gitlab[0]["check_name"].as_str(), gitlab[0]["severity"].as_str()), (Some(RULE), Some("major")));
    assert_eq!(
        (gitlab[0]["location"]["path"].as_str(), gitlab[0]["location"]["lines"]["begin"].as_u64()),
        (Some(FILE), Some(5))
    );
    assert_eq!(gitlab[0]["fingerprint"].as_str().unwrap().len(), 32);
    let rdjson: Value = serde_json::from_str(&report(&repo, "rdjson")).unwrap();
    let found = &rdjson["diagnostics"][0];
    assert_eq!((found["severity"].as_str(), found["code"]["value"].as_str()), (Some("WARNING"), Some(RULE)));
    // `ä` is two bytes.
    assert_eq!(
        (found["location"]["range"]["start"]["line"].as_u64(), found["location"]["range"]["start"]["column"].as_u64()),
        (Some(5), Some(35))
    );
    let empty = Repo::new();
    assert_eq!(report(&empty, "gitlab"), "[]\n");
}

#[test]
fn junit_is_well_formed() {
    let repo = Repo::with_hazard();
    repo.write("supabase/functions/a&b/index.ts", HAZARD);
    let xml = report(&repo, "junit");
    assert!(
        xml.contains("<testsuites name=\"seamcheck\" tests=\"2\" failures=\"2\">") && xml.contains("a&amp;b"),
        "{xml}"
    );
    let empty = report(&Repo::new(), "junit");
    assert!(empty.contains("tests=\"1\" failures=\"0\"") && empty.contains("no findings"), "{empty}");
    let Some(python) = program("python3") else { return };
    repo.write("out.xml", &xml);
    let read = "import sys, xml.dom.minidom; d = xml.dom.minidom.parse(sys.argv[1]); print(len(d.getElementsByTagName('failure')))";
    let output = Command::new(python).args(["-c", read]).arg(repo.at("out.xml")).output().unwrap();
    assert_eq!(said(&output.stdout).trim(), "2", "{}", said(&output.stderr));
}

#[test]
fn markdown_is_a_summary() {
    let repo = Repo::with_hazard();
    let text = report(&repo, "markdown");
    for part in [
        "<!-- seamcheck -->",
        "| errors | warnings | notes | files |",
        "| 0 | 1 | 0 | 1 |",
        "<b>missing-timeout</b>",
        "<details>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("~~~~~~").count() % 2, 0);
    assert!(report(&Repo::new(), "markdown").contains("No findings in 0 files."));
    // A comment has its limit.
    let repo = Repo::new();
    for number in 0..250 {
        repo.write(&format!("supabase/functions/f{number:03}/index.ts"), HAZARD);
    }
    let text = report(&repo, "markdown");
    assert!(text.chars().count() < 65_000 && text.contains("that find no room here"), "{}", text.len());
}

#[test]
fn sarif_keeps_the_worst_and_names_its_category() {
    let repo = Repo::new();
    let calls: String = (0..100).map(|number| format!("export async function f{number}() {{ const r = await fetch(\"https://api.brevo.com/v3/contacts/{number}\"); if (!r.ok) throw new Error(); return r.text(); }}\n")).collect();
    for number in 0..51 {
        repo.write(
            &format!("supabase/functions/f{number:02}/index.ts"),
            &format!("{calls}Deno.serve(async () => new Response(await f0()));\n"),
        );
    }
    repo.write("seamcheck.toml", "sarif-category = \"ours\"\nworkspaces = [\"supabase/functions/*\"]\n");
    repo.write("supabase/functions/zz/index.ts", HAZARD);
    let sarif: Value = serde_json::from_str(&report(&repo, "sarif")).unwrap();
    let runs = sarif["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 20, "GitHub takes twenty runs");
    assert_eq!(
        (runs[0]["automationDetails"]["id"].as_str(), runs[1]["automationDetails"]["id"].as_str()),
        (Some("ours/"), Some("ours/supabase/functions/f00/"))
    );
    assert_eq!(runs[1]["results"].as_array().unwrap().len(), 100);
    std::fs::remove_file(repo.at("seamcheck.toml")).unwrap();
    repo.write("supabase/functions/zz/seamcheck.toml", "");
    let output = repo.run(&["--rule", RULE, "--format", "sarif", "--sarif-category", "web"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "web/");
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    let said = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(said.contains("results are left out"), "{said}");
}

/// Each workspace has one category, wherever the scan starts, and no run speaks of what was not looked at.
#[test]
fn a_workspace_keeps_its_category() {
    let repo = Repo::new();
    for app in ["apps/web", "apps/admin"] {
        repo.write(&format!("{app}/package.json"), "{}");
        repo.write(&format!("{app}/supabase/functions/join/index.ts"), HAZARD);
    }
    repo.git(&["init", "-q"]);
    let runs_in = |folder: &str, args: &[&str]| -> Vec<(String, usize)> {
        let mut command = repo.command();
        command.current_dir(repo.at(folder)).args(["--rule", RULE, "--format", "sarif"]).args(args);
        let sarif: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let run = |run: &Value| {
            let id = run["automationDetails"]["id"].as_str().unwrap().to_owned();
            (id, run["results"].as_array().unwrap().len())
        };
        sarif["runs"].as_array().unwrap().iter().map(run).collect()
    };
    let runs = |args: &[&str]| runs_in(".", args);
    let of = |ids: &[(&str, usize)]| -> Vec<(String, usize)> {
        ids.iter().map(|(id, results)| ((*id).to_owned(), *results)).collect()
    };
    assert_eq!(runs(&[]), of(&[("seamcheck/", 2)]));
    let said = [
        ("package.json", "{\"workspaces\": [\"apps/*\"]}"),
        ("pnpm-workspace.yaml", "packages:\n  - 'apps/*'\n  - '!apps/none'\n"),
        ("seamcheck.toml", "workspaces = [\"apps/*\"]\n"),
    ];
    for (file, text) in said {
        repo.write(file, text);
        let whole = of(&[("seamcheck/", 0), ("seamcheck/apps/admin/", 1), ("seamcheck/apps/web/", 1)]);
        assert_eq!(runs(&[]), whole, "{file}");
        let web = of(&[("seamcheck/apps/web/", 1)]);
        assert_eq!(runs(&["apps/web"]), web, "{file}");
        assert_eq!(runs_in("apps/web", &[]), web, "{file}");
        assert_eq!(runs(&["apps/web", "apps/admin"]), whole[1..], "{file}");
        let named = of(&[("seamcheck/apps/web/", 1)]);
        assert_eq!(runs(&["apps/web", "--sarif-category", "seamcheck/apps/web"]), named, "{file}");
        std::fs::remove_file(repo.at(file)).unwrap();
    }
    // One that configures itself.
    repo.write("apps/web/seamcheck.toml", "");
    assert_eq!(runs(&["apps/web"]), of(&[("seamcheck/apps/web/", 1)]));
}

#[test]
fn compact_is_seen_from_where_it_runs() {
    let repo = Repo::committed();
    repo.write("package.json", "{}");
    let first = |folder: &str, args: &[&str]| {
        let mut command = repo.command();
        command.current_dir(repo.at(folder)).args(["--rule", RULE, "--format", "compact"]).args(args);
        said(&command.output().unwrap().stdout).split(':').next().unwrap().to_owned()
    };
    assert_eq!(first(".", &[]), FILE);
    assert_eq!(first("supabase", &[]), "functions/join/index.ts");
    assert_eq!(first("supabase/functions/join", &["../.."]), "index.ts");
    std::fs::create_dir(repo.at("src")).unwrap();
    assert_eq!(first("src", &["../supabase"]), format!("../{FILE}"));
}

#[test]
fn where_reports_go() {
    let repo = Repo::with_hazard();
    let output = repo.run(&["--rule", RULE, "--format", "compact", "-o", "-"]);
    assert!(said(&output.stdout).starts_with(FILE) && !repo.at("-").exists());
    repo.refuses(&["-o", "x", "--also", "sarif=x"], &["two reports are to go to `x`"]);
    // Nothing to look at is no success that goes without a word.
    std::fs::create_dir(repo.at("empty")).unwrap();
    let output = repo.command().current_dir(repo.at("empty")).output().unwrap();
    assert!(output.status.success() && said(&output.stderr).contains("nothing was checked"));
    repo.refuses(&["--as-of", "2026-02-30"], &["there is no day 2026-02-30"]);
}

/// What is due is told in every format, or beside it.
#[test]
fn every_report_says_what_is_due() {
    let repo = Repo::with_hazard();
    repo.write("seamcheck.toml", "[[reviews]]\ndate = \"2026-01-01\"\nwhat = \"the terms of Brevo\"\n");
    for format in ["human", "json", "sarif", "github", "gitlab", "junit", "rdjson", "markdown", "compact", "counts"] {
        let output = repo.run(&["--format", format]);
        let told = super::workbench::folded(&[output.stdout, output.stderr].concat());
        assert!(told.contains("the terms of Brevo"), "{format}: {told}");
    }
}

/// GitHub's own rules, in the validator of those who made SARIF.
#[test]
fn the_validator_has_nothing_to_say() {
    let Some(multitool) = program("sarif-multitool") else { return };
    let repo = Repo::committed();
    repo.write("src/pay.ts", "export const pay = (body: string) => fetch(\"https://api.stripe.com/v1/charges\", { method: \"POST\", body });\n");
    let output = repo.run(&["--persona", "auditor", "--format", "sarif", "-o", "out.sarif"]);
    assert_ne!(output.status.code(), Some(2));
    let validated = |file: &str| {
        let output = Command::new(&multitool)
            // The package hands its arguments to a shell.
            .args([
                "validate",
                file,
                "--output",
                "said.sarif",
                "--rule-kind",
                "\"Sarif;Ghas\"",
                "--log",
                "ForceOverwrite",
            ])
            .current_dir(repo.path())
            .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .output()
            .unwrap();
        assert!(repo.at("said.sarif").exists(), "{}{}", said(&output.stdout), said(&output.stderr));
        let log: Value = serde_json::from_str(repo.read("said.sarif").trim_start_matches('\u{feff}')).unwrap();
        log["runs"][0]["results"].as_array().cloned().unwrap_or_default()
    };
    // It does look: a result without a message is a fault.
    let mut broken: Value = serde_json::from_str(&repo.read("out.sarif")).unwrap();
    broken["runs"][0]["results"][0].as_object_mut().unwrap().remove("message");
    repo.write("broken.sarif", &broken.to_string());
    assert!(!validated("broken.sarif").is_empty());
    let results = validated("out.sarif");
    let faults: Vec<String> = results
        .iter()
        .filter(|result| result["level"] != "note")
        .map(|result| format!("{} {}", result["ruleId"], result["message"]))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
