//! Strings, templates and numbers.

use tree_sitter::Node;

use super::{Visitor, span};
use crate::facts::{ExprId, ExprKind, Span};
use crate::lang::Shape;

impl<'s, 't> Visitor<'_, 's, 't> {
    /// The text of a string literal.
    pub(super) fn string_text(&self, node: Node<'t>) -> std::borrow::Cow<'s, str> {
        unescape(inside(self.text(node)))
    }

    pub(super) fn string(&mut self, node: Node<'t>) -> ExprId {
        let text = self.string_text(node);
        self.builder.text(span(node), &text)
    }

    pub(super) fn template(&mut self, node: Node<'t>) -> ExprId {
        let whole = span(node);
        let raw = self.text(node);
        if !raw.contains("${") {
            return self.builder.text(whole, &unescape(inside(raw)));
        }
        let start = self.ids.len();
        let mut at = whole.start + 1;
        self.each(node, |this, child| {
            // Text between the substitutions is taken from the source: the grammars cut it in pieces.
            if this.shape(child) != Shape::Hole {
                return;
            }
            let hole = span(child);
            this.template_text(Span { start: at, end: hole.start });
            at = hole.end;
            let value = match this.first(child) {
                Some(value) => this.expression(value),
                None => this.unknown(child),
            };
            this.ids.push(value);
        });
        self.template_text(Span { start: at, end: whole.end.saturating_sub(1).max(at) });
        let parts = self.ids.split_off(start);
        self.builder.template(whole, parts)
    }

    fn template_text(&mut self, part: Span) {
        let text = self.builder.source(part);
        if !text.is_empty() {
            let text = self.builder.text(part, &unescape(text));
            self.ids.push(text);
        }
    }

    pub(super) fn number(&mut self, node: Node<'t>) -> ExprId {
        let kind = match parse_number(self.text(node)) {
            Some(number) => ExprKind::Number(number),
            None => ExprKind::Unknown,
        };
        self.builder.expr(span(node), kind)
    }
}

/// What stands between the quotes.
fn inside(quoted: &str) -> &str {
    let mut chars = quoted.chars();
    let quote = chars.next();
    let rest = chars.as_str();
    // The closing quote may be missing in broken code.
    match quote {
        Some(quote) => rest.strip_suffix(quote).unwrap_or(rest),
        None => "",
    }
}

fn parse_number(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let plain = text.replace('_', "").to_ascii_lowercase();
    let radix = match plain.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return plain.strip_suffix('n').unwrap_or(&plain).parse().ok(),
    };
    u64::from_str_radix(plain.get(2..)?.trim_end_matches('n'), radix).ok().map(|number| number as f64)
}

/// A literal's text with its escapes read.
fn unescape(raw: &str) -> std::borrow::Cow<'_, str> {
    if !raw.contains('\\') {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(char) = rest.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match rest.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('v') => text.push('\u{b}'),
            Some('0') => text.push('\0'),
            // A backslash before a line's end joins the lines.
            Some('\n') => {}
            Some('\r') => {
                rest = rest.as_str().strip_prefix('\n').unwrap_or(rest.as_str()).chars();
            }
            Some('x') => code_point(&mut text, &mut rest, 2),
            Some('u') => match rest.as_str().strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                Some((digits, after)) => {
                    text.extend(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
                    rest = after.chars();
                }
                None => code_point(&mut text, &mut rest, 4),
            },
            Some(other) => text.push(other),
            None => {}
        }
    }
    text.into()
}

fn code_point(text: &mut String, rest: &mut std::str::Chars<'_>, digits: usize) {
    if let Some((code, after)) = rest.as_str().split_at_checked(digits)
        && let Ok(code) = u32::from_str_radix(code, 16)
    {
        // Halves of surrogate pairs stand for nothing by themselves.
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        *rest = after.chars();
    }
}
