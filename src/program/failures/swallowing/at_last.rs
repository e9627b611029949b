//! Calls in a `finally`: they tidy up after what was done, and what was done stands without them.

use crate::catalogue::Effect;
use crate::facts::{BlockKind, ExprKind};
use crate::program::{CallRef, EdgeKind, Program};

use super::Failing;

impl Program {
    /// Whether a call stands in a `finally` and what fails there only tidies up: it makes and sends nothing, and of a
    /// webhook's rows it takes some away.
    pub(super) fn is_left_for_last(&self, at: CallRef, failing: Failing) -> bool {
        let effects = || {
            let used = self.vendors_at(failing.at).iter();
            used.filter_map(|used| self.operation(used)).map(|operation| operation.effect)
        };
        let tidies = if failing.webhook {
            effects().any(|effect| effect == Effect::Delete)
        } else {
            !effects().any(|effect| {
                matches!(effect, Effect::Create | Effect::Send | Effect::Upload | Effect::Generate | Effect::Invoke)
            })
        };
        tidies && self.is_in_finally(at)
    }

    fn is_in_finally(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let block = facts.call(at.call).block;
        let function = facts.function_of(block);
        let mut around = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        around.any(|(_, block)| block.kind == BlockKind::Finally)
            // `.finally(() => ..)`
            || self.incoming(self.function_of(at)).iter().any(|edge| {
                let facts = self.facts(edge.call.file);
                let callee = facts.expr(facts.call(edge.call.call).callee);
                edge.kind == EdgeKind::Callback && matches!(callee, ExprKind::Member(_, name) if *name == *"finally")
            })
    }
}
