//! Paints over what the grammars are known not to read, byte for byte, so that every offset stays true.
//!
//! A bare `&` in JSX text or attributes, and type arguments before a template (``sql<Row>`..` ``), are right code
//! that gives syntax errors. Only files with errors get here, and a mended text counts only if it has fewer.

use tree_sitter::Tree;

use crate::facts::Span;

/// Longest type arguments looked for, in bytes.
const LONGEST: usize = 400;

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

/// The text with what may have caused `errors` painted over; none when there is nothing to paint.
pub(super) fn mend(text: &[u8], errors: &[Span]) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    for span in errors {
        // The grammar may notice an ampersand one token late.
        let (start, end) = ((span.start as usize).saturating_sub(1), (span.end as usize + 1).min(text.len()));
        for at in start..end {
            let near = |other: Option<usize>| other.and_then(|at| text.get(at)).is_some_and(|&byte| byte == b'&');
            if text[at] == b'&' && !near(at.checked_sub(1)) && !near(Some(at + 1)) {
                // A bar is text in text, an operator between values, and joins types as well.
                mended.get_or_insert_with(|| text.to_vec())[at] = b'|';
            }
        }
    }
    for at in 1..text.len() {
        if text[at] == b'`'
            && text[at - 1] == b'>'
            && let Some(open) = type_arguments(&text[..at])
        {
            for byte in &mut mended.get_or_insert_with(|| text.to_vec())[open..at] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
    }
    mended
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
