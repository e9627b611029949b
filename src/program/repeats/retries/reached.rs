//! What a retry repeats: the requests and vendor calls that its attempts make.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::{How, Retry, Trigger};
use crate::catalogue::Reports;
use crate::finding::Place;
use crate::program::time::iterations::is_run;
use crate::program::{CallRef, Edge, EdgeKind, FunctionRef, Leaves, Program, Value};

/// A call that a retry makes again.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// The call.
    pub call: CallRef,
    /// Where to tell of it: the retry itself, or the call that hands something to a retry helper of the program.
    pub place: Place,
    /// The function to which that place belongs.
    pub function: FunctionRef,
    /// From there to the call.
    pub way: Vec<Edge>,
    /// The call stands in what was handed to the program's own retry helper by this call.
    pub handed_by: Option<CallRef>,
}

/// Functions looked into from one retry.
const MOST_FUNCTIONS: usize = 200;

impl Program {
    /// The outbound calls that a retry makes again: its own, those of the functions that these call, and for a
    /// helper that is handed a function those of what its callers hand in.
    pub fn repeated(&self, retry: &Retry) -> Vec<Repeated> {
        let mut found = Vec::new();
        for &call in &retry.tried {
            if self.goes_out(call) {
                let way = vec![];
                let (place, function) = (retry.place, retry.function);
                found.push(Repeated { call, place, function, way, handed_by: None });
                continue;
            }
            let edges = self.edges(call).iter().filter(|edge| is_run(self, edge) && edge.target != retry.function);
            for &edge in edges {
                found.extend(self.sent_from(edge.target, retry).into_iter().map(|(call, mut way)| {
                    way.insert(0, edge);
                    let (place, function) = (retry.place, retry.function);
                    Repeated { call, place, function, way, handed_by: None }
                }));
            }
            if matches!(self.callee(call), Value::Param(..)) && !matches!(retry.how, How::Helper(_)) {
                found.extend(self.handed_in(retry, call));
            }
        }
        if matches!(retry.how, How::Engine(_)) {
            // The head of the function says nothing of which call it is about.
            for repeated in &mut found {
                repeated.place = self.call_place(repeated.way.first().map_or(repeated.call, |edge| edge.call));
            }
        }
        found.sort_by_key(|repeated| (repeated.place, repeated.call));
        found.dedup_by_key(|repeated| (repeated.place, repeated.call));
        found
    }

    /// What the callers of a retry helper of the program hand in.
    fn handed_in(&self, retry: &Retry, call: CallRef) -> Vec<Repeated> {
        let Value::Param(owner, _) = self.callee(call) else { return vec![] };
        let mut found = Vec::new();
        for &caller in self.callers(*owner) {
            for &edge in self.edges(caller).iter().filter(|edge| edge.kind == EdgeKind::Callback) {
                found.extend(self.sent_from(edge.target, retry).into_iter().map(|(call, mut way)| {
                    way.insert(0, edge);
                    let place = self.call_place(caller);
                    Repeated { call, place, function: self.function_of(caller), way, handed_by: Some(caller) }
                }));
            }
        }
        found
    }

    /// The outbound calls that a function makes whose failure leaves it.
    fn sent_from(&self, start: FunctionRef, retry: &Retry) -> Vec<(CallRef, Vec<Edge>)> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::from_iter([start, retry.function]);
        let mut queue = VecDeque::from([(start, vec![])]);
        while let Some((function, way)) = queue.pop_front() {
            for call in self.calls_in(function) {
                if retry.trigger != Trigger::Answer && !self.guards(call).is_empty()
                    || way.last().is_some_and(|edge| self.is_switched_off(call, edge))
                {
                    continue;
                }
                if self.goes_out(call) {
                    found.push((call, way.clone()));
                    continue;
                }
                for &edge in self.edges(call).iter().filter(|edge| is_run(self, edge)) {
                    if seen.len() < MOST_FUNCTIONS && seen.insert(edge.target) {
                        let mut way: Vec<Edge> = way.clone();
                        way.push(edge);
                        queue.push_back((edge.target, way));
                    }
                }
            }
        }
        found
    }

    /// The vendor uses of a repeated call: its own, or as the callers on the way to it see its wrapper.
    pub fn uses_of(&self, repeated: &Repeated) -> Vec<&crate::program::VendorUse> {
        let calls = std::iter::once(repeated.call).chain(repeated.way.iter().rev().map(|edge| edge.call));
        for call in calls {
            let known: Vec<_> = self.vendors_at(call).iter().filter(|used| self.operation(used).is_some()).collect();
            if !known.is_empty() {
                return known;
            }
        }
        self.vendors_at(repeated.call).iter().collect()
    }

    /// Whether something before a repeated call makes its repetition harmless: a claim that is written first, or a
    /// look at what the vendor has already. `used` is what it does there.
    pub fn is_claimed_before(
        &self,
        repeated: &Repeated,
        used: &crate::program::VendorUse,
        within: crate::facts::Span,
    ) -> bool {
        let on_way = repeated.way.iter().map(|edge| edge.call);
        on_way.chain([repeated.call]).enumerate().any(|(at, call)| {
            let facts = self.facts(call.file);
            let until = facts.span(facts.call(call.call).expr).start;
            self.calls_in(self.function_of(call)).any(|other| {
                let span = facts.span(facts.call(other.call).expr);
                let before = span.end <= until && (at > 0 || repeated.handed_by.is_some() || within.contains(span));
                before && (self.writes_own(other) || self.looks_up(other, used))
            })
        })
    }

    /// Whether a failure of a repeated call reaches the retry: an SDK that reports by returning throws nothing, so
    /// somebody has to look.
    pub fn can_fail(&self, retry: &Retry, repeated: &Repeated, used: &crate::program::VendorUse) -> bool {
        use crate::facts::Step;
        let crate::program::Via::Sdk(package, _) = used.via else { return true };
        let major = || self.major_of(used.at.file, package);
        let reports = self.catalogue.package(package).map(|(_, package)| package.reports(major));
        if reports.is_none_or(|reports| reports == Reports::Thrown) {
            return true;
        }
        let facts = self.facts(repeated.call.file);
        let function = self.function_of(repeated.call).function;
        let own = facts.blocks.iter().filter(|block| block.function == function);
        let mut steps = own.flat_map(|block| &block.steps);
        let here = retry.function == self.function_of(repeated.call);
        steps.any(|step| matches!(step, Step::Throw(_)) || here && matches!(step, Step::Jump))
    }

    /// Whether a call writes to the app's own database.
    pub fn writes_own(&self, call: CallRef) -> bool {
        let changes = |used: &crate::program::VendorUse| {
            use crate::catalogue::Effect;
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|operation| {
                    matches!(operation.effect, Effect::Create | Effect::Update | Effect::Delete)
                })
        };
        let changes = self.vendors_at(call).iter().any(changes);
        self.has_role(call, crate::catalogue::KnownRole::Write) || changes && !self.is_read_by_function(call)
    }

    /// Whether a call asks the same vendor for what there is.
    fn looks_up(&self, call: CallRef, used: &crate::program::VendorUse) -> bool {
        use crate::catalogue::Effect;
        self.vendors_at(call).iter().any(|other| {
            other.vendor == used.vendor
                && self
                    .operation(other)
                    .is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List))
        })
    }

    /// Whether a call itself goes to someone else: a vendor, another host, an address from the settings.
    pub fn goes_out(&self, call: CallRef) -> bool {
        let vendors = self.vendors_at(call);
        let sends = |used: &crate::program::VendorUse| {
            let operation = self.operation(used);
            let local = operation.is_some_and(|operation| {
                matches!(operation.effect, crate::catalogue::Effect::Local | crate::catalogue::Effect::Verify)
            });
            !self.catalogue.vendor(used.vendor).own_backend && !local
        };
        // A wrapper's call is told by the request inside it.
        let own = |at: CallRef| at == call;
        vendors.iter().any(|used| sends(used) && self.request_of(used).is_none_or(|http| own(http.inner)))
            || self.requests_at(call).iter().any(|http| own(http.inner) && self.leaves(http) == Leaves::Yes)
    }
}
