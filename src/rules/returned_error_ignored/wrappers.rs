//! Functions of the program that report their failure by returning it, and callers that drop what they return.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BlockId, BlockKind, Step};
use crate::finding::Confidence;
use crate::program::failures::reporting::Reporting;
use crate::program::failures::stands::Round;
use crate::program::money::core_paths::says::answers_error;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, EntryKind, FunctionRef, Program};
use crate::rule::Report;

pub(super) fn check(program: &Program, report: &mut Report) {
    let mut known: FxHashMap<FunctionRef, Option<Reporting>> = FxHashMap::default();
    // A call, the wrapper that it calls, and the one whose answer that is.
    let mut callers: Vec<(CallRef, FunctionRef, FunctionRef)> = Vec::new();
    let mails = program.requests().iter().filter(|http| http.at == http.inner && program.sends_mail(http));
    for at in program.vendor_uses().iter().map(|used| used.at).chain(mails.map(|http| http.at)) {
        let mut wrapper = program.function_of(at);
        // A wrapper of a wrapper reports too.
        for _ in 0..3 {
            callers.extend(program.callers(wrapper).iter().map(|&caller| (caller, wrapper, wrapper)));
            match program.callers(wrapper) {
                [only] => wrapper = program.function_of(*only),
                _ => break,
            }
        }
    }
    callers.sort_unstable();
    callers.dedup();
    let mut seen: FxHashSet<_> = callers.iter().copied().collect();
    let mut at = 0;
    while let Some(&(caller, wrapper, source)) = callers.get(at) {
        at += 1;
        let reporting = known.entry(source).or_insert_with(|| program.reporting(source));
        let Some(reporting) = reporting else { continue };
        // `return sendEmail(to, subject, text)`: one function a mail, in front of the one that sends.
        if let Some(outer) = program.passed_on_by(caller) {
            let further = program.callers(outer).iter().map(|&further| (further, outer, source));
            callers.extend(further.filter(|&new| seen.insert(new)));
        }
        if !program.runs_on_server(caller.file) || program.is_floating(caller) || program.is_deferred(caller) {
            continue;
        }
        tell(program, report, caller, wrapper, reporting);
    }
}

fn tell(program: &Program, report: &mut Report, caller: CallRef, wrapper: FunctionRef, reporting: &Reporting) {
    let acting = reporting.acting;
    // A line that says "sent" beside the one that says that it failed.
    let tells = || reporting.logs && acting.sends && program.tells_of_success_after(caller);
    let records = program.records_success_after(caller) || tells();
    // Who catches a failure there, and answers it, takes the wrapper for one that throws.
    let expects = reporting.logs && !records && answers_what_is_thrown(program, caller);
    if reporting.logs && !records && !expects || program.is_after_failure(caller) || !program.looks(caller).is_empty() {
        return;
    }
    let origins = program.origins_of(caller);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let origin = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    let name = program.function_name(wrapper);
    let vendor = acting.vendor.map_or("the mail server", |vendor| &program.catalogue.vendor(vendor).name);
    let sends = acting.sends;
    let lost = if sends { "the message is lost" } else { "nothing is done" };
    let (goes_on, confidence) = match (records, origin) {
        (true, _) if sends => ("it counts as sent".to_owned(), Confidence::High),
        (true, _) => ("it counts as done".to_owned(), Confidence::High),
        (false, Some(origin)) => (
            format!("{} goes on as if it had worked", program.entry_name(&program.entries[origin.entry])),
            Confidence::Medium,
        ),
        (false, None) => ("its caller goes on as if it had worked".to_owned(), Confidence::Medium),
    };
    let message = format!(
        "{name} reports a failure of {vendor} by returning {}, and nobody looks at it: {lost}, and {goes_on}",
        reporting.returns
    );
    let way = origin.map_or(&[][..], |origin| &origin.way[..]);
    let script = program.facts(caller.file).language.is_script();
    let round = program.round_ended_by(caller, way).filter(|_| !program.is_webhook_work(caller, &origins));
    let help = match round {
        Some(Round::Loop | Round::Callback) => format!(
            "Look at what {name} returns in each round, note it and go on with the next: {}. Thrown, it leaves out all that \
             come after, and the next run does the first ones again.",
            tested(script, &reporting.returns, if round == Some(Round::Loop) { Then::GoOn } else { Then::Leave })
        ),
        _ if sends && program.hides_who_is_known(caller, &origins) => format!(
            "Look at what {name} returns, log it, and answer the same as before: {}. Addresses that are not known get that \
             answer too: an error would tell which ones have an account.",
            tested(script, &reporting.returns, Then::Log)
        ),
        _ => {
            format!("Look at what {name} returns before going on: {}.", tested(script, &reporting.returns, Then::Throw))
        }
    };
    let mut draft = report
        .at(program.call_place(caller), name.clone(), message)
        .confidence(confidence)
        .because(program.call_place(acting.at), "the call that can fail")
        .help(help);
    if let Some(vendor) = acting.vendor {
        draft = draft.vendor(program.vendor_id(vendor));
    }
    if let Some(origin) = origin {
        draft.trace(program.trace_from(origin, caller, "drops what it returns"));
    } else {
        draft = draft.because(program.function_place(wrapper), "reports by returning");
        let _ = draft;
    }
}

/// Whether a call stands in a `try` all of whose handlers answer an error or throw on: `except Exception: return .., 500`.
fn answers_what_is_thrown(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    let block = facts.call(call.call).block;
    let function = facts.function_of(block);
    let around = program.around(call);
    let mut tried = facts.enclosing(block).take_while(|(_, block)| block.function == function);
    let Some((body, _)) = tried.find(|(_, block)| block.kind == BlockKind::Try) else { return false };
    // Nothing else there may throw: the call is what it is about.
    let alone = matches!(facts.block(body).steps[..], [Step::Eval(_)]);
    let handlers = around.handlers(body);
    let answers = |&handler: &BlockId| match ending(facts, handler) {
        Ending::Throws => true,
        Ending::Returns(Some(value)) => answers_error(program, call.file, value),
        _ => false,
    };
    alone && !handlers.is_empty() && handlers.iter().all(answers)
}

fn key(object: &str) -> &str {
    object.trim_matches(['{', '}', ' ']).split(':').next().unwrap_or("success")
}

/// What follows on a failure.
#[derive(Clone, Copy)]
enum Then {
    Throw,
    GoOn,
    Leave,
    Log,
}

/// How what a wrapper returns is tested, in the language of its caller.
fn tested(script: bool, returns: &str, then: Then) -> String {
    let does = match (script, then) {
        (true, Then::Throw) => "throw ...",
        (true, Then::GoOn) => "{ failed += 1; continue; }",
        (true, Then::Leave) => "{ failed += 1; return; }",
        (true, Then::Log) => "console.error(...)",
        (false, Then::Throw) => "raise ...",
        (false, Then::GoOn) => "failed += 1; continue",
        (false, Then::Leave) => "failed += 1; return",
        (false, Then::Log) => "logger.error(...)",
    };
    match (script, returns) {
        (true, "{ error }") => format!("`const {{ error }} = await ...; if (error) {does}`"),
        (true, object) if object.starts_with('{') => {
            format!("`const result = await ...; if (!result.{}) {does}`", key(object))
        }
        (true, _) => format!("`if (!(await ...)) {does}`"),
        (false, object) if object.starts_with('{') => format!("`if not result[\"{}\"]: {does}`", key(object)),
        (false, _) => format!("`if not ...: {does}`"),
    }
}
