//! What manifests say of modules: packages and workspaces, tsconfig files, import maps.
//!
//! Dependencies are not installed where we look, so what refers to them is taken out before a manifest
//! is handed on: a base configuration that lives in `node_modules` must not cost an app its path aliases.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use super::paths::{self, join, parent};
use super::specifier;

/// Versions that mean a package of the same repository.
const LOCAL: &[&str] = &["workspace:", "file:", "link:", "portal:"];

/// Every manifest that has a say in module resolution, by path.
pub(super) struct Manifests {
    /// `package.json`, by its folder.
    pub packages: FxHashMap<String, Value>,
    /// Names of packages that the repository itself holds, and their folders.
    pub local: FxHashMap<String, String>,
    /// tsconfig and jsconfig files, reduced to what resolves modules, by path.
    pub configs: FxHashMap<String, String>,
    /// The configurations that others name under `references`.
    pub references: FxHashMap<String, Vec<String>>,
    /// Import maps by the folder they hold for; entries in the order written.
    pub import_maps: FxHashMap<String, ImportMap>,
}

/// An import map: where its paths start, and what it maps.
pub(super) struct ImportMap {
    /// The folder of the file it is written in.
    pub folder: String,
    /// Specifier, or prefix with a slash at its end, and what it stands for.
    pub entries: Vec<(String, String)>,
}

impl Manifests {
    /// Reads every manifest among `paths`.
    pub fn load(paths: &FxHashSet<&str>, read: &(dyn Fn(&str) -> Option<String> + Sync)) -> Self {
        let mut wanted: Vec<&str> = paths.iter().copied().filter(|path| is_manifest(paths::name(path))).collect();
        wanted.sort_unstable();
        let mut parsed: FxHashMap<String, Value> = wanted
            .par_iter()
            .filter(|path| !path.ends_with(".yaml"))
            .filter_map(|&path| Some((path.to_owned(), parse(read(path)?)?)))
            .collect();
        let packages: FxHashMap<String, Value> = wanted
            .iter()
            .filter(|path| paths::name(path) == "package.json")
            .filter_map(|&path| Some((parent(path).to_owned(), parsed.get(path)?.clone())))
            .collect();
        let local = local_packages(&packages, &workspace_patterns(&wanted, &packages, read));
        let mut manifests = Self {
            packages,
            local,
            configs: FxHashMap::default(),
            references: FxHashMap::default(),
            import_maps: FxHashMap::default(),
        };
        for path in wanted {
            let name = paths::name(path);
            if is_config(name) {
                manifests.add_config(path, &mut parsed, paths, read);
            } else if matches!(name, "deno.json" | "deno.jsonc" | "import_map.json") {
                manifests.add_import_map(path, &mut parsed, read);
            }
        }
        manifests
    }

    /// Whether a `package.json` at or above `folder` asks for the package `name`.
    pub fn declares(&self, folder: &str, name: &str) -> bool {
        paths::ancestors(folder).filter_map(|folder| self.packages.get(folder)).any(|package| {
            dependencies(package).any(|wanted| wanted.contains_key(name) || wanted.contains_key(&typed(name)))
        })
    }

    fn add_config(
        &mut self,
        path: &str,
        parsed: &mut FxHashMap<String, Value>,
        paths: &FxHashSet<&str>,
        read: &(dyn Fn(&str) -> Option<String> + Sync),
    ) {
        if self.configs.contains_key(path) {
            return;
        }
        let Some(value) = parsed.remove(path).or_else(|| parse(read(path)?)) else { return };
        let folder = parent(path);
        let extended: Vec<String> =
            texts(&value["extends"]).filter_map(|base| self.base_config(folder, base, paths)).collect();
        let references = value["references"].as_array().into_iter().flatten();
        let references = references
            .filter_map(|reference| existing(&join(folder, reference["path"].as_str()?)?, paths))
            .filter(|reference| reference != path)
            .collect();
        let up = "../".repeat(folder.split('/').filter(|segment| !segment.is_empty()).count());
        let reduced = json!({
            "extends": extended.iter().map(|base| format!("./{up}{base}")).collect::<Vec<_>>(),
            "compilerOptions": compiler_options(&value["compilerOptions"]),
        });
        self.configs.insert(path.to_owned(), reduced.to_string());
        self.references.insert(path.to_owned(), references);
        for base in extended {
            self.add_config(&base, parsed, paths, read);
        }
    }

    /// The file of the repository that `extends` names.
    fn base_config(&self, folder: &str, base: &str, paths: &FxHashSet<&str>) -> Option<String> {
        if base.starts_with('.') {
            return existing(&join(folder, base)?, paths);
        }
        let (name, rest) = specifier::name_of(base);
        existing(&join(self.local.get(name)?, rest)?, paths)
    }

    fn add_import_map(
        &mut self,
        path: &str,
        parsed: &mut FxHashMap<String, Value>,
        read: &(dyn Fn(&str) -> Option<String> + Sync),
    ) {
        let folder = parent(path);
        let Some(value) = parsed.get(path) else { return };
        let (mut source, mut found) = (folder.to_owned(), entries(value));
        if found.is_empty()
            && let Some(other) = value["importMap"].as_str().and_then(|other| join(folder, other))
            && let Some(value) = parsed.get(&other).cloned().or_else(|| parse(read(&other)?))
        {
            (source, found) = (parent(&other).to_owned(), entries(&value));
        }
        if !found.is_empty() {
            // `deno.json` sorts before `import_map.json` and wins.
            let map = ImportMap { folder: source, entries: found };
            self.import_maps.entry(folder.to_owned()).or_insert(map);
        }
    }
}

fn is_manifest(name: &str) -> bool {
    matches!(name, "package.json" | "pnpm-workspace.yaml" | "deno.json" | "deno.jsonc" | "import_map.json")
        || is_config(name)
}

/// Whether a file name is that of a TypeScript or JavaScript project.
pub(super) fn is_config(name: &str) -> bool {
    name.ends_with(".json") && (name.starts_with("tsconfig") || name.starts_with("jsconfig"))
}

/// JSON as these tools read it: with comments, trailing commas and a byte order mark.
fn parse(text: String) -> Option<Value> {
    let mut text = text;
    json_strip_comments::strip(&mut text).ok()?;
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}').trim()).ok()?;
    value.is_object().then_some(value)
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// A configuration named with or without extension, or by its folder.
fn existing(path: &str, paths: &FxHashSet<&str>) -> Option<String> {
    let inside = join(path, "tsconfig.json")?;
    [path.to_owned(), format!("{path}.json"), inside].into_iter().find(|path| paths.contains(path.as_str()))
}

/// The options that decide where an import leads, where they have the right type.
fn compiler_options(options: &Value) -> Value {
    let mut kept = Map::new();
    if let Some(base) = options["baseUrl"].as_str() {
        kept.insert("baseUrl".into(), base.into());
    }
    if let Some(aliases) = options["paths"].as_object() {
        let aliases = aliases.iter().map(|(alias, to)| (alias.clone(), texts(to).collect::<Vec<_>>().into()));
        kept.insert("paths".into(), Value::Object(aliases.collect()));
    }
    if options["rootDirs"].is_array() {
        kept.insert("rootDirs".into(), texts(&options["rootDirs"]).collect::<Vec<_>>().into());
    }
    Value::Object(kept)
}

fn entries(map: &Value) -> Vec<(String, String)> {
    let entries = map["imports"].as_object().into_iter().flatten();
    entries.filter_map(|(from, to)| Some((from.clone(), to.as_str()?.to_owned()))).collect()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"]
        .into_iter()
        .filter_map(|key| package[key].as_object())
}

/// The package that holds the types of `name`.
fn typed(name: &str) -> String {
    format!("@types/{}", name.trim_start_matches('@').replace('/', "__"))
}

/// Where workspaces are declared, and the pattern: (folder, pattern).
fn workspace_patterns(
    wanted: &[&str],
    packages: &FxHashMap<String, Value>,
    read: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Vec<(String, String)> {
    let mut patterns = Vec::new();
    for (folder, package) in packages {
        let workspaces = &package["workspaces"];
        let listed = texts(workspaces).chain(texts(&workspaces["packages"]));
        patterns.extend(listed.map(|pattern| (folder.clone(), pattern.to_owned())));
    }
    for path in wanted.iter().filter(|path| path.ends_with(".yaml")) {
        let text = read(path).unwrap_or_default();
        let items = text.lines().skip_while(|line| !line.starts_with("packages:")).skip(1);
        let items = items.take_while(|line| line.starts_with([' ', '\t', '-', '#']) || line.trim().is_empty());
        let items = items.filter_map(|line| line.trim().strip_prefix('-'));
        let items = items.map(|item| item.trim().trim_matches(['"', '\'']).to_owned());
        patterns.extend(items.map(|item| (parent(path).to_owned(), item)));
    }
    patterns
}

/// Packages that others of the repository import by name: members of a workspace, and those that a
/// dependency points at by path.
fn local_packages(packages: &FxHashMap<String, Value>, patterns: &[(String, String)]) -> FxHashMap<String, String> {
    let linked: FxHashSet<&str> = packages
        .values()
        .flat_map(|package| dependencies(package).flatten())
        .filter(|(_, version)| version.as_str().is_some_and(|v| LOCAL.iter().any(|local| v.starts_with(local))))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut local: FxHashMap<String, String> = FxHashMap::default();
    for (folder, package) in packages {
        let Some(name) = package["name"].as_str() else { continue };
        let member = patterns.iter().any(|(root, pattern)| {
            let inside = folder.strip_prefix(root.as_str()).map(|rest| rest.trim_start_matches('/'));
            inside.is_some_and(|inside| paths::matches(pattern, inside))
        });
        if member || linked.contains(name) {
            // Of several packages of one name the first by path, whatever the order of the map.
            let kept = local.entry(name.to_owned()).or_insert_with(|| folder.clone());
            if folder < kept {
                kept.clone_from(folder);
            }
        }
    }
    local
}
