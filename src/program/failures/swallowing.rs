//! Failures that vanish: handlers around a vendor's call, or around a webhook's work, after which nobody can know
//! that it failed. Followed from each call that can fail outwards to what catches it, through the functions that let
//! it pass.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, CallId, DefId, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::failures::reporting::is_failure;
use crate::program::money::core_paths::says::answers_error;
use crate::program::terms::{Ending, Guard, Handler, ending};
use crate::program::values::answers::Deed;
use crate::program::{CallRef, Destination, EdgeKind, FunctionRef, Leaves, Program, VendorUse};

mod answered;
mod at_last;
mod kinds;
mod on_an_arm;
mod only_logged;
mod passed_over;
mod silenced;
mod stand_ins;
mod tried;
mod written;

use stand_ins::stand_in;

/// A call that can fail, as far as its failure concerns anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// The call.
    pub at: CallRef,
    /// It writes what a webhook brought, rather than asking a vendor.
    pub webhook: bool,
}

/// A failure on its way out.
#[derive(Clone, Copy)]
struct Rising {
    at: CallRef,
    failing: Failing,
    /// As what a function returns, rather than as an exception.
    given: bool,
}

impl Rising {
    fn new(failing: Failing) -> Self {
        Self { at: failing.at, failing, given: false }
    }
}

/// A handler after which a failure is gone.
#[derive(Debug)]
pub struct Swallowed {
    /// The handler.
    pub place: Place,
    /// The function it stands in.
    pub function: FunctionRef,
    /// What it does instead.
    pub instead: Instead,
    /// The calls in what it guards that lead to a failure, and what fails there.
    pub failing: Vec<(CallRef, Failing)>,
    /// A name that keeps its stand-in then, and goes into what is written afterwards.
    pub decides: Option<Name>,
}

/// What a silent handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// Nothing at all.
    Nothing,
    /// Something else, without a word.
    GoesOn,
    /// It gives a value that a success could have given; which, in words.
    Default(&'static str),
    /// What the program makes itself stands in: a text it fills in, or what a function of its own gives.
    StandIn,
    /// It is the branch of a failed status, and does the same.
    Branch(&'static str),
    /// In a loop only good answers are kept.
    PassedOver,
    /// It throws in the end, and before that goes on with something else where it has it.
    OnAnArm,
    /// It logs, and whoever asked for this very thing is told that it is done.
    OnlyLogged,
    /// No handler at all: the call itself is told to be silent, by this keyword.
    Option(Name),
}

impl Program {
    /// The handlers after which a vendor's failure, or that of a webhook's work, is gone without a trace.
    pub fn swallowed(&self) -> Vec<Swallowed> {
        let mut open: Vec<Rising> = self.vendor_failures().into_iter().map(Rising::new).collect();
        let (writes, webhook_work) = self.webhook_writes();
        open.extend(writes.into_iter().map(Rising::new));
        open.reverse();
        let mut found: BTreeMap<(FileId, BlockId), Swallowed> = BTreeMap::new();
        let mut seen: FxHashSet<(CallRef, bool, bool)> = FxHashSet::default();
        while let Some(rising) = open.pop() {
            let Rising { at, failing, given } = rising;
            let function = self.function_of(at);
            if !seen.insert((at, failing.webhook, given))
                || failing.webhook && !webhook_work.contains(&function)
                || self.is_left_for_last(at, failing)
            {
                continue;
            }
            let Some(guard) = self.guards(at).into_iter().next() else {
                if !given && !self.is_logged_on_the_way(at) {
                    open.extend(self.callers_that_fail(function).map(|at| Rising { at, ..rising }));
                }
                continue;
            };
            // Storage that everybody uses is not the webhook's own.
            if failing.webhook && !self.serves_only_webhooks(function) {
                continue;
            }
            let (file, block) = match guard.handler {
                Handler::Block(block) => (at.file, block),
                Handler::Function(function) => {
                    (function.file, self.facts(function.file).function(function.function).body)
                }
                Handler::Other => continue,
            };
            let instead = self.says_nothing(file, block, &guard, at, failing);
            // What a function reports by returning is lost where its callers drop that.
            if instead.is_none() && !given && self.reports(file, block) && !self.records(file, block) {
                open.extend(self.callers_that_fail(function).map(|at| Rising { at, given: true, ..rising }));
            }
            let Some(instead) = instead else { continue };
            if given && (instead != Instead::Nothing || !self.looks(at).is_empty()) {
                continue;
            }
            let place = Place { file, span: self.facts(file).block(block).span };
            let swallowed = found.entry((file, block));
            swallowed
                .or_insert_with(|| {
                    let decides = guard.body.and_then(|body| self.written_after(at.file, body));
                    Swallowed { place, function, instead, failing: vec![], decides }
                })
                .failing
                .push((at, failing));
        }
        let mut found: Vec<Swallowed> = found.into_values().collect();
        found.extend(self.silent_branches());
        found.extend(self.passed_over());
        found.extend(self.silenced());
        found.extend(self.on_an_arm());
        found.extend(self.logged_and_done());
        found
    }

    /// Whether a handler around a call, or the branch of its bad status, logs its failure before throwing it.
    fn is_logged_on_the_way(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let tested = self.tests_of_status(call);
        let told = |condition: ExprId, then: BlockId| {
            is_bad_status(facts, condition, &tested)
                && ending(facts, then) == Ending::Throws
                && self.logs_in(call.file, &blocks_within(facts, then))
        };
        let own = facts.function_of(facts.call(call.call).block);
        let mut steps = facts.blocks.iter().filter(|block| block.function == own).flat_map(|block| &block.steps);
        if !tested.is_empty()
            && steps.any(|step| matches!(step, Step::If { condition, then, .. } if told(*condition, *then)))
        {
            return true;
        }
        let block = facts.call(call.call).block;
        let function = facts.function_of(block);
        let around = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        let handlers = around.filter(|(_, block)| block.kind == BlockKind::Try);
        handlers
            .flat_map(|(id, _)| self.around(call).handlers(id))
            .any(|&handler| self.logs_in(call.file, &blocks_within(facts, handler)))
    }

    /// Branches on a failed status that give an ordinary value without a word: `if (!res.ok) return []`.
    fn silent_branches(&self) -> Vec<Swallowed> {
        let mut found = Vec::new();
        for failing in self.vendor_failures() {
            let own = self.requests_at(failing.at).iter().any(|http| http.inner == failing.at);
            if !own
                || self.facts(failing.at.file).function_of(self.facts(failing.at.file).call(failing.at.call).block)
                    == FunctionId::MODULE
            {
                continue;
            }
            let function = self.function_of(failing.at);
            let tested = self.tests_of_status(failing.at);
            let facts = self.facts(failing.at.file);
            for block in facts.blocks.iter().filter(|block| block.function == function.function) {
                for step in &block.steps {
                    let Step::If { condition, then, .. } = step else { continue };
                    if !is_bad_status(facts, *condition, &tested) {
                        continue;
                    }
                    let value =
                        self.gives_default(failing.at.file, *then, function).map(|value| stand_in(facts, value));
                    if let Some(value) = value.or_else(|| self.gives_good_answer(function, *condition, *then)) {
                        let place = Place { file: failing.at.file, span: facts.block(*then).span };
                        let failing = vec![(failing.at, failing)];
                        let instead = Instead::Branch(value);
                        found.push(Swallowed { place, function, instead, failing, decides: None });
                    }
                }
            }
        }
        found
    }

    /// The expressions that ask for the status of a call's answer.
    fn tests_of_status(&self, call: CallRef) -> FxHashSet<ExprId> {
        let looks = self.looks(call).into_iter();
        looks
            .filter(|look| look.deed == Deed::Tested && look.at.file == call.file)
            .filter(|look| matches!(look.part[..], [part] if matches!(part.as_str(), "ok" | "status" | "status_code")))
            .map(|look| look.at.expr)
            .collect()
    }

    /// Whether a handler keeps the failure where somebody finds it: it writes, or waits for something to be done.
    fn records(&self, file: FileId, block: BlockId) -> bool {
        let facts = self.facts(file);
        let inside = blocks_within(facts, block);
        facts.calls.iter().enumerate().filter(|(_, call)| inside.contains(&call.block)).any(|(at, call)| {
            let at = CallRef::new(file, CallId(at as u32));
            call.awaited || self.has_role(at, KnownRole::Write) || self.callee(at).functions().next().is_some()
        })
    }

    /// The value with which a branch silently ends its function, where a success could have given it.
    fn gives_default(&self, file: FileId, then: BlockId, function: FunctionRef) -> Option<ExprId> {
        let facts = self.facts(file);
        let [Step::Return(Some(value))] = facts.block(then).steps[..] else { return None };
        let empty = match facts.expr(value) {
            ExprKind::List(items) => items.is_empty(),
            ExprKind::Object(entries) => entries.is_empty(),
            ExprKind::Text(text) => text.is_empty(),
            ExprKind::Null | ExprKind::Bool(false) => {
                let callers = self.callers(function);
                let unseen = !callers.is_empty()
                    && !callers.iter().any(|&caller| {
                        let looks = self.looks(caller);
                        looks.iter().any(|look| !matches!(look.deed, Deed::Logged | Deed::Called))
                    });
                return unseen.then_some(value);
            }
            _ => false,
        };
        // An entry point answers somebody.
        (empty && self.entries_of(function).is_empty()).then_some(value)
    }

    fn callers_that_fail(&self, function: FunctionRef) -> impl Iterator<Item = CallRef> + '_ {
        let edges = self.incoming(function).iter();
        edges.filter(|edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback)).map(|edge| edge.call)
    }

    /// Whether a handler tells of the failure by what it returns.
    fn reports(&self, file: FileId, block: BlockId) -> bool {
        let facts = self.facts(file);
        matches!(ending(facts, block), Ending::Returns(Some(value)) if is_failure(facts, value))
            && !self.logs_in(file, &blocks_within(facts, block))
    }

    /// Calls of vendors whose failure concerns somebody.
    fn vendor_failures(&self) -> Vec<Failing> {
        let mut found = Vec::new();
        for used in self.vendor_uses() {
            let vendor = self.catalogue.vendor(used.vendor);
            let operation = self.operation(used);
            let effect = operation.map(|operation| operation.effect);
            // What asks whether a thing is there says no by failing.
            if operation.is_some_and(|operation| operation.asks_whether) {
                continue;
            }
            let invokes = effect == Some(Effect::Invoke) && self.leads_to_vendor(used.at);
            if vendor.own_backend && !invokes || matches!(vendor.category, Category::Monitoring | Category::Analytics) {
                continue;
            }
            let sweeps = effect == Some(Effect::Delete)
                && matches!(vendor.category, Category::Storage | Category::Data | Category::Search);
            let minor = matches!(effect, Some(Effect::Track | Effect::Sign | Effect::Verify | Effect::Local));
            // What the program's own function logs or meets inside is followed from there.
            let met = self.requests_at(used.at).iter().any(|http| {
                http.inner != used.at && (self.is_logged_on_the_way(http.inner) || !self.guards(http.inner).is_empty())
            });
            if !sweeps && !minor && !met && self.can_throw(used) {
                found.push(Failing { at: used.at, webhook: false });
            }
        }
        for http in self.requests() {
            let known = http.to.iter().any(|to| matches!(to, Destination::Env(name, _) if !self.keeps_record(name)));
            // A mail by a client that knows its server from the settings; what only tells the owners may be lost.
            let mails = http.at == http.inner
                && http.method.is_some_and(|method| method == "SEND")
                && self.called_name(http.at).is_some_and(|name| !name.starts_with("mail_"));
            if (mails || known && self.leaves(http) == Leaves::Yes) && self.vendors_at(http.at).is_empty() {
                found.push(Failing { at: http.at, webhook: false });
            }
        }
        found
    }

    /// Whether the failure of a call is thrown: by its SDK, or by who looks at the error that it gives.
    fn can_throw(&self, used: &VendorUse) -> bool {
        !self.gives_errors(used) || self.looks(used.at).iter().any(|look| look.deed == Deed::Thrown)
    }

    /// Writes to the app's own database that webhook handlers make, and the functions that do their work.
    fn webhook_writes(&self) -> (Vec<Failing>, FxHashSet<FunctionRef>) {
        let (mut found, mut functions) = (Vec::new(), FxHashSet::default());
        for handler in self.webhook_handlers() {
            let start = self.entries[handler.entry].function;
            let reach = self.reach(start, |edge| edge.kind != EdgeKind::Jump);
            for stop in reach.stops.iter().take(400) {
                functions.insert(stop.function);
                let thrown = |call: CallRef| self.vendors_at(call).iter().all(|used| self.can_throw(used));
                let writes = self.calls_in(stop.function).filter(|&call| self.has_role(call, KnownRole::Write));
                let writes = writes.filter(|&call| thrown(call));
                found.extend(writes.map(|at| Failing { at, webhook: true }));
            }
        }
        (found, functions)
    }

    /// What a handler does, when it tells nobody that something failed.
    fn says_nothing(
        &self,
        file: FileId,
        block: BlockId,
        guard: &Guard,
        call: CallRef,
        failing: Failing,
    ) -> Option<Instead> {
        let facts = self.facts(file);
        let inside = blocks_within(facts, block);
        if self.is_for_something_else(file, block, failing)
            || tried::is_tried_again(facts, block)
            || self.tells(file, &inside)
            || self.reads_caught(file, &inside, guard)
        {
            return None;
        }
        if let Some(body) = guard.body
            && self.is_missed_later(call.file, body)
        {
            return None;
        }
        let returned = match ending(facts, block) {
            Ending::Throws => return None,
            Ending::Returns(value) => value,
            // One arm leaves with a value.
            Ending::GoesOn => inside.iter().flat_map(|&id| &facts.block(id).steps).find_map(|step| match step {
                Step::Return(value) => *value,
                _ => None,
            }),
        };
        let is_callback = matches!(guard.handler, Handler::Function(_));
        let returned = returned.filter(|&value| !(is_callback && matches!(facts.expr(value), ExprKind::Null)));
        let Some(value) = returned else {
            let empty = facts.block(block).steps.iter().all(|step| matches!(step, Step::Return(_)));
            return Some(if empty { Instead::Nothing } else { Instead::GoesOn });
        };
        let function = FunctionRef::new(file, facts.function_of(block));
        let made = self.is_made_here(function, value);
        let instead = if made { Instead::StandIn } else { Instead::Default(stand_in(facts, value)) };
        (!self.is_told_by(function, value, guard)).then_some(instead)
    }

    /// Whether a returned value tells whoever gets it that something failed.
    fn is_told_by(&self, function: FunctionRef, value: ExprId, guard: &Guard) -> bool {
        let facts = self.facts(function.file);
        if answers_error(self, function.file, value) || speaks(facts, value, 6) {
            return true;
        }
        if matches!(guard.handler, Handler::Function(_)) {
            return false;
        }
        // `false` and `null` do, when a caller looks.
        is_failure(facts, value)
            && (!self.entries_of(function).is_empty()
                || self.callers(function).iter().any(|&caller| {
                    self.looks(caller).iter().any(|look| matches!(look.deed, Deed::Tested | Deed::Thrown))
                }))
    }

    /// Whether something in a handler writes, shows or answers that there was a failure.
    fn tells(&self, file: FileId, inside: &[BlockId]) -> bool {
        let facts = self.facts(file);
        let calls = facts.calls.iter().enumerate().filter(|(_, call)| inside.contains(&call.block));
        let mut told = calls.map(|(at, call)| (CallRef::new(file, CallId(at as u32)), call));
        let by_call = told.any(|(at, call)| {
            self.is_logging(at)
                || self.is_reporting_call(at)
                || self.has_role(at, KnownRole::Leave)
                || answers_error(self, file, call.expr)
                || call.args.iter().any(|arg| speaks(facts, arg.value, 5))
                || is_setter(facts, call.callee)
        });
        by_call
            || inside.iter().flat_map(|&id| &facts.block(id).steps).any(|step| match step {
                Step::Assign(target, value) => names_failure(facts, *target) || speaks(facts, *value, 5),
                Step::Bind(def, value) => {
                    let name = facts.def(*def).name.to_ascii_lowercase();
                    is_failure_word(&name) || speaks(facts, *value, 5) || is_failure(facts, *value)
                }
                _ => false,
            })
    }

    fn logs_in(&self, file: FileId, inside: &[BlockId]) -> bool {
        let facts = self.facts(file);
        let calls = facts.calls.iter().enumerate().filter(|(_, call)| inside.contains(&call.block));
        calls.map(|(at, _)| CallRef::new(file, CallId(at as u32))).any(|call| self.is_logging(call))
    }

    /// Whether the caught failure is read other than to throw it again.
    fn reads_caught(&self, file: FileId, inside: &[BlockId], guard: &Guard) -> bool {
        let facts = self.facts(file);
        let readers = self.readers(file);
        let thrown: FxHashSet<ExprId> = inside
            .iter()
            .flat_map(|&id| &facts.block(id).steps)
            .filter_map(|step| if let Step::Throw(value) = step { *value } else { None })
            .collect();
        let read = |def: DefId| readers.reads(def).iter().any(|read| !thrown.contains(read));
        let caught = facts.defs.iter().enumerate().any(|(at, def)| {
            inside.contains(&def.block)
                && def.values.iter().any(|&value| matches!(facts.expr(value), ExprKind::Caught))
                && read(DefId(at as u32))
        });
        let given = match guard.handler {
            Handler::Function(function) => readers.param(function.function, 0).any(|arrived| {
                readers.uses(arrived).iter().any(|used| match used {
                    crate::program::values::readers::Use::Kept(def) => read(*def),
                    _ => true,
                })
            }),
            _ => false,
        };
        caught || given
    }

    /// Whether what the guarded block was to bring is missed afterwards: `if (!session) throw ..`.
    fn is_missed_later(&self, file: FileId, body: BlockId) -> bool {
        let facts = self.facts(file);
        let inside = blocks_within(facts, body);
        let bound: FxHashSet<DefId> = inside
            .iter()
            .flat_map(|&id| &facts.block(id).steps)
            .filter_map(|step| if let Step::Bind(def, _) = step { Some(*def) } else { None })
            .collect();
        let function = facts.function_of(body);
        let end = facts.block(body).span.end;
        facts.blocks.iter().filter(|block| block.function == function).flat_map(|block| &block.steps).any(|step| {
            let Step::If { condition, then, .. } = step else { return false };
            facts.span(*condition).start > end
                && mentions(facts, *condition, &bound, 4)
                && (ending(facts, *then) == Ending::Throws || self.logs_in(file, &blocks_within(facts, *then)))
        })
    }
}

/// `!res.ok`, `res.status >= 400`, `res.status !== 200`.
fn is_bad_status(facts: &Facts, condition: ExprId, tested: &FxHashSet<ExprId>) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::Not | Op::Compare | Op::Unequal, operands) => {
            operands.iter().any(|operand| tested.contains(operand))
        }
        _ => false,
    }
}

/// A block and the blocks of its function within it.
fn blocks_within(facts: &Facts, block: BlockId) -> Vec<BlockId> {
    let span = facts.block(block).span;
    let function = facts.function_of(block);
    let all = facts.blocks.iter().enumerate();
    let within = all.filter(|(at, other)| {
        *at == block.index() || other.function == function && *at > block.index() && span.contains(other.span)
    });
    within.map(|(at, _)| BlockId(at as u32)).collect()
}

fn is_failure_word(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace('\u{2019}', "'");
    [
        "error",
        "fail",
        "unable",
        "could not",
        "couldn't",
        "invalid",
        "unavailable",
        "unhealthy",
        "offline",
        "down",
        "disconnected",
        "degraded",
        "not available",
        "unreachable",
        "try again",
        "skipped",
        "fallback",
        "warning",
        "pending",
        "retry",
        "unknown",
    ]
    .iter()
    .any(|word| text.contains(word))
}

fn names_failure(facts: &Facts, target: ExprId) -> bool {
    matches!(facts.expr(target), ExprKind::Member(_, name) | ExprKind::Ref(name, _) if is_failure_word(name))
}

/// `setStatus(..)`, `dispatch(..)`: what a page shows changes.
fn is_setter(facts: &Facts, callee: ExprId) -> bool {
    match facts.expr(callee) {
        ExprKind::Ref(name, _) => {
            let set = name.strip_prefix("set").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
            set || matches!(name.as_str(), "dispatch" | "flash" | "reject")
        }
        ExprKind::Member(base, name) => {
            let messages = matches!(facts.expr(*base), ExprKind::Ref(name, _) if matches!(name.as_str(), "messages" | "toast" | "Alert" | "message"));
            // What failed is collected.
            let collects = matches!(name.as_str(), "push" | "append" | "add");
            messages || collects || matches!(name.as_str(), "reject" | "fail" | "toast" | "setState")
        }
        _ => false,
    }
}

/// Whether a value holds words or keys of a failure.
fn speaks(facts: &Facts, value: ExprId, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let inside = |&value: &ExprId| speaks(facts, value, depth - 1);
    match facts.expr(value) {
        ExprKind::Text(text) => is_failure_word(text),
        ExprKind::Object(entries) => entries.iter().any(|(key, value)| {
            matches!(facts.expr(*value), ExprKind::Bool(false))
                && matches!(key.as_str(), "success" | "ok" | "sent" | "connected" | "valid")
                || matches!(key.as_str(), "error" | "errors" | "failed" | "reason")
                    && !matches!(facts.expr(*value), ExprKind::Null)
                || inside(value)
        }),
        ExprKind::List(items) | ExprKind::Template(items) | ExprKind::Op(_, items) => items.iter().any(inside),
        ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| inside(&arg.value)),
        ExprKind::Await(inner) => inside(inner),
        _ => false,
    }
}

fn mentions(facts: &Facts, value: ExprId, defs: &FxHashSet<DefId>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match facts.expr(value) {
        ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| defs.contains(&def)),
        ExprKind::Member(base, _) | ExprKind::Await(base) => mentions(facts, *base, defs, depth - 1),
        ExprKind::Op(_, operands) => operands.iter().any(|&operand| mentions(facts, operand, defs, depth - 1)),
        _ => false,
    }
}
