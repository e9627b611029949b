//! The call graph: what each call calls, who calls a function, and the jumps over HTTP.

use rustc_hash::FxHashMap;

use crate::catalogue::{Catalogue, KnownRole};
use crate::facts::{CallId, FunctionId};
use crate::finding::FileId;
use crate::program::by_file::ByFile;
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

/// Why a function runs when a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// It is what is called.
    Direct,
    /// It is handed to what is called, which runs it on the way (`items.map(f)`, `.then(f)`, `withRetry(f)`).
    Callback,
    /// It serves the request that the call sends: an entry point of this program.
    Jump,
    /// It is handed to something that runs it later: a queue, `waitUntil`, `setTimeout`.
    Deferred,
}

/// A call that makes a function run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// The call.
    pub call: CallRef,
    /// What runs.
    pub target: FunctionRef,
    /// Why.
    pub kind: EdgeKind,
}

/// The call graph.
#[derive(Default)]
pub struct Graph {
    /// What each call of each file calls.
    pub(crate) callees: Vec<Vec<Value>>,
    /// What the catalogue says of what each call of each file calls.
    pub(crate) roles: Vec<Box<[Roles]>>,
    /// The calls of each function of each file, in evaluation order.
    pub(crate) calls: Vec<Vec<Vec<CallId>>>,
    /// The edges that leave each call, sorted by call.
    pub(crate) edges: ByFile<Edge>,
    /// What is called directly, and by which call; sorted.
    pub(crate) callers: (ByFile<FunctionRef>, Vec<CallRef>),
    /// The elements that render a component.
    pub(crate) elements: FxHashMap<FunctionRef, Vec<ExprRef>>,
}

/// The roles of libraries' functions that a call's callee may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Roles(u32);

impl Roles {
    /// What the catalogue says of a callee.
    pub(crate) fn of(callee: &Value, catalogue: &Catalogue) -> Self {
        let known = callee.externals().filter_map(|external| catalogue.known(external.package, &external.segs));
        Self(known.fold(0, |roles, known| roles | 1 << known.role as u32))
    }

    pub(crate) fn has(self, role: KnownRole) -> bool {
        self.0 & 1 << role as u32 != 0
    }
}

impl Graph {
    /// What the catalogue says of what a call calls.
    pub(crate) fn roles_of(&self, call: CallRef) -> Roles {
        self.roles.get(call.file.index()).and_then(|calls| calls.get(call.call.index())).copied().unwrap_or_default()
    }

    /// What a call calls.
    pub fn callee(&self, call: CallRef) -> &Value {
        static UNKNOWN: Value = Value::Unknown;
        self.callees.get(call.file.index()).and_then(|calls| calls.get(call.call.index())).unwrap_or(&UNKNOWN)
    }
}

impl Program {
    /// The calls that stand in a function, in evaluation order; those of functions written inside it are not among them.
    pub fn calls_in(&self, function: FunctionRef) -> impl Iterator<Item = CallRef> + '_ {
        let calls = &self.graph.calls[function.file.index()][function.function.index()];
        calls.iter().map(move |&call| CallRef::new(function.file, call))
    }

    /// Every call of a file.
    pub fn calls_of(&self, file: FileId) -> impl Iterator<Item = CallRef> + '_ {
        let count = self.file(file).facts.as_ref().map_or(0, |facts| facts.calls.len());
        (0..count as u32).map(move |call| CallRef::new(file, CallId(call)))
    }

    /// What runs when a call does.
    pub fn edges(&self, call: CallRef) -> &[Edge] {
        self.graph.edges.at(call.file, call.call, |edge| edge.call.call)
    }

    /// Whether an edge leads to a part of a graph or to a tool, of which not all run each time.
    pub fn is_run_by_choice(&self, edge: &Edge) -> bool {
        let is_method = |value: &Value| matches!(value, Value::Member(of, _) if of.functions().any(|function| function == edge.target));
        self.has_role(edge.call, KnownRole::RunComposed)
            || edge.kind == EdgeKind::Callback && self.callee(edge.call).alternatives().iter().any(is_method)
    }

    /// Every edge, sorted by call.
    pub fn all_edges(&self) -> &[Edge] {
        &self.graph.edges
    }

    /// The calls that call a function directly.
    pub fn callers(&self, function: FunctionRef) -> &[CallRef] {
        let (called, calls) = &self.graph.callers;
        &calls[called.range_at(function.file, function.function, |called| called.function)]
    }

    /// The functions of a file.
    pub fn functions(&self, file: FileId) -> impl Iterator<Item = FunctionRef> + '_ {
        let count = self.file(file).facts.as_ref().map_or(0, |facts| facts.functions.len());
        (0..count as u32).map(move |function| FunctionRef::new(file, FunctionId(function)))
    }
}
