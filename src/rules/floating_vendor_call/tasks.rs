//! Tasks that are started and that nobody keeps.

use super::name_of;
use crate::finding::Severity;
use crate::program::failures::floating::Floating;
use crate::program::origins::Origin;
use crate::program::{EntryKind, Program};
use crate::rule::Report;

pub(super) fn tell(program: &Program, report: &mut Report, floating: &Floating, origins: &[Origin]) {
    let serverless = program.is_serverless(origins);
    // On a server that keeps running nearly all of them come to their end.
    if floating.caught && !serverless {
        return;
    }
    let answers = |kind: EntryKind| !matches!(kind, EntryKind::Script | EntryKind::Hook | EntryKind::Load);
    let Some(origin) = origins.iter().find(|origin| answers(program.entries[origin.entry].kind)) else { return };
    let entry = &program.entries[origin.entry];
    let what = name_of(program, floating.acts);
    let (subject, leads) = match program.callee(floating.at).functions().next() {
        Some(function) => (program.function_name(function), format!(" and leads to {what}")),
        None => (what.clone(), String::new()),
    };
    let who = program.entry_name(entry);
    let (message, help) = match serverless {
        true => (
            format!(
                "{subject} is left to a task{leads}: when {who} has answered, the instance may stop before it has run"
            ),
            "Await it before answering, or leave it to a queue.".to_owned(),
        ),
        false => (
            format!(
                "{subject} is left to a task that nobody keeps{leads}: when it fails, nobody learns that but the log, and \
                 as the event loop holds its tasks weakly, it may be collected before it is done"
            ),
            match entry.framework {
                "fastapi" | "starlette" => format!(
                    "Hand it to the framework, `background_tasks.add_task({subject}, ..)`, and catch and log its failure \
                     with what it was for. Or keep the task until it is done: `tasks.add(task)`, \
                     `task.add_done_callback(tasks.discard)`."
                ),
                _ => "Keep the task until it is done: `tasks.add(task)`, `task.add_done_callback(tasks.discard)`. And \
                      catch and log its failure, with what it was for."
                    .to_owned(),
            },
        ),
    };
    let mut draft = report.at(program.call_place(floating.at), subject, message).help(help).trace(program.trace_from(
        origin,
        floating.at,
        "is left here",
    ));
    if floating.acts != floating.at {
        draft = draft.because(program.call_place(floating.acts), format!("what it leads to: {what}"));
    }
    if let Some(used) = program.vendors_at(floating.acts).first() {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    if !serverless {
        draft.severity(Severity::Note);
    }
}
