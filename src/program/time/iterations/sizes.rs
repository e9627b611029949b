//! How large a collection can be: written out, cut to a length, read with a limit, or unknown.

use super::run_through;
use crate::facts::{BlockKind, DefKind, Expr, ExprId, ExprKind, Facts, Op, Step};
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::terms::less_far;
use crate::program::{CallRef, DefRef, ExprRef, FunctionRef, Program, Value};

/// How large a collection can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// There is a bound.
    Bounded,
    /// There is none that can be seen.
    Open,
}

/// More elements than this are many, even when there is a limit.
pub(super) const MANY: f64 = 100.0;

/// How deep a collection is followed.
pub(super) const DEEPEST: usize = 14;

/// Methods that give no more elements than they are given.
const KEEPS: &[&str] = &[
    "filter", "map", "sort", "reverse", "toSorted", "values", "keys", "entries", "items", "flat", "then", "all",
    "data", "copy", "toArray", "tolist", "concat", "scalars", "mappings", "unique", "fetchall",
];

/// Functions that give no more elements than their argument has.
pub(super) const KEEPERS: &[&str] = &[
    "Array.from",
    "Set",
    "Map",
    "list",
    "sorted",
    "set",
    "reversed",
    "enumerate",
    "tuple",
    "zip",
    "Promise.all",
    "filter",
    "map",
    "getattr",
];

/// Words in the name of what cuts a collection into parts.
const CUTS: &[&str] = &["chunk", "batch", "paginat", "slice"];

impl Program {
    /// How large the collection that an expression gives can be.
    pub fn size(&self, at: ExprRef) -> Size {
        if self.size_to(at, DEEPEST) || self.is_measured(at) { Size::Bounded } else { Size::Open }
    }

    /// Whether there is a bound.
    pub(super) fn size_to(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.size_to(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Text(_) | ExprKind::Null | ExprKind::Object(_) | ExprKind::Number(_) => true,
            ExprKind::List(items) => items.iter().all(|&item| match facts.expr(item) {
                ExprKind::Spread(inner) => next(*inner),
                _ => true,
            }),
            // `xs[:5]`: its parts are a list, one that has an end.
            ExprKind::Index(_, index) if is_slice(facts, *index) => true,
            // `TARGETS[kind]`: one of what is written out.
            ExprKind::Index(base, _) => {
                self.holds_bounded(ExprRef::new(at.file, *base), depth)
                    // `for folder, files in FILES.items()`
                    || matches!(*facts.expr(*base), ExprKind::ElementOf(list)
                        if self.gives_bounded(ExprRef::new(at.file, list), &["items", "entries"], depth))
            }
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().all(|&part| next(part)),
            ExprKind::Op(Op::And, parts) => parts.last().is_some_and(|&part| next(part)),
            ExprKind::Op(Op::Choose, parts) => parts.iter().skip(1).all(|&part| next(part)),
            ExprKind::Call(call) => self.size_of_call(CallRef::new(at.file, *call), depth),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                // A part of what is cut into parts.
                Some(_) if CUTS[..2].iter().any(|cut| name.to_ascii_lowercase().starts_with(cut)) => true,
                Some(def) => self.size_of_def(DefRef::new(at.file, def), depth),
                None => false,
            },
            ExprKind::Param(..) => self.size_of_value(&self.value(at), depth),
            ExprKind::Member(..) => {
                self.size_of_value(&self.value(at), depth) || self.is_one_answer(at) || self.is_uploaded(at)
            }
            ExprKind::ElementOf(list) => {
                let list = ExprRef::new(at.file, *list);
                self.is_cut(list, depth) || self.gives_bounded(list, &["values"], depth)
            }
            ExprKind::Imported(..) => self.size_of_value(&self.value(at), depth),
            _ => false,
        }
    }

    /// Whether an object is written out, and all that it holds has a bound.
    fn holds_bounded(&self, at: ExprRef, depth: usize) -> bool {
        let Value::Object(table) = self.value(at) else { return false };
        match self.facts(table.file).expr(table.expr) {
            ExprKind::Object(entries) => {
                !entries.is_empty()
                    && entries.iter().all(|&(_, value)| self.size_to(ExprRef::new(table.file, value), depth))
            }
            _ => false,
        }
    }

    /// `FILES.values()`, `Object.values(FILES)`: what such an object holds.
    fn gives_bounded(&self, list: ExprRef, by: &[&str], depth: usize) -> bool {
        let facts = self.facts(list.file);
        let ExprKind::Call(call) = *facts.expr(list.expr) else { return false };
        let call = facts.call(call);
        let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return false };
        let whole = match (facts.expr(base), &call.args[..]) {
            (ExprKind::Ref(object, _), [only]) if *object == "Object" => only.value,
            (_, []) => base,
            _ => return false,
        };
        by.contains(&method.as_str()) && self.holds_bounded(ExprRef::new(list.file, whole), depth)
    }

    fn size_of_def(&self, at: DefRef, depth: usize) -> bool {
        let facts = self.facts(at.file);
        let def = facts.def(at.def);
        if def.kind == DefKind::Param || def.values.is_empty() {
            return self.size_of_value(&Eval::new(self).def(at), depth) || self.is_handed_few(at, depth);
        }
        // `jobs = jobs.filter(..)` brings nothing more.
        let own = || def.values.iter().filter(|&&value| !is_kept(facts, value, def.name));
        let depth = less_far(depth, own().count());
        let bounded = |&value: &ExprId| self.size_to(ExprRef::new(at.file, value), depth);
        // `queries = queries[:10]` has the last word.
        if def.values.len() > 1 && def.values.last().is_some_and(|&last| is_cut_short(facts, last)) {
            return true;
        }
        own().all(bounded) && !self.is_filled(at, depth)
    }

    /// Whether all callers of the program hand in what has a bound.
    fn is_handed_few(&self, at: DefRef, depth: usize) -> bool {
        let facts = self.facts(at.file);
        let def = facts.def(at.def);
        let taken = def.values.iter().find_map(|&value| match *facts.expr(value) {
            ExprKind::Param(function, index) => Some((function, usize::from(index))),
            _ => None,
        });
        let Some((function, index)) = taken else { return false };
        let callers = self.callers(FunctionRef::new(at.file, function));
        let handed = |call: &CallRef| {
            let args = &self.facts(call.file).call(call.call).args;
            let named = args.iter().find(|arg| arg.name == Some(def.name));
            let arg = named.or_else(|| args.get(index).filter(|arg| arg.name.is_none()));
            let arg = arg.map(|arg| ExprRef::new(call.file, arg.value));
            // `regions = regions or list(REGIONS)`, where a caller hands in nothing.
            let default = || stands_in(facts, def.name, &def.values).map(|instead| ExprRef::new(at.file, instead));
            match arg {
                Some(arg) => self.size_to(arg, depth) || self.is_measured(arg),
                None => default().is_some_and(|instead| self.size_to(instead, depth)),
            }
        };
        !callers.is_empty() && callers.iter().all(handed)
    }

    /// `i < 28`, `offset <= DAYS_AHEAD`.
    fn counts_to_few(&self, head: ExprRef) -> bool {
        let few =
            |part: ExprId| matches!(self.value(ExprRef::new(head.file, part)), Value::Number(number) if number <= MANY);
        let facts = self.facts(head.file);
        // `i < Math.min(3, names.length)`
        let least = |part: ExprId| match facts.expr(part) {
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                facts.last_name(call.callee).is_some_and(|name| name == "min")
                    && call.args.iter().any(|arg| few(arg.value))
            }
            _ => false,
        };
        match facts.expr(head.expr) {
            ExprKind::Op(Op::Compare, parts) => parts.iter().any(|&part| few(part) || least(part)),
            _ => false,
        }
    }

    /// `tasks.push(..)` in a loop: an empty list that is filled later is as large as what fills it.
    fn is_filled(&self, at: DefRef, depth: usize) -> bool {
        // `for (let day = 0; day < 28; day++)`
        let few = |head: ExprRef| self.counts_to_few(head) || self.size_to(head, depth);
        self.filling(at).into_iter().any(|head| !head.is_some_and(few))
    }

    /// The heads of the loops that put elements into a collection.
    pub(super) fn filling(&self, at: DefRef) -> Vec<Option<ExprRef>> {
        let facts = self.facts(at.file);
        let name = facts.def(at.def).name;
        let fills = facts.calls.iter().filter(|call| {
            let ExprKind::Member(base, method) = *facts.expr(call.callee) else { return false };
            matches!(method.as_str(), "push" | "append" | "extend" | "add" | "unshift" | "update" | "set")
                && matches!(*facts.expr(base), ExprKind::Ref(other, block)
                    if other == name && facts.lookup(block, name) == Some(at.def))
        });
        // A list that is made inside a loop is a new one each time.
        let made = facts.def(at.def).span;
        let around = fills.flat_map(|call| facts.enclosing(call.block)).filter(|(_, block)| !block.span.contains(made));
        let loops = around.filter_map(|(id, block)| match block.kind {
            BlockKind::Loop(head) => {
                let gone_through = |head: ExprId| match facts.expr(head) {
                    // `at < rows.length`, `day < 28`
                    ExprKind::Op(Op::Compare, _) => Some(run_through(facts, head, id).unwrap_or(head)),
                    // `while (nextPage)` says nothing of how often.
                    _ => {
                        let goes_through = |expr: &Expr| matches!(expr.kind, ExprKind::ElementOf(list) if list == head);
                        facts.exprs.iter().any(goes_through).then_some(head)
                    }
                };
                Some(head.and_then(gone_through).map(|head| ExprRef::new(at.file, head)))
            }
            _ => None,
        });
        loops.collect()
    }

    fn size_of_value(&self, value: &Value, depth: usize) -> bool {
        let expanded = self.expand(value);
        let one = |value: &Value| match value {
            Value::List(at) => self.size_to(*at, depth),
            Value::Object(_) | Value::Text(_) | Value::Env(_) => true,
            Value::External(external) => external.sites.iter().any(|&site| self.is_limited(site)),
            _ => false,
        };
        !expanded.is_unknown() && expanded.alternatives().iter().all(one)
    }

    fn size_of_call(&self, call: CallRef, depth: usize) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        if self.is_limited(call) || self.keys_asked(call).is_some_and(|keys| self.size_to(keys, depth)) {
            return true;
        }
        let first = shape.args.first().map(|arg| ExprRef::new(call.file, arg.value));
        let (base, name) = match *facts.expr(shape.callee) {
            ExprKind::Member(base, name) => (Some(base), name),
            ExprKind::Ref(name, _) => (None, name),
            _ => return false,
        };
        let lower = name.to_ascii_lowercase();
        if CUTS.iter().any(|cut| lower.contains(cut)) {
            // `slice(5)` leaves the rest, `slice(-5)` the last five.
            let count = shape.args.len();
            let last = first.is_some_and(|first| matches!(self.value(first), Value::Number(number) if number < 0.0));
            return lower != "slice" || count > 1 || last;
        }
        if let Some(base) = base {
            let dotted = match facts.expr(base) {
                ExprKind::Ref(object, _) => format!("{object}.{name}"),
                _ => String::new(),
            };
            if matches!(dotted.as_str(), "Object.keys" | "Object.values" | "Object.entries") {
                return first.is_some_and(|first| self.is_record(first));
            }
            if KEEPERS.contains(&dotted.as_str()) {
                return first.is_some_and(|first| self.size_to(first, depth));
            }
            // `process.env.ADMINS.split(",")`
            if name == "split" {
                let text = self.value(ExprRef::new(call.file, base));
                return matches!(text, Value::Env(_) | Value::Text(_)) || !text.envs().is_empty();
            }
            // The keys of one record are few, unless a loop fills it.
            if !is_script(facts) && matches!(name.as_str(), "items" | "keys" | "values") && shape.args.is_empty() {
                return self.is_record(ExprRef::new(call.file, base));
            }
            if KEEPS.contains(&name.as_str()) {
                return self.size_to(ExprRef::new(call.file, base), depth);
            }
            // `db.execute(query)`
            if matches!(name.as_str(), "execute" | "scalars") && first.is_some_and(|query| self.is_limited_query(query))
            {
                return true;
            }
        } else if KEEPERS.contains(&name.as_str()) {
            return first.is_none_or(|first| self.size_to(first, depth));
        } else if name == "range" {
            // `range(0, len(xs), 20)` takes a part at a time.
            let args: Vec<ExprRef> = shape.args.iter().map(|arg| ExprRef::new(call.file, arg.value)).collect();
            return match args[..] {
                [to] => self.is_at_most(to, MANY, 4),
                [from, to] => self.is_at_most(to, MANY, 4) || self.is_few_on(from, to),
                _ => true,
            };
        }
        // A function of the program that gives a list.
        let returned = self.edges(call).iter().filter(|edge| edge.kind == crate::program::EdgeKind::Direct);
        let returned: Vec<ExprRef> = returned.flat_map(|edge| self.returns_of(edge.target)).collect();
        !returned.is_empty() && returned.iter().all(|&value| self.size_to(value, depth))
    }

    /// Whether an object is a record rather than a collection that a loop fills: `groups[key] = ..`.
    fn is_record(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let ExprKind::Ref(name, block) = *facts.expr(at.expr) else { return true };
        let Some(def) = facts.lookup(block, name) else { return true };
        let of = |base: ExprId| matches!(*facts.expr(base), ExprKind::Ref(other, block) if other == name && facts.lookup(block, name) == Some(def));
        let made_by_reduce = facts.def(def).values.iter().any(|&value| match facts.expr(value) {
            ExprKind::Call(call) => matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(_, name)
                if matches!(name.as_str(), "reduce" | "groupBy" | "fromEntries")),
            _ => false,
        });
        let filled = facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
            Step::Assign(target, _) => matches!(*facts.expr(*target), ExprKind::Index(base, _) if of(base)),
            _ => false,
        });
        !filled && !made_by_reduce && !self.is_filled(DefRef::new(at.file, def), 3)
    }

    /// `req.files` behind `upload.array("files", 10)`: what reads uploads refuses more.
    fn is_uploaded(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        if !matches!(facts.expr(at.expr), ExprKind::Member(_, name) if *name == "files") {
            return false;
        }
        let few =
            |expr: ExprId| matches!(self.value(ExprRef::new(at.file, expr)), Value::Number(number) if number <= MANY);
        let mut takers = facts.calls.iter().filter_map(|call| match (facts.expr(call.callee), &call.args[..]) {
            (ExprKind::Member(_, name), [field, rest @ ..])
                if *name == "array" && matches!(facts.expr(field.value), ExprKind::Text(_)) =>
            {
                Some(rest.first().is_some_and(|most| few(most.value)))
            }
            _ => None,
        });
        takers.next().is_some_and(|first| first && takers.all(|few| few))
    }

    /// A list inside the one record or answer that a vendor gave.
    fn is_one_answer(&self, at: ExprRef) -> bool {
        self.value(at).externals().any(|external| external.sites.iter().any(|&site| self.is_limited(site)))
    }

    /// A part of what was cut: `for batch in chunks(xs, 50)`.
    fn is_cut(&self, list: ExprRef, depth: usize) -> bool {
        let facts = self.facts(list.file);
        match facts.expr(list.expr) {
            ExprKind::Call(call) => {
                let callee = facts.call(*call).callee;
                let name = match facts.expr(callee) {
                    ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name.to_ascii_lowercase(),
                    _ => return false,
                };
                CUTS.iter().any(|cut| name.contains(cut))
            }
            ExprKind::Ref(name, block) => {
                let named = CUTS.iter().any(|cut| name.to_ascii_lowercase().contains(cut));
                let def = facts.lookup(*block, *name);
                named
                    || depth > 0
                        && def.is_some_and(|def| {
                            let values = &facts.def(def).values;
                            values.iter().any(|&value| self.is_cut(ExprRef::new(list.file, value), depth - 1))
                        })
            }
            _ => false,
        }
    }

    /// Whether code refuses a collection that is too long: `if (ids.length > 50) return ..`.
    fn is_measured(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let Some(name) = facts.last_name(measured(facts, at.expr)) else { return false };
        let number = |expr: ExprId| match self.value(ExprRef::new(at.file, expr)) {
            Value::Number(number) => (2.0..=5.0 * MANY).contains(&number),
            _ => false,
        };
        facts.blocks.iter().any(|block| {
            let BlockKind::Then(condition) = block.kind else { return false };
            let leaves = block.steps.iter().any(|step| matches!(step, Step::Return(_) | Step::Throw(_)));
            // `if (rows.length <= 10) { for (..) }`
            let holds = block.span.contains(facts.span(at.expr));
            (leaves || holds) && measures(facts, condition, name, &number, 5)
        })
    }
}

/// What `Array.from(counts.entries())` is made of.
fn measured(facts: &Facts, expr: ExprId) -> ExprId {
    let mut at = expr;
    for _ in 0..4 {
        let ExprKind::Call(call) = *facts.expr(at) else { break };
        let call = facts.call(call);
        let ExprKind::Member(base, method) = *facts.expr(call.callee) else { break };
        at = match (facts.expr(base), &call.args[..]) {
            (ExprKind::Ref(object, _), [only]) if matches!(object.as_str(), "Array" | "Object") => only.value,
            _ if KEEPS.contains(&method.as_str()) => base,
            _ => break,
        };
    }
    at
}

/// `xs[:10]`, `xs.slice(0, 10)`.
fn is_cut_short(facts: &crate::facts::Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Index(_, index) => is_slice(facts, *index),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "slice") && call.args.len() > 1
        }
        _ => false,
    }
}

fn is_script(facts: &crate::facts::Facts) -> bool {
    facts.language.is_script()
}

/// Python's `[a:b]`, which reads as something that is no plain index.
fn is_slice(facts: &crate::facts::Facts, index: ExprId) -> bool {
    matches!(facts.expr(index), ExprKind::Unknown | ExprKind::List(_) | ExprKind::Op(Op::Other, _))
}

/// What takes the place of a parameter that nothing was handed in for: `xs = xs or list(ALL)`.
fn stands_in(facts: &Facts, name: Name, values: &[ExprId]) -> Option<ExprId> {
    values.iter().find_map(|&value| match facts.expr(value) {
        ExprKind::Op(Op::Or | Op::Nullish, parts) => match parts[..] {
            [own, instead] if matches!(facts.expr(own), ExprKind::Ref(of, _) if *of == name) => Some(instead),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a condition asks that a collection is longer than some number of elements.
fn measures(
    facts: &crate::facts::Facts,
    expr: ExprId,
    name: crate::names::Name,
    number: &dyn Fn(ExprId) -> bool,
    depth: usize,
) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Op(Op::Compare, parts) => {
            let long = parts.iter().any(|&part| number(part));
            let length = parts.iter().any(|&part| match *facts.expr(part) {
                ExprKind::Member(base, member) if member == "length" || member == "size" => {
                    facts.last_name(base) == Some(name)
                }
                ExprKind::Call(call) => {
                    let call = facts.call(call);
                    let is_len = matches!(facts.expr(call.callee), ExprKind::Ref(callee, _) if *callee == "len");
                    is_len && call.args.first().is_some_and(|arg| facts.last_name(arg.value) == Some(name))
                }
                _ => false,
            });
            long && length
        }
        ExprKind::Op(Op::And | Op::Or, parts) => parts.iter().any(|&part| measures(facts, part, name, number, depth)),
        _ => false,
    }
}

/// `jobs.filter(..)`, of a variable's own name: no more elements than it has.
pub(super) fn is_kept(facts: &Facts, value: ExprId, name: Name) -> bool {
    let ExprKind::Call(call) = facts.expr(value) else { return false };
    match *facts.expr(facts.call(*call).callee) {
        ExprKind::Member(base, method) if KEEPS.contains(&method.as_str()) => {
            matches!(*facts.expr(base), ExprKind::Ref(of, _) if of == name) || is_kept(facts, base, name)
        }
        _ => false,
    }
}
