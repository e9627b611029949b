//! A file to [`Statement`]s: what each does, by a reader that knows the statements the model asks for and goes past
//! all others. Written by hand, because what has to be read is half inside strings (`DO` bodies, `EXECUTE` texts,
//! bodies of jobs), which parsers of the language leave alone.

use super::cursor::{Cursor, Qualified};
use super::lex::{Kind, Token, inside, text_of};
use super::split::statements;
use super::statement::{Block, Dropped, Given, Handler, Publish, Statement, What};
use crate::facts::Span;
use crate::names::Name;

mod blocks;
mod calls;
mod grants;
mod guards;
mod lists;
mod policies;
mod routines;
mod tables;
pub mod templates;

/// How deep bodies may lie in bodies.
const DEPTH: usize = 6;

/// Reads the statements of a file.
pub fn read(text: &str) -> Vec<Statement> {
    let mut reader = Reader::new(text, None);
    reader.all(Span { start: 0, end: text.len() as u32 });
    reader.found
}

/// Reads text that a statement made and runs: all of it stands where that statement stands.
pub fn read_made(text: &str, at: Span) -> Vec<Statement> {
    let mut reader = Reader::new(text, Some(at));
    reader.all(Span { start: 0, end: text.len() as u32 });
    reader.found
}

/// Reads the body of a function that is called, with what its parameters stand for.
pub fn read_body(text: &str, at: Span, known: &[(Name, Given)]) -> Vec<Statement> {
    let mut reader = Reader::new(text, Some(at));
    let tokens: Vec<Token> = super::lex::Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
    reader.block(&tokens, known);
    reader.together(0, true, vec![]);
    reader.found
}

/// What the parameters of a function stand for when they are left out: `p_open boolean default false`.
pub fn defaults(takes: &str) -> Vec<Option<Given>> {
    let tokens: Vec<Token> = super::lex::Lexer::new(takes, Span { start: 0, end: takes.len() as u32 }).collect();
    let each = Cursor::new(takes, &tokens).items().into_iter();
    // Texts are kept in small letters there.
    let plain = |given: &Given| match given {
        Given::Null => true,
        Given::Text(text) => matches!(text.as_str(), "true" | "false"),
    };
    let given = |mut parameter: Cursor<'_>| {
        parameter.until(&["default"]);
        let left_out = parameter.eat("default");
        calls::given(parameter).filter(|given| left_out && plain(given))
    };
    each.map(given).collect()
}

/// Whether a statement's head says that what is there, or is not, is no failure.
fn eased(behind: Cursor<'_>, word: &str) -> bool {
    let head = if word == "alter" { 2 } else { 5 };
    (0..head).any(|at| {
        let here = Cursor { text: behind.text, tokens: behind.tokens.get(at..).unwrap_or_default() };
        here.are("if exists") || here.are("if not exists") || (at == 0 && here.are("or replace"))
    })
}

/// Takes the returns out, and says whether there were any.
fn has_return(statements: &mut Vec<Statement>) -> bool {
    let before = statements.len();
    statements.retain(|statement| !matches!(statement.what, What::Return));
    let mut found = statements.len() < before;
    for statement in statements {
        match &mut statement.what {
            What::Maybe(inner) => found |= has_return(inner),
            What::If { then, otherwise, .. } => found |= has_return(then) | has_return(otherwise),
            What::Block(block) => found |= has_return(&mut block.body),
            _ => {}
        }
    }
    found
}

/// Reads one text.
struct Reader<'t> {
    text: &'t str,
    /// Where all of it stands, when it is no part of the file as it is written.
    fixed: Option<Span>,
    depth: usize,
    found: Vec<Statement>,
    /// The statement that is read says `if exists` or the like.
    eased: bool,
    /// Code may return before all of it has run.
    returns: bool,
    /// The branches it is in.
    branches: Vec<blocks::Branch>,
    /// The scheduled jobs that were asked for last.
    asked: Option<super::statement::Filter>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, fixed: Option<Span>) -> Self {
        Self { text, fixed, depth: 0, found: vec![], eased: false, returns: false, branches: vec![], asked: None }
    }

    fn all(&mut self, part: Span) {
        let cut = statements(self.text, part);
        cut.each().for_each(|tokens| self.statement(tokens));
    }

    /// The place of something in the file.
    fn place(&self, span: Span) -> Span {
        self.fixed.unwrap_or(span)
    }

    fn add(&mut self, span: Option<Span>, what: What) {
        let span = self.place(span.unwrap_or_default());
        self.found.push(Statement { span, what, eased: self.eased });
    }

    /// A statement that the database does not take.
    fn refused(&mut self, span: Option<Span>) {
        self.add(span, What::Refused("syntax_error"));
    }

    /// A statement's start, to the end of what was read between two cursors.
    fn head(&self, statement: Option<Span>, from: Cursor<'_>, to: Cursor<'_>) -> Span {
        let read = &from.tokens[..from.tokens.len() - to.tokens.len()];
        let end = read.last().map(|token| token.span.end).unwrap_or_default();
        self.place(Span { start: statement.map_or(end, |span| span.start), end })
    }

    fn unread(&mut self, span: Option<Span>, tables: Vec<Qualified>) {
        self.add(span, What::Unread(tables));
    }

    fn statement(&mut self, tokens: &[Token]) {
        let mut cursor = Cursor::new(self.text, tokens);
        let span = cursor.span();
        let Some(word) = cursor.word() else { return };
        self.eased = eased(cursor, &word);
        match word.as_str() {
            "create" => self.create(cursor, span),
            "alter" => self.alter(cursor, span),
            "drop" => self.drop(cursor, span),
            "grant" => self.grant(cursor, span, true),
            "revoke" => self.grant(cursor, span, false),
            "do" => self.do_block(cursor),
            "set" => self.search_path(cursor, span),
            "select" | "perform" | "call" | "with" => self.calls(cursor, span),
            "insert" => self.insert(cursor, span),
            "update" => self.update(cursor, span),
            "delete" => self.delete(cursor, span),
            _ => {}
        }
    }

    fn create(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        cursor.eat("or replace");
        let mut temporary = false;
        while let Some(word) = cursor.eat_any(&["global", "local", "temp", "temporary", "unlogged", "recursive"]) {
            temporary |= word.starts_with("temp");
        }
        if cursor.eat("table") {
            self.create_table(cursor, span, temporary);
        } else if cursor.eat("policy") {
            self.create_policy(cursor, span);
        } else if cursor.are("unique index") || cursor.is("index") {
            self.create_index(cursor, span);
        } else if cursor.eat("function") || cursor.eat("procedure") {
            self.create_function(cursor, span);
        } else if cursor.eat("materialized view") {
            self.create_view(cursor, span, true);
        } else if cursor.eat("view") {
            self.create_view(cursor, span, false);
        } else if cursor.eat("event trigger") {
            self.create_event_trigger(cursor, span);
        } else if cursor.eat("trigger") || cursor.eat("constraint trigger") {
            self.create_trigger(cursor, span);
        } else if cursor.eat("publication") {
            self.publication(cursor, span, true);
        }
    }

    fn alter(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        if cursor.eat("table") {
            self.alter_table(cursor, span);
        } else if cursor.eat("policy") {
            self.alter_policy(cursor, span);
        } else if cursor.eat("publication") {
            self.publication(cursor, span, false);
        } else if cursor.eat("trigger") {
            if let Some(name) = cursor.ident()
                && cursor.eat("on")
                && let Some(table) = cursor.name()
                && cursor.eat("rename to")
                && let Some(to) = cursor.ident()
            {
                self.add(span, What::RenameTrigger { name, table, to });
            }
        } else if cursor.eat("view") {
            self.alter_view(cursor, span);
        } else if cursor.eat("default privileges") {
            self.default_privileges(cursor, span);
        } else if cursor.eat("schema")
            && let Some(from) = cursor.ident()
            && cursor.eat("rename to")
            && let Some(to) = cursor.ident()
        {
            self.add(span, What::RenameSchema { from, to });
        } else if cursor.eat("type")
            && let Some(from) = cursor.name()
            && cursor.eat("rename to")
            && let Some(to) = cursor.ident()
        {
            self.add(span, What::RenameType { from: from.name, to });
        }
    }

    fn drop(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        const KINDS: &[(&str, Dropped)] = &[
            ("table", Dropped::Table),
            ("materialized view", Dropped::View),
            ("view", Dropped::View),
            ("function", Dropped::Function),
            ("procedure", Dropped::Function),
            ("schema", Dropped::Schema),
            ("index", Dropped::Index),
            ("type", Dropped::Type),
            ("domain", Dropped::Type),
            ("event trigger", Dropped::EventTrigger),
        ];
        if cursor.eat("policy") {
            return self.drop_policy(cursor, span);
        }
        if cursor.eat("publication") {
            cursor.eat("if exists");
            if let Some(publication) = cursor.ident() {
                self.add(span, What::Publish { publication, tables: vec![], how: Publish::Drop });
            }
            return;
        }
        if cursor.eat("trigger") {
            cursor.eat("if exists");
            if let Some(name) = cursor.ident()
                && cursor.eat("on")
                && let Some(table) = cursor.name()
            {
                self.add(span, What::DropTrigger { name, table });
            }
            return;
        }
        let Some(&(_, kind)) = KINDS.iter().find(|(words, _)| cursor.eat(words)) else { return };
        cursor.eat("concurrently");
        cursor.eat("if exists");
        let mut names = vec![];
        while let Some(name) = cursor.name() {
            names.push(name);
            cursor.group();
            if !cursor.sign(b',') {
                break;
            }
        }
        let cascade = cursor.eat("cascade");
        cursor.eat("restrict");
        if names.is_empty() || !cursor.is_done() {
            let named = if kind == Dropped::Table { names } else { vec![] };
            return self.unread(span, named);
        }
        self.add(span, What::Drop { kind, names, cascade });
    }

    fn do_block(&mut self, cursor: Cursor<'_>) {
        let body = cursor.tokens.iter().find(|token| matches!(token.kind, Kind::Dollar | Kind::Text));
        if let Some(&body) = body {
            let start = self.found.len();
            self.body(body);
            self.together(start, true, vec![]);
        }
    }

    /// What was read since is a block: all of it is done, or nothing.
    fn together(&mut self, start: usize, whole: bool, handlers: Vec<Handler>) {
        let start = start.min(self.found.len());
        match &mut self.found[start..] {
            [] | [Statement { what: What::Maybe(_), .. }] => return,
            [Statement { what: What::Block(block), .. }] if whole => {
                block.whole = true;
                return;
            }
            _ => {}
        }
        let body = self.found.split_off(start);
        let span = body[0].span;
        self.found.push(Statement { span, what: What::Block(Box::new(Block { body, handlers, whole })), eased: false });
    }

    /// What was read since may not run, or not as it was read.
    fn perhaps(&mut self, start: usize) {
        let start = start.min(self.found.len());
        let mut since = self.found.split_off(start);
        if let Some(first) = since.first() {
            let span = first.span;
            // Whether anything behind it runs cannot be told: nothing behind it may fail.
            self.returns |= has_return(&mut since);
            self.found.push(Statement { span, what: What::Maybe(since), eased: false });
        }
    }

    /// `set search_path to a, b`.
    fn search_path(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let _ = cursor.eat("local") || cursor.eat("session");
        if cursor.eat("search_path") && (cursor.eat("to") || cursor.sign(b'=')) {
            self.looked_for_in(cursor, span);
        }
    }

    fn looked_for_in(&mut self, cursor: Cursor<'_>, span: Option<Span>) {
        let text = self.text;
        let names = cursor.tokens.iter().filter_map(|token| match token.kind {
            // `set_config('search_path', 'a, b', false)` has them in one string.
            Kind::Text => Some(text_of(*token, text)),
            _ => super::cursor::name_of(*token, text).map(|name| name.to_string()),
        });
        let names: Vec<String> = names.collect();
        let each = names.iter().flat_map(|name| name.split(',')).map(|name| name.trim().trim_matches('"'));
        let schemas = each.filter(|name| !matches!(*name, "" | "$user" | "default")).map(Name::new).collect();
        self.add(span, What::SearchPath(schemas));
    }

    /// Reads a string as a block of procedural code.
    fn body(&mut self, string: Token) {
        if self.depth >= DEPTH {
            return;
        }
        self.depth += 1;
        match inside(string, self.text) {
            Some(part) => {
                let tokens: Vec<Token> = super::lex::Lexer::new(self.text, part).collect();
                self.block(&tokens, &[]);
            }
            None => {
                let text = text_of(string, self.text);
                let at = self.place(string.span);
                let mut inner = Reader::new(&text, Some(at));
                let tokens: Vec<Token> =
                    super::lex::Lexer::new(&text, Span { start: 0, end: text.len() as u32 }).collect();
                inner.block(&tokens, &[]);
                self.found.extend(inner.found);
            }
        }
        self.depth -= 1;
    }
}
