//! Work that failed and is acknowledged all the same: what each way out of an entry point answers, where failures
//! are swallowed, and what runs after the answer.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, Guard, Handler, ending};
use crate::program::{CallRef, Edge, EdgeKind, Entry, FunctionRef, Program};

use super::unasked::Unasked;
use says::{Answer, other_status, sends_answer};

mod committed;
mod says;

/// What a lookup throws that finds nothing, and a database that refuses a second row: both are answers.
const LOOKUPS: &[&str] = &[
    "DoesNotExist",
    "ObjectDoesNotExist",
    "MultipleObjectsReturned",
    "NoResultFound",
    "MultipleResultsFound",
    "KeyError",
    "IntegrityError",
    "UniqueViolation",
    "UniqueViolationError",
    "DuplicateKeyError",
];

/// How the failure of some work is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// A handler catches it, and the answer says that all went well: the handler.
    Caught(Place),
    /// The call gives an error, and that is only written to a log: the test.
    Logged(Place),
    /// A function tells of it by what it returns, and nobody looks at that: its call, and what has failed in it.
    Returned(CallRef, CallRef),
    /// The work is left to run in memory, after the answer: the call that leaves it.
    Left(CallRef),
    /// Nothing waits for the work: the call.
    Floating(CallRef),
    /// Its failure is put into a list of outcomes that nobody reads: the call that makes the list.
    Settled(CallRef),
    /// It is written into a row of a table that nothing works off, and answered with success: the handler, the table.
    Shelved(Place, Name),
    /// It is written into the event's own row of a table that nothing else asks, and answered with success: the
    /// handler, the table.
    Noted(Place, Name),
    /// The answer is sent before the work: the answer.
    Answered(CallRef),
    /// The work is left out without a word when a row is missing: the test.
    Skipped(Place),
    /// The work is left out when the look-up before it fails, which is taken for a missing row: the test, the look-up.
    Blind(Place, CallRef),
    /// The same where the look-up's error is asked, and taken for a missing row: the test, the look-up.
    Mistaken(Place, CallRef),
    /// The work is left out when somebody else could not be asked, and a helper gave nothing.
    Unasked(Unasked),
}

impl Program {
    /// How the failure of `work` is lost on the way from an entry point to it, if it is.
    pub fn loss_of(&self, entry: &Entry, way: &[Edge], work: CallRef) -> Option<Loss> {
        let mut calls: Vec<CallRef> = way.iter().map(|edge| edge.call).collect();
        calls.push(work);
        if let Some(loss) = self.left_alone(entry, way, &calls) {
            return Some(loss);
        }
        if let Some(test) = self.only_logged(entry, way, work) {
            return Some(Loss::Logged(test));
        }
        // The innermost handler takes it.
        for (index, &at) in calls.iter().enumerate().rev() {
            let Some(guard) = self.guard_of_failure(at) else { continue };
            if let (Handler::Other, None) = (guard.handler, guard.body) {
                let outer = self.settled_unread(at)?;
                let function = self.function_of(outer);
                let end = self.facts(outer.file).span(self.facts(outer.file).call(outer.call).expr).end;
                return self.ends_well(entry, function, end).then_some(Loss::Settled(outer));
            }
            if guard.body.is_some_and(|body| self.failure_is_stored(at.file, body)) {
                return None;
            }
            let by = index.checked_sub(1).map(|outer| calls[outer]);
            if let Some(place) = self.swallows(entry, at, guard.handler, guard.ending, by) {
                return Some(Loss::Caught(place));
            }
            let (table, own) = self.shelved(entry, at, &guard)?;
            let Handler::Block(block) = guard.handler else { return None };
            let facts = self.facts(at.file);
            let well = match guard.ending {
                Ending::Returns(value) => self.leaves_well(entry, self.function_of(at), block, value),
                _ => self.ends_well(entry, self.function_of(at), facts.block(block).span.end),
            };
            let place = Place { file: at.file, span: facts.block(block).span }.head();
            return well.then_some(if own { Loss::Noted(place, table) } else { Loss::Shelved(place, table) });
        }
        self.told_unread(way, work, false)
    }

    /// How the failure of some work is lost in a function that returns an error then, `if (error) return { error }`, and
    /// whose answer nothing looks at; or that of what is looked for before the work.
    pub fn told_unread(&self, way: &[Edge], work: CallRef, before: bool) -> Option<Loss> {
        way.iter().enumerate().find_map(|(index, edge)| {
            let by = edge.call;
            let unread = self.facts(by.file).call(by.call).dropped && self.chain(by).next().is_none();
            let acting = way.get(index + 1).map_or(work, |next| next.call);
            if edge.kind != EdgeKind::Direct
                || !unread && !self.refusal_is_logged(by)
                || self.function_of(acting) != edge.target
            {
                return None;
            }
            let looked_up = before.then(|| self.looked_up_before(acting)).into_iter().flatten();
            let mut failing = std::iter::once(acting).filter(|_| !before).chain(looked_up);
            failing.find_map(|failed| {
                let block = self.arm_of_failure(failed)?;
                (!self.keeps_failure(edge.target, block)).then_some(Loss::Returned(by, failed))
            })
        })
    }

    /// The look-ups in the app's own rows before a call, whose errors come as values.
    fn looked_up_before(&self, acting: CallRef) -> impl Iterator<Item = CallRef> {
        let facts = self.facts(acting.file);
        let start = facts.span(facts.call(acting.call).expr).start;
        self.calls_in(self.function_of(acting)).filter(move |&at| {
            let reads = |used: &crate::program::VendorUse| {
                self.catalogue.vendor(used.vendor).own_backend
                    && self.gives_errors(used)
                    && self
                        .operation(used)
                        .is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List))
            };
            facts.span(facts.call(at.call).expr).end <= start && self.vendors_at(at).iter().any(reads)
        })
    }

    /// What catches the failure of a write, innermost first: not `except Order.DoesNotExist`, which is for the lookup
    /// beside it.
    fn guard_of_failure(&self, at: CallRef) -> Option<Guard> {
        let facts = self.facts(at.file);
        let of_lookup = |block: BlockId| {
            let BlockKind::Catch(Some(kind)) = facts.block(block).kind else { return false };
            let kinds = match facts.expr(kind) {
                ExprKind::List(kinds) => kinds.to_vec(),
                _ => vec![kind],
            };
            kinds.into_iter().all(|kind| facts.last_name(kind).is_some_and(|name| LOOKUPS.contains(&name.as_str())))
        };
        self.guards(at).into_iter().find_map(|guard| match (guard.handler, guard.body) {
            (Handler::Block(block), Some(body)) if of_lookup(block) => {
                let others = self.around(at).handlers(body).iter().copied();
                let mut rest = others.filter(|&other| !of_lookup(other) && ending(facts, other) != Ending::Throws);
                let block = rest.next()?;
                Some(Guard { body: Some(body), handler: Handler::Block(block), ending: ending(facts, block) })
            }
            _ => Some(guard),
        })
    }

    /// The `Promise.allSettled` that a call is handed to, where nobody reads what it gives.
    fn settled_unread(&self, at: CallRef) -> Option<CallRef> {
        let settles = |outer: &CallRef| self.external(*outer).is_some_and(|of| of.dotted() == "Promise.allSettled");
        let outer = self.handed_to(at).find(settles)?;
        let shape = self.facts(outer.file).call(outer.call);
        (shape.dropped && self.chain(at).all(|(_, name)| name != "catch") && self.chain(outer).next().is_none())
            .then_some(outer)
    }

    /// Whether the work runs when nobody can be told of its failure any more.
    fn left_alone(&self, entry: &Entry, way: &[Edge], calls: &[CallRef]) -> Option<Loss> {
        for edge in way {
            if edge.kind == EdgeKind::Deferred {
                return self.defers_in_memory(edge.call).then_some(Loss::Left(edge.call));
            }
            if edge.kind == EdgeKind::Direct {
                if let Some(outer) = self.handed_to(edge.call).find(|&outer| self.has_role(outer, KnownRole::Defer)) {
                    return self.defers_in_memory(outer).then_some(Loss::Left(outer));
                }
                let is_async = self.facts(edge.target.file).function(edge.target.function).is_async;
                if is_async && self.is_floating(edge.call) {
                    return Some(Loss::Floating(edge.call));
                }
            }
        }
        let own = calls.iter().find(|&&at| self.function_of(at) == entry.function)?;
        self.answered_before(entry, *own).map(Loss::Answered)
    }

    /// Whether what a call is handed is lost with the process.
    fn defers_in_memory(&self, at: CallRef) -> bool {
        self.callee(at).externals().any(|external| {
            let known = self.catalogue.known(external.package, &external.segs);
            known.is_some_and(|known| known.role == KnownRole::Defer && known.in_memory)
        })
    }

    /// `res.json({ received: true }); await work()`: the answer that is sent first.
    pub fn answered_before(&self, entry: &Entry, at: CallRef) -> Option<CallRef> {
        if !answers_by_call(entry) {
            return None;
        }
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let start = facts.span(call.expr).start;
        let around: Vec<BlockId> = facts.enclosing(call.block).map(|(id, _)| id).collect();
        self.calls_in(entry.function).find(|&sent| {
            let shape = facts.call(sent.call);
            facts.span(shape.expr).end <= start
                && shape.dropped
                && around.contains(&shape.block)
                && sends_answer(facts, shape.expr) == Some(Answer::Well)
                && !followed_by_return(facts, shape.block, facts.span(shape.expr))
        })
    }

    /// Where the error that a call gives is only logged, and what follows says nothing of it either.
    fn only_logged(&self, entry: &Entry, way: &[Edge], work: CallRef) -> Option<Place> {
        let facts = self.facts(work.file);
        let whole = self.chain(work).last().map_or(work, |(outer, _)| outer);
        let whole = facts.call(whole.call).expr;
        // `const { error } = await ..`
        let given = |value: ExprId| match facts.expr(value) {
            ExprKind::Member(base, name) if *name == "error" => match facts.expr(*base) {
                ExprKind::Await(inner) => *inner == whole,
                _ => *base == whole,
            },
            _ => false,
        };
        let def =
            facts.defs.iter().position(|def| def.values.len() == 1 && def.values.iter().any(|&value| given(value)))?;
        let def = crate::facts::DefId(def as u32);
        let function = self.function_of(work);
        let asks = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(name, block) if facts.lookup(*block, *name) == Some(def));
        let mut tests = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| {
            block.steps.iter().filter_map(|step| match step {
                Step::If { condition, then, .. } if asks(*condition) => Some((*condition, *then)),
                _ => None,
            })
        });
        let (condition, then) = tests.next()?;
        // Asked twice: it is more than logged.
        let reads = facts
            .exprs
            .iter()
            .filter(|expr| matches!(expr.kind, ExprKind::Ref(name, block) if facts.lookup(block, name) == Some(def)));
        let inside = facts.block(then).span;
        // `if (!error) await tell(..)`: what follows only when it went well says nothing of the failure.
        let of_success: Vec<Span> = facts
            .blocks
            .iter()
            .filter(|block| block.function == function.function)
            .flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                Step::If { condition, otherwise: None, .. } => negated(facts, *condition).find(|&part| asks(part)),
                _ => None,
            })
            .map(|part| facts.span(part))
            .collect();
        let says_more = |at: Span| !inside.contains(at) && at != facts.span(condition) && !of_success.contains(&at);
        let outside = reads.filter(|expr| says_more(expr.span)).count();
        if tests.next().is_some() || outside > 0 {
            return None;
        }
        let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
        let is_lost = match ending(facts, then) {
            Ending::GoesOn => true,
            Ending::Throws => false,
            Ending::Returns(value) if in_entry => self.leaves_well(entry, function, then, value),
            // Nothing is given back, or nobody looks at it.
            Ending::Returns(value) => {
                let is_dropped = |edge: &Edge| self.facts(edge.call.file).call(edge.call.call).dropped;
                let is_shown =
                    |edge: &Edge| self.function_of(edge.call) == entry.function && self.is_only_shown(entry, edge.call);
                match value {
                    None => way.last().is_some_and(is_dropped) || !gives_values(facts, function.function),
                    Some(_) => way.last().is_some_and(is_shown),
                }
            }
        };
        (is_lost && !self.keeps_failure(function, then)).then(|| Place { file: work.file, span: facts.span(condition) })
    }

    /// Whether what a call gives is only put into an answer of success, or into a log: `return json({ ok: true, result })`.
    fn is_only_shown(&self, entry: &Entry, by: CallRef) -> bool {
        let facts = self.facts(by.file);
        let whole = facts.call(by.call).expr;
        let Some(def) = kept_as(facts, whole) else { return false };
        let is = |expr: &ExprId| matches!(facts.expr(*expr), ExprKind::Ref(name, block) if facts.lookup(*block, *name) == Some(def));
        let function = self.function_of(by);
        let end = facts.span(whole).end;
        let answers: Vec<Span> = facts
            .returned(function.function)
            .filter(|&value| self.answer(facts, value, 4) == Answer::Well)
            .map(|value| facts.span(value))
            .chain(self.calls_in(function).filter_map(|at| {
                let expr = facts.call(at.call).expr;
                let shown = self.is_logging(at) || sends_answer(facts, expr) == Some(Answer::Well);
                shown.then(|| facts.span(expr))
            }))
            .collect();
        let decides =
            |at: Span| facts.operations().any(|(of, (op, _))| op == Op::Choose && facts.span(of).contains(at));
        let mut reads = (0..facts.exprs.len()).map(|at| ExprId(at as u32)).filter(is).map(|read| facts.span(read));
        reads.all(|at| answers.iter().any(|answer| answer.contains(at)) && !decides(at))
            && self.ends_well(entry, function, end)
    }

    /// `ok = save(..)`, then `if not ok: log(..)` and nothing more.
    fn refusal_is_logged(&self, by: CallRef) -> bool {
        if self.outcome_is_unread(by) {
            return true;
        }
        let facts = self.facts(by.file);
        let whole = facts.call(by.call).expr;
        let Some(def) = kept_as(facts, whole) else { return false };
        let is = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(name, block) if facts.lookup(*block, *name) == Some(def));
        let function = self.function_of(by);
        let mut tests = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| {
            block.steps.iter().filter_map(|step| match step {
                Step::If { condition, then, otherwise: None } => match facts.expr(*condition) {
                    ExprKind::Op(Op::Not, parts) if is(parts[0]) => Some(*then),
                    _ => None,
                },
                _ => None,
            })
        });
        let Some(then) = tests.next() else { return false };
        let reads = (0..facts.exprs.len()).filter(|&at| is(ExprId(at as u32))).count();
        reads == 1 && ending(facts, then) == Ending::GoesOn && !self.keeps_failure(function, then)
    }

    /// Whether a handler swallows a failure: it is not thrown on, told to whoever asks, or kept.
    fn swallows(
        &self,
        entry: &Entry,
        at: CallRef,
        handler: Handler,
        how: Ending,
        by: Option<CallRef>,
    ) -> Option<Place> {
        let facts = self.facts(at.file);
        let function = self.function_of(at);
        let (block, place) = match handler {
            Handler::Block(block) => (block, Place { file: at.file, span: facts.block(block).span }.head()),
            // `.catch(log)` on one call is meant so.
            Handler::Function(_) | Handler::Other => return None,
        };
        if self.keeps_failure(function, block) {
            return None;
        }
        let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
        match how {
            Ending::Throws => None,
            Ending::Returns(Some(value)) if in_entry => (self.answer(facts, value, 4) == Answer::Well).then_some(place),
            Ending::Returns(value) => {
                // What it gives is looked at, or passed on.
                let dropped =
                    by.is_some_and(|by| self.facts(by.file).call(by.call).dropped || self.refusal_is_logged(by));
                let tells = value.is_some_and(|value| !matches!(facts.expr(value), ExprKind::Null));
                (dropped || !in_entry && !tells && by.is_none()).then_some(place)
            }
            Ending::GoesOn if in_entry && answers_by_call(entry) => {
                // What the handler sends decides; else what follows it.
                let sent = self.sent_in(function, facts.block(block).span);
                match sent {
                    Some(Answer::Well) => Some(place),
                    Some(_) => None,
                    None => self.ends_well(entry, function, facts.block(block).span.end).then_some(place),
                }
            }
            Ending::GoesOn if in_entry => self.ends_well(entry, function, facts.block(block).span.end).then_some(place),
            Ending::GoesOn => Some(place),
        }
    }

    /// Whether a block of an entry point ends with an answer that says all went well.
    pub(in crate::program) fn leaves_well(
        &self,
        entry: &Entry,
        function: FunctionRef,
        block: BlockId,
        returned: Option<ExprId>,
    ) -> bool {
        self.left_with(entry, function, block, returned) == Some(Answer::Well)
    }

    /// Whether a block of an entry point ends with an answer that tells of an error.
    pub(in crate::program) fn leaves_refusing(
        &self,
        entry: &Entry,
        function: FunctionRef,
        block: BlockId,
        returned: Option<ExprId>,
    ) -> bool {
        self.left_with(entry, function, block, returned) == Some(Answer::Refuses)
    }

    /// The answer that a block of an entry point ends with.
    fn left_with(
        &self,
        entry: &Entry,
        function: FunctionRef,
        block: BlockId,
        returned: Option<ExprId>,
    ) -> Option<Answer> {
        let facts = self.facts(function.file);
        match answers_by_call(entry) {
            true => self.sent_in(function, facts.block(block).span),
            false => returned.map(|value| self.answer(facts, value, 4)),
        }
    }

    /// Whether a failure is told, kept or thrown on somewhere in a block: a status of 400 and more, an error thrown
    /// on some condition, a row written, a flag set, a queue.
    pub(in crate::program) fn keeps_failure(&self, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let span = facts.block(block).span;
        // `isSignature ? 400 : 200`: no status of a failure of the work.
        let of_signature: Vec<Span> = facts
            .operations()
            .filter(|&(at, _)| span.contains(facts.span(at)))
            .filter_map(|(at, (_, parts))| {
                let other = other_status(facts, at, 1)?;
                parts[1..].iter().find(|&&part| part != other).map(|&part| facts.span(part))
            })
            .collect();
        let is_status = |at: Span| !of_signature.contains(&at);
        let refuses = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Number(status) => (400.0..600.0).contains(status) && is_status(expr.span),
            // "could not warm the cache (non-fatal)": it is meant so.
            ExprKind::Text(text) => {
                let text = text.to_ascii_lowercase();
                [
                    "non-block",
                    "non-fatal",
                    "non-critical",
                    "nonfatal",
                    "noncritical",
                    "best effort",
                    "best-effort",
                    "ignor",
                ]
                .iter()
                .any(|part| text.contains(part))
            }
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                matches!(
                    name.as_str(),
                    "HttpResponseServerError"
                        | "HttpResponseBadRequest"
                        | "InternalServerErrorException"
                        | "abort"
                        | "next"
                )
            }
            _ => false,
        });
        let steps = facts.blocks.iter().filter(|inner| span.contains(inner.span)).flat_map(|inner| &inner.steps);
        let flags = steps.into_iter().any(|step| match step {
            Step::Throw(_) => true,
            Step::Bind(def, _) => !span.contains(facts.block(facts.def(*def).block).span),
            Step::Assign(..) => true,
            _ => false,
        });
        let writes =
            self.calls_in(function).filter(|at| span.contains(facts.span(facts.call(at.call).expr))).any(|at| {
                self.has_role(at, KnownRole::Write)
                    || self.has_role(at, KnownRole::Defer)
                    || !self.vendors_at(at).is_empty()
                    || self
                        .edges(at)
                        .iter()
                        .any(|edge| edge.kind == EdgeKind::Direct && self.writes_within(edge.target))
                    || pushes(facts, facts.call(at.call).expr)
            });
        refuses || flags || writes
    }

    fn writes_within(&self, function: FunctionRef) -> bool {
        let reach = self.reach(function, |edge| edge.kind == EdgeKind::Direct);
        reach.stops.iter().take(20).any(|stop| {
            self.calls_in(stop.function)
                .any(|at| self.has_role(at, KnownRole::Write) || !self.vendors_at(at).is_empty())
        })
    }

    /// What is sent in a stretch of a function.
    fn sent_in(&self, function: FunctionRef, span: Span) -> Option<Answer> {
        let facts = self.facts(function.file);
        let calls = self.calls_in(function).filter(|at| span.contains(facts.span(facts.call(at.call).expr)));
        calls.filter_map(|at| sends_answer(facts, facts.call(at.call).expr)).next()
    }

    /// Whether a function answers well after a place, and in no other way.
    pub(super) fn ends_well(&self, entry: &Entry, function: FunctionRef, from: u32) -> bool {
        let facts = self.facts(function.file);
        let after = |span: Span| span.start >= from;
        if answers_by_call(entry) {
            let mut sent = self
                .calls_in(function)
                .filter(|at| after(facts.span(facts.call(at.call).expr)))
                .filter_map(|at| sends_answer(facts, facts.call(at.call).expr))
                .peekable();
            return sent.peek().is_some() && sent.all(|answer| answer == Answer::Well);
        }
        let returns = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|block| {
            block.steps.iter().filter_map(move |step| match step {
                // The answers of other arms are none of what follows.
                Step::Return(Some(value)) if !matches!(block.kind, BlockKind::Catch(_)) => Some(*value),
                _ => None,
            })
        });
        let mut answers =
            returns.filter(|&value| after(facts.span(value))).map(|value| self.answer(facts, value, 4)).peekable();
        answers.peek().is_some() && answers.all(|answer| answer == Answer::Well)
    }
}

/// What a condition asks not to be: `!error`, alone or with more.
fn negated(facts: &Facts, condition: ExprId) -> impl Iterator<Item = ExprId> + '_ {
    let parts = match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.to_vec(),
        _ => vec![condition],
    };
    parts.into_iter().filter_map(|part| match facts.expr(part) {
        ExprKind::Op(Op::Not, parts) => parts.first().copied(),
        _ => None,
    })
}

/// Whether a function gives something back somewhere.
fn gives_values(facts: &Facts, function: FunctionId) -> bool {
    let mut blocks = facts.blocks.iter().filter(|block| block.function == function);
    blocks.any(|block| block.steps.iter().any(|step| matches!(step, Step::Return(Some(_)))))
}

/// Whether an entry's answer is sent by a call rather than returned.
fn answers_by_call(entry: &Entry) -> bool {
    matches!(entry.framework, "express" | "next-pages" | "api-folder" | "cloud-functions")
}

/// `errors.push(..)`: what went wrong is collected.
fn pushes(facts: &Facts, expr: ExprId) -> bool {
    let ExprKind::Call(call) = facts.expr(expr) else { return false };
    matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(_, name) if matches!(name.as_str(), "push" | "append"))
}

/// Whether the step after an answer leaves.
fn followed_by_return(facts: &Facts, block: BlockId, answer: Span) -> bool {
    let steps = &facts.block(block).steps;
    let at = steps.iter().position(|step| matches!(step, Step::Eval(value) if facts.span(*value).contains(answer)));
    at.is_none_or(|at| matches!(steps.get(at + 1), Some(Step::Return(_) | Step::Throw(_) | Step::Jump)))
}

/// The name that holds what a call gives, and nothing else.
fn kept_as(facts: &Facts, whole: ExprId) -> Option<DefId> {
    let holds = |value| value == whole || matches!(facts.expr(value), ExprKind::Await(inner) if *inner == whole);
    let def = facts.defs.iter().position(|def| matches!(def.values[..], [only] if holds(only)))?;
    Some(DefId(def as u32))
}
