//! The hooks, run by the real pre-commit program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::workbench::{HAZARD, Repo, program, said};

const FILE: &str = "supabase/functions/join/index.ts";
const NEW: &str = "supabase/functions/new/index.ts";

/// A repository whose hook is the one of this project, and the programs it needs on the way.
struct Hooked {
    repo: Repo,
    tool: Repo,
    home: Repo,
    pre_commit: PathBuf,
}

fn hooked(id: &str) -> Option<Hooked> {
    let pre_commit = program("pre-commit")?;
    let (tool, home, repo) = (Repo::new(), Repo::new(), Repo::committed());
    // A clone of this project, as far as pre-commit looks at it.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [".pre-commit-hooks.yaml", "Cargo.toml"] {
        tool.write(name, &std::fs::read_to_string(root.join(name)).unwrap());
    }
    tool.git(&["init", "-q", "-b", "main"]);
    tool.commit("tool");
    let rev = tool.git(&["rev-parse", "HEAD"]);
    let from = tool.path().display();
    let config = format!("repos:\n- repo: {from}\n  rev: {}\n  hooks:\n  - id: {id}\n", rev.trim());
    repo.write(".pre-commit-config.yaml", &config);
    repo.commit("hook");
    Some(Hooked { repo, tool, home, pre_commit })
}

impl Hooked {
    fn run(&self, args: &[&str], bin: &Path) -> Output {
        let way = std::env::var_os("PATH").unwrap_or_default();
        let way: Vec<PathBuf> = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&way)).collect();
        Command::new(&self.pre_commit)
            .args(args)
            .current_dir(self.repo.path())
            .env("PATH", std::env::join_paths(way).unwrap())
            .env("PRE_COMMIT_HOME", self.home.path())
            .env("NO_COLOR", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "t")
            .env("GIT_AUTHOR_EMAIL", "t@example.com")
            .output()
            .unwrap()
    }
}

fn binary() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_seamcheck")).parent().unwrap().to_owned()
}

#[test]
fn a_commit_is_stopped_for_what_it_adds() {
    let Some(it) = hooked("seamcheck-system") else { return };
    let run = |args: &[&str]| it.run(args, &binary());
    // The old finding stands in a file that is touched elsewhere: it stops nothing.
    it.repo.edit(FILE, "Brevo answered", "Brevo said");
    it.repo.git(&["add", "-A"]);
    let output = run(&["run"]);
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    it.repo.write(NEW, HAZARD);
    it.repo.git(&["add", "-A"]);
    let output = run(&["run"]);
    let text = said(&output.stdout);
    assert!(
        !output.status.success() && text.contains("missing-timeout") && text.contains(NEW) && !text.contains(FILE),
        "{text}"
    );
    // Mended in the work tree only: what is staged still has it.
    it.repo.edit(NEW, "    method: \"POST\",", "    method: \"POST\",\n    signal: AbortSignal.timeout(10_000),");
    assert!(!run(&["run"]).status.success());
    it.repo.write("seamcheck.toml", "[rules]\nunauthenticated-paid-proxy = { skip = \"not what is tested\" }\nenv-undocumented = { skip = \"not what is tested\" }\nenv-unchecked = { skip = \"not what is tested\" }\n");
    it.repo.git(&["add", "-A"]);
    let output = run(&["run"]);
    assert!(output.status.success(), "{}", said(&output.stdout));
    // In CI nothing is staged: everything is reported.
    it.repo.commit("all");
    let output = run(&["run", "--all-files"]);
    let text = said(&output.stdout);
    assert!(!output.status.success() && text.contains(FILE), "{text}");
    // Of a push what it adds.
    assert!(run(&["run", "--from-ref", "HEAD~1", "--to-ref", "HEAD"]).status.success());
}

#[test]
fn git_runs_the_hook_at_a_commit() {
    let Some(it) = hooked("seamcheck-system") else { return };
    let output = it.run(&["install"], &binary());
    assert!(output.status.success(), "{}", said(&output.stdout));
    it.repo.write(NEW, HAZARD);
    it.repo.git(&["add", "-A"]);
    let way = std::env::join_paths([
        binary(),
        PathBuf::from("/usr/local/bin"),
        PathBuf::from("/usr/bin"),
        PathBuf::from("/bin"),
    ])
    .unwrap();
    let commit = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-m", "new"])
        .current_dir(it.repo.path())
        .env("PATH", way)
        .env("PRE_COMMIT_HOME", it.home.path())
        .output()
        .unwrap();
    assert!(
        !commit.status.success() && said(&commit.stderr).contains("missing-timeout"),
        "{}{}",
        said(&commit.stdout),
        said(&commit.stderr)
    );
}

/// pre-commit has cargo build the hook. A release build takes minutes: a stand-in for cargo puts the binary that the
/// tests run where `cargo install` would; with SEAMCHECK_SLOW_TESTS the real one builds.
#[cfg(unix)]
#[test]
fn the_hook_that_builds_is_built_and_run() {
    use std::os::unix::fs::PermissionsExt;
    let Some(it) = hooked("seamcheck") else { return };
    let stand_in = Repo::new();
    if std::env::var_os("SEAMCHECK_SLOW_TESTS").is_none() {
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {log}\n[ \"$1\" = install ] || exit 0\nwhile [ $# -gt 0 ]; do [ \"$1\" = --root ] && root=$2; shift; done\nmkdir -p \"$root/bin\" && cp {binary} \"$root/bin/seamcheck\"\n",
            log = stand_in.at("log").display(),
            binary = env!("CARGO_BIN_EXE_seamcheck"),
        );
        stand_in.write("cargo", &script);
        std::fs::set_permissions(stand_in.at("cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    } else {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = Command::new("git").args(["ls-files"]).current_dir(root).output().unwrap();
        for path in said(&files.stdout).lines() {
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                std::fs::create_dir_all(it.tool.at(path).parent().unwrap()).unwrap();
                std::fs::write(it.tool.at(path), bytes).unwrap();
            }
        }
        it.tool.commit("all of it");
        let rev = it.tool.git(&["rev-parse", "HEAD"]);
        let config = it.repo.read(".pre-commit-config.yaml");
        let old = config.lines().find(|line| line.contains("rev:")).unwrap().to_owned();
        it.repo.write(".pre-commit-config.yaml", &config.replace(&old, &format!("  rev: {}", rev.trim())));
    }
    it.repo.write(NEW, HAZARD);
    it.repo.git(&["add", "-A"]);
    let output = it.run(&["run"], stand_in.path());
    let text = said(&output.stdout);
    assert!(
        !output.status.success() && text.contains("missing-timeout") && text.contains(NEW),
        "{text}{}",
        said(&output.stderr)
    );
}

#[test]
fn the_manifest_is_valid() {
    let Some(pre_commit) = program("pre-commit") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(pre_commit)
        .args(["validate-manifest", ".pre-commit-hooks.yaml"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output.stdout));
}
