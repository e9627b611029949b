//! Where imports lead (stub until the resolver lands).

use crate::facts::ImportId;
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Target;

/// Where every import of every file leads.
#[derive(Default)]
pub struct Modules {
    targets: Vec<Vec<Target>>,
}

impl Modules {
    /// Where an import leads.
    pub fn target(&self, file: FileId, import: ImportId) -> &Target {
        &self.targets[file.index()][import.index()]
    }

    /// The module of a package that an import names.
    pub fn submodule(&self, _file: FileId, _import: ImportId, _name: Name) -> Option<FileId> {
        None
    }
}

/// stub
pub fn resolve(
    _p: &[Name],
    _f: &[Option<crate::facts::Facts>],
    _o: &[Name],
    _r: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Modules {
    Modules::default()
}
