//! Handlers that change two systems one after the other, and have no way back when the second fails.

use crate::catalogue::{Effect, VendorId};
use crate::facts::ExprKind;
use crate::program::terms::always_before;
use crate::program::{CallRef, Entry, EntryKind, FunctionRef, Program};

/// Names of calls that make several writes one, or undo what was done.
const WAYS_BACK: &[&str] = &[
    "transaction",
    "begin",
    "commit",
    "rollback",
    "atomic",
    "savepoint",
    "delete",
    "remove",
    "destroy",
    "cancel",
    "refund",
    "void",
    "revert",
    "undo",
    "compensate",
    "cleanup",
    "archive",
    "enqueue",
    "outbox",
    "retry",
    "rpc",
];

/// Two changes in two systems.
#[derive(Debug, Clone, Copy)]
pub struct PartialWrite {
    /// What is changed first.
    pub first: CallRef,
    /// What is changed then, and can fail.
    pub second: CallRef,
}

/// Which system a change is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    /// What the app keeps itself.
    Own,
    /// A vendor's.
    Vendor(VendorId),
}

impl Program {
    /// The first two changes that an entry point makes in two systems, when nothing ties them: no transaction, no way
    /// back, no state to go on from. Only what its own function does in sequence is looked at.
    pub fn partial_write(&self, entry: &Entry) -> Option<PartialWrite> {
        let asked = matches!(
            entry.kind,
            EntryKind::Route | EntryKind::EdgeFunction | EntryKind::ServerAction | EntryKind::Procedure
        );
        let function = entry.function;
        if !asked || self.has_way_back(function) {
            return None;
        }
        let changes: Vec<(CallRef, System)> =
            self.calls_in(function).filter_map(|call| Some((call, self.changed_system(call)?))).collect();
        changes.iter().enumerate().find_map(|(at, &(first, system))| {
            if self.is_deferred(first) || self.is_floating(first) || self.keeps_a_state(first) {
                return None;
            }
            let then = changes[at + 1..].iter().find(|(second, other)| {
                *other != system
                    && !self.is_deferred(*second)
                    && !self.is_floating(*second)
                    && self.follows(first, *second)
            });
            then.map(|&(second, _)| PartialWrite { first, second })
        })
    }

    /// The system that a call changes for good: a row, a customer, a charge. A message is none.
    fn changed_system(&self, call: CallRef) -> Option<System> {
        let (used, operation) = self.vendors_at(call).iter().find_map(|used| Some((used, self.operation(used)?)))?;
        let vendor = self.catalogue.vendor(used.vendor);
        let changes = matches!(operation.effect, Effect::Create | Effect::Update) && !operation.harmless;
        match vendor.own_backend {
            true => changes.then_some(System::Own),
            false => (changes && (operation.money || operation.person)).then_some(System::Vendor(used.vendor)),
        }
    }

    /// Whether a function undoes, ties together or hands over what it does.
    fn has_way_back(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        self.with_inner(function).into_iter().any(|inner| {
            self.calls_in(inner).any(|call| {
                let name = facts.last_name(facts.call(call.call).callee);
                name.is_some_and(|name| {
                    let lower = name.to_ascii_lowercase();
                    lower == "del" || WAYS_BACK.iter().any(|part| lower.contains(part))
                })
            })
        })
    }

    /// Whether a row says that its work is not done yet: `{ status: "pending" }`.
    fn keeps_a_state(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        facts.call(call.call).args.iter().any(|arg| match facts.expr(arg.value) {
            ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
                matches!(key.as_str(), "status" | "state") && matches!(facts.expr(value), ExprKind::Text(_))
            }),
            _ => false,
        })
    }

    /// Whether a call stands on the way that leads on from another: not in another arm, nor where the first failed.
    fn follows(&self, first: CallRef, second: CallRef) -> bool {
        let facts = self.facts(first.file);
        let (one, other) = (facts.call(first.call), facts.call(second.call));
        !self.runs_on_failure(second)
            && facts.span(one.expr).end <= facts.span(other.expr).start
            && always_before(facts, one, other)
    }
}
