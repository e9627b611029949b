//! What an entry point does that a forged call should not be able to make it do.

use super::{Deed, Standing, Walk};
use crate::catalogue::{Category, Effect, KnownRole, Seg};
use crate::facts::{ExprId, ExprKind, Op};
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Destination, EdgeKind, ExprRef, FunctionRef, Value};

/// How far what a call gives is followed to where it is compared.
const FARTHEST: usize = 7;

/// Methods that write, of objects that could not be followed: a database handed in, a transaction.
const WRITES: &[&str] = &[
    "insert",
    "insertOne",
    "insertMany",
    "insert_one",
    "insert_many",
    "updateOne",
    "updateMany",
    "update_one",
    "update_many",
    "findOneAndUpdate",
    "findByIdAndUpdate",
    "find_one_and_update",
    "upsert",
    "save",
    "commit",
    "bulk_create",
    "createMany",
    "deleteOne",
    "deleteMany",
    "update",
    "create",
    "get_or_create",
    "update_or_create",
];

/// Words in the name of a table or model that only keeps what came in.
const RECORDS: &[&str] = &[
    "log",
    "logs",
    "audit",
    "webhook",
    "webhooks",
    "raw",
    "inbound",
    "delivery",
    "deliveries",
    "error",
    "errors",
    "metric",
    "metrics",
    "processed",
    "run",
    "runs",
    "attempt",
    "attempts",
];

/// The same, unless what happened is counted: an amount that is summed up some day.
const HAPPENED: &[&str] = &["event", "events", "history", "activity"];

impl Walk<'_> {
    /// Whether a new row holds an amount, and no event's id that would tell it from a second one.
    fn books(&self, at: CallRef) -> bool {
        let names_event = |field: &Name| {
            let words = super::words(field);
            words.iter().any(|word| word == "event") && words.iter().any(|word| word == "id")
        };
        self.program.keeps_amount(at) && !self.program.fields_written(at).iter().any(names_event)
    }

    pub(super) fn note_deed(&mut self, at: CallRef, standing: Standing) {
        if self.behind.is_some() {
            return;
        }
        let standing = match standing {
            Standing::Unverified => self.unread_standing(),
            Standing::Open(_) => self.told_by_vendor(at).map_or(standing, Standing::Asked),
            other => other,
        };
        let reason = self.reasons.iter().rev().find_map(|reason| *reason);
        let table = self.handed_table(at);
        let records = self.keeps_record(at, table.map(|(table, _)| table));
        let checks_before = self.account.checks.len();
        let handed = table.map(|(_, by)| by);
        self.account.deeds.push(Deed { at, standing, checks_before, records, handed, reason });
    }

    /// The standing while the results of checks were not looked at in a way that is understood.
    fn unread_standing(&self) -> Standing {
        let Some(&pending) = self.account.pending.first() else { return Standing::Unverified };
        let place = self.program.call_place(pending);
        if self.is_looked_at(pending) {
            return Standing::Unknown(place);
        }
        let lapse = super::Lapse { place, check: place, why: super::Why::Ignored, safe_default: false };
        Standing::Open(lapse)
    }

    /// What a call does that a forged delivery should not be able to do: itself, or the call that hands an own
    /// wrapper the statement it runs.
    pub(super) fn effect(&mut self, at: CallRef) -> Option<CallRef> {
        if self.program.has_role(at, KnownRole::Write)
            && let Some((statement, by)) = self.handed_statement(at)
        {
            return (!only_looks(&statement)).then_some(by);
        }
        self.is_effect(at).then_some(at)
    }

    /// The statement that a wrapper's query is handed, and the call that hands it.
    fn handed_statement(&mut self, at: CallRef) -> Option<(Name, CallRef)> {
        let program = self.program;
        let first = program.facts(at.file).call(at.call).args.first()?.value;
        let (value, by) = self.handed(program.value(ExprRef::new(at.file, first)))?;
        let head = match &value {
            Value::Text(text) => Some(*text),
            Value::Template(parts) => parts.first().and_then(Value::text),
            other => self.sql_of(other),
        };
        Some((head?, by))
    }

    /// The table that a wrapper's query is handed, and the call that hands it: `db.insertOne("webhook_logs", row)`.
    fn handed_table(&mut self, at: CallRef) -> Option<(Name, CallRef)> {
        let program = self.program;
        let sites = program.external(at)?.sites.clone();
        sites.into_iter().filter(|&site| site != at).find_map(|site| {
            let facts = program.facts(site.file);
            let call = facts.call(site.call);
            let names = facts
                .last_name(call.callee)
                .is_some_and(|name| matches!(name.as_str(), "from" | "from_" | "table" | "collection"));
            let mut first = call.args.first().filter(|_| names)?.value;
            if param_of(&program.value(ExprRef::new(site.file, first))).is_none() {
                first = renamed(facts, first)?;
            }
            match self.handed(program.value(ExprRef::new(site.file, first)))? {
                (Value::Text(table), by) => Some((table, by)),
                _ => None,
            }
        })
    }

    /// What a parameter of the functions being walked is handed, and the call that hands it; none for what is no
    /// parameter.
    fn handed(&mut self, mut value: Value) -> Option<(Value, CallRef)> {
        let program = self.program;
        let mut found = None;
        let mut from = self.active.len();
        while let Some((function, index)) = param_of(&value) {
            let place = self.active[..from].iter().rposition(|(active, _)| *active == function)?;
            let by = self.active[place].1?;
            // What it does hangs on who calls it: it is walked for each of them.
            self.by_argument.extend(self.active[place..].iter().map(|(function, _)| *function));
            value = Eval::new(program).argument_for(function, index, by);
            found = Some(by);
            from = place;
        }
        Some((value, found?))
    }

    /// Whether a call does something that a forged delivery should not be able to do.
    fn is_effect(&self, at: CallRef) -> bool {
        let program = self.program;
        let acts = |effect: Effect| effect.changes_something() || effect == Effect::Track;
        let uses = program.vendors_at(at);
        // `logError(..)`, `setTimeout(resolve, 200)`
        if self.asks_function(at) || self.only_reports(at) || self.ends_wait(at) {
            return false;
        }
        if uses.iter().any(|used| program.operation(used).is_some_and(|operation| acts(operation.effect))) {
            return true;
        }
        if program.has_role(at, KnownRole::Write) {
            return !self.only_reads(at);
        }
        let runs_own = program.edges(at).iter().any(|edge| edge.kind == EdgeKind::Direct);
        if runs_own {
            return false;
        }
        if program.has_role(at, KnownRole::Defer) && program.edges(at).is_empty() && !self.waits_for_own(at) {
            return true;
        }
        uses.is_empty() && (self.sends(at) || self.may_write(at))
    }

    /// Whether a call only tells those who watch over the app of what happened.
    fn only_reports(&self, at: CallRef) -> bool {
        let uses = self.program.vendors_at(at);
        let watches = |vendor| self.program.catalogue.vendor(vendor).category == Category::Monitoring;
        !uses.is_empty() && uses.iter().all(|used| watches(used.vendor))
    }

    /// Whether a call leaves a promise's own end to a timer: nothing but a wait.
    fn ends_wait(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let first = facts.call(at.call).args.first();
        self.program.has_role(at, KnownRole::Defer)
            && first.is_some_and(|arg| {
                matches!(self.program.value(ExprRef::new(at.file, arg.value)), Value::Param(..))
                    && matches!(facts.last_name(arg.value), Some(name) if matches!(name.as_str(), "resolve" | "r" | "res" | "done" | "reject"))
            })
    }

    /// `waitUntil(process(event))`: what is handed over was walked.
    fn waits_for_own(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        facts
            .call(at.call)
            .args
            .iter()
            .any(|arg| matches!(facts.expr(arg.value), ExprKind::Call(_) | ExprKind::Await(_)))
    }

    /// A request that changes something elsewhere.
    fn sends(&self, at: CallRef) -> bool {
        self.program.requests_at(at).iter().any(|http| {
            let reaches = http.to.iter().any(|to| {
                let path = to.path().map(|path| path.to_ascii_lowercase()).unwrap_or_default();
                let logs_in =
                    super::words(&path).iter().any(|word| matches!(word.as_str(), "auth" | "login" | "signin"));
                !matches!(to, Destination::Local) && !path.contains("token") && !path.contains("oauth") && !logs_in
            });
            reaches && http.at == http.inner && http.method.is_some_and(|method| method != "GET" && method != "HEAD")
        })
    }

    /// Whether a method of something that could not be followed writes, by its name.
    fn may_write(&self, at: CallRef) -> bool {
        if !matches!(self.program.callee(at), Value::Unknown | Value::Member(..) | Value::Result(_)) {
            return false;
        }
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let ExprKind::Member(base, name) = facts.expr(call.callee) else { return false };
        if !WRITES.contains(&name.as_str()) || is_container(facts, *base) {
            return false;
        }
        // `names.insert(0, name)` of a list.
        let position = call.args.first().is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Number(_)));
        if *name == "insert" && call.args.len() == 2 && position {
            return false;
        }
        let receiver = match facts.expr(*base) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_ascii_lowercase(),
            _ => String::new(),
        };
        let local = [
            "hash", "hmac", "cipher", "map", "set", "cache", "digest", "mac", "sign", "payload", "headers", "data",
            "dict", "params",
        ];
        !local.iter().any(|word| receiver == *word || super::words(&receiver).iter().any(|part| part == word))
    }

    /// A query whose text says that it only reads.
    fn only_reads(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let Some(first) = facts.call(at.call).args.first() else { return false };
        let value = self.program.value(ExprRef::new(at.file, first.value));
        let head = match &value {
            Value::Text(text) => Some(*text),
            Value::Template(parts) => parts.first().and_then(Value::text),
            _ => match self.sql_of(&value) {
                Some(text) => Some(text),
                None => return self.selects(&value),
            },
        };
        head.is_some_and(|head| only_looks(&head))
    }

    /// A function of the database that by its body or name only gives something: `rpc("get_webhook_secret")`.
    fn asks_function(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        if !matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "rpc") {
            return false;
        }
        if self.program.is_read_by_function(at)
            || self.keeps_fresh_token(at)
            || self.is_compared(ExprRef::new(at.file, call.expr), FARTHEST)
        {
            return true;
        }
        let Some(first) = call.args.first() else { return false };
        let Some(named) = self.program.value(ExprRef::new(at.file, first.value)).text() else { return false };
        let words = super::words(&named);
        let reads = matches!(
            words.first().map(String::as_str),
            Some("get" | "read" | "fetch" | "find" | "lookup" | "list" | "has" | "is" | "verify" | "validate")
        );
        reads
            && !words
                .iter()
                .any(|word| matches!(word.as_str(), "create" | "update" | "set" | "insert" | "upsert" | "next"))
    }

    /// `rpc("vault_update_secret", { secret: tokens.access_token })`: the token to ask the vendor with, which was fetched
    /// anew; whoever knocks has no say in it.
    fn keeps_fresh_token(&self, at: CallRef) -> bool {
        const TOKENS: &[&str] = &["access_token", "accessToken", "refresh_token", "refreshToken"];
        let facts = self.program.facts(at.file);
        let Some(given) = facts.call(at.call).args.get(1) else { return false };
        let ExprKind::Object(entries) = facts.expr(given.value) else { return false };
        let is_token = |value: ExprId| facts.last_name(value).is_some_and(|name| TOKENS.contains(&name.as_str()));
        let of_request = |value: ExprId| {
            let origin = self.program.origin_on(&[], ExprRef::new(at.file, value), &[]);
            matches!(origin, crate::program::values::requested::Origin::Request(_))
        };
        entries.iter().any(|&(_, value)| is_token(value) && !of_request(value))
    }

    /// Whether a value is what something else is then compared with, or checked by: the secret that is fetched for the
    /// check belongs to it.
    fn is_compared(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let readers = self.program.readers(at.file);
        let next = |expr: ExprId| self.is_compared(ExprRef::new(at.file, expr), depth);
        readers.uses(at.expr).iter().any(|used| match *used {
            Use::Kept(def) => readers.reads(def).iter().any(|&read| next(read)),
            Use::In(outer) => match facts.expr(outer) {
                ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts.iter().all(|&part| {
                    !matches!(
                        facts.expr(part),
                        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Text(_)
                    )
                }),
                ExprKind::Await(_) | ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Template(_) => next(outer),
                ExprKind::Op(Op::Or | Op::Nullish, _) => next(outer),
                _ => false,
            },
            Use::Arg(call, _) => {
                let made = CallRef::new(at.file, call);
                let checks = [KnownRole::Mac, KnownRole::Compare, KnownRole::Verify];
                self.check_kind(made).is_some()
                    || checks.iter().any(|&role| self.program.has_role(made, role))
                    || self.program.called_name(made).is_some_and(|name| super::evidence::sounds_like_check(&name))
            }
            _ => false,
        })
    }

    /// `text("select ..")`: the statement inside a wrapper.
    fn sql_of(&self, value: &Value) -> Option<Name> {
        let Value::External(external) = value else { return None };
        let site = *external.sites.last()?;
        let first = self.program.facts(site.file).call(site.call).args.first()?;
        match self.program.value(ExprRef::new(site.file, first.value)) {
            Value::Text(text) => Some(text),
            Value::Template(parts) => parts.first().and_then(Value::text),
            _ => None,
        }
    }

    /// `session.execute(select(Order))`
    fn selects(&self, value: &Value) -> bool {
        matches!(value, Value::External(external)
            if external.segs.iter().any(|seg| matches!(seg, Seg::Member(name) if name == "select")))
    }

    /// Whether a write only keeps what came in, by the name of where it goes.
    fn keeps_record(&self, at: CallRef, handed: Option<Name>) -> bool {
        let is_record = |name: &str| {
            let words = super::words(name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            has(RECORDS) || has(HAPPENED) && !self.books(at)
        };
        if let Some(table) = handed {
            return is_record(&table);
        }
        let facts = self.program.facts(at.file);
        if let Some(external) = self.program.external(at) {
            let members = external.segs.iter().skip(1).any(|seg| matches!(seg, Seg::Member(name) if is_record(name)));
            let texts = external.sites.iter().any(|site| {
                let facts = self.program.facts(site.file);
                facts.call(site.call).args.first().is_some_and(|arg| match facts.expr(arg.value) {
                    ExprKind::Text(text) => text.len() < 60 && is_record(text),
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => is_record(name),
                    _ => false,
                })
            });
            if members || texts {
                return true;
            }
        }
        let call = facts.call(at.call);
        // `INSERT INTO webhook_events (..)`
        let written = call.args.first().and_then(|arg| match self.program.value(ExprRef::new(at.file, arg.value)) {
            Value::Text(text) => Some(text),
            other => self.sql_of(&other),
        });
        if written.is_some_and(|text| inserted_into(&text).is_some_and(|table| is_record(&table))) {
            return true;
        }
        let named = |expr: ExprId| match facts.expr(expr) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => is_record(name),
            _ => false,
        };
        // What the chain is written on: `db.from("webhook_logs").insert(..)`, `WebhookEvent(..).save()`.
        let mut callee = call.callee;
        for _ in 0..4 {
            let ExprKind::Member(base, _) = facts.expr(callee) else { break };
            let ExprKind::Call(inner) = facts.expr(*base) else {
                // `WebhookEvent.objects.create(..)`
                let model = match facts.expr(*base) {
                    ExprKind::Member(model, name) if *name == "objects" => facts.last_name(*model),
                    _ => None,
                };
                let of_model =
                    model.is_some_and(|name| super::words(&name).iter().any(|word| RECORDS.contains(&word.as_str())));
                if of_model || named(*base) {
                    return true;
                }
                break;
            };
            let inner = facts.call(*inner);
            let text = inner.args.first().is_some_and(
                |arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if text.len() < 60 && is_record(text)),
            );
            if text || matches!(facts.expr(inner.callee), ExprKind::Ref(name, _) if is_record(name)) {
                return true;
            }
            callee = inner.callee;
        }
        call.args.first().is_some_and(|arg| match facts.expr(arg.value) {
            ExprKind::Call(made) => named(facts.call(*made).callee),
            _ => named(arg.value),
        })
    }
}

/// Whether a statement changes no rows: it reads, or makes what it writes to where that is missing.
fn only_looks(statement: &str) -> bool {
    let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
    let verb = words.next().unwrap_or_default();
    match verb.as_str() {
        "create" | "alter" => true,
        verb => {
            matches!(verb, "select" | "with" | "show" | "pragma" | "begin" | "commit" | "rollback" | "set" | "explain")
        }
    }
}

/// The table that a statement puts a row into.
fn inserted_into(statement: &str) -> Option<String> {
    let mut words = statement.split_whitespace();
    let is = |word: Option<&str>, wanted: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(wanted));
    (is(words.next(), "insert") && is(words.next(), "into")).then_some(())?;
    Some(words.next()?.split('(').next()?.to_owned())
}

/// The parameter that a value is, or is made of.
fn param_of(value: &Value) -> Option<(FunctionRef, u16)> {
    value.alternatives().iter().find_map(|value| match value {
        Value::Param(function, index) => Some((*function, *index)),
        Value::Template(parts) => parts.first().and_then(param_of),
        _ => None,
    })
}

/// What a name is made of by a function of its own: `const table = this.tableFor(collection)`.
fn renamed(facts: &crate::facts::Facts, expr: ExprId) -> Option<ExprId> {
    let made = match *facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(block, name)?).values[..] {
            [only] => only,
            _ => return None,
        },
        _ => expr,
    };
    let ExprKind::Call(call) = *facts.expr(made) else { return None };
    match &facts.call(call).args[..] {
        [only] => Some(only.value),
        _ => None,
    }
}

/// Whether a name holds a dict, list or set that was made here: to change it stores nothing.
fn is_container(facts: &crate::facts::Facts, expr: ExprId) -> bool {
    const MADE_BY: &[&str] =
        &["dict", "list", "set", "deque", "Counter", "defaultdict", "OrderedDict", "Map", "Set", "Array"];
    let ExprKind::Ref(name, block) = *facts.expr(expr) else { return false };
    let Some(def) = facts.lookup(block, name).map(|def| facts.def(def)) else { return false };
    let made = |value: &ExprId| match facts.expr(*value) {
        ExprKind::Object(_) | ExprKind::List(_) => true,
        ExprKind::Call(call) => {
            let callee = facts.last_name(facts.call(*call).callee);
            callee.is_some_and(|name| MADE_BY.contains(&name.as_str()))
        }
        _ => false,
    };
    !def.values.is_empty() && def.values.iter().all(made)
}
