//! Tasks of Python's queues: which functions decorators make one, and which calls leave one to a worker.

use super::composed::called;
use super::eval::Eval;
use crate::facts::ExprKind;
use crate::program::{CallRef, EntryKind, ExprRef, FunctionRef, Program};

/// What makes tasks of functions, and leaves them to be done.
struct Maker {
    package: &'static str,
    /// Its decorators.
    decorators: &'static [&'static str],
    /// Methods of the task that leave it to a worker.
    starts: &'static [&'static str],
    kind: EntryKind,
}

const MAKERS: &[Maker] = &[
    Maker {
        package: "pypi:celery",
        decorators: &["shared_task", "task", "periodic_task"],
        starts: &["delay", "apply_async"],
        kind: EntryKind::Worker,
    },
    Maker {
        package: "pypi:dramatiq",
        decorators: &["actor"],
        starts: &["send", "send_with_options"],
        kind: EntryKind::Worker,
    },
    Maker {
        package: "pypi:huey",
        decorators: &["task", "periodic_task", "db_task", "db_periodic_task"],
        starts: &["schedule"],
        kind: EntryKind::Worker,
    },
    Maker { package: "pypi:rq", decorators: &["job"], starts: &["delay"], kind: EntryKind::Worker },
    Maker { package: "pypi:django_rq", decorators: &["job"], starts: &["delay"], kind: EntryKind::Worker },
    Maker { package: "pypi:apscheduler", decorators: &["scheduled_job"], starts: &[], kind: EntryKind::Job },
    Maker { package: "pypi:flask_apscheduler", decorators: &["task"], starts: &[], kind: EntryKind::Job },
    Maker { package: "pypi:fastapi_utils", decorators: &["repeat_every"], starts: &[], kind: EntryKind::Job },
    Maker {
        package: "pypi:procrastinate",
        decorators: &["task", "periodic"],
        starts: &["defer", "defer_async"],
        kind: EntryKind::Worker,
    },
];

/// What a decorator of this name in a package makes of a function.
pub fn kind_of(package: &str, decorator: &str) -> Option<EntryKind> {
    maker(package, decorator).map(|maker| maker.kind)
}

fn maker(package: &str, decorator: &str) -> Option<&'static Maker> {
    MAKERS.iter().find(|maker| maker.package == package && maker.decorators.contains(&decorator))
}

/// The tasks that a call leaves to a worker: `send_receipt.delay(order)`.
pub fn started(program: &Program, eval: &mut Eval<'_>, call: CallRef) -> Vec<FunctionRef> {
    let facts = program.facts(call.file);
    let ExprKind::Member(task, start) = *facts.expr(facts.call(call.call).callee) else { return vec![] };
    let starts = MAKERS.iter().any(|maker| maker.starts.contains(&start.as_str()));
    if facts.language.is_script() || !starts {
        return vec![];
    }
    let tasks: Vec<FunctionRef> = eval.expr(ExprRef::new(call.file, task)).functions().collect();
    let mut is_task = |function: &FunctionRef| {
        let facts = program.facts(function.file);
        let decorators = &facts.function(function.function).decorators;
        decorators.iter().any(|&decorator| {
            let made_by = eval.expr(ExprRef::new(function.file, called(facts, decorator)));
            made_by.externals().any(|external| {
                let name = external.last_member();
                let maker = name.and_then(|name| maker(external.package.as_str(), &name));
                maker.is_some_and(|maker| maker.starts.contains(&start.as_str()))
            })
        })
    };
    tasks.into_iter().filter(|function| is_task(function)).collect()
}
