//! Functions that a platform deploys one by one: folders of functions, root `api/` folders, workers that export
//! `{ fetch }`, functions declared by a package and exported by name.

use super::handlers::{self, arguments, handler, object, steps};
use super::platforms::{self, Start};
use super::{Label, METHODS, Module, paths};
use crate::facts::{ExprKind, FunctionId};
use crate::names::Name;
use crate::program::{Entry, EntryKind, ExprRef, FunctionRef, Gate, Value};

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    if let Some(function) = function_of(module.path) {
        return if function.is_entry { in_function(module, &function) } else { vec![] };
    }
    let mut found = worker(module);
    found.extend(bun(module));
    found.extend(declared(module));
    found.extend(root_api(module));
    found.extend(pages_functions(module));
    found
}

/// A file of a folder of functions.
pub struct Deployed {
    /// The platform.
    pub platform: &'static platforms::Functions,
    /// The function's name.
    pub name: &'static str,
    /// The function's folder, or the file itself.
    pub unit: &'static str,
    /// Whether the file is what the platform starts.
    pub is_entry: bool,
}

/// The deployed function that a path belongs to; none for what functions share (`_shared`).
pub fn function_of(path: &'static str) -> Option<Deployed> {
    // The end of each of their folders.
    if !path.contains("functions/") {
        return None;
    }
    for platform in platforms::FUNCTIONS {
        let Some(at) = find_folder(path, platform.folder) else { continue };
        let rest = &path[at..];
        return match rest.split_once('/') {
            Some((name, _)) if name.starts_with(['_', '.']) || name == "tests" => None,
            Some((name, inner)) => {
                let stem = inner.split('.').next().unwrap_or(inner);
                let is_entry = !inner.contains('/') && (stem == "index" || stem == name || stem == "main");
                Some(Deployed { platform, name, unit: &path[..at + name.len()], is_entry })
            }
            // A file of its own: not where every function is a folder.
            None if platform.folder.starts_with("netlify") || platform.framework == "edge-functions" => {
                let (name, _) = rest.split_once('.')?;
                Some(Deployed { platform, name, unit: path, is_entry: true })
            }
            None => None,
        };
    }
    None
}

/// Where in the path the part after `folder/` starts.
fn find_folder(path: &str, folder: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = path[from..].find(folder) {
        let start = from + found;
        let end = start + folder.len();
        if (start == 0 || path.as_bytes()[start - 1] == b'/') && path.as_bytes().get(end) == Some(&b'/') {
            return Some(end + 1);
        }
        from = end;
    }
    None
}

fn in_function(module: Module<'_>, function: &Deployed) -> Vec<Entry> {
    let label = Label::new(EntryKind::EdgeFunction, function.platform.framework)
        .at(own_path(module).unwrap_or_else(|| format!("{}{}", function.platform.route, function.name)))
        .named(function.name);
    let mut found = served(module, &label);
    for name in ["default", "handler"] {
        if found.is_empty()
            && let Some((expr, span)) = module.export(name)
        {
            found.extend(module.entries(expr, span, &label));
        }
    }
    if found.is_empty() && module.exports("=") {
        found.extend(module.exported("=", &label));
    }
    for method in METHODS {
        if module.exports(method) {
            found.extend(module.exported(method, &label.clone().methods(&[method])));
        }
    }
    if found.is_empty() {
        // It exists, whatever serves it.
        found.push(module.body(module.facts.function(FunctionId::MODULE).span, &label));
    }
    found
}

/// `export const config = { path: "/api/x" }`.
fn own_path(module: Module<'_>) -> Option<String> {
    let config = object(module.program, module.export("config")?.0)?;
    let path = handlers::key(module.program, config, Name::new("path"))?;
    Some(paths::normal(&module.program.value(path).text()?))
}

/// `Deno.serve(handler)`, `serve(handler)`, `Bun.serve({ fetch })`.
fn served(module: Module<'_>, label: &Label) -> Vec<Entry> {
    let mut found = Vec::new();
    for call in module.program.calls_of(module.file) {
        let shape = module.facts.call(call.call);
        let is_serve = match module.facts.expr(shape.callee) {
            ExprKind::Ref(name, _) => name == "serve",
            ExprKind::Member(_, name) => name == "serve",
            _ => false,
        };
        if !is_serve || matches!(module.program.callee(call), Value::Function(_)) {
            continue;
        }
        let span = module.facts.span(shape.expr);
        for arg in arguments(module.program, call) {
            found.extend(module.entries(arg, span, label));
        }
    }
    found
}

/// A worker: `export default { fetch, scheduled, queue }`.
fn worker(module: Module<'_>) -> Vec<Entry> {
    let Some((exported, _)) = module.export("default").filter(|(exported, _)| exported.file == module.file) else {
        return vec![];
    };
    let Some(object) = object(module.program, exported) else { return vec![] };
    let is_worker = ["wrangler.toml", "wrangler.json", "wrangler.jsonc"].iter().any(|name| module.project.has(name));
    let mut found = Vec::new();
    for (key, kind) in [
        ("fetch", EntryKind::Route),
        ("scheduled", EntryKind::Job),
        ("queue", EntryKind::Worker),
        ("email", EntryKind::Worker),
    ] {
        let Some(value) = handlers::key(module.program, object, Name::new(key)) else { continue };
        let functions = handler(module.program, value).functions;
        let takes_bindings = functions.iter().any(|function| {
            let params = &module.program.facts(function.file).function(function.function).params;
            params.len() >= 2 && params[1].name.is_some_and(|name| name == "env" || name == "_env")
        });
        if is_worker || takes_bindings {
            let label = match kind {
                EntryKind::Route => Label::new(kind, "worker").at("/*"),
                kind => Label::new(kind, "worker").named(key),
            };
            found.extend(module.entries(value, module.facts.span(value.expr), &label));
        }
    }
    found
}

/// A server that a file starts itself: `Bun.serve({ fetch, routes })`.
fn bun(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for call in module.program.calls_of(module.file) {
        let ExprKind::Member(base, method) = *module.facts.expr(module.facts.call(call.call).callee) else { continue };
        let ExprKind::Ref(name, block) = *module.facts.expr(base) else { continue };
        if name != "Bun" || method != "serve" || module.facts.lookup(block, name).is_some() {
            continue;
        }
        let Some(&given) = arguments(module.program, call).first() else { continue };
        let Some(options) = object(module.program, given) else { continue };
        let label = Label::new(EntryKind::Route, "bun");
        let mut serve = |handler: ExprRef, label: &Label| {
            let span = module.program.facts(handler.file).span(handler.expr);
            found.extend(module.entries(handler, span, label));
        };
        if let Some(handler) = handlers::key(module.program, options, Name::new("fetch")) {
            serve(handler, &label.clone().at("/*"));
        }
        let routes = handlers::key(module.program, options, Name::new("routes"));
        let Some(routes) = routes.and_then(|routes| object(module.program, routes)) else { continue };
        for (path, handler) in pairs(module, routes) {
            let label = label.clone().at(paths::normal(&path));
            match object(module.program, handler) {
                Some(by_method) => {
                    for &method in METHODS {
                        if let Some(handler) = handlers::key(module.program, by_method, Name::new(method)) {
                            serve(handler, &label.clone().methods(&[method]));
                        }
                    }
                }
                None => serve(handler, &label),
            }
        }
    }
    found
}

/// The entries of an object of routes.
fn pairs(module: Module<'_>, object: ExprRef) -> Vec<(Name, ExprRef)> {
    match module.program.facts(object.file).expr(object.expr) {
        ExprKind::Object(entries) => entries
            .iter()
            .filter(|(path, _)| path.starts_with('/'))
            .map(|&(path, value)| (path, ExprRef::new(object.file, value)))
            .collect(),
        _ => vec![],
    }
}

/// Exports made by a package that declares functions: `exports.charge = functions.https.onRequest(..)`.
fn declared(module: Module<'_>) -> Vec<Entry> {
    let package = |name: &str| {
        platforms::DECLARED
            .iter()
            .any(|declared| declared.split_once(':').is_some_and(|(_, own)| name.starts_with(own)))
    };
    if !module.facts.imports.iter().any(|import| package(&import.specifier)) {
        return vec![];
    }
    let mut found = Vec::new();
    for export in &module.facts.exports {
        let Some(expr) = handlers::export(module.program, module.file, export.name) else { continue };
        let value = module.program.value(expr);
        for external in value.externals() {
            if !platforms::DECLARED.contains(&external.package.as_str()) {
                continue;
            }
            let Some((Some(member), Some(site))) = steps(external).last().copied() else { continue };
            let start = platforms::DECLARATIONS.iter().find(|(name, _)| member == *name).map(|(_, start)| *start);
            let name = export.name.as_str();
            let label = match start {
                Some(Start::Http) => Label::new(EntryKind::EdgeFunction, "cloud-functions").at(format!("/{name}")),
                Some(Start::Call) => Label::new(EntryKind::EdgeFunction, "cloud-functions"),
                Some(Start::Schedule) => Label::new(EntryKind::Job, "cloud-functions"),
                Some(Start::Auth) => Label::new(EntryKind::Hook, "cloud-functions"),
                None if member.starts_with("on") => Label::new(EntryKind::Worker, "cloud-functions"),
                None => continue,
            };
            let Some(&last) = arguments(module.program, site).last() else { continue };
            found.extend(module.entries(last, export.span, &label.named(name)));
        }
    }
    found
}

/// A root `api/` folder whose files export a handler each.
fn root_api(module: Module<'_>) -> Vec<Entry> {
    let Some(inner) = module.inner.strip_prefix("api/") else { return vec![] };
    if module.project.uses("next") || inner.split('/').any(|part| part.starts_with('_') || part.contains(".test.")) {
        return vec![];
    }
    let (path, _) = inner.rsplit_once('.').unwrap_or((inner, ""));
    let parts = path.split('/').filter(|part| *part != "index");
    let route = format!("/api{}", paths::folders(parts)).trim_end_matches('/').to_owned();
    let label = Label::new(EntryKind::Route, "api-folder").at(route);
    let mut found = Vec::new();
    for method in METHODS {
        if module.facts.exports.iter().any(|export| export.name == *method) {
            found.extend(module.exported(method, &label.clone().methods(&[method])));
        }
    }
    for name in ["default", "="] {
        let Some((expr, span)) = module.export(name).filter(|_| found.is_empty()) else { continue };
        if takes_request(module, expr) {
            found.extend(module.entries(expr, span, &label));
        }
    }
    found
}

/// A root `functions/` folder of a site's host: `onRequest`, `onRequestPost` and so on, routed by the file's path.
fn pages_functions(module: Module<'_>) -> Vec<Entry> {
    let Some(inner) = module.inner.strip_prefix("functions/") else { return vec![] };
    let (path, _) = inner.rsplit_once('.').unwrap_or((inner, ""));
    if path.rsplit('/').next() == Some("_middleware") {
        return vec![];
    }
    // `[[path]]` takes any rest here.
    let parts: Vec<&str> = path.split('/').filter(|part| *part != "index").collect();
    let route = paths::folders(parts.iter().map(|part| if part.starts_with("[[") { "[...rest]" } else { part }));
    let root = &module.path[..module.path.len() - inner.len()];
    let guarded = module.program.files.iter().any(|file| {
        let middleware = file.path.strip_prefix(root).and_then(|file| file.rsplit_once("_middleware."));
        middleware.is_some_and(|(folder, _)| path.starts_with(folder))
    });
    let mut found = Vec::new();
    for export in &module.facts.exports {
        let Some(verb) = export.name.strip_prefix("onRequest") else { continue };
        let Some(&method) = METHODS.iter().find(|method| verb.eq_ignore_ascii_case(method)) else {
            if verb.is_empty() {
                found.extend(module.exported(&export.name, &Label::new(EntryKind::Route, "api-folder").at(&route)));
            }
            continue;
        };
        let label = Label::new(EntryKind::Route, "api-folder").at(&route).methods(&[method]);
        found.extend(module.exported(&export.name, &label));
    }
    for entry in found.iter_mut().filter(|_| guarded) {
        // What the folder's middleware checks is not followed.
        entry.middleware.push(Gate::Unknown);
    }
    found
}

/// Whether what is exported takes a request: a function of one or two parameters, or `{ fetch }`.
fn takes_request(module: Module<'_>, expr: ExprRef) -> bool {
    let handler = handler(module.program, expr);
    !handler.functions.is_empty()
        && handler.functions.iter().all(|function| {
            let params = &module.program.facts(function.file).function(function.function).params;
            (1..=3).contains(&params.len())
        })
}

/// Handlers of functions that a manifest deploys: `export const handler = async (event) => {}`, `def lambda_handler(event,
/// context)`; and Python's `class handler(BaseHTTPRequestHandler)` in a root `api/` folder.
pub fn lambdas(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if !module.is_script() && module.inner.starts_with("api/") {
        for class in module.facts.classes.iter().filter(|class| class.name.is_some_and(|name| name == "handler")) {
            let (path, _) = module.inner.rsplit_once('.').unwrap_or((module.inner, ""));
            let route = paths::folders(path.split('/').filter(|part| *part != "index"));
            for method in &class.methods {
                let verb = METHODS.iter().find(|verb| method.name.strip_prefix("do_") == Some(**verb));
                let Some(verb) = verb else { continue };
                let label = Label::new(EntryKind::Route, "api-folder").at(&route).methods(&[verb]);
                let function = FunctionRef::new(module.file, method.function);
                found.push(label.entry(function, vec![], module.place(class.span)));
            }
        }
    }
    let manifests =
        ["serverless.yml", "serverless.yaml", "serverless.ts", "template.yaml", "samconfig.toml", "sst.config.ts"];
    let is_lambda = manifests.iter().any(|name| module.project.has(name))
        || module.facts.imports.iter().any(|import| import.specifier == "aws-lambda");
    let name = if module.is_script() { "handler" } else { "lambda_handler" };
    if let Some((expr, span)) = module.export(name).filter(|_| is_lambda || !module.is_script())
        && expr.file == module.file
        && function_of(module.path).is_none()
    {
        let label = Label::new(EntryKind::EdgeFunction, "lambda").named(module.stem().0);
        found.extend(module.entries(expr, span, &label));
    }
    found
}
