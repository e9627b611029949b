//! Code that runs once for each element of a collection: loops, and callbacks handed to `map` and its kind. Whether
//! the elements are taken all at once, whether anything holds it back, and what it sends.

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::program::repeats::retries::Wait;
use crate::program::verify::words;
use crate::program::{CallRef, Edge, EdgeKind, ExprRef, FunctionRef, Leaves, Program, Value};

mod few;
mod limits;
mod nouns;
mod reached;
mod records;
mod roles;
mod sizes;

pub use reached::Sent;
pub use sizes::Size;

/// Methods of a collection that run their argument for each element.
const EACH: &[&str] = &["map", "forEach", "flatMap", "filter", "reduce"];

/// Calls that take what is started and wait for all of it.
const ALL: &[&str] = &["Promise.all", "Promise.allSettled", "asyncio.gather", "asyncio.wait"];

/// Code that runs once for each element.
#[derive(Debug, Clone)]
pub struct Iteration {
    /// Where it stands: the loop's head, or the call that takes the callback.
    pub place: Place,
    /// The function it stands in.
    pub function: FunctionRef,
    /// What is gone through.
    pub collection: ExprRef,
    /// The code, as far as it stands in one place.
    pub region: Span,
    /// What runs for each element, when that is a function.
    pub body: Option<FunctionRef>,
    /// The elements are taken all at once.
    pub at_once: bool,
}

impl Program {
    /// Everything in deployed server code that runs once for each element and may send something.
    pub fn iterations(&self) -> &[Iteration] {
        self.iterations.get_or_init(|| {
            let sending = self.sending_functions();
            let mut found = Vec::new();
            for (file, facts) in self.code() {
                if self.runs_on_server(file) {
                    Finder { program: self, file, facts, sending: &sending }.collect(&mut found);
                }
            }
            found.sort_by_key(|iteration: &Iteration| (iteration.place.file, iteration.region));
            found
        })
    }

    /// The functions that send something outward, themselves or through others.
    fn sending_functions(&self) -> FxHashSet<FunctionRef> {
        let mut sending = FxHashSet::default();
        let mut queue: Vec<FunctionRef> = Vec::new();
        let vendors = self.vendor_uses().iter().map(|used| used.at);
        for call in vendors.chain(self.requests().iter().map(|http| http.at)) {
            if self.counts_as_sent(call) && sending.insert(self.function_of(call)) {
                queue.push(self.function_of(call));
            }
        }
        while let Some(function) = queue.pop() {
            for edge in self.incoming(function).iter().filter(|edge| is_run(self, edge)) {
                let from = self.function_of(edge.call);
                if sending.insert(from) {
                    queue.push(from);
                }
            }
        }
        sending
    }

    /// Whether a call goes to someone else who may refuse it for its rate, or be slow.
    pub fn counts_as_sent(&self, call: CallRef) -> bool {
        // To make an object of the program sends nothing; what its constructor does is looked at by itself.
        if self.callee(call).alternatives().iter().any(|callee| matches!(callee, Value::Class(_))) {
            return false;
        }
        if self.is_only_signed(call) {
            return false;
        }
        let vendors = self.vendors_at(call);
        for used in vendors {
            let vendor = self.catalogue.vendor(used.vendor);
            if vendor.own_backend || vendor.category == Category::Monitoring {
                return false;
            }
            match (self.request_of(used), self.operation(used)) {
                (_, Some(operation)) => {
                    return !matches!(operation.effect, Effect::Local | Effect::Verify | Effect::Track | Effect::Sign);
                }
                (Some(http), None) => return http.inner == call || self.leaves(http) == Leaves::Yes,
                // What the catalogue does not list of an SDK may send nothing.
                (None, None) => {}
            }
        }
        self.requests_at(call).iter().any(|http| self.leaves(http) == Leaves::Yes)
    }

    /// An object that is made only to be signed: `getSignedUrl(client, new GetObjectCommand(..))` asks nobody.
    fn is_only_signed(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        if !shape.is_new || self.vendors_at(call).is_empty() {
            return false;
        }
        let is_it = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Call(other) => other == call.call,
            ExprKind::Ref(name, block) => facts.lookup(block, name).is_some_and(|def| {
                let values = &facts.def(def).values;
                values.iter().any(|&value| matches!(*facts.expr(value), ExprKind::Call(made) if made == call.call))
            }),
            _ => false,
        };
        let mut takers = facts.calls.iter().filter(|other| other.args.iter().any(|arg| is_it(arg.value)));
        let signs = |taker: &crate::facts::Call| {
            facts.last_name(taker.callee).is_some_and(|name| {
                words(&name).iter().any(|word| matches!(word.as_str(), "sign" | "signed" | "presign" | "presigned"))
            })
        };
        takers.next().is_some_and(|first| signs(first) && takers.all(signs))
    }

    /// A call that is sent, in messages: the vendor's operation, the request, or what is written.
    pub fn sent_name(&self, call: CallRef) -> String {
        match self.vendors_at(call).first() {
            Some(used) => used.name.clone(),
            None => self.call_text(call),
        }
    }

    /// Whom it is sent to.
    pub fn sent_to(&self, call: CallRef) -> String {
        let vendor = self.vendors_at(call).first().map(|used| self.catalogue.vendor(used.vendor).name.clone());
        let host = || self.requests_at(call).iter().find_map(|http| self.destination_name(http));
        vendor.or_else(host).unwrap_or_else(|| "the other side".to_owned())
    }

    /// A name or a dotted way as it is written; none for anything else.
    pub fn as_written(&self, at: ExprRef) -> Option<String> {
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, _) => Some(name.to_string()),
            ExprKind::Member(base, name) => Some(format!("{}.{name}", self.as_written(ExprRef::new(at.file, *base))?)),
            ExprKind::Await(inner) => self.as_written(ExprRef::new(at.file, *inner)),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => self.as_written(ExprRef::new(at.file, *parts.first()?)),
            ExprKind::Call(call) => {
                let callee = facts.call(*call).callee;
                match facts.expr(callee) {
                    ExprKind::Member(base, name) if EACH.contains(&name.as_str()) => {
                        self.as_written(ExprRef::new(at.file, *base))
                    }
                    _ => Some(format!("{}()", self.as_written(ExprRef::new(at.file, callee))?)),
                }
            }
            _ => None,
        }
    }

    /// Whether something of a role stands on the way to a value: `limit` of `const limit = pLimit(5)`.
    fn comes_of_role(&self, value: &crate::program::Value, role: KnownRole) -> bool {
        value.externals().any(|external| {
            (0..=external.segs.len()).any(|length| {
                let known = self.catalogue.known(external.package, &external.segs[..length]);
                known.is_some_and(|known| known.role == role)
            })
        })
    }

    /// Whether something holds a call back: a limiter on the way, or around it.
    pub fn is_held_back(&self, call: CallRef) -> bool {
        let limits = |call: CallRef| self.comes_of_role(self.callee(call), KnownRole::Limit);
        if limits(call) || self.handed_to(call).any(limits) {
            return true;
        }
        let facts = self.facts(call.file);
        let block = facts.call(call.call).block;
        facts.enclosing(block).any(|(_, block)| match block.kind {
            BlockKind::With(context) => {
                self.comes_of_role(&self.value(ExprRef::new(call.file, context)), KnownRole::Limit)
            }
            _ => false,
        })
    }
}

/// Whether an edge says that its call runs its target there and then: it calls it, or hands it over itself.
pub(in crate::program) fn is_run(program: &Program, edge: &Edge) -> bool {
    match edge.kind {
        EdgeKind::Direct => true,
        EdgeKind::Callback => {
            let facts = program.facts(edge.call.file);
            let call = facts.call(edge.call.call);
            let inner = program.function_place(edge.target);
            let written = inner.file == edge.call.file && facts.span(call.expr).contains(inner.span);
            written
                || call.args.iter().any(|arg| {
                    matches!(facts.expr(arg.value), ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Object(_))
                        && hands(program, ExprRef::new(edge.call.file, arg.value), edge.target)
                })
        }
        EdgeKind::Jump | EdgeKind::Deferred => false,
    }
}

/// Whether an argument is a function, or an object with it.
fn hands(program: &Program, arg: ExprRef, target: FunctionRef) -> bool {
    match program.facts(arg.file).expr(arg.expr) {
        ExprKind::Object(entries) => entries.iter().any(|&(_, value)| {
            program.value(ExprRef::new(arg.file, value)).functions().any(|function| function == target)
        }),
        _ => program.value(arg).functions().any(|function| function == target),
    }
}

struct Finder<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    sending: &'p FxHashSet<FunctionRef>,
}

impl Finder<'_> {
    fn collect(&self, found: &mut Vec<Iteration>) {
        for call in self.program.calls_of(self.file) {
            found.extend(self.mapped(call));
        }
        if !self.facts.blocks.iter().any(|block| matches!(block.kind, BlockKind::Loop(_))) {
            return;
        }
        let listed: FxHashSet<ExprId> = self
            .facts
            .exprs
            .iter()
            .filter_map(|expr| if let ExprKind::ElementOf(list) = expr.kind { Some(list) } else { None })
            .collect();
        for (at, block) in self.facts.blocks.iter().enumerate() {
            let BlockKind::Loop(Some(head)) = block.kind else { continue };
            let collection =
                if listed.contains(&head) { Some(head) } else { run_through(self.facts, head, BlockId(at as u32)) };
            let function = FunctionRef::new(self.file, block.function);
            // Only what may send is worth more questions.
            let Some(collection) = collection.filter(|_| self.sends_within(function, block.span)) else { continue };
            found.push(Iteration {
                place: self.program.head_of(self.file, block.span),
                function,
                collection: ExprRef::new(self.file, self.whole(collection)),
                region: block.span,
                body: None,
                at_once: self.is_gathered(function, block.span),
            });
        }
    }

    fn sends_within(&self, function: FunctionRef, region: Span) -> bool {
        let inside = |call: &CallRef| region.contains(self.facts.span(self.facts.call(call.call).expr));
        self.program.calls_in(function).filter(inside).any(|call| {
            self.program.counts_as_sent(call)
                || self
                    .program
                    .edges(call)
                    .iter()
                    .any(|edge| self.sending.contains(&edge.target) && is_run(self.program, edge))
        })
    }

    /// `range(len(xs))` goes through `xs`.
    fn whole(&self, list: ExprId) -> ExprId {
        let argument = |expr: ExprId, wanted: &str| match *self.facts.expr(expr) {
            ExprKind::Call(call) => {
                let call = self.facts.call(call);
                let named = matches!(self.facts.expr(call.callee), ExprKind::Ref(name, _) if *name == *wanted);
                match &call.args[..] {
                    [only] if named => Some(only.value),
                    _ => None,
                }
            }
            _ => None,
        };
        argument(list, "range").and_then(|inner| argument(inner, "len")).unwrap_or(list)
    }

    /// A comprehension that is handed to what waits for all of it.
    fn is_gathered(&self, function: FunctionRef, region: Span) -> bool {
        self.program
            .calls_in(function)
            .any(|call| self.facts.span(self.facts.call(call.call).expr).contains(region) && self.waits_for_all(call))
    }

    fn waits_for_all(&self, call: CallRef) -> bool {
        let ExprKind::Member(base, name) = *self.facts.expr(self.facts.call(call.call).callee) else { return false };
        let ExprKind::Ref(object, _) = *self.facts.expr(base) else { return false };
        ALL.contains(&format!("{object}.{name}").as_str())
    }

    /// `items.map((item) => send(item))`.
    fn mapped(&self, call: CallRef) -> Option<Iteration> {
        let shape = self.facts.call(call.call);
        let ExprKind::Member(base, method) = *self.facts.expr(shape.callee) else { return None };
        if !EACH.contains(&method.as_str()) {
            return None;
        }
        // `pool.map(call, items)`: the pool runs as many at a time as it has workers.
        if self.program.comes_of_role(self.program.callee(call), KnownRole::Limit) {
            return None;
        }
        let first = shape.args.first()?;
        let edges = self.program.edges(call);
        edges.iter().find(|edge| edge.kind == EdgeKind::Callback && self.sending.contains(&edge.target))?;
        let handed = self.program.value(ExprRef::new(self.file, first.value));
        let body = handed.functions().find(|function| self.sending.contains(function))?;
        let all = self.program.handed_to(call).find(|&outer| self.waits_for_all(outer));
        let whole = self.program.call_place(all.unwrap_or(call)).span;
        Some(Iteration {
            place: self.program.head_of(self.file, whole),
            function: self.program.function_of(call),
            collection: ExprRef::new(self.file, base),
            region: self.facts.span(first.value),
            body: Some(body),
            at_once: method != "reduce",
        })
    }
}

impl Iteration {
    /// Whether it looks for one element and stops, or stops at some number of them.
    pub fn searches(&self, program: &Program) -> bool {
        let facts = program.facts(self.place.file);
        if self.body.is_some() {
            return false;
        }
        // `for (const x of xs) { try { .. } catch { continue } break; }`
        let ends = |block: &crate::facts::Block| {
            block.span == self.region && block.steps.iter().any(|step| matches!(step, Step::Break | Step::Return(_)))
        };
        if facts.blocks.iter().any(ends) {
            return true;
        }
        let own = |block: &&crate::facts::Block| {
            self.region.contains(block.span) && block.function == self.function.function && block.span != self.region
        };
        facts.blocks.iter().filter(own).any(|block| {
            let leaves = block.steps.iter().any(|step| matches!(step, Step::Break | Step::Return(_)));
            // What does not fit into the time or the number that is left is passed over.
            let passes = block.steps.iter().any(|step| matches!(step, Step::Jump));
            if passes && matches!(block.kind, BlockKind::Then(condition) if self.is_budget(facts, condition, 5)) {
                return true;
            }
            leaves
                && match block.kind {
                    BlockKind::Then(condition) => !is_failure(facts, condition, 5),
                    BlockKind::Try | BlockKind::Plain | BlockKind::With(_) => true,
                    _ => false,
                }
        })
    }

    /// `done >= most`, where the loop counts `done`; `Date.now() - started > budget`.
    fn is_budget(&self, facts: &Facts, condition: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match facts.expr(condition) {
            ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| self.is_budget(facts, part, depth)),
            ExprKind::Op(Op::Compare, parts) => {
                parts.iter().any(|&part| self.counts(facts, part) || asks_time(facts, part, 4))
            }
            _ => false,
        }
    }

    /// Whether a name gets a new value in each round.
    fn counts(&self, facts: &Facts, expr: ExprId) -> bool {
        let ExprKind::Ref(name, block) = *facts.expr(expr) else { return false };
        let def = facts.lookup(block, name);
        let inside = facts.blocks.iter().filter(|block| self.region.contains(block.span));
        let outside = def.is_some_and(|def| !self.region.contains(facts.def(def).span));
        outside
            && inside.flat_map(|block| &block.steps).any(|step| {
                matches!(step, Step::Bind(other, value)
                if Some(*other) == def && !matches!(facts.expr(*value), ExprKind::ElementOf(_)))
            })
    }

    /// Whether it waits between two elements.
    pub fn pauses(&self, program: &Program) -> bool {
        program.wait_within(self.place.file, self.region) != Wait::None
    }
}

/// `i < items.length`: the collection that an index runs through.
fn run_through(facts: &Facts, head: ExprId, block: BlockId) -> Option<ExprId> {
    let ExprKind::Op(Op::Compare, parts) = facts.expr(head) else { return None };
    let list = parts.iter().find_map(|&part| match *facts.expr(part) {
        ExprKind::Member(base, name) if name == "length" || name == "size" => Some(base),
        _ => None,
    })?;
    let is_counter = |def: DefId| {
        let name = facts.def(def).name;
        parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Ref(other, _) if *other == name))
    };
    // `i += 10` takes a part at a time.
    let steps = facts.blocks.iter().filter(|inner| facts.block(block).span.contains(inner.span));
    let by_one = |value: ExprId| match facts.expr(value) {
        ExprKind::Op(Op::Add | Op::Arithmetic, parts) => {
            parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(n) if *n == 1.0))
        }
        _ => true,
    };
    let mut binds = steps.flat_map(|inner| &inner.steps).filter_map(|step| match step {
        Step::Bind(def, value) if is_counter(*def) => Some(*value),
        _ => None,
    });
    binds.all(by_one).then_some(list)
}

/// Whether an expression asks what time it is.
fn asks_time(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Op(_, parts) => parts.iter().any(|&part| asks_time(facts, part, depth)),
        ExprKind::Call(call) => {
            let callee = facts.call(*call).callee;
            matches!(facts.expr(callee), ExprKind::Member(base, name)
                if matches!(name.as_str(), "now" | "time" | "monotonic" | "perf_counter")
                    && matches!(facts.expr(*base), ExprKind::Ref(object, _)
                        if matches!(object.as_str(), "Date" | "time" | "performance")))
        }
        _ => false,
    }
}

/// Whether a condition says that something went wrong: `!res.ok`, `error`, `result.error`.
fn is_failure(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, _) => true,
        ExprKind::Op(Op::Unequal | Op::Equal | Op::And | Op::Or, parts) => {
            parts.iter().any(|&part| is_failure(facts, part, depth))
        }
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            let name = name.to_ascii_lowercase();
            ["error", "err", "fail"].iter().any(|word| name.contains(word))
        }
        _ => false,
    }
}
