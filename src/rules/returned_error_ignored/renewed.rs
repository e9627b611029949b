//! Tokens that were renewed just now and could not be stored: they work all the same.

use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::money::core_paths::says::holds;
use crate::program::verify::words;
use crate::program::{Program, VendorUse};

/// How far what is written is followed to where it comes from.
const FARTHEST: usize = 6;

/// Whether a write stores a token that its function has just renewed, and goes on to use or hand out.
pub(super) fn stores_renewed_token(program: &Program, used: &VendorUse) -> bool {
    let facts = program.facts(used.at.file);
    let call = facts.call(used.at.call);
    let whole = facts.span(call.expr);
    let function = program.function_of(used.at);
    let body = facts.block(facts.function(function.function).body).span;
    let stored = call.args.iter().any(|arg| holds(facts, arg.value, FARTHEST, &names_token));
    let renewed = || {
        program.calls_in(function).any(|earlier| {
            let shape = facts.call(earlier.call);
            let before = facts.span(shape.expr).end <= whole.start;
            before && facts.last_name(shape.callee).is_some_and(|name| says_renewal(&name))
        }) || facts.objects().any(|(at, entries)| {
            let span = facts.span(at);
            body.contains(span)
                && span.end <= whole.start
                && entries.iter().any(|&(key, value)| asks_anew(facts, key, value))
        })
    };
    let goes_on = || {
        facts.exprs.iter().enumerate().any(|(at, expr)| {
            expr.span.start >= whole.end && body.contains(expr.span) && names_token(facts, ExprId(at as u32))
        })
    };
    stored && renewed() && goes_on()
}

/// `tokens.access_token`, `accessToken`
fn names_token(facts: &Facts, at: ExprId) -> bool {
    let (ExprKind::Member(_, name) | ExprKind::Ref(name, _)) = facts.expr(at) else { return false };
    let words = words(name);
    matches!(words.as_slice(), [.., kind, token] if token == "token" && matches!(kind.as_str(), "access" | "refresh" | "new" | "fresh"))
}

/// `refreshAccessToken`, `renewToken`
fn says_renewal(name: &str) -> bool {
    let words = words(name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    has(&["refresh", "renew"]) && has(&["token", "tokens", "credentials"])
}

/// `grant_type: "refresh_token"`
fn asks_anew(facts: &Facts, key: Name, value: ExprId) -> bool {
    key == "grant_type" && matches!(facts.expr(value), ExprKind::Text(text) if *text == "refresh_token")
}
