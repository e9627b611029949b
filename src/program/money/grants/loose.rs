//! Payments that are asked for, but whose answer does not decide what is given: the look can be left out, what is
//! bought is read from the request, or any row of the request's choice is marked by one payment.

use super::asked::Asks;
use super::assumed::Yes;
use super::skipped::flag;
use super::{Given, Grant};
use crate::catalogue::KnownRole;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// How a payment that is asked for does not decide what is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loose {
    /// The look is only made where the request brings this.
    LeftOut(Name),
    /// The payment is only asked whether it is paid; what is given is the request's.
    Wished,
    /// The payment is only asked whether it is paid; which row it pays is the request's, under this name.
    AnyRow(Name),
    /// The check lets everybody through while this variable is not set.
    FailsOpen(Name),
    /// A variable or function of this name says yes by itself.
    Assumed(Name, Yes),
}

/// Members of a payment that say whether it is paid, and of an answer that say whether there is one.
const STATES: &[&str] = &[
    "payment_status",
    "paymentStatus",
    "status",
    "state",
    "paid",
    "captured",
    "id",
    "ok",
    "json",
    "text",
    "data",
    "error",
    "message",
    "statusCode",
    "status_code",
    "object",
    "get",
    "raise_for_status",
    "success",
    "detail",
    "code",
    "then",
    "toString",
    "stringify",
    "result",
    "response",
    "body",
];

impl Program {
    /// How the payment that is asked for on the way to a grant does not decide it; none where it does, or where that
    /// cannot be told.
    pub fn loosely_paid(&self, start: FunctionRef, grant: &Grant) -> Option<Loose> {
        if !self.with_inner(start).contains(&grant.function) || !self.is_paid_for(start, grant) {
            return None;
        }
        let facts = self.facts(grant.at.file);
        let given_at = facts.span(grant.at.expr).start;
        let before = |at: &CallRef| facts.span(facts.call(at.call).expr).start < given_at;
        let asks: Vec<CallRef> =
            self.calls_in(grant.function).filter(before).filter(|&at| self.leads_to_payment(at)).collect();
        if asks.is_empty() {
            return None;
        }
        if let Some(env) = asks.iter().find_map(|&at| self.fails_open(at)) {
            return asks.len().eq(&1).then_some(Loose::FailsOpen(env));
        }
        if let Some((name, yes)) = self.assumed(&asks, grant) {
            return Some(Loose::Assumed(name, yes));
        }
        let left: Vec<Name> = asks.iter().filter_map(|&at| self.left_to_caller(at, grant)).collect();
        if left.len() == asks.len() {
            return left.first().map(|&name| Loose::LeftOut(name));
        }
        let looks: Vec<CallRef> = asks.iter().copied().filter(|&at| !self.proves_brought(at)).collect();
        match looks[..] {
            [only] if left.is_empty() && self.looks_at_payment(only) => self.only_state(only, grant),
            _ => None,
        }
    }

    /// The word of the request without which the look at a payment is not made, and the grant all the same.
    fn left_to_caller(&self, at: CallRef, grant: &Grant) -> Option<Name> {
        let facts = self.facts(at.file);
        let around: Vec<_> = facts.enclosing(grant.block).map(|(id, _)| id).collect();
        let inside = facts.enclosing(facts.call(at.call).block).take_while(|(id, _)| !around.contains(id));
        let arms: Vec<_> = inside.collect();
        let (outer, block) = arms.last()?;
        let (condition, wanted) = match block.kind {
            BlockKind::Then(condition) => (condition, true),
            BlockKind::Else(condition) => (condition, false),
            _ => return None,
        };
        let word = self.is_wish(at, condition, wanted)?;
        // The other arm goes on, and nothing asks there.
        let parent = facts.enclosing(*outer).nth(1).map(|(id, _)| id).filter(|id| around.contains(id))?;
        let other = facts.block(parent).steps.iter().find_map(|step| match *step {
            Step::If { condition: own, then, otherwise } if own == condition => {
                Some(if wanted { otherwise } else { Some(then) })
            }
            _ => None,
        })?;
        if other.is_some_and(|other| {
            ending(facts, other) != Ending::GoesOn || self.asks_within(grant.function, facts.block(other).span)
        }) {
            return None;
        }
        // The grant stands in no arm of its own, and nothing that the look found is asked for on the way to it.
        let own_arm = facts.enclosing(grant.block).take_while(|(id, _)| *id != parent).any(|(_, block)| {
            matches!(block.kind, BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..) | BlockKind::Loop(_))
        });
        let found = assigned_in(facts, block.span);
        let given_at = facts.span(grant.at.expr).start;
        let asked = facts.blocks.iter().filter(|other| other.function == grant.function.function).any(|other| {
            let outside = !block.span.contains(other.span);
            outside
                && other.steps.iter().any(|step| match *step {
                    Step::If { condition: own, then, .. } => {
                        let ends = ending(facts, then) != Ending::GoesOn && facts.block(then).span.end <= given_at;
                        ends && (mentions_any(facts, own, &found)
                            || own != condition && mentions_any(facts, own, &[word]))
                    }
                    _ => false,
                })
        });
        (!own_arm && !asked).then_some(word)
    }

    /// The word of the request that a condition only asks for, where the asking call is handed the same; or that says
    /// that this is only a test.
    fn is_wish(&self, at: CallRef, condition: ExprId, wanted: bool) -> Option<Name> {
        let facts = self.facts(at.file);
        let is_said = |expr: ExprId| match facts.expr(expr) {
            ExprKind::Text(text) => {
                words(text).iter().any(|word| matches!(word.as_str(), "demo" | "test" | "mock" | "free"))
            }
            _ => false,
        };
        match facts.expr(condition) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) if wanted => {
                let handed = facts.call(at.call).args.iter().any(|arg| mentions_any(facts, arg.value, &[*name]));
                (handed && self.is_requests(ExprRef::new(at.file, condition))).then_some(*name)
            }
            ExprKind::Op(Op::Unequal, parts) if wanted && parts.iter().any(|&part| is_said(part)) => {
                let part = parts.iter().copied().find(|&part| self.is_requests(ExprRef::new(at.file, part)))?;
                facts.last_name(part)
            }
            ExprKind::Op(Op::Not, parts) if wanted => flag(facts, *parts.first()?, 6),
            _ if !wanted => flag(facts, condition, 6),
            _ => None,
        }
    }

    fn asks_within(&self, function: FunctionRef, span: Span) -> bool {
        let facts = self.facts(function.file);
        self.calls_in(function)
            .any(|at| span.contains(facts.span(facts.call(at.call).expr)) && self.leads_to_payment(at))
    }

    pub(super) fn is_requests(&self, at: ExprRef) -> bool {
        matches!(self.origin_on(&[], at, &[]), Origin::Request(_))
    }

    /// Whether a call looks a payment up, or captures it: what only takes another one is no answer.
    fn looks_at_payment(&self, at: CallRef) -> bool {
        let captures = |name: &str| name.to_ascii_lowercase().contains("capture");
        self.asks_payment(at) == Asks::Reads
            || self.only_reads_payment(at)
            || self.vendors_at(at).iter().any(|used| captures(&used.name))
    }

    /// Whether a call has a function of the app look a payment up, and nothing else: `getPaymentDetails(id)`.
    fn only_reads_payment(&self, at: CallRef) -> bool {
        let targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target);
        let asks = targets.flat_map(|target| {
            let reach = self.reach(target, |edge| edge.kind != EdgeKind::Jump);
            let stops: Vec<FunctionRef> = reach.stops.iter().map(|stop| stop.function).collect();
            stops.into_iter().flat_map(|function| self.calls_in(function)).map(|at| self.asks_payment(at))
        });
        let asks: Vec<Asks> = asks.filter(|asks| *asks != Asks::No).collect();
        !asks.is_empty() && asks.iter().all(|asks| *asks == Asks::Reads)
    }

    /// What is given without a word of what was paid for: of the payment that the request names only its state is read.
    fn only_state(&self, at: CallRef, grant: &Grant) -> Option<Loose> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let handed = call.args.iter().find_map(|arg| self.id_of_request(at, arg.value, 4))?;
        if self.is_tied(at, grant, handed) {
            return None;
        }
        let value = ExprRef::new(grant.at.file, grant.value);
        let wished = match grant.given {
            Given::Chosen | Given::Counted => self.is_wished(value),
            // `{ status: "active", plan_id: body.plan }`
            Given::Fixed => self.plan_beside(grant).is_some_and(|plan| self.is_wished(plan)),
            _ => false,
        };
        if wished {
            return Some(Loose::Wished);
        }
        let ExprKind::Call(write) = *facts.expr(grant.at.expr) else { return None };
        let picked = self.selectors(CallRef::new(at.file, write)).into_iter().filter(|(by, _)| {
            !words(by).iter().any(|word| matches!(word.as_str(), "user" | "email" | "session" | "intent" | "payment"))
        });
        picked
            .filter(|&(_, value)| self.is_requests(value))
            .find_map(|(_, value)| facts.last_name(value.expr))
            .filter(|&name| name != handed)
            .map(Loose::AnyRow)
    }

    /// Which plan it is that the same write says is paid for.
    fn plan_beside(&self, grant: &Grant) -> Option<ExprRef> {
        let ExprKind::Call(write) = *self.facts(grant.at.file).expr(grant.at.expr) else { return None };
        let row = self.row_written(CallRef::new(grant.at.file, write));
        let is_plan = |key: &Name| {
            let words = words(key);
            let last = words.iter().rev().find(|word| !matches!(word.as_str(), "id" | "type" | "name"));
            last.is_some_and(|last| matches!(last.as_str(), "plan" | "tier" | "package" | "membership"))
        };
        row.into_iter().find(|(key, _)| is_plan(key)).map(|(_, value)| value)
    }

    /// Whether a value is the request's, or what a table holds under a name of the request's.
    fn is_wished(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let within = facts.span(at.expr);
        self.is_requests(at)
            || facts.exprs.iter().filter(|expr| within.contains(expr.span)).any(|expr| match expr.kind {
                ExprKind::Index(_, index) => self.is_requests(ExprRef::new(at.file, index)),
                _ => false,
            })
    }

    /// The name of an id of the request that a call is handed.
    fn id_of_request(&self, at: CallRef, value: ExprId, depth: usize) -> Option<Name> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        match facts.expr(value) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                self.is_requests(ExprRef::new(at.file, value)).then_some(*name)
            }
            ExprKind::Template(parts) => parts.iter().find_map(|&part| self.id_of_request(at, part, depth)),
            ExprKind::Op(Op::Add, parts) => parts.iter().find_map(|&part| self.id_of_request(at, part, depth)),
            _ => None,
        }
    }

    /// Whether something may tie what is given to the payment: another member of it is read, it is handed on, or its
    /// id is used again.
    fn is_tied(&self, at: CallRef, grant: &Grant, id: Name) -> bool {
        let facts = self.facts(at.file);
        let asking = facts.span(facts.call(at.call).expr);
        let function = facts.function(grant.function.function).span;
        let of_it = |expr: ExprId| made_by(facts, expr, at, 8);
        let reads_more = facts.exprs.iter().filter(|expr| function.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Member(base, name) => !STATES.contains(&name.as_str()) && of_it(*base),
            ExprKind::Index(base, index) => {
                of_it(*base) && !matches!(facts.expr(*index), ExprKind::Text(text) if STATES.contains(&text.as_str()))
            }
            _ => false,
        });
        let proofs = self.calls_in(grant.function).filter(|&other| self.proves_brought(other));
        let proofs: Vec<Span> = proofs.map(|other| facts.span(facts.call(other.call).expr)).collect();
        // `Buffer.from(createHmac(..).update(id).digest())` hands the proof on, not the id.
        let holds_proof = |expr: ExprId| proofs.iter().any(|proof| facts.span(expr).contains(*proof));
        let handed_on = self
            .calls_in(grant.function)
            .filter(|&other| other != at && !self.is_logging(other) && !self.proves_brought(other))
            .any(|other| {
                let shape = facts.call(other.call);
                let gets =
                    matches!(facts.expr(shape.callee), ExprKind::Member(base, name) if *name == "get" && of_it(*base));
                let whole =
                    |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(..) | ExprKind::Await(_)) && of_it(expr);
                gets && !shape.args.first().is_some_and(
                    |arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if STATES.contains(&text.as_str())),
                ) || shape.args.iter().any(|arg| whole(arg.value))
                    || shape.args.iter().any(|arg| {
                        !asking.contains(facts.span(arg.value))
                            && !holds_proof(arg.value)
                            && hands_on(facts, arg.value, &[id])
                    })
            });
        let compared = facts.operations().any(|(expr, (op, parts))| {
            function.contains(facts.span(expr))
                && matches!(op, Op::Equal | Op::Unequal | Op::In)
                && parts.iter().any(|&part| facts.last_name(part) == Some(id))
                && !parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Text(_) | ExprKind::Null))
        });
        reads_more || handed_on || compared || self.is_tied_beside(grant, id)
    }

    /// Whether a call only proves that what the request brings of a payment comes from the vendor: a signature over the
    /// order and the payment says nothing of what was bought.
    fn proves_brought(&self, at: CallRef) -> bool {
        let makes_mac = |at: CallRef| self.has_role(at, KnownRole::Mac);
        makes_mac(at)
            || self.chain(at).any(|(outer, _)| makes_mac(outer))
            || self.external(at).is_some_and(|made| self.catalogue.verifier(made.package, &made.segs).is_some())
            || self.called_name(at).is_some_and(|name| words(&name).iter().any(|word| word == "signature"))
    }

    /// Whether what stands beside the payment's id in such a proof, its order, is asked for elsewhere; or what is given is
    /// compared with what the app knows.
    fn is_tied_beside(&self, grant: &Grant, id: Name) -> bool {
        let facts = self.facts(grant.at.file);
        let (proofs, others): (Vec<CallRef>, Vec<CallRef>) =
            self.calls_in(grant.function).partition(|&at| self.proves_brought(at));
        let spans: Vec<Span> = proofs.iter().map(|at| facts.span(facts.call(at.call).expr)).collect();
        let holds_proof = |expr: ExprId| spans.iter().any(|proof| facts.span(expr).contains(*proof));
        let mut beside: Vec<Name> = Vec::new();
        for at in proofs {
            for arg in facts.call(at.call).args.iter().filter(|arg| mentions_any(facts, arg.value, &[id])) {
                let span = facts.span(arg.value);
                let inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
                beside.extend(inside.filter_map(|expr| match expr.kind {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) if name != id => Some(name),
                    _ => None,
                }));
            }
        }
        let looks = others.into_iter().filter(|&at| !self.vendors_at(at).is_empty() || !self.edges(at).is_empty());
        let asked = looks.filter(|&at| !self.is_logging(at)).any(|at| {
            let chain = self.chain(at).map(|(outer, _)| outer).chain([at]);
            let args = chain.flat_map(|at| &facts.call(at.call).args).filter(|arg| !holds_proof(arg.value));
            args.into_iter().any(|arg| hands_on(facts, arg.value, &beside))
        });
        let given = self.plan_beside(grant).filter(|_| grant.given == Given::Fixed);
        let given = facts.last_name(given.map_or(grant.value, |plan| plan.expr));
        let function = facts.function(grant.function.function).span;
        asked
            || facts.operations().any(|(expr, (op, parts))| {
                function.contains(facts.span(expr))
                    && matches!(op, Op::Equal | Op::Unequal)
                    && parts.iter().any(|&part| given.is_some() && facts.last_name(part) == given)
                    && !parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Text(_) | ExprKind::Null))
            })
    }

    /// The variable without which an own check of a payment says yes to all: `if (!secret) return true`.
    fn fails_open(&self, at: CallRef) -> Option<Name> {
        let named = self.called_name(at).is_some_and(|name| {
            let words = words(&name);
            words.iter().any(|word| matches!(word.as_str(), "verify" | "validate" | "check" | "valid"))
        });
        let targets = self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct && named);
        targets.map(|edge| edge.target).find_map(|target| {
            let facts = self.facts(target.file);
            let own = facts.blocks.iter().filter(|block| block.function == target.function);
            own.flat_map(|block| &block.steps).find_map(|step| {
                let Step::If { condition, then, .. } = *step else { return None };
                let ExprKind::Op(Op::Not, parts) = facts.expr(condition) else { return None };
                let open = matches!(ending(facts, then), Ending::Returns(Some(value)) if matches!(facts.expr(value), ExprKind::Bool(true)));
                let part = *parts.first()?;
                open.then(|| self.value(ExprRef::new(target.file, part)).envs().first().copied())?
            })
        })
    }
}

/// Whether a value is what a call gave, or its body.
pub(super) fn made_by(facts: &Facts, expr: ExprId, at: CallRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |expr: ExprId| made_by(facts, expr, at, depth);
    match facts.expr(expr) {
        ExprKind::Call(call) if *call == at.call => true,
        // `await res.json()`
        ExprKind::Call(call) => {
            matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(base, name) if *name == "json" && next(*base))
        }
        ExprKind::Await(inner) => next(*inner),
        ExprKind::Member(base, name) => matches!(name.as_str(), "data" | "body" | "result") && next(*base),
        ExprKind::Ref(name, block) => {
            facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
        }
        _ => false,
    }
}

/// The names that are given a value inside a block.
fn assigned_in(facts: &Facts, span: Span) -> Vec<Name> {
    let inside = facts.blocks.iter().filter(|block| span.contains(block.span));
    let steps = inside.flat_map(|block| &block.steps);
    steps
        .filter_map(|step| match *step {
            Step::Bind(def, _) => Some(facts.def(def).name),
            _ => None,
        })
        .collect()
}

/// Whether one of some names stands in an expression.
fn mentions_any(facts: &Facts, expr: ExprId, names: &[Name]) -> bool {
    let span = facts.span(expr);
    facts.exprs.iter().filter(|inner| span.contains(inner.span)).any(|inner| match inner.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => names.contains(&name),
        _ => false,
    })
}

/// The same, but for what only says whether it is there: `{ hasPayment: !!paymentId }`.
fn hands_on(facts: &Facts, expr: ExprId, names: &[Name]) -> bool {
    let span = facts.span(expr);
    let asked = facts.operations().filter(|&(_, (op, _))| op == Op::Not).map(|(at, _)| facts.span(at));
    let asked: Vec<Span> = asked.filter(|asked| span.contains(*asked)).collect();
    let told = facts.exprs.iter().filter(|inner| span.contains(inner.span));
    told.filter(|inner| !asked.iter().any(|asked| asked.contains(inner.span))).any(|inner| match inner.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => names.contains(&name),
        _ => false,
    })
}
