//! What the clock, a queue or a person at a terminal starts: scheduled jobs, workers, scripts.

use super::handlers::{arguments, key, object};
use super::{Label, Module};
use crate::facts::{BlockKind, ExprId, ExprKind, FunctionId, Op};
use crate::link::tasks::kind_of;
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, ExprRef, FunctionRef, Value};

/// Which argument runs.
#[derive(Clone, Copy)]
enum Runs {
    First,
    Second,
    Last,
}

/// What runs again and again on servers, and in browsers.
const TIMER: &str = "global:setInterval";

/// Calls that schedule or consume: package, last member (empty for the package itself), what it starts, its argument.
const CALLS: &[(&str, &str, EntryKind, Runs)] = &[
    ("npm:node-cron", "schedule", EntryKind::Job, Runs::Second),
    ("npm:cron", "CronJob", EntryKind::Job, Runs::Second),
    ("npm:croner", "Cron", EntryKind::Job, Runs::Last),
    ("npm:node-schedule", "scheduleJob", EntryKind::Job, Runs::Last),
    ("npm:toad-scheduler", "AsyncTask", EntryKind::Job, Runs::Second),
    ("npm:toad-scheduler", "Task", EntryKind::Job, Runs::Second),
    ("global:Deno", "cron", EntryKind::Job, Runs::Last),
    (TIMER, "", EntryKind::Job, Runs::First),
    ("npm:bullmq", "Worker", EntryKind::Worker, Runs::Second),
    ("npm:bull", "process", EntryKind::Worker, Runs::Last),
    ("npm:bee-queue", "process", EntryKind::Worker, Runs::Last),
    ("npm:agenda", "define", EntryKind::Worker, Runs::Last),
    ("npm:pg-boss", "work", EntryKind::Worker, Runs::Last),
    ("pypi:apscheduler", "add_job", EntryKind::Job, Runs::First),
    ("pypi:schedule", "do", EntryKind::Job, Runs::First),
];

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for call in module.program.calls_of(module.file) {
        for external in module.program.callee(call).externals() {
            let member = external.last_member().filter(|name| *name != "default");
            let name = member.as_ref().map_or("", |name| name.as_str());
            if let Some((_, _, kind, runs)) =
                CALLS.iter().find(|(package, last, ..)| external.package == *package && name == *last)
            {
                let in_page = external.package == "global:setInterval" && is_of_page(module);
                found.extend(called(module, call, if in_page { EntryKind::Effect } else { *kind }, *runs));
            } else if external.package.starts_with("npm:") {
                found.extend(durable(module, call, name));
            }
        }
    }
    if !module.is_script() {
        found.extend(tasks(module));
        found.extend(script(module));
        found.extend(command(module));
    }
    found
}

/// Whether a module is a page's by its kind, by where it lies, or by what it reaches for: what it does again and again
/// runs in browsers.
fn is_of_page(module: Module<'_>) -> bool {
    let path = module.program.file(module.file).path;
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let kind = file.rsplit('.').next().unwrap_or_default();
    matches!(kind, "html" | "htm" | "jsx" | "tsx" | "vue" | "svelte" | "astro")
        || folders.split('/').any(|folder| matches!(folder, "public" | "static" | "templates"))
        || module.facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Ref(name, block) => {
                matches!(name.as_str(), "document" | "window" | "localStorage")
                    && module.facts.lookup(*block, *name).is_none()
            }
            ExprKind::Element(_) => true,
            _ => false,
        })
}

fn called(module: Module<'_>, call: CallRef, kind: EntryKind, runs: Runs) -> Vec<Entry> {
    let args = arguments(module.program, call);
    let runs = match runs {
        Runs::First => args.first(),
        Runs::Second => args.get(1),
        Runs::Last => args.last(),
    };
    let is_timer = module.program.callee(call).externals().any(|external| external.package == TIMER);
    let mut label = Label::new(kind, if is_timer { "timer" } else { "job" });
    label.name = args.first().and_then(|&arg| module.program.value(arg).text()).map(|name| name.as_str().to_owned());
    let span = module.facts.span(module.facts.call(call.call).expr);
    runs.map(|&runs| module.entries(runs, span, &label)).unwrap_or_default()
}

/// Durable functions, known by their shape: `createFunction({ id }, { event | cron }, run)`, `task({ id, run })`.
fn durable(module: Module<'_>, call: CallRef, name: &str) -> Vec<Entry> {
    if !matches!(name, "createFunction" | "task" | "schemaTask" | "defineJob") {
        return vec![];
    }
    let args = arguments(module.program, call);
    let objects: Vec<ExprRef> = args.iter().filter_map(|&arg| object(module.program, arg)).collect();
    let Some(&first) = objects.first() else { return vec![] };
    let id = key(module.program, first, Name::new("id")).or_else(|| key(module.program, first, Name::new("name")));
    let has = |name: &str| {
        objects.iter().any(|&object| match key(module.program, object, Name::new(name)) {
            Some(value) => !matches!(module.program.value(value), Value::Null),
            None => false,
        })
    };
    let in_triggers = || {
        key(module.program, first, Name::new("triggers")).is_some_and(|list| {
            let facts = module.program.facts(list.file);
            matches!(facts.expr(list.expr), ExprKind::List(items)
                if items.iter().any(|&item| key(module.program, ExprRef::new(list.file, item), Name::new("cron")).is_some()))
        })
    };
    let is_job = has("cron") || in_triggers();
    let kind = if is_job { EntryKind::Job } else { EntryKind::Worker };
    let mut label = Label::new(kind, "durable");
    label.name = id.and_then(|id| module.program.value(id).text()).map(|id| id.as_str().to_owned());
    let span = module.facts.span(module.facts.call(call.call).expr);
    let runs = match name {
        "createFunction" => args.last().copied().filter(|_| args.len() > 1),
        _ => key(module.program, first, Name::new("run")),
    };
    let mut found = runs.map(|runs| module.entries(runs, span, &label)).unwrap_or_default();
    if let Some(failure) = key(module.program, first, Name::new("onFailure")) {
        found.extend(module.entries(failure, span, &label));
    }
    found
}

/// Functions that a decorator makes tasks.
fn tasks(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for (at, function) in module.facts.functions.iter().enumerate() {
        for &decorator in &function.decorators {
            let callee = match module.facts.expr(decorator) {
                ExprKind::Call(call) => module.facts.call(*call).callee,
                _ => decorator,
            };
            let value = module.program.value(module.at(callee));
            for external in value.externals() {
                let Some(member) = external.last_member() else { continue };
                let Some(kind) = kind_of(external.package.as_str(), &member) else { continue };
                let kind = if member.contains("periodic") { EntryKind::Job } else { kind };
                let mut label = Label::new(kind, "task");
                label.name = function.name.map(|name| name.as_str().to_owned());
                let function = FunctionRef::new(module.file, FunctionId(at as u32));
                found.push(label.entry(function, vec![], module.place(module.facts.span(decorator))));
            }
        }
    }
    found
}

/// `if __name__ == "__main__":`.
fn script(module: Module<'_>) -> Option<Entry> {
    let block = module.facts.blocks.iter().find(|block| match block.kind {
        BlockKind::Then(condition) => block.function == FunctionId::MODULE && is_main(module, condition),
        _ => false,
    })?;
    // What a platform keeps running is run by nobody's hand.
    let label = match module.program.projects.is_started(Name::new(module.path)) {
        true => Label::new(EntryKind::Worker, "process").named(module.stem().0),
        false => Label::new(EntryKind::Script, "python"),
    };
    Some(module.body(block.span, &label))
}

/// Django's `management/commands/NAME.py`: `Command.handle`.
fn command(module: Module<'_>) -> Option<Entry> {
    let (_, file) = module.program.file(module.file).path.as_str().rsplit_once("management/commands/")?;
    let class = module.facts.classes.iter().find(|class| class.name.is_some_and(|name| name == "Command"))?;
    let handle = class.methods.iter().find(|method| method.name == "handle")?;
    let name = file.trim_end_matches(".py");
    // What a platform's clock starts is run by nobody's hand.
    let mut planned = module.program.manifests.iter().flat_map(|manifest| &manifest.planned);
    let by_clock = planned.any(|plan| plan.starts.iter().any(|starts| starts.django_command() == Some(name)));
    let mut label = Label::new(if by_clock { EntryKind::Job } else { EntryKind::Script }, "django");
    label.name = Some(name.to_owned());
    let place = module.place(module.facts.function(handle.function).span);
    Some(label.entry(FunctionRef::new(module.file, handle.function), vec![], place))
}

fn is_main(module: Module<'_>, condition: ExprId) -> bool {
    let ExprKind::Op(Op::Equal, operands) = module.facts.expr(condition) else { return false };
    operands.iter().any(|&operand| matches!(module.facts.expr(operand), ExprKind::Text(text) if text == "__main__"))
}
