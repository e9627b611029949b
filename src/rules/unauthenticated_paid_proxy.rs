//! Public entry points that spend the app's money at a vendor for anyone who asks.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Category, Effect, VendorId};
use crate::finding::{Confidence, FileId, Severity};
use crate::manifest::TokenGate;

use crate::program::doors::Door;
use crate::program::origins::Origin as Start;
use crate::program::requested::Origin;
use crate::program::verify::{Account, words};
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, FunctionRef, HttpUse, Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A public door to a service the app pays for
    ///
    /// The key stays on the server, but the door to it stands open: whoever finds the URL lets the app pay for a
    /// model's answers, for messages to any number, or for mail from the app's own address to anyone. Scripts find
    /// such doors within days; the bill, the blocked account and the domain on spam lists are the app's. A public
    /// key of the backend in front (the anonymous key every visitor has) is no check: it is in every browser.
    ///
    /// It is an error for models, messages and calls to phones, mail to an address of the request and payouts; a
    /// warning for goods and deliveries, which the app is billed for, and for contacts, each of which is paid and may be
    /// sent a welcome. With only a limit in front it is a note. Where the
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
    /// - the mail goes to the owner, or to an address that the server looks up, or finds in its own data (a contact form: a note for auditors)
    /// - the mail is what signing up, logging in or resetting a password needs
    /// - what is made costs nothing: checkout sessions, payment links
    /// - it is a helper in a file of server actions that no page imports (one of a file is a note for auditors)
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
    /// Goods, deliveries, labels that the app is billed for.
    Goods,
    Contact,
    /// Mail whose address the request does not bring.
    OwnMail,
}

/// A way from the outside to a call that costs.
struct Found {
    spends: Spends,
    door: Door,
    /// The call that costs, and what it is called.
    used: CallRef,
    name: String,
    vendor: Option<VendorId>,
    start: Start,
}

/// A call that costs.
#[derive(Clone, Copy)]
enum Costs<'p> {
    Vendor(&'p VendorUse),
    /// A message that goes out by a client of no vendor's.
    Message(&'p HttpUse),
}

impl Costs<'_> {
    fn at(self) -> CallRef {
        match self {
            Self::Vendor(used) => used.at,
            Self::Message(http) => http.at,
        }
    }
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    let mut kept_in: FxHashSet<FileId> = FxHashSet::default();
    for found in open_doors(program).into_values() {
        let entry = &program.entries[found.start.entry];
        // Helpers in a file of server actions that no page imports: one says it of all.
        if !program.is_offered(entry) && !kept_in.insert(entry.function.file) {
            continue;
        }
        let at = found.start.way.first().map_or(found.used, |edge| edge.call);
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
fn open_doors(program: &Program) -> BTreeMap<usize, Found> {
    // That a map or a price is asked for says nothing of who is calling; the own backend is never taken for one.
    let backends: Vec<VendorId> = program.catalogue.own_backends().collect();
    let mut accounts: FxHashMap<usize, Account> = FxHashMap::default();
    let mut seen: FxHashSet<(usize, CallRef)> = FxHashSet::default();
    // One door is told once: by its worst.
    let mut doors: BTreeMap<usize, Found> = BTreeMap::new();
    let vendors = program.vendor_uses().iter().filter(|used| kind(program, used).is_some());
    let messages = program.requests().iter().filter(|http| http.at == http.inner && program.is_message(http));
    for costs in vendors.map(Costs::Vendor).chain(messages.map(Costs::Message)) {
        let inner = match costs {
            Costs::Vendor(used) => program.request_of(used).map_or(used.at, |http| http.inner),
            Costs::Message(http) => http.inner,
        };
        if !program.runs_on_server(costs.at().file) {
            continue;
        }
        for start in program.origins(program.function_of(costs.at())) {
            let is_first = seen.insert((start.entry, inner));
            if !is_first || !program.is_public(start.entry) || program.is_for_staff(&start, costs.at()) {
                continue;
            }
            let spent = match costs {
                Costs::Vendor(used) => spends(program, used, &start),
                Costs::Message(http) => mails(program, http, &start),
            };
            let Some(spends) = spent else { continue };
            let entry = &program.entries[start.entry];
            let account = accounts.entry(start.entry).or_insert_with(|| program.account_of(entry, &backends));
            let door = program.door(&start, account, costs.at());
            if door == Door::Guarded || program.asks_for_payment(entry) {
                continue;
            }
            let (name, vendor) = match costs {
                Costs::Vendor(used) => (used.name.clone(), Some(used.vendor)),
                Costs::Message(http) => (program.call_text(http.at), None),
            };
            let found = Found { spends, door, used: costs.at(), name, vendor, start };
            match doors.get(&found.start.entry) {
                Some(known) if (known.spends, known.used) <= (found.spends, found.used) => {}
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
        // Agents that call somebody, by the minute.
        Effect::Send if category == Category::Llm && operation.recipients.is_empty() => Some(Spends::Phone),
        Effect::Create if category == Category::Commerce && operation.money && operation.essential.is_none() => {
            Some(Spends::Goods)
        }
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
    if delivers_itself(&names) || spends == Spends::Goods && takes_orders(program, entry) {
        return None;
    }
    if !matches!(spends, Spends::Mail | Spends::Contact) {
        return Some(spends);
    }
    let operation = program.operation(used)?;
    let origins = operation.recipients.iter().filter_map(|field| program.payload_origin_on(&start.way, used, field));
    match mail_of(program, start, used.at, origins)? {
        Spends::Mail => Some(spends),
        own => (spends == Spends::Mail).then_some(own),
    }
}

/// Whether an entry point takes the orders of guests: it keeps one, and hands it on.
fn takes_orders(program: &Program, entry: &Entry) -> bool {
    let reach = program.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
    let functions: FxHashSet<FunctionRef> =
        reach.stops.iter().flat_map(|stop| program.with_inner(stop.function)).collect();
    functions.into_iter().flat_map(|function| program.calls_in(function)).flat_map(|at| program.vendors_at(at)).any(
        |used| {
            let adds = program.operation(used).is_some_and(|operation| operation.effect == Effect::Create);
            let table = || program.named_table(used).map(|table| words(&table)).unwrap_or_default();
            let ordered = ["order", "orders", "booking", "bookings", "purchase", "purchases"];
            adds && program.catalogue.vendor(used.vendor).own_backend
                && table().last().is_some_and(|word| ordered.contains(&word.as_str()))
        },
    )
}

/// What a message that goes out by a client of no vendor's spends.
fn mails(program: &Program, http: &HttpUse, start: &Start) -> Option<Spends> {
    let entry = &program.entries[start.entry];
    let names = format!("{} {}", program.entry_name(entry), program.function_name(entry.function));
    if delivers_itself(&names) {
        return None;
    }
    mail_of(program, start, http.at, program.message_origins(&start.way, http))
}

/// Mail to an address of the request, or to the app's own; none where that cannot be told.
fn mail_of(program: &Program, start: &Start, at: CallRef, origins: impl IntoIterator<Item = Origin>) -> Option<Spends> {
    let mut told = true;
    for origin in origins {
        match origin {
            // Looked up in the app's own data, and left where it is not known.
            Origin::Request(source) if program.knows_address(start, at, &source) => {}
            Origin::Request(_) => return Some(Spends::Mail),
            Origin::Unknown => told = false,
            _ => {}
        }
    }
    told.then_some(Spends::OwnMail)
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

fn tell(program: &Program, report: &mut Report, found: &Found, at: CallRef) {
    let Found { spends, door, used, start, .. } = found;
    let called = &found.name;
    let entry = &program.entries[start.entry];
    let name = program.entry_name(entry);
    let cost = match spends {
        Spends::Payout => "pays the app's money out",
        Spends::Model => "lets the app pay for a model's answers",
        Spends::Phone => "lets the app pay for messages and calls to phones",
        Spends::Goods => "orders at the app's expense",
        Spends::Mail => "sends mail in the app's name to any address",
        Spends::Contact => "puts any address on the app's paid list",
        Spends::OwnMail => "mails the app's own address",
    };
    let limited = *door == Door::Limited;
    let config = program.file(entry.place.file).path;
    let gate = program.manifests.token_gate(&config).filter(|_| entry.kind == EntryKind::EdgeFunction);
    // The platform asks for a token, and the public key of the app is one.
    let gated = gate.is_some_and(|(gate, _)| gate != TokenGate::Open);
    let whom =
        if gated { "anyone who has the app's public key, which is in every browser" } else { "anyone who finds it" };
    let offered = program.is_offered(entry);
    let whom = if offered { whom } else { "anyone, once a page imports it" };
    let waits = program.works_off_what_waits(entry);
    let only = if limited { "only a rate limit stands in front of it" } else { "nobody asks who is calling" };
    let message = format!("{name} {cost} ({called}) for {whom}: {only}");
    let severity = match spends {
        _ if limited || waits || !offered => Severity::Note,
        Spends::OwnMail => Severity::Note,
        Spends::Contact | Spends::Goods => Severity::Warning,
        _ => Severity::Error,
    };
    let draft = report
        .at(program.call_place(at), called.clone(), message)
        .severity(severity)
        .because(entry.place, format!("{name} starts here"))
        .help(own_servers_only(program, entry, at).unwrap_or_else(|| cure(program, entry.kind, at, *spends)))
        .trace(program.trace_from(start, *used, &format!("{called} costs")));
    let draft = match found.vendor {
        Some(vendor) => draft.vendor(program.vendor_id(vendor)),
        None => draft,
    };
    if waits || !offered || matches!(spends, Spends::OwnMail) || limited && *spends == Spends::Contact {
        draft.confidence(Confidence::Low).auditor_only();
    } else if gated {
        draft.confidence(Confidence::Medium);
    }
}

/// The cure for what only the app's own servers ask: they bring no user.
pub fn own_servers_only(program: &Program, entry: &Entry, at: CallRef) -> Option<String> {
    if !program.serves_own_servers(entry) {
        return None;
    }
    let script = program.facts(at.file).language.is_script();
    let how = match (entry.kind, script) {
        (EntryKind::EdgeFunction, true) => {
            "`if (req.headers.get(\"Authorization\") !== `Bearer ${Deno.env.get(\"SUPABASE_SERVICE_ROLE_KEY\")}`) return new Response(\"not for you\", { status: 401 })` (they bring that key when their client is made with it)"
        }
        _ => "answer 401 unless a header holds a secret that only the app's servers have",
    };
    Some(format!("Only the app's own servers call it, and they bring no user: let them in and nobody else: {how}."))
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
