//! States of rows that functions are handed: what they compare stands in their callers.

use super::{Kept, StateChecks};
use crate::program::verify::words;
use crate::program::{ExprRef, FunctionRef};

impl StateChecks<'_> {
    /// What a parameter tells that is named for a state: `if (previous === next) return` in what every caller hands
    /// the state of its row.
    pub(super) fn kept_by_callers(&self, function: FunctionRef, position: usize, depth: usize) -> Option<Kept> {
        const MOST: usize = 6;
        let name = self.program.facts(function.file).function(function.function).params.get(position)?.name?;
        let states = ["status", "state", "previous", "prev", "old", "before", "processed", "existing"];
        if !words(&name).iter().any(|word| states.contains(&word.as_str())) {
            return None;
        }
        let callers = self.program.callers(function);
        let handed = callers.iter().take(MOST).map(|call| {
            let args = &self.program.facts(call.file).call(call.call).args;
            let named = args.iter().find(|arg| arg.name == Some(name));
            let arg = named.or_else(|| args.get(position).filter(|arg| arg.name.is_none()))?;
            self.kept(ExprRef::new(call.file, arg.value), depth)
        });
        let all: Option<Vec<Kept>> = handed.collect();
        all?.into_iter().next()
    }
}
