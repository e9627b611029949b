//! Refusals that bringing anything at all gets around: `if (!isCron && !authHeader) return 401`.

use super::{LeftOut, passed};
use crate::facts::{DefId, ExprId, ExprKind, Facts, Op, Span};
use crate::finding::FileId;
use crate::program::{ExprRef, Program};

/// Through how many names and operators a part is followed.
const DEEPEST: usize = 6;

/// What of a refusal's condition says nothing, because one of its parts only asks whether a header is there.
pub(super) fn stood_in_for(program: &Program, file: FileId, condition: ExprId) -> Vec<LeftOut> {
    // Where the platform asks for a token, what is there is a true one.
    if program.is_gated(file) {
        return vec![];
    }
    let facts = program.facts(file);
    let mut ways = Vec::new();
    if !alternatives(facts, condition, true, &mut ways, DEEPEST) || ways.len() < 2 {
        return vec![];
    }
    let whole = facts.span(condition);
    let named = |&(way, holds): &(ExprId, bool)| passed::brought(program, ExprRef::new(file, way), holds, whole);
    let Some(name) = ways.iter().find_map(named) else { return vec![] };
    let mut spans = vec![whole];
    for &(way, _) in &ways {
        only_read_here(program, file, way, whole, &mut spans);
    }
    spans.into_iter().map(|span| LeftOut { span, name, any: true, noted: false, refuses_none: false }).collect()
}

/// The ways to be let in by a condition that refuses, and whether each has to hold: `!a && !b`, `!(a || b)`. False where
/// it also asks for something else.
fn alternatives(facts: &Facts, at: ExprId, refuses: bool, ways: &mut Vec<(ExprId, bool)>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(at) {
        ExprKind::Op(Op::Not, parts) => alternatives(facts, parts[0], !refuses, ways, depth),
        ExprKind::Op(Op::And, parts) if refuses => {
            parts.iter().all(|&part| alternatives(facts, part, refuses, ways, depth))
        }
        ExprKind::Op(Op::Or, parts) if !refuses => {
            parts.iter().all(|&part| alternatives(facts, part, refuses, ways, depth))
        }
        // `key !== KEY && !header`
        ExprKind::Op(Op::Unequal, _) if refuses => {
            ways.push((at, false));
            true
        }
        _ if refuses => false,
        _ => {
            ways.push((at, true));
            true
        }
    }
}

/// What the names in a part stand for, where nothing else reads them: checked for this refusal alone.
fn only_read_here(program: &Program, file: FileId, at: ExprId, whole: Span, spans: &mut Vec<Span>) {
    let facts = program.facts(file);
    let readers = program.readers(file);
    let mut at = at;
    // `!data.user`
    while let ExprKind::Member(base, _) = *facts.expr(at) {
        at = base;
    }
    let ExprKind::Ref(name, block) = *facts.expr(at) else { return };
    let Some(def): Option<DefId> = facts.lookup(block, name) else { return };
    let alone = readers.reads(def).iter().all(|&read| whole.contains(facts.span(read)));
    if let (true, &[value]) = (alone, &facts.def(def).values[..])
        && let value = asked(facts, value)
        && matches!(facts.expr(value), ExprKind::Op(..) | ExprKind::Call(_))
    {
        spans.push(facts.span(value));
    }
}

/// What `(await client.auth.getUser(token)).data` takes a part of.
fn asked(facts: &Facts, value: ExprId) -> ExprId {
    let mut at = value;
    while let ExprKind::Member(base, _) | ExprKind::Await(base) = *facts.expr(at) {
        at = base;
    }
    at
}
