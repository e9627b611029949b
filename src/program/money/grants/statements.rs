//! Grants that a statement of SQL makes: `query("update users set plan = $1 where id = $2", ["pro", id])`.

use super::{FREE, Given, PAID, given, is_account, is_other};
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, Program};

impl Program {
    /// What a statement that a call runs gives: the column, what it gets and how.
    pub(super) fn granting_statement(&self, at: CallRef, name: &str) -> Option<(Name, ExprId, Given)> {
        if !matches!(name, "query" | "execute" | "run" | "sql" | "raw" | "fetch" | "$executeRaw" | "queryRaw" | "none")
        {
            return None;
        }
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let statement = self.statement(at)?;
        let rest = statement.strip_prefix("update ")?;
        let (table, rest) = rest.split_once(" set ")?;
        let table = table.trim().trim_matches('"').rsplit('.').next()?;
        if is_other(table) {
            return None;
        }
        let row = Name::new(table);
        let (sets, _) = rest.split_once(" where ")?;
        let mut holes = 0;
        for set in sets.split(',') {
            let Some((column, value)) = set.split_once('=') else { continue };
            let (column, value) = (Name::new(column.trim().trim_matches('"')), value.trim());
            if let Some(text) = value.strip_prefix('\'').and_then(|text| text.split('\'').next()) {
                if is_paid(&row, &column, text) {
                    return Some((column, call.expr, Given::Fixed));
                }
                continue;
            }
            let handed = match value.strip_prefix('$').map(|rest| rest.parse::<usize>()) {
                Some(Ok(place)) => place.checked_sub(1),
                _ if value == "?" || value == "%s" => {
                    holes += 1;
                    Some(holes - 1)
                }
                _ => None,
            };
            let Some(value) = handed.and_then(|place| self.handed_to_statement(at, place)) else { continue };
            let Some(given) = given(facts, Some(row), &column, value) else { continue };
            if given != Given::Chosen || is_account(&row) {
                return Some((column, value, given));
            }
        }
        None
    }

    /// The value that a statement is handed at a place: of the list behind it, or of a template's holes.
    fn handed_to_statement(&self, at: CallRef, place: usize) -> Option<ExprId> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        if let Some(values) = call.args.get(1) {
            return match facts.expr(values.value) {
                ExprKind::List(items) => items.get(place).copied(),
                _ => None,
            };
        }
        let first = call.args.first()?.value;
        let template = match facts.expr(first) {
            ExprKind::Call(inner) => facts.call(*inner).args.first()?.value,
            _ => first,
        };
        let ExprKind::Template(parts) = facts.expr(template) else { return None };
        parts.iter().copied().filter(|&part| !matches!(facts.expr(part), ExprKind::Text(_))).nth(place)
    }
}

/// Whether a text under a column says that something is paid for.
fn is_paid(row: &str, column: &str, text: &str) -> bool {
    let named = words(column);
    let has = |any: &[&str]| named.iter().any(|word| any.contains(&word.as_str()));
    if has(&["trial", "requested", "pending", "next", "previous", "old"]) || FREE.contains(&text) {
        return false;
    }
    let last = named.last().map_or("", String::as_str);
    let of_money = has(&["payment", "subscription", "plan", "billing", "membership"]);
    match last {
        "status" => of_money && PAID.contains(&text) || named.len() == 1 && text == "paid",
        "plan" | "tier" => PAID.contains(&text) && is_account(row),
        _ => false,
    }
}
