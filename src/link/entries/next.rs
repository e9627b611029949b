//! Next.js: route handlers, pages and layouts, the pages router, server actions. Astro's endpoints, which look alike.

use super::{Label, METHODS, Module, paths};
use crate::facts::FunctionId;
use crate::link::projects::Project;
use crate::program::{Entry, EntryKind, ExprRef, FunctionRef};

/// Files of the app router that render.
const RENDERED: &[&str] =
    &["page", "layout", "template", "default", "loading", "not-found", "error", "global-error", "sitemap", "robots"];

/// Functions of the pages router that run on the server before a page.
const DATA: &[&str] = &["getServerSideProps", "getStaticProps", "getStaticPaths", "getInitialProps"];

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let mut found = actions(module);
    let parts: Vec<&str> = module.inner.split('/').collect();
    let (stem, _) = module.stem();
    // A folder that starts with an underscore is private: nothing in it is routed.
    let is_private = |folders: &[&str]| folders.iter().any(|folder| folder.starts_with('_'));
    if let Some(folders) = under(&parts, "app").filter(|folders| !is_private(folders)) {
        if stem == "route" && !is_left_over(module.project, module.inner) {
            found.extend(route_handlers(module, &paths::folders(folders.iter().copied()), "next-app"));
        } else if RENDERED.contains(&stem) && is_next(module) {
            let label = Label::new(EntryKind::Page, "next-app").at(paths::folders(folders.iter().copied()));
            found.extend(module.export("default").into_iter().flat_map(|(page, at)| module.entries(page, at, &label)));
            for name in ["generateMetadata", "generateStaticParams"] {
                let label = label.clone().named(name);
                found.extend(module.export(name).into_iter().flat_map(|(page, at)| module.entries(page, at, &label)));
            }
        }
    }
    if let Some(folders) = under(&parts, "pages") {
        found.extend(in_pages(module, folders, stem));
    }
    found
}

/// Whether a file is a route of the app router in an app that Vite builds: it was left over, and nobody serves it.
pub fn is_left_over(project: &Project, inner: &str) -> bool {
    let parts: Vec<&str> = inner.split('/').collect();
    let is_route = parts.last().is_some_and(|name| name.split_once('.').is_some_and(|(stem, _)| stem == "route"));
    is_route && under(&parts, "app").is_some() && project.uses("vite") && !project.is_next()
}

/// The folders below `root` (or `src/root`), at the project's top or, where the project could not be told, below
/// the first folder of that name.
fn under<'a, 'p>(parts: &'a [&'p str], root: &str) -> Option<&'a [&'p str]> {
    let last = parts.len().checked_sub(1)?;
    let at = match parts {
        ["src", first, ..] if *first == root => 1,
        _ => parts.iter().position(|part| *part == root)?,
    };
    (at < last).then(|| &parts[at + 1..last])
}

fn is_next(module: Module<'_>) -> bool {
    module.project.is_next()
        || module.facts.imports.iter().any(|import| import.specifier == "next" || import.specifier.starts_with("next/"))
}

fn route_handlers(module: Module<'_>, route: &str, framework: &'static str) -> Vec<Entry> {
    let mut found = Vec::new();
    for method in METHODS {
        if module.exports(method) {
            let label = Label::new(EntryKind::Route, framework).at(route).methods(&[method]);
            found.extend(module.exported(method, &label));
        }
    }
    found
}

fn in_pages(module: Module<'_>, folders: &[&str], stem: &'static str) -> Vec<Entry> {
    // `[id].json.ts` of Astro keeps its inner ending.
    let mut parts: Vec<&str> = folders.to_vec();
    if stem != "index" {
        parts.push(stem);
    }
    let route = paths::folders(parts.iter().copied());
    let is_astro = module.project.uses("astro") || module.project.has_script("astro.config");
    if is_astro {
        if module.path.ends_with(".astro") {
            let label = Label::new(EntryKind::Page, "astro").at(route);
            return vec![module.body(module.facts.function(FunctionId::MODULE).span, &label)];
        }
        let mut found = route_handlers(module, &route, "astro");
        if module.exports("ALL") {
            found.extend(module.exported("ALL", &Label::new(EntryKind::Route, "astro").at(route)));
        }
        return found;
    }
    if !is_next(module) {
        return vec![];
    }
    if folders.first() == Some(&"api") || (folders.is_empty() && stem == "api") {
        let label = Label::new(EntryKind::Route, "next-pages").at(&route);
        let chained = module.export("default").map(|(handler, _)| chained(module, handler, &label)).unwrap_or_default();
        return match chained.is_empty() {
            true if module.exports("default") => module.exported("default", &label),
            true if module.exports("=") => module.exported("=", &label),
            true => vec![],
            false => chained,
        };
    }
    let label = Label::new(EntryKind::Page, "next-pages").at(&route);
    let mut found: Vec<Entry> =
        module.export("default").into_iter().flat_map(|(page, at)| module.entries(page, at, &label)).collect();
    for name in DATA {
        let label = label.clone().named(*name);
        found.extend(module.export(name).into_iter().flat_map(|(page, at)| module.entries(page, at, &label)));
    }
    found
}

/// `nextConnect().use(auth).post(handler)` as the default export.
fn chained(module: Module<'_>, handler: ExprRef, label: &Label) -> Vec<Entry> {
    use super::handlers::{arguments, gates, steps};
    let value = module.program.value(handler);
    let mut found = Vec::new();
    for external in value.externals() {
        if !external.package.contains("next-connect") {
            continue;
        }
        let mut before = Vec::new();
        for (member, site) in steps(external) {
            let (Some(member), Some(site)) = (member, site) else { continue };
            let upper = member.to_ascii_uppercase();
            let args = arguments(module.program, site);
            if let Some(method) = METHODS.iter().find(|method| **method == upper) {
                let Some((last, middle)) = args.split_last() else { continue };
                let mut gates_here = before.clone();
                gates_here.extend(middle.iter().flat_map(|&arg| gates(module.program, arg)));
                let place = module.program.call_place(site);
                let label = label.clone().methods(&[method]);
                found.extend(super::entries_of(module.program, *last, gates_here, place, &label));
            } else if member == "use" {
                before.extend(args.into_iter().flat_map(|arg| gates(module.program, arg)));
            }
        }
    }
    found
}

/// Server actions: what a `"use server"` module exports, and functions with a directive of their own.
fn actions(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if module.directive("use server") {
        let mut names: Vec<_> = module.facts.exports.iter().map(|export| export.name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let label = Label::new(EntryKind::ServerAction, "next-actions").named(name.as_str());
            if let Some((action, at)) = module.export(&name) {
                found.extend(module.entries(action, at, &label));
            }
        }
    }
    for (at, function) in module.facts.functions.iter().enumerate().filter(|(_, function)| function.use_server) {
        let mut label = Label::new(EntryKind::ServerAction, "next-actions");
        label.name = function.name.map(|name| name.as_str().to_owned());
        let function_ref = FunctionRef::new(module.file, FunctionId(at as u32));
        if !found.iter().any(|entry: &Entry| entry.function == function_ref) {
            found.push(label.entry(function_ref, vec![], module.place(function.span)));
        }
    }
    found
}
