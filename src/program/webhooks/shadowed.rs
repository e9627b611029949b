//! Handlers of a path that an earlier one answers first: nothing ever reaches them.

use crate::facts::{CallId, ExprKind};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, Program};

/// Frameworks that ask routes in the order in which they were added, and stop at the first that answers.
const IN_ORDER: &[&str] = &["express", "hono", "koa"];

impl Program {
    /// The entry point that answers everything before another one of the same path gets it: added earlier, to the same
    /// thing, and without a way to hand on.
    pub fn shadowing(&self, entry: &Entry) -> Option<&Entry> {
        if entry.kind != EntryKind::Route || !IN_ORDER.contains(&entry.framework) || entry.route.is_none() {
            return None;
        }
        self.entries.iter().find(|first| {
            first.kind == EntryKind::Route
                && first.route == entry.route
                && first.place.file == entry.place.file
                && first.place.span.start < entry.place.span.start
                && first.function != entry.function
                && (first.methods.is_empty() || first.methods == entry.methods)
                && !self.may_hand_on(first)
                && self.is_added_alike(first, entry)
        })
    }

    /// The first handler that nothing reaches because of an entry point.
    pub fn shadowed_by(&self, entry: &Entry) -> Option<&Entry> {
        let mut others = self.entries.iter().filter(|other| other.route == entry.route);
        others.find(|other| self.shadowing(other).is_some_and(|first| std::ptr::eq(first, entry)))
    }

    /// Whether a handler takes what hands on to the next: `(req, res, next)`, `(ctx, next)`.
    fn may_hand_on(&self, entry: &Entry) -> bool {
        let facts = self.facts(entry.function.file);
        let most = if entry.framework == "express" { 2 } else { 1 };
        facts.function(entry.function.function).params.len() > most
    }

    /// Whether both are added to one thing, the first wherever the second is.
    fn is_added_alike(&self, first: &Entry, second: &Entry) -> bool {
        let (Some(one), Some(other)) = (self.added_by(first.place), self.added_by(second.place)) else { return false };
        let facts = self.facts(one.file);
        let around: Vec<_> = facts.enclosing(facts.call(other.call).block).map(|(id, _)| id).collect();
        around.contains(&facts.call(one.call).block)
            && self.added_to(one).is_some_and(|to| self.added_to(other) == Some(to))
    }

    /// The call that adds what stands at a place.
    fn added_by(&self, place: Place) -> Option<CallRef> {
        let facts = self.facts(place.file);
        let at = facts.calls.iter().position(|call| facts.span(call.expr) == place.span)?;
        Some(CallRef::new(place.file, CallId(at as u32)))
    }

    /// `app` of `app.post(..)`
    fn added_to(&self, call: CallRef) -> Option<Name> {
        let facts = self.facts(call.file);
        let ExprKind::Member(base, _) = *facts.expr(facts.call(call.call).callee) else { return None };
        match *facts.expr(base) {
            ExprKind::Ref(name, _) => Some(name),
            _ => None,
        }
    }
}
