//! One row and its parts, and rows that are as many as the keys they are asked by.

use super::EACH;
use super::few::names_any;
use super::nouns::{CROWDS, CROWDS_OF_PEOPLE, GROUPS};
use crate::facts::{Call, ExprId, ExprKind, Facts, Op, Step};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// Through how many names and functions a row is followed.
const DEEPEST: usize = 5;

/// Calls that give one row.
const ONE: &[&str] = &[
    "single",
    "maybeSingle",
    "maybe_single",
    "first",
    "firstOrFail",
    "one",
    "one_or_none",
    "scalar_one",
    "scalar_one_or_none",
    "findUnique",
    "findUniqueOrThrow",
    "findFirst",
    "findFirstOrThrow",
    "findOne",
    "findById",
    "findByPk",
    "get_or_404",
    "first_or_404",
];

impl Program {
    /// Whether a part of a value belongs to one row: `card.reminders`. People and what they leave behind may point at a
    /// row by the hundred.
    pub(super) fn is_part_of_one(&self, base: ExprRef, part: &str) -> bool {
        // That is the row itself, or whatever else was answered.
        if matches!(part, "data" | "rows" | "results") {
            return false;
        }
        let words = words(part);
        let Some(last) = words.last() else { return false };
        let many = |nouns: &[&str]| nouns.iter().any(|&noun| last == noun || last.strip_suffix('s') == Some(noun));
        !many(CROWDS) && !many(CROWDS_OF_PEOPLE) && self.is_one_row(base, DEEPEST)
    }

    /// Whether a value is one row, or a part of one: read as one, or one element of some, also where every caller of the
    /// program hands it in.
    fn is_one_row(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_one_row(ExprRef::new(at.file, expr), depth);
        match *facts.expr(at.expr) {
            ExprKind::ElementOf(_) => true,
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => next(inner),
            // `const [card] = await ..`
            ExprKind::Index(_, index) => matches!(facts.expr(index), ExprKind::Number(_)),
            ExprKind::Op(Op::Or | Op::Nullish, ref parts) => parts.first().is_some_and(|&first| next(first)),
            ExprKind::Param(function, index) => {
                self.is_handed_one_row(FunctionRef::new(at.file, function), index.into(), depth)
            }
            ExprKind::Ref(name, block) if !stands_for_many(&name) => {
                facts.lookup(block, name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
            }
            ExprKind::Call(call) => self.gives_one_row(CallRef::new(at.file, call), depth),
            _ => false,
        }
    }

    fn is_handed_one_row(&self, function: FunctionRef, index: usize, depth: usize) -> bool {
        let handed = |call: &CallRef| {
            let arg = self.facts(call.file).call(call.call).args.get(index).filter(|arg| arg.name.is_none());
            arg.is_some_and(|arg| self.is_one_row(ExprRef::new(call.file, arg.value), depth))
        };
        let callers = self.callers(function);
        index == 0 && self.takes_elements(function) || !callers.is_empty() && callers.iter().all(handed)
    }

    fn gives_one_row(&self, call: CallRef, depth: usize) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        if let ExprKind::Member(base, method) = *facts.expr(shape.callee) {
            let first = shape.args.first().map(|arg| facts.expr(arg.value));
            let of_rows = || {
                facts
                    .last_name(base)
                    .is_some_and(|base| matches!(base.as_str(), "objects" | "query" | "session" | "db"))
            };
            let one = match method.as_str() {
                // `rows.find((row) => row.id === id)`
                "find" => matches!(first, Some(ExprKind::Function(_))),
                "get" => first.is_some() && of_rows(),
                method => ONE.contains(&method),
            };
            if one {
                return true;
            }
        }
        let direct = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        let given: Vec<ExprRef> = direct
            .flat_map(|edge| self.returns_of(edge.target))
            .filter(|at| !matches!(self.facts(at.file).expr(at.expr), ExprKind::Null))
            .collect();
        !given.is_empty() && given.iter().all(|&given| self.is_one_row(given, depth))
    }

    /// Whether a value is one element of another collection, or a part of one: what it holds belongs to one thing.
    pub(super) fn is_element(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Member(base, _) => self.is_element(ExprRef::new(at.file, *base), depth),
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name) else { return false };
                !stands_for_many(name)
                    && facts.def(def).values.iter().any(|&value| match facts.expr(value) {
                        ExprKind::ElementOf(_) => true,
                        ExprKind::Param(function, 0) => self.takes_elements(FunctionRef::new(at.file, *function)),
                        _ => false,
                    })
            }
            _ => false,
        }
    }

    /// Whether a function is handed to `map` and its kind.
    fn takes_elements(&self, function: FunctionRef) -> bool {
        self.incoming(function).iter().any(|edge| {
            let facts = self.facts(edge.call.file);
            let callee = facts.expr(facts.call(edge.call.call).callee);
            edge.kind == EdgeKind::Callback
                && matches!(callee, ExprKind::Member(_, name) if EACH.contains(&name.as_str()))
        })
    }

    /// The keys that a query asks its rows by, also where more is said behind it: `.in("id", keys).eq("on", true)`. None
    /// for people whom a row names: those may be hundreds.
    pub(super) fn keys_asked(&self, call: CallRef) -> Option<ExprRef> {
        let facts = self.facts(call.file);
        let mut at = Some(facts.call(call.call));
        for _ in 0..12 {
            let shape = at?;
            if let Some(keys) = asked_by(facts, shape) {
                let people = matches!(facts.expr(keys), ExprKind::Member(_, name) if names_any(name, CROWDS_OF_PEOPLE));
                return (!people).then_some(ExprRef::new(call.file, keys));
            }
            at = match *facts.expr(shape.callee) {
                ExprKind::Member(base, _) => match *facts.expr(base) {
                    ExprKind::Call(inner) => Some(facts.call(inner)),
                    _ => None,
                },
                _ => None,
            };
        }
        None
    }

    pub(super) fn returns_of(&self, function: FunctionRef) -> Vec<ExprRef> {
        let facts = self.facts(function.file);
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        own.flat_map(|block| &block.steps)
            .filter_map(|step| match step {
                Step::Return(Some(value)) => Some(ExprRef::new(function.file, *value)),
                _ => None,
            })
            .collect()
    }
}

/// Whether a name is one of what holds many: `page`, `tenant`.
fn stands_for_many(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| GROUPS.contains(&word.as_str()) || GROUPS.contains(&word.strip_suffix('s').unwrap_or(word)))
}

/// The list of keys in one call of a query.
fn asked_by(facts: &Facts, call: &Call) -> Option<ExprId> {
    let ExprKind::Member(_, method) = *facts.expr(call.callee) else { return None };
    if let Some(arg) =
        call.args.iter().find(|arg| arg.name.is_some_and(|name| matches!(name.as_str(), "id__in" | "pk__in")))
    {
        return Some(arg.value);
    }
    let args: Vec<ExprId> = call.args.iter().map(|arg| arg.value).collect();
    match (method.as_str(), &args[..]) {
        ("in" | "in_", &[column, keys]) => {
            matches!(facts.expr(column), ExprKind::Text(column) if is_key(column)).then_some(keys)
        }
        ("where" | "filter" | "find" | "findMany" | "findAll", conditions) => {
            conditions.iter().find_map(|&condition| asked_in(facts, condition, 5))
        }
        _ => None,
    }
}

/// `inArray(people.id, keys)`, `Person.id.in_(keys)`, `{ where: { id: { in: keys } } }`, also beside other conditions.
fn asked_in(facts: &Facts, condition: ExprId, depth: usize) -> Option<ExprId> {
    let depth = depth.checked_sub(1)?;
    let named = |column: ExprId| matches!(facts.expr(column), ExprKind::Member(_, name) if is_key(name));
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().find_map(|&part| asked_in(facts, part, depth)),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let name = facts.last_name(call.callee)?;
            let args: Vec<ExprId> = call.args.iter().map(|arg| arg.value).collect();
            match (name.as_str(), &args[..], facts.expr(call.callee)) {
                ("and" | "and_", parts, _) => parts.iter().find_map(|&part| asked_in(facts, part, depth)),
                ("inArray", &[column, keys], _) if named(column) => Some(keys),
                ("in_", &[keys], ExprKind::Member(column, _)) if named(*column) => Some(keys),
                _ => None,
            }
        }
        ExprKind::Object(entries) => entries.iter().find_map(|(name, value)| match facts.expr(*value) {
            ExprKind::Object(inner) if is_key(name) => {
                inner.iter().find(|(name, _)| matches!(name.as_str(), "in" | "$in")).map(|&(_, keys)| keys)
            }
            _ if matches!(name.as_str(), "where" | "AND") => asked_in(facts, *value, depth),
            _ => None,
        }),
        _ => None,
    }
}

/// Whether each value of a column stands in one row.
fn is_key(column: &str) -> bool {
    matches!(column, "id" | "_id" | "uuid" | "pk")
}
