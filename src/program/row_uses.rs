//! What code does with the rows of a table of the app's own backend with no more than its users' rights, so that the
//! rules of the table decide about it.

use crate::catalogue::{Category, Effect};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{Program, VendorUse};
use crate::sql::{History, Rights};

/// Names of a value that holds who is signed in.
const SIGNED_IN: &[&str] = &["user", "currentUser", "current_user", "authUser", "sessionUser", "me"];

/// One use of a table's rows.
#[derive(Debug, Clone)]
pub struct RowUse {
    /// Where.
    pub place: Place,
    /// Browsers run it.
    pub in_browser: bool,
    /// Which right it takes.
    pub right: Rights,
    /// The columns that it reads; none for all of them.
    pub columns: Option<Vec<Name>>,
    /// The columns whose value picks the rows: `.eq("token", token)`.
    pub picked_by: Vec<Name>,
    /// One of those values is the id of who is signed in.
    pub own: bool,
}

impl RowUse {
    /// Whether it reads one of some columns.
    pub fn reads(&self, wanted: &[Name]) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.iter().any(|column| wanted.contains(column)))
    }
}

impl Program {
    /// Whether users of a database's app sign in with another service than the app's own backend: nothing signs in
    /// with that, and a vendor for signing in is used.
    pub fn signs_in_elsewhere(&self, history: &History) -> bool {
        let signs_in = |used: &VendorUse| {
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|operation| operation.core.is_some())
        };
        let elsewhere = |used: &VendorUse| {
            let vendor = self.catalogue.vendor(used.vendor);
            let logs_in = || vendor.calls.iter().any(|call| call.core.is_some() || call.effect == Effect::Token);
            vendor.category == Category::Auth && !vendor.own_backend && logs_in()
        };
        let own = || self.vendor_uses().iter().filter(|used| self.is_database_of(history, used.at.file));
        own().any(elsewhere) && !own().any(signs_in)
    }

    /// What code does with a table's rows with its users' rights, in the files' order.
    pub fn row_uses(&self, history: &History, table: Name) -> Vec<RowUse> {
        let uses = self.table_uses().get(&table).into_iter().flatten();
        let direct = uses.filter_map(|&at| self.row_use(&self.vendor_uses()[at], None));
        let mut found: Vec<RowUse> = direct.chain(self.embedded(table)).collect();
        found.retain(|used| self.is_database_of(history, used.place.file));
        found.sort_by_key(|used| (!used.in_browser, used.place));
        found
    }

    /// Reads of other tables that bring a table's rows along: `select("*, profiles(name)")`.
    fn embedded(&self, table: Name) -> impl Iterator<Item = RowUse> {
        self.table_uses().values().flatten().filter_map(move |&at| {
            let used = &self.vendor_uses()[at];
            let text = self.selected(used).filter(|text| text.contains('(') && text.contains(table.as_str()))?;
            self.row_use(used, Some(inside(&text, &table)?))
        })
    }

    /// The text that names the columns of a read.
    fn selected(&self, used: &VendorUse) -> Option<Name> {
        let facts = self.facts(used.at.file);
        match facts.call(used.at.call).args.first().map(|arg| facts.expr(arg.value)) {
            Some(ExprKind::Text(text)) => Some(*text),
            _ => None,
        }
    }

    /// Whether a new row names who is signed in.
    fn names_own(&self, used: &VendorUse) -> bool {
        let facts = self.facts(used.at.file);
        let mut open: Vec<ExprId> = facts.call(used.at.call).args.iter().map(|arg| arg.value).collect();
        let mut own = false;
        while let Some(expr) = open.pop() {
            match facts.expr(expr) {
                ExprKind::List(items) => open.extend(items.iter()),
                ExprKind::Object(entries) => own |= entries.iter().any(|&(_, value)| names_self(facts, value, 3)),
                _ => {}
            }
        }
        own
    }

    fn row_use(&self, used: &VendorUse, embedded: Option<Option<Vec<Name>>>) -> Option<RowUse> {
        let right = match self.operation(used)?.effect {
            Effect::Read | Effect::List => Rights::SELECT,
            Effect::Create => Rights::INSERT,
            Effect::Update => Rights::UPDATE,
            Effect::Delete => Rights::DELETE,
            _ => return None,
        };
        let side = self.side(used.at.file);
        if side.tooling || self.has_full_rights(used) {
            return None;
        }
        let facts = self.facts(used.at.file);
        let (mut picked_by, mut own) = (vec![], false);
        let chain = if embedded.is_some() { None } else { Some(self.chain(used.at)) };
        for (call, name) in chain.into_iter().flatten() {
            if let [column, value, ..] = &facts.call(call.call).args[..]
                && matches!(name.as_str(), "eq" | "match" | "filter" | "in" | "in_" | "contains" | "is")
                && let ExprKind::Text(column) = facts.expr(column.value)
            {
                picked_by.push(*column);
                own |= is_own(facts, value.value);
            }
        }
        if right == Rights::INSERT {
            own = self.names_own(used);
        }
        let columns = match embedded {
            Some(columns) => columns,
            None => self.selected(used).and_then(|text| columns(&text)),
        };
        Some(RowUse {
            place: self.call_place(used.at),
            in_browser: self.is_in_browser(used.at),
            right,
            columns,
            picked_by,
            own,
        })
    }
}

/// `user.id`, `user?.id ?? null`, `userId`.
fn names_self(facts: &Facts, value: ExprId, depth: usize) -> bool {
    match facts.expr(value) {
        ExprKind::Op(_, parts) if depth > 0 => parts.iter().any(|&part| names_self(facts, part, depth - 1)),
        ExprKind::Ref(name, _) => matches!(name.as_str(), "userId" | "user_id" | "uid" | "currentUserId"),
        _ => is_own(facts, value),
    }
}

/// `user.id`, `session.user.id`.
fn is_own(facts: &Facts, value: ExprId) -> bool {
    match *facts.expr(value) {
        ExprKind::Member(base, name) => {
            matches!(name.as_str(), "id" | "uid" | "email")
                && facts.last_name(base).is_some_and(|name| SIGNED_IN.contains(&name.as_str()))
        }
        _ => false,
    }
}

/// The columns that a text selects; none for all of them.
fn columns(text: &str) -> Option<Vec<Name>> {
    let mut found = vec![];
    for part in parts(text) {
        let part = part.trim();
        if part == "*" || part.starts_with("*,") {
            return None;
        }
        if !part.contains('(') {
            // `alias:column::type`
            let part = part.split("::").next().unwrap_or(part);
            found.push(Name::new(part.rsplit(':').next().unwrap_or(part).trim()));
        }
    }
    (!text.trim().is_empty()).then_some(found)
}

/// What of a table's columns a text selects in its parentheses: `owner:profiles!owner_id(name)`.
fn inside(text: &str, table: &str) -> Option<Option<Vec<Name>>> {
    for part in parts(text) {
        let Some((head, rest)) = part.split_once('(') else { continue };
        let rest = rest.trim_end().strip_suffix(')').unwrap_or(rest);
        let named = head.rsplit(':').next().unwrap_or(head);
        if named.split('!').next().unwrap_or(named).trim() == table {
            return Some(columns(rest));
        }
        if let Some(found) = inside(rest, table) {
            return Some(found);
        }
    }
    None
}

/// The parts of a text between commas that stand in no parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from) = (vec![], 0i32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Option<Vec<Name>> {
        Some(of.iter().map(|name| Name::new(name)).collect())
    }

    #[test]
    fn texts_say_which_columns_are_read() {
        assert_eq!(columns("id, name:full_name, born::text"), names(&["id", "full_name", "born"]));
        assert_eq!(columns("*, teams(name)"), None);
        assert_eq!(columns(""), None);
        assert_eq!(inside("id, owner:profiles!owner_id(name, email)", "profiles"), Some(names(&["name", "email"])));
        assert_eq!(inside("*, teams(id, profiles(*))", "profiles"), Some(None));
        assert_eq!(inside("*, teams(id)", "profiles"), None);
    }
}
