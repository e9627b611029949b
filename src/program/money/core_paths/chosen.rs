//! Whether a call is made only for some customers: those of whom a stored setting, plan or link to a service says so,
//! or who asked for something to be brought in.

use super::entries::words;
use crate::catalogue::Core;
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Op, Step};
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::Origin;
use crate::program::{CallRef, Edge, ExprRef, Program};

/// Words of fields that everybody has: whose it is, where it goes, how far it is.
const COMMON: &[&str] = &[
    "id", "ids", "user", "session", "email", "mail", "phone", "mobile", "name", "address", "url", "link", "amount",
    "total", "price", "status", "state", "data", "result", "length", "count", "date", "at", "number", "title", "items",
    "token", "customer", "order", "paid",
];

/// Words of rows that only those have who set something up.
const SET_UP: &[&str] =
    &["config", "configuration", "settings", "setting", "integration", "connection", "preferences", "prefs", "flags"];

/// Words of what asks for something to be brought in.
const IMPORTS: &[&str] =
    &["import", "imports", "importing", "scrape", "prefill", "autofill", "importar", "importieren"];

/// Words of the address of a page that somebody may name to have it read.
const PAGES: &[&str] = &["url", "link", "website", "profile", "page"];

/// What is kept of a customer, and decides that a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// The field, or the row.
    pub name: Name,
    /// Whether it must be set, or must be missing.
    pub set: bool,
}

/// What is kept that decides that the last call of a way is made; none when everybody's path leads there.
pub(super) fn only_with(program: &Program, core: Core, way: &[Edge], last: CallRef) -> Option<Chosen> {
    let calls: Vec<CallRef> = way.iter().map(|edge| edge.call).chain([last]).collect();
    let search = Search { program, core, calls: &calls };
    (0..calls.len()).find_map(|step| search.before(step))
}

/// Whether the last call of a way is made only where whoever starts it asks for something to be brought in from
/// elsewhere: `if (importContacts)`, or by the address of it, `if (linkedinUrl)`, where `reads` says that it is a look
/// at that address.
pub(super) fn is_asked_import(program: &Program, way: &[Edge], last: CallRef, reads: bool) -> bool {
    let mut calls = way.iter().map(|edge| edge.call).chain([last]);
    calls.any(|at| {
        let facts = program.facts(at.file);
        let call = facts.call(at.call);
        let start = facts.span(call.expr).start;
        let function = facts.function_of(call.block);
        let asks = |condition: ExprId, wanted: bool| asks_import(program, at, condition, wanted, reads, 5);
        let mut blocks = facts.enclosing(call.block).take_while(|(_, block)| block.function == function);
        blocks.any(|(_, block)| {
            let arm = match block.kind {
                BlockKind::Then(condition) => asks(condition, true),
                BlockKind::Else(condition) => asks(condition, false),
                _ => false,
            };
            // `if (!importContacts) return`
            arm || block.steps.iter().any(|step| match *step {
                Step::If { condition, then, .. } => {
                    facts.block(then).span.end <= start
                        && matches!(ending(facts, then), Ending::Returns(_))
                        && asks(condition, false)
                }
                _ => false,
            })
        })
    })
}

/// Whether a condition that comes out as `wanted` says that something is to be brought in, by what the request brings.
fn asks_import(program: &Program, at: CallRef, condition: ExprId, wanted: bool, reads: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    let next = |part: ExprId, wanted: bool| asks_import(program, at, part, wanted, reads, depth);
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => next(parts[0], !wanted),
        ExprKind::Op(op @ (Op::And | Op::Or), parts) if (*op == Op::And) == wanted => {
            parts.iter().any(|&part| next(part, wanted))
        }
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if (*op == Op::Equal) == wanted => {
            let said = |part: &ExprId| matches!(facts.expr(*part), ExprKind::Text(_) | ExprKind::Bool(true));
            parts.iter().any(said) && parts.iter().any(|&part| !said(&part) && next(part, true))
        }
        _ if !wanted => false,
        _ => {
            let name = match facts.expr(condition) {
                ExprKind::Call(call) => {
                    let read = facts.call(*call);
                    // `data.get("import_contacts")`
                    match read.args.first().map(|arg| facts.expr(arg.value)) {
                        Some(ExprKind::Text(name)) => Some(*name),
                        _ => None,
                    }
                }
                ExprKind::Index(_, key) => match facts.expr(*key) {
                    ExprKind::Text(name) => Some(*name),
                    _ => None,
                },
                _ => facts.last_name(condition),
            };
            let said = name.map(|name| words(&name)).unwrap_or_default();
            let imports = said.iter().any(|word| IMPORTS.contains(&word.as_str()));
            let is_page = reads && said.len() > 1 && said.last().is_some_and(|last| PAGES.contains(&last.as_str()));
            let about = || words(&super::weight::about(program, at)).windows(said.len()).any(|part| *part == said[..]);
            if !(imports || is_page && about()) {
                return false;
            }
            match program.origin_on(&[], ExprRef::new(at.file, condition), &[]) {
                Origin::Request(_) => true,
                // A box that somebody ticked.
                Origin::Unknown => program.side(at.file).client,
                Origin::Constant | Origin::Server => false,
            }
        }
    }
}

impl Chosen {
    fn set(name: Name) -> Self {
        Self { name, set: true }
    }
}

struct Search<'p> {
    program: &'p Program,
    core: Core,
    calls: &'p [CallRef],
}

impl Search<'_> {
    /// The field that decides, in its function, that a call of the way is made.
    fn before(&self, step: usize) -> Option<Chosen> {
        let at = self.calls[step];
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let start = facts.span(call.expr).start;
        let function = facts.function_of(call.block);
        let mut blocks = facts.enclosing(call.block).take_while(|(_, block)| block.function == function);
        blocks.find_map(|(_, block)| {
            let arm = match block.kind {
                BlockKind::Then(condition) => self.picks(step, condition, true, 6),
                BlockKind::Else(condition) => self.picks(step, condition, false, 6),
                _ => None,
            };
            arm.or_else(|| block.steps.iter().find_map(|leave| self.leaves(step, leave, start)))
        })
    }

    /// `if (!settings.alerts) return` before the call.
    fn leaves(&self, step: usize, leave: &Step, start: u32) -> Option<Chosen> {
        let facts = self.program.facts(self.calls[step].file);
        let Step::If { condition, then, .. } = leave else { return None };
        let returns = |block: BlockId| match ending(facts, block) {
            // A refusal stops the path.
            Ending::Returns(Some(value)) => !super::failure::is_error_answer(self.program, self.calls[step], value),
            Ending::Returns(None) => true,
            Ending::Throws | Ending::GoesOn => false,
        };
        let before = facts.block(*then).span.end <= start;
        if before && returns(*then) { self.picks(step, *condition, false, 6) } else { None }
    }

    /// The kept field that a condition asks for, when it comes out as `wanted`.
    fn picks(&self, step: usize, condition: ExprId, wanted: bool, depth: usize) -> Option<Chosen> {
        let depth = depth.checked_sub(1)?;
        let facts = self.program.facts(self.calls[step].file);
        match facts.expr(condition) {
            ExprKind::Op(Op::Not, parts) => self.picks(step, parts[0], !wanted, depth),
            ExprKind::Op(op @ (Op::And | Op::Or), parts) if (*op == Op::And) == wanted => {
                parts.iter().find_map(|&part| self.picks(step, part, wanted, depth))
            }
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if (*op == Op::Equal) == wanted => {
                let constant = |&part: &ExprId| matches!(facts.expr(part), ExprKind::Text(_) | ExprKind::Bool(true));
                let field = parts.iter().copied().find(|part| !constant(part))?;
                if parts.iter().any(constant) { self.field(step, field).map(Chosen::set) } else { None }
            }
            ExprKind::Member(..) if wanted => self.field(step, condition).map(Chosen::set),
            // Who logs in again and again has got by then what is made once.
            ExprKind::Member(..) if self.core == Core::Login => {
                self.field_or_id(step, condition).map(|name| Chosen { name, set: false })
            }
            ExprKind::Ref(name, block) if wanted => {
                let row = words(name).iter().any(|word| SET_UP.contains(&word.as_str()))
                    && self.program.is_kept_row(ExprRef::new(self.calls[step].file, condition));
                if row {
                    return Some(Chosen::set(*name));
                }
                let def = facts.lookup(*block, *name)?;
                match facts.def(def).values.as_slice() {
                    [only] if !matches!(facts.expr(*only), ExprKind::Ref(..)) => self.picks(step, *only, wanted, depth),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The name of a field of a kept row that not everybody's row has.
    fn field(&self, step: usize, expr: ExprId) -> Option<Name> {
        let facts = self.program.facts(self.calls[step].file);
        let ExprKind::Member(_, name) = facts.expr(expr) else { return None };
        let said = words(name);
        let last = said.last()?;
        // `promo_code_id` is not everybody's; `payment_customer_id` is everybody's who pays.
        let linked =
            last == "id" && said.len() > 1 && !said.iter().any(|word| COMMON.contains(&word.as_str()) && word != "id");
        if !linked && COMMON.contains(&last.as_str()) {
            return None;
        }
        self.field_or_id(step, expr)
    }

    fn field_or_id(&self, step: usize, expr: ExprId) -> Option<Name> {
        let facts = self.program.facts(self.calls[step].file);
        let ExprKind::Member(base, name) = facts.expr(expr) else { return None };
        let at = ExprRef::new(self.calls[step].file, expr);
        (self.program.is_kept_field(at) || self.handed_row(step, *base)).then_some(*name)
    }

    /// Whether a value is a parameter that the call before on the way hands a kept row to.
    fn handed_row(&self, step: usize, base: ExprId) -> bool {
        let at = self.calls[step];
        let Some(before) = step.checked_sub(1).map(|before| self.calls[before]) else { return false };
        let facts = self.program.facts(at.file);
        let ExprKind::Ref(name, block) = facts.expr(base) else { return false };
        let Some(def) = facts.lookup(*block, *name) else { return false };
        let index = facts.def(def).values.iter().find_map(|&value| match facts.expr(value) {
            ExprKind::Param(_, index) => Some(*index),
            _ => None,
        });
        let Some(index) = index else { return false };
        let handed = self.program.facts(before.file).call(before.call).args.get(usize::from(index));
        handed.is_some_and(|arg| self.program.is_kept_row(ExprRef::new(before.file, arg.value)))
    }
}
