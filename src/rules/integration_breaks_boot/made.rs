//! Objects made when a module is loaded, whose constructor throws without a key: `export const billing = new Billing()`.

use super::{FARTHEST, Stop, absent, is_guarded};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, FunctionId, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// Through how many methods of its own a constructor is followed.
const DEEPEST: usize = 3;

/// What the constructors of a file's own objects refuse to be made without, of one vendor's variable each.
pub(super) fn find(program: &Program, file: FileId, facts: &Facts) -> Vec<Stop> {
    let mut found = Vec::new();
    for at in program.calls_of(file) {
        let call = facts.call(at.call);
        if facts.function_of(call.block) != FunctionId::MODULE || is_guarded(facts, call.block) {
            continue;
        }
        let mut names: Vec<Name> = Vec::new();
        for edge in program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct) {
            let made = program.facts(edge.target.file).function(edge.target.function);
            if made.name.is_some_and(|name| matches!(name.as_str(), "constructor" | "__init__")) {
                asked(program, edge.target, made.body, DEEPEST, &mut names);
            }
        }
        // Whoever asks for several checks its settings on purpose.
        if let [name] = names[..]
            && let Some((vendor, _)) = program.catalogue.env_entry(&name)
            && !program.is_asked_at_start(name, file)
        {
            let at = program.call_place(at);
            found.push(Stop::without(name, vendor, at));
        }
    }
    found
}

/// The variables without which a stretch of a constructor throws, whatever else holds.
fn asked(program: &Program, function: FunctionRef, block: BlockId, depth: usize, names: &mut Vec<Name>) {
    let facts = program.facts(function.file);
    for step in &facts.block(block).steps {
        match step {
            Step::If { condition, then, otherwise: None } => {
                let mut thrown = facts.block(*then).steps.iter();
                if thrown.any(|step| matches!(step, Step::Throw(_))) {
                    absent(program, ExprRef::new(function.file, *condition), FARTHEST, names);
                }
            }
            Step::Try { body, handlers, .. }
                if handlers.iter().all(|&handler| ending(facts, handler) == Ending::Throws) =>
            {
                asked(program, function, *body, depth, names);
            }
            Step::Block(inner) => asked(program, function, *inner, depth, names),
            // `self.connect()`
            Step::Eval(value)
                if depth > 1
                    && let Some(call) = own_method(facts, *value) =>
            {
                let at = CallRef::new(function.file, call);
                for edge in program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct) {
                    let inner = program.facts(edge.target.file).function(edge.target.function);
                    if !inner.is_async {
                        asked(program, edge.target, inner.body, depth - 1, names);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The call of a method of the object itself.
fn own_method(facts: &Facts, value: ExprId) -> Option<crate::facts::CallId> {
    let ExprKind::Call(call) = *facts.expr(value) else { return None };
    let ExprKind::Member(base, _) = *facts.expr(facts.call(call).callee) else { return None };
    let is_self = match *facts.expr(base) {
        ExprKind::This(_) => true,
        ExprKind::Ref(name, _) => name == "self",
        _ => false,
    };
    is_self.then_some(call)
}
