//! Secrets that a row keeps, or does not: a field that may be blank, and nobody asks whether it is.

use super::Walk;
use super::evidence::holds_secret;
use crate::facts::{ExprId, ExprKind, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::ExprRef;
use crate::program::values::readers::Use;

impl Walk<'_> {
    /// The field of a row that a secret is read from although it may be blank: `shop.webhookSecret ?? ""`, or a column
    /// of a Python model that is empty unless somebody fills it in.
    pub(super) fn blank_field(&self, at: ExprRef) -> Option<Name> {
        let facts = self.program.facts(at.file);
        let (field, blank) = match facts.expr(at.expr) {
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                let [field, fallback] = parts[..] else { return None };
                (field, matches!(facts.expr(fallback), ExprKind::Text(text) if text.is_empty()))
            }
            ExprKind::Member(_, name) if !facts.language.is_script() => (at.expr, self.is_blank_column(*name)),
            _ => return None,
        };
        let ExprKind::Member(_, name) = facts.expr(field) else { return None };
        let kept = blank && holds_secret(name) && self.program.is_kept_field(ExprRef::new(at.file, field));
        (kept && !self.asks_for_field(at.file, *name)).then_some(*name)
    }

    /// Whether all models with a column of this name leave it empty by default.
    fn is_blank_column(&self, name: Name) -> bool {
        if !holds_secret(&name) {
            return false;
        }
        let mut columns = self.program.code().flat_map(|(file, facts)| {
            let fields = facts.classes.iter().flat_map(|class| &class.fields);
            fields.filter(move |field| field.name == name).filter_map(move |field| Some((file, field.value?)))
        });
        let is_blank = |(file, value): (FileId, ExprId)| {
            let facts = self.program.facts(file);
            let ExprKind::Call(call) = facts.expr(value) else { return false };
            let mut given = facts.call(*call).args.iter().filter_map(|arg| Some((arg.name?, facts.expr(arg.value))));
            given.any(|(option, value)| match value {
                ExprKind::Text(text) => option == "default" && text.is_empty(),
                ExprKind::Bool(true) => option == "blank",
                _ => false,
            })
        };
        let Some(first) = columns.next() else { return false };
        is_blank(first) && columns.all(is_blank)
    }

    /// Whether a file, or one that leads there, asks if a field of this name holds anything.
    fn asks_for_field(&self, file: FileId, name: Name) -> bool {
        let mut files: Vec<FileId> = self.active.iter().map(|(function, _)| function.file).collect();
        files.push(file);
        files.sort();
        files.dedup();
        files.into_iter().any(|file| {
            let (facts, readers) = (self.program.facts(file), self.program.readers(file));
            let mut read = facts.members().filter(|(_, (_, member))| *member == name).map(|(at, _)| at);
            let tested = read.any(|read| {
                readers.uses(read).iter().any(|used| match *used {
                    Use::Tested => true,
                    Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Not | Op::And | Op::Equal, _)),
                    _ => false,
                })
            });
            tested || self.asks_for(file, name)
        })
    }
}
