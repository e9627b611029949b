//! How a database tells people apart: the questions of its policies that look at who asks and at no row, the table
//! that says which groups somebody is in, the table that says who has a role.

use super::cursor::Cursor;
use super::lex::{Kind, Lexer, Token, text_of};
use super::model::{History, Id, Table};
use super::openness::parts;
use super::statement::Asks;
use crate::facts::Span;
use crate::names::Name;

/// Columns that say which group of people a row belongs to.
const GROUPS: &[&str] = &[
    "organization_id",
    "organisation_id",
    "org_id",
    "tenant_id",
    "workspace_id",
    "company_id",
    "team_id",
    "agency_id",
    "church_id",
    "church_tenant_id",
    "clinic_id",
    "school_id",
    "household_id",
];

/// Columns that hold the id that somebody signs in with.
const SIGNS_IN: &[&str] = &["user_id", "auth_user_id", "auth_id", "uid"];

/// A question that a policy puts about who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As it is written: `public.has_role(auth.uid(), 'admin')`.
    pub text: String,
    /// The table that it reads itself, not through a function.
    pub reads: Option<Id>,
    /// The function that it calls.
    pub call: Option<RoleCall>,
}

/// A call of a function of the database that asks what somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleCall {
    /// The function.
    pub function: Id,
    /// What it is handed, by the names of its parameters.
    pub arguments: Vec<(Name, Argument)>,
}

/// What a policy hands to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// The id of whoever asks.
    Caller,
    /// A text.
    Text(String),
}

/// A table that says which group somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The column that names the group.
    pub column: Name,
    /// Its type.
    pub kind: Name,
    /// The table.
    pub members: Id,
    /// The column of it that holds whoever signs in.
    pub person: Name,
}

impl History {
    /// What the policies ask of who asks, without a look at the row they are for; the most frequent first.
    pub fn questions(&self) -> Vec<Question> {
        let mut found: Vec<(Question, usize)> = vec![];
        let texts =
            self.tables.iter().flat_map(|table| &table.policies).flat_map(|policy| [&policy.using, &policy.check]);
        for text in texts.flatten() {
            let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
            let mut asked = vec![];
            self.asked(Cursor::new(text, &tokens), 8, &mut asked);
            for question in asked {
                match found.iter_mut().find(|(known, _)| *known == question) {
                    Some((_, times)) => *times += 1,
                    None => found.push((question, 1)),
                }
            }
        }
        found.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        found.into_iter().map(|(question, _)| question).collect()
    }

    fn asked(&self, cursor: Cursor<'_>, depth: usize, found: &mut Vec<Question>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for part in parts(cursor, "or").into_iter().flat_map(|part| parts(part, "and")) {
            let mut inner = part;
            if let Some(group) = inner.group()
                && inner.is_done()
            {
                self.asked(group, depth, found);
            } else if let Some(call) = self.asks_function(part) {
                found.push(Question { text: part.plain(), reads: None, call: Some(call) });
            } else if let Some(reads) = self.asks_table(part) {
                found.push(Question { text: part.plain(), reads: Some(reads), call: None });
            }
        }
    }

    /// `has_role(auth.uid(), 'admin'::app_role)`, `is_admin()`.
    fn asks_function(&self, mut cursor: Cursor<'_>) -> Option<RoleCall> {
        let name = cursor.name()?;
        let handed = cursor.group().filter(|_| cursor.is_done())?;
        let id = Id::of(name);
        let asks_session =
            ["authenticated", "signed_in", "logged_in", "anon"].iter().any(|word| id.name.contains(word));
        let function = self.functions.get(&id).filter(|function| !function.returns_trigger)?;
        if asks_session || id.schema == "auth" {
            return None;
        }
        let argument = |item: Cursor<'_>| match () {
            () if is_session(item) => Some(Argument::Caller),
            () if is_text(item) => {
                let text = item.plain();
                Some(Argument::Text(text.split("::").next().unwrap_or_default().trim().trim_matches('\'').to_owned()))
            }
            () => None,
        };
        let handed: Option<Vec<Argument>> = handed.items().into_iter().map(argument).collect();
        Some(RoleCall { function: id, arguments: function.parameters.iter().copied().zip(handed?).collect() })
    }

    /// `exists (select 1 from admins where user_id = auth.uid())`: the table.
    pub(super) fn asks_table(&self, mut cursor: Cursor<'_>) -> Option<Id> {
        const WORDS: &[&str] =
            &["select", "from", "where", "and", "or", "in", "auth", "uid", "as", "is", "true", "any", "array", "text"];
        if !cursor.eat("exists") {
            return None;
        }
        let inner = cursor.group().filter(|_| cursor.is_done())?;
        let mut of = inner;
        of.until(&["from"]);
        if !of.eat("from") {
            return None;
        }
        let named = of.name()?;
        of.eat("as");
        let alias = if of.is("where") { None } else { of.ident() };
        let table = self.table(Id::of(named))?;
        let known = |name: &str| {
            WORDS.contains(&name)
                || name == table.id.name.as_str()
                || name == table.id.schema.as_str()
                || alias.is_some_and(|alias| alias == *name)
                || table.column(name).is_some()
        };
        let mut after_cast = false;
        let all = inner.tokens.iter().all(|token| {
            let word = matches!(token.kind, Kind::Word | Kind::Quoted);
            let fine = !word || after_cast || known(&inner.raw(*token).to_ascii_lowercase().replace('"', ""));
            after_cast = token.kind == Kind::Sign(b':');
            fine
        });
        let asks_who = inner.plain().to_ascii_lowercase().contains("auth.uid()");
        (all && asks_who && of.is("where")).then_some(table.id)
    }

    /// The column of a table that holds the id that somebody signs in with.
    pub fn person_of(&self, table: &Table) -> Option<Name> {
        let to_people = |column: Name| self.refers_to(table, column).is_some_and(is_sign_in);
        let keys = table.columns.iter().map(|column| column.name);
        let referred = keys.clone().find(|&column| to_people(column) && !column.ends_with("_by"));
        let named = || {
            let known = |column: &Name| SIGNS_IN.contains(&column.as_str()) && self.refers_to(table, *column).is_none();
            keys.clone().find(known)
        };
        referred.or_else(named)
    }

    /// The column that says whose row it is. An id of a list of people who do not sign in is nobody's, whichever table
    /// says so: `student_id uuid references students`.
    pub fn owner_of(&self, table: &Table) -> Option<Name> {
        let owner = table.owner()?;
        let of = self.refers_to(table, owner).or_else(|| {
            let others = self.tables.iter().filter(|other| other.id != table.id && other.id.schema == table.id.schema);
            others.filter_map(|other| self.refers_to(other, owner)).find(|of| of.schema == table.id.schema)
        });
        let signs_in = |of: Id| {
            of.schema == "auth"
                || of.name_means_people()
                || self.table(of).is_none_or(|people| self.person_of(people).is_some())
        };
        of.is_none_or(signs_in).then_some(owner)
    }

    /// The table that a column refers to.
    pub fn refers_to(&self, table: &Table, column: Name) -> Option<Id> {
        table.constraints.iter().find_map(|constraint| match &constraint.asks {
            Asks::Foreign(of, _) if constraint.columns == [column] => Some(Id::of(*of)),
            _ => None,
        })
    }

    /// Whose group a table's rows belong to, and who says who is in it.
    pub fn group_of(&self, table: &Table) -> Option<Group> {
        let column = GROUPS.iter().find_map(|name| table.column(name))?;
        let names = |of: &Table, words: &[&str]| words.iter().any(|word| of.id.name.contains(word));
        let candidates = self.tables.iter().filter(|of| of.id.schema == "public" && of.column(&column.name).is_some());
        let mut candidates: Vec<(&Table, Name)> = candidates.filter_map(|of| Some((of, self.person_of(of)?))).collect();
        candidates.retain(|(of, _)| names(of, &["member", "profile", "user", "staff", "employee"]));
        candidates.sort_by_key(|(of, _)| (!names(of, &["member"]), !names(of, &["role", "profile", "users"])));
        let (members, person) = *candidates.first()?;
        let plain = column.kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !column.kind.is_empty();
        plain.then_some(Group { column: column.name, kind: column.kind, members: members.id, person })
    }

    /// The table of those who were given a role: one that nobody gets into by signing up.
    pub fn roles(&self) -> Option<(Id, Name)> {
        let table = self.tables.iter().find(|table| {
            matches!(table.id.name.as_str(), "user_roles" | "admins" | "staff" | "team_members" | "admin_users")
                && table.column("role").is_some()
        })?;
        let given = self.functions.values().any(|function| {
            let body = function.body.to_ascii_lowercase();
            body.contains("insert into") && body.contains(table.id.name.as_str())
        });
        (!given).then_some((table.id, self.person_of(table)?))
    }
}

/// Whether ids of a table are those that people sign in with.
fn is_sign_in(of: Id) -> bool {
    of.schema == "auth" && of.name == "users"
}

/// `auth.uid()`, `(select auth.uid())`.
fn is_session(cursor: Cursor<'_>) -> bool {
    let plain: String = cursor.plain().to_ascii_lowercase().split_whitespace().collect();
    matches!(plain.as_str(), "auth.uid()" | "(selectauth.uid())")
}

/// `'admin'`, `'admin'::app_role`.
fn is_text(cursor: Cursor<'_>) -> bool {
    let Some((first, rest)) = cursor.tokens.split_first() else { return false };
    first.kind == Kind::Text
        && !text_of(*first, cursor.text).is_empty()
        && rest.iter().all(|token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Sign(b':' | b'.')))
}
