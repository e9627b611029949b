//! The whole way of somebody who takes the tool into use: a baseline on an old repository, a commit with one hazard,
//! the hook that stops it, the Action that tells of it, the repair, and the baseline pruned.

use serde_json::Value;

use super::actions::{Runner, event};
use super::workbench::{HAZARD, Repo, folded, said};

const OLD: &str = "supabase/functions/join/index.ts";
const NEW: &str = "supabase/functions/new/index.ts";
const BASELINE: &str = ".seamcheck-baseline.json";

/// The same work with nothing to report: it asks who calls, for its key, and waits for ten seconds at most.
const MENDED: &str = r#"import { serve } from "https://deno.land/std@0.168.0/http/server.ts";
import { createClient } from "npm:@supabase/supabase-js@2.50.0";

const key = Deno.env.get("BREVO_API_KEY");
if (!key) throw new Error("BREVO_API_KEY is not set");

serve(async (req) => {
  const rights = { global: { headers: { Authorization: req.headers.get("Authorization")! } } };
  const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!, rights);
  const { data } = await db.auth.getUser();
  if (!data.user) return new Response("sign in first", { status: 401 });
  const response = await fetch("https://api.brevo.com/v3/contacts", {
    method: "POST",
    signal: AbortSignal.timeout(10_000),
    headers: { "api-key": key },
    body: JSON.stringify({ email: data.user.email }),
  });
  if (!response.ok) throw new Error(`Brevo answered ${response.status}`);
  return new Response("ok");
});
"#;

/// What a report tells: rule, path and line, sorted.
fn told(report: &Value) -> Vec<(String, String, u64)> {
    let one = |it: &Value| {
        let (rule, place) = (it["rule"].as_str().unwrap(), &it["place"]);
        (rule.to_owned(), place["path"].as_str().unwrap().to_owned(), place["line"].as_u64().unwrap())
    };
    let mut found: Vec<_> = report["findings"].as_array().unwrap().iter().map(one).collect();
    found.sort();
    found
}

fn report(repo: &Repo, args: &[&str]) -> Vec<(String, String, u64)> {
    let output = repo.run(&[&["--format", "json"], args].concat());
    assert_ne!(output.status.code(), Some(2), "{}", said(&output.stderr));
    told(&serde_json::from_slice(&output.stdout).unwrap())
}

/// An old repository, taken into use: what it reports today is accepted.
fn adopted() -> Repo {
    let repo = Repo::committed();
    repo.write("package.json", "{ \"name\": \"shop\" }\n");
    repo.write("README.md", "The mail service's key goes into BREVO_API_KEY.\n");
    repo.commit("an app");
    assert!(!report(&repo, &[]).is_empty());
    assert_eq!(repo.run(&["baseline"]).status.code(), Some(0));
    repo.commit("seamcheck");
    assert_eq!(repo.run(&[]).status.code(), Some(0), "what was there fails nothing");
    repo
}

#[test]
fn a_hazard_from_its_commit_to_its_repair() {
    let repo = adopted();
    repo.git(&["checkout", "-q", "-b", "work"]);
    repo.write(NEW, HAZARD);
    repo.git(&["add", "-A"]);
    // The hook, as `.pre-commit-hooks.yaml` starts it.
    let staged = report(&repo, &["--staged"]);
    assert!(staged.iter().any(|(rule, ..)| rule == "missing-timeout"), "{staged:?}");
    assert!(staged.iter().all(|(_, path, _)| path == NEW), "{staged:?}");
    let hook = repo.run(&["--hook", "--quiet"]);
    let human = folded(&hook.stdout);
    assert_eq!(hook.status.code(), Some(1), "{human}");
    assert!(staged.iter().all(|(rule, ..)| human.contains(rule.as_str())) && !human.contains(OLD), "{human}");
    repo.commit("one hazard");
    assert_eq!(report(&repo, &["--since", "main"]), staged);

    tells_on_the_pull_request(&repo, &staged);

    // Mended, nothing is told, and the baseline holds what it held.
    repo.write(NEW, MENDED);
    repo.git(&["add", "-A"]);
    assert_eq!(report(&repo, &["--staged"]), []);
    assert_eq!(repo.run(&["--hook", "--quiet"]).status.code(), Some(0));
    repo.commit("mended");
    let before = repo.read(BASELINE);
    assert_eq!(repo.run(&["baseline", "--prune"]).status.code(), Some(0));
    assert_eq!(repo.read(BASELINE), before, "nothing that was accepted is gone");
    // What was there from the beginning is mended too: its entries go.
    repo.write(OLD, MENDED);
    let output = repo.run(&["baseline", "--prune"]);
    assert!(said(&output.stderr).contains("dropped"), "{}", said(&output.stderr));
    assert!(!repo.read(BASELINE).contains(OLD), "{}", repo.read(BASELINE));
    assert_eq!(report(&repo, &["--no-baseline"]), []);
}

/// The Action on the pull request's merge: annotations, summary and SARIF tell the same, and nothing else.
fn tells_on_the_pull_request(repo: &Repo, staged: &[(String, String, u64)]) {
    repo.git(&["checkout", "-q", "-b", "merged", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "work"]);
    let checkout = Repo::new();
    checkout.git(&["clone", "-q", "--depth", "2", &format!("file://{}", repo.path().display()), "."]);
    repo.git(&["checkout", "-q", "work"]);
    let given = [("sarif", "true"), ("fail-on", "warning")];
    let Some(mut runner) = Runner::new(checkout, event("0123456789012345678901234567890123456789"), &given) else {
        return;
    };
    runner.release();
    assert_eq!(runner.run(), 1, "{}", runner.said);
    assert_eq!(runner.output("findings"), staged.len().to_string());
    let annotations: Vec<&str> = runner.said.lines().filter(|line| line.contains(" file=")).collect();
    let summary = runner.temp.read("summary.md");
    for (rule, path, line) in staged {
        let place = format!("file={path},line={line},");
        assert!(
            annotations.iter().any(|it| it.contains(&place) && it.contains(rule.as_str())),
            "{rule}: {annotations:?}"
        );
        assert!(summary.contains(rule.as_str()) && summary.contains(path.as_str()), "{summary}");
    }
    assert!(annotations.iter().all(|line| line.contains(NEW)), "{annotations:?}");
    assert!(!summary.contains(OLD), "{summary}");
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(runner.output("sarif")).unwrap()).unwrap();
    let one = |it: &Value| {
        let place = &it["locations"][0]["physicalLocation"];
        let path = place["artifactLocation"]["uri"].as_str().unwrap().to_owned();
        (it["ruleId"].as_str().unwrap().to_owned(), path, place["region"]["startLine"].as_u64().unwrap())
    };
    let mut results: Vec<_> = sarif["runs"][0]["results"].as_array().unwrap().iter().map(one).collect();
    results.sort();
    assert_eq!(results, staged);
}
