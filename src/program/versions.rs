//! Which version of a package is in use.

use crate::finding::FileId;
use crate::names::Name;
use crate::program::{Program, Target};

impl Program {
    /// The major version of a package that a file uses: what its import names, else the least that its project asks
    /// for.
    pub fn major_of(&self, file: FileId, package: Name) -> Option<u32> {
        let facts = self.file(file).facts.as_ref()?;
        let named = (0..facts.imports.len() as u32).find_map(|at| {
            match self.modules.target(file, crate::facts::ImportId(at)) {
                Target::Package { name, version: Some(version), .. } if *name == package => Some(*version),
                _ => None,
            }
        });
        if let Some(version) = named {
            return major(&version);
        }
        let name = package.strip_prefix("npm:")?;
        let (_, manifest) = self.manifests.package_of(&self.file(file).path)?;
        major(&manifest.dependency(name)?.range)
    }
}

/// The first number of a version or range: 14 of `^14.2.0`, `v14`, `>=14 <15`.
pub fn major(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(['v', '^', '~', '=', '>', ' ']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}
