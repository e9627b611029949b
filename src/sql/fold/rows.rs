//! What the platform keeps in rows of its own: buckets; and what is said of tables beside them: publications.

use super::super::cursor::Qualified;
use super::super::model::{Bucket, Id};
use super::super::statement::{Buckets, Publish};
use super::Fold;
use super::blocks::{Done, refused};
use crate::finding::Place;
use crate::names::Name;

impl Fold {
    pub(super) fn buckets(&mut self, change: &Buckets, at: Place) {
        let known = &mut self.history.buckets;
        let ids = if change.ids.is_empty() { known.keys().copied().collect() } else { change.ids.clone() };
        for id in ids {
            if change.gone {
                known.remove(&id);
                continue;
            }
            let there = known.contains_key(&id);
            // One that no migration makes was made by hand.
            let public = if there { change.set } else { change.made.or(change.set) };
            if let Some(public) = public {
                known.insert(id, Bucket { public, place: at });
            }
        }
    }

    pub(super) fn publish(&mut self, publication: Name, tables: &[Qualified], how: Publish) -> Done {
        let tables: Vec<Id> = tables.iter().map(|table| Id::of(*table)).collect();
        if matches!(how, Publish::Add | Publish::Set) && tables.iter().any(|table| self.comes_later(*table)) {
            return refused("undefined_table");
        }
        let known = &mut self.history.publications;
        match how {
            Publish::Drop => drop(known.remove(&publication)),
            Publish::All => drop(known.insert(publication, None)),
            Publish::Set => drop(known.insert(publication, Some(tables))),
            Publish::Add => {
                let there = known.entry(publication).or_insert_with(|| Some(vec![]));
                match there {
                    Some(there) if tables.iter().any(|table| there.contains(table)) => {
                        return refused("duplicate_object");
                    }
                    Some(there) => there.extend(tables),
                    None => return refused("object_not_in_prerequisite_state"),
                }
            }
            Publish::Remove => {
                if let Some(Some(there)) = known.get_mut(&publication) {
                    there.retain(|table| !tables.contains(table));
                }
            }
        }
        Ok(())
    }

    /// What publications call a table from now on; none when it is gone.
    pub(super) fn published_as(&mut self, from: Id, to: Option<Id>) {
        for tables in self.history.publications.values_mut().flatten() {
            match to {
                Some(to) => tables.iter_mut().filter(|table| **table == from).for_each(|table| *table = to),
                None => tables.retain(|table| *table != from),
            }
        }
    }
}
