//! `grant`, `revoke`, `alter default privileges`: as far as rows of tables are concerned.

use super::Reader;
use crate::facts::Span;
use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Grant, GrantOn, Rights, What};

impl Reader<'_> {
    pub(super) fn grant(&mut self, mut cursor: Cursor<'_>, span: Option<Span>, gives: bool) {
        cursor.eat("grant option for");
        let Some(rights) = rights(&mut cursor) else { return };
        let on = if cursor.eat("all tables in schema") {
            GrantOn::AllIn(cursor.names().into_iter().map(|name| name.name).collect())
        } else {
            let kinds = [
                "schema",
                "function",
                "all functions",
                "sequence",
                "all sequences",
                "procedure",
                "type",
                "database",
                "language",
                "routine",
                "all routines",
                "all procedures",
                "foreign",
                "domain",
                "large object",
                "parameter",
                "tablespace",
            ];
            if kinds.iter().any(|kind| cursor.are(kind)) {
                return;
            }
            cursor.eat("table");
            GrantOn::Tables(cursor.names())
        };
        let Some(roles) = roles(&mut cursor) else { return };
        self.add(span, What::Grant(Box::new(Grant { gives, rights, on, roles })));
    }

    pub(super) fn default_privileges(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let mut schema = None;
        loop {
            if cursor.eat("for role") || cursor.eat("for user") {
                cursor.names();
            } else if cursor.eat("in schema") {
                schema = cursor.ident();
            } else {
                break;
            }
        }
        let gives = cursor.eat("grant");
        if !gives && !cursor.eat("revoke") {
            return;
        }
        let Some(rights) = rights(&mut cursor) else { return };
        if !cursor.eat("tables") {
            return;
        }
        let Some(roles) = roles(&mut cursor) else { return };
        self.add(span, What::Grant(Box::new(Grant { gives, rights, on: GrantOn::Later(schema), roles })));
    }
}

/// What is granted, up to `on`; none where it is a role.
fn rights(cursor: &mut Cursor<'_>) -> Option<Rights> {
    let mut rights = Rights::default();
    let list = cursor.until(&["on", "to", "from"]);
    if !cursor.eat("on") {
        return None;
    }
    for item in list.items() {
        // Rights over some columns: a part of the table's, which takes none of them away.
        rights = rights.with(match item.tokens.first().map(|token| item.raw(*token).to_ascii_lowercase()).as_deref() {
            Some("all" | "usage") => Rights::ALL,
            Some("select") => Rights::SELECT,
            Some("insert") => Rights::INSERT,
            Some("update") => Rights::UPDATE,
            Some("delete") => Rights::DELETE,
            _ => Rights::default(),
        });
        if item.tokens.iter().any(|token| matches!(token.kind, crate::sql::lex::Kind::Sign(b'('))) {
            return None;
        }
    }
    Some(rights)
}

fn roles(cursor: &mut Cursor<'_>) -> Option<Vec<Name>> {
    if !cursor.eat("to") && !cursor.eat("from") {
        return None;
    }
    cursor.eat("group");
    Some(cursor.names().into_iter().map(|name| name.name).collect())
}
