//! Schema files of database clients: their models, and what no two rows of them share.

use crate::facts::Span;
use crate::names::Name;

/// A model of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: Name,
    /// The table, when it has another name.
    pub table: Option<Name>,
    /// Its fields, and the columns of those that have another name.
    pub fields: Vec<(Name, Name)>,
    /// What no two rows share, and whether it is the primary key.
    pub keys: Vec<(bool, Vec<Name>)>,
    /// `model Order`.
    pub span: Span,
}

/// Reads the models of a schema file.
pub fn read(text: &str) -> Result<Vec<Model>, String> {
    let clean = without_comments(text);
    let (mut models, mut at) = (vec![], 0);
    while let Some(open) = clean[at..].find('{').map(|open| at + open) {
        let head = clean[at..open].trim();
        // A block of one line ends there; in others a default may hold a brace (`"{}"`).
        let line = clean[open..].find('\n').map_or(clean.len(), |end| open + end);
        let here = clean[open..line].trim_end().ends_with('}').then(|| clean[open..line].rfind('}')).flatten();
        let close = here.or_else(|| clean[open..].find("\n}")).or_else(|| clean[open..].find('}'));
        let Some(close) = close.map(|close| open + close) else {
            return Err(format!("`{head}` is not closed"));
        };
        let mut words = head.split_whitespace();
        if let (Some("model"), Some(name), None) = (words.next(), words.next(), words.next()) {
            let start = clean[..open].rfind("model").unwrap_or(at);
            let end = start + clean[start..open].trim_end().len();
            let span = Span { start: start as u32, end: end as u32 };
            models.push(model(Name::new(name), &clean[open + 1..close], span));
        }
        at = close + clean[close..].find('}').map_or(0, |brace| brace + 1);
    }
    Ok(models)
}

fn model(name: Name, body: &str, span: Span) -> Model {
    let mut model = Model { name, table: None, fields: vec![], keys: vec![], span };
    for line in lines(body) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("@@") {
            let Some((word, arguments)) = rest.split_once('(') else { continue };
            match word {
                "id" | "unique" => model.keys.push((word == "id", listed(arguments))),
                "map" => model.table = quoted(arguments),
                _ => {}
            }
            continue;
        }
        let Some(field) = line.split_whitespace().next().filter(|field| !field.starts_with('@')) else { continue };
        let field = Name::new(field);
        let column = line.find("@map(").and_then(|at| quoted(&line[at..]));
        model.fields.push((field, column.unwrap_or(field)));
        for (word, primary) in [("@id", true), ("@unique", false)] {
            let says = |part: &str| part == word || part.strip_prefix(word).is_some_and(|rest| rest.starts_with('('));
            if line.split_whitespace().any(says) {
                model.keys.push((primary, vec![field]));
            }
        }
    }
    model
}

/// The lines of a body; what stands in parentheses belongs together.
fn lines(body: &str) -> Vec<String> {
    let (mut lines, mut open) = (vec![String::new()], 0usize);
    for char in body.chars() {
        match char {
            '(' | '[' => open += 1,
            ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
        match (char, lines.last_mut()) {
            ('\n', _) if open == 0 => lines.push(String::new()),
            (_, Some(last)) => last.push(if char == '\n' { ' ' } else { char }),
            _ => {}
        }
    }
    lines
}

/// The names of the first list: `a` and `b` of `[a, b(sort: Desc)], name: "x")`.
fn listed(arguments: &str) -> Vec<Name> {
    let inside = arguments.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(inside, _)| inside);
    let (mut names, mut depth, mut name) = (vec![], 0, String::new());
    for char in inside.chars().chain([',']) {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                names.push(Name::new(name.trim()));
                name.clear();
            }
            _ if depth == 0 => name.push(char),
            _ => {}
        }
    }
    names
}

fn quoted(text: &str) -> Option<Name> {
    text.split('"').nth(1).map(Name::new)
}

/// The text with its comments blanked out, byte by byte.
fn without_comments(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (mut quoted, mut slash, mut cut) = (false, false, line.len());
        for (at, byte) in line.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'/' if slash && !quoted => {
                    cut = at - 1;
                    break;
                }
                _ => {}
            }
            slash = byte == b'/';
        }
        clean.push_str(&line[..cut]);
        clean.extend(line[cut..].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
generator client { provider = "prisma-client-js" }

// model Ghost { id Int @id }
model HandledEvent {
  id        Int     @id @default(autoincrement())
  eventId   String  @unique(map: "ux") @map("event_id") // the sender's
  url       String  @default("https://a.example") // @unique
  kind      String
  day       DateTime

  @@unique([kind,
    day(sort: Desc)], name: "kind_day")
  @@map("handled_events")
}

model Part { a Int
  b Int
  @@id([a, b])
}
"#;

    #[test]
    fn keys_and_names_are_read() {
        let models = read(TEXT).unwrap();
        let [event, part] = &models[..] else { panic!("{models:?}") };
        assert_eq!((event.name.as_str(), event.table), ("HandledEvent", Some(Name::new("handled_events"))));
        let names = |names: &[&str]| names.iter().map(|name| Name::new(name)).collect::<Vec<_>>();
        let keys = [(true, names(&["id"])), (false, names(&["eventId"])), (false, names(&["kind", "day"]))];
        assert_eq!(event.keys, keys);
        assert!(event.fields.contains(&(Name::new("eventId"), Name::new("event_id"))));
        assert_eq!(&TEXT[event.span.start as usize..event.span.end as usize], "model HandledEvent");
        assert_eq!(part.keys, [(true, names(&["a", "b"]))]);
    }

    #[test]
    fn a_model_that_is_not_closed_is_told() {
        assert!(read("model A {\n  id Int @id\n").is_err());
    }
}
