//! Statements: what runs in a block, in order.

use tree_sitter::Node;

use super::{LONGEST, This, Visitor, span};
use crate::facts::{BlockId, BlockKind, DefKind, ExprId, ExprKind, Op, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'s, 't> Visitor<'_, 's, 't> {
    pub(super) fn program(&mut self, root: Node<'t>) {
        let mut head = true;
        self.each(root, |this, child| {
            head = head
                && match this.directive(child) {
                    Some(text) => {
                        this.builder.facts().directives.push(Name::new(&text));
                        true
                    }
                    None => false,
                };
            if !head {
                this.statement(child);
            }
        });
    }

    /// A statement, or an expression that stands where one could not be read.
    pub(super) fn statement(&mut self, node: Node<'t>) {
        self.deeper(|this| this.statement_here(node));
    }

    fn statement_here(&mut self, node: Node<'t>) {
        match self.shape(node) {
            Shape::Skip => {}
            Shape::Statement => self.each(node, |this, child| this.effect(child)),
            Shape::Declaration => self.declaration(node),
            Shape::Return => {
                let value = self.first(node).map(|value| self.expression(value));
                self.builder.step(Step::Return(value));
            }
            Shape::Throw => {
                let value = self.first(node).map(|value| self.expression(value));
                self.builder.step(Step::Throw(value));
            }
            Shape::Jump => {
                let leaves = node.kind() == "break_statement";
                self.builder.step(if leaves { Step::Break } else { Step::Jump });
            }
            Shape::If => self.branches(node),
            Shape::Try => self.attempt(node),
            Shape::Each => self.each_loop(node),
            Shape::While => self.while_loop(node),
            Shape::For => self.for_loop(node),
            Shape::Switch => self.switch(node),
            Shape::Block => {
                let block = self.in_block(BlockKind::Plain, node, |this| {
                    this.each(node, |this, child| this.statement(child));
                });
                self.builder.step(Step::Block(block));
            }
            Shape::With => {
                let value = self.operand(node, Role::Value);
                let block = self.body(BlockKind::With(value), node);
                self.builder.step(Step::Block(block));
            }
            Shape::Labeled => {
                if let Some(body) = self.child(node, Role::Body) {
                    self.statement(body);
                }
            }
            Shape::FunctionDeclaration => {
                self.function_declaration(node);
            }
            Shape::ClassDeclaration => {
                self.class_declaration(node, vec![]);
            }
            Shape::Enum => self.enumeration(node),
            Shape::Namespace => self.namespace(node),
            Shape::Import => self.import_statement(node),
            Shape::Export => self.export_statement(node),
            Shape::Other => self.fragments(node),
            _ => self.effect(node),
        }
    }

    /// An expression that is evaluated for what it does.
    fn effect(&mut self, node: Node<'t>) {
        match self.shape(node) {
            Shape::Assign | Shape::Augment => self.assign_step(node),
            Shape::Update => {
                let target = self.operand(node, Role::Value);
                let value = self.assigned(node, target);
                self.builder.assign_name(target, value);
            }
            Shape::Sequence => self.each(node, |this, child| this.effect(child)),
            Shape::Wrap if self.text(node).starts_with('(') => {
                if let Some(inner) = self.first(node) {
                    self.deeper(|this| this.effect(inner));
                }
            }
            Shape::Namespace => self.namespace(node),
            Shape::Other => self.fragments(node),
            Shape::Text => {}
            _ => self.evaluate(node),
        }
    }

    fn assign_step(&mut self, node: Node<'t>) {
        let Some(left) = self.child(node, Role::Left) else { return };
        if matches!(self.shape(left), Shape::ObjectPattern | Shape::ArrayPattern) {
            let value = self.taken(node, Role::Right);
            return self.assign_pattern(left, value);
        }
        let target = self.expression(left);
        let mut value = self.assigned(node, target);
        self.export_assignment(left, value);
        // `a = b = c` gives c to both; the inner one has noted its own.
        if let ExprKind::Op(Op::Assign, ref operands) = *self.builder.kind(value) {
            value = operands[1];
        }
        self.give_field(target, value);
        self.builder.assign_name(target, value);
    }

    /// The value that a pattern takes apart: evaluated once, before its parts are taken.
    fn taken(&mut self, node: Node<'t>, role: Role) -> ExprId {
        let before = self.weight();
        let value = self.operand(node, role);
        if self.weight() != before {
            self.builder.step(Step::Eval(value));
        }
        value
    }

    // ---- declarations -----------------------------------------------------------------------------------

    fn declaration(&mut self, node: Node<'t>) {
        let text = self.text(node);
        let (kind, block) = if text.starts_with("var") {
            (DefKind::Variable, self.builder.function_block())
        } else if text.starts_with("let") {
            (DefKind::Variable, self.builder.block())
        } else {
            (DefKind::Constant, self.builder.block())
        };
        self.each(node, |this, child| match this.shape(child) {
            Shape::Declarator => this.declarator(child, kind, block),
            _ => this.fragments(child),
        });
    }

    fn declarator(&mut self, node: Node<'t>, kind: DefKind, block: BlockId) {
        let Some(name) = self.child(node, Role::Name) else { return self.fragments(node) };
        if self.shape(name) != Shape::Identifier {
            let value = self.taken(node, Role::Value);
            return self.declare_pattern(name, value, block, kind);
        }
        let text = self.text(name);
        let value = self.child(node, Role::Value).map(|value| self.expression_as(value, Some(text)));
        let def = self.builder.define_in(block, text, kind, span(name));
        if let Some(value) = value {
            self.builder.bind(def, value);
        }
        if let Some(ty) = self.child(node, Role::Type).and_then(|ty| self.annotated(ty)) {
            self.builder.set_type(def, ty);
        }
    }

    pub(super) fn function_declaration(&mut self, node: Node<'t>) -> ExprId {
        let name = self.child(node, Role::Name).map(|name| (self.text(name), span(name)));
        self.this.push(This::Caller);
        let function = self.function(node, name.map(|(name, _)| name));
        self.this.pop();
        let value = self.builder.expr(span(node), ExprKind::Function(function));
        if let Some((name, place)) = name {
            let def = self.builder.define(name, DefKind::Function, place);
            self.builder.give(def, value);
        }
        value
    }

    pub(super) fn class_declaration(&mut self, node: Node<'t>, decorators: Vec<ExprId>) -> ExprId {
        let name = self.child(node, Role::Name).map(|name| (self.text(name), span(name)));
        let class = self.class(node, None, decorators);
        let value = self.builder.expr(span(node), ExprKind::Class(class));
        if let Some((name, place)) = name {
            let def = self.builder.define(name, DefKind::Class, place);
            self.builder.give(def, value);
        }
        value
    }

    /// An enumeration is a constant object.
    fn enumeration(&mut self, node: Node<'t>) {
        let Some(name) = self.child(node, Role::Name) else { return };
        let start = self.pairs.len();
        if let Some(body) = self.child(node, Role::Body) {
            let mut next = 0.0;
            self.each(body, |this, member| {
                if this.shape(member) == Shape::Pair {
                    this.property(member);
                    if let Some(&(_, value)) = this.pairs.last()
                        && let ExprKind::Number(number) = *this.builder.kind(value)
                    {
                        next = number + 1.0;
                    }
                } else {
                    let value = this.builder.expr(span(member), ExprKind::Number(next));
                    next += 1.0;
                    let key = match this.shape(member) {
                        Shape::Text => Name::new(&this.string_text(member)),
                        _ => Name::new(this.text(member)),
                    };
                    this.pairs.push((key, value));
                }
            });
        }
        let kind = ExprKind::Object(self.pairs[start..].into());
        self.pairs.truncate(start);
        let value = self.builder.expr(span(node), kind);
        let text = self.text(name);
        let def = self.builder.define(text, DefKind::Constant, span(name));
        self.builder.bind(def, value);
    }

    fn namespace(&mut self, node: Node<'t>) {
        let Some(body) = self.child(node, Role::Body) else { return };
        self.namespaces += 1;
        self.statement(body);
        self.namespaces -= 1;
    }

    // ---- blocks -----------------------------------------------------------------------------------------

    fn in_block(&mut self, kind: BlockKind, node: Node<'t>, visit: impl FnOnce(&mut Self)) -> BlockId {
        let block = self.builder.open_block(kind, span(node));
        visit(self);
        self.builder.close_block();
        block
    }

    /// A statement as a block of its own, its braces being that block.
    fn braces(&mut self, node: Node<'t>) {
        match self.shape(node) {
            Shape::Block => self.each(node, |this, child| this.statement(child)),
            _ => self.statement(node),
        }
    }

    fn body(&mut self, kind: BlockKind, node: Node<'t>) -> BlockId {
        let body = self.child(node, Role::Body);
        self.in_block(kind, body.unwrap_or(node), |this| {
            if let Some(body) = body {
                this.braces(body);
            }
        })
    }

    /// `if`, and its ladder of `else if` as a loop: generated code has hundreds.
    fn branches(&mut self, node: Node<'t>) {
        let mut ladder: Vec<(ExprId, BlockId, Option<BlockId>)> = Vec::new();
        let mut at = node;
        loop {
            let condition = self.operand(at, Role::Condition);
            let then = self.child(at, Role::Then);
            let then = self.in_block(BlockKind::Then(condition), then.unwrap_or(at), |this| {
                if let Some(then) = then {
                    this.braces(then);
                }
            });
            let otherwise = self.child(at, Role::Otherwise).and_then(|clause| self.first(clause));
            let Some(otherwise) = otherwise else {
                ladder.push((condition, then, None));
                break;
            };
            let block = self.builder.open_block(BlockKind::Else(condition), span(otherwise));
            ladder.push((condition, then, Some(block)));
            if self.shape(otherwise) != Shape::If {
                self.braces(otherwise);
                break;
            }
            if ladder.len() >= LONGEST {
                self.builder.facts().too_deep = true;
                break;
            }
            at = otherwise;
        }
        for (condition, then, otherwise) in ladder.into_iter().rev() {
            // The innermost `else` is the block still open.
            if otherwise.is_some() {
                self.builder.close_block();
            }
            self.builder.step(Step::If { condition, then, otherwise });
        }
    }

    fn attempt(&mut self, node: Node<'t>) {
        let body = self.body(BlockKind::Try, node);
        let mut handlers = Vec::new();
        if let Some(handler) = self.child(node, Role::Handler) {
            let block = self.builder.open_block(BlockKind::Catch(None), span(handler));
            if let Some(name) = self.child(handler, Role::Name) {
                let caught = self.builder.expr(span(name), ExprKind::Caught);
                self.declare_pattern(name, caught, block, DefKind::Caught);
            }
            if let Some(body) = self.child(handler, Role::Body) {
                self.braces(body);
            }
            self.builder.close_block();
            handlers.push(block);
        }
        let finally = self.child(node, Role::Finally).map(|clause| self.body(BlockKind::Finally, clause));
        self.builder.step(Step::Try { body, handlers: handlers.into(), finally });
    }

    fn each_loop(&mut self, node: Node<'t>) {
        let list = self.operand(node, Role::Right);
        let block = self.builder.open_block(BlockKind::Loop(Some(list)), span(node));
        let operator = self.child(node, Role::Operator).map_or("", |operator| self.text(operator));
        if let Some(left) = self.child(node, Role::Left) {
            // `for (key in object)` takes the keys.
            let kind = if operator == "in" { ExprKind::Unknown } else { ExprKind::ElementOf(list) };
            let element = self.builder.expr(span(left), kind);
            if self.has_token(node, "await") {
                self.builder.mark_awaited(list);
            }
            if self.has_token(node, "const") || self.has_token(node, "let") || self.has_token(node, "using") {
                self.declare_pattern(left, element, block, DefKind::Variable);
            } else if self.has_token(node, "var") {
                let body = self.builder.function_block();
                self.declare_pattern(left, element, body, DefKind::Variable);
            } else {
                self.assign_pattern(left, element);
            }
        }
        if let Some(body) = self.child(node, Role::Body) {
            self.braces(body);
        }
        self.builder.close_block();
        self.builder.step(Step::Loop(block));
    }

    fn while_loop(&mut self, node: Node<'t>) {
        let block = self.builder.open_block(BlockKind::Loop(None), span(node));
        // `do` runs its body before it asks.
        let parts = match node.kind() {
            "do_statement" => [Role::Body, Role::Condition],
            _ => [Role::Condition, Role::Body],
        };
        for role in parts {
            let Some(part) = self.child(node, role) else { continue };
            if role == Role::Body {
                self.braces(part);
            } else {
                let condition = self.expression(part);
                self.builder.set_block_kind(block, BlockKind::Loop(Some(condition)));
            }
        }
        self.builder.close_block();
        self.builder.step(Step::Loop(block));
    }

    fn for_loop(&mut self, node: Node<'t>) {
        let block = self.builder.open_block(BlockKind::Loop(None), span(node));
        if let Some(start) = self.child(node, Role::Start) {
            self.statement(start);
        }
        // An empty condition is a lone semicolon.
        if let Some(condition) = self.child(node, Role::Condition).filter(|&asked| self.shape(asked) != Shape::Skip) {
            let condition = self.expression(condition);
            self.builder.set_block_kind(block, BlockKind::Loop(Some(condition)));
        }
        if let Some(body) = self.child(node, Role::Body) {
            self.braces(body);
        }
        if let Some(next) = self.child(node, Role::Next) {
            self.effect(next);
        }
        self.builder.close_block();
        self.builder.step(Step::Loop(block));
    }

    fn switch(&mut self, node: Node<'t>) {
        let subject = self.operand(node, Role::Value);
        let mut cases = Vec::new();
        if let Some(body) = self.child(node, Role::Body) {
            self.each(body, |this, case| {
                let asked = this.child(case, Role::Value);
                let value = asked.map(|value| this.expression(value));
                let block = this.in_block(BlockKind::Case(subject, value), case, |this| {
                    this.each(case, |this, child| {
                        if Some(child) != asked {
                            this.statement(child);
                        }
                    });
                });
                cases.push(block);
            });
        }
        self.builder.step(Step::Switch(subject, cases.into()));
    }
}
