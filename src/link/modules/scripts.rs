//! Where an import of JavaScript or TypeScript leads: the repository's own files by the rules of bundlers,
//! everything else to a package.

use super::aliases::{self, Aliased, Aliases};
use super::manifests::Manifests;
use super::paths::{self, ancestors, join};
use super::specifier;
use super::tree::{Found, Tree};
use crate::program::Target;

/// Folders that builds are written to.
const BUILDS: &[&str] = &["dist", "build", "lib", "out", "esm", "cjs"];

/// All that decides where scripts' imports lead.
pub(super) struct Scripts<'a> {
    pub tree: &'a Tree,
    pub manifests: &'a Manifests,
    pub aliases: &'a Aliases,
}

impl From<Found> for Target {
    fn from(found: Found) -> Self {
        match found {
            Found::Code(file) => Self::File(file),
            Found::Other => Self::Asset,
        }
    }
}

impl Scripts<'_> {
    /// Where `specifier` leads from a file in `folder`.
    pub fn target(&self, folder: &str, specifier: &str) -> Target {
        // `raw-loader!./x` names the loaders first; `./x?raw` and `./x#y` end in a query.
        let specifier = specifier.rsplit('!').next().unwrap_or(specifier);
        if specifier.is_empty() {
            return Target::Missing;
        }
        if let Some(target) = self.mapped(folder, specifier).or_else(|| specifier::outright(specifier)) {
            return target;
        }
        let (specifier, query) = specifier.split_once('?').unwrap_or((specifier, ""));
        let as_text = query.split('&').any(|word| matches!(word, "raw" | "url" | "inline"));
        match self.own(folder, specifier) {
            Some(Target::File(_)) if as_text => Target::Asset,
            Some(target) => target,
            None => specifier::bare(specifier),
        }
    }

    /// What the nearest import map makes of a specifier.
    fn mapped(&self, folder: &str, specifier: &str) -> Option<Target> {
        for map in ancestors(folder).filter_map(|around| self.manifests.import_maps.get(around)) {
            let exact = map.entries.iter().find(|(from, _)| from == specifier);
            let mapped = exact.map(|(_, to)| to.clone()).or_else(|| {
                let longest = map.entries.iter().filter_map(|(from, to)| prefixed(from, to, specifier));
                longest.max_by_key(|(length, _)| *length).map(|(_, mapped)| mapped)
            });
            let Some(mapped) = mapped else { continue };
            return Some(match specifier::outright(&mapped) {
                Some(target) => target,
                None if mapped.starts_with(['.', '/']) => {
                    let path = join(&map.folder, &mapped);
                    path.and_then(|path| self.find(&path)).map_or(Target::Missing, Target::from)
                }
                None => specifier::bare(&mapped),
            });
        }
        None
    }

    /// The file of the repository; none when the specifier names a package.
    fn own(&self, folder: &str, specifier: &str) -> Option<Target> {
        if specifier.starts_with('.') {
            return Some(self.relative(folder, specifier));
        }
        if let Some(path) = specifier.strip_prefix('/') {
            // From the root of the site: the folder that is served, or its public files.
            let bases =
                ancestors(folder).flat_map(|around| [join(around, path), join(around, &format!("public/{path}"))]);
            return Some(bases.flatten().find_map(|path| self.find(&path)).map_or(Target::Missing, Target::from));
        }
        let aliased = match self.aliases.resolve(folder, specifier, self.tree) {
            Aliased::Found(found) => return Some(found.into()),
            other => matches!(other, Aliased::Nothing),
        };
        if specifier.starts_with('#')
            && let Some(found) = self.tree.resolve(folder, specifier)
        {
            return Some(found.into());
        }
        let (name, rest) = specifier::name_of(specifier);
        if let Some(home) = self.manifests.local.get(name) {
            return Some(self.workspace(folder, specifier, home, rest).map_or(Target::Missing, Target::from));
        }
        match aliases::guess(folder, specifier, self.manifests, self.tree) {
            Aliased::Found(found) => Some(found.into()),
            Aliased::Nothing => Some(Target::Missing),
            Aliased::None => (aliased && !self.manifests.declares(folder, name)).then_some(Target::Missing),
        }
    }

    fn relative(&self, folder: &str, specifier: &str) -> Target {
        if let Some(found) = self.tree.resolve(folder, specifier) {
            return found.into();
        }
        // Frameworks write a route's types beside it when they build.
        let generated = specifier.starts_with("./$types") || specifier.contains("/+types/");
        if generated { specifier::bare("$types") } else { Target::Missing }
    }

    /// What a path from the root leads to.
    fn find(&self, path: &str) -> Option<Found> {
        self.tree.at(path).or_else(|| self.tree.lookup(path))
    }

    /// The source of a package of this repository: what its manifest exports, or what that is built from.
    fn workspace(&self, folder: &str, specifier: &str, home: &str, rest: &str) -> Option<Found> {
        let resolved = self.tree.resolve(folder, specifier);
        if let Some(Found::Code(_)) = resolved {
            return resolved;
        }
        let package = &self.manifests.packages[home];
        let fields = ["source", "module", "main", "types"].into_iter().filter_map(|field| package[field].as_str());
        let built: Vec<&str> =
            if rest.is_empty() { fields.chain(exported(&package["exports"])).collect() } else { vec![] };
        let sources = built.into_iter().flat_map(source_of);
        let usual: Vec<String> = if rest.is_empty() {
            ["src/index", "index", "src/main", "src"].map(str::to_owned).into()
        } else {
            vec![format!("src/{rest}"), rest.to_owned(), format!("src/{rest}/index")]
        };
        let found = sources.chain(usual).filter_map(|path| join(home, &path)).find_map(|path| self.find(&path));
        found.or(resolved)
    }
}

/// What an import map's prefix makes of a specifier, and how long the prefix is. Packages of a registry
/// serve their parts without an entry of their own.
fn prefixed(from: &str, to: &str, specifier: &str) -> Option<(usize, String)> {
    let rest = specifier.strip_prefix(from)?;
    if from.ends_with('/') {
        return Some((from.len(), format!("{to}{rest}")));
    }
    let registry = to.starts_with("npm:") || to.starts_with("jsr:");
    (registry && rest.starts_with('/')).then(|| (from.len(), format!("{to}{rest}")))
}

/// Every path that an `exports` field gives for the package itself.
fn exported(exports: &serde_json::Value) -> Vec<&str> {
    use serde_json::Value;
    match exports {
        Value::String(path) => vec![path],
        Value::Object(entries) => {
            let subpaths = entries.keys().any(|key| key.starts_with('.'));
            let entries = entries.iter().filter(|(key, _)| !subpaths || *key == ".");
            entries.flat_map(|(_, value)| exported(value)).collect()
        }
        Value::Array(values) => values.iter().flat_map(exported).collect(),
        _ => vec![],
    }
}

/// What a built file may have been built from: `./dist/index.d.ts` from `src/index`, `index`.
fn source_of(built: &str) -> Vec<String> {
    let path = built.trim_start_matches("./");
    let stem = paths::name(path).split('.').next().unwrap_or_default();
    let folder = paths::parent(path);
    let (head, rest) = folder.split_once('/').unwrap_or((folder, ""));
    if !BUILDS.contains(&head) {
        return vec![format!("{folder}/{stem}")];
    }
    vec![format!("src/{rest}/{stem}"), format!("{rest}/{stem}"), format!("src/{stem}")]
}
