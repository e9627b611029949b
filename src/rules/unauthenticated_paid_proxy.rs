//! Public entry points that spend the app's money at a vendor for anyone who asks.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Category, Effect};
use crate::finding::{Confidence, Severity};
use crate::manifest::TokenGate;

use crate::program::doors::Door;
use crate::program::origins::Origin as Start;
use crate::program::requested::Origin;
use crate::program::verify::{Account, words};
use crate::program::{CallRef, EntryKind, Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A public door to a service the app pays for
    ///
    /// The key stays on the server, but the door to it stands open: whoever finds the URL lets the app pay for a
    /// model's answers, for messages to any number, or for mail from the app's own address to anyone. Scripts find
    /// such doors within days; the bill, the blocked account and the domain on spam lists are the app's. A public
    /// key of the backend in front (the anonymous key every visitor has) is no check: it is in every browser.
    ///
    /// It is an error for models, messages to phones, mail to an address of the request and payouts; a warning for
    /// contacts, each of which is paid and may be sent a welcome. With only a limit in front it is a note. Where the
    /// platform asks for a token (`verify_jwt`) and the code for no user, the public key opens the door: medium.
    ///
    /// What takes nothing out of the request and works off what waits in the app's own data spends what it would
    /// spend anyway, only sooner: a note for auditors.
    ///
    /// ## Silent when
    ///
    /// - the caller is checked: a session, a user looked up, a signature, a secret, a captcha or bot check, in the handler, in a
    ///   helper, a decorator or in middleware that covers the route
    /// - what cannot be followed may be such a check
    /// - the mail goes to the owner, or to an address that the server looks up (a contact form: a note for auditors)
    /// - the mail is what signing up, logging in or resetting a password needs
    /// - what is made costs nothing: checkout sessions, payment links
    /// - vendors' webhooks, jobs and routes of staff: other rules look at those
    ///
    /// ## The cure
    ///
    /// Look the user up before the call and refuse strangers; where strangers are welcome, ask for a captcha and
    /// limit by address.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/chat/route.ts
    /// import OpenAI from "openai";
    ///
    /// const openai = new OpenAI();
    ///
    /// export async function POST(request: Request) {
    ///   const { messages } = await request.json();
    ///   const answer = await openai.chat.completions.create({ model: "gpt-4o", messages });
    ///   return Response.json(answer.choices[0].message);
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/chat/route.ts
    /// import OpenAI from "openai";
    /// import { auth } from "@clerk/nextjs/server";
    ///
    /// const openai = new OpenAI();
    ///
    /// export async function POST(request: Request) {
    ///   const { userId } = await auth();
    ///   if (!userId) return new Response("sign in first", { status: 401 });
    ///   const { messages } = await request.json();
    ///   const answer = await openai.chat.completions.create({ model: "gpt-4o", messages });
    ///   return Response.json(answer.choices[0].message);
    /// }
    /// ```
    id: "unauthenticated-paid-proxy", severity: Error, confidence: High, section: "Money and abuse",
    security: Some(7.5), since: "0.1.0", check: check
}

/// What is spent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spends {
    Payout,
    Model,
    Phone,
    Mail,
    Contact,
    /// Mail whose address the request does not bring.
    OwnMail,
}

/// A way from the outside to a call that costs.
struct Found<'p> {
    spends: Spends,
    door: Door,
    used: &'p VendorUse,
    start: Start,
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    for found in open_doors(program).into_values() {
        let at = found.start.way.first().map_or(found.used.at, |edge| edge.call);
        if told.insert(at) {
            tell(program, report, &found, at);
        }
    }
}

/// The entry points that are told of as errors or warnings.
pub fn told(program: &Program) -> FxHashSet<usize> {
    let doors = open_doors(program).into_iter();
    doors
        .filter(|(_, found)| found.spends != Spends::OwnMail && found.door == Door::Open)
        .map(|(entry, _)| entry)
        .collect()
}

/// The open doors to what costs, by entry point.
fn open_doors(program: &Program) -> BTreeMap<usize, Found<'_>> {
    let mut accounts: FxHashMap<usize, Account> = FxHashMap::default();
    let mut seen: FxHashSet<(usize, CallRef)> = FxHashSet::default();
    // One door is told once: by its worst.
    let mut doors: BTreeMap<usize, Found<'_>> = BTreeMap::new();
    for used in program.vendor_uses() {
        let inner = program.request_of(used).map_or(used.at, |http| http.inner);
        if kind(program, used).is_none() || !program.runs_on_server(used.at.file) {
            continue;
        }
        for start in program.origins(program.function_of(used.at)) {
            let is_first = seen.insert((start.entry, inner));
            if !is_first || !program.is_public(start.entry) || program.is_for_staff(&start, used.at) {
                continue;
            }
            let Some(spends) = spends(program, used, &start) else { continue };
            let account =
                accounts.entry(start.entry).or_insert_with(|| program.account_of(&program.entries[start.entry], &[]));
            let door = program.door(&start, account, used.at);
            if door == Door::Guarded {
                continue;
            }
            let found = Found { spends, door, used, start };
            match doors.get(&found.start.entry) {
                Some(known) if (known.spends, known.used.at) <= (found.spends, found.used.at) => {}
                _ => drop(doors.insert(found.start.entry, found)),
            }
        }
    }
    doors
}

/// What a call spends by itself.
fn kind(program: &Program, used: &VendorUse) -> Option<Spends> {
    let operation = program.operation(used)?;
    let category = program.catalogue.vendor(used.vendor).category;
    match operation.effect {
        _ if operation.pays_out => Some(Spends::Payout),
        Effect::Generate => Some(Spends::Model),
        Effect::Send if category == Category::Sms => Some(Spends::Phone),
        Effect::Send if !operation.recipients.is_empty() => Some(Spends::Mail),
        Effect::Create | Effect::Update if !operation.recipients.is_empty() => Some(Spends::Contact),
        _ => None,
    }
}

/// What a call spends on the way of a stranger; none when that is what the way is for.
fn spends(program: &Program, used: &VendorUse, start: &Start) -> Option<Spends> {
    let spends = kind(program, used)?;
    let entry = &program.entries[start.entry];
    if spends == Spends::Model {
        return Some(spends);
    }
    let names = format!("{} {}", program.entry_name(entry), program.function_name(entry.function));
    if delivers_itself(&names) {
        return None;
    }
    if !matches!(spends, Spends::Mail | Spends::Contact) {
        return Some(spends);
    }
    let operation = program.operation(used)?;
    let origins = operation.recipients.iter().filter_map(|field| program.payload_origin_on(&start.way, used, field));
    let mut told = true;
    for origin in origins {
        match origin {
            Origin::Request(_) => return Some(spends),
            Origin::Unknown => told = false,
            _ => {}
        }
    }
    (told && spends == Spends::Mail).then_some(Spends::OwnMail)
}

/// Whether the names of an entry point say that a message is what it is for: a code, a link to log in.
pub fn delivers_itself(names: &str) -> bool {
    let text = format!(" {} ", words(names).join(" "));
    [
        " signup",
        " sign up",
        " signin",
        " sign in ",
        " login",
        " log in ",
        " register",
        " registr",
        " otp",
        " password",
        " passwort",
        " forgot",
        " magic",
        " verify ",
        " verification",
        " auth ",
        " onboard",
        " unsubscribe",
        " invite ",
        " reset ",
    ]
    .iter()
    .any(|word| text.contains(word))
}

fn tell(program: &Program, report: &mut Report, found: &Found<'_>, at: CallRef) {
    let Found { spends, door, used, start } = found;
    let entry = &program.entries[start.entry];
    let name = program.entry_name(entry);
    let cost = match spends {
        Spends::Payout => "pays the app's money out",
        Spends::Model => "lets the app pay for a model's answers",
        Spends::Phone => "lets the app pay for messages to phones",
        Spends::Mail => "sends mail in the app's name to any address",
        Spends::Contact => "puts any address on the app's paid list",
        Spends::OwnMail => "mails the app's own address",
    };
    let limited = *door == Door::Limited;
    let config = program.file(entry.place.file).path;
    let gate = program.manifests.token_gate(&config).filter(|_| entry.kind == EntryKind::EdgeFunction);
    // The platform asks for a token, and the public key of the app is one.
    let gated = gate.is_some_and(|(gate, _)| gate != TokenGate::Open);
    let whom = if gated { "anyone who has the app's public key" } else { "anyone who finds it" };
    let waits = program.works_off_what_waits(entry);
    let only = if limited { "only a rate limit stands in front of it" } else { "nobody asks who is calling" };
    let message = format!("{name} {cost} ({}) for {whom}: {only}", used.name);
    let severity = match spends {
        _ if limited || waits => Severity::Note,
        Spends::OwnMail => Severity::Note,
        Spends::Contact => Severity::Warning,
        _ => Severity::Error,
    };
    let draft = report
        .at(program.call_place(at), used.name.clone(), message)
        .severity(severity)
        .vendor(program.vendor_id(used.vendor))
        .because(entry.place, format!("{name} starts here"))
        .help(cure(program, entry.kind, at, *spends))
        .trace(program.trace_from(start, used.at, &format!("{} costs", used.name)));
    if waits || matches!(spends, Spends::OwnMail) || limited && *spends == Spends::Contact {
        draft.confidence(Confidence::Low).auditor_only();
    } else if gated {
        draft.confidence(Confidence::Medium);
    }
}

fn cure(program: &Program, kind: EntryKind, at: CallRef, spends: Spends) -> String {
    let script = program.facts(at.file).language.is_script();
    let refuse = match (kind, script) {
        (EntryKind::EdgeFunction, true) => {
            "`const { data: { user } } = await client.auth.getUser(token); if (!user) return new Response(\"sign in first\", { status: 401 })` (the anonymous key is no user)"
        }
        (_, true) => "`if (!session?.user) return new Response(\"sign in first\", { status: 401 })`",
        (_, false) => "answer 401 when there is no user in the session",
    };
    match spends {
        Spends::Mail | Spends::Contact | Spends::OwnMail => {
            format!("Let only known users send, or ask strangers for a captcha and limit them by address: {refuse}.")
        }
        _ => format!("Look the user up before the call and refuse strangers: {refuse}; then limit each user."),
    }
}
