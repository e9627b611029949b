//! Checks that whoever calls can leave out: `if (key && key !== KEY) return 401` asks nothing of a request without a key;
//! and those beside which it is enough to bring anything: `if (!isCron && !authHeader) return 401`.

use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::callers::believed::turns_away;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::values::requested::Origin;
use crate::program::{EdgeKind, ExprRef, FunctionRef, Program};

mod noted;
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
    /// Whether it is only noted who asks: somebody is looked up, and whoever is nobody goes on.
    pub noted: bool,
    /// Whether it turns nobody away, whatever is brought.
    pub refuses_none: bool,
}

impl LeftOut {
    /// What is wrong with it, in a few words.
    pub fn says(&self) -> &'static str {
        match (self.any, self.noted || self.refuses_none) {
            (true, _) => "enough that it is there",
            (false, true) => "who is calling is looked up, and nobody is turned away",
            (false, false) => "checked only when it is brought",
        }
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
                found.push(LeftOut { span, name, any: false, noted: false, refuses_none: false });
            } else if let Some(name) = named(program, file, condition) {
                let whole = Span { start: span.start, end: facts.block(then).span.end };
                let asked = brought(program, file, condition).is_some();
                if asked && only_checks(facts, then) {
                    found.push(LeftOut { span: whole, name, any: false, noted: false, refuses_none: false });
                } else if noted::only_notes(program, file, facts, then) {
                    // Where the platform asks for a token, whoever brings the public key is nobody, too.
                    found.push(LeftOut { span: whole, name, any: false, noted: !asked, refuses_none: true });
                }
            }
        }
    }
    found
}

/// What a condition asks of the request: that a header, or a credential in the body, is there.
fn brought(program: &Program, file: FileId, asked: ExprId) -> Option<Name> {
    // Where the platform asks for a token, the header is there.
    let is_there = program.is_gated(file) && asks_header(program, file, asked);
    named(program, file, asked).filter(|_| !is_there)
}

/// Whether what a condition asks for is a header.
fn asks_header(program: &Program, file: FileId, asked: ExprId) -> bool {
    let facts = program.facts(file);
    match facts.expr(asked) {
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| asks_header(program, file, part)),
        ExprKind::Call(call) => match *facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, _) => asks_header(program, file, base),
            _ => false,
        },
        _ => program.header_of(ExprRef::new(file, asked)).is_some(),
    }
}

/// What a condition asks to be there, whether or not it always is.
fn named(program: &Program, file: FileId, asked: ExprId) -> Option<Name> {
    let facts = program.facts(file);
    let name = match facts.expr(asked) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => *name,
        // `header && header.startsWith("Bearer ")`
        ExprKind::Op(Op::And, parts) => {
            let all: Option<Vec<Name>> = parts.iter().map(|&part| named(program, file, part)).collect();
            return all?.first().copied();
        }
        ExprKind::Call(call) => match *facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, method) if matches!(method.as_str(), "startsWith" | "startswith") => {
                return named(program, file, base);
            }
            _ => return None,
        },
        _ => return None,
    };
    let at = ExprRef::new(file, asked);
    (program.header_of(at).is_some() || matches!(program.origin_on(&[], at, &[]), Origin::Request(_))).then_some(name)
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
