//! `settings.API_TOKEN`: what the settings object of a Python web framework holds is what the project's settings
//! modules give the name.

use super::eval::Eval;
use crate::catalogue::Seg;
use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, External, Value};

/// How deep conditions are read.
const DEEPEST: usize = 6;

/// What a member of the settings object is; none when it is not that object, or the settings do not say.
pub fn member(eval: &mut Eval<'_>, external: &External, name: Name) -> Option<Value> {
    let of_settings = external.package == "pypi:django"
        && matches!(external.segs[..], [Seg::Member(conf), Seg::Member(settings)] if conf == "conf" && settings == "settings");
    if of_settings { said(eval, name) } else { None }
}

/// `getattr(settings, "API_TOKEN", "")`: what the settings say; the default is for those that do not.
pub fn attribute(eval: &mut Eval<'_>, at: CallRef) -> Option<Value> {
    let (Value::External(of), Value::Text(name)) = (eval.argument(at, 0), eval.argument(at, 1)) else { return None };
    member(eval, &of, name)
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
    let all = value.alternatives();
    let tells = |value: &Value| {
        matches!(value, Value::Text(_) | Value::Env(_) | Value::Template(_) | Value::Object(_) | Value::List(_))
    };
    // Switches and numbers differ from one environment to the next.
    let differs = |value: &Value| matches!(value, Value::Bool(_) | Value::Number(_));
    (all.iter().any(tells) && !all.iter().any(differs)).then_some(value)
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
