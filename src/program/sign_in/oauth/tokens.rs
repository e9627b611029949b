//! What becomes of the tokens that a code was exchanged for: kept, and renewed before they end or not.

use std::cell::LazyCell;

use crate::catalogue::{KnownRole, VendorId};
use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::assigned::Holder;
use crate::program::values::readers::Use;
use crate::program::{CallRef, Destination, ExprRef, FunctionRef, Program, Value};

pub mod unasked;

/// A token that is kept and ends, and that nothing renews.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Where the code is exchanged.
    pub exchange: ExprRef,
    /// Where the token is kept.
    pub kept: ExprRef,
    /// Whether what would renew it is kept beside it.
    pub renewable: bool,
    /// Whose it is.
    pub vendor: Option<VendorId>,
    /// The host of the exchange.
    pub host: Option<Name>,
    /// How it is known that it ends.
    pub ends: Ends,
}

/// How it is known that a token ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// The vendor says after how long.
    After(String),
    /// The code itself reads when.
    AsRead,
    /// The code itself asks for, or gets, what renews it.
    AsAsked,
}

impl Program {
    /// The tokens that deployed code gets for a code, keeps, and never renews.
    pub fn ending_tokens(&self) -> Vec<Ending> {
        let renewals = LazyCell::new(|| self.renewals());
        let mut found: Vec<Ending> = Vec::new();
        let grant_type = Name::new("grant_type");
        for (file, _) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            // A library's client renews by itself, from what renews it: where nothing in the app ever reads that, it cannot.
            let by_library = self.calls_of(file).filter(|&call| {
                self.has_role(call, KnownRole::Exchange) && !self.app_names(file, &["refresh_token", "refreshToken"])
            });
            let by_library = by_library.map(|call| ExprRef::new(file, self.facts(file).call(call.call).expr));
            for exchange in self.exchanges_of_any_proof(file, grant_type).into_iter().chain(by_library) {
                let (vendor, host) = self.asked_for_tokens(exchange);
                let renewed = renewals.iter().filter(|(by, ..)| self.share_app(*by, file)).any(|(_, other, at)| {
                    other.is_none() && at.is_none()
                        || vendor.is_some() && vendor == *other
                        || host.is_some() && site(host) == site(*at)
                        || host.is_none()
                });
                if renewed {
                    continue;
                }
                let functions = self.around_exchange(exchange);
                let Some(kept) = self.kept_token(&functions, is_token) else { continue };
                let says = |words: &[&str]| functions.iter().any(|&function| self.names_any(function, words));
                let lasts = vendor.and_then(|vendor| self.catalogue.vendor(vendor).token_life.as_ref());
                let ends = match lasts {
                    Some(life) if life.seconds == 0 => continue,
                    Some(life) => Ends::After(life.says.clone()),
                    None if says(&["expires_in", "expiresIn"]) => Ends::AsRead,
                    None if says(&["refresh_token", "refreshToken"]) => Ends::AsAsked,
                    None => continue,
                };
                let renewable = says(&["refresh_token", "refreshToken"]);
                found.push(Ending { exchange, kept, renewable, vendor, host, ends });
            }
        }
        found
    }

    /// Whether code of a file's app names one of some members, keys or parameters.
    fn app_names(&self, file: FileId, names: &[&str]) -> bool {
        let named = |name: &Name| names.contains(&name.as_str());
        self.code().filter(|(other, _)| self.share_app(*other, file)).any(|(_, facts)| {
            facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Ref(name, _) | ExprKind::Text(name) => named(name),
                ExprKind::Object(entries) => entries.iter().any(|(key, _)| named(key)),
                _ => false,
            }) || facts.defs.iter().any(|def| named(&def.name))
                || facts.calls.iter().flat_map(|call| &call.args).any(|arg| arg.name.as_ref().is_some_and(named))
        })
    }

    /// The same exchanges as callbacks make, those with a proof of the browser's own too.
    fn exchanges_of_any_proof(&self, file: FileId, grant_type: Name) -> Vec<ExprRef> {
        let facts = self.facts(file);
        let says = |entries: &[(Name, ExprId)]| says_grant(facts, entries, grant_type, "authorization_code");
        facts.objects().filter(|(_, entries)| says(entries)).map(|(at, _)| ExprRef::new(file, at)).collect()
    }

    /// Where the app of a file asks a vendor for new tokens, by the request that the code itself writes.
    pub(super) fn renewal_at(&self, near: FileId, vendor: VendorId) -> Option<ExprRef> {
        let grant_type = Name::new("grant_type");
        let code = self.code().filter(|(file, _)| !self.side(*file).dead && self.share_app(*file, near));
        let says = |facts: &Facts, entries: &[(Name, ExprId)]| says_grant(facts, entries, grant_type, "refresh_token");
        let asks = code.flat_map(|(file, facts)| {
            let objects = facts.objects().filter(move |(_, entries)| says(facts, entries));
            objects.map(move |(at, _)| ExprRef::new(file, at))
        });
        asks.into_iter().find(|&at| self.asked_for_tokens(at).0 == Some(vendor))
    }

    /// Which file of deployed code asks whom for new tokens; nothing known of whom where a library or an unknown URL is asked.
    fn renewals(&self) -> Vec<(FileId, Option<VendorId>, Option<Name>)> {
        let grant_type = Name::new("grant_type");
        let mut found = Vec::new();
        for (file, facts) in self.code().filter(|(file, _)| !self.side(*file).dead) {
            let says = |entries: &[(Name, ExprId)]| says_grant(facts, entries, grant_type, "refresh_token");
            let objects = facts.objects().filter(|(_, entries)| says(entries)).map(|(at, _)| at);
            let texts = facts.texts().filter(|(_, text)| text.contains("grant_type=refresh_token")).map(|(at, _)| at);
            found.extend(objects.chain(texts).map(|at| {
                let (vendor, host) = self.asked_for_tokens(ExprRef::new(file, at));
                (file, vendor, host)
            }));
            for call in self.calls_of(file) {
                let name = facts.last_name(facts.call(call.call).callee);
                let renews = name.is_some_and(|name| {
                    let small = name.to_ascii_lowercase();
                    small.contains("refresh") && small.contains("token") && self.edges(call).is_empty()
                });
                // `Credentials(token, refresh_token=..)`: what is handed the means renews by itself.
                let built = name
                    .is_some_and(|name| name.contains("Credentials") || *name == *"from_authorized_user_info")
                    && (facts
                        .call(call.call)
                        .args
                        .iter()
                        .any(|arg| arg.name.is_some_and(|name| name == "refresh_token"))
                        || name.is_some_and(|name| name.starts_with("from_authorized_user")));
                if renews && self.has_role(call, KnownRole::Exchange) || built {
                    found.push((file, None, None));
                }
            }
        }
        found
    }

    /// The functions in which an exchange's answer is worked on: its own and those that call it.
    fn around_exchange(&self, exchange: ExprRef) -> Vec<FunctionRef> {
        let own = self.owner_of(exchange);
        let mut functions = self.with_inner(own);
        for &caller in self.callers(own).iter().take(8) {
            functions.extend(self.with_inner(self.function_of(caller)));
        }
        functions
    }

    /// Where some functions hand an access token to what keeps it.
    fn kept_token(&self, functions: &[FunctionRef], is_token: fn(&str) -> bool) -> Option<ExprRef> {
        for function in functions {
            let facts = self.facts(function.file);
            for call in self.calls_in(*function) {
                if self.stores(call)
                    && let Some(at) = self.given_token(call, facts, is_token)
                {
                    return Some(at);
                }
            }
            if let Some(at) = self.kept_in_row(*function, facts, is_token) {
                return Some(at);
            }
        }
        None
    }

    /// Where a function puts an access token into a row that it then keeps: `user.access_token = ..`, a new model, or a
    /// helper of the app's own that commits what it is handed.
    fn kept_in_row(&self, function: FunctionRef, facts: &Facts, is_token: fn(&str) -> bool) -> Option<ExprRef> {
        // `Calendar(token=credentials.token)`: an access token, by a row's own name for it.
        let of_credentials = |value: ExprId| {
            matches!(facts.expr(value), ExprKind::Member(base, name)
                if *name == "token" && facts.last_name(*base).is_some_and(|base| base.to_ascii_lowercase().contains("cred")))
        };
        let keeps = |name: &str, value: ExprId| is_token(name) || is_token("access_token") && of_credentials(value);
        let is_nothing = |value: ExprId| matches!(facts.expr(value), ExprKind::Null | ExprKind::Text(_));
        let commits = |function: FunctionRef| self.keeps(self.facts(function.file), function, false);
        for call in self.calls_in(function) {
            let shape = facts.call(call.call);
            let handed = shape
                .args
                .iter()
                .find(|arg| arg.name.is_some_and(|name| keeps(&name, arg.value)) && !is_nothing(arg.value));
            let Some(arg) = handed else { continue };
            let is_model = facts
                .last_name(shape.callee)
                .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()));
            if is_model && self.keeps(facts, function, true)
                || self.edges(call).iter().any(|edge| edge.target != function && commits(edge.target))
            {
                return Some(ExprRef::new(function.file, arg.value));
            }
        }
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        let put = own.flat_map(|block| &block.steps).find_map(|step| match *step {
            Step::Assign(target, value) => match facts.expr(target) {
                ExprKind::Member(base, name) if keeps(name, value) && !is_nothing(value) => {
                    matches!(facts.expr(*base), ExprKind::Ref(row, _) if !matches!(row.as_str(), "self" | "this" | "session"))
                        .then_some(value)
                }
                _ => None,
            },
            _ => None,
        })?;
        commits(function).then(|| ExprRef::new(function.file, put))
    }

    /// Whether a call writes to the app's own store.
    pub(crate) fn stores(&self, call: CallRef) -> bool {
        let writes = self.vendors_at(call).iter().any(|used| {
            self.catalogue.vendor(used.vendor).own_backend
                && self.operation(used).is_some_and(|operation| operation.effect.changes_something())
        });
        writes || self.has_role(call, KnownRole::Write)
    }

    fn given_token(&self, call: CallRef, facts: &Facts, is_token: fn(&str) -> bool) -> Option<ExprRef> {
        let values = facts.call(call.call).args.iter().map(|arg| self.value(ExprRef::new(call.file, arg.value)));
        values.flat_map(|value| self.with_nested(&value)).find_map(|(name, at)| is_token(&name).then_some(at))
    }

    /// The keys of an object, and of the objects under them: `{ where, create: { accessToken } }`.
    fn with_nested(&self, value: &Value) -> Vec<(Name, ExprRef)> {
        let mut entries = self.entries(value);
        for (_, at) in entries.clone() {
            entries.extend(self.entries(&self.value(at)));
        }
        for alternative in value.alternatives() {
            if let Value::Object(at) = alternative {
                let puts = self.puts(Holder::Object(*at)).iter();
                entries.extend(puts.filter_map(|put| Some((put.name, put.value?))));
            }
        }
        entries
    }

    /// Whether a function names a member or key.
    fn names_any(&self, function: FunctionRef, names: &[&str]) -> bool {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        facts.exprs.iter().any(|expr| {
            let named = |name: &str| names.contains(&name);
            span.contains(expr.span)
                && match &expr.kind {
                    ExprKind::Member(_, name) => named(name),
                    ExprKind::Object(entries) => entries.iter().any(|(key, _)| named(key)),
                    ExprKind::Call(call) => facts
                        .call(*call)
                        .args
                        .first()
                        .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if named(text))),
                    _ => false,
                }
        })
    }

    /// Whom a code or a token is handed to: the request around it, else the next one of its function.
    pub(super) fn asked_for_tokens(&self, at: ExprRef) -> (Option<VendorId>, Option<Name>) {
        let facts = self.facts(at.file);
        if let ExprKind::Call(call) = *facts.expr(at.expr) {
            let mut packages = self.callee(CallRef::new(at.file, call)).externals();
            let vendor = packages.find_map(|external| {
                let own = self.catalogue.package(external.package).map(|(vendor, _)| vendor);
                own.or_else(|| self.catalogue.exchanged_by(external.package))
            });
            if vendor.is_some() {
                return (vendor, None);
            }
        }
        let span = facts.span(at.expr);
        let owner = self.owner_of(at);
        let mut requests = self.calls_in(owner).flat_map(|call| self.requests_at(call));
        let near = requests.find(|http| facts.span(facts.call(http.at.call).expr).end >= span.end);
        let to = near.and_then(|http| {
            http.to.iter().find_map(|to| match to {
                Destination::Vendor(vendor, host, _) => Some((Some(*vendor), Some(*host))),
                Destination::Host(host, _) => Some((None, Some(*host))),
                _ => None,
            })
        });
        to.unwrap_or((None, None))
    }

    /// Where deployed code keeps a token of a login that the login's library hands on but does not renew; with the
    /// member that would renew it.
    pub fn passed_on_tokens(&self) -> Vec<(ExprRef, VendorId, Name)> {
        let known: Vec<(VendorId, Name, Name)> = (self.catalogue.vendors().iter().enumerate())
            .flat_map(|(at, vendor)| {
                let handed = vendor.handed_tokens.iter();
                handed.map(move |token| (VendorId(at as u16), Name::new(&token.token), Name::new(&token.renewed_by)))
            })
            .collect();
        let mut kept: Vec<Vec<ExprRef>> = vec![vec![]; known.len()];
        let mut renewed = vec![false; known.len()];
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead || known.is_empty() {
                continue;
            }
            for (at, (_, name)) in facts.members() {
                for (of, &(_, token, renewed_by)) in known.iter().enumerate() {
                    renewed[of] |= name == renewed_by;
                    let here = ExprRef::new(file, at);
                    if name == token && self.goes_to_store(here) {
                        kept[of].push(here);
                    }
                }
            }
        }
        let ending = known.into_iter().zip(kept).zip(renewed).filter(|(_, renewed)| !renewed);
        ending
            .flat_map(|(((vendor, _, renewed_by), kept), _)| kept.into_iter().map(move |at| (at, vendor, renewed_by)))
            .collect()
    }

    /// Where deployed code uses such a token in a request, having read the login again, and does not ask whether it is
    /// still there.
    pub fn late_tokens(&self) -> Vec<(ExprRef, VendorId, Name)> {
        let vendors = self.catalogue.vendors().iter().enumerate();
        let known: Vec<_> = vendors
            .flat_map(|(at, vendor)| vendor.handed_tokens.iter().map(move |token| (VendorId(at as u16), token)))
            .collect();
        let mut found = Vec::new();
        for (vendor, token) in known {
            let code = || self.code().filter(|(file, _)| !self.side(*file).tooling && !self.side(*file).dead);
            if code().any(|(_, facts)| facts.members().any(|(_, (_, name))| *name == *token.renewed_by)) {
                continue;
            }
            for (file, facts) in code() {
                let here = facts.members().filter(|(_, (_, name))| **name == *token.token);
                let own = here.map(|(at, _)| ExprRef::new(file, at)).filter(|&at| {
                    let owner = self.owner_of(at);
                    let later = self.calls_in(owner).any(|call| {
                        let name = self.called_name(call);
                        name.is_some_and(|name| token.read_later_by.iter().any(|known| *name == **known))
                    });
                    later && self.goes_unasked_into_a_header(at)
                });
                found.extend(own.map(|at| (at, vendor, Name::new(&token.renewed_by))));
            }
        }
        found
    }

    /// Whether a value is what a request authorizes itself with, and nothing asks whether it is there.
    fn goes_unasked_into_a_header(&self, at: ExprRef) -> bool {
        let facts = self.facts(at.file);
        let readers = self.readers(at.file);
        let mut open = vec![at.expr];
        let mut goes = false;
        for _ in 0..24 {
            let Some(here) = open.pop() else { break };
            for used in readers.uses(here) {
                match *used {
                    Use::Tested => return false,
                    Use::In(outer) => match facts.expr(outer) {
                        ExprKind::Template(_) => open.push(outer),
                        _ => return false,
                    },
                    Use::Kept(def) => open.extend(readers.reads(def)),
                    Use::Key(_, key) => goes |= key.eq_ignore_ascii_case("authorization"),
                    _ => {}
                }
            }
        }
        goes
    }

    /// Whether a value is put under a key of what a call writes.
    fn goes_to_store(&self, at: ExprRef) -> bool {
        let readers = self.readers(at.file);
        let mut open = vec![at.expr];
        for _ in 0..40 {
            let Some(here) = open.pop() else { return false };
            for used in readers.uses(here) {
                match *used {
                    Use::Key(object, _) | Use::Item(object, _) => open.push(object),
                    Use::In(outer) => open.push(outer),
                    Use::Kept(def) => open.extend(readers.reads(def)),
                    Use::Arg(call, _) if self.stores(CallRef::new(at.file, call)) => return true,
                    _ => {}
                }
            }
        }
        false
    }
}

/// Whether a name says that it holds an access token.
fn is_token(name: &str) -> bool {
    name.to_ascii_lowercase().replace('_', "").ends_with("accesstoken")
}

/// Whether an object asks for tokens in this way.
fn says_grant(facts: &Facts, entries: &[(Name, ExprId)], grant_type: Name, grant: &str) -> bool {
    entries.iter().any(|&(key, value)| {
        key == grant_type && matches!(facts.expr(value), ExprKind::Text(text) if text.as_str() == grant)
    })
}

/// The last two labels of a host.
fn site(host: Option<Name>) -> Option<String> {
    let labels: Vec<&str> = host.as_ref()?.as_str().rsplit('.').take(2).collect();
    Some(labels.join("."))
}
