//! NestJS: controllers by their decorators, guards, global prefix, scheduled and queued methods, resolvers.

use super::handlers::{arguments, gates};
use super::{Label, Module, paths};
use crate::facts::{ClassId, ExprId, ExprKind};
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, FunctionRef, Gate, Program, Value};

const VERBS: &[(&str, &[&str])] = &[
    ("Get", &["GET"]),
    ("Post", &["POST"]),
    ("Put", &["PUT"]),
    ("Patch", &["PATCH"]),
    ("Delete", &["DELETE"]),
    ("Head", &["HEAD"]),
    ("Options", &["OPTIONS"]),
    ("All", &[]),
];

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    if module.facts.classes.is_empty()
        || !module.facts.imports.iter().any(|import| import.specifier.starts_with("@nestjs/"))
    {
        return vec![];
    }
    let prefix = global_prefix(module);
    (0..module.facts.classes.len() as u32).flat_map(|class| in_class(module, ClassId(class), &prefix)).collect()
}

fn in_class(module: Module<'_>, class: ClassId, global: &str) -> Vec<Entry> {
    let shape = &module.facts.classes[class.index()];
    let mut base = None;
    let mut before: Vec<Gate> = Vec::new();
    for &decorator in &shape.decorators {
        match name_of(module, decorator) {
            Some(name) if name == "Controller" => {
                base = Some(prefixes(module, decorator).into_iter().next().unwrap_or_default());
            }
            Some(name) if name == "UseGuards" => before.extend(guards(module, decorator)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for method in &shape.methods {
        let function = FunctionRef::new(module.file, method.function);
        let decorators = &module.facts.function(method.function).decorators;
        let mut gates = before.clone();
        for &decorator in decorators {
            if name_of(module, decorator).is_some_and(|name| name == "UseGuards") {
                gates.extend(guards(module, decorator));
            }
        }
        for &decorator in decorators {
            let Some(name) = name_of(module, decorator) else { continue };
            let place = module.place(module.facts.span(decorator));
            let verb = VERBS.iter().find(|(verb, _)| name == *verb);
            if let (Some((_, methods)), Some(base)) = (verb, &base) {
                let mut given = prefixes(module, decorator);
                if given.is_empty() {
                    given.push(String::new());
                }
                for path in given {
                    let route = paths::join(&paths::join(global, &paths::normal(base)), &paths::normal(&path));
                    let label = Label::new(EntryKind::Route, "nest").at(route).methods(methods);
                    found.push(label.entry(function, gates.clone(), place));
                }
                continue;
            }
            let kind = match name.as_str() {
                "Cron" | "Interval" | "Timeout" => EntryKind::Job,
                "Process" | "OnEvent" | "EventPattern" | "MessagePattern" | "OnQueueEvent" | "SubscribeMessage" => {
                    EntryKind::Worker
                }
                "Mutation" | "Query" | "Subscription" | "ResolveField" => EntryKind::Procedure,
                _ => continue,
            };
            let label = Label::new(kind, "nest").named(method.name.as_str());
            found.push(label.entry(function, gates.clone(), place));
        }
        // A BullMQ processor is a class whose `process` is run.
        if method.name == "process"
            && shape.decorators.iter().any(|&d| name_of(module, d).is_some_and(|name| name == "Processor"))
        {
            let place = module.place(module.facts.function(method.function).span);
            found.push(Label::new(EntryKind::Worker, "nest").named("process").entry(function, gates, place));
        }
    }
    found
}

fn guards(module: Module<'_>, decorator: ExprId) -> Vec<Gate> {
    call_of(module, decorator)
        .into_iter()
        .flat_map(|call| arguments(module.program, call))
        .flat_map(|arg| gates(module.program, arg))
        .collect()
}

fn call_of(module: Module<'_>, decorator: ExprId) -> Option<CallRef> {
    match module.facts.expr(decorator) {
        ExprKind::Call(call) => Some(CallRef::new(module.file, *call)),
        _ => None,
    }
}

/// The name a decorator is written with.
fn name_of(module: Module<'_>, decorator: ExprId) -> Option<Name> {
    match module.facts.expr(decorator) {
        ExprKind::Call(call) => name_of(module, module.facts.call(*call).callee),
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(*name),
        _ => None,
    }
}

/// The paths that `@Controller(..)` or `@Get(..)` names.
fn prefixes(module: Module<'_>, decorator: ExprId) -> Vec<String> {
    let Some(call) = call_of(module, decorator) else { return vec![] };
    let Some(&first) = arguments(module.program, call).first() else { return vec![] };
    texts(module.program, &module.program.value(first))
}

fn texts(program: &Program, value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.as_str().to_owned()],
        Value::List(list) => match program.facts(list.file).expr(list.expr) {
            ExprKind::List(items) => items
                .iter()
                .flat_map(|&item| texts(program, &program.value(crate::program::ExprRef::new(list.file, item))))
                .collect(),
            _ => vec![],
        },
        Value::Object(object) => super::handlers::key(program, *object, Name::new("path"))
            .map(|path| texts(program, &program.value(path)))
            .unwrap_or_default(),
        _ => vec![],
    }
}

/// `app.setGlobalPrefix("api")` in the project's main file.
fn global_prefix(module: Module<'_>) -> String {
    let folder = &module.project.folder;
    for main in ["src/main.ts", "main.ts", "src/main.js"] {
        let path = crate::link::projects::join(folder, main);
        let Ok(at) = module.program.files.binary_search_by(|file| file.path.as_str().cmp(&path)) else { continue };
        let file = crate::finding::FileId(at as u32);
        let Some(facts) = module.program.files[at].facts.as_ref() else { continue };
        for call in module.program.calls_of(file) {
            if let ExprKind::Member(_, name) = facts.expr(facts.call(call.call).callee)
                && name == "setGlobalPrefix"
                && let Some(&first) = arguments(module.program, call).first()
                && let Some(text) = module.program.value(first).text()
            {
                return paths::normal(&text);
            }
        }
    }
    String::new()
}
