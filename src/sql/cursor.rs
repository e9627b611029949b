//! Reading along the tokens of a statement: words in any case, names, groups in parentheses, strings.

use super::lex::{Kind, Token, text_of};
use crate::facts::Span;
use crate::names::Name;

/// A name that may say its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Qualified {
    /// The schema, when it is named.
    pub schema: Option<Name>,
    /// The name itself.
    pub name: Name,
}

/// A way along some tokens.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'t> {
    /// What the spans of the tokens count in.
    pub text: &'t str,
    /// The tokens that are left.
    pub tokens: &'t [Token],
}

impl<'t> Cursor<'t> {
    /// Begins at the first of some tokens.
    pub fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        Self { text, tokens }
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What a token looks like.
    pub fn raw(&self, token: Token) -> &'t str {
        &self.text[token.span.start as usize..token.span.end as usize]
    }

    /// The next token.
    pub fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// Whether the token so far ahead is a word.
    pub fn is_at(&self, ahead: usize, word: &str) -> bool {
        self.tokens
            .get(ahead)
            .is_some_and(|token| token.kind == Kind::Word && self.raw(*token).eq_ignore_ascii_case(word))
    }

    /// Whether the next token is a word.
    pub fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    /// Whether the next tokens are these words.
    pub fn are(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(ahead, word)| self.is_at(ahead, word))
    }

    /// Goes past these words if they come next.
    pub fn eat(&mut self, words: &str) -> bool {
        let come = self.are(words);
        if come {
            self.tokens = &self.tokens[words.split(' ').count()..];
        }
        come
    }

    /// Goes past the first of some words that comes next, and says which.
    pub fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().find(|words| self.eat(words)).copied()
    }

    /// Whether the next token is this sign.
    pub fn at_sign(&self, sign: u8) -> bool {
        self.tokens.first().is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    /// Goes past a sign if it comes next.
    pub fn sign(&mut self, sign: u8) -> bool {
        let comes = self.at_sign(sign);
        if comes {
            self.tokens = &self.tokens[1..];
        }
        comes
    }

    /// The next word in lower case, as it is for messages and types.
    pub fn word(&mut self) -> Option<String> {
        let first = self.tokens.first().filter(|token| token.kind == Kind::Word)?;
        let word = self.raw(*first).to_ascii_lowercase();
        self.tokens = &self.tokens[1..];
        Some(word)
    }

    /// A name without a schema: folded to lower case unless it is quoted.
    pub fn ident(&mut self) -> Option<Name> {
        let first = *self.tokens.first()?;
        let name = name_of(first, self.text)?;
        self.tokens = &self.tokens[1..];
        Some(name)
    }

    /// A name that may be qualified; of more than two parts the last two count.
    pub fn name(&mut self) -> Option<Qualified> {
        let mut found = Qualified { schema: None, name: self.ident()? };
        while self.at_sign(b'.') {
            self.sign(b'.');
            found = Qualified { schema: Some(found.name), name: self.ident()? };
        }
        Some(found)
    }

    /// Names between commas.
    pub fn names(&mut self) -> Vec<Qualified> {
        let mut found = vec![];
        loop {
            self.eat("only");
            found.extend(self.name());
            self.sign(b'*');
            if !self.sign(b',') {
                return found;
            }
        }
    }

    /// The inside of parentheses that come next.
    pub fn group(&mut self) -> Option<Cursor<'t>> {
        if !self.at_sign(b'(') {
            return None;
        }
        let mut depth = 0usize;
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'(') => depth += 1,
                Kind::Sign(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inside = Cursor { text: self.text, tokens: &self.tokens[1..at] };
                self.tokens = &self.tokens[at + 1..];
                return Some(inside);
            }
        }
        None
    }

    /// The parts between commas that stand in no parentheses or brackets.
    pub fn items(self) -> Vec<Cursor<'t>> {
        self.split(|token| token.kind == Kind::Sign(b','))
    }

    /// The parts between tokens that stand in no parentheses or brackets.
    pub fn split(self, at: impl Fn(&Token) -> bool) -> Vec<Cursor<'t>> {
        let (mut parts, mut depth, mut from) = (vec![], 0usize, 0);
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                _ if depth == 0 && at(token) => {
                    parts.push(Cursor { text: self.text, tokens: &self.tokens[from..index] });
                    from = index + 1;
                }
                _ => {}
            }
        }
        if from < self.tokens.len() || !parts.is_empty() {
            parts.push(Cursor { text: self.text, tokens: &self.tokens[from..] });
        }
        parts
    }

    /// Goes on until one of some words comes next, outside of parentheses.
    pub fn until(&mut self, words: &[&str]) -> Cursor<'t> {
        let mut depth = 0usize;
        let all = self.tokens;
        for (at, token) in all.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'(') => depth += 1,
                Kind::Sign(b')') => depth = depth.saturating_sub(1),
                Kind::Word if depth == 0 && words.iter().any(|word| self.raw(*token).eq_ignore_ascii_case(word)) => {
                    self.tokens = &all[at..];
                    return Cursor { text: self.text, tokens: &all[..at] };
                }
                _ => {}
            }
        }
        self.tokens = &[];
        Cursor { text: self.text, tokens: all }
    }

    /// A string that comes next.
    pub fn string(&mut self) -> Option<String> {
        let first = *self.tokens.first()?;
        if !matches!(first.kind, Kind::Text | Kind::Dollar) {
            return None;
        }
        self.tokens = &self.tokens[1..];
        Some(text_of(first, self.text))
    }

    /// The bytes of what is left.
    pub fn span(&self) -> Option<Span> {
        Some(Span { start: self.tokens.first()?.span.start, end: self.tokens.last()?.span.end })
    }

    /// What is left, on one line and without comments.
    pub fn plain(&self) -> String {
        let mut said = String::new();
        let mut end = None;
        for token in self.tokens {
            if end.is_some_and(|end| end < token.span.start) {
                said.push(' ');
            }
            said.push_str(self.raw(*token));
            end = Some(token.span.end);
        }
        said
    }
}

/// What a word or quoted name names.
pub fn name_of(token: Token, text: &str) -> Option<Name> {
    let raw = &text[token.span.start as usize..token.span.end as usize];
    match token.kind {
        Kind::Word if raw.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Some(Name::new(kept(&raw.to_ascii_lowercase())))
        }
        Kind::Word => Some(Name::new(kept(raw))),
        Kind::Quoted => Some(Name::new(kept(&text_of(token, text)))),
        _ => None,
    }
}

/// What the database keeps of a name: its first 63 bytes.
fn kept(name: &str) -> &str {
    const KEPT: usize = 63;
    let mut end = name.len().min(KEPT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
