//! Endpoints made for the clock that anyone can start.

use crate::catalogue::VendorId;
use crate::facts::{ExprId, ExprKind};
use crate::finding::{FileId, Place};
use crate::manifest::TokenGate;
use crate::names::Name;
use crate::program::doors::Door;
use crate::program::origins::Origin;
use crate::program::schedules::Schedule;
use crate::program::verify::{Lapse, Verdict, Why};
use crate::program::{CallRef, Entry, EntryKind, ExprRef, Program};
use crate::rule;
use crate::rule::Report;
use crate::rules::strangers::sent_by_database;

rule! {
    /// A scheduled endpoint does its work for whoever calls it
    ///
    /// The address of a job is easy to guess (`/api/cron/..`), and it stands in the repository. Whoever calls it runs
    /// the job as often as they like: every customer gets the reminder twice, the import runs all night, the bill of
    /// the vendors behind it is yours. A header by which the platform says that the clock calls
    /// (`x-vercel-cron`, its user agent) is no secret: anybody can send it.
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
            if !told.contains(&route)
                && let Some(how) = gap(program, at)
            {
                told.push(route);
                tell(program, report, schedule, entry, &how);
            }
        }
    }
}

/// The vendors that prove who is calling by being asked: none does for the clock.
const NOBODY: &[VendorId] = &[VendorId(u16::MAX)];

/// How a stranger gets in.
enum Gap {
    /// Nothing is checked before this call.
    Open(CallRef),
    /// The check is skipped while a variable is unset.
    Unset(String, Place),
    /// Bringing this header is as good as passing the check.
    Announced(Name, Lapse),
}

fn gap(program: &Program, at: usize) -> Option<Gap> {
    let entry = &program.entries[at];
    let path = program.file(entry.function.file).path;
    if matches!(program.manifests.token_gate(&path), Some((TokenGate::Asked | TokenGate::AskedByDefault, _))) {
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
            _ => None,
        },
        _ => None,
    }
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

fn tell(program: &Program, report: &mut Report, schedule: &Schedule, entry: &Entry, gap: &Gap) {
    let name = match entry.kind {
        EntryKind::EdgeFunction => program.entry_name(entry),
        _ => entry.route.map_or_else(|| program.entry_name(entry), |route| route.to_string()),
    };
    let (message, secret) = match gap {
        Gap::Open(_) => (
            format!(
                "{name} is made for the clock, and does its work for whoever calls it: anyone can run the job as often as they like"
            ),
            "CRON_SECRET".to_owned(),
        ),
        Gap::Unset(secret, _) => (
            format!(
                "while {secret} is unset, {name} does its work for whoever calls it: anyone can run the job as often as they like"
            ),
            secret.clone(),
        ),
        Gap::Announced(header, _) => (
            format!(
                "{name} is made for the clock, and whoever sends the header {header} gets past its check: anyone can run the job as often as they like"
            ),
            "CRON_SECRET".to_owned(),
        ),
    };
    let facts = program.facts(entry.function.file);
    let read = program.read_of_variable(entry.function.file, crate::names::Name::new(&secret));
    let code = if !facts.language.is_script() {
        format!(
            "if request.headers.get(\"Authorization\") != f\"Bearer {{os.environ['{secret}']}}\":\n    return \"\", 401"
        )
    } else if matches!(entry.framework, "express" | "fastify" | "next-pages") {
        format!(
            "const secret = {read};\nif (!secret || req.headers.authorization !== `Bearer ${{secret}}`) return res.status(401).end();"
        )
    } else {
        format!(
            "const secret = {read};\nif (!secret || req.headers.get(\"authorization\") !== `Bearer ${{secret}}`) {{\n  return new Response(\"no\", {{ status: 401 }});\n}}"
        )
    };
    let sends = if schedule.by_platform && secret == "CRON_SECRET" {
        "the platform sends it once CRON_SECRET is set"
    } else {
        "and send it from the schedule"
    };
    let in_database = sent_by_database(program, entry, &secret).unwrap_or_default();
    let help = match gap {
        // The platform sends one secret alone, and one way alone.
        Gap::Announced(header, lapse) => match secret_asked(program, lapse.check).filter(|_| !schedule.by_platform) {
            Some(asked) => format!(
                "Take {header} out of the check, and let the schedule bring what it asks for beside: the secret in {asked}."
            ),
            None => format!("Let in only who brings a secret, which {header} is not; {sends}:\n{code}{in_database}"),
        },
        _ => format!("Refuse whoever does not bring the secret, {sends}:\n{code}{in_database}"),
    };
    let draft = report
        .at(entry.place.head(), name, message)
        .help(help)
        .because(schedule.place, format!("started by `{}`", schedule.cron));
    match gap {
        Gap::Open(deed) => draft.because(program.call_place(*deed), "this runs for anyone"),
        Gap::Unset(_, place) => draft.because(*place, "the check is skipped here"),
        Gap::Announced(_, lapse) => {
            let draft = draft.because(lapse.place, "anybody can send this header");
            if lapse.check == lapse.place { draft } else { draft.because(lapse.check, "the check") }
        }
    };
}
