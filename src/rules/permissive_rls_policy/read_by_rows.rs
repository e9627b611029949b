//! Policies that show what opens doors, or whom rows are about, to whoever asks: their condition keeps rows out, and nobody.

use super::super::row_security::{CAUTION, own_rows, who};
use super::cures::statements::quoted_always;
use super::list;
use crate::finding::{Confidence, Severity};
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{Asks, History, Opens, Policy, Rights, Table, quoted};

/// Tells of a policy that shows such columns by what is in the row alone; whether it was one.
pub(super) fn look(program: &Program, history: &History, table: &Table, policy: &Policy, report: &mut Report) -> bool {
    if table.id.schema != "public" || policy.unsure.is_some() || table.narrows(Rights::SELECT) {
        return false;
    }
    let Some((opening, there)) = policy.reading_by_rows(table) else { return false };
    let (credentials, personal) = (table.credentials(), table.personal());
    // What a row says of itself may be what makes it public, of a person's address as well.
    let told = match (credentials.is_empty(), there) {
        (false, _) => credentials,
        (true, true) if !personal.is_empty() => personal,
        _ => return false,
    };
    let (name, id) = (quoted_always(&policy.name), table.id.sql());
    let condition = policy.using.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let message = format!(
        "{} can read {} of rows of {id}: its policy asks what is in the row (`{condition}`), and not who asks",
        who(opening.to),
        list(&told)
    );
    let key = table.constraints.iter().find(|constraint| constraint.asks == Asks::Primary).map(|key| &key.columns);
    let key = key.and_then(|columns| columns.first().filter(|_| columns.len() == 1)).and_then(|key| table.column(key));
    let own = own_rows(history, table).filter(|_| !program.signs_in_elsewhere(history));
    let (advice, sql) = match (key, own) {
        (Some(key), own) if !there => {
            let apart = format!("public.{}", quoted(&format!("{}_private", table.id.name)));
            let (key_name, kind) = (quoted(&key.name), &key.kind);
            let columns: Vec<String> = told.iter().map(|name| quoted(name)).collect();
            let typed: Vec<String> = told
                .iter()
                .map(|name| format!("{} {}", quoted(name), table.column(name).map_or("text", |column| &column.kind)))
                .collect();
            let policy = match own {
                Some(own) => format!(
                    "    create policy own on {apart} for select to authenticated\n      using ({key_name} in (select {key_name} from {id} \
                     where {own}));\n"
                ),
                None => String::new(),
            };
            let columns = columns.join(", ");
            (
                format!(
                    "Keep {} in a table of its own that not everybody reads: a policy lets through whole rows. Change the code that \
                     reads or writes it, then take it out of here.",
                    list(&told)
                ),
                format!(
                    "    create table {apart} ({key_name} {kind} primary key references {id} on delete cascade, {});\n    \
                     alter table {apart} enable row level security;\n{policy}    insert into {apart} select {key_name}, {columns} \
                     from {id};",
                    typed.join(", ")
                ),
            )
        }
        (_, Some(own)) => {
            ("Ask for the row's owner.".to_owned(), format!("    alter policy {name} on {id} to authenticated\n      using ({own});"))
        }
        _ => (
            "Let a function on the server give a caller the rows that are his, by a link or code that only he has; then take \
             the policy out."
                .to_owned(),
            format!("    drop policy {name} on {id};"),
        ),
    };
    let sure = opening.to == Opens::Everyone && !there;
    let draft = report
        .at(policy.altered.unwrap_or(policy.place), format!("{id} \"{}\"", policy.name), message)
        .severity(Severity::Warning)
        .confidence(match (history.ordered, sure) {
            (true, true) => Confidence::High,
            (true, false) => Confidence::Medium,
            (false, _) => Confidence::Low,
        });
    draft.help(format!(
        "{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, qual, with_check from pg_policies\n      where schemaname = \
         '{}' and tablename = '{}';",
        table.id.schema, table.id.name
    ));
    true
}
