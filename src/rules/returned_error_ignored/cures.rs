//! What to do with the error of a call, by what stands already when it fails.

use super::Stake;
use super::renewed::stores_renewed_token;
use crate::catalogue::{Effect, Operation, Package, Reports};
use crate::facts::ExprKind;
use crate::program::failures::stands::{Round, Stands};
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::webhooks::acknowledged::Loss;
use crate::program::{CallRef, EntryKind, Program, VendorUse};

/// What to do with the errors of a function: the first one's cure, and where that is to throw, that of the first one
/// that must not, since more stands already when it fails.
pub(super) fn of_all<'p>(
    program: &Program,
    first: (&VendorUse, Stake),
    others: impl Iterator<Item = (&'p VendorUse, Stake)>,
    origins: &[Origin],
    origin: Option<&Origin>,
) -> String {
    let help = help_for(program, first.0, first.1, origins, origin);
    let throws = |help: &str| help.contains("throw error");
    if !throws(&help) {
        return help;
    }
    let mut others = others.map(|(used, stake)| (used, help_for(program, used, stake, origins, origin)));
    let Some((used, other)) = others.find(|(_, other)| !throws(other)) else { return help };
    format!("{help}\nThe one in line {} needs another: {}", program.line(program.call_place(used.at)), lowered(&other))
}

/// A sentence as it goes on behind a colon.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What to do with the error that a call returns.
fn help_for(program: &Program, used: &VendorUse, stake: Stake, origins: &[Origin], origin: Option<&Origin>) -> String {
    let call = used.name.rsplit('.').next().unwrap_or(&used.name);
    let way = origin.map_or(&[][..], |origin| &origin.way[..]);
    let log = "`const { error } = await ...; if (error) console.error(error);`";
    let effect = program.operation(used).map(|operation| operation.effect);
    let sends = matches!(effect, Some(Effect::Send | Effect::Invoke));
    if sends && !program.runs_on_server(used.at.file) && program.is_left_alone(used.at) {
        return format!(
            "Look at what {call} returns and log it, without waiting for it: `.then(({{ error }}) => {{ if (error) \
             console.error(error); }})`. The page does not need it, and goes on."
        );
    }
    if stake == Stake::Little && effect != Some(Effect::Delete) && program.is_for_the_record(used) {
        return format!(
            "Look at what {call} returns and log it: {log}. It only tells of what was done: nothing waits for it."
        );
    }
    if stores_renewed_token(program, used) {
        return format!(
            "Look at what {call} returns, log it, and go on: {log}. The token is in hand and works; thrown, the error ends \
             what it was renewed for, and stores it no better."
        );
    }
    let in_webhook = program.is_webhook_work(used.at, origins);
    if stake == Stake::Webhook && gives_orders(program, origins) {
        return format!(
            "Look at what {call} returns, report it, and answer as before: {log}. An answer of 500 would end the caller's \
             call, and nothing is delivered again: keep what was not stored where a job tries it again."
        );
    }
    if stake == Stake::Webhook
        && let Some(vendor) = once_only(program, origins)
    {
        return format!(
            "Look at what {call} returns and report it: {log}. {vendor} does not deliver again, whatever is answered: \
             keep what was not stored where a job tries it again."
        );
    }
    let stands = match stake {
        Stake::Message | Stake::Webhook | Stake::Answer => program.stands_before(used.at, way),
        Stake::Little => Stands { counted: program.stands_before(used.at, way).counted, ..Stands::default() },
        Stake::Core => Stands::default(),
    };
    let adds = matches!(effect, Some(Effect::Create | Effect::Send | Effect::Invoke));
    // Who brings a secret of the app's own is a clock or a server, which comes again.
    let machines = || origins.iter().any(|origin| program.brings_own_secret(origin.entry));
    let repeats = adds
        || stands.out.is_some()
        || program.is_periodic(used.at)
        || program.adds_in_its_round(used.at)
        || machines();
    let swept = matches!(stake, Stake::Message | Stake::Answer) && repeats && !in_webhook;
    let round = program.round_ended_by(used.at, way).filter(|_| swept);
    if let Some(cure) = round.and_then(|round| in_round(call, round, stands.out.is_some())) {
        return cure;
    }
    if stake == Stake::Message && program.hides_who_is_known(used.at, origins) {
        return format!(
            "Look at what {call} returns, log it, and answer the same as before: {log}. Addresses that are not known get \
             that answer too: an error would tell which ones have an account."
        );
    }
    let again = is_tried_again(program, origins);
    let told = stands.out.is_some_and(|at| program.says_something(at));
    if stake == Stake::Answer && (is_afterthought(program, used) && !again || stands.out.is_some() && (told || !again))
    {
        let who =
            if again || round.is_some() || program.is_periodic(used.at) { "the next run" } else { "the customer" };
        return format!(
            "Look at what {call} returns and report it: {log}. What was done before it stands: an error answered here has \
             {who} do all of it again."
        );
    }
    if (stake == Stake::Message || stake == Stake::Answer && sends)
        && !in_webhook
        && !again
        && let Some(paid) = stands.out.filter(|_| !told)
    {
        return format!(
            "Look at what {call} returns, log it, and go on: {log}. The money has moved in line {}: an error answered here \
             has the customer pay again. What did not go out can be sent again from the log.",
            program.line(program.call_place(paid))
        );
    }
    if stake == Stake::Message
        && !in_webhook
        && !again
        && let Some(table) = stands.row
    {
        return format!(
            "Look at what {call} returns, log it, and say in the answer that only the message did not go out, so that it \
             can be sent again: {log}. The row in {:?} stands: an error for all of it has the customer start over, and \
             the row is refused or there twice.",
            table.as_str()
        );
    }
    if (stake == Stake::Message || stake == Stake::Answer && sends)
        && !in_webhook
        && !again
        && let Some(changed) = origin.and_then(|origin| program.turned_away_by(used.at, origin))
    {
        return format!(
            "Look at what {call} returns, report it, and keep what did not go out where a job sends it again: {log}. What \
             line {} changed stands: whoever is answered an error tries again, and is turned away by what the row says now.",
            program.line(program.call_place(changed))
        );
    }
    if stake != Stake::Core
        && !in_webhook
        && !again
        && let Some(counted) = stands.counted
    {
        return format!(
            "Do both in one function of the database, this one first: what line {} counted stands when this fails, and \
             whoever is answered an error tries again and has it counted twice. Until then look at what {call} returns and \
             report it: {log}.",
            program.line(program.call_place(counted))
        );
    }
    let takes_throw = program.throws_after(used).map(|name| format!(", or add `.{name}()` to the query"));
    let takes_throw = takes_throw.unwrap_or_default();
    if stake == Stake::Answer
        && matches!(effect, Some(Effect::Create | Effect::Update))
        && let Some(table) = stands.row
    {
        return format!(
            "Look at what {call} returns and report it: {log}. The row in {:?} stands: an error answered here has the \
             customer add it again. Where the two must go together, make both in one function of the database.",
            table.as_str()
        );
    }
    let then = match stake {
        Stake::Webhook => "throw it, so that the handler answers 500 and the vendor delivers again",
        Stake::Core => "report it; a `catch` around the call never sees it",
        _ => "throw it or answer an error",
    };
    let mut first = if in_webhook { before_delivered_again(&stands) } else { String::new() };
    if let Some(record) = in_webhook.then(|| recorded_before(program, used, origins)).flatten() {
        first.push_str(&format!(
            " But first take the record of the event out again ({} keeps it, and the next delivery is taken for done).",
            program.call_text(record)
        ));
    }
    let caught = if stake == Stake::Core { None } else { caught_on_the_way(program, used, origin) };
    format!(
        "Look at what {call} returns and {then}: `const {{ error }} = await ...; if (error) throw error;`{takes_throw}.{}{first}",
        caught.unwrap_or_default()
    )
}

/// What else has to change where an error that is thrown ends in a handler on the way, and goes no further.
fn caught_on_the_way(program: &Program, used: &VendorUse, origin: Option<&Origin>) -> Option<String> {
    let origin = origin?;
    let loss = program.loss_of(&program.entries[origin.entry], &origin.way, used.at)?;
    let Loss::Caught(place) = loss else { return None };
    let line = program.line(place);
    let at = if place.file == used.at.file {
        format!("line {line}")
    } else {
        format!("{}:{line}", program.file(place.file).path)
    };
    Some(format!(
        " The `catch` at {at} takes what is thrown here, and goes on: have it throw the error again, or answer an error \
         itself."
    ))
}

/// What to do in the round of a list, so that it goes on.
fn in_round(call: &str, round: Round, out: bool) -> Option<String> {
    const WHY: &str = "Thrown, it leaves out all that come after, and the next run does the first ones again.";
    let leaves = match round {
        Round::Loop => "continue",
        Round::Callback => "return",
        Round::Outside if out => return None,
        Round::Outside => {
            return Some(format!(
                "Look at what {call} returns and hand the error back, and let the loop that calls this note it and go on \
                 with the next: `const {{ error }} = await ...; if (error) return {{ error }};`. {WHY}"
            ));
        }
    };
    Some(format!(
        "Look at what {call} returns in each round, note it and go on with the next: `const {{ error }} = await ...; \
         if (error) {{ console.error(error); failed += 1; {leaves}; }}`, and tell at the end how many failed. {WHY}"
    ))
}

/// What has to be changed before a delivery can come again.
fn before_delivered_again(stands: &Stands) -> String {
    let mut first = String::new();
    if let Some(table) = stands.row {
        first = format!(
            " But first let the next delivery get here: the row in {:?} that was inserted before is refused or there twice \
             then, so look for it, and insert it only where it is missing.",
            table.as_str()
        );
    }
    if stands.out.is_some() {
        first.push_str(" And move the message before it behind it: delivered again, it would go out a second time.");
    }
    if stands.counted.is_some() {
        first.push_str(
            " And what was counted before it is counted again then: do both in one function of the database.",
        );
    }
    first
}

/// The record of the event that a webhook makes before a call, and by which the next delivery is turned away.
fn recorded_before(program: &Program, used: &VendorUse, origins: &[Origin]) -> Option<CallRef> {
    let handlers = program.webhook_handlers();
    let mut own = handlers.iter().filter(|handler| origins.iter().any(|origin| origin.entry == handler.entry));
    own.find_map(|handler| program.recorded_before_work(handler, used.at))
}

/// The vendor of the webhooks that lead here, when none of them delivers a second time.
fn once_only<'p>(program: &'p Program, origins: &[Origin]) -> Option<&'p str> {
    let handlers = program.webhook_handlers();
    let mut own = handlers.iter().filter(|handler| origins.iter().any(|origin| origin.entry == handler.entry));
    let first = own.next()?;
    let never = |handler| program.webhook_of(handler).is_some_and(|webhook| webhook.never_redelivers);
    let vendor = program.catalogue.vendor(first.vendor?);
    (never(first) && own.all(never)).then_some(vendor.name.as_str())
}

/// The cure for a version whose errors look like answers.
pub(super) fn raise(package: &Package) -> String {
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
    let before = |at: &CallRef| facts.span(facts.call(at.call).expr).end <= start && !program.excludes(*at, used.at);
    let stays = |operation: &Operation, own: bool| {
        operation.money
            || operation.effect == Effect::Send
            || operation.core.is_some() && operation.effect == Effect::Create
            || !own && matches!(operation.effect, Effect::Create | Effect::Delete)
    };
    let done = program.calls_in(program.function_of(used.at)).filter(before).flat_map(|at| program.vendors_at(at));
    let mut done = done.filter(|other| other.at != used.at).filter_map(|other| {
        let own = program.catalogue.vendor(other.vendor).own_backend;
        // A page on which nobody has paid yet can be made again.
        let open = program.waits_for_payer(other);
        Some((program.operation(other).filter(|_| !open)?, own, other))
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
