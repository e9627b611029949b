//! Whose deliveries a handler takes, where the names alone mislead: carriers of messages, gateways to a channel, the
//! app's own database.

use rustc_hash::FxHashSet;

use super::Sign;
use crate::catalogue::{Category, VendorId};
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::program::verify::words;
use crate::program::{Entry, Leaves, Program};

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

/// Who carries the messages of a vendor that only names show: in a `whatsapp` route of a file that talks to one other
/// messaging vendor, and never to this one, it is that one's delivery.
pub(super) fn carrier(program: &Program, entry: &Entry, vendor: VendorId) -> Option<VendorId> {
    let carries = |id: VendorId| {
        let vendor = program.catalogue.vendor(id);
        vendor.category == Category::Sms && !vendor.webhooks.is_empty()
    };
    if !carries(vendor) {
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
