//! Public entry points behind which the app's money is spent: models, messages, mail, payouts.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, Operation, VendorId};
use crate::facts::{ExprId, ExprKind};
use crate::program::callers::audience::functions_on;
use crate::program::callers::doors::Door;
use crate::program::origins::Origin as Start;
use crate::program::values::options::Lookup;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, FunctionRef, HttpUse, Program, VendorUse};

mod claims;
mod gateways;

/// What is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spends {
    /// Money that leaves the app's account.
    Payout,
    /// A model's answers.
    Model,
    /// Talks with an agent or model, by the minute.
    Talk,
    /// Messages to phones.
    Phone,
    /// Mail to an address of the request.
    Mail,
    /// Goods, deliveries, labels that the app is billed for.
    Goods,
    /// A place on a paid list.
    Contact,
    /// Look-ups that are billed one by one.
    Lookup,
    /// Mail about a payment to whoever a row names that the request picks.
    Claim,
    /// Mail whose address the request does not bring.
    OwnMail,
    /// Messages to a number that the app's settings name.
    OwnPhone,
}

/// A way from the outside to a call that costs.
#[derive(Debug)]
pub struct PaidDoor {
    /// What is spent.
    pub spends: Spends,
    /// What stands in front of it.
    pub door: Door,
    /// The call that costs.
    pub used: CallRef,
    /// What that is called.
    pub name: String,
    /// Whose it is; none for a message by a client of no vendor's.
    pub vendor: Option<VendorId>,
    /// The way to it.
    pub start: Start,
}

/// A call that costs.
#[derive(Clone, Copy)]
enum Costs<'p> {
    Vendor(&'p VendorUse),
    /// A message that goes out by a client of no vendor's.
    Message(&'p HttpUse),
    /// One that may go to a gateway for phones.
    Gateway(&'p HttpUse),
}

impl Costs<'_> {
    fn at(self) -> CallRef {
        match self {
            Self::Vendor(used) => used.at,
            Self::Message(http) | Self::Gateway(http) => http.at,
        }
    }
}

impl Program {
    /// The open doors to what costs, by entry point: of several calls behind one, the worst.
    pub fn paid_doors(&self) -> &BTreeMap<usize, PaidDoor> {
        self.paid_doors.get_or_init(|| worst(ways(self).into_iter().filter_map(|way| door(self, way))))
    }

    /// Finds the open doors ahead, on all threads. Not where they are first asked for: a thread that waits for others
    /// there would pick up work that asks for the same.
    pub fn find_paid_doors(&self) {
        let ways = ways(self).into_par_iter().with_max_len(1);
        let found: Vec<PaidDoor> = ways.filter_map(|way| door(self, way)).collect();
        // Found before by someone who could not wait: the same.
        let _ = self.paid_doors.set(worst(found));
    }

    /// The uses of vendors that an entry point leads to on its own side of the network, in no order.
    pub fn vendors_behind(&self, entry: &Entry) -> impl Iterator<Item = &VendorUse> {
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let functions: FxHashSet<FunctionRef> =
            reach.stops.iter().flat_map(|stop| self.with_inner(stop.function)).collect();
        functions.into_iter().flat_map(|function| self.calls_in(function)).flat_map(|at| self.vendors_at(at))
    }

    /// Whether a call may have a gateway send a message to a phone, by where it goes.
    pub fn may_message_phones(&self, at: CallRef) -> bool {
        self.requests_at(at).iter().any(gateways::may_be)
    }

    /// Whether a door to what costs stands open, with nothing before it.
    pub fn pays_for_anyone(&self, entry: usize) -> bool {
        let door = self.paid_doors().get(&entry);
        door.is_some_and(|found| {
            !matches!(found.spends, Spends::OwnMail | Spends::OwnPhone | Spends::Lookup) && found.door == Door::Open
        })
    }
}

/// A call that costs, and a way to it from the outside.
struct Way<'p> {
    costs: Costs<'p>,
    start: Start,
}

/// Every way to what costs, each once.
fn ways(program: &Program) -> Vec<Way<'_>> {
    let mut seen: FxHashSet<(usize, CallRef)> = FxHashSet::default();
    let vendors = program.vendor_uses().iter().filter(|used| kind(program, used).is_some());
    let requests = || program.requests().iter().filter(|http| http.at == http.inner);
    let messages = requests().filter(|http| program.is_message(http)).map(Costs::Message);
    let gateways = requests().filter(|http| gateways::may_be(http) && !program.is_message(http)).map(Costs::Gateway);
    let all = vendors.map(Costs::Vendor).chain(messages).chain(gateways);
    let on_server = all.filter(|costs| program.runs_on_server(costs.at().file));
    let ways = on_server.flat_map(|costs| {
        let inner = match costs {
            Costs::Vendor(used) => program.request_of(used).map_or(used.at, |http| http.inner),
            Costs::Message(http) | Costs::Gateway(http) => http.inner,
        };
        let starts = program.origins(program.function_of(costs.at())).into_iter();
        starts.map(move |start| (inner, Way { costs, start }))
    });
    ways.filter(|(inner, way)| seen.insert((way.start.entry, *inner))).map(|(_, way)| way).collect()
}

/// The open door at the beginning of a way to what costs.
fn door(program: &Program, Way { costs, start }: Way<'_>) -> Option<PaidDoor> {
    if !program.is_public(start.entry)
        || program.is_kept_for_staff(&start, costs.at())
        || is_for_the_clock(program, start.entry)
    {
        return None;
    }
    let entry = &program.entries[start.entry];
    let spends = match costs {
        Costs::Vendor(used) => spends(program, used, &start),
        Costs::Message(http) => mails(program, http, &start),
        Costs::Gateway(http) => {
            let delivers = || delivers(program, entry, &start, http.at, Spends::Phone);
            (gateways::is_gateway(program, http, &start) && !delivers()).then_some(Spends::Phone)
        }
    }?;
    let door = program.door(&start, program.own_account(start.entry), costs.at());
    if door == Door::Guarded || program.asks_for_payment(entry) || program.asks_for_what_was_given(&start, costs.at()) {
        return None;
    }
    let (name, vendor) = match costs {
        Costs::Vendor(used) => (used.name.clone(), Some(used.vendor)),
        Costs::Message(http) | Costs::Gateway(http) => (program.call_text(http.at), None),
    };
    Some(PaidDoor { spends, door, used: costs.at(), name, vendor, start })
}

/// One door is told once: by its worst.
fn worst(found: impl IntoIterator<Item = PaidDoor>) -> BTreeMap<usize, PaidDoor> {
    let mut doors: BTreeMap<usize, PaidDoor> = BTreeMap::new();
    for found in found {
        match doors.get(&found.start.entry) {
            Some(known) if (known.spends, known.used) <= (found.spends, found.used) => {}
            _ => drop(doors.insert(found.start.entry, found)),
        }
    }
    doors
}

/// Whether an entry point is what the clock starts, which another rule looks at.
fn is_for_the_clock(program: &Program, entry: usize) -> bool {
    let named = words(&program.entry_name(&program.entries[entry])).iter().any(|word| word == "cron");
    named && program.schedules().iter().any(|schedule| schedule.asks.contains(&entry))
}

/// What a call spends by itself.
fn kind(program: &Program, used: &VendorUse) -> Option<Spends> {
    let operation = program.operation(used)?;
    let category = program.catalogue.vendor(used.vendor).category;
    match operation.effect {
        _ if operation.pays_out => Some(Spends::Payout),
        Effect::Token if operation.metered => Some(Spends::Talk),
        _ if operation.metered => Some(Spends::Lookup),
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
    if matches!(spends, Spends::Model | Spends::Talk) {
        return Some(spends);
    }
    if spends == Spends::Lookup {
        // Pages that show what they look up are for whoever comes.
        if entry.kind == EntryKind::Page || shows_page(program, entry) {
            return None;
        }
        // What scrapes and searches is work in itself, whoever says for what.
        let works = program.operation(used).is_some_and(|operation| operation.effect == Effect::Generate);
        return (works || is_asked_by_request(program, used, start)).then_some(spends);
    }
    if delivers(program, entry, start, used.at, spends) || spends == Spends::Goods && takes_orders(program, entry) {
        return None;
    }
    let operation = program.operation(used)?;
    if spends == Spends::Phone && is_to_owner(program, used, start, operation) {
        return Some(Spends::OwnPhone);
    }
    if !matches!(spends, Spends::Mail | Spends::Contact) {
        return Some(spends);
    }
    let origins = operation.recipients.iter().filter_map(|field| program.payload_origin_on(&start.way, used, field));
    match mail_of(program, start, used.at, origins)? {
        Spends::Mail => Some(spends),
        Spends::OwnMail
            if spends == Spends::Mail && claims::is_claim(program, entry, start, used, &operation.recipients) =>
        {
            Some(Spends::Claim)
        }
        own => (spends == Spends::Mail).then_some(own),
    }
}

/// Whether a route answers who opens a link with a page: `return render_template("bakers.html", ..)`.
fn shows_page(program: &Program, entry: &Entry) -> bool {
    const RENDERS: &[&str] = &["render_template", "render", "TemplateResponse"];
    let facts = program.facts(entry.function.file);
    let renders = |value: ExprId| match facts.expr(value) {
        ExprKind::Call(call) => {
            facts.last_name(facts.call(*call).callee).is_some_and(|name| RENDERS.contains(&name.as_str()))
        }
        _ => false,
    };
    let only_read = !entry.methods.is_empty() && entry.methods.iter().all(|method| *method == "GET");
    only_read && facts.returned(entry.function.function).any(renders)
}

/// Whether the request says what is looked up: the same answer for everybody costs what its page costs anyway.
fn is_asked_by_request(program: &Program, used: &VendorUse, start: &Start) -> bool {
    let args = program.facts(used.at.file).call(used.at.call).args.iter();
    args.map(|arg| ExprRef::new(used.at.file, arg.value))
        .any(|arg| matches!(program.origin_on(&start.way, arg, &[]), Origin::Request(_)))
}

/// Whether a message goes to a number that is a setting or a constant: the owner's own.
fn is_to_owner(program: &Program, used: &VendorUse, start: &Start, operation: &Operation) -> bool {
    let named: Vec<&str> = operation.recipients.iter().map(String::as_str).collect();
    let fields = if named.is_empty() { vec!["to"] } else { named };
    fields.into_iter().any(|field| {
        matches!(program.option(used.at, field), Lookup::Present(_))
            && program.is_payload_constant(&start.way, used, field)
    })
}

/// Whether an entry point takes the orders of guests: it keeps one, and hands it on.
pub fn takes_orders(program: &Program, entry: &Entry) -> bool {
    program.vendors_behind(entry).any(|used| {
        let adds = program.operation(used).is_some_and(|operation| operation.effect == Effect::Create);
        let table = || program.named_table(used).map(|table| words(&table)).unwrap_or_default();
        let ordered = ["order", "orders", "booking", "bookings", "purchase", "purchases"];
        adds && program.catalogue.vendor(used.vendor).own_backend
            && table().last().is_some_and(|word| ordered.contains(&word.as_str()))
    })
}

/// What a message that goes out by a client of no vendor's spends.
fn mails(program: &Program, http: &HttpUse, start: &Start) -> Option<Spends> {
    let entry = &program.entries[start.entry];
    if delivers(program, entry, start, http.at, Spends::Mail) {
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

/// Words of what somebody still has to bring who has given the password.
const SECOND: &[&str] = &["otp", "code", "2fa", "mfa", "verify", "verification", "factor", "magic"];

/// Whether a message is what an entry point is for, and the app itself writes it: with the text or the link of whoever
/// asks it is anybody's mail under the app's name.
fn delivers(program: &Program, entry: &Entry, start: &Start, at: CallRef, spends: Spends) -> bool {
    let names = format!("{} {}", program.entry_name(entry), program.function_name(entry.function));
    // A notice that pages have sent once somebody is in: nobody needs it to get in, unless it is a second code.
    let second = || words(&names).iter().any(|word| SECOND.contains(&word.as_str()));
    if delivers_itself(&names) && !second() && program.asked_once_signed_in(entry).is_some() {
        return false;
    }
    if spends != Spends::Mail {
        return delivers_itself(&names);
    }
    // Who invites has an account.
    let names: Vec<String> = words(&names).into_iter().filter(|word| word != "invite").collect();
    delivers_itself(&names.join(" ")) && !brings_text(program, entry, start, at)
}

/// Whether the request brings the text of a message, or a link in it.
fn brings_text(program: &Program, entry: &Entry, start: &Start, at: CallRef) -> bool {
    const TEXTS: &[&str] = &["html", "message", "note", "link", "url", "text", "content", "subject", "markup"];
    // Where somebody is led back to; pictures.
    const OTHERS: &[&str] = &[
        "redirect", "site", "base", "return", "callback", "origin", "app", "image", "logo", "avatar", "context",
        "frontend", "website", "type",
    ];
    let says_text = |name: &str| {
        let words = words(name);
        words.iter().any(|word| TEXTS.contains(&word.as_str()))
            && !words.iter().any(|word| OTHERS.contains(&word.as_str()))
    };
    functions_on(program, entry, start, at).into_iter().any(|function| {
        let facts = program.facts(function.file);
        let span = facts.function(function.function).span;
        let inside = (0..facts.exprs.len()).filter(|&at| span.contains(facts.exprs[at].span));
        inside.map(|at| ExprId(at as u32)).any(|at| match facts.expr(at) {
            ExprKind::Ref(name, block) if says_text(name) => {
                // Each value it can have: a link that is made for an address, a text with somebody's name in it, are
                // the app's own.
                let def = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                let values = def.filter(|values| values.len() > 1).unwrap_or(std::slice::from_ref(&at));
                values.iter().any(|&value| {
                    match program.origin_on(&start.way, ExprRef::new(function.file, value), &[]) {
                        Origin::Request(source) => source.field.is_some_and(|field| says_text(&field)),
                        _ => false,
                    }
                })
            }
            _ => false,
        })
    })
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
