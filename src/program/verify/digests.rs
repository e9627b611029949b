//! Hashes made without a key: what one proves hangs on what was hashed.

use rustc_hash::FxHashSet;

use super::Walk;
use super::comparisons::is_request_part;
use super::evidence::{holds_secret, sounds_secret};
use crate::catalogue::KnownRole;
use crate::facts::ExprKind;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef};

/// After how many expressions a hash's input counts as unknown.
const MOST: usize = 200;

impl Walk<'_> {
    /// Whether a call makes a hash that needs no key.
    pub(super) fn is_keyless(&self, made: CallRef) -> bool {
        let catalogue = &self.program.catalogue;
        let mut externals = self.program.callee(made).externals();
        externals.any(|of| catalogue.known(of.package, &of.segs).is_some_and(|known| known.keyless))
    }

    /// Whether a hash that needs no key tells who is calling, compared with `other`: a secret is hashed along, or
    /// what was hashed is not all known to whoever sent the other side. Anybody can compute the hash of a message;
    /// what was sent before has it too.
    pub(super) fn hashes_secret(
        &self,
        made: CallRef,
        entered: &[(FunctionRef, CallRef)],
        other: Option<ExprRef>,
    ) -> bool {
        let mut entered = entered.to_vec();
        entered.extend(self.active.iter().filter_map(|&(function, by)| Some((function, by?))));
        let mut open = self.hashed(made);
        if open.is_empty() {
            return true;
        }
        let mut seen: FxHashSet<ExprRef> = FxHashSet::default();
        let mut all_known = true;
        while let Some(at) = open.pop() {
            if seen.len() == MOST {
                all_known = false;
                break;
            }
            if !seen.insert(at) {
                continue;
            }
            let facts = self.program.facts(at.file);
            let here = |expr| ExprRef::new(at.file, expr);
            match facts.expr(at.expr) {
                ExprKind::Env(name) if sounds_secret(name) => return true,
                ExprKind::Ref(name, _) | ExprKind::Member(_, name)
                    if may_hold_secret(name) || self.expanded(at).envs().iter().any(|name| sounds_secret(name)) =>
                {
                    return true;
                }
                ExprKind::Ref(name, block) => {
                    if let Some(def) = facts.lookup(*block, *name) {
                        let values = &facts.def(def).values;
                        all_known &= !values.is_empty();
                        open.extend(values.iter().map(|&value| here(value)));
                    }
                }
                ExprKind::Param(function, position) => {
                    let function = FunctionRef::new(at.file, *function);
                    for &(_, by) in entered.iter().filter(|(target, _)| *target == function) {
                        let args = &self.program.facts(by.file).call(by.call).args;
                        open.extend(args.get(*position as usize).map(|arg| ExprRef::new(by.file, arg.value)));
                    }
                }
                ExprKind::Call(call) => {
                    let inner = CallRef::new(at.file, *call);
                    if self.program.has_role(inner, KnownRole::Mac) && !self.is_keyless(inner) {
                        return true;
                    }
                    let shape = facts.call(*call);
                    // `headers.get("x-api-key")`
                    let named = |text: &str| may_hold_secret(text) && !text.contains(' ');
                    if shape.args.iter().any(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if named(text)))
                    {
                        return true;
                    }
                    let own: Vec<FunctionRef> = self
                        .program
                        .edges(inner)
                        .iter()
                        .filter(|e| e.kind == EdgeKind::Direct)
                        .map(|e| e.target)
                        .collect();
                    for &target in &own {
                        entered.push((target, inner));
                        open.extend(self.given_back(target));
                    }
                    if own.is_empty() {
                        open.extend(shape.args.iter().map(|arg| here(arg.value)));
                        if let ExprKind::Member(base, _) = facts.expr(shape.callee) {
                            open.push(here(*base));
                        }
                    }
                }
                ExprKind::Index(base, index) => open.extend([here(*base), here(*index)]),
                ExprKind::Member(base, _) if is_request_part(facts, *base) => {}
                ExprKind::Member(inner, _)
                | ExprKind::Await(inner)
                | ExprKind::Spread(inner)
                | ExprKind::ElementOf(inner) => open.push(here(*inner)),
                ExprKind::Template(parts) | ExprKind::List(parts) | ExprKind::Op(_, parts) => {
                    open.extend(parts.iter().map(|&part| here(part)));
                }
                ExprKind::Object(entries) => open.extend(entries.iter().map(|&(_, value)| here(value))),
                ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null => {}
                _ => all_known = false,
            }
        }
        !all_known && other.is_some_and(|other| self.is_given(other, 8))
    }

    /// What is hashed: what the call itself is given, and what stands before and behind it in its chain.
    fn hashed(&self, made: CallRef) -> Vec<ExprRef> {
        let facts = self.program.facts(made.file);
        let mut calls = vec![made.call];
        calls.extend(self.program.chain(made).map(|(call, _)| call.call));
        let mut inner = made.call;
        while let ExprKind::Member(base, _) = facts.expr(facts.call(inner).callee)
            && let ExprKind::Call(call) = facts.expr(*base)
        {
            calls.push(*call);
            inner = *call;
        }
        let args = calls.into_iter().flat_map(|call| &facts.call(call).args);
        // The name of the algorithm, and how the hash is written.
        let given = args.filter(|arg| !matches!(facts.expr(arg.value), ExprKind::Text(_) | ExprKind::Number(_)));
        given.map(|arg| ExprRef::new(made.file, arg.value)).collect()
    }
}

/// Whether what is hashed is something only its owner knows, by its name: a key, a password, a code that was sent.
fn may_hold_secret(name: &str) -> bool {
    let words = super::words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    (holds_secret(name)
        || sounds_secret(name)
        || has(&["pin", "otp", "code", "pass", "credential", "credentials", "salt"]))
        && !has(&["dedup", "dedupe", "idempotency", "cache", "content", "message", "keyword", "keywords", "author"])
}
