//! Whether a `state` can be known by somebody else.

use super::State;
use crate::catalogue::KnownRole;
use crate::facts::{DefKind, ExprId, ExprKind, Op};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program, Value};

/// How deep a value is followed.
const DEEPEST: usize = 12;

/// What a part of a `state` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Constant,
    /// What names the page or purpose.
    Purpose,
    Time,
    /// Whose account it is.
    Identity,
    Unknown,
    /// Random or signed.
    Secret,
}

/// Words that make a call's name say that it draws, signs or hides something.
const SECRETIVE: &[&str] = &[
    "random",
    "uuid",
    "nanoid",
    "nonce",
    "token",
    "sign",
    "signed",
    "hmac",
    "encrypt",
    "hash",
    "digest",
    "secret",
    "ulid",
    "cuid",
    "verifier",
    "createid",
    "encode_jwt",
    "jwt",
    "seal",
    "dumps",
    "csrf",
    "generate",
];

/// Words of names for accounts.
const ACCOUNTS: &[&str] = &[
    "user",
    "tenant",
    "org",
    "organization",
    "organisation",
    "account",
    "company",
    "dealer",
    "workspace",
    "team",
    "customer",
    "business",
    "profile",
    "client",
    "agency",
    "member",
    "owner",
    "coach",
    "church",
    "clinic",
    "practice",
    "store",
    "merchant",
    "venue",
    "location",
    "project",
    "brand",
];

/// Last words of names that say where the customer came from or goes to.
const PURPOSES: &[&str] = &[
    "origin", "return", "redirect", "url", "uri", "provider", "platform", "type", "mode", "action", "tool", "slug",
    "path", "next", "role", "tab", "plan", "domain", "shop", "locale", "to", "source", "service",
];

impl Program {
    /// What a `state` is worth.
    pub(super) fn state_of(&self, at: ExprRef) -> State {
        if let Value::Text(text) = self.value(at) {
            return State::Constant(text);
        }
        let mut tracer = Tracer { program: self, entered: vec![] };
        match tracer.part(at, DEEPEST) {
            Part::Secret => State::Fine,
            Part::Unknown => State::Unknown,
            Part::Identity => State::Predictable("the id of the account"),
            Part::Time => State::Predictable("the time"),
            Part::Purpose => State::Predictable("what anyone can write"),
            Part::Constant => State::Predictable("the same text each time"),
        }
    }
}

struct Tracer<'p> {
    program: &'p Program,
    entered: Vec<(FunctionRef, CallRef)>,
}

impl Tracer<'_> {
    fn all(&mut self, at: ExprRef, parts: impl IntoIterator<Item = ExprId>, depth: usize) -> Part {
        let parts: Vec<ExprId> = parts.into_iter().collect();
        parts.into_iter().map(|part| self.part(ExprRef::new(at.file, part), depth)).max().unwrap_or(Part::Unknown)
    }

    fn part(&mut self, at: ExprRef, depth: usize) -> Part {
        let Some(depth) = depth.checked_sub(1) else { return Part::Unknown };
        let program = self.program;
        match program.fresh(&program.value(at)) {
            // A time may stand in what a signature is put to.
            Some(fresh) if fresh.is_time => match self.made_of(at, depth) {
                Part::Secret => Part::Secret,
                _ => Part::Time,
            },
            Some(_) => Part::Secret,
            None => self.made_of(at, depth),
        }
    }

    /// What the parts of an expression are, of which one is enough to keep the whole from being known.
    fn made_of(&mut self, at: ExprRef, depth: usize) -> Part {
        let program = self.program;
        let facts = program.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null => Part::Constant,
            ExprKind::Env(_) => Part::Constant,
            ExprKind::Template(parts) | ExprKind::List(parts) => self.all(at, parts.iter().copied(), depth),
            ExprKind::Object(entries) => {
                let parts: Vec<Part> = entries
                    .iter()
                    .map(|&(key, value)| {
                        let part = self.part(ExprRef::new(at.file, value), depth);
                        if part == Part::Unknown { by_name(key.as_str(), "") } else { part }
                    })
                    .collect();
                parts.into_iter().max().unwrap_or(Part::Constant)
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) => self.part(ExprRef::new(at.file, *inner), depth),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                // `user?.id || ""`
                let first = parts.first().copied();
                self.all(at, first, depth)
            }
            ExprKind::Op(Op::Choose | Op::Assign, parts) => self.all(at, parts.iter().skip(1).copied(), depth),
            ExprKind::Op(Op::Add | Op::Arithmetic, parts) => self.all(at, parts.iter().copied(), depth),
            ExprKind::Member(base, name) => {
                let before = facts.last_name(*base).unwrap_or(Name::new(""));
                by_name(name, &before)
            }
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name) else { return by_name(name, "") };
                let shape = facts.def(def);
                if matches!(shape.kind, DefKind::Function | DefKind::Class | DefKind::Import) || shape.values.is_empty()
                {
                    return by_name(name, "");
                }
                let part = self.all(at, shape.values.iter().copied(), depth);
                if part == Part::Unknown { by_name(name, "") } else { part }
            }
            ExprKind::Param(function, index) => self.param(FunctionRef::new(at.file, *function), *index, depth),
            ExprKind::Call(call) => self.call(CallRef::new(at.file, *call), depth),
            _ => Part::Unknown,
        }
    }

    fn param(&mut self, function: FunctionRef, index: u16, depth: usize) -> Part {
        let program = self.program;
        let name = program.facts(function.file).function(function.function).params.get(index as usize);
        let named = name.and_then(|param| param.name).map_or(Part::Unknown, |name| by_name(&name, ""));
        let entered = self.entered.iter().rev().find(|(entered, _)| *entered == function).map(|&(_, call)| call);
        let callers = match entered {
            Some(call) => vec![call],
            None => program.callers(function).to_vec(),
        };
        let parts: Vec<Part> = callers
            .iter()
            .take(6)
            .filter_map(|caller| {
                let args = &program.facts(caller.file).call(caller.call).args;
                let arg = args.iter().filter(|arg| arg.name.is_none()).nth(index as usize)?;
                Some(self.part(ExprRef::new(caller.file, arg.value), depth))
            })
            .collect();
        match parts.into_iter().max() {
            Some(Part::Unknown) | None => named,
            Some(part) => part,
        }
    }

    fn call(&mut self, call: CallRef, depth: usize) -> Part {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let last = facts.last_name(shape.callee).unwrap_or(Name::new(""));
        let strong = [KnownRole::Random, KnownRole::Mac, KnownRole::Sign];
        if strong.iter().any(|&role| program.has_role(call, role)) {
            return Part::Secret;
        }
        if program.has_role(call, KnownRole::Clock) {
            return Part::Time;
        }
        let args = || shape.args.iter().map(|arg| arg.value);
        let here = ExprRef::new(call.file, shape.expr);
        let base = match *facts.expr(shape.callee) {
            ExprKind::Member(base, _) => Some(base),
            _ => None,
        };
        let direct: Vec<FunctionRef> =
            program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if !direct.is_empty() {
            return direct.into_iter().map(|target| self.returned(target, call, depth)).max().unwrap_or(Part::Unknown);
        }
        match last.as_str() {
            "btoa" | "stringify" | "encodeURIComponent" | "String" | "str" | "quote" | "b64encode"
            | "urlsafe_b64encode" | "encodeBase64" | "from" => self.all(here, args().take(1), depth),
            "toString" | "encode" | "decode" | "replace" | "rstrip" | "trim" | "slice" | "substring"
            | "toLowerCase" | "toISOString" | "isoformat" | "timestamp" | "getTime" | "replaceAll" => {
                self.all(here, base, depth)
            }
            // Python's `json.dumps`, and a serializer's, which signs.
            "dumps" if base.is_some_and(|base| facts.last_name(base).is_some_and(|name| name == "json")) => {
                self.all(here, args().take(1), depth)
            }
            "now" | "time" => Part::Time,
            name if words(name).iter().any(|word| SECRETIVE.contains(&word.as_str())) => Part::Secret,
            "get" | "getlist" => match shape.args.first().map(|arg| facts.expr(arg.value)) {
                Some(ExprKind::Text(name)) => by_name(name, ""),
                _ => Part::Unknown,
            },
            // `String.fromCharCode(...new Uint8Array(signature))`
            _ => match self.all(here, args().chain(base), depth) {
                Part::Secret => Part::Secret,
                _ => Part::Unknown,
            },
        }
    }

    fn returned(&mut self, target: FunctionRef, call: CallRef, depth: usize) -> Part {
        let program = self.program;
        let facts = program.facts(target.file);
        // What a function draws, signs or hides on its way is in what it gives.
        let secret = program.calls_in(target).any(|inner| {
            [KnownRole::Random, KnownRole::Mac, KnownRole::Sign].iter().any(|&role| program.has_role(inner, role))
        });
        let named = facts.function(target.function).name.is_some_and(|name| {
            words(&name).iter().any(|word| SECRETIVE.contains(&word.as_str()) && word != "generate" && word != "token")
        });
        if secret || named {
            return Part::Secret;
        }
        let values: Vec<ExprId> = facts.returned(target.function).collect();
        self.entered.push((target, call));
        let part = values
            .into_iter()
            .map(|value| self.part(ExprRef::new(target.file, value), depth))
            .max()
            .unwrap_or(Part::Unknown);
        self.entered.pop();
        part
    }
}

/// What a name says of a value that is not known.
fn by_name(name: &str, before: &str) -> Part {
    let (own, before) = (words(name), words(before));
    let last = own.last().map_or("", String::as_str);
    let account = |words: &[String]| words.iter().any(|word| ACCOUNTS.contains(&word.as_str()));
    if matches!(last, "id" | "uid" | "email" | "sub") && (account(&own) || account(&before) || last == "email") {
        return Part::Identity;
    }
    if matches!(last, "time" | "timestamp" | "ts" | "now") {
        return Part::Time;
    }
    if PURPOSES.contains(&last) { Part::Purpose } else { Part::Unknown }
}
