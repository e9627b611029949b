//! The statements that cures are made of: functions that ask, views of what is public, policies with another condition.

use super::Case;
use crate::names::Name;
use crate::program::verify::words;
use crate::sql::{Command, History, Id, Opens, Question, Rights, quoted};

/// A list of people that nobody gets onto by signing up, and the condition that somebody is on it.
pub(super) fn list_of_people(history: &History, wanted: &str, everyone: bool) -> (String, String) {
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
pub(in super::super) fn function(head: &str, returns: &str, body: &str) -> String {
    format!(
        "    create or replace function {head} returns {returns}\n      language sql stable security definer set search_path = ''\n      \
         as $$ {body} $$;"
    )
}

impl Case<'_> {
    /// The columns that strangers must not see.
    pub(super) fn hidden(&self) -> Vec<Name> {
        let inside =
            self.program.columns_with_credentials(self.history, self.table).into_iter().map(|(column, _)| column);
        self.table.credentials().into_iter().chain(self.table.personal()).chain(inside).collect()
    }

    /// Leave to read the columns that are public, and no others. What somebody is called, and what mail they agreed to, is
    /// so only where code reads it by its users' rights.
    pub(super) fn public_columns(&self) -> String {
        let uses = self.program.row_uses(self.history, self.table.id.name);
        let of_person = !self.table.personal().is_empty();
        let is_read = |column: &Name| uses.iter().any(|used| used.right == Rights::SELECT && used.reads(&[*column]));
        let is_kept = |column: &Name| !of_person || !says_person(column) || is_read(column);
        let shown = self.table.showable(&[]).into_iter().filter(is_kept);
        let shown: Vec<String> = shown.map(|column| quoted(&column)).collect();
        let table = self.table.id.sql();
        format!(
            "    revoke select on {table} from anon, authenticated;\n    grant select ({}) on {table} to anon, authenticated;",
            shown.join(", ")
        )
    }

    /// The policy's end.
    pub(super) fn drop(&self) -> String {
        format!("    drop policy {} on {};", quoted_always(&self.policy.name), self.table.id.sql())
    }

    /// The policy with another condition.
    pub(super) fn alter(&self, condition: &str) -> String {
        let narrowed = match self.policy.command {
            Command::Insert => format!("with check ({condition})"),
            Command::Select | Command::Delete => format!("using ({condition})"),
            Command::All | Command::Update => format!("using ({condition})\n      with check ({condition})"),
        };
        let (name, table) = (quoted_always(&self.policy.name), self.table.id.sql());
        format!("    alter policy {name} on {table} to authenticated\n      {narrowed};")
    }

    /// A view of the columns that are nobody's secret. Views can be written through: only reading is granted.
    pub(super) fn public_view(&self) -> Option<String> {
        let id = self.table.id;
        let read: Vec<Name> = self
            .program
            .row_uses(self.history, id.name)
            .into_iter()
            .filter_map(|used| used.columns)
            .flatten()
            .collect();
        let hidden = self.hidden();
        let shown = self.table.showable(&read).into_iter().filter(|name| !hidden.contains(name));
        let shown: Vec<String> = shown.map(|name| quoted(&name)).collect();
        // Ids and dates alone show nothing of anybody.
        let tells = |name: &String| !(name == "id" || name.ends_with("_id") || name.ends_with("_at"));
        if shown.len() < 2 || !shown.iter().any(tells) {
            return None;
        }
        let view = Id { schema: id.schema, name: Name::new(&format!("{}_public", id.name)) };
        let taken = self.history.table(view).is_some() || self.history.views.contains_key(&view);
        let view = if taken { Id { name: Name::new(&format!("shown_{}", id.name)), ..view } } else { view }.sql();
        let to = if self.opening.to == Opens::SignedIn { "authenticated" } else { "anon, authenticated" };
        Some(format!(
            "    create view {view} as\n      select {} from {};\n    revoke all on {view} from anon, authenticated;\n    grant select on {view} to \
             {to};",
            shown.join(", "),
            id.sql()
        ))
    }

    /// A condition that the row is of one of the user's own organizations, and what it needs.
    pub(super) fn group(&self) -> Option<(String, String)> {
        let group = self.history.group_of(self.table)?;
        let column = quoted(&group.column);
        let body = format!("select {column} from {} where {} = auth.uid()", group.members.sql(), quoted(&group.person));
        let named =
            format!("public.my_{}s()", group.column.as_str().replace(|byte: char| !byte.is_ascii_alphanumeric(), "_"));
        let made = function(&named, &format!("setof {}", group.kind), &body);
        Some((made, format!("{column} in (select {named})")))
    }

    /// Triggers that write to the table by the rights of whoever causes them, which a policy for the server alone would
    /// stop: with their owner's rights they go on.
    pub(super) fn raised_triggers(&self) -> String {
        let table = self.table.id;
        let names = [table.sql(), table.name.to_string(), format!("\"{}\"", table.name)];
        let writes = |body: &str| {
            let plain = body.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            ["insert into", "update", "delete from"].iter().any(|verb| {
                names.iter().any(|name| {
                    let found = plain.split(&format!("{verb} {}", name.to_ascii_lowercase())).nth(1);
                    found.is_some_and(|rest| rest.starts_with([' ', '(', ';']))
                })
            })
        };
        let own = self.history.functions.iter().filter(|(id, function)| {
            let runs = || self.history.triggers.iter().any(|trigger| Id::of(trigger.function) == **id);
            function.returns_trigger && !function.security_definer && runs() && writes(&function.body)
        });
        own.map(|(id, _)| format!("    alter function {}() security definer set search_path = public;\n", id.sql()))
            .collect()
    }

    /// The app's own question for people with some words, as its policies put it: one that can be put here.
    pub(super) fn question(&self, meant: &[String]) -> Option<String> {
        const FEW: &[&str] = &["admin", "staff", "manager", "owner"];
        let few: Vec<&str> = FEW.iter().copied().filter(|few| meant.iter().any(|word| word.starts_with(few))).collect();
        self.questions_for(&few).into_iter().next().map(|asked| asked.text).or_else(|| self.asks_for_admins())
    }

    /// The app's own questions for those who work for it, as its policies put them, one or the other.
    pub(super) fn insiders(&self) -> Option<String> {
        const INSIDERS: &[&str] =
            &["admin", "staff", "manager", "employee", "moderator", "editor", "operator", "agent", "sales"];
        // The same role is asked for in many ways: one of them will do.
        let (mut asked, mut named): (Vec<String>, Vec<&str>) = (vec![], vec![]);
        for Question { text: question, reads, .. } in self.questions_for(INSIDERS) {
            if reads.is_some_and(|people| self.leaves_out_most(people, &question, INSIDERS)) {
                continue;
            }
            let lower = question.to_ascii_lowercase();
            let says: Vec<&str> = INSIDERS.iter().copied().filter(|word| lower.contains(word)).collect();
            if asked.len() < 3 && says.iter().any(|word| !named.contains(word)) {
                named.extend(says);
                asked.push(question);
            }
        }
        if asked.is_empty() { self.asks_for_admins() } else { Some(asked.join(" or ")) }
    }

    /// The questions with one of some words that can be put here.
    fn questions_for(&self, few: &[&str]) -> Vec<Question> {
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
        self.history.questions().into_iter().filter(|asked| fits(&asked.text) && works(asked.reads)).collect()
    }

    /// Whether a question asks a list of people for another role than the one that most of them are given.
    fn leaves_out_most(&self, people: Id, question: &str, insiders: &[&str]) -> bool {
        let Some(people) = self.history.table(people) else { return false };
        people.columns.iter().filter_map(|column| column.default.as_deref()).any(|given| {
            let given = given.split("::").next().unwrap_or(given).trim();
            let role = given.trim_matches('\'');
            role.len() + 2 == given.len() && insiders.contains(&role) && !question.contains(given)
        })
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

/// A name of a policy.
pub(in super::super) fn quoted_always(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a column says what somebody is called, or what mail they agreed to.
fn says_person(column: &str) -> bool {
    const NAMES: &[&str] = &["first_name", "last_name", "full_name", "surname", "firstname", "lastname", "fullname"];
    const AGREED: &[&str] = &["newsletter", "marketing", "consent", "subscribed"];
    let said = words(column);
    NAMES.contains(&said.join("_").as_str()) || said.iter().any(|word| AGREED.contains(&word.as_str()))
}
