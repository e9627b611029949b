//! How ways through the flow meet again, and what that says of a check on one of them.

use super::{Ends, Lapse, Standing, Why};
use crate::finding::Place;

/// Why the flow went this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason {
    /// The condition, or the handler.
    pub(super) place: Place,
    pub(super) why: Why,
    /// Whether the flow goes another way when nothing is configured.
    pub(super) safe_default: bool,
    /// Whether no host in production goes this way: `NODE_ENV !== "production"`.
    pub(super) closed: bool,
}

/// A standing and the way it was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) standing: Standing,
    pub(super) reason: Option<Reason>,
}

impl Way {
    pub(super) fn plain(standing: Standing) -> Self {
        Self { standing, reason: None }
    }

    /// With a reason, unless it has a better one.
    pub(super) fn because(self, reason: Option<Reason>) -> Self {
        match (self.reason, reason) {
            (None, reason) => Self { reason, ..self },
            // Without the secret only where people develop: production refuses.
            (Some(own), Some(outer))
                if own.closed
                    && matches!(outer.why, Why::Unset(_) | Why::Either(_))
                    && self.standing == Standing::Unverified =>
            {
                Self { standing: Standing::Unknown(own.place), ..self }
            }
            (Some(own), Some(reason)) if own.why == Why::Condition => Self { reason: Some(reason), ..self },
            _ => self,
        }
    }
}

/// How a function may be left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exit {
    /// Whether what it gives is true.
    pub(super) truth: bool,
    /// `return` without a value.
    pub(super) bare: bool,
    /// It gives an answer that refuses: something, whatever it says.
    pub(super) answer: bool,
    pub(super) way: Way,
}

/// What leaves a block.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// At its end; none when it never gets there.
    pub(super) after: Option<Way>,
    /// Through `break` and `continue`.
    pub(super) jumped: Option<Way>,
    pub(super) exits: Vec<Exit>,
}

impl Flow {
    pub(super) fn of(standing: Option<Standing>) -> Self {
        Self { after: standing.map(Way::plain), ..Self::default() }
    }

    /// Everything that leaves it has a reason.
    pub(super) fn because(mut self, reason: Option<Reason>) -> Self {
        let add = |way: Option<Way>| way.map(|way| way.because(reason));
        self.after = add(self.after);
        self.jumped = add(self.jumped);
        for exit in &mut self.exits {
            exit.way = exit.way.because(reason);
        }
        self
    }
}

/// What two ways have in common where they meet.
pub(super) fn meet(a: Option<Way>, b: Option<Way>) -> Option<Way> {
    let (a, b) = match (a, b) {
        (None, other) | (other, None) => return other,
        (Some(a), Some(b)) => (a, b),
    };
    let reason = if a.reason == b.reason { a.reason } else { None };
    Some(Way { standing: both(a, b), reason })
}

fn both(a: Way, b: Way) -> Standing {
    use Standing::{Asked, Open, Rejected, Unknown, Unverified, Verified};
    match (a.standing, b.standing) {
        (Open(lapse), Unverified) if let Some(lapse) = without_signature(lapse, b.reason) => Open(lapse),
        (Unverified, Open(lapse)) if let Some(lapse) = without_signature(lapse, a.reason) => Open(lapse),
        (Open(lapse), _) | (_, Open(lapse)) => Open(lapse),
        (Unknown(place), _) | (_, Unknown(place)) => Unknown(place),
        (Verified(place), Verified(_)) => Verified(place),
        (Asked(place), Asked(_) | Verified(_)) | (Verified(_), Asked(place)) => Asked(place),
        (Verified(check), Unverified) => skipped(check, b.reason),
        (Unverified, Verified(check)) => skipped(check, a.reason),
        (Verified(check), Rejected(_)) => failed(check, b.reason),
        (Rejected(_), Verified(check)) => failed(check, a.reason),
        // Asked on some ways: what the others do was noted where they did it.
        (Asked(place), _) | (_, Asked(place)) => Unknown(place),
        (Rejected(place), _) | (_, Rejected(place)) => Rejected(place),
        (Unverified, Unverified) => Unverified,
    }
}

/// A check with a hole of its own that is also left out when no signature is brought: that way stands open today,
/// whatever is set.
fn without_signature(lapse: Lapse, reason: Option<Reason>) -> Option<Lapse> {
    let Reason { place, why, safe_default, .. } = reason?;
    let why = match (lapse.why, why) {
        (Why::Unset(name), Why::Request) | (Why::Request, Why::Unset(name)) => Why::Either(name),
        (Why::Mode(name), Why::Request) if !lapse.safe_default => Why::Flag(name),
        (Why::Request, Why::Mode(name)) if !safe_default => Why::Flag(name),
        (Why::Mode(_), Why::Request) => Why::Request,
        _ => return None,
    };
    Some(Lapse { place, check: lapse.check, why, safe_default: false })
}

fn skipped(check: Place, reason: Option<Reason>) -> Standing {
    let unclear = Reason { place: check, why: Why::Condition, safe_default: false, closed: false };
    let Reason { place, why, safe_default, .. } = reason.unwrap_or(unclear);
    Standing::Open(Lapse { place, check, why, safe_default })
}

fn failed(check: Place, reason: Option<Reason>) -> Standing {
    match reason {
        Some(Reason { place, why: Why::Caught, .. }) => {
            Standing::Open(Lapse { place, check, why: Why::Caught, safe_default: false })
        }
        Some(Reason { place, .. }) => Standing::Open(Lapse { place, check, why: Why::Ignored, safe_default: false }),
        None => Standing::Unknown(check),
    }
}

/// How a function ends, of all the ways it can be left; `end` is its last step's.
pub(super) fn ends(exits: &[Exit], end: Option<Way>) -> Ends {
    let fold = |truth: bool| {
        let ways = exits.iter().filter(|exit| exit.truth == truth).map(|exit| Some(exit.way));
        ways.fold(None, meet)
    };
    let truthy = fold(true);
    if truthy.is_some() {
        let falsy = meet(fold(false), end);
        return Ends { truthy: truthy.map(|way| way.standing), falsy: falsy.map(|way| way.standing) };
    }
    // `Response | null`: what refuses is given back as an answer, and nothing says that all is well.
    let given = |answer: bool| {
        let ways = exits.iter().filter(|exit| exit.answer == answer).map(|exit| Some(exit.way));
        ways.fold(None, meet)
    };
    if let (Some(answer), Some(none)) = (given(true), meet(given(false), end)) {
        return Ends { truthy: Some(answer.standing), falsy: Some(none.standing) };
    }
    // A function that gives nothing ends one way only. What it refused it has answered itself, but its caller
    // goes on all the same: that cannot be judged from here.
    let refused = exits.iter().find_map(|exit| match exit.way.standing {
        Standing::Rejected(place) if exit.bare => Some(place),
        _ => None,
    });
    let others = exits.iter().filter(|exit| !(exit.bare && matches!(exit.way.standing, Standing::Rejected(_))));
    let met = others.map(|exit| Some(exit.way)).fold(end, meet);
    let standing = match (met.map(|way| way.standing), refused) {
        (Some(Standing::Verified(_)) | None, Some(place)) => Some(Standing::Unknown(place)),
        (standing, _) => standing,
    };
    Ends { truthy: standing, falsy: None }
}

/// Of two standings that both hold, the one that says more.
pub(super) fn stronger(new: Standing, old: Standing) -> Standing {
    if new == Standing::Unverified { old } else { new }
}

/// Standings of one kind are one key of the memory.
pub(super) fn kind_of(standing: Standing) -> u8 {
    match standing {
        Standing::Unverified => 0,
        Standing::Verified(_) => 1,
        Standing::Asked(_) => 2,
        Standing::Rejected(_) => 3,
        Standing::Open(_) => 4,
        Standing::Unknown(_) => 5,
    }
}

/// Whether the result of a function tells if a check passed.
pub(super) fn is_split(ends: Ends) -> bool {
    matches!((ends.truthy, ends.falsy), (Some(a), Some(b)) if kind_of(a) != kind_of(b))
}
