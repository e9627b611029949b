//! Vendors that are asked when a module is loaded: `names = pc.list_indexes()`, by itself or in the constructor of an
//! object that is made there.

use rustc_hash::FxHashMap;

use super::{Question, Stop, is_guarded};
use crate::catalogue::{Category, Effect};
use crate::facts::{BlockKind, FunctionId};
use crate::program::{CallRef, EdgeKind, FunctionRef, Program, VendorUse};

/// Through how many functions that run at load a question is followed.
const DEEPEST: usize = 3;

/// The questions that files ask when they are loaded.
pub(super) fn find(program: &Program) -> Vec<Stop> {
    let questions: FxHashMap<CallRef, &VendorUse> = program
        .vendor_uses()
        .iter()
        .filter(|used| {
            let category = program.catalogue.vendor(used.vendor).category;
            let effect = program.operation(used).map(|operation| operation.effect);
            !matches!(category, Category::Monitoring | Category::Analytics)
                && !matches!(effect, None | Some(Effect::Local | Effect::Sign | Effect::Verify | Effect::Track))
                && program.guards(used.at).is_empty()
                // What the program's own functions ask is followed through them.
                && program.requests_at(used.at).iter().all(|http| http.inner == used.at)
        })
        .map(|used| (used.at, used))
        .collect();
    if questions.is_empty() {
        return vec![];
    }
    let mut found = Vec::new();
    for (file, facts) in program.code() {
        for at in program.calls_of(file) {
            let call = facts.call(at.call);
            // A promise that nobody waits for stops no module from being loaded.
            let waits = !facts.language.is_script() || call.awaited;
            if facts.function_of(call.block) != FunctionId::MODULE || !waits || is_guarded(facts, call.block) {
                continue;
            }
            let asked = match questions.get(&at) {
                Some(used) => Some(*used),
                None => asked_by(program, at, &questions, DEEPEST),
            };
            if let Some(used) = asked {
                let asks = Some(Question { name: used.name.clone(), at: program.call_place(used.at) });
                let at = program.call_place(at);
                found.push(Stop {
                    at,
                    vendor: used.vendor,
                    variables: vec![],
                    client: false,
                    empty: false,
                    asks,
                    cure: None,
                    called: false,
                });
            }
        }
    }
    found
}

/// The question that a call of one of the program's functions asks, whatever else holds.
fn asked_by<'p>(
    program: &'p Program,
    at: CallRef,
    questions: &FxHashMap<CallRef, &'p VendorUse>,
    depth: usize,
) -> Option<&'p VendorUse> {
    let depth = depth.checked_sub(1)?;
    let mut runs = program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
    // One of several may ask nothing.
    let (Some(edge), None) = (runs.next(), runs.next()) else { return None };
    let facts = program.facts(edge.target.file);
    let shape = facts.function(edge.target.function);
    if shape.is_async && !facts.language.is_script() {
        return None;
    }
    always(program, edge.target).into_iter().find_map(|at| match questions.get(&at) {
        Some(used) => Some(*used),
        None if program.guards(at).is_empty() => asked_by(program, at, questions, depth),
        None => None,
    })
}

/// The calls that a function makes whatever else holds.
fn always(program: &Program, function: FunctionRef) -> Vec<CallRef> {
    let facts = program.facts(function.file);
    let body = facts.function(function.function).body;
    let runs = |at: &CallRef| {
        let call = facts.call(at.call);
        let mut around = facts.enclosing(call.block).take_while(|(id, _)| *id != body);
        (!facts.language.is_script() || call.awaited)
            && around.all(|(_, block)| matches!(block.kind, BlockKind::Plain | BlockKind::Try | BlockKind::With(_)))
    };
    program.calls_in(function).filter(runs).collect()
}
