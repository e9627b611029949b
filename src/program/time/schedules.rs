//! What the clock starts: when, told where, and which functions then run. Platforms' settings and code alike.

use rustc_hash::FxHashSet;

use crate::catalogue::Scheduler;
use crate::facts::{ExprId, ExprKind};
use crate::finding::{FileId, Place};
use crate::link::projects::join;
use crate::manifest::{Manifest, Starts};
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::values::requested::touched::Touch;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, External, FunctionRef, Program, Value};

mod database;

pub use database::AskedByDatabase;
use database::{in_database, path_of};

/// Something that the clock starts.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Where the time is told.
    pub place: Place,
    /// The time, as a cron text: `0 3 * * *`, `@daily`.
    pub cron: String,
    /// What is started, in words: `GET /api/cron/digest`, `the job digest`.
    pub what: String,
    /// The functions that run.
    pub runs: Vec<FunctionRef>,
    /// The entry points that are asked over HTTP: indices into the program's.
    pub asks: Vec<usize>,
    /// The platform itself asks: it sends GET and nothing else (<https://vercel.com/docs/cron-jobs>), and a secret of its
    /// own when one is set.
    pub by_platform: bool,
}

impl Schedule {
    /// Whether it starts when the hour does: a fixed minute 0, not the steps of what polls.
    pub fn starts_at_the_hour(&self) -> bool {
        match self.cron.trim() {
            "@hourly" | "@daily" | "@midnight" | "@weekly" | "@monthly" | "@yearly" | "@annually" => true,
            cron => minute_of(cron).is_some_and(|minute| minute.split(',').any(|part| matches!(part, "0" | "00"))),
        }
    }

    /// The same time some minutes later, as one would write it.
    pub fn moved(&self, minute: u32) -> String {
        let cron = self.cron.trim();
        match cron {
            "@hourly" => format!("{minute} * * * *"),
            "@daily" | "@midnight" => format!("{minute} 0 * * *"),
            "@weekly" => format!("{minute} 0 * * 0"),
            "@monthly" => format!("{minute} 0 1 * *"),
            "@yearly" | "@annually" => format!("{minute} 0 1 1 *"),
            _ => {
                let mut fields: Vec<String> = fields(cron).iter().map(|field| (*field).to_owned()).collect();
                let at = usize::from(fields.len() > 5);
                if let Some(field) = fields.get_mut(at) {
                    *field = minute.to_string();
                }
                let zone = cron.split_whitespace().find(|part| part.contains('='));
                zone.into_iter().map(str::to_owned).chain(fields).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// The fields of a cron text, without a time zone before them.
fn fields(cron: &str) -> Vec<&str> {
    cron.split_whitespace().filter(|part| !part.contains('=')).collect()
}

/// The field that says the minute.
fn minute_of(cron: &str) -> Option<&str> {
    let fields = fields(cron);
    match fields.len() {
        5 => fields.first().copied(),
        6 => fields.get(1).copied(),
        _ => None,
    }
}

/// Whether a text is a cron text.
pub fn is_cron(text: &str) -> bool {
    const NAMES: &[&str] = &["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
    let fields = fields(text);
    let is_field = |field: &&str| {
        field.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '/' | ',' | '-' | '?' | '#'))
            && field.chars().any(|c| c.is_ascii_digit() || matches!(c, '*' | '?') || c.is_ascii_uppercase())
    };
    NAMES.contains(&text.trim())
        || (matches!(fields.len(), 5 | 6)
            && fields.iter().all(is_field)
            && fields[0].chars().any(|c| c.is_ascii_digit() || c == '*'))
}

impl Program {
    /// Everything that the clock starts, by place.
    pub fn schedules(&self) -> &[Schedule] {
        self.schedules.get_or_init(|| {
            let mut found = Vec::new();
            for manifest in self.manifests.iter().filter(|manifest| !manifest.planned.is_empty()) {
                if let Some(file) = self.file_at(&manifest.path) {
                    in_manifest(self, manifest, file, &mut found);
                }
            }
            in_database(self, &mut found);
            in_code(self, &mut found);
            found.sort_by(|a: &Schedule, b: &Schedule| (a.place, &a.what).cmp(&(b.place, &b.what)));
            found.dedup_by(|a, b| a.place == b.place && a.what == b.what);
            found
        })
    }

    /// The entry points that a path of the app is served by, within a folder of the repository.
    pub fn served_at(&self, path: &str, folder: &str) -> Vec<usize> {
        let asked = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
        let all = self.entries.iter().enumerate();
        let all = all.filter(|(_, entry)| {
            let serves = matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction);
            serves && entry.route.is_some_and(|route| !asked.is_empty() && route.trim_end_matches('/') == asked)
        });
        let all: Vec<usize> = all.map(|(at, _)| at).collect();
        let own = |&at: &usize| self.file(self.entries[at].function.file).path.starts_with(folder);
        if all.iter().any(own) { all.into_iter().filter(own).collect() } else { all }
    }
}

impl Program {
    /// Whether an edge function or a route is there for a clock or an operator: nothing in the repository asks it, and
    /// of the request it reads the method and the headers at most, and no user.
    pub fn is_left_to_a_clock(&self, entry: &Entry) -> bool {
        // `/api/reminders/process`; other routes may be asked by code that is not seen.
        let works_off = |route: Name| {
            let last = route.rsplit('/').next().unwrap_or_default();
            words(last).iter().any(|word| matches!(word.as_str(), "process" | "sweep" | "dispatch" | "expire"))
        };
        let fits = match entry.kind {
            EntryKind::EdgeFunction => true,
            EntryKind::Route => entry.middleware.is_empty() && entry.route.is_some_and(works_off),
            _ => false,
        };
        if !fits
            || !self.facts(entry.function.file).language.is_script()
            || self.incoming(entry.function).iter().any(|edge| edge.kind == EdgeKind::Jump)
        {
            return false;
        }
        let facts = self.facts(entry.function.file);
        // What whoever brings something goes past asks nobody.
        let file = entry.function.file;
        let passed = |at: ExprId| self.is_left_out(Place { file, span: facts.span(at) });
        let asks_user = facts.calls.iter().filter(|call| !passed(call.expr)).any(|call| {
            facts.last_name(call.callee).is_some_and(|name| {
                let name = name.to_ascii_lowercase();
                // `admin.getUserById(row.user_id)` asks for whoever a row is about.
                !name.ends_with("byid")
                    && name != "listusers"
                    && ["user", "claims", "session", "auth", "verify", "require"].iter().any(|word| name.contains(word))
            })
        });
        !asks_user && !self.reads_request(entry.function, 0, 2)
    }

    /// Whether a function reads more of the request in a parameter than its method and headers, itself or through what it
    /// hands it on to: `req.json()`, `new URL(req.url)`, `handle(req)`, but no `corsHeaders(req)`.
    fn reads_request(&self, function: FunctionRef, index: u16, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        self.touches(function, index).any(|touch| match touch {
            Touch::Part(name) => name != "method" && name != "headers",
            Touch::Handed(call, position) => {
                let edges = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                let mut targets = edges.map(|edge| edge.target).peekable();
                targets.peek().is_none() || targets.any(|target| self.reads_request(target, position, depth))
            }
            Touch::Otherwise => false,
        })
    }
}

// ---- what platforms are told -------------------------------------------------------------------------------

fn in_manifest(program: &Program, manifest: &Manifest, file: FileId, found: &mut Vec<Schedule>) {
    let folder = manifest.folder();
    for plan in &manifest.planned {
        let place = Place { file, span: plan.span };
        for starts in &plan.starts {
            let (what, asks, runs) = match starts {
                Starts::Path(path) => (path.clone(), program.served_at(path, folder), vec![]),
                Starts::Url(url) => (path_of(url), program.served_at(&path_of(url), ""), vec![]),
                Starts::Function(name) => (format!("the function {name}"), vec![], functions_named(program, name)),
                Starts::Command(command) => {
                    let mut runs = started_by(program, command);
                    runs.extend(starts.django_command().into_iter().flat_map(|name| django_commands(program, name)));
                    (format!("`{command}`"), vec![], runs)
                }
                Starts::Worker => ("the worker".to_owned(), vec![], scheduled_handlers(program, folder)),
            };
            // A URL of another app, a command of the build: nothing of this program runs.
            if asks.is_empty() && runs.is_empty() {
                continue;
            }
            let served = asks.iter().map(|&entry| program.entries[entry].function);
            let runs = runs.into_iter().chain(served).collect();
            let by_platform = matches!(starts, Starts::Path(_));
            found.push(Schedule { place, cron: plan.cron.clone(), what, runs, asks, by_platform });
        }
    }
}

/// Jobs of the database that ask the app's own functions.
fn functions_named(program: &Program, name: &str) -> Vec<FunctionRef> {
    let named = program
        .entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::EdgeFunction && entry.name.is_some_and(|own| own == name));
    named.map(|entry| entry.function).collect()
}

/// What a command starts: the code of a script that it names.
fn started_by(program: &Program, command: &str) -> Vec<FunctionRef> {
    let script = script_named(program, command);
    let (folder, command) =
        script.as_ref().map_or(("", command), |(folder, script)| (folder.as_str(), script.as_str()));
    let words = command.split([' ', '\t', '"', '\'', ';', '&']);
    let files = words.filter_map(|word| {
        let path = join(folder, word.trim_start_matches("./"));
        let module = || format!("{}.py", path.replace('.', "/"));
        program.file_at(&path).or_else(|| program.file_at(&module()))
    });
    // What looks after the repository is no part of the app.
    let is_own = |file: &FileId| program.file(*file).facts.is_some() && !program.file(*file).path.starts_with('.');
    let bodies = files.filter(is_own);
    let runs = bodies.map(|file| FunctionRef::new(file, crate::facts::FunctionId::MODULE));
    let all: Vec<FunctionRef> = runs.collect();
    // `if __name__ == "__main__":` and the like run what they call.
    all.into_iter()
        .flat_map(|module| {
            let called = program.calls_in(module).flat_map(|call| program.edges(call)).map(|edge| edge.target);
            std::iter::once(module).chain(called.collect::<Vec<_>>())
        })
        .collect()
}

/// The functions that run as a command of Django's: `management/commands/NAME.py`.
fn django_commands<'p>(program: &'p Program, name: &str) -> impl Iterator<Item = FunctionRef> + use<'p> {
    let end = format!("management/commands/{name}.py");
    let entries = program.entries.iter().filter(|entry| entry.kind == EntryKind::Job && entry.framework == "django");
    entries.filter(move |entry| program.file(entry.place.file).path.ends_with(&end)).map(|entry| entry.function)
}

/// What stands behind `npm run digest` in the manifest of the only package that has a script of this name, and the
/// folder in which it runs.
fn script_named(program: &Program, command: &str) -> Option<(String, String)> {
    let mut words = command.split_whitespace();
    matches!(words.next()?, "npm" | "pnpm" | "yarn" | "bun").then_some(())?;
    let name = words.find(|word| *word != "run" && !word.starts_with('-'))?;
    let mut scripts = program.manifests.packages().filter_map(|(manifest, package)| {
        let script = package.whole.get("scripts")?.get(name)?.as_str()?;
        Some((manifest.folder().to_owned(), script.to_owned()))
    });
    let (script, None) = (scripts.next()?, scripts.next()) else { return None };
    Some(script)
}

/// The functions named `scheduled` of the worker in a folder.
fn scheduled_handlers(program: &Program, folder: &str) -> Vec<FunctionRef> {
    let mut found = Vec::new();
    for (file, facts) in program.code() {
        if program.file(file).path.starts_with(folder) && !program.side(file).tooling {
            let named = facts
                .functions
                .iter()
                .enumerate()
                .filter(|(_, function)| function.name.is_some_and(|name| name == "scheduled"));
            found.extend(named.map(|(at, _)| FunctionRef::new(file, crate::facts::FunctionId(at as u32))));
        }
    }
    found
}

// ---- what code schedules -----------------------------------------------------------------------------------

fn in_code(program: &Program, found: &mut Vec<Schedule>) {
    let packages = program.catalogue.scheduling_packages();
    for (file, facts) in program.code().filter(|(file, _)| is_live(program, *file)) {
        let handed: Vec<&Scheduler> = program.catalogue.scheduling_on_arguments(facts).collect();
        for call in program.calls_of(file) {
            for scheduler in schedulers_of(program, call, &packages, &handed) {
                let Some((cron, at)) = time_of(program, call, scheduler) else { continue };
                let runs = run_by(program, call, scheduler);
                if !runs.is_empty() {
                    let what = name_of(program, call, &runs);
                    found.push(Schedule { place: at, cron, what, runs, asks: vec![], by_platform: false });
                }
            }
        }
        // Celery's tables name tasks of Python modules.
        if !facts.language.is_script() {
            facts.objects().for_each(|(_, entries)| table_entry(program, file, entries, found));
        }
    }
    let functions = program.entries.iter().filter(|entry| entry.kind == EntryKind::EdgeFunction);
    let functions: Vec<&Entry> = functions.filter(|entry| is_live(program, entry.function.file)).collect();
    // Entries are sorted by place.
    for of_file in functions.chunk_by(|a, b| a.function.file == b.function.file) {
        exported(program, of_file, found);
    }
}

/// Whether code of a file may be what a server's clock starts.
fn is_live(program: &Program, file: FileId) -> bool {
    let side = program.side(file);
    !side.tooling && !side.dead && (side.server || !side.client)
}

/// The ways to schedule that a call is one of.
fn schedulers_of<'p>(
    program: &'p Program,
    call: CallRef,
    packages: &FxHashSet<Name>,
    handed: &[&'p Scheduler],
) -> Vec<&'p Scheduler> {
    let callee = program.callee(call);
    let mut found: Vec<&Scheduler> = Vec::new();
    for external in callee.externals().filter(|found| packages.contains(&found.package)) {
        let last = external.last_member().filter(|last| *last != "default");
        let name = last
            .as_ref()
            .map_or_else(|| external.package.split_once(':').map_or("", |(_, name)| name), |last| last.as_str());
        let mut known = program.catalogue.schedulers(&external.package);
        found.extend(known.find(|known| !known.is_time && known.calls.iter().any(|call| call == name)));
    }
    let facts = program.facts(call.file);
    if let (true, ExprKind::Member(_, name)) = (found.is_empty(), facts.expr(facts.call(call.call).callee)) {
        found.extend(handed.iter().find(|known| known.on_arguments.iter().any(|call| name == call.as_str())));
    }
    found
}

/// When a scheduling call is to run: a cron text among its arguments or options, the value of a time, keywords.
fn time_of(program: &Program, call: CallRef, scheduler: &Scheduler) -> Option<(String, Place)> {
    let facts = program.facts(call.file);
    let here = |at| Place { file: call.file, span: facts.span(at) };
    let args = &facts.call(call.call).args;
    for arg in args {
        let value = program.value(ExprRef::new(call.file, arg.value));
        if let Some(cron) = cron_in(program, &value) {
            return Some((cron, here(arg.value)));
        }
    }
    for option in &scheduler.options {
        if let Lookup::Present(value) = program.option(call, option)
            && let Some(cron) = cron_in(program, &value)
        {
            return Some((cron, program.call_place(call).head()));
        }
    }
    if let Some(clock) = &scheduler.clock {
        return by_clock(program, call, clock);
    }
    let is_named = scheduler.named.as_ref().is_some_and(|name| {
        args.iter().any(|arg| {
            program.value(ExprRef::new(call.file, arg.value)).text().is_some_and(|text| text == name.as_str())
        })
    });
    let cron = is_named.then(|| by_keywords(program, call, scheduler)).flatten()?;
    Some((cron, program.call_place(call)))
}

/// `every().day.at("10:30").do(job)`, `every().hour.at(":15")` as a cron text.
fn by_clock(program: &Program, call: CallRef, clock: &str) -> Option<(String, Place)> {
    let facts = program.facts(call.file);
    let mut expr = facts.call(call.call).callee;
    while let ExprKind::Member(base, _) = *facts.expr(expr) {
        let ExprKind::Call(before) = *facts.expr(base) else {
            expr = base;
            continue;
        };
        let before = facts.call(before);
        expr = before.callee;
        if let (ExprKind::Member(_, name), Some(arg)) = (facts.expr(expr), before.args.first())
            && name == clock
        {
            let time = program.value(ExprRef::new(call.file, arg.value)).text()?;
            let (hour, minute) = time.split_once(':')?;
            let hour = if hour.is_empty() { "*" } else { hour };
            let minute = minute.split(':').next().unwrap_or(minute);
            let cron = format!("{minute} {hour} * * *");
            return is_cron(&cron).then(|| (cron, Place { file: call.file, span: facts.span(arg.value) }));
        }
    }
    None
}

/// A cron text: a constant, or what a package makes of keywords.
fn cron_in(program: &Program, value: &Value) -> Option<String> {
    value.alternatives().iter().find_map(|value| match value {
        Value::Text(text) if is_cron(text) => Some(text.as_str().trim().to_owned()),
        Value::External(external) => made_of(program, external),
        _ => None,
    })
}

fn made_of(program: &Program, external: &External) -> Option<String> {
    let last = external.last_member()?;
    let mut known = program.catalogue.schedulers(&external.package);
    if let Some(time) = known.find_map(|known| known.times.get(last.as_str())) {
        return Some(time.clone());
    }
    let &site = external.sites.last()?;
    let scheduler = program
        .catalogue
        .schedulers(&external.package)
        .find(|known| known.is_time && known.calls.iter().any(|call| *call == last.as_str()))?;
    let args = &program.facts(site.file).call(site.call).args;
    let text = args.iter().find_map(|arg| program.value(ExprRef::new(site.file, arg.value)).text());
    match text.filter(|text| is_cron(text)) {
        Some(text) => Some(text.as_str().to_owned()),
        None => by_keywords(program, site, scheduler),
    }
}

/// `minute=0, hour=3` as a cron text.
fn by_keywords(program: &Program, call: CallRef, scheduler: &Scheduler) -> Option<String> {
    let unset = scheduler.unset_minute.as_deref()?;
    let args = &program.facts(call.file).call(call.call).args;
    let given = |name: &str| {
        let arg = args.iter().find(|arg| arg.name.is_some_and(|given| given == name))?;
        match program.value(ExprRef::new(call.file, arg.value)) {
            Value::Number(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.as_str().to_owned()),
            _ => Some("?".to_owned()),
        }
    };
    let (minute, hour) = (given("minute"), given("hour"));
    let greater = ["day", "day_of_week", "day_of_month", "month", "month_of_year", "week"]
        .iter()
        .any(|name| given(name).is_some());
    if minute.is_none() && hour.is_none() && !greater {
        return None;
    }
    let minute = minute.unwrap_or_else(|| unset.to_owned());
    let hour = hour.unwrap_or_else(|| if greater { unset } else { "*" }.to_owned());
    let or_any = |names: &[&str]| names.iter().find_map(|name| given(name)).unwrap_or_else(|| "*".to_owned());
    let day = or_any(&["day", "day_of_month"]);
    let month = or_any(&["month", "month_of_year"]);
    Some(format!("{minute} {hour} {day} {month} {}", or_any(&["day_of_week"])))
}

/// The functions that a scheduling call has run: the job that it declares, what is handed to it, the function it
/// decorates.
fn run_by(program: &Program, call: CallRef, scheduler: &Scheduler) -> Vec<FunctionRef> {
    let place = program.call_place(call);
    let declared = program.entries.iter().filter(|entry| entry.place == place && entry.kind != EntryKind::Event);
    let mut runs: Vec<FunctionRef> = declared.map(|entry| entry.function).collect();
    let edges = program.edges(call).iter().filter(|edge| edge.kind != EdgeKind::Jump);
    runs.extend(edges.map(|edge| edge.target));
    let facts = program.facts(call.file);
    let expr = facts.call(call.call).expr;
    let decorated = facts.functions.iter().enumerate().filter(|(_, function)| function.decorators.contains(&expr));
    runs.extend(decorated.map(|(at, _)| FunctionRef::new(call.file, crate::facts::FunctionId(at as u32))));
    for arg in &facts.call(call.call).args {
        runs.extend(program.value(ExprRef::new(call.file, arg.value)).functions());
        // `add_periodic_task(when, remind.s())`
        if let ExprKind::Call(made) = facts.expr(arg.value)
            && let ExprKind::Member(base, _) = *facts.expr(facts.call(*made).callee)
            && !scheduler.on_arguments.is_empty()
        {
            runs.extend(program.value(ExprRef::new(call.file, base)).functions());
        }
    }
    if let Some(worker) = &scheduler.worked_off_by {
        runs.extend(working_off(program, call, worker));
    }
    runs.sort_unstable();
    runs.dedup();
    runs
}

/// The functions that work off the queue that a call puts something into.
fn working_off(program: &Program, call: CallRef, worker: &str) -> Vec<FunctionRef> {
    let first = |at: CallRef| {
        let arg = program.facts(at.file).call(at.call).args.first()?;
        program.value(ExprRef::new(at.file, arg.value)).text()
    };
    let queues = |at: CallRef| -> Vec<Name> {
        let callee = program.callee(at);
        callee.externals().flat_map(|external| external.sites.iter().filter_map(|&site| first(site))).collect()
    };
    let ours = queues(call);
    let workers = program.entries.iter().filter(|entry| entry.kind == EntryKind::Worker && !ours.is_empty());
    let workers = workers.filter(|entry| {
        let facts = program.facts(entry.place.file);
        let Some(at) = facts.calls.iter().position(|call| facts.span(call.expr) == entry.place.span) else {
            return false;
        };
        let at = CallRef::new(entry.place.file, crate::facts::CallId(at as u32));
        let is_worker = facts.last_name(facts.call(at.call).callee).is_some_and(|name| name == worker);
        is_worker
            && (queues(at).iter().any(|name| ours.contains(name)) || first(at).is_some_and(|name| ours.contains(&name)))
    });
    workers.map(|entry| entry.function).collect()
}

fn name_of(program: &Program, call: CallRef, runs: &[FunctionRef]) -> String {
    let place = program.call_place(call);
    match program.entries.iter().find(|entry| entry.place == place && entry.name.is_some_and(|name| !is_cron(&name))) {
        Some(entry) => format!("the job {}", entry.name.unwrap_or_else(|| Name::new(""))),
        None => program.function_name(runs[0]),
    }
}

/// `{"task": "reports.tasks.send", "schedule": crontab(minute=0)}`: a table of tasks by their names.
fn table_entry(program: &Program, file: FileId, entries: &[(Name, crate::facts::ExprId)], found: &mut Vec<Schedule>) {
    let get = |key: &str| entries.iter().find(|(name, _)| *name == key).map(|&(_, value)| ExprRef::new(file, value));
    let (Some(task), Some(schedule)) = (get("task"), get("schedule")) else { return };
    let (Some(name), Some(cron)) = (program.value(task).text(), cron_in(program, &program.value(schedule))) else {
        return;
    };
    let (module, function) = name.rsplit_once('.').unwrap_or(("", &name));
    let path = format!("{}.py", module.replace('.', "/"));
    let runs: Vec<FunctionRef> = program
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Worker | EntryKind::Job))
        .filter(|entry| {
            let called = program.facts(entry.function.file).function(entry.function.function).name;
            let there = module.is_empty() || program.file(entry.function.file).path.ends_with(path.as_str());
            there && called.is_some_and(|called| called == function)
        })
        .map(|entry| entry.function)
        .collect();
    if !runs.is_empty() {
        let what = format!("the task {function}");
        found.push(Schedule { place: program.place(schedule), cron, what, runs, asks: vec![], by_platform: false });
    }
}

/// `export const config = { schedule: "@hourly" }` of a function that a platform deploys.
fn exported(program: &Program, entries: &[&Entry], found: &mut Vec<Schedule>) {
    let Some(first) = entries.first() else { return };
    let file = first.function.file;
    let facts = program.facts(file);
    let config = facts.exports.iter().find(|export| export.name == "config");
    let Some(crate::facts::ExportValue::Local(config)) = config.map(|export| export.value) else { return };
    let value = program.value(ExprRef::new(file, config));
    if let Some((_, at)) = program.entries(&value).into_iter().find(|(name, _)| *name == "schedule")
        && let Some(cron) = cron_in(program, &program.value(at))
    {
        let (what, runs) = (program.entry_name(first), entries.iter().map(|entry| entry.function).collect());
        found.push(Schedule { place: program.place(at), cron, what, runs, asks: vec![], by_platform: false });
    }
}

/// A minute away from the rush, always the same for a name: not 0, 15, 30, 45 nor beside them.
pub fn quiet_minute(name: &str) -> u32 {
    let sum: u32 =
        words(name).join("").bytes().fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    const QUIET: [u32; 12] = [7, 11, 17, 19, 23, 26, 37, 41, 47, 49, 53, 56];
    QUIET[(sum % 12) as usize]
}
