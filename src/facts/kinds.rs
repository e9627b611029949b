//! The expressions of one kind, each with where it stands in the arena.

use super::{Element, ExprId, ExprKind, Facts, Op};
use crate::names::Name;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $shape:pat => $gives:expr, $type:ty;)*) => {
        impl Facts {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> impl Iterator<Item = (ExprId, $type)> {
                    self.exprs.iter().enumerate().filter_map(|(at, expr)| match &expr.kind {
                        $shape => Some((ExprId(at as u32), $gives)),
                        _ => None,
                    })
                }
            )*
        }
    };
}

kinds! {
    /// The constant strings.
    texts: ExprKind::Text(text) => *text, Name;
    /// The strings that are put together, with their parts.
    templates: ExprKind::Template(parts) => &**parts, &[ExprId];
    /// The reads of a member, with whose it is and its name.
    members: ExprKind::Member(base, name) => (*base, *name), (ExprId, Name);
    /// The reads of environment variables.
    env_reads: ExprKind::Env(name) => *name, Name;
    /// The object literals, with their entries.
    objects: ExprKind::Object(entries) => &**entries, &[(Name, ExprId)];
    /// The operators, with their operands.
    operations: ExprKind::Op(op, operands) => (*op, &**operands), (Op, &[ExprId]);
    /// The JSX elements.
    elements: ExprKind::Element(element) => &**element, &Element;
}
