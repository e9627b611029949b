//! Where an import of Python leads: the repository's own modules as the interpreter would find them from
//! the folders an app is started in, the standard library, or a package.

use rustc_hash::{FxHashMap, FxHashSet};

use super::paths::{self, ancestors, join, parent};
use super::stdlib;
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Target;

/// Files beside which an app is started, or a project's sources begin.
const MARKS: &[&str] = &[
    "manage.py",
    "main.py",
    "app.py",
    "wsgi.py",
    "asgi.py",
    "server.py",
    "run.py",
    "worker.py",
    "requirements.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "Procfile",
    "Dockerfile",
    "tox.ini",
    "pytest.ini",
];

/// The Python modules of the repository.
#[derive(Default)]
pub(super) struct Python {
    /// Modules by path without extension: `app/mail` for `app/mail.py`, `app` for `app/__init__.py`.
    modules: FxHashMap<&'static str, FileId>,
    /// Folders that hold modules, at any depth.
    folders: FxHashSet<&'static str>,
    /// The last segments of both: a name that is none of them leads out of the repository.
    names: FxHashSet<&'static str>,
    /// Folders with a module of their own or one folder further down.
    shallow: FxHashSet<&'static str>,
    /// Folders with an `__init__.py`.
    packages: FxHashSet<&'static str>,
    /// Folders that imports start from, shortest path first.
    roots: Vec<&'static str>,
    /// Names of packages that requirement files ask for, lower case, `-` as `_`.
    required: FxHashSet<String>,
}

/// What an import names: a target, and the folder its parts lie in when it is a package.
pub(super) struct Module {
    pub target: Target,
    pub folder: Option<&'static str>,
}

impl Python {
    /// Indexes the Python files among `paths`; `marks` are all paths of the repository.
    pub fn new(
        paths: &[Name],
        python: impl Fn(usize) -> bool,
        marks: impl Iterator<Item = &'static str>,
        read: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Self {
        let mut index = Self::default();
        for (at, path) in paths.iter().enumerate().filter(|(at, _)| python(*at)) {
            let Some(stem) = path.as_str().strip_suffix(".py") else { continue };
            let (file, folder) = (FileId(at as u32), parent(stem));
            if paths::name(stem) == "__init__" {
                index.packages.insert(folder);
                // A package comes before a module of its name.
                index.modules.insert(folder, file);
            } else {
                index.modules.entry(stem).or_insert(file);
            }
            index.shallow.extend(ancestors(folder).take(2));
            for folder in ancestors(folder) {
                if !index.folders.insert(folder) {
                    break;
                }
            }
        }
        if index.folders.is_empty() {
            return index;
        }
        index.names = index.modules.keys().chain(&index.folders).map(|path| paths::name(path)).collect();
        index.find_roots(marks, read);
        index
    }

    fn find_roots(
        &mut self,
        marks: impl Iterator<Item = &'static str>,
        read: &(dyn Fn(&str) -> Option<String> + Sync),
    ) {
        let mut roots: FxHashSet<&'static str> = FxHashSet::default();
        roots.insert("");
        for path in marks {
            let (folder, name) = (parent(path), paths::name(path));
            let listed = name.starts_with("requirements") && name.ends_with(".txt");
            if listed || matches!(name, "pyproject.toml" | "Pipfile") {
                self.required.extend(requirements(path, &read(path).unwrap_or_default()));
            }
            if MARKS.contains(&name) && self.folders.contains(folder) && !self.packages.contains(folder) {
                roots.insert(folder);
            }
        }
        // The folder around the outermost package, and `src` beside anything.
        let around = self.packages.iter().filter(|folder| !folder.is_empty()).map(|folder| parent(folder));
        roots.extend(around.filter(|folder| !self.packages.contains(folder)));
        roots.extend(self.folders.iter().filter(|folder| paths::name(folder) == "src"));
        self.roots = roots.into_iter().collect();
        self.roots.sort_unstable_by_key(|root| (root.len(), *root));
    }

    /// Where `specifier` leads from the file `from` at `path`, when `names` are taken from it.
    pub fn module(&self, from: FileId, path: &str, specifier: &str, names: &[Name]) -> Module {
        let name = specifier.trim_start_matches('.');
        let (dots, parts) = (specifier.len() - name.len(), name.replace('.', "/"));
        let folder = parent(path);
        if dots > 0 {
            let base = join(folder, &"../".repeat(dots - 1)).and_then(|base| join(&base, &parts));
            let found = base.and_then(|base| self.at(from, &base, true));
            return found.unwrap_or(Module { target: Target::Missing, folder: None });
        }
        let own = self.own(from, folder, &parts).filter(|module| self.plausible(module, names));
        own.unwrap_or_else(|| Module { target: package(specifier), folder: None })
    }

    /// The repository's module of this absolute name, `/` between its parts.
    fn own(&self, from: FileId, folder: &str, name: &str) -> Option<Module> {
        let top = name.split('/').next().unwrap_or(name);
        if !self.names.contains(top) {
            return None;
        }
        // A name with parts may be the file's own; a plain one is what the file is named after.
        let own = name.len() > top.len();
        let required = self.required.contains(&top.to_ascii_lowercase());
        let at = |root: &str| {
            let bare = required && join(root, top).is_some_and(|path| !self.modules.contains_key(path.as_str()));
            if bare { None } else { self.at(from, &join(root, name)?, own) }
        };
        let builtin = stdlib::has(top);
        // Own modules shadow the library only from where an app starts, and seldom: a name with parts, in full.
        let near: Vec<&str> = ancestors(folder)
            .filter(|root| self.roots.binary_search_by_key(&(root.len(), *root), |root| (root.len(), *root)).is_ok())
            .filter(|_| !builtin || own)
            .collect();
        if let Some(found) = near.iter().copied().find_map(at) {
            return Some(found);
        }
        if builtin || required {
            return None;
        }
        // Scripts import their neighbours, tests what another folder starts from.
        if let Some(found) = ancestors(folder).chain(self.roots.iter().copied()).find_map(at) {
            return Some(found);
        }
        let starts = near.iter().filter_map(|root| join(root, top)).any(|path| self.holds(from, &path));
        starts.then_some(Module { target: Target::Missing, folder: None })
    }

    /// The module or folder at a path without extension; the importing file itself only where `own` says so.
    fn at(&self, from: FileId, path: &str, own: bool) -> Option<Module> {
        let folder = self.folders.get(path).copied();
        match self.modules.get(path) {
            Some(&file) if file != from || own => Some(Module { target: Target::File(file), folder }),
            _ => folder.filter(|_| own || !path.is_empty()).map(|_| Module { target: Target::Folder, folder }),
        }
    }

    /// Whether a folder is what an import means: an installed package comes before a folder that only
    /// happens to have its name and scripts somewhere in it.
    fn plausible(&self, module: &Module, names: &[Name]) -> bool {
        let (Target::Folder, Some(folder)) = (&module.target, module.folder) else { return true };
        let inside = |name: &Name| {
            let path = join(folder, name);
            path.is_some_and(|path| self.modules.contains_key(path.as_str()) || self.folders.contains(path.as_str()))
        };
        match names {
            [] => true,
            [all] if *all == "*" => self.shallow.contains(folder),
            names => names.iter().any(inside),
        }
    }

    fn holds(&self, from: FileId, path: &str) -> bool {
        self.modules.get(path).is_some_and(|&file| file != from) || self.folders.contains(path)
    }

    /// The module `name` of a package's folder.
    pub fn child(&self, folder: &str, name: &str) -> Option<FileId> {
        self.modules.get(join(folder, &name.replace('.', "/"))?.as_str()).copied()
    }
}

fn package(specifier: &str) -> Target {
    let mut parts = specifier.split('.');
    let top = parts.next().unwrap_or(specifier);
    let kind = if stdlib::has(top) { "py" } else { "pypi" };
    Target::Package { name: Name::new(&format!("{kind}:{top}")), path: parts.map(Name::new).collect(), version: None }
}

/// The names of the packages that a requirements file, `pyproject.toml` or `Pipfile` asks for, lower case,
/// `-` as `_`.
fn requirements(path: &str, text: &str) -> Vec<String> {
    let name = |line: &str| {
        let line = line.trim();
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        line[..end.unwrap_or(line.len())].to_ascii_lowercase().replace('-', "_")
    };
    if paths::name(path).ends_with(".txt") {
        return text.lines().map(name).filter(|name| !name.is_empty()).collect();
    }
    let Ok(table) = text.parse::<toml::Table>() else { return vec![] };
    let (mut lists, mut tables) = (Vec::new(), Vec::new());
    let get = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
    };
    lists.extend(get(&["project", "dependencies"]));
    for groups in [get(&["project", "optional-dependencies"]), get(&["dependency-groups"])].into_iter().flatten() {
        lists.extend(groups.as_table().into_iter().flat_map(|groups| groups.values()));
    }
    tables.extend([get(&["tool", "poetry", "dependencies"]), get(&["packages"]), get(&["dev-packages"])]);
    let groups = get(&["tool", "poetry", "group"]).and_then(toml::Value::as_table).into_iter().flatten();
    tables.extend(groups.map(|(_, group)| group.get("dependencies")));
    let listed = lists.into_iter().filter_map(toml::Value::as_array).flatten().filter_map(toml::Value::as_str);
    let keys = tables.into_iter().flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
    listed.chain(keys.map(String::as_str)).map(name).collect()
}
