//! Rows and people that are found by an address of the request: whoever names it picks them.

use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Op};
use crate::program::callers::full_rights::known::KNOWN_TO_ONE;
use crate::program::callers::full_rights::{any_word, only_one_knows};
use crate::program::values::requested::{Origin, Source};
use crate::program::{CallRef, Edge, EdgeKind, ExprRef, FunctionRef, Program};

impl Program {
    /// By which address of the request a value was found, that the server gave: `users.find((u) => u.email === email)`,
    /// `from("profiles").select("id").eq("email", email).single()`.
    pub(in crate::program) fn found_by(&self, way: &[Edge], at: ExprRef, by: &[&str], depth: usize) -> Option<Source> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.found_by(way, ExprRef::new(at.file, expr), by, depth);
        match facts.expr(at.expr) {
            ExprKind::Await(base)
            | ExprKind::Member(base, _)
            | ExprKind::Index(base, _)
            | ExprKind::ElementOf(base)
            | ExprKind::Spread(base) => next(*base),
            // `rows = all ? rows : [row]`: one that is picked is enough.
            ExprKind::List(items) => items.iter().find_map(|&item| next(item)),
            ExprKind::Param(function, index) => {
                // Handed over by the call that leads here on this way.
                let function = FunctionRef::new(at.file, *function);
                let (edge, before) = (way.iter().rposition(|edge| edge.target == function))
                    .map(|at| (&way[at], &way[..at]))
                    .filter(|(edge, _)| edge.kind == EdgeKind::Direct)?;
                let handed = &self.facts(edge.call.file).call(edge.call.call).args;
                let arg = handed.get(usize::from(*index)).filter(|arg| arg.name.is_none())?;
                self.found_by(before, ExprRef::new(edge.call.file, arg.value), by, depth)
            }
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name)?;
                facts.def(def).values.iter().find_map(|&value| next(value))
            }
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                self.found_in_list(way, call).or_else(|| self.found_in_table(way, call, by))
            }
            _ => None,
        }
    }

    /// By which address of the request one of a list was found: `users.find((user) => user.email === body.email)`.
    pub(in crate::program) fn found_in_list(&self, way: &[Edge], call: CallRef) -> Option<Source> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, name) = facts.expr(shape.callee) else { return None };
        let ExprKind::Function(callback) = facts.expr(shape.args.first()?.value) else { return None };
        if *name != "find" && *name != "filter" {
            return None;
        }
        facts.returned(*callback).find_map(|value| {
            let ExprKind::Op(Op::Equal, parts) = facts.expr(value) else { return None };
            let by_contact = parts.iter().any(|&part| says_contact(self, ExprRef::new(call.file, part), 5));
            parts.iter().find_map(|&part| match self.origin_on(way, ExprRef::new(call.file, part), &[]) {
                Origin::Request(source) if by_contact => Some(source),
                _ => None,
            })
        })
    }

    fn found_in_table(&self, way: &[Edge], call: CallRef, known: &[&str]) -> Option<Source> {
        let facts = self.facts(call.file);
        let mut at = call;
        let used = (0..10).find_map(|_| {
            if let Some(used) = self.vendors_at(at).first() {
                return Some(Some(used));
            }
            let ExprKind::Member(base, _) = *facts.expr(facts.call(at.call).callee) else { return Some(None) };
            let ExprKind::Call(inner) = *facts.expr(base) else { return Some(None) };
            at = CallRef::new(call.file, inner);
            None
        })??;
        let reads =
            self.operation(used).is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List));
        let mut selectors = self.selectors(used.at);
        // `.eq("open", true)` says which rows may be meant, not whose.
        selectors.retain(|&(_, value)| self.origin_on(way, value, &[]) != Origin::Constant);
        let [(by, value)] = selectors.as_slice() else { return None };
        if !reads || any_word(by, KNOWN_TO_ONE) || !any_word(by, known) {
            return None;
        }
        match self.origin_on(way, *value, &[]) {
            Origin::Request(source) if !only_one_knows(&source) => Some(source),
            _ => None,
        }
    }
}

/// Whether an expression is an address or a number of somebody: `u.email?.toLowerCase()`.
fn says_contact(program: &Program, at: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    match facts.expr(at.expr) {
        ExprKind::Member(base, name) => {
            any_word(name, &["email", "phone", "username"])
                || says_contact(program, ExprRef::new(at.file, *base), depth)
        }
        ExprKind::Call(call) => says_contact(program, ExprRef::new(at.file, facts.call(*call).callee), depth),
        _ => false,
    }
}
