//! What a value is of a row that was read from what the app keeps: the row, a field of it, and by which query.

use super::{FARTHEST, StateChecks};
use crate::program::{CallRef, ExprRef, Program};

impl Program {
    /// Whether a value is a row, or a list of rows, as it was read from what the app keeps.
    pub(crate) fn is_kept_row(&self, value: ExprRef) -> bool {
        let kept = StateChecks { program: self, written: None }.kept(value, FARTHEST);
        kept.is_some_and(|kept| !kept.field && !kept.fault && !kept.claim && !kept.says_new)
    }

    /// The query that a row was read by.
    pub(in crate::program) fn row_read(&self, row: ExprRef) -> Option<CallRef> {
        let kept = StateChecks { program: self, written: None }.kept(row, FARTHEST)?;
        kept.read.filter(|_| !kept.field && !kept.fault)
    }

    /// Whether a value is a field of a row, as it was read from what the app keeps.
    pub(crate) fn is_kept_field(&self, value: ExprRef) -> bool {
        let kept = StateChecks { program: self, written: None }.kept(value, FARTHEST);
        kept.is_some_and(|kept| kept.field && !kept.fault && !kept.claim && !kept.says_new)
    }
}
