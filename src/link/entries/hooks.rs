//! Functions that an auth library calls at sign-up and sign-in: callbacks, events and hooks of its configuration,
//! verify callbacks of login strategies; what a framework runs when an account is saved.

use super::handlers::{arguments, handler, object};
use super::platforms::{AUTH_CONFIG_TYPES, AUTH_CONFIGS, STRATEGIES};
use super::{Label, Module};
use crate::facts::{ExprId, ExprKind, FunctionId};
use crate::program::{CallRef, Entry, EntryKind, ExprRef, FunctionRef, Value};

/// How deep a configuration is looked through.
const DEEPEST: usize = 6;

/// The entries of one file.
pub fn in_module(module: Module<'_>) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    if !module.is_script() {
        return receivers(module);
    }
    for call in module.program.calls_of(module.file) {
        for external in module.program.callee(call).externals() {
            let package = external.package.as_str();
            if AUTH_CONFIGS.contains(&package) {
                for arg in arguments(module.program, call) {
                    if let Some(config) = object(module.program, arg) {
                        config_hooks(module, config, "", 0, &mut found);
                    }
                }
            } else if STRATEGIES.contains(&package) && external.last_member().is_some_and(|name| name == "use") {
                for arg in arguments(module.program, call) {
                    found.extend(strategy(module, arg));
                }
            }
        }
    }
    for def in &module.facts.defs {
        let Some(ty) = def.ty else { continue };
        let (ExprKind::Ref(name, _) | ExprKind::Member(_, name)) = module.facts.expr(ty) else { continue };
        if AUTH_CONFIG_TYPES.contains(&name.as_str())
            && let Some(&value) = def.values.first()
            && let ExprKind::Object(_) = module.facts.expr(value)
        {
            config_hooks(module, module.at(value), "", 0, &mut found);
        }
    }
    let mut seen: Vec<FunctionRef> = Vec::new();
    found.retain(|entry| {
        let is_new = !seen.contains(&entry.function);
        seen.push(entry.function);
        is_new
    });
    found
}

/// Receivers of Django that run when an account is made: `@receiver(post_save, sender=Member)`, for what was created.
fn receivers(module: Module<'_>) -> Vec<Entry> {
    let facts = module.facts;
    let mut found: Vec<Entry> = Vec::new();
    for (at, function) in facts.functions.iter().enumerate() {
        let by_created = function.params.iter().any(|param| param.name.is_some_and(|name| name == "created"));
        for &decorator in function.decorators.iter().filter(|_| by_created) {
            let ExprKind::Call(call) = *facts.expr(decorator) else { continue };
            let call = facts.call(call);
            let is_receiver = facts.last_name(call.callee).is_some_and(|name| name == "receiver");
            let of_save = call.args.first().and_then(|arg| facts.last_name(arg.value));
            let sender = call.args.iter().find(|arg| arg.name.is_some_and(|name| name == "sender"));
            let of_users = sender.is_some_and(|sender| is_user_model(module, sender.value));
            if is_receiver && of_users && of_save.is_some_and(|signal| signal == "post_save") {
                let label = Label::new(EntryKind::Hook, "django").named("user created (post_save)");
                let function = FunctionRef::new(module.file, FunctionId(at as u32));
                found.push(label.entry(function, vec![], module.program.place(module.at(decorator))));
            }
        }
    }
    found
}

/// Whether an expression names the model of the app's users: that of the settings, the framework's own, or a class made
/// of the framework's.
fn is_user_model(module: Module<'_>, model: ExprId) -> bool {
    const OWN: &[&str] = &["AUTH_USER_MODEL", "User", "AbstractUser", "AbstractBaseUser", "get_user_model"];
    let is_own = |value: &Value| {
        value.externals().any(|external| {
            external.package == "pypi:django" && external.last_member().is_some_and(|name| OWN.contains(&name.as_str()))
        })
    };
    if module.facts.last_name(model).is_some_and(|name| name == "AUTH_USER_MODEL") {
        return true;
    }
    match module.program.value(module.at(model)) {
        Value::Class(class) => {
            let facts = module.program.facts(class.file);
            let bases = facts.classes[class.class.index()].bases.iter();
            bases.into_iter().any(|&base| is_own(&module.program.value(ExprRef::new(class.file, base))))
        }
        value => is_own(&value),
    }
}

/// Every function of a configuration, by its path in it.
fn config_hooks(module: Module<'_>, at: ExprRef, path: &str, depth: usize, found: &mut Vec<Entry>) {
    if depth > DEEPEST {
        return;
    }
    let facts = module.program.facts(at.file);
    let here = |expr| ExprRef::new(at.file, expr);
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match facts.expr(at.expr) {
        ExprKind::Object(entries) => {
            for &(name, value) in entries {
                match facts.expr(value) {
                    ExprKind::Object(_) | ExprKind::List(_) => {
                        config_hooks(module, here(value), &below(&name), depth + 1, found);
                    }
                    ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Call(_) => {
                        if let Some(inner) = object(module.program, here(value)).filter(|inner| *inner != here(value)) {
                            let path = if name == "..." { path.to_owned() } else { below(&name) };
                            config_hooks(module, inner, &path, depth + 1, found);
                            continue;
                        }
                        // A plugin or provider is configured in place.
                        let label = Label::new(EntryKind::Hook, "auth").named(below(&name));
                        let place = module.program.place(here(value));
                        let functions = handler(module.program, here(value)).functions;
                        found.extend(functions.into_iter().map(|function| label.entry(function, vec![], place)));
                    }
                    _ => {}
                }
            }
        }
        ExprKind::List(items) => {
            for &item in items {
                if let ExprKind::Call(call) = facts.expr(item) {
                    for arg in arguments(module.program, CallRef::new(at.file, *call)) {
                        if let Some(inner) = object(module.program, arg) {
                            config_hooks(module, inner, path, depth + 1, found);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// `passport.use(new LocalStrategy(options, verify))`.
fn strategy(module: Module<'_>, at: ExprRef) -> Vec<Entry> {
    let at = super::handlers::follow(module.program, at);
    let facts = module.program.facts(at.file);
    let ExprKind::Call(call) = facts.expr(at.expr) else { return vec![] };
    let call_ref = CallRef::new(at.file, *call);
    let name = match facts.expr(facts.call(*call).callee) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.as_str(),
        _ => "strategy",
    };
    let label = Label::new(EntryKind::Hook, "auth").named(name);
    let Some(&last) = arguments(module.program, call_ref).last() else { return vec![] };
    super::entries_of(module.program, last, vec![], module.program.place(at), &label)
}
