//! Expressions to values.

use tree_sitter::Node;

use super::imports::Known;
use super::{Visitor, span};
use crate::facts::{DefKind, ExprId, ExprKind, Op};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'t> Visitor<'_, '_, 't> {
    /// The value of a node; steps that it needs first (comprehensions, walrus) go into the current block.
    pub(super) fn expr(&mut self, node: Node<'t>) -> ExprId {
        if !self.enter() {
            return self.unknown(node);
        }
        let at = span(node);
        let value = match self.shape(node) {
            Shape::Skip => self.unknown(node),
            Shape::Identifier => self.name(node),
            Shape::Text => self.string(node),
            Shape::Template => self.strings(node),
            Shape::Number => self.number(node),
            Shape::True => self.builder.expr(at, ExprKind::Bool(true)),
            Shape::False => self.builder.expr(at, ExprKind::Bool(false)),
            Shape::Null => self.builder.expr(at, ExprKind::Null),
            Shape::Call => self.call(node),
            Shape::Member => self.member(node),
            Shape::Index => self.subscript(node),
            Shape::Object => self.dict(node),
            Shape::List => self.list(node),
            Shape::Function => self.lambda(node),
            Shape::Await => {
                let inner = self.inner(node);
                self.builder.mark_awaited(inner);
                self.builder.expr(at, ExprKind::Await(inner))
            }
            Shape::Unary => self.unary(node),
            Shape::Binary => self.binary(node),
            Shape::Choose => self.choose(node),
            Shape::Assign => self.walrus(node),
            Shape::Spread => {
                let inner = self.inner(node);
                self.builder.expr(at, ExprKind::Spread(inner))
            }
            Shape::Wrap => self.inner(node),
            Shape::Yield => {
                let inner = self.only_child(node).map(|inner| self.expr(inner));
                self.builder.expr(at, ExprKind::Op(Op::Yield, inner.into_iter().collect()))
            }
            Shape::Comprehension => self.comprehension(node),
            Shape::Other => self.parts(node),
            // A statement where a value should be: only among errors.
            _ => {
                self.statement(node);
                self.unknown(node)
            }
        };
        self.leave();
        value
    }

    fn inner(&mut self, node: Node<'t>) -> ExprId {
        match self.only_child(node) {
            Some(inner) => self.expr(inner),
            None => self.unknown(node),
        }
    }

    /// A node without meaning of its own: what it holds is evaluated all the same.
    pub(super) fn parts(&mut self, node: Node<'t>) -> ExprId {
        let mut parts = Vec::new();
        self.children(node, |v, child| parts.push(v.expr(child)));
        if parts.is_empty() {
            return self.unknown(node);
        }
        self.builder.expr(span(node), ExprKind::Op(Op::Other, parts.into()))
    }

    fn name(&mut self, node: Node<'t>) -> ExprId {
        let name = self.source(node);
        match self.receiver(name) {
            Some(receiver) => self.builder.expr(span(node), ExprKind::This(receiver.class)),
            None => self.builder.reference(span(node), name),
        }
    }

    fn number(&mut self, node: Node<'t>) -> ExprId {
        let kind = number(self.source(node)).map_or(ExprKind::Unknown, ExprKind::Number);
        self.builder.expr(span(node), kind)
    }

    fn member(&mut self, node: Node<'t>) -> ExprId {
        let (base, name) = (self.syntax.child(node, Role::Base), self.syntax.child(node, Role::Name));
        let (Some(base), Some(name)) = (base, name) else { return self.parts(node) };
        let base = self.expr(base);
        // Not `builder.member`: `os.environ.copy` is a method, the variables are reached by index only.
        let name = Name::new(self.source(name));
        self.builder.expr(span(node), ExprKind::Member(base, name))
    }

    fn subscript(&mut self, node: Node<'t>) -> ExprId {
        let Some(base) = self.syntax.child(node, Role::Base) else { return self.parts(node) };
        let mut indices = Vec::new();
        let value = self.expr(base);
        self.children(node, |v, child| {
            if child != base {
                indices.push(v.expr(child));
            }
        });
        let at = span(node);
        let index = match indices[..] {
            [only] => only,
            _ => self.builder.expr(at, ExprKind::List(indices.into())),
        };
        match *self.builder.kind(index) {
            ExprKind::Text(name) if self.known_value(value) == Some(Known::Environ) => {
                self.builder.facts().strict_reads.push(name);
                self.env_read(at, name, None)
            }
            ExprKind::Text(name) => self.builder.expr(at, ExprKind::Member(value, name)),
            _ => self.builder.expr(at, ExprKind::Index(value, index)),
        }
    }

    fn dict(&mut self, node: Node<'t>) -> ExprId {
        let mut entries = Vec::new();
        self.children(node, |v, child| match child.kind() {
            "pair" => {
                let name = v.syntax.child(child, Role::Name).map(|key| v.key(key));
                if let (Some(name), Some(value)) = (name, v.syntax.child(child, Role::Value)) {
                    let value = v.expr(value);
                    v.name_function(value, &name);
                    entries.push((name, value));
                }
            }
            "dictionary_splat" => {
                let value = v.inner(child);
                entries.push((Name::new("..."), value));
            }
            _ => drop(v.expr(child)),
        });
        self.builder.expr(span(node), ExprKind::Object(entries.into()))
    }

    fn key(&mut self, node: Node<'t>) -> Name {
        if let Some(text) = self.plain_text(node) {
            return Name::new(&text);
        }
        if self.shape(node) == Shape::Number {
            return Name::new(self.source(node));
        }
        let key = self.expr(node);
        match *self.builder.kind(key) {
            ExprKind::Text(text) => text,
            _ => Name::new("[]"),
        }
    }

    fn list(&mut self, node: Node<'t>) -> ExprId {
        let mut items = Vec::new();
        self.children(node, |v, child| items.push(v.expr(child)));
        self.builder.expr(span(node), ExprKind::List(items.into()))
    }

    /// `a if c else b`.
    fn choose(&mut self, node: Node<'t>) -> ExprId {
        let mut parts = Vec::new();
        self.children(node, |_, child| parts.push(child));
        let [then, condition, otherwise] = parts[..] else { return self.parts(node) };
        let operands = Box::new([condition, then, otherwise].map(|part| self.expr(part)));
        self.builder.expr(span(node), ExprKind::Op(Op::Choose, operands))
    }

    /// `name := value`: the definition gets the value without a step, since the expression holds it.
    fn walrus(&mut self, node: Node<'t>) -> ExprId {
        let (name, value) = (self.syntax.child(node, Role::Name), self.syntax.child(node, Role::Value));
        let (Some(name), Some(value)) = (name, value) else {
            // An assignment among errors.
            if self.syntax.child(node, Role::Left).is_some() {
                self.assignment(node);
            }
            return self.unknown(node);
        };
        let value = self.expr(value);
        let text = self.source(name);
        let def = self.define_outside_comprehensions(text, name);
        self.builder.give(def, value);
        let target = self.builder.reference(span(name), text);
        self.builder.expr(span(node), ExprKind::Op(Op::Assign, Box::new([target, value])))
    }

    fn define_outside_comprehensions(&mut self, text: &str, name: Node<'t>) -> crate::facts::DefId {
        let is_own = |scope: &&super::Scope| scope.kind != super::ScopeKind::Comprehension;
        let block = self.scopes.iter().rev().find(is_own).map_or(self.builder.block(), |scope| scope.block);
        self.builder.define_in(block, text, DefKind::Variable, span(name))
    }
}

fn number(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|&c| c != '_').collect::<String>().to_ascii_lowercase();
    let text = text.trim_end_matches('l');
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok().map(|value| value as f64);
        }
    }
    text.parse().ok()
}
