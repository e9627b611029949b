//! Retry decorators that the program writes itself: a loop around the function that the decorator was given.

use rustc_hash::FxHashMap;

use super::{How, Retry, Trigger, at, functions};
use crate::facts::ExprKind;
use crate::link::eval::Eval;
use crate::program::{ExprRef, FunctionRef, Program, Value};

/// What the decorators among the loops make run again.
pub(super) fn of_loops(program: &Program, loops: &[Retry]) -> Vec<Retry> {
    let mut decorators: FxHashMap<FunctionRef, &Retry> = FxHashMap::default();
    for retry in loops {
        let given = retry.tried.iter().filter_map(|&call| match program.callee(call) {
            Value::Param(decorator, 0) if *decorator != retry.function => Some(*decorator),
            _ => None,
        });
        decorators.extend(given.map(|decorator| (decorator, retry)));
    }
    if decorators.is_empty() {
        return vec![];
    }
    let mut found = Vec::new();
    for (file, facts) in program.code().filter(|(_, facts)| !facts.language.is_script()) {
        for (function, shape) in functions(&facts.functions, file) {
            for &decorator in &shape.decorators {
                let decorator = at(file, decorator);
                let known = put_around(program, decorator).into_iter().find_map(|by| decorators.get(&by));
                let Some(retry) = known else { continue };
                found.push(Retry {
                    how: How::Decorator(decorator),
                    place: program.place(decorator),
                    function,
                    region: facts.function(function.function).span,
                    tried: program.calls_in(function).collect(),
                    trigger: Trigger::Thrown,
                    limit: retry.limit,
                    wait: retry.wait,
                    only_refused: retry.only_refused,
                });
            }
        }
    }
    found
}

/// The functions that a decorator hands what it decorates: itself, or what the call of its maker gives.
fn put_around(program: &Program, decorator: ExprRef) -> Vec<FunctionRef> {
    let facts = program.facts(decorator.file);
    match facts.expr(decorator.expr) {
        ExprKind::Call(call) => {
            let maker = program.value(at(decorator.file, facts.call(*call).callee));
            maker
                .functions()
                .flat_map(|maker| Eval::new(program).result(maker).functions().collect::<Vec<_>>())
                .collect()
        }
        _ => program.value(decorator).functions().collect(),
    }
}
