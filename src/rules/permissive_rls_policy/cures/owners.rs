//! Cures for rows that have an owner.

use super::ownerless::{by_token, shared};
use super::statements::quoted_always;
use super::{Case, Told, are_admins};
use crate::finding::Place;
use crate::program::data::row_uses::RowUse;
use crate::program::verify::words;
use crate::sql::{Opens, Policy, Rights, quoted};

/// Rows that have an owner.
pub(super) fn owned(case: &Case<'_>, own: &str, covered: &[&RowUse], others: &[&RowUse]) -> Told {
    let plain = || ("Let users at their own rows only.".to_owned(), case.alter(own), None);
    let reads = case.opening.commands == Rights::SELECT;
    if case.opening.commands == Rights::INSERT && case.opening.to == Opens::Everyone {
        return visitors(case, own, covered);
    }
    if let Some(told) = bought(case, own, covered) {
        return told;
    }
    let strangers = reads && for_strangers(case.policy) && case.table.credentials().is_empty();
    let Some(used) = others.first() else {
        return match case.public_view().filter(|_| strangers) {
            Some(view) => shown(case, own, &view, None),
            None => plain(),
        };
    };
    let needs =
        Some((used.place, if reads { "rows of others are read here" } else { "rows of others are reached here" }));
    if let Some(told) = by_token(case, others) {
        return told;
    }
    if are_admins(others)
        && let Some(question) = case.question(&["admin".to_owned()])
    {
        let advice = "Let users at their own rows, and administrators at what their pages show them.";
        return (advice.to_owned(), case.alter(&format!("{own} or {question}")), needs);
    }
    if case.opening.to == Opens::SignedIn
        && let Some((made, asks)) = case.group()
    {
        let advice = "Let users at the rows of their own organization, which the app's pages show them.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs);
    }
    if !reads {
        // Who made a row need not be the only one who works with it.
        return match (
            case.history.owner_of(case.table).is_some_and(|owner| owner.starts_with("created_by")),
            case.opening.to,
        ) {
            (true, Opens::SignedIn) => shared(case, others),
            _ => plain(),
        };
    }
    match case.public_view() {
        Some(view) => shown(case, own, &view, needs),
        None => plain(),
    }
}

/// The public columns for others, the rows for their owners.
pub(super) fn shown(case: &Case<'_>, own: &str, view: &str, needs: Option<(Place, &'static str)>) -> Told {
    let whole = case.question(&["admin".to_owned()]).map_or(own.to_owned(), |question| format!("{own} or {question}"));
    let advice = "Show other people the public columns only: a view holds them, pages that show others read that, and \
                  the rows themselves are left to their owners.";
    (advice.to_owned(), format!("{view}\n{}", case.alter(&whole)), needs)
}

/// Rows that visitors add, who are nobody, and users, who must not add any in another's name.
fn visitors(case: &Case<'_>, own: &str, covered: &[&RowUse]) -> Told {
    let Some(owner) = case.history.owner_of(case.table) else { return (String::new(), case.alter(own), None) };
    if let Some(used) = covered.iter().find(|used| used.names_other.contains(&owner)) {
        let advice = format!(
            "A new row names whom it is for, whoever adds it: let a function on the server add it after it has looked {owner} \
             up, have the pages call that, and then take the policy out."
        );
        return (advice, case.drop(), Some((used.place, "pages add a row for somebody here")));
    }
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let advice = format!("Let a new row name nobody but the one who adds it; a visitor's has no {owner}.");
    (
        advice,
        format!("    alter policy {name} on {table}\n      with check ({} is null or {own});", quoted(&owner)),
        None,
    )
}

/// Rows that say what somebody paid for or may do: who owns one must not write it.
fn bought(case: &Case<'_>, own: &str, covered: &[&RowUse]) -> Option<Told> {
    const BOUGHT: &[&str] = &[
        "subscribed",
        "subscription",
        "plan",
        "tier",
        "credits",
        "balance",
        "role",
        "roles",
        "entitlement",
        "entitlements",
        "premium",
        "paid",
        "lifetime",
        "payment",
        "payments",
    ];
    let writes = case.opening.commands.without(Rights::SELECT);
    let says = |name: &str| words(name).iter().any(|word| BOUGHT.contains(&word.as_str()));
    let named = says(&case.table.id.name) || case.table.id.name.starts_with("subscri");
    let writer = covered.iter().find(|used| writes.any(used.right));
    // Columns alone say little of a table that pages write: a firm has a plan, and whoever founds it adds it.
    let columns = || writer.is_none() && case.table.columns.iter().any(|column| says(&column.name));
    if !writes.any(Rights::ALL) || !named && !columns() {
        return None;
    }
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let mut sql = format!("    drop policy {name} on {table};");
    if case.opening.commands.any(Rights::SELECT) && !case.asked_elsewhere(Rights::SELECT) {
        sql.push_str(&format!(
            "\n    create policy \"Read own rows\" on {table} for select to authenticated\n      using ({own});"
        ));
    }
    let mut advice =
        "These rows say what somebody paid for or may do: let the server alone write them, with its own key."
            .to_owned();
    if writer.is_some() {
        advice.push_str(" What pages write (see below) goes through a function on the server first.");
    }
    Some((advice, sql, writer.map(|used| (used.place, "pages write here"))))
}

/// Whether a policy is meant for people who are not signed in.
pub(super) fn for_strangers(policy: &Policy) -> bool {
    let named = ["public", "publicly", "anyone", "visitor", "visitors", "guest", "guests", "showcase", "anonymous"];
    policy.roles.iter().any(|role| role.as_str() == "anon")
        || words(&policy.name).iter().any(|word| named.contains(&word.as_str()))
}
