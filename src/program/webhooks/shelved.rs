//! Deliveries whose failure is written into a row that nothing in the code ever works off, and answered with 200.

use rustc_hash::FxHashSet;

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Span, Step};
use crate::names::Name;
use crate::program::terms::{Ending, Guard, Handler};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Program, Value};

impl Program {
    /// The table that a handler of failures only writes down in, where nothing but the entry point itself names that
    /// table, and whether it is a field of a row in hand; none where the failure reaches the answer, or somebody may come
    /// back to the row.
    pub(in crate::program) fn shelved(&self, entry: &Entry, at: CallRef, guard: &Guard) -> Option<(Name, bool)> {
        let Handler::Block(block) = guard.handler else { return None };
        let function = self.function_of(at);
        if function != entry.function && !self.with_inner(entry.function).contains(&function) {
            return None;
        }
        let facts = self.facts(function.file);
        let span = facts.block(block).span;
        let loud = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Number(status) => (400.0..600.0).contains(status),
            _ => false,
        });
        if loud || guard.ending == Ending::Throws || throws(facts, span) {
            return None;
        }
        let calls = || self.calls_in(function);
        let inside = calls().filter(|at| span.contains(facts.span(facts.call(at.call).expr)));
        let mut written = inside.filter(|&at| says_failed(facts, facts.call(at.call).args.iter().map(|arg| arg.value)));
        let table = written.find_map(|at| self.written_table(at)).or_else(|| {
            let kept = failed_states(facts, block);
            let later = calls().filter(|at| facts.span(facts.call(at.call).expr).start >= span.end);
            let mut later =
                later.filter(|at| facts.call(at.call).args.iter().any(|arg| holds(facts, arg.value, &kept, 5)));
            later.find_map(|at| self.written_table(at))
        });
        let own = table.is_none();
        let table = table.or_else(|| self.noted_in_hand(function, block))?;
        (!self.is_named_elsewhere(entry, table)).then_some((table, own))
    }

    /// The model of the row in hand that all a block keeps of a failure is written into: `row.problem = str(error)`. None
    /// where the failure goes anywhere else too.
    fn noted_in_hand(&self, function: FunctionRef, block: BlockId) -> Option<Name> {
        let facts = self.facts(function.file);
        let span = facts.block(block).span;
        let inside = facts.blocks.iter().filter(|inner| span.contains(inner.span)).flat_map(|inner| &inner.steps);
        let mut models = inside.filter_map(|step| match step {
            Step::Assign(target, _) => Some(match *facts.expr(*target) {
                ExprKind::Member(row, _) => self.model_of(ExprRef::new(function.file, row)),
                _ => None,
            }),
            Step::Bind(def, _) => (!span.contains(facts.block(facts.def(*def).block).span)).then_some(None),
            _ => None,
        });
        let model = models.next()??;
        let mut calls = self.calls_in(function).filter(|at| span.contains(facts.span(facts.call(at.call).expr)));
        let only_saves = calls.all(|at| {
            let saves = self.called_name(at).is_some_and(|name| {
                matches!(name.as_str(), "commit" | "flush" | "add" | "rollback" | "save" | "merge")
            });
            saves
                || self.is_logging(at)
                || self.edges(at).is_empty() && self.vendors_at(at).is_empty() && !self.hands_on(at)
        });
        (only_saves && models.all(|other| other == Some(model))).then_some(model)
    }

    /// Whether a call of a library writes something, hands work on, or collects it in a list.
    fn hands_on(&self, at: CallRef) -> bool {
        let collects = self.called_name(at).is_some_and(|name| matches!(name.as_str(), "push" | "append" | "send"));
        collects || self.has_role(at, KnownRole::Write) || self.has_role(at, KnownRole::Defer)
    }

    /// The class of the program that a row was made of: `row = SeenEvent(event_id=..)`.
    fn model_of(&self, row: ExprRef) -> Option<Name> {
        let facts = self.facts(row.file);
        let ExprKind::Ref(name, block) = *facts.expr(row.expr) else { return None };
        let values = &facts.def(facts.lookup(block, name)?).values;
        values.iter().find_map(|&value| {
            let ExprKind::Call(call) = *facts.expr(value) else { return None };
            let Value::Class(class) = self.callee(CallRef::new(row.file, call)) else { return None };
            let class = &self.facts(class.file).classes[class.class.index()];
            class.name.filter(|_| !class.bases.is_empty())
        })
    }

    /// The table that a call changes rows of.
    fn written_table(&self, at: CallRef) -> Option<Name> {
        let changes = |effect: Effect| matches!(effect, Effect::Update | Effect::Create);
        let writes = self.has_role(at, KnownRole::Write)
            || self.vendors_at(at).iter().any(|used| {
                self.catalogue.vendor(used.vendor).own_backend
                    && self.operation(used).is_some_and(|operation| changes(operation.effect))
            });
        let facts = self.facts(at.file);
        let named = facts.last_name(facts.call(at.call).callee);
        let named = named.is_some_and(|name| matches!(name.as_str(), "update" | "insert" | "upsert"));
        (writes || named).then(|| self.table_of(at)).flatten()
    }

    /// Whether code beside an entry point's own names a table: it may be what comes back to the rows.
    fn is_named_elsewhere(&self, entry: &Entry, table: Name) -> bool {
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let mut own: FxHashSet<FunctionRef> = reach.stops.iter().map(|stop| stop.function).collect();
        own.extend(self.with_inner(entry.function));
        let of_app = self.code().filter(|(file, _)| self.share_app(*file, entry.function.file));
        of_app.into_iter().any(|(file, facts)| {
            facts.exprs.iter().any(|expr| {
                let names = match &expr.kind {
                    ExprKind::Text(text) => *text == table,
                    ExprKind::Member(_, name) => *name == table,
                    // A model by its class; a variable may be called like a table of another store.
                    ExprKind::Ref(name, _) => *name == table && table.starts_with(char::is_uppercase),
                    _ => false,
                };
                names && !own.iter().any(|own| own.file == file && self.spans(*own, expr.span))
            })
        })
    }

    fn spans(&self, function: FunctionRef, span: Span) -> bool {
        self.facts(function.file).function(function.function).span.contains(span)
    }
}

fn throws(facts: &Facts, span: Span) -> bool {
    let inside = facts.blocks.iter().filter(|block| span.contains(block.span));
    inside.flat_map(|block| &block.steps).any(|step| matches!(step, Step::Throw(_)))
}

/// `{ status: "failed" }`
fn says_failed(facts: &Facts, values: impl IntoIterator<Item = ExprId>) -> bool {
    values.into_iter().any(|value| match facts.expr(value) {
        ExprKind::Object(entries) => entries.iter().any(|&(key, value)| is_state(&key) && is_failure(facts, value)),
        _ => false,
    })
}

fn is_state(key: &str) -> bool {
    words(key).iter().any(|word| matches!(word.as_str(), "status" | "state" | "result" | "outcome"))
}

fn is_failure(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Text(text)
        if matches!(text.to_ascii_lowercase().as_str(), "error" | "failed" | "failure" | "errored"))
}

/// The variables that a block sets to say that the work failed.
fn failed_states(facts: &Facts, block: BlockId) -> Vec<Name> {
    let steps = facts.block(block).steps.iter();
    let set = steps.filter_map(|step| match step {
        Step::Bind(def, value) if is_failure(facts, *value) => Some(facts.def(*def).name),
        _ => None,
    });
    set.collect()
}

/// Whether a row holds one of some variables.
fn holds(facts: &Facts, value: ExprId, names: &[Name], depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(value) {
        ExprKind::Ref(name, _) => names.contains(name),
        ExprKind::Object(entries) => entries.iter().any(|&(_, value)| holds(facts, value, names, depth)),
        _ => false,
    }
}
