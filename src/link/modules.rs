//! Where every import of every file leads: to a file of the repository, a package, an asset, or nothing.
//!
//! Decided from paths, manifests and facts alone; the disk is never asked. The nearest declaration wins:
//! the nearest tsconfig, import map, bundler's configuration. What no declaration explains is guessed only
//! where the guess leads to a file that is there.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Facts, Import, ImportId, Language};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Target;

mod aliases;
mod bundlers;
mod manifests;
mod paths;
mod python;
mod scripts;
mod specifier;
mod stdlib;
mod tree;

use aliases::Aliases;
use manifests::Manifests;
use python::{Module, Python};
use scripts::Scripts;
use tree::Tree;

/// Where every import of every file leads.
#[derive(Default)]
pub struct Modules {
    targets: Vec<Vec<Target>>,
    /// The folder of the Python package that an import names.
    folders: FxHashMap<(FileId, ImportId), &'static str>,
    importers: Vec<Vec<(FileId, ImportId)>>,
    python: Python,
    /// The folder of each file that is a Python package.
    packages: FxHashMap<FileId, &'static str>,
    settings: Vec<FileId>,
}

impl Modules {
    /// Where an import leads.
    pub fn target(&self, file: FileId, import: ImportId) -> &Target {
        &self.targets[file.index()][import.index()]
    }

    /// The module `name` of the Python package that an import names: `services/mailer.py` for
    /// `from services import mailer`. Ask this before looking for the name in the package itself, and when
    /// the target is [`Target::Folder`].
    pub fn submodule(&self, file: FileId, import: ImportId, name: Name) -> Option<FileId> {
        self.python.child(self.folders.get(&(file, import))?, &name)
    }

    /// The module `name` of a Python package given by its `__init__.py`: what `a.b` means after `import a.b`.
    pub fn child(&self, package: FileId, name: Name) -> Option<FileId> {
        self.python.child(self.packages.get(&package)?, &name)
    }

    /// The modules that hold the settings of Python web apps, but for those of developers' machines and tests; sorted.
    pub fn settings(&self) -> &[FileId] {
        &self.settings
    }

    /// The imports that lead to a file, of every kind, types and modules of packages included; sorted.
    pub fn importers(&self, file: FileId) -> &[(FileId, ImportId)] {
        &self.importers[file.index()]
    }
}

/// The package that a URL of a module server, or an `npm:` specifier, names.
pub fn package_of_url(specifier: &str) -> Option<Target> {
    let named = ["https://", "http://", "npm:", "//"].iter().any(|scheme| specifier.starts_with(scheme));
    named.then(|| specifier::outright(specifier)).flatten()
}

/// Resolves every import.
///
/// `paths` are the program's files, sorted, and `facts` what they say; `others` are paths of the repository
/// that may or may not be among them (assets, manifests, what the walk left out); `read` gives the text of
/// manifests.
pub fn resolve(
    paths: &[Name],
    facts: &[Option<Facts>],
    others: &[Name],
    read: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Modules {
    let everything: FxHashSet<&'static str> = paths.iter().chain(others).map(|path| path.as_str()).collect();
    let manifests = Manifests::load(&everything, read);
    let tree = Tree::new(paths, others, |at| facts[at].is_some(), &manifests);
    let aliases = Aliases::load(&manifests, &tree, bundlers::aliases(paths, facts));
    let scripts = Scripts { tree: &tree, manifests: &manifests, aliases: &aliases };
    let is_python = |at: usize| facts[at].as_ref().is_some_and(|facts| facts.language == Language::Python);
    let python = Python::new(paths, is_python, everything.iter().copied(), read);

    let found: Vec<Vec<Module>> = (0..paths.len())
        .into_par_iter()
        .map(|at| {
            let imports = facts[at].iter().flat_map(|facts| &facts.imports);
            let resolve = |import: &Import| {
                if is_python(at) {
                    return python.module(FileId(at as u32), &paths[at], &import.specifier, &import.names);
                }
                Module { target: scripts.target(paths::parent(&paths[at]), &import.specifier), folder: None }
            };
            imports.map(resolve).collect()
        })
        .collect();
    collect(found, facts, paths, python)
}

/// Puts the answers in tables, importers among them.
fn collect(found: Vec<Vec<Module>>, facts: &[Option<Facts>], paths: &[Name], python: Python) -> Modules {
    let mut modules = Modules { importers: vec![Vec::new(); paths.len()], ..Modules::default() };
    for (at, (found, facts)) in found.iter().zip(facts).enumerate() {
        let file = FileId(at as u32);
        for (index, module) in found.iter().enumerate() {
            let import = ImportId(index as u32);
            let mut reached = Vec::new();
            if let Target::File(target) = module.target {
                reached.push(target);
            }
            if let Some(folder) = module.folder {
                modules.folders.insert((file, import), folder);
                let names = facts.iter().flat_map(|facts| &facts.imports[index].names);
                reached.extend(names.filter_map(|name| python.child(folder, name)));
            }
            reached.sort_unstable();
            reached.dedup();
            for target in reached {
                modules.importers[target.index()].push((file, import));
            }
        }
    }
    let packages = paths.iter().enumerate().filter_map(|(at, path)| {
        let folder = path.as_str().strip_suffix("__init__.py")?;
        Some((FileId(at as u32), folder.strip_suffix('/').unwrap_or(folder)))
    });
    modules.packages = packages.collect();
    let settings = paths.iter().enumerate().filter(|(at, path)| facts[*at].is_some() && paths::is_settings(path));
    modules.settings = settings.map(|(at, _)| FileId(at as u32)).collect();
    modules.python = python;
    modules.targets = found.into_iter().map(|found| found.into_iter().map(|module| module.target).collect()).collect();
    modules
}
