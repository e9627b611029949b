//! Adopting the tool on an old repository: only what is new fails.

use super::workbench::{HAZARD, RULE, Repo, folded, said};

const FILE: &str = "supabase/functions/join/index.ts";
const BASELINE: &str = ".seamcheck-baseline.json";

fn adopted() -> Repo {
    let repo = Repo::with_hazard();
    let output = repo.run(&["baseline"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    assert!(said(&output.stderr).contains("accepted"), "{}", said(&output.stderr));
    repo
}

fn is_clean(repo: &Repo) -> bool {
    repo.places(&[]).is_empty()
}

#[test]
fn what_was_there_is_not_told_again() {
    let repo = adopted();
    assert_eq!(repo.run(&[]).status.code(), Some(0));
    let human = folded(&repo.run(&["--rule", RULE]).stdout);
    assert!(human.contains("1 in the baseline"), "{human}");
    assert_eq!(repo.json(&[])["summary"]["hidden_by_baseline"]["warning"], 1);
    for shown in ["--no-baseline", "--no-ignores", "--isolated"] {
        assert_eq!(repo.places(&[shown]).len(), 1, "{shown}");
    }
    assert_eq!(repo.places(&["--baseline", BASELINE]).len(), 0);
    repo.refuses(&["--baseline", "nowhere.json"], &["there is no baseline `nowhere.json`", "seamcheck baseline"]);
}

#[test]
fn moved_lines_renamed_neighbours_and_formatters_change_nothing() {
    let repo = Repo::new();
    let text = "export async function contact(email: string) {\n  const answer = await fetch('https://api.brevo.com/v3/contacts', { method: 'POST', body: JSON.stringify({ email }) });\n  if (!answer.ok) throw new Error('brevo');\n}\nDeno.serve(async (req) => {\n  await contact(await req.text());\n  return new Response('ok');\n});\n";
    repo.write(FILE, text);
    repo.run(&["baseline"]);
    assert!(is_clean(&repo));
    // Moved.
    repo.write(FILE, &format!("// a note\n\nconst before = 1;\n{text}"));
    assert!(is_clean(&repo));
    // The function and what stands around renamed.
    repo.write(FILE, &text.replace("contact(", "addContact(").replace("answer", "reply"));
    assert!(is_clean(&repo), "{:?}", repo.places(&[]));
    // Reformatted: double quotes, broken lines, trailing commas.
    let formatted = text.replace('\'', "\"").replace("fetch(\"https://api.brevo.com/v3/contacts\", { method: \"POST\", body: JSON.stringify({ email }) })", "fetch(\n    \"https://api.brevo.com/v3/contacts\",\n    {\n      method: \"POST\",\n      body: JSON.stringify({ email }),\n    },\n  )");
    assert_ne!(formatted, text.replace('\'', "\""));
    repo.write(FILE, &formatted);
    assert!(is_clean(&repo), "{:?}", repo.places(&[]));
    // Something else is new.
    repo.write(FILE, &text.replace("v3/contacts", "v3/events"));
    assert_eq!(repo.places(&[]).len(), 1);
}

/// Two findings of one call: the cure of one adds to the call, and the other is still the one that was accepted.
#[test]
fn a_mended_neighbour_changes_nothing() {
    let repo = Repo::new();
    let path = "app/api/welcome/route.ts";
    let call = "resend.emails.send({ from: \"a@example.com\", to, subject: \"Welcome\", html: \"<p>Hi</p>\" })";
    let text = format!(
        "import {{ Resend }} from \"resend\";\nconst resend = new Resend(process.env.RESEND_API_KEY);\n\
         export async function POST(req: Request) {{\n  const {{ to }} = await req.json();\n  \
         const {{ error }} = await {call};\n  if (error) return new Response(\"failed\", {{ status: 502 }});\n  \
         return new Response(\"ok\");\n}}\n"
    );
    repo.write(path, &text);
    let of_call = |args: &[&str]| {
        let report = repo.run(&[&["--format", "compact"], args].concat());
        let said = said(&report.stdout);
        said.lines().filter(|line| line.contains("resend.emails.send")).count()
    };
    assert!(of_call(&[]) > 1, "{}", said(&repo.run(&["--format", "compact"]).stdout));
    repo.run(&["baseline"]);
    assert_eq!(of_call(&[]), 0);
    let all = of_call(&["--no-baseline"]);
    // A key, in front of what was there and behind it, formatted anew.
    let cured = [
        call.replace("})", "}, { idempotencyKey: `welcome/${to}` })"),
        call.replace("({ from", "({\n    headers: { \"X-Entity-Ref-ID\": to },\n    from"),
        call.replace(", to,", ",\n    to,\n    replyTo: \"b@example.com\",\n   "),
    ];
    for cured in &cured {
        repo.write(path, &text.replace(call, cured));
        assert_eq!(of_call(&[]), 0, "{cured}: {}", said(&repo.run(&["--format", "compact"]).stdout));
    }
    repo.write(path, &text.replace(call, &cured[0]));
    assert!(of_call(&["--no-baseline"]) < all, "the cure mends one");
    assert!(folded(&repo.run(&[]).stdout).contains("1 finding of the baseline mended"));
    repo.run(&["baseline", "--prune"]);
    assert_eq!(of_call(&[]), 0);
    // Another call in its place is new.
    repo.write(path, &text.replace("Welcome", "Reminder"));
    assert!(of_call(&[]) > 1);
}

#[test]
fn one_entry_hides_one_finding() {
    let repo = adopted();
    repo.edit(
        FILE,
        "  return new Response(\"ok\");",
        &format!(
            "{}\n  return new Response(\"ok\");",
            HAZARD.lines().skip(4).take(5).collect::<Vec<_>>().join("\n").replace("response", "again")
        ),
    );
    assert_eq!(repo.places(&[]).len(), 1, "the second call of the same form is new");
    repo.write("supabase/functions/copy/index.ts", HAZARD);
    assert_eq!(repo.places(&[]).len(), 2, "in another file it is new");
}

#[test]
fn what_is_mended_is_pruned() {
    let repo = adopted();
    let before = repo.read(BASELINE);
    repo.edit(FILE, "    method: \"POST\",", "    method: \"POST\",\n    signal: AbortSignal.timeout(10_000),");
    let human = folded(&repo.run(&[]).stdout);
    assert!(human.contains("of the baseline mended: seamcheck baseline --prune"), "{human}");
    // Pruning adds nothing, though there is something new.
    repo.write("supabase/functions/new/index.ts", HAZARD);
    let output = repo.run(&["baseline", "--prune"]);
    assert!(said(&output.stderr).contains("dropped"), "{}", said(&output.stderr));
    assert!(repo.read(BASELINE).lines().count() < before.lines().count());
    assert_eq!(repo.places(&[]), ["supabase/functions/new/index.ts:5"]);
    repo.refuses(&["baseline", "--prune", "--rule", RULE], &["pruned by all rules"]);
    for change in ["--staged", "--hook"] {
        repo.refuses(&["baseline", change], &["the whole repository"]);
    }
    for report in [&["--format", "json"][..], &["-o", "x.json"], &["--also", "json=x.json"], &["--fix-suppressions"]] {
        repo.refuses(&[&["baseline"], report].concat(), &["a baseline is no report", "--baseline FILE"]);
    }
}

/// What did not run says nothing of what was accepted.
#[test]
fn one_rule_alone_mends_no_other() {
    let repo = adopted();
    let mended = |args: &[&str]| {
        let report: serde_json::Value =
            serde_json::from_slice(&repo.run(&[&["--format", "json"], args].concat()).stdout).unwrap();
        report["summary"]["mended"].as_u64().unwrap()
    };
    for args in [&["--rule", RULE][..], &["--rule", "env-unchecked"], &["--skip", RULE], &[]] {
        assert_eq!(mended(args), 0, "{args:?}");
    }
    repo.edit(FILE, "    method: \"POST\",", "    method: \"POST\",\n    signal: AbortSignal.timeout(10_000),");
    assert_eq!((mended(&["--rule", RULE]), mended(&["--rule", "env-unchecked"])), (1, 0));
}

#[test]
fn it_merges_and_holds_no_secret() {
    let repo = Repo::new();
    let secret = format!("sk_live_{}", "9fK2mQ7xW4rT8vZ1bN6cL3hJ5pD0sAyE");
    repo.write("src/pay.ts", &format!("export const stripeKey = \"{secret}\";\n"));
    repo.write("supabase/functions/b/index.ts", HAZARD);
    repo.write("supabase/functions/a/index.ts", HAZARD);
    repo.run(&["baseline"]);
    let text = repo.read(BASELINE);
    assert!(!text.contains(&secret[10..]) && text.contains("secret-in-repo"), "{text}");
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.remove(0), lines.pop()), ("{\"version\": 1, \"findings\": [", Some("{}]}")));
    assert!(lines.is_sorted() && lines.iter().all(|line| line.ends_with("},")), "{text}");
    // Another secret in its place is told though its form is the same.
    repo.run(&["baseline"]);
    assert_eq!(repo.read(BASELINE), text);
    repo.write(BASELINE, "<<<<<<< HEAD\n");
    repo.refuses(&[], &["cannot be read", "keep the lines of both sides"]);
    // Two branches that add different findings merge by themselves.
    let merged = text.replace(
        "{}]}",
        "{\"path\":\"z.ts\",\"rule\":\"missing-timeout\",\"about\":\"x\",\"code\":\"0\",\"around\":\"0\"},\n{}]}",
    );
    repo.write(BASELINE, &merged);
    assert_eq!(repo.run(&[]).status.code(), Some(0));
}

#[test]
fn another_persona_is_not_flooded() {
    let repo = adopted();
    repo.run(&["baseline", "--persona", "auditor"]);
    let report = repo.run(&["--persona", "auditor", "--fail-on", "note"]);
    assert_eq!(report.status.code(), Some(0), "{}", said(&report.stdout));
}

#[test]
fn a_part_of_the_repository_goes_by_it_too() {
    let repo = Repo::new();
    let file = format!("apps/web/{FILE}");
    repo.write(&file, HAZARD);
    repo.write(&format!("apps/website/{FILE}"), HAZARD);
    repo.git(&["init", "-q"]);
    repo.run(&["baseline"]);
    let text = repo.read(BASELINE);
    for part in ["apps", "apps/web", file.as_str()] {
        let report = repo.json(&[part]);
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{part}");
        assert_ne!(report["summary"]["hidden_by_baseline"]["warning"], 0, "{part}");
        assert_eq!(report["summary"]["mended"], 0, "{part} says nothing of the rest");
    }
    let below = repo.command().current_dir(repo.at("apps/web")).args(["--rule", RULE]).output().unwrap();
    assert!(said(&below.stdout).contains("1 in the baseline"), "{}", said(&below.stdout));
    // Nor does a part rewrite what the whole was accepted for.
    for args in [&["baseline", "apps/web"][..], &["baseline", "--prune", "apps"]] {
        repo.refuses(args, &["is only a part of what"]);
    }
    assert_eq!(repo.read(BASELINE), text);
    // One of its own is heeded where it lies.
    let own = repo.run(&["baseline", "apps/web", "--baseline", "apps/web/.seamcheck-baseline.json"]);
    assert_eq!(own.status.code(), Some(0), "{}", said(&own.stderr));
    std::fs::remove_file(repo.at(BASELINE)).unwrap();
    assert!(repo.places(&["apps/web"]).is_empty());
    assert_eq!(repo.places(&[]).len(), 2, "it hides nothing from a scan of the whole");
}

#[test]
fn a_renamed_file_keeps_its_findings() {
    let repo = adopted();
    std::fs::create_dir_all(repo.at("supabase/functions/register")).unwrap();
    std::fs::rename(repo.at(FILE), repo.at("supabase/functions/register/index.ts")).unwrap();
    assert!(is_clean(&repo), "{:?}", repo.places(&[]));
    // One entry hides one finding, wherever it went.
    repo.write("supabase/functions/signup/index.ts", HAZARD);
    assert_eq!(repo.places(&[]).len(), 1);
    std::fs::remove_file(repo.at("supabase/functions/signup/index.ts")).unwrap();
    // Pruning notes where it is now; then a copy at the old place is new.
    repo.run(&["baseline", "--prune"]);
    assert!(repo.read(BASELINE).contains("functions/register/") && !repo.read(BASELINE).contains("functions/join/"));
    repo.write(FILE, HAZARD);
    assert_eq!(repo.places(&[]), [format!("{FILE}:5")]);
}

#[test]
fn two_branches_merge_by_union() {
    let repo = Repo::committed();
    repo.write(".gitattributes", ".seamcheck-baseline.json merge=union\n");
    repo.run(&["baseline"]);
    repo.commit("adopt");
    // Both add right beside each other.
    for branch in ["one", "two"] {
        repo.git(&["checkout", "-q", "-b", branch, "main"]);
        repo.write(&format!("supabase/functions/new-{branch}/index.ts"), HAZARD);
        repo.run(&["baseline"]);
        repo.commit(branch);
    }
    repo.git(&["merge", "-q", "-m", "both", "one"]);
    assert!(is_clean(&repo), "{:?}\n{}", repo.places(&[]), repo.read(BASELINE));
    assert_eq!(repo.json(&["--no-baseline"])["findings"].as_array().unwrap().len(), 3);
}

/// What was not looked at is neither mended nor forgotten: a part, however it is chosen, and one rule.
#[test]
fn what_was_not_looked_at_is_kept() {
    let repo = Repo::new();
    let other = "api/join.ts";
    repo.write("package.json", "{}");
    repo.write(FILE, HAZARD);
    repo.write(other, &HAZARD.replace("brevo", "resend"));
    repo.git(&["init", "-q"]);
    repo.run(&["baseline"]);
    let text = repo.read(BASELINE);
    assert_eq!(repo.run(&[]).status.code(), Some(0));
    let within = |folder: &str, args: &[&str]| repo.command().current_dir(repo.at(folder)).args(args).output().unwrap();
    for (folder, args) in [(".", &["baseline", "--prune", "api"][..]), ("api", &["baseline", "--prune"])] {
        let output = within(folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(folded(&output.stderr).contains("pruned by a scan of the whole repository"), "{args:?}");
    }
    let written = [
        (".", &["baseline", "api"][..], "kept as only a part was scanned"),
        ("supabase", &["baseline"], "kept as only a part was scanned"),
        (".", &["baseline", "--rule", RULE], "of other rules kept"),
        (".", &["baseline", "--skip", RULE], "of other rules kept"),
    ];
    for (folder, args, what) in written {
        let output = within(folder, args);
        assert!(folded(&output.stderr).contains(what), "{args:?}: {}", said(&output.stderr));
        let now = repo.read(BASELINE);
        // A part may report what the whole does not.
        assert!(text.lines().all(|line| now.contains(line)), "{args:?} in {folder}: {now}");
        assert_eq!(repo.run(&[]).status.code(), Some(0));
        repo.write(BASELINE, &text);
    }
    // What is new in the part is accepted beside it.
    repo.write("supabase/functions/again/index.ts", HAZARD);
    assert_eq!(repo.places(&[]).len(), 1);
    repo.run(&["baseline", "supabase/functions/again"]);
    assert!(is_clean(&repo) && repo.read(BASELINE).contains("functions/again/"));
    assert_eq!(repo.run(&[]).status.code(), Some(0));
    // A part says nothing of what is mended, wherever it was typed; the whole does.
    std::fs::remove_file(repo.at("supabase/functions/again/index.ts")).unwrap();
    for (folder, args) in [(".", &["supabase"][..]), ("supabase", &[])] {
        let said = folded(&within(folder, args).stdout);
        assert!(!said.contains("of the baseline mended"), "{args:?} in {folder}: {said}");
    }
    assert!(folded(&repo.run(&[]).stdout).contains("of the baseline mended"));
    repo.run(&["baseline", "--prune"]);
    assert_eq!(repo.read(BASELINE), text);
}

/// A file that a merge left in conflict, or that a slip makes unreadable, hides what was found in it: nothing of it is
/// mended, and everybody is told.
#[test]
fn what_cannot_be_parsed_is_not_mended() {
    let repo = adopted();
    let text = repo.read(BASELINE);
    let conflict = HAZARD.replacen("serve(async", "<<<<<<< HEAD\nserve(async", 1);
    let slip = HAZARD.replacen("serve(async (req) => {", "serve(async (req) => {\n  const a = (\n  if (x) {", 1);
    for (broken, why) in [(&conflict, "a merge conflict in line 3"), (&slip, "a syntax error in line 3")] {
        repo.write(FILE, &format!("{broken}// seamcheck-ignore[missing-timeout]: needed when the file is whole\n"));
        let told = |format: &str| {
            let output = repo.run(&["--format", format]);
            folded(&[output.stdout, output.stderr].concat())
        };
        for format in ["human", "json", "sarif", "compact", "gitlab", "junit", "rdjson"] {
            assert!(told(format).contains(why), "{format}: {}", told(format));
        }
        for format in ["github", "markdown"] {
            assert!(told(format).contains("1 file not checked in full"), "{format}: {}", told(format));
        }
        assert!(told("counts").contains("gaps=1") && told("counts").contains("mended=0"), "{}", told("counts"));
        let report = repo.json(&[]);
        assert_eq!(report["gaps"][0]["path"], FILE, "{report}");
        let pruned = repo.run(&["baseline", "--prune"]);
        assert!(said(&pruned.stderr).contains("0 entries dropped"), "{}", said(&pruned.stderr));
        repo.run(&["baseline"]);
        assert_eq!(repo.read(BASELINE), text);
        assert!(said(&repo.run(&["--fix-suppressions"]).stderr).contains("0 unused"));
        // From what was kept, too.
        assert!(told("human").contains(why));
    }
    repo.write(FILE, HAZARD);
    assert!(is_clean(&repo));
    // What the grammar alone does not read hides nothing.
    repo.write("src/a.tsx", "export const A = () => <p title=\"a & b\">a & b</p>;\n");
    assert_eq!(repo.json(&[])["gaps"], serde_json::json!([]));
}
