//! Whether middleware stands before every page that a server action can be posted to.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::finding::{FileId, Place};
use crate::program::callers::doors::Door;
use crate::program::callers::passage::Passage;
use crate::program::{Entry, EntryKind, Program};

/// Through how many files the pages that show something are looked for.
const MOST_FILES: usize = 500;

impl Program {
    /// The middleware that stands before all pages by which an action is offered: it is posted to one of those.
    pub fn middleware_before_pages(&self, action: &Entry) -> Option<Place> {
        if action.kind != EntryKind::ServerAction {
            return None;
        }
        let near = action.place.file;
        let covers = |other: &&Entry| {
            other.kind == EntryKind::Middleware
                && self.share_app(other.place.file, near)
                && self.door_of_function(other.function, false) == Door::Guarded
        };
        let middleware = self.entries.iter().find(covers)?;
        let shown_by = self.shown_by(action.function.file);
        let mut pages = self.entries.iter().filter_map(|entry| match entry.kind {
            EntryKind::Page if shown_by.contains(&entry.place.file) => entry.route,
            _ => None,
        });
        let mut pages = pages.by_ref().peekable();
        pages.peek()?;
        pages
            .all(|route| self.passage(middleware.place.file, &route, "POST") != Passage::Passes)
            .then_some(middleware.place)
    }

    /// The files that a file is a part of, by their imports.
    fn shown_by(&self, file: FileId) -> FxHashSet<FileId> {
        let mut seen = FxHashSet::from_iter([file]);
        let mut open = VecDeque::from([file]);
        while let Some(at) = open.pop_front() {
            for &(importer, _) in self.modules.importers(at) {
                if seen.len() < MOST_FILES && seen.insert(importer) {
                    open.push_back(importer);
                }
            }
        }
        seen
    }
}
