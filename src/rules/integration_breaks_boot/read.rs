//! Variables that are read when a module is loaded by what throws without them: `KEY = os.environ["BREVO_API_KEY"]`.

use rustc_hash::FxHashSet;

use super::Stop;
use crate::catalogue::VendorId;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{EntryKind, Program};

/// What a file that asks a vendor refuses to be loaded without: variables of that vendor alone. Who reads several
/// things at load has a file of settings, which is to say at start what is missing.
pub(super) fn find(program: &Program, file: FileId, facts: &Facts) -> Option<Stop> {
    if facts.strict_reads.is_empty() || facts.language.is_script() {
        return None;
    }
    let read = at_load(facts);
    let vendors: FxHashSet<Option<VendorId>> =
        read.iter().map(|(_, name)| program.catalogue.env_entry(name).map(|(vendor, _)| vendor)).collect();
    let mut vendors = vendors.into_iter();
    let (Some(Some(vendor)), None) = (vendors.next(), vendors.next()) else { return None };
    let &(first, name) = read.first()?;
    let sure = |name: Name| program.is_asked_at_start(name, file) || program.catalogue.is_injected(&name);
    let uses: Vec<_> = program.vendor_uses().iter().filter(|used| used.vendor == vendor).collect();
    if read.iter().any(|(_, name)| sure(*name)) || !uses.iter().any(|used| used.at.file == file) {
        return None;
    }
    // Something is served that has no need of it.
    let needing: FxHashSet<usize> =
        uses.iter().flat_map(|used| program.origins_of(used.at)).map(|origin| origin.entry).collect();
    let spared = program.entries.iter().enumerate().any(|(at, entry)| {
        entry.kind == EntryKind::Route && program.share_app(entry.place.file, file) && !needing.contains(&at)
    });
    spared.then(|| Stop {
        cure: Some(format!(
            "Read it inside the function that needs it, so that only that feature fails: `os.environ[\"{name}\"]`."
        )),
        ..Stop::without(name, vendor, Place { file, span: facts.span(first) })
    })
}

/// The variables that a file reads when it is loaded, whatever else holds, by what throws without them.
fn at_load(facts: &Facts) -> Vec<(ExprId, Name)> {
    let steps = || facts.blocks.iter().flat_map(|block| &block.steps);
    let is_set = |id: ExprId| steps().any(|step| matches!(step, Step::Assign(target, _) if *target == id));
    let mut read = Vec::new();
    for (at, expr) in facts.exprs.iter().enumerate() {
        let ExprKind::Env(name) = expr.kind else { continue };
        let id = ExprId(at as u32);
        if !facts.strict_reads.contains(&name) || is_set(id) {
            continue;
        }
        let later = facts.functions.iter().enumerate().any(|(function, shape)| {
            FunctionId(function as u32) != FunctionId::MODULE && shape.span.contains(expr.span)
        });
        let guarded = facts.blocks.iter().any(|block| {
            let sure =
                matches!(block.kind, BlockKind::Try | BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..));
            sure && block.span.contains(expr.span)
        });
        let chosen = facts.operations().any(|(operation, (op, _))| {
            matches!(op, Op::Choose | Op::And | Op::Or) && facts.span(operation).contains(expr.span)
        });
        if !later && !guarded && !chosen {
            read.push((id, name));
        }
    }
    read
}
