//! What happens when an effect runs a second time: nothing new, or another row, message or charge.

use crate::catalogue::{Effect, KnownRole, Operation};
use crate::facts::{ExprId, ExprKind};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::keys::Key;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, EdgeKind, ExprRef, Program, Value, VendorUse, Via};
use crate::sql::Unique;

use counts::{counted_in, counts_on, fields_of, holds_words, of_deliveries, read_before};

pub mod claims;
pub mod conversions;
pub mod persons;
pub mod retries;
pub mod state_checks;
pub mod vendor_ids;

pub(in crate::program) mod counts;

/// What a second run of a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Again {
    /// The same once more: nothing changes.
    Nothing,
    /// That cannot be told.
    Unknown,
    /// Another row; whether its fields could make a database refuse it.
    Row {
        /// It carries an id that a unique column may hold.
        may_be_unique: bool,
    },
    /// Another record at a vendor.
    Record,
    /// It counts up once more.
    Count,
    /// People get it twice.
    Message,
    /// Money moves twice.
    Money,
}

/// Names of methods after which a write changes nothing when the row is there already.
const HARMLESS_CHAIN: &[&str] = &[
    "onConflict",
    "onConflictDoNothing",
    "onConflictDoUpdate",
    "onDuplicateKeyUpdate",
    "on_conflict_do_nothing",
    "on_conflict_do_update",
    "on_duplicate_key_update",
    "orIgnore",
    "orUpdate",
    "ignore",
];

/// What names a table on a chain of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnChain {
    /// `from("orders")`
    Text(Name),
    /// `from(orders)`
    Variable(Name),
    /// Nothing on it: what it starts with.
    Start(ExprId),
}

impl Program {
    /// Whether the vendor itself sees to it that a second call changes nothing more.
    pub fn is_harmless(&self, used: &VendorUse, operation: &Operation) -> bool {
        let given = |field: &String| self.field_given(used, field);
        let (without, with) = (&operation.harmless_without, &operation.harmless_with);
        let by_fields = || {
            !without.is_empty() && without.iter().all(|field| given(field) == Some(false))
                || with.iter().any(|field| given(field) == Some(true))
        };
        operation.harmless || by_fields()
    }

    /// Whether a call makes something that waits for the payer, and nothing in its function says yes for them.
    pub fn waits_for_payer(&self, used: &VendorUse) -> bool {
        let Some(open) = self.operation(used).and_then(|operation| operation.open.as_ref()) else { return false };
        let given = |field: &String| self.field_given(used, field);
        // `paymentIntents.confirm(intent.id)`
        let goes_on = |other: &VendorUse| {
            other.vendor == used.vendor
                && !self.excludes(used.at, other.at)
                && !self.excludes(other.at, used.at)
                && self.operation(other).is_some_and(|then| then.money && then.effect == Effect::Update)
        };
        let fits = |field: &String| match field.split_once('=') {
            Some((field, wanted)) => {
                let said = self.field_of(used, field);
                matches!(said, Some(Lookup::Present(value)) if self.expand(&value).text().is_some_and(|said| said == wanted))
            }
            None => given(field) == Some(true),
        };
        open.unless.iter().all(|field| given(field) == Some(false))
            && (open.with.is_empty() || open.with.iter().any(fits))
            && !self.calls_in(self.function_of(used.at)).flat_map(|call| self.vendors_at(call)).any(goes_on)
    }

    /// Whether a field of a vendor call's payload is given; none when that cannot be told. What a wrapper hands on that
    /// none of its callers fills is not, nor what is switched off.
    fn field_given(&self, used: &VendorUse, field: &str) -> Option<bool> {
        match self.field_of(used, field)? {
            Lookup::Present(value) => {
                let value = self.expand(&value);
                let nothing = |value: &Value| match value {
                    Value::Null | Value::Bool(false) => true,
                    Value::Text(text) => *text == "false",
                    _ => false,
                };
                Some(!value.alternatives().iter().all(nothing))
            }
            Lookup::Absent => Some(false),
            Lookup::Unknown => None,
        }
    }

    /// What stands under a field of a vendor call's payload.
    fn field_of(&self, used: &VendorUse, field: &str) -> Option<Lookup> {
        let http = match used.via {
            Via::Sdk(..) => return Some(self.option(used.at, field)),
            Via::Http(_) => self.request_of(used)?,
        };
        Some(match self.request_body(http) {
            Lookup::Present(body) => match self.nested(&body, field) {
                Lookup::Absent => self.put_into_form(http, field).map_or(Lookup::Absent, Lookup::Present),
                found => found,
            },
            other => other,
        })
    }

    /// What a second run of an effect does.
    pub fn again(&self, at: CallRef) -> Again {
        let uses = self.vendors_at(at);
        if let Some((used, operation)) = uses.iter().find_map(|used| Some((used, self.operation(used)?))) {
            let own = self.catalogue.vendor(used.vendor).own_backend;
            return match operation.effect {
                Effect::Create | Effect::Send | Effect::Update if self.is_harmless(used, operation) => Again::Nothing,
                Effect::Create if own && self.is_row_write(at) => self.written_row(at),
                Effect::Create if own => Again::Unknown,
                Effect::Update if own && self.upserts_blindly(at) => Again::Row { may_be_unique: false },
                Effect::Update if own => self.counted(at),
                Effect::Create | Effect::Send => {
                    match self.idempotency(used).map(|how| self.idempotency_key(used, how)) {
                        Some(Key::Given(_) | Key::Unknown) => Again::Nothing,
                        _ if operation.money => Again::Money,
                        _ if operation.effect == Effect::Send => Again::Message,
                        _ => Again::Record,
                    }
                }
                Effect::Invoke => Again::Unknown,
                _ => Again::Nothing,
            };
        }
        if !uses.is_empty() || !self.requests_at(at).is_empty() {
            return Again::Unknown;
        }
        self.written(at)
    }

    /// What a second run of a write does, by its name or its statement.
    fn written(&self, at: CallRef) -> Again {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let known = self.has_role(at, KnownRole::Write);
        if let Some(statement) = self.statement(at) {
            return again_of_statement(&statement);
        }
        let name = match facts.expr(call.callee) {
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name.as_str(),
            _ => return Again::Unknown,
        };
        let lower = name.to_ascii_lowercase();
        if ["upsert", "getorcreate", "get_or_create", "findorcreate", "update_or_create", "updateorcreate"]
            .iter()
            .any(|part| lower.contains(part))
        {
            let blind = self.upserts_blindly(at);
            return if blind { Again::Row { may_be_unique: false } } else { Again::Nothing };
        }
        if lower.starts_with("incr") || lower.starts_with("decr") {
            return Again::Count;
        }
        if ["insert", "create", "bulkcreate", "bulk_create", "lpush", "rpush", "xadd"]
            .iter()
            .any(|part| lower.starts_with(part))
        {
            // Of an object that nobody knows only the plain names of databases say a row.
            let sure = known || lower.starts_with("insert");
            return if sure { self.written_row(at) } else { Again::Unknown };
        }
        if known && (lower == "add" || lower == "add_all") {
            let made = call.args.first().map(|arg| self.value(ExprRef::new(at.file, arg.value)));
            let is_new = made.is_some_and(|made| matches!(made, Value::Instance(_)) || matches!(&made, Value::External(external) if external.segs.iter().any(|seg| matches!(seg, crate::catalogue::Seg::Call | crate::catalogue::Seg::New))));
            // `session.add(self.connection)`: what an object holds was made before, or loaded.
            let held = call.args.first().is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Member(..)));
            // A row that was read is only changed.
            let read = call.args.first().is_some_and(|arg| self.is_kept_row(ExprRef::new(at.file, arg.value)));
            return if is_new && !held && !read { self.written_row(at) } else { Again::Unknown };
        }
        if lower.contains("update") || lower.contains("set") || lower.contains("merge") {
            return self.counted(at);
        }
        if ["delete", "remove", "del", "destroy"].iter().any(|part| lower.starts_with(part)) {
            return Again::Nothing;
        }
        if matches!(lower.as_str(), "commit" | "save" | "asave" | "flush") && self.saves_count(at) {
            return Again::Count;
        }
        // What commits, saves or runs something that cannot be read was told where it was made, or cannot be told.
        Again::Unknown
    }

    /// Whether what is saved was counted on before: in the same function, or by a method of the row that it called:
    /// `user.credits += 10`, then `commit()`.
    fn saves_count(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let ExprKind::Member(saved, name) = facts.expr(call.callee) else { return false };
        let function = self.function_of(at);
        let start = facts.span(call.expr).start;
        let all = name == "commit" || name == "flush";
        // `p.save()` keeps p.
        let row = |row: ExprId| match facts.expr(row) {
            ExprKind::Ref(name, _) => Some(*name),
            ExprKind::This(_) => Some(Name::new("self")),
            _ => None,
        };
        let counted = counted_in(facts, function).any(|(block, target, counted)| {
            counted < start
                && (all || row(*saved).is_some() && row(*saved) == row(target))
                && !self.is_state_checked(at, block, counted)
        });
        counted
            || all
                && self.calls_in(function).any(|method| {
                    let called = facts.call(method.call);
                    let mut runs = self.edges(method).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                    facts.span(called.expr).end <= start
                        && matches!(facts.expr(called.callee), ExprKind::Member(..))
                        && runs.any(|edge| {
                            let inner = self.facts(edge.target.file);
                            counted_in(inner, edge.target)
                                .any(|(_, row, _)| matches!(inner.expr(row), ExprKind::This(_)))
                        })
                        && !self.runs_once([method])
                })
    }

    /// Whether a call hands a function of the program a statement that writes.
    pub fn hands_statement(&self, at: CallRef) -> bool {
        let own = self.edges(at).iter().any(|edge| edge.kind == EdgeKind::Direct);
        own && self.statement(at).is_some_and(|text| !text.starts_with("select") && !text.starts_with("with"))
    }

    /// The statement a query runs, in lower case, as far as it is constant.
    pub(super) fn statement(&self, at: CallRef) -> Option<String> {
        let facts = self.facts(at.file);
        let first = facts.call(at.call).args.first()?;
        let value = self.value(ExprRef::new(at.file, first.value));
        let inner = match &value {
            Value::External(external) => {
                let site = *external.sites.last()?;
                let arg = self.facts(site.file).call(site.call).args.first()?;
                self.value(ExprRef::new(site.file, arg.value))
            }
            other => other.clone(),
        };
        let text = match inner {
            Value::Text(text) => text.to_string(),
            Value::Template(parts) => {
                parts.iter().map(|part| part.text().map_or_else(|| "?".to_owned(), |text| text.to_string())).collect()
            }
            _ => return None,
        };
        let text = text.trim().to_ascii_lowercase();
        ["insert", "update", "delete", "select", "with", "replace", "merge"]
            .iter()
            .any(|verb| text.starts_with(verb))
            .then_some(text)
    }

    /// Whether the statement that a query runs only looks rows up.
    pub(super) fn only_selects(&self, at: CallRef) -> bool {
        self.statement(at).is_some_and(|statement| statement.starts_with("select"))
    }

    /// Whether a call of the own backend writes rows, rather than makes users, links, files.
    fn is_row_write(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        matches!(facts.expr(facts.call(at.call).callee), ExprKind::Member(_, name) if matches!(name.as_str(), "insert" | "add" | "create" | "upsert"))
            || !self.requests_at(at).is_empty()
    }

    fn written_row(&self, at: CallRef) -> Again {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        if matches!(facts.expr(call.callee), ExprKind::Member(_, name) if name.contains("upsert")) {
            let blind = self.upserts_blindly(at);
            return if blind { Again::Row { may_be_unique: false } } else { Again::Nothing };
        }
        if let Some((link, _)) = self.chain(at).find(|(_, name)| HARMLESS_CHAIN.contains(&name.as_str())) {
            // Without a word of which key: any that there is.
            let blind = facts.call(link.call).args.is_empty() && self.refuses_again(at) == Unique::No;
            return if blind { Again::Row { may_be_unique: false } } else { Again::Nothing };
        }
        for option in ["skipDuplicates", "ignoreDuplicates", "onConflict", "ignore_conflicts", "ordered"] {
            if !matches!(self.option(at, option), Lookup::Absent | Lookup::Unknown) {
                return Again::Nothing;
            }
        }
        match self.refuses_again(at) {
            Unique::Yes => return Again::Nothing,
            Unique::No => return Again::Row { may_be_unique: false },
            Unique::Unknown => {}
        }
        let ids = self.ids_written(at);
        if ids.own { Again::Nothing } else { Again::Row { may_be_unique: ids.foreign } }
    }

    /// Whether an upsert that does not say by which key adds a row each time: no key of the table lies within what it
    /// is given.
    pub(in crate::program) fn upserts_blindly(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let upserts = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if name.contains("upsert"));
        let options = ["onConflict", "on_conflict", "where", "ignoreDuplicates", "conflictPaths", "conflictFields"];
        upserts
            && options.iter().all(|option| matches!(self.option(at, option), Lookup::Absent))
            && self.refuses_again(at) == Unique::No
    }

    /// The table or collection a call is about, when a text on its chain names it.
    pub fn table_of(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        match self.table_on(at.file, facts.call(at.call).callee)? {
            OnChain::Text(table) => Some(table),
            OnChain::Variable(_) => None,
            OnChain::Start(base) => match facts.expr(base) {
                // `Order.objects.create(..)`: of its own each.
                ExprKind::Member(model, name) if *name == "objects" => facts.last_name(*model),
                ExprKind::Member(_, name) => Some(*name),
                _ => None,
            },
        }
    }

    /// What names the table on a chain of calls, asked from its end.
    pub(crate) fn table_on(&self, file: FileId, chain: ExprId) -> Option<OnChain> {
        const LONGEST: usize = 12;
        let facts = self.facts(file);
        let mut callee = chain;
        for _ in 0..LONGEST {
            let ExprKind::Member(base, _) = *facts.expr(callee) else { return None };
            let ExprKind::Call(inner) = *facts.expr(base) else { return Some(OnChain::Start(base)) };
            let inner = facts.call(inner);
            if let (Some(arg), ExprKind::Member(_, name)) = (inner.args.first(), facts.expr(inner.callee))
                && matches!(name.as_str(), "from" | "from_" | "table" | "collection")
            {
                match (self.value(ExprRef::new(file, arg.value)).text(), facts.expr(arg.value)) {
                    (Some(table), _) => return Some(OnChain::Text(table)),
                    (None, ExprKind::Ref(table, _)) if *name == "from" => return Some(OnChain::Variable(*table)),
                    _ => {}
                }
            }
            callee = inner.callee;
        }
        None
    }

    /// Whether an update counts on from what is there: `credits + 10`, `{ increment: 1 }`.
    fn counted(&self, at: CallRef) -> Again {
        let facts = self.facts(at.file);
        // `update(members).set({ credits: member.credits + 20 })`
        let set = self.chain(at).filter(|(_, name)| *name == "set").map(|(at, _)| at.call);
        let calls = std::iter::once(at.call).chain(set);
        let given: Vec<ExprId> = calls.flat_map(|call| &facts.call(call).args).map(|arg| arg.value).collect();
        let counts = given.into_iter().any(|given| {
            counts_on(facts, given, 6)
                || fields_of(facts, given, 4).any(|(key, value)| self.reckons_on(at, &key, value))
        });
        if counts { Again::Count } else { Again::Nothing }
    }

    /// Whether a field is reckoned from what it was: `stock: Math.max(0, product.stock - 1)`.
    fn reckons_on(&self, at: CallRef, key: &Name, value: ExprId) -> bool {
        let facts = self.facts(at.file);
        read_before(facts, value, 7).is_some_and(|(field, name)| {
            name == *key && !of_deliveries(key) && !holds_words(key) && self.is_kept_field(ExprRef::new(at.file, field))
        })
    }
}

/// Ids among the fields of a row.
#[derive(Default)]
pub(super) struct Ids {
    /// Its own id is given: a second row of it is refused.
    own: bool,
    /// An id of something else.
    foreign: bool,
    /// The fields that are the same in a second row.
    pub(super) stable: Vec<Name>,
    /// It has fields that are not known.
    pub(super) opaque: bool,
}

impl Ids {
    pub(super) fn look(&mut self, program: &Program, at: ExprRef, keyword: Option<Name>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.opaque = true;
            return;
        };
        let facts = program.facts(at.file);
        if let Some(name) = keyword {
            self.note(program, &name, at.file, at.expr);
        }
        match facts.expr(at.expr) {
            ExprKind::Object(entries) => {
                for &(key, value) in entries.iter() {
                    self.note(program, &key, at.file, value);
                    if key == "data" || key == "values" || key == "..." {
                        self.look(program, ExprRef::new(at.file, value), None, depth);
                    }
                }
            }
            ExprKind::List(items) => {
                items.iter().for_each(|&item| self.look(program, ExprRef::new(at.file, item), None, depth))
            }
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map_or(&[][..], |def| &facts.def(def).values);
                self.opaque |= values.len() != 1;
                values.iter().for_each(|&value| self.look(program, ExprRef::new(at.file, value), None, depth));
            }
            ExprKind::Call(call) => {
                // `Order(id=..)` says its fields itself.
                let made = matches!(program.value(at), Value::Instance(_));
                let call = facts.call(*call);
                self.opaque |= !made || call.args.iter().any(|arg| arg.name.is_none_or(|name| name == "**"));
                call.args.iter().for_each(|arg| self.look(program, ExprRef::new(at.file, arg.value), arg.name, depth));
            }
            _ => self.opaque |= keyword.is_none(),
        }
    }

    fn note(&mut self, program: &Program, key: &Name, file: FileId, value: ExprId) {
        let facts = program.facts(file);
        // A fresh id makes every row another one.
        let fresh = matches!(facts.expr(value), ExprKind::Call(_));
        if fresh || program.fresh(&program.value(ExprRef::new(file, value))).is_some() {
            return;
        }
        self.stable.push(*key);
        match key.as_str() {
            "id" | "_id" | "uid" => self.own = true,
            _ => {
                let words = super::verify::words(key);
                let is_id = words.last().is_some_and(|last| {
                    matches!(last.as_str(), "id" | "sid" | "intent" | "reference" | "ref" | "number")
                });
                let of_person = words.iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "user" | "owner" | "tenant" | "organization" | "org" | "workspace" | "company" | "business"
                    )
                });
                self.foreign |= is_id && words.len() > 1 && !of_person;
            }
        }
    }
}

/// What a second run of a statement does.
fn again_of_statement(text: &str) -> Again {
    let verb = text.split_whitespace().next().unwrap_or("");
    match verb {
        "insert" | "with" if text.contains("insert") => {
            let harmless = ["on conflict", "on duplicate", "or ignore", "or replace", "not exists", "insert ignore"];
            if harmless.iter().any(|part| text.contains(part)) {
                Again::Nothing
            } else {
                Again::Row { may_be_unique: true }
            }
        }
        "update" => {
            let set = text.split(" set ").nth(1).unwrap_or("").split(" where ").next().unwrap_or("");
            let counts = set.split(',').any(|part| {
                let Some((left, right)) = part.split_once('=') else { return false };
                let left = left.trim().rsplit('.').next().unwrap_or("");
                !left.is_empty() && right.contains(left) && (right.contains('+') || right.contains('-'))
            });
            if counts { Again::Count } else { Again::Nothing }
        }
        _ => Again::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_tell() {
        assert_eq!(again_of_statement("update users set credits = credits + ? where id = ?"), Again::Count);
        assert_eq!(again_of_statement("update users set plan = ? where id = ?"), Again::Nothing);
        assert_eq!(again_of_statement("insert into a values (1) on conflict do nothing"), Again::Nothing);
        assert!(matches!(again_of_statement("insert into a values (1)"), Again::Row { .. }));
    }
}
