//! SvelteKit: `+server.ts`, `+page.server.ts` with `load` and `actions`, layouts.

use super::handlers::{key, object};
use super::{Label, METHODS, Module, paths};
use crate::facts::ExprKind;
use crate::program::{Entry, EntryKind, ExprRef};

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let (stem, _) = module.stem();
    if !stem.starts_with('+') {
        return vec![];
    }
    let folder = module.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let Some((_, below)) = format!("/{folder}/").split_once("/routes/").map(|(a, b)| (a.to_owned(), b.to_owned()))
    else {
        return vec![];
    };
    let route = paths::folders(below.split('/').filter(|part| !part.is_empty()));
    let mut found = Vec::new();
    match stem {
        "+server" => {
            for method in METHODS.iter().chain(&["fallback"]) {
                if module.exports(method) {
                    let methods: &[&'static str] = if *method == "fallback" { &[] } else { &[method] };
                    let label = Label::new(EntryKind::Route, "svelte-kit").at(&route).methods(methods);
                    found.extend(module.exported(method, &label));
                }
            }
        }
        "+page.server" | "+layout.server" | "+page" | "+layout" => {
            let label = Label::new(EntryKind::Page, "svelte-kit").at(&route).named("load");
            found.extend(module.export("load").into_iter().flat_map(|(load, at)| module.entries(load, at, &label)));
            if let Some((actions, _)) = module.export("actions") {
                found.extend(in_actions(module, actions, &route));
            }
        }
        _ => {}
    }
    found
}

/// `export const actions = { default: async () => {}, login: async () => {} }`.
fn in_actions(module: Module<'_>, actions: ExprRef, route: &str) -> Vec<Entry> {
    let Some(object) = object(module.program, actions) else { return vec![] };
    let facts = module.program.facts(object.file);
    let ExprKind::Object(entries) = facts.expr(object.expr) else { return vec![] };
    entries
        .iter()
        .filter_map(|&(name, _)| Some((name, key(module.program, object, name)?)))
        .flat_map(|(name, action)| {
            let label = Label::new(EntryKind::Route, "svelte-kit").at(route).methods(&["POST"]).named(name.as_str());
            module.entries(action, facts.span(action.expr), &label)
        })
        .collect()
}
