//! Functions: parameters, bodies, decorators; methods lose their `self` to [`ExprKind::This`].

use tree_sitter::Node;

use super::branches::is_async;
use super::{Receiver, ScopeKind, Visitor, span};
use crate::facts::{DefKind, ExprId, ExprKind, FunctionId, Member, Param, Step};
use crate::lang::{Role, Shape};
use crate::names::Name;

/// A parameter as written.
struct Written<'t> {
    /// Its name; a tuple in Python 2.
    target: Node<'t>,
    param: Param,
}

/// What decorators make of a method.
#[derive(Clone, Copy, PartialEq)]
enum MethodKind {
    Instance,
    Class,
    Static,
}

impl<'t> Visitor<'_, '_, 't> {
    /// Decorators are evaluated where they stand, before what they decorate.
    pub(super) fn decorated(&mut self, node: Node<'t>) {
        let mut decorators = Vec::new();
        self.children(node, |v, child| match child.kind() {
            "decorator" => {
                if let Some(value) = v.only_child(child) {
                    let value = v.expr(value);
                    if matches!(v.builder.kind(value), ExprKind::Call(_)) {
                        v.builder.step(Step::Eval(value));
                    }
                    decorators.push(value);
                }
            }
            "function_definition" => v.function(child, std::mem::take(&mut decorators)),
            "class_definition" => v.class(child, std::mem::take(&mut decorators)),
            _ => v.statement(child),
        });
    }

    pub(super) fn function(&mut self, node: Node<'t>, decorators: Vec<ExprId>) {
        let (Some(name), Some(body)) = (self.syntax.child(node, Role::Name), self.syntax.child(node, Role::Body))
        else {
            return self.statements(node);
        };
        let text = self.source(name);
        let class = match self.scope().kind {
            ScopeKind::Class(class) => Some(class),
            _ => None,
        };
        let mut kind = match text {
            "__new__" | "__init_subclass__" | "__class_getitem__" => MethodKind::Class,
            _ => MethodKind::Instance,
        };
        let mut is_getter = false;
        for &decorator in &decorators {
            if let ExprKind::Ref(last, _) | ExprKind::Member(_, last) = *self.builder.kind(decorator) {
                match last.as_str() {
                    "staticmethod" => kind = MethodKind::Static,
                    "classmethod" => kind = MethodKind::Class,
                    _ => is_getter |= last.ends_with("property"),
                }
            }
        }
        let params = self.syntax.child(node, Role::Params);
        let receives = class.filter(|_| kind != MethodKind::Static);
        let (params, own) = self.params(params, receives.is_some());
        let receiver =
            receives.zip(own).map(|(class, name)| Receiver { name, class, is_class: kind == MethodKind::Class });
        let id = self.open_function(Some(text), node, params.as_slice(), receiver);
        self.statements(body);
        self.close_function(params);
        let function = self.builder.function_mut(id);
        function.is_async = is_async(node);
        function.class = class;
        function.decorators = decorators.into();
        let value = self.builder.expr(span(node), ExprKind::Function(id));
        let def = self.define(text, DefKind::Function, span(name));
        self.builder.give(def, value);
        if let Some(class) = class {
            let method =
                Member { name: Name::new(text), function: id, is_static: kind != MethodKind::Instance, is_getter };
            self.builder.class_mut(class).methods.push(method);
        }
    }

    pub(super) fn lambda(&mut self, node: Node<'t>) -> ExprId {
        let params = self.syntax.child(node, Role::Params);
        let (params, _) = self.params(params, false);
        let id = self.open_function(None, node, &params, None);
        let value = self.syntax.child(node, Role::Body).map(|body| self.expr(body));
        self.builder.step(Step::Return(value));
        self.close_function(params);
        self.builder.expr(span(node), ExprKind::Function(id))
    }

    fn open_function(
        &mut self,
        name: Option<&str>,
        node: Node<'t>,
        params: &[Written<'t>],
        receiver: Option<Receiver>,
    ) -> FunctionId {
        let visible = self.scope().visible;
        let id = self.builder.open_function(name, span(node));
        self.hide_class_body(self.builder.block(), visible);
        self.push_scope(ScopeKind::Function, receiver);
        for (at, written) in params.iter().enumerate() {
            let place = span(written.target);
            let value = self.builder.expr(place, ExprKind::Param(id, at as u16));
            let Some(name) = written.param.name else {
                self.bind_target(written.target, value, None);
                continue;
            };
            let def = self.builder.define(&name, DefKind::Param, place);
            self.set_type(def, written.param.ty);
            self.builder.give(def, value);
            if let Some(default) = written.param.default {
                self.builder.give(def, default);
            }
        }
        id
    }

    fn close_function(&mut self, params: Vec<Written<'t>>) {
        self.pop_scope();
        self.builder.close_function(params.into_iter().map(|written| written.param).collect());
    }

    /// Reads parameters, whose defaults and types belong to the block around; the second is the name of the
    /// first one when that receives the instance or class.
    fn params(&mut self, node: Option<Node<'t>>, receives: bool) -> (Vec<Written<'t>>, Option<Name>) {
        let mut params = Vec::new();
        let mut own = None;
        let mut is_first = true;
        if let Some(node) = node {
            self.children(node, |v, child| {
                if receives && std::mem::take(&mut is_first) {
                    let name = if child.kind() == "typed_parameter" { v.only_child(child) } else { Some(child) };
                    if let Some(name) = name.filter(|&name| v.shape(name) == Shape::Identifier) {
                        own = Some(Name::new(v.source(name)));
                        return;
                    }
                }
                params.extend(v.param(child));
            });
        }
        (params, own)
    }

    fn param(&mut self, node: Node<'t>) -> Option<Written<'t>> {
        let (mut target, mut ty, mut default) = (node, None, None);
        match node.kind() {
            "default_parameter" | "typed_default_parameter" => target = self.syntax.child(node, Role::Name)?,
            "typed_parameter" => target = self.only_child(node)?,
            _ if matches!(self.shape(node), Shape::Identifier | Shape::Spread | Shape::List) => {}
            // A bare `*` or `/`, or something unreadable.
            _ => return None,
        }
        if let Some(annotation) = self.syntax.child(node, Role::Type) {
            (ty, default) = self.annotation(annotation);
        }
        if let Some(value) = self.syntax.child(node, Role::Value) {
            // `user: Annotated[User, Depends(current_user)] = None`: what is asked for stays asked for.
            if default.is_none() || self.source(value) != "None" {
                default = Some(self.expr(value));
            }
        }
        let rest = self.shape(target) == Shape::Spread;
        if rest {
            target = self.only_child(target)?;
        }
        let name = (self.shape(target) == Shape::Identifier).then(|| Name::new(self.source(target)));
        Some(Written { target, param: Param { name, ty, default, rest } })
    }
}
