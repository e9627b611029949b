//! Stand-ins that are written down: what a failure left unset goes into a row afterwards.

use super::blocks_within;
use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, ExprId, ExprKind, FunctionId, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, Program};

impl Program {
    /// A name that guarded code gives its value, that has another without it, and that is written down afterwards.
    pub(super) fn written_after(&self, file: FileId, body: BlockId) -> Option<Name> {
        let facts = self.facts(file);
        let readers = self.readers(file);
        let end = facts.block(body).span.end;
        blocks_within(facts, body).into_iter().flat_map(|id| &facts.block(id).steps).find_map(|step| {
            let Step::Bind(def, _) = step else { return None };
            let shape = facts.def(*def);
            let outside = shape.values.len() > 1 && !facts.block(body).span.contains(shape.span);
            // A new row without it says that there is none; a row that is changed loses what it had.
            let nothing = shape.values.iter().any(|&value| matches!(facts.expr(value), ExprKind::Null));
            let after = |read: &ExprId| facts.span(*read).start > end && self.is_written(file, *read, nothing, 6);
            (outside && readers.reads(*def).iter().any(after)).then(|| facts.def(*def).name)
        })
    }

    /// Whether a value goes into what a call writes to a database; `over`: over what stands there.
    fn is_written(&self, file: FileId, value: ExprId, over: bool, depth: usize) -> bool {
        let facts = self.facts(file);
        depth > 0
            && self.readers(file).uses(value).iter().any(|used| match used {
                Use::In(outer) | Use::Key(outer, _) | Use::Item(outer, _) => {
                    self.is_written(file, *outer, over, depth - 1)
                }
                Use::Arg(call, _) => {
                    let at = CallRef::new(file, *call);
                    let changes = self.vendors_at(at).iter().any(|used| {
                        self.catalogue.vendor(used.vendor).own_backend
                            && self.operation(used).is_some_and(|operation| {
                                operation.effect == Effect::Update || !over && operation.effect == Effect::Create
                            })
                    });
                    let inserts = self.called_name(at).is_some_and(|name| {
                        matches!(words(&name).first().map(String::as_str), Some("insert" | "create" | "add"))
                    });
                    changes || self.has_role(at, KnownRole::Write) && !self.is_logging(at) && !(over && inserts)
                }
                Use::Kept(def) => {
                    let local = facts.function_of(facts.def(*def).block) != FunctionId::MODULE;
                    local
                        && self
                            .readers(file)
                            .reads(*def)
                            .iter()
                            .any(|&read| self.is_written(file, read, over, depth - 1))
                }
                _ => false,
            })
    }
}
