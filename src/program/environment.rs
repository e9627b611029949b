//! Which environment variables the code needs, and which of them nobody is told of.

use rustc_hash::FxHashSet;

use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::Program;

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

/// Notes an operand that something stands in for, and those of a chain of fallbacks inside it.
fn goes_without(facts: &Facts, part: ExprId, optional: &mut FxHashSet<ExprId>) {
    optional.insert(part);
    if let ExprKind::Op(Op::Or | Op::Nullish, parts) = facts.expr(part) {
        parts.iter().for_each(|&part| goes_without(facts, part, optional));
    }
}
