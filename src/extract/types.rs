//! Declarations of types that need no parse: they run nowhere, and nothing is asked of them. A generated
//! description of a database is often a tenth of an app's source.
//!
//! Only what is laid out as formatters do is known: a head at the start of a line that ends in `{`, lines that are
//! indented, a `}` at the start of a line. Where a text without them has syntax errors it is parsed whole.

use crate::facts::Span;

/// Shorter ones are not worth leaving out, in bytes.
const SHORTEST: u32 = 200;

/// The parser looks through all parts of a text for each token: of more declarations, the longest count.
const MOST: usize = 6;

/// What a head begins with, behind `export` and `declare`.
const HEADS: &[&[u8]] = &[b"interface ", b"type "];

/// The parts of a text that are left when long declarations of types are taken out, given where its lines begin;
/// none when there are none.
pub(super) fn parts_without(text: &[u8], lines: &[u32]) -> Option<Vec<Span>> {
    let mut declared = declarations(text, lines);
    if declared.is_empty() {
        return None;
    }
    declared.sort_by_key(|span| (span.end - span.start, span.start));
    let mut longest = declared.split_off(declared.len().saturating_sub(MOST));
    longest.sort_unstable();
    let mut parts = Vec::with_capacity(longest.len() + 1);
    let mut from = 0;
    for span in longest {
        parts.push(Span { start: from, end: span.start });
        from = span.end;
    }
    parts.push(Span { start: from, end: text.len() as u32 });
    parts.retain(|part| part.start < part.end);
    Some(parts)
}

fn declarations(text: &[u8], lines: &[u32]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Option<u32> = None;
    for (at, &start) in lines.iter().enumerate() {
        let Some(first) = text.get(start as usize) else { break };
        if first.is_ascii_whitespace() {
            continue;
        }
        let end = lines.get(at + 1).copied().unwrap_or(text.len() as u32);
        let line = text[start as usize..end as usize].trim_ascii_end();
        let declared = open.filter(|_| matches!(line, b"}" | b"};"));
        // What is not laid out as expected is code.
        open = opens(line).then_some(start);
        if let Some(from) = declared {
            let span = Span { start: from, end: start + line.len() as u32 };
            if span.end - from >= SHORTEST && !text[from as usize..span.end as usize].contains(&b'`') {
                found.push(span);
            }
        }
    }
    found
}

/// Whether a line is the head of a declaration whose body follows.
fn opens(line: &[u8]) -> bool {
    if !matches!(line.first(), Some(b'e' | b'd' | b'i' | b't')) {
        return false;
    }
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let line = line.strip_prefix(b"declare ").unwrap_or(line);
    HEADS.iter().any(|head| line.starts_with(head)) && line.ends_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::parts_without;

    fn lines(text: &str) -> Vec<u32> {
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1)).collect()
    }

    /// What is left of a text.
    fn left(text: &str) -> Option<String> {
        let parts = parts_without(text.as_bytes(), &lines(text))?;
        Some(parts.iter().map(|part| &text[part.start as usize..part.end as usize]).collect())
    }

    fn long(head: &str, tail: &str) -> String {
        format!("{head}{}{tail}", "  row: { id: string }\n".repeat(20))
    }

    #[test]
    fn long_declarations_are_left_out() {
        for (head, tail) in [
            ("export type Database = {\n", "}"),
            ("export type Database = {\r\n", "};\r"),
            ("interface Row extends Base {\n", "}"),
            ("export declare interface Row {\n", "}"),
        ] {
            let text = format!("const a = 1\n{}\nconst b = 2\n", long(head, tail));
            let expected = format!("const a = 1\n{}\nconst b = 2\n", if tail.ends_with('\r') { "\r" } else { "" });
            assert_eq!(left(&text), Some(expected), "{head:?}");
        }
    }

    #[test]
    fn code_stays() {
        for text in [
            long("const rows = {\n", "}\n"),
            long("export class Row {\n", "}\n"),
            "type Id = {\n  id: string\n}\n".to_owned(),
            long("type Row = {\n", "} & Base\n"),
            long("type Row = {\n", "const late = 1\n}\n"),
            long("type Row = {\n  name: `${string}`\n", "}\n"),
            long("type Row = {\n", "}\n").replace("  row", "row"),
            long("type Row = {\n", ""),
        ] {
            assert_eq!(left(&text), None, "{text}");
        }
    }

    #[test]
    fn only_the_longest_of_many_are_left_out() {
        let text: String = (0..20).map(|at| long(&format!("type Row{at} = {{\n"), "}\n")).collect();
        assert_eq!(parts_without(text.as_bytes(), &lines(&text)).map(|parts| parts.len()), Some(super::MOST + 1));
    }
}
