//! Operators. Chains of them are walked along their left side, not recursed into.

use tree_sitter::Node;

use super::{DEPTH_LIMIT, Visitor, span};
use crate::facts::{ExprId, ExprKind, Op, Span};
use crate::lang::{Role, Shape};

impl<'t> Visitor<'_, '_, 't> {
    /// The text of a node's operator.
    pub(super) fn operator(&self, node: Node<'t>) -> &'t str {
        self.operator.and_then(|field| node.child_by_field_id(field.get())).map_or("", |operator| operator.kind())
    }

    pub(super) fn unary(&mut self, node: Node<'t>) -> ExprId {
        let Some(operand) = self.syntax.child(node, Role::Value) else { return self.parts(node) };
        let operand = self.expr(operand);
        let kind = match (self.operator(node), self.builder.kind(operand)) {
            ("", _) => ExprKind::Op(Op::Not, Box::new([operand])),
            ("-", &ExprKind::Number(number)) => ExprKind::Number(-number),
            _ => ExprKind::Op(Op::Arithmetic, Box::new([operand])),
        };
        self.builder.expr(span(node), kind)
    }

    /// Boolean, arithmetic and comparing operators. A sum is one flat operation; `and`, `or` nest to
    /// the left, unless there are more than the depth limit; mixed arithmetic beyond that is unknown.
    pub(super) fn binary(&mut self, node: Node<'t>) -> ExprId {
        if node.kind() == "comparison_operator" {
            return self.comparison(node);
        }
        let mut chain = Vec::new();
        let mut leftmost = node;
        while self.shape(leftmost) == Shape::Binary {
            let (left, right) = (self.syntax.child(leftmost, Role::Left), self.syntax.child(leftmost, Role::Right));
            let (Some(left), Some(right)) = (left, right) else { break };
            chain.push((self.operator(leftmost), right));
            leftmost = left;
        }
        if chain.is_empty() {
            return self.parts(node);
        }
        let start = span(leftmost).start;
        let mut value = self.expr(leftmost);
        let mut runs = 0;
        while let Some((operator, right)) = chain.pop() {
            let mut operands = vec![value, self.expr(right)];
            let mut end = span(right).end;
            if matches!(operator, "+" | "and" | "or") {
                while let Some((_, right)) = chain.pop_if(|(next, _)| *next == operator) {
                    operands.push(self.expr(right));
                    end = span(right).end;
                }
            }
            runs += 1;
            value = if runs > DEPTH_LIMIT {
                self.builder.facts().too_deep = true;
                self.builder.expr(Span { start, end }, ExprKind::Unknown)
            } else {
                self.combine(Span { start, end }, operator, operands)
            };
        }
        value
    }

    fn combine(&mut self, at: Span, operator: &str, operands: Vec<ExprId>) -> ExprId {
        let op = match operator {
            "and" => Op::And,
            "or" => Op::Or,
            "+" => {
                let is_text = |id: &ExprId| matches!(self.builder.kind(*id), ExprKind::Text(_) | ExprKind::Template(_));
                if operands.iter().any(is_text) {
                    return self.builder.template(at, operands);
                }
                return self.builder.expr(at, ExprKind::Op(Op::Add, operands.into()));
            }
            "%" if matches!(self.builder.kind(operands[0]), ExprKind::Text(_)) => {
                return self.percent(at, operands[0], operands[1]);
            }
            _ => Op::Arithmetic,
        };
        if operands.len() > DEPTH_LIMIT {
            return self.builder.expr(at, ExprKind::Op(op, operands.into()));
        }
        let nested = operands.into_iter().reduce(|left, right| {
            let end = self.builder.facts().span(right).end.max(at.start);
            self.builder.expr(Span { start: at.start, end }, ExprKind::Op(op, Box::new([left, right])))
        });
        nested.unwrap_or_else(|| self.builder.expr(at, ExprKind::Unknown))
    }

    /// `a < b`, and `a < b < c` as `a < b and b < c`.
    fn comparison(&mut self, node: Node<'t>) -> ExprId {
        let mut operator: Option<&'t str> = None;
        let mut left: Option<ExprId> = None;
        let mut pairs = Vec::new();
        self.children_of(node, true, |v, child| {
            if !child.is_named() {
                operator = Some(child.kind());
                return;
            }
            let right = v.expr(child);
            if let (Some(left), Some(operator)) = (left, operator.take()) {
                pairs.push(v.compare(span(node), operator, left, right));
            }
            left = Some(right);
        });
        match pairs[..] {
            [] => self.unknown(node),
            [only] => only,
            _ => self.combine(span(node), "and", pairs),
        }
    }

    fn compare(&mut self, at: Span, operator: &str, left: ExprId, right: ExprId) -> ExprId {
        let op = match operator {
            "==" | "is" => Op::Equal,
            "!=" | "<>" | "is not" => Op::Unequal,
            "in" | "not in" => Op::In,
            _ => Op::Compare,
        };
        let value = self.builder.expr(at, ExprKind::Op(op, Box::new([left, right])));
        if operator == "not in" {
            return self.builder.expr(at, ExprKind::Op(Op::Not, Box::new([value])));
        }
        value
    }
}
