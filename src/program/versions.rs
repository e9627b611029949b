//! Which version of a package is in use.

use crate::finding::FileId;
use crate::manifest::lockfile::{PYTHON_LOCKS, SCRIPT_LOCKS};
use crate::manifest::{Manifest, PythonProject, Says, folders};
use crate::names::Name;
use crate::program::{Program, Target};

pub mod api_versions;
pub mod dropped_fields;
pub mod pins;
pub mod runtimes;

impl Program {
    /// The major version of a package that a file uses: what its import names, else what is installed for its
    /// project, else the least that its project asks for.
    pub fn major_of(&self, file: FileId, package: Name) -> Option<u32> {
        let versions = self.versions_of(file, package);
        let majors: Vec<u32> = versions.iter().filter_map(|version| major(version)).collect();
        let first = *majors.first()?;
        (majors.len() == versions.len() && majors.iter().all(|&other| other == first)).then_some(first)
    }

    /// Whether a file uses a version of a package that is surely older: `4.0.1` and `^3.2.0` are older than 4.3, of
    /// `^4.0.0` nobody knows unless a lockfile says.
    pub fn is_older(&self, file: FileId, package: Name, than: (u32, u32)) -> bool {
        let versions = self.versions_of(file, package);
        !versions.is_empty() && versions.iter().all(|version| is_older(version, than))
    }

    /// Whether a file belongs to a Next.js that has no `after` yet, which came with 15.1
    /// (<https://nextjs.org/docs/app/api-reference/functions/after>).
    pub fn has_no_after(&self, file: FileId) -> bool {
        self.is_older(file, Name::new("npm:next"), (15, 1))
    }

    /// The version that a file's import names, else the one that the lockfiles of its project hold, else the range
    /// that its project asks for. Several when two lockfiles do not agree.
    fn versions_of(&self, file: FileId, package: Name) -> Vec<String> {
        let Some(facts) = &self.file(file).facts else { return vec![] };
        let named = (0..facts.imports.len() as u32).find_map(|at| {
            match self.modules.target(file, crate::facts::ImportId(at)) {
                Target::Package { name, version: Some(version), .. } if *name == package => Some(*version),
                _ => None,
            }
        });
        if let Some(version) = named {
            return vec![version.to_string()];
        }
        let path = self.file(file).path.as_str();
        if let Some(name) = package.strip_prefix("npm:") {
            let above = self.manifests.above(path, "package.json");
            let mut asking = above.filter_map(|file| Some((file, file.package()?.dependency(name)?)));
            let Some((manifest, asked)) = asking.next() else { return vec![] };
            let locked = self.locked(manifest.folder(), SCRIPT_LOCKS, package, &asked.range);
            return if locked.is_empty() { vec![asked.range.clone()] } else { locked };
        }
        let Some(name) = package.strip_prefix("pypi:") else { return vec![] };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let installed = Name::new(&format!("pypi:{}", name.replace(['.', '-'], "_")));
        let locked = self.locked(folder, PYTHON_LOCKS, installed, "");
        match locked.is_empty() {
            true => folders(folder).find_map(|folder| self.required(folder, name)).into_iter().collect(),
            false => locked,
        }
    }

    /// What the nearest lockfiles at or above a folder hold of a package that is asked for in it.
    fn locked(&self, folder: &str, locks: &[&str], package: Name, range: &str) -> Vec<String> {
        let found = folders(folder).find_map(|above| {
            let inside = folder.strip_prefix(above).unwrap_or_default().trim_start_matches('/');
            let there = self.manifests.locks(above, locks);
            let mut versions: Vec<String> =
                there.flat_map(|lock| lock.versions(package, inside, range)).map(str::to_owned).collect();
            versions.sort();
            versions.dedup();
            (!versions.is_empty()).then_some(versions)
        });
        found.unwrap_or_default()
    }

    /// The version that a list of Python requirements in a folder holds a package to.
    fn required(&self, folder: &str, name: &str) -> Option<String> {
        let lists = self.manifests.iter().filter(|manifest| {
            matches!(manifest.says, Says::Python(_)) && manifest.folder() == folder && manifest.name().ends_with(".txt")
        });
        let name = name.replace('.', "-");
        let held = |list: &Manifest| PythonProject::held(list.text.as_deref()?, &name).map(str::to_owned);
        lists.into_iter().find_map(held)
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
