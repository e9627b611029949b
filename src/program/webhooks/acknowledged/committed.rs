//! What really sends a change: of a session that gathers rows, its `commit`.

use crate::facts::{CallId, ExprId, ExprKind, Step};
use crate::names::Name;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

/// Methods that only note what is to be written.
const GATHER: &[&str] = &["add", "add_all", "merge", "delete"];

/// Methods that send what was noted.
const SEND: &[&str] = &["commit", "flush"];

/// Methods that give one row that was looked up.
const LOOKS_UP: &[&str] = &["first", "one", "one_or_none", "first_or_404", "get", "get_or_404", "scalar", "scalar_one"];

impl Program {
    /// The guarded calls before a commit whose work it sends: helpers that set fields of rows they have looked up, and
    /// leave the rest to whoever called them. Each with the fields.
    pub fn sent_by_commit(&self, commit: CallRef) -> Vec<(CallRef, Vec<Name>)> {
        let facts = self.facts(commit.file);
        let start = facts.span(facts.call(commit.call).expr).start;
        if facts.language.is_script() || self.called_name(commit).is_none_or(|name| name != "commit") {
            return vec![];
        }
        let sets = |at: CallRef| {
            let targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
            let fields: Vec<Vec<Name>> = targets.map(|edge| self.fields_only_set(edge.target)).collect();
            let all = !fields.is_empty() && fields.iter().all(|fields| !fields.is_empty());
            all.then(|| (at, fields.concat()))
        };
        let before = self.calls_in(self.function_of(commit)).filter(|at| {
            let span = facts.span(facts.call(at.call).expr);
            span.end <= start && self.guards(*at).iter().any(|guard| guard.body.is_some())
        });
        before.filter_map(sets).collect()
    }

    /// The fields that a function sets of a row that it has looked up; none where it commits itself.
    fn fields_only_set(&self, function: FunctionRef) -> Vec<Name> {
        let facts = self.facts(function.file);
        let is_row = |row: ExprId| {
            let ExprKind::Ref(name, block) = *facts.expr(row) else { return false };
            let values = facts.lookup(block, name).map_or(&[][..], |def| &facts.def(def).values);
            values.iter().any(|&value| {
                let ExprKind::Call(call) = *facts.expr(value) else { return false };
                facts.last_name(facts.call(call).callee).is_some_and(|name| LOOKS_UP.contains(&name.as_str()))
            })
        };
        if self.calls_in(function).any(|at| self.called_name(at).is_some_and(|name| name == "commit")) {
            return vec![];
        }
        let steps = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|b| &b.steps);
        let set = steps.filter_map(|step| match step {
            Step::Assign(target, _) => match *facts.expr(*target) {
                ExprKind::Member(row, field) => is_row(row).then_some(field),
                _ => None,
            },
            _ => None,
        });
        set.collect()
    }

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
