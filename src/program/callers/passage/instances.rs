//! The paths that requests for a route ask for.

use crate::facts::ExprKind;
use crate::finding::FileId;
use crate::program::Program;

/// What requests for a route ask for: the route itself; for one with parameters, a path with words in their places
/// that nobody thought of, and the paths that the middleware names which the route covers.
pub(super) fn of(program: &Program, file: FileId, route: &str) -> Vec<String> {
    let Some(at) = route.find([':', '*']) else { return vec![route.to_owned()] };
    let filled = |part: &str| match part.starts_with([':', '*']) {
        true => "any-0".to_owned(),
        false => part.to_owned(),
    };
    let mut found = vec![route.split('/').map(filled).collect::<Vec<_>>().join("/")];
    let head = &route[..at];
    for expr in &program.facts(file).exprs {
        if let ExprKind::Text(text) = &expr.kind
            && text.len() > head.len()
            && text.starts_with(head)
        {
            let plain = text.split(['(', ':', '*']).next().unwrap_or(text);
            found.push(plain.to_owned());
        }
    }
    found
}
