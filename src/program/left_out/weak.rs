//! Refusals that bringing anything at all gets around: `if (!isCron && !authHeader) return 401`.

use super::{LeftOut, is_header};
use crate::facts::{DefId, ExprId, ExprKind, Facts, Op, Span};
use crate::finding::FileId;
use crate::manifest::TokenGate;
use crate::names::Name;
use crate::program::{ExprRef, Program};

/// Through how many names and operators a part is followed.
const DEEPEST: usize = 6;

/// What of a refusal's condition says nothing, because one of its parts only asks whether a header is there.
pub(super) fn stood_in_for(program: &Program, file: FileId, condition: ExprId) -> Vec<LeftOut> {
    // Where the platform asks for a token, what is there is a true one.
    let gate = program.manifests.token_gate(&program.file(file).path);
    if gate.is_some_and(|(gate, _)| gate != TokenGate::Open) {
        return vec![];
    }
    let facts = program.facts(file);
    let mut ways = Vec::new();
    if !alternatives(facts, condition, true, &mut ways, DEEPEST) || ways.len() < 2 {
        return vec![];
    }
    let Some((name, header)) = ways.iter().find_map(|&way| presence(program, file, way, DEEPEST)) else {
        return vec![];
    };
    let whole = facts.span(condition);
    let mut spans = vec![whole];
    for &way in &ways {
        only_read_here(program, file, way, whole, &mut spans);
    }
    // What else looks at the header may check it.
    let inside = |read: &ExprId| spans.iter().any(|span| span.contains(facts.span(*read)));
    if !program.readers(file).reads(header).iter().all(inside) {
        return vec![];
    }
    spans.into_iter().map(|span| LeftOut { span, name, any: true }).collect()
}

/// The ways to be let in by a condition that refuses: `!a && !b`, `!(a || b)`. False where it also asks for something
/// else.
fn alternatives(facts: &Facts, at: ExprId, refuses: bool, ways: &mut Vec<ExprId>, depth: usize) -> bool {
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
            ways.push(at);
            true
        }
        _ if refuses => false,
        _ => {
            ways.push(at);
            true
        }
    }
}

/// The header of which a part only asks whether it is there, or how it begins.
fn presence(program: &Program, file: FileId, at: ExprId, depth: usize) -> Option<(Name, DefId)> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(file);
    let next = |expr: ExprId| presence(program, file, expr, depth);
    match facts.expr(at) {
        ExprKind::Op(Op::And, parts) => {
            let all: Option<Vec<(Name, DefId)>> = parts.iter().map(|&part| next(part)).collect();
            all?.first().copied()
        }
        // `!!header`
        ExprKind::Op(Op::Not, parts) => match facts.expr(parts[0]) {
            ExprKind::Op(Op::Not, inner) => next(inner[0]),
            _ => None,
        },
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match *facts.expr(call.callee) {
                ExprKind::Member(base, method) if matches!(method.as_str(), "startsWith" | "startswith") => {
                    let constant = call.args.iter().all(|arg| matches!(facts.expr(arg.value), ExprKind::Text(_)));
                    if constant { next(base) } else { None }
                }
                ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool") => next(call.args.first()?.value),
                _ => None,
            }
        }
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name)?;
            match facts.def(def).values[..] {
                [only] if is_read(facts, only, 4) && is_header(program, ExprRef::new(file, only), 4) => {
                    Some((*name, def))
                }
                [only] => next(only),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a value is a header as it was read: `req.headers.get("authorization") ?? ""`.
fn is_read(facts: &Facts, at: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(at) {
        ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&part| is_read(facts, part, depth)),
        ExprKind::Member(base, _) | ExprKind::Index(base, _) => {
            facts.last_name(*base).is_some_and(|name| name == "headers")
        }
        ExprKind::Call(call) => facts
            .last_name(facts.call(*call).callee)
            .is_some_and(|name| matches!(name.as_str(), "get" | "header" | "get_header")),
        _ => false,
    }
}

/// What the names in a part stand for, where nothing else reads them: checked for this refusal alone.
fn only_read_here(program: &Program, file: FileId, at: ExprId, whole: Span, spans: &mut Vec<Span>) {
    let facts = program.facts(file);
    let readers = program.readers(file);
    let ExprKind::Ref(name, block) = *facts.expr(at) else { return };
    let Some(def): Option<DefId> = facts.lookup(block, name) else { return };
    let alone = readers.reads(def).iter().all(|&read| whole.contains(facts.span(read)));
    if let (true, &[value]) = (alone, &facts.def(def).values[..])
        && matches!(facts.expr(value), ExprKind::Op(..) | ExprKind::Call(_))
    {
        spans.push(facts.span(value));
    }
}
