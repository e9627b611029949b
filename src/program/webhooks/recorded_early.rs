//! Deliveries that are written down as handled before their work is done: when the work fails, the sender tries again,
//! and the second delivery finds the record and is turned away. The event is lost.

use rustc_hash::FxHashSet;

use crate::facts::{Block, BlockId, BlockKind, Call, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::paths::Reach;
use crate::program::repeats::counts::same_thing;
use crate::program::terms::always_before;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Edge, EdgeKind, Entry, FunctionRef, Program};

/// Words in the name of a column, or of what is asked of a row, that say how far the work has come.
const STATES: &[&str] = &[
    "status",
    "state",
    "stage",
    "processed",
    "processing",
    "handled",
    "completed",
    "complete",
    "done",
    "finished",
    "success",
    "succeeded",
    "failed",
    "pending",
    "attempts",
    "retries",
    "locked",
];

/// A delivery that is recorded too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedEarly {
    /// What writes it down.
    pub record: CallRef,
    /// The work that comes after.
    pub work: CallRef,
    /// What writes it down is a part of the work itself: the row of a payment.
    pub is_work: bool,
}

impl Program {
    /// Where a handler writes an event down before its work, turns away what is written down, and keeps the record
    /// when the work fails. None as well where that cannot be told.
    pub fn recorded_early(&self, handler: &WebhookHandler) -> Option<RecordedEarly> {
        let deeds = &handler.account.deeds;
        let entry = &self.entries[handler.entry];
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let functions: FxHashSet<FunctionRef> = reach.stops.iter().map(|stop| stop.function).collect();
        let found = deeds.iter().enumerate().find_map(|(position, deed)| {
            let record = deed.at;
            let table = self.table_of(record)?;
            let is_work = !deed.records;
            // `{ state: "failed" }` helps nobody where only that a row is there is asked.
            let unasked = !is_work && self.asks_no_state(record, table);
            let plain = || match unasked {
                true => self.is_record_of_all(record),
                false => self.is_plain_record(record),
            };
            let turns_away = match is_work {
                true => self.adds_what_it_looked_for(record, table),
                false => plain() && self.is_turned_away_by(record, table),
            };
            if !turns_away {
                return None;
            }
            let settles = |&function: &FunctionRef| self.settles(function, table, record, unasked);
            if functions.iter().any(settles) {
                return None;
            }
            let later =
                deeds[position + 1..].iter().filter(|work| !work.records && self.table_of(work.at) != Some(table));
            let weighs = |at: CallRef| {
                !is_work || self.keeps_by(at) && self.table_of(at).is_none_or(|table| !self.keeps_record(&table))
            };
            let later = later.map(|work| work.at).filter(|&work| weighs(work));
            let work = self.first_lost(entry, &reach, record, later)?;
            Some(RecordedEarly { record, work, is_work })
        });
        found.or_else(|| self.recorded_in_database(handler, &reach))
    }

    /// The record of the event that a handler makes before some work, and by which the next delivery is turned away.
    pub fn recorded_before_work(&self, handler: &WebhookHandler, work: CallRef) -> Option<CallRef> {
        let entry = &self.entries[handler.entry];
        let mut records = handler.account.deeds.iter().filter(|deed| deed.records).map(|deed| deed.at);
        records.find(|&record| {
            let Some(table) = self.table_of(record) else { return false };
            self.is_plain_record(record)
                && self.is_turned_away_by(record, table)
                && self.has_run_before(entry, record, work)
        })
    }

    /// The first work that is done after a record, and whose failure has the sender try again.
    pub(in crate::program) fn first_lost(
        &self,
        entry: &Entry,
        reach: &Reach,
        record: CallRef,
        mut later: impl Iterator<Item = CallRef>,
    ) -> Option<CallRef> {
        later.find(|&work| {
            let function = self.function_of(work);
            let way: Vec<Edge> = match reach.stops.iter().position(|stop| stop.function == function) {
                Some(stop) => reach.way(stop),
                None => return false,
            };
            // Seen from the function that keeps the record.
            let here = self.function_of(record);
            let first = match way.iter().rposition(|edge| self.function_of(edge.call) == here) {
                _ if function == here => work,
                Some(at) => way[at].call,
                None => return false,
            };
            self.comes_after(record, first) && self.fails_aloud(work) && self.loss_of(entry, &way, work).is_none()
        })
    }

    /// Whether nothing asks the rows of a table how far the work has come, so that no state that is kept there has it
    /// done again.
    pub(in crate::program) fn asks_no_state(&self, record: CallRef, table: Name) -> bool {
        let asks = |at: CallRef| {
            let facts = self.facts(at.file);
            let call = facts.call(at.call);
            facts.last_name(call.callee).is_some_and(|name| reads(&name) || name == "filter" || name == "in_")
                && call.args.iter().any(|arg| names_state(facts, arg.value, 3))
                && self.table_of(at) == Some(table)
        };
        let function = self.function_of(record);
        let mut bodies = self.database().histories.iter().flat_map(|history| history.functions.values());
        !reads_state(self.facts(function.file), function)
            && !bodies.any(|routine| routine.body.contains(table.as_str()))
            && !self.code().any(|(file, _)| self.calls_of(file).any(asks))
    }

    /// Whether a call adds a row that says nothing of how far the work has come.
    fn is_plain_record(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        self.is_record_of_all(at) && !call.args.iter().any(|arg| names_state(facts, arg.value, 5))
    }

    /// Whether a call adds a row for every event that comes in.
    fn is_record_of_all(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let ExprKind::Member(_, name) = facts.expr(call.callee) else { return false };
        let adds = matches!(name.as_str(), "insert" | "create" | "add" | "insertOne" | "insert_one" | "values");
        if !adds && !is_get_or_create(name) {
            return false;
        }
        // In all its blocks it runs for every event: nothing decides but whether writing it down failed.
        let function = facts.function_of(call.block);
        let decided =
            facts.enclosing(call.block).take_while(|(_, block)| block.function == function).any(|(_, block)| {
                !matches!(block.kind, BlockKind::Body | BlockKind::Try | BlockKind::Plain)
                    && !has_its_id(facts, block, call)
            });
        !decided
    }

    /// Whether events that a table holds are turned away: it was asked before, or it refuses a second row and that is
    /// understood.
    fn is_turned_away_by(&self, record: CallRef, table: Name) -> bool {
        let function = self.function_of(record);
        let facts = self.facts(record.file);
        let start = facts.span(facts.call(record.call).expr).start;
        if self.called_name(record).is_some_and(|name| is_get_or_create(&name)) {
            return self.leaves_where_found(record);
        }
        let asked = self.calls_in(function).any(|at| {
            let call = facts.call(at.call);
            facts.span(call.expr).end <= start
                && self.table_of(at) == Some(table)
                && matches!(facts.expr(call.callee), ExprKind::Member(_, name) if reads(name))
        });
        asked && self.runs_once([record]) || self.understands_refusal(function)
    }

    /// `event, created = events.get_or_create(..)`, then `if not created: return`.
    fn leaves_where_found(&self, record: CallRef) -> bool {
        let facts = self.facts(record.file);
        let call = facts.call(record.call);
        let made = |name: Name, block: BlockId| {
            let values = facts.lookup(block, name).map_or(&[][..], |def| &facts.def(def).values);
            values.iter().any(|&value| match facts.expr(value) {
                ExprKind::Index(base, _) => match facts.expr(*base) {
                    ExprKind::Await(inner) => *inner == call.expr,
                    _ => *base == call.expr,
                },
                _ => false,
            })
        };
        let leaves = |step: &Step| match step {
            Step::If { condition, then, .. } => match facts.expr(*condition) {
                ExprKind::Op(Op::Not, parts) => {
                    matches!(*facts.expr(parts[0]), ExprKind::Ref(name, block) if made(name, block))
                        && matches!(ending(facts, *then), Ending::Returns(_))
                }
                _ => false,
            },
            _ => false,
        };
        facts.block(call.block).steps.iter().any(leaves)
    }

    /// Whether a function looks for the error by which a database refuses a second row of the same key.
    pub fn understands_refusal(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Text(text) => {
                matches!(text.as_str(), "23505" | "P2002" | "ER_DUP_ENTRY" | "SQLITE_CONSTRAINT_UNIQUE")
                    || text.len() < 80 && (text.contains("duplicate key") || text.contains("unique constraint"))
            }
            // `error.code === 11000`: MongoDB's; alone it is a price.
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => {
                parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(number) if *number == 11_000.0))
                    && parts.iter().any(|&part| facts.last_name(part).is_some_and(|name| name == "code"))
            }
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => matches!(
                name.as_str(),
                "IntegrityError" | "UniqueViolation" | "UniqueViolationError" | "DuplicateKeyError"
            ),
            _ => false,
        })
    }

    /// `event.delete()`, `event.save()` of the record itself, which making it gave back.
    fn changes_made(&self, record: CallRef) -> bool {
        let facts = self.facts(record.file);
        let whole = facts.call(record.call).expr;
        let gives = |value: ExprId| match facts.expr(value) {
            ExprKind::Index(base, _) | ExprKind::Await(base) => *base == whole || gives_at(facts, *base, whole),
            _ => value == whole,
        };
        self.calls_in(self.function_of(record)).any(|at| {
            let ExprKind::Member(base, name) = facts.expr(facts.call(at.call).callee) else { return false };
            let ExprKind::Ref(row, block) = *facts.expr(*base) else { return false };
            matches!(name.as_str(), "delete" | "adelete" | "save" | "asave" | "destroy" | "remove" | "update")
                && facts.lookup(block, row).is_some_and(|def| facts.def(def).values.iter().any(|&value| gives(value)))
        })
    }

    /// Whether a function takes the record out again, marks it, asks it for its state, or does all in one transaction;
    /// a mark that is `unasked` for settles nothing.
    fn settles(&self, function: FunctionRef, table: Name, record: CallRef, unasked: bool) -> bool {
        let facts = self.facts(function.file);
        self.calls_in(function).any(|at| {
            let call = facts.call(at.call);
            let name = match facts.expr(call.callee) {
                ExprKind::Member(_, name) | ExprKind::Ref(name, _) => *name,
                _ => return false,
            };
            let lower = name.to_ascii_lowercase();
            if lower.contains("transaction") || lower == "begin" || lower == "atomic" || lower == "rpc" {
                // One that begins after the record was written takes nothing of it back.
                let later = function == self.function_of(record)
                    && facts.span(call.expr).start >= facts.span(facts.call(record.call).expr).end;
                return !later || lower == "rpc";
            }
            if at == record || self.table_of(at) != Some(table) {
                return false;
            }
            if unasked {
                return matches!(lower.as_str(), "delete" | "delete_one" | "deleteone" | "destroy" | "remove");
            }
            let asks_state = call.args.iter().any(|arg| names_state(facts, arg.value, 3));
            asks_state
                || !reads(&name) && !matches!(lower.as_str(), "insert" | "create" | "from" | "table" | "collection")
        }) || self.is_one_transaction(function)
            || function == self.function_of(record) && (reads_state(facts, function) || self.changes_made(record))
    }

    /// Whether all that a function does is one transaction, as a decorator says.
    fn is_one_transaction(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        facts.function(function.function).decorators.iter().any(|&mark| {
            let mark = match facts.expr(mark) {
                ExprKind::Call(call) => facts.call(*call).callee,
                _ => mark,
            };
            facts.last_name(mark).is_some_and(|name| {
                let name = name.to_ascii_lowercase();
                name.contains("atomic") || name.contains("transaction")
            })
        })
    }

    /// Whether one deed of a handler has run when another begins, as far as both hang on calls of one function.
    pub fn has_run_before(&self, entry: &Entry, first: CallRef, second: CallRef) -> bool {
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let way = |at: CallRef| {
            let function = self.function_of(at);
            let stop = reach.stops.iter().position(|stop| stop.function == function);
            let mut way: Vec<CallRef> =
                stop.map(|stop| reach.way(stop).iter().map(|edge| edge.call).collect()).unwrap_or_default();
            way.push(at);
            way
        };
        let (one, other) = (way(first), way(second));
        let parted = one.iter().zip(&other).find(|(one, other)| one != other);
        parted.is_some_and(|(&one, &other)| {
            self.function_of(one) == self.function_of(other)
                && (self.comes_after(one, other) || self.may_come_after(one, other))
        })
    }

    /// Whether a call stands further down than another that runs on a condition which does not rule it out.
    fn may_come_after(&self, first: CallRef, second: CallRef) -> bool {
        let facts = self.facts(first.file);
        let (one, other) = (facts.call(first.call), facts.call(second.call));
        if facts.span(one.expr).end > facts.span(other.expr).start {
            return false;
        }
        let around: Vec<_> = facts.enclosing(other.block).map(|(id, _)| id).collect();
        let asked = |block: &Block| match block.kind {
            BlockKind::Then(condition) => event_asked(facts, condition),
            _ => None,
        };
        let events: Vec<Name> = around.iter().filter_map(|&id| asked(facts.block(id))).collect();
        let mut arms = facts.enclosing(one.block).take_while(|(id, _)| !around.contains(id));
        arms.all(|(id, block)| match block.kind {
            BlockKind::Then(_) | BlockKind::Else(_) => {
                let other_arm = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
                    Step::If { then, otherwise: Some(otherwise), .. } => {
                        (*then == id && around.contains(otherwise)) || (*otherwise == id && around.contains(then))
                    }
                    _ => false,
                });
                let other_event = asked(block).is_some_and(|event| !events.is_empty() && !events.contains(&event));
                !other_arm && !other_event && ending(facts, id) == Ending::GoesOn
            }
            BlockKind::Try | BlockKind::Plain | BlockKind::Loop(_) => true,
            _ => false,
        })
    }

    /// Whether a call stands further down than another, where the first was run.
    fn comes_after(&self, first: CallRef, second: CallRef) -> bool {
        let facts = self.facts(first.file);
        let (one, other) = (facts.call(first.call), facts.call(second.call));
        facts.span(one.expr).end <= facts.span(other.expr).start && recorded_before(facts, one, other)
    }

    /// Whether the failure of a call stops the handler: it throws, or somebody looks at the error that it gives.
    fn fails_aloud(&self, at: CallRef) -> bool {
        match self.vendors_at(at).iter().find(|used| self.gives_errors(used)) {
            Some(_) => self.error_is_seen(at),
            None => true,
        }
    }
}

/// Whether whatever comes to `second` has come through `first`, all but what lacks the id that `first` writes down.
pub(in crate::program) fn recorded_before(facts: &Facts, first: &Call, second: &Call) -> bool {
    let mut around = facts.enclosing(first.block).map(|(_, block)| block);
    let asked = around.find(|block| !matches!(block.kind, BlockKind::Try | BlockKind::Plain));
    let outside = asked.filter(|block| has_its_id(facts, block, first)).and_then(|block| block.parent);
    always_before(facts, first, second)
        || outside.is_some_and(|block| always_before(facts, &Call { block, ..first.clone() }, second))
}

/// Whether a block only asks for what the row that a call adds is known by: `if (event.id) { insert({ id: event.id }) }`. It
/// is there in every delivery.
fn has_its_id(facts: &Facts, block: &Block, call: &Call) -> bool {
    let BlockKind::Then(condition) = block.kind else { return false };
    let asked = match facts.expr(condition) {
        ExprKind::Op(Op::Unequal, parts) => match parts[..] {
            [asked, none] if matches!(facts.expr(none), ExprKind::Null) => asked,
            _ => return false,
        },
        _ => condition,
    };
    let is_id = facts.last_name(asked).is_some_and(|name| words(&name).iter().any(|word| word == "id"));
    is_id && call.args.iter().any(|arg| holds(facts, arg.value, asked, 4))
}

/// Whether a row holds a value somewhere.
fn holds(facts: &Facts, row: ExprId, wanted: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let inside = |value: ExprId| holds(facts, value, wanted, depth);
    same_thing(facts, row, wanted)
        || match facts.expr(row) {
            ExprKind::Object(entries) => entries.iter().any(|&(_, value)| inside(value)),
            ExprKind::List(items) => items.iter().any(|&item| inside(item)),
            ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| inside(arg.value)),
            _ => false,
        }
}

/// `(await call)[0]`
fn gives_at(facts: &Facts, expr: ExprId, whole: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Await(inner) if *inner == whole)
}

/// The event that a condition asks for: `event.type === "order.paid"`.
fn event_asked(facts: &Facts, condition: ExprId) -> Option<Name> {
    let ExprKind::Op(Op::Equal, parts) = facts.expr(condition) else { return None };
    parts.iter().find_map(|&part| match facts.expr(part) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    })
}

/// Whether a method reads rows.
fn reads(name: &str) -> bool {
    ["select", "find", "get", "first", "query", "exists", "count", "eq", "limit", "single", "maybeSingle", "where"]
        .iter()
        .any(|part| name.starts_with(part))
}

/// Whether a method adds a row unless it is there, and says which of both.
fn is_get_or_create(name: &str) -> bool {
    matches!(name, "get_or_create" | "aget_or_create")
}

pub(super) fn is_state(name: &str) -> bool {
    words(name).iter().any(|word| STATES.contains(&word.as_str()))
}

/// Whether a row or a filter names a column that says how far the work has come.
pub(super) fn names_state(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match facts.expr(expr) {
        ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
            is_state(&key) && !matches!(facts.expr(value), ExprKind::Bool(true)) && !is_time(&key)
                || key == "..."
                || matches!(facts.expr(value), ExprKind::Object(_)) && names_state(facts, value, depth)
        }),
        ExprKind::List(items) => items.iter().any(|&item| names_state(facts, item, depth)),
        ExprKind::Text(text) => text.len() < 40 && is_state(text),
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
            Some(def) => facts.def(def).values.iter().any(|&value| names_state(facts, value, depth)),
            None => false,
        },
        _ => false,
    }
}

/// `processed_at`: when it came in, as most of these tables say.
fn is_time(column: &str) -> bool {
    words(column).last().is_some_and(|word| word == "at" || word == "on" || word == "time")
}

/// Whether a function asks what it read for how far the work has come: `if (existing.status === "done")`.
fn reads_state(facts: &Facts, function: FunctionRef) -> bool {
    let own = facts.blocks.iter().filter(|block| block.function == function.function);
    own.flat_map(|block| &block.steps).any(|step| match step {
        Step::If { condition, .. } => asks_state(facts, *condition, 5),
        _ => false,
    })
}

fn asks_state(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Member(base, name) => {
            is_state(name) && matches!(facts.expr(*base), ExprKind::Ref(..) | ExprKind::Member(..))
        }
        ExprKind::Op(_, parts) => parts.iter().any(|&part| asks_state(facts, part, depth)),
        ExprKind::Await(inner) => asks_state(facts, *inner, depth),
        _ => false,
    }
}
