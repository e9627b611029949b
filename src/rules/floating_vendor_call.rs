//! Calls of vendors and writes that are started and left.

use rustc_hash::FxHashSet;

use crate::catalogue::Seg;
use crate::finding::{FileId, Severity};
use crate::program::failures::floating::{Floating, Search};
use crate::program::{CallRef, EntryKind, External, Program, VendorUse};
use crate::rule::Report;

mod tasks;

crate::rule! {
    /// A vendor call or write is started and nobody waits for it
    ///
    /// On serverless hosts the instance is frozen or stopped once the answer is given: a promise that nobody waits
    /// for may never run, or run minutes later. Where its failure is not caught, it is an unhandled rejection: it
    /// ends a Node process, with everybody's requests in it. A coroutine that is not awaited never runs at all.
    ///
    /// ## Silent when
    ///
    /// - it is awaited, returned, kept for later, or handed to `waitUntil`, `after` or a queue
    /// - it has a `.catch` of its own; on a server that keeps running also when it catches inside
    /// - it is analytics, or browser code; for auditors only where it keeps a log or a time of use
    /// - it is a task of Python's that catches inside, on a server that keeps running; where it does not, it is a note
    /// - it writes the stream that is the answer, and closes it only after its work
    /// - no entry point of the server is known to lead to it
    ///
    /// ## The cure
    ///
    /// Await it. Where nobody shall wait, hand it to what keeps the instance alive (`waitUntil`, `after`), or to a
    /// queue.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/order/index.ts
    /// Deno.serve(async (req) => {
    ///   const order = await req.json();
    ///   fetch("https://api.brevo.com/v3/smtp/email", {
    ///     method: "POST",
    ///     headers: { "api-key": Deno.env.get("BREVO_API_KEY")! },
    ///     body: JSON.stringify({ to: [{ email: order.email }] }),
    ///   });
    ///   return Response.json({ ok: true });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/order/index.ts
    /// Deno.serve(async (req) => {
    ///   const order = await req.json();
    ///   EdgeRuntime.waitUntil(
    ///     fetch("https://api.brevo.com/v3/smtp/email", {
    ///       method: "POST",
    ///       headers: { "api-key": Deno.env.get("BREVO_API_KEY")! },
    ///       body: JSON.stringify({ to: [{ email: order.email }] }),
    ///     }).catch(console.error),
    ///   );
    ///   return Response.json({ ok: true });
    /// });
    /// ```
    id: "floating-vendor-call", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    for floating in Search::new(program).all() {
        // The head of a chain says it for the chain.
        let head = program.chain(floating.at).all(|(outer, _)| !told.contains(&outer));
        if head && told.insert(floating.at) {
            tell(program, report, &floating);
        }
    }
}

fn tell(program: &Program, report: &mut Report, floating: &Floating) {
    let origins = program.origins_of(floating.at);
    if !program.is_served(&origins) || program.is_run_by_hand(&origins) {
        return;
    }
    if floating.task {
        return tasks::tell(program, report, floating, &origins);
    }
    let sockets = origins.iter().any(|origin| holds_socket(program, program.entries[origin.entry].function.file));
    let serverless = program.is_serverless(&origins) && !sockets;
    let gathered =
        program.gathered_by(floating.at).is_some_and(|at| program.chain(at).any(|(_, name)| name == "catch"));
    let chained = gathered || program.chain(floating.at).any(|(_, name)| name == "catch" || name == "then");
    if floating.caught && (!serverless || chained) || chained && sockets || program.feeds_answer(floating) {
        return;
    }
    let logged = !serverless && program.logs_rejections(floating.at.file);
    let Some(origin) = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script) else {
        return;
    };
    let entry = &program.entries[origin.entry];
    let what = name_of(program, floating.acts);
    let subject = match program.callee(floating.at).functions().next() {
        Some(function) => program.function_name(function),
        None => what.clone(),
    };
    let script = program.facts(floating.at.file).language.is_script();
    let left = if subject == what {
        format!("{what} is not awaited")
    } else {
        format!("{subject} is not awaited and leads to {what}")
    };
    let who = program.entry_name(entry);
    let never = script && !chained && floating.at == floating.acts && is_lazy(program, floating.at);
    let message = match (script, serverless) {
        _ if never => format!(
            "{what} is never sent: its client asks only when somebody waits for the query, and {who} answers as if it had"
        ),
        (false, _) => format!("{left}: a coroutine that nobody awaits never runs, and {who} answers as if it had"),
        (true, false) if logged => format!(
            "{left}: when it fails, that is only a line in the log of rejections, which does not say what it was for"
        ),
        (true, true) => format!("{left}: when {who} has answered, the instance may stop before it has run"),
        (true, false) => {
            format!("{left}: when it fails, nobody catches that, and the unhandled rejection can end the server")
        }
    };
    let help = match (script, serverless) {
        _ if never => "Await it, and look at what it says: `const { error } = await ...; if (error) throw error`.",
        (false, _) => "Await it: `await ...`.",
        (true, true) if entry.framework.starts_with("next") && !program.has_no_after(entry.function.file) => {
            "Await it, or hand it over: `after(() => send().catch(console.error))` from \"next/server\"."
        }
        (true, true) if entry.framework == "supabase-functions" => {
            "Await it, or hand it over: `EdgeRuntime.waitUntil(send().catch(console.error))`."
        }
        (true, true) => "Await it before answering, or hand it to the platform's `waitUntil(...)`.",
        (true, false) => {
            "Await it, or catch its failure: `send().catch((error) => console.error(\"..\", { id, error }))`."
        }
    };
    let mut draft = report.at(program.call_place(floating.at), subject, message).help(help).trace(program.trace_from(
        origin,
        floating.at,
        "is left here",
    ));
    if floating.acts != floating.at {
        draft = draft.because(program.call_place(floating.acts), format!("what it leads to: {what}"));
    }
    let sends = program.vendors_at(floating.acts).first();
    if let Some(used) = sends {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    // Where a log or a trail is written, little is lost.
    let little = |used: &VendorUse| {
        program.is_bookkeeping(used) || program.named_table(used).is_some_and(|table| program.keeps_record(&table))
    };
    if sends.is_some_and(little) {
        draft.severity(Severity::Note).auditor_only();
    } else if logged {
        draft.severity(Severity::Note);
    }
}

/// What a call asks or writes, in words.
fn name_of(program: &Program, acts: CallRef) -> String {
    match program.vendors_at(acts).first() {
        Some(used) if used.name.contains(['.', ' ']) && !used.name.contains("{}.") => used.name.clone(),
        Some(used) => format!("the request to {}", program.catalogue.vendor(used.vendor).name),
        None => match program.requests_at(acts).first().and_then(|http| program.destination_name(http)) {
            Some(name) => format!("the request to {name}"),
            None => "the database write".to_owned(),
        },
    }
}

/// Whether a query waits for somebody to wait for it.
fn is_lazy(program: &Program, at: CallRef) -> bool {
    program.vendors_at(at).iter().any(|used| {
        let lazy = &program.catalogue.vendor(used.vendor).lazy;
        // The client's own member: `createClient(..).from(..)`, not `.storage.from(..)`.
        let of_client = |external: &External| {
            let mut rest = external.segs.iter().skip_while(|seg| matches!(seg, Seg::Member(_)));
            rest.next();
            matches!(rest.next(), Some(Seg::Member(name)) if lazy.iter().any(|lazy| *name == **lazy))
        };
        program.callee(at).externals().any(of_client)
    })
}

/// Whether a file's server stays for as long as a socket is open.
fn holds_socket(program: &Program, file: FileId) -> bool {
    let facts = program.facts(file);
    facts.calls.iter().any(|call| facts.last_name(call.callee).is_some_and(|name| name == "upgradeWebSocket"))
}
