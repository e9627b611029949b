//! What an expression can be when the program runs, as far as constants, imports and definitions tell.

use std::sync::Arc;

use crate::catalogue::Seg;
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ClassRef, ExprRef, FunctionRef};

/// Most alternatives kept of one value; beyond, the value also counts as unknown.
const MOST_ALTERNATIVES: usize = 8;

/// The same where all of them are functions: a table of a conversation's steps, of the actions of an endpoint.
const MOST_FUNCTIONS: usize = 40;

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known. Nothing may be concluded from it.
    Unknown,
    /// A constant text.
    Text(Name),
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// `null`, `undefined`, `None`.
    Null,
    /// What an environment variable holds.
    Env(Name),
    /// A text of parts, at least one of them not constant.
    Template(Arc<[Value]>),
    /// An object literal.
    Object(ExprRef),
    /// A list literal.
    List(ExprRef),
    /// A function of the program.
    Function(FunctionRef),
    /// A class of the program.
    Class(ClassRef),
    /// An instance of a class of the program.
    Instance(ClassRef),
    /// The module object of a file of the program.
    Module(FileId),
    /// Something a package or the platform provides.
    External(Arc<External>),
    /// What arrives in a parameter.
    Param(FunctionRef, u16),
    /// A member of a value that is not known further.
    Member(Arc<Value>, Name),
    /// What a call gives whose callee is not known further.
    Result(CallRef),
    /// One of several.
    OneOf(Arc<[Value]>),
}

/// Something a package or the platform provides: `npm:stripe` `default` `new` `.checkout` `.sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct External {
    /// The package: `npm:stripe`, `pypi:stripe`, `node:crypto`, `py:hmac`, `global:fetch`.
    pub package: Name,
    /// The way from the package's root.
    pub segs: Vec<Seg>,
    /// The calls of the program on that way, in order (one a `Call` or `New` segment; none for a client known by its type only).
    pub sites: Vec<CallRef>,
}

impl External {
    /// The root of a package.
    pub fn root(package: Name) -> Self {
        Self { package, segs: vec![], sites: vec![] }
    }

    /// One step further.
    pub fn then(&self, seg: Seg, site: Option<CallRef>) -> Self {
        // As long as it is: there are as many of these as calls.
        let mut segs = Vec::with_capacity(self.segs.len() + 1);
        segs.extend_from_slice(&self.segs);
        segs.push(seg);
        let mut sites = Vec::with_capacity(self.sites.len() + usize::from(site.is_some()));
        sites.extend_from_slice(&self.sites);
        sites.extend(site);
        Self { package: self.package, segs, sites }
    }

    /// The path as text without calls, `global:` and `py:` kept out: `process.env`, `os.environ`, `crypto.subtle.sign`.
    pub fn dotted(&self) -> String {
        let mut text = self.package.split_once(':').map_or(self.package.as_str(), |(_, name)| name).to_owned();
        for seg in &self.segs {
            if let Seg::Member(name) = seg {
                text.push('.');
                text.push_str(name);
            }
        }
        text
    }

    /// The last member named on the way.
    pub fn last_member(&self) -> Option<Name> {
        self.segs.iter().rev().find_map(|seg| if let Seg::Member(name) = seg { Some(*name) } else { None })
    }
}

impl Value {
    /// The root of a package as a value.
    pub fn package(package: Name) -> Self {
        Self::External(Arc::new(External::root(package)))
    }

    /// One of the given values; duplicates fall together, `null` is dropped when there is anything else.
    pub fn one_of(values: impl IntoIterator<Item = Value>) -> Self {
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return Self::Null };
        // Most are alone, and what is one of several is so already.
        let Some(second) = values.next() else { return first };
        let mut kept: Vec<Value> = Vec::new();
        for value in [first, second].into_iter().chain(values) {
            for value in value.alternatives() {
                if !kept.contains(value) {
                    kept.push(value.clone());
                }
            }
        }
        if kept.len() > 1 {
            kept.retain(|value| *value != Self::Null);
        }
        let all_functions = kept.iter().all(|value| matches!(value, Self::Function(_)));
        let most = if all_functions { MOST_FUNCTIONS } else { MOST_ALTERNATIVES };
        if kept.len() > most {
            kept.truncate(most);
            if !kept.contains(&Self::Unknown) {
                kept.push(Self::Unknown);
            }
        }
        match kept.len() {
            0 => Self::Null,
            1 => kept.remove(0),
            _ => Self::OneOf(kept.into()),
        }
    }

    /// A text of parts; constant neighbours are joined.
    pub fn template(parts: impl IntoIterator<Item = Value>) -> Self {
        let mut joined: Vec<Value> = Vec::new();
        let mut flat: Vec<Value> = Vec::new();
        for part in parts {
            match part {
                Self::Template(inner) => flat.extend(inner.iter().cloned()),
                other => flat.push(other),
            }
        }
        for part in flat {
            let text = part.constant_text();
            match (joined.last(), text) {
                (Some(Self::Text(left)), Some(right)) => {
                    let text = Name::new(&format!("{left}{right}"));
                    joined.pop();
                    joined.push(Self::Text(text));
                }
                (_, Some(text)) => joined.push(Self::Text(Name::new(&text))),
                (_, None) => joined.push(part),
            }
        }
        match joined.len() {
            0 => Self::Text(Name::new("")),
            1 if matches!(joined[0], Self::Text(_)) => joined.remove(0),
            _ => Self::Template(joined.into()),
        }
    }

    fn constant_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.as_str().to_owned()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The values it can be: itself, or each of several.
    pub fn alternatives(&self) -> &[Value] {
        match self {
            Self::OneOf(values) => values,
            other => std::slice::from_ref(other),
        }
    }

    /// The constant text it is.
    pub fn text(&self) -> Option<Name> {
        match self {
            Self::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// The functions of the program it can be.
    pub fn functions(&self) -> impl Iterator<Item = FunctionRef> + '_ {
        self.alternatives().iter().filter_map(|value| if let Self::Function(f) = value { Some(*f) } else { None })
    }

    /// The external things it can be.
    pub fn externals(&self) -> impl Iterator<Item = &External> + '_ {
        self.alternatives().iter().filter_map(|value| if let Self::External(e) = value { Some(&**e) } else { None })
    }

    /// Whether nothing at all is known of it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether some part of it is not known.
    pub fn may_be_unknown(&self) -> bool {
        self.alternatives().iter().any(|value| matches!(value, Self::Unknown | Self::Result(_)))
    }

    /// Every value inside it, itself first: through alternatives, template parts and members.
    pub fn walk(&self, visit: &mut dyn FnMut(&Value)) {
        visit(self);
        match self {
            Self::OneOf(parts) | Self::Template(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Self::Member(base, _) => base.walk(visit),
            _ => {}
        }
    }

    /// Whether any value inside it satisfies `test`.
    pub fn any(&self, test: impl Fn(&Value) -> bool) -> bool {
        fn inside(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
            test(value)
                || match value {
                    Value::OneOf(parts) | Value::Template(parts) => parts.iter().any(|part| inside(part, test)),
                    Value::Member(base, _) => inside(base, test),
                    _ => false,
                }
        }
        inside(self, &test)
    }

    /// The environment variables that reach it.
    pub fn envs(&self) -> Vec<Name> {
        let mut names = Vec::new();
        self.walk(&mut |value| {
            if let Self::Env(name) = value
                && !names.contains(name)
            {
                names.push(*name);
            }
        });
        names
    }
}
