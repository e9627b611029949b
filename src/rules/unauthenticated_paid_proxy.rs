//! Public entry points that spend the app's money at a vendor for anyone who asks.

use rustc_hash::FxHashSet;

use super::strangers;
use crate::finding::{Confidence, FileId, Severity};

use crate::program::callers::audience::functions_on;
use crate::program::callers::doors::Door;
use crate::program::callers::left_out::LeftOut;
use crate::program::callers::unloaded::Unloaded;
use crate::program::money::spending::{PaidDoor, Spends, delivers_itself};
use crate::program::values::requested::Origin;
use crate::program::{CallRef, Entry, HttpUse, Program};
use crate::rule::Report;

crate::rule! {
    /// A public door to a service the app pays for
    ///
    /// The key stays on the server, but the door to it stands open: whoever finds the URL lets the app pay for a
    /// model's answers, for messages to any number, or for mail from the app's own address to anyone. Scripts find
    /// such doors within days; the bill, the blocked account and the domain on spam lists are the app's. A public
    /// key of the backend in front (the anonymous key every visitor has) is no check: it is in every browser.
    ///
    /// It is an error for models, talks with voice agents, messages and calls to phones, mail to an address of the request
    /// and payouts; a warning for goods and deliveries, which the app is billed for, for look-ups that are billed one by
    /// one (places, pages, searches) where the request says what is looked up, and for contacts, each of which is paid and
    /// may be sent a welcome; and for mail that says to whoever a row names, which the request picks, that something is paid or
    /// given back, while nothing looks whether it is (medium). With only a limit in front it is a note. Where the
    /// platform asks for a token (`verify_jwt`) and the code for no user, the public key opens the door: medium.
    ///
    /// A gateway for messages on a host that nobody knows is told by its path (`/send-text`) and by a phone and a text
    /// that both come with the request: medium.
    ///
    /// A check that is only made when the request brings what it asks for is none: whoever leaves that out gets in.
    /// Neither is middleware whose list of open paths lets this one through.
    ///
    /// What takes nothing out of the request and works off what waits in the app's own data, leaves where today's row
    /// is there, or gives back what it made once and keeps, spends what it would spend anyway, only sooner: a note for auditors. A server action whose pages all
    /// stand behind middleware that asks who is calling is a note: ask in the action too.
    ///
    /// ## Silent when
    ///
    /// - the caller is checked: a session, a user looked up, a signature, a secret, a captcha or bot check, in the handler, in a
    ///   helper, a decorator or in middleware that covers the route
    /// - what cannot be followed may be such a check
    /// - a token or a code that the request brings finds a row (an invitation, a link that is used once), and whoever
    ///   brings none that is kept is turned away
    /// - the mail goes to the owner, or to an address that the server looks up, or finds in its own data, or that is
    ///   refused unless it is one that the server has (a contact form: a note for auditors)
    /// - the mail is what signing up, logging in or resetting a password needs, and the app writes it: no text and no
    ///   link of the request; not what the app's own pages have sent once somebody is in
    /// - what is made costs nothing: checkout sessions, payment links
    /// - it is a helper in a file of server actions that no page imports (one of a file is a note for auditors)
    /// - a message goes to a number that the app's own settings name: a note for auditors
    /// - vendors' webhooks, jobs, and what asks for a role: other rules look at those; a name with "admin" or "test" in it
    ///   keeps nobody out
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

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<CallRef> = FxHashSet::default();
    let mut kept_in: FxHashSet<FileId> = FxHashSet::default();
    // What looks up at one vendor is one finding of an app: a limit and a quota mend all of it.
    let mut lookups: Vec<Vec<&PaidDoor>> = vec![];
    for found in program.paid_doors().values() {
        let same = |other: &&mut Vec<&PaidDoor>| {
            other[0].vendor == found.vendor && program.share_app(other[0].used.file, found.used.file)
        };
        if found.spends == Spends::Lookup {
            match lookups.iter_mut().find(same) {
                Some(group) => group.push(found),
                None => lookups.push(vec![found]),
            }
            continue;
        }
        let entry = &program.entries[found.start.entry];
        // Helpers in a file of server actions that no page imports: one says it of all.
        if !program.is_offered(entry) && !kept_in.insert(entry.function.file) {
            continue;
        }
        let at = found.start.way.first().map_or(found.used, |edge| edge.call);
        if told.insert(at) {
            tell(program, report, found, at, &[]);
        }
    }
    for mut group in lookups {
        group.sort_by_key(|found| is_quiet(program, found));
        let place = |found: &&PaidDoor| found.start.way.first().map_or(found.used, |edge| edge.call);
        let at = place(&group[0]);
        let mut others: Vec<CallRef> = group[1..].iter().map(place).filter(|&other| other != at).collect();
        others.sort_unstable();
        others.dedup();
        tell(program, report, group[0], at, &others);
    }
}

/// Whether something stands before a door, or no page leads to it.
fn is_quiet(program: &Program, found: &PaidDoor) -> bool {
    let entry = &program.entries[found.start.entry];
    found.door == Door::Limited || !program.is_offered(entry) || program.middleware_before_pages(entry).is_some()
}

fn tell(program: &Program, report: &mut Report, found: &PaidDoor, at: CallRef, others: &[CallRef]) {
    let PaidDoor { spends, door, used, start, .. } = found;
    let called = &found.name;
    let entry = &program.entries[start.entry];
    let name = program.entry_name(entry);
    let cost = match spends {
        Spends::Payout => "pays the app's money out",
        Spends::Model => "lets the app pay for a model's answers",
        Spends::Talk => "lets the app pay for talks with a voice agent or model",
        Spends::Phone => "lets the app pay for messages and calls to phones",
        Spends::Lookup => "lets the app pay for look-ups",
        Spends::Goods => "orders at the app's expense",
        Spends::Mail => "sends mail in the app's name to any address",
        Spends::Contact => "puts any address on the app's paid list",
        Spends::Claim => "mails the customer of whichever row is named about a payment that it does not look for",
        Spends::OwnMail if mails_itself(program, found) => "mails the app's own address",
        Spends::OwnMail => "mails an address that the app picks",
        Spends::OwnPhone => "sends messages to the app's own number",
    };
    let limited = *door == Door::Limited;
    // The platform asks for a token, and the public key of the app is one.
    let gated = program.is_gated(entry.place.file);
    let whom =
        if gated { "anyone who has the app's public key, which is in every browser" } else { "anyone who finds it" };
    let offered = program.is_offered(entry);
    let whom = if offered { whom } else { "anyone, once a page imports it" };
    let waits = program.works_off_what_waits(entry)
        || program.is_done_for_the_day(start, *used)
        || program.is_made_once(start, *used);
    let covered = program.middleware_before_pages(entry);
    let left_out = program.left_out_of(&functions_on(program, entry, start, *used));
    let unloaded = program.unloaded_middleware(entry);
    // Guests order too: who is signed in is looked up for the row alone.
    let for_guests = *spends == Spends::Mail && takes_from_guests(program, found);
    let noted_for_guests = for_guests && left_out.is_some_and(|(_, left_out)| left_out.refuses_none);
    let only = match left_out {
        _ if limited => "only a rate limit stands in front of it".to_owned(),
        _ if unloaded.is_some() => "nobody asks who is calling, since Next does not load the middleware".to_owned(),
        Some((_, LeftOut { name, any: true, .. })) => format!("whoever brings any `{name}` is asked nothing"),
        Some((_, LeftOut { noted, .. })) if noted || noted_for_guests => {
            "who is calling is looked up, and whoever is nobody goes on".to_owned()
        }
        Some((_, LeftOut { name, .. })) => format!("whoever leaves `{name}` out is asked nothing"),
        None if covered.is_some() => "only the middleware of its pages asks who is calling".to_owned(),
        None => "nobody asks who is calling".to_owned(),
    };
    let message = format!("{name} {cost} ({called}) for {whom}: {only}");
    let severity = match spends {
        _ if limited || waits || !offered || covered.is_some() => Severity::Note,
        Spends::OwnMail | Spends::OwnPhone => Severity::Note,
        Spends::Contact | Spends::Goods | Spends::Claim | Spends::Lookup => Severity::Warning,
        _ => Severity::Error,
    };
    let mut draft = report
        .at(program.call_place(at), called.clone(), message)
        .severity(severity)
        .because(entry.place, format!("{name} starts here"))
        .help(
            unloaded
                .map(moved)
                .or_else(|| noted_for_guests.then(|| FOR_GUESTS.to_owned()))
                .or_else(|| always_asked(left_out.map(|(_, left_out)| left_out)))
                .or_else(|| program.caller_told_by_form(entry).map(|asks| told_by_form(program, entry, &asks)))
                .or_else(|| strangers::by_vendor(program, entry))
                .or_else(|| strangers::by_callers(program, entry, at))
                .or_else(|| strangers::by_clock(program, entry, at))
                .or_else(|| strangers::once_signed_in(program, entry))
                .or_else(|| (*spends == Spends::Mail && delivers_itself(&name)).then(|| MAIL_OF_THE_APP.to_owned()))
                .or_else(|| for_guests.then(|| FOR_GUESTS.to_owned()))
                .unwrap_or_else(|| cure(program, entry, *spends, limited)),
        )
        .trace(program.trace_from(start, *used, &format!("{called} costs")));
    if let Some((place, left_out)) = left_out {
        draft = draft.because(place, left_out.says());
    }
    for &other in others {
        draft = draft.because(program.call_place(other), "and here");
    }
    if let Some(unloaded) = unloaded {
        draft = draft.because(unloaded.place, "Next does not load this where it lies");
    }
    if let Some(place) = covered {
        draft = draft.because(place, "stands before its pages");
    }
    let draft = match found.vendor {
        Some(vendor) => draft.vendor(program.vendor_id(vendor)),
        None => draft,
    };
    if waits
        || !offered
        || matches!(spends, Spends::OwnMail | Spends::OwnPhone)
        || limited && *spends == Spends::Contact
    {
        draft.confidence(Confidence::Low).auditor_only();
    } else if gated
        || matches!(spends, Spends::Claim | Spends::Lookup)
        || *spends == Spends::Phone && found.vendor.is_none()
    {
        draft.confidence(Confidence::Medium);
    }
}

/// The cure for mail that people wait for who cannot log in yet, and that says what the request says.
const MAIL_OF_THE_APP: &str = "Write the text and make the link here, on the server; of the request take the address alone, mail only addresses that have an account or have just made one, and limit how often by address.";

/// The cure for the mail that confirms what a guest has ordered or booked.
const FOR_GUESTS: &str = "Guests send this form too, so a login is no cure: before anything is stored ask for a captcha, and limit how often by address and by IP: `if (!allowed) return new Response(\"try again later\", { status: 429 })`. Of what the form says put no more into the mail than it needs.";

/// Whether a mail goes to an address that the app's own settings or texts name.
fn mails_itself(program: &Program, found: &PaidDoor) -> bool {
    let of_program = |http: &HttpUse| {
        let origins = program.message_origins(&found.start.way, http);
        !origins.is_empty() && origins.iter().all(|origin| *origin == Origin::Constant)
    };
    if program.requests_at(found.used).iter().any(of_program) {
        return true;
    }
    program.vendors_at(found.used).iter().any(|used| {
        // Who is left out (`bcc`) is nobody; whoever is named has to be the app itself.
        let mut fields = program.operation(used).into_iter().flat_map(|operation| &operation.recipients).peekable();
        fields.peek().is_some() && fields.all(|field| program.is_payload_constant(&found.start.way, used, field))
    })
}

/// Whether the mail says that a row was stored, an order or a booking, which nobody has to log in for.
fn takes_from_guests(program: &Program, found: &PaidDoor) -> bool {
    program.stands_before(found.used, &found.start.way).row.is_some()
}

/// The cure for middleware that is not loaded where it lies.
pub fn moved(unloaded: Unloaded) -> String {
    let Unloaded { wanted, refuses, .. } = unloaded;
    let then = match refuses {
        true => "Then it asks who is calling in front of all of its routes.",
        false => "Then look whether it turns strangers away from this route.",
    };
    format!(
        "Move the middleware to {wanted} (`git mv`, and mend its relative imports): Next loads it nowhere else. {then}"
    )
}

/// The cure for a check that is only made when what it asks for is brought, or that anything brought gets around.
pub fn always_asked(left_out: Option<LeftOut>) -> Option<String> {
    left_out.map(|LeftOut { name, any, noted, .. }| match any {
        _ if noted => {
            "Answer 401 when no user is found, before anything else is done: the app's public key is no user.".to_owned()
        }
        true => format!(
            "That `{name}` is there proves nothing: let in users who are looked up, and servers by a secret from the \
             environment, and answer 401 to everybody else."
        ),
        false => format!(
            "Refuse whoever brings no `{name}` too: ask for it in every case, and answer 401 unless it is the right one."
        ),
    })
}

/// The cure where a function by whose name somebody is asked only looks at what was sent.
fn told_by_form(program: &Program, entry: &Entry, asks: &str) -> String {
    let refuse = strangers::refusal(program, entry)
        .unwrap_or_else(|| "answer 401 when there is no user in the session".to_owned());
    let key = if strangers::looks_user_up(program, entry) { " (the anonymous key is no user)" } else { "" };
    format!(
        "`{asks}` only looks at fields that anybody can send. Where it stands for a caller of its own, such as a hook, ask \
         that one for its signature or a secret of its own; of everybody else ask for a user: {refuse}{key}."
    )
}

fn cure(program: &Program, entry: &Entry, spends: Spends, limited: bool) -> String {
    if spends != Spends::Claim && strangers::staff::is_meant_for_staff(program, entry) {
        return strangers::staff::let_staff_in(program, entry);
    }
    let refuse = strangers::refusal(program, entry)
        .unwrap_or_else(|| "answer 401 when there is no user in the session".to_owned());
    let key = strangers::no_user(program, entry, "anonymous");
    match spends {
        Spends::Claim => {
            format!("Say it only where the row, or the payment's vendor, says so, and refuse strangers: {refuse}{key}.")
        }
        Spends::Mail | Spends::Contact | Spends::OwnMail | Spends::OwnPhone => {
            format!(
                "Let only known users send, or ask strangers for a captcha and limit them by address: {refuse}{key}."
            )
        }
        // Visitors type addresses, too.
        Spends::Lookup if limited => format!(
            "Cap what the key may use a day at the vendor. Where only users need it, refuse strangers: {refuse}{key}."
        ),
        Spends::Lookup => format!(
            "Limit each address (answer 429 beyond a few a minute) and cap what the key may use a day at the vendor. Where \
             only users need it, refuse strangers: {refuse}{key}."
        ),
        // A chat or a demonstration on the front page.
        Spends::Model | Spends::Talk | Spends::Phone => format!(
            "Look the user up before the call and refuse strangers: {refuse}{key}; then limit each user. What is meant for \
             visitors asks them for a captcha and limits them by address instead."
        ),
        _ => format!("Look the user up before the call and refuse strangers: {refuse}{key}; then limit each user."),
    }
}
