//! Settings with the places of what they say: TOML, JSON and YAML read as one shape, however they are spelled: a
//! table over many lines, or all of it in one.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use toml::de::{DeTable, DeValue};

use crate::facts::Span;

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;

/// What a file says, in the order in which it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    /// A text, a number, a truth: as text, and where it stands without its quotes.
    Text(String, Span),
    /// A list.
    List(Vec<Placed>),
    /// Named values.
    Map(Vec<(String, Placed)>),
    /// Anything else.
    Other,
}

impl Placed {
    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, and where it stands.
    pub fn text(&self) -> Option<(&str, Span)> {
        if let Self::Text(text, span) = self { Some((text, *span)) } else { None }
    }

    /// The named values.
    pub fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// The items of a list.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }
}

/// What a file of a name says; nothing where it cannot be read.
pub fn read(name: &str, text: &str) -> Placed {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    match kind {
        "toml" => toml(text),
        "json" | "jsonc" => json(text),
        "yaml" | "yml" => yaml(text),
        _ => Placed::Other,
    }
}

/// Where `value` stands in a part of a text: without quotes, where it is written as it is.
fn inside(text: &str, start: usize, end: usize, value: &str) -> Span {
    let part = text.get(start..end).unwrap_or_default();
    let (start, end) = match part.find(value) {
        Some(at) => (start + at, start + at + value.len()),
        None => (start, end),
    };
    Span { start: start as u32, end: end as u32 }
}

fn toml(text: &str) -> Placed {
    // What can be read of a broken file is kept.
    let (table, _) = DeTable::parse_recoverable(text);
    toml_table(table.get_ref(), text, DEEPEST)
}

fn toml_table(table: &DeTable<'_>, text: &str, depth: usize) -> Placed {
    let Some(depth) = depth.checked_sub(1) else { return Placed::Other };
    let mut entries: Vec<(usize, String, Placed)> = table
        .iter()
        .map(|(key, value)| {
            let name = key.get_ref().to_string();
            (key.span().start, name, toml_value(value.get_ref(), value.span(), text, depth))
        })
        .collect();
    entries.sort_by_key(|(at, ..)| *at);
    Placed::Map(entries.into_iter().map(|(_, name, value)| (name, value)).collect())
}

fn toml_value(value: &DeValue<'_>, at: std::ops::Range<usize>, text: &str, depth: usize) -> Placed {
    let written = |value: &str| Placed::Text(value.to_owned(), inside(text, at.start, at.end, value));
    match value {
        DeValue::String(value) => written(value),
        DeValue::Integer(number) => written(number.as_str()),
        DeValue::Boolean(truth) => written(if *truth { "true" } else { "false" }),
        DeValue::Array(items) => {
            let each = items.iter().map(|item| toml_value(item.get_ref(), item.span(), text, depth));
            Placed::List(each.collect())
        }
        DeValue::Table(table) => toml_table(table, text, depth),
        _ => Placed::Other,
    }
}

fn yaml(text: &str) -> Placed {
    let Ok(documents) = MarkedYaml::load_from_str(text) else { return Placed::Other };
    // The parser counts characters.
    let starts: Vec<usize> =
        if text.is_ascii() { vec![] } else { text.char_indices().map(|(at, _)| at).chain([text.len()]).collect() };
    let byte = |at: usize| if starts.is_empty() { at } else { starts.get(at).copied().unwrap_or(text.len()) };
    documents.first().map_or(Placed::Other, |document| yaml_value(document, text, &byte, DEEPEST))
}

fn yaml_value(node: &MarkedYaml<'_>, text: &str, byte: &dyn Fn(usize) -> usize, depth: usize) -> Placed {
    let Some(depth) = depth.checked_sub(1) else { return Placed::Other };
    let written = |value: &str| {
        let (start, end) = (byte(node.span.start.index()), byte(node.span.end.index()));
        Placed::Text(value.to_owned(), inside(text, start, end, value))
    };
    match &node.data {
        YamlData::Value(Scalar::String(value)) => written(value),
        YamlData::Value(Scalar::Boolean(truth)) => written(if *truth { "true" } else { "false" }),
        YamlData::Value(Scalar::Integer(number)) => written(&number.to_string()),
        YamlData::Representation(value, ..) => written(value),
        YamlData::Sequence(items) => {
            Placed::List(items.iter().map(|item| yaml_value(item, text, byte, depth)).collect())
        }
        YamlData::Mapping(entries) => {
            let mut found = vec![];
            for (key, value) in entries {
                let value = yaml_value(value, text, byte, depth);
                match yaml_value(key, text, byte, depth) {
                    // `<<: *common`: what stands elsewhere is said here as well.
                    Placed::Text(key, _) if key == "<<" => found.extend(value.entries().iter().cloned()),
                    Placed::Text(key, _) => found.push((key, value)),
                    _ => {}
                }
            }
            Placed::Map(found)
        }
        YamlData::Tagged(_, inner) => yaml_value(inner, text, byte, depth),
        _ => Placed::Other,
    }
}

fn json(text: &str) -> Placed {
    let mut plain = text.to_owned();
    // Comments become blanks: places stay.
    if json_strip_comments::strip(&mut plain).is_err() || plain.len() != text.len() {
        return Placed::Other;
    }
    Json { text: &plain, at: 0 }.value(DEEPEST).unwrap_or(Placed::Other)
}

/// Reads JSON that may be broken off: what was read until then is kept.
struct Json<'t> {
    text: &'t str,
    at: usize,
}

impl Json<'_> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn eat(&mut self, sign: u8) -> bool {
        let comes = self.peek() == Some(sign);
        self.at += usize::from(comes);
        comes
    }

    fn value(&mut self, depth: usize) -> Option<Placed> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'{' => {
                self.at += 1;
                let mut entries = vec![];
                while !self.eat(b'}') {
                    let Some((key, _)) = self.string() else { break };
                    let Some(value) = self.eat(b':').then(|| self.value(depth)).flatten() else { break };
                    entries.push((key, value));
                    self.eat(b',');
                }
                Some(Placed::Map(entries))
            }
            b'[' => {
                self.at += 1;
                let mut items = vec![];
                while !self.eat(b']') {
                    let Some(item) = self.value(depth) else { break };
                    items.push(item);
                    self.eat(b',');
                }
                Some(Placed::List(items))
            }
            b'"' => self.string().map(|(text, span)| Placed::Text(text, span)),
            _ => self.word(),
        }
    }

    fn string(&mut self) -> Option<(String, Span)> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        let mut escaped = false;
        let end = self.text.as_bytes()[start + 1..].iter().position(|&byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        let end = start + 1 + end;
        self.at = end + 1;
        let text = serde_json::from_str(&self.text[start..=end]).ok()?;
        Some((text, Span { start: start as u32 + 1, end: end as u32 }))
    }

    /// A number, a truth, nothing.
    fn word(&mut self) -> Option<Placed> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += length;
        let word = &self.text[start..self.at];
        match word {
            "" => None,
            "null" => Some(Placed::Other),
            _ => Some(Placed::Text(word.to_owned(), Span { start: start as u32, end: self.at as u32 })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str, keys: &[&str]) -> Option<(String, String)> {
        let whole = read(name, text);
        let found = keys.iter().try_fold(&whole, |value, key| match key.parse::<usize>() {
            Ok(at) => value.items().get(at),
            Err(_) => value.get(key),
        })?;
        let (value, span) = found.text()?;
        Some((value.to_owned(), text[span.start as usize..span.end as usize].to_owned()))
    }

    #[test]
    fn every_spelling_is_read_with_its_place() {
        let same = |text: &str| Some((text.to_owned(), text.to_owned()));
        let cases: &[(&str, &str, &[&str])] = &[
            ("wrangler.toml", "vars = { HOST = \"https://a.example\" }\n", &["vars", "HOST"]),
            ("wrangler.toml", "vars.HOST = 'https://a.example'\n", &["vars", "HOST"]),
            ("wrangler.toml", "[vars]\nHOST = \"\"\"https://a.example\"\"\"\n", &["vars", "HOST"]),
            ("wrangler.toml", "[vars]\nA = \"x\n\n[vars]\n[more]\nHOST = \"https://a.example\"\n", &["more", "HOST"]),
            ("wrangler.jsonc", "{ /* ü */ \"vars\": {\"HOST\":\"https://a.example\",}, }", &["vars", "HOST"]),
            ("vercel.json", "{\"env\":\n{\"HOST\"\n:\"https://a.example\"}}", &["env", "HOST"]),
            ("vercel.json", "{\"env\":{\"HOST\":\"https://a.example\"", &["env", "HOST"]),
            ("render.yaml", "# für\na: {b: [{HOST: https://a.example}]}\n", &["a", "b", "0", "HOST"]),
            ("render.yaml", "a:\n  HOST: 'https://a.example' # x\n", &["a", "HOST"]),
            ("compose.yaml", "x: &x\n  HOST: https://a.example\na:\n  <<: *x\n  B: c\n", &["a", "HOST"]),
        ];
        for (name, text, keys) in cases {
            assert_eq!(said(name, text, keys), same("https://a.example"), "{text}");
        }
        assert_eq!(said("a.toml", "n = 5\n", &["n"]), same("5"));
        assert_eq!(said("a.json", "{\"n\": 5}", &["n"]), same("5"));
        assert_eq!(said("a.yaml", "n: 5\n", &["n"]), same("5"));
        let escaped = said("a.json", r#"{"n": "a\"b\u0041"}"#, &["n"]);
        assert_eq!(escaped, Some(("a\"bA".to_owned(), r#"a\"b\u0041"#.to_owned())));
    }
}
