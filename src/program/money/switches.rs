//! Switches that turn the check of a payment off, and stand in the repository as turned.

use rustc_hash::FxHashSet;

use crate::facts::{BlockKind, DefKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::manifest::EnvValue;
use crate::names::Name;
use crate::program::Program;
use crate::program::verify::words;

/// What is paid for, in the names of switches.
const PAID: &[&str] = &["payment", "payments", "paywall", "checkout", "billing", "subscription", "subscriptions"];
/// Words that turn it off when they are true.
const OFF: &[&str] = &["skip", "bypass", "disable", "disabled", "mock", "fake", "ignore", "without"];
/// Words that turn it off when they are false.
const ON: &[&str] = &["require", "requires", "required", "enforce", "enforced", "verify", "check"];

/// Variables that say where code runs.
const MODES: &[&str] = &["DEV", "PROD", "MODE", "NODE_ENV", "__DEV__", "APP_ENV", "ENVIRONMENT"];

/// A switch that stands where no payment is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// Its name.
    pub name: Name,
    /// Where it is set.
    pub set: Place,
    /// Where a decision asks it.
    pub asked: Place,
}

impl Program {
    /// The switches that deployed code asks and that let people pass unpaid: constants, and variables that a committed
    /// file sets for production too.
    pub fn payment_switches(&self) -> Vec<Switch> {
        let mut set: Vec<(Name, Place)> = Vec::new();
        for (file, facts) in self.deployed_code() {
            for def in facts.defs.iter().filter(|def| matches!(def.kind, DefKind::Constant | DefKind::Variable)) {
                let at_top = facts.block(def.block).kind == BlockKind::Body && facts.block(def.block).parent.is_none();
                if let (true, [value]) = (at_top, &def.values[..])
                    && let ExprKind::Bool(truth) = facts.expr(*value)
                    && lets_pass(&def.name, *truth)
                {
                    set.push((def.name, Place { file, span: def.span }));
                }
            }
        }
        for (path, env) in self.manifests.env_files() {
            let name = path.rsplit('/').next().unwrap_or(&path);
            // Files of examples, tests and single machines decide nothing that is deployed.
            let deployed = matches!(name, ".env" | ".env.production");
            let Some(file) = self.file_at(&path).filter(|&file| deployed && self.is_tracked(file)) else { continue };
            for entry in &env.entries {
                if let EnvValue::Switch(truth) = entry.value
                    && lets_pass(&entry.name, truth)
                {
                    set.push((entry.name, Place { file, span: entry.span }));
                }
            }
        }
        if set.is_empty() {
            return vec![];
        }
        let names: FxHashSet<Name> = set.iter().map(|&(name, _)| name).collect();
        let asked = self.asked_switches(&names);
        set.into_iter()
            .filter_map(|(name, set)| {
                let &(_, asked) =
                    asked.iter().find(|(other, at)| *other == name && self.share_app(at.file, set.file))?;
                Some(Switch { name, set, asked })
            })
            .collect()
    }

    /// Code that is deployed.
    fn deployed_code(&self) -> impl Iterator<Item = (crate::finding::FileId, &Facts)> {
        self.code().filter(|(file, _)| !self.side(*file).tooling && !self.side(*file).dead)
    }

    /// The decisions that ask one of the names.
    fn asked_switches(&self, names: &FxHashSet<Name>) -> Vec<(Name, Place)> {
        let mut found = Vec::new();
        for (file, facts) in self.deployed_code() {
            let conditions = facts.blocks.iter().flat_map(|block| &block.steps).filter_map(|step| match step {
                Step::If { condition, .. } => Some(*condition),
                _ => None,
            });
            let choices = facts.operations().filter_map(|(_, operation)| match operation {
                (Op::Choose | Op::And | Op::Or, parts) => parts.first().copied(),
                _ => None,
            });
            for condition in conditions.chain(choices) {
                let place = Place { file, span: facts.span(condition) };
                let mut asked = Vec::new();
                asks(facts, condition, 6, &mut |name| asked.push(name));
                // What also asks where it runs is not left to the switch.
                if !asked.iter().any(|name| MODES.contains(&name.as_str())) {
                    found.extend(asked.into_iter().filter(|name| names.contains(name)).map(|name| (name, place)));
                }
            }
        }
        found
    }
}

/// `SKIP_PAYMENT = true`, `REQUIRE_SUBSCRIPTION = false`.
fn lets_pass(name: &str, truth: bool) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(PAID) && if truth { has(OFF) } else { has(ON) && !has(OFF) }
}

/// The names that a condition asks, variables of the environment among them.
fn asks(facts: &Facts, expr: ExprId, depth: usize, each: &mut impl FnMut(Name)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Env(name) => each(*name),
        ExprKind::Ref(name, block) => {
            each(*name);
            // `const skip = import.meta.env.VITE_SKIP_PAYMENT === "true"`
            if let Some(def) = facts.lookup(*block, *name) {
                facts.def(def).values.iter().for_each(|&value| asks(facts, value, depth, each));
            }
        }
        ExprKind::Op(_, parts) => parts.iter().for_each(|&part| asks(facts, part, depth, each)),
        _ => {}
    }
}
