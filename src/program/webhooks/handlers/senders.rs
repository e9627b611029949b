//! Whose deliveries a handler takes, where the names alone mislead: carriers of messages, gateways to a channel, the
//! app's own database.

use rustc_hash::FxHashSet;

use super::{Sign, WebhookHandler};
use crate::catalogue::{Category, VendorId};
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::program::verify::words;
use crate::program::{Destination, Entry, HttpUse, Leaves, Program};

/// Words that a route says of any delivery.
const ANY: &[&str] = &[
    "webhook",
    "webhooks",
    "hook",
    "hooks",
    "callback",
    "callbacks",
    "api",
    "official",
    "cloud",
    "business",
    "incoming",
    "inbound",
    "message",
    "messages",
    "status",
    "statuses",
    "event",
    "events",
    "receive",
    "receiver",
    "reply",
    "handler",
    "handle",
    "update",
    "updates",
    "delivery",
    "verify",
    "notify",
    "notification",
    "notifications",
    "process",
    "post",
    "test",
    "prod",
    "v1",
    "v2",
    "v3",
    "meta",
    "bot",
    "chat",
    "media",
    "in",
    "reply",
    "replies",
    "lead",
    "leads",
    "agent",
    "ai",
    "order",
    "orders",
    "support",
    "template",
    "templates",
    "flow",
    "flows",
    "signup",
    "user",
    "users",
    "admin",
    "send",
    "sent",
    "check",
    "verification",
];

/// Who carries the messages of a channel that only names show: in a `whatsapp` route of a file that talks to one other
/// messaging vendor, and never to this one, it is that one's delivery.
pub(super) fn carrier(program: &Program, entry: &Entry, vendor: VendorId) -> Option<VendorId> {
    let carries = |id: VendorId| {
        let vendor = program.catalogue.vendor(id);
        vendor.category == Category::Sms && !vendor.webhooks.is_empty()
    };
    let is_channel = program.catalogue.vendor(vendor).webhooks.iter().any(|webhook| webhook.is_channel);
    // A carrier that is named itself (`/twilio/whatsapp`) delivers, whomever its neighbours ask.
    if !carries(vendor) || !is_channel {
        return None;
    }
    let used = program.calls_of(entry.function.file).flat_map(|call| program.vendors_at(call)).map(|used| used.vendor);
    let mut used: Vec<VendorId> = used.filter(|&id| carries(id)).collect();
    used.sort_unstable();
    used.dedup();
    match used[..] {
        [only] if only != vendor => Some(only),
        _ => None,
    }
}

/// Whether a sign is the signature header of somebody whom the catalogue does not know: `x-acmepay-signature`.
pub(super) fn signed_by_stranger(program: &Program, sign: &Sign) -> bool {
    const PLAIN: &[&str] = &[
        "x",
        "http",
        "signature",
        "signatures",
        "sig",
        "signed",
        "webhook",
        "webhooks",
        "hook",
        "hash",
        "token",
        "hmac",
        "sha",
        "sha1",
        "sha256",
        "sha512",
        "256",
        "1",
        "512",
        "transmission",
        "secret",
        "key",
        "verify",
        "id",
        "event",
        "payload",
        "body",
        "request",
        "auth",
        "app",
        "api",
        "time",
        "timestamp",
    ];
    let Some(header) = sign.header.filter(|_| sign.vendors.is_empty()) else { return false };
    let said = words(&header);
    let mut names = said.iter().filter(|word| !PLAIN.contains(&word.as_str())).peekable();
    names.peek().is_some() && names.all(|word| program.catalogue.vendor_spelled(word).is_none())
}

impl Program {
    /// Whether a request goes to the sender of a handler's deliveries that the catalogue does not know: the host's name
    /// is that of the signature header, or of the route.
    pub fn asks_sender(&self, handler: &WebhookHandler, http: &HttpUse) -> bool {
        let entry = &self.entries[handler.entry];
        let named = [handler.signed_in, entry.route, entry.name];
        let said: Vec<String> = named.into_iter().flatten().flat_map(|name| words(&name)).collect();
        let is_said = |label: &str| said.iter().any(|word| word.len() > 3 && label.starts_with(word.as_str()));
        let is_sender = |to: &Destination| match to {
            Destination::Host(host, _) => host.rsplit('.').nth(1).is_some_and(is_said),
            _ => false,
        };
        handler.vendor.is_none() && !http.to.is_empty() && http.to.iter().all(is_sender)
    }
}

/// Whether a route names a gateway behind the channel that it carries: `/whatsapp/evolution`. Only names show whose it
/// is, and that is the gateway's.
pub(super) fn is_for_another(program: &Program, entry: &Entry, vendor: VendorId) -> bool {
    if !program.catalogue.vendor(vendor).webhooks.iter().any(|webhook| webhook.is_channel) {
        return false;
    }
    // Gateways carry it too: where this code talks to somebody else alone, it is theirs.
    if sends_elsewhere(program, entry, vendor) {
        return true;
    }
    let Some(route) = entry.route else { return false };
    let names = |part: &str| words(part).iter().any(|word| program.catalogue.vendor_spelled(word) == Some(vendor));
    let mut parts = route.split('/').skip_while(|part| !names(part)).skip(1);
    parts.next().is_some_and(|part| {
        let says = words(part);
        !part.starts_with([':', '*', '{', '[', '<'])
            && !says.is_empty()
            && says.iter().all(|word| !ANY.contains(&word.as_str()) && program.catalogue.vendor_spelled(word).is_none())
    })
}

/// Whether a handler's file asks addresses of nobody known, and neither the vendor nor for what it confirms a hook by.
fn sends_elsewhere(program: &Program, entry: &Entry, vendor: VendorId) -> bool {
    let file = entry.function.file;
    let strangers = program
        .calls_of(file)
        .flat_map(|call| program.requests_at(call))
        .any(|http| program.leaves(http) == Leaves::Yes && program.vendors_at(http.at).is_empty());
    let says = program.facts(file).exprs.iter().any(|expr| match &expr.kind {
        ExprKind::Text(text) | ExprKind::Member(_, text) => text.starts_with("hub.") || *text == "changes",
        _ => false,
    });
    let asks = program.calls_of(file).flat_map(|call| program.vendors_at(call)).any(|used| used.vendor == vendor);
    strangers && !says && !asks
}

/// Whether deliveries tell of a change of a row in the app's own database.
pub(super) fn is_row_change(program: &Program, entry: &Entry, signs: &[Sign]) -> bool {
    let vendors = program.catalogue.vendors().iter().filter(|vendor| vendor.own_backend);
    let shapes: Vec<&Vec<String>> =
        vendors.flat_map(|vendor| &vendor.webhooks).flat_map(|webhook| &webhook.row_changes).collect();
    if shapes.is_empty() {
        return false;
    }
    let files: FxHashSet<FileId> =
        std::iter::once(entry.function.file).chain(signs.iter().map(|sign| sign.place.file)).collect();
    files.into_iter().any(|file| {
        let exprs = &program.facts(file).exprs;
        let reads = |wanted: &String| {
            exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Text(name) => *name == **wanted,
                _ => false,
            })
        };
        shapes.iter().any(|shape| shape.iter().all(reads))
    })
}
