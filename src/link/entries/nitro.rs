//! Nuxt and Nitro: `server/api/users/[id].post.ts` with a default export.

use super::{Label, METHODS, Module, paths};
use crate::program::{Entry, EntryKind};

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let inner = module.inner.strip_prefix("src/").unwrap_or(module.inner);
    let (prefix, rest) = match inner.strip_prefix("server/api/").map(|rest| ("/api", rest)) {
        Some(found) => found,
        None => match inner.strip_prefix("server/routes/") {
            Some(rest) => ("", rest),
            None => return tasks(module, inner),
        },
    };
    let Some((expr, span)) = module.export("default") else { return vec![] };
    // Express servers have such folders too: there the default export is a router.
    let is_nitro = module.project.uses("nuxt")
        || module.project.uses("nitropack")
        || module.project.uses("h3")
        || module.project.has_script("nuxt.config")
        || module.project.has_script("nitro.config");
    if !is_nitro {
        return vec![];
    }
    let (stem, _) = rest.rsplit_once('.').unwrap_or((rest, ""));
    let (stem, method) = match stem.rsplit_once('.') {
        Some((head, tail)) => match METHODS.iter().find(|method| method.eq_ignore_ascii_case(tail)) {
            Some(method) => (head, Some(*method)),
            None => (stem, None),
        },
        None => (stem, None),
    };
    let parts = stem.split('/').filter(|part| *part != "index");
    let route = paths::join(prefix, &paths::folders(parts));
    let label = Label::new(EntryKind::Route, "nitro-route").at(route).methods(method.as_slice());
    let found = module.entries(expr, span, &label);
    if found.is_empty() { vec![module.body(span, &label)] } else { found }
}

/// `server/tasks/cleanup.ts`, `server/plugins/x.ts`.
fn tasks(module: Module<'_>, inner: &str) -> Vec<Entry> {
    let Some(rest) = inner.strip_prefix("server/tasks/") else { return vec![] };
    let (name, _) = rest.rsplit_once('.').unwrap_or((rest, ""));
    let label = Label::new(EntryKind::Job, "nitro-task").named(name.replace('/', ":"));
    module.export("default").map(|(expr, span)| module.entries(expr, span, &label)).unwrap_or_default()
}
