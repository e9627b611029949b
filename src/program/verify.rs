//! Whether an entry point verifies its caller before it acts: always, on some paths only, or never.
//!
//! The flow of the entry's function is walked in order, own functions it calls included, with a *standing*: what is
//! known of the caller at that point. Every effect on the way is noted with the standing it happens in.

use rustc_hash::FxHashMap;

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program, Value};

mod checks;

/// What is known of the caller at a point of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was checked so far.
    Unverified,
    /// A check has passed: where.
    Verified(Place),
    /// A check has failed: what follows answers it.
    Rejected(Place),
    /// A check was made on some of the ways here, or one that does not hold.
    Open(Lapse),
    /// Something that may have checked could not be followed.
    Unknown(Place),
}

/// Why a verification fails open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse {
    /// Where the way around the check is.
    pub place: Place,
    /// The check that can be got around.
    pub check: Place,
    /// How.
    pub why: Why,
}

/// How a verification is got around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is skipped while an environment variable is unset.
    Unset(Name),
    /// It is skipped by mode: outside production, under a debug flag.
    Mode(Option<Name>),
    /// It is skipped when the request lacks its signature or brings a header.
    Request,
    /// It is skipped on a condition of another kind.
    Condition,
    /// Its failure is caught, and the work goes on.
    Caught,
    /// Its result is not looked at, or a failed check goes on.
    Ignored,
    /// It gives a promise that nothing awaits.
    NotAwaited,
    /// Its secret falls back to a text that anyone can read, or to an empty one.
    Fallback(Name),
}

/// What an entry point does, and in which standing.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Effects in the order they are met.
    pub effects: Vec<(CallRef, Standing)>,
    /// The checks met.
    pub checks: Vec<Place>,
    /// Ways around a check that were met, whether or not an effect follows.
    pub lapses: Vec<Lapse>,
}

/// How one function ends for its caller.
#[derive(Debug, Clone, Copy)]
struct Ends {
    /// The standing when it gives something true (or just ends).
    truthy: Option<Standing>,
    /// The standing when it gives `false`, `null`, `undefined`.
    falsy: Option<Standing>,
}

const DEEPEST: usize = 7;

/// A walk through the flow of one entry point.
pub struct Walk<'p> {
    program: &'p Program,
    account: Account,
    /// What own functions came to, by the standing they were entered in.
    known: FxHashMap<(FunctionRef, u8), Ends>,
    active: Vec<FunctionRef>,
    /// What the calls of own functions gave, to be asked when their result is tested.
    gave: FxHashMap<CallRef, Ends>,
}

/// What leaves a block.
#[derive(Default)]
struct Flow {
    /// The standing at its end; none when it never gets there.
    after: Option<Standing>,
    truthy: Option<Standing>,
    falsy: Option<Standing>,
}

impl Program {
    /// Walks an entry point from its first step, in a standing that its middleware gives.
    pub fn account(&self, entry: FunctionRef, standing: Standing) -> Account {
        let mut walk = Walk {
            program: self,
            account: Account::default(),
            known: FxHashMap::default(),
            active: vec![],
            gave: FxHashMap::default(),
        };
        walk.function(entry, standing);
        walk.account
    }
}

impl<'p> Walk<'p> {
    fn facts(&self, function: FunctionRef) -> &'p Facts {
        self.program.facts(function.file)
    }

    fn function(&mut self, function: FunctionRef, standing: Standing) -> Ends {
        let key = (function, kind_of(standing));
        if let Some(ends) = self.known.get(&key) {
            return *ends;
        }
        if self.active.contains(&function) || self.active.len() >= DEEPEST {
            return Ends { truthy: Some(standing), falsy: None };
        }
        self.active.push(function);
        let body = self.facts(function).function(function.function).body;
        let flow = self.block(function, body, standing);
        self.active.pop();
        let ends = Ends { truthy: flow.truthy, falsy: join(flow.falsy, flow.after, None) };
        // A function that gives nothing at all ends one way only.
        let ends = match ends {
            Ends { truthy: None, falsy } => Ends { truthy: falsy, falsy: None },
            both => both,
        };
        self.known.insert(key, ends);
        ends
    }

    fn block(&mut self, function: FunctionRef, block: BlockId, standing: Standing) -> Flow {
        let facts = self.facts(function);
        let mut flow = Flow { after: Some(standing), ..Flow::default() };
        for step in &facts.block(block).steps {
            let Some(standing) = flow.after else { break };
            match step {
                Step::Eval(value) | Step::Bind(_, value) => flow.after = Some(self.value(function, *value, standing)),
                Step::Assign(target, value) => {
                    let standing = self.value(function, *target, standing);
                    flow.after = Some(self.value(function, *value, standing));
                }
                Step::Return(value) => self.returns(function, *value, standing, &mut flow),
                Step::Throw(value) => {
                    if let Some(value) = value {
                        self.value(function, *value, standing);
                    }
                    flow.after = None;
                }
                Step::Jump => flow.after = None,
                Step::If { condition, then, otherwise } => {
                    let (yes, no) = self.test(function, *condition, standing);
                    let then = self.block(function, *then, yes);
                    let otherwise = match otherwise {
                        Some(otherwise) => self.block(function, *otherwise, no),
                        None => Flow { after: Some(no), ..Flow::default() },
                    };
                    let question = Some((function, *condition));
                    self.merge(&mut flow, vec![then, otherwise], question);
                }
                Step::Switch(subject, cases) => {
                    let standing = self.value(function, *subject, standing);
                    let open = !cases.iter().any(|&case| matches!(facts.block(case).kind, BlockKind::Case(_, None)));
                    let mut arms: Vec<Flow> = cases.iter().map(|&case| self.block(function, case, standing)).collect();
                    // A case that breaks goes on behind the switch.
                    for arm in &mut arms {
                        arm.after = arm.after.or(Some(standing));
                    }
                    if open || arms.is_empty() {
                        arms.push(Flow { after: Some(standing), ..Flow::default() });
                    }
                    self.merge(&mut flow, arms, None);
                }
                Step::Loop(body) => {
                    let looped = self.block(function, *body, standing);
                    flow.truthy = join(flow.truthy, looped.truthy, None);
                    flow.falsy = join(flow.falsy, looped.falsy, None);
                    flow.after = Some(standing);
                }
                Step::Block(inner) => {
                    let standing = match facts.block(*inner).kind {
                        BlockKind::With(context) => self.value(function, context, standing),
                        _ => standing,
                    };
                    let inner = self.block(function, *inner, standing);
                    self.merge(&mut flow, vec![inner], None);
                }
                Step::Try { body, handlers, finally } => {
                    self.attempt(function, *body, handlers, *finally, standing, &mut flow)
                }
            }
        }
        flow
    }

    fn attempt(
        &mut self,
        function: FunctionRef,
        body: BlockId,
        handlers: &[BlockId],
        finally: Option<BlockId>,
        standing: Standing,
        flow: &mut Flow,
    ) {
        let checks = self.account.checks.len();
        let tried = self.block(function, body, standing);
        // A check inside the guarded block can be what failed; an effect before it had its own standing already.
        let caught = match self.account.checks.get(checks) {
            Some(&check) if !matches!(standing, Standing::Verified(_)) => Standing::Rejected(check),
            _ => standing,
        };
        let mut arms = vec![tried];
        for &handler in handlers {
            let mut handled = self.block(function, handler, caught);
            if let (Some(Standing::Rejected(check)), true) = (handled.after, matches!(caught, Standing::Rejected(_))) {
                let facts = self.facts(function);
                let place = Place { file: function.file, span: facts.block(handler).span };
                // Only when something still follows can the work go on.
                let lapse = Lapse { place: head(place), check, why: Why::Caught };
                handled.after = Some(Standing::Open(lapse));
            }
            arms.push(handled);
        }
        self.merge(flow, arms, None);
        if let (Some(finally), Some(standing)) = (finally, flow.after) {
            let last = self.block(function, finally, standing);
            self.merge(flow, vec![last], None);
        }
    }

    /// Joins arms into the flow; `question` is the condition that decided between two.
    fn merge(&mut self, flow: &mut Flow, arms: Vec<Flow>, question: Option<(FunctionRef, ExprId)>) {
        let why = question.map(|(function, condition)| self.why(function, condition));
        let mut after: Option<Standing> = None;
        for arm in arms {
            after = join(after, arm.after, why);
            flow.truthy = join(flow.truthy, arm.truthy, None);
            flow.falsy = join(flow.falsy, arm.falsy, None);
        }
        if let Some(Standing::Open(lapse)) = after
            && !self.account.lapses.contains(&lapse)
        {
            self.account.lapses.push(lapse);
        }
        flow.after = after;
    }

    fn returns(&mut self, function: FunctionRef, value: Option<ExprId>, standing: Standing, flow: &mut Flow) {
        flow.after = None;
        let Some(value) = value else {
            flow.falsy = join(flow.falsy, Some(standing), None);
            return;
        };
        let (yes, no) = self.test(function, value, standing);
        match self.truth(function, value) {
            Some(true) => flow.truthy = join(flow.truthy, Some(yes), None),
            Some(false) => flow.falsy = join(flow.falsy, Some(no), None),
            None => {
                flow.truthy = join(flow.truthy, Some(yes), None);
                if no != yes {
                    flow.falsy = join(flow.falsy, Some(no), None);
                }
            }
        }
    }

    /// Walks an expression's calls in the order they run.
    fn value(&mut self, function: FunctionRef, expr: ExprId, standing: Standing) -> Standing {
        let facts = self.facts(function);
        match facts.expr(expr) {
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let mut standing = match facts.expr(shape.callee) {
                    ExprKind::Ref(..) => standing,
                    _ => self.value(function, shape.callee, standing),
                };
                for arg in &shape.args {
                    standing = self.value(function, arg.value, standing);
                }
                self.call(CallRef::new(function.file, *call), standing)
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) | ExprKind::Member(inner, _) => {
                self.value(function, *inner, standing)
            }
            ExprKind::Index(base, index) => {
                let standing = self.value(function, *base, standing);
                self.value(function, *index, standing)
            }
            ExprKind::Template(parts) | ExprKind::List(parts) => {
                parts.iter().fold(standing, |standing, &part| self.value(function, part, standing))
            }
            ExprKind::Object(entries) => {
                entries.iter().fold(standing, |standing, &(_, value)| self.value(function, value, standing))
            }
            ExprKind::Op(Op::Choose, parts) if parts.len() == 3 => {
                let (yes, no) = self.test(function, parts[0], standing);
                let then = self.value(function, parts[1], yes);
                let otherwise = self.value(function, parts[2], no);
                let why = self.why(function, parts[0]);
                self.note_lapse(join(Some(then), Some(otherwise), Some(why)).unwrap_or(standing))
            }
            ExprKind::Op(Op::And, parts) if parts.len() == 2 => {
                let (yes, no) = self.test(function, parts[0], standing);
                let then = self.value(function, parts[1], yes);
                let why = self.why(function, parts[0]);
                self.note_lapse(join(Some(then), Some(no), Some(why)).unwrap_or(standing))
            }
            ExprKind::Op(_, parts) => {
                parts.iter().fold(standing, |standing, &part| self.value(function, part, standing))
            }
            _ => standing,
        }
    }

    fn note_lapse(&mut self, standing: Standing) -> Standing {
        if let Standing::Open(lapse) = standing
            && !self.account.lapses.contains(&lapse)
        {
            self.account.lapses.push(lapse);
        }
        standing
    }

    fn call(&mut self, at: CallRef, standing: Standing) -> Standing {
        if let Some(after) = self.verifier(at, standing) {
            return self.note_lapse(after);
        }
        let mut after = standing;
        for &edge in self.program.edges(at) {
            match edge.kind {
                EdgeKind::Deferred | EdgeKind::Jump => {
                    // What runs later or elsewhere is an effect of this one, in this standing.
                    self.account.effects.push((at, after));
                }
                EdgeKind::Direct | EdgeKind::Callback => {
                    let ends = self.function(edge.target, standing);
                    self.gave.insert(at, ends);
                    let both = join(ends.truthy, ends.falsy, None);
                    after = match (edge.kind, both) {
                        (EdgeKind::Callback, _) => after,
                        // Whether the check passed is in the result; dropped, nobody knows.
                        (_, Some(_)) if is_split(ends) => self.unread(at, ends, standing),
                        (_, Some(joined)) => joined,
                        // It never comes back: it throws on every way.
                        (_, None) => after,
                    };
                }
            }
        }
        if self.is_effect(at) {
            self.account.effects.push((at, after));
        }
        after
    }

    /// The standing after a call whose result tells whether a check passed, before that is looked at.
    fn unread(&mut self, at: CallRef, ends: Ends, before: Standing) -> Standing {
        let program = self.program;
        let shape = program.facts(at.file).call(at.call);
        let check = match (ends.truthy, ends.falsy) {
            (Some(Standing::Verified(check)), _) | (_, Some(Standing::Verified(check))) => check,
            (Some(open @ Standing::Open(_)), _) if shape.dropped => return open,
            _ => return before,
        };
        if shape.dropped {
            let lapse = Lapse { place: program.call_place(at), check, why: Why::Ignored };
            return self.note_lapse(Standing::Open(lapse));
        }
        before
    }

    /// Whether a call does something that a forged delivery should not be able to do.
    fn is_effect(&self, at: CallRef) -> bool {
        let acts = |effect: Effect| {
            matches!(
                effect,
                Effect::Create
                    | Effect::Send
                    | Effect::Update
                    | Effect::Delete
                    | Effect::Upload
                    | Effect::Generate
                    | Effect::Track
            )
        };
        let uses = self.program.vendors_at(at);
        uses.iter().any(|used| self.program.operation(used).is_some_and(|operation| acts(operation.effect)))
            || self.program.has_role(at, KnownRole::Write)
            || self.program.requests_at(at).iter().any(|http| {
                http.at == http.inner
                    && http.method.is_some_and(|method| method != "GET" && method != "HEAD")
                    && uses.is_empty()
            })
    }

    fn truth(&self, function: FunctionRef, expr: ExprId) -> Option<bool> {
        let facts = self.facts(function);
        match facts.expr(expr) {
            ExprKind::Bool(truth) => Some(*truth),
            ExprKind::Null => Some(false),
            ExprKind::Text(text) => Some(!text.is_empty()),
            ExprKind::Await(inner) => self.truth(function, *inner),
            // `{ valid: false, error }`: what such results are asked for.
            ExprKind::Object(entries) => {
                let verdict = entries.iter().find(|(key, _)| is_verdict(*key));
                verdict.map_or(Some(true), |&(_, value)| self.truth(function, value))
            }
            ExprKind::List(items) => items.first().map_or(Some(true), |&first| self.truth(function, first)),
            _ => None,
        }
    }

    fn expr_value(&self, function: FunctionRef, expr: ExprId) -> Value {
        self.program.value(ExprRef::new(function.file, expr))
    }
}

/// Names under which a result object says whether it holds.
pub(crate) fn is_verdict(name: Name) -> bool {
    matches!(
        name.as_str(),
        "valid"
            | "isValid"
            | "is_valid"
            | "ok"
            | "success"
            | "verified"
            | "isVerified"
            | "authorized"
            | "authenticated"
            | "isAuthorized"
    )
}

fn is_split(ends: Ends) -> bool {
    matches!((ends.truthy, ends.falsy), (Some(a), Some(b)) if kind_of(a) != kind_of(b))
}

fn kind_of(standing: Standing) -> u8 {
    match standing {
        Standing::Unverified => 0,
        Standing::Verified(_) => 1,
        Standing::Rejected(_) => 2,
        Standing::Open(_) => 3,
        Standing::Unknown(_) => 4,
    }
}

fn head(place: Place) -> Place {
    let end = place.span.end.min(place.span.start + 5);
    Place { file: place.file, span: crate::facts::Span { start: place.span.start, end } }
}

/// What two ways have in common where they meet; `question` is what decided between them.
fn join(a: Option<Standing>, b: Option<Standing>, question: Option<(Place, Why)>) -> Option<Standing> {
    use Standing::{Open, Rejected, Unknown, Unverified, Verified};
    let (a, b) = match (a, b) {
        (None, other) | (other, None) => return other,
        (Some(a), Some(b)) => (a, b),
    };
    Some(match (a, b) {
        (Open(lapse), _) | (_, Open(lapse)) => Open(lapse),
        (Unknown(place), _) | (_, Unknown(place)) => Unknown(place),
        (Verified(place), Verified(_)) => Verified(place),
        (Verified(check), Unverified) | (Unverified, Verified(check)) => match question {
            Some((place, why)) => Open(Lapse { place, check, why }),
            None => Unverified,
        },
        (Verified(check), Rejected(_)) | (Rejected(_), Verified(check)) => match question {
            Some((place, _)) => Open(Lapse { place, check, why: Why::Ignored }),
            None => Rejected(check),
        },
        (Rejected(place), _) | (_, Rejected(place)) => Rejected(place),
        (Unverified, Unverified) => Unverified,
    })
}
