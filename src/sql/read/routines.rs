//! Functions, triggers, views, publications.

use super::Reader;
use super::calls::requests;
use crate::facts::Span;
use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::lex::{Kind, Lexer, Token, inside, text_of};
use crate::sql::statement::{Function, Publish, Trigger, View, ViewChange, What};

impl Reader<'_> {
    pub(super) fn create_function(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let Some(name) = cursor.name() else { return };
        let group = cursor.group();
        let takes = group.map(|inside| inside.plain().to_ascii_lowercase()).unwrap_or_default();
        let parameters = group.map(parameters).unwrap_or_default();
        let (mut security_definer, mut returns_trigger, mut sets_search_path) = (false, false, false);
        let mut body: Option<Token> = None;
        while !cursor.is_done() {
            if cursor.eat("security definer") {
                security_definer = true;
            } else if cursor.eat("returns trigger") || cursor.eat("returns event_trigger") {
                returns_trigger = true;
            } else if cursor.eat("set search_path") {
                sets_search_path = true;
            } else if cursor.eat("as") {
                let first = cursor.tokens.first().copied();
                body = first.filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text)).or(body);
            } else {
                cursor.next();
            }
        }
        let text = body.map(|body| text_of(body, self.text)).unwrap_or_default();
        let body_span = body.filter(|_| self.fixed.is_none()).and_then(|body| inside(body, self.text));
        let asks = ["net.http", "http((", "http_post(", "http_get("].iter().any(|call| text.contains(call));
        let requests = match (body_span, asks) {
            (_, false) => vec![],
            (Some(part), true) => {
                let tokens: Vec<Token> = Lexer::new(self.text, part).collect();
                requests(self.text, &tokens, None)
            }
            (None, true) => requests_in(&text, self.place(body.map(|body| body.span).unwrap_or_default())),
        };
        self.add(
            span,
            What::CreateFunction(Box::new(Function {
                name,
                security_definer,
                returns_trigger,
                sets_search_path,
                parameters,
                takes: takes.into(),
                body: text.into(),
                requests,
            })),
        );
    }

    pub(super) fn create_trigger(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let Some(name) = cursor.ident() else { return };
        cursor.until(&["on"]);
        cursor.eat("on");
        let Some(table) = cursor.name() else { return };
        cursor.until(&["execute"]);
        if !cursor.eat("execute function") && !cursor.eat("execute procedure") {
            return;
        }
        let Some(function) = cursor.name() else { return };
        let arguments = cursor.group().map(Cursor::items).unwrap_or_default();
        let arguments = arguments.into_iter().filter_map(|mut argument| argument.string()).collect();
        self.add(span, What::CreateTrigger(Trigger { name, table, function, arguments }));
    }

    pub(super) fn create_event_trigger(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let Some(name) = cursor.ident() else { return };
        if !cursor.eat("on ddl_command_end") {
            return;
        }
        cursor.until(&["execute"]);
        if (cursor.eat("execute function") || cursor.eat("execute procedure"))
            && let Some(function) = cursor.name()
        {
            self.add(span, What::EventTrigger { name, function });
        }
    }

    pub(super) fn create_view(&mut self, mut cursor: Cursor<'_>, span: Option<Span>, materialized: bool) {
        cursor.eat("if not exists");
        let Some(name) = cursor.name() else { return };
        let invoker = invoker(cursor.until(&["as"])) == Some(true);
        cursor.eat("as");
        let query = cursor.plain().into();
        self.add(span, What::CreateView(Box::new(View { name, invoker, materialized, query })));
    }

    /// `alter view v set (security_invoker = on)`, `alter view v rename to w`.
    pub(super) fn alter_view(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        cursor.eat("if exists");
        let Some(view) = cursor.name() else { return };
        let change = if cursor.eat("rename to") {
            cursor.ident().map(ViewChange::Rename)
        } else if cursor.eat("set schema") {
            cursor.ident().map(ViewChange::Schema)
        } else if cursor.eat("set") {
            invoker(cursor).map(ViewChange::Invoker)
        } else if cursor.eat("reset") {
            invoker(cursor).map(|_| ViewChange::Invoker(false))
        } else {
            None
        };
        if let Some(change) = change {
            self.add(span, What::AlterView { view, change });
        }
    }

    /// `create publication p for table a, b`, `alter publication p add table a`.
    pub(super) fn publication(&mut self, mut cursor: Cursor<'_>, span: Option<Span>, makes: bool) {
        let Some(publication) = cursor.ident() else { return };
        if cursor.eat("for all tables") {
            return self.add(span, What::Publish { publication, tables: vec![], how: Publish::All });
        }
        let how = match cursor.eat_any(&["for table", "add table", "set table", "drop table"]) {
            Some("add table") => Publish::Add,
            Some("drop table") => Publish::Remove,
            Some(_) => Publish::Set,
            None if makes => Publish::Set,
            None => return,
        };
        let mut tables = vec![];
        for mut part in cursor.items() {
            part.eat("table");
            part.eat("only");
            tables.extend(part.name());
        }
        self.add(span, What::Publish { publication, tables, how });
    }
}

/// Whether a view's options have it ask with the rights of who reads it; none when they say nothing of it.
fn invoker(options: Cursor<'_>) -> Option<bool> {
    let plain = options.plain().to_ascii_lowercase();
    let (_, value) = plain.split_once("security_invoker")?;
    let value = value.split(',').next().unwrap_or(value);
    Some(!["false", "off", "no", "0"].iter().any(|off| value.contains(off)))
}

fn parameters(inside: Cursor<'_>) -> Vec<Name> {
    let each = inside.items().into_iter().filter_map(|mut item| {
        while item.eat_any(&["in", "out", "inout", "variadic"]).is_some() {}
        item.ident()
    });
    each.collect()
}

/// The requests in text that is not written as it is read.
pub(super) fn requests_in(text: &str, at: Span) -> Vec<crate::sql::statement::Request> {
    let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
    requests(text, &tokens, Some(at))
}
