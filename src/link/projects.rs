//! Which project each file belongs to: the nearest folder with a manifest, and what that manifest asks for.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::FileId;
use crate::manifest::processes::Started;
use crate::names::Name;
use crate::walk::Repository;

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

/// A folder that is installed and deployed as one.
#[derive(Debug, Default, Clone)]
pub struct Project {
    /// The folder, without a slash at its end; empty for the repository's root.
    pub folder: String,
    /// The npm packages it asks for, development ones among them.
    pub packages: FxHashSet<Name>,
    /// What its `package.json` runs: names and texts of its scripts.
    pub scripts: Vec<(String, String)>,
    /// The module its `package.json` names as the main one.
    pub main: Option<String>,
    /// Names of the files right in the folder.
    pub files: FxHashSet<&'static str>,
}

impl Project {
    /// Whether it asks for an npm package.
    pub fn uses(&self, package: &str) -> bool {
        self.packages.contains(&Name::new(package))
    }

    /// Whether a file stands right in its folder, under any of the script endings: `next.config`.
    pub fn has_script(&self, stem: &str) -> bool {
        ["js", "mjs", "cjs", "ts", "mts"].iter().any(|end| self.files.contains(format!("{stem}.{end}").as_str()))
    }

    /// Whether Next builds it: it asks for the package, or has its configuration and asks for nothing else that
    /// builds apps. A file that was left over builds nothing.
    pub fn is_next(&self) -> bool {
        const OTHERS: &[&str] =
            &["vite", "react-scripts", "astro", "nuxt", "@sveltejs/kit", "gatsby", "@remix-run/dev"];
        self.uses("next") || self.has_script("next.config") && !OTHERS.iter().any(|other| self.uses(other))
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
    started: FxHashSet<Name>,
}

impl Projects {
    /// Finds them.
    pub fn find(repository: &Repository) -> Self {
        let mut folders: FxHashMap<&str, u32> = FxHashMap::default();
        let mut inside: FxHashMap<&str, FxHashSet<&'static str>> = FxHashMap::default();
        for path in repository.everything.iter().copied().chain(repository.files.iter().map(|file| file.path)) {
            let (folder, name) = split(path.as_str());
            inside.entry(folder).or_default().insert(name);
        }
        // The repository's root is always a project.
        let mut all = vec![project("", &inside, repository)];
        folders.insert("", 0);
        let of = repository
            .files
            .iter()
            .map(|file| {
                let mut folder = split(file.path.as_str()).0;
                let mut passed = Vec::new();
                let found = loop {
                    if let Some(&known) = folders.get(folder) {
                        break known;
                    }
                    if inside.get(folder).is_some_and(|names| MANIFESTS.iter().any(|name| names.contains(*name))) {
                        all.push(project(folder, &inside, repository));
                        let id = all.len() as u32 - 1;
                        folders.insert(folder, id);
                        break id;
                    }
                    passed.push(folder);
                    folder = split(folder).0;
                };
                for folder in passed {
                    folders.insert(folder, found);
                }
                found
            })
            .collect();
        Self { all, of, started: started(repository) }
    }

    /// Whether a platform keeps a file running: its settings name the file, or the module that it is, in a command.
    pub fn is_started(&self, path: Name) -> bool {
        self.started.contains(&path)
    }

    /// The files that platforms keep running, in no order.
    pub fn started(&self) -> impl Iterator<Item = Name> + '_ {
        self.started.iter().copied()
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

fn project(folder: &str, inside: &FxHashMap<&str, FxHashSet<&'static str>>, repository: &Repository) -> Project {
    let files = inside.get(folder).cloned().unwrap_or_default();
    let mut project = Project { folder: folder.to_owned(), files, ..Project::default() };
    if let Some(package) = repository.manifests.get(&join(folder, "package.json")).and_then(|found| found.package()) {
        project.packages = package.dependencies.iter().map(|dependency| dependency.name).collect();
        project.scripts.clone_from(&package.scripts);
        project.main.clone_from(&package.main);
    }
    project
}

/// The files that platforms keep running.
fn started(repository: &Repository) -> FxHashSet<Name> {
    let mut found = FxHashSet::default();
    for process in repository.manifests.processes() {
        for (folder, started) in process.starts() {
            // A file beside the settings, or below the folder that an image is built of.
            let paths: Vec<String> = match started {
                Started::Module(name) => {
                    let path = name.replace('.', "/");
                    vec![format!("{path}.py"), format!("{path}/__main__.py"), format!("{path}/__init__.py")]
                }
                Started::File(path) => sources(path.trim_start_matches("./")),
            };
            let file = paths.iter().find_map(|path| {
                let at = repository.position(&join(&folder, path))?;
                Some(repository.files[at].path)
            });
            found.extend(file);
        }
    }
    found
}

/// What a file that a command names may be made of: `dist/index.js` of `server/index.ts`.
fn sources(path: &str) -> Vec<String> {
    let built = path.split_once('/').filter(|(folder, _)| matches!(*folder, "dist" | "build" | "out" | "lib"));
    let places = match built {
        Some((_, rest)) => vec![format!("src/{rest}"), format!("server/{rest}"), rest.to_owned()],
        None => vec![path.to_owned()],
    };
    let typed = |place: String| match place.strip_suffix(".js").or_else(|| place.strip_suffix(".mjs")) {
        Some(stem) => vec![place.clone(), format!("{stem}.ts"), format!("{stem}.mts")],
        None => vec![place],
    };
    places.into_iter().flat_map(typed).collect()
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
