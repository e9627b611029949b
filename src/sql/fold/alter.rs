//! What `alter table` and renames change.

use super::super::model::{Id, RowSecurity, Table, UniqueIndex};
use super::super::statement::{Action, Asks, Constraint};
use super::Fold;
use super::blocks::{Done, Stop, refused};
use crate::finding::Place;
use crate::names::Name;

impl Fold {
    pub(super) fn alter_table(&mut self, mut id: Id, actions: &[Action], at: Place, eased: bool) -> Done {
        if self.comes_later(id) {
            return if eased { Ok(()) } else { refused("undefined_table") };
        }
        let later = |constraint: &Constraint| match &constraint.asks {
            Asks::Foreign(of, _) => self.comes_later(Id::of(*of)),
            _ => false,
        };
        let lacks = actions.iter().any(|action| match action {
            Action::AddColumn(_, constraints, _) => constraints.iter().any(later),
            Action::AddConstraint(constraint, _) => later(constraint),
            _ => false,
        });
        if lacks {
            return refused("undefined_table");
        }
        if let Some(table) = self.tables.get(&id)
            && let Some(why) = actions.iter().find_map(|action| why_not(table, action))
        {
            return refused(why);
        }
        for action in actions {
            match action {
                Action::Rename(name) => id = self.rename(id, Id { name: *name, ..id })?,
                Action::SetSchema(schema) => id = self.rename(id, Id { schema: *schema, ..id })?,
                Action::DropColumn { name, cascade, .. } => self.drop_column(id, *name, *cascade),
                Action::Attach(part) => {
                    if let Some(part) = self.tables.get_mut(&Id::of(*part)) {
                        part.partition_of = Some(id);
                    }
                }
                // Nothing says that there is such a table.
                Action::RowSecurity(false) if eased && !self.tables.contains_key(&id) => {}
                other => {
                    if let Some(table) = self.table(id) {
                        change(table, other, at);
                    }
                }
            }
        }
        Ok(())
    }

    /// The table's name afterwards: nothing is renamed to what is there.
    fn rename(&mut self, from: Id, to: Id) -> Result<Id, Stop> {
        if self.tables.contains_key(&to) {
            return refused("duplicate_table");
        }
        let Some(mut table) = self.tables.remove(&from) else { return Ok(from) };
        table.id = to;
        self.tables.insert(to, table);
        for table in self.tables.values_mut() {
            for constraint in &mut table.constraints {
                if let Asks::Foreign(of, _) = &mut constraint.asks
                    && Id::of(*of) == from
                {
                    (of.schema, of.name) = (Some(to.schema), to.name);
                }
            }
        }
        self.published_as(from, Some(to));
        for trigger in self.history.triggers.iter_mut().filter(|trigger| trigger.table == from) {
            trigger.table = to;
        }
        Ok(to)
    }

    pub(super) fn rename_schema(&mut self, from: Name, to: Name) {
        let mut moved: Vec<Id> = self.tables.keys().filter(|id| id.schema == from).copied().collect();
        moved.sort();
        for id in moved {
            let _ = self.rename(id, Id { schema: to, ..id });
        }
    }
}

/// Why the database refuses an action on a table, as far as its columns and constraints are known.
fn why_not(table: &Table, action: &Action) -> Option<&'static str> {
    let there = |name: &Name| table.columns.iter().any(|column| column.name == *name);
    let whole = table.is_whole();
    match action {
        Action::AddColumn(column, _, unless_there) => {
            (!unless_there && there(&column.name)).then_some("duplicate_column")
        }
        Action::DropColumn { name, if_there, .. } => (!if_there && whole && !there(name)).then_some("undefined_column"),
        Action::RenameColumn(_, to) if there(to) => Some("duplicate_column"),
        Action::RenameColumn(from, _) => (whole && !there(from)).then_some("undefined_column"),
        Action::AddConstraint(constraint, given) => {
            let known = *given && table.constraints.iter().any(|known| known.name == constraint.name);
            let key = matches!(constraint.asks, Asks::Primary | Asks::Unique) && constraint.index.is_none();
            known.then_some(if key { "duplicate_table" } else { "duplicate_object" })
        }
        _ => None,
    }
}

fn change(table: &mut Table, action: &Action, at: Place) {
    match action {
        Action::AddColumn(column, constraints, _) => {
            if table.column(&column.name).is_none() {
                table.columns.push(column.clone());
                table.constraints.extend(constraints.iter().cloned());
            }
        }
        Action::AddConstraint(constraint, _) => add_constraint(table, constraint),
        Action::DropConstraint(name) => table.constraints.retain(|constraint| constraint.name != Some(*name)),
        Action::RenameColumn(from, to) => rename_column(table, *from, *to),
        Action::RenameConstraint(from, to) => {
            for constraint in table.constraints.iter_mut().filter(|constraint| constraint.name == Some(*from)) {
                constraint.name = Some(*to);
            }
        }
        Action::RowSecurity(on) => {
            table.security = if *on { RowSecurity::On(Some(at)) } else { RowSecurity::Off(at) };
            table.unsure = None;
        }
        Action::Force(on) => table.forced = *on,
        Action::Rename(_) | Action::SetSchema(_) | Action::DropColumn { .. } | Action::Attach(_) => {}
    }
}

fn add_constraint(table: &mut Table, constraint: &Constraint) {
    if constraint.name.is_some() && table.constraints.iter().any(|known| known.name == constraint.name) {
        return;
    }
    let mut constraint = constraint.clone();
    // `unique using index`: what the index is over.
    if let Some(index) = constraint.index
        && let Some(UniqueIndex { columns: Some(columns), .. }) =
            table.unique.iter().find(|known| known.name == Some(index))
    {
        constraint.columns = columns.clone();
    }
    table.constraints.push(constraint);
}

fn rename_column(table: &mut Table, from: Name, to: Name) {
    let rename = |name: &mut Name| {
        if *name == from {
            *name = to;
        }
    };
    table.columns.iter_mut().for_each(|column| rename(&mut column.name));
    table.constraints.iter_mut().for_each(|constraint| constraint.columns.iter_mut().for_each(rename));
    table.unique.iter_mut().for_each(|index| index.columns.iter_mut().flatten().for_each(rename));
}
