//! What a document makes a browser load: scripts by their `src`, and Astro's islands by their component's name.

use crate::facts::{ScriptTag, Span};
use crate::names::Name;

/// What a document loads, and the tags by which it loads scripts of other hosts.
pub fn loads(path: &str, text: &str) -> (Vec<Name>, Vec<ScriptTag>) {
    let mut found = (Vec::new(), Vec::new());
    let is_astro = path.ends_with(".astro");
    let (mut at, mut in_head) = (0, false);
    while let Some(open) = text[at..].find('<') {
        at += open;
        let rest = &text[at..];
        if rest.starts_with("<!--") {
            at += rest.find("-->").map_or(rest.len(), |end| end + 3);
            continue;
        }
        let name = tag_name(&rest[1..]);
        // An unclosed quote must not swallow the rest of the page.
        let tag = &rest[..tag_end(rest)];
        let attributes = &tag[1 + name.len()..];
        if name.eq_ignore_ascii_case("head") || name == "svelte:head" {
            in_head = true;
        } else if name.eq_ignore_ascii_case("/head") || name == "/svelte:head" || name.eq_ignore_ascii_case("body") {
            in_head = false;
        } else if name.eq_ignore_ascii_case("script") {
            if let Some(src) = attribute(attributes, "src").flatten().filter(|src| !src.is_empty()) {
                found.0.push(Name::new(src));
                if src.contains("//") && is_script(attributes) && !is_commented(path, &text[..at]) {
                    let span = Span { start: at as u32, end: (at + tag.len()) as u32 };
                    let held = attribute(attributes, "integrity").flatten().is_some_and(|sum| !sum.trim().is_empty());
                    found.1.push(ScriptTag { src: Name::new(src), span, in_head, blocks: blocks(attributes), held });
                }
            }
            at += tag.len();
            at += closing(&text[at..]);
            continue;
        } else if is_astro && name.starts_with(|c: char| c.is_ascii_uppercase()) && attributes.contains("client:") {
            found.0.push(Name::new(name.split('.').next().unwrap_or(name)));
        }
        at += 1 + name.len();
    }
    found
}

/// The name that a tag begins with, `/` included.
fn tag_name(rest: &str) -> &str {
    let fits = |(at, c): (usize, char)| c.is_alphanumeric() || matches!(c, '.' | ':') || (at == 0 && c == '/');
    let end = rest.char_indices().find(|&part| !fits(part)).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// Where a tag ends: behind the first `>` outside quotes, or before the next tag.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'>') => return at + 1,
            (None, b'<') => return at,
            _ => {}
        }
    }
    rest[1..].find(['<', '>']).map_or(rest.len(), |end| end + 1)
}

/// How far it is to the end of a script's text.
fn closing(rest: &str) -> usize {
    let end = rest.as_bytes().windows(8).position(|window| window.eq_ignore_ascii_case(b"</script"));
    end.unwrap_or(0)
}

/// Whether a browser runs what a script tag names at all: templates and scripts that wait for consent have a type
/// of their own, and no browser in use takes a `nomodule`.
fn is_script(attributes: &str) -> bool {
    let kind = attribute(attributes, "type").flatten().unwrap_or("").trim().to_ascii_lowercase();
    let is_code = matches!(kind.as_str(), "" | "module") || kind.ends_with("javascript");
    is_code && attribute(attributes, "nomodule").is_none()
}

fn blocks(attributes: &str) -> bool {
    let is_module = attribute(attributes, "type").flatten().is_some_and(|kind| kind.trim() == "module");
    !is_module && attribute(attributes, "async").is_none() && attribute(attributes, "defer").is_none()
}

/// Whether a template's comment `{# .. #}` is open where `before` ends; Svelte writes its blocks so.
fn is_commented(path: &str, before: &str) -> bool {
    !path.ends_with(".svelte") && before.rfind("{#").is_some_and(|open| !before[open..].contains("#}"))
}

/// An attribute in the text of a tag, and its value if it has one.
fn attribute<'t>(tag: &'t str, wanted: &str) -> Option<Option<&'t str>> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let name = &rest[..end];
        if rest.starts_with('>') || rest.is_empty() {
            return None;
        }
        rest = &rest[end..];
        let after = rest.trim_start();
        let mut value = None;
        if let Some(given) = after.strip_prefix('=') {
            let given = given.trim_start();
            let (text, left) = match given.chars().next() {
                Some(quote @ ('"' | '\'')) => given[1..].split_once(quote).unwrap_or((&given[1..], "")),
                _ => given.split_at(given.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(given.len())),
            };
            (value, rest) = (Some(text), left);
        } else if name.is_empty() {
            // A stray sign: step over it.
            rest = rest.get(1..).unwrap_or("");
        }
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_islands() {
        let html = r#"<body><!-- <script src="/old.js"></script> --><script type="module" src="/src/main.tsx"></script>
            <script>let src = "x"; put("<script src='/no.js'>");</script><script src=a.js defer></script></body>"#;
        assert_eq!(loads("index.html", html).0, ["/src/main.tsx", "a.js"]);
        let astro = "<Layout><Cart client:load items={x} /><Plain /></Layout>";
        assert_eq!(loads("a.astro", astro).0, ["Cart"]);
    }

    #[test]
    fn tags_of_other_hosts() {
        let html = r#"<head><script src="https://a.test/x.js" data-x="1 > 0"></script>
            <SCRIPT async SRC='//b.test/y.js'></SCRIPT><script type="text/plain" src="https://c.test/z.js"></script>
            {# <script src="https://d.test/w.js"></script> #}<script src="/own.js"></script></head>
            <body><script src="https://e.test/v.js"></script>"#;
        let tags: Vec<_> =
            loads("a.html", html).1.iter().map(|tag| (tag.src.as_str(), tag.in_head, tag.blocks)).collect();
        let expected =
            [("https://a.test/x.js", true, true), ("//b.test/y.js", true, false), ("https://e.test/v.js", false, true)];
        assert_eq!(tags, expected);
    }
}
