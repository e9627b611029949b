//! Where a piece of code is started from: the entry points whose way leads to it.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{ExprKind, FunctionId};
use crate::finding::{FileId, Remark};
use crate::program::{CallRef, Edge, EdgeKind, Entry, EntryKind, FunctionRef, Program};

/// The graph read backwards.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The edges, sorted by what they make run.
    edges: Vec<Edge>,
    /// The entries that a function serves.
    entries: FxHashMap<FunctionRef, Vec<usize>>,
}

/// An entry point that a function is reached from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Index into the program's entries.
    pub entry: usize,
    /// The edges from the entry's function to it, in the order they run.
    pub way: Vec<Edge>,
}

impl Program {
    fn backwards(&self) -> &Incoming {
        self.incoming.get_or_init(|| {
            let mut edges = self.graph.edges.to_vec();
            edges.sort_unstable_by_key(|edge| (edge.target, edge.call, edge.kind));
            let mut entries: FxHashMap<FunctionRef, Vec<usize>> = FxHashMap::default();
            for (at, entry) in self.entries.iter().enumerate() {
                entries.entry(entry.function).or_default().push(at);
            }
            Incoming { edges, entries }
        })
    }

    /// The edges that make a function run.
    pub fn incoming(&self, function: FunctionRef) -> &[Edge] {
        let edges = &self.backwards().edges;
        let from = edges.partition_point(|edge| edge.target < function);
        let to = edges.partition_point(|edge| edge.target <= function);
        &edges[from..to]
    }

    /// The entries that a function serves: indices into the program's.
    pub fn entries_of(&self, function: FunctionRef) -> &[usize] {
        self.backwards().entries.get(&function).map_or(&[], Vec::as_slice)
    }

    /// The entry points that a function is reached from, nearest first, each by its shortest way. A way ends at the
    /// first entry point it meets.
    pub fn origins(&self, function: FunctionRef) -> Vec<Origin> {
        self.started(function, None)
    }

    /// The entry points that a call is reached from: [`Program::origins`] of its function, less those whose way
    /// switches it off.
    pub fn origins_of(&self, call: CallRef) -> Vec<Origin> {
        self.started(self.function_of(call), Some(call))
    }

    fn started(&self, function: FunctionRef, call: Option<CallRef>) -> Vec<Origin> {
        /// Enough for any real function; a bound against programs made to be large.
        const MOST_FUNCTIONS: usize = 2_000;
        let mut found = Vec::new();
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::from_iter([function]);
        let mut queue: VecDeque<(FunctionRef, Vec<Edge>)> = VecDeque::from([(function, vec![])]);
        while let Some((at, way)) = queue.pop_front() {
            let entries = self.entries_of(at);
            if !entries.is_empty() {
                let way: Vec<Edge> = way.iter().rev().copied().collect();
                found.extend(entries.iter().map(|&entry| Origin { entry, way: way.clone() }));
                continue;
            }
            if seen.len() > MOST_FUNCTIONS {
                break;
            }
            let incoming = self.incoming(at);
            let next = way.last().map_or(call, |edge| Some(edge.call));
            for &edge in incoming {
                let from = self.function_of(edge.call);
                if next.is_some_and(|next| self.is_switched_off(next, &edge)) {
                    continue;
                }
                if seen.insert(from) {
                    let mut way = way.clone();
                    way.push(edge);
                    queue.push_back((from, way));
                }
            }
            // A function that nothing is seen to run belongs to the one it is written in, but for what a decorator
            // takes: whoever that hands it to runs it, on another day.
            let own = self.facts(at.file).function(at.function);
            let parent = own.parent.filter(|_| own.decorators.is_empty());
            if incoming.is_empty()
                && let Some(parent) = parent
                && parent != FunctionId::MODULE
                && seen.insert(FunctionRef::new(at.file, parent))
            {
                queue.push_back((FunctionRef::new(at.file, parent), way));
            }
        }
        found
    }

    /// Whether all that is known to start a function is run by hand.
    pub fn is_run_by_hand(&self, origins: &[Origin]) -> bool {
        !origins.is_empty() && origins.iter().all(|origin| self.entries[origin.entry].kind == EntryKind::Script)
    }

    /// Whether a file of Python is a script that somebody runs by hand: all that starts in it stands under
    /// `if __name__ == "__main__":`, and nothing imports it.
    pub fn is_hand_script(&self, file: FileId) -> bool {
        let mut own = self.entries.iter().filter(|entry| entry.place.file == file).peekable();
        let by_hand = |entry: &Entry| entry.kind == EntryKind::Script && entry.framework == "python";
        own.peek().is_some() && own.all(by_hand) && self.modules.importers(file).is_empty()
    }

    /// Whether only scripts run by hand and tests make a function run: it is called, and nothing that is deployed calls
    /// it or takes it from its module.
    pub fn is_only_for_tooling(&self, function: FunctionRef) -> bool {
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::from_iter([function]);
        let mut open = vec![function];
        let mut own = vec![];
        while let Some(at) = open.pop() {
            if self.side(at.file).tooling {
                continue;
            }
            let incoming = self.incoming(at);
            if incoming.is_empty() || !self.entries_of(at).is_empty() {
                return false;
            }
            own.push(at);
            let from = incoming.iter().map(|edge| self.function_of(edge.call));
            open.extend(from.filter(|&from| seen.insert(from)));
        }
        // The whole program is asked last: few functions come so far.
        own.len() < seen.len() && !own.iter().any(|&at| self.is_taken_by_deployed(at))
    }

    /// Whether a file that is deployed imports a function by its name, or asks some value for a member of that name:
    /// which class stands behind an interface is not always seen.
    fn is_taken_by_deployed(&self, function: FunctionRef) -> bool {
        let Some(name) = self.facts(function.file).function(function.function).name else { return false };
        self.code().any(|(file, facts)| {
            let side = self.side(file);
            let imports = || facts.imports.iter().flat_map(|import| &import.names).any(|&taken| taken == name);
            let members = || facts.members().any(|(_, (_, member))| member == name);
            !side.tooling && !side.dead && (imports() || members())
        })
    }

    /// Whether a function reads a setting whose name holds one of these words: `process.env.CRON_SECRET`.
    pub fn asks_for(&self, function: FunctionRef, words: &[&str]) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let is_setting = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                && words.iter().any(|word| name.contains(word))
        };
        let named = |kind: &ExprKind| match kind {
            ExprKind::Text(text) => is_setting(text),
            ExprKind::Member(_, name) | ExprKind::Env(name) => is_setting(name),
            _ => false,
        };
        facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match expr.kind {
            // `const cronSecret = process.env.CRON_SECRET` at the head of the file.
            ExprKind::Ref(name, block) => facts.lookup(block, name).is_some_and(|def| {
                facts.def(def).values.iter().any(|&value| {
                    named(facts.expr(value))
                        || matches!(facts.expr(value), ExprKind::Call(call)
                            if facts.call(*call).args.iter().any(|arg| named(facts.expr(arg.value))))
                        || matches!(facts.expr(value), ExprKind::Op(_, parts)
                            if parts.iter().any(|&part| named(facts.expr(part))))
                })
            }),
            _ => named(&expr.kind),
        })
    }

    /// The trace from an origin to a call; empty when the way crosses no function.
    pub fn trace_from(&self, origin: &Origin, last: CallRef, last_text: &str) -> Vec<Remark> {
        if origin.way.is_empty() || origin.way.iter().all(|edge| edge.kind == EdgeKind::Callback) {
            return vec![];
        }
        let entry = &self.entries[origin.entry];
        self.trace(entry.place, &self.entry_name(entry), &origin.way, last, last_text)
    }

    /// An entry point in words: `POST /api/pay`, `the function send-mail`, `the job sync`.
    pub fn entry_name(&self, entry: &Entry) -> String {
        let own = entry.name.map_or_else(|| self.function_name(entry.function), |name| name.to_string());
        let route = entry.route.map(|route| match &entry.methods[..] {
            [] => route.to_string(),
            methods => {
                format!("{} {route}", methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join("/"))
            }
        });
        match entry.kind {
            EntryKind::Route | EntryKind::Page => route.unwrap_or(own),
            EntryKind::Middleware if own == "middleware" => "the middleware".to_owned(),
            EntryKind::Middleware => format!("the middleware {own}"),
            EntryKind::EdgeFunction => format!("the function {own}"),
            EntryKind::ServerAction => format!("the server action {own}"),
            EntryKind::Procedure => format!("the procedure {own}"),
            EntryKind::Hook => format!("the hook {own}"),
            EntryKind::Job => format!("the job {own}"),
            EntryKind::Worker => format!("the worker {own}"),
            EntryKind::Event | EntryKind::Effect => own,
            EntryKind::Script => format!("the script {own}"),
            EntryKind::Load => format!("loading {own}"),
        }
    }
}
