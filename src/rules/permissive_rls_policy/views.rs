//! Views that show or change rows past the policies of their table.

use super::super::row_security::{CAUTION, who};
use super::{can, list};
use crate::finding::{Confidence, Severity};
use crate::names::Name;
use crate::program::Program;
use crate::rule::Report;
use crate::sql::{History, Id, Passing, Rights, View};

pub(super) fn look(program: &Program, history: &History, id: Id, view: &View, report: &mut Report) {
    let Some(passing) = history.passing(id, view) else { return };
    let (name, table) = (id.sql(), passing.table.id.sql());
    let secret = [passing.table.credentials(), passing.table.personal()].concat();
    let told: Vec<Name> = passing.columns.iter().filter(|column| secret.contains(column)).copied().collect();
    let writes = passing.rights.without(Rights::SELECT);
    // Whether a new row can be added depends on the columns that the view leaves out.
    let changes = writes.without(Rights::INSERT);
    let writes = if changes.any(Rights::ALL) { changes } else { writes };
    let (severity, what) = match (writes.any(Rights::ALL), passing.rights.any(Rights::SELECT)) {
        (true, _) => (Severity::Error, can(writes).replace("any row of", "the rows of")),
        (false, _) => (Severity::Warning, format!("read {} in the rows of", list(&told))),
    };
    let message = format!(
        "{} can {what} {table} that the view {name} shows: it asks with its owner's rights, past the table's policies",
        who(passing.to)
    );
    let mut draft = report
        .at(view.place, format!("view {name}"), message)
        .severity(severity)
        .confidence(if history.ordered { Confidence::Medium } else { Confidence::Low })
        .help(cure(program, history, id, &passing, &told));
    if let Some(place) = passing.table.head {
        draft = draft.because(place, "the table");
    }
    if let Some(used) = program.row_uses(history, id.name).first() {
        draft = draft.because(used.place, "the view is read here");
    }
    if !history.ordered || passing.table.unsure.is_some() {
        draft.auditor_only();
    }
}

fn cure(program: &Program, history: &History, id: Id, passing: &Passing<'_>, told: &[Name]) -> String {
    let name = id.sql();
    let revoked = passing.rights.without(Rights::SELECT).any(Rights::ALL);
    let revoke = format!("    revoke insert, update, delete on {name} from anon, authenticated;");
    let in_use = !program.row_uses(history, id.name).is_empty();
    let reads = passing.rights.any(Rights::SELECT);
    let for_admins = program.row_uses(history, id.name).iter().all(|used| used.for_admins);
    let (advice, sql) = match (reads, in_use, passing.without(told)) {
        (false, ..) if passing.is_read_anyway || passing.table.are_harmless(&passing.columns) => {
            ("Leave it readable and take the rest away: a view of one table can be written through.".to_owned(), revoke)
        }
        // Pages of whoever comes show it, past what the table's own policies let them read.
        (false, true, _) if !for_admins => (
            format!(
                "Take the writing away: a view of one table can be written through. If not everybody may read these rows, \
                 let it ask with the rights of who reads it, too: `alter view {name} set (security_invoker = on)`."
            ),
            revoke,
        ),
        // Administrators read it, and their own rights let them: nobody else needs any of it.
        (true, true, _) if for_admins => {
            let kept = passing.kept_from_admins();
            let tables: Vec<Name> = kept.iter().map(|id| Name::new(&id.sql())).collect();
            let first = match &tables[..] {
                [] => {
                    "Let it ask with the rights of who reads it: the tables' own policies let administrators through."
                        .to_owned()
                }
                tables => format!(
                    "First add a policy by which administrators read all of {}, or the pages of administrators find \
                     nothing there. Then let the view ask with the rights of who reads it.",
                    list(tables)
                ),
            };
            (
                format!("{first} That takes Postgres 15 or later: `show server_version`."),
                format!(
                    "    alter view {name} set (security_invoker = on);\n    revoke all on {name} from anon;{}",
                    if revoked {
                        format!("\n    revoke insert, update, delete on {name} from authenticated;")
                    } else {
                        String::new()
                    }
                ),
            )
        }
        // Pages read it: with the reader's own rights they would find their own rows only.
        (true, true, Some(query)) => {
            let to = if passing.to == crate::sql::Opens::SignedIn { "authenticated" } else { "anon, authenticated" };
            (
                format!("Leave {} out of it; where somebody may see that, they read the table.", list(told)),
                format!(
                    "    drop view {name};\n    create view {name} as\n      {query};\n    revoke all on {name} from anon, authenticated;\n    \
                     grant select on {name} to {to};"
                ),
            )
        }
        // Nobody but the platform may ask a table of its own.
        (true, false, _) if passing.table.id.schema != "public" => (
            "Take it away from browsers; code on the server passes with its own key.".to_owned(),
            format!("    revoke all on {name} from anon, authenticated;"),
        ),
        _ => (
            "Let it ask with the rights of who reads it.".to_owned(),
            format!(
                "    alter view {name} set (security_invoker = on);{}",
                if revoked { format!("\n{revoke}") } else { String::new() }
            ),
        ),
    };
    format!(
        "{advice}\n\n{sql}\n\n{CAUTION}\n\n    select reloptions, relacl from pg_class where oid = '{name}'::regclass;"
    )
}
