//! Middleware that its framework does not load where it lies: it looks like a check, and nothing runs it.

use crate::finding::{FileId, Place};
use crate::program::callers::passage::Passage;
use crate::program::{Entry, Program};

/// Middleware beside the wrong folder.
#[derive(Debug, Clone, Copy)]
pub struct Unloaded {
    /// Where it lies.
    pub place: Place,
    /// Where it has to lie to be loaded: `src/middleware.ts`.
    pub wanted: &'static str,
    /// Whether it would turn whoever is nobody away from the route.
    pub refuses: bool,
}

/// Where Next looks for middleware: beside the folder that holds its pages, and nowhere else. The folder at the top
/// is taken where there are both (<https://nextjs.org/docs/app/api-reference/file-conventions/src-folder>).
pub(crate) fn is_loaded<'p>(path: &str, paths: impl Iterator<Item = &'p str>) -> bool {
    let Some((top, below)) = placed(path) else { return true };
    let (mut at_top, mut in_src) = (false, false);
    for other in paths {
        let is_script = [".ts", ".tsx", ".js", ".jsx"].iter().any(|end| other.ends_with(end));
        let Some(inner) = other.strip_prefix(top).filter(|_| is_script) else { continue };
        at_top |= inner.starts_with("app/") || inner.starts_with("pages/");
        in_src |= inner.starts_with("src/app/") || inner.starts_with("src/pages/");
    }
    if below { !at_top } else { at_top || !in_src }
}

/// The app's folder of a middleware, with a slash at its end, and whether it lies in `src` there.
fn placed(path: &str) -> Option<(&str, bool)> {
    let folder = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
    let stem = path[folder.len()..].split('.').next()?;
    if !matches!(stem, "middleware" | "proxy") {
        return None;
    }
    match folder.strip_suffix("src/") {
        Some(top) if top.is_empty() || top.ends_with('/') => Some((top, true)),
        _ => Some((folder, false)),
    }
}

impl Program {
    /// The middleware that looks as if it stood in front of a route, and that Next does not load.
    pub fn unloaded_middleware(&self, entry: &Entry) -> Option<Unloaded> {
        let route = entry.route?;
        if !entry.framework.starts_with("next") {
            return None;
        }
        let near = self.file(entry.place.file).path.as_str();
        let is_one = |file: FileId| {
            let path = self.file(file).path.as_str();
            let of_next = self.facts(file).imports.iter().any(|import| import.specifier.starts_with("next/"));
            let beside = placed(path).is_some_and(|(top, _)| near.starts_with(top));
            of_next && beside && !is_loaded(path, self.code().map(|(file, _)| self.file(file).path.as_str()))
        };
        let (file, facts) = self.code().find(|&(file, _)| placed(&self.file(file).path).is_some() && is_one(file))?;
        let method = entry.methods.first().map_or("POST", |method| method.as_str());
        let passage = self.passage(file, &route, method);
        let span = facts.exports.first()?.span;
        let (_, below) = placed(&self.file(file).path)?;
        (passage != Passage::Passes).then_some(Unloaded {
            place: Place { file, span }.head(),
            wanted: if below { "the top of the project, beside `app`" } else { "`src`, beside `app`" },
            refuses: matches!(passage, Passage::TurnedAway(_)),
        })
    }
}
