//! What of a request only its rightful caller knows: who brings it may ask.

use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::callers::audience::decides_by_role;
use crate::program::callers::full_rights::{Pick, Touch, any_word, only_one_knows};
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::{Origin, Source};
use crate::program::verify::words;
use crate::program::{Edge, ExprRef, FunctionRef, Program, VendorUse};

/// Words of columns and values that only the rightful caller knows.
pub(super) const KNOWN_TO_ONE: &[&str] = &[
    "token",
    "tokens",
    "code",
    "otp",
    "secret",
    "signature",
    "hash",
    "nonce",
    "pin",
    "key",
    "session",
    "slug",
    "fingerprint",
    "anonymous",
    "guest",
    "password",
    "passcode",
    "hmac",
    "state",
    "reference",
    "visitor",
    "device",
];

impl Program {
    /// Whether a function does more with a password than to set it.
    fn checks_password(&self, function: FunctionRef) -> bool {
        const CHECKS: &[&str] = &[
            "compare",
            "verify",
            "check",
            "sign",
            "signin",
            "login",
            "authenticate",
            "match",
            "hash",
            "digest",
            "scrypt",
        ];
        let facts = self.facts(function.file);
        let called = self.calls_in(function).any(|at| {
            let name = facts.last_name(facts.call(at.call).callee);
            name.is_some_and(|name| words(&name).iter().any(|word| CHECKS.contains(&word.as_str())))
        });
        let compared = |expr: &ExprKind| match expr {
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts
                .iter()
                .any(|&part| facts.last_name(part).is_some_and(|name| words(&name).iter().any(|word| is_chosen(word)))),
            _ => false,
        };
        let span = facts.function(function.function).span;
        called || facts.exprs.iter().any(|expr| span.contains(expr.span) && compared(&expr.kind))
    }

    /// Whether a function takes something out of the request that only the rightful caller knows, or decides by a role.
    pub fn asks_what_one_knows(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let inside = (0..facts.exprs.len()).filter(|&at| span.contains(facts.exprs[at].span));
        // A password that is set, not asked for, says nothing of who sets it.
        let checks = std::cell::LazyCell::new(|| self.checks_password(function));
        let spent = std::cell::LazyCell::new(|| self.paid_with(function));
        let names = inside.map(|at| ExprId(at as u32)).filter(|&at| match facts.expr(at) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                proves(name)
                    && !spent.contains(name)
                    && (!words(name).iter().any(|word| is_chosen(word)) || *checks)
                    && !self.only_decides_left_out(ExprRef::new(function.file, at))
                    // `if (!token) return`: any text will do.
                    && !self.is_only_believed(ExprRef::new(function.file, at))
            }
            _ => false,
        });
        let knows = names
            .into_iter()
            .any(|at| matches!(self.origin_on(&[], ExprRef::new(function.file, at), &[]), Origin::Request(_)));
        let blocks = facts.blocks.iter().filter(|block| span.contains(block.span));
        knows
            || blocks.flat_map(|block| &block.steps).any(|step| match step {
                Step::If { condition, .. } => {
                    !self.is_left_out(Place { file: function.file, span: facts.span(*condition) })
                        && decides_by_role(self, ExprRef::new(function.file, *condition))
                }
                _ => false,
            })
    }

    /// Whether a function holds what a row says of its owner against what the request brings:
    /// `if (booking.email !== email) return 404`.
    fn compares_with_row(&self, way: &[Edge], function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let bare = |mut at: ExprId| {
            // `row.email.toLowerCase()`
            while let ExprKind::Call(call) = facts.expr(at) {
                let ExprKind::Member(base, _) = *facts.expr(facts.call(*call).callee) else { break };
                at = base;
            }
            at
        };
        // Among the users of a list it only finds who is meant.
        let refusals: Vec<_> = facts
            .blocks
            .iter()
            .filter(|block| span.contains(block.span))
            .flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                Step::If { condition, then, .. } if ending(facts, *then) != Ending::GoesOn => {
                    Some(facts.span(*condition))
                }
                _ => None,
            })
            .collect();
        facts.operations().any(|(at, (op, parts))| {
            let &[one, other] = parts else { return false };
            matches!(op, Op::Equal | Op::Unequal)
                && refusals.iter().any(|condition| condition.contains(facts.span(at)))
                && [(one, other), (other, one)].into_iter().any(|(row, brought)| {
                    let is_known = matches!(facts.expr(bare(row)), ExprKind::Member(_, name) if is_contact(name));
                    let origin = |at: ExprId| self.origin_on(way, ExprRef::new(function.file, bare(at)), &[]);
                    is_known && origin(row) == Origin::Server && matches!(origin(brought), Origin::Request(_))
                })
        })
    }

    /// Whether a function looks up what a request picks by two things that it brings, one of them what only the owner
    /// of it knows, an order number together with an address: two ids are in every address bar. For what is only read two
    /// numbers do.
    pub fn asks_by_two(&self, way: &[Edge], function: FunctionRef, used: &VendorUse, pick: &Pick) -> bool {
        if self.compares_with_row(way, function) {
            return true;
        }
        let table = self.table_of(used.at);
        let uses = self.calls_in(function).flat_map(|at| self.vendors_at(at));
        uses.into_iter().any(|other| {
            let reads =
                self.operation(other).is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List));
            if !reads || !self.catalogue.vendor(other.vendor).own_backend {
                return false;
            }
            let brought: Vec<(Name, Source)> = self
                .selectors(other.at)
                .into_iter()
                .filter_map(|(by, value)| match self.origin_on(way, value, &[]) {
                    Origin::Request(source) => Some((by, source)),
                    _ => None,
                })
                .collect();
            let picked = pick.source.iter().flat_map(|source| &source.names);
            let same = |source: &Source| picked.clone().any(|name| source.names.contains(name) && !is_whole(name));
            brought.len() > 1
                && (pick.touch == Touch::Reads
                    || brought.iter().any(|(by, source)| is_contact(by) || only_one_knows(source)))
                && (table.is_some() && self.table_of(other.at) == table
                    || brought.iter().any(|(_, source)| same(source)))
        })
    }
}

/// What people choose for themselves: a request brings it to have it set, too.
fn is_chosen(word: &str) -> bool {
    matches!(word, "password" | "passcode" | "pin")
}

/// Whether a name stands for all that a request brings.
fn is_whole(name: &str) -> bool {
    matches!(name, "body" | "data" | "payload" | "req" | "request" | "json" | "params" | "input" | "query")
}

/// Whether a column holds what strangers rarely know of somebody: an address, a number, a name, a day of birth.
pub(super) fn is_contact(by: &str) -> bool {
    any_word(by, KNOWN_TO_ONE)
        || any_word(
            by,
            &[
                "email", "mail", "phone", "mobile", "name", "surname", "lastname", "zip", "postal", "birth", "dob",
                "number",
            ],
        )
}

/// Whether a name says that what it holds proves who is asking.
pub(in crate::program::callers) fn proves(name: &str) -> bool {
    let words = words(name);
    words.iter().enumerate().any(|(at, word)| match word.as_str() {
        "token" | "otp" | "secret" | "signature" | "hash" | "nonce" | "pin" | "password" | "passcode" | "hmac" => true,
        "code" => {
            words.len() == 1
                || at > 0
                    && matches!(
                        words[at - 1].as_str(),
                        "verification"
                            | "access"
                            | "invite"
                            | "auth"
                            | "unlock"
                            | "confirmation"
                            | "pass"
                            | "secret"
                            | "reset"
                            | "recovery"
                            | "login"
                            | "sms"
                            | "email"
                            | "magic"
                            | "security"
                            | "backup"
                    )
        }
        _ => false,
    })
}
