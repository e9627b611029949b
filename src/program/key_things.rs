//! What a call is about, by the ids that its own code holds: an idempotency key names that, and nothing that is new on
//! each try or that stays the same for all that one customer does.

use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::key_cures::Element;
use crate::program::origins::Origin;
use crate::program::requested::outermost;
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

impl Program {
    /// Puts what the call is about in place of an order that the code does not have.
    pub(super) fn name_thing(
        &self,
        used: &VendorUse,
        element: Option<&Element>,
        sends: bool,
        key: &mut String,
        advice: &mut Vec<String>,
    ) {
        if !key.contains("{order.id}") {
            return;
        }
        let script = self.facts(used.at.file).language.is_script();
        let (attempt, run) = if script { ("attemptId", "runId") } else { ("attempt_id", "run_id") };
        if sends && let Some(kind) = self.message_kind(used) {
            let word = key.split("-{order.id}").next().unwrap_or_default().to_owned();
            if matches!(word.as_str(), "email" | "message" | "sms" | "notification" | "mail") {
                *key = key.replacen(&word, &format!("{{{kind}}}"), 1);
            }
        }
        let mut put = |thing: &str| *key = key.replace("{order.id}", &format!("{{{thing}}}"));
        let origins = self.origins(self.function_of(used.at));
        let in_webhook = self.is_webhook_work(&origins);
        let asked = origins.iter().any(|origin| self.is_public(origin.entry));
        // One person gets other messages too, and who sends to many sends them more than one thing.
        let to_person = sends && (asked || element.is_some_and(Element::may_be_person));
        match element {
            // The element is the thing.
            Some(Element::Id(id)) if !in_webhook && !to_person => return put(id),
            Some(Element::Outside) if !in_webhook && !to_person => return put("id"),
            _ => {}
        }
        if in_webhook {
            put("event.id");
            advice.push("where `event.id` is the id of the delivery that the webhook handles".to_owned());
        } else if let Some(thing) = self.thing_at(used).or_else(|| self.thing_of_route(used, &origins)) {
            put(&thing);
        } else if to_person && self.is_periodic(used.at) {
            put("period");
            advice.push("where `period` is the day or month that it is sent for".to_owned());
        } else if element.is_some() {
            put(run);
            advice.push(format!("where `{run}` is the id of what the whole list is about, an order or a campaign"));
        } else if !self.names_order(used.at) {
            put(attempt);
            let declines = self.operation(used).is_some_and(|operation| operation.declines);
            let again = match declines && !self.waits_for_payer(used) {
                true => ", another one after a refused payment,",
                false => "",
            };
            advice.push(match asked {
                true => format!(
                    "where `{attempt}` comes with the request: the page draws it once when it is opened{again} and \
                     sends the same one with every repeat"
                ),
                false => format!("where `{attempt}` is the id of a row that is inserted before the first try"),
            });
        }
    }

    /// Whether the code around a call speaks of an order, in its function or those that call it.
    fn names_order(&self, at: CallRef) -> bool {
        let says = |function: FunctionRef| {
            let facts = self.facts(function.file);
            let span = facts.function(function.function).span;
            facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match expr.kind {
                ExprKind::Ref(name, block) if name == "order" => {
                    let values = facts.lookup(block, name).map(|def| &facts.def(def).values);
                    values.is_some_and(|values| !values.iter().any(|&value| self.is_made_here(at, value, 6)))
                }
                _ => false,
            })
        };
        says(outermost(self, self.function_of(at)))
    }

    /// The id of what a call is about, as its own code writes it: `booking.id`, `payoutId`. What the call itself is
    /// given comes first.
    pub(super) fn thing_at(&self, used: &VendorUse) -> Option<String> {
        let facts = self.facts(used.at.file);
        let call = facts.call(used.at.call);
        let whole = facts.span(call.expr);
        let function = outermost(self, self.function_of(used.at));
        let around = facts.function(function.function).span;
        let mut found: Vec<(bool, u32, String)> = Vec::new();
        for (at, expr) in facts.exprs.iter().enumerate() {
            let own = whole.contains(expr.span);
            if !around.contains(expr.span) || expr.span.start > whole.end {
                continue;
            }
            if let Some(id) = self.id_named(used.at, ExprId(at as u32)) {
                found.push((!own, expr.span.start, id));
            }
        }
        found.into_iter().min().map(|(_, _, id)| id)
    }

    /// The id in the route by which a call is reached, as the code reads it: `req.params.id` of `/stays/:id/bill`.
    pub(super) fn thing_of_route(&self, used: &VendorUse, origins: &[Origin]) -> Option<String> {
        let facts = self.facts(used.at.file);
        let function = outermost(self, self.function_of(used.at));
        let span = facts.function(function.function).span;
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
            let entry = self.entries[origin.entry].function;
            let params = &self.facts(entry.file).function(entry.function).params;
            if entry == function && params.iter().any(|own| own.name.is_some_and(|name| name == param)) {
                return Some(param.to_owned());
            }
            facts.exprs.iter().filter(|expr| span.contains(expr.span)).find_map(|expr| match expr.kind {
                ExprKind::Member(base, name) if name == param => {
                    let ExprKind::Member(request, params) = *facts.expr(base) else { return None };
                    let ExprKind::Ref(request, _) = *facts.expr(request) else { return None };
                    (params == "params").then(|| format!("{request}.params.{param}"))
                }
                ExprKind::Ref(name, block) if name == param => {
                    facts.lookup(block, name).is_some().then(|| name.to_string())
                }
                _ => None,
            })
        })
    }

    /// The text of an id of a thing.
    fn id_named(&self, call: CallRef, at: ExprId) -> Option<String> {
        let facts = self.facts(call.file);
        match *facts.expr(at) {
            ExprKind::Member(base, field) if matches!(field.as_str(), "id" | "_id" | "uuid" | "pk") => {
                let ExprKind::Ref(name, block) = *facts.expr(base) else { return None };
                let values = facts.lookup(block, name).map(|def| &facts.def(def).values)?;
                let fresh = values.iter().any(|&value| self.is_made_here(call, value, 6));
                (is_thing(&name) && !values.is_empty() && !fresh).then(|| format!("{name}.{field}"))
            }
            // `bookingId`: what the request or a caller brings.
            ExprKind::Ref(name, block) => {
                let mut said = words(&name);
                let last = said.pop()?;
                let is_id = matches!(last.as_str(), "id" | "uuid") && !said.is_empty();
                let values = facts.lookup(block, name).map(|def| &facts.def(def).values)?;
                let fresh = values.iter().any(|&value| self.is_made_here(call, value, 6));
                (is_id && is_thing(&name) && !fresh && !is_element(facts, block, name)).then(|| name.to_string())
            }
            _ => None,
        }
    }

    /// Whether a value is made anew on each run: a row that is inserted, a vendor's object, a random id.
    pub(super) fn is_made_here(&self, call: CallRef, value: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(call.file);
        match facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
                self.is_made_here(call, *inner, depth)
            }
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) | ExprKind::Template(parts) => {
                parts.iter().any(|&part| self.is_made_here(call, part, depth))
            }
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                values.is_some_and(|values| values.iter().any(|&value| self.is_made_here(call, value, depth)))
            }
            ExprKind::Call(inner) => {
                let shape = facts.call(*inner);
                let first = facts.last_name(shape.callee).and_then(|name| words(&name).first().cloned());
                let makes = first.is_some_and(|first| {
                    matches!(
                        first.as_str(),
                        "insert"
                            | "create"
                            | "add"
                            | "save"
                            | "upsert"
                            | "make"
                            | "new"
                            | "random"
                            | "now"
                            | "generate"
                            | "uuid"
                            | "uuid4"
                            | "nanoid"
                            | "v4"
                            | "cuid"
                            | "ulid"
                    )
                });
                makes
                    || shape.is_new
                    || self
                        .vendors_at(CallRef::new(call.file, *inner))
                        .iter()
                        .any(|used| !self.catalogue.vendor(used.vendor).own_backend && used.at != call)
                    || matches!(facts.expr(shape.callee), ExprKind::Member(base, _) if self.is_made_here(call, *base, depth))
            }
            _ => false,
        }
    }

    /// The name of what decides which of several messages a function sends: `type` of `switch (type)`,
    /// `TEMPLATES[type]`, `if (type === "shipped")`.
    pub(super) fn message_kind(&self, used: &VendorUse) -> Option<String> {
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
        let function: FunctionRef = self.function_of(used.at);
        let span = facts.function(outermost(self, function).function).span;
        let kind = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Ref(name, block) if KINDS.contains(&name.as_str()) => {
                // In reach of the call, with a value.
                let seen = facts.lookup(facts.call(used.at.call).block, name) == facts.lookup(block, name);
                (seen && facts.lookup(block, name).is_some()).then(|| name.to_string())
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

/// Whether a name says one thing that is paid, sent or booked once.
fn is_thing(name: &str) -> bool {
    let said = words(name);
    !said.iter().any(|word| NO_THINGS.contains(&word.as_str())) && said.iter().any(|word| word.len() > 2)
}

/// Whether a name is that of a list's element in some loop: another part of the function.
fn is_element(facts: &Facts, block: crate::facts::BlockId, name: Name) -> bool {
    let values = facts.lookup(block, name).map(|def| &facts.def(def).values);
    values.is_some_and(|values| values.iter().any(|&value| matches!(facts.expr(value), ExprKind::ElementOf(_))))
}
