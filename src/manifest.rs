//! What manifests say: packages and their dependencies, compiler and platform settings, environment files.
//! A manifest that cannot be understood is a gap, never an error.

use serde::Serialize;

use crate::facts::Token;
use crate::manifest::lockfile::Wanted;
use crate::names::Name;
use crate::walk::{FileKind, GapReason, SourceFile};

pub mod access_rules;
pub mod env_file;
pub mod functions;
pub mod lockfile;
pub mod models;
pub mod package;
pub mod placed;
pub mod processes;
pub mod python;
pub mod rewrites;
pub mod schedules;
mod yaml;

pub use access_rules::AccessRules;
pub use env_file::{EnvEntry, EnvFile, EnvValue};
pub use functions::TokenGate;
pub use lockfile::Lockfile;
pub use models::Model;
pub use package::Package;
pub use python::PythonProject;
pub use schedules::{Planned, Starts};

/// Every manifest of a repository, in byte order of their paths.
#[derive(Debug, Default)]
pub struct Manifests {
    files: Vec<Manifest>,
    /// What scripts and notes deploy without the platform's gate. Filled by the caller of [`Manifests::new`].
    pub opened: Vec<functions::Opened>,
}

/// A manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Relative to the root.
    pub path: Name,
    /// Its text; of environment files and lockfiles none is kept.
    pub text: Option<String>,
    /// What it says.
    pub says: Says,
    /// What it has the clock start, in the order written.
    pub planned: Vec<Planned>,
    /// Why a part of it could not be read.
    pub partly: Option<GapReason>,
}

/// What a manifest says.
#[derive(Debug, Clone)]
pub enum Says {
    /// `package.json`.
    Package(Box<Package>),
    /// Dependencies of Python code: `pyproject.toml`, `Pipfile`, `requirements*.txt`.
    Python(PythonProject),
    /// An environment file.
    Env(EnvFile),
    /// Access rules of a backend service.
    Access(AccessRules),
    /// A lockfile.
    Lock(Lockfile),
    /// The models of a database client.
    Models(Vec<Model>),
    /// JSON, comments and trailing commas allowed; also what YAML says.
    Json(serde_json::Value),
    /// TOML.
    Toml(toml::Value),
    /// Some other text.
    Text,
}

/// A setting, from JSON or TOML alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Setting {
    /// `true`, `false`.
    Bool(bool),
    /// A text.
    Text(String),
    /// Anything else.
    Other,
}

impl Manifest {
    /// Reads a manifest or environment file.
    pub fn read(file: &SourceFile, text: &str, tokens: impl FnOnce(&str) -> Vec<Token>) -> Result<Self, GapReason> {
        let broken = |why: String| GapReason::BrokenManifest(why);
        let path = file.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut partly = None;
        let mut sections = |text: &str| {
            toml(text).or_else(|why| {
                let kept = functions::by_sections(text).ok_or_else(|| broken(why.clone()))?;
                partly = Some(broken(format!("{why} (its other sections are read)")));
                Ok(kept)
            })
        };
        let says = match (file.kind, name) {
            (FileKind::Env, _) => {
                let says = Says::Env(EnvFile::read(text, tokens(text)));
                return Ok(Self { path: file.path, text: None, says, planned: vec![], partly: None });
            }
            (_, "package.json") => Says::Package(Box::new(Package::read(&json(text).map_err(broken)?))),
            (_, "pyproject.toml") => Says::Python(PythonProject::pyproject(sections(text)?)),
            (_, "Pipfile") => Says::Python(PythonProject::pipfile(&sections(text)?)),
            (_, name) if name.ends_with(".rules") && text.contains("service") && text.contains("match") => {
                Says::Access(AccessRules::language(text).map_err(broken)?)
            }
            (_, name) if name.ends_with(".rules.json") => Says::Access(AccessRules::tree(text).map_err(broken)?),
            (_, name) if name.ends_with(".prisma") => Says::Models(models::read(text).map_err(broken)?),
            (_, name) if name.ends_with(".txt") => Says::Python(PythonProject::requirements(text)),
            (_, name) if name.ends_with(".json") || name.ends_with(".jsonc") => Says::Json(json(text).map_err(broken)?),
            (_, name) if name.ends_with(".toml") || name == ".replit" => Says::Toml(sections(text)?),
            (_, name) if name.starts_with("render.y") || processes::is_compose(name) => {
                Says::Json(yaml::read(text).map_err(broken)?)
            }
            _ if schedules::is_workflow(path) && text.contains("schedule") => {
                Says::Json(yaml::read(text).map_err(broken)?)
            }
            _ => Says::Text,
        };
        let planned = schedules::planned(path, text, &says);
        Ok(Self { path: file.path, text: Some(text.to_owned()), says, planned, partly })
    }

    /// Reads a lockfile; keeps of it what may be asked for.
    pub fn lock(file: &SourceFile, text: &str, wanted: &Wanted) -> Result<Self, GapReason> {
        let name = file.path.as_str().rsplit('/').next().unwrap_or_default();
        let lock = Lockfile::read(name, text, wanted).map_err(GapReason::BrokenManifest)?;
        Ok(Self { path: file.path, text: None, says: Says::Lock(lock), planned: vec![], partly: None })
    }

    /// The folder it speaks for; the root is the empty path.
    pub fn folder(&self) -> &'static str {
        self.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Its file name.
    pub fn name(&self) -> &'static str {
        self.path.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// The package it describes.
    pub fn package(&self) -> Option<&Package> {
        if let Says::Package(package) = &self.says { Some(package) } else { None }
    }

    /// A setting by its path of keys, in JSON and TOML alike.
    pub fn setting(&self, keys: &[&str]) -> Option<Setting> {
        match &self.says {
            Says::Json(value) => {
                let found = keys.iter().try_fold(value, |value, key| value.get(key))?;
                Some(match found {
                    serde_json::Value::Bool(value) => Setting::Bool(*value),
                    serde_json::Value::String(value) => Setting::Text(value.clone()),
                    _ => Setting::Other,
                })
            }
            Says::Toml(value) => {
                let found = keys.iter().try_fold(value, |value, key| value.get(key))?;
                Some(match found {
                    toml::Value::Boolean(value) => Setting::Bool(*value),
                    toml::Value::String(value) => Setting::Text(value.clone()),
                    _ => Setting::Other,
                })
            }
            _ => None,
        }
    }
}

impl Manifests {
    /// From manifests in any order.
    pub fn new(mut files: Vec<Manifest>) -> Self {
        files.sort_by_key(|file| file.path);
        Self { files, opened: vec![] }
    }

    /// All of them, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Manifest> {
        self.files.iter()
    }

    /// The manifest at a path.
    pub fn get(&self, path: &str) -> Option<&Manifest> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// The text of a manifest.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.text.as_deref()
    }

    /// The JSON of a manifest that has no shape of its own (`tsconfig.json`, `deno.json`, `vercel.json`).
    pub fn json(&self, path: &str) -> Option<&serde_json::Value> {
        if let Says::Json(value) = &self.get(path)?.says { Some(value) } else { None }
    }

    /// The TOML of a manifest that has no shape of its own (`netlify.toml`).
    pub fn toml(&self, path: &str) -> Option<&toml::Value> {
        match &self.get(path)?.says {
            Says::Toml(value) => Some(value),
            Says::Python(project) => project.toml.as_ref(),
            _ => None,
        }
    }

    /// Manifests of a file name.
    pub fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Manifest> {
        self.files.iter().filter(move |file| file.name() == name)
    }

    /// Every `package.json`.
    pub fn packages(&self) -> impl Iterator<Item = (&Manifest, &Package)> {
        self.files.iter().filter_map(|file| Some((file, file.package()?)))
    }

    /// Every environment file.
    pub fn env_files(&self) -> impl Iterator<Item = (Name, &EnvFile)> {
        self.files.iter().filter_map(|file| match &file.says {
            Says::Env(env) => Some((file.path, env)),
            _ => None,
        })
    }

    /// The environment file at a path.
    pub fn env(&self, path: &str) -> Option<&EnvFile> {
        if let Says::Env(env) = &self.get(path)?.says { Some(env) } else { None }
    }

    /// The access rules that are deployed: those that a `firebase.json` names, or where none does, those that go by
    /// their usual names.
    pub fn access_rules(&self) -> Vec<(Name, &AccessRules)> {
        let mut named: Vec<String> = vec![];
        for project in self.named("firebase.json") {
            let Says::Json(json) = &project.says else { continue };
            for service in SERVICES {
                let entry = json.get(service);
                let entries = entry.into_iter().chain(entry.and_then(|entry| entry.as_array()).into_iter().flatten());
                let files = entries.filter_map(|entry| entry.get("rules")?.as_str());
                let folder = project.folder();
                named.extend(files.map(|file| {
                    let file = file.trim_start_matches("./");
                    // What emulators are started with; what is deployed has the usual name.
                    let file = if access_rules::is_for_tests(file) { usual_rules(service) } else { file };
                    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
                }));
            }
        }
        let rules = self.files.iter().filter_map(|file| match &file.says {
            Says::Access(rules) => Some((file, rules)),
            _ => None,
        });
        let usual = SERVICES.map(usual_rules);
        let deployed = rules.filter(|(file, _)| match named.is_empty() {
            true => usual.contains(&file.name()),
            false => named.iter().any(|named| file.path == named.as_str()),
        });
        deployed.map(|(file, rules)| (file.path, rules)).collect()
    }

    /// Every schema file of a database client.
    pub fn models(&self) -> impl Iterator<Item = (Name, &[Model])> {
        self.files.iter().filter_map(|file| match &file.says {
            Says::Models(models) => Some((file.path, models.as_slice())),
            _ => None,
        })
    }

    /// Every description of Python dependencies.
    pub fn python(&self) -> impl Iterator<Item = (&Manifest, &PythonProject)> {
        self.files.iter().filter_map(|file| match &file.says {
            Says::Python(project) => Some((file, project)),
            _ => None,
        })
    }

    /// The nearest `package.json` at or above the folder of `path`.
    pub fn package_of(&self, path: &str) -> Option<(&Manifest, &Package)> {
        self.above(path, "package.json").find_map(|file| Some((file, file.package()?)))
    }

    /// The lockfiles of these names in a folder, as far as they could be read.
    pub fn locks<'m>(&'m self, folder: &'m str, names: &'m [&str]) -> impl Iterator<Item = &'m Lockfile> {
        names.iter().filter_map(move |name| self.lock(folder, name))
    }

    /// The lockfile of a name in a folder, if it could be read.
    pub fn lock(&self, folder: &str, name: &str) -> Option<&Lockfile> {
        let found = if folder.is_empty() { self.get(name) } else { self.get(&format!("{folder}/{name}")) };
        if let Says::Lock(lock) = &found?.says { Some(lock) } else { None }
    }

    /// Manifests of a file name at and above the folder of `path`, the nearest first.
    pub fn above<'m, 'p>(&'m self, path: &'p str, name: &'p str) -> impl Iterator<Item = &'m Manifest> + use<'m, 'p> {
        folders(path.rsplit_once('/').map_or("", |(folder, _)| folder))
            .map(move |folder| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
            .filter_map(|path| self.get(&path))
    }
}

/// A folder and those it lies in, up to the root.
pub fn folders(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |here| {
        (!here.is_empty()).then(|| here.rsplit_once('/').map_or("", |(up, _)| up))
    })
}

/// The services that have access rules.
const SERVICES: [&str; 3] = ["firestore", "storage", "database"];

/// The usual name of the file that holds a service's access rules.
fn usual_rules(service: &str) -> &'static str {
    match service {
        "firestore" => "firestore.rules",
        "storage" => "storage.rules",
        _ => "database.rules.json",
    }
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut plain = text.to_owned();
    json_strip_comments::strip(&mut plain).map_err(|error| error.to_string())?;
    serde_json::from_str(&plain).map_err(|error| error.to_string())
}

fn toml(text: &str) -> Result<toml::Value, String> {
    text.parse::<toml::Table>().map(toml::Value::Table).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
impl Manifest {
    /// What a file of this path and text says.
    fn of_text(path: &str, text: &str) -> Result<Self, GapReason> {
        let file = SourceFile {
            path: Name::new(path),
            kind: crate::walk::kind_of(path),
            size: text.len() as u64,
            tracked: true,
            named: false,
            generated: false,
        };
        Self::read(&file, text, |_| vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_read() {
        let text = "{\n  // aliases\n  \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"], }, },\n}\n";
        let manifests = Manifests::new(vec![Manifest::of_text("app/tsconfig.json", text).unwrap()]);
        assert!(manifests.json("app/tsconfig.json").unwrap()["compilerOptions"]["paths"]["@/*"].is_array());
        assert_eq!(manifests.text("app/tsconfig.json"), Some(text));
    }

    #[test]
    fn settings_are_read_by_their_keys() {
        let config = Manifest::of_text("supabase/config.toml", "[functions.hook]\nverify_jwt = false\n").unwrap();
        assert_eq!(config.setting(&["functions", "hook", "verify_jwt"]), Some(Setting::Bool(false)));
        assert_eq!(config.setting(&["functions", "other", "verify_jwt"]), None);
    }

    #[test]
    fn the_nearest_package_is_found() {
        let files = ["package.json", "apps/web/package.json", "apps/web/src/tsconfig.json"];
        let read = |path: &&str| Manifest::of_text(path, &format!("{{\"name\": \"{path}\"}}")).unwrap();
        let manifests = Manifests::new(files.iter().map(read).collect());
        let name = |path: &str| manifests.package_of(path).unwrap().0.path.as_str();
        assert_eq!(name("apps/web/src/a.ts"), "apps/web/package.json");
        assert_eq!(name("apps/a.ts"), "package.json");
        assert_eq!(name("a.ts"), "package.json");
    }

    #[test]
    fn broken_manifests_are_gaps() {
        assert!(matches!(Manifest::of_text("package.json", "{ nope"), Err(GapReason::BrokenManifest(_))));
        assert!(matches!(Manifest::of_text("netlify.toml", "[a\n"), Err(GapReason::BrokenManifest(_))));
        let partly =
            Manifest::of_text("netlify.toml", "[a]\nb = \n[build]\ncommand = \"x\"\n[[c]]\nd = 1\n[[c]]\nd = 2\n")
                .unwrap();
        assert_eq!(partly.setting(&["build", "command"]), Some(Setting::Text("x".to_owned())));
        let Says::Toml(kept) = &partly.says else { panic!("{:?}", partly.says) };
        assert_eq!(kept["c"].as_array().map(Vec::len), Some(2));
        assert!(matches!(partly.partly, Some(GapReason::BrokenManifest(_))));
    }
}
