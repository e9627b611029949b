//! What the configuration says, and what it must not be able to say.

use serde_json::Value;

use super::workbench::{HAZARD, RULE, Repo, folded, said};

const FILE: &str = "supabase/functions/join/index.ts";

#[test]
fn three_places_say_the_same() {
    for (file, text) in [
        ("seamcheck.toml", "[rules]\nmissing-timeout = \"error\"\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\n[tool.seamcheck.rules]\nmissing-timeout = \"error\"\n"),
        ("package.json", "{ \"name\": \"x\", \"seamcheck\": { \"rules\": { \"missing-timeout\": \"error\" } } }"),
    ] {
        let repo = Repo::with_hazard();
        assert_eq!(repo.json(&[])["findings"][0]["severity"], "warning");
        repo.write(file, text);
        assert_eq!(repo.json(&[])["findings"][0]["severity"], "error", "{file}");
        assert_eq!(repo.json(&["--isolated"])["findings"][0]["severity"], "warning", "{file}");
    }
}

#[test]
fn two_configurations_are_refused() {
    let repo = Repo::with_hazard();
    repo.write("seamcheck.toml", "");
    repo.write("package.json", "{ \"seamcheck\": {} }");
    repo.refuses(&[], &["there are two configurations", "seamcheck.toml", "package.json"]);
    repo.write("package.json", "{ \"name\": \"x\", \"devDependencies\": { \"seamcheck\": \"1\" } }");
    assert_ne!(repo.run(&[]).status.code(), Some(2));
}

#[test]
fn a_skipped_rule_has_a_reason_that_is_kept() {
    let repo = Repo::with_hazard();
    repo.write("seamcheck.toml", "[rules]\nmissing-timeout = { skip = \"the gateway ends it\", until = 2026-12-31 }\n");
    let report = repo.json(&["--as-of", "2026-12-31"]);
    assert_eq!(report["summary"]["findings"]["warning"], 0);
    assert_eq!(
        (report["suppressed"][0]["reason"].as_str(), report["suppressed"][0]["by"].as_str()),
        (Some("the gateway ends it"), Some("configuration"))
    );
    let human = said(&repo.run(&["--rule", RULE, "--as-of", "2026-12-31"]).stdout);
    assert!(human.contains("1 skipped by the configuration"), "{human}");
    // After that day it is back, and the report says so.
    let report = repo.json(&["--as-of", "2027-01-01"]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert!(report["reminders"][0].as_str().unwrap().contains("held until 2026-12-31"), "{report}");
    // An audit sees it.
    assert_eq!(repo.json(&["--no-ignores"])["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_typed_goes_first() {
    let repo = Repo::with_hazard();
    repo.write("seamcheck.toml", "fail-on = \"error\"\npersona = \"auditor\"\nmin-severity = \"error\"\n");
    assert_eq!(repo.run(&["--rule", RULE]).status.code(), Some(0));
    assert_eq!(repo.run(&["--rule", RULE, "--fail-on", "warning", "--min-severity", "warning"]).status.code(), Some(1));
    assert_eq!(repo.run(&["--rule", RULE, "--isolated"]).status.code(), Some(1));
}

#[test]
fn paths_are_left_out() {
    let repo = Repo::with_hazard();
    repo.write("supabase/functions/other/index.ts", HAZARD);
    repo.write("seamcheck.toml", "ignore = [\"supabase/functions/join/\"]\n");
    assert_eq!(repo.places(&[]), ["supabase/functions/other/index.ts:5"]);
    assert_eq!(repo.places(&["--no-ignores"]).len(), 2);
    assert_eq!(repo.json(&[])["left_out"]["ignored"], 1);
    // Also when git tracks them.
    repo.git(&["init", "-q"]);
    repo.commit("all");
    assert_eq!(repo.places(&[]), ["supabase/functions/other/index.ts:5"]);
    // A file given by name is always scanned.
    assert_eq!(repo.places(&[FILE]), [format!("{FILE}:5")]);
    repo.write("seamcheck.toml", "ignore = [\"[z-a]\"]\n");
    repo.refuses(&[], &["`[z-a]` is no pattern", "seamcheck.toml:1:"]);
}

#[test]
fn only_the_roots_configuration_counts() {
    let repo = Repo::new();
    repo.write("apps/web/supabase/functions/join/index.ts", HAZARD);
    repo.write("apps/api/supabase/functions/join/index.ts", HAZARD);
    repo.write("apps/web/seamcheck.toml", "[rules]\nmissing-timeout = { skip = \"hidden\" }\n");
    assert_eq!(repo.places(&[]).len(), 2, "a nested configuration cannot hide findings");
    repo.write("seamcheck.toml", "workspaces = [\"apps/*\"]\n");
    assert_eq!(repo.places(&[]), ["apps/api/supabase/functions/join/index.ts:5"]);
    // What belongs to the root is refused in a workspace.
    repo.write("apps/web/seamcheck.toml", "fail-on = \"never\"\n");
    repo.refuses(
        &[],
        &["`fail-on` belongs into the configuration of the repository's root", "apps/web/seamcheck.toml:1:1"],
    );
    repo.write("seamcheck.toml", "workspaces = [\"aps/*\"]\n");
    repo.refuses(&[], &["`aps/*` names no folder"]);
}

#[test]
fn a_part_of_a_repository_goes_by_the_same_configuration() {
    let repo = Repo::new();
    let file = format!("apps/web/{FILE}");
    repo.write(&file, HAZARD);
    repo.git(&["init", "-q"]);
    repo.write(
        "seamcheck.toml",
        "[rules]\nmissing-timeout = \"error\"\n[wrappers]\ntimeout = [\"supabase/functions/_shared/net.ts:bounded\"]\n",
    );
    let severity = |repo: &Repo, path: &str| repo.json(&[path])["findings"][0]["severity"].clone();
    assert_eq!(severity(&repo, "apps/web"), "error");
    assert_eq!(severity(&repo, &file), "error");
    // SARIF names files as the repository does.
    let output = repo.run(&["--rule", RULE, "--format", "sarif", "apps/web"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], file);
}

#[test]
fn another_file_can_be_named() {
    let repo = Repo::with_hazard();
    repo.write("seamcheck.toml", "broken");
    repo.write("ci/strict.toml", "[rules]\nmissing-timeout = \"error\"\n");
    assert_eq!(repo.json(&["--config", "ci/strict.toml"])["findings"][0]["severity"], "error");
    repo.refuses(&["--config", "nowhere.toml"], &["there is no file or folder `nowhere.toml`"]);
    repo.write("package.json", "{}");
    repo.refuses(&["--config", "package.json"], &["says nothing of seamcheck"]);
}

#[test]
fn mistakes_are_shown_in_the_file() {
    let repo = Repo::with_hazard();
    for (text, what) in [
        ("persna = \"auditor\"", &["unknown key `persna`", "did you mean `persona`?", "seamcheck.toml:1:1"][..]),
        ("\npersona = \"auditr\"", &["`auditr` is not known here", "did you mean `auditor`?", "seamcheck.toml:2:11"]),
        (
            "[rules]\nmising-timeout = \"error\"",
            &["there is no rule `mising-timeout`", "did you mean `missing-timeout`?"],
        ),
        ("[rules]\nmissing-timeout = \"off\"", &["a rule is skipped with a reason", "skip = \"the reason\""]),
        ("[rules]\nmissing-timeout = { until = \"2027-01-01\" }", &["either a `level` or a reason to `skip`"]),
        ("[rules]\nmissing-timeout = { skip = \"\" }", &["this is empty"]),
        ("[rules]\nmissing-timeout = { skip = \"x\", until = \"soon\" }", &["write a day as \"YYYY-MM-DD\""]),
        ("ignore = \"x\"", &["write a list of texts"]),
        ("essential-vendors = [\"strip\"]", &["no vendor is known as `strip`", "did you mean `stripe`?"]),
        ("[wrappers]\nloger = []", &["unknown key `loger`", "did you mean `logger`?"]),
        ("[[reviews]]\ndate = \"2027-01-01\"", &["`what` is missing"]),
        ("[[vendors]]\nname = \"x\"", &["`id` is missing"]),
        ("[[vendors]]\nid = \"Acme Corp\"", &["`Acme Corp` is no vendor id", "seamcheck.toml:2:6"]),
        (
            "[[vendors]]\nid = \"acme\"\nhosts = [\"a.acme.test\", \"https://acme.test/\"]\npackages = [\"acme\"]",
            &["is no host", "seamcheck.toml:3:", "`acme` is no package", "seamcheck.toml:4:13", "2 mistakes"],
        ),
        ("[[vendors]]\nid = \"acme\"\n[[vendors]]\nid = \"acme\"", &["`acme` is described twice", "toml:4:6"]),
        ("persona = 3", &["one of a few words is expected here", "write one of `regular`, `auditor`"]),
        ("baseline = \"nowhere.json\"", &["there is no baseline", "nowhere.json", "`seamcheck baseline` accepts"]),
        ("a = ", &["1 mistake", "seamcheck.toml:1:"]),
    ] {
        repo.write("seamcheck.toml", text);
        repo.refuses(&[], what);
    }
    // All mistakes at once.
    repo.write("seamcheck.toml", "persna = 1\nfail-onn = 2\n");
    repo.refuses(&[], &["unknown key `persna`", "unknown key `fail-onn`", "2 mistakes"]);
    std::fs::remove_file(repo.at("seamcheck.toml")).unwrap();
    repo.write("package.json", "{\n  \"seamcheck\": {\n    \"rules\": { \"missing-timeot\": \"error\" }\n  }\n}\n");
    repo.refuses(&[], &["package.json:3:16", "did you mean `missing-timeout`?"]);
    repo.write("package.json", "{ \"seamcheck\": }");
    repo.refuses(&[], &["package.json:1:"]);
}

#[test]
fn patterns_that_match_nothing_are_refused() {
    let repo = Repo::with_hazard();
    for (pattern, help) in [
        ("'./legacy'", "`/legacy`"),
        ("'C:\\repo\\legacy'", "written with `/`"),
        ("'legacy\\sub'", "`legacy/sub`"),
        ("'legacy\\'", "written with `/`"),
        ("'['", "not closed"),
    ] {
        repo.write("seamcheck.toml", &format!("ignore = [{pattern}]\n"));
        repo.refuses(&[], &[help]);
    }
    for pattern in ["'/legacy'", "'legacy\\[a]'", "'[a-c]x'", "'\\!x'", "'a\\ b'"] {
        repo.write("seamcheck.toml", &format!("ignore = [{pattern}]\n"));
        assert_eq!(repo.places(&[]).len(), 1, "{pattern}");
    }
}

/// A link is followed within the repository only: what it leads to would be shown.
#[cfg(unix)]
#[test]
fn no_link_leads_out() {
    let (repo, outside) = (Repo::committed(), Repo::new());
    outside.write("x", "SECRET = of somebody\n");
    repo.write("conf/own.toml", "persona = \"auditor\"\n");
    std::os::unix::fs::symlink(repo.at("conf/own.toml"), repo.at("seamcheck.toml")).unwrap();
    assert_eq!(repo.places(&[]).len(), 1);
    for name in ["seamcheck.toml", ".seamcheck-baseline.json", ".seamcheck/vendors/own.toml"] {
        let _ = std::fs::remove_file(repo.at("seamcheck.toml"));
        std::fs::create_dir_all(repo.at(name).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.at("x"), repo.at(name)).unwrap();
        let output = repo.run(&[]);
        let told = super::workbench::folded(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains("out of the repository"), "{name}: {told}");
        assert!(!told.contains("SECRET"), "{name}: {told}");
        std::fs::remove_file(repo.at(name)).unwrap();
    }
}

#[test]
fn own_wrappers_count() {
    let repo = Repo::new();
    let call = "import { bounded } from \"../_shared/net.ts\";\nDeno.serve(async () => {\n  const r = await bounded(fetch(\"https://api.brevo.com/v3/contacts\"), 5);\n  if (!r.ok) throw new Error();\n  return new Response(await r.text());\n});\n";
    repo.write("supabase/functions/join/index.ts", call);
    repo.write("supabase/functions/_shared/net.ts", "import { native } from \"npm:odd-native\";\nexport function bounded<T>(work: Promise<T>, seconds: number): Promise<T> {\n  return native(work, seconds);\n}\n");
    assert_eq!(repo.places(&[]).len(), 1);
    for spelled in ["bounded", "supabase/functions/_shared/net.ts:bounded", "supabase/**/*.ts:bounded"] {
        repo.write("seamcheck.toml", &format!("[wrappers]\ntimeout = [\"{spelled}\"]\n"));
        assert!(repo.places(&[]).is_empty(), "{spelled}");
    }
    repo.write("seamcheck.toml", "[wrappers]\ntimeout = [\"src/other.ts:bounded\"]\n");
    assert_eq!(repo.places(&[]).len(), 1);
}

#[test]
fn an_own_verifier_counts() {
    let repo = Repo::new();
    repo.write("supabase/functions/stripe-webhook/index.ts", "import { trusted } from \"../_shared/who.ts\";\nimport { createClient } from \"https://esm.sh/@supabase/supabase-js@2\";\nDeno.serve(async (req) => {\n  const event = await req.json();\n  if (!(await trusted(req))) return new Response(\"no\", { status: 401 });\n  const db = createClient(Deno.env.get(\"SUPABASE_URL\")!, Deno.env.get(\"SUPABASE_SERVICE_ROLE_KEY\")!);\n  if (event.type === \"checkout.session.completed\") {\n    await db.from(\"orders\").update({ paid: true }).eq(\"id\", event.data.object.metadata.order_id).throwOnError();\n  }\n  return new Response(\"ok\");\n});\n");
    repo.write("supabase/functions/_shared/who.ts", "import { ask } from \"npm:odd-native\";\nexport async function trusted(req: Request): Promise<boolean> {\n  return await ask(req.url);\n}\n");
    let found = |repo: &Repo| said(&repo.run(&["--rule", "webhook-unverified", "--format", "compact"]).stdout);
    assert!(found(&repo).contains("webhook-unverified"), "{}", found(&repo));
    repo.write("seamcheck.toml", "[wrappers]\nverifier = [\"trusted\"]\n");
    assert_eq!(found(&repo), "");
}

#[test]
fn own_vendors_and_reviews() {
    let repo = Repo::with_hazard();
    repo.edit(FILE, "api.brevo.com", "api.acme.test");
    repo.write("seamcheck.toml", "[[vendors]]\nid = \"acme\"\nname = \"Acme\"\ncategory = \"crm\"\nhosts = [\"api.acme.test\"]\nsecrets = [\"ACME_KEY\"]\n\n[[reviews]]\ndate = \"2026-06-01\"\nwhat = \"Acme's contract ends\"\n");
    let report = repo.json(&["--as-of", "2026-06-01"]);
    assert_eq!(report["findings"][0]["vendors"][0], "acme");
    assert!(said(&repo.run(&["vendors", "acme"]).stdout).contains("Acme"));
    assert_eq!(report["reminders"][0], "to be reviewed since 2026-06-01: Acme's contract ends");
    let human = folded(&repo.run(&["--as-of", "2026-06-01"]).stdout);
    assert!(human.contains("due: to be reviewed since 2026-06-01: Acme's contract ends"), "{human}");
    assert!(repo.json(&["--as-of", "2026-05-31"])["reminders"].as_array().unwrap().is_empty());
    // A service of their own is no vendor at all.
    repo.write("seamcheck.toml", "[[vendors]]\nid = \"acme\"\nhosts = [\"api.acme.test\"]\nown-backend = true\n");
    assert!(repo.places(&[]).is_empty());
}

/// A part of a repository is scanned with the vendor files of the whole.
#[test]
fn vendor_files_count_for_the_folders_below() {
    let repo = Repo::committed();
    let part = format!("apps/web/{FILE}");
    repo.write(&part, &repo.read(FILE).replace("api.brevo.com", "api.acme.test"));
    repo.write("apps/web/package.json", "{}");
    repo.write(
        ".seamcheck/vendors/acme.toml",
        "id = \"acme\"\nname = \"Acme\"\ncategory = \"crm\"\nhosts = [\"api.acme.test\"]\n\
         source = { src = \"https://acme.test\", tier = \"doc\", date = \"2026-01-01\" }\n",
    );
    let vendor = |args: &[&str]| repo.json(args)["findings"][0]["vendors"].clone();
    assert_eq!(vendor(&["apps/web"])[0], "acme");
    assert_eq!(vendor(&["apps/web", "--isolated"]), serde_json::json!([]));
    repo.commit("acme");
    // Both sides of a change know it.
    repo.edit(&part, "Brevo answered", "Acme answered");
    for change in [&["--changed"][..], &["--since", "HEAD"], &["--since", "HEAD~1"]] {
        for at in [&["apps/web"][..], &[]] {
            let found = repo.places(&[change, &["--scope", "new"], at].concat());
            assert_eq!(found.len(), usize::from(change.contains(&"HEAD~1")), "{change:?} {at:?} {found:?}");
        }
    }
}

#[test]
fn essential_vendors_are_waited_for_rightly() {
    let repo = Repo::new();
    repo.write("app/api/signup/route.ts", "import { createClient } from \"@supabase/supabase-js\";\nconst db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);\nexport async function POST(req: Request) {\n  const { email, password } = await req.json();\n  const { error } = await db.auth.signUp({ email, password });\n  if (error) throw error;\n  await fetch(\"https://api.hubapi.com/crm/v3/objects/contacts\", { method: \"POST\", body: JSON.stringify({ email }), signal: AbortSignal.timeout(5000) });\n  return Response.json({ ok: true });\n}\n");
    repo.write("package.json", "{ \"name\": \"x\", \"dependencies\": { \"next\": \"15\" } }");
    let found = |repo: &Repo| said(&repo.run(&["--rule", "vendor-on-signup-path", "--format", "compact"]).stdout);
    assert!(found(&repo).contains("vendor-on-signup-path"));
    repo.write("seamcheck.toml", "essential-vendors = [\"hubspot\"]\n");
    assert_eq!(found(&repo), "");
}

#[test]
fn core_paths_can_be_named() {
    let repo = Repo::new();
    repo.write("app/api/abonnieren/route.ts", "import { open } from \"odd-native\";\nexport async function POST(req: Request) {\n  const { email } = await req.json();\n  await open(email);\n  await fetch(\"https://api.hubapi.com/crm/v3/objects/contacts\", { method: \"POST\", body: JSON.stringify({ email }) });\n  return Response.json({ ok: true });\n}\n");
    repo.write("package.json", "{ \"name\": \"x\", \"dependencies\": { \"next\": \"15\" } }");
    let found = |repo: &Repo| {
        said(&repo.run(&["--rule", "vendor-on-signup-path", "--persona", "auditor", "--format", "compact"]).stdout)
    };
    assert_eq!(found(&repo), "");
    for said in ["/api/abonnieren", "app/api/abonnieren/**"] {
        repo.write("seamcheck.toml", &format!("[core-paths]\nsignup = [\"{said}\"]\n"));
        assert!(found(&repo).contains("vendor-on-signup-path"), "{said}");
    }
}

#[test]
fn what_names_nothing_is_told() {
    let repo = Repo::with_hazard();
    repo.write("src/lib/report.ts", "export function reportError(e: unknown) {\n  throw e;\n}\n");
    repo.write("packages/legacy/a.ts", "export const a = 1;\n");
    let text = "ignore = [\"packges/legacy\", \"packages/gone\", \"dist/\", \"**/*.old.ts\"]\nessential-vendors = [\"stripe\", \"brevo\"]\n\n\
        [wrappers]\nlogger = [\"reprtError\", \"src/lib/report.ts:reportError\"]\nqueue = [\"src/lib/reports.ts:reportError\"]\n\n\
        [core-paths]\nsignup = [\"jion\", \"supabase/functions/join/**\"]\n";
    repo.write("seamcheck.toml", text);
    let output = repo.run(&["--format", "json"]);
    let quiet = repo.run(&["--format", "json", "--quiet"]);
    assert_eq!((output.status.code(), said(&output.stdout)), (quiet.status.code(), said(&quiet.stdout)));
    assert!(quiet.stderr.is_empty(), "{}", said(&quiet.stderr));
    let told = said(&output.stderr);
    let heads: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("⚠ ")).collect();
    let wanted = [
        "nothing is at `packges/legacy`",
        "nothing in the code uses the vendor `stripe`",
        "no function is called `reprtError`",
        "no function is called `src/lib/reports.ts:reportError`",
        "no route, function or file is called `jion`",
    ];
    assert_eq!(heads, wanted, "{told}");
    for near in ["`packages/legacy`?", "`reportError`?", "`src/lib/report.ts:reportError`?", "`join`?"] {
        assert!(told.contains(&format!("did you mean {near}")), "{near}: {told}");
    }
    assert!(told.contains("seamcheck.toml:2:22"), "{told}");
    // Once more, by what was kept: the same.
    assert_eq!(said(&repo.run(&["--format", "json"]).stderr), told);
    // A part of what is spoken of cannot tell.
    for part in [&["--quiet"][..], &["src"], &["--isolated"], &["src/lib/report.ts"]] {
        assert!(repo.run(part).stderr.is_empty(), "{part:?}: {}", said(&repo.run(part).stderr));
    }
}

#[test]
fn init_writes_what_can_be_read() {
    let repo = Repo::with_hazard();
    repo.write("src/lib/time.ts", "export async function withTimeout<T>(work: Promise<T>) { return work; }\n");
    let printed = said(&repo.run(&["init", "--print"]).stdout);
    assert!(printed.contains("= \"warning\"  # reports") || printed.contains("= \"error\"  # reports"), "{printed}");
    assert!(printed.contains("src/lib/time.ts:withTimeout") && printed.contains("brevo"), "{printed}");
    let output = repo.run(&["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    assert_eq!(repo.read("seamcheck.toml"), printed);
    // As it is, it changes nothing; with every proposal taken up, it can be read.
    assert_eq!(repo.places(&[]).len(), 1);
    let all: Vec<String> = printed
        .lines()
        .map(|line| {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            if bare.contains(" = ") || bare.starts_with('[') { bare.to_owned() } else { line.to_owned() }
        })
        .collect();
    repo.write("seamcheck.toml", &all.join("\n"));
    let output = repo.run(&["--rule", RULE]);
    assert_ne!(output.status.code(), Some(2), "{}\n{}", all.join("\n"), said(&output.stderr));
    repo.refuses(&["init"], &["there is a configuration already: seamcheck.toml"]);
}

#[test]
fn the_schema_holds_for_what_is_read() {
    let repo = Repo::new();
    let schema: Value = serde_json::from_slice(&repo.run(&["schema"]).stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let valid =
        |text: &str| schema.is_valid(&serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap());
    assert!(valid(
        "persona = \"auditor\"\n[rules]\nmissing-timeout = { skip = \"x\", until = \"2027-01-01\" }\nstatus-unchecked = \"error\"\n[[vendors]]\nid = \"x\"\n"
    ));
    for text in [
        "persna = 1",
        "[rules]\nno-such = \"error\"",
        "[rules]\nmissing-timeout = \"off\"",
        "ignore = \"x\"",
        "[[vendors]]\nname = \"x\"",
    ] {
        assert!(!valid(text), "{text}");
    }
    // The documentation says every key.
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
    let keys = serde_json::from_slice::<Value>(&repo.run(&["schema"]).stdout).unwrap();
    for key in keys["properties"].as_object().unwrap().keys() {
        assert!(docs.contains(&format!("`{key}`")), "docs/configuration.md does not say `{key}`");
    }
}

#[test]
fn whoever_writes_a_nested_configuration_is_told() {
    let repo = Repo::new();
    let file = "apps/web/supabase/functions/join/index.ts";
    repo.write(file, HAZARD);
    repo.write("apps/web/.seamcheckignore", "supabase/\n");
    repo.write("apps/api/package.json", "{ \"name\": \"api\", \"seamcheck\": { \"ignore\": [\"**\"] } }");
    repo.write("apps/job/pyproject.toml", "[project]\nname = \"job\"\nkeywords = [\"seamcheck\"]\n");
    repo.write("apps/job/seamcheck.toml", "");
    let unheeded = |repo: &Repo, args: &[&str]| -> Vec<String> {
        serde_json::from_value(repo.json(args)["unheeded"].clone()).unwrap()
    };
    assert_eq!(repo.places(&[]).len(), 1, "an ignore file in scanned code cannot hide findings either");
    let all = ["apps/api/package.json", "apps/job/seamcheck.toml", "apps/web/.seamcheckignore"];
    assert_eq!(unheeded(&repo, &[]), all);
    assert!(unheeded(&repo, &["--isolated"]).is_empty(), "nobody expects it then");
    let human = folded(&repo.run(&[]).stdout);
    assert!(human.contains("apps/api/package.json and 2 more are not heeded"), "{human}");
    assert!(said(&repo.run(&["--format", "sarif"]).stdout).contains("are not heeded"));
    // Those of workspaces count.
    repo.write("seamcheck.toml", "workspaces = [\"apps/web\", \"apps/api\"]\n");
    assert!(repo.places(&[]).is_empty());
    assert_eq!(unheeded(&repo, &[]), ["apps/job/seamcheck.toml"]);
    // So do all when another configuration is asked for, but for the root's own.
    repo.write("ci.toml", "");
    assert_eq!(unheeded(&repo, &["--config", "ci.toml"]), all);
    // As does a scan of that folder alone.
    assert!(unheeded(&repo, &["apps/job"]).is_empty());
}
