//! Where values leave for people who should not have them: logs, messages of errors, answers to callers.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::catalogue::ErrorTells;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::secrets::exposure::{Arriving, Exposed, Exposure, Secret};
use crate::program::secrets::url_keys::Tellings;
use crate::program::values::options::Lookup;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, ExprRef, FunctionRef, Program};

/// Where a value leaves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outlet {
    /// A log.
    Log,
    /// The message of an error, which ends in logs and answers.
    Error,
    /// The answer to whoever calls.
    Answer,
}

/// A place where something secret leaves.
#[derive(Debug, Clone)]
pub struct Disclosure {
    /// The call, or the value that is returned.
    pub at: ExprRef,
    /// What it is, for messages: `console.log`, `logStep`.
    pub name: String,
    /// Where it leaves for.
    pub outlet: Outlet,
    /// What leaves.
    pub secrets: Vec<Exposed>,
    /// The call that hands it in, or that writes it in the end: where the other half stands.
    pub other: Option<CallRef>,
}

/// Something that is written out.
struct Sink {
    call: Option<CallRef>,
    at: ExprRef,
    outlet: Outlet,
    parts: Vec<ExprRef>,
    name: String,
}

/// Names of what answers a request.
const ANSWERS: &[&str] = &["res", "response", "reply", "NextResponse", "Response", "c", "ctx", "context"];

/// Functions that make an answer of their first argument.
const ANSWERERS: &[&str] = &["Response", "jsonify", "JSONResponse", "JsonResponse", "HTTPException", "HttpResponse"];

/// Words in the names of functions that only write logs.
const LOGGERS: &[&str] = &["log", "debug", "trace", "info", "warn", "print", "logger", "logging", "error"];

impl Program {
    /// Every place of deployed server code where something secret leaves.
    pub fn disclosures(&self, tellings: &Tellings) -> Vec<Disclosure> {
        let mut finder = Finder { program: self, tellings, arrived: FxHashSet::default(), found: vec![] };
        // What stands in each is most of the work, and needs nothing of the others.
        let files: Vec<FileId> = self.code().map(|(file, _)| file).filter(|&file| self.runs_on_server(file)).collect();
        let sinks = files.par_iter().flat_map_iter(|&file| self.calls_of(file).filter_map(|call| self.sink(call)));
        let told = |sink: Sink| self.exposed_by(&sink).map(|whole| (sink, whole));
        let mut sinks: Vec<(Sink, Exposure)> = sinks.filter_map(told).collect();
        sinks.extend(self.returned_answers().into_iter().filter_map(told));
        sinks.into_iter().for_each(|(sink, whole)| finder.sink(&sink, whole));
        finder.found
    }

    /// What stands in what is written out; none where nothing of it may be secret.
    fn exposed_by(&self, sink: &Sink) -> Option<Exposure> {
        let mut whole = Exposure::default();
        for &part in &sink.parts {
            let exposure = self.exposure(part, &[]);
            whole.secrets.extend(exposure.secrets);
            whole.params.extend(exposure.params);
        }
        if let Some(call) = sink.call
            && sink.outlet == Outlet::Log
            && let Some(caught) = self.traced(call)
        {
            whole.secrets.push(Exposed { secret: Secret::Caught(caught), at: sink.at, head: None, in_text: false });
        }
        (!whole.secrets.is_empty() || !whole.params.is_empty()).then_some(whole)
    }

    /// The handler around a call that logs what it caught without naming it: `logger.exception("..")`.
    fn traced(&self, call: CallRef) -> Option<BlockId> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let exception = facts.last_name(shape.callee).is_some_and(|name| name == "exception");
        let told = shape.args.iter().any(|arg| {
            arg.name.is_some_and(|name| name == "exc_info") && !matches!(facts.expr(arg.value), ExprKind::Bool(false))
        });
        let mut around = facts.enclosing(shape.block);
        let caught = around.find(|(_, block)| matches!(block.kind, BlockKind::Catch(_))).map(|(id, _)| id);
        caught.filter(|_| (exception || told) && !facts.language.is_script())
    }

    /// What a call writes out, if it does.
    fn sink(&self, call: CallRef) -> Option<Sink> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let here = |expr: ExprId| ExprRef::new(call.file, expr);
        let all = || shape.args.iter().map(|arg| here(arg.value)).collect::<Vec<_>>();
        let last = facts.last_name(shape.callee)?;
        let (outlet, parts) = if self.is_logging(call) {
            let own = self.edges(call).iter().any(|edge| edge.kind == EdgeKind::Direct);
            if own || self.is_redacting(call) {
                return None;
            }
            (Outlet::Log, all())
        } else if matches!(last.as_str(), "json" | "send") && self.answers(facts, shape.callee) {
            (Outlet::Answer, all().into_iter().take(1).collect())
        } else if ANSWERERS.contains(&last.as_str()) {
            let whole = matches!(last.as_str(), "HTTPException" | "jsonify");
            let parts = if whole { all() } else { all().into_iter().take(1).collect() };
            (Outlet::Answer, parts)
        } else if last.ends_with("Error") || last == "Exception" {
            (Outlet::Error, all())
        } else {
            return None;
        };
        Some(Sink {
            call: Some(call),
            at: here(shape.expr),
            outlet,
            parts,
            name: self.written_name(facts, shape.callee),
        })
    }

    fn written_name(&self, facts: &Facts, callee: ExprId) -> String {
        match *facts.expr(callee) {
            ExprKind::Ref(name, _) => name.to_string(),
            ExprKind::Member(base, name) => match facts.last_name(base) {
                Some(base) => format!("{base}.{name}"),
                None => name.to_string(),
            },
            _ => "this".to_owned(),
        }
    }

    /// `res.status(401).json`, `NextResponse.json`
    fn answers(&self, facts: &Facts, callee: ExprId) -> bool {
        let mut at = callee;
        for _ in 0..6 {
            at = match *facts.expr(at) {
                ExprKind::Member(base, _) => base,
                ExprKind::Call(call) => facts.call(call).callee,
                ExprKind::Ref(name, _) => return ANSWERS.contains(&name.as_str()),
                _ => return false,
            };
        }
        false
    }

    /// Whether a logger was made with an option that takes secrets out.
    fn is_redacting(&self, call: CallRef) -> bool {
        let made = self.callee(call).externals().find_map(|external| external.sites.first().copied());
        made.is_some_and(|made| {
            made != call && self.option(made, "redact") != Lookup::Absent && self.has_option(made, "redact")
        })
    }

    fn has_option(&self, call: CallRef, name: &str) -> bool {
        matches!(self.option(call, name), Lookup::Present(_))
    }

    /// What entry points answer with by returning it.
    fn returned_answers(&self) -> Vec<Sink> {
        let mut found = Vec::new();
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        for entry in &self.entries {
            let function = entry.function;
            let script = self.facts(function.file).language.is_script();
            let answers = match entry.kind {
                EntryKind::Route => !script,
                EntryKind::ServerAction | EntryKind::Procedure => true,
                _ => false,
            };
            if !answers || !self.runs_on_server(function.file) || !seen.insert(function) {
                continue;
            }
            let facts = self.facts(function.file);
            let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
            for step in blocks.flat_map(|block| &block.steps) {
                let Step::Return(Some(value)) = step else { continue };
                if matches!(facts.expr(*value), ExprKind::Object(_) | ExprKind::List(_) | ExprKind::Template(_)) {
                    let at = ExprRef::new(function.file, *value);
                    let name = self.entry_name(entry);
                    found.push(Sink { call: None, at, outlet: Outlet::Answer, parts: vec![at], name });
                }
            }
        }
        found
    }

    /// Whether a log is written outside production only. Where the platform does not say which mode it runs, a test
    /// for "not production" always holds.
    fn is_kept_to_development(&self, at: ExprRef, block: BlockId) -> bool {
        if !self.is_for_development(at) {
            return false;
        }
        let unset = self.runs_on_deno(at.file);
        let facts = self.facts(at.file);
        !unset
            || facts.enclosing(block).all(|(_, block)| match block.kind {
                BlockKind::Then(condition) => !holds_while_unset(facts, condition, true, 4),
                _ => true,
            })
    }

    /// Whether a function does nothing but write a log.
    fn only_logs(&self, function: FunctionRef) -> bool {
        const MOST_CALLS: usize = 6;
        let mut calls = self.calls_in(function).take(MOST_CALLS + 1).enumerate();
        calls.all(|(at, call)| {
            at < MOST_CALLS
                && self.requests_at(call).is_empty()
                && self.vendors_at(call).is_empty()
                && self.edges(call).is_empty()
        })
    }

    /// Whether code runs only when somebody starts its file.
    fn is_run_by_hand_only(&self, file: FileId, block: BlockId) -> bool {
        let facts = self.facts(file);
        let starts = |condition: ExprId| {
            matches!(facts.expr(condition), ExprKind::Op(Op::Equal, parts)
                if parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Ref(name, _) if *name == "__name__")))
        };
        let mut around = facts.enclosing(block);
        let function = FunctionRef::new(file, facts.function_of(block));
        around.any(|(_, block)| matches!(block.kind, BlockKind::Then(condition) if starts(condition)))
            || self.is_run_by_hand(&self.origins(function))
    }
}

/// Whether a condition of this truth says `MODE !== "production"`: while the mode is unset it does.
fn holds_while_unset(facts: &Facts, condition: ExprId, truth: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(op @ (Op::Unequal | Op::Equal), parts) => {
            let production =
                |&part: &ExprId| matches!(facts.expr(part), ExprKind::Text(text) if text.starts_with("prod"));
            (*op == Op::Unequal) == truth && parts.iter().any(production)
        }
        ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| holds_while_unset(facts, part, !truth, depth)),
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => holds_while_unset(facts, *only, truth, depth),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a secret's name says that it is made to be handed on: `BRIEF_SHARE_TOKEN`.
fn is_handed_out(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "share" | "sharing" | "invite" | "invitation"))
}

struct Finder<'p> {
    program: &'p Program,
    tellings: &'p Tellings,
    /// What was followed to its callers, by the function that only logs or the call that writes.
    arrived: FxHashSet<(Option<ExprRef>, FunctionRef, u16, Vec<Name>)>,
    found: Vec<Disclosure>,
}

impl Finder<'_> {
    fn sink(&mut self, sink: &Sink, whole: Exposure) {
        let program = self.program;
        let facts = program.facts(sink.at.file);
        let block = sink.call.map(|call| facts.call(call.call).block);
        if let Some(block) = block
            && (sink.outlet == Outlet::Log && program.is_kept_to_development(sink.at, block)
                || program.is_run_by_hand_only(sink.at.file, block))
        {
            return;
        }
        let mut secrets = self.telling(sink.outlet, sink.at.file, whole.secrets);
        if let Some(block) = block {
            secrets.retain(|exposed| !self.is_missing(sink.at.file, block, exposed));
            let function = FunctionRef::new(sink.at.file, facts.function_of(block));
            secrets.retain(|exposed| match exposed.secret {
                Secret::Variable(name, _) if sink.outlet == Outlet::Answer => {
                    !program.is_key_of_pages(function, name, &sink.parts) && !is_handed_out(&name)
                }
                _ => true,
            });
        }
        self.note(sink, sink.at, secrets, None);
        for arriving in whole.params {
            self.arrives(sink, &arriving, 0);
        }
    }

    /// Whether a variable is read where it was found to be unset.
    fn is_missing(&self, file: FileId, block: BlockId, exposed: &Exposed) -> bool {
        let Secret::Variable(name, _) = exposed.secret else { return false };
        let facts = self.program.facts(file);
        let mut around = facts.enclosing(block);
        around.any(|(_, block)| match block.kind {
            BlockKind::Then(condition) => match facts.expr(condition) {
                ExprKind::Op(Op::Not, parts) => {
                    parts.iter().any(|&part| self.program.value(ExprRef::new(file, part)).envs().contains(&name))
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Of exceptions those that tell a credential.
    fn telling(&self, outlet: Outlet, file: FileId, secrets: Vec<Exposed>) -> Vec<Exposed> {
        let mut kept: Vec<Exposed> = Vec::new();
        for exposed in secrets {
            let counts = match exposed.secret {
                Secret::Caught(block) => {
                    let telling = self.tellings.blocks.get(&(file, block));
                    outlet != Outlet::Error
                        && telling.is_some_and(|telling| telling.tells != ErrorTells::Whole || !exposed.in_text)
                }
                // A few characters show whose key it is; more of them, to whoever calls, help to guess the rest.
                Secret::Variable(..) => outlet != Outlet::Answer || exposed.head.is_none_or(|head| head >= 16),
                Secret::Environment | Secret::Signature | Secret::Granted(_) => true,
                Secret::Header(_) | Secret::Named(_) => outlet != Outlet::Answer,
                Secret::Headers | Secret::Cookies | Secret::Link | Secret::Holds(_) | Secret::Bodies => {
                    outlet == Outlet::Log
                }
            };
            if counts && !kept.iter().any(|known| known.secret == exposed.secret) {
                kept.push(exposed);
            }
        }
        kept
    }

    fn note(&mut self, sink: &Sink, at: ExprRef, secrets: Vec<Exposed>, other: Option<CallRef>) {
        if secrets.is_empty() {
            return;
        }
        if let Some(known) = self.found.iter_mut().find(|known| known.at == at) {
            for exposed in secrets {
                if !known.secrets.iter().any(|held| held.secret == exposed.secret) {
                    known.secrets.push(exposed);
                }
            }
            return;
        }
        let facts = self.program.facts(at.file);
        let name = match facts.expr(at.expr) {
            ExprKind::Call(call) if at != sink.at => self.program.written_name(facts, facts.call(*call).callee),
            _ => sink.name.clone(),
        };
        self.found.push(Disclosure { at, name, outlet: sink.outlet, secrets, other });
    }

    /// What arrives in a parameter and is written out: told where it is handed in when the function only logs.
    fn arrives(&mut self, sink: &Sink, arriving: &Arriving, depth: usize) {
        const DEEPEST: usize = 3;
        let program = self.program;
        let function = arriving.function;
        let facts = program.facts(function.file);
        if arriving.index == 0
            && arriving.path.is_empty()
            && sink.outlet == Outlet::Log
            && let Some(telling) = self.tellings.functions.get(&function)
            && (telling.tells != ErrorTells::Whole || !arriving.in_text)
        {
            let secret = Secret::Variable(telling.key.name(), None);
            let exposed = Exposed { secret, at: sink.at, head: None, in_text: false };
            self.note(sink, sink.at, vec![exposed], Some(telling.call));
        }
        let shape = facts.function(function.function);
        let logs = shape.name.is_some_and(|name| {
            crate::program::verify::words(&name).iter().any(|word| LOGGERS.contains(&word.as_str()))
        }) || program.only_logs(function);
        if sink.outlet != Outlet::Log && !(sink.outlet == Outlet::Answer) || depth > DEEPEST {
            return;
        }
        let key = ((!logs).then_some(sink.at), function, arriving.index, arriving.path.clone());
        if !self.arrived.insert(key) {
            return;
        }
        let rest = shape.params.get(arriving.index as usize).is_some_and(|param| param.rest);
        let name = shape.params.get(arriving.index as usize).and_then(|param| param.name);
        for edge in program.incoming(function).iter().filter(|edge| edge.kind == EdgeKind::Direct) {
            let caller = edge.call;
            if !program.runs_on_server(caller.file) {
                continue;
            }
            let args = &program.facts(caller.file).call(caller.call).args;
            let named = args.iter().find(|arg| arg.name.is_some() && arg.name == name);
            let take = if rest { usize::MAX } else { 1 };
            let placed = args.iter().filter(|arg| arg.name.is_none()).skip(arriving.index as usize).take(take);
            let parts: Vec<ExprRef> = match named {
                Some(arg) => vec![ExprRef::new(caller.file, arg.value)],
                None => placed.map(|arg| ExprRef::new(caller.file, arg.value)).collect(),
            };
            let at = ExprRef::new(caller.file, program.facts(caller.file).call(caller.call).expr);
            if sink.outlet == Outlet::Log
                && program.is_kept_to_development(at, program.facts(caller.file).call(caller.call).block)
            {
                continue;
            }
            for part in parts {
                let exposure = program.exposure(part, &arriving.path);
                let mut secrets = exposure.secrets;
                secrets.iter_mut().for_each(|exposed| exposed.in_text |= arriving.in_text);
                let mut secrets = self.telling(sink.outlet, caller.file, secrets);
                // What a name at a distance says is too little.
                let block = program.facts(caller.file).call(caller.call).block;
                secrets.retain(|exposed| !self.is_missing(caller.file, block, exposed));
                secrets.retain(|exposed| {
                    logs || !matches!(
                        exposed.secret,
                        Secret::Named(_) | Secret::Holds(_) | Secret::Granted(_) | Secret::Link
                    )
                });
                let (place, other) = if logs { (at, sink.call) } else { (sink.at, Some(caller)) };
                self.note(sink, place, secrets, other);
                for next in exposure.params {
                    self.arrives(sink, &next, depth + 1);
                }
            }
        }
    }
}
