//! What an answer says: that all went well, that it did not, or what cannot be told.

use crate::facts::{Arg, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::Program;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Well,
    Refuses,
    Unknown,
}

impl Program {
    /// What an entry point answers with a value.
    pub(super) fn answer(&self, facts: &Facts, expr: ExprId, depth: usize) -> Answer {
        let Some(depth) = depth.checked_sub(1) else { return Answer::Unknown };
        match facts.expr(expr) {
            ExprKind::Await(inner) => self.answer(facts, *inner, depth),
            ExprKind::Call(call) => {
                if let Some(sent) = sends_answer(facts, expr) {
                    return sent;
                }
                let call = facts.call(*call);
                let name = match facts.expr(call.callee) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.as_str(),
                    _ => return Answer::Unknown,
                };
                // In Python a dictionary is what is answered: its `status` is a word for the reader.
                // So are the keywords of Flask's `jsonify(status="ok")`.
                let is_status = |arg: &&Arg| {
                    facts.language.is_script() || !(is_content(facts, arg) || name == "jsonify" && arg.name.is_some())
                };
                let args = || call.args.iter().filter(is_status);
                let numbers: Vec<f64> = statuses(facts, &mut args().map(|arg| arg.value), 3);
                if numbers.iter().any(|status| *status >= 400.0) {
                    return Answer::Refuses;
                }
                let plain = [
                    "Response",
                    "json",
                    "text",
                    "body",
                    "jsonify",
                    "HttpResponse",
                    "JsonResponse",
                    "JSONResponse",
                    "PlainTextResponse",
                    "make_response",
                    "ok",
                    "success",
                ];
                if numbers.is_empty() && has_open_status(facts, args().map(|arg| (arg.name, arg.value))) {
                    return Answer::Unknown;
                }
                let well = numbers.iter().any(|status| (200.0..300.0).contains(status));
                if well || plain.contains(&name) { Answer::Well } else { Answer::Unknown }
            }
            // `return {"received": True}`, `return "ok", 200`
            ExprKind::Object(_) if !facts.language.is_script() => Answer::Well,
            ExprKind::Text(_) if !facts.language.is_script() => Answer::Well,
            ExprKind::List(items) if !facts.language.is_script() => {
                let numbers = statuses(facts, &mut items.iter().skip(1).copied(), 1);
                match numbers.first() {
                    Some(status) if *status >= 400.0 => Answer::Refuses,
                    Some(_) => Answer::Well,
                    None => Answer::Unknown,
                }
            }
            ExprKind::Object(entries) => {
                // A function's answer on a platform of plain objects.
                match entries.iter().find(|(key, _)| *key == "statusCode" || *key == "status") {
                    Some(&(_, value)) => match facts.expr(value) {
                        ExprKind::Number(status) if *status >= 400.0 => Answer::Refuses,
                        ExprKind::Number(_) => Answer::Well,
                        _ => Answer::Unknown,
                    },
                    None => Answer::Unknown,
                }
            }
            _ => Answer::Unknown,
        }
    }
}

/// What `res.status(200).json(..)` and its like answer; none when it sends nothing.
pub(super) fn sends_answer(facts: &Facts, expr: ExprId) -> Option<Answer> {
    let ExprKind::Call(call) = facts.expr(expr) else { return None };
    let call = facts.call(*call);
    let ExprKind::Member(base, name) = facts.expr(call.callee) else { return None };
    if !matches!(name.as_str(), "json" | "send" | "end" | "sendStatus") {
        return None;
    }
    let mut status: Option<ExprId> = (*name == "sendStatus").then(|| call.args.first().map(|arg| arg.value)).flatten();
    let mut at = *base;
    loop {
        match facts.expr(at) {
            ExprKind::Call(inner) => {
                let inner = facts.call(*inner);
                let ExprKind::Member(base, name) = facts.expr(inner.callee) else { return None };
                if matches!(name.as_str(), "status" | "code" | "writeHead") {
                    status = inner.args.first().map(|arg| arg.value);
                }
                at = *base;
            }
            ExprKind::Ref(name, _) if matches!(name.as_str(), "res" | "response" | "reply" | "_res") => break,
            _ => return None,
        }
    }
    let status = status.map(|status| other_status(facts, status, 4).unwrap_or(status));
    Some(match status.map(|status| facts.expr(status)) {
        None => Answer::Well,
        Some(ExprKind::Number(status)) if *status >= 400.0 => Answer::Refuses,
        Some(ExprKind::Number(_)) => Answer::Well,
        Some(_) => Answer::Unknown,
    })
}

/// Words of conditions that ask whether a delivery is genuine.
const GENUINE: &[&str] = &["signature", "sig", "signed", "verification", "verified", "unverified", "webhook secret"];

/// Whether a condition asks whether the signature was refused: no failure of the work.
fn is_of_signature(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        GENUINE.iter().any(|word| text.contains(word))
    };
    match facts.expr(condition) {
        ExprKind::Text(text) => says(text),
        ExprKind::Ref(name, block) => {
            says(name)
                || matches!(facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()), Some([only])
                    if is_of_signature(facts, *only, depth))
        }
        ExprKind::Member(base, name) => says(name) || is_of_signature(facts, *base, depth),
        ExprKind::Op(_, parts) => parts.iter().any(|&part| is_of_signature(facts, part, depth)),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let args = call.args.iter().map(|arg| arg.value);
            args.chain([call.callee]).any(|part| is_of_signature(facts, part, depth))
        }
        _ => false,
    }
}

/// The status that a failure of the work gets where a refused signature gets another: `isSignature ? 400 : 200`.
pub(super) fn other_status(facts: &Facts, value: ExprId, depth: usize) -> Option<ExprId> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(value) {
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => other_status(facts, only, depth),
            _ => None,
        },
        ExprKind::Op(Op::Choose, parts) => {
            let &[condition, refused, other] = &parts[..] else { return None };
            let (condition, refused, other) = match facts.expr(condition) {
                ExprKind::Op(Op::Not, parts) => (parts[0], other, refused),
                _ => (condition, refused, other),
            };
            let is_error = |value: ExprId| matches!(facts.expr(value), ExprKind::Number(status) if *status >= 400.0);
            (is_error(refused) && is_of_signature(facts, condition, 6)).then_some(other)
        }
        _ => None,
    }
}

/// Numbers that are statuses: positional ones, and those under `status`.
fn statuses(facts: &Facts, values: &mut dyn Iterator<Item = ExprId>, depth: usize) -> Vec<f64> {
    let Some(depth) = depth.checked_sub(1) else { return vec![] };
    let mut found = Vec::new();
    for value in values {
        let value = other_status(facts, value, 4).unwrap_or(value);
        match facts.expr(value) {
            ExprKind::Number(number) if (100.0..600.0).contains(number) => found.push(*number),
            ExprKind::Object(entries) => {
                let status =
                    entries.iter().filter(|(key, _)| matches!(key.as_str(), "status" | "statusCode" | "status_code"));
                found.extend(statuses(facts, &mut status.map(|(_, value)| *value), depth));
            }
            ExprKind::Op(Op::Choose | Op::Or | Op::Nullish, parts) => {
                found.extend(statuses(facts, &mut parts.iter().copied(), depth))
            }
            _ => {}
        }
    }
    found
}

/// Whether an argument is a dictionary that is answered.
fn is_content(facts: &Facts, arg: &Arg) -> bool {
    let body = |name: &str| matches!(name, "content" | "data" | "body");
    matches!(facts.expr(arg.value), ExprKind::Object(_)) && arg.name.is_none_or(|name| body(&name))
}

/// Whether a status is given that is no number here.
fn has_open_status(facts: &Facts, args: impl Iterator<Item = (Option<Name>, ExprId)>) -> bool {
    args.into_iter().any(|(name, value)| {
        let is = |key: &str| matches!(key, "status" | "statusCode" | "status_code");
        name.is_some_and(|name| is(&name))
            || matches!(facts.expr(value), ExprKind::Object(entries) if entries.iter().any(|(key, _)| is(key)))
    })
}
