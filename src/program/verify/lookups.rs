//! Look-ups by what only the right caller can bring: a key that rows are found by says who is calling.

use super::Walk;
use super::evidence::{holds_secret, sounds_like_check};
use crate::facts::{ExprId, ExprKind, Op};
use crate::names::Name;
use crate::program::{CallRef, ExprRef};

/// Methods and functions that find something by what they are given.
const FINDS: &[&str] = &[
    "eq",
    "match",
    "where",
    "filter",
    "filter_by",
    "get",
    "get_or_none",
    "get_object_or_404",
    "aget",
    "exclude",
    "findOne",
    "findOneBy",
    "findFirst",
    "findUnique",
    "find_one",
    "query",
    "execute",
    "fetchrow",
    "fetch_one",
    "raw",
];

/// How far a credential is followed back to the header that brings it.
const FARTHEST: usize = 8;

impl Walk<'_> {
    /// Whether a function of the database is handed what a header brings, to say whether it is right:
    /// `rpc("validate_api_key", { key_param: key })`.
    pub(super) fn is_checked_by_database(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let [function, given, ..] = &facts.call(at.call).args[..] else { return false };
        let checks = matches!(facts.expr(function.value), ExprKind::Text(name) if sounds_like_check(name)
            || holds_secret(name) && ["valid", "check"].iter().any(|part| name.contains(part)));
        let header = |value: ExprId| self.is_read_off(ExprRef::new(at.file, value), 6);
        checks
            && matches!(facts.expr(given.value), ExprKind::Object(entries)
                if entries.iter().any(|&(_, value)| header(value)))
    }

    /// Whether a call looks something up by a secret that the request brings: `.eq("webhook_secret", token)`.
    pub(super) fn looks_up_secret(&self, at: CallRef, name: Name) -> bool {
        let lookup = matches!(
            name.as_str(),
            "eq" | "match"
                | "where"
                | "filter"
                | "filter_by"
                | "findOne"
                | "findFirst"
                | "findUnique"
                | "get"
                | "first"
        );
        if !lookup {
            return false;
        }
        let facts = self.program.facts(at.file);
        let secret = |expr: ExprId| {
            match facts.expr(expr) {
            ExprKind::Text(text) => holds_secret(text),
            ExprKind::Object(entries) => entries.iter().any(|&(key, value)| {
                holds_secret(&key)
                    || matches!(facts.expr(value), ExprKind::Object(inner) if inner.iter().any(|(key, _)| holds_secret(key)))
            }),
            _ => false,
        }
        };
        let call = facts.call(at.call);
        // `headers.get("x-secret")`, `config.get("webhook_secret", DEFAULT)` only read.
        let by_key = call.args.first().is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(_)));
        let reads = by_key && (call.args.len() == 1 || name == "get");
        !reads && call.args.iter().any(|arg| arg.name.is_some_and(|name| holds_secret(&name)) || secret(arg.value))
    }

    /// Whether a row is looked for by the credential that a header brings, or by a hash of it:
    /// `ApiKey.objects.get(key=request.headers["X-API-Key"])`, `.filter(ApiKey.key == x_api_key)`.
    pub(super) fn finds_by_credential(&self, at: CallRef, name: Name) -> bool {
        if !FINDS.contains(&name.as_str()) {
            return false;
        }
        let facts = self.program.facts(at.file);
        let brings = |expr: ExprId| self.brings_credential(ExprRef::new(at.file, expr), FARTHEST);
        let any = |parts: &[ExprId]| parts.iter().any(|&part| brings(part));
        facts.call(at.call).args.iter().enumerate().any(|(position, arg)| match facts.expr(arg.value) {
            ExprKind::Object(entries) => entries.iter().any(|&(_, value)| match facts.expr(value) {
                ExprKind::Object(inner) => inner.iter().any(|&(_, value)| brings(value)),
                _ => brings(value),
            }),
            ExprKind::List(items) => any(items),
            ExprKind::Op(Op::Equal, parts) => any(parts),
            // `cache.get(key)` may keep anything.
            _ => (arg.name.is_some() || position > 0) && brings(arg.value),
        })
    }

    /// Whether a value is a credential out of a header, as it came or hashed.
    fn brings_credential(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if let Some(header) = self.program.header_of(at) {
            return names_credential(&header);
        }
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.brings_credential(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                values.is_some_and(|values| values.len() < 3 && values.iter().any(|&value| next(value)))
            }
            // What the call that runs this function hands in.
            ExprKind::Param(function, position) => {
                let running = self.active.iter().rev();
                let by = running.filter(|(active, _)| active.file == at.file && active.function == *function);
                let by = by.filter_map(|(_, by)| *by).next();
                by.is_some_and(|by| {
                    let args = &self.program.facts(by.file).call(by.call).args;
                    let handed = args.get(*position as usize).filter(|arg| arg.name.is_none());
                    handed.is_some_and(|arg| self.brings_credential(ExprRef::new(by.file, arg.value), depth))
                })
            }
            ExprKind::Await(inner) | ExprKind::Index(inner, _) | ExprKind::Member(inner, _) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&first| next(first)),
            // `hashlib.sha256(key.encode()).hexdigest()`
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                next(call.callee) || call.args.iter().any(|arg| next(arg.value))
            }
            _ => false,
        }
    }
}

/// Whether a header brings what only the right caller has, by its name.
fn names_credential(header: &str) -> bool {
    let words = super::words(header);
    let says = |word: &String| {
        matches!(word.as_str(), "key" | "apikey" | "token" | "secret" | "password" | "auth" | "authorization")
    };
    words.iter().any(says)
        && !words.iter().any(|word| {
            matches!(
                word.as_str(),
                "csrf" | "xsrf" | "csrftoken" | "idempotency" | "websocket" | "public" | "publishable"
            )
        })
}
