//! Claims: changes of a row that only the first of two can make, because they ask for the state that they end.

use crate::catalogue::Effect;
use crate::facts::{CallId, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, Program};

/// Methods of queries that name the rows.
const FILTERS: &[&str] =
    &["eq", "neq", "is", "in", "in_", "lt", "lte", "gt", "gte", "not", "filter", "match", "where", "filter_by", "or"];

/// Words of columns that say which row it is, not what state it is in.
const WHICH: &[&str] =
    &["id", "uuid", "user", "owner", "email", "token", "slug", "number", "reference", "ref", "key", "code"];

/// Words of states that work ends.
const WAITING: &[&str] = &[
    "pending",
    "waiting",
    "awaiting",
    "due",
    "open",
    "queued",
    "draft",
    "processing",
    "unpaid",
    "reserved",
    "held",
    "scheduled",
    "new",
    "created",
    "initiated",
    "failed",
    "requires",
];

impl Program {
    /// Whether an update of the app's own rows asks for a state besides the row: `update(..).eq("id", id).eq("status",
    /// "due")`. None when it is no update, or what it asks cannot be seen.
    pub(in crate::program) fn asks_for_state(&self, at: CallRef) -> Option<bool> {
        let facts = self.facts(at.file);
        let shape = facts.call(at.call);
        let own = |used: &crate::program::VendorUse| {
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|operation| operation.effect == Effect::Update)
        };
        let named = facts.last_name(shape.callee).is_some_and(|name| name.to_ascii_lowercase().starts_with("update"));
        let named = named || self.statement(at).is_some_and(|statement| statement.starts_with("update"));
        if !named && !self.vendors_at(at).iter().any(own) {
            return None;
        }
        let columns = match self.statement(at) {
            Some(statement) => asked_in(&statement),
            None => self.columns_asked(at),
        };
        // `update({ ticket: null }).eq("ticket", ticket)`: nobody finds it by that again.
        let written = self.fields_written(at);
        let changed = |column: &String| written.iter().any(|field| field.as_str() == column);
        (!columns.is_empty()).then(|| columns.iter().any(|column| says_state(column) || changed(column)))
    }

    /// Whether a call changes rows whatever state they are in: the second of two does as well as the first.
    pub(in crate::program) fn changes_any_state(&self, at: CallRef) -> bool {
        self.asks_for_state(at) == Some(false)
    }

    /// Whether a query fails where it meets no row: `update(..).select().single()`.
    pub(in crate::program) fn asks_for_one(&self, at: CallRef) -> bool {
        self.chain(at).any(|(_, name)| name == "single")
    }

    /// Whether a query looks for what still waits for its work: none is found where it was done before.
    pub(in crate::program) fn asks_for_waiting(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        self.chain(at).any(|(link, name)| {
            let args = &facts.call(link.call).args;
            let [column, value] = &args[..] else { return false };
            let ExprKind::Text(column) = facts.expr(column.value) else { return false };
            match name.as_str() {
                "eq" | "in" | "in_" => is_waiting(facts, value.value),
                "neq" => {
                    says_state(column) && matches!(facts.expr(value.value), ExprKind::Text(_) | ExprKind::Bool(true))
                }
                "is" | "is_" => names_moment(column) && matches!(facts.expr(value.value), ExprKind::Null),
                _ => false,
            }
        }) || self.conditions_of(at).iter().any(|&(column, value)| match facts.expr(value) {
            ExprKind::Bool(_) | ExprKind::Null => names_moment(&column) && is_waiting(facts, value),
            _ => says_state(&column) && is_waiting(facts, value),
        })
    }

    /// The columns and values that a query compares in objects, keywords and expressions: `where: { state: "due" }`,
    /// `filter_by(state="due")`, `eq(orders.state, "due")`.
    fn conditions_of(&self, at: CallRef) -> Vec<(Name, ExprId)> {
        let facts = self.facts(at.file);
        let mut found: Vec<(Name, ExprId)> = Vec::new();
        for arg in &facts.call(at.call).args {
            if let ExprKind::Object(entries) = facts.expr(arg.value) {
                let asked = entries.iter().filter(|(key, _)| key == "where");
                asked.for_each(|&(_, value)| compared_in(facts, value, &mut found, 5));
            }
        }
        // The filters may stand before what runs the query, or after it.
        let mut before: Vec<CallId> = vec![];
        let mut link = at.call;
        while let ExprKind::Member(base, _) = facts.expr(facts.call(link).callee)
            && let ExprKind::Call(inner) = facts.expr(*base)
        {
            before.push(*inner);
            link = *inner;
        }
        let links = before.into_iter().chain([at.call]).chain(self.chain(at).map(|(outer, _)| outer.call));
        for call in links.map(|link| facts.call(link)) {
            let named = facts.last_name(call.callee);
            if !named.is_some_and(|name| FILTERS.contains(&name.as_str()) || name == "get") {
                continue;
            }
            for arg in &call.args {
                match arg.name {
                    Some(column) => found.push((column, arg.value)),
                    None => compared_in(facts, arg.value, &mut found, 5),
                }
            }
        }
        found
    }

    /// The values by which a query picks one row: `.eq("id", id)`, `where: { id }`, `filter_by(id=id)`. Constants are left
    /// out; none where something else picks too, or nothing does.
    pub(in crate::program) fn picked_by(&self, at: CallRef) -> Option<Vec<ExprId>> {
        let facts = self.facts(at.file);
        let mut values: Vec<ExprId> = Vec::new();
        for arg in &facts.call(at.call).args {
            if let ExprKind::Object(entries) = facts.expr(arg.value)
                && let Some(&(_, condition)) = entries.iter().find(|(key, _)| key == "where")
            {
                let ExprKind::Object(columns) = facts.expr(condition) else { return None };
                values.extend(columns.iter().map(|&(_, value)| value));
            }
        }
        let own = match *facts.expr(facts.call(at.call).callee) {
            ExprKind::Member(_, name) => Some((at, name)),
            _ => None,
        };
        for (link, name) in own.into_iter().chain(self.chain(at)) {
            let args = &facts.call(link.call).args;
            match (name.as_str(), &args[..]) {
                ("eq", [column, value]) if matches!(facts.expr(column.value), ExprKind::Text(_)) => {
                    values.push(value.value);
                }
                ("filter_by" | "get" | "filter", args) if args.iter().all(|arg| arg.name.is_some()) => {
                    values.extend(args.iter().map(|arg| arg.value));
                }
                (name, _) if FILTERS.contains(&name) => return None,
                _ => {}
            }
        }
        values
            .retain(|&value| !matches!(facts.expr(value), ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Number(_)));
        (!values.is_empty()).then_some(values)
    }

    /// The columns by which a query, or a change, picks its rows.
    pub(in crate::program) fn columns_asked(&self, at: CallRef) -> Vec<String> {
        let facts = self.facts(at.file);
        let shape = facts.call(at.call);
        let mut columns: Vec<String> = Vec::new();
        for arg in &shape.args {
            if let ExprKind::Object(entries) = facts.expr(arg.value) {
                let asked = entries.iter().filter(|(key, _)| key == "where");
                asked.for_each(|&(_, value)| named_in(facts, value, &mut columns, 5));
            }
        }
        for (outer, name) in self.chain(at) {
            if FILTERS.contains(&name.as_str()) {
                let args = &facts.call(outer.call).args;
                match args.first().map(|arg| (arg.name, facts.expr(arg.value))) {
                    Some((None, ExprKind::Text(column))) => columns.push(column.to_string()),
                    _ => args.iter().for_each(|arg| match arg.name {
                        Some(name) => columns.push(name.to_string()),
                        None => named_in(facts, arg.value, &mut columns, 5),
                    }),
                }
            }
        }
        columns
    }
}

/// The list of which a call keeps what still waits for its work: `rows.filter((row) => row.state === "pending")`.
pub(in crate::program) fn waiting_of(facts: &Facts, call: CallId) -> Option<ExprId> {
    let call = facts.call(call);
    let ExprKind::Member(list, name) = *facts.expr(call.callee) else { return None };
    let ExprKind::Function(callback) = *facts.expr(call.args.first()?.value) else { return None };
    let keeps = matches!(name.as_str(), "filter" | "find");
    (keeps && facts.returned(callback).any(|value| says_waiting(facts, value, 5))).then_some(list)
}

/// Whether a condition holds only for what still waits: `row.state !== "paid"`, `!row.sent_at`.
fn says_waiting(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let state = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Member(_, name) if says_state(name));
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| says_waiting(facts, part, depth)),
        ExprKind::Op(Op::Or, parts) => {
            let states =
                parts.iter().all(|&part| matches!(facts.expr(part), ExprKind::Op(Op::Equal, sides) if state(sides[0])));
            states && parts.iter().any(|&part| says_waiting(facts, part, depth))
        }
        ExprKind::Op(Op::Not, parts) => state(parts[0]),
        ExprKind::Op(Op::Equal, parts) => state(parts[0]) && is_waiting(facts, parts[1]),
        ExprKind::Op(Op::Unequal, parts) => state(parts[0]) && matches!(facts.expr(parts[1]), ExprKind::Text(_)),
        _ => false,
    }
}

/// What a condition compares: `{ state: "due" }`, `{ state: { in: ["due", "failed"] } }`, `and(eq(orders.state, "due"))`.
fn compared_in(facts: &Facts, expr: ExprId, found: &mut Vec<(Name, ExprId)>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut compared = |column: ExprId, value: ExprId| {
        if let ExprKind::Member(_, name) = facts.expr(column) {
            found.push((*name, value));
        }
    };
    match facts.expr(expr) {
        ExprKind::Op(Op::Equal, parts) if parts.len() == 2 => compared(parts[0], parts[1]),
        ExprKind::Op(Op::And, parts) | ExprKind::List(parts) => {
            parts.iter().for_each(|&part| compared_in(facts, part, found, depth));
        }
        ExprKind::Object(entries) => {
            for &(key, value) in entries {
                match (key.as_str(), facts.expr(value)) {
                    ("AND", _) => compared_in(facts, value, found, depth),
                    ("OR" | "NOT", _) => {}
                    (_, ExprKind::Object(inner)) => {
                        let is = inner.iter().find(|(key, _)| key == "in" || key == "equals");
                        found.extend(is.map(|&(_, value)| (key, value)));
                    }
                    _ => found.push((key, value)),
                }
            }
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match (facts.last_name(call.callee).as_deref(), &call.args[..]) {
                (Some("eq" | "inArray"), [column, value]) => compared(column.value, value.value),
                (Some("and"), parts) => parts.iter().for_each(|part| compared_in(facts, part.value, found, depth)),
                _ => {}
            }
        }
        _ => {}
    }
}

/// Whether a column that is empty, or false, says that something has not happened yet: `sent_at`, `is_paid`.
fn names_moment(column: &str) -> bool {
    const REMOVED: &[&str] = &["deleted", "archived", "revoked", "banned", "blocked", "disabled", "hidden"];
    let said = words(column);
    said.len() > 1 && !said.iter().any(|word| REMOVED.contains(&word.as_str()))
}

/// Whether a value says that something was not done yet: `"pending"`, `false`, one of a list.
fn is_waiting(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Bool(said) => !said,
        ExprKind::Null => true,
        ExprKind::Text(text) => words(text).iter().any(|word| WAITING.contains(&word.as_str())),
        ExprKind::List(items) => items.iter().any(|&item| is_waiting(facts, item)),
        _ => false,
    }
}

/// The columns that the last condition of a statement names: `where id = $1 and state = 'due'`.
fn asked_in(statement: &str) -> Vec<String> {
    let Some((_, condition)) = statement.rsplit_once("where ") else { return vec![] };
    let condition = condition.split(" returning ").next().unwrap_or(condition);
    let parts = condition.split(" and ").flat_map(|part| part.split(" or "));
    let column = |part: &str| {
        let name = part.trim().trim_start_matches(['(', '"', '`']);
        let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(name.len());
        name[..end].rsplit('.').next().unwrap_or("").to_owned()
    };
    parts.map(column).filter(|column| !column.is_empty()).collect()
}

/// Whether a statement asks for a column that it changes: `set state = $1 where id = $2 and state = 'due'`. What comes
/// late changes nothing.
pub(in crate::program) fn changes_what_it_asks(statement: &str) -> bool {
    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((_, sets)) = statement.rsplit_once(" set ") else { return false };
    let Some((sets, _)) = sets.split_once(" where ") else { return false };
    let asked = asked_in(&statement);
    let column = |set: &str| set.split_once('=').map(|(column, _)| column.trim().trim_matches(['"', '`']).to_owned());
    sets.split(',').filter_map(column).any(|column| says_state(&column) && asked.contains(&column))
}

/// Whether a column says what state a row is in, and not which row it is.
pub(in crate::program) fn says_state(column: &str) -> bool {
    words(column).last().is_some_and(|last| !WHICH.contains(&last.as_str()))
}

/// The columns that a condition names: `and(eq(orders.id, id), eq(orders.state, "due"))`, `{ id, state: "due" }`.
pub(in crate::program) fn named_in(facts: &Facts, expr: ExprId, found: &mut Vec<String>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Op(Op::And | Op::Or, parts) | ExprKind::List(parts) => {
            parts.iter().for_each(|&part| named_in(facts, part, found, depth));
        }
        ExprKind::Op(_, parts) => {
            if let Some(ExprKind::Member(_, name)) = parts.first().map(|&part| facts.expr(part)) {
                found.push(name.to_string());
            }
        }
        ExprKind::Object(entries) => {
            for (key, value) in entries {
                match key.as_str() {
                    "AND" | "OR" | "NOT" => named_in(facts, *value, found, depth),
                    _ => found.push(key.to_string()),
                }
            }
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match call.args.first().map(|arg| facts.expr(arg.value)) {
                Some(ExprKind::Member(_, name)) => found.push(name.to_string()),
                _ => call.args.iter().for_each(|arg| named_in(facts, arg.value, found, depth)),
            }
        }
        _ => {}
    }
}
