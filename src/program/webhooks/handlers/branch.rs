//! One function of many actions, one of which takes a vendor's deliveries: `if (action === "webhook") { .. return }`.

use rustc_hash::FxHashSet;

use super::{DELIVERIES, WebhookHandler};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::Place;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::{Account, Lapse, Standing, Verdict, Why, is_signature_name, words};
use crate::program::{CallRef, Edge, EdgeKind, Entry, ExprRef, FunctionRef, Program};

impl Program {
    /// The branch of an entry that takes deliveries, where its condition says so and it ends the handler. Who asks for a
    /// signature (`if (signature) { .. return }`) has a branch for deliveries too, where what comes after it is known to be
    /// `for_others`: it may as well be the way past the check.
    pub(super) fn branch_of_deliveries(&self, entry: &Entry, for_others: bool) -> Option<Place> {
        let facts = self.facts(entry.function.file);
        let branch = branch_that(facts, entry, |kind| match kind {
            BlockKind::Then(condition) => {
                says_delivery(facts, condition, 4) || for_others && asks_signature(facts, condition, 4)
            }
            BlockKind::Case(_, Some(value)) => says_delivery(facts, value, 2),
            _ => false,
        })?;
        Some(Place { file: entry.function.file, span: facts.block(branch).span })
    }

    /// The way past a check that is made where the request brings a signature, and there alone: `if (signature) { verify(..);
    /// .. return }`, and what comes after it takes deliveries too. How that is, and the first effect. Of what is
    /// `delivered`, the functions and places that read it.
    pub(super) fn way_past_signature(
        &self,
        entry: &Entry,
        account: &Account,
        delivered: &[(FunctionRef, Place)],
    ) -> Option<(Lapse, CallRef)> {
        let Verdict::Unverified { partly: true, .. } = account.verdict() else { return None };
        let facts = self.facts(entry.function.file);
        let asks = |kind| matches!(kind, BlockKind::Then(condition) if asks_signature(facts, condition, 4));
        let branch = facts.block(branch_that(facts, entry, asks)?);
        let BlockKind::Then(condition) = branch.kind else { return None };
        let file = entry.function.file;
        let inside = |place: Place| place.file == file && branch.span.contains(place.span);
        let reads =
            |function: FunctionRef| delivered.iter().any(|&(reader, place)| reader == function && !inside(place));
        let past = account.deeds.iter().find(|deed| {
            let taken = deed.standing == Standing::Unverified && !deed.records && deed.checks_before > 0;
            taken && reads(self.function_of(deed.at))
        })?;
        let check = *account.checks.first()?;
        let place = self.place(ExprRef::new(file, condition));
        Some((Lapse { place, check, why: Why::Request, safe_default: false }, past.at))
    }

    /// Whether what an entry does at a call, behind the calls of a way, is done in a branch of its function.
    pub(in crate::program) fn is_in_branch(
        &self,
        entry: FunctionRef,
        branch: Place,
        way: &[Edge],
        at: CallRef,
    ) -> bool {
        let first = way.first().map_or(at, |edge| edge.call);
        let span = self.call_place(first).span;
        first.file != entry.file || self.function_of(first) != entry || branch.span.contains(span)
    }

    /// Whether what an entry does at a call, behind the calls of a way, is done for deliveries alone.
    pub fn is_for_deliveries(&self, entry: usize, way: &[Edge], at: CallRef) -> bool {
        let of_entry = |handler: &&WebhookHandler| handler.entry == entry && !handler.by_name;
        self.webhook_handlers().iter().find(of_entry).is_some_and(|handler| match handler.branch {
            Some(branch) => self.is_in_branch(self.entries[entry].function, branch, way, at),
            None => !handler.serves_others,
        })
    }

    /// Whether a call is run from a branch: written there, or in what the calls there run.
    pub(super) fn runs_in_branch(&self, entry: FunctionRef, branch: Place) -> impl Fn(CallRef) -> bool + '_ {
        let within = |at: &CallRef| branch.span.contains(self.call_place(*at).span);
        let calls: FxHashSet<CallRef> =
            self.with_inner(entry).into_iter().flat_map(|f| self.calls_in(f)).filter(within).collect();
        let targets = calls.iter().flat_map(|&at| self.edges(at)).filter(|edge| edge.kind != EdgeKind::Jump);
        let run: FxHashSet<FunctionRef> = targets
            .flat_map(|edge| self.reach(edge.target, |edge| edge.kind != EdgeKind::Jump).stops)
            .map(|stop| stop.function)
            .collect();
        move |at| calls.contains(&at) || run.contains(&self.function_of(at))
    }
}

/// The one branch of an entry's function that is of a kind and ends it.
fn branch_that(facts: &Facts, entry: &Entry, is: impl Fn(BlockKind) -> bool) -> Option<BlockId> {
    let own = facts.blocks.iter().enumerate().filter(|(_, block)| block.function == entry.function.function);
    let mut found = own.filter(|(at, block)| is(block.kind) && leaves(facts, BlockId(*at as u32)));
    let block = BlockId(found.next()?.0 as u32);
    // Two of them are two webhooks.
    found.next().is_none().then_some(block)
}

/// Whether a condition asks for the action, or the path, of deliveries.
fn says_delivery(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let named = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Text(text) => text.len() < 60 && words(text).iter().any(|word| DELIVERIES.contains(&word.as_str())),
        _ => false,
    };
    match facts.expr(condition) {
        ExprKind::Text(_) => named(condition),
        ExprKind::Op(Op::Equal, parts) => parts.iter().any(|&part| named(part)),
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| says_delivery(facts, part, depth)),
        // `path.endsWith("/webhook")`
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let asks =
                |name: Name| matches!(name.to_ascii_lowercase().as_str(), "endswith" | "startswith" | "includes");
            facts.last_name(call.callee).is_some_and(asks) && call.args.iter().any(|arg| named(arg.value))
        }
        _ => false,
    }
}

/// Whether a condition asks whether the request brings a signature.
fn asks_signature(facts: &Facts, condition: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(condition) {
        ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| asks_signature(facts, part, depth)),
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
            def.is_some_and(|values| matches!(values, [value] if asks_signature(facts, *value, depth)))
        }
        // `req.headers.get("x-acme-signature")`
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let asks = facts.last_name(call.callee).is_some_and(|name| matches!(name.as_str(), "get" | "header"));
            asks && call.args.first().is_some_and(|arg| names_signature(facts, arg.value))
        }
        ExprKind::Index(_, key) => names_signature(facts, *key),
        ExprKind::Member(_, name) => is_signature_name(name),
        _ => false,
    }
}

fn names_signature(facts: &Facts, key: ExprId) -> bool {
    matches!(facts.expr(key), ExprKind::Text(text) if is_signature_name(text))
}

/// Whether a block ends the function on every way through it.
fn leaves(facts: &Facts, block: BlockId) -> bool {
    match facts.block(block).steps.last() {
        Some(Step::Try { body, .. }) => leaves(facts, *body),
        _ => ending(facts, block) != Ending::GoesOn,
    }
}
