//! The kinds of failures that a handler is for.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Step};

/// Whether a handler is for failures that are no vendor's: of parsing, of missing keys, of things not found.
pub(super) fn is_for_something_else(facts: &Facts, block: BlockId) -> bool {
    let BlockKind::Catch(Some(kind)) = facts.block(block).kind else { return false };
    let mut kinds = match facts.expr(kind) {
        ExprKind::List(items) => items.to_vec(),
        _ => vec![kind],
    };
    let does_something = !facts.block(block).steps.is_empty();
    // The vendor's every failure, answered by nothing but an empty value.
    let gives_up = matches!(facts.block(block).steps[..], [Step::Return(Some(value))] if is_empty(facts, value));
    kinds.retain(|&kind| match facts.expr(kind) {
        ExprKind::Member(..) if gives_up && is_any_failure(facts, kind) => true,
        // A certain failure of the vendor is answered by doing something about it.
        ExprKind::Member(..) if does_something => false,
        ExprKind::Ref(name, _) => matches!(name.as_str(), "Exception" | "BaseException" | "RequestException" | "HTTPError"),
        ExprKind::Member(base, name) => {
            let package = matches!(facts.expr(*base), ExprKind::Ref(name, _) if matches!(name.as_str(), "json" | "jwt" | "socket"));
            !package && !name.contains("NotFound") && !name.contains("DoesNotExist") && !name.contains("Signature")
        }
        _ => true,
    });
    kinds.is_empty()
}

/// Whether a value holds nothing.
fn is_empty(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::List(items) => items.is_empty(),
        ExprKind::Object(entries) => entries.is_empty(),
        ExprKind::Text(text) => text.is_empty(),
        ExprKind::Number(number) => *number == 0.0,
        _ => false,
    }
}

/// Whether a class stands for all that can fail with a vendor: `stripe.StripeError`, `openai.APIError`.
fn is_any_failure(facts: &Facts, kind: ExprId) -> bool {
    let ExprKind::Member(base, name) = facts.expr(kind) else { return false };
    let mut root = *base;
    while let ExprKind::Member(inner, _) = facts.expr(root) {
        root = *inner;
    }
    let ExprKind::Ref(package, _) = facts.expr(root) else { return false };
    let (package, name) = (package.to_ascii_lowercase(), name.to_ascii_lowercase());
    let rest = name.strip_prefix(&package).or_else(|| name.strip_prefix("api")).unwrap_or("");
    matches!(rest, "error" | "exception")
}
