//! What the language and its commonest frameworks do with values: string methods, promises, hooks, contexts.

use std::sync::Arc;

use super::eval::Eval;
use super::{settings, stand_ins};
use crate::catalogue::Seg;
use crate::facts::ExprKind;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, External, Value};

/// Functions that give back their first argument as far as values go.
const TRANSPARENT: &[&str] = &[
    "Object.freeze",
    "Object.seal",
    "Promise.resolve",
    "Promise.all",
    "Promise.allSettled",
    "String",
    "encodeURI",
    "encodeURIComponent",
    "structuredClone",
    "str",
    "asyncio.gather",
    "copy.copy",
    "copy.deepcopy",
    "urllib.parse.quote",
    "Array.from",
];

/// Hooks and wrappers that give back their first argument: React's and their like.
const TRANSPARENT_HOOKS: &[&str] =
    &["useCallback", "memo", "forwardRef", "cache", "unstable_cache", "startTransition", "useEvent", "observer"];

/// String methods that leave the head of a text alone, so that a host can still be told.
const TEXT_METHODS: &[&str] = &[
    "replace",
    "replaceAll",
    "trim",
    "trimEnd",
    "trimStart",
    "toString",
    "toLowerCase",
    "toUpperCase",
    "strip",
    "rstrip",
    "lstrip",
    "lower",
    "upper",
    "removesuffix",
    "encode",
    "decode",
    "valueOf",
    "normalize",
];

/// A member of an external thing that the platform defines.
pub fn member(eval: &mut Eval<'_>, external: &Arc<External>, name: Name) -> Option<Value> {
    let made_by = external.sites.last().copied();
    match (external.segs.last(), made_by) {
        // `useRef(x).current`
        (Some(Seg::Call), Some(site))
            if name == "current" && external.last_member().is_some_and(|hook| hook == "useRef") =>
        {
            Some(eval.argument(site, 0))
        }
        // `import.meta.env`, `process.env` and so on are told by their dotted path; nothing else is special but
        // what settings modules say.
        _ => settings::member(eval, external, name),
    }
}

/// What calling an external function gives, when it is more than "a result of it".
pub fn call(eval: &mut Eval<'_>, external: &Arc<External>, at: CallRef) -> Option<Value> {
    let last = external.last_member();
    let has_call = external.segs.iter().any(|seg| !matches!(seg, Seg::Member(_)));
    let is_module = external.segs.len() == 1 && !external.package.starts_with("global:");
    if (has_call || is_module)
        && let Some(Seg::Member(name)) = external.segs.last()
    {
        // `client.things.list().then(..)`, `import("sdk").then(..)`: a promise's own methods.
        if matches!(name.as_str(), "then" | "catch" | "finally" | "throwOnError") {
            let mut promise = (**external).clone();
            promise.segs.pop();
            let promise = Value::External(Arc::new(promise));
            return Some(if *name == "then" { then(eval, &promise, at) } else { promise });
        }
    }
    if !has_call
        && (external.package.starts_with("global:") || external.package.starts_with("py:"))
        && TRANSPARENT.contains(&external.dotted().as_str())
    {
        return Some(eval.argument(at, 0));
    }
    if external.package == "global:getattr" {
        return settings::attribute(eval, at);
    }
    if external.package == "pypi:flask"
        && let Some(value) = settings::flask_get(eval, external, at)
    {
        return Some(value);
    }
    if external.package == "global:Proxy" && external.segs.is_empty() {
        return stand_ins::stood_for(eval, at);
    }
    if last.is_some_and(|name| name == "loadEnv") && external.package == "npm:vite" {
        return Some(loaded_environment(eval, at));
    }
    let hook = last.or_else(|| external.package.strip_prefix("global:").map(Name::new))?;
    match hook.as_str() {
        "useMemo" | "useState" | "lazy" | "useSignal" => match eval.argument(at, 0) {
            Value::Function(function) if hook != "useState" => {
                let result = eval.result(function);
                Some(eval.substitute(&result, function, at))
            }
            _ => None,
        },
        "useContext" | "use" => match eval.argument(at, 0) {
            Value::External(context) => {
                let made = *context.sites.last()?;
                let provided = eval.program().contexts.get(&made)?.clone();
                let values: Vec<Value> = provided.iter().map(|&value| eval.expr(value)).collect();
                Some(Value::one_of(values))
            }
            _ => None,
        },
        hook if TRANSPARENT_HOOKS.contains(&hook) => Some(eval.argument(at, 0)).filter(|value| !value.is_unknown()),
        _ => None,
    }
}

/// The bundler's own reader of the environment: all of it with an empty prefix, else what is inlined anyway.
fn loaded_environment(eval: &mut Eval<'_>, at: CallRef) -> Value {
    let all = eval.argument(at, 2).text().is_some_and(|prefix| prefix.is_empty());
    let (root, way): (_, &[&str]) =
        if all { ("global:process", &["env"]) } else { ("global:import", &["meta", "env"]) };
    let mut environment = External::root(Name::new(root));
    environment.segs.extend(way.iter().map(|part| Seg::Member(Name::new(part))));
    Value::External(Arc::new(environment))
}

/// What calling a method of a value that is no external thing gives.
pub fn method(eval: &mut Eval<'_>, base: &Value, method: Name, at: CallRef) -> Option<Value> {
    match (base, method.as_str()) {
        (_, "then") => Some(then(eval, base, at)),
        (_, "catch" | "finally") => Some(base.clone()),
        (Value::Function(function), "bind") => Some(Value::Function(*function)),
        (Value::Function(function), "call" | "apply") => Some(eval.result(*function)),
        (Value::Text(text), "replace" | "replaceAll") => {
            let (from, to) = (eval.argument(at, 0).text(), eval.argument(at, 1).text());
            Some(match (from, to) {
                (Some(from), Some(to)) => Value::Text(Name::new(&text.replace(from.as_str(), &to))),
                _ => base.clone(),
            })
        }
        // `base.replace(".host.com", ".host.com/api")`: what holds a host is led on.
        (Value::Template(_) | Value::Env(_) | Value::Param(..) | Value::Member(..), "replace") => {
            Some(led_on(eval, base, at).unwrap_or_else(|| base.clone()))
        }
        (Value::Text(_) | Value::Template(_) | Value::Env(_) | Value::Param(..) | Value::Member(..), name)
            if TEXT_METHODS.contains(&name) =>
        {
            Some(base.clone())
        }
        (Value::Text(text), "concat") => {
            let part = eval.argument(at, 0);
            Some(Value::template([Value::Text(*text), part]))
        }
        (Value::Object(table), "get" | "pop") => Some(of_table(eval, *table, at)),
        (Value::List(list), "join") => join(eval, *list, at),
        (Value::Text(separator), "join") => match eval.argument(at, 0) {
            Value::List(list) => {
                let parts = items(eval, list);
                Some(joined(parts, *separator))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A URL in which the end of the host is replaced by itself and a path: the path stands at its end then.
fn led_on(eval: &mut Eval<'_>, base: &Value, at: CallRef) -> Option<Value> {
    let (from, to) = (eval.argument(at, 0).text()?, eval.argument(at, 1).text()?);
    let path = to.strip_prefix(from.as_str()).filter(|path| path.starts_with('/'))?;
    let ends = match base {
        Value::Template(parts) => matches!(parts.last(), Some(Value::Text(last)) if last.ends_with(from.as_str())),
        _ => true,
    };
    let is_host = from.starts_with('.') && !from.contains('/');
    (ends && is_host).then(|| Value::template([base.clone(), Value::Text(Name::new(path))]))
}

/// `HANDLERS.get(event_type, ignore)`: what a table of functions gives for a key. Other tables are not followed: they
/// change while the program runs.
fn of_table(eval: &mut Eval<'_>, table: ExprRef, at: CallRef) -> Value {
    let found = match eval.argument(at, 0) {
        Value::Text(name) => eval.key(table, name).unwrap_or(Value::Unknown),
        _ => eval.any_key(table),
    };
    let functions: Vec<Value> =
        found.functions().chain(eval.argument(at, 1).functions()).map(Value::Function).collect();
    match functions.is_empty() {
        true => Value::Unknown,
        false => Value::one_of(functions),
    }
}

fn then(eval: &mut Eval<'_>, promise: &Value, at: CallRef) -> Value {
    match eval.argument(at, 0) {
        Value::Function(callback) => match eval.result(callback) {
            // `.then(m => m.default)`: the callback's parameter is what the promise gives.
            result if result.any(|value| matches!(value, Value::Param(of, 0) if *of == callback)) => {
                replace_param(eval, &result, callback, promise)
            }
            result => result,
        },
        _ => promise.clone(),
    }
}

fn replace_param(eval: &mut Eval<'_>, value: &Value, function: crate::program::FunctionRef, with: &Value) -> Value {
    match value {
        Value::Param(of, 0) if *of == function => with.clone(),
        Value::Member(base, name) => {
            let base = replace_param(eval, base, function, with);
            eval.member(&base, *name)
        }
        Value::OneOf(parts) => {
            let parts: Vec<Value> = parts.iter().map(|part| replace_param(eval, part, function, with)).collect();
            Value::one_of(parts)
        }
        Value::Template(parts) => {
            let parts: Vec<Value> = parts.iter().map(|part| replace_param(eval, part, function, with)).collect();
            Value::template(parts)
        }
        other => other.clone(),
    }
}

fn items(eval: &mut Eval<'_>, list: ExprRef) -> Vec<Value> {
    let Some(facts) = eval.program().file(list.file).facts.as_ref() else { return vec![] };
    let ExprKind::List(items) = facts.expr(list.expr) else { return vec![] };
    items.iter().map(|&item| eval.expr(ExprRef::new(list.file, item))).collect()
}

fn join(eval: &mut Eval<'_>, list: ExprRef, at: CallRef) -> Option<Value> {
    let separator = match eval.argument(at, 0) {
        Value::Text(separator) => separator,
        _ => Name::new(","),
    };
    let parts = items(eval, list);
    Some(joined(parts, separator))
}

fn joined(parts: Vec<Value>, separator: Name) -> Value {
    let mut all = Vec::with_capacity(parts.len() * 2);
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            all.push(Value::Text(separator));
        }
        all.push(part);
    }
    Value::template(all)
}
