//! Which row a look at what is kept asks for: by what it is picked, no second run for it should do anything.

use super::{FARTHEST, StateChecks};
use crate::facts::{ExprId, ExprKind};
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
}

/// A row that is asked for before a call runs.
pub(in crate::program) struct AskedRow {
    /// The values that pick it.
    pub(in crate::program) picked: Vec<ExprId>,
    /// A field of it decides, not whether it is there.
    pub(in crate::program) field: bool,
}

impl StateChecks<'_> {
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
