//! Two things that are both missing are equal: an unset secret and a header that the request does not bring.

use super::Walk;
use super::evidence::sounds_secret;
use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{ExprRef, FunctionRef, Value};

/// How far values are followed through names and members.
const FARTHEST: usize = 6;

impl Walk<'_> {
    /// The variable that, while it is unset, equals what a request leaves out: `req.headers["x-key"] !==
    /// process.env.KEY` lets a request without the header pass. None when either is asked for anywhere.
    pub(super) fn absent_alike(&self, function: FunctionRef, left: ExprId, right: ExprId) -> Option<Name> {
        let facts = self.facts(function);
        // `os.environ["KEY"]` raises, and nothing here tells it from `os.getenv("KEY")`.
        if !facts.language.is_script() {
            return None;
        }
        let sides = [(left, right), (right, left)].into_iter();
        let mut sides =
            sides.filter_map(|(secret, brought)| match self.expanded(ExprRef::new(function.file, secret)) {
                Value::Env(name) if sounds_secret(&name) => Some((name, brought)),
                _ => None,
            });
        let (name, brought) = sides.next()?;
        let open = may_be_undefined(facts, brought, FARTHEST) && !is_asked_for(facts, brought, [left, right]);
        (open && !self.is_required(name, function.file)).then_some(name)
    }

    /// Whether any code of a file's app asks for a variable, or names it in a list or schema of what must be set.
    fn is_required(&self, name: Name, near: FileId) -> bool {
        self.program.code().filter(|(file, _)| self.program.share_app(*file, near)).any(|(file, facts)| {
            let named = facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Text(text) => *text == name,
                ExprKind::Object(entries) => entries.iter().any(|(key, _)| *key == name),
                _ => false,
            });
            named || self.asks_for(file, name)
        })
    }
}

/// Whether a value is one that a request may leave out, and `undefined` then: a member of what came in. A
/// `Headers` object gives `null`, which no unset variable equals.
fn may_be_undefined(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => {
            let defined = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
            matches!(defined, Some(&[only]) if may_be_undefined(facts, only, depth))
        }
        ExprKind::Member(base, _) | ExprKind::Index(base, _) => came_in(facts, *base, depth),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(base, name) = facts.expr(call.callee) else { return false };
            // `req.get("x-key")`, `c.req.header("x-key")`
            match name.as_str() {
                "get" => matches!(facts.expr(*base), ExprKind::Ref(..)) && came_in(facts, *base, depth),
                "header" => came_in(facts, *base, depth),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a value is a parameter, or a part of one.
fn came_in(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Param(..) => true,
        ExprKind::Ref(name, block) => {
            let defined = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
            matches!(defined, Some(&[only]) if came_in(facts, only, depth))
        }
        ExprKind::Member(base, _) | ExprKind::Await(base) => came_in(facts, *base, depth),
        ExprKind::Call(call) => {
            let callee = facts.call(*call).callee;
            matches!(facts.expr(callee), ExprKind::Member(base, name) if *name == "json" && came_in(facts, *base, depth))
        }
        _ => false,
    }
}

/// Whether a value is also looked at elsewhere than in one comparison: its absence may be answered there.
fn is_asked_for(facts: &Facts, value: ExprId, compared: [ExprId; 2]) -> bool {
    let Some(wanted) = spelled(facts, value) else { return true };
    let same = |part: &ExprId| spelled(facts, *part).is_some_and(|found| found == wanted);
    let condition = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
        Step::If { condition, .. } => same(condition),
        _ => false,
    });
    condition
        || facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal, parts) if parts[..] == compared => false,
            ExprKind::Op(_, parts) => parts.iter().any(same),
            _ => false,
        })
}

/// Whether one value is made of the other alone: `key !== key.trim()` only looks at the setting.
pub(super) fn is_of_itself(facts: &Facts, left: ExprId, right: ExprId) -> bool {
    let (Some(left), Some(right)) = (spelled(facts, left), spelled(facts, right)) else { return false };
    let within = |short: &str, long: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(']))
    };
    within(&left, &right) || within(&right, &left)
}

/// How a chain of names is written, definitions told apart: two that are the same mean the same value.
fn spelled(facts: &Facts, expr: ExprId) -> Option<String> {
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
            Some(def) => Some(format!("#{}", def.0)),
            None => Some(name.to_string()),
        },
        ExprKind::Env(name) => Some(format!("${name}")),
        ExprKind::This(_) => Some(if facts.language.is_script() { "this" } else { "self" }.to_owned()),
        ExprKind::Member(base, name) => Some(format!("{}.{name}", spelled(facts, *base)?)),
        ExprKind::Index(base, index) => Some(format!("{}.[{}]", spelled(facts, *base)?, spelled(facts, *index)?)),
        ExprKind::Await(inner) => spelled(facts, *inner),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let args: Option<Vec<String>> = call.args.iter().map(|arg| spelled(facts, arg.value)).collect();
            Some(format!("{}({})", spelled(facts, call.callee)?, args?.join(",")))
        }
        ExprKind::Text(text) => Some(format!("{text:?}")),
        ExprKind::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
