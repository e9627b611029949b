//! Rows of the app's own by which a second delivery is turned away: `if (payment) return`, then the payment is written,
//! and then the rest. They record the event as a row of its own would.

use crate::facts::{Block, BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::{CallRef, Program};

/// Through how many names, members and calls a value is followed to the query that gave it.
const DEEPEST: usize = 8;

impl Program {
    /// Whether a call adds the row that its own function has looked for, and had left with nothing more to do where it
    /// was there.
    pub(in crate::program) fn adds_what_it_looked_for(&self, record: CallRef, table: Name) -> bool {
        let facts = self.facts(record.file);
        let call = facts.call(record.call);
        let adds = self
            .called_name(record)
            .is_some_and(|name| matches!(name.as_str(), "insert" | "create" | "insertOne" | "insert_one" | "values"));
        if !adds {
            return false;
        }
        let start = facts.span(call.expr).start;
        // As far out as nothing else decides whether it runs.
        let mut inner = true;
        let open = |block: &Block| matches!(block.kind, BlockKind::Try | BlockKind::Plain | BlockKind::With(_));
        let around = facts.enclosing(call.block).take_while(|(_, block)| std::mem::replace(&mut inner, open(block)));
        let steps = around.into_iter().flat_map(|(_, block)| &block.steps);
        let before =
            steps.filter(|step| matches!(step, Step::If { condition, .. } if facts.span(*condition).end <= start));
        before.into_iter().any(|step| match *step {
            Step::If { condition, then, otherwise: None } => {
                matches!(ending(facts, then), Ending::Returns(_))
                    && self.finds_row(record.file, condition, table, DEEPEST)
                    && self.does_nothing(record.file, then)
            }
            _ => false,
        })
    }

    /// Whether a condition holds where a row of a table was found, whatever it says: `payment`, `found.length > 0`.
    fn finds_row(&self, file: FileId, condition: ExprId, table: Name, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(file);
        let next = |expr: ExprId| self.finds_row(file, expr, table, depth);
        match facts.expr(condition) {
            ExprKind::Op(Op::Compare | Op::Unequal, parts) => {
                let nothing = |&part: &ExprId| matches!(facts.expr(part), ExprKind::Null) || is_zero(facts, part);
                parts.first().is_some_and(|&first| next(first)) && parts.iter().skip(1).all(nothing)
            }
            // `data && data.length > 0`
            ExprKind::Op(Op::And, parts) => parts.iter().all(|&part| next(part)),
            ExprKind::Member(base, name) => {
                matches!(name.as_str(), "data" | "length" | "id" | "rows" | "exists" | "count") && next(*base)
            }
            ExprKind::Index(base, _) | ExprKind::Await(base) => next(*base),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]) {
                Some(&[only]) => next(only),
                _ => false,
            },
            ExprKind::Call(call) => {
                let at = CallRef::new(file, *call);
                self.table_of(at) == Some(table) && !self.vendors_at(at).iter().any(|used| self.writes(used))
            }
            _ => false,
        }
    }

    fn writes(&self, used: &crate::program::VendorUse) -> bool {
        use crate::catalogue::Effect;
        self.operation(used).is_some_and(|operation| {
            matches!(operation.effect, Effect::Create | Effect::Update | Effect::Delete | Effect::Send)
        })
    }

    /// Whether a block does nothing but say so, and leave.
    fn does_nothing(&self, file: FileId, block: BlockId) -> bool {
        let facts = self.facts(file);
        let span = facts.block(block).span;
        let mut inside = self.calls_of(file).filter(|at| span.contains(facts.span(facts.call(at.call).expr)));
        inside.all(|at| self.edges(at).is_empty() && self.vendors_at(at).is_empty() && self.requests_at(at).is_empty())
    }
}

fn is_zero(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Number(number) if *number == 0.0)
}
