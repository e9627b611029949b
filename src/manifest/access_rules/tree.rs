//! The JSON of a tree database: `".read"` and `".write"` at any node, given on to all below it.

use super::{AccessRules, Allow, Holds, all_of, any_of, day_of_millis};
use crate::facts::Span;

/// Reads a file: JSON with comments and trailing commas, whose places are kept.
pub fn read(text: &str) -> Result<AccessRules, String> {
    let mut reader = Reader { text, at: 0, path: vec![], found: vec![], depth: 0 };
    reader.value()?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.odd());
    }
    Ok(AccessRules { service: "database".to_owned(), allows: reader.found })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    path: Vec<&'t str>,
    found: Vec<Allow>,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn space(&mut self) {
        self.at = super::after_space(self.text, self.at);
    }

    fn odd(&self) -> String {
        format!("line {}: no JSON", self.text[..self.at].matches('\n').count() + 1)
    }

    fn eat(&mut self, mark: char) -> bool {
        self.space();
        let found = self.text[self.at..].starts_with(mark);
        if found {
            self.at += mark.len_utf8();
        }
        found
    }

    fn string(&mut self) -> Result<&'t str, String> {
        self.space();
        let rest = &self.text[self.at..];
        if !rest.starts_with('"') {
            return Err(self.odd());
        }
        let mut escaped = false;
        for (at, letter) in rest.char_indices().skip(1) {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.at += at + 1;
                    return Ok(&rest[1..at]);
                }
                _ => {}
            }
        }
        Err(self.odd())
    }

    /// A value; the text of one that is no object or list.
    fn value(&mut self) -> Result<&'t str, String> {
        self.depth += 1;
        if self.depth > 60 {
            return Err("nested too deeply".to_owned());
        }
        let value = if self.eat('{') {
            self.object()?;
            ""
        } else if self.eat('[') {
            while !self.eat(']') {
                self.value()?;
                if !self.eat(',') && !self.text[self.at..].starts_with(']') {
                    return Err(self.odd());
                }
            }
            ""
        } else if self.text[self.at..].starts_with('"') {
            self.string()?
        } else {
            let rest = &self.text[self.at..];
            let end = rest.find(|letter: char| matches!(letter, ',' | '}' | ']') || letter.is_whitespace());
            let word = &rest[..end.unwrap_or(rest.len())];
            if word.is_empty() {
                return Err(self.odd());
            }
            self.at += word.len();
            word
        };
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<(), String> {
        while !self.eat('}') {
            self.space();
            let start = self.at;
            let key = self.string()?;
            if !self.eat(':') {
                return Err(self.odd());
            }
            let methods: &[&'static str] = match key {
                ".read" => &["get", "list"],
                ".write" => &["create", "update", "delete"],
                _ => &[],
            };
            self.space();
            if methods.is_empty() {
                self.path.push(key);
                self.value()?;
                self.path.pop();
            } else {
                let condition = self.value()?;
                let path: String = self.path.iter().skip(1).map(|part| format!("/{part}")).collect();
                self.found.push(Allow {
                    span: Span { start: start as u32, end: self.at as u32 },
                    path,
                    methods: methods.to_vec(),
                    holds: holds(condition),
                });
            }
            if !self.eat(',') && !self.text[self.at..].trim_start().starts_with('}') {
                return Err(self.odd());
            }
        }
        Ok(())
    }
}

/// `true`, `"auth != null"`, `"now < 1767225600000"`
fn holds(condition: &str) -> Holds {
    let condition = condition.trim();
    if let Some(parts) = split(condition, "||") {
        return any_of(parts.into_iter().map(holds));
    }
    if let Some(parts) = split(condition, "&&") {
        return all_of(parts.into_iter().map(holds));
    }
    let plain = condition.trim_matches(|letter| matches!(letter, '(' | ')' | ' '));
    match plain {
        "true" => Holds::Always,
        "false" => Holds::Never,
        _ => {
            let limit = plain.strip_prefix("now").map(|rest| rest.trim_start().trim_start_matches(['<', '=', ' ']));
            let is_before = plain.strip_prefix("now").is_some_and(|rest| rest.trim_start().starts_with('<'));
            let millis = limit.filter(|_| is_before).and_then(|limit| limit.trim().parse::<f64>().ok());
            millis.and_then(day_of_millis).map_or(Holds::Asks, Holds::Until)
        }
    }
}

/// The parts of a condition between operators that stand in no parenthesis; none when there is just one.
fn split<'t>(text: &'t str, operator: &str) -> Option<Vec<&'t str>> {
    let (mut parts, mut depth, mut from) = (vec![], 0i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ if depth == 0 && text[at..].starts_with(operator) => {
                parts.push(&text[from..at]);
                from = at + operator.len();
            }
            _ => {}
        }
    }
    (from > 0).then(|| {
        parts.push(&text[from..]);
        parts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_keep_their_conditions() {
        let text = "{\n  // rules\n  \"rules\": {\n    \".read\": \"now < 1767225600000\",\n    \"scores\": { \"$id\": { \".write\": true, \".validate\": \"newData.isNumber()\" } },\n    \"faces\": { \".read\": \"auth != null || (auth.uid == 'x')\", },\n  }\n}\n";
        let rules = read(text).unwrap();
        let seen: Vec<(&str, &Holds)> = rules.allows.iter().map(|allow| (allow.path.as_str(), &allow.holds)).collect();
        let until = Holds::Until("2026-01-01".to_owned());
        assert_eq!(seen, [("", &until), ("/scores/$id", &Holds::Always), ("/faces", &Holds::Asks)]);
        assert!(rules.allows[0].is_about_all() && !rules.allows[1].is_about_all());
        assert_eq!(rules.allows[1].about(), Some("scores"));
    }

    #[test]
    fn what_is_broken_is_said() {
        for broken in ["", "{ \"rules\": { \".read\" true } }", "{ \"rules\": {", "{} x"] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
