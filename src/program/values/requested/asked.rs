//! Whether a value that the request brings is asked for before it is used: compared with what the server knows,
//! looked up in a list, or only kept within bounds.

use super::{Source, outermost};
use crate::facts::{Block, BlockKind, ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Gate, Program};

/// How a value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Not at all, or only whether it is there.
    No,
    /// It is kept between constant bounds.
    Bounded,
    /// It is compared with, or looked up in, what the server knows.
    Checked,
}

/// Methods that look a value up, or ask whether a list has it.
const LOOKS_UP: &[&str] = &[
    "includes",
    "has",
    "hasOwn",
    "hasOwnProperty",
    "indexOf",
    "eq",
    "in",
    "match",
    "where",
    "find",
    "findOne",
    "findFirst",
    "findUnique",
    "filter",
    "filter_by",
    "get",
    "retrieve",
    "safeParse",
    "get_or_404",
    "first_or_404",
];

/// Words of own functions that ask whether a value holds.
const ASKS: &[&str] = &[
    "valid",
    "validate",
    "validated",
    "verify",
    "check",
    "ensure",
    "assert",
    "allowed",
    "allow",
    "resolve",
    "lookup",
    "is",
    "known",
    "find",
    "get",
    "load",
    "fetch",
    "calculate",
    "compute",
    "for",
    "map",
    "by",
    "from",
    "sanitize",
];

impl Program {
    /// Whether a value of the request is asked for on its way to a call: by any of the names it goes by, in any of
    /// the functions it passes.
    pub fn is_asked_for(&self, source: &Source, before: CallRef) -> Asked {
        let mut functions: Vec<FunctionRef> = source.functions.iter().map(|&at| outermost(self, at)).collect();
        functions.push(outermost(self, self.function_of(before)));
        // What stands in front of a route may ask, too.
        let gates = functions.iter().flat_map(|&function| self.entries_of(function));
        let gates = gates.flat_map(|&entry| &self.entries[entry].middleware);
        let gates: Vec<FunctionRef> = gates
            .filter_map(|gate| match gate {
                Gate::Function(function) => Some(*function),
                _ => None,
            })
            .collect();
        functions.extend(gates);
        functions.sort();
        functions.dedup();
        let asked = functions.into_iter().map(|function| {
            let place = self.call_place(before);
            let holds = function.file == before.file
                && self.facts(function.file).function(function.function).span.contains(place.span);
            let end = holds.then_some(place.span.start);
            asked_in(self, function, &source.names, end)
        });
        asked.max().unwrap_or(Asked::No)
    }
}

/// Names that are too common to tell one value from another.
fn tells(name: Name) -> bool {
    !matches!(
        name.as_str(),
        "body"
            | "data"
            | "req"
            | "request"
            | "json"
            | "items"
            | "item"
            | "input"
            | "query"
            | "params"
            | "form"
            | "ctx"
            | "payload"
    )
}

fn asked_in(program: &Program, function: FunctionRef, names: &[Name], before: Option<u32>) -> Asked {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let is = |expr: ExprId| mentions(facts, expr, names, 4);
    let mut asked = in_schemas(program, function, names);
    for expr in &facts.exprs {
        let inside = span.contains(expr.span) && before.is_none_or(|before| expr.span.start < before);
        if !inside {
            continue;
        }
        let found = match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal | Op::Compare, parts) if parts.len() == 2 => {
                match (is(parts[0]), is(parts[1])) {
                    (true, false) => compared(facts, parts[1]),
                    (false, true) => compared(facts, parts[0]),
                    // `order.amount !== amount`
                    (true, true) => Asked::Checked,
                    _ => Asked::No,
                }
            }
            ExprKind::Op(Op::In, parts) if parts.first().is_some_and(|&first| is(first)) => Asked::Checked,
            ExprKind::Index(base, index) if is(*index) && !is(*base) => Asked::Checked,
            ExprKind::Call(call) => {
                let by_name = match looked_up(facts, facts.call(*call), &is) {
                    Asked::Checked => bounds_of(program, CallRef::new(function.file, *call)).unwrap_or(Asked::Checked),
                    asked => asked,
                };
                by_name.max(queried(facts, facts.call(*call), &is))
            }
            // `sql`SELECT id FROM prices WHERE id = ${priceId}``
            ExprKind::Template(parts) if parts.iter().any(|&part| is(part)) && looks_up_rows(facts, parts) => {
                Asked::Checked
            }
            _ => Asked::No,
        };
        asked = asked.max(found);
    }
    asked
}

/// What the schemas that a function, or the file it stands in, uses ask of the value:
/// `z.object({ plan: z.enum(["basic", "pro"]) })`.
fn in_schemas(program: &Program, function: FunctionRef, names: &[Name]) -> Asked {
    let mut files = vec![function.file];
    for inner in program.with_inner(function) {
        let externals = program.calls_in(inner).flat_map(|call| program.callee(call).externals());
        files.extend(externals.filter(|external| external.sites.len() > 1).map(|external| external.sites[0].file));
    }
    files.sort();
    files.dedup();
    let asked = files.into_iter().flat_map(|file| {
        let facts = program.facts(file);
        let entries = facts.objects().flat_map(|(_, entries)| entries);
        let named = entries.filter(|(key, _)| names.contains(key) && tells(*key));
        named.map(|&(_, schema)| of_schema(facts, schema, 8)).collect::<Vec<_>>()
    });
    asked.max().unwrap_or(Asked::No)
}

/// Whether an expression is the value under one of its names, perhaps converted.
fn mentions(facts: &Facts, expr: ExprId, names: &[Name], depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => tells(*name) && names.contains(name),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let converts = call.args.len() <= 2 && call.args.iter().any(|arg| mentions(facts, arg.value, names, depth));
            let method =
                matches!(facts.expr(call.callee), ExprKind::Member(base, _) if mentions(facts, *base, names, depth));
            converts || method
        }
        ExprKind::Op(Op::Add | Op::Arithmetic | Op::Or | Op::Nullish, parts) => {
            parts.iter().any(|&part| mentions(facts, part, names, depth))
        }
        ExprKind::Await(inner) => mentions(facts, *inner, names, depth),
        _ => false,
    }
}

/// What a comparison with the other side tells.
fn compared(facts: &Facts, other: ExprId) -> Asked {
    match facts.expr(other) {
        ExprKind::Null | ExprKind::Bool(_) => Asked::No,
        ExprKind::Number(number) if *number == 0.0 => Asked::No,
        ExprKind::Number(_) => Asked::Bounded,
        // `typeof amount !== "number"` compares the type; the type's name says so.
        ExprKind::Text(text)
            if matches!(text.as_str(), "" | "number" | "string" | "undefined" | "object" | "boolean") =>
        {
            Asked::No
        }
        ExprKind::Text(_) => Asked::Checked,
        // `amount < MIN_AMOUNT`
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) if is_bound(*name) => Asked::Bounded,
        ExprKind::Op(Op::TypeOf, _) => Asked::No,
        _ => Asked::Checked,
    }
}

fn is_bound(name: Name) -> bool {
    words(&name).iter().any(|word| matches!(word.as_str(), "min" | "max" | "minimum" | "maximum" | "limit" | "cap"))
}

/// Whether a call looks the value up, or hands it to what checks.
fn looked_up(facts: &Facts, call: &crate::facts::Call, is: &dyn Fn(ExprId) -> bool) -> Asked {
    let given = call.args.iter().any(|arg| match facts.expr(arg.value) {
        ExprKind::Object(entries) => entries.iter().any(|&(_, value)| match facts.expr(value) {
            ExprKind::Object(inner) => inner.iter().any(|&(_, value)| is(value)),
            _ => is(value),
        }),
        _ => is(arg.value),
    });
    if !given {
        return Asked::No;
    }
    match facts.expr(call.callee) {
        ExprKind::Member(base, name) => {
            let reads = matches!(facts.expr(*base), ExprKind::Ref(of, _) if matches!(of.as_str(), "Number" | "Math" | "JSON" | "console"));
            let by_name = LOOKS_UP.contains(&name.as_str());
            let asks = words(name).iter().any(|word| ASKS[..9].contains(&word.as_str()));
            if !reads && (by_name || asks) { Asked::Checked } else { Asked::No }
        }
        ExprKind::Ref(name, _) => {
            let builtin =
                matches!(name.as_str(), "isNaN" | "isFinite" | "isinstance" | "parseInt" | "parseFloat" | "Number");
            let words = words(name);
            if !builtin && words.iter().any(|word| ASKS.contains(&word.as_str())) { Asked::Checked } else { Asked::No }
        }
        _ => Asked::No,
    }
}

/// Functions that make a number of a value, ask whether it is one, or say what is wrong.
const OF_NUMBERS: &[&str] = &[
    "isFinite",
    "isNaN",
    "isInteger",
    "isSafeInteger",
    "Number",
    "parseFloat",
    "parseInt",
    "String",
    "abs",
    "round",
    "floor",
    "ceil",
    "toFixed",
    "trim",
    "isinstance",
    "float",
    "int",
    "Decimal",
    "log",
    "warn",
    "error",
    "Error",
    "TypeError",
    "RangeError",
    "ValueError",
];

/// Words of own functions that say no more than whether a value will do.
const CHECKS: &[&str] =
    &["valid", "validate", "validated", "verify", "check", "ensure", "assert", "allowed", "allow", "is", "sanitize"];

/// What an own function asks of a value that only holds it against numbers, whatever its name says:
/// `validateAmount = (amount) => amount > 0 && amount <= 5000`; none where it may ask for more.
fn bounds_of(program: &Program, call: CallRef) -> Option<Asked> {
    let checks = |word: &String| CHECKS.contains(&word.as_str());
    program.called_name(call).filter(|name| words(name).iter().any(checks))?;
    let mut edges = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).peekable();
    edges.peek()?;
    edges.map(|edge| bounds_in(program, edge.target)).try_fold(Asked::No, |asked, found| Some(asked.max(found?)))
}

fn bounds_in(program: &Program, function: FunctionRef) -> Option<Asked> {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let cases = |block: &Block| matches!(block.kind, BlockKind::Case(..)) && span.contains(block.span);
    if facts.blocks.iter().any(cases) {
        return None;
    }
    let mut asked: Option<Asked> = None;
    for expr in facts.exprs.iter().filter(|expr| span.contains(expr.span)) {
        match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal | Op::Compare, parts) => {
                let least = parts.iter().map(|&part| compared(facts, part)).min()?;
                if least == Asked::Checked {
                    return None;
                }
                asked = asked.max(Some(least));
            }
            ExprKind::Op(Op::In | Op::Arithmetic, _) | ExprKind::Index(..) | ExprKind::Await(_) => return None,
            ExprKind::Call(call) => {
                let name = facts.last_name(facts.call(*call).callee)?;
                if !OF_NUMBERS.contains(&name.as_str()) {
                    return None;
                }
            }
            _ => {}
        }
    }
    asked
}

/// Whether a statement's texts look rows up: `select .. where ..`.
fn looks_up_rows(facts: &Facts, parts: &[ExprId]) -> bool {
    let said: String = parts
        .iter()
        .filter_map(|&part| match facts.expr(part) {
            ExprKind::Text(text) => Some(text.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    said.trim_start().starts_with("select") && said.contains("where")
}

/// Whether a statement that looks rows up is run with the value: `query("select .. where id = $1", [priceId])`.
fn queried(facts: &Facts, call: &crate::facts::Call, is: &dyn Fn(ExprId) -> bool) -> Asked {
    let [statement, values, ..] = &*call.args else { return Asked::No };
    let given = match facts.expr(values.value) {
        ExprKind::List(items) => items.iter().any(|&item| is(item)),
        ExprKind::Object(entries) => entries.iter().any(|&(_, value)| is(value)),
        _ => is(values.value),
    };
    // `text("select ..")`
    let text = match facts.expr(statement.value) {
        ExprKind::Call(inner) => facts.call(*inner).args.first().map_or(statement.value, |arg| arg.value),
        _ => statement.value,
    };
    if given && looks_up_rows(facts, &[text]) { Asked::Checked } else { Asked::No }
}

/// What a schema asks of a value.
fn of_schema(facts: &Facts, schema: ExprId, depth: usize) -> Asked {
    let Some(depth) = depth.checked_sub(1) else { return Asked::No };
    let ExprKind::Call(call) = facts.expr(schema) else { return Asked::No };
    let call = facts.call(*call);
    let ExprKind::Member(base, name) = facts.expr(call.callee) else { return Asked::No };
    let own = match name.as_str() {
        "enum" | "nativeEnum" | "literal" | "oneOf" | "picklist" | "refine" | "valid" | "union" => Asked::Checked,
        "min" | "max" | "gte" | "lte" | "positive" => Asked::Bounded,
        _ => Asked::No,
    };
    own.max(of_schema(facts, *base, depth))
}
