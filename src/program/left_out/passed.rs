//! Checks that whoever brings anything goes past: `if (!req.headers.get("x-from-scheduler")) { .. 401 .. }`.

use super::{LeftOut, is_header};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::FileId;
use crate::manifest::TokenGate;
use crate::names::Name;
use crate::program::believed::turns_away;
use crate::program::readers::Use;
use crate::program::requested::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, ExprRef, Program};

/// Through how many names and operators a condition is followed.
const DEEPEST: usize = 6;

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
    let name = brought(program, file, condition, present, whole, DEEPEST)?;
    Some(LeftOut { span: whole, name, any: true })
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
fn brought(program: &Program, file: FileId, at: ExprId, present: bool, whole: Span, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(file);
    let next = |expr: ExprId, present: bool| brought(program, file, expr, present, whole, depth);
    match facts.expr(at) {
        ExprKind::Op(Op::Not, parts) => next(parts[0], !present),
        // One of several is enough, or all have to be brought.
        ExprKind::Op(op @ (Op::And | Op::Or), parts) if (*op == Op::Or) == present => {
            parts.iter().find_map(|&part| next(part, present))
        }
        ExprKind::Op(Op::And | Op::Or, parts) => {
            let all: Option<Vec<Name>> = parts.iter().map(|&part| next(part, present)).collect();
            all?.first().copied()
        }
        // `header === "true"`: a word that stands in the code.
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
            let is_word = |part: ExprId| match facts.expr(part) {
                ExprKind::Text(text) => !text.is_empty(),
                ExprKind::Bool(value) => *value,
                _ => false,
            };
            let [one, other] = parts[..] else { return None };
            let value = if is_word(other) { one } else { is_word(one).then_some(other)? };
            ((*op == Op::Equal) == present).then(|| value_of_request(program, file, value, whole, depth))?
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match *facts.expr(call.callee) {
                ExprKind::Member(base, method)
                    if matches!(method.as_str(), "startsWith" | "startswith" | "includes")
                        && call.args.iter().all(|arg| matches!(facts.expr(arg.value), ExprKind::Text(_))) =>
                {
                    next(base, present)
                }
                ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool") => {
                    next(call.args.first()?.value, present)
                }
                _ => present.then(|| value_of_request(program, file, at, whole, depth))?,
            }
        }
        // A name for such a condition.
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name)?;
            let [only] = facts.def(def).values[..] else { return None };
            match facts.expr(only) {
                ExprKind::Op(Op::Equal | Op::Unequal | Op::Not | Op::And, _) => {
                    is_only_asked(program, file, at, whole).then(|| next(only, present))?
                }
                _ => present.then(|| value_of_request(program, file, at, whole, depth))?,
            }
        }
        _ => present.then(|| value_of_request(program, file, at, whole, depth))?,
    }
}

/// What a value of the request is called that nothing else looks at; what the platform has verified is none.
fn value_of_request(program: &Program, file: FileId, at: ExprId, whole: Span, depth: usize) -> Option<Name> {
    depth.checked_sub(1)?;
    let facts = program.facts(file);
    let here = ExprRef::new(file, at);
    let header = is_header(program, here, 4);
    let gate = program.manifests.token_gate(&program.file(file).path);
    let gated = gate.is_some_and(|(gate, _)| gate != TokenGate::Open);
    let name = match header {
        true => header_name(program, file, at, 4)?,
        false => match program.origin_on(&[], here, &[]) {
            Origin::Request(source) => source.field?,
            _ => return None,
        },
    };
    let proves = name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie");
    // A flag of the body; what rows are found by is read elsewhere.
    let is_flag = header || matches!(facts.expr(at), ExprKind::Ref(..) | ExprKind::Member(..));
    (is_flag && !(proves && gated) && is_only_asked(program, file, at, whole)).then_some(name)
}

/// The name under which a header is read.
fn header_name(program: &Program, file: FileId, at: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(file);
    match facts.expr(at) {
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name)?;
            let first = *facts.def(def).values.first()?;
            header_name(program, file, first, depth)
        }
        ExprKind::Op(Op::Or | Op::Nullish, parts) => header_name(program, file, *parts.first()?, depth),
        ExprKind::Member(base, method) if matches!(method.as_str(), "toLowerCase" | "trim" | "lower" | "strip") => {
            header_name(program, file, *base, depth)
        }
        ExprKind::Member(_, name) => Some(*name),
        ExprKind::Index(_, index) => text_of(facts, *index),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match call.args.first() {
                Some(arg) => text_of(facts, arg.value),
                None => header_name(program, file, call.callee, depth),
            }
        }
        _ => None,
    }
}

/// Whether all that reads a name stands in the check, or is a log.
fn is_only_asked(program: &Program, file: FileId, at: ExprId, whole: Span) -> bool {
    let facts = program.facts(file);
    let ExprKind::Ref(name, block) = *facts.expr(at) else { return true };
    let Some(def) = facts.lookup(block, name) else { return false };
    let readers = program.readers(file);
    readers.reads(def).iter().all(|&read| {
        let is_logged =
            |used: &Use| matches!(*used, Use::Arg(call, _) if program.is_logging(CallRef::new(file, call)));
        whole.contains(facts.span(read))
            || readers.uses(read).iter().all(is_logged)
            // It makes the condition's own name.
            || readers.uses(read).iter().all(|used| matches!(*used, Use::In(outer) if asked_by_name(program, file, outer, whole)))
    })
}

/// Whether an operation has a name of its own that only the check reads.
fn asked_by_name(program: &Program, file: FileId, at: ExprId, whole: Span) -> bool {
    let facts = program.facts(file);
    let readers = program.readers(file);
    let inside = |read: &ExprId| whole.contains(facts.span(*read));
    matches!(facts.expr(at), ExprKind::Op(..))
        && readers.uses(at).iter().all(|used| match *used {
            Use::Kept(def) => readers.reads(def).iter().all(inside),
            Use::In(outer) => asked_by_name(program, file, outer, whole),
            _ => false,
        })
}

fn text_of(facts: &Facts, at: ExprId) -> Option<Name> {
    match facts.expr(at) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}
