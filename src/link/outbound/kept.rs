//! Requests to an address that a row of the app's own data holds: where a customer's own system listens.

use crate::facts::{ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::by_file::ByFile;
use crate::program::verify::words;
use crate::program::{Destination, EdgeKind, ExprRef, FunctionRef, HttpUse, Program};

/// What an address is called at its end.
const ENDS: &[&str] = &["url", "uri", "endpoint", "webhook", "hook"];

/// Words of addresses to which a file is put, or by which somebody is brought to another page of the app.
const OTHERWISE: &[&str] =
    &["upload", "signed", "presigned", "redirect", "return", "success", "cancel", "login", "api"];

/// Gives the requests that are sent where a row says (`fetch(shop.crmWebhookUrl, { method: "POST" })`) the column as
/// their destination: nobody knows whose it is, and it is not the app's.
pub fn name_destinations(program: &mut Program) {
    let all = program.outbound.http.iter().enumerate();
    let found: Vec<(usize, Name)> = all.filter_map(|(at, http)| Some((at, column(program, http)?))).collect();
    if found.is_empty() {
        return;
    }
    let mut all = std::mem::take(&mut program.outbound.http).into_items();
    for (at, column) in found {
        program.outbound.kept.insert(all[at].at);
        all[at].to = vec![Destination::Env(column, Name::new(""))];
    }
    program.outbound.http = ByFile::new(all, |http| http.at.file);
}

/// The column that holds where something is sent; none where the address may be made of more.
fn column(program: &Program, http: &HttpUse) -> Option<Name> {
    let nowhere = |to: &Destination| matches!(to, Destination::Unknown(path) if path.is_empty());
    let sends = http.method.is_some_and(|method| matches!(method.as_str(), "POST" | "PUT" | "PATCH"));
    if !sends || http.at != http.inner || !http.to.iter().all(nowhere) {
        return None;
    }
    let facts = program.facts(http.at.file);
    let given = facts.call(http.at.call).args.first()?.value;
    let at = ExprRef::new(http.at.file, member(facts, given, 3)?);
    let ExprKind::Member(row, column) = *facts.expr(at.expr) else { return None };
    let kept = || program.is_kept_field(at) || is_row(program, ExprRef::new(at.file, row), 4);
    (says_address(&column) && kept()).then_some(column)
}

/// The member that a value is, whatever it goes through: `const url = shop.webhookUrl ?? null`, `ok ? shop.url : null`.
fn member(facts: &Facts, value: ExprId, depth: usize) -> Option<ExprId> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(value) {
        ExprKind::Member(..) => Some(value),
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => member(facts, only, depth),
            _ => None,
        },
        ExprKind::Op(op @ (Op::Or | Op::Nullish | Op::Choose), parts) => {
            let parts = parts.get(usize::from(*op == Op::Choose)..)?;
            let mut said = parts.iter().filter(|&&part| !matches!(facts.expr(part), ExprKind::Null));
            let only = said.next().filter(|_| said.next().is_none())?;
            member(facts, *only, depth)
        }
        _ => None,
    }
}

fn says_address(column: &str) -> bool {
    let words = words(column);
    words.last().is_some_and(|last| ENDS.contains(&last.as_str()))
        && !words.iter().any(|word| OTHERWISE.contains(&word.as_str()))
}

/// Whether a value is a row: as it was read, as a caller hands it over (`tell(shop)`, `tell({ ...shop, name })`), or as a
/// method goes through them (`hooks.map((hook) => ..)`).
fn is_row(program: &Program, at: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    if program.is_kept_row(at) {
        return true;
    }
    let (name, block) = match facts.expr(at.expr) {
        ExprKind::Ref(name, block) => (*name, *block),
        ExprKind::Object(entries) => {
            let mut spread = entries.iter().filter(|(key, _)| *key == "...");
            return spread.any(|&(_, value)| is_row(program, ExprRef::new(at.file, value), depth));
        }
        _ => return false,
    };
    let Some(def) = facts.lookup(block, name) else { return false };
    let [only] = facts.def(def).values[..] else { return false };
    let ExprKind::Param(function, index) = *facts.expr(only) else { return false };
    program.incoming(FunctionRef::new(at.file, function)).iter().any(|edge| {
        let facts = program.facts(edge.call.file);
        let call = facts.call(edge.call.call);
        let here = |expr: ExprId| ExprRef::new(edge.call.file, expr);
        match (edge.kind, facts.expr(call.callee)) {
            (EdgeKind::Callback, ExprKind::Member(rows, method)) => {
                index == 0
                    && matches!(method.as_str(), "map" | "forEach" | "flatMap")
                    && program.is_kept_row(here(*rows))
            }
            (EdgeKind::Direct, _) => {
                let arg = call.args.iter().find(|arg| arg.name == Some(name));
                let arg = arg.or_else(|| call.args.get(usize::from(index)).filter(|arg| arg.name.is_none()));
                arg.is_some_and(|arg| is_row(program, here(arg.value), depth))
            }
            _ => false,
        }
    })
}
