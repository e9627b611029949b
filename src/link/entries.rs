//! What something outside starts: routes, actions, procedures, jobs, hooks, pages, browser events.
//!
//! One small file a framework. Those that decide by a file's place and exports look at one file at a time; those
//! whose routes hang together through several files (routers and their mounts, nested procedures, Django's
//! `include`) look at the program. Nothing is guessed: middleware that cannot be followed is [`Gate::Unknown`].

use crate::facts::{ExprId, Facts, FunctionId, Span};
use crate::finding::{FileId, Place};
use crate::link::calls::per_file;
use crate::link::projects::{Project, Projects};
use crate::names::Name;
use crate::program::{Entry, EntryKind, ExprRef, FunctionRef, Gate, Program};

pub use graphs::KnownRoute;

pub mod browser;
pub mod django;
pub mod django_views;
pub mod edge;
pub mod express;
pub mod forwards;
pub mod graphs;
pub mod handlers;
pub mod hooks;
pub mod jobs;
pub mod matchers;
pub mod nest;
pub mod next;
pub mod nitro;
pub mod paths;
pub mod platforms;
pub mod python_web;
pub mod remix;
pub mod routers;
pub mod rpc;
pub mod svelte;

/// The methods that route modules export.
pub const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Where entries are looked for.
#[derive(Clone, Copy)]
pub struct Seeker<'p> {
    /// The program so far: values, graph and requests are known, sides are not.
    pub program: &'p Program,
    /// Its projects.
    pub projects: &'p Projects,
}

/// A file being looked at.
#[derive(Clone, Copy)]
pub struct Module<'p> {
    /// The program so far.
    pub program: &'p Program,
    /// The file.
    pub file: FileId,
    /// What it says.
    pub facts: &'p Facts,
    /// Its path.
    pub path: &'static str,
    /// Its path within its project.
    pub inner: &'p str,
    /// Its project.
    pub project: &'p Project,
}

/// What a new entry is, besides its function and gates.
#[derive(Clone)]
pub struct Label {
    /// What starts it.
    pub kind: EntryKind,
    /// Methods; empty for any.
    pub methods: Vec<&'static str>,
    /// Its route.
    pub route: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The framework.
    pub framework: &'static str,
}

impl Label {
    /// A label without methods, route and name.
    pub fn new(kind: EntryKind, framework: &'static str) -> Self {
        Self { kind, methods: vec![], route: None, name: None, framework }
    }

    /// With a route.
    pub fn at(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// With a name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With methods.
    pub fn methods(mut self, methods: &[&'static str]) -> Self {
        self.methods = methods.to_vec();
        self
    }

    /// The entry of a function.
    pub fn entry(&self, function: FunctionRef, middleware: Vec<Gate>, place: Place) -> Entry {
        Entry {
            kind: self.kind,
            function,
            methods: self.methods.iter().map(|method| Name::new(method)).collect(),
            route: self.route.as_deref().map(Name::new),
            name: self.name.as_deref().map(Name::new),
            middleware,
            place,
            framework: self.framework,
        }
    }
}

impl<'p> Module<'p> {
    /// An expression of the file.
    pub fn at(&self, expr: ExprId) -> ExprRef {
        ExprRef::new(self.file, expr)
    }

    /// The place of a span of the file.
    pub fn place(&self, span: Span) -> Place {
        Place { file: self.file, span }
    }

    /// What the file exports under a name, and where.
    pub fn export(&self, name: &str) -> Option<(ExprRef, Span)> {
        let found = handlers::export(self.program, self.file, Name::new(name))?;
        let span = handlers::export_span(self.program, self.file, name);
        let span = span.or_else(|| (found.file == self.file).then(|| self.facts.span(found.expr)));
        Some((found, span.unwrap_or_default()))
    }

    /// Whether the file exports a name, even when what it is cannot be told.
    pub fn exports(&self, name: &str) -> bool {
        self.facts.exports.iter().any(|export| export.name == name) || self.export(name).is_some()
    }

    /// Whether the module has a directive at its head.
    pub fn directive(&self, text: &str) -> bool {
        self.facts.directives.iter().any(|directive| *directive == text)
    }

    /// The entries of a handler expression; none when it runs no function of the program.
    pub fn entries(&self, handler: ExprRef, span: Span, label: &Label) -> Vec<Entry> {
        entries_of(self.program, handler, vec![], self.place(span), label)
    }

    /// The entries of an exported handler. When a library makes it (`export const { GET } = handlers`), the module
    /// body stands for it, so that the route is known to exist.
    pub fn exported(&self, name: &str, label: &Label) -> Vec<Entry> {
        let Some((handler, span)) = self.export(name) else {
            return match handlers::export_span(self.program, self.file, name) {
                Some(span) => vec![self.body(span, label)],
                None => vec![],
            };
        };
        let entries = self.entries(handler, span, label);
        if entries.is_empty() { vec![self.body(span, label)] } else { entries }
    }

    /// The entry of the module body.
    pub fn body(&self, span: Span, label: &Label) -> Entry {
        label.entry(FunctionRef::new(self.file, FunctionId::MODULE), vec![], self.place(span))
    }

    /// The stem of the file's name and its ending: `route`, `ts`.
    pub fn stem(&self) -> (&'static str, &'static str) {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').unwrap_or((name, ""))
    }

    /// Whether its language is JavaScript or TypeScript.
    pub fn is_script(&self) -> bool {
        self.facts.language.is_script()
    }
}

/// The entries of a handler expression behind some gates.
pub fn entries_of(program: &Program, handler: ExprRef, before: Vec<Gate>, place: Place, label: &Label) -> Vec<Entry> {
    let handler = handlers::handler(program, handler);
    let mut gates = before;
    gates.extend(handler.gates);
    handler.functions.into_iter().map(|function| label.entry(function, gates.clone(), place)).collect()
}

/// Finds every entry point, sorted by place, and the routes that exist though no function of the program serves them.
pub fn find(seeker: Seeker<'_>) -> (Vec<Entry>, Vec<KnownRoute>) {
    let program = seeker.program;
    let of_files = || -> Vec<Vec<Entry>> {
        per_file(program, |program, file, facts| {
            let project = seeker.projects.of(file);
            let path = program.file(file).path.as_str();
            let inner = super::projects::within(path, &project.folder).unwrap_or(path);
            in_module(Module { program, file, facts, path, inner, project })
        })
    };
    let ((found, routers), (procedures, (views, others))) = rayon::join(
        || rayon::join(of_files, || graphs::find(seeker)),
        || rayon::join(|| rpc::find(seeker), || django::find(seeker)),
    );
    let (routes, mut known) = routers;
    let mut entries: Vec<Entry> = found.into_iter().flatten().chain(routes).chain(procedures).chain(views).collect();
    known.extend(others);
    let key = |entry: &Entry| (entry.place, entry.kind, entry.route, entry.methods.clone(), entry.name, entry.function);
    entries.sort_by_key(key);
    entries.dedup_by_key(|entry| key(entry));
    forwards::lead_on(program, &mut entries);
    matchers::cover(seeker, &mut entries);
    (entries, known)
}

/// The entries that one file shows by itself.
fn in_module(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    if module.is_script() {
        found.extend(next::in_module(module));
        found.extend(edge::in_module(module));
        found.extend(nitro::in_module(module));
        found.extend(svelte::in_module(module));
        found.extend(remix::in_module(module));
        found.extend(nest::in_module(module));
        found.extend(browser::in_module(module));
    }
    found.extend(edge::lambdas(module));
    found.extend(jobs::in_module(module));
    found.extend(hooks::in_module(module));
    found
}
