//! Which project each file belongs to: the nearest folder with a manifest, and what that manifest asks for.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::FileId;
use crate::names::Name;
use crate::program::File;

/// Files that make a folder a project.
const MANIFESTS: &[&str] = &[
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "manage.py",
    "setup.py",
    "Pipfile",
    "deno.json",
    "deno.jsonc",
    "wrangler.toml",
    "wrangler.json",
    "wrangler.jsonc",
];

/// Reads a text of the repository by its path.
pub type Read<'r> = &'r (dyn Fn(&str) -> Option<String> + Sync);

/// A folder that is installed and deployed as one.
#[derive(Debug, Default, Clone)]
pub struct Project {
    /// The folder, without a slash at its end; empty for the repository's root.
    pub folder: String,
    /// The manifests it has.
    pub manifests: Vec<&'static str>,
    /// The npm packages it asks for, development ones among them.
    pub packages: FxHashSet<Name>,
    /// What its `package.json` runs: the texts of its scripts.
    pub scripts: Vec<String>,
    /// The module its `package.json` names as the main one.
    pub main: Option<String>,
    /// Names of the files right in the folder.
    pub files: FxHashSet<String>,
}

impl Project {
    /// Whether it asks for an npm package.
    pub fn uses(&self, package: &str) -> bool {
        self.packages.contains(&Name::new(package))
    }

    /// Whether a file stands right in its folder, under any of the script endings: `next.config`.
    pub fn has_script(&self, stem: &str) -> bool {
        ["js", "mjs", "cjs", "ts", "mts"].iter().any(|end| self.files.contains(&format!("{stem}.{end}")))
    }

    /// Whether a file of this very name stands right in its folder.
    pub fn has(&self, name: &str) -> bool {
        self.files.contains(name)
    }
}

/// The projects of a repository.
#[derive(Debug, Default)]
pub struct Projects {
    all: Vec<Project>,
    of: Vec<u32>,
}

impl Projects {
    /// Finds them. Manifests may stand among the files or beside them.
    pub fn find(files: &[File], exists: &dyn Fn(&str) -> bool, read: Read<'_>) -> Self {
        let mut folders: FxHashMap<&str, Option<u32>> = FxHashMap::default();
        let mut inside: FxHashMap<&str, FxHashSet<String>> = FxHashMap::default();
        for file in files {
            let (folder, name) = split(file.path.as_str());
            inside.entry(folder).or_default().insert(name.to_owned());
        }
        // The repository's root is always a project.
        let mut all = vec![project("", &mut inside, exists, read)];
        folders.insert("", Some(0));
        let of = files
            .iter()
            .map(|file| {
                let mut folder = split(file.path.as_str()).0;
                let mut passed = Vec::new();
                let found = loop {
                    if let Some(known) = folders.get(folder) {
                        break known.unwrap_or(0);
                    }
                    let is_project = MANIFESTS.iter().any(|name| exists(&join(folder, name)))
                        || inside.get(folder).is_some_and(|names| MANIFESTS.iter().any(|name| names.contains(*name)));
                    if is_project {
                        all.push(project(folder, &mut inside, exists, read));
                        let id = all.len() as u32 - 1;
                        folders.insert(folder, Some(id));
                        break id;
                    }
                    passed.push(folder);
                    folder = split(folder).0;
                };
                for folder in passed {
                    folders.insert(folder, Some(found));
                }
                found
            })
            .collect();
        Self { all, of }
    }

    /// The project of a file.
    pub fn of(&self, file: FileId) -> &Project {
        &self.all[self.index(file)]
    }

    /// The number of a file's project.
    pub fn index(&self, file: FileId) -> usize {
        self.of.get(file.index()).map_or(0, |&at| at as usize)
    }

    /// All of them; the first is the repository's root.
    pub fn all(&self) -> &[Project] {
        &self.all
    }
}

fn project(
    folder: &str,
    inside: &mut FxHashMap<&str, FxHashSet<String>>,
    exists: &dyn Fn(&str) -> bool,
    read: Read<'_>,
) -> Project {
    let mut files = inside.get(folder).cloned().unwrap_or_default();
    let mut manifests = Vec::new();
    for name in MANIFESTS {
        if files.contains(*name) || exists(&join(folder, name)) {
            manifests.push(*name);
            files.insert((*name).to_owned());
        }
    }
    for extra in ["next.config.js", "next.config.mjs", "next.config.ts", "nuxt.config.ts", "index.html", "vercel.json"] {
        if exists(&join(folder, extra)) {
            files.insert(extra.to_owned());
        }
    }
    let mut project = Project { folder: folder.to_owned(), manifests, files, ..Project::default() };
    if let Some(text) = project.has("package.json").then(|| read(&join(folder, "package.json"))).flatten()
        && let Ok(manifest) = serde_json::from_str::<serde_json::Value>(&text)
    {
        for section in ["dependencies", "devDependencies", "peerDependencies"] {
            let names = manifest.get(section).and_then(|section| section.as_object());
            project.packages.extend(names.into_iter().flat_map(|names| names.keys()).map(|name| Name::new(name)));
        }
        let scripts = manifest.get("scripts").and_then(|scripts| scripts.as_object());
        let texts = scripts.into_iter().flat_map(|scripts| scripts.values()).filter_map(|text| text.as_str());
        project.scripts = texts.map(str::to_owned).collect();
        project.main = manifest.get("main").and_then(|main| main.as_str()).map(str::to_owned);
    }
    project
}

/// The folder and the last name of a path.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path in a folder.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The path of a file within a folder; none when it is not in it.
pub fn within<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}
