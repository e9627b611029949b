//! Failures that are written down by a flag: `let sent = false; try { ..; sent = true } catch {}`, and then
//! `insert({ sent })`. Whoever works the rows off sees what did not go well.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, DefId, ExprId, ExprKind, Step};
use crate::finding::FileId;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Program};

/// How deep a row is looked for around a flag.
const DEEPEST: usize = 6;

impl Program {
    /// Whether a guarded block sets a flag when it has gone well, and that is kept in a row afterwards.
    pub fn failure_is_stored(&self, file: FileId, body: BlockId) -> bool {
        let facts = self.facts(file);
        let span = facts.block(body).span;
        let inside = facts.blocks.iter().filter(|block| span.contains(block.span));
        let set = inside.flat_map(|block| &block.steps).filter_map(|step| match step {
            Step::Bind(def, value) if matches!(facts.expr(*value), ExprKind::Bool(true)) => Some(*def),
            _ => None,
        });
        set.into_iter().any(|def| self.starts_false(file, def) && self.is_kept_after(file, def, span.end))
    }

    fn starts_false(&self, file: FileId, def: DefId) -> bool {
        let facts = self.facts(file);
        let first = facts.def(def).values.first();
        first.is_some_and(|&value| matches!(facts.expr(value), ExprKind::Bool(false) | ExprKind::Null))
    }

    fn is_kept_after(&self, file: FileId, def: DefId, from: u32) -> bool {
        let facts = self.facts(file);
        let mut reads = self.readers(file).reads(def).iter().filter(|&&read| facts.span(read).start >= from);
        reads.any(|&read| self.goes_into_row(file, read, DEEPEST))
    }

    fn goes_into_row(&self, file: FileId, value: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.readers(file).uses(value).iter().any(|used| match *used {
            Use::Key(object, _) | Use::Item(object, _) => self.goes_into_row(file, object, depth),
            Use::Arg(call, _) => {
                let at = CallRef::new(file, call);
                let keeps = |effect: Effect| matches!(effect, Effect::Create | Effect::Update);
                self.has_role(at, KnownRole::Write)
                    || self.vendors_at(at).iter().any(|used| {
                        self.catalogue.vendor(used.vendor).own_backend
                            && self.operation(used).is_some_and(|operation| keeps(operation.effect))
                    })
            }
            _ => false,
        })
    }
}
