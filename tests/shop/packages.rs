//! The packages: made of the binary that the tests run, installed as users install them, and run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::workbench::{Repo, program, released, said};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}{}", said(&output.stdout), said(&output.stderr));
    output
}

/// The folder of a release's archives.
fn dist() -> Option<PathBuf> {
    released().map(|folder| folder.join("dist"))
}

fn packed(script: &str, dist: &Path, to: &Path) {
    done(Command::new(program("python3").unwrap()).arg(root().join("packaging").join(script)).arg(dist).arg(to));
}

#[test]
fn the_npm_package_runs() {
    let (Some(npm), Some(_)) = (program("npm"), program("node")) else { return };
    let work = Repo::with_hazard();
    let Some(dist) = dist() else { return };
    packed("npm.py", &dist, &work.at("packages"));
    let mut packages: Vec<PathBuf> =
        std::fs::read_dir(work.at("packages")).unwrap().map(|it| it.unwrap().path()).collect();
    packages.sort();
    assert_eq!(packages.len(), 2, "{packages:?}");
    work.write("package.json", "{ \"name\": \"x\", \"private\": true }");
    // The registry is not asked: the other platforms' packages are optional and stay away.
    done(
        Command::new(npm)
            .args(["install", "--offline", "--no-audit", "--no-fund", "--omit=optional"])
            .args(&packages)
            .current_dir(work.path()),
    );
    let started = work.at("node_modules/.bin").join(if cfg!(windows) { "seamcheck.cmd" } else { "seamcheck" });
    let output = Command::new(&started)
        .args(["--rule", "missing-timeout", "--format", "compact"])
        .current_dir(work.path())
        .output()
        .unwrap();
    let direct = work.run(&["--rule", "missing-timeout", "--format", "compact"]);
    assert_eq!((said(&output.stdout), output.status.code()), (said(&direct.stdout), direct.status.code()));
    assert_eq!(Command::new(&started).arg("--no-such-option").output().unwrap().status.code(), Some(2));
    // Without the platform's package it says what to do.
    std::fs::remove_dir_all(work.at("node_modules/@seamcheck")).unwrap();
    let output = Command::new(&started).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("there is no binary for"), "{}", said(&output.stderr));
    // Every platform is named.
    let manifest: Value = serde_json::from_str(&work.read("node_modules/seamcheck/package.json")).unwrap();
    assert_eq!(manifest["optionalDependencies"].as_object().unwrap().len(), 5);
}

#[test]
fn the_wheel_runs() {
    let work = Repo::with_hazard();
    let Some(dist) = dist() else { return };
    packed("wheels.py", &dist, &work.at("wheels"));
    let wheel = std::fs::read_dir(work.at("wheels")).unwrap().next().unwrap().unwrap().path();
    installed(&work, &wheel);
}

/// Installs a wheel into an environment of its own and runs what it brings.
fn installed(work: &Repo, wheel: &Path) {
    done(Command::new(program("python3").unwrap()).args(["-m", "venv"]).arg(work.at("venv")));
    let bin = work.at(if cfg!(windows) { "venv/Scripts" } else { "venv/bin" });
    done(Command::new(bin.join("pip")).args(["install", "--quiet", "--no-index", "--no-deps"]).arg(wheel));
    let output = done(Command::new(bin.join("seamcheck")).arg("--version"));
    assert_eq!(said(&output.stdout).trim(), format!("seamcheck {}", env!("CARGO_PKG_VERSION")));
    let output = Command::new(bin.join("seamcheck"))
        .args(["--rule", "missing-timeout"])
        .current_dir(work.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// From source with maturin. Its own profile takes minutes: here that of the tests, whose build lies ready.
#[test]
fn the_wheel_is_built_from_source() {
    let (Some(maturin), Some(_)) = (program("maturin"), program("cargo")) else { return };
    let Some(python) = program("python3").filter(|python| python.parent() == maturin.parent()) else { return };
    let work = Repo::with_hazard();
    let slow = std::env::var_os("SEAMCHECK_SLOW_TESTS").is_some();
    let way = std::env::var_os("PATH").unwrap_or_default();
    let tools = std::iter::once(maturin.parent().unwrap().to_owned()).chain(std::env::split_paths(&way));
    let mut build = Command::new(python);
    build.args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]);
    build.arg(work.at("wheels")).arg(root()).env("PATH", std::env::join_paths(tools).unwrap());
    build.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_BIN_EXE_seamcheck")).ancestors().nth(2).unwrap());
    if !slow {
        build.env("MATURIN_PEP517_ARGS", "--profile dev");
    }
    done(&mut build);
    let wheel = std::fs::read_dir(work.at("wheels")).unwrap().next().unwrap().unwrap().path();
    assert!(wheel.to_string_lossy().contains("py3-none-"), "{}", wheel.display());
    installed(&work, &wheel);
}

#[test]
fn what_is_in_it_is_listed() {
    let Some(python) = program("python3") else { return };
    let output = done(Command::new(python).arg("packaging/sbom.py").current_dir(root()));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (list["bomFormat"].as_str(), list["metadata"]["component"]["name"].as_str()),
        (Some("CycloneDX"), Some("seamcheck"))
    );
    let components = list["components"].as_array().unwrap();
    let names: Vec<&str> = components.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.len() > 50 && names.is_sorted());
    for (name, is_in) in [("tree-sitter", true), ("mimalloc", true), ("libmimalloc-sys", true), ("insta", false)] {
        assert_eq!(names.contains(&name), is_in, "{name}");
    }
}

#[test]
fn a_tag_that_is_no_version_is_refused() {
    let Some(python) = program("python3") else { return };
    let output = Command::new(python).args(["packaging/version.py", "v9.9.9"]).current_dir(root()).output().unwrap();
    assert!(!output.status.success() && said(&output.stderr).contains("the tag is v9.9.9"), "{}", said(&output.stderr));
}

/// The oldest Rust is said in one place, and CI builds with it.
#[test]
fn the_oldest_rust_is_tested() {
    let ci = std::fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    assert!(ci.contains("rust-version") && ci.contains("cargo \"+$msrv\" build"));
    assert!(!env!("CARGO_PKG_RUST_VERSION").is_empty());
}

/// Two of its words were wrong before anybody ran it: npm takes `folder/name.tgz` for a repository on GitHub, and a
/// glob sees the file that the shell is about to write.
#[test]
fn what_is_published_is_a_file() {
    let release = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let publish = release.lines().find(|line| line.contains("for package in")).unwrap();
    assert!(publish.split_whitespace().filter(|word| word.contains(".tgz")).all(|word| word.starts_with("./")));
    assert!(release.contains("sha256sum seamcheck* > SHA256SUMS"));
}
