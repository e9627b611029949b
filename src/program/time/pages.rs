//! Lists of which only the first page is read, and used as if it were everything.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Effect, Seg, VendorId};
use crate::facts::{Arg, BlockKind, ExprId, ExprKind, Facts, Span};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, ExprRef, External, Program, Value, Via};

use taken::Taken;

mod taken;

/// A first page that is used as if it were everything.
#[derive(Debug, Clone)]
pub struct FirstPage {
    /// The call that lists.
    pub at: CallRef,
    /// Whose list it is.
    pub vendor: VendorId,
    /// The call's name in messages.
    pub name: String,
    /// Where it is used.
    pub used: Place,
    /// It is a query of the app's own backend, which gives a thousand rows at most.
    pub own: bool,
    /// How many it gives, where that is known.
    pub first: Option<u32>,
    /// How many rows a query of the app's own backend asks for, where that is more than it gives.
    pub wanted: Option<u32>,
    /// What is listed grows with the app's customers: they themselves, or what they do.
    pub grows: bool,
    /// It is added up, or counted.
    pub adds_up: bool,
    /// Nothing but how many there are is asked.
    pub counts: bool,
    /// One of them is looked for.
    pub looks_up: bool,
    /// How one page is asked for, in the language of the call.
    pub page_of: Option<String>,
}

/// Words of tables that grow with the app's customers; settings, rules and plans stay few.
const GROWING: &[&str] = &[
    "user",
    "users",
    "profile",
    "profiles",
    "member",
    "members",
    "employee",
    "employees",
    "customer",
    "customers",
    "contact",
    "contacts",
    "client",
    "clients",
    "subscriber",
    "subscribers",
    "lead",
    "leads",
    "patient",
    "patients",
    "student",
    "students",
    "guest",
    "guests",
    "attendee",
    "attendees",
    "people",
    "recipient",
    "recipients",
    "order",
    "orders",
    "booking",
    "bookings",
    "appointment",
    "appointments",
    "reservation",
    "reservations",
    "invoice",
    "invoices",
    "payment",
    "payments",
    "transaction",
    "transactions",
    "charge",
    "charges",
    "sale",
    "sales",
    "expense",
    "expenses",
    "job",
    "jobs",
    "ticket",
    "tickets",
    "message",
    "messages",
    "visit",
    "visits",
    "application",
    "applications",
    "registration",
    "registrations",
    "enrollment",
    "enrollments",
    "donation",
    "donations",
    "subscription",
    "subscriptions",
    "waitlist",
    "newsletter",
    "participants",
    "participant",
];

/// Names that say how large a page is.
const SIZES: &[&str] = &["limit", "pageSize", "page_size", "perPage", "per_page"];

/// Names that say where a page begins or that another follows.
const PAGING: &[&str] = &[
    "starting_after",
    "startingAfter",
    "ending_before",
    "page",
    "cursor",
    "offset",
    "after",
    "start_cursor",
    "page_token",
    "pageToken",
    "pageSize",
    "perPage",
    "per_page",
    "skip",
    "has_more",
    "hasMore",
    "hasNextPage",
    "nextPage",
    "next_page",
    "nextPageToken",
    "next_page_token",
    "next_cursor",
    "nextCursor",
    "autoPagingEach",
    "autoPagingToArray",
    "auto_paging_iter",
    "paging",
    "range",
];

/// Options of a list that do not narrow it to what belongs to one thing.
const BROAD: &[&str] = &["limit", "active", "status", "type", "expand", "created", "currency", "sort", "order"];

/// How many rows a query of the app's own backend gives at most, whatever it asks for.
const MOST_ROWS: f64 = 1000.0;

/// Calls of a query that say how many rows it gives.
const BOUNDS: &[&str] = &["limit", "range", "single", "maybeSingle", "maybe_single", "csv", "count"];

/// Words of columns that part a table by customers of the app: their rows grow without end too.
const TENANTS: &[&str] = &[
    "organization",
    "organisation",
    "org",
    "company",
    "tenant",
    "workspace",
    "business",
    "team",
    "account",
    "shop",
    "store",
];

/// Words of columns that say what is still to be done: what is left over comes with the next run.
const STATES: &[&str] = &[
    "status",
    "state",
    "sent",
    "processed",
    "pending",
    "notified",
    "due",
    "synced",
    "delivered",
    "attempts",
    "retry",
    "scheduled",
    "next",
    "queued",
    "reminded",
    "reminder",
];

/// A call that lists.
#[derive(Clone, Copy)]
struct Listed<'p> {
    vendor: VendorId,
    name: &'p str,
    /// It is a query of rows.
    is_query: bool,
    /// How many it gives when nothing says which page.
    first: Option<u32>,
}

impl Program {
    /// The lists of deployed server code of which the first page is used as if it were everything.
    pub fn first_pages(&self) -> Vec<FirstPage> {
        let mut lists: FxHashMap<FileId, FxHashMap<CallRef, Listed<'_>>> = FxHashMap::default();
        for used in self.vendor_uses() {
            let operation = self.operation(used);
            let effect = operation.map(|operation| operation.effect);
            let first = operation.and_then(|operation| operation.first_page);
            let is_query = used.name.ends_with(".select");
            let lists_many = effect == Some(Effect::List) && operation.is_none_or(|operation| !operation.whole)
                || is_query && effect == Some(Effect::Read);
            if lists_many && matches!(used.via, Via::Sdk(..)) && self.runs_on_server(used.at.file) {
                lists
                    .entry(used.at.file)
                    .or_default()
                    .insert(used.at, Listed { vendor: used.vendor, name: &used.name, is_query, first });
            }
        }
        let mut found = Vec::new();
        let mut files: Vec<FileId> = lists.keys().copied().collect();
        files.sort_unstable();
        for file in files {
            let facts = self.facts(file);
            let taken = self.taken_whole(file, facts);
            let site = |value: &Value| {
                let mut externals = value.externals();
                externals.find_map(|external| external.sites.iter().find(|at| lists[&file].contains_key(at)).copied())
            };
            // Where something is sent for each row, that is what they are asked for: how many they were is told beside it.
            let sent_for: FxHashMap<CallRef, Span> = taken
                .iter()
                .filter(|(.., taken)| taken.sends)
                .filter_map(|&(list, used, _)| Some((site(&self.value(ExprRef::new(file, list)))?, used)))
                .collect();
            // What is gone through besides is not counted alone.
            let through: FxHashSet<CallRef> = taken
                .iter()
                .filter(|(.., taken)| !taken.counts)
                .filter_map(|&(list, ..)| site(&self.value(ExprRef::new(file, list))))
                .collect();
            for (list, mut used, mut taken) in taken {
                let value = self.value(ExprRef::new(file, list));
                let known = value.externals().find_map(|external| {
                    let at = external.sites.iter().find(|site| lists[&file].contains_key(site))?;
                    Some((external, *at, lists[&file][at]))
                });
                let Some((external, at, Listed { vendor, name, is_query, first })) = known else { continue };
                if taken.adds_up
                    && is_query
                    && let Some(&span) = sent_for.get(&at)
                {
                    (used, taken.sends_beside) = (span, true);
                }
                taken.counts &= !through.contains(&at);
                let backend = self.catalogue.vendor(vendor).own_backend;
                if backend && !is_query && first.is_none() {
                    continue;
                }
                // Some of the backend's own lists (`auth.admin.listUsers`) come in pages like any vendor's.
                let own = backend && is_query;
                let wanted = if own { wanted(self, external) } else { None };
                let grows = match own {
                    // A query would rather ask for them: what else is done with its rows says more.
                    true if taken.picks => None,
                    true if (taken.sends
                        || taken.adds_up
                        || taken.exports
                        || wanted.is_some()
                        || !taken.counts && self.is_in_job(at))
                        && !self.is_asked_by_role(at) =>
                    {
                        unbounded(self, external, taken, wanted.is_some())
                    }
                    true => None,
                    false => self.is_first_page(at, external, facts, taken.looks_up).then_some(true),
                };
                let first = self.page_size(at).map(|size| size as u32).or(first);
                let page_of = self.vendors_at(at).iter().find_map(|used| self.operation(used)?.page_of.as_ref());
                let page_of = page_of.map(|page| if facts.language.is_script() { &page.script } else { &page.python });
                if let Some(grows) = grows {
                    let used = Place { file, span: used };
                    found.push(FirstPage {
                        at,
                        vendor,
                        name: name.to_owned(),
                        used,
                        own,
                        first,
                        wanted,
                        grows,
                        adds_up: taken.adds_up && !taken.sends_beside,
                        counts: taken.counts && !taken.sends_beside,
                        looks_up: taken.looks_up,
                        page_of: page_of.cloned(),
                    });
                }
            }
        }
        found.sort_by_key(|page| (page.at, page.used));
        found.dedup_by_key(|page| page.at);
        found
    }

    /// Whether the clock or a queue starts what a call stands in.
    fn is_in_job(&self, at: CallRef) -> bool {
        let function = self.function_of(at);
        let scheduled = self.schedules().iter().any(|schedule| schedule.runs.contains(&function));
        let started = |kind: EntryKind| matches!(kind, EntryKind::Job | EntryKind::Worker);
        scheduled || self.origins(function).iter().any(|origin| started(self.entries[origin.entry].kind))
    }

    /// Whether what starts a query of a table changes or deletes rows of it too, so that the next run finds others.
    fn is_worked_off(&self, table: Name, query: CallRef) -> bool {
        let entries = |at: CallRef| -> Vec<usize> { self.origins_of(at).iter().map(|origin| origin.entry).collect() };
        let own = entries(query);
        self.uses_of_table(table, query.file).any(|used| {
            let changes = self
                .operation(used)
                .is_some_and(|operation| matches!(operation.effect, Effect::Update | Effect::Delete | Effect::Create));
            changes && (used.at.file == query.file || entries(used.at).iter().any(|entry| own.contains(entry)))
        })
    }

    /// Whether a vendor's list is asked for as a whole and only its first page comes. Where one is looked for, a page of
    /// a given size is not limited on purpose: the one that is meant may stand on the next.
    fn is_first_page(&self, at: CallRef, external: &External, facts: &Facts, looks_up: bool) -> bool {
        // An object that gives its pages by itself has no part that holds the first one.
        if !has_part_after(external, at) && facts.language.is_script() {
            return false;
        }
        let names_paging = |name: &str| PAGING.contains(&name);
        if external.segs.iter().any(|seg| matches!(seg, Seg::Member(name) if names_paging(name))) {
            return false;
        }
        let around = facts.function(self.function_of(at).function).span;
        // `{ page: 1, perPage: 1000 }`: always the same page.
        let number = |value: ExprId| matches!(facts.expr(value), ExprKind::Number(_));
        let args = &facts.call(at.call).args;
        let is_own = |object: ExprId| looks_up && args.iter().any(|arg| arg.name.is_none() && arg.value == object);
        let others = self.loops_of_others(at, facts);
        let pages = facts.exprs.iter().enumerate().any(|(id, expr)| {
            around.contains(expr.span)
                && !others.iter().any(|other| other.contains(expr.span))
                && match &expr.kind {
                    ExprKind::Member(_, name) | ExprKind::Text(name) => names_paging(name),
                    ExprKind::Object(entries) => {
                        let own = is_own(ExprId(id as u32));
                        entries.iter().any(|&(key, value)| names_paging(&key) && !(own && number(value)))
                    }
                    _ => false,
                }
        });
        let paged = |arg: &Arg| arg.name.is_some_and(|name| names_paging(&name)) && !(looks_up && number(arg.value));
        if pages || args.iter().any(paged) {
            return false;
        }
        let few = SIZES.iter().any(|size| match self.option(at, size) {
            // Of one that is given whatever it is, a search finds the one that is meant by luck alone.
            Lookup::Present(Value::Number(size)) if looks_up => size < 10.0 && size != 1.0,
            Lookup::Present(Value::Number(size)) => size < 50.0,
            Lookup::Present(_) | Lookup::Unknown => true,
            Lookup::Absent => false,
        });
        !few && !self.is_narrowed(at)
    }

    /// The loops beside a call that go through the pages of another list.
    fn loops_of_others(&self, at: CallRef, facts: &Facts) -> Vec<Span> {
        let name = self.vendors_at(at).first().map(|used| used.name.clone());
        let start = facts.span(facts.call(at.call).expr);
        let function = self.function_of(at);
        let calls: Vec<CallRef> = self.calls_in(function).collect();
        let goes_through = |span: Span| {
            let mut listed = calls.iter().filter(|&&other| span.contains(facts.span(facts.call(other.call).expr)));
            let uses = listed.by_ref().flat_map(|&other| self.vendors_at(other));
            let mut names =
                uses.filter(|used| self.operation(used).is_some_and(|op| op.effect == Effect::List)).peekable();
            names.peek().is_some() && names.all(|used| name.as_ref().is_some_and(|name| *name != used.name))
        };
        let loops = facts.blocks.iter().filter(|block| {
            matches!(block.kind, BlockKind::Loop(_))
                && block.function == function.function
                && !block.span.contains(start)
        });
        loops.map(|block| block.span).filter(|span| goes_through(*span)).collect()
    }

    /// How many a call asks for at a time, where it says a number.
    fn page_size(&self, at: CallRef) -> Option<f64> {
        SIZES.iter().find_map(|size| match self.option(at, size) {
            Lookup::Present(Value::Number(size)) if size >= 1.0 => Some(size),
            _ => None,
        })
    }

    /// Whether a list is asked for of one thing alone: a customer's, a subscription's.
    fn is_narrowed(&self, at: CallRef) -> bool {
        let broad = |name: &str| BROAD.contains(&name) || SIZES.contains(&name) || name == "page";
        self.facts(at.file).call(at.call).args.iter().any(|arg| match arg.name {
            Some(name) => !broad(&name),
            None => match self.value(ExprRef::new(at.file, arg.value)) {
                Value::Object(object) => match self.facts(object.file).expr(object.expr) {
                    ExprKind::Object(entries) => entries.iter().any(|(key, _)| !broad(key)),
                    _ => true,
                },
                _ => true,
            },
        })
    }
}

/// Whether a part of what a call gives is taken, that is no call itself: `list().data`, `list().data.filter(..)`.
fn has_part_after(external: &External, at: CallRef) -> bool {
    let Some(site) = external.sites.iter().position(|site| *site == at) else { return false };
    let calls = external.segs.iter().enumerate().filter(|(_, seg)| matches!(seg, Seg::Call | Seg::New));
    let Some((called, _)) = calls.into_iter().nth(site) else { return false };
    let after = &external.segs[called + 1..];
    after.iter().enumerate().any(|(index, seg)| {
        matches!(seg, Seg::Member(_)) && !matches!(after.get(index + 1), Some(Seg::Call | Seg::New))
    })
}

/// How many rows a query asks for, where they are more than are given: `limit(10000)`.
fn wanted(program: &Program, external: &External) -> Option<u32> {
    external.sites.iter().find_map(|&site| {
        let facts = program.facts(site.file);
        let call = facts.call(site.call);
        let [rows] = &call.args[..] else { return None };
        let limits = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if name == "limit");
        match program.value(ExprRef::new(site.file, rows.value)) {
            Value::Number(rows) if limits && rows > MOST_ROWS => Some(rows as u32),
            _ => None,
        }
    })
}

/// Whether the table of a query grows with the app's customers; none when the query gives few rows: it has a bound, or
/// a filter that leaves few. Who asks for more rows than are given (`beyond`) expects them, whatever the filter.
fn unbounded(program: &Program, external: &External, taken: Taken, beyond: bool) -> Option<bool> {
    // What follows the rows themselves is no part of the query: `data.filter(..)`.
    let is_call = |seg: &Seg| !matches!(seg, Seg::Member(_));
    let end = external.segs.iter().position(|seg| matches!(seg, Seg::Member(name) if *name == "data"));
    let (query, after) = external.segs.split_at(end.unwrap_or(external.segs.len()));
    let mut sites = external.sites.iter().rev().skip(after.iter().filter(|seg| is_call(seg)).count());
    let mut called = false;
    let (mut selects, mut grows, mut of) = (None, false, None);
    // Columns of time that have an upper end alone.
    let mut before: Vec<Name> = vec![];
    // A sum over what came since some moment.
    let mut since = false;
    for seg in query.iter().rev() {
        match seg {
            Seg::Call | Seg::New => called = true,
            Seg::Member(name) if called => {
                called = false;
                let Some(&site) = sites.next() else { break };
                if BOUNDS.contains(&name.as_str()) && !(beyond && name == "limit") {
                    return None;
                }
                let args = &program.facts(site.file).call(site.call).args;
                let first = args.first().and_then(|arg| program.value(ExprRef::new(site.file, arg.value)).text());
                let values = || args.get(1).map_or(vec![], |arg| texts(program, ExprRef::new(site.file, arg.value)));
                match name.as_str() {
                    "select" => selects = Some(site),
                    "is" | "is_" if first.is_some_and(|column| is_out_of_sight(&column)) => {}
                    "eq" | "in" | "in_" if taken.adds_up && is_ended(&values()) => {}
                    "not" if taken.adds_up && first.is_some_and(|column| is_time_alone(&column)) => {}
                    "gt" | "gte" if taken.adds_up && first.is_some_and(|column| is_time_alone(&column)) => {
                        since |= values().is_empty();
                    }
                    "lt" | "lte" if first.is_some_and(|column| is_time_alone(&column)) => before.extend(first),
                    "eq" | "in" | "in_" | "is" | "is_" | "match" | "or" | "or_" | "not" | "lt" | "lte" | "gt"
                    | "gte" | "contains" | "filter"
                        if first.is_none_or(|column| if beyond { waits(&column) } else { leaves_few(&column) }) =>
                    {
                        return None;
                    }
                    "from" | "from_" | "table" => {
                        of = first;
                        grows = first
                            .is_some_and(|table| words(&table).iter().any(|word| GROWING.contains(&word.as_str())));
                    }
                    _ => {}
                }
            }
            Seg::Member(_) => {}
        }
    }
    // Not where the client is made, which everything leads to.
    let asked = selects?;
    let in_parts = !before.is_empty() || taken.sends_beside;
    if in_parts && of.is_none_or(|table| program.is_worked_off(table, asked)) {
        return None;
    }
    Some(grows && !since)
}

/// The texts that a value may be, or that it lists.
fn texts(program: &Program, at: ExprRef) -> Vec<Name> {
    match program.facts(at.file).expr(at.expr) {
        ExprKind::List(items) => items.iter().flat_map(|&item| texts(program, ExprRef::new(at.file, item))).collect(),
        _ => program.value(at).alternatives().iter().filter_map(Value::text).collect(),
    }
}

/// Whether rows have come to where they stay, by the values that are asked for: they only ever grow in number.
fn is_ended(values: &[Name]) -> bool {
    const ENDED: &[&str] = &[
        "paid",
        "complete",
        "completed",
        "succeeded",
        "success",
        "successful",
        "confirmed",
        "delivered",
        "approved",
        "active",
        "sold",
        "done",
        "settled",
        "closed",
        "captured",
    ];
    let is = |value: &Name| ENDED.contains(&value.to_ascii_lowercase().as_str());
    values.iter().any(is)
}

/// Whether a column says that a row was taken out of sight: all the others are asked for.
fn is_out_of_sight(column: &str) -> bool {
    words(column)
        .iter()
        .any(|word| matches!(word.as_str(), "deleted" | "archived" | "removed" | "cancelled" | "canceled"))
}

/// Whether a column says nothing but when: all that is older than a moment only ever grows in number.
fn is_time_alone(column: &str) -> bool {
    let column = column.rsplit('.').next().unwrap_or(column);
    let words = words(column);
    let timed = words.iter().any(|word| matches!(word.as_str(), "date" | "day" | "at" | "time" | "until"));
    (timed || is_end_of_span(&words)) && !words.iter().any(|word| STATES.contains(&word.as_str()))
}

/// Whether a column says what is still to be done.
fn waits(column: &str) -> bool {
    let column = column.rsplit('.').next().unwrap_or(column);
    words(column).iter().any(|word| STATES.contains(&word.as_str()))
}

/// Whether a filter on a column leaves few rows, or what is left over comes next time.
fn leaves_few(column: &str) -> bool {
    let column = column.rsplit('.').next().unwrap_or(column);
    let words = words(column);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    if has(TENANTS) {
        return false;
    }
    has(STATES) || has(&["id", "uuid", "email", "slug", "token", "code", "phone", "key", "date", "day", "at", "time"])
}

/// Whether a column says when something begins or ends: `period_start`, `valid_from`.
fn is_end_of_span(words: &[String]) -> bool {
    words.last().is_some_and(|word| {
        matches!(word.as_str(), "start" | "starts" | "begin" | "begins" | "end" | "ends" | "from" | "created" | "month")
    })
}
