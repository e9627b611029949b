//! Where a customer comes back with a `code`, and whether the `state` beside it is compared.

use rustc_hash::FxHashSet;

use crate::catalogue::{KnownRole, VendorId};
use crate::facts::{Call, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, ExprRef, FunctionRef, Program};

/// An exchange of a code for tokens by an entry point that reads the code off its URL.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Where the code is exchanged.
    pub exchange: ExprRef,
    /// The entry point: index into the program's.
    pub entry: usize,
    /// Where `state` is read, though nothing compares it.
    pub state_at: Option<ExprRef>,
    /// Whose it is.
    pub vendor: Option<VendorId>,
    /// The host of the exchange.
    pub host: Option<Name>,
}

impl Program {
    /// The callbacks that take a code without a comparison of `state`.
    pub fn trusting_callbacks(&self) -> Vec<Callback> {
        let mut found = Vec::new();
        for (file, _) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            for exchange in self.exchanges(file) {
                let function = self.owner_of(exchange);
                for origin in self.origins(function) {
                    let entry = &self.entries[origin.entry];
                    if !matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction | EntryKind::Page) {
                        continue;
                    }
                    let mut functions: Vec<FunctionRef> = self.with_inner(entry.function);
                    functions.extend(origin.way.iter().flat_map(|edge| self.with_inner(edge.target)));
                    let mut looker = Looker { program: self, functions, checked: false, seen: FxHashSet::default() };
                    if !looker.takes_code(entry.function) {
                        continue;
                    }
                    let state_at = looker.look();
                    if !looker.checked {
                        let (vendor, host) = self.asked_for_tokens(exchange);
                        found.push(Callback { exchange, entry: origin.entry, state_at, vendor, host });
                        break;
                    }
                }
            }
        }
        found
    }

    /// Where a file exchanges codes: what says `grant_type: "authorization_code"`, or hands in the app's secret beside a
    /// code, and libraries' functions.
    pub fn exchanges(&self, file: FileId) -> Vec<ExprRef> {
        let facts = self.facts(file);
        let mut found = Vec::new();
        for (at, entries) in facts.objects() {
            let says = entries.iter().any(|&(key, value)| {
                key == "grant_type"
                    && matches!(facts.expr(value), ExprKind::Text(text) if *text == "authorization_code")
            });
            // Not every vendor asks for `grant_type`: who hands in the app's secret beside a code exchanges it.
            let has = |name: &str| entries.iter().find(|(key, _)| key == name).map(|&(_, value)| value);
            let swaps = || {
                has("grant_type").is_none()
                    && has("client_secret").is_some()
                    && has("client_id").is_some()
                    && has("code").is_some_and(|code| !matches!(facts.expr(code), ExprKind::Text(_)))
            };
            // A proof of the customer's own browser takes its place.
            if (says || swaps()) && !entries.iter().any(|(key, _)| *key == "code_verifier") {
                found.push(ExprRef::new(file, at));
            }
        }
        let library = self.calls_of(file).filter(|&call| {
            self.has_role(call, KnownRole::Exchange) && !takes_more_than_code(facts, facts.call(call.call))
        });
        found.extend(library.map(|call| ExprRef::new(file, facts.call(call.call).expr)));
        found
    }

    /// The innermost function around an expression.
    pub fn owner_of(&self, at: ExprRef) -> FunctionRef {
        let facts = self.facts(at.file);
        let span = facts.span(at.expr);
        let around = facts.functions.iter().enumerate().filter(|(_, function)| function.span.contains(span));
        let innermost = around.min_by_key(|(_, function)| function.span.end - function.span.start);
        FunctionRef::new(at.file, innermost.map_or(FunctionId::MODULE, |(at, _)| FunctionId(at as u32)))
    }
}

/// Whether a library's exchange is handed the whole address, whose `state` it compares, or a proof of the browser's.
fn takes_more_than_code(facts: &Facts, call: &Call) -> bool {
    let more = |name: Name| matches!(name.as_str(), "authorization_response" | "code_verifier" | "codeVerifier");
    call.args.iter().any(|arg| {
        arg.name.is_some_and(more)
            || matches!(facts.expr(arg.value), ExprKind::Object(entries) if entries.iter().any(|&(key, _)| more(key)))
    }) || {
        // `flow.code_verifier = session["verifier"]`
        let own = facts.function_of(call.block);
        let blocks = facts.blocks.iter().filter(|block| block.function == own);
        blocks.flat_map(|block| &block.steps).any(|step| {
            matches!(step, Step::Assign(target, _)
                if matches!(facts.expr(*target), ExprKind::Member(_, name) if more(*name)))
        })
    }
}

struct Looker<'p> {
    program: &'p Program,
    functions: Vec<FunctionRef>,
    checked: bool,
    seen: FxHashSet<(ExprRef, bool)>,
}

impl Looker<'_> {
    fn contains(&self, file: FileId, facts: &Facts, at: ExprId) -> bool {
        let span = facts.span(at);
        self.functions
            .iter()
            .any(|function| function.file == file && facts.function(function.function).span.contains(span))
    }

    /// Whether the entry point reads `code` off its URL.
    fn takes_code(&self, entry: FunctionRef) -> bool {
        let facts = self.program.facts(entry.file);
        let function = facts.function(entry.function);
        // `def callback(code: str)`
        let named = |param: &crate::facts::Param| param.name.is_some_and(|name| name == "code");
        if !facts.language.is_script() && function.params.iter().any(named) {
            return true;
        }
        self.reads(entry.file, "code").into_iter().any(|at| self.is_of_query(ExprRef::new(entry.file, at)))
    }

    /// Whether a read takes something out of the query of the request.
    fn is_of_query(&self, at: ExprRef) -> bool {
        let facts = self.program.facts(at.file);
        let mut base = match *facts.expr(at.expr) {
            ExprKind::Member(base, _) => base,
            ExprKind::Call(call) => facts.call(call).callee,
            ExprKind::Index(base, _) => base,
            _ => return false,
        };
        for _ in 0..5 {
            base = match *facts.expr(base) {
                ExprKind::Member(_, name)
                    if matches!(name.as_str(), "searchParams" | "query" | "args" | "GET" | "query_params") =>
                {
                    return true;
                }
                ExprKind::Member(inner, _) | ExprKind::Await(inner) => inner,
                ExprKind::Call(call) => facts.call(call).callee,
                ExprKind::Ref(name, block) => {
                    if matches!(name.as_str(), "searchParams" | "query" | "getQuery") {
                        return true;
                    }
                    match facts.lookup(block, name).map(|def| facts.def(def).values.as_slice()) {
                        Some([only]) => *only,
                        _ => return false,
                    }
                }
                _ => return false,
            };
        }
        false
    }

    /// The places of the functions looked at that read something by its name.
    fn reads(&self, file: FileId, wanted: &str) -> Vec<ExprId> {
        let facts = self.program.facts(file);
        let here = |at: ExprId| self.contains(file, facts, at);
        let members = facts.members().filter(|&(at, (_, name))| name == *wanted && here(at));
        let mut found: Vec<ExprId> = members.map(|(at, _)| at).collect();
        for call in &facts.calls {
            let named = call
                .args
                .first()
                .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if *text == *wanted));
            let gets =
                facts.last_name(call.callee).is_some_and(|name| matches!(name.as_str(), "get" | "query" | "param"));
            if named && gets && here(call.expr) {
                found.push(call.expr);
            }
        }
        found
    }

    /// Follows every read of `state`; the first of them.
    fn look(&mut self) -> Option<ExprRef> {
        let program = self.program;
        let mut files: Vec<FileId> = self.functions.iter().map(|function| function.file).collect();
        files.sort();
        files.dedup();
        let mut first = None;
        for file in files {
            for at in self.reads(file, "state") {
                let at = ExprRef::new(file, at);
                first = first.or(Some(at));
                self.follow(at, true, 0);
            }
        }
        for function in self.functions.clone() {
            let params = &program.facts(function.file).function(function.function).params;
            for (position, param) in params.iter().enumerate() {
                if param.name.is_some_and(|name| name.to_ascii_lowercase().contains("state")) {
                    for arrived in program.readers(function.file).param(function.function, position as u16) {
                        let at = ExprRef::new(function.file, arrived);
                        first = first.or(Some(at));
                        self.follow(at, true, 0);
                    }
                }
            }
        }
        first
    }

    /// Where a `state` goes, whole or as what was read out of it.
    fn follow(&mut self, at: ExprRef, whole: bool, depth: usize) {
        if self.checked || depth > 24 || !self.seen.insert((at, whole)) {
            return;
        }
        let program = self.program;
        let facts = program.facts(at.file);
        let readers = program.readers(at.file);
        let go = |looker: &mut Self, next: ExprId, whole: bool| {
            looker.follow(ExprRef::new(at.file, next), whole, depth + 1);
        };
        for &used in readers.uses(at.expr) {
            match used {
                Use::In(outer) => match facts.expr(outer) {
                    ExprKind::Op(Op::Equal | Op::Unequal | Op::In, parts) => {
                        let constant = parts.iter().any(|&part| {
                            part != at.expr
                                && matches!(
                                    facts.expr(part),
                                    ExprKind::Null | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Number(_)
                                )
                        });
                        self.checked |= !constant;
                    }
                    ExprKind::Op(Op::Not | Op::TypeOf | Op::Compare, _) => {}
                    ExprKind::Index(base, _) if *base != at.expr => self.checked = true,
                    // A signature beside it: `state.split(".")[1]`.
                    ExprKind::Template(_) => self.key(ExprRef::new(at.file, outer), depth),
                    _ => go(self, outer, whole),
                },
                Use::Kept(def) => {
                    for &read in readers.reads(def) {
                        go(self, read, whole);
                    }
                }
                Use::Callee(call) => go(self, facts.call(call).expr, whole),
                Use::Key(object, key) => {
                    let logged = readers.uses(object).iter().any(
                        |used| matches!(used, Use::Arg(call, _) if program.is_logging(CallRef::new(at.file, *call))),
                    );
                    self.checked |= whole && sounds_like_state(&key) && !logged;
                }
                Use::Arg(call, position) => self.argument(at, CallRef::new(at.file, call), position, whole, depth),
                _ => {}
            }
        }
    }

    /// A text that is made of it: the key under which it was kept, where something is looked up by that.
    fn key(&mut self, text: ExprRef, depth: usize) {
        const LOOKS_UP: &[&str] = &["get", "getdel", "getex", "find", "load", "read", "has", "exists", "take", "pop"];
        let program = self.program;
        let facts = program.facts(text.file);
        let readers = program.readers(text.file);
        let kept = readers.uses(text.expr).iter().filter_map(|used| match *used {
            Use::Kept(def) => Some(def),
            _ => None,
        });
        let read: Vec<ExprId> = kept.flat_map(|def| readers.reads(def).iter().copied()).collect();
        for expr in std::iter::once(text.expr).chain(read) {
            for &used in readers.uses(expr) {
                let Use::Arg(call, position) = used else { continue };
                let name = facts.last_name(facts.call(call).callee);
                let looks_up =
                    name.is_some_and(|name| words(&name).iter().any(|word| LOOKS_UP.contains(&word.as_str())));
                let at = ExprRef::new(text.file, expr);
                if looks_up && !is_address(facts, text.expr) {
                    self.argument(at, CallRef::new(text.file, call), position, true, depth + 1);
                }
            }
        }
    }

    fn argument(&mut self, at: ExprRef, call: CallRef, position: usize, whole: bool, depth: usize) {
        let program = self.program;
        let facts = program.facts(at.file);
        let shape = facts.call(call.call);
        let last = facts.last_name(shape.callee).map_or("", |name| name.as_str());
        let small = last.to_ascii_lowercase();
        // What is read as a number is somebody's id: nobody has drawn it.
        if matches!(last, "int" | "Number" | "parseInt") {
            return;
        }
        if program.is_logging(call) || matches!(last, "redirect" | "json" | "set" | "append") {
            return;
        }
        // Opened, so that its parts can be read.
        const OPENING: &[&str] = &[
            "parse",
            "atob",
            "from",
            "decodeuricomponent",
            "b64decode",
            "urlsafe_b64decode",
            "loads",
            "string",
            "unquote",
        ];
        if OPENING.contains(&small.as_str()) && !program.has_role(call, KnownRole::Verify) {
            return self.follow(ExprRef::new(at.file, shape.expr), false, depth + 1);
        }
        let checks = ["verif", "valid", "check", "decrypt", "compare", "equal", "consume", "unsign", "unseal", "match"];
        let beside = shape
            .args
            .iter()
            .any(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if sounds_like_state(text)));
        if beside
            || checks.iter().any(|word| small.contains(word))
            || program.has_role(call, KnownRole::Verify)
            || program.has_role(call, KnownRole::Compare)
            || program.has_role(call, KnownRole::Mac)
        {
            self.checked = true;
            return;
        }
        let direct: Vec<FunctionRef> =
            program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if direct.is_empty() {
            // What an unknown function makes of the whole is not known.
            self.checked |= whole;
            return;
        }
        for target in direct {
            // A signature is computed on the way.
            let signs = program
                .calls_in(target)
                .any(|inner| program.has_role(inner, KnownRole::Mac) || program.has_role(inner, KnownRole::Verify));
            if signs {
                self.checked = true;
                return;
            }
            for arrived in program.readers(target.file).param(target.function, position as u16) {
                self.follow(ExprRef::new(target.file, arrived), whole, depth + 1);
            }
        }
        // What it gives back is what it read out of it.
        self.follow(ExprRef::new(at.file, shape.expr), false, depth + 1);
    }
}

/// Whether a text that is put together is an address, or a path of one.
fn is_address(facts: &Facts, text: ExprId) -> bool {
    let ExprKind::Template(parts) = facts.expr(text) else { return false };
    parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Text(text) if text.contains(['/', '?', '&', ' '])))
}

/// Whether a name is that of a stored `state`.
fn sounds_like_state(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    ["state", "nonce", "csrf"].iter().any(|word| small.contains(word))
}
