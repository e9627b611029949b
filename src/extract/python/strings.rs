//! Strings: prefixes and escapes, f-strings, `%` and `.format` on a constant.

use std::borrow::Cow;

use tree_sitter::Node;

use super::{Visitor, span};
use crate::extract::build::TEXT_LIMIT;
use crate::facts::{Arg, ExprId, ExprKind, Span};
use crate::lang::{Role, Shape};
use crate::names::Name;

/// A string literal taken apart.
struct Literal<'s> {
    content: &'s str,
    is_raw: bool,
    /// Has parts that are computed (or may have).
    is_format: bool,
}

/// Parts of a template being collected.
#[derive(Default)]
struct Parts {
    done: Vec<ExprId>,
    pending: String,
}

impl<'t> Visitor<'_, '_, 't> {
    pub(super) fn string(&mut self, node: Node<'t>) -> ExprId {
        let literal = literal(self.source(node));
        if !literal.is_format {
            return self.builder.text(span(node), &literal.decode());
        }
        let mut parts = Parts::default();
        self.string_parts(node, &mut parts);
        self.template(span(node), parts)
    }

    /// Neighbouring literals are one string.
    pub(super) fn strings(&mut self, node: Node<'t>) -> ExprId {
        let mut parts = Parts::default();
        self.children(node, |v, child| v.string_parts(child, &mut parts));
        self.template(span(node), parts)
    }

    /// The text of a constant string.
    pub(super) fn plain_text(&self, node: Node<'t>) -> Option<Cow<'_, str>> {
        if self.shape(node) != Shape::Text {
            return None;
        }
        let literal = literal(self.source(node));
        (!literal.is_format).then(|| literal.decode())
    }

    fn string_parts(&mut self, node: Node<'t>, parts: &mut Parts) {
        let whole = literal(self.source(node));
        if !whole.is_format {
            parts.pending.push_str(&whole.decode());
            return;
        }
        self.children(node, |v, child| match child.kind() {
            "string_content" => {
                let piece = Literal { content: v.source(child), ..whole };
                parts.pending.push_str(&piece.decode().replace("{{", "{").replace("}}", "}"));
            }
            "interpolation" => {
                v.flush(span(node), parts);
                let value = v.syntax.child(child, Role::Value);
                let part = match value {
                    Some(value) => v.expr(value),
                    None => v.unknown(child),
                };
                parts.done.push(part);
                // A width or precision may be computed too: `{x:{width}}`.
                v.children(child, |v, inner| {
                    if inner.kind() == "format_specifier" && inner.named_child_count() > 0 {
                        v.parts(inner);
                    }
                });
            }
            _ => {}
        });
    }

    fn flush(&mut self, at: Span, parts: &mut Parts) {
        if !parts.pending.is_empty() {
            let text = self.builder.text(at, &parts.pending);
            parts.pending.clear();
            parts.done.push(text);
        }
    }

    fn template(&mut self, at: Span, mut parts: Parts) -> ExprId {
        self.flush(at, &mut parts);
        self.builder.template(at, parts.done)
    }

    /// `"..%s.." % value`: parts in place; what no placeholder took follows.
    pub(super) fn percent(&mut self, at: Span, text: ExprId, value: ExprId) -> ExprId {
        let &ExprKind::Text(text) = self.builder.kind(text) else { return text };
        let mut positional = match self.builder.kind(value) {
            ExprKind::List(items) => items.to_vec(),
            ExprKind::Object(_) => vec![],
            _ => vec![value],
        }
        .into_iter();
        let mut parts = Parts::default();
        let mut rest = text.as_str();
        let mut took_names = false;
        while let Some((before, after)) = rest.split_once('%') {
            parts.pending.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                parts.pending.push('%');
                rest = after;
                continue;
            }
            let (name, spec) = match after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
                Some((name, spec)) => (Some(name), spec),
                None => (None, after),
            };
            let Some(end) = spec.find(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'l' | 'h' | 'L')) else {
                parts.pending.push('%');
                rest = after;
                continue;
            };
            let part = match name {
                Some(name) => {
                    took_names = true;
                    Some(self.entry(at, value, name))
                }
                None => positional.next(),
            };
            self.flush(at, &mut parts);
            let part = part.unwrap_or_else(|| self.builder.expr(at, ExprKind::Unknown));
            parts.done.push(part);
            rest = &spec[end + 1..];
        }
        parts.pending.push_str(rest);
        self.flush(at, &mut parts);
        if !took_names {
            parts.done.extend(positional);
        }
        self.template(at, parts)
    }

    /// The value under a key, of a dict written in place or of any other.
    fn entry(&mut self, at: Span, of: ExprId, name: &str) -> ExprId {
        if let ExprKind::Object(entries) = self.builder.kind(of)
            && let Some(&(_, value)) = entries.iter().find(|(key, _)| *key == *name)
        {
            return value;
        }
        self.builder.expr(at, ExprKind::Member(of, Name::new(name)))
    }

    /// `"..{}..".format(..)`: parts in place; arguments that no placeholder took follow.
    pub(super) fn format(&mut self, at: Span, text: ExprId, args: &[Arg]) -> ExprId {
        let &ExprKind::Text(text) = self.builder.kind(text) else { return text };
        let mut parts = Parts::default();
        let mut used = vec![false; args.len()];
        let mut automatic = 0;
        let mut rest = text.as_str();
        while let Some(brace) = rest.find(['{', '}']) {
            parts.pending.push_str(&rest[..brace]);
            let (this, after) = rest[brace..].split_at(1);
            if let Some(after) = after.strip_prefix(this) {
                parts.pending.push_str(this);
                rest = after;
                continue;
            }
            let field = (this == "{").then(|| field(after)).flatten();
            let Some((field, after)) = field else {
                parts.pending.push_str(this);
                rest = after;
                continue;
            };
            self.flush(at, &mut parts);
            let part = self.format_field(at, field, args, &mut used, &mut automatic);
            parts.done.push(part);
            rest = after;
        }
        parts.pending.push_str(rest);
        self.flush(at, &mut parts);
        parts.done.extend(args.iter().zip(used).filter(|&(_, used)| !used).map(|(arg, _)| arg.value));
        self.template(at, parts)
    }

    fn format_field(
        &mut self,
        at: Span,
        field: &str,
        args: &[Arg],
        used: &mut [bool],
        automatic: &mut usize,
    ) -> ExprId {
        let path = field.split(['!', ':']).next().unwrap_or("");
        let head = path.split(['.', '[']).next().unwrap_or("");
        let index = if head.is_empty() {
            *automatic += 1;
            Some(*automatic - 1)
        } else {
            head.parse().ok()
        };
        let found = match index {
            Some(index) => args.get(index).filter(|arg| arg.name.is_none()).map(|_| index),
            None => args.iter().position(|arg| arg.name.is_some_and(|name| name == head)),
        };
        let mut value = match found {
            Some(found) => {
                used[found] = true;
                args[found].value
            }
            None => self.spread_entry(at, head, args, used),
        };
        for step in path[head.len()..].split(['.', '[']).filter(|step| !step.is_empty()) {
            value = self.builder.expr(at, ExprKind::Member(value, Name::new(step.trim_end_matches(']'))));
        }
        value
    }

    /// A named field that only `**values` can hold.
    fn spread_entry(&mut self, at: Span, name: &str, args: &[Arg], used: &mut [bool]) -> ExprId {
        let spread = args.iter().position(|arg| arg.name.is_some_and(|name| name == "**"));
        if let Some(spread) = spread
            && let ExprKind::Spread(of) = *self.builder.kind(args[spread].value)
        {
            used[spread] = true;
            return self.entry(at, of, name);
        }
        self.builder.expr(at, ExprKind::Unknown)
    }
}

/// The inside of a `{..}` field and what follows it; fields nest in its width.
fn field(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Takes prefix and quotes off a literal, closed or not.
fn literal(source: &str) -> Literal<'_> {
    let quotes = source.find(['"', '\'']).unwrap_or(source.len());
    let (prefix, quoted) = source.split_at(quotes);
    let has = |letters: [char; 2]| prefix.contains(letters);
    let width = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1.min(quoted.len()) };
    let (quote, content) = quoted.split_at(width);
    Literal {
        content: content.strip_suffix(quote).unwrap_or(content),
        is_raw: has(['r', 'R']),
        is_format: has(['f', 'F']) || has(['t', 'T']),
    }
}

impl<'s> Literal<'s> {
    /// The text meant, as far as it is kept.
    fn decode(&self) -> Cow<'s, str> {
        // No escape is longer than ten bytes, so this much always holds the limit; longer texts are cut anyway.
        let mut end = self.content.len().min(TEXT_LIMIT * 10);
        while !self.content.is_char_boundary(end) {
            end -= 1;
        }
        let content = &self.content[..end];
        if self.is_raw || !content.contains('\\') {
            return Cow::Borrowed(content);
        }
        let mut text = String::with_capacity(content.len());
        let mut rest = content;
        while let Some((before, after)) = rest.split_once('\\') {
            text.push_str(before);
            rest = unescape(after, &mut text);
        }
        text.push_str(rest);
        Cow::Owned(text)
    }
}

/// Reads one escape after its backslash; unknown ones stand for themselves.
fn unescape<'s>(after: &'s str, text: &mut String) -> &'s str {
    let Some(kind) = after.chars().next() else {
        text.push('\\');
        return after;
    };
    let rest = &after[kind.len_utf8()..];
    let coded = |digits: usize, rest: &'s str| {
        let code = rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok())?;
        Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), &rest[digits..]))
    };
    let found = match kind {
        'n' => Some(('\n', rest)),
        't' => Some(('\t', rest)),
        'r' => Some(('\r', rest)),
        'a' => Some(('\x07', rest)),
        'b' => Some(('\x08', rest)),
        'f' => Some(('\x0c', rest)),
        'v' => Some(('\x0b', rest)),
        '\\' | '\'' | '"' => Some((kind, rest)),
        '\n' => return rest,
        '\r' => return rest.strip_prefix('\n').unwrap_or(rest),
        'x' => coded(2, rest),
        'u' => coded(4, rest),
        'U' => coded(8, rest),
        'N' => rest
            .strip_prefix('{')
            .and_then(|name| name.split_once('}'))
            .map(|(_, rest)| (char::REPLACEMENT_CHARACTER, rest)),
        '0'..='7' => {
            let digits = after.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let code = u32::from_str_radix(&after[..digits], 8).ok().and_then(char::from_u32);
            Some((code.unwrap_or(char::REPLACEMENT_CHARACTER), &after[digits..]))
        }
        _ => None,
    };
    match found {
        Some((found, rest)) => {
            text.push(found);
            rest
        }
        None => {
            text.push('\\');
            after
        }
    }
}
