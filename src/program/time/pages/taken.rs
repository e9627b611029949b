//! Collections that code takes as a whole: goes through, adds up, counts, or looks one up in.

use rustc_hash::FxHashSet;

use crate::catalogue::Effect;
use crate::facts::{BlockId, BlockKind, Call, Expr, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::Program;
use crate::program::verify::words;

/// Methods that take every element of a list to decide or to add up.
const TAKES_ALL: &[&str] = &["forEach", "reduce", "find", "some", "every"];

/// Those that look one up: what is not on the page is not found.
const LOOKS_UP: &[&str] = &["find", "some"];

/// What a collection is gone through for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    /// Something is sent for each element.
    pub sends: bool,
    /// They are added up, or counted for a total.
    pub adds_up: bool,
    /// Nothing but how many there are is asked.
    pub counts: bool,
    /// One of them is looked for.
    pub looks_up: bool,
    /// Those are kept that another list names.
    pub picks: bool,
    /// A file is made of them, for people to keep.
    pub exports: bool,
    /// They are added up, and elsewhere something is sent for each of them.
    pub sends_beside: bool,
}

impl Program {
    /// The collections that a file goes through as a whole, where, and what for.
    pub(super) fn taken_whole(&self, file: FileId, facts: &Facts) -> Vec<(ExprId, Span, Taken)> {
        let sending: FxHashSet<ExprId> = self
            .iterations()
            .iter()
            .filter(|iteration| iteration.place.file == file && !self.sent_by(iteration).is_empty())
            .map(|iteration| iteration.collection.expr)
            .collect();
        let whole = |sends: bool| Taken { sends, ..Taken::default() };
        // `batch.send(people.map((person) => ({ to: person.email })))`
        let sends: Vec<Span> = self
            .vendor_uses()
            .iter()
            .filter(|used| used.at.file == file && self.operation(used).is_some_and(|op| op.effect == Effect::Send))
            .map(|used| facts.span(facts.call(used.at.call).expr))
            .collect();
        let mut found: Vec<(ExprId, Span, Taken)> =
            sending.iter().map(|&list| (list, facts.span(list), whole(true))).collect();
        // `writer.writerow([order.id, order.total])`
        let is_row = |call: &&Call| matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "writerow");
        let rows: Vec<Span> = facts.calls.iter().filter(is_row).map(|call| facts.span(call.expr)).collect();
        let says_csv = |expr: &Expr| matches!(&expr.kind, ExprKind::Text(text) if text.starts_with("text/csv"));
        let is_csv = facts.exprs.iter().any(says_csv);
        // `writer.writerows([o.id, o.total] for o in orders)`, `"\n".join(line(o) for o in orders)`
        let takes_rows = |call: &&Call| match *facts.expr(call.callee) {
            ExprKind::Member(_, name) if name == "writerows" => true,
            ExprKind::Member(between, name) if name == "join" => is_csv && is_line_end(facts, between),
            _ => false,
        };
        let tables: Vec<Span> = facts.calls.iter().filter(takes_rows).map(|call| facts.span(call.expr)).collect();
        let adding = adding_loops(facts);
        for (id, block) in facts.blocks.iter().enumerate() {
            if let BlockKind::Loop(Some(list)) = block.kind {
                let adds_up = adding.contains(&BlockId(id as u32));
                let exports = rows.iter().any(|row| block.span.contains(*row))
                    || tables.iter().any(|table| table.contains(block.span));
                found.push((list, facts.span(list), Taken { adds_up, exports, ..whole(sending.contains(&list)) }));
            }
        }
        for call in &facts.calls {
            let looks_up = Taken { looks_up: true, ..Taken::default() };
            match *facts.expr(call.callee) {
                // `Object.fromEntries(users.map((user) => [user.id, user.phone]))`
                ExprKind::Member(_, name) if name == "fromEntries" => {
                    found.extend(
                        mapped(facts, call.args.first().map(|arg| arg.value)).map(|(list, at)| (list, at, looks_up)),
                    );
                }
                ExprKind::Ref(name, _) if name == "Map" && call.is_new => {
                    found.extend(
                        mapped(facts, call.args.first().map(|arg| arg.value)).map(|(list, at)| (list, at, looks_up)),
                    );
                }
                ExprKind::Member(list, name)
                    if name == "map" && sends.iter().any(|send| send.contains(facts.span(call.expr))) =>
                {
                    found.push((list, facts.span(list), whole(true)));
                }
                // `orders.map((order) => ..).join("\n")`, in a file that answers with a table
                ExprKind::Member(made, name) if name == "join" && is_csv && ends_lines(facts, call) => {
                    let exports = Taken { exports: true, ..Taken::default() };
                    found.extend(mapped(facts, Some(made)).map(|(list, at)| (list, at, exports)));
                }
                // `users.filter((user) => ids.includes(user.id))`
                ExprKind::Member(list, name) if name == "filter" && picks_some(facts, call) => {
                    found.push((list, facts.span(call.callee), Taken { picks: true, ..looks_up }));
                }
                ExprKind::Member(list, name) if TAKES_ALL.contains(&name.as_str()) => {
                    let looks_up = LOOKS_UP.contains(&name.as_str());
                    let adds_up = name == "reduce";
                    let taken = Taken { looks_up, adds_up, ..Taken::default() };
                    found.push((list, facts.span(call.callee), taken));
                }
                _ => {}
            }
        }
        found.extend(totals(facts).map(|(list, at)| (list, at, Taken { adds_up: true, counts: true, ..whole(false) })));
        found.sort_by_key(|&(list, _, taken)| (list, !taken.sends, !taken.adds_up, !taken.exports, taken.counts));
        found.dedup_by_key(|&mut (list, ..)| list);
        found
    }
}

/// Whether a filter keeps those that another list names, not all others.
fn picks_some(facts: &Facts, call: &Call) -> bool {
    let Some(asks) = call.args.first().map(|arg| arg.value) else { return false };
    let ExprKind::Function(_) = facts.expr(asks) else { return false };
    let within = facts.span(asks);
    facts.calls.iter().filter(|inner| within.contains(facts.span(inner.expr))).any(|inner| {
        let named = matches!(*facts.expr(inner.callee), ExprKind::Member(base, name)
            if (name == "includes" || name == "has") && matches!(facts.expr(base), ExprKind::Ref(..)));
        let by_field = inner.args.first().is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Member(..)));
        // `!known.has(user.id)` keeps everybody else.
        let turned = || {
            facts
                .exprs
                .iter()
                .any(|expr| matches!(&expr.kind, ExprKind::Op(Op::Not, parts) if parts.contains(&inner.expr)))
        };
        named && by_field && !turned()
    })
}

/// Whether a `join` puts its parts on lines of their own.
fn ends_lines(facts: &Facts, call: &Call) -> bool {
    call.args.first().is_some_and(|arg| is_line_end(facts, arg.value))
}

fn is_line_end(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Text(text) if text.contains('\n'))
}

/// The list of whose elements another is made: `users.map(..)`.
fn mapped(facts: &Facts, expr: Option<ExprId>) -> Option<(ExprId, Span)> {
    let ExprKind::Call(call) = *facts.expr(expr?) else { return None };
    match *facts.expr(facts.call(call).callee) {
        ExprKind::Member(list, name) if name == "map" || name == "flatMap" => Some((list, facts.span(list))),
        _ => None,
    }
}

/// The loops that add up what they go through, all of it or what a condition lets through.
fn adding_loops(facts: &Facts) -> FxHashSet<BlockId> {
    // `sum(order["total"] for order in orders)`
    let plain = |call: &&Call| matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if *name == "sum");
    let sums: Vec<Span> = facts.calls.iter().filter(plain).map(|call| facts.span(call.expr)).collect();
    let ids = (0..facts.blocks.len()).map(|id| BlockId(id as u32));
    let adding = ids.filter_map(|id| {
        let block = facts.block(id);
        let adds = match block.kind {
            BlockKind::Loop(_) => sums.iter().any(|sum| sum.contains(block.span)),
            _ => false,
        };
        if !adds && !block.steps.iter().any(|step| adds_up(facts, step) || counts_by_key(facts, step)) {
            return None;
        }
        let mut around = facts.enclosing(id);
        let (id, around) =
            around.find(|(_, around)| !matches!(around.kind, BlockKind::Then(_) | BlockKind::Else(_)))?;
        matches!(around.kind, BlockKind::Loop(_)).then_some(id)
    });
    adding.collect()
}

/// Whether a step counts or adds up by a key: `stats.set(key, (stats.get(key) ?? 0) + 1)`, `stats[key] += 1`.
fn counts_by_key(facts: &Facts, step: &Step) -> bool {
    let (holder, key, value) = match *step {
        Step::Assign(target, value) => match *facts.expr(target) {
            ExprKind::Index(holder, key) => (holder, key, value),
            _ => return false,
        },
        Step::Eval(expr) => {
            let ExprKind::Call(call) = *facts.expr(expr) else { return false };
            let call = facts.call(call);
            match (facts.expr(call.callee), &call.args[..]) {
                (ExprKind::Member(holder, name), [key, value]) if *name == "set" => (*holder, key.value, value.value),
                _ => return false,
            }
        }
        _ => return false,
    };
    let ExprKind::Ref(name, _) = facts.expr(holder) else { return false };
    let ExprKind::Op(Op::Add, parts) = facts.expr(value) else { return false };
    let Some((before, more)) = parts.split_first() else { return false };
    let asks_holder = || {
        let span = facts.span(*before);
        facts
            .exprs
            .iter()
            .any(|expr| span.contains(expr.span) && matches!(&expr.kind, ExprKind::Ref(of, _) if of == name))
    };
    !matches!(facts.expr(key), ExprKind::Text(_) | ExprKind::Number(_))
        && more.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(_)) || is_field(facts, part, 4))
        && asks_holder()
}

/// Whether a step of a loop adds a field of something to what was added up before: `total += order.total`.
fn adds_up(facts: &Facts, step: &Step) -> bool {
    let Step::Bind(def, value) = *step else { return false };
    let name = facts.def(def).name;
    match facts.expr(value) {
        ExprKind::Op(Op::Add, parts) => {
            let before =
                matches!(parts.first().map(|&part| facts.expr(part)), Some(ExprKind::Ref(of, _)) if *of == name);
            before && parts.iter().skip(1).any(|&part| is_field(facts, part, 4))
        }
        _ => false,
    }
}

/// `order.total`, `Number(order.total ?? 0)`
fn is_field(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Member(..) => true,
        ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&part| is_field(facts, part, depth)),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let plain = matches!(facts.expr(call.callee), ExprKind::Ref(..));
            plain && call.args.first().is_some_and(|arg| is_field(facts, arg.value, depth))
        }
        _ => false,
    }
}

/// The lists of which nothing but their number is told as a total: `{ total: rows.length }`,
/// `all - new Set(rows.map(..)).size`.
fn totals(facts: &Facts) -> impl Iterator<Item = (ExprId, Span)> + '_ {
    let says_total = |name: &str| {
        words(name)
            .iter()
            .any(|word| matches!(word.as_str(), "total" | "totals" | "count" | "counts" | "number" | "n" | "num"))
    };
    // What is only logged.
    let logs = |callee: ExprId| {
        facts.last_name(callee).is_some_and(|name| {
            matches!(
                words(&name).first().map_or("", |word| word),
                "log" | "logger" | "info" | "warn" | "error" | "debug"
            )
        })
    };
    let logged: Vec<Span> =
        facts.calls.iter().filter(|call| logs(call.callee)).map(|call| facts.span(call.expr)).collect();
    // Beside the rows themselves it says how many of them are shown.
    let shown: FxHashSet<Name> = facts
        .exprs
        .iter()
        .filter_map(|expr| match &expr.kind {
            ExprKind::Object(entries) => Some(entries),
            _ => None,
        })
        .flat_map(|entries| entries.iter().filter_map(|&(_, value)| variable(facts, value)))
        .collect();
    let of_objects = facts.exprs.iter().flat_map(move |expr| -> Vec<ExprId> {
        match &expr.kind {
            ExprKind::Object(entries) if !logged.iter().any(|call| call.contains(expr.span)) => {
                entries.iter().filter(|(key, _)| says_total(key)).map(|&(_, value)| value).collect()
            }
            // A share of them, or a difference.
            ExprKind::Op(Op::Arithmetic, parts) => parts.to_vec(),
            _ => vec![],
        }
    });
    let of_names = facts.defs.iter().filter(move |def| says_total(&def.name)).flat_map(|def| def.values.to_vec());
    let lists = of_objects.chain(of_names).filter_map(|value| counted(facts, value, 5));
    lists.filter(move |&(list, _)| variable(facts, list).is_none_or(|name| !shown.contains(&name)))
}

/// The variable that an expression is: `rows`, `rows ?? []`.
fn variable(facts: &Facts, expr: ExprId) -> Option<Name> {
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => Some(*name),
        ExprKind::Op(Op::Or | Op::Nullish, parts) => match facts.expr(*parts.first()?) {
            ExprKind::Ref(name, _) => Some(*name),
            _ => None,
        },
        _ => None,
    }
}

/// The list whose number an expression is.
fn counted(facts: &Facts, expr: ExprId, depth: usize) -> Option<(ExprId, Span)> {
    let depth = depth.checked_sub(1)?;
    match *facts.expr(expr) {
        ExprKind::Member(list, name) if name == "length" => Some((list, facts.span(expr))),
        ExprKind::Member(set, name) if name == "size" => {
            made_of(facts, set, depth).map(|(list, _)| (list, facts.span(expr)))
        }
        ExprKind::Op(Op::Or | Op::Nullish, ref parts) => counted(facts, *parts.first()?, depth),
        // Python's `len(rows)`.
        ExprKind::Call(call) => {
            let call = facts.call(call);
            let list = call.args.first()?.value;
            matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if *name == "len")
                .then(|| (list, facts.span(expr)))
        }
        _ => None,
    }
}

/// The list of which a set is made: `new Set(rows.map(..))`.
fn made_of(facts: &Facts, set: ExprId, depth: usize) -> Option<(ExprId, Span)> {
    let depth = depth.checked_sub(1)?;
    match *facts.expr(set) {
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(block, name)?).values[..] {
            [only] => made_of(facts, only, depth),
            _ => None,
        },
        ExprKind::Call(call) => {
            let call = facts.call(call);
            let is_set = call.is_new && matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if name == "Set");
            mapped(facts, call.args.first().filter(|_| is_set).map(|arg| arg.value))
        }
        _ => None,
    }
}
