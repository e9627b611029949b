//! What an entry point or a helper answers in good words: an empty list, a success.

use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Step};
use crate::program::failures::reporting::is_failure;
use crate::program::money::core_paths::says::answers_error;
use crate::program::{EntryKind, FunctionRef, Program};

use super::speaks;

impl Program {
    /// What a branch for a bad status gives as if all were well, in words: `return { contacts: [] }`,
    /// `return Response.json({ success: true })`.
    pub(super) fn gives_good_answer(
        &self,
        function: FunctionRef,
        condition: ExprId,
        then: BlockId,
    ) -> Option<&'static str> {
        let facts = self.facts(function.file);
        let value = match facts.block(then).steps[..] {
            [Step::Return(Some(value))] => value,
            // `{ res.json([]); return; }`
            [Step::Eval(value), Step::Return(None)] => value,
            _ => return None,
        };
        let entries = self.entries_of(function);
        let answers = entries.iter().any(|&entry| self.answers_a_request(entry));
        if !(entries.is_empty() || answers) || answers_error(self, function.file, value) || passes_status(facts, value)
        {
            return None;
        }
        let body = body_of(facts, value, 4)?;
        // Empty values of helpers are looked at elsewhere.
        let wrapped = body != value || matches!(facts.expr(body), ExprKind::Object(_)) || answers;
        let good = match () {
            () if !wrapped => return None,
            () if is_empty_list(facts, body, 3) => "an empty list",
            () if says_done(facts, body) => "a success",
            () => return None,
        };
        // Which side of `status < 400` this is, what follows tells.
        let unclear = matches!(facts.expr(condition), ExprKind::Op(Op::Compare, _));
        (!unclear || !self.fails_after(function, then)).then_some(good)
    }

    /// Whether an entry point answers a request, and no vendor's delivery.
    pub(super) fn answers_a_request(&self, entry: usize) -> bool {
        let kind = self.entries[entry].kind;
        matches!(kind, EntryKind::Route | EntryKind::EdgeFunction | EntryKind::ServerAction | EntryKind::Procedure)
            && !self.webhook_handlers().iter().any(|handler| handler.entry == entry)
    }

    /// Whether a function tells of a failure after a block.
    fn fails_after(&self, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let end = facts.block(block).span.end;
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        let told = |value: ExprId| {
            facts.span(value).start > end
                && (answers_error(self, function.file, value) || speaks(facts, value, 5) || is_failure(facts, value))
        };
        own.into_iter().any(|block| {
            block.steps.iter().any(|step| match *step {
                Step::Throw(value) => value.is_none_or(|value| facts.span(value).start > end),
                Step::Return(Some(value)) | Step::Eval(value) => told(value),
                _ => false,
            })
        })
    }
}

/// What an answer holds: `Response.json(body)`, `jsonify(body), 200`, the body itself.
pub(super) fn body_of(facts: &Facts, value: ExprId, depth: usize) -> Option<ExprId> {
    if depth == 0 {
        return None;
    }
    match facts.expr(value) {
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let name = facts.last_name(call.callee)?;
            let wraps = matches!(
                name.as_str(),
                "json"
                    | "jsonify"
                    | "send"
                    | "stringify"
                    | "Response"
                    | "JSONResponse"
                    | "JsonResponse"
                    | "ORJSONResponse"
            );
            body_of(facts, call.args.first().filter(|_| wraps)?.value, depth - 1)
        }
        ExprKind::Await(inner) => body_of(facts, *inner, depth - 1),
        ExprKind::List(items) => match items[..] {
            [body, status] if matches!(facts.expr(status), ExprKind::Number(_)) => body_of(facts, body, depth - 1),
            _ => Some(value),
        },
        _ => Some(value),
    }
}

/// Whether an answer carries a status that is not written out: the vendor's own.
fn passes_status(facts: &Facts, value: ExprId) -> bool {
    let is_number = |value: ExprId| matches!(facts.expr(value), ExprKind::Number(_));
    let is_status = |name: &str| matches!(name, "status" | "status_code" | "statusCode");
    let ExprKind::Call(call) = facts.expr(value) else {
        return match facts.expr(value) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => passes_status(facts, *inner),
            ExprKind::List(items) => items.len() == 2 && !is_number(items[1]),
            _ => false,
        };
    };
    let call = facts.call(*call);
    let sets = facts.last_name(call.callee).is_some_and(|name| is_status(&name));
    passes_status(facts, call.callee)
        || call.args.iter().enumerate().any(|(at, arg)| match facts.expr(arg.value) {
            _ if sets || arg.name.is_some_and(|name| is_status(&name)) => !is_number(arg.value),
            ExprKind::Object(entries) if at > 0 => {
                entries.iter().any(|(key, value)| is_status(key) && !is_number(*value))
            }
            // Options that come from elsewhere.
            ExprKind::Ref(..) if at > 0 => true,
            _ => false,
        })
}

/// Whether a value is a list without elements, or an object around one and nothing else that says anything.
pub(super) fn is_empty_list(facts: &Facts, value: ExprId, depth: usize) -> bool {
    match facts.expr(value) {
        ExprKind::List(items) => items.is_empty(),
        ExprKind::Object(entries) if depth > 0 => {
            entries.iter().any(|&(_, value)| is_empty_list(facts, value, depth - 1))
                && entries.iter().all(|&(key, value)| match facts.expr(value) {
                    ExprKind::Null => true,
                    ExprKind::Number(number) => *number == 0.0,
                    ExprKind::Text(text) => text.is_empty(),
                    ExprKind::Bool(true) => is_done(&key),
                    ExprKind::Bool(false) => key.to_ascii_lowercase().contains("more"),
                    _ => is_empty_list(facts, value, depth - 1),
                })
        }
        _ => false,
    }
}

/// Whether an object says that all went well, and nothing else that could say more.
pub(super) fn says_done(facts: &Facts, value: ExprId) -> bool {
    let ExprKind::Object(entries) = facts.expr(value) else { return false };
    entries.iter().any(|&(key, value)| is_done(&key) && matches!(facts.expr(value), ExprKind::Bool(true)))
        && entries
            .iter()
            .all(|&(_, value)| matches!(facts.expr(value), ExprKind::Bool(true) | ExprKind::Text(_) | ExprKind::Null))
        && !speaks(facts, value, 3)
}

fn is_done(key: &str) -> bool {
    matches!(key, "success" | "ok" | "sent" | "done" | "saved" | "deleted" | "cancelled" | "canceled")
}
