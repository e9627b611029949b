//! What an idempotency key can be made of where a call stands: names that mean there what they mean where they are
//! read, and that have got their value by then.

use crate::facts::{BlockId, BlockKind, DefId, DefKind, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, Program, Value};

/// How new a value is on each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::program) enum Made {
    /// It was there before.
    No,
    /// A row that the run inserts.
    Row,
    /// A vendor's object, a random value, the time.
    New,
}

impl Program {
    /// What a name means at a call, where that is what it means in `block` too and it holds something by then. Names
    /// of the module are the same for all calls and tell none from another.
    pub(in crate::program) fn at_hand(&self, at: CallRef, name: Name, block: BlockId) -> Option<DefId> {
        let facts = self.facts(at.file);
        let here = facts.call(at.call).block;
        let id = facts.lookup(here, name)?;
        let def = facts.def(id);
        let told = matches!(def.kind, DefKind::Constant | DefKind::Variable | DefKind::Param);
        let own = facts.lookup(block, name) == Some(id) && facts.function_of(def.block) != FunctionId::MODULE;
        (told && own && is_bound(facts, id, at) && !is_gone(facts, at, name)).then_some(id)
    }

    /// An expression as the code writes it, where all of its names are at hand at the call: `order.id`, `req.body.step`.
    pub(in crate::program) fn printed(&self, at: CallRef, expr: ExprId) -> Option<(String, DefId)> {
        let facts = self.facts(at.file);
        match *facts.expr(expr) {
            ExprKind::Ref(name, block) => Some((name.to_string(), self.at_hand(at, name, block)?)),
            ExprKind::Member(base, name) => {
                let (text, def) = self.printed(at, base)?;
                // What is taken apart stands in no one place: only the name that it gets does.
                let (whole, inner) = (facts.span(expr), facts.span(base));
                let taken = whole.end.checked_sub(inner.end).filter(|_| whole.start == inner.start)?;
                let dotted = taken as usize <= name.len() + 3 && !is_quoted(facts, taken, name);
                Some((if dotted { format!("{text}.{name}") } else { format!("{text}['{name}']") }, def))
            }
            _ => None,
        }
    }

    /// How new a value is on each run.
    pub(in crate::program) fn made(&self, call: CallRef, value: ExprId, depth: usize) -> Made {
        const INSERTS: &[&str] = &["insert", "create", "add", "save", "upsert", "bulk"];
        const MAKES: &[&str] =
            &["make", "new", "random", "now", "generate", "uuid", "uuid4", "nanoid", "v4", "cuid", "ulid"];
        let Some(depth) = depth.checked_sub(1) else { return Made::No };
        let facts = self.facts(call.file);
        let most = |parts: &[ExprId]| parts.iter().map(|&part| self.made(call, part, depth)).max().unwrap_or(Made::No);
        match facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
                self.made(call, *inner, depth)
            }
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) | ExprKind::Template(parts) => most(parts),
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                values.map_or(Made::No, |values| most(values))
            }
            ExprKind::Call(inner) => {
                let shape = facts.call(*inner);
                let at = CallRef::new(call.file, *inner);
                let foreign = |used: &crate::program::VendorUse| {
                    !self.catalogue.vendor(used.vendor).own_backend && used.at != call
                };
                let first = facts.last_name(shape.callee).and_then(|name| words(&name).first().cloned());
                let first = first.unwrap_or_default();
                let class = || self.callee(at).alternatives().iter().any(|callee| matches!(callee, Value::Class(_)));
                if self.vendors_at(at).iter().any(foreign) || MAKES.contains(&first.as_str()) {
                    return Made::New;
                }
                if INSERTS.contains(&first.as_str()) || shape.is_new || class() {
                    // What a function of the app makes may be anybody's.
                    let row = matches!(facts.expr(shape.callee), ExprKind::Member(..)) || shape.is_new || class();
                    return if row { Made::Row } else { Made::New };
                }
                match facts.expr(shape.callee) {
                    ExprKind::Member(base, _) => self.made(call, *base, depth),
                    _ => Made::No,
                }
            }
            _ => Made::No,
        }
    }
}

/// Whether what stands behind a base is `["name"]` rather than `.name` or `?.name`.
pub(in crate::program) fn is_quoted(facts: &Facts, taken: u32, name: Name) -> bool {
    !facts.language.is_script() && taken as usize != name.len() + 1
}

/// Whether a name holds something when the call runs: it is handed in, or gets a value on every way to the call.
fn is_bound(facts: &Facts, id: DefId, at: CallRef) -> bool {
    let def = facts.def(id);
    let call = facts.call(at.call);
    let whole = facts.span(call.expr);
    let around: Vec<BlockId> = facts.enclosing(call.block).map(|(id, _)| id).collect();
    // `const refund = await refunds.create(..)`: it is what the call gives.
    if def.values.iter().any(|&value| facts.span(value).contains(whole)) {
        return false;
    }
    if def.kind == DefKind::Param {
        return true;
    }
    def.values.iter().any(|&value| {
        if let Some(list) = list_of(facts, value, 4) {
            return around.iter().any(|&id| facts.block(id).kind == BlockKind::Loop(Some(list)));
        }
        facts.span(value).start < whole.start && around.contains(&runs_in(facts, value))
    })
}

/// The list of which a value is an element.
fn list_of(facts: &Facts, value: ExprId, depth: usize) -> Option<ExprId> {
    let depth = depth.checked_sub(1)?;
    match *facts.expr(value) {
        ExprKind::ElementOf(list) => Some(list),
        ExprKind::Member(inner, _) | ExprKind::Index(inner, _) | ExprKind::Await(inner) => list_of(facts, inner, depth),
        _ => None,
    }
}

/// The innermost block that an expression runs in; what is only guarded runs with what is around it.
fn runs_in(facts: &Facts, expr: ExprId) -> BlockId {
    let span = facts.span(expr);
    let around = (0..facts.blocks.len() as u32).map(BlockId).filter(|&id| facts.block(id).span.contains(span));
    let mut at = around.min_by_key(|&id| facts.block(id).span.end - facts.block(id).span.start).unwrap_or(BlockId(0));
    while let (BlockKind::Try | BlockKind::With(_) | BlockKind::Plain | BlockKind::Finally, Some(parent)) =
        (facts.block(at).kind, facts.block(at).parent)
    {
        at = parent;
    }
    at
}

/// Whether a name is known to hold nothing where the call stands: `if (known) return`, `if (!product) { .. }`.
fn is_gone(facts: &Facts, at: CallRef, name: Name) -> bool {
    let call = facts.call(at.call);
    let whole = facts.span(call.expr);
    facts.enclosing(call.block).any(|(_, block)| {
        let arm = match block.kind {
            BlockKind::Then(condition) => says(facts, condition, name, false),
            BlockKind::Else(condition) => says(facts, condition, name, true),
            _ => false,
        };
        let left = |step: &Step| match step {
            Step::If { condition, then, .. } => {
                facts.span(*condition).end <= whole.start
                    && !facts.block(*then).span.contains(whole)
                    && says(facts, *condition, name, true)
                    && ending(facts, *then) != Ending::GoesOn
            }
            _ => false,
        };
        arm || block.steps.iter().any(left)
    })
}

/// Whether a condition says by itself that a name holds something, or nothing.
fn says(facts: &Facts, condition: ExprId, name: Name, something: bool) -> bool {
    let is_it = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Ref(of, _) => *of == name,
        ExprKind::Member(base, _) => matches!(facts.expr(*base), ExprKind::Ref(of, _) if *of == name && something),
        _ => false,
    };
    match facts.expr(condition) {
        ExprKind::Ref(of, _) => something && *of == name,
        // `rows.length`
        ExprKind::Member(_, field) if *field == "length" => something && is_it(condition),
        ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| says(facts, part, name, !something)),
        ExprKind::Op(Op::And, parts) if !something => parts.iter().any(|&part| says(facts, part, name, something)),
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
            let null = parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Null));
            let named = parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Ref(of, _) if *of == name));
            null && named && (*op == Op::Unequal) == something
        }
        ExprKind::Op(Op::Compare, parts) => {
            let counted = |part: &ExprId| matches!(facts.expr(*part), ExprKind::Member(_, field) if *field == "length");
            something && parts.iter().any(|part| counted(part) && is_it(*part))
        }
        _ => false,
    }
}
