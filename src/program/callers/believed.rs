//! Whether a credential that the request brings is checked at all: that it is there, or what an unverified token
//! says, proves nothing.

use rustc_hash::FxHashSet;

use crate::facts::{Arg, BlockId, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// Methods of texts that tell whether, not what.
const ASKS: &[&str] = &["startsWith", "endsWith", "includes", "startswith", "endswith"];

/// Methods of texts that give a part of them.
const PARTS: &[&str] = &[
    "replace",
    "split",
    "slice",
    "substring",
    "substr",
    "trim",
    "toLowerCase",
    "toString",
    "at",
    "pop",
    "strip",
    "lower",
    "removeprefix",
];

/// Functions that read what a token says without asking who signed it.
const DECODES: &[&str] = &["atob", "b64decode", "decodeBase64", "jwtDecode", "jwt_decode", "decodeJwt", "decodeJWT"];

impl Program {
    /// Whether nothing asks if a credential of the request is a true one: it is only asked to be there, or what it
    /// says is believed. Where the platform has verified tokens, what they say may be believed.
    pub fn is_only_believed(&self, credential: ExprRef) -> bool {
        let verified = self.is_gated(credential.file);
        let mut fate = Fate { program: self, verified, seen: FxHashSet::default(), entered: vec![] };
        fate.proves_nothing(credential)
    }

    /// Whether a function refuses whoever brings no credential that something is found by: it takes a cookie or a token
    /// out of the request itself, or asks a function of the app's own that does, and answers 401 without.
    pub fn refuses_by_credential(&self, function: FunctionRef) -> bool {
        const DEEPEST: usize = 3;
        self.refuses_within(function, DEEPEST)
    }

    fn refuses_within(&self, function: FunctionRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let left_out = |span| self.is_left_out(Place { file: function.file, span });
        let blocks = facts.blocks.iter().filter(|block| span.contains(block.span) && !left_out(block.span));
        let refusals: Vec<ExprId> = blocks
            .flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                Step::If { condition, then, .. } if !left_out(facts.span(*condition)) => {
                    (ending(facts, *then) != Ending::GoesOn && turns_away(facts, *then)).then_some(*condition)
                }
                _ => None,
            })
            .collect();
        if !refusals.is_empty() && self.reads_credential(function) {
            return true;
        }
        // What a helper finds by it is asked here, or the helper refuses itself.
        let calls = self.with_inner(function).into_iter().flat_map(|inner| self.calls_in(inner));
        calls.into_iter().any(|call| {
            let asked = refusals.iter().any(|&condition| is_asked_in(facts, condition, facts.call(call.call).expr));
            self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).any(|edge| {
                asked && self.takes_credential(edge.target, depth) || self.refuses_within(edge.target, depth)
            })
        })
    }

    /// Whether a function, or one that it calls, takes a credential out of the request and asks something by it.
    fn takes_credential(&self, function: FunctionRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let calls = || self.with_inner(function).into_iter().flat_map(|inner| self.calls_in(inner));
        self.reads_credential(function)
            || calls().any(|call| {
                let mut direct = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                direct.any(|edge| self.takes_credential(edge.target, depth))
            })
    }

    fn reads_credential(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let inside = (0..facts.exprs.len()).filter(|&at| span.contains(facts.exprs[at].span));
        inside.map(|at| ExprRef::new(function.file, ExprId(at as u32))).any(|at| self.is_credential(at))
    }

    /// Whether an expression is a cookie or the authorization that the request brings, and something is asked by it; or
    /// what the server itself keeps for whoever is signed in.
    fn is_credential(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let of_request = |base: ExprId| {
            facts.last_name(base).is_some_and(|name| {
                matches!(name.as_str(), "req" | "request" | "headers" | "ctx" | "context" | "c" | "event" | "info")
            })
        };
        match facts.expr(at.expr) {
            ExprKind::Member(base, name) if matches!(name.as_str(), "session" | "user") => {
                of_request(*base) && !has_stand_in(facts, facts.span(at.expr))
            }
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "cookie" | "cookies" | "signedCookies" | "authorization" | "Authorization")
                    && of_request(*base)
                    && !self.is_only_believed(at)
            }
            ExprKind::Text(text) => {
                matches!(text.to_ascii_lowercase().as_str(), "cookie" | "authorization")
                    && self.header_read(at).is_some_and(|header| !self.is_only_believed(header))
            }
            _ => false,
        }
    }

    /// Whether a function of the app's own looks a user up by the number alone that the request gives: whose plan is
    /// asked for is not who asks. One that asks for a credential itself may know better.
    pub(super) fn looks_up_whoever_is_named(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let args = &facts.call(at.call).args;
        // The number of a session or of an order with its own link is known to whoever has it.
        let is_id = |name: Name| {
            let words = words(&name);
            let is_person = |word: &String| matches!(word.as_str(), "uid" | "user" | "customer" | "member" | "profile");
            words.last().is_some_and(|word| matches!(word.as_str(), "id" | "uid"))
                && (words.len() == 1 || words.iter().any(is_person))
        };
        let named = args.iter().all(|arg| facts.last_name(arg.value).is_some_and(is_id));
        let given =
            |arg: &Arg| matches!(self.origin_on(&[], ExprRef::new(at.file, arg.value), &[]), Origin::Request(_));
        let mut direct = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct).peekable();
        !args.is_empty()
            && named
            && args.iter().all(given)
            && direct.peek().is_some()
            && direct.all(|edge| !self.refuses_by_credential(edge.target) && !self.reads_credential(edge.target))
    }

    /// Whether a call reads what a token says, and does not verify it.
    fn decodes(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let Some(name) = facts.last_name(call.callee) else { return false };
        let base_is = |wanted: &str| {
            matches!(facts.expr(call.callee), ExprKind::Member(base, _)
                if facts.last_name(*base).is_some_and(|base| base.to_ascii_lowercase().contains(wanted)))
        };
        let by_package = || self.callee(at).externals().any(|external| external.package.contains("jwt"));
        DECODES.contains(&name.as_str())
            || name == "from" && base_is("buffer")
            || name == "decode" && facts.language.is_script() && (base_is("jwt") || base_is("jose") || by_package())
    }
}

struct Fate<'p> {
    program: &'p Program,
    /// The platform has verified the token before.
    verified: bool,
    seen: FxHashSet<ExprRef>,
    /// The own functions that it was handed to, with the calls.
    entered: Vec<(FunctionId, CallRef)>,
}

impl Fate<'_> {
    /// Whether whatever becomes of a value proves nothing of who is calling.
    fn proves_nothing(&mut self, at: ExprRef) -> bool {
        let facts = self.program.facts(at.file);
        // What asks by it only asks whoever does not go past.
        let passed = Place { file: at.file, span: facts.span(at.expr) };
        if !self.seen.insert(at) || self.program.is_left_out(passed) {
            return true;
        }
        let readers = self.program.readers(at.file);
        let uses: Vec<Use> = readers.uses(at.expr).to_vec();
        uses.into_iter().all(|used| self.harmless(at, used))
    }

    fn harmless(&mut self, at: ExprRef, used: Use) -> bool {
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        match used {
            Use::Tested | Use::Dropped | Use::Thrown => true,
            Use::In(outer) => self.inside(at, outer),
            Use::Kept(def) => {
                let reads: Vec<ExprId> = self.program.readers(at.file).reads(def).to_vec();
                reads.into_iter().all(|read| self.proves_nothing(here(read)))
            }
            Use::Arg(call, position) => self.handed(CallRef::new(at.file, call), position),
            Use::Returned(function) => match self.entered.iter().rfind(|(entered, _)| *entered == function) {
                Some(&(_, call)) => {
                    let given = self.program.facts(call.file).call(call.call).expr;
                    self.proves_nothing(ExprRef::new(call.file, given))
                }
                None => false,
            },
            // It is put into a client that nobody asks anything.
            Use::Key(outer, _) => self.goes_nowhere(here(outer), 4),
            Use::Item(..) | Use::Callee(_) | Use::Put => false,
        }
    }

    /// Whether an object only becomes a part of what is made and never asked:
    /// `const client = createClient(url, key, { global: { headers: { Authorization } } })`.
    fn goes_nowhere(&self, object: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(object.file);
        let readers = self.program.readers(object.file);
        let uses = readers.uses(object.expr);
        !uses.is_empty()
            && uses.iter().all(|used| match *used {
                Use::Key(outer, _) => self.goes_nowhere(ExprRef::new(object.file, outer), depth),
                Use::Arg(call, _) => {
                    let made = readers.uses(facts.call(call).expr);
                    !made.is_empty()
                        && made.iter().all(|used| matches!(*used, Use::Kept(def) if readers.reads(def).is_empty()))
                }
                _ => false,
            })
    }

    fn inside(&mut self, at: ExprRef, outer: ExprId) -> bool {
        let facts = self.program.facts(at.file);
        if self.program.is_left_out(Place { file: at.file, span: facts.span(outer) }) {
            return true;
        }
        let next = ExprRef::new(at.file, outer);
        match facts.expr(outer) {
            ExprKind::Op(Op::Not | Op::TypeOf, _) => true,
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts.iter().any(|&part| match facts.expr(part) {
                ExprKind::Null | ExprKind::Number(_) => true,
                ExprKind::Text(text) => text.is_empty(),
                _ => false,
            }),
            ExprKind::Op(Op::And | Op::Or | Op::Nullish | Op::Choose, _)
            | ExprKind::Await(_)
            | ExprKind::Index(..)
            | ExprKind::Template(_) => self.proves_nothing(next),
            ExprKind::Member(_, name) if *name == "length" => true,
            ExprKind::Member(_, name) => {
                let name = name.as_str();
                let uses: Vec<Use> = self.program.readers(at.file).uses(outer).to_vec();
                uses.into_iter().all(|used| match used {
                    Use::Callee(_) if ASKS.contains(&name) => true,
                    Use::Callee(call) if PARTS.contains(&name) => {
                        self.proves_nothing(ExprRef::new(at.file, facts.call(call).expr))
                    }
                    _ => false,
                })
            }
            _ => false,
        }
    }

    fn handed(&mut self, call: CallRef, position: usize) -> bool {
        const DEEPEST: usize = 3;
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        if program.is_left_out(Place { file: call.file, span: facts.span(shape.expr) }) {
            return true;
        }
        let Some(name) = facts.last_name(shape.callee) else { return false };
        if program.is_logging(call) || name == "Boolean" {
            return true;
        }
        if program.decodes(call) {
            // What it says is all that anybody looks at.
            return !self.verified;
        }
        let given = ExprRef::new(call.file, shape.expr);
        if matches!(name.as_str(), "String" | "decodeURIComponent") {
            return self.proves_nothing(given);
        }
        let asks = words(&name).iter().any(|word| word.starts_with("verif") || word.starts_with("valid"));
        let targets: Vec<_> = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).collect();
        if targets.is_empty() || asks || self.entered.len() >= DEEPEST {
            return false;
        }
        targets.into_iter().all(|edge| {
            let target = edge.target;
            let standing: Vec<ExprId> = program.readers(target.file).param(target.function, position as u16).collect();
            self.entered.push((target.function, call));
            let harmless = !standing.is_empty()
                && standing.into_iter().all(|param| self.proves_nothing(ExprRef::new(target.file, param)));
            self.entered.pop();
            harmless
        })
    }
}

/// Whether a name stands in for who is not signed in, and nobody is told apart by it: `req.user?.id || "anonymous"`.
pub(super) fn has_stand_in(facts: &Facts, at: Span) -> bool {
    let stand_in = facts.exprs.iter().find_map(|expr| match &expr.kind {
        ExprKind::Op(Op::Or | Op::Nullish, parts) if facts.span(*parts.first()?).contains(at) => {
            match facts.expr(*parts.last()?) {
                ExprKind::Text(text) if !text.is_empty() => Some(*text),
                _ => None,
            }
        }
        _ => None,
    });
    let is_it = |part: &ExprId, name: Name| matches!(facts.expr(*part), ExprKind::Text(text) if *text == name);
    stand_in.is_some_and(|name| {
        !facts.exprs.iter().any(|expr| {
            matches!(&expr.kind, ExprKind::Op(Op::Equal | Op::Unequal, parts) if parts.iter().any(|part| is_it(part, name)))
        })
    })
}

/// Whether a condition asks what a call gives, as it stands or by the name that holds it.
fn is_asked_in(facts: &Facts, condition: ExprId, call: ExprId) -> bool {
    let span = facts.span(condition);
    let mut inside = facts.exprs.iter().enumerate().filter(|(_, expr)| span.contains(expr.span));
    inside.any(|(at, expr)| {
        let of_call = |value: &ExprId| {
            let mut value = *value;
            while let ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) =
                facts.expr(value)
            {
                value = *inner;
            }
            value == call
        };
        match &expr.kind {
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(of_call))
            }
            _ => ExprId(at as u32) == call,
        }
    })
}

/// Whether a block answers somebody who is not known: with 401 or 403, or by a name or text that says so.
pub(in crate::program) fn turns_away(facts: &Facts, block: BlockId) -> bool {
    let span = facts.block(block).span;
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["unauth", "forbidden", "not_authenticated", "login", "log in", "signin", "sign in", "sign-in"]
            .iter()
            .any(|part| text.contains(part))
    };
    facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Number(number) => *number == 401.0 || *number == 403.0,
        ExprKind::Text(text) => text.len() < 80 && says(text),
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => says(name),
        _ => false,
    })
}
