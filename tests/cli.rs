//! The command line: what it accepts, refuses and answers.

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn seamcheck(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
    command.current_dir(folder).env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    seamcheck(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A refusal: exit code 2, one message that says `what`, nothing on standard output.
fn refuses(folder: &Path, args: &[&str], what: &[&str]) {
    let output = run(folder, args);
    // Long lines are folded.
    let said = text(&output.stderr).replace('│', " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    for what in what {
        assert!(said.contains(what), "{args:?} does not say {what:?}: {said}");
    }
    assert!(output.stdout.is_empty());
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_empty_folder_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    // Whoever mistook the folder is told.
    assert!(text(&output.stderr).contains("nothing was checked"), "{}", text(&output.stderr));
    let output = run(dir.path(), &["--quiet"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""));
}

#[test]
fn vendors_are_listed_with_their_sources() {
    let dir = tempfile::tempdir().unwrap();
    let list = text(&run(dir.path(), &["vendors"]).stdout);
    assert!(list.contains("payments\n") && list.contains("  stripe "), "{list}");
    let one = text(&run(dir.path(), &["vendors", "Stripe"]).stdout);
    for part in ["SDK npm:stripe", "80 s by default", "takes an idempotency key", "stripe-signature", "(sdk, 2026-"] {
        assert!(one.to_lowercase().contains(&part.to_lowercase()), "{part}: {one}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&run(dir.path(), &["vendors", "stripe", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["vendors"][0]["id"], "stripe");
    refuses(dir.path(), &["vendors", "strip"], &["no vendor is known as `strip`", "did you mean `stripe`?"]);
    // The repository's own ones are among them.
    write(
        dir.path(),
        ".seamcheck/vendors/acme.toml",
        "id = \"acme\"\nname = \"Acme\"\ncategory = \"crm\"\nhosts = [\"api.acme.test\"]\n\
         source = { src = \"https://acme.test/docs\", tier = \"doc\", date = \"2026-01-02\" }\n",
    );
    let own = text(&run(dir.path(), &["vendors", "acme"]).stdout);
    assert!(own.contains("https://acme.test/docs (doc, 2026-01-02)"), "{own}");
}

#[test]
fn mistakes_are_refused_with_help() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "readme.txt", "x");
    refuses(dir.path(), &["nowhere"], &["there is no file or folder `nowhere`", "check the spelling"]);
    refuses(dir.path(), &["explane"], &["`explane`", "seamcheck explain"]);
    refuses(dir.path(), &["--rule", "no-such-rule"], &["there is no rule `no-such-rule`", "seamcheck rules"]);
    refuses(dir.path(), &["--skip", "no-such-rule"], &["there is no rule `no-such-rule`"]);
    refuses(dir.path(), &["explain", "no-such-rule"], &["there is no rule `no-such-rule`"]);
    refuses(dir.path(), &["-o", "no/such/folder.json"], &["cannot be written", "its folder does not exist"]);
    refuses(dir.path(), &["-o", "."], &["cannot be written", "it is a folder"]);
    refuses(dir.path(), &["--jobs", "0"], &["--jobs"]);
    refuses(dir.path(), &["--format", "xml"], &["xml", "sarif"]);
    refuses(dir.path(), &["facts", "nowhere.ts"], &["there is no file or folder `nowhere.ts`"]);
    refuses(dir.path(), &["facts", "readme.txt"], &["`readme.txt` holds no code"]);
    refuses(dir.path(), &["facts", "."], &["`.` is a folder", "name one file of it"]);
}

#[test]
fn a_broken_vendor_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ts", "export const a = 1;");
    write(dir.path(), ".seamcheck/vendors/own.toml", "id = \n");
    refuses(dir.path(), &[], &["own.toml", "1 vendor file in .seamcheck/vendors cannot be used"]);
}

#[test]
fn a_path_called_like_a_command_is_given_with_a_dot() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "rules/a.ts", "export const a = 1;");
    let output = run(dir.path(), &["./rules", "--stats"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("1  code files"));
    let output = run(dir.path(), &["rules"]);
    assert!(text(&output.stdout).contains("seamcheck explain RULE"));
}

#[test]
fn lists_and_help() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["--version"]);
    assert_eq!(text(&output.stdout), format!("seamcheck {}\n", env!("CARGO_PKG_VERSION")));
    let output = run(dir.path(), &["rules", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(list["rules"].is_array());
    let help = text(&run(dir.path(), &["--help"]).stdout);
    for said in ["Examples:", "Exit codes:", "--no-ignores", "[default: warning]", "./rules"] {
        assert!(help.contains(said), "help does not say {said:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(dir.path(), &["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("min-severity"), "{shell}");
    }
}

#[test]
fn every_rule_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    for rule in seamcheck::rules::RULES {
        let output = run(dir.path(), &["explain", rule.id]);
        assert!(text(&output.stdout).contains(rule.title()), "{}", rule.id);
        refuses(dir.path(), &["--rule", &format!("{}x", rule.id)], &["did you mean", rule.id]);
    }
}

#[test]
fn reports_go_to_a_file_and_machine_formats_stay_clean() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ts", "export const a = 1;");
    let output = run(dir.path(), &["--format", "json", "--stats"]);
    serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    assert!(text(&output.stderr).contains("1  code files"));
    let output = run(dir.path(), &["--format", "sarif", "-o", "out.sarif"]);
    assert!(output.stdout.is_empty());
    serde_json::from_slice::<serde_json::Value>(&std::fs::read(dir.path().join("out.sarif")).unwrap()).unwrap();
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..200 {
        write(
            dir.path(),
            &format!("d{}/f{number}.ts", number % 7),
            &format!("export const a{number} = fetch('/x');\n"),
        );
    }
    write(dir.path(), "d1/package.json", "{ broken");
    std::fs::write(dir.path().join("d2/odd.ts"), b"\x00\xff\xfe\x01").unwrap();
    for format in ["human", "json", "sarif"] {
        let one = run(dir.path(), &["--jobs", "1", "--format", format, "--stats"]);
        for _ in 0..3 {
            let eight = run(dir.path(), &["--jobs", "8", "--format", format, "--stats"]);
            assert_eq!((text(&one.stdout), text(&one.stderr)), (text(&eight.stdout), text(&eight.stderr)));
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..2000 {
        write(dir.path(), &format!("{number}-{}.ts", "x".repeat(100)), "\u{0}");
    }
    let mut child =
        seamcheck(dir.path()).args(["--stats"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

/// What was found is not known then, and must not pass for nothing.
#[test]
fn a_report_that_is_cut_off_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = seamcheck(dir.path());
    command.args(["rules", "--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(141), ""));
}

#[test]
fn colour_is_a_choice() {
    let dir = tempfile::tempdir().unwrap();
    let coloured = |command: &mut Command| command.output().unwrap().stderr.contains(&0x1b);
    assert!(!coloured(seamcheck(dir.path()).arg("nowhere")));
    assert!(coloured(seamcheck(dir.path()).args(["nowhere", "--color", "always"])));
    assert!(coloured(seamcheck(dir.path()).arg("nowhere").env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(seamcheck(dir.path()).arg("nowhere").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(!coloured(seamcheck(dir.path()).args(["nowhere", "--color", "never"]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn stages_are_timed_on_demand() {
    let dir = tempfile::tempdir().unwrap();
    let output = seamcheck(dir.path()).env("SEAMCHECK_TIMINGS", "1").output().unwrap();
    for stage in ["walk", "extract", "link", "summarize", "check", "settle", "report"] {
        assert!(text(&output.stderr).contains(stage), "{stage}");
    }
}

#[test]
fn facts_tell_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let secret = format!("sk_live_{}", "9fK2mQ7xW4rT8vZ1bN6cL3hJ5pD0sAyE");
    write(dir.path(), "a.ts", &format!("export const key = \"{secret}\";\nimport x from \"y\";\n"));
    for format in ["human", "json"] {
        let output = text(&run(dir.path(), &["facts", "a.ts", "--format", format]).stdout);
        assert!(output.contains("sk_live_") && !output.contains(&secret[12..]), "{output}");
    }
}

#[test]
fn a_broken_pattern_of_the_ignore_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "src/a.ts", "export const a = 1;");
    write(dir.path(), ".seamcheckignore", "[z-a]\n");
    let output = run(dir.path(), &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(".seamcheckignore: cannot be understood: line 1"), "{said}");
}

#[test]
fn the_day_decides_what_is_retired() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "app.py",
        "from anthropic import Anthropic\nfrom flask import Flask\n\napp = Flask(__name__)\nclient = Anthropic(timeout=20)\n\n\n\
         @app.post(\"/review\")\ndef review():\n    answer = client.messages.create(model=\"claude-sonnet-4-5\", \
         max_tokens=400, messages=[])\n    return answer.content[0].text\n",
    );
    let on = |day| {
        let args = ["--format", "compact", "--rule", "retired-api", "--fail-on", "never", "--as-of", day];
        text(&run(dir.path(), &args).stdout)
    };
    let (before, after) = (on("2026-11-22"), on("2026-12-01"));
    assert!(before.contains("warning[retired-api]"), "{before}");
    assert!(after.contains("error[retired-api]"), "{after}");
}

#[test]
fn only_secrets_that_git_keeps_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(dir.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let secret = |end: &str| format!("sk_live_{}{end}", "51NxT7rKq2LmNz4Rt7Yb1Vc9Hd3Jf6Pg0Sa2UeB8Wk5X");
    write(dir.path(), "package.json", "{ \"name\": \"shop\" }");
    write(dir.path(), ".env", &format!("STRIPE_SECRET_KEY={}\n", secret("y")));
    write(dir.path(), ".env.local", &format!("STRIPE_SECRET_KEY={}\n", secret("z")));
    git(&["init", "-q"]);
    git(&["add", "-f", ".env", "package.json"]);
    // The one that is tracked is told whatever is ignored now; the other never left this machine.
    write(dir.path(), ".gitignore", ".env*\n");
    let args = ["--format", "compact", "--rule", "secret-in-repo", "--fail-on", "never"];
    let said = text(&run(dir.path(), &args).stdout);
    assert!(said.contains(".env:1:") && !said.contains(".env.local"), "{said}");
}
