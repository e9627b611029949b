//! Functions of every form: parameters, bodies, annotated types.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{DefKind, ExprId, ExprKind, Field, FunctionId, Op, Param, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'s, 't> Visitor<'_, 's, 't> {
    /// Whether it is a function with a `this` of its own: not an arrow.
    pub(super) fn is_plain_function(&self, node: Node<'t>) -> bool {
        self.shape(node) == Shape::Function && node.kind() != "arrow_function"
    }

    /// A function in place, a declared one or a method; the caller says what `this` is in it.
    pub(super) fn function(&mut self, node: Node<'t>, name: Option<&str>) -> FunctionId {
        let is_async = self.is_async(node);
        let function = self.builder.open_function(name, span(node));
        let class = self.methods.last().filter(|&&(method, _)| method == function).map(|&(_, class)| class);
        let opened = self.builder.function_mut(function);
        opened.is_async = is_async;
        opened.class = class;
        let mut params = Vec::new();
        if let Some(param) = self.child(node, Role::Param) {
            self.parameter(param, function, &mut params);
        } else if let Some(list) = self.child(node, Role::Params) {
            self.each(list, |this, param| this.parameter(param, function, &mut params));
        }
        if let Some(body) = self.child(node, Role::Body) {
            if self.shape(body) == Shape::Block {
                let mut head = true;
                self.each(body, |this, child| {
                    head = head && this.function_directive(child, function);
                    if !head {
                        this.statement(child);
                    }
                });
            } else {
                let value = self.expression(body);
                self.builder.step(Step::Return(Some(value)));
            }
        }
        self.builder.close_function(params);
        function
    }

    /// Whether a statement is a directive at the head of a function.
    fn function_directive(&mut self, node: Node<'t>, function: FunctionId) -> bool {
        let Some(text) = self.directive(node) else { return false };
        let function = self.builder.function_mut(function);
        function.use_server |= text == "use server";
        // `"use cache: remote"` keeps it elsewhere.
        function.use_cache |= text == "use cache" || text.starts_with("use cache:");
        true
    }

    /// The text of a statement that is only a string.
    pub(super) fn directive(&mut self, node: Node<'t>) -> Option<std::borrow::Cow<'s, str>> {
        if self.shape(node) != Shape::Statement || !self.text(node).starts_with(['"', '\'']) {
            return None;
        }
        let string = self.first(node).filter(|&inner| self.shape(inner) == Shape::Text)?;
        Some(self.string_text(string))
    }

    fn is_async(&mut self, node: Node<'t>) -> bool {
        // The keyword comes first except in methods, where modifiers may precede it.
        match self.shape(node) {
            Shape::Method => self.has_token(node, "async"),
            _ => self.text(node).starts_with("async") && self.has_token(node, "async"),
        }
    }

    fn parameter(&mut self, node: Node<'t>, function: FunctionId, params: &mut Vec<Param>) {
        let (pattern, ty, default) = match self.shape(node) {
            Shape::Parameter => {
                let Some(pattern) = self.child(node, Role::Name) else { return };
                let ty = self.child(node, Role::Type).and_then(|ty| self.annotated(ty));
                (pattern, ty, self.child(node, Role::Value))
            }
            Shape::DefaultPattern => {
                let Some(pattern) = self.child(node, Role::Left) else { return };
                (pattern, None, self.child(node, Role::Right))
            }
            Shape::Other => return self.fragments(node),
            _ => (node, None, None),
        };
        let mut inner = pattern;
        let rest = self.shape(pattern) == Shape::RestPattern;
        if rest && let Some(target) = self.first(pattern) {
            inner = target;
        }
        // TypeScript's `this: Type` is no parameter.
        if self.shape(inner) == Shape::This {
            return;
        }
        let name = (self.shape(inner) == Shape::Identifier).then(|| self.text(inner));
        let position = params.len().min(usize::from(u16::MAX)) as u16;
        let arrived = self.builder.expr(span(inner), ExprKind::Param(function, position));
        let default = default.map(|default| self.expression_as(default, name));
        let value = match default {
            Some(default) => self.builder.expr(span(node), ExprKind::Op(Op::Or, Box::new([arrived, default]))),
            None => arrived,
        };
        let block = self.builder.block();
        match name {
            Some(name) => {
                let def = self.builder.define_in(block, name, DefKind::Param, span(inner));
                self.builder.give(def, value);
                if let Some(ty) = ty {
                    self.builder.set_type(def, ty);
                }
            }
            None => self.declare_pattern(inner, value, block, DefKind::Param),
        }
        params.push(Param { name: name.map(Name::new), ty, default, rest });
        if self.shape(node) == Shape::Parameter
            && let (Some(name), Some(class)) = (name, self.builder.function_mut(function).class)
            && self.is_property(node)
        {
            let field = Field { name: Name::new(name), value: Some(value), ty, is_static: false };
            self.builder.field(class, field);
        }
    }

    /// Whether a constructor's parameter is a field as well: `private readonly stripe: Stripe`.
    fn is_property(&mut self, node: Node<'t>) -> bool {
        self.cursor.reset(node);
        let mut more = self.cursor.goto_first_child();
        while more {
            if matches!(self.cursor.node().kind(), "accessibility_modifier" | "readonly" | "override_modifier") {
                return true;
            }
            more = self.cursor.goto_next_sibling();
        }
        false
    }

    /// The type an annotation names, when it is a plain dotted name: `Stripe`, `Foo | null`, `Map<K, V>`'s `Map`.
    pub(super) fn annotated(&mut self, annotation: Node<'t>) -> Option<ExprId> {
        let ty = annotation.named_child(0)?;
        self.type_name(ty, 0)
    }

    fn type_name(&mut self, ty: Node<'t>, depth: u32) -> Option<ExprId> {
        if depth > 8 {
            return None;
        }
        match ty.kind() {
            "type_identifier" | "identifier" => {
                let name = self.text(ty);
                Some(self.builder.reference(span(ty), name))
            }
            "nested_type_identifier" | "nested_identifier" => {
                let base = self.type_name(ty.named_child(0)?, depth + 1)?;
                let name = self.text(ty.named_child(1)?);
                Some(self.builder.member(span(ty), base, name))
            }
            "generic_type" | "parenthesized_type" | "readonly_type" => self.type_name(ty.named_child(0)?, depth + 1),
            "union_type" => {
                let sides = [ty.named_child(0)?, ty.named_child(1)?];
                match sides.map(|side| is_nothing(self.text(side))) {
                    [false, true] => self.type_name(sides[0], depth + 1),
                    [true, false] => self.type_name(sides[1], depth + 1),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn is_nothing(ty: &str) -> bool {
    matches!(ty, "null" | "undefined" | "void" | "false" | "null | undefined" | "undefined | null")
}
