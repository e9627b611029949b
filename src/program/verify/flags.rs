//! Variables that say whether a check has passed: set to `true` in an arm, a loop, a callback.

use super::tests::Both;
use super::ways::{Way, meet};
use super::{Lapse, Standing, Walk, Why};
use crate::facts::{BlockId, BlockKind, DefId, ExprId, ExprKind, Facts, Step};
use crate::program::{CallRef, FunctionRef};

impl Walk<'_> {
    /// What a variable that starts as `false` says: it is `true` only where what surrounds its setting held.
    pub(super) fn flagged(&mut self, function: FunctionRef, condition: ExprId, standing: Standing) -> Both {
        let nothing = (Some(standing), Some(standing));
        if matches!(standing, Standing::Verified(_)) {
            // Nothing more is to be learnt of the caller: `from_pool` of a database's connection is another matter.
            return nothing;
        }
        let facts = self.facts(function);
        let ExprKind::Ref(name, block) = facts.expr(condition) else { return nothing };
        let Some(def) = facts.lookup(*block, *name) else { return nothing };
        let home = facts.def(def).block;
        let settings = settings(facts, def);
        let starts_false = settings.iter().any(|&(at, value)| at == home && is_bool(facts, value, false));
        let set: Vec<(BlockId, ExprId)> =
            settings.iter().filter(|&&(_, value)| !is_bool(facts, value, false)).copied().collect();
        let only_true = settings.iter().all(|&(_, value)| matches!(facts.expr(value), ExprKind::Bool(_)));
        if !starts_false || !only_true || set.is_empty() {
            return nothing;
        }
        let mut met: Option<Way> = None;
        for (block, value) in set {
            let verified = self.passed_before(function, block, value);
            let Some(verified) = verified.or_else(|| self.surrounded(function, block, home)) else { return nothing };
            met = meet(met, Some(Way::plain(verified)));
        }
        match met.map(|way| way.standing) {
            Some(set @ Standing::Verified(check)) => (Some(set), Some(Standing::Rejected(check))),
            Some(open @ Standing::Open(lapse)) => (Some(open), Some(Standing::Rejected(lapse.check))),
            _ => nothing,
        }
    }

    /// The standing in which a value is set behind a check that throws, in the same block: `event =
    /// constructEvent(..); verified = true`.
    fn passed_before(&self, function: FunctionRef, block: BlockId, value: ExprId) -> Option<Standing> {
        let facts = self.facts(function);
        let before =
            facts.block(block).steps.iter().take_while(|step| !matches!(step, Step::Bind(_, set) if *set == value));
        let mut made = before.filter_map(|step| match step {
            Step::Eval(made) | Step::Bind(_, made) | Step::Assign(_, made) => Some(*made),
            _ => None,
        });
        made.find_map(|made| {
            let (made, awaited) = match facts.expr(made) {
                ExprKind::Await(inner) => (*inner, true),
                _ => (made, false),
            };
            let ExprKind::Call(call) = facts.expr(made) else { return None };
            let at = CallRef::new(function.file, *call);
            if let Some(kind) = self.check_kind(at) {
                let holds = !kind.boolean && (awaited || facts.call(*call).awaited || !kind.is_async);
                return holds.then(|| self.checked_by(at));
            }
            let ends = self.gave.get(&at)?;
            ends.truthy
                .filter(|after| ends.falsy.is_none() && matches!(after, Standing::Verified(_) | Standing::Open(_)))
        })
    }

    /// The standing after a check that has not thrown.
    fn checked_by(&self, at: CallRef) -> Standing {
        let place = self.program.call_place(at);
        match self.fallback_secret(at) {
            Some(name) => Standing::Open(Lapse { place, check: place, why: Why::Fallback(name), safe_default: false }),
            None => Standing::Verified(place),
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
