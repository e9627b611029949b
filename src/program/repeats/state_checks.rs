//! Whether a call runs only while what is kept does not say that it ran before: a row looked up first, a state
//! compared, a claim that only the first of two can make.

use rustc_hash::FxHashSet;

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{Block, BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::repeats::claims::waiting_of;
use crate::program::terms::less_far;
use crate::program::terms::{Ending, ending, handles_missing_row};
use crate::program::values::options::Lookup;
use crate::program::verify::words;
use crate::program::webhooks::remembered::Written;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program, Value};

mod asked;
mod handed;
mod rows;

/// How far a value is followed back to what it was read from.
const FARTHEST: usize = 10;

/// Functions of the languages that keep what a value says.
const CONVERSIONS: &[&str] = &["String", "Number", "Boolean", "str", "int", "bool"];

/// What a value tells of what is kept.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    /// It is a field of what was read, not the row itself.
    field: bool,
    /// It says what went wrong.
    fault: bool,
    /// It came of a write: a claim, or an update that only changes what is in a certain state.
    claim: bool,
    /// The write goes well where it meets no row: that nothing went wrong tells nothing.
    meets_none: bool,
    /// It is the verdict of an own function, by its name that something is new.
    says_new: bool,
    /// What read it.
    read: Option<CallRef>,
}

/// What keeps a way to a call from running twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Nothing.
    Free,
    /// A look at what is kept: of two at the same moment both pass it.
    Asked,
    /// What is kept is asked, and the run written down before the call, where nothing refuses a second note of it: of
    /// two at the same moment both pass, a later one does not.
    Noted,
    /// What is kept is asked, and the row changed before the call, whatever state it is in by then: of two at the same
    /// moment both pass.
    Changed,
    /// What is kept is asked, and the run written down, before the call.
    Claimed,
}

impl Program {
    /// What keeps the calls of a way from running twice. Of a look at what is kept, only what is `written` by a run
    /// tells of an earlier one; without it, whatever is asked counts.
    pub fn held(&self, way: &[CallRef], written: Option<&Written>) -> Held {
        let checks = StateChecks { program: self, written };
        let checked = |at: CallRef| checks.before(at);
        // `once(key, async () => send(..))`: what the wrapper asks before it runs what it is given.
        let given = way.windows(2).flat_map(|pair| self.runs_given(pair[0], pair[1]));
        let way: Vec<CallRef> = given.chain(way.iter().copied()).collect();
        if way.iter().any(|&at| checks.is_behind_refusal(at)) {
            return Held::Claimed;
        }
        if !way.iter().any(|&at| checked(at)) {
            return Held::Free;
        }
        // `if (!(await claimReminder(..))) return`: of two at the same moment one gets it.
        if way.iter().any(|&at| checks.is_claimed(at)) {
            return Held::Claimed;
        }
        let noted = way.iter().filter_map(|&step| {
            let facts = self.facts(step.file);
            let start = facts.span(facts.call(step.call).expr).start;
            let before = self.calls_in(self.function_of(step)).filter(|other| {
                let first = facts.span(facts.call(other.call).expr).end <= start;
                let on_the_way = || checked(*other) && checks.is_on_the_way(*other, step);
                first && self.writes_own(*other) && on_the_way() && !checks.says_as_before(*other, step)
            });
            // An update that asks for nothing but the row lets both of two through.
            let holds = |other| match () {
                () if self.adds_each_time(other) => Held::Noted,
                () if self.asks_for_state(other) == Some(false) => Held::Changed,
                () => Held::Claimed,
            };
            before.map(holds).max()
        });
        noted.max().unwrap_or(Held::Asked)
    }

    /// The calls with which a function of the program runs what it is given, where a call that is written in the
    /// arguments of another is run that way.
    fn runs_given(&self, outer: CallRef, inner: CallRef) -> Vec<CallRef> {
        if outer.file != inner.file {
            return vec![];
        }
        let facts = self.facts(outer.file);
        let span = facts.span(facts.call(inner.call).expr);
        if !facts.call(outer.call).args.iter().any(|arg| facts.span(arg.value).contains(span)) {
            return vec![];
        }
        let targets = self.edges(outer).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target);
        let is_given = |at: &CallRef| {
            let facts = self.facts(at.file);
            let mut base = facts.call(at.call).callee;
            while let ExprKind::Member(inner, _) = facts.expr(base) {
                base = *inner;
            }
            match facts.expr(base) {
                ExprKind::Ref(name, block) => {
                    facts.lookup(*block, *name).is_some_and(|def| facts.def(def).kind == crate::facts::DefKind::Param)
                }
                _ => false,
            }
        };
        targets.flat_map(|target| self.calls_in(target)).filter(is_given).collect()
    }

    /// Whether a state check stands before a call, in its function or before a call on the way to it.
    pub fn runs_once(&self, way: impl IntoIterator<Item = CallRef>) -> bool {
        way.into_iter().any(|at| StateChecks { program: self, written: None }.before(at))
    }

    /// Whether a state check stands before a place of the file of a call.
    pub(in crate::program) fn is_state_checked(&self, at: CallRef, block: BlockId, start: u32) -> bool {
        StateChecks { program: self, written: None }.stands_before(at, block, start)
    }
}

struct StateChecks<'p> {
    program: &'p Program,
    /// What a run writes, where only that counts.
    written: Option<&'p Written>,
}

impl StateChecks<'_> {
    /// Whether a condition that asks for what is kept decides that a call runs.
    fn before(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        self.stands_before(at, call.block, facts.span(call.expr).start)
    }

    /// Whether a write before a call is made on every way to it, but for those on which what is kept says that it was
    /// made: not where something else decides about it.
    fn is_on_the_way(&self, write: CallRef, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let around: Vec<BlockId> = facts.enclosing(facts.call(at.call).block).map(|(id, _)| id).collect();
        let own = facts.enclosing(facts.call(write.call).block).take_while(|(id, _)| !around.contains(id));
        own.into_iter().all(|(_, block)| match block.kind {
            BlockKind::Then(condition) | BlockKind::Else(condition) => {
                asks_presence(facts, condition, 4)
                    || [true, false].into_iter().any(|wanted| self.tells(at, condition, wanted, FARTHEST))
            }
            _ => true,
        })
    }

    /// Whether a row that the table refuses a second time is added before a call, and the refusal leaves:
    /// `try { insert(key) } catch { return }`.
    fn is_behind_refusal(&self, at: CallRef) -> bool {
        let program = self.program;
        let facts = program.facts(at.file);
        let call = facts.call(at.call);
        let (start, function) = (facts.span(call.expr).start, program.function_of(at));
        let leaves = |block: BlockId| {
            let span = facts.block(block).span;
            let within = facts.blocks.iter().enumerate().filter(|(_, inner)| span.contains(inner.span));
            within.into_iter().any(|(id, _)| matches!(ending(facts, BlockId(id as u32)), Ending::Returns(_)))
        };
        let claims = |body: BlockId| {
            let span = facts.block(body).span;
            let inside = |other: &CallRef| span.contains(facts.span(facts.call(other.call).expr));
            program.calls_in(function).filter(inside).any(|other| {
                program.writes_own(other)
                    && (program.adds_a_row_once(other)
                        || program.understands_refusal(function) && program.may_add_a_row_once(other))
            })
        };
        facts.enclosing(call.block).flat_map(|(_, block)| &block.steps).any(|step| match step {
            Step::Try { body, handlers, .. } => {
                facts.block(*body).span.end <= start
                    && handlers.iter().any(|&handler| facts.block(handler).span.end <= start && leaves(handler))
                    && claims(*body)
            }
            _ => false,
        })
    }

    /// Whether one decides that a place of a block is reached.
    fn stands_before(&self, at: CallRef, block: BlockId, start: u32) -> bool {
        let facts = self.program.facts(at.file);
        facts.enclosing(block).any(|(id, block)| {
            let arm = match block.kind {
                BlockKind::Then(condition) => self.tells(at, condition, true, FARTHEST),
                BlockKind::Else(condition) => self.tells(at, condition, false, FARTHEST),
                BlockKind::Case(subject, _) => {
                    self.kept(ExprRef::new(at.file, subject), FARTHEST).is_some_and(|kept| kept.field && !kept.fault)
                }
                // Where the row that was looked for is not there.
                BlockKind::Catch(_) => handles_missing_row(facts, id),
                _ => false,
            };
            arm || block.steps.iter().any(|step| self.leaves_before(at, facts, step, start))
        })
    }

    /// `if (existing) return` before the call.
    fn leaves_before(&self, at: CallRef, facts: &Facts, step: &Step, start: u32) -> bool {
        let Step::If { condition, then, otherwise } = step else { return false };
        if facts.block(*then).span.start >= start || facts.block(*then).span.end > start {
            return false;
        }
        if otherwise.is_some_and(|block| facts.block(block).span.end > start) {
            return false;
        }
        // `if event_id: claimed = ..; if not claimed: return`
        if asks_presence(facts, *condition, 4) && self.leaves_within(at, facts, *then, start, 3) {
            return true;
        }
        let leaves = |block: BlockId| {
            ending(facts, block) != Ending::GoesOn
                || matches!(facts.block(block).steps.last(), Some(Step::Jump | Step::Break))
        };
        // `if (error) log(error); else if (known) return`
        let within = |block: BlockId| {
            let steps = &facts.block(block).steps;
            steps.iter().any(|step| self.leaves_before(at, facts, step, start))
        };
        leaves(*then) && self.tells(at, *condition, false, FARTHEST)
            || otherwise.is_some_and(leaves) && self.tells(at, *condition, true, FARTHEST)
            || self.says_fault(at, *condition) && otherwise.is_some_and(within)
    }

    /// Whether a condition asks whether the look at what is kept went wrong.
    fn says_fault(&self, at: CallRef, condition: ExprId) -> bool {
        self.kept(ExprRef::new(at.file, condition), FARTHEST).is_some_and(|kept| kept.fault)
    }

    /// Whether what a claim gave, which only one of two can make, decides that a call runs.
    fn is_claimed(&self, at: CallRef) -> bool {
        self.deciding(at)
            .into_iter()
            .any(|condition| self.asks_claim(ExprRef::new(at.file, condition), false, FARTHEST))
    }

    /// The conditions on what is kept that decide that a call runs, innermost first.
    fn deciding(&self, at: CallRef) -> Vec<ExprId> {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let start = facts.span(call.expr).start;
        let of_block = |block: &Block| {
            let arm = match block.kind {
                BlockKind::Then(condition) if self.tells(at, condition, true, FARTHEST) => Some(condition),
                BlockKind::Else(condition) if self.tells(at, condition, false, FARTHEST) => Some(condition),
                _ => None,
            };
            let left = block.steps.iter().rev().filter(|step| self.leaves_before(at, facts, step, start));
            let left = left.filter_map(|step| match step {
                Step::If { condition, .. } => Some(*condition),
                _ => None,
            });
            left.chain(arm).collect::<Vec<ExprId>>()
        };
        facts.enclosing(call.block).flat_map(|(_, block)| of_block(block)).collect()
    }

    /// Whether an expression holds what a claim gave; `fault`: what it says went wrong, which an update that meets no
    /// row does not tell.
    fn asks_claim(&self, at: ExprRef, fault: bool, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.asks_claim(ExprRef::new(at.file, expr), fault, depth);
        match facts.expr(at.expr) {
            ExprKind::Op(_, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Member(inner, name) => {
                let fault = fault || matches!(name.as_str(), "error" | "err" | "message");
                self.asks_claim(ExprRef::new(at.file, *inner), fault, depth)
            }
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                values.is_some_and(|values| values.len() == 1 && next(values[0]))
            }
            ExprKind::Call(call) => {
                let call_at = CallRef::new(at.file, *call);
                let updates = !fault && self.program.asks_for_state(call_at) == Some(true);
                updates
                    || self.program.adds_a_row_once(call_at) && self.program.writes_own(call_at)
                    || self.makes_claim(call_at)
                    || matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(base, _) if next(*base))
            }
            _ => false,
        }
    }

    /// Whether a call runs an own function that adds a row where a second one is refused, or whose name says that it
    /// claims and which writes.
    fn makes_claim(&self, at: CallRef) -> bool {
        let program = self.program;
        let named = program.called_name(at).is_some_and(|name| {
            words(&name).iter().any(|word| matches!(word.as_str(), "claim" | "acquire" | "lock" | "lease" | "reserve"))
        });
        let claims = |inner: CallRef| program.writes_own(inner) && (named || program.adds_a_row_once(inner));
        program
            .edges(at)
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Direct)
            .any(|edge| program.calls_in(edge.target).any(claims))
    }

    /// Whether a block that ends before the call leaves where what is kept says that it was done.
    fn leaves_within(&self, at: CallRef, facts: &Facts, block: BlockId, start: u32, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        facts.block(block).steps.iter().any(|step| match step {
            Step::Try { body, .. } => self.leaves_within(at, facts, *body, start, depth),
            Step::Block(inner) => self.leaves_within(at, facts, *inner, start, depth),
            step => self.leaves_before(at, facts, step, start),
        })
    }

    /// Whether a condition that comes out as `wanted` says that nothing was done before.
    fn tells(&self, at: CallRef, condition: ExprId, wanted: bool, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let kept =
            |expr: ExprId| self.kept(ExprRef::new(at.file, expr), depth).filter(|kept| !kept.fault || kept.claim);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => self.tells(at, parts[0], !wanted, depth),
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| self.tells(at, part, wanted, depth)),
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let (side, other) = if kept(parts[0]).is_some() { (parts[0], parts[1]) } else { (parts[1], parts[0]) };
                let Some(found) = kept(side) else { return false };
                let equal = (*op == Op::Equal) == wanted;
                match facts.expr(other) {
                    _ if found.claim => true,
                    ExprKind::Null => equal,
                    ExprKind::Number(n) if *n == 0.0 => equal,
                    ExprKind::Bool(truth) => found.field || found.says_new || (equal != *truth),
                    _ => found.field && !is_owner(facts, side),
                }
            }
            // `found.length > 0`, `used >= limit`
            ExprKind::Op(Op::Compare, parts) => {
                parts.iter().any(|&part| kept(part).is_some_and(|found| found.claim || !wanted))
            }
            ExprKind::Op(Op::In, parts) => {
                parts.iter().any(|&part| kept(part).is_some_and(|found| found.field || !wanted))
            }
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                if let Some([only]) = values.map(Vec::as_slice)
                    && matches!(
                        facts.expr(*only),
                        ExprKind::Op(Op::Not | Op::And | Op::Or | Op::Equal | Op::Unequal | Op::Compare | Op::In, _)
                    )
                {
                    return self.tells(at, *only, wanted, depth);
                }
                kept(condition).is_some_and(|found| found.claim || wanted == found.says_new)
            }
            ExprKind::Await(inner) => self.tells(at, *inner, wanted, depth),
            ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Call(_) => {
                kept(condition).is_some_and(|found| found.claim || wanted == found.says_new)
            }
            _ => false,
        }
    }

    /// What a value tells of what is kept; none when it was not read from there.
    fn kept(&self, at: ExprRef, depth: usize) -> Option<Kept> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.kept(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let values = &facts.def(facts.lookup(*block, *name)?).values;
                let depth = less_far(depth, values.len());
                values.iter().find_map(|&value| self.kept(ExprRef::new(at.file, value), depth))
            }
            ExprKind::Await(inner) | ExprKind::ElementOf(inner) | ExprKind::Index(inner, _) => next(*inner),
            ExprKind::Member(base, name) => {
                let kept = next(*base)?;
                let part = matches!(
                    name.as_str(),
                    "data"
                        | "rows"
                        | "length"
                        | "count"
                        | "rowCount"
                        | "rowcount"
                        | "exists"
                        | "docs"
                        | "empty"
                        | "size"
                );
                let fault = kept.fault || matches!(name.as_str(), "error" | "err" | "message");
                let claim = kept.claim && !(fault && kept.meets_none);
                let tells = part || fault || claim || self.written.is_none_or(|written| written.column(name));
                tells.then_some(Kept { field: kept.field || !part && !fault, fault, claim, ..kept })
            }
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Op(Op::Not, parts) => next(parts[0]),
            ExprKind::Param(function, position) => {
                self.kept_by_callers(FunctionRef::new(at.file, *function), usize::from(*position), depth)
            }
            // What still waits is picked from the rows: none of them the second time.
            ExprKind::Call(call) if let Some(rows) = waiting_of(facts, *call) => {
                next(rows).map(|kept| Kept { claim: true, meets_none: true, ..kept })
            }
            // However many filters a query has: `from(..).select(..).eq(..).eq(..)`.
            ExprKind::Call(call) => {
                let mut call = *call;
                loop {
                    let read = CallRef::new(at.file, call);
                    let found = self.read_by(read).map(|kept| Kept { read: Some(read), ..kept });
                    let shape = facts.call(call);
                    let ExprKind::Member(base, _) = facts.expr(shape.callee) else {
                        // `String(row.status)`
                        let converts = matches!(facts.expr(shape.callee), ExprKind::Ref(name, _) if CONVERSIONS.contains(&name.as_str()));
                        let inner = shape.args.first().filter(|_| converts && found.is_none());
                        return inner.map_or(found, |arg| next(arg.value));
                    };
                    match facts.expr(*base) {
                        _ if found.is_some() => return found,
                        ExprKind::Call(inner) => call = *inner,
                        _ => return next(*base),
                    }
                }
            }
            _ => None,
        }
    }

    /// What a call that reads or claims gives.
    fn read_by(&self, at: CallRef) -> Option<Kept> {
        let program = self.program;
        if program.asks_rights(at) {
            return None;
        }
        if let Some(used) = program.vendors_at(at).iter().find(|used| program.catalogue.vendor(used.vendor).own_backend)
        {
            let effect = program.operation(used).map(|operation| operation.effect);
            // What no run writes tells of none.
            let reads = matches!(effect, Some(Effect::Read | Effect::List));
            let tells = |written: &Written| match effect {
                Some(Effect::Invoke) => !program.tells_only(at),
                _ => !reads || program.table_of(at).is_none_or(|table| written.table(table)),
            };
            if !self.written.is_none_or(tells) {
                return None;
            }
            // An insert claims nothing in a table that refuses nothing.
            let open = effect == Some(Effect::Create) && program.adds_each_time(at);
            let claims = matches!(effect, Some(Effect::Create | Effect::Update | Effect::Invoke | Effect::Delete));
            let waits = reads && program.asks_for_waiting(at);
            let claim = claims && !open && !program.changes_any_state(at) || waits;
            let meets_none =
                waits || matches!(effect, Some(Effect::Update | Effect::Delete)) && !program.asks_for_one(at);
            return Some(Kept { claim, meets_none, ..Kept::default() });
        }
        if program.has_role(at, KnownRole::Write) {
            // `query("select ..")` only looks.
            let claim = !program.only_selects(at) && !program.adds_each_time(at) && !program.changes_any_state(at);
            return Some(Kept { claim, ..Kept::default() });
        }
        let of_database =
            program.callee(at).externals().any(|external| program.catalogue.is_database(external.package));
        if of_database {
            let waits = program.asks_for_waiting(at);
            return Some(Kept { claim: waits, meets_none: waits, ..Kept::default() });
        }
        let targets: Vec<FunctionRef> =
            program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if !targets.is_empty() {
            let claim = targets.iter().any(|&target| self.sets_once(target));
            let reads = claim || targets.iter().any(|&target| self.reaches_store(target));
            return reads.then(|| Kept {
                claim,
                says_new: self.says_new(at) || self.makes_claim(at),
                ..Kept::default()
            });
        }
        let facts = program.facts(at.file);
        // An insert that passes over what is there already says by how many rows it wrote whether it was new.
        let passes_over = |option: &str| matches!(program.option(at, option), Lookup::Present(_));
        if ["ignoreDuplicates", "skipDuplicates"].into_iter().any(passes_over) {
            return Some(Kept { claim: true, ..Kept::default() });
        }
        // A store that nobody knows, by the name of what is asked of it.
        let ExprKind::Member(_, name) = facts.expr(facts.call(at.call).callee) else { return None };
        let unknown = matches!(program.callee(at), Value::Unknown | Value::Member(..) | Value::Result(_));
        let asks = ["find", "maybeSingle", "single", "first", "one_or_none", "scalar", "fetchone", "exists"];
        let asks = unknown && asks.iter().any(|part| name.starts_with(part));
        (asks || program.reads_in_transaction(at) || unknown && program.gives_transaction(at)).then(Kept::default)
    }

    /// Whether a function gives back whether it was the first to set a key.
    fn sets_once(&self, function: FunctionRef) -> bool {
        let program = self.program;
        let facts = program.facts(function.file);
        let sets = program.calls_in(function).any(|at| {
            let call = facts.call(at.call);
            call.args.iter().any(|arg| match facts.expr(arg.value) {
                ExprKind::Text(text) => *text == "NX",
                ExprKind::Object(entries) => entries.iter().any(|(key, _)| key.eq_ignore_ascii_case("nx")),
                ExprKind::Bool(true) => arg.name.is_some_and(|name| name == "nx"),
                _ => false,
            })
        });
        let mut steps = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|b| &b.steps);
        sets && steps.any(|step| matches!(step, Step::Return(Some(_))))
    }

    fn reaches_store(&self, function: FunctionRef) -> bool {
        let program = self.program;
        let reach = program.reach(function, |edge| edge.kind == EdgeKind::Direct || edge.kind == EdgeKind::Callback);
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        reach.stops.iter().take(40).filter(|stop| seen.insert(stop.function)).any(|stop| {
            program.calls_in(stop.function).any(|at| {
                program.vendors_at(at).iter().any(|used| program.catalogue.vendor(used.vendor).own_backend)
                    || program.callee(at).externals().any(|external| program.catalogue.is_database(external.package))
            })
        })
    }

    /// Whether what an own function gives says that something is new, by its name.
    fn says_new(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let name: Name = match facts.expr(facts.call(at.call).callee) {
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => *name,
            _ => return false,
        };
        words(&name).iter().any(|word| {
            matches!(
                word.as_str(),
                "claim"
                    | "claimed"
                    | "new"
                    | "first"
                    | "should"
                    | "acquire"
                    | "lock"
                    | "reserve"
                    | "record"
                    | "mark"
                    | "begin"
                    | "start"
                    | "register"
                    | "try"
                    | "can"
            )
        })
    }
}

/// Whether a condition only asks whether there is an id to remember, or a store to remember it in.
fn asks_presence(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |expr: ExprId| asks_presence(facts, expr, depth);
    match facts.expr(condition) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => words(name).last().is_some_and(|last| {
            matches!(last.as_str(), "id" | "key" | "sid" | "uuid" | "redis" | "cache" | "client" | "store" | "kv")
        }),
        ExprKind::Op(Op::And, parts) => parts.iter().all(|&part| next(part)),
        ExprKind::Op(Op::Unequal, parts) => match parts[..] {
            [left, right] => {
                let is_null = |side: ExprId| matches!(facts.expr(side), ExprKind::Null);
                is_null(left) && next(right) || is_null(right) && next(left)
            }
            _ => false,
        },
        _ => false,
    }
}

/// `row.user_id !== user.id`: whose it is, not whether it is done.
fn is_owner(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Member(_, name) if words(name).last().is_some_and(|last| last == "id"))
}
