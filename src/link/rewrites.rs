//! Where a request to the app itself ends up when a host, a framework or a development server leads it on: to
//! another path of the app, to a function, to another server, or to the page that answers whatever nothing serves.

use regex::{Captures, Regex};

use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::FileId;
use crate::link::entries::handlers::key;
use crate::link::entries::matchers::Matcher;
use crate::link::jumps::local_path;
use crate::link::projects::{split, within};
use crate::manifest::rewrites::{Leads, Syntax};
use crate::names::Name;
use crate::program::{Destination, ExprRef, Program, Value};

/// Where a request is led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Led {
    /// To a path of the app.
    Path(String),
    /// To a path of a server that may be the repository's or another one.
    Away(String),
    /// To a function by its name.
    Function(String),
    /// To a page: it serves no requests of code.
    Page,
    /// Somewhere that cannot be told.
    Unknown,
}

/// A rule.
struct Rewrite {
    /// The paths it is for; none when they could not be read.
    from: Option<Pattern>,
    to: Vec<Led>,
    /// It does not always hold.
    only_if: bool,
}

/// The rules of one file, in the order in which they are tried.
struct Rules {
    folder: String,
    all: Vec<Rewrite>,
}

/// The rules of a program.
pub struct Rewrites(Vec<Rules>);

impl Rewrites {
    /// Finds them, in settings and in code that configures.
    pub fn find(program: &Program) -> Self {
        let mut all: Vec<Rules> = Vec::new();
        for (folder, told) in program.manifests.rewrites() {
            let rules = told.into_iter().map(|told| Rewrite {
                from: Pattern::new(&told.from, told.syntax),
                to: match told.to {
                    Leads::Url(url) => leads(program, &Value::Text(Name::new(&url))),
                    Leads::Function(name) => vec![Led::Function(name)],
                    Leads::Unknown => vec![Led::Unknown],
                },
                only_if: told.only_if,
            });
            all.push(Rules { folder, all: rules.collect() });
        }
        for (manifest, package) in program.manifests.packages() {
            // Whatever a development server does not serve itself goes there.
            let Some(to) = package.whole.get("proxy").and_then(|to| to.as_str()) else { continue };
            let to = onward(program, &Value::Text(Name::new(to)), "");
            let rule = Rewrite { from: Pattern::below(""), to, only_if: false };
            all.push(Rules { folder: manifest.folder().to_owned(), all: vec![rule] });
        }
        for (file, facts) in program.code() {
            let (folder, name) = split(program.file(file).path.as_str());
            let stem = name.split(".config.").next().unwrap_or(name);
            let rules = match stem {
                _ if stem == name => continue,
                "next" => sources(program, file, facts),
                // Built for a server of its own, the one; for development, the other.
                "nuxt" => ["routeRules", "devProxy"].iter().flat_map(|key| under(program, file, facts, key)).collect(),
                _ => under(program, file, facts, "proxy"),
            };
            if !rules.is_empty() {
                all.push(Rules { folder: folder.to_owned(), all: rules });
            }
        }
        Self(all)
    }

    /// Where a request for a path goes that a file sends: what each file of rules that speaks for it says; nothing
    /// where none does.
    pub fn lead(&self, file: &str, path: &str) -> Vec<Led> {
        let covering = || self.0.iter().filter(|rules| within(file, &rules.folder).is_some());
        let mut found = Vec::new();
        let mut look = |rules: &Rules| {
            for rule in &rules.all {
                let Some(from) = &rule.from else {
                    let unclear = rule.to.iter().any(|to| *to != Led::Page);
                    found.extend(unclear.then_some(Led::Unknown));
                    continue;
                };
                let Some(led) = from.lead(path, &rule.to) else { continue };
                found.extend(led);
                if !rule.only_if {
                    break;
                }
            }
        };
        if covering().next().is_some() {
            covering().for_each(&mut look);
        } else {
            // What packages share is asked for by the app that uses it.
            self.0.iter().for_each(&mut look);
        }
        found
    }
}

/// The paths that a rule is for.
#[derive(Clone)]
struct Pattern {
    whole: Option<Regex>,
    /// Where what must not follow is written: a rule that takes nothing over.
    tested: Option<std::sync::Arc<Matcher>>,
}

impl Pattern {
    fn new(from: &str, syntax: Syntax) -> Option<Self> {
        // A rule of a whole address says where the site itself is.
        let from = match from.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => from,
        };
        let regex = match syntax {
            Syntax::Path if from.contains("(?!") => {
                let matcher = std::sync::Arc::new(Matcher::new(from));
                matcher.covers("/")?;
                return Some(Self { whole: None, tested: Some(matcher) });
            }
            Syntax::Path => of_path(from),
            Syntax::Splat => of_splat(from),
            Syntax::Glob => of_glob(from)?,
            Syntax::Regex => from.trim_start_matches('^').trim_end_matches('$').to_owned(),
        };
        Some(Self { whole: Some(Regex::new(&format!("^(?:{regex})/?$")).ok()?), tested: None })
    }

    /// The paths below a head; the rest is `:rest`.
    fn below(head: &str) -> Option<Self> {
        let regex = format!("^{}(?P<rest>.*)$", regex::escape(head));
        Some(Self { whole: Some(Regex::new(&regex).ok()?), tested: None })
    }

    /// Where a path is led; none when the rule is not for it.
    fn lead(&self, path: &str, to: &[Led]) -> Option<Vec<Led>> {
        if let Some(matcher) = &self.tested {
            let takes_over = |to: &Led| matches!(to, Led::Path(to) | Led::Away(to) if to.contains([':', '$']));
            let plain = |to: &Led| if takes_over(to) { Led::Unknown } else { to.clone() };
            return (matcher.covers(path) == Some(true)).then(|| to.iter().map(plain).collect());
        }
        let found = self.whole.as_ref()?.captures(path)?;
        let one = |to: &Led| match to {
            Led::Path(to) => Led::Path(filled(to, &found)),
            Led::Away(to) => Led::Away(filled(to, &found)),
            other => other.clone(),
        };
        Some(to.iter().map(one).collect())
    }
}

/// `/api/:path*`, `/post/:id(\\d+)`, `/(.*)` as a regular expression.
fn of_path(from: &str) -> String {
    let mut regex = String::new();
    let mut rest = from;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("/:") {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            let (inner, after) = group(after).unwrap_or(("[^/]+", after));
            let (text, used) = match after.chars().next() {
                Some('*') => (format!("(?:/(?P<{name}>.*))?"), 1),
                Some('+') => (format!("/(?P<{name}>.+)"), 1),
                Some('?') => (format!("(?:/(?P<{name}>{inner}))?"), 1),
                _ => (format!("/(?P<{name}>{inner})"), 0),
            };
            regex.push_str(&text);
            rest = &after[used..];
        } else if let Some((inner, after)) = group(rest) {
            regex.push_str(&format!("({inner})"));
            rest = after;
        } else {
            regex.push_str(&regex::escape(&c.to_string()));
            rest = &rest[c.len_utf8()..];
        }
    }
    regex
}

/// What stands in the parentheses that a text starts with, and what follows.
fn group(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some((&text[1..at], &text[at + 1..])),
            ')' => depth -= 1,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// `/api/*`, `/users/:id` as a regular expression.
fn of_splat(from: &str) -> String {
    let mut regex = String::new();
    for part in from.trim_matches('/').split('/').filter(|part| !part.is_empty()) {
        match part.strip_prefix(':') {
            _ if part == "*" => regex.push_str("(?:/(?P<splat>.*))?"),
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                regex.push_str(&format!("/(?P<{name}>[^/]+)"));
            }
            _ => regex.push_str(&format!("/{}", regex::escape(part).replace("\\*", ".*"))),
        }
    }
    regex
}

/// `/api/**`, `/@(mail|note)/*`, `/{a,b}` as a regular expression; none of a glob that says what must not be there.
fn of_glob(from: &str) -> Option<String> {
    if from.contains(['[', '!', '\\']) {
        return None;
    }
    let mut regex = String::new();
    let mut rest = if from.starts_with(['/', '*']) {
        from
    } else {
        regex.push('/');
        from
    };
    // What closes the groups that are open, and what stands behind them.
    let mut open: Vec<&str> = Vec::new();
    while let Some(c) = rest.chars().next() {
        let (text, used) = match c {
            '/' if rest.starts_with("/**") => ("(?:/.*)?", 3),
            '*' if rest.starts_with("**") => (".*", 2),
            '@' | '?' | '*' | '+' if rest[1..].starts_with('(') => {
                open.push(match c {
                    '@' => ")",
                    '?' => ")?",
                    '*' => ")*",
                    _ => ")+",
                });
                ("(?:", 2)
            }
            '{' => {
                open.push(")");
                ("(?:", 1)
            }
            '|' | ',' if !open.is_empty() => ("|", 1),
            ')' | '}' => (open.pop()?, 1),
            '(' => return None,
            '*' => ("[^/]*", 1),
            '?' => ("[^/]", 1),
            _ => ("", 0),
        };
        match used {
            0 => {
                regex.push_str(&regex::escape(&rest[..c.len_utf8()]));
                rest = &rest[c.len_utf8()..];
            }
            _ => {
                regex.push_str(text);
                rest = &rest[used..];
            }
        }
    }
    open.is_empty().then_some(regex)
}

/// A target with what was found in the places that take it over.
fn filled(to: &str, found: &Captures<'_>) -> String {
    let mut whole = String::new();
    let mut rest = to;
    while let Some(at) = rest.find([':', '$']) {
        whole.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        let name = &after[..end];
        let taken = match name.parse::<usize>() {
            Ok(number) => found.get(number),
            Err(_) => found.name(name),
        };
        whole.push_str(taken.map_or("", |taken| taken.as_str()));
        rest = after[end..].trim_start_matches(['*', '+']);
    }
    whole.push_str(rest);
    whole
}

/// Where a URL leads, for each value it can have.
fn leads(program: &Program, url: &Value) -> Vec<Led> {
    let one = |url: &Value, to: &Destination| match to {
        Destination::Own(path) if is_page(path) => Led::Page,
        Destination::Own(path) => Led::Path(path.to_string()),
        Destination::Local => Led::Path(local_path(url).map_or(String::new(), |path| path.to_string())),
        Destination::Host(_, path) | Destination::Env(_, path) | Destination::Unknown(path) => {
            Led::Away(path.to_string())
        }
        Destination::Vendor(vendor, _, path) if program.catalogue.vendor(*vendor).own_backend => {
            Led::Away(path.to_string())
        }
        Destination::Vendor(..) => Led::Unknown,
    };
    let all = url.alternatives().iter().flat_map(|url| {
        let to = program.destinations(url);
        to.iter().map(|to| one(url, to)).collect::<Vec<_>>()
    });
    all.collect()
}

/// A page answers requests for pages.
fn is_page(path: &str) -> bool {
    path == "/" || path.ends_with(".html") || path == "/404"
}

/// Where a proxy sends what it is for: its target with the rest of the path behind. `head` is what it puts in place
/// of the head it is for.
fn onward(program: &Program, target: &Value, head: &str) -> Vec<Led> {
    let with_rest = |path: &str| format!("{}{head}:rest", path.trim_end_matches('/'));
    let one = |led: Led| match led {
        Led::Path(path) => Led::Path(with_rest(&path)),
        Led::Away(path) => Led::Away(with_rest(&path)),
        // The target's own root is no page.
        Led::Page => Led::Path(with_rest("")),
        other => other,
    };
    leads(program, target).into_iter().map(one).collect()
}

/// `{ source: "/api/:path*", destination: ".." }`, wherever it stands in the file.
fn sources(program: &Program, file: FileId, facts: &Facts) -> Vec<Rewrite> {
    let mut found = Vec::new();
    for (at, _) in facts.objects() {
        let object = ExprRef::new(file, at);
        let part = |name: &str| key(program, object, Name::new(name));
        let (Some(from), Some(to)) = (part("source"), part("destination")) else { continue };
        let from = match program.value(from) {
            Value::Text(from) => Pattern::new(&from, Syntax::Path),
            _ => None,
        };
        let only_if = part("has").is_some() || part("missing").is_some();
        found.push(Rewrite { from, to: leads(program, &program.expand(&program.value(to))), only_if });
    }
    found
}

/// The rules that stand under a key by their path: `proxy: { "/api": "http://localhost:3001" }` of a development
/// server, `routeRules: { "/api/**": { proxy: ".." } }`.
fn under(program: &Program, file: FileId, facts: &Facts, name: &str) -> Vec<Rewrite> {
    let under_name = |entries: &[(Name, ExprId)]| entries.iter().find(|(key, _)| *key == name).map(|&(_, value)| value);
    let objects = facts.objects().filter_map(|(_, entries)| under_name(entries));
    let mut found = Vec::new();
    for value in objects {
        let Value::Object(rules) = program.value(ExprRef::new(file, value)) else { continue };
        let ExprKind::Object(entries) = program.facts(rules.file).expr(rules.expr) else { continue };
        for &(path, value) in entries.iter().filter(|(path, _)| path.starts_with(['/', '^'])) {
            let mut rule = proxy(program, &path, ExprRef::new(rules.file, value));
            if let Some(rule) = rule.as_mut().filter(|_| name == "devProxy") {
                // Whether the head stays is for the server's version to say.
                let without = |led: &Led| match led {
                    Led::Path(to) => Led::Path(to.replacen(path.as_str(), "", 1)),
                    Led::Away(to) => Led::Away(to.replacen(path.as_str(), "", 1)),
                    other => other.clone(),
                };
                rule.to.extend(rule.to.iter().map(without).collect::<Vec<_>>());
            }
            found.extend(rule);
        }
    }
    found
}

/// One proxy: a target, or an object that says more.
fn proxy(program: &Program, path: &str, value: ExprRef) -> Option<Rewrite> {
    let part = |at: ExprRef, name: &str| key(program, at, Name::new(name));
    let mut target = value;
    // `"/api/**": { proxy: ".." }`, `{ proxy: { to: ".." } }`, `{ target: ".." }`, `{ redirect: ".." }`
    let of_rules = part(target, "proxy").or_else(|| part(target, "redirect"));
    let options = of_rules.unwrap_or(target);
    target = options;
    if let Some(to) = ["target", "to"].iter().find_map(|name| part(options, name)) {
        target = to;
    } else if let (ExprKind::Object(_), true) = (program.facts(options.file).expr(options.expr), of_rules.is_none()) {
        // A rule that only sets headers or caching.
        return None;
    }
    let url = program.expand(&program.value(target));
    let from = match path.strip_suffix("/**") {
        // What the function makes of it is not followed through patterns.
        _ if path.starts_with('^') => {
            let whole = Regex::new(path).ok().map(|regex| Pattern { whole: Some(regex), tested: None });
            return Some(Rewrite { from: whole, to: vec![Led::Unknown], only_if: false });
        }
        Some(head) => Pattern::below(head),
        None => Pattern::below(path),
    };
    // `to: "https://host/api/**"`: the rest stands where the stars are.
    if of_rules.is_some() {
        let one = |led: Led| match led {
            Led::Path(path) => Led::Path(path.replace("/**", ":rest")),
            Led::Away(path) => Led::Away(path.replace("/**", ":rest")),
            other => other,
        };
        return Some(Rewrite { from, to: leads(program, &url).into_iter().map(one).collect(), only_if: false });
    }
    let to = match part(options, "rewrite").or_else(|| part(options, "pathRewrite")) {
        None => onward(program, &url, path),
        // What stands in place of the head, where the function says so in one step.
        Some(rewrite) => match put_instead(program, rewrite) {
            Some(head) => onward(program, &url, head.as_str().trim_end_matches('/')),
            None => vec![Led::Unknown],
        },
    };
    Some(Rewrite { from, to, only_if: false })
}

/// `(path) => path.replace(/^\/api/, "")`, `{ "^/api": "" }`: what is put in place of the head.
fn put_instead(program: &Program, rewrite: ExprRef) -> Option<Name> {
    let facts = program.facts(rewrite.file);
    let text = |at: ExprId| match program.value(ExprRef::new(rewrite.file, at)) {
        Value::Text(text) => Some(text),
        _ => None,
    };
    match facts.expr(rewrite.expr) {
        ExprKind::Object(entries) => match &entries[..] {
            [(_, value)] => text(*value),
            _ => None,
        },
        ExprKind::Function(function) => {
            let mut returned = facts.returned(*function);
            let (Some(value), None) = (returned.next(), returned.next()) else { return None };
            let ExprKind::Call(call) = *facts.expr(value) else { return None };
            let call = facts.call(call);
            let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return None };
            let plain = matches!(facts.expr(base), ExprKind::Ref(..));
            (method == "replace" && plain).then(|| text(call.args.get(1)?.value)).flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, syntax: Syntax, to: &str, path: &str) -> Option<Led> {
        Pattern::new(from, syntax).unwrap().lead(path, &[Led::Path(to.to_owned())])?.pop()
    }

    #[test]
    fn paths_are_led_on() {
        let path = |to: &str| Some(Led::Path(to.to_owned()));
        assert_eq!(led("/api/:path*", Syntax::Path, "/v1/:path*", "/api/users/{}"), path("/v1/users/{}"));
        assert_eq!(led("/api/(.*)", Syntax::Path, "/api/index?p=$1", "/api/a/b"), path("/api/index?p=a/b"));
        assert_eq!(led("/u/:id(\\d+)", Syntax::Path, "/users/:id", "/u/7"), path("/users/7"));
        assert_eq!(led("/u/:id(\\d+)", Syntax::Path, "/users/:id", "/u/me"), None);
        assert_eq!(led("/api/*", Syntax::Splat, "/f/:splat", "/api/a/b"), path("/f/a/b"));
        assert_eq!(led("/api/**", Syntax::Glob, "/x", "/api/a/b"), path("/x"));
        assert_eq!(led("/@(mail|note)/*", Syntax::Glob, "/x", "/mail/a"), path("/x"));
        assert_eq!(led("/@(mail|note)/*", Syntax::Glob, "/x", "/post/a"), None);
        assert_eq!(led("/{a,b?}/**", Syntax::Glob, "/x", "/b1/c"), path("/x"));
        assert_eq!(led("/((?!api/).*)", Syntax::Path, "/x", "/api/a"), None);
        assert_eq!(led("/((?!api/).*)", Syntax::Path, "/x", "/about"), path("/x"));
        assert_eq!(led("^/api/(.*)$", Syntax::Regex, "/back/$1", "/api/a"), path("/back/a"));
    }
}
