//! Missing keys that stop the whole app from starting.

use rustc_hash::FxHashSet;

use crate::catalogue::VendorId;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, FunctionId, ImportKind, Op, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{Entry, EntryKind, ExprRef, Program, Value};
use crate::rule;
use crate::rule::Report;

mod asked;
mod made;
mod read;
mod started;

rule! {
    /// A vendor's missing key stops the whole app
    ///
    /// A client that is made, or a `throw` that runs, when a module is loaded, or in a function that every start of the
    /// server runs (`setUpAuth(app)`), runs before anything else does. When the variable of that one vendor is unset (a
    /// preview, a new server, a typo in the dashboard), the server does not start or the build ends: login and checkout
    /// are down because the newsletter has no key. A vendor that is asked something at that moment has to be up as well,
    /// at every start.
    ///
    /// ## Silent when
    ///
    /// - a schema, or a check of two or more variables, says at start what is missing: that is deliberate;
    /// - the client is made, or the vendor asked, in a function that runs later, in a `try`, or the variable has a default that the SDK takes for a key (many
    ///   refuse an empty text as they do none);
    /// - the module is loaded only when it is used (`await import(..)`, an import inside a function);
    /// - the variable is read by what throws without it (`os.environ["KEY"]`) in a file that asks for several things, or
    ///   asks nothing of that vendor: a file of settings;
    /// - it is the app's own backend, or a serverless function of its own.
    ///
    /// ## The cure
    ///
    /// Make the client when it is first used, and let that one feature answer that it is not set up.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/invite/route.ts
    /// import { Resend } from "resend";
    ///
    /// const resend = new Resend(process.env.RESEND_API_KEY);
    ///
    /// export async function POST(req: Request) {
    ///   const { to } = await req.json();
    ///   const { error } = await resend.emails.send({ from: "hi@example.com", to, subject: "Hi", text: "Join us" });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/invite/route.ts
    /// import { Resend } from "resend";
    ///
    /// export async function POST(req: Request) {
    ///   if (!process.env.RESEND_API_KEY) return Response.json({ ok: false }, { status: 503 });
    ///   const resend = new Resend(process.env.RESEND_API_KEY);
    ///   const { to } = await req.json();
    ///   const { error } = await resend.emails.send({ from: "hi@example.com", to, subject: "Hi", text: "Join us" });
    ///   return Response.json({ ok: !error });
    /// }
    /// ```
    id: "integration-breaks-boot", severity: Warning, confidence: High, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

/// How far conditions are looked into.
const FARTHEST: usize = 5;

/// What stops a module from being loaded.
struct Stop {
    at: Place,
    vendor: VendorId,
    /// The variables that hold its key, one of them is enough.
    variables: Vec<Name>,
    /// A client is made; else it is a `throw`.
    client: bool,
    /// An empty text stands in for the key, and is refused as well.
    empty: bool,
    /// The vendor is asked something, by this call: it has to be up.
    asks: Option<Question>,
    /// The cure, where a client made when it is first used is none.
    cure: Option<String>,
    /// It is made in a function that runs whenever the server starts.
    called: bool,
}

impl Stop {
    /// What is thrown where a variable is not set.
    fn without(name: Name, vendor: VendorId, at: Place) -> Self {
        Self { at, vendor, variables: vec![name], client: false, empty: false, asks: None, cure: None, called: false }
    }
}

/// What a vendor is asked while a module is loaded.
struct Question {
    /// Its name.
    name: String,
    /// Where it is asked.
    at: Place,
}

fn check(program: &Program, report: &mut Report) {
    let mut stops = clients(program);
    for (file, facts) in program.code() {
        stops.extend(throws(program, file, facts));
        stops.extend(made::find(program, file, facts));
        stops.extend(read::find(program, file, facts));
    }
    stops.extend(asked::find(program));
    stops.sort_by_key(|stop| (stop.at, stop.client));
    stops.retain(|stop| !program.catalogue.vendor(stop.vendor).own_backend && is_one_of_many(program, stop.at.file));
    let mut told: FxHashSet<(VendorId, Vec<Name>, Option<usize>)> = FxHashSet::default();
    let app = |stop: &Stop| program.only_app_of(stop.at.file);
    for stop in &stops {
        if told.insert((stop.vendor, stop.variables.clone(), app(stop))) {
            let same = |other: &&Stop| {
                (other.vendor, &other.variables, app(other)) == (stop.vendor, &stop.variables, app(stop))
            };
            let others: Vec<Place> = stops.iter().filter(same).skip(1).map(|other| other.at).collect();
            tell(program, report, stop, &others);
        }
    }
}

/// Whether a file is loaded at the start of a server or build that does other things too.
pub(super) fn is_one_of_many(program: &Program, file: FileId) -> bool {
    let side = program.side(file);
    side.server && !side.client && !side.tooling && !side.dead && loaded_by(program, file).is_some()
}

/// What loads a file at its start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loader {
    /// A server or build, as far as can be seen.
    Server,
    /// Only what works a queue off.
    Worker,
}

/// What that starts loads a file on its way, through imports that run at once.
fn loaded_by(program: &Program, file: FileId) -> Option<Loader> {
    let mut seen: FxHashSet<FileId> = FxHashSet::from_iter([file]);
    let mut queue = vec![file];
    let (mut by_worker, mut by_other) = (false, false);
    while let Some(at) = queue.pop() {
        let mut starts = program.entries.iter().filter(|entry| {
            let runs = !matches!(entry.kind, EntryKind::Script | EntryKind::EdgeFunction | EntryKind::Event);
            entry.place.file == at && runs && entry.kind != EntryKind::Effect
        });
        let works = |entry: &Entry| entry.kind == EntryKind::Worker;
        if starts.clone().any(|entry| !works(entry)) {
            return Some(Loader::Server);
        }
        let works = starts.any(works);
        by_worker |= works;
        // What nobody imports may start a server.
        by_other |= !works && at != file && program.modules.importers(at).is_empty();
        for &(importer, import) in program.modules.importers(at) {
            let facts = program.facts(importer);
            let import = &facts.imports[import.index()];
            let at_once = !matches!(import.kind, ImportKind::Type | ImportKind::Dynamic)
                && facts.function_of(import.block) == FunctionId::MODULE;
            let side = program.side(importer);
            if at_once && !side.tooling && !side.dead && seen.insert(importer) {
                queue.push(importer);
            }
        }
    }
    by_worker.then_some(if by_other { Loader::Server } else { Loader::Worker })
}

/// Clients made at load that throw without a key, and whose key is a variable that nothing makes sure of.
fn clients(program: &Program) -> Vec<Stop> {
    let mut found = Vec::new();
    for client in program.clients() {
        let facts = program.facts(client.at.file);
        let call = facts.call(client.at.call);
        let called = facts.function_of(call.block) != FunctionId::MODULE;
        if is_guarded(facts, call.block) || called && !started::is_run_at_start(program, client.at) {
            continue;
        }
        let mut packages = program.catalogue.packages(client.package, &[]);
        let Some((_, package)) = packages.find(|(vendor, _)| *vendor == client.vendor) else { continue };
        let major = || {
            let mut externals = program.callee(client.at).externals();
            externals.find_map(|external| program.package_major(client.at.file, external))
        };
        let Some(throws) = package.throws_without_key.as_ref().filter(|throws| throws.holds_for(major())) else {
            continue;
        };
        let key = package.key.as_ref();
        let option = throws.without.as_deref().or_else(|| key.and_then(|key| key.option.as_deref()));
        let value = match option {
            Some(option) => match program.option(client.at, option) {
                crate::program::values::options::Lookup::Present(value) => Some(value),
                _ => None,
            },
            // A choice in place makes sure of it: `key ? new Client(key) : null` is guarded by its own.
            None => {
                let given = key.and_then(|key| call.args.get(key.arg));
                given.map(|arg| program.value(ExprRef::new(client.at.file, arg.value)))
            }
        };
        let refuses_empty = throws.refuses_empty(major()) == Some(true);
        let Some((variables, empty)) = value.and_then(|value| alone(&value, refuses_empty)) else { continue };
        let chosen = is_chosen(program, ExprRef::new(client.at.file, call.expr));
        // One that the platform sets makes sure of it too.
        let sure =
            |name: &Name| program.is_asked_at_start(*name, client.at.file) || program.catalogue.is_injected(name);
        if !chosen && !variables.iter().any(sure) {
            let at = program.call_place(client.at);
            let cure = throws.cure.clone();
            found.push(Stop { at, vendor: client.vendor, variables, client: true, empty, asks: None, cure, called });
        }
    }
    found
}

/// The variables that a value can be, when it has no default but an empty text that is refused; and whether it has that.
fn alone(value: &Value, refuses_empty: bool) -> Option<(Vec<Name>, bool)> {
    let is_empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
    let all = value.alternatives();
    let bare = all.iter().all(|value| matches!(value, Value::Env(_)) || refuses_empty && is_empty(value));
    let variables = value.envs();
    (bare && !variables.is_empty()).then(|| (variables, all.iter().any(is_empty)))
}

/// Whether a value is made on a condition only: `key ? new Client(key) : null`, `key && new Client(key)`.
fn is_chosen(program: &Program, at: ExprRef) -> bool {
    let facts = program.facts(at.file);
    program.readers(at.file).uses(at.expr).iter().any(|used| match used {
        crate::program::values::readers::Use::In(outer) => {
            matches!(facts.expr(*outer), ExprKind::Op(Op::Choose | Op::And, _))
        }
        _ => false,
    })
}

/// Whether a block at load runs on a condition, or its failure is caught.
fn is_guarded(facts: &Facts, block: BlockId) -> bool {
    facts.enclosing(block).any(|(_, block)| {
        matches!(block.kind, BlockKind::Try | BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..))
    })
}

/// `if (!process.env.KEY) throw ..` at load, of one vendor's variable in a module that checks no other.
fn throws(program: &Program, file: FileId, facts: &Facts) -> Vec<Stop> {
    let Some(body) = facts.functions.first().map(|function| function.body) else { return vec![] };
    let mut found = Vec::new();
    let mut checked: Vec<Name> = Vec::new();
    for step in &facts.block(body).steps {
        let Step::If { condition, then, otherwise: None } = step else { continue };
        let thrown = facts.block(*then).steps.iter().any(|step| matches!(step, Step::Throw(_)));
        if !thrown {
            continue;
        }
        let mut names = Vec::new();
        absent(program, ExprRef::new(file, *condition), FARTHEST, &mut names);
        for &name in &names {
            if !checked.contains(&name) {
                checked.push(name);
            }
        }
        // What the build writes into the pages is missing from all of them: to stop the build is deliberate.
        if let [name] = names[..]
            && program.inlined_name(file, name).is_none()
            && let Some((vendor, _)) = program.catalogue.env_entry(&name)
        {
            let at = Place { file, span: facts.span(*condition) };
            found.push(Stop::without(name, vendor, at));
        }
    }
    if checked.len() > 1 { vec![] } else { found }
}

/// The variables whose absence a condition asks for.
fn absent(program: &Program, at: ExprRef, depth: usize, found: &mut Vec<Name>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let facts = program.facts(at.file);
    let part = |expr: ExprId| ExprRef::new(at.file, expr);
    match facts.expr(at.expr) {
        ExprKind::Op(_, parts) => parts.iter().for_each(|&expr| absent(program, part(expr), depth, found)),
        ExprKind::Env(_) | ExprKind::Ref(..) | ExprKind::Member(..) => {
            let names = program.value(at).envs();
            found.extend(names.into_iter().filter(|name| !found.contains(name)).collect::<Vec<_>>());
        }
        _ => {}
    }
}

fn tell(program: &Program, report: &mut Report, stop: &Stop, others: &[Place]) {
    let vendor = &program.catalogue.vendor(stop.vendor).name;
    let facts = program.facts(stop.at.file);
    let list = |between: &str| stop.variables.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(between);
    let variable = list(" or ");
    let next = program.projects.of(stop.at.file).uses("next");
    let what = match stop.client {
        _ if let Some(question) = &stop.asks => {
            let call = &question.name;
            format!(
                "{vendor} is asked ({call}) as soon as this file is loaded, and when that fails so does the loading"
            )
        }
        true => {
            let empty = if stop.empty { ", since it takes an empty text for no key at all" } else { "" };
            let when = if stop.called { "whenever the server starts" } else { "when the module is loaded" };
            format!("{vendor}'s client is made {when} and throws without {variable}{empty}")
        }
        false => format!("this file throws an error as soon as it is loaded when {variable} is missing"),
    };
    let then = if next {
        "`next build` fails then, and with it every page and route that uses this file"
    } else if loaded_by(program, stop.at.file) == Some(Loader::Worker) {
        "the worker that loads it does not start then, and none of its jobs are done"
    } else {
        "the server does not start then, and everything that does not need it is down too"
    };
    let read = stop.variables.iter().map(|name| format!("process.env.{name}")).collect::<Vec<_>>().join(" || ");
    let made = made_when_used(facts.language.is_script(), &read, &variable);
    let help = match (&stop.asks, &stop.cure) {
        (None, Some(cure)) => cure.replace("{key}", &read),
        (Some(_), _) => {
            "Ask when the answer is first used, and keep it from there: then only that feature fails. Or catch \
                    the failure here, log it, and go on without."
                .to_owned()
        }
        (None, None) => format!("Make the client when it is first used, and let only that feature fail:\n{made}"),
    };
    let mut draft = report
        .at(stop.at, stop.asks.as_ref().map_or(variable, |question| question.name.clone()), format!("{what}: {then}"))
        .vendor(program.vendor_id(stop.vendor))
        .help(help);
    if let Some(question) = stop.asks.as_ref().filter(|question| question.at != stop.at) {
        draft = draft.because(question.at, "asks here");
    }
    for &other in others {
        draft = draft.because(other, "and here");
    }
}

/// Code that makes a client when it is first used.
pub(super) fn made_when_used(script: bool, read: &str, variable: &str) -> String {
    if !script {
        return "@functools.cache\ndef get_client():\n    return ...  # make it here".to_owned();
    }
    format!(
        "let client;\nexport function getClient() {{\n  const key = {read};\n  if (!key) throw new Error(\"{variable} is not \
         set\");\n  return (client ??= /* what is made at the top now, with key */);\n}}"
    )
}
