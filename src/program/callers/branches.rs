//! Which branches of a handler a request of the app's own code picks: by a constant `action` of its body, by a header
//! that it sends.

use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, ExprRef, Program};

/// How deep the arguments of a request are looked into.
const DEEPEST: usize = 6;

/// What a request says that a handler may branch by.
#[derive(Debug, Clone, Default)]
pub struct Picks {
    fields: Vec<(Name, Name)>,
    headers: Vec<String>,
}

impl Program {
    /// What the app's own request says as constants.
    pub fn picks(&self, request: CallRef) -> Picks {
        let mut picks = Picks::default();
        let facts = self.facts(request.file);
        for arg in &facts.call(request.call).args {
            gather(facts, arg.value, false, &mut picks, DEEPEST);
        }
        // Two constants for one field: which one is sent is not known.
        let fields = picks.fields.clone();
        picks.fields.retain(|(name, _)| fields.iter().filter(|(other, _)| other == name).count() == 1);
        picks
    }

    /// Whether a call of the handler may run for such a request.
    pub fn may_be_picked(&self, picks: &Picks, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let from = facts.span(shape.expr).start;
        let inner = facts.function_of(shape.block);
        let decide = |condition: ExprId| self.decided(picks, ExprRef::new(call.file, condition), DEEPEST);
        facts.enclosing(shape.block).take_while(|(_, block)| block.function == inner).all(|(_, block)| {
            let entered = match block.kind {
                BlockKind::Then(condition) => decide(condition) != Some(false),
                BlockKind::Else(condition) => decide(condition) != Some(true),
                BlockKind::Case(subject, Some(value)) => same(facts, picks, subject, value) != Some(false),
                _ => true,
            };
            // `if (action === "list") return ..` further up.
            let left_before = block.steps.iter().any(|step| match step {
                Step::If { condition, then, .. } => {
                    facts.span(*condition).end <= from
                        && !facts.block(*then).span.contains(facts.span(shape.expr))
                        && ending(facts, *then) != Ending::GoesOn
                        && decide(*condition) == Some(true)
                }
                _ => false,
            });
            entered && !left_before
        })
    }

    /// Whether a condition holds for such a request; none when that cannot be told.
    fn decided(&self, picks: &Picks, condition: ExprRef, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(condition.file);
        let next = |expr: ExprId| self.decided(picks, ExprRef::new(condition.file, expr), depth);
        match facts.expr(condition.expr) {
            ExprKind::Op(Op::Not, parts) => next(parts[0]).map(|holds| !holds),
            ExprKind::Op(op @ (Op::And | Op::Or), parts) => {
                let decisive = *op == Op::Or;
                let each: Vec<Option<bool>> = parts.iter().map(|&part| next(part)).collect();
                if each.contains(&Some(decisive)) {
                    return Some(decisive);
                }
                each.into_iter().all(|part| part == Some(!decisive)).then_some(!decisive)
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let equal =
                    same(facts, picks, parts[0], parts[1]).or_else(|| same(facts, picks, parts[1], parts[0]))?;
                Some(equal == (*op == Op::Equal))
            }
            _ => is_sent_header(facts, picks, condition.expr, DEEPEST).then_some(true),
        }
    }
}

/// Whether a field of the request is a constant; none when it is no field of it.
fn same(facts: &Facts, picks: &Picks, field: ExprId, constant: ExprId) -> Option<bool> {
    let ExprKind::Text(text) = facts.expr(constant) else { return None };
    let name = facts.last_name(field)?;
    let (_, sent) = picks.fields.iter().find(|(known, _)| *known == name)?;
    Some(sent == text)
}

/// `req.headers.get("Authorization")` of a header that is sent.
fn is_sent_header(facts: &Facts, picks: &Picks, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => is_sent_header(facts, picks, *only, depth),
            _ => false,
        },
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let reads = facts.last_name(call.callee).is_some_and(|name| name == "get" || name == "header");
            reads
                && call.args.first().is_some_and(|arg| {
                    matches!(facts.expr(arg.value), ExprKind::Text(text)
                        if picks.headers.contains(&text.to_ascii_lowercase()))
                })
        }
        _ => false,
    }
}

fn gather(facts: &Facts, expr: ExprId, headers: bool, picks: &mut Picks, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Object(entries) => {
            for &(key, value) in entries {
                match facts.expr(value) {
                    _ if headers => picks.headers.push(key.to_ascii_lowercase()),
                    ExprKind::Text(text) => picks.fields.push((key, *text)),
                    _ => gather(facts, value, key == "headers", picks, depth),
                }
            }
        }
        // `JSON.stringify({ .. })`
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            if facts.last_name(call.callee).is_some_and(|name| name == "stringify")
                && let Some(arg) = call.args.first()
            {
                gather(facts, arg.value, false, picks, depth);
            }
        }
        ExprKind::Ref(name, block) => {
            if let Some([only]) = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
                gather(facts, *only, headers, picks, depth);
            }
        }
        _ => {}
    }
}
