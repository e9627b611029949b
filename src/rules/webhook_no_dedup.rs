//! A second delivery of one event does its work a second time.

use rustc_hash::FxHashSet;

use crate::catalogue::Category;
use crate::facts::{BlockKind, ExprKind};
use crate::finding::{Confidence, Place};
use crate::names::Name;
use crate::program::repeats::Again;
use crate::program::terms::{Ending, Handler};
use crate::program::verify::{Deed, Standing, Verdict, words};
use crate::program::webhooks::event_keys::CoarseKey;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};
use crate::rule;
use crate::rule::Report;
use crate::sql::Unique;

rule! {
    /// A webhook does its work again when an event is delivered again
    ///
    /// Vendors deliver at least once: an answer that is late, lost or an error brings the same event again, for
    /// days, and dashboards have a button to resend it. A handler that charges, sends, counts up or inserts without
    /// asking whether it did so already then charges twice, mails twice, adds the credits twice.
    ///
    /// ## Silent when
    ///
    /// - the event's id is kept in a shared store and asked for first, or its insert fails on a unique column;
    /// - the effect is an upsert, or has an `ON CONFLICT`, or carries an idempotency key;
    /// - a look-up or a state of what is kept decides whether the effect runs;
    /// - all it does is the same when done twice: `update .. set status = X where id = Y`, delete;
    /// - all it does twice is to write a log;
    /// - it only queues a row, and all that the job which works the rows off writes is the same when done twice;
    /// - all it sends is an alert where its work has failed;
    /// - the vendor does not deliver again, or waits for the work itself, as login services do with their hooks; or a
    ///   person has set it off by hand; or the app's own database tells of a changed row, which it does once.
    ///
    /// Of a sender that only the name of the route tells of, and that nothing checks, nobody knows whether it delivers again: that is
    /// for auditors.
    ///
    /// A set or a cache in memory is not enough: each instance has its own. Where the repository has migrations, or declares
    /// its tables in code, they say whether a column is unique: an insert whose refusal is waited for, into a table that
    /// refuses nothing, is not enough; nor is an upsert that does not say by which key and is given none of them.
    /// A record that is kept when the work fails is the opposite mistake: the next delivery is taken for done, and the
    /// event is lost. The first row of the work, looked for before it is written, is such a record too. So it is where a field that says the event was handled is set whatever came of the work, or where it is written down in the
    /// arm for failed work. A key that several events share loses them too: an event's name and the id of a subscription,
    /// which sends the same event many times.
    ///
    /// ## The cure
    ///
    /// Insert the event's id where it is unique, before the work; when it is there already, answer 200 and stop; when
    /// the work fails, take it out again (or do both in one transaction), so that the next delivery is not lost.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   const session = event.data.object;
    ///   const { data: profile } = await db.from("profiles").select("credits").eq("id", session.client_reference_id).single();
    ///   await db.from("profiles").update({ credits: profile.credits + 100 }).eq("id", session.client_reference_id);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   const { error } = await db.from("stripe_events").insert({ id: event.id });
    ///   if (error?.code === "23505") return new Response("handled before");
    ///   if (error) return new Response("not recorded", { status: 500 });
    ///   const session = event.data.object;
    ///   const { data: profile } = await db.from("profiles").select("credits").eq("id", session.client_reference_id).single();
    ///   const { error: failed } = await db.from("profiles").update({ credits: profile.credits + 100 }).eq("id", session.client_reference_id);
    ///   if (failed) {
    ///     await db.from("stripe_events").delete().eq("id", event.id);
    ///     return new Response("not credited", { status: 500 });
    ///   }
    ///   return new Response("ok");
    /// });
    /// ```
    id: "webhook-no-dedup", severity: Warning, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

/// An effect that a second delivery repeats.
struct Doubled {
    /// The effect.
    deed: CallRef,
    /// Where the handler does it: the effect, or the call that leads there.
    told: CallRef,
    /// What that calls, where it is one entry of a table.
    entry: Option<FunctionRef>,
    /// It is done by another function of the app, which the handler calls over the network.
    elsewhere: bool,
    again: Again,
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        if program.webhook_of(handler).is_some_and(|webhook| webhook.never_redelivers)
            || program.is_called_in_line(handler)
            || program.is_by_hand(handler)
            || handler.of_row
        {
            continue;
        }
        let doubled = doubled(program, handler);
        // The worst first; of equals the first that runs.
        let worst = doubled.iter().map(|doubled| rank(doubled.again)).max();
        match doubled.iter().find(|doubled| Some(rank(doubled.again)) == worst) {
            Some(first) if told.insert(first.told) => tell(program, report, handler, first, &doubled),
            Some(_) => {}
            None => {
                tell_coarse(program, report, handler);
                tell_lost(program, report, handler, &mut told);
                tell_failed(program, report, handler, &mut told);
                tell_marked(program, report, handler, &mut told);
            }
        }
    }
}

/// The key by which events are known again is that of many.
fn tell_coarse(program: &Program, report: &mut Report, handler: &WebhookHandler) {
    let Some(coarse) = program.coarse_key(handler) else { return };
    let CoarseKey { event, thing, .. } = coarse;
    let of = match coarse.named {
        true => format!("the event's name and the {thing}'s id"),
        false => format!("the {thing}'s id alone"),
    };
    let message = format!(
        "deliveries are known again by {of}: every `{event}` of one {thing} after the first is taken for handled, and what \
         it tells is lost"
    );
    let own =
        program.webhook_of(handler).and_then(|webhook| webhook.event_id.as_deref()).unwrap_or("the event's own id");
    let help =
        format!("Know them again by {own}: that is another for each event, and the same when one is delivered again.");
    let mut draft = report.at(coarse.place, "the key of a delivery", message).confidence(Confidence::Medium).help(help);
    let look = program.call_place(coarse.look);
    if look != coarse.place {
        draft = draft.because(look, "who finds the key here is turned away");
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// The same mistake at the end: the event counts as handled though its work failed.
fn tell_marked(program: &Program, report: &mut Report, handler: &WebhookHandler, told: &mut FxHashSet<CallRef>) {
    let Some(marked) = program.marked_handled(handler).filter(|marked| told.insert(marked.work)) else { return };
    let work = program.call_text(marked.work);
    let field = marked.field;
    let message = format!(
        "{field} is set although {work} may have failed: {} delivers the event again, {field} turns the second delivery \
         away, and the event is lost",
        sender(program, handler)
    );
    let help = format!(
        "Set {field} only where the work has succeeded, as the last step of the `try`; where it failed keep the error \
         beside it, leave {field} empty, and answer 500."
    );
    let place = Place { file: marked.function.file, span: marked.mark };
    let draft = report
        .at(place, field.to_string(), message)
        .confidence(Confidence::Medium)
        .help(help)
        .because(program.call_place(marked.work), "when this fails, the event is marked all the same");
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// The same mistake where the work has failed already.
fn tell_failed(program: &Program, report: &mut Report, handler: &WebhookHandler, told: &mut FxHashSet<CallRef>) {
    let Some(failed) = program.recorded_failed(handler).filter(|failed| told.insert(failed.record)) else { return };
    let record = program.call_text(failed.record);
    let work = match program.table_of(failed.work) {
        Some(table) => format!("the write to {table}"),
        None => program.call_text(failed.work),
    };
    let message = format!(
        "{record} writes the event down though {work} has failed: {} is answered an error and delivers it again, the second \
         delivery is turned away, and the event is lost",
        sender(program, handler)
    );
    let help = "Leave the record out here: only what has succeeded is to be known again. To see what failed, keep the error \
                in the log, or in a table that nobody asks whether the event was handled.";
    let draft = report
        .at(program.call_place(failed.record), record, message)
        .confidence(Confidence::Medium)
        .help(help.to_owned())
        .because(program.call_place(failed.work), "this has failed by then");
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// The opposite mistake: the event counts as handled before its work is done.
fn tell_lost(program: &Program, report: &mut Report, handler: &WebhookHandler, told: &mut FxHashSet<CallRef>) {
    let Some(early) = program.recorded_early(handler).filter(|early| told.insert(early.record)) else { return };
    let work = program.call_text(early.work);
    let sender = sender(program, handler);
    let table = program.table_of(early.record).filter(|_| early.is_work);
    let message = match table {
        None => format!(
            "the event is written down as handled before its work: when {work} fails, {sender} delivers it again, and \
             the second delivery is turned away: the event is lost"
        ),
        Some(table) => format!(
            "the row in {table} by which the event is known again is written before the rest of its work: when {work} \
             fails, {sender} delivers it again, the second delivery finds the row and leaves, and that work is never done"
        ),
    };
    let help = match table {
        None => "Take the record out again when the work fails, before the error is answered; or keep a status with \
                 it, `processing` before and `done` after the work, and turn away only what is done."
            .to_owned(),
        Some(table) if program.again(early.work) == Again::Nothing => format!(
            "Where the row in {table} is there already, do {work} all the same instead of leaving: it comes to the same \
             when done twice. Or write both in one transaction."
        ),
        Some(table) => format!(
            "Write both in one transaction, so that the row in {table} goes again when {work} fails; or take the row out \
             before the error is answered."
        ),
    };
    let call = program.call_text(early.record);
    let draft = report
        .at(program.call_place(early.record), call, message)
        .confidence(Confidence::Medium)
        .help(help)
        .because(program.call_place(early.work), "when this fails, the record stays");
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// Who delivers, for messages.
fn sender(program: &Program, handler: &WebhookHandler) -> String {
    handler.vendor.map_or_else(|| "its sender".to_owned(), |vendor| program.catalogue.vendor(vendor).name.clone())
}

fn rank(again: Again) -> u8 {
    match again {
        Again::Nothing | Again::Unknown => 0,
        Again::Row { may_be_unique: true } => 1,
        Again::Row { may_be_unique: false } | Again::Record => 2,
        Again::Message | Again::Count => 3,
        Again::Money => 4,
    }
}

fn doubled(program: &Program, handler: &WebhookHandler) -> Vec<Doubled> {
    let entry = &program.entries[handler.entry];
    // A click or a form of a chat is brought once: who clicked sees the error and clicks again.
    let names = [entry.route, entry.name].into_iter().flatten().flat_map(|name| words(&name)).collect::<Vec<_>>();
    if names
        .iter()
        .any(|word| matches!(word.as_str(), "interactions" | "interaction" | "interactive" | "interactivity"))
    {
        return vec![];
    }
    let deeds = &handler.account.deeds;
    let suspects: Vec<(CallRef, Again, Option<CallRef>)> = handler
        .account
        .deeds
        .iter()
        // What a refused delivery brings about is no work of an event.
        .filter(|deed| !deed.records && !matches!(deed.standing, Standing::Rejected(_)))
        .map(|deed| (deed.at, program.again(deed.at), deed.handed))
        .filter(|&(at, again, _)| rank(again) > 0 && !is_log(program, at) && !is_replaced(program, deeds, at))
        .filter(|&(at, again, _)| {
            !(matches!(again, Again::Row { .. }) && program.is_worked_off_safely(handler.entry, at))
        })
        .collect();
    let jumps = jumped(program, handler);
    if suspects.is_empty() && jumps.is_empty() || claims(program, handler) {
        return vec![];
    }
    let reach = program.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
    let home = home(program, handler);
    let mut seen: FxHashSet<(CallRef, Option<CallRef>)> = FxHashSet::default();
    let mut found = Vec::new();
    let here = suspects.into_iter().map(|(deed, again, handed)| (deed, again, None, handed));
    let there = jumps.into_iter().map(|(jump, deed, again)| (deed, again, Some(jump), None));
    for (deed, again, jump, handed) in here.chain(there) {
        if !seen.insert((deed, handed)) {
            continue;
        }
        // What a wrapper does hangs on who calls it.
        let function = program.function_of(jump.or(handed).unwrap_or(deed));
        let stop = reach.stops.iter().position(|stop| stop.function == function);
        let edges = stop.map(|stop| reach.way(stop)).unwrap_or_default();
        let mut way: Vec<CallRef> = edges.iter().map(|edge| edge.call).collect();
        way.extend(jump.or(handed));
        way.push(deed);
        if program.runs_once(way.iter().copied()) || again == Again::Message && only_where_failed(program, &way) {
            continue;
        }
        let told = way.iter().rev().find(|&&at| home.contains(&program.function_of(at))).copied().unwrap_or(deed);
        let of_table = program.edges(told).iter().filter(|edge| edge.kind == EdgeKind::Direct).count() > 1;
        let entry = edges.iter().find(|edge| edge.call == told).filter(|_| of_table).map(|edge| edge.target);
        found.push(Doubled { deed, told, entry, elsewhere: jump.is_some(), again });
    }
    found
}

/// What other functions of the app do for a handler that calls them over the network, where they do no more than ask
/// for what they need: messages and money.
fn jumped(program: &Program, handler: &WebhookHandler) -> Vec<(CallRef, CallRef, Again)> {
    let deeds = handler.account.deeds.iter();
    let calls = deeds.filter(|deed| !deed.records && !matches!(deed.standing, Standing::Rejected(_)));
    let jumps = calls.flat_map(|deed| program.edges(deed.at)).filter(|edge| edge.kind == EdgeKind::Jump);
    let done = jumps.filter_map(|jump| {
        let reach = program.reach(jump.target, |edge| edge.kind == EdgeKind::Direct);
        let functions: Vec<FunctionRef> = reach.stops.iter().map(|stop| stop.function).collect();
        if functions.iter().any(|&function| program.understands_refusal(function)) {
            return None;
        }
        let stops = reach.stops.iter().enumerate();
        let mut inner = stops.flat_map(|(index, stop)| program.calls_in(stop.function).map(move |at| (index, at)));
        let (_, at) = inner.find(|&(index, at)| {
            matches!(program.again(at), Again::Message | Again::Money)
                && !program.runs_once(reach.way(index).iter().map(|edge| edge.call).chain([at]))
        })?;
        Some((jump.call, at, program.again(at)))
    });
    done.collect()
}

/// Whether a row only tells what happened, by the name of where it goes. A history of amounts is summed up some day.
fn is_log(program: &Program, at: CallRef) -> bool {
    let mut names = words(&program.call_text(at));
    names.extend(program.table_of(at).iter().flat_map(|table| words(table)));
    names.extend(own_class(program, at).iter().flat_map(|class| words(class)));
    let is = |any: &[&str]| names.iter().any(|word| any.contains(&word.as_str()));
    is(&["log", "logs", "audit"]) || is(&["history", "trace", "metrics"]) && !program.keeps_amount(at)
}

/// The class that a row is one of where a method of its own makes it: `cls.objects.create(..)`.
fn own_class(program: &Program, at: CallRef) -> Option<Name> {
    let facts = program.facts(at.file);
    let mut on = facts.call(at.call).callee;
    while let ExprKind::Member(base, _) = *facts.expr(on) {
        on = base;
    }
    match *facts.expr(on) {
        ExprKind::This(class) => facts.classes[class.index()].name,
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(block, name)?;
            let mut values = facts.def(def).values.iter();
            values.find_map(|&value| match *facts.expr(value) {
                ExprKind::This(class) => facts.classes[class.index()].name,
                _ => None,
            })
        }
        _ => None,
    }
}

/// Whether a message is sent only where something has failed: those who watch over the app are told.
fn only_where_failed(program: &Program, way: &[CallRef]) -> bool {
    let in_handler = |at: CallRef| {
        let facts = program.facts(at.file);
        let block = facts.call(at.call).block;
        let function = facts.function_of(block);
        let mut around = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        around.any(|(_, block)| matches!(block.kind, BlockKind::Catch(_)))
    };
    // The last call that leads there has others beside it, maybe: of all of them each stands in a handler.
    way.iter().enumerate().any(|(index, &at)| {
        let target = way.get(index + 1).map(|&next| program.function_of(next));
        let others = target.map_or(&[][..], |target| program.callers(target));
        in_handler(at)
            && others.iter().all(|&other| in_handler(other) || program.function_of(other) != program.function_of(at))
    })
}

/// Whether the rows are taken out before they are put in again.
fn is_replaced(program: &Program, deeds: &[Deed], at: CallRef) -> bool {
    let Some(table) = program.table_of(at) else { return false };
    deeds.iter().take_while(|deed| deed.at != at).any(|deed| {
        program.function_of(deed.at) == program.function_of(at)
            && program.table_of(deed.at) == Some(table)
            && words(&program.call_text(deed.at)).iter().any(|word| word.starts_with("delete"))
    })
}

/// The functions that are the handler's own: the entry's, those written in it, and those that look at the event.
fn home(program: &Program, handler: &WebhookHandler) -> FxHashSet<FunctionRef> {
    let entry = &program.entries[handler.entry];
    let mut home: FxHashSet<FunctionRef> = program.with_inner(entry.function).into_iter().collect();
    for sign in &handler.evidence {
        let facts = program.facts(sign.place.file);
        let inmost = program
            .functions(sign.place.file)
            .filter(|function| facts.function(function.function).span.contains(sign.place.span))
            .last();
        home.extend(inmost);
    }
    home
}

fn sorted(functions: FxHashSet<FunctionRef>) -> Vec<FunctionRef> {
    let mut functions: Vec<FunctionRef> = functions.into_iter().collect();
    functions.sort();
    functions
}

/// Whether the handler claims the event: a unique column refuses a second record of it, and that is understood.
fn claims(program: &Program, handler: &WebhookHandler) -> bool {
    let entry = &program.entries[handler.entry];
    let functions: FxHashSet<FunctionRef> = program
        .reach(entry.function, |edge| edge.kind != EdgeKind::Jump)
        .stops
        .iter()
        .map(|stop| stop.function)
        .collect();
    // Nothing is refused where the migrations make no key for what is inserted; a change of a row adds none.
    let changes = |at: CallRef| {
        program.called_name(at).is_some_and(|name| name.starts_with("update") || name.starts_with("delete"))
    };
    let deeds = handler.account.deeds.iter().filter(|deed| !changes(deed.at));
    let inserted =
        deeds.filter(|deed| deed.records || matches!(program.again(deed.at), Again::Row { .. } | Again::Nothing));
    let inserted: Vec<_> = inserted.collect();
    let refusals: Vec<Unique> = inserted
        .iter()
        .map(|deed| program.refuses_again(deed.at))
        .filter(|refused| *refused != Unique::Unknown)
        .collect();
    if !refusals.is_empty() && !refusals.contains(&Unique::Yes) {
        return false;
    }
    // Where nothing is inserted, what puts any error of the app into words knows nothing of this one.
    let for_all = |function: FunctionRef| {
        let first = program.facts(function.file).function(function.function).params.first();
        let error = first.and_then(|param| param.name);
        inserted.is_empty()
            && error.is_some_and(|name| matches!(name.as_str(), "error" | "err" | "e" | "exc" | "exception" | "cause"))
    };
    functions.iter().any(|&function| program.understands_refusal(function) && !for_all(function))
        || handler.account.deeds.iter().filter(|deed| deed.records).any(|deed| {
            let guards = program.guards(deed.at);
            guards.iter().any(|guard| matches!((guard.handler, guard.ending), (Handler::Block(_), Ending::Returns(_))))
                && !handler.account.deeds.iter().any(|other| {
                    !other.records && program.function_of(other.at) == program.function_of(deed.at) && {
                        let bodies = |at: CallRef| {
                            program.guards(at).into_iter().filter_map(|guard| guard.body).collect::<Vec<_>>()
                        };
                        bodies(other.at).iter().any(|body| bodies(deed.at).contains(body))
                    }
                })
        })
}

/// The table that events are recorded in, where its migrations make no key that refuses a second record.
fn unguarded(program: &Program, handler: &WebhookHandler) -> Option<Place> {
    let mut records = handler.account.deeds.iter().filter(|deed| deed.records);
    let open = records.find(|deed| program.refuses_again(deed.at) == Unique::No)?;
    program.table_made(open.at)
}

fn tell(program: &Program, report: &mut Report, handler: &WebhookHandler, first: &Doubled, all: &[Doubled]) {
    let entry = &program.entries[handler.entry];
    let call = first.entry.map_or_else(|| program.call_text(first.told), |entry| program.function_name(entry));
    let call = if first.elsewhere && call == "fetch" { program.call_text(first.deed) } else { call };
    let who = sender(program, handler);
    let harm = match first.again {
        Again::Money => "money moves twice",
        Again::Message => "people get it twice",
        Again::Count => "it is counted twice",
        Again::Record => "a second record is made",
        _ => "a second row is written",
    };
    let memory = program.asked_in_memory(&sorted(home(program, handler)));
    let remembers = match memory {
        Some(_) => "what is remembered in memory is gone at the next start, and no other instance knows it",
        None => "nothing remembers that the event was handled",
    };
    let message = format!("{call} runs again when {who} delivers the same event again, and {harm}: {remembers}");
    let by_vendor = handler.vendor.map(|vendor| program.catalogue.vendor(vendor).category);
    let confidence = match (first.again, by_vendor) {
        // Users are mostly kept by the id that the vendor gave them.
        (Again::Row { may_be_unique: true }, Some(Category::Auth)) => Confidence::Low,
        (Again::Row { .. }, _) | (_, None) => Confidence::Medium,
        _ => Confidence::High,
    };
    let id = program.webhook_of(handler).and_then(|webhook| webhook.event_id.as_deref()).unwrap_or("the event's id");
    let mut draft = report.at(program.call_place(first.told), call, message).confidence(confidence).help(format!(
        "Insert {id} into a table where it is unique before the work, answer 200 and stop when it is there already, and \
         delete that row again when the work fails: the next delivery would be ignored otherwise."
    ));
    if first.told != first.deed {
        draft = draft.because(program.call_place(first.deed), "what is done again");
    }
    if let Again::Row { may_be_unique: false } = first.again
        && program.refuses_again(first.deed) == Unique::No
        && let Some(made) = program.table_made(first.deed)
    {
        draft = draft.because(made, "no key of this table refuses a second row");
    }
    if let Some(made) = unguarded(program, handler) {
        draft = draft.because(made, "no key of this table refuses a second record of the event");
    }
    if let Some(memory) = memory {
        draft = draft.because(program.call_place(memory), "kept in memory only");
    }
    /// More say nothing more.
    const MOST: usize = 5;
    let mut seen: FxHashSet<CallRef> = FxHashSet::from_iter([first.told]);
    for other in all.iter().filter(|other| seen.insert(other.told)).take(MOST) {
        draft = draft.because(program.call_place(other.told), "this runs again too");
    }
    draft = draft.trace(program.trace_to(entry, first.deed, "runs again"));
    match handler.vendor {
        Some(vendor) => draft.vendor(program.vendor_id(vendor)),
        None if handler.by_name && matches!(handler.verdict, Verdict::Unverified { .. }) => {
            draft.confidence(Confidence::Low).auditor_only()
        }
        None => draft,
    };
}
