//! A file to statements, as `psql` cuts it: at semicolons outside of parentheses and of SQL function bodies. What is
//! for `psql` alone (`\connect`) and the data behind `COPY .. FROM stdin` is no SQL.

use super::lex::{Kind, Lexer, Token};
use crate::facts::Span;

/// The tokens of a part of a text, and where each statement's end.
pub struct Statements {
    /// All tokens but the semicolons between statements.
    pub tokens: Vec<Token>,
    /// For each statement where its tokens end.
    pub ends: Vec<usize>,
}

impl Statements {
    /// Each statement's tokens.
    pub fn each(&self) -> impl Iterator<Item = &[Token]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.tokens[start..end])
    }
}

/// Cuts a part of a text into statements; empty ones are left out.
pub fn statements(text: &str, part: Span) -> Statements {
    let mut found = Statements { tokens: vec![], ends: vec![] };
    let mut lexer = Lexer::new(text, part);
    let (mut start, mut depth, mut bodies) = (0, 0usize, 0usize);
    while let Some(token) = lexer.next() {
        match token.kind {
            Kind::Sign(b'\\') if found.tokens.len() == start => {
                let from = token.span.start as usize;
                lexer.jump(text[from..].find('\n').map_or(text.len(), |at| from + at));
                continue;
            }
            Kind::Sign(b'(') => depth += 1,
            Kind::Sign(b')') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 => {
                let raw = &text[token.span.start as usize..token.span.end as usize];
                let opens = raw.eq_ignore_ascii_case("begin") || (bodies > 0 && raw.eq_ignore_ascii_case("case"));
                if opens && makes_function(text, &found.tokens[start..]) {
                    bodies += 1;
                } else if bodies > 0 && raw.eq_ignore_ascii_case("end") {
                    bodies -= 1;
                }
            }
            Kind::Sign(b';') if depth == 0 && bodies == 0 => {
                if found.tokens.len() > start {
                    let copies = copies_from_input(text, &found.tokens[start..]);
                    found.ends.push(found.tokens.len());
                    start = found.tokens.len();
                    if copies {
                        let from = lexer.position();
                        lexer.jump(text[from..].find("\n\\.").map_or(text.len(), |at| from + at + 3));
                    }
                }
                continue;
            }
            _ => {}
        }
        found.tokens.push(token);
    }
    if found.tokens.len() > start {
        found.ends.push(found.tokens.len());
    }
    found
}

fn words<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = &'t str> {
    tokens
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| &text[token.span.start as usize..token.span.end as usize])
}

fn makes_function(text: &str, tokens: &[Token]) -> bool {
    let mut words = words(text, tokens).take(5);
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("create"))
        && words.any(|word| word.eq_ignore_ascii_case("function") || word.eq_ignore_ascii_case("procedure"))
}

fn copies_from_input(text: &str, tokens: &[Token]) -> bool {
    let first = words(text, tokens).next().is_some_and(|word| word.eq_ignore_ascii_case("copy"));
    first && words(text, tokens).any(|word| word.eq_ignore_ascii_case("stdin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        statements(text, Span { start: 0, end: text.len() as u32 }).ends.len()
    }

    #[test]
    fn semicolons_end_statements_where_psql_says_so() {
        assert_eq!(count("select 1; select ';'; ; do $$ begin; end $$"), 3);
        assert_eq!(count("create function f() returns int begin atomic select 1; select 2; end; select 3"), 2);
        assert_eq!(count("\\restrict x\nselect 1;\ncopy t (a) from stdin;\n1;2\n\\.\nselect 2;"), 3);
        assert_eq!(count("begin; select 1; commit;"), 3);
    }
}
