//! What really sends a change: of a session that gathers rows, its `commit`.

use crate::facts::{CallId, ExprId, ExprKind};
use crate::program::{CallRef, Program};

/// Methods that only note what is to be written.
const GATHER: &[&str] = &["add", "add_all", "merge", "delete"];

/// Methods that send what was noted.
const SEND: &[&str] = &["commit", "flush"];

impl Program {
    /// The call that sends what another one only notes, later in the same function and at the same object:
    /// `session.commit()` of `session.add(row)`. The call itself where there is none.
    pub fn committed_by(&self, call: CallRef) -> CallRef {
        let facts = self.facts(call.file);
        if facts.language.is_script() {
            return call;
        }
        // Spelled alike: `self.db`, `session`.
        let object = |id: CallId, names: &[&str]| match facts.expr(facts.call(id).callee) {
            ExprKind::Member(base, name) if names.contains(&name.as_str()) => spelled(self, call, *base),
            _ => None,
        };
        let Some(session) = object(call.call, GATHER) else { return call };
        let start = |id: CallId| facts.span(facts.call(id).expr).start;
        self.calls_in(self.function_of(call))
            .filter(|later| start(later.call) > start(call.call))
            .find(|later| object(later.call, SEND) == Some(session.clone()))
            .unwrap_or(call)
    }
}

fn spelled(program: &Program, near: CallRef, expr: ExprId) -> Option<String> {
    let facts = program.facts(near.file);
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => Some(name.to_string()),
        ExprKind::Member(base, name) => Some(format!("{}.{name}", spelled(program, near, *base)?)),
        ExprKind::This(_) => Some("self".to_owned()),
        _ => None,
    }
}
