//! Whether middleware that covers routes by their path turns away whoever brings no session: it is gone through in
//! thought, for one path, with nobody logged in. What cannot be told stays unknown.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::catalogue::{Gatekeeper, KnownRole};
use crate::facts::{BlockId, ExprId, ExprKind, Step};
use crate::finding::{FileId, Place};
use crate::link::entries::handlers::{arguments, export, key};
use crate::link::entries::matchers::Matcher;
use crate::names::Name;
use crate::program::{CallRef, DefRef, ExprRef, FunctionRef, Program, Value};

mod calls;
mod deliveries;
mod hooks;
mod instances;
mod operators;

pub(crate) use hooks::HookMounts;

/// How much is gone through before it is given up.
const FUEL: usize = 4_000;

/// How deep functions are followed.
const DEEPEST: usize = 8;

/// What becomes of a request that brings no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It reaches the route.
    Passes,
    /// It is turned away: where.
    TurnedAway(Place),
    /// That cannot be told.
    Unknown,
}

impl Program {
    /// What the middleware of a file does with a request for a path that brings no session.
    pub fn passage(&self, file: FileId, path: &str, method: &str) -> Passage {
        let exported = ["middleware", "proxy", "default"].iter().find_map(|name| export(self, file, Name::new(name)));
        let Some(exported) = exported else { return Passage::Unknown };
        let mut passages = instances::of(self, file, path).into_iter().map(|path| self.passes(exported, &path, method));
        let first = passages.next().unwrap_or(Passage::Unknown);
        // What stands in place of a parameter may be let through by its name.
        let alike = |other: Passage| {
            matches!(
                (first, other),
                (Passage::Passes, Passage::Passes) | (Passage::TurnedAway(_), Passage::TurnedAway(_))
            )
        };
        if passages.all(alike) { first } else { Passage::Unknown }
    }

    fn passes(&self, exported: ExprRef, path: &str, method: &str) -> Passage {
        let mut walk = Walk::new(self, path, method);
        match walk.middleware(exported) {
            Thing::Refusal(place) if walk.asked && walk.fuel > 0 => Passage::TurnedAway(place),
            Thing::Refusal(_) | Thing::Unknown => Passage::Unknown,
            _ => Passage::Passes,
        }
    }
}

/// What an expression is for this request.
#[derive(Clone)]
enum Thing {
    Unknown,
    /// A text that is known.
    Text(String),
    Bool(bool),
    /// `null`, `undefined`.
    Nothing,
    /// What there would be if somebody were logged in.
    Nobody,
    /// The request, and whatever else the middleware is handed.
    Visitor,
    /// Its URL.
    Url,
    Cookies,
    Headers,
    List(Vec<Thing>),
    /// What tells by patterns whether a path is one of them.
    Paths(Arc<Vec<Matcher>>),
    Function(FunctionRef),
    Record(Arc<Vec<(Name, Thing)>>),
    /// An answer that turns the request away.
    Refusal(Place),
    /// The request is turned away here and now.
    Stops(Place),
    /// Something that is there.
    Something,
    /// What the answer is given by: `res`, `reply`.
    Answerer,
    /// What runs the route: `next`, `call_next`.
    Next,
    /// The route runs here and now.
    Passes,
    /// Something throws here, for lack of a credential.
    Fails(Place),
    /// What whoever asks makes up as they like.
    Brought,
    /// What of the request may prove who asks.
    Given,
}

/// How a block ends.
enum Flow {
    GoesOn,
    Ends(Thing),
}

#[derive(Clone, Default)]
struct Known {
    defs: FxHashMap<DefRef, Thing>,
    params: FxHashMap<(FunctionRef, u16), Thing>,
}

struct Walk<'p> {
    program: &'p Program,
    path: &'p str,
    method: &'p str,
    known: Known,
    fuel: usize,
    depth: usize,
    /// Whether anything hung on who is logged in.
    asked: bool,
    /// While a hook of a server is gone through.
    hook: Option<hooks::Hook>,
    /// What follows the blocks that are gone through in the function at hand, outermost first.
    after: Vec<&'p [Step]>,
}

impl<'a> Walk<'a> {
    fn new(program: &'a Program, path: &'a str, method: &'a str) -> Self {
        Self {
            program,
            path,
            method,
            known: Known::default(),
            fuel: FUEL,
            depth: 0,
            asked: false,
            hook: None,
            after: vec![],
        }
    }
}

impl<'p> Walk<'p> {
    fn middleware(&mut self, exported: ExprRef) -> Thing {
        if let Value::Function(function) = self.program.value(exported) {
            return self.run(function, vec![Thing::Visitor, Thing::Visitor]);
        }
        let ExprKind::Call(call) = *self.program.facts(exported.file).expr(exported.expr) else {
            return Thing::Unknown;
        };
        let call = CallRef::new(exported.file, call);
        let args = arguments(self.program, call);
        let functions = args.iter().filter_map(|&arg| match self.program.value(arg) {
            Value::Function(function) => Some(function),
            _ => None,
        });
        let callback = functions.collect::<Vec<_>>().first().copied();
        let gatekeeper = self
            .program
            .callee(call)
            .externals()
            .find_map(|external| self.program.catalogue.gatekeeper(&external.package, &external.last_member()?));
        if let Some(gatekeeper) = gatekeeper {
            let found = self.gatekeeper(gatekeeper, call, &args);
            if !matches!(found, Thing::Something) {
                return found;
            }
        } else if ![KnownRole::Authenticate, KnownRole::FillRequest]
            .iter()
            .any(|&role| self.program.has_role(call, role))
        {
            return Thing::Unknown;
        }
        match callback {
            Some(function) => self.run(function, vec![Thing::Visitor, Thing::Visitor]),
            None => Thing::Something,
        }
    }

    /// What a package's own middleware does; something when it lets the request through.
    fn gatekeeper(&mut self, gatekeeper: &Gatekeeper, call: CallRef, args: &[ExprRef]) -> Thing {
        let program = self.program;
        let place = program.call_place(call);
        let option = |name: &str| {
            let mut objects = args.iter().filter_map(|&arg| match program.value(arg) {
                Value::Object(object) => Some(object),
                _ => None,
            });
            objects.find_map(|object| name.split('.').try_fold(object, |at, part| key(program, at, Name::new(part))))
        };
        if gatekeeper.taken_over_by.iter().any(|name| option(name).is_some()) {
            return Thing::Unknown;
        }
        for open in gatekeeper.open.iter().filter_map(|name| option(name)) {
            let Thing::List(patterns) = self.eval(open) else { return Thing::Unknown };
            match self.is_one_of(&matchers(&patterns)) {
                Some(true) => return Thing::Something,
                Some(false) => {}
                None => return Thing::Unknown,
            }
        }
        self.asked = true;
        let Some(decides) = gatekeeper.decides.as_ref().and_then(|name| option(name)) else {
            return Thing::Refusal(place);
        };
        let Value::Function(decides) = program.value(decides) else { return Thing::Unknown };
        let names = [("token", Thing::Nobody), ("auth", Thing::Nobody), ("req", Thing::Visitor)];
        let handed = names.map(|(name, thing)| (Name::new(name), thing)).to_vec();
        let lets = self.run(decides, vec![Thing::Record(Arc::new(handed))]);
        match self.truth(&lets) {
            Some(true) => Thing::Something,
            Some(false) => Thing::Refusal(place),
            None => Thing::Unknown,
        }
    }

    fn is_one_of(&self, patterns: &[Matcher]) -> Option<bool> {
        let covers: Vec<Option<bool>> = patterns.iter().map(|pattern| pattern.covers(self.path)).collect();
        match () {
            () if covers.contains(&Some(true)) => Some(true),
            () if covers.contains(&None) => None,
            () => Some(false),
        }
    }

    /// What a function gives for these arguments.
    fn run(&mut self, function: FunctionRef, args: Vec<Thing>) -> Thing {
        if self.depth >= DEEPEST {
            return Thing::Unknown;
        }
        for (at, arg) in args.into_iter().enumerate() {
            self.known.params.insert((function, at as u16), arg);
        }
        self.depth += 1;
        let after = std::mem::take(&mut self.after);
        let body = self.program.facts(function.file).function(function.function).body;
        let flow = self.block(function.file, body);
        self.after = after;
        self.depth -= 1;
        match flow {
            Flow::GoesOn => Thing::Nothing,
            Flow::Ends(thing) => thing,
        }
    }

    fn block(&mut self, file: FileId, block: BlockId) -> Flow {
        let program = self.program;
        self.steps(file, &program.facts(file).block(block).steps)
    }

    /// The same of a block within others, which `rest` follows.
    fn inner(&mut self, file: FileId, block: BlockId, rest: &'p [Step]) -> Flow {
        self.after.push(rest);
        let flow = self.block(file, block);
        self.after.pop();
        flow
    }

    /// Steps and, within blocks, all that follows them in the function.
    fn through_to_end(&mut self, file: FileId, steps: &'p [Step]) -> Flow {
        let mut flow = self.steps(file, steps);
        if self.hook.is_some() || self.after.is_empty() {
            return flow;
        }
        let after = self.after.clone();
        while let Flow::GoesOn = flow {
            let Some(rest) = self.after.pop() else { break };
            flow = self.steps(file, rest);
        }
        self.after = after;
        match flow {
            Flow::GoesOn => Flow::Ends(Thing::Nothing),
            ends => ends,
        }
    }

    fn steps(&mut self, file: FileId, steps: &'p [Step]) -> Flow {
        for (at, step) in steps.iter().enumerate() {
            let Some(left) = self.fuel.checked_sub(1) else { return Flow::Ends(Thing::Unknown) };
            self.fuel = left;
            match step {
                Step::Eval(expr) => {
                    if let Some(ends) = leaves(&self.eval(ExprRef::new(file, *expr))) {
                        return ends;
                    }
                }
                Step::Bind(def, expr) => {
                    let thing = self.eval(ExprRef::new(file, *expr));
                    if let Some(ends) = leaves(&thing) {
                        return ends;
                    }
                    self.known.defs.insert(DefRef::new(file, *def), thing);
                }
                Step::Assign(_, expr) => {
                    if self.hook.is_some()
                        && let Some(ends) = leaves(&self.eval(ExprRef::new(file, *expr)))
                    {
                        return ends;
                    }
                }
                Step::Return(Some(expr)) => {
                    return Flow::Ends(match self.eval(ExprRef::new(file, *expr)) {
                        Thing::Stops(place) => Thing::Refusal(place),
                        thing => self.answered(file, *expr, thing),
                    });
                }
                Step::Return(None) => return Flow::Ends(Thing::Nothing),
                Step::If { condition, then, otherwise } => {
                    let condition = self.eval(ExprRef::new(file, *condition));
                    let one = match self.truth(&condition) {
                        Some(true) => self.inner(file, *then, &steps[at + 1..]),
                        Some(false) => {
                            otherwise.map_or(Flow::GoesOn, |block| self.inner(file, block, &steps[at + 1..]))
                        }
                        None => {
                            let chosen = matches!(condition, Thing::Brought | Thing::Given);
                            return self.either(file, *then, *otherwise, &steps[at + 1..], chosen);
                        }
                    };
                    if let Flow::Ends(_) = one {
                        return one;
                    }
                }
                Step::Try { body, handlers, .. } if self.hook.is_some() => {
                    return self.attempt(file, *body, handlers, &steps[at + 1..]);
                }
                Step::Try { body, .. } | Step::Block(body) => {
                    if let ends @ Flow::Ends(_) = self.inner(file, *body, &steps[at + 1..]) {
                        return ends;
                    }
                }
                Step::Loop(body) => {
                    // What follows a round is the next one.
                    let after = std::mem::take(&mut self.after);
                    let flow = self.each(file, *body, &steps[at + 1..]);
                    self.after = after;
                    if let ends @ Flow::Ends(_) = flow {
                        return ends;
                    }
                }
                Step::Throw(Some(thrown)) if self.refuses_by_throwing() => {
                    return Flow::Ends(Thing::Refusal(self.program.place(ExprRef::new(file, *thrown))));
                }
                // What cases decide is not followed.
                Step::Switch(..) | Step::Throw(_) | Step::Jump | Step::Break => {
                    return Flow::Ends(Thing::Unknown);
                }
            }
        }
        Flow::GoesOn
    }

    /// What both outcomes of a decision that cannot be told come to; one that is `chosen` goes as whoever asks likes.
    fn either(
        &mut self,
        file: FileId,
        then: BlockId,
        otherwise: Option<BlockId>,
        rest: &'p [Step],
        chosen: bool,
    ) -> Flow {
        let before = self.known.clone();
        let learnt = self.hook.as_ref().map(hooks::Hook::learnt);
        let mut one = self.inner(file, then, rest);
        if let Flow::GoesOn = one {
            one = self.through_to_end(file, rest);
        }
        if chosen && matches!(one, Flow::Ends(Thing::Passes)) {
            return one;
        }
        let first = self.hook.as_ref().map(hooks::Hook::learnt);
        self.relearn(learnt, chosen);
        self.known = before;
        let mut other = otherwise.map_or(Flow::GoesOn, |block| self.inner(file, block, rest));
        if let Flow::GoesOn = other {
            other = self.through_to_end(file, rest);
        }
        match (one, other) {
            (_, let_in @ Flow::Ends(Thing::Passes)) if chosen => let_in,
            (Flow::Ends(Thing::Refusal(_)), let_in) if chosen => let_in,
            (let_in, Flow::Ends(Thing::Refusal(_))) if chosen => {
                self.relearn(first, true);
                let_in
            }
            (one, other) => {
                self.doubt_again(first);
                self.both(one, other)
            }
        }
    }

    /// What two ways have in common.
    fn both(&mut self, one: Flow, other: Flow) -> Flow {
        match (one, other) {
            (Flow::GoesOn, Flow::GoesOn) => Flow::GoesOn,
            (Flow::Ends(one), Flow::Ends(other)) => Flow::Ends(self.alike(one, other)),
            // A function that gives nothing.
            (Flow::Ends(one), Flow::GoesOn) | (Flow::GoesOn, Flow::Ends(one)) => {
                Flow::Ends(self.alike(one, Thing::Nothing))
            }
        }
    }

    fn alike(&mut self, one: Thing, other: Thing) -> Thing {
        match (&one, &other) {
            (Thing::Refusal(_), Thing::Refusal(_)) | (Thing::Passes, Thing::Passes) => one,
            (Thing::Nothing, Thing::Nothing) if self.hook.is_some() => one,
            (Thing::Fails(_) | Thing::Refusal(_), Thing::Fails(_)) => one,
            (Thing::Fails(_), Thing::Refusal(_)) => other,
            (Thing::Fails(_), _) | (_, Thing::Fails(_)) => Thing::Unknown,
            (Thing::Refusal(_) | Thing::Unknown | Thing::Passes, _)
            | (_, Thing::Refusal(_) | Thing::Unknown | Thing::Passes) => Thing::Unknown,
            (Thing::Something, Thing::Something | Thing::Nothing) | (Thing::Nothing, Thing::Something) => one,
            _ => match (self.truth(&one), self.truth(&other)) {
                (Some(one), Some(other)) if one == other => Thing::Bool(one),
                _ => Thing::Unknown,
            },
        }
    }

    /// Whether something counts as true.
    fn truth(&mut self, thing: &Thing) -> Option<bool> {
        match thing {
            Thing::Unknown | Thing::Brought | Thing::Given | Thing::Fails(_) => None,
            Thing::Text(text) => Some(!text.is_empty()),
            Thing::Bool(truth) => Some(*truth),
            Thing::Nothing => Some(false),
            Thing::Nobody => {
                self.asked = true;
                Some(false)
            }
            _ => Some(true),
        }
    }

    fn eval(&mut self, at: ExprRef) -> Thing {
        let Some(left) = self.fuel.checked_sub(1) else { return Thing::Unknown };
        self.fuel = left;
        let program = self.program;
        let facts = program.facts(at.file);
        let part = |expr: ExprId| ExprRef::new(at.file, expr);
        match facts.expr(at.expr) {
            ExprKind::Text(text) => Thing::Text(text.to_string()),
            // Statuses are all the numbers that matter here.
            ExprKind::Number(number) => Thing::Text(number.to_string()),
            ExprKind::Bool(truth) => Thing::Bool(*truth),
            ExprKind::Null => Thing::Nothing,
            ExprKind::Env(name) if *name == "NODE_ENV" => Thing::Text("production".to_owned()),
            ExprKind::Env(_) => Thing::Something,
            ExprKind::Template(parts) => {
                let mut whole = String::new();
                for &expr in parts.iter() {
                    let Thing::Text(text) = self.eval(part(expr)) else { return Thing::Something };
                    whole.push_str(&text);
                }
                Thing::Text(whole)
            }
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name) else { return Thing::Unknown };
                if let Some(thing) = self.known.defs.get(&DefRef::new(at.file, def)) {
                    return thing.clone();
                }
                match facts.def(def).values[..] {
                    [value] => self.eval(part(value)),
                    // A parameter stands beside its default.
                    [first, _] if self.delivers() && matches!(facts.expr(first), ExprKind::Param(..)) => {
                        self.eval(part(first))
                    }
                    _ => Thing::Unknown,
                }
            }
            ExprKind::Param(function, index) => {
                let param = (FunctionRef::new(at.file, *function), *index);
                self.known.params.get(&param).cloned().unwrap_or(Thing::Unknown)
            }
            ExprKind::Imported(..) => self.elsewhere(at),
            ExprKind::Function(function) => Thing::Function(FunctionRef::new(at.file, *function)),
            ExprKind::List(items) => Thing::List(items.iter().map(|&item| self.eval(part(item))).collect()),
            ExprKind::Object(entries) => {
                let mut record = |(name, value): &(Name, ExprId)| (*name, self.eval(part(*value)));
                Thing::Record(Arc::new(entries.iter().map(&mut record).collect()))
            }
            ExprKind::Await(inner) => self.eval(part(*inner)),
            ExprKind::Member(base, name) => {
                let base = self.eval(part(*base));
                match self.member(&base, name) {
                    Thing::Unknown if self.hook.is_some() => self.elsewhere(at),
                    found => found,
                }
            }
            ExprKind::Index(base, index) if self.hook.is_some() => {
                let (base, index) = (self.eval(part(*base)), self.eval(part(*index)));
                self.hook_element(&base, &index)
            }
            ExprKind::Call(call) => self.call(CallRef::new(at.file, *call)),
            ExprKind::Op(op, parts) => self.operation(*op, at.file, parts),
            _ => Thing::Unknown,
        }
    }

    /// What another file gives under a name.
    fn elsewhere(&mut self, at: ExprRef) -> Thing {
        match self.program.value(at) {
            Value::Text(text) => Thing::Text(text.to_string()),
            Value::Bool(truth) => Thing::Bool(truth),
            Value::Function(function) => Thing::Function(function),
            Value::List(list) => self.eval(list),
            Value::External(external) => match external.sites.last() {
                None if self.hook.is_some() => hooks::of_framework(&external),
                Some(&made) if self.program.has_role(made, KnownRole::MatchRoute) => self.call(made),
                _ => Thing::Unknown,
            },
            _ => Thing::Unknown,
        }
    }
}

/// How a block ends where an expression answers or runs the route.
fn leaves(thing: &Thing) -> Option<Flow> {
    match thing {
        Thing::Stops(place) => Some(Flow::Ends(Thing::Refusal(*place))),
        Thing::Passes => Some(Flow::Ends(Thing::Passes)),
        Thing::Fails(_) => Some(Flow::Ends(thing.clone())),
        _ => None,
    }
}

fn matchers(patterns: &[Thing]) -> Vec<Matcher> {
    let one = |pattern: &Thing| match pattern {
        Thing::Text(pattern) => Matcher::new(pattern),
        _ => Matcher::new("(unknown"),
    };
    patterns.iter().map(one).collect()
}
