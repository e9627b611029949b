//! Retry helpers and decorators of libraries: their defaults and options are catalogue data.

use rustc_hash::FxHashMap;

use super::{How, Limit, Retry, Trigger, Wait, at, functions};
use crate::catalogue::{Growth, Known, KnownRole, Retries};
use crate::facts::{ExprKind, Facts};
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, FunctionRef, HttpUse, Program, Value};

/// The packages that may hold a retry helper: most calls are of others, and need not be looked up.
#[derive(Default)]
pub(super) struct Helpers(FxHashMap<Name, bool>);

impl Helpers {
    fn has(&mut self, program: &Program, package: Name) -> bool {
        // `pypi:google.api_core` is found under `pypi:google`.
        let top = |name: &str| name.split('.').next().map(str::to_owned);
        *self.0.entry(package).or_insert_with(|| {
            let wanted = top(&package);
            let functions = program.catalogue.functions().iter();
            functions.filter(|known| known.role == KnownRole::Retry).any(|known| top(&known.package) == wanted)
        })
    }
}

/// The uses of retry helpers in a file.
pub(super) fn in_file(program: &Program, file: FileId, facts: &Facts, helpers: &mut Helpers) -> Vec<Retry> {
    let mut found = Vec::new();
    for call in program.calls_of(file) {
        let may = program.callee(call).externals().any(|external| helpers.has(program, external.package));
        if may && program.has_role(call, KnownRole::Retry) {
            found.extend(client_helped(program, call));
            let args = &facts.call(call.call).args;
            let handed =
                args.iter().filter(|arg| matches!(facts.expr(arg.value), ExprKind::Function(_) | ExprKind::Ref(..)));
            let handed: Vec<FunctionRef> =
                handed.flat_map(|arg| program.value(at(file, arg.value)).functions().collect::<Vec<_>>()).collect();
            let how = How::Helper(call);
            found.extend(handed.iter().map(|&function| {
                let place = program.call_place(call);
                helped(program, how, place, function, known(program, call), Some(call))
            }));
        }
    }
    for (function, shape) in functions(&facts.functions, file) {
        for &decorator in &shape.decorators {
            let (callee, call) = match facts.expr(decorator) {
                ExprKind::Call(call) => (facts.call(*call).callee, Some(CallRef::new(file, *call))),
                _ => (decorator, None),
            };
            let value = program.value(at(file, callee));
            if program.is_retry_helper(&value) {
                let how = How::Decorator(at(file, decorator));
                let place = program.place(at(file, decorator));
                found.push(helped(program, how, place, function, known_of(program, &value), call));
            }
        }
    }
    found
}

/// A helper that is handed a client: it repeats the client's requests, wherever they are sent from.
fn client_helped(program: &Program, call: CallRef) -> Option<Retry> {
    let known = known(program, call)?;
    let retries = known.retries.as_ref()?;
    let at = retries.client?;
    let client = Eval::new(program).argument(call, at);
    let client = client.externals().next()?;
    if let Some(condition) = &retries.condition {
        let options = program.facts(call.file).call(call.call).args.get(at + 1);
        let options = options.map(|arg| program.value(ExprRef::new(call.file, arg.value)));
        match options.map_or(Lookup::Absent, |options| program.lookup(&options, Name::new(condition))) {
            Lookup::Absent => {}
            // One of the library's own: all of them try again what may have been done.
            Lookup::Present(value) if value.externals().any(|external| *external.package == *known.package) => {}
            Lookup::Present(_) | Lookup::Unknown => return None,
        }
    }
    let made = client.sites.last().copied();
    let is_sent_by = |http: &&HttpUse| match made {
        Some(_) => http.instance == made,
        None => {
            let callee = program.callee(http.inner);
            http.instance.is_none() && callee.externals().any(|external| external.package == client.package)
        }
    };
    let function = program.function_of(call);
    Some(Retry {
        how: How::Helper(call),
        place: program.call_place(call),
        function,
        region: program.call_place(call).span,
        tried: program.requests().iter().filter(is_sent_by).map(|http| http.at).collect(),
        trigger: Trigger::Thrown,
        limit: limit(program, retries, Some(call)),
        wait: wait(program, retries, Some(call)),
        only_refused: false,
    })
}

fn known(program: &Program, call: CallRef) -> Option<&Known> {
    known_of(program, program.callee(call))
}

fn known_of<'p>(program: &'p Program, value: &Value) -> Option<&'p Known> {
    value.externals().find_map(|external| program.catalogue.known(external.package, &external.segs))
}

fn helped(
    program: &Program,
    how: How,
    place: crate::finding::Place,
    function: FunctionRef,
    known: Option<&Known>,
    call: Option<CallRef>,
) -> Retry {
    let facts = program.facts(function.file);
    let retries = known.and_then(|known| known.retries.as_ref());
    Retry {
        how,
        place,
        function,
        region: facts.function(function.function).span,
        tried: program.calls_in(function).collect(),
        trigger: Trigger::Thrown,
        limit: retries.map_or(Limit::Unknown, |retries| limit(program, retries, call)),
        wait: retries.map_or(Wait::Unknown, |retries| wait(program, retries, call)),
        only_refused: false,
    }
}

fn limit(program: &Program, retries: &Retries, call: Option<CallRef>) -> Limit {
    let given: Vec<Lookup> =
        call.iter().flat_map(|&call| retries.limit.iter().map(move |name| program.option(call, name))).collect();
    let mut unknown = false;
    for found in &given {
        match found {
            Lookup::Present(value) if is_endless(value) => return Limit::Endless,
            Lookup::Present(_) => return Limit::Bounded,
            Lookup::Unknown => unknown = true,
            Lookup::Absent => {}
        }
    }
    match retries.attempts {
        _ if unknown => Limit::Unknown,
        0 => Limit::Endless,
        _ => Limit::Bounded,
    }
}

fn is_endless(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_infinite() || *number < 0.0,
        Value::External(external) => {
            matches!(external.dotted().as_str(), "Infinity" | "Number.POSITIVE_INFINITY" | "math.inf")
        }
        Value::Null => true,
        _ => false,
    }
}

fn wait(program: &Program, retries: &Retries, call: Option<CallRef>) -> Wait {
    // `wait_fixed(2)`
    let is_of = |value: &Value, names: &[String]| match value {
        Value::External(external) => external.last_member().is_some_and(|name| names.iter().any(|of| name == **of)),
        _ => false,
    };
    let grows = retries.growth.as_ref().zip(call).map(|(growth, call)| grows(program, growth, call));
    if let Some((at, call)) = retries.wait_arg.zip(call) {
        let given = Eval::new(program).argument(call, at);
        let constant = is_of(&given, &retries.constant) && grows.is_none_or(|(_, random)| random == Some(false));
        return match constant {
            true => Wait::Constant,
            false if retries.backoff => Wait::Growing,
            false => Wait::Unknown,
        };
    }
    // Chance added to nothing is nothing.
    match grows {
        Some((Wait::None, _)) => return Wait::None,
        Some((Wait::Constant, Some(false))) => return Wait::Constant,
        _ => {}
    }
    let asked = call.iter().flat_map(|&call| retries.wait.iter().map(move |name| (name, program.option(call, name))));
    let mut given = asked.filter(|(_, found)| *found != Lookup::Absent);
    match (given.next(), given.next()) {
        (Some((_, Lookup::Present(value))), _) if is_of(&value, &retries.constant) => Wait::Constant,
        (Some((_, Lookup::Present(value))), _) if is_of(&value, &retries.at_once) => Wait::None,
        (Some((name, Lookup::Present(Value::Number(_)))), None) if retries.fixed.contains(name) => Wait::Constant,
        (Some(_), _) => Wait::Unknown,
        _ if retries.backoff => Wait::Growing,
        _ => Wait::None,
    }
}

/// How a wait grows by a helper's options, and whether chance is added to it.
fn grows(program: &Program, growth: &Growth, call: CallRef) -> (Wait, Option<bool>) {
    // A number that is given, or the default where none is.
    let number = |name: &Option<String>, or: Option<f64>| match name.as_ref().map(|name| program.option(call, name)) {
        Some(Lookup::Present(Value::Number(number))) => Some(number),
        None | Some(Lookup::Absent) => or,
        Some(_) => None,
    };
    let first = number(&growth.first, Some(growth.first_default));
    let most = number(&growth.most, None);
    let factor = number(&growth.factor, Some(growth.factor_default));
    let random = match growth.random.as_ref().map(|name| program.option(call, name)) {
        None | Some(Lookup::Absent) => Some(growth.random_default),
        Some(Lookup::Present(Value::Bool(random))) => Some(random),
        Some(Lookup::Present(Value::Number(most))) => Some(most != 0.0),
        Some(Lookup::Present(Value::Null)) => Some(false),
        Some(Lookup::Present(Value::Text(how))) => Some(how != "none"),
        Some(_) => None,
    };
    let wait = match (first, factor) {
        (Some(0.0), Some(_)) => Wait::None,
        (Some(_), Some(1.0)) => Wait::Constant,
        (Some(first), _) if most.is_some_and(|most| most <= first) => Wait::Constant,
        (Some(_), Some(_)) => Wait::Growing,
        _ => Wait::Unknown,
    };
    (wait, random)
}
