//! Handlers that make the call once more whose failure brought them there:
//! `try { await pay(order) } catch { await pay(order) }`.

use super::waits::{self, Codes};
use super::{How, Limit, Retry, Trigger, Wait};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Span, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, FunctionRef, Program};

/// Words of what a handler does to make the next call another one: a new token, a new connection.
const MENDS: &[&str] = &["refresh", "token", "login", "log_in", "signin", "sign_in", "auth", "connect", "reset"];

/// How deep what two calls are given is compared.
const DEEPEST: usize = 8;

/// The handlers of a file that make the call of their `try` again, given the same.
pub(super) fn in_file(program: &Program, file: FileId, facts: &Facts) -> Vec<Retry> {
    let mut found = Vec::new();
    for step in facts.blocks.iter().flat_map(|block| &block.steps) {
        let Step::Try { body, handlers, .. } = step else { continue };
        let region = facts.block(*body).span;
        let function = FunctionRef::new(file, facts.block(*body).function);
        for &handler in handlers {
            let shape = facts.block(handler);
            let codes = waits::codes_in(facts, shape.span);
            if codes == Codes::Request {
                continue;
            }
            let calls: Vec<CallRef> = program.calls_in(function).collect();
            let inside = |span: Span| {
                calls.iter().copied().filter(move |at| span.contains(facts.span(facts.call(at.call).expr)))
            };
            for first in inside(region).filter(|at| program.guards(*at).first().is_some_and(|g| g.body == Some(*body)))
            {
                let again = inside(shape.span).find(|again| is_same(facts, first, *again));
                let is_blind = |again: &CallRef| {
                    is_for_all(facts, handler, *again)
                        && !mends(facts, inside(shape.span), *again)
                        && !changes(facts, shape.span, *again)
                };
                let Some(again) = again.filter(is_blind) else { continue };
                found.push(Retry {
                    how: How::Handler(again),
                    place: program.call_place(again),
                    function,
                    region,
                    tried: vec![first],
                    trigger: Trigger::Thrown,
                    limit: Limit::Bounded,
                    // Once more is no load.
                    wait: Wait::Unknown,
                    only_refused: codes == Codes::Rate || is_for_rate(facts, handler),
                });
            }
        }
    }
    found
}

/// `except stripe.RateLimitError:`
fn is_for_rate(facts: &Facts, handler: BlockId) -> bool {
    match facts.block(handler).kind {
        BlockKind::Catch(Some(of)) => facts.last_name(of).is_some_and(|name| name.contains("RateLimit")),
        _ => false,
    }
}

/// Whether a handler makes the second call whatever happened: one that asks what it was, or takes one kind of failure
/// alone, knows that the first was refused.
fn is_for_all(facts: &Facts, handler: BlockId, again: CallRef) -> bool {
    let takes_all = match facts.block(handler).kind {
        BlockKind::Catch(Some(of)) => facts.last_name(of).is_some_and(|name| {
            // `stripe.StripeError`: whatever the package throws.
            let is_root = || root(facts, of).is_some_and(|root| name.eq_ignore_ascii_case(&format!("{root}Error")));
            matches!(name.as_str(), "Exception" | "BaseException" | "RequestException" | "RequestError")
                || is_root()
                || ["Timeout", "Connection", "Network"].iter().any(|lost| name.contains(lost))
        }),
        _ => true,
    };
    let between = facts.enclosing(facts.call(again.call).block).take_while(|(id, _)| *id != handler);
    let asks = |kind: &BlockKind| matches!(kind, BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..));
    takes_all && !between.into_iter().any(|(_, block)| asks(&block.kind))
}

/// The name that a path of names begins with.
fn root(facts: &Facts, mut path: ExprId) -> Option<Name> {
    while let ExprKind::Member(base, _) = facts.expr(path) {
        path = *base;
    }
    match facts.expr(path) {
        ExprKind::Ref(name, _) => Some(*name),
        _ => None,
    }
}

/// Whether a handler changes something that is there already before the second call: `options.reverse = false`.
fn changes(facts: &Facts, handler: Span, again: CallRef) -> bool {
    let start = facts.span(facts.call(again.call).expr).start;
    let steps = facts.blocks.iter().filter(|block| handler.contains(block.span)).flat_map(|block| &block.steps);
    steps.filter_map(|step| if let Step::Assign(to, _) = step { Some(*to) } else { None }).any(|to| {
        let span = facts.span(to);
        handler.contains(span) && span.start < start
    })
}

/// Whether something before the second call makes it another one.
fn mends(facts: &Facts, calls: impl Iterator<Item = CallRef>, again: CallRef) -> bool {
    let start = facts.span(facts.call(again.call).expr).start;
    let mut before = calls.filter(|at| facts.span(facts.call(at.call).expr).start < start);
    before.any(|at| {
        let name = facts.last_name(facts.call(at.call).callee).map(|name| name.to_ascii_lowercase());
        name.is_some_and(|name| MENDS.iter().any(|word| name.contains(word)))
    })
}

/// Whether two calls call the same, given the same.
fn is_same(facts: &Facts, one: CallRef, other: CallRef) -> bool {
    is_alike(facts, facts.call(one.call).expr, facts.call(other.call).expr, DEEPEST)
}

/// Whether two expressions are written alike, of the same names.
fn is_alike(facts: &Facts, one: ExprId, other: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let alike = |one: ExprId, other: ExprId| is_alike(facts, one, other, depth);
    let all = |one: &[ExprId], other: &[ExprId]| {
        one.len() == other.len() && one.iter().zip(other).all(|(&one, &other)| alike(one, other))
    };
    match (facts.expr(one), facts.expr(other)) {
        (ExprKind::Ref(a, here), ExprKind::Ref(b, there)) => {
            a == b && facts.lookup(*here, *a) == facts.lookup(*there, *b)
        }
        (ExprKind::Member(a, name), ExprKind::Member(b, other)) => name == other && alike(*a, *b),
        (ExprKind::Index(a, at), ExprKind::Index(b, other)) => alike(*a, *b) && alike(*at, *other),
        (ExprKind::Object(a), ExprKind::Object(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(&(key, value), &(other, given))| key == other && alike(value, given))
        }
        (ExprKind::List(a), ExprKind::List(b)) | (ExprKind::Template(a), ExprKind::Template(b)) => all(a, b),
        (ExprKind::Op(op, a), ExprKind::Op(other, b)) => op == other && all(a, b),
        (ExprKind::Spread(a), ExprKind::Spread(b)) | (ExprKind::Await(a), ExprKind::Await(b)) => alike(*a, *b),
        (ExprKind::Call(a), ExprKind::Call(b)) => {
            let (a, b) = (facts.call(*a), facts.call(*b));
            alike(a.callee, b.callee)
                && a.args.len() == b.args.len()
                && a.args
                    .iter()
                    .zip(&b.args)
                    .all(|(one, other)| one.name == other.name && alike(one.value, other.value))
        }
        (ExprKind::This(a), ExprKind::This(b)) => a == b,
        (ExprKind::Text(a) | ExprKind::Env(a), ExprKind::Text(b) | ExprKind::Env(b)) => a == b,
        (ExprKind::Number(a), ExprKind::Number(b)) => a == b,
        (ExprKind::Bool(a), ExprKind::Bool(b)) => a == b,
        (ExprKind::Null, ExprKind::Null) => true,
        _ => false,
    }
}
