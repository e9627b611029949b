//! Numbers that are reckoned on from what a row holds: each further run reckons once more.

use crate::facts::{BlockId, CallId, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::FunctionRef;
use crate::program::verify::words;

/// Where a function counts on from what a row holds: the block, the row, and the place.
pub(super) fn counted_in(facts: &Facts, function: FunctionRef) -> impl Iterator<Item = (BlockId, ExprId, u32)> + '_ {
    let blocks = facts.blocks.iter().enumerate().filter(move |(_, block)| block.function == function.function);
    let steps = blocks.flat_map(|(id, block)| block.steps.iter().map(move |step| (BlockId(id as u32), step)));
    steps.filter_map(|(block, step)| {
        let Step::Assign(target, value) = step else { return None };
        let ExprKind::Member(row, field) = facts.expr(*target) else { return None };
        // `product.stock -= 1`, `product.stock = max(0, product.stock - 1)`
        let same = |read: ExprId| matches!(facts.expr(read), ExprKind::Member(of, _) if same_thing(facts, *of, *row));
        let taken = || {
            read_before(facts, *value, 7)
                .is_some_and(|(read, name)| name == *field && !of_deliveries(field) && same(read))
        };
        let counts = kept_number(facts, *target, 2) && adds(facts, *value, 4) || taken();
        counts.then(|| (block, *row, facts.span(*target).start))
    })
}

/// Whether a value is made of what was there before.
pub(super) fn counts_on(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
            matches!(key.as_str(), "increment" | "decrement" | "$inc")
                || adds(facts, value, depth)
                || match facts.expr(value) {
                    ExprKind::Object(_) => counts_on(facts, value, depth),
                    _ => false,
                }
        }),
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.iter().any(|&value| counts_on(facts, value, depth))),
        _ => false,
    }
}

/// The fields of what a write is given, with those of objects in it.
pub(super) fn fields_of(facts: &Facts, expr: ExprId, depth: usize) -> impl Iterator<Item = (Name, ExprId)> {
    let mut found = Vec::new();
    let mut open = vec![(expr, depth)];
    while let Some((expr, depth)) = open.pop() {
        match facts.expr(expr) {
            _ if depth == 0 => {}
            ExprKind::Object(entries) => {
                found.extend(entries.iter().copied());
                open.extend(entries.iter().map(|&(_, value)| (value, depth - 1)));
            }
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map_or(&[][..], |def| &facts.def(def).values);
                open.extend(values.iter().map(|&value| (value, depth - 1)));
            }
            _ => {}
        }
    }
    found.into_iter()
}

/// The field from whose former value a number is reckoned, and its name: `row.stock - 1`, `row.paid + charged`.
pub(super) fn read_before(facts: &Facts, expr: ExprId, depth: usize) -> Option<(ExprId, Name)> {
    let depth = depth.checked_sub(1)?;
    if let Some(exact) = rounded_of(facts, expr) {
        return read_before(facts, exact, depth);
    }
    match facts.expr(expr) {
        ExprKind::Op(Op::Arithmetic | Op::Add, parts) => read_as_number(facts, *parts.first()?, depth),
        ExprKind::Call(call) => bounded(facts, *call).find_map(|arg| read_before(facts, arg, depth)),
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => read_before(facts, only, depth),
            _ => None,
        },
        _ => None,
    }
}

/// The number that is rounded to its cents: `Math.round(sum * 100) / 100`, `Number(sum.toFixed(2))`.
fn rounded_of(facts: &Facts, expr: ExprId) -> Option<ExprId> {
    let scaled = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Op(Op::Arithmetic, parts) => match (&parts[..], parts.get(1).map(|&by| facts.expr(by))) {
            (&[number, _], Some(ExprKind::Number(by))) => Some((number, *by)),
            _ => None,
        },
        _ => None,
    };
    if let Some((whole, by)) = scaled(expr) {
        let ExprKind::Call(call) = *facts.expr(whole) else { return None };
        return bounded(facts, call).filter_map(scaled).find_map(|(number, of)| (of == by).then_some(number));
    }
    let ExprKind::Call(call) = *facts.expr(expr) else { return None };
    let call = facts.call(call);
    let converts =
        matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if *name == "Number" || *name == "parseFloat");
    let ExprKind::Call(inner) = *facts.expr(call.args.first().filter(|_| converts)?.value) else { return None };
    match *facts.expr(facts.call(inner).callee) {
        ExprKind::Member(number, name) if name == "toFixed" => Some(number),
        _ => None,
    }
}

/// What a number is kept within bounds of, or rounded: `Math.max(0, row.stock - 1)`.
fn bounded(facts: &Facts, call: CallId) -> impl Iterator<Item = ExprId> {
    let call = facts.call(call);
    let bounds = ["max", "min", "round", "floor", "ceil"];
    let bounds = facts.last_name(call.callee).is_some_and(|name| bounds.contains(&name.as_str()));
    call.args.iter().filter(move |_| bounds).map(|arg| arg.value)
}

/// A field that is read as a number: `row.stock`, `Number(row.stock ?? 0)`.
fn read_as_number(facts: &Facts, expr: ExprId, depth: usize) -> Option<(ExprId, Name)> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Member(_, name) => Some((expr, *name)),
        ExprKind::Op(Op::Or | Op::Nullish, parts) => read_as_number(facts, *parts.first()?, depth),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let converts = ["Number", "int", "float", "parseInt", "parseFloat", "Decimal"];
            let converts =
                matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if converts.contains(&name.as_str()));
            read_as_number(facts, call.args.first().filter(|_| converts)?.value, depth)
        }
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => read_as_number(facts, only, depth),
            _ => None,
        },
        _ => None,
    }
}

/// Whether two expressions are one variable, or fields of one.
pub(in crate::program) fn same_thing(facts: &Facts, one: ExprId, other: ExprId) -> bool {
    match (facts.expr(one), facts.expr(other)) {
        (ExprKind::Ref(one, _), ExprKind::Ref(other, _)) => one == other,
        (ExprKind::Member(one, name), ExprKind::Member(other, again)) => {
            name == again && same_thing(facts, *one, *other)
        }
        (ExprKind::This(_), ExprKind::This(_)) => true,
        _ => false,
    }
}

/// Whether a field says, by its name, how often a delivery came in.
pub(super) fn of_deliveries(name: &Name) -> bool {
    words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "sync" | "attempts" | "retry" | "retries" | "received" | "failures"))
}

/// Whether a field holds words, by its name: what is added to it is no number.
pub(super) fn holds_words(name: &Name) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "note" | "notes" | "comment" | "comments" | "description" | "text" | "log" | "history" | "message" | "name"
        )
    })
}

/// `profile.credits + bought`: one part is a field of something, and the sum is no text and no time.
fn adds(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Op(Op::Add, parts) => parts.iter().any(|&part| kept_number(facts, part, depth)),
        ExprKind::Call(call) => bounded(facts, *call).any(|arg| adds(facts, arg, depth)),
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.len() == 1 && adds(facts, facts.def(def).values[0], depth)),
        _ => false,
    }
}

/// A field of a row that counts something, by its name.
fn kept_number(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Member(_, name) | ExprKind::Ref(name, _) => {
            let words = words(name);
            !of_deliveries(name)
                && words.iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "credits"
                            | "credit"
                            | "balance"
                            | "count"
                            | "total"
                            | "tokens"
                            | "points"
                            | "quantity"
                            | "used"
                            | "usage"
                            | "seats"
                            | "stock"
                            | "raised"
                    )
                })
        }
        ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().any(|&part| kept_number(facts, part, depth)),
        ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| kept_number(facts, arg.value, depth)),
        _ => false,
    }
}
