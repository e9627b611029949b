//! What whole analyses came to is kept: every change of what they read is seen, whatever it is a change of.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{LEAK, app, command, kept, report};

const VENDOR: &str = r#"id = "pigeon"
name = "Pigeon Post"
category = "email"

source = { src = "https://pigeon.example/docs", tier = "doc", date = "2026-11-22" }

[[package]]
name = "npm:pigeon-post"
clients = ["self", "new default"]
"#;

/// An app with a file of every kind that something is read from, under git.
fn world() -> tempfile::TempDir {
    let app = app();
    let write = |path: &str, text: &str| put(app.path(), path, text);
    write("package.json", "{\"name\":\"shop\",\"type\":\"module\",\"dependencies\":{\"stripe\":\"14.0.0\"}}");
    write("tsconfig.json", "{\"compilerOptions\":{\"baseUrl\":\".\"}}");
    write(".env.example", "STRIPE_SECRET_KEY=\n");
    write("README.md", "# Shop\n\nOrders are paid.\n");
    write("index.html", "<html><head></head><body></body></html>\n");
    write("Dockerfile", "FROM node:20\nCMD node server.js\n");
    write("seamcheck.toml", "persona = \"auditor\"\n");
    write(".seamcheck/vendors/pigeon.toml", VENDOR);
    write("supabase/config.toml", "project_id = \"shop\"\n");
    write("supabase/migrations/0001.sql", "create table orders (id uuid primary key, total int);\n");
    write(
        "notes.js",
        "// seamcheck-ignore[missing-timeout] until=2026-03-01: the queue waits\nexport const x = fetch('https://api.openai.com/v1/models');\n",
    );
    write("logo.svg", "<svg/>\n");
    write("old.js", "export const last = 1;\n");
    git(app.path(), &["init", "-q", "-b", "main"]);
    commit(app.path());
    app
}

fn put(app: &Path, path: &str, text: &str) {
    let path = app.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn git(app: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(app)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(app: &Path) {
    git(app, &["add", "-A"]);
    git(app, &["commit", "-q", "-m", "next"]);
}

/// A run with what is kept in a folder, or without.
fn run(app: &Path, cache: Option<&Path>, args: &[&str]) -> Output {
    let keep = match cache {
        Some(folder) => vec!["--cache-dir", folder.to_str().unwrap()],
        None => vec!["--no-cache"],
    };
    command(app, &keep).args(args).env_remove("SEAMCHECK_TIMINGS").output().unwrap()
}

/// What a run says, on both outputs, and its exit code.
fn said(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// Whether a run needs no analysis.
fn is_kept(app: &Path, cache: &Path, args: &[&str]) -> bool {
    let said = said(&run(app, Some(cache), &[&["--timings"], args].concat())).1;
    assert_ne!(said.contains("ms  read"), said.contains("ms  link"), "{said}");
    said.contains("ms  read")
}

/// What is kept says the same as an analysis, the first time and again.
fn same(app: &Path, cache: &Path, args: &[&str], what: &str) -> String {
    let fresh = said(&run(app, None, args));
    for _ in 0..2 {
        assert_eq!(said(&run(app, Some(cache), args)), fresh, "{what} {args:?}");
    }
    fresh.0
}

#[test]
fn any_change_is_seen() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    let first = same(app, cache, &["--stats"], "nothing");
    assert!(is_kept(app, cache, &[]));
    let edits: &[(&str, Option<&str>)] = &[
        ("orders.js", Some("export const order = () => fetch('https://api.stripe.com/v1/refunds');\n")),
        ("supabase/migrations/0001.sql", Some("create table orders (id uuid primary key, total inT);\n")),
        ("supabase/migrations/0002.sql", Some("create policy p on orders for all using (true);\n")),
        ("supabase/config.toml", Some("project_id = \"shop\"\n[functions.pay]\nverify_jwt = false\n")),
        ("package.json", Some("{\"name\":\"shop\",\"type\":\"module\",\"dependencies\":{\"stripe\":\"*\"}}")),
        ("tsconfig.json", Some("{")),
        (".env.example", Some("STRIPE_SECRET_KEY=\nOPENAI_API_KEY=\n")),
        (".env", Some("STRIPE_SECRET_KEY=x\n")),
        ("README.md", Some("# Shop\n\nOrders are paid through Stripe and OpenAI.\n")),
        ("index.html", Some("<html><head><script src=\"https://js.example.com/a.js\"></script></head></html>\n")),
        ("Dockerfile", Some("FROM node:20\nCMD npm start\n")),
        ("seamcheck.toml", Some("persona = \"auditor\"\ncore-paths.checkout = [\"orders.js\"]\n")),
        ("seamcheck.toml", Some("ignore = [\"notes.js\"]\n")),
        ("seamcheck.toml", None),
        (".seamcheck/vendors/pigeon.toml", Some(&VENDOR.replace("pigeon-post", "pigeon-mail"))),
        (".seamcheck/vendors/pigeon.toml", Some("id = 1\n")),
        (".seamcheckignore", Some("notes.js\n")),
        (".gitignore", Some("later.js\n")),
        (
            "package-lock.json",
            Some("{\"lockfileVersion\":3,\"packages\":{\"node_modules/stripe\":{\"version\":\"9.0.0\"}}}"),
        ),
        ("apps/web/package.json", Some("{\"name\":\"web\",\"seamcheck\":{\"persona\":\"regular\"}}")),
        ("notes.js", Some("export const x = fetch('https://api.openai.com/v1/models');\n")),
        ("notes.js", Some("export const x = \u{0}\u{1};\n")),
        ("photo.png", Some("png\n")),
        ("logo.svg", None),
        ("old.js", None),
        ("new.js", Some("export const newest = 1;\n")),
        (".baseline.json", Some("{}")),
    ];
    let mut seen = 0;
    for (path, text) in edits {
        let before = fs::read(app.join(path)).ok();
        match text {
            Some(text) => put(app, path, text),
            None => fs::remove_file(app.join(path)).unwrap(),
        }
        let said = same(app, cache, &["--stats"], path);
        seen += usize::from(said != first);
        match before {
            Some(bytes) => fs::write(app.join(path), bytes).unwrap(),
            None => fs::remove_file(app.join(path)).unwrap(),
        }
    }
    assert!(seen > edits.len() / 2, "only {seen} of {} changes tell", edits.len());
    assert_eq!(same(app, cache, &["--stats"], "all is back"), first);
}

#[test]
fn what_cannot_be_read_any_more_is_seen() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    same(app, cache, &["--stats"], "nothing");
    fs::write(app.join("old.js"), b"export const a = '\xff\xfe\x00';\n").unwrap();
    same(app, cache, &["--stats"], "no text");
    fs::write(app.join("old.js"), "// caf\u{e9}\n".repeat(400_000)).unwrap();
    let said = same(app, cache, &["--stats"], "too big");
    assert!(said.contains("too big to read"), "{said}");
    fs::remove_file(app.join("old.js")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.js", app.join("old.js")).unwrap();
        let said = same(app, cache, &["--stats"], "a link to nothing");
        assert!(said.contains("a link to nothing"), "{said}");
    }
    // What git knows of a file counts, too.
    put(app, ".env", "STRIPE_SECRET_KEY=x\n");
    same(app, cache, &["--stats"], "not in git");
    git(app, &["add", "-f", ".env"]);
    assert!(!is_kept(app, cache, &[]), "the same bytes, but in git");
    same(app, cache, &["--stats"], "in git");
}

#[test]
fn the_day_counts() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let days = ["2024-01-01", "2026-02-28", "2026-03-02", "2031-01-01"];
    let said: Vec<String> =
        days.iter().map(|day| same(app.path(), cache.path(), &["--as-of", day], "the day")).collect();
    assert_ne!(said[1], said[2], "the suppression ends between");
    assert!(days.iter().all(|day| is_kept(app.path(), cache.path(), &["--as-of", day])));
}

#[test]
fn what_only_picks_and_shows_needs_no_analysis() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    run(app, Some(cache), &[]);
    for args in [
        &["--stats"][..],
        &["--min-severity", "error"],
        &["--fail-on", "never", "--quiet"],
        &["--rule", "missing-timeout"],
        &["--skip", "missing-timeout", "--jobs", "1"],
    ] {
        assert!(is_kept(app, cache, args), "{args:?}");
        same(app, cache, args, "picked");
    }
    // Another reader, and other formats.
    let regular = |keep: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
        command.env_remove("SEAMCHECK_CACHE_DIR").current_dir(app).args(["--persona", "regular", "--color", "always"]);
        said(&command.args(keep).output().unwrap())
    };
    assert_eq!(regular(&["--cache-dir", cache.to_str().unwrap()]), regular(&["--no-cache"]));
    let beside = |keep: Option<&Path>, to: &str| {
        let (sarif, github) = (format!("sarif={to}.sarif"), format!("github={to}.txt"));
        run(app, keep, &["--also", &sarif, "--also", &github]);
        [".sarif", ".txt"].map(|ending| fs::read_to_string(app.join(format!("{to}{ending}"))).unwrap())
    };
    let out = tempfile::tempdir().unwrap();
    let to = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(beside(None, &to("fresh")), beside(Some(cache), &to("kept")));
    // A run of one rule keeps less than a whole one asks for.
    let other = tempfile::tempdir().unwrap();
    run(app, Some(other.path()), &["--rule", "missing-timeout"]);
    assert!(!is_kept(app, other.path(), &[]));
    assert!(is_kept(app, other.path(), &["--rule", "missing-timeout"]));
    same(app, cache, &["--no-ignores"], "all");
}

#[test]
fn changes_say_the_same() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    put(app, ".gitignore", ".env\n");
    put(app, ".env", "STRIPE_SECRET_KEY=x\n");
    commit(app);
    let scopes: &[&[&str]] = &[
        &["--since", "HEAD~1"],
        &["--since", "HEAD~1", "--scope", "new"],
        &["--since", "HEAD~1", "--scope", "files"],
        &["--changed"],
        &["--changed", "--scope", "new"],
        &["--staged"],
        &["--staged", "--scope", "new"],
        &["--hook"],
    ];
    let all = |what: &str| {
        for args in scopes {
            same(app, cache, args, what);
            assert!(is_kept(app, cache, args), "{what} {args:?}");
        }
    };
    all("a commit");
    // New vendors, on lines that the change touches.
    put(
        app,
        "orders.js",
        &format!(
            "import Pigeon from 'pigeon-post';\nimport OpenAI from 'openai';\n{LEAK}\nexport const send = async (to) => {{\n  await new OpenAI().chat.completions.create({{ model: 'gpt-4o', messages: [to] }});\n  await new Pigeon().send(to);\n}};\n"
        ),
    );
    all("edited");
    git(app, &["add", "-A"]);
    all("staged");
    put(app, "server.js", "export const nothing = 1;\n");
    all("staged, and edited since");
    put(app, ".env", "STRIPE_SECRET_KEY=y\nOPENAI_API_KEY=z\n");
    all("another environment");
    commit(app);
    all("the next commit");
    let diff = Command::new("git").args(["diff", "HEAD~1"]).current_dir(app).output().unwrap();
    let patch = tempfile::NamedTempFile::new().unwrap();
    fs::write(patch.path(), diff.stdout).unwrap();
    same(app, cache, &["--diff", patch.path().to_str().unwrap()], "a diff");
}

#[test]
fn what_is_written_is_the_same() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    run(app, Some(cache), &[]);
    let baseline = |keep: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
        let output = command.env_remove("SEAMCHECK_CACHE_DIR").current_dir(app).arg("baseline").args(keep).output();
        assert!(output.unwrap().status.success());
        let written = fs::read_to_string(app.join(".seamcheck-baseline.json")).unwrap();
        fs::remove_file(app.join(".seamcheck-baseline.json")).unwrap();
        written
    };
    let cached = baseline(&["--cache-dir", cache.to_str().unwrap()]);
    assert!(cached.contains("orders.js"), "{cached}");
    assert_eq!(cached, baseline(&["--no-cache"]));
    // It is no part of what is analysed.
    put(app, ".seamcheck-baseline.json", &cached);
    same(app, cache, &["--stats"], "a baseline");
    fs::remove_file(app.join(".seamcheck-baseline.json")).unwrap();
    // Suppressions that suppress nothing.
    let text = "// seamcheck-ignore[secret-in-log]: nothing here\nexport const a = 1;\n";
    let mended = |keep: Option<&Path>| {
        put(app, "old.js", text);
        put(app, "notes.js", "export const x = 1;\n");
        // Once to keep, once to read what was kept.
        run(app, keep, &["--as-of", "2026-01-01"]);
        let said = said(&run(app, keep, &["--as-of", "2026-01-01", "--fix-suppressions"]));
        (said, fs::read_to_string(app.join("old.js")).unwrap())
    };
    let kept = mended(Some(cache));
    assert_eq!(kept.1, "export const a = 1;\n");
    assert_eq!(kept, mended(None));
}

#[test]
fn what_is_broken_or_foreign_is_left_aside() {
    let (app, cache) = (world(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    let fresh = report(app, None);
    report(app, Some(cache));
    let log = kept(cache, "judged");
    let whole = fs::read(&log).unwrap();
    let (mut flipped, mut foreign) = (whole.clone(), whole.clone());
    for at in (40..flipped.len()).step_by(31) {
        flipped[at] ^= 0x55;
    }
    // The same entry under another name.
    foreign[4] ^= 1;
    let cut = whole[..whole.len() - whole.len() / 3].to_vec();
    for broken in [flipped, foreign, cut, b"no judgement".to_vec(), vec![]] {
        fs::write(&log, &broken).unwrap();
        assert_eq!(report(app, Some(cache)), fresh);
        assert!(is_kept(app, cache, &[]), "nothing was kept again");
        assert_eq!(report(app, Some(cache)), fresh);
    }
}

#[test]
fn a_few_are_kept() {
    let (app, cache) = (app(), tempfile::tempdir().unwrap());
    let (app, cache) = (app.path(), cache.path());
    let mut sizes = vec![];
    for version in 0..40 {
        put(app, "values.js", &format!("export const version = {version};\n"));
        report(app, Some(cache));
        sizes.push(fs::metadata(kept(cache, "judged")).unwrap().len());
    }
    assert!(sizes.iter().max().unwrap() <= &(sizes[0] * 20), "{sizes:?}");
    assert!(is_kept(app, cache, &[]));
    put(app, "values.js", "export const version = 36;\n");
    assert!(is_kept(app, cache, &[]), "the newest few are still there");
}
