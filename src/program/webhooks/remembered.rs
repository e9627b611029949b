//! What a path and the deliveries that follow it write: a look at what is kept tells of an earlier run only where it
//! asks for something that a run writes. A role, a price or a switch tells nothing.

use rustc_hash::FxHashSet;

use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::names::Name;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

/// First words of names of calls that write what they are handed.
const WRITES: &[&str] = &[
    "insert",
    "update",
    "upsert",
    "create",
    "save",
    "set",
    "values",
    "add",
    "patch",
    "put",
    "record",
    "store",
    "mark",
    "increment",
    "log",
    "append",
    "push",
    "transition",
    "complete",
    "confirm",
    "finish",
    "book",
    "merge",
    "replace",
    "bulk",
];

/// First words of functions of a database that only ask.
const ASKS: &[&str] = &["is", "has", "get", "fetch", "list", "find", "count", "user", "current"];

/// What runs write.
#[derive(Debug, Default)]
pub struct Written {
    /// The names of columns, in small letters without underscores.
    names: FxHashSet<String>,
    /// The tables, as far as they are named.
    tables: FxHashSet<Name>,
    /// Something is written that cannot be seen: by a function of the database.
    unseen: bool,
}

impl Written {
    /// Whether a column may be written.
    pub fn column(&self, name: &str) -> bool {
        self.unseen || self.names.contains(&plain(name))
    }

    /// Whether a table may be.
    pub fn table(&self, name: Name) -> bool {
        self.unseen || self.tables.contains(&name)
    }
}

impl Program {
    /// Whether something is asked of a set or map that lives in memory: each instance has its own.
    pub fn asked_in_memory(&self, functions: &[FunctionRef]) -> Option<CallRef> {
        functions.iter().flat_map(|&function| self.calls_in(function)).find(|&at| {
            let facts = self.facts(at.file);
            let asks = matches!(facts.expr(facts.call(at.call).callee), ExprKind::Member(_, name) if matches!(name.as_str(), "has" | "get" | "includes"));
            // Which kinds of events are wanted is no memory of those that came.
            let of_kind = facts.call(at.call).args.first().and_then(|arg| facts.last_name(arg.value));
            let is_kind = of_kind.is_some_and(|name| words(&name).iter().any(|word| word == "type" || word == "topic"));
            asks && !is_kind && self.callee(at).externals().any(|external| {
                matches!(external.package.as_str(), "global:Map" | "global:Set" | "global:WeakMap") && {
                    let receiver = words(&self.call_text(at));
                    receiver.iter().any(|word| matches!(word.as_str(), "processed" | "seen" | "handled" | "events" | "webhooks" | "deliveries" | "dedup" | "idempotency"))
                }
            })
        })
    }

    /// What an entry's path writes, and the handlers of deliveries, which go on where it ends.
    pub fn written_by_run(&self, origin: &Origin) -> Written {
        let file = |entry: usize| self.entries[entry].place.file;
        let handlers = self.webhook_handlers().iter().map(|handler| handler.entry);
        let own = handlers.filter(|&handler| self.share_app(file(handler), file(origin.entry)));
        self.written_from(own.chain([origin.entry]))
    }

    /// What the path of an entry alone writes.
    pub(in crate::program) fn written_by_entry(&self, entry: usize) -> Written {
        self.written_from([entry])
    }

    fn written_from(&self, starts: impl IntoIterator<Item = usize>) -> Written {
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        let mut written = Written::default();
        for entry in starts {
            let reach = self.reach(self.entries[entry].function, |edge| edge.kind != EdgeKind::Jump);
            for function in reach.stops.iter().map(|stop| stop.function).filter(|&function| seen.insert(function)) {
                self.written_in(function, &mut written);
            }
        }
        written
    }

    fn written_in(&self, function: FunctionRef, written: &mut Written) {
        let facts = self.facts(function.file);
        for at in self.calls_in(function) {
            let call = facts.call(at.call);
            let name = self.called_name(at);
            let first = name.and_then(|name| words(&name).first().cloned()).unwrap_or_default();
            let own = self.writes_own(at);
            if own {
                written.tables.extend(self.table_of(at));
            }
            written.unseen |= self.runs_unseen(at);
            // `Order(..)`, `get_or_create(..)`
            let makes = name.is_some_and(|name| name.starts_with(char::is_uppercase) || name.contains("create"));
            let writes = own || makes || WRITES.contains(&first.as_str());
            for arg in &call.args {
                if writes {
                    written.names.extend(arg.name.map(|name| plain(&name)));
                    names_in(facts, arg.value, &mut written.names, 6);
                }
                statement_in(facts, arg.value, &mut written.names, 4);
            }
        }
        // `bill.status = "paid"`
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        for step in own.flat_map(|block| &block.steps) {
            match step {
                Step::Assign(target, _) => {
                    if let ExprKind::Member(_, name) = facts.expr(*target) {
                        written.names.insert(plain(name));
                    }
                }
                Step::Bind(_, value) | Step::Return(Some(value)) => names_in(facts, *value, &mut written.names, 6),
                _ => {}
            }
        }
    }

    /// Whether a call runs a function of the own backend that may write.
    fn runs_unseen(&self, at: CallRef) -> bool {
        let invokes = self.vendors_at(at).iter().any(|used| {
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|operation| operation.effect == Effect::Invoke)
        });
        invokes && !self.tells_only(at)
    }

    /// Whether a function of the own backend, by its name, only tells something: `rpc("is_admin")`.
    pub(in crate::program) fn tells_only(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let Some(ExprKind::Text(name)) = facts.call(at.call).args.first().map(|arg| facts.expr(arg.value)) else {
            return false;
        };
        let words = words(name);
        words.first().is_some_and(|first| ASKS.contains(&first.as_str()))
            || words.iter().any(|word| matches!(word.as_str(), "admin" | "role" | "permission" | "access"))
    }
}

impl Program {
    /// Whether a function of the database, by its name, tells what somebody may do: `rpc("has_role")`. That is the same
    /// after a run as before it.
    pub(in crate::program) fn asks_rights(&self, at: CallRef) -> bool {
        /// Words of rights, and of who has them.
        const RIGHTS: &[&str] =
            &["admin", "role", "roles", "permission", "permissions", "access", "staff", "owner", "member", "allowed"];
        let named = self.database_function(at);
        named.is_some_and(|name| words(&name).iter().any(|word| RIGHTS.contains(&word.as_str())))
    }
}

/// The keys of what is handed to a call.
fn names_in(facts: &Facts, expr: ExprId, names: &mut FxHashSet<String>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Object(entries) => entries.iter().for_each(|(key, value)| {
            names.insert(plain(key));
            names_in(facts, *value, names, depth);
        }),
        ExprKind::List(items) => items.iter().for_each(|&item| names_in(facts, item, names, depth)),
        ExprKind::Op(_, parts) => parts.iter().for_each(|&part| names_in(facts, part, names, depth)),
        ExprKind::Spread(inner) | ExprKind::Await(inner) => names_in(facts, *inner, names, depth),
        _ => {}
    }
}

/// The words of a statement that writes.
fn statement_in(facts: &Facts, expr: ExprId, names: &mut FxHashSet<String>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Text(text) => {
            let lower = text.to_ascii_lowercase();
            if ["insert ", "update ", " set ", "merge "].iter().any(|verb| lower.contains(verb)) {
                let told = lower.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                names.extend(told.filter(|word| !word.is_empty()).map(plain));
            }
        }
        ExprKind::Template(parts) | ExprKind::Op(_, parts) | ExprKind::List(parts) => {
            parts.iter().for_each(|&part| statement_in(facts, part, names, depth));
        }
        ExprKind::Call(call) => {
            facts.call(*call).args.iter().for_each(|arg| statement_in(facts, arg.value, names, depth));
        }
        _ => {}
    }
}

/// `payment_status` and `paymentStatus` are one column.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}
