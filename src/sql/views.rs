//! What views show of their tables, past the row level security of those: a view asks with the rights of who made it
//! unless it says otherwise, and can be written through while it is simple.

use super::cursor::Cursor;
use super::lex::{Kind, Lexer, Token};
use super::model::{History, Id, Policy, RowSecurity, Table, View};
use super::openness::Opens;
use super::statement::{Command, Rights};
use crate::facts::Span;
use crate::names::Name;

/// What ends the list of what a query reads from.
const AFTER_FROM: &[&str] =
    &["where", "group", "order", "having", "limit", "offset", "window", "union", "except", "intersect", "fetch", "for"];

/// Words in a condition on rows that were given free to see.
const FREE: &[&str] = &["public", "published", "visible", "visibility", "listed", "shared", "approved", "discoverable"];

/// A view that shows rows past their table's row level security.
#[derive(Debug)]
pub struct Passing<'h> {
    /// The table.
    pub table: &'h Table,
    /// All tables that the view reads.
    sources: Vec<&'h Table>,
    /// The columns of it that are shown as they are.
    pub columns: Vec<Name>,
    /// What may be done with the rows through the view, and by whom at most.
    pub rights: Rights,
    /// Whether the table's own policies let everybody read whom the view lets in.
    pub is_read_anyway: bool,
    /// Who holds the right to read it.
    pub to: Opens,
    /// Its query again, without some of the columns.
    query: Query<'h>,
}

/// A query as far as it is read: `select <list> <rest>`.
#[derive(Debug)]
struct Query<'h> {
    items: Vec<Item>,
    rest: &'h str,
}

/// What one item of the list shows.
#[derive(Debug)]
struct Item {
    /// As it is written.
    text: String,
    /// The column: of which table (none where there is one only), and its name.
    column: Option<(Option<Name>, Name)>,
    /// All columns, of one table or of all.
    star: Option<Option<Name>>,
}

impl Passing<'_> {
    /// The query without some columns of its table, when it can be told.
    pub fn without(&self, hidden: &[Name]) -> Option<String> {
        let mut shown: Vec<String> = vec![];
        for item in &self.query.items {
            match (&item.star, &item.column) {
                (Some(_), _) => {
                    let columns = self.table.columns.iter().map(|column| column.name);
                    shown.extend(columns.filter(|name| !hidden.contains(name)).map(|name| super::quoted(&name)));
                }
                (None, Some((_, name))) if hidden.contains(name) => {}
                _ => shown.push(item.text.clone()),
            }
        }
        (!shown.is_empty()).then(|| format!("select {} {}", shown.join(", "), self.query.rest))
    }

    /// The tables of the view that administrators would not read all of with their own rights.
    pub fn kept_from_admins(&self) -> Vec<Id> {
        let lets_in = |policy: &Policy| {
            let asks = policy.using.as_deref().unwrap_or("").to_ascii_lowercase();
            policy.permissive
                && matches!(policy.command, Command::Select | Command::All)
                && (asks.contains("admin") || asks.trim_matches(['(', ')', ' ']) == "true")
        };
        let kept =
            |table: &&&Table| matches!(table.security, RowSecurity::On(_)) && !table.policies.iter().any(lets_in);
        self.sources.iter().filter(kept).map(|table| table.id).collect()
    }
}

impl History {
    /// What a view shows past the row level security of a table, if it does.
    pub fn passing<'h>(&'h self, id: Id, view: &'h View) -> Option<Passing<'h>> {
        if view.invoker || view.materialized || !self.exposed || !self.schemas.contains(&id.schema) {
            return None;
        }
        let text: &str = &view.query;
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        let mut cursor = Cursor::new(text, &tokens);
        if !cursor.eat("select") || self.looks_at_session(text) {
            return None;
        }
        let distinct = cursor.eat("distinct");
        if cursor.is("on") {
            return None;
        }
        let list = cursor.until(&["from"]);
        let whole = cursor;
        if !cursor.eat("from") {
            return None;
        }
        let sources = self.sources(cursor.until(AFTER_FROM))?;
        let mut end = cursor;
        let filters = end.until(&["group", "having", "limit", "offset", "window", "union", "except", "intersect"]);
        let free = words_of(filters).any(|word| FREE.iter().any(|free| word.contains(free)));
        let folds = |word: &str| ["union", "except", "intersect"].contains(&word);
        if free || words_of(end).any(|word| folds(&word)) {
            return None;
        }
        let items: Vec<Item> = list.items().into_iter().map(item).collect();
        // One that counts or sums shows rows no more.
        let sums = items.iter().any(|item| item.column.is_none() && item.star.is_none() && aggregates(&item.text));
        let simple = !distinct && !sums && end.is_done() && sources.len() == 1;
        let mut found = sources.iter().filter_map(|(alias, table)| {
            let columns = shown(&items, *alias, table, sources.len() == 1);
            let secret = [table.credentials(), table.personal()].concat();
            let writes = if simple && !columns.is_empty() {
                view.rights.anon.with(view.rights.authenticated)
            } else {
                Rights::default()
            };
            let told = columns.iter().any(|column| secret.contains(column));
            let is_open = table.policies.iter().filter_map(|policy| policy.opening(table));
            let is_open = is_open.fold(Rights::default(), |all, opening| all.with(opening.commands));
            let guarded = matches!(table.security, RowSecurity::On(_));
            let rights = writes.without(is_open).without(Rights::SELECT);
            let rights = if told && !is_open.any(Rights::SELECT) { rights.with(Rights::SELECT) } else { rights };
            (guarded && rights.any(Rights::ALL)).then_some((columns, *table, rights, is_open.any(Rights::SELECT)))
        });
        let (columns, table, rights, is_read_anyway) = found.next()?;
        let to = if view.rights.anon.with(view.rights.public).any(Rights::SELECT) {
            Opens::Everyone
        } else if view.rights.authenticated.any(Rights::SELECT) {
            Opens::SignedIn
        } else {
            return None;
        };
        let rest = whole.span().map_or("", |span| &text[span.start as usize..span.end as usize]);
        let sources = sources.iter().map(|(_, table)| *table).collect();
        Some(Passing { table, sources, columns, rights, is_read_anyway, to, query: Query { items, rest } })
    }

    /// Whether a query asks who is asking.
    fn looks_at_session(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        [
            "auth.uid",
            "auth.jwt",
            "auth.role",
            "auth.email",
            "current_setting",
            "current_user",
            "session_user",
            "request.",
        ]
        .iter()
        .any(|word| lower.contains(word))
            || self.functions.iter().any(|(id, function)| {
                !function.returns_trigger
                    && lower.contains(&format!("{}(", id.name))
                    && function.body.to_ascii_lowercase().contains("auth.")
            })
    }

    /// What a query reads from, each under the name that it has in the query; none where it is not all tables.
    fn sources(&self, from: Cursor<'_>) -> Option<Vec<(Name, &Table)>> {
        let mut found = vec![];
        for part in from.items() {
            let mut part = part;
            loop {
                part.eat("only");
                let id = Id::of(part.name()?);
                part.eat("as");
                let joins = ["join", "left", "right", "inner", "full", "cross", "natural", "on", "using"];
                let alias = if joins.iter().any(|word| part.is(word)) { None } else { part.ident() };
                // A view over a view, or a table made by hand, says nothing.
                if let Some(table) = self.table(id) {
                    found.push((alias.unwrap_or(id.name), table));
                } else {
                    return None;
                }
                part.until(&["join"]);
                if !part.eat("join") {
                    break;
                }
                part.eat("lateral");
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

/// The columns of a table that some items show.
fn shown(items: &[Item], alias: Name, table: &Table, only: bool) -> Vec<Name> {
    let mut found = vec![];
    for item in items {
        match (&item.star, item.column) {
            (Some(of), _) if of.is_none_or(|of| of == alias) => {
                found.extend(table.columns.iter().map(|column| column.name));
            }
            (None, Some((of, name))) if of.map_or(only, |of| of == alias) => {
                found.extend(table.column(&name).map(|column| column.name));
            }
            _ => {}
        }
    }
    found
}

fn item(mut cursor: Cursor<'_>) -> Item {
    let text = cursor.plain();
    let nothing = Item { text: text.clone(), column: None, star: None };
    if cursor.sign(b'*') {
        return Item { star: Some(None), ..nothing };
    }
    let plain: String = text.split_whitespace().collect();
    if let Some(of) = plain.strip_suffix(".*") {
        return Item { star: Some(Some(Name::new(of))), ..nothing };
    }
    let Some(name) = cursor.name() else { return nothing };
    let cast = cursor.sign(b':');
    let named = cursor.is_done() || cast || cursor.eat("as") || matches!(cursor.tokens, [_]);
    if !named {
        return nothing;
    }
    Item { column: Some((name.schema, name.name)), ..nothing }
}

fn words_of(cursor: Cursor<'_>) -> impl Iterator<Item = String> + '_ {
    let words = cursor.tokens.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Text));
    words.map(move |token| cursor.raw(*token).to_ascii_lowercase())
}

/// Whether an item makes one value of many rows.
fn aggregates(text: &str) -> bool {
    const FUNCTIONS: &[&str] =
        &["count(", "sum(", "avg(", "min(", "max(", "array_agg(", "string_agg(", "json_agg(", "jsonb_agg(", "over("];
    let plain: String = text.to_ascii_lowercase().split_whitespace().collect();
    FUNCTIONS.iter().any(|function| plain.contains(function))
}
