//! Whether an address that a request brings is one that the app's own data knows: looked up, and left where it is not
//! found; or held against an address that the app has.

use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::program::callers::audience::functions_on;
use crate::program::origins::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::{Origin as From, Source};
use crate::program::{CallRef, Edge, ExprRef, FunctionRef, Program};

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
    /// Whether a call on the way from an entry point runs only where a row was found by the address that it is given,
    /// or where that is an address that the server has.
    pub fn knows_address(&self, start: &Origin, last: CallRef, source: &Source) -> bool {
        let entry = &self.entries[start.entry];
        let calls: Vec<CallRef> = start.way.iter().map(|edge| edge.call).chain([last]).collect();
        let functions = functions_on(self, entry, start, last);
        functions.into_iter().any(|function| {
            self.knows_in(function, &calls, source) || self.compares_in(function, &start.way, &calls, source)
        })
    }

    /// Whether a function goes on, or calls, only where the address is one that the server has:
    /// `if (email !== customer.email) return`.
    fn compares_in(&self, function: FunctionRef, way: &[Edge], calls: &[CallRef], source: &Source) -> bool {
        let facts = self.facts(function.file);
        let held = Held { program: self, facts, function, way, source };
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        let leaves = blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                ending(facts, *then) != Ending::GoesOn && held.tells(*condition, false, 6)
            }
            _ => false,
        });
        let within = calls.iter().filter(|call| call.file == function.file).any(|call| {
            facts.enclosing(facts.call(call.call).block).any(|(_, block)| match block.kind {
                BlockKind::Then(condition) => held.tells(condition, true, 6),
                BlockKind::Else(condition) => held.tells(condition, false, 6),
                _ => false,
            })
        });
        leaves || within
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

/// Conditions that hold the address against what the server has.
struct Held<'p> {
    program: &'p Program,
    facts: &'p Facts,
    function: FunctionRef,
    way: &'p [Edge],
    source: &'p Source,
}

impl Held<'_> {
    /// Whether a condition that comes out true says that the address is one that the server has (`wanted`), or that it
    /// is none.
    fn tells(&self, condition: ExprId, wanted: bool, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => parts.iter().all(|&part| self.tells(part, !wanted, depth)),
            ExprKind::Op(op @ (Op::And | Op::Or), parts) => {
                // `a && b` says what each says; not to be `a || b` is to be neither.
                let any = (*op == Op::And) == wanted;
                let mut each = parts.iter().map(|&part| self.tells(part, wanted, depth));
                if any { each.any(|says| says) } else { each.all(|says| says) }
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                (*op == Op::Equal) == wanted
                    && (self.is_address(parts[0]) && self.is_servers(parts[1])
                        || self.is_address(parts[1]) && self.is_servers(parts[0]))
            }
            ExprKind::Op(Op::In, parts) => {
                wanted && parts.len() == 2 && self.is_address(parts[0]) && self.is_list(parts[1])
            }
            ExprKind::Ref(name, block) => {
                let values = self.facts.lookup(*block, *name).map(|def| self.facts.def(def).values.as_slice());
                matches!(values, Some([only]) if self.tells(*only, wanted, depth))
            }
            ExprKind::Call(call) => wanted && self.is_among(*call),
            _ => false,
        }
    }

    /// `known.includes(email)`, `viewers.some((viewer) => viewer === email)`.
    fn is_among(&self, call: crate::facts::CallId) -> bool {
        let call = self.facts.call(call);
        let ExprKind::Member(base, name) = *self.facts.expr(call.callee) else { return false };
        let [arg] = &call.args[..] else { return false };
        match (name.as_str(), self.facts.expr(arg.value)) {
            ("includes" | "has", _) => self.is_address(arg.value) && self.is_list(base),
            ("some", ExprKind::Function(callback)) => {
                let mut returned = self.facts.returned(*callback);
                self.is_list(base)
                    && returned.any(|value| {
                        matches!(self.facts.expr(value), ExprKind::Op(Op::Equal, parts)
                            if parts.iter().any(|&part| self.is_address(part))
                                && parts.iter().any(|&part| !self.is_address(part) && !self.is_constant(part)))
                    })
            }
            _ => false,
        }
    }

    /// Whether an expression is the address as it was brought, but for how it is written.
    fn is_address(&self, expr: ExprId) -> bool {
        let bare = bare(self.facts, expr);
        matches!(self.facts.expr(bare), ExprKind::Ref(..) | ExprKind::Member(..))
            && matches!(self.program.origin_on(self.way, ExprRef::new(self.function.file, bare), &[]),
                From::Request(of) if of.field == self.source.field)
    }

    /// Whether a value is what the server knows: a row of its database, what it keeps of whoever is signed in.
    fn is_servers(&self, expr: ExprId) -> bool {
        let bare = bare(self.facts, expr);
        matches!(self.facts.expr(bare), ExprKind::Member(..) | ExprKind::Ref(..))
            && self.program.origin_on(self.way, ExprRef::new(self.function.file, bare), &[]) == From::Server
    }

    fn is_constant(&self, expr: ExprId) -> bool {
        self.program.origin_on(self.way, ExprRef::new(self.function.file, expr), &[]) == From::Constant
    }

    /// A list that the server has, or that the program's text is.
    fn is_list(&self, expr: ExprId) -> bool {
        let list = match self.facts.expr(expr) {
            // `(quote.viewers || [])`
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().copied().unwrap_or(expr),
            _ => expr,
        };
        matches!(
            self.program.origin_on(self.way, ExprRef::new(self.function.file, list), &[]),
            From::Server | From::Constant
        )
    }
}

/// An expression without what only changes how a text is written: `email.trim().toLowerCase()`.
fn bare(facts: &Facts, expr: ExprId) -> ExprId {
    let mut at = expr;
    loop {
        at = match facts.expr(at) {
            ExprKind::Await(inner) => *inner,
            ExprKind::Op(Op::Or | Op::Nullish, parts) if !parts.is_empty() => parts[0],
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                match *facts.expr(call.callee) {
                    ExprKind::Member(base, name)
                        if matches!(
                            name.as_str(),
                            "toLowerCase" | "toUpperCase" | "trim" | "toString" | "lower" | "upper" | "strip"
                        ) =>
                    {
                        base
                    }
                    ExprKind::Ref(name, _) if matches!(name.as_str(), "String" | "str") && call.args.len() == 1 => {
                        call.args[0].value
                    }
                    _ => return at,
                }
            }
            _ => return at,
        };
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
