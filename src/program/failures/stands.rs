//! What stands already where a call fails: the message that is out, the row that is inserted, the elements before this
//! one. An error thrown there has somebody do all of it again, so a cure must not say "throw it" alone.

use crate::catalogue::{Category, Effect};
use crate::facts::{BlockId, BlockKind, Call, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::money::core_paths::says::is_success;
use crate::program::origins::Origin;
use crate::program::repeats::Again;
use crate::program::repeats::state_checks::Held;
use crate::program::terms::{Ending, always_before, ending};
use crate::program::verify::words;
use crate::program::webhooks::recorded_early::recorded_before;
use crate::program::{CallRef, Edge, EdgeKind, FunctionRef, Program, VendorUse};

/// Functions looked into behind one call.
const MOST_FUNCTIONS: usize = 60;

/// What a path has done before a call.
#[derive(Debug, Default)]
pub struct Stands {
    /// The call by which people were told or money moved, itself or in what it calls.
    pub out: Option<CallRef>,
    /// The table that a row was inserted into: a second one is refused, or there twice.
    pub row: Option<Name>,
    /// The same where only some runs insert it: `if (order) update(..) else insert(..)`.
    pub row_of_some: Option<Name>,
    /// The call that counted a sum up or down: once more, and it is counted again.
    pub counted: Option<CallRef>,
}

/// Where the list is gone through whose elements a call runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// In a loop around it.
    Loop,
    /// By what its function is handed to: `map(..)`.
    Callback,
    /// By those who call its function.
    Outside,
}

impl Program {
    /// What stands already when a call fails, on the way from an entry point.
    pub fn stands_before(&self, at: CallRef, way: &[Edge]) -> Stands {
        let mut stands = Stands::default();
        // Of two rows of one table the first says nothing; a change after it leaves it where it is.
        let own = self.row_added(at).or_else(|| self.table_written(at).filter(|_| !self.changes_row(at)));
        for at in along(at, way) {
            let facts = self.facts(at.file);
            let shape = facts.call(at.call);
            let start = facts.span(shape.expr).start;
            for earlier in self.calls_in(self.function_of(at)) {
                let call = facts.call(earlier.call);
                if facts.span(call.expr).end > start || self.excludes(earlier, at) || self.is_after_failure(earlier) {
                    continue;
                }
                if may_come_before(facts, call, shape) && self.puts_out(earlier) {
                    stands.out = Some(earlier);
                }
                if may_come_before(facts, call, shape) && self.counts_something(earlier) {
                    stands.counted = Some(earlier);
                }
                // What only some runs insert, the next one may find.
                let row = self.row_inserted(earlier).filter(|row| Some(*row) != own);
                stands.row_of_some = row.or(stands.row_of_some);
                if row.is_some() && recorded_before(facts, call, shape) && !is_one_arm(facts, call) {
                    stands.row = row;
                }
            }
        }
        stands
    }

    /// The change of a row of the app's own that was made before a call, and by which the next try is turned away: the
    /// path asks for what the row said until then.
    pub fn turned_away_by(&self, at: CallRef, origin: &Origin) -> Option<CallRef> {
        let way: Vec<CallRef> = origin.way.iter().map(|edge| edge.call).chain([at]).collect();
        let held = self.held(&way, Some(&self.written_by_entry(origin.entry)));
        if !matches!(held, Held::Changed | Held::Claimed) {
            return None;
        }
        let updates = |earlier: CallRef| {
            self.vendors_at(earlier).iter().any(|used| {
                self.catalogue.vendor(used.vendor).own_backend
                    && self.operation(used).is_some_and(|operation| operation.effect == Effect::Update)
            })
        };
        along(at, &origin.way).find_map(|at| {
            let facts = self.facts(at.file);
            let shape = facts.call(at.call);
            let before = |earlier: &CallRef| {
                let call = facts.call(earlier.call);
                facts.span(call.expr).end <= facts.span(shape.expr).start
                    && always_before(facts, call, shape)
                    && updates(*earlier)
            };
            self.calls_in(self.function_of(at)).filter(before).last()
        })
    }

    /// Whether a call changes rows that are there.
    fn changes_row(&self, at: CallRef) -> bool {
        self.writes_own(at)
            && self.vendors_at(at).iter().any(|used| {
                self.operation(used).is_some_and(|of| of.effect == Effect::Update) && !self.upserts_blindly(at)
            })
    }

    /// Whether a call tells people something or moves money, itself or in what it runs.
    fn puts_out(&self, at: CallRef) -> bool {
        self.does(at, &|used| {
            self.sends_message(used)
                || !self.waits_for_payer(used)
                    && self.operation(used).is_some_and(|operation| {
                        operation.money && !matches!(operation.effect, Effect::Read | Effect::List)
                    })
        })
    }

    /// Whether a call counts what the app keeps up or down: `update({ sum: purse.sum + price })`,
    /// `rpc("increment_wallet")`.
    fn counts_something(&self, at: CallRef) -> bool {
        const COUNTS: &[&str] = &["increment", "increase", "decrement", "decrease", "credit", "debit", "deduct", "add"];
        let counts = |name: Name| words(&name).first().is_some_and(|word| COUNTS.contains(&word.as_str()));
        self.database_function(at).is_some_and(counts) || self.writes_own(at) && self.again(at) == Again::Count
    }

    /// Whether a call sends a message to somebody, itself or in what it runs.
    pub fn says_something(&self, at: CallRef) -> bool {
        self.does(at, &|used| self.sends_message(used))
    }

    fn sends_message(&self, used: &VendorUse) -> bool {
        matches!(self.catalogue.vendor(used.vendor).category, Category::Email | Category::Sms)
            && self.operation(used).is_some_and(|operation| operation.effect == Effect::Send)
    }

    fn does(&self, at: CallRef, is: &dyn Fn(&VendorUse) -> bool) -> bool {
        let at_call = |at: CallRef| self.vendors_at(at).iter().any(is);
        at_call(at)
            || self
                .run_by(at)
                .any(|function| self.calls_in(function).any(|inner| at_call(inner) && !self.is_after_failure(inner)))
    }

    /// The row that a call inserts, itself or in what it runs: one that a second run adds again, or that is refused.
    fn row_inserted(&self, at: CallRef) -> Option<Name> {
        let name = self.called_name(at);
        let first = name.and_then(|name| words(&name).first().cloned()).unwrap_or_default();
        // Its name says that it adds nothing the second time.
        const ASKS_FIRST: &[&str] = &["get", "find", "ensure", "upsert", "load", "fetch", "resolve", "require", "log"];
        self.row_added(at).or_else(|| {
            if ASKS_FIRST.contains(&first.as_str()) {
                return None;
            }
            self.run_by(at).find_map(|function| {
                let body = self.facts(function.file).function(function.function).body;
                let mut calls = self.calls_in(function);
                calls.find_map(|inner| {
                    let plain = self.facts(function.file).call(inner.call).block == body;
                    self.row_added(inner).filter(|_| plain)
                })
            })
        })
    }

    /// The row that a call itself adds, when more than a line of a log hangs on it.
    fn row_added(&self, at: CallRef) -> Option<Name> {
        /// What is made anew for each try anyway.
        const OF_A_TRY: &[&str] = &["token", "tokens", "otp", "otps", "code", "codes", "reset", "resets", "session"];
        /// What turns a second delivery away is there for that.
        const OF_DELIVERIES: &[&str] =
            &["event", "events", "webhook", "webhooks", "processed", "idempotency", "deliveries", "dedup"];
        let statement = self.statement(at);
        let says = statement.as_ref().is_some_and(|text| text.starts_with("insert") && !text.contains("on conflict"));
        let once = self.writes_own(at) && self.adds_a_row_once(at);
        let adds = says || self.writes_own(at) && matches!(self.again(at), Again::Row { .. });
        if !once && !adds {
            return None;
        }
        let table = self.table_written(at)?;
        let kept =
            !once && (self.vendors_at(at).iter().any(|used| self.is_for_the_record(used)) || self.keeps_record(&table));
        let said = words(&table);
        let of_try =
            said.iter().any(|word| OF_A_TRY.contains(&word.as_str()) || OF_DELIVERIES.contains(&word.as_str()));
        (!kept && !of_try).then_some(table)
    }

    /// The table that a call names, on its chain or in its statement.
    fn table_written(&self, at: CallRef) -> Option<Name> {
        self.table_of(at).or_else(|| {
            let statement = self.statement(at)?;
            let rest = statement.strip_prefix("insert into ")?;
            let table = rest.split(|letter: char| letter.is_whitespace() || letter == '(').next()?;
            Some(Name::new(table.trim_matches('"'))).filter(|table| !table.is_empty() && *table != "?")
        })
    }

    /// The functions of the program that a call runs before it comes back.
    fn run_by(&self, at: CallRef) -> impl Iterator<Item = FunctionRef> {
        let follow = |edge: &Edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback);
        let targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        targets.flat_map(move |edge| {
            let reach = self.reach(edge.target, |edge| follow(&edge));
            reach.stops.into_iter().take(MOST_FUNCTIONS).map(|stop| stop.function)
        })
    }

    /// Whether the loop around a call adds or sends something beside it, which thrown failures would have done again.
    pub fn adds_in_its_round(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let function = self.function_of(at);
        let adds = |other: CallRef| {
            // A `POST` to whomever adds something there, as far as anybody can tell.
            let posts = self.requests_at(other).iter().any(|http| http.method.is_some_and(|method| method == "POST"));
            posts && self.vendors_at(other).is_empty()
                || self.does(other, &|used| {
                    self.operation(used).is_some_and(|of| matches!(of.effect, Effect::Create | Effect::Send))
                })
        };
        let within = facts.enclosing(facts.call(at.call).block);
        let mut loops = within
            .take_while(|(_, block)| block.function == function.function)
            .filter(|(_, block)| matches!(block.kind, BlockKind::Loop(Some(_))));
        loops.next().is_some_and(|(_, round)| {
            let inside = |other: CallRef| round.span.contains(facts.span(facts.call(other.call).expr));
            self.calls_in(function).any(|other| other != at && inside(other) && adds(other))
        })
    }

    /// The list whose elements a call runs for, when its failure, thrown, leaves out the elements after it: nothing
    /// catches it within its round.
    pub fn round_ended_by(&self, at: CallRef, way: &[Edge]) -> Option<Round> {
        for (frame, at) in along(at, way).enumerate() {
            let seen = |round: Round| Some(if frame == 0 { round } else { Round::Outside });
            let facts = self.facts(at.file);
            let function = self.function_of(at);
            let retried: Vec<_> = self.retried_at(at).map(|retry| retry.region).collect();
            let guarded = self.guards(at);
            let within = facts.enclosing(facts.call(at.call).block);
            for (id, block) in within.take_while(|(_, block)| block.function == function.function) {
                if guarded.iter().any(|guard| guard.body.is_none_or(|body| body == id)) {
                    return None;
                }
                match block.kind {
                    BlockKind::Loop(Some(head)) if !retried.contains(&block.span) => {
                        return seen(Round::Loop).filter(|_| self.rounds_are_elements(at, id, head));
                    }
                    _ => {}
                }
            }
            if self.handed_element(function).is_some() {
                // `Promise.allSettled(list.map(..))`
                let caught = self.incoming(function).iter().any(|edge| !self.guards(edge.call).is_empty());
                return seen(Round::Callback).filter(|_| !caught);
            }
        }
        None
    }

    /// Whether an answer is the same whether or not the address that it asks for is known, and an error after it
    /// would tell: `if (!user) return ok()` of a forgotten password.
    pub fn hides_who_is_known(&self, at: CallRef, origins: &[Origin]) -> bool {
        let function = self.function_of(at);
        let facts = self.facts(at.file);
        let says = |text: &str| {
            let said = words(text);
            let is = |word: &str| said.iter().any(|other| other == word);
            is("forgot") || is("forgotten") || is("magic") || is("password") && (is("reset") || is("request"))
        };
        let named = says(&self.function_name(function))
            || origins.iter().any(|origin| says(&self.entry_name(&self.entries[origin.entry])));
        if !named {
            return false;
        }
        let start = facts.span(facts.call(at.call).expr).start;
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } if facts.span(*condition).end < start => {
                let absent = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Op(..));
                absent(*condition)
                    && matches!(ending(facts, *then), Ending::Returns(Some(value)) if is_success(facts, value))
            }
            _ => false,
        })
    }
}

/// Whether whatever comes to `second` may have come through `first`: on its way alone, or on an arm that does not choose
/// among kinds, as `if (event.type === "paid")` does.
fn may_come_before(facts: &Facts, first: &Call, second: &Call) -> bool {
    let around: Vec<BlockId> = facts.enclosing(second.block).map(|(id, _)| id).collect();
    let own = facts.enclosing(first.block).take_while(|(id, _)| !around.contains(id));
    own.into_iter().all(|(_, block)| match block.kind {
        BlockKind::Plain | BlockKind::With(_) | BlockKind::Finally | BlockKind::Try | BlockKind::Loop(_) => true,
        BlockKind::Then(condition) => !compares(facts, condition, 6),
        _ => false,
    })
}

/// Whether a call runs only where an expression comes to it: `old ? update(old) : insert(new)`, `old ?? insert(new)`.
fn is_one_arm(facts: &Facts, call: &Call) -> bool {
    let span = facts.span(call.expr);
    let around = facts.function(facts.function_of(call.block)).span;
    facts.exprs.iter().filter(|expr| around.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Op(Op::Choose | Op::Or | Op::Nullish | Op::And, parts) => {
            parts[1..].iter().any(|&part| facts.span(part).contains(span))
        }
        _ => false,
    })
}

fn compares(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match facts.expr(condition) {
        ExprKind::Op(Op::Equal | Op::Unequal, _) => true,
        ExprKind::Op(_, parts) => parts.iter().any(|&part| compares(facts, part, depth)),
        _ => false,
    }
}

/// A call and those that lead to it, innermost first, as far as one process goes.
fn along(at: CallRef, way: &[Edge]) -> impl Iterator<Item = CallRef> {
    let inner = way.iter().rev().take_while(|edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback));
    std::iter::once(at).chain(inner.map(|edge| edge.call))
}
