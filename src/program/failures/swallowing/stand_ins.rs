//! What a handler gives in place of what failed.

use crate::facts::{ExprId, ExprKind, Facts};
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

impl Program {
    /// Whether a value that a function gives is a text that is filled in, or what a function of the program makes. The
    /// answers of entry points are made by helpers too, and stand for nothing.
    pub(super) fn is_made_here(&self, function: FunctionRef, value: ExprId) -> bool {
        match *self.facts(function.file).expr(value) {
            ExprKind::Template(_) => true,
            ExprKind::Await(inner) => self.is_made_here(function, inner),
            ExprKind::Call(call) => {
                let made_by = self.edges(CallRef::new(function.file, call));
                self.entries_of(function).is_empty() && made_by.iter().any(|edge| edge.kind == EdgeKind::Direct)
            }
            _ => false,
        }
    }
}

/// A value that stands in for another, in words.
pub(super) fn stand_in(facts: &Facts, value: ExprId) -> &'static str {
    match facts.expr(value) {
        ExprKind::List(items) if items.is_empty() => "an empty list",
        ExprKind::Object(entries) if entries.is_empty() => "an empty object",
        ExprKind::Text(text) if text.is_empty() => "an empty text",
        ExprKind::Null => "\"nothing there\"",
        ExprKind::Bool(false) => "`false`",
        ExprKind::Bool(true) => "`true`",
        ExprKind::Number(number) if *number == 0.0 => "zero",
        _ => "an ordinary value",
    }
}
