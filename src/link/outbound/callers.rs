//! A wrapper's request as its callers make it: what they hand in goes before what the wrapper puts in its stead.

use crate::catalogue::Request;
use crate::facts::ExprKind;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, FunctionRef, HttpUse, Program, Value};

use super::{GET, method_given, upper};

/// A wrapper that more places call than this is followed no further: nothing would be said of one call.
const MOST_CALLERS: usize = 400;

/// How deep options are followed through spreads.
const DEEPEST: usize = 6;

/// The same request as seen by the callers of the wrapper it stands in, when parameters of that reach it.
pub(super) fn through_callers(program: &Program, http: &HttpUse) -> Vec<HttpUse> {
    let mut found = Vec::new();
    let method_at = shape(program, http).and_then(|shape| shape.method_arg);
    for function in wrappers(program, http, method_at) {
        let callers = program.callers(function);
        if callers.len() > MOST_CALLERS {
            continue;
        }
        for &at in callers {
            let mut caller = Caller { program, eval: Eval::new(program), function, at };
            let url = caller.eval.substitute(&http.url, function, at);
            let method = caller.method(http, method_at);
            let options: Vec<Value> = http.options.iter().map(|option| caller.value(option)).collect();
            let to = program.destinations(&url);
            found.push(HttpUse { at, inner: http.inner, method, url, to, options, ..http.clone() });
        }
    }
    found
}

/// How the client's call that sends it is shaped.
fn shape<'p>(program: &'p Program, http: &HttpUse) -> Option<&'p Request> {
    let mut externals = program.callee(http.inner).externals();
    externals
        .find_map(|external| program.catalogue.request(external.package, &external.segs))
        .map(|matched| matched.request)
}

/// The functions whose parameters reach a request: its URL, its options, its method.
fn wrappers(program: &Program, http: &HttpUse, method_at: Option<usize>) -> Vec<FunctionRef> {
    let mut functions: Vec<FunctionRef> = Vec::new();
    let mut note = |value: &Value| {
        if let Value::Param(function, _) = value
            && !functions.contains(function)
        {
            functions.push(*function);
        }
    };
    http.url.walk(&mut note);
    for option in &http.options {
        option.walk(&mut note);
    }
    if http.method.is_none() {
        for option in &http.options {
            if let Lookup::Present(value) = program.lookup(option, Name::new("method")) {
                value.walk(&mut note);
            }
        }
        if let Some(index) = method_at {
            method_given(&mut Eval::new(program), http.inner, index).walk(&mut note);
        }
    }
    functions
}

/// One call of a wrapper.
struct Caller<'p> {
    program: &'p Program,
    eval: Eval<'p>,
    /// The wrapper.
    function: FunctionRef,
    /// The call.
    at: CallRef,
}

impl Caller<'_> {
    /// The method of the request that this caller makes.
    fn method(&mut self, http: &HttpUse, method_at: Option<usize>) -> Option<Name> {
        // What the client's own name says (`axios.post`), no caller changes.
        if let Some(index) = method_at {
            let value = method_given(&mut self.eval, http.inner, index);
            return self.value(&value).text().map(upper).or(http.method);
        }
        for option in &http.options {
            match self.option(option, Name::new("method"), DEEPEST) {
                Lookup::Present(Value::Text(method)) => return Some(upper(method)),
                Lookup::Absent | Lookup::Present(Value::Null) => {}
                Lookup::Present(_) | Lookup::Unknown => return http.method,
            }
        }
        Some(http.method.unwrap_or_else(|| Name::new(GET)))
    }

    /// A value of the wrapper as this caller makes it. `given ?? fallback`, `(init = {})`: the fallback counts only
    /// where nothing is given.
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Member(base, name) if self.is_handed_in(base) => {
                let base = self.value(base);
                match self.program.lookup(&base, *name) {
                    Lookup::Present(value) => value,
                    Lookup::Absent => Value::Null,
                    Lookup::Unknown => Value::Unknown,
                }
            }
            Value::OneOf(parts) => {
                let (handed_in, fallbacks): (Vec<&Value>, Vec<&Value>) =
                    parts.iter().partition(|part| self.is_handed_in(part));
                let given: Vec<Value> = handed_in.into_iter().map(|part| self.value(part)).collect();
                let given: Vec<Value> = given.into_iter().filter(|value| *value != Value::Null).collect();
                let is_certain = !given.is_empty() && !given.iter().any(|value| matches!(value, Value::Unknown));
                let fallbacks = fallbacks.into_iter().filter(|_| !is_certain);
                Value::one_of(given.into_iter().chain(fallbacks.cloned()))
            }
            other => self.eval.substitute(other, self.function, self.at),
        }
    }

    /// Whether a value is a parameter of the wrapper, or a part of one.
    fn is_handed_in(&self, value: &Value) -> bool {
        match value {
            Value::Param(function, _) => *function == self.function,
            Value::Member(base, _) => self.is_handed_in(base),
            Value::OneOf(parts) => parts.iter().any(|part| self.is_handed_in(part)),
            _ => false,
        }
    }

    /// An option of the request: the wrapper's own, or what this caller hands in.
    fn option(&mut self, object: &Value, name: Name, depth: usize) -> Lookup {
        let Some(depth) = depth.checked_sub(1) else { return Lookup::Unknown };
        let Value::Object(at) = *object else {
            let value = self.value(object);
            return self.program.lookup(&value, name);
        };
        match self.program.put_later(Holder::Object(at), &name) {
            Lookup::Absent => {}
            later => return later,
        }
        let ExprKind::Object(entries) = self.program.facts(at.file).expr(at.expr) else { return Lookup::Unknown };
        // What stands last counts.
        for &(key, value) in entries.iter().rev() {
            let here = self.program.value(ExprRef::new(at.file, value));
            if key == name {
                return Lookup::Present(self.value(&here));
            }
            let found = match key.as_str() {
                "..." => self.option(&here, name, depth),
                "[]" => Lookup::Unknown,
                _ => continue,
            };
            if found != Lookup::Absent {
                return found;
            }
        }
        Lookup::Absent
    }
}
