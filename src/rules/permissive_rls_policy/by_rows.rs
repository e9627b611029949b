//! Policies that ask what is in a row and not who asks: meant so, perhaps, and a note for the auditor.

use super::super::row_security::{CAUTION, own_rows, who};
use super::cures::statements::quoted_always;
use super::{SERVER_ITSELF, can, promised};
use crate::finding::{Confidence, Severity};
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{Command, History, Policy, Table};

pub(super) fn look(program: &Program, history: &History, table: &Table, policy: &Policy, report: &mut Report) {
    let Some(opening) = policy.opening_by_rows(table) else { return };
    let Some(condition) = policy.using.as_deref() else { return };
    // Somebody narrowed it for everyone alike, or all of it may be gone.
    if table.narrows(opening.commands) || policy.unsure.is_some() {
        return;
    }
    let (name, table_name) = (quoted_always(&policy.name), table.id.sql());
    let what = can(opening.commands).replace("any row of", "rows of").replace("every row of", "rows of");
    let message = format!(
        "{} can {what} {table_name}: its policy asks what is in the row (`{}`), and not who asks",
        who(opening.to),
        short(condition)
    );
    let own = match table.id.schema == "storage" {
        true => Some("owner_id = (select auth.uid())::text".to_owned()),
        false => own_rows(history, table),
    };
    let (advice, sql) = match own.filter(|_| !program.signs_in_elsewhere(history)) {
        _ if promised(&policy.name) == Some(SERVER_ITSELF) => (
            "Say that it is for the server, which passes with its own key.",
            format!("    alter policy {name} on {table_name} to service_role;"),
        ),
        Some(own) => {
            let check =
                if policy.command == Command::Delete { String::new() } else { format!("\n      with check ({own})") };
            let asks = format!("using ({own} and ({condition})){check}");
            (
                "Ask for the row's owner, too.",
                format!("    alter policy {name} on {table_name} to authenticated\n      {asks};"),
            )
        }
        None => (
            "Let a function on the server write after it has checked who asks and what, then take the policy out.",
            format!("    drop policy {name} on {table_name};"),
        ),
    };
    let draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{table_name} \"{}\"", policy.name), message)
        .severity(Severity::Note)
        .confidence(Confidence::Low)
        .help(format!(
            "Keep it if whoever comes may do that. If not: {advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, \
             qual, with_check from pg_policies\n      where schemaname = '{}' and tablename = '{}';",
            table.id.schema, table.id.name
        ));
    draft.auditor_only();
}

/// A condition on one line, cut where it is long.
fn short(condition: &str) -> String {
    let line = condition.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 { line } else { format!("{}…", line.chars().take(59).collect::<String>()) }
}
