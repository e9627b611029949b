//! Headers that a vendor's deliveries never bring: a check by one of them refuses all.

use crate::catalogue::{Scheme, Tier};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::Place;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{ExprRef, FunctionRef, Program};

impl Program {
    /// The header by whose signature a handler knows its vendor, though that vendor signs in others: it is called after
    /// the vendor, and none of the known ones is named anywhere near. None where the headers are handed on as they are.
    pub fn unsent_header(&self, handler: &WebhookHandler, within: &[FunctionRef]) -> Option<(Name, Place)> {
        let vendor = self.catalogue.vendor(handler.vendor?);
        let webhook = self.webhook_of(handler)?;
        let sent: Vec<String> = webhook.headers.iter().map(|header| plain(header)).collect();
        let founded = matches!(webhook.source.tier, Tier::Sdk | Tier::Doc);
        let signs = matches!(webhook.scheme, Scheme::Hmac | Scheme::Asymmetric);
        if !founded || !signs || sent.is_empty() || webhook.is_channel || vendor.webhooks.len() > 1 {
            return None;
        }
        let mut found: Vec<(Name, Place)> = vec![];
        for function in within {
            let facts = self.facts(function.file);
            let span = facts.function(function.function).span;
            for (at, expr) in facts.exprs.iter().enumerate() {
                let at = ExprRef::new(function.file, ExprId(at as u32));
                let name = match expr.kind {
                    ExprKind::Text(name) | ExprKind::Member(_, name) => name,
                    ExprKind::Object(ref entries) if entries.iter().any(|(key, _)| sent.contains(&plain(key))) => {
                        return None;
                    }
                    _ => continue,
                };
                if sent.contains(&plain(&name)) {
                    return None;
                }
                if !span.contains(expr.span) {
                    continue;
                }
                if name == "headers" && self.is_handed_on(at) {
                    return None;
                }
                let read = self.is_read_of_headers(at);
                let said = words(&name);
                let signature = said.iter().any(|word| matches!(word.as_str(), "signature" | "sig" | "hmac"));
                if read && signature && !found.iter().any(|(other, _)| *other == name) {
                    found.push((name, self.place(at)));
                }
            }
            if self.calls_in(*function).any(|call| self.verifies_by_sdk(call)) {
                return None;
            }
        }
        let [(name, place)] = found[..] else { return None };
        words(&name).contains(&vendor.id.to_ascii_lowercase()).then_some((name, place))
    }

    /// Whether a name is the one by which something is taken out of headers, whatever stands in for it.
    pub(super) fn is_read_of_headers(&self, name: ExprRef) -> bool {
        let facts = self.facts(name.file);
        if let ExprKind::Member(base, _) = *facts.expr(name.expr) {
            return facts.last_name(base).is_some_and(|base| base == "headers");
        }
        let by_call = |used: &Use| match *used {
            Use::Arg(call, 0) => match *facts.expr(facts.call(call).callee) {
                ExprKind::Member(base, method) => {
                    method == "get" && facts.last_name(base).is_some_and(|of| of == "headers" || of == "META")
                }
                _ => false,
            },
            _ => false,
        };
        let of_form = |read: ExprRef| match *facts.expr(read.expr) {
            ExprKind::Call(call) => {
                let callee = facts.call(call).callee;
                matches!(*facts.expr(callee), ExprKind::Member(base, _) if is_form(facts, base))
            }
            _ => false,
        };
        self.header_read(name).is_some_and(|read| !of_form(read))
            || self.readers(name.file).uses(name.expr).iter().any(by_call)
    }

    /// Whether the headers of a request are handed to something as a whole.
    fn is_handed_on(&self, headers: ExprRef) -> bool {
        let uses = self.readers(headers.file).uses(headers.expr);
        let facts = self.facts(headers.file);
        uses.iter().any(|used| match used {
            Use::In(outer) => {
                let all = ["entries", "items", "forEach", "keys", "raw", "toJSON", "copy"];
                facts.last_name(*outer).is_some_and(|name| all.contains(&name.as_str()))
            }
            _ => true,
        })
    }
}

/// Whether a value is a form or a query that came in: `await request.formData()`, `new URLSearchParams(body)`.
fn is_form(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| {
            let mut values = facts.def(def).values.iter();
            values.any(|&value| !matches!(facts.expr(value), ExprKind::Ref(..)) && is_form(facts, value))
        }),
        ExprKind::Await(inner) => is_form(facts, *inner),
        ExprKind::Call(call) => facts
            .last_name(facts.call(*call).callee)
            .is_some_and(|name| matches!(name.as_str(), "formData" | "form" | "URLSearchParams")),
        ExprKind::Member(_, name) => matches!(name.as_str(), "form" | "searchParams" | "args" | "POST" | "GET"),
        _ => false,
    }
}

/// A header's name, however it is spelled: `HTTP_X_SIGNATURE` of a server's variables.
pub(in crate::program) fn plain(name: &str) -> String {
    let small = name.to_ascii_lowercase().replace('_', "-");
    small.strip_prefix("http-").unwrap_or(&small).to_owned()
}
