//! Values: names, operators, calls and what they are chained on.

use tree_sitter::Node;

use super::{LONGEST, This, Visitor, span};
use crate::facts::{Arg, Expr, ExprId, ExprKind, Op, Span};
use crate::lang::{Role, Shape};
use crate::names::Name;

impl<'s, 't> Visitor<'_, 's, 't> {
    /// An expression's value.
    pub(super) fn expression(&mut self, node: Node<'t>) -> ExprId {
        self.expression_as(node, None)
    }

    /// The value of a part of a node.
    pub(super) fn operand(&mut self, node: Node<'t>, role: Role) -> ExprId {
        match self.child(node, role) {
            Some(child) => self.expression(child),
            None => self.unknown(node),
        }
    }

    /// An expression's value; a function or class without a name of its own gets that of what it is assigned to.
    pub(super) fn expression_as(&mut self, node: Node<'t>, name: Option<&str>) -> ExprId {
        match self.shape(node) {
            // The commonest leaves need no guard.
            Shape::Identifier | Shape::Shorthand => {
                let text = self.text(node);
                self.builder.reference(span(node), text)
            }
            Shape::Text => self.string(node),
            shape => self.deeper(|this| this.compound(node, shape, name)).unwrap_or_else(|| self.unknown(node)),
        }
    }

    fn compound(&mut self, node: Node<'t>, shape: Shape, name: Option<&str>) -> ExprId {
        let whole = span(node);
        let kind = match shape {
            Shape::Template => return self.template(node),
            Shape::Number => return self.number(node),
            Shape::True => ExprKind::Bool(true),
            Shape::False => ExprKind::Bool(false),
            Shape::Null => ExprKind::Null,
            Shape::Call | Shape::Member | Shape::Index => return self.chain(node),
            Shape::New => return self.construction(node),
            Shape::Wrap => {
                return match self.first(node) {
                    Some(inner) => self.expression_as(inner, name),
                    None => self.unknown(node),
                };
            }
            Shape::Object => return self.object(node),
            Shape::List => return self.list(node),
            Shape::Function => {
                let name = match self.child(node, Role::Name) {
                    Some(own) => Some(self.text(own)),
                    None => name,
                };
                if self.is_plain_function(node) {
                    self.this.push(This::Caller);
                    let function = self.function(node, name);
                    self.this.pop();
                    ExprKind::Function(function)
                } else {
                    ExprKind::Function(self.function(node, name))
                }
            }
            Shape::Class => ExprKind::Class(self.class(node, name, vec![])),
            Shape::Await => {
                let value = self.only(node);
                return self.awaited(whole, value);
            }
            Shape::Yield => ExprKind::Op(Op::Yield, Box::new([self.only(node)])),
            Shape::Spread => ExprKind::Spread(self.only(node)),
            Shape::Unary => return self.unary(node),
            Shape::Update => {
                let target = self.operand(node, Role::Value);
                return self.assignment_value(target, |this| this.step_by_one(node, target), whole);
            }
            Shape::Binary => return self.binary(node),
            Shape::Choose => {
                let condition = self.operand(node, Role::Condition);
                let then = self.operand(node, Role::Then);
                let otherwise = self.operand(node, Role::Otherwise);
                ExprKind::Op(Op::Choose, Box::new([condition, then, otherwise]))
            }
            Shape::Assign | Shape::Augment => return self.assignment(node),
            Shape::Sequence => {
                let start = self.ids.len();
                self.each(node, |this, child| {
                    let value = this.expression(child);
                    this.ids.push(value);
                });
                let values = self.ids[start..].into();
                self.ids.truncate(start);
                ExprKind::Op(Op::Other, values)
            }
            Shape::This => match self.this_class() {
                Some(class) => ExprKind::This(class),
                None => ExprKind::Unknown,
            },
            Shape::Super => match self.this_class() {
                Some(class) => ExprKind::Super(class),
                None => ExprKind::Unknown,
            },
            Shape::Element => return self.element(node),
            Shape::Meta if self.text(node).ends_with("meta") => {
                let import = self.builder.reference(whole, "import");
                return self.builder.member(whole, import, "meta");
            }
            Shape::Opaque | Shape::Meta | Shape::ImportCall => ExprKind::Unknown,
            _ => {
                self.fragments(node);
                ExprKind::Unknown
            }
        };
        self.builder.expr(whole, kind)
    }

    /// The value of a node that holds one.
    fn only(&mut self, node: Node<'t>) -> ExprId {
        match self.first(node) {
            Some(inner) => self.expression(inner),
            None => self.builder.expr(span(node), ExprKind::Null),
        }
    }

    /// The class that `this` means here; an object literal becomes one when it is asked.
    fn this_class(&mut self) -> Option<crate::facts::ClassId> {
        match *self.this.last()? {
            This::Class(class) => Some(class),
            This::Object(Some(class), _) => Some(class),
            This::Object(None, whole) => {
                let class = self.builder.open_class(None, whole);
                self.builder.close_class();
                if let Some(last) = self.this.last_mut() {
                    *last = This::Object(Some(class), whole);
                }
                Some(class)
            }
            This::Caller => None,
        }
    }

    // ---- chains -----------------------------------------------------------------------------------------

    /// `a.b().c[d]()`: generated code chains hundreds, so the links are a loop and not a recursion.
    fn chain(&mut self, node: Node<'t>) -> ExprId {
        let start = self.nodes.len();
        let mut prefixes = vec![];
        let mut at = node;
        let mut value = loop {
            self.nodes.push(at);
            let inner = match self.shape(at) {
                Shape::Call => self.child(at, Role::Callee),
                Shape::Wrap => self.first(at),
                _ => self.child(at, Role::Base),
            };
            let Some(inner) = inner else { break self.unknown(at) };
            match self.shape(inner) {
                Shape::Call | Shape::Member | Shape::Index | Shape::Wrap if self.nodes.len() - start < 2 * LONGEST => {
                    at = inner;
                }
                Shape::Call | Shape::Member | Shape::Index | Shape::Wrap => {
                    self.builder.facts().too_deep = true;
                    break self.unknown(inner);
                }
                Shape::ImportCall => {
                    // `import(..)` has no value to call; the link above it makes the import.
                    self.nodes.pop();
                    let call = at;
                    let source = self.child(call, Role::Arguments);
                    break self.dynamic_import(call, source);
                }
                // Without parentheses an operator stands before the whole chain; where a call has type arguments,
                // `await f<T>()`, the grammar lets it stand before its beginning.
                Shape::Await | Shape::Unary if self.shape(at) != Shape::Wrap => {
                    prefixes.push(inner);
                    while let Some(operand) = self.operand_of(prefixes[prefixes.len() - 1])
                        && matches!(self.shape(operand), Shape::Await | Shape::Unary)
                    {
                        prefixes.push(operand);
                    }
                    break match prefixes.last().and_then(|&prefix| self.operand_of(prefix)) {
                        Some(operand) => self.expression(operand),
                        None => self.unknown(inner),
                    };
                }
                _ => break self.expression(inner),
            }
        };
        let first = match prefixes[..] {
            [] => 0,
            _ => self.builder.facts().span(value).start,
        };
        let span = |link: Node<'t>| {
            let Span { start, end } = span(link);
            Span { start: start.max(first), end }
        };
        while self.nodes.len() > start {
            let Some(link) = self.nodes.pop() else { break };
            value = match self.shape(link) {
                Shape::Call => self.finish_call(link, span(link), value),
                Shape::Index => {
                    let index = self.operand(link, Role::Index);
                    self.builder.index(span(link), value, index)
                }
                // `x as A.B.C` reads as `(x as A.B).C` to the grammar: without parentheses the name is the type's.
                Shape::Member if self.child(link, Role::Base).is_some_and(|base| is_cast(base)) => value,
                Shape::Member => {
                    let name = self.child(link, Role::Name).map_or("", |name| self.text(name));
                    self.builder.member(span(link), value, name)
                }
                _ => value,
            };
        }
        for prefix in prefixes.into_iter().rev() {
            let whole = Span { start: prefix.start_byte() as u32, end: node.end_byte() as u32 };
            value = match self.shape(prefix) {
                Shape::Await => self.awaited(whole, value),
                _ => self.unary_of(prefix, whole, value),
            };
        }
        value
    }

    /// What an operator in front of it stands before.
    fn operand_of(&mut self, prefix: Node<'t>) -> Option<Node<'t>> {
        match self.shape(prefix) {
            Shape::Await => self.first(prefix),
            _ => self.child(prefix, Role::Value),
        }
    }

    fn awaited(&mut self, whole: Span, value: ExprId) -> ExprId {
        self.builder.mark_awaited(value);
        self.builder.expr(whole, ExprKind::Await(value))
    }

    fn finish_call(&mut self, node: Node<'t>, whole: Span, callee: ExprId) -> ExprId {
        let arguments = self.child(node, Role::Arguments);
        match arguments {
            Some(template) if self.shape(template) == Shape::Template => self.tagged(whole, callee, template),
            Some(arguments) => {
                if let ExprKind::Ref(name, block) = *self.builder.kind(callee)
                    && name == "require"
                    && self.builder.resolve(block, name).is_none()
                    && let Some(import) = self.require(node, arguments)
                {
                    return import;
                }
                let args = self.arguments(arguments);
                self.builder.call(whole, callee, args, false, false)
            }
            None => self.builder.call(whole, callee, [], false, false),
        }
    }

    fn tagged(&mut self, whole: Span, callee: ExprId, template: Node<'t>) -> ExprId {
        let value = self.template(template);
        self.builder.call(whole, callee, [Arg { name: None, value }], false, true)
    }

    fn arguments(&mut self, node: Node<'t>) -> Box<[Arg]> {
        let start = self.args.len();
        self.each(node, |this, child| {
            if child.is_error() {
                return this.fragments(child);
            }
            let value = this.expression(child);
            this.args.push(Arg { name: None, value });
        });
        let args = self.args[start..].into();
        self.args.truncate(start);
        args
    }

    fn construction(&mut self, node: Node<'t>) -> ExprId {
        let callee = self.operand(node, Role::Callee);
        let args = match self.child(node, Role::Arguments) {
            Some(arguments) => self.arguments(arguments),
            None => Box::new([]),
        };
        self.builder.call(span(node), callee, args, true, false)
    }

    // ---- operators --------------------------------------------------------------------------------------

    fn unary(&mut self, node: Node<'t>) -> ExprId {
        let value = self.operand(node, Role::Value);
        self.unary_of(node, span(node), value)
    }

    fn unary_of(&mut self, node: Node<'t>, whole: Span, value: ExprId) -> ExprId {
        let operator = self.child(node, Role::Operator).map_or("", |operator| self.text(operator));
        let op = match operator {
            "!" => Op::Not,
            "typeof" => Op::TypeOf,
            "void" => Op::Void,
            "-" | "+" | "~" => {
                if let ExprKind::Number(number) = *self.builder.kind(value)
                    && operator != "~"
                {
                    let number = if operator == "-" { -number } else { number };
                    return self.builder.expr(whole, ExprKind::Number(number));
                }
                Op::Arithmetic
            }
            _ => Op::Other,
        };
        self.builder.expr(whole, ExprKind::Op(op, Box::new([value])))
    }

    /// Operators lean left: `a + b + c` is a loop over its links, as long as generated code makes it.
    fn binary(&mut self, node: Node<'t>) -> ExprId {
        let start = self.nodes.len();
        let mut at = node;
        let mut value = loop {
            self.nodes.push(at);
            match self.child(at, Role::Left) {
                Some(left) if self.shape(left) == Shape::Binary => at = left,
                Some(left) => break self.expression(left),
                None => break self.unknown(at),
            }
        };
        let mut sum = Vec::new();
        let mut links = 0;
        while self.nodes.len() > start {
            let Some(link) = self.nodes.pop() else { break };
            let operator = self.child(link, Role::Operator);
            let sign = operator.map_or("", |operator| self.text(operator));
            let right = self.child(link, Role::Right);
            if sign == ">"
                && let Some(right) = right
                && operator.map(|operator| operator.end_byte()) == Some(right.start_byte())
                && let Some(tagged) = self.typed_tag(span(link), value, right)
            {
                value = tagged;
                continue;
            }
            let right = match right {
                Some(right) => self.expression(right),
                None => self.unknown(link),
            };
            if sign == "+" {
                if sum.is_empty() {
                    sum.push(value);
                }
                sum.push(right);
                let more = self.nodes.len() > start && self.nodes.last().is_some_and(|&next| self.is_plus(next));
                if !more {
                    value = self.builder.sum(span(link), std::mem::take(&mut sum));
                }
                continue;
            }
            links += 1;
            value = if links > LONGEST {
                self.builder.facts().too_deep = true;
                right
            } else {
                self.builder.expr(span(link), ExprKind::Op(binary_op(sign), Box::new([value, right])))
            };
        }
        value
    }

    fn is_plus(&self, node: Node<'t>) -> bool {
        self.child(node, Role::Operator).is_some_and(|operator| self.text(operator) == "+")
    }

    /// ``sql<Row>`..` `` reads as two comparisons in grammars that know no type arguments there.
    fn typed_tag(&mut self, whole: Span, left: ExprId, template: Node<'t>) -> Option<ExprId> {
        if self.shape(template) != Shape::Template {
            return None;
        }
        let ExprKind::Op(Op::Compare, ref operands) = *self.builder.kind(left) else { return None };
        let callee = *operands.first()?;
        let bound = Span { start: self.builder.facts().span(callee).start, end: whole.end };
        // And `await` then binds to the tag alone.
        if let ExprKind::Await(callee) = *self.builder.kind(callee) {
            let bound = Span { start: self.builder.facts().span(callee).start, end: whole.end };
            let call = self.tagged(bound, callee, template);
            self.builder.mark_awaited(call);
            return Some(self.builder.expr(whole, ExprKind::Await(call)));
        }
        Some(self.tagged(bound, callee, template))
    }

    // ---- assignments ------------------------------------------------------------------------------------

    /// An assignment in an expression: what it assigns to learns of the value, and it is an operator.
    fn assignment(&mut self, node: Node<'t>) -> ExprId {
        let Some(left) = self.child(node, Role::Left) else { return self.unknown(node) };
        if matches!(self.shape(left), Shape::ObjectPattern | Shape::ArrayPattern) {
            let value = self.operand(node, Role::Right);
            self.assign_pattern(left, value);
            return value;
        }
        let target = self.expression(left);
        let value = self.assignment_value(target, |this| this.assigned(node, target), span(node));
        self.export_assignment(left, value);
        value
    }

    fn assignment_value(&mut self, target: ExprId, value: impl FnOnce(&mut Self) -> ExprId, whole: Span) -> ExprId {
        let value = value(self);
        if !self.builder.give_name(target, value) {
            self.give_field(target, value);
        }
        self.builder.expr(whole, ExprKind::Op(Op::Assign, Box::new([target, value])))
    }

    /// The value an assignment leaves in its target.
    pub(super) fn assigned(&mut self, node: Node<'t>, target: ExprId) -> ExprId {
        if self.shape(node) == Shape::Update {
            return self.step_by_one(node, target);
        }
        let name = match *self.builder.kind(target) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(name),
            _ => None,
        };
        let value = match self.child(node, Role::Right) {
            Some(right) => self.expression_as(right, name.map(Name::as_str)),
            None => self.unknown(node),
        };
        if self.shape(node) == Shape::Assign {
            return value;
        }
        let sign = self.child(node, Role::Operator).map_or("", |operator| self.text(operator));
        match sign.strip_suffix('=').unwrap_or(sign) {
            "+" => self.builder.sum(span(node), vec![target, value]),
            sign => self.builder.expr(span(node), ExprKind::Op(binary_op(sign), Box::new([target, value]))),
        }
    }

    fn step_by_one(&mut self, node: Node<'t>, target: ExprId) -> ExprId {
        let whole = span(node);
        let one = self.builder.expr(whole, ExprKind::Number(1.0));
        let adds = self.child(node, Role::Operator).is_some_and(|operator| self.text(operator) == "++");
        let op = if adds { Op::Add } else { Op::Arithmetic };
        self.builder.expr(whole, ExprKind::Op(op, Box::new([target, one])))
    }

    // ---- objects and lists ------------------------------------------------------------------------------

    fn list(&mut self, node: Node<'t>) -> ExprId {
        let start = self.ids.len();
        self.each(node, |this, child| {
            let value = this.expression(child);
            this.ids.push(value);
        });
        let kind = ExprKind::List(self.ids[start..].into());
        self.ids.truncate(start);
        self.builder.expr(span(node), kind)
    }

    fn object(&mut self, node: Node<'t>) -> ExprId {
        let start = self.pairs.len();
        self.this.push(This::Object(None, span(node)));
        self.each(node, |this, child| this.property(child));
        if let Some(This::Object(Some(class), _)) = self.this.pop() {
            self.object_class(class, start);
        }
        let kind = ExprKind::Object(self.pairs[start..].into());
        self.pairs.truncate(start);
        self.builder.expr(span(node), kind)
    }

    pub(super) fn property(&mut self, node: Node<'t>) {
        let (name, value) = match self.shape(node) {
            Shape::Pair => {
                let name = self.key(node);
                let value = match self.child(node, Role::Value) {
                    Some(value) if self.is_plain_function(value) => {
                        let function = self.deeper(|this| this.function(value, Some(&name)));
                        let kind = function.map_or(ExprKind::Unknown, ExprKind::Function);
                        self.builder.expr(span(value), kind)
                    }
                    // `this` in a value that is no method is the surrounding one.
                    Some(value) => self.outer_this(|this| this.expression_as(value, Some(&name))),
                    None => self.unknown(node),
                };
                (name, value)
            }
            Shape::Shorthand => {
                let text = self.text(node);
                (self.builder.name(text), self.expression(node))
            }
            Shape::Method => {
                let name = self.key(node);
                let function = self.function(node, Some(&name));
                let value = self.builder.expr(span(node), ExprKind::Function(function));
                match self.has_token(node, "get") || self.has_token(node, "set") {
                    false => (name, value),
                    // The value is what the getter returns, which only a call would tell.
                    true => (name, self.builder.expr(span(node), ExprKind::Op(Op::Other, Box::new([value])))),
                }
            }
            Shape::Spread => (Name::new("..."), self.outer_this(|this| this.only(node))),
            _ => return self.fragments(node),
        };
        self.pairs.push((name, value));
    }

    /// Visits with the `this` around an object literal, unless the value is a function of the object's own.
    fn outer_this<T>(&mut self, visit: impl FnOnce(&mut Self) -> T) -> T {
        let object = self.this.pop();
        let result = visit(self);
        self.this.extend(object);
        result
    }

    /// The name a property is written under; `[]` for one that is computed.
    pub(super) fn key(&mut self, node: Node<'t>) -> Name {
        let Some(key) = self.child(node, Role::Name) else { return Name::new("") };
        match self.shape(key) {
            Shape::Text => Name::new(&self.string_text(key)),
            Shape::Other if key.kind() == "computed_property_name" => {
                let value = self.only(key);
                match *self.builder.kind(value) {
                    ExprKind::Text(text) => text,
                    _ => Name::new("[]"),
                }
            }
            _ => {
                let text = self.text(key);
                self.builder.name(text)
            }
        }
    }
}

fn binary_op(sign: &str) -> Op {
    match sign {
        "&&" => Op::And,
        "||" => Op::Or,
        "??" => Op::Nullish,
        "==" | "===" => Op::Equal,
        "!=" | "!==" => Op::Unequal,
        "<" | "<=" | ">" | ">=" => Op::Compare,
        "in" => Op::In,
        "instanceof" => Op::Instance,
        "+" => Op::Add,
        _ => Op::Arithmetic,
    }
}

fn is_cast(node: Node<'_>) -> bool {
    matches!(node.kind(), "as_expression" | "satisfies_expression")
}

// Files have as many expressions as a few bytes of source each: their size is the size of facts.
const _: () = assert!(size_of::<Expr>() <= 32);
