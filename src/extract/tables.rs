//! The tables that facts are collected in: a thread keeps them from file to file.

use std::cell::Cell;

use rustc_hash::FxHashMap;

use crate::facts::{Block, BlockId, Call, Def, DefId, Expr, Function, Step};
use crate::names::Name;

/// The emptied tables of the last file: growing new ones costs time, and leaves holes of every size behind.
#[derive(Default)]
pub(super) struct Emptied {
    pub(super) functions: Vec<Function>,
    pub(super) blocks: Vec<Block>,
    pub(super) defs: Vec<Def>,
    pub(super) exprs: Vec<Expr>,
    pub(super) calls: Vec<Call>,
    pub(super) lines: Vec<u32>,
    pub(super) steps: Vec<Step>,
    pub(super) scope: FxHashMap<(BlockId, Name), DefId>,
}

thread_local! {
    static KEPT: Cell<Emptied> = Cell::default();
}

impl Emptied {
    /// This thread's tables.
    pub(super) fn take() -> Self {
        KEPT.take()
    }

    /// Keeps them for the next file.
    pub(super) fn keep(self) {
        KEPT.set(self);
    }
}

/// Gives up what this thread keeps: nothing more is extracted.
pub(super) fn let_go() {
    drop(KEPT.take());
}

/// The same elements with no room to spare; the table they were collected in is left empty.
pub(super) fn exact<T>(table: &mut Vec<T>) -> Vec<T> {
    let mut exact = Vec::with_capacity(table.len());
    exact.append(table);
    exact
}
