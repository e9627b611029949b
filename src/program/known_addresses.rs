//! Whether an address that a request brings is one that the app's own data knows: looked up, and left where it is not
//! found.

use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::program::audience::functions_on;
use crate::program::origins::Origin;
use crate::program::requested::Source;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, FunctionRef, Program};

/// Methods that look a row up by something.
const LOOK_UPS: &[&str] = &[
    "eq",
    "ilike",
    "like",
    "match",
    "filter",
    "filter_by",
    "where",
    "find_one",
    "findOne",
    "findUnique",
    "findFirst",
    "find_by_email",
    "get",
    "get_or_404",
    "findByEmail",
    "getUserByEmail",
    "get_user_by_email",
];

impl Program {
    /// Whether a call on the way from an entry point runs only where a row was found by the address that it is given.
    pub fn knows_address(&self, start: &Origin, last: CallRef, source: &Source) -> bool {
        let entry = &self.entries[start.entry];
        let calls: Vec<CallRef> = start.way.iter().map(|edge| edge.call).chain([last]).collect();
        let functions = functions_on(self, entry, start, last);
        functions.into_iter().any(|function| self.knows_in(function, &calls, source))
    }

    fn knows_in(&self, function: FunctionRef, calls: &[CallRef], source: &Source) -> bool {
        let facts = self.facts(function.file);
        let rows: Vec<DefId> = (0..facts.defs.len() as u32)
            .map(DefId)
            .filter(|&def| {
                facts.function_of(facts.def(def).block) == function.function
                    && facts.def(def).values.iter().any(|&value| looks_up(facts, value, source, 8))
            })
            .collect();
        if rows.is_empty() {
            return false;
        }
        let is_row = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Ref(name, block) => facts.lookup(block, name).is_some_and(|def| rows.contains(&def)),
            _ => false,
        };
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        let leaves = blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                ending(facts, *then) != Ending::GoesOn && says(facts, *condition, &is_row, false, 5)
            }
            _ => false,
        });
        // `if user: send(..)`
        let within = calls.iter().filter(|call| call.file == function.file).any(|call| {
            facts.enclosing(facts.call(call.call).block).any(|(_, block)| {
                matches!(block.kind, BlockKind::Then(condition) if says(facts, condition, &is_row, true, 5))
            })
        });
        leaves || within
    }
}

/// Whether a value is what a look-up by the address gives.
fn looks_up(facts: &Facts, value: ExprId, source: &Source, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(value) {
        ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
            looks_up(facts, *inner, source, depth)
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let by_address = facts.last_name(call.callee).is_some_and(|name| LOOK_UPS.contains(&name.as_str()))
                && call.args.iter().any(|arg| names(facts, arg.value, source));
            by_address || looks_up(facts, call.callee, source, depth)
        }
        _ => false,
    }
}

/// Whether an argument names the address: `executorEmail.trim()`, `{ where: { email } }`.
fn names(facts: &Facts, expr: ExprId, source: &Source) -> bool {
    let span = facts.span(expr);
    facts.exprs.iter().filter(|inner| span.contains(inner.span)).any(|inner| match &inner.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            source.names.contains(name) && !matches!(name.as_str(), "body" | "data" | "form" | "request" | "req")
        }
        _ => false,
    })
}

/// Whether a condition that comes out true says that the row is there (`wanted`), or that it is not.
fn says(facts: &Facts, condition: ExprId, is_row: &dyn Fn(ExprId) -> bool, wanted: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| says(facts, part, is_row, !wanted, depth)),
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| says(facts, part, is_row, wanted, depth)),
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
            let null = parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Null));
            null && parts.iter().any(|&part| is_row(part)) && (*op == Op::Unequal) == wanted
        }
        _ => wanted && is_row(condition),
    }
}
