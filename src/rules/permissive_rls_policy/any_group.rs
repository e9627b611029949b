//! Policies that ask for a membership and not for one in the row's own group.

use super::super::row_security::CAUTION;
use super::can;
use super::cures::statements::quoted_always;
use crate::finding::{Confidence, Severity};
use crate::rule::Report;
use crate::sql::{Command, History, Policy, Rights, Table};

/// Tells of a policy that lets members of any group at the rows of all; whether it was one.
pub(super) fn look(history: &History, table: &Table, policy: &Policy, report: &mut Report) -> bool {
    let Some(any) = history.any_group(table, policy) else { return false };
    if table.narrows(any.commands) || policy.unsure.is_some() {
        return false;
    }
    let changes = any.commands.any(Rights::UPDATE.with(Rights::DELETE));
    // Reading what all share may be meant; where the row's own group was asked for it is not.
    if !changes && !any.meant {
        return false;
    }
    let (name, table_name, column) = (quoted_always(&policy.name), table.id.sql(), any.column);
    let why = match any.meant {
        true => format!(
            "`{column}` is compared with itself there, since inside the query it is that of {}",
            any.members.name
        ),
        false => format!("its policy asks who is in {}, and not for the row's {column}", any.members.name),
    };
    let form = match policy.command {
        Command::Insert => format!("with check ({})", any.asks),
        Command::Select | Command::Delete => format!("using ({})", any.asks),
        _ => format!("using ({0})\n      with check ({0})", any.asks),
    };
    let message = format!(
        "whoever is listed in {} for any {column} can {} {table_name}: {why}",
        any.members.sql(),
        can(any.commands)
    );
    let draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{table_name} \"{}\"", policy.name), message)
        .severity(if changes { Severity::Error } else { Severity::Warning })
        .confidence(Confidence::Medium)
        .help(format!(
            "Say whose {column} it is, the row's.\n\n    alter policy {name} on {table_name}\n      {form};\n\n{CAUTION}\n\n    \
             select policyname, cmd, roles, qual, with_check from pg_policies\n      where schemaname = '{}' and tablename = '{}';",
            table.id.schema, table.id.name
        ));
    // Who only adds rows reads and changes none.
    if policy.command == Command::Insert {
        draft.confidence(Confidence::Low).auditor_only();
    }
    true
}
