//! Secrets that fall back to what anyone can read: a text in the code, or nothing at all.

use rustc_hash::FxHashSet;

use super::Walk;
use super::evidence::{sounds_secret, words};
use crate::catalogue::KnownRole;
use crate::facts::{CallId, DefId, ExprId, ExprKind, FunctionId, Op};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef, Value};

impl Walk<'_> {
    /// The environment variable whose fallback a check's secret can be.
    pub(super) fn fallback_secret(&self, at: CallRef) -> Option<Name> {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let refuses_empty = self.refuses_empty(at);
        let made = match facts.expr(call.callee) {
            // What has parts (`vendor.webhooks.check(..)`) was made with another key.
            ExprKind::Member(base, _) if !matches!(facts.expr(*base), ExprKind::Member(..)) => {
                self.weak_in(ExprRef::new(at.file, *base), 3, refuses_empty)
            }
            _ => None,
        };
        let mut given = call.args.iter();
        made.or_else(|| given.find_map(|arg| self.weak_in(ExprRef::new(at.file, arg.value), 6, refuses_empty)))
    }

    /// Whether a check throws when its secret is empty.
    fn refuses_empty(&self, at: CallRef) -> bool {
        let catalogue = &self.program.catalogue;
        // A fifth argument is the crypto to use, and only the web's needs to be given.
        let on_web = self.on_edge || self.program.facts(at.file).call(at.call).args.len() > 4;
        self.program.callee(at).externals().any(|external| {
            let found = catalogue.verifier(external.package, &external.segs);
            found.is_some_and(|found| found.refuses_empty || found.web && on_web)
        })
    }

    /// The environment variable beside a constant text that a value is computed from; an empty one does not count
    /// where what is made of it refuses that.
    pub(super) fn weak_in(&self, at: ExprRef, depth: usize, refuses_empty: bool) -> Option<Name> {
        self.weak_within(at, depth, refuses_empty, &mut FxHashSet::default())
    }

    /// The same, where nothing is looked at twice: variables are made of themselves. Only those lead deeper: `a.b().c()`
    /// is one thing, however long.
    fn weak_within(
        &self,
        at: ExprRef,
        depth: usize,
        refuses_empty: bool,
        seen: &mut FxHashSet<(ExprRef, bool)>,
    ) -> Option<Name> {
        if !seen.insert((at, refuses_empty)) {
            return None;
        }
        let facts = self.program.facts(at.file);
        let mut next = |expr: ExprId| self.weak_within(ExprRef::new(at.file, expr), depth, refuses_empty, seen);
        match facts.expr(at.expr) {
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                if self.program.has_role(CallRef::new(at.file, *call), KnownRole::MakeKey) {
                    let mut given = shape.args.iter().map(|arg| ExprRef::new(at.file, arg.value));
                    return given.find_map(|arg| self.weak_within(arg, depth, true, seen));
                }
                let value = self.program.value(at);
                self.weak_secret(at, &value, refuses_empty)
                    .or_else(|| self.weak_attribute(at, *call, refuses_empty))
                    .or_else(|| next(shape.callee))
                    .or_else(|| shape.args.iter().find_map(|arg| next(arg.value)))
            }
            ExprKind::Ref(name, block) => {
                let value = self.expanded(at);
                self.weak_secret(at, &value, refuses_empty).or_else(|| {
                    let def = facts.lookup(*block, *name)?;
                    let depth = depth.checked_sub(1)?;
                    let refuses_empty = refuses_empty || self.is_tested(at, def);
                    let mut values = facts.def(def).values.iter().map(|&value| ExprRef::new(at.file, value));
                    values.find_map(|value| self.weak_within(value, depth, refuses_empty, seen))
                })
            }
            ExprKind::Await(inner) | ExprKind::Spread(inner) => next(*inner),
            ExprKind::Member(inner, name) => {
                let value = self.expanded(at);
                let set = || match facts.last_name(*inner) {
                    Some(of) if of == "settings" => self.weak_setting(at, *name, refuses_empty)?,
                    _ => None,
                };
                let blank = || self.blank_field(at).filter(|_| !refuses_empty);
                self.weak_secret(at, &value, refuses_empty).or_else(set).or_else(blank).or_else(|| next(*inner))
            }
            ExprKind::Template(parts) => parts.iter().find_map(|&part| next(part)),
            ExprKind::Op(Op::Or | Op::Nullish, _) => {
                let value = self.expanded(at);
                let blank = || self.blank_field(at).filter(|_| !refuses_empty);
                self.weak_secret(at, &value, refuses_empty).or_else(blank)
            }
            _ => None,
        }
    }

    /// Whether a condition asks if a variable holds anything: `if (!secret) return`.
    fn is_tested(&self, at: ExprRef, def: DefId) -> bool {
        let (facts, readers) = (self.program.facts(at.file), self.program.readers(at.file));
        let tested = |&read: &ExprId| {
            readers.uses(read).iter().any(|used| match *used {
                Use::Tested => true,
                Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Not, _)),
                _ => false,
            })
        };
        readers.reads(def).iter().any(tested)
    }

    /// `getattr(settings, "X", "")`: the default, or what the settings say.
    fn weak_attribute(&self, at: ExprRef, call: CallId, refuses_empty: bool) -> Option<Name> {
        let facts = self.program.facts(at.file);
        let shape = facts.call(call);
        let [of, named, default] = &shape.args[..] else { return None };
        let called = facts.last_name(shape.callee)? == "getattr" && facts.last_name(of.value)? == "settings";
        let (ExprKind::Text(name), ExprKind::Text(default)) = (facts.expr(named.value), facts.expr(default.value))
        else {
            return None;
        };
        if !called || !sounds_secret(name) || self.asks_for(at.file, *name) {
            return None;
        }
        match self.weak_setting(at, *name, refuses_empty) {
            Some(said) => said,
            None => (!(refuses_empty && default.is_empty())).then_some(*name),
        }
    }

    /// The variable by which a name of the settings of a Python app is weak; none within when they say it well, none at
    /// all when no settings name it.
    fn weak_setting(&self, at: ExprRef, name: Name, refuses_empty: bool) -> Option<Option<Name>> {
        if self.program.facts(at.file).language.is_script() || !sounds_secret(&name) {
            return None;
        }
        let mut said: Vec<Option<Name>> = Vec::new();
        for &file in self.program.modules.settings() {
            let facts = self.program.facts(file);
            let Some(def) = facts.defined_in(facts.function(FunctionId::MODULE).body, name) else { continue };
            for &value in &facts.def(def).values {
                let value = ExprRef::new(file, value);
                said.push(self.weak_secret(value, &self.program.value(value), refuses_empty));
            }
        }
        let asked = || self.asks_for(at.file, name);
        let weak = said.iter().all(Option::is_some) && !asked();
        (!said.is_empty()).then(|| said.first().copied().flatten().filter(|_| weak))
    }

    /// An environment variable beside a constant text: `process.env.X || ""`, unless its absence is asked for.
    pub(super) fn weak_secret(&self, at: ExprRef, value: &Value, refuses_empty: bool) -> Option<Name> {
        let alternatives = value.alternatives();
        let env = alternatives.iter().find_map(|value| if let Value::Env(name) = value { Some(*name) } else { None });
        // The secret of the app's own sessions is another matter.
        let name = env.filter(|name| sounds_secret(name) && !name.contains("JWT") && !name.contains("SESSION"))?;
        // What anybody may know proves nothing, set or not.
        let anon = words(&name).iter().any(|word| matches!(word.as_str(), "anon" | "publishable"));
        if anon {
            return None;
        }
        let mut texts = alternatives.iter().filter_map(Value::text);
        let constant = texts.any(|text| !(refuses_empty && text.is_empty()));
        if !constant {
            return None;
        }
        let mut files = vec![at.file];
        files.extend(self.active.iter().map(|(function, _)| function.file));
        files.dedup();
        (!files.into_iter().any(|file| self.asks_for(file, name))).then_some(name)
    }
}
