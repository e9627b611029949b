//! Reporting what a change concerns, by lines, by files, and by what was there before.

use std::io::Write;
use std::process::Stdio;

use super::workbench::{HAZARD, RULE, Repo, said};

const FILE: &str = "supabase/functions/join/index.ts";
const NEW: &str = "supabase/functions/new/index.ts";

/// The call with another name for its answer.
fn second_call() -> String {
    HAZARD.lines().skip(4).take(6).collect::<Vec<_>>().join("\n").replace("response", "again")
}

fn add_second_call(repo: &Repo) {
    repo.edit(FILE, "  return new Response", &format!("{}\n  return new Response", second_call()));
}

#[test]
fn staged_lines_decide() {
    let repo = Repo::committed();
    assert!(repo.places(&["--staged"]).is_empty());
    add_second_call(&repo);
    assert!(repo.places(&["--staged"]).is_empty(), "nothing is staged yet");
    assert_eq!(repo.places(&["--changed"]), [format!("{FILE}:11")]);
    repo.git(&["add", "-A"]);
    assert_eq!(repo.places(&["--staged"]), [format!("{FILE}:11")]);
    assert_eq!(repo.places(&["--staged", "--scope", "files"]).len(), 2);
    assert_eq!(repo.json(&["--staged"])["summary"]["hidden_by_change"]["warning"], 1);
}

#[test]
fn what_is_staged_is_read_from_the_index() {
    let repo = Repo::committed();
    repo.write(NEW, HAZARD);
    repo.git(&["add", "-A"]);
    // Edited again after it was staged: mended, and moved.
    repo.edit(NEW, "    method: \"POST\",", "    method: \"POST\",\n    signal: AbortSignal.timeout(10_000),");
    assert_eq!(repo.places(&["--staged"]), [format!("{NEW}:5")], "what will be committed has the hazard");
    assert!(repo.places(&["--changed"]).is_empty());
    let status = repo.git(&["status", "--porcelain"]);
    assert_eq!(status.trim(), format!("AM {NEW}"), "the work tree and the index are as they were");
    // A part of the repository, too.
    repo.write(&format!("apps/web/{NEW}"), HAZARD);
    repo.git(&["add", "apps"]);
    assert_eq!(repo.places(&["--staged", "apps/web"]), [format!("{NEW}:5")]);
}

#[test]
fn untracked_files_are_changes() {
    let repo = Repo::committed();
    repo.write(NEW, HAZARD);
    assert_eq!(repo.places(&["--changed"]), [format!("{NEW}:5")]);
    assert_eq!(repo.places(&["--since", "HEAD"]), [format!("{NEW}:5")]);
    for scope in ["lines", "files", "new"] {
        assert!(repo.places(&["--staged", "--scope", scope]).is_empty(), "{scope}");
    }
}

#[test]
fn since_goes_by_the_merge_base() {
    let repo = Repo::committed();
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.write(NEW, HAZARD);
    repo.commit("feature");
    repo.git(&["checkout", "-q", "main"]);
    // The main branch goes on: that is no change of ours.
    repo.write("supabase/functions/main/index.ts", HAZARD);
    repo.commit("main goes on");
    repo.git(&["checkout", "-q", "feature"]);
    assert_eq!(repo.places(&["--since", "main"]), [format!("{NEW}:5")]);
    repo.refuses(&["--since", "no-such-branch"], &["there is no commit `no-such-branch`", "fetch-depth: 0"]);
    repo.git(&["update-ref", "refs/remotes/origin/develop", "HEAD"]);
    repo.refuses(&["--since", "develop"], &["there is no commit `develop`", "did you mean `origin/develop`?"]);
    repo.refuses(&["--since", "--output=x"], &[]);
    assert!(!repo.at("x").exists());
}

#[test]
fn new_is_what_was_not_there_before() {
    let repo = Repo::committed();
    // The old call is touched, and a helper moves far away from its lines.
    repo.edit(FILE, "    method: \"POST\",", "    method: \"POST\", // as before");
    assert_eq!(repo.places(&["--changed"]), [format!("{FILE}:5")]);
    assert!(repo.places(&["--changed", "--scope", "new"]).is_empty());
    repo.edit(FILE, " // as before", "");
    add_second_call(&repo);
    assert_eq!(repo.places(&["--changed", "--scope", "new"]), [format!("{FILE}:11")]);
    repo.git(&["add", "-A"]);
    assert_eq!(repo.places(&["--staged", "--scope", "new"]), [format!("{FILE}:11")]);
    let before = repo.git(&["status", "--porcelain"]);
    repo.places(&["--since", "HEAD", "--scope", "new"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), before);
}

#[test]
fn what_a_change_takes_away_counts() {
    let repo = Repo::new();
    repo.git(&["init", "-q", "-b", "main"]);
    repo.write(
        FILE,
        &HAZARD.replace("    method: \"POST\",", "    method: \"POST\",\n    signal: AbortSignal.timeout(10_000),"),
    );
    repo.commit("bounded");
    repo.write(FILE, HAZARD);
    assert_eq!(repo.places(&["--changed"]), [format!("{FILE}:5")], "the line that bounded it is gone");
    assert_eq!(repo.places(&["--changed", "--scope", "new"]), [format!("{FILE}:5")]);
}

#[test]
fn renamed_files_are_known() {
    let repo = Repo::committed();
    repo.git(&["mv", "supabase/functions/join", "supabase/functions/register"]);
    assert!(
        repo.places(&["--staged", "--scope", "new"]).is_empty(),
        "{:?}",
        repo.places(&["--staged", "--scope", "new"])
    );
}

#[test]
fn environment_files_outside_git_are_not_new() {
    let repo = Repo::committed();
    repo.write(".gitignore", ".env\n");
    repo.commit("ignores");
    let secret = format!("sk_live_{}", "9fK2mQ7xW4rT8vZ1bN6cL3hJ5pD0sAyE");
    repo.write(".env", &format!("VITE_STRIPE_SECRET_KEY={secret}\n"));
    repo.edit(FILE, "Brevo answered", "Brevo said");
    let output = repo.run(&["--changed", "--scope", "new", "--format", "compact"]);
    assert_eq!(said(&output.stdout), "", "{}", said(&output.stderr));
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let repo = Repo::with_hazard();
    repo.git(&["init", "-q", "-b", "main"]);
    repo.git(&["add", "-A"]);
    assert_eq!(repo.places(&["--staged"]), [format!("{FILE}:5")]);
    assert_eq!(repo.places(&["--staged", "--scope", "new"]), [format!("{FILE}:5")]);
    assert_eq!(repo.places(&["--changed"]), [format!("{FILE}:5")]);
}

#[test]
fn a_diff_can_be_handed_over() {
    let repo = Repo::committed();
    add_second_call(&repo);
    let diff = repo.git(&["diff"]);
    repo.write("change.diff", &diff);
    assert_eq!(repo.places(&["--diff", "change.diff"]), [format!("{FILE}:11")]);
    let mut child = repo
        .command()
        .args(["--rule", RULE, "--format", "compact", "--diff", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(said(&output.stdout).starts_with(&format!("{FILE}:11:")), "{}", said(&output.stdout));
    repo.refuses(&["--diff", "change.diff", "--scope", "new"], &["a diff alone does not say what was there before"]);
    repo.refuses(&["--diff", "nowhere.diff"], &["there is no file or folder"]);
    // Whatever wrote it, and wherever it was made.
    for (name, text) in [
        ("mnemonic", diff.replace("a/supabase", "i/supabase").replace("b/supabase", "w/supabase")),
        ("bare", diff.replace("a/supabase", "supabase").replace("b/supabase", "supabase")),
        ("windows", diff.replace("supabase/functions/join/", "supabase\\functions\\join\\").replace('\n', "\r\n")),
    ] {
        repo.write("change.diff", &text);
        assert_eq!(repo.places(&["--diff", "change.diff"]), [format!("{FILE}:11")], "{name}");
    }
    repo.refuses(&["--diff", FILE], &["this is no unified diff"]);
    repo.write("change.diff", &diff.replace("supabase/", "there/"));
    repo.refuses(&["--diff", "change.diff"], &["files that are not here: `there/functions", "git diff main"]);
    std::fs::create_dir(repo.at("app")).unwrap();
    std::fs::rename(repo.at("supabase"), repo.at("app/supabase")).unwrap();
    repo.write("app/change.diff", &diff);
    let args = ["--diff", "change.diff", "--rule", RULE, "--format", "compact"];
    let below = repo.command().current_dir(repo.at("app")).args(args).output().unwrap();
    assert!(said(&below.stdout).starts_with(&format!("{FILE}:11:")), "{}", said(&below.stdout));
    repo.write("change.diff", "");
    assert!(repo.places(&["--diff", "change.diff"]).is_empty());
    repo.refuses(&["--scope", "files"], &["--staged"]);
    repo.refuses(&["--staged", "--changed"], &["cannot be used"]);
}

#[test]
fn without_git_there_is_help() {
    let repo = Repo::with_hazard();
    let empty = Repo::new();
    let output = repo.command().arg("--staged").env("PATH", empty.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("is not installed"), "{}", said(&output.stderr));
    if !repo.path().ancestors().any(|folder| folder.join(".git").exists()) {
        repo.refuses(&["--staged"], &["is in no git repository", "--diff FILE"]);
    }
}

#[cfg(unix)]
#[test]
fn a_hostile_repository_runs_nothing() {
    let repo = Repo::committed();
    repo.write("evil.sh", "#!/bin/sh\ntouch \"$(dirname \"$0\")/pwned\"\ncat\n");
    std::process::Command::new("chmod").args(["+x"]).arg(repo.at("evil.sh")).status().unwrap();
    let evil = repo.at("evil.sh").display().to_string();
    repo.write(".gitattributes", "*.ts filter=evil diff=evil\n");
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "-m", "attributes"]);
    for name in [
        "core.fsmonitor",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "core.pager",
        "core.sshCommand",
    ] {
        repo.git(&["config", name, &evil]);
    }
    repo.git(&["config", "core.hooksPath", repo.path().to_str().unwrap()]);
    repo.git(&["config", "filter.evil.required", "true"]);
    let text = repo.read(FILE);
    repo.write(FILE, &format!("{text}// touched\n"));
    let _ = std::fs::remove_file(repo.at("pwned"));
    for args in
        [&["--staged"][..], &["--changed"], &["--since", "HEAD", "--scope", "new"], &["--changed", "--scope", "new"]]
    {
        let output = repo.run(args);
        assert_ne!(output.status.code(), Some(2), "{args:?}: {}", said(&output.stderr));
        assert!(!repo.at("pwned").exists(), "{args:?} ran what the repository names");
    }
}

#[test]
fn what_is_staged_is_left_out_as_what_lies_there() {
    let repo = Repo::committed();
    repo.write(".seamcheckignore", "supabase/functions/new/\n");
    repo.write(NEW, HAZARD);
    repo.write("README.md", "one\n");
    repo.git(&["add", "-A"]);
    assert!(repo.places(&["--staged"]).is_empty());
    // With other edits about, what is staged is laid out elsewhere; the ignore files go with it.
    repo.write("README.md", "two\n");
    assert!(repo.places(&["--staged"]).is_empty());
    assert!(repo.places(&["--staged", "--scope", "new"]).is_empty());
}

/// What a diff does not tell is not taken for nothing.
#[test]
fn diffs_that_say_too_little() {
    let repo = Repo::committed();
    let diff = |text: &str| repo.write("x.diff", text);
    diff(&format!("diff --cc {FILE}\n--- a/{FILE}\n+++ b/{FILE}\n@@@ -1,1 -1,1 +1,2 @@@\n  x\n++y\n"));
    repo.refuses(&["--diff", "x.diff"], &["combined diff", "git diff HEAD^1"]);
    diff(&format!("diff --git a/{FILE} b/{FILE}\n--- a/{FILE}\n+++ b/{FILE}\n@@ -1 +1 @@\nimport {{+x+}}\n"));
    repo.refuses(&["--diff", "x.diff"], &["diff of words", "without `--word-diff`"]);
    diff("commit 0123\nMerge: 01 23\nAuthor: a\n\n    a merge\n");
    assert!(repo.places(&["--diff", "x.diff"]).is_empty());
}

/// A commit is stopped for a check that it takes away one line above the call.
#[test]
fn the_hook_sees_what_is_taken_away() {
    let repo = Repo::new();
    let guarded = "import express from \"express\";\nconst app = express();\napp.use(express.json());\napp.post(\"/a\", async (req, res) => {\n  if (!req.user) return res.status(401).end();\n  const r = await fetch(\"https://api.resend.com/emails\", { method: \"POST\", signal: AbortSignal.timeout(5000), body: req.body.to });\n  if (!r.ok) throw new Error(\"x\");\n  res.json({ ok: r.ok });\n});\napp.listen(3001);\n";
    repo.write("package.json", "{\"dependencies\": {\"express\": \"^4.0.0\"}}");
    repo.write("src/server.ts", guarded);
    repo.git(&["init", "-q", "-b", "main"]);
    repo.commit("first");
    repo.edit("src/server.ts", "  if (!req.user) return res.status(401).end();\n", "");
    repo.git(&["add", "-A"]);
    let report = said(&repo.run(&["--hook", "--format", "compact"]).stdout);
    assert!(report.contains("unauthenticated-paid-proxy"), "{report}");
    // What was there in a line that is touched is not the commit's.
    repo.write("src/server.ts", guarded);
    repo.edit("src/server.ts", "5000", "6000");
    repo.git(&["add", "-A"]);
    let report = said(&repo.run(&["--hook", "--format", "compact"]).stdout);
    assert!(report.is_empty(), "{report}");
}

/// A vendor that only delivers is brought as well as one that is called.
#[test]
fn vendors_that_only_deliver_are_brought() {
    let repo = Repo::new();
    repo.write("package.json", "{\"dependencies\": {\"express\": \"^4.0.0\", \"stripe\": \"^17.0.0\"}}");
    repo.write("src/app.ts", "import express from \"express\";\nexport const app = express();\napp.listen(3000);\n");
    repo.git(&["init", "-q", "-b", "main"]);
    repo.commit("first");
    repo.write(
        "src/app.ts",
        "import express from \"express\";\nimport Stripe from \"stripe\";\nexport const app = express();\nconst stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);\napp.post(\"/webhooks/stripe\", express.raw({ type: \"*/*\" }), (req, res) => {\n  const event = stripe.webhooks.constructEvent(req.body, req.headers[\"stripe-signature\"]!, process.env.STRIPE_WEBHOOK_SECRET!);\n  console.log(event.type);\n  res.json({ received: true });\n});\napp.post(\"/feedback\", express.json(), async (req, res) => {\n  const r = await fetch(\"https://slack.com/api/chat.postMessage\", { method: \"POST\", signal: AbortSignal.timeout(5000), body: JSON.stringify({ text: req.body.text }) });\n  res.json({ ok: r.ok });\n});\napp.listen(3000);\n",
    );
    repo.git(&["add", "-A"]);
    for scope in ["lines", "new"] {
        let args = ["--staged", "--scope", scope, "--rule", "too-many-new-integrations", "--format", "json"];
        let report = said(&repo.run(&args).stdout);
        assert!(report.contains("2 vendors at once") && report.contains("delivers webhooks here"), "{scope}: {report}");
        assert!(report.contains("STRIPE_WEBHOOK_SECRET"), "{scope}: {report}");
    }
}
