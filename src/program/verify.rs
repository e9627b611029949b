//! Whether an entry point verifies its caller before it acts: always, on some ways only, or never.
//!
//! The flow of the entry's function is walked in order, own functions it calls included, with a *standing*: what is
//! known of the caller at that point. Every effect on the way is noted with the standing it happens in.

use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::VendorId;
use crate::facts::{ExprId, Facts};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{CallRef, Entry, ExprRef, FunctionRef, Program};

mod absent;
mod blank_fields;
mod checks;
mod comparisons;
mod conditions;
mod digests;
mod effects;
mod evidence;
mod fallbacks;
mod flags;
mod gates;
mod lookups;
mod methods;
mod misnamed;
mod optional;
mod refetched;
mod renewals;
mod tests;
mod walk;
mod ways;

pub(crate) use evidence::{is_signature_name, words};
use ways::{Reason, Way};

/// What is known of the caller at a point of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was checked so far.
    Unverified,
    /// A check has passed: where.
    Verified(Place),
    /// The vendor was asked for what the delivery tells: where.
    Asked(Place),
    /// A check has failed: what follows answers it.
    Rejected(Place),
    /// A check was made on some of the ways here, or one that does not hold.
    Open(Lapse),
    /// Something that may have checked could not be followed.
    Unknown(Place),
}

/// Why a verification fails open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse {
    /// Where the way around the check is.
    pub place: Place,
    /// The check that can be got around.
    pub check: Place,
    /// How.
    pub why: Why,
    /// Whether the check is made when nothing is configured: only a setting skips it.
    pub safe_default: bool,
}

/// How a verification is got around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is skipped while this variable or setting is unset.
    Unset(Name),
    /// It is skipped while this variable or setting is unset, and when the request leaves its signature out.
    Either(Name),
    /// The check is made only while this variable says so, and then for those alone who bring a signature.
    Flag(Name),
    /// It is skipped by mode: outside production, under a flag.
    Mode(Name),
    /// It is skipped when the request lacks its signature or brings a header.
    Request,
    /// It is skipped when the request brings this header, which anybody can send.
    Announced(Name),
    /// It is skipped on a condition of another kind.
    Condition,
    /// Its failure is caught, and the work goes on.
    Caught,
    /// Its result is not looked at, or a failed check goes on.
    Ignored,
    /// It gives a promise that nothing awaits.
    NotAwaited,
    /// Its secret falls back to a text that anyone can read, or to an empty one.
    Fallback(Name),
}

/// Something an entry point does that a forged call should not be able to make it do.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    /// The call.
    pub at: CallRef,
    /// What is known of the caller then.
    pub standing: Standing,
    /// How many checks were met before it.
    pub checks_before: usize,
    /// It only keeps a record of the delivery.
    pub records: bool,
    /// The call that hands it the table it writes to, where a wrapper writes to whichever it is told.
    pub handed: Option<CallRef>,
    /// It stands on a way that is taken while a secret is unset or a mode is on.
    reason: Option<Reason>,
}

/// A comparison that takes the longer the more of its start is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    /// The comparison.
    pub place: Place,
    /// One side is a signature that was computed; else it is the secret itself.
    pub signature: bool,
}

/// What an entry point does, and in which standing.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Effects in the order they are met.
    pub deeds: Vec<Deed>,
    /// The checks met, in order.
    pub checks: Vec<Place>,
    /// Comparisons by `==` that prove who is calling, in the order they are met: of a signature, or of a secret.
    pub plain: Vec<Plain>,
    /// Calls of functions that nothing defines or imports and that would be checks by their names.
    pub undefined: Vec<(Place, Name)>,
    /// How many times the vendor was asked.
    asks: usize,
    /// Where it was asked, with the calls on the way there, while a check could be got around.
    asked: Vec<(Place, Vec<CallRef>)>,
    /// Checks whose result was not yet looked at.
    pending: Vec<CallRef>,
}

/// The verdict on an entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does nothing, or it checks first.
    Fine,
    /// It may check: that could not be told.
    Unknown,
    /// It acts without any check: the first deed, and whether all it does is to keep records.
    Unverified {
        /// The first effect.
        deed: CallRef,
        /// It only keeps records of deliveries.
        records_only: bool,
        /// Other ways are checked.
        partly: bool,
    },
    /// It checks, but that can be got around: how, and the first effect that then happens.
    Bypass(Lapse, CallRef),
    /// It checks only after it has acted: the check, and the effect.
    Late(Place, CallRef),
}

impl Account {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        let unverified: Vec<&Deed> = self.deeds.iter().filter(|deed| deed.standing == Standing::Unverified).collect();
        let open = self.deeds.iter().find_map(|deed| match deed.standing {
            Standing::Open(lapse) if !deed.records && lapse.why != Why::Condition => {
                Some(Verdict::Bypass(lapse, deed.at))
            }
            _ => None,
        });
        if self.checks.is_empty() {
            return match (unverified.iter().find(|deed| !deed.records).or(unverified.first()), open) {
                (Some(deed), None) => Verdict::Unverified { deed: deed.at, records_only: deed.records, partly: false },
                (_, Some(open)) => open,
                (None, None) => self.silent(),
            };
        }
        if let Some(open) = open {
            return open;
        }
        if let Some(deed) = unverified.iter().find(|deed| !deed.records) {
            if let Some(reason) = deed.reason {
                let check = self.checks[0];
                let Reason { place, why, safe_default, .. } = reason;
                return Verdict::Bypass(Lapse { place, check, why, safe_default }, deed.at);
            }
            if deed.checks_before == 0 {
                return Verdict::Late(self.checks[0], deed.at);
            }
            return Verdict::Unverified { deed: deed.at, records_only: false, partly: true };
        }
        self.silent()
    }

    fn silent(&self) -> Verdict {
        let open = |deed: &Deed| matches!(deed.standing, Standing::Unknown(_) | Standing::Open(_));
        if self.deeds.iter().any(open) { Verdict::Unknown } else { Verdict::Fine }
    }
}

/// How one function ends for its caller.
#[derive(Debug, Clone, Copy)]
struct Ends {
    /// The standing when it gives something true (or just ends).
    truthy: Option<Standing>,
    /// The standing when it gives `false`, `null`, `undefined`, or an answer that refuses.
    falsy: Option<Standing>,
}

/// Why the flow goes the way on which a condition does not hold, and the one on which it does; kept once found: many
/// walks pass by.
#[derive(Default)]
pub(crate) struct Reasons {
    known: Mutex<FxHashMap<ExprRef, [Reason; 2]>>,
}

impl Reasons {
    fn get(&self, condition: ExprRef, find: impl FnOnce() -> [Reason; 2]) -> [Reason; 2] {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reasons) = known().get(&condition) {
            return *reasons;
        }
        let reasons = find();
        known().insert(condition, reasons);
        reasons
    }
}

/// A walk through the flow of one entry point.
struct Walk<'p> {
    program: &'p Program,
    /// Whose deliveries come in, as far as known: asking another vendor proves nothing.
    vendors: &'p [VendorId],
    account: Account,
    /// What own functions came to, by the standing they were entered in.
    known: FxHashMap<(FunctionRef, u8), Ends>,
    visited: FxHashSet<FunctionRef>,
    /// Functions that do what they are handed: a wrapper of a query runs its caller's statement.
    by_argument: FxHashSet<FunctionRef>,
    /// The functions being walked, with the call that runs each.
    active: Vec<(FunctionRef, Option<CallRef>)>,
    /// What the calls of own functions gave, to be asked when their result is tested.
    gave: FxHashMap<CallRef, Ends>,
    /// The conditions being asked, so that one that asks itself ends.
    asking: Vec<(FunctionRef, ExprId)>,
    /// Reasons to be on the present way, outermost first.
    reasons: Vec<Option<Reason>>,
    /// While middleware is walked: the functions behind it, and in which standing they are let run.
    behind: Option<Behind>,
    /// It runs where only the web's crypto is: Deno, workers, edge.
    on_edge: bool,
    /// Only what deliveries do counts, which are posted.
    posted: bool,
}

/// What stands behind middleware.
struct Behind {
    served: FxHashSet<FunctionRef>,
    passed: Option<Way>,
}

impl Program {
    /// Walks a function from its first step in a given standing. Asking one of `vendors` for what the delivery
    /// tells proves it; none: asking any does.
    pub fn account(&self, function: FunctionRef, standing: Standing, vendors: &[VendorId]) -> Account {
        let mut walk = Walk::new(self, vendors);
        walk.function(function, standing, None);
        walk.account
    }

    /// Walks an entry point: what stands in front of it first, then its function.
    pub fn account_of(&self, entry: &Entry, vendors: &[VendorId]) -> Account {
        self.walked(entry, Walk::new(self, vendors))
    }

    /// The same of what is posted to it: what it does for a GET is another matter.
    pub fn account_of_posts(&self, entry: &Entry, vendors: &[VendorId]) -> Account {
        self.walked(entry, Walk { posted: true, ..Walk::new(self, vendors) })
    }

    fn walked(&self, entry: &Entry, mut walk: Walk<'_>) -> Account {
        walk.on_edge = self.runs_on_edge(entry);
        let standing = walk.gates(entry);
        walk.function(entry.function, standing, None);
        walk.account
    }

    /// What an entry point of the app's own does. That a vendor is asked for something says nothing of who is
    /// calling; only the own backend knows its users.
    pub fn own_account(&self, entry: usize) -> &Account {
        self.accounts[entry].get_or_init(|| {
            let backends: Vec<VendorId> = self.catalogue.own_backends().collect();
            self.account_of(&self.entries[entry], &backends)
        })
    }
}

impl<'p> Walk<'p> {
    fn new(program: &'p Program, vendors: &'p [VendorId]) -> Self {
        Self {
            program,
            vendors,
            account: Account::default(),
            known: FxHashMap::default(),
            visited: FxHashSet::default(),
            by_argument: FxHashSet::default(),
            active: vec![],
            gave: FxHashMap::default(),
            asking: vec![],
            reasons: vec![],
            behind: None,
            on_edge: false,
            posted: false,
        }
    }

    fn facts(&self, function: FunctionRef) -> &'p Facts {
        self.program.facts(function.file)
    }

    fn note_check(&mut self, place: Place) {
        if !self.account.checks.contains(&place) {
            self.account.checks.push(place);
        }
    }
}
