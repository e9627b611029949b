//! Entry points that only do what would be done anyway, whoever asks: what waits in the app's own data, what is done
//! once a day.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::program::callers::audience::functions_on;
use crate::program::origins::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::touched::Touch;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, FunctionRef, Program};

/// Words of what waits to be done.
const WAITS: &[&str] = &["pending", "queued", "scheduled", "due", "unsent", "unprocessed"];

/// Words of columns that say what is done already, where something writes it there.
const STATES: &[&str] = &["status", "state"];

/// Words of calls that ask the app's own data.
const LOOK_UPS: &[&str] =
    &["select", "find", "query", "first", "get", "eq", "where", "filter", "exists", "one", "count"];

impl Program {
    /// Whether a way only does what lies ready on the server: the entry point takes nothing out of the request, and
    /// asks the app's own data what is to be done.
    pub fn works_off_what_waits(&self, entry: &Entry) -> bool {
        let facts = self.facts(entry.function.file);
        if !facts.language.is_script() || !self.takes_nothing(entry.function) {
            return false;
        }
        let function = facts.function(entry.function.function);
        let asks_data = self.calls_in(entry.function).any(|at| {
            matches!(facts.expr(facts.call(at.call).callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
                if words(name).iter().any(|word| matches!(word.as_str(), "select" | "rpc" | "find" | "query" | "claim" | "pending" | "dequeue")))
        });
        // `.eq("status", "pending")`: what is done is marked, and not done again.
        let says = |any: &[&str]| {
            facts.texts().any(|(at, text)| {
                function.span.contains(facts.span(at)) && words(&text).iter().any(|word| any.contains(&word.as_str()))
            })
        };
        asks_data && (says(WAITS) || says(STATES) && self.marks_rows(entry))
    }

    /// Whether anything behind an entry point changes what the app's own data says.
    pub fn marks_rows(&self, entry: &Entry) -> bool {
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let functions = reach.stops.iter().flat_map(|stop| self.with_inner(stop.function));
        functions.flat_map(|function| self.calls_in(function)).any(|at| {
            let changes = self.vendors_at(at).iter().any(|used| {
                let effect = self.operation(used).map(|operation| operation.effect);
                let own = self.catalogue.vendor(used.vendor).own_backend;
                own && matches!(effect, Some(Effect::Create | Effect::Update | Effect::Delete | Effect::Invoke))
            });
            changes || self.has_role(at, KnownRole::Write)
        })
    }

    /// Whether a way does its work once a day, however often it is asked: the request says nothing, and where today's
    /// row is there already, it leaves.
    pub fn is_done_for_the_day(&self, start: &Origin, last: CallRef) -> bool {
        let entry = &self.entries[start.entry];
        let functions = functions_on(self, entry, start, last);
        functions.iter().all(|&function| !self.brings_anything(function))
            && functions.iter().any(|&function| self.leaves_when_done_today(function, last))
    }

    /// Whether a way asks only for what is kept once it was made: the request says nothing, and what is in a store of
    /// the module is given back without the call.
    pub fn is_made_once(&self, start: &Origin, last: CallRef) -> bool {
        let entry = &self.entries[start.entry];
        let functions = functions_on(self, entry, start, last);
        functions.iter().all(|&function| !self.brings_anything(function))
            && functions.iter().any(|&function| self.leaves_when_kept(function, last))
    }

    /// `if text in made: return made[text]`, `if (made.has(text)) return made.get(text)`, where `made` is the module's
    /// own; before a call of the same function.
    fn leaves_when_kept(&self, function: FunctionRef, last: CallRef) -> bool {
        let facts = self.facts(function.file);
        let module = facts.functions.first().map(|function| function.body);
        let is_store = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                facts.lookup(block, name).is_some_and(|def| Some(facts.def(def).block) == module)
            }
            _ => false,
        };
        let asks = |condition: ExprId| match facts.expr(condition) {
            ExprKind::Op(Op::In, parts) => parts.get(1).is_some_and(|&store| is_store(store)),
            ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
                ExprKind::Member(store, name) => matches!(name.as_str(), "has" | "get") && is_store(*store),
                _ => false,
            },
            _ => false,
        };
        let before = |condition: ExprId| {
            last.file == function.file && facts.span(condition).end <= self.call_place(last).span.start
        };
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => asks(*condition) && before(*condition) && gives_something(facts, *then),
            _ => false,
        })
    }

    /// Whether a function takes nothing out of the request that it is handed.
    fn takes_nothing(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let takes = self.touches(function, 0).any(|touch| match touch {
            Touch::Part(name) => name != "method" && name != "signal",
            Touch::Handed(..) | Touch::Otherwise => true,
        });
        let destructured = shape.params.first().is_some_and(|param| param.name.is_none());
        // `(req, res) =>`: the second is for the answer.
        let answers = shape.params.get(1).is_none_or(|param| {
            param.name.is_some_and(|name| matches!(name.trim_start_matches('_'), "res" | "response" | "reply" | "rep"))
        });
        shape.params.len() <= 2 && answers && !takes && !destructured
    }

    /// Whether a function reads anything of a request, its own or the framework's.
    fn brings_anything(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        if !self.entries_of(function).is_empty() {
            let takes_none = match facts.language.is_script() {
                true => self.takes_nothing(function),
                false => shape.params.is_empty(),
            };
            if !takes_none {
                return true;
            }
        }
        // Flask's own.
        !facts.language.is_script()
            && facts.exprs.iter().any(|expr| {
                shape.span.contains(expr.span) && matches!(&expr.kind, ExprKind::Ref(name, _) if *name == "request")
            })
    }

    /// `if existing: return`, where `existing` was looked up by today's date; before a call of the same function.
    fn leaves_when_done_today(&self, function: FunctionRef, last: CallRef) -> bool {
        let facts = self.facts(function.file);
        let looked_up = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Ref(name, block) => facts
                .lookup(block, name)
                .is_some_and(|def| facts.def(def).values.iter().any(|&value| asks_for_today(facts, value))),
            _ => false,
        };
        let before = |condition: ExprId| {
            last.file != function.file || facts.span(condition).end <= self.call_place(last).span.start
        };
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        let always = blocks.filter(|block| !matches!(block.kind, BlockKind::Then(_) | BlockKind::Else(_)));
        always.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, then, .. } => {
                let is_there = match facts.expr(*condition) {
                    ExprKind::Op(Op::Unequal, parts) => {
                        parts.iter().any(|&part| looked_up(part))
                            && parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Null))
                    }
                    _ => looked_up(*condition),
                };
                is_there && ending(facts, *then) != Ending::GoesOn && before(*condition)
            }
            _ => false,
        })
    }
}

/// Whether a block, or one in it, leaves with a value.
fn gives_something(facts: &Facts, block: BlockId) -> bool {
    let span = facts.block(block).span;
    let within = facts.blocks.iter().filter(|inner| span.contains(inner.span));
    within.flat_map(|inner| &inner.steps).any(|step| matches!(step, Step::Return(Some(_))))
}

/// Whether a value is what a look-up by today's date gives.
fn asks_for_today(facts: &Facts, value: ExprId) -> bool {
    let span = facts.span(value);
    let inside = || facts.exprs.iter().filter(|expr| span.contains(expr.span));
    let looks_up = inside().any(|expr| match &expr.kind {
        ExprKind::Member(_, name) => words(name).iter().any(|word| LOOK_UPS.contains(&word.as_str())),
        _ => false,
    });
    let today = inside().any(|expr| match &expr.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => words(name).iter().any(|word| word == "today"),
        _ => false,
    });
    looks_up && today
}
