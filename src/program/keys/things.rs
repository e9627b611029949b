//! What a call is about, by the ids that its own code holds: an idempotency key names that, and nothing that is new on
//! each try or that stays the same for all that one customer does.

use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Op};
use crate::names::Name;
use crate::program::keys::scope::Made;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, FunctionRef, Program, VendorUse};

/// Words of what stays the same for much that a customer does, what changes until it is paid, and what is for sale.
const NO_THINGS: &[&str] = &[
    "user",
    "users",
    "customer",
    "account",
    "client",
    "member",
    "profile",
    "person",
    "me",
    "auth",
    "uid",
    "actor",
    "owner",
    "admin",
    "staff",
    "employee",
    "driver",
    "agent",
    "student",
    "teacher",
    "tutor",
    "coach",
    "patient",
    "doctor",
    "therapist",
    "provider",
    "vendor",
    "seller",
    "merchant",
    "host",
    "guest",
    "buyer",
    "payer",
    "payee",
    "sender",
    "recipient",
    "receiver",
    "creator",
    "author",
    "contact",
    "lead",
    "org",
    "organization",
    "organisation",
    "company",
    "business",
    "tenant",
    "team",
    "workspace",
    "store",
    "shop",
    "restaurant",
    "location",
    "property",
    "site",
    "domain",
    "app",
    "project",
    "group",
    "channel",
    "chat",
    "room",
    "conversation",
    "thread",
    "product",
    "price",
    "plan",
    "tier",
    "package",
    "variant",
    "sku",
    "item",
    "service",
    "course",
    "template",
    "coupon",
    "promo",
    "discount",
    "cart",
    "basket",
    "session",
    "intent",
    "setup",
    "method",
    "card",
    "bank",
    "token",
    "request",
    "req",
    "trace",
    "correlation",
    "device",
    "browser",
    "affiliate",
    "partner",
    "referrer",
    "category",
    "role",
    "folder",
    "webhook",
    "key",
    "secret",
    "access",
    "api",
    "external",
    "parent",
    "realm",
    "phone",
    "assistant",
    "model",
    "board",
    "list",
    "page",
    "form",
    "survey",
    "calendar",
    "subscription",
    "wallet",
];

/// Words of what is paid, booked or handed over once.
const ONCE: &[&str] = &[
    "order",
    "booking",
    "reservation",
    "appointment",
    "invoice",
    "bill",
    "payment",
    "payout",
    "transfer",
    "purchase",
    "transaction",
    "ticket",
    "registration",
    "enrollment",
    "enrolment",
    "rental",
    "stay",
    "trip",
    "ride",
    "delivery",
    "shipment",
    "deposit",
    "donation",
    "withdrawal",
    "milestone",
    "installment",
    "instalment",
    "dispute",
    "refund",
    "claim",
    "application",
    "job",
    "commission",
    "settlement",
    "charge",
    "cashout",
    "message",
    "notification",
    "submission",
    "verification",
    "alert",
    "visit",
    "redemption",
    "pledge",
    "penalty",
    "repayment",
    "earning",
    "expense",
    "gig",
    "sale",
    "checkin",
    "due",
];

/// Words of a person or a firm as an app keeps them.
const WHO: &[&str] = &[
    "user",
    "customer",
    "member",
    "profile",
    "account",
    "client",
    "merchant",
    "org",
    "organization",
    "organisation",
    "company",
    "tenant",
    "owner",
    "seller",
    "buyer",
    "vendor",
    "provider",
    "partner",
    "driver",
    "host",
    "guest",
    "student",
    "teacher",
    "creator",
    "business",
    "shop",
    "store",
    "team",
    "workspace",
    "club",
    "person",
    "contractor",
    "professional",
    "practitioner",
    "affiliate",
    "patient",
    "subscriber",
    "me",
];

/// What a key can be made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::program) struct Thing {
    /// It does not stand in what the call is given.
    pub(in crate::program) far: bool,
    /// Where it is read.
    start: u32,
    /// How the code writes it.
    pub(in crate::program) text: String,
    /// What it is taken out of.
    pub(in crate::program) def: Option<DefId>,
    /// The whole expression.
    pub(in crate::program) expr: ExprId,
    /// It is paid, booked or handed over once.
    pub(in crate::program) once: bool,
    /// It is a row that the run inserts.
    pub(in crate::program) row: bool,
}

impl Program {
    /// The ids that a call's code holds, best first: what the call itself is given, then in the order they are read.
    pub(in crate::program) fn things(&self, used: &VendorUse, owner: FunctionRef) -> Vec<Thing> {
        let facts = self.facts(used.at.file);
        let whole = facts.span(facts.call(used.at.call).expr);
        let around = facts.function(owner.function).span;
        let mut found: Vec<Thing> = Vec::new();
        for (at, expr) in facts.exprs.iter().enumerate().filter(|(_, expr)| around.contains(expr.span)) {
            let Some(thing) = self.thing(used.at, owner, ExprId(at as u32)) else { continue };
            found.push(Thing { far: !whole.contains(expr.span), start: expr.span.start, ..thing });
        }
        found.sort();
        found
    }

    /// What an id tells apart, where an expression is one.
    fn thing(&self, call: CallRef, owner: FunctionRef, at: ExprId) -> Option<Thing> {
        let facts = self.facts(call.file);
        let (said, made_of) = match *facts.expr(at) {
            ExprKind::Member(base, field) if is_own_id(&field) => match *facts.expr(base) {
                ExprKind::Ref(name, _) => (words(&name), base),
                _ => return None,
            },
            // A helper's row names others beside itself.
            ExprKind::Member(_, field) if !self.entries_of(owner).is_empty() && self.is_brought(call, owner, at) => {
                (id_words(&field)?, at)
            }
            // `bookingId`: what the request or a caller brings.
            ExprKind::Ref(name, _) => (id_words(&name)?, at),
            _ => return None,
        };
        let (text, def) = self.printed(call, at)?;
        let made = self.made(call, made_of, 6);
        let named = matches!(facts.expr(at), ExprKind::Ref(..));
        // What a vendor calls it may be what the call is to give.
        let foreign = |word: &String| self.catalogue.vendors().iter().any(|vendor| vendor.id == *word);
        if said.iter().any(foreign) || self.may_be_missing(call, at) {
            return None;
        }
        if made == Made::New || made == Made::Row && named || said.iter().all(|word| word.len() < 3) {
            return None;
        }
        let once = is_once(&said);
        Some(Thing { far: false, start: 0, text, def: Some(def), expr: at, once, row: made == Made::Row })
    }

    /// Whether the code has something else where an id is missing: `customer.id || ""`.
    fn may_be_missing(&self, call: CallRef, at: ExprId) -> bool {
        let facts = self.facts(call.file);
        let same = |part: ExprId| match (facts.expr(part), facts.expr(at)) {
            (ExprKind::Member(one, field), ExprKind::Member(other, own)) => {
                let names = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(..)).then(|| facts.last_name(expr));
                field == own && names(*one).is_some() && names(*one) == names(*other)
            }
            _ => part == at,
        };
        let around = facts.function(facts.function_of(facts.call(call.call).block)).span;
        facts.exprs.iter().filter(|expr| around.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&first| same(first)),
            _ => false,
        })
    }

    /// Whose record a call makes, where what it is given comes from one person's or firm's row: `user.id` beside
    /// `email: user.email`, `metadata: { userId }`.
    pub(in crate::program) fn person_of(&self, used: &VendorUse, owner: FunctionRef, helper: bool) -> Option<String> {
        let facts = self.facts(used.at.file);
        let whole = facts.span(facts.call(used.at.call).expr);
        let is_who = |said: &[String]| said.iter().any(|word| WHO.contains(&word.trim_end_matches('s')));
        let given = |expr: &crate::facts::Expr| whole.contains(expr.span);
        // An id of the app's own among what is given.
        for (at, _) in facts.exprs.iter().enumerate().filter(|(_, expr)| given(expr)) {
            let at = ExprId(at as u32);
            let said = match *facts.expr(at) {
                ExprKind::Member(base, field) if is_own_id(&field) => facts.last_name(base).map(|name| words(&name)),
                ExprKind::Member(_, field) | ExprKind::Ref(field, _) => id_words(&field),
                _ => None,
            };
            let known = said.is_some_and(|said| is_who(&said))
                && self.made(used.at, at, 6) == Made::No
                && !self.may_be_missing(used.at, at);
            if known && let Some((text, _)) = self.printed(used.at, at) {
                return Some(text);
            }
        }
        // The row that the address or the name is taken out of.
        for expr in facts.exprs.iter().filter(|expr| given(expr)) {
            let ExprKind::Member(base, field) = expr.kind else { continue };
            let told = words(&field).iter().any(|word| matches!(word.as_str(), "email" | "name" | "phone"));
            let named = facts.last_name(base).is_some_and(|name| is_who(&words(&name)));
            let own = !self.is_brought(used.at, owner, base) || helper;
            if told && named && own && self.made(used.at, base, 6) == Made::No {
                let (text, _) = self.printed(used.at, base)?;
                let missing = facts.exprs.iter().enumerate().any(|(id, expr)| {
                    let own = matches!(expr.kind, ExprKind::Member(of, id) if is_own_id(&id) && facts.last_name(of) == facts.last_name(base));
                    own && self.may_be_missing(used.at, ExprId(id as u32))
                });
                return (!missing).then(|| format!("{text}.id"));
            }
        }
        // What a helper is handed beside the address.
        let params = &facts.function(owner.function).params;
        let own = params.iter().filter(|_| helper).filter_map(|param| param.name);
        own.into_iter().find(|name| id_words(name).is_some_and(|said| is_who(&said))).map(|name| name.to_string())
    }

    /// The row that a vendor's record is made of, by what it is called: `tier.id` of `{ name: tier.name }`.
    pub(in crate::program) fn subject_of(&self, used: &VendorUse, owner: FunctionRef) -> Option<String> {
        let facts = self.facts(used.at.file);
        let whole = facts.span(facts.call(used.at.call).expr);
        let mut things = self.things(used, owner).into_iter();
        let given = things.find(|thing| {
            let said = words(&thing.text);
            !thing.far
                && !thing.row
                && said.iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "product" | "plan" | "price" | "tier" | "campaign" | "coupon" | "package" | "course"
                    )
                })
        });
        if let Some(thing) = given {
            return Some(thing.text);
        }
        facts.exprs.iter().filter(|expr| whole.contains(expr.span)).find_map(|expr| {
            let ExprKind::Member(base, field) = expr.kind else { return None };
            let ExprKind::Ref(name, block) = *facts.expr(base) else { return None };
            let def = self.at_hand(used.at, name, block)?;
            // A row has an id; what the request or a helper's caller hands over may have none.
            let read = facts.exprs.iter().any(|expr| match expr.kind {
                ExprKind::Member(of, id) if is_own_id(&id) => {
                    matches!(*facts.expr(of), ExprKind::Ref(of, block) if of == name && facts.lookup(block, of) == Some(def))
                }
                _ => false,
            });
            let told = words(&field).iter().any(|word| matches!(word.as_str(), "name" | "title" | "code"));
            (told && read && self.made(used.at, base, 6) == Made::No).then(|| format!("{name}.id"))
        })
    }

    /// The id in the route by which a call is reached, as the code reads it: `req.params.id` of `/stays/:id/bill`.
    pub(in crate::program) fn thing_of_route(
        &self,
        used: &VendorUse,
        owner: FunctionRef,
        origins: &[Origin],
    ) -> Option<Thing> {
        let facts = self.facts(used.at.file);
        let span = facts.function(owner.function).span;
        origins.iter().find_map(|origin| {
            let route = self.entries[origin.entry].route?;
            let parts: Vec<&str> = route.split('/').collect();
            let at = parts.iter().rposition(|part| part.starts_with(':'))?;
            let (noun, param) = (parts.get(at.checked_sub(1)?)?, parts[at].trim_start_matches(':'));
            let by_id = param == "id" && is_thing(noun.trim_end_matches('s'));
            let names_id = param.to_ascii_lowercase().ends_with("id") && param.len() > 2;
            if !(by_id || names_id && is_thing(param)) {
                return None;
            }
            if self.entries[origin.entry].function != owner {
                return None;
            }
            let once = [noun.trim_end_matches('s'), param].iter().any(|name| {
                let said = id_words(&Name::new(name)).unwrap_or_else(|| words(name));
                is_once(&said) && is_thing(name)
            });
            (0..facts.exprs.len() as u32).map(ExprId).filter(|&at| span.contains(facts.span(at))).find_map(|at| {
                let named = match *facts.expr(at) {
                    ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name == param,
                    _ => false,
                };
                if !named || !self.is_brought(used.at, owner, at) {
                    return None;
                }
                let (text, def) = self.printed(used.at, at)?;
                Some(Thing { far: true, start: 0, text, def: Some(def), expr: at, once, row: false })
            })
        })
    }

    /// The name of what decides which of several messages a function sends: `type` of `switch (type)`,
    /// `TEMPLATES[type]`, `if (type === "shipped")`.
    pub(in crate::program) fn message_kind(&self, used: &VendorUse, owner: FunctionRef) -> Option<String> {
        const KINDS: &[&str] = &[
            "type",
            "kind",
            "template",
            "templateName",
            "template_name",
            "emailType",
            "email_type",
            "notificationType",
            "notification_type",
            "messageType",
            "message_type",
            "eventType",
            "event_type",
            "action",
            "status",
            "stage",
        ];
        let facts = self.facts(used.at.file);
        let whole = facts.span(facts.call(used.at.call).expr);
        let span = facts.function(owner.function).span;
        let kind = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Ref(name, block) if KINDS.contains(&name.as_str()) => {
                self.at_hand(used.at, name, block).map(|_| name.to_string())
            }
            _ => None,
        };
        let is_text = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Text(_));
        let compared = facts.exprs.iter().filter(|expr| span.contains(expr.span) && expr.span.start <= whole.end);
        let mut compared = compared.filter_map(|expr| match &expr.kind {
            ExprKind::Index(base, index) if !matches!(facts.expr(*base), ExprKind::Call(_)) => kind(*index),
            ExprKind::Op(Op::Equal, parts) if parts.iter().any(|&part| is_text(part)) => {
                parts.iter().find_map(|&part| kind(part))
            }
            _ => None,
        });
        let switched = facts.blocks.iter().find_map(|block| match block.kind {
            BlockKind::Case(subject, Some(_)) if span.contains(block.span) => kind(subject),
            _ => None,
        });
        switched.or_else(|| compared.next())
    }
}

/// Whether a name says one thing, rather than who it is for or what it is one of.
fn is_thing(name: &str) -> bool {
    let said = words(name);
    !said.iter().any(|word| NO_THINGS.contains(&word.as_str())) && said.iter().any(|word| word.len() > 2)
}

/// Whether words name what is paid, booked or handed over once: `purchaseOrder`, not `bookingLink`.
pub(in crate::program) fn is_once(said: &[String]) -> bool {
    const HOLDERS: &[&str] = &["row", "data", "record", "doc", "details", "info", "obj", "object", "entity", "result"];
    let plain = |word: &String| word.trim_end_matches('s').to_owned();
    let mut nouns = said.iter().rev().skip_while(|word| HOLDERS.contains(&word.as_str()));
    let last = nouns.next().map(plain).is_some_and(|last| ONCE.contains(&last.as_str()));
    last && !said.iter().any(|word| NO_THINGS.contains(&plain(word).as_str()))
}

/// Whether a field is the id of the row that it stands in.
fn is_own_id(field: &str) -> bool {
    matches!(field, "id" | "_id" | "uuid" | "pk")
}

/// What an id is of, by its name: `booking` of `bookingId`.
fn id_words(name: &Name) -> Option<Vec<String>> {
    let mut said = words(name);
    let is_id = said.pop().is_some_and(|last| matches!(last.as_str(), "id" | "uuid")) && !said.is_empty();
    is_id.then_some(said)
}
