//! What the rules about row level security say alike: who gets in, whose row it is, how to look at the live database.

use crate::program::verify::words;
use crate::sql::{History, Opens, Table, quoted};

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
pub(super) fn own_rows(history: &History, table: &Table) -> Option<String> {
    const PEOPLE: &[&str] = &["profiles", "users", "user_profiles", "profile", "user"];
    let owner = history.owner_of(table)?;
    let user = match table.column(&owner).map_or("", |column| column.kind.as_str()) {
        // `created_by text` may as well hold a name or an address.
        "text" | "varchar" | "character" if !words(&owner).iter().any(|word| word == "id" || word == "uid") => {
            return None;
        }
        "text" | "varchar" | "character" => "(select auth.uid())::text",
        "uuid" | "" => "(select auth.uid())",
        // A number of a table of people of its own: which of them signs in is not known here.
        _ => return None,
    };
    let own = format!("{user} = {}", quoted(&owner));
    let Some(of) = history.refers_to(table, owner).filter(|of| of.schema != "auth") else { return Some(own) };
    let Some(people) = history.table(of) else { return PEOPLE.contains(&of.name.as_str()).then_some(own) };
    // A list of people of its own: its row says who of those who sign in it is.
    let person = history.person_of(people);
    match person {
        Some(person) if person == "id" => Some(own),
        Some(person) => Some(format!(
            "{} in (select id from {} where {} = (select auth.uid()))",
            quoted(&owner),
            of.sql(),
            quoted(&person)
        )),
        None => (PEOPLE.contains(&of.name.as_str())).then_some(own),
    }
}
