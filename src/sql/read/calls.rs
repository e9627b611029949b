//! Statements that call: schedules, requests, functions that change the schema; and rows of the lists that the
//! platform keeps: buckets.

use super::routines::requests_in;
use super::{Reader, lists};
use crate::facts::Span;
use crate::names::Name;
use crate::sql::cursor::{Cursor, Qualified};
use crate::sql::lex::{Kind, Lexer, Token, inside, text_of};
use crate::sql::statement::{Buckets, Filter, Given, Request, Schedule, Test, What};

impl Reader<'_> {
    pub(super) fn calls(&mut self, cursor: Cursor<'_>, span: Option<Span>) {
        let (mut rest, mut first) = (cursor, true);
        while !rest.is_done() {
            let starts = std::mem::take(&mut first);
            let mut after = rest;
            if let Some(name) = after.name()
                && after.at_sign(b'(')
                && let Some(arguments) = after.group()
            {
                if name.schema.is_some_and(|schema| schema == "cron") {
                    self.cron(name.name, arguments, cursor, span);
                } else if starts && name.name == "set_config" {
                    let mut items = arguments.items();
                    if items.first_mut().and_then(|item| item.string()).is_some_and(|of| of == "search_path")
                        && let Some(&path) = items.get(1)
                    {
                        self.looked_for_in(path, span);
                    }
                } else if starts {
                    let arguments = arguments.items().into_iter().map(given).collect();
                    self.add(span, What::Call { function: name, arguments });
                }
            }
            rest.next();
        }
    }

    fn cron(&mut self, call: Name, arguments: Cursor<'_>, statement: Cursor<'_>, span: Option<Span>) {
        let mut items = arguments.items();
        if call == "unschedule" {
            let name = items.first_mut().and_then(|item| {
                named(item);
                item.string()
            });
            let by_name = |name| {
                let test = Test { column: Name::new("jobname"), wanted: true, values: vec![name] };
                Filter { tests: vec![vec![test]], whole: true }
            };
            // By an id: that of the jobs that were asked for.
            let which = name.map(by_name).or_else(|| lists::jobs(statement)).or_else(|| self.asked.clone());
            if let Some(which) = which {
                self.add(span, What::Unschedule(which));
            }
            return;
        }
        if call != "schedule" && call != "schedule_in_database" {
            return;
        }
        let names: Vec<Option<String>> = items.iter_mut().map(named).collect();
        let at = |wanted: &str, position: usize| {
            let by_name = names.iter().position(|name| name.as_deref() == Some(wanted));
            by_name.or((position < items.len() && names[position].is_none()).then_some(position)).map(|at| items[at])
        };
        // Of two arguments the first is the schedule.
        let shift = usize::from(items.len() > 2);
        let name = if shift == 1 { at("job_name", 0).and_then(|mut item| item.string()) } else { None };
        let (Some(schedule), Some(command)) = (at("schedule", shift), at("command", shift + 1)) else { return };
        let schedule_span = self.place(schedule.span().unwrap_or_default());
        let mut text = schedule;
        let schedule = text.string().map(Into::into);
        let (said, requests, calls) = self.command(command);
        let name = name.map(|name| Name::new(&name));
        let job = Schedule { name, schedule, schedule_span, command: said.into(), requests, calls };
        self.add(span, What::Schedule(Box::new(job)));
    }

    /// What a job runs: its text, the requests in it, the functions it calls.
    fn command(&self, command: Cursor<'_>) -> (String, Vec<Request>, Vec<Qualified>) {
        let strings: Vec<Token> =
            command.tokens.iter().filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text)).copied().collect();
        // One string is the command; several, or a call around them, are parts of it.
        if let [string] = strings[..]
            && self.fixed.is_none()
            && let Some(part) = inside(string, self.text)
        {
            let tokens: Vec<Token> = Lexer::new(self.text, part).collect();
            let said = self.text[part.start as usize..part.end as usize].trim().to_owned();
            return (said, requests(self.text, &tokens, None), called(self.text, &tokens));
        }
        let said: String = strings.iter().map(|string| text_of(*string, self.text)).collect();
        let at = self.place(command.span().unwrap_or_default());
        let tokens: Vec<Token> = Lexer::new(&said, Span { start: 0, end: said.len() as u32 }).collect();
        let (requests, calls) = (requests_in(&said, at), called(&said, &tokens));
        (said, requests, calls)
    }

    /// `insert into storage.buckets (id, name, public) values (..), (..)`.
    pub(super) fn insert(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        if !(cursor.eat("into") && cursor.eat("storage") && cursor.sign(b'.') && cursor.eat("buckets")) {
            return;
        }
        let Some(columns) = cursor.group() else { return };
        let columns: Vec<Option<Name>> = columns.items().into_iter().map(|mut item| item.ident()).collect();
        let at = |wanted: &str| columns.iter().position(|column| column.is_some_and(|column| column == wanted));
        let mut rows: Vec<(Name, bool)> = vec![];
        let mut row = |values: Vec<Cursor<'_>>| {
            let id = at("id").or(at("name")).and_then(|at| values.get(at).copied()).and_then(|mut id| id.string());
            let public = at("public").and_then(|at| values.get(at)).is_some_and(|value| value.is("true"));
            rows.extend(id.map(|id| (Name::new(&id), public)));
        };
        if cursor.eat("select") {
            row(cursor.until(&["from", "where", "on"]).items());
        } else if cursor.eat("values") {
            while let Some(values) = cursor.group() {
                row(values.items());
                if !cursor.sign(b',') {
                    break;
                }
            }
        }
        // `on conflict (id) do update set public = excluded.public`
        cursor.until(&["conflict"]);
        cursor.until(&["update"]);
        cursor.until(&["public"]);
        let set = (cursor.eat("public") && cursor.sign(b'=')).then_some(cursor);
        for (id, public) in rows {
            let set = set.map(|set| if set.is("excluded") { public } else { set.is("true") });
            self.add(span, What::Buckets(Buckets { ids: vec![id], made: Some(public), set, gone: false }));
        }
    }

    /// `update storage.buckets set public = false where id = 'x'`.
    pub(super) fn update(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        if !(cursor.eat("storage") && cursor.sign(b'.') && cursor.eat("buckets")) {
            return;
        }
        let mut set = cursor.until(&["where"]);
        set.until(&["public"]);
        if set.eat("public") && set.sign(b'=') {
            self.those(cursor, span, Buckets { set: Some(set.is("true")), ..Buckets::default() });
        }
    }

    /// `delete from storage.buckets where id = 'x'`, `delete from cron.job where jobname = 'x'`.
    pub(super) fn delete(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        if let Some(which) = lists::jobs(cursor) {
            return self.add(span, What::Unschedule(which));
        }
        if cursor.eat("from") && cursor.eat("storage") && cursor.sign(b'.') && cursor.eat("buckets") {
            self.those(cursor, span, Buckets { gone: true, ..Buckets::default() });
        }
    }

    /// The buckets that a condition names; without one all of them.
    fn those(&mut self, condition: Cursor<'_>, span: Option<Span>, change: Buckets) {
        let texts = condition.tokens.iter().filter(|token| token.kind == Kind::Text);
        let ids: Vec<Name> = texts.map(|id| Name::new(&text_of(*id, self.text))).collect();
        if !ids.is_empty() || condition.is_done() {
            self.add(span, What::Buckets(Buckets { ids, ..change }));
        }
    }
}

/// What is written for a parameter: `'notes'`, `false`, `null::text`; none for anything else.
pub(super) fn given(mut item: Cursor<'_>) -> Option<Given> {
    let all = item;
    if let Some(text) = item.string() {
        return Some(Given::Text(text));
    }
    let [first, rest @ ..] = all.tokens else { return None };
    let cast = rest.is_empty() || rest[0].kind == Kind::Sign(b':');
    let said = all.raw(*first).to_ascii_lowercase();
    match first.kind {
        Kind::Word if cast && said == "null" => Some(Given::Null),
        Kind::Word if cast && matches!(said.as_str(), "true" | "false") => Some(Given::Text(said)),
        Kind::Number if cast => Some(Given::Text(said)),
        _ => None,
    }
}

/// The name of an argument (`url := ..`, `url => ..`), gone past.
fn named(item: &mut Cursor<'_>) -> Option<String> {
    let mut after = *item;
    let name = after.word()?;
    if (after.sign(b':') && after.sign(b'=')) || (after.sign(b'=') && after.sign(b'>')) {
        *item = after;
        return Some(name);
    }
    None
}

/// The functions that are called by their plain name.
fn called(text: &str, tokens: &[Token]) -> Vec<Qualified> {
    let mut rest = Cursor::new(text, tokens);
    let mut found = vec![];
    while !rest.is_done() {
        let mut after = rest;
        if let Some(name) = after.name() {
            let ours = name.schema.is_none_or(|schema| !matches!(schema.as_str(), "net" | "cron" | "vault"));
            if after.at_sign(b'(') && ours && !found.contains(&name) {
                found.push(name);
            }
            rest = after;
        } else {
            rest.next();
        }
    }
    found
}

/// The HTTP requests among some tokens.
pub(super) fn requests(text: &str, tokens: &[Token], fixed: Option<Span>) -> Vec<Request> {
    const METHODS: &[(&str, &str)] = &[("http_post", "post"), ("http_get", "get"), ("http_delete", "delete")];
    let mut rest = Cursor::new(text, tokens);
    let mut found = vec![];
    while let Some(token) = rest.tokens.first().copied() {
        let mut after = rest;
        let name = after.name();
        // A qualified name is gone past whole: `http_post` of `net.http_post` is no second call.
        match name {
            Some(_) => rest = after,
            None => drop(rest.next()),
        }
        let Some(name) = name.filter(|name| name.schema.is_none_or(|schema| schema == "net" || schema == "extensions"))
        else {
            continue;
        };
        if name.name == "http" {
            found.extend(whole_request(text, tokens, after, fixed.unwrap_or(token.span)));
            continue;
        }
        let Some(&(_, method)) = METHODS.iter().find(|(known, _)| name.name == *known) else { continue };
        let Some(arguments) = after.group() else { continue };
        let mut items = arguments.items();
        let names: Vec<Option<String>> = items.iter_mut().map(named).collect();
        let by_name = |wanted: &str| names.iter().position(|name| name.as_deref() == Some(wanted)).map(|at| items[at]);
        let first = items.first().copied().filter(|_| names[0].is_none());
        let url = by_name("url").or(first).map(|url| address(text, tokens, url)).unwrap_or_default();
        // By position: url, body, params, headers; reading has no body.
        let position = if method == "get" { 2 } else { 3 };
        let by_position = || items.get(position).copied().filter(|_| names[position].is_none());
        let headers = by_name("headers").or_else(by_position).map(|headers| headers.plain()).unwrap_or_default();
        found.push(Request { method, url: url.into(), headers: headers.into(), span: fixed.unwrap_or(token.span) });
    }
    found
}

/// `http(('POST', url, headers, type, body)::http_request)`: the request in one value.
fn whole_request(text: &str, tokens: &[Token], mut after: Cursor<'_>, span: Span) -> Option<Request> {
    let parts = after.group()?.group()?.items();
    let [method, url, rest @ ..] = &parts[..] else { return None };
    let mut method = *method;
    let method = match method.string()?.to_ascii_lowercase().as_str() {
        "get" => "get",
        "delete" => "delete",
        _ => "post",
    };
    let headers = rest.first().map(|headers| headers.plain()).unwrap_or_default();
    Some(Request { method, url: address(text, tokens, *url).into(), headers: headers.into(), span })
}

/// The address of a request: written there, or put together in a variable before.
fn address(text: &str, tokens: &[Token], expression: Cursor<'_>) -> String {
    let mut one = expression;
    match one.ident().filter(|_| one.is_done()) {
        Some(variable) => assigned(text, tokens, &variable).unwrap_or_else(|| "{}".to_owned()),
        None => shape(expression),
    }
}

/// `address := base || '/functions/v1/daily';`: the first that says a path.
fn assigned(text: &str, tokens: &[Token], variable: &str) -> Option<String> {
    let mut rest = Cursor::new(text, tokens);
    while !rest.is_done() {
        let mut after = rest;
        let named = after.ident().is_some_and(|name| name == variable);
        rest.next();
        if !named {
            continue;
        }
        // `address text := ..` where it is declared.
        if !after.is("default") && after.tokens.first().is_some_and(|token| token.kind == Kind::Word) {
            after.next();
        }
        if after.sign(b':') && after.sign(b'=') || after.eat("default") {
            let value = after.split(|token| token.kind == Kind::Sign(b';')).into_iter().next()?;
            let said = shape(value);
            if said.contains('/') {
                return Some(said);
            }
        }
    }
    None
}

/// A text expression with `{}` for what is not written.
fn shape(expression: Cursor<'_>) -> String {
    let mut said = String::new();
    for part in expression.split(|token| token.kind == Kind::Sign(b'|')) {
        let mut part = part;
        if part.is_done() {
            continue;
        }
        match part.string() {
            Some(text) => said.push_str(&text),
            None => match part.group().filter(|_| part.is_done()) {
                Some(inner) if !inner.is("select") => said.push_str(&shape(inner)),
                _ => said.push_str("{}"),
            },
        }
    }
    said
}
