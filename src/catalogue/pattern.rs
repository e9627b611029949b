//! Patterns of paths: what of a package (`checkout.sessions.create`), how a client is made (`new default`),
//! and which request (`POST /v1/customers/{id}`). Parsing says what is wrong; matching is total.

use rustc_hash::FxHashMap;

use super::{Seg, glob};
use crate::names::Name;

/// One segment of a path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// This member; `called` when a call must follow.
    Member { name: Name, called: bool },
    /// A member of this form: `*`, `create*`.
    Glob { glob: Box<str>, called: bool },
    /// Any run of members.
    Run,
}

/// A path from a package's root, or from a client. The empty one is the root itself (`self`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// Reads `a.b.c`, `a().b`, `*`, `**`, `self`. A leading `default` is left out: CommonJS has none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "self" || text == "default" {
            return Ok(Self { parts: Vec::new() });
        }
        let text = text.strip_prefix("default.").unwrap_or(text);
        let parts: Vec<Part> = text.split('.').map(|part| parse_part(part, text)).collect::<Result<_, _>>()?;
        if parts.iter().filter(|part| **part == Part::Run).count() > 2 {
            return Err(format!("`{text}` has more than two `**`"));
        }
        Ok(Self { parts })
    }

    /// Whether it says nothing in particular: how many of its segments are open.
    pub(super) fn open(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Member { .. } => 0,
                Part::Glob { .. } => 1,
                Part::Run => 2,
            })
            .sum()
    }

    /// Whether the whole of `segs` has its form. Calls between are passed over; one at the end is not.
    pub(super) fn matches(&self, segs: &[Seg]) -> bool {
        matches(&self.parts, segs)
    }

    fn last(&self) -> Last {
        match self.parts.last() {
            None => Last::Root,
            Some(Part::Member { name, .. }) => Last::Name(*name),
            Some(_) => Last::Open,
        }
    }
}

enum Last {
    Root,
    Name(Name),
    Open,
}

fn parse_part(part: &str, whole: &str) -> Result<Part, String> {
    let (name, called) = match part.strip_suffix("()") {
        Some(name) => (name, true),
        None => (part, false),
    };
    if name.is_empty() {
        return Err(format!("`{whole}` has an empty segment"));
    }
    if name == "**" {
        return if called { Err("`**()` says nothing; write `**.*()`".to_owned()) } else { Ok(Part::Run) };
    }
    let strange = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '*' | '-'));
    if let Some(c) = name.chars().find(|&c| strange(c)) {
        return Err(format!("`{c}` cannot stand in a segment (`{part}`)"));
    }
    if glob::is_glob(name) {
        return Ok(Part::Glob { glob: name.into(), called });
    }
    Ok(Part::Member { name: Name::new(name), called })
}

fn matches(parts: &[Part], segs: &[Seg]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return segs.is_empty() };
    if matches!(part, Part::Run) {
        return matches(rest, segs) || after_member(segs).is_some_and(|(_, segs)| matches(parts, segs));
    }
    let Some((member, left)) = after_member(segs) else { return false };
    let (fits, called) = match part {
        Part::Member { name, called } => (*name == member, *called),
        Part::Glob { glob, called } => (glob::matches(glob, &member), *called),
        Part::Run => return false,
    };
    fits && (!called || matches!(left.first(), Some(Seg::Call | Seg::New))) && matches(rest, left)
}

/// The next member, calls before it passed over, and what follows it.
fn after_member(segs: &[Seg]) -> Option<(Name, &[Seg])> {
    let at = segs.iter().position(|seg| matches!(seg, Seg::Member(_)))?;
    match segs[at] {
        Seg::Member(name) => Some((name, &segs[at + 1..])),
        Seg::Call | Seg::New => None,
    }
}

/// How a client is made: a path whose last member is called or constructed, or the package itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    /// The members up to the call, each with whether a call must follow; none: the root.
    path: Vec<(Name, bool)>,
    /// The package itself is the client, nothing is made.
    itself: bool,
    /// A member whose name, small and without punctuation, is this stands for the root: `{ Acme }` of `acme`.
    alias: Option<Box<str>>,
}

impl Maker {
    /// Reads `new default`, `new Name`, `createClient`, `a.b`, `self`; `new self` is `new default`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "self" {
            return Ok(Self { path: Vec::new(), itself: true, alias: None });
        }
        let text = text.strip_prefix("new ").map_or(text, str::trim_start);
        let mut path = Vec::new();
        for part in Pattern::parse(text)?.parts {
            match part {
                Part::Member { name, called } => path.push((name, called)),
                Part::Glob { .. } | Part::Run => {
                    return Err(format!("`{text}` has a `*`; how a client is made must be said in full"));
                }
            }
        }
        if let Some(last) = path.last_mut() {
            last.1 = true;
        }
        Ok(Self { path, itself: false, alias: None })
    }

    /// Lets an export that has the package's own name stand for its default export.
    pub(super) fn with_alias(mut self, package: &str) -> Self {
        let base = package.rsplit(['/', ':']).next().unwrap_or(package);
        if self.path.is_empty() && !self.itself {
            self.alias = Some(plain(base).into());
        }
        self
    }

    /// How many of `segs`, the leading `default`s left out, make the client.
    pub(super) fn prefix(&self, segs: &[Seg]) -> Option<usize> {
        if self.itself {
            return Some(0);
        }
        let mut at = 0;
        for &(name, called) in &self.path {
            if segs.get(at) != Some(&Seg::Member(name)) {
                return None;
            }
            at += 1;
            if called {
                matches!(segs.get(at), Some(Seg::Call | Seg::New)).then_some(())?;
                at += 1;
            }
        }
        if self.path.is_empty() {
            if let (Some(alias), Some(Seg::Member(name))) = (&self.alias, segs.first()) {
                (plain(name) == **alias).then_some(())?;
                at = 1;
            }
            matches!(segs.get(at), Some(Seg::Call | Seg::New)).then_some(())?;
            at += 1;
        }
        Some(at)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Patterns in order, found by the last member's name. The first that matches wins.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    all: Vec<(Pattern, u32)>,
    named: FxHashMap<Name, Vec<u32>>,
    open: Vec<u32>,
    root: Vec<u32>,
}

impl Patterns {
    /// Adds a pattern and what it leads to.
    pub(super) fn push(&mut self, pattern: Pattern, leads_to: usize) {
        let at = self.all.len() as u32;
        match pattern.last() {
            Last::Root => self.root.push(at),
            Last::Name(name) => self.named.entry(name).or_default().push(at),
            Last::Open => self.open.push(at),
        }
        self.all.push((pattern, leads_to as u32));
    }

    /// What the first pattern leads to that matches `segs` from one of `starts`, and the pattern.
    pub(super) fn find(&self, segs: &[Seg], starts: &[usize]) -> Option<(usize, &Pattern)> {
        let first = |list: &[u32]| {
            list.iter().copied().find(|&at| starts.iter().any(|&start| self.all[at as usize].0.matches(&segs[start..])))
        };
        let named = match segs.last() {
            Some(Seg::Member(name)) => self.named.get(name).and_then(|list| first(list)),
            _ => None,
        };
        let at = [named, first(&self.open), first(&self.root)].into_iter().flatten().min()?;
        let (pattern, leads_to) = &self.all[at as usize];
        Some((*leads_to as usize, pattern))
    }
}

/// A request: `POST /v1/customers/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The method; none for any.
    pub(super) method: Option<Box<str>>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(Box<str>),
    Glob(Box<str>),
    /// The rest, also none.
    Rest,
}

/// The methods a route may name.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

impl Route {
    /// Reads `POST /v1/x/{id}`, `* /v1/**`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((method, path)) = text.split_once(' ') else {
            return Err("a request is a method and a path: `POST /v1/things`".to_owned());
        };
        if method != "*" && !METHODS.contains(&method) {
            return Err(format!("`{method}` is no method; write one of {} or `*`", METHODS.join(", ")));
        }
        let Some(path) = path.strip_prefix('/') else { return Err(format!("`{path}` does not start with `/`")) };
        if let Some(c) = path.chars().find(|c| c.is_whitespace() || matches!(c, '?' | '#')) {
            return Err(format!("`{c}` cannot stand in the path of a request"));
        }
        let parts: Vec<&str> = split(path).collect();
        let mut segments = Vec::new();
        for (at, &part) in parts.iter().enumerate() {
            segments.push(match part {
                "**" if at + 1 == parts.len() => Segment::Rest,
                "**" => return Err("`**` can only stand at the end of a request's path".to_owned()),
                "" => return Err("the path has an empty segment".to_owned()),
                part => segment(part)?,
            });
        }
        Ok(Self { method: (method != "*").then(|| method.into()), segments })
    }

    /// Whether a request's path has its form; `{}` stands for what is not known.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut parts = split(path).peekable();
        for segment in &self.segments {
            if *segment == Segment::Rest {
                return true;
            }
            let Some(part) = parts.next() else { return false };
            // `/customers${query}`: an unknown tail of the last segment is a query string.
            let tail = if parts.peek().is_none() { part.strip_suffix("{}").filter(|p| !p.is_empty()) } else { None };
            let fits = |part: &str| match segment {
                Segment::Text(text) => **text == *part,
                Segment::Glob(form) => glob::matches(form, part),
                Segment::Rest => true,
            };
            if !fits(part) && !tail.is_some_and(fits) {
                return false;
            }
        }
        parts.next().is_none()
    }
}

/// A segment with `{name}` and `*` as stars.
fn segment(text: &str) -> Result<Segment, String> {
    let mut form = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        form.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else {
            return Err(format!("`{text}` has a `{{` that nothing closes"));
        };
        form.push('*');
        rest = &rest[open + close + 1..];
    }
    form.push_str(rest);
    if form.contains('}') {
        return Err(format!("`{text}` has a `}}` that nothing opens"));
    }
    if form.contains("**") {
        return Err(format!("`{text}`: `**` must be a segment of its own"));
    }
    Ok(if glob::is_glob(&form) { Segment::Glob(form.into()) } else { Segment::Text(form.into()) })
}

/// The segments of a path without its query; a slash at either end says nothing.
fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_start_matches('/');
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}
