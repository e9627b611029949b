//! What the project says of itself: functions of its own that count as something, vendors that its core paths need,
//! entry points of core paths.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Core, Seg, VendorId};
use crate::facts::{FunctionId, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, Entry, External, FunctionRef, Program, Value};

/// What a function of the project counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapper {
    /// It keeps or reports failures.
    Logger,
    /// It takes work over.
    Queue,
    /// It checks who calls.
    Verifier,
    /// It bounds the time of what it is handed.
    Timeout,
}

impl Wrapper {
    /// All of them, in the order of the configuration's keys.
    pub const ALL: [Self; 4] = [Self::Logger, Self::Queue, Self::Verifier, Self::Timeout];

    /// The package under which the catalogue knows it.
    fn package(self) -> &'static str {
        match self {
            Self::Logger => "own:logger",
            Self::Queue => "own:queue",
            Self::Verifier => "own:verifier",
            Self::Timeout => "own:timeout",
        }
    }
}

/// What was said, as it was written.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Functions: `name`, `Class.method`, `path:name`.
    pub wrappers: Vec<(Wrapper, String)>,
    /// Ids of vendors.
    pub essential: Vec<String>,
    /// Routes, names of functions, paths of files (`*` and `**`).
    pub core_paths: Vec<(Core, String)>,
}

/// Something that was said and that names nothing, with what may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Idle {
    /// No function of the program.
    Wrapper(String, Option<String>),
    /// No route, function or file.
    CorePath(String, Option<String>),
    /// A vendor that nothing uses.
    Vendor(String),
}

impl Idle {
    /// What was said.
    pub fn said(&self) -> &str {
        let (Self::Wrapper(said, _) | Self::CorePath(said, _) | Self::Vendor(said)) = self;
        said
    }
}

/// The name that is most like one that is not there, when it may have been meant.
fn likely<'n>(said: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let score = |name: &str| strsim::jaro_winkler(&said.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let near = names.map(|name| (score(name), name)).filter(|(score, _)| *score > 0.88);
    // Of two that are as like, the first in the alphabet.
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
    best.map(|(_, name)| name.to_owned())
}

/// What was said, as the program knows it.
#[derive(Debug, Default)]
pub struct Known {
    said: Arc<Hints>,
    wrappers: FxHashMap<FunctionRef, Wrapper>,
}

impl Known {
    /// Finds the functions that are meant.
    pub fn find(said: &Arc<Hints>, program: &Program) -> Self {
        let mut wrappers = FxHashMap::default();
        for (file, facts) in program.code().filter(|_| !said.wrappers.is_empty()) {
            for at in 1..facts.functions.len() as u32 {
                let function = FunctionRef::new(file, FunctionId(at));
                let is = |(_, text): &&(Wrapper, String)| is_meant(text, program, file, function);
                wrappers.extend(said.wrappers.iter().find(is).map(|(wrapper, _)| (function, *wrapper)));
            }
        }
        Self { said: Arc::clone(said), wrappers }
    }
}

impl Known {
    /// Whether no function is named.
    pub fn is_empty(&self) -> bool {
        self.wrappers.is_empty()
    }
}

/// Whether `path:name`, `Class.method` or `name` is this function.
fn is_meant(text: &str, program: &Program, file: FileId, function: FunctionRef) -> bool {
    let (path, name) = match text.rsplit_once(':') {
        Some((path, name)) => (Some(path), name),
        None => (None, text),
    };
    if path.is_some_and(|path| !path_fits(path, &program.file(file).path)) {
        return false;
    }
    let facts = program.facts(file);
    let shape = facts.function(function.function);
    let class = shape.class.and_then(|class| facts.classes[class.index()].name);
    match (name.split_once('.'), shape.name, class) {
        (None, Some(own), _) => own == name,
        (Some((of, name)), Some(own), Some(class)) => own == name && class == of,
        _ => false,
    }
}

/// Whether a path has the form of `pattern`, in which `*` is a part of one name and `**` any number of folders.
fn path_fits(pattern: &str, path: &str) -> bool {
    fn fits(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
            (Some((first, rest)), Some((name, more))) => name_fits(first, name) && fits(rest, more),
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.trim_start_matches("./").split('/').collect();
    fits(&pattern, &path.split('/').collect::<Vec<_>>())
}

fn name_fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|name| {
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| name_fits(rest, &name[at..]))
        }),
    }
}

impl Program {
    /// Whether the project says that its core paths need a vendor.
    pub fn is_essential(&self, vendor: VendorId) -> bool {
        self.hints.said.essential.contains(&self.catalogue.vendor(vendor).id)
    }

    /// What the project says of itself in vain.
    pub fn idle_hints(&self) -> Vec<Idle> {
        let said = &self.hints.said;
        let wrappers =
            said.wrappers.iter().filter(|(_, text)| !self.every_function().any(|at| is_meant(text, self, at.file, at)));
        let wrappers = wrappers.map(|(_, text)| Idle::Wrapper(text.clone(), self.likely_function(text)));
        let paths =
            said.core_paths.iter().filter(|(_, text)| !self.entries.iter().any(|entry| self.is_said_core(text, entry)));
        let paths = paths.map(|(_, text)| {
            let entries = self.entries.iter();
            let names = entries.flat_map(|entry| match text.starts_with('/') {
                true => [entry.route, None],
                false => [entry.name, self.facts(entry.function.file).function(entry.function.function).name],
            });
            Idle::CorePath(text.clone(), likely(text, names.flatten().map(|name| name.as_str())))
        });
        let is_used = |id: &String| {
            let uses = self.vendor_uses().iter().map(|used| used.vendor);
            uses.chain(self.clients().iter().map(|made| made.vendor))
                .any(|vendor| self.catalogue.vendor(vendor).id == *id)
        };
        let vendors = said.essential.iter().filter(|id| !is_used(id)).map(|id| Idle::Vendor(id.clone()));
        wrappers.chain(paths).chain(vendors).collect()
    }

    fn every_function(&self) -> impl Iterator<Item = FunctionRef> {
        self.code().flat_map(|(file, facts)| {
            (1..facts.functions.len() as u32).map(move |at| FunctionRef::new(file, FunctionId(at)))
        })
    }

    /// The function that may have been meant: of that name elsewhere, or of a name like it.
    fn likely_function(&self, text: &str) -> Option<String> {
        let (path, name) = text.rsplit_once(':').map_or((None, text), |(path, name)| (Some(path), name));
        let full = |at: FunctionRef| format!("{}:{}", self.file(at.file).path, self.function_name(at));
        let elsewhere = self.every_function().find(|&at| path.is_some() && is_meant(name, self, at.file, at));
        let last = name.rsplit('.').next().unwrap_or(name);
        let names = self.every_function().filter_map(|at| self.facts(at.file).function(at.function).name);
        let like = || {
            let near = likely(last, names.map(|name| name.as_str()))?;
            let found = self.every_function().find(|&at| is_meant(&near, self, at.file, at))?;
            Some(if path.is_some() { full(found) } else { self.function_name(found) })
        };
        elsewhere.map(full).or_else(like)
    }

    /// Whether an entry point is meant by a route, a name or a path.
    fn is_said_core(&self, text: &str, entry: &Entry) -> bool {
        let own = self.facts(entry.function.file).function(entry.function.function).name;
        let named = |name: Option<Name>| name.is_some_and(|name| name == text);
        if text.starts_with('/') {
            return named(entry.route);
        }
        named(entry.name) || named(own) || path_fits(text, &self.file(entry.function.file).path)
    }

    /// The core path that the project says an entry point belongs to.
    pub fn core_path_said(&self, entry: &Entry) -> Option<Core> {
        self.hints.said.core_paths.iter().find(|(_, text)| self.is_said_core(text, entry)).map(|(core, _)| *core)
    }

    /// Whether the project says that a function checks who calls.
    pub fn is_said_verifier(&self, function: FunctionRef) -> bool {
        self.hints.wrappers.get(&function) == Some(&Wrapper::Verifier)
    }

    /// Whether the project names a logger of its own.
    pub fn has_own_logger(&self) -> bool {
        self.hints.wrappers.values().any(|wrapper| *wrapper == Wrapper::Logger)
    }

    /// A callee with what the project says of it: beside the function stands what it counts as, under a name of the
    /// catalogue's. None when nothing is said.
    pub(crate) fn callee_as_said(&self, call: CallRef, called: &[FunctionRef]) -> Option<Value> {
        let (function, wrapper) =
            called.iter().find_map(|function| Some((*function, *self.hints.wrappers.get(function)?)))?;
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let throws = facts.blocks.iter().any(|block| {
            block.function == function.function && block.steps.iter().any(|step| matches!(step, Step::Throw(_)))
        });
        let form = match (throws, shape.is_async) {
            (true, false) => "throws",
            (true, true) => "throwsLater",
            (false, false) => "tells",
            (false, true) => "tellsLater",
        };
        let external = External::root(Name::new(wrapper.package())).then(Seg::Member(Name::new(form)), None);
        Some(Value::one_of([Value::External(Arc::new(external)), self.callee(call).clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_patterns() {
        assert!(path_fits("src/join/**", "src/join/page/form.tsx") && path_fits("src/lib/*.ts", "src/lib/queue.ts"));
        assert!(path_fits("./src/a.ts", "src/a.ts") && path_fits("**/join.ts", "a/b/join.ts"));
        assert!(!path_fits("src/lib/*.ts", "src/lib/deep/queue.ts") && !path_fits("src/a", "src/a.ts"));
    }
}
