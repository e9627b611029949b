//! Handlers that log the failure of the one thing a request is for, and let the request be answered with success.

use std::collections::BTreeMap;

use crate::catalogue::Effect;
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Span, Step};
use crate::finding::{FileId, Place};
use crate::program::terms::Handler;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

use super::answered::{body_of, says_done};
use super::{Failing, Instead, Swallowed, blocks_within};

/// First words of calls that keep or send something.
const KEEPS: &[&str] = &[
    "save", "insert", "create", "add", "update", "upsert", "put", "push", "write", "commit", "store", "publish",
    "enqueue", "append", "set", "send", "notify", "delay", "execute", "query",
];

impl Program {
    /// `try { await vendor.cancel(id) } catch (error) { console.error(error) }` and then `{ success: true }`, where the
    /// request does nothing else.
    pub(super) fn logged_and_done(&self) -> Vec<Swallowed> {
        let mut found: BTreeMap<(FileId, BlockId), Swallowed> = BTreeMap::new();
        for failing in self.vendor_failures() {
            if let Some(block) = self.reported_done(failing) {
                let place = Place { file: failing.at.file, span: self.facts(failing.at.file).block(block).span };
                let function = self.function_of(failing.at);
                let swallowed = found.entry((failing.at.file, block)).or_insert_with(|| Swallowed {
                    place,
                    function,
                    instead: Instead::OnlyLogged,
                    failing: vec![],
                    decides: None,
                });
                swallowed.failing.push((failing.at, failing));
            }
        }
        found.into_values().collect()
    }

    /// The handler after whose log the request is answered as done.
    fn reported_done(&self, failing: Failing) -> Option<BlockId> {
        let CallRef { file, call } = failing.at;
        let facts = self.facts(file);
        let changes = self.vendors_at(failing.at).iter().filter_map(|used| self.operation(used)).any(|operation| {
            matches!(operation.effect, Effect::Create | Effect::Send | Effect::Update | Effect::Delete)
                && !operation.harmless
        });
        let function = self.function_of(failing.at);
        let entries = self.entries_of(function);
        let asked = |&entry: &usize| self.answers_a_request(entry) && !self.hides_whom(entry);
        if !changes || entries.is_empty() || !entries.iter().all(asked) {
            return None;
        }
        let guard = self.guards(failing.at).into_iter().next()?;
        let (handler, guarded) = match (guard.handler, guard.body) {
            (Handler::Block(block), Some(body)) => (block, facts.block(body).span),
            (Handler::Function(of), None) if of.file == file => {
                (facts.function(of.function).body, facts.span(facts.call(call).expr))
            }
            _ => return None,
        };
        let answered = self.answered_after(function, handler, guarded)?;
        let done = body_of(facts, answered, 4).is_some_and(|body| says_done(facts, body));
        (done && self.does_nothing_but_log(file, handler) && !self.does_more(function, guarded)).then_some(handler)
    }

    /// Whether a request is answered alike so that nobody learns who has an account.
    fn hides_whom(&self, entry: usize) -> bool {
        let name = self.entry_name(&self.entries[entry]).to_ascii_lowercase();
        ["forgot", "reset", "magic", "recover"].iter().any(|word| name.contains(word))
    }

    /// What is answered once a handler has run: by itself, or by what follows in a row.
    fn answered_after(&self, function: FunctionRef, handler: BlockId, guarded: Span) -> Option<ExprId> {
        let FunctionRef { file, function } = function;
        let facts = self.facts(file);
        for step in &facts.block(handler).steps {
            if let Step::Return(value) = *step
                && value.is_none_or(|value| !self.is_log(file, value))
            {
                return value;
            }
        }
        let holds = |step: &Step| match *step {
            Step::Try { body, .. } => facts.block(body).span == guarded,
            Step::Eval(value) => facts.span(value).contains(guarded),
            _ => false,
        };
        let own = facts.blocks.iter().filter(|block| block.function == function);
        let block = own.into_iter().find(|block| block.steps.iter().any(holds))?;
        let at = block.steps.iter().position(holds)?;
        for step in &block.steps[at + 1..] {
            match *step {
                Step::Return(value) => return value,
                Step::Eval(value) => {
                    let name = match facts.expr(value) {
                        ExprKind::Call(call) => facts.last_name(facts.call(*call).callee),
                        _ => None,
                    };
                    if name.is_some_and(|name| matches!(name.as_str(), "json" | "send")) {
                        return Some(value);
                    }
                }
                Step::Bind(..) => {}
                _ => return None,
            }
        }
        None
    }

    fn is_log(&self, file: FileId, value: ExprId) -> bool {
        match self.facts(file).expr(value) {
            ExprKind::Call(call) => self.is_logging(CallRef::new(file, *call)),
            ExprKind::Await(inner) => self.is_log(file, *inner),
            _ => false,
        }
    }

    /// Whether a handler logs, and does nothing else.
    fn does_nothing_but_log(&self, file: FileId, handler: BlockId) -> bool {
        let facts = self.facts(file);
        let caught = |value: ExprId| matches!(facts.expr(value), ExprKind::Caught);
        let plain = |step: &Step| match *step {
            Step::Eval(value) => self.is_log(file, value),
            Step::Return(_) => true,
            Step::Bind(_, value) => caught(value),
            _ => false,
        };
        let inside = blocks_within(facts, handler);
        inside.len() == 1 && facts.block(handler).steps.iter().all(plain) && self.logs_in(file, &inside)
    }

    /// Whether a function keeps or sends anything outside of what is guarded.
    fn does_more(&self, function: FunctionRef, guarded: Span) -> bool {
        let facts = self.facts(function.file);
        self.with_inner(function).into_iter().flat_map(|inner| self.calls_in(inner)).any(|call| {
            let shape = facts.call(call.call);
            if call.file != function.file || guarded.contains(facts.span(shape.expr)) || self.is_logging(call) {
                return false;
            }
            self.is_deed(call)
                || names_deed(facts, shape.callee)
                || self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).any(|edge| {
                    let reach = self.reach(edge.target, |edge| edge.kind != EdgeKind::Jump);
                    reach.stops.iter().take(60).any(|stop| self.calls_in(stop.function).any(|call| self.is_deed(call)))
                })
        })
    }

    fn is_deed(&self, call: CallRef) -> bool {
        let mut operations = self.vendors_at(call).iter().filter_map(|used| self.operation(used));
        operations.any(|operation| operation.effect.changes_something()) || self.stores(call)
    }
}

/// Whether a call is named after keeping or sending something; answers and queries of URLs are not.
fn names_deed(facts: &Facts, callee: ExprId) -> bool {
    let Some(name) = facts.last_name(callee) else { return false };
    let answers = match facts.expr(callee) {
        ExprKind::Member(base, _) => {
            matches!(facts.expr(*base), ExprKind::Ref(of, _) if matches!(of.as_str(), "res" | "response" | "reply"))
                || matches!(facts.expr(*base), ExprKind::Call(_) if name == "send")
        }
        _ => false,
    };
    !answers && words(&name).first().is_some_and(|word| KEEPS.contains(&word.as_str()))
}
