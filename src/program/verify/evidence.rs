//! What names and values tell: words in names, secrets, whether a returned value says yes or no.

use crate::facts::{Call, ExprId, ExprKind, Facts, Op};
use crate::names::Name;

/// The words of a name, in small letters: `verifyStripeSignature`, `X-Hub-Signature`, `order/[id]`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_small = chars.peek().is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next_is_small));
        if (!c.is_ascii_alphanumeric() || starts) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a function checks who is calling, by its name.
pub(super) fn sounds_like_check(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["verif", "signature", "authentic", "authoriz", "hmac", "checksig"].iter().any(|part| name.contains(part))
        || is_signature_name(&name) && ["check", "valid"].iter().any(|part| name.contains(part))
}

/// Whether a name says a signature: `sig`, `signature`, `x-hub-signature`.
pub(crate) fn is_signature_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let may_say = name.contains("sig") || name.contains("hmac");
    may_say && (name.contains("signature") || words(&name).iter().any(|word| word == "sig" || word == "hmac"))
}

/// Whether a variable holds a secret, by its name.
pub(super) fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "KEY", "PASSWORD", "PASSPHRASE", "SIGNATURE", "SIGNING", "HMAC", "AUTH", "HASH"]
        .iter()
        .any(|part| name.contains(part))
}

/// The same for a field or variable of the program, where more names lie about.
pub(super) fn holds_secret(name: &str) -> bool {
    let words = words(name);
    words
        .iter()
        .any(|word| matches!(word.as_str(), "secret" | "secrets" | "hmac" | "signing" | "password" | "passphrase"))
        || name.to_ascii_lowercase().contains("webhooksecret")
        || words.windows(2).any(|pair| {
            matches!(
                (pair[0].as_str(), pair[1].as_str()),
                ("verify" | "verification" | "webhook" | "auth" | "access" | "shared", "token")
                    | ("api" | "webhook" | "signature" | "shared" | "access", "key")
            )
        })
}

/// Functions that write what they are given somewhere to read.
pub(super) fn is_logging(name: &str) -> bool {
    matches!(
        name,
        "log" | "info" | "debug" | "warn" | "warning" | "error" | "trace" | "print" | "exception" | "captureException"
    )
}

/// Names under which a result object says whether it holds.
pub(super) fn is_verdict(name: Name) -> bool {
    matches!(
        name.as_str(),
        "valid"
            | "isValid"
            | "is_valid"
            | "ok"
            | "success"
            | "verified"
            | "isVerified"
            | "authorized"
            | "authenticated"
            | "isAuthorized"
            | "passed"
    )
}

/// Names under which a result object says what is wrong.
pub(super) fn is_fault(name: Name) -> bool {
    matches!(
        name.as_str(),
        "error" | "err" | "errors" | "reason" | "failure" | "invalid" | "response" | "errorResponse" | "isInvalid"
    )
}

/// Whether an expression is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unclear,
}

pub(super) fn truth(facts: &Facts, expr: ExprId) -> Truth {
    let of = |truth: bool| if truth { Truth::Yes } else { Truth::No };
    if refuses(facts, expr) {
        return Truth::No;
    }
    match facts.expr(expr) {
        ExprKind::Bool(truth) => of(*truth),
        ExprKind::Null => Truth::No,
        // `return "invalid"`: a state by its name.
        ExprKind::Text(text) => of(!text.is_empty() && (text.contains(' ') || !says_no(text))),
        ExprKind::Await(inner) => truth(facts, *inner),
        // `{ valid: false, error }`: what such results are asked for.
        ExprKind::Object(entries) => match entries.iter().find(|(key, _)| is_verdict(*key)) {
            Some(&(_, verdict)) => truth(facts, verdict),
            None => {
                let fault = entries.iter().find(|(key, _)| is_fault(*key));
                of(fault.is_none_or(|&(_, value)| matches!(facts.expr(value), ExprKind::Null)))
            }
        },
        ExprKind::List(items) => items.first().map_or(Truth::Yes, |&first| truth(facts, first)),
        ExprKind::Op(Op::Not, parts) => match truth(facts, parts[0]) {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Unclear => Truth::Unclear,
        },
        _ => Truth::Unclear,
    }
}

/// Whether a status text says no.
pub(super) fn says_no(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["fail", "invalid", "error", "denied", "unverified", "rejected", "unavailable", "mismatch", "forged", "expired"]
        .iter()
        .any(|part| text.contains(part))
}

/// Whether a value is an answer that refuses: a status of 400 and more, or a name that says so.
pub(super) fn refuses(facts: &Facts, expr: ExprId) -> bool {
    let status = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Number(n) if (400.0..600.0).contains(n));
    match facts.expr(expr) {
        ExprKind::Await(inner) => refuses(facts, *inner),
        ExprKind::List(items) => items.len() > 1 && items.iter().skip(1).any(|&item| status(item)),
        ExprKind::Object(entries) => {
            entries.iter().any(|&(key, value)| matches!(key.as_str(), "status" | "statusCode") && status(value))
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            call.args.iter().any(|arg| status(arg.value) || is_status_object(facts, arg.value))
                || refuses_by(facts, call)
        }
        _ => false,
    }
}

fn is_status_object(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Object(_)) && refuses(facts, expr)
}

/// `res.status(401).json(..)`, `HttpResponseForbidden(..)`, `NextResponse.error()`.
fn refuses_by(facts: &Facts, call: &Call) -> bool {
    let said = |name: Name| {
        ["BadRequest", "Forbidden", "Unauthorized", "NotAllowed", "unauthorized", "badRequest", "forbidden"]
            .iter()
            .any(|part| name.contains(part))
    };
    match facts.expr(call.callee) {
        ExprKind::Ref(name, _) => said(*name),
        ExprKind::Member(base, name) => said(*name) || refuses(facts, *base),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("verifyStripeSignature"), ["verify", "stripe", "signature"]);
        assert_eq!(words("X-Hub-Signature-256"), ["x", "hub", "signature", "256"]);
        assert_eq!(words("STRIPE_WEBHOOK_SECRET"), ["stripe", "webhook", "secret"]);
        assert_eq!(words("handleHTTPHook"), ["handle", "http", "hook"]);
    }

    #[test]
    fn names_of_checks() {
        assert!(sounds_like_check("validateTwilioSignature"));
        assert!(sounds_like_check("verify_webhook"));
        assert!(!sounds_like_check("validateBody"));
        assert!(holds_secret("webhook_secret") && holds_secret("verifyToken"));
        assert!(!holds_secret("customerToken") && !holds_secret("idempotencyKey"));
    }
}
