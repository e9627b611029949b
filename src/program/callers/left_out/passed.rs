//! Checks that whoever brings anything goes past: `if (!req.headers.get("x-from-scheduler")) { .. 401 .. }`.

use super::LeftOut;
use crate::facts::{Block, BlockId, DefId, ExprId, ExprKind, Facts, Span, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::callers::announced::is_anyones;
use crate::program::callers::believed::turns_away;
use crate::program::callers::brought::{Asks, Brought};
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::values::requested::Origin;
use crate::program::{CallRef, ExprRef, FunctionRef, Program};

/// The check that one branch of a condition makes and the other does not, where anything brought picks the other.
pub(super) fn gone_past(
    program: &Program,
    file: FileId,
    condition: ExprId,
    then: BlockId,
    otherwise: Option<BlockId>,
) -> Option<LeftOut> {
    let facts = program.facts(file);
    let checks = match otherwise {
        Some(otherwise) if !checks(facts, then) => checks(facts, otherwise).then_some((otherwise, true))?,
        _ => checks(facts, then).then_some((then, false))?,
    };
    let (block, present) = checks;
    let whole = Span { start: facts.span(condition).start, end: facts.block(block).span.end };
    let name = brought(program, ExprRef::new(file, condition), present, whole)?;
    Some(LeftOut { span: whole, name, any: true, noted: false, refuses_none: false })
}

/// What a function that says who is let in asks no more, once anything brought has it say yes:
/// `if (req.headers.get("x-from-clock")) return true; return key === KEY`.
pub(super) fn let_in(
    program: &Program,
    file: FileId,
    block: &Block,
    condition: ExprId,
    then: BlockId,
) -> Option<LeftOut> {
    let facts = program.facts(file);
    let function = FunctionRef::new(file, block.function);
    let says_yes = |value: ExprId| matches!(facts.expr(value), ExprKind::Bool(true));
    let Ending::Returns(Some(value)) = ending(facts, then) else { return None };
    let answers = |value: ExprId| matches!(facts.expr(value), ExprKind::Bool(_) | ExprKind::Op(..) | ExprKind::Call(_));
    if !says_yes(value) || !facts.returned(function.function).all(answers) || !is_gate(program, function) {
        return None;
    }
    let span = facts.span(condition);
    let name = brought(program, ExprRef::new(file, condition), true, span)?;
    let end = facts.function(function.function).span.end;
    Some(LeftOut { span: Span { start: span.start, end }, name, any: true, noted: false, refuses_none: false })
}

/// Whether what a function says decides that somebody is turned away.
fn is_gate(program: &Program, function: FunctionRef) -> bool {
    program.callers(function).iter().any(|call| {
        let facts = program.facts(call.file);
        let at = facts.span(facts.call(call.call).expr);
        facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match *step {
            Step::If { condition, then, .. } => facts.span(condition).contains(at) && turns_away(facts, then),
            _ => false,
        })
    })
}

/// Whether a block goes on after it has turned somebody away, and does nothing else that ends the way.
fn checks(facts: &Facts, block: BlockId) -> bool {
    let mut turns = false;
    let mut steps: Vec<&Step> = facts.block(block).steps.iter().collect();
    while let Some(step) = steps.pop() {
        match *step {
            Step::Bind(..) | Step::Eval(_) | Step::Assign(..) => {}
            Step::Block(inner) => steps.extend(&facts.block(inner).steps),
            Step::If { then, otherwise: None, .. } => {
                if ending(facts, then) == Ending::GoesOn || !turns_away(facts, then) {
                    return false;
                }
                turns = true;
            }
            _ => return false,
        }
    }
    turns
}

/// What a condition asks to be there (or, with `present` unset, not to be there), and nothing else looks at.
pub(super) fn brought(program: &Program, at: ExprRef, present: bool, whole: Span) -> Option<Name> {
    let value = |at: ExprRef, asks: Asks| value_of_request(program, at, asks, whole);
    let behind = |at: ExprRef| is_only_asked(program, at.file, at.expr, whole);
    Brought { program, value: &value, behind: &behind }.decides(at, present)
}

/// What a value of the request is called that nothing else looks at; what the platform has verified is none, and no word
/// of the code that few know.
fn value_of_request(program: &Program, at: ExprRef, asks: Asks, whole: Span) -> Option<Name> {
    let facts = program.facts(at.file);
    let header = program.header_of(at);
    let name = match header {
        Some(header) if asks == Asks::Word && !is_anyones(&header) => return None,
        Some(header) => header,
        None => match program.origin_on(&[], at, &[]) {
            Origin::Request(source) => source.field?,
            _ => return None,
        },
    };
    let proves = name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie");
    // A flag of the body; what rows are found by is read elsewhere.
    let is_flag = header.is_some() || matches!(facts.expr(at.expr), ExprKind::Ref(..) | ExprKind::Member(..));
    (is_flag && !(proves && program.is_gated(at.file)) && is_only_asked(program, at.file, at.expr, whole))
        .then_some(name)
}

/// Whether all that reads a name stands in the check, or is a log.
fn is_only_asked(program: &Program, file: FileId, at: ExprId, whole: Span) -> bool {
    let facts = program.facts(file);
    let ExprKind::Ref(name, block) = *facts.expr(at) else { return true };
    let Some(def) = facts.lookup(block, name) else { return false };
    let readers = program.readers(file);
    readers.reads(def).iter().all(|&read| {
        let is_logged = |used: &Use| matches!(*used, Use::Arg(call, _) if program.is_logging(CallRef::new(file, call)));
        whole.contains(facts.span(read))
            || readers.uses(read).iter().all(is_logged)
            || makes_asked_name(program, file, read, whole)
    })
}

/// Whether a read only makes a condition that has a name of its own, which nothing but the check reads:
/// `const isClock = header === "1"`.
fn makes_asked_name(program: &Program, file: FileId, read: ExprId, whole: Span) -> bool {
    let facts = program.facts(file);
    let readers = program.readers(file);
    let at = facts.span(read);
    facts.defs.iter().enumerate().any(|(id, def)| {
        let [only] = def.values[..] else { return false };
        let reads = readers.reads(DefId(id as u32));
        matches!(facts.expr(only), ExprKind::Op(..) | ExprKind::Call(_))
            && facts.span(only).contains(at)
            && !reads.is_empty()
            && reads.iter().all(|&read| whole.contains(facts.span(read)))
    })
}
