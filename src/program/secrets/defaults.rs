//! What takes the place of an environment variable that is unset, and whether the app refuses to run without it.

use rustc_hash::FxHashMap;

use crate::catalogue::KnownRole;
use crate::facts::{
    BlockId, BlockKind, CallId, Class, DefId, ExportValue, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step,
};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, ExprRef, FunctionRef, Program};

mod demands;

use demands::Demand;

/// How far conditions and chains of fallbacks are followed.
const FARTHEST: usize = 6;

/// Classes whose fields are read from the environment, with their values as defaults.
const SETTINGS_CLASSES: &[&str] = &["BaseSettings"];

/// A variable and what is used while it is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvDefault {
    /// The variable.
    pub name: Name,
    /// What is used instead.
    pub fallback: ExprRef,
}

/// Defaults, and the variables that some code asks for.
#[derive(Debug, Default)]
pub struct EnvDefaults {
    all: Vec<EnvDefault>,
    demanded: FxHashMap<Name, Vec<FileId>>,
    /// Those of them that are asked for when the app starts, and where.
    at_start: FxHashMap<Name, Vec<FileId>>,
    /// Conditions before a branch that leaves, by the names in them: whether one asks for a variable, or for what
    /// whoever calls brings, is only found out for the few names that somebody wants to know of.
    mentioned: FxHashMap<Name, Vec<Demand>>,
}

impl Program {
    fn defaults(&self) -> &EnvDefaults {
        self.env_defaults.get_or_init(|| {
            let mut found = EnvDefaults::default();
            for (file, facts) in self.code() {
                let mut finder = Finder { program: self, file, facts, found: &mut found };
                finder.expressions();
                finder.definitions();
                finder.classes();
                finder.demands();
            }
            found
        })
    }

    /// Every environment variable that something takes the place of while it is unset, in order.
    pub fn env_defaults(&self) -> &[EnvDefault] {
        &self.defaults().all
    }

    /// Whether some code of a file's app refuses to go on without a variable, or lists it among what must be set.
    pub fn is_demanded(&self, name: Name, near: FileId) -> bool {
        let found = self.defaults();
        let mut sure = found.demanded.get(&name).into_iter().flatten();
        let mut mentioned = found.mentioned.get(&name).into_iter().flatten();
        sure.any(|&file| self.share_app(file, near))
            || mentioned.any(|demand| self.share_app(demand.file(), near) && demand.asks_for(self, name))
    }

    /// Whether a variable is asked for when a file's app starts: by a schema, a list of what must be set, a check at
    /// load.
    pub fn is_asked_at_start(&self, name: Name, near: FileId) -> bool {
        self.asked_at_start_in(name).into_iter().any(|file| self.share_app(file, near))
    }

    /// The files in which a variable is asked for when the app starts.
    pub fn asked_at_start_in(&self, name: Name) -> Vec<FileId> {
        let found = self.defaults();
        let mentioned = found.mentioned.get(&name).into_iter().flatten();
        let mentioned = mentioned.filter(|demand| demand.at_start && demand.asks_for(self, name)).map(Demand::file);
        found.at_start.get(&name).into_iter().flatten().copied().chain(mentioned).collect()
    }

    /// Whether an expression is evaluated outside production only: in a branch on the mode, in a class or file of
    /// development settings.
    pub fn is_for_development(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let span = facts.span(at.expr);
        let stem = self.file(at.file).path.as_str().rsplit('/').next().unwrap_or_default();
        let stem = stem.split('.').next().unwrap_or_default();
        let development = |name: &str| {
            words(name).iter().any(|word| {
                matches!(
                    word.as_str(),
                    "dev" | "development" | "local" | "test" | "tests" | "testing" | "seed" | "demo"
                )
            })
        };
        let class = facts.classes.iter().find(|class| class.span.contains(span)).and_then(|class| class.name);
        if development(stem) || class.is_some_and(|name| development(&name)) {
            return true;
        }
        // In the branch that is production's own it is in use exactly there.
        let spared = |condition: ExprId, holds: bool| {
            names_mode(facts, condition, FARTHEST) && means_production(facts, condition, FARTHEST) != Some(holds)
        };
        let blocks = facts.blocks.iter().any(|block| match block.kind {
            BlockKind::Then(condition) => block.span.contains(span) && spared(condition, true),
            BlockKind::Else(condition) => block.span.contains(span) && spared(condition, false),
            _ => false,
        });
        let readers = self.readers(at.file);
        let mut next = Some(at.expr);
        let chosen = std::iter::from_fn(|| {
            let here = next?;
            next = readers.uses(here).iter().find_map(|used| match used {
                Use::In(outer) => Some(*outer),
                _ => None,
            });
            Some((here, next?))
        })
        .take(FARTHEST)
        .any(|(inner, outer)| match facts.expr(outer) {
            ExprKind::Op(Op::Choose | Op::And, parts) if parts.first().is_some_and(|&condition| condition != inner) => {
                spared(parts[0], parts.get(2) != Some(&inner))
            }
            ExprKind::Op(Op::Choose | Op::And, parts) => parts.first().is_some_and(|&c| names_mode(facts, c, FARTHEST)),
            _ => false,
        });
        blocks || chosen
    }
}

struct Finder<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    found: &'p mut EnvDefaults,
}

impl Finder<'_> {
    fn note(&mut self, name: Name, fallback: ExprId) {
        let fallback = ExprRef::new(self.file, fallback);
        let default = EnvDefault { name, fallback };
        if !self.found.all.contains(&default) {
            self.found.all.push(default);
        }
    }

    fn demand(&mut self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            let files = self.found.demanded.entry(name).or_default();
            if files.last() != Some(&self.file) {
                files.push(self.file);
            }
        }
    }

    fn at_start(&mut self, names: impl IntoIterator<Item = Name>) {
        if self.is_loaded_by_nobody() {
            return;
        }
        for name in names {
            self.found.at_start.entry(name).or_default().push(self.file);
        }
    }

    /// Whether a module is written to be loaded by others and no file does: it asks for nothing.
    fn is_loaded_by_nobody(&self) -> bool {
        let side = self.program.side(self.file);
        let is_known_to_run = side.client || side.server || side.tooling;
        side.dead
            || !is_known_to_run
                && self.facts.language.is_script()
                && !self.facts.exports.is_empty()
                && self.program.modules.importers(self.file).is_empty()
    }

    /// `process.env.X || "y"`, `os.getenv("X", "y")`, and `X: z.string().default("y")` in a schema.
    fn expressions(&mut self) {
        for at in 0..self.facts.exprs.len() as u32 {
            match self.facts.expr(ExprId(at)) {
                ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                    let Some((&fallback, read)) = parts.split_last() else { continue };
                    if let Some(name) = read.iter().find_map(|&part| variable(self.facts, part, FARTHEST)) {
                        self.note(name, fallback);
                    }
                }
                ExprKind::Object(entries) => {
                    for &(key, value) in entries.iter().filter(|(key, _)| is_variable(key)) {
                        if let Some(fallback) = schema_default(self.facts, value) {
                            self.note(key, fallback);
                        } else if self.is_schema(value) {
                            self.demand([key]);
                            self.at_start([key]);
                        }
                    }
                }
                // Names of what must be set.
                ExprKind::List(items) => {
                    let names = items.iter().filter_map(|&item| match self.facts.expr(item) {
                        ExprKind::Text(text) if is_variable(text) => Some(*text),
                        _ => None,
                    });
                    let names: Vec<Name> = names.collect();
                    if !names.is_empty() && !self.is_only_logged(ExprId(at)) {
                        self.demand(names.iter().copied());
                        if !self.is_of_requests(ExprId(at)) {
                            self.at_start(names);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether a list stands in the handler of a request, which asks long after the start: a page that tells what is
    /// missing.
    fn is_of_requests(&self, list: ExprId) -> bool {
        const ASKED: &[EntryKind] =
            &[EntryKind::Route, EntryKind::EdgeFunction, EntryKind::ServerAction, EntryKind::Procedure];
        let span = self.facts.span(list);
        let mut entries = self.program.entries.iter().filter(|entry| entry.function.file == self.file);
        entries.any(|entry| {
            let function = entry.function.function;
            ASKED.contains(&entry.kind)
                && function != FunctionId::MODULE
                && self.facts.function(function).span.contains(span)
        })
    }

    /// Whether the functions that throw over a list of names all do so where it is caught and at most logged:
    /// `try { checkEnv() } catch (e) { console.error(e) }`.
    fn is_only_logged(&self, list: ExprId) -> bool {
        let readers = self.program.readers(self.file);
        let function_at = |at: Span| {
            let around =
                self.facts.functions.iter().enumerate().skip(1).filter(|(_, function)| function.span.contains(at));
            around
                .min_by_key(|(_, function)| function.span.end - function.span.start)
                .map(|(at, _)| FunctionId(at as u32))
        };
        let mut held = vec![list];
        // `["A", "B"] as const` and plain lists alike are kept under a name.
        let names = readers.uses(list).iter().filter_map(|used| match *used {
            Use::Kept(def) => Some(def),
            _ => None,
        });
        let names: Vec<DefId> = names.collect();
        held.extend(names.iter().flat_map(|&def| readers.reads(def).iter().copied()));
        let is_shared = self.facts.exports.iter().any(|export| match export.value {
            ExportValue::Local(value) => held.contains(&value),
            _ => false,
        });
        if is_shared {
            return false;
        }
        let mut thrown = 0;
        for at in held {
            // Read at load, it may be asked for there.
            let Some(function) = function_at(self.facts.span(at)) else {
                if at == list {
                    continue;
                }
                return false;
            };
            if !self.leaves(self.facts.function(function).body, 3) {
                return false;
            }
            let callers = self.program.callers(FunctionRef::new(self.file, function));
            let in_use = callers.iter().filter(|call| !self.program.side(call.file).tooling);
            if callers.is_empty() || !in_use.clone().all(|&call| self.is_caught(call)) {
                return false;
            }
            thrown += 1;
        }
        thrown > 0
    }

    /// Whether the failure of a call ends in a handler that does nothing but log.
    fn is_caught(&self, call: CallRef) -> bool {
        let facts = self.program.facts(call.file);
        let block = facts.call(call.call).block;
        let function = facts.function_of(block);
        let logs = |step: &Step| match step {
            Step::Eval(value) => matches!(facts.expr(*value), ExprKind::Call(inner)
                if self.program.is_logging(CallRef::new(call.file, *inner))),
            _ => false,
        };
        let around = self.program.around(call);
        let mut tried = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        tried.find(|(_, block)| block.kind == BlockKind::Try).is_some_and(|(id, _)| {
            let handlers = around.handlers(id);
            !handlers.is_empty() && handlers.iter().all(|&handler| facts.block(handler).steps.iter().all(logs))
        })
    }

    /// `z.string().min(32)`: a value that a schema asks for.
    fn is_schema(&self, value: ExprId) -> bool {
        matches!(self.facts.expr(value), ExprKind::Call(call)
            if matches!(self.facts.expr(self.facts.call(*call).callee), ExprKind::Member(..))
                && variable(self.facts, value, FARTHEST).is_none())
    }

    /// `let x = process.env.X; if (!x) x = "y"`.
    fn definitions(&mut self) {
        for def in self.facts.defs.iter().filter(|def| def.values.len() > 1) {
            let Some(name) = def.values.iter().find_map(|&value| read(self.facts, value)) else { continue };
            for &value in &def.values {
                if matches!(self.facts.expr(value), ExprKind::Text(_)) {
                    self.note(name, value);
                }
            }
        }
    }

    /// `class Settings(BaseSettings): X: str = "y"`.
    fn classes(&mut self) {
        for class in &self.facts.classes {
            let reads = reads_environment(self.facts, class);
            for field in class.fields.iter().filter(|field| reads && field.is_static) {
                let Some(value) = field.value else { continue };
                let name = Name::new(&field.name.to_ascii_uppercase());
                match self.facts.expr(value) {
                    // Without a default the class itself asks for it, and says which are missing.
                    ExprKind::Env(name) => {
                        self.demand([*name]);
                        self.at_start([*name]);
                    }
                    ExprKind::Text(_) => self.note(name, value),
                    ExprKind::Call(call) => {
                        let args = &self.facts.call(*call).args;
                        let named = args.iter().find(|arg| arg.name.is_some_and(|name| name == "default"));
                        let default = named.or_else(|| args.first().filter(|arg| arg.name.is_none()));
                        if let Some(default) =
                            default.filter(|arg| matches!(self.facts.expr(arg.value), ExprKind::Text(_)))
                        {
                            self.note(name, default.value);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// `if (!process.env.X) throw ..`, `if settings.X == "y": sys.exit(1)`.
    fn demands(&mut self) {
        for block in &self.facts.blocks {
            for step in &block.steps {
                let Step::If { condition, then, otherwise } = step else { continue };
                if self.leaves(*then, 3) || otherwise.is_some_and(|otherwise| self.leaves(otherwise, 3)) {
                    let at_start = block.function == FunctionId::MODULE && !self.is_loaded_by_nobody();
                    let demand = Demand { condition: ExprRef::new(self.file, *condition), at_start };
                    for name in demand.mentioned(self.program) {
                        self.found.mentioned.entry(name).or_default().push(demand);
                    }
                }
            }
        }
    }

    /// Whether a branch throws, ends the process, or notes a fault that is told later: at once, or on a further
    /// condition (`if (!key) { if (production) throw ..; key = "x" }`).
    fn leaves(&self, block: BlockId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.facts.block(block).steps.iter().any(|step| match step {
            Step::Throw(_) => true,
            Step::If { then, otherwise, .. } => {
                self.leaves(*then, depth) || otherwise.is_some_and(|otherwise| self.leaves(otherwise, depth))
            }
            Step::Eval(value) => {
                let ExprKind::Call(call) = *self.facts.expr(*value) else { return false };
                self.program.has_role(CallRef::new(self.file, call), KnownRole::Leave) || self.notes_fault(call)
            }
            _ => false,
        })
    }

    /// `errors.append("SECRET_KEY must be set")`.
    fn notes_fault(&self, call: CallId) -> bool {
        let ExprKind::Member(base, method) = *self.facts.expr(self.facts.call(call).callee) else { return false };
        let list = match self.facts.expr(base) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => *name,
            _ => return false,
        };
        matches!(method.as_str(), "append" | "push")
            && words(&list).iter().any(|word| matches!(word.as_str(), "errors" | "missing" | "problems" | "issues"))
    }
}

/// Whether a class reads its fields from the environment.
pub(super) fn reads_environment(facts: &Facts, class: &Class) -> bool {
    let mut bases = class.bases.iter().filter_map(|&base| facts.last_name(base));
    bases.any(|name| SETTINGS_CLASSES.contains(&name.as_str()))
}

/// The variable an expression reads, also through a name that holds it alone.
fn variable(facts: &Facts, at: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(at) {
        ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().find_map(|&part| variable(facts, part, depth)),
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => read(facts, only),
            _ => None,
        },
        _ => read(facts, at),
    }
}

fn read(facts: &Facts, at: ExprId) -> Option<Name> {
    match facts.expr(at) {
        ExprKind::Env(name) => Some(*name),
        _ => None,
    }
}

/// What a schema puts in: the argument of the `.default(..)` at the end of a chain.
fn schema_default(facts: &Facts, value: ExprId) -> Option<ExprId> {
    let ExprKind::Call(call) = facts.expr(value) else { return None };
    let call = facts.call(*call);
    let ExprKind::Member(base, name) = facts.expr(call.callee) else { return None };
    match name.as_str() {
        "default" => call.args.first().map(|arg| arg.value),
        _ => schema_default(facts, *base),
    }
}

fn is_variable(name: &str) -> bool {
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `jwtSecret`, `jwt_secret` -> `JWT_SECRET`.
fn screaming(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// Whether a condition asks in which mode the app runs.
fn names_mode(facts: &Facts, at: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |&part: &ExprId| names_mode(facts, part, depth);
    let said = |name: &str| {
        words(name).iter().any(|word| {
            matches!(
                word.as_str(),
                "env" | "environment" | "debug" | "dev" | "development" | "production" | "prod" | "mode" | "testing"
            )
        })
    };
    match facts.expr(at) {
        ExprKind::Env(name) => said(name),
        ExprKind::Text(text) => matches!(text.as_str(), "production" | "development" | "test"),
        ExprKind::Ref(name, block) => said(name) || held(facts, *block, *name).is_some_and(|value| next(&value)),
        ExprKind::Member(_, name) => said(name),
        ExprKind::Op(_, parts) => parts.iter().any(next),
        ExprKind::Call(call) => next(&facts.call(*call).callee),
        _ => false,
    }
}

/// Whether a condition on the mode holds in production (true), or only outside it (false); none where that is not said.
pub(crate) fn means_production(facts: &Facts, at: ExprId, depth: usize) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let next = |part: ExprId| means_production(facts, part, depth);
    let said = |name: &str| {
        let words = words(name);
        let any = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        match (any(&["production", "prod"]), any(&["dev", "development", "debug", "test", "testing", "local"])) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    };
    match facts.expr(at) {
        ExprKind::Text(text) => said(text),
        ExprKind::Env(name) => said(name),
        ExprKind::Ref(name, block) => said(name).or_else(|| next(held(facts, *block, *name)?)),
        ExprKind::Member(_, name) => said(name),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            // `/\.pdf$/.test(name)` holds a text against a pattern.
            let matches = !call.args.is_empty() && facts.last_name(call.callee).is_some_and(|name| name == "test");
            if matches { None } else { next(call.callee) }
        }
        ExprKind::Op(Op::Not, parts) => next(parts[0]).map(|production| !production),
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
            let text = parts.iter().find(|&&part| matches!(facts.expr(part), ExprKind::Text(_)))?;
            next(*text).map(|production| production == (*op == Op::Equal))
        }
        ExprKind::Op(op @ (Op::And | Op::Or), parts) => {
            let said: Vec<Option<bool>> = parts.iter().map(|&part| next(part)).collect();
            let first = said.iter().flatten().next().copied()?;
            let agree = said.iter().flatten().all(|&other| other == first);
            (agree && (*op == Op::And || said.iter().all(Option::is_some))).then_some(first)
        }
        _ => None,
    }
}

fn held(facts: &Facts, block: BlockId, name: Name) -> Option<ExprId> {
    let def: DefId = facts.lookup(block, name)?;
    match facts.def(def).values[..] {
        [only] => Some(only),
        _ => None,
    }
}
