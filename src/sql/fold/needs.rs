//! What depends on what is dropped: it goes too with `cascade`, and without it the drop is refused.

use super::super::model::{Id, Table};
use super::super::statement::Asks;
use super::Fold;
use super::blocks::{Done, refused};
use crate::names::Name;

impl Fold {
    pub(super) fn drop_tables(&mut self, ids: &[Id], cascade: bool) -> Done {
        if !cascade && self.is_needed(ids) {
            return refused("dependent_objects_still_exist");
        }
        for id in ids {
            self.tables.remove(id);
            self.history.triggers.retain(|trigger| trigger.table != *id);
            self.published_as(*id, None);
            for table in self.tables.values_mut() {
                table
                    .constraints
                    .retain(|constraint| !matches!(&constraint.asks, Asks::Foreign(of, _) if Id::of(*of) == *id));
                table.policies.retain(|policy| !reads(&policy.using, id.name) && !reads(&policy.check, id.name));
            }
            self.history.views.retain(|_, view| !mentions(&view.query, &id.name));
        }
        Ok(())
    }

    fn is_needed(&self, ids: &[Id]) -> bool {
        let others = || self.tables.values().filter(|table| !ids.contains(&table.id));
        let there = ids.iter().filter(|id| self.tables.get(id).is_some_and(|table| table.made.is_some()));
        there.into_iter().any(|id| {
            let refers = |table: &Table| {
                table
                    .constraints
                    .iter()
                    .any(|constraint| matches!(&constraint.asks, Asks::Foreign(of, _) if Id::of(*of) == *id))
            };
            let asks = |table: &Table| {
                table.policies.iter().any(|policy| reads(&policy.using, id.name) || reads(&policy.check, id.name))
            };
            others().any(|table| refers(table) || asks(table))
                || self.history.views.values().any(|view| reads_from(&view.query, id.name))
        })
    }

    pub(super) fn drop_function(&mut self, id: Id, cascade: bool) {
        let calls = |text: &Option<Box<str>>| text.as_deref().is_some_and(|text| calls(text, &id.name));
        let needs = |table: &Table| table.policies.iter().any(|policy| calls(&policy.using) || calls(&policy.check));
        let fires = self.history.triggers.iter().any(|trigger| Id::of(trigger.function) == id);
        if !cascade && (fires || self.tables.values().any(|table| needs(table))) {
            return;
        }
        self.history.functions.remove(&id);
        self.history.triggers.retain(|trigger| Id::of(trigger.function) != id);
        for table in self.tables.values_mut() {
            table.policies.retain(|policy| !calls(&policy.using) && !calls(&policy.check));
        }
    }

    /// A type goes with what is made of it: functions that take it, and policies that call those or name it.
    pub(super) fn drop_type(&mut self, name: Name) {
        let takes = self.history.functions.iter().filter(|(_, function)| mentions(&function.takes, &name));
        let functions: Vec<Id> = takes.map(|(id, _)| *id).collect();
        functions.into_iter().for_each(|id| self.drop_function(id, true));
        let casts = |text: &Option<Box<str>>| text.as_deref().is_some_and(|text| is_cast_to(text, &name));
        for table in self.tables.values_mut() {
            table.policies.retain(|policy| !casts(&policy.using) && !casts(&policy.check));
        }
    }

    /// What was made of a type knows it by its new name.
    pub(super) fn rename_type(&mut self, from: Name, to: Name) {
        let renamed = |text: &mut Box<str>, casts: bool| {
            let lower = text.to_ascii_lowercase();
            let mut whole = String::with_capacity(text.len());
            let mut done = 0;
            for at in
                words(&lower, &from).filter(|&at| !casts || lower[..at].trim_end_matches("public.").ends_with("::"))
            {
                whole.push_str(&text[done..at]);
                whole.push_str(&to);
                done = at + from.len();
            }
            whole.push_str(&text[done..]);
            *text = whole.into();
        };
        self.history.functions.values_mut().for_each(|function| renamed(&mut function.takes, false));
        for policy in self.tables.values_mut().flat_map(|table| &mut table.policies) {
            policy.using.iter_mut().chain(&mut policy.check).for_each(|text| renamed(text, true));
        }
    }

    /// A column goes, and with `cascade` the policies that ask for it.
    pub(super) fn drop_column(&mut self, id: Id, column: Name, cascade: bool) {
        let Some(table) = self.tables.get_mut(&id) else { return };
        let asks = |text: &Option<Box<str>>| text.as_deref().is_some_and(|text| mentions(text, &column));
        if !cascade && table.policies.iter().any(|policy| asks(&policy.using) || asks(&policy.check)) {
            return;
        }
        table.policies.retain(|policy| !asks(&policy.using) && !asks(&policy.check));
        table.columns.retain(|known| known.name != column);
        table.constraints.retain(|constraint| !constraint.columns.contains(&column));
        table.unique.retain(|index| !index.columns.iter().flatten().any(|name| *name == column));
    }
}

/// Whether a query or condition reads from a table.
fn reads(text: &Option<Box<str>>, table: Name) -> bool {
    text.as_deref().is_some_and(|text| reads_from(text, table))
}

fn reads_from(text: &str, table: Name) -> bool {
    let lower = text.to_ascii_lowercase();
    words(&lower, &table).any(|at| {
        let before = lower[..at].trim_end_matches(['"', '(', ' ', '\n', '\t', '\r']);
        let before = before.strip_suffix('.').map_or(before, |before| {
            before.trim_end_matches(|char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '"'))
        });
        let before = before.trim_end();
        ["from", "join", "update", "into", ","].iter().any(|word| before.ends_with(word))
    })
}

/// Whether a condition turns something into a type: `'admin'::app_role`.
fn is_cast_to(text: &str, name: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    words(&lower, name).any(|at| lower[..at].trim_end_matches("public.").ends_with("::"))
}

fn mentions(text: &str, name: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    words(&lower, name).next().is_some()
}

fn calls(text: &str, name: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    words(&lower, name).any(|at| lower[at + name.len()..].trim_start_matches(['"', ' ']).starts_with('('))
}

/// Where a name stands as a word of its own.
fn words<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.match_indices(name).map(|(at, _)| at).filter(move |&at| {
        let bytes = text.as_bytes();
        let before = at > 0 && part(bytes[at - 1]);
        let after = bytes.get(at + name.len()).copied().is_some_and(part);
        !before && !after
    })
}
