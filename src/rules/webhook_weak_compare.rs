//! Signatures and shared secrets compared by `==`.

use std::collections::BTreeMap;

use crate::facts::BlockId;
use crate::finding::{Place, Severity};
use crate::names::Name;
use crate::program::verify::{Plain, words};
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{Entry, EntryKind, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook's signature or secret is compared by `==`
    ///
    /// `==` stops at the first character that differs. Whoever can send many requests and measures the answers learns
    /// a secret, or the right signature for a forged delivery, character by character. A comparison in constant time
    /// takes as long for a wrong value as for the right one, and costs one line.
    ///
    /// The secrets of cron and internal endpoints compared so are a note for auditors.
    ///
    /// ## Silent when
    ///
    /// - `crypto.timingSafeEqual`, `hmac.compare_digest` or a vendor's verify function compares;
    /// - both sides are MACs of what is compared;
    /// - only lengths, or the token of a subscription's handshake, are compared.
    ///
    /// ## The cure
    ///
    /// Compare in constant time, after a look at the lengths.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/webhooks/lemon/route.ts
    /// import crypto from "node:crypto";
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const prisma = new PrismaClient();
    ///
    /// export async function POST(req: Request) {
    ///   const body = await req.text();
    ///   const expected = crypto.createHmac("sha256", process.env.LEMONSQUEEZY_WEBHOOK_SECRET!).update(body).digest("hex");
    ///   if (req.headers.get("x-signature") !== expected) return new Response("no", { status: 401 });
    ///   await prisma.plan.update({ where: { id: JSON.parse(body).data.id }, data: { active: true } });
    ///   return new Response("ok");
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/webhooks/lemon/route.ts
    /// import crypto from "node:crypto";
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const prisma = new PrismaClient();
    ///
    /// export async function POST(req: Request) {
    ///   const body = await req.text();
    ///   const expected = crypto.createHmac("sha256", process.env.LEMONSQUEEZY_WEBHOOK_SECRET!).update(body).digest();
    ///   const given = Buffer.from(req.headers.get("x-signature") ?? "", "hex");
    ///   if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) {
    ///     return new Response("no", { status: 401 });
    ///   }
    ///   await prisma.plan.update({ where: { id: JSON.parse(body).data.id }, data: { active: true } });
    ///   return new Response("ok");
    /// }
    /// ```
    id: "webhook-weak-compare", severity: Warning, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

/// Words in the routes of endpoints that the app's own jobs call.
const INTERNAL: &[&str] = &["cron", "crons", "internal", "scheduled", "scheduler", "jobs"];

fn check(program: &Program, report: &mut Report) {
    let mut found: BTreeMap<Place, (Plain, Vec<&WebhookHandler>)> = BTreeMap::new();
    for handler in program.webhook_handlers() {
        for &plain in &handler.account.plain {
            let (_, handlers) = found.entry(plain.place).or_insert((plain, vec![]));
            if !handlers.iter().any(|known| known.entry == handler.entry) {
                handlers.push(handler);
            }
        }
    }
    for (plain, handlers) in found.values() {
        let other_secret = !plain.signature && handlers.iter().all(|handler| program.is_checked_by_sdk(handler));
        match handlers.first() {
            // The door of a preview beside the webhook's, in the same function.
            Some(first) if other_secret => tell_internal(program, report, &program.entries[first.entry], plain.place),
            _ => tell(program, report, *plain, handlers),
        }
    }
    let handled = |entry: usize| program.webhook_handlers().iter().any(|handler| handler.entry == entry);
    let mut told: Vec<Place> = found.keys().copied().collect();
    for (at, entry) in program.entries.iter().enumerate() {
        if !is_internal(program, entry) || handled(at) {
            continue;
        }
        for &plain in &program.own_account(at).plain {
            if !told.contains(&plain.place) {
                told.push(plain.place);
                tell_internal(program, report, entry, plain.place);
            }
        }
    }
}

fn is_internal(program: &Program, entry: &Entry) -> bool {
    let side = program.side(entry.function.file);
    matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction | EntryKind::Job)
        && !side.tooling
        && !side.dead
        && [entry.route, entry.name]
            .into_iter()
            .flatten()
            .any(|name| words(&name).iter().any(|word| INTERNAL.contains(&word.as_str())))
}

fn tell(program: &Program, report: &mut Report, plain: Plain, handlers: &[&WebhookHandler]) {
    let Some(first) = handlers.first() else { return };
    let webhook = program.webhook_name(first);
    let message = if plain.signature {
        format!(
            "the signature of {webhook} is compared by ==, which stops at the first difference: whoever measures the \
             answers can find the right one for a forged delivery"
        )
    } else {
        format!(
            "the secret of {webhook} is compared by ==, which stops at the first difference: whoever measures the answers \
             learns it character by character"
        )
    };
    let subject = if plain.signature { "signature" } else { "secret" };
    let mut draft = report.at(plain.place, subject, message).help(cure(program, plain.place));
    for other in handlers.iter().skip(1) {
        let entry = &program.entries[other.entry];
        draft = draft.because(program.entry_head(entry), format!("{} too", program.webhook_name(other)));
    }
    for vendor in handlers.iter().filter_map(|handler| handler.vendor) {
        draft = draft.vendor(program.vendor_id(vendor));
    }
}

fn tell_internal(program: &Program, report: &mut Report, entry: &Entry, place: Place) {
    let message = format!(
        "the secret of {} is compared by ==, which stops at the first difference: whoever measures the answers learns it \
         character by character",
        program.entry_name(entry)
    );
    report.at(place, "secret", message).severity(Severity::Note).auditor_only().help(cure(program, place));
}

fn cure(program: &Program, place: Place) -> &'static str {
    let facts = program.facts(place.file);
    // Without an import the name is the web's, which compares nothing.
    let has_crypto = facts.defined_in(BlockId(0), Name::new("crypto")).is_some();
    match (facts.language.is_script(), has_crypto) {
        (false, _) => "Compare in constant time: `if not hmac.compare_digest(expected, given):`.",
        (true, true) => {
            "Compare in constant time, as buffers of one length: `a.length === b.length && crypto.timingSafeEqual(a, b)`."
        }
        (true, false) => {
            "Compare in constant time: import { timingSafeEqual } from \"node:crypto\" and give it the bytes of both, after a look at their lengths."
        }
    }
}
