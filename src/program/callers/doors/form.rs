//! Functions that only look which fields the body of a request has, whatever they are called.

use super::Door;
use super::names::door_of_text;
use crate::facts::{Arg, BlockKind, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Program};

/// Functions of a language that say what a value is like.
const PLAIN: &[&str] = &[
    "Boolean",
    "String",
    "Number",
    "Object",
    "Array",
    "undefined",
    "bool",
    "str",
    "int",
    "len",
    "isinstance",
    "dict",
    "list",
    "all",
    "any",
];

/// Methods that say which fields a value has, or give one in another form. None of those that hold a text against others:
/// to whom may be written is often asked that way.
const LOOKS: &[&str] =
    &["get", "isArray", "keys", "trim", "strip", "toLowerCase", "lower", "hasOwnProperty", "hasOwn", "isInteger"];

/// Words in the names of fields whose worth is a secret.
const SECRETS: &[&str] = &["password", "passcode", "pass", "pin", "secret", "token", "key", "code", "signature", "otp"];

impl Program {
    /// Whether a call asks a function of the program that is handed nothing but what stands in the request's body, and
    /// only looks at its fields: `isAuthHook(payload)`. Whatever it is called, it asks nobody who is there.
    pub(super) fn only_looks_at_form(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let args = &facts.call(at.call).args;
        let given =
            |arg: &Arg| matches!(self.origin_on(&[], ExprRef::new(at.file, arg.value), &[]), Origin::Request(_));
        let mut targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        let (Some(edge), None) = (targets.next(), targets.next()) else { return false };
        !args.is_empty() && self.knows_only_fields(edge.target) && args.iter().all(given)
    }

    /// The function by which an entry point tells a caller of its own from the rest, and which only looks at fields that
    /// anybody can send: `if (isAuthHook(body)) { await mail(..) }`.
    pub fn caller_told_by_form(&self, entry: &Entry) -> Option<Name> {
        let function = entry.function;
        let facts = self.facts(function.file);
        let arms = facts.blocks.iter().filter_map(|block| match block.kind {
            BlockKind::Then(condition) if block.function == function.function => Some((condition, block.span)),
            _ => None,
        });
        arms.into_iter().find_map(|(condition, arm)| {
            let ExprKind::Call(asked) = *facts.expr(condition) else { return None };
            let asked = CallRef::new(function.file, asked);
            let name = self.called_name(asked)?;
            let acts = self.calls_in(function).any(|at| {
                let runs = self.edges(at).iter().any(|edge| edge.kind == EdgeKind::Direct);
                arm.contains(facts.span(facts.call(at.call).expr)) && (runs || !self.vendors_at(at).is_empty())
            });
            (acts && door_of_text(&name, true) == Door::Guarded && self.only_looks_at_form(asked)).then_some(name)
        })
    }

    /// Whether a function looks at nothing but fields of what it is handed, and holds none of them against a secret.
    fn knows_only_fields(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let own = |name, block| facts.lookup(block, name).is_some_and(|def| span.contains(facts.def(def).span));
        facts.exprs.iter().filter(|expr| span.contains(expr.span)).all(|expr| match &expr.kind {
            ExprKind::Ref(name, block) => PLAIN.contains(&name.as_str()) || own(*name, *block),
            ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
                ExprKind::Ref(name, _) => PLAIN.contains(&name.as_str()),
                ExprKind::Member(_, name) => LOOKS.contains(&name.as_str()),
                _ => false,
            },
            ExprKind::Op(Op::Equal | Op::Unequal | Op::In, parts) => {
                !parts.iter().any(|&part| holds_secret(facts, part))
            }
            // An address, or the name of a host.
            ExprKind::Text(text) => !text.contains(['@', '.']),
            ExprKind::Env(_) | ExprKind::Imported(..) | ExprKind::Await(_) | ExprKind::This(_) => false,
            _ => true,
        })
    }
}

/// Whether a value is called like a secret: `body.password`.
fn holds_secret(facts: &Facts, expr: ExprId) -> bool {
    facts.last_name(expr).is_some_and(|name| words(&name).iter().any(|word| SECRETS.contains(&word.as_str())))
}
