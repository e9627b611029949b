//! How much a core path needs what it waits for: the vendor whose work the path is, a message that delivers what
//! the path is for, or something that could as well happen later.

use super::entries::{Start, words};
use super::{Core, Outgoing};
use crate::catalogue::{Category, Effect, KnownRole};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::{CallRef, Destination, Program, Via};

/// How much a path needs what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The path is that vendor's work.
    Essential,
    /// It delivers what the path is for: a code, a verification or reset mail.
    Message,
    /// It could happen later.
    Other,
}

/// Words of messages that deliver what a path is for, as they begin in several languages.
const DELIVERS: &[&str] = &[
    "verif",
    "confirm",
    "otp",
    "code",
    "reset",
    "magic",
    "activat",
    "mfa",
    "passcode",
    "password",
    "token",
    "bestaetig",
    "bestätig",
    "aktivier",
    "passwort",
    "senha",
    "contraseña",
];

/// Words of addresses that are the path's own work.
const OWN_WORK: &[&str] = &[
    "auth",
    "oauth",
    "openid",
    "login",
    "signup",
    "signin",
    "register",
    "session",
    "token",
    "user",
    "users",
    "account",
    "accounts",
    "certs",
    "jwks",
    "sso",
    "saml",
    "userinfo",
    "siteverify",
];

/// The same of checkout.
const PAYS: &[&str] = &[
    "pay",
    "payment",
    "payments",
    "checkout",
    "order",
    "orders",
    "charge",
    "invoice",
    "billing",
    "transaction",
    "session",
    "sessions",
];

/// Words of variables that hold the address of someone else's hook.
const HOOKS: &[&str] = &["webhook", "hook", "crm", "automation"];

/// How much a path needs what leaves; none when it does not count: the own backend, what queues by itself, what
/// cannot be told.
pub(super) fn of(program: &Program, core: Core, out: &Outgoing<'_>, names: &str, sells: bool) -> Option<Weight> {
    let Some(used) = out.vendor else {
        if out.request.is_some_and(|http| program.hands_mail(http)) {
            return Some(if delivers(core, names) { Weight::Message } else { Weight::Other });
        }
        return external(program, core, out);
    };
    let vendor = program.catalogue.vendor(used.vendor);
    if vendor.own_backend || out.request.is_some_and(|http| !all_leave(&http.to)) {
        return None;
    }
    if program.is_essential(used.vendor) {
        return Some(Weight::Essential);
    }
    let operation = out.operation(program);
    let effect = operation.map(|operation| operation.effect);
    match vendor.category {
        Category::Monitoring | Category::Webhooks => return None,
        Category::Storage if !matches!(effect, Some(Effect::Send | Effect::Generate)) => return None,
        Category::Analytics if matches!(used.via, Via::Sdk(..)) => return None,
        Category::Auth if !matches!(effect, Some(Effect::Verify)) => return Some(Weight::Essential),
        Category::Payments | Category::Commerce if core == Core::Checkout || sells => return Some(Weight::Essential),
        _ => {}
    }
    if matches!(effect, Some(Effect::Local | Effect::Verify | Effect::Upload)) {
        return None;
    }
    // Whoever checks the token of a login is the login.
    if core != Core::Checkout && program.has_role(out.at, KnownRole::Verify) {
        return Some(Weight::Essential);
    }
    // What the catalogue does not list of a vendor that does many things may be the login itself.
    let reads = matches!(effect, None | Some(Effect::Read | Effect::List));
    if reads && out.request.is_some_and(|http| http.to.iter().any(|to| is_own_work(core, to))) {
        return None;
    }
    let essential = operation.and_then(|operation| operation.essential.as_deref());
    match (essential, core) {
        (Some("checkout"), Core::Checkout) => Some(Weight::Essential),
        (Some("signup"), core) if core != Core::Checkout => Some(Weight::Essential),
        (Some("message"), _) if delivers(core, names) => Some(Weight::Message),
        // An operation that is not listed may be the sending of a message.
        (None, _) if operation.is_none() && vendor.category != Category::Chat && delivers(core, names) => {
            Some(Weight::Message)
        }
        _ => Some(Weight::Other),
    }
}

/// Whether a vendor is one that is asked for what it finds elsewhere, and not told anything.
pub(super) fn reads_pages(program: &Program, out: &Outgoing<'_>) -> bool {
    let effect = out.operation(program).map(|operation| operation.effect);
    let tells = matches!(effect, Some(Effect::Send | Effect::Create | Effect::Update | Effect::Delete | Effect::Track));
    out.vendor_id().is_some_and(|vendor| {
        matches!(program.catalogue.vendor(vendor).category, Category::Data | Category::Search | Category::Developer)
    }) && !tells
}

/// Whether a request of a login's callback asks the provider that sent the customer back: for the token, or for who
/// they are.
pub(super) fn is_provider(out: &Outgoing<'_>, starts: &[Start]) -> bool {
    /// What is asked of a provider there.
    const ASKED: &[&str] = &["token", "oauth", "userinfo", "me", "user", "profile", "emails", "tokeninfo", "openid"];
    let comes_back = |start: &Start| {
        words(&start.label).iter().any(|word| matches!(word.as_str(), "callback" | "oauth" | "sso" | "social"))
    };
    let asks = |to: &Destination| match to {
        Destination::Host(_, path) | Destination::Vendor(_, _, path) => {
            words(path).iter().any(|word| ASKED.contains(&word.as_str()))
        }
        _ => false,
    };
    !starts.is_empty() && starts.iter().all(comes_back) && out.request.is_some_and(|http| http.to.iter().any(asks))
}

/// Whether a text names the service that a request goes to: `whop_login` of `api.whop.com`.
pub(super) fn names_service(out: &Outgoing<'_>, text: &str) -> bool {
    let said = words(text);
    let named = |to: &Destination| match to {
        Destination::Host(host, _) | Destination::Vendor(_, host, _) => {
            host.rsplit('.').nth(1).is_some_and(|label| said.iter().any(|word| word == label))
        }
        _ => false,
    };
    out.request.is_some_and(|http| http.to.iter().any(named))
}

/// Whether a message is what the path is for: of a checkout only the link to pay is, not the thanks for the order.
fn delivers(core: Core, names: &str) -> bool {
    let words = words(names);
    let begins = |start: &str| words.iter().any(|word| word.starts_with(start));
    match core {
        Core::Checkout => {
            let to_pay = |word: &str| word.starts_with("pay") || word == "checkout";
            begins("pay") && begins("link") || words.windows(2).any(|pair| to_pay(&pair[0]) && pair[1] == "url")
        }
        _ => DELIVERS.iter().any(|start| begins(start)),
    }
}

/// Whether every alternative leaves the app.
fn all_leave(to: &[Destination]) -> bool {
    !to.is_empty()
        && to.iter().all(|to| matches!(to, Destination::Vendor(..) | Destination::Host(..) | Destination::Env(..)))
}

/// A request to a service that is no vendor of ours.
fn external(program: &Program, core: Core, out: &Outgoing<'_>) -> Option<Weight> {
    let http = out.request?;
    if !all_leave(&http.to) {
        return None;
    }
    let browser = program.side(out.at.file).client;
    let counts = http.to.iter().all(|to| match to {
        // The app's own server under a name of its own is called from many places.
        Destination::Host(host, _) => !is_own_work(core, to) && (!browser || calls_of_host(program, *host) <= 2),
        Destination::Env(name, _) => {
            // What other variables hold may well be the app itself, or a part of it.
            !browser && words(name).iter().any(|word| HOOKS.contains(&word.as_str()))
        }
        _ => true,
    });
    counts.then_some(Weight::Other)
}

/// Whether an address says that the path's own work is done there.
fn is_own_work(core: Core, to: &Destination) -> bool {
    let own_work = if core == Core::Checkout { PAYS } else { OWN_WORK };
    let (Destination::Host(host, path) | Destination::Vendor(_, host, path)) = to else { return false };
    // Whoever makes them, tests for people have one word in their names.
    // The keys by which a login's token is checked: `/robot/v1/metadata/x509/..`, `/.well-known/jwks.json`.
    let keys = |word: &String| matches!(word.as_str(), "x509" | "jwks" | "jwk" | "certs" | "openid" | "tokeninfo");
    words(host).iter().chain(&words(path)).any(|word| own_work.contains(&word.as_str()) || word.ends_with("captcha"))
        || core != Core::Checkout && (words(path).iter().any(keys) || path.contains("x509"))
}

fn calls_of_host(program: &Program, host: Name) -> usize {
    let to_host = |to: &Destination| matches!(to, Destination::Host(other, _) if *other == host);
    program.requests().iter().filter(|http| http.to.iter().any(to_host)).count()
}

/// What a call is given, in words: constant texts under `subject`, `template` and `type`, and the names of its values.
pub(super) fn about(program: &Program, call: CallRef) -> String {
    let facts = program.facts(call.file);
    let mut text = String::new();
    for arg in &facts.call(call.call).args {
        about_value(facts, arg.value, 4, &mut text);
    }
    text
}

fn about_value(facts: &Facts, value: ExprId, depth: usize, text: &mut String) {
    if depth == 0 {
        return;
    }
    let mut say = |said: &str| {
        text.push_str(said);
        text.push(' ');
    };
    match facts.expr(value) {
        ExprKind::Object(entries) => {
            for &(key, value) in entries {
                say(&key);
                match facts.expr(value) {
                    ExprKind::Text(said) if matches!(key.as_str(), "subject" | "template" | "type" | "templateId") => {
                        say(said)
                    }
                    _ => {}
                }
            }
            entries.iter().for_each(|&(_, value)| about_value(facts, value, depth - 1, text));
        }
        ExprKind::Template(parts) => parts.iter().for_each(|&part| match facts.expr(part) {
            // A subject is short; what else a mail says is not about what it is for.
            ExprKind::Text(said) if said.len() <= 60 => {
                text.push_str(said);
                text.push(' ');
            }
            _ => about_value(facts, part, 1, text),
        }),
        ExprKind::Ref(name, block) => {
            say(name);
            if let Some(def) = facts.lookup(*block, *name) {
                facts.def(def).values.iter().for_each(|&value| about_value(facts, value, depth - 1, text));
            }
        }
        ExprKind::Member(_, name) => say(name),
        ExprKind::Call(inner) => {
            facts.call(*inner).args.iter().for_each(|arg| about_value(facts, arg.value, depth - 1, text));
        }
        _ => {}
    }
}
