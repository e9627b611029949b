//! Whether a credential that the request brings is checked at all: that it is there, or what an unverified token
//! says, proves nothing.

use rustc_hash::FxHashSet;

use crate::facts::{ExprId, ExprKind, FunctionId, Op};
use crate::program::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, Program};

/// Methods of texts that tell whether, not what.
const ASKS: &[&str] = &["startsWith", "endsWith", "includes", "startswith", "endswith"];

/// Methods of texts that give a part of them.
const PARTS: &[&str] = &[
    "replace",
    "split",
    "slice",
    "substring",
    "substr",
    "trim",
    "toLowerCase",
    "toString",
    "at",
    "pop",
    "strip",
    "lower",
    "removeprefix",
];

/// Functions that read what a token says without asking who signed it.
const DECODES: &[&str] = &["atob", "b64decode", "decodeBase64", "jwtDecode", "jwt_decode", "decodeJwt", "decodeJWT"];

impl Program {
    /// Whether nothing asks if a credential of the request is a true one: it is only asked to be there, or what it
    /// says is believed. Where the platform has verified tokens, what they say may be believed.
    pub fn is_only_believed(&self, credential: ExprRef) -> bool {
        let gate = self.manifests.token_gate(&self.file(credential.file).path);
        let verified = gate.is_some_and(|(gate, _)| gate != crate::manifest::TokenGate::Open);
        let mut fate = Fate { program: self, verified, seen: FxHashSet::default(), entered: vec![] };
        fate.proves_nothing(credential)
    }

    /// Whether a call reads what a token says, and does not verify it.
    fn decodes(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let Some(name) = facts.last_name(call.callee) else { return false };
        let base_is = |wanted: &str| {
            matches!(facts.expr(call.callee), ExprKind::Member(base, _)
                if facts.last_name(*base).is_some_and(|base| base.to_ascii_lowercase().contains(wanted)))
        };
        let by_package = || self.callee(at).externals().any(|external| external.package.contains("jwt"));
        DECODES.contains(&name.as_str())
            || name == "from" && base_is("buffer")
            || name == "decode" && facts.language.is_script() && (base_is("jwt") || base_is("jose") || by_package())
    }
}

struct Fate<'p> {
    program: &'p Program,
    /// The platform has verified the token before.
    verified: bool,
    seen: FxHashSet<ExprRef>,
    /// The own functions that it was handed to, with the calls.
    entered: Vec<(FunctionId, CallRef)>,
}

impl Fate<'_> {
    /// Whether whatever becomes of a value proves nothing of who is calling.
    fn proves_nothing(&mut self, at: ExprRef) -> bool {
        if !self.seen.insert(at) {
            return true;
        }
        let readers = self.program.readers(at.file);
        let uses: Vec<Use> = readers.uses(at.expr).to_vec();
        uses.into_iter().all(|used| self.harmless(at, used))
    }

    fn harmless(&mut self, at: ExprRef, used: Use) -> bool {
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        match used {
            Use::Tested | Use::Dropped | Use::Thrown => true,
            Use::In(outer) => self.inside(at, outer),
            Use::Kept(def) => {
                let reads: Vec<ExprId> = self.program.readers(at.file).reads(def).to_vec();
                reads.into_iter().all(|read| self.proves_nothing(here(read)))
            }
            Use::Arg(call, position) => self.handed(CallRef::new(at.file, call), position),
            Use::Returned(function) => match self.entered.iter().rfind(|(entered, _)| *entered == function) {
                Some(&(_, call)) => {
                    let given = self.program.facts(call.file).call(call.call).expr;
                    self.proves_nothing(ExprRef::new(call.file, given))
                }
                None => false,
            },
            Use::Key(..) | Use::Item(..) | Use::Callee(_) | Use::Put => false,
        }
    }

    fn inside(&mut self, at: ExprRef, outer: ExprId) -> bool {
        let facts = self.program.facts(at.file);
        let next = ExprRef::new(at.file, outer);
        match facts.expr(outer) {
            ExprKind::Op(Op::Not | Op::TypeOf, _) => true,
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts.iter().any(|&part| match facts.expr(part) {
                ExprKind::Null | ExprKind::Number(_) => true,
                ExprKind::Text(text) => text.is_empty(),
                _ => false,
            }),
            ExprKind::Op(Op::And | Op::Or | Op::Nullish | Op::Choose, _)
            | ExprKind::Await(_)
            | ExprKind::Index(..)
            | ExprKind::Template(_) => self.proves_nothing(next),
            ExprKind::Member(_, name) if *name == "length" => true,
            ExprKind::Member(_, name) => {
                let name = name.as_str();
                let uses: Vec<Use> = self.program.readers(at.file).uses(outer).to_vec();
                uses.into_iter().all(|used| match used {
                    Use::Callee(_) if ASKS.contains(&name) => true,
                    Use::Callee(call) if PARTS.contains(&name) => {
                        self.proves_nothing(ExprRef::new(at.file, facts.call(call).expr))
                    }
                    _ => false,
                })
            }
            _ => false,
        }
    }

    fn handed(&mut self, call: CallRef, position: usize) -> bool {
        const DEEPEST: usize = 3;
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let Some(name) = facts.last_name(shape.callee) else { return false };
        if program.is_logging(call) || name == "Boolean" {
            return true;
        }
        if program.decodes(call) {
            // What it says is all that anybody looks at.
            return !self.verified;
        }
        let given = ExprRef::new(call.file, shape.expr);
        if matches!(name.as_str(), "String" | "decodeURIComponent") {
            return self.proves_nothing(given);
        }
        let asks = words(&name).iter().any(|word| word.starts_with("verif") || word.starts_with("valid"));
        let targets: Vec<_> = program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).collect();
        if targets.is_empty() || asks || self.entered.len() >= DEEPEST {
            return false;
        }
        targets.into_iter().all(|edge| {
            let target = edge.target;
            let standing: Vec<ExprId> = program.readers(target.file).param(target.function, position as u16).collect();
            self.entered.push((target.function, call));
            let harmless = !standing.is_empty()
                && standing.into_iter().all(|param| self.proves_nothing(ExprRef::new(target.file, param)));
            self.entered.pop();
            harmless
        })
    }
}
