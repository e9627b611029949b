//! The way back from where a value is written out.

use rustc_hash::FxHashMap;

use super::cuts::{Cut, cuts_itself, python_slice};
use super::names::{identifies, opens_door, says_credential, says_link, telling_nothing};
use super::{Arriving, Exposed, Exposure, Secret};
use crate::facts::{BlockId, DefId, DefKind, ExprId, ExprKind, Op};
use crate::names::Name;
use crate::program::secrets::bundling::Nature;
use crate::program::values::assigned::Holder;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, ExprRef, External, FunctionRef, Program, Value};

/// How many expressions one question may look at.
const MOST_STEPS: usize = 600;

/// What is known of a value after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It exposes something.
    Secret,
    /// It is harmless.
    Harmless,
    /// Nothing: its name decides.
    Open,
}

impl Known {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Secret, _) | (_, Self::Secret) => Self::Secret,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            _ => Self::Harmless,
        }
    }
}

pub(super) struct Walker<'p> {
    pub(super) program: &'p Program,
    pub(super) steps: usize,
    pub(super) seen: FxHashMap<(ExprRef, Vec<Name>), Known>,
    /// The own functions whose results are looked at, with the calls that run them.
    pub(super) entered: Vec<(FunctionRef, CallRef)>,
    /// Only the first characters come out.
    pub(super) head: Option<u32>,
    /// How many texts stand around.
    pub(super) texts: u32,
    /// How many times one of several was taken.
    pub(super) parts: u32,
    /// What is not in the value that is looked at: it is the rest of something taken apart.
    pub(super) without: Vec<Name>,
    pub(super) found: Exposure,
}

/// What a request is called where nothing else is known of it.
const REQUESTS: &[&str] = &["req", "request", "_req", "_request", "event"];

impl<'p> Walker<'p> {
    pub(super) fn note(&mut self, secret: Secret, at: ExprRef) -> Known {
        let exposed = Exposed { secret, at, head: self.head, in_text: self.texts > 0 };
        if !self.found.secrets.contains(&exposed) {
            self.found.secrets.push(exposed);
        }
        Known::Secret
    }

    /// Whether no more comes out than what kind of credential it is.
    pub(super) fn tells_nothing(&self, floor: u32) -> bool {
        self.head.is_some_and(|head| head <= floor)
    }

    pub(super) fn named(&mut self, name: Name, at: ExprRef) -> Known {
        if says_link(&name) && self.head.is_none() {
            return self.note(Secret::Link, at);
        }
        if !says_credential(&name) {
            return Known::Open;
        }
        if self.tells_nothing(telling_nothing(&name)) { Known::Harmless } else { self.note(Secret::Named(name), at) }
    }

    /// What a variable holds.
    fn variable(&mut self, name: Name, at: ExprRef) -> Known {
        let catalogue = &self.program.catalogue;
        if self.program.inlined_name(at.file, name).is_some() {
            return Known::Harmless;
        }
        let (nature, vendor) = self.program.variable(&name);
        let connects = ["DATABASE_URL", "CONNECTION_STRING", "MONGODB_URI", "MONGO_URI", "MONGO_URL", "POSTGRES_URL"]
            .iter()
            .any(|end| name.ends_with(end));
        let words = words(&name);
        let last = words.last().map_or("", String::as_str);
        if matches!(last, "domain" | "host" | "id" | "email" | "user" | "username" | "name" | "region" | "port")
            || words.iter().any(|word| matches!(word.as_str(), "test" | "demo" | "seed" | "sandbox"))
        {
            return Known::Harmless;
        }
        let secret = match nature {
            Nature::Secret | Nature::ByUse => true,
            Nature::Public => false,
            Nature::Unknown => connects || says_credential(&name.to_ascii_lowercase()) || name.ends_with("_TOKEN"),
        };
        if !secret {
            return Known::Harmless;
        }
        let floor = match vendor {
            _ if connects => 13,
            Some(vendor) => {
                let credentials = catalogue.vendor(vendor).credentials.iter();
                let prefixes = credentials.filter_map(|known| {
                    let prefix = known.prefix.as_ref()?;
                    // `sk_(?:live|test)_`: more than the prefix is the same for many.
                    let is_all = known.pattern.contains(&format!("{prefix}["));
                    Some(if is_all { prefix.len() as u32 } else { (prefix.len() as u32).max(8) })
                });
                // `slice(0, 8)` shows whose key it is, whatever its prefix.
                prefixes.max().map_or(12, |prefix| (prefix + 4).max(8))
            }
            None if name.contains("API") || self.names_vendor(&name) => 12,
            None => 4,
        };
        if self.tells_nothing(floor) { Known::Harmless } else { self.note(Secret::Variable(name, vendor), at) }
    }

    fn names_vendor(&self, variable: &str) -> bool {
        words(variable).iter().any(|word| self.program.catalogue.vendor_named(word).is_some())
    }

    /// What of an expression comes out, of which the members of `path` are taken, the last one first.
    pub(super) fn walk(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Known {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Known::Harmless;
        }
        // What is made of itself adds nothing to itself.
        let key = (at, path.clone());
        if let Some(&known) = self.seen.get(&key) {
            return known;
        }
        self.seen.insert(key.clone(), Known::Harmless);
        let known = self.of_kind(at, path);
        self.seen.insert(key, known);
        known
    }

    fn of_kind(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Known {
        let facts = self.program.facts(at.file);
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        if path.is_empty()
            && let Some(answer) = body_of(facts, at.expr)
            && self.is_answer_with_tokens(at, here(answer))
        {
            return self.tokens(at);
        }
        if path.is_empty() && self.is_every_answer(at) {
            return self.bodies(at);
        }
        match facts.expr(at.expr) {
            ExprKind::Env(name) => self.variable(*name, at),
            ExprKind::Template(parts) => self.text(at, parts),
            ExprKind::Await(inner) | ExprKind::Spread(inner) => self.walk(here(*inner), path),
            ExprKind::ElementOf(inner) => self.one_of(here(*inner), path),
            ExprKind::Member(base, name) => self.member(at, here(*base), *name, path),
            ExprKind::Index(base, index) => self.index(at, here(*base), *index, path),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => self.definition(at, *name, def, path),
                None => self.value(&self.program.value(at), at, path),
            },
            ExprKind::Imported(..) if self.is_environment(at) => self.environment(at, path),
            ExprKind::Imported(..) => self.value(&self.program.value(at), at, path),
            ExprKind::Param(function, index) => self.param(at, FunctionRef::new(at.file, *function), *index, path),
            ExprKind::Call(call) => self.call(at, CallRef::new(at.file, *call), path),
            ExprKind::Object(entries) => self.object(at, entries, path),
            ExprKind::List(items) => self.each(at, items, path),
            ExprKind::Op(op, parts) => {
                let parts = match op {
                    Op::Choose | Op::Assign => parts.get(1..).unwrap_or(&[]),
                    Op::And => parts.last().map_or(&[][..], std::slice::from_ref),
                    Op::Or | Op::Nullish | Op::Add => &parts[..],
                    _ => return Known::Harmless,
                };
                self.each(at, parts, path)
            }
            ExprKind::Caught => Known::Open,
            ExprKind::Unknown => Known::Open,
            _ => Known::Harmless,
        }
    }

    /// One of several: of a list, of an object by a name that is not known.
    fn one_of(&mut self, all: ExprRef, path: &mut Vec<Name>) -> Known {
        self.parts += 1;
        let known = self.walk(all, path);
        self.parts -= 1;
        known
    }

    /// The environment as a whole.
    pub(super) fn environment(&mut self, at: ExprRef, path: &[Name]) -> Known {
        let whole = path.is_empty() && self.head.is_none() && self.parts == 0;
        if whole { self.note(Secret::Environment, at) } else { Known::Harmless }
    }

    fn each(&mut self, at: ExprRef, parts: &[ExprId], path: &mut Vec<Name>) -> Known {
        let mut known = Known::Harmless;
        for &part in parts {
            known = known.and(self.walk(ExprRef::new(at.file, part), path));
        }
        known
    }

    /// A text: what stands in it, and whether it is a link that lets somebody in.
    fn text(&mut self, at: ExprRef, parts: &[ExprId]) -> Known {
        self.texts += 1;
        let known = self.each(at, parts, &mut vec![]);
        self.texts -= 1;
        if self.head.is_none() && known != Known::Secret && self.is_link(at) {
            return self.note(Secret::Link, at);
        }
        if known == Known::Secret { known } else { Known::Harmless }
    }

    fn is_link(&self, at: ExprRef) -> bool {
        let Value::Template(parts) = self.program.value(at) else { return false };
        let constant = |value: &Value| if let Value::Text(text) = value { Some(*text) } else { None };
        let whole: String = parts.iter().filter_map(constant).map(|text| text.as_str()).collect();
        parts.windows(2).any(|pair| {
            constant(&pair[0]).is_some_and(|before| constant(&pair[1]).is_none() && opens_door(&before, &whole))
        })
    }

    fn member(&mut self, at: ExprRef, base: ExprRef, name: Name, path: &mut Vec<Name>) -> Known {
        if matches!(name.as_str(), "length" | "size") {
            return Known::Harmless;
        }
        if name == "headers" && self.is_request(base) {
            return self.header(at, path);
        }
        if self.holds_cookies(base, name) {
            return self.cookies(at, path);
        }
        if matches!(name.as_str(), "env" | "environ") && self.is_environment(at) {
            return self.environment(at, path);
        }
        if let Some(known) = self.known_value(at, path) {
            return known;
        }
        if name == "body" && path.is_empty() && self.is_request(base) {
            return self.body(at, base);
        }
        path.push(name);
        let known = self.walk(base, path);
        path.pop();
        if known == Known::Open && path.is_empty() { self.named(name, at) } else { known }
    }

    /// What constant propagation makes of a member: a setting, the environment as a whole.
    fn known_value(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Option<Known> {
        let value = self.program.value(at);
        match &value {
            Value::Env(_) | Value::Template(_) | Value::Text(_) | Value::Number(_) | Value::Bool(_) => {
                Some(self.value(&value, at, path))
            }
            Value::OneOf(values) if values.iter().any(|value| matches!(value, Value::Env(_))) => {
                Some(self.value(&value, at, path))
            }
            _ => None,
        }
    }

    /// Whether an expression is the environment itself.
    fn is_environment(&self, at: ExprRef) -> bool {
        matches!(&self.program.value(at), Value::External(external) if is_environment(external))
    }

    /// Headers of the incoming request: all, or the one named next.
    pub(super) fn header(&mut self, at: ExprRef, path: &[Name]) -> Known {
        match path.last() {
            None if self.head.is_none() => self.note(Secret::Headers, at),
            Some(name) if identifies(name) && !self.tells_nothing(47) => self.note(Secret::Header(*name), at),
            _ => Known::Harmless,
        }
    }

    /// Whether an expression is the incoming request.
    pub(super) fn is_request(&self, base: ExprRef) -> bool {
        let facts = self.program.facts(base.file);
        match facts.expr(base.expr) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                let arrives = match values {
                    Some([only]) => matches!(facts.expr(*only), ExprKind::Param(..)),
                    // Flask's is imported.
                    Some([]) | None => false,
                    Some(_) => false,
                };
                let entry = matches!(values, Some([only]) if matches!(facts.expr(*only), ExprKind::Param(function, 0)
                    if self.serves(FunctionRef::new(base.file, *function))));
                let flask =
                    || self.program.value(base).externals().any(|external| external.dotted() == "flask.request");
                REQUESTS.contains(&name.as_str()) && arrives || entry || flask()
            }
            // `c.req`, `this.request`
            ExprKind::Member(_, name) => matches!(name.as_str(), "req" | "request"),
            _ => false,
        }
    }

    fn serves(&self, function: FunctionRef) -> bool {
        self.program.entries_of(function).iter().any(|&entry| {
            matches!(
                self.program.entries[entry].kind,
                EntryKind::Route | EntryKind::EdgeFunction | EntryKind::Middleware
            )
        })
    }

    fn index(&mut self, at: ExprRef, base: ExprRef, index: ExprId, path: &mut Vec<Name>) -> Known {
        let facts = self.program.facts(at.file);
        if let Some(cut) = python_slice(facts, index) {
            return self.cut(cut, base, path);
        }
        if let (ExprKind::Call(call), ExprKind::Number(number)) = (facts.expr(base.expr), facts.expr(index))
            && let ExprKind::Member(of, method) = *facts.expr(facts.call(*call).callee)
            && method == "split"
        {
            // `header.split(" ")[1]` is the token; of anything else a part is left.
            let by = facts.call(*call).args.first().map(|arg| facts.expr(arg.value));
            let by_space = matches!(by, Some(ExprKind::Text(text)) if matches!(text.as_str(), " " | "Bearer "));
            return if by_space && *number == 1.0 {
                self.walk(ExprRef::new(at.file, of), path)
            } else {
                Known::Harmless
            };
        }
        if matches!(facts.expr(index), ExprKind::Number(_)) { Known::Open } else { self.one_of(base, path) }
    }

    /// A part of a value: its first characters, its rest, or its end.
    pub(super) fn cut(&mut self, cut: Cut, base: ExprRef, path: &mut Vec<Name>) -> Known {
        match cut {
            Cut::Whole => self.walk(base, path),
            Cut::Little => Known::Harmless,
            Cut::Head(length) => {
                let outer = self.head;
                self.head = Some(outer.map_or(length, |outer| outer.min(length)));
                let known = self.walk(base, path);
                self.head = outer;
                if known == Known::Open { Known::Harmless } else { known }
            }
        }
    }

    fn object(&mut self, at: ExprRef, entries: &[(Name, ExprId)], path: &mut Vec<Name>) -> Known {
        let puts = self.program.puts(Holder::Object(at));
        let wanted = path.pop();
        let mut known = Known::Harmless;
        let all = entries.iter().map(|&(key, value)| (key, Some(ExprRef::new(at.file, value))));
        for (index, (key, value)) in all.chain(puts.iter().map(|put| (put.name, put.value))).enumerate() {
            let Some(value) = value else { continue };
            let spread = matches!(key.as_str(), "..." | "[]");
            // `{ ...body, password: "***" }`: what is spread is written over.
            let replaced = |name: Name| spread && entries.iter().skip(index + 1).any(|&(later, _)| later == name);
            if let Some(name) = wanted
                && spread
            {
                if replaced(name) {
                    continue;
                }
                path.push(name);
                known = known.and(self.walk(value, path));
                path.pop();
                continue;
            }
            let left_out = wanted.is_none() && !spread && self.without.contains(&key);
            if left_out || wanted.is_some_and(|wanted| wanted != key) {
                continue;
            }
            let before = self.found.secrets.len();
            let around = self.without.len();
            if spread && path.is_empty() {
                self.without.extend(entries.iter().skip(index + 1).map(|&(later, _)| later));
            }
            let mut one = self.walk(value, path);
            self.without.truncate(around);
            let mut position = 0;
            self.found.secrets.retain(|exposed| {
                position += 1;
                let gone = matches!(exposed.secret, Secret::Holds(name) | Secret::Granted(name) | Secret::Named(name) if replaced(name));
                position <= before || !gone
            });
            if one == Known::Secret && spread && self.found.secrets.len() == before {
                one = Known::Harmless;
            }
            if one == Known::Open && path.is_empty() && !spread {
                one = self.named(key, value);
            }
            known = known.and(one);
        }
        path.extend(wanted);
        known
    }

    fn definition(&mut self, at: ExprRef, name: Name, def: DefId, path: &mut Vec<Name>) -> Known {
        let facts = self.program.facts(at.file);
        let shape = facts.def(def);
        match shape.kind {
            DefKind::Caught => return self.caught(at, shape.block, path),
            DefKind::Import => return self.value(&self.program.value(at), at, path),
            DefKind::Function | DefKind::Class => return Known::Harmless,
            _ => {}
        }
        let mut known = Known::Harmless;
        let outer = self.head;
        // `line = line.slice(0, 80)`: what was put in before is cut too.
        let cut = shape.values.iter().find_map(|&value| cuts_itself(facts, value, def, 3));
        self.head = cut.map_or(outer, |cut| Some(outer.map_or(cut, |outer| outer.min(cut))));
        for &value in &shape.values {
            let value = ExprRef::new(at.file, value);
            let taken = self.taken_out(value);
            if path.last().is_some_and(|wanted| taken.contains(wanted)) {
                continue;
            }
            let before = (self.without.len(), self.found.secrets.len());
            self.without.extend(&taken);
            let mut one = self.walk(value, path);
            self.without.truncate(before.0);
            let gone = |secret| matches!(secret, Secret::Holds(name) | Secret::Granted(name) | Secret::Named(name) if taken.contains(&name));
            let mut position = 0;
            self.found.secrets.retain(|exposed| {
                position += 1;
                position <= before.1 || !gone(exposed.secret)
            });
            if one == Known::Secret && !taken.is_empty() && self.found.secrets.len() == before.1 {
                one = Known::Harmless;
            }
            known = known.and(one);
        }
        self.head = outer;
        if shape.values.is_empty() {
            known = Known::Open;
        }
        if known != Known::Open || !path.is_empty() {
            return known;
        }
        match self.named(name, at) {
            Known::Open => self.holds(at, def),
            known => known,
        }
    }

    fn caught(&mut self, at: ExprRef, block: BlockId, path: &mut [Name]) -> Known {
        let facts = self.program.facts(at.file);
        // Of Python's an attribute is another thing; JavaScript's text is the message.
        let whole = path.iter().all(|name| matches!(name.as_str(), "args" | "config"));
        let message = path.len() == 1 && matches!(path[0].as_str(), "message" | "stack");
        if whole {
            self.note(Secret::Caught(block), at);
        } else if message && facts.language.is_script() {
            self.texts += 1;
            self.note(Secret::Caught(block), at);
            self.texts -= 1;
        }
        Known::Harmless
    }

    fn param(&mut self, at: ExprRef, function: FunctionRef, index: u16, path: &mut Vec<Name>) -> Known {
        if let Some(position) = self.entered.iter().rposition(|(entered, _)| *entered == function) {
            let (_, call) = self.entered[position];
            let inner = self.entered.split_off(position);
            let argument = self.argument(call, function, index);
            let known = argument.map_or(Known::Harmless, |argument| self.walk(argument, path));
            self.entered.extend(inner);
            return known;
        }
        if self.is_body_of_answer(function) && index == 0 && path.is_empty() {
            return self.bodies(at);
        }
        let edges = self.program.incoming(function);
        if let Some(edge) = edges.iter().find(|edge| edge.kind == EdgeKind::Callback) {
            let facts = self.program.facts(edge.call.file);
            if let ExprKind::Member(base, method) = *facts.expr(facts.call(edge.call.call).callee)
                && matches!(method.as_str(), "forEach" | "map")
                && index == 0
            {
                return self.one_of(ExprRef::new(edge.call.file, base), path);
            }
        }
        // What a caller hands in, told there.
        if self.head.is_none() {
            let param = Arriving { function, index, path: path.clone(), in_text: self.texts > 0 };
            if !self.found.params.contains(&param) {
                self.found.params.push(param);
            }
        }
        Known::Open
    }

    /// What a call hands to a parameter.
    fn argument(&self, call: CallRef, function: FunctionRef, index: u16) -> Option<ExprRef> {
        let facts = self.program.facts(call.file);
        let params = &self.program.facts(function.file).function(function.function).params;
        let name = params.get(index as usize).and_then(|param| param.name);
        let args = &facts.call(call.call).args;
        let by_name = args.iter().find(|arg| arg.name.is_some() && arg.name == name);
        let arg = by_name.or_else(|| args.iter().filter(|arg| arg.name.is_none()).nth(index as usize))?;
        Some(ExprRef::new(call.file, arg.value))
    }

    /// What a value of constant propagation exposes.
    pub(super) fn value(&mut self, value: &Value, at: ExprRef, path: &mut Vec<Name>) -> Known {
        match value {
            Value::Env(name) => self.variable(*name, at),
            Value::Template(parts) => {
                self.texts += 1;
                let mut known = Known::Harmless;
                for part in parts.iter() {
                    known = known.and(self.value(part, at, path));
                }
                self.texts -= 1;
                if known == Known::Secret { known } else { Known::Harmless }
            }
            Value::OneOf(values) => {
                let mut known = Known::Harmless;
                for value in values.iter() {
                    known = known.and(self.value(value, at, path));
                }
                known
            }
            Value::Object(inner) | Value::List(inner) if *inner != at => self.walk(*inner, path),
            Value::Param(function, index) if *function != self.owner(at) => self.param(at, *function, *index, path),
            Value::Unknown | Value::Member(..) | Value::Result(_) | Value::Param(..) | Value::External(_) => {
                Known::Open
            }
            _ => Known::Harmless,
        }
    }

    fn owner(&self, at: ExprRef) -> FunctionRef {
        let facts = self.program.facts(at.file);
        let block = match facts.expr(at.expr) {
            ExprKind::Ref(_, block) => *block,
            _ => facts.function(crate::facts::FunctionId::MODULE).body,
        };
        FunctionRef::new(at.file, facts.function_of(block))
    }
}

fn is_environment(external: &External) -> bool {
    matches!(external.dotted().as_str(), "process.env" | "os.environ" | "environ" | "Bun.env")
}

/// The answer whose whole body an expression reads: `response.text`, `response.json()`.
fn body_of(facts: &crate::facts::Facts, expr: ExprId) -> Option<ExprId> {
    match facts.expr(expr) {
        ExprKind::Member(base, name) if matches!(name.as_str(), "text" | "content") => Some(*base),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            match facts.expr(call.callee) {
                ExprKind::Member(base, name) if call.args.is_empty() && matches!(name.as_str(), "json" | "text") => {
                    Some(*base)
                }
                _ => None,
            }
        }
        _ => None,
    }
}
