//! Models that another vendor is asked for: which of them it knows, and until when, is that vendor's to say.

use crate::catalogue::{Effect, Retired, VendorId};
use crate::facts::{ExprKind, Op};
use crate::finding::{Confidence, Place, Severity};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef, Program, VendorUse, Via};
use crate::rule::Report;

/// How far a name is followed to the request that it goes into.
const FARTHEST: usize = 8;

/// Tells that a model is retired where its own vendor is not asked for it.
pub(super) fn tell(
    program: &Program,
    report: &mut Report,
    (owner, retired): (VendorId, &Retired),
    asked: VendorId,
    model: Name,
    places: &[Place],
) {
    let Some(&first) = places.first() else { return };
    let (owner, asked_name) = (&program.catalogue.vendor(owner).name, &program.catalogue.vendor(asked).name);
    let past = retired.date.as_str() <= program.as_of.as_str();
    let ends = if past { "shut" } else { "shuts" };
    let message = format!(
        "{owner} {ends} {} {model} down on {}: {asked_name}, which is asked for it here, may have it longer, or no more",
        retired.what, retired.date
    );
    let mut draft = report
        .at(first, model.to_string(), message)
        .severity(Severity::Note)
        .confidence(Confidence::Low)
        .vendor(program.vendor_id(asked))
        .help(format!("Look up which models {asked_name} has, and until when, and take one of those."));
    for &other in &places[1..] {
        draft = draft.because(other, "and here");
    }
    draft.auditor_only();
}

/// The vendor that is asked for a model of `owner`, where all that the code does with its name is to ask somebody else.
pub(super) fn asked_instead(program: &Program, at: ExprRef, owner: VendorId) -> Option<VendorId> {
    let mut asked: Vec<VendorId> = vec![];
    let known = follow(program, at, &mut asked, FARTHEST);
    let first = *asked.first()?;
    (known && asked.iter().all(|&vendor| vendor == first) && first != owner).then_some(first)
}

/// Collects the vendors that a value is sent to; whether that is all that becomes of it.
fn follow(program: &Program, at: ExprRef, asked: &mut Vec<VendorId>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    let readers = program.readers(at.file);
    let uses = readers.uses(at.expr);
    if uses.is_empty() {
        return false;
    }
    for used in uses {
        let known = match *used {
            Use::Key(object, _) => follow(program, ExprRef::new(at.file, object), asked, depth),
            Use::Kept(def) => {
                let reads = readers.reads(def);
                !program.is_visible_outside(at.file, def)
                    && !reads.is_empty()
                    && reads.iter().all(|&read| follow(program, ExprRef::new(at.file, read), asked, depth))
            }
            Use::In(outer) => match facts.expr(outer) {
                ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, _) => {
                    follow(program, ExprRef::new(at.file, outer), asked, depth)
                }
                // Another part of what it stands in.
                ExprKind::Member(_, name) => !super::says_model(name),
                _ => false,
            },
            Use::Arg(call, _) => taken(program, CallRef::new(at.file, call), asked, depth),
            _ => false,
        };
        if !known {
            return false;
        }
    }
    true
}

/// The same for what a call is given.
fn taken(program: &Program, call: CallRef, asked: &mut Vec<VendorId>, depth: usize) -> bool {
    let uses = program.vendors_at(call);
    if !uses.is_empty() {
        asked.extend(uses.iter().map(|used| used.vendor));
        return uses.iter().all(|used| keeps_models(program, used));
    }
    if program.is_logging(call) {
        return true;
    }
    // `JSON.stringify(body)`
    let facts = program.facts(call.file);
    let shape = facts.call(call.call);
    let written = facts.last_name(shape.callee);
    written.is_some_and(|name| matches!(name.as_str(), "stringify" | "dumps"))
        && follow(program, ExprRef::new(call.file, shape.expr), asked, depth)
}

/// Whether a call tells a vendor which model to use from then on, as for an agent: one that asks a model right away may
/// be passed through to whose it is.
fn keeps_models(program: &Program, used: &VendorUse) -> bool {
    let effect = program.operation(used).map(|operation| operation.effect);
    match used.via {
        Via::Http(_) => effect != Some(Effect::Generate),
        Via::Sdk(..) => matches!(effect, Some(Effect::Create | Effect::Update)),
    }
}
