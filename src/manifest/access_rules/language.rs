//! The language of `match` blocks and `allow` statements.

use std::collections::HashMap;

use super::{AccessRules, Allow, Holds, all_of, any_of, day_of_millis};
use crate::facts::Span;

/// How deep functions and parentheses are followed.
const DEEPEST: usize = 24;

/// Reads a file.
pub fn read(text: &str) -> Result<AccessRules, String> {
    let mut reader = Reader { text, at: 0, service: String::new(), found: vec![] };
    while !reader.is_done() {
        let word = reader.word();
        match word {
            "rules_version" | "import" => reader.skip_statement(),
            "service" => {
                let name = reader.until(|letter| letter == '{').trim().to_owned();
                reader.expect("{")?;
                reader.service = name;
                reader.block("", &HashMap::new(), 0)?;
            }
            "function" | "match" => return Err(format!("`{word}` outside of a service")),
            _ => return Err(reader.odd()),
        }
    }
    match reader.service.is_empty() {
        true => Err("it names no service".to_owned()),
        false => Ok(AccessRules { service: reader.service, allows: reader.found }),
    }
}

/// A function of the rules: its body as text, to be read when it is asked for.
#[derive(Clone)]
struct Function {
    body: Expr,
}

type Functions = HashMap<String, Function>;

/// A condition, as far as constants go.
#[derive(Clone, Debug)]
enum Expr {
    Bool(bool),
    Number(f64),
    Text(String),
    Null,
    /// `request.time`
    Name(String),
    Call(Box<Expr>, Vec<Expr>),
    Op(&'static str, Vec<Expr>),
    /// `condition ? one : other`
    Choose(Box<[Expr; 3]>),
    Other,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    service: String,
    found: Vec<Allow>,
}

/// A statement whose condition waits for the functions of its block.
struct Waiting {
    span: Span,
    methods: Vec<&'static str>,
    condition: Expr,
}

impl<'t> Reader<'t> {
    /// White space and comments.
    fn space(&mut self) {
        self.at = super::after_space(self.text, self.at);
    }

    fn is_done(&mut self) -> bool {
        self.space();
        self.at >= self.text.len()
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn odd(&mut self) -> String {
        self.space();
        let line = self.text[..self.at].matches('\n').count() + 1;
        let what: String = self.rest().chars().take(12).collect();
        format!("line {line}: `{}`", what.lines().next().unwrap_or_default())
    }

    /// The word that stands here, which is taken; empty when there is none.
    fn word(&mut self) -> &'t str {
        let word = self.peek_word();
        self.at += word.len();
        word
    }

    fn peek_word(&mut self) -> &'t str {
        self.space();
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        &rest[..end]
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'t str {
        self.space();
        let rest = self.rest();
        let length = rest.find(end).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.eat(mark) { Ok(()) } else { Err(self.odd()) }
    }

    fn skip_statement(&mut self) {
        self.until(|letter| letter == ';' || letter == '\n');
        self.eat(";");
    }

    /// What stands between braces: nested matches see the functions of the blocks around them, wherever those stand.
    fn block(&mut self, path: &str, outer: &Functions, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let begin = self.at;
        let functions = self.functions_here(outer, begin)?;
        self.at = begin;
        let mut waiting: Vec<Waiting> = vec![];
        loop {
            if self.eat("}") {
                break;
            }
            if self.is_done() {
                return Err("a block is not closed".to_owned());
            }
            let start = self.at;
            match self.word() {
                "match" => {
                    let inner = format!("{path}{}", self.path()?);
                    self.expect("{")?;
                    self.block(&inner, &functions, depth + 1)?;
                    self.eat(";");
                }
                "allow" => {
                    let statement = self.allow(start)?;
                    waiting.push(statement);
                }
                "function" => drop(self.function()?),
                _ if self.eat(";") => {}
                _ => {
                    self.at = start;
                    return Err(self.odd());
                }
            }
        }
        let allows = waiting.into_iter().map(|statement| Allow {
            span: statement.span,
            path: path.to_owned(),
            methods: statement.methods,
            holds: holds(&statement.condition, &functions, 0),
        });
        self.found.extend(allows);
        self.found.sort_by_key(|allow| allow.span.start);
        Ok(())
    }

    /// The functions that a block declares itself, with those around it.
    fn functions_here(&mut self, outer: &Functions, begin: usize) -> Result<Functions, String> {
        let mut functions = outer.clone();
        self.at = begin;
        let mut depth = 0usize;
        while !self.is_done() {
            let rest = self.rest();
            if depth == 0 && self.peek_word() == "function" {
                self.word();
                let (name, function) = self.function()?;
                functions.insert(name, function);
                continue;
            }
            let next = rest.chars().next().unwrap_or(' ');
            match next {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                '\'' | '"' => {
                    self.text_literal()?;
                    continue;
                }
                _ => {}
            }
            let word = self.peek_word().len();
            self.at += word.max(next.len_utf8());
        }
        Ok(functions)
    }

    /// `name(a, b) { let x = ..; return ..; }`
    fn function(&mut self) -> Result<(String, Function), String> {
        let name = self.word().to_owned();
        self.expect("(")?;
        self.until(|letter| letter == ')');
        self.expect(")")?;
        self.expect("{")?;
        let mut body = Expr::Other;
        loop {
            match self.word() {
                "let" => {
                    self.word();
                    self.expect("=")?;
                    self.expression(0)?;
                    self.eat(";");
                }
                "return" => {
                    body = self.expression(0)?;
                    self.eat(";");
                }
                "" if self.eat("}") => return Ok((name, Function { body })),
                "" if self.eat(";") => {}
                _ => return Err(self.odd()),
            }
        }
    }

    /// `/databases/{database}/documents`, `/{document=**}`
    fn path(&mut self) -> Result<String, String> {
        let mut path = String::new();
        self.space();
        while self.rest().starts_with('/') {
            self.at += 1;
            let rest = self.rest();
            let length = match rest.chars().next() {
                Some('{') => rest.find('}').map(|end| end + 1),
                Some('$') => rest.find(')').map(|end| end + 1),
                _ => rest.find(|letter: char| letter == '/' || letter == '{' || letter.is_whitespace()),
            };
            let Some(length) = length else { return Err(self.odd()) };
            path.push('/');
            path.push_str(&rest[..length].replace(' ', ""));
            self.at += length;
        }
        if path.is_empty() { Err(self.odd()) } else { Ok(path) }
    }

    /// `read, write: if condition;` after the word `allow`.
    fn allow(&mut self, start: usize) -> Result<Waiting, String> {
        let mut methods = vec![];
        loop {
            let fine: &[&'static str] = match self.word() {
                "read" => &["get", "list"],
                "write" => &["create", "update", "delete"],
                "get" => &["get"],
                "list" => &["list"],
                "create" => &["create"],
                "update" => &["update"],
                "delete" => &["delete"],
                _ => return Err(self.odd()),
            };
            methods.extend(fine);
            if !self.eat(",") {
                break;
            }
        }
        let condition = if self.eat(":") {
            if self.word() != "if" {
                return Err(self.odd());
            }
            self.expression(0)?
        } else {
            Expr::Bool(true)
        };
        let end = self.at;
        self.eat(";");
        Ok(Waiting { span: Span { start: start as u32, end: end as u32 }, methods, condition })
    }

    // ---- conditions -------------------------------------------------------------------------------------

    fn expression(&mut self, depth: usize) -> Result<Expr, String> {
        let condition = self.binary(0, depth)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let one = self.expression(depth + 1)?;
        self.expect(":")?;
        let other = self.expression(depth + 1)?;
        Ok(Expr::Choose(Box::new([condition, one, other])))
    }

    fn binary(&mut self, level: usize, depth: usize) -> Result<Expr, String> {
        const LEVELS: &[&[&str]] =
            &[&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">", "in", "is"], &["+", "-"], &["*", "/", "%"]];
        if depth > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let Some(operators) = LEVELS.get(level) else { return self.unary(depth) };
        let mut left = self.binary(level + 1, depth)?;
        'more: loop {
            self.space();
            for operator in *operators {
                let is_word = operator.starts_with(|first: char| first.is_ascii_alphabetic());
                let here = if is_word { self.peek_word() == *operator } else { self.rest().starts_with(operator) };
                if here {
                    self.at += operator.len();
                    let right = self.binary(level + 1, depth + 1)?;
                    left = Expr::Op(operator, vec![left, right]);
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, String> {
        self.space();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            return Ok(Expr::Op("!", vec![self.unary(depth + 1)?]));
        }
        if self.eat("-") {
            self.unary(depth + 1)?;
            return Ok(Expr::Other);
        }
        let mut value = self.primary(depth)?;
        loop {
            if self.eat(".") {
                let name = self.word();
                value = match value {
                    Expr::Name(of) => Expr::Name(format!("{of}.{name}")),
                    _ => Expr::Other,
                };
            } else if self.eat("(") {
                let args = self.list(")", depth)?;
                value = Expr::Call(Box::new(value), args);
            } else if self.eat("[") {
                self.expression(depth + 1)?;
                if self.eat(":") {
                    self.expression(depth + 1)?;
                }
                self.expect("]")?;
                value = Expr::Other;
            } else {
                return Ok(value);
            }
        }
    }

    fn list(&mut self, end: &str, depth: usize) -> Result<Vec<Expr>, String> {
        let mut items = vec![];
        while !self.eat(end) {
            items.push(self.expression(depth + 1)?);
            // Entries of a map.
            if self.eat(":") {
                self.expression(depth + 1)?;
            }
            if !self.eat(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn primary(&mut self, depth: usize) -> Result<Expr, String> {
        self.space();
        let rest = self.rest();
        match rest.chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = self.expression(depth + 1)?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('[') => {
                self.at += 1;
                self.list("]", depth)?;
                Ok(Expr::Other)
            }
            Some('{') => {
                self.at += 1;
                self.list("}", depth)?;
                Ok(Expr::Other)
            }
            Some('\'' | '"') => self.text_literal().map(Expr::Text),
            Some('/') => self.path_literal(depth),
            Some(first) if first.is_ascii_digit() => {
                let number = self.until(|letter| !letter.is_ascii_digit() && letter != '.');
                Ok(number.parse().map_or(Expr::Other, Expr::Number))
            }
            _ => match self.word() {
                "true" => Ok(Expr::Bool(true)),
                "false" => Ok(Expr::Bool(false)),
                "null" => Ok(Expr::Null),
                "" => Err(self.odd()),
                name => Ok(Expr::Name(name.to_owned())),
            },
        }
    }

    fn text_literal(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let mark = rest.chars().next().unwrap_or('"');
        let mut escaped = false;
        for (at, letter) in rest.char_indices().skip(1) {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' => break,
                _ if letter == mark => {
                    self.at += at + 1;
                    return Ok(rest[1..at].to_owned());
                }
                _ => {}
            }
        }
        Err(self.odd())
    }

    /// `/databases/$(database)/documents/users/$(request.auth.uid)`
    fn path_literal(&mut self, depth: usize) -> Result<Expr, String> {
        while self.rest().starts_with('/') {
            self.at += 1;
            if self.rest().starts_with("$(") {
                self.at += 2;
                self.expression(depth + 1)?;
                self.expect(")")?;
                continue;
            }
            // The name of the usual database.
            if self.eat("(default)") {
                continue;
            }
            let rest = self.rest();
            let end = rest.find(|letter: char| {
                !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-' | '{' | '}' | '=' | '*' | '.')
            });
            self.at += end.unwrap_or(rest.len());
        }
        Ok(Expr::Other)
    }
}

// ---- what conditions come to ------------------------------------------------------------------------------

fn holds(condition: &Expr, functions: &Functions, depth: usize) -> Holds {
    if depth > DEEPEST {
        return Holds::Asks;
    }
    let on = |expr: &Expr| holds(expr, functions, depth + 1);
    match condition {
        Expr::Bool(true) => Holds::Always,
        Expr::Bool(false) => Holds::Never,
        Expr::Op("||", parts) => any_of(parts.iter().map(on)),
        Expr::Op("&&", parts) => all_of(parts.iter().map(on)),
        Expr::Op("!", parts) => match parts.first().map(on) {
            Some(Holds::Always) => Holds::Never,
            Some(Holds::Never) => Holds::Always,
            _ => Holds::Asks,
        },
        Expr::Op(operator, parts) => compared(operator, parts),
        Expr::Choose(parts) => match on(&parts[0]) {
            Holds::Always => on(&parts[1]),
            Holds::Never => on(&parts[2]),
            _ if on(&parts[1]) == on(&parts[2]) => on(&parts[1]),
            _ => Holds::Asks,
        },
        Expr::Call(callee, _) => match &**callee {
            Expr::Name(name) => functions.get(name).map_or(Holds::Asks, |function| on(&function.body)),
            _ => Holds::Asks,
        },
        _ => Holds::Asks,
    }
}

fn compared(operator: &str, parts: &[Expr]) -> Holds {
    let [one, other] = parts else { return Holds::Asks };
    let certain = |truth: bool| if truth { Holds::Always } else { Holds::Never };
    let equal = match (one, other) {
        (Expr::Bool(one), Expr::Bool(other)) => Some(one == other),
        (Expr::Number(one), Expr::Number(other)) => Some(one == other),
        (Expr::Text(one), Expr::Text(other)) => Some(one == other),
        (Expr::Null, Expr::Null) => Some(true),
        _ => None,
    };
    let is_now = |expr: &Expr| matches!(expr, Expr::Name(name) if name == "request.time");
    match (operator, equal) {
        ("==", Some(equal)) => certain(equal),
        ("!=", Some(equal)) => certain(!equal),
        ("<" | "<=", _) if is_now(one) => day_of(other).map_or(Holds::Asks, Holds::Until),
        (">" | ">=", _) if is_now(other) => day_of(one).map_or(Holds::Asks, Holds::Until),
        _ => Holds::Asks,
    }
}

/// `timestamp.date(2026, 1, 31)`, `timestamp.value(1767225600000)`
fn day_of(expr: &Expr) -> Option<String> {
    let Expr::Call(callee, args) = expr else { return None };
    let Expr::Name(name) = &**callee else { return None };
    let numbers: Vec<f64> =
        args.iter().filter_map(|arg| if let Expr::Number(number) = arg { Some(*number) } else { None }).collect();
    match (name.as_str(), &numbers[..]) {
        ("timestamp.date", [year, month, day]) => {
            Some(format!("{:04}-{:02}-{:02}", *year as u32, *month as u32, *day as u32))
        }
        ("timestamp.value", [millis]) => day_of_millis(*millis),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(condition: &str) -> Holds {
        let text = format!(
            "rules_version = '2';\nservice cloud.firestore {{\n  match /databases/{{database}}/documents {{\n    function open() {{ return true; }}\n    function asks(id) {{ let x = get(/databases/$(database)/documents/users/$(id)).data; return x.role in ['a', 'b']; }}\n    match /{{document=**}} {{\n      // {{ all }}\n      allow read, write: if {condition};\n    }}\n  }}\n}}\n"
        );
        let rules = read(&text).unwrap();
        assert_eq!(rules.service, "cloud.firestore");
        assert_eq!(rules.allows.len(), 1);
        assert!(rules.allows[0].is_about_all());
        rules.allows[0].holds.clone()
    }

    #[test]
    fn conditions_come_to_what_they_say() {
        let until = |day: &str| Holds::Until(day.to_owned());
        assert_eq!(read_one("true"), Holds::Always);
        assert_eq!(read_one("open() || request.auth.uid == resource.data.owner"), Holds::Always);
        assert_eq!(read_one("false"), Holds::Never);
        assert_eq!(read_one("request.auth != null && open()"), Holds::Asks);
        assert_eq!(read_one("request.time < timestamp.date(2026, 1, 9)"), until("2026-01-09"));
        assert_eq!(read_one("timestamp.value(1767225600000) > request.time"), until("2026-01-01"));
        assert_eq!(read_one("asks(request.auth.uid)"), Holds::Asks);
        assert_eq!(read_one("exists(/databases/(default)/documents/staff/$(request.auth.uid))"), Holds::Asks);
        assert_eq!(read_one("!(1 == 2) && (true ? true : false)"), Holds::Always);
        assert_eq!(
            read_one("request.resource.size < 5 * 1024 * 1024 && request.resource.contentType.matches('image/.*')"),
            Holds::Asks
        );
    }

    #[test]
    fn paths_are_put_together() {
        let text = "service firebase.storage { match /b/{bucket}/o { match /faces/{user} { allow get; allow write: if false } } }";
        let rules = read(text).unwrap();
        assert_eq!(rules.allows[0].path, "/b/{bucket}/o/faces/{user}");
        assert_eq!(rules.allows[0].about(), Some("faces"));
        assert!(!rules.allows[0].is_about_all());
        assert_eq!((rules.allows[0].methods.as_slice(), &rules.allows[0].holds), (&["get"][..], &Holds::Always));
        assert_eq!(rules.allows[1].holds, Holds::Never);
    }

    #[test]
    fn what_is_broken_is_said() {
        for broken in ["", "service x { match /a { allow read: if ; } }", "service x { match /a {", "match /a {}", "{"]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
