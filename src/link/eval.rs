//! Constant propagation: what an expression can be, through definitions, imports, calls, classes and templates,
//! in any file. Nothing is guessed: what cannot be followed is [`Value::Unknown`] or an opaque value.
//!
//! Evaluation is by need and memoised per definition and per function's result. A result that met a cycle is
//! never memoised, so that the outcome does not depend on which thread asked first.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::builtins;
use crate::catalogue::Seg;
use crate::extract::build::is_env_object;
use crate::facts::{ClassId, DefKind, ExportValue, ExprId, ExprKind, Facts, FunctionId, Imported, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ClassRef, DefRef, ExprRef, External, FunctionRef, Program, Target, Value};

mod apply;
mod cycles;
mod depends;
mod returns;

use cycles::{Circles, Node};
use returns::Returns;

/// Deepest chain of definitions and calls followed; real code stays below thirty.
const DEEPEST: usize = 120;

/// How many ways through objects that spread others are gone for one key: `state = { ...state, x }` many times over is
/// any of them, and each spreads any of them.
const MOST_WAYS: usize = 64;

/// What is remembered of one file's values.
#[derive(Default)]
pub struct Memo {
    defs: Vec<OnceLock<Value>>,
    results: Vec<OnceLock<Value>>,
    fields: FxHashMap<(ClassId, Name), OnceLock<Value>>,
    returns: Returns,
    circles: Circles,
}

impl Memo {
    /// An empty memory for a file.
    pub fn new(facts: &Facts) -> Self {
        let returns = Returns::new(facts);
        let cells = |n: usize| std::iter::repeat_with(OnceLock::new).take(n).collect();
        let classes = facts.classes.iter().enumerate();
        let fields = classes.flat_map(|(at, class)| {
            class.fields.iter().map(move |field| ((ClassId(at as u32), field.name), OnceLock::new()))
        });
        Self {
            defs: cells(facts.defs.len()),
            results: cells(facts.functions.len()),
            fields: fields.collect(),
            circles: Circles::new(facts, &returns),
            returns,
        }
    }
}

/// The contexts and stores of the program: what providers put in, by the call that made the context.
pub type Contexts = FxHashMap<CallRef, Vec<ExprRef>>;

#[derive(Clone, Copy, PartialEq)]
enum Key {
    Def(DefRef),
    Result(FunctionRef),
    Field(ClassRef, Name),
    Export(FileId, Name),
    Entry(ExprRef, Name),
    Setting(Name),
}

impl Key {
    /// The file and the node in it that can stand in a circle.
    fn node(self) -> Option<(FileId, Node)> {
        match self {
            Self::Def(def) => Some((def.file, Node::Def(def.def))),
            Self::Result(function) => Some((function.file, Node::Result(function.function))),
            Self::Field(class, name) => Some((class.file, Node::Field(class.class, name))),
            Self::Export(..) | Self::Entry(..) | Self::Setting(_) => None,
        }
    }
}

/// One evaluation.
pub struct Eval<'p> {
    program: &'p Program,
    stack: Vec<Key>,
    /// How deep in the stack the outermost definition lies that was met again: everything above it is unfinished.
    cycle: usize,
    /// How many objects and spreads the present key is one way of, within one definition.
    ways: usize,
}

impl<'p> Eval<'p> {
    /// A fresh evaluation.
    pub fn new(program: &'p Program) -> Self {
        Self { program, stack: vec![], cycle: usize::MAX, ways: 1 }
    }

    fn facts(&self, file: FileId) -> Option<&'p Facts> {
        self.program.file(file).facts.as_ref()
    }

    /// The program being evaluated.
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// Whether what is being evaluated and `key` depend on each other in a circle of their file.
    fn is_circular(&self, key: Key) -> bool {
        let asking = self.stack.iter().rev().find_map(|key| key.node());
        match (asking, key.node()) {
            (Some((here, asking)), Some((there, asked))) => {
                here == there && self.program.memos[here.index()].circles.same(asking, asked)
            }
            _ => false,
        }
    }

    /// Evaluates `body` as `key`; met again on the way it contributes nothing.
    fn guarded(&mut self, key: Key, memo: Option<&'p OnceLock<Value>>, body: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.is_circular(key) {
            return Value::Null;
        }
        if let Some(value) = memo.and_then(OnceLock::get) {
            return value.clone();
        }
        if let Some(at) = self.stack.iter().position(|&other| other == key) {
            self.cycle = self.cycle.min(at);
            return Value::Null;
        }
        if self.stack.len() >= DEEPEST {
            self.cycle = 0;
            return Value::Unknown;
        }
        let depth = self.stack.len();
        // A definition is worth the same whoever asks.
        let ways = std::mem::replace(&mut self.ways, 1);
        self.stack.push(key);
        let value = body(self);
        self.stack.pop();
        self.ways = ways;
        if self.cycle >= depth {
            // Whatever was met again was this one or inside it: the value is whole.
            self.cycle = if self.cycle == depth { usize::MAX } else { self.cycle };
            if let Some(memo) = memo {
                return memo.get_or_init(|| value).clone();
            }
        }
        value
    }

    /// What a framework's configuration is given under a name: `config["X"] = config.get("X") or "y"` names itself.
    pub fn setting(&mut self, name: Name, given: &[ExprRef]) -> Value {
        self.guarded(Key::Setting(name), None, |eval| {
            Value::one_of(given.iter().map(|&at| eval.expr(at)).collect::<Vec<_>>())
        })
    }

    /// The value of an expression.
    pub fn expr(&mut self, at: ExprRef) -> Value {
        let Some(facts) = self.facts(at.file) else { return Value::Unknown };
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        match facts.expr(at.expr) {
            ExprKind::Text(text) => Value::Text(*text),
            ExprKind::Number(number) => Value::Number(*number),
            ExprKind::Bool(truth) => Value::Bool(*truth),
            ExprKind::Null => Value::Null,
            ExprKind::Env(name) => Value::Env(*name),
            ExprKind::Object(_) => Value::Object(at),
            ExprKind::List(_) => Value::List(at),
            ExprKind::Function(function) => Value::Function(FunctionRef::new(at.file, *function)),
            ExprKind::Class(class) => Value::Class(ClassRef::new(at.file, *class)),
            ExprKind::This(class) => Value::Instance(ClassRef::new(at.file, *class)),
            ExprKind::Super(class) => self.super_of(ClassRef::new(at.file, *class)),
            ExprKind::Param(function, index) => self.param(FunctionRef::new(at.file, *function), *index),
            ExprKind::Template(parts) => {
                let parts: Vec<Value> = parts.iter().map(|&part| self.expr(here(part))).collect();
                Value::template(parts)
            }
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => self.def(DefRef::new(at.file, def)),
                // Python: what `from x import *` brought in.
                None if !facts.language.is_script() && facts.exports.iter().any(|export| export.name == "*") => {
                    self.export(at.file, *name).unwrap_or_else(|| Self::global(*name))
                }
                None => Self::global(*name),
            },
            ExprKind::Member(base, name) => {
                let base = self.expr(here(*base));
                self.member(&base, *name)
            }
            ExprKind::Index(base, index) => self.index(here(*base), here(*index)),
            ExprKind::Call(call) => self.call(CallRef::new(at.file, *call)),
            ExprKind::Await(inner) | ExprKind::Spread(inner) => self.expr(here(*inner)),
            ExprKind::Op(op, operands) => self.operator(at.file, *op, operands),
            ExprKind::Imported(import, what) => {
                let target = self.program.modules.target(at.file, *import);
                self.imported(at.file, target, *what, *import)
            }
            ExprKind::ElementOf(list) => self.element_of(here(*list)),
            ExprKind::Element(_) | ExprKind::Caught | ExprKind::Unknown => Value::Unknown,
        }
    }

    fn operator(&mut self, file: FileId, op: Op, operands: &[ExprId]) -> Value {
        let mut each = |from: usize| {
            let values: Vec<Value> =
                operands[from..].iter().map(|&operand| self.expr(ExprRef::new(file, operand))).collect();
            Value::one_of(values)
        };
        match op {
            Op::Or | Op::Nullish => each(0),
            // `flag && value`: when anything comes of it, it is the last.
            Op::And | Op::Assign => each(operands.len().saturating_sub(1)),
            Op::Choose => each(1.min(operands.len())),
            Op::Add => {
                let parts: Vec<Value> =
                    operands.iter().map(|&operand| self.expr(ExprRef::new(file, operand))).collect();
                let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Template(_) | Value::Env(_));
                // `base + path`: what callers hand in tells whether it is text.
                let may_be = matches!(parts.first(), Some(Value::Param(..)));
                if may_be || parts.iter().any(|part| part.alternatives().iter().any(is_text)) {
                    Value::template(parts)
                } else {
                    Value::Unknown
                }
            }
            _ => Value::Unknown,
        }
    }

    /// What a name means that no scope defines.
    fn global(name: Name) -> Value {
        match name.as_str() {
            "undefined" | "NaN" => Value::Null,
            _ => Value::package(Name::new(&format!("global:{name}"))),
        }
    }

    /// What a definition holds.
    pub fn def(&mut self, at: DefRef) -> Value {
        let Some(facts) = self.facts(at.file) else { return Value::Unknown };
        let def = facts.def(at.def);
        let memo = self.program.memos[at.file.index()].defs.get(at.def.index());
        self.guarded(Key::Def(at), memo, |eval| {
            if def.kind == DefKind::Caught {
                return Value::Unknown;
            }
            let values: Vec<Value> = def.values.iter().map(|&value| eval.expr(ExprRef::new(at.file, value))).collect();
            let value = if values.is_empty() { Value::Unknown } else { Value::one_of(values) };
            match def.ty {
                Some(ty) if is_opaque(&value) => eval.typed(ExprRef::new(at.file, ty)).unwrap_or(value),
                _ => value,
            }
        })
    }

    /// What a value of a named type is: an instance of a class of ours, or a client of a package.
    fn typed(&mut self, ty: ExprRef) -> Option<Value> {
        let ty = self.annotated(ty).unwrap_or(ty);
        match self.expr(ty) {
            Value::Class(class) => Some(Value::Instance(class)),
            Value::External(external) if !external.package.starts_with("global:") => {
                Some(Value::External(Arc::new(external.then(Seg::New, None))))
            }
            _ => None,
        }
    }

    fn param(&mut self, function: FunctionRef, index: u16) -> Value {
        let opaque = Value::Param(function, index);
        let Some(facts) = self.facts(function.file) else { return opaque };
        match facts.function(function.function).params.get(index as usize).and_then(|param| param.ty) {
            Some(ty) => self.typed(ExprRef::new(function.file, ty)).unwrap_or(opaque),
            None => self.depended(function, index).unwrap_or(opaque),
        }
    }

    fn super_of(&mut self, class: ClassRef) -> Value {
        let Some(facts) = self.facts(class.file) else { return Value::Unknown };
        let Some(&base) = facts.classes[class.class.index()].bases.first() else { return Value::Unknown };
        match self.expr(ExprRef::new(class.file, base)) {
            Value::Class(base) => Value::Instance(base),
            Value::External(external) => Value::External(Arc::new(external.then(Seg::New, None))),
            _ => Value::Unknown,
        }
    }

    // ---- modules ----------------------------------------------------------------------------------------

    fn imported(&mut self, file: FileId, target: &Target, what: Imported, import: crate::facts::ImportId) -> Value {
        match (target, what) {
            (Target::File(target), Imported::Module) => Value::Module(*target),
            (_, Imported::Name(name)) if self.program.modules.submodule(file, import, name).is_some() => {
                // Python: `from services import mailer` names a module of the package.
                let own = if let Target::File(target) = target { self.export(*target, name) } else { None };
                own.filter(|own| *own != Value::Null)
                    .or_else(|| self.program.modules.submodule(file, import, name).map(Value::Module))
                    .unwrap_or(Value::Unknown)
            }
            (Target::File(target), Imported::Name(name)) => self.export(*target, name).unwrap_or(Value::Unknown),
            (Target::Package { name, path, .. }, what) => {
                let mut external = External::root(*name);
                // What a JavaScript package has in a subpath it names no differently: `x/webhooks` is `x`.
                if !name.starts_with("npm:") {
                    external.segs.extend(path.iter().map(|&part| Seg::Member(part)));
                }
                if let Imported::Name(name) = what {
                    external.segs.push(Seg::Member(name));
                }
                Value::External(Arc::new(external))
            }
            (Target::Asset | Target::Missing | Target::Folder, _) => Value::Unknown,
        }
    }

    /// What a module gives under a name; none when it has no such export.
    pub fn export(&mut self, file: FileId, name: Name) -> Option<Value> {
        let facts = self.facts(file)?;
        if !facts.language.is_script()
            && let Some(def) = facts.defined_in(facts.function(FunctionId::MODULE).body, name)
        {
            return Some(self.def(DefRef::new(file, def)));
        }
        let key = Key::Export(file, name);
        if let Some(at) = self.stack.iter().position(|&other| other == key) {
            self.cycle = self.cycle.min(at);
            return None;
        }
        let depth = self.stack.len();
        self.stack.push(key);
        let found = self.exported(file, facts, name);
        self.stack.pop();
        if self.cycle == depth {
            self.cycle = usize::MAX;
        }
        found
    }

    fn exported(&mut self, file: FileId, facts: &'p Facts, name: Name) -> Option<Value> {
        let direct = facts.exports.iter().find(|export| export.name == name).map(|export| export.value);
        match direct {
            Some(ExportValue::Local(expr)) => return Some(self.expr(ExprRef::new(file, expr))),
            Some(ExportValue::From(import, what)) => {
                let target = self.program.modules.target(file, import);
                return Some(self.imported(file, target, what, import));
            }
            None => {}
        }
        // `module.exports = x`: the default import is x, and names are its members.
        if let Some(whole) = facts.exports.iter().find(|export| export.name == "=")
            && let ExportValue::Local(expr) = whole.value
        {
            let whole = self.expr(ExprRef::new(file, expr));
            return Some(if name == "default" { whole } else { self.member(&whole, name) });
        }
        let stars = facts.exports.iter().filter(|export| export.name == "*");
        for star in stars {
            if let ExportValue::From(import, _) = star.value {
                match self.program.modules.target(file, import) {
                    Target::File(target) => {
                        let target = *target;
                        if let Some(value) = self.export(target, name) {
                            return Some(value);
                        }
                    }
                    package @ Target::Package { .. } => {
                        return Some(self.imported(file, package, Imported::Name(name), import));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    // ---- members ----------------------------------------------------------------------------------------

    /// `value.name`.
    pub fn member(&mut self, value: &Value, name: Name) -> Value {
        match value {
            Value::OneOf(values) => {
                let ways = self.ways;
                self.ways = ways.saturating_mul(values.len());
                let members: Vec<Value> = values.iter().map(|value| self.member(value, name)).collect();
                self.ways = ways;
                Value::one_of(members)
            }
            Value::Object(object) => match self.key(*object, name) {
                Some(value) => value,
                // A dictionary's own method.
                None if matches!(name.as_str(), "get" | "pop") => Value::Member(Arc::new(value.clone()), name),
                None => Value::Unknown,
            },
            Value::Module(file) => match self.export(*file, name) {
                Some(value) => value,
                // `import("./mail").then(..)`
                None if name == "then" => Value::Member(Arc::new(value.clone()), name),
                None if name == "default" => Value::Module(*file),
                None => self.program.modules.child(*file, name).map_or(Value::Unknown, Value::Module),
            },
            Value::External(external) => self.external_member(external, name),
            Value::Instance(class) => self.class_member(*class, name),
            Value::Class(class) => self.class_member(*class, name),
            Value::Function(_) if matches!(name.as_str(), "bind" | "call" | "apply" | "default") => {
                Value::Member(Arc::new(value.clone()), name)
            }
            Value::Unknown | Value::Null | Value::Bool(_) => Value::Unknown,
            opaque => Value::Member(Arc::new(opaque.clone()), name),
        }
    }

    fn external_member(&mut self, external: &Arc<External>, name: Name) -> Value {
        if let Some(value) = builtins::member(self, external, name) {
            return value;
        }
        if external.segs.iter().all(|seg| matches!(seg, Seg::Member(_))) {
            if is_env_object(&external.dotted()) && name != "get" {
                return Value::Env(name);
            }
            if external.segs.is_empty()
                && matches!(external.package.as_str(), "global:window" | "global:globalThis" | "global:self")
            {
                return Self::global(name);
            }
        }
        Value::External(Arc::new(external.then(Seg::Member(name), None)))
    }

    /// The value under a key of an object literal; none when it has no such key and no spread that could have.
    pub fn key(&mut self, object: ExprRef, name: Name) -> Option<Value> {
        let ExprKind::Object(entries) = self.facts(object.file)?.expr(object.expr) else { return None };
        // `state = { ...state, x }` spreads itself: met again it contributes nothing.
        let key = Key::Entry(object, name);
        if let Some(at) = self.stack.iter().position(|&other| other == key) {
            self.cycle = self.cycle.min(at);
            return None;
        }
        if self.stack.len() >= DEEPEST {
            self.cycle = 0;
            return Some(Value::Unknown);
        }
        let (depth, ways) = (self.stack.len(), self.ways);
        self.stack.push(key);
        let found = self.entry(object, entries, name);
        self.stack.pop();
        self.ways = ways;
        if self.cycle == depth {
            self.cycle = usize::MAX;
        }
        found
    }

    fn entry(&mut self, object: ExprRef, entries: &[(Name, ExprId)], name: Name) -> Option<Value> {
        // The last one wins; a spread after the key may override it, with the same thing as a rule.
        let mut unknown = false;
        let too_many = self.ways > MOST_WAYS;
        let mut spreads = 0;
        for (key, value) in entries.iter().rev() {
            if *key == name {
                let value = ExprRef::new(object.file, *value);
                return Some(if too_many { Value::Unknown } else { self.expr(value) });
            }
            if *key == "..." && too_many {
                unknown = true;
            } else if *key == "..." {
                spreads += 1;
                self.ways = self.ways.saturating_mul(spreads);
                match self.expr(ExprRef::new(object.file, *value)) {
                    Value::Object(inner) if inner != object => {
                        if let Some(value) = self.key(inner, name) {
                            return Some(value);
                        }
                    }
                    Value::Null => {}
                    other => {
                        let value = self.member(&other, name);
                        let known = |value: &Value| !matches!(value, Value::Unknown | Value::Member(..));
                        if value.alternatives().iter().all(known) {
                            return Some(value);
                        }
                        unknown = true;
                    }
                }
            }
            unknown |= *key == "[]";
        }
        unknown.then_some(Value::Unknown)
    }

    fn class_member(&mut self, class: ClassRef, name: Name) -> Value {
        let Some(facts) = self.facts(class.file) else { return Value::Unknown };
        let shape = &facts.classes[class.class.index()];
        if let Some(method) = shape.methods.iter().find(|method| method.name == name) {
            let function = FunctionRef::new(class.file, method.function);
            return if method.is_getter { self.result(function) } else { Value::Function(function) };
        }
        if shape.fields.iter().any(|field| field.name == name) {
            let memo = self.program.memos[class.file.index()].fields.get(&(class.class, name));
            return self.guarded(Key::Field(class, name), memo, |eval| eval.field(class, name, facts));
        }
        for &base in &shape.bases {
            let value = match self.expr(ExprRef::new(class.file, base)) {
                Value::Class(base) if base != class => self.class_member(base, name),
                Value::External(external) => {
                    Value::External(Arc::new(external.then(Seg::New, None).then(Seg::Member(name), None)))
                }
                _ => Value::Unknown,
            };
            if !value.is_unknown() {
                return value;
            }
        }
        Value::Unknown
    }

    /// A field's value: whatever it is given anywhere in the class.
    fn field(&mut self, class: ClassRef, name: Name, facts: &Facts) -> Value {
        let fields = || facts.classes[class.class.index()].fields.iter().filter(|field| field.name == name);
        let values: Vec<Value> =
            fields().filter_map(|field| field.value).map(|value| self.expr(ExprRef::new(class.file, value))).collect();
        let value = if values.is_empty() { Value::Unknown } else { Value::one_of(values) };
        match fields().find_map(|field| field.ty) {
            Some(ty) if is_opaque(&value) => self.typed(ExprRef::new(class.file, ty)).unwrap_or(value),
            _ => value,
        }
    }

    fn index(&mut self, base: ExprRef, index: ExprRef) -> Value {
        let base = self.expr(base);
        let at = self.expr(index);
        match (&base, &at) {
            (_, Value::Text(name)) => self.member(&base, *name),
            (Value::List(list), Value::Number(number)) => self.element(*list, *number as usize),
            (Value::List(list), _) => self.elements(*list),
            // `client, error = made()`: each way out gives a list of its own.
            (Value::OneOf(lists), Value::Number(number))
                if lists.iter().all(|list| matches!(list, Value::List(_) | Value::Null)) =>
            {
                let lists =
                    lists.iter().filter_map(|list| if let Value::List(list) = list { Some(*list) } else { None });
                let values: Vec<Value> = lists.map(|list| self.element(list, *number as usize)).collect();
                Value::one_of(values)
            }
            // `mails[kinds[kind]]`, where a table says which there are.
            (Value::Object(_), Value::OneOf(names)) if names.iter().all(|name| matches!(name, Value::Text(_))) => {
                let values: Vec<Value> =
                    names.iter().filter_map(|name| Some(self.member(&base, name.text()?))).collect();
                Value::one_of(values)
            }
            (Value::Object(object), _) => self.any_key(*object),
            (Value::OneOf(_) | Value::Unknown, _) => Value::Unknown,
            (Value::External(external), _) => {
                Value::External(Arc::new(external.then(Seg::Member(Name::new("[]")), None)))
            }
            (opaque, _) => Value::Member(Arc::new(opaque.clone()), Name::new("[]")),
        }
    }

    fn element(&mut self, list: ExprRef, at: usize) -> Value {
        let Some(ExprKind::List(items)) = self.facts(list.file).map(|facts| facts.expr(list.expr)) else {
            return Value::Unknown;
        };
        items.get(at).map_or(Value::Unknown, |&item| self.expr(ExprRef::new(list.file, item)))
    }

    /// Any element of a list literal.
    pub fn elements(&mut self, list: ExprRef) -> Value {
        let Some(ExprKind::List(items)) = self.facts(list.file).map(|facts| facts.expr(list.expr)) else {
            return Value::Unknown;
        };
        let values: Vec<Value> = items.iter().take(24).map(|&item| self.expr(ExprRef::new(list.file, item))).collect();
        Value::one_of(values)
    }

    fn element_of(&mut self, list: ExprRef) -> Value {
        match self.expr(list) {
            Value::List(list) => self.elements(list),
            Value::Unknown | Value::OneOf(_) => Value::Unknown,
            opaque => Value::Member(Arc::new(opaque), Name::new("[]")),
        }
    }
}

/// Whether a value says nothing of what a type annotation could not say better.
fn is_opaque(value: &Value) -> bool {
    matches!(value, Value::Unknown | Value::Null | Value::Param(..) | Value::Result(_) | Value::Member(..))
}
