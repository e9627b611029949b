//! Imports and exports: ES modules, CommonJS, `import()`.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{
    DefKind, Export, ExportValue, ExprId, ExprKind, FunctionId, Import, ImportId, ImportKind, Imported, Span,
};
use crate::lang::{Role, Shape};
use crate::names::Name;

/// SvelteKit's, Astro's and React Native's modules that give variables of the environment by name.
const ENV_MODULES: &[&str] =
    &["$env/static/public", "$env/static/private", "astro:env/client", "astro:env/server", "@env"];

impl<'s, 't> Visitor<'_, 's, 't> {
    fn new_import(&mut self, source: &str, kind: ImportKind, whole: Span, names: Vec<Name>) -> ImportId {
        let block = self.builder.block();
        self.builder.import(Import { specifier: Name::new(source), kind, span: whole, block, names })
    }

    fn import_def(&mut self, name: Node<'t>, import: ImportId, imported: Imported) {
        let from = self.builder.specifier(import);
        let kind = match imported {
            // Modules whose exports are variables of the environment.
            // The build ends when one of these is unset.
            Imported::Name(variable) if ENV_MODULES.contains(&from.as_str()) => {
                self.builder.facts().strict_reads.push(variable);
                ExprKind::Env(variable)
            }
            _ => ExprKind::Imported(import, imported),
        };
        let value = self.builder.expr(span(name), kind);
        let text = self.text(name);
        let def = self.builder.define(text, DefKind::Import, span(name));
        self.builder.give(def, value);
        if from.starts_with("$env/dynamic/") && imported == Imported::Name(Name::new("env")) {
            self.builder.holds_environment(def);
        }
    }

    /// A name in an import or export list, quoted or not.
    fn listed(&self, node: Node<'t>) -> Name {
        match self.shape(node) {
            Shape::Text => Name::new(&self.string_text(node)),
            _ => Name::new(self.text(node)),
        }
    }

    // ---- imports ----------------------------------------------------------------------------------------

    pub(super) fn import_statement(&mut self, node: Node<'t>) {
        let all_types = self.has_token(node, "type") || self.has_token(node, "typeof");
        // (where it is written, what of the module, whether only a type)
        let mut taken: Vec<(Node<'t>, Imported, bool)> = Vec::new();
        let mut source = self.child(node, Role::Source);
        let mut kind = ImportKind::Static;
        self.each(node, |this, part| match part.kind() {
            "import_clause" => this.each(part, |this, part| this.import_clause(part, &mut taken)),
            "import_require_clause" => {
                kind = ImportKind::Require;
                source = part.child_by_field_name("source");
                taken.extend(this.first(part).map(|name| (name, Imported::Module, false)));
            }
            _ => {}
        });
        let Some(source) = source else { return };
        if all_types || (!taken.is_empty() && taken.iter().all(|&(.., is_type)| is_type)) {
            kind = ImportKind::Type;
        }
        let names = taken.iter().filter(|&&(.., is_type)| !is_type || kind == ImportKind::Type);
        let names = names.map(|&(_, imported, _)| match imported {
            Imported::Module => Name::new("*"),
            Imported::Name(name) => name,
        });
        let names = names.collect();
        let specifier = self.string_text(source);
        let import = self.new_import(&specifier, kind, span(node), names);
        for (name, imported, _) in taken {
            self.import_def(name, import, imported);
        }
    }

    fn import_clause(&mut self, part: Node<'t>, taken: &mut Vec<(Node<'t>, Imported, bool)>) {
        match part.kind() {
            "identifier" => taken.push((part, Imported::Name(Name::new("default")), false)),
            "namespace_import" => taken.extend(self.first(part).map(|name| (name, Imported::Module, false))),
            "named_imports" => self.each(part, |this, specifier| {
                let Some(name) = specifier.child_by_field_name("name") else { return };
                let local = specifier.child_by_field_name("alias").unwrap_or(name);
                let is_type = specifier.child_count() > 1 && this.has_token(specifier, "type");
                taken.push((local, Imported::Name(this.listed(name)), is_type));
            }),
            _ => {}
        }
    }

    /// `import("x")`: a module. What is taken of it shows in its use.
    pub(super) fn dynamic_import(&mut self, call: Node<'t>, arguments: Option<Node<'t>>) -> ExprId {
        match arguments.and_then(|arguments| self.constant(arguments)) {
            Some(specifier) => {
                let import = self.new_import(&specifier, ImportKind::Dynamic, span(call), vec![]);
                self.builder.expr(span(call), ExprKind::Imported(import, Imported::Module))
            }
            None => {
                if let Some(arguments) = arguments {
                    self.fragments(arguments);
                }
                self.unknown(call)
            }
        }
    }

    /// `require("x")`; none when it is not a constant that is required.
    pub(super) fn require(&mut self, call: Node<'t>, arguments: Node<'t>) -> Option<ExprId> {
        let specifier = self.constant(arguments)?;
        let import = self.new_import(&specifier, ImportKind::Require, span(call), vec![]);
        Some(self.builder.expr(span(call), ExprKind::Imported(import, Imported::Module)))
    }

    /// The first argument when it is a constant string.
    fn constant(&mut self, arguments: Node<'t>) -> Option<std::borrow::Cow<'s, str>> {
        let first = self.first_argument(arguments)?;
        match self.shape(first) {
            Shape::Text => Some(self.string_text(first)),
            Shape::Template if !self.text(first).contains(['$', '\\']) => {
                Some(self.text(first).trim_matches('`').into())
            }
            _ => None,
        }
    }

    fn first_argument(&mut self, arguments: Node<'t>) -> Option<Node<'t>> {
        let mut first = None;
        self.each(arguments, |_, child| {
            first.get_or_insert(child);
        });
        first
    }

    // ---- exports ----------------------------------------------------------------------------------------

    fn export(&mut self, name: Name, value: ExportValue, whole: Span) {
        if self.namespaces == 0 && self.builder.function() == FunctionId::MODULE {
            self.builder.facts().exports.push(Export { name, value, span: whole });
        }
    }

    /// Exports a name of this module.
    fn export_name(&mut self, outside: Name, local: &str, whole: Span) {
        let value = self.builder.reference(whole, local);
        self.export(outside, ExportValue::Local(value), whole);
    }

    pub(super) fn export_statement(&mut self, node: Node<'t>) {
        let source = self.child(node, Role::Source).map(|source| self.string_text(source));
        let is_default = self.has_token(node, "default");
        let is_type = self.has_token(node, "type");
        let is_equals = self.has_token(node, "=");
        let mut decorators = Vec::new();
        let mut import = None;
        if let Some(source) = source {
            let kind = if is_type { ImportKind::Type } else { ImportKind::ReExport };
            import = Some(self.new_import(&source, kind, span(node), vec![]));
            if self.has_token(node, "*") {
                self.re_export(import, Name::new("*"), Imported::Module, span(node));
            }
        }
        let default = if is_equals { Name::new("=") } else { Name::new("default") };
        self.each(node, |this, part| match this.shape(part) {
            Shape::Decorator => decorators.extend(this.decorator(part)),
            // The source, already read, or a default that is a text.
            Shape::Text if import.is_some() => {}
            Shape::FunctionDeclaration => {
                let value = this.function_declaration(part);
                this.export_declared(part, value, is_default);
            }
            Shape::ClassDeclaration => {
                let value = this.class_declaration(part, std::mem::take(&mut decorators));
                this.export_declared(part, value, is_default);
            }
            Shape::Declaration => {
                this.statement(part);
                let mut names = Vec::new();
                this.each(part, |this, declarator| {
                    if let Some(name) = this.child(declarator, Role::Name) {
                        this.pattern_names(name, &mut names);
                    }
                });
                for name in names {
                    this.export_name(name, &name, span(part));
                }
            }
            Shape::Enum => {
                this.statement(part);
                if let Some(name) = this.child(part, Role::Name) {
                    let text = this.text(name);
                    this.export_name(Name::new(text), text, span(name));
                }
            }
            Shape::Namespace => this.statement(part),
            Shape::Other => match part.kind() {
                "export_clause" => this.each(part, |this, specifier| this.export_specifier(specifier, import)),
                "namespace_export" => {
                    if let Some(name) = this.first(part) {
                        let name = this.listed(name);
                        this.re_export(import, name, Imported::Module, span(part));
                    }
                }
                _ => this.fragments(part),
            },
            _ if is_default || is_equals => {
                let value = this.expression_as(part, is_default.then_some("default"));
                this.export(default, ExportValue::Local(value), span(part));
            }
            _ => {}
        });
    }

    fn re_export(&mut self, import: Option<ImportId>, name: Name, imported: Imported, whole: Span) {
        let Some(import) = import else { return };
        let taken = match imported {
            Imported::Module => Name::new("*"),
            Imported::Name(name) => name,
        };
        self.builder.facts().imports[import.index()].names.push(taken);
        self.export(name, ExportValue::From(import, imported), whole);
    }

    fn export_specifier(&mut self, specifier: Node<'t>, import: Option<ImportId>) {
        let Some(name) = specifier.child_by_field_name("name") else { return };
        let inside = self.listed(name);
        let outside = match specifier.child_by_field_name("alias") {
            Some(alias) => self.listed(alias),
            None => inside,
        };
        match import {
            Some(_) => self.re_export(import, outside, Imported::Name(inside), span(specifier)),
            None => self.export_name(outside, &inside, span(specifier)),
        }
    }

    fn export_declared(&mut self, node: Node<'t>, value: ExprId, is_default: bool) {
        if is_default {
            self.export(Name::new("default"), ExportValue::Local(value), span(node));
        } else if let Some(name) = self.child(node, Role::Name) {
            let text = self.text(name);
            self.export_name(Name::new(text), text, span(name));
        }
    }

    /// `module.exports = ..`, `module.exports.x = ..`, `exports.x = ..`.
    pub(super) fn export_assignment(&mut self, target: Node<'t>, value: ExprId) {
        if self.shape(target) != Shape::Member {
            return;
        }
        let path = self.text(target);
        let name = if path == "module.exports" {
            "="
        } else if let Some(name) = path.strip_prefix("module.exports.").or_else(|| path.strip_prefix("exports.")) {
            name
        } else {
            return;
        };
        let mut value = value;
        // `module.exports = exports = x`
        while let ExprKind::Op(crate::facts::Op::Assign, ref operands) = *self.builder.kind(value) {
            value = operands[1];
        }
        if !name.contains('.') {
            self.export(Name::new(name), ExportValue::Local(value), span(target));
        }
    }
}
