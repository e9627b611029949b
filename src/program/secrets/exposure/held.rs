//! Values as a whole that hold a credential: the answer of a token exchange, the body of a login.

use super::Secret;
use super::names::says_credential;
use super::walk::{Known, Walker};
use crate::facts::{BlockKind, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef};

impl Walker<'_> {
    /// The body of the request as a whole, of which a credential is read elsewhere.
    pub(super) fn body(&mut self, at: ExprRef, request: ExprRef) -> Known {
        let facts = self.program.facts(at.file);
        let readers = self.program.readers(at.file);
        let ExprKind::Ref(name, block) = *facts.expr(request.expr) else { return Known::Open };
        let Some(def) = facts.lookup(block, name) else { return Known::Open };
        let members = |of: ExprId| {
            readers.uses(of).iter().filter_map(|used| match *used {
                Use::In(outer) => match *facts.expr(outer) {
                    ExprKind::Member(_, name) => Some((outer, name)),
                    _ => None,
                },
                _ => None,
            })
        };
        let bodies = readers.reads(def).iter().flat_map(|&read| members(read)).filter(|(_, name)| *name == "body");
        let parts: Vec<(ExprId, Name)> = bodies.flat_map(|(body, _)| members(body)).collect();
        let held = parts.iter().find(|(part, name)| {
            says_credential(name) && !self.without.contains(name) && !self.is_only_asked(at, *part)
        });
        match held {
            Some(&(_, name)) if self.head.is_none() => self.note(Secret::Holds(name), at),
            _ => Known::Open,
        }
    }

    /// An answer as a whole, of which a credential is read elsewhere: `log(data)`, where `data.access_token` is used.
    pub(super) fn holds(&mut self, at: ExprRef, def: DefId) -> Known {
        if self.head.is_some() {
            return Known::Open;
        }
        let facts = self.program.facts(at.file);
        let readers = self.program.readers(at.file);
        let uses = readers.reads(def).iter().flat_map(|&read| readers.uses(read));
        let mut held = uses.filter_map(|used| match *used {
            Use::In(outer) => match *facts.expr(outer) {
                ExprKind::Member(_, name)
                    if says_credential(&name) && !self.without.contains(&name) && !self.is_only_asked(at, outer) =>
                {
                    Some(name)
                }
                _ => None,
            },
            _ => None,
        });
        let Some(first) = held.next() else { return Known::Open };
        let lasts = |name: &Name| name.to_ascii_lowercase().contains("refresh");
        let lasting = std::iter::once(first).chain(held).find(lasts);
        match lasting.filter(|_| self.program.is_granted(at, 12)) {
            _ if self.has_failed(at) => Known::Open,
            Some(name) => self.note(Secret::Granted(name), at),
            None => self.note(Secret::Holds(first), at),
        }
    }

    /// The whole answer of an exchange of a code for tokens: `log(response.text)`. Of a few characters nobody learns one.
    pub(super) fn tokens(&mut self, at: ExprRef) -> Known {
        const LEAST: u32 = 60;
        if self.head.is_some_and(|head| head < LEAST) {
            return Known::Harmless;
        }
        let head = self.head.take();
        let known = self.note(Secret::Holds(Name::new("access_token")), at);
        self.head = head;
        known
    }

    /// Whether the body of an answer is read on the spot, where it has not failed, and the request exchanged a code.
    pub(super) fn is_answer_with_tokens(&self, at: ExprRef, answer: ExprRef) -> bool {
        let facts = self.program.facts(at.file);
        let readers = self.program.readers(at.file);
        let ExprKind::Ref(name, block) = *facts.expr(answer.expr) else { return false };
        // What is kept first is judged where it is read.
        let kept = |expr: ExprId| readers.uses(expr).iter().any(|used| matches!(used, Use::Kept(_)));
        let awaited = readers.uses(at.expr).iter().any(|used| matches!(*used, Use::In(outer) if kept(outer)));
        let Some(def) = facts.lookup(block, name) else { return false };
        let [made] = facts.def(def).values[..] else { return false };
        let made = match *facts.expr(made) {
            ExprKind::Await(inner) => inner,
            _ => made,
        };
        let ExprKind::Call(call) = *facts.expr(made) else { return false };
        if kept(at.expr) || awaited || self.program.requests_at(CallRef::new(at.file, call)).is_empty() {
            return false;
        }
        let asked = facts.span(made);
        let handed = |exchange: ExprId| {
            asked.contains(facts.span(exchange))
                || facts.call(call).args.iter().any(|arg| match *facts.expr(arg.value) {
                    ExprKind::Ref(name, block) => {
                        facts.lookup(block, name).is_some_and(|def| facts.def(def).values.contains(&exchange))
                    }
                    _ => false,
                })
        };
        // `if response.status_code == 200: return ..`: what is left has failed.
        let start = facts.span(at.expr).start;
        let left = facts.enclosing(block).flat_map(|(_, block)| &block.steps).any(|step| match *step {
            Step::If { condition, then, .. } => {
                facts.block(then).span.end <= start
                    && ending(facts, then) != Ending::GoesOn
                    && !denies(facts, condition, true, 5)
            }
            _ => false,
        });
        // What is logged as an error is one.
        let as_error = |expr: ExprId| {
            readers.uses(expr).iter().any(|used| match *used {
                Use::Arg(call, _) => facts.last_name(facts.call(call).callee).is_some_and(|name| {
                    matches!(name.as_str(), "error" | "warning" | "warn" | "exception" | "critical")
                }),
                _ => false,
            })
        };
        let around = readers.uses(at.expr).iter().any(|used| matches!(*used, Use::In(outer) if as_error(outer)));
        if left || around || as_error(at.expr) {
            return false;
        }
        !self.has_failed(answer) && self.program.exchanges(at.file).into_iter().any(|exchange| handed(exchange.expr))
    }

    /// What a pattern takes out of a value beside the name that holds the rest: `const { password, ...rest } = body`.
    /// The parts of a pattern are members of the very expression that is taken apart.
    pub(super) fn taken_out(&self, value: ExprRef) -> Vec<Name> {
        let facts = self.program.facts(value.file);
        let parts = self.program.readers(value.file).uses(value.expr).iter().filter_map(|used| match *used {
            Use::In(outer) => match *facts.expr(outer) {
                ExprKind::Member(base, name) if base == value.expr => Some(name),
                _ => None,
            },
            _ => None,
        });
        parts.collect()
    }

    /// Whether a member is only asked for: `if (!data.password)`.
    fn is_only_asked(&self, at: ExprRef, member: ExprId) -> bool {
        let facts = self.program.facts(at.file);
        self.program.readers(at.file).uses(member).iter().all(|used| match *used {
            Use::Tested => true,
            Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Not | Op::Equal | Op::Unequal, _)),
            _ => false,
        })
    }

    /// Whether a value is read where it tells of a failure: on the arm where it lacks something, or says so.
    fn has_failed(&self, at: ExprRef) -> bool {
        let facts = self.program.facts(at.file);
        let ExprKind::Ref(_, block) = *facts.expr(at.expr) else { return false };
        let inner = facts.function_of(block);
        facts.enclosing(block).take_while(|(_, block)| block.function == inner).any(|(_, block)| match block.kind {
            BlockKind::Catch(_) => true,
            BlockKind::Then(condition) => denies(facts, condition, true, 5),
            BlockKind::Else(condition) => denies(facts, condition, false, 5),
            _ => false,
        })
    }
}

/// Whether a condition of this truth says that a value lacks something or tells of an error.
fn denies(facts: &Facts, condition: ExprId, truth: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| denies(facts, part, !truth, depth)),
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| denies(facts, part, truth, depth)),
        ExprKind::Op(Op::Unequal | Op::Compare, _) => truth,
        ExprKind::Op(Op::Equal, _) => !truth,
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            let error = name.to_ascii_lowercase().contains("err");
            truth == error
        }
        _ => false,
    }
}
