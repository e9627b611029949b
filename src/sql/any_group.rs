//! Policies that ask whether somebody is in a group, and not in the row's own: who is in any passes for all.

use super::cursor::{Cursor, name_of};
use super::lex::{Kind, Lexer, Token, text_of};
use super::model::{History, Id, Policy, Table};
use super::openness::parts;
use super::statement::{Command, Rights};
use crate::facts::Span;
use crate::names::Name;

/// What a policy lets the members of any group do with the rows of all.
#[derive(Debug, Clone)]
pub struct AnyGroup {
    /// The column that says whose group a row is.
    pub column: Name,
    /// The table that says who is in which group.
    pub members: Id,
    /// The column is compared with itself: the row's own was meant.
    pub meant: bool,
    /// Which commands.
    pub commands: Rights,
    /// The condition that asks for the row's group.
    pub asks: String,
}

/// Words of roles that no group gives.
const ABOVE_GROUPS: &[&str] = &["super", "platform", "system", "global", "root", "developer"];

/// A name in a query, and the alias before it.
type Named = (Option<Name>, Name);

impl History {
    /// Whether a policy lets members of any group at the rows of every group, and how it would ask for the row's own.
    pub fn any_group(&self, table: &Table, policy: &Policy) -> Option<AnyGroup> {
        let served = |role: &Name| matches!(role.as_str(), "public" | "anon" | "authenticated");
        if !policy.permissive || !(policy.roles.is_empty() || policy.roles.iter().any(served)) {
            return None;
        }
        let commands = match policy.command {
            Command::All => Rights::ALL,
            Command::Select => Rights::SELECT,
            Command::Insert => Rights::INSERT,
            Command::Update => Rights::UPDATE,
            Command::Delete => Rights::DELETE,
        };
        let text = if policy.command == Command::Insert { policy.check.as_deref() } else { policy.using.as_deref() }?;
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        let mut whole = Cursor::new(text, &tokens);
        while let Some(inner) = Some(whole).and_then(|mut cursor| cursor.group().filter(|_| cursor.is_done())) {
            whole = inner;
        }
        // A part that asks for more than a membership is another matter.
        parts(whole, "or").into_iter().find_map(|part| {
            let [only] = parts(part, "and")[..] else { return None };
            let members = self.asks_table(only)?;
            let (column, meant, asked) = self.of_any(table, members, only)?;
            let (start, end) = (only.span()?.start as usize, only.span()?.end as usize);
            let asks = format!("{}{asked}{}", &text[..start], &text[end..]);
            Some(AnyGroup {
                column,
                members,
                meant,
                commands,
                asks: asks.split_whitespace().collect::<Vec<_>>().join(" "),
            })
        })
    }

    /// Whether a question after a membership leaves out whose row it is: the column, whether it seems to ask, and the
    /// question with it.
    fn of_any(&self, table: &Table, members: Id, question: Cursor<'_>) -> Option<(Name, bool, String)> {
        // A table that asks itself is refused by the database.
        let of = self.table(members).filter(|of| of.id != table.id && !stands_above(question))?;
        let row = |column: Name| format!("{}.{}", table.id.name, column);
        for (left, right, at) in equalities(question) {
            let same = left.1 == right.1 && of.column(&left.1).is_some() && table.column(&left.1).is_some();
            let bare = if left.0.is_none() { 0 } else { 1 };
            if same && (left.0.is_none() || right.0.is_none()) && is_group(&left.1) {
                let at = at[bare];
                let (from, to) = (question.span()?.start as usize, question.span()?.end as usize);
                let asked = format!(
                    "{}{}{}",
                    &question.text[from..at.start as usize],
                    row(left.1),
                    &question.text[at.end as usize..to]
                );
                return Some((left.1, true, asked));
            }
        }
        let group = self.group_of(table).filter(|group| of.column(&group.column).is_some())?;
        // `and is_super_admin = true` asks for more than a membership.
        let narrows = |token: &Token| {
            name_of(*token, question.text)
                .is_some_and(|word| matches!(word.as_str(), "and" | "or" | "is" | "true" | "false"))
        };
        let roles = question.tokens.iter().any(|token| token.kind == Kind::Text || narrows(token));
        let compared = equalities(question).iter().any(|(left, right, _)| [left.1, right.1].contains(&group.column));
        if roles || compared {
            return None;
        }
        let plain = question.plain();
        let inner = plain.strip_suffix(')')?;
        let called = alias(question).unwrap_or(of.id.name);
        Some((group.column, false, format!("{inner} and {called}.{} = {})", group.column, row(group.column))))
    }
}

/// What `exists (select .. from members m where ..)` calls its table.
fn alias(question: Cursor<'_>) -> Option<Name> {
    let mut outer = question;
    outer.eat("exists");
    let mut of = outer.group()?;
    of.until(&["from"]);
    of.eat("from");
    of.name()?;
    of.eat("as");
    if of.is("where") { None } else { of.ident() }
}

/// Whether a column says whose group a row is.
fn is_group(column: &str) -> bool {
    column.ends_with("_id") && !matches!(column, "user_id" | "auth_id" | "profile_id")
}

/// Whether a question names a role that stands above all groups.
fn stands_above(question: Cursor<'_>) -> bool {
    question.tokens.iter().filter(|token| token.kind == Kind::Text).any(|token| {
        let text = text_of(*token, question.text).to_ascii_lowercase();
        ABOVE_GROUPS.iter().any(|word| text.contains(word))
    })
}

/// The comparisons `a.b = c` in a query, with where each side stands.
fn equalities(question: Cursor<'_>) -> Vec<(Named, Named, [Span; 2])> {
    let tokens = question.tokens;
    let sign = |at: usize, sign: u8| tokens.get(at).is_some_and(|token| token.kind == Kind::Sign(sign));
    let mut found = vec![];
    for at in (1..tokens.len()).filter(|&at| sign(at, b'=')) {
        if matches!(tokens[at - 1].kind, Kind::Sign(_)) {
            continue;
        }
        let name = |at: usize| tokens.get(at).and_then(|token| name_of(*token, question.text));
        let Some(left) = name(at - 1) else { continue };
        let before = (at > 2 && sign(at - 2, b'.')).then(|| name(at - 3)).flatten();
        let Some(first) = name(at + 1) else { continue };
        let (alias, right, last) = match sign(at + 2, b'.').then(|| name(at + 3)).flatten() {
            Some(column) => (Some(first), column, at + 3),
            None => (None, first, at + 1),
        };
        // A function's name is no column.
        if sign(last + 1, b'(') || sign(last + 1, b'.') {
            continue;
        }
        let from = if before.is_some() { at - 3 } else { at - 1 };
        let spans = [
            Span { start: tokens[from].span.start, end: tokens[at - 1].span.end },
            Span { start: tokens[at + 1].span.start, end: tokens[last].span.end },
        ];
        found.push(((before, left), (alias, right), spans));
    }
    found
}
