//! What code does with the app's full rights, which no policy of the database stops: to which rows, users and files
//! the request points while it does so.

use crate::catalogue::{Category, Effect, Runs};
use crate::facts::{ExprId, ExprKind, Facts, Span};
use crate::names::Name;
use crate::program::secrets::bundling::{Nature, by_words};
use crate::program::values::answers::{Deed, Look};
use crate::program::values::options::Lookup;
use crate::program::values::requested::{Origin, Source};
use crate::program::verify::words;
use crate::program::{CallRef, Edge, EdgeKind, Entry, ExprRef, FunctionRef, Program, Value, VendorUse, Via};

mod any_table;
mod cards;
mod folders;
mod found;
mod known;
mod rows;
mod seizes;
mod settings_rows;
mod signed_links;

pub use any_table::TABLES;

use known::KNOWN_TO_ONE;
pub(super) use known::proves;
use rows::{SECRETS, WHOSE};
use seizes::CONTACTS;
pub(crate) use seizes::{is_power, role_in_list};

/// What happens to what is picked, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// A stranger gets into somebody's account.
    TakesOver,
    /// A stranger gets a role, or gives one.
    Empowers,
    /// The card that somebody left is charged.
    Charges,
    /// What somebody paid is given back.
    Refunds,
    /// What a vendor keeps of somebody is opened to whoever asks.
    Opens,
    /// It is removed or cancelled.
    Removes,
    /// It is changed.
    Changes,
    /// Something of value is added.
    Adds,
    /// It is read, and the answer says what it says.
    Reads,
    /// All of it is read, and the answer says what it says.
    Lists,
}

/// Something that a request picks and that full rights reach.
#[derive(Debug, Clone)]
pub struct Pick {
    /// What happens to it.
    pub touch: Touch,
    /// What it is: a table, "users", "files".
    pub what: Name,
    /// By what it is picked: a column, "id", "path".
    pub by: Name,
    /// Where the request says it; none when it picks nothing.
    pub source: Option<Source>,
}

impl Program {
    /// Whether a use of the own backend has the app's full rights: its client is made with a key for servers, and
    /// nobody's token is put in its place.
    pub fn has_full_rights(&self, used: &VendorUse) -> bool {
        let vendor = self.catalogue.vendor(used.vendor);
        let Via::Sdk(package, made) = &used.via else { return false };
        let Some(known) = vendor.packages.iter().find(|known| known.name == package.as_str()) else { return false };
        match (known.runs, made) {
            (Runs::Server, _) => true,
            (Runs::Both, Some(made)) => {
                let Some(key) = &known.key else { return false };
                let by_name = key.option.as_deref().map(|option| self.option(*made, option));
                let value = match by_name {
                    Some(Lookup::Present(value)) => value,
                    _ => {
                        let facts = self.facts(made.file);
                        let Some(arg) = facts.call(made.call).args.get(key.arg).filter(|arg| arg.name.is_none()) else {
                            return false;
                        };
                        self.value(ExprRef::new(made.file, arg.value))
                    }
                };
                // `env("SB_SECRET") || env("SUPABASE_SERVICE_ROLE_KEY")`: of what no name tells, the next one does.
                let first = self.ingredients(&value).into_iter().find_map(|part| match part {
                    Value::Env(name) => match self.catalogue.env_entry(&name) {
                        Some((of, entry)) => Some(of == used.vendor && entry.secret),
                        None => match by_words(&name) {
                            Nature::Secret => Some(true),
                            Nature::Public => Some(false),
                            Nature::ByUse | Nature::Unknown => None,
                        },
                    },
                    _ => None,
                });
                // A caller's token in its headers decides what the client may do.
                let as_caller = matches!(self.option(*made, "global.headers.Authorization"), Lookup::Present(_));
                first == Some(true) && !as_caller
            }
            _ => false,
        }
    }

    /// What the request points a call with full rights to, on one way to it.
    pub fn pick(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        if let Some(found) = self.signed_upload(way, used) {
            return Some(found);
        }
        let operation = self.operation(used)?;
        let vendor = self.catalogue.vendor(used.vendor);
        if vendor.own_backend
            && self.has_full_rights(used)
            && let Some(seized) = self.any_table(way, used, operation).or_else(|| self.seized(way, used, operation))
        {
            return Some(seized);
        }
        if operation.refunds {
            return self.refunded(way, used);
        }
        if let Some(whose) = &operation.whose {
            return self.opened_to(way, used, operation, whose);
        }
        if !operation.cards.is_empty() {
            return self.charged(way, used, operation);
        }
        let touch = match operation.effect {
            Effect::Delete => Touch::Removes,
            Effect::Update => Touch::Changes,
            Effect::Read | Effect::List if vendor.own_backend => Touch::Reads,
            Effect::Create if operation.http.iter().any(|form| form.contains("/object/upload/")) => Touch::Changes,
            Effect::Upload if vendor.own_backend => Touch::Adds,
            _ => return None,
        };
        if !vendor.own_backend {
            let theirs = match vendor.category {
                Category::Payments => true,
                // What browsers may change there by design (a cart) is changed, not removed.
                Category::Commerce | Category::Crm => touch == Touch::Removes,
                _ => false,
            };
            return theirs.then(|| self.record(way, used, touch)).flatten();
        }
        if !self.has_full_rights(used) {
            return None;
        }
        if operation.http.iter().any(|form| form.contains("{id}")) {
            return self.record(way, used, touch);
        }
        if operation.http.iter().any(|form| form.contains("/object/")) {
            if matches!(operation.effect, Effect::Upload | Effect::List) {
                return self.folder_of(way, used, operation.effect);
            }
            let found = self.file_of(way, used, touch)?;
            let by = if operation.effect == Effect::Create { Name::new("link") } else { found.by };
            return Some(Pick { by, ..found });
        }
        if operation.http.iter().any(|form| form.contains("/rpc/")) {
            let what =
                self.value(ExprRef::new(used.at.file, self.facts(used.at.file).call(used.at.call).args.first()?.value));
            let what = what.text()?;
            if runs_statements(&what) {
                let source = self.statement_given(way, used.at)?;
                let what = Name::new("statements");
                return Some(Pick { touch: Touch::TakesOver, what, by: Name::new("*"), source: Some(source) });
            }
            let (by, source) = self.given_whose(way, used.at)?;
            let what = Some(what).filter(|name| !any_start(name, &["waitlist", "newsletter"]))?;
            let gives = || {
                let first = words(&what).into_iter().next().unwrap_or_default();
                matches!(first.as_str(), "get" | "fetch" | "list" | "search" | "find" | "load")
            };
            let touch = match self.only_reads(&what, used.at.file) {
                false => touch,
                true if gives() => Touch::Reads,
                // It tells yes or no, or makes a number.
                true => return None,
            };
            return Some(Pick { touch, what, by, source: Some(source) });
        }
        self.rows(way, used, touch)
    }

    /// Whether an entry point asks a vendor for a record whose number the request gives: whoever knows the number of a
    /// payment made it.
    pub fn asks_for_payment(&self, entry: &Entry) -> bool {
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let uses = reach
            .stops
            .iter()
            .flat_map(|stop| self.with_inner(stop.function))
            .flat_map(|function| self.calls_in(function))
            .flat_map(|at| self.vendors_at(at));
        uses.into_iter().any(|used| {
            self.catalogue.vendor(used.vendor).category == Category::Payments
                && self.operation(used).is_some_and(|operation| operation.effect == Effect::Read)
                && self.names_record(used)
        })
    }

    fn names_record(&self, used: &VendorUse) -> bool {
        let args = &self.facts(used.at.file).call(used.at.call).args;
        args.first().is_some_and(|arg| {
            matches!(self.origin_on(&[], ExprRef::new(used.at.file, arg.value), &[]), Origin::Request(_))
        })
    }

    /// What the first argument names.
    fn record(&self, way: &[Edge], used: &VendorUse, touch: Touch) -> Option<Pick> {
        let facts = self.facts(used.at.file);
        let arg = facts.call(used.at.call).args.first().filter(|arg| arg.name.is_none())?;
        let own = self.catalogue.vendor(used.vendor).own_backend;
        let at = ExprRef::new(used.at.file, arg.value);
        let source = match self.origin_on(way, at, &[]) {
            Origin::Request(source) => source,
            _ if own && touch == Touch::Removes => self.found_by(way, at, CONTACTS, 9)?,
            _ => return None,
        };
        let what = Name::new(if own { "users" } else { "records" });
        (!only_one_knows(&source)).then_some(Pick { touch, what, by: Name::new("id"), source: Some(source) })
    }

    /// The file whose path the request gives, in a store that is not public by its name.
    fn file_of(&self, way: &[Edge], used: &VendorUse, touch: Touch) -> Option<Pick> {
        let facts = self.facts(used.at.file);
        let arg = facts.call(used.at.call).args.first()?.value;
        let arg = match facts.expr(arg) {
            ExprKind::List(items) => *items.first()?,
            _ => arg,
        };
        self.file_named(way, used, arg, touch)
    }

    /// The file whose path the request gives by an expression.
    fn file_named(&self, way: &[Edge], used: &VendorUse, arg: ExprId, touch: Touch) -> Option<Pick> {
        let Origin::Request(source) = self.origin_on(way, ExprRef::new(used.at.file, arg), &[]) else {
            return None;
        };
        // A path with the time or a random part in it names what the server has just put there.
        let value = self.value(ExprRef::new(used.at.file, arg));
        if self.fresh(&value).is_some() {
            return None;
        }
        let public = words(&used.name).iter().chain(&source_words(&source)).any(|word| word == "public");
        let store = self.table_of(used.at);
        let named_public = store.is_some_and(|store| words(&store).iter().any(|word| word == "public"));
        // The key of a file is its path.
        let known = source_words(&source).iter().any(|word| word != "key" && KNOWN_TO_ONE.contains(&word.as_str()));
        (!public && !named_public && !known).then_some(Pick {
            touch,
            what: Name::new("files"),
            by: Name::new("path"),
            source: Some(source),
        })
    }

    /// Whether what a read gives is part of the answer of an entry point: as a whole, or what it says of a person.
    pub fn is_answered(&self, entry: FunctionRef, pick: &Pick, read: CallRef) -> bool {
        /// What stands between the elements of a list and whoever gets them, and changes none.
        const PASSES: &[&str] = &["[]", "filter()", "slice()", "sort()", "toSorted()", "reverse()", "flat()"];
        const LINK: &[&str] = &["data", "link", "properties", "token", "otp", "url"];
        const ALL: &[&str] = &["data", "users", "rows", "email", "phone"];
        const TELLS: &[&str] = &[
            "email",
            "phone",
            "address",
            "birth",
            "dob",
            "iban",
            "ssn",
            "tax",
            "salary",
            "diagnosis",
            "data",
            "url",
            "signedurl",
            "rows",
            "name",
            "notes",
        ];
        let tells = match pick.touch {
            Touch::TakesOver => LINK,
            Touch::Lists => ALL,
            _ => TELLS,
        };
        // `select("*").eq("id", id).execute()`: what a query of Python's gives comes at its end.
        let end = self.chain(read).find(|(_, name)| *name == "execute");
        self.looks(end.map_or(read, |(end, _)| end)).iter().any(|look| {
            // What a method makes of it is something else, but for those that leave the elements as they are.
            let parts = || look.part.iter().rev().filter(|part| !PASSES.contains(&part.as_str()));
            let maps = parts().next().is_some_and(|last| *last == "map()");
            if parts().skip(usize::from(maps)).any(|part| part.ends_with("()")) {
                return false;
            }
            let told = match maps {
                true => self.maps_to(look.at, tells),
                false => parts().next().is_none_or(|last| any_word(last, tells) || any_word(last, SECRETS)),
            };
            told && (look.deed == Deed::Given(entry) || self.is_in_answer(look))
        })
    }

    /// Whether a part of a value is part of what a request is answered, by the call that answers or by what the function
    /// of an entry point gives back.
    pub(in crate::program) fn is_in_answer(&self, look: &Look) -> bool {
        match look.deed {
            Deed::Tested | Deed::Logged | Deed::Thrown | Deed::Used | Deed::Called => return false,
            Deed::Given(function) if !self.entries_of(function).is_empty() => return true,
            Deed::Given(_) | Deed::Handed => {}
        }
        let facts = self.facts(look.at.file);
        let span = facts.span(look.at.expr);
        self.calls_of(look.at.file).any(|at| {
            let call = facts.call(at.call);
            answers(facts, call.callee) && call.args.iter().any(|arg| facts.span(arg.value).contains(span))
        })
    }

    /// Whether what a list is made into has a field of some words: `rows.map((row) => ({ id: row.id, email: row.email }))`.
    fn maps_to(&self, mapped: ExprRef, any: &[&str]) -> bool {
        let facts = self.facts(mapped.file);
        let whole = facts.span(mapped.expr);
        // `const people = users.map(..)`, and that is answered.
        let named = facts.exprs.iter().filter(|expr| whole.contains(expr.span)).filter_map(|expr| match expr.kind {
            ExprKind::Ref(name, block) => facts.lookup(block, name),
            _ => None,
        });
        let made = named.flat_map(|def| facts.def(def).values.iter().map(|&value| facts.span(value)));
        let spans: Vec<Span> = made.chain([whole]).collect();
        self.calls_of(mapped.file).map(|at| facts.call(at.call)).any(|call| {
            let maps = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "map");
            let made = call.args.first().map(|arg| facts.expr(arg.value));
            let Some(ExprKind::Function(made)) =
                made.filter(|_| maps && spans.iter().any(|within| within.contains(facts.span(call.expr))))
            else {
                return false;
            };
            facts.returned(*made).any(|value| match facts.expr(value) {
                ExprKind::Object(entries) => entries.iter().any(|(key, _)| *key == "..." || any_word(key, any)),
                _ => false,
            })
        })
    }

    /// Whether the function of a call answers with something that is no object of its own: a file's bytes.
    pub fn streams_out(&self, read: CallRef) -> bool {
        self.calls_in(self.function_of(read)).any(|at| {
            let facts = self.facts(at.file);
            let call = facts.call(at.call);
            let first = call.args.first().map(|arg| facts.expr(arg.value));
            let is_bytes = match first {
                Some(ExprKind::Ref(..)) => true,
                Some(ExprKind::Call(made)) => {
                    facts.last_name(facts.call(*made).callee).is_some_and(|name| name == "from")
                }
                _ => false,
            };
            answers(facts, call.callee) && is_bytes
        })
    }

    /// The statement of the request that a function of the database runs as it comes.
    fn statement_given(&self, way: &[Edge], at: CallRef) -> Option<Source> {
        let arg = self.facts(at.file).call(at.call).args.get(1)?;
        match self.origin_on(way, ExprRef::new(at.file, arg.value), &[]) {
            Origin::Request(source) => Some(source),
            _ => None,
        }
    }

    /// Whose rows a function of the database is told to touch by the request.
    fn given_whose(&self, way: &[Edge], at: CallRef) -> Option<(Name, Source)> {
        let facts = self.facts(at.file);
        let arg = facts.call(at.call).args.get(1)?;
        let ExprKind::Object(entries) = facts.expr(arg.value) else { return None };
        entries.iter().find_map(|&(key, value): &(Name, ExprId)| {
            if !any_word(&key, WHOSE) {
                return None;
            }
            match self.origin_on(way, ExprRef::new(at.file, value), &[]) {
                Origin::Request(source) if !only_one_knows(&source) => Some((key, source)),
                _ => None,
            }
        })
    }
}

/// Whether a callee makes an answer: `Response`, `res.json`, `res.status(200).send`.
fn answers(facts: &Facts, callee: ExprId) -> bool {
    match facts.expr(callee) {
        ExprKind::Ref(name, _) => matches!(name.as_str(), "Response" | "NextResponse" | "jsonify" | "JSONResponse"),
        ExprKind::Member(base, name) => match name.as_str() {
            "json" | "Response" | "jsonify" => true,
            "send" | "end" => match facts.expr(*base) {
                ExprKind::Ref(of, _) => matches!(of.as_str(), "res" | "reply" | "response"),
                ExprKind::Call(call) => {
                    matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(_, name) if matches!(name.as_str(), "status" | "code" | "header" | "type"))
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// Whether a function of the database runs whatever statement it is given, by its name.
fn runs_statements(name: &str) -> bool {
    matches!(
        name.trim_start_matches('_').to_ascii_lowercase().as_str(),
        "exec_sql"
            | "execute_sql"
            | "run_sql"
            | "exec"
            | "execute"
            | "sql"
            | "run_query"
            | "execute_query"
            | "exec_query"
    )
}

fn any_word(name: &str, wanted: &[&str]) -> bool {
    words(name).iter().any(|word| wanted.contains(&word.as_str()))
}

fn any_start(name: &str, wanted: &[&str]) -> bool {
    words(name).iter().any(|word| wanted.iter().any(|start| word.starts_with(start)))
}

fn source_words(source: &Source) -> Vec<String> {
    source.names.iter().flat_map(|name| words(name)).collect()
}

/// Whether a value of the request goes by a name that says that only the rightful caller knows it.
fn only_one_knows(source: &Source) -> bool {
    source_words(source).iter().any(|word| KNOWN_TO_ONE.contains(&word.as_str()))
}
