//! In which form a request's body arrives where something reads it: as it was sent, parsed, or written anew.

use rustc_hash::FxHashSet;

use crate::catalogue::KnownRole;
use crate::facts::{DefId, ExportValue, ExprId, ExprKind, ImportKind, Op};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::terms::always_before;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, DefRef, Entry, ExprRef, External, FunctionRef, Gate, Program, Value};

/// How far a value is followed back to the request.
const FARTHEST: usize = 12;

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes or the text that were sent.
    Raw,
    /// An object made of them: where it is parsed.
    Parsed(Place),
    /// Text made of that object: where it is written.
    Rewritten(Place),
    /// That cannot be told.
    Unknown,
}

/// A body that is read a second time, when nothing of it is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadTwice {
    /// The first read.
    pub first: CallRef,
    /// The second.
    pub second: CallRef,
}

/// Methods of a request that take its body.
const READS: &[&str] = &["json", "text", "arrayBuffer", "formData", "blob", "bytes"];

/// Calls that change how bytes are held, not what they say.
const SAME: &[&str] =
    &["toString", "from", "encode", "decode", "trim", "String", "str", "bytes", "Uint8Array", "strip"];

impl Program {
    /// The form of a value that is, or may be, the body of what an entry point serves. Parameters are followed to
    /// callers among `within`.
    pub fn body_form(&self, entry: &Entry, within: &FxHashSet<FunctionRef>, at: ExprRef) -> Form {
        Bodies { program: self, entry, within }.form(at, FARTHEST)
    }

    /// Whether middleware of Express parses the body before an entry point sees it, and keeps nothing of what was sent.
    pub fn is_parsed_before(&self, entry: &Entry) -> bool {
        let keeps = |gate: &Gate| match *gate {
            Gate::Library(made) => match *self.facts(made.file).expr(made.expr) {
                ExprKind::Call(call) => !matches!(self.option(CallRef::new(made.file, call), "verify"), Lookup::Absent),
                _ => true,
            },
            _ => false,
        };
        let within = FxHashSet::default();
        let first = Bodies { program: self, entry, within: &within }.first_reader(entry);
        let parses = |gate: &&Gate| matches!(**gate, Gate::Library(made) if self.role_of_made(made) == Some(KnownRole::ParseBody));
        entry.framework == "express"
            && matches!(first, Some(Form::Parsed(_)))
            && !entry.middleware.iter().filter(parses).any(keeps)
    }

    /// The reads of a request's body of which the second must fail: on one way, on one request.
    pub fn body_read_twice(&self, function: FunctionRef) -> Option<ReadTwice> {
        let facts = self.facts(function.file);
        let reads: Vec<(CallRef, DefId)> = self
            .calls_in(function)
            .filter_map(|at| {
                let call = facts.call(at.call);
                let ExprKind::Member(base, name) = *facts.expr(call.callee) else { return None };
                let ExprKind::Ref(of, block) = *facts.expr(base) else { return None };
                let reads = READS.contains(&name.as_str()) && call.args.is_empty() && call.awaited;
                let def = facts.lookup(block, of)?;
                let is_request = self.is_request(ExprRef::new(function.file, base))
                    && facts.def(def).values.iter().all(|&value| matches!(facts.expr(value), ExprKind::Param(..)));
                (reads && is_request).then_some((at, def))
            })
            .collect();
        reads.iter().enumerate().find_map(|(index, &(first, of))| {
            let start = |at: CallRef| facts.span(facts.call(at.call).expr).start;
            let later = reads[index + 1..].iter().find(|&&(second, same)| {
                same == of
                    && start(second) > start(first)
                    && always_before(facts, facts.call(first.call), facts.call(second.call))
            });
            later.map(|&(second, _)| ReadTwice { first, second })
        })
    }

    /// The major version of a package that a file, or what made its client, names in an import; else what the
    /// nearest manifest asks for.
    pub fn package_major(&self, file: FileId, external: &External) -> Option<u32> {
        let mut files = external.sites.first().map(|site| site.file).into_iter().chain([file]);
        files.find_map(|file| self.major_of(file, external.package))
    }

    /// The call to which an entry point of Express hands a field of a body that nothing has parsed: its route is registered
    /// before every parser of the app. On platforms that parse by themselves nothing is known.
    pub fn field_of_nothing(&self, entry: &Entry) -> Option<CallRef> {
        let parses = |entry: &Entry| {
            entry.middleware.iter().any(|gate| match *gate {
                Gate::Library(expr) => self.role_of_made(expr) == Some(KnownRole::ParseBody),
                _ => false,
            })
        };
        let same = |other: &&Entry| self.share_app(other.function.file, entry.function.file);
        let mut served = self.entries.iter().filter(|other| other.function == entry.function);
        if entry.framework != "express"
            || !served.all(|other| other.middleware.is_empty())
            || !self.entries.iter().filter(same).any(parses)
        {
            return None;
        }
        if !self.listens_itself(entry) {
            return None;
        }
        let of_body = |at: ExprRef| {
            let facts = self.facts(at.file);
            let ExprKind::Member(body, _) = *facts.expr(at.expr) else { return false };
            matches!(*facts.expr(body), ExprKind::Member(request, name)
                if name == "body" && self.is_request(ExprRef::new(at.file, request)))
        };
        let inner = self.with_inner(entry.function);
        inner.into_iter().flat_map(|function| self.calls_in(function)).find(|at| {
            let args = &self.facts(at.file).call(at.call).args;
            args.iter().any(|arg| of_body(ExprRef::new(at.file, arg.value)))
        })
    }

    /// Whether the app of an entry point listens for requests itself: on platforms that parse by themselves nothing is
    /// known of a body.
    pub(in crate::program) fn listens_itself(&self, entry: &Entry) -> bool {
        let listens = |(file, facts): (FileId, &crate::facts::Facts)| {
            self.share_app(file, entry.function.file)
                && facts.calls.iter().any(|call| facts.last_name(call.callee).is_some_and(|name| name == "listen"))
        };
        let hosted = self.code().any(|(file, facts)| {
            let by_host = |import: &crate::facts::Import| {
                matches!(import.specifier.as_str(), "serverless-http" | "firebase-functions" | "aws-serverless-express")
            };
            self.share_app(file, entry.function.file) && facts.imports.iter().any(by_host)
        });
        !hosted && self.code().any(listens)
    }

    /// The `require` by which a function takes in the SDK that it calls, where Node runs the file as an ES module: it has
    /// none there. What runs sources itself (tsx, Bun) may bring one, and so may a bundler that writes CommonJS.
    pub fn required_in_module(&self, at: CallRef) -> Option<Place> {
        let (file, facts) = (self.file(at.file), self.facts(at.file));
        let ending = file.path.rsplit('.').next().unwrap_or_default();
        let (_, package) = self.manifests.package_of(&file.path)?;
        let script = |part: &str| package.scripts.iter().any(|(_, command)| command.contains(part));
        let start = package.scripts.iter().find(|(name, _)| name == "start").map(|(_, command)| command.as_str());
        let by_node = start.is_some_and(|command| command.split_whitespace().any(|word| word == "node"));
        let as_module = match ending {
            "mjs" => true,
            "js" => package.is_module,
            "ts" => package.is_module && script("esbuild") && script("--format=esm"),
            _ => false,
        };
        let made_here = facts.defs.iter().any(|def| def.name == "require");
        if !as_module || !by_node || made_here {
            return None;
        }
        let function = facts.function(self.function_of(at).function).span;
        let externals: Vec<Name> = self.callee(at).externals().map(|external| external.package).collect();
        let import = facts.imports.iter().find(|import| {
            import.kind == ImportKind::Require
                && function.contains(import.span)
                && externals.iter().any(|package| package.strip_prefix("npm:") == Some(import.specifier.as_str()))
        })?;
        Some(Place { file: at.file, span: import.span })
    }

    /// Whether an expression is the request, by what it is called.
    pub(in crate::program) fn is_request(&self, at: ExprRef) -> bool {
        match self.facts(at.file).expr(at.expr) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                matches!(name.as_str(), "req" | "request" | "_req" | "_request" | "httpReq" | "httpRequest")
            }
            _ => false,
        }
    }
}

struct Bodies<'p> {
    program: &'p Program,
    entry: &'p Entry,
    within: &'p FxHashSet<FunctionRef>,
}

impl Bodies<'_> {
    fn form(&self, at: ExprRef, depth: usize) -> Form {
        let Some(depth) = depth.checked_sub(1) else { return Form::Unknown };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.form(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => self.form_of_def(DefRef::new(at.file, def), depth),
                None => Form::Unknown,
            },
            ExprKind::Await(inner) | ExprKind::Spread(inner) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => all(parts.iter().map(|&part| next(part))),
            ExprKind::Op(Op::Choose, parts) => all(parts[1..].iter().map(|&part| next(part))),
            ExprKind::Call(call) => self.form_of_call(CallRef::new(at.file, *call), depth),
            ExprKind::Member(base, name) => match name.as_str() {
                "body" if self.program.is_request(ExprRef::new(at.file, *base)) => self.served_body(),
                "rawBody" | "raw_body" | "data" => Form::Raw,
                "json" if !facts.language.is_script() && self.program.is_request(ExprRef::new(at.file, *base)) => {
                    Form::Parsed(self.program.place(at))
                }
                _ => Form::Unknown,
            },
            ExprKind::Param(function, index) => self.handed(FunctionRef::new(at.file, *function), *index, depth),
            _ => Form::Unknown,
        }
    }

    fn form_of_def(&self, def: DefRef, depth: usize) -> Form {
        let values = &self.program.facts(def.file).def(def.def).values;
        let facts = self.program.facts(def.file);
        let given = values.iter().filter(|&&value| !matches!(facts.expr(value), ExprKind::Null | ExprKind::Text(_)));
        all(given.map(|&value| self.form(ExprRef::new(def.file, value), depth)))
    }

    fn form_of_call(&self, at: CallRef, depth: usize) -> Form {
        let program = self.program;
        let facts = program.facts(at.file);
        let call = facts.call(at.call);
        let place = program.call_place(at);
        let first = call.args.first().map(|arg| ExprRef::new(at.file, arg.value));
        let spelled = program.external(at).map(|external| external.dotted()).unwrap_or_default();
        let form_of_first = || first.map_or(Form::Unknown, |first| self.form(first, depth));
        match spelled.as_str() {
            "JSON.stringify" | "json.dumps" => {
                return match form_of_first() {
                    Form::Parsed(_) => Form::Rewritten(place),
                    other => other,
                };
            }
            "JSON.parse" | "json.loads" => return Form::Parsed(place),
            _ => {}
        }
        let (name, base) = match *facts.expr(call.callee) {
            ExprKind::Member(base, name) => (name, Some(ExprRef::new(at.file, base))),
            ExprKind::Ref(name, _) => (name, None),
            _ => return Form::Unknown,
        };
        match (name.as_str(), base) {
            ("json" | "get_json", Some(base)) if program.is_request(base) => Form::Parsed(place),
            ("text" | "arrayBuffer" | "body" | "get_data" | "bytes" | "blob", Some(_)) => Form::Raw,
            (same, base) if SAME.contains(&same) => match (first, base) {
                (Some(first), _) if !matches!(facts.expr(first.expr), ExprKind::Text(_)) => self.form(first, depth),
                (_, Some(base)) => self.form(base, depth),
                _ => Form::Unknown,
            },
            _ => Form::Unknown,
        }
    }

    /// What callers among the functions looked at hand in.
    fn handed(&self, function: FunctionRef, index: u16, depth: usize) -> Form {
        let program = self.program;
        let name = program.facts(function.file).function(function.function).params.get(usize::from(index));
        let name = name.and_then(|param| param.name);
        let callers = program.callers(function).iter().filter(|&&at| self.within.contains(&program.function_of(at)));
        all(callers.map(|&caller| {
            let args = &program.facts(caller.file).call(caller.call).args;
            let by_name = args.iter().find(|arg| arg.name.is_some() && arg.name == name);
            let arg = by_name.or_else(|| args.get(usize::from(index)).filter(|arg| arg.name.is_none()));
            arg.map_or(Form::Unknown, |arg| self.form(ExprRef::new(caller.file, arg.value), depth))
        }))
    }

    /// What `request.body` holds, by what stands in front of the entry.
    fn served_body(&self) -> Form {
        let program = self.program;
        match self.entry.framework {
            // A router that several apps mount is served by each: one that keeps the bytes is what deliveries reach.
            "express" => all(program
                .entries
                .iter()
                .filter(|entry| entry.function == self.entry.function)
                .filter_map(|entry| self.first_reader(entry))),
            // They parse unless the module says otherwise.
            "next-pages" | "api-folder" if !self.keeps_body() => Form::Parsed(program.entry_head(self.entry)),
            "next-pages" | "api-folder" => Form::Raw,
            "cloud-functions" => Form::Parsed(program.entry_head(self.entry)),
            _ => Form::Unknown,
        }
    }

    /// What the first middleware in front of an entry makes of the body, those of tests left out.
    fn first_reader(&self, entry: &Entry) -> Option<Form> {
        let program = self.program;
        entry.middleware.iter().find_map(|gate| {
            let Gate::Library(expr) = *gate else { return None };
            if program.side(expr.file).tooling {
                return None;
            }
            match program.role_of_made(expr) {
                Some(KnownRole::ParseBody) => Some(Form::Parsed(program.place(expr))),
                Some(KnownRole::KeepBody) => Some(Form::Raw),
                _ => None,
            }
        })
    }

    /// `export const config = { api: { bodyParser: false } }`
    fn keeps_body(&self) -> bool {
        let file = self.entry.place.file;
        let facts = self.program.facts(file);
        let config = facts.exports.iter().find(|export| export.name == "config");
        match config.map(|export| export.value) {
            Some(ExportValue::Local(value)) => {
                let config = self.program.value(ExprRef::new(file, value));
                !matches!(
                    self.program.nested(&config, "api.bodyParser"),
                    Lookup::Absent | Lookup::Present(Value::Bool(true))
                )
            }
            // `module.exports.config = ..` and other forms are not followed.
            Some(ExportValue::From(..)) => true,
            None => facts.exports.iter().any(|export| export.name == "="),
        }
    }
}

/// What holds of several alternatives: one that is raw, or unknown, decides.
fn all(forms: impl Iterator<Item = Form>) -> Form {
    let mut found: Option<Form> = None;
    for form in forms {
        match form {
            Form::Raw | Form::Unknown => return form,
            other => found = Some(found.unwrap_or(other)),
        }
    }
    found.unwrap_or(Form::Unknown)
}
