//! How a cure reads a header in the way of the handler that it is for: `request.headers["x"]` is nothing on a Fetch request,
//! and a check made with it refuses every delivery.

use crate::facts::ExprKind;
use crate::names::Name;
use crate::program::{Entry, Program};

/// How a handler reads the headers of what comes in.
enum Reads {
    /// `req.headers.get("x")`
    Fetch(Name),
    /// `c.req.header("x")`
    Context(Name),
}

impl Program {
    /// A cure with the headers read as the handler's requests have them.
    pub fn as_read_by(&self, entry: &Entry, cure: &str) -> String {
        match self.reads_headers(entry) {
            Some(Reads::Fetch(request)) => rewritten(cure, &format!("{request}.headers.get")),
            Some(Reads::Context(context)) => rewritten(cure, &format!("{context}.req.header")),
            None => cure.to_owned(),
        }
    }

    /// How a handler reads headers, by how it reads the body; none where it has a plain object of them.
    fn reads_headers(&self, entry: &Entry) -> Option<Reads> {
        const BODIES: &[&str] = &["json", "text", "formData", "arrayBuffer", "blob", "parseBody"];
        let facts = self.facts(entry.function.file);
        let shape = facts.function(entry.function.function);
        // `({ request }) =>`
        let first = shape.params.first()?.name.unwrap_or_else(|| Name::new("request"));
        let is_first = |expr| matches!(facts.expr(expr), ExprKind::Ref(name, _) if *name == first);
        let mut calls = facts.calls.iter().filter(|call| shape.span.contains(facts.span(call.expr)));
        calls.find_map(|call| match *facts.expr(call.callee) {
            ExprKind::Member(base, name) if BODIES.contains(&name.as_str()) => match *facts.expr(base) {
                ExprKind::Ref(..) if is_first(base) => Some(Reads::Fetch(first)),
                ExprKind::Member(inner, part) if part == "req" && is_first(inner) => Some(Reads::Context(first)),
                _ => None,
            },
            _ => None,
        })
    }
}

/// A text in which `request.headers["x"]` is read by a call.
fn rewritten(cure: &str, call: &str) -> String {
    let mut text = cure.to_owned();
    for start in ["request.headers[\"", "req.headers[\""] {
        while let Some(at) = text.find(start) {
            let from = at + start.len();
            let Some(end) = text[from..].find("\"]").map(|end| from + end) else { break };
            let header = text[from..end].to_owned();
            text.replace_range(at..end + 2, &format!("{call}(\"{header}\")"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn headers_are_read_by_a_call() {
        let cure = "Compare request.headers[\"x-key\"] and req.headers[\"x-time\"].";
        assert_eq!(
            rewritten(cure, "req.headers.get"),
            "Compare req.headers.get(\"x-key\") and req.headers.get(\"x-time\")."
        );
    }
}
