//! Vendors that wait for what a door answers and go on with it, and those that come again when it answers an error.

use rustc_hash::FxHashSet;

use super::WebhookHandler;
use crate::catalogue::{Effect, VendorId, Webhook};
use crate::facts::ExprKind;
use crate::program::{EdgeKind, Entry, FunctionRef, Program};

impl Program {
    /// The vendor that goes on with what an entry point answers, by what the answer is made of: it is the one that
    /// calls, and no user is. Who has that vendor call or write to somebody makes the same for it to say.
    pub fn answers_vendor(&self, entry: &Entry) -> Option<VendorId> {
        let functions = self.run_by_entry(entry);
        let vendors = self.catalogue.vendors().iter();
        let mut those = vendors.filter(|vendor| {
            vendor.webhooks.iter().any(|webhook| {
                self.answers_with(&functions, &webhook.answers) || self.answers_with(&functions, &webhook.heard)
            })
        });
        let vendor = self.catalogue.vendor_named(&those.next()?.id)?;
        let calls = functions.iter().flat_map(|&function| self.calls_in(function));
        let mut uses = calls.flat_map(|at| self.vendors_at(at)).filter(|used| used.vendor == vendor);
        let sends = uses.any(|used| self.operation(used).is_some_and(|operation| operation.effect == Effect::Send));
        (!sends).then_some(vendor)
    }

    /// Whether somebody waits for what a handler answers, a caller on the line.
    pub fn is_heard(&self, handler: &WebhookHandler) -> bool {
        let heard = |webhook: &Webhook| {
            !webhook.heard.is_empty()
                && self.answers_with(&self.run_by_entry(&self.entries[handler.entry]), &webhook.heard)
        };
        self.webhook_of(handler).is_some_and(heard)
    }

    /// Whether what comes in at an entry point comes again when it answers an error. Of senders that nothing is known of
    /// most do.
    pub fn is_delivered_again(&self, entry: usize) -> bool {
        let mut handlers = self.webhook_handlers().iter();
        handlers.find(|handler| handler.entry == entry).is_none_or(|handler| {
            let never = self.webhook_of(handler).is_some_and(|webhook| webhook.never_redelivers);
            !never && !self.is_by_hand(handler) && !self.is_heard(handler)
        })
    }

    /// Whether functions name one of some things, or write elements that begin so as what they answer.
    fn answers_with(&self, functions: &FxHashSet<FunctionRef>, wanted: &[String]) -> bool {
        if wanted.is_empty() {
            return false;
        }
        let is = |text: &str| wanted.iter().any(|name| name == text);
        let (mut named, mut written, mut as_answer) = (false, false, false);
        for function in functions {
            let facts = self.facts(function.file);
            let span = facts.function(function.function).span;
            for expr in facts.exprs.iter().filter(|expr| span.contains(expr.span)) {
                match &expr.kind {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => named |= is(name),
                    ExprKind::Text(text) => {
                        written |= wanted.iter().any(|start| start.starts_with('<') && text.contains(start.as_str()));
                        as_answer |= matches!(text.as_str(), "xml" | "text/xml" | "application/xml")
                            || text.starts_with("text/xml;");
                    }
                    _ => {}
                }
            }
        }
        named || written && as_answer
    }

    /// The functions that an entry point runs by itself, with those that are written in them.
    fn run_by_entry(&self, entry: &Entry) -> FxHashSet<FunctionRef> {
        let reach = self.reach(entry.function, |edge| edge.kind == EdgeKind::Direct);
        reach.stops.iter().flat_map(|stop| self.with_inner(stop.function)).collect()
    }
}
