//! What the rules about row level security say alike: who gets in, whose row it is, how to look at the live database.

use crate::sql::{Opens, Table};

/// Where the verdict ends, in front of the query that goes further.
pub(super) const CAUTION: &str = "This is what the migrations say; the live database may differ. Ask it:";

/// Who gets in, as the start of a sentence.
pub(super) fn who(to: Opens) -> &'static str {
    match to {
        Opens::SignedIn => "every signed-in user",
        _ => "anyone with the app's public key",
    }
}

/// The condition that a row is the user's own.
pub(super) fn own_rows(table: &Table) -> Option<String> {
    let owner = table.owner()?;
    let kind = table.column(&owner).map_or("", |column| column.kind.as_str());
    let user = match kind {
        "text" | "varchar" | "character" => "(select auth.uid())::text",
        "uuid" | "" => "(select auth.uid())",
        // A number of a table of people of its own: which of them signs in is not known here.
        _ => return None,
    };
    Some(format!("{user} = {}", crate::sql::quoted(&owner)))
}
