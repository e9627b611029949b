//! Schedules that start when everyone else's do.

use std::collections::BTreeMap;

use crate::catalogue::{Category, VendorId};
use crate::finding::FileId;
use crate::program::outbound::shown_host;
use crate::program::time::schedules::{Schedule, quiet_minute};
use crate::program::{Destination, EdgeKind, Leaves, Program, VendorUse};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A job that calls vendors starts at minute 0, with everyone else's
    ///
    /// Half the world's jobs run at the full hour. Vendors answer slowly then, refuse with 429 more often, and
    /// platforms start late. A job that nobody waits for at that very minute gains nothing by it, and yours compete
    /// with each other for the same limits.
    ///
    /// ## Silent when
    ///
    /// - the minute is any other, or the job polls in steps (`*/15 * * * *`)
    /// - what it starts calls no vendor, or is not in the repository
    ///
    /// ## The cure
    ///
    /// Move the job some odd minutes off the hour, and several jobs to minutes of their own.
    ///
    /// ## Example
    ///
    /// ```json path=vercel.json
    /// { "crons": [{ "path": "/api/digest", "schedule": "0 6 * * *" }] }
    /// ```
    ///
    /// ```ts path=app/api/digest/route.ts
    /// import { Resend } from "resend";
    ///
    /// export async function GET() {
    ///   const resend = new Resend(process.env.RESEND_API_KEY);
    ///   const { error } = await resend.emails.send({ from: "a@b.example", to: "team@b.example", subject: "Digest", text: "." });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```json path=vercel.json
    /// { "crons": [{ "path": "/api/digest", "schedule": "23 6 * * *" }] }
    /// ```
    ///
    /// ```ts path=app/api/digest/route.ts
    /// import { Resend } from "resend";
    ///
    /// export async function GET() {
    ///   const resend = new Resend(process.env.RESEND_API_KEY);
    ///   const { error } = await resend.emails.send({ from: "a@b.example", to: "team@b.example", subject: "Digest", text: "." });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    id: "top-of-hour-cron", severity: Note, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut files: BTreeMap<FileId, Vec<(&Schedule, Asked)>> = BTreeMap::new();
    for schedule in program.schedules().iter().filter(|schedule| schedule.starts_at_the_hour()) {
        if let Some(asked) = asked(program, schedule) {
            files.entry(schedule.place.file).or_default().push((schedule, asked));
        }
    }
    for mut found in files.into_values() {
        // One step of a schedule may start several things.
        found.dedup_by_key(|(schedule, _)| schedule.place);
        let Some((first, asked)) = found.first() else { continue };
        let others = &found[1..];
        let mut names: Vec<&str> = others.iter().map(|(other, _)| other.what.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| *name != first.what);
        let jobs = match names[..] {
            [] => format!("{} starts at minute 0 (`{}`)", first.what, first.cron),
            [other] => format!("{} and {other} both start at minute 0", first.what),
            ref more => format!("{} and {} other jobs all start at minute 0", first.what, more.len()),
        };
        let message = format!(
            "{jobs}, when half the world's jobs do: {} answers slowly and refuses more just then{}",
            asked.whom,
            if names.is_empty() { "" } else { ", and they compete for the same limits" }
        );
        let minute = quiet_minute(&first.what);
        let is_python = program.file(first.place.file).facts.as_ref().is_some_and(|facts| !facts.language.is_script());
        let moved = if is_python { format!("minute={minute}") } else { first.moved(minute) };
        let mut draft = report
            .at(first.place, first.what.clone(), message)
            .help(format!("Move it off the full hour, each job to a minute of its own: `{moved}`"));
        if let Some(vendor) = asked.vendor {
            draft = draft.vendor(program.vendor_id(vendor));
        }
        for (other, _) in others {
            draft = draft.because(other.place, format!("{} starts at minute 0 too", other.what));
        }
    }
}

/// Whom a job asks.
struct Asked {
    whom: String,
    vendor: Option<VendorId>,
}

/// The first vendor or other host that what a schedule starts calls.
fn asked(program: &Program, schedule: &Schedule) -> Option<Asked> {
    let foreign = |used: &&VendorUse| {
        let vendor = program.catalogue.vendor(used.vendor);
        !vendor.own_backend && vendor.category != Category::Monitoring
    };
    for &start in &schedule.runs {
        let reach = program.reach(start, |edge| edge.kind != EdgeKind::Jump || edge.target.file != start.file);
        for stop in &reach.stops {
            for call in program.calls_in(stop.function) {
                if let Some(used) = program.vendors_at(call).iter().find(foreign) {
                    let whom = program.catalogue.vendor(used.vendor).name.clone();
                    return Some(Asked { whom, vendor: Some(used.vendor) });
                }
                // What goes to the app's own address, or to what stands in for it, asks nobody.
                let leaving = program.requests_at(call).iter().filter(|http| program.leaves(http) == Leaves::Yes);
                let host = leaving.flat_map(|http| &http.to).find_map(|to| match to {
                    Destination::Host(host, _) if !crate::catalogue::is_own_host(host) => Some(shown_host(host)),
                    _ => None,
                });
                if let Some(whom) = host {
                    return Some(Asked { whom, vendor: None });
                }
            }
        }
    }
    None
}
