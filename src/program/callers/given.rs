//! Whether only those reach a call to whom the app has given something: a row is looked up by a token or a code that the
//! request brings (an invitation, a link that is used once), and whoever brings none that is kept is turned away.

use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::program::callers::audience::functions_on;
use crate::program::callers::full_rights::proves;
use crate::program::origins::Origin as Start;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, Edge, EdgeKind, ExprRef, FunctionRef, Program};

/// Methods that look a row up by what they are given.
const LOOK_UPS: &[&str] = &[
    "eq",
    "match",
    "filter",
    "filter_by",
    "where",
    "find_one",
    "findOne",
    "findUnique",
    "findFirst",
    "findBy",
    "get",
    "first",
    "query",
    "execute",
    "sql",
    "$queryRaw",
    "fetchrow",
    "fetch_one",
    "fetchOne",
];

/// Those that turn away by themselves where no row is found.
const OR_LEAVE: &[&str] = &["findUniqueOrThrow", "findFirstOrThrow", "get_object_or_404", "get_or_404", "first_or_404"];

/// Words of what anybody gets who asks for it, or what is no key to anything.
const FOR_ANYBODY: &[&str] = &[
    "session",
    "anonymous",
    "guest",
    "visitor",
    "device",
    "push",
    "fcm",
    "csrf",
    "captcha",
    "recaptcha",
    "page",
    "coupon",
    "promo",
    "discount",
    "public",
];

impl Program {
    /// Whether whoever comes as far as a call has brought a token or a code by which the app's data found a row.
    pub fn asks_for_what_was_given(&self, start: &Start, last: CallRef) -> bool {
        let entry = &self.entries[start.entry];
        let calls: Vec<CallRef> = start.way.iter().map(|edge| edge.call).chain([last]).collect();
        functions_on(self, entry, start, last).into_iter().any(|function| {
            let asked = Asked { program: self, facts: self.facts(function.file), function, way: &start.way };
            asked.before(&calls)
        })
    }
}

/// A function on the way, and what it asks for.
struct Asked<'p> {
    program: &'p Program,
    facts: &'p Facts,
    function: FunctionRef,
    way: &'p [Edge],
}

impl Asked<'_> {
    /// Whether the function turns away before one of the calls, or makes it only where a row was found.
    fn before(&self, calls: &[CallRef]) -> bool {
        let facts = self.facts;
        let here = || calls.iter().filter(|call| call.file == self.function.file).map(|call| facts.call(call.call));
        let here = || here().filter(|call| facts.function_of(call.block) == self.function.function);
        let first = here().map(|call| facts.span(call.expr).start).min().unwrap_or(u32::MAX);
        let rows: Vec<DefId> = (0..facts.defs.len() as u32)
            .map(DefId)
            .filter(|&def| {
                facts.function_of(facts.def(def).block) == self.function.function
                    && facts.def(def).values.iter().any(|&value| self.looks_up(value, 8))
            })
            .collect();
        let blocks = facts.blocks.iter().filter(|block| block.function == self.function.function);
        let leaves = blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                facts.span(*condition).start < first
                    && ending(facts, *then) != Ending::GoesOn
                    && (self.says(&rows, *condition, false, 5) || self.compares(*condition, 4))
            }
            _ => false,
        });
        let within = || {
            here().any(|call| {
                facts.enclosing(call.block).any(|(_, block)| {
                    matches!(block.kind, BlockKind::Then(condition) if self.says(&rows, condition, true, 5))
                })
            })
        };
        leaves || within() || self.leaves_by_itself(first)
    }

    /// Whether a look-up turns away by itself where it finds nothing.
    fn leaves_by_itself(&self, first: u32) -> bool {
        self.program.calls_in(self.function).any(|at| {
            let call = self.facts.call(at.call);
            self.facts.span(call.expr).start < first
                && self.facts.last_name(call.callee).is_some_and(|name| OR_LEAVE.contains(&name.as_str()))
                && call.args.iter().any(|arg| self.holds_given(arg.value))
        })
    }

    /// Whether a value is what a look-up by something given finds, here or in a function that is handed it.
    fn looks_up(&self, value: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
                self.looks_up(*inner, depth)
            }
            ExprKind::Call(id) => {
                let call = self.facts.call(*id);
                let given = || call.args.iter().any(|arg| self.holds_given(arg.value));
                let by_name =
                    self.facts.last_name(call.callee).is_some_and(|name| LOOK_UPS.contains(&name.as_str())) && given();
                by_name
                    || self.looks_up(call.callee, depth)
                    || given() && {
                        let edges = self.program.edges(CallRef::new(self.function.file, *id)).iter();
                        let mut own = edges.filter(|edge| edge.kind == EdgeKind::Direct);
                        own.any(|edge| looks_up_by_param(self.program, edge.target))
                    }
            }
            _ => false,
        }
    }

    /// Whether an argument holds a value of the request that its name says is given to one person.
    fn holds_given(&self, expr: ExprId) -> bool {
        let span = self.facts.span(expr);
        let inside = (0..self.facts.exprs.len()).filter(|&at| span.contains(self.facts.exprs[at].span));
        inside.map(|at| ExprId(at as u32)).any(|at| self.is_given(at))
    }

    fn is_given(&self, at: ExprId) -> bool {
        matches!(self.facts.expr(at), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if is_key(name))
            && matches!(self.program.origin_on(self.way, ExprRef::new(self.function.file, at), &[]), Origin::Request(_))
    }

    /// `row.invite_token !== token`: what a row holds against what is brought.
    fn compares(&self, condition: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.facts.expr(condition) {
            ExprKind::Op(Op::Or, parts) => parts.iter().any(|&part| self.compares(part, depth)),
            ExprKind::Op(Op::Unequal, parts) => {
                let &[one, other] = &parts[..] else { return false };
                let kept = |at: ExprId| {
                    matches!(self.facts.expr(at), ExprKind::Member(_, name) if is_key(name))
                        && self.program.origin_on(self.way, ExprRef::new(self.function.file, at), &[]) == Origin::Server
                };
                self.is_given(one) && kept(other) || self.is_given(other) && kept(one)
            }
            _ => false,
        }
    }

    /// Whether a condition that comes out true says that a row is there (`wanted`), or that none is.
    fn says(&self, rows: &[DefId], condition: ExprId, wanted: bool, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self.facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| self.says(rows, part, !wanted, depth)),
            // Of `!row || row.used` each turns away; of `row && open` each must hold.
            ExprKind::Op(op @ (Op::And | Op::Or), parts) => {
                (*op == Op::And) == wanted && parts.iter().any(|&part| self.says(rows, part, wanted, depth))
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
                let nothing = parts.iter().any(|&part| match self.facts.expr(part) {
                    ExprKind::Null => true,
                    ExprKind::Number(number) => *number == 0.0,
                    _ => false,
                });
                nothing && parts.iter().any(|&part| self.is_row(rows, part, 4)) && (*op == Op::Unequal) == wanted
            }
            // `result.rowCount < 1`
            ExprKind::Op(Op::Compare, parts) => parts.iter().any(|&part| {
                matches!(self.facts.expr(part), ExprKind::Member(base, name)
                    if matches!(name.as_str(), "length" | "rowCount") && self.is_row(rows, *base, 3))
            }),
            _ => wanted && self.is_row(rows, condition, 4),
        }
    }

    /// `found`, `found[0]`, `found.rows[0]`, `found.data`, `found.length`
    fn is_row(&self, rows: &[DefId], expr: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match *self.facts.expr(expr) {
            ExprKind::Ref(name, block) => self.facts.lookup(block, name).is_some_and(|def| rows.contains(&def)),
            ExprKind::Index(base, _) => self.is_row(rows, base, depth),
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "rows" | "length" | "rowCount" | "data" | "0") && self.is_row(rows, base, depth)
            }
            ExprKind::Call(call) => {
                // `len(rows)`
                let call = self.facts.call(call);
                matches!(self.facts.expr(call.callee), ExprKind::Ref(name, _) if *name == "len")
                    && call.args.first().is_some_and(|arg| self.is_row(rows, arg.value, depth))
            }
            _ => false,
        }
    }
}

/// Whether a function looks something up by what it is handed.
fn looks_up_by_param(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let is_param = |at: &ExprKind| match at {
        ExprKind::Ref(name, block) => {
            let held = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
            is_key(name)
                && matches!(held, Some([only]) if matches!(facts.expr(*only), ExprKind::Param(of, _) if *of == function.function))
        }
        _ => false,
    };
    program.calls_in(function).any(|at| {
        let call = facts.call(at.call);
        let finds = facts
            .last_name(call.callee)
            .is_some_and(|name| LOOK_UPS.contains(&name.as_str()) || OR_LEAVE.contains(&name.as_str()));
        finds
            && call.args.iter().any(|arg| {
                let span = facts.span(arg.value);
                facts.exprs.iter().any(|expr| span.contains(expr.span) && is_param(&expr.kind))
            })
    })
}

/// Whether a name says that whoever brings what it holds was given it.
fn is_key(name: &str) -> bool {
    let words = words(name);
    // A hash alone may be that of a picture.
    proves(name)
        && words.iter().any(|word| word != "hash" && proves(word))
        && !words.iter().any(|word| FOR_ANYBODY.contains(&word.as_str()))
}
