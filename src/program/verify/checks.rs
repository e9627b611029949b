//! What counts as a check of the caller.

use super::comparisons::stronger_unknown;
use super::evidence::{holds_secret, is_logging, is_signature_name, sounds_like_check};
use super::ways::{is_split, meet};
use super::{Ends, Lapse, Standing, Walk, Way, Why};
use crate::catalogue::{Category, Effect, KnownRole, Seg};

use crate::facts::{ExprId, ExprKind, Imported, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, Destination, EdgeKind, ExprRef, External, FunctionRef, Value};

/// A call that checks.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckKind {
    pub(super) is_async: bool,
    pub(super) boolean: bool,
}

impl Walk<'_> {
    /// The standing after a call; none when it never comes back.
    pub(super) fn call(&mut self, at: CallRef, standing: Standing) -> Option<Standing> {
        let program = self.program;
        if self.leaves(at) {
            return None;
        }
        if let Some(after) = self.asserts(at, standing) {
            return after;
        }
        if let Some(after) = self.verifier(at, standing) {
            return Some(after);
        }
        if self.lets_through(at, standing) {
            return Some(standing);
        }
        let mut after = self.runs(at, standing)?;
        let asks = self.asks_vendor(at);
        if asks && matches!(after, Standing::Unverified) {
            after = Standing::Asked(program.call_place(at));
            self.account.asks += 1;
        }
        if asks && matches!(after, Standing::Open(_)) {
            self.note_asked(at);
        }
        if !asks && let Some(deed) = self.effect(at) {
            self.note_deed(deed, standing);
        }
        Some(after)
    }

    /// Walks the own functions that a call runs.
    fn runs(&mut self, at: CallRef, standing: Standing) -> Option<Standing> {
        let program = self.program;
        let mut direct: Option<Vec<Ends>> = None;
        let mut handed: Vec<FunctionRef> = vec![];
        for value in program.callee(at).alternatives() {
            if let Value::Param(function, index) = value {
                handed.extend(self.handed_in(*function, *index));
            }
        }
        let edges = program.edges(at);
        let targets = edges.iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).chain(handed);
        for target in targets {
            let ends = self.function(target, standing, Some(at));
            direct.get_or_insert_default().push(ends);
        }
        let mut after = standing;
        if let Some(all) = &direct {
            let ends = one_of(all);
            self.gave.insert(at, ends);
            if ends.truthy.is_none() && ends.falsy.is_none() {
                // It throws on every way.
                return None;
            }
            after = if is_split(ends) {
                self.unread(at, ends, standing)
            } else {
                ends.truthy.or(ends.falsy).unwrap_or(standing)
            };
            if let (Standing::Verified(check), false) = (after, matches!(standing, Standing::Verified(_)))
                && self.is_left_alone(at)
            {
                let place = program.call_place(at);
                after = Standing::Open(Lapse { place, check, why: Why::NotAwaited, safe_default: false });
            }
        }
        for edge in edges {
            match edge.kind {
                EdgeKind::Direct => {}
                EdgeKind::Jump => self.note_deed(at, standing),
                EdgeKind::Callback if direct.is_some() && self.visited.contains(&edge.target) => {}
                EdgeKind::Callback | EdgeKind::Deferred => {
                    let ends = self.function(edge.target, after, Some(at));
                    if edge.kind == EdgeKind::Callback && direct.is_none() {
                        self.gave.insert(at, ends);
                        if let (Some(verified @ Standing::Verified(_)), false) = (ends.truthy, is_split(ends)) {
                            after = verified;
                        }
                    }
                }
            }
        }
        Some(after)
    }

    /// The standing after a call whose result tells whether a check passed, before that is looked at.
    fn unread(&mut self, at: CallRef, ends: Ends, before: Standing) -> Standing {
        let program = self.program;
        let shape = program.facts(at.file).call(at.call);
        let check = match (ends.truthy, ends.falsy) {
            (Some(Standing::Verified(check)), _) | (_, Some(Standing::Verified(check))) => check,
            (Some(open @ Standing::Open(_)), _) if shape.dropped => return open,
            _ => return before,
        };
        if shape.dropped {
            let place = program.call_place(at);
            return Standing::Open(Lapse { place, check, why: Why::Ignored, safe_default: false });
        }
        if !self.account.pending.contains(&at) {
            self.account.pending.push(at);
        }
        before
    }

    /// Whether a call's promise is dropped: its check may fail after the work is done.
    fn is_left_alone(&self, at: CallRef) -> bool {
        let shape = self.program.facts(at.file).call(at.call);
        let is_async = self.program.edges(at).iter().any(|edge| {
            edge.kind == EdgeKind::Direct
                && self.program.facts(edge.target.file).function(edge.target.function).is_async
        });
        is_async && shape.dropped && !shape.awaited && self.program.chain(at).next().is_none()
    }

    /// The standing after a call that is a check by itself; none when it is no such call.
    fn verifier(&mut self, at: CallRef, standing: Standing) -> Option<Standing> {
        let program = self.program;
        let place = program.call_place(at);
        let shape = program.facts(at.file).call(at.call);
        let lapse = |why: Why| Standing::Open(Lapse { place, check: place, why, safe_default: false });
        if let Some(kind) = self.check_kind(at) {
            self.note_check(place);
            if matches!(standing, Standing::Verified(_)) {
                return Some(standing);
            }
            if kind.is_async && shape.dropped && !shape.awaited && program.chain(at).next().is_none() {
                return Some(lapse(Why::NotAwaited));
            }
            if kind.boolean {
                if shape.dropped {
                    return Some(lapse(Why::Ignored));
                }
                if !self.account.pending.contains(&at) {
                    self.account.pending.push(at);
                }
                return Some(standing);
            }
            return Some(match self.fallback_secret(at) {
                Some(name) => lapse(Why::Fallback(name)),
                None if self.leaves_answer(at) => lapse(Why::Ignored),
                None => Standing::Verified(place),
            });
        }
        if program.misnamed_verifier(at).is_some() {
            // It throws: nothing after it runs on its own.
            self.note_check(place);
            return Some(if matches!(standing, Standing::Verified(_)) { standing } else { Standing::Verified(place) });
        }
        let name = self.program.called_name(at)?;
        let callee = program.callee(at);
        if let Value::External(external) = callee
            && external.segs.is_empty()
            && external.package.starts_with("global:")
        {
            let may_check = name.to_ascii_lowercase().contains("valid") && self.takes_signature(at);
            if sounds_like_check(&name) || may_check {
                if self.may_come_from_star(at) {
                    return Some(stronger_unknown(standing, place));
                }
                if !self.account.undefined.contains(&(place, name)) {
                    self.account.undefined.push((place, name));
                }
            }
            return None;
        }
        if self.is_named_verifier(at) {
            return Some(stronger_unknown(standing, place));
        }
        if name == "rpc" && self.is_checked_by_database(at) || self.finds_by_credential(at, name) {
            return Some(stronger_unknown(standing, place));
        }
        // Something that by its name or by what it is given may check, in code that cannot be followed.
        let has_target = program.edges(at).iter().any(|edge| edge.kind == EdgeKind::Direct);
        if has_target || is_logging(&name) {
            return None;
        }
        let foreign = match callee {
            Value::External(external) => {
                let known = program.catalogue.known(external.package, &external.segs);
                let known = known.is_some() || !program.vendors_at(at).is_empty() || is_platform(external);
                !known
            }
            _ => true,
        };
        (foreign && (sounds_like_check(&name) || self.takes_signature(at) || self.looks_up_secret(at, name)))
            .then(|| stronger_unknown(standing, place))
    }

    /// `client.webhooks.constructEvent(body, signature, secret)` of a client that could not be followed.
    fn is_named_verifier(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let call = facts.call(at.call);
        let ExprKind::Member(base, name) = facts.expr(call.callee) else { return false };
        let of = match facts.expr(*base) {
            ExprKind::Ref(of, _) | ExprKind::Member(_, of) => *of,
            _ => return false,
        };
        call.args.len() >= 2 && self.program.catalogue.ends_in_verifier(Name::new(&format!("{of}.{name}")))
    }

    /// Whether a request is made whose answer nothing looks at, by a client that gives a refusal like any answer.
    fn leaves_answer(&self, at: CallRef) -> bool {
        let program = self.program;
        let requests = program.requests_at(at);
        if requests.is_empty() || requests.iter().any(|http| program.http_client(http).throws_on_status) {
            return false;
        }
        let dropped = program.facts(at.file).call(at.call).dropped && program.chain(at).next().is_none();
        dropped || !self.is_looked_at(at)
    }

    /// Whether a name may come out of Python's `from x import *`.
    fn may_come_from_star(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        !facts.language.is_script()
            && facts.imports.iter().any(|import| import.names.iter().any(|name| *name == "*"))
            && facts.exprs.iter().all(|expr| !matches!(expr.kind, ExprKind::Imported(_, Imported::Module)))
            || !facts.language.is_script()
                && facts.imports.iter().any(|import| {
                    import.names.len() == 1 && import.names[0] == "*" && import.specifier.starts_with('.')
                })
    }

    /// Whether a call is given the signature of the request.
    fn takes_signature(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        let is = |expr: ExprId| match facts.expr(expr) {
            ExprKind::Ref(name, _) => {
                is_signature_name(name) && !holds_secret(name) || self.is_proof_header(at.file, expr, 4)
            }
            ExprKind::Object(entries) => entries.iter().any(|(key, _)| is_signature_name(key)),
            _ => false,
        };
        let call = facts.call(at.call);
        call.args.iter().any(|arg| is(arg.value)) && !call.is_new
    }

    /// Whether a value is a header by which a sender proves itself.
    fn is_proof_header(&self, file: FileId, expr: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(file);
        let proves = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["auth", "sig", "token", "hmac", "secret", "webhook"].iter().any(|part| name.contains(part))
        };
        match facts.expr(expr) {
            ExprKind::Ref(name, block) => facts
                .lookup(*block, *name)
                .is_some_and(|def| facts.def(def).values.iter().any(|&value| self.is_proof_header(file, value, depth))),
            ExprKind::Member(base, name) => {
                matches!(facts.expr(*base), ExprKind::Member(_, of) if *of == "headers") && proves(name)
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let from_headers = match facts.expr(call.callee) {
                    ExprKind::Member(base, name) => {
                        *name == "header"
                            || matches!(facts.expr(*base), ExprKind::Ref(of, _) if matches!(of.as_str(), "req" | "request"))
                            || matches!(facts.expr(*base), ExprKind::Member(_, of) | ExprKind::Ref(of, _) if of.to_ascii_lowercase().contains("headers"))
                    }
                    _ => false,
                };
                from_headers
                    && call
                        .args
                        .first()
                        .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if proves(text)))
            }
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                parts.first().is_some_and(|&first| self.is_proof_header(file, first, depth))
            }
            _ => false,
        }
    }

    pub(super) fn check_kind(&self, at: CallRef) -> Option<CheckKind> {
        if self.program.has_role(at, KnownRole::Compare) && self.compares_request_alone(at) {
            return None;
        }
        let by_name = self.program.callee(at).externals().find_map(|external| self.check_kind_of(external));
        by_name.or_else(|| {
            // The vendor, or the own backend, is asked to verify.
            let mut uses = self.program.vendors_at(at).iter();
            let asks = uses.any(|used| self.program.operation(used).is_some_and(|call| call.effect == Effect::Verify));
            asks.then_some(CheckKind { is_async: false, boolean: false })
        })
    }

    /// Whether a comparison is of two things that both come as they are with the request, a cookie and a header:
    /// whoever calls sets both.
    fn compares_request_alone(&self, at: CallRef) -> bool {
        let args = &self.program.facts(at.file).call(at.call).args;
        args.len() == 2 && args.iter().all(|arg| self.is_read_off(ExprRef::new(at.file, arg.value), 6))
    }

    /// Whether a value is a header, a cookie or a field of the request, read and nothing more.
    pub(super) fn is_read_off(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr: ExprId| self.is_read_off(ExprRef::new(at.file, expr), depth);
        let holds = |base: ExprId| {
            facts.last_name(base).is_some_and(|name| matches!(name.as_str(), "headers" | "cookies" | "cookie_store"))
        };
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let defined = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
                matches!(defined, Some(&[only]) if next(only))
            }
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&first| next(first)),
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Member(base, _) | ExprKind::Index(base, _) => holds(*base) || next(*base),
            ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
                ExprKind::Member(base, name) if matches!(name.as_str(), "get" | "encode") => {
                    holds(*base) || next(*base)
                }
                // `Buffer.from(header)`
                ExprKind::Member(_, name) if *name == "from" => {
                    facts.call(*call).args.first().is_some_and(|arg| next(arg.value))
                }
                _ => false,
            },
            _ => false,
        }
    }

    pub(super) fn check_kind_of(&self, external: &External) -> Option<CheckKind> {
        let catalogue = &self.program.catalogue;
        if let Some(found) = catalogue.verifier(external.package, &external.segs) {
            return Some(CheckKind { is_async: found.is_async, boolean: found.boolean });
        }
        let known = catalogue.known(external.package, &external.segs)?;
        matches!(known.role, KnownRole::Verify | KnownRole::Compare | KnownRole::Authenticate)
            .then(|| CheckKind { is_async: known.is_async, boolean: known.boolean || known.role == KnownRole::Compare })
    }

    /// `assert valid` of a library.
    fn asserts(&mut self, at: CallRef, standing: Standing) -> Option<Option<Standing>> {
        let is_assert = self.program.callee(at).externals().any(|external| {
            (external.package.contains("assert") || external.package.contains("invariant"))
                && external.last_member().is_none_or(|name| matches!(name.as_str(), "default" | "ok" | "assert"))
        });
        let first = self.program.facts(at.file).call(at.call).args.first()?.value;
        let function = self.program.function_of(at);
        is_assert.then(|| self.test(function, first, standing).0)
    }

    /// Whether a call never comes back.
    fn leaves(&self, at: CallRef) -> bool {
        self.program.has_role(at, KnownRole::Leave)
            || matches!(self.program.callee(at), Value::Param(..) | Value::Member(..) | Value::Unknown)
                && self.program.called_name(at).is_some_and(|name| name == "throw" || name == "abort")
    }

    /// Whether the vendor is asked, by an id the delivery gives, for what the delivery tells.
    fn asks_vendor(&self, at: CallRef) -> bool {
        let program = self.program;
        let ours = |vendor| self.vendors.is_empty() || self.vendors.contains(&vendor);
        let fetching = |name: &str| {
            let last = name.rsplit(['.', '/']).next().unwrap_or(name).to_ascii_lowercase();
            ["retrieve", "get", "fetch", "find", "verify", "lookup", "search"].iter().any(|verb| last.starts_with(verb))
        };
        // What is attached to a message is fetched whoever sent it.
        let attached = |name: &str| {
            // `GET api.telegram.org/file/bot{}/{}`: whatever the last part of a path is.
            let last = match name.split_once('/') {
                Some((_, path)) => path,
                None => name.rsplit('.').next().unwrap_or(name),
            };
            super::words(last)
                .iter()
                .any(|word| matches!(word.as_str(), "file" | "media" | "attachment" | "download" | "avatar" | "photo"))
        };
        let by_vendor = program.vendors_at(at).iter().any(|used| {
            let vendor = program.catalogue.vendor(used.vendor);
            if vendor.own_backend || !ours(used.vendor) || attached(&used.name) {
                return false;
            }
            if self.vendors.is_empty()
                && matches!(vendor.category, Category::Llm | Category::Maps | Category::Analytics)
            {
                return false;
            }
            match program.operation(used) {
                Some(operation) => matches!(operation.effect, Effect::Read | Effect::Verify | Effect::List),
                None => match program.request_of(used) {
                    Some(http) => http.method.is_some_and(|method| method == "GET"),
                    None => fetching(&used.name),
                },
            }
        });
        if by_vendor {
            return self.names_something(at);
        }
        // A vendor the catalogue does not know, or a host that could not be told.
        let asks = |path: Name, get: bool| {
            let path = path.to_ascii_lowercase();
            let says = ["verify", "validat", "status", "lookup", "query", "check", "retrieve"];
            path.contains("verify") || self.vendors.is_empty() && (get || says.iter().any(|part| path.contains(part)))
        };
        program.requests_at(at).iter().any(|http| {
            let get = http.method.is_some_and(|method| method == "GET");
            http.to.iter().any(|to| match to {
                Destination::Host(_, path) | Destination::Env(_, path) | Destination::Unknown(path) => asks(*path, get),
                _ => false,
            })
        }) && self.names_something(at)
    }

    /// Whether a call is given anything that is no constant.
    fn names_something(&self, at: CallRef) -> bool {
        let facts = self.program.facts(at.file);
        facts.call(at.call).args.iter().any(|arg| {
            !matches!(
                self.program.value(ExprRef::new(at.file, arg.value)),
                Value::Text(_) | Value::Env(_) | Value::Number(_) | Value::Null
            )
        })
    }
}

/// What one of several functions gives: which of them runs is not known.
fn one_of(all: &[Ends]) -> Ends {
    let fold = |pick: fn(&Ends) -> Option<Standing>| {
        let met = all.iter().map(|ends| pick(ends).map(Way::plain)).fold(None, meet);
        met.map(|way| match way.standing {
            Standing::Open(Lapse { why: Why::Condition, check, .. }) if all.len() > 1 => Standing::Unknown(check),
            standing => standing,
        })
    };
    Ends { truthy: fold(|ends| ends.truthy), falsy: fold(|ends| ends.falsy) }
}

/// What the platform and the commonest runtimes bring verifies nothing that is not listed.
fn is_platform(external: &External) -> bool {
    let listed = ["global:", "node:", "py:"].iter().any(|scheme| external.package.starts_with(scheme));
    listed && !external.segs.iter().any(|seg| matches!(seg, Seg::Member(name) if sounds_like_check(name)))
}
