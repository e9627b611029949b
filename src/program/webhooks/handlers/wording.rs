//! How a cure reads a header in the way of the handler that it is for: `request.headers["x"]` is nothing on a Fetch request,
//! and a check made with it refuses every delivery.

use super::WebhookHandler;
use crate::catalogue::{VerifySince, Webhook};
use crate::facts::ExprKind;
use crate::names::Name;
use crate::program::verify::{Verdict, words};
use crate::program::{Entry, ExprRef, Program};

/// How a handler reads the headers of what comes in.
enum Reads {
    /// `req.headers.get("x")`
    Fetch(Name),
    /// `c.req.header("x")`
    Context(Name),
}

/// Where the body as it was sent comes from, when a parser stands before the route.
const PARSED_BEFORE: &str = " `rawBody` is the body as it was sent, and the parser before this route leaves nothing of it: put \
    express.raw({ type: \"application/json\" }) on this route, before that parser, take its req.body for `rawBody`, and the \
    event from what was checked: `JSON.parse(req.body)`, where the check gives none.";

impl Program {
    /// A cure with the headers read as the handler's requests have them.
    pub fn as_read_by(&self, entry: &Entry, cure: &str) -> String {
        match self.reads_headers(entry) {
            Some(Reads::Fetch(request)) => rewritten(cure, &format!("{request}.headers.get")),
            Some(Reads::Context(context)) => rewritten(cure, &format!("{context}.req.header")),
            None => match self.facts(entry.function.file).function(entry.function.function).params.first() {
                Some(first) if first.name.is_some_and(|name| matches!(name.as_str(), "req" | "_req")) => {
                    let request = first.name.map_or("req".to_owned(), |name| name.to_string());
                    cure.replace("request.headers", &format!("{request}.headers"))
                }
                _ => cure.to_owned(),
            },
        }
    }

    /// How a handler reads headers, by how it reads the body; none where it has a plain object of them.
    fn reads_headers(&self, entry: &Entry) -> Option<Reads> {
        const BODIES: &[&str] = &["json", "text", "formData", "arrayBuffer", "blob", "parseBody"];
        let facts = self.facts(entry.function.file);
        let shape = facts.function(entry.function.function);
        // `({ request }) =>`
        let first = shape.params.first()?.name.unwrap_or_else(|| Name::new("request"));
        let is_first = |expr| matches!(facts.expr(expr), ExprKind::Ref(name, _) if *name == first);
        let mut calls = facts.calls.iter().filter(|call| shape.span.contains(facts.span(call.expr)));
        calls.find_map(|call| match *facts.expr(call.callee) {
            ExprKind::Member(base, name) if BODIES.contains(&name.as_str()) => match *facts.expr(base) {
                ExprKind::Ref(..) if is_first(base) => Some(Reads::Fetch(first)),
                ExprKind::Member(inner, part) if part == "req" && is_first(inner) => Some(Reads::Context(first)),
                _ => None,
            },
            _ => None,
        })
    }
}

/// A text in which `request.headers["x"]` is read by a call.
fn rewritten(cure: &str, call: &str) -> String {
    let mut text = cure.to_owned();
    for start in ["request.headers[\"", "req.headers[\""] {
        while let Some(at) = text.find(start) {
            let from = at + start.len();
            let Some(end) = text[from..].find("\"]").map(|end| from + end) else { break };
            let header = text[from..end].to_owned();
            text.replace_range(at..end + 2, &format!("{call}(\"{header}\")"));
        }
    }
    text
}

impl Program {
    /// Whether an entry runs on a runtime without Node's own modules: Deno, workers, edge.
    pub fn runs_on_edge(&self, entry: &Entry) -> bool {
        let file = entry.place.file;
        matches!(entry.framework, "supabase-functions" | "edge-functions" | "worker")
            || self.facts(file).exports.iter().any(|export| {
                export.name == "runtime"
                    && matches!(export.value, crate::facts::ExportValue::Local(value)
                        if self.value(ExprRef::new(file, value)).text().is_some_and(|text| text.contains("edge")))
            })
    }

    /// How a handler's deliveries are verified, in the words of its vendor, runtime and language.
    pub fn verify_cure(&self, handler: &WebhookHandler) -> String {
        let entry = &self.entries[handler.entry];
        let is_script = self.facts(entry.function.file).language.is_script();
        if handler.of_row {
            return "Let the database send a secret of its own in a header, compare it in constant time with the one in \
                    the environment, and answer 401 before anything else when they differ."
                .to_owned();
        }
        match self.webhook_of(handler) {
            Some(webhook) if !is_script => self.with_own_secret(handler, webhook, webhook.cure_py.clone()),
            Some(webhook) => {
                let edge = webhook.cure_edge.as_ref().filter(|_| self.runs_on_edge(entry) || self.runs_on_bun(entry));
                let cure = self.as_read_by(entry, edge.unwrap_or(&webhook.cure_js));
                let cure = self.with_own_secret(handler, webhook, cure);
                let cure = match cure.contains("rawBody") && self.is_parsed_before(entry) {
                    true => cure + PARSED_BEFORE,
                    false => cure,
                };
                let older =
                    |since: &&VerifySince| self.is_older(entry.function.file, Name::new(&since.package), since.version);
                match webhook.verify_since.as_ref().filter(older) {
                    Some(VerifySince { package, version: (major, minor), .. }) => {
                        let name = package.split_once(':').map_or(package.as_str(), |(_, name)| name);
                        format!(
                            "First raise {name} to {major}.{minor} or later: the version in use cannot verify deliveries. \
                             {cure}"
                        )
                    }
                    None => cure,
                }
            }
            None => {
                let compare = if is_script { "timingSafeEqual of node:crypto" } else { "hmac.compare_digest" };
                // A header that is read already is there to be checked.
                if handler.evidence.iter().any(|sign| sign.text.starts_with("reads the header")) {
                    return format!(
                        "Compute an HMAC of the raw body with the shared secret, as the sender documents it, compare it \
                         with the signature header by {compare}, and answer 401 before anything else when they differ."
                    );
                }
                format!(
                    "Take only the id from the delivery, ask the sender's API for what it stands for, and act on that answer \
                     alone. Or check what the sender signs, as it documents it (mostly an HMAC of the raw body with the \
                     shared secret, in a header that is compared by {compare}), and answer 401 before anything else when it \
                     does not fit. Where it has no API to ask and signs nothing, give it a URL with a long secret in it, and \
                     compare that."
                )
            }
        }
    }

    /// A cure with a secret that no other endpoint of the vendor has, where the app checks another one already.
    fn with_own_secret(&self, handler: &WebhookHandler, webhook: &Webhook, cure: String) -> String {
        if !webhook.secret_per_endpoint || !matches!(handler.verdict, Verdict::Unverified { .. }) {
            return cure;
        }
        let others = self.webhook_handlers().iter().filter(|other| {
            let (own, its) = (self.entries[handler.entry].function, self.entries[other.entry].function);
            other.vendor == handler.vendor && its != own && self.share_app(its.file, own.file)
        });
        let mut taken = others.filter_map(|other| Some((self.secret_checked(other, handler)?, other)));
        let Some((name, other)) = taken.next() else { return cure };
        let own = self.name_of_own_secret(handler, &name);
        let whose = self.entry_name(&self.entries[other.entry]);
        let said = cure.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let said = said.into_iter().find(|word| word.contains("WEBHOOK")).map(str::to_owned);
        let cure = said.map_or(cure.clone(), |said| cure.replace(&said, &own));
        format!(
            "{cure} Every endpoint has a secret of its own: {name} is that of {whose}, put the one of this endpoint under \
             {own}."
        )
    }

    /// The variable that holds the secret by which a handler checks its deliveries, and that another one does not read.
    fn secret_checked(&self, handler: &WebhookHandler, not: &WebhookHandler) -> Option<Name> {
        let without = self.entries[not.entry].function;
        let span = self.facts(without.file).function(without.function).span;
        let is_secret = |name: &Name| name.contains("WEBHOOK") && (name.contains("SECRET") || name.contains("SIGNING"));
        handler.account.checks.first()?;
        self.home_files(handler).into_iter().find_map(|file| {
            let read = self.facts(file).exprs.iter().filter(|expr| file != without.file || !span.contains(expr.span));
            read.filter_map(|expr| match expr.kind {
                ExprKind::Env(name) => Some(name),
                _ => None,
            })
            .find(is_secret)
        })
    }

    /// A name for the secret of one of several endpoints: `STRIPE_CONNECT_WEBHOOK_SECRET`.
    fn name_of_own_secret(&self, handler: &WebhookHandler, taken: &Name) -> String {
        const SAID: &[&str] =
            &["api", "webhook", "webhooks", "hook", "hooks", "functions", "handler", "route", "callback", "events"];
        let entry = &self.entries[handler.entry];
        let vendor = handler.vendor.map(|vendor| self.catalogue.vendor(vendor).id.as_str());
        let said = words(&entry.route.or(entry.name).unwrap_or_else(|| Name::new("")));
        let own = said.iter().map(String::as_str).filter(|word| !SAID.contains(word) && Some(*word) != vendor);
        let own = own.rev().find(|word| word.len() > 2 && word.chars().all(char::is_alphanumeric));
        let own = own.unwrap_or("second").to_ascii_uppercase();
        match taken.split_once("WEBHOOK") {
            Some((before, after)) => format!("{before}{own}_WEBHOOK{after}"),
            None => format!("{own}_{taken}"),
        }
    }

    /// How a handler's vendor is called in messages: its name and "webhook".
    pub fn webhook_name(&self, handler: &WebhookHandler) -> String {
        match handler.vendor {
            Some(vendor) => format!("the {} webhook", self.catalogue.vendor(vendor).name),
            None => "this webhook".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn headers_are_read_by_a_call() {
        let cure = "Compare request.headers[\"x-key\"] and req.headers[\"x-time\"].";
        assert_eq!(
            rewritten(cure, "req.headers.get"),
            "Compare req.headers.get(\"x-key\") and req.headers.get(\"x-time\")."
        );
    }
}
