//! Policies by which people give themselves a role: they ask whose row it is, and not which role stands in it.

use super::cursor::Cursor;
use super::lex::{Lexer, Token};
use super::model::{History, Policy, Table};
use super::openness::{Opens, parts};
use super::statement::{Asks, Command, Rights};
use crate::facts::Span;
use crate::names::Name;

/// Names of columns that say what somebody may do.
const ROLES: &[&str] = &["role", "app_role", "user_role", "account_role", "role_name"];

/// A role that whoever signs in can give to himself.
#[derive(Debug, Clone, Copy)]
pub struct TakenRole {
    /// The column.
    pub column: Name,
    /// The column that says whose row it is.
    pub owner: Name,
    /// By which commands.
    pub commands: Rights,
    /// The table is there to say who has which role.
    pub of_roles: bool,
}

impl History {
    /// The role that a policy lets people give to themselves; none when it asks for more than whose row it is, when
    /// something else may look at the role, or when no role opens anything.
    pub fn taken_role(&self, table: &Table, policy: &Policy) -> Option<TakenRole> {
        if !policy.permissive || table.id.schema != "public" || table.unsure.is_some() || policy.unsure.is_some() {
            return None;
        }
        let commands = match policy.command {
            Command::Insert => Rights::INSERT,
            Command::Update => Rights::UPDATE,
            Command::All => Rights::INSERT.with(Rights::UPDATE),
            Command::Select | Command::Delete => return None,
        };
        let column =
            ROLES.iter().find_map(|name| table.column(name)).filter(|column| column.kind.as_str() != "boolean")?.name;
        let owner = self.owner_of(table)?;
        let of_roles = table.id.name.split('_').any(|part| matches!(part, "role" | "roles"));
        // Whoever has no row of a person's own yet is a stranger: only changes matter there.
        let commands = if of_roles { commands } else { commands.without(Rights::INSERT) };
        let text = policy.check.as_deref().or(policy.using.as_deref())?;
        let open = commands.any(Rights::ALL)
            && table.holders(commands) != Opens::Some
            && policy.reach() != Opens::Some
            && !table.narrows(commands)
            && asks_owner_only(text, table, &owner)
            && (of_roles || self.is_decided_by(table, &column))
            && !self.is_watched(table, &column)
            && !(commands == Rights::INSERT && self.is_filled(table, &owner));
        open.then_some(TakenRole { column, owner, commands, of_roles })
    }

    /// Whether what stands in a role opens something: policies or functions that look there for one that stands above.
    fn is_decided_by(&self, table: &Table, column: &Name) -> bool {
        // What stands behind the table's name, up to the next table, is asked of it.
        let asks = |text: &str| {
            let text = text.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            let mut behind = text.split("from ").skip(1).chain(text.split("join ").skip(1));
            behind.any(|of| {
                let named = of.trim_start_matches("public.").trim_start_matches('"');
                let is_it = named
                    .strip_prefix(table.id.name.as_str())
                    .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'));
                is_it && of.contains(column.as_str()) && of.contains("admin")
            })
        };
        let policies = self.tables.iter().flat_map(|table| &table.policies);
        let mut texts = policies.flat_map(|policy| [&policy.using, &policy.check]).flatten();
        texts.any(|text| asks(text))
            || self.functions.values().any(|function| !function.returns_trigger && asks(&function.body))
    }

    /// Whether a trigger of the table may look at the role.
    fn is_watched(&self, table: &Table, column: &Name) -> bool {
        self.triggers.iter().filter(|trigger| trigger.table == table.id).any(|trigger| {
            let id = super::model::Id::of(trigger.function);
            match self.functions.get(&id) {
                Some(function) => {
                    let body = function.body.to_ascii_lowercase();
                    ["old.", "new."].iter().any(|row| body.contains(&format!("{row}{column}")))
                }
                None => {
                    !["updated_at", "moddatetime", "timestamp", "modified"].iter().any(|part| id.name.contains(part))
                }
            }
        })
    }

    /// Whether each person has one row, and the database makes it: nobody can add one.
    fn is_filled(&self, table: &Table, owner: &Name) -> bool {
        let sole = table.constraints.iter().any(|constraint| {
            matches!(constraint.asks, Asks::Primary | Asks::Unique) && constraint.columns == [*owner]
        });
        let made = || {
            self.functions.values().any(|function| {
                let body: Vec<String> =
                    function.body.to_ascii_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
                body.join(" ").contains("insert into") && body.iter().any(|word| word.contains(table.id.name.as_str()))
            })
        };
        sole && made()
    }
}

/// Whether a condition asks whose row it is and nothing else: `auth.uid() = user_id`.
fn asks_owner_only(text: &str, table: &Table, owner: &str) -> bool {
    let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
    let mut whole = Cursor::new(text, &tokens);
    while let Some(inner) = Some(whole).and_then(|mut cursor| cursor.group().filter(|_| cursor.is_done())) {
        whole = inner;
    }
    let all = parts(whole, "or");
    let [only] = all.as_slice() else { return false };
    let each = parts(*only, "and");
    let [sole] = each.as_slice() else { return false };
    let plain: String = sole.plain().to_ascii_lowercase().split_whitespace().collect();
    let bare = plain.replace("(select", "").replace(['(', ')', '"'], "").replace("asuid", "").replace("::text", "");
    let bare = bare.replace(&format!("{}.", table.id.name), "");
    bare == format!("auth.uid={owner}") || bare == format!("{owner}=auth.uid")
}
