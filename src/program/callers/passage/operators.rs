//! What operators give in middleware that is gone through in thought.

use super::{Thing, Walk, hooks};
use crate::facts::{ExprId, Op};
use crate::finding::FileId;
use crate::program::ExprRef;

impl Walk<'_> {
    pub(super) fn operation(&mut self, op: Op, file: FileId, parts: &[ExprId]) -> Thing {
        let in_hook = self.hook.is_some();
        let mut part = |at: usize| match parts.get(at) {
            Some(&expr) => {
                let thing = self.eval(ExprRef::new(file, expr));
                let truth = self.truth(&thing);
                (thing, truth)
            }
            None => (Thing::Unknown, None),
        };
        match op {
            Op::Not => match part(0) {
                (Thing::Brought | Thing::Given, _) => Thing::Brought,
                (_, truth) => truth.map_or(Thing::Unknown, |truth| Thing::Bool(!truth)),
            },
            Op::In if in_hook => {
                let (element, of) = (part(0).0, part(1).0);
                hooks::is_in(&element, &of)
            }
            Op::And | Op::Or => {
                let ends = op == Op::Or;
                let (first, truth) = part(0);
                match truth {
                    // `req.headers.authorization || ""`
                    Some(false) if ends && matches!(first, Thing::Nobody) => match part(1).0 {
                        Thing::Text(text) if text.is_empty() => Thing::Nobody,
                        other => other,
                    },
                    Some(truth) if truth == ends => first,
                    Some(_) => part(1).0,
                    None => match (first, part(1)) {
                        (_, (_, Some(truth))) if truth == ends => Thing::Bool(ends),
                        // What is left hangs on what whoever asks makes up.
                        (Thing::Brought | Thing::Given, (Thing::Brought | Thing::Given, _) | (_, Some(_))) => {
                            Thing::Brought
                        }
                        _ => Thing::Unknown,
                    },
                }
            }
            Op::Nullish => match part(0).0 {
                Thing::Nobody | Thing::Nothing => part(1).0,
                Thing::Unknown => Thing::Unknown,
                first => first,
            },
            Op::Choose => match part(0).1 {
                Some(true) => part(1).0,
                Some(false) => part(2).0,
                None => Thing::Unknown,
            },
            Op::Equal | Op::Unequal => {
                let sides = (part(0).0, part(1).0);
                let made_up = |thing: &Thing| matches!(thing, Thing::Brought | Thing::Given);
                if made_up(&sides.0) && (made_up(&sides.1) || matches!(sides.1, Thing::Nothing)) {
                    return Thing::Brought;
                }
                let same = match sides {
                    (Thing::Text(one), Thing::Text(other)) => Some(one == other),
                    (Thing::Bool(one), Thing::Bool(other)) => Some(one == other),
                    (Thing::Nobody | Thing::Nothing, Thing::Nobody | Thing::Nothing) => Some(true),
                    (Thing::Nobody | Thing::Nothing, Thing::Text(_)) => Some(false),
                    (Thing::Text(_), Thing::Nobody | Thing::Nothing) => Some(false),
                    _ => None,
                };
                same.map_or(Thing::Unknown, |same| Thing::Bool(same == (op == Op::Equal)))
            }
            _ => Thing::Unknown,
        }
    }
}
