//! The tables that code declares, and what no two rows of them share: read from the facts, in the ways that the
//! catalogue lists.

use crate::catalogue::{TableForm, Tables};
use crate::facts::{Call, ClassId, ExprId, ExprKind, FunctionId, Span};
use crate::finding::{FileId, Place};
use crate::manifest::Model;
use crate::names::Name;
use crate::program::data::table_changes::add_keys;
use crate::program::{CallRef, ClassRef, ExprRef, External, Program, Value};
use crate::sql::Declared;
use crate::sql::declared::Key;

/// How deep classes derive from each other.
const DEEPEST: usize = 6;

/// The tables that schema files and the code of a program declare, by file.
pub fn declared(program: &Program) -> Vec<(FileId, Vec<Declared>)> {
    let mut found = by_code(program);
    for (path, models) in program.manifests.models() {
        if let Some(file) = program.file_at(&path) {
            found.push((file, models.iter().map(|model| of_model(file, model)).collect()));
        }
    }
    add_keys(program, &mut found);
    found
}

/// A model of a schema file; its client calls it by its name with a small first letter.
fn of_model(file: FileId, model: &Model) -> Declared {
    let mut letters = model.name.chars();
    let called = letters.next().map(|first| format!("{}{}", first.to_lowercase(), letters.as_str()));
    let place = Place { file, span: model.span };
    let keys = model.keys.iter().map(|(primary, fields)| {
        let fields = Some(fields.clone());
        Key { primary: *primary, fields, partial: false }
    });
    Declared {
        table: model.table.unwrap_or(model.name),
        model: called.map(|called| Name::new(&called)),
        place,
        head: place,
        fields: model.fields.clone(),
        keys: keys.collect(),
        unsure: None,
    }
}

/// The tables that code declares.
fn by_code(program: &Program) -> Vec<(FileId, Vec<Declared>)> {
    let forms = program.catalogue.tables();
    let mut found = vec![];
    for (file, facts) in program.code() {
        let names = |form: &&Tables| {
            let (_, package) = form.package.split_once(':').unwrap_or_default();
            facts.imports.iter().any(|import| import.specifier.contains(package))
        };
        let mut tables = vec![];
        if facts.language.is_script()
            && forms.iter().filter(|form| form.form != TableForm::Class).any(|form| names(&form))
        {
            tables.extend(program.calls_of(file).filter_map(|at| Reader { program, file }.called(at)));
            let classes = 0..facts.classes.len() as u32;
            tables.extend(classes.filter_map(|class| Reader { program, file }.decorated(ClassId(class))));
        } else if !facts.language.is_script() {
            let classes = 0..facts.classes.len() as u32;
            tables.extend(classes.filter_map(|class| Reader { program, file }.class(ClassId(class))));
        }
        if !tables.is_empty() {
            found.push((file, tables));
        }
    }
    found
}

/// Reads what one file declares.
#[derive(Clone, Copy)]
struct Reader<'p> {
    program: &'p Program,
    file: FileId,
}

/// The fields and keys of a table while they are read.
#[derive(Default)]
struct Shape {
    fields: Vec<(Name, Name)>,
    keys: Vec<Key>,
    /// Something could not be read.
    unsure: bool,
}

impl<'p> Reader<'p> {
    fn value(self, expr: ExprId) -> Value {
        self.program.value(ExprRef::new(self.file, expr))
    }

    fn call(self, expr: ExprId) -> Option<&'p Call> {
        let facts = self.program.facts(self.file);
        if let ExprKind::Call(call) = facts.expr(expr) { Some(facts.call(*call)) } else { None }
    }

    fn texts(self, exprs: &[ExprId]) -> Option<Vec<Name>> {
        exprs.iter().map(|&expr| self.value(expr).text()).collect()
    }

    /// What a list, an object or a function that gives one of them holds.
    fn entries(self, expr: ExprId) -> Option<Vec<(Option<Name>, ExprRef)>> {
        let (file, expr) = match self.value(expr) {
            Value::Object(at) | Value::List(at) => (at.file, at.expr),
            Value::Function(of) => {
                let returned: Vec<ExprId> = self.program.facts(of.file).returned(of.function).collect();
                return match returned[..] {
                    [only] => Reader { file: of.file, ..self }.entries(only),
                    _ => None,
                };
            }
            _ => (self.file, expr),
        };
        match self.program.facts(file).expr(expr) {
            ExprKind::Object(entries) => {
                Some(entries.iter().map(|&(key, value)| (Some(key), ExprRef::new(file, value))).collect())
            }
            ExprKind::List(items) => Some(items.iter().map(|&item| (None, ExprRef::new(file, item))).collect()),
            _ => None,
        }
    }

    /// The calls of a chain, the last first: `unique`, `notNull`, `text` of `text("x").notNull().unique()`.
    fn chain(self, expr: ExprId) -> Vec<(Name, &'p Call)> {
        let facts = self.program.facts(self.file);
        let (mut found, mut expr) = (vec![], expr);
        while let Some(call) = self.call(expr) {
            match *facts.expr(call.callee) {
                ExprKind::Member(base, name) => {
                    found.push((name, call));
                    expr = base;
                }
                ExprKind::Ref(name, _) => {
                    found.push((name, call));
                    break;
                }
                _ => break,
            }
        }
        found
    }

    /// A table that a call makes.
    fn called(self, at: CallRef) -> Option<Declared> {
        let facts = self.program.facts(self.file);
        let call = facts.call(at.call);
        if facts.function_of(call.block) != FunctionId::MODULE {
            return None;
        }
        let form = self.program.callee(at).externals().find_map(|external| self.form(external))?;
        let mut shape = Shape::default();
        let table = match form.form {
            TableForm::Call => {
                let columns = call.args.get(1)?.value;
                self.columns(form, columns, &mut shape);
                if let Some(more) = call.args.get(2) {
                    match self.entries(more.value) {
                        Some(entries) => {
                            entries.iter().for_each(|(_, at)| {
                                Reader { file: at.file, ..self }.constraint(form, at.expr, &mut shape)
                            });
                        }
                        None => shape.unsure = true,
                    }
                }
                self.value(call.args.first()?.value).text()?
            }
            TableForm::Document => {
                self.document(form, at, &mut shape);
                Name::new("")
            }
            TableForm::Class | TableForm::Decorated => return None,
        };
        let place = self.program.call_place(at);
        let end = call.args.first().map_or(place.span.end, |arg| facts.span(arg.value).end);
        let end = if form.form == TableForm::Document { facts.span(call.callee).end } else { end };
        Some(shape.declared(form, table, place, end))
    }

    /// The way to declare tables that a call, or what a class derives from, belongs to.
    fn form(self, external: &External) -> Option<&'p Tables> {
        let dotted = external.dotted();
        let forms = self.program.catalogue.tables();
        forms.iter().find(|form| {
            let (_, package) = form.package.split_once(':').unwrap_or_default();
            let same = external.package.as_str() == form.package.as_str()
                || external.package.strip_prefix(&form.package).is_some_and(|rest| rest.starts_with('.'));
            let path = dotted.strip_prefix(package).map(|path| path.trim_start_matches('.'));
            same && path.is_some_and(|path| {
                let path = path.strip_prefix("default.").unwrap_or(path);
                form.paths.iter().any(|known| known == path)
            })
        })
    }

    /// The columns that an object of chains holds.
    fn columns(self, form: &Tables, expr: ExprId, shape: &mut Shape) {
        let Some(entries) = self.entries(expr) else {
            shape.unsure = true;
            return;
        };
        for (field, at) in entries {
            let there = Reader { file: at.file, ..self };
            match field {
                Some(field) if field == "..." => there.columns(form, at.expr, shape),
                Some(field) => {
                    let chain = there.chain(at.expr);
                    let named = chain.last().and_then(|(_, call)| there.value(call.args.first()?.value).text());
                    shape.fields.push((field, named.unwrap_or(field)));
                    for (name, _) in &chain {
                        if form.says(&form.unique, *name) || form.says(&form.primary, *name) {
                            shape.keys.push(Key::of(field, form.says(&form.primary, *name)));
                        }
                    }
                }
                None => shape.unsure = true,
            }
        }
    }

    /// What holds for several columns: `unique().on(t.a, t.b)`, `primaryKey({ columns: [t.a] })`,
    /// `UniqueConstraint("a", "b")`.
    fn constraint(self, form: &Tables, expr: ExprId, shape: &mut Shape) {
        let chain = self.chain(expr);
        let Some(&(name, first)) = chain.last() else {
            shape.unsure |= !matches!(self.program.facts(self.file).expr(expr), ExprKind::Object(_));
            return;
        };
        let primary = form.says(&form.primary, name);
        let option = |name: &str| first.args.iter().find(|arg| arg.name.is_some_and(|given| given == name));
        let by_option = form.says(&form.indexes, name)
            && form
                .unique
                .iter()
                .any(|name| option(name).is_some_and(|arg| self.value(arg.value) == Value::Bool(true)));
        if !primary && !form.says(&form.unique, name) && !by_option {
            return;
        }
        let skipped = usize::from(by_option);
        let fields = self.fields_of(form, &chain, skipped);
        let some = form
            .partial
            .iter()
            .any(|word| chain.iter().any(|(name, _)| *name == word.as_str()) || option(word).is_some());
        shape.keys.push(Key { primary, fields, partial: some });
    }

    /// The fields that a constraint names, by a method, an option or its arguments; none when they cannot be told.
    fn fields_of(self, form: &Tables, chain: &[(Name, &'p Call)], skipped: usize) -> Option<Vec<Name>> {
        let facts = self.program.facts(self.file);
        let &(_, first) = chain.last()?;
        let by_method = chain.iter().find(|(name, _)| chain.len() > 1 && form.says(&form.columns, *name));
        let named = first.args.iter().find(|arg| arg.name.is_some_and(|name| form.says(&form.columns, name)));
        let by_object = first.args.first().and_then(|arg| match facts.expr(arg.value) {
            ExprKind::Object(entries) => {
                entries.iter().find(|(key, _)| form.says(&form.columns, *key)).map(|&(_, value)| value)
            }
            _ => None,
        });
        let fields: Vec<ExprId> = match (by_method, named.map(|arg| arg.value).or(by_object)) {
            (Some((_, call)), _) => call.args.iter().map(|arg| arg.value).collect(),
            (_, Some(list)) => match facts.expr(list) {
                ExprKind::List(items) => items.to_vec(),
                _ => return None,
            },
            _ => first.args.iter().filter(|arg| arg.name.is_none()).skip(skipped).map(|arg| arg.value).collect(),
        };
        let field = |&field: &ExprId| match *facts.expr(field) {
            ExprKind::Member(_, name) => Some(name),
            // A column in an order: `t.day.desc()`.
            ExprKind::Call(call) => match *facts.expr(facts.call(call).callee) {
                ExprKind::Member(base, _) => facts.last_name(base),
                _ => None,
            },
            _ => self.value(field).text(),
        };
        let fields: Vec<Name> = fields.iter().map(field).collect::<Option<_>>()?;
        (!fields.is_empty()).then_some(fields)
    }

    /// Fields that are objects with options, and the indexes that are added later.
    fn document(self, form: &Tables, at: CallRef, shape: &mut Shape) {
        let facts = self.program.facts(self.file);
        let call = facts.call(at.call);
        let Some(entries) = call.args.first().and_then(|arg| self.entries(arg.value)) else {
            shape.unsure = true;
            return;
        };
        let says = |options: &[(Option<Name>, ExprRef)]| {
            options.iter().any(|(key, at)| {
                key.is_some_and(|key| form.says(&form.unique, key)) && self.program.value(*at) == Value::Bool(true)
            })
        };
        for (field, at) in entries {
            let Some(field) = field.filter(|field| *field != "...") else {
                shape.unsure = true;
                continue;
            };
            shape.fields.push((field, field));
            let there = Reader { file: at.file, ..self };
            if there.entries(at.expr).is_some_and(|options| says(&options)) {
                shape.keys.push(Key::of(field, false));
            }
        }
        // `schema.index({ a: 1, b: 1 }, { unique: true })`
        for other in self.program.calls_of(self.file) {
            let later = facts.call(other.call);
            let (ExprKind::Member(base, name), [fields, options]) = (facts.expr(later.callee), &later.args[..]) else {
                continue;
            };
            let here = || matches!(self.value(*base), Value::External(of) if of.sites.last() == Some(&at));
            if form.says(&form.indexes, *name) && here() {
                let options = self.entries(options.value).unwrap_or_default();
                if says(&options) {
                    let fields =
                        self.entries(fields.value).map(|all| all.into_iter().filter_map(|(key, _)| key).collect());
                    let partial = options.iter().any(|(key, _)| key.is_some_and(|key| form.says(&form.partial, key)));
                    shape.keys.push(Key { primary: false, fields, partial });
                }
            }
        }
    }

    /// A class that a decorator makes a table: `@Entity("orders") class Order { @Column({ unique: true }) ref: string }`.
    fn decorated(self, id: ClassId) -> Option<Declared> {
        let facts = self.program.facts(self.file);
        let class = &facts.classes[id.index()];
        let name = class.name.filter(|_| !class.decorators.is_empty())?;
        let made = class.decorators.iter().find_map(|&decorator| {
            let call = self.call(decorator)?;
            let form = self.value(call.callee).externals().find_map(|external| self.form(external))?;
            (form.form == TableForm::Decorated).then_some((form, call))
        });
        let (form, entity) = made?;
        let mut shape = Shape::default();
        for (field, call) in class.field_decorators.iter().filter_map(|&(field, at)| Some((field, self.call(at)?))) {
            let Some(kind) = facts.last_name(call.callee) else { continue };
            let option = |words: &[String]| call.args.iter().any(|arg| self.says_true(words, arg.value));
            let primary = form.says(&form.primary, kind) || option(&form.primary);
            if primary || form.says(&form.unique, kind) || option(&form.unique) {
                shape.keys.push(Key::of(field, primary));
            }
            if let Some(column) = call.args.iter().find_map(|arg| self.named(form, arg.value)) {
                shape.fields.push((field, column));
            } else if !shape.fields.iter().any(|(known, _)| *known == field) {
                shape.fields.push((field, field));
            }
        }
        for call in class.decorators.iter().filter_map(|&at| self.call(at)) {
            let Some(kind) = facts.last_name(call.callee) else { continue };
            let by_option =
                form.says(&form.indexes, kind) && call.args.iter().any(|arg| self.says_true(&form.unique, arg.value));
            if form.says(&form.unique, kind) || by_option {
                let list = call.args.iter().find_map(|arg| match facts.expr(arg.value) {
                    ExprKind::List(items) => Some(self.texts(items)),
                    _ => None,
                });
                let given = |words: &[String], at: ExprId| {
                    self.entries(at)
                        .is_some_and(|all| all.iter().any(|(key, _)| key.is_some_and(|key| form.says(words, key))))
                };
                let partial = call.args.iter().any(|arg| given(&form.partial, arg.value));
                shape.keys.push(Key { primary: false, fields: list.flatten(), partial });
            }
        }
        let table =
            entity.args.iter().find_map(|arg| self.value(arg.value).text().or_else(|| self.named(form, arg.value)));
        // What it derives from may have columns of its own.
        shape.unsure |= !class.bases.is_empty();
        let place = Place { file: self.file, span: class.span };
        let end = facts.span(entity.expr).end.max(place.span.start);
        Some(shape.declared(form, table.unwrap_or(name), place, end))
    }

    /// Whether an object has one of some options set: `{ unique: true }`.
    fn says_true(self, words: &[String], at: ExprId) -> bool {
        self.entries(at).is_some_and(|all| {
            all.iter().any(|(key, at)| {
                key.is_some_and(|key| words.iter().any(|word| key == word.as_str()))
                    && self.program.value(*at) == Value::Bool(true)
            })
        })
    }

    /// The name that options give: `{ name: "orders" }`.
    fn named(self, form: &Tables, at: ExprId) -> Option<Name> {
        let entries = self.entries(at)?;
        let (_, at) =
            entries.iter().find(|(key, _)| key.is_some_and(|key| form.named_by.as_deref() == Some(key.as_str())))?;
        self.program.value(*at).text()
    }

    /// A class that derives from what tables derive from.
    fn class(self, id: ClassId) -> Option<Declared> {
        let facts = self.program.facts(self.file);
        let class = &facts.classes[id.index()];
        let name = class.name.filter(|_| !class.bases.is_empty())?;
        let mut line = vec![];
        let form = self.lineage(ClassRef::new(self.file, id), DEEPEST, &mut line)?;
        let mut shape = Shape::default();
        let mut table = None;
        for &of in &line {
            Reader { file: of.file, ..self }.members(form, of.class, &mut shape, &mut table);
        }
        let place = Place { file: self.file, span: class.span };
        let end = class.bases.last().map_or(class.span.end, |&base| facts.span(base).end);
        Some(shape.declared(form, table.unwrap_or(name), place, end))
    }

    /// The classes of the program that a class consists of, itself first, when one of them derives from a library's.
    fn lineage(self, class: ClassRef, depth: usize, line: &mut Vec<ClassRef>) -> Option<&'p Tables> {
        let depth = depth.checked_sub(1)?;
        line.push(class);
        let facts = self.program.facts(class.file);
        let mut found = None;
        for &base in &facts.classes[class.class.index()].bases {
            match self.program.value(ExprRef::new(class.file, base)) {
                Value::Class(of) if !line.contains(&of) => found = found.or(self.lineage(of, depth, line)),
                Value::External(external) => found = found.or(self.form(&external)),
                _ => {}
            }
        }
        found
    }

    /// Takes in the fields of a class, and of the classes inside it.
    fn members(self, form: &Tables, id: ClassId, shape: &mut Shape, table: &mut Option<Name>) {
        let facts = self.program.facts(self.file);
        let class = &facts.classes[id.index()];
        let inner = facts.classes.iter().filter(|inner| inner.span != class.span && class.span.contains(inner.span));
        let inner = inner.flat_map(|inner| {
            let of = inner.name.map_or_else(String::new, |name| format!("{name}."));
            inner.fields.iter().map(move |field| (format!("{of}{}", field.name), field))
        });
        let own = class.fields.iter().map(|field| (field.name.to_string(), field));
        for (name, field) in own.chain(inner) {
            let Some(value) = field.value.filter(|_| field.is_static) else { continue };
            if form.named_by.as_ref() == Some(&name) {
                *table = table.or_else(|| self.value(value).text());
            } else if form.lists.contains(&name) {
                self.listed(form, value, shape);
            } else if !name.contains('.') {
                self.field(form, field.name, value, shape);
            }
        }
    }

    /// A field of a class: a call with options.
    fn field(self, form: &Tables, field: Name, value: ExprId, shape: &mut Shape) {
        let chain = self.chain(value);
        let Some(&(kind, call)) = chain.last() else { return };
        // `Field(sa_column=Column(.., unique=True))`
        let inner = call.args.iter().filter_map(|arg| self.call(arg.value));
        let calls: Vec<&Call> = std::iter::once(call).chain(inner).collect();
        let named = calls.iter().find_map(|call| {
            let first = call.args.first().filter(|arg| arg.name.is_none())?;
            self.value(first.value).text()
        });
        let given = |words: &[String]| {
            calls.iter().flat_map(|call| &call.args).any(|arg| {
                arg.name.is_some_and(|name| form.says(words, name)) && self.value(arg.value) == Value::Bool(true)
            })
        };
        shape.fields.push((field, named.unwrap_or(field)));
        if given(&form.unique) || given(&form.primary) || form.says(&form.unique_kinds, kind) {
            shape.keys.push(Key::of(field, given(&form.primary)));
        }
    }

    /// A list of constraints, or of names: `[UniqueConstraint(..)]`, `(("a", "b"),)`.
    fn listed(self, form: &Tables, value: ExprId, shape: &mut Shape) {
        let facts = self.program.facts(self.file);
        let ExprKind::List(items) = facts.expr(value) else {
            shape.unsure |= !matches!(facts.expr(value), ExprKind::Object(_));
            return;
        };
        if let Some(names) = self.texts(items).filter(|names| !names.is_empty()) {
            shape.keys.push(Key { primary: false, fields: Some(names), partial: false });
            return;
        }
        for &item in items {
            match facts.expr(item) {
                ExprKind::List(_) => self.listed(form, item, shape),
                _ => self.constraint(form, item, shape),
            }
        }
    }
}

impl Tables {
    fn says(&self, words: &[String], name: Name) -> bool {
        words.iter().any(|word| name == word.as_str())
    }
}

impl Shape {
    /// What is known, as the database takes it; `end` is where what is shown of it ends.
    fn declared(mut self, form: &Tables, table: Name, place: Place, end: u32) -> Declared {
        if let Some(implicit) = form.implicit.as_ref().filter(|_| !self.keys.iter().any(|key| key.primary)) {
            self.keys.push(Key::of(Name::new(implicit), true));
        }
        let head = Place { file: place.file, span: Span { start: place.span.start, end } };
        let unsure = self.unsure.then_some(head);
        Declared { table, model: None, place, head, fields: self.fields, keys: self.keys, unsure }
    }
}
