//! What a browser starts: event handlers and forms of JSX elements, effects that run on mount, listeners.

use super::handlers::arguments;
use super::{Label, Module};
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::{Entry, EntryKind, Value};

/// Hooks whose first argument runs after the page is shown.
const EFFECTS: &[&str] =
    &["useEffect", "useLayoutEffect", "useInsertionEffect", "onMount", "onMounted", "createEffect"];

/// Hooks whose `queryFn` runs on mount.
const QUERIES: &[&str] = &["useQuery", "useInfiniteQuery", "useSuspenseQuery", "createQuery"];

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for (at, element) in module.facts.elements() {
        for &(key, value) in &element.attributes {
            if is_event(&key) && may_be_function(module, value) {
                let tag = tag(module, element.tag);
                let label = Label::new(EntryKind::Event, "browser").named(format!("{tag}.{key}"));
                found.extend(module.entries(module.at(value), module.facts.span(at), &label));
            }
        }
    }
    for call in module.program.calls_of(module.file) {
        let shape = module.facts.call(call.call);
        let Some(name) = module.facts.last_name(shape.callee) else { continue };
        let label = if EFFECTS.contains(&name.as_str()) && !shape.args.is_empty() {
            Label::new(EntryKind::Effect, "browser")
        } else if name == "addEventListener" {
            Label::new(EntryKind::Event, "browser")
        } else if QUERIES.contains(&name.as_str()) {
            Label::new(EntryKind::Effect, "browser")
        } else {
            continue;
        };
        // A function of the program of that name is something else.
        if matches!(module.program.callee(call), Value::Function(_)) {
            continue;
        }
        let span = module.facts.span(shape.expr);
        let args = arguments(module.program, call);
        match name.as_str() {
            "addEventListener" => {
                let Some(&listener) = args.get(1) else { continue };
                let event = args.first().and_then(|&arg| module.program.value(arg).text());
                let event = event.unwrap_or(Name::new("event"));
                found.extend(module.entries(listener, span, &label.named(format!("addEventListener.{event}"))));
            }
            name if QUERIES.contains(&name) => {
                let Some(&options) = args.first() else { continue };
                if let ExprKind::Object(_) = module.facts.expr(options.expr)
                    && let Some(query) = super::handlers::key(module.program, options, Name::new("queryFn"))
                {
                    found.extend(module.entries(query, span, &label.named(name)));
                }
            }
            name => {
                if let Some(&effect) = args.first() {
                    found.extend(module.entries(effect, span, &label.named(name)));
                }
            }
        }
    }
    found
}

fn is_event(key: &str) -> bool {
    matches!(key, "action" | "formAction")
        || key.strip_prefix("on").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn may_be_function(module: Module<'_>, value: ExprId) -> bool {
    matches!(
        module.facts.expr(value),
        ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Call(_)
    )
}

fn tag(module: Module<'_>, tag: ExprId) -> String {
    match module.facts.expr(tag) {
        ExprKind::Text(name) | ExprKind::Ref(name, _) => name.as_str().to_owned(),
        ExprKind::Member(base, name) => format!("{}.{name}", self::tag(module, *base)),
        _ => String::new(),
    }
}
