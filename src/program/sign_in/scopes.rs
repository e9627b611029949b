//! Permissions that code asks vendors for.

use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;

use crate::catalogue::{Scope, VendorId};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::{FileId, Place};
use crate::program::values::readers::Use;
use crate::program::{Program, Target};

/// A broad permission that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct AskedScope<'p> {
    /// The vendor.
    pub vendor: VendorId,
    /// What is known of it.
    pub scope: &'p Scope,
    /// Where it stands.
    pub place: Place,
}

impl Program {
    /// The broad permissions that deployed code asks for, by place.
    pub fn broad_scopes(&self) -> Vec<AskedScope<'_>> {
        let known: Vec<(VendorId, &Scope)> = (self.catalogue.vendors().iter().enumerate())
            .flat_map(|(at, vendor)| vendor.scopes.iter().map(move |scope| (VendorId(at as u16), scope)))
            .filter(|(_, scope)| !scope.unless.iter().any(|package| self.imports(package)))
            .filter(|(_, scope)| scope.used_with.is_empty() || self.asks_address(&scope.used_with))
            .collect();
        // One look at a text for all of them.
        let any = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(known.iter().map(|(_, scope)| &scope.scope));
        let Ok(any) = any else { return vec![] };
        let in_file = |&file: &FileId| {
            let side = self.side(file);
            let facts = self.file(file).facts.as_ref().filter(|_| !side.tooling && !side.dead);
            let texts = facts.into_iter().flat_map(|facts| facts.texts().map(move |text| (facts, text)));
            let mut found = Vec::new();
            for (facts, (at, text)) in texts {
                if !any.is_match(text.as_str()) {
                    continue;
                }
                for &(vendor, scope) in &known {
                    if asks_for(&text, scope)
                        && is_asked(facts, scope)
                        && !is_own_account(facts, scope)
                        && (scope.asked_by.is_empty() || self.is_asked_by(file, at, &scope.asked_by))
                        && (scope.asked_at.is_none() || text != *scope.scope || self.is_of_scopes(file, at))
                    {
                        found.push(AskedScope { vendor, scope, place: Place { file, span: facts.span(at) } });
                    }
                }
            }
            found
        };
        let files: Vec<FileId> = self.file_ids().collect();
        files.par_iter().flat_map_iter(in_file).collect()
    }

    /// Whether a word that is a scope elsewhere is one here: it stands under that name, alone or in a list.
    fn is_of_scopes(&self, file: FileId, at: ExprId) -> bool {
        let facts = self.facts(file);
        let named = |name: &str| name.to_ascii_lowercase().contains("scope");
        let mut open = vec![at];
        for _ in 0..12 {
            let Some(at) = open.pop() else { return false };
            for used in self.readers(file).uses(at) {
                match *used {
                    Use::Key(_, name) if named(&name) => return true,
                    Use::Kept(def) if named(&facts.def(def).name) => return true,
                    Use::Arg(call, _) => {
                        let shape = facts.call(call);
                        let beside = |value: ExprId| matches!(facts.expr(value), ExprKind::Text(text) if named(text));
                        if shape.args.iter().any(|arg| {
                            beside(arg.value) || arg.value == at && arg.name.is_some_and(|name| named(&name))
                        }) {
                            return true;
                        }
                    }
                    // `["repo", "user"].join(" ")`
                    Use::Callee(call) => open.push(facts.call(call).expr),
                    Use::Item(outer, _) => open.push(outer),
                    Use::In(outer) if matches!(facts.expr(outer), ExprKind::Member(..)) => open.push(outer),
                    Use::Put => return true,
                    _ => {}
                }
            }
        }
        false
    }

    /// Whether deployed code holds one of some addresses.
    fn asks_address(&self, addresses: &[String]) -> bool {
        let deployed = self.code().filter(|(file, _)| !self.side(*file).tooling && !self.side(*file).dead);
        deployed
            .flat_map(|(_, facts)| facts.texts())
            .any(|(_, text)| addresses.iter().any(|one| text.contains(one.as_str())))
    }

    /// Whether a text gets, alone or in a list or an object, into a call of one of some names, or into the query of the
    /// address where customers authorize.
    fn is_asked_by(&self, file: FileId, at: ExprId, names: &[String]) -> bool {
        let facts = self.facts(file);
        let readers = self.readers(file);
        let mut open = vec![at];
        for _ in 0..40 {
            let Some(at) = open.pop() else { return false };
            for used in readers.uses(at) {
                match *used {
                    Use::Arg(call, _) => {
                        let shape = facts.call(call);
                        let name = facts.last_name(shape.callee);
                        if name.is_some_and(|name| names.iter().any(|known| *name == **known)) {
                            return true;
                        }
                        open.push(shape.expr);
                    }
                    Use::Key(outer, _) | Use::Item(outer, _) | Use::In(outer) => {
                        let says = |text: &ExprId| matches!(facts.expr(*text), ExprKind::Text(text) if text.contains("/authorize"));
                        if matches!(facts.expr(outer), ExprKind::Template(parts) if parts.iter().any(says)) {
                            return true;
                        }
                        open.push(outer);
                    }
                    Use::Kept(def) => open.extend(readers.reads(def)),
                    _ => {}
                }
            }
        }
        false
    }

    /// Whether deployed code imports a package.
    pub fn imports(&self, package: &str) -> bool {
        self.code().filter(|(file, _)| !self.side(*file).tooling).any(|(file, facts)| {
            (0..facts.imports.len()).any(|import| {
                match self.modules.target(file, crate::facts::ImportId(import as u32)) {
                    Target::Package { name, .. } => *name == *package,
                    _ => false,
                }
            })
        })
    }
}

/// Whether a text is a list of scopes that holds this one.
fn asks_for(text: &str, scope: &Scope) -> bool {
    let list = text.split_once("scope=").map_or(text, |(_, list)| list.split('&').next().unwrap_or(list));
    let mut parts = list.split(|c: char| c.is_whitespace() || matches!(c, ',' | '+' | ';'));
    parts.any(|part| part.split("%20").any(|part| part == scope.scope))
}

/// Whether the file makes an account of the app's own rather than to ask a customer.
fn is_own_account(facts: &Facts, scope: &Scope) -> bool {
    facts.calls.iter().any(|call| match facts.expr(call.callee) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => scope.unless_calls.iter().any(|known| *name == **known),
        _ => false,
    })
}

/// Whether the file asks for it where such words are scopes.
fn is_asked(facts: &Facts, scope: &Scope) -> bool {
    scope.asked_at.as_ref().is_none_or(|address| facts.texts().any(|(_, text)| text.contains(address.as_str())))
}
