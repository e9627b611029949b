//! What a request brings that anybody can bring alike, and what it decides: a header that says where it comes from, a
//! flag in the body. One walk through conditions, for all who ask what a stranger has to bring to go past a check.

use crate::facts::{Call, ExprId, ExprKind, Facts, Op};
use crate::link::entries::handlers::follow;
use crate::names::Name;
use crate::program::{CallRef, EdgeKind, ExprRef, Program};

/// Through how many names, operators and functions a condition is followed.
const DEEPEST: usize = 7;

/// Methods of a text that give the same text in another form, or a part of it.
const SAME: &[&str] = &["toLowerCase", "lower", "trim", "strip", "toString", "split", "slice", "replace", "substring"];

/// What a condition asks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// To be there.
    There,
    /// To be, or to hold, what stands in the code.
    Word,
}

/// A walk through what a condition is made of.
pub(crate) struct Brought<'p, 'f> {
    /// The whole program.
    pub(crate) program: &'p Program,
    /// What a value is called that whoever calls can bring; none for any other.
    pub(crate) value: &'f dyn Fn(ExprRef, Asks) -> Option<Name>,
    /// Whether what a name stands for may be looked at.
    pub(crate) behind: &'f dyn Fn(ExprRef) -> bool,
}

impl Brought<'_, '_> {
    /// What alone decides that a condition has this outcome.
    pub(crate) fn decides(&self, at: ExprRef, holds: bool) -> Option<Name> {
        self.decided(at, holds, DEEPEST)
    }

    fn decided(&self, at: ExprRef, holds: bool, depth: usize) -> Option<Name> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(at.file);
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        let next = |expr: ExprId, holds: bool| self.decided(here(expr), holds, depth);
        let there = || holds.then(|| (self.value)(at, Asks::There))?;
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not, parts) => next(parts[0], !holds),
            // One part is enough; else all of them have to say so.
            ExprKind::Op(op @ (Op::Or | Op::And), parts) => {
                let said = parts.iter().map(|&part| next(part, holds));
                match (*op == Op::Or) == holds {
                    true => said.flatten().next().or_else(there),
                    false => said.collect::<Option<Vec<Name>>>()?.first().copied(),
                }
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
                let equal = (*op == Op::Equal) == holds;
                [(parts[0], parts[1]), (parts[1], parts[0])].into_iter().find_map(|(value, word)| {
                    let asks = match facts.expr(word) {
                        ExprKind::Null if !equal => Asks::There,
                        ExprKind::Text(text) if text.is_empty() && !equal => Asks::There,
                        ExprKind::Text(text) if !text.is_empty() && equal => Asks::Word,
                        ExprKind::Bool(true) if equal => Asks::Word,
                        _ => return None,
                    };
                    (self.value)(here(value), asks)
                })
            }
            // `"clock" in request.headers.get("User-Agent", "")`
            ExprKind::Op(Op::In, parts) if holds && matches!(facts.expr(parts[0]), ExprKind::Text(_)) => {
                (self.value)(here(parts[1]), Asks::Word)
            }
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                match *facts.expr(shape.callee) {
                    ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool") => {
                        next(shape.args.first()?.value, holds)
                    }
                    // `agent.includes("clock/1.0")`
                    ExprKind::Member(base, method) if is_search(&method) => {
                        let constant = |arg: &crate::facts::Arg| matches!(facts.expr(arg.value), ExprKind::Text(_));
                        (holds && shape.args.iter().all(constant)).then(|| (self.value)(here(base), Asks::There))?
                    }
                    _ => match holds {
                        true => self.said_inside(CallRef::new(at.file, *call), depth).or_else(there),
                        false => None,
                    },
                }
            }
            // A name for such a condition, or for the value itself.
            ExprKind::Ref(..) => {
                let found = follow(self.program, at);
                let facts = self.program.facts(found.file);
                let is_condition = found != at
                    && match facts.expr(found.expr) {
                        ExprKind::Op(Op::Nullish | Op::Add | Op::Or, _) => false,
                        ExprKind::Op(..) => true,
                        ExprKind::Call(call) => asks(facts, facts.call(*call)),
                        _ => false,
                    };
                match is_condition {
                    true => (self.behind)(at).then(|| self.decided(found, holds, depth))?,
                    false => there(),
                }
            }
            _ => there(),
        }
    }

    /// `isFromClock(req)`: what the one line of an own function says.
    fn said_inside(&self, call: CallRef, depth: usize) -> Option<Name> {
        let mut targets = self.program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        let (target, None) = (targets.next()?.target, targets.next()) else { return None };
        let mut given = self.program.facts(target.file).returned(target.function);
        let (only, None) = (given.next()?, given.next()) else { return None };
        self.decided(ExprRef::new(target.file, only), true, depth)
    }
}

impl Program {
    /// The header that a value is, as it was read, made small or cut: by the name it is read under.
    pub(crate) fn header_of(&self, at: ExprRef) -> Option<Name> {
        self.header_to(at, DEEPEST)
    }

    fn header_to(&self, at: ExprRef, depth: usize) -> Option<Name> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.header_to(ExprRef::new(at.file, expr), depth);
        let of_headers = |expr: ExprId| self.holds_headers(ExprRef::new(at.file, expr), 4);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                match values {
                    // A parameter stands beside its default.
                    Some(&[first, ref rest @ ..])
                        if rest.is_empty() || matches!(facts.expr(first), ExprKind::Param(..)) =>
                    {
                        next(first)
                    }
                    _ => None,
                }
            }
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => next(*parts.first()?),
            // `request.headers["x-from-clock"]`, `req.headers.origin`
            ExprKind::Member(base, name) if of_headers(*base) => Some(*name),
            ExprKind::Index(base, index) => match of_headers(*base) {
                true => text_of(facts, *index),
                // `header.split(" ")[1]`
                false => next(*base),
            },
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return None };
                match method.as_str() {
                    "get" | "has" if of_headers(base) || is_request(facts, base) => {
                        text_of(facts, call.args.first()?.value)
                    }
                    "header" | "get_header" if is_request(facts, base) => text_of(facts, call.args.first()?.value),
                    method if SAME.contains(&method) => next(base),
                    _ => None,
                }
            }
            // `key: str = Header(None)`
            ExprKind::Param(function, index) => {
                let param = facts.function(*function).params.get(usize::from(*index))?;
                match facts.expr(param.default?) {
                    ExprKind::Call(call) => {
                        let made = facts.last_name(facts.call(*call).callee)?;
                        matches!(made.as_str(), "Header" | "Query").then_some(param.name)?
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a value is the headers of a request: `req.headers`, `await headers()`, `request.META`.
    fn holds_headers(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let named = |facts: &Facts, expr: ExprId| {
            facts.last_name(expr).is_some_and(|name| matches!(name.as_str(), "headers" | "META"))
        };
        if named(self.facts(at.file), at.expr) {
            return true;
        }
        let found = follow(self, at);
        let facts = self.facts(found.file);
        match facts.expr(found.expr) {
            ExprKind::Await(inner) => self.holds_headers(ExprRef::new(found.file, *inner), depth),
            ExprKind::Call(call) => named(facts, facts.call(*call).callee),
            _ => named(facts, found.expr),
        }
    }
}

/// Whether a method looks for something in a text.
fn is_search(method: &str) -> bool {
    matches!(method, "includes" | "startsWith" | "startswith" | "endsWith" | "endswith")
}

/// Whether a call answers a question, rather than to give what is asked about.
fn asks(facts: &Facts, call: &Call) -> bool {
    match facts.expr(call.callee) {
        ExprKind::Ref(..) => true,
        ExprKind::Member(_, method) => is_search(method),
        _ => false,
    }
}

fn is_request(facts: &Facts, expr: ExprId) -> bool {
    facts.last_name(expr).is_some_and(|name| matches!(name.as_str(), "req" | "request" | "c"))
}

fn text_of(facts: &Facts, at: ExprId) -> Option<Name> {
    match facts.expr(at) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}
