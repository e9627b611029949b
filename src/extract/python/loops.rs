//! Loops and comprehensions.
//!
//! A comprehension becomes the loop that it is: a `Loop` block (with an `If` for each condition) runs before the
//! statement it stands in and evaluates the element. The comprehension's value is a list of unknown length,
//! `List([Spread(List([element]))])`, of a dict `Object([("[]", value)])`. The element is thus reached twice;
//! a call in it says by its block that it belongs to the loop.

use tree_sitter::Node;

use super::branches::is_async;
use super::{ScopeKind, Visitor, span};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

enum Clause {
    Loop(BlockId),
    If(ExprId, BlockId),
}

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn while_loop(&mut self, node: Node<'t>) {
        // The condition is asked in every round, so what it calls belongs to the loop.
        let block = self.builder.open_block(BlockKind::Loop(None), span(node));
        if let Some(condition) = self.syntax.child(node, Role::Condition) {
            let condition = self.expr(condition);
            self.builder.facts().blocks[block.index()].kind = BlockKind::Loop(Some(condition));
        }
        if let Some(body) = self.syntax.child(node, Role::Body) {
            self.statements(body);
        }
        self.builder.close_block();
        self.builder.step(Step::Loop(block));
        self.loop_else(node);
    }

    pub(super) fn for_loop(&mut self, node: Node<'t>) {
        let (iterable, target) = (self.syntax.child(node, Role::Right), self.syntax.child(node, Role::Left));
        let iterable = iterable.map(|iterable| self.expr(iterable));
        if let Some(iterable) = iterable.filter(|_| is_async(node)) {
            self.builder.mark_awaited(iterable);
        }
        let block = self.builder.open_block(BlockKind::Loop(iterable), span(node));
        if let (Some(iterable), Some(target)) = (iterable, target) {
            self.bind_element(target, iterable);
        }
        if let Some(body) = self.syntax.child(node, Role::Body) {
            self.statements(body);
        }
        self.builder.close_block();
        self.builder.step(Step::Loop(block));
        self.loop_else(node);
    }

    fn loop_else(&mut self, node: Node<'t>) {
        if let Some(otherwise) = self.syntax.child(node, Role::Otherwise) {
            let body = self.syntax.child(otherwise, Role::Body).unwrap_or(otherwise);
            let block = self.suite(BlockKind::Plain, body);
            self.builder.step(Step::Block(block));
        }
    }

    /// Binds a loop's target to the element; `for i, x in enumerate(xs)` looks through to `xs`.
    fn bind_element(&mut self, target: Node<'t>, iterable: ExprId) {
        let at = self.builder.facts().span(iterable);
        if self.shape(target) == Shape::List
            && target.named_child_count() == 2
            && let Some(inner) = self.enumerated(iterable)
            && let (Some(index), Some(element)) = (target.named_child(0), target.named_child(1))
        {
            let number = self.builder.expr(at, ExprKind::Unknown);
            self.bind_target(index, number, None);
            let value = self.builder.expr(at, ExprKind::ElementOf(inner));
            return self.bind_target(element, value, None);
        }
        let value = self.builder.expr(at, ExprKind::ElementOf(iterable));
        self.bind_target(target, value, None);
    }

    fn enumerated(&mut self, iterable: ExprId) -> Option<ExprId> {
        let ExprKind::Call(call) = *self.builder.kind(iterable) else { return None };
        let call = self.builder.facts().call(call);
        let (callee, inner) = (call.callee, call.args.first()?.value);
        matches!(self.builder.kind(callee), ExprKind::Ref(name, _) if *name == "enumerate").then_some(inner)
    }

    pub(super) fn comprehension(&mut self, node: Node<'t>) -> ExprId {
        let body = self.syntax.child(node, Role::Body);
        let mut open: Vec<Clause> = Vec::new();
        let mut scopes = 0;
        self.children(node, |v, child| match child.kind() {
            "for_in_clause" => {
                let iterable = match v.syntax.child(child, Role::Right) {
                    Some(iterable) => v.expr(iterable),
                    None => v.unknown(child),
                };
                if is_async(child) {
                    v.builder.mark_awaited(iterable);
                }
                open.push(Clause::Loop(v.builder.open_block(BlockKind::Loop(Some(iterable)), span(node))));
                v.push_scope(ScopeKind::Comprehension, None);
                scopes += 1;
                if let Some(target) = v.syntax.child(child, Role::Left) {
                    v.bind_element(target, iterable);
                }
            }
            "if_clause" => {
                let condition = match v.only_child(child) {
                    Some(condition) => v.expr(condition),
                    None => v.unknown(child),
                };
                open.push(Clause::If(condition, v.builder.open_block(BlockKind::Then(condition), span(node))));
            }
            _ => {}
        });
        let value = match body {
            Some(body) if body.kind() == "pair" => {
                let key = self.syntax.child(body, Role::Name).map(|key| self.expr(key));
                let value = self.syntax.child(body, Role::Value).map(|value| self.expr(value));
                if let Some(key) = key {
                    self.builder.step(Step::Eval(key));
                }
                let value = value.unwrap_or_else(|| self.unknown(body));
                self.builder.step(Step::Eval(value));
                ExprKind::Object(Box::new([(Name::new("[]"), value)]))
            }
            Some(body) => {
                let element = self.expr(body);
                self.builder.step(Step::Eval(element));
                let elements = self.builder.expr(span(body), ExprKind::List(Box::new([element])));
                let spread = self.builder.expr(span(node), ExprKind::Spread(elements));
                ExprKind::List(Box::new([spread]))
            }
            None => ExprKind::Unknown,
        };
        for _ in 0..scopes {
            self.pop_scope();
        }
        while let Some(clause) = open.pop() {
            self.builder.close_block();
            self.builder.step(match clause {
                Clause::Loop(block) => Step::Loop(block),
                Clause::If(condition, then) => Step::If { condition, then, otherwise: None },
            });
        }
        self.builder.expr(span(node), value)
    }
}
