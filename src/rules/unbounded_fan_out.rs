//! One outbound call for each element of a collection of any size, with nothing that holds it back.

use crate::catalogue::Effect;
use crate::facts::{BlockKind, ExprId, ExprKind, Op, Span};
use crate::finding::{Confidence, FileId, Severity};
use crate::program::origins::Origin;
use crate::program::time::iterations::{Iteration, Sent, Size};
use crate::program::values::requested::Origin as Source;
use crate::program::{EntryKind, Program};
use crate::rule::Report;

crate::rule! {
    /// One vendor call for each element of a list of any size
    ///
    /// With ten customers it works. With a thousand, `Promise.all(customers.map(send))` sends a thousand requests at
    /// once: the vendor refuses most of them with 429, and those customers get nothing. One after another in a request
    /// is no better: a second each is a quarter of an hour, the platform ends the function after one minute, and
    /// nobody knows who got the message and who did not.
    ///
    /// ## Silent when
    ///
    /// - the list is written out, cut (`slice(0, 20)`, chunks), read with a limit, or refused when it is too long
    /// - a limiter, a semaphore or a queue holds it back, or a pause between two elements where nobody waits for the answer
    /// - what is sent goes out for many at once, whenever a part is full
    /// - the loop looks for one thing and stops, or leaves what does not fit into its time or number for the next time
    /// - the visitor's browser runs it
    /// - it is a step of a durable function, the app's own backend, error reporting, or an SDK call that sends nothing
    /// - it is a script run by hand, a test, or dead code
    ///
    /// A job that goes through a list one by one is shown to auditors only: nobody waits for it. An edge function that
    /// nothing in the repository asks, and that takes nothing of the request, counts as a job. So are lists that are
    /// short as a rule though nothing bounds them: what a vendor's one answer or one delivery holds, what belongs to one
    /// person, order or booking, those who run one organisation or take part in one project, what one organisation has
    /// where neither its name nor what it points at says that there are many, and what an app has a few of by its name
    /// (channels, integrations, administrators, whoever is mentioned).
    ///
    /// ## The cure
    ///
    /// Hand the list to a queue or a job that works it off in parts, with a limit on how many run at once and a mark on
    /// each element that is done. Use the vendor's bulk endpoint where there is one.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/newsletter/route.ts
    /// import { Resend } from "resend";
    ///
    /// const resend = new Resend(process.env.RESEND_API_KEY);
    ///
    /// export async function POST(request: Request) {
    ///   const readers = await loadReaders();
    ///   await Promise.all(
    ///     readers.map((reader) =>
    ///       resend.emails.send({ from: "news@example.com", to: reader.email, subject: "News", text: "..." }),
    ///     ),
    ///   );
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/newsletter/route.ts
    /// import pLimit from "p-limit";
    /// import { Resend } from "resend";
    ///
    /// const resend = new Resend(process.env.RESEND_API_KEY);
    /// const limit = pLimit(2);
    ///
    /// export async function POST(request: Request) {
    ///   const readers = await loadReaders();
    ///   await Promise.all(
    ///     readers.map((reader) =>
    ///       limit(() =>
    ///         resend.emails.send({ from: "news@example.com", to: reader.email, subject: "News", text: "..." }),
    ///       ),
    ///     ),
    ///   );
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    id: "unbounded-fan-out", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    // Of loops inside loops the outermost is told.
    let mut told: Vec<(FileId, Span)> = Vec::new();
    for iteration in program.iterations() {
        let (file, region) = (iteration.place.file, iteration.region);
        if told.iter().any(|(other, outer)| *other == file && outer.contains(region)) {
            continue;
        }
        if program.size(iteration.collection) == Size::Bounded || iteration.searches(program) {
            continue;
        }
        // A pause between two elements spares the vendor, and makes whoever asked wait the longer.
        let paced = iteration.pauses(program);
        let in_parts = || {
            let mut others = program.iterations().iter().filter(|other| other.place.file == file);
            others.any(|other| other.region != region && region.contains(other.region))
        };
        let mut sent = program.sent_by(iteration);
        // Each of them is another one's.
        sent.retain(|sent| !program.goes_where_row_says(sent.call));
        let at_once = iteration.at_once || sent.first().is_some_and(|first| program.runs_beside(first));
        let goes_to_many = || sent.first().is_some_and(|first| is_message(program, first));
        if paced && (at_once || in_parts() || !goes_to_many() || !is_waited_for(program, iteration)) {
            continue;
        }
        if let Some(first) = sent.first() {
            // In a short list a long one may stand.
            if !program.is_likely_small(iteration.collection) {
                told.push((file, region));
            }
            tell(program, report, iteration, first, &sent);
        }
    }
}

/// Who starts it.
enum Start<'o> {
    /// Somebody waits for the answer.
    Request(&'o Origin),
    /// A clock or a queue.
    Job(Option<&'o Origin>),
    /// Nobody that can be seen.
    Unknown,
}

fn tell(program: &Program, report: &mut Report, iteration: &Iteration, first: &Sent, sent: &[Sent]) {
    let origins = program.origins(iteration.function);
    // Durable functions keep what is done and are held back by their engine.
    let durable = |origin: &Origin| program.entries[origin.entry].framework == "durable";
    // What only a browser starts asks from there, each visitor for themselves.
    let in_browser =
        |origin: &Origin| matches!(program.entries[origin.entry].kind, EntryKind::Effect | EntryKind::Event);
    if program.is_run_by_hand(&origins)
        || origins.iter().any(durable)
        || !origins.is_empty() && origins.iter().all(in_browser)
    {
        return;
    }
    let start = start(program, &origins, iteration);
    let list = list_name(program, iteration);
    let what = program.sent_name(first.call);
    let whom = program.sent_to(first.call);
    let at_once = iteration.at_once || program.runs_beside(first);
    // Of what one answer or one delivery holds there are a few as a rule.
    let few = program.is_likely_small(iteration.collection)
        || !origins.is_empty() && origins.iter().all(|origin| delivers(program, origin, iteration));
    let (message, help) = if at_once && few {
        (
            format!(
                "{what} runs for every element of {list} at once: there are few as a rule, and nothing says so; {whom} \
                 refuses what comes too fast"
            ),
            at_once_cure(program, iteration.place.file),
        )
    } else if at_once {
        (
            format!(
                "{what} runs for every element of {list} at once: with a few hundred {whom} refuses most of them, and \
                 those customers get nothing"
            ),
            at_once_cure(program, iteration.place.file),
        )
    } else {
        let length = one_by_one(program, iteration, &start, few);
        (
            format!("{what} runs for every element of {list}, one after another, {length}"),
            "Put the elements into a queue and answer; let a job work them off in parts, and mark each one that is \
             done. Until then refuse lists that are too long."
                .to_owned(),
        )
    };
    let mut draft = report.at(iteration.place, what.clone(), message).help(help);
    for used in sent.iter().flat_map(|sent| program.vendors_at(sent.call)) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    draft = draft.because(program.call_place(first.call), format!("{what}, once for each"));
    match start {
        Start::Request(origin) => {
            let mut whole = origin.clone();
            whole.way.extend(first.way.iter().copied());
            draft = draft.trace(program.trace_from(&whole, first.call, "sent for each element"));
        }
        Start::Job(_) if at_once => {}
        Start::Job(_) => draft = draft.severity(Severity::Note).auditor_only(),
        Start::Unknown => draft = draft.confidence(Confidence::Low),
    }
    if few {
        draft.confidence(Confidence::Low);
    }
}

/// Who waits how long for a list that is worked off in turn.
fn one_by_one(program: &Program, iteration: &Iteration, start: &Start, few: bool) -> String {
    let of = |origin: &Origin| program.entry_name(&program.entries[origin.entry]);
    let run = match start {
        Start::Request(origin) => format!("while {} is waited for", of(origin)),
        Start::Job(Some(origin)) if program.is_waited_for(&origin.way) => format!("in one run of {}", of(origin)),
        Start::Job(Some(origin)) => format!("in what {} leaves running", of(origin)),
        Start::Job(None) | Start::Unknown => {
            format!("while {} is waited for", program.function_name(iteration.function))
        }
    };
    let harm = match start {
        Start::Job(Some(_)) => "when that ends in the middle, the rest get nothing",
        _ if few => "there are few as a rule, and nothing says so; whoever asked waits for each of them",
        _ => "with a few hundred it is cut off in the middle, and the rest get nothing",
    };
    format!("{run}: {harm}")
}

/// Whether what is sent is a message: lists of those who get one grow.
fn is_message(program: &Program, sent: &Sent) -> bool {
    let mut uses = program.vendors_at(sent.call).iter();
    uses.any(|used| program.operation(used).is_some_and(|operation| operation.effect == Effect::Send))
}

/// Whether somebody asked for it and waits for the answer.
fn is_waited_for(program: &Program, iteration: &Iteration) -> bool {
    let origins = program.origins(iteration.function);
    let Start::Request(origin) = start(program, &origins, iteration) else { return false };
    !program.is_left_to_a_clock(&program.entries[origin.entry]) && !program.is_likely_small(iteration.collection)
}

fn start<'o>(program: &Program, origins: &'o [Origin], iteration: &Iteration) -> Start<'o> {
    let kind = |origin: &Origin| program.entries[origin.entry].kind;
    let asked = origins.iter().find(|origin| {
        matches!(
            kind(origin),
            EntryKind::Route
                | EntryKind::EdgeFunction
                | EntryKind::ServerAction
                | EntryKind::Procedure
                | EntryKind::Hook
                | EntryKind::Page
                | EntryKind::Middleware
        ) && !is_clocked(program, origin)
            && !is_for_clock(program, origin, iteration)
            && program.is_waited_for(&origin.way)
    });
    match asked {
        Some(origin) => Start::Request(origin),
        None if origins.is_empty() => Start::Unknown,
        None => Start::Job(origins.first()),
    }
}

/// Whether a webhook goes through what its delivery holds.
fn delivers(program: &Program, origin: &Origin, iteration: &Iteration) -> bool {
    program.webhook_handlers().iter().any(|handler| handler.entry == origin.entry)
        && matches!(program.origin_on(&origin.way, iteration.collection, &[]), Source::Request(_))
}

/// Whether a route is there for a clock to call: its name says so, it asks for the clock's secret, or nobody else does.
fn is_clocked(program: &Program, origin: &Origin) -> bool {
    let entry = &program.entries[origin.entry];
    let names = [entry.route, entry.name].into_iter().flatten().map(|name| name.to_ascii_lowercase());
    let words = ["cron", "schedule", "/jobs/", "daily", "nightly", "weekly", "/workers/"];
    names.into_iter().any(|name| words.iter().any(|word| name.contains(word)))
        || program.schedules().iter().any(|schedule| schedule.asks.contains(&origin.entry))
        || program.asks_for(entry.function, &["CRON", "SCHEDULER"])
        || program.is_left_to_a_clock(entry)
}

/// Whether it only runs where the request says that a clock sends it: `if (mode === "scheduled")`.
fn is_for_clock(program: &Program, origin: &Origin, iteration: &Iteration) -> bool {
    const BY_CLOCK: &[&str] = &["scheduled", "schedule", "cron", "daily", "nightly", "hourly", "weekly"];
    let calls = origin.way.iter().map(|edge| {
        let at = edge.call;
        (at.file, program.facts(at.file).span(program.facts(at.file).call(at.call).expr))
    });
    let mut places = calls.chain([(iteration.place.file, iteration.region)]);
    places.any(|(file, span)| {
        let facts = program.facts(file);
        let says = |value: ExprId| {
            matches!(facts.expr(value), ExprKind::Text(text) if BY_CLOCK.contains(&text.to_ascii_lowercase().as_str()))
        };
        facts.blocks.iter().filter(|block| block.span.contains(span)).any(|block| match block.kind {
            BlockKind::Then(condition) => {
                matches!(facts.expr(condition), ExprKind::Op(Op::Equal, parts) if parts.iter().any(|&part| says(part)))
            }
            BlockKind::Case(_, Some(value)) => says(value),
            _ => false,
        })
    })
}

fn list_name(program: &Program, iteration: &Iteration) -> String {
    match program.as_written(iteration.collection) {
        Some(name) => format!("`{name}`"),
        None => "a list of any size".to_owned(),
    }
}

fn at_once_cure(program: &Program, file: FileId) -> String {
    let code = if program.facts(file).language.is_script() {
        "`const limit = pLimit(5); await Promise.all(items.map((item) => limit(() => send(item))))`"
    } else {
        "`semaphore = asyncio.Semaphore(5)`, and `async with semaphore:` around each call"
    };
    format!("Limit how many run at once, or use the vendor's bulk endpoint; a queue is better still: {code}.")
}
