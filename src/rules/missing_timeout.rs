//! Outbound calls on the server that nothing ever ends.

mod requests;
mod sdks;

use crate::finding::{Place, Remark, Severity};
use crate::names::Name;
use crate::program::origins::Origin;
use crate::program::time::timing::UNSAFE_S;
use crate::program::{CallRef, EntryKind, Program};
use crate::rule::Report;

crate::rule! {
    /// An outbound call on the server without a time limit
    ///
    /// Vendors do not only fail, they hang: the connection stands and no answer comes. Many clients then wait for
    /// ever, or for minutes. The user sees a spinner, the function runs into the platform's limit with its work half
    /// done, and waiting requests pile up until the whole app stops, though only the vendor is ill.
    ///
    /// Which clients have a limit by default is known for each package: they differ even between one vendor's
    /// JavaScript and Python SDK. A default of five minutes or more counts as none.
    ///
    /// ## Silent when
    ///
    /// - the call, the client, the session or the package has a limit, in any file
    /// - an abort signal with a timer, a race against a timer, `asyncio.wait_for`, or a helper that does so, around
    ///   the call or around the whole entry point
    /// - the default is merely long
    /// - it is the app's own backend, its own route, or a URL that cannot be told
    /// - it is browser code (shown to auditors), a script run by hand or what only such scripts call, a test, or dead code
    ///
    /// Retry helpers and a platform's request limit are no time limit.
    ///
    /// ## The cure
    ///
    /// Set the limit where the client is made, or at the call, to what a user would wait.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/geocode/index.ts
    /// Deno.serve(async (req) => {
    ///   const { address } = await req.json();
    ///   const answer = await fetch(`https://api.mapbox.com/search/geocode/v6/forward?q=${encodeURIComponent(address)}`);
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/geocode/index.ts
    /// Deno.serve(async (req) => {
    ///   const { address } = await req.json();
    ///   const answer = await fetch(`https://api.mapbox.com/search/geocode/v6/forward?q=${encodeURIComponent(address)}`, {
    ///     signal: AbortSignal.timeout(10_000),
    ///   });
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    id: "missing-timeout", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    requests::check(program, report);
    sdks::check(program, report);
}

/// What is to be told.
struct Hanging {
    /// Where the limit is missing.
    place: Place,
    /// What has none: `fetch to Brevo`.
    subject: String,
    /// Its default: `has no time limit`.
    default: String,
    /// Who does not answer.
    whom: String,
    /// The call that waits, for who waits with it.
    waits: CallRef,
    /// The cure.
    help: String,
    /// The vendors concerned.
    vendors: Vec<Name>,
    /// The calls that a cure in this place bounds as well.
    calls: Vec<Remark>,
    /// For whom.
    audience: Audience,
}

/// For whom a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everyone,
    /// Nobody can tell whether it leaves the app.
    Unsure,
    /// It runs in the browser.
    Browser,
}

fn tell(program: &Program, report: &mut Report, hanging: Hanging) {
    let origins = program.origins_of(hanging.waits);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let Hanging { place, subject, default, whom, help, .. } = hanging;
    let mut deployed = origins.iter().filter(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    let left = program.is_floating(hanging.waits) && !in_promise(program, hanging.waits);
    let waits = |origin: &&Origin| hanging.audience == Audience::Browser || program.is_waited_for(&origin.way) && !left;
    let waiting = deployed.clone().find(waits);
    let origin = waiting.or_else(|| deployed.next());
    let who = match origin.map(|origin| program.entry_name(&program.entries[origin.entry])) {
        Some(name) if waiting.is_some() => format!("{name} hangs with it"),
        // `thank(order).catch(log)`: the answer is out already.
        Some(name) => format!("what {name} leaves running never ends, and nobody is told that it was not done"),
        None => "its caller hangs with it".to_owned(),
    };
    let message = format!("{subject} {default}: when {whom} does not answer, {who}");
    let help = within(program, help, &origins);
    let mut draft = report.at(place, subject.clone(), message).help(help);
    for vendor in hanging.vendors {
        draft = draft.vendor(vendor);
    }
    for Remark { place, text } in hanging.calls.into_iter().take(8) {
        draft = draft.because(place, text);
    }
    if let Some(origin) = origin {
        let ends = if waiting.is_some() { "waits here without a limit" } else { "runs on here without a limit" };
        draft = draft.trace(program.trace_from(origin, hanging.waits, ends));
    }
    match hanging.audience {
        Audience::Everyone => draft,
        Audience::Unsure => draft.confidence(crate::finding::Confidence::Low),
        Audience::Browser => draft.severity(Severity::Note).auditor_only(),
    };
}

/// Whether a call stands in what a promise is made of, which may be waited for: `new Promise((go) => get(url, go))`.
fn in_promise(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    let span = facts.span(facts.call(call.call).expr);
    program.calls_of(call.file).any(|other| {
        let shape = facts.call(other.call);
        shape.is_new
            && facts.last_name(shape.callee).is_some_and(|name| name == "Promise")
            && facts.span(shape.expr).contains(span)
    })
}

/// A default in words.
fn default_of(seconds: f64) -> String {
    if seconds <= 0.0 {
        "has no time limit".to_owned()
    } else if seconds < UNSAFE_S {
        "has its time limit switched off".to_owned()
    } else {
        format!("waits up to {} minutes by default", (seconds / 60.0).round())
    }
}

/// A cure whose limits come before the platform ends the code that waits.
fn within(program: &Program, help: String, origins: &[Origin]) -> String {
    let waiting = origins.iter().filter(|origin| program.is_waited_for(&origin.way));
    let ended = waiting.filter_map(|origin| {
        let entry = &program.entries[origin.entry];
        program.lifetime(entry).map(|lifetime| (lifetime, entry))
    });
    let Some((lifetime, entry)) = ended.min_by(|one, other| one.0.seconds.total_cmp(&other.0.seconds)) else {
        return help;
    };
    let most = lifetime.leaves();
    if most < 1.0 {
        return help;
    }
    match lowered(&help, most as u32) {
        Some(help) => format!(
            "{help} {} is ended after {} s: a longer limit never comes.",
            program.entry_name(entry),
            lifetime.seconds
        ),
        None => help,
    }
}

/// A text with its limits lowered to some seconds; none when they are short enough.
fn lowered(text: &str, most: u32) -> Option<String> {
    let mut written = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        written.push_str(before);
        let end = number.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        let seconds = match number.strip_suffix("_000") {
            Some(seconds) => seconds.parse::<u32>().ok(),
            None if says_limit(&written) => number.parse().ok(),
            None => None,
        };
        match seconds.filter(|&seconds| seconds > most) {
            Some(_) => {
                changed = true;
                written.push_str(&most.to_string());
                written.push_str(if number.ends_with("_000") { "_000" } else { "" });
            }
            None => written.push_str(number),
        }
        rest = after;
    }
    written.push_str(rest);
    changed.then_some(written)
}

/// Whether a text ends where the seconds of a limit follow: `timeout=`, `timeoutInSeconds: `.
fn says_limit(before: &str) -> bool {
    let name = before.trim_end_matches(['=', ':', ' ', '"']);
    let from = name.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map_or(0, |at| at + 1);
    let name = name[from..].to_ascii_lowercase();
    name.len() < before.len() && (name.contains("timeout") || name == "total")
}
