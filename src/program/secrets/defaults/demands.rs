//! Conditions before a branch that leaves, and the variables that they ask for.

use rustc_hash::FxHashSet;

use super::{FARTHEST, screaming};
use crate::facts::{DefKind, ExprId, ExprKind, Facts, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::requested::Origin;
use crate::program::{ExprRef, Program, Value};

/// A condition before a branch that leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    /// The condition.
    pub(super) condition: ExprRef,
    /// It is asked when the app starts.
    pub(super) at_start: bool,
}

impl Demand {
    /// The file it stands in.
    pub(super) fn file(&self) -> FileId {
        self.condition.file
    }

    /// Every name that may be a variable's in it.
    pub(super) fn mentioned(&self, program: &Program) -> FxHashSet<Name> {
        self.names(program, false)
    }

    /// Whether it asks for a variable, and not whether somebody brings what the variable holds.
    pub(super) fn asks_for(&self, program: &Program, name: Name) -> bool {
        self.names(program, true).contains(&name)
    }

    fn names(&self, program: &Program, exact: bool) -> FxHashSet<Name> {
        let mut names = FxHashSet::default();
        let file = self.condition.file;
        Reader { program, file, facts: program.facts(file), exact }.asked(self.condition.expr, FARTHEST, &mut names);
        names
    }
}

struct Reader<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    /// What whoever calls brings is told from what the app has.
    exact: bool,
}

impl Reader<'_> {
    /// Whether an operand comes in from outside: by the request, or by whoever calls the function.
    fn is_given(&self, part: ExprId) -> bool {
        let at = ExprRef::new(self.file, part);
        let may = match self.facts.expr(part) {
            ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Call(_) => true,
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                return parts.first().is_some_and(|&first| self.is_given(first));
            }
            _ => false,
        };
        let is_param = match self.facts.expr(part) {
            // `key: str = Header(None)`: what a framework hands in stands beside the parameter.
            ExprKind::Ref(name, block) => self.facts.lookup(*block, *name).is_some_and(|def| {
                self.facts.def(def).kind == DefKind::Param && self.program.value(at).envs().is_empty()
            }),
            _ => matches!(self.program.value(at), Value::Param(..)),
        };
        may && (is_param || matches!(self.program.origin_on(&[], at, &[]), Origin::Request(_)))
    }

    fn asked(&self, condition: ExprId, depth: usize, names: &mut FxHashSet<Name>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match self.facts.expr(condition) {
            // `if (given !== process.env.X) throw ..` asks of whoever calls, not of the variable.
            ExprKind::Op(Op::Equal | Op::Unequal, parts)
                if self.exact && parts.iter().any(|&part| self.is_given(part)) => {}
            ExprKind::Op(_, parts) => parts.iter().for_each(|&part| self.asked(part, depth, names)),
            ExprKind::Call(call) => {
                let call = self.facts.call(*call);
                self.asked(call.callee, depth, names);
                // `compare_digest(given, secret)`, `verify(token, secret)`
                if self.exact && call.args.len() > 1 && call.args.iter().any(|arg| self.is_given(arg.value)) {
                    return;
                }
                call.args.iter().for_each(|arg| self.asked(arg.value, depth, names));
            }
            ExprKind::Env(name) => {
                names.insert(*name);
            }
            ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Index(..) => {
                names.extend(self.program.value(ExprRef::new(self.file, condition)).envs());
                if let ExprKind::Member(base, name) = self.facts.expr(condition) {
                    names.insert(Name::new(&screaming(name)));
                    self.asked(*base, depth, names);
                }
            }
            _ => {}
        }
    }
}
