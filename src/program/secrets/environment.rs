//! Which environment variables the code needs, and which of them nobody is told of.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BlockId, DefId, ExportValue, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::link::projects::{join, within};
use crate::names::Name;
use crate::program::apps::AppId;
use crate::program::failures::reporting::is_failure;
use crate::program::money::core_paths::says::answers_error;
use crate::program::terms::{Ending, ending};
use crate::program::values::answers::is_log;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Program};

/// Names of files that tell which variables there are.
pub const EXAMPLES: &[&str] = &[".env.example", ".env.sample", ".env.template", "env.example"];

/// How far conditions and values are followed.
const FARTHEST: usize = 6;

impl Program {
    /// The variables that an app's deployed code reads without a fallback and that nothing names that whoever deploys
    /// the app would read, each with its first read, in the order of the places.
    pub fn undocumented_variables(&self, app: AppId) -> Vec<(Name, Place)> {
        let mut found: Vec<(Name, Place)> = Vec::new();
        let mut known: FxHashSet<Name> = FxHashSet::default();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead || !self.is_of_app(file, app) {
                continue;
            }
            let mut reads: FxHashMap<Name, Vec<ExprId>> = FxHashMap::default();
            for (at, name) in facts.env_reads() {
                if !known.contains(&name) && self.is_untold(&name, app, file) {
                    reads.entry(name).or_default().push(at);
                }
            }
            if reads.is_empty() {
                continue;
            }
            let decisions = decisions(facts);
            let mut needed: Vec<(Name, ExprId)> = reads
                .iter()
                .filter_map(|(name, reads)| {
                    let need = Need { program: self, app, file, facts, name: *name, decisions: &decisions };
                    // `os.environ["X"]` throws by itself.
                    let strict = facts.strict_reads.contains(name)
                        && !reads.iter().any(|&read| need.is_covered(facts.span(read)) || need.is_set_here(read));
                    let fails = strict || need.fails_without();
                    let first = reads.iter().find(|&&read| fails || need.is_needed(read, FARTHEST))?;
                    Some((*name, *first))
                })
                .collect();
            needed.sort_by_key(|&(_, read)| facts.span(read).start);
            for (name, read) in needed {
                known.insert(name);
                found.push((name, Place { file, span: facts.span(read) }));
            }
        }
        found
    }

    /// Whether other files can read a definition.
    pub fn is_visible_outside(&self, file: FileId, def: DefId) -> bool {
        let facts = self.facts(file);
        let at_top = facts.def(def).block == facts.functions[0].body;
        let exported = |value: ExprId| match *facts.expr(value) {
            ExprKind::Ref(name, block) => facts.lookup(block, name) == Some(def),
            _ => facts.def(def).values.contains(&value),
        };
        let mut exports = facts.exports.iter();
        at_top
            && (!facts.language.is_script()
                || exports.any(|export| matches!(export.value, ExportValue::Local(value) if exported(value))))
    }

    fn is_untold(&self, name: &Name, app: AppId, near: FileId) -> bool {
        let is_plain =
            name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        is_plain && !self.is_told_of(name, app, near)
    }

    /// Whether whoever deploys a file of an app is told of a variable, or need not be.
    fn is_told_of(&self, name: &Name, app: AppId, near: FileId) -> bool {
        let told = |file: FileId| self.is_of_app(file, app) && self.speaks_for(file, near);
        let told = self.mentioned.get(name).is_some_and(|files| files.iter().any(|&file| told(file)));
        told || self.catalogue.is_injected(name)
    }

    /// Whether what a file says of variables is read by whoever deploys another: not where that one's project is
    /// deployed by itself, with an example file of its own, and the first belongs to another such project beside it.
    fn speaks_for(&self, told: FileId, near: FileId) -> bool {
        let all = self.projects.all();
        let (home, other) = (self.projects.index(near), self.projects.index(told));
        let (own, theirs) = (&all[home].folder, &all[other].folder);
        let beside = home != other && within(own, theirs).is_none() && within(theirs, own).is_none();
        let alone = |folder: &str| EXAMPLES.iter().any(|name| self.file_at(&join(folder, name)).is_some());
        !(beside && alone(own) && alone(theirs))
    }
}

/// Whether a variable holds a credential, by its name.
fn is_credential(name: Name) -> bool {
    let parts: Vec<&str> = name.as_str().split('_').collect();
    parts.last().is_some_and(|last| matches!(*last, "KEY" | "SECRET" | "TOKEN" | "PASSWORD"))
        && !parts.iter().any(|part| matches!(*part, "PUBLIC" | "PUBLISHABLE" | "ANON" | "SITE" | "VITE"))
}

/// What a file decides: the condition, and what runs when it holds and when not.
struct Decision {
    condition: ExprId,
    arms: [Arm; 2],
}

/// What runs on one outcome of a decision.
#[derive(Clone, Copy)]
enum Arm {
    /// A block; with the span of what follows when the block leaves.
    Block(BlockId),
    /// A value.
    Value(ExprId),
    /// Nothing of its own: what follows in the block, up to its end.
    Rest(Span),
}

fn decisions(facts: &Facts) -> Vec<Decision> {
    let mut found = Vec::new();
    for block in &facts.blocks {
        for step in &block.steps {
            let Step::If { condition, then, otherwise } = step else { continue };
            let end = facts.block(*then).span.end;
            let rest = Arm::Rest(Span { start: end, end: block.span.end.max(end) });
            found.push(Decision {
                condition: *condition,
                arms: [otherwise.map_or(rest, Arm::Block), Arm::Block(*then)],
            });
        }
    }
    for (_, operation) in facts.operations() {
        match operation {
            (Op::Choose, &[condition, then, otherwise]) => {
                found.push(Decision { condition, arms: [Arm::Value(otherwise), Arm::Value(then)] });
            }
            (Op::And, &[condition, then]) => {
                found.push(Decision { condition, arms: [Arm::Rest(Span::default()), Arm::Value(then)] });
            }
            (Op::Or, &[condition, otherwise]) => {
                found.push(Decision { condition, arms: [Arm::Value(otherwise), Arm::Rest(Span::default())] });
            }
            _ => {}
        }
    }
    found
}

/// Whether a file needs a variable.
struct Need<'p> {
    program: &'p Program,
    app: AppId,
    file: FileId,
    facts: &'p Facts,
    name: Name,
    decisions: &'p [Decision],
}

impl Need<'_> {
    /// Whether code ends with an error, or answers one, where the variable is unset.
    fn fails_without(&self) -> bool {
        self.decisions.iter().any(|decision| {
            [false, true].into_iter().any(|truth| {
                let Arm::Block(arm) = decision.arms[usize::from(truth)] else { return false };
                // Unset, the condition has this truth: were it the other, the variable would be set.
                self.tells_set(self.file, decision.condition, !truth, FARTHEST) && self.fails(arm)
            })
        })
    }

    /// Whether a block is how code says that it cannot go on.
    fn fails(&self, arm: BlockId) -> bool {
        let ends = match ending(self.facts, arm) {
            Ending::Throws => true,
            // `return { success: false, .. }`; a plain `null` or `false` is a feature that is off.
            Ending::Returns(Some(value)) => {
                let told = matches!(self.facts.expr(value), ExprKind::Object(_)) && is_failure(self.facts, value);
                told || answers_error(self.program, self.file, value)
            }
            _ => false,
        };
        let speaks = |expr: ExprId| {
            let ExprKind::Call(call) = *self.facts.expr(expr) else { return false };
            let callee = self.facts.call(call).callee;
            let complains = match *self.facts.expr(callee) {
                ExprKind::Member(base, method) => {
                    let receiver = self.facts.last_name(base).unwrap_or(method);
                    matches!(method.as_str(), "error" | "exception" | "critical" | "fatal")
                        && is_log(&receiver, &method)
                        || method == "exit"
                }
                _ => false,
            };
            complains || answers_error(self.program, self.file, expr)
        };
        ends || self.facts.block(arm).steps.iter().any(|step| matches!(step, Step::Eval(expr) if speaks(*expr)))
    }

    /// Whether a condition of this truth says that the variable is set.
    fn tells_set(&self, file: FileId, condition: ExprId, truth: bool, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let facts = self.program.facts(file);
        let inside = |part: ExprId, truth: bool| self.tells_set(file, part, truth, depth - 1);
        match facts.expr(condition) {
            ExprKind::Env(name) => truth && *name == self.name,
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]);
                values.is_some_and(|values| !values.is_empty() && values.iter().any(|&value| inside(value, truth)))
            }
            ExprKind::Op(Op::Not, parts) => parts.iter().any(|&part| inside(part, !truth)),
            ExprKind::Op(Op::And, parts) if truth => parts.iter().any(|&part| inside(part, true)),
            ExprKind::Op(Op::And, parts) => parts.iter().all(|&part| inside(part, false)),
            ExprKind::Op(Op::Or, parts) if truth => parts.iter().all(|&part| inside(part, true)),
            ExprKind::Op(Op::Or, parts) => parts.iter().any(|&part| inside(part, false)),
            ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) => {
                let nothing = parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Null));
                // `x !== undefined` holds where it is set, and so does `x === "something"`.
                (truth == (*op == Op::Unequal)) == nothing && parts.iter().any(|&part| inside(part, true))
            }
            ExprKind::Op(Op::Compare, parts) => truth && parts.iter().any(|&part| inside(part, true)),
            ExprKind::Member(base, part) => *part == "length" && inside(*base, truth),
            ExprKind::Call(call) => self.asks_set(file, CallRef::new(file, *call), truth, depth - 1),
            _ => false,
        }
    }

    /// `Boolean(x)`, `x.trim()`, and a function of the program that gives whether it is set.
    fn asks_set(&self, file: FileId, call: CallRef, truth: bool, depth: usize) -> bool {
        let facts = self.program.facts(file);
        let shape = facts.call(call.call);
        match *facts.expr(shape.callee) {
            ExprKind::Ref(name, _) if matches!(name.as_str(), "Boolean" | "bool" | "String" | "str") => {
                return shape.args.first().is_some_and(|arg| self.tells_set(file, arg.value, truth, depth));
            }
            ExprKind::Member(base, _) if self.tells_set(file, base, true, depth) => return truth,
            _ => {}
        }
        let mut functions = self.program.callee(call).functions();
        functions.next().is_some_and(|function| {
            let facts = self.program.facts(function.file);
            match facts.block(facts.function(function.function).body).steps[..] {
                [.., Step::Return(Some(value))] => self.tells_set(function.file, value, truth, depth),
                _ => false,
            }
        })
    }

    /// Whether some code runs only where the variable is set.
    fn is_covered(&self, span: Span) -> bool {
        self.decisions.iter().any(|decision| {
            [false, true].into_iter().any(|truth| {
                let within = match (decision.arms[usize::from(truth)], decision.arms[usize::from(!truth)]) {
                    (Arm::Block(block), _) => self.facts.block(block).span.contains(span),
                    (Arm::Value(value), _) => self.facts.span(value).contains(span),
                    // What follows is only reached when the other arm goes on to it.
                    (Arm::Rest(rest), Arm::Block(other)) => rest.contains(span) && self.leaves(other),
                    (Arm::Rest(_), _) => false,
                };
                within && self.tells_set(self.file, decision.condition, truth, FARTHEST)
            })
        })
    }

    fn leaves(&self, block: BlockId) -> bool {
        ending(self.facts, block) != Ending::GoesOn
            || matches!(self.facts.block(block).steps.last(), Some(Step::Jump | Step::Break))
    }

    /// Whether something goes wrong with a value when it is unset.
    fn is_needed(&self, value: ExprId, depth: usize) -> bool {
        if depth == 0 {
            return true;
        }
        if self.is_covered(self.facts.span(value)) {
            return false;
        }
        if self.is_set_here(value) {
            return false;
        }
        let uses = self.program.readers(self.file).uses(value);
        uses.is_empty() || uses.iter().any(|used| self.use_needs(value, *used, depth))
    }

    /// `os.environ["X"] = "true"` sets it.
    fn is_set_here(&self, value: ExprId) -> bool {
        let mut steps = self.facts.blocks.iter().flat_map(|block| &block.steps);
        steps.any(|step| matches!(step, Step::Assign(target, _) if *target == value))
    }

    fn use_needs(&self, value: ExprId, used: Use, depth: usize) -> bool {
        match used {
            Use::Tested | Use::Dropped => false,
            Use::In(outer) => match self.facts.expr(outer) {
                ExprKind::Op(Op::Not | Op::Equal | Op::Unequal | Op::Compare | Op::In | Op::TypeOf, _) => false,
                ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                    // An empty text is no credential. The field of a settings class (`x_api_key: str = ""`) stands for what
                    // may be left out.
                    let nothing = parts.last().is_some_and(|&last| {
                        matches!(self.facts.expr(last), ExprKind::Text(text) if text.is_empty())
                            && self.facts.span(last) != self.facts.span(value)
                    });
                    (parts.last() == Some(&value) || nothing && is_credential(self.name))
                        && !parts.iter().any(|&part| self.is_told(part, FARTHEST))
                        && self.is_needed(outer, depth - 1)
                }
                ExprKind::Op(Op::And, parts) => parts.last() == Some(&value) && self.is_needed(outer, depth - 1),
                ExprKind::Op(Op::Choose, _) => self.is_needed(outer, depth - 1),
                // `X?.split(",") ?? []`: it is asked for with care.
                ExprKind::Member(..) => !self.stands_in(outer),
                _ => true,
            },
            Use::Kept(def) => self.kept_needs(value, def, depth),
            Use::Key(object, key) => !self.is_unread_setting(object, key) && !self.is_option(object, key),
            Use::Arg(call, _) => {
                let shape = self.facts.call(call);
                match *self.facts.expr(shape.callee) {
                    ExprKind::Ref(name, _) => !matches!(name.as_str(), "Boolean" | "bool") && !is_log("", &name),
                    ExprKind::Member(base, method) => !is_log(&self.facts.last_name(base).unwrap_or(method), &method),
                    _ => true,
                }
            }
            _ => true,
        }
    }

    /// Whether something stands in for what is made of a value: `X?.split(",") ?? []`.
    fn stands_in(&self, member: ExprId) -> bool {
        let readers = self.program.readers(self.file);
        let behind = |value: ExprId| {
            readers.uses(value).iter().any(|used| match used {
                Use::In(outer) => match self.facts.expr(*outer) {
                    ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first() == Some(&value),
                    _ => false,
                },
                Use::Callee(_) => false,
                _ => false,
            })
        };
        let called = readers.uses(member).iter().filter_map(|used| match used {
            Use::Callee(call) => Some(self.facts.call(*call).expr),
            _ => None,
        });
        called.into_iter().any(|call| behind(call) || self.is_link_before(call)) || behind(member)
    }

    /// `X?.split(",").map(trim) ?? []`: a link of a chain that something stands in for.
    fn is_link_before(&self, value: ExprId) -> bool {
        self.program.readers(self.file).uses(value).iter().any(|used| match used {
            Use::In(outer) => matches!(self.facts.expr(*outer), ExprKind::Member(..)) && self.stands_in(*outer),
            _ => false,
        })
    }

    /// Whether a value comes out of a variable that somebody is told of.
    fn is_told(&self, value: ExprId, depth: usize) -> bool {
        match self.facts.expr(value) {
            _ if depth == 0 => false,
            ExprKind::Env(name) => self.program.is_told_of(name, self.app, self.file),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().any(|&part| self.is_told(part, depth - 1)),
            ExprKind::Ref(name, block) => {
                let def = self.facts.lookup(*block, *name).map(|def| self.facts.def(def));
                def.is_some_and(|def| def.values.iter().any(|&value| self.is_told(value, depth - 1)))
            }
            _ => false,
        }
    }

    /// Whether the readers of a name need the value it holds.
    fn kept_needs(&self, value: ExprId, def: DefId, depth: usize) -> bool {
        let facts = self.facts;
        let stands_in = |&other: &ExprId| {
            let span = facts.span(other);
            other != value
                && self.decisions.iter().any(|decision| {
                    [false, true].into_iter().any(|truth| {
                    matches!(decision.arms[usize::from(truth)], Arm::Block(arm) if facts.block(arm).span.contains(span))
                        && self.tells_set(self.file, decision.condition, !truth, FARTHEST)
                })
                })
        };
        if facts.def(def).values.iter().any(stands_in) {
            return false;
        }
        let reads = self.program.readers(self.file).reads(def);
        if self.program.is_visible_outside(self.file, def) {
            return true;
        }
        reads.iter().any(|&read| self.is_needed(read, depth - 1))
    }

    /// Whether a setting is kept under a key that no code of the program reads.
    fn is_unread_setting(&self, object: ExprId, key: Name) -> bool {
        let readers = self.program.readers(self.file);
        let whole = |def: DefId| {
            let read_whole = |&read: &ExprId| {
                readers.uses(read).iter().any(|used| match used {
                    Use::In(outer) => !matches!(self.facts.expr(*outer), ExprKind::Member(..)),
                    _ => true,
                })
            };
            readers.reads(def).iter().any(read_whole)
        };
        let kept = match readers.uses(object) {
            [Use::Kept(def)] => !whole(*def),
            [Use::Key(outer, _)] => matches!(readers.uses(*outer), [Use::Kept(def)] if !whole(*def)),
            _ => false,
        };
        kept && self.facts.language.is_script()
            && !self.program.code().any(|(_, facts)| facts.members().any(|(_, (_, name))| name == key))
    }

    /// Whether a package takes a value as an option that it does without.
    fn is_option(&self, object: ExprId, key: Name) -> bool {
        let taken = self.program.readers(self.file).uses(object).iter().any(|used| match used {
            Use::Arg(call, _) => {
                let callee = self.program.callee(CallRef::new(self.file, *call));
                self.facts.call(*call).is_new && callee.externals().next().is_some()
            }
            _ => false,
        });
        taken && self.program.catalogue.is_optional_option(&key)
    }
}
