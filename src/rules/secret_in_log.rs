//! Secrets in logs, in messages of errors, and in answers to callers.

use crate::catalogue::{Scheme, VendorId};
use crate::facts::{ExprKind, FunctionId};
use crate::finding::{Confidence, Severity};
use crate::program::secrets::disclosure::{Disclosure, Outlet};
use crate::program::secrets::exposure::{Exposed, Secret};
use crate::program::secrets::url_keys::Tellings;
use crate::program::{CallRef, ExprRef, FunctionRef, Program};
use crate::rule;
use crate::rule::Report;
use crate::rules::browser_secrets::harm;

rule! {
    /// A secret is written to a log, an error message or an answer
    ///
    /// Logs are read by many: everyone with access to the host's console, the log vendor, the AI assistant that is
    /// asked to debug, whoever gets a pasted stack trace. A key, a customer's token or a reset link in them is as good
    /// as published, and stays there after the bug is found.
    ///
    /// Counted are credentials and what holds them: variables with a vendor's key, the `Authorization` header or all
    /// headers or cookies of a request, the whole environment, a client's configuration, the signature that a webhook expects, a
    /// link that resets a password, an OAuth answer with its tokens, a logger that prints the body of every answer; in
    /// errors and answers to callers too. So are exceptions of HTTP clients that say the URL they asked for, when a
    /// key stands in that URL. The first characters of a key count as far as they say more than whose key it is.
    ///
    /// ## Silent when
    ///
    /// - only whether it is set is logged (`!!key`, `key ? "set" : "missing"`), its length, its end, or a masked form;
    /// - the key is publishable, or is answered to a page of the app's own that draws a map with it;
    /// - the line runs in development only (a test for "not production" is no such thing where the platform does not
    ///   set the mode, as in Supabase's edge functions), in scripts and tests;
    /// - the answer that is logged has failed, and so holds no token;
    /// - the code runs in browsers only: a visitor's own console;
    /// - what is spread into the logged object is written over (`{ ...body, password: "***" }`), or taken out before
    ///   (`const { password, ...rest } = body`);
    /// - a logger is told what to take out (`redact`).
    ///
    /// ## The cure
    ///
    /// Log whether it is there, or an id that finds the action again; and replace what has been logged already.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/notify/index.ts
    /// Deno.serve(async (req) => {
    ///   console.log("incoming", Object.fromEntries(req.headers.entries()));
    ///   const key = Deno.env.get("RESEND_API_KEY");
    ///   console.log("sending with", key);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/notify/index.ts
    /// Deno.serve(async (req) => {
    ///   console.log("incoming", { method: req.method, id: req.headers.get("x-request-id") });
    ///   const key = Deno.env.get("RESEND_API_KEY");
    ///   console.log("sending", { hasKey: Boolean(key) });
    ///   return new Response("ok");
    /// });
    /// ```
    id: "secret-in-log", severity: Warning, confidence: High, section: "Secrets",
    security: Some(6.5), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let tellings = program.tellings();
    let all = program.disclosures(&tellings);
    // What one function tells of in several places is one finding.
    let mut told: Vec<Key> = Vec::new();
    for disclosure in &all {
        let key = key(program, disclosure, &tellings);
        if told.contains(&key) {
            continue;
        }
        let same = |other: &&Disclosure| other.at != disclosure.at && self::key(program, other, &tellings) == key;
        let others: Vec<&Disclosure> = all.iter().filter(same).collect();
        tell(program, report, disclosure, &others, &tellings);
        told.push(key);
    }
}

/// What makes two places one finding: the function, and what leaves there; of exceptions the request.
#[derive(PartialEq)]
struct Key {
    function: FunctionRef,
    request: Option<CallRef>,
    outlet: Option<Outlet>,
    what: Vec<String>,
}

fn key(program: &Program, disclosure: &Disclosure, tellings: &Tellings) -> Key {
    let file = disclosure.at.file;
    let function = function_around(program, disclosure.at);
    if let [Exposed { secret: Secret::Caught(block), .. }] = disclosure.secrets[..]
        && let Some(telling) = tellings.blocks.get(&(file, block))
    {
        return Key { function, request: Some(telling.call), outlet: None, what: vec![] };
    }
    let what = disclosure.secrets.iter().map(|exposed| what(exposed, tellings)).collect();
    Key { function, request: None, outlet: Some(disclosure.outlet), what }
}

/// The innermost function around an expression.
fn function_around(program: &Program, at: ExprRef) -> FunctionRef {
    let place = program.place(at).span;
    let within = program.facts(at.file).functions.iter().enumerate();
    let within = within.filter(|(_, function)| function.span.contains(place));
    let innermost = within.min_by_key(|(_, function)| function.span.end - function.span.start);
    FunctionRef::new(at.file, innermost.map_or(FunctionId::MODULE, |(at, _)| FunctionId(at as u32)))
}

/// Whether what leaves are headers of a delivery that is signed: a signature over one body serves nobody else.
fn is_signature_of_one(program: &Program, function: FunctionRef, secret: Secret) -> bool {
    let signed = |vendor: VendorId| {
        let mut webhooks = program.catalogue.vendor(vendor).webhooks.iter();
        webhooks.any(|webhook| matches!(webhook.scheme, Scheme::Hmac | Scheme::Asymmetric))
    };
    match secret {
        Secret::Headers => {}
        Secret::Header(name) if !name.eq_ignore_ascii_case("authorization") => {}
        _ => return false,
    }
    let handlers = program.webhook_handlers().iter();
    let entry = |at: usize| program.entries[at].function;
    let mut handlers = handlers.filter(|handler| !handler.by_name && handler.vendor.is_some_and(signed));
    handlers.any(|handler| {
        let own = program.with_inner(entry(handler.entry)).contains(&function);
        // What else comes in at the same door may bring the caller's own token.
        own && !handler.serves_others && !reads_authorization(program, entry(handler.entry))
            || program.calls_in(function).any(|at| {
                program.callee(at).externals().any(|external| {
                    let found = program.catalogue.verifier(external.package, &external.segs);
                    found.is_some_and(|found| found.vendor.is_some_and(signed))
                })
            })
    })
}

/// Whether a function reads the `Authorization` header.
fn reads_authorization(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Text(name) | ExprKind::Member(_, name) => name.eq_ignore_ascii_case("authorization"),
        _ => false,
    })
}

fn tell(program: &Program, report: &mut Report, disclosure: &Disclosure, others: &[&Disclosure], tellings: &Tellings) {
    let Some(first) = disclosure.secrets.first() else { return };
    let whats: Vec<String> = disclosure.secrets.iter().map(|exposed| what(exposed, tellings)).collect();
    let name = &disclosure.name;
    // A server of the app's own that asks for what it needs.
    let function = function_around(program, disclosure.at);
    let origins = if disclosure.outlet == Outlet::Answer { program.origins(function) } else { vec![] };
    let own = !origins.is_empty() && origins.iter().all(|origin| program.brings_own_secret(origin.entry));
    let (does, reader) = match disclosure.outlet {
        Outlet::Log => (format!("{name} writes {} to the log", listed(&whats)), "whoever reads the logs"),
        Outlet::Error => (format!("the message of {name} holds {}", listed(&whats)), "whoever sees the error"),
        Outlet::Answer => {
            let reader = if own { "whoever holds the secret that it asks for" } else { "whoever calls" };
            (format!("{name} answers the caller with {}", listed(&whats)), reader)
        }
    };
    let signed = is_signature_of_one(program, function_around(program, disclosure.at), first.secret);
    let message = match signed {
        true => format!("{does}: {reader} can send that delivery again while its signature holds"),
        false if first.head.is_some() => match is_connection(first.secret) {
            true => format!("{does}: {reader} sees its user, and its password where that much shows it"),
            false => format!("{does}, more than says whose it is: that much of it is no secret to {reader} any longer"),
        },
        false => format!("{does}: {reader} can {}", consequence(program, first)),
    };
    let subject = subject(first);
    let mut draft = report
        .at(program.place(disclosure.at), subject, message)
        .help(cure(program, disclosure, first))
        .confidence(if signed { Confidence::Medium } else { confidence(&disclosure.secrets) });
    if own || disclosure.secrets.iter().all(|exposed| exposed.head.is_some()) {
        draft = draft.severity(Severity::Note);
    }
    if let Some(other) = disclosure.other {
        let text = if program.is_logging(other) { "written here" } else { "comes from here" };
        draft = draft.because(program.call_place(other), text);
    }
    for other in others {
        draft = draft.because(program.place(other.at), "and here");
    }
    for exposed in &disclosure.secrets {
        if let Some(vendor) = vendor(exposed) {
            draft = draft.vendor(program.vendor_id(vendor));
        }
        if let Secret::Caught(block) = exposed.secret
            && let Some(telling) = tellings.blocks.get(&(exposed.at.file, block))
        {
            let text = format!("{} stands in the URL of this request", telling.key.name());
            draft = draft.because(program.call_place(telling.call), text);
        } else if !program.place(disclosure.at).span.contains(program.place(exposed.at).span)
            || exposed.at.file != disclosure.at.file
        {
            draft = draft.because(program.place(exposed.at), "read here");
        }
    }
}

fn vendor(exposed: &Exposed) -> Option<VendorId> {
    if let Secret::Variable(_, vendor) = exposed.secret { vendor } else { None }
}

fn listed(whats: &[String]) -> String {
    match whats {
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        [] => String::new(),
    }
}

fn what(exposed: &Exposed, tellings: &Tellings) -> String {
    let part = match exposed.head {
        Some(head) => format!("the first {head} characters of "),
        None => String::new(),
    };
    let whole = match exposed.secret {
        Secret::Variable(name, _) => name.to_string(),
        Secret::Environment => "the whole environment".to_owned(),
        Secret::Header(name) => format!("the caller's {} header", name.to_ascii_lowercase()),
        Secret::Headers => "all headers of the request".to_owned(),
        Secret::Cookies => "every cookie of the request".to_owned(),
        Secret::Signature => "the signature it expects".to_owned(),
        Secret::Link => "a link that lets its holder into an account".to_owned(),
        Secret::Named(name) => format!("`{name}`"),
        Secret::Holds(name) | Secret::Granted(name) => format!("an object that holds `{name}`"),
        Secret::Bodies => "the body of every answer".to_owned(),
        Secret::Caught(block) => match tellings.blocks.get(&(exposed.at.file, block)) {
            Some(telling) => {
                format!("an exception of {} that says the URL with {}", telling.client, telling.key.name())
            }
            None => "an exception".to_owned(),
        },
    };
    part + &whole
}

fn consequence(program: &Program, exposed: &Exposed) -> String {
    match exposed.secret {
        Secret::Variable(name, _) if name.ends_with("WEBHOOK_URL") => "post there in the name of this app".to_owned(),
        secret if is_connection(secret) => "read and change every customer's data".to_owned(),
        Secret::Variable(name, Some(vendor)) if !name.contains("WEBHOOK_SECRET") => {
            let vendor = program.catalogue.vendor(vendor);
            format!("{} at {}", harm(Some(vendor)), vendor.name)
        }
        Secret::Variable(name, _) if name.contains("WEBHOOK") => {
            "forge deliveries, a payment that never happened among them".to_owned()
        }
        Secret::Environment => "use every key of this app".to_owned(),
        Secret::Header(_) | Secret::Headers | Secret::Cookies => {
            "act as the customer or service that called".to_owned()
        }
        Secret::Signature => "send that forged delivery with the right signature".to_owned(),
        Secret::Link => "take over the customer's account".to_owned(),
        Secret::Named(name) | Secret::Holds(name) if name.to_ascii_lowercase().contains("pass") => {
            "log in as that customer".to_owned()
        }
        Secret::Named(_) | Secret::Holds(_) | Secret::Granted(_) => {
            "use it in the name of whoever it was given to".to_owned()
        }
        Secret::Bodies => "read what customers are sent, their tokens among it".to_owned(),
        Secret::Variable(..) | Secret::Caught(_) => "use the key as if they were this app".to_owned(),
    }
}

/// Whether a variable holds how to reach a database, its user and password at the beginning.
fn is_connection(secret: Secret) -> bool {
    matches!(secret, Secret::Variable(name, _) if name.contains("DATABASE_URL") || name.contains("CONNECTION_STRING"))
}

fn confidence(secrets: &[Exposed]) -> Confidence {
    let sure = secrets.iter().any(|exposed| {
        matches!(
            exposed.secret,
            Secret::Variable(..) | Secret::Environment | Secret::Header(_) | Secret::Headers | Secret::Caught(_)
        ) && exposed.head.is_none()
    });
    if sure { Confidence::High } else { Confidence::Medium }
}

fn subject(exposed: &Exposed) -> String {
    match exposed.secret {
        Secret::Variable(name, _)
        | Secret::Named(name)
        | Secret::Holds(name)
        | Secret::Granted(name)
        | Secret::Header(name) => name.to_string(),
        Secret::Environment => "environment".to_owned(),
        Secret::Headers => "headers".to_owned(),
        Secret::Cookies => "cookies".to_owned(),
        Secret::Signature => "signature".to_owned(),
        Secret::Link => "link".to_owned(),
        Secret::Bodies => "bodies".to_owned(),
        Secret::Caught(_) => "exception".to_owned(),
    }
}

fn cure(program: &Program, disclosure: &Disclosure, first: &Exposed) -> String {
    let script = program.facts(disclosure.at.file).language.is_script();
    let read = spelled(program, first.at);
    match (first.secret, disclosure.outlet) {
        (Secret::Caught(_), _) if script => {
            "Log what failed without the request: `error.response?.status`, and send the key in a header.".to_owned()
        }
        (Secret::Caught(_), _) => {
            "Log the kind and the status instead: `type(e).__name__, getattr(getattr(e, \"response\", None), \"status_code\", None)`, and send the key in a header where the vendor takes one.".to_owned()
        }
        (Secret::Granted(_), Outlet::Answer) => {
            "Keep them on the server, where they are stored: answer with what the page shows, such as the account's address.".to_owned()
        }
        (_, Outlet::Answer) => "Keep it on the server: answer with what the caller needs, not with what you need.".to_owned(),
        (_, Outlet::Error) => "Say in the message what is wrong, not the value.".to_owned(),
        (Secret::Headers, _) if script => {
            "Log the headers that help, by name: `{ requestId: req.headers.get(\"x-request-id\") }` (in Express `req.get(..)`).".to_owned()
        }
        (Secret::Headers, _) => "Log the headers that help, by name: `request.headers.get(\"X-Request-Id\")`.".to_owned(),
        (Secret::Cookies, _) => "Log which cookies there are, by their names alone.".to_owned(),
        (Secret::Environment, _) => "Log the names of what is missing: the values stay where they are.".to_owned(),
        (Secret::Signature, _) => "Log that the signature did not match, and the delivery's id.".to_owned(),
        (Secret::Link, _) => "Log to which user it was sent, never the link.".to_owned(),
        (Secret::Bodies, _) => "Log method, path, status and duration; of bodies at most their size.".to_owned(),
        (Secret::Holds(_) | Secret::Granted(_), _) => "Log the parts that help, by name, such as the status or `expires_in`.".to_owned(),
        (_, Outlet::Log) if script => format!("Log whether it is there: `{{ has: Boolean({read}) }}`."),
        (_, Outlet::Log) => format!("Log whether it is there: `bool({read})`."),
    }
}

/// An expression as the code has it, when it is a name.
fn spelled(program: &Program, at: ExprRef) -> String {
    let facts = program.facts(at.file);
    match facts.expr(at.expr) {
        ExprKind::Ref(..) | ExprKind::Member(..) => {
            let mut parts = Vec::new();
            let mut next = Some(at.expr);
            while let Some(here) = next {
                next = match *facts.expr(here) {
                    ExprKind::Member(base, name) => {
                        parts.push(name.to_string());
                        Some(base)
                    }
                    ExprKind::Ref(name, _) => {
                        parts.push(name.to_string());
                        None
                    }
                    _ => None,
                };
            }
            parts.reverse();
            parts.join(".")
        }
        _ => "key".to_owned(),
    }
}
