//! Deliveries that are marked as handled although their work failed: when the sender tries again, the mark turns the
//! second delivery away. The event is lost.

use crate::facts::{Block, BlockId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

/// Words in the name of a field that says that the work is done.
const DONE: &[&str] = &["processed", "handled", "completed", "done", "finished"];

/// A delivery that is marked as handled whatever happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkedHandled {
    /// Where the mark is set.
    pub mark: Span,
    /// The function that sets it.
    pub function: FunctionRef,
    /// The work that may have failed by then.
    pub work: CallRef,
    /// The field.
    pub field: Name,
}

impl Program {
    /// Where a handler marks an event as handled behind a `try` that lets the failure of its work pass, and turns away
    /// what is marked.
    pub fn marked_handled(&self, handler: &WebhookHandler) -> Option<MarkedHandled> {
        let entry = &self.entries[handler.entry];
        let reach = self.reach(entry.function, |edge| edge.kind == EdgeKind::Direct);
        let working: Vec<FunctionRef> =
            handler.account.deeds.iter().filter(|deed| !deed.records).map(|deed| self.function_of(deed.at)).collect();
        reach.stops.iter().enumerate().find_map(|(at, stop)| {
            let function = stop.function;
            let facts = self.facts(function.file);
            let asked = asked_marks(facts, function);
            if asked.is_empty() {
                return None;
            }
            let own = facts.blocks.iter().filter(|block| block.function == function.function);
            own.flat_map(|block| tries(facts, block)).find_map(|(body, behind)| {
                let span = facts.block(body).span;
                let work = self.calls_in(function).find(|&at| {
                    let inside = span.contains(facts.span(facts.call(at.call).expr));
                    let runs =
                        |edge: &crate::program::Edge| edge.kind == EdgeKind::Direct && working.contains(&edge.target);
                    inside
                        && (self.edges(at).iter().any(runs)
                            || handler.account.deeds.iter().any(|deed| deed.at == at && !deed.records))
                })?;
                // An answer that says all is well is told of as that.
                if self.loss_of(entry, &reach.way(at), work).is_some() {
                    return None;
                }
                let mark =
                    behind.iter().find_map(|step| marks(facts, step).filter(|(_, field)| asked.contains(field)))?;
                Some(MarkedHandled { mark: mark.0, function, work, field: mark.1 })
            })
        })
    }
}

/// The fields that say an event was handled, and by which a function leaves: `if event.processed_at: return`.
fn asked_marks(facts: &Facts, function: FunctionRef) -> Vec<Name> {
    let own = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| &block.steps);
    let left = own.filter_map(|step| match step {
        Step::If { condition, then, .. } if matches!(ending(facts, *then), Ending::Returns(_)) => Some(*condition),
        _ => None,
    });
    let mut fields = Vec::new();
    left.for_each(|condition| asked_in(facts, condition, 5, &mut fields));
    fields
}

fn asked_in(facts: &Facts, condition: ExprId, depth: usize, fields: &mut Vec<Name>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(condition) {
        ExprKind::Op(Op::And | Op::Or | Op::Unequal | Op::Equal, parts) => {
            parts.iter().for_each(|&part| asked_in(facts, part, depth, fields));
        }
        ExprKind::Member(_, name) if says_done(name) => fields.push(*name),
        _ => {}
    }
}

fn says_done(name: &str) -> bool {
    words(name).iter().any(|word| DONE.contains(&word.as_str()))
}

/// The guarded blocks among a block's steps whose failure passes without a mark of its own, and what runs behind each
/// whatever happened.
fn tries<'f>(facts: &'f Facts, block: &'f Block) -> Vec<(BlockId, Vec<&'f Step>)> {
    let steps = block.steps.iter().enumerate();
    let guarded = steps.filter_map(|(at, step)| match step {
        Step::Try { body, handlers, finally } => {
            let passes =
                !handlers.is_empty() && handlers.iter().all(|&handler| ending(facts, handler) == Ending::GoesOn);
            let last: &[Step] = finally.map_or(&[], |finally| &facts.block(finally).steps);
            let rest: &[Step] = if passes { &block.steps[at + 1..] } else { &[] };
            let behind: Vec<&Step> = last.iter().chain(rest).collect();
            (!behind.is_empty()).then_some((*body, behind))
        }
        _ => None,
    });
    guarded.collect()
}

/// The field that a step sets to say that the work is done, whatever came of it.
fn marks(facts: &Facts, step: &Step) -> Option<(Span, Name)> {
    match step {
        Step::Assign(target, value) => match facts.expr(*target) {
            ExprKind::Member(_, name) if says_done(name) && is_sure(facts, *value) => {
                Some((facts.span(*target), *name))
            }
            _ => None,
        },
        Step::Eval(value) | Step::Bind(_, value) => marked_in(facts, *value, 8),
        _ => None,
    }
}

/// `db.from("events").update({ processed: true }).eq("id", id)`
fn marked_in(facts: &Facts, expr: ExprId, depth: usize) -> Option<(Span, Name)> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Await(inner) | ExprKind::Member(inner, _) => marked_in(facts, *inner, depth),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(base, name) = facts.expr(call.callee) else { return None };
            let updates = name.to_ascii_lowercase().contains("update") || name == "set";
            let field = call.args.iter().filter(|_| updates).find_map(|arg| done_field(facts, arg.value, depth));
            field.map(|field| (facts.span(call.expr), field)).or_else(|| marked_in(facts, *base, depth))
        }
        _ => None,
    }
}

fn done_field(facts: &Facts, row: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    let ExprKind::Object(entries) = facts.expr(row) else { return None };
    entries.iter().find_map(|&(key, value)| match facts.expr(value) {
        ExprKind::Object(_) => done_field(facts, value, depth),
        _ => (says_done(&key) && is_sure(facts, value)).then_some(key),
    })
}

/// Whether a value says so in any case: `true`, the time of day.
fn is_sure(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Bool(truth) => *truth,
        ExprKind::Call(_) => true,
        ExprKind::Await(inner) => is_sure(facts, *inner),
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(
            |def| matches!(facts.def(def).values[..], [only] if matches!(facts.expr(only), ExprKind::Call(_))),
        ),
        _ => false,
    }
}
