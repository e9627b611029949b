//! Rows that code writes, held against what migrations and declarations say of their table: whether a second one is
//! refused.

use crate::facts::{CallId, ExprId, ExprKind};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::repeats::Ids;
use crate::program::{CallRef, ClassRef, ExprRef, Program, Value};
use crate::sql::{History, Table, Unique};

impl Program {
    /// Whether the table refuses a second row with what this insert writes.
    pub fn refuses_again(&self, at: CallRef) -> Unique {
        let tables = self.tables_at(at);
        if tables.is_empty() {
            return Unique::Unknown;
        }
        let ids = self.ids_written(at);
        let columns: Vec<&str> = ids.stable.iter().map(|name| name.as_str()).collect();
        // What else is written says nothing against a key within what is known.
        if tables.iter().any(|table| table.is_unique(&columns)) {
            return Unique::Yes;
        }
        // Migrations may know of keys that the declaration in code does not name.
        let named = tables.iter().flat_map(|table| self.database().tables(&table.id.name));
        if named.into_iter().any(|(of, table)| self.is_database_of(of, at.file) && table.is_unique(&columns)) {
            return Unique::Yes;
        }
        match ids.opaque || columns.is_empty() || tables.iter().any(|table| table.may_be_unique(&columns)) {
            true => Unique::Unknown,
            false => Unique::No,
        }
    }

    /// Whether a call adds another row each time it runs: no key of its table lies within what it writes.
    pub(in crate::program) fn adds_each_time(&self, at: CallRef) -> bool {
        self.adds_a_row(at) && self.refuses_again(at) == Unique::No
    }

    /// Whether a call adds a row that its table refuses a second time.
    pub(in crate::program) fn adds_a_row_once(&self, at: CallRef) -> bool {
        self.adds_a_row(at) && self.refuses_again(at) == Unique::Yes
    }

    /// Whether a call adds a row that its table may refuse a second time for all that is known.
    pub(in crate::program) fn may_add_a_row_once(&self, at: CallRef) -> bool {
        self.adds_a_row(at) && self.refuses_again(at) != Unique::No
    }

    /// Whether a call adds a row, by its name.
    fn adds_a_row(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        matches!(facts.expr(facts.call(at.call).callee), ExprKind::Member(_, name)
            if ["insert", "create", "add"].iter().any(|part| name.starts_with(part)))
    }

    /// The tables that a call writes to or reads, as migrations make or code declares them.
    pub(in crate::program) fn tables_at(&self, at: CallRef) -> Vec<&Table> {
        if let Some(declared) = self.declared_at(at) {
            return vec![declared];
        }
        let Some(name) = self.table_of(at) else { return vec![] };
        let called = self.database().called(&name).filter(|(history, _)| self.is_database_of(history, at.file));
        called.map(|(_, table)| table).collect()
    }

    /// Whether a file's app may use a database: it is the app's own, or the app has none.
    pub fn is_database_of(&self, history: &History, file: FileId) -> bool {
        let own = |history: &History| history.files.first().is_none_or(|&script| self.share_app(script, file));
        !self.has_several_apps() || own(history) || !self.database().histories.iter().any(own)
    }

    /// The table that is declared where what a call is handed, or what it is called on, comes from:
    /// `insert(orders)`, `add(Order(..))`, `Order.objects.create(..)`.
    fn declared_at(&self, at: CallRef) -> Option<&Table> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let mut subjects: Vec<ExprId> = call.args.first().map(|arg| arg.value).into_iter().collect();
        let mut expr = call.callee;
        while let ExprKind::Member(base, _) = *facts.expr(expr) {
            subjects.push(base);
            expr = base;
        }
        subjects.into_iter().find_map(|subject| {
            let value = self.value(ExprRef::new(at.file, subject));
            value.alternatives().iter().find_map(|value| self.database().declared(self.declaration(value)?))
        })
    }

    /// Where a value is declared that may stand for a table.
    fn declaration(&self, value: &Value) -> Option<Place> {
        match value {
            Value::Class(class) | Value::Instance(class) => {
                Some(Place { file: class.file, span: self.facts(class.file).classes[class.class.index()].span })
            }
            Value::External(external) => {
                let site = *external.sites.last()?;
                let args = || {
                    external.sites.iter().flat_map(|of| {
                        self.facts(of.file).call(of.call).args.iter().map(|arg| ExprRef::new(of.file, arg.value))
                    })
                };
                // `getRepository(Order)`
                let class = args().find_map(|arg| match self.value(arg) {
                    Value::Class(class) => self.class_place(class),
                    _ => None,
                });
                if class.is_some() {
                    return class;
                }
                // A model is made of what holds the fields.
                let made_of = self.facts(site.file).call(site.call).args.get(1).map(|arg| {
                    let made_of = self.value(ExprRef::new(site.file, arg.value));
                    match &made_of {
                        Value::External(of) => of.sites.last().map(|&of| self.call_place(of)),
                        _ => None,
                    }
                });
                let known = |place: &Place| self.database().declared(*place).is_some();
                Some(self.call_place(site)).filter(known).or(made_of.flatten())
            }
            _ => None,
        }
    }

    /// Where a class stands that declares a table.
    fn class_place(&self, class: ClassRef) -> Option<Place> {
        let place = Place { file: class.file, span: self.facts(class.file).classes[class.class.index()].span };
        self.database().declared(place).map(|_| place)
    }

    /// Where the table is made that a call is about.
    pub fn table_made(&self, at: CallRef) -> Option<Place> {
        self.tables_at(at).iter().find_map(|table| table.head)
    }

    /// The names of the fields that a write sets, as far as they are written in place.
    pub fn fields_written(&self, at: CallRef) -> Vec<Name> {
        let facts = self.facts(at.file);
        let chain = self.chain(at).filter(|(_, name)| matches!(name.as_str(), "values" | "set")).map(|(at, _)| at.call);
        let mut names = Vec::new();
        let mut open: Vec<ExprId> = std::iter::once(at.call)
            .chain(chain)
            .flat_map(|call| facts.call(call).args.iter().map(|arg| arg.value))
            .collect();
        while let Some(expr) = open.pop() {
            if let ExprKind::Object(entries) = facts.expr(expr) {
                for &(key, value) in entries.iter().filter(|(key, _)| *key != "where") {
                    names.push(key);
                    open.push(value);
                }
            }
        }
        names
    }

    /// What the row of an insert holds.
    pub(in crate::program) fn ids_written(&self, at: CallRef) -> Ids {
        let facts = self.facts(at.file);
        // `insert(table).values({ .. })`
        let mut rows: Vec<CallId> =
            self.chain(at).filter(|(_, name)| *name == "values").map(|(at, _)| at.call).collect();
        if rows.is_empty() {
            rows.push(at.call);
        }
        let mut ids = Ids::default();
        for call in rows {
            for arg in &facts.call(call).args {
                ids.look(self, ExprRef::new(at.file, arg.value), arg.name, 5);
            }
        }
        ids
    }
}
