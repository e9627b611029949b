//! What conditions and queries name that is not there: a column that none of their tables has, a row of a trigger.
//! The database refuses a policy with such a name.
//!
//! Only what is sure: every table that is read is known with all of its columns.

use super::super::cursor::{Cursor, Qualified, name_of};
use super::super::lex::{Kind, Lexer, Token};
use super::super::model::{Id, Table};
use super::Fold;
use crate::facts::Span;
use crate::names::Name;

/// Words that stand where a column could.
const NO_COLUMN: &[&str] = &[
    "true",
    "false",
    "null",
    "any",
    "all",
    "some",
    "array",
    "case",
    "when",
    "then",
    "else",
    "end",
    "and",
    "or",
    "not",
    "is",
    "in",
    "like",
    "ilike",
    "between",
    "from",
    "as",
    "on",
    "where",
    "current_user",
    "session_user",
    "user",
    "current_role",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "interval",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "exists",
    "select",
    "cast",
    "row",
    "distinct",
    "default",
    "value",
    "ctid",
    "oid",
    "tableoid",
    "xmin",
    "unknown",
    "public",
    "similar",
    "collate",
    "at",
    "zone",
];

/// Words behind the name of a table that are no alias of it.
const NO_ALIAS: &[&str] = &[
    "where",
    "on",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "using",
    "group",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "having",
    "for",
    "tablesample",
    "offset",
    "fetch",
    "window",
    "and",
    "or",
    "set",
];

/// Calls in which `from` names no table.
const OWN_FROM: &[&str] = &["extract", "substring", "trim", "overlay", "position"];

/// What a condition reads: the name it goes by, and its table where that is known whole.
type Source<'t> = (Name, Option<&'t Table>);

impl Fold {
    /// Why the database refuses a condition on a table's rows.
    pub(super) fn names_nothing(&self, own: Id, text: &str) -> Option<&'static str> {
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        let sources = self.sources(own, text, &tokens)?;
        (0..tokens.len()).find_map(|at| lacks(text, &tokens, at, &sources))
    }

    /// Everything that is read; none where not all of it can be told.
    fn sources(&self, own: Id, text: &str, tokens: &[Token]) -> Option<Vec<Source<'_>>> {
        let mut found: Vec<Source<'_>> = vec![(own.name, self.whole(own))];
        let mut calls: Vec<bool> = vec![];
        for (at, token) in tokens.iter().enumerate() {
            let mut here = Cursor::new(text, &tokens[at..]);
            match token.kind {
                Kind::Sign(b'(') => {
                    let before = Cursor::new(text, &tokens[at.saturating_sub(1)..]);
                    calls.push(at > 0 && OWN_FROM.iter().any(|word| before.is(word)));
                }
                Kind::Sign(b')') => drop(calls.pop()),
                Kind::Word if here.is("with") => return None,
                Kind::Word if here.is("from") || here.is("join") => {
                    let distinct = at > 0 && Cursor::new(text, &tokens[at - 1..]).is("distinct");
                    if distinct || calls.last() == Some(&true) {
                        continue;
                    }
                    here.next();
                    self.listed(&mut here, &mut found)?;
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// `profiles as p, members m`
    fn listed<'f>(&'f self, here: &mut Cursor<'_>, found: &mut Vec<Source<'f>>) -> Option<()> {
        loop {
            here.eat("only");
            let name: Qualified = here.name()?;
            if here.at_sign(b'(') {
                return None;
            }
            let as_ = here.eat("as");
            let mut after = *here;
            let alias = after.ident().filter(|_| as_ || !NO_ALIAS.iter().any(|word| here.is(word)));
            if alias.is_some() {
                *here = after;
            }
            found.push((alias.unwrap_or(name.name), self.whole(Id::of(name))));
            if !here.sign(b',') {
                return Some(());
            }
        }
    }

    /// A table of which all columns are known.
    fn whole(&self, id: Id) -> Option<&Table> {
        let table = self.tables.get(&id)?;
        table.is_whole().then_some(&**table)
    }
}

/// Whether a token names a column that is not there.
fn lacks(text: &str, tokens: &[Token], at: usize, sources: &[Source<'_>]) -> Option<&'static str> {
    let name = name_of(tokens[at], text)?;
    let sign = |at: usize| match tokens.get(at).map(|token| token.kind) {
        Some(Kind::Sign(sign)) => sign,
        _ => 0,
    };
    let before = at.checked_sub(1).map_or(0, sign);
    if matches!(before, b'.' | b':') {
        return None;
    }
    if sign(at + 1) == b'.' {
        let column = name_of(*tokens.get(at + 2)?, text)?;
        if matches!(sign(at + 3), b'.' | b'(') {
            return None;
        }
        let mut of = sources.iter().filter(|(known, _)| *known == name).peekable();
        if of.peek().is_none() {
            // The rows of a trigger.
            return matches!(name.as_str(), "old" | "new").then_some("undefined_table");
        }
        return of.all(|(_, table)| table.is_some_and(|table| !has(table, column))).then_some("undefined_column");
    }
    let here = Cursor::new(text, &tokens[at..]);
    if NO_COLUMN.iter().any(|word| here.is(word)) || sign(at + 1) == b'(' {
        return None;
    }
    // Only where it is compared: names of types, languages and arguments stand elsewhere.
    let next = Cursor::new(text, &tokens[at + 1..]);
    let named_argument = sign(at + 1) == b'=' && sign(at + 2) == b'>';
    let compared = matches!(sign(at + 1), b'=' | b'<' | b'>' | b'!')
        || ["is", "in", "not in", "like", "ilike", "between"].iter().any(|words| next.are(words));
    let behind = before == b'=' && at.checked_sub(2).is_none_or(|at| sign(at) != b':');
    if named_argument || !(compared || behind) {
        return None;
    }
    let nowhere = sources
        .iter()
        .all(|(known, table)| *known != name && table.is_some_and(|table| table.id.name != name && !has(table, name)));
    (nowhere && !sources.is_empty()).then_some("undefined_column")
}

fn has(table: &Table, column: Name) -> bool {
    matches!(column.as_str(), "ctid" | "oid" | "tableoid" | "xmin" | "xmax") || table.column(&column).is_some()
}
