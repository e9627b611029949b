//! Deliveries that a function of the database writes down before their work: `rpc("note_event")` inserts the event's id and
//! answers whether it was there. What fails after it is turned away the next time.

use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::names::Name;
use crate::program::paths::Reach;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::webhooks::recorded_early::RecordedEarly;
use crate::program::{CallRef, ExprRef, Program};

/// Words in a table's name that say that it holds deliveries.
const DELIVERIES: &[&str] =
    &["event", "events", "webhook", "webhooks", "delivery", "deliveries", "idempotency", "processed", "dedup"];

/// Words in a function's body by which it looks how far the work has come, or takes the record out.
const SETTLES: &[&str] =
    &["status", "state", "processing", "attempts", "completed", "locked", "delete from", "handled_at"];

impl Program {
    /// A delivery that a function of the database records, where nothing takes the record out when the work fails.
    pub(in crate::program) fn recorded_in_database(
        &self,
        handler: &WebhookHandler,
        reach: &Reach,
    ) -> Option<RecordedEarly> {
        let entry = &self.entries[handler.entry];
        let functions: Vec<_> = reach.stops.iter().map(|stop| stop.function).collect();
        let calls: Vec<CallRef> = functions.iter().flat_map(|&function| self.calls_in(function)).collect();
        let bodies: Vec<(CallRef, String)> =
            calls.iter().filter_map(|&at| Some((at, self.body_in_database(at)?))).collect();
        bodies.iter().find_map(|(record, body)| {
            let table = claimed_table(body)?;
            let settled = bodies.iter().any(|(at, other)| at != record && other.contains(table.as_str()))
                || calls.iter().any(|&at| self.table_of(at) == Some(table));
            if settled || !self.leaves_by_answer(*record) {
                return None;
            }
            let deeds = handler.account.deeds.iter().filter(|deed| !deed.records && deed.at != *record);
            let work = self.first_lost(entry, reach, *record, deeds.map(|deed| deed.at))?;
            Some(RecordedEarly { record: *record, work, is_work: false })
        })
    }

    /// The body of the function of the database that a call runs, in small letters and with single spaces.
    fn body_in_database(&self, at: CallRef) -> Option<String> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let name = facts
            .last_name(call.callee)
            .filter(|name| *name == "rpc")
            .and_then(|_| self.value(ExprRef::new(at.file, call.args.first()?.value)).text())?;
        let mut known = self.database().histories.iter().flat_map(|history| &history.functions);
        let (_, routine) = known.find(|(id, _)| id.name == name && id.schema == "public")?;
        Some(routine.body.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Whether what a call answers has its function leave: `if (known) return`.
    fn leaves_by_answer(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let function = facts.function_of(facts.call(at.call).block);
        let after = facts.span(facts.call(at.call).expr).end;
        let own = facts.blocks.iter().filter(|block| block.function == function);
        own.flat_map(|block| &block.steps).any(|step| match *step {
            Step::If { condition, then, .. } => {
                facts.span(condition).start >= after
                    && matches!(ending(facts, then), Ending::Returns(_))
                    && is_answer(facts, condition, at, 8)
            }
            _ => false,
        })
    }
}

/// Whether a condition asks what a call answered, and not whether it failed.
fn is_answer(facts: &Facts, expr: ExprId, at: CallRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |expr: ExprId| is_answer(facts, expr, at, depth);
    match facts.expr(expr) {
        ExprKind::Call(call) => *call == at.call,
        ExprKind::Await(inner) | ExprKind::Index(inner, _) => next(*inner),
        ExprKind::Member(base, name) => *name != "error" && next(*base),
        ExprKind::Op(_, parts) => parts.iter().any(|&part| next(part)),
        ExprKind::Ref(name, block) => {
            facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
        }
        _ => false,
    }
}

/// The table of deliveries into which a body inserts and says whether the row was there; none where it looks how far the
/// work has come.
fn claimed_table(body: &str) -> Option<Name> {
    let refuses = body.contains("unique_violation") || body.contains("on conflict");
    let answers = ["return true", "return false", "returning", "return found", "return not", "row_count"]
        .iter()
        .any(|word| body.contains(word));
    if !refuses
        || !answers
        || SETTLES.iter().any(|word| body.contains(word))
        || body.matches("insert into").count() != 1
    {
        return None;
    }
    let (_, rest) = body.split_once("insert into ")?;
    let named = rest.split([' ', '(']).next()?;
    let table = named.rsplit('.').next()?.trim_matches('"');
    words(table).iter().any(|word| DELIVERIES.contains(&word.as_str())).then(|| Name::new(table))
}
