//! Grants: writes by which the app gives what customers pay for, and whether anybody asked the vendor before.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, KnownRole, VendorId};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::money::payment_forms::AfterForm;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

mod asked;
pub mod assumed;
mod free;
pub mod loose;
mod picked;
mod skipped;
mod statements;
mod told;
mod words;

use asked::Asks;

use words::{ACCOUNTS, FREE, HELD, NOT_YET, OTHER_ROWS, PAID};

/// How a write gives what is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A paid state that the code says: `is_premium: true`, `plan: "pro"`.
    Fixed,
    /// A plan that somebody chose: `plan: body.plan`.
    Chosen,
    /// More of something: `credits: credits + 100`.
    Counted,
    /// An order that is over: `status: "completed"`. Of a kitchen that may say that it is cooked.
    Done,
    /// What is left in a wallet: `balance: balance - price`.
    Left,
    /// A function of the database whose name says it: `rpc("activate_plan")`.
    Called,
    /// The state that the address of a page says: `status: req.query.status`.
    Told,
}

/// A write that gives what customers pay for.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The write, or what is assigned.
    pub at: ExprRef,
    /// The function that does it.
    pub function: FunctionRef,
    /// The block it stands in.
    pub block: BlockId,
    /// The field, or the function of the database.
    pub field: Name,
    /// The value it gets; the call itself where a function is called.
    pub value: ExprId,
    /// How.
    pub given: Given,
    /// Whose payment form in the browser says before it that somebody has paid.
    pub after: Option<VendorId>,
    /// The word of the request by which one function both starts a payment and gives this: `action === "confirm"`.
    pub picked: Option<Name>,
    /// Whether the same write says of a tenant that the chosen plan runs: `subscription_status: "active"`.
    pub runs: bool,
}

impl Program {
    /// The vendors that the apps take payments by, and where: uses first.
    fn takers(&self) -> impl Iterator<Item = (VendorId, FileId)> {
        let uses = self.vendor_uses().iter().map(|used| (used.vendor, used.at.file));
        let clients = self.clients().iter().map(|made| (made.vendor, made.at.file));
        uses.chain(clients).filter(|(vendor, _)| self.catalogue.vendor(*vendor).category == Category::Payments)
    }

    /// The vendor that the app takes payments by which a file is part of.
    pub fn payment_vendor(&self, near: FileId) -> Option<VendorId> {
        self.takers().find(|&(_, file)| self.share_app(file, near)).map(|(vendor, _)| vendor)
    }

    /// The vendor of payments that the function of a grant asks, itself or by what it makes run; and the handler on the
    /// way there, where it asks by a request to the app's own server.
    pub fn vendor_asked(&self, grant: &Grant) -> Option<(VendorId, Option<FunctionRef>)> {
        let reach = self.reach(grant.function, |edge| edge.kind != EdgeKind::Deferred);
        reach.stops.iter().enumerate().find_map(|(at, stop)| {
            let mut used = self.calls_in(stop.function).flat_map(|at| self.vendors_at(at)).map(|used| used.vendor);
            let vendor = used.find(|&vendor| self.catalogue.vendor(vendor).category == Category::Payments)?;
            let jump = reach.way(at).into_iter().find(|edge| edge.kind == EdgeKind::Jump);
            Some((vendor, jump.map(|edge| edge.target)))
        })
    }

    /// Every write that gives what customers pay for, in deployed code.
    pub fn grants(&self) -> Vec<Grant> {
        let mut takers: Vec<FileId> = self.takers().map(|(_, file)| file).collect();
        let after_forms = self.after_forms();
        takers.extend(after_forms.keys().map(|function| function.file));
        takers.sort_unstable();
        takers.dedup();
        let mut found = Vec::new();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead {
                continue;
            }
            let takes_payments = takers.iter().any(|&taker| self.share_app(taker, file));
            self.granting_calls(file, facts, takes_payments, &after_forms, &mut found);
            if takes_payments && self.runs_on_server(file) {
                self.granting_puts(file, facts, &mut found);
            }
        }
        found.retain(|grant| !self.costs_nothing(grant));
        found.sort_by_key(|grant| (grant.at.file, self.facts(grant.at.file).span(grant.at.expr).start));
        found
    }

    fn granting_calls(
        &self,
        file: FileId,
        facts: &Facts,
        takes_payments: bool,
        after_forms: &AfterForm,
        found: &mut Vec<Grant>,
    ) {
        let side = self.side(file);
        for at in self.calls_of(file) {
            let call = facts.call(at.call);
            let (ExprKind::Member(_, name) | ExprKind::Ref(name, _)) = facts.expr(call.callee) else { continue };
            let function = self.function_of(at);
            let picked = self.picked(function, call.block);
            let grant = |field, value, given| Grant {
                at: ExprRef::new(file, call.expr),
                function,
                block: call.block,
                field,
                value,
                given,
                after: after_forms.get(&function).copied(),
                picked,
                runs: false,
            };
            if let Some(named) = self.database_function(at).filter(|named| says_grant(named)) {
                found.push(grant(named, call.expr, Given::Called));
                continue;
            }
            if !takes_payments {
                continue;
            }
            if let Some((field, value, given)) = self.granting_statement(at, name) {
                found.push(grant(field, value, given));
                continue;
            }
            // A form is handed what it shows.
            let is_form = || ["Form", "Serializer", "Schema"].iter().any(|end| name.ends_with(end));
            let is_model = !facts.language.is_script()
                && !is_form()
                && name.starts_with(|first: char| first.is_ascii_uppercase())
                && call.args.iter().any(|arg| arg.name.is_some())
                && self.keeps(facts, function, true);
            let rows: Vec<(Name, ExprId)> = match is_model {
                true => call.args.iter().filter_map(|arg| Some((arg.name?, arg.value))).collect(),
                // `Order.objects.filter(id=order_id).update(status="paid")`
                false if *name == "update" && queried(facts, call.callee, 8).is_some() => {
                    call.args.iter().filter_map(|arg| Some((arg.name?, arg.value))).collect()
                }
                false if self.is_write(at, name) => {
                    call.args.iter().flat_map(|arg| row_of(facts, arg.value, 5)).collect()
                }
                false => continue,
            };
            let of_model = || queried(facts, call.callee, 8);
            let row =
                if is_model { Some(*name) } else { self.built_on(at).or_else(|| self.table_of(at)).or_else(of_model) };
            if let Some(&(field, value)) =
                rows.iter().find(|&&(field, value)| told::by_address(facts, row, &field, value))
                && self.runs_on_server(file)
            {
                found.push(grant(field, value, Given::Told));
                continue;
            }
            // After a payment form a claim is what was paid for, whatever else claims are.
            let is_other = row.is_some_and(|row| match after_forms.contains_key(&function) {
                true => is_record(&row),
                false => is_other(&row),
            });
            if is_other || is_not_yet(facts, &rows) {
                continue;
            }
            let raised = raised(facts, call.args.iter().map(|arg| arg.value));
            // What is left to pay is reckoned where whoever pays can write anything.
            let in_browser = side.client && !side.server;
            let state = |value: ExprId| match in_browser {
                true => free::given_for_nothing(facts, value).unwrap_or(value),
                false => value,
            };
            let runs = *name != "insert" && row.is_some_and(|row| picked::sets_running(facts, &row, &rows));
            let first = rows.iter().find_map(|&(field, value)| {
                let is_raised = raised.contains(&field) && words(&field).last().is_some_and(|last| last == "credits");
                let given = given(facts, row, &field, state(value)).or(is_raised.then_some(Given::Counted))?;
                // `tier` of an analysis says which one it was: only accounts have plans that open something.
                let fits = given != Given::Chosen || is_model || runs || row.is_some_and(|row| is_account(&row));
                // What is switched on is what nobody pays for.
                let fits = fits && !(given == Given::Fixed && is_free(facts, &rows));
                fits.then_some((field, value, given))
            });
            let first =
                first.or_else(|| skipped::chosen_id(facts, &rows).filter(|_| row.is_some_and(|row| is_account(&row))));
            // Whatever it is called, more of it is given by the word that confirms a purchase.
            let first = first.or_else(|| {
                let more = rows.iter().find(|(field, value)| picked::counts_up(facts, field, *value));
                more.filter(|_| picked.is_some()).map(|&(field, value)| (field, value, Given::Counted))
            });
            found.extend(first.map(|(field, value, given)| Grant { runs, ..grant(field, value, given) }));
        }
    }

    fn granting_puts(&self, file: FileId, facts: &Facts, found: &mut Vec<Grant>) {
        for (index, block) in facts.blocks.iter().enumerate() {
            let function = FunctionRef::new(file, block.function);
            for step in &block.steps {
                let Step::Assign(target, value) = step else { continue };
                let ExprKind::Member(base, field) = facts.expr(*target) else { continue };
                let ExprKind::Ref(row, _) = facts.expr(*base) else { continue };
                let told = told::by_address(facts, Some(*row), field, *value).then_some(Given::Told);
                if *row == "session" || told.is_none() && is_other(row) {
                    continue;
                }
                let (at, block) = (ExprRef::new(file, *target), BlockId(index as u32));
                let picked = self.picked(function, block);
                let more = || picked.filter(|_| picked::counts_up(facts, field, *value)).map(|_| Given::Counted);
                let given = told.or_else(|| given(facts, Some(*row), field, *value)).or_else(more);
                let Some(given) = given else { continue };
                if self.keeps(facts, function, false) {
                    let (field, value) = (*field, *value);
                    found.push(Grant { at, function, block, field, value, given, after: None, picked, runs: false });
                }
            }
        }
    }

    /// Whether a function keeps what it puts into rows: `db.session.commit()`, `user.save()`.
    pub(crate) fn keeps(&self, facts: &Facts, function: FunctionRef, is_new: bool) -> bool {
        self.calls_in(function).any(|at| {
            matches!(facts.expr(facts.call(at.call).callee), ExprKind::Member(_, name)
                if matches!(name.as_str(), "commit" | "save") || is_new && *name == "add_all")
        })
    }

    fn is_write(&self, at: CallRef, name: &str) -> bool {
        const SURE: &[&str] =
            &["findByIdAndUpdate", "findOneAndUpdate", "updateOne", "update_one", "find_one_and_update", "updateDoc"];
        const MAYBE: &[&str] = &["update", "upsert", "insert", "create", "set", "values", "setDoc", "updateMany"];
        if SURE.contains(&name) {
            return true;
        }
        MAYBE.contains(&name)
            && (self.has_role(at, KnownRole::Write)
                || self.chain(at).any(|(outer, _)| self.has_role(outer, KnownRole::Write))
                || self.built_on(at).is_some()
                || self.vendors_at(at).iter().any(|used| {
                    self.catalogue.vendor(used.vendor).own_backend
                        && self
                            .operation(used)
                            .is_some_and(|operation| matches!(operation.effect, Effect::Create | Effect::Update))
                }))
    }

    /// The table of a query that is built up: `update(users).set(..)`.
    fn built_on(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        let ExprKind::Member(base, _) = *facts.expr(facts.call(at.call).callee) else { return None };
        let ExprKind::Call(inner) = *facts.expr(base) else { return None };
        let table = facts.call(inner).args.first()?.value;
        let writes = self.has_role(CallRef::new(at.file, inner), KnownRole::Write);
        matches!(facts.expr(table), ExprKind::Ref(..) | ExprKind::Member(..)).then_some(())?;
        facts.last_name(table).filter(|_| writes)
    }

    /// Whether a value is made of what the request of a function says, as far as its own function shows.
    pub fn is_chosen_by_request(&self, grant: &Grant) -> bool {
        from_request(self.facts(grant.at.file), grant.value, 12)
    }
}

/// Whether the name of a function of the database says that it gives what is paid for.
fn says_grant(name: &str) -> bool {
    let words = words(name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    has(&["activate", "upgrade", "grant"])
        && has(&["plan", "subscription", "premium", "membership", "package", "pro"])
        && !has(&["trial", "free", "admin", "referral", "bonus", "deactivate"])
}

fn is_other(row: &str) -> bool {
    words(row).iter().any(|word| OTHER_ROWS.contains(&word.trim_end_matches('s')))
}

pub(crate) fn is_account(row: &str) -> bool {
    let words = words(row);
    words.last().is_some_and(|last| ACCOUNTS.iter().any(|start| last.starts_with(start)))
}

/// Whether a row only keeps what happened.
fn is_record(row: &str) -> bool {
    const RECORDS: &[&str] = &["log", "event", "audit", "payment", "transaction", "history", "invoice", "receipt"];
    words(row).iter().any(|word| RECORDS.iter().any(|record| word.starts_with(record)))
}

/// Whether a row says of itself that nothing is paid yet.
fn is_not_yet(facts: &Facts, rows: &[(Name, ExprId)]) -> bool {
    let text = |value: ExprId| match facts.expr(resolved(facts, value)) {
        ExprKind::Text(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    };
    // Then its own state is how far the work is: `{ status: "scheduled", payment_status: "paid" }`.
    let says_payment = rows.iter().any(|&(key, value)| {
        let words = words(&key);
        words.len() > 1
            && words[0] == "payment"
            && words.last().is_some_and(|last| last == "status")
            && text(value).is_some_and(|text| says_paid(&text))
    });
    rows.iter().any(|&(key, value)| {
        let words = words(&key);
        let is_own = words.len() == 1 && says_payment;
        words.iter().any(|word| word == "trial" || word == "trialing")
            || words.iter().any(|word| word == "status")
                && text(value).is_some_and(|text| match is_own {
                    true => says_not_yet(&text),
                    false => !says_paid(&text) && !HELD.contains(&text.as_str()),
                })
    })
}

/// Whether a state says that something, or a first part of it, is paid for: `paid`, `deposit_paid`.
fn says_paid(text: &str) -> bool {
    let is_part = || matches!(text, "deposit_paid" | "fully_paid" | "paid_in_full" | "deposit-paid" | "deposit paid");
    PAID.contains(&text) || is_part()
}

/// Whether a state of a row says that it waits for something, money perhaps, or is over.
fn says_not_yet(text: &str) -> bool {
    const WAITS: &[&str] = &[
        "pend",
        "await",
        "unpaid",
        "unconfirm",
        "trial",
        "draft",
        "request",
        "inactive",
        "fail",
        "cancel",
        "refund",
        "hold",
    ];
    words(text).iter().any(|word| WAITS.iter().any(|start| word.starts_with(start)))
}

/// Whether a row says of itself that its plan costs nothing: `{ plan: "free_trial", status: "active" }`.
fn is_free(facts: &Facts, rows: &[(Name, ExprId)]) -> bool {
    rows.iter().any(|&(key, value)| {
        let says_plan =
            words(&key).iter().any(|word| matches!(word.as_str(), "plan" | "tier" | "package" | "subscription"));
        let is_free = |text: &str| {
            let words = words(text);
            words.iter().any(|word| matches!(word.as_str(), "free" | "trial" | "trialing" | "freemium"))
        };
        says_plan && matches!(facts.expr(resolved(facts, value)), ExprKind::Text(text) if is_free(text))
    })
}

/// The model whose rows a query of Python's commonest ORM picks: `Order` of `Order.objects.filter(id=1).update`.
fn queried(facts: &Facts, expr: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    if facts.language.is_script() {
        return None;
    }
    match *facts.expr(expr) {
        ExprKind::Member(base, name) if name == "objects" => facts.last_name(base),
        ExprKind::Member(base, _) => queried(facts, base, depth),
        ExprKind::Call(call) => queried(facts, facts.call(call).callee, depth),
        ExprKind::Ref(name, block) => match facts.lookup(block, name).map(|def| facts.def(def).values.as_slice()) {
            Some(&[only]) => queried(facts, only, depth),
            _ => None,
        },
        _ => None,
    }
}

/// The one value a name has, or the expression itself.
fn resolved(facts: &Facts, expr: ExprId) -> ExprId {
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => *only,
            _ => expr,
        },
        _ => expr,
    }
}

/// The fields of a row that a call is given.
fn row_of(facts: &Facts, expr: ExprId, depth: usize) -> Vec<(Name, ExprId)> {
    let Some(depth) = depth.checked_sub(1) else { return vec![] };
    match facts.expr(resolved(facts, expr)) {
        ExprKind::Object(entries) => entries
            .iter()
            .flat_map(|&(key, value)| match key.as_str() {
                "data" | "$set" | "$inc" | "set" | "values" | "update" => row_of(facts, value, depth),
                _ => vec![(key, value)],
            })
            .collect(),
        ExprKind::List(items) => items.iter().flat_map(|&item| row_of(facts, item, depth)).collect(),
        _ => vec![],
    }
}

/// The fields that a write raises by what stands there: `{ $inc: { credits: 5 } }`.
fn raised(facts: &Facts, args: impl Iterator<Item = ExprId>) -> Vec<Name> {
    let mut fields = Vec::new();
    for arg in args {
        let ExprKind::Object(entries) = facts.expr(resolved(facts, arg)) else { continue };
        for &(_, value) in entries.iter().filter(|(key, _)| *key == "$inc") {
            if let ExprKind::Object(inner) = facts.expr(resolved(facts, value)) {
                fields.extend(inner.iter().map(|&(field, _)| field));
            }
        }
    }
    fields
}

/// What people subscribe to without paying: `newsletter_subscribed`.
const MAILS: &[&str] = &["newsletter", "newsletters", "email", "mail", "mailing", "sms", "push", "marketing", "digest"];

/// How a value of a field gives what is paid for.
fn given(facts: &Facts, row: Option<Name>, field: &str, value: ExprId) -> Option<Given> {
    let named = words(field);
    let has = |any: &[&str]| named.iter().any(|word| any.contains(&word.as_str()));
    if has(NOT_YET) {
        return None;
    }
    let value = resolved(facts, value);
    let text = |value: ExprId| match facts.expr(value) {
        ExprKind::Text(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    };
    let of_mails = has(MAILS) || row.is_some_and(|row| words(&row).iter().any(|word| MAILS.contains(&word.as_str())));
    let is_flag = has(&["paid", "premium", "pro", "subscribed"]) && named.len() <= 2 && !has(&["amount", "count"]);
    let is_flag = is_flag && !(of_mails && has(&["subscribed"]));
    if is_flag && matches!(facts.expr(value), ExprKind::Bool(true)) {
        return Some(Given::Fixed);
    }
    if named.last().is_some_and(|last| last == "status") {
        let of_money = has(&["payment", "subscription", "plan", "billing", "membership"]);
        let of_row = row.is_some_and(|row| words(&row).iter().any(|word| word.starts_with("subscription")));
        let text = text(value)?;
        // A hold on the card is money that was promised.
        let held = has(&["payment"]) && HELD.contains(&text.as_str());
        let paid = held
            || (of_money || of_row && named.len() == 1) && says_paid(&text)
            || named.len() == 1 && (text == "paid" || text == "deposit_paid");
        let of_order = row.is_some_and(|row| {
            let starts = ["order", "purchase", "enrollment", "enrolment"];
            words(&row).iter().any(|word| starts.iter().any(|start| word.starts_with(start)))
        });
        let done = named.len() == 1 && of_order && matches!(text.as_str(), "completed" | "complete");
        // What some vendors call a payment that went through.
        let paid = paid || text == "approved" && (has(&["payment"]) || named.len() == 1 && of_order);
        return if paid { Some(Given::Fixed) } else { done.then_some(Given::Done) };
    }
    let of_wallet = row.is_some_and(|row| words(&row).iter().any(|word| word.starts_with("wallet")));
    if of_wallet && named.last().is_some_and(|last| last == "balance") {
        let counts = matches!(facts.expr(value), ExprKind::Op(Op::Add | Op::Arithmetic, _));
        return counts.then_some(Given::Left);
    }
    let is_plan = match named.as_slice() {
        [one] => matches!(one.as_str(), "plan" | "tier" | "paket" | "package"),
        [.., before, last] => {
            matches!(last.as_str(), "plan" | "tier")
                && matches!(before.as_str(), "subscription" | "current" | "user" | "membership" | "billing" | "account")
                || before == "plan" && matches!(last.as_str(), "type" | "name" | "tier")
        }
        [] => false,
    };
    if is_plan {
        return match facts.expr(value) {
            ExprKind::Text(_) => PAID.contains(&text(value)?.as_str()).then_some(Given::Fixed),
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Object(_) | ExprKind::List(_) => None,
            _ if only_free(facts, value) => None,
            _ => Some(Given::Chosen),
        };
    }
    let is_count = named.last().is_some_and(|last| last == "credits");
    let adds = match facts.expr(value) {
        ExprKind::Op(Op::Add, _) => true,
        ExprKind::Object(entries) => entries.iter().any(|(key, _)| *key == "increment"),
        _ => false,
    };
    (is_count && adds).then_some(Given::Counted)
}

/// Whether a choice ends in values that are free whichever way it goes.
fn only_free(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Op(Op::Choose, parts) => parts.iter().skip(1).all(|&part| only_free(facts, part)),
        ExprKind::Text(text) => FREE.contains(&text.to_ascii_lowercase().as_str()),
        // `Tier.FREE`, `Tier.FREE.value`
        ExprKind::Member(base, name) => match name.as_str() {
            "value" | "name" => only_free(facts, *base),
            name => FREE.contains(&name.to_ascii_lowercase().as_str()),
        },
        // `get_user_tier(user)`: what the app knows of whoever it is about.
        ExprKind::Await(inner) => only_free(facts, *inner),
        ExprKind::Call(call) => facts.last_name(facts.call(*call).callee).is_some_and(|name| {
            let words = words(&name);
            let reads =
                words.first().is_some_and(|first| matches!(first.as_str(), "get" | "current" | "fetch" | "load"));
            let of_user = words.iter().any(|word| matches!(word.as_str(), "user" | "current" | "account" | "member"));
            reads && of_user
        }),
        _ => false,
    }
}

fn from_request(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    // Nearest first, each once: values that name each other would be gone through again and again.
    let mut seen: FxHashSet<ExprId> = FxHashSet::default();
    let mut open = VecDeque::from([(expr, depth)]);
    while let Some((expr, depth)) = open.pop_front() {
        let Some(depth) = depth.checked_sub(1).filter(|_| seen.insert(expr)) else { continue };
        let mut on = |expr: ExprId| open.push_back((expr, depth));
        match facts.expr(expr) {
            ExprKind::Ref(name, _) if *name == "req" || *name == "request" => return true,
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name).map(|def| facts.def(def));
                def.into_iter().flat_map(|def| &def.values).for_each(|&value| on(value));
            }
            ExprKind::Member(base, name) => {
                let of_context = matches!(facts.expr(*base), ExprKind::Ref(holder, _) if *holder == "ctx");
                if of_context && *name == "request" {
                    return true;
                }
                on(*base);
            }
            ExprKind::Await(inner) | ExprKind::Index(inner, _) => on(*inner),
            ExprKind::Op(Op::Choose, parts) => parts.iter().skip(1).for_each(|&part| on(part)),
            ExprKind::Op(_, parts) | ExprKind::Template(parts) => parts.iter().for_each(|&part| on(part)),
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                // What a look-up in a database gives is the server's, whatever asks for it.
                let is_plain = !matches!(facts.expr(call.callee), ExprKind::Member(_, name)
                    if name.contains("find") || name.contains("select") || name.contains("query") || name.contains("eq"));
                on(call.callee);
                call.args.iter().filter(|_| is_plain).for_each(|arg| on(arg.value));
            }
            _ => {}
        }
    }
    false
}
