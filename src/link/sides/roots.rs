//! What is loaded first: by a browser, by a server.

use rayon::prelude::*;

use super::imports::{Load, Paths};
use super::names::{self, Use};
use crate::facts::{ExprKind, Facts, Span};
use crate::finding::FileId;
use crate::link::entries::edge::function_of;
use crate::link::projects::{Project, Projects, join, within};
use crate::program::{Entry, EntryKind, File, Program};

/// How a file is loaded by something outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Root {
    /// By a browser.
    pub client: bool,
    /// By a server.
    pub server: bool,
    /// By a server, when no browser loads it: a timer alone starts it.
    pub timer: bool,
    /// By a browser, once something loads it: it says `use client` and is no page.
    pub boundary: bool,
}

/// Frameworks that load files by their place.
const BY_PLACE: &[&str] = &[
    "next-app",
    "next-pages",
    "next",
    "astro",
    "nitro-route",
    "nitro-task",
    "nitro",
    "svelte-kit",
    "svelte",
    "remix",
    "worker",
    "api-folder",
    "cloud-functions",
];

/// How each file is loaded.
pub fn find(program: &Program, projects: &Projects, entries: &[Entry], paths: &Paths<'_>) -> Vec<Root> {
    let of_file = |(at, file): (usize, &File)| {
        let Some(facts) = &file.facts else { return Root::default() };
        let path = file.path.as_str();
        let project = projects.of(FileId(at as u32));
        let inner = within(path, &project.folder).unwrap_or(path);
        if matches!(names::in_project(&project.folder, inner), Use::Test | Use::Old) {
            return Root::default();
        }
        let root = by_place(facts, path, inner, project);
        match facts.directives.iter().any(|directive| *directive == "use client") {
            // A page that says `use client` is drawn on the server too, but what it does it does in the browser.
            true => Root { client: root != Root::default(), boundary: root == Root::default(), ..Root::default() },
            false => root,
        }
    };
    let mut roots: Vec<Root> = program.files.par_iter().enumerate().map(of_file).collect();
    for project in projects.all() {
        from_manifest(project, paths, &mut roots);
    }
    for file in projects.started().filter_map(|path| paths.get(&path)) {
        roots[file.index()].server |= !roots[file.index()].client;
    }
    for entry in entries {
        let path = program.file(entry.place.file).path.as_str();
        let folder = &projects.of(entry.place.file).folder;
        let inner = within(path, folder).unwrap_or(path);
        // A function may be called `backup`; a copy of the whole app stands above the folder of functions.
        let above = function_of(path)
            .map_or(folder.as_str(), |deployed| &deployed.unit[..deployed.unit.len() - deployed.name.len()]);
        if names::is_copy(above) {
            continue;
        }
        let by_place = BY_PLACE.contains(&entry.framework) || entry.kind == EntryKind::EdgeFunction;
        if by_place || names::in_project(folder, inner) == Use::Plain && starts_itself(program, entry) {
            let root = &mut roots[entry.place.file.index()];
            match entry.framework {
                "timer" => root.timer = true,
                _ => root.server = true,
            }
        }
    }
    roots
}

/// Takes for loaded by a browser what says `use client` and is led to by what is loaded first: a component that no page
/// draws is not. All of them in a project whose pages are not known.
pub fn cross_boundaries(program: &Program, projects: &Projects, loads: &[Vec<Load>], roots: &mut [Root]) {
    let mut drawn = vec![false; projects.all().len()];
    let mut reached: Vec<bool> = roots.iter().map(|root| root.client || root.server || root.timer).collect();
    let mut queue: Vec<FileId> = (0..).map(FileId).zip(&reached).filter(|(_, first)| **first).map(|(f, _)| f).collect();
    for &file in &queue {
        let facts = program.file(file).facts.as_ref();
        drawn[projects.index(file)] |= facts.is_some_and(|facts| facts.elements().next().is_some());
    }
    while let Some(file) = queue.pop() {
        for load in &loads[file.index()] {
            if !std::mem::replace(&mut reached[load.to.index()], true) {
                queue.push(load.to);
            }
        }
    }
    for (at, root) in roots.iter_mut().enumerate().filter(|(_, root)| root.boundary) {
        root.client = reached[at] || !drawn[projects.index(FileId(at as u32))];
    }
}

/// Whether an entry makes its file run though nothing imports it.
fn starts_itself(program: &Program, entry: &Entry) -> bool {
    let facts = program.facts(entry.place.file);
    // What is registered in a function waits for its caller.
    let at_top = !facts.functions.iter().skip(1).any(|function| {
        function.span.contains(entry.place.span) && function.span != entry.place.span && function.decorators.is_empty()
    });
    match entry.kind {
        EntryKind::Event | EntryKind::Effect | EntryKind::Hook | EntryKind::Procedure | EntryKind::ServerAction => {
            false
        }
        // A route that nothing known mounts does not make its file run.
        EntryKind::Route => !entry.route.is_some_and(|route| route.starts_with("/**")) && (at_top || mounts(entry)),
        _ => at_top,
    }
}

/// Whether a route's router was followed from the app that serves it.
fn mounts(entry: &Entry) -> bool {
    entry.route.is_some() && entry.framework != "router"
}

/// An Astro page: its head runs on the server, the scripts after it in browsers.
fn page_with_head(facts: &Facts) -> Root {
    let calls = facts.calls.iter().map(|call| facts.span(call.expr));
    let after = |span: Span| !facts.head.is_some_and(|head| head.contains(span));
    let client = calls.chain(facts.imports.iter().map(|import| import.span)).any(after)
        || facts.loads.iter().any(|load| load.contains('.'));
    Root { client, server: facts.head.is_some() || !client, ..Root::default() }
}

fn by_place(facts: &Facts, path: &str, inner: &str, project: &Project) -> Root {
    let client = Root { client: true, ..Root::default() };
    let server = Root { server: true, ..Root::default() };
    let both = Root { client: true, server: true, ..Root::default() };
    let (_, name) = inner.rsplit_once('/').unwrap_or(("", inner));
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let below = inner.strip_prefix("src/").unwrap_or(inner);
    if matches!(ending, "html" | "htm") {
        return client;
    }
    if !facts.language.is_script() {
        return Root::default();
    }
    if path.split('/').any(|part| matches!(part, "public" | "static")) && matches!(ending, "js" | "mjs") {
        return client;
    }
    match ending {
        "svelte" => return both,
        "astro" => return page_with_head(facts),
        "vue" if project.uses("nuxt") => return both,
        _ => {}
    }
    if stem.starts_with('+') && project.uses("@sveltejs/kit") {
        return if stem.contains("server") { server } else { both };
    }
    if matches!(stem, "hooks.server" | "hooks.client" | "hooks") && project.uses("@sveltejs/kit") {
        return if stem == "hooks.client" { client } else { server };
    }
    if project.uses("nuxt") {
        let loaded =
            ["pages/", "layouts/", "components/", "plugins/", "composables/", "middleware/", "stores/", "utils/"];
        if below.starts_with("server/") {
            return server;
        }
        if loaded.iter().any(|folder| below.strip_prefix("app/").unwrap_or(below).starts_with(folder)) {
            return both;
        }
    }
    if project.is_next() {
        if below.starts_with("pages/api/") {
            return server;
        }
        if below.starts_with("pages/") {
            return both;
        }
        if stem == "instrumentation-client" {
            return client;
        }
        let rendered =
            ["page", "layout", "template", "default", "loading", "not-found", "error", "global-error", "route"];
        let special = ["sitemap", "robots", "manifest", "opengraph-image", "icon", "apple-icon", "twitter-image"];
        if below.starts_with("app/") && (rendered.contains(&stem) || special.contains(&stem)) {
            return server;
        }
        if !below.contains('/') && matches!(stem, "middleware" | "proxy" | "instrumentation") {
            return server;
        }
    }
    let is_remix = ["@remix-run/react", "@react-router/dev", "@remix-run/dev"].iter().any(|name| project.uses(name));
    if is_remix && below.starts_with("app/") {
        match stem {
            "entry.client" => return client,
            "entry.server" => return server,
            "root" | "routes" => return both,
            _ if below.starts_with("app/routes/") => return both,
            _ => {}
        }
    }
    if project.uses("gatsby") && (below.starts_with("pages/") || below.starts_with("templates/")) {
        return both;
    }
    if project.uses("expo") || project.uses("react-native") {
        if stem.ends_with("+api") {
            return server;
        }
        if below.starts_with("app/") || (!inner.contains('/') && matches!(stem, "App" | "index")) {
            return client;
        }
    }
    let bundled = ["react-scripts", "@vue/cli-service", "@angular/core", "parcel", "@craco/craco"];
    if bundled.iter().any(|name| project.uses(name))
        && matches!(below, "index.js" | "index.jsx" | "index.ts" | "index.tsx" | "main.js" | "main.ts")
    {
        return client;
    }
    Root::default()
}

/// What `package.json` runs as a server: `main`, and what `start`, `dev` and their like name.
fn from_manifest(project: &Project, paths: &Paths<'_>, roots: &mut [Root]) {
    let mut named: Vec<&str> = Vec::new();
    for (name, text) in &project.scripts {
        let head = name.split([':', '-']).next().unwrap_or(name);
        if matches!(head, "start" | "dev" | "serve" | "server" | "build" | "worker" | "prod" | "production") {
            let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ';' | '&'));
            named.extend(words.filter(|word| {
                [".js", ".ts", ".mjs", ".cjs", ".tsx", ".mts"].iter().any(|end| word.ends_with(end))
                    && !word.contains(".config.")
                    && !word.contains('*')
            }));
        }
    }
    named.extend(project.main.as_deref());
    for word in named {
        let word = word.trim_start_matches("./");
        // What is built lies elsewhere: `dist/index.js` is made of `server/index.ts` or `src/index.ts`.
        let built = word.split_once('/').filter(|(folder, _)| matches!(*folder, "dist" | "build" | "out" | "lib"));
        let candidates: Vec<String> = match built {
            Some((_, rest)) => vec![format!("src/{rest}"), format!("server/{rest}"), rest.to_owned()],
            None => vec![word.to_owned()],
        };
        if let Some(file) = candidates.iter().find_map(|path| paths.code(&join(&project.folder, path))) {
            roots[file.index()].server = true;
        }
    }
}

/// Whether a module does something by itself when it is loaded: calls whose result is dropped, at its top level.
pub fn acts_when_loaded(facts: &Facts) -> bool {
    let body = crate::facts::FunctionId::MODULE;
    facts.calls.iter().any(|call| {
        facts.function_of(call.block) == body
            && (call.dropped || call.awaited)
            && !matches!(facts.expr(call.callee), ExprKind::Member(_, name) if matches!(name.as_str(), "use" | "config"))
    })
}

/// Whether a module starts a server when it is loaded: `serve(..)`, `Deno.serve(..)`, `app.listen(..)`.
pub fn serves(facts: &Facts) -> bool {
    facts.calls.iter().any(|call| match facts.expr(call.callee) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "serve" || name == "listen",
        _ => false,
    })
}

/// The files of a project that anything loads first.
pub fn of_projects(projects: &Projects, roots: &[Root]) -> Vec<Root> {
    let mut all = vec![Root::default(); projects.all().len()];
    for (at, root) in roots.iter().enumerate() {
        let project = &mut all[projects.index(FileId(at as u32))];
        project.client |= root.client;
        project.server |= root.server;
    }
    all
}
