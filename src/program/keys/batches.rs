//! Rows that are paid together and marked afterwards: what is paid is the batch, not the day on which it is paid.

use crate::facts::{BlockId, BlockKind, CallId, DefId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::names::Name;
use crate::program::keys::holes::{Made, Site};
use crate::program::values::requested::says_amount;
use crate::program::{CallRef, EdgeKind, Program};

/// Through how many names and operators a sum is followed to the list it is made of.
const DEEPEST: usize = 12;

impl Program {
    /// The list whose elements a call's sum adds up, and which are written once the call is through.
    fn batch_of(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let whole = facts.span(call.expr);
        let named = call.args.iter().filter_map(|arg| Some((arg.name?, arg.value)));
        let inside = facts.objects().filter(|(at, _)| whole.contains(facts.span(*at)));
        let given = inside.flat_map(|(_, entries)| entries.iter().copied()).chain(named);
        let sums = given.filter(|(key, _)| says_amount(key)).map(|(_, value)| value);
        let mut lists = Vec::new();
        sums.for_each(|sum| added_up(facts, sum, &mut lists, DEEPEST));
        let list = lists.into_iter().find(|&list| self.is_marked_after(at, list))?;
        Some(facts.def(list).name)
    }

    /// Whether the elements of a list are written after a call, in its function.
    fn is_marked_after(&self, at: CallRef, list: DefId) -> bool {
        let facts = self.facts(at.file);
        let function = self.key_owner(at).function;
        let around = facts.function(function).span;
        let end = facts.span(facts.call(at.call).expr).end;
        let reads = |span: Span| {
            let mut inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
            inside.any(|expr| matches!(expr.kind, ExprKind::Ref(name, block) if names(facts, name, block, list)))
        };
        let writes = |span: Span| {
            self.calls_of(at.file)
                .filter(|other| span.contains(facts.span(facts.call(other.call).expr)))
                .any(|other| self.writes_here_or_below(other))
        };
        let later = facts.blocks.iter().filter(|block| around.contains(block.span) && block.span.end > end);
        later.into_iter().any(|block| {
            let looped = match block.kind {
                BlockKind::Loop(Some(head)) if block.span.start > end => reads(facts.span(head)) && writes(block.span),
                _ => false,
            };
            looped
                || block.steps.iter().any(|step| match *step {
                    Step::Eval(expr) | Step::Bind(_, expr) | Step::Return(Some(expr)) => {
                        let span = facts.span(expr);
                        span.start > end && reads(span) && writes(span)
                    }
                    _ => false,
                })
        })
    }

    /// Whether a call writes rows of the app's own, itself or in the function that it calls.
    fn writes_here_or_below(&self, at: CallRef) -> bool {
        let mut below = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        self.writes_own(at) || below.any(|edge| self.calls_in(edge.target).any(|inner| self.writes_own(inner)))
    }

    /// The key of a call that pays several rows at once: the batch has an id, and stays what it is when more rows come
    /// in before the next try. None where the call pays no such batch.
    pub(in crate::program) fn of_batch(&self, site: &Site<'_>) -> Option<Made> {
        let list = self.batch_of(site.used.at)?;
        let facts = self.facts(site.used.at.file);
        let taken = facts.defs.iter().any(|def| def.name == "batch");
        let name = match (taken, site.script) {
            (false, _) => "batch",
            (true, true) => "batchRow",
            (true, false) => "batch_row",
        };
        let mut made = Made::default().with(format!("{name}.id"));
        made.advice.push(format!(
            "where `{name}` is a row of the app's own: insert it before, with its sum, and note its id on each of \
             `{list}`; the next run looks for one that was not paid, and asks again with its id and sum, whatever came in \
             since"
        ));
        Some(made)
    }
}

/// Whether a name is a list, or what was taken from each of its elements: `const ids = gifts.map((gift) => gift.id)`.
fn names(facts: &Facts, name: Name, block: BlockId, list: DefId) -> bool {
    let Some(def) = facts.lookup(block, name) else { return false };
    let taken = |value: ExprId| match *facts.expr(value) {
        ExprKind::Call(call) => mapped(facts, call) == Some(list),
        _ => false,
    };
    def == list || facts.def(def).values.iter().any(|&value| taken(value))
}

/// The list that a call of `map` goes through.
fn mapped(facts: &Facts, call: CallId) -> Option<DefId> {
    let ExprKind::Member(base, name) = *facts.expr(facts.call(call).callee) else { return None };
    (name == "map").then(|| list_of(facts, base, 4))?
}

/// The list that a chain of `filter` and `map` begins with.
fn list_of(facts: &Facts, expr: ExprId, depth: usize) -> Option<DefId> {
    let depth = depth.checked_sub(1)?;
    match *facts.expr(expr) {
        ExprKind::Ref(name, block) => facts.lookup(block, name),
        ExprKind::Call(call) => match *facts.expr(facts.call(call).callee) {
            ExprKind::Member(base, name) if name == "filter" || name == "map" => list_of(facts, base, depth),
            _ => None,
        },
        ExprKind::Op(Op::Or | Op::Nullish, ref parts) => list_of(facts, *parts.first()?, depth),
        _ => None,
    }
}

/// The lists that a sum adds up: `gifts.reduce(..)`, `sum(gift.cents for gift in gifts)`, `total += gift.cents`.
fn added_up(facts: &Facts, sum: ExprId, found: &mut Vec<DefId>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(sum) {
        ExprKind::Ref(name, block) => {
            let Some(def) = facts.lookup(*block, *name) else { return };
            for &value in &facts.def(def).values {
                let own = |part: ExprId| matches!(*facts.expr(part), ExprKind::Ref(of, block) if facts.lookup(block, of) == Some(def));
                match facts.expr(value) {
                    ExprKind::Op(Op::Add | Op::Arithmetic, parts) if parts.iter().any(|&part| own(part)) => {
                        parts.iter().for_each(|&part| gone_through(facts, part, found, depth));
                    }
                    _ => added_up(facts, value, found, depth),
                }
            }
        }
        ExprKind::Op(_, parts) => parts.iter().for_each(|&part| added_up(facts, part, found, depth)),
        ExprKind::Await(inner) => added_up(facts, *inner, found, depth),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match *facts.expr(call.callee) {
                ExprKind::Member(base, name) if name == "reduce" => found.extend(list_of(facts, base, 4)),
                ExprKind::Ref(name, _) if name == "sum" => {
                    call.args.iter().for_each(|arg| read_in(facts, facts.span(arg.value), found));
                }
                // `Math.round(sum * 100)`, `sum.toFixed(2)`
                ExprKind::Member(base, _) => {
                    added_up(facts, base, found, depth);
                    call.args.iter().for_each(|arg| added_up(facts, arg.value, found, depth));
                }
                _ => call.args.iter().for_each(|arg| added_up(facts, arg.value, found, depth)),
            }
        }
        _ => {}
    }
}

/// The list that a part of a loop's element was taken from: `gift.cents` of `for (const gift of gifts)`.
fn gone_through(facts: &Facts, part: ExprId, found: &mut Vec<DefId>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(part) {
        ExprKind::Member(base, _) => gone_through(facts, *base, found, depth),
        ExprKind::ElementOf(list) => found.extend(list_of(facts, *list, 4)),
        ExprKind::Ref(name, block) => {
            let values = facts.lookup(*block, *name).map_or(&[][..], |def| &facts.def(def).values);
            values.iter().for_each(|&value| gone_through(facts, value, found, depth));
        }
        ExprKind::Op(_, parts) => parts.iter().for_each(|&part| gone_through(facts, part, found, depth)),
        ExprKind::Call(call) => {
            facts.call(*call).args.iter().for_each(|arg| gone_through(facts, arg.value, found, depth));
        }
        _ => {}
    }
}

/// What is read by name in a piece of code.
fn read_in(facts: &Facts, span: Span, found: &mut Vec<DefId>) {
    let inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
    let read = inside.filter_map(|expr| match expr.kind {
        ExprKind::Ref(name, block) => facts.lookup(block, name),
        _ => None,
    });
    let element =
        |def: &DefId| facts.def(*def).values.iter().any(|&value| matches!(facts.expr(value), ExprKind::ElementOf(_)));
    found.extend(read.filter(|def| !element(def)));
}
