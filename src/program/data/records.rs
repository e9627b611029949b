//! Writes whose loss hurts nobody: of what only keeps what happened, and of what is asked for again when it is missing.

use rustc_hash::FxHashMap;

use crate::catalogue::Effect;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Op, Span};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::answers::{Deed, Look};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Program, VendorUse};

/// Words in the name of a table that only keeps what happened.
const RECORDS: &[&str] = &[
    "log",
    "logs",
    "audit",
    "audits",
    "history",
    "activity",
    "activities",
    "error",
    "errors",
    "metric",
    "metrics",
    "analytics",
    "telemetry",
    "debug",
    "trace",
    "traces",
    "views",
    "visits",
    "cache",
    "limit",
    "limits",
    "usage",
    "track",
    "tracking",
];

/// Words at the end of the name of a table that keeps what happened to something: `order_events`.
const HAPPENINGS: &[&str] = &["events", "event", "interactions", "steps", "actions", "impressions", "clicks", "opens"];

/// Words in the names of fields that say who came to a page, and from where.
const VISITS: &[&str] =
    &["referrer", "referer", "visitor", "browser", "device", "os", "utm", "agent", "session", "pathname"];

/// Where the writes and reads of the app's own tables stand: positions in the vendors' uses.
#[derive(Debug, Default)]
pub struct TableUses {
    /// By table.
    pub of: FxHashMap<Name, Vec<usize>>,
    /// Those that bring other tables' rows along, with the text that says which: `*, profiles(name)`.
    pub embedding: Vec<(usize, Name)>,
    /// Writes of browser code by clients that nothing is known of, their import leads nowhere: by table.
    pub by_name: FxHashMap<Name, Vec<(CallRef, Effect)>>,
}

impl Program {
    /// Whether a name says that what stands under it only keeps what happened: a log, an audit trail.
    pub fn keeps_record(&self, name: &str) -> bool {
        words(name).iter().any(|word| RECORDS.contains(&word.as_str()))
    }

    /// Whether a new row holds an amount: by the fields that are written, or by the columns of its table.
    pub fn keeps_amount(&self, at: CallRef) -> bool {
        const AMOUNTS: &[&str] = &["amount", "amounts", "cents", "mrr", "revenue", "credits", "quantity"];
        let says = |name: &str| words(name).iter().any(|word| AMOUNTS.contains(&word.as_str()));
        self.fields_written(at).iter().any(|field| says(field))
            || self.tables_at(at).iter().any(|table| table.columns.iter().any(|column| says(&column.name)))
    }

    /// Whether a write adds a line to what happened: to a log, or to a table of events that is only ever added to
    /// and that decides nothing.
    pub fn is_for_the_record(&self, used: &VendorUse) -> bool {
        let Some(table) = self.named_table(used) else { return false };
        self.keeps_record(&table)
            || self.adds_happening(used, table)
                && !self.is_asked(table, used.at.file)
                && !self.starts_work(table, used.at.file)
    }

    /// Whether a row of a log is what keeps a message from being sent twice: before it goes out, the same code looks
    /// whether the row is there.
    pub fn remembers_message(&self, used: &VendorUse) -> bool {
        const LOGS: &[&str] = &["log", "logs", "history", "audit", "audits", "activity", "activities"];
        let named = |table: &Name| words(table).iter().any(|word| LOGS.contains(&word.as_str()));
        let Some(table) = self.named_table(used).filter(named) else { return false };
        let function = self.function_of(used.at);
        let facts = self.facts(used.at.file);
        let start = |at: CallRef| facts.span(facts.call(at.call).expr).start;
        let here = |at: CallRef| at.file == used.at.file && self.function_of(at) == function;
        let tests =
            |look: &Look| look.deed == Deed::Tested && look.part.first().is_none_or(|part| !part.starts_with("error"));
        let asked = self.uses_of_table(table, used.at.file).filter(|read| {
            here(read.at)
                && start(read.at) < start(used.at)
                && self.operation(read).is_some_and(|op| matches!(op.effect, Effect::Read | Effect::List))
                && self.looks(read.at).iter().any(tests)
        });
        let Some(first) = asked.map(|read| start(read.at)).min() else { return false };
        self.calls_in(function)
            .filter(|&call| (first..start(used.at)).contains(&start(call)))
            .any(|call| self.leads_to_send(call))
    }

    /// Whether a call sends a message, itself or through a function that it calls.
    fn leads_to_send(&self, call: CallRef) -> bool {
        let sends = |call: CallRef| {
            let mut uses = self.vendors_at(call).iter();
            uses.any(|used| self.operation(used).is_some_and(|operation| operation.effect == Effect::Send))
        };
        let called = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        sends(call) || called.flat_map(|edge| self.calls_in(edge.target)).any(sends)
    }

    /// Whether code on the server decides something by what a table of a file's app holds.
    pub fn is_asked(&self, table: Name, near: FileId) -> bool {
        let tests =
            |look: &Look| look.deed == Deed::Tested && look.part.first().is_none_or(|part| !part.starts_with("error"));
        self.uses_of_table(table, near).any(|used| {
            self.operation(used).is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List))
                && self.runs_on_server(used.at.file)
                && self.looks(used.at).iter().any(tests)
        })
    }

    /// The uses of a table of the own backend of a file's app.
    pub fn uses_of_table(&self, table: Name, near: FileId) -> impl Iterator<Item = &VendorUse> {
        let uses = self.table_uses().of.get(&table).into_iter().flatten().map(|&at| &self.vendor_uses()[at]);
        uses.filter(move |used| self.share_app(used.at.file, near))
    }

    /// The uses of the tables of the app's own backend, by table.
    pub(in crate::program) fn table_uses(&self) -> &TableUses {
        self.table_uses.get_or_init(|| {
            let mut uses = TableUses::default();
            for (at, used) in self.vendor_uses().iter().enumerate() {
                if self.catalogue.vendor(used.vendor).own_backend
                    && let Some(table) = self.named_table(used)
                {
                    uses.of.entry(table).or_default().push(at);
                    uses.embedding.extend(self.embedded_by(used).map(|text| (at, text)));
                }
            }
            for (file, facts) in self.code() {
                let side = self.side(file);
                if !facts.language.is_script() || !side.client || side.server || side.tooling || side.dead {
                    continue;
                }
                for at in self.calls_of(file) {
                    let found = self.written_by_name(at).into_iter();
                    found.for_each(|(table, effect)| uses.by_name.entry(table).or_default().push((at, effect)));
                }
            }
            uses
        })
    }

    /// What a call writes by its form alone, where its client is not known: `supabase.from("notes").update(..)`.
    fn written_by_name(&self, at: CallRef) -> Option<(Name, Effect)> {
        let facts = self.facts(at.file);
        let ExprKind::Member(base, method) = *facts.expr(facts.call(at.call).callee) else { return None };
        let effect = match method.as_str() {
            "insert" | "upsert" => Effect::Create,
            "update" => Effect::Update,
            "delete" => Effect::Delete,
            _ => return None,
        };
        let ExprKind::Call(from) = *facts.expr(base) else { return None };
        let from = facts.call(from);
        let is_from = matches!(facts.expr(from.callee), ExprKind::Member(_, name) if *name == "from");
        let ExprKind::Text(table) = facts.expr(from.args.first()?.value) else { return None };
        (is_from && self.vendors_at(at).is_empty()).then_some((*table, effect))
    }

    /// Whether a new row says what happened, in a table whose rows nobody changes.
    fn adds_happening(&self, used: &VendorUse, table: Name) -> bool {
        const APPOINTED: &[&str] = &["start", "starts", "end", "ends", "due", "scheduled", "location", "price"];
        let is = |used: &VendorUse, effect: Effect| self.operation(used).is_some_and(|op| op.effect == effect);
        if !is(used, Effect::Create) || self.uses_of_table(table, used.at.file).any(|other| is(other, Effect::Update)) {
            return false;
        }
        let fields: Vec<Vec<String>> = self.fields_written(used.at).iter().map(|field| words(field)).collect();
        let appointed = fields.iter().flatten().any(|word| APPOINTED.contains(&word.as_str()));
        let says = |field: &Vec<String>| {
            field.last().is_some_and(|last| matches!(last.as_str(), "type" | "action" | "event" | "kind" | "step"))
        };
        let named = words(&table);
        let happenings = named.len() > 1 && named.last().is_some_and(|word| HAPPENINGS.contains(&word.as_str()));
        // Who came from where: a visit.
        let of_visit = |field: &&Vec<String>| field.iter().any(|word| VISITS.contains(&word.as_str()));
        let visit = fields.iter().filter(of_visit).count() >= 3;
        !appointed && (happenings && fields.iter().any(says) || visit)
    }

    /// Whether the migrations have a row of a table start something.
    fn starts_work(&self, table: Name, near: FileId) -> bool {
        let mut made = self.database().tables(&table).filter(|(history, _)| self.is_database_of(history, near));
        made.any(|(history, table)| {
            let mut own = history.triggers.iter().filter(|trigger| trigger.table == table.id);
            own.any(|trigger| !trigger.function.name.contains("updated"))
        })
    }

    /// Whether a write keeps what was just asked of somebody else, in a table that is looked into first: when the row
    /// is missing, it is asked for again.
    pub fn fills_cache(&self, used: &VendorUse) -> bool {
        let adds = match self.operation(used).map(|operation| operation.effect) {
            Some(Effect::Create) => true,
            // One that adds the row when it is missing, not one that changes the rows it picks.
            Some(Effect::Update) => !self.picks_rows(used.at),
            _ => false,
        };
        let Some(table) = self.named_table(used).filter(|_| adds) else { return false };
        let function = self.function_of(used.at);
        let facts = self.facts(used.at.file);
        let start = |at: CallRef| facts.span(facts.call(at.call).expr).start;
        let looked_into = self.uses_of_table(table, used.at.file).any(|read| {
            read.at.file == used.at.file
                && self.function_of(read.at) == function
                && start(read.at) < start(used.at)
                && self.operation(read).is_some_and(|op| matches!(op.effect, Effect::Read | Effect::List))
                && self.is_given_when_there(read.at, used.at)
        });
        looked_into && self.only_asks(function)
    }

    /// Whether a query says which rows it is about: `.eq("id", id)` behind it.
    fn picks_rows(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        self.chain(at).any(|(call, _)| match &facts.call(call.call).args[..] {
            [column, _, ..] => matches!(facts.expr(column.value), ExprKind::Text(_)),
            _ => false,
        })
    }

    /// Whether what a read gives goes out when it is there, on an arm that ends before a write.
    fn is_given_when_there(&self, read: CallRef, write: CallRef) -> bool {
        let facts = self.facts(read.file);
        let write = facts.span(facts.call(write.call).expr);
        let is_last = |given: Span| {
            facts.blocks.iter().enumerate().any(|(id, block)| {
                matches!(block.kind, BlockKind::Then(_))
                    && block.span.contains(given)
                    && block.span.end <= write.start
                    && matches!(ending(facts, BlockId(id as u32)), Ending::Returns(Some(_)))
            })
        };
        self.looks(read).iter().any(|look| {
            look.at.file == read.file
                && look.part.first().is_none_or(|part| !part.starts_with("error"))
                && matches!(look.deed, Deed::Given(_) | Deed::Handed | Deed::Used)
                && is_last(facts.span(look.at.expr))
        })
    }

    /// Whether a function, with what it calls, asks others for something and changes nothing at theirs.
    fn only_asks(&self, function: crate::program::FunctionRef) -> bool {
        let called = self.calls_in(function).flat_map(|call| self.edges(call));
        let mut functions = vec![function];
        functions.extend(called.filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target));
        functions.sort_unstable();
        functions.dedup();
        let mut asks = false;
        for call in functions.into_iter().flat_map(|function| self.calls_in(function)) {
            let uses = self.vendors_at(call);
            for used in uses.iter().filter(|used| !self.catalogue.vendor(used.vendor).own_backend) {
                match self.operation(used).map(|operation| operation.effect) {
                    Some(Effect::Read | Effect::List | Effect::Generate) => asks = true,
                    Some(Effect::Verify | Effect::Local | Effect::Track | Effect::Sign | Effect::Token) => {}
                    _ => return false,
                }
            }
            let gets = |method: Option<Name>| method.is_none_or(|method| method == "GET");
            asks |= uses.is_empty() && self.requests_at(call).iter().any(|http| gets(http.method));
        }
        asks
    }

    /// Whether a write only keeps times, counts and states of work: `last_used_at`, `login_count`, `sync_status`; or
    /// an access token, which is fetched anew when it is old; or says that something failed. So do functions of the
    /// database that only tidy up or write down.
    pub fn is_bookkeeping(&self, used: &VendorUse) -> bool {
        let facts = self.facts(used.at.file);
        if let Some(ExprKind::Text(name)) = facts.call(used.at.call).args.first().map(|arg| facts.expr(arg.value))
            && facts.last_name(facts.call(used.at.call).callee).is_some_and(|callee| callee == "rpc")
        {
            // `rpc("cleanup_old_backups")`, `rpc("record_cron_job_started")`, `rpc("increment_view_count")`
            let words = words(name);
            let first = words.first().map_or("", String::as_str);
            let counts =
                words.iter().any(|word| matches!(word.as_str(), "view" | "views" | "click" | "clicks" | "visit"));
            return matches!(first, "cleanup" | "clean" | "purge" | "prune" | "vacuum" | "log" | "track")
                || first == "record" && words.iter().any(|word| matches!(word.as_str(), "cron" | "job" | "run"))
                || first == "increment" && counts;
        }
        let Some(ExprKind::Object(entries)) = facts.call(used.at.call).args.first().map(|arg| facts.expr(arg.value))
        else {
            return false;
        };
        let keys: Vec<Vec<String>> = entries.iter().map(|(key, _)| words(key)).collect();
        let has = |key: &[String], word: &str| key.iter().any(|own| own == word);
        let is_token = |key: &Vec<String>| has(key, "access") && has(key, "token");
        let caches_token = keys.iter().any(is_token);
        let minor = |key: &Vec<String>| {
            let last = key.last().map_or("", String::as_str);
            let of_token = is_token(key)
                || key.iter().any(|word| matches!(word.as_str(), "expires" | "expiry" | "expiration"))
                || has(key, "scope")
                || last == "type" && has(key, "token");
            key.iter().any(|word| matches!(word.as_str(), "last" | "count" | "counter" | "views" | "hits"))
                || has(key, "sync")
                    && matches!(last, "status" | "state" | "at" | "error" | "message" | "token" | "cursor")
                || matches!(key.as_slice(), [first, second] if first == "updated" && second == "at")
                || matches!(key.as_slice(), [first, ..] if first == "error" || first == "synced")
                || last == "at"
                    && key.iter().any(|word| matches!(word.as_str(), "accessed" | "used" | "seen" | "checked"))
                || caches_token && of_token
        };
        let tells_failure = |(key, value): &(Name, ExprId)| {
            let key = words(key);
            let of_failure = key.iter().any(|word| matches!(word.as_str(), "error" | "failure" | "failed"));
            let told = key.len() == 1 && key[0] == "error"
                || key.len() > 1 && matches!(key.last().map(String::as_str), Some("message" | "reason" | "text"));
            of_failure && told && !self.may_be_nothing(used, *value)
        };
        !keys.is_empty() && keys.iter().all(minor) || entries.iter().any(tells_failure)
    }

    /// Whether a value is nothing, or may be: `null`, `failed ? text : null`.
    fn may_be_nothing(&self, used: &VendorUse, value: ExprId) -> bool {
        match self.facts(used.at.file).expr(value) {
            ExprKind::Null | ExprKind::Bool(_) => true,
            ExprKind::Text(text) => text.is_empty(),
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => {
                parts.iter().any(|&part| self.may_be_nothing(used, part))
            }
            ExprKind::Ref(name, _) => *name == "undefined",
            _ => false,
        }
    }
}
