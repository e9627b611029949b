//! Writes and sends of SDKs that return their errors, where nobody looks at the error.

use std::collections::BTreeMap;
use std::slice;

use crate::catalogue::{Effect, Operation, Reports};
use crate::finding::Severity;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{EntryKind, FunctionRef, Program, VendorUse};
use crate::rule::Report;

mod cures;
mod renewed;
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
    /// For auditors only, one a function: writes to the app's own backend from the browser, what a page sends and does
    /// not wait for, writes of logs and tables of
    /// events that decide nothing, of caches (access tokens, answers that are asked for again when the row is
    /// missing), of times, counts and states of synchronising, and of code that no entry point of the server leads to.
    ///
    /// ## The cure
    ///
    /// Take `error` out of the answer and stop: throw it, or answer an error. In a webhook handler that makes the
    /// vendor deliver again. After a message that is out, or a row that stands, an error has somebody do all of it
    /// again: there, log it and say in the answer what is missing. In a loop, note it and go on with the next. A token
    /// that was renewed just now works, stored or not: log it and go on.
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
    /// It goes into the log as a whole, and what it was to do is then recorded as done.
    logged: bool,
}

fn check(program: &Program, report: &mut Report) {
    let mut functions: BTreeMap<FunctionRef, Vec<Dropped<'_>>> = BTreeMap::new();
    for used in program.vendor_uses() {
        let Some(operation) = program.operation(used).filter(|operation| counts(operation)) else { continue };
        let side = program.side(used.at.file);
        if side.tooling || side.dead || !program.gives_errors(used) || program.asks_function(used) {
            continue;
        }
        let seen = program.error_is_seen(used.at);
        let logged = seen
            && operation.effect == Effect::Send
            && program.is_only_told(used.at)
            && (program.records_success_after(used.at) || program.answers_success_of(used.at));
        let but_one = seen && !logged;
        if but_one && !program.one_error_is_seen(used.at) {
            continue;
        }
        functions.entry(program.function_of(used.at)).or_default().push(Dropped {
            used,
            operation,
            stake: Stake::Little,
            but_one,
            logged,
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
        // Nobody waits for it: the page does not tell that it went well.
        let core = sends && !program.is_left_alone(used.at) && program.is_core_step(program.function_of(used.at));
        return if core { Stake::Core } else { Stake::Little };
    }
    if sends {
        return Stake::Message;
    }
    let in_webhook = program.is_webhook_work(used.at, origins);
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
    let Some(&Dropped { used, operation, stake, but_one, logged }) = all.first() else { return };
    let table = program.named_table(used).filter(|_| program.catalogue.vendor(used.vendor).own_backend);
    let what = match table {
        Some(table) => format!("{} on {table:?}", used.name),
        None => used.name.clone(),
    };
    // What speaks of deliveries shows how one comes here.
    let delivered =
        |origin: &&Origin| stake == Stake::Webhook && program.is_webhook_work(used.at, slice::from_ref(*origin));
    let started = |origin: &&Origin| program.entries[origin.entry].kind != EntryKind::Script;
    let origin = origins.iter().find(delivered).or_else(|| origins.iter().find(started));
    let who = origin.map(|origin| program.entry_name(&program.entries[origin.entry]));
    let giver = program.giver_of_errors(used.at);
    let older = giver.filter(|(_, reports)| *reports == Reports::Answered).map(|(package, _)| package);
    let gives = match older {
        Some(_) => "hands an error over as if it were an answer, in the version in use here,",
        None => "returns its error",
    };
    let mut consequence = consequence(program, used, operation, stake, who);
    let mut seen = "and nobody looks at it";
    if but_one {
        seen = "of which one code alone is looked for";
        consequence = consequence.replacen("when it fails,", "when it fails otherwise,", 1);
    }
    if logged {
        seen = match program.is_only_logged(used.at) {
            true => "which only goes into the log with the rest",
            false => "which only goes into the answer with the rest",
        };
        consequence = "when it fails, the message is lost, and it is recorded as sent".to_owned();
    }
    let gives = if logged && older.is_none() { "returns its error," } else { gives };
    let gives = if but_one && older.is_none() { "returns its error," } else { gives };
    let message = format!("{what} {gives} {seen}: {consequence}");
    let help = match older {
        Some(package) => cures::raise(package),
        None if but_one => OTHERS_TOO.to_owned(),
        None => {
            let others = all[1..].iter().map(|other| (other.used, other.stake));
            cures::of_all(program, (used, stake), others, origins, origin)
        }
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

fn consequence(
    program: &Program,
    used: &VendorUse,
    operation: &Operation,
    stake: Stake,
    who: Option<String>,
) -> String {
    let who = who.unwrap_or_else(|| "the code".to_owned());
    // `rpc("vault_delete_secret")`
    let removes = |name: &str| {
        words(name).iter().any(|word| matches!(word.as_str(), "delete" | "remove" | "revoke" | "clear" | "purge"))
    };
    let by_function = program.database_function(used.at).is_some_and(|name| removes(&name));
    let lost = match operation.effect {
        Effect::Send => "the message is lost",
        Effect::Invoke => "the function's work is lost",
        Effect::Delete => "nothing is deleted",
        _ if by_function => "nothing is deleted",
        Effect::Upload => "the file is not stored",
        _ => "nothing is stored",
    };
    match stake {
        Stake::Webhook => format!("when it fails, {lost}, and the vendor is told that its event was handled"),
        Stake::Core => format!("when it fails, {lost}, and the customer is told that all went well"),
        _ => format!("when it fails, {lost}, and {who} goes on as if it had worked"),
    }
}
