//! Which of a vendor's modes code falls to while the variable that decides is unset.

use rustc_hash::FxHashSet;

use super::modes::{Mode, ModeUse};
use crate::catalogue::{VendorId, host_of_url};
use crate::facts::{ExprId, ExprKind, Op};
use crate::finding::{FileId, Place};
use crate::link::entries::handlers::follow;
use crate::names::Name;
use crate::program::{ExprRef, Program, Value};

/// How far conditions are followed.
const FARTHEST: usize = 6;

/// A choice between a vendor's test host and its live one, by a variable: `process.env.MODE === "live" ? live : test`.
#[derive(Debug, Clone, Copy)]
pub struct Fallen {
    /// The vendor.
    pub vendor: VendorId,
    /// The variable.
    pub variable: Name,
    /// The mode while it is unset.
    pub mode: Mode,
    /// The choice.
    pub place: Place,
}

impl Program {
    /// The modes that deployed files fall to while a variable is unset that nothing in the repository sets or asks for.
    pub fn fallen_modes(&self, uses: &[ModeUse]) -> Vec<Fallen> {
        let chosen: Vec<&ModeUse> = uses.iter().filter(|used| used.mode == Mode::Either).collect();
        // Where the host is written may be a file of constants.
        let mut files: FxHashSet<FileId> = FxHashSet::default();
        for used in &chosen {
            files.insert(used.place.file);
        }
        let mut found = Vec::new();
        for (file, facts) in self.code() {
            let side = self.side(file);
            let imported = || self.modules.importers(file).iter().any(|(by, _)| files.contains(by));
            if chosen.is_empty() || side.tooling || side.dead || !(files.contains(&file) || imported()) {
                continue;
            }
            for (at, operation) in facts.operations() {
                let (Op::Choose, &[condition, then, otherwise]) = operation else { continue };
                let of = |part: ExprId| self.mode_of_text(ExprRef::new(file, part));
                let (Some((vendor, one)), Some((same, other))) = (of(then), of(otherwise)) else { continue };
                if vendor != same || one == other || !chosen.iter().any(|used| used.vendor == vendor) {
                    continue;
                }
                let Some((variable, holds)) = self.while_unset(ExprRef::new(file, condition), FARTHEST) else {
                    continue;
                };
                if self.is_left_unset(variable, file) {
                    let place = Place { file, span: facts.span(at) };
                    found.push(Fallen { vendor, variable, mode: if holds { one } else { other }, place });
                }
            }
        }
        found
    }

    fn mode_of_text(&self, at: ExprRef) -> Option<(VendorId, Mode)> {
        match self.value(at) {
            Value::Text(text) => self.mode_of(host_of_url(&text)?),
            _ => None,
        }
    }

    /// Whether a variable may be unset: no platform sets it, nothing in the repository does, and no code asks for it.
    fn is_left_unset(&self, name: Name, file: FileId) -> bool {
        let of_platform = ["NODE_ENV", "VERCEL_ENV", "RAILS_ENV"].contains(&name.as_str());
        !of_platform
            && !self.catalogue.is_injected(&name)
            && !self.is_demanded(name, file)
            && !self.is_set_for(file, name)
            && !self.configured_blocks().iter().any(|block| block.entries.iter().any(|entry| entry.name == name))
    }

    /// The variable that a condition asks for, and whether it holds while that is unset.
    fn while_unset(&self, at: ExprRef, depth: usize) -> Option<(Name, bool)> {
        let depth = depth.checked_sub(1)?;
        let at = self.condition(at);
        let part = |part: ExprId| ExprRef::new(at.file, part);
        match self.facts(at.file).expr(at.expr) {
            ExprKind::Env(name) => Some((*name, false)),
            ExprKind::Op(Op::Not, parts) => self.while_unset(part(parts[0]), depth).map(|(name, holds)| (name, !holds)),
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
                let &[left, right] = &parts[..] else { return None };
                let text = |side: ExprId| self.value(part(side)).text();
                let (wanted, asked) = match (text(left), text(right)) {
                    (Some(wanted), None) => (wanted, right),
                    (None, Some(wanted)) => (wanted, left),
                    _ => return None,
                };
                let (name, default) = self.read_with_default(part(asked), depth)?;
                let equal = default.is_some_and(|default| default.eq_ignore_ascii_case(&wanted));
                Some((name, equal == (*op == Op::Equal)))
            }
            _ => None,
        }
    }

    /// The variable that is read, and what is used while it is unset.
    fn read_with_default(&self, at: ExprRef, depth: usize) -> Option<(Name, Option<Name>)> {
        let depth = depth.checked_sub(1)?;
        let at = self.condition(at);
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Env(name) => Some((*name, None)),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                let &[read, fallback] = &parts[..] else { return None };
                let (name, none) = self.read_with_default(ExprRef::new(at.file, read), depth)?;
                let fallback = self.value(ExprRef::new(at.file, fallback)).text()?;
                none.is_none().then_some((name, Some(fallback)))
            }
            // `mode.toLowerCase()`
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let ExprKind::Member(base, method) = facts.expr(call.callee) else { return None };
                let same = matches!(method.as_str(), "toLowerCase" | "lower" | "trim" | "strip");
                (same && call.args.is_empty()).then_some(())?;
                self.read_with_default(ExprRef::new(at.file, *base), depth)
            }
            _ => None,
        }
    }

    /// An expression behind the name that holds it.
    fn condition(&self, at: ExprRef) -> ExprRef {
        follow(self, at)
    }
}
