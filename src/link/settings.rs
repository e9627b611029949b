//! `settings.API_TOKEN`: what the settings object of a Python web framework holds is what the project's settings
//! modules give the name, and what a Flask app's configuration holds is what is put into it.

use rustc_hash::FxHashMap;

use super::eval::Eval;
use crate::catalogue::Seg;
use crate::facts::{ExportValue, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, External, Program, Target, Value};

/// How deep conditions are read.
const DEEPEST: usize = 6;

/// What a member of the settings object is; none when it is not that object, or the settings do not say.
pub fn member(eval: &mut Eval<'_>, external: &External, name: Name) -> Option<Value> {
    let of_settings = external.package == "pypi:django"
        && matches!(external.segs[..], [Seg::Member(conf), Seg::Member(settings)] if conf == "conf" && settings == "settings");
    if of_settings {
        return said(eval, name);
    }
    is_flask_config(external).then(|| said_to_flask(eval, name)).flatten()
}

/// `current_app.config.get("API_TOKEN")`: what the app puts there.
pub fn flask_get(eval: &mut Eval<'_>, external: &External, at: CallRef) -> Option<Value> {
    let (get, config) = external.segs.split_last()?;
    if !matches!(get, Seg::Member(name) if *name == "get") {
        return None;
    }
    let mut of = External::root(external.package);
    of.segs = config.to_vec();
    let Value::Text(name) = eval.argument(at, 0) else { return None };
    if is_flask_config(&of) { said_to_flask(eval, name) } else { None }
}

fn is_flask_config(external: &External) -> bool {
    external.package == "pypi:flask" && external.last_member().is_some_and(|name| name == "config")
}

/// What a Flask app is configured with, as far as nothing else than variables and texts decides it.
fn said_to_flask(eval: &mut Eval<'_>, name: Name) -> Option<Value> {
    let program = eval.program();
    let given = program.flask_settings.get_or_init(|| put_into_config(program)).get(&name)?;
    let value = eval.setting(name, given);
    tells(&value).then_some(value)
}

/// What is put into the configuration of Flask apps, by name: `app.config["X"] = ..`, `app.config.update(X=..)`, and
/// the fields of classes of configuration but for those of tests and developers' machines.
fn put_into_config(program: &Program) -> FxHashMap<Name, Vec<ExprRef>> {
    let mut found: FxHashMap<Name, Vec<ExprRef>> = FxHashMap::default();
    for (file, facts) in program.code().filter(|(_, facts)| !facts.language.is_script()) {
        let mut put = |name: Name, value: ExprId| found.entry(name).or_default().push(ExprRef::new(file, value));
        let is_config = |base: ExprId| facts.last_name(base).is_some_and(|name| name == "config");
        for step in facts.blocks.iter().flat_map(|block| &block.steps) {
            let Step::Assign(target, value) = step else { continue };
            match facts.expr(*target) {
                ExprKind::Index(base, key) if is_config(*base) => {
                    if let ExprKind::Text(name) = facts.expr(*key) {
                        put(*name, *value);
                    }
                }
                ExprKind::Member(base, name) if is_config(*base) => put(*name, *value),
                _ => {}
            }
        }
        for call in &facts.calls {
            let ExprKind::Member(base, method) = facts.expr(call.callee) else { continue };
            if matches!(method.as_str(), "update" | "from_mapping") && is_config(*base) {
                call.args.iter().for_each(|arg| {
                    if let Some(name) = arg.name {
                        put(name, arg.value);
                    }
                });
            }
        }
        let is_deployed = |name: Name| {
            let lower = name.to_ascii_lowercase();
            lower.contains("config") && !lower.contains("test") && !lower.contains("dev") && !lower.contains("local")
        };
        for class in facts.classes.iter().filter(|class| class.name.is_some_and(is_deployed)) {
            for field in class.fields.iter().filter(|field| field.is_static) {
                if let Some(value) = field.value {
                    put(field.name, value);
                }
            }
        }
    }
    found
}

/// `getattr(settings, "API_TOKEN", "")`: what the settings say; the default is for those that do not.
pub fn attribute(eval: &mut Eval<'_>, at: CallRef) -> Option<Value> {
    let (Value::External(of), Value::Text(name)) = (eval.argument(at, 0), eval.argument(at, 1)) else { return None };
    member(eval, &of, name).or_else(|| default(eval, &of, at, name))
}

/// The default of what no settings module names: it is what the app runs with.
fn default(eval: &mut Eval<'_>, of: &External, at: CallRef, name: Name) -> Option<Value> {
    let program = eval.program();
    let settings = program.modules.settings();
    let facts = |file: &FileId| program.file(*file).facts.as_ref();
    let may_say = |file: &FileId| {
        facts(file).is_none_or(|facts| {
            let more = facts.exports.iter().any(|export| {
                export.name == "*"
                    && !matches!(export.value, ExportValue::From(import, _)
                        if matches!(program.modules.target(*file, import), Target::File(_)))
            });
            more || facts.defs.iter().any(|def| def.name == name)
        })
    };
    if of.package != "pypi:django" || settings.is_empty() || settings.iter().any(may_say) {
        return None;
    }
    match eval.argument(at, 2) {
        Value::Text(text) if !text.is_empty() => Some(Value::Text(text)),
        _ => None,
    }
}

/// What the settings modules give a name. Those for production go before the others. Several projects have settings of
/// their own: nothing then tells whose are meant.
fn said(eval: &mut Eval<'_>, name: Name) -> Option<Value> {
    let program = eval.program();
    let defines = |file: &FileId| {
        let facts = program.file(*file).facts.as_ref();
        facts.is_some_and(|facts| {
            facts.defined_in(facts.function(crate::facts::FunctionId::MODULE).body, name).is_some()
        })
    };
    let mut files: Vec<FileId> = program.modules.settings().iter().copied().filter(defines).collect();
    let path = |file: &FileId| program.file(*file).path;
    let is_for_production = |file: &FileId| path(file).rsplit('/').next().is_some_and(|stem| stem.contains("prod"));
    if files.iter().any(is_for_production) {
        files.retain(is_for_production);
    }
    let folder = |file: &FileId| path(file).rsplit_once('/').map(|(folder, _)| Name::new(folder));
    if files.iter().any(|file| folder(file) != folder(&files[0])) {
        return None;
    }
    let values: Vec<Value> = files.iter().filter_map(|&file| given(eval, file, name)).collect();
    let value = Value::one_of(values);
    tells(&value).then_some(value)
}

/// Whether a value tells what a setting is. Switches and numbers differ from one environment to the next.
fn tells(value: &Value) -> bool {
    let all = value.alternatives();
    let says = |value: &Value| {
        matches!(value, Value::Text(_) | Value::Env(_) | Value::Template(_) | Value::Object(_) | Value::List(_))
    };
    let differs = |value: &Value| matches!(value, Value::Bool(_) | Value::Number(_));
    all.iter().any(says) && !all.iter().any(differs)
}

/// What one module gives a name: where it refuses to start without, no default counts.
fn given(eval: &mut Eval<'_>, file: FileId, name: Name) -> Option<Value> {
    let value = eval.export(file, name)?;
    let facts = eval.program().file(file).facts.as_ref()?;
    let insists = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
        Step::If { condition, then, .. } => {
            facts.block(*then).steps.iter().any(|step| matches!(step, Step::Throw(_)))
                && asks_for(facts, *condition, name, DEEPEST)
        }
        _ => false,
    });
    if !insists {
        return Some(value);
    }
    let all = value.alternatives();
    let without = all.iter().filter(|value| !matches!(value, Value::Text(_))).cloned();
    Some(if all.iter().any(|value| matches!(value, Value::Env(_))) { Value::one_of(without) } else { value })
}

/// Whether a condition asks for a variable.
fn asks_for(facts: &Facts, condition: ExprId, name: Name, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Ref(asked, _) => *asked == name,
        ExprKind::Op(Op::Not | Op::And | Op::Or | Op::Equal | Op::Unequal | Op::In, parts) => {
            parts.iter().any(|&part| asks_for(facts, part, name, depth))
        }
        _ => false,
    }
}
