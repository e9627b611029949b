//! Paints over what the grammars are known not to read, byte for byte, so that every offset stays true.
//!
//! A bare `&` in JSX text or attributes, type arguments before a template (``sql<Row>`..` ``), `import("x")` as a
//! type and `export type *` are right code that gives syntax errors, and so is what a server puts into a page's
//! scripts. Only files with errors get here, and a mended text counts only if it has fewer.

use tree_sitter::{InputEdit, Point, Tree};

use crate::facts::Span;

/// Longest type arguments looked for, in bytes.
const LONGEST: usize = 2000;

/// How far around an error its cause is looked for, in bytes.
const NEAR: usize = 200;

/// How tags of templates open and close.
const TAGS: &[(&[u8], &[u8])] = &[(b"<%", b"%>"), (b"{{", b"}}"), (b"{%", b"%}"), (b"{#", b"#}")];

/// Where a tree has ERROR and MISSING nodes.
pub(super) fn errors(tree: &Tree) -> Vec<Span> {
    let mut found = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            found.push(Span { start: node.start_byte() as u32, end: node.end_byte() as u32 });
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
        }
    }
}

/// The text with what may have caused `errors` painted over, and where; none when there is nothing to paint.
pub(super) fn mend(text: &[u8], errors: &[Span], page: Option<Span>) -> Option<(Vec<u8>, Vec<Span>)> {
    let mut paint = Paint { text, mended: None, places: vec![] };
    if let Some(script) = page {
        paint.template_tags(script.start as usize, script.end as usize);
    }
    for span in errors {
        paint.ampersands(span.start as usize, span.end as usize);
        paint.types(span.start as usize, span.end as usize);
    }
    for at in 1..text.len() {
        if text[at] == b'`'
            && text[at - 1].is_ascii_whitespace() | (text[at - 1] == b'>')
            && let Some(open) = type_arguments(text[..at].trim_ascii_end())
        {
            paint.over(open, at, |byte| if byte.is_ascii_whitespace() { byte } else { b' ' });
        }
    }
    paint.places.sort_unstable();
    paint.places.dedup();
    let places = paint.places;
    paint.mended.map(|mended| (mended, places))
}

struct Paint<'t> {
    text: &'t [u8],
    mended: Option<Vec<u8>>,
    places: Vec<Span>,
}

impl Paint<'_> {
    fn over(&mut self, start: usize, end: usize, colour: impl Fn(u8) -> u8) {
        let mended = self.mended.get_or_insert_with(|| self.text.to_vec());
        mended[start..end].iter_mut().for_each(|byte| *byte = colour(*byte));
        self.places.push(Span { start: start as u32, end: end as u32 });
    }

    /// What a server puts into a script before it is sent: `<%= total %>` and `{{ total }}` outside of quotes become a
    /// long name, `<% if (user) { %>` and `{% if user %}` nothing.
    fn template_tags(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let rest = &self.text[at..end];
            let Some((_, close)) = TAGS.iter().find(|(open, _)| rest.starts_with(open)) else {
                at += 1;
                continue;
            };
            let Some(length) = rest.windows(close.len()).position(|part| part == *close) else { break };
            let after = at + length + close.len();
            let is_value = rest.starts_with(b"{{") || matches!(rest.get(2), Some(b'=' | b'-'));
            let line = self.text[start..at].iter().rposition(|&byte| byte == b'\n').map_or(start, |line| start + line);
            let before = &self.text[line..at];
            let quoted =
                [b'"', b'\'', b'`'].iter().any(|quote| before.iter().filter(|&byte| byte == quote).count() % 2 == 1);
            // `style={{ .. }}` of an element is code.
            let is_attribute = rest.starts_with(b"{{") && before.ends_with(b"=");
            if !(is_value && quoted) && !is_attribute {
                let colour = if is_value { b'_' } else { b' ' };
                self.over(at, after, |byte| if byte.is_ascii_whitespace() && !is_value { byte } else { colour });
            }
            at = after;
        }
    }

    /// Ampersands in JSX: a bar is text in text, an operator between values, and joins types as well.
    fn ampersands(&mut self, start: usize, end: usize) {
        // The grammar may notice one a token late.
        let (from, to) = (start.saturating_sub(1), (end + 1).min(self.text.len()));
        let is_ampersand = |at: usize| self.text.get(at) == Some(&b'&');
        let mut at = from;
        while at < to {
            let run = (at..).take_while(|&at| is_ampersand(at)).count();
            // Two are an operator, but none that an error starts with.
            if run == 1 || (run == 2 && at.abs_diff(start) <= 1) {
                self.over(at, at + run, |_| b'|');
            }
            at += run.max(1);
        }
    }

    /// `import("x")` as a type becomes one long name, and `export type *` loses its `type`.
    fn types(&mut self, start: usize, end: usize) {
        let from = start.saturating_sub(NEAR);
        let to = (end.min(start + NEAR) + NEAR).min(self.text.len());
        for at in from..to {
            let rest = &self.text[at..];
            if rest.starts_with(b"export type *") {
                self.over(at + 7, at + 11, |_| b' ');
            } else if rest.starts_with(b"import(") {
                let before = self.text[..at].trim_ascii_end();
                let Some(close) = rest.iter().take(LONGEST).position(|&byte| byte == b')') else { continue };
                let member =
                    rest.get(close + 1) == Some(&b'.') && rest.get(close + 2).is_some_and(u8::is_ascii_uppercase);
                let is_type = before.ends_with(b"typeof")
                    || before.ends_with(b"<")
                    || (member && before.last().is_some_and(|byte| b":|&,=".contains(byte)));
                if is_type {
                    self.over(at, at + close + 1, |byte| if byte.is_ascii_alphanumeric() { byte } else { b'_' });
                }
            }
        }
    }
}

/// Tells a tree which places were painted over, so that only what is around them is parsed again.
pub(super) fn mark(tree: &mut Tree, text: &[u8], places: &[Span]) {
    let point = |at: u32| {
        let before = &text[..at as usize];
        let line = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        Point::new(before.iter().filter(|&&byte| byte == b'\n').count(), before.len() - line)
    };
    for place in places {
        let (start, end) = (point(place.start), point(place.end));
        tree.edit(&InputEdit {
            start_byte: place.start as usize,
            old_end_byte: place.end as usize,
            new_end_byte: place.end as usize,
            start_position: start,
            old_end_position: end,
            new_end_position: end,
        });
    }
}

/// Where the type arguments that end `text` open: `<` right after a name, brackets balanced in between.
fn type_arguments(text: &[u8]) -> Option<usize> {
    let mut depth = 0_i32;
    for at in (text.len().saturating_sub(LONGEST)..text.len()).rev() {
        match text[at] {
            b'>' if at > 0 && text[at - 1] == b'=' => {}
            b'>' | b'}' | b']' | b')' => depth += 1,
            b'<' | b'{' | b'[' | b'(' => depth -= 1,
            b'`' | b'/' => return None,
            _ => {}
        }
        if depth == 0 {
            let after_name =
                at > 0 && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'_' | b'$' | b')'));
            return (text[at] == b'<' && after_name).then_some(at);
        }
    }
    None
}
