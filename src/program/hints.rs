//! What the project says of itself: functions of its own that count as something, vendors that its core paths need,
//! entry points of core paths.

use std::sync::Arc;

use rustc_hash::FxHashMap;

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

    /// The core path that the project says an entry point belongs to.
    pub fn core_path_said(&self, entry: &Entry) -> Option<Core> {
        let path = self.file(entry.function.file).path;
        let own = self.facts(entry.function.file).function(entry.function.function).name;
        let is = |text: &str| {
            let named = |name: Option<Name>| name.is_some_and(|name| name == text);
            if text.starts_with('/') {
                named(entry.route)
            } else {
                named(entry.name) || named(own) || path_fits(text, &path)
            }
        };
        self.hints.said.core_paths.iter().find(|(_, text)| is(text)).map(|(core, _)| *core)
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
