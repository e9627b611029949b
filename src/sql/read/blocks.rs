//! Procedural bodies (`DO`, functions that are called): the statements in them in the order they stand, `EXECUTE` of
//! text that is put together, loops over names.
//!
//! Of branches whose condition is known by what is written, or by what is there by then, one is done. What a condition
//! guards that is not understood counts as done: guards ask whether something is there already, and
//! applying what cannot be applied changes nothing.

use super::templates::{Vars, template};
use super::{Reader, guards, lists};
use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::lex::{Kind, Token};
use crate::sql::statement::{Each, Given, Guard, Handler, Hole, Over, Statement, Template, What};

/// An `if` or `case` that is open.
pub(super) struct Branch {
    guard: Option<Guard>,
    /// Where its statements begin among those found.
    start: usize,
    /// Where those of its `else` do.
    otherwise: Option<usize>,
}

/// The most statements that loops over written names may unfold to, in one body.
const UNFOLDED: usize = 2000;

impl Reader<'_> {
    /// Reads a body. `known` is what parameters stand for.
    pub(super) fn block(&mut self, tokens: &[Token], known: &[(Name, Given)]) {
        let mut vars = Vars::default();
        for (name, given) in known {
            match given {
                Given::Text(text) => vars.set(*name, Template::of(text)),
                Given::Null => vars.set_null(*name),
            }
        }
        let mut budget = UNFOLDED;
        let (around, start) = (self.branches.len(), self.found.len());
        let returns = std::mem::take(&mut self.returns);
        self.run(tokens, &mut vars, &mut budget);
        self.branches.truncate(around);
        if std::mem::replace(&mut self.returns, returns) {
            self.perhaps(start);
        }
    }

    fn run(&mut self, tokens: &[Token], vars: &mut Vars, budget: &mut usize) {
        let mut rest = Cursor::new(self.text, tokens);
        // Where the statements of each open `begin` start.
        let mut begun: Vec<usize> = vec![];
        while !rest.is_done() {
            let Some(left) = budget.checked_sub(1) else { return };
            *budget = left;
            if rest.sign(b';') || rest.eat("then") || rest.eat("declare") {
                continue;
            }
            if rest.eat("begin") {
                begun.push(self.found.len());
                continue;
            }
            if rest.at_sign(b'<') {
                // A label.
                rest.until(&["loop", "begin", "for", "while", "declare"]);
            } else if rest.eat("loop") {
                continue;
            } else if rest.eat("else") {
                if let Some(branch) = self.branches.last_mut() {
                    branch.otherwise = Some(self.found.len());
                }
            } else if rest.eat("if") {
                let condition = rest.until(&["then"]);
                let guard = guards::guard(condition, vars);
                vars.depth += 1;
                self.branches.push(Branch { guard, start: self.found.len(), otherwise: None });
            } else if rest.is("elsif") || rest.is("elseif") || rest.is("when") {
                // One of several: which of them is not told apart.
                if let Some(branch) = self.branches.last_mut() {
                    branch.guard = None;
                }
                rest.until(&["then"]);
            } else if rest.is("case") {
                vars.depth += 1;
                self.branches.push(Branch { guard: None, start: self.found.len(), otherwise: None });
                rest.until(&["then"]);
            } else if rest.is("while") {
                rest.until(&["loop"]);
            } else if rest.is("for") || rest.is("foreach") {
                self.each(&mut rest, vars, budget);
            } else if rest.eat("exception") {
                let handlers = self.handlers(&mut rest, vars, budget);
                if let Some(&start) = begun.last() {
                    self.together(start, false, handlers);
                }
            } else if rest.is("return") || rest.is("raise") {
                let statement = to_semicolon(&mut rest);
                self.leaves(statement);
            } else if rest.eat("execute") {
                let statement = to_semicolon(&mut rest);
                self.execute(statement, vars);
            } else if rest.eat("end") {
                if rest.is("if") || rest.is("case") {
                    vars.depth = vars.depth.saturating_sub(1);
                    self.close();
                } else if !rest.is("loop") {
                    begun.pop();
                }
                to_semicolon(&mut rest);
            } else {
                let statement = to_semicolon(&mut rest);
                self.asked = lists::jobs(statement).or(self.asked.take());
                if !assign(statement, vars) {
                    remember(statement, vars);
                    self.statement(statement.tokens);
                }
            }
        }
    }

    /// The end of an `if`: what it guards waits for its condition.
    fn close(&mut self) {
        let Some(Branch { guard, start, otherwise }) = self.branches.pop() else { return };
        let Some(guard) = guard else { return self.perhaps(start) };
        let otherwise = self.found.split_off(otherwise.unwrap_or(self.found.len()).max(start));
        let then = self.found.split_off(start);
        if let Some(first) = then.first().or(otherwise.first()) {
            let span = first.span;
            self.found.push(Statement { span, what: What::If { guard, then, otherwise }, eased: false });
        }
    }

    /// `return` and `raise`: what ends a block, or undoes it.
    fn leaves(&mut self, mut statement: Cursor<'_>) {
        let span = statement.span();
        if statement.eat("return") {
            // `return next`, `return query` go on.
            if !statement.is("next") && !statement.is("query") {
                self.add(span, What::Return);
            }
            return;
        }
        statement.eat("raise");
        let passes = ["debug", "log", "info", "notice", "warning"];
        if !passes.iter().any(|level| statement.is(level)) {
            self.add(span, What::Refused("raise_exception"));
        }
    }

    /// What follows `exception`, up to the block's `end`.
    fn handlers(&mut self, rest: &mut Cursor<'_>, vars: &mut Vars, budget: &mut usize) -> Vec<Handler> {
        let end = after_handlers(*rest);
        let all = Cursor { text: rest.text, tokens: &rest.tokens[..rest.tokens.len() - end.tokens.len()] };
        *rest = end;
        let mut found = vec![];
        for mut handler in each_handler(all) {
            handler.eat("when");
            let named = handler.until(&["then"]);
            handler.eat("then");
            let words = named.tokens.iter().map(|token| match token.kind {
                Kind::Text => super::text_of(*token, self.text),
                _ => named.raw(*token).to_ascii_lowercase(),
            });
            let conditions = words.filter(|word| word != "or" && word != "sqlstate").collect();
            let start = self.found.len();
            self.run(handler.tokens, vars, budget);
            found.push(Handler { conditions, body: self.found.split_off(start) });
        }
        found
    }

    /// A loop: over written names it is gone through, over the database's lists it is kept for when they are known.
    fn each(&mut self, rest: &mut Cursor<'_>, vars: &mut Vars, budget: &mut usize) {
        rest.next();
        let Some(var) = rest.ident() else { return };
        let by = rest.eat("in array") || rest.eat("in");
        let list = rest.until(&["loop"]);
        let body = loop_body(rest);
        if !by {
            return;
        }
        let over = lists::over(list, &|name| vars.list(name), &|name| vars.text(name));
        let kept = vars.get(var).cloned();
        if let Over::Jobs(filter) = &over {
            self.asked = Some(filter.clone());
        }
        match over {
            Over::Names(names) => {
                for name in names {
                    vars.set(var, Template::of(&name));
                    self.run(body.tokens, vars, budget);
                }
            }
            over => {
                vars.set(
                    var,
                    Template { texts: vec![String::new(); 2], holes: vec![Hole::Field { field: None, quoted: false }] },
                );
                let before = self.found.len();
                vars.depth += 1;
                self.run(body.tokens, vars, budget);
                vars.depth = vars.depth.saturating_sub(1);
                // What the body made of the loop's rows waits for them.
                wait_for(&mut self.found[before..], &over);
                self.perhaps(before);
            }
        }
        vars.restore(var, kept);
    }

    fn execute(&mut self, mut statement: Cursor<'_>, vars: &Vars) {
        let expression = statement.until(&["using", "into"]);
        let span = expression.span();
        let [one] = expression.tokens else { return self.made(expression, vars) };
        // A string that is run as it is written keeps its places.
        match super::inside(*one, self.text).filter(|_| self.fixed.is_none()) {
            Some(part) => self.all(part),
            None if matches!(one.kind, Kind::Text | Kind::Dollar) => {
                let text = super::text_of(*one, self.text);
                let at = self.place(span.unwrap_or_default());
                self.found.extend(super::read_made(&text, at));
            }
            None => self.made(expression, vars),
        }
    }

    /// Runs text that is put together.
    fn made(&mut self, expression: Cursor<'_>, vars: &Vars) {
        let span = expression.span();
        let template = template(expression, vars);
        match template.text() {
            Some(text) => {
                let at = self.place(span.unwrap_or_default());
                self.found.extend(super::read_made(&text, at));
            }
            None if template.matters() => {
                self.add(span, What::Each(Box::new(Each { over: Over::Unknown, templates: vec![template] })));
            }
            None => {}
        }
    }
}

/// Says what the texts among some statements are made for.
fn wait_for(statements: &mut [Statement], over: &Over) {
    for statement in statements {
        match &mut statement.what {
            What::If { then, otherwise, .. } => {
                wait_for(then, over);
                wait_for(otherwise, over);
            }
            What::Maybe(inner) => wait_for(inner, over),
            What::Block(block) => {
                wait_for(&mut block.body, over);
                block.handlers.iter_mut().for_each(|handler| wait_for(&mut handler.body, over));
            }
            What::Each(each)
                if matches!(each.over, Over::Unknown)
                    && each.templates.iter().all(|template| !template.has_unknown()) =>
            {
                each.over = over.clone();
            }
            _ => {}
        }
    }
}

/// Goes past the next semicolon outside of parentheses.
fn to_semicolon<'t>(rest: &mut Cursor<'t>) -> Cursor<'t> {
    let (all, mut depth) = (rest.tokens, 0usize);
    for (at, token) in all.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(') => depth += 1,
            Kind::Sign(b')') => depth = depth.saturating_sub(1),
            Kind::Sign(b';') if depth == 0 => {
                rest.tokens = &all[at + 1..];
                return Cursor { text: rest.text, tokens: &all[..at] };
            }
            _ => {}
        }
    }
    rest.tokens = &[];
    Cursor { text: rest.text, tokens: all }
}

/// `name := ..` or, in a declaration, `name type := ..` and `name type default ..`.
fn assign(statement: Cursor<'_>, vars: &mut Vars) -> bool {
    let mut cursor = statement;
    let Some(name) = cursor.ident() else { return false };
    let all = cursor.tokens;
    let sets = |at: usize| {
        let rest = Cursor { text: cursor.text, tokens: &all[at..] };
        match rest.tokens {
            [a, b, ..] if a.kind == Kind::Sign(b':') && b.kind == Kind::Sign(b'=') => Some(2),
            _ => rest.is("default").then_some(1),
        }
    };
    // A type is a few words, perhaps with a length or brackets.
    let Some((at, length)) = (0..all.len().min(8)).find_map(|at| Some((at, sets(at)?))) else { return false };
    if at > 0 && STATEMENTS.contains(&name.as_str()) {
        return false;
    }
    let value = Cursor { text: cursor.text, tokens: &all[at + length..] };
    if let Some(truth) = guards::guard(value, vars).filter(|_| value.is("exists") || value.is("not")) {
        vars.set_truth(name, truth);
    } else if let Some(given) = super::calls::given(value).filter(|_| value.tokens.len() == 1) {
        match given {
            Given::Text(text) => vars.set(name, Template::of(&text)),
            Given::Null => vars.set_null(name),
        }
    } else if let Some(list) = lists::strings(value).filter(|_| value.tokens.len() > 1) {
        vars.set_list(name, list);
    } else {
        let template = template(value, vars);
        vars.set(name, template);
    }
    true
}

/// `select exists (..) into found`: what it says of the condition; of anything else that is put into a variable
/// nothing is known.
fn remember(statement: Cursor<'_>, vars: &mut Vars) {
    let mut cursor = statement;
    if !cursor.eat("select") {
        return;
    }
    let mut asked = cursor.until(&["into"]);
    if !cursor.eat("into") {
        return;
    }
    cursor.eat("strict");
    let Some(name) = cursor.ident() else { return };
    vars.forget(name);
    // `select exists (..) as found into ..`
    if asked.is("exists") && asked.tokens.len() > 2 {
        let whole = asked;
        asked.next();
        if asked.group().is_some() {
            let tokens = &whole.tokens[..whole.tokens.len() - asked.tokens.len()];
            if let Some(truth) = guards::guard(Cursor { text: whole.text, tokens }, vars) {
                vars.set_truth(name, truth);
            }
        }
    }
    while cursor.sign(b',') {
        if let Some(other) = cursor.ident() {
            vars.forget(other);
        }
    }
}

/// Words that begin statements, not declarations.
const STATEMENTS: &[&str] = &["alter", "create", "select", "perform", "insert", "update", "delete", "grant", "drop"];

/// The body of a loop whose `loop` comes next, gone past its `end loop`.
fn loop_body<'t>(rest: &mut Cursor<'t>) -> Cursor<'t> {
    rest.eat("loop");
    let (all, mut depth) = (rest.tokens, 1usize);
    for at in 0..all.len() {
        let here = Cursor { text: rest.text, tokens: &all[at..] };
        if here.are("end loop") {
            depth -= 1;
            if depth == 0 {
                rest.tokens = &all[at..];
                to_semicolon(rest);
                return Cursor { text: rest.text, tokens: &all[..at] };
            }
        } else if here.is("loop") && !(at > 0 && Cursor { text: rest.text, tokens: &all[at - 1..] }.is("end")) {
            depth += 1;
        }
    }
    rest.tokens = &[];
    Cursor { text: rest.text, tokens: all }
}

/// Past the handlers of a block, to its `end`.
fn after_handlers(rest: Cursor<'_>) -> Cursor<'_> {
    outside(rest, "end")
}

/// Each handler, from its `when`.
fn each_handler(all: Cursor<'_>) -> Vec<Cursor<'_>> {
    let (mut rest, mut found) = (all, vec![]);
    while rest.is("when") {
        let behind = outside(Cursor { text: rest.text, tokens: &rest.tokens[1..] }, "when");
        found.push(Cursor { text: rest.text, tokens: &rest.tokens[..rest.tokens.len() - behind.tokens.len()] });
        rest = behind;
    }
    found
}

/// From where a word begins a statement that stands in no block within.
fn outside<'t>(rest: Cursor<'t>, word: &str) -> Cursor<'t> {
    let (all, mut depth) = (rest.tokens, 0usize);
    for at in 0..all.len() {
        let here = Cursor { text: rest.text, tokens: &all[at..] };
        let starts = at == 0
            || all[at - 1].kind == Kind::Sign(b';')
            || ["then", "else", "begin", "loop"]
                .iter()
                .any(|word| Cursor { text: rest.text, tokens: &all[at - 1..] }.is(word));
        if !starts {
            continue;
        }
        if depth == 0 && here.is(word) {
            return here;
        }
        if here.is("end") {
            depth = depth.saturating_sub(1);
        } else if ["if", "case", "loop", "for", "foreach", "while", "begin"].iter().any(|word| here.is(word)) {
            depth += 1;
        }
    }
    Cursor { text: rest.text, tokens: &[] }
}
