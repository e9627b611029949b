//! What makes code run again when it fails: loops around a `try` or a status, a function that calls itself, retry
//! helpers of the program and of libraries, decorators. How often, how long it waits between, and what it repeats.

use crate::catalogue::KnownRole;
use crate::facts::{BlockId, ExprId, ExprKind, Function, FunctionId, Span};
use crate::finding::{FileId, Place};
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

mod decorators;
mod engines;
mod handlers;
mod libraries;
mod loops;
mod outdated;
mod reached;
mod recursion;
mod requeued;
mod waits;

pub use reached::Repeated;

/// Whether something ends the attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A count, a deadline, or a failure that is not tried again.
    Bounded,
    /// Nothing.
    Endless,
    /// That cannot be told.
    Unknown,
}

/// How long it waits between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    None,
    /// Each time the same.
    Constant,
    /// Longer each time.
    Growing,
    /// That cannot be told.
    Unknown,
}

/// How it repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A loop.
    Loop(BlockId),
    /// The function calls itself.
    Recursion(CallRef),
    /// The handler of its failure makes the same call once more.
    Handler(CallRef),
    /// A library's helper is handed a function.
    Helper(CallRef),
    /// A library's decorator.
    Decorator(ExprRef),
    /// An engine runs the function again: a durable function, a task of a queue.
    Engine(FunctionRef),
}

/// What makes an attempt fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Something is thrown.
    Thrown,
    /// The answer says so.
    Answer,
    /// The credential has run out: another one is fetched and put away, and the same old one is brought again.
    OldCredential,
}

/// Something that makes code run again when it fails.
#[derive(Debug, Clone)]
pub struct Retry {
    /// How.
    pub how: How,
    /// Where it stands.
    pub place: Place,
    /// The function it stands in; the decorated one.
    pub function: FunctionRef,
    /// What is run again, as far as it stands in one place.
    pub region: Span,
    /// The calls of that place that are made again.
    pub tried: Vec<CallRef>,
    /// What makes it try again.
    pub trigger: Trigger,
    /// Whether something ends it.
    pub limit: Limit,
    /// How long it waits.
    pub wait: Wait,
    /// It goes again only when the vendor refused the request for its rate: nothing was done yet.
    pub only_refused: bool,
}

impl Program {
    /// Everything in deployed code that makes code run again when it fails.
    pub fn retries(&self) -> &[Retry] {
        self.retries.get_or_init(|| {
            let mut found = engines::all(self);
            found.extend(recursion::all(self));
            found.extend(requeued::all(self));
            found.extend(outdated::all(self));
            let mut helpers = libraries::Helpers::default();
            let mut loops = Vec::new();
            for (file, facts) in self.code() {
                let side = self.side(file);
                if side.tooling || side.dead {
                    continue;
                }
                loops.extend(loops::in_file(self, file, facts));
                found.extend(handlers::in_file(self, file, facts));
                found.extend(libraries::in_file(self, file, facts, &mut helpers));
            }
            found.extend(decorators::of_loops(self, &loops));
            found.extend(loops);
            found.sort_by_key(|retry: &Retry| (retry.place, retry.region));
            found
        })
    }

    /// The retries whose repetition covers a call of their own place: `made again by this`.
    pub fn retried_at(&self, call: CallRef) -> impl Iterator<Item = &Retry> + '_ {
        let span = self.call_place(call).span;
        let near = move |retry: &&Retry| {
            retry.place.file == call.file && (retry.tried.contains(&call) || retry.region.contains(span))
        };
        self.retries().iter().filter(near)
    }

    /// How long the code of a stretch waits.
    pub fn wait_within(&self, file: FileId, region: Span) -> Wait {
        waits::between(self, file, region, &[], None)
    }

    /// The first line of a block.
    pub(in crate::program) fn head_of(&self, file: FileId, span: Span) -> Place {
        let facts = self.facts(file);
        let next = facts.lines.partition_point(|&line| line <= span.start);
        let end = facts.lines.get(next).map_or(span.end, |line| line - 1);
        Place { file, span: Span { start: span.start, end: end.min(span.end).max(span.start + 1) } }
    }

    /// Whether a library or an engine decides when a retry goes again, rather than code of the program.
    pub fn is_framework(&self, retry: &Retry) -> bool {
        match retry.how {
            How::Engine(_) => true,
            How::Helper(call) => self.has_role(call, KnownRole::Retry),
            How::Decorator(decorator) => {
                let facts = self.facts(decorator.file);
                let callee = match facts.expr(decorator.expr) {
                    ExprKind::Call(call) => at(decorator.file, facts.call(*call).callee),
                    _ => decorator,
                };
                self.is_retry_helper(&self.value(callee))
            }
            How::Loop(_) | How::Recursion(_) | How::Handler(_) => false,
        }
    }

    /// Whether a value is what a library's retry helper or decorator is.
    fn is_retry_helper(&self, value: &Value) -> bool {
        value.externals().any(|external| {
            let known = self.catalogue.known(external.package, &external.segs);
            known.is_some_and(|known| known.role == KnownRole::Retry)
        })
    }
}

/// The functions of a file by position.
fn functions(functions: &[Function], file: FileId) -> impl Iterator<Item = (FunctionRef, &Function)> {
    functions.iter().enumerate().map(move |(at, shape)| (FunctionRef::new(file, FunctionId(at as u32)), shape))
}

/// An expression of a file.
fn at(file: FileId, expr: ExprId) -> ExprRef {
    ExprRef::new(file, expr)
}
