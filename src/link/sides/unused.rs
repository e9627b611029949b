//! Python modules that nothing imports: of an app whose routes and jobs are known, what only defines something and is
//! named nowhere else is never loaded.

use rustc_hash::FxHashSet;

use super::names::{self, Use};
use super::roots::acts_when_loaded;
use crate::facts::{Arg, ExprKind, Facts};
use crate::finding::FileId;
use crate::link::projects::{Projects, within};
use crate::program::{Entry, Gate, Program};

/// Modules that frameworks, servers and tools load by their name.
const LOADED_BY_NAME: &[&str] = &[
    "__init__",
    "__main__",
    "admin",
    "app",
    "application",
    "apps",
    "asgi",
    "celery",
    "celeryconfig",
    "conftest",
    "dev",
    "fabfile",
    "forms",
    "gunicorn",
    "handler",
    "index",
    "lambda_function",
    "local",
    "main",
    "manage",
    "middleware",
    "models",
    "production",
    "prod",
    "receivers",
    "routers",
    "routing",
    "run",
    "server",
    "settings",
    "setup",
    "signals",
    "staging",
    "tasks",
    "urls",
    "views",
    "wsgi",
    "worker",
];

/// Folders whose modules something looks up.
const LOOKED_UP: &[&str] = &[
    "alembic",
    "commands",
    "dags",
    "functions",
    "handlers",
    "lambda",
    "lambdas",
    "management",
    "migrations",
    "plugins",
    "scripts",
    "templatetags",
    "versions",
    "extensions",
    "cogs",
];

/// Functions that something outside calls by their name.
const STARTED_BY_NAME: &[&str] = &["handler", "lambda_handler", "main", "run", "upgrade"];

/// Calls that load modules by names that code puts together.
const LOADERS: &[&str] = &["import_module", "__import__", "walk_packages", "iter_modules", "find_modules"];

/// Modules that Django, or what its projects install, looks for in every app by their name.
const LOOKED_FOR: &[&str] = &[
    "actors",
    "backends",
    "checks",
    "choices",
    "cms_apps",
    "cms_plugins",
    "components",
    "consumers",
    "context_processors",
    "cron",
    "dashboard",
    "documents",
    "feeds",
    "jobs",
    "lookups",
    "permissions",
    "resources",
    "rules",
    "schedules",
    "schema",
    "search_indexes",
    "sitemaps",
    "translation",
    "wagtail_hooks",
];

/// The modules that nothing loads, in order.
pub fn find(program: &Program, projects: &Projects, entries_in: &FxHashSet<FileId>) -> Vec<FileId> {
    let mut found = shadowed(program, projects, entries_in);
    found.extend(unnamed(program, projects, entries_in));
    found.sort_unstable();
    found.dedup();
    found
}

/// Scripts of a folder that is served as it is, and that no page, script or module names, where pages load others of
/// the same folder: what is left of an older page. In order.
pub fn unloaded(program: &Program) -> Vec<FileId> {
    let folder = |path: &'static str| path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let served: Vec<(FileId, &str, &str)> = program
        .code()
        .filter(|(_, facts)| facts.language.is_script() && facts.imports.is_empty() && facts.exports.is_empty())
        .map(|(file, _)| (file, program.file(file).path.as_str()))
        .filter(|(_, path)| path.ends_with(".js") && path.split('/').any(|part| part == "static"))
        .map(|(file, path)| (file, folder(path).0, folder(path).1))
        .collect();
    if served.is_empty() {
        return vec![];
    }
    // `filename='js/shop.js'`, `/static/js/shop.js?v=2`
    let mut named: FxHashSet<&str> = FxHashSet::default();
    let mut loaded: FxHashSet<&str> = FxHashSet::default();
    let words = |text: &'static str| text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
    for (_, facts) in program.code() {
        let loads = facts.loads.iter().flat_map(|load| words(load.as_str()));
        loaded.extend(loads);
        named.extend(facts.texts().flat_map(|(_, text)| words(text.as_str())));
        named.extend(facts.imports.iter().flat_map(|import| words(import.specifier.as_str())));
    }
    let is_named = |name: &str| named.contains(name) || loaded.contains(name);
    let pages: FxHashSet<&str> =
        served.iter().filter(|(_, _, name)| loaded.contains(name)).map(|(_, folder, _)| *folder).collect();
    served
        .iter()
        .filter(|(_, folder, name)| pages.contains(folder) && !is_named(name))
        .map(|(file, ..)| *file)
        .collect()
}

/// Modules beside a package of their name, which every import finds first: `settings.py` beside `settings/`.
fn shadowed(program: &Program, projects: &Projects, entries_in: &FxHashSet<FileId>) -> Vec<FileId> {
    let is_shadowed = |&(file, facts): &(FileId, &Facts)| {
        let path = program.file(file).path;
        let package = path.strip_suffix(".py").map(|stem| format!("{stem}/__init__.py"));
        package.is_some_and(|package| program.file_at(&package).is_some())
            && !entries_in.contains(&file)
            && !projects.is_started(path)
            && !acts_when_loaded(facts)
    };
    program.code().filter(|(_, facts)| !facts.language.is_script()).filter(is_shadowed).map(|(file, _)| file).collect()
}

/// Modules that nothing names.
fn unnamed(program: &Program, projects: &Projects, entries_in: &FxHashSet<FileId>) -> Vec<FileId> {
    let python = || program.code().filter(|(_, facts)| !facts.language.is_script());
    let started: FxHashSet<usize> =
        python().filter(|(file, _)| entries_in.contains(file)).map(|(file, _)| projects.index(file)).collect();
    if started.is_empty() {
        return vec![];
    }
    let in_project = |file: FileId| {
        let path = program.file(file).path.as_str();
        let folder = &projects.of(file).folder;
        (folder, within(path, folder).unwrap_or(path))
    };
    let open = |file: FileId, facts: &Facts| {
        let (folder, inner) = in_project(file);
        !entries_in.contains(&file)
            && !projects.is_started(program.file(file).path)
            && started.contains(&projects.index(file))
            && names::in_project(folder, inner) == Use::Plain
            && !is_loaded_by_name(inner)
            && !acts_when_loaded(facts)
            && !facts.functions.iter().any(|f| f.name.is_some_and(|name| STARTED_BY_NAME.contains(&name.as_str())))
    };
    let found: Vec<FileId> = python().filter(|&(file, facts)| open(file, facts)).map(|(file, _)| file).collect();
    // What is run by hand loads what it looks at.
    let by_hand = |file: FileId| {
        let (folder, inner) = in_project(file);
        names::is_look(inner) || matches!(names::in_project(folder, inner), Use::Test | Use::Script)
    };
    if found.is_empty() || python().any(|(file, facts)| !by_hand(file) && loads_by_computed_name(facts)) {
        return vec![];
    }
    let mut named: FxHashSet<&str> = FxHashSet::default();
    let mut own: Vec<(FileId, FxHashSet<&str>)> = Vec::new();
    for (file, facts) in python() {
        let (folder, inner) = in_project(file);
        if names::in_project(folder, inner) == Use::Test {
            continue;
        }
        let words = words_of(facts);
        // What a module says of itself does not load it.
        match found.contains(&file) {
            true => own.push((file, words)),
            false => named.extend(words),
        }
    }
    let mut unused: Vec<FileId> = Vec::new();
    // What only unused modules import is unused as well.
    loop {
        let live = |&(other, ref words): &(FileId, FxHashSet<&str>), file: FileId, stem: &str| {
            other != file && !unused.contains(&other) && words.contains(stem)
        };
        let is_named = |file: FileId| {
            let stem = stem(program.file(file).path.as_str());
            named.contains(stem) || own.iter().any(|module| live(module, file, stem))
        };
        let more: Vec<FileId> =
            found.iter().copied().filter(|&file| !unused.contains(&file) && !is_named(file)).collect();
        if more.is_empty() {
            unused.sort_unstable();
            return unused;
        }
        unused.extend(more);
    }
}

/// Modules of routers that nothing mounts and nothing imports, in order: a line that was to load them was taken out.
pub fn unmounted(program: &Program, projects: &Projects, entries: &[Entry]) -> Vec<FileId> {
    let is_loose = |entry: &Entry| {
        entry.middleware.contains(&Gate::Unknown) && entry.route.is_some_and(|route| route.starts_with("/**"))
    };
    let python = |file: FileId| program.file(file).facts.as_ref().is_some_and(|facts| !facts.language.is_script());
    let (mut loose, mut fast): (FxHashSet<FileId>, FxHashSet<FileId>) = Default::default();
    for entry in entries.iter().filter(|entry| python(entry.place.file)) {
        match is_loose(entry) {
            true => loose.insert(entry.place.file),
            false => fast.insert(entry.place.file),
        };
    }
    let served: FxHashSet<usize> = fast.iter().map(|&file| projects.index(file)).collect();
    let mut found: Vec<FileId> = loose
        .into_iter()
        .filter(|file| {
            let path = program.file(*file).path;
            !fast.contains(file)
                && served.contains(&projects.index(*file))
                && program.modules.importers(*file).is_empty()
                && !projects.is_started(path)
                && !LOADED_BY_NAME.contains(&stem(path.as_str()))
        })
        .collect();
    if found.is_empty() {
        return found;
    }
    let code = || program.code().filter(|(_, facts)| !facts.language.is_script());
    if code().any(|(_, facts)| loads_by_computed_name(facts)) {
        return vec![];
    }
    // `"app.routes.phone:router"`, `__all__ = ["phone"]`
    let mut named: FxHashSet<&str> = FxHashSet::default();
    for (file, facts) in code() {
        let lists = program.file(file).path.ends_with("__init__.py");
        for (_, text) in facts.texts().filter(|(_, text)| text.len() < 100 && !text.contains([' ', '/'])) {
            if lists || text.contains(['.', ':']) {
                named.extend(text.as_str().split(['.', ':']));
            }
        }
    }
    found.retain(|&file| !named.contains(stem(program.file(file).path.as_str())));
    found.sort_unstable();
    found
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".py").unwrap_or(name)
}

fn is_loaded_by_name(inner: &str) -> bool {
    let stem = stem(inner);
    LOADED_BY_NAME.contains(&stem)
        || LOOKED_FOR.contains(&stem)
        || stem.starts_with("test")
        || inner.split('/').any(|folder| LOOKED_UP.contains(&folder))
}

fn loads_by_computed_name(facts: &Facts) -> bool {
    facts.calls.iter().any(|call| {
        let Some(name) = facts.last_name(call.callee) else { return false };
        let told = |arg: &Arg| matches!(facts.expr(arg.value), ExprKind::Text(_));
        // Celery looks for `tasks` in every app, unless it is told another name.
        if name == "autodiscover_tasks" {
            return call.args.iter().any(|arg| arg.name.is_some_and(|name| name == "related_name") && !told(arg));
        }
        LOADERS.contains(&name.as_str()) && !call.args.first().is_some_and(told)
    })
}

/// Every word that may name a module: of imports, and of texts such as `"tasks.mail.send"`.
fn words_of(facts: &Facts) -> FxHashSet<&'static str> {
    let mut words: FxHashSet<&'static str> = FxHashSet::default();
    for import in &facts.imports {
        words.extend(import.specifier.as_str().split('.'));
        words.extend(import.names.iter().map(|name| name.as_str()));
    }
    for (_, text) in facts.texts() {
        if text.len() < 100 && !text.contains(' ') {
            words.extend(text.as_str().split(['.', ':', '/']));
        }
    }
    words
}
