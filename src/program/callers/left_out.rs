//! Checks that whoever calls can leave out: `if (key && key !== KEY) return 401` asks nothing of a request without a key;
//! and those beside which it is enough to bring anything: `if (!isCron && !authHeader) return 401`.

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::callers::believed::turns_away;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::values::requested::Origin;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

mod passed;
mod weak;

/// A check that is only made when the request brings what is checked, or that anything brought stands in for.
#[derive(Debug, Clone, Copy)]
pub struct LeftOut {
    /// All that is only done then.
    pub span: Span,
    /// What has to be brought for it.
    pub name: Name,
    /// Whether bringing anything under that name is as good as passing it.
    pub any: bool,
}

impl LeftOut {
    /// What is wrong with it, in a few words.
    pub fn says(&self) -> &'static str {
        if self.any { "enough that it is there" } else { "checked only when it is brought" }
    }
}

impl Program {
    /// The checks in a file that whoever calls can leave out.
    pub fn left_out(&self, file: FileId) -> &[LeftOut] {
        self.left_out[file.index()].get_or_init(|| find(self, file))
    }

    /// Whether a place lies in a check that can be left out.
    pub fn is_left_out(&self, place: Place) -> bool {
        self.left_out(place.file).iter().any(|check| check.span.contains(place.span))
    }

    /// The first check of some functions that can be left out, and where.
    pub fn left_out_of(&self, functions: &[FunctionRef]) -> Option<(Place, LeftOut)> {
        // Who is let in may be said by a function of its own.
        let asked = functions.iter().flat_map(|&function| self.calls_in(function)).flat_map(|call| self.edges(call));
        let asked = asked.filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target);
        functions.iter().copied().chain(asked).find_map(|function| {
            let span = self.facts(function.file).function(function.function).span;
            let mut own = self.left_out(function.file).iter().filter(|check| span.contains(check.span));
            own.next().map(|&check| (Place { file: function.file, span: check.span }.head(), check))
        })
    }

    /// Whether what names a header stands in the default of a parameter that only decides what can be left out:
    /// `key: str = Header(None, alias="X-Api-Key")`.
    pub(crate) fn fills_left_out(&self, function: FunctionRef, name: Span) -> bool {
        let facts = self.facts(function.file);
        let params = facts.function(function.function).params.iter();
        let mut filled = params
            .enumerate()
            .filter(|(_, param)| param.default.is_some_and(|default| facts.span(default).contains(name)));
        filled.any(|(position, _)| {
            let standing: Vec<ExprId> = self.readers(function.file).param(function.function, position as u16).collect();
            !standing.is_empty()
                && standing.into_iter().all(|at| self.only_decides_left_out(ExprRef::new(function.file, at)))
        })
    }

    /// Whether all that reads a value is a check that can be left out.
    pub(crate) fn only_decides_left_out(&self, at: ExprRef) -> bool {
        let checks = self.left_out(at.file);
        if checks.is_empty() {
            return false;
        }
        let facts = self.facts(at.file);
        let inside = |expr: ExprId| checks.iter().any(|check| check.span.contains(facts.span(expr)));
        let readers = self.readers(at.file);
        let all = |reads: &[ExprId]| !reads.is_empty() && reads.iter().all(|&read| inside(read));
        inside(at.expr)
            || match facts.expr(at.expr) {
                ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| all(readers.reads(def))),
                _ => {
                    let uses = readers.uses(at.expr);
                    !uses.is_empty()
                        && uses.iter().all(|used| matches!(used, Use::Kept(def) if all(readers.reads(*def))))
                }
            }
    }
}

fn find(program: &Program, file: FileId) -> Vec<LeftOut> {
    let Some(facts) = &program.file(file).facts else { return vec![] };
    let mut found = Vec::new();
    for block in &facts.blocks {
        for step in &block.steps {
            if let Step::If { condition, then, otherwise } = *step {
                found.extend(passed::gone_past(program, file, condition, then, otherwise));
                found.extend(passed::let_in(program, file, block, condition, then));
            }
            let Step::If { condition, then, otherwise: None } = *step else { continue };
            let span = facts.span(condition);
            if ending(facts, then) != Ending::GoesOn && turns_away(facts, then) {
                found.extend(weak::stood_in_for(program, file, condition));
            }
            if let ExprKind::Op(Op::And, parts) = facts.expr(condition)
                && let [asked, refused] = parts[..]
                && ending(facts, then) != Ending::GoesOn
                && turns_away(facts, then)
                && let Some(name) = brought(program, file, asked)
                && is_mismatch(facts, refused, asked)
            {
                found.push(LeftOut { span, name, any: false });
            } else if let Some(name) = brought(program, file, condition)
                && (only_checks(facts, then) || only_notes(program, file, facts, then))
            {
                let whole = Span { start: span.start, end: facts.block(then).span.end };
                found.push(LeftOut { span: whole, name, any: false });
            }
        }
    }
    found
}

/// What a condition asks of the request: that a header, or a credential in the body, is there.
fn brought(program: &Program, file: FileId, asked: ExprId) -> Option<Name> {
    let facts = program.facts(file);
    let name = match facts.expr(asked) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => *name,
        // `header && header.startsWith("Bearer ")`
        ExprKind::Op(Op::And, parts) => {
            let all: Option<Vec<Name>> = parts.iter().map(|&part| brought(program, file, part)).collect();
            return all?.first().copied();
        }
        ExprKind::Call(call) => match *facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, method) if matches!(method.as_str(), "startsWith" | "startswith") => {
                return brought(program, file, base);
            }
            _ => return None,
        },
        _ => return None,
    };
    let at = ExprRef::new(file, asked);
    // Where the platform asks for a token, the header is there.
    let is_header = program.header_of(at).is_some();
    if is_header && program.is_gated(file) {
        return None;
    }
    (is_header || matches!(program.origin_on(&[], at, &[]), Origin::Request(_))).then_some(name)
}

/// Whether a condition says that what was asked for is not what it should be: `key !== KEY`, `!KEYS.includes(key)`.
fn is_mismatch(facts: &Facts, refused: ExprId, asked: ExprId) -> bool {
    let same = |part: ExprId| match (facts.expr(part), facts.expr(asked)) {
        (ExprKind::Ref(one, block), ExprKind::Ref(other, around)) => {
            one == other && facts.lookup(*block, *one) == facts.lookup(*around, *other)
        }
        (ExprKind::Member(base, one), ExprKind::Member(of, other)) => {
            one == other && facts.last_name(*base) == facts.last_name(*of)
        }
        _ => false,
    };
    match facts.expr(refused) {
        ExprKind::Op(Op::Unequal, parts) => {
            let constant = |&part: &ExprId| matches!(facts.expr(part), ExprKind::Null);
            parts.iter().any(|&part| same(part)) && !parts.iter().any(constant)
        }
        ExprKind::Op(Op::Not, parts) => match facts.expr(parts[0]) {
            ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| same(arg.value)),
            ExprKind::Op(Op::In, inner) => inner.first().is_some_and(|&first| same(first)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a block does nothing that is seen outside it but to turn somebody away.
fn only_checks(facts: &Facts, block: BlockId) -> bool {
    let mut turns = false;
    let inside = facts.block(block).steps.iter().all(|step| match *step {
        Step::Bind(def, _) => facts.def(def).block == block,
        Step::Eval(_) => true,
        Step::If { then, otherwise: None, .. } => {
            let away = ending(facts, then) != Ending::GoesOn && turns_away(facts, then);
            turns |= away;
            away
        }
        _ => false,
    });
    inside && turns && matches!(facts.block(block).kind, BlockKind::Then(_))
}

/// Whether a block looks somebody up, and nothing that hangs on what it finds ends the way: it notes who asked, or
/// narrows what is looked for when that is known.
fn only_notes(program: &Program, file: FileId, facts: &Facts, block: BlockId) -> bool {
    let span = facts.block(block).span;
    let inner = facts.blocks.iter().filter(|inner| span.contains(inner.span));
    let mut set = Vec::new();
    for step in inner.flat_map(|inner| &inner.steps) {
        match *step {
            Step::Return(_) | Step::Throw(_) | Step::Jump | Step::Break => return false,
            Step::Bind(def, _) if !span.contains(facts.block(facts.def(def).block).span) => set.push(def),
            Step::Assign(..) => return false,
            _ => {}
        }
    }
    let asks = program.calls_of(file).any(|at| {
        span.contains(facts.span(facts.call(at.call).expr)) && {
            let mut uses = program.vendors_at(at).iter();
            program.has_role(at, KnownRole::Authenticate)
                || uses.any(|used| program.operation(used).is_some_and(|operation| operation.effect == Effect::Verify))
        }
    });
    // `if (tenant) query = query.eq("tenant", tenant)`
    let narrows: Vec<Span> = facts
        .blocks
        .iter()
        .flat_map(|block| &block.steps)
        .filter_map(|step| match *step {
            Step::If { condition, then, otherwise: None } if ending(facts, then) == Ending::GoesOn => {
                Some(Span { start: facts.span(condition).start, end: facts.block(then).span.end })
            }
            _ => None,
        })
        .collect();
    let readers = program.readers(file);
    let harmless = |read: ExprId| {
        let at = facts.span(read);
        let by_default = |used: &Use| match used {
            Use::In(outer) => matches!(facts.expr(*outer), ExprKind::Op(Op::Or | Op::Nullish, _)),
            Use::Arg(call, _) => program.is_logging(CallRef::new(file, *call)),
            _ => false,
        };
        span.contains(at)
            || narrows.iter().any(|narrow| {
                let mut asked = set.iter().flat_map(|&def| readers.reads(def));
                narrow.contains(at)
                    && asked.any(|&other| facts.span(other).start < at.end && narrow.contains(facts.span(other)))
            })
            || readers.uses(read).iter().any(by_default)
    };
    asks && set.iter().all(|&def| readers.reads(def).iter().all(|&read| harmless(read)))
}
