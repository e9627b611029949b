//! A table that browsers reach, and no row level security on it.

use super::row_security::{CAUTION, own_rows, who};
use crate::finding::Confidence;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;
use crate::sql::{History, Opens, Rights, RowSecurity, Table};

rule! {
    /// A table is open to everyone who has the app's public key
    ///
    /// The platform serves every table of an exposed schema to browsers, and the key that asks for it is in the page.
    /// Row level security is what stands between that key and the rows: without it anyone reads, changes and deletes
    /// all of them, by hand, without ever opening the app.
    ///
    /// All migrations are replayed in order; what counts is the state in the end. Migrations are not the live
    /// database: a switch thrown in the dashboard is not seen here, and is missing wherever the project is set up anew.
    ///
    /// ## Silent when
    ///
    /// - a later migration switches it on, also in a loop or by an event trigger
    /// - the table lies in a schema that is not exposed, is temporary, or is dropped or renamed away in the end
    /// - the public roles hold no rights on it
    /// - no migration makes the table (it was made by hand), and none switches it off; or a statement about it is not
    ///   understood
    /// - only a script beside the migrations makes the table, and no code uses it
    /// - the migrations are for a database that no browser reaches, or a copy of those that count, in the same app
    /// - a script outside of migrations says by its folder, its name or its first lines that it is for a sandbox, a demo
    ///   or a local database, or a snapshot of a running one: policies are not in it
    ///
    /// ## The cure
    ///
    /// Switch row level security on, and write a policy for whom each row is meant. Without any policy only the
    /// server's own key reaches the rows.
    ///
    /// ## Example
    ///
    /// ```sql path=supabase/migrations/20260102090000_orders.sql
    /// create table public.orders (
    ///   id uuid primary key default gen_random_uuid(),
    ///   user_id uuid not null references auth.users (id),
    ///   total_cents integer not null
    /// );
    /// ```
    ///
    /// ## Repair
    ///
    /// ```sql path=supabase/migrations/20260102090000_orders.sql
    /// create table public.orders (
    ///   id uuid primary key default gen_random_uuid(),
    ///   user_id uuid not null references auth.users (id),
    ///   total_cents integer not null
    /// );
    ///
    /// alter table public.orders enable row level security;
    ///
    /// create policy "Buyers see their orders" on public.orders for select to authenticated
    ///   using ((select auth.uid()) = user_id);
    /// ```
    id: "table-without-rls", severity: Error, confidence: High, section: "Data access of backend-as-a-service vendors",
    security: Some(9.0), since: "0.1.0", check: check
}

/// Tables that extensions make in `public`, and that nobody can close.
const OF_EXTENSIONS: &[&str] = &["spatial_ref_sys"];

fn check(program: &Program, report: &mut Report) {
    for history in &program.database().histories {
        for table in history.tables.iter().filter(|table| history.reaches(table)) {
            look(program, history, table, report);
        }
    }
}

fn look(program: &Program, history: &History, table: &Table, report: &mut Report) {
    let head = match (table.head, table.security) {
        (_, RowSecurity::On(_)) => return,
        (Some(head), _) => head,
        // Made by hand: it is there, since a migration says this of it.
        (None, RowSecurity::Off(place)) if !OF_EXTENSIONS.contains(&table.id.name.as_str()) => place,
        _ => return,
    };
    let by_hand = table.made.is_none();
    if by_hand && table.security == RowSecurity::Never && !program.uses_rows(history, table.id.name) {
        return;
    }
    let rights =
        [(Rights::SELECT, "read"), (Rights::INSERT, "add to"), (Rights::UPDATE, "change"), (Rights::DELETE, "delete")];
    let to = rights.iter().map(|(right, _)| table.holders(*right)).max().unwrap_or(Opens::Some);
    if to == Opens::Some {
        return;
    }
    let can: Vec<&str> =
        rights.iter().filter(|(right, _)| table.holders(*right) == to).map(|(_, word)| *word).collect();
    let can = match &can[..] {
        [_, _, _, _] => "read, change and delete every row of".to_owned(),
        some => format!("{} the rows of", some.join(", ")),
    };
    let (name, who) = (table.id.sql(), who(to));
    let state = match table.security {
        RowSecurity::Off(_) => "row level security is switched off in the end",
        _ => "no migration switches row level security on",
    };
    let message = format!("{who} can {can} {name}: {state}");
    let draft = report.at(head, name, message);
    let mut draft = match table.unsure {
        Some(place) => draft
            .confidence(Confidence::Low)
            .auditor_only()
            .because(place, "a statement that is not understood: it may switch it on"),
        // Policies without a statement that switches it on: often it was, by hand.
        None if by_hand => draft.confidence(Confidence::Medium),
        None if history.ordered && (table.policies.is_empty() || table.security != RowSecurity::Never) => draft,
        None => draft.confidence(Confidence::Medium),
    };
    if let RowSecurity::Off(place) = table.security
        && place != head
    {
        draft = draft.because(place, "switched off here");
    }
    for policy in table.policies.iter().take(3) {
        draft = draft.because(policy.place, "a policy that does nothing while it is off");
    }
    draft.help(cure(history, table));
}

fn cure(history: &History, table: &Table) -> String {
    let name = table.id.sql();
    let mut sql = format!("    alter table {name} enable row level security;\n");
    let policies = match (table.policies.is_empty(), own_rows(history, table)) {
        (false, _) => "its policies hold from then on",
        (true, Some(own)) => {
            sql.push_str(&format!(
                "    create policy \"Own rows\" on {name} for all to authenticated\n      using ({own}) with check ({own});\n"
            ));
            "this policy gives each user the rows that are theirs"
        }
        (true, None) => "without a policy only the server's own key reaches the rows; add one for each use by browsers",
    };
    format!(
        "Switch row level security on in a new migration; {policies}.\n\n{sql}\n{CAUTION}\n\n    select relrowsecurity from \
         pg_class where oid = '{name}'::regclass;"
    )
}
