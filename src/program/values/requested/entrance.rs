//! What of a request its caller decides: body, query, form, the arguments of actions and procedures.

use super::{Origin, Tracer};
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::{EntryKind, ExprRef, FunctionRef, Value};

/// What a request is called where nothing else is known of it.
const REQUESTS: &[&str] = &["req", "request", "_req", "_request", "httpReq", "httpRequest"];

/// Members of a request (or of an event that stands for one) that the caller decides.
const BROUGHT: &[&str] = &[
    "body",
    "query",
    "rawBody",
    "params",
    "form",
    "args",
    "values",
    "json",
    "POST",
    "GET",
    "data",
    "searchParams",
    "queryStringParameters",
    "query_params",
    "get_json",
    "formData",
    "path",
];

/// Methods of a request that read it.
const READS: &[&str] = &["json", "formData", "text", "get_json", "form", "parseBody", "query", "param", "valid"];

/// Functions that read the request they are given.
const READERS: &[&str] = &["readBody", "getQuery", "readValidatedBody", "getValidatedQuery", "readMultipartFormData"];

/// Names of parameters that are no part of what the caller says, in frameworks that inject by name.
const INJECTED: &[&str] = &[
    "request",
    "req",
    "db",
    "session",
    "user",
    "current_user",
    "background_tasks",
    "response",
    "res",
    "settings",
    "ctx",
    "context",
    "info",
    "self",
];

impl Tracer<'_> {
    /// What an expression is when it takes something out of the request by itself.
    pub(super) fn read_of_request(&mut self, at: ExprRef, path: &[Name]) -> Option<Origin> {
        let facts = self.program.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Member(base, name) if BROUGHT.contains(&name.as_str()) && self.is_request(at, *base) => {
                Some(self.source(at, path))
            }
            // `url.searchParams.get("plan")`
            ExprKind::Member(_, name) if *name == "searchParams" && self.program.runs_on_server(at.file) => {
                Some(self.source(at, path))
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                match facts.expr(call.callee) {
                    ExprKind::Member(base, name) if READS.contains(&name.as_str()) && self.is_request(at, *base) => {
                        Some(self.source(at, path))
                    }
                    ExprKind::Ref(name, _) if READERS.contains(&name.as_str()) => Some(self.source(at, path)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether an expression is the request: by its name, or as what an entry point is handed first.
    fn is_request(&self, at: ExprRef, base: ExprId) -> bool {
        let facts = self.program.facts(at.file);
        match facts.expr(base) {
            ExprKind::Ref(name, _) if REQUESTS.contains(&name.as_str()) => true,
            ExprKind::Member(_, name) if matches!(name.as_str(), "req" | "request") => true,
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                matches!(values, Some([only]) if match facts.expr(*only) {
                    ExprKind::Param(function, 0) => {
                        let kind = self.is_entry(FunctionRef::new(at.file, *function));
                        matches!(kind, Some(EntryKind::Route | EntryKind::EdgeFunction))
                    }
                    // `const copy = req.clone()`
                    ExprKind::Call(call) => matches!(facts.expr(facts.call(*call).callee),
                        ExprKind::Member(of, method) if *method == "clone" && self.is_request(at, *of)),
                    _ => false,
                })
            }
            _ => false,
        }
    }

    /// Whether a parameter is annotated with a class of the app's own: `request: Booking` is the body, whatever its name.
    fn is_model(&self, function: FunctionRef, index: u16) -> bool {
        let facts = self.program.facts(function.file);
        let param = facts.function(function.function).params.get(index as usize);
        let annotated = param.and_then(|param| param.ty).map(|ty| self.program.value(ExprRef::new(function.file, ty)));
        matches!(annotated, Some(Value::Class(_)))
    }

    /// What arrives in a parameter of an entry point; none when the function is none.
    pub(super) fn entrance(&mut self, at: ExprRef, function: FunctionRef, index: u16, path: &[Name]) -> Option<Origin> {
        let kind = self.is_entry(function)?;
        let facts = self.program.facts(function.file);
        let next = path.last();
        let is = |names: &[&str]| next.is_some_and(|next| names.contains(&next.as_str()));
        let name = facts.function(function.function).params.get(index as usize).and_then(|param| param.name);
        let brought = match kind {
            EntryKind::ServerAction => true,
            EntryKind::Procedure => is(&["input", "rawInput", "data"]) || index == 1 && !is(&["user", "session"]),
            EntryKind::Route | EntryKind::EdgeFunction if !facts.language.is_script() => {
                let default =
                    facts.function(function.function).params.get(index as usize).and_then(|param| param.default);
                let injected = default.is_some_and(|default| match facts.expr(default) {
                    ExprKind::Call(call) => matches!(facts.expr(facts.call(*call).callee),
                        ExprKind::Ref(name, _) | ExprKind::Member(_, name) if matches!(name.as_str(), "Depends" | "Security" | "Header" | "Cookie")),
                    _ => false,
                });
                let by_name = name.is_some_and(|name| INJECTED.contains(&name.as_str()));
                if by_name && !self.is_model(function, index) { is(BROUGHT) } else { !injected }
            }
            EntryKind::Route | EntryKind::EdgeFunction => is(BROUGHT) || is(&["validatedBody", "validated"]),
            EntryKind::Page => is(&["searchParams", "query", "params"]),
            _ => false,
        };
        Some(if brought { self.source(at, path) } else { Origin::Unknown })
    }
}
