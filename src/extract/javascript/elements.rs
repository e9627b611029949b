//! JSX: tags, attributes, handlers, children.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{Element, ExprId, ExprKind};
use crate::lang::Shape;
use crate::names::Name;

/// Attributes of looks, which are most of a component's text and say nothing of what it does.
const LOOKS: &[&str] = &["className", "class", "style"];

impl<'s, 't> Visitor<'_, 's, 't> {
    pub(super) fn element(&mut self, node: Node<'t>) -> ExprId {
        let (pairs, children) = (self.pairs.len(), self.ids.len());
        let mut tag = None;
        let mut opened = false;
        self.each(node, |this, child| match this.shape(child) {
            Shape::Element => this.child_element(child),
            // A self-closing element holds its name and attributes itself.
            Shape::Identifier | Shape::Member if tag.is_none() => tag = Some(this.tag(child)),
            Shape::Wrap if opened => {
                if let Some(value) = this.first(child) {
                    let value = this.expression(value);
                    this.ids.push(value);
                }
            }
            Shape::Wrap => this.spread_attribute(child),
            Shape::OpeningTag => {
                opened = true;
                this.each(child, |this, part| match this.shape(part) {
                    Shape::Identifier | Shape::Member if tag.is_none() => tag = Some(this.tag(part)),
                    Shape::Wrap => this.spread_attribute(part),
                    Shape::Attribute => this.attribute(part),
                    _ if part.kind() == "jsx_namespace_name" => tag = Some(this.tag(part)),
                    _ => this.fragments(part),
                });
            }
            Shape::Attribute => this.attribute(child),
            _ if child.kind() == "jsx_namespace_name" => tag = Some(this.tag(child)),
            _ => this.fragments(child),
        });
        let tag = match tag {
            Some(tag) => tag,
            None => self.builder.text(span(node), ""),
        };
        let element = Element { tag, attributes: self.pairs[pairs..].into(), children: self.ids[children..].into() };
        self.pairs.truncate(pairs);
        self.ids.truncate(children);
        self.builder.expr(span(node), ExprKind::Element(Box::new(element)))
    }

    /// An element inside another. One of the platform's that has nothing but looks and text says nothing, and is most
    /// of a page: it is forgotten.
    fn child_element(&mut self, node: Node<'t>) {
        let before = self.builder.facts().exprs.len();
        let element = self.expression(node);
        let is_bare = match self.builder.kind(element) {
            ExprKind::Element(shape) => {
                shape.attributes.is_empty()
                    && shape.children.is_empty()
                    && matches!(self.builder.kind(shape.tag), ExprKind::Text(_))
            }
            _ => false,
        };
        // The tag and the element, and no fragment of code that could not be read.
        let exprs = &mut self.builder.facts().exprs;
        if is_bare && exprs.len() == before + 2 {
            exprs.truncate(before);
        } else {
            self.ids.push(element);
        }
    }

    fn tag(&mut self, node: Node<'t>) -> ExprId {
        let text = self.text(node);
        let is_own = self.shape(node) == Shape::Member
            || (text.starts_with(|first: char| !first.is_ascii_lowercase()) && !text.contains(['-', ':']));
        if is_own { self.expression(node) } else { self.builder.text(span(node), text) }
    }

    fn spread_attribute(&mut self, node: Node<'t>) {
        if let Some(inner) = self.first(node) {
            let value = self.expression(inner);
            let value = match *self.builder.kind(value) {
                ExprKind::Spread(inner) => inner,
                _ => value,
            };
            self.pairs.push((Name::new("..."), value));
        }
    }

    fn attribute(&mut self, node: Node<'t>) {
        let mut name = None;
        let mut value = None;
        self.each(node, |this, part| match name {
            None => name = Some(this.text(part)),
            Some(name) if LOOKS.contains(&name) => {}
            Some(name) => {
                value = Some(match this.shape(part) {
                    // Attribute strings know no escapes.
                    Shape::Text => {
                        let text = this.text(part);
                        this.builder.text(span(part), text.get(1..text.len().saturating_sub(1)).unwrap_or(""))
                    }
                    _ => this.expression_as(part, Some(name)),
                });
            }
        });
        let Some(name) = name.filter(|name| !LOOKS.contains(name)) else { return };
        let value = match value {
            Some(value) => value,
            None => self.builder.expr(span(node), ExprKind::Bool(true)),
        };
        let name = self.builder.name(name);
        self.pairs.push((name, value));
    }
}
