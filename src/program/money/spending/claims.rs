//! Mail that says of a row which the request picks that it is paid, and does not ask the row.

use crate::facts::{ExprId, ExprKind, Step};
use crate::program::callers::audience::functions_on;
use crate::program::origins::Origin as Start;
use crate::program::values::payload::segments;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{Entry, ExprRef, FunctionRef, Program, VendorUse};

/// Words of what has become of somebody's money.
const OF_MONEY: &[&str] = &["paid", "payment", "payments", "refund", "refunded"];

/// Words of columns that say how far something is.
const STATES: &[&str] = &["status", "state", "paid", "refunded", "at"];

/// Whether mail tells whoever a row names, which the request picks, of money, and nothing asks how the row stands.
pub(super) fn is_claim(
    program: &Program,
    entry: &Entry,
    start: &Start,
    used: &VendorUse,
    recipients: &[String],
) -> bool {
    let fields = program.payload_fields(used);
    let under = |field: &str| fields.iter().find(|(key, _)| *key == field).map(|&(_, value)| value);
    let name = entry.name.or(entry.route);
    let mut says = name.map(|name| words(&name)).unwrap_or_default();
    says.extend(
        under("subject").and_then(|value| program.value(value).text()).map(|text| words(&text)).into_iter().flatten(),
    );
    if !says.iter().any(|word| OF_MONEY.contains(&word.as_str())) {
        return false;
    }
    let is_picked = recipients.iter().filter_map(|field| under(segments(field).first()?)).any(|value| {
        let facts = program.facts(value.file);
        let value = match facts.expr(value.expr) {
            ExprKind::List(items) => items.first().map(|&item| ExprRef::new(value.file, item)),
            _ => Some(value),
        };
        value.is_some_and(|value| program.found_by(&start.way, value, &["id"], 12).is_some())
    });
    is_picked
        && !functions_on(program, entry, start, used.at)
            .into_iter()
            .any(|function| asks_state(program, start, function))
}

/// Whether a function asks how the row stands that it found: in a condition, or while it looks for it.
fn asks_state(program: &Program, start: &Start, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let is_state = |name: &str| words(name).iter().any(|word| STATES.contains(&word.as_str()));
    let conditions: Vec<_> = facts
        .blocks
        .iter()
        .filter(|block| span.contains(block.span))
        .flat_map(|block| &block.steps)
        .filter_map(|step| match step {
            Step::If { condition, .. } => Some(facts.span(*condition)),
            _ => None,
        })
        .collect();
    let asked = (0..facts.exprs.len()).map(|at| ExprId(at as u32)).any(|at| {
        let ExprKind::Member(_, name) = facts.expr(at) else { return false };
        is_state(name)
            && conditions.iter().any(|condition| condition.contains(facts.span(at)))
            && program.origin_on(&start.way, ExprRef::new(function.file, at), &[]) == Origin::Server
    });
    asked
        || program.calls_in(function).filter(|&at| !program.vendors_at(at).is_empty()).any(|at| {
            program
                .selectors(at)
                .iter()
                .any(|&(by, value)| is_state(&by) && program.origin_on(&start.way, value, &[]) == Origin::Constant)
        })
}
