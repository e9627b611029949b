//! The kinds of failures that a handler is for.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ClassRef, ExprRef, Program, Value};

use super::{Failing, blocks_within, is_bad_status};

impl Program {
    /// Whether a handler is for failures that are no vendor's: of parsing, of missing keys, of things not found.
    pub(super) fn is_for_something_else(&self, file: FileId, block: BlockId, failing: Failing) -> bool {
        let facts = self.facts(file);
        let BlockKind::Catch(Some(kind)) = facts.block(block).kind else { return false };
        let mut kinds = match facts.expr(kind) {
            ExprKind::List(items) => items.to_vec(),
            _ => vec![kind],
        };
        let does_something = !facts.block(block).steps.is_empty();
        // The vendor's every failure, answered by nothing but an empty value.
        let gives_up = matches!(facts.block(block).steps[..], [Step::Return(Some(value))] if is_empty(facts, value));
        kinds.retain(|&kind| match facts.expr(kind) {
            ExprKind::Member(..) if gives_up && is_any_failure(facts, kind) => true,
            // A certain failure of the vendor is answered by doing something about it.
            ExprKind::Member(..) if does_something => false,
            ExprKind::Ref(name, _)
                if matches!(name.as_str(), "Exception" | "BaseException" | "RequestException" | "HTTPError") =>
            {
                true
            }
            ExprKind::Ref(name, _) => {
                !does_something && !is_of_one_thing(name) && self.stands_for(ExprRef::new(file, kind), failing)
            }
            ExprKind::Member(base, name) => {
                let package = matches!(facts.expr(*base), ExprKind::Ref(name, _) if matches!(name.as_str(), "json" | "jwt" | "socket"));
                !package && !is_of_one_thing(name)
            }
            _ => true,
        });
        kinds.is_empty()
    }

    /// Whether a class named alone is what a failing call throws: its package's own, or the program's, thrown where
    /// the call fails.
    fn stands_for(&self, kind: ExprRef, failing: Failing) -> bool {
        let requests = self.requests_at(failing.at);
        let senders: Vec<CallRef> = requests.iter().map(|http| http.inner).chain([failing.at]).collect();
        let root = |package: Name| package.split('.').next().unwrap_or_default().to_owned();
        self.value(kind).alternatives().iter().any(|value| match value {
            Value::External(class) => {
                let of = root(class.package);
                senders.iter().any(|&call| self.external(call).is_some_and(|sent| root(sent.package) == of))
                    // What Python's own mail client throws goes through a framework's.
                    || of == "py:smtplib" && requests.iter().any(|http| http.method.is_some_and(|name| name == "SEND"))
            }
            Value::Class(class) => senders.iter().any(|&call| self.is_thrown_for(call, *class)),
            _ => false,
        })
    }

    /// Whether the function that makes a call throws a class of the program when the call fails: in a handler around
    /// it, or where its status is looked at.
    fn is_thrown_for(&self, call: CallRef, class: ClassRef) -> bool {
        let facts = self.facts(call.file);
        let own = facts.function_of(facts.call(call.call).block);
        let tested = self.tests_of_status(call);
        let around: Vec<BlockId> = facts.enclosing(facts.call(call.call).block).map(|(id, _)| id).collect();
        let throws = |block: BlockId| {
            blocks_within(facts, block).iter().flat_map(|&id| &facts.block(id).steps).any(|step| match step {
                Step::Throw(Some(thrown)) => {
                    let thrown = self.value(ExprRef::new(call.file, *thrown));
                    thrown.alternatives().iter().any(|value| match value {
                        Value::Instance(made) | Value::Class(made) => self.is_kind_of(*made, class, 6),
                        _ => false,
                    })
                }
                _ => false,
            })
        };
        let mut steps = facts.blocks.iter().filter(|block| block.function == own).flat_map(|block| &block.steps);
        steps.any(|step| match step {
            Step::If { condition, then, .. } => is_bad_status(facts, *condition, &tested) && throws(*then),
            Step::Try { body, handlers, .. } => {
                around.contains(body) && handlers.iter().any(|&handler| throws(handler))
            }
            _ => false,
        })
    }

    /// Whether a class of the program is another, or comes from it.
    fn is_kind_of(&self, class: ClassRef, wanted: ClassRef, depth: usize) -> bool {
        class == wanted
            || depth > 0
                && self.facts(class.file).classes[class.class.index()].bases.iter().any(|&base| {
                    let base = self.value(ExprRef::new(class.file, base));
                    base.alternatives()
                        .iter()
                        .any(|base| matches!(base, Value::Class(base) if self.is_kind_of(*base, wanted, depth - 1)))
                })
    }
}

/// Whether a class of failures says one thing that is no outage: nothing there, not understood, not signed.
fn is_of_one_thing(name: &str) -> bool {
    ["NotFound", "DoesNotExist", "Signature", "JSON", "Decode"].iter().any(|word| name.contains(word))
}

/// Whether a value holds nothing.
fn is_empty(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::List(items) => items.is_empty(),
        ExprKind::Object(entries) => entries.is_empty(),
        ExprKind::Text(text) => text.is_empty(),
        ExprKind::Number(number) => *number == 0.0,
        _ => false,
    }
}

/// Whether a class stands for all that can fail with a vendor: `stripe.StripeError`, `openai.APIError`.
fn is_any_failure(facts: &Facts, kind: ExprId) -> bool {
    let ExprKind::Member(base, name) = facts.expr(kind) else { return false };
    let mut root = *base;
    while let ExprKind::Member(inner, _) = facts.expr(root) {
        root = *inner;
    }
    let ExprKind::Ref(package, _) = facts.expr(root) else { return false };
    let (package, name) = (package.to_ascii_lowercase(), name.to_ascii_lowercase());
    let rest = name.strip_prefix(&package).or_else(|| name.strip_prefix("api")).unwrap_or("");
    matches!(rest, "error" | "exception")
}
