//! Idempotency keys: whether a call that creates or sends gives one, wherever its vendor takes it.

use crate::catalogue::{Idempotency, Key as Credential};
use crate::facts::ExprKind;
use crate::link::outbound::Lookup;
use crate::names::Name;
use crate::program::assigned::Holder;
use crate::program::{CallRef, ExprRef, HttpUse, Program, Value, VendorUse, Via};

/// What is known of a call's idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// It is given, with this value.
    Given(Value),
    /// There is none.
    Absent,
    /// That cannot be told.
    Unknown,
}

impl From<Lookup> for Key {
    fn from(found: Lookup) -> Self {
        match found {
            Lookup::Present(value) => Self::Given(value),
            Lookup::Absent => Self::Absent,
            Lookup::Unknown => Self::Unknown,
        }
    }
}

impl Program {
    /// How the vendor makes a repeat of this call harmless, when it does.
    pub fn idempotency(&self, used: &VendorUse) -> Option<&Idempotency> {
        let id = self.operation(used)?.idempotency.as_ref()?;
        self.catalogue.vendor(used.vendor).idempotency.iter().find(|entry| entry.id == *id)
    }

    /// The idempotency key of a call whose vendor takes one.
    pub fn idempotency_key(&self, used: &VendorUse, how: &Idempotency) -> Key {
        let key = match used.via {
            Via::Sdk(..) => self.key_of_sdk(used.at, how),
            Via::Http(_) => match self.request_of(used) {
                Some(http) => self.key_of_request(http, how),
                None => Key::Unknown,
            },
        };
        match key {
            // Handed through by a wrapper whose callers give none.
            Key::Given(value) if is_nothing(&self.expand(&value)) => Key::Absent,
            key => key,
        }
    }

    fn key_of_sdk(&self, at: CallRef, how: &Idempotency) -> Key {
        let script = self.facts(at.file).language.is_script();
        let names = if script { &how.js } else { &how.py };
        if names.is_empty() && how.body.is_empty() {
            // The SDK of this language takes none.
            return Key::Unknown;
        }
        // In JavaScript options follow the payload.
        let from = usize::from(script);
        let mut searches: Vec<Lookup> = names.iter().map(|name| self.option_from(at, name, from)).collect();
        searches.extend(how.body.iter().map(|name| self.option_from(at, name, 0)));
        first(searches)
    }

    fn key_of_request(&self, http: &HttpUse, how: &Idempotency) -> Key {
        let mut searches: Vec<Lookup> = Vec::new();
        if !how.header.is_empty() {
            searches.push(match self.request_option(http, "headers") {
                Lookup::Present(headers) => self.header(&headers, &how.header),
                other => other,
            });
        }
        if !how.body.is_empty() {
            let body = self.request_body(http);
            searches.extend(how.body.iter().map(|name| match &body {
                Lookup::Present(body) => self.nested(body, name),
                other => other.clone(),
            }));
        }
        first(searches)
    }

    /// An option of a request: in its option objects, or a Python keyword of the call that sends it.
    pub fn request_option(&self, http: &HttpUse, name: &str) -> Lookup {
        let key = Name::new(name);
        let mut unknown = false;
        for option in &http.options {
            match self.lookup(option, key) {
                Lookup::Absent => {}
                Lookup::Unknown => unknown = true,
                present => return present,
            }
        }
        if !self.facts(http.inner.file).language.is_script() {
            match self.option(http.inner, name) {
                Lookup::Absent => {}
                Lookup::Unknown => unknown = true,
                present => return present,
            }
        }
        // `fetch(new Request(url, options))`
        for external in http.url.externals().filter(|external| external.dotted() == "Request") {
            match external.sites.first().map(|&made| self.option_from(made, name, 1)) {
                Some(Lookup::Absent) => {}
                Some(present @ Lookup::Present(_)) => return present,
                Some(Lookup::Unknown) | None => unknown = true,
            }
        }
        if unknown { Lookup::Unknown } else { Lookup::Absent }
    }

    /// What a request sends as its body: the object behind `JSON.stringify(..)`, `new URLSearchParams(..)`.
    pub fn request_body(&self, http: &HttpUse) -> Lookup {
        let mut bodies: Vec<Value> = http.body.iter().map(|&body| self.value(body)).collect();
        for name in ["body", "json", "data"] {
            match self.request_option(http, name) {
                Lookup::Present(value) => bodies.push(value),
                Lookup::Absent => {}
                Lookup::Unknown => return Lookup::Unknown,
            }
        }
        if bodies.is_empty() {
            return Lookup::Absent;
        }
        let opened = bodies.iter().map(|body| match body {
            Value::External(external)
                if matches!(external.dotted().as_str(), "JSON.stringify" | "URLSearchParams" | "json.dumps") =>
            {
                let first = external
                    .sites
                    .first()
                    .and_then(|&site| Some((site, self.facts(site.file).call(site.call).args.first()?)));
                first.map_or(Value::Unknown, |(site, arg)| self.value(ExprRef::new(site.file, arg.value)))
            }
            other => other.clone(),
        });
        Lookup::Present(Value::one_of(opened.collect::<Vec<_>>()))
    }

    /// A header of an object, a `Headers`, or what a parameter brings; spelled in any case.
    pub fn header(&self, headers: &Value, names: &[String]) -> Lookup {
        let mut searches = Vec::new();
        for alternative in headers.alternatives() {
            let mut unknown = false;
            let found = names.iter().find_map(|name| match self.header_in(alternative, name) {
                Lookup::Absent => None,
                Lookup::Unknown => {
                    unknown = true;
                    None
                }
                present => Some(present),
            });
            searches.push(found.unwrap_or(if unknown { Lookup::Unknown } else { Lookup::Absent }));
        }
        first_of(searches)
    }

    fn header_in(&self, headers: &Value, name: &str) -> Lookup {
        let later = |holder: Holder| {
            let put = self.puts(holder).iter().find(|put| put.name.eq_ignore_ascii_case(name));
            put.map(|put| Lookup::Present(put.value.map_or(Value::Unknown, |value| self.value(value))))
        };
        if let Value::External(external) = headers {
            let Some(&made) = external.sites.last() else { return Lookup::Unknown };
            if external.last_member().map_or(external.package.as_str(), Name::as_str).rsplit(':').next()
                != Some("Headers")
            {
                return Lookup::Unknown;
            }
            if let Some(found) = later(Holder::Made(made)) {
                return found;
            }
            let first = self.facts(made.file).call(made.call).args.first();
            return match first {
                Some(arg) => self.header(&self.value(ExprRef::new(made.file, arg.value)), &[name.to_owned()]),
                None => Lookup::Absent,
            };
        }
        let spelled = match headers {
            Value::Object(at) => self.spelled(*at, name, 4),
            _ => None,
        };
        self.lookup(headers, spelled.unwrap_or_else(|| Name::new(name)))
    }

    /// The key of an object, of what is spread into it or put into it later, that is `name` in any case.
    fn spelled(&self, object: ExprRef, name: &str, depth: usize) -> Option<Name> {
        let ExprKind::Object(entries) = self.facts(object.file).expr(object.expr) else { return None };
        let own = entries.iter().map(|(key, _)| *key).find(|key| key.eq_ignore_ascii_case(name));
        let later =
            || self.puts(Holder::Object(object)).iter().map(|put| put.name).find(|key| key.eq_ignore_ascii_case(name));
        own.or_else(later).or_else(|| {
            let spread = entries.iter().filter(|(key, _)| *key == "..." && depth > 0);
            let mut spread = spread.flat_map(|&(_, value)| {
                let value = self.value(ExprRef::new(object.file, value));
                value
                    .alternatives()
                    .iter()
                    .filter_map(|value| if let Value::Object(at) = value { Some(*at) } else { None })
                    .collect::<Vec<_>>()
            });
            spread.find_map(|inner| self.spelled(inner, name, depth - 1))
        })
    }

    /// A (dotted) option of a call: a keyword, or a key of an object among the arguments from `from` on.
    pub fn option_from(&self, at: CallRef, name: &str, from: usize) -> Lookup {
        self.option_among(at, name, |position| position >= from)
    }

    /// A (dotted) option of a call that makes a client; the argument that is the credential itself says nothing.
    pub fn client_option(&self, at: CallRef, name: &str, credential: Option<&Credential>) -> Lookup {
        let key = credential.filter(|key| key.option.is_none()).map(|key| key.arg);
        self.option_among(at, name, |position| Some(position) != key)
    }

    fn option_among(&self, at: CallRef, name: &str, wanted: impl Fn(usize) -> bool) -> Lookup {
        let facts = self.facts(at.file);
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let mut unknown = false;
        for (position, arg) in facts.call(at.call).args.iter().enumerate() {
            let value = || self.value(ExprRef::new(at.file, arg.value));
            let found = match arg.name {
                Some(keyword) if keyword == head => Lookup::Present(value()),
                Some(keyword) if keyword == "**" => self.lookup(&value(), Name::new(head)),
                Some(_) => continue,
                None if matches!(facts.expr(arg.value), ExprKind::Spread(_)) => Lookup::Unknown,
                None if !wanted(position) => continue,
                None => self.lookup_option(&value(), Name::new(head)),
            };
            match (found, rest) {
                (Lookup::Present(value), Some(rest)) => return self.nested(&value, rest),
                (present @ Lookup::Present(_), None) => return present,
                (Lookup::Unknown, _) => unknown = true,
                (Lookup::Absent, _) => {}
            }
        }
        if unknown { Lookup::Unknown } else { Lookup::Absent }
    }

    /// A key of an argument; what is certainly no object has none.
    fn lookup_option(&self, value: &Value, name: Name) -> Lookup {
        match value {
            Value::Text(_)
            | Value::Template(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Env(_)
            | Value::Null
            | Value::Function(_)
            | Value::Class(_)
            | Value::List(_) => Lookup::Absent,
            object => self.lookup(object, name),
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    value.alternatives().iter().all(|value| matches!(value, Value::Null))
}

/// One way to give it is enough.
fn first(searches: Vec<Lookup>) -> Key {
    Key::from(first_of(searches))
}

fn first_of(searches: Vec<Lookup>) -> Lookup {
    let unknown = searches.contains(&Lookup::Unknown);
    let present = searches.into_iter().find(|found| matches!(found, Lookup::Present(_)));
    present.unwrap_or(if unknown { Lookup::Unknown } else { Lookup::Absent })
}
