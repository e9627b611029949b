//! `match`: a switch over its subject, whose patterns bind names.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{BlockId, BlockKind, DefKind, ExprId, ExprKind, Step};
use crate::lang::{Role, Shape};

/// A name that a pattern binds: to the whole subject, or to a part of it.
struct Capture<'t> {
    name: Node<'t>,
    whole: bool,
}

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn match_case(&mut self, node: Node<'t>) {
        let body = self.syntax.child(node, Role::Body);
        let mut subjects = Vec::new();
        self.children(node, |v, child| {
            if Some(child) != body {
                subjects.push(v.expr(child));
            }
        });
        let subject = match subjects[..] {
            [only] => only,
            _ => self.builder.expr(span(node), ExprKind::List(subjects.into())),
        };
        let mut cases = Vec::new();
        if let Some(body) = body {
            self.children(body, |v, child| match child.kind() {
                "case_clause" => cases.push(v.case(child, subject)),
                _ => v.statement(child),
            });
        }
        self.builder.step(Step::Switch(subject, cases.into()));
    }

    fn case(&mut self, node: Node<'t>, subject: ExprId) -> BlockId {
        let (guard, body) = (self.syntax.child(node, Role::Condition), self.syntax.child(node, Role::Then));
        let mut captures = Vec::new();
        let mut value = None;
        let mut patterns = 0;
        self.children(node, |v, child| {
            if child.kind() == "case_pattern" {
                patterns += 1;
                value = v.pattern(child, true, &mut captures);
            }
        });
        if patterns > 1 {
            value = Some(self.unknown(node));
        }
        let block = self.builder.open_block(BlockKind::Case(subject, value), span(node));
        for Capture { name, whole } in captures {
            let part = if whole {
                subject
            } else {
                let unknown = self.unknown(name);
                self.builder.expr(span(name), ExprKind::Index(subject, unknown))
            };
            let def = self.define(self.source(name), DefKind::Variable, span(name));
            self.builder.bind(def, part);
        }
        let guard = guard.and_then(|guard| self.only_child(guard));
        match (guard, body) {
            (Some(guard), Some(body)) => {
                let condition = self.expr(guard);
                let then = self.suite(BlockKind::Then(condition), body);
                self.builder.step(Step::If { condition, then, otherwise: None });
            }
            (None, Some(body)) => self.statements(body),
            _ => {}
        }
        self.builder.close_block();
        block
    }

    /// The value a pattern compares with, none when it takes anything; several are a list.
    fn pattern(&mut self, node: Node<'t>, whole: bool, captures: &mut Vec<Capture<'t>>) -> Option<ExprId> {
        if !self.enter() {
            return None;
        }
        let value = self.pattern_value(node, whole, captures);
        self.leave();
        value
    }

    fn pattern_value(&mut self, node: Node<'t>, whole: bool, captures: &mut Vec<Capture<'t>>) -> Option<ExprId> {
        match node.kind() {
            "case_pattern" => {
                let inner = self.only_child(node)?;
                self.pattern(inner, whole, captures)
            }
            "dotted_name" => self.name_pattern(node, whole, captures),
            "union_pattern" => {
                let mut values = Vec::new();
                let mut open = false;
                self.children(node, |v, child| match v.pattern(child, whole, captures) {
                    Some(value) => values.push(value),
                    None => open = true,
                });
                (!open).then(|| self.builder.expr(span(node), ExprKind::List(values.into())))
            }
            "as_pattern" => {
                let mut value = None;
                self.children(node, |v, child| match v.shape(child) {
                    Shape::Identifier => captures.push(Capture { name: child, whole }),
                    _ => value = v.pattern(child, whole, captures),
                });
                value
            }
            "class_pattern" => {
                let mut class = None;
                self.children(node, |v, child| match class {
                    None => class = Some(v.dotted_path(child)),
                    Some(_) => drop(v.pattern(child, false, captures)),
                });
                class
            }
            "tuple_pattern" if node.named_child_count() == 1 && !self.source(node).contains(',') => {
                let inner = node.named_child(0)?;
                self.pattern(inner, whole, captures)
            }
            "list_pattern" | "tuple_pattern" | "dict_pattern" | "splat_pattern" | "keyword_pattern" => {
                let is_keyword = node.kind() == "keyword_pattern";
                let mut first = true;
                self.children(node, |v, child| {
                    let is_key = is_keyword && std::mem::take(&mut first);
                    match v.shape(child) {
                        _ if is_key => {}
                        Shape::Identifier => captures.push(Capture { name: child, whole: false }),
                        _ => drop(v.pattern(child, false, captures)),
                    }
                });
                Some(self.unknown(node))
            }
            _ => Some(self.expr(node)),
        }
    }

    /// A lone name takes anything and is bound; a dotted one is a constant.
    fn name_pattern(&mut self, node: Node<'t>, whole: bool, captures: &mut Vec<Capture<'t>>) -> Option<ExprId> {
        match (node.named_child_count(), node.named_child(0)) {
            (1, Some(name)) => {
                if self.source(name) != "_" {
                    captures.push(Capture { name, whole });
                }
                None
            }
            _ => Some(self.dotted_path(node)),
        }
    }

    /// `a.b.c` written as a dotted name.
    fn dotted_path(&mut self, node: Node<'t>) -> ExprId {
        let mut path = None;
        self.children(node, |v, part| {
            let name = v.source(part);
            path = Some(match path {
                None => v.builder.reference(span(part), name),
                Some(base) => v.builder.member(span(part), base, name),
            });
        });
        path.unwrap_or_else(|| self.unknown(node))
    }
}
