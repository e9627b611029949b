//! What a document makes a browser load: scripts by their `src`, and Astro's islands by their component's name.

use crate::names::Name;

/// What a document loads; empty for files that are no documents.
pub fn loads(path: &str, text: &str) -> Vec<Name> {
    let mut found = Vec::new();
    let is_astro = path.ends_with(".astro");
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open..];
        if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
            continue;
        }
        rest = &rest[1..];
        let name_end = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
        let name = &rest[..name_end];
        let tag = &rest[name_end..rest.find('<').unwrap_or(rest.len()).max(name_end)];
        if name.eq_ignore_ascii_case("script") {
            found.extend(attribute(tag, "src").filter(|src| !src.is_empty()).map(Name::new));
        } else if is_astro && name.starts_with(|c: char| c.is_ascii_uppercase()) && tag.contains("client:") {
            found.push(Name::new(name.split('.').next().unwrap_or(name)));
        }
    }
    found
}

/// The value of an attribute in the text of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let is_whole = rest[..at].ends_with(|c: char| c.is_whitespace());
        // Before the attribute the tag must not have ended.
        if rest[..at].contains('>') {
            return None;
        }
        let after = rest[at + name.len()..].trim_start();
        if is_whole && let Some(value) = after.strip_prefix('=') {
            let value = value.trim_start();
            return match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
                _ => value.split(|c: char| c.is_whitespace() || c == '>').next(),
            };
        }
        rest = &rest[at + name.len()..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_islands() {
        let html = r#"<body><!-- <script src="/old.js"></script> --><script type="module" src="/src/main.tsx"></script>
            <script>let src = "x";</script><script src=a.js defer></script></body>"#;
        assert_eq!(loads("index.html", html), ["/src/main.tsx", "a.js"]);
        let astro = "<Layout><Cart client:load items={x} /><Plain /></Layout>";
        assert_eq!(loads("a.astro", astro), ["Cart"]);
    }
}
