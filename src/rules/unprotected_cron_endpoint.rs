//! Endpoints made for the clock that anyone can start.

use crate::catalogue::{Effect, VendorId};
use crate::facts::{ExprId, ExprKind, Op};
use crate::finding::{Confidence, FileId, Place};
use crate::names::Name;
use crate::program::callers::doors::Door;
use crate::program::callers::left_out::LeftOut;
use crate::program::origins::Origin;
use crate::program::time::schedules::Schedule;
use crate::program::verify::{Account, Lapse, Verdict, Why};
use crate::program::{CallRef, Edge, EdgeKind, Entry, EntryKind, ExprRef, Program};
use crate::rule;
use crate::rule::Report;
use crate::rules::strangers::{self, request_of, sent_by_database, staff};

rule! {
    /// A scheduled endpoint does its work for whoever calls it
    ///
    /// The address of a job is easy to guess (`/api/cron/..`), and it stands in the repository. Whoever calls it runs
    /// the job as often as they like: every customer gets the reminder twice, the import runs all night, the bill of
    /// the vendors behind it is yours. A header by which the platform says that the clock calls
    /// (`x-vercel-cron`, its user agent) is no secret: anybody can send it.
    ///
    /// An edge function that asks for no token, that nothing in the repository calls, and that takes nothing of the
    /// request is such a job too: its clock was set up in the dashboard. That report is of medium confidence, and so is
    /// that of a scheduled function that charges or sends behind the platform's gate alone, and of one without a schedule
    /// that sends the same messages on every run: the app's public key passes that gate.
    ///
    /// ## Silent when
    ///
    /// - the endpoint, or middleware before it, checks a secret, a signature or a user, and refuses without one
    /// - the platform itself starts the function and gives it no address of its own
    /// - it does nothing, or what it does could not be followed
    ///
    /// ## The cure
    ///
    /// Compare the `Authorization` header with a secret from the environment, and refuse when that is unset.
    ///
    /// ## Example
    ///
    /// ```json path=vercel.json
    /// { "crons": [{ "path": "/api/cron/remind", "schedule": "20 6 * * *" }] }
    /// ```
    ///
    /// ```ts path=app/api/cron/remind/route.ts
    /// import { Resend } from "resend";
    ///
    /// export async function GET() {
    ///   const resend = new Resend(process.env.RESEND_API_KEY);
    ///   const { error } = await resend.emails.send({ from: "a@b.example", to: "c@d.example", subject: "Due", text: "." });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```json path=vercel.json
    /// { "crons": [{ "path": "/api/cron/remind", "schedule": "20 6 * * *" }] }
    /// ```
    ///
    /// ```ts path=app/api/cron/remind/route.ts
    /// import { Resend } from "resend";
    ///
    /// export async function GET(req: Request) {
    ///   const secret = process.env.CRON_SECRET;
    ///   if (!secret || req.headers.get("authorization") !== `Bearer ${secret}`) {
    ///     return new Response("no", { status: 401 });
    ///   }
    ///   const resend = new Resend(process.env.RESEND_API_KEY);
    ///   const { error } = await resend.emails.send({ from: "a@b.example", to: "c@d.example", subject: "Due", text: "." });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    id: "unprotected-cron-endpoint", severity: Warning, confidence: High,
    section: "Data access of backend-as-a-service vendors", security: Some(6.5), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: Vec<(FileId, Option<Name>)> = Vec::new();
    for schedule in program.schedules() {
        // The platform asks by GET; other methods of the same route are told with it.
        let asks = schedule.asks.iter().map(|&entry| (entry, &program.entries[entry]));
        let mut asks: Vec<(usize, &Entry)> = asks.collect();
        asks.sort_by_key(|(_, entry)| !entry.methods.iter().any(|method| method == "GET"));
        for (at, entry) in asks {
            let route = (entry.function.file, entry.route);
            // Where each run costs, that is told of the door, with the same cure.
            if !told.contains(&route)
                && !program.pays_for_anyone(at)
                && let Some(how) = gap(program, at)
            {
                told.push(route);
                tell(program, report, Some(schedule), entry, &how);
            }
        }
    }
    // Its clock may be set up where no file says so.
    for (at, entry) in program.entries.iter().enumerate() {
        let route = (entry.function.file, entry.route);
        if program.schedules().iter().any(|schedule| schedule.asks.contains(&at)) || told.contains(&route) {
            continue;
        }
        let job = || {
            let deed = program.open_job(at).filter(|_| !program.pays_for_anyone(at))?;
            Some(passed(program, at, program.own_account(at)).unwrap_or(Gap::Open(deed)))
        };
        let around = || gap(program, at).filter(|gap| matches!(gap, Gap::Passed(..) | Gap::Unset(..)));
        let found = if program.asks_for_clock(entry) { around() } else { job() };
        if let Some(gap) = found {
            told.push(route);
            tell(program, report, None, entry, &gap);
        }
    }
}

/// The vendors that prove who is calling by being asked: none does for the clock.
const NOBODY: &[VendorId] = &[VendorId(u16::MAX)];

/// How a stranger gets in.
enum Gap {
    /// Nothing is checked before this call.
    Open(CallRef),
    /// What is checked before this call is skipped for whoever brings something.
    Passed(CallRef, Place, LeftOut),
    /// The check is skipped while a variable is unset.
    Unset(String, Place),
    /// Bringing this header is as good as passing the check.
    Announced(Name, Lapse),
}

fn gap(program: &Program, at: usize) -> Option<Gap> {
    let entry = &program.entries[at];
    if program.is_gated(entry.function.file) && !moves_money_or_messages(program, entry) {
        return None;
    }
    let account = program.account_of(entry, NOBODY);
    match account.verdict() {
        Verdict::Unverified { deed, partly: false, .. } => {
            let origin = Origin { entry: at, way: vec![] };
            (program.door(&origin, &account, deed) != Door::Guarded).then_some(Gap::Open(deed))
        }
        Verdict::Bypass(lapse, _) => match lapse.why {
            Why::Unset(name) | Why::Either(name) if !asks_for_mode(program, lapse.place) => {
                Some(Gap::Unset(name.to_string(), lapse.place))
            }
            Why::Announced(header) => Some(Gap::Announced(header, lapse)),
            _ => passed(program, at, &account),
        },
        _ if program.is_gated(entry.function.file) => None,
        _ => passed(program, at, &account),
    }
}

/// Whether an entry point charges somebody, or sends something that people get.
fn moves_money_or_messages(program: &Program, entry: &Entry) -> bool {
    program.vendors_behind(entry).any(|used| {
        let operation = program.operation(used);
        operation.is_some_and(|operation| operation.money || operation.effect == Effect::Send)
    })
}

/// The first thing that is done behind a check that whoever brings something goes past, where no other is made.
fn passed(program: &Program, at: usize, account: &Account) -> Option<Gap> {
    let (place, left_out) = program.left_out_of(&[program.entries[at].function]).filter(|(_, check)| check.any)?;
    let origin = Origin { entry: at, way: vec![] };
    let behind = account.deeds.iter().map(|deed| deed.at).filter(|deed| {
        let deed = program.call_place(*deed);
        deed.file == place.file && deed.span.start > place.span.end && !program.is_left_out(deed)
    });
    let deed = behind.min()?;
    (program.door(&origin, account, deed) != Door::Guarded).then_some(Gap::Passed(deed, place, left_out))
}

/// Whether the function that a place stands in asks in which mode the app runs: what is open for development may be
/// shut in production.
fn asks_for_mode(program: &Program, place: Place) -> bool {
    let facts = program.facts(place.file);
    let around = facts.functions.iter().filter(|function| function.span.contains(place.span));
    let Some(function) = around.min_by_key(|function| function.span.end - function.span.start) else { return false };
    facts.exprs.iter().any(|expr| {
        matches!(expr.kind, ExprKind::Env(name) if name.ends_with("ENV") || name.ends_with("ENVIRONMENT") || name == "DEBUG")
            && function.span.contains(expr.span)
    })
}

/// The word of the code that a check lets in beside the secret: `key !== KEY && key !== "manual"`.
fn opening_word(program: &Program, check: Place) -> Option<Name> {
    let facts = program.facts(check.file);
    let inside = facts
        .operations()
        .filter(|&(at, (op, _))| matches!(op, Op::Equal | Op::Unequal) && check.span.contains(facts.span(at)));
    inside.flat_map(|(_, (_, parts))| parts.iter()).find_map(|&part| match facts.expr(part) {
        ExprKind::Text(word) if !word.is_empty() => Some(*word),
        _ => None,
    })
}

/// The variable whose value a check asks for.
fn secret_asked(program: &Program, check: Place) -> Option<Name> {
    let facts = program.facts(check.file);
    let inside = (0..facts.exprs.len()).filter(|&at| check.span.contains(facts.exprs[at].span));
    let mut values = inside.map(|at| program.value(ExprRef::new(check.file, ExprId(at as u32))));
    values.find_map(|value| {
        let secret = |name: &Name| ["SECRET", "TOKEN", "KEY"].iter().any(|part| name.contains(part));
        value.envs().into_iter().find(secret)
    })
}

fn tell(program: &Program, report: &mut Report, schedule: Option<&Schedule>, entry: &Entry, gap: &Gap) {
    let name = match entry.kind {
        EntryKind::EdgeFunction => program.entry_name(entry),
        _ => entry.route.map_or_else(|| program.entry_name(entry), |route| route.to_string()),
    };
    let kind = match schedule {
        Some(_) => "is made for the clock",
        None if program.asks_for_clock(entry) => "is made for the clock",
        None => "looks like a job (nothing in the repository calls it, and it takes no input)",
    };
    let gated = program.is_gated(entry.function.file);
    let word = match gap {
        Gap::Passed(_, place, check) => opening_word(program, Place { span: check.span, ..*place }),
        _ => None,
    };
    let for_whom = match gap {
        Gap::Passed(_, _, check) => format!("whoever brings any `{}`", check.name),
        _ if gated => "whoever has the app's public key, which is in every browser".to_owned(),
        _ => "whoever calls it".to_owned(),
    };
    let for_whom = match word {
        Some(word) => format!("whoever brings the word `{word}`, which is in the code"),
        None => for_whom,
    };
    let does = format!("{name} {kind}, and does its work for {for_whom}");
    let (does, secret) = match gap {
        Gap::Announced(header, _) => {
            (format!("{name} {kind}, and whoever sends the header {header} gets past its check"), "CRON_SECRET")
        }
        Gap::Unset(secret, _) => {
            (format!("while {secret} is unset, {name} does its work for whoever calls it"), secret.as_str())
        }
        _ => (does, "CRON_SECRET"),
    };
    let message = format!("{does}: anyone can run the job as often as they like");
    let facts = program.facts(entry.function.file);
    let read = program.read_of_variable(entry.function.file, Name::new(secret));
    let by_status = matches!(entry.framework, "express" | "fastify" | "next-pages");
    let params = &facts.function(entry.function.function).params;
    let req = request_of(program, entry);
    let res = params.get(1).and_then(|param| param.name).map_or("res".to_owned(), |name| name.to_string());
    let brought = match by_status {
        true => format!("{req}.headers.authorization"),
        false => format!("{req}.headers.get(\"authorization\")"),
    };
    let code = if gated {
        format!(
            "const secret = {read};\nif (!secret || {req}.headers.get(\"x-cron-secret\") !== secret) {{\n  return new Response(\"no\", {{ status: 401 }});\n}}"
        )
    } else if !facts.language.is_script() {
        format!(
            "if request.headers.get(\"Authorization\") != f\"Bearer {{os.environ['{secret}']}}\":\n    return \"\", 401"
        )
    } else if by_status {
        format!(
            "const secret = {read};\nif (!secret || {brought} !== `Bearer ${{secret}}`) return {res}.status(401).end();"
        )
    } else {
        format!(
            "const secret = {read};\nif (!secret || {brought} !== `Bearer ${{secret}}`) {{\n  return new Response(\"no\", {{ status: 401 }});\n}}"
        )
    };
    // Pasted into a handler that takes nothing, the check would stop every run.
    let code = match facts.language.is_script() && params.is_empty() {
        true => {
            format!("// give the handler its request: ({}) => ..\n{code}", if by_status { "req, res" } else { "req" })
        }
        false => code,
    };
    let sends = match schedule {
        Some(schedule) if schedule.by_platform && secret == "CRON_SECRET" => {
            "the platform sends it once CRON_SECRET is set"
        }
        Some(_) => "and send it from the schedule",
        None => "and send it from whatever starts it, before this is deployed",
    };
    let asks = match gap {
        // Who comes with a session is let in as before.
        Gap::Passed(_, _, LeftOut { name: header, .. }) => {
            let known = match facts.language.is_script() {
                true => format!(
                    ":\nconst secret = {read};\nconst isClock = Boolean(secret) && {brought} === `Bearer ${{secret}}`;"
                ),
                false => ".".to_owned(),
            };
            format!(
                "That `{header}` is there proves nothing. Where it is asked for, ask for a secret instead, {sends}{known}"
            )
        }
        // The platform sends one secret alone, and one way alone.
        Gap::Announced(header, lapse) => {
            let by_platform = schedule.is_some_and(|schedule| schedule.by_platform);
            match secret_asked(program, lapse.check).filter(|_| !by_platform) {
                Some(asked) => format!(
                    "Take {header} out of the check, and let the schedule bring what it asks for beside: the secret in {asked}."
                ),
                None => format!("Let in only who brings a secret, which {header} is not; {sends}:\n{code}"),
            }
        }
        _ => match by_page(program, entry) {
            Some(page) => format!(
                "A page starts it too ({page}), and knows no secret: let in either, the secret, {sends}, or those who work for \
                 the app:\n{}",
                or_staff(program, entry, &code)
            ),
            None => format!("Refuse whoever does not bring the secret, {sends}:\n{code}"),
        },
    };
    let asks = match word {
        Some(word) => format!(
            "Take `{word}` out of the check: a word of the code is no secret. Whoever starts the job by hand brings the \
             secret, too."
        ),
        None => asks,
    };
    let in_database = sent_by_database(program, entry, secret).unwrap_or_default();
    let draft = report.at(entry.place.head(), name, message).help(format!("{asks}{in_database}"));
    let draft = match schedule {
        Some(schedule) => {
            let draft = draft.because(schedule.place, format!("started by `{}`", schedule.cron));
            if gated { draft.confidence(Confidence::Medium) } else { draft }
        }
        None => draft.confidence(Confidence::Medium),
    };
    match gap {
        Gap::Open(deed) => draft.because(program.call_place(*deed), "this runs for anyone"),
        Gap::Passed(deed, place, check) => {
            let says = if word.is_some() { "this word is enough" } else { check.says() };
            draft.because(*place, says).because(program.call_place(*deed), "this runs for anyone")
        }
        Gap::Unset(_, place) => draft.because(*place, "the check is skipped here"),
        Gap::Announced(_, lapse) => {
            let draft = draft.because(lapse.place, "anybody can send this header");
            if lapse.check == lapse.place { draft } else { draft.because(lapse.check, "the check") }
        }
    };
}

/// A page that starts the job as well, by a button.
fn by_page(program: &Program, entry: &Entry) -> Option<String> {
    let pages = |edge: &&Edge| edge.kind == EdgeKind::Jump && program.side(edge.call.file).client;
    let place = program.call_place(program.incoming(entry.function).iter().find(pages)?.call);
    Some(format!("{}:{}", program.file(place.file).path, program.line(place)))
}

/// A check of the secret that lets in those who work for the app beside it: what it answered is asked of them.
fn or_staff(program: &Program, entry: &Entry, code: &str) -> String {
    let asks = match staff::only_staff(program, entry) {
        Some(asks) => asks,
        None => "// answer 403 here unless the app's own list of roles says that they work for it".to_owned(),
    };
    let user = strangers::refusal(program, entry);
    let (Some(user), Some((check, _))) = (user, code.split_once(") return ").or_else(|| code.split_once(") {"))) else {
        return format!("{code}\nand let in beside it who is signed in and works for the app.");
    };
    format!("{check}) {{\n  {}\n  {asks}\n}}", user.trim_matches('`'))
}
