//! Names that say no schema, looked for where the file says: `set search_path`.

use super::super::cursor::Qualified;
use super::super::model::Id;
use super::super::statement::{Action, Asks, Constraint, GrantOn, Statement, What};
use super::Fold;
use crate::names::Name;

impl Fold {
    /// The statement with the schemas that its names mean by now; none where names mean what they always mean.
    pub(super) fn found_by_path(&self, statement: &Statement) -> Option<Statement> {
        let first = *self.path.first().filter(|first| **first != "public")?;
        let mut named = statement.clone();
        let made = |name: &mut Qualified| _ = name.schema.get_or_insert(first);
        match &mut named.what {
            What::CreateTable(table) => {
                made(&mut table.name);
                table.like.iter_mut().chain(&mut table.partition_of).for_each(|name| self.seek(name, first));
                table.constraints.iter_mut().for_each(|constraint| self.seek_foreign(constraint, first));
            }
            What::CreateView(view) => made(&mut view.name),
            What::CreateFunction(function) => made(&mut function.name),
            What::Drop { names, .. } => names.iter_mut().for_each(|name| self.seek(name, first)),
            What::AlterTable { table, actions } => {
                self.seek(table, first);
                for action in actions {
                    match action {
                        Action::AddConstraint(constraint, _) => self.seek_foreign(constraint, first),
                        Action::AddColumn(_, constraints, _) => {
                            constraints.iter_mut().for_each(|constraint| self.seek_foreign(constraint, first));
                        }
                        Action::Attach(part) => self.seek(part, first),
                        _ => {}
                    }
                }
            }
            What::CreatePolicy(policy) => {
                self.seek(&mut policy.table, first);
                policy.reads.iter_mut().for_each(|name| self.seek(name, first));
            }
            What::AlterPolicy(policy) => self.seek(&mut policy.table, first),
            What::CreateIndex(index) => self.seek(&mut index.table, first),
            What::CreateTrigger(trigger) => self.seek(&mut trigger.table, first),
            What::DropPolicy { table, .. } | What::DropTrigger { table, .. } | What::RenameTrigger { table, .. } => {
                self.seek(table, first);
            }
            What::AlterView { view, .. } => self.seek(view, first),
            What::Publish { tables, .. } | What::Unread(tables) => {
                tables.iter_mut().for_each(|name| self.seek(name, first));
            }
            What::Grant(grant) => {
                if let GrantOn::Tables(tables) = &mut grant.on {
                    tables.iter_mut().for_each(|name| self.seek(name, first));
                }
            }
            _ => return None,
        }
        Some(named)
    }

    /// The first schema of the path that has such a table or view; the first of all where none has.
    fn seek(&self, name: &mut Qualified, first: Name) {
        if name.schema.is_none() {
            let there = |schema: &&Name| {
                let id = Id { schema: **schema, name: name.name };
                self.tables.contains_key(&id) || self.history.views.contains_key(&id)
            };
            name.schema = Some(self.path.iter().find(there).copied().unwrap_or(first));
        }
    }

    fn seek_foreign(&self, constraint: &mut Constraint, first: Name) {
        if let Asks::Foreign(of, _) = &mut constraint.asks {
            self.seek(of, first);
        }
    }
}
