//! Entry points that the app's own pages ask only once somebody has signed in.

use crate::catalogue::{Core, Effect};
use crate::program::terms::always_before;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, Program};

/// Words of sign-ins after which nobody has a session here yet: they lead away, or make a token for somebody else.
const NO_SESSION: &[&str] = &["oauth", "sso", "redirect", "custom", "anonymously"];

/// How deep a sign-in may lie in functions of the program.
const DEEPEST: usize = 3;

impl Program {
    /// A call by which a page asks an entry point, where all that ask it are pages, and stand behind a sign-in of the
    /// same function: whoever it is asked for has a session by then. None where nobody is known to ask.
    pub fn asked_once_signed_in(&self, entry: &Entry) -> Option<CallRef> {
        let asking = self.incoming(entry.function).iter().filter(|edge| edge.kind == EdgeKind::Jump);
        let mut pages = asking.map(|edge| edge.call).filter(|call| !self.side(call.file).tooling).peekable();
        let first = *pages.peek()?;
        pages.all(|call| self.side(call.file).client && self.stands_behind_sign_in(call)).then_some(first)
    }

    fn stands_behind_sign_in(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let start = facts.span(call.expr).start;
        let comes_first = |other: &CallRef| {
            let other = facts.call(other.call);
            facts.span(other.expr).end <= start && always_before(facts, other, call)
        };
        let before: Vec<CallRef> = self.calls_in(self.function_of(at)).filter(comes_first).collect();
        let signs_out = |other: &CallRef| {
            let name = facts.last_name(facts.call(other.call).callee).map(|name| name.to_ascii_lowercase());
            name.is_some_and(|name| matches!(name.replace('_', "").as_str(), "signout" | "logout"))
        };
        let signed_in = before.iter().rposition(|&other| self.signs_in(other, DEEPEST));
        let signed_out = before.iter().rposition(signs_out);
        signed_in.is_some() && signed_out < signed_in
    }

    /// Whether a call signs somebody in on the spot, itself or in a function of the program.
    fn signs_in(&self, at: CallRef, deepest: usize) -> bool {
        let Some(deepest) = deepest.checked_sub(1) else { return false };
        let by_vendor = self.vendors_at(at).iter().any(|used| {
            let last = used.name.rsplit('.').next().unwrap_or_default();
            let here = !words(last).iter().any(|word| NO_SESSION.contains(&word.as_str()));
            let operation = self.operation(used);
            here && operation.is_some_and(|known| known.core == Some(Core::Login) && known.effect == Effect::Token)
        });
        by_vendor
            || self.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct).any(|edge| {
                self.with_inner(edge.target)
                    .into_iter()
                    .any(|function| self.calls_in(function).any(|inner| self.signs_in(inner, deepest)))
            })
    }
}
