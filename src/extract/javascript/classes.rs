//! Classes: methods, fields, what `this` gets, decorators.

use tree_sitter::Node;

use super::{This, Visitor, span};
use crate::facts::{BlockKind, ClassId, ExprId, ExprKind, Field, Member, Step};
use crate::lang::{Role, Shape};

impl<'s, 't> Visitor<'_, 's, 't> {
    /// A class; decorators before an `export` are handed in.
    pub(super) fn class(&mut self, node: Node<'t>, name: Option<&str>, mut decorators: Vec<ExprId>) -> ClassId {
        let own = self.child(node, Role::Name).map(|own| self.text(own));
        let mut bases = Vec::new();
        self.each(node, |this, child| match this.shape(child) {
            Shape::Decorator => decorators.extend(this.decorator(child)),
            Shape::Other if child.kind() == "class_heritage" => this.heritage(child, &mut bases),
            _ => {}
        });
        let class = self.builder.open_class(own.or(name), span(node));
        let made = self.builder.class_mut(class);
        made.bases = bases.into();
        made.decorators = decorators.into();
        if let Some(body) = self.child(node, Role::Body) {
            self.this.push(This::Class(class));
            let block = self.builder.open_block(BlockKind::Plain, span(body));
            let mut decorators = Vec::new();
            self.each(body, |this, member| this.class_member(member, class, &mut decorators));
            self.builder.close_block();
            self.this.pop();
            if !self.builder.facts().block(block).steps.is_empty() {
                self.builder.step(Step::Block(block));
            }
        }
        self.builder.close_class();
        class
    }

    fn heritage(&mut self, node: Node<'t>, bases: &mut Vec<ExprId>) {
        self.each(node, |this, child| match child.kind() {
            "extends_clause" => this.heritage(child, bases),
            _ => bases.push(this.expression(child)),
        });
    }

    pub(super) fn decorator(&mut self, node: Node<'t>) -> Option<ExprId> {
        let inner = self.first(node)?;
        Some(self.expression(inner))
    }

    fn class_member(&mut self, node: Node<'t>, class: ClassId, decorators: &mut Vec<ExprId>) {
        match self.shape(node) {
            // One grammar puts decorators before a member, the other inside.
            Shape::Decorator => return decorators.extend(self.decorator(node)),
            Shape::Method => self.method(node, class, decorators),
            Shape::Field => self.class_field(node, class, decorators),
            Shape::StaticBlock => {
                if let Some(body) = self.child(node, Role::Body) {
                    self.each(body, |this, child| this.statement(child));
                }
            }
            _ => self.fragments(node),
        }
        decorators.clear();
    }

    fn method(&mut self, node: Node<'t>, class: ClassId, decorators: &mut Vec<ExprId>) {
        let name = self.key(node);
        let (mut is_static, mut is_getter) = (false, false);
        self.cursor.reset(node);
        let mut inner = Vec::new();
        let mut more = self.cursor.goto_first_child();
        while more {
            let child = self.cursor.node();
            match child.kind() {
                "static" => is_static = true,
                "get" => is_getter = true,
                "static get" => (is_static, is_getter) = (true, true),
                "decorator" => inner.push(child),
                _ => {}
            }
            more = self.cursor.goto_next_sibling();
        }
        for decorator in inner {
            decorators.extend(self.decorator(decorator));
        }
        let next = crate::facts::FunctionId(self.builder.facts().functions.len() as u32);
        self.methods.push((next, class));
        let function = self.deeper(|this| this.function(node, Some(&name)));
        self.methods.pop();
        let Some(function) = function else { return };
        self.builder.function_mut(function).decorators = decorators.as_slice().into();
        self.builder.class_mut(class).methods.push(Member { name, function, is_static, is_getter });
    }

    fn class_field(&mut self, node: Node<'t>, class: ClassId, decorators: &mut Vec<ExprId>) {
        let name = self.key(node);
        self.each(node, |this, child| {
            if this.shape(child) == Shape::Decorator {
                decorators.extend(this.decorator(child));
            }
        });
        if !decorators.is_empty() {
            self.builder
                .class_mut(class)
                .field_decorators
                .extend(decorators.iter().map(|&decorator| (name, decorator)));
        }
        let is_static = self.has_token(node, "static");
        let ty = self.child(node, Role::Type).and_then(|ty| self.annotated(ty));
        let value = self.child(node, Role::Value).map(|value| {
            let before = self.builder.facts().calls.len();
            let value = self.expression_as(value, Some(&name));
            // What a field starts with is computed when the class or an object of it is made.
            if self.builder.facts().calls.len() != before
                && !matches!(self.builder.kind(value), ExprKind::Function(_) | ExprKind::Class(_))
            {
                self.builder.step(Step::Eval(value));
            }
            value
        });
        self.builder.field(class, Field { name, value, ty, is_static });
    }

    /// Notes `this.name = value`, and `Shop.name = value` inside of `Shop`, as a field of the class.
    pub(super) fn give_field(&mut self, target: ExprId, value: ExprId) {
        let ExprKind::Member(base, name) = *self.builder.kind(target) else { return };
        let (class, is_static) = match *self.builder.kind(base) {
            ExprKind::This(class) => (class, false),
            ExprKind::Ref(named, _) => match self.builder.class() {
                Some(class) if self.builder.facts().classes[class.index()].name == Some(named) => (class, true),
                _ => return,
            },
            _ => return,
        };
        self.builder.field(class, Field { name, value: Some(value), ty: None, is_static });
    }

    /// Makes an object literal whose methods say `this` a class: its members are the pairs from `start` on.
    pub(super) fn object_class(&mut self, class: ClassId, start: usize) {
        for at in start..self.pairs.len() {
            let (name, value) = self.pairs[at];
            match *self.builder.kind(value) {
                ExprKind::Function(function) => {
                    self.builder.function_mut(function).class = Some(class);
                    let member = Member { name, function, is_static: false, is_getter: false };
                    self.builder.class_mut(class).methods.push(member);
                }
                _ => self.builder.field(class, Field { name, value: Some(value), ty: None, is_static: false }),
            }
        }
    }
}
