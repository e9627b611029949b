//! Unique keys that migrations written in code give to tables that are declared elsewhere.

use crate::catalogue::TableChanges;
use crate::facts::{CallId, ExprId, ExprKind, Facts};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, Program, Value};
use crate::sql::Declared;
use crate::sql::declared::Key;

/// A key that a migration adds.
struct Added {
    /// The table, or the model that it is made of.
    table: Name,
    /// What precedes the model's name in the table's is not said.
    prefixed: bool,
    /// The key's own name.
    name: Option<Name>,
    key: Key,
}

/// Gives the declared tables the keys that migrations add.
pub fn add_keys(program: &Program, declared: &mut [(FileId, Vec<Declared>)]) {
    if declared.is_empty() {
        return;
    }
    let (mut added, mut dropped) = (vec![], vec![]);
    for (file, facts) in program.code() {
        for changes in program.catalogue.table_changes().iter().filter(|changes| changes.may_be_in(facts)) {
            Reader { program, file, facts, changes }.read(&mut added, &mut dropped);
        }
    }
    // In which order they run is not read: what is dropped somewhere may be there or not.
    for one in &mut added {
        one.key.partial |= one.name.is_some_and(|name| dropped.contains(&name));
    }
    for table in declared.iter_mut().flat_map(|(_, tables)| tables) {
        let keys = added.iter().filter(|one| one.is_of(&table.table)).map(|one| one.key.clone());
        table.keys.extend(keys);
    }
}

impl Added {
    fn is_of(&self, table: &str) -> bool {
        let (mine, lower) = (self.table.to_ascii_lowercase(), table.to_ascii_lowercase());
        mine == lower || (self.prefixed && mine.ends_with(&format!("_{lower}")))
    }
}

impl TableChanges {
    fn may_be_in(&self, facts: &Facts) -> bool {
        let (_, package) = self.package.split_once(':').unwrap_or_default();
        facts.imports.iter().any(|import| {
            let rest = import.specifier.strip_prefix(package);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
        })
    }
}

/// Reads one migration.
struct Reader<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    changes: &'p TableChanges,
}

impl Reader<'_> {
    fn read(&self, added: &mut Vec<Added>, dropped: &mut Vec<Name>) {
        for at in self.program.calls_of(self.file) {
            let call = self.facts.call(at.call);
            let says = |words: &[String]| {
                self.facts.last_name(call.callee).is_some_and(|name| words.iter().any(|word| name == word.as_str()))
            };
            let function = self.facts.function(self.facts.function_of(call.block));
            if function.name.is_some_and(|name| self.changes.undone_in.iter().any(|undone| name == undone.as_str())) {
                continue;
            }
            if says(&self.changes.sql) {
                self.statements(at.call, added);
            } else if says(&self.changes.drops) {
                dropped.extend(self.given(at.call, 0, "name").and_then(|name| self.text(name)));
            } else if says(&self.changes.indexes) {
                let unique = self.given(at.call, usize::MAX, "unique").map(|value| self.value(value));
                added.extend((unique == Some(Value::Bool(true))).then(|| self.listed(at)).flatten());
            } else if says(&self.changes.unique) {
                added.extend(self.listed(at));
            } else if says(&self.changes.models) {
                self.of_model(at.call, added);
            }
        }
    }

    fn value(&self, expr: ExprId) -> Value {
        self.program.value(ExprRef::new(self.file, expr))
    }

    fn text(&self, expr: ExprId) -> Option<Name> {
        self.value(expr).text()
    }

    /// An argument by its position or its keyword.
    fn given(&self, call: CallId, position: usize, keyword: &str) -> Option<ExprId> {
        let args = &self.facts.call(call).args;
        let named = args.iter().find(|arg| arg.name.is_some_and(|name| name == keyword));
        named.or_else(|| args.get(position).filter(|arg| arg.name.is_none())).map(|arg| arg.value)
    }

    /// `("name", "table", ["a", "b"])`; of a batch `("name", ["a", "b"])`, and the table stands where the batch begins.
    fn listed(&self, at: CallRef) -> Option<Added> {
        let args = &self.facts.call(at.call).args;
        let (position, columns) = args.iter().enumerate().find_map(|(position, arg)| {
            let ExprKind::List(items) = self.facts.expr(arg.value) else { return None };
            Some((position, items.iter().map(|&item| self.text(item)).collect::<Option<Vec<Name>>>()?))
        })?;
        let in_batch = || {
            let callee = self.program.callee(at);
            let site = callee.externals().find_map(|external| external.sites.last().copied())?;
            let first = self.program.facts(site.file).call(site.call).args.first()?.value;
            self.program.value(ExprRef::new(site.file, first)).text()
        };
        let named = self.given(at.call, 1, "table_name").filter(|_| position != 1).and_then(|table| self.text(table));
        let partial = args.iter().any(|arg| arg.name.is_some_and(|name| name.ends_with("_where")));
        Some(Added {
            table: named.or_else(in_batch)?,
            prefixed: false,
            name: args.first().and_then(|arg| self.text(arg.value)),
            key: Key { primary: false, fields: Some(columns), partial },
        })
    }

    /// `AddConstraint(model_name="order", constraint=UniqueConstraint(fields=["a"]))`,
    /// `AlterUniqueTogether(name="order", unique_together={("a", "b")})`.
    fn of_model(&self, call: CallId, added: &mut Vec<Added>) {
        let model = self.given(call, 0, "model_name").or_else(|| self.given(call, 0, "name"));
        let Some(table) = model.and_then(|model| self.text(model)) else { return };
        let mut lists = vec![];
        let mut partial = false;
        if let Some(ExprKind::Call(made)) =
            self.given(call, 1, "constraint").map(|constraint| self.facts.expr(constraint))
        {
            partial = self.given(*made, usize::MAX, "condition").is_some();
            lists.extend(self.given(*made, usize::MAX, "fields"));
        } else if let Some(together) = self.given(call, 1, "unique_together") {
            match self.facts.expr(together) {
                ExprKind::List(items) => lists.extend(items.iter().copied()),
                _ => return,
            }
        }
        for list in lists {
            let ExprKind::List(items) = self.facts.expr(list) else { continue };
            let fields: Option<Vec<Name>> = items.iter().map(|&item| self.text(item)).collect();
            added.push(Added { table, prefixed: false, name: None, key: Key { primary: false, fields, partial } });
        }
    }

    /// `execute("create unique index ..")`.
    fn statements(&self, call: CallId, added: &mut Vec<Added>) {
        let Some(first) = self.facts.call(call).args.first() else { return };
        // `execute(text(".."))`
        let inner = match self.facts.expr(first.value) {
            ExprKind::Call(made) => self.facts.call(*made).args.first().map_or(first.value, |arg| arg.value),
            _ => first.value,
        };
        let Some(sql) = self.text(inner) else { return };
        for (table, columns, partial) in crate::sql::read(&sql).unique_keys() {
            let key = Key { primary: false, fields: columns, partial };
            added.push(Added { table, prefixed: self.changes.prefixed, name: None, key });
        }
    }
}
