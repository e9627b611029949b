//! What becomes of what a call gives: which parts of it are read, and what is done with them.
//!
//! A value is followed from the call through variables, destructuring, lists and objects, `then`, combinators,
//! callbacks that return it, and into the parameters of the program's own functions. Where a function gives it back,
//! its callers go on. Order does not count: a status that is looked at after the body is looked at.

use rustc_hash::FxHashSet;

use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind, FunctionId, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// Something done with a part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Which part: the members read on the way, a method called as `json()`; empty for the answer as a whole.
    pub part: Vec<Name>,
    /// What is done.
    pub deed: Deed,
    /// Where.
    pub at: ExprRef,
}

/// What is done with a part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It decides what runs, or is compared.
    Tested,
    /// It is thrown.
    Thrown,
    /// It is logged.
    Logged,
    /// It is handed to something that is not followed, or put where others read it.
    Handed,
    /// It is computed with, or part of a text.
    Used,
    /// A function of the program gives it to callers that are not known: the answer of a route, say.
    Given(FunctionRef),
    /// A method of it is called, and what that gives is dropped.
    Called,
}

/// How an answer is wrapped at some point: in a list, or under a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wrap {
    Item(usize),
    Each,
    Key(Name),
}

/// A value on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    at: ExprRef,
    /// It is a promise still, or a query that is not sent yet.
    pending: bool,
    wraps: Vec<Wrap>,
    part: Vec<Name>,
    /// How many functions of the program it was handed to or given by.
    depth: u8,
}

/// The longest way into a value: what is longer is a circle.
const LONGEST: usize = 12;

/// Most places one answer is followed to.
const MOST: usize = 600;

/// Most functions it crosses.
const DEEPEST: u8 = 6;

/// Methods of lists whose callback gets an element.
const PER_ITEM: &[&str] =
    &["map", "forEach", "filter", "find", "some", "every", "flatMap", "findIndex", "reduce", "sort"];

/// Methods that only log.
pub fn is_log(receiver: &str, method: &str) -> bool {
    let receiver = receiver.to_ascii_lowercase();
    let logs = matches!(
        method,
        "log" | "error" | "warn" | "info" | "debug" | "trace" | "exception" | "warning" | "critical" | "fatal"
    );
    logs && (matches!(receiver.as_str(), "console" | "log" | "logging" | "l") || receiver.contains("log"))
        || receiver.is_empty() && matches!(method, "print" | "pprint" | "log")
}

impl Program {
    /// What is done with what a call gives, in this function and wherever it is handed to or given.
    pub fn looks(&self, call: CallRef) -> Vec<Look> {
        self.looks_until(call, |_| false)
    }

    /// The same, up to the first that is wanted: it is the last of them then.
    pub fn looks_until(&self, call: CallRef, wanted: impl Fn(&Look) -> bool) -> Vec<Look> {
        let facts = self.facts(call.file);
        let at = ExprRef::new(call.file, facts.call(call.call).expr);
        let pending = facts.language.is_script();
        let start = State { at, pending, wraps: vec![], part: vec![], depth: 0 };
        let mut follower = Follower { program: self, seen: FxHashSet::default(), open: vec![start], found: vec![] };
        let mut looked = 0;
        while follower.run_once() {
            if let Some(found) = follower.found[looked..].iter().position(&wanted) {
                follower.found.truncate(looked + found + 1);
                break;
            }
            looked = follower.found.len();
        }
        follower.found
    }
}

struct Follower<'p> {
    program: &'p Program,
    seen: FxHashSet<State>,
    open: Vec<State>,
    found: Vec<Look>,
}

impl Follower<'_> {
    /// Looks at one more place that the value comes to; false when there is none.
    fn run_once(&mut self) -> bool {
        let Some(state) = self.open.pop() else { return false };
        if self.seen.len() > MOST {
            self.look(&state, Deed::Handed);
            self.open.clear();
        } else if self.seen.insert(state.clone()) {
            for &used in self.program.readers(state.at.file).uses(state.at.expr) {
                self.step(&state, used);
            }
        }
        true
    }

    fn look(&mut self, state: &State, deed: Deed) {
        let look = Look { part: state.part.clone(), deed, at: state.at };
        if !self.found.contains(&look) {
            self.found.push(look);
        }
    }

    fn go(&mut self, state: &State, file: FileId, expr: ExprId) {
        self.follow(State { at: ExprRef::new(file, expr), ..state.clone() });
    }

    /// Goes on, unless the value was taken apart so often that it turns in a circle: `text = text.trim()`.
    fn follow(&mut self, state: State) {
        if state.part.len() + state.wraps.len() > LONGEST {
            return self.look(&state, Deed::Used);
        }
        self.open.push(state);
    }

    fn step(&mut self, state: &State, used: Use) {
        let file = state.at.file;
        match used {
            Use::In(outer) => self.operand(state, outer),
            Use::Key(object, key) => {
                let mut next = state.clone();
                if key != "..." {
                    next.wraps.push(Wrap::Key(key));
                }
                self.go(&next, file, object);
            }
            Use::Item(list, position) => {
                let mut next = state.clone();
                next.wraps.push(Wrap::Item(position));
                self.go(&next, file, list);
            }
            Use::Arg(call, position) => self.argument(state, CallRef::new(file, call), position),
            Use::Callee(call) => self.called(state, CallRef::new(file, call)),
            Use::Kept(def) => {
                for &read in self.program.readers(file).reads(def) {
                    self.go(state, file, read);
                }
            }
            Use::Put => self.look(state, Deed::Handed),
            Use::Returned(function) => self.returned(state, FunctionRef::new(file, function)),
            Use::Thrown => self.look(state, Deed::Thrown),
            Use::Tested => self.look(state, Deed::Tested),
            Use::Dropped => {}
        }
    }

    /// The value is an operand of a larger expression.
    fn operand(&mut self, state: &State, outer: ExprId) {
        let file = state.at.file;
        let facts = self.program.facts(file);
        match facts.expr(outer) {
            ExprKind::Await(_) => {
                let next = State { pending: false, ..state.clone() };
                self.go(&next, file, outer);
            }
            ExprKind::Spread(_) => {
                let mut next = state.clone();
                // Spread into a list or a call: an element of it from now on.
                if matches!(next.wraps.last(), Some(Wrap::Item(_) | Wrap::Each)) {
                    next.wraps.pop();
                }
                self.go(&next, file, outer);
            }
            ExprKind::Member(_, name) => self.member(state, outer, *name),
            ExprKind::Index(base, index) if *base == state.at.expr => {
                let position = match facts.expr(*index) {
                    ExprKind::Number(number) if *number >= 0.0 => Some(*number as usize),
                    _ => None,
                };
                self.item(state, outer, position);
            }
            ExprKind::ElementOf(_) => self.item(state, outer, None),
            ExprKind::Op(op, operands) => match op {
                Op::Or | Op::And | Op::Nullish => {
                    if operands.first() == Some(&state.at.expr) && *op == Op::And {
                        self.look(state, Deed::Tested);
                    }
                    self.go(state, file, outer);
                }
                Op::Choose => self.go(state, file, outer),
                Op::Not | Op::Equal | Op::Unequal | Op::Compare | Op::Instance | Op::TypeOf | Op::In => {
                    self.look(state, Deed::Tested);
                }
                Op::Void => {}
                Op::Yield | Op::Assign => self.look(state, Deed::Handed),
                _ => self.look(state, Deed::Used),
            },
            ExprKind::Template(_) => self.text(state, outer),
            _ => self.look(state, Deed::Used),
        }
    }

    /// A text that holds the value: logged when the text is.
    fn text(&mut self, state: &State, outer: ExprId) {
        let facts = self.program.facts(state.at.file);
        let readers = self.program.readers(state.at.file);
        let logged = readers.uses(outer).iter().any(|used| match used {
            Use::Arg(call, _) => self.program.is_logging(CallRef::new(state.at.file, *call)),
            Use::In(outer) => matches!(facts.expr(*outer), ExprKind::Template(_)),
            _ => false,
        });
        self.look(state, if logged { Deed::Logged } else { Deed::Used });
    }

    fn member(&mut self, state: &State, outer: ExprId, name: Name) {
        let file = state.at.file;
        let mut next = state.clone();
        match next.wraps.last() {
            Some(Wrap::Key(key)) if *key == name => {
                next.wraps.pop();
            }
            Some(Wrap::Key(_)) => return,
            // A method of the list: `results.filter(..)`.
            Some(Wrap::Item(_) | Wrap::Each) => {}
            None => next.part.push(name),
        }
        self.go(&next, file, outer);
    }

    fn item(&mut self, state: &State, outer: ExprId, position: Option<usize>) {
        let mut next = state.clone();
        match (next.wraps.last(), position) {
            (Some(Wrap::Item(at)), Some(wanted)) if *at != wanted => return,
            (Some(Wrap::Item(_) | Wrap::Each), _) => {
                next.wraps.pop();
            }
            _ => next.part.push(Name::new("[]")),
        }
        self.go(&next, state.at.file, outer);
    }

    /// A method of the value is called.
    fn called(&mut self, state: &State, call: CallRef) {
        let facts = self.program.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, name) = *facts.expr(shape.callee) else {
            return self.look(state, Deed::Handed);
        };
        let mut next = State { at: ExprRef::new(call.file, shape.expr), ..state.clone() };
        if !next.wraps.is_empty() {
            return self.list_method(next, call, name);
        }
        if next.part.last() == Some(&name) {
            next.part.pop();
        }
        if state.pending {
            match name.as_str() {
                "then" => return self.then(&next, call),
                "catch" | "finally" => return self.follow(next),
                // A query is built on.
                _ if next.part.is_empty() => return self.follow(next),
                _ => {}
            }
        }
        next.part.push(Name::new(&format!("{name}()")));
        self.look(&next, Deed::Called);
        self.follow(next);
    }

    /// `results.filter(callback)`, `results.forEach(callback)`.
    fn list_method(&mut self, next: State, call: CallRef, name: Name) {
        if PER_ITEM.contains(&name.as_str()) {
            let mut each = next.clone();
            if matches!(each.wraps.last(), Some(Wrap::Item(_) | Wrap::Each)) {
                each.wraps.pop();
            }
            let position = u16::from(*"reduce" == *name);
            self.callbacks(&each, call, position);
        } else if matches!(name.as_str(), "push" | "add" | "set" | "append") {
            return self.look(&next, Deed::Handed);
        }
        self.follow(next);
    }

    /// `promise.then(callback)`: the callback gets the value, and what it returns goes on by itself.
    fn then(&mut self, next: &State, call: CallRef) {
        let facts = self.program.facts(call.file);
        let settled = State { pending: false, ..next.clone() };
        match facts.call(call.call).args.first() {
            Some(arg) => {
                let known = self.enter_function(&settled, ExprRef::new(call.file, arg.value), 0);
                if !known {
                    self.look(next, Deed::Handed);
                }
            }
            None => self.follow(next.clone()),
        }
    }

    fn callbacks(&mut self, state: &State, call: CallRef, position: u16) {
        let facts = self.program.facts(call.file);
        if let Some(arg) = facts.call(call.call).args.first() {
            let settled = State { pending: false, ..state.clone() };
            if !self.enter_function(&settled, ExprRef::new(call.file, arg.value), position) {
                self.look(state, Deed::Handed);
            }
        }
    }

    /// Follows the value into a parameter of the functions that an expression can be.
    fn enter_function(&mut self, state: &State, function: ExprRef, position: u16) -> bool {
        if state.depth >= DEEPEST {
            return false;
        }
        let functions: Vec<FunctionRef> = self.program.value(function).functions().collect();
        for &target in &functions {
            self.enter_param(state, target, position);
        }
        !functions.is_empty()
    }

    fn enter_param(&mut self, state: &State, target: FunctionRef, position: u16) {
        for arrived in self.program.readers(target.file).param(target.function, position) {
            let next = State { depth: state.depth + 1, ..state.clone() };
            self.go(&next, target.file, arrived);
        }
    }

    /// The value is handed to a call.
    fn argument(&mut self, state: &State, call: CallRef, position: usize) {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let dotted = program.external(call).map(|external| external.dotted()).unwrap_or_default();
        if matches!(dotted.as_str(), "Promise.all" | "Promise.race" | "Promise.any" | "Promise.allSettled") {
            let mut next = State { at: ExprRef::new(call.file, shape.expr), ..state.clone() };
            if dotted == "Promise.allSettled" {
                next.wraps.insert(0, Wrap::Key(Name::new("value")));
            } else if dotted != "Promise.all" {
                next.wraps.pop();
            }
            return self.follow(next);
        }
        if dotted == "asyncio.gather" {
            let mut next = State { at: ExprRef::new(call.file, shape.expr), ..state.clone() };
            next.wraps.push(Wrap::Item(position));
            return self.follow(next);
        }
        if program.is_logging(call) {
            return self.look(state, Deed::Logged);
        }
        let direct: Vec<FunctionRef> =
            program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if direct.is_empty() || state.depth >= DEEPEST {
            return self.look(state, Deed::Handed);
        }
        let name = shape.args.get(position).and_then(|arg| arg.name);
        for target in direct {
            let params = &program.facts(target.file).function(target.function).params;
            let at = match name {
                Some(name) => params.iter().position(|param| param.name == Some(name)),
                None => Some(position).filter(|&at| params.get(at).is_some_and(|param| !param.rest)),
            };
            match at {
                Some(at) => self.enter_param(state, target, at as u16),
                None => self.look(state, Deed::Handed),
            }
        }
    }

    /// A function gives the value back: to its callers, or to what it was handed to as a callback.
    fn returned(&mut self, state: &State, function: FunctionRef) {
        let program = self.program;
        if function.function == FunctionId::MODULE || state.depth >= DEEPEST {
            return self.look(state, Deed::Given(function));
        }
        let is_async = program.facts(function.file).function(function.function).is_async;
        let mut reached = false;
        for edge in program.incoming(function) {
            let facts = program.facts(edge.call.file);
            let at = ExprRef::new(edge.call.file, facts.call(edge.call.call).expr);
            let pending = facts.language.is_script() && (state.pending || is_async);
            let mut next = State { at, pending, depth: state.depth + 1, ..state.clone() };
            match edge.kind {
                EdgeKind::Direct => {}
                EdgeKind::Callback => match callback_result(program, edge.call) {
                    Result::Each => next.wraps.push(Wrap::Each),
                    Result::Same => next.pending |= facts.language.is_script(),
                    Result::Nothing => {
                        reached = true;
                        continue;
                    }
                },
                EdgeKind::Jump | EdgeKind::Deferred => continue,
            }
            reached = true;
            self.follow(next);
        }
        if !reached || !program.entries_of(function).is_empty() {
            self.look(state, Deed::Given(function));
        }
    }
}

/// What a call makes of what its callback returns.
enum Result {
    Each,
    Same,
    Nothing,
}

fn callback_result(program: &Program, call: CallRef) -> Result {
    let facts = program.facts(call.file);
    match facts.expr(facts.call(call.call).callee) {
        ExprKind::Member(_, name) => match name.as_str() {
            "map" | "flatMap" => Result::Each,
            "forEach" | "on" | "addEventListener" | "once" => Result::Nothing,
            _ => Result::Same,
        },
        ExprKind::Ref(name, _) if matches!(name.as_str(), "setTimeout" | "setInterval" | "useEffect") => {
            Result::Nothing
        }
        _ => Result::Same,
    }
}

impl Program {
    /// Whether a call only writes a log.
    pub fn is_logging(&self, call: CallRef) -> bool {
        if self.has_role(call, KnownRole::Log) {
            return true;
        }
        let facts = self.facts(call.file);
        match facts.expr(facts.call(call.call).callee) {
            ExprKind::Member(base, method) => {
                let receiver = match facts.expr(*base) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.as_str(),
                    _ => return false,
                };
                is_log(receiver, method)
            }
            ExprKind::Ref(name, _) => is_log("", name),
            _ => false,
        }
    }
}
