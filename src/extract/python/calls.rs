//! Calls and their arguments; those that are something else in disguise (`super()`, `"..".format()`,
//! environment reads, run-time imports).

use tree_sitter::Node;

use super::imports::Known;
use super::{ScopeKind, Visitor, span};
use crate::facts::{Arg, ExprId, ExprKind};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn call(&mut self, node: Node<'t>) -> ExprId {
        let Some(callee) = self.syntax.child(node, Role::Callee) else { return self.parts(node) };
        if self.is_name(callee)
            && self.source(callee) == "super"
            && let Some(class) = self.class_around()
        {
            return self.builder.expr(span(node), ExprKind::Super(class));
        }
        let callee = self.expr(callee);
        let args = match self.syntax.child(node, Role::Arguments) {
            Some(arguments) => self.arguments(arguments),
            None => vec![],
        };
        if let Some(value) = self.disguised(node, callee, &args).or_else(|| self.handed(node, callee, &args)) {
            return value;
        }
        self.builder.call(span(node), callee, args, false, false)
    }

    fn class_around(&self) -> Option<crate::facts::ClassId> {
        self.scopes.iter().rev().find_map(|scope| match scope.kind {
            ScopeKind::Class(class) => Some(class),
            _ => None,
        })
    }

    fn arguments(&mut self, node: Node<'t>) -> Vec<Arg> {
        let mut args = Vec::new();
        // `f(x for x in xs)`: the generator stands for the list of arguments.
        if self.shape(node) == Shape::Comprehension {
            args.push(Arg { name: None, value: self.expr(node) });
            return args;
        }
        self.children(node, |v, child| match child.kind() {
            "keyword_argument" => {
                let name = v.syntax.child(child, Role::Name).map(|name| Name::new(v.source(name)));
                if let Some(value) = v.syntax.child(child, Role::Value) {
                    args.push(Arg { name, value: v.expr(value) });
                }
            }
            "dictionary_splat" => args.push(Arg { name: Some(Name::new("**")), value: v.expr(child) }),
            _ if child.is_error() => drop(v.parts(child)),
            _ if v.shape(child) != Shape::Skip => args.push(Arg { name: None, value: v.expr(child) }),
            _ => {}
        });
        args
    }

    /// What a call stands for when it is no call to us.
    fn disguised(&mut self, node: Node<'t>, callee: ExprId, args: &[Arg]) -> Option<ExprId> {
        if let ExprKind::Member(base, method) = *self.builder.kind(callee)
            && method == "format"
            && matches!(self.builder.kind(base), ExprKind::Text(_))
        {
            return Some(self.format(span(node), base, args));
        }
        let &ExprKind::Text(first) = self.builder.kind(args.first()?.value) else { return None };
        let known = self.known_value(callee)?;
        let named = args.iter().find(|arg| arg.name.is_some_and(|name| name == "default"));
        match known {
            Known::Read | Known::Settings => {
                // A library's second positional argument may be a cast; of `os` it is the default.
                let positional = args.get(1).filter(|arg| arg.name.is_none() && known == Known::Read);
                let fallback = named.or(positional).map(|arg| arg.value);
                if known == Known::Settings && fallback.is_none() {
                    self.builder.facts().strict_reads.push(first);
                }
                Some(self.env_read(span(node), first, fallback))
            }
            Known::ImportModule => Some(self.dynamic_import(node, first)),
            _ => None,
        }
    }

    /// Python 2's `print x, y` as the call it became.
    pub(super) fn print(&mut self, node: Node<'t>) {
        let mut args = Vec::new();
        self.children(node, |v, child| args.push(Arg { name: None, value: v.expr(child) }));
        let callee = self.builder.reference(span(node), "print");
        let call = self.builder.call(span(node), callee, args, false, false);
        self.builder.mark_dropped(call);
        self.builder.step(crate::facts::Step::Eval(call));
    }
}
