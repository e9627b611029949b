//! Functions and routes that the app asks for and does not have.

use std::collections::BTreeMap;

use crate::finding::{Confidence, FileId, Place};
use crate::link::jumps::Unmatched;
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, HttpUse, Program, Value};
use crate::rule;
use crate::rule::Report;

mod clocks;
mod procedures;
mod relative;

rule! {
    /// The app calls a function or route that it does not have
    ///
    /// The name was changed, the function was never written, or it lives in a branch: in production the request is
    /// answered with 404, or with the page's HTML. A `catch` around it hides that, so the customer presses the button
    /// and nothing happens, for weeks.
    ///
    /// ## Silent when
    ///
    /// - the repository holds no functions, or no routes, of that kind: the backend is elsewhere;
    /// - a rewrite, proxy or catch-all route could serve it: one that leads to another server says nothing of what
    ///   that has, one that answers everything with the page serves no requests;
    /// - the name is not constant, or the code is tooling or never deployed.
    ///
    /// Where the function that asks is itself asked for by nobody, no customer meets it: a note for the auditor.
    ///
    /// `fetch("/api/x")` in code that only a server runs ends there too, whether the route is there or not: a server has no
    /// page whose address the path could start from, and throws.
    ///
    /// A procedure (`trpc.orders.cancel.useMutation()`) is missing where every router that could have it is seen whole, and
    /// another one that the same client asks for is there.
    ///
    /// A platform's clock asks as well: the one of `vercel.json` sends GET and nothing else, and a route that only has
    /// POST refuses it every time. A path that nothing serves beside others that are served is told too.
    ///
    /// ## The cure
    ///
    /// Write the function or route, correct its name, or take the call out.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/send-invite/index.ts
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   await supabase.functions.invoke("track-invite", { body: { email } });
    ///   return new Response("sent");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/send-invite/index.ts
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   console.log("invited", email.length);
    ///   return new Response("sent");
    /// });
    /// ```
    id: "missing-endpoint", severity: Warning, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

/// How many letters two names may differ in and still be meant as one.
const SLIPS: usize = 3;

fn check(program: &Program, report: &mut Report) {
    clocks::check(program, report);
    procedures::check(program, report);
    relative::check(program, report);
    let mut asked: BTreeMap<(bool, Name), Vec<&Unmatched>> = BTreeMap::new();
    for unmatched in program.unmatched_jumps() {
        if is_told(program, unmatched) {
            asked.entry((unmatched.is_function, unmatched.asked)).or_default().push(unmatched);
        }
    }
    if asked.is_empty() {
        return;
    }
    let names = program.names_taken();
    for ((is_function, name), mut calls) in asked {
        // A place that runs comes first.
        calls.sort_by_key(|call| program.is_uncalled(call.at, &names));
        let Some(first) = calls.first() else { continue };
        let runs = !program.is_uncalled(first.at, &names);
        tell(program, report, (is_function, name), first, &calls, runs);
    }
}

/// Whether the repository holds what should have served it.
fn is_told(program: &Program, unmatched: &Unmatched) -> bool {
    let side = program.side(unmatched.at.file);
    if side.tooling || side.dead || is_built(program.file(unmatched.at.file).path) {
        return false;
    }
    // One of several values, or one that only callers know: another is served, or the caller's own place is told.
    if !program.entries_for_jump(unmatched.at).is_empty() || comes_of_callers(program, unmatched) {
        return false;
    }
    if unmatched.is_function {
        return functions(program, unmatched.at.file).next().is_some();
    }
    // Some of the app's own routes under the same first segment are here.
    let first = first_segment(unmatched.led_to.as_ref().unwrap_or(&unmatched.asked));
    let near = unmatched.at.file;
    let mut known = program.known_routes.iter().filter(|known| program.share_app(known.file, near));
    let known = known.any(|known| !known.route.contains("api") && known.route.contains('*'));
    !known
        && !may_bring_a_slash(program, unmatched)
        && routes(program, near).filter(|(_, route)| first_segment(route) == first).count() > 1
}

/// Whether a part that is not known stands right behind a name (`/api/tools${tool.endpoint}`) and the app serves what
/// goes on from there: the part may bring a slash of its own.
fn may_bring_a_slash(program: &Program, unmatched: &Unmatched) -> bool {
    let asked = unmatched.led_to.unwrap_or(unmatched.asked);
    let Some((before, _)) = asked.split_once("{}") else { return false };
    !before.ends_with('/') && routes(program, unmatched.at.file).any(|(_, route)| route.starts_with(before))
}

/// Whether the name or path is what a caller hands to the function that sends the request.
fn comes_of_callers(program: &Program, unmatched: &Unmatched) -> bool {
    // A name that is not known may be what ends it; where the whole path is written, it ends so on purpose.
    let is_written = |http: &HttpUse| http.url.text().is_some();
    let written = || program.requests_at(unmatched.at).iter().all(is_written);
    let empty = unmatched.asked.contains("//") || unmatched.asked.ends_with('/') && !written();
    let handed = |http: &HttpUse| {
        let parts = match &http.url {
            Value::Template(parts) => parts.as_ref(),
            url => std::slice::from_ref(url),
        };
        // What stands in the query says nothing of the path.
        let path = parts.iter().take_while(|part| !part.text().is_some_and(|text| text.starts_with('?')));
        http.at == http.inner && path.into_iter().any(|part| part.any(|value| matches!(value, Value::Param(..))))
    };
    empty || !unmatched.asked.contains("{}") && program.requests_at(unmatched.at).iter().any(handed)
}

/// Whether a file is what a bundler made: `assets/index-CIr4Wx79.js`.
fn is_built(path: Name) -> bool {
    let Some((folder, name)) = path.as_str().rsplit_once('/') else { return false };
    let Some((_, hash)) = name.strip_suffix(".js").and_then(|stem| stem.rsplit_once(['-', '.'])) else { return false };
    let is_hash = hash.len() >= 8 && hash.chars().any(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    is_hash && folder.rsplit('/').next().is_some_and(|last| matches!(last, "assets" | "static" | "chunks" | "js"))
}

fn first_segment(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// The functions of a file's app.
fn functions(program: &Program, near: FileId) -> impl Iterator<Item = &Entry> {
    let own = move |entry: &&Entry| entry.kind == EntryKind::EdgeFunction && program.share_app(entry.place.file, near);
    program.entries.iter().filter(own)
}

/// The routes of a file's app.
fn routes(program: &Program, near: FileId) -> impl Iterator<Item = (&Entry, Name)> {
    let served = move |entry: &&Entry| {
        let side = program.side(entry.function.file);
        entry.kind == EntryKind::Route && !side.tooling && !side.dead && program.share_app(entry.place.file, near)
    };
    program.entries.iter().filter(served).filter_map(|entry| Some((entry, entry.route?)))
}

fn tell(
    program: &Program,
    report: &mut Report,
    (is_function, name): (bool, Name),
    first: &Unmatched,
    calls: &[&Unmatched],
    runs: bool,
) {
    let at = program.call_place(first.at);
    let what = if is_function { format!("the function {name}") } else { shown(first, name) };
    let near = nearest(program, first.at.file, is_function, name);
    let other = (!is_function).then(|| other_method(program, first, name)).flatten();
    let message = match (runs, &other) {
        (true, Some((methods, _))) => format!(
            "{} is served for {methods}, not for {}: {}",
            name.replace("{}", ":id"),
            first.method.unwrap_or(name),
            outcome(program, first.at, is_function).replace("a 404", "a 404 or 405")
        ),
        (true, None) => format!("nothing in the repository serves {what}: {}", outcome(program, first.at, is_function)),
        (false, _) => format!("nothing in the repository serves {what}, and nothing is seen to call what asks for it"),
    };
    let is_method = other.is_some();
    let near = other.map(|(methods, place)| (format!("it by {methods}"), place)).or(near);
    let help = match &near {
        Some((near, _)) => format!("Call {near} if that is what is meant; else write {what}, or take the call out."),
        None if is_function => format!("Write {what}, or take the call out."),
        None => format!("Write a handler for {what}, or take the call out."),
    };
    let mut draft = report.at(at, name.to_string(), message).help(help);
    if !runs {
        draft = draft.confidence(Confidence::Low);
    }
    if let Some((near, place)) = near {
        draft = draft.because(place, if is_method { "served here".to_owned() } else { format!("{near} is here") });
    }
    let mut told = vec![at];
    for other in calls.iter().skip(1) {
        let place = program.call_place(other.at);
        if !told.contains(&place) {
            told.push(place);
            draft = draft.because(place, "called here too");
        }
    }
}

/// A path with its holes written as people do, and the method.
fn shown(unmatched: &Unmatched, path: Name) -> String {
    let path = path.replace("{}", ":id");
    unmatched.method.map_or_else(|| path.clone(), |method| format!("{method} {path}"))
}

fn outcome(program: &Program, call: CallRef, is_function: bool) -> &'static str {
    let hidden = !program.guards(call).is_empty();
    // What gives its error throws nothing that could be caught.
    let gives = program.vendors_at(call).iter().any(|used| program.gives_errors(used));
    match (is_function, hidden) {
        (true, _) if gives && !program.error_is_seen(call) => {
            "every call gets a 404 as an error that nobody looks at, and what it was for never happens"
        }
        (true, _) if gives => "every call fails with a 404, and what it was for never happens",
        (true, true) => "every call fails with a 404 that is caught here, and what it was for never happens",
        (true, false) => "every call fails with a 404, and what it was for never happens",
        (false, true) => {
            "the request ends in a 404 that goes no further than this place, and what it was for never happens"
        }
        (false, false) => "the request ends in a 404, and what it was for never happens",
    }
}

/// The methods for which a path is served that is asked for by another one, and where.
fn other_method(program: &Program, asked: &Unmatched, path: Name) -> Option<(String, Place)> {
    let parts = |path: &str| -> Vec<String> {
        let hole = |part: &str| part.starts_with([':', '{', '[', '<', '$']);
        path.split('/').map(|part| if hole(part) { String::new() } else { part.to_owned() }).collect()
    };
    let wanted = parts(&path);
    let same: Vec<&Entry> = routes(program, asked.at.file)
        .filter(|(_, route)| parts(route) == wanted)
        .map(|(entry, _)| entry)
        .filter(|entry| !entry.methods.is_empty())
        .collect();
    let mut methods: Vec<&str> = same.iter().flat_map(|entry| &entry.methods).map(|method| method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    Some((methods.join(" and "), program.entry_head(same.first()?)))
}

/// The function or route with the most similar name.
fn nearest(program: &Program, near: FileId, is_function: bool, name: Name) -> Option<(String, Place)> {
    let named: Vec<(Name, Place)> = if is_function {
        functions(program, near).filter_map(|entry| Some((entry.name?, program.entry_head(entry)))).collect()
    } else {
        routes(program, near).map(|(entry, route)| (route, program.entry_head(entry))).collect()
    };
    let most = SLIPS.min(name.len() / 4);
    let mut near: Vec<(usize, Name, Place)> = named
        .into_iter()
        .filter(|(other, _)| other.chars().count().abs_diff(name.chars().count()) <= most)
        .map(|(other, place)| (distance(&name, &other), other, place))
        .filter(|(distance, ..)| *distance > 0 && *distance <= most)
        .collect();
    near.sort();
    near.into_iter().next().map(|(_, name, place)| (name.to_string(), place))
}

/// In how many letters two names differ.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (column, &with) in other.iter().enumerate() {
            let replaced = before + usize::from(c != with);
            before = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(before + 1);
        }
    }
    row[other.len()]
}
