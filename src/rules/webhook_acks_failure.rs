//! Deliveries are answered with success though their work failed, or may fail unseen.

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, KnownRole};
use crate::finding::{Confidence, Place};
use crate::names::Name;
use crate::program::repeats::Again;
use crate::program::repeats::state_checks::Held;
use crate::program::time::iterations::Iteration;
use crate::program::verify::{Deed, words};
use crate::program::webhooks::acknowledged::Loss;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Edge, EdgeKind, Entry, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook answers 200 though its work failed
    ///
    /// The vendor takes a 2xx as "done" and never delivers the event again. When the handler catches the error of its
    /// own write and answers 200, only logs it, or answers first and works after, a moment's outage of the database
    /// loses the event for good: the customer has paid, and nothing says so. With an error for an answer the vendor
    /// would try again for days.
    ///
    /// ## Silent when
    ///
    /// - the error leads to a status of 400 or more, or is thrown on;
    /// - a helper that gives nothing does so also where all went well: a payment that the vendor does not know;
    /// - the failure is kept: a row of a table that other code names too, a queue, a flag that the answer depends on;
    /// - the event was stored before, or the work is handed to a queue that keeps it;
    /// - the event's type is one that nobody handles;
    /// - what fails is a courtesy: a mail, a message, a log, statistics;
    /// - the vendor does not deliver again anyway, nor does the app's own database that tells of a changed row.
    ///
    /// ## The cure
    ///
    /// Let the error of the work reach the answer: log it, and answer 500. Where a charge, a credit or a message went out
    /// before, make that safe to repeat first (an idempotency key, or a claim by the event's id); where the event was
    /// recorded as handled before, take that record out again: else the next delivery repeats the one and is turned away
    /// by the other.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/webhooks/stripe/route.ts
    /// import Stripe from "stripe";
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const prisma = new PrismaClient();
    ///
    /// export async function POST(req: Request) {
    ///   const event = stripe.webhooks.constructEvent(
    ///     await req.text(), req.headers.get("stripe-signature")!, process.env.STRIPE_WEBHOOK_SECRET!);
    ///   try {
    ///     await prisma.order.update({ where: { id: event.data.object.client_reference_id }, data: { paid: true } });
    ///   } catch (error) {
    ///     console.error("could not mark the order", error);
    ///   }
    ///   return Response.json({ received: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/webhooks/stripe/route.ts
    /// import Stripe from "stripe";
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const prisma = new PrismaClient();
    ///
    /// export async function POST(req: Request) {
    ///   const event = stripe.webhooks.constructEvent(
    ///     await req.text(), req.headers.get("stripe-signature")!, process.env.STRIPE_WEBHOOK_SECRET!);
    ///   try {
    ///     await prisma.order.update({ where: { id: event.data.object.client_reference_id }, data: { paid: true } });
    ///   } catch (error) {
    ///     console.error("could not mark the order", error);
    ///     return Response.json({ error: "try again" }, { status: 500 });
    ///   }
    ///   return Response.json({ received: true });
    /// }
    /// ```
    id: "webhook-acks-failure", severity: Warning, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

/// Words in the names of what a webhook does besides, as a courtesy.
const BESIDES: &[&str] = &[
    "notification",
    "notifications",
    "notify",
    "log",
    "logs",
    "audit",
    "history",
    "activity",
    "activities",
    "analytics",
    "metric",
    "metrics",
    "stats",
    "statistics",
    "tracking",
    "cache",
    "conversion",
    "conversions",
    "alert",
    "alerts",
    "stat",
    "send",
    "email",
    "mail",
    "sms",
    "track",
    "variant",
];

/// Words in the names of what somebody paid for.
const PAID: &[&str] = &[
    "order",
    "purchase",
    "payment",
    "paid",
    "subscription",
    "plan",
    "tier",
    "premium",
    "credit",
    "balance",
    "invoice",
    "enrollment",
    "enrolment",
    "membership",
    "license",
    "licence",
    "entitlement",
    "access",
    "seat",
    "ticket",
    "booking",
    "donation",
    "payout",
    "refund",
];

/// A loss, and the work that is lost.
struct Lost {
    loss: Loss,
    place: Place,
    work: CallRef,
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        if program.webhook_of(handler).is_some_and(|webhook| webhook.never_redelivers)
            || program.is_by_hand(handler)
            || handler.of_row
        {
            continue;
        }
        let lost = lost(program, handler);
        let home = program.home_files(handler);
        // The worst of the handler's own places; of equals the first that runs.
        let own = || lost.iter().filter(|lost| home.contains(&lost.place.file));
        // What is left out for a missing row may be meant so.
        let rank = |lost: &Lost| (!is_left_out(lost.loss), weight(program, lost.work));
        let worst = own().map(rank).max();
        let first = own().find(|lost| Some(rank(lost)) == worst).or(lost.first());
        if let Some(first) = first
            && told.insert(first.place)
        {
            tell(program, report, handler, first, &lost);
        }
    }
}

/// Whether a write is of what somebody paid for, by its names.
fn is_paid(program: &Program, work: CallRef) -> bool {
    let mut names = words(&program.call_text(work));
    names.extend(program.table_of(work).iter().flat_map(|table| words(table)));
    names.extend(program.fields_written(work).iter().flat_map(|field| words(field)));
    names.iter().any(|word| PAID.contains(&word.trim_end_matches('s')))
}

/// Whether the work is left out before it can fail: that may be meant so.
fn is_left_out(loss: Loss) -> bool {
    matches!(loss, Loss::Skipped(_) | Loss::Blind(..) | Loss::Mistaken(..) | Loss::Unasked(_))
}

/// How much hangs on a write: what was paid for before what is made, that before what is changed besides.
fn weight(program: &Program, work: CallRef) -> u8 {
    let uses = program.vendors_at(work);
    if uses.iter().any(|used| program.operation(used).is_some_and(|operation| operation.money)) {
        return 4;
    }
    let paid = is_paid(program, work);
    let made = matches!(program.again(work), Again::Row { .. } | Again::Record | Again::Count);
    match (paid, made) {
        (true, true) => 3,
        (true, false) | (false, true) => 2,
        (false, false) => 1,
    }
}

/// What ran before the work and must not run twice: the next delivery would do it again.
fn repeated(program: &Program, handler: &WebhookHandler, work: CallRef) -> Option<(CallRef, Again)> {
    let entry = &program.entries[handler.entry];
    let deeds = handler.account.deeds.iter().filter(|deed| !deed.records && deed.at != work);
    let mut before: Vec<(CallRef, Again)> = deeds
        .map(|deed| (deed.at, program.again(deed.at)))
        .filter(|(_, again)| matches!(again, Again::Money | Again::Message | Again::Count | Again::Row { .. }))
        .filter(|&(at, _)| !program.runs_once([at]) && program.has_run_before(entry, at, work))
        .collect();
    before.sort_by_key(|&(_, again)| std::cmp::Reverse(again));
    before.into_iter().next()
}

/// The write before the work by which a second delivery is turned away, done or not.
fn kept_from(program: &Program, handler: &WebhookHandler, work: CallRef) -> Option<CallRef> {
    let reach = program.reach(program.entries[handler.entry].function, |edge| edge.kind != EdgeKind::Jump);
    let stop = reach.stops.iter().position(|stop| stop.function == program.function_of(work))?;
    let way = reach.way(stop);
    std::iter::once(work).chain(way.iter().rev().map(|edge| edge.call)).find_map(|at| program.kept_from_by(at))
}

/// How the error is brought to the answer, given what ran before.
fn answer_error(program: &Program, handler: &WebhookHandler, work: CallRef, caught: Option<Place>) -> String {
    let again = "log it, and answer 500 so that the event is delivered again";
    if let Some(record) = program.recorded_before_work(handler, work) {
        return format!(
            "Take the record of the event out again when the work fails ({} keeps it, and the next delivery is taken \
             for done), then let the error reach the answer: {again}.",
            program.call_text(record)
        );
    }
    let Some((at, kind)) = repeated(program, handler, work) else {
        if let Some(kept) = kept_from(program, handler, work) {
            let named = |at| match program.table_of(at) {
                Some(table) => format!("the write to {table}"),
                None => program.call_text(at),
            };
            let (kept, work) = (named(kept), named(program.committed_by(work)));
            return format!(
                "A second delivery would do nothing: it finds what {kept} has left, and leaves. Make that write the last one, \
                 after {work}, or keep a mark of its own for {work} and leave only where both are there. Then let the \
                 error reach the answer: {again}."
            );
        }
        let each = caught.and_then(|caught| after_each(program, caught, work));
        return each.unwrap_or_else(|| format!("Let the error reach the answer: {again}."));
    };
    let takes_key = program
        .vendors_at(at)
        .iter()
        .any(|used| !program.catalogue.vendor(used.vendor).own_backend && program.idempotency(used).is_some());
    let call = program.call_text(at);
    let harm = match kind {
        Again::Money => "move the money twice",
        Again::Message => "send it twice",
        Again::Count => "add it twice",
        _ => "write a second row",
    };
    let how = match takes_key {
        true => "give it an idempotency key made of the event's id",
        false => "claim it by the event's id where that is unique, or keep the failed rest for a job",
    };
    format!(
        "First make {call}, which ran before, safe to repeat: {how}. Only then let the error reach the answer: {again}. \
         As it stands a second delivery would {harm}."
    )
}

/// How the error is brought to the answer where it is one round of a loop: those before it would be done again.
fn after_each(program: &Program, caught: Place, work: CallRef) -> Option<String> {
    let again = program.again(work);
    let in_round =
        |iteration: &Iteration| iteration.place.file == caught.file && iteration.region.contains(caught.span);
    let repeats = matches!(again, Again::Money | Again::Message | Again::Count | Again::Row { .. });
    (repeats && program.iterations().iter().any(in_round)).then(|| {
        format!(
            "Note for each element that it is done, where the event's id and the element are unique together, and pass over \
             what is noted: answered with an error, the event comes again, and {} would run again for every element before \
             the one that failed. Then go on with the rest, log what failed, and answer 500 at the end if anything did.",
            program.call_text(work)
        )
    })
}

fn lost(program: &Program, handler: &WebhookHandler) -> Vec<Lost> {
    let entry = &program.entries[handler.entry];
    let deeds = &handler.account.deeds;
    let reach = program.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
    let mut found: Vec<Lost> = Vec::new();
    for (index, deed) in deeds.iter().enumerate().filter(|(_, deed)| is_work(program, deed)) {
        let function = program.function_of(deed.at);
        let Some(stop) = reach.stops.iter().position(|stop| stop.function == function) else { continue };
        let way: Vec<Edge> = reach.way(stop);
        let besides = way.iter().any(|edge| is_besides(&words(&program.function_name(edge.target))));
        if besides {
            continue;
        }
        // The test may stand before the call of the helper that does the work.
        let steps = || std::iter::once(deed.at).chain(way.iter().rev().map(|edge| edge.call));
        let ends = || steps().any(|at| program.is_of_an_end(at));
        let skipped = || steps().find_map(|at| skipped(program, handler, entry, at)).map(Loss::Skipped);
        let left_out = || {
            let left = || steps().find_map(|at| program.left_out_without_row(entry, at));
            is_of_money(program, handler).then(left).flatten().filter(|_| !ends()).map(Loss::Skipped)
        };
        let returned = || program.told_unread(&way, deed.at, true).filter(|_| is_of_money(program, handler));
        let blind = || {
            if !is_of_money(program, handler) {
                return None;
            }
            let unread = |at| {
                let early = program.skipped_for_failed_look(entry, at);
                early.or_else(|| program.left_to_the_other_arm(entry, at))
            };
            if let Some((test, look)) = steps().find_map(unread) {
                return Some(Loss::Blind(test, look));
            }
            let unasked = || steps().find_map(|at| program.left_out_unasked(entry, at)).map(Loss::Unasked);
            let missing = steps().find_map(|at| program.skipped_as_missing(entry, at));
            missing.map(|(test, look)| Loss::Mistaken(test, look)).or_else(unasked)
        };
        let loss = program.loss_of(entry, &way, deed.at).or_else(returned).or_else(skipped);
        let loss = loss.or_else(blind).or_else(left_out);
        let Some(loss) = loss else { continue };
        if matches!(loss, Loss::Caught(_) | Loss::Left(_)) && is_done_besides(program, entry, &way, deed.at) {
            continue;
        }
        // The check for known deliveries failed, and the work was done all the same.
        let more = || deeds[index + 1..].iter().any(|later| is_work(program, later));
        if matches!(loss, Loss::Logged(_)) && more() && program.only_tells_known(deed.at) {
            continue;
        }
        let place = match loss {
            Loss::Caught(place) | Loss::Logged(place) | Loss::Skipped(place) | Loss::Shelved(place, _) => place,
            Loss::Blind(place, _) | Loss::Mistaken(place, _) | Loss::Noted(place, _) => place,
            Loss::Unasked(unasked) => unasked.test,
            Loss::Returned(at, _) | Loss::Left(at) | Loss::Floating(at) | Loss::Answered(at) | Loss::Settled(at) => {
                program.call_place(at)
            }
        };
        // What was stored before can be worked off later.
        let stored = deeds[..index].iter().any(|before| before.records);
        if stored && matches!(loss, Loss::Left(_) | Loss::Floating(_) | Loss::Answered(_)) {
            continue;
        }
        if !found.iter().any(|lost| lost.place == place) {
            found.push(Lost { loss, place, work: deed.at });
        }
    }
    if found.is_empty() && is_of_money(program, handler) {
        found.extend(deeds.iter().find_map(|deed| lost_before_commit(program, entry, deed.at)));
    }
    found
}

/// The work of a helper that only sets fields, and whose failure is caught before the commit that would have sent them.
fn lost_before_commit(program: &Program, entry: &Entry, commit: CallRef) -> Option<Lost> {
    if program.function_of(commit) != entry.function {
        return None;
    }
    let paid = |field: &Name| words(field).iter().any(|word| PAID.contains(&word.trim_end_matches('s')));
    let work = program.sent_by_commit(commit).into_iter().filter(|(work, fields)| {
        let besides = program.called_name(*work).is_none_or(|name| is_besides(&words(&name)));
        !besides && (is_paid(program, *work) || fields.iter().any(paid))
    });
    work.into_iter().find_map(|(work, _)| match program.loss_of(entry, &[], work)? {
        loss @ (Loss::Caught(place) | Loss::Noted(place, _) | Loss::Shelved(place, _)) => {
            Some(Lost { loss, place, work })
        }
        _ => None,
    })
}

/// Whether a helper that catches its own failure does something besides, after the handler has marked what the event is
/// about: a second delivery would find the mark, and do none of it.
fn is_done_besides(program: &Program, entry: &Entry, way: &[Edge], work: CallRef) -> bool {
    let function = program.function_of(work);
    let own = program.guards(work).into_iter().next().is_some();
    if !own || program.with_inner(entry.function).contains(&function) || is_paid(program, work) {
        return false;
    }
    let calls: Vec<CallRef> = way.iter().map(|edge| edge.call).collect();
    !calls.is_empty() && matches!(program.held(&calls, None), Held::Noted | Held::Changed | Held::Claimed)
}

/// The test by which the events of unknown customers are dropped. Money is lost with them; who writes to a chat
/// without being known may well be passed over.
fn skipped(program: &Program, handler: &WebhookHandler, entry: &Entry, work: CallRef) -> Option<Place> {
    program.skipped_for_missing_row(entry, work).filter(|_| is_of_money(program, handler))
}

fn is_of_money(program: &Program, handler: &WebhookHandler) -> bool {
    handler.vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).category == Category::Payments)
}

/// Whether a deed is what the handler is there for: it changes what the app itself keeps, or moves money.
fn is_work(program: &Program, deed: &Deed) -> bool {
    if deed.records || program.is_of_renewal(deed.at) {
        return false;
    }
    let uses = program.vendors_at(deed.at);
    let changes = |effect: Effect| matches!(effect, Effect::Create | Effect::Update | Effect::Delete);
    let own = uses.iter().any(|used| {
        program.catalogue.vendor(used.vendor).own_backend
            && program.operation(used).is_some_and(|operation| changes(operation.effect))
    });
    let money = uses.iter().any(|used| program.operation(used).is_some_and(|operation| operation.money));
    if !own && !money && !program.has_role(deed.at, KnownRole::Write) && !program.hands_statement(deed.at) {
        return false;
    }
    // A key set in a store of keys is a cache or a mark.
    let text = program.call_text(deed.at);
    if matches!(text.rsplit('.').next(), Some("set" | "setex" | "setEx" | "hset" | "hSet" | "publish")) && !own {
        return false;
    }
    let mut names = words(&text);
    names.extend(program.table_of(deed.at).iter().flat_map(|table| words(table)));
    let function = words(&program.function_name(program.function_of(deed.at)));
    !names.iter().any(|word| BESIDES.contains(&word.as_str())) && !is_besides(&function)
}

/// Whether a function is for a courtesy, by the words of its name: not `handlePaymentNotification`, which is what the
/// webhook is there for.
fn is_besides(function: &[String]) -> bool {
    let takes = function.first().is_some_and(|first| matches!(first.as_str(), "handle" | "process" | "receive" | "on"));
    let is_delivery = |word: &str| takes && matches!(word, "notification" | "notifications");
    function.iter().any(|word| BESIDES.contains(&word.as_str()) && !is_delivery(word))
}

fn tell(program: &Program, report: &mut Report, handler: &WebhookHandler, first: &Lost, all: &[Lost]) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let sent = program.committed_by(first.work);
    let work = program.call_text(sent);
    let who = match handler.vendor {
        Some(vendor) => program.catalogue.vendor(vendor).name.clone(),
        None => "the sender".to_owned(),
    };
    // What weighs as much was done before: then only a step of the work is missing.
    let kept = handler.account.deeds.iter().any(|deed| {
        deed.at != first.work
            && is_work(program, deed)
            && !all.iter().any(|lost| lost.work == deed.at)
            && weight(program, deed.at) >= weight(program, first.work)
            && program.has_run_before(entry, deed.at, first.work)
    });
    let gone = match kept {
        true => format!("{who} does not deliver the event again, and this step is never made up for"),
        false => format!("{who} does not deliver the event again, and what it told is lost"),
    };
    let message = match first.loss {
        Loss::Caught(_) => format!("{webhook} answers 200 although {work} failed: the error is caught here, {gone}"),
        Loss::Logged(_) => format!("{webhook} answers 200 although {work} failed: the error is only logged, {gone}"),
        Loss::Returned(at, failed) => format!(
            "{webhook} answers 200 although {} failed: {} returns that as an error, nobody looks at it, {gone}",
            program.call_text(failed),
            program.call_text(at)
        ),
        Loss::Left(_) => {
            format!("{webhook} answers 200 before {work} has run: it is kept in memory only, and when it fails {gone}")
        }
        Loss::Floating(_) => format!(
            "{webhook} answers 200 without waiting for {work}: when it fails, or the process ends first, {gone}"
        ),
        Loss::Answered(_) => format!("{webhook} answers 200 before {work} has run: when it fails {gone}"),
        Loss::Shelved(_, table) => format!(
            "{webhook} answers 200 although {work} failed: that is written into {table}, and nothing in the code works \
             such rows off, {gone}"
        ),
        Loss::Noted(_, table) => format!(
            "{webhook} answers 200 although {work} failed: that is written into the event's row of {table}, which nothing \
             else in the code asks, {gone}"
        ),
        Loss::Settled(_) => format!(
            "{webhook} answers 200 although {work} failed: `Promise.allSettled` keeps the error among outcomes that \
             nobody looks at, {gone}"
        ),
        Loss::Skipped(_) => format!(
            "{webhook} answers 200 and leaves {work} out when the row it looks for is not there: it may only not be \
             there yet, {gone}"
        ),
        Loss::Blind(_, look) => format!(
            "{webhook} answers 200 and leaves {work} out when {} fails: nobody reads that error, it passes for a row \
             that is not there, {gone}",
            program.call_text(look)
        ),
        Loss::Mistaken(_, look) => format!(
            "{webhook} answers 200 and leaves {work} out when {} fails: that is taken for a row that is not there, {gone}",
            program.call_text(look)
        ),
        Loss::Unasked(unasked) => format!(
            "{webhook} answers 200 and leaves {work} out when {} fails: {} says so by giving nothing, {gone}",
            program.sent_name(unasked.failed),
            program.call_text(unasked.helper)
        ),
    };
    let help = match first.loss {
        Loss::Caught(place) | Loss::Logged(place) => answer_error(program, handler, first.work, Some(place)),
        Loss::Returned(at, _) => format!(
            "Look at what {} returns. {} What no second delivery can mend, such as a state that it refuses, is only to be \
             logged: an error for an answer would bring it again for days.",
            program.call_text(at),
            answer_error(program, handler, first.work, None)
        ),
        Loss::Shelved(_, table) => format!(
            "{} Or let a job work off the rows of {table} that failed.",
            answer_error(program, handler, first.work, None)
        ),
        Loss::Noted(_, table) => format!(
            "Let the error reach the answer: log it, undo what this delivery has written, its row of {table} too, and \
             answer 500 so that the event is delivered again: a row that stays has the next delivery taken for done. Or \
             let a job work off the rows of {table} that say what failed."
        ),
        Loss::Settled(_) => format!(
            "Look at what `Promise.allSettled` gives: `if (outcomes.some((one) => one.status === \"rejected\"))`. {}",
            answer_error(program, handler, first.work, None)
        ),
        Loss::Left(_) => {
            "Store the event before the answer and work it off from there, or hand it to a queue that keeps it; or do \
             the work first and answer 500 when it fails."
                .to_owned()
        }
        Loss::Floating(_) => {
            "Await the work, and answer 500 when it fails; or store the event before the answer.".to_owned()
        }
        Loss::Skipped(_) => {
            "Answer 500 when the row is missing, so that the event is delivered again; or store the event and work it \
             off once the row is there; at the least write it to the log."
                .to_owned()
        }
        Loss::Blind(_, look) => format!(
            "Read the `error` of {} too, and answer 500 where it is set, so that the event is delivered again; with \
             `maybeSingle()` a row that is missing is none. What belongs to nobody here may still be answered with 200.",
            program.call_text(look)
        ),
        Loss::Unasked(unasked) => format!(
            "Answer 500 where {} gave nothing, so that the event is delivered again, or let it throw what went wrong.",
            program.call_text(unasked.helper)
        ),
        Loss::Mistaken(..) => {
            "Ask the two apart: throw the look-up's `error`, or answer 500 where it is set, so that the event is delivered \
             again; with `maybeSingle()` a row that is missing is no error. What belongs to nobody here may still be answered \
             with 200."
                .to_owned()
        }
        Loss::Answered(_) => {
            "Send the answer after the work, and a 500 when that fails; or store the event before the answer."
                .to_owned()
        }
    };
    // A helper that many use may be meant to swallow what happens in it.
    let at_home = program.home_files(handler).contains(&first.place.file);
    // One that says of itself that it failed is not.
    let tells = !at_home && program.arm_of_failure(first.work).is_some();
    let confidence = match handler.vendor {
        _ if is_left_out(first.loss) || matches!(first.loss, Loss::Shelved(..) | Loss::Noted(..)) => Confidence::Medium,
        _ if tells => Confidence::Medium,
        _ if !at_home => Confidence::Low,
        Some(_) => Confidence::High,
        None => Confidence::Medium,
    };
    let lost_how = match is_left_out(first.loss) {
        true => "the work that is left out",
        false => "the work whose failure is lost",
    };
    let mut draft = report
        .at(first.place, work, message)
        .confidence(confidence)
        .help(help)
        .because(program.call_place(sent), lost_how);
    match first.loss {
        Loss::Blind(_, look) => draft = draft.because(program.call_place(look), "its error is not read"),
        Loss::Mistaken(_, look) => draft = draft.because(program.call_place(look), "this may fail too"),
        Loss::Unasked(unasked) => {
            draft = draft.because(program.call_place(unasked.failed), "when this fails nothing is given");
        }
        _ => {}
    }
    /// More say nothing more.
    const MOST: usize = 5;
    for other in all.iter().filter(|other| other.place != first.place).take(MOST) {
        draft = draft.because(other.place, "lost here as well");
    }
    draft = draft.trace(program.trace_to(entry, first.work, "fails unseen"));
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}
