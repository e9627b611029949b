//! The rows that a query picks by what a request says, and what the request may do to them.

use crate::facts::ExprKind;
use crate::names::Name;
use crate::program::callers::full_rights::known::{KNOWN_TO_ONE, is_contact};
use crate::program::callers::full_rights::seizes::CONTACTS;
use crate::program::callers::full_rights::settings_rows::keeps_settings;
use crate::program::callers::full_rights::{Pick, Touch, any_start, any_word, only_one_knows};
use crate::program::money::grants::is_account;
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::values::requested::{Origin, Source, says_amount};
use crate::program::verify::words;
use crate::program::{CallRef, Edge, ExprRef, Program, Value, VendorUse};

/// Methods of a query that pick rows, with the place of the value among their arguments; the name comes first.
const PICKS: &[(&str, usize)] =
    &[("eq", 1), ("in", 1), ("in_", 1), ("ilike", 1), ("like", 1), ("contains", 1), ("filter", 2), ("where", 2)];

/// Words of columns that say whose a row is.
pub(super) const WHOSE: &[&str] = &[
    "user",
    "uid",
    "userid",
    "owner",
    "email",
    "mail",
    "customer",
    "profile",
    "account",
    "member",
    "patient",
    "student",
    "employee",
    "phone",
    "client",
    "organization",
    "organisation",
    "org",
    "company",
    "tenant",
    "workspace",
    "team",
    "business",
];

/// The ones that say which person.
pub(super) const PERSON: &[&str] = &[
    "user", "uid", "userid", "email", "mail", "customer", "patient", "student", "employee", "phone", "client", "member",
];

/// The ones of places that several people work for: all that is theirs is changed at once.
const PLACES: &[&str] = &[
    "shop",
    "store",
    "salon",
    "barbershop",
    "clinic",
    "practice",
    "restaurant",
    "school",
    "gym",
    "club",
    "studio",
    "agency",
    "merchant",
    "seller",
];

/// Words of columns that count what is worth something.
const COUNTED: &[&str] = &["points", "stamps", "credits", "credit", "balance", "coins", "wallet"];

/// Beginnings of words of tables that hold what is known of people.
const PEOPLE: &[&str] =
    &["user", "profile", "customer", "client", "member", "patient", "student", "employee", "contact"];

/// Beginnings of words of tables that visitors without an account fill by themselves, step by step.
pub(super) const GUESTS: &[&str] = &[
    "lead",
    "order",
    "cart",
    "booking",
    "reservation",
    "quiz",
    "survey",
    "assessment",
    "submission",
    "response",
    "answer",
    "session",
    "visit",
    "waitlist",
    "signup",
    "application",
    "intake",
    "inquir",
    "enquir",
    "rsvp",
    "guest",
    "log",
    "event",
    "conversation",
    "chat",
    "message",
    "track",
    "view",
    "click",
    "analytic",
    "job",
    "queue",
];

/// Beginnings of words of those of them by which money is made.
const DEALS: &[&str] = &["order", "booking", "reservation"];

/// Beginnings of words of those whose rows visitors send in and the app's people work on: nobody removes them from outside.
const SENT_IN: &[&str] = &["lead", "submission", "inquir", "enquir", "intake", "waitlist"];

/// Words of columns in which the app's people note what they did with what was sent in.
const WORKED_ON: &[&str] =
    &["read", "starred", "archived", "assigned", "assignee", "handled", "reviewed", "contacted", "followup"];

/// Words before `notes` that say that they are the guest's own.
const OWN_NOTES: &[&str] = &[
    "customer",
    "client",
    "guest",
    "user",
    "special",
    "delivery",
    "shipping",
    "additional",
    "extra",
    "order",
    "booking",
    "event",
    "gift",
    "dietary",
    "pickup",
    "other",
    "medical",
    "allergy",
];

/// Words of decisions: first those that nobody who buys may take.
const DECISIONS: &[&str] = &[
    "paid",
    "refunded",
    "approved",
    "verified",
    "settled",
    "released",
    "rejected",
    "accepted",
    "declined",
    "cancelled",
    "canceled",
    "revoked",
    "banned",
    "suspended",
    "blocked",
    "deactivated",
    "withdrawn",
    "voided",
    "deleted",
    "archived",
    "confirmed",
    "resolved",
];

/// Words of fields that nobody but their owner's servers may read.
pub(super) const SECRETS: &[&str] = &["secret", "password", "credential", "credentials"];

/// How many of them.
const PRICED: usize = 6;

impl Program {
    /// The rows that a query picks by what the request says; none when something else narrows them too.
    pub(super) fn rows(&self, way: &[Edge], used: &VendorUse, touch: Touch) -> Option<Pick> {
        let table = self.table_of(used.at);
        let mut found: Option<(Name, Source)> = None;
        let mut looked_up = false;
        let mut of_contact = false;
        if touch == Touch::Reads && self.only_shows(used.at) {
            return None;
        }
        let mut selectors = self.selectors(used.at);
        if touch == Touch::Changes && selectors.is_empty() {
            selectors = self.conflict_keys(used.at);
        }
        for (by, value) in selectors {
            match self.origin_on(way, value, &[]) {
                Origin::Constant => {}
                Origin::Request(source) => {
                    if only_one_knows(&source) || any_word(&by, KNOWN_TO_ONE) {
                        return None;
                    }
                    match &found {
                        None => found = Some((by, source)),
                        // A second thing that the caller must know: another id is none.
                        Some((first, _)) if is_contact(first) || is_contact(&by) => return None,
                        Some(_) => {}
                    }
                }
                // A row that the request picked before: `.eq("id", member.id)`.
                Origin::Server if matches!(touch, Touch::Changes | Touch::Removes) && found.is_none() => {
                    let by_id = self.found_by(way, value, &["id", "uid"], 9);
                    // The newest booking of an address, and what the request says goes into it: any address will do.
                    let by_contact = || {
                        let of_deal = table.is_some_and(|table| any_start(&table, DEALS));
                        let told = touch == Touch::Changes && of_deal && self.is_told_what(way, used.at);
                        self.found_by(way, value, CONTACTS, 9).filter(|_| told)
                    };
                    of_contact = by_id.is_none();
                    found = Some((by, by_id.or_else(by_contact)?));
                    looked_up = true;
                }
                // What the server knows of the caller.
                _ => return None,
            }
        }
        let (by, source) = found?;
        if touch == Touch::Changes && self.only_notes(used.at) {
            return None;
        }
        let is_id = matches!(by.as_str(), "id" | "#" | "_id") || words(&by).last().is_some_and(|word| word == "id");
        let of_guest = table.is_some_and(|table| any_start(&table, GUESTS));
        // Guests make orders; whether one is paid is not theirs to say.
        let of_deal = table.is_some_and(|table| any_start(&table, DEALS));
        let whose = match touch {
            Touch::Changes | Touch::Removes if of_contact || any_word(&by, WHOSE) || is_id && any_word(&by, PLACES) => {
                true
            }
            Touch::Removes => is_id && (!of_guest || of_deal || table.is_some_and(|table| self.is_sent_in(&table))),
            // What is written is the caller's choice too, or decides something.
            Touch::Changes => {
                is_id
                    // What the server puts into a row that it has found may be its own: tokens that were refreshed.
                    && (!looked_up && table.is_some_and(|table| is_account(&table))
                        || !of_guest && (self.is_told_what(way, used.at) || self.is_counted(used.at))
                        || (!of_guest || of_deal) && self.is_decided(way, used.at, of_deal)
                        // No guest brings the row that has changed.
                        || of_deal && source.is_row_change() && self.sets_state(used.at)
                        || table.is_some_and(|table| self.is_sent_in(&table)) && self.is_worked_on(used.at)
                        // Nobody writes a letter step by step.
                        || table.is_some_and(|table| self.is_sent_in(&table) && any_start(&table, &["contact"]))
                            && self.is_told_what(way, used.at)
                        || is_own_table_of(self, used.at, table)
                            && (self.is_carried_out(used.at) || self.is_decided(way, used.at, false)))
            }
            _ => {
                any_word(&by, PERSON)
                    || is_id && (table.is_some_and(|table| any_start(&table, PEOPLE)) || self.answers_secret(used.at))
            }
        };
        whose.then(|| Pick { touch, what: table.unwrap_or_else(|| Name::new("rows")), by, source: Some(source) })
    }

    /// Whether a table holds what visitors without an account send in, by its name: leads, inquiries.
    fn is_sent_in(&self, table: &str) -> bool {
        any_start(table, SENT_IN)
    }

    /// Whether it is the app's own people who work on a table, by its name: what visitors send in, how the app is set up.
    pub fn is_of_staff(&self, table: &str) -> bool {
        self.is_sent_in(table) || keeps_settings(table)
    }

    /// Whether a secret out of what a read gives is answered: `shop.settings.stripe_secret_key`.
    pub fn answers_secret(&self, read: CallRef) -> bool {
        self.looks(read).iter().any(|look| {
            let last = look.part.iter().rev().find(|part| *part != "[]");
            last.is_some_and(|last| any_word(last, SECRETS)) && self.is_in_answer(look)
        })
    }

    /// Whether a write sets a state by which somebody decides: `status: "approved"`, `is_verified: true`. Of an order
    /// only what its buyer may not say, or any state that the request names.
    fn is_decided(&self, way: &[Edge], at: CallRef, of_deal: bool) -> bool {
        self.row_written(at).into_iter().any(|(key, value)| {
            let named = words(&key);
            let is_state = named.last().is_some_and(|last| matches!(last.as_str(), "status" | "state"));
            let of_money = named.iter().any(|word| DECISIONS[..PRICED].contains(&word.as_str()));
            let decisions = if of_deal { &DECISIONS[..PRICED] } else { DECISIONS };
            match self.facts(value.file).expr(value.expr) {
                ExprKind::Text(text) => {
                    let of_money = any_word(text, &DECISIONS[..PRICED]);
                    is_state && any_word(text, decisions) && !(of_money && self.asks_elsewhere(at))
                }
                ExprKind::Bool(_) => named.iter().any(|word| decisions.contains(&word.as_str())) && named.len() <= 2,
                // Nor what it costs.
                _ if of_deal && (is_state || of_money || says_amount(&key)) => {
                    matches!(self.origin_on(way, value, &[]), Origin::Request(_))
                }
                _ => false,
            }
        })
    }

    /// Whether a write sets a state: `status: "label_made"`.
    fn sets_state(&self, at: CallRef) -> bool {
        let last = |key: &Name| words(key).last().is_some_and(|last| matches!(last.as_str(), "status" | "state"));
        self.row_written(at).iter().any(|(key, _)| last(key))
    }

    /// Whether a write says of a customer's own work or money that it is done: `status: "completed"`.
    fn is_carried_out(&self, at: CallRef) -> bool {
        const DONE: &[&str] = &["completed", "complete", "succeeded", "done", "finished", "delivered"];
        self.row_written(at).into_iter().any(|(key, value)| {
            let is_state = words(&key).last().is_some_and(|last| matches!(last.as_str(), "status" | "state"));
            let text = match self.facts(value.file).expr(value.expr) {
                ExprKind::Text(text) => text.to_ascii_lowercase(),
                _ => return false,
            };
            is_state && DONE.contains(&text.as_str()) && !self.asks_elsewhere(at)
        })
    }

    /// Whether a write notes what the app's people did with what somebody sent in: `is_read`, `assigned_to`, `admin_notes`.
    fn is_worked_on(&self, at: CallRef) -> bool {
        self.row_written(at).into_iter().any(|(key, _)| {
            let said = words(&key);
            let of_notes = said.len() > 1 && said.last().is_some_and(|last| last == "notes" || last == "note");
            any_word(&key, WORKED_ON) || of_notes && !any_word(&key, OWN_NOTES)
        })
    }

    /// Whether a write sets how much of something somebody has.
    fn is_counted(&self, at: CallRef) -> bool {
        self.row_written(at).into_iter().any(|(key, _)| any_word(&key, COUNTED))
    }

    /// What of a row that is put there says which one it replaces, where another than its maker's may be meant:
    /// `upsert({ user_id, .. }, { onConflict: "user_id" })`, `upsert({ id, .. })`.
    fn conflict_keys(&self, at: CallRef) -> Vec<(Name, ExprRef)> {
        let is_upsert = self.called_name(at).is_some_and(|name| name == "upsert");
        let keys = match self.option(at, "onConflict") {
            _ if !is_upsert => return vec![],
            Lookup::Present(value) => value.text(),
            Lookup::Absent => Some(Name::new("id")),
            Lookup::Unknown => None,
        };
        let Some(keys) = keys else { return vec![] };
        let keys: Vec<&str> = keys.split(',').map(str::trim).collect();
        let row = self.row_written(at);
        let by_contact = keys.iter().any(|key| is_contact(key));
        match by_contact
            || row.len() < 2
            || row.iter().filter(|(key, _)| keys.contains(&key.as_str())).count() < keys.len()
        {
            true => vec![],
            false => row.into_iter().filter(|(key, _)| keys.contains(&key.as_str())).collect(),
        }
    }

    /// Whether a read asks only for what is made to be shown: a name, a picture, colours.
    fn only_shows(&self, at: CallRef) -> bool {
        const SHOWN: &[&str] = &[
            "id",
            "name",
            "title",
            "logo",
            "url",
            "color",
            "colour",
            "theme",
            "slug",
            "description",
            "image",
            "avatar",
            "icon",
            "primary",
            "secondary",
            "brand",
            "company",
            "business",
            "display",
            "short",
        ];
        let facts = self.facts(at.file);
        let asked =
            facts.call(at.call).args.first().and_then(|arg| self.value(ExprRef::new(at.file, arg.value)).text());
        asked.is_some_and(|asked| {
            let all = words(&asked);
            !all.is_empty() && !asked.contains('*') && all.iter().all(|word| SHOWN.contains(&word.as_str()))
        })
    }

    /// Whether a write only notes when and how often something was done: `last_seen_at`, `view_count`.
    fn only_notes(&self, at: CallRef) -> bool {
        const NOTES: &[&str] = &["last", "at", "count", "counter", "synced", "updated", "views", "attempts"];
        // `deleted_at`: the time is what ends it.
        const ENDS: &[&str] =
            &["deleted", "archived", "cancelled", "canceled", "disabled", "suspended", "banned", "revoked", "expires"];
        let row = self.row_written(at);
        !row.is_empty() && row.iter().all(|(key, _)| any_word(key, NOTES) && !any_word(key, ENDS))
    }

    /// Whether the function of a call asks another service by itself, of a payment perhaps.
    fn asks_elsewhere(&self, at: CallRef) -> bool {
        self.calls_in(self.function_of(at)).any(|other| {
            !self.requests_at(other).is_empty()
                && !self.vendors_at(other).iter().any(|used| self.catalogue.vendor(used.vendor).own_backend)
        })
    }

    /// The fields of the first row that a write is given.
    pub(in crate::program) fn row_written(&self, at: CallRef) -> Vec<(Name, ExprRef)> {
        let facts = self.facts(at.file);
        let Some(arg) = facts.call(at.call).args.first().filter(|arg| arg.name.is_none()) else { return vec![] };
        let mut value = self.value(ExprRef::new(at.file, arg.value));
        if let Value::List(list) = value {
            let ExprKind::List(items) = self.facts(list.file).expr(list.expr) else { return vec![] };
            let Some(&first) = items.first() else { return vec![] };
            value = self.value(ExprRef::new(list.file, first));
        }
        let mut found = self.entries(&value);
        if let Value::Object(object) = value {
            let later = self.puts(Holder::Object(object)).iter();
            found.extend(later.filter_map(|put| Some((put.name, put.value?))));
        }
        found
    }

    /// The fields of the rows that a write is given, where each is made of an element of a list:
    /// `insert(titles.map((title) => ({ title, patient_id })))`.
    pub(super) fn rows_made(&self, at: CallRef) -> Vec<(Name, ExprRef)> {
        let facts = self.facts(at.file);
        let Some(arg) = facts.call(at.call).args.first().filter(|arg| arg.name.is_none()) else { return vec![] };
        let mut list = arg.value;
        if let ExprKind::Ref(name, block) = *facts.expr(list)
            && let Some([only]) = facts.lookup(block, name).map(|def| facts.def(def).values.as_slice())
        {
            list = *only;
        }
        let ExprKind::Call(call) = *facts.expr(list) else { return vec![] };
        let call = facts.call(call);
        let maps = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "map");
        let made = call.args.first().map(|arg| facts.expr(arg.value));
        let Some(ExprKind::Function(callback)) = made.filter(|_| maps) else { return vec![] };
        let rows = facts.returned(*callback).filter_map(|row| match facts.expr(row) {
            ExprKind::Object(entries) => Some(entries),
            _ => None,
        });
        rows.flatten().map(|&(key, value)| (key, ExprRef::new(at.file, value))).collect()
    }

    /// Whether the request says what is written.
    fn is_told_what(&self, way: &[Edge], at: CallRef) -> bool {
        let args = self.facts(at.file).call(at.call).args.iter();
        args.filter(|arg| arg.name.is_none())
            .any(|arg| matches!(self.origin_on(way, ExprRef::new(at.file, arg.value), &[]), Origin::Request(_)))
    }

    /// The conditions on rows of a query: what they are called and what they are compared with.
    pub(in crate::program) fn selectors(&self, at: CallRef) -> Vec<(Name, ExprRef)> {
        let facts = self.facts(at.file);
        let mut found = Vec::new();
        let mut look = |call: CallRef, method: &str| {
            let args = &facts.call(call.call).args;
            let text = |at: usize| {
                let value = args.get(at).map(|arg| self.value(ExprRef::new(call.file, arg.value)));
                value.and_then(|value| value.text())
            };
            if matches!(method, "doc" | "document") {
                found.extend(args.first().map(|arg| (Name::new("#"), ExprRef::new(call.file, arg.value))));
            } else if matches!(method, "match" | "or") {
                let arg = args.first().map(|arg| arg.value);
                match arg.map(|arg| (arg, facts.expr(arg))) {
                    Some((_, ExprKind::Object(entries))) => {
                        found.extend(entries.iter().map(|&(key, value)| (key, ExprRef::new(call.file, value))));
                    }
                    Some((arg, _)) => found.push((Name::new(method), ExprRef::new(call.file, arg))),
                    None => {}
                }
            } else if let Some(&(_, position)) = PICKS.iter().find(|(name, _)| *name == method)
                && let (Some(by), Some(arg)) = (text(0), args.get(position).or(args.last()))
            {
                found.push((by, ExprRef::new(call.file, arg.value)));
            }
        };
        for (outer, name) in self.chain(at) {
            look(outer, &name);
        }
        let mut callee = facts.call(at.call).callee;
        for _ in 0..8 {
            let ExprKind::Member(base, _) = *facts.expr(callee) else { break };
            let ExprKind::Call(inner) = *facts.expr(base) else { break };
            callee = facts.call(inner).callee;
            if let ExprKind::Member(_, name) = facts.expr(callee) {
                look(CallRef::new(at.file, inner), name);
            }
        }
        found
    }
}

/// Beginnings of words of tables that are queues or records of page views in one app, and what customers have ordered
/// in another.
const EITHER: &[&str] = &["job", "visit", "payment", "appointment", "delivery", "inspection", "service"];

/// Words of tables of those who are served.
const SERVED: &[&str] = &["customers", "clients", "patients", "students", "members", "homeowners", "tenants", "owners"];

/// Whether the migrations say that each row of a table, whose name leaves it open, is a customer's: a column refers to a
/// table of customers.
fn is_own_table_of(program: &Program, at: CallRef, table: Option<Name>) -> bool {
    let Some(name) = table.filter(|table| any_start(table, EITHER)) else { return false };
    let mut made = program.database().tables(&name).filter(|(history, _)| program.is_database_of(history, at.file));
    made.any(|(history, table)| {
        let referred = table.columns.iter().filter_map(|column| history.refers_to(table, column.name));
        referred.into_iter().any(|of| of.schema == "public" && any_word(&of.name, SERVED))
    })
}
