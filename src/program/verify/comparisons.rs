//! Comparisons that prove who is calling: of a MAC, or of a secret that only the caller knows.

use rustc_hash::FxHashSet;

use super::absent::is_of_itself;
use super::evidence::{holds_secret, is_logging, sounds_secret};
use super::tests::Both;
use super::{Lapse, Standing, Walk, Why};
use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind, FunctionId, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::requested::Origin;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Value};

/// How far a value is followed back to what it was computed from.
const FARTHEST: usize = 8;

/// Through how many wrappers a look-up is followed.
const DEEPEST: usize = 3;

/// Words in the names of what a process keeps in memory.
const MEMORIES: &[&str] =
    &["cache", "cached", "caches", "memory", "memo", "seen", "processed", "recent", "pending", "dedup", "inflight"];

impl Walk<'_> {
    /// What a comparison of two values says: one of a MAC, or of a secret that only the caller knows.
    pub(super) fn comparison_of(
        &mut self,
        function: FunctionRef,
        at: ExprId,
        left: ExprId,
        right: ExprId,
        standing: Standing,
    ) -> Both {
        let proves = self.proves(function, left, right);
        if proves.is_some() {
            self.note_plain(function, at, left, right);
        }
        match proves {
            Some(weak) if !matches!(standing, Standing::Verified(_)) => {
                let why = weak.map(Why::Fallback);
                let why = why.or_else(|| self.absent_alike(function, left, right).map(Why::Unset));
                self.compared_at(function, at, why)
            }
            _ => (Some(standing), Some(standing)),
        }
    }

    /// Notes a comparison by `==`; one of lengths, of two MACs, or of the token of a subscription's handshake says
    /// nothing worth timing.
    fn note_plain(&mut self, function: FunctionRef, at: ExprId, left: ExprId, right: ExprId) {
        let facts = self.facts(function);
        if !matches!(facts.expr(at), ExprKind::Op(Op::Equal | Op::Unequal, _)) {
            return;
        }
        let is_length = |expr: ExprId| match facts.expr(expr) {
            ExprKind::Member(_, name) => matches!(name.as_str(), "length" | "byteLength"),
            ExprKind::Call(call) => {
                matches!(facts.expr(facts.call(*call).callee), ExprKind::Ref(name, _) if *name == "len")
            }
            _ => false,
        };
        let macs = [(left, right), (right, left)].map(|(side, other)| self.derives_mac(function, side, Some(other)));
        if is_length(left) || is_length(right) || macs == [true, true] {
            return;
        }
        let handshake = [left, right].iter().any(|&side| {
            self.expanded(ExprRef::new(function.file, side)).envs().iter().any(|name| name.contains("VERIFY_TOKEN"))
                || matches!(facts.expr(side), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
                    if name.to_ascii_lowercase().replace('_', "").contains("verifytoken"))
        });
        // A setting compared with itself put in order, with a cache, with a key of the own backend.
        let given = [left, right].map(|side| self.is_given(ExprRef::new(function.file, side), 8));
        let envs = [left, right].map(|side| self.expanded(ExprRef::new(function.file, side)).envs());
        let own_key = envs.iter().flatten().any(|name| {
            let known = self.program.catalogue.env(name);
            known.is_some_and(|(vendor, _)| self.program.catalogue.vendor(vendor).own_backend)
        });
        if own_key || (macs == [false, false] && given[0] == given[1]) {
            return;
        }
        let plain = super::Plain { place: self.at(function, at), signature: macs[0] || macs[1] };
        if !handshake && !self.account.plain.contains(&plain) {
            self.account.plain.push(plain);
        }
    }

    /// Whether a value comes with the request, or from whoever calls the function.
    pub(super) fn is_given(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.is_given(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            // `urls.some((url) => url === own)`: an element of what is gone through.
            ExprKind::Param(function, _) => self.gone_through(at.file, *function).is_none_or(next),
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| next(value)))
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                match facts.expr(call.callee) {
                    ExprKind::Member(base, name) => {
                        next(*base) || matches!(name.as_str(), "header" | "get_header") || is_request_part(facts, *base)
                    }
                    _ => call.args.iter().any(|arg| next(arg.value)),
                }
            }
            ExprKind::Member(base, _) | ExprKind::Index(base, _) => is_request_part(facts, *base) || next(*base),
            ExprKind::Await(inner) | ExprKind::ElementOf(inner) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().any(|&part| next(part)),
            _ => false,
        }
    }

    /// The list whose elements a callback is run with.
    fn gone_through(&self, file: FileId, callback: FunctionId) -> Option<ExprId> {
        let callback = FunctionRef::new(file, callback);
        let &(_, by) = self.active.iter().rev().find(|(active, _)| *active == callback)?;
        let by = by.filter(|by| by.file == file)?;
        let facts = self.program.facts(file);
        let call = facts.call(by.call);
        let ExprKind::Member(base, name) = facts.expr(call.callee) else { return None };
        let handed = call
            .args
            .iter()
            .any(|arg| matches!(facts.expr(arg.value), ExprKind::Function(inner) if *inner == callback.function));
        (handed && matches!(name.as_str(), "some" | "find" | "every" | "filter" | "findIndex")).then_some(*base)
    }

    fn compared_at(&mut self, function: FunctionRef, at: ExprId, open: Option<Why>) -> Both {
        let place = self.at(function, at);
        self.note_check(place);
        let passed = match open {
            Some(why) => Standing::Open(Lapse { place, check: place, why, safe_default: false }),
            None => Standing::Verified(place),
        };
        (Some(passed), Some(Standing::Rejected(place)))
    }

    /// What a tested call says that compares what it is given: `safeEqual(expected, signature)`,
    /// `expected.equals(given)`, `tokens.includes(token)`.
    pub(super) fn comparison_by_call(&mut self, at: CallRef, standing: Standing) -> Both {
        let nothing = (Some(standing), Some(standing));
        let program = self.program;
        let facts = program.facts(at.file);
        let shape = facts.call(at.call);
        let function = program.function_of(at);
        let mut sides: Vec<ExprId> = shape.args.iter().map(|arg| arg.value).collect();
        if let ExprKind::Member(base, name) = facts.expr(shape.callee) {
            if is_logging(name) || matches!(name.as_str(), "get" | "update" | "digest") {
                return nothing;
            }
            // `pem.match(/BEGIN PRIVATE KEY/)`: a pattern takes a text apart.
            let pattern = shape.args.first().is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Unknown));
            if pattern && matches!(name.as_str(), "match" | "matchAll" | "search") {
                return nothing;
            }
            // What was seen before is remembered, which proves nothing.
            if *name == "has" && is_memory(facts, *base) {
                return nothing;
            }
            sides.push(*base);
        }
        sides.retain(|&side| {
            let global =
                matches!(facts.expr(side), ExprKind::Ref(name, block) if facts.lookup(*block, *name).is_none());
            !global && !matches!(facts.expr(side), ExprKind::Object(_) | ExprKind::Function(_) | ExprKind::Text(_))
        });
        let outbound = !program.requests_at(at).is_empty() || !program.vendors_at(at).is_empty();
        if sides.len() < 2 || outbound || program.is_floating(at) {
            return nothing;
        }
        let compares = self.program.called_name(at).is_some_and(|name| sounds_like_comparison(&name));
        // `findCustomer(db, await hashed(phone))`: a MAC that rows are found by.
        let mut own = program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        let looks_up = own.any(|edge| self.looks_up(edge.target, DEEPEST));
        for (index, &left) in sides.iter().enumerate() {
            for &right in &sides[index + 1..] {
                let by_mac =
                    || (compares || !looks_up).then(|| self.proves_by_mac(function, left, right, looks_up)).flatten();
                // `checkGrammar(body, KEY)` hands the key on to a vendor.
                let by_secret = || {
                    let compares = compares && !self.calls_out(at, DEEPEST);
                    compares.then(|| self.proves_by_secret(function, left, right)).flatten()
                };
                if is_of_itself(facts, left, right) {
                    continue;
                }
                if let Some(weak) = by_mac().or_else(by_secret) {
                    return self.compared_at(function, shape.expr, weak.map(Why::Fallback));
                }
            }
        }
        // An address on a list of allowed ones.
        let listed = self.program.called_name(at).is_some_and(|name| name == "includes" || name == "has")
            && sides.iter().any(|&side| self.lists_addresses(function, side));
        if listed { (Some(stronger_unknown(standing, program.call_place(at))), nothing.1) } else { nothing }
    }

    /// Whether an expression is a list of addresses of machines, by its name or by what it holds, or a net of them.
    pub(super) fn lists_addresses(&self, function: FunctionRef, at: ExprId) -> bool {
        let facts = self.facts(function);
        match facts.expr(at) {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) if is_address_list(name) => return true,
            ExprKind::Call(call) if facts.last_name(facts.call(*call).callee).is_some_and(|n| n == "ip_network") => {
                return true;
            }
            _ => {}
        }
        let Value::List(list) = self.program.value(ExprRef::new(function.file, at)) else { return false };
        let facts = self.program.facts(list.file);
        let ExprKind::List(items) = facts.expr(list.expr) else { return false };
        // `196.201.214.0/24`; the machine's own says nothing.
        let is_address = |text: &str| {
            let parts: Vec<&str> = text.split('/').next().unwrap_or(text).split('.').collect();
            parts.len() == 4 && parts[0] != "127" && parts.iter().all(|part| part.parse::<u8>().is_ok())
        };
        !items.is_empty()
            && items.iter().all(|&item| matches!(facts.expr(item), ExprKind::Text(text) if is_address(text)))
    }

    /// `key in CACHE`, where the key is a hash: what the app keeps in memory is looked up by it, which proves nothing.
    pub(super) fn looks_into_store(&self, function: FunctionRef, key: ExprId, store: ExprId) -> bool {
        let facts = self.facts(function);
        let named = facts
            .last_name(store)
            .is_some_and(|name| super::words(&name).iter().any(|word| MEMORIES.contains(&word.as_str())));
        let starts_empty = |value: &ExprId| match facts.expr(*value) {
            ExprKind::Object(entries) => entries.is_empty(),
            ExprKind::List(items) => items.is_empty(),
            ExprKind::Call(call) => facts.call(*call).args.is_empty(),
            _ => false,
        };
        let empty = match *facts.expr(store) {
            ExprKind::Ref(name, block) => facts.lookup(block, name).is_some_and(|def| {
                let values = &facts.def(def).values;
                !values.is_empty() && values.iter().all(starts_empty)
            }),
            _ => false,
        };
        (named || empty) && self.derives_mac(function, key, Some(store))
    }

    /// Whether to compare two values proves who is calling; with the variable whose fallback anyone can read.
    fn proves(&self, function: FunctionRef, left: ExprId, right: ExprId) -> Option<Option<Name>> {
        if is_of_itself(self.facts(function), left, right) {
            return None;
        }
        self.proves_by_mac(function, left, right, false).or_else(|| self.proves_by_secret(function, left, right))
    }

    /// The same for a MAC; `found`: it is one that something is found by, and a hash of no secret counts for nothing.
    fn proves_by_mac(&self, function: FunctionRef, left: ExprId, right: ExprId, found: bool) -> Option<Option<Name>> {
        let made = [(left, right), (right, left)].into_iter().find(|&(side, other)| {
            self.derives_mac(function, side, Some(other).filter(|_| !found)) && !self.is_constant(function, other)
        });
        made.map(|(side, _)| self.weak_in(ExprRef::new(function.file, side), FARTHEST, false))
    }

    /// The same for a secret.
    fn proves_by_secret(&self, function: FunctionRef, left: ExprId, right: ExprId) -> Option<Option<Name>> {
        let file = function.file;
        for (side, other) in [(left, right), (right, left)] {
            if self.is_constant(function, other) {
                continue;
            }
            let secret = self.expanded(ExprRef::new(file, side));
            // Two settings prove nothing.
            if !self.expanded(ExprRef::new(file, other)).envs().is_empty() {
                continue;
            }
            if secret.envs().iter().any(|name| sounds_secret(name)) {
                return Some(self.weak_secret(ExprRef::new(file, side), &secret, false));
            }
            if self.encodes_secret(ExprRef::new(file, side), 9) {
                return Some(self.weak_in(ExprRef::new(file, side), FARTHEST, false));
            }
        }
        // A secret that is kept elsewhere: a field of a setting or a row.
        let kept = |expr: ExprId| match self.program.facts(file).expr(expr) {
            ExprKind::Member(_, name) => holds_secret(name),
            ExprKind::Ref(name, block) => {
                let facts = self.program.facts(file);
                let is_text = |&value: &ExprId| matches!(facts.expr(value), ExprKind::Template(_));
                // A key under which something is kept: `${event.id}:${event.status}`.
                let composed = facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(is_text));
                holds_secret(name) && !composed
            }
            _ => false,
        };
        let constant = self.is_constant(function, left) || self.is_constant(function, right);
        let is_kept = !constant && (kept(left) || kept(right));
        (is_kept && !self.are_both_kept(function, left, right)).then_some(None)
    }

    /// Whether a value is a secret put into another form: `"Basic " + btoa(user + ":" + password)`.
    fn encodes_secret(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.encodes_secret(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            // `[current, former].filter(Boolean)`
            ExprKind::Call(call) if matches!(facts.expr(facts.call(*call).callee), ExprKind::Member(_, name) if *name == "filter") => {
                next(facts.call(*call).callee)
            }
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let of_platform = self.program.external(CallRef::new(at.file, *call)).is_some_and(|external| {
                    ["global:", "node:", "py:"].iter().any(|scheme| external.package.starts_with(scheme))
                });
                of_platform && (shape.args.iter().any(|arg| next(arg.value)) || next(shape.callee))
            }
            ExprKind::Ref(name, block) => {
                let defined = facts.lookup(*block, *name).map(|def| facts.def(def));
                defined.is_some_and(|def| def.values.iter().any(|&value| next(value)))
            }
            ExprKind::Member(inner, _) | ExprKind::Await(inner) | ExprKind::ElementOf(inner) => next(*inner),
            ExprKind::Template(parts) | ExprKind::List(parts) | ExprKind::Op(Op::Add, parts) => {
                parts.iter().any(|&part| next(part))
            }
            ExprKind::Env(name) => sounds_secret(name),
            _ => false,
        }
    }

    fn is_constant(&self, function: FunctionRef, expr: ExprId) -> bool {
        match self.program.value(ExprRef::new(function.file, expr)) {
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => true,
            // An element of a list that starts empty is none yet.
            Value::Null => !is_element(self.facts(function), expr),
            _ => false,
        }
    }

    /// Whether a value is computed from a MAC, here or by own functions that give one back. What a vendor, a database
    /// above all, finds by a MAC is none. Each expression is looked at once: variables made of each other branch
    /// without end. A hash made without a key is a MAC where it says something of whoever sent the other side.
    fn derives_mac(&self, function: FunctionRef, expr: ExprId, other: Option<ExprId>) -> bool {
        let mut open = vec![ExprRef::new(function.file, expr)];
        let mut seen: FxHashSet<ExprRef> = FxHashSet::default();
        // By which calls own functions were entered: what their parameters stand for.
        let mut entered: Vec<(FunctionRef, CallRef)> = vec![];
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let facts = self.program.facts(at.file);
            let mut follow = |expr: ExprId| open.push(ExprRef::new(at.file, expr));
            match facts.expr(at.expr) {
                ExprKind::Call(call) => {
                    let made = CallRef::new(at.file, *call);
                    if self.program.has_role(made, KnownRole::Mac) {
                        let other = other.map(|other| ExprRef::new(function.file, other));
                        if !self.is_keyless(made) || self.hashes_secret(made, &entered, other) {
                            return true;
                        }
                        continue;
                    }
                    let shape = facts.call(*call);
                    let edges = self.program.edges(made);
                    let is_own = edges.iter().any(|edge| edge.kind == EdgeKind::Direct);
                    // To write a MAC down takes no waiting: what is waited for was found somewhere.
                    if self.is_found_by(made) || shape.awaited && !is_own {
                        continue;
                    }
                    if !matches!(facts.expr(shape.callee), ExprKind::Ref(..)) {
                        follow(shape.callee);
                    }
                    if !is_own {
                        shape.args.iter().for_each(|arg| follow(arg.value));
                    }
                    for edge in edges {
                        entered.push((edge.target, made));
                        open.extend(self.given_back(edge.target));
                    }
                }
                ExprKind::Param(function, position) => {
                    let function = FunctionRef::new(at.file, *function);
                    for &(_, call) in entered.iter().filter(|(target, _)| *target == function) {
                        let args = &self.program.facts(call.file).call(call.call).args;
                        open.extend(args.get(*position as usize).map(|arg| ExprRef::new(call.file, arg.value)));
                    }
                }
                ExprKind::Ref(name, block) => {
                    if let Some(def) = facts.lookup(*block, *name) {
                        facts.def(def).values.iter().for_each(|&value| follow(value));
                    }
                }
                ExprKind::Await(inner)
                | ExprKind::Member(inner, _)
                | ExprKind::Spread(inner)
                | ExprKind::Index(inner, _)
                | ExprKind::ElementOf(inner) => follow(*inner),
                ExprKind::Template(parts)
                | ExprKind::List(parts)
                | ExprKind::Op(Op::Add | Op::Or | Op::Nullish | Op::Choose | Op::Other, parts) => {
                    parts.iter().for_each(|&part| follow(part));
                }
                _ => {}
            }
        }
        false
    }

    /// Whether what a call gives is what a vendor finds: by its SDK, or by a request.
    fn is_found_by(&self, call: CallRef) -> bool {
        let program = self.program;
        let mut externals = program.callee(call).externals();
        !program.requests_at(call).is_empty()
            || externals.any(|external| program.catalogue.packages(external.package, &[]).next().is_some())
    }

    /// Whether a function, or one that it calls, finds something elsewhere: in a database, in a cache.
    fn looks_up(&self, function: FunctionRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.program.calls_in(function).any(|call| {
            let edges = self.program.edges(call);
            self.is_found_by(call)
                || self.waits_elsewhere(call)
                || edges.iter().any(|edge| edge.kind == EdgeKind::Direct && self.looks_up(edge.target, depth))
        })
    }

    /// Whether the own functions that a call runs ask a vendor for something, but for the own backend.
    fn calls_out(&self, at: CallRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let program = self.program;
        let foreign = |at: CallRef| {
            let own = |vendor| program.catalogue.vendor(vendor).own_backend;
            let mut uses = program.vendors_at(at).iter();
            !program.requests_at(at).is_empty() || uses.any(|used| !own(used.vendor))
        };
        program.edges(at).iter().filter(|edge| edge.kind == EdgeKind::Direct).any(|edge| {
            let mut calls = program.calls_in(edge.target);
            calls.any(|inner| foreign(inner) || self.calls_out(inner, depth))
        })
    }

    /// Whether neither of two values comes with the request: what is stored, compared with what was fetched, looks at
    /// nobody. Tokens of customers' accounts elsewhere are compared with each other only that way.
    fn are_both_kept(&self, function: FunctionRef, left: ExprId, right: ExprId) -> bool {
        let facts = self.facts(function);
        let sides = [left, right];
        let origins = sides.map(|side| self.program.origin_on(&[], ExprRef::new(function.file, side), &[]));
        if origins.iter().any(|origin| matches!(origin, Origin::Request(_))) {
            return false;
        }
        let known = |origin: &Origin| matches!(origin, Origin::Server | Origin::Constant);
        let of_account = |side: ExprId| {
            facts.last_name(side).is_some_and(|name| {
                let words = super::words(&name);
                words.windows(2).any(|pair| matches!(pair[0].as_str(), "access" | "refresh") && pair[1] == "token")
            })
        };
        let reads_request = sides.iter().any(|&side| self.asks_request(ExprRef::new(function.file, side), FARTHEST));
        origins.iter().all(known) || sides.into_iter().any(of_account) && !reads_request
    }

    /// Whether a call waits for code that is not the app's and is no cryptography.
    fn waits_elsewhere(&self, call: CallRef) -> bool {
        let shape = self.program.facts(call.file).call(call.call);
        let known = self.program.callee(call).externals().any(|external| {
            self.program.catalogue.known(external.package, &external.segs).is_some()
                || external.package.starts_with("global:crypto")
        });
        shape.awaited && !known && self.program.edges(call).is_empty()
    }

    /// What a function gives back; one that compares a MAC itself gives a verdict instead, which is none.
    pub(super) fn given_back(&self, function: FunctionRef) -> Vec<ExprRef> {
        let facts = self.program.facts(function.file);
        let steps = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|b| &b.steps);
        let returned = steps.filter_map(|step| if let Step::Return(Some(value)) = step { Some(*value) } else { None });
        let is_verdict = |value: &ExprId| {
            matches!(facts.expr(*value), ExprKind::Op(Op::Equal | Op::Unequal | Op::And | Op::Or | Op::Not, _))
        };
        returned.filter(|value| !is_verdict(value)).map(|value| ExprRef::new(function.file, value)).collect()
    }
}

/// An element of a list: of a loop, or by its position.
fn is_element(facts: &crate::facts::Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.iter().any(|&value| is_element(facts, value))),
        ExprKind::ElementOf(_) | ExprKind::Index(..) => true,
        _ => false,
    }
}

/// A `Map` or `Set` that starts empty.
fn is_memory(facts: &crate::facts::Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => facts
            .lookup(*block, *name)
            .is_some_and(|def| facts.def(def).values.iter().any(|&value| is_memory(facts, value))),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let made = matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if *name == "Map" || *name == "Set");
            made && call.is_new && call.args.is_empty()
        }
        _ => false,
    }
}

/// `request.headers`, `url.searchParams`: a part of what came in.
pub(super) fn is_request_part(facts: &crate::facts::Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Member(_, name) | ExprKind::Ref(name, _)
        if matches!(name.as_str(), "headers" | "searchParams" | "query" | "args" | "body" | "params" | "META" | "GET" | "request" | "req"))
}

/// Whether a function compares what it is given, by its name. `lookupByHash` has and is nothing of the sort.
fn sounds_like_comparison(name: &str) -> bool {
    let words = super::words(name);
    let name = name.to_ascii_lowercase();
    ["equal", "compare", "verif", "valid", "check", "match", "includes", "startswith", "endswith", "authoriz"]
        .iter()
        .any(|part| name.contains(part))
        || words.iter().any(|word| matches!(word.as_str(), "has" | "some"))
}

pub(super) fn stronger_unknown(standing: Standing, place: crate::finding::Place) -> Standing {
    match standing {
        Standing::Verified(_) | Standing::Open(_) | Standing::Rejected(_) => standing,
        _ => Standing::Unknown(place),
    }
}

fn is_address_list(name: &str) -> bool {
    let words = super::words(name);
    words.iter().any(|word| matches!(word.as_str(), "ip" | "ips" | "allowlist" | "whitelist" | "cidr"))
}
