//! Functions that the app has and nobody asks for: written, and never called, rendered or handed on by name.

use rustc_hash::FxHashSet;

use crate::facts::{ExportValue, ExprId, ExprKind, FunctionId};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, FunctionRef, Program};

/// How many callers up a function is followed.
const FARTHEST: usize = 4;

/// The names that any code takes from a module or from a value.
pub struct Asked(FxHashSet<Name>);

impl Program {
    /// The names that code takes from elsewhere, for [`Program::is_uncalled`]. Made where it is needed: few runs ask.
    pub fn names_taken(&self) -> Asked {
        let mut names = FxHashSet::default();
        for (file, facts) in self.code() {
            if self.side(file).dead {
                continue;
            }
            names.extend(facts.imports.iter().flat_map(|import| import.names.iter().copied()));
            names.extend(facts.members().map(|(_, (_, name))| name));
        }
        Asked(names)
    }

    /// Whether a call stands in a function that nothing asks for, or that only such functions call.
    pub fn is_uncalled(&self, call: CallRef, asked: &Asked) -> bool {
        self.is_function_uncalled(self.function_of(call), asked, FARTHEST)
    }

    fn is_function_uncalled(&self, function: FunctionRef, asked: &Asked, depth: usize) -> bool {
        let facts = self.facts(function.file);
        // What is handed on without a name runs when the function does that it is written in.
        std::iter::successors(Some(function.function), |&inner| facts.function(inner).parent)
            .take_while(|&inner| inner != FunctionId::MODULE)
            .any(|inner| self.is_never_asked(FunctionRef::new(function.file, inner), asked, depth))
    }

    fn is_never_asked(&self, function: FunctionRef, asked: &Asked, depth: usize) -> bool {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let Some(name) = shape.name.filter(|name| !matches!(name.as_str(), "default" | "=" | "constructor")) else {
            return false;
        };
        // A script without imports and exports shares its names with the page that loads it.
        let is_module = !facts.exports.is_empty() || !facts.imports.is_empty();
        let is_rendered = self.graph.elements.get(&function).is_some_and(|elements| !elements.is_empty());
        if !is_module || is_rendered || !self.entries_of(function).is_empty() {
            return false;
        }
        let incoming = self.incoming(function);
        if !incoming.is_empty() {
            return depth > 0
                && incoming.iter().all(|edge| {
                    let from = self.function_of(edge.call);
                    // A function that calls itself is called by nobody else for that.
                    shape.span.contains(self.call_place(edge.call).span) && from.file == function.file
                        || self.is_function_uncalled(from, asked, depth - 1)
                });
        }
        !asked.0.contains(&name) && !self.is_mentioned(function, name)
    }

    /// Whether the function's own file reads it by its name, other than to give it away under that name.
    fn is_mentioned(&self, function: FunctionRef, name: Name) -> bool {
        let facts = self.facts(function.file);
        let own = facts.function(function.function).span;
        let exported = |at: ExprId| {
            facts.exports.iter().find(|export| matches!(export.value, ExportValue::Local(value) if value == at))
        };
        let is_default = facts.exports.iter().any(|export| {
            let ExportValue::Local(value) = export.value else { return false };
            export.name != name && matches!(facts.expr(value), ExprKind::Function(given) if *given == function.function)
        });
        is_default
            || facts.exprs.iter().enumerate().any(|(at, expr)| {
                let at = ExprId(at as u32);
                if !matches!(expr.kind, ExprKind::Ref(read, _) if read == name) || own.contains(expr.span) {
                    return false;
                }
                if let Some(export) = exported(at) {
                    return export.name != name;
                }
                // `return { refund }`: whoever takes it asks for it by this name.
                let uses = self.readers(function.file).uses(at);
                uses.is_empty() || !uses.iter().all(|used| matches!(used, Use::Key(_, key) if *key == name))
            })
    }
}
