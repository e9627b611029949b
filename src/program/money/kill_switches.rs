//! Whether a setting, a flag or a key that may be missing decides that a call is made.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Step};
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, Program};

/// Words of what turns things on and off.
const SWITCHES: &[&str] = &[
    "enabled",
    "enable",
    "disabled",
    "disable",
    "flag",
    "flags",
    "feature",
    "features",
    "toggle",
    "switch",
    "configured",
    "config",
    "setting",
    "settings",
    "optional",
    "killswitch",
    "rollout",
    "experiment",
    "mode",
    "env",
];

impl Program {
    /// Whether one of the calls on a way is made only while something is set or switched on.
    pub fn is_switched(&self, way: impl IntoIterator<Item = CallRef>) -> bool {
        way.into_iter().any(|at| {
            let facts = self.facts(at.file);
            let call = facts.call(at.call);
            let start = facts.span(call.expr).start;
            let function = facts.function_of(call.block);
            facts.enclosing(call.block).take_while(|(_, block)| block.function == function).any(|(_, block)| {
                let arm = match block.kind {
                    BlockKind::Then(condition) | BlockKind::Else(condition) => self.switches(at, condition),
                    _ => false,
                };
                arm || block.steps.iter().any(|step| self.leaves_by_switch(facts, at, step, start))
            })
        })
    }

    /// `if (!process.env.CRM_KEY) return` before the call.
    fn leaves_by_switch(&self, facts: &Facts, at: CallRef, step: &Step, start: u32) -> bool {
        let Step::If { condition, then, .. } = step else { return false };
        let leaves = |block: BlockId| facts.block(block).span.end <= start && ending(facts, block) != Ending::GoesOn;
        leaves(*then) && self.switches(at, *condition)
    }

    /// Whether a condition asks for a setting.
    fn switches(&self, at: CallRef, condition: ExprId) -> bool {
        let facts = self.facts(at.file);
        let span = facts.span(condition);
        let inside = (0..facts.exprs.len() as u32).map(ExprId).filter(|&expr| span.contains(facts.span(expr)));
        inside.into_iter().any(|expr| match facts.expr(expr) {
            ExprKind::Env(_) => true,
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                words(name).iter().any(|word| SWITCHES.contains(&word.as_str()))
                    || !self.value(ExprRef::new(at.file, expr)).envs().is_empty()
            }
            ExprKind::Text(text) => {
                words(text).iter().any(|word| matches!(word.as_str(), "enabled" | "feature" | "flag"))
            }
            _ => false,
        })
    }
}
