//! Which row a look at what is kept asks for: by what it is picked, no second run for it should do anything.

use super::{FARTHEST, StateChecks};
use crate::facts::{CallId, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::webhooks::remembered::Written;
use crate::program::{CallRef, ExprRef, Program};

impl Program {
    /// What picks the row that is asked for last before a call runs: `d.id` and `s.id` of
    /// `.eq("doctor_id", d.id).eq("step_id", s.id)`, constants left out. None where no such look is seen, or what picks
    /// the row is not.
    pub(in crate::program) fn row_asked_before(&self, at: CallRef, written: &Written) -> Option<AskedRow> {
        let checks = StateChecks { program: self, written: Some(written) };
        let (read, field) =
            checks.deciding(at).into_iter().find_map(|condition| checks.read_in(at, condition, FARTHEST))?;
        // Names mean what they mean here only where the look stands in the same function.
        let here = self.function_of(read) == self.function_of(at);
        let picked = here.then(|| self.picked_by(read)).flatten()?;
        Some(AskedRow { picked, field })
    }

    /// The write by which a second run of a call is kept from it, though the first may have failed there: a row is added
    /// that is asked for before, or the field of it is set that is.
    pub fn kept_from_by(&self, at: CallRef) -> Option<CallRef> {
        let checks = StateChecks { program: self, written: None };
        let facts = self.facts(at.file);
        let start = facts.span(facts.call(at.call).expr).start;
        checks.deciding(at).into_iter().find_map(|condition| {
            let read = checks.asked_in(at, condition, FARTHEST)?;
            let table = self.table_of(read)?;
            let fields = fields_in(facts, condition);
            let keeps = |&other: &CallRef| {
                other != read
                    && facts.span(facts.call(other.call).expr).end <= start
                    && self.table_of(other) == Some(table)
                    && self.writes_own(other)
                    && (self.may_add_a_row_once(other) || checks.sets_any(other, &fields))
                    && checks.before(other)
                    && checks.is_on_the_way(other, at)
            };
            self.calls_in(self.function_of(at)).find(keeps)
        })
    }

    /// The calls whose answers decide that a call runs: looks at what is kept, claims, and own functions that do either.
    pub(in crate::program) fn looks_before(&self, at: CallRef) -> Vec<CallRef> {
        let checks = StateChecks { program: self, written: None };
        let conditions = checks.deciding(at).into_iter();
        conditions.filter_map(|condition| checks.asked_in(at, condition, FARTHEST)).collect()
    }
}

/// Whether the row that a call is given keeps fields as they were read, where it names them at all:
/// `upsert({ owner, customer, status: row?.status || "free" })`.
fn keeps_as_read(facts: &Facts, call: CallId, fields: &[Name]) -> bool {
    let as_read = |key: Name, value: ExprId| {
        let read = match facts.expr(value) {
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts[0],
            _ => value,
        };
        matches!(facts.expr(read), ExprKind::Member(_, name) if *name == key)
    };
    let row = facts.call(call).args.first().map(|arg| facts.expr(arg.value));
    let Some(ExprKind::Object(entries)) = row else { return false };
    entries.iter().all(|&(key, value)| key != "..." && (!fields.contains(&key) || as_read(key, value)))
}

/// A row that is asked for before a call runs.
pub(in crate::program) struct AskedRow {
    /// The values that pick it.
    pub(in crate::program) picked: Vec<ExprId>,
    /// A field of it decides, not whether it is there.
    pub(in crate::program) field: bool,
}

/// The fields that a condition asks for.
fn fields_in(facts: &Facts, condition: ExprId) -> Vec<Name> {
    let span = facts.span(condition);
    let inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
    inside
        .filter_map(|expr| match expr.kind {
            ExprKind::Member(_, name) => Some(name),
            _ => None,
        })
        .collect()
}

impl StateChecks<'_> {
    /// Whether a row is written before a call, new or not, and says after it what it said before in all that decides that
    /// the call runs: a customer's id, where it is the state that is asked.
    pub(super) fn says_as_before(&self, write: CallRef, at: CallRef) -> bool {
        if self.program.called_name(write).is_none_or(|name| name != "upsert") {
            return false;
        }
        let facts = self.program.facts(at.file);
        let table = self.program.table_of(write);
        let deciding = self.deciding(at);
        let is_kept = |&condition: &ExprId| {
            let of_row = |(read, field)| field && self.program.table_of(read) == table;
            self.read_in(at, condition, FARTHEST).is_some_and(of_row)
                && keeps_as_read(facts, write.call, &fields_in(facts, condition))
        };
        table.is_some() && !deciding.is_empty() && deciding.iter().all(is_kept)
    }

    /// Whether a write sets one of some fields, in the row it is handed or in one that was put together before.
    fn sets_any(&self, write: CallRef, fields: &[Name]) -> bool {
        let facts = self.program.facts(write.file);
        let in_object = |value: ExprId| match facts.expr(value) {
            ExprKind::Object(entries) => entries.iter().any(|(key, _)| fields.contains(key)),
            _ => false,
        };
        let before = |value: ExprId| match facts.expr(value) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map_or(&[][..], |def| &facts.def(def).values);
                values.iter().any(|&value| in_object(value))
            }
            _ => false,
        };
        self.program.fields_written(write).iter().any(|field| fields.contains(field))
            || facts.call(write.call).args.iter().any(|arg| before(arg.value))
    }

    /// The call whose answer a condition asks about.
    fn asked_in(&self, at: CallRef, condition: ExprId, depth: usize) -> Option<CallRef> {
        let depth = depth.checked_sub(1)?;
        match self.program.facts(at.file).expr(condition) {
            ExprKind::Op(_, parts) => parts.iter().find_map(|&part| self.asked_in(at, part, depth)),
            _ => self.kept(ExprRef::new(at.file, condition), FARTHEST)?.read,
        }
    }

    /// The read whose answer a condition asks about, and whether a field of it is asked.
    fn read_in(&self, at: CallRef, condition: ExprId, depth: usize) -> Option<(CallRef, bool)> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        match facts.expr(condition) {
            ExprKind::Op(_, parts) => parts.iter().find_map(|&part| self.read_in(at, part, depth)),
            _ => {
                let kept = self.kept(ExprRef::new(at.file, condition), FARTHEST)?;
                kept.read.filter(|_| !kept.fault && !kept.claim).map(|read| (read, kept.field))
            }
        }
    }
}
