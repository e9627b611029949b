//! Promises that nobody waits for: calls that ask a vendor or write, started and left.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Effect, KnownRole, Seg};
use crate::facts::{CallId, ExprId, ExprKind, FunctionId};
use crate::finding::FileId;
use crate::program::origins::Origin;
use crate::program::values::readers::Use;
use crate::program::{CallRef, EdgeKind, EntryKind, External, FunctionRef, Leaves, Program};

/// A promise that nobody waits for.
#[derive(Debug, Clone, Copy)]
pub struct Floating {
    /// The call that is left.
    pub at: CallRef,
    /// The call that asks the vendor or writes; the same when it stands there itself.
    pub acts: CallRef,
    /// Its failure is caught, in a chain or inside.
    pub caught: bool,
    /// It runs as a task that nobody keeps: `asyncio.create_task(tell(order))`.
    pub task: bool,
}

/// Whether a promise is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It is thrown away.
    Dropped,
    /// It is kept in something that may never be read.
    Perhaps,
}

/// Finds them; remembers functions.
pub struct Search<'p> {
    program: &'p Program,
    /// What each function does at last, and whether its failure gets out.
    known: FxHashMap<FunctionRef, Option<(CallRef, bool)>>,
    open: FxHashSet<FunctionRef>,
}

impl<'p> Search<'p> {
    /// Knows nothing yet.
    pub fn new(program: &'p Program) -> Self {
        Self { program, known: FxHashMap::default(), open: FxHashSet::default() }
    }

    /// Every promise of server code that nobody waits for and that asks a vendor or writes.
    pub fn all(&mut self) -> Vec<Floating> {
        let program = self.program;
        let mut found = Vec::new();
        for (file, _) in program.code().filter(|(file, _)| program.runs_on_server(*file)) {
            for call in program.calls_of(file) {
                found.extend(self.floating(call));
            }
        }
        found
    }

    fn floating(&mut self, call: CallRef) -> Option<Floating> {
        let program = self.program;
        if program.is_task_left(call) {
            let (acts, escapes) = self.acts(call)?;
            return Some(Floating { at: call, acts, caught: !escapes, task: true });
        }
        let left = self.may_float(call)?;
        let (acts, escapes) = self.acts(call)?;
        let last = program.chain(call).last().map_or(call, |(outer, _)| outer);
        if left == Left::Perhaps && !self.is_kept_for_nothing(last) {
            return None;
        }
        let gatherer = program.gathered_by(call);
        let settles = gatherer.and_then(|gatherer| program.external(gatherer));
        let guarded = std::iter::once(call).chain(gatherer).any(|call| {
            program.chain(call).any(|(at, name)| name == "catch" || name == "then" && args(program, at) > 1)
        }) || settles.is_some_and(|external| external.dotted() == "Promise.allSettled");
        Some(Floating { at: call, acts, caught: guarded || !escapes, task: false })
    }

    /// Whether nothing takes what a call gives, as far as it is cheap to tell.
    fn may_float(&self, call: CallRef) -> Option<Left> {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        if shape.awaited || shape.is_new || facts.function_of(shape.block) == FunctionId::MODULE {
            return None;
        }
        let last = program.chain(call).last().map_or(call.call, |(outer, _)| outer.call);
        let outer = facts.call(last);
        if outer.awaited {
            return None;
        }
        if !facts.language.is_script() {
            let coroutine = outer.dropped
                && (last == call.call && program.is_of_async_client(call)
                    || self.targets(call).any(|target| self.is_async(target)));
            return coroutine.then_some(Left::Dropped);
        }
        let goes = !program.is_deferred(call)
            && (program.handed_to(call).next().is_none() || program.is_floating(call))
            // `prices.list(options, (error, found) => ..)`: the callback has it.
            && !shape.args.iter().any(|arg| matches!(facts.expr(arg.value), ExprKind::Function(_)) && !is_for_each(program, call));
        goes.then_some(if program.is_floating(call) { Left::Dropped } else { Left::Perhaps })
    }

    fn is_kept_for_nothing(&self, call: CallRef) -> bool {
        let facts = self.program.facts(call.file);
        let readers = self.program.readers(call.file);
        let uses = readers.uses(facts.call(call.call).expr);
        !uses.is_empty()
            && uses.iter().all(|used| match used {
                Use::Kept(def) => {
                    let def_of = facts.def(*def);
                    facts.function_of(def_of.block) != FunctionId::MODULE && readers.reads(*def).is_empty()
                }
                _ => false,
            })
    }

    fn targets(&self, call: CallRef) -> impl Iterator<Item = FunctionRef> + 'p {
        let kind = if is_for_each(self.program, call) { EdgeKind::Callback } else { EdgeKind::Direct };
        self.program.edges(call).iter().filter(move |edge| edge.kind == kind).map(|edge| edge.target)
    }

    fn is_async(&self, function: FunctionRef) -> bool {
        self.program.facts(function.file).function(function.function).is_async
    }

    /// What a call does at a vendor or database, itself or in an asynchronous function of the program.
    fn acts(&mut self, call: CallRef) -> Option<(CallRef, bool)> {
        if self.acts_itself(call) {
            return Some((call, true));
        }
        let targets: Vec<FunctionRef> = self.targets(call).filter(|&target| self.is_async(target)).collect();
        targets.into_iter().find_map(|target| self.of_function(target, 6))
    }

    fn of_function(&mut self, function: FunctionRef, depth: usize) -> Option<(CallRef, bool)> {
        if let Some(known) = self.known.get(&function) {
            return *known;
        }
        if depth == 0 || !self.open.insert(function) {
            return None;
        }
        let program = self.program;
        let mut best: Option<(CallRef, bool)> = None;
        for call in program.calls_in(function) {
            // What keeps the instance alive by itself floats on purpose.
            if program.has_role(call, KnownRole::Defer) {
                best = None;
                break;
            }
            let acts = if self.acts_itself(call) {
                Some((call, true))
            } else {
                let targets: Vec<FunctionRef> = program
                    .edges(call)
                    .iter()
                    .filter(|edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback))
                    .map(|edge| edge.target)
                    .collect();
                targets.into_iter().find_map(|target| self.of_function(target, depth - 1))
            };
            let Some((at, escapes)) = acts else { continue };
            let escapes = escapes && !self.gives_errors(call) && program.guards(call).is_empty();
            if best.is_none() || escapes {
                best = Some((at, escapes));
            }
            if escapes {
                break;
            }
        }
        self.open.remove(&function);
        // What met a cycle may be more than was seen: it is not remembered.
        if self.open.is_empty() || best.is_some() {
            self.known.insert(function, best);
        }
        best
    }

    fn gives_errors(&self, call: CallRef) -> bool {
        self.program.vendors_at(call).iter().any(|used| self.program.gives_errors(used))
    }

    /// Whether a call itself asks a vendor, sends a request out, or writes, by a promise.
    fn acts_itself(&self, call: CallRef) -> bool {
        let program = self.program;
        let requests = program.requests_at(call);
        if !requests.is_empty() {
            return requests.iter().any(|http| {
                let client = program.http_client(http);
                let callback = client.package.starts_with("node:") || client.package.starts_with("py:");
                let tracks = program.vendors_at(call).iter().any(|used| {
                    program
                        .operation(used)
                        .is_some_and(|operation| matches!(operation.effect, Effect::Track | Effect::Sign))
                });
                !callback && !tracks && http.inner == call && program.leaves(http) == Leaves::Yes
            });
        }
        let uses = program.vendors_at(call);
        let sdk = uses.iter().any(|used| {
            program.operation(used).is_some_and(|operation| operation.effect.changes_something() && !operation.harmless)
        });
        sdk || program.callee(call).externals().any(|external| {
            let known = program.catalogue.known(external.package, &external.segs);
            known.is_some_and(|known| known.role == KnownRole::Write && known.is_async)
        })
    }
}

fn args(program: &Program, call: CallRef) -> usize {
    program.facts(call.file).call(call.call).args.len()
}

/// `items.forEach(async (item) => ..)`: what the callback returns is dropped.
fn is_for_each(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    matches!(facts.expr(facts.call(call.call).callee), ExprKind::Member(_, name) if *name == "forEach")
}

impl Program {
    /// Whether a call is a method of a Python client whose methods are coroutines, by the name that the SDKs give it
    /// (`AsyncOpenAI(..)`, `httpx.AsyncClient()`), or as the catalogue says.
    fn is_of_async_client(&self, call: CallRef) -> bool {
        let known = |external: &External| {
            let known = self.catalogue.known(external.package, &external.segs);
            known.is_some_and(|known| known.lazy)
        };
        let mut externals = self.callee(call).externals().peekable();
        if externals.peek().is_some() && externals.all(known) {
            return true;
        }
        let is_async = |name: &str| {
            name.strip_prefix("Async").is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()))
        };
        self.callee(call).externals().any(|external| {
            external.segs.windows(2).any(|pair| match pair {
                [Seg::Member(name), made] => is_async(name) && !matches!(made, Seg::Member(_)),
                _ => false,
            })
        })
    }

    /// Whether a call gives the coroutine of a task that nobody keeps.
    fn is_task_left(&self, call: CallRef) -> bool {
        let Some(outer) = self.handed_to(call).next() else { return false };
        let facts = self.facts(outer.file);
        let first = facts.call(outer.call).args.first().map(|arg| arg.value);
        let held_weakly = |external: &External| {
            self.catalogue.known(external.package, &external.segs).is_some_and(|known| known.held_weakly)
        };
        facts.call(outer.call).dropped
            && first == Some(facts.call(call.call).expr)
            && self.chain(outer).next().is_none()
            && self.callee(outer).externals().any(held_weakly)
    }

    /// Whether what is left writes the stream that the answer is, and closes it when its work is done: the answer is
    /// not over before.
    pub fn feeds_answer(&self, floating: &Floating) -> bool {
        self.callee(floating.at).functions().any(|function| {
            let facts = self.facts(function.file);
            let writer = |base: ExprId| {
                let ExprKind::Ref(name, block) = *facts.expr(base) else { return false };
                let values = facts.lookup(block, name).map(|def| &facts.def(def).values[..]).unwrap_or_default();

                values.iter().any(|&value| match facts.expr(value) {
                    ExprKind::Call(call) => {
                        matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(_, name) if *name == "getWriter")
                    }
                    ExprKind::Param(..) => name == "controller",
                    _ => false,
                })
            };
            let closes = self.calls_in(function).filter_map(|at| {
                let shape = facts.call(at.call);
                match *facts.expr(shape.callee) {
                    ExprKind::Member(base, name) if name == "close" && writer(base) => Some(facts.span(shape.expr).start),
                    _ => None,
                }
            });
            let here = self.function_of(floating.acts) == function;
            let acts = self.call_place(floating.acts).span.end;
            closes.max().is_some_and(|close| !here || acts <= close)
        })
    }

    /// Whether the unit that a file belongs to logs rejections that nobody handles, and goes on.
    pub fn logs_rejections(&self, file: FileId) -> bool {
        let units = self.units(file);
        self.code().filter(|(other, _)| self.units(*other).iter().any(|unit| units.contains(unit))).any(|(other, facts)| {
            facts.calls.iter().enumerate().any(|(at, call)| {
                let [event, handler, ..] = &call.args[..] else { return false };
                if !matches!(facts.expr(event.value), ExprKind::Text(text) if *text == "unhandledRejection") {
                    return false;
                }
                let handler = match *facts.expr(handler.value) {
                    ExprKind::Function(function) => Some(FunctionRef::new(other, function)),
                    _ => self.value(crate::program::ExprRef::new(other, handler.value)).functions().next(),
                };
                let exits = |function: FunctionRef| {
                    self.calls_in(function).any(|call| self.has_role(call, KnownRole::Leave) || self.call_text(call).ends_with("exit"))
                };
                let is_on = matches!(facts.expr(facts.call(CallId(at as u32)).callee), ExprKind::Member(_, name) if *name == "on");
                is_on && handler.is_some_and(|handler| !exits(handler))
            })
        })
    }

    /// Whether a framework that can run on either is built as a server of its own: its settings say
    /// `output: "standalone"`, for a container.
    fn is_own_server(&self, file: FileId) -> bool {
        const SETTINGS: [&str; 4] = ["next.config.js", "next.config.mjs", "next.config.ts", "next.config.cjs"];
        let path = self.file(file).path;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let settings = crate::manifest::folders(folder).find_map(|folder| {
            SETTINGS.iter().find_map(|name| {
                let path = if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") };
                self.file_at(&path)
            })
        });
        let Some(facts) = settings.and_then(|settings| self.file(settings).facts.as_ref()) else { return false };
        facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Object(entries) => entries.iter().any(|(key, value)| {
                *key == "output" && matches!(facts.expr(*value), ExprKind::Text(text) if *text == "standalone")
            }),
            _ => false,
        })
    }

    /// Whether code runs where the instance may be frozen or stopped once the answer is given.
    pub fn is_serverless(&self, origins: &[Origin]) -> bool {
        origins.iter().any(|origin| {
            let entry = &self.entries[origin.entry];
            entry.kind == EntryKind::EdgeFunction
                || entry.framework.starts_with("next") && !self.is_own_server(entry.function.file)
                || entry.framework.ends_with("-functions")
                || matches!(entry.framework, "aws-lambda" | "api-folder")
        })
    }
}
