//! What a repository makes sure of: the variables that something hangs on, by file.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{FARTHEST, Unchecked, binding};
use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, Program, Target};

/// The variables that files make something hang on.
pub(super) struct Asked<'p> {
    program: &'p Program,
    by_file: FxHashMap<FileId, FxHashSet<Name>>,
}

impl<'p> Asked<'p> {
    /// Nothing is read yet.
    pub(super) fn new(program: &'p Program) -> Self {
        Self { program, by_file: FxHashMap::default() }
    }

    /// Whether anything on the way to a use, or at the start of what it is deployed with, asks for its variable.
    pub(super) fn covers(&mut self, used: &Unchecked) -> bool {
        let program = self.program;
        let units = program.units(used.at.file);
        let deployed_with = |file: FileId| program.units(file).iter().any(|unit| units.contains(unit));
        let mut at_start = program.asked_at_start_in(used.variable).into_iter();
        if at_start.any(|file| !program.side(file).tooling && deployed_with(file)) {
            return true;
        }
        let mut files = vec![used.at.file];
        for origin in program.origins_of(used.at) {
            files.push(program.entries[origin.entry].function.file);
            files.extend(origin.way.iter().map(|edge| edge.call.file));
        }
        // What they import may be where it is read and asked for.
        for _ in 0..2 {
            for at in 0..files.len() {
                let imports = program.file(files[at]).facts.as_ref().map_or(0, |facts| facts.imports.len());
                for import in 0..imports as u32 {
                    if let Target::File(to) = program.modules.target(files[at], crate::facts::ImportId(import)) {
                        files.push(*to);
                    }
                }
            }
            files.sort_unstable();
            files.dedup();
        }
        // What settings modules read, they may ask for too.
        files.extend(program.modules.settings());
        files.into_iter().any(|file| self.of(file).contains(&used.variable))
    }

    fn of(&mut self, file: FileId) -> &FxHashSet<Name> {
        let program = self.program;
        self.by_file.entry(file).or_insert_with(|| {
            let Some(facts) = program.file(file).facts.as_ref() else { return FxHashSet::default() };
            let mut reader = Reader { program, file, facts, names: FxHashSet::default() };
            reader.read();
            reader.names
        })
    }
}

struct Reader<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    names: FxHashSet<Name>,
}

impl Reader<'_> {
    fn read(&mut self) {
        self.names.extend(&self.facts.strict_reads);
        for block in &self.facts.blocks {
            for step in &block.steps {
                match step {
                    Step::If { condition, then, otherwise }
                        if (self.matters(*then) || otherwise.is_some_and(|otherwise| self.matters(otherwise))) =>
                    {
                        self.ask(*condition, FARTHEST);
                    }
                    // `return !!key`, `this.enabled = !!key`: what others ask.
                    Step::Return(Some(value)) | Step::Assign(_, value) if self.is_verdict(*value) => {
                        self.ask(*value, FARTHEST);
                    }
                    _ => {}
                }
            }
        }
        for (_, operation) in self.facts.operations() {
            match operation {
                (Op::Choose, parts) if !parts.iter().skip(1).all(|&part| self.is_label(part)) => {
                    self.ask(parts[0], FARTHEST);
                }
                (Op::And, [asked @ .., _]) => asked.iter().for_each(|&part| self.ask(part, FARTHEST)),
                _ => {}
            }
        }
        for call in &self.facts.calls {
            let name = match *self.facts.expr(call.callee) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name,
                _ => continue,
            };
            if demands(&name) {
                call.args.iter().for_each(|arg| self.ask(arg.value, FARTHEST));
            }
        }
        for export in &self.facts.exports {
            if let crate::facts::ExportValue::Local(value) = export.value {
                let held = self.held(value).unwrap_or(value);
                if self.is_verdict(held) {
                    self.ask(held, FARTHEST);
                }
            }
        }
    }

    /// Whether a branch does more than tell a log.
    fn matters(&self, block: BlockId) -> bool {
        self.facts.block(block).steps.iter().any(|step| match step {
            Step::Eval(value) => match *self.facts.expr(*value) {
                ExprKind::Call(call) => !self.program.is_logging(CallRef::new(self.file, call)),
                _ => true,
            },
            _ => true,
        })
    }

    /// `!!key`, `Boolean(key)`, `key !== undefined`, `a && b`.
    fn is_verdict(&self, value: ExprId) -> bool {
        match self.facts.expr(value) {
            ExprKind::Op(Op::Not | Op::And | Op::Equal | Op::Unequal | Op::Choose, _) => true,
            ExprKind::Call(call) => matches!(self.facts.expr(self.facts.call(*call).callee),
                ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool")),
            _ => false,
        }
    }

    /// A text or a truth value: what a choice that is only shown chooses from.
    fn is_label(&self, value: ExprId) -> bool {
        match self.facts.expr(value) {
            ExprKind::Text(text) => !text.is_empty(),
            ExprKind::Bool(_) => true,
            ExprKind::Template(_) => true,
            _ => false,
        }
    }

    fn held(&self, value: ExprId) -> Option<ExprId> {
        let ExprKind::Ref(name, block) = *self.facts.expr(value) else { return None };
        match self.facts.def(self.facts.lookup(block, name)?).values[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Notes the variables that a condition asks for.
    fn ask(&mut self, at: ExprId, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match self.facts.expr(at) {
            ExprKind::Op(_, parts) => parts.iter().for_each(|&part| self.ask(part, depth)),
            ExprKind::Call(call) => {
                let call = self.facts.call(*call);
                self.ask(call.callee, depth);
                call.args.iter().for_each(|arg| self.ask(arg.value, depth));
                // `const token = () => process.env.X`: a function that gives it.
                if call.args.is_empty() {
                    let value = self.program.value(ExprRef::new(self.file, at));
                    self.names.extend(self.program.expand(&value).envs());
                }
            }
            ExprKind::List(items) => items.iter().for_each(|&item| self.ask(item, depth)),
            ExprKind::Env(name) => {
                self.names.insert(*name);
            }
            ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Index(..) => {
                let value = self.program.value(ExprRef::new(self.file, at));
                let value = self.program.expand(&value);
                let mut names = value.envs();
                names.extend(value.alternatives().iter().filter_map(|value| binding(self.program, value)));
                if names.is_empty()
                    && let Some(held) = self.held(at)
                {
                    self.ask(held, depth);
                }
                self.names.extend(names);
                if let ExprKind::Member(base, _) = self.facts.expr(at) {
                    self.ask(*base, depth);
                }
            }
            _ => {}
        }
    }
}

/// Whether a function's name says that it refuses what is not there.
fn demands(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "assert"
                | "invariant"
                | "require"
                | "required"
                | "ensure"
                | "check"
                | "validate"
                | "must"
                | "demand"
                | "filter"
                | "all"
                | "every"
                | "some"
        )
    })
}
