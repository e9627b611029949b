//! Fields of settings that nothing reads.

use super::defaults::{EnvDefault, reads_environment};
use crate::facts::{ExprId, ExprKind, Facts, Field, Span};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Program;
use crate::program::verify::words;

impl Program {
    /// Whether a default stands in a field of a settings class that no code reads, neither by its name nor with all the
    /// others.
    pub fn is_unread_setting(&self, default: EnvDefault) -> bool {
        let at = default.fallback;
        let facts = self.facts(at.file);
        let span = facts.span(at.expr);
        let classes = facts.classes.iter().filter(|class| class.span.contains(span) && reads_environment(facts, class));
        let mut fields = classes.flat_map(|class| &class.fields);
        let field = fields.find(|field| field.value.is_some_and(|value| facts.span(value).contains(span)));
        let Some(Field { name, value: Some(value), .. }) = field else { return false };
        let own = (at.file, facts.span(*value));
        !self.code().any(|(file, facts)| self.reads_field(file, facts, *name, own))
    }

    /// Whether a file reads a field, elsewhere than in its own definition.
    fn reads_field(&self, file: FileId, facts: &Facts, field: Name, own: (FileId, Span)) -> bool {
        let is = |name: Name| name.eq_ignore_ascii_case(&field);
        let is_own = |at: ExprId| own.0 == file && own.1.contains(facts.span(at));
        let mut all = (0..facts.exprs.len() as u32).map(ExprId).filter(|&at| !is_own(at));
        !self.side(file).tooling
            && all.any(|at| match *facts.expr(at) {
                ExprKind::Member(_, name) | ExprKind::Text(name) | ExprKind::Env(name) if is(name) => true,
                ExprKind::Member(base, name) => match name.as_str() {
                    "from_object" | "from_mapping" => true,
                    "model_dump" | "model_dump_json" | "dict" | "json" | "__dict__" => is_settings(facts, base),
                    _ => false,
                },
                // `getattr(settings, name)`
                ExprKind::Call(call) => {
                    let call = facts.call(call);
                    let by_name = facts.last_name(call.callee);
                    by_name.is_some_and(|name| matches!(name.as_str(), "getattr" | "vars" | "asdict" | "dict"))
                        && call.args.first().is_some_and(|arg| is_settings(facts, arg.value))
                }
                _ => false,
            })
    }
}

/// Whether a value is the settings as a whole, by its name.
fn is_settings(facts: &Facts, at: ExprId) -> bool {
    match facts.expr(at) {
        ExprKind::This(_) => true,
        ExprKind::Call(call) => is_settings(facts, facts.call(*call).callee),
        _ => facts.last_name(at).is_some_and(|name| {
            let known = ["settings", "setting", "config", "configuration", "conf", "cfg", "env", "environment"];
            words(&name).iter().any(|word| known.contains(&word.as_str()))
        }),
    }
}
