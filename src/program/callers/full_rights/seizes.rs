//! What gives a stranger power that is not theirs: roles, accounts, links that log in, things of value, lists of people.

use crate::catalogue::{Effect, Operation};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::callers::full_rights::rows::{GUESTS, PERSON};
use crate::program::callers::full_rights::{Pick, Touch, any_start, any_word, only_one_knows};
use crate::program::money::grants::is_account;
use crate::program::values::options::Lookup;
use crate::program::values::readers::Use;
use crate::program::values::requested::asked::Asked;
use crate::program::values::requested::{Origin, Source, outermost};
use crate::program::verify::words;
use crate::program::{CallRef, Edge, ExprRef, FunctionRef, Program, Value, VendorUse};

/// Values that say that somebody may do what customers may not.
const POWERS: &[&str] = &[
    "admin",
    "administrator",
    "superadmin",
    "superuser",
    "moderator",
    "staff",
    "administrador",
    "administrateur",
    "superadministrateur",
    "superadministrador",
    "amministratore",
];

/// Columns that say who somebody is, and that others know.
pub(super) const CONTACTS: &[&str] = &["email", "mail", "phone", "username"];

/// Words of columns that hold an address or a number of somebody.
const ADDRESSES: &[&str] = &["email", "phone"];

/// Words of columns by which somebody's own row is found.
pub(super) const OWNERS: &[&str] = &["id", "uid", "user", "userid", "email", "customer", "profile", "account", "owner"];

/// Words of tables that say who may do what.
const ROLES: &[&str] = &["role", "roles", "admin", "admins", "staff", "internal"];

/// Beginnings of words of tables whose rows are worth money.
const VALUE: &[&str] =
    &["receipt", "credit", "wallet", "balance", "reward", "entitlement", "licen", "payout", "voucher"];

/// Beginnings of words of tables that note what anybody did, or say what somebody thinks.
const NOTED: &[&str] = &[
    "histor", "usage", "metric", "activit", "audit", "search", "error", "feedback", "report", "rating", "review",
    "vote", "comment", "like", "subscri", "device", "push", "stat", "telemetr", "consent", "cache", "prefer",
    "setting", "timeline",
];

/// Beginnings of words of tables of people that nobody shows in public.
const LISTED: &[&str] = &[
    "user",
    "customer",
    "client",
    "patient",
    "student",
    "subscriber",
    "order",
    "booking",
    "reservation",
    "appointment",
    "lead",
    "waitlist",
    "registration",
    "submission",
    "inquir",
    "applicant",
    "attendee",
];

impl Program {
    /// What a call with full rights gives to a stranger, on one way to it.
    pub(super) fn seized(&self, way: &[Edge], used: &VendorUse, operation: &Operation) -> Option<Pick> {
        let sends = |part: &str| operation.http.iter().any(|form| form.contains(part));
        match operation.effect {
            Effect::Token if sends("generate_link") => self.link(way, used),
            Effect::List if sends("/admin/users") => self.all_users(way, used),
            Effect::List => self.all_rows(way, used),
            Effect::Update if sends("{id}") => self.opened(way, used),
            Effect::Create | Effect::Update if sends("/admin/users") || sends("/rpc/") => None,
            Effect::Create | Effect::Update => {
                let found = self.empowered(way, used).or_else(|| self.added(way, used, operation));
                found.or_else(|| self.rewired(way, used))
            }
            _ => None,
        }
    }

    /// A link by which whoever has it is logged in, for an address of the request.
    fn link(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let (by, value) = self.row_written(used.at).into_iter().find(|(key, _)| *key == "email")?;
        let Origin::Request(source) = self.origin_on(way, value, &[]) else { return None };
        Some(Pick { touch: Touch::TakesOver, what: Name::new("link"), by, source: Some(source) })
    }

    /// Everybody who has an account, or those whose ids the request names, unless somebody is looked for among them.
    fn all_users(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let facts = self.facts(used.at.file);
        let what = Name::new("users");
        let mut asked = None;
        for at in self.calls_in(self.function_of(used.at)) {
            let ExprKind::Member(_, name) = facts.expr(facts.call(at.call).callee) else { continue };
            match name.as_str() {
                "filter" if asked.is_none() && self.ids_asked(way, at).is_some() => asked = self.ids_asked(way, at),
                "find" | "filter" | "some" | "findIndex" | "every" | "reduce" => return None,
                _ => {}
            }
        }
        Some(match asked {
            Some(source) => Pick { touch: Touch::Reads, what, by: Name::new("id"), source: Some(source) },
            None => Pick { touch: Touch::Lists, what, by: Name::new("*"), source: None },
        })
    }

    /// The ids of the request by which a filter picks: `users.filter((user) => ids.includes(user.id))`.
    fn ids_asked(&self, way: &[Edge], filter: CallRef) -> Option<Source> {
        let facts = self.facts(filter.file);
        let asks = facts.span(facts.call(filter.call).args.first()?.value);
        self.calls_of(filter.file).map(|at| facts.call(at.call)).find_map(|inner| {
            let ExprKind::Member(base, name) = *facts.expr(inner.callee) else { return None };
            if !asks.contains(facts.span(inner.expr)) || !(name == "includes" || name == "has") {
                return None;
            }
            match self.origin_on(way, ExprRef::new(filter.file, base), &[]) {
                Origin::Request(source) => Some(source),
                _ => None,
            }
        })
    }

    /// All rows of a table, or all in one state, with the addresses or numbers of people.
    fn all_rows(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let what = self.table_of(used.at).filter(|table| any_start(table, LISTED))?;
        let facts = self.facts(used.at.file);
        let asked = facts.call(used.at.call).args.first()?;
        let asked = self.value(ExprRef::new(used.at.file, asked.value)).text()?;
        let one = self.chain(used.at).any(|(_, name)| matches!(name.as_str(), "single" | "maybeSingle"));
        let own = without_others(&asked);
        let all = own.split(',').any(|column| column.trim() == "*");
        let personal = any_word(&asked, ADDRESSES) || all && self.holds_addresses(used, what);
        if one || !personal || self.is_narrowed_later(used.at) {
            return None;
        }
        let selectors = self.selectors(used.at);
        let by = match selectors.first() {
            Some(&(by, _)) => by,
            None => Name::new("*"),
        };
        let bare = selectors.into_iter().all(|(by, value)| self.is_state(way, by, value));
        bare.then_some(Pick { touch: Touch::Lists, what, by, source: None })
    }

    /// Whether a condition leaves all rows that are as far as each other: `.eq("status", "paid")`. Rows that somebody has
    /// let everyone see are picked by one as well: `.eq("status", "published")`, `.eq("is_public", true)`.
    fn is_state(&self, way: &[Edge], by: Name, value: ExprRef) -> bool {
        const SHOWN: &[&str] = &[
            "public",
            "published",
            "visible",
            "listed",
            "shown",
            "displayed",
            "featured",
            "live",
            "active",
            "approved",
            "verified",
            "available",
            "open",
            "enabled",
        ];
        let is_state = words(&by).last().is_some_and(|last| matches!(last.as_str(), "status" | "state" | "stage"));
        match self.origin_on(way, value, &[]) {
            Origin::Constant => match self.value(value) {
                Value::Text(state) => is_state && !any_word(&state, SHOWN),
                Value::Bool(_) => !any_word(&by, SHOWN) && !any_word(&by, &["display", "show", "public"]),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a query that is kept picks its rows afterwards: `query = query.eq("id", id)`, `query.single()`. A state by
    /// which a list may be filtered picks none.
    fn is_narrowed_later(&self, at: CallRef) -> bool {
        const STATES: &[&str] = &["status", "state", "type", "category", "kind", "source", "stage", "read", "archived"];
        let facts = self.facts(at.file);
        let last = self.chain(at).last().map_or(at, |(outer, _)| outer);
        let readers = self.readers(at.file);
        let kept = readers.uses(facts.call(last.call).expr).iter().filter_map(|used| match *used {
            Use::Kept(def) => Some(def),
            _ => None,
        });
        let kept: Vec<DefId> = kept.collect();
        let around: Vec<BlockId> = facts.enclosing(facts.call(at.call).block).map(|(id, _)| id).collect();
        // `if (search) query = query.or(..)`: whoever leaves it out gets them all.
        let is_optional = |call: CallRef| {
            let mut arms = facts.enclosing(facts.call(call.call).block).take_while(|(id, _)| !around.contains(id));
            arms.any(|(id, block)| match block.kind {
                BlockKind::Then(condition) => !has_other_arm(facts, id) && is_given(facts, condition),
                _ => false,
            })
        };
        self.calls_in(self.function_of(at)).any(|call| {
            let shape = facts.call(call.call);
            let ExprKind::Member(base, name) = *facts.expr(shape.callee) else { return false };
            let on_it = matches!(facts.expr(base), ExprKind::Ref(name, block)
                if facts.lookup(*block, *name).is_some_and(|def| kept.contains(&def)));
            on_it
                && !is_optional(call)
                && match name.as_str() {
                    "single" | "maybeSingle" => true,
                    "eq" | "in" | "or" | "match" | "filter" | "contains" => {
                        !matches!(shape.args.first().map(|arg| facts.expr(arg.value)), Some(ExprKind::Text(column))
                            if words(column).last().is_some_and(|last| STATES.contains(&last.as_str())))
                    }
                    _ => false,
                }
        })
    }

    /// Whether a table holds addresses or numbers of people, as the migrations or the app's own inserts say.
    fn holds_addresses(&self, used: &VendorUse, table: Name) -> bool {
        let declared = self.tables_at(used.at);
        let mut columns = declared.iter().flat_map(|table| &table.columns);
        if !declared.is_empty() {
            return columns.any(|column| any_word(&column.name, ADDRESSES));
        }
        self.vendor_uses().iter().any(|other| {
            self.operation(other).is_some_and(|operation| operation.effect == Effect::Create)
                && self.table_of(other.at) == Some(table)
                && self.share_app(other.at.file, used.at.file)
                && self.row_written(other.at).iter().any(|(key, _)| any_word(key, ADDRESSES))
        })
    }

    /// A payment that the request names, or whose row it names, and that goes back to whoever paid it.
    pub(super) fn refunded(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let named = ["payment_intent", "charge", "payment", "payment_id", "transaction", "transaction_id", "id"];
        let by_request = named.iter().find_map(|field| match self.payload_origin_on(way, used, field)? {
            Origin::Request(source) => Some((Name::new(field), source)),
            _ => None,
        });
        let facts = self.facts(used.at.file);
        let first = facts.call(used.at.call).args.first().map(|arg| ExprRef::new(used.at.file, arg.value));
        let by_id = || match self.origin_on(way, first?, &[]) {
            Origin::Request(source) if !matches!(facts.expr(first?.expr), ExprKind::Object(_) | ExprKind::Ref(..)) => {
                Some((Name::new("id"), source))
            }
            _ => None,
        };
        // A guest calls off what is booked by the link of a mail.
        let called_off = ["cancel", "cancellation"];
        let names = self.file(used.at.file).path.to_string() + " " + &self.function_name(self.function_of(used.at));
        let by_row = || {
            let row = self.row_written(used.at);
            let values = row.into_iter().filter(|(key, _)| named.contains(&key.as_str()));
            let found = values.filter_map(|(key, value)| Some((key, self.found_by(way, value, &["id", "number"], 9)?)));
            found.into_iter().next().filter(|_| !any_word(&names, &called_off))
        };
        let (by, source) = by_request.or_else(by_id).or_else(by_row)?;
        let what = Name::new("payments");
        (!only_one_knows(&source)).then_some(Pick { touch: Touch::Refunds, what, by, source: Some(source) })
    }

    /// What a vendor keeps of a customer whom the request names, or whose row it names: opened to whoever asks, or
    /// the card that they left, charged.
    pub(super) fn opened_to(&self, way: &[Edge], used: &VendorUse, operation: &Operation, whose: &str) -> Option<Pick> {
        let touch = match &operation.on_file {
            Some(flag) => {
                let is_set = match self.option(used.at, flag) {
                    Lookup::Present(value) => !matches!(value, Value::Bool(false)),
                    Lookup::Absent | Lookup::Unknown => false,
                };
                is_set.then_some(Touch::Charges)?
            }
            None if operation.effect == Effect::List => Touch::Reads,
            None => Touch::Opens,
        };
        let by_request = match self.payload_origin_on(way, used, whose) {
            Some(Origin::Request(source)) => Some(source),
            _ => None,
        };
        let by_row = || {
            let row = self.row_written(used.at);
            let value = row.into_iter().find(|(key, _)| *key == whose).map(|(_, value)| value);
            let value = value.or_else(|| {
                let mut args = self.facts(used.at.file).call(used.at.call).args.iter();
                let named = args.find(|arg| arg.name.is_some_and(|name| name == whose));
                named.map(|arg| ExprRef::new(used.at.file, arg.value))
            });
            self.found_by(way, value?, OWNERS, 12)
        };
        let source = by_request.or_else(by_row)?;
        let what = Name::new("records");
        (!only_one_knows(&source)).then(|| Pick { touch, what, by: Name::new(whose), source: Some(source) })
    }

    /// An account whose password or address the request sets.
    fn opened(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let facts = self.facts(used.at.file);
        let args = &facts.call(used.at.call).args;
        let at = ExprRef::new(used.at.file, args.first()?.value);
        let (source, is_found) = match self.origin_on(way, at, &[]) {
            Origin::Request(source) => (source, false),
            _ => (self.found_by(way, at, CONTACTS, 9)?, true),
        };
        let set = self.entries(&self.value(ExprRef::new(used.at.file, args.get(1)?.value)));
        let told = set.into_iter().any(|(key, value)| {
            // An account found by an address is given that address again.
            let opens = match key.as_str() {
                "password" => true,
                "email" => !is_found,
                "app_metadata" | "phone" => is_found,
                _ => false,
            };
            opens && matches!(self.origin_on(way, value, &[]), Origin::Request(_))
        });
        (told && !only_one_knows(&source)).then(|| Pick {
            touch: Touch::TakesOver,
            what: Name::new("users"),
            by: Name::new("id"),
            source: Some(source),
        })
    }

    /// A role that the request names, or the highest one, for whom it names.
    fn empowered(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let what = self.table_of(used.at)?;
        let of_roles = any_word(&what, ROLES);
        if !of_roles && !is_account(&what) {
            return None;
        }
        let row = self.row_written(used.at);
        let role = row.iter().find_map(|&(key, value)| self.role(way, used.at, key, value))?;
        let is_told = role.is_some();
        let selectors = self.selectors(used.at);
        let who = match selectors.is_empty() {
            true => row.iter().find_map(|&(key, value)| {
                let whose = words(&key).last().is_some_and(|last| matches!(last.as_str(), "id" | "uid" | "userid"))
                    && (any_word(&key, PERSON) || key == "id");
                match self.origin_on(way, value, &[]) {
                    Origin::Request(source) if whose => Some((key, source)),
                    Origin::Server if whose && is_told => Some((key, self.found_by(way, value, CONTACTS, 9)?)),
                    _ => None,
                }
            }),
            // By an id that the request brings itself they are rows like others.
            false => selectors
                .iter()
                .find_map(|&(by, value)| Some((by, self.found_by(way, value, CONTACTS, 9)?)))
                .filter(|_| is_told),
        };
        let new = || of_roles && selectors.is_empty() && self.makes_user_of_request(way, self.function_of(used.at));
        let (by, source) = match (who, role) {
            (Some((by, source)), _) => (by, source),
            (None, Some(source)) if new() => (Name::new("role"), source),
            (None, None) if new() => (Name::new("role"), self.new_user(way, self.function_of(used.at))?),
            _ => return None,
        };
        // The first administrator; the founder of a team.
        let is_first = || self.asks_for_power(way, self.function_of(used.at), what);
        let is_founder = || {
            row.iter().any(|&(key, value)| {
                words(&key).last().is_some_and(|last| last == "id")
                    && !any_word(&key, PERSON)
                    && matches!(self.origin_on(way, value, &[]), Origin::Server)
            })
        };
        if only_one_knows(&source) || !is_told && (is_first() || is_founder()) {
            return None;
        }
        Some(Pick { touch: Touch::Empowers, what, by, source: Some(source) })
    }

    /// What a field gives power by: a role that the request names unchecked, or (none) the highest one.
    fn role(&self, way: &[Edge], at: CallRef, key: Name, value: ExprRef) -> Option<Option<Source>> {
        let named = words(&key);
        let says = |any: &[&str]| named.iter().any(|word| any.contains(&word.as_str()));
        if says(&["role", "roles"]) && !says(&["id", "description", "name"]) {
            return match self.origin_on(way, value, &[]) {
                Origin::Request(source)
                    if self.is_asked_for(&source, at) < Asked::Checked || self.lists_power(&source, at) =>
                {
                    Some(Some(source))
                }
                Origin::Constant => is_power(&self.value(value).text()?).then_some(None),
                _ => None,
            };
        }
        let is_flag = says(&["is"]) && says(&["admin", "superuser", "staff", "superadmin"]);
        match self.facts(value.file).expr(value.expr) {
            ExprKind::Bool(true) if is_flag => Some(None),
            _ if is_flag => match self.origin_on(way, value, &[]) {
                Origin::Request(source) => Some(Some(source)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the list that a role of the request has to stand in, or be turned away, has the highest one too:
    /// `if (!["admin", "member"].includes(role)) return 400`.
    fn lists_power(&self, source: &Source, at: CallRef) -> bool {
        let function = outermost(self, self.function_of(at));
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let inside = facts.operations().filter(|&(at, (op, _))| op == Op::Not && span.contains(facts.span(at)));
        inside.flat_map(|(_, (_, parts))| parts).any(|&part| {
            role_in_list(self, ExprRef::new(function.file, part))
                .is_some_and(|(named, texts)| source.names.contains(&named) && texts.iter().any(|text| is_power(text)))
        })
    }

    /// A row for whom the request names: something of value, or what else stands under somebody's name.
    fn added(&self, way: &[Edge], used: &VendorUse, operation: &Operation) -> Option<Pick> {
        let what = self.table_of(used.at)?;
        let is_noted = any_word(&what, &["log", "logs", "event", "events", "request", "requests"]);
        // An account is made by whoever signs up, before there is a session.
        let is_theirs =
            any_start(&what, VALUE) || !any_start(&what, GUESTS) && !any_start(&what, NOTED) && !is_account(&what);
        if operation.effect != Effect::Create || is_noted || !is_theirs {
            return None;
        }
        let mut row = self.row_written(used.at);
        if row.is_empty() {
            row = self.rows_made(used.at);
        }
        row.into_iter().find_map(|(by, value)| {
            let is_id = words(&by).last().is_some_and(|last| matches!(last.as_str(), "id" | "uid" | "userid"));
            match self.origin_on(way, value, &[]) {
                Origin::Request(source) if is_id && any_word(&by, PERSON) && !only_one_knows(&source) => {
                    Some(Pick { touch: Touch::Adds, what, by, source: Some(source) })
                }
                _ => None,
            }
        })
    }

    /// Whether a function asks who has power already, before it gives some.
    fn asks_for_power(&self, way: &[Edge], function: FunctionRef, table: Name) -> bool {
        self.calls_in(function).flat_map(|at| self.vendors_at(at)).any(|used| {
            let reads =
                self.operation(used).is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List));
            let selectors = self.selectors(used.at);
            reads
                && self.table_of(used.at) == Some(table)
                && selectors.iter().all(|&(_, value)| self.origin_on(way, value, &[]) == Origin::Constant)
        })
    }

    /// Whether a function makes an account for an address of the request.
    fn makes_user_of_request(&self, way: &[Edge], function: FunctionRef) -> bool {
        self.new_user(way, function).is_some()
    }

    fn new_user(&self, way: &[Edge], function: FunctionRef) -> Option<Source> {
        self.calls_in(function).flat_map(|at| self.vendors_at(at)).find_map(|used| {
            let operation = self.operation(used)?;
            let makes = operation.core.is_some() && operation.effect == Effect::Create;
            match self.payload_origin_on(way, used, "email")? {
                Origin::Request(source) if makes => Some(source),
                _ => None,
            }
        })
    }
}

/// The columns that a query asks of its own table: `*, visits(*)` asks for all of it, whatever it asks of others.
fn without_others(asked: &str) -> String {
    let mut depth = 0usize;
    let mut own = String::with_capacity(asked.len());
    for letter in asked.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => own.push(letter),
            _ => {}
        }
    }
    own
}

/// Whether a role is one of those that may do everything.
pub(crate) fn is_power(role: &str) -> bool {
    let role = role.to_ascii_lowercase().replace(['_', '-', ' '], "");
    POWERS.contains(&role.as_str())
}

/// What a list of texts is asked for, and the texts: `role` of `ROLES.includes(role)`.
pub(crate) fn role_in_list(program: &Program, at: ExprRef) -> Option<(Name, Vec<Name>)> {
    let facts = program.facts(at.file);
    let (list, asked) = match facts.expr(at.expr) {
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match *facts.expr(call.callee) {
                ExprKind::Member(list, method) if method == "includes" => (list, call.args.first()?.value),
                _ => return None,
            }
        }
        ExprKind::Op(Op::In, parts) => (*parts.get(1)?, *parts.first()?),
        _ => return None,
    };
    let list = match facts.expr(list) {
        ExprKind::List(_) => ExprRef::new(at.file, list),
        _ => match program.value(ExprRef::new(at.file, list)) {
            Value::List(list) => list,
            _ => return None,
        },
    };
    let within = program.facts(list.file);
    let ExprKind::List(items) = within.expr(list.expr) else { return None };
    let texts: Option<Vec<Name>> = items
        .iter()
        .map(|&item| match within.expr(item) {
            ExprKind::Text(text) => Some(Name::new(text)),
            _ => None,
        })
        .collect();
    Some((facts.last_name(asked)?, texts?))
}

/// Whether something runs where a condition does not hold.
fn has_other_arm(facts: &Facts, then: BlockId) -> bool {
    facts
        .blocks
        .iter()
        .flat_map(|block| &block.steps)
        .any(|step| matches!(*step, Step::If { then: own, otherwise: Some(_), .. } if own == then))
}

/// Whether a condition only asks whether something is there: `search`, `status && status !== "all"`.
fn is_given(facts: &Facts, condition: ExprId) -> bool {
    match facts.expr(condition) {
        ExprKind::Ref(..) | ExprKind::Member(..) => true,
        ExprKind::Op(Op::And | Op::Unequal, parts) => parts.first().is_some_and(|&part| is_given(facts, part)),
        _ => false,
    }
}
