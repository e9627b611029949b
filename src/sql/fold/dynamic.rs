//! Text that a loop makes and runs for each table or policy there is by then.

use super::super::model::{Id, RowSecurity};
use super::super::read::read_made;
use super::super::statement::{Action, Each, Filter, Hole, Over, What};
use super::Fold;
use crate::finding::Place;
use crate::names::Name;

/// Stands for a name that is not known.
const SOME: &str = "some_unknown_name";

/// One row of a list of the database.
struct Row {
    schema: Name,
    table: Name,
    policy: Option<Name>,
}

impl Row {
    fn field(&self, field: Option<Name>) -> Option<Name> {
        match field.as_ref().map(|field| field.as_str()) {
            Some("schemaname" | "table_schema" | "nspname") => Some(self.schema),
            Some("policyname" | "polname") => self.policy,
            Some("tablename" | "table_name" | "relname") => Some(self.table),
            None => self.policy.or(Some(self.table)),
            Some(_) => None,
        }
    }

    fn fits(&self, filter: &Filter) -> bool {
        filter.tests.iter().all(|(column, wanted, values)| match self.field(Some(*column)) {
            Some(name) => values.iter().any(|value| like(&name, value)) == *wanted,
            None => true,
        })
    }
}

/// Whether a name fits a value, in which `%` stands for anything.
fn like(name: &str, value: &str) -> bool {
    match value.split_once('%') {
        None => name == value,
        Some((start, end)) => {
            name.starts_with(start) && name.ends_with(end.trim_start_matches('%')) && name.len() >= start.len()
        }
    }
}

impl Fold {
    pub(super) fn each(&mut self, each: &Each, at: Place) {
        let (rows, filter) = match &each.over {
            Over::Tables(filter) => (self.table_rows(), filter),
            Over::Policies(filter) => (self.policy_rows(), filter),
            Over::Names(_) | Over::Unknown => return self.unknown(each, at),
        };
        if !filter.whole {
            return self.unknown(each, at);
        }
        for row in rows.iter().filter(|row| row.fits(filter)) {
            for template in &each.templates {
                let text = template.filled(|hole| match hole {
                    Hole::Field { field, quoted } => {
                        let name = row.field(*field).unwrap_or_else(|| Name::new(SOME));
                        if *quoted { super::super::read::templates::quoted(&name) } else { name.to_string() }
                    }
                    Hole::Unknown => SOME.to_owned(),
                });
                read_made(&text, at.span).iter().for_each(|statement| self.apply(statement));
            }
        }
    }

    fn table_rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> =
            self.tables.keys().map(|id| Row { schema: id.schema, table: id.name, policy: None }).collect();
        rows.sort_by_key(|row| (row.schema, row.table));
        rows
    }

    fn policy_rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .tables
            .values()
            .flat_map(|table| {
                table.policies.iter().map(|policy| Row {
                    schema: table.id.schema,
                    table: table.id.name,
                    policy: Some(policy.name),
                })
            })
            .collect();
        rows.sort_by_key(|row| (row.schema, row.table, row.policy));
        rows
    }

    /// Nobody knows for which names the text is run: what it could change is no longer sure.
    fn unknown(&mut self, each: &Each, at: Place) {
        self.history.gaps.push(at);
        for template in &each.templates {
            let text = template.filled(|_| SOME.to_owned());
            for statement in read_made(&text, at.span) {
                match statement.what {
                    What::AlterTable { table, actions }
                        if table.name == SOME
                            && actions.iter().any(|action| matches!(action, Action::RowSecurity(true))) =>
                    {
                        let off = |security| !matches!(security, RowSecurity::On(_));
                        for table in self.tables.values_mut().filter(|table| off(table.security)) {
                            table.unsure = Some(at);
                        }
                    }
                    What::DropPolicy { name, table } => self.may_drop(name, Id::of(table), at),
                    other if !names_nothing(&other) => {
                        self.apply(&super::Statement { span: at.span, what: other });
                    }
                    _ => {}
                }
            }
        }
    }

    fn may_drop(&mut self, name: Name, table: Id, at: Place) {
        let tables = self.tables.values_mut().filter(|known| table.name == SOME || known.id == table);
        for policy in tables.flat_map(|table| &mut table.policies) {
            if name == SOME || policy.name == name {
                policy.unsure = Some(at);
            }
        }
    }
}

/// Whether a statement is about the name that is not known.
fn names_nothing(what: &What) -> bool {
    match what {
        What::CreateTable(table) => table.name.name.contains(SOME),
        What::AlterTable { table, .. } => table.name.contains(SOME),
        What::CreatePolicy(policy) => policy.table.name.contains(SOME) || policy.name.contains(SOME),
        What::Drop { names, .. } => names.iter().any(|name| name.name.contains(SOME)),
        _ => true,
    }
}
