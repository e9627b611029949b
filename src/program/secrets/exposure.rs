//! What of a value is secret once somebody else reads it: credentials, whole environments, whole headers, links that
//! log in. A value is followed back from where it is written out, through names, texts, objects, own functions and
//! the slices and masks on the way.

use rustc_hash::FxHashMap;

use crate::catalogue::VendorId;
use crate::facts::BlockId;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Program};

mod bodies;
mod calls;
mod cookies;
mod cuts;
mod granted;
mod held;
pub(crate) mod names;
mod walk;

/// Something secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secret {
    /// What an environment variable holds, and whose key that is.
    Variable(Name, Option<VendorId>),
    /// The whole environment.
    Environment,
    /// A header of the incoming request that says who is calling.
    Header(Name),
    /// All headers of the incoming request.
    Headers,
    /// All cookies of the incoming request.
    Cookies,
    /// The signature that a delivery is compared with.
    Signature,
    /// A link that logs in or resets a password.
    Link,
    /// A credential by its name: `accessToken`, `password`.
    Named(Name),
    /// An answer that holds a credential, by the name under which it is read elsewhere.
    Holds(Name),
    /// The tokens that a vendor gave for a customer's code, as a whole, by the name of the one that lasts: the app keeps
    /// them, and asks with them.
    Granted(Name),
    /// The body of every answer.
    Bodies,
    /// What a `catch` receives.
    Caught(BlockId),
}

/// A secret found in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exposed {
    /// What it is.
    pub secret: Secret,
    /// Where it is read.
    pub at: ExprRef,
    /// Only its first characters, this many.
    pub head: Option<u32>,
    /// It is part of a text: of an exception that is its message alone.
    pub in_text: bool,
}

/// What a value exposes.
#[derive(Debug, Clone, Default)]
pub struct Exposure {
    /// The secrets in it.
    pub secrets: Vec<Exposed>,
    /// The parameters of functions that come out.
    pub params: Vec<Arriving>,
}

/// What arrives in a parameter and comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arriving {
    /// The function.
    pub function: FunctionRef,
    /// Which parameter.
    pub index: u16,
    /// The members still to be taken, the last one first.
    pub path: Vec<Name>,
    /// It is part of a text.
    pub in_text: bool,
}

impl Program {
    /// What of a value is secret, of which the members of `path` are taken (the last one first).
    pub fn exposure(&self, at: ExprRef, path: &[Name]) -> Exposure {
        let mut walker = walk::Walker {
            program: self,
            steps: 0,
            seen: FxHashMap::default(),
            entered: vec![],
            head: None,
            texts: 0,
            parts: 0,
            without: vec![],
            found: Exposure::default(),
        };
        walker.walk(at, &mut path.to_vec());
        walker.found
    }

    /// Whether a definition's value decides a comparison.
    pub(crate) fn comes_to_comparison(&self, at: ExprRef, depth: usize) -> bool {
        use crate::facts::{ExprKind, Op};
        use crate::program::values::readers::Use;
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let readers = self.readers(at.file);
        let next = |expr| self.comes_to_comparison(ExprRef::new(at.file, expr), depth);
        readers.uses(at.expr).iter().any(|used| match *used {
            Use::Kept(def) => {
                let reads = readers.reads(def);
                reads.first().is_some_and(|&read| self.is_compared(ExprRef::new(at.file, read)))
                    || reads.iter().any(|&read| next(read))
            }
            // It is written in another form: `btoa(String.fromCharCode(...new Uint8Array(made)))`, `bytes.map(..).join("")`.
            Use::In(outer) => match facts.expr(outer) {
                ExprKind::Await(_) | ExprKind::Member(..) | ExprKind::Spread(_) | ExprKind::Template(_) => next(outer),
                ExprKind::Op(Op::Add | Op::Or | Op::Nullish, _) => next(outer),
                _ => false,
            },
            Use::Item(list, _) => next(list),
            Use::Callee(call) => next(facts.call(call).expr),
            Use::Arg(call, 0) if self.edges(CallRef::new(at.file, call)).is_empty() => next(facts.call(call).expr),
            _ => false,
        })
    }

    /// Whether a name is compared with something, by an operator or by a function for it.
    pub(crate) fn is_compared(&self, read: ExprRef) -> bool {
        use crate::catalogue::KnownRole;
        use crate::facts::{ExprKind, Op};
        use crate::program::values::readers::Use;
        let facts = self.facts(read.file);
        let readers = self.readers(read.file);
        let ExprKind::Ref(name, block) = *facts.expr(read.expr) else { return false };
        let Some(def) = facts.lookup(block, name) else { return false };
        readers.reads(def).iter().flat_map(|&read| readers.uses(read)).any(|used| match *used {
            Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(Op::Equal | Op::Unequal, _)),
            Use::Arg(call, _) => {
                let call = CallRef::new(read.file, call);
                let callee = facts.last_name(facts.call(call.call).callee).map(|name| name.to_ascii_lowercase());
                self.has_role(call, KnownRole::Compare)
                    || callee.is_some_and(|name| name.contains("equal") || name.contains("compare") || name == "from")
            }
            _ => false,
        })
    }
}
