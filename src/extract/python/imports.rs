//! Imports of every form, and the few names whose meaning the extractor itself needs: those that read the
//! environment or import at run time.
//!
//! `import a.b.c` loads `a.b.c` and binds `a`: two imports, the first for its effect (no names), the second of
//! `a` as a module. So `a.b.c.f` is a member path on module `a`, whatever was loaded beside it.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{
    DefId, DefKind, Export, ExportValue, ExprId, ExprKind, Import, ImportId, ImportKind, Imported, Op, Span,
};
use crate::lang::{Role, Shape};
use crate::names::Name;

/// What a name is known to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known {
    /// The module `os`.
    Os,
    /// `os.environ`.
    Environ,
    /// A function whose first argument names a variable: `os.getenv`, `os.environ.get`.
    Read,
    /// Settings readers of libraries: callable, or with a method for each type: `config("X")`, `env.bool("X")`.
    Settings,
    /// What makes one: `environ.Env`.
    SettingsMaker,
    /// The module that has the maker.
    SettingsModule,
    /// The module `importlib`.
    Importlib,
    /// `importlib.import_module`.
    ImportModule,
    /// The modules that run functions on threads.
    Threads,
    /// A function that runs the one it is handed, with what follows: `asyncio.to_thread`.
    ToThread,
    /// A function that gives one that does: `sync_to_async`.
    OnThread,
    /// The module `functools`.
    Functools,
    /// `functools.partial`.
    Partial,
}

impl Known {
    fn of_module(path: &str) -> Option<Self> {
        Some(match path {
            "os" => Self::Os,
            "importlib" => Self::Importlib,
            "environ" | "decouple" | "starlette.config" => Self::SettingsModule,
            "asyncio"
            | "anyio"
            | "anyio.to_thread"
            | "starlette.concurrency"
            | "fastapi.concurrency"
            | "asgiref.sync"
            | "channels.db" => Self::Threads,
            "functools" => Self::Functools,
            _ => return None,
        })
    }

    fn member(self, name: &str) -> Option<Self> {
        Some(match (self, name) {
            (Self::Os, "environ") => Self::Environ,
            (Self::Os, "getenv") | (Self::Environ, "get" | "pop" | "setdefault") => Self::Read,
            (Self::SettingsModule, "config") => Self::Settings,
            (Self::SettingsModule, "Env" | "Config" | "AutoConfig") => Self::SettingsMaker,
            (
                Self::Settings,
                "str" | "bool" | "int" | "float" | "json" | "list" | "url" | "get_value" | "db" | "db_url" | "cache",
            ) => Self::Settings,
            (Self::Importlib, "import_module") => Self::ImportModule,
            (Self::Threads, "to_thread" | "run_in_threadpool") => Self::ToThread,
            // `anyio.to_thread.run_sync`
            (Self::Threads | Self::ToThread, "run_sync") => Self::ToThread,
            (Self::Threads, "sync_to_async" | "database_sync_to_async") => Self::OnThread,
            (Self::Functools, "partial") => Self::Partial,
            _ => return None,
        })
    }
}

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn import(&mut self, node: Node<'t>) {
        match self.syntax.child(node, Role::Source) {
            Some(module) => self.import_from(node, module),
            None => self.children(node, |v, child| v.import_module(node, child)),
        }
    }

    /// One `a.b.c` or `a.b as c` of an `import`.
    fn import_module(&mut self, node: Node<'t>, child: Node<'t>) {
        if child.is_error() {
            return self.statement(child);
        }
        let (path, alias) = self.aliased(child);
        let path = compact(self.source(path));
        let all = vec![Name::new("*")];
        if let Some(alias) = alias {
            let import = self.add_import(node, &path, all);
            self.bind_import(alias, self.source(alias), import, Imported::Module, Known::of_module(&path));
            return;
        }
        let first = path.split('.').next().unwrap_or(&path);
        if first.len() < path.len() {
            self.add_import(node, &path, vec![]);
        }
        let import = self.add_import(node, first, all);
        self.bind_import(child, first, import, Imported::Module, Known::of_module(first));
    }

    fn import_from(&mut self, node: Node<'t>, module: Node<'t>) {
        let path = compact(self.source(module));
        let import = self.add_import(node, &path, vec![]);
        let mut names = Vec::new();
        let known = Known::of_module(&path);
        self.children(node, |v, child| {
            if child == module {
                return;
            }
            match child.kind() {
                "dotted_name" | "aliased_import" => {
                    let (name, alias) = v.aliased(child);
                    let imported = v.source(name);
                    let at = alias.unwrap_or(name);
                    names.push(Name::new(imported));
                    let known = known.and_then(|known| known.member(imported));
                    v.bind_import(at, v.source(at), import, Imported::Name(Name::new(imported)), known);
                }
                "wildcard_import" => {
                    names.push(Name::new("*"));
                    let value = ExportValue::From(import, Imported::Module);
                    v.builder.facts().exports.push(Export { name: Name::new("*"), value, span: span(node) });
                }
                _ => v.statement(child),
            }
        });
        self.builder.facts().imports[import.index()].names = names;
    }

    /// The path and the alias of an import's part.
    fn aliased(&self, node: Node<'t>) -> (Node<'t>, Option<Node<'t>>) {
        match self.syntax.child(node, Role::Source) {
            Some(path) => (path, self.syntax.child(node, Role::Name)),
            None => (node, None),
        }
    }

    fn add_import(&mut self, node: Node<'t>, path: &str, names: Vec<Name>) -> ImportId {
        let kind = if self.types_only { ImportKind::Type } else { ImportKind::Static };
        let block = self.builder.block();
        self.builder.import(Import { specifier: Name::new(path), kind, span: span(node), block, names })
    }

    fn bind_import(&mut self, at: Node<'t>, name: &str, import: ImportId, part: Imported, known: Option<Known>) {
        let value = self.builder.expr(span(at), ExprKind::Imported(import, part));
        let def = self.define(name, DefKind::Import, span(at));
        self.builder.give(def, value);
        if let Some(known) = known {
            self.remember(def, Name::new(name), known);
        }
    }

    // ---- what names are known to be -----------------------------------------------------------------------

    pub(super) fn remember(&mut self, def: DefId, name: Name, known: Known) {
        self.known.insert(def, known);
        if !self.known_names.contains(&name) {
            self.known_names.push(name);
        }
    }

    /// What an expression is known to be.
    pub(super) fn known_value(&self, id: ExprId) -> Option<Known> {
        match *self.builder.kind(id) {
            ExprKind::Ref(name, _) if self.known_names.contains(&name) => self.known.get(&self.find(name)?).copied(),
            // A part of a file, or an import the grammar lost.
            ExprKind::Ref(name, _) if name == "os" && self.find(name).is_none() => Some(Known::Os),
            ExprKind::Ref(name, _) if name == "__import__" => Some(Known::ImportModule),
            // Three members are the longest path; deeper ones are not worth following.
            ExprKind::Member(base, name) => match *self.builder.kind(base) {
                ExprKind::Member(root, inner) if matches!(self.builder.kind(root), ExprKind::Ref(..)) => {
                    self.known_value(root)?.member(&inner)?.member(&name)
                }
                ExprKind::Ref(..) => self.known_value(base)?.member(&name),
                _ => None,
            },
            ExprKind::Call(_) => self.made_settings(id),
            _ => None,
        }
    }

    fn made_settings(&self, id: ExprId) -> Option<Known> {
        let ExprKind::Call(call) = *self.builder.kind(id) else { return None };
        let callee = self.builder.made(call).callee;
        match self.builder.kind(callee) {
            ExprKind::Ref(..) | ExprKind::Member(..) => {
                (self.known_value(callee)? == Known::SettingsMaker).then_some(Known::Settings)
            }
            _ => None,
        }
    }

    /// An environment read with its fallback.
    pub(super) fn env_read(&mut self, at: Span, name: Name, fallback: Option<ExprId>) -> ExprId {
        let read = self.builder.expr(at, ExprKind::Env(name));
        match fallback {
            Some(fallback) => self.builder.expr(at, ExprKind::Op(Op::Or, Box::new([read, fallback]))),
            None => read,
        }
    }

    /// `importlib.import_module("a.b")`.
    pub(super) fn dynamic_import(&mut self, node: Node<'t>, path: Name) -> ExprId {
        let import = self.add_import(node, &path, vec![Name::new("*")]);
        self.builder.facts().imports[import.index()].kind = ImportKind::Dynamic;
        self.builder.expr(span(node), ExprKind::Imported(import, Imported::Module))
    }

    /// Whether a node is a plain name.
    pub(super) fn is_name(&self, node: Node<'t>) -> bool {
        self.shape(node) == Shape::Identifier
    }
}

/// A dotted path without the blanks that Python allows in it.
fn compact(path: &str) -> String {
    path.chars().filter(|c| !c.is_whitespace() && *c != '\\').collect()
}
