//! Code that never runs: a constant switches it off, or the way has ended before it. And what is never set.

use crate::facts::{BlockKind, CallId, DefKind, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, Program};

impl Program {
    /// Whether a call stands behind a constant that keeps it from running: `const MAIL_ON = false; if (!MAIL_ON) return`;
    /// or behind what always leaves: an endpoint that is retired by a `raise` in its first line.
    pub fn never_runs(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        is_left_out(facts, call.call, &|expr| constant(facts, expr))
    }
}

/// Whether a call stands where the code never comes, as far as `known` says what conditions come to.
pub(super) fn is_left_out(facts: &Facts, call: CallId, known: &dyn Fn(ExprId) -> Option<bool>) -> bool {
    let shape = facts.call(call);
    let start = facts.span(shape.expr).start;
    // Functions that are declared behind a `return` are there all the same.
    let own = facts.function_of(shape.block);
    let mut around = facts.enclosing(shape.block).take_while(|(_, block)| block.function == own);
    if around.any(|(_, block)| block.steps.iter().any(|step| has_left(facts, step, start))) {
        return true;
    }
    // Across the borders of functions: what is never made is never called.
    facts.enclosing(shape.block).any(|(_, block)| {
        let off = match block.kind {
            BlockKind::Then(condition) => truth(facts, condition, known, 6) == Some(false),
            BlockKind::Else(condition) => truth(facts, condition, known, 6) == Some(true),
            _ => false,
        };
        off || block.steps.iter().any(|step| match *step {
            Step::If { condition, then, otherwise: None } => {
                facts.block(then).span.end <= start
                    && ending(facts, then) != Ending::GoesOn
                    && truth(facts, condition, known, 6) == Some(true)
            }
            _ => false,
        })
    })
}

impl Program {
    /// The variable of a module that a call is handed though nothing ever gives it a value:
    /// `let secret: string | null = null`.
    pub fn never_set(&self, call: CallRef) -> Option<(Name, Place)> {
        let facts = self.facts(call.file);
        if !facts.language.is_script() {
            return None;
        }
        let nothing = |&value: &ExprId| match facts.expr(value) {
            ExprKind::Null => true,
            ExprKind::Text(text) => text.is_empty(),
            _ => false,
        };
        facts.call(call.call).args.iter().find_map(|arg| {
            let ExprKind::Ref(name, block) = facts.expr(arg.value) else { return None };
            let def = facts.def(facts.lookup(*block, *name)?);
            let of_module = facts.function_of(def.block) == FunctionId::MODULE;
            let unset = def.kind == DefKind::Variable && of_module && def.values.iter().all(nothing);
            unset.then_some((*name, Place { file: call.file, span: def.span }))
        })
    }
}

/// Whether a step that ends before `start` leaves the function, whatever happens.
fn has_left(facts: &Facts, step: &Step, start: u32) -> bool {
    matches!(step, Step::Return(Some(value)) | Step::Throw(Some(value)) if facts.span(*value).end <= start)
}

/// What a condition always comes to, as far as constants and `known` names say.
fn truth(facts: &Facts, expr: ExprId, known: &dyn Fn(ExprId) -> Option<bool>, depth: usize) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let of = |part: ExprId| truth(facts, part, known, depth);
    // What decides at once, and what all come to otherwise.
    let joined = |parts: &[ExprId], decides: bool| {
        let parts: Vec<_> = parts.iter().map(|&part| of(part)).collect();
        let all = || parts.iter().copied().collect::<Option<Vec<_>>>().map(|_| !decides);
        if parts.contains(&Some(decides)) { Some(decides) } else { all() }
    };
    match facts.expr(expr) {
        ExprKind::Bool(truth) => Some(*truth),
        ExprKind::Op(Op::Not, parts) => of(parts[0]).map(|truth| !truth),
        ExprKind::Op(Op::And, parts) => joined(parts, false),
        ExprKind::Op(Op::Or, parts) => joined(parts, true),
        _ => known(expr),
    }
}

/// What a constant's name comes to.
fn constant(facts: &Facts, expr: ExprId) -> Option<bool> {
    let ExprKind::Ref(name, block) = facts.expr(expr) else { return None };
    let def = facts.def(facts.lookup(*block, *name)?);
    match (def.kind, &def.values[..]) {
        // Python's constants are variables that get one value.
        (DefKind::Constant | DefKind::Variable, [value]) => match facts.expr(*value) {
            ExprKind::Bool(truth) if def.kind == DefKind::Constant || is_capital(&def.name) => Some(*truth),
            _ => None,
        },
        _ => None,
    }
}

fn is_capital(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
