//! The table that stands for names in what is kept between runs: each text is written once a file.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::Name;

/// The names of what this thread writes or reads now.
#[derive(Default)]
struct Table {
    names: Vec<Name>,
    places: FxHashMap<Name, u32>,
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// Runs `write`, and gives the names that it wrote, in the order of the numbers that stand for them.
pub fn collect<T>(write: impl FnOnce() -> T) -> (T, Vec<Name>) {
    TABLE.with_borrow_mut(|table| {
        table.names.clear();
        table.places.clear();
    });
    let written = write();
    (written, TABLE.with_borrow_mut(|table| std::mem::take(&mut table.names)))
}

/// Runs `read` with the names that stand behind the numbers it meets.
pub fn with<T>(names: impl Iterator<Item = Name>, read: impl FnOnce() -> T) -> T {
    TABLE.with_borrow_mut(|table| {
        table.names.clear();
        table.names.extend(names);
    });
    read()
}

pub(super) fn place_of(name: Name) -> u32 {
    TABLE.with_borrow_mut(|table| {
        let Table { names, places } = table;
        *places.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        })
    })
}

pub(super) fn name_at(place: u32) -> Option<Name> {
    TABLE.with_borrow(|table| table.names.get(place as usize).copied())
}
