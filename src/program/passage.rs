//! Whether middleware that covers routes by their path turns away whoever brings no session: it is gone through in
//! thought, for one path, with nobody logged in. What cannot be told stays unknown.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::catalogue::{Gatekeeper, KnownRole};
use crate::facts::{BlockId, CallId, ExprId, ExprKind, Op, Step};
use crate::finding::{FileId, Place};
use crate::link::entries::handlers::{arguments, export, key};
use crate::link::entries::matchers::Matcher;
use crate::names::Name;
use crate::program::{CallRef, DefRef, ExprRef, FunctionRef, Program, Value};

mod instances;

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
        let mut walk =
            Walk { program: self, path, method, known: Known::default(), fuel: FUEL, depth: 0, asked: false };
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
}

impl Walk<'_> {
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
        } else if !self.program.has_role(call, KnownRole::Authenticate) {
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
        let body = self.program.facts(function.file).function(function.function).body;
        let flow = self.block(function.file, body);
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

    fn steps(&mut self, file: FileId, steps: &[Step]) -> Flow {
        for (at, step) in steps.iter().enumerate() {
            let Some(left) = self.fuel.checked_sub(1) else { return Flow::Ends(Thing::Unknown) };
            self.fuel = left;
            match step {
                Step::Eval(expr) => {
                    if let Thing::Stops(place) = self.eval(ExprRef::new(file, *expr)) {
                        return Flow::Ends(Thing::Refusal(place));
                    }
                }
                Step::Bind(def, expr) => {
                    let thing = self.eval(ExprRef::new(file, *expr));
                    if let Thing::Stops(place) = thing {
                        return Flow::Ends(Thing::Refusal(place));
                    }
                    self.known.defs.insert(DefRef::new(file, *def), thing);
                }
                Step::Assign(..) => {}
                Step::Return(Some(expr)) => {
                    return Flow::Ends(match self.eval(ExprRef::new(file, *expr)) {
                        Thing::Stops(place) => Thing::Refusal(place),
                        thing => thing,
                    });
                }
                Step::Return(None) => return Flow::Ends(Thing::Nothing),
                Step::If { condition, then, otherwise } => {
                    let condition = self.eval(ExprRef::new(file, *condition));
                    let one = match self.truth(&condition) {
                        Some(true) => self.block(file, *then),
                        Some(false) => otherwise.map_or(Flow::GoesOn, |block| self.block(file, block)),
                        None => return self.either(file, *then, *otherwise, &steps[at + 1..]),
                    };
                    if let Flow::Ends(_) = one {
                        return one;
                    }
                }
                Step::Try { body, .. } | Step::Block(body) => {
                    if let ends @ Flow::Ends(_) = self.block(file, *body) {
                        return ends;
                    }
                }
                // What loops and cases decide is not followed.
                Step::Switch(..) | Step::Loop(_) | Step::Throw(_) | Step::Jump | Step::Break => {
                    return Flow::Ends(Thing::Unknown);
                }
            }
        }
        Flow::GoesOn
    }

    /// What both outcomes of a decision that cannot be told come to.
    fn either(&mut self, file: FileId, then: BlockId, otherwise: Option<BlockId>, rest: &[Step]) -> Flow {
        let before = self.known.clone();
        let mut one = self.block(file, then);
        if let Flow::GoesOn = one {
            one = self.steps(file, rest);
        }
        self.known = before;
        let mut other = otherwise.map_or(Flow::GoesOn, |block| self.block(file, block));
        if let Flow::GoesOn = other {
            other = self.steps(file, rest);
        }
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
            (Thing::Refusal(_), Thing::Refusal(_)) => one,
            (Thing::Refusal(_) | Thing::Unknown, _) | (_, Thing::Refusal(_) | Thing::Unknown) => Thing::Unknown,
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
            Thing::Unknown => None,
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
                self.member(&base, name)
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
                Some(&made) if self.program.has_role(made, KnownRole::MatchRoute) => self.call(made),
                _ => Thing::Unknown,
            },
            _ => Thing::Unknown,
        }
    }

    fn member(&self, base: &Thing, name: &str) -> Thing {
        match (base, name) {
            (Thing::Nobody, _) => Thing::Nobody,
            (Thing::Visitor, "nextUrl" | "url") => Thing::Url,
            (Thing::Visitor, "cookies") => Thing::Cookies,
            (Thing::Visitor, "headers") => Thing::Headers,
            (Thing::Visitor, "method") => Thing::Text(self.method.to_owned()),
            (Thing::Visitor, "auth" | "nextauth" | "session" | "user" | "userId" | "sessionId") => Thing::Nobody,
            (Thing::Url, "pathname") => Thing::Text(self.path.to_owned()),
            (Thing::Record(entries), _) => {
                let found = entries.iter().rev().find(|(key, _)| *key == name);
                found.map_or(Thing::Unknown, |(_, thing)| thing.clone())
            }
            _ => Thing::Unknown,
        }
    }

    fn operation(&mut self, op: Op, file: FileId, parts: &[ExprId]) -> Thing {
        let mut part = |at: usize| match parts.get(at) {
            Some(&expr) => {
                let thing = self.eval(ExprRef::new(file, expr));
                let truth = self.truth(&thing);
                (thing, truth)
            }
            None => (Thing::Unknown, None),
        };
        match op {
            Op::Not => part(0).1.map_or(Thing::Unknown, |truth| Thing::Bool(!truth)),
            Op::And | Op::Or => {
                let ends = op == Op::Or;
                let (first, truth) = part(0);
                match truth {
                    Some(truth) if truth == ends => first,
                    Some(_) => part(1).0,
                    None if part(1).1 == Some(ends) => Thing::Bool(ends),
                    None => Thing::Unknown,
                }
            }
            Op::Nullish => match part(0).0 {
                Thing::Nobody | Thing::Nothing => part(1).0,
                Thing::Unknown => Thing::Unknown,
                first => first,
            },
            Op::Choose => match part(0).1 {
                Some(true) => part(1).0,
                Some(false) => part(2).0,
                None => Thing::Unknown,
            },
            Op::Equal | Op::Unequal => {
                let same = match (part(0).0, part(1).0) {
                    (Thing::Text(one), Thing::Text(other)) => Some(one == other),
                    (Thing::Bool(one), Thing::Bool(other)) => Some(one == other),
                    (Thing::Nobody | Thing::Nothing, Thing::Nobody | Thing::Nothing) => Some(true),
                    (Thing::Nobody | Thing::Nothing, Thing::Text(_)) => Some(false),
                    (Thing::Text(_), Thing::Nobody | Thing::Nothing) => Some(false),
                    _ => None,
                };
                same.map_or(Thing::Unknown, |same| Thing::Bool(same == (op == Op::Equal)))
            }
            _ => Thing::Unknown,
        }
    }

    fn call(&mut self, call: CallRef) -> Thing {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        if program.has_role(call, KnownRole::MatchRoute) {
            let Some(&of) = arguments(program, call).first() else { return Thing::Unknown };
            let patterns = match self.eval(of) {
                Thing::List(patterns) => patterns,
                one => vec![one],
            };
            return Thing::Paths(Arc::new(matchers(&patterns)));
        }
        let args: Vec<Thing> = shape.args.iter().map(|arg| self.eval(ExprRef::new(call.file, arg.value))).collect();
        if let ExprKind::Member(base, method) = *facts.expr(shape.callee) {
            let thing = self.eval(ExprRef::new(call.file, base));
            let response = matches!(facts.expr(base), ExprKind::Ref(name, _) if name.ends_with("Response"));
            if let Some(found) = self.method(call, &thing, &method, &args, response) {
                return found;
            }
        }
        if program.has_role(call, KnownRole::Authenticate) {
            return Thing::Nobody;
        }
        match self.eval(ExprRef::new(call.file, shape.callee)) {
            // `auth()` of what the middleware is handed.
            Thing::Visitor => return Thing::Nobody,
            Thing::Paths(patterns) => return self.is_one_of(&patterns).map_or(Thing::Unknown, Thing::Bool),
            Thing::Function(function) => {
                let found = self.run(function, args.clone());
                if !matches!(found, Thing::Unknown) {
                    return found;
                }
            }
            _ => {}
        }
        self.by_name(call.file, call.call, &args)
    }

    /// What a method gives; none when nothing is known of it.
    fn method(&mut self, call: CallRef, base: &Thing, method: &str, args: &[Thing], response: bool) -> Option<Thing> {
        let place = self.program.call_place(call);
        Some(match (base, method, args) {
            (Thing::Text(text), "startsWith", [Thing::Text(head), ..]) => Thing::Bool(text.starts_with(head.as_str())),
            (Thing::Text(text), "endsWith", [Thing::Text(tail), ..]) => Thing::Bool(text.ends_with(tail.as_str())),
            (Thing::Text(text), "includes", [Thing::Text(part), ..]) => Thing::Bool(text.contains(part.as_str())),
            (Thing::Text(text), "toLowerCase", _) => Thing::Text(text.to_lowercase()),
            (Thing::List(items), "includes", [Thing::Text(text), ..]) => {
                let known = |item: &Thing| if let Thing::Text(item) = item { Some(item == text) } else { None };
                any_of(items.iter().map(known))
            }
            (Thing::List(items), "some" | "find", [Thing::Function(test), ..]) => {
                let mut told = Vec::new();
                for item in items {
                    let found = self.run(*test, vec![item.clone()]);
                    told.push(self.truth(&found));
                }
                any_of(told.into_iter())
            }
            (Thing::Cookies, "get" | "has", _) => Thing::Nobody,
            (Thing::Headers, "get" | "has", [Thing::Text(name), ..]) if name.eq_ignore_ascii_case("cookie") => {
                Thing::Nobody
            }
            (Thing::Cookies | Thing::Headers, ..) => Thing::Unknown,
            (Thing::Url, "clone", _) => Thing::Url,
            (Thing::Visitor | Thing::Nobody, "protect" | "redirectToSignIn", _) => {
                self.asked = true;
                Thing::Stops(place)
            }
            (Thing::Nobody, ..) => Thing::Nobody,
            (_, "redirect", _) if response => Thing::Refusal(place),
            (_, "json", [_, options, ..]) if response => self.answer(place, options),
            (_, "next" | "json", _) if response => Thing::Something,
            (
                Thing::Unknown | Thing::Something,
                "getUser" | "getSession" | "getClaims" | "getToken" | "currentUser",
                _,
            ) => Thing::Nobody,
            _ => return None,
        })
    }

    /// A constructed or JSON answer, by its status.
    fn answer(&self, place: Place, options: &Thing) -> Thing {
        let Thing::Record(entries) = options else { return Thing::Something };
        match entries.iter().find(|(key, _)| *key == "status") {
            Some((_, Thing::Text(status))) if matches!(status.as_str(), "401" | "403") => Thing::Refusal(place),
            _ => Thing::Something,
        }
    }

    /// Calls of which the name says enough.
    fn by_name(&mut self, file: FileId, call: CallId, args: &[Thing]) -> Thing {
        let facts = self.program.facts(file);
        let shape = facts.call(call);
        let Some(name) = facts.last_name(shape.callee) else { return Thing::Unknown };
        let lower = name.to_ascii_lowercase();
        match (name.as_str(), args) {
            ("URL", [Thing::Url, ..]) => Thing::Url,
            ("Response" | "NextResponse", [_, options, ..]) if shape.is_new => {
                self.answer(self.program.call_place(CallRef::new(file, call)), options)
            }
            ("Response" | "NextResponse", _) if shape.is_new => Thing::Something,
            ("Boolean", [thing, ..]) => self.truth(thing).map_or(Thing::Unknown, Thing::Bool),
            // A look-up that is handed no session finds none.
            (_, [Thing::Nobody, ..])
                if ["session", "token", "user", "auth", "verify", "decrypt", "jwt"]
                    .iter()
                    .any(|w| lower.contains(w)) =>
            {
                Thing::Nobody
            }
            _ => Thing::Unknown,
        }
    }
}

/// Whether any of some answers is yes.
fn any_of(told: impl Iterator<Item = Option<bool>>) -> Thing {
    let told: Vec<Option<bool>> = told.collect();
    match () {
        () if told.contains(&Some(true)) => Thing::Bool(true),
        () if told.contains(&None) => Thing::Unknown,
        () => Thing::Bool(false),
    }
}

fn matchers(patterns: &[Thing]) -> Vec<Matcher> {
    let one = |pattern: &Thing| match pattern {
        Thing::Text(pattern) => Matcher::new(pattern),
        _ => Matcher::new("(unknown"),
    };
    patterns.iter().map(one).collect()
}
