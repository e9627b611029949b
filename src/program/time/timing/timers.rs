//! Timers that end something: controllers that a timer aborts, calls raced against a timer or handed to a helper
//! that does so, requests with a limit set on their result, and settings that bound a whole process.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{KnownRole, Seg};
use crate::facts::{Call, DefKind, ExprId, ExprKind, Facts, FunctionId};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::assigned::{Holder, holder_of_external};
use crate::program::{CallRef, ExprRef, External, FunctionRef, Program, Value};

/// What a timer's callback calls to end something that is no controller.
const ENDS: &[&str] = &["destroy", "cancel", "abort", "terminate"];

/// The timers of a program.
#[derive(Debug, Default)]
pub struct Timers {
    /// The calls that made a controller which a timer aborts.
    controllers: FxHashSet<CallRef>,
    /// Functions in which a timer ends something else: `setTimeout(() => req.destroy(), ..)`.
    ending: FxHashSet<FunctionRef>,
    /// Calls whose result something bounds: raced, handed to a helper, `.timeout(..)` on their result.
    bounded: FxHashSet<CallRef>,
    /// Calls that bound what the functions handed to them do.
    bounding: FxHashSet<CallRef>,
    /// Settings given by a call: what it is called on, and its name.
    pub(super) set_by_call: FxHashSet<(Holder, Name)>,
}

impl Timers {
    /// Reads every call of a program.
    pub fn find(program: &Program) -> Self {
        let waits = |file: &FileId| {
            program.calls_of(*file).any(|call| {
                program.has_role(call, KnownRole::Timeout) || program.callee(call).externals().any(is_clocked)
            })
        };
        let clocked = program.code().map(|(file, _)| file).filter(waits).collect();
        let mut finder = Finder { program, timers: Self::default(), helpers: FxHashMap::default(), clocked };
        for (file, facts) in program.code() {
            for call in program.calls_of(file) {
                finder.call(call, facts.call(call.call), facts);
            }
        }
        finder.timers
    }

    /// Whether a timer aborts the controller that a call made.
    pub fn aborts(&self, made: CallRef) -> bool {
        self.controllers.contains(&made)
    }

    pub(super) fn is_bounded(&self, call: CallRef) -> bool {
        self.bounded.contains(&call)
    }

    pub(super) fn is_bounding(&self, call: CallRef) -> bool {
        self.bounding.contains(&call)
    }

    pub(super) fn ends_in(&self, function: FunctionRef) -> bool {
        self.ending.contains(&function)
    }
}

struct Finder<'p> {
    program: &'p Program,
    timers: Timers,
    /// Whether a function of the program bounds what is handed to it.
    helpers: FxHashMap<FunctionRef, bool>,
    /// The files with a timer, a race or a limit: helpers stand nowhere else.
    clocked: FxHashSet<FileId>,
}

impl<'p> Finder<'p> {
    fn call(&mut self, at: CallRef, call: &Call, facts: &'p Facts) {
        let program = self.program;
        for callee in program.callee(at).alternatives() {
            match callee {
                Value::External(external) => self.external(at, call, facts, external),
                Value::Function(function) if !call.args.is_empty() && self.is_helper(*function) => {
                    self.bounding(at, call, facts);
                }
                _ => {}
            }
        }
    }

    fn external(&mut self, at: CallRef, call: &Call, facts: &'p Facts, external: &External) {
        if is_timer(external) {
            self.timer(at, call);
        } else if is_race(external) {
            if call.args.first().is_some_and(|arg| self.races_a_timer(at.file, facts, arg.value)) {
                self.bounding(at, call, facts);
            }
        } else if !call.args.is_empty() && self.program.has_role(at, KnownRole::Timeout) {
            self.bounding(at, call, facts);
            // `request.pipe(timeout(5000))`: what the chain starts with.
            for outer in self.program.handed_to(at) {
                let callee = facts.call(outer.call).callee;
                if matches!(facts.expr(callee), ExprKind::Member(_, name) if *name == "pipe") {
                    self.note_chain(outer.file, facts, callee);
                }
            }
        }
        let Some(last) = external.last_member() else { return };
        // `worker.join(timeout=2)`: nobody waits longer for what a thread does.
        if last == "join"
            && !call.args.is_empty()
            && !facts.language.is_script()
            && let Some((Holder::Made(made), path)) = holder_of_external(external)
            && path.as_str() == "join"
            && self.program.has_role(made, KnownRole::Defer)
        {
            self.timers.bounded.insert(made);
        }
        let bounds = matches!(last.as_str(), "setTimeout" | "timeout" | "result") && !call.args.is_empty();
        if !bounds && !self.program.catalogue.ends_in_limit_setter(last) {
            return;
        }
        let Some((holder, path)) = holder_of_external(external) else { return };
        // `request(..).timeout(5000)`, `req.setTimeout(5000)`, `future.result(timeout=5)`.
        if let Holder::Made(made) = holder
            && matches!(path.as_str(), "setTimeout" | "timeout" | "result")
            && !call.args.is_empty()
        {
            self.timers.bounded.insert(made);
        }
        if !path.is_empty() && self.program.catalogue.sets_timeout(&path) {
            self.timers.set_by_call.insert((holder, Name::new(&path)));
        }
    }

    /// `setTimeout(callback, ms)`: what the callback aborts or ends.
    fn timer(&mut self, at: CallRef, call: &Call) {
        let Some(arg) = call.args.first() else { return };
        let callback = self.program.value(ExprRef::new(at.file, arg.value));
        for external in callback.externals() {
            self.timers.controllers.extend(aborted(external));
        }
        for function in callback.functions() {
            for inner in self.program.with_inner(function) {
                for ending in self.program.calls_in(inner) {
                    self.ending(at, ending);
                }
            }
        }
    }

    fn ending(&mut self, timer: CallRef, ending: CallRef) {
        let mut is_controller = false;
        for external in self.program.callee(ending).externals() {
            let made = aborted(external);
            is_controller |= made.is_some();
            self.timers.controllers.extend(made);
        }
        let facts = self.program.facts(ending.file);
        if !is_controller
            && let ExprKind::Member(_, name) = *facts.expr(facts.call(ending.call).callee)
            && ENDS.contains(&name.as_str())
        {
            self.timers.ending.insert(self.program.function_of(timer));
        }
    }

    fn bounding(&mut self, at: CallRef, call: &Call, facts: &Facts) {
        self.timers.bounding.insert(at);
        for arg in &call.args {
            self.note(at.file, facts, arg.value, 4);
        }
    }

    /// Notes the calls whose promise an argument is.
    fn note(&mut self, file: FileId, facts: &Facts, expr: ExprId, depth: usize) {
        if depth == 0 {
            return;
        }
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                self.timers.bounded.insert(CallRef::new(file, *call));
                self.note_chain(file, facts, facts.call(*call).callee);
            }
            ExprKind::List(items) | ExprKind::Op(_, items) => {
                for &item in items {
                    self.note(file, facts, item, depth - 1);
                }
            }
            ExprKind::Ref(name, block) => {
                if let Some(def) = facts.lookup(*block, *name)
                    && matches!(facts.def(def).kind, DefKind::Constant | DefKind::Variable)
                {
                    for &value in &facts.def(def).values {
                        self.note(file, facts, value, depth - 1);
                    }
                }
            }
            _ => {}
        }
    }

    /// `send().then(..)`: the call at the head of a chain.
    fn note_chain(&mut self, file: FileId, facts: &Facts, mut callee: ExprId) {
        while let ExprKind::Member(base, _) = *facts.expr(callee)
            && let ExprKind::Call(inner) = *facts.expr(base)
        {
            self.timers.bounded.insert(CallRef::new(file, inner));
            callee = facts.call(inner).callee;
        }
    }

    /// Whether one of the promises raced is a timer, or may be.
    fn races_a_timer(&self, file: FileId, facts: &Facts, list: ExprId) -> bool {
        match facts.expr(list) {
            ExprKind::List(items) => items.iter().any(|&item| self.is_timed(file, facts, item, 4)),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]) {
                Some([value]) => self.races_a_timer(file, facts, *value),
                _ => true,
            },
            _ => true,
        }
    }

    fn is_timed(&self, file: FileId, facts: &Facts, expr: ExprId, depth: usize) -> bool {
        if depth == 0 {
            return true;
        }
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                let at = CallRef::new(file, *call);
                let callee = self.program.callee(at);
                let head = self.head(at);
                callee.functions().any(|function| self.sets_timer(function))
                    || callee
                        .externals()
                        .any(|external| is_timer(external) || is_promise(external) && self.promise_times(at))
                    || head != at && self.is_timed(file, facts, facts.call(head.call).expr, depth - 1)
            }
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) if facts.def(def).kind != DefKind::Param && !facts.def(def).values.is_empty() => {
                    facts.def(def).values.iter().any(|&value| self.is_timed(file, facts, value, depth - 1))
                }
                // A parameter: what is raced, as a rule.
                _ => false,
            },
            ExprKind::Function(_) => false,
            _ => false,
        }
    }

    /// The call at the head of a chain: `delay(5).then(..)`.
    fn head(&self, at: CallRef) -> CallRef {
        let facts = self.program.facts(at.file);
        let mut head = at.call;
        while let ExprKind::Member(base, _) = *facts.expr(facts.call(head).callee)
            && let ExprKind::Call(inner) = *facts.expr(base)
        {
            head = inner;
        }
        CallRef::new(at.file, head)
    }

    /// `new Promise((_, reject) => setTimeout(..))`
    fn promise_times(&self, made: CallRef) -> bool {
        let facts = self.program.facts(made.file);
        facts.call(made.call).args.first().is_some_and(|arg| {
            let executor = self.program.value(ExprRef::new(made.file, arg.value));
            executor.functions().any(|function| self.sets_timer(function))
        })
    }

    /// Whether a function, or one written inside it, starts a timer.
    fn sets_timer(&self, function: FunctionRef) -> bool {
        let inner = self.program.with_inner(function);
        let mut calls = inner.iter().flat_map(|&function| self.program.calls_in(function));
        calls.any(|call| self.program.callee(call).externals().any(|of| is_timer(of) || is_abort_timer(of)))
    }

    /// Whether a function of the program bounds the promise or function it is given: it races what it is given
    /// against a timer, or calls it and rejects or aborts by a timer.
    fn is_helper(&mut self, function: FunctionRef) -> bool {
        if let Some(&known) = self.helpers.get(&function) {
            return known;
        }
        self.helpers.insert(function, false);
        let found = function.function != FunctionId::MODULE && self.bounds_what_it_takes(function);
        self.helpers.insert(function, found);
        found
    }

    fn bounds_what_it_takes(&self, function: FunctionRef) -> bool {
        let program = self.program;
        let facts = program.facts(function.file);
        if facts.function(function.function).params.is_empty() || !self.clocked.contains(&function.file) {
            return false;
        }
        let is_param = |value: &Value| value.any(|value| matches!(value, Value::Param(of, _) if *of == function));
        let inner = program.with_inner(function);
        let calls: Vec<CallRef> = inner.iter().flat_map(|&function| program.calls_in(function)).collect();
        let has_timer = self.sets_timer(function);
        calls.into_iter().any(|call| {
            let callee = program.callee(call);
            let shape = facts.call(call.call);
            let races = callee.externals().any(is_race) || program.has_role(call, KnownRole::Timeout);
            let takes = |expr: ExprId| match facts.expr(expr) {
                ExprKind::List(items) => {
                    items.iter().any(|&item| is_param(&program.value(ExprRef::new(call.file, item))))
                }
                _ => is_param(&program.value(ExprRef::new(call.file, expr))),
            };
            // `Promise.race([promise, timer])`, `wait_for(task, 5)`
            if races && shape.args.first().is_some_and(|arg| takes(arg.value) || self.calls_param(call, &is_param)) {
                return true;
            }
            // `promise.then(resolve, reject)` or `work(controller.signal)` beside a timer.
            has_timer && {
                let callee = program.value(ExprRef::new(call.file, shape.callee));
                match &callee {
                    Value::Param(of, _) => *of == function && is_async_work(shape),
                    Value::Member(base, name) => *name == "then" && is_param(base),
                    _ => false,
                }
            }
        })
    }

    /// Whether a call stands in the list a call takes and calls a parameter: `Promise.race([work(), timer])`.
    fn calls_param(&self, race: CallRef, is_param: &dyn Fn(&Value) -> bool) -> bool {
        let facts = self.program.facts(race.file);
        let Some(arg) = facts.call(race.call).args.first() else { return false };
        let ExprKind::List(items) = facts.expr(arg.value) else { return false };
        items.iter().any(|&item| match facts.expr(item) {
            ExprKind::Call(call) => is_param(&self.program.value(ExprRef::new(race.file, facts.call(*call).callee))),
            _ => false,
        })
    }
}

/// A callback that is waited for or given something (the signal): no bare event handler.
fn is_async_work(call: &Call) -> bool {
    call.awaited || !call.args.is_empty() && !call.dropped
}

fn is_timer(external: &External) -> bool {
    match external.package.as_str() {
        "global:setTimeout" => external.segs.is_empty(),
        "global:window" | "global:globalThis" | "node:timers" | "node:timers/promises" => {
            external.last_member().is_some_and(|name| name == "setTimeout")
        }
        "py:asyncio" => external.last_member().is_some_and(|name| name == "sleep"),
        _ => false,
    }
}

/// `AbortSignal.timeout`
fn is_abort_timer(external: &External) -> bool {
    external.package == "global:AbortSignal" && external.last_member().is_some_and(|name| name == "timeout")
}

/// Whether a call of it has to do with time.
fn is_clocked(external: &External) -> bool {
    is_timer(external) || is_race(external) || is_abort_timer(external)
}

fn is_race(external: &External) -> bool {
    external.package == "global:Promise" && external.last_member().is_some_and(|name| name == "race")
}

fn is_promise(external: &External) -> bool {
    external.package == "global:Promise" && external.segs.is_empty()
}

/// Whether something is a controller or of one.
pub(super) fn is_controller(external: &External) -> bool {
    matches!(external.package.as_str(), "global:AbortController" | "npm:abort-controller")
}

/// The call that made the controller whose `abort` this is: `controller.abort`, `controller.abort.bind(controller)`.
fn aborted(external: &External) -> Option<CallRef> {
    let made = external.segs.iter().position(|seg| *seg == Seg::New)?;
    let aborts = matches!(external.segs.get(made + 1), Some(Seg::Member(name)) if *name == "abort");
    (aborts && is_controller(external)).then(|| external.sites.first().copied()).flatten()
}
