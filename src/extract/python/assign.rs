//! Assignments: plain, chained, annotated, augmented, unpacking; and the fields they give to classes.

use tree_sitter::Node;

use super::{ScopeKind, Visitor, span};
use crate::facts::{DefId, DefKind, ExprId, ExprKind, Field, Op, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn assignment(&mut self, node: Node<'t>) {
        // `a = b = value` is an assignment whose value is an assignment.
        let mut targets = Vec::new();
        let mut value = None;
        let mut next = Some(node);
        while let Some(at) = next.take() {
            if let Some(left) = self.syntax.child(at, Role::Left) {
                targets.push((left, self.syntax.child(at, Role::Type)));
            }
            match self.syntax.child(at, Role::Right) {
                Some(right) if right.kind() == "assignment" => next = Some(right),
                Some(right) => value = Some(self.expr(right)),
                None => {}
            }
        }
        for (target, ty) in targets {
            let ty = ty.and_then(|ty| self.annotation(ty).0);
            match value {
                Some(value) => self.bind_target(target, value, ty),
                None => self.declare(target, ty),
            }
        }
    }

    /// `x: T` without a value.
    fn declare(&mut self, target: Node<'t>, ty: Option<ExprId>) {
        match self.shape(target) {
            Shape::Identifier => {
                let name = self.source(target);
                let def = self.define(name, DefKind::Variable, span(target));
                self.set_type(def, ty);
                if let ScopeKind::Class(class) = self.scope().kind {
                    let name = Name::new(name);
                    self.builder.field(class, Field { name, value: None, ty, is_static: true });
                }
            }
            Shape::Member => {
                let member = self.expr(target);
                self.own_field(member, None, ty);
            }
            _ => {}
        }
    }

    pub(super) fn set_type(&mut self, def: DefId, ty: Option<ExprId>) {
        if ty.is_some() {
            self.builder.facts().defs[def.index()].ty = ty;
        }
    }

    /// `x += y` gives `x` the sum (or the text) of both.
    pub(super) fn augment(&mut self, node: Node<'t>) {
        let (left, right) = (self.syntax.child(node, Role::Left), self.syntax.child(node, Role::Right));
        let (Some(left), Some(right)) = (left, right) else { return };
        let operator = self.operator(node);
        let old = self.expr(left);
        let new = self.expr(right);
        let value = match operator {
            "+=" => self.builder.add(span(node), old, new),
            _ => self.builder.expr(span(node), ExprKind::Op(Op::Arithmetic, Box::new([old, new]))),
        };
        match self.shape(left) {
            Shape::Identifier => self.bind_name(left, value, None),
            _ => self.store(old, value, None),
        }
    }

    /// Gives `value` to whatever the target is.
    pub(super) fn bind_target(&mut self, target: Node<'t>, value: ExprId, ty: Option<ExprId>) {
        if !self.enter() {
            return;
        }
        match self.shape(target) {
            Shape::Identifier => self.bind_name(target, value, ty),
            Shape::List => self.unpack(target, value),
            Shape::Wrap | Shape::Spread => {
                if let Some(inner) = self.only_child(target) {
                    self.bind_target(inner, value, ty);
                }
            }
            _ => {
                let place = self.expr(target);
                self.store(place, value, ty);
            }
        }
        self.leave();
    }

    fn bind_name(&mut self, node: Node<'t>, value: ExprId, ty: Option<ExprId>) {
        let name = self.source(node);
        let def = self.define(name, DefKind::Variable, span(node));
        self.set_type(def, ty);
        self.name_function(value, name);
        if let Some(known) = self.known_value(value) {
            self.remember(def, Name::new(name), known);
        }
        self.builder.bind(def, value);
        if let ScopeKind::Class(class) = self.scope().kind {
            self.builder.field(class, Field { name: Name::new(name), value: Some(value), ty, is_static: true });
        }
    }

    /// Assigns to a member or an index.
    fn store(&mut self, place: ExprId, value: ExprId, ty: Option<ExprId>) {
        if let ExprKind::Member(_, name) = *self.builder.kind(place) {
            self.name_function(value, &name);
        }
        self.own_field(place, Some(value), ty);
        self.builder.step(Step::Assign(place, value));
    }

    /// `self.x = value` is a field of the class.
    fn own_field(&mut self, place: ExprId, value: Option<ExprId>, ty: Option<ExprId>) {
        if let ExprKind::Member(base, name) = *self.builder.kind(place)
            && let ExprKind::This(class) = *self.builder.kind(base)
        {
            let is_static = self.scopes.iter().rev().find_map(|scope| scope.receiver).is_some_and(|own| own.is_class);
            self.builder.field(class, Field { name, value, ty, is_static });
        }
    }

    /// A lambda takes the name of what it is assigned to.
    pub(super) fn name_function(&mut self, value: ExprId, name: &str) {
        if let ExprKind::Function(function) = *self.builder.kind(value) {
            let function = self.builder.function_mut(function);
            function.name = function.name.or(Some(Name::new(name)));
        }
    }

    /// `a, *b, c = value`: elements of a list written in place, else `value[0]`, `value[?]`, `value[-1]`.
    fn unpack(&mut self, target: Node<'t>, value: ExprId) {
        let items = match self.builder.kind(value) {
            ExprKind::List(items) => items.to_vec(),
            _ => vec![],
        };
        let known =
            !items.is_empty() && !items.iter().any(|&item| matches!(self.builder.kind(item), ExprKind::Spread(_)));
        let mut count = 0;
        let mut star = None;
        self.children(target, |v, child| {
            if v.shape(child) == Shape::Spread {
                star = star.or(Some(count));
            }
            count += 1;
        });
        let mut at = 0;
        self.children(target, |v, child| {
            let part = span(child);
            let behind = count - at - 1;
            let item = match star {
                Some(star) if at == star && known && items.len() > behind => {
                    let middle = items.get(at..items.len() - behind).unwrap_or_default();
                    v.builder.expr(part, ExprKind::List(middle.into()))
                }
                Some(star) if at == star => {
                    let range = v.builder.expr(part, ExprKind::Unknown);
                    v.builder.expr(part, ExprKind::Index(value, range))
                }
                Some(star) if at > star => match items.len().checked_sub(behind + 1).filter(|_| known) {
                    Some(index) => items[index],
                    None => v.element(part, value, -1.0 - behind as f64),
                },
                _ => match items.get(at).filter(|_| known) {
                    Some(&item) => item,
                    None => v.element(part, value, at as f64),
                },
            };
            at += 1;
            v.bind_target(child, item, None);
        });
    }

    fn element(&mut self, at: crate::facts::Span, base: ExprId, index: f64) -> ExprId {
        let index = self.builder.expr(at, ExprKind::Number(index));
        self.builder.expr(at, ExprKind::Index(base, index))
    }
}
