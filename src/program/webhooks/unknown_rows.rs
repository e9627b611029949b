//! Work that is left out, without a word, when a row is not found: the event may only have come before the row.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, Entry, ExprRef, FunctionRef, Program};

/// Words in the names of rows that say what is to be done: without one there is nothing to do.
const SETTINGS: &[&str] = &[
    "setting",
    "settings",
    "config",
    "configuration",
    "template",
    "templates",
    "rule",
    "rules",
    "trigger",
    "triggers",
    "contract",
    "integration",
    "map",
    "maps",
    "mapping",
    "mappings",
    "flag",
    "flags",
    "automation",
    "workflow",
];

impl Program {
    /// The test before some work that ends the function well, saying nothing, when a row is missing:
    /// `if (!customer) return res.json({ received: true })`.
    pub fn skipped_for_missing_row(&self, entry: &Entry, work: CallRef) -> Option<Place> {
        self.left_out_before(work, |condition, function, then| {
            self.misses_a_row(work.file, condition) && self.leaves_unsaid(entry, function, then)
        })
    }

    /// The test before some work that ends the function well when a look-up has given no row, and the look-up, whose
    /// error nobody reads: one that failed looks the same.
    pub fn skipped_for_failed_look(&self, entry: &Entry, work: CallRef) -> Option<(Place, CallRef)> {
        let looked = |condition: ExprId| self.looked_up_by(ExprRef::new(work.file, condition), 8);
        let mut look = None;
        let place = self.left_out_before(work, |condition, function, then| {
            look = looked(condition).filter(|&look| self.drops_error(look));
            look.is_some()
                && self.misses_a_row(work.file, condition)
                && self.goes_home(entry, function, then)
                && !self.keeps_failure(function, then)
        })?;
        Some((place, look?))
    }

    /// The query whose row a condition asks for.
    fn looked_up_by(&self, at: ExprRef, depth: usize) -> Option<CallRef> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.looked_up_by(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::Not | Op::Equal | Op::Or, parts) => next(*parts.first()?),
            ExprKind::Member(base, _) | ExprKind::Await(base) => next(*base),
            ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                [only] => next(only),
                _ => None,
            },
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                match facts.expr(facts.call(call.call).callee) {
                    _ if !self.vendors_at(call).is_empty() => Some(call),
                    ExprKind::Member(base, _) => next(*base),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether the error that a query gives beside its rows is never read.
    fn drops_error(&self, query: CallRef) -> bool {
        let looks = self.looks(query);
        let gives = self.vendors_at(query).iter().any(|used| self.gives_errors(used));
        let row = |part: Option<&Name>| part.is_some_and(|part| !part.starts_with("error") && *part != "status");
        gives && !looks.is_empty() && looks.iter().all(|look| row(look.part.first()))
    }

    /// The first test before some work, in its function, that ends the function and fits.
    fn left_out_before(
        &self,
        work: CallRef,
        mut fits: impl FnMut(ExprId, FunctionRef, BlockId) -> bool,
    ) -> Option<Place> {
        let facts = self.facts(work.file);
        let shape = facts.call(work.call);
        let function = self.function_of(work);
        let start = facts.span(shape.expr).start;
        let around = facts.enclosing(shape.block).take_while(|(_, block)| block.function == function.function);
        let mut steps =
            around.filter(|(_, block)| !matches!(block.kind, BlockKind::Catch(_))).flat_map(|(_, block)| &block.steps);
        steps.find_map(|step| {
            let Step::If { condition, then, otherwise: None } = *step else { return None };
            let before = facts.block(then).span.end <= start;
            (before && fits(condition, function, then)).then(|| Place { file: work.file, span: facts.span(condition) })
        })
    }

    /// `!row`, `row == null`, `!row || !row.id`: a row of the own database was not found.
    fn misses_a_row(&self, file: crate::finding::FileId, condition: ExprId) -> bool {
        let facts = self.facts(file);
        let is_setting = |expr: ExprId| {
            facts.last_name(expr).is_some_and(|name| words(&name).iter().any(|word| SETTINGS.contains(&word.as_str())))
        };
        let row = |expr: ExprId| self.is_kept_row(ExprRef::new(file, expr)) && !is_setting(expr);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => row(parts[0]),
            ExprKind::Op(Op::Equal, parts) if parts.len() == 2 => {
                matches!(facts.expr(parts[1]), ExprKind::Null) && row(parts[0])
            }
            // `!rows || rows.length === 0`: a list that has nothing in it is no row that is missing.
            ExprKind::Op(Op::Or, parts) => {
                !parts.iter().any(|&part| asks_length(facts, part))
                    && parts.first().is_some_and(|&part| self.misses_a_row(file, part))
            }
            _ => false,
        }
    }

    /// Whether a block leaves the function as if all was well, and neither logs, counts nor keeps anything.
    fn leaves_unsaid(&self, entry: &Entry, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let span = facts.block(block).span;
        let says = |at: CallRef| self.is_logging(at) || !self.vendors_at(at).is_empty();
        let unsaid =
            !self.calls_in(function).filter(|at| span.contains(facts.span(facts.call(at.call).expr))).any(says);
        unsaid && self.goes_home(entry, function, block) && !self.keeps_failure(function, block)
    }

    /// Whether a block leaves the function as if all was well.
    fn goes_home(&self, entry: &Entry, function: FunctionRef, block: BlockId) -> bool {
        let facts = self.facts(function.file);
        let in_entry = function == entry.function || self.with_inner(entry.function).contains(&function);
        match ending(facts, block) {
            Ending::Returns(value) if in_entry => self.leaves_well(entry, function, block, value),
            // A helper that gives nothing: who called it goes on.
            Ending::Returns(value) => value.is_none_or(|value| is_nothing(facts, value)),
            Ending::Throws | Ending::GoesOn => false,
        }
    }
}

fn asks_length(facts: &Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Member(_, name) => *name == "length",
        ExprKind::Op(_, parts) => parts.iter().any(|&part| asks_length(facts, part)),
        _ => false,
    }
}

fn is_nothing(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Null)
}
