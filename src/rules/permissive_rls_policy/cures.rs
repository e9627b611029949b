//! Cures that close a policy and keep what the app does with it: who reads and writes the rows by their own rights
//! decides who must still get in.

use super::super::row_security::{CAUTION, own_rows};
use super::{SERVER_ITSELF, promised};
use crate::finding::Place;
use crate::names::Name;
use crate::program::Program;
use crate::program::row_uses::RowUse;
use crate::program::verify::words;
use crate::sql::{Command, History, Id, Opening, Opens, Policy, Rights, Table, quoted};

/// A policy that is too wide.
pub(super) struct Case<'a> {
    /// The program.
    pub program: &'a Program,
    /// Where its table is made.
    pub history: &'a History,
    /// Its table.
    pub table: &'a Table,
    /// The policy.
    pub policy: &'a Policy,
    /// What it opens.
    pub opening: Opening,
    /// It may well be meant so.
    pub quiet: bool,
}

/// What to do, and the code that needs the rows.
pub(super) struct Cure {
    /// The advice, the SQL, and how to look at the live database.
    pub help: String,
    /// A place in code that would stop if the policy just went.
    pub needs: Option<(Place, &'static str)>,
}

pub(super) fn cure(case: &Case<'_>) -> Cure {
    let table = case.table;
    let all = if table.id.schema == "public" { case.program.row_uses(case.history, table.id.name) } else { vec![] };
    let covered: Vec<&RowUse> = all.iter().filter(|used| case.opening.commands.any(used.right)).collect();
    let own = own_rows(case.history, table);
    // Adding rows of one's own, and reading and changing them, goes on under a policy for one's own rows.
    let others: Vec<&RowUse> =
        covered.iter().filter(|used| used.right != Rights::INSERT && !used.own).copied().collect();
    let (advice, sql, needs) = match (promised(&case.policy.name), own) {
        (None, Some(_)) if case.program.signs_in_elsewhere(case.history) => elsewhere(case),
        (Some(SERVER_ITSELF), own) => server(case, &covered, own.as_deref()),
        (Some(_), own) => few(case, own.as_deref()),
        (None, Some(own)) => owned(case, &own, &covered, &others),
        (None, None) => ownerless(case, &covered, &others),
    };
    let keep = if case.quiet { "Keep it if that is what you want. If not: " } else { "" };
    let help = format!(
        "{keep}{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, qual, with_check from pg_policies\n      where \
         schemaname = '{}' and tablename = '{}';",
        table.id.schema, table.id.name
    );
    Cure { help, needs }
}

/// Users who have no account of the database's own: no condition of a policy knows them.
fn elsewhere(case: &Case<'_>) -> Told {
    let advice = "The app's users sign in with another service, so that the database does not know who asks: let functions on \
                  the server, which look the user up there, read and write these rows.";
    (advice.to_owned(), case.drop(), None)
}

type Told = (String, String, Option<(Place, &'static str)>);

/// For code of the server by its name.
fn server(case: &Case<'_>, covered: &[&RowUse], own: Option<&str>) -> Told {
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let mut sql = format!("    alter policy {name} on {table} to service_role;");
    let mut advice = "Say that it is for the server; code on the server must use the service role's key, which passes \
                      without any policy."
        .to_owned();
    let kept = |used: &RowUse| !asked_elsewhere(case, used.right);
    let Some(used) = covered.iter().find(|used| kept(used)) else { return (advice, sql, None) };
    let needs = Some((used.place, "done here with the user's own rights"));
    let by_staff = words(&case.program.file(used.place.file).path).iter().any(|word| word == "admin");
    if let Some(own) = own.filter(|_| used.right == Rights::INSERT && used.own && !by_staff) {
        advice.push_str(" The app's pages add rows too: let users add their own.");
        sql.push_str(&format!(
            "\n    create policy \"Add own rows\" on {table} for insert to authenticated\n      with check ({own});"
        ));
    } else if let Some((made, asks)) = group(case) {
        advice =
            "The server's key passes without any policy; pages that do it too need one that asks whose rows they are."
                .to_owned();
        sql = format!("{made}\n{}", case.alter(&asks));
    } else if let Some(question) = case.question(&["admin".to_owned()]) {
        advice = "The server's key passes without any policy; pages that do it too need one that asks for a role."
            .to_owned();
        sql = case.alter(&question);
    } else {
        advice.push_str(
            " Other code does it with its users' rights (see below): move that into a function on the server first.",
        );
    }
    (advice, sql, needs)
}

/// Whether another policy lets users do something with what is theirs.
fn asked_elsewhere(case: &Case<'_>, right: Rights) -> bool {
    case.table.policies.iter().any(|policy| {
        let is = match policy.command {
            Command::All => true,
            Command::Select => right == Rights::SELECT,
            Command::Insert => right == Rights::INSERT,
            Command::Update => right == Rights::UPDATE,
            Command::Delete => right == Rights::DELETE,
        };
        let asks = [&policy.using, &policy.check].into_iter().flatten().any(|text| text.contains("auth."));
        policy.name != case.policy.name && is && policy.permissive && asks
    })
}

/// For a few people by its name.
fn few(case: &Case<'_>, own: Option<&str>) -> Told {
    let meant = words(&case.policy.name);
    let owners = meant.iter().any(|word| word == "owner" || word == "owners");
    if let Some(own) = own.filter(|_| owners) {
        return ("Ask for the row's owner, whom the name means.".to_owned(), case.alter(own), None);
    }
    if let Some(question) = case.question(&meant) {
        return ("Ask for those whom the name means.".to_owned(), case.alter(&question), None);
    }
    let (made, asks) = list_of_people(case.history, "admins", false);
    let advice = "Ask for those whom the name means: a table that only the server writes to holds their ids.";
    (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), None)
}

/// Rows that have an owner.
fn owned(case: &Case<'_>, own: &str, covered: &[&RowUse], others: &[&RowUse]) -> Told {
    let plain = || ("Let users at their own rows only.".to_owned(), case.alter(own), None);
    let reads = case.opening.commands == Rights::SELECT;
    if case.opening.commands == Rights::INSERT && case.opening.to == Opens::Everyone {
        return visitors(case, own);
    }
    if let Some(told) = bought(case, own, covered) {
        return told;
    }
    let strangers = reads && for_strangers(case.policy) && case.table.credentials().is_empty();
    let Some(used) = others.first() else {
        return match public_view(case).filter(|_| strangers) {
            Some(view) => shown(case, own, &view, None),
            None => plain(),
        };
    };
    let needs =
        Some((used.place, if reads { "rows of others are read here" } else { "rows of others are reached here" }));
    if let Some(told) = by_token(case, others) {
        return told;
    }
    if case.opening.to == Opens::SignedIn
        && let Some((made, asks)) = group(case)
    {
        let advice = "Let users at the rows of their own organization, which the app's pages show them.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs);
    }
    if !reads {
        // Who made a row need not be the only one who works with it.
        return match (case.table.owner().is_some_and(|owner| owner.starts_with("created_by")), case.opening.to) {
            (true, Opens::SignedIn) => shared(case, others),
            _ => plain(),
        };
    }
    match public_view(case) {
        Some(view) => shown(case, own, &view, needs),
        None => plain(),
    }
}

/// The public columns for others, the rows for their owners.
fn shown(case: &Case<'_>, own: &str, view: &str, needs: Option<(Place, &'static str)>) -> Told {
    let whole = case.question(&["admin".to_owned()]).map_or(own.to_owned(), |question| format!("{own} or {question}"));
    let advice = "Show other people the public columns only: a view holds them, pages that show others read that, and \
                  the rows themselves are left to their owners.";
    (advice.to_owned(), format!("{view}\n{}", case.alter(&whole)), needs)
}

/// Rows that visitors add, who are nobody, and users, who must not add any in another's name.
fn visitors(case: &Case<'_>, own: &str) -> Told {
    let Some(owner) = case.table.owner() else { return (String::new(), case.alter(own), None) };
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
    if case.opening.commands.any(Rights::SELECT) && !asked_elsewhere(case, Rights::SELECT) {
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
fn for_strangers(policy: &Policy) -> bool {
    let named = ["public", "publicly", "anyone", "visitor", "visitors", "guest", "guests", "showcase", "anonymous"];
    policy.roles.iter().any(|role| role.as_str() == "anon")
        || words(&policy.name).iter().any(|word| named.contains(&word.as_str()))
}

/// Rows that have none.
fn ownerless(case: &Case<'_>, covered: &[&RowUse], others: &[&RowUse]) -> Told {
    let drop = case.drop();
    let writes = case.opening.commands.without(Rights::SELECT).any(Rights::ALL);
    if !writes {
        if let Some(told) = by_token(case, others) {
            return told;
        }
        let hidden: Vec<Name> = case.hidden();
        let Some(used) = others.iter().find(|used| used.reads(&hidden)) else {
            return (
                "Grant the columns that are public, and no others (`select *` from browsers must then name them)."
                    .to_owned(),
                public_columns(case.table),
                None,
            );
        };
        if case.opening.to == Opens::SignedIn {
            return shared(case, others);
        }
        let rest = match case.question(&["admin".to_owned()]) {
            Some(question) => case.alter(&question),
            None => drop,
        };
        return match public_view(case) {
            Some(view) => (
                "Show strangers the public columns only: a view holds them, and pages for strangers read that."
                    .to_owned(),
                format!("{view}\n{rest}"),
                Some((used.place, "pages read the whole rows here")),
            ),
            None => (
                "Grant the columns that are public, and no others (`select *` from browsers must then name them)."
                    .to_owned(),
                public_columns(case.table),
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

/// Rows that people of one firm share: whoever signs up must not be one of them.
fn shared(case: &Case<'_>, uses: &[&RowUse]) -> Told {
    let needs = uses.first().map(|used| (used.place, "the app needs these rows here"));
    if let Some((made, asks)) = group(case) {
        let advice = "Let users at the rows of their own organization.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs);
    }
    // People read their own row from the day they sign up.
    let people = matches!(case.table.id.name.as_str(), "users" | "profiles" | "user_profiles" | "accounts");
    if people
        && case.opening.commands == Rights::SELECT
        && case.table.column("id").is_some_and(|id| id.kind == "uuid")
        && let Some(view) = public_view(case)
    {
        return shown(case, "(select auth.uid()) = id", &view, needs);
    }
    if let Some((roles, person)) = case.history.roles() {
        let body = format!("select exists (select from {} where {} = auth.uid())", roles.sql(), quoted(&person));
        let made = function("public.has_any_role()", "boolean", &body);
        let advice = "A session is no leave: whoever signs up has one. Ask that somebody was given a role.";
        return (advice.to_owned(), format!("{made}\n{}", case.alter("(select public.has_any_role())")), needs);
    }
    let (made, asks) = list_of_people(case.history, "team_members", true);
    let advice = "A session is no leave: whoever signs up has one. Keep a list of those who work with these rows, with \
                  everyone who has an account today, or switch open sign-up off and invite people.";
    (advice.to_owned(), format!("{made}\n{}", case.alter(&asks)), needs)
}

/// Rows that are picked by what only one person knows.
fn by_token(case: &Case<'_>, others: &[&RowUse]) -> Option<Told> {
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

/// A condition that the row is of one of the user's own organizations, and what it needs.
fn group(case: &Case<'_>) -> Option<(String, String)> {
    let group = case.history.group_of(case.table)?;
    let column = quoted(&group.column);
    let body = format!("select {column} from {} where {} = auth.uid()", group.members.sql(), quoted(&group.person));
    let named =
        format!("public.my_{}s()", group.column.as_str().replace(|byte: char| !byte.is_ascii_alphanumeric(), "_"));
    let made = function(&named, &format!("setof {}", group.kind), &body);
    Some((made, format!("{column} in (select {named})")))
}

/// A list of people that nobody gets onto by signing up, and the condition that somebody is on it.
fn list_of_people(history: &History, wanted: &str, everyone: bool) -> (String, String) {
    let id = |name: String| Id { schema: Name::new("public"), name: Name::new(&name) };
    let free = |name: &String| history.table(id(name.clone())).is_none();
    let name = [wanted.to_owned(), format!("app_{wanted}")]
        .into_iter()
        .find(free)
        .unwrap_or_else(|| format!("listed_{wanted}"));
    let table = format!("public.{name}");
    let asks = format!("public.is_in_{name}()");
    let body = format!("select exists (select from {table} where user_id = auth.uid())");
    let rows = match everyone {
        true => format!("    insert into {table} select id from auth.users on conflict do nothing;\n"),
        false => format!("    -- insert into {table} values ('id of an administrator');\n"),
    };
    let made = format!(
        "    create table if not exists {table} (user_id uuid primary key references auth.users (id) on delete cascade);\n    \
         alter table {table} enable row level security;\n{rows}{}",
        function(&asks, "boolean", &body)
    );
    (made, format!("(select {asks})"))
}

/// A function that reads past row level security.
fn function(head: &str, returns: &str, body: &str) -> String {
    format!(
        "    create or replace function {head} returns {returns}\n      language sql stable security definer set search_path = ''\n      \
         as $$ {body} $$;"
    )
}

/// A view of the columns that are nobody's secret. Views can be written through: only reading is granted.
fn public_view(case: &Case<'_>) -> Option<String> {
    let (id, hidden) = (case.table.id, case.hidden());
    let shown: Vec<String> = case
        .table
        .columns
        .iter()
        .map(|column| column.name)
        .filter(|name| !hidden.contains(name))
        .map(|name| quoted(&name))
        .collect();
    if shown.len() < 2 {
        return None;
    }
    let view = Id { schema: id.schema, name: Name::new(&format!("{}_public", id.name)) };
    let taken = case.history.table(view).is_some() || case.history.views.contains_key(&view);
    let view = if taken { Id { name: Name::new(&format!("shown_{}", id.name)), ..view } } else { view }.sql();
    let to = if case.opening.to == Opens::SignedIn { "authenticated" } else { "anon, authenticated" };
    Some(format!(
        "    create view {view} as\n      select {} from {};\n    revoke all on {view} from anon, authenticated;\n    grant select on {view} to \
         {to};",
        shown.join(", "),
        id.sql()
    ))
}

fn public_columns(table: &Table) -> String {
    let table_name = table.id.sql();
    let hidden: Vec<Name> = table.credentials().into_iter().chain(table.personal()).collect();
    let columns = table.columns.iter().map(|column| column.name).filter(|column| !hidden.contains(column));
    let shown: Vec<String> = columns.map(|column| quoted(&column)).collect();
    format!(
        "    revoke select on {table_name} from anon, authenticated;\n    grant select ({}) on {table_name} to anon, authenticated;",
        shown.join(", ")
    )
}

impl Case<'_> {
    /// The columns that strangers must not see.
    fn hidden(&self) -> Vec<Name> {
        self.table.credentials().into_iter().chain(self.table.personal()).collect()
    }

    /// The policy's end.
    fn drop(&self) -> String {
        format!("    drop policy {} on {};", quoted_always(&self.policy.name), self.table.id.sql())
    }

    /// The policy with another condition.
    fn alter(&self, condition: &str) -> String {
        let narrowed = match self.policy.command {
            Command::Insert => format!("with check ({condition})"),
            Command::Select | Command::Delete => format!("using ({condition})"),
            Command::All | Command::Update => format!("using ({condition})\n      with check ({condition})"),
        };
        let (name, table) = (quoted_always(&self.policy.name), self.table.id.sql());
        format!("    alter policy {name} on {table} to authenticated\n      {narrowed};")
    }

    /// The app's own question for people with some words, as its policies put it: one that can be put here.
    fn question(&self, meant: &[String]) -> Option<String> {
        const FEW: &[&str] = &["admin", "staff", "manager", "owner"];
        let few: Vec<&str> = FEW.iter().copied().filter(|few| meant.iter().any(|word| word.starts_with(few))).collect();
        let fits = |text: &str| few.iter().any(|few| text.to_ascii_lowercase().contains(few));
        // What reads a table is asked by its policies: not on that table, nor where that one asks back.
        let table = self.table.id;
        let works = |reads: Option<Id>| {
            reads.is_none_or(|reads| {
                let asks_back =
                    |text: &Option<Box<str>>| text.as_deref().is_some_and(|text| text.contains(table.name.as_str()));
                reads != table
                    && self.history.table(reads).is_some_and(|of| {
                        !of.policies.iter().any(|policy| asks_back(&policy.using) || asks_back(&policy.check))
                    })
            })
        };
        let asked = self.history.questions().into_iter().find(|asked| fits(&asked.text) && works(asked.reads));
        asked.map(|asked| asked.text).or_else(|| self.asks_for_admins())
    }

    /// The app's own question for an administrator, when its database has one that needs no more than the session.
    fn asks_for_admins(&self) -> Option<String> {
        let known = ["is_admin", "is_staff", "is_super_admin", "is_superadmin", "is_current_user_admin"];
        let (id, _) = self.history.functions.iter().find(|(id, function)| {
            known.contains(&id.name.as_str()) && function.parameters.is_empty() && !function.returns_trigger
        })?;
        Some(format!("{}()", id.sql()))
    }
}

fn quoted_always(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
