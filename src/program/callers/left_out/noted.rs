//! Users who are looked up and not needed: who they are is only noted, and whoever is nobody goes on.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::FileId;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef, Program};

/// Through how many names and operators what is found is followed.
const DEEPEST: usize = 8;

/// Whether a call asks who is calling.
fn looks_up(program: &Program, at: CallRef) -> bool {
    let mut uses = program.vendors_at(at).iter();
    program.has_role(at, KnownRole::Authenticate)
        || uses.any(|used| program.operation(used).is_some_and(|operation| operation.effect == Effect::Verify))
}

/// Whether a value only goes into rows that are written, and logs: nobody asks whether it is there.
fn is_noted(program: &Program, at: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    let readers = program.readers(at.file);
    let on = |expr: ExprId| is_noted(program, ExprRef::new(at.file, expr), depth);
    let uses = readers.uses(at.expr);
    !uses.is_empty()
        && uses.iter().all(|used| match *used {
            Use::In(outer) => match facts.expr(outer) {
                ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, _) => on(outer),
                _ => false,
            },
            Use::Kept(def) => {
                let reads = readers.reads(def);
                !reads.is_empty() && reads.iter().all(|&read| on(read))
            }
            Use::Key(outer, _) | Use::Item(outer, _) => is_row(program, ExprRef::new(at.file, outer), depth),
            Use::Arg(call, _) => program.is_logging(CallRef::new(at.file, call)),
            _ => false,
        })
}

/// Whether an object is a row that is written, or is logged.
fn is_row(program: &Program, at: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    let uses = program.readers(at.file).uses(at.expr);
    !uses.is_empty()
        && uses.iter().all(|used| match *used {
            Use::Key(outer, _) | Use::Item(outer, _) => is_row(program, ExprRef::new(at.file, outer), depth),
            Use::Arg(call, _) => {
                let name = facts.last_name(facts.call(call).callee);
                name.is_some_and(|name| matches!(name.as_str(), "insert" | "upsert"))
                    || program.is_logging(CallRef::new(at.file, call))
            }
            _ => false,
        })
}

/// Whether a block looks somebody up, and nothing that hangs on what it finds ends the way: it notes who asked, or
/// narrows what is looked for when that is known.
pub(super) fn only_notes(program: &Program, file: FileId, facts: &Facts, block: BlockId) -> bool {
    let span = facts.block(block).span;
    let inner = facts.blocks.iter().filter(|inner| span.contains(inner.span));
    let mut set = Vec::new();
    for step in inner.flat_map(|inner| &inner.steps) {
        match *step {
            Step::Return(_) | Step::Throw(_) | Step::Jump | Step::Break => return false,
            Step::Bind(def, _) if !span.contains(facts.block(facts.def(def).block).span) => set.push(def),
            Step::Assign(..) => return false,
            _ => {}
        }
    }
    let asks =
        program.calls_of(file).any(|at| span.contains(facts.span(facts.call(at.call).expr)) && looks_up(program, at));
    // `if (tenant) query = query.eq("tenant", tenant)`
    let narrows: Vec<Span> = facts
        .blocks
        .iter()
        .flat_map(|block| &block.steps)
        .filter_map(|step| match *step {
            Step::If { condition, then, otherwise: None } if ending(facts, then) == Ending::GoesOn => {
                Some(Span { start: facts.span(condition).start, end: facts.block(then).span.end })
            }
            _ => None,
        })
        .collect();
    let readers = program.readers(file);
    let harmless = |read: ExprId| {
        let at = facts.span(read);
        let by_default = |used: &Use| match used {
            Use::In(outer) => matches!(facts.expr(*outer), ExprKind::Op(Op::Or | Op::Nullish, _)),
            Use::Arg(call, _) => program.is_logging(CallRef::new(file, *call)),
            _ => false,
        };
        span.contains(at)
            || narrows.iter().any(|narrow| {
                let mut asked = set.iter().flat_map(|&def| readers.reads(def));
                narrow.contains(at)
                    && asked.any(|&other| facts.span(other).start < at.end && narrow.contains(facts.span(other)))
            })
            || readers.uses(read).iter().any(by_default)
            || is_noted(program, ExprRef::new(file, read), DEEPEST)
    };
    asks && set.iter().all(|&def| readers.reads(def).iter().all(|&read| harmless(read)))
}
