//! Which folders are left out. Some names always mean dependencies or build output. Others (`dist`, `build`,
//! `out`, `vendor`, `target`, `coverage`, `env`) are also names of features and routes, so that what lies beside
//! or inside must say the same: a wrong guess would lose hand-written code without a word.

use std::path::Path;

use super::Reason;

/// Why the folder `path` is left out, if it is. Touches the disk for ambiguous names only.
pub fn left_out(path: &Path, name: &str) -> Option<Reason> {
    use Reason::{BuildOutput, DependencyFolder};
    match name {
        "node_modules" | "bower_components" | "jspm_packages" | "__pycache__" | "site-packages" | ".venv" | ".yarn"
        | ".pnpm-store" | ".tox" | ".nox" | ".eggs" | "Pods" | "__pypackages__" => Some(DependencyFolder),
        "venv" | "env" | "virtualenv" => holds(path, &["pyvenv.cfg"]).then_some(DependencyFolder),
        "vendor" => vendor(path).then_some(DependencyFolder),
        ".next" | ".nuxt" | ".output" | ".svelte-kit" | ".vercel" | ".netlify" | ".turbo" | ".vite"
        | ".parcel-cache" | ".astro" | ".docusaurus" | ".angular" | ".expo" | ".wrangler" | ".serverless"
        | ".cache" => Some(BuildOutput),
        "dist" | "build" | "out" => output(path).then_some(BuildOutput),
        "target" => (holds(path, &["CACHEDIR.TAG"]) || beside(path, &["Cargo.toml", "pom.xml"])).then_some(BuildOutput),
        "coverage" => {
            holds(path, &["lcov.info", "lcov-report", "coverage-final.json", "clover.xml"]).then_some(BuildOutput)
        }
        "storybook-static" => Some(BuildOutput),
        _ if name.ends_with(".egg-info") => Some(BuildOutput),
        _ => None,
    }
}

/// `vendor` holds dependencies where a package manager of PHP, Go or Ruby put them. In a shop it holds sellers.
fn vendor(path: &Path) -> bool {
    holds(path, &["autoload.php", "modules.txt", "bundle"]) || beside(path, &["composer.json", "go.mod", "Gemfile"])
}

/// `dist`, `build` and `out` are output beside a manifest, which is where bundlers put them, unless they hold
/// sources that no bundler writes. Deeper (`src/build`, `app/out`) they are folders like any other.
fn output(path: &Path) -> bool {
    beside(path, &["package.json", "pyproject.toml", "setup.py", "deno.json", "index.html", "tsconfig.json"])
        && (holds(path, &["lib", "bdist.linux-x86_64"]) && beside(path, &["setup.py", "pyproject.toml"])
            || !holds_sources(path, 3))
}

fn holds(path: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| path.join(name).exists())
}

fn beside(path: &Path, names: &[&str]) -> bool {
    path.parent().is_some_and(|parent| holds(parent, names))
}

/// Whether there is a file that only people write, at most `depth` folders down.
fn holds_sources(path: &Path, depth: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    let mut folders = vec![];
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => folders.push(entry.path()),
            Ok(_) if is_source(&name) => return true,
            _ => {}
        }
    }
    depth > 1
        && folders
            .iter()
            .filter(|folder| !folder.ends_with("node_modules"))
            .any(|folder| holds_sources(folder, depth - 1))
}

fn is_source(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    match extension {
        "ts" | "mts" | "cts" => !stem.ends_with(".d"),
        "tsx" | "jsx" | "vue" | "svelte" | "astro" | "py" => true,
        _ => false,
    }
}
