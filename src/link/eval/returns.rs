//! What the functions of a file give back.

use crate::facts::{ExprId, Facts, FunctionId, Step};

/// The returned expressions of each function of a file, in source order.
#[derive(Default)]
pub(super) struct Returns {
    exprs: Vec<(FunctionId, ExprId)>,
}

impl Returns {
    pub(super) fn new(facts: &Facts) -> Self {
        let steps = facts.blocks.iter().flat_map(|block| block.steps.iter().map(move |step| (block.function, step)));
        let returned = steps.filter_map(|(function, step)| match step {
            Step::Return(Some(value)) => Some((function, *value)),
            _ => None,
        });
        let mut exprs: Vec<(FunctionId, ExprId)> = returned.collect();
        exprs.sort_by_key(|&(function, _)| function);
        exprs.shrink_to_fit();
        Self { exprs }
    }

    pub(super) fn of(&self, function: FunctionId) -> impl Iterator<Item = ExprId> + '_ {
        let from = self.exprs.partition_point(|&(of, _)| of < function);
        self.exprs[from..].iter().take_while(move |&&(of, _)| of == function).map(|&(_, value)| value)
    }
}
