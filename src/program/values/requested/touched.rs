//! What code does with the request that it is handed, in its own words: which parts of it are taken, and where it goes.

use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, FunctionRef, Program};

/// One use of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// A member is taken out of it: `req.method`, `req.json`.
    Part(Name),
    /// It is handed to a call as it is, at a position.
    Handed(CallRef, u16),
    /// Anything else.
    Otherwise,
}

impl Program {
    /// What is done with what a function is handed at a position, wherever its name stands.
    pub fn touches(&self, function: FunctionRef, index: u16) -> impl Iterator<Item = Touch> + '_ {
        let facts = self.facts(function.file);
        let readers = self.readers(function.file);
        let span = facts.function(function.function).span;
        let is_it = move |at: ExprId| {
            let ExprKind::Ref(name, block) = *facts.expr(at) else { return false };
            let values = facts.lookup(block, name).map(|def| facts.def(def).values.as_slice());
            values.is_some_and(|values| {
                let mut values = values.iter();
                values.any(|&value| matches!(*facts.expr(value), ExprKind::Param(of, at) if of == function.function && at == index))
            })
        };
        let within = (0..facts.exprs.len()).filter(move |&at| span.contains(facts.exprs[at].span));
        within.map(|at| ExprId(at as u32)).filter(move |&at| is_it(at)).map(move |at| {
            let mut uses = readers.uses(at).iter();
            let part = uses.find_map(|used| match *used {
                Use::In(outer) => match *facts.expr(outer) {
                    ExprKind::Member(base, name) if base == at => Some(Touch::Part(name)),
                    _ => None,
                },
                Use::Arg(call, position) => Some(Touch::Handed(CallRef::new(function.file, call), position as u16)),
                _ => None,
            });
            part.unwrap_or(Touch::Otherwise)
        })
    }
}
