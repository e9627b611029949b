//! Time limits that let go too late.

use std::cell::LazyCell;

use rustc_hash::FxHashSet;

use crate::catalogue::Core;
use crate::program::origins::Origin;
use crate::program::time::lifetimes::Lifetime;
use crate::program::{CallRef, Program, Via};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A time limit is longer than anybody can wait
    ///
    /// A limit is there so that the code goes on when a vendor hangs. One that is longer than the platform lets the
    /// function run never comes: the platform ends everything in the middle, nothing of the code behind the call runs,
    /// and the customer sees an error page. And nobody who signs up, logs in or pays waits for half a minute.
    ///
    /// ## Silent when
    ///
    /// - the limit is shorter than the function's `maxDuration` or what the platform allows;
    /// - nobody waits for the call;
    /// - how long the function may run, or the limit, cannot be told.
    ///
    /// ## The cure
    ///
    /// Set the limit well below what is left to the function, so that it can still answer.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/summary/route.ts
    /// export const maxDuration = 60;
    ///
    /// export async function POST(req: Request) {
    ///   const answer = await fetch("https://api.openai.com/v1/chat/completions", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
    ///     body: await req.text(),
    ///     signal: AbortSignal.timeout(120_000),
    ///   });
    ///   return answer.ok ? Response.json(await answer.json()) : Response.json({ error: "busy" }, { status: 502 });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/summary/route.ts
    /// export const maxDuration = 60;
    ///
    /// export async function POST(req: Request) {
    ///   const answer = await fetch("https://api.openai.com/v1/chat/completions", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
    ///     body: await req.text(),
    ///     signal: AbortSignal.timeout(50_000),
    ///   });
    ///   return answer.ok ? Response.json(await answer.json()) : Response.json({ error: "busy" }, { status: 502 });
    /// }
    /// ```
    id: "long-timeout", severity: Note, confidence: Medium, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

/// Seconds that somebody who signs up, logs in or pays may be kept waiting.
const PATIENCE: f64 = 30.0;

fn check(program: &Program, report: &mut Report) {
    let requests = program.requests().iter().filter(|http| http.at == http.inner);
    let mut waits: Vec<(CallRef, f64)> =
        requests.filter_map(|http| Some((http.at, program.wait_of_request(http)?))).collect();
    let sdk = program.vendor_uses().iter().filter(|used| matches!(used.via, Via::Sdk(..)));
    waits.extend(sdk.filter_map(|used| Some((used.at, program.wait_of_use(used)?))));
    waits.retain(|(at, _)| program.runs_on_server(at.file));
    if waits.is_empty() {
        return;
    }
    // Few apps wait for so long that it matters where.
    let core = LazyCell::new(|| -> FxHashSet<CallRef> {
        let uses = program.core_uses(&Core::ALL);
        uses.iter().flat_map(|used| [used.out.at, used.out.sender()]).collect()
    });
    for (at, seconds) in waits {
        let origins = program.origins_of(at);
        let ended = origins.iter().filter(|origin| program.is_waited_for(&origin.way)).find_map(|origin| {
            let lifetime = program.lifetime(&program.entries[origin.entry])?;
            (seconds >= lifetime.seconds).then_some((origin, lifetime))
        });
        match ended {
            Some((origin, lifetime)) => outlives(program, report, at, seconds, origin, lifetime),
            None if seconds > PATIENCE && core.contains(&at) => keeps_waiting(program, report, at, seconds),
            None => {}
        }
    }
}

fn outlives(program: &Program, report: &mut Report, at: CallRef, seconds: f64, origin: &Origin, lifetime: Lifetime) {
    let (what, who) = (program.sent_name(at), program.entry_name(&program.entries[origin.entry]));
    let message = format!(
        "{what} may wait {seconds} s, but {who} is ended after {} s: when {} hangs, it stops in the middle and the \
         customer gets an error page",
        lifetime.seconds,
        program.sent_to(at)
    );
    let help = format!("Give it a limit that leaves time to answer: at most {} s here.", lifetime.leaves());
    let mut draft = report.at(program.call_place(at), what, message).help(help);
    if let Some(said) = lifetime.said {
        draft = draft.because(said, "as long as it may run");
    }
    draft = draft.trace(program.trace_from(origin, at, "waits here"));
    for used in program.vendors_at(at) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
}

fn keeps_waiting(program: &Program, report: &mut Report, at: CallRef, seconds: f64) {
    let what = program.sent_name(at);
    let message = format!(
        "{what} may wait {seconds} s, and customers who sign up, log in or pay wait with it: they are gone before it \
         gives up"
    );
    let mut draft = report
        .at(program.call_place(at), what, message)
        .help("Give it ten seconds at most, and say what happens then; what takes longer belongs behind the answer.");
    for used in program.vendors_at(at) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
}
