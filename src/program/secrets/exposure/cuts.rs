//! Parts of texts: `key.slice(0, 8)`, `key[-4:]`.

use crate::facts::{DefId, ExprId, ExprKind, Facts, Op};

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// All of it, but for a few characters.
    Whole,
    /// Its first characters.
    Head(u32),
    /// Its end, or something from the middle.
    Little,
}

/// Which part `slice(a, b)` takes.
pub(super) fn cut_of(facts: &Facts, args: impl Iterator<Item = ExprId>) -> Cut {
    let numbers: Vec<Option<f64>> = args
        .map(|arg| match facts.expr(arg) {
            ExprKind::Number(number) => Some(*number),
            _ => None,
        })
        .collect();
    match numbers[..] {
        [Some(start)] if (0.0..=10.0).contains(&start) => Cut::Whole,
        [Some(0.0), Some(end)] if end > 0.0 => Cut::Head(end as u32),
        [Some(0.0), Some(_)] => Cut::Whole,
        // `"Bearer ".length`
        [None] => Cut::Whole,
        _ => Cut::Little,
    }
}

/// `key[:8]`, `key[-4:]`, `key[7:]`: where the number stands tells which.
pub(super) fn python_slice(facts: &Facts, index: ExprId) -> Option<Cut> {
    let ExprKind::Op(Op::Other, parts) = facts.expr(index) else { return None };
    if facts.language.is_script() {
        return None;
    }
    let whole = facts.span(index);
    Some(match parts[..] {
        [only] => match facts.expr(only) {
            ExprKind::Number(number) if facts.span(only).start > whole.start && *number > 0.0 => {
                Cut::Head(*number as u32)
            }
            ExprKind::Number(number) if facts.span(only).start == whole.start && (0.0..=10.0).contains(number) => {
                Cut::Whole
            }
            _ => Cut::Little,
        },
        [first, second] => match (facts.expr(first), facts.expr(second)) {
            (ExprKind::Number(first), ExprKind::Number(second)) if *first == 0.0 && *second > 0.0 => {
                Cut::Head(*second as u32)
            }
            _ => Cut::Little,
        },
        _ => Cut::Whole,
    })
}

/// How much is left of a definition that is cut and put back.
pub(super) fn cuts_itself(facts: &Facts, value: ExprId, def: DefId, depth: usize) -> Option<u32> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(value) {
        ExprKind::Call(call) => {
            let shape = facts.call(*call);
            let ExprKind::Member(base, method) = *facts.expr(shape.callee) else { return None };
            let ExprKind::Ref(name, block) = *facts.expr(base) else { return None };
            let cut = cut_of(facts, shape.args.iter().map(|arg| arg.value));
            match cut {
                Cut::Head(length)
                    if matches!(method.as_str(), "slice" | "substring" | "substr")
                        && facts.lookup(block, name) == Some(def) =>
                {
                    Some(length)
                }
                _ => None,
            }
        }
        ExprKind::Template(parts) | ExprKind::Op(Op::Add, parts) => {
            parts.iter().find_map(|&part| cuts_itself(facts, part, def, depth))
        }
        _ => None,
    }
}
