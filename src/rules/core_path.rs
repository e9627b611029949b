//! What the two rules on core paths have in common: one finding for each vendor that a path waits for.

use rustc_hash::FxHashMap;

use crate::catalogue::{Category, Core, Effect};
use crate::facts::Language;
use crate::finding::{Confidence, Place, Severity};
use crate::names::Name;
use crate::program::money::core_paths::{CoreUse, Failure, Purpose, Start, Weight};
use crate::program::values::answers::Deed;
use crate::program::verify::words;
use crate::program::{CallRef, Destination, Edge, EdgeKind, EntryKind, Program};
use crate::rule::Report;

/// Most related places of one finding.
const MOST_RELATED: usize = 8;

/// Reports what the core paths of some kinds wait for.
pub fn check(program: &Program, report: &mut Report, cores: &[Core]) {
    let mut groups: Vec<Vec<CoreUse<'_>>> = Vec::new();
    // Groups by what their uses have in common.
    let mut alike: FxHashMap<(String, bool), Vec<usize>> = FxHashMap::default();
    for used in program.core_uses(cores) {
        // The step that another core path exists for is told there.
        let core = used.out.operation(program).and_then(|operation| operation.core);
        if used.weight == Weight::Essential && core.is_some_and(|core| core != used.core) {
            continue;
        }
        let alike = alike.entry((whose(program, &used), used.weight == Weight::Essential)).or_default();
        match alike.iter().find(|&&group| groups[group].iter().any(|other| are_one(program, other, &used))) {
            Some(&group) => groups[group].push(used),
            None => {
                alike.push(groups.len());
                groups.push(vec![used]);
            }
        }
    }
    for mut uses in groups {
        uses.sort_by_key(|used| {
            let nearest = used.starts.first().map_or(0, |start| start.way.len());
            (
                used.weight == Weight::Essential,
                used.only_with.is_some(),
                std::cmp::Reverse(severity(used)),
                nearest + used.way.len(),
                used.out.at,
                used.on_path,
            )
        });
        tell(program, report, &uses);
    }
}

/// Whether two uses of one vendor are one finding: in one function or behind one call of the path.
fn are_one(program: &Program, one: &CoreUse<'_>, other: &CoreUse<'_>) -> bool {
    let function = |used: &CoreUse<'_>| program.function_of(used.out.sender());
    one.on_path == other.on_path || function(one) == function(other)
}

/// The vendor, or the domain of an external service.
fn whose(program: &Program, used: &CoreUse<'_>) -> String {
    if let Some(vendor) = used.out.vendor_id() {
        return program.catalogue.vendor(vendor).id.clone();
    }
    match used.out.request.and_then(|http| http.to.first()) {
        Some(Destination::Host(host, _)) => {
            let labels: Vec<&str> = host.rsplitn(3, '.').take(2).collect();
            labels.join(".")
        }
        Some(Destination::Env(name, _)) => name.to_string(),
        _ if is_mail(program, used) => "mail".to_owned(),
        _ => String::new(),
    }
}

fn severity(used: &CoreUse<'_>) -> Severity {
    match (used.weight, used.failure) {
        (Weight::Essential, _) | (Weight::Message, Failure::Caught(_)) => Severity::Note,
        // Whoever asks for nothing but the mail sees that it did not go out, and asks again.
        (Weight::Message, Failure::Stops) if matches!(used.core, Core::Verification | Core::Reset) => Severity::Note,
        (Weight::Message, Failure::Stops) | (Weight::Other, Failure::Caught(_)) => Severity::Warning,
        (Weight::Other, Failure::Stops) => Severity::Error,
    }
}

fn tell(program: &Program, report: &mut Report, uses: &[CoreUse<'_>]) {
    let Some(worst) = uses.first() else { return };
    let Some(start) = worst.starts.first() else { return };
    let out = worst.out;
    let (who, call) = name(program, worst);
    let sold = sold_at(program, worst, start);
    // What the customer gets on the spot cannot be left to come later.
    let severity = if sold.is_some() { severity(worst).min(Severity::Warning) } else { severity(worst) };
    let way = worst.whole_way(start);
    let mut draft = report
        .at(program.call_place(out.at), call.clone(), message(worst, &who, &call))
        .severity(severity)
        .confidence(confidence(program, worst, start))
        .trace(program.trace(start.place, &start.text, &way, out.at, &format!("waits for {call}")))
        .help(match sold {
            Some(stored) => for_what_is_sold(program, worst, stored, &call),
            None => help(program, worst, start, &call),
        });
    // What only some customers wait for is not on everybody's path.
    let is_kept_mail = is_mail(program, worst) && worst.failure != Failure::Stops;
    if severity == Severity::Note || worst.only_with.is_some() || is_kept_mail {
        draft = draft.auditor_only();
    }
    if let Some(vendor) = out.vendor_id() {
        draft = draft.vendor(Name::new(&program.catalogue.vendor(vendor).id));
    }
    if let Failure::Caught(Some(place)) = worst.failure {
        draft = draft.because(place, "its failure is caught here, after the wait");
    }
    if let Some((at, purpose)) = worst.purpose {
        draft = draft.because(program.call_place(at), says(worst.core, purpose));
    }
    for (place, text) in others(program, uses, worst) {
        draft = draft.because(place, text);
    }
}

/// High when the code shows what the path is for, or an auth library starts it; medium when only names say so.
fn confidence(program: &Program, used: &CoreUse<'_>, start: &Start) -> Confidence {
    let hook = start.entry.is_some_and(|at| program.entries[at].kind == EntryKind::Hook);
    let seen = used.core_call.is_some() || hook;
    if seen && start.entry.is_some() { Confidence::High } else { Confidence::Medium }
}

/// The other places of a finding: further calls, further functions of a path, further starts.
fn others(program: &Program, uses: &[CoreUse<'_>], worst: &CoreUse<'_>) -> Vec<(Place, String)> {
    let mut places: Vec<(Place, String)> = Vec::new();
    let mut seen = vec![program.call_place(worst.out.at), program.call_place(worst.on_path)];
    let mut note = |place: Place, text: String| {
        if !seen.contains(&place) {
            seen.push(place);
            places.push((place, text));
        }
    };
    for used in uses {
        note(program.call_place(used.on_path), format!("{} waits for it here too", path_name(used.core)));
        note(program.call_place(used.out.at), format!("and for {}", name(program, used).1));
    }
    for start in uses
        .iter()
        .flat_map(|used| &used.starts)
        .filter(|start| Some(start.place) != worst.starts.first().map(|s| s.place))
    {
        note(start.place, format!("also starts it: {}", start.text));
    }
    places.truncate(MOST_RELATED);
    places
}

/// Whom the path waits for, and the call.
fn name(program: &Program, used: &CoreUse<'_>) -> (String, String) {
    if let Some(vendor) = used.out.vendor {
        return (program.catalogue.vendor(vendor.vendor).name.clone(), vendor.name.clone());
    }
    let request = used.out.request;
    let to = request.and_then(|http| http.to.first());
    let method = request.and_then(|http| http.method).map_or("a request", |method| method.as_str());
    match to {
        Some(Destination::Host(host, path)) => {
            (host.to_string(), format!("{method} {host}{}", path.trim_end_matches("{}").trim_end_matches('/')))
        }
        Some(Destination::Env(name, _)) => (format!("the service behind {name}"), format!("{method} to {name}")),
        _ if is_mail(program, used) => ("the mail server".to_owned(), program.call_text(used.out.at)),
        _ => ("an external service".to_owned(), method.to_owned()),
    }
}

fn is_mail(program: &Program, used: &CoreUse<'_>) -> bool {
    used.out.request.is_some_and(|http| program.hands_mail(http))
}

fn path_name(core: Core) -> &'static str {
    match core {
        Core::Signup => "signup",
        Core::Login => "login",
        Core::Checkout => "checkout",
        Core::Verification => "email verification",
        Core::Reset => "password reset",
    }
}

fn says(core: Core, purpose: Purpose) -> &'static str {
    match (core, purpose) {
        (Core::Signup, Purpose::Leads) => "what the path is for: this leads to where the account is made",
        (Core::Signup, _) => "what the path is for: the account is made here",
        (Core::Login, Purpose::Leads) => "what the path is for: this leads to where the customer is logged in",
        (Core::Login, _) => "what the path is for: the customer is logged in here",
        (Core::Verification, Purpose::Leads) => "what the path is for: this leads to where the address is verified",
        (Core::Verification, _) => "what the path is for: the address is verified here",
        (Core::Reset, Purpose::Leads) => "what the path is for: this leads to where the password is reset",
        (Core::Reset, _) => "what the path is for: the password is reset here, or the way to do it sent",
        (Core::Checkout, Purpose::Made) => "what the path is for: the payment or order is made here",
        (Core::Checkout, Purpose::LookedUp) => {
            "what the path is for: the customer has paid, and the payment is looked up here"
        }
        (Core::Checkout, Purpose::Leads) => {
            "what the path is for: this leads to where the payment or order is made or looked up"
        }
    }
}

fn message(used: &CoreUse<'_>, who: &str, call: &str) -> String {
    let path = path_name(used.core);
    let (nobody, everybody) = match used.core {
        Core::Signup => ("nobody can create an account", "every new customer"),
        Core::Login => ("nobody can log in", "everyone who logs in"),
        Core::Checkout => ("nobody can pay", "every paying customer"),
        Core::Verification => ("nobody can verify an address", "everyone who verifies an address"),
        Core::Reset => ("nobody gets back into an account", "everyone who lost a password"),
    };
    if let (Some(chosen), false) = (used.only_with, used.weight == Weight::Essential) {
        let state = if chosen.set { "set" } else { "missing" };
        let wait = format!("{path} waits for {who} ({call}) where {} is {state}", chosen.name);
        return match used.failure {
            Failure::Stops => format!("{wait}: when it is slow or down, these customers get no further"),
            Failure::Caught(_) => format!("{wait}: when it hangs, these customers wait with it"),
        };
    }
    match (used.weight, used.failure) {
        (Weight::Essential, _) => format!("{path} needs {who} ({call}): while it is down, {nobody}"),
        (_, Failure::Stops) => format!("{path} waits for {who} ({call}): when it is slow or down, {nobody}"),
        (_, Failure::Caught(_)) if used.raced => format!(
            "{path} waits for {who} ({call}): neither its failure nor its hanging stops the path, but while it is slow {everybody} waits until the race is over"
        ),
        (_, Failure::Caught(_)) => format!(
            "{path} waits for {who} ({call}): its failure does not stop the path, but when it hangs, {everybody} waits with it"
        ),
    }
}

/// How to take the call off the path, in the words of the place where it runs.
fn help(program: &Program, used: &CoreUse<'_>, start: &Start, call: &str) -> String {
    if used.weight == Weight::Essential {
        return format!("give {call} a time limit and tell the customer what to do when it fails");
    }
    // What is looked up is wanted for what follows: it can be waited for shortly, but not put off.
    if looks_up(program, used) {
        return format!(
            "give {call} a time limit of a few seconds, catch its failure, and go on without its answer where the path can"
        );
    }
    if is_gate(program, used) {
        return format!(
            "give {call} a time limit of a few seconds. Its answer decides who is turned away, so it cannot come after: while \
             it gives none, say so and let the customer try again, or keep it back until somebody has looked at it"
        );
    }
    // A code that is proved before the account is made cannot come after it.
    if used.weight == Weight::Message && used.failure == Failure::Stops {
        return format!(
            "give {call} a time limit of a few seconds, and when it fails say so and let the customer ask for it again"
        );
    }
    let after = match used.core {
        Core::Signup => "the account exists",
        Core::Login => "the customer is logged in",
        Core::Checkout => "the payment or order is made",
        Core::Verification => "the address is verified",
        Core::Reset => "the password is reset, or the way to do it sent",
    };
    let runtime = runtime(program, used, start);
    if matches!(runtime, Runtime::Edge | Runtime::Next | Runtime::Server)
        && let Some((asked, other)) = also_asked_by(program, &used.whole_way(start))
    {
        let at = |call: CallRef| {
            let place = program.call_place(call);
            format!("{}:{}", program.file(place.file).path, program.line(place))
        };
        // What nobody waits for in a function of the edge is stopped with its answer.
        let unawaited = match edge_asks(program, asked) {
            true => "with `EdgeRuntime.waitUntil(ask().catch(console.error))`",
            false => "without `await` and with `.catch(report)`, or from the server where the page is left at once",
        };
        return format!(
            "give {call} a time limit, and do not wait for it where the path asks for it ({}): ask only when {after}, \
             {unawaited}. Its own answer stays as it is: others go by it ({})",
            at(asked),
            at(other)
        );
    }
    let (how, deferred) = match runtime {
        Runtime::Browser => ("do not await it", "`send().catch(report)`, or let the server send it"),
        Runtime::Edge => ("answer first", "`EdgeRuntime.waitUntil(send().catch(console.error))`"),
        Runtime::Next => ("answer first", "`after(() => send().catch(console.error))` from \"next/server\""),
        Runtime::Server => (
            "put it into a queue or answer first",
            "`send().catch(report)` without `await` on a server that keeps running, `waitUntil(send().catch(report))` on a \
             serverless host",
        ),
        Runtime::FastApi => (
            "hand it to a background task",
            "`background_tasks.add_task(send, ...)` with `background_tasks: BackgroundTasks` among the parameters",
        ),
        Runtime::Celery => {
            ("put it into a queue", "`send.delay(...)`, or a row in an outbox table that a job works off")
        }
        Runtime::Python => (
            "answer first",
            "a row in an outbox table that a job works off, or `threading.Thread(target=send, args=(...)).start()` on a \
             server that keeps running",
        ),
    };
    // Put off alone, what stores its answer would find none.
    if let Some(stored) = program.answer_stored(used.on_path) {
        return format!(
            "give {call} a time limit of a few seconds and catch its failure. Line {} stores what it gives: where the \
             customer needs that at once, leave it at that; else do both only when {after}, and {how}: {deferred}",
            program.line(program.call_place(stored))
        );
    }
    format!("call {call} only when {after}, and {how}: {deferred}; give it a time limit and catch its failure")
}

/// The request by which a path asks a handler of the app's own, and another one that goes by what the same handler
/// answers: it must not answer before its work is done.
/// Where a path stores what it has a vendor provide for the customer who is answered with it: the number that is sold.
/// The ids of a record about the customer (in a CRM, at the payment vendor) are nothing that they wait for.
fn sold_at(program: &Program, used: &CoreUse<'_>, start: &Start) -> Option<CallRef> {
    const PROVIDERS: &[Category] = &[Category::Sms, Category::Llm, Category::Developer, Category::Scheduling];
    let vendor = used.out.vendor_id()?;
    let effect = used.out.operation(program).map(|operation| operation.effect);
    let provides = PROVIDERS.contains(&program.catalogue.vendor(vendor).category)
        && matches!(effect, None | Some(Effect::Create | Effect::Update));
    if !provides || used.weight != Weight::Other {
        return None;
    }
    let entry = &program.entries[start.entry?];
    program.answer_stored(used.on_path).filter(|&stored| program.answer_goes_out(entry, used.on_path, stored))
}

/// The cure for what is sold on the path itself.
fn for_what_is_sold(program: &Program, used: &CoreUse<'_>, stored: CallRef, call: &str) -> String {
    let line = program.line(program.call_place(stored));
    let then = match used.failure {
        Failure::Stops => {
            "When it fails, let what is made stand, answer that the rest follows, and let a job ask again for rows without it"
        }
        Failure::Caught(_) => "Its failure is caught already: let a job ask again for rows without it",
    };
    format!(
        "give {call} a time limit of a few seconds, and leave it where it is: line {line} stores what it gives, and the \
         customer is answered with it. {then}"
    )
}

fn also_asked_by(program: &Program, way: &[Edge]) -> Option<(CallRef, CallRef)> {
    let jump = way.iter().rev().find(|edge| edge.kind == EdgeKind::Jump)?;
    let own = program.function_of(jump.call);
    let others = program.incoming(jump.target).iter().filter(|edge| edge.kind == EdgeKind::Jump).map(|edge| edge.call);
    let mut others = others.filter(|&other| program.function_of(other) != own && !program.side(other.file).tooling);
    let other = others.find(|&other| program.looks(other).iter().any(|look| look.deed == Deed::Tested))?;
    Some((jump.call, other))
}

/// Whether a request is sent by a function of the edge, which ends with its answer.
fn edge_asks(program: &Program, asked: CallRef) -> bool {
    let mut origins = program.origins_of(asked).into_iter().map(|origin| program.entries[origin.entry].kind);
    origins.any(|kind| kind == EntryKind::EdgeFunction)
}

/// Whether a call only asks for something.
fn looks_up(program: &Program, used: &CoreUse<'_>) -> bool {
    match used.out.vendor.and_then(|vendor| program.operation(vendor)) {
        Some(operation) => matches!(operation.effect, Effect::Read | Effect::List),
        None => {
            used.out.request.is_some_and(|http| http.method.is_some_and(|method| method == "GET"))
                || used.out.vendor.is_none() && program.answer_decides(used.out.sender(), &used.way)
        }
    }
}

/// Whether a model's answer is a check, by the name of what asks for it: the path turns away whom it says no to.
fn is_gate(program: &Program, used: &CoreUse<'_>) -> bool {
    const CHECKS: &[&str] = &[
        "safe",
        "safety",
        "check",
        "moderate",
        "moderation",
        "allowed",
        "valid",
        "validate",
        "verify",
        "screen",
        "spam",
        "appropriate",
        "toxic",
        "fraud",
        "abuse",
        "abusive",
        "acceptable",
        "review",
        "policy",
        "offensive",
    ];
    let is_model =
        used.out.vendor_id().is_some_and(|vendor| program.catalogue.vendor(vendor).category == Category::Llm);
    let checks = |call: CallRef| {
        let name = program.called_name(call).map_or_else(String::new, |name| name.to_string());
        words(&name).iter().any(|word| CHECKS.contains(&word.as_str()))
    };
    let mut asked = used.way.iter().map(|edge| edge.call);
    is_model && asked.any(|call| checks(call) && program.refuses_by_answer(call))
}

enum Runtime {
    Browser,
    Edge,
    Next,
    Server,
    FastApi,
    Celery,
    Python,
}

/// Where the call runs: by the last entry on the way to it.
fn runtime(program: &Program, used: &CoreUse<'_>, start: &Start) -> Runtime {
    let way = used.whole_way(start);
    let served = way.iter().rev().find(|edge| edge.kind == EdgeKind::Jump).map(|edge| edge.target);
    let entry = match served {
        Some(function) => program.entries.iter().find(|entry| entry.function == function),
        None => start.entry.map(|at| &program.entries[at]),
    };
    if language(program, used.out.at) == Language::Python {
        return match entry {
            Some(entry) if entry.framework.starts_with("fastapi") => Runtime::FastApi,
            _ if program.imports("pypi:celery") => Runtime::Celery,
            _ => Runtime::Python,
        };
    }
    match entry {
        Some(entry) if matches!(entry.kind, EntryKind::Event | EntryKind::Effect) => Runtime::Browser,
        Some(entry) if entry.kind == EntryKind::EdgeFunction => Runtime::Edge,
        _ if program.has_no_after(used.out.at.file) => Runtime::Server,
        Some(entry) if entry.framework.starts_with("next") => Runtime::Next,
        Some(entry) if entry.kind == EntryKind::Hook && runs_next(program) => Runtime::Next,
        None if program.side(used.out.at.file).client && served.is_none() => Runtime::Browser,
        _ => Runtime::Server,
    }
}

fn runs_next(program: &Program) -> bool {
    program.entries.iter().any(|entry| entry.framework.starts_with("next-"))
}

fn language(program: &Program, call: CallRef) -> Language {
    program.facts(call.file).language
}
