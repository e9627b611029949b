//! `vendor-sdk-in-browser`: a vendor's server API is called from the browser, with its secret.

use super::browser_secrets::{harm, home, id, is_secret, is_secret_for, takes_only_secrets, way_to_browser};
use crate::catalogue::{Runs, Vendor};
use crate::facts::{ExprKind, TokenKind};
use crate::finding::Confidence;
use crate::manifest::EnvValue;
use crate::names::Name;
use crate::program::secrets::bundling::Nature;
use crate::program::secrets::credentials::{KeyUse, Way};
use crate::program::{Program, Value};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A server SDK or API is used from the browser with its secret
    ///
    /// The vendor made this API for servers: one secret key opens the whole account. Called from the browser, the key
    /// is in the bundle and in every request that a visitor's developer tools show. `dangerouslyAllowBrowser` does
    /// not make that safe; it only switches the SDK's own refusal off. And what the browser may ask, anyone may ask:
    /// no limit, no check of who it is.
    ///
    /// ## Silent when
    ///
    /// The package is made for browsers, or the key is: anon, publishable, client and site keys. When the user typed
    /// the key in (bring your own key), when the header carries the user's own session, when the request goes to the
    /// app's own server, and for imports of types.
    ///
    /// ## The cure
    ///
    /// Move the call to a server function that checks the user, and call that from the browser. Revoke the key.
    ///
    /// ## Example
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// import OpenAI from "openai";
    ///
    /// const openai = new OpenAI({
    ///   apiKey: process.env.NEXT_PUBLIC_OPENAI_API_KEY,
    ///   dangerouslyAllowBrowser: true,
    /// });
    ///
    /// export async function ask(input: string) {
    ///   const answer = await openai.responses.create({ model: "gpt-5-mini", input });
    ///   return answer.output_text;
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// export async function ask(input: string) {
    ///   const answer = await fetch("/api/ask", { method: "POST", body: JSON.stringify({ input }) });
    ///   if (!answer.ok) throw new Error("no answer");
    ///   return (await answer.json()).text;
    /// }
    /// ```
    id: "vendor-sdk-in-browser", severity: Error, confidence: High, section: "Secrets",
    security: Some(8.2), since: "0.1.0", check: check
}

/// What a key turned out to be.
enum Key {
    /// A variable that holds a secret and is inlined.
    Inlined(Name),
    /// A variable that only the server has: in the browser there is no key, and the call fails.
    ServerOnly(Name),
    /// A secret written into the code.
    Written(Name),
    /// None was given, or none that can be told.
    Unknown,
}

fn check(program: &Program, report: &mut Report) {
    let mut told = vec![];
    for used in program.key_uses() {
        if told.contains(&used.at) {
            continue;
        }
        let vendor = program.catalogue.vendor(used.vendor);
        if let Some((key, confidence)) = judge(program, used, vendor) {
            told.push(used.at);
            tell(program, used, vendor, &key, confidence, report);
        }
    }
}

/// Whether a use is one to report, and how sure that is.
fn judge(program: &Program, used: &KeyUse, vendor: &Vendor) -> Option<(Key, Confidence)> {
    let key = key(program, used, vendor);
    let shared = program.side(used.at.file).server;
    let flagged = matches!(used.way, Way::Client(_, true));
    match (&used.way, &key) {
        (Way::Client(Runs::Browser, _), _) => None,
        (_, Some(Key::Inlined(_) | Key::Written(_))) => Some((key?, Confidence::High)),
        // The module runs on both sides: the server may be the only one that gets here.
        (_, Some(Key::ServerOnly(_))) if shared => Some((key?, Confidence::Low)),
        (Way::Client(..), Some(Key::ServerOnly(_))) => {
            Some((key?, if flagged { Confidence::High } else { Confidence::Medium }))
        }
        (Way::Client(..), _) if flagged && used.key.is_empty() => Some((Key::Unknown, Confidence::High)),
        (Way::Client(..), _) if flagged && !is_brought(program, used) => Some((Key::Unknown, Confidence::Low)),
        _ => None,
    }
}

/// The secret among what a key is made of.
fn key(program: &Program, used: &KeyUse, vendor: &Vendor) -> Option<Key> {
    let server_client = matches!(used.way, Way::Client(Runs::Server, _));
    let mut found = None;
    for part in &used.key {
        match part {
            Value::Env(name) => {
                let inlined = program.inlined_name(used.at.file, *name);
                let defined = program
                    .bundling()
                    .inlined
                    .iter()
                    .any(|inlined| inlined.whole || inlined.replaced.rsplit('.').next() == Some(name.as_str()));
                let bare = inlined.unwrap_or(name.as_str());
                let nature = program.variable(bare).0;
                // What a server's SDK is given as its key is one, unless the name says otherwise.
                let secret = match used.way {
                    Way::Client(Runs::Both, _) => nature == Nature::Secret,
                    _ => is_secret_for(program, bare, vendor) || (server_client && nature != Nature::Public),
                };
                if secret && (inlined.is_some() || defined) {
                    return Some(Key::Inlined(*name));
                }
                if secret && server_client_or_named(server_client, nature) {
                    found.get_or_insert(Key::ServerOnly(*name));
                }
            }
            Value::Text(text) => {
                // Some formats are told only beside their vendor's name.
                let tokens = program.catalogue.tokens(&format!("{} \"{text}\"", vendor.id));
                let by_use = |kind| kind == TokenKind::ByUse && takes_only_secrets(vendor);
                if let Some(token) = tokens.iter().find(|token| is_secret(token) || by_use(token.kind)) {
                    return Some(Key::Written(token.masked));
                }
                if server_client && EnvValue::of(text) == EnvValue::Random {
                    return Some(Key::Written(Name::new("a literal")));
                }
            }
            _ => {}
        }
    }
    found
}

fn server_client_or_named(server_client: bool, nature: Nature) -> bool {
    server_client || nature == Nature::Secret
}

/// Whether a key comes from the user: a parameter, state, storage, a form.
fn is_brought(program: &Program, used: &KeyUse) -> bool {
    const SOURCES: &[&str] = &["localStorage", "sessionStorage", "useState", "useLocalStorage", "prompt", "useRef"];
    used.key.iter().any(|part| {
        part.any(|value| match value {
            Value::Param(..) | Value::Instance(_) => true,
            Value::External(external) => {
                SOURCES.iter().any(|source| external.dotted().contains(source))
                    || external.sites.iter().any(|site| {
                        let facts = program.facts(site.file);
                        matches!(facts.expr(facts.call(site.call).callee), ExprKind::Ref(name, _) if name.starts_with("use"))
                    })
            }
            _ => false,
        })
    })
}

fn tell(program: &Program, used: &KeyUse, vendor: &Vendor, key: &Key, confidence: Confidence, report: &mut Report) {
    let harm = harm(Some(vendor));
    let call = call(program, used, vendor);
    let message = match key {
        Key::Inlined(name) => {
            format!("{call} runs in the browser with the secret from `{name}`: any visitor can copy it and {harm}")
        }
        Key::Written(masked) => format!(
            "{call} runs in the browser with a secret from the code, {masked}: any visitor can copy it and {harm}"
        ),
        Key::ServerOnly(name) => format!(
            "{call} runs in the browser, where `{name}` is empty: it fails for every visitor, and under a public name the key would let anyone {harm}"
        ),
        Key::Unknown => {
            format!("{call} is told to run in the browser: any visitor can copy its key and {harm}")
        }
    };
    let bare = match key {
        Key::Inlined(name) | Key::ServerOnly(name) => {
            let behind = program.variable_behind(*name);
            program.inlined_name(used.at.file, behind).unwrap_or(behind.as_str())
        }
        _ => {
            let known = vendor.envs.iter().find(|env| env.secret && !env.name.contains('*'));
            known.map_or("API_KEY", |env| env.name.as_str())
        }
    };
    let place = program.call_place(used.at);
    let home = home(program, used.at.file, bare);
    report
        .at(place, format!("{} {bare}", vendor.id), message)
        .trace(way_to_browser(program, used.at.file, place, "the call with the key"))
        .help(format!(
            "Make this call in {} with the key from {}, after checking who asks, and let the browser call that.",
            home.place, home.read
        ))
        .vendor(id(vendor))
        .confidence(confidence);
}

/// What is called, for the message.
fn call(program: &Program, used: &KeyUse, vendor: &Vendor) -> String {
    match &used.way {
        Way::Client(..) => format!("this {} client", vendor.name),
        Way::Header(_) | Way::Query(_) => {
            let mut known = program.vendors_at(used.at).iter().filter(|other| other.vendor == used.vendor);
            // Without a host there is nothing to show but a path.
            let named = known.next().map(|other| other.name.as_str()).filter(|name| name.contains('.'));
            match named {
                Some(name) => format!("the {} request `{name}`", vendor.name),
                None => format!("this request to {}", vendor.name),
            }
        }
    }
}
