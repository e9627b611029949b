//! Configurations that lie in what is scanned and do not count: whoever wrote one wants to know.

use super::{Config, OWN, Wanted, find};
use crate::names::Name;
use crate::walk::{OWN_IGNORES, Repository};

/// The manifests of a repository that hold a configuration of ours.
pub fn holding(repository: &Repository) -> Vec<Name> {
    let ours = repository.manifests.iter().filter(|manifest| {
        let name = manifest.path.rsplit('/').next().unwrap_or_default();
        let text = manifest.text.as_deref().unwrap_or_default();
        matches!(name, "pyproject.toml" | "package.json") && find::is_ours(name, text)
    });
    ours.map(|manifest| manifest.path).collect()
}

impl Config {
    /// The files that say how a part of the repository is to be checked and are not heeded, by their paths; `holding`
    /// are the manifests that do.
    pub fn unheeded(&self, wanted: &Wanted, repository: &Repository, holding: &[Name]) -> Vec<String> {
        if matches!(wanted, Wanted::Isolated) {
            return vec![];
        }
        let own = repository.everything.iter().map(|path| path.as_str()).filter(|path| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            // An ignore file at the root always counts; a configuration there does unless another was asked for.
            match name {
                OWN => true,
                OWN_IGNORES => !folder.is_empty() && !self.workspaces.iter().any(|other| other == folder),
                _ => false,
            }
        });
        let others = holding.iter().map(|path| path.as_str());
        let mut found: Vec<String> = own.chain(others).map(str::to_owned).collect();
        found.retain(|path| !self.heeded.contains(path));
        if let Wanted::File(_) = wanted {
            found.retain(|path| path.contains('/'));
        }
        found.sort();
        found
    }
}
