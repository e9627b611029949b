//! A repository made by a test, and the binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// An edge function that reports `missing-timeout` and more, once for each call of it.
pub const HAZARD: &str = r#"import { serve } from "https://deno.land/std@0.168.0/http/server.ts";

serve(async (req) => {
  const { email } = await req.json();
  const response = await fetch("https://api.brevo.com/v3/contacts", {
    method: "POST",
    headers: { "api-key": Deno.env.get("BREVO_API_KEY")! },
    body: JSON.stringify({ email }),
  });
  if (!response.ok) throw new Error(`Brevo answered ${response.status}`);
  return new Response("ok");
});
"#;

/// The rule that the tests go by.
pub const RULE: &str = "missing-timeout";

/// A folder with a repository in it.
pub struct Repo {
    folder: TempDir,
}

impl Repo {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("shop").tempdir().unwrap() }
    }

    /// A folder with the hazard in one edge function.
    pub fn with_hazard() -> Self {
        let repo = Self::new();
        repo.write("supabase/functions/join/index.ts", HAZARD);
        repo
    }

    /// The same under git, committed.
    pub fn committed() -> Self {
        let repo = Self::with_hazard();
        repo.git(&["init", "-q", "-b", "main"]);
        repo.commit("first");
        repo
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    /// Rewrites a file by replacing a text that stands in it.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} lacks {from:?}");
        self.write(path, &text.replacen(from, to, 1));
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seamcheck"));
        command.current_dir(self.path()).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// The JSON report of one rule.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[&["--format", "json", "--rule", RULE], args].concat());
        assert_ne!(output.status.code(), Some(2), "{}", said(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Where the rule reports: `path:line`.
    pub fn places(&self, args: &[&str]) -> Vec<String> {
        let report = self.json(args);
        let place = |it: &Value| format!("{}:{}", it["place"]["path"].as_str().unwrap(), it["place"]["line"]);
        report["findings"].as_array().unwrap().iter().map(place).collect()
    }

    /// A refusal: exit code 2 and a message that says these things, nothing on standard output.
    pub fn refuses(&self, args: &[&str], what: &[&str]) {
        let output = self.run(args);
        let text = folded(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(output.stdout.is_empty() && !text.contains("panicked"), "{text}");
        for what in what {
            assert!(text.contains(what), "{args:?} does not say {what:?}: {text}");
        }
    }
}

/// What was said.
pub fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What was said, its folded lines unfolded.
pub fn folded(bytes: &[u8]) -> String {
    let text = said(bytes).replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The program, if it is there: in the folders that `.ci/run` installs into, or on the way. Else none, with a message.
pub fn program(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = [root.join("target/tools/bin"), root.join("target/tools/npm/node_modules/.bin")];
    let way = std::env::var_os("PATH").unwrap_or_default();
    let found = tools.into_iter().chain(std::env::split_paths(&way)).map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed (.ci/run installs it)");
    }
    found
}

/// The target whose archive this machine could run.
pub fn target() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-musl"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-musl"),
        ("macos", "x86_64") => Some("x86_64-apple-darwin"),
        ("macos", "aarch64") => Some("aarch64-apple-darwin"),
        ("windows", "x86_64") => Some("x86_64-pc-windows-msvc"),
        _ => None,
    }
}

/// A release of the binary that the tests run, for this machine: its archive and `SHA256SUMS`. Made once.
pub fn released() -> Option<&'static Path> {
    static RELEASE: OnceLock<Option<TempDir>> = OnceLock::new();
    let made = RELEASE.get_or_init(|| {
        let (python, target) = (program("python3")?, target()?);
        let folder = TempDir::new().unwrap();
        let name = format!("seamcheck{}", std::env::consts::EXE_SUFFIX);
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_seamcheck"), bin.join(&name)).unwrap();
        // Without what only a debugger reads it is packed in a fraction of the time.
        if let Some(strip) = program("strip") {
            Command::new(strip).arg(bin.join(&name)).status().unwrap();
        }
        let dist = folder.path().join("dist");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/archive.py");
        let output = Command::new(&python).arg(script).arg(target).arg(&bin).arg(&dist).output().unwrap();
        assert!(output.status.success(), "{}", said(&output.stderr));
        let sums = "import hashlib, os, sys; os.chdir(sys.argv[1]); open('SHA256SUMS', 'w').write(''.join(hashlib.sha256(open(n, 'rb').read()).hexdigest() + '  ' + n + chr(10) for n in sorted(os.listdir('.')) if n != 'SHA256SUMS'))";
        assert!(Command::new(python).args(["-c", sums]).arg(&dist).status().unwrap().success());
        Some(folder)
    });
    made.as_ref().map(|folder| folder.path())
}
