//! Settings of a base class that the one for production sets anew.

use crate::facts::{Class, ExprKind, Facts, Field};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{ClassRef, ExprRef, Program, Value};

/// Words of names of classes that hold what is in use in production.
const PRODUCTION: &[&str] = &["prod", "production", "live"];

impl Program {
    /// Whether a value is a setting of a class, and a class for production that extends it sets the same name to
    /// something else: `class Live(Base): SECRET_KEY = os.environ["SECRET_KEY"]`.
    ///
    /// What is not there while the variable is unset stops a framework; another text would be a finding of its own.
    pub fn is_overridden_in_production(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let span = facts.span(at.expr);
        let set = |class: &Class| {
            let mut fields = class.fields.iter().filter(|field| field.is_static);
            fields
                .find(|field| field.value.is_some_and(|value| facts.span(value).contains(span)))
                .map(|field| field.name)
        };
        let Some((class, name)) = facts.classes.iter().find_map(|class| Some((class, set(class)?))) else {
            return false;
        };
        self.code().filter(|(file, _)| self.share_app(*file, at.file)).any(|(file, other)| {
            other.classes.iter().any(|heir| {
                let for_production =
                    heir.name.is_some_and(|name| words(&name).iter().any(|word| PRODUCTION.contains(&word.as_str())));
                let extends = || heir.bases.iter().any(|&base| self.is_class(ExprRef::new(file, base), at.file, class));
                for_production
                    && heir.fields.iter().any(|field| field.name == name && self.has_no_default(file, other, field))
                    && extends()
                    && self.is_picked_by_name(heir, other)
            })
        })
    }

    /// Whether an expression is a class, or one that extends it.
    fn is_class(&self, at: ExprRef, file: FileId, class: &Class) -> bool {
        let mut next = vec![at];
        for _ in 0..FARTHEST {
            let Some(Value::Class(ClassRef { file: held, class: id })) = next.pop().map(|at| self.value(at)) else {
                return false;
            };
            let found = &self.facts(held).classes[id.index()];
            if held == file && found.span == class.span {
                return true;
            }
            next.extend(found.bases.iter().rev().map(|&base| ExprRef::new(held, base)));
        }
        false
    }

    /// Whether a field is a read of the environment that nothing takes the place of.
    fn has_no_default(&self, file: FileId, facts: &Facts, field: &Field) -> bool {
        let Some(value) = field.value else { return false };
        let span = facts.span(value);
        let within = |at: ExprRef| at.file == file && span.contains(facts.span(at.expr));
        !self.value(ExprRef::new(file, value)).envs().is_empty()
            && !self.env_defaults().iter().any(|default| within(default.fallback))
    }

    /// Whether something picks a class: by its name, or as the end of a text (`"settings.Live"`).
    fn is_picked_by_name(&self, class: &Class, home: &Facts) -> bool {
        let Some(name) = class.name else { return false };
        let names = |text: &Name| text.rsplit(['.', ':']).next().is_some_and(|last| last == name.as_str());
        let said = |facts: &Facts| {
            facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Ref(said, _) | ExprKind::Member(_, said) => *said == name,
                ExprKind::Text(text) => names(text),
                _ => false,
            })
        };
        said(home) || self.code().any(|(_, facts)| said(facts))
    }
}

/// How many classes are looked at on the way to the one that is extended.
const FARTHEST: usize = 8;
