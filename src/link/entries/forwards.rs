//! Routes that hand the request on to a router by themselves: `(req, res, next) => { req.url = "/in"; texts(req, res, next) }`.
//! What stands before the router where it is mounted later is not on their way.

use super::routers::handles;
use crate::facts::ExprKind;
use crate::program::{Entry, ExprRef, FunctionRef, Gate, Program};

/// Takes what a request does not pass away from the routes that an earlier route hands it on to.
pub fn lead_on(program: &Program, entries: &mut [Entry]) {
    let hands_on =
        |entry: &Entry| entry.framework == "express" && entry.route.is_some() && forwards(program, entry.function);
    let doors: Vec<Entry> = entries.iter().filter(|entry| hands_on(entry)).cloned().collect();
    for door in doors {
        for entry in entries.iter_mut() {
            let same = entry.route == door.route && entry.methods == door.methods && entry.function != door.function;
            if !same || entry.framework != "express" {
                continue;
            }
            // What is registered where the door is stands before the mount; what the router has itself stays.
            entry.middleware.retain(|gate| match *gate {
                Gate::Function(function) => function.file != door.place.file,
                Gate::Library(expr) => expr.file != door.place.file,
                Gate::Unknown => true,
            });
            entry.middleware.splice(0..0, door.middleware.iter().copied());
        }
    }
}

/// Whether a function calls a router with what it was given itself.
fn forwards(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let given = |index: usize, expr| {
        matches!(facts.expr(expr), ExprKind::Ref(name, block) if facts.lookup(*block, *name).is_some_and(|def| {
            facts.def(def).values.iter().any(|&value| {
                matches!(*facts.expr(value), ExprKind::Param(of, at) if of == function.function && usize::from(at) == index)
            })
        }))
    };
    program.calls_in(function).any(|at| {
        let call = facts.call(at.call);
        let [request, answer, ..] = &call.args[..] else { return false };
        given(0, request.value)
            && given(1, answer.value)
            && handles(program, ExprRef::new(function.file, call.callee))
                .iter()
                .any(|handle| handle.framework.is_some())
    })
}
