//! Headers that a client brings along to every request: given when it is made, put into it later, or set by a function
//! that it runs before each request.

use crate::facts::ExprKind;
use crate::program::values::assigned::{Holder, holder_of_external};
use crate::program::values::options::Lookup;
use crate::program::{CallRef, FunctionRef, HttpUse, Program, Value};

/// Members under which clients keep the functions that they run before each request.
const BEFORE_EACH: &[&str] = &["interceptors.request.use", "interceptors.request"];

impl Program {
    /// A header that the client of a request sends with all of them.
    pub(in crate::program) fn header_of_client(&self, http: &HttpUse, names: &[String]) -> Lookup {
        let Some(made) = http.instance else { return Lookup::Absent };
        let given = match self.option(made, "headers") {
            Lookup::Present(headers) => self.header(&headers, names),
            // What is not followed is asked for by the call's own options.
            _ => Lookup::Absent,
        };
        match Lookup::of_any([given, self.header_put(Holder::Made(made), names)]) {
            Lookup::Absent => self.header_set_before_each(made, names),
            found => found,
        }
    }

    /// `session.headers.update({..})`, `api.defaults.headers.common["X"] = ..`
    fn header_put(&self, holder: Holder, names: &[String]) -> Lookup {
        let headers = self.puts(holder).iter().filter_map(|put| {
            let (way, name) = put.name.rsplit_once('.')?;
            way.split('.').any(|part| part == "headers").then_some((name.to_owned(), put.value))
        });
        Lookup::of_any(headers.map(|(name, value)| match value {
            Some(value) if names.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name)) => {
                Lookup::Present(self.value(value))
            }
            _ if name == "[]" => Lookup::Unknown,
            _ => Lookup::Absent,
        }))
    }

    /// `api.interceptors.request.use((config) => { config.headers["X"] = .. })`
    fn header_set_before_each(&self, made: CallRef, names: &[String]) -> Lookup {
        let wanted = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let mut set = Lookup::Absent;
        for (file, facts) in self.code() {
            for call in self.calls_of(file) {
                let runs_before = self.callee(call).externals().any(|external| {
                    let on = holder_of_external(external);
                    on.is_some_and(|(holder, way)| holder == Holder::Made(made) && BEFORE_EACH.contains(&way.as_str()))
                });
                if !runs_before {
                    continue;
                }
                let Some(first) = facts.call(call.call).args.first() else { continue };
                let handlers: Vec<FunctionRef> = self
                    .value(crate::program::ExprRef::new(file, first.value))
                    .alternatives()
                    .iter()
                    .filter_map(|value| if let Value::Function(function) = value { Some(*function) } else { None })
                    .collect();
                for handler in handlers {
                    match self.header_put(Holder::Param(handler, 0), names) {
                        Lookup::Absent => {}
                        found => return found,
                    }
                    // `return { ...config, headers: { ...config.headers, "X": key } }`
                    let facts = self.facts(handler.file);
                    let inside = facts.function(handler.function).span;
                    let written = facts.exprs.iter().any(|expr| match &expr.kind {
                        _ if !inside.contains(expr.span) => false,
                        ExprKind::Object(entries) => entries.iter().any(|(key, _)| wanted(key)),
                        ExprKind::Text(text) => wanted(text),
                        _ => false,
                    });
                    if written {
                        set = Lookup::Unknown;
                    }
                }
            }
        }
        set
    }
}
