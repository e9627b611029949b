//! How long a retry waits between two attempts.

use super::{Wait, at};
use crate::facts::{BlockKind, DefKind, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program, Value};

/// Names of functions that wait, of which nothing else is known.
const SLEEPS: &[&str] = &["sleep", "delay", "wait", "pause", "backoff", "settimeout", "timeout", "timer"];

/// How deep a delay is followed.
const DEEPEST: usize = 6;

/// How long code between two attempts waits; `again` is the call with which a function calls itself.
pub(super) fn between(
    program: &Program,
    file: FileId,
    region: Span,
    tried: &[CallRef],
    again: Option<(FunctionRef, CallRef)>,
) -> Wait {
    let facts = program.facts(file);
    let waiting = Waiting { program, file, facts, again };
    let mut found = Wait::None;
    for call in program.calls_of(file) {
        if !region.contains(facts.span(facts.call(call.call).expr)) {
            continue;
        }
        let wait = match waiting.sleep(call, 2) {
            Some(wait) => wait,
            None if !tried.contains(&call) && waiting.sounds_like_sleep(call) => Wait::Unknown,
            None => continue,
        };
        found = match (found, wait) {
            (Wait::None, wait) => wait,
            (found, Wait::None | Wait::Constant) => found,
            (Wait::Constant, wait) => wait,
            (found, _) => found,
        };
    }
    found
}

struct Waiting<'p> {
    program: &'p Program,
    file: FileId,
    facts: &'p Facts,
    again: Option<(FunctionRef, CallRef)>,
}

impl Waiting<'_> {
    /// How long a call waits, when it is known to.
    fn sleep(&self, call: CallRef, depth: usize) -> Option<Wait> {
        let shape = self.program.facts(call.file).call(call.call);
        let arg = |position: usize| shape.args.get(position).map(|arg| arg.value);
        for external in self.program.callee(call).externals() {
            let delay = match (external.package.as_str(), external.dotted().as_str()) {
                ("global:setTimeout", _) => arg(1),
                ("py:time" | "py:asyncio" | "global:Deno" | "global:Bun", name) if name.ends_with("sleep") => arg(0),
                (package, _) if package.contains("timers/promises") => arg(0),
                _ => continue,
            };
            return Some(match delay {
                None => Wait::None,
                Some(delay) if call.file == self.file => self.delay(delay, DEEPEST),
                Some(_) => Wait::Unknown,
            });
        }
        let depth = depth.checked_sub(1)?;
        let targets = self.program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        targets.filter_map(|edge| self.helper(edge.target, call, depth)).next()
    }

    /// How long a function of the program waits that does nothing else: `sleep(ms)`.
    fn helper(&self, function: FunctionRef, call: CallRef, depth: usize) -> Option<Wait> {
        let facts = self.program.facts(function.file);
        // It may stand in another file than the retry.
        let shape = self.program.facts(call.file).call(call.call);
        let small = facts.blocks.iter().filter(|block| block.function == function.function).count() <= 3;
        if !small {
            return None;
        }
        let inner = self.program.with_inner(function);
        // A timer that runs against some work waits no longer than that.
        let races = |at: CallRef| self.program.called_name(at).is_some_and(|name| name == "race");
        if inner.iter().flat_map(|&inner| self.program.calls_in(inner)).any(races) {
            return None;
        }
        let calls = inner.iter().flat_map(|&inner| self.program.calls_in(inner));
        for inside in calls {
            let timer = self.program.callee(inside).externals().find_map(|external| match external.package.as_str() {
                "global:setTimeout" => Some(1),
                "py:time" | "py:asyncio" if external.dotted().ends_with("sleep") => Some(0),
                package if package.contains("timers/promises") => Some(0),
                _ => None,
            });
            let Some(position) = timer else {
                if depth > 0 && self.sleep(inside, depth).is_some() {
                    return Some(Wait::Unknown);
                }
                continue;
            };
            let delay = facts.call(inside.call).args.get(position)?.value;
            return Some(match Eval::new(self.program).expr(at(function.file, delay)) {
                Value::Param(of, index) if of == function => match shape.args.get(index as usize) {
                    Some(arg) if call.file == self.file => self.delay(arg.value, DEEPEST),
                    None => Wait::Constant,
                    Some(_) => Wait::Unknown,
                },
                Value::Number(_) => Wait::Constant,
                _ if shape.args.is_empty() => Wait::Constant,
                _ => Wait::Unknown,
            });
        }
        None
    }

    /// Whether a call waits, by its name: a statement of its own. `fetch(url, { signal: AbortSignal.timeout(n) })` does
    /// not, nor does `const found = await withTimeout(..)`.
    fn sounds_like_sleep(&self, call: CallRef) -> bool {
        if !self.facts.call(call.call).dropped {
            return false;
        }
        let name = match self.facts.expr(self.facts.call(call.call).callee) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_ascii_lowercase(),
            _ => return false,
        };
        SLEEPS.iter().any(|sleep| name.contains(sleep))
    }

    /// How a delay changes from round to round.
    fn delay(&self, expr: ExprId, depth: usize) -> Wait {
        let Some(depth) = depth.checked_sub(1) else { return Wait::Unknown };
        let of_parts = |parts: &[ExprId]| {
            let waits: Vec<Wait> = parts.iter().map(|&part| self.delay(part, depth)).collect();
            [Wait::Growing, Wait::Unknown].into_iter().find(|wait| waits.contains(wait)).unwrap_or(Wait::Constant)
        };
        match self.facts.expr(expr) {
            ExprKind::Number(number) if *number <= 0.0 => Wait::None,
            ExprKind::Number(_) => Wait::Constant,
            ExprKind::Op(_, parts) => of_parts(parts),
            ExprKind::Index(_, index) => self.delay(*index, depth),
            ExprKind::Await(inner) => self.delay(*inner, depth),
            ExprKind::Call(call) => {
                let args: Vec<ExprId> = self.facts.call(*call).args.iter().map(|arg| arg.value).collect();
                match of_parts(&args) {
                    Wait::Growing => Wait::Growing,
                    // `Math.min(1000, 5000)`; anything else may be a header, a random value.
                    _ => Wait::Unknown,
                }
            }
            ExprKind::Ref(name, block) => match self.facts.lookup(*block, *name) {
                Some(def) => self.held(def, depth),
                None => Wait::Unknown,
            },
            ExprKind::Param(function, index) => self.param(*function, *index),
            _ => match self.program.value(at(self.file, expr)) {
                Value::Number(_) => Wait::Constant,
                _ => Wait::Unknown,
            },
        }
    }

    fn held(&self, def: crate::facts::DefId, depth: usize) -> Wait {
        let def = self.facts.def(def);
        let changes = def.values.len() > 1
            || def.values.iter().any(|&value| matches!(self.facts.expr(value), ExprKind::ElementOf(_)));
        match &def.values[..] {
            _ if changes && def.kind != DefKind::Constant => Wait::Growing,
            [only] => match self.facts.expr(*only) {
                ExprKind::ElementOf(_) => Wait::Growing,
                ExprKind::Imported(..) | ExprKind::Member(..) => match self.program.value(at(self.file, *only)) {
                    Value::Number(_) => Wait::Constant,
                    _ => Wait::Unknown,
                },
                _ => self.delay(*only, depth),
            },
            _ => Wait::Unknown,
        }
    }

    /// A parameter stays the same within one call; a function that calls itself may hand on another.
    fn param(&self, function: FunctionId, index: u16) -> Wait {
        let Some((own, again)) = self.again else { return Wait::Constant };
        if own.function != function {
            return Wait::Constant;
        }
        match self.facts.call(again.call).args.get(index as usize).map(|arg| self.facts.expr(arg.value)) {
            Some(ExprKind::Ref(..)) => Wait::Constant,
            Some(ExprKind::Op(..)) => Wait::Growing,
            _ => Wait::Unknown,
        }
    }
}

/// Whether a condition compares something: a count, a time.
pub(super) fn compares(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::Compare, parts) => !parts.iter().any(|&part| is_code(facts, part)),
        ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts.iter().any(|&part| match facts.expr(part) {
            ExprKind::Op(Op::Arithmetic | Op::Add, _) => true,
            ExprKind::Number(number) => *number < 100.0,
            _ => false,
        }),
        ExprKind::Op(_, parts) => parts.iter().any(|&part| compares(facts, part, depth)),
        _ => false,
    }
}

/// An answer's status.
fn is_code(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Number(code) if (100.0..600.0).contains(code))
}

/// What the conditions of a stretch of code say of the failures it tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codes {
    /// Nothing, or a failure that may come after the work was done.
    Any,
    /// The vendor refused the request for its rate.
    Rate,
    /// The request itself was refused: a token that has run out, a thing that is not there. Another one is made.
    Request,
}

/// Whether a number is the status of too many requests, or a vendor's own code with it in it: `20429`.
fn says_too_many(code: f64) -> bool {
    code >= 429.0 && code % 1000.0 == 429.0
}

/// Which failures the conditions in a stretch of code let go round: those of blocks that do not leave, and
/// `if (status !== 429) throw`.
pub(super) fn codes_in(facts: &Facts, region: Span) -> Codes {
    let leaves = |step: &Step| matches!(step, Step::Return(_) | Step::Throw(_) | Step::Break);
    let inside = || facts.blocks.iter().filter(|block| region.contains(block.span));
    let conditions = inside().filter_map(|block| match block.kind {
        BlockKind::Then(condition) => {
            let other = matches!(facts.expr(condition), ExprKind::Op(Op::Unequal | Op::Not, _));
            (block.steps.iter().any(leaves) == other).then_some(condition)
        }
        _ => None,
    });
    let tables = || {
        inside().any(|block| {
            matches!(block.kind, BlockKind::Then(condition) if only_of_table(facts, condition))
                && block.steps.iter().any(leaves)
        })
    };
    match codes(facts, conditions) {
        Codes::Any if tables() => Codes::Rate,
        codes => codes,
    }
}

/// Which failures conditions name.
pub(super) fn codes(facts: &Facts, conditions: impl Iterator<Item = ExprId>) -> Codes {
    let mut codes = Vec::new();
    conditions.for_each(|condition| numbers(facts, condition, 6, &mut codes));
    codes.retain(|code| *code >= 400);
    match codes.iter().any(|code| *code >= 500 || *code == 408) {
        true => Codes::Any,
        false if codes.contains(&429) => Codes::Rate,
        false if codes.is_empty() => Codes::Any,
        false => Codes::Request,
    }
}

/// Whether a loop is left unless a table says that a code of the vendor's own is tried again, among them the one for
/// its rate: `const kind = KINDS[code] || "never"; if (kind === "never") return`.
fn only_of_table(facts: &Facts, condition: ExprId) -> bool {
    let ExprKind::Op(Op::Equal, parts) = facts.expr(condition) else { return false };
    let [one, other] = parts[..] else { return false };
    let said = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Text(text) => Some(text.to_string()),
        _ => None,
    };
    let Some((kind, never)) = said(other).map(|text| (one, text)).or_else(|| said(one).map(|text| (other, text)))
    else {
        return false;
    };
    let only = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => *only,
            _ => expr,
        },
        _ => expr,
    };
    match facts.expr(only(kind)) {
        ExprKind::Op(Op::Or | Op::Nullish, parts) => {
            let [found, stand_in] = parts[..] else { return false };
            let ExprKind::Index(table, _) = *facts.expr(found) else { return false };
            let ExprKind::Object(entries) = facts.expr(only(table)) else { return false };
            let mut tried = entries.iter().filter(|&&(_, value)| said(value).is_some_and(|text| text != never));
            said(stand_in).is_some_and(|text| text == never)
                && tried.any(|(code, _)| code.parse::<f64>().is_ok_and(says_too_many))
        }
        // `code === "20429" ? "again" : "never"`
        ExprKind::Op(Op::Choose, parts) => {
            let [asked, _, stand_in] = parts[..] else { return false };
            let mut found = Vec::new();
            if matches!(facts.expr(asked), ExprKind::Op(Op::Equal, _)) {
                numbers(facts, asked, 4, &mut found);
            }
            said(stand_in).is_some_and(|text| text == never) && found == [429]
        }
        _ => false,
    }
}

fn numbers(facts: &Facts, expr: ExprId, depth: usize, found: &mut Vec<u32>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Number(number) if (100.0..600.0).contains(number) => found.push(*number as u32),
        ExprKind::Number(number) if says_too_many(*number) => found.push(429),
        // A code of the vendor's own is an answer: what got lost has none.
        ExprKind::Text(text) => match text.parse::<f64>() {
            Ok(number) if says_too_many(number) => found.push(429),
            _ => {}
        },
        ExprKind::Op(_, parts) | ExprKind::List(parts) => {
            parts.iter().for_each(|&part| numbers(facts, part, depth, found));
        }
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name).map(|def| facts.def(def));
            def.into_iter().flat_map(|def| &def.values).for_each(|&value| numbers(facts, value, depth, found));
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            call.args.iter().for_each(|arg| numbers(facts, arg.value, depth, found));
            if let ExprKind::Member(base, _) = *facts.expr(call.callee) {
                numbers(facts, base, depth, found);
            }
        }
        _ => {}
    }
}
