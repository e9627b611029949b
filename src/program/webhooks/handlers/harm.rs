//! What a forged delivery lets anyone do: by what its handler is for, and else by what the vendor is for.

use super::WebhookHandler;
use crate::catalogue::Category;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Span};
use crate::finding::Place;
use crate::program::verify::words;
use crate::program::{CallRef, Program};

/// What reports of mails that were sent say, as senders name it.
const REPORTS: &[&str] = &[
    "delivered",
    "bounce",
    "bounced",
    "opened",
    "dropped",
    "deferred",
    "email.delivered",
    "email.bounced",
    "email.opened",
    "undelivered",
    "MessageStatus",
];

/// What reports of calls bring.
const CALLS: &[&str] =
    &["CallStatus", "CallDuration", "DialCallStatus", "RecordingUrl", "RecordingSid", "TranscriptionText"];

/// What names a call, and no message.
const CALL: &[&str] = &["CallSid"];

/// What names a message that comes in or went out.
const MESSAGE: &[&str] = &["Body", "MessageSid", "SmsSid", "SmsMessageSid", "NumMedia"];

/// What a caller says or presses.
const SPOKEN: &[&str] = &["SpeechResult", "Digits"];

/// What says that a message comes in.
const INBOUND: &[&str] = &["email.received", "Body", "message_create", "inbound", "TextBody", "body-plain"];

impl Program {
    /// The same of a delivery whose failed check is not looked at: what hangs on what the check gives does not run.
    pub fn forgery_past(&self, handler: &WebhookHandler, deed: CallRef, check: Place) -> &'static str {
        let writes_down = |at: CallRef| {
            let name = self.called_name(at);
            name.is_some_and(|name| {
                matches!(words(&name).first().map(String::as_str), Some("insert" | "create" | "add"))
            })
        };
        let runs = |at: CallRef| {
            let facts = self.facts(at.file);
            let span = facts.span(facts.call(at.call).expr);
            let around = facts.blocks.iter().filter(|block| block.span.contains(span));
            !around.into_iter().any(|block| match block.kind {
                BlockKind::Then(condition) => at.file == check.file && hangs_on(facts, condition, check.span, 5),
                _ => false,
            })
        };
        let said = self.forgery(handler, deed);
        if !said.ends_with("wipe a customer's data") && !said.ends_with("cut a customer off") {
            return said;
        }
        let mut deeds = handler.account.deeds.iter().map(|deed| deed.at).chain([deed]).filter(|&at| runs(at));
        match deeds.all(writes_down) {
            true => "anyone who finds the URL can have it write down what never happened",
            false => said,
        }
    }

    /// What a forged delivery lets anyone do that makes a handler run `deed`.
    pub fn forgery(&self, handler: &WebhookHandler, deed: CallRef) -> &'static str {
        let entry = &self.entries[handler.entry];
        let path = self.file(entry.function.file).path;
        let named = [entry.route, entry.name, Some(path)];
        let says: Vec<String> = named.into_iter().flatten().flat_map(|name| words(&name)).collect();
        let is = |any: &[&str]| says.iter().any(|word| any.contains(&word.as_str()));
        if is(&["redact", "redacted", "redaction", "erasure", "erase", "deletion"]) {
            return "anyone who finds the URL can wipe a customer's data";
        }
        if is(&["uninstall", "uninstalled", "deauthorize", "deauthorized"]) {
            return "anyone who finds the URL can cut a customer off";
        }
        let deletes = self.called_name(deed).is_some_and(|name| {
            matches!(words(&name).first().map(String::as_str), Some("delete" | "remove" | "destroy"))
        });
        match handler.vendor.map(|vendor| self.catalogue.vendor(vendor).category) {
            _ if deletes => "anyone who finds the URL can delete what it keeps",
            Some(Category::Payments) if self.tells_of_accounts(handler) => {
                "anyone who finds the URL can have a seller's account count as ready, or as closed"
            }
            Some(Category::Payments | Category::Commerce) => {
                "anyone who finds the URL can send a payment that never happened, and get what is paid for"
            }
            Some(Category::Sms) if self.reads(handler, SPOKEN) => {
                "anyone who finds the URL can answer in a caller's name"
            }
            Some(Category::Sms) if self.reads(handler, CALLS) && !self.reads(handler, INBOUND) => {
                "anyone who finds the URL can make up what became of a call, and recordings that nobody made"
            }
            Some(Category::Sms) if self.reads(handler, CALL) && !self.reads(handler, MESSAGE) => {
                "anyone who finds the URL can make up calls that nobody made"
            }
            Some(Category::Sms | Category::Email) if self.takes_reports(handler) => {
                "anyone who finds the URL can have messages count as delivered, opened or bounced"
            }
            Some(Category::Sms | Category::Chat | Category::Email) => {
                "anyone who finds the URL can send messages in a customer's name"
            }
            Some(Category::Auth) => "anyone who finds the URL can make, change or delete accounts",
            _ => "anyone who finds the URL can send events that never happened",
        }
    }

    /// Whether the only events that a handler's own code names are those of sellers' accounts: no payment is among them.
    fn tells_of_accounts(&self, handler: &WebhookHandler) -> bool {
        let entry = &self.entries[handler.entry];
        let facts = self.facts(entry.function.file);
        let span = facts.function(entry.function.function).span;
        let is_event = |text: &str| {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_' || letter == '.';
            text.contains('.') && text.chars().all(plain) && text.split('.').all(|part| !part.is_empty())
        };
        let mut named =
            facts.exprs.iter().filter(|expr| span.contains(expr.span)).filter_map(|expr| match &expr.kind {
                ExprKind::Text(text) if is_event(text) => Some(*text),
                _ => None,
            });
        let of_account = |text: &str| ["account.", "capability.", "person."].iter().any(|kind| text.starts_with(kind));
        named.next().is_some_and(|first| of_account(&first)) && named.all(|text| of_account(&text))
    }

    /// Whether a handler's own code names one of some fields.
    fn reads(&self, handler: &WebhookHandler, fields: &[&str]) -> bool {
        let entry = &self.entries[handler.entry];
        let facts = self.facts(entry.function.file);
        let span = facts.function(entry.function.function).span;
        let mut own = facts.exprs.iter().filter(|expr| span.contains(expr.span));
        own.any(|expr| match &expr.kind {
            ExprKind::Text(text) | ExprKind::Member(_, text) => fields.contains(&text.as_str()),
            _ => false,
        }) || handler.evidence.iter().any(|sign| fields.iter().any(|field| sign.text.ends_with(field)))
    }

    /// Whether deliveries only report what became of messages that were sent.
    fn takes_reports(&self, handler: &WebhookHandler) -> bool {
        let files = self.home_files(handler);
        let said: Vec<&str> = files
            .iter()
            .flat_map(|&file| &self.facts(file).exprs)
            .filter_map(|expr| match &expr.kind {
                ExprKind::Text(text) | ExprKind::Member(_, text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        REPORTS.iter().any(|word| said.contains(word)) && !INBOUND.iter().any(|word| said.contains(word))
    }
}

/// Whether a condition asks for what a check gives, by its names.
fn hangs_on(facts: &Facts, condition: ExprId, check: Span, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let within = facts.span(condition);
    within.contains(check)
        || facts.exprs.iter().filter(|expr| within.contains(expr.span)).any(|expr| match expr.kind {
            ExprKind::Ref(name, block) => facts
                .lookup(block, name)
                .is_some_and(|def| facts.def(def).values.iter().any(|&value| hangs_on(facts, value, check, depth))),
            _ => false,
        })
}
