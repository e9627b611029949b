//! Blocks of procedural code: a statement that the database refuses undoes the whole block, unless a handler of it
//! takes the failure: then it undoes what the handler's block has done, and the handler runs.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::model::{Held, History, Id, Table};
use super::super::statement::{Block, Handler, Statement, What};
use super::Fold;
use crate::finding::Place;
use crate::names::Name;

/// What came of a statement.
pub(super) type Done = Result<(), Stop>;

/// Why what follows a statement does not run.
pub(super) enum Stop {
    /// The database refuses it: the name of the condition, as handlers write it.
    Refused(&'static str),
    /// The code returned.
    Returned,
}

/// The database refuses it.
pub(super) fn refused<T>(why: &'static str) -> Result<T, Stop> {
    Err(Stop::Refused(why))
}

/// Something that is copied once it changes while an older state of it is kept.
#[derive(Clone)]
pub(super) struct Kept<T>(Rc<T>);

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Self {
        Self(Rc::new(value))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        Rc::make_mut(&mut self.0)
    }
}

impl<T: Clone> Kept<T> {
    pub fn into_inner(self) -> T {
        Rc::unwrap_or_clone(self.0)
    }
}

/// All that statements change.
struct State {
    tables: FxHashMap<Id, Kept<Table>>,
    later: Held,
    switches_on: Vec<(Name, Place)>,
    history: History,
    path: Vec<Name>,
}

impl Fold {
    /// Runs statements up to the first that is refused.
    pub(super) fn all(&mut self, statements: &[Statement]) -> Done {
        statements.iter().try_for_each(|statement| self.apply(statement))
    }

    /// Runs statements of which nobody knows whether they run: what is refused changes nothing.
    pub(super) fn perhaps(&mut self, statements: &[Statement]) {
        for statement in statements {
            let _ = self.apply(statement);
        }
    }

    pub(super) fn block(&mut self, block: &Block) -> Done {
        // One statement undoes itself.
        let before = (at_most(&block.body) > 1).then(|| self.state());
        let done = match self.all(&block.body) {
            Err(Stop::Refused(why)) => {
                if let Some(before) = before {
                    self.undo(before);
                }
                match block.handlers.iter().find(|handler| catches(handler, why)) {
                    Some(handler) => self.all(&handler.body),
                    None => refused(why),
                }
            }
            done => done,
        };
        match done {
            Err(Stop::Returned) if block.whole => Ok(()),
            done => done,
        }
    }

    fn state(&self) -> State {
        State {
            tables: self.tables.clone(),
            later: self.later,
            switches_on: self.switches_on.clone(),
            history: self.history.clone(),
            path: self.path.clone(),
        }
    }

    fn undo(&mut self, to: State) {
        (self.tables, self.later, self.switches_on) = (to.tables, to.later, to.switches_on);
        (self.history, self.path) = (to.history, to.path);
    }
}

/// How many changes some statements make at most, where that is told apart from one.
fn at_most(statements: &[Statement]) -> usize {
    let each = statements.iter().map(|statement| match &statement.what {
        What::If { then, otherwise, .. } => at_most(then).max(at_most(otherwise)),
        What::Block(block) => at_most(&block.body),
        What::Each(_) | What::Maybe(_) | What::Call { .. } => 2,
        What::Return => 0,
        _ => 1,
    });
    each.sum()
}

/// Whether a handler takes a failure. Codes are not told apart: they take every one.
fn catches(handler: &Handler, why: &str) -> bool {
    let code = |word: &str| word.len() == 5 && word.bytes().any(|byte| byte.is_ascii_digit());
    handler.conditions.iter().any(|word| word == "others" || word == why || code(word))
}
