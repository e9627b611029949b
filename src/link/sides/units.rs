//! Units of deployment: each edge or serverless function is a program of its own, everything else belongs to the
//! app of its project.

use rustc_hash::{FxHashMap, FxHashSet};

use super::imports::Load;
use crate::finding::FileId;
use crate::link::entries::edge::function_of;
use crate::link::projects::Projects;
use crate::names::Name;
use crate::program::Program;

/// A unit of deployment: index into [`Units::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub u32);

/// The units of a program.
#[derive(Debug, Default)]
pub struct Units {
    /// The folder (or file) that each is deployed from; empty for the repository's root.
    pub names: Vec<Name>,
    /// The units each file is part of, sorted.
    of: Vec<Vec<UnitId>>,
}

impl Units {
    /// Finds them.
    pub fn find(program: &Program, projects: &Projects, loads: &[Vec<Load>]) -> Self {
        let mut units = Self {
            names: projects.all().iter().map(|project| Name::new(&project.folder)).collect(),
            of: vec![Vec::new(); program.files.len()],
        };
        let mut functions: FxHashMap<&'static str, UnitId> = FxHashMap::default();
        for at in 0..program.files.len() as u32 {
            let file = FileId(at);
            let Some(function) = function_of(program.file(file).path.as_str()) else { continue };
            let next = UnitId(units.names.len() as u32);
            let unit = *functions.entry(function.unit).or_insert(next);
            if unit == next {
                units.names.push(Name::new(function.unit));
            }
            units.add(file, unit);
            if function.is_entry {
                let mut seen: FxHashSet<FileId> = FxHashSet::from_iter([file]);
                let mut queue = vec![file];
                while let Some(file) = queue.pop() {
                    for load in &loads[file.index()] {
                        if seen.insert(load.to) {
                            units.add(load.to, unit);
                            queue.push(load.to);
                        }
                    }
                }
            }
        }
        for (at, of) in units.of.iter_mut().enumerate() {
            if of.is_empty() {
                of.push(UnitId(projects.index(FileId(at as u32)) as u32));
            }
        }
        units
    }

    fn add(&mut self, file: FileId, unit: UnitId) {
        let of = &mut self.of[file.index()];
        if let Err(at) = of.binary_search(&unit) {
            of.insert(at, unit);
        }
    }
}

impl Program {
    /// The units of deployment a file is part of; code that functions share is part of many.
    pub fn units(&self, file: FileId) -> &[UnitId] {
        self.units.of.get(file.index()).map_or(&[], Vec::as_slice)
    }

    /// The folder (or file) a unit is deployed from.
    pub fn unit_name(&self, unit: UnitId) -> Name {
        self.units.names.get(unit.0 as usize).copied().unwrap_or_else(|| Name::new(""))
    }
}
