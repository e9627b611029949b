//! What requests say of themselves, and what anybody can say alike: `x-from-clock: 1`, a user agent.

use crate::facts::{DefId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::FileId;
use crate::link::entries::handlers::follow;
use crate::names::Name;
use crate::program::signed_headers::plain;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, Program};

/// Through how many names, operators and functions a condition is followed.
const DEEPEST: usize = 7;

/// How the names of headers begin that hosts set themselves, or take off what comes from outside: whether a stranger
/// can send them hangs on where the app runs. App Engine takes its own off, says
/// <https://pypi.org/project/flask-crondecorator>.
const OF_HOSTS: &[&str] = &[
    "host",
    "forwarded",
    "via",
    "x-forwarded-",
    "x-real-ip",
    "x-appengine-",
    "x-cloudscheduler",
    "x-cloudtasks-",
    "x-goog-",
    "x-serverless-",
    "x-amz",
    "x-ms-",
    "x-azure-",
    "x-envoy-",
    "x-nf-",
    "x-client-",
    "cf-",
    "fly-",
    "true-client-ip",
];

/// Words in the names of headers whose value may be known to few.
const CREDENTIALS: &[&str] =
    &["authorization", "auth", "token", "key", "apikey", "secret", "password", "signature", "sig", "hmac", "cookie"];

impl Program {
    /// The header by which a request alone decides that a condition has this outcome: it is there, or says what stands
    /// in the code.
    pub(crate) fn announced(&self, condition: ExprRef, holds: bool) -> Option<Name> {
        announced(self, condition, holds, DEEPEST).filter(|_| !self.decides_more(condition))
    }

    /// Whether what a condition names is asked for elsewhere too: whoever only says that it is a trial run may be let
    /// in and then be shown what would be done.
    fn decides_more(&self, condition: ExprRef) -> bool {
        let facts = self.facts(condition.file);
        let asked = facts.span(condition.expr);
        let names = facts.exprs.iter().filter(|expr| asked.contains(expr.span)).filter_map(|expr| match expr.kind {
            ExprKind::Ref(name, block) => facts.lookup(block, name).filter(|&def| is_condition(facts, def)),
            _ => None,
        });
        let elsewhere = |span: Span| !span.contains(asked);
        let steps = facts.blocks.iter().flat_map(|block| &block.steps);
        let conditions: Vec<Span> = steps
            .filter_map(|step| match step {
                Step::If { condition, .. } => Some(facts.span(*condition)).filter(|&span| elsewhere(span)),
                _ => None,
            })
            .collect();
        let readers = self.readers(condition.file);
        names.into_iter().any(|def| {
            let mut reads = readers.reads(def).iter().map(|&read| facts.span(read));
            reads.any(|read| conditions.iter().any(|span| span.contains(read)))
        })
    }
}

/// Whether a definition holds an answer to a question, and not what questions are asked about.
fn is_condition(facts: &Facts, def: DefId) -> bool {
    let holds = |&value: &ExprId| match facts.expr(value) {
        ExprKind::Op(op, _) => !matches!(op, Op::Nullish | Op::Add),
        ExprKind::Call(_) => true,
        _ => false,
    };
    facts.def(def).values.iter().any(holds)
}

fn announced(program: &Program, at: ExprRef, holds: bool, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    let found = follow(program, at);
    let facts = program.facts(found.file);
    let next = |expr: ExprId, holds: bool| announced(program, ExprRef::new(found.file, expr), holds, depth);
    match facts.expr(found.expr) {
        ExprKind::Op(Op::Not, parts) => next(parts[0], !holds),
        // One part is enough; else all of them have to say so.
        ExprKind::Op(op @ (Op::Or | Op::And), parts) => {
            let said = parts.iter().map(|&part| next(part, holds));
            match (*op == Op::Or) == holds {
                true => said.flatten().next(),
                false => said.collect::<Option<Vec<Name>>>()?.first().copied(),
            }
        }
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if parts.len() == 2 => {
            let (header, other) = [(parts[0], parts[1]), (parts[1], parts[0])]
                .into_iter()
                .find_map(|(side, other)| Some((header_in(program, found.file, side)?, other)))?;
            let equal = (*op == Op::Equal) == holds;
            let fits = match facts.expr(other) {
                ExprKind::Null => !equal,
                ExprKind::Text(text) => equal != text.is_empty(),
                _ => false,
            };
            fits.then_some(header)
        }
        ExprKind::Call(call) if holds => {
            let shape = facts.call(*call);
            match facts.expr(shape.callee) {
                ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool") => {
                    next(shape.args.first()?.value, true)
                }
                // `agent.includes("clock/1.0")`
                ExprKind::Member(base, method)
                    if matches!(
                        method.as_str(),
                        "includes" | "startsWith" | "startswith" | "endsWith" | "endswith"
                    ) =>
                {
                    let constant = shape.args.iter().all(|arg| matches!(facts.expr(arg.value), ExprKind::Text(_)));
                    header_in(program, found.file, *base).filter(|_| constant)
                }
                _ => said_inside(program, CallRef::new(found.file, *call), depth)
                    .or_else(|| header_in(program, found.file, found.expr)),
            }
        }
        ExprKind::Op(Op::In, parts) if holds => match facts.expr(parts[0]) {
            // `"clock" in request.headers.get("User-Agent", "")`
            ExprKind::Text(_) => header_in(program, found.file, parts[1]),
            _ => None,
        },
        _ if holds => header_in(program, found.file, found.expr),
        _ => None,
    }
}

/// `isFromClock(req)`: what the one line of an own function says.
fn said_inside(program: &Program, call: CallRef, depth: usize) -> Option<Name> {
    let mut targets = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
    let (target, None) = (targets.next()?.target, targets.next()) else { return None };
    let mut given = program.facts(target.file).returned(target.function);
    let (only, None) = (given.next()?, given.next()) else { return None };
    announced(program, ExprRef::new(target.file, only), true, depth)
}

/// The header that a value is, as it was read or written small, where anybody can send it.
fn header_in(program: &Program, file: FileId, expr: ExprId) -> Option<Name> {
    let at = follow(program, ExprRef::new(file, expr));
    let facts = program.facts(at.file);
    let name = match facts.expr(at.expr) {
        ExprKind::Op(Op::Or | Op::Nullish, parts) => return header_in(program, at.file, *parts.first()?),
        // `request.headers["x-from-clock"]`, `req.headers.origin`
        ExprKind::Member(base, name) if holds_headers(program, ExprRef::new(at.file, *base)) => *name,
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(base, method) = facts.expr(call.callee) else { return None };
            let base = ExprRef::new(at.file, *base);
            match method.as_str() {
                "get" if holds_headers(program, base) || is_request(facts, base.expr) => text_of(facts, call)?,
                "header" | "get_header" if is_request(facts, base.expr) => text_of(facts, call)?,
                "toLowerCase" | "lower" | "trim" | "strip" | "toString" => {
                    return header_in(program, at.file, base.expr);
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let small = plain(&name);
    let by_host = OF_HOSTS.iter().any(|start| small.starts_with(start));
    let known_to_few = words(&small).iter().any(|word| CREDENTIALS.contains(&word.as_str()));
    (!by_host && !known_to_few).then_some(name)
}

/// Whether a value is the headers of a request: `req.headers`, `await headers()`, `request.META`.
fn holds_headers(program: &Program, at: ExprRef) -> bool {
    let named = |facts: &Facts, expr: ExprId| {
        facts.last_name(expr).is_some_and(|name| matches!(name.as_str(), "headers" | "META"))
    };
    if named(program.facts(at.file), at.expr) {
        return true;
    }
    let found = follow(program, at);
    let facts = program.facts(found.file);
    match facts.expr(found.expr) {
        ExprKind::Await(inner) => holds_headers(program, ExprRef::new(found.file, *inner)),
        ExprKind::Call(call) => named(facts, facts.call(*call).callee),
        _ => named(facts, found.expr),
    }
}

fn is_request(facts: &Facts, expr: ExprId) -> bool {
    facts.last_name(expr).is_some_and(|name| matches!(name.as_str(), "req" | "request"))
}

fn text_of(facts: &Facts, call: &crate::facts::Call) -> Option<Name> {
    match facts.expr(call.args.first()?.value) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}
