//! Policies that open a private bucket's files to whoever has a session, or to everyone.

use super::super::row_security::{CAUTION, who};
use super::cures::statements::quoted_always;
use super::{SERVER_ITSELF, can, promised};
use crate::finding::{Confidence, Severity};
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{Command, History, Opens, Policy, Rights, Table};

/// Tells of a policy that asks for a private bucket and not for the file's owner; whether it was one.
pub(super) fn look(program: &Program, history: &History, table: &Table, policy: &Policy, report: &mut Report) -> bool {
    let Some((opening, name)) = policy.opening_of_bucket(table) else { return false };
    let private = history.buckets.get(&name).filter(|bucket| !bucket.public);
    let Some(bucket) = private.filter(|_| !table.narrows(opening.commands) && policy.unsure.is_none()) else {
        return false;
    };
    let changes = opening.commands.any(Rights::UPDATE.with(Rights::DELETE));
    let what = can(opening.commands).replace("any row of", "any file in").replace("every row of", "every file in");
    let message = format!(
        "{} can {what} the private bucket {name:?}: its policy asks for the bucket, and not whose file it is",
        who(opening.to)
    );
    // What is private to the app's users as a whole (their pictures) looks the same.
    let shared = !changes && opening.to == Opens::SignedIn;
    let keep = if shared { "Keep it if every user may see all of it. If not: " } else { "" };
    let (of, on) = (quoted_always(&policy.name), table.id.sql());
    let condition = policy.using.as_deref().unwrap_or_default();
    let own = format!("{condition} and owner_id = (select auth.uid())::text");
    let (advice, sql) = if promised(&policy.name) == Some(SERVER_ITSELF) {
        (
            "Say that it is for the server, which passes with its own key.",
            format!("    alter policy {of} on {on} to service_role;"),
        )
    } else if program.signs_in_elsewhere(history) {
        (
            "Let a function on the server hand out the files (a signed URL) after it has checked who asks, then take the \
             policy out.",
            format!("    drop policy {of} on {on};"),
        )
    } else {
        let check = if matches!(policy.command, Command::Select | Command::Delete) {
            String::new()
        } else {
            format!("\n      with check ({own})")
        };
        (
            "Ask for the file's owner, too: who added it. Files that the server adds with its own key have none, and \
             files of a team have many: hand those out on the server (a signed URL), which checks who asks.",
            format!("    alter policy {of} on {on} to authenticated\n      using ({own}){check};"),
        )
    };
    let draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{on} \"{}\"", policy.name), message)
        .severity(match (changes, shared) {
            (true, _) => Severity::Error,
            (false, false) => Severity::Warning,
            (false, true) => Severity::Note,
        })
        .confidence(Confidence::Medium)
        .because(bucket.place, "the bucket is private")
        .help(format!(
            "{keep}{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, qual, with_check from pg_policies\n      \
             where schemaname = 'storage' and tablename = 'objects';"
        ));
    if shared {
        draft.confidence(Confidence::Low).auditor_only();
    } else if !history.ordered {
        draft.confidence(Confidence::Low);
    }
    true
}
