//! OAuth: where a customer is sent to authorize, what `state` goes with him, and who compares it when he comes back.

use rustc_hash::FxHashSet;

use crate::catalogue::{KnownRole, VendorId, host_of_url};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Destination, ExprRef, Program, Value};

pub mod callbacks;
pub mod offline;
mod predictable;
pub mod tokens;

/// What guards an authorization against being begun by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// The same text each time.
    Constant(Name),
    /// What anyone can know: an id, a time, the name of a page.
    Predictable(&'static str),
    /// A random or signed value, or a verifier of its own (PKCE).
    Fine,
    /// That cannot be told.
    Unknown,
}

/// A place where a customer is sent to authorize.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Where its URL is made.
    pub at: ExprRef,
    /// What guards it.
    pub state: State,
    /// Where its `state` stands.
    pub state_at: Option<ExprRef>,
    /// Whose it is.
    pub vendor: Option<VendorId>,
    /// The host asked, as far as known.
    pub host: Option<Name>,
}

/// Functions that make a query of an object.
const QUERIES: &[&str] = &["URLSearchParams", "urlencode", "stringify"];

/// Whether a text that is put together names a client, or how to come back: few are worth evaluating.
fn names_client(facts: &Facts, parts: &[ExprId]) -> bool {
    parts.iter().any(|&part| match facts.expr(part) {
        ExprKind::Text(text) => text.contains("client_id=") || text.contains("redirect_uri="),
        ExprKind::Template(inner) => names_client(facts, inner),
        _ => false,
    })
}

impl Program {
    /// Every place of deployed code where a customer is sent to authorize.
    pub fn authorizations(&self) -> Vec<Authorization> {
        let mut found: Vec<Authorization> = Vec::new();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead {
                continue;
            }
            for (at, parts) in facts.templates() {
                if names_client(facts, parts) {
                    found.extend(self.written_out(ExprRef::new(file, at)));
                }
            }
            for call in self.calls_of(file) {
                found.extend(self.put_together(call).or_else(|| self.by_library(call)));
            }
        }
        // `new URL(..)` whose query is written out in its argument is one place.
        let mut seen: FxHashSet<(FileId, u32)> = FxHashSet::default();
        found.retain(|one| seen.insert((one.at.file, self.line(self.place(one.at)))));
        found
    }

    /// `https://host/authorize?client_id=..&redirect_uri=..`, written out.
    fn written_out(&self, at: ExprRef) -> Option<Authorization> {
        let facts = self.facts(at.file);
        let readers = self.readers(at.file);
        let is_part = readers
            .uses(at.expr)
            .iter()
            .any(|used| matches!(used, Use::In(outer) if matches!(facts.expr(*outer), ExprKind::Template(_))));
        if is_part {
            return None;
        }
        let pieces = self.pieces(at, 4);
        let whole: String = pieces.iter().map(|piece| piece.0.map_or("{}", |text| text.as_str())).collect();
        let (address, query) = whole.split_once('?')?;
        let asks = |name: &str| query.split('&').any(|pair| pair.starts_with(name));
        if !asks("client_id=")
            || !asks("redirect_uri=")
            || asks("client_secret=")
            || asks("code=")
            || asks("grant_type=")
        {
            return None;
        }
        // A placeholder in a sample.
        if query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("client_id=your")) {
            return None;
        }
        let (state, state_at) = match pieces
            .windows(2)
            .find(|pair| pair[0].0.is_some_and(|text| text.ends_with("&state=") || text.ends_with("?state=")))
        {
            Some(pair) => (self.state_of(pair[1].1), Some(pair[1].1)),
            None if asks("code_challenge=") => (State::Fine, None),
            None => match query.split('&').find_map(|pair| pair.strip_prefix("state=")) {
                Some(constant) if !constant.contains("{}") => (State::Constant(Name::new(constant)), Some(at)),
                Some(_) => (State::Unknown, None),
                None if self.grows(at) || query.split('&').any(|pair| pair.starts_with("{}") || pair.is_empty()) => {
                    (State::Unknown, None)
                }
                None => (State::Absent, None),
            },
        };
        let host = host_of_url(address).map(Name::new);
        let vendor = host.and_then(|host| self.catalogue.vendor_of_host(&host));
        Some(Authorization { at, state, state_at, vendor, host })
    }

    /// The parts of a text in order, constant ones with what they say.
    fn pieces(&self, at: ExprRef, depth: usize) -> Vec<(Option<Name>, ExprRef)> {
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Text(text) => vec![(Some(*text), at)],
            ExprKind::Template(parts) if depth > 0 => {
                parts.iter().flat_map(|&part| self.pieces(ExprRef::new(at.file, part), depth - 1)).collect()
            }
            _ => vec![(self.value(at).text(), at)],
        }
    }

    /// Whether more is put to a text later: `url += "&state=" + state`.
    fn grows(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        self.readers(at.file).uses(at.expr).iter().any(|used| match *used {
            Use::Kept(def) => facts.def(def).values.len() > 1,
            _ => false,
        })
    }

    /// `new URLSearchParams({ client_id, redirect_uri, .. })`, `new URL(..)` with `searchParams.set`, `urlencode(..)`.
    fn put_together(&self, call: CallRef) -> Option<Authorization> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let callee = facts.last_name(shape.callee)?;
        let is_url = shape.is_new && callee == "URL";
        if !is_url && !QUERIES.contains(&callee.as_str()) {
            return None;
        }
        let at = ExprRef::new(call.file, shape.expr);
        let first = shape.args.first().map(|arg| ExprRef::new(call.file, arg.value));
        let object = first.filter(|_| !is_url).map(|first| self.value(first));
        let puts = self.puts(Holder::Made(call));
        let put = |name: &str| {
            let full = format!("searchParams.{name}");
            puts.iter().rev().find(|put| put.name == name || put.name == full.as_str())
        };
        let has = |name: &str| {
            put(name).is_some()
                || object.as_ref().is_some_and(|object| {
                    matches!(object, Value::Object(_)) && self.lookup(object, Name::new(name)) != Lookup::Absent
                })
        };
        if !has("client_id") || !has("redirect_uri") || has_any(&has, &["client_secret", "code", "grant_type"]) {
            return None;
        }
        let held = object.as_ref().and_then(|object| self.entry_of(object, "state"));
        let state_at = put("state").and_then(|put| put.value).or(held);
        let state = match state_at {
            Some(state_at) => self.state_of(state_at),
            None if has("code_challenge") => State::Fine,
            None if has("state") => State::Unknown,
            None => State::Absent,
        };
        let host = match (is_url, first) {
            (true, Some(first)) => self.host_of(&self.value(first)),
            _ => self.host_around(at),
        };
        let vendor = host.and_then(|host| self.catalogue.vendor_of_host(&host));
        Some(Authorization { at, state, state_at, vendor, host })
    }

    /// A key of an object literal, or one put into it later.
    fn entry_of(&self, object: &Value, name: &str) -> Option<ExprRef> {
        let Value::Object(at) = object else { return None };
        let later = self.puts(Holder::Object(*at)).iter().rev().find(|put| put.name == name);
        later
            .and_then(|put| put.value)
            .or_else(|| self.entries(object).into_iter().find(|(key, _)| *key == *name).map(|(_, value)| value))
    }

    fn host_of(&self, url: &Value) -> Option<Name> {
        self.destinations(url).into_iter().find_map(|to| match to {
            Destination::Vendor(_, host, _) | Destination::Host(host, _) => Some(host),
            _ => None,
        })
    }

    /// The host of the URL that a query becomes part of: `https://host/authorize?${params}`.
    fn host_around(&self, query: ExprRef) -> Option<Name> {
        let facts = self.facts(query.file);
        let readers = self.readers(query.file);
        let mut open = vec![query.expr];
        for _ in 0..24 {
            let at = open.pop()?;
            for used in readers.uses(at) {
                match *used {
                    Use::In(outer) => {
                        if let ExprKind::Template(_) = facts.expr(outer)
                            && let Some(host) = self.host_of(&self.value(ExprRef::new(query.file, outer)))
                        {
                            return Some(host);
                        }
                        open.push(outer);
                    }
                    Use::Kept(def) => open.extend(readers.reads(def)),
                    Use::Callee(call) => open.push(facts.call(call).expr),
                    _ => {}
                }
            }
        }
        None
    }

    /// A library's function that makes the URL.
    fn by_library(&self, call: CallRef) -> Option<Authorization> {
        if !self.has_role(call, KnownRole::Authorize) {
            return None;
        }
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let options = shape.args.first().map(|arg| self.value(ExprRef::new(call.file, arg.value)));
        let state_at = options.as_ref().and_then(|options| self.entry_of(options, "state"));
        let has = |name: &str| self.option(call, name) != Lookup::Absent;
        let state = match state_at {
            Some(state_at) => self.state_of(state_at),
            None if has("code_challenge") => State::Fine,
            None if has("state") => State::Unknown,
            None => State::Absent,
        };
        let vendor = self
            .callee(call)
            .externals()
            .find_map(|external| self.catalogue.package(external.package).map(|(vendor, _)| vendor));
        Some(Authorization { at: ExprRef::new(call.file, shape.expr), state, state_at, vendor, host: None })
    }
}

fn has_any(has: &dyn Fn(&str) -> bool, names: &[&str]) -> bool {
    names.iter().any(|name| has(name))
}
