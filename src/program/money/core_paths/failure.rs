//! Whether the failure of a call on a core path can fail the path: followed from the call outwards, through every
//! `try`, every tested result and every answer over HTTP, to the function that the path runs through.

use super::flow::{Fate, Flow};
use super::says::{answers_error, is_success};
use crate::catalogue::Effect;
use crate::facts::{BlockId, ExprId, ExprKind, Step};
use crate::finding::Place;
use crate::program::terms::{Ending, Guard, Handler};
use crate::program::{CallRef, Edge, EdgeKind, FunctionRef, Program, Value};

/// What the failure of a call does to the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// It is caught, or nobody looks at it: the path goes on. Where, when there is a place.
    Caught(Option<Place>),
    /// It stops the path.
    Stops,
}

/// A failure on its way out.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// As an exception.
    Throws,
    /// As a value: an error, `false`, an answer of 500.
    Given,
}

/// Follows failures.
pub struct Follow<'f, 'p> {
    /// The program.
    pub program: &'p Program,
    /// Its flow.
    pub flow: &'f mut Flow<'p>,
}

impl Follow<'_, '_> {
    /// What the failure of `last` does to the function that `way` starts in, whose calls `towards` lead to the
    /// core operation. `inside` is the way from `last` to the request in a wrapper of the program.
    pub fn outcome(
        &mut self,
        way: &[Edge],
        last: CallRef,
        inside: &[Edge],
        request: CallRef,
        towards: &[CallRef],
    ) -> Failure {
        let mut calls: Vec<(CallRef, Option<EdgeKind>)> = way.iter().map(|edge| (edge.call, Some(edge.kind))).collect();
        calls.extend(inside.iter().map(|edge| (edge.call, Some(edge.kind))));
        if inside.is_empty() {
            calls.push((last, None));
        }
        if request != last {
            calls.push((request, None));
        }
        let mut state = if self.gives_errors(request) { State::Given } else { State::Throws };
        for (at, &(call, kind)) in calls.iter().enumerate().rev() {
            state = self.cross(call, kind, state);
            let outermost = at == 0;
            let served = at > 0 && calls[at - 1].1 == Some(EdgeKind::Jump);
            match self.leave(call, state, outermost, served, towards) {
                Ok(next) => state = next,
                Err(failure) => return failure,
            }
        }
        match state {
            State::Throws => Failure::Stops,
            State::Given => Failure::Caught(None),
        }
    }

    /// The same failure as the caller of what failed sees it.
    fn cross(&self, call: CallRef, kind: Option<EdgeKind>, state: State) -> State {
        let program = self.program;
        match kind {
            // An answer of 500 throws in clients that throw on status, and in calls that are no requests at all.
            Some(EdgeKind::Jump) => {
                let requests = program.requests_at(call);
                let throws = requests.iter().any(|http| program.http_client(http).throws_on_status);
                let answers = !requests.is_empty()
                    || self.gives_errors(call)
                    || !program.vendors_at(call).is_empty()
                    || self.invokes(call);
                if answers && !throws { State::Given } else { state }
            }
            Some(EdgeKind::Callback) if self.catches_callbacks(call) => State::Given,
            _ => state,
        }
    }

    /// Whether what is called runs its argument inside a guard of its own: `safely(() => ..)`, or that of the
    /// wrapper that made it: `const send = safely(sendOnce)`.
    fn catches_callbacks(&self, call: CallRef) -> bool {
        let program = self.program;
        let runs = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        runs.map(|edge| edge.target).any(|wrapper| {
            let maker = program.facts(wrapper.file).function(wrapper.function).parent;
            let given = |f: FunctionRef| f == wrapper || f.file == wrapper.file && Some(f.function) == maker;
            program.calls_in(wrapper).any(|inner| {
                program.callee(inner).any(|value| matches!(value, Value::Param(f, _) if given(*f)))
                    && (!program.guards(inner).is_empty() || self.races(inner))
            }) && !self.throws(wrapper)
        })
    }

    /// Whether a function throws by itself: one that tries again does so with the last error.
    fn throws(&self, function: FunctionRef) -> bool {
        let blocks = self.program.facts(function.file).blocks.iter();
        let mut own = blocks.filter(|block| block.function == function.function).flat_map(|block| &block.steps);
        own.any(|step| matches!(step, Step::Throw(_)))
    }

    /// Whether a call's promise races against others: it is waited for no longer than they take.
    pub fn races(&self, call: CallRef) -> bool {
        let program = self.program;
        program.handed_to(call).any(|outer| program.external(outer).is_some_and(|e| e.dotted() == "Promise.race"))
    }

    /// Whether a call runs a wrapper that invokes a function by the name it is told.
    fn invokes(&self, call: CallRef) -> bool {
        let program = self.program;
        let invokes = |at: CallRef| {
            let mut operations = program.vendors_at(at).iter().filter_map(|used| program.operation(used));
            operations.any(|operation| operation.effect == Effect::Invoke)
        };
        let wrappers = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        wrappers.flat_map(|edge| program.calls_in(edge.target)).any(invokes)
    }

    /// Whether a vendor's call gives its errors instead of throwing them.
    fn gives_errors(&self, call: CallRef) -> bool {
        self.program.giver_of_errors(call).is_some()
    }

    /// Follows a failure from a call to the end of the function it stands in.
    fn leave(
        &mut self,
        call: CallRef,
        state: State,
        outermost: bool,
        served: bool,
        towards: &[CallRef],
    ) -> Result<State, Failure> {
        let program = self.program;
        let is_silent = || program.requests_at(call).iter().any(|http| http.inner == call && program.is_silent(http));
        if self.races(call) || is_silent() {
            return Err(Failure::Caught(None));
        }
        if state == State::Given {
            match self.flow.fate(call) {
                Fate::GoesOn => return Err(Failure::Caught(None)),
                Fate::Returned => return Ok(State::Given),
                Fate::Leaves if outermost => return Err(Failure::Stops),
                Fate::Leaves => return Ok(State::Given),
                Fate::Throws => {}
            }
        }
        if let Some(&guard) = program.guards(call).first() {
            let place = self.place(call, guard);
            if outermost {
                return Err(self.at_the_path(call, guard, place, towards));
            }
            return match guard.ending {
                Ending::Returns(Some(value)) if is_success(program.facts(call.file), value) => {
                    Err(Failure::Caught(place))
                }
                Ending::Returns(Some(value)) if !served || is_error_answer(program, call, value) => Ok(State::Given),
                _ => Err(Failure::Caught(place)),
            };
        }
        Ok(State::Throws)
    }

    /// What a guard in the function that the path runs through is worth.
    fn at_the_path(&self, call: CallRef, guard: Guard, place: Option<Place>, towards: &[CallRef]) -> Failure {
        let facts = self.program.facts(call.file);
        let Some(body) = guard.body else { return Failure::Caught(place) };
        let holds = |other: CallRef| facts.enclosing(facts.call(other.call).block).any(|(id, _)| id == body);
        let before = towards.iter().all(|core| call.call < core.call);
        let answers = |block: BlockId| self.flow.answers_in(call, block);
        match guard.ending {
            _ if matches!(guard.handler, Handler::Block(handler) if answers(handler)) => Failure::Stops,
            _ if towards.iter().any(|&core| core != call && holds(core)) => Failure::Stops,
            Ending::Returns(Some(value)) if is_success(facts, value) => Failure::Caught(place),
            Ending::Returns(_) if before && !towards.is_empty() => Failure::Stops,
            Ending::Returns(Some(value)) if is_error_answer(self.program, call, value) => Failure::Stops,
            Ending::Returns(_) if self.flow.answers_after(call, body) => Failure::Stops,
            // The page is left inside the `try`, and nowhere after it.
            Ending::GoesOn if self.flow.answers_after(call, body) && !self.answers_after_block(call, body) => {
                Failure::Stops
            }
            _ => Failure::Caught(place),
        }
    }

    fn answers_after_block(&self, call: CallRef, body: crate::facts::BlockId) -> bool {
        let facts = self.program.facts(call.file);
        let function = self.program.function_of(call);
        let end = facts.block(body).span.end;
        let whole = facts.function(function.function).body;
        self.program
            .calls_in(function)
            .any(|other| facts.span(facts.call(other.call).expr).start > end && self.flow.answers_after(call, whole))
            && facts.blocks.iter().any(|block| {
                block.function == function.function
                    && block.steps.iter().any(|step| match step {
                        Step::Return(Some(value)) => facts.span(*value).start > end,
                        _ => false,
                    })
            })
    }

    fn place(&self, call: CallRef, guard: Guard) -> Option<Place> {
        let facts = self.program.facts(call.file);
        match guard.handler {
            Handler::Block(block) => Some(Place { file: call.file, span: facts.block(block).span }),
            Handler::Function(function) => Some(self.program.function_place(function)),
            Handler::Other => None,
        }
    }
}

/// Whether a returned value tells of a failure: a status of 400 or more, an `error` key, `false`.
pub(super) fn is_error_answer(program: &Program, call: CallRef, value: ExprId) -> bool {
    let facts = program.facts(call.file);
    match facts.expr(value) {
        ExprKind::Bool(truth) => !truth,
        ExprKind::Object(entries) if entries.iter().any(|(key, _)| *key == "error") => true,
        _ => answers_error(program, call.file, value),
    }
}

/// The way from a wrapper's call to the request inside it.
pub fn inside(program: &Program, at: CallRef, request: CallRef) -> Vec<Edge> {
    if at == request {
        return vec![];
    }
    let goal: FunctionRef = program.function_of(request);
    for edge in program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct) {
        let reach = program.reach(edge.target, |edge| edge.kind != EdgeKind::Deferred);
        if let Some(stop) = reach.stops.iter().take(200).position(|stop| stop.function == goal) {
            let mut way = vec![*edge];
            way.extend(reach.way(stop));
            return way;
        }
    }
    vec![]
}
