//! Options: keys of objects, keywords and headers, through spreads, parameters and what is put in later.

use crate::catalogue::{Key as Credential, Seg};
use crate::facts::{Arg, ExprKind};
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::terms::less_far;
use crate::program::values::assigned::Holder;
use crate::program::{CallRef, ExprRef, External, FunctionRef, HttpUse, Program, Value};

/// How deep objects are followed through spreads and parameters.
const DEEPEST: usize = 8;

/// Whether an object has a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// It has, with this value.
    Present(Value),
    /// It has not.
    Absent,
    /// That cannot be told.
    Unknown,
}

impl Lookup {
    /// What holds of several alternatives: a key is present only if all have it.
    fn of_all(found: impl Iterator<Item = Self>) -> Self {
        let mut values = Vec::new();
        let (mut absent, mut unknown) = (false, false);
        for found in found {
            match found {
                Self::Present(value) => values.push(value),
                Self::Absent => absent = true,
                Self::Unknown => unknown = true,
            }
        }
        match (values.is_empty(), absent, unknown) {
            (false, false, false) => Self::Present(Value::one_of(values)),
            (true, true, false) => Self::Absent,
            _ => Self::Unknown,
        }
    }

    /// What holds of several places to look in: one is enough.
    pub fn of_any(found: impl IntoIterator<Item = Self>) -> Self {
        let mut unknown = false;
        for found in found {
            match found {
                Self::Absent => {}
                Self::Unknown => unknown = true,
                present => return present,
            }
        }
        if unknown { Self::Unknown } else { Self::Absent }
    }
}

impl Program {
    /// A key of an object value; of several alternatives the key must be in all to be present.
    pub fn lookup(&self, object: &Value, name: Name) -> Lookup {
        self.lookup_to(object, name, DEEPEST)
    }

    fn lookup_to(&self, object: &Value, name: Name, depth: usize) -> Lookup {
        let depth = less_far(depth, object.alternatives().len());
        if depth == 0 {
            return Lookup::Unknown;
        }
        Lookup::of_all(object.alternatives().iter().map(|alternative| match alternative {
            Value::Object(at) => self.lookup_in(*at, name, depth - 1),
            Value::Param(..) | Value::Member(..) => self.lookup_opaque(alternative, name, depth - 1),
            Value::External(made) if made.dotted() == "dict" => self.lookup_in_dict(made, name, depth - 1),
            value if is_no_object(value) => Lookup::Absent,
            _ => Lookup::Unknown,
        }))
    }

    /// A key of what `dict(mode="payment", ..)` makes, or of what is put into it later.
    fn lookup_in_dict(&self, made: &External, name: Name, depth: usize) -> Lookup {
        let Some(&site) = made.sites.last() else { return Lookup::Unknown };
        match self.put_later(Holder::Made(site), &name) {
            Lookup::Absent => {}
            later => return later,
        }
        let args = &self.facts(site.file).call(site.call).args;
        Lookup::of_any(args.iter().map(|arg| {
            let value = || self.value(ExprRef::new(site.file, arg.value));
            match arg.name {
                Some(keyword) if keyword == name => Lookup::Present(value()),
                Some(keyword) if keyword != "**" => Lookup::Absent,
                _ => self.lookup_to(&value(), name, depth),
            }
        }))
    }

    /// A key of what arrives in a parameter: put in by the function itself, or given by its callers.
    fn lookup_opaque(&self, value: &Value, name: Name, depth: usize) -> Lookup {
        if let Value::Param(function, index) = value {
            match self.put_later(Holder::Param(*function, *index), &name) {
                Lookup::Absent => {}
                later => return later,
            }
        }
        let expanded = self.expand(value);
        match value {
            _ if expanded != *value && !expanded.is_unknown() => self.lookup_to(&expanded, name, depth),
            Value::Param(function, index) => self.lookup_keyword(*function, *index, name, depth),
            _ => Lookup::Unknown,
        }
    }

    /// A key of Python's `**kwargs`: what the callers give by that name.
    fn lookup_keyword(&self, function: FunctionRef, index: u16, name: Name, depth: usize) -> Lookup {
        let facts = self.facts(function.file);
        let params = &facts.function(function.function).params;
        let takes_rest =
            params.get(index as usize).is_some_and(|param| param.rest) && index as usize + 1 == params.len();
        let callers = self.callers(function);
        if facts.language.is_script() || !takes_rest || callers.is_empty() {
            return Lookup::Unknown;
        }
        Lookup::of_all(callers.iter().map(|caller| {
            let args = &self.facts(caller.file).call(caller.call).args;
            let value = |arg: &Arg| self.value(ExprRef::new(caller.file, arg.value));
            let named = |wanted: Name| args.iter().find(move |arg| arg.name == Some(wanted));
            match (named(name), named(Name::new("**"))) {
                (Some(arg), _) => Lookup::Present(value(arg)),
                (None, Some(spread)) => self.lookup_to(&value(spread), name, depth),
                (None, None) => Lookup::Absent,
            }
        }))
    }

    /// A key of an object literal: its own, one spread into it, or one put into it later.
    fn lookup_in(&self, at: ExprRef, name: Name, depth: usize) -> Lookup {
        match Eval::new(self).key(at, name) {
            Some(Value::Unknown) if self.has_key(at, name) => return Lookup::Present(Value::Unknown),
            Some(Value::Unknown) | None => {}
            Some(value) => return Lookup::Present(value),
        }
        match self.put_later(Holder::Object(at), &name) {
            Lookup::Absent => {}
            later => return later,
        }
        let ExprKind::Object(entries) = self.facts(at.file).expr(at.expr) else { return Lookup::Unknown };
        let mut found = Lookup::Absent;
        for &(key, value) in entries.iter().rev() {
            let spread = match key.as_str() {
                "..." => self.lookup_to(&self.value(ExprRef::new(at.file, value)), name, depth),
                "[]" => Lookup::Unknown,
                _ => continue,
            };
            match spread {
                Lookup::Absent => {}
                Lookup::Unknown => found = Lookup::Unknown,
                present => return present,
            }
        }
        found
    }

    fn has_key(&self, object: ExprRef, name: Name) -> bool {
        match self.facts(object.file).expr(object.expr) {
            ExprKind::Object(entries) => entries.iter().any(|(key, _)| *key == name),
            _ => false,
        }
    }

    /// A dotted key of an object value.
    pub fn nested(&self, value: &Value, name: &str) -> Lookup {
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        match (self.lookup(value, Name::new(head)), rest) {
            (Lookup::Present(value), Some(rest)) => self.nested(&value, rest),
            (found, _) => found,
        }
    }

    /// An option of a request: in its option objects, or a Python keyword of the call that sends it.
    pub fn request_option(&self, http: &HttpUse, name: &str) -> Lookup {
        let mut found: Vec<Lookup> = http.options.iter().map(|option| self.lookup(option, Name::new(name))).collect();
        if !self.facts(http.inner.file).language.is_script() {
            found.push(self.option(http.inner, name));
        }
        // `fetch(new Request(url, options))`
        for external in http.url.externals().filter(|external| external.dotted() == "Request") {
            found.push(external.sites.first().map_or(Lookup::Unknown, |&made| self.option_from(made, name, 1)));
        }
        Lookup::of_any(found)
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
                if matches!(
                    external.dotted().as_str(),
                    "JSON.stringify" | "URLSearchParams" | "URLSearchParams.toString" | "json.dumps"
                ) =>
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

    /// What is put into the form that a request sends after it was made: `form.append("confirm", "true")`.
    pub(in crate::program) fn put_into_form(&self, http: &HttpUse, field: &str) -> Option<Value> {
        let mut bodies: Vec<Value> = http.body.iter().map(|&body| self.value(body)).collect();
        if let Lookup::Present(value) = self.request_option(http, "body") {
            bodies.push(value);
        }
        let forms: Vec<CallRef> = bodies
            .iter()
            .flat_map(Value::externals)
            .filter(|external| external.dotted().starts_with("URLSearchParams"))
            .filter_map(|external| external.sites.first().copied())
            .collect();
        forms.into_iter().find_map(|made| {
            let mut put = Vec::new();
            self.put_in_later(made, &mut put);
            put.into_iter().find(|(key, _)| *key == field).map(|(_, value)| self.value(value))
        })
    }

    /// A header of an object, a `Headers`, or what a parameter brings; spelled in any case.
    pub fn header(&self, headers: &Value, names: &[String]) -> Lookup {
        Lookup::of_any(
            headers
                .alternatives()
                .iter()
                .map(|alternative| Lookup::of_any(names.iter().map(|name| self.header_in(alternative, name)))),
        )
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

    /// A (dotted) option of a call: a keyword, or a key of any object argument.
    pub fn option(&self, at: CallRef, name: &str) -> Lookup {
        self.option_among(at, name, |_| true)
    }

    /// A (dotted) option of a call: a keyword, or a key of an object among the arguments from `from` on.
    pub fn option_from(&self, at: CallRef, name: &str, from: usize) -> Lookup {
        self.option_among(at, name, |position| position >= from)
    }

    /// A (dotted) option of a call that makes a client; the argument that is the credential itself says nothing.
    pub fn client_option(&self, at: CallRef, name: &str, credential: Option<&Credential>) -> Lookup {
        let key = credential.filter(|key| key.option.is_none()).map(|key| key.arg);
        let wanted = |position| Some(position) != key;
        match self.option_among(at, name, wanted) {
            Lookup::Unknown => self.option_of_settings(at, name, wanted).unwrap_or(Lookup::Unknown),
            found => found,
        }
    }

    /// A (dotted) option of the settings that the call of a client is handed: `new Api(new Configuration({ .. }))`, both
    /// of one package. None when it is handed something else.
    fn option_of_settings(&self, at: CallRef, name: &str, wanted: impl Fn(usize) -> bool) -> Option<Lookup> {
        let args = &self.facts(at.file).call(at.call).args;
        let mut given = args.iter().enumerate().filter(|(position, arg)| arg.name.is_none() && wanted(*position));
        let (_, only) = given.next().filter(|_| given.next().is_none())?;
        let Value::External(settings) = self.value(ExprRef::new(at.file, only.value)) else { return None };
        let made =
            settings.sites.last().copied().filter(|&made| made != at && settings.segs.last() == Some(&Seg::New))?;
        let same = self.callee(at).externals().any(|external| external.package == settings.package);
        same.then(|| self.option(made, name))
    }

    fn option_among(&self, at: CallRef, name: &str, wanted: impl Fn(usize) -> bool) -> Lookup {
        let facts = self.facts(at.file);
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let script = facts.language.is_script();
        let mut unknown = false;
        for (position, arg) in facts.call(at.call).args.iter().enumerate() {
            let value = || self.value(ExprRef::new(at.file, arg.value));
            let found = match arg.name {
                Some(keyword) if keyword == head => Lookup::Present(value()),
                Some(keyword) if keyword == "**" => self.lookup(&value(), Name::new(head)),
                Some(_) => continue,
                None if matches!(facts.expr(arg.value), ExprKind::Spread(_)) => Lookup::Unknown,
                None if !wanted(position) => continue,
                // Python's options are keywords; of what stands before them only a dict can hold one.
                None if !script => match self.lookup(&value(), Name::new(head)) {
                    Lookup::Unknown => Lookup::Absent,
                    found => found,
                },
                None => self.lookup(&value(), Name::new(head)),
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
}

/// What certainly has no keys: a callback, a text.
fn is_no_object(value: &Value) -> bool {
    matches!(
        value,
        Value::Null
            | Value::Function(_)
            | Value::Class(_)
            | Value::Text(_)
            | Value::Template(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Env(_)
    )
}
