//! Classes, and the types that annotations name.

use tree_sitter::Node;

use super::{ScopeKind, Visitor, span};
use crate::facts::{BlockKind, DefKind, ExprId, ExprKind, Step};
use crate::lang::{Role, Shape};

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn class(&mut self, node: Node<'t>, decorators: Vec<ExprId>) {
        let (Some(name), Some(body)) = (self.syntax.child(node, Role::Name), self.syntax.child(node, Role::Body))
        else {
            return self.statements(node);
        };
        let mut bases = Vec::new();
        if let Some(arguments) = self.syntax.child(node, Role::Arguments) {
            self.children(arguments, |v, child| match child.kind() {
                "keyword_argument" => {
                    if let Some(value) = v.syntax.child(child, Role::Value) {
                        v.expr(value);
                    }
                }
                _ => bases.push(v.expr(child)),
            });
        }
        let text = self.source(name);
        let visible = self.scope().visible;
        let id = self.builder.open_class(Some(text), span(node));
        let block = self.builder.open_block(BlockKind::Plain, span(body));
        self.hide_class_body(block, visible);
        self.push_scope(ScopeKind::Class(id), None);
        self.statements(body);
        self.pop_scope();
        self.builder.close_block();
        self.builder.close_class();
        self.builder.step(Step::Block(block));
        let class = self.builder.class_mut(id);
        class.bases = bases.into();
        class.decorators = decorators.into();
        self.read_settings(id);
        let value = self.builder.expr(span(node), ExprKind::Class(id));
        let def = self.define(text, DefKind::Class, span(name));
        self.builder.give(def, value);
    }

    /// The type an annotation names when it is a plain dotted name, looking through `Optional`, `| None`,
    /// `Annotated`, `ClassVar`, `Final` and quotes; and the call that `Annotated` adds, which frameworks take
    /// for the default.
    pub(super) fn annotation(&mut self, node: Node<'t>) -> (Option<ExprId>, Option<ExprId>) {
        let mut default = None;
        let ty = self.named_type(node, &mut default);
        (ty, default)
    }

    fn named_type(&mut self, node: Node<'t>, default: &mut Option<ExprId>) -> Option<ExprId> {
        if !self.enter() {
            return None;
        }
        let ty = match (self.shape(node), node.kind()) {
            (Shape::Identifier, _) => Some(self.builder.reference(span(node), self.source(node))),
            (Shape::Member, _) => Some(self.expr(node)),
            (Shape::Text, _) => self.quoted_type(node),
            (_, "type") => self.only_child(node).and_then(|inner| self.named_type(inner, default)),
            (Shape::Binary, _) | (_, "union_type") => self.only_type(node, default),
            (Shape::Index, _) | (_, "generic_type") => self.generic(node, default),
            (_, "member_type") => match (node.named_child(0), node.named_child(1)) {
                (Some(base), Some(name)) => self.named_type(base, default).map(|base| {
                    let name = self.source(name);
                    self.builder.member(span(node), base, name)
                }),
                _ => None,
            },
            _ => None,
        };
        self.leave();
        ty
    }

    /// The one type among `X | None`, none when there are several.
    fn only_type(&mut self, node: Node<'t>, default: &mut Option<ExprId>) -> Option<ExprId> {
        let mut types = Vec::new();
        let mut several = false;
        self.children(node, |v, side| {
            let inner = if side.kind() == "type" { v.only_child(side).unwrap_or(side) } else { side };
            match v.shape(inner) {
                Shape::Null => {}
                _ => match v.named_type(inner, default) {
                    Some(ty) => types.push(ty),
                    None => several = true,
                },
            }
        });
        match types[..] {
            [only] if !several => Some(only),
            _ => None,
        }
    }

    /// `Optional[X]` and its like; `list[X]` names no single type.
    fn generic(&mut self, node: Node<'t>, default: &mut Option<ExprId>) -> Option<ExprId> {
        let mut parts = Vec::new();
        self.children(node, |v, child| match child.kind() {
            "type_parameter" => v.children(child, |_, part| parts.push(part)),
            _ => parts.push(child),
        });
        let (&wrapper, arguments) = parts.split_first()?;
        let &first = arguments.first()?;
        match self.source(wrapper).rsplit('.').next().unwrap_or("") {
            "Optional" | "ClassVar" | "Final" | "Required" | "NotRequired" => self.named_type(first, default),
            "Union" => {
                let types = arguments.iter().filter(|part| self.source(**part) != "None");
                let types: Vec<Node<'t>> = types.copied().collect();
                match types[..] {
                    [only] => self.named_type(only, default),
                    _ => None,
                }
            }
            "Annotated" => {
                for &extra in &arguments[1..] {
                    let extra = if extra.kind() == "type" { self.only_child(extra).unwrap_or(extra) } else { extra };
                    if self.shape(extra) == Shape::Call {
                        let call = self.expr(extra);
                        default.get_or_insert(call);
                    }
                }
                self.named_type(first, default)
            }
            _ => None,
        }
    }

    /// `"sdk.Client"`, `"Client | None"`.
    fn quoted_type(&mut self, node: Node<'t>) -> Option<ExprId> {
        let text = self.source(node).trim_matches(['"', '\'']);
        let mut types = text.split('|').map(str::trim).filter(|part| *part != "None");
        let (Some(only), None) = (types.next(), types.next()) else { return None };
        let is_name = |part: &str| {
            !part.starts_with(|c: char| c.is_ascii_digit())
                && !part.is_empty()
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        if !only.split('.').all(is_name) {
            return None;
        }
        let mut parts = only.split('.');
        let mut path = self.builder.reference(span(node), parts.next()?);
        for part in parts {
            path = self.builder.member(span(node), path, part);
        }
        Some(path)
    }
}
