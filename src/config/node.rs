//! TOML and JSON as one tree that knows where each part stands in its file.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// The bytes.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text; also a TOML date.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order it is written.
    Table(Vec<Entry>),
    /// A number or `null`: no key holds one.
    Other,
}

/// An entry of a table.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Range<usize>,
    /// What it holds.
    pub value: Node,
}

impl Node {
    /// An entry of a table by its key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The entries of a table.
    pub fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }
}

/// A file that is neither: what is wrong, and where.
pub struct Broken {
    /// In the parser's words.
    pub message: String,
    /// Where.
    pub span: Range<usize>,
}

/// Reads TOML.
pub fn toml(text: &str) -> Result<Node, Broken> {
    let table = DeTable::parse(text).map_err(|error| Broken {
        message: error.message().lines().next().unwrap_or_default().to_owned(),
        span: error.span().unwrap_or(0..0),
    })?;
    let span = table.span();
    Ok(Node { span, value: of_table(table.get_ref()) })
}

fn of_table(table: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry { key: key.get_ref().to_string(), at: key.span(), value: of_toml(value) })
        .collect();
    entries.sort_by_key(|entry| entry.at.start);
    Value::Table(entries)
}

fn of_toml(value: &Spanned<DeValue<'_>>) -> Node {
    let inner = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Datetime(day) => Value::Text(day.to_string()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Array(items) => Value::List(items.iter().map(of_toml).collect()),
        DeValue::Table(table) => of_table(table),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Other,
    };
    Node { span: value.span(), value: inner }
}

/// Reads JSON.
pub fn json(text: &str) -> Result<Node, Broken> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = (line_start + error.column().saturating_sub(1)).min(text.len());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        return Err(Broken { message, span: at..at });
    }
    // Whatever follows is well formed.
    Ok(Json { text, at: 0 }.value())
}

/// A reader of text that is known to be JSON.
struct Json<'t> {
    text: &'t str,
    at: usize,
}

impl Json<'_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn value(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let value = match first {
            b'{' => {
                let mut entries = vec![];
                self.at += 1;
                while self.peek() == b'"' {
                    let from = self.at;
                    let key = self.string();
                    let at = from..self.at;
                    self.peek();
                    self.at += 1;
                    entries.push(Entry { key, at, value: self.value() });
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Value::Table(entries)
            }
            b'[' => {
                let mut items = vec![];
                self.at += 1;
                while !matches!(self.peek(), b']' | 0) {
                    items.push(self.value());
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Value::List(items)
            }
            b'"' => Value::Text(self.string()),
            _ => {
                let rest = &self.text[start..];
                let end = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                self.at += end.max(1).min(rest.len());
                match &rest[..end] {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::Other,
                }
            }
        };
        Node { span: start..self.at.min(self.text.len()), value }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while bytes.get(self.at).is_some_and(|&byte| byte != b'"') {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(bytes.len());
        serde_json::from_str(&self.text[start..self.at]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_knows_its_places() {
        let text = "{ \"a\": [1, \"x\\\"y\", true, {}], \"b\" : { \"c\": \"d\" } , \"e\": null }";
        let node = json(text).ok().unwrap();
        assert_eq!(node.get("a").unwrap().items().len(), 4);
        assert_eq!(node.get("a").unwrap().items()[1].text(), Some("x\"y"));
        let inner = node.get("b").and_then(|node| node.get("c")).unwrap();
        assert_eq!((&text[inner.span.clone()], inner.text()), ("\"d\"", Some("d")));
        assert_eq!(node.entries().len(), 3);
        assert_eq!(json("{ \"a\": }").err().unwrap().span.start, 7);
    }

    #[test]
    fn toml_knows_its_places() {
        let text = "a = [\"x\", 2]\n[b.c]\nd = 2026-01-31\n";
        let node = toml(text).ok().unwrap();
        let day = node.get("b").and_then(|node| node.get("c")).and_then(|node| node.get("d")).unwrap();
        assert_eq!((day.text(), &text[day.span.clone()]), (Some("2026-01-31"), "2026-01-31"));
        assert!(toml("a = ").is_err());
    }
}
