//! Remix and React Router in framework mode: `loader` and `action` of route modules.

use super::{Label, Module, paths};
use crate::program::{Entry, EntryKind};

/// Methods that reach an action.
const WRITES: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let uses =
        ["@remix-run/node", "@remix-run/react", "@remix-run/cloudflare", "@react-router/node", "@react-router/dev"];
    let is_remix = uses.iter().any(|package| module.project.uses(package))
        || module
            .facts
            .imports
            .iter()
            .any(|import| import.specifier.starts_with("@remix-run/") || import.specifier.starts_with("./+types/"));
    if !is_remix || !(module.exports("loader") || module.exports("action")) {
        return vec![];
    }
    let route = match module.inner.split_once("routes/") {
        Some((_, rest)) => {
            let (stem, _) = rest.rsplit_once('.').unwrap_or((rest, ""));
            Some(paths::flat(stem))
        }
        None if module.stem().0 == "root" => Some("/*".to_owned()),
        None => None,
    };
    let renders = module.exports("default");
    let mut found = Vec::new();
    let mut loader = Label::new(if renders { EntryKind::Page } else { EntryKind::Route }, "remix").named("loader");
    let mut action = Label::new(EntryKind::Route, "remix").methods(WRITES).named("action");
    if !renders {
        loader = loader.methods(&["GET"]);
    }
    loader.route.clone_from(&route);
    action.route = route;
    for (name, label) in [("loader", loader), ("action", action)] {
        if module.exports(name) {
            found.extend(module.exported(name, &label));
        }
    }
    found
}
