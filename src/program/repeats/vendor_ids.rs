//! Whether the ids that vendors give their records are kept: without them later events can only be told apart by
//! addresses and names, which change and are shared.

use crate::catalogue::{Category, Effect};
use crate::facts::ExprKind;
use crate::program::values::answers::Deed;
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, Program, VendorUse};

impl Program {
    /// Whether a call makes a record at a vendor and nobody looks at the id that it gives back.
    pub fn discards_id(&self, used: &VendorUse) -> bool {
        let Some(operation) = self.operation(used) else { return false };
        if operation.effect != Effect::Create || !operation.person || operation.harmless {
            return false;
        }
        // A request's wrapper: its own call is looked at by itself.
        if self.request_of(used).is_some_and(|http| http.at != http.inner) {
            return false;
        }
        !self.looks(used.at).iter().any(|look| {
            let names_id = look.part.iter().any(|part| words(part).iter().any(|word| word == "id" || word == "sid"));
            // Handed on or given back as a whole: whoever gets it may keep it.
            let whole = look.part.iter().all(|part| matches!(part.as_str(), "json()" | "data" | "body" | "result"))
                && !matches!(look.deed, Deed::Logged | Deed::Tested | Deed::Called | Deed::Thrown);
            names_id || whole
        })
    }

    /// Where a payment vendor's webhook looks up by an address whom an event is about, and by no id anywhere.
    pub fn matched_by_address(&self, handler: &WebhookHandler) -> Option<CallRef> {
        let vendor = self.catalogue.vendor(handler.vendor?);
        if vendor.category != Category::Payments {
            return None;
        }
        let entry = &self.entries[handler.entry];
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let mut asked = Vec::new();
        for stop in &reach.stops {
            for call in self.calls_in(stop.function) {
                if let Some(column) = self.filtered_column(call) {
                    asked.push((call, column));
                }
            }
        }
        let by_id = |column: &str| {
            words(column).iter().any(|word| {
                matches!(word.as_str(), "id" | "customer" | "subscription" | "reference" | "order" | "session")
            })
        };
        if asked.iter().any(|(_, column)| by_id(column)) {
            return None;
        }
        asked.into_iter().find(|(_, column)| words(column).iter().any(|word| word == "email")).map(|(call, _)| call)
    }

    /// The column that a query is narrowed by: `.eq("email", ..)`, `where: { email }`.
    fn filtered_column(&self, call: CallRef) -> Option<String> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, name) = *facts.expr(shape.callee) else { return None };
        let first = shape.args.first()?;
        match (name.as_str(), facts.expr(first.value)) {
            ("eq" | "ilike" | "where" | "match", ExprKind::Text(column)) => Some(column.to_string()),
            ("findUnique" | "findFirst" | "update" | "updateMany", ExprKind::Object(entries)) => {
                let (_, condition) = *entries.iter().find(|(key, _)| *key == "where")?;
                let ExprKind::Object(columns) = facts.expr(condition) else { return None };
                columns.first().map(|(column, _)| column.to_string())
            }
            ("filter" | "filter_by" | "get", _) => first.name.map(|column| column.to_string()),
            _ => None,
        }
    }
}
