//! What names say of what stands in the way: who asks, how often, by which header.

use super::Door;
use crate::program::verify::words;

/// Words of functions that ask who is calling.
const ASKS: &[&str] = &[
    "auth",
    "authed",
    "authenticate",
    "authenticated",
    "authorize",
    "authorized",
    "authorization",
    "session",
    "login",
    "protect",
    "protected",
    "permission",
    "permissions",
    "jwt",
    "signature",
    "guard",
    "subscription",
    "entitlement",
    "apikey",
    "appcheck",
];

/// Words of functions that change something that a check could ask for.
const DOES: &[&str] = &[
    "cancel",
    "create",
    "update",
    "delete",
    "remove",
    "reactivate",
    "activate",
    "pause",
    "resume",
    "renew",
    "change",
    "upgrade",
    "downgrade",
    "sync",
    "save",
    "store",
    "insert",
    "upsert",
    "send",
];

/// Words of limits on how often.
const LIMITS: &[&str] = &["ratelimit", "ratelimiter", "limiter", "throttle", "throttled", "throttler", "quota"];

/// What a name says of what it does.
pub(super) fn door_of_text(name: &str, may_ask: bool) -> Door {
    let words = words(name);
    let pair = |first: &str, second: &str| words.windows(2).any(|pair| pair[0] == first && pair[1].starts_with(second));
    // `cancelSubscription` asks nothing.
    let does = words.first().is_some_and(|word| DOES.contains(&word.as_str()));
    let may_be_done = |word: &str| matches!(word, "subscription" | "entitlement" | "permission" | "permissions");
    let asks = words
        .iter()
        .any(|word| ASKS.contains(&word.as_str()) && !(does && may_be_done(word)) || word.ends_with("captcha"))
        || ["get", "require", "current", "verify", "check", "ensure", "load"].iter().any(|verb| pair(verb, "user"))
        || ["verify", "validate", "check", "require"].iter().any(|verb| {
            ["token", "key", "secret", "api", "access", "admin", "member", "owner"].iter().any(|what| pair(verb, what))
        });
    // `requireFullAdmin`, `ensureOrgMember`
    let asks = asks
        || words.first().is_some_and(|word| matches!(word.as_str(), "require" | "requires" | "ensure" | "assert"))
            && words
                .iter()
                .any(|word| matches!(word.as_str(), "user" | "admin" | "staff" | "owner" | "member" | "role"));
    // That a form comes from the app's own page says nothing of who sent it.
    let is_csrf = words.iter().any(|word| matches!(word.as_str(), "csrf" | "xsrf" | "exempt"));
    // Whether a person asks: a captcha without a puzzle.
    let asks_human = ["verify", "require", "check", "ensure", "assert"]
        .iter()
        .any(|verb| ["human", "bot"].iter().any(|who| pair(verb, who)));
    if asks_human || asks && may_ask && !is_csrf {
        return Door::Guarded;
    }
    let limits =
        words.iter().any(|word| LIMITS.contains(&word.as_str())) || pair("rate", "limit") || pair("limit", "rate");
    if limits { Door::Limited } else { Door::Open }
}

/// Whether a header brings what only its owner knows, by its name.
pub(super) fn names_credential(header: &str) -> bool {
    let words = words(header);
    let last = words.last().map(String::as_str);
    words.len() > 1
        && matches!(last, Some("token" | "key" | "secret" | "password" | "auth" | "session"))
        && !words.iter().any(|word| matches!(word.as_str(), "csrf" | "xsrf" | "idempotency" | "websocket" | "public"))
}

/// Whether a name says who is signed in.
pub(super) fn says_who(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "user",
        "uid",
        "admin",
        "auth",
        "login",
        "logged",
        "account",
        "eingeloggt",
        "member",
        "email",
        "token",
        "role",
    ];
    words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}
