//! Cures for policies whose name says whom they mean: the server, a few people, or nobody.

use super::{Case, Told};
use crate::program::data::row_uses::RowUse;
use crate::program::verify::words;
use crate::sql::{Command, Opens, Rights};

use super::super::FEW;
use super::ownerless::ownerless;
use super::statements::{list_of_people, quoted_always};

/// Words in a policy's name that mean to keep somebody out.
const LOCKS: &[&str] = &[
    "block",
    "blocks",
    "blocked",
    "deny",
    "denies",
    "denied",
    "prevent",
    "prevents",
    "require",
    "requires",
    "required",
    "forbid",
    "forbids",
    "restrict",
    "restricts",
    "reject",
    "rejects",
];

/// For code of the server by its name.
pub(super) fn server(case: &Case<'_>, covered: &[&RowUse], own: Option<&str>) -> Told {
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let for_server = format!("{}    alter policy {name} on {table} to service_role;", case.raised_triggers());
    let mut advice = "Say that it is for the server; code on the server must use the service role's key, which passes \
                      without any policy."
        .to_owned();
    if !case.raised_triggers().is_empty() {
        advice
            .push_str(" Triggers that write here run with the rights of whoever caused them: give them their owner's.");
    }
    let kept = covered.iter().copied().filter(|used| !case.asked_elsewhere(used.right));
    let (admins, people): (Vec<&RowUse>, Vec<&RowUse>) = kept.partition(|used| used.for_admins);
    let Some(used) = people.first().or(admins.first()) else { return (advice, for_server, None) };
    let needs = Some((used.place, "done here with the user's own rights"));
    let question = case.question(&["admin".to_owned()]);
    let owner = case.history.owner_of(case.table);
    let adds_own =
        |used: &&RowUse| used.right == Rights::INSERT && owner.is_some_and(|owner| used.names_own.contains(&owner));
    if let Some(own) = own.filter(|_| !people.is_empty() && people.iter().all(adds_own)) {
        advice.push_str(" The app's pages add rows too: let users add their own");
        advice.push_str(match (admins.first(), &question) {
            (Some(_), Some(_)) => ", and administrators do what their pages do.",
            (Some(_), None) => "; what administrators' pages do goes through a function on the server first.",
            (None, _) => ".",
        });
        let first = question.filter(|_| !admins.is_empty()).map_or(for_server, |question| case.alter(&question));
        let sql = format!(
            "{first}\n    create policy \"Add own rows\" on {table} for insert to authenticated\n      with check ({own});"
        );
        return (advice, sql, needs);
    }
    if let Some((made, asks)) = case.group() {
        let advice =
            "The server's key passes without any policy; pages that do it too need one that asks whose rows they are.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs);
    }
    // Whoever does it on other pages holds no role that could be asked for.
    if let Some(question) = question.filter(|_| people.is_empty()) {
        let advice = "The server's key passes without any policy; administrators' pages that do it too need one that \
                      asks for their role.";
        return (advice.to_owned(), case.alter(&question), needs);
    }
    advice.push_str(
        " Other code does it with its users' rights (see below): move that into a function on the server first.",
    );
    (advice, for_server, needs)
}

/// For a few people by its name.
pub(super) fn few(case: &Case<'_>, own: Option<&str>, covered: &[&RowUse], others: &[&RowUse]) -> Told {
    let meant = words(&case.policy.name);
    let owners = meant.iter().any(|word| word == "owner" || word == "owners");
    if let Some(own) = own.filter(|_| owners) {
        return ("Ask for the row's owner, whom the name means.".to_owned(), case.alter(own), None);
    }
    if let Some(question) = case.question(&meant) {
        return ("Ask for those whom the name means.".to_owned(), case.alter(&question), None);
    }
    if let Some(insiders) = case.insiders() {
        let advice = "Ask for those whom the name means: by their role, as the other policies do.";
        return (advice.to_owned(), case.alter(&insiders), None);
    }
    // An owner of something that the row does not name.
    if meant.iter().all(|word| !FEW.contains(&word.as_str()) || word.starts_with("owner")) {
        return ownerless(case, covered, others);
    }
    let (made, asks) = list_of_people(case.history, "admins", false);
    let advice = "Ask for those whom the name means: a table that only the server writes to holds their ids.";
    (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), None)
}

/// Meant as a lock, and a leave for everyone who signs up: policies add up, unless one is restrictive. The others must
/// let in whoever the app lets in.
pub(super) fn lock(case: &Case<'_>, covered: &[&RowUse]) -> Option<Told> {
    let named = words(&case.policy.name).iter().any(|word| LOCKS.contains(&word.as_str()));
    if !named || case.opening.to != Opens::SignedIn {
        return None;
    }
    let rights = [Rights::SELECT, Rights::INSERT, Rights::UPDATE, Rights::DELETE];
    let mut others = rights.into_iter().filter(|&right| case.opening.commands.any(right));
    let stays = |right: Rights| case.other_policies(right).next().is_some();
    if !others.clone().any(stays) || !covered.iter().all(|used| stays(used.right)) {
        return None;
    }
    let is_open = |right: Rights| {
        let openings = case.other_policies(right).filter_map(|policy| policy.opening(case.table));
        openings.into_iter().any(|opening| opening.to == Opens::Everyone && opening.commands.any(right))
    };
    // What another one leaves open to visitors on purpose would close.
    if !case.opening.asks_session || others.any(is_open) {
        let advice = "It locks nothing: policies add up, and this one lets in whoever signs up. Take it out; what the \
                      others let through is all that passes then.";
        return Some((advice.to_owned(), case.drop(), None));
    }
    let command = match case.policy.command {
        Command::All => "all",
        Command::Select => "select",
        Command::Insert => "insert",
        Command::Update => "update",
        Command::Delete => "delete",
    };
    let session = "(select auth.uid()) is not null";
    let asks = if case.policy.command == Command::Insert { "with check" } else { "using" };
    let sql = format!(
        "{}\n    create policy {} on {} as restrictive for {command}\n      {asks} ({session});",
        case.drop(),
        quoted_always(&case.policy.name),
        case.table.id.sql()
    );
    let advice = "Meant as a lock, it lets in whoever signs up, for policies add up. A restrictive one only takes away: \
                  the others then say who gets in.";
    Some((advice.to_owned(), sql, None))
}
