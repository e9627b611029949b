//! Policies by which people give themselves a role.

use super::super::row_security::CAUTION;
use super::cures::statements::{function, quoted_always};
use crate::finding::{Confidence, Severity};
use crate::names::Name;
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{Asks, Command, History, Id, Policy, Rights, Table, quoted};

/// Tells of a policy by which people give themselves a role; whether it was one.
pub(super) fn look(program: &Program, history: &History, table: &Table, policy: &Policy, report: &mut Report) -> bool {
    let Some(taken) = history.taken_role(table, policy) else { return false };
    let (name, id, column) = (quoted_always(&policy.name), table.id.sql(), quoted(&taken.column));
    let owner = quoted(&taken.owner);
    let does = match (taken.commands.any(Rights::INSERT), taken.commands.any(Rights::UPDATE)) {
        (true, true) => "add and change rows of their own in",
        (true, false) => "add rows of their own to",
        _ => "change their own row of",
    };
    let message = format!(
        "whoever signs in can take any {column}: users can {does} {id}, and the policy asks whose row it is, not which \
         {column} stands in it"
    );
    let adds = program.row_uses(history, table.id.name).into_iter().find(|used| used.right == Rights::INSERT);
    let (advice, sql) = if taken.of_roles {
        let narrow = match policy.command {
            Command::Insert => format!("    drop policy {name} on {id};"),
            _ => format!("    drop policy {name} on {id};  -- one for select may stay"),
        };
        let advice = match adds {
            Some(_) => {
                "Have a trigger on auth.users, or a function on the server, write the role at sign-up, and only administrators \
                 change it; the page that adds it now must ask that function first. Then take the policy out."
            }
            None => {
                "Let only the server and administrators give roles: a trigger on auth.users writes the first one at sign-up. \
                 Take the policy out."
            }
        };
        (advice, narrow)
    } else {
        // The row itself as it stands: somebody may have several.
        let key = table
            .constraints
            .iter()
            .find(|constraint| constraint.asks == Asks::Primary && constraint.columns.len() == 1);
        let key = key.map_or(taken.owner, |key| key.columns[0]);
        let asks =
            Id { schema: table.id.schema, name: Name::new(&format!("keeps_{}_of_{}", taken.column, table.id.name)) };
        let kind = table.column(&key).map_or("uuid", |column| column.kind.as_str());
        let new = match (policy.command, first_role(table, &taken.column)) {
            (Command::Update, _) => "false".to_owned(),
            (_, Some(first)) => format!("wanted is not distinct from {first}"),
            (_, None) => "wanted is null".to_owned(),
        };
        let key = quoted(&key);
        // A policy that reads its own table does so under its policies, which may end in a circle: a function does not.
        let stays = function(
            &format!("{}(row_key {kind}, wanted text)", asks.sql()),
            "boolean",
            &format!(
                "select coalesce((select p.{column}::text is not distinct from wanted from {id} p where p.{key} = row_key), {new})"
            ),
        );
        (
            "Let users change their row, but not the role in it; administrators keep a policy of their own for that.",
            format!(
                "{stays}\n    alter policy {name} on {id}\n      with check ((select auth.uid()) = {owner}\n        and \
                 {}({key}, {column}::text));",
                asks.sql()
            ),
        )
    };
    let mut draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{id} \"{}\"", policy.name), message)
        .severity(Severity::Error)
        .confidence(if taken.of_roles { Confidence::High } else { Confidence::Medium })
        .help(format!(
            "{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, qual, with_check from pg_policies\n      where \
             schemaname = '{}' and tablename = '{}';",
            table.id.schema, table.id.name
        ));
    if let Some(used) = adds.filter(|_| taken.of_roles) {
        draft = draft.because(used.place, "the app adds one here");
    }
    if !history.ordered {
        draft.confidence(Confidence::Low);
    }
    true
}

/// The role that a new row has when none is given, as it is written in SQL.
fn first_role<'t>(table: &'t Table, column: &Name) -> Option<&'t str> {
    let given = table.column(column)?.default.as_deref()?;
    let text = given.split("::").next()?.trim();
    (text.len() > 2 && text.starts_with('\'') && text.ends_with('\'')).then_some(text)
}
