//! Idempotency keys: whether a call that creates or sends gives one, wherever its vendor takes it.

use crate::catalogue::Idempotency;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, HttpUse, Program, Value, VendorUse, Via};

pub(super) mod acts;
mod batches;
mod client_wide;
pub(super) mod cures;
mod due;
pub(super) mod elements;
pub(super) mod holes;
pub(super) mod places;
pub(super) mod scope;
pub(super) mod things;
pub(super) mod varying;

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
            searches.push(self.header_of_client(http, &how.header));
        }
        if !how.body.is_empty() {
            let body = self.request_body(http);
            searches.extend(how.body.iter().map(|name| match &body {
                Lookup::Present(body) => self.nested(body, name),
                other => other.clone(),
            }));
        }
        if !how.query.is_empty() {
            let params = match self.request_option(http, "params") {
                Lookup::Present(params) => {
                    Lookup::of_any(how.query.iter().map(|name| self.nested(&params, name)).collect::<Vec<_>>())
                }
                other => other,
            };
            searches.push(params);
            searches.extend(how.query.iter().map(|name| in_query(&http.url, name)));
        }
        first(searches)
    }
}

/// What a URL's query gives under a name.
fn in_query(url: &Value, name: &str) -> Lookup {
    match url {
        Value::Text(text) => match text.to_ascii_lowercase().split_once(&format!("{}=", name.to_ascii_lowercase())) {
            Some((_, value)) => Lookup::Present(Value::Text(value.split('&').next().unwrap_or_default().into())),
            None => Lookup::Absent,
        },
        Value::Template(parts) => {
            let ending = format!("{}=", name.to_ascii_lowercase());
            let given = parts.iter().position(|part| match part {
                Value::Text(text) => text.to_ascii_lowercase().ends_with(&ending),
                _ => false,
            });
            if let Some(value) = given.and_then(|at| parts.get(at + 1)) {
                return Lookup::Present(value.clone());
            }
            let written =
                parts.iter().map(|part| in_query(part, name)).find(|found| matches!(found, Lookup::Present(_)));
            // What stands last can bring a query of its own.
            match (written, parts.last()) {
                (Some(found), _) => found,
                (None, Some(Value::Text(_))) => Lookup::Absent,
                (None, _) => Lookup::Unknown,
            }
        }
        Value::OneOf(each) => {
            let found: Vec<Lookup> = each.iter().map(|url| in_query(url, name)).collect();
            if found.iter().all(|found| *found == Lookup::Absent) { Lookup::Absent } else { Lookup::of_any(found) }
        }
        _ => Lookup::Unknown,
    }
}

fn is_nothing(value: &Value) -> bool {
    value.alternatives().iter().all(|value| matches!(value, Value::Null))
}

/// One way to give it is enough.
fn first(searches: Vec<Lookup>) -> Key {
    Key::from(Lookup::of_any(searches))
}
