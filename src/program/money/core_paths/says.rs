//! What conditions and answers say: that something failed, that a call failed, that a value comes out of a call.

use crate::facts::{CallId, ExprId, ExprKind, Facts, Op};
use crate::finding::FileId;
use crate::program::{ExprRef, Program, Value};

/// Whether a value or a part of it satisfies `test`.
pub fn holds(facts: &Facts, value: ExprId, depth: usize, test: &dyn Fn(&Facts, ExprId) -> bool) -> bool {
    if depth == 0 {
        return false;
    }
    let inside = |&value: &ExprId| holds(facts, value, depth - 1, test);
    test(facts, value)
        || match facts.expr(value) {
            ExprKind::Object(entries) => entries.iter().any(|(_, value)| inside(value)),
            ExprKind::List(items) | ExprKind::Template(items) | ExprKind::Op(_, items) => items.iter().any(inside),
            ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| inside(&arg.value)),
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(inside))
            }
            _ => false,
        }
}

/// Whether an answer has a status of 400 or more.
pub fn answers_error(program: &Program, file: FileId, value: ExprId) -> bool {
    answers_between(program, file, value, 400..600)
}

/// Whether an answer says that who asks is not let in: not known, has not paid, may not.
pub fn answers_refusal(program: &Program, file: FileId, value: ExprId) -> bool {
    answers_between(program, file, value, 401..404)
}

/// Whether an answer has a status among these.
fn answers_between(program: &Program, file: FileId, value: ExprId, among: std::ops::Range<u16>) -> bool {
    let facts = program.facts(file);
    let mut parts = vec![(value, 8)];
    while let Some((value, depth)) = parts.pop() {
        let constant = match facts.expr(value) {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Ref(..) | ExprKind::Member(..) => match program.value(ExprRef::new(file, value)) {
                Value::Number(number) => Some(number),
                _ => None,
            },
            _ => None,
        };
        // `status.HTTP_500_INTERNAL_SERVER_ERROR`
        let named = match facts.expr(value) {
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => {
                let number = name.strip_prefix("HTTP_").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
                number.is_some_and(|number| among.contains(&number))
            }
            _ => false,
        };
        let is_among = |number: f64| (f64::from(among.start)..f64::from(among.end)).contains(&number);
        if named || constant.is_some_and(is_among) {
            return true;
        }
        if depth == 0 {
            continue;
        }
        match facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => parts.push((*inner, depth - 1)),
            ExprKind::List(items) => parts.extend(items.iter().map(|&item| (item, depth - 1))),
            ExprKind::Object(entries) => {
                parts.extend(entries.iter().filter(|(key, _)| *key == "status").map(|&(_, value)| (value, depth - 1)));
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                parts.extend(call.args.iter().map(|arg| (arg.value, depth - 1)));
                parts.push((call.callee, depth - 1));
            }
            _ => {}
        }
    }
    false
}

/// Whether a returned value tells of success: `true`, `{ ok: true }`, an answer that holds it.
pub fn is_success(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Bool(truth) => *truth,
        ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
            matches!(key.as_str(), "ok" | "success" | "valid" | "isValid" | "allowed") && is_success(facts, value)
        }),
        // `jsonify({"success": True}), 201`
        ExprKind::List(items) => items.first().is_some_and(|&first| holds_success(facts, first)),
        _ => holds_success(facts, value),
    }
}

/// Whether an answer is made of a value that tells of success, without a status that says otherwise.
fn holds_success(facts: &Facts, value: ExprId) -> bool {
    let ExprKind::Call(call) = facts.expr(value) else {
        return matches!(facts.expr(value), ExprKind::Object(_)) && is_success(facts, value);
    };
    let args = &facts.call(*call).args;
    let object = |at: ExprId| matches!(facts.expr(at), ExprKind::Object(_)) && is_success(facts, at);
    args.first().is_some_and(|arg| object(arg.value))
        || args.iter().any(|arg| {
            arg.name.is_some_and(|name| matches!(name.as_str(), "ok" | "success")) && is_success(facts, arg.value)
        })
}

fn says_error(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "err" || name == "e" || name.ends_with("err") || name.contains("error") || name.contains("fail")
}

fn says_success(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "ok" | "success" | "succeeded") || name.ends_with("ok") || name.contains("success")
}

/// Whether a condition of this truth says that something failed.
pub fn tells_failure(facts: &Facts, condition: ExprId, truth: bool) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, operands) => operands.iter().any(|&operand| tells_failure(facts, operand, !truth)),
        ExprKind::Op(Op::And | Op::Or, operands) => {
            operands.iter().any(|&operand| tells_failure(facts, operand, truth))
        }
        ExprKind::Op(Op::Unequal, operands) => operands.iter().any(|&operand| error_named(facts, operand)) && truth,
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            if truth {
                says_error(name)
            } else {
                says_success(name)
            }
        }
        _ => false,
    }
}

fn error_named(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if says_error(name))
}

/// Whether a condition says that a call did what was asked for: `answer.ok && data.success`.
pub fn says_done(facts: &Facts, condition: ExprId, call: CallId) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| says_done(facts, part, call)),
        ExprKind::Member(_, name) => says_success(name) && derives(facts, condition, call, 8),
        _ => false,
    }
}

/// Whether a condition of this truth says that `call` failed: its error is set, or its result is missing.
pub fn tells_failure_of(facts: &Facts, condition: ExprId, truth: bool, call: CallId) -> bool {
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, operands) => {
            operands.iter().any(|&operand| tells_failure_of(facts, operand, !truth, call))
        }
        // `count !== null && count > 0`: what gave nothing never comes that far.
        ExprKind::Op(Op::And, operands) if truth && asks_for_more_of_same(facts, operands, call) => false,
        ExprKind::Op(Op::And | Op::Or, operands) => {
            operands.iter().any(|&operand| tells_failure_of(facts, operand, truth, call))
        }
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), operands) => {
            let nothing =
                operands.iter().any(|&operand| matches!(facts.expr(operand), ExprKind::Null | ExprKind::Bool(false)));
            let same = (*op == Op::Equal) == truth;
            // `x === null` asks the same as `!x`.
            operands.iter().any(|&operand| tells_failure_of(facts, operand, same != nothing, call))
        }
        ExprKind::Op(Op::Compare, operands) => {
            truth && operands.iter().any(|&operand| derives(facts, operand, call, 6))
        }
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            derives(facts, condition, call, 6) && (truth == says_error(name))
        }
        ExprKind::Call(_) | ExprKind::Await(_) => !truth && derives(facts, condition, call, 6),
        _ => false,
    }
}

/// Whether a condition asks first that what a call gave is there, and then how much it is.
fn asks_for_more_of_same(facts: &Facts, operands: &[ExprId], call: CallId) -> bool {
    let named = |expr: ExprId| match *facts.expr(expr) {
        ExprKind::Ref(name, _) if !says_error(&name) && derives(facts, expr, call, 6) => Some(name),
        _ => None,
    };
    let is_nothing = |&expr: &ExprId| matches!(facts.expr(expr), ExprKind::Null);
    let there = operands.iter().find_map(|&operand| match facts.expr(operand) {
        ExprKind::Op(Op::Unequal, parts) if parts.iter().any(is_nothing) => parts.iter().find_map(|&part| named(part)),
        _ => named(operand),
    });
    there.is_some_and(|there| {
        operands.iter().any(|&operand| match facts.expr(operand) {
            ExprKind::Op(Op::Compare, parts) => parts.iter().any(|&part| named(part) == Some(there)),
            _ => false,
        })
    })
}

/// Whether a value comes out of a call's result.
pub fn derives(facts: &Facts, value: ExprId, call: CallId, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match facts.expr(value) {
        ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
            derives(facts, *inner, call, depth - 1)
        }
        ExprKind::Call(other) => *other == call || derives(facts, facts.call(*other).callee, call, depth - 1),
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.iter().any(|&value| derives(facts, value, call, depth - 1))),
        _ => false,
    }
}
