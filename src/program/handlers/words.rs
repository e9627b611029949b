//! How findings speak of webhook handlers: their names, what they do, what a forged delivery does, the cure.

use super::WebhookHandler;
use crate::catalogue::Category;
use crate::facts::{ExportValue, ExprId, ExprKind, Facts, FunctionId, Span};
use crate::finding::{Place, Remark};
use crate::program::{CallRef, EdgeKind, Entry, FunctionRef, Program};

impl Program {
    /// A call in words: `stripe.refunds.create`, `db.insert`.
    pub fn call_text(&self, call: CallRef) -> String {
        if let Some(used) = self.vendors_at(call).first()
            && self.operation(used).is_some()
        {
            return used.name.clone();
        }
        let facts = self.facts(call.file);
        dotted(facts, facts.call(call.call).callee, 6).unwrap_or_else(|| "a call".to_owned())
    }

    /// The head of a function: its first line, up to its body where that begins there.
    pub fn function_head(&self, function: FunctionRef) -> Place {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let start = shape.span.start;
        let next_line = facts.lines.partition_point(|&line| line <= start);
        let line_end = facts.lines.get(next_line).map_or(shape.span.end, |line| line - 1);
        let body = facts.block(shape.body).span.start;
        let end = if body > start { body.min(line_end) } else { line_end };
        Place { file: function.file, span: Span { start, end: end.min(shape.span.end).max(start + 1) } }
    }

    /// Where an entry is told of: the head of its function, or where it is registered.
    pub fn entry_head(&self, entry: &Entry) -> Place {
        if entry.function.function == FunctionId::MODULE { entry.place } else { self.function_head(entry.function) }
    }

    /// The way from an entry to a call in another function; empty when it stands in the entry's own.
    pub fn trace_to(&self, entry: &Entry, call: CallRef, text: &str) -> Vec<Remark> {
        let to = self.function_of(call);
        if to == entry.function {
            return vec![];
        }
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let Some(stop) = reach.stops.iter().position(|stop| stop.function == to) else { return vec![] };
        self.trace(self.entry_head(entry), "a delivery comes in", &reach.way(stop), call, text)
    }
}

fn dotted(facts: &Facts, expr: ExprId, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => Some(name.to_string()),
        ExprKind::This(_) => Some("this".to_owned()),
        ExprKind::Member(base, name) => match dotted(facts, *base, depth) {
            Some(base) => Some(format!("{base}.{name}")),
            None => Some(name.to_string()),
        },
        ExprKind::Call(call) => dotted(facts, facts.call(*call).callee, depth),
        ExprKind::Await(inner) => dotted(facts, *inner, depth),
        _ => None,
    }
}

impl Program {
    /// Whether an entry runs on a runtime without Node's own modules: Deno, workers, edge.
    pub fn runs_on_edge(&self, entry: &Entry) -> bool {
        let facts = self.facts(entry.function.file);
        matches!(entry.framework, "supabase-functions" | "edge-functions" | "worker")
            || facts.exports.iter().any(|export| {
                export.name == "runtime"
                    && matches!(export.value, ExportValue::Local(value)
                        if matches!(facts.expr(value), ExprKind::Text(text) if text.contains("edge")))
            })
    }

    /// How a handler's deliveries are verified, in the words of its vendor, runtime and language.
    pub fn verify_cure(&self, handler: &WebhookHandler) -> String {
        let entry = &self.entries[handler.entry];
        let is_script = self.facts(entry.function.file).language.is_script();
        match self.webhook_of(handler) {
            Some(webhook) if !is_script => webhook.cure_py.clone(),
            Some(webhook) if self.runs_on_edge(entry) => {
                webhook.cure_edge.clone().unwrap_or_else(|| webhook.cure_js.clone())
            }
            Some(webhook) => webhook.cure_js.clone(),
            None if is_script => "Compute an HMAC of the raw body with the shared secret, compare it with the signature \
                                  header by crypto.timingSafeEqual, and answer 401 before anything else when they differ."
                .to_owned(),
            None => "Compute an HMAC of the raw body with the shared secret, compare it with the signature header by \
                     hmac.compare_digest, and answer 401 before anything else when they differ."
                .to_owned(),
        }
    }

    /// How a handler's vendor is called in messages: its name and "webhook".
    pub fn webhook_name(&self, handler: &WebhookHandler) -> String {
        match handler.vendor {
            Some(vendor) => format!("the {} webhook", self.catalogue.vendor(vendor).name),
            None => "this webhook".to_owned(),
        }
    }

    /// What a forged delivery lets anyone do, by what the vendor is for.
    pub fn forgery(&self, handler: &WebhookHandler) -> &'static str {
        match handler.vendor.map(|vendor| self.catalogue.vendor(vendor).category) {
            Some(Category::Payments | Category::Commerce) => {
                "anyone who finds the URL can send a payment that never happened, and get what is paid for"
            }
            Some(Category::Sms | Category::Chat | Category::Email) => {
                "anyone who finds the URL can send messages in a customer's name"
            }
            Some(Category::Auth) => "anyone who finds the URL can make, change or delete accounts",
            _ => "anyone who finds the URL can send events that never happened",
        }
    }
}
