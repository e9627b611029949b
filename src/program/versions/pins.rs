//! Vendors' SDKs whose next deployment may bring another version: by URL, in manifests without a lockfile, in the
//! tags of pages.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::catalogue::VendorId;
use crate::facts::{ImportId, ImportKind, Span};
use crate::finding::{FileId, Place};
use crate::link::modules::package_of_url;
use crate::link::sides::units::UnitId;
use crate::manifest::lockfile::{PYTHON_LOCKS, SCRIPT_LOCKS};
use crate::manifest::{Manifest, Says, folders};
use crate::names::Name;
use crate::program::versions::major;
use crate::program::{Program, Target};

/// An SDK that is not held to a version.
#[derive(Debug, Clone)]
pub struct Unpinned {
    /// Where it is asked for.
    pub place: Place,
    /// Whose it is.
    pub vendor: VendorId,
    /// The package: `npm:stripe`.
    pub package: Name,
    /// How it is asked for: `https://esm.sh/stripe`, `stripe>=5`.
    pub asked: String,
    /// Where else.
    pub others: Vec<Place>,
    /// What is wrong with it.
    pub how: Loose,
}

/// How an SDK is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loose {
    /// An import names no version, or the latest.
    Import,
    /// A manifest allows other majors, and no lockfile holds one.
    Manifest,
    /// A page's tag names no version, or the latest.
    Tag,
    /// Two majors in one unit of deployment: the one here, and another.
    Two(u32, u32),
}

impl Program {
    /// The SDKs that are not held to a version, by place.
    pub fn unpinned_sdks(&self) -> Vec<Unpinned> {
        let mut found = Vec::new();
        imports(self, &mut found);
        for manifest in self.manifests.iter() {
            if let Some(file) = self.file_at(&manifest.path) {
                in_manifest(self, manifest, file, &mut found);
            }
        }
        tags(self, &mut found);
        found.sort_by(|a, b| (a.place, &a.asked).cmp(&(b.place, &b.asked)));
        found
    }

    fn sdk(&self, package: Name) -> Option<VendorId> {
        self.catalogue.packages(package, &[]).next().map(|(vendor, _)| vendor).or_else(|| {
            // Deno's registry holds builds of them under the vendor's own name.
            let name = package.strip_prefix("url:deno.land/x/")?;
            let named = Name::new(&format!("npm:{name}"));
            let of_package = self.catalogue.packages(named, &[]).next().map(|(vendor, _)| vendor);
            of_package.or_else(|| self.catalogue.vendor_named(name))
        })
    }

    /// Whether a lockfile of a family, in a folder or above it, holds a package. One that was not read may.
    fn is_locked(&self, folder: &str, locks: &[&str], package: Name) -> bool {
        folders(folder).any(|here| {
            let own = self.projects.all().iter().filter(|project| project.folder == here);
            let mut there = own.flat_map(|project| locks.iter().filter(|lock| project.has(lock)));
            there.any(|lock| self.manifests.lock(here, lock).is_none_or(|lock| lock.holds(package)))
        })
    }
}

// ---- imports -----------------------------------------------------------------------------------------------

fn imports(program: &Program, found: &mut Vec<Unpinned>) {
    let mut first: BTreeMap<(&[UnitId], Name), Unpinned> = BTreeMap::new();
    let mut majors: BTreeMap<(&[UnitId], Name), (u32, bool)> = BTreeMap::new();
    for (file, facts) in program.code() {
        let side = program.side(file);
        if side.tooling || side.dead {
            continue;
        }
        for (at, import) in facts.imports.iter().enumerate() {
            let outright = ["https://", "http://", "npm:"].iter().any(|scheme| import.specifier.starts_with(scheme));
            if !outright || import.kind == ImportKind::Type {
                continue;
            }
            let Target::Package { name, version, .. } = program.modules.target(file, ImportId(at as u32)) else {
                continue;
            };
            let Some(vendor) = program.sdk(*name) else { continue };
            let place = Place { file, span: import.span };
            let key = (program.units(file), *name);
            let locked = program.is_locked(folder_of(&program.file(file).path), &["deno.lock"], *name);
            if !version.is_none_or(|version| is_loose(&version)) {
                let Some(here) = version.and_then(|version| major(&version)) else { continue };
                match majors.get_mut(&key) {
                    None => drop(majors.insert(key, (here, false))),
                    Some((other, told)) if *other != here && !*told => {
                        *told = true;
                        let (asked, how) = (import.specifier.to_string(), Loose::Two(here, *other));
                        found.push(Unpinned { place, vendor, package: *name, asked, others: vec![], how });
                    }
                    Some(_) => {}
                }
            } else if !locked {
                let asked = import.specifier.to_string();
                let new = || Unpinned { place, vendor, package: *name, asked, others: vec![], how: Loose::Import };
                match first.get_mut(&key) {
                    Some(known) => known.others.push(place),
                    None => drop(first.insert(key, new())),
                }
            }
        }
    }
    found.extend(first.into_values());
}

/// Whether a version names no major: nothing, the latest, any.
fn is_loose(version: &str) -> bool {
    matches!(version, "" | "latest" | "next" | "*" | "x" | "beta" | "canary") || version.starts_with('>')
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

// ---- manifests ---------------------------------------------------------------------------------------------

fn in_manifest(program: &Program, manifest: &Manifest, file: FileId, found: &mut Vec<Unpinned>) {
    let folder = manifest.folder();
    let mut asked: Vec<(String, String, Name)> = Vec::new();
    match &manifest.says {
        Says::Package(package) => {
            let own = package.dependencies.iter().filter(|own| !own.development && allows_majors(&own.range));
            asked.extend(
                own.map(|own| (own.name.to_string(), own.range.clone(), Name::new(&format!("npm:{}", own.name)))),
            );
        }
        Says::Json(map) if matches!(manifest.name(), "deno.json" | "deno.jsonc" | "import_map.json") => {
            for (key, target) in map.get("imports").and_then(|map| map.as_object()).into_iter().flatten() {
                let Some(Target::Package { name, version, .. }) = target.as_str().and_then(package_of_url) else {
                    continue;
                };
                if version.is_none_or(|version| is_loose(&version)) && is_imported(program, folder, key) {
                    asked.push((key.clone(), target.as_str().unwrap_or_default().to_owned(), name));
                }
            }
        }
        Says::Python(_) if !is_for_development(manifest.name()) => {
            asked.extend(requirements(manifest));
        }
        _ => return,
    }
    let locks = match &manifest.says {
        Says::Package(_) => SCRIPT_LOCKS,
        Says::Python(_) => PYTHON_LOCKS,
        _ => &["deno.lock"],
    };
    let mut told: FxHashSet<Name> = FxHashSet::default();
    for (key, range, package) in asked {
        let Some(vendor) = program.sdk(package) else { continue };
        if !told.insert(package) || program.is_locked(folder, locks, package) || !is_used(program, folder, package) {
            continue;
        }
        let place = Place { file, span: locate(manifest.text.as_deref().unwrap_or_default(), &key) };
        let asked = match range.as_str() {
            range if range.contains("://") || range.starts_with("npm:") => range.to_owned(),
            range => format!("{key} {range}").trim_end().to_owned(),
        };
        found.push(Unpinned { place, vendor, package, asked, others: vec![], how: Loose::Manifest });
    }
}

/// Whether an npm range allows more than one major: the latest, no upper end, several.
fn allows_majors(range: &str) -> bool {
    let range = range.trim();
    if is_loose(range) {
        return !range.contains('<') || spans_majors(range);
    }
    // Any minor of 0: each of them may break.
    matches!(range, "0" | "0.x" | "0.*" | "^0" | "~0" | "^0.x")
        || range.contains("||")
        || (range.contains('<') && spans_majors(range))
}

/// Whether `>=1 <3` holds several majors, or several minors of 0.
fn spans_majors(range: &str) -> bool {
    let number = |sign: &str| {
        let at = range.find(sign)? + sign.len();
        major(range[at..].trim_start_matches(['=', ' ']))
    };
    match (number(">"), number("<")) {
        (Some(low), Some(high)) => high > low + 1 || (low == 0 && high > 0),
        _ => true,
    }
}

fn is_for_development(name: &str) -> bool {
    ["dev", "test", "lint", "docs"].iter().any(|word| name.contains(word))
}

/// The Python requirements that allow other majors: name, range, package.
fn requirements(manifest: &Manifest) -> Vec<(String, String, Name)> {
    let text = manifest.text.as_deref().unwrap_or_default();
    let is_toml = !manifest.name().ends_with(".txt");
    let mut found = Vec::new();
    if is_toml {
        // `stripe = "*"` of Poetry and Pipenv; the lists of PEP 621 are lines like those of requirements.
        let toml = match &manifest.says {
            Says::Python(project) => project.toml.as_ref(),
            _ => None,
        };
        let at = |keys: &[&str]| toml.and_then(|toml| keys.iter().try_fold(toml, |value, key| value.get(key)));
        for table in [at(&["tool", "poetry", "dependencies"]), at(&["packages"])] {
            for (name, value) in table.and_then(toml::Value::as_table).into_iter().flatten() {
                let range = value.as_str().or_else(|| value.get("version").and_then(toml::Value::as_str));
                if let Some(range) = range.filter(|range| allows_majors(range)) {
                    found.push((name.clone(), range.to_owned(), python_package(name)));
                }
            }
        }
        let list = at(&["project", "dependencies"]).and_then(toml::Value::as_array).into_iter().flatten();
        found.extend(list.filter_map(toml::Value::as_str).filter_map(requirement));
    } else {
        found.extend(text.lines().filter_map(requirement));
    }
    found
}

/// `stripe>=5  # why` -> its name and range, when that allows other majors.
fn requirement(line: &str) -> Option<(String, String, Name)> {
    let line = line.split(['#', ';']).next().unwrap_or_default().trim();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let range = match rest.trim().strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, range)| range).trim(),
        None => rest.trim(),
    };
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
    // A path, a URL, `==1.2`, `~=5.0`: held.
    let held =
        range.contains("==") || range.contains("~=") || range.starts_with(['@', ':', '/']) || range.contains(" @ ");
    (named && !held && (range.is_empty() || range.starts_with('!') || spans_majors(range)))
        .then(|| (name.to_owned(), range.to_owned(), python_package(name)))
}

/// The package as code imports it: `discord.py` gives `discord`.
fn python_package(name: &str) -> Name {
    let lower = name.to_ascii_lowercase().replace('-', "_");
    let imported = lower.strip_suffix(".py").or_else(|| lower.strip_suffix("_py")).unwrap_or(&lower);
    Name::new(&format!("pypi:{imported}"))
}

/// Whether live code below a folder imports something by this very name.
fn is_imported(program: &Program, folder: &str, specifier: &str) -> bool {
    live(program, folder).any(|file| {
        let imports = &program.facts(file).imports;
        imports.iter().any(|import| import.kind != ImportKind::Type && import.specifier == specifier)
    })
}

/// Whether live code below a folder imports a package.
fn is_used(program: &Program, folder: &str, package: Name) -> bool {
    live(program, folder).any(|file| {
        let imports = program.facts(file).imports.iter().enumerate();
        let mut values = imports.filter(|(_, import)| import.kind != ImportKind::Type);
        values.any(|(at, _)| {
            matches!(program.modules.target(file, ImportId(at as u32)), Target::Package { name, .. } if *name == package)
        })
    })
}

fn live<'p>(program: &'p Program, folder: &'p str) -> impl Iterator<Item = FileId> + 'p {
    program.code().map(|(file, _)| file).filter(move |&file| {
        let side = program.side(file);
        let inside =
            folder.is_empty() || program.file(file).path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        inside && !side.tooling && !side.dead
    })
}

/// Where a name is written: as a key or a requirement.
fn locate(text: &str, name: &str) -> Span {
    let quoted = [format!("\"{name}\""), format!("'{name}'")];
    let at = quoted.iter().find_map(|quoted| text.find(quoted.as_str()).map(|at| at + 1));
    let at = at.or_else(|| {
        text.match_indices(name)
            .map(|(at, _)| at)
            .find(|&at| text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_')))
    });
    let start = at.unwrap_or(0);
    Span { start: start as u32, end: (start + name.len()) as u32 }
}

// ---- pages -------------------------------------------------------------------------------------------------

fn tags(program: &Program, found: &mut Vec<Unpinned>) {
    for (file, facts) in program.code() {
        let side = program.side(file);
        if side.tooling || side.dead {
            continue;
        }
        for tag in &facts.script_tags {
            let Some(Target::Package { name, version, .. }) = package_of_url(&tag.src) else { continue };
            if name.starts_with("npm:")
                && !tag.held
                && version.is_none_or(|version| is_loose(&version))
                && let Some(vendor) = program.sdk(name)
            {
                let place = Place { file, span: tag.span };
                let asked = tag.src.to_string();
                found.push(Unpinned { place, vendor, package: name, asked, others: vec![], how: Loose::Tag });
            }
        }
    }
}
