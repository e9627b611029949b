//! Decisions and errors: `if`, `assert`, `try`, `raise`, `with`.

use tree_sitter::Node;

use super::{DEPTH_LIMIT, Visitor, span};
use crate::facts::{BlockId, BlockKind, DefKind, ExprId, ExprKind, Step};
use crate::lang::{Role, Shape};

/// An `if` or `elif` whose `else` is still open.
struct Open {
    condition: ExprId,
    then: BlockId,
    otherwise: BlockId,
}

impl<'t> Visitor<'_, '_, 't> {
    /// `elif` is an `If` in the `Else` block; a ladder is walked, not recursed into.
    pub(super) fn if_else(&mut self, node: Node<'t>) {
        let mut open: Vec<Open> = Vec::new();
        let mut current: Option<(ExprId, BlockId)> = None;
        let mut otherwise = None;
        let (mut is_first, mut cut) = (true, false);
        self.children(node, |v, child| {
            if is_first {
                is_first = false;
                current = v.arm(node);
            } else if let Some((condition, then)) = current {
                match child.kind() {
                    _ if cut => {}
                    "elif_clause" if v.depth + open.len() >= DEPTH_LIMIT => {
                        cut = true;
                        v.builder.facts().too_deep = true;
                    }
                    "elif_clause" => {
                        let otherwise = v.builder.open_block(BlockKind::Else(condition), span(child));
                        open.push(Open { condition, then, otherwise });
                        current = v.arm(child);
                    }
                    "else_clause" => {
                        let body = v.syntax.child(child, Role::Body).unwrap_or(child);
                        otherwise = Some(v.suite(BlockKind::Else(condition), body));
                    }
                    _ if child.is_error() => v.statement(child),
                    _ => {}
                }
            }
        });
        if let Some((condition, then)) = current {
            self.builder.step(Step::If { condition, then, otherwise });
        }
        while let Some(Open { condition, then, otherwise }) = open.pop() {
            self.builder.close_block();
            self.builder.step(Step::If { condition, then, otherwise: Some(otherwise) });
        }
    }

    /// Condition and consequence of an `if` or `elif`.
    fn arm(&mut self, node: Node<'t>) -> Option<(ExprId, BlockId)> {
        let condition = match self.syntax.child(node, Role::Condition) {
            Some(condition) => self.expr(condition),
            None => self.unknown(node),
        };
        let is_typing = match *self.builder.kind(condition) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "TYPE_CHECKING",
            _ => false,
        };
        let before = self.types_only;
        self.types_only |= is_typing;
        let then = match self.syntax.child(node, Role::Then) {
            Some(then) => self.suite(BlockKind::Then(condition), then),
            None => self.empty(BlockKind::Then(condition), node),
        };
        self.types_only = before;
        Some((condition, then))
    }

    pub(super) fn empty(&mut self, kind: BlockKind, node: Node<'t>) -> BlockId {
        let block = self.builder.open_block(kind, span(node));
        self.builder.close_block();
        block
    }

    /// `assert c, m` is `if c: pass else: raise m`.
    pub(super) fn assert(&mut self, node: Node<'t>) {
        let mut condition = None;
        let mut message = None;
        self.children(node, |v, child| match condition {
            None => condition = Some(v.expr(child)),
            Some(_) => message = message.or(Some(child)),
        });
        let Some(condition) = condition else { return };
        let then = self.empty(BlockKind::Then(condition), node);
        let otherwise = self.builder.open_block(BlockKind::Else(condition), span(node));
        let message = message.map(|message| self.expr(message));
        self.builder.step(Step::Throw(message));
        self.builder.close_block();
        self.builder.step(Step::If { condition, then, otherwise: Some(otherwise) });
    }

    pub(super) fn raise(&mut self, node: Node<'t>) {
        let cause = self.syntax.child(node, Role::Value);
        let mut value = None;
        self.children(node, |v, child| {
            let read = v.expr(child);
            if cause != Some(child) && value.is_none() {
                value = Some(read);
            }
        });
        self.builder.step(Step::Throw(value));
    }

    /// The `else` part becomes the end of the `Try` block: it runs only after all of the body did.
    pub(super) fn try_except(&mut self, node: Node<'t>) {
        let at = self.syntax.child(node, Role::Body).unwrap_or(node);
        let body = self.builder.open_block(BlockKind::Try, span(at));
        if at != node {
            self.statements(at);
        }
        self.children(node, |v, child| {
            if child.kind() == "else_clause" {
                v.statements(v.syntax.child(child, Role::Body).unwrap_or(child));
            }
        });
        self.builder.close_block();
        let mut handlers = Vec::new();
        let mut finally = None;
        self.children(node, |v, child| match child.kind() {
            "except_clause" => handlers.push(v.except(child)),
            "finally_clause" => {
                let suite = v.only_child(child).unwrap_or(child);
                finally = Some(v.suite(BlockKind::Finally, suite));
            }
            _ if child.is_error() => v.statement(child),
            _ => {}
        });
        self.builder.step(Step::Try { body, handlers: handlers.into(), finally });
    }

    /// `except X as e`, `except (A, B)`, and Python 2's `except X, e`.
    fn except(&mut self, node: Node<'t>) -> BlockId {
        let mut parts = Vec::new();
        let mut suite = node;
        self.children(node, |v, child| match v.shape(child) {
            Shape::Block => suite = child,
            _ => parts.push(child),
        });
        let mut alias = None;
        if let [first, second] = parts[..]
            && self.shape(second) == Shape::Identifier
            && self.source(second).starts_with(|c: char| c.is_ascii_lowercase())
        {
            alias = Some(second);
            parts = vec![first];
        }
        if let [only] = parts[..]
            && only.kind() == "as_pattern"
        {
            alias = self.syntax.child(only, Role::Name).and_then(|target| self.only_child(target));
            parts = self.only_child(only).into_iter().collect();
        }
        let types: Vec<ExprId> = parts.into_iter().map(|part| self.expr(part)).collect();
        let ty = match types[..] {
            [] => None,
            [only] => Some(only),
            _ => Some(self.builder.expr(span(node), ExprKind::List(types.into()))),
        };
        let block = self.builder.open_block(BlockKind::Catch(ty), span(suite));
        if let Some(alias) = alias.filter(|&alias| self.shape(alias) == Shape::Identifier) {
            let name = self.source(alias);
            let def = self.builder.define(name, DefKind::Caught, span(alias));
            let caught = self.builder.expr(span(alias), ExprKind::Caught);
            self.builder.give(def, caught);
        }
        if suite != node {
            self.statements(suite);
        }
        self.builder.close_block();
        block
    }

    /// Every item opens a block in the one before; its target is bound to the context expression itself.
    pub(super) fn with(&mut self, node: Node<'t>) {
        let is_async = is_async(node);
        let mut opened = Vec::new();
        self.children(node, |v, child| {
            if child.kind() == "with_clause" {
                v.children(child, |v, item| v.context(item, is_async, &mut opened));
            } else if child.is_error() {
                v.statement(child);
            }
        });
        if let Some(body) = self.syntax.child(node, Role::Body) {
            self.statements(body);
        }
        while let Some(block) = opened.pop() {
            self.builder.close_block();
            self.builder.step(Step::Block(block));
        }
    }

    fn context(&mut self, item: Node<'t>, is_async: bool, opened: &mut Vec<BlockId>) {
        let item = if item.kind() == "with_item" { self.only_child(item).unwrap_or(item) } else { item };
        // `with (a as b, c as d)` is read as one tuple.
        if matches!(self.shape(item), Shape::List | Shape::Wrap) && self.enter() {
            let mut names = false;
            self.children(item, |_, child| names |= child.kind() == "as_pattern");
            if names {
                self.children(item, |v, child| v.context(child, is_async, opened));
            }
            self.leave();
            if names {
                return;
            }
        }
        let (value, target) = if item.kind() == "as_pattern" {
            let target = self.syntax.child(item, Role::Name).and_then(|target| self.only_child(target));
            (self.only_child(item).unwrap_or(item), target)
        } else {
            (item, None)
        };
        let value = self.expr(value);
        if is_async {
            self.builder.mark_awaited(value);
        }
        opened.push(self.builder.open_block(BlockKind::With(value), span(item)));
        if let Some(target) = target {
            self.bind_target(target, value, None);
        }
    }
}

/// Whether a `def`, `for` or `with` starts with `async`.
pub(super) fn is_async(node: Node<'_>) -> bool {
    node.child(0).is_some_and(|first| first.kind() == "async")
}
