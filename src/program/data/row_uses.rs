//! What code does with the rows of a table of the app's own backend with no more than its users' rights, so that the
//! rules of the table decide about it.

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect};
use crate::facts::{ExprId, ExprKind, Facts, Op};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value, VendorUse};
use crate::sql::{History, Rights, Table};

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
    /// The columns of a new row that hold that id.
    pub names_own: Vec<Name>,
    /// The columns of a new row that hold the id of somebody else: `host_id: listing.host_id`.
    pub names_other: Vec<Name>,
    /// Administrators' code, by the name of its file or its function.
    pub for_admins: bool,
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

    /// Whether code of a database's app asks for a table's rows, with whatever rights.
    pub fn uses_rows(&self, history: &History, table: Name) -> bool {
        let all = self.table_uses();
        let of = all.of.get(&table).into_iter().flatten().map(|&at| self.vendor_uses()[at].at);
        let by_name = all.by_name.get(&table).into_iter().flatten().map(|(at, _)| *at);
        of.chain(by_name).any(|at| self.is_database_of(history, at.file))
    }

    /// The columns of a table, open in what they hold, into which code on the server puts what opens doors, or of which
    /// it takes that, and what: `settings: { ..settings, stripe_secret_key }`, `row.value.secret_key`.
    pub fn columns_with_credentials(&self, history: &History, table: &Table) -> Vec<(Name, Name)> {
        let loose =
            |name: Name| table.column(&name).is_some_and(|column| matches!(column.kind.as_str(), "json" | "jsonb"));
        let mut found = vec![];
        if !table.columns.iter().any(|column| loose(column.name)) {
            return found;
        }
        let mut read: FxHashSet<FileId> = FxHashSet::default();
        for &at in self.table_uses().of.get(&table.id.name).into_iter().flatten() {
            let call = self.vendor_uses()[at].at;
            if !self.runs_on_server(call.file) || !self.is_database_of(history, call.file) {
                continue;
            }
            let facts = self.facts(call.file);
            if read.insert(call.file) {
                let taken = facts.members().filter(|(_, (_, key))| Table::opens_doors(key));
                found.extend(taken.filter_map(|(_, (base, key))| {
                    let column = self.column_held(ExprRef::new(call.file, base), table.id.name)?;
                    loose(column).then_some((column, key))
                }));
            }
            for arg in &facts.call(call.call).args {
                let ExprKind::Object(fields) = facts.expr(arg.value) else { continue };
                for &(name, value) in fields.iter().filter(|(name, _)| loose(*name)) {
                    if let Value::Object(held) = self.value(ExprRef::new(call.file, value))
                        && let ExprKind::Object(keys) = self.facts(held.file).expr(held.expr)
                        && let Some((key, _)) = keys.iter().find(|(key, _)| Table::opens_doors(key))
                    {
                        found.push((name, *key));
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// The column that a value was read from, in a row of a table.
    fn column_held(&self, at: ExprRef, table: Name) -> Option<Name> {
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Member(row, column) => {
                let read = self.row_read(ExprRef::new(at.file, *row))?;
                (self.table_of(read) == Some(table)).then_some(*column)
            }
            ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                [only] => self.column_held(ExprRef::new(at.file, only), table),
                _ => None,
            },
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                self.column_held(ExprRef::new(at.file, *parts.first()?), table)
            }
            _ => None,
        }
    }

    /// What code does with a table's rows with its users' rights, in the files' order.
    pub fn row_uses(&self, history: &History, table: Name) -> Vec<RowUse> {
        let uses = self.table_uses().of.get(&table).into_iter().flatten();
        let direct = uses.filter_map(|&at| self.row_use(&self.vendor_uses()[at], None));
        let mut found: Vec<RowUse> = direct.chain(self.embedded(table)).chain(self.by_name(table)).collect();
        found.retain(|used| self.is_database_of(history, used.place.file));
        found.sort_by_key(|used| (!used.in_browser, used.place));
        found
    }

    /// Writes of browser code by a client whose import leads nowhere: what it is cannot be told, what it would do can.
    fn by_name(&self, table: Name) -> impl Iterator<Item = RowUse> {
        let uses = self.table_uses().by_name.get(&table).into_iter().flatten();
        uses.map(|&(at, effect)| RowUse {
            place: self.call_place(at),
            in_browser: true,
            right: match effect {
                Effect::Create => Rights::INSERT,
                Effect::Delete => Rights::DELETE,
                _ => Rights::UPDATE,
            },
            columns: None,
            picked_by: vec![],
            own: false,
            names_own: vec![],
            names_other: vec![],
            for_admins: self.is_admins(at),
        })
    }

    /// Reads of other tables that bring a table's rows along: `select("*, profiles(name)")`.
    fn embedded(&self, table: Name) -> impl Iterator<Item = RowUse> {
        let naming = self.table_uses().embedding.iter().filter(move |(_, text)| text.contains(table.as_str()));
        naming.filter_map(move |&(at, text)| self.row_use(&self.vendor_uses()[at], Some(inside(&text, &table)?)))
    }

    /// The text by which a read brings rows of other tables along.
    pub(in crate::program) fn embedded_by(&self, used: &VendorUse) -> Option<Name> {
        self.selected(used).filter(|text| text.contains('('))
    }

    /// The text that names the columns of a read.
    fn selected(&self, used: &VendorUse) -> Option<Name> {
        let facts = self.facts(used.at.file);
        match facts.call(used.at.call).args.first().map(|arg| facts.expr(arg.value)) {
            Some(ExprKind::Text(text)) => Some(*text),
            _ => None,
        }
    }

    /// The columns of a new row that hold the id of who is signed in, and those that hold another's.
    fn persons_named(&self, used: &VendorUse) -> (Vec<Name>, Vec<Name>) {
        let facts = self.facts(used.at.file);
        let mut open: Vec<ExprId> = facts.call(used.at.call).args.iter().map(|arg| arg.value).collect();
        let (mut own, mut other) = (vec![], vec![]);
        while let Some(expr) = open.pop() {
            match facts.expr(expr) {
                ExprKind::List(items) => open.extend(items.iter()),
                ExprKind::Object(entries) => {
                    for &(column, value) in entries {
                        if self.is_own_id(ExprRef::new(used.at.file, value), 8) {
                            own.push(column);
                        } else if facts.last_name(value).is_some_and(|name| is_id(&name)) {
                            other.push(column);
                        }
                    }
                }
                _ => {}
            }
        }
        (own, other)
    }

    /// Whether a value is the id of who is signed in, whatever it went through: `user?.id ?? null`, `const me =
    /// session.user.id`, what every caller hands over.
    pub(in crate::program) fn is_own_id(&self, at: ExprRef, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        match *facts.expr(at.expr) {
            ExprKind::Member(base, name) => match name.as_str() {
                "id" | "uid" | "email" | "sub" => self.is_person(ExprRef::new(at.file, base), depth),
                // `const { userId } = useAuth()`
                "userId" | "user_id" => asks_session(facts, base),
                _ => false,
            },
            ExprKind::Ref(name, _) if matches!(name.as_str(), "currentUserId" | "current_user_id") => true,
            _ => self.is_throughout(at, &|part| self.is_own_id(part, depth)),
        }
    }

    /// Whether a value is the account of who is signed in.
    pub(in crate::program) fn is_person(&self, at: ExprRef, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        match *facts.expr(at.expr) {
            ExprKind::Ref(name, _) if SIGNED_IN.contains(&name.as_str()) => true,
            // `session.user`, `request.user`, but no `comment.user`
            ExprKind::Member(base, name) if SIGNED_IN.contains(&name.as_str()) => {
                let holds = |name: Name| {
                    matches!(name.as_str(), "session" | "data" | "auth" | "currentSession" | "request" | "req")
                };
                facts.last_name(base).is_some_and(holds) || asks_session(facts, base)
            }
            ExprKind::Call(_) => asks_session(facts, at.expr),
            _ => self.is_throughout(at, &|part| self.is_person(part, depth)),
        }
    }

    /// Whether something holds of all that a value may be.
    fn is_throughout(&self, at: ExprRef, holds: &dyn Fn(ExprRef) -> bool) -> bool {
        let facts = self.facts(at.file);
        let here = |expr: &ExprId| ExprRef::new(at.file, *expr);
        let all = |parts: &[ExprId]| {
            let mut said = parts.iter().filter(|&&part| !is_nothing(facts, part)).peekable();
            said.peek().is_some() && said.all(|part| holds(here(part)))
        };
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Or | Op::Nullish, parts) => all(parts),
            ExprKind::Op(Op::Choose, parts) => parts.get(1..).is_some_and(all),
            ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| all(&facts.def(def).values)),
            ExprKind::Param(function, index) => {
                let edges = self.incoming(FunctionRef::new(at.file, *function));
                !edges.is_empty()
                    && edges.iter().all(|edge| {
                        let args = &self.facts(edge.call.file).call(edge.call.call).args;
                        args.get(usize::from(*index)).is_some_and(|arg| holds(ExprRef::new(edge.call.file, arg.value)))
                    })
            }
            _ => false,
        }
    }

    /// Whether code is an administrator's by the name of its file or its function.
    fn is_admins(&self, at: CallRef) -> bool {
        let admins = |word: &String| matches!(word.as_str(), "admin" | "admins" | "superadmin" | "backoffice");
        let says = |name: &str| words(name).iter().any(admins);
        says(&self.file(at.file).path) || says(&self.function_name(self.function_of(at)))
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
        let (names_own, names_other) =
            if right == Rights::INSERT { self.persons_named(used) } else { (vec![], vec![]) };
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
            own: own || !names_own.is_empty(),
            names_own,
            names_other,
            for_admins: self.is_admins(used.at),
        })
    }
}

/// Whether a call asks who is signed in: `useUser()`, `await getCurrentUser()`, `useAuth()`.
fn asks_session(facts: &Facts, expr: ExprId) -> bool {
    match *facts.expr(expr) {
        ExprKind::Await(inner) => asks_session(facts, inner),
        ExprKind::Call(call) => facts.last_name(facts.call(call).callee).is_some_and(|name| {
            let words = words(&name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            name == "auth" || has(&["use", "get", "current", "require"]) && has(&["user", "auth", "session"])
        }),
        _ => false,
    }
}

/// Whether a name is that of an id, and not of one that may well be the user's own: `hostId`, no `userId`.
fn is_id(name: &str) -> bool {
    let words = words(name);
    words.last().is_some_and(|word| word == "id") && !words.iter().any(|word| word == "user" || word == "me")
}

/// `null`, `""`: what stands for nobody.
fn is_nothing(facts: &Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Null => true,
        ExprKind::Text(text) => text.is_empty(),
        _ => false,
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
