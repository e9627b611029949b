//! Links to a function of the app that people open: in pages, in mails. Who opens one brings no header.

use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::{FileId, Place};
use crate::link::entries::platforms::FUNCTION_PATHS;
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Entry, EntryKind, ExprRef, Program};

impl Program {
    /// Where a link to a function is written that somebody opens: `window.open(".../functions/v1/retry?id=..")`,
    /// `href={..}`, or a mail with its address in it.
    pub fn opened_by_link(&self, entry: &Entry) -> Option<Place> {
        let name = entry.name.filter(|_| entry.kind == EntryKind::EdgeFunction)?;
        let needles: Vec<String> =
            FUNCTION_PATHS.iter().map(|path| format!("{}/{name}", path.trim_end_matches('/'))).collect();
        let names = |text: &str| {
            needles.iter().any(|needle| {
                text.split_once(needle.as_str()).is_some_and(|(_, rest)| rest.starts_with(['?', '"', '\'']))
            })
        };
        let mut named = self.function_links().iter().filter(|(_, text)| names(text));
        named.find(|&&(at, _)| self.is_opened(self.facts(at.file), at, 4)).map(|&(at, _)| self.place(at))
    }

    /// The texts that hold the address of any function: they are few, and asked for at each finding.
    fn function_links(&self) -> &[(ExprRef, Name)] {
        self.function_links.get_or_init(|| {
            let holds = |text: &Name| FUNCTION_PATHS.iter().any(|path| text.contains(path.trim_end_matches('/')));
            let in_file = |(file, facts): (FileId, &Facts)| {
                let texts = facts.texts().filter(|(_, text)| holds(text));
                texts.map(|(at, text)| (ExprRef::new(file, at), text)).collect::<Vec<_>>()
            };
            self.code().flat_map(in_file).collect()
        })
    }

    /// Whether a text becomes the address of a window, an attribute of an element, or a part of a longer text.
    fn is_opened(&self, facts: &Facts, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let next = |expr: ExprId| self.is_opened(facts, ExprRef::new(at.file, expr), depth);
        let readers = self.readers(at.file);
        // `<a href="https://..?id=` is a part of a page or a mail already.
        let written = matches!(facts.expr(at.expr), ExprKind::Text(text) if text.contains("href="));
        let shown = || {
            facts
                .elements()
                .any(|(_, element)| element.attributes.iter().any(|&(key, value)| key == "href" && value == at.expr))
        };
        written
            || shown()
            || readers.uses(at.expr).iter().any(|used| match *used {
                Use::Arg(call, 0) => self.opens(CallRef::new(at.file, call)),
                Use::In(outer) => matches!(facts.expr(outer), ExprKind::Template(_)) && next(outer),
                Use::Kept(def) => readers.reads(def).iter().any(|&read| next(read)),
                _ => false,
            })
            || in_mail(facts, at.expr)
    }

    /// `window.open(url)`, `redirect(url)`.
    fn opens(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        match facts.expr(facts.call(at.call).callee) {
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "open" | "assign" | "replace")
                    && facts.last_name(*base).is_some_and(|of| matches!(of.as_str(), "window" | "location"))
            }
            _ => false,
        }
    }
}

/// Whether a value stands in a text that has a link in it: `<a href="${retryLink}">`.
fn in_mail(facts: &Facts, at: ExprId) -> bool {
    facts.templates().any(|(_, parts)| {
        parts.windows(2).any(|pair| {
            pair[1] == at && matches!(facts.expr(pair[0]), ExprKind::Text(text) if text.trim_end().ends_with("href=\"") || text.trim_end().ends_with("href='"))
        })
    })
}
