//! Rows that a run finds because their day has come: whoever starts the run, each is billed once for that day.

use crate::facts::{BlockKind, ExprId, ExprKind};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, Program, Value};

/// How far a list is followed back to what asks for its rows.
const DEEPEST: usize = 10;

/// Words of columns that say when something ends or is to be done.
const TIMES: &[&str] = &["date", "day", "at", "time", "until", "end", "ends", "due", "on"];

impl Program {
    /// The column by whose time the rows were asked for that a call's loop goes through, where that time had to be over:
    /// `.lt("period_end", now)`, `where: { dueAt: { lte: now } }`.
    /// The run puts the next time there, so that the row is due again another day.
    pub(in crate::program) fn due_by(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        let column = facts.enclosing(facts.call(at.call).block).find_map(|(_, block)| match block.kind {
            BlockKind::Loop(Some(head)) => self.due_in(at.file, head, DEEPEST),
            _ => None,
        })?;
        let sets = |&(key, value): &(Name, ExprId)| key == column && !matches!(facts.expr(value), ExprKind::Object(_));
        facts.objects().any(|(_, entries)| entries.iter().any(sets)).then_some(column)
    }

    fn due_in(&self, file: FileId, list: ExprId, depth: usize) -> Option<Name> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(file);
        match facts.expr(list) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => self.due_in(file, *inner, depth),
            ExprKind::Op(_, parts) => parts.iter().find_map(|&part| self.due_in(file, part, depth)),
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name)?;
                facts.def(def).values.iter().find_map(|&value| self.due_in(file, value, depth))
            }
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let ExprKind::Member(base, method) = *facts.expr(shape.callee) else { return None };
                let own = || match (method.as_str(), &shape.args[..]) {
                    ("lt" | "lte", [column, until]) => {
                        let column = self.value(ExprRef::new(file, column.value)).text()?;
                        self.is_now(file, column, until.value).then_some(column)
                    }
                    _ => shape.args.iter().find_map(|arg| self.due_where(file, arg.value)),
                };
                own().or_else(|| self.due_in(file, base, depth))
            }
            _ => None,
        }
    }

    /// `{ where: { dueAt: { lte: now } } }`
    fn due_where(&self, file: FileId, given: ExprId) -> Option<Name> {
        let facts = self.facts(file);
        let ExprKind::Object(whole) = facts.expr(given) else { return None };
        let asked = whole.iter().filter(|(key, _)| *key == "where").filter_map(|&(_, value)| match facts.expr(value) {
            ExprKind::Object(columns) => Some(columns),
            _ => None,
        });
        asked.flatten().find_map(|&(column, how)| {
            let ExprKind::Object(how) = facts.expr(how) else { return None };
            how.iter()
                .any(|&(key, until)| (key == "lt" || key == "lte") && self.is_now(file, column, until))
                .then_some(column)
        })
    }

    /// Whether a column of a time is compared with the moment of the run.
    fn is_now(&self, file: FileId, column: Name, until: ExprId) -> bool {
        let timed = words(&column).last().is_some_and(|last| TIMES.contains(&last.as_str()));
        let value = self.value(ExprRef::new(file, until));
        let says_now = || match called(self, file, until) {
            Some(name) => words(&name).iter().any(|word| matches!(word.as_str(), "now" | "today")),
            None => false,
        };
        timed
            && (self.fresh(&value).is_some_and(|fresh| fresh.is_time) || says_now() && !matches!(value, Value::Text(_)))
    }
}

/// What a value is called where it is used: `today`, `now.toISOString()`.
fn called(program: &Program, file: FileId, mut at: ExprId) -> Option<Name> {
    let facts = program.facts(file);
    while let ExprKind::Call(call) = *facts.expr(at) {
        let ExprKind::Member(base, _) = *facts.expr(facts.call(call).callee) else { return None };
        at = base;
    }
    facts.last_name(at)
}
