//! SQL text to tokens, as the database's own lexer cuts it: nested comments, quoted names, the three kinds of
//! strings, dollar quotes. Comments are dropped. Nothing can fail: what is never closed ends with the text.

use crate::facts::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// `"A name"`; other databases write it in backticks.
    Quoted,
    /// `'text'`, with `''` for a quote; also after `E`, `N`, `B`, `X`, `U&`.
    Text,
    /// `$tag$text$tag$`.
    Dollar,
    /// A number.
    Number,
    /// `$1`, `:name`.
    Parameter,
    /// A single character of anything else.
    Sign(u8),
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub span: Span,
}

/// Cuts a text into tokens.
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Lexer<'t> {
    /// Begins within a part of a text; spans count from the start of the whole.
    pub fn new(text: &'t str, part: Span) -> Self {
        Self { text, at: part.start as usize, end: (part.end as usize).min(text.len()) }
    }

    fn bytes(&self) -> &'t [u8] {
        &self.text.as_bytes()[..self.end]
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes()[self.at..];
        self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    fn skip_comment(&mut self) {
        let mut depth = 0usize;
        while self.at < self.end {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Past a quote's end, from behind its start.
    fn quoted(&mut self, quote: u8, escapes: bool) {
        while self.at < self.end {
            let byte = self.peek(0);
            if byte == quote {
                self.at += 1;
                if self.peek(0) != quote {
                    return;
                }
            } else if escapes && byte == b'\\' {
                self.at += 1;
            }
            self.at += 1;
        }
        self.at = self.end;
    }

    /// The length of a dollar quote's tag that opens here.
    fn tag(&self) -> Option<usize> {
        let rest = &self.bytes()[self.at + 1..];
        let length = rest.iter().position(|&byte| !is_word(byte) || byte == b'$')?;
        let opens = rest[length] == b'$' && !rest.first().is_some_and(u8::is_ascii_digit);
        opens.then_some(length + 2)
    }

    fn dollar(&mut self, tag: usize) {
        let mark = &self.text.as_bytes()[self.at..self.at + tag];
        let from = self.at + tag;
        let rest = &self.bytes()[from..];
        self.at = rest.windows(tag).position(|window| window == mark).map_or(self.end, |at| from + at + tag);
    }

    /// Where the next token begins; the end when there is none.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes on behind a place: what stands before it is no SQL.
    pub fn jump(&mut self, at: usize) {
        self.at = at.min(self.end);
    }

    fn skip_blank(&mut self) {
        while self.at < self.end {
            match (self.peek(0), self.peek(1)) {
                (b'-', b'-') => self.skip_line(),
                (b'/', b'*') => self.skip_comment(),
                (byte, _) if byte.is_ascii_whitespace() || byte == 0 => self.at += 1,
                _ => return,
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        if self.at >= self.end {
            return None;
        }
        let start = self.at;
        let kind = match self.peek(0) {
            b'\'' => {
                self.at += 1;
                self.quoted(b'\'', false);
                Kind::Text
            }
            quote @ (b'"' | b'`') => {
                self.at += 1;
                self.quoted(quote, false);
                Kind::Quoted
            }
            b'$' => match self.tag() {
                Some(tag) => {
                    self.dollar(tag);
                    Kind::Dollar
                }
                None => {
                    self.at += 1;
                    self.word();
                    Kind::Parameter
                }
            },
            byte if byte.is_ascii_digit() => {
                while is_word(self.peek(0)) || (self.peek(0) == b'.' && self.peek(1).is_ascii_digit()) {
                    self.at += 1;
                }
                Kind::Number
            }
            byte if is_word(byte) => {
                self.word();
                let prefix = self.at - start == 1 && self.peek(0) == b'\'';
                if prefix && matches!(byte.to_ascii_lowercase(), b'e' | b'n' | b'b' | b'x') {
                    self.at += 1;
                    self.quoted(b'\'', byte.eq_ignore_ascii_case(&b'e'));
                    Kind::Text
                } else {
                    Kind::Word
                }
            }
            byte => {
                self.at += 1;
                Kind::Sign(byte)
            }
        };
        // A part may end within a character only where the text itself was cut by bytes: it never is.
        Some(Token { kind, span: Span { start: start as u32, end: self.at.min(self.end) as u32 } })
    }
}

impl Lexer<'_> {
    fn word(&mut self) {
        while is_word(self.peek(0)) {
            self.at += 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// What a string says: without its quotes, with escapes undone.
pub fn text_of(token: Token, text: &str) -> String {
    let raw = &text[token.span.start as usize..token.span.end as usize];
    match token.kind {
        Kind::Dollar => raw[body_of(token, text)].to_owned(),
        Kind::Quoted => match raw.strip_prefix('`') {
            Some(name) => name.trim_end_matches('`').to_owned(),
            None => raw.strip_prefix('"').unwrap_or(raw).trim_end_matches('"').replace("\"\"", "\""),
        },
        Kind::Text => {
            let (prefix, body) = raw.split_once('\'').unwrap_or(("", raw));
            let body = body.strip_suffix('\'').unwrap_or(body).replace("''", "'");
            if prefix.eq_ignore_ascii_case("e") { unescaped(&body) } else { body }
        }
        _ => raw.to_owned(),
    }
}

fn unescaped(body: &str) -> String {
    let mut said = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => said.push('\n'),
                Some('t') => said.push('\t'),
                Some('r') => said.push('\r'),
                Some(other) => said.push(other),
                None => {}
            },
            other => said.push(other),
        }
    }
    said
}

/// The part of a dollar-quoted token between its marks, within the token.
fn body_of(token: Token, text: &str) -> std::ops::Range<usize> {
    let raw = &text[token.span.start as usize..token.span.end as usize];
    let tag = raw[1..].find('$').map_or(1, |at| at + 2);
    let end = if raw.len() >= 2 * tag && raw.ends_with(&raw[..tag]) { raw.len() - tag } else { raw.len() };
    tag.min(end)..end
}

/// The part of a text that a string's quotes enclose, where it is written as it is read (no escapes inside).
pub fn inside(token: Token, text: &str) -> Option<Span> {
    let raw = &text[token.span.start as usize..token.span.end as usize];
    let range = match token.kind {
        Kind::Dollar => body_of(token, text),
        Kind::Text if !raw.starts_with(['e', 'E']) => {
            let from = raw.find('\'')? + 1;
            let to = raw.len() - usize::from(raw.len() > from && raw.ends_with('\''));
            (!raw[from..to].contains("''")).then_some(from..to)?
        }
        _ => return None,
    };
    Some(Span { start: token.span.start + range.start as u32, end: token.span.start + range.end as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        let whole = Span { start: 0, end: text.len() as u32 };
        Lexer::new(text, whole).map(|token| &text[token.span.start as usize..token.span.end as usize]).collect()
    }

    #[test]
    fn cuts_as_the_database_does() {
        assert_eq!(
            cut("a -- x\n /* b /* c */ d */ \"E \"\" f\" 'it''s' E'\\'' $$q;$$ $t$ $$ $t$ 1.5"),
            ["a", "\"E \"\" f\"", "'it''s'", "E'\\''", "$$q;$$", "$t$ $$ $t$", "1.5"]
        );
        assert_eq!(cut("a::text->>'b'"), ["a", ":", ":", "text", "-", ">", ">", "'b'"]);
        assert_eq!(cut("'never closed"), ["'never closed"]);
        assert_eq!(cut("/* never closed"), Vec::<&str>::new());
        assert_eq!(cut("$1 $a"), ["$1", "$a"]);
    }

    #[test]
    fn strings_say_what_they_mean() {
        let text = "E'a\\nb' 'it''s' $x$ raw '' $x$";
        let whole = Span { start: 0, end: text.len() as u32 };
        let said: Vec<String> = Lexer::new(text, whole).map(|token| text_of(token, text)).collect();
        assert_eq!(said, ["a\nb", "it's", " raw '' "]);
    }
}
