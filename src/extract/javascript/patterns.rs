//! Patterns: what a value is taken apart into. Each part is a member or element of the value.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{BlockId, DefKind, ExprId, ExprKind, Op, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

/// What happens to the names of a pattern.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// They are declared in a block.
    Declare(BlockId, DefKind),
    /// They are assigned to.
    Assign,
}

impl<'s, 't> Visitor<'_, 's, 't> {
    /// Declares the names of a pattern as parts of a value.
    pub(super) fn declare_pattern(&mut self, pattern: Node<'t>, value: ExprId, block: BlockId, kind: DefKind) {
        self.take_apart(pattern, value, Target::Declare(block, kind));
    }

    /// Assigns parts of a value to what a pattern names.
    pub(super) fn assign_pattern(&mut self, pattern: Node<'t>, value: ExprId) {
        self.take_apart(pattern, value, Target::Assign);
    }

    fn take_apart(&mut self, pattern: Node<'t>, value: ExprId, target: Target) {
        self.deeper(|this| match this.shape(pattern) {
            Shape::Identifier => {
                let name = this.text(pattern);
                match target {
                    Target::Declare(block, kind) => {
                        let def = this.builder.define_in(block, name, kind, span(pattern));
                        this.builder.give(def, value);
                    }
                    Target::Assign => {
                        let name = this.builder.reference(span(pattern), name);
                        this.builder.assign_name(name, value);
                    }
                }
            }
            Shape::ObjectPattern => this.each(pattern, |this, part| this.take_property(part, value, target)),
            Shape::ArrayPattern => this.take_elements(pattern, value, target),
            Shape::DefaultPattern => {
                if let Some(left) = this.child(pattern, Role::Left) {
                    let value = this.or_default(pattern, value);
                    this.take_apart(left, value, target);
                }
            }
            Shape::RestPattern | Shape::Wrap => {
                if let Some(inner) = this.first(pattern) {
                    this.take_apart(inner, value, target);
                }
            }
            Shape::Member | Shape::Index => {
                let place = this.expression(pattern);
                this.give_field(place, value);
                this.builder.step(Step::Assign(place, value));
            }
            _ => this.fragments(pattern),
        });
    }

    fn take_property(&mut self, part: Node<'t>, value: ExprId, target: Target) {
        match self.shape(part) {
            Shape::Identifier => {
                let name = self.text(part);
                let member = self.builder.member(span(part), value, name);
                self.take_apart(part, member, target);
            }
            Shape::PairPattern => {
                let Some(inner) = self.child(part, Role::Value) else { return };
                let member = self.part(part, value);
                self.take_apart(inner, member, target);
            }
            Shape::DefaultPattern => {
                let Some(left) = self.child(part, Role::Left) else { return };
                let name = self.text(left);
                let member = self.builder.member(span(left), value, name);
                let member = self.or_default(part, member);
                self.take_apart(left, member, target);
            }
            // The rest of an object answers to the same names as the object.
            Shape::RestPattern => self.take_apart(part, value, target),
            _ => self.fragments(part),
        }
    }

    /// `{ key: .. }` of a value.
    fn part(&mut self, pair: Node<'t>, value: ExprId) -> ExprId {
        let name = self.key(pair);
        let whole = self.child(pair, Role::Name).map_or(span(pair), span);
        if name == "[]" {
            let unknown = self.builder.expr(whole, ExprKind::Unknown);
            return self.builder.index(whole, value, unknown);
        }
        self.builder.member(whole, value, &name)
    }

    fn take_elements(&mut self, pattern: Node<'t>, value: ExprId, target: Target) {
        let mut index = 0_u32;
        let mut found: Vec<(u32, Node<'t>)> = Vec::new();
        self.cursor.reset(pattern);
        let mut more = self.cursor.goto_first_child();
        while more {
            let child = self.cursor.node();
            // Holes show only in the commas.
            if !child.is_named() {
                index += u32::from(child.kind() == ",");
            } else if self.syntax.shape(child) != Shape::Skip {
                found.push((index, child));
            }
            more = self.cursor.goto_next_sibling();
        }
        for (index, part) in found {
            let whole = span(part);
            let element = if self.shape(part) == Shape::RestPattern {
                self.builder.expr(whole, ExprKind::Op(Op::Other, Box::new([value])))
            } else {
                let index = self.builder.expr(whole, ExprKind::Number(f64::from(index)));
                self.builder.index(whole, value, index)
            };
            self.take_apart(part, element, target);
        }
    }

    /// A value, or the default beside it.
    pub(super) fn or_default(&mut self, node: Node<'t>, value: ExprId) -> ExprId {
        let name = self.child(node, Role::Left).filter(|&left| self.shape(left) == Shape::Identifier);
        let name = name.map(|left| self.text(left));
        match self.child(node, Role::Right) {
            Some(right) => {
                let default = self.expression_as(right, name);
                self.builder.expr(span(node), ExprKind::Op(Op::Or, Box::new([value, default])))
            }
            None => value,
        }
    }

    /// The names a pattern declares, in order.
    pub(super) fn pattern_names(&mut self, pattern: Node<'t>, names: &mut Vec<Name>) {
        match self.shape(pattern) {
            Shape::Identifier => names.push(Name::new(self.text(pattern))),
            Shape::PairPattern => {
                if let Some(inner) = self.child(pattern, Role::Value) {
                    self.pattern_names(inner, names);
                }
            }
            Shape::DefaultPattern => {
                if let Some(left) = self.child(pattern, Role::Left) {
                    self.pattern_names(left, names);
                }
            }
            Shape::ObjectPattern | Shape::ArrayPattern | Shape::RestPattern => {
                self.deeper(|this| this.each(pattern, |this, part| this.pattern_names(part, names)));
            }
            _ => {}
        }
    }
}
