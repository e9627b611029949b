//! Deliveries that are forms, and that a handler reads as JSON: nothing that it looks for is there.

use crate::catalogue::{FormBody, KnownRole, Seg};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Gate, Program};

/// Names by which code reads forms, or the text that it may take apart itself.
const READS_OTHERWISE: &[&str] = &[
    "formData",
    "form",
    "POST",
    "values",
    "parseBody",
    "URLSearchParams",
    "urlencoded",
    "parse_qs",
    "parse_qsl",
    "querystring",
    "qs",
    "rawBody",
    "get_data",
    "arrayBuffer",
    "contentType",
    "content_type",
    "mimetype",
    "Form",
];

/// A form that is read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormRead {
    /// The call that reads it; where a parser stands before, the call that is given the field.
    pub at: CallRef,
    /// A field that is wanted of it.
    pub field: Name,
    /// A parser that knows only JSON stands before the handler.
    pub parser: bool,
}

impl Program {
    /// Where a handler reads a delivery as JSON whose vendor sends forms. None where it reads any otherwise too, where the
    /// app itself sends requests to it, or where it is written for deliveries of another kind.
    pub fn form_read_as_json(&self, handler: &WebhookHandler, within: &[FunctionRef]) -> Option<FormRead> {
        let form = self.webhook_of(handler)?.form.as_ref()?;
        let entry = &self.entries[handler.entry];
        let called = self.incoming(entry.function).iter().any(|edge| edge.kind == EdgeKind::Jump);
        if called || within.iter().any(|&function| self.reads_otherwise(function, form)) {
            return None;
        }
        let calls = || within.iter().flat_map(|&function| self.calls_in(function));
        calls()
            .find_map(|at| {
                let field = self.taken_of_json(at, form)?;
                Some(FormRead { at, field, parser: false })
            })
            .or_else(|| {
                let wanted = |at: CallRef| Some(FormRead { at, field: self.given_of_body(at, form)?, parser: true });
                self.parses_json_alone(entry).then(|| calls().find_map(wanted))?
            })
    }

    /// Whether a function reads a form, or names what only deliveries of another kind have.
    fn reads_otherwise(&self, function: FunctionRef, form: &FormBody) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let other = |name: &str| form.unless.iter().any(|other| other.eq_ignore_ascii_case(name));
        facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Text(text) => other(text) || text.to_ascii_lowercase().contains("content-type"),
            // Handlers are called `POST`, too.
            ExprKind::Ref(name, _) => other(name) || name != "POST" && READS_OTHERWISE.contains(&name.as_str()),
            // `await request.text()`, `await request.body()`: it may be taken apart.
            ExprKind::Member(base, name) if self.is_request(ExprRef::new(function.file, *base)) => {
                let whole = name == "text" || name == "body" && !facts.language.is_script();
                whole || READS_OTHERWISE.contains(&name.as_str())
            }
            ExprKind::Member(_, name) => other(name) || READS_OTHERWISE.contains(&name.as_str()),
            _ => false,
        })
    }

    /// The field that is taken off what a call reads as JSON: `const { id } = await request.json()`.
    fn taken_of_json(&self, at: CallRef, form: &FormBody) -> Option<Name> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let ExprKind::Member(request, method) = *facts.expr(call.callee) else { return None };
        let reads = method == "json" && call.args.is_empty() || method == "get_json";
        if !reads || !self.is_request(ExprRef::new(at.file, request)) {
            return None;
        }
        let is_read = |value: ExprId| is_same(facts, value, call.expr, 4);
        self.taken(self.function_of(at), form, is_read).map(|(_, field)| field)
    }

    /// The field of `req.body` that a call is given.
    fn given_of_body(&self, at: CallRef, form: &FormBody) -> Option<Name> {
        let facts = self.facts(at.file);
        let body = |value: ExprId| self.is_body(ExprRef::new(at.file, value), 4);
        let (taken, field) = self.taken(self.function_of(at), form, body)?;
        // Also as a part of what is given: `create({ data: { sid: MessageSid } })`.
        let mut args = facts.call(at.call).args.iter().map(|arg| facts.span(arg.value));
        let given = args.any(|span| {
            let mut within = (0..facts.exprs.len() as u32).map(ExprId).filter(|&part| span.contains(facts.span(part)));
            within.any(|part| is_same(facts, part, taken, 4))
        });
        given.then_some(field)
    }

    fn is_body(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        match *facts.expr(at.expr) {
            ExprKind::Member(request, name) => name == "body" && self.is_request(ExprRef::new(at.file, request)),
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(block, name).map_or(&[][..], |def| &facts.def(def).values);
                matches!(*values, [only] if self.is_body(ExprRef::new(at.file, only), depth))
            }
            _ => false,
        }
    }

    /// Where a function takes a field of the vendor's form off a body, and which.
    fn taken(&self, function: FunctionRef, form: &FormBody, body: impl Fn(ExprId) -> bool) -> Option<(ExprId, Name)> {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let is_field = |name: Name| form.fields.iter().any(|field| name == field.as_str()).then_some(name);
        let exprs = facts.exprs.iter().enumerate().filter(|(_, expr)| span.contains(expr.span));
        exprs.into_iter().find_map(|(position, expr)| {
            let field = match expr.kind {
                ExprKind::Member(base, name) if body(base) => is_field(name),
                // `body.get("id")`
                ExprKind::Call(call) => {
                    let call = facts.call(call);
                    let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return None };
                    match facts.expr(call.args.first()?.value) {
                        ExprKind::Text(name) if method == "get" && body(base) => is_field(*name),
                        _ => None,
                    }
                }
                _ => None,
            };
            field.map(|field| (ExprId(position as u32), field))
        })
    }

    /// Whether all that parses bodies before an entry point, on a server that the app itself runs, knows JSON alone.
    fn parses_json_alone(&self, entry: &Entry) -> bool {
        let mut served = self.entries.iter().filter(|other| other.function == entry.function);
        let parsers = |entry: &Entry| {
            let parser = |gate: &Gate| match *gate {
                Gate::Library(made) => match self.role_of_made(made) {
                    Some(KnownRole::ParseBody) => Some(true),
                    Some(KnownRole::KeepBody) => Some(false),
                    _ => self.may_parse_forms(made).then_some(false),
                },
                Gate::Function(_) => None,
                Gate::Unknown => Some(false),
            };
            entry.middleware.iter().filter_map(parser).collect::<Vec<bool>>()
        };
        entry.framework == "express"
            && served.all(|entry| {
                let parsers = parsers(entry);
                !parsers.is_empty() && parsers.into_iter().all(|json| json)
            })
            && self.listens_itself(entry)
    }

    /// `express.urlencoded()`, `multer()`: whether what a library made may read forms.
    fn may_parse_forms(&self, made: ExprRef) -> bool {
        let says = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["body", "form", "urlencoded", "multer", "upload", "webhook"].iter().any(|part| name.contains(part))
        };
        let value = self.value(made);
        let mut externals = value.externals().peekable();
        let named = |seg: &Seg| matches!(seg, Seg::Member(name) if says(name));
        externals.peek().is_none()
            || externals.any(|external| says(&external.package) || external.segs.iter().any(named))
    }
}

/// Whether a value is what another expression gives, through names and `await`.
fn is_same(facts: &Facts, value: ExprId, whole: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    value == whole
        || match *facts.expr(value) {
            ExprKind::Await(inner) => is_same(facts, inner, whole, depth),
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(block, name).map_or(&[][..], |def| &facts.def(def).values);
                matches!(*values, [only] if is_same(facts, only, whole, depth))
            }
            _ => false,
        }
}
