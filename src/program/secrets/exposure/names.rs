//! Names of credentials.

use crate::program::verify::words;

/// Words that say that a name is a question, a form of the thing that may be seen, or another thing altogether.
const HARMLESS: &[&str] = &[
    "is",
    "has",
    "had",
    "should",
    "can",
    "needs",
    "requires",
    "no",
    "without",
    "missing",
    "invalid",
    "valid",
    "show",
    "hide",
    "forgot",
    "masked",
    "mask",
    "redacted",
    "sanitized",
    "hashed",
    "hash",
    "hashes",
    "encrypted",
    "short",
    "truncated",
    "preview",
    "safe",
    "num",
    "count",
    "max",
    "min",
    "total",
    "used",
    "csrf",
    "xsrf",
    "device",
    "push",
    "fcm",
    "expo",
    "apns",
    "page",
    "next",
    "cursor",
    "continuation",
    "sync",
    "public",
    "publishable",
    "anon",
    "site",
    "idempotency",
    "cache",
    "storage",
    "field",
    "column",
    "header",
    "param",
    "query",
    "url",
    "endpoint",
    "type",
    "name",
    "label",
    "prompt",
    "completion",
    "input",
    "output",
    "expired",
    "old",
    "captcha",
    "recaptcha",
    "typing",
    "change",
    "update",
    "with",
    "require",
    "fake",
    "mock",
    "test",
    "design",
    "color",
];

/// What stands before `token` when it lets somebody in.
const TOKENS: &[&str] = &[
    "access",
    "refresh",
    "auth",
    "bearer",
    "session",
    "jwt",
    "reset",
    "magic",
    "login",
    "api",
    "bot",
    "service",
    "oauth",
    "id",
    "admin",
    "secret",
    "impersonation",
];

/// What stands before `key` when it opens something.
const KEYS: &[&str] = &["api", "secret", "private", "encryption", "signing", "role", "service", "master", "license"];

/// Whether a name says that what it holds is a credential.
pub(crate) fn says_credential(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map_or("", String::as_str);
    if words.iter().any(|word| HARMLESS.contains(&word.as_str())) {
        return false;
    }
    match last.as_str() {
        "password" | "passwd" | "passphrase" | "passcode" | "jwt" | "otp" => true,
        "secret" => true,
        "token" => TOKENS.contains(&before),
        "key" => KEYS.contains(&before),
        "code" => matches!(before, "otp" | "verification" | "reset" | "login"),
        "header" | "authorization" => before == "auth" || words.len() == 1,
        "apikey" | "authorisation" => true,
        "string" => before == "connection",
        _ => false,
    }
}

/// Whether a name says that what it holds is a link that lets somebody in.
pub(crate) fn says_link(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    matches!(last, "link")
        && words
            .iter()
            .any(|word| matches!(word.as_str(), "reset" | "magic" | "action" | "recovery" | "login" | "signin"))
        && !words.iter().any(|word| HARMLESS.contains(&word.as_str()))
}

/// The first characters of a credential of this name that say only what kind it is: a token of claims begins with
/// its algorithm, a key with its vendor's prefix.
pub(crate) fn telling_nothing(name: &str) -> u32 {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    match last {
        "token" | "jwt" | "authorization" | "header" => 40,
        // Of a payment the first part is its id.
        "secret" if words.iter().any(|word| word == "client") => 28,
        "key" | "apikey" => 12,
        "string" => 13,
        _ => 2,
    }
}

/// Whether a header says who is calling.
pub(crate) fn identifies(header: &str) -> bool {
    let small = header.to_ascii_lowercase();
    matches!(
        small.as_str(),
        "authorization" | "cookie" | "proxy-authorization" | "x-api-key" | "x-auth-token" | "x-access-token"
    )
}

/// Whether the constant text before something in a URL says that it lets somebody in.
pub(crate) fn opens_door(before: &str, whole: &str) -> bool {
    const DOORS: &[&str] = &["reset", "magic", "recover", "set-password", "login", "signin", "sign-in", "activate"];
    let small = whole.to_ascii_lowercase();
    let before = before.to_ascii_lowercase();
    let parameter = ["token=", "code=", "token_hash=", "oobcode=", "otp="].iter().any(|end| before.ends_with(end));
    let segment = before.ends_with('/') && DOORS.iter().any(|door| before.trim_end_matches('/').ends_with(door));
    let segment = segment || before.ends_with("password/");
    (parameter && (DOORS.iter().any(|door| small.contains(door)) || small.contains("verify-email"))) || segment
}
