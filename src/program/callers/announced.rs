//! What requests say of themselves, and what anybody can say alike: `x-from-clock: 1`, a user agent.

use crate::facts::{DefId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::names::Name;
use crate::program::callers::brought::{Asks, Brought};
use crate::program::verify::words;
use crate::program::webhooks::signed_headers::plain;
use crate::program::{ExprRef, Program};

/// How the names of headers begin that hosts set themselves, or take off what comes from outside: whether a stranger
/// can send them hangs on where the app runs. App Engine takes its own off, says
/// <https://pypi.org/project/flask-crondecorator>.
const OF_HOSTS: &[&str] = &[
    "host",
    "forwarded",
    "via",
    "x-forwarded-",
    "x-real-ip",
    "x-appengine-",
    "x-cloudscheduler",
    "x-cloudtasks-",
    "x-goog-",
    "x-serverless-",
    "x-amz",
    "x-ms-",
    "x-azure-",
    "x-envoy-",
    "x-nf-",
    "x-client-",
    "cf-",
    "fly-",
    "true-client-ip",
];

/// Words in the names of headers whose value may be known to few.
const CREDENTIALS: &[&str] =
    &["authorization", "auth", "token", "key", "apikey", "secret", "password", "signature", "sig", "hmac", "cookie"];

impl Program {
    /// The header by which a request alone decides that a condition has this outcome: it is there, or says what stands
    /// in the code.
    pub(crate) fn announced(&self, condition: ExprRef, holds: bool) -> Option<Name> {
        let value = |at: ExprRef, _: Asks| self.header_of(at).filter(|header| is_anyones(header));
        let walk = Brought { program: self, value: &value, behind: &|_| true };
        walk.decides(condition, holds).filter(|_| !self.decides_more(condition))
    }

    /// Whether what a condition names is asked for elsewhere too: whoever only says that it is a trial run may be let
    /// in and then be shown what would be done.
    fn decides_more(&self, condition: ExprRef) -> bool {
        let facts = self.facts(condition.file);
        let asked = facts.span(condition.expr);
        let names = facts.exprs.iter().filter(|expr| asked.contains(expr.span)).filter_map(|expr| match expr.kind {
            ExprKind::Ref(name, block) => facts.lookup(block, name).filter(|&def| is_condition(facts, def)),
            _ => None,
        });
        let elsewhere = |span: Span| !span.contains(asked);
        let steps = facts.blocks.iter().flat_map(|block| &block.steps);
        let conditions: Vec<Span> = steps
            .filter_map(|step| match step {
                Step::If { condition, .. } => Some(facts.span(*condition)).filter(|&span| elsewhere(span)),
                _ => None,
            })
            .collect();
        let readers = self.readers(condition.file);
        names.into_iter().any(|def| {
            let mut reads = readers.reads(def).iter().map(|&read| facts.span(read));
            reads.any(|read| conditions.iter().any(|span| span.contains(read)))
        })
    }
}

/// Whether a definition holds an answer to a question, and not what questions are asked about.
fn is_condition(facts: &Facts, def: DefId) -> bool {
    let holds = |&value: &ExprId| match facts.expr(value) {
        ExprKind::Op(op, _) => !matches!(op, Op::Nullish | Op::Add),
        ExprKind::Call(_) => true,
        _ => false,
    };
    facts.def(def).values.iter().any(holds)
}

/// Whether a header is one that anybody can send: no host sets it, and its value is known to all who read the code.
pub(in crate::program) fn is_anyones(header: &str) -> bool {
    let small = plain(header);
    let by_host = OF_HOSTS.iter().any(|start| small.starts_with(start));
    !by_host && !is_credential(&small)
}

/// Whether what a header is called says that few know its value.
pub(in crate::program) fn is_credential(header: &str) -> bool {
    words(header).iter().any(|word| CREDENTIALS.contains(&word.to_ascii_lowercase().as_str()))
}
