//! On which terms a call is made: awaited or floating, guarded by what, deferred, raced against a timer.

use rustc_hash::FxHashMap;

use crate::catalogue::{KnownRole, Seg};
use crate::facts::{BlockId, BlockKind, Call, CallId, ExprId, ExprKind, Facts, Step};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

/// What catches the failure of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// The guarded block; none for a `.catch` on the call itself.
    pub body: Option<BlockId>,
    /// What runs on failure.
    pub handler: Handler,
    /// How that ends.
    pub ending: Ending,
}

/// What runs on failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// A `catch` / `except` block of the same file.
    Block(BlockId),
    /// A function handed to `.catch`.
    Function(FunctionRef),
    /// `Promise.allSettled`, `suppress(..)`, a `.catch` with something that is not followed.
    Other,
}

/// How a handler ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It throws again on every path: no guard at all.
    Throws,
    /// It leaves the function with a value.
    Returns(Option<ExprId>),
    /// What follows the guarded block runs.
    GoesOn,
}

/// The calls around calls of one file.
#[derive(Debug, Default)]
pub struct Around {
    /// The call that a call is an argument of (through `await`, lists and conditionals).
    argument_of: FxHashMap<CallId, CallId>,
    /// The call made on the result of a call: `.then(..)`, `.catch(..)`, any method.
    chained: FxHashMap<CallId, (CallId, Name)>,
    /// The block of each `Try` step's body, with its handlers.
    handlers: FxHashMap<BlockId, Box<[BlockId]>>,
}

impl Around {
    /// Reads a file's calls.
    pub fn new(facts: &Facts) -> Self {
        let mut around = Self::default();
        for (at, call) in facts.calls.iter().enumerate() {
            let outer = CallId(at as u32);
            for arg in &call.args {
                around.note_argument(facts, arg.value, outer, 4);
            }
            if let ExprKind::Member(base, name) = *facts.expr(call.callee)
                && let ExprKind::Call(inner) = *facts.expr(base)
            {
                around.chained.insert(inner, (outer, name));
            }
        }
        for block in &facts.blocks {
            for step in &block.steps {
                if let Step::Try { body, handlers, .. } = step {
                    around.handlers.insert(*body, handlers.clone());
                }
            }
        }
        around
    }

    fn note_argument(&mut self, facts: &Facts, value: ExprId, outer: CallId, depth: usize) {
        if depth == 0 {
            return;
        }
        match facts.expr(value) {
            ExprKind::Call(inner) => {
                self.argument_of.insert(*inner, outer);
                // A chain is handed over whole: `waitUntil(send().catch(log))`.
                let mut callee = facts.call(*inner).callee;
                while let ExprKind::Member(base, _) = *facts.expr(callee)
                    && let ExprKind::Call(inner) = *facts.expr(base)
                {
                    self.argument_of.entry(inner).or_insert(outer);
                    callee = facts.call(inner).callee;
                }
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) => self.note_argument(facts, *inner, outer, depth - 1),
            ExprKind::List(items) | ExprKind::Op(_, items) => {
                for &item in items.iter() {
                    self.note_argument(facts, item, outer, depth - 1);
                }
            }
            _ => {}
        }
    }

    /// The call that `call` is an argument of.
    pub fn argument_of(&self, call: CallId) -> Option<CallId> {
        self.argument_of.get(&call).copied()
    }

    /// The call made on the result of `call`, and its name.
    pub fn chained(&self, call: CallId) -> Option<(CallId, Name)> {
        self.chained.get(&call).copied()
    }

    /// The handlers of a guarded block.
    pub fn handlers(&self, body: BlockId) -> &[BlockId] {
        self.handlers.get(&body).map_or(&[], |handlers| handlers)
    }
}

/// Whether a block handles that a row was looked for and is not there: `except Order.DoesNotExist`.
pub fn handles_missing_row(facts: &Facts, block: BlockId) -> bool {
    let BlockKind::Catch(Some(kind)) = facts.block(block).kind else { return false };
    facts
        .last_name(kind)
        .is_some_and(|name| matches!(name.as_str(), "DoesNotExist" | "ObjectDoesNotExist" | "NoResultFound"))
}

impl Program {
    /// The calls around a call's file's calls.
    pub fn around(&self, call: CallRef) -> &Around {
        &self.around[call.file.index()]
    }

    /// The calls a call is handed to, innermost first: `Promise.race([fetch(..), timer])` and what that is handed to.
    pub fn handed_to(&self, call: CallRef) -> impl Iterator<Item = CallRef> + '_ {
        let around = self.around(call);
        std::iter::successors(around.argument_of(call.call), |&outer| around.argument_of(outer))
            .take(8)
            .map(move |outer| CallRef::new(call.file, outer))
    }

    /// The calls chained on a call, in order: `.then(..)`, `.catch(..)`.
    pub fn chain(&self, call: CallRef) -> impl Iterator<Item = (CallRef, Name)> + '_ {
        let around = self.around(call);
        std::iter::successors(around.chained(call.call), |&(outer, _)| around.chained(outer))
            .take(16)
            .map(move |(outer, name)| (CallRef::new(call.file, outer), name))
    }

    /// Whether what a function gives is kept for later calls: it, or its module, says `"use cache"`, or it is handed to
    /// a function that keeps it.
    pub fn is_cached(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let says = |directive: &Name| *directive == "use cache" || directive.starts_with("use cache:");
        facts.function(function.function).use_cache
            || facts.directives.iter().any(says)
            || self.calls_of(function.file).any(|call| {
                let hands = |arg: &crate::facts::Arg| {
                    let value = self.value(ExprRef::new(call.file, arg.value));
                    value.functions().any(|handed| handed == function)
                };
                self.has_role(call, KnownRole::Cache) && facts.call(call.call).args.first().is_some_and(hands)
            })
    }

    /// Whether a role of a library's function applies to a call's callee.
    pub fn has_role(&self, call: CallRef, role: KnownRole) -> bool {
        self.graph.roles_of(call).has(role)
    }

    /// The role of the library's function that made a value: middleware, as it stands before a route.
    pub fn role_of_made(&self, made: ExprRef) -> Option<KnownRole> {
        self.value(made).externals().find_map(|external| {
            let mut segs = &external.segs[..];
            while let [rest @ .., Seg::Call | Seg::New] = segs {
                segs = rest;
            }
            Some(self.catalogue.known(external.package, segs)?.role)
        })
    }

    /// Whether what a call does is left to run after the answer: handed to a queue, `waitUntil`, a background task.
    pub fn is_deferred(&self, call: CallRef) -> bool {
        self.handed_to(call).any(|outer| self.has_role(outer, KnownRole::Defer)) || self.is_deferred_by_name(call)
    }

    /// `const work = answer(text)`, then `waitUntil(work)`.
    fn is_deferred_by_name(&self, call: CallRef) -> bool {
        let shape = self.facts(call.file).call(call.call);
        let is_async = |target: FunctionRef| self.facts(target.file).function(target.function).is_async;
        if shape.awaited || shape.dropped || !self.edges(call).iter().any(|edge| is_async(edge.target)) {
            return false;
        }
        let readers = self.readers(call.file);
        readers.uses(shape.expr).iter().any(|used| match *used {
            Use::Kept(def) => readers.reads(def).iter().any(|&read| {
                readers.uses(read).iter().any(|used| match *used {
                    Use::Arg(outer, _) => {
                        let only = self.facts(call.file).call(outer).args.len() == 1;
                        only && self.has_role(CallRef::new(call.file, outer), KnownRole::Defer)
                    }
                    _ => false,
                })
            }),
            _ => false,
        })
    }

    /// Whether a call stands in a block of its own function of some kind.
    pub fn runs_within(&self, call: CallRef, kind: impl Fn(&BlockKind) -> bool) -> bool {
        let facts = self.facts(call.file);
        let block = facts.call(call.call).block;
        let function = facts.function_of(block);
        facts.enclosing(block).take_while(|(_, block)| block.function == function).any(|(_, block)| kind(&block.kind))
    }

    /// Whether a call runs only when something failed.
    pub fn runs_on_failure(&self, call: CallRef) -> bool {
        self.runs_within(call, |kind| matches!(kind, BlockKind::Catch(_)))
    }

    /// Whether nothing waits for a call: an expression statement without `await`. Python's plain calls always block.
    pub fn is_floating(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        if !facts.language.is_script() {
            return false;
        }
        let outermost = self.chain(call).last().map_or(call, |(outer, _)| outer);
        let outermost = facts.call(outermost.call);
        if shape.awaited || outermost.awaited {
            return false;
        }
        outermost.dropped || self.gathered_by(call).is_some_and(|gatherer| self.is_floating(gatherer))
    }

    /// The call that makes one promise of this call's and others: `Promise.allSettled([tell(a), tell(b)])`.
    pub fn gathered_by(&self, call: CallRef) -> Option<CallRef> {
        let gathers = |outer: &CallRef| {
            let external = self.external(*outer);
            external.is_some_and(|of| {
                matches!(of.dotted().as_str(), "Promise.all" | "Promise.allSettled" | "Promise.race" | "Promise.any")
            })
        };
        self.handed_to(call).next().filter(gathers)
    }

    /// Whether nothing waits for a call, nothing follows on what it gives, and its failure is caught on the spot:
    /// `notify(user).catch(() => {})`.
    pub fn is_left_alone(&self, call: CallRef) -> bool {
        let follows = |name: &str| matches!(name, "then" | "finally");
        self.is_floating(call)
            && self.chain(call).any(|(_, name)| name == "catch")
            && !self.chain(call).any(|(_, name)| follows(&name))
    }

    /// What catches the failure of a call within its own function, innermost first. Handlers that throw again on
    /// every path are left out.
    pub fn guards(&self, call: CallRef) -> Vec<Guard> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let mut guards = Vec::new();
        for (outer, name) in self.chain(call) {
            let handler_at = match name.as_str() {
                "catch" => 0,
                "then" => 1,
                _ => continue,
            };
            if let Some(arg) = facts.call(outer.call).args.get(handler_at) {
                guards.extend(self.caught_by(ExprRef::new(call.file, arg.value)));
            }
        }
        if self.handed_to(call).any(|outer| self.external(outer).is_some_and(|e| e.dotted() == "Promise.allSettled")) {
            guards.push(Guard { body: None, handler: Handler::Other, ending: Ending::GoesOn });
        }
        let around = self.around(call);
        // A failure inside a `try` reaches it only if something waits there.
        let waits = !facts.language.is_script() || !self.is_floating(call);
        let function = facts.function_of(shape.block);
        for (id, block) in facts.enclosing(shape.block).take_while(|(_, block)| block.function == function) {
            if let BlockKind::With(context) = block.kind
                && self.value(ExprRef::new(call.file, context)).externals().any(|e| e.dotted() == "contextlib.suppress")
            {
                guards.push(Guard { body: Some(id), handler: Handler::Other, ending: Ending::GoesOn });
            }
            if block.kind != BlockKind::Try || !waits {
                continue;
            }
            let handler = around.handlers(id).iter().find(|&&handler| ending(facts, handler) != Ending::Throws);
            if let Some(&handler) = handler {
                guards.push(Guard { body: Some(id), handler: Handler::Block(handler), ending: ending(facts, handler) });
            }
        }
        guards
    }

    fn caught_by(&self, handler: ExprRef) -> Option<Guard> {
        let value = self.value(handler);
        match value.functions().next() {
            Some(function) => {
                let facts = self.facts(function.file);
                let ending = match ending(facts, facts.function(function.function).body) {
                    Ending::Throws => return None,
                    Ending::Returns(_) | Ending::GoesOn => Ending::GoesOn,
                };
                Some(Guard { body: None, handler: Handler::Function(function), ending })
            }
            None if matches!(value, Value::Null) => None,
            None => Some(Guard { body: None, handler: Handler::Other, ending: Ending::GoesOn }),
        }
    }
}

/// How far what may be any of several values is followed: each may ask them all (`x = clean(x)`), and the work would
/// grow with their number to the power of the depth.
pub(crate) fn less_far(depth: usize, values: usize) -> usize {
    depth.saturating_sub(values.saturating_sub(1))
}

/// How a block ends: by its last step that leaves, looking into decisions only when both arms leave.
pub fn ending(facts: &Facts, block: BlockId) -> Ending {
    for step in &facts.block(block).steps {
        match step {
            Step::Throw(_) => return Ending::Throws,
            Step::Return(value) => return Ending::Returns(*value),
            Step::If { then, otherwise: Some(otherwise), .. } => {
                match (ending(facts, *then), ending(facts, *otherwise)) {
                    (Ending::GoesOn, _) | (_, Ending::GoesOn) => {}
                    (Ending::Throws, Ending::Throws) => return Ending::Throws,
                    (Ending::Returns(value), _) | (_, Ending::Returns(value)) => return Ending::Returns(value),
                }
            }
            Step::Block(inner) | Step::Try { finally: Some(inner), .. } => match ending(facts, *inner) {
                Ending::GoesOn => {}
                other => return other,
            },
            _ => {}
        }
    }
    Ending::GoesOn
}

/// Whether whatever comes to `second` has come through `first`: it stands on no arm of its own.
pub fn always_before(facts: &Facts, first: &Call, second: &Call) -> bool {
    let around: Vec<BlockId> = facts.enclosing(second.block).map(|(id, _)| id).collect();
    let mut tried = false;
    for (id, block) in facts.enclosing(first.block) {
        if around.contains(&id) {
            // What a handler reads, it reads because the first read did not come to its end.
            let rescued = facts.enclosing(second.block).take_while(|(inner, _)| *inner != id);
            return !(tried && rescued.into_iter().any(|(_, block)| matches!(block.kind, BlockKind::Catch(_))));
        }
        match block.kind {
            BlockKind::Try => tried = true,
            BlockKind::Plain | BlockKind::With(_) | BlockKind::Finally => {}
            _ => return false,
        }
    }
    false
}
