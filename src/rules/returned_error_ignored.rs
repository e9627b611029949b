//! Writes and sends of SDKs that return their errors, where nobody looks at the error.

use std::collections::BTreeMap;

use crate::catalogue::{Effect, Operation, Package, Reports};
use crate::facts::ExprKind;
use crate::finding::Severity;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, FunctionRef, Program, VendorUse};
use crate::rule::Report;

mod wrappers;

crate::rule! {
    /// An SDK returns its error, and nobody looks at it
    ///
    /// Some SDKs never throw: they answer `{ data, error }`. A `try` around such a call catches nothing, and a call
    /// whose `error` is not read has succeeded as far as the code knows. The mail was not sent, the paid plan was
    /// not stored, and the customer is told that all went well.
    ///
    /// Wrappers of your own that report by returning (`{ success: false }`, `false`, `None`) count too, when a
    /// caller drops what they return and goes on as if it had worked.
    ///
    /// ## Silent when
    ///
    /// - the error is tested, thrown, returned, logged or handed on, here, in a callback or by a caller
    /// - the answer as a whole is, or the `data` is tested
    /// - the query is told to throw
    /// - it reads, signs out, or runs only when something has failed already
    /// - the version in use throws: what an import names or a lockfile holds, else what the manifest asks for
    ///
    /// For auditors only, one a function: writes to the app's own backend from the browser, of logs and tables of
    /// events that decide nothing, of caches (access tokens, answers that are asked for again when the row is
    /// missing), of times, counts and states of synchronising, and of code that no entry point of the server leads to.
    ///
    /// ## The cure
    ///
    /// Take `error` out of the answer and stop: throw it, or answer an error. In a webhook handler that makes the
    /// vendor deliver again.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/invite/index.ts
    /// import { Resend } from "npm:resend@4";
    ///
    /// const resend = new Resend(Deno.env.get("RESEND_API_KEY"));
    ///
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   await resend.emails.send({ from: "team@acme.test", to: email, subject: "Join us", html: "<p>Hi</p>" });
    ///   return Response.json({ sent: true });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/invite/index.ts
    /// import { Resend } from "npm:resend@4";
    ///
    /// const resend = new Resend(Deno.env.get("RESEND_API_KEY"));
    ///
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   const { error } = await resend.emails.send({
    ///     from: "team@acme.test", to: email, subject: "Join us", html: "<p>Hi</p>",
    ///   });
    ///   if (error) return Response.json({ error: "the invitation could not be sent" }, { status: 502 });
    ///   return Response.json({ sent: true });
    /// });
    /// ```
    id: "returned-error-ignored", severity: Warning, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

/// The cure where one code of an error is looked for.
const OTHERS_TOO: &str = "Look for the others, too: `if (error?.code === \"..\") { .. } else if (error) { .. }`. Report them there, and take \
     back what was done before, or leave a way to try again.";

/// What hangs on a call, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stake {
    /// A message to somebody.
    Message,
    /// The work of a webhook.
    Webhook,
    /// Somebody signs up, logs in or pays.
    Core,
    /// An answer or a record on the server.
    Answer,
    /// For auditors.
    Little,
}

/// An answer that nobody looks at.
struct Dropped<'p> {
    used: &'p VendorUse,
    operation: &'p Operation,
    stake: Stake,
    /// One code of its error is looked for, and any other is lost.
    but_one: bool,
}

fn check(program: &Program, report: &mut Report) {
    let mut functions: BTreeMap<FunctionRef, Vec<Dropped<'_>>> = BTreeMap::new();
    for used in program.vendor_uses() {
        let Some(operation) = program.operation(used).filter(|operation| counts(operation)) else { continue };
        let side = program.side(used.at.file);
        if side.tooling || side.dead || !program.gives_errors(used) || program.asks_function(used) {
            continue;
        }
        let but_one = program.error_is_seen(used.at);
        if but_one && !program.one_error_is_seen(used.at) {
            continue;
        }
        functions.entry(program.function_of(used.at)).or_default().push(Dropped {
            used,
            operation,
            stake: Stake::Little,
            but_one,
        });
    }
    for (function, mut dropped) in functions {
        let origins = program.origins(function);
        if program.is_run_by_hand(&origins) {
            continue;
        }
        for dropped in &mut dropped {
            dropped.stake = stake(program, dropped.used, dropped.operation, &origins);
        }
        // That a delivery was here before is the one error that is asked for where repeats are turned away.
        dropped.retain(|dropped| !dropped.but_one || !matches!(dropped.stake, Stake::Webhook | Stake::Little));
        // One finding a function: the same repair mends them all.
        if dropped.iter().any(|dropped| dropped.stake != Stake::Little) {
            dropped.retain(|dropped| dropped.stake != Stake::Little);
        }
        dropped.sort_by_key(|dropped| (dropped.stake, dropped.used.at));
        tell(program, report, &dropped, &origins);
    }
    wrappers::check(program, report);
}

/// Whether an operation changes or sends something.
fn counts(operation: &Operation) -> bool {
    !operation.harmless
        && matches!(
            operation.effect,
            Effect::Create | Effect::Send | Effect::Update | Effect::Delete | Effect::Upload | Effect::Invoke
        )
}

fn stake(program: &Program, used: &VendorUse, operation: &Operation, origins: &[Origin]) -> Stake {
    if program.is_after_failure(used.at) {
        return Stake::Little;
    }
    let own = program.catalogue.vendor(used.vendor).own_backend;
    let sends = operation.effect == Effect::Send
        || operation.effect == Effect::Invoke && program.leads_to_vendor(used.at)
        || !own && operation.effect == Effect::Create;
    if !program.runs_on_server(used.at.file) {
        let core = sends && program.is_core_step(program.function_of(used.at));
        return if core { Stake::Core } else { Stake::Little };
    }
    if sends {
        return Stake::Message;
    }
    let in_webhook = program.is_webhook_work(origins);
    // A log in which deliveries, or messages, are looked up before they are handled or sent is more than a log.
    let record = || {
        let asked =
            || in_webhook && program.named_table(used).is_some_and(|table| program.is_asked(table, used.at.file));
        program.is_for_the_record(used) && !asked() && !program.remembers_message(used)
    };
    if program.is_bookkeeping(used) || record() || program.fills_cache(used) || is_for_show(program, origins) {
        return Stake::Little;
    }
    if in_webhook {
        return Stake::Webhook;
    }
    // Sweeping up on the way to something else.
    if operation.effect == Effect::Delete && !is_about_deleting(program, used, origins) {
        return Stake::Little;
    }
    if program.is_served(origins) { Stake::Answer } else { Stake::Little }
}

/// Whether all that starts it is there to fill a system with examples: `create-demo-users`.
fn is_for_show(program: &Program, origins: &[Origin]) -> bool {
    let says = |origin: &Origin| {
        let name = program.entry_name(&program.entries[origin.entry]);
        words(&name).iter().any(|word| matches!(word.as_str(), "demo" | "seed" | "sample" | "mock"))
    };
    !origins.is_empty() && origins.iter().all(says)
}

/// Whether the function or its entry point is there to delete.
fn is_about_deleting(program: &Program, used: &VendorUse, origins: &[Origin]) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["delete", "remove", "erase", "purge", "retention", "revoke", "unsubscribe", "cancel", "close", "gdpr"]
            .iter()
            .any(|word| text.contains(word))
    };
    says(&program.function_name(program.function_of(used.at)))
        || origins.iter().any(|origin| says(&program.entry_name(&program.entries[origin.entry])))
}

fn tell(program: &Program, report: &mut Report, all: &[Dropped<'_>], origins: &[Origin]) {
    let Some(&Dropped { used, operation, stake, but_one }) = all.first() else { return };
    let table = program.named_table(used).filter(|_| program.catalogue.vendor(used.vendor).own_backend);
    let what = match table {
        Some(table) => format!("{} on {table:?}", used.name),
        None => used.name.clone(),
    };
    let origin = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    let who = origin.map(|origin| program.entry_name(&program.entries[origin.entry]));
    let giver = program.giver_of_errors(used.at);
    let older = giver.filter(|(_, reports)| *reports == Reports::Answered).map(|(package, _)| package);
    let gives = match older {
        Some(_) => "hands an error over as if it were an answer, in the version in use here,",
        None => "returns its error",
    };
    let mut consequence = consequence(operation, stake, who);
    let mut seen = "and nobody looks at it";
    if but_one {
        seen = "of which one code alone is looked for";
        consequence = consequence.replacen("when it fails,", "when it fails otherwise,", 1);
    }
    let gives = if but_one && older.is_none() { "returns its error," } else { gives };
    let message = format!("{what} {gives} {seen}: {consequence}");
    let help = match older {
        Some(package) => raise(package),
        None if but_one => OTHERS_TOO.to_owned(),
        None => help(program, used, stake, origins),
    };
    let mut draft = report
        .at(program.call_place(used.at), used.name.clone(), message)
        .vendor(program.vendor_id(used.vendor))
        .help(help);
    if let Some(origin) = origin.filter(|_| stake != Stake::Little) {
        draft = draft.trace(program.trace_from(origin, used.at, "drops the error here"));
    }
    for other in &all[1..] {
        let name = other.used.name.rsplit('.').next().unwrap_or(&other.used.name);
        let text = match program.named_table(other.used) {
            Some(table) => format!("nor at that of {name} on {table:?}"),
            None => format!("nor at that of {}", other.used.name),
        };
        draft = draft.because(program.call_place(other.used.at), text);
    }
    if stake == Stake::Little {
        draft.severity(Severity::Note).auditor_only();
    }
}

fn consequence(operation: &Operation, stake: Stake, who: Option<String>) -> String {
    let who = who.unwrap_or_else(|| "the code".to_owned());
    let lost = match operation.effect {
        Effect::Send => "the message is lost",
        Effect::Invoke => "the function's work is lost",
        Effect::Delete => "nothing is deleted",
        Effect::Upload => "the file is not stored",
        _ => "nothing is stored",
    };
    match stake {
        Stake::Webhook => format!("when it fails, {lost}, and the vendor is told that its event was handled"),
        Stake::Core => format!("when it fails, {lost}, and the customer is told that all went well"),
        _ => format!("when it fails, {lost}, and {who} goes on as if it had worked"),
    }
}

/// The cure for a version whose errors look like answers.
fn raise(package: &Package) -> String {
    let name = package.name.split_once(':').map_or(package.name.as_str(), |(_, name)| name);
    let major = package.errors_below.as_ref().map_or(0, |below| below.major);
    match package.reports_now() {
        Reports::Thrown => format!("Raise `{name}` to version {major} or later, which throws when it fails."),
        _ => format!(
            "Raise `{name}` to version {major} or later, and look at the error it returns: `const {{ error }} = await ...; \
             if (error) throw error;`."
        ),
    }
}

/// Whether somebody waits for what a webhook's handler says next, a caller on the line: it answers with orders.
fn gives_orders(program: &Program, origins: &[Origin]) -> bool {
    origins.iter().any(|origin| {
        let function = program.entries[origin.entry].function;
        let facts = program.facts(function.file);
        facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Text(text) => text.contains("<Response") || *text == "text/xml" || *text == "application/xml",
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "VoiceResponse",
            _ => false,
        })
    })
}

/// Whether a row only tells of what was done before it, and cannot be taken back: a notice, a copy of a state, after a
/// message, a payment or a new account.
fn is_afterthought(program: &Program, used: &VendorUse) -> bool {
    const TELLS: &[&str] = &[
        "notification",
        "notifications",
        "notice",
        "notices",
        "audit",
        "log",
        "logs",
        "history",
        "activity",
        "activities",
        "feed",
        "delivery",
        "deliveries",
    ];
    let Some(table) = program.named_table(used) else { return false };
    let facts = program.facts(used.at.file);
    let start = facts.span(facts.call(used.at.call).expr).start;
    let before = |at: &CallRef| facts.span(facts.call(at.call).expr).end <= start;
    let stays = |operation: &Operation, own: bool| {
        operation.money
            || operation.effect == Effect::Send
            || operation.core.is_some() && operation.effect == Effect::Create
            || !own && matches!(operation.effect, Effect::Create | Effect::Delete)
    };
    let done = program.calls_in(program.function_of(used.at)).filter(before).flat_map(|at| program.vendors_at(at));
    let mut done = done.filter(|other| other.at != used.at).filter_map(|other| {
        let own = program.catalogue.vendor(other.vendor).own_backend;
        Some((program.operation(other)?, own, other))
    });
    let tells = words(&table).iter().any(|word| TELLS.contains(&word.as_str()));
    done.any(|(operation, own, other)| {
        let written = own && tells && matches!(operation.effect, Effect::Create | Effect::Update);
        stays(operation, own) || written && program.error_is_seen(other.at)
    })
}

/// Whether what starts it runs again by itself.
fn is_tried_again(program: &Program, origins: &[Origin]) -> bool {
    origins.iter().any(|origin| matches!(program.entries[origin.entry].kind, EntryKind::Job | EntryKind::Worker))
}

fn help(program: &Program, used: &VendorUse, stake: Stake, origins: &[Origin]) -> String {
    let call = used.name.rsplit('.').next().unwrap_or(&used.name);
    if stake == Stake::Webhook && gives_orders(program, origins) {
        return format!(
            "Look at what {call} returns, report it, and answer as before: `const {{ error }} = await ...; if (error) \
             console.error(error);`. An answer of 500 would end the caller's call, and nothing is delivered again: \
             keep what was not stored where a job tries it again."
        );
    }
    if stake == Stake::Answer && is_afterthought(program, used) && !is_tried_again(program, origins) {
        return format!(
            "Look at what {call} returns and report it: `const {{ error }} = await ...; if (error) console.error(error);`. What \
             was done before it stands: an error answered here has the customer do all of it again."
        );
    }
    let then = match stake {
        Stake::Webhook => "throw it, so that the handler answers 500 and the vendor delivers again",
        Stake::Core => "report it; a `catch` around the call never sees it",
        _ => "throw it or answer an error",
    };
    let takes_throw = program.throws_after(used).map(|name| format!(", or add `.{name}()` to the query"));
    format!(
        "Look at what {call} returns and {then}: `const {{ error }} = await ...; if (error) throw error;`{}.",
        takes_throw.unwrap_or_default()
    )
}
