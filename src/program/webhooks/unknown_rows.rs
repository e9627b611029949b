//! Work that is left out, without a word, when a row is not found: the event may only have come before the row.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, ending, handles_missing_row};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Program};

/// Words in the names of rows that say what is to be done: without one there is nothing to do.
const SETTINGS: &[&str] = &[
    "setting",
    "settings",
    "config",
    "configuration",
    "template",
    "templates",
    "rule",
    "rules",
    "trigger",
    "triggers",
    "contract",
    "integration",
    "map",
    "maps",
    "mapping",
    "mappings",
    "flag",
    "flags",
    "automation",
    "workflow",
];

impl Program {
    /// The test before some work that ends the function well, saying nothing, when a row is missing:
    /// `if (!customer) return res.json({ received: true })`.
    pub fn skipped_for_missing_row(&self, entry: &Entry, work: CallRef) -> Option<Place> {
        self.left_out_before(work, |condition, function, then| {
            self.misses_a_row(work.file, condition) && self.leaves_unsaid(entry, function, then)
        })
    }

    /// The test without which the work of an event is left out, and nothing is said: `if customer: ..` without an
    /// `else`, or a handler that passes over the look-up's failure: `except Order.DoesNotExist: pass`. Only where all of
    /// the event's work hangs on it: what is done besides for a row that may be missing is left out on purpose.
    pub fn left_out_without_row(&self, entry: &Entry, work: CallRef) -> Option<Place> {
        self.only_with_row(entry, work).or_else(|| self.row_passed_over(entry, work))
    }

    fn only_with_row(&self, entry: &Entry, work: CallRef) -> Option<Place> {
        let facts = self.facts(work.file);
        let function = self.function_of(work);
        let around = facts.enclosing(facts.call(work.call).block);
        let mut around = around.take_while(|(_, block)| block.function == function.function);
        let (then, condition) = around.find_map(|(id, block)| match block.kind {
            BlockKind::Then(condition) if self.finds_a_row(work.file, condition) => Some((id, condition)),
            _ => None,
        })?;
        let mut blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        let holder = blocks.find(|block| {
            block
                .steps
                .iter()
                .any(|step| matches!(*step, Step::If { then: other, otherwise: None, .. } if other == then))
        })?;
        let inside = facts.block(then).span;
        // What the row is called is asked once: `if not customer: log(..)` may stand beside it.
        let name = facts.last_name(row_of(facts, condition)?)?;
        let asked = facts.blocks.iter().filter(|block| block.function == function.function && block.span != inside);
        let asked_again = asked.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition: other, .. } => {
                *other != condition && !inside.contains(facts.span(*other)) && mentions(facts, *other, name, 4)
            }
            _ => false,
        });
        let besides = self.calls_in(function).any(|at| {
            let span = facts.span(facts.call(at.call).expr);
            holder.span.contains(span) && !inside.contains(span) && self.changes_something(at)
        });
        if asked_again || besides {
            return None;
        }
        let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
        let well = !in_entry || self.ends_well(entry, function, inside.end);
        well.then(|| Place { file: work.file, span: facts.span(condition) })
    }

    /// `except Order.DoesNotExist: pass` around the look-up and the work.
    fn row_passed_over(&self, entry: &Entry, work: CallRef) -> Option<Place> {
        let facts = self.facts(work.file);
        let function = self.function_of(work);
        let start = facts.span(facts.call(work.call).expr).start;
        let looks_up = |body: BlockId| {
            let body = facts.block(body).span;
            self.calls_in(function).any(|at| {
                let call = facts.call(at.call);
                let span = facts.span(call.expr);
                body.contains(span)
                    && span.end <= start
                    && facts
                        .last_name(call.callee)
                        .is_some_and(|name| matches!(name.as_str(), "get" | "aget" | "one" | "scalar_one"))
            })
        };
        let around = facts.enclosing(facts.call(work.call).block);
        let bodies = around.take_while(|(_, block)| block.function == function.function);
        let mut bodies = bodies.filter(|(id, block)| block.kind == BlockKind::Try && looks_up(*id)).map(|(id, _)| id);
        let around = self.around(work);
        bodies.find_map(|body| {
            let handler = around.handlers(body).iter().copied().find(|&handler| handles_missing_row(facts, handler))?;
            let span = facts.block(handler).span;
            let says = |at: CallRef| {
                span.contains(facts.span(facts.call(at.call).expr))
                    && (self.is_logging(at) || !self.vendors_at(at).is_empty())
            };
            let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
            let well = match ending(facts, handler) {
                Ending::GoesOn => !in_entry || self.ends_well(entry, function, span.end),
                _ => self.goes_home(entry, function, handler),
            };
            let silent = !self.calls_in(function).any(says) && !self.keeps_failure(function, handler);
            (well && silent).then(|| Place { file: work.file, span }.head())
        })
    }

    /// Whether a call runs for events that end something, by the words around it: where nothing was kept, nothing ends.
    pub fn is_of_an_end(&self, at: CallRef) -> bool {
        const ENDS: &[&str] = &[
            "deleted",
            "delete",
            "cancel",
            "canceled",
            "cancelled",
            "cancellation",
            "failed",
            "failure",
            "expired",
            "paused",
            "ended",
            "refund",
            "refunded",
            "dispute",
            "disputed",
            "removed",
            "revoked",
            "uninstalled",
            "unpaid",
        ];
        const BEGINS: &[&str] = &["completed", "succeeded", "paid", "created", "success", "captured", "approved"];
        let facts = self.facts(at.file);
        let function = self.function_of(at);
        let mut said = words(&self.function_name(function));
        for (_, block) in facts.enclosing(facts.call(at.call).block) {
            let condition = match block.kind {
                BlockKind::Then(condition) => condition,
                BlockKind::Case(_, Some(value)) => value,
                _ => continue,
            };
            let span = facts.span(condition);
            let texts =
                facts.exprs.iter().filter(|expr| span.contains(expr.span)).filter_map(|expr| match &expr.kind {
                    ExprKind::Text(text) => Some(words(text)),
                    _ => None,
                });
            said.extend(texts.flatten());
        }
        let any = |of: &[&str]| said.iter().any(|word| of.contains(&word.as_str()));
        any(ENDS) && !any(BEGINS)
    }

    /// The row of the own database that a condition asks to be there, alone or with more: `row && row.state !== "paid"`.
    fn row_asked(&self, file: crate::finding::FileId, condition: ExprId) -> Option<ExprId> {
        let found = |part: &ExprId| self.finds_a_row(file, *part);
        match self.facts(file).expr(condition) {
            ExprKind::Op(Op::And, parts) => parts.iter().copied().find(found),
            _ => Some(condition).filter(found),
        }
    }

    /// `row`, `row is not None`: a row of the own database was found.
    fn finds_a_row(&self, file: crate::finding::FileId, condition: ExprId) -> bool {
        let facts = self.facts(file);
        let plain = row_of(facts, condition);
        let is_setting = |expr: ExprId| {
            facts.last_name(expr).is_some_and(|name| words(&name).iter().any(|word| SETTINGS.contains(&word.as_str())))
        };
        plain.is_some_and(|row| {
            matches!(facts.expr(row), ExprKind::Ref(..))
                && !counts_changed(facts, row)
                && self.is_kept_row(ExprRef::new(file, row))
                && !is_setting(row)
        })
    }

    /// Whether a call changes, makes or sends something.
    fn changes_something(&self, at: CallRef) -> bool {
        // `from(..)` and `single()` of a query are no change of their own.
        let reads = |used: &crate::program::VendorUse| match self.operation(used) {
            Some(of) => matches!(of.effect, Effect::Read | Effect::List | Effect::Verify | Effect::Sign),
            None => self.catalogue.vendor(used.vendor).own_backend,
        };
        let uses = self.vendors_at(at);
        if !uses.is_empty() {
            return !uses.iter().all(reads);
        }
        let own = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        self.has_role(at, KnownRole::Write)
            || own.into_iter().any(|edge| {
                let reach = self.reach(edge.target, |edge| edge.kind == EdgeKind::Direct);
                reach.stops.iter().take(20).any(|stop| {
                    self.calls_in(stop.function).any(|at| {
                        self.has_role(at, KnownRole::Write) || self.vendors_at(at).iter().any(|used| !reads(used))
                    })
                })
            })
    }

    /// The test before some work that ends the function well when a look-up has given no row, and the look-up, whose
    /// error nobody reads: one that failed looks the same.
    pub fn skipped_for_failed_look(&self, entry: &Entry, work: CallRef) -> Option<(Place, CallRef)> {
        let looked = |condition: ExprId| self.looked_up_by(ExprRef::new(work.file, condition), 8);
        let mut look = None;
        let place = self.left_out_before(work, |condition, function, then| {
            look = looked(condition).filter(|&look| self.drops_error(look));
            look.is_some()
                && self.misses_a_row(work.file, condition)
                && self.goes_home(entry, function, then)
                && !self.keeps_failure(function, then)
        })?;
        Some((place, look?))
    }

    /// The same where the error of the look-up is asked beside the row, and both are taken for a row that is not there:
    /// `if (error || !row) { log(..); return }`.
    pub fn skipped_as_missing(&self, entry: &Entry, work: CallRef) -> Option<(Place, CallRef)> {
        let mut look = None;
        let place = self.left_out_before(work, |condition, function, then| {
            look = self.failed_look(ExprRef::new(work.file, condition));
            look.is_some() && self.goes_home(entry, function, then) && !self.keeps_failure(function, then)
        })?;
        Some((place, look?))
    }

    /// The look-up in the app's own rows whose error a condition asks for, alone or beside a row that is missing.
    fn failed_look(&self, at: ExprRef) -> Option<CallRef> {
        let facts = self.facts(at.file);
        let parts = match facts.expr(at.expr) {
            ExprKind::Op(Op::Or, parts) => parts.to_vec(),
            _ => vec![at.expr],
        };
        let error_of = |part: ExprId| {
            let ExprKind::Ref(name, block) = facts.expr(part) else { return None };
            let [value] = facts.def(facts.lookup(*block, *name)?).values[..] else { return None };
            let ExprKind::Member(given, error) = facts.expr(value) else { return None };
            if *error != "error" {
                return None;
            }
            let look = self.looked_up_by(ExprRef::new(at.file, *given), 4)?;
            let reads = |used: &crate::program::VendorUse| {
                self.catalogue.vendor(used.vendor).own_backend
                    && self.gives_errors(used)
                    && self.operation(used).is_some_and(|of| matches!(of.effect, Effect::Read | Effect::List))
            };
            self.vendors_at(look).iter().any(reads).then_some(look)
        };
        parts.into_iter().find_map(error_of)
    }

    /// The test without which work is left out, where the row it asks for is also missing when its look-up fails, and
    /// whatever runs then says nothing of it: `if (!row) { log(..) } else { .. }`, `if (row && ..) { .. } else { log(..) }`.
    pub fn left_to_the_other_arm(&self, entry: &Entry, work: CallRef) -> Option<(Place, CallRef)> {
        let facts = self.facts(work.file);
        let function = self.function_of(work);
        let around = facts.enclosing(facts.call(work.call).block);
        let arms = around.take_while(|(_, block)| block.function == function.function).filter_map(|(id, block)| {
            match block.kind {
                BlockKind::Then(condition) => Some((id, condition, true)),
                BlockKind::Else(condition) => Some((id, condition, false)),
                _ => None,
            }
        });
        arms.into_iter().find_map(|(arm, condition, held)| {
            let row = match held {
                true => self.row_asked(work.file, condition)?,
                false => Some(condition).filter(|&condition| self.misses_a_row(work.file, condition))?,
            };
            let look = self.looked_up_by(ExprRef::new(work.file, row), 8).filter(|&look| self.drops_error(look))?;
            let mut blocks = facts.blocks.iter().filter(|block| block.function == function.function);
            let (holder, other) = blocks.find_map(|block| {
                block.steps.iter().find_map(|step| match *step {
                    Step::If { then, otherwise, .. } if then == arm => Some((block, otherwise)),
                    Step::If { then, otherwise, .. } if otherwise == Some(arm) => Some((block, Some(then))),
                    _ => None,
                })
            })?;
            let (inside, passed) = (facts.block(arm).span, other.map(|other| facts.block(other).span));
            // What gives the row may be a change itself: `update(..).select().single()`.
            let last = self.chain(look).last().map_or(look, |(last, _)| last);
            let looks = facts.span(facts.call(last.call).expr);
            let in_either = |span| {
                inside.contains(span) || looks.contains(span) || passed.is_some_and(|passed| passed.contains(span))
            };
            // Only where all of the event's work hangs on it.
            let besides = self.calls_in(function).any(|at| {
                let span = facts.span(facts.call(at.call).expr);
                holder.span.contains(span) && !in_either(span) && self.changes_something(at)
            });
            let silent = other.is_none_or(|other| {
                !self.keeps_failure(function, other)
                    && (ending(facts, other) == Ending::GoesOn || self.goes_home(entry, function, other))
            });
            let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
            let end = passed.map_or(inside.end, |passed| passed.end.max(inside.end));
            let well = !in_entry || self.ends_well(entry, function, end);
            (silent && well && !besides).then(|| (Place { file: work.file, span: facts.span(condition) }, look))
        })
    }

    /// The query whose row a condition asks for.
    fn looked_up_by(&self, at: ExprRef, depth: usize) -> Option<CallRef> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.looked_up_by(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not | Op::Equal | Op::Or | Op::And, parts) => next(*parts.first()?),
            ExprKind::Member(base, _) | ExprKind::Await(base) => next(*base),
            ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                [only] => next(only),
                _ => None,
            },
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                match facts.expr(facts.call(call.call).callee) {
                    _ if !self.vendors_at(call).is_empty() => Some(call),
                    ExprKind::Member(base, _) => next(*base),
                    _ => self.looks_up_within(call),
                }
            }
            _ => None,
        }
    }

    /// The query of a helper that is there to look a row up: `const order = await findOrder()`.
    fn looks_up_within(&self, call: CallRef) -> Option<CallRef> {
        let edge = self.edges(call).iter().find(|edge| edge.kind == EdgeKind::Direct)?;
        let calls = || self.calls_in(edge.target);
        let reads = |used: &crate::program::VendorUse| {
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|of| matches!(of.effect, Effect::Read | Effect::List))
        };
        let queries = || calls().filter(|&at| self.vendors_at(at).iter().any(reads));
        let only_reads = calls().all(|at| !self.changes_something(at));
        queries().find(|&at| self.drops_error(at)).filter(|_| only_reads)
    }

    /// Whether the error that a query gives beside its rows is never read.
    fn drops_error(&self, query: CallRef) -> bool {
        let looks = self.looks(query);
        let gives = self.vendors_at(query).iter().any(|used| self.gives_errors(used));
        let row = |part: Option<&Name>| part.is_some_and(|part| !part.starts_with("error") && *part != "status");
        gives && !looks.is_empty() && looks.iter().all(|look| row(look.part.first()))
    }

    /// The first test before some work, in its function, that ends the function and fits.
    pub(super) fn left_out_before(
        &self,
        work: CallRef,
        mut fits: impl FnMut(ExprId, FunctionRef, BlockId) -> bool,
    ) -> Option<Place> {
        let facts = self.facts(work.file);
        let shape = facts.call(work.call);
        let function = self.function_of(work);
        let start = facts.span(shape.expr).start;
        let around = facts.enclosing(shape.block).take_while(|(_, block)| block.function == function.function);
        let mut steps =
            around.filter(|(_, block)| !matches!(block.kind, BlockKind::Catch(_))).flat_map(|(_, block)| &block.steps);
        steps.find_map(|step| {
            let Step::If { condition, then, otherwise: None } = *step else { return None };
            let before = facts.block(then).span.end <= start;
            (before && fits(condition, function, then)).then(|| Place { file: work.file, span: facts.span(condition) })
        })
    }

    /// `!row`, `row == null`, `!row || !row.id`: a row of the own database was not found.
    fn misses_a_row(&self, file: crate::finding::FileId, condition: ExprId) -> bool {
        let facts = self.facts(file);
        let is_setting = |expr: ExprId| {
            facts.last_name(expr).is_some_and(|name| words(&name).iter().any(|word| SETTINGS.contains(&word.as_str())))
        };
        let row = |expr: ExprId| {
            self.is_kept_row(ExprRef::new(file, expr)) && !is_setting(expr) && !counts_changed(facts, expr)
        };
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => row(parts[0]),
            ExprKind::Op(Op::Equal, parts) if parts.len() == 2 => {
                matches!(facts.expr(parts[1]), ExprKind::Null) && row(parts[0])
            }
            // `!rows || rows.length === 0`: a list that has nothing in it is no row that is missing.
            ExprKind::Op(Op::Or, parts) => {
                !parts.iter().any(|&part| asks_length(facts, part))
                    && parts.first().is_some_and(|&part| self.misses_a_row(file, part))
            }
            _ => false,
        }
    }

    /// Whether a block leaves the function as if all was well, and neither logs, counts nor keeps anything.
    fn leaves_unsaid(&self, entry: &Entry, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let span = facts.block(block).span;
        let says = |at: CallRef| self.is_logging(at) || !self.vendors_at(at).is_empty();
        let unsaid =
            !self.calls_in(function).filter(|at| span.contains(facts.span(facts.call(at.call).expr))).any(says);
        unsaid && self.goes_home(entry, function, block) && !self.keeps_failure(function, block)
    }

    /// Whether a block leaves the function as if all was well.
    pub(super) fn goes_home(&self, entry: &Entry, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
        match ending(facts, block) {
            Ending::Returns(value) if in_entry => self.leaves_well(entry, function, block, value),
            // A helper that gives nothing: who called it goes on.
            Ending::Returns(value) => value.is_none_or(|value| is_nothing(facts, value)),
            Ending::Throws | Ending::GoesOn => false,
        }
    }
}

fn asks_length(facts: &Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Member(_, name) => *name == "length",
        ExprKind::Op(_, parts) => parts.iter().any(|&part| asks_length(facts, part)),
        _ => false,
    }
}

/// The row that a condition asks to be there: `row`, `row is not None`, `row and pack`.
fn row_of(facts: &Facts, condition: ExprId) -> Option<ExprId> {
    match facts.expr(condition) {
        ExprKind::Ref(..) => Some(condition),
        ExprKind::Op(Op::Unequal, parts) => match parts[..] {
            [row, nothing] if is_nothing(facts, nothing) => Some(row),
            _ => None,
        },
        // `user and pack`; what else is asked of the row may be why nothing is to be done.
        ExprKind::Op(Op::And, parts) => {
            let plain = parts.iter().all(|&part| matches!(facts.expr(part), ExprKind::Ref(..)));
            parts.first().copied().filter(|_| plain)
        }
        _ => None,
    }
}

/// `updated = query.filter(..).update(..)`: how many rows were changed, which may be none on purpose.
fn counts_changed(facts: &Facts, row: ExprId) -> bool {
    let ExprKind::Ref(name, block) = *facts.expr(row) else { return false };
    let values = facts.lookup(block, name).map(|def| facts.def(def).values.as_slice());
    values.unwrap_or_default().iter().any(|&value| {
        let value = match *facts.expr(value) {
            ExprKind::Await(inner) => inner,
            _ => value,
        };
        match *facts.expr(value) {
            ExprKind::Call(call) => facts
                .last_name(facts.call(call).callee)
                .is_some_and(|name| matches!(name.as_str(), "update" | "delete" | "aupdate" | "adelete")),
            _ => false,
        }
    })
}

/// Whether a condition names something.
fn mentions(facts: &Facts, condition: ExprId, name: Name, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Ref(other, _) => *other == name,
        ExprKind::Op(_, parts) => parts.iter().any(|&part| mentions(facts, part, name, depth)),
        ExprKind::Member(base, _) => mentions(facts, *base, name, depth),
        _ => false,
    }
}

fn is_nothing(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Null)
}
