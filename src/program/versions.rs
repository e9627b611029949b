//! Which version of a package is in use.

use crate::finding::FileId;
use crate::names::Name;
use crate::program::{Program, Target};

impl Program {
    /// The major version of a package that a file uses: what its import names, else the least that its project asks
    /// for.
    pub fn major_of(&self, file: FileId, package: Name) -> Option<u32> {
        major(&self.version_of(file, package)?)
    }

    /// Whether a file uses a version of a package that is surely older: `4.0.1` and `^3.2.0` are older than 4.3, of
    /// `^4.0.0` nobody knows.
    pub fn is_older(&self, file: FileId, package: Name, than: (u32, u32)) -> bool {
        self.version_of(file, package).is_some_and(|version| is_older(&version, than))
    }

    /// Whether a file belongs to a Next.js that has no `after` yet, which came with 15.1
    /// (<https://nextjs.org/docs/app/api-reference/functions/after>).
    pub fn has_no_after(&self, file: FileId) -> bool {
        self.is_older(file, Name::new("npm:next"), (15, 1))
    }

    /// The version that a file's import names, else the range that its project asks for.
    fn version_of(&self, file: FileId, package: Name) -> Option<String> {
        let facts = self.file(file).facts.as_ref()?;
        let named = (0..facts.imports.len() as u32).find_map(|at| {
            match self.modules.target(file, crate::facts::ImportId(at)) {
                Target::Package { name, version: Some(version), .. } if *name == package => Some(*version),
                _ => None,
            }
        });
        if let Some(version) = named {
            return Some(version.to_string());
        }
        let name = package.strip_prefix("npm:")?;
        let (_, manifest) = self.manifests.package_of(&self.file(file).path)?;
        Some(manifest.dependency(name)?.range.to_string())
    }
}

fn is_older(version: &str, than: (u32, u32)) -> bool {
    let Some(major) = major(version) else { return false };
    let exact = version.trim_start_matches(['v', '=', ' ']);
    let minor = exact.split_once('.').and_then(|(_, rest)| rest.split('.').next()?.parse::<u32>().ok());
    let is_exact = exact.starts_with(|c: char| c.is_ascii_digit());
    // A range without an upper end takes any later one.
    let capped = is_exact || version.starts_with('^') || version.starts_with('~');
    capped && (major < than.0 || major == than.0 && is_exact && minor.is_some_and(|minor| minor < than.1))
}

/// The first number of a version or range: 14 of `^14.2.0`, `v14`, `>=14 <15`.
pub fn major(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(['v', '^', '~', '=', '>', ' ']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_older_only_when_that_is_sure() {
        for (version, older) in [
            ("2.0.0", true),
            ("4.0.1", true),
            ("v4.2", true),
            ("^3.2.0", true),
            ("~4.0.0", false),
            ("^4.0.0", false),
            ("4", false),
            ("4.3.0", false),
            ("6.1.2", false),
            (">=2", false),
            ("latest", false),
        ] {
            assert_eq!(is_older(version, (4, 3)), older, "{version}");
        }
    }
}
