//! Cures for rows that nobody owns.

use super::super::super::row_security::own_rows;
use super::super::promised;
use super::owners::{for_strangers, shown};
use super::statements::{function, list_of_people, quoted_always};
use super::{Case, Told, are_admins};
use crate::names::Name;
use crate::program::data::row_uses::RowUse;
use crate::program::verify::words;
use crate::sql::{Id, Opens, Rights, quoted};

/// Rows that have none.
pub(super) fn ownerless(case: &Case<'_>, covered: &[&RowUse], others: &[&RowUse]) -> Told {
    let drop = case.drop();
    if let Some(told) = by_address(case, others) {
        return told;
    }
    let writes = case.opening.commands.without(Rights::SELECT).any(Rights::ALL);
    if let Some(told) = unpaid(case, covered) {
        return told;
    }
    if !writes && case.table.columns.is_empty() {
        return (
            "Let a function on the server answer what the pages ask of these rows, and then take the policy out."
                .to_owned(),
            drop,
            others.first().map(|used| (used.place, "what the pages ask here must move first")),
        );
    }
    if !writes {
        if let Some(told) = by_token(case, others) {
            return told;
        }
        if is_intake(case) {
            return for_staff(case, others);
        }
        if let Some(told) = keys_apart(case) {
            return told;
        }
        let hidden: Vec<Name> = case.hidden();
        let Some(used) = others.iter().find(|used| used.reads(&hidden)) else {
            return (
                "Grant the columns that are public, and no others (`select *` from browsers must then name them)."
                    .to_owned(),
                case.public_columns(),
                None,
            );
        };
        let by_role = are_admins(others) && case.question(&["admin".to_owned()]).is_some();
        if case.opening.to == Opens::SignedIn || by_role {
            return shared(case, others);
        }
        let rest = match case.question(&["admin".to_owned()]) {
            Some(question) => case.alter(&question),
            None => drop,
        };
        return match case.public_view() {
            Some(view) => (
                "Show strangers the public columns only: a view holds them, and pages for strangers read that."
                    .to_owned(),
                format!("{view}\n{rest}"),
                Some((used.place, "pages read the whole rows here")),
            ),
            None => (
                "Grant the columns that are public, and no others (`select *` from browsers must then name them)."
                    .to_owned(),
                case.public_columns(),
                None,
            ),
        };
    }
    if case.opening.to == Opens::SignedIn && !covered.is_empty() {
        return shared(case, covered);
    }
    let advice = match (covered.first(), case.opening.commands.any(Rights::SELECT)) {
        (Some(_), _) => {
            "Let a function on the server write after it has checked who asks and what, have the pages call that, and \
             then take the policy out."
        }
        (None, true) => {
            "Take the policy out, let a function on the server write after it has checked who asks and what, and add a \
             policy `for select` if browsers show these rows."
        }
        (None, false) => {
            "Take the policy out, and let a function on the server write after it has checked who asks and what."
        }
    };
    (advice.to_owned(), drop, covered.first().map(|used| (used.place, "what the pages do here must move first")))
}

/// Rows of settings, some of which hold keys to other services: these move where no page reads.
fn keys_apart(case: &Case<'_>) -> Option<Told> {
    let inside = case.program.columns_with_credentials(case.history, case.table);
    let column = inside.first()?.0;
    if case.public_view().is_some() {
        return None;
    }
    let id = case.table.id;
    let (table, apart) = (id.sql(), Id { name: Name::new(&format!("{}_private", id.name)), ..id }.sql());
    let keys: Vec<String> =
        inside.iter().filter(|(other, _)| *other == column).map(|(_, key)| format!("'{key}'")).collect();
    let is_text = case.table.column(&column).is_some_and(|column| column.kind == "json");
    let holds = format!("{}{} ?| array[{}]", quoted(&column), if is_text { "::jsonb" } else { "" }, keys.join(", "));
    let advice = "Move the rows with keys into a table that no policy opens, or into the functions' secrets, and have the                   functions read them there. Then change the keys at the vendor: whoever read them has them.";
    let sql = format!(
        "    create table {apart} (like {table} including all);\n    alter table {apart} enable row level security;\n    \
         insert into {apart} select * from {table} where {holds};\n    \
         delete from {table} where {holds};"
    );
    Some((advice.to_owned(), sql, None))
}

/// Rows that pages add before anything is paid.
fn unpaid(case: &Case<'_>, covered: &[&RowUse]) -> Option<Told> {
    let added = covered.first().filter(|_| case.opening.commands == Rights::INSERT)?;
    let (_, condition) = case.table.paid()?;
    let advice = "Let a new row say only that nothing is paid yet; that it is, the verified webhook writes with the server's key. \
                  A page that adds rows which are paid already is refused then: that goes through a function on the server, too.";
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let sql = format!("    alter policy {name} on {table}\n      with check ({});", condition?);
    Some((advice.to_owned(), sql, Some((added.place, "a page adds one here"))))
}

/// Whether visitors fill a table that those who work for the app read: the rows themselves are nobody else's business.
fn is_intake(case: &Case<'_>) -> bool {
    const INTAKE: &[&str] = &[
        "lead",
        "leads",
        "submission",
        "submissions",
        "application",
        "applications",
        "inquiry",
        "inquiries",
        "enquiry",
        "enquiries",
        "contact",
        "contacts",
        "signups",
        "subscribers",
        "waitlist",
        "applicants",
        "callbacks",
    ];
    let named = words(&case.table.id.name).iter().any(|word| INTAKE.contains(&word.as_str()));
    let for_all = case.other_policies(Rights::INSERT).filter(|policy| promised(&policy.name).is_none());
    let filled = for_all.filter_map(|policy| policy.opening(case.table));
    let mut open = filled.filter(|opening| opening.to == Opens::Everyone && opening.commands.any(Rights::INSERT));
    !case.table.personal().is_empty() && !for_strangers(case.policy) && (named || open.next().is_some())
}

/// Rows for those who work for the app.
fn for_staff(case: &Case<'_>, others: &[&RowUse]) -> Told {
    // Pages of everybody in the firm work with them.
    if !others.is_empty() && !are_admins(others) && case.opening.to == Opens::SignedIn {
        return shared(case, others);
    }
    let needs = others.first().map(|used| (used.place, "read here"));
    let advice = "What people send in is for those who work for the app: a view or a grant of fewer columns still shows who \
                  wrote. Ask for a role";
    if let Some(asks) = case.insiders() {
        return (format!("{advice}, as the other policies do."), case.alter(&asks), needs);
    }
    let (made, asks) = list_of_people(case.history, "admins", false);
    (
        format!("{advice}: a table that only the server writes to holds their ids."),
        format!("{made}\n{}", case.alter(&asks)),
        needs,
    )
}

/// Rows that people of one firm share: whoever signs up must not be one of them.
pub(super) fn shared(case: &Case<'_>, uses: &[&RowUse]) -> Told {
    let needs = uses.first().map(|used| (used.place, "the app needs these rows here"));
    if let Some((made, asks)) = case.group() {
        let advice = "Let users at the rows of their own organization.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs);
    }
    if are_admins(uses)
        && let Some(question) = case.question(&["admin".to_owned()])
    {
        let advice = "Only administrators' pages need these rows: ask for their role, as the other policies do.";
        return (advice.to_owned(), case.alter(&question), needs);
    }
    // People read their own row from the day they sign up.
    let people = matches!(case.table.id.name.as_str(), "users" | "profiles" | "user_profiles" | "accounts");
    if people
        && case.opening.commands == Rights::SELECT
        && case.table.column("id").is_some_and(|id| id.kind == "uuid")
        && let Some(view) = case.public_view()
    {
        return shown(case, "(select auth.uid()) = id", &view, needs);
    }
    if let Some((roles, person)) = case.history.roles() {
        let body = format!("select exists (select from {} where {} = auth.uid())", roles.sql(), quoted(&person));
        let made = function("public.has_any_role()", "boolean", &body);
        let advice = "A session is no leave: whoever signs up has one. Ask that somebody was given a role.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter("(select public.has_any_role())")), needs);
    }
    // The database tells those who work for the app from those who sign up.
    if let Some(insiders) = case.insiders() {
        let reads = case.opening.commands == Rights::SELECT;
        let (view, rest) = match case.public_view().filter(|_| reads) {
            Some(view) => (format!("{view}\n"), "pages of everybody else read a view of the public columns"),
            None => (String::new(), "what other people's pages do goes through a function on the server first"),
        };
        let advice = format!(
            "A session is no leave: whoever signs up has one. Ask for a role, as the other policies do; {rest}."
        );
        return (advice, format!("{view}{}", case.alter(&insiders)), needs);
    }
    let (made, asks) = list_of_people(case.history, "team_members", true);
    let advice = "A session is no leave: whoever signs up has one. Keep a list of those who work with these rows, with \
                  everyone who has an account today, or switch open sign-up off and invite people.";
    (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs)
}

/// Rows that say by an address whose they are: those of a policy that means people's own.
fn by_address(case: &Case<'_>, others: &[&RowUse]) -> Option<Told> {
    let named = |name: &Name| *name == "email" || name.ends_with("_email");
    let addresses: Vec<Name> = case.table.personal().into_iter().filter(named).collect();
    let column = *addresses.iter().find(|name| **name == "email").or(addresses.first())?;
    let means_own =
        words(&case.policy.name).iter().any(|word| matches!(word.as_str(), "own" | "their" | "my" | "themselves"));
    let by_it = |used: &&RowUse| used.picked_by.contains(&column);
    let picked = others.iter().any(by_it) && others.iter().all(|used| used.for_admins || by_it(used));
    let of_users = picked && case.opening.to == Opens::SignedIn;
    if !means_own && !of_users {
        return None;
    }
    let own = format!("{} = (select auth.jwt() ->> 'email')", quoted(&column));
    let (asks, who) = match case.question(&["admin".to_owned()]) {
        Some(question) => (format!("{own} or {question}"), ", and administrators at all of them"),
        None => (own, ""),
    };
    let advice = format!(
        "Let users at the rows with their own address{who}. Sign-up must confirm addresses, or anybody takes another's."
    );
    Some((advice, case.alter(&asks), others.first().map(|used| (used.place, "the app needs these rows here"))))
}

/// Rows that are picked by what only one person knows.
pub(super) fn by_token(case: &Case<'_>, others: &[&RowUse]) -> Option<Told> {
    let known = |name: &Name| words(name).iter().any(|word| matches!(word.as_str(), "token" | "code" | "hash"));
    if case.opening.commands != Rights::SELECT || others.is_empty() {
        return None;
    }
    let column = others.first()?.picked_by.iter().find(|name| known(name))?;
    if !others.iter().all(|used| used.picked_by.contains(column)) {
        return None;
    }
    let (id, kind) = (case.table.id, case.table.column(column)?.kind);
    let cast = if kind == "text" { "" } else { "::text" };
    let routine = Id { schema: id.schema, name: Name::new(&format!("{}_by_{column}", id.name)) }.sql();
    let body = format!("select * from {} where {}{cast} = given", id.sql(), quoted(column));
    let made = function(&format!("{routine}(given text)"), &format!("setof {}", id.sql()), &body);
    let sql = match own_rows(case.history, case.table) {
        Some(own) => case.alter(&own),
        None => case.drop(),
    };
    let advice = format!(
        "Give a row to whoever brings its {column}, and to nobody else: a function takes it, and pages call \
         `.rpc(\"{}_by_{column}\", {{ given: {column} }})` instead of reading the table.",
        id.name
    );
    Some((advice, format!("{made}\n{sql}"), Some((others.first()?.place, "read by it here"))))
}
