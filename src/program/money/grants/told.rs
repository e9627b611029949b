//! States of payments that are taken from the address of the page to which whoever paid is sent back.

use super::words::PAID;
use crate::facts::{ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::verify::words;

/// How far values are followed.
const FARTHEST: usize = 10;

/// Beginnings of words of rows that stand for something that is paid for.
const PAYABLE: &[&str] = &["order", "purchase", "enrol", "booking", "subscription", "payment", "transaction"];

/// Names of what holds the parameters of an address.
const PARAMETERS: &[&str] = &["query", "GET", "args", "query_params", "searchParams"];

/// What such a name is a member of.
const REQUESTS: &[&str] = &["req", "request", "ctx", "c", "event", "nextUrl", "url"];

/// Whether a field is the state of something that is paid for, and its value is what the address says: by itself,
/// through a table, or by a choice that it makes.
pub(super) fn by_address(facts: &Facts, row: Option<Name>, field: &str, value: ExprId) -> bool {
    let field = words(field);
    let is_state = field.last().is_some_and(|last| last == "status" || last == "state");
    let of_money = ["payment", "subscription", "order"].iter().any(|word| field.iter().any(|part| part == word));
    let of_row =
        row.is_some_and(|row| words(&row).iter().any(|word| PAYABLE.iter().any(|start| word.starts_with(start))));
    is_state && (of_money || of_row && field.len() == 1) && said(facts, value, FARTHEST)
}

/// Whether a value is what the address says.
fn said(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let on = |expr: ExprId| said(facts, expr, depth);
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => {
            facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| on(value)))
        }
        ExprKind::Member(base, name) => {
            PARAMETERS.contains(&name.as_str())
                && facts.last_name(*base).is_some_and(|holder| REQUESTS.contains(&holder.as_str()))
                || on(*base)
        }
        ExprKind::Await(inner) => on(*inner),
        // `{ approved: "paid" }[req.query.status]`
        ExprKind::Index(base, key) => on(*base) || is_table(facts, *base, depth) && on(*key),
        ExprKind::Op(Op::Choose, parts) => {
            let pays = |part: ExprId| matches!(facts.expr(part), ExprKind::Text(text) if PAID.contains(&text.to_ascii_lowercase().as_str()));
            parts.iter().skip(1).any(|&part| on(part))
                || parts.first().is_some_and(|&asked| on(asked)) && parts.iter().skip(1).any(|&part| pays(part))
        }
        ExprKind::Op(Op::Or | Op::Nullish | Op::Equal, parts) => parts.iter().any(|&part| on(part)),
        // What a look-up with it gives may be the server's: only what is read or rewritten is followed.
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match facts.expr(call.callee) {
                ExprKind::Member(base, name) => {
                    on(call.callee)
                        || *name == "get"
                            && is_table(facts, *base, depth)
                            && call.args.first().is_some_and(|arg| on(arg.value))
                }
                ExprKind::Ref(name, _) if matches!(name.as_str(), "str" | "String") => {
                    call.args.first().is_some_and(|arg| on(arg.value))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a value is a table that the code holds.
fn is_table(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Object(_) => true,
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some(&[only]) => is_table(facts, only, depth),
            _ => false,
        },
        _ => false,
    }
}
