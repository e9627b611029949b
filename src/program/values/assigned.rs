//! What is put into things after they are made: `headers["X"] = key`, `client.defaults.timeout = 5000`,
//! `Object.assign(options, more)`, `kwargs.setdefault("timeout", 10)`, `google.options({ timeout: 5000 })`.

use rustc_hash::FxHashMap;

use crate::catalogue::Seg;
use crate::facts::{Call, ExprId, ExprKind, Facts, Step};
use crate::finding::FileId;
use crate::link::calls::per_file;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, External, FunctionRef, Program, Value};

/// What something is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// An object literal.
    Object(ExprRef),
    /// What a call made.
    Made(CallRef),
    /// What arrives in a parameter.
    Param(FunctionRef, u16),
    /// A package itself.
    Package(Name),
}

/// What is put under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// The (dotted) name; `[]` when it is not constant.
    pub name: Name,
    /// The value; none when it is not known.
    pub value: Option<ExprRef>,
}

/// Everything that is put into things.
#[derive(Debug, Default)]
pub struct Assigned(FxHashMap<Holder, Vec<Put>>);

impl Assigned {
    /// What is put into a holder, in order.
    pub fn of(&self, holder: Holder) -> &[Put] {
        self.0.get(&holder).map_or(&[], Vec::as_slice)
    }
}

/// Collects it from every file.
pub fn collect(program: &Program) -> Assigned {
    let found = per_file(program, |program, file, facts| {
        let mut finder = Finder { file, facts, eval: Eval::new(program), found: vec![] };
        finder.steps();
        finder.calls();
        finder.found
    });
    let mut assigned = Assigned::default();
    for (holder, put) in found.into_iter().flatten() {
        assigned.0.entry(holder).or_default().push(put);
    }
    assigned
}

struct Finder<'p> {
    file: FileId,
    facts: &'p Facts,
    eval: Eval<'p>,
    found: Vec<(Holder, Put)>,
}

impl Finder<'_> {
    fn here(&self, expr: ExprId) -> ExprRef {
        ExprRef::new(self.file, expr)
    }

    fn steps(&mut self) {
        for block in &self.facts.blocks {
            for step in &block.steps {
                let Step::Assign(target, value) = step else { continue };
                let (base, name) = match *self.facts.expr(*target) {
                    ExprKind::Member(base, name) => (base, name),
                    ExprKind::Index(base, _) => (base, Name::new("[]")),
                    _ => continue,
                };
                // `this.x = ..` is a field.
                if !matches!(self.facts.expr(base), ExprKind::This(_)) {
                    self.put(base, name, Some(self.here(*value)));
                }
            }
        }
    }

    fn calls(&mut self) {
        for call in &self.facts.calls {
            let ExprKind::Member(base, method) = *self.facts.expr(call.callee) else { continue };
            match method.as_str() {
                "set" | "append" | "setdefault" => {
                    if let [name, value] = &call.args[..]
                        && let ExprKind::Text(name) = *self.facts.expr(name.value)
                    {
                        self.put(base, name, Some(self.here(value.value)));
                    }
                }
                // `google.options({ timeout: 10_000 })`
                "options" => {
                    if let [only] = &call.args[..]
                        && let ExprKind::Object(entries) = self.facts.expr(only.value)
                    {
                        for &(key, value) in entries.iter().filter(|(key, _)| key != "...") {
                            self.put(base, Name::new(&format!("options.{key}")), Some(self.here(value)));
                        }
                    }
                }
                "update" if !self.facts.language.is_script() => self.merge(base, call, 0),
                "assign" if matches!(self.facts.expr(base), ExprKind::Ref(name, _) if *name == "Object") => {
                    if let Some(target) = call.args.first() {
                        self.merge(target.value, call, 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts the keys of a call's arguments into `base`.
    fn merge(&mut self, base: ExprId, call: &Call, from: usize) {
        for arg in call.args.iter().skip(from) {
            match (arg.name, self.facts.expr(arg.value)) {
                (Some(name), _) if name != "**" => self.put(base, name, Some(self.here(arg.value))),
                (None, ExprKind::Object(entries)) => {
                    for &(key, value) in entries {
                        let key = if key == "..." { Name::new("[]") } else { key };
                        self.put(base, key, Some(self.here(value)));
                    }
                }
                _ => self.put(base, Name::new("[]"), None),
            }
        }
    }

    fn put(&mut self, base: ExprId, name: Name, value: Option<ExprRef>) {
        let base = self.eval.expr(self.here(base));
        for alternative in base.alternatives() {
            if let Some((holder, path)) = holder_of(alternative) {
                let name = if path.is_empty() { name } else { Name::new(&format!("{path}.{name}")) };
                self.found.push((holder, Put { name, value }));
            }
        }
    }
}

/// What a value belongs to, and the dotted way to it from there.
pub fn holder_of(value: &Value) -> Option<(Holder, String)> {
    match value {
        Value::Object(at) => Some((Holder::Object(*at), String::new())),
        Value::Param(function, index) => Some((Holder::Param(*function, *index), String::new())),
        Value::Member(base, name) => {
            let (holder, path) = holder_of(base)?;
            Some((holder, if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }))
        }
        Value::External(external) => holder_of_external(external),
        _ => None,
    }
}

/// The same for something a package provides: what the last call on its way made, or the package itself.
pub fn holder_of_external(external: &External) -> Option<(Holder, String)> {
    let made = external.segs.iter().rposition(|seg| !matches!(seg, Seg::Member(_)));
    let path: Vec<&str> = external.segs[made.map_or(0, |at| at + 1)..]
        .iter()
        .filter_map(|seg| if let Seg::Member(name) = seg { Some(name.as_str()) } else { None })
        .filter(|name| *name != "default")
        .collect();
    let holder = match made {
        Some(_) => Holder::Made(*external.sites.last()?),
        None => Holder::Package(external.package),
    };
    Some((holder, path.join(".")))
}

impl Program {
    /// What is put into something after it is made.
    pub fn puts(&self, holder: Holder) -> &[Put] {
        self.assigned.of(holder)
    }

    /// What is put under a (dotted) name later.
    pub fn put_later(&self, holder: Holder, name: &str) -> Lookup {
        let puts = self.puts(holder);
        let values: Vec<Value> = puts
            .iter()
            .filter(|put| put.name == name)
            .map(|put| put.value.map_or(Value::Unknown, |value| self.value(value)))
            .collect();
        match values.is_empty() {
            false => Lookup::Present(Value::one_of(values)),
            true if puts.iter().any(|put| put.name == "[]") => Lookup::Unknown,
            true => Lookup::Absent,
        }
    }
}
