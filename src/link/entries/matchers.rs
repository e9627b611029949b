//! Middleware that stands in a file of its own and covers routes by their path: which routes each one covers.

use regex::Regex;

use super::handlers::{self, gates, handler, key, object};
use super::{Label, Module, Seeker};
use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::link::projects::within;
use crate::names::Name;
use crate::program::callers::unloaded::is_loaded;
use crate::program::{Entry, EntryKind, ExprRef, Gate, Program, Value};

/// Middleware of a file.
struct Cover {
    project: usize,
    framework: &'static str,
    /// The paths it runs for; none for all.
    matchers: Option<Vec<Matcher>>,
    gates: Vec<Gate>,
}

/// Finds the middleware, adds its entries, and puts it in front of the entries it covers.
pub fn cover(seeker: Seeker<'_>, entries: &mut Vec<Entry>) {
    let mut covers: Vec<Cover> = Vec::new();
    let mut own: Vec<Entry> = Vec::new();
    for (file, facts) in seeker.program.code() {
        if !facts.language.is_script() {
            continue;
        }
        let path = seeker.program.file(file).path.as_str();
        let project = seeker.projects.of(file);
        let inner = within(path, &project.folder).unwrap_or(path);
        let module = Module { program: seeker.program, file, facts, path, inner, project };
        if let Some((framework, exported)) = middleware(module) {
            add(seeker, module, file, framework, exported, &mut covers, &mut own);
        }
    }
    for entry in entries.iter_mut() {
        let Some(route) = entry.route.filter(|_| matches!(entry.kind, EntryKind::Route | EntryKind::Page)) else {
            continue;
        };
        let project = seeker.projects.index(entry.place.file);
        let family = entry.framework.split('-').next().unwrap_or("");
        let mut before = Vec::new();
        for cover in covers.iter().filter(|cover| cover.project == project && cover.framework == family) {
            match covered(cover.matchers.as_deref(), &route) {
                Some(true) => before.extend(cover.gates.iter().copied()),
                Some(false) => {}
                None => before.push(Gate::Unknown),
            }
        }
        entry.middleware.splice(0..0, before);
    }
    entries.extend(own);
    entries.sort_by_key(|entry| (entry.place, entry.kind, entry.route));
}

/// The framework whose middleware a file is, and what it exports as such.
fn middleware(module: Module<'_>) -> Option<(&'static str, ExprRef)> {
    let inner = module.inner.strip_prefix("src/").unwrap_or(module.inner);
    let (stem, _) = module.stem();
    let at_top = !inner.contains('/');
    let first = |names: &[&str]| names.iter().find_map(|name| module.export(name)).map(|(expr, _)| expr);
    match stem {
        "middleware" | "proxy" if at_top => {
            if module.project.uses("astro") || module.project.has_script("astro.config") {
                return Some(("astro", first(&["onRequest"])?));
            }
            let is_next = module.project.is_next()
                || module.facts.imports.iter().any(|import| import.specifier.starts_with("next/"));
            let paths = module.program.code().map(|(file, _)| module.program.file(file).path.as_str());
            let is_loaded = is_next && is_loaded(module.path, paths);
            is_loaded.then(|| first(&[stem, "default"]))?.map(|expr| ("next", expr))
        }
        "hooks.server" => Some(("svelte", first(&["handle"])?)),
        _ if inner.starts_with("server/middleware/") => Some(("nitro", first(&["default"])?)),
        _ => None,
    }
}

fn add(
    seeker: Seeker<'_>,
    module: Module<'_>,
    file: FileId,
    framework: &'static str,
    exported: ExprRef,
    covers: &mut Vec<Cover>,
    own: &mut Vec<Entry>,
) {
    let found = handler(module.program, exported);
    let mut before = found.gates.clone();
    before.extend(found.functions.iter().copied().map(Gate::Function));
    if before.is_empty() {
        before = gates(module.program, exported);
    }
    if before.is_empty() {
        before.push(Gate::Unknown);
    }
    let patterns = (framework == "next").then(|| patterns(module)).flatten();
    let span = module.facts.exports.first().map_or(Default::default(), |export| export.span);
    let routes: Vec<Option<String>> = match &patterns {
        Some(patterns) => patterns.iter().map(|pattern| Some(pattern.as_str().to_owned())).collect(),
        None => vec![None],
    };
    for route in routes {
        let mut label = Label::new(EntryKind::Middleware, framework);
        label.route = route;
        own.extend(found.functions.iter().map(|&f| label.entry(f, found.gates.clone(), module.place(span))));
    }
    let matchers = patterns.map(|patterns| patterns.iter().map(|pattern| Matcher::new(pattern)).collect());
    covers.push(Cover { project: seeker.projects.index(file), framework, matchers, gates: before });
}

/// The patterns of `export const config = { matcher }`; none when it has none, or none that can be read.
fn patterns(module: Module<'_>) -> Option<Vec<Name>> {
    let config = object(module.program, module.export("config")?.0)?;
    let matcher = key(module.program, config, Name::new("matcher"))?;
    let mut found = Vec::new();
    collect(module.program, matcher, &mut found);
    (!found.is_empty()).then_some(found)
}

fn collect(program: &Program, at: ExprRef, found: &mut Vec<Name>) {
    let at = handlers::follow(program, at);
    let facts = program.facts(at.file);
    match facts.expr(at.expr) {
        ExprKind::List(items) => items.iter().for_each(|&item| collect(program, ExprRef::new(at.file, item), found)),
        // What it asks of headers or cookies besides is not for the path to say; what must be missing, is missing
        // where nobody clicked.
        ExprKind::Object(_) if key(program, at, Name::new("has")).is_some() => found.push(Name::new("(unknown")),
        ExprKind::Object(_) => {
            if let Some(source) = key(program, at, Name::new("source")) {
                collect(program, source, found);
            }
        }
        _ => match program.value(at) {
            Value::Text(text) => found.push(text),
            // An unreadable pattern covers anything, as far as is known.
            _ => found.push(Name::new("(unknown")),
        },
    }
}

/// Whether one of the patterns covers a route; none when that cannot be told.
fn covered(matchers: Option<&[Matcher]>, route: &str) -> Option<bool> {
    let Some(matchers) = matchers else { return Some(true) };
    let answers: Vec<Option<bool>> = matchers.iter().map(|matcher| matcher.covers(route)).collect();
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    if answers.contains(&None) { None } else { Some(false) }
}

/// A pattern of Next's `matcher`: `/dashboard/:path*`, `/((?!api|_next).*)`.
pub struct Matcher {
    whole: Option<Regex>,
    /// What must not follow.
    not: Vec<Option<Regex>>,
}

impl Matcher {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Self {
        let mut rest = pattern.to_owned();
        let mut not = Vec::new();
        while let Some(at) = rest.find("(?!") {
            let Some(end) = closing(&rest[at..]).map(|end| at + end) else { break };
            let head = &rest[..at];
            // Groups still open before it are left out: only what stands before counts.
            let open = head.matches('(').count().saturating_sub(head.matches(')').count());
            let before = if open > 0 { head.trim_end_matches('(') } else { head };
            // What must not follow inside of what must not follow (`js(?!on)`) only makes it narrower.
            let mut inner = rest[at + 3..end].to_owned();
            while let Some(at) = inner.find("(?!") {
                let Some(end) = closing(&inner[at..]) else { break };
                inner.replace_range(at..=at + end, "");
            }
            not.push(Regex::new(&format!("^{}(?:{inner})", convert(before))).ok());
            rest.replace_range(at..=end, "");
        }
        // Every pattern starts with a slash; what does not could not be read.
        let readable = pattern.starts_with('/').then(|| convert(&rest));
        Self { whole: readable.and_then(|regex| Regex::new(&format!("^{regex}/?$")).ok()), not }
    }

    /// Whether it covers a route in the normal spelling; none when it could not be read.
    pub fn covers(&self, route: &str) -> Option<bool> {
        let sample: String = route
            .split('/')
            .map(|part| if part.starts_with(':') || part == "*" { "x" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let whole = self.whole.as_ref()?.is_match(&sample);
        for not in &self.not {
            if not.as_ref()?.is_match(&sample) {
                return Some(false);
            }
        }
        Some(whole)
    }
}

/// The position of the parenthesis that closes the one at the start.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// A path pattern as a regular expression.
fn convert(pattern: &str) -> String {
    let mut regex = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("/:") {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
            rest = &after[end..];
            let mut one = "[^/]+".to_owned();
            if rest.starts_with('(')
                && let Some(end) = closing(rest)
            {
                one = format!("(?:{})", &rest[1..end]);
                rest = &rest[end + 1..];
            }
            let (text, used) = match rest.chars().next() {
                Some('*') => ("(?:/.*)?".to_owned(), 1),
                Some('+') => ("/.+".to_owned(), 1),
                Some('?') => (format!("(?:/{one})?"), 1),
                _ => (format!("/{one}"), 0),
            };
            regex.push_str(&text);
            rest = &rest[used..];
        } else if c == '('
            && let Some(end) = closing(rest)
        {
            regex.push_str(&format!("(?:{})", &rest[1..end]));
            rest = &rest[end + 1..];
            if let Some(modifier) = rest.chars().next().filter(|c| matches!(c, '?' | '*' | '+')) {
                regex.push(modifier);
                rest = &rest[1..];
            }
        } else {
            regex.push_str(&regex::escape(&c.to_string()));
            rest = &rest[c.len_utf8()..];
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_routes() {
        let covers = |pattern: &str, route: &str| Matcher::new(pattern).covers(route);
        assert_eq!(covers("/dashboard/:path*", "/dashboard"), Some(true));
        assert_eq!(covers("/dashboard/:path*", "/dashboard/a/:id"), Some(true));
        assert_eq!(covers("/dashboard/:path*", "/api/x"), Some(false));
        let usual = "/((?!api|_next/static|_next/image|favicon.ico|.*\\.png$).*)";
        assert_eq!(covers(usual, "/login"), Some(true));
        assert_eq!(covers(usual, "/api/webhooks/pay"), Some(false));
        let nested = "/((?!_next|[^?]*\\.(?:html?|js(?!on)|png)).*)";
        assert_eq!(covers(nested, "/dashboard"), Some(true));
        assert_eq!(covers(nested, "/a.png"), Some(false));
        assert_eq!(covers("/(api|trpc)(.*)", "/api/x"), Some(true));
        assert_eq!(covers("(unknown", "/x"), None);
        assert_eq!(covers("/about/:id?", "/about"), Some(true));
    }
}
