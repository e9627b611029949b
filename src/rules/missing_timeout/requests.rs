//! Requests of HTTP clients.

use std::collections::BTreeMap;

use super::{Audience, Hanging, default_of, tell};
use crate::catalogue::{Category, Effect, HttpClient, VendorId};
use crate::facts::FunctionId;
use crate::finding::Remark;
use crate::names::Name;
use crate::program::time::timing::Limit;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, Destination, HttpUse, Leaves, Program, Value};
use crate::rule::Report;

/// A request without a limit: as it is sent, and the callers of its wrapper that send it out of the app.
struct Open<'p> {
    sent: &'p HttpUse,
    callers: Vec<&'p HttpUse>,
    audience: Audience,
}

pub(super) fn check(program: &Program, report: &mut Report) {
    // Where the cure is where the client is made, that is one finding.
    let mut instances: BTreeMap<CallRef, Vec<Open<'_>>> = BTreeMap::new();
    let mut settings: BTreeMap<usize, Vec<Open<'_>>> = BTreeMap::new();
    for sent in program.requests().iter().filter(|http| http.at == http.inner) {
        let Some(open) = open(program, sent) else { continue };
        let client = program.http_client(sent);
        match sent.instance {
            _ if client.settings.is_some() => settings.entry(sent.client).or_default().push(open),
            Some(instance) if is_configured_when_made(client) => instances.entry(instance).or_default().push(open),
            _ => tell_call(program, report, &open),
        }
    }
    for (instance, opens) in instances {
        tell_instance(program, report, instance, &opens);
    }
    for opens in settings.values() {
        tell_settings(program, report, opens);
    }
}

/// Whether a limit can be given to the instance itself.
fn is_configured_when_made(client: &HttpClient) -> bool {
    !client.instance_timeout.is_empty() && client.instance_calls.is_empty()
}

fn open<'p>(program: &'p Program, sent: &'p HttpUse) -> Option<Open<'p>> {
    let side = program.side(sent.inner.file);
    if side.tooling || side.dead || !(side.server || side.client) {
        return None;
    }
    let is_open = |http: &&HttpUse| {
        let caller = program.side(http.at.file);
        !caller.tooling
            && !caller.dead
            && program.leaves(http) == Leaves::Yes
            && program.time_limit(http) == Limit::None
    };
    let callers: Vec<&HttpUse> = program.through(sent).filter(is_open).collect();
    let audience = match program.leaves(sent) {
        _ if !callers.is_empty() => Audience::Everyone,
        Leaves::Yes if program.time_limit(sent) == Limit::None => Audience::Everyone,
        // Every caller that is known stays inside.
        Leaves::Unknown if program.through(sent).any(|http| program.leaves(http) == Leaves::No) => return None,
        Leaves::Unknown if program.time_limit(sent) == Limit::None => Audience::Unsure,
        _ => return None,
    };
    if program.is_only_for_tooling(program.function_of(sent.inner)) {
        return None;
    }
    match (side.server, audience) {
        (true, audience) => Some(Open { sent, callers, audience }),
        (false, Audience::Everyone) => Some(Open { sent, callers, audience: Audience::Browser }),
        (false, _) => None,
    }
}

/// What is called, for messages: `fetch`, `axios.post`, `requests.get`.
fn called(program: &Program, http: &HttpUse) -> String {
    name_of(program, http.inner).unwrap_or_else(|| program.http_client(http).id.clone())
}

fn name_of(program: &Program, call: CallRef) -> Option<String> {
    let name = program.external(call)?.dotted();
    Some(name.replace(".default", ""))
}

fn whom(program: &Program, open: &Open<'_>) -> Option<String> {
    program.destination_name(open.sent).or_else(|| {
        // The address that one of several callers writes out is not where the others go.
        let seen = program.callers(program.function_of(open.sent.inner)).len() <= open.callers.len();
        let is_host = |http: &HttpUse| http.to.iter().any(|to| matches!(to, Destination::Host(..)));
        let mut named = open.callers.iter().filter(|http| seen || !is_host(http));
        named.find_map(|http| program.destination_name(http))
    })
}

fn asked<'p>(opens: &'p [Open<'p>]) -> impl Iterator<Item = VendorId> + 'p {
    let all = opens.iter().flat_map(|open| std::iter::once(open.sent).chain(open.callers.iter().copied()));
    all.flat_map(|http| &http.to).filter_map(|to| match to {
        Destination::Vendor(vendor, ..) => Some(*vendor),
        _ => None,
    })
}

fn vendors(program: &Program, opens: &[Open<'_>]) -> Vec<Name> {
    asked(opens).map(|vendor| program.vendor_id(vendor)).collect()
}

/// How long what a model makes may take, in seconds.
const GENERATED_S: u32 = 60;

/// How long a request may take and be well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// An ordinary answer.
    Answer,
    /// What a model makes: a long text, speech, a picture.
    Generated,
    /// What is fetched or made while one waits: a page that somebody else's browser opens. In seconds.
    Slow(u32),
    /// A file goes out.
    File,
}

impl Wait {
    fn of(program: &Program, opens: &[Open<'_>]) -> Self {
        let all = opens.iter().flat_map(|open| std::iter::once(open.sent).chain(open.callers.iter().copied()));
        let uses = all.flat_map(|http| program.vendors_at(http.at));
        let mut slowest = Self::Answer;
        for operation in uses.filter_map(|used| program.operation(used)) {
            let seconds = match &operation.takes {
                Some(takes) => takes.seconds,
                None if operation.effect == Effect::Generate => GENERATED_S,
                None => continue,
            };
            if !matches!(slowest, Self::Slow(known) if known >= seconds) {
                slowest = Self::Slow(seconds);
            }
        }
        let generates = |vendor| program.catalogue.vendor(vendor).category == Category::Llm;
        match slowest {
            Self::Slow(seconds) if seconds > GENERATED_S => slowest,
            _ if asked(opens).any(generates) => Self::Generated,
            Self::Answer if opens.iter().any(|open| sends_file(program, open.sent)) => Self::File,
            slowest => slowest,
        }
    }

    fn cure(self, client: &HttpClient) -> String {
        client.cure_of(match self {
            Self::Answer => 10,
            Self::Generated => GENERATED_S,
            Self::Slow(seconds) => seconds,
            Self::File => 120,
        })
    }

    fn why(self) -> &'static str {
        match self {
            Self::Answer => "",
            Self::Generated => " (what a model makes takes longer than other answers)",
            Self::Slow(_) => " (it answers when the work is done, which takes longer than other answers)",
            Self::File => " (a file takes as long as the connection it comes and goes by)",
        }
    }
}

/// Whether a request hands on a form or the stream of the request that is being served, as a whole: a text that holds
/// something of it is soon sent.
fn sends_file(program: &Program, http: &HttpUse) -> bool {
    let Lookup::Present(body) = program.request_option(http, "body") else { return false };
    body.alternatives().iter().any(|whole| match whole {
        Value::External(external) => external.dotted().starts_with("FormData"),
        Value::Member(base, name) => *name == "body" && matches!(**base, Value::Param(..)),
        _ => false,
    })
}

/// What else to say where money moves: a call that is cut off may have moved it.
fn afterwards(program: &Program, open: &Open<'_>) -> &'static str {
    let all = std::iter::once(open.sent).chain(open.callers.iter().copied());
    let mut uses = all.flat_map(|http| program.vendors_at(http.at));
    let moves = uses.any(|used| {
        program
            .operation(used)
            .is_some_and(|operation| operation.money && !operation.harmless && operation.effect == Effect::Create)
    });
    if moves {
        " What is cut off may have moved the money all the same: ask what became of it before it is tried again."
    } else {
        ""
    }
}

fn callers(program: &Program, open: &Open<'_>) -> Vec<Remark> {
    let remark = |http: &&HttpUse| Remark {
        place: program.call_place(http.at),
        text: match program.destination_name(http) {
            Some(name) => format!("asks {name} through it"),
            None => "calls it".to_owned(),
        },
    };
    let mut remarks: Vec<Remark> = open.callers.iter().map(remark).collect();
    remarks.sort();
    remarks.dedup_by_key(|remark| remark.place);
    remarks
}

/// Whether a function is not called where it stands, but handed on with its arguments to what calls it on a thread.
fn is_handed_on(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    let call = facts.call(call.call);
    facts.span(call.expr).start < facts.span(call.callee).start
}

fn tell_call(program: &Program, report: &mut Report, open: &Open<'_>) {
    let client = program.http_client(open.sent);
    let known = whom(program, open);
    let called = called(program, open.sent);
    let wrapper = program.function_of(open.sent.inner);
    let is_wrapper = !open.callers.is_empty() && wrapper.function != FunctionId::MODULE;
    let subject = match &known {
        Some(name) if !is_wrapper => format!("{called} to {name}"),
        _ if is_wrapper => format!("{called} in {}", program.function_name(wrapper)),
        _ => called,
    };
    let is_script = program.facts(open.sent.inner.file).language.is_script();
    let limit = Wait::of(program, std::slice::from_ref(open));
    let place_of_cure = match is_script {
        true => "the options of this call",
        false if is_handed_on(program, open.sent.inner) => {
            "what is handed on with it (to `run_in_executor` by `functools.partial`)"
        }
        false => "the arguments of this call",
    };
    tell(
        program,
        report,
        Hanging {
            place: program.call_place(open.sent.inner),
            subject,
            default: default_of(client.default_timeout_s),
            whom: known.unwrap_or_else(|| "the server".to_owned()),
            waits: open.sent.inner,
            help: format!(
                "Give it a limit: add `{}` to {place_of_cure}{}.{}",
                limit.cure(client),
                limit.why(),
                afterwards(program, open)
            ),
            vendors: vendors(program, std::slice::from_ref(open)),
            calls: callers(program, open),
            audience: open.audience,
        },
    );
}

fn tell_instance(program: &Program, report: &mut Report, instance: CallRef, opens: &[Open<'_>]) {
    let side = program.side(instance.file);
    let Some(first) = opens.first().filter(|_| !side.tooling && !side.dead) else { return };
    let client = program.http_client(first.sent);
    let audience =
        if opens.iter().any(|open| open.audience == Audience::Everyone) { Audience::Everyone } else { first.audience };
    let made = name_of(program, instance).unwrap_or_else(|| client.id.clone());
    let whom = opens.iter().find_map(|open| whom(program, open)).unwrap_or_else(|| "the server".to_owned());
    let limit = Wait::of(program, opens);
    let mut calls: Vec<Remark> = Vec::new();
    for open in opens {
        calls.push(Remark { place: program.call_place(open.sent.inner), text: "waits through it".to_owned() });
        calls.extend(callers(program, open));
    }
    tell(
        program,
        report,
        Hanging {
            place: program.call_place(instance),
            subject: format!("the client that {made} makes here"),
            default: default_of(client.default_timeout_s),
            whom,
            waits: first.sent.inner,
            help: format!("Give the client a limit where it is made: add `{}`{}.", limit.cure(client), limit.why()),
            vendors: vendors(program, opens),
            calls,
            audience,
        },
    );
}

/// A framework's client: the cure is a setting, and without a server's name in the settings nothing leaves.
fn tell_settings(program: &Program, report: &mut Report, opens: &[Open<'_>]) {
    let Some(first) = opens.first() else { return };
    let client = program.http_client(first.sent);
    let Some(settings) = &client.settings else { return };
    let Some(&(host, _)) = program.setting(&settings.host).first() else { return };
    if !program.setting(&settings.timeout).is_empty() || !program.chooses(settings) {
        return;
    }
    let mut calls: Vec<Remark> = Vec::new();
    for open in opens {
        calls.push(Remark { place: program.call_place(open.sent.inner), text: "waits for it".to_owned() });
    }
    tell(
        program,
        report,
        Hanging {
            place: host,
            subject: called(program, first.sent),
            default: default_of(client.default_timeout_s),
            whom: "the mail server".to_owned(),
            waits: first.sent.inner,
            help: format!("Give it a limit: {}.", Wait::Answer.cure(client)),
            vendors: vec![],
            calls,
            audience: Audience::Everyone,
        },
    );
}
