//! Requests of server code to a path alone: a server has no page that the path could start from.

use std::collections::BTreeMap;

use crate::facts::ExprKind;
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, Destination, EntryKind, HttpUse, Program, Value};
use crate::rule::Report;

/// Functions by which code of a server runs inside a page.
const IN_PAGE: &[&str] = &["evaluate", "evaluateHandle", "evaluateOnNewDocument", "addInitScript", "waitForFunction"];

pub(super) fn check(program: &Program, report: &mut Report) {
    let mut asked: BTreeMap<Name, Vec<CallRef>> = BTreeMap::new();
    for http in program.requests().iter().filter(|http| http.at == http.inner) {
        let Some(path) = path_alone(program, http) else { continue };
        if only_on_server(program, http.at) && is_started(program, http.at) {
            asked.entry(path).or_default().push(http.at);
        }
    }
    for (path, calls) in asked {
        let Some(&first) = calls.first() else { continue };
        let shown = path.replace("{}", ":id");
        let served = program.entries_for_jump(first).into_iter().next().map(|entry| &program.entries[entry]);
        let hidden = if program.guards(first).is_empty() { "" } else { ", which is caught here" };
        let message = format!(
            "fetch({shown:?}) runs on the server, which has no address that a path starts from: it throws \"Failed to \
             parse URL\" every time{hidden}, and what it was for never happens"
        );
        let help = match served {
            Some(_) => {
                "Call what that route does, from here: a function that both use. Else ask by the whole address: \
                        `fetch(new URL(path, process.env.APP_URL))`."
                    .to_owned()
            }
            None => format!(
                "Nothing in the repository serves {shown} either: call a function that does its work, or take it out."
            ),
        };
        let at = program.call_place(first);
        let mut draft = report.at(at, path.to_string(), message).help(help);
        if let Some(entry) = served {
            draft = draft.because(program.entry_head(entry), format!("{} is here", program.entry_name(entry)));
        }
        let mut told: Vec<Place> = vec![at];
        for &other in &calls[1..] {
            let place = program.call_place(other);
            if !told.contains(&place) {
                told.push(place);
                draft = draft.because(place, "asked for here too");
            }
        }
    }
}

/// The path that a platform's own `fetch` is given with nothing before it.
fn path_alone(program: &Program, http: &HttpUse) -> Option<Name> {
    let head = match &http.url {
        Value::Template(parts) => parts.first()?,
        url => url,
    };
    let is_path = matches!(head, Value::Text(text) if text.starts_with('/') && !text.starts_with("//"));
    match http.to.as_slice() {
        [Destination::Own(path)] if is_path && program.http_client(http).id == "fetch" => Some(*path),
        _ => None,
    }
}

/// Whether a call never runs in a browser: not in a page that a script of the server drives, either.
fn only_on_server(program: &Program, at: CallRef) -> bool {
    let facts = program.facts(at.file);
    let span = facts.span(facts.call(at.call).expr);
    let in_page = || {
        facts.calls.iter().any(|call| {
            facts.last_name(call.callee).is_some_and(|name| IN_PAGE.contains(&name.as_str()))
                && call.args.iter().any(|arg| facts.span(arg.value).contains(span))
        })
    };
    // A module with a page's elements may be shown in one.
    program.runs_on_server(at.file)
        && !program.side(at.file).client
        && facts.elements().next().is_none()
        && !names_page(program, at)
        && !in_page()
}

/// Whether a file asks whether it runs in a page: `typeof window`.
fn names_page(program: &Program, at: CallRef) -> bool {
    let facts = program.facts(at.file);
    facts.exprs.iter().any(
        |expr| matches!(&expr.kind, ExprKind::Ref(name, _) if matches!(name.as_str(), "window" | "document" | "self")),
    )
}

/// Whether something from outside leads to a call on the server.
fn is_started(program: &Program, at: CallRef) -> bool {
    program.origins_of(at).iter().any(|origin| {
        let entry = &program.entries[origin.entry];
        matches!(
            entry.kind,
            EntryKind::Route
                | EntryKind::EdgeFunction
                | EntryKind::ServerAction
                | EntryKind::Procedure
                | EntryKind::Job
                | EntryKind::Worker
        ) && program.runs_on_server(entry.function.file)
    })
}
