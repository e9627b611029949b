//! Which definitions, fields and function results of a file depend on each other in a circle.
//!
//! A value that depends on itself has no finite spelling: what a circle's members say of each other contributes
//! nothing. Deciding that ahead, from the syntax, makes the outcome the same whoever asks first, and keeps
//! evaluation from walking every path through a circle.

use rustc_hash::FxHashMap;

use super::Returns;
use crate::facts::{ClassId, DefId, ExprId, ExprKind, Facts, FunctionId};
use crate::names::Name;

/// Something with a value: a definition, what a function returns, a field of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Def(DefId),
    Result(FunctionId),
    Field(ClassId, Name),
}

/// The circles of a file.
#[derive(Debug, Default)]
pub struct Circles {
    circle_of: FxHashMap<Node, u32>,
}

impl Circles {
    /// Finds the circles.
    pub(super) fn new(facts: &Facts, returns: &Returns) -> Self {
        let defs = facts.defs.len() as u32;
        let mut graph = Graph {
            facts,
            returns,
            results: vec![UNSEEN; facts.functions.len()],
            fields: FxHashMap::default(),
            nodes: (0..defs).map(|def| Node::Def(DefId(def))).collect(),
            edges: vec![],
            runs: vec![0],
            open: vec![],
        };
        let mut at = 0;
        while at < graph.nodes.len() {
            graph.expand(at);
            at += 1;
        }
        Self { circle_of: circles(&graph) }
    }

    /// Whether two are in the same circle (or one depends on itself).
    pub(super) fn same(&self, a: Node, b: Node) -> bool {
        matches!((self.circle_of.get(&a), self.circle_of.get(&b)), (Some(a), Some(b)) if a == b)
    }
}

const UNSEEN: u32 = u32::MAX;

struct Graph<'f> {
    facts: &'f Facts,
    returns: &'f Returns,
    /// The numbers of function results and of fields; a definition's is its own.
    results: Vec<u32>,
    fields: FxHashMap<(ClassId, Name), u32>,
    nodes: Vec<Node>,
    /// What each node reads, one run a node.
    edges: Vec<u32>,
    runs: Vec<u32>,
    /// Expressions to look into.
    open: Vec<ExprId>,
}

impl Graph<'_> {
    fn id(&mut self, node: Node) -> u32 {
        let next = self.nodes.len() as u32;
        let id = match node {
            Node::Def(def) => return def.0,
            Node::Result(function) => &mut self.results[function.index()],
            Node::Field(class, name) => self.fields.entry((class, name)).or_insert(UNSEEN),
        };
        if *id == UNSEEN {
            *id = next;
            self.nodes.push(node);
            return next;
        }
        *id
    }

    /// What a node reads.
    fn edges(&self, node: usize) -> &[u32] {
        &self.edges[self.runs[node] as usize..self.runs[node + 1] as usize]
    }

    /// Notes what a node's values read.
    fn expand(&mut self, at: usize) {
        let facts = self.facts;
        let mut open = std::mem::take(&mut self.open);
        match self.nodes[at] {
            Node::Def(def) => open.extend(&facts.def(def).values),
            Node::Field(class, name) => {
                let fields = facts.classes[class.index()].fields.iter();
                open.extend(fields.filter(|field| field.name == name).filter_map(|field| field.value));
            }
            Node::Result(function) => open.extend(self.returns.of(function)),
        }
        // An expression can be shared by many definitions, but each reads only what stands in it.
        let mut budget = 20_000;
        while let Some(expr) = open.pop() {
            budget -= 1;
            if budget == 0 {
                break;
            }
            self.reads(expr, &mut open);
        }
        open.clear();
        self.open = open;
        self.runs.push(self.edges.len() as u32);
    }

    fn edge(&mut self, to: Node) {
        let to = self.id(to);
        self.edges.push(to);
    }

    fn reads(&mut self, expr: ExprId, open: &mut Vec<ExprId>) {
        let facts = self.facts;
        match facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                if let Some(def) = facts.lookup(*block, *name) {
                    self.edge(Node::Def(def));
                }
            }
            ExprKind::Member(base, name) => {
                if let ExprKind::This(class) = facts.expr(*base) {
                    self.edge(Node::Field(*class, *name));
                    let getter = facts.classes[class.index()].methods.iter().find(|m| m.name == *name && m.is_getter);
                    if let Some(getter) = getter {
                        self.edge(Node::Result(getter.function));
                    }
                }
                open.push(*base);
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                if let Some(function) = self.callee(call.callee) {
                    self.edge(Node::Result(function));
                }
                open.push(call.callee);
                for arg in &call.args {
                    // A callback's result can be the call's: `.then(f)`, `useMemo(f)`.
                    if let Some(function) = self.callee(arg.value) {
                        self.edge(Node::Result(function));
                    }
                    open.push(arg.value);
                }
            }
            ExprKind::Template(parts) | ExprKind::List(parts) | ExprKind::Op(_, parts) => open.extend(parts.iter()),
            ExprKind::Object(entries) => open.extend(entries.iter().map(|&(_, value)| value)),
            ExprKind::Index(base, index) => open.extend([*base, *index]),
            ExprKind::Await(inner) | ExprKind::Spread(inner) | ExprKind::ElementOf(inner) => open.push(*inner),
            _ => {}
        }
    }

    /// The function of this file that an expression plainly is.
    fn callee(&self, expr: ExprId) -> Option<FunctionId> {
        let facts = self.facts;
        match facts.expr(expr) {
            ExprKind::Function(function) => Some(*function),
            ExprKind::Ref(name, block) => {
                let def = facts.def(facts.lookup(*block, *name)?);
                def.values.iter().find_map(|&value| match facts.expr(value) {
                    ExprKind::Function(function) => Some(*function),
                    _ => None,
                })
            }
            ExprKind::Member(base, name) => {
                let ExprKind::This(class) = facts.expr(*base) else { return None };
                let methods = &facts.classes[class.index()].methods;
                methods.iter().find(|method| method.name == *name).map(|method| method.function)
            }
            _ => None,
        }
    }
}

/// Tarjan's strongly connected components, without recursion; only those that are circles are numbered.
fn circles(graph: &Graph<'_>) -> FxHashMap<Node, u32> {
    let nodes = &graph.nodes;
    let mut order = vec![UNSEEN; nodes.len()];
    let mut low = vec![0u32; nodes.len()];
    let mut on_stack = vec![false; nodes.len()];
    let (mut stack, mut found) = (Vec::new(), FxHashMap::default());
    let mut work: Vec<(usize, usize)> = Vec::new();
    let (mut next, mut circle) = (0u32, 0u32);
    for start in 0..nodes.len() {
        if order[start] != UNSEEN {
            continue;
        }
        work.push((start, 0));
        while let Some(&mut (node, ref mut edge)) = work.last_mut() {
            if *edge == 0 {
                order[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&to) = graph.edges(node).get(*edge) {
                *edge += 1;
                let to = to as usize;
                if order[to] == UNSEEN {
                    work.push((to, 0));
                } else if on_stack[to] {
                    low[node] = low[node].min(order[to]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == order[node] {
                let from = stack.iter().rposition(|&other| other == node).unwrap_or(0);
                let members = stack.split_off(from);
                let is_circle = members.len() > 1 || graph.edges(node).contains(&(node as u32));
                for member in members {
                    on_stack[member] = false;
                    if is_circle {
                        found.insert(nodes[member], circle);
                    }
                }
                circle += 1;
            }
        }
    }
    found
}
