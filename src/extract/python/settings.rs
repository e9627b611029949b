//! Classes whose fields are read from the environment: `class Settings(BaseSettings)`, each field a variable of its
//! name, with what the class gives it as the default.

use super::Visitor;
use crate::facts::{CallId, ClassId, ExprId, ExprKind, Op, Span};
use crate::names::Name;

/// The class that settings extend, as it is named where it is imported.
const BASE: &str = "BaseSettings";

/// What fills a field that is declared by a call.
const FIELD: &str = "Field";

/// Options of a field's call, and of its class, that name the variable.
const ALIASES: &[&str] = &["env", "alias", "validation_alias"];

impl Visitor<'_, '_, '_> {
    /// Gives the fields of a settings class what the environment holds for them.
    pub(super) fn read_settings(&mut self, class: ClassId) {
        if !self.is_settings(class, 4) {
            return;
        }
        let prefix = self.prefix_of(class);
        let fields = self.builder.class_mut(class).fields.clone();
        for (index, field) in fields.iter().enumerate() {
            if !field.is_static || matches!(field.name.as_str(), "model_config" | "Config") {
                continue;
            }
            let span = self.builder.class_mut(class).span;
            if let Some(value) = self.setting(span, field.name, &prefix, field.value) {
                self.builder.class_mut(class).fields[index].value = Some(value);
            }
        }
    }

    /// Whether a class reads the environment, by itself or through one of the same file.
    fn is_settings(&mut self, class: ClassId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let bases = self.builder.class_mut(class).bases.clone();
        bases.iter().any(|&base| {
            let name = match *self.builder.kind(base) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name,
                _ => return false,
            };
            let same = |class: &crate::facts::Class| class.name == Some(name);
            let own = self.builder.facts().classes.iter().position(same);
            name == BASE || own.is_some_and(|own| own != class.index() && self.is_settings(ClassId(own as u32), depth))
        })
    }

    /// `env_prefix` of `model_config = SettingsConfigDict(..)` or of `class Config`.
    fn prefix_of(&mut self, class: ClassId) -> String {
        let span = self.builder.class_mut(class).span;
        let config = self.builder.class_mut(class).fields.iter().find(|field| field.name == "model_config");
        let value = match config.and_then(|config| config.value).map(|value| self.builder.kind(value)) {
            Some(&ExprKind::Call(call)) => self.keyword(call, "env_prefix"),
            Some(ExprKind::Object(entries)) => {
                entries.iter().find(|(key, _)| *key == "env_prefix").map(|&(_, value)| value)
            }
            _ => {
                let within = |inner: &&crate::facts::Class| {
                    inner.name.is_some_and(|name| name == "Config") && span.contains(inner.span)
                };
                let config = self.builder.facts().classes.iter().find(within);
                config.and_then(|config| config.fields.iter().find(|field| field.name == "env_prefix")?.value)
            }
        };
        match value.map(|value| self.builder.kind(value)) {
            Some(ExprKind::Text(prefix)) => prefix.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    /// What a field holds: its variable, or the default. None where the field is made of something else, as settings
    /// within settings are.
    fn setting(&mut self, class: Span, name: Name, prefix: &str, declared: Option<ExprId>) -> Option<ExprId> {
        let at = declared.map_or(class, |declared| self.builder.facts().span(declared));
        let mut names = vec![format!("{prefix}{}", name.to_ascii_uppercase())];
        let mut default = declared;
        if let Some(declared) = declared
            && let ExprKind::Call(call) = *self.builder.kind(declared)
        {
            let shape = self.builder.facts().call(call).clone();
            let callee = match *self.builder.kind(shape.callee) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name,
                _ => return None,
            };
            if callee != FIELD {
                return None;
            }
            if self.keyword(call, "default_factory").is_some() {
                return None;
            }
            let first = shape.args.first().filter(|arg| arg.name.is_none()).map(|arg| arg.value);
            default = self.keyword(call, "default").or(first).filter(|&given| self.is_given(given));
            let given: Vec<ExprId> = ALIASES.iter().filter_map(|option| self.keyword(call, option)).collect();
            let texts = given.into_iter().flat_map(|given| self.texts_of(given, 3));
            let aliases: Vec<String> = texts.map(|alias| alias.to_ascii_uppercase()).collect();
            if !aliases.is_empty() {
                names = aliases;
            }
        }
        let reads: Vec<ExprId> =
            names.iter().map(|name| self.builder.expr(at, ExprKind::Env(Name::new(name)))).collect();
        let parts: Vec<ExprId> = reads.into_iter().chain(default).collect();
        if default.is_none() {
            // It throws by itself where the variable is missing.
            let names = names.iter().map(|name| Name::new(name));
            self.builder.facts().strict_reads.extend(names);
        }
        match parts[..] {
            [only] => Some(only),
            _ => Some(self.builder.expr(at, ExprKind::Op(Op::Or, parts.into()))),
        }
    }

    fn keyword(&mut self, call: CallId, option: &str) -> Option<ExprId> {
        let args = &self.builder.facts().call(call).args;
        args.iter().find(|arg| arg.name.is_some_and(|name| name == option)).map(|arg| arg.value)
    }

    /// Whether something is given as a default: `...` says that there is none.
    fn is_given(&self, given: ExprId) -> bool {
        !matches!(self.builder.kind(given), ExprKind::Unknown)
    }

    /// The texts of `"A"`, `["A", "B"]`, `AliasChoices("A", "B")`.
    fn texts_of(&mut self, given: ExprId, depth: usize) -> Vec<String> {
        let Some(depth) = depth.checked_sub(1) else { return vec![] };
        let parts: Vec<ExprId> = match self.builder.kind(given) {
            ExprKind::Text(text) => return vec![text.to_string()],
            ExprKind::List(items) => items.to_vec(),
            &ExprKind::Call(call) => self.builder.facts().call(call).args.iter().map(|arg| arg.value).collect(),
            _ => return vec![],
        };
        parts.into_iter().flat_map(|part| self.texts_of(part, depth)).collect()
    }
}
