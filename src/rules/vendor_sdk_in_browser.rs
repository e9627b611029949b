//! `vendor-sdk-in-browser`: a vendor's server API is called from the browser, with its secret.

use super::browser_secrets::{harm, id, is_secret, is_secret_for, on_the_server, way_to_browser};
use crate::catalogue::{Runs, Vendor};
use crate::facts::ExprKind;
use crate::finding::Confidence;
use crate::manifest::EnvValue;
use crate::names::Name;
use crate::program::bundling::Nature;
use crate::program::credentials::{KeyUse, Way};
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
    /// ```tsx path=src/main.tsx
    /// import OpenAI from "openai";
    ///
    /// const openai = new OpenAI({
    ///   apiKey: import.meta.env.VITE_OPENAI_API_KEY,
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
    /// ```tsx path=src/main.tsx
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
    let path = program.file(used.at.file).path;
    let mut found = None;
    for part in &used.key {
        match part {
            Value::Env(name) => {
                let inlined = program.inlined_name(path, *name);
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
                let tokens = program.catalogue.tokens(text);
                if let Some(token) = tokens.iter().find(|token| is_secret(token)) {
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
    let call = match &used.way {
        Way::Client(..) => format!("this {} client", vendor.name),
        Way::Header(_) | Way::Query(_) => format!("this request to {}", vendor.name),
    };
    let harm = harm(Some(vendor));
    let message = match key {
        Key::Inlined(name) => {
            format!("{call} runs in the browser with the secret from `{name}`: any visitor can copy it and {harm}")
        }
        Key::Written(masked) => format!(
            "{call} runs in the browser with a secret in the code ({masked}): any visitor can copy it and {harm}"
        ),
        Key::ServerOnly(name) => format!(
            "{call} runs in the browser, where `{name}` is empty: it fails for every visitor, and giving the variable a public name would let anyone {harm}"
        ),
        Key::Unknown => format!("{call} is told to run in the browser: any visitor can copy its key and {harm}"),
    };
    let bare = match key {
        Key::Inlined(name) | Key::ServerOnly(name) => {
            program.inlined_name(program.file(used.at.file).path, *name).unwrap_or(name.as_str()).to_owned()
        }
        _ => vendor
            .envs
            .iter()
            .find(|env| env.secret && !env.name.contains('*'))
            .map_or("API_KEY".to_owned(), |env| env.name.clone()),
    };
    let place = program.call_place(used.at);
    let help = format!(
        "Make this call {}, after checking who asks; let the browser call that function.",
        on_the_server(program, used.at.file, &bare)
    );
    report
        .at(place, format!("{} {}", vendor.id, bare), message)
        .trace(way_to_browser(program, used.at.file, place, "the call with the key"))
        .help(help)
        .vendor(id(vendor))
        .confidence(confidence);
}
