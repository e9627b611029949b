//! Policies that ask what is in a row and not who asks: meant so, perhaps, and a note for the auditor. Who may say that
//! something is paid is nothing to mean so.

use super::super::row_security::{CAUTION, own_rows, who};
use super::cures::statements::quoted_always;
use super::{SERVER_ITSELF, can, promised};
use crate::finding::{Confidence, Severity};
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{Command, History, Opens, Policy, Rights, Table};

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
    let sets_paid = opening.to == Opens::Everyone && opening.commands.any(Rights::UPDATE) && lets_pay(policy);
    let message = match sets_paid {
        true => format!("{message}: whoever sends that request has a row count as paid"),
        false => message,
    };
    let own = match table.id.schema == "storage" {
        true => Some("owner_id = (select auth.uid())::text".to_owned()),
        false => own_rows(history, table),
    };
    let (advice, sql) = match own.filter(|_| !program.signs_in_elsewhere(history)) {
        _ if promised(&policy.name) == Some(SERVER_ITSELF) => (
            "Say that it is for the server, which passes with its own key.",
            format!("    alter policy {name} on {table_name} to service_role;"),
        ),
        _ if sets_paid => (
            "Take the policy out: let the verified webhook say with the server's key that something is paid. Where pages change \
             these rows too, have a function on the server do it first.",
            format!("    drop policy {name} on {table_name};"),
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
    let keep = if sets_paid { "" } else { "Keep it if whoever comes may do that. If not: " };
    let draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{table_name} \"{}\"", policy.name), message)
        .help(format!(
            "{keep}{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, \
             qual, with_check from pg_policies\n      where schemaname = '{}' and tablename = '{}';",
            table.id.schema, table.id.name
        ));
    if sets_paid {
        draft.confidence(if history.ordered { Confidence::Medium } else { Confidence::Low });
    } else {
        draft.severity(Severity::Note).confidence(Confidence::Low).auditor_only();
    }
}

/// Whether a policy picks the rows that are not paid yet, and lets whoever comes say that they are: `using
/// (payment_status = 'pending')` without a check, or with one that names a paid state.
fn lets_pay(policy: &Policy) -> bool {
    let plain =
        |text: &str| text.to_ascii_lowercase().split_whitespace().collect::<String>().replace(['(', ')', '"'], "");
    let using = policy.using.as_deref().map(plain).unwrap_or_default();
    let waits = ["pending", "unpaid", "awaiting_payment", "pending_payment"]
        .iter()
        .any(|state| [format!("payment_status='{state}'"), format!("payment_status='{state}'::text")].contains(&using));
    let pays = policy.check.as_deref().is_some_and(|check| {
        let check = plain(check);
        check.contains("payment_status")
            && ["'paid'", "'completed'", "'succeeded'", "'deposit_paid'"].iter().any(|state| check.contains(state))
    });
    waits && pays
}

/// A condition on one line, cut where it is long.
fn short(condition: &str) -> String {
    let line = condition.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 { line } else { format!("{}…", line.chars().take(59).collect::<String>()) }
}
