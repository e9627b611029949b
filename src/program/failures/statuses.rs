//! Whether the status of a request's answer is looked at: HTTP clients that do not throw on 4xx and 5xx hand a
//! refusal over like any other answer.

use crate::catalogue::KnownRole;
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::program::terms::{Ending, ending};
use crate::program::values::answers::{Deed, Look};
use crate::program::values::readers::Use;
use crate::program::{CallRef, HttpUse, Program};

/// What becomes of an answer whose status nobody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchecked {
    /// Its body is used.
    Body,
    /// Nothing is looked at.
    Nothing,
    /// Its body is only logged.
    Logged,
}

/// Parts of an answer that say how it went.
const STATUS: &[&str] = &[
    "ok",
    "status",
    "status_code",
    "statusCode",
    "statusText",
    "raise_for_status()",
    "is_success",
    "is_error",
    "reason",
    "reason_phrase",
    "is_client_error",
    "is_server_error",
    "ok()",
    "status()",
    "redirected",
    "type",
    "headers",
];

/// Parts that hold what came.
const BODY: &[&str] = &[
    "json()",
    "text()",
    "blob()",
    "arrayBuffer()",
    "formData()",
    "bytes()",
    "buffer()",
    "content",
    "text",
    "body",
    "data",
    "read()",
    "aread()",
    "iter_content()",
    "iter_lines()",
    "iter_bytes()",
];

/// What an answer that worked says of itself: a refusal does not have it, and reads as a no.
const VERDICT: &[&str] = &["success", "ok", "valid", "verified", "isValid", "is_valid"];

impl Program {
    /// What becomes of the answer of a request, when nobody looks at its status or at what in the body says the same;
    /// none too when it is handed to something that is not followed.
    pub fn unchecked_status(&self, http: &HttpUse) -> Option<Unchecked> {
        let looks = self.looks(http.inner);
        let false_when_refused = self.http_client(http).false_when_refused;
        if looks.iter().any(|look| self.shows_status(look) || false_when_refused && self.asks_whether_true(look)) {
            return None;
        }
        let body: Vec<&Look> = looks.iter().filter(|look| is_body(look)).collect();
        let used = body.iter().any(|look| !matches!(look.deed, Deed::Logged | Deed::Called));
        // Whoever logs it can find out.
        let logged = looks.iter().any(|look| look.part.first().is_some_and(|part| STATUS.contains(&part.as_str())));
        if !used && logged {
            return None;
        }
        match (used, body.iter().any(|look| look.deed == Deed::Logged)) {
            (true, _) => Some(Unchecked::Body),
            (false, true) => Some(Unchecked::Logged),
            (false, false) => Some(Unchecked::Nothing),
        }
    }

    /// Whether all that reads the body of an answer stands in a `try` after the request, whose handlers go on with
    /// something else: a body that cannot be read is met there.
    pub fn is_read_in_try(&self, http: &HttpUse) -> bool {
        let at = http.inner;
        let facts = self.facts(at.file);
        let asked = facts.span(facts.call(at.call).expr);
        let goes_on = |handlers: &[BlockId]| handlers.iter().all(|&block| ending(facts, block) != Ending::Throws);
        let tries: Vec<Span> = facts
            .blocks
            .iter()
            .filter(|block| block.function == self.function_of(at).function)
            .flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                Step::Try { body, handlers, .. } if !handlers.is_empty() && goes_on(handlers) => {
                    Some(facts.block(*body).span)
                }
                _ => None,
            })
            .filter(|body| !body.contains(asked))
            .collect();
        // `answer = await client.get(..)`
        let readers = self.readers(at.file);
        let (mut value, mut reads) = (facts.call(at.call).expr, Vec::new());
        for _ in 0..3 {
            let mut outer = None;
            for used in readers.uses(value) {
                match *used {
                    Use::Kept(def) => reads.extend(readers.reads(def).iter().copied()),
                    Use::In(whole) if matches!(facts.expr(whole), ExprKind::Await(_)) => outer = Some(whole),
                    _ => {}
                }
            }
            let Some(outer) = outer else { break };
            value = outer;
        }
        !reads.is_empty() && reads.into_iter().all(|read| tries.iter().any(|body| body.contains(facts.span(read))))
    }

    fn shows_status(&self, look: &Look) -> bool {
        match look.part.first() {
            // The answer as a whole, handed on.
            None => !matches!(look.deed, Deed::Tested | Deed::Logged | Deed::Called),
            Some(part) if STATUS.contains(&part.as_str()) => look.deed != Deed::Logged,
            // What in the body says whether it worked, or whether something came at all.
            Some(part) if BODY.contains(&part.as_str()) => {
                let verdict = look.part.len() == 2 && VERDICT.contains(&look.part[1].as_str());
                match look.deed {
                    Deed::Tested => !self.asks_what_stands_in(look),
                    Deed::Thrown => true,
                    Deed::Handed | Deed::Given(_) if verdict => true,
                    _ => self.is_validated(look),
                }
            }
            // A part that is not known.
            Some(_) => look.deed != Deed::Logged,
        }
    }

    /// Whether the answer as a whole is asked whether it is true; whether it is there at all is another question.
    fn asks_whether_true(&self, look: &Look) -> bool {
        let facts = self.facts(look.at.file);
        let asks = |used: &Use| match *used {
            Use::Tested => true,
            Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Not | Op::And | Op::Or | Op::Choose, _)),
            _ => false,
        };
        look.part.is_empty()
            && look.deed == Deed::Tested
            && self.readers(look.at.file).uses(look.at.expr).iter().any(asks)
    }

    /// Whether what is tested is an element of a list for which an empty one stands in, and "not there" goes on: a
    /// refusal reads as a list that holds nothing. `const rows = body.rows || []; if (rows.some(isIt)) return;`
    fn asks_what_stands_in(&self, look: &Look) -> bool {
        let facts = self.facts(look.at.file);
        let asked = only_value(facts, look.at.expr);
        let ExprKind::Call(call) = facts.expr(asked) else { return false };
        let ExprKind::Member(list, name) = facts.expr(facts.call(*call).callee) else { return false };
        let stands_in = match facts.expr(only_value(facts, *list)) {
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                parts.last().is_some_and(|&part| matches!(facts.expr(part), ExprKind::List(items) if items.is_empty()))
            }
            _ => false,
        };
        if !stands_in || !matches!(name.as_str(), "some" | "find" | "includes") {
            return false;
        }
        facts.blocks.iter().flat_map(|block| &block.steps).any(|step| {
            let Step::If { condition, then, otherwise } = *step else { return false };
            let absent = match facts.expr(condition) {
                _ if condition == look.at.expr => otherwise,
                ExprKind::Op(Op::Not, parts) if parts[..] == [look.at.expr] => Some(then),
                _ => return false,
            };
            absent.is_none_or(|block| ending(facts, block) == Ending::GoesOn)
        })
    }

    /// Whether a value is handed to something that checks its form.
    pub fn is_validated(&self, look: &Look) -> bool {
        let last = look.part.last().is_some_and(|part| matches!(part.as_str(), "safeParse()" | "get()"));
        last && look.deed == Deed::Tested || self.is_handed_to_check(look)
    }

    /// Whether a value itself is handed to something that checks its form.
    pub fn is_handed_to_check(&self, look: &Look) -> bool {
        let facts = self.facts(look.at.file);
        self.readers(look.at.file).uses(look.at.expr).iter().any(|used| {
            let Use::Arg(call, _) = used else { return false };
            let named = match facts.expr(facts.call(*call).callee) {
                ExprKind::Member(base, name) => {
                    let of = |wanted: &str| matches!(facts.expr(*base), ExprKind::Ref(name, _) if *name == wanted);
                    match name.as_str() {
                        "parse" | "safeParse" | "safeParseAsync" | "parseAsync" | "validate" | "model_validate"
                        | "validate_python" | "decode" => !of("JSON"),
                        // A refusal is an object of another form than what was asked for.
                        "isArray" => of("Array"),
                        "keys" | "hasOwn" => of("Object"),
                        _ => false,
                    }
                }
                ExprKind::Ref(name, _) => matches!(name.as_str(), "isinstance" | "len" | "bool"),
                _ => false,
            };
            named || self.has_role(CallRef::new(look.at.file, *call), KnownRole::Validate)
        })
    }
}

fn is_body(look: &Look) -> bool {
    look.part.first().is_some_and(|part| BODY.contains(&part.as_str()))
}

/// What an expression is, seen through the only thing that its name was given.
fn only_value(facts: &Facts, expr: ExprId) -> ExprId {
    match *facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(block, name).map(|def| &facts.def(def).values[..]) {
            Some(&[only]) => only,
            _ => expr,
        },
        _ => expr,
    }
}
