//! What customers pay for is given on a redirect or a browser's word.

use rustc_hash::FxHashSet;

use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::program::callers::audience::is_staff_word;
use crate::program::money::grants::assumed::Yes;
use crate::program::money::grants::loose::Loose;
use crate::program::money::grants::{Given, Grant};
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, Entry, EntryKind, FunctionRef, Gate, Program};
use crate::rule::Report;
use crate::sql::Command;

crate::rule! {
    /// What customers pay for is given without asking whether they paid
    ///
    /// Anyone can open the success page, call the endpoint behind it, or change what the browser sends. When that
    /// alone switches the plan on, marks the order paid or adds credits, customers get them for nothing: and those
    /// who paid and closed the tab before the redirect get nothing. The same holds where the payment is only asked
    /// whether it is paid: when the caller can leave that out, when the plan comes from the request, or when any order
    /// that the request names is marked by it, one small payment buys everything. A state that is taken from the address
    /// of the page is what whoever opens it likes.
    ///
    /// ## Silent when
    ///
    /// - the app takes no payments by a vendor, whatever another app of the repository does
    /// - the server retrieves the session or payment from the vendor and its state decides, or charges there itself
    /// - a webhook does it
    /// - staff does it: admin routes and pages, roles that are asked for, jobs
    /// - it is a free plan, a trial, a bonus, or a row that says it is not paid yet
    /// - a mode of the server, not the request, says that it is only a test
    /// - credits or a paid flag are written where no name says that a payment, an upgrade or its success page is meant
    ///
    /// ## The cure
    ///
    /// Give access in the verified webhook, or retrieve the payment on the server and check that it is paid first.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/payment-success/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function GET(req: Request) {
    ///   const user = new URL(req.url).searchParams.get("user");
    ///   await db.from("profiles").update({ is_premium: true }).eq("id", user);
    ///   return Response.redirect("https://shop.example/welcome");
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/payment-success/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function GET(req: Request) {
    ///   const id = new URL(req.url).searchParams.get("session_id")!;
    ///   const session = await stripe.checkout.sessions.retrieve(id);
    ///   if (session.payment_status !== "paid") return new Response("not paid", { status: 402 });
    ///   await db.from("profiles").update({ is_premium: true }).eq("id", session.client_reference_id);
    ///   return Response.redirect("https://shop.example/welcome");
    /// }
    /// ```
    id: "fulfil-on-redirect", severity: Error, confidence: Medium, section: "Money and abuse",
    security: Some(7.5), since: "0.1.0", check: check
}

/// Beginnings of words of names that say that a payment, an upgrade or its success page is meant.
const PAYER: &[&str] = &[
    "success",
    "checkout",
    "payment",
    "thank",
    "upgrade",
    "subscribe",
    "pricing",
    "billing",
    "activat",
    "purchase",
    "paywall",
    "zahlung",
    "erfolg",
];

/// Words of those who may give it beside staff: vendors, jobs; and of what is given for nothing.
const MAY: &[&str] = &[
    "internal",
    "webhook",
    "webhooks",
    "hook",
    "callback",
    "ipn",
    "itn",
    "notify",
    "notification",
    "notifications",
    "trial",
    "free",
    "referral",
    "bonus",
    "reward",
    "coupon",
    "promo",
    "redeem",
    "refund",
    "downgrade",
    "cancel",
    "sync",
    "invoice",
    "invoices",
    "migrate",
    "pos",
    "mock",
    "mocks",
    "demo",
];

/// Words of what a vendor calls.
const HOOKS: &[&str] = &["webhook", "webhooks", "hook"];

/// Whether names say that something is only tried.
fn says_test(names: &[String]) -> bool {
    names.iter().any(|word| matches!(word.as_str(), "test" | "debug" | "simulate" | "simulated" | "manual"))
}

/// Whether a word means somebody who may give it, or what is given for nothing.
fn may_give(word: &str) -> bool {
    MAY.contains(&word) || is_staff_word(word)
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<FunctionRef> = FxHashSet::default();
    for grant in program.grants() {
        let names = names(program, &grant);
        let sent_back = program.entries_of(grant.function).iter().any(|&entry| is_opened(&program.entries[entry]));
        // What a form calls is a callback, whatever it gives.
        let is_form = |word: &str| (grant.after.is_some() || sent_back) && word == "callback";
        if names.iter().any(|word| may_give(word) && !is_form(word)) || told.contains(&grant.function) {
            continue;
        }
        let side = program.side(grant.at.file);
        let start = if side.client && !side.server {
            in_browser(program, &grant, &names).then_some(None)
        } else if grant.given == Given::Left {
            // The server may know what is left.
            None
        } else {
            on_server(program, &grant, &names).map(Some)
        };
        if let Some(start) = start
            && told.insert(grant.function)
        {
            tell(program, report, &grant, start.as_ref());
        }
    }
}

/// The words of the path, and of the functions a grant is written in.
fn names(program: &Program, grant: &Grant) -> Vec<String> {
    let facts = program.facts(grant.at.file);
    let mut names = words(&program.file(grant.at.file).path);
    let mut next = Some(grant.function.function);
    while let Some(function) = next.filter(|function| *function != FunctionId::MODULE) {
        names.extend(facts.function(function).name.iter().flat_map(|name| words(name)));
        next = facts.function(function).parent;
    }
    names
}

fn says_payer(names: &[String]) -> bool {
    names.iter().any(|word| PAYER.iter().any(|start| word.starts_with(start)))
}

/// Whether a browser gives it: by a function that says so, in the row of who is logged in, or after a payment.
fn in_browser(program: &Program, grant: &Grant, names: &[String]) -> bool {
    let by_staff = program
        .origins(grant.function)
        .iter()
        .any(|origin| last_call(program, grant).is_some_and(|last| program.is_for_staff(origin, last)));
    if grant.given == Given::Called {
        return !names.iter().any(|word| may_give(word));
    }
    !by_staff
        && !is_refused(program, grant)
        && (grant.after.is_some()
            || says_payer(names)
            || grant.given == Given::Left
            || grant.runs && shows_plans(names)
            || !matches!(grant.given, Given::Counted | Given::Done) && of_own_row(program, grant))
        && !program.is_paid_for(grant.function, grant)
}

/// Whether the rules of the database refuse the write to customers.
fn is_refused(program: &Program, grant: &Grant) -> bool {
    let Some(call) = last_call(program, grant) else { return false };
    let facts = program.facts(call.file);
    let command = |call: CallRef| match facts.last_name(facts.call(call.call).callee)?.as_str() {
        "insert" => Some(Command::Insert),
        "update" => Some(Command::Update),
        _ => None,
    };
    command(call).is_some_and(|command| program.only_staff_may(call, command))
}

/// Whether names say that plans are chosen there.
fn shows_plans(names: &[String]) -> bool {
    names.iter().any(|word| ["plan", "onboard", "subscription"].iter().any(|start| word.starts_with(start)))
}

fn last_call(program: &Program, grant: &Grant) -> Option<CallRef> {
    match program.facts(grant.at.file).expr(grant.at.expr) {
        ExprKind::Call(call) => Some(CallRef::new(grant.at.file, *call)),
        _ => program.calls_in(grant.function).last(),
    }
}

/// Whether the row written is that of who is logged in: `.eq("id", user.id)`.
fn of_own_row(program: &Program, grant: &Grant) -> bool {
    let Some(call) = last_call(program, grant) else { return false };
    let facts = program.facts(grant.at.file);
    program.chain(call).any(|(outer, _)| {
        facts.call(outer.call).args.iter().any(|arg| match facts.expr(arg.value) {
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "id" | "uid")
                    && matches!(facts.expr(*base), ExprKind::Ref(holder, _) | ExprKind::Member(_, holder)
                        if matches!(holder.as_str(), "user" | "currentUser" | "authUser"))
            }
            _ => false,
        })
    })
}

/// The entry point by which a customer gets it though nobody asked whether it is paid.
fn on_server(program: &Program, grant: &Grant, names: &[String]) -> Option<Origin> {
    let last = last_call(program, grant)?;
    program.origins(grant.function).into_iter().find(|origin| {
        let entry = &program.entries[origin.entry];
        let mut named = words(&program.entry_name(entry));
        // To an address that is only opened no vendor delivers: it is where whoever paid is sent back to.
        let sent_back = is_opened(entry);
        let is_test = says_test(&named) || says_test(names);
        // `/api/test-webhook` stands in for the vendor, and no vendor calls it.
        let stands_in = is_test && named.iter().any(|word| HOOKS.contains(&word.as_str()));
        let excepted = |word: &str| sent_back && word == "callback" || stands_in && HOOKS.contains(&word);
        if named.iter().any(|word| may_give(word) && !excepted(word))
            || is_mounted_nowhere(entry)
            // A model chooses there, and is told who may ask for what.
            || origin.way.iter().any(|edge| program.is_run_by_choice(edge))
            || program.is_for_deliveries(origin.entry, &origin.way, last)
            || program.brings_own_secret(origin.entry)
            || is_for_listed(program, origin, last)
        {
            return false;
        }
        named.extend(names.iter().cloned());
        let asked_for = says_payer(&named) || grant.given == Given::Chosen && program.is_chosen_by_request(grant);
        let is = |wanted: &[&str]| named.iter().any(|word| wanted.contains(&word.as_str()));
        let comes_back = sent_back && is(&["callback"]) && !is(&["oauth", "auth", "login", "connect"]);
        let asked_for = asked_for || grant.picked.is_some() || comes_back || stands_in;
        // To an address that is opened, not to what a vendor delivers.
        let opened = entry.methods.is_empty() || entry.methods.iter().any(|method| *method == "GET");
        if grant.given == Given::Told && !opened {
            return false;
        }
        let loose = program.loosely_paid(entry.function, grant).is_some();
        (asked_for || loose)
            && (program.is_public(origin.entry) || entry.kind == EntryKind::Page)
            && (is_test || !program.is_for_staff(origin, last))
            && !program.is_for_developers(grant)
            // On a server whoever is unknown may have been asked before an order is called complete.
            && (grant.given != Given::Done && !program.is_paid_for(entry.function, grant)
                || program.skipped_by(entry.function, grant).is_some()
                || loose)
    })
}

/// Whether an entry point is an address that is only opened.
fn is_opened(entry: &Entry) -> bool {
    !entry.methods.is_empty() && entry.methods.iter().all(|method| *method == "GET")
}

/// Whether nothing known mounts the router of a route: it may serve nothing.
fn is_mounted_nowhere(entry: &Entry) -> bool {
    entry.route.is_some_and(|route| route.starts_with("/**")) && entry.middleware.contains(&Gate::Unknown)
}

/// Whether it is only given to those whom a list names: `if (FRIENDS.includes(user.id))`.
fn is_for_listed(program: &Program, origin: &Origin, last: CallRef) -> bool {
    let names_caller = |facts: &Facts, expr: ExprId| {
        facts.last_name(expr).is_some_and(|name| {
            let words = words(&name);
            words.iter().any(|word| matches!(word.as_str(), "user" | "email" | "uid" | "sub" | "id"))
        })
    };
    let lists = |facts: &Facts, condition: ExprId| match facts.expr(condition) {
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            matches!(facts.expr(call.callee), ExprKind::Member(_, name) if matches!(name.as_str(), "includes" | "has"))
                && call.args.iter().any(|arg| names_caller(facts, arg.value))
        }
        ExprKind::Op(Op::In, parts) => parts.first().is_some_and(|&part| names_caller(facts, part)),
        _ => false,
    };
    origin.way.iter().map(|edge| edge.call).chain([last]).any(|call| {
        let facts = program.facts(call.file);
        facts.enclosing(facts.call(call.call).block).any(|(_, block)| match block.kind {
            BlockKind::Then(condition) => lists(facts, condition),
            _ => false,
        })
    })
}

fn tell(program: &Program, report: &mut Report, grant: &Grant, start: Option<&Origin>) {
    let asked = program.vendor_asked(grant);
    let payee = || asked.map(|(vendor, _)| vendor).or_else(|| program.payment_vendor(grant.at.file));
    let vendor = grant.after.or_else(payee);
    // The app's own server asks, and the browser decides on its answer.
    let server = asked.and_then(|(_, handler)| handler).map(|handler| program.file(handler.file).path);
    let who = vendor.map_or("the payment vendor", |vendor| program.catalogue.vendor(vendor).name.as_str());
    let field = grant.field;
    let does = match grant.given {
        Given::Called => format!("`{field}` is called"),
        Given::Counted => format!("`{field}` is counted up"),
        Given::Chosen => format!("`{field}` is set to the plan that was chosen"),
        Given::Left => format!("what is left in `{field}` is written"),
        Given::Told => format!("`{field}` is set to what the address says"),
        Given::Fixed | Given::Done => format!("`{field}` is set as paid for"),
    };
    let skip = start.and_then(|start| program.skipped_by(program.entries[start.entry].function, grant));
    let loose = start.and_then(|start| program.loosely_paid(program.entries[start.entry].function, grant));
    let message = match start {
        None if grant.given == Given::Left => {
            format!("{does} by the browser: whoever repeats that request writes any sum, and pays with it")
        }
        Some(start) if let Some(word) = skip => format!(
            "{does} when {} is sent `{word}`: whoever adds that to the request gets it for nothing, {who} is not asked",
            program.entry_name(&program.entries[start.entry])
        ),
        Some(start) if let Some(loose) = loose => {
            format!(
                "{does} when {} is called: {}",
                program.entry_name(&program.entries[start.entry]),
                left_open(loose, who)
            )
        }
        None if grant.after.is_some() => format!(
            "{does} by the browser when the payment form of {who} says that it is paid: whoever runs that by hand gets it without paying"
        ),
        None if server.is_some() => format!(
            "{does} by the browser: whoever repeats that request alone gets it without paying, whatever {who} says of a \
             payment"
        ),
        None => {
            format!("{does} by the browser: whoever repeats that request gets it without paying, nobody asks {who}")
        }
        Some(start) if let Some(word) = grant.picked => format!(
            "{does} when {} is called with `{word}`, paid or not: no state of a payment at {who} decides it, whoever sends that request gets it for nothing",
            program.entry_name(&program.entries[start.entry])
        ),
        Some(start) if grant.given == Given::Told => format!(
            "{does} when {} is called: no state of a payment at {who} decides it, and whoever opens that address with \
             the word for it has paid",
            program.entry_name(&program.entries[start.entry])
        ),
        Some(start) => format!(
            "{does} when {} is called, paid or not: no state of a payment at {who} decides it, whoever sends that request gets it for nothing",
            program.entry_name(&program.entries[start.entry])
        ),
    };
    let help = match start {
        None if grant.given == Given::Left => {
            "Take that write out of the browser and deny it to customers in the database's rules; have a function of the \
             database or server take the price off what it finds there."
                .to_owned()
        }
        Some(_) if let Some(word) = skip => format!(
            "Take `{word}` out of the request: ask {who} in every case, with test keys where it is a test, and stop \
             unless the payment is there."
        ),
        Some(_) if let Some(loose) = loose => closed(loose, who),
        None if grant.given == Given::Fixed && program.is_reckoned_free(grant) => format!(
            "Have a function of the server take the order: it looks the prices and vouchers up, reckons what is left to pay, \
             and writes `{field}` itself where that is nothing. Deny that write to customers in the database's rules; what \
             is left to pay is paid for when {who} says so, in its webhook."
        ),
        None if let Some(server) = server => format!(
            "Take that write out of the browser and deny it to customers in the database's rules; do it in {server}, where \
             {who} is asked, or in the webhook by which {who} says that it is paid."
        ),
        None => format!(
            "Take that write out of the browser and deny it to customers in the database's rules; do it in the webhook by which {who} says that it is paid."
        ),
        Some(_) if grant.given == Given::Told => format!(
            "Retrieve the payment from {who} in this handler, stop unless it belongs to this customer, and write what its \
             state says; or leave this write to the verified webhook. What the address says is only to be shown."
        ),
        Some(_) => format!(
            "Retrieve the payment from {who} in this handler and stop unless its state says paid and it belongs to this customer, or leave this write to the verified webhook; until then keep the choice in a field of its own."
        ),
    };
    let mut draft = report.at(program.place(grant.at), field.to_string(), message).help(help);
    if let Some(start) = start {
        let entry = &program.entries[start.entry];
        draft = draft.because(entry.place, format!("{} starts it", program.entry_name(entry)));
    }
    if let Some(vendor) = vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// What a look at a payment that does not decide leaves open.
fn left_open(loose: Loose, who: &str) -> String {
    match loose {
        Loose::LeftOut(word) => {
            format!(
                "{who} is only asked where the request brings `{word}`, and whoever leaves that out gets it for nothing"
            )
        }
        Loose::Wished => format!(
            "{who} is only asked whether something was paid, not what for, and whoever paid for the smallest gets the largest"
        ),
        Loose::AnyRow(word) => format!(
            "{who} is only asked whether something was paid, not what for, and whoever paid once has any `{word}` marked as paid"
        ),
        Loose::FailsOpen(env) => {
            format!("while {env} is not set every payment counts as paid, and whoever asks gets it for nothing")
        }
        Loose::Assumed(name, Yes::Caught) => format!(
            "`{name}` says yes when asking {who} fails, and whoever names a payment that is not there gets it for nothing"
        ),
        Loose::Assumed(name, Yes::Refused) => format!(
            "`{name}` says yes when {who} answers with an error, and whoever names a payment that is not there gets it for nothing"
        ),
        Loose::Assumed(name, Yes::Unasked) => format!(
            "`{name}` says yes where {who} is not asked at all, for want of a key or of an id in the request, and whoever calls it gets it for nothing"
        ),
    }
}

/// How it is closed.
fn closed(loose: Loose, who: &str) -> String {
    match loose {
        Loose::LeftOut(word) => {
            format!("Turn the request away when `{word}` is missing, and ask {who} in every case before that write.")
        }
        Loose::Wished => {
            "Take what was bought out of the payment that was retrieved, its metadata or its amount, and not out \
                          of the request; keep its id with that, so that it counts once."
                .to_owned()
        }
        Loose::AnyRow(word) => format!(
            "Take the row's id out of the payment that was retrieved, as its metadata or reference says, or stop when that \
             is not `{word}`."
        ),
        Loose::FailsOpen(env) => {
            format!("Say no while {env} is not set: `return false`, or throw when the server starts.")
        }
        Loose::Assumed(name, _) => format!(
            "Let only an answer of {who} that says paid make `{name}` true. Where asking fails or cannot be done, answer 502 \
             and give nothing; whoever paid tries again, or the webhook gives it."
        ),
    }
}
