//! Path aliases: which prefixes stand for folders of the repository, in which part of it.
//!
//! Projects (tsconfig, jsconfig) say it, bundlers' configuration files say it, and where neither does,
//! custom does: `@/x` and `~/x` mean the sources of the app that the file belongs to.

use std::sync::Arc;

use oxc_resolver::TsConfig;
use rustc_hash::FxHashMap;

use super::manifests::{self, Manifests};
use super::paths::{self, ancestors, join, parent};
use super::tree::{self, Found, Tree};

/// The aliases of every part of the repository.
pub(super) struct Aliases {
    projects: FxHashMap<String, Vec<Project>>,
    /// By the folder of the configuration file: alias and folder or file, longest alias first.
    bundled: FxHashMap<String, Vec<(String, String)>>,
}

/// A project's aliases.
struct Project {
    config: Arc<TsConfig>,
    /// What stands before and after the `*`; without `*` the whole is the alias.
    patterns: Vec<(String, Option<String>)>,
    base: Option<String>,
}

/// What became of an aliased specifier.
pub(super) enum Aliased {
    /// It leads there.
    Found(Found),
    /// An alias applies, but what it leads to is not in the repository.
    Nothing,
    /// No alias applies.
    None,
}

impl Project {
    fn load(path: &str, tree: &Tree) -> Option<Self> {
        let config = tree.config(path)?;
        let options = &config.compiler_options;
        let inside = |to: &std::path::PathBuf| tree::relative(to).is_some_and(|to| !to.contains("node_modules"));
        let aliases = options.paths.iter().flatten().filter(|(_, to)| to.iter().any(inside));
        let patterns = aliases.map(|(alias, _)| match alias.split_once('*') {
            Some((head, tail)) => (head.to_owned(), Some(tail.to_owned())),
            None => (alias.clone(), None),
        });
        let patterns: Vec<_> = patterns.collect();
        let base = options.base_url.as_deref().and_then(tree::relative).map(|base| base.into_owned());
        (!patterns.is_empty() || base.is_some()).then_some(Self { config, patterns, base })
    }

    /// Whether an alias applies; one of `*` alone applies to everything and therefore says nothing.
    fn applies(&self, specifier: &str) -> Option<bool> {
        let matching = |(head, tail): &&(String, Option<String>)| match tail {
            Some(tail) => specifier.strip_prefix(head.as_str()).is_some_and(|rest| rest.ends_with(tail.as_str())),
            None => specifier == head,
        };
        let found: Vec<_> = self.patterns.iter().filter(matching).collect();
        (!found.is_empty()).then(|| found.iter().any(|(head, _)| !head.is_empty()))
    }

    /// Whether the first segment of a plain specifier is there in the base folder.
    fn based(&self, specifier: &str, tree: &Tree) -> bool {
        let Some(base) = &self.base else { return false };
        let Some(path) = join(base, specifier.split('/').next().unwrap_or(specifier)) else { return false };
        tree.is_folder(&path) || (!specifier.contains('/') && tree.lookup(&path).is_some())
    }
}

impl Aliases {
    /// Loads the projects of every folder; `bundled` holds the aliases of bundlers' configuration files as
    /// (folder of the file, alias, folder or file it stands for).
    pub fn load(manifests: &Manifests, tree: &Tree, bundled: Vec<(String, String, String)>) -> Self {
        let mut paths: Vec<&String> = manifests.configs.keys().collect();
        paths.retain(|path| manifests::is_config(paths::name(path)));
        // Within a folder: tsconfig.json, what it refers to, other projects, jsconfig.json.
        paths
            .sort_by_key(|path| (parent(path), paths::name(path) != "tsconfig.json", path.contains("jsconfig"), *path));
        let mut by_folder: FxHashMap<String, Vec<&str>> = FxHashMap::default();
        for path in paths {
            let listed = by_folder.entry(parent(path).to_owned()).or_default();
            let from = listed.len();
            listed.push(path);
            for at in from.. {
                let Some(&path) = listed.get(at) else { break };
                for reference in manifests.references.get(path).into_iter().flatten() {
                    // A `tsconfig.json` elsewhere is the project of its own folder.
                    if paths::name(reference) != "tsconfig.json" && !listed.contains(&reference.as_str()) {
                        listed.push(reference);
                    }
                }
            }
        }
        let mut projects: FxHashMap<String, Vec<Project>> = FxHashMap::default();
        for (folder, paths) in by_folder {
            let mut seen: Vec<&str> = Vec::new();
            for path in paths {
                if !seen.contains(&path) {
                    seen.push(path);
                    if let Some(project) = Project::load(path, tree) {
                        projects.entry(folder.clone()).or_default().push(project);
                    }
                }
            }
        }
        let mut by_alias: FxHashMap<String, Vec<(String, String)>> = FxHashMap::default();
        for (folder, alias, to) in bundled {
            by_alias.entry(folder).or_default().push((alias, to));
        }
        for aliases in by_alias.values_mut() {
            aliases.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        }
        Self { projects, bundled: by_alias }
    }

    /// Where a specifier leads that is neither relative nor a URL. The nearest folder whose aliases apply decides.
    pub fn resolve(&self, folder: &str, specifier: &str, tree: &Tree) -> Aliased {
        for around in ancestors(folder) {
            let mut applied = false;
            for project in self.projects.get(around).into_iter().flatten() {
                let applies = project.applies(specifier);
                if (applies.is_some() || project.based(specifier, tree))
                    && let Some(found) = tree.aliased(folder, specifier, &project.config)
                {
                    return Aliased::Found(found);
                }
                applied |= applies == Some(true);
            }
            for (alias, to) in self.bundled.get(around).into_iter().flatten() {
                let Some(rest) = specifier.strip_prefix(alias.as_str()) else { continue };
                if rest.is_empty() || rest.starts_with('/') || alias.ends_with('/') {
                    let path = join(to, rest);
                    if let Some(found) = path.and_then(|path| tree.at(&path).or_else(|| tree.lookup(&path))) {
                        return Aliased::Found(found);
                    }
                    applied = true;
                }
            }
            if applied {
                return Aliased::Nothing;
            }
        }
        Aliased::None
    }
}

/// Where a specifier leads that looks like an alias nobody declares.
pub(super) fn guess(folder: &str, specifier: &str, manifests: &Manifests, tree: &Tree) -> Aliased {
    let (head, rest) = specifier.split_once('/').unwrap_or((specifier, ""));
    let find = |rest: &str| {
        bases(folder, manifests)
            .filter_map(|base| join(&base, rest))
            .find_map(|path| tree.at(&path).or_else(|| tree.lookup(&path)))
    };
    let declared = |name: &str| manifests.declares(folder, name);
    match head {
        "@" | "~" | "@@" | "~~" => find(rest).map_or(Aliased::Nothing, Aliased::Found),
        "$lib" => find(&format!("lib/{rest}")).map_or(Aliased::Nothing, Aliased::Found),
        _ => {
            let scoped = head.starts_with('@');
            let plain = head.trim_start_matches(['@', '~', '#', '$']);
            let package = super::specifier::name_of(specifier).0;
            let alias = plain.len() < head.len() || !rest.is_empty();
            if !alias || plain.is_empty() || declared(package) || (!scoped && declared(head)) {
                return Aliased::None;
            }
            let there = bases(folder, manifests).filter_map(|base| join(&base, plain));
            if !rest.is_empty() && !there.into_iter().any(|path| tree.is_folder(&path)) {
                return Aliased::None;
            }
            find(&format!("{plain}/{rest}")).map_or(Aliased::None, Aliased::Found)
        }
    }
}

/// The folders an undeclared alias may start in, likeliest first, all within the app that `folder` belongs to.
fn bases<'a>(folder: &'a str, manifests: &'a Manifests) -> impl Iterator<Item = String> + 'a {
    let root = ancestors(folder).find(|around| manifests.packages.contains_key(*around)).unwrap_or("");
    let inside = move || ancestors(folder).take_while(move |around| paths::within(around, root));
    let usual = ["src", "", "app", "client/src", "client", "frontend/src", "frontend"];
    inside()
        .filter(|around| paths::name(around) == "src")
        .map(str::to_owned)
        .chain(usual.into_iter().filter_map(move |usual| join(root, usual)))
        .chain(inside().map(str::to_owned))
}
