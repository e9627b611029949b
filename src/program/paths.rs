//! Ways through the program: what a function makes run, by which calls, in which order.

use rustc_hash::FxHashSet;

use crate::facts::FunctionId;
use crate::finding::{Place, Remark};
use crate::program::{CallRef, Edge, EdgeKind, FunctionRef, Program};

/// A function on the way, and how it was come by.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// The function.
    pub function: FunctionRef,
    /// The edge that leads here; none for the start.
    pub via: Option<Edge>,
    /// The stop the edge leaves.
    from: Option<usize>,
}

/// Everything reached from a function, nearest first.
#[derive(Debug)]
pub struct Reach {
    /// The stops, the start first.
    pub stops: Vec<Stop>,
}

impl Reach {
    /// The edges from the start to a stop, in the order they run.
    pub fn way(&self, stop: usize) -> Vec<Edge> {
        let mut way = Vec::new();
        let mut at = Some(stop);
        while let Some(index) = at {
            let stop = self.stops[index];
            way.extend(stop.via);
            at = stop.from;
        }
        way.reverse();
        way
    }
}

impl Program {
    /// What `start` makes run, breadth first, along the edges that `follow` lets pass. Functions written inside a
    /// function and run by it (callbacks) count; each function is reached once, by its shortest way.
    pub fn reach(&self, start: FunctionRef, mut follow: impl FnMut(Edge) -> bool) -> Reach {
        /// Enough for any real entry point; a bound against programs made to be large.
        const MOST_STOPS: usize = 4_000;
        let mut stops = vec![Stop { function: start, via: None, from: None }];
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::from_iter([start]);
        let mut at = 0;
        while at < stops.len() && stops.len() < MOST_STOPS {
            let calls: Vec<CallRef> = self.calls_in(stops[at].function).collect();
            for call in calls {
                for &edge in self.edges(call) {
                    if !seen.contains(&edge.target) && follow(edge) {
                        seen.insert(edge.target);
                        stops.push(Stop { function: edge.target, via: Some(edge), from: Some(at) });
                    }
                }
            }
            at += 1;
        }
        Reach { stops }
    }

    /// The steps of a way as remarks: where it starts, every call that leads on, and the last call.
    pub fn trace(&self, start: Place, start_text: &str, way: &[Edge], last: CallRef, last_text: &str) -> Vec<Remark> {
        let mut steps = vec![Remark { place: start, text: start_text.to_owned() }];
        for edge in way {
            let name = self.function_name(edge.target);
            let text = match edge.kind {
                EdgeKind::Direct => format!("calls {name}"),
                EdgeKind::Callback => format!("runs {name} on the way"),
                EdgeKind::Jump => format!("sends a request that {} serves", self.file(edge.target.file).path),
                EdgeKind::Deferred => format!("leaves {name} to run later"),
            };
            steps.push(Remark { place: self.call_place(edge.call), text });
        }
        steps.push(Remark { place: self.call_place(last), text: last_text.to_owned() });
        steps
    }

    /// A function's name for messages; `the callback in line 12` when it has none.
    pub fn function_name(&self, function: FunctionRef) -> String {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        match (shape.name, shape.class.and_then(|class| facts.classes[class.index()].name)) {
            (Some(name), Some(class)) => format!("{class}.{name}"),
            (Some(name), None) => name.to_string(),
            (None, _) if shape.parent.is_none() => format!("the module {}", self.file(function.file).path),
            (None, _) => format!("the callback in line {}", facts.line_column(shape.span.start).0),
        }
    }

    /// The place of a function's head.
    pub fn function_place(&self, function: FunctionRef) -> Place {
        Place { file: function.file, span: self.facts(function.file).function(function.function).span }
    }

    /// The functions written inside a function, at any depth, itself first.
    pub fn with_inner(&self, function: FunctionRef) -> Vec<FunctionRef> {
        let facts = self.facts(function.file);
        let outer = facts.function(function.function).span;
        let inside = facts.functions.iter().enumerate().filter(|(at, shape)| {
            *at == function.function.index()
                || (function.function.index() != 0 && outer.contains(shape.span) && *at > function.function.index())
        });
        inside.map(|(at, _)| FunctionRef::new(function.file, FunctionId(at as u32))).collect()
    }
}
