//! Variables that say whether a check has passed: set to `true` in an arm, a loop, a callback.

use super::tests::Both;
use super::ways::{Way, meet};
use super::{Standing, Walk};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, Step};
use crate::program::FunctionRef;

impl Walk<'_> {
    /// What a variable that starts as `false` says: it is `true` only where what surrounds its setting held.
    pub(super) fn flagged(&mut self, function: FunctionRef, condition: ExprId, standing: Standing) -> Both {
        let nothing = (Some(standing), Some(standing));
        let facts = self.facts(function);
        let ExprKind::Ref(name, block) = facts.expr(condition) else { return nothing };
        let Some(def) = facts.lookup(*block, *name) else { return nothing };
        let home = facts.def(def).block;
        let settings = settings(facts, def);
        let starts_false = settings.iter().any(|&(at, value)| at == home && is_bool(facts, value, false));
        let set: Vec<BlockId> =
            settings.iter().filter(|&&(_, value)| !is_bool(facts, value, false)).map(|&(at, _)| at).collect();
        let only_true = settings.iter().all(|&(_, value)| matches!(facts.expr(value), ExprKind::Bool(_)));
        if !starts_false || !only_true || set.is_empty() {
            return nothing;
        }
        let mut met: Option<Way> = None;
        for block in set {
            let Some(verified) = self.surrounded(function, block, home) else { return nothing };
            met = meet(met, Some(Way::plain(verified)));
        }
        match met.map(|way| way.standing) {
            Some(set @ Standing::Verified(check)) => (Some(set), Some(Standing::Rejected(check))),
            Some(open @ Standing::Open(lapse)) => (Some(open), Some(Standing::Rejected(lapse.check))),
            _ => nothing,
        }
    }

    /// The standing that the conditions around a block give, up to an outer one, if one of them is a check.
    fn surrounded(&mut self, function: FunctionRef, block: BlockId, home: BlockId) -> Option<Standing> {
        let facts = self.facts(function);
        let mut at = block;
        let mut found = None;
        while at != home {
            let inner = facts.block(at);
            let asked = match inner.kind {
                BlockKind::Then(condition) => Some((condition, true)),
                BlockKind::Else(condition) => Some((condition, false)),
                _ => None,
            };
            if let Some((condition, holds)) = asked.filter(|(condition, _)| !self.is_asked(function, *condition)) {
                let (yes, no) = self.again(FunctionRef::new(function.file, inner.function), condition);
                match if holds { yes } else { no } {
                    Some(verified @ Standing::Verified(_)) => return Some(verified),
                    Some(open @ Standing::Open(_)) => found = Some(open),
                    _ => {}
                }
            }
            at = inner.parent?;
        }
        found
    }

    fn is_asked(&self, function: FunctionRef, condition: ExprId) -> bool {
        self.asking.iter().any(|&(asked, expr)| asked.file == function.file && expr == condition)
    }

    /// Tests a condition that was walked where it stands: asking again adds no effects.
    fn again(&mut self, function: FunctionRef, condition: ExprId) -> Both {
        let deeds = self.account.deeds.len();
        self.asking.push((function, condition));
        let tested = self.test(function, condition, Standing::Unverified);
        self.asking.pop();
        self.account.deeds.truncate(deeds);
        tested
    }

    /// What holds after a loop: where it checks something and sets a variable that lives outside it, only that
    /// variable knows.
    pub(super) fn after_loop(&self, function: FunctionRef, body: BlockId, before: Way, checks: usize) -> Way {
        match self.account.checks.get(checks) {
            Some(&check) if before.standing == Standing::Unverified && tells_outside(self.facts(function), body) => {
                Way { standing: Standing::Unknown(check), ..before }
            }
            _ => before,
        }
    }
}

/// Where a definition is given which values.
fn settings(facts: &Facts, def: DefId) -> Vec<(BlockId, ExprId)> {
    let blocks = facts.blocks.iter().enumerate();
    blocks
        .flat_map(|(at, block)| block.steps.iter().map(move |step| (BlockId(at as u32), step)))
        .filter_map(|(at, step)| match step {
            Step::Bind(bound, value) if *bound == def => Some((at, *value)),
            _ => None,
        })
        .collect()
}

fn is_bool(facts: &Facts, value: ExprId, truth: bool) -> bool {
    matches!(facts.expr(value), ExprKind::Bool(found) if *found == truth)
}

/// Whether a block, or one inside it, sets a variable of further out.
fn tells_outside(facts: &Facts, body: BlockId) -> bool {
    let is_inside = |mut block: BlockId| loop {
        if block == body {
            return true;
        }
        match facts.block(block).parent {
            Some(parent) => block = parent,
            None => return false,
        }
    };
    let blocks = facts.blocks.iter().enumerate().filter(|&(at, _)| is_inside(BlockId(at as u32)));
    blocks.flat_map(|(_, block)| &block.steps).any(|step| match step {
        Step::Bind(def, _) => !is_inside(facts.def(*def).block),
        _ => false,
    })
}
