//! Which environment variables the code needs, and which of them nobody is told of.

use rustc_hash::FxHashSet;

use crate::facts::{BlockId, DefId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::Program;
use crate::program::terms::{Ending, ending};

impl Program {
    /// The variables that deployed code reads without a fallback and that nothing names that whoever deploys would
    /// read, each with its first read, in the order of the places.
    pub fn undocumented_variables(&self) -> Vec<(Name, Place)> {
        let mut found: Vec<(Name, Place)> = Vec::new();
        let mut known: FxHashSet<Name> = FxHashSet::default();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead {
                continue;
            }
            let reads = facts.exprs.iter().enumerate().filter_map(|(at, expr)| match expr.kind {
                ExprKind::Env(name) => Some((ExprId(at as u32), name, expr.span)),
                _ => None,
            });
            let reads: Vec<_> = reads.filter(|(_, name, _)| !known.contains(name) && self.is_untold(name)).collect();
            if reads.is_empty() {
                continue;
            }
            let mut optional: FxHashSet<ExprId> = FxHashSet::default();
            for expr in &facts.exprs {
                match &expr.kind {
                    // `process.env.X || "default"`: it goes without.
                    ExprKind::Op(Op::Or | Op::Nullish | Op::Choose | Op::Not | Op::And, parts) => {
                        parts.iter().take(1).for_each(|&part| goes_without(facts, part, &mut optional));
                    }
                    // `process.env.X === "true"`: a switch, off unless somebody turns it on.
                    ExprKind::Op(Op::Equal | Op::Unequal, parts) => optional.extend(parts.iter()),
                    _ => {}
                }
            }
            // `os.environ["X"] = "true"` sets it.
            optional.extend(facts.blocks.iter().flat_map(|block| &block.steps).filter_map(|step| match step {
                Step::Assign(target, _) => Some(*target),
                _ => None,
            }));
            optional.extend(reads.iter().map(|(at, ..)| *at).filter(|&at| goes_on_without(facts, at)));
            for (at, name, span) in reads {
                if !optional.contains(&at) && known.insert(name) {
                    found.push((name, Place { file, span }));
                }
            }
        }
        found
    }

    fn is_untold(&self, name: &Name) -> bool {
        let is_plain =
            name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        is_plain && !self.mentioned.contains(name) && !self.catalogue.is_injected(name)
    }
}

/// Whether a value is kept under a name, and the code goes on where it is missing: `if (!dsn) return`,
/// `if (dsn) start(dsn)`. What answers, throws or complains of it needs it.
fn goes_on_without(facts: &Facts, at: ExprId) -> bool {
    let span = facts.span(at);
    let held = (0..facts.defs.len() as u32).map(DefId).find(|&def| {
        matches!(facts.def(def).values[..], [only] if facts.span(only).contains(span) && facts.span(only).end - facts.span(only).start <= span.end - span.start + 2)
    });
    let Some(held) = held else { return false };
    let is_it = |expr: ExprId| match *facts.expr(expr) {
        ExprKind::Ref(name, block) => facts.lookup(block, name) == Some(held),
        _ => false,
    };
    let complains = |block: BlockId| {
        let span = facts.block(block).span;
        facts.calls.iter().filter(|call| span.contains(facts.span(call.expr))).any(|call| {
            facts
                .last_name(call.callee)
                .is_some_and(|name| matches!(name.as_str(), "error" | "exception" | "critical" | "exit"))
        })
    };
    let nothing = |value: Option<ExprId>| {
        value.is_none_or(|value| match facts.expr(value) {
            ExprKind::Null => true,
            ExprKind::Ref(name, _) => *name == "undefined",
            _ => false,
        })
    };
    facts.blocks.iter().flat_map(|block| &block.steps).any(|step| {
        let Step::If { condition, then, otherwise } = step else { return false };
        match facts.expr(*condition) {
            ExprKind::Op(Op::Not, parts) if parts.iter().any(|&part| is_it(part)) => match ending(facts, *then) {
                Ending::Returns(value) => nothing(value) && !complains(*then),
                _ => false,
            },
            _ => is_it(*condition) && otherwise.is_none(),
        }
    })
}

/// Notes an operand that something stands in for, and those of a chain of fallbacks inside it.
fn goes_without(facts: &Facts, part: ExprId, optional: &mut FxHashSet<ExprId>) {
    optional.insert(part);
    if let ExprKind::Op(Op::Or | Op::Nullish, parts) = facts.expr(part) {
        parts.iter().for_each(|&part| goes_without(facts, part, optional));
    }
}
