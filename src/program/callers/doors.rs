//! What stands between anyone on the internet and a call: a check of the caller, a limit on how often, or nothing.

use rustc_hash::FxHashSet;

use crate::catalogue::KnownRole;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::manifest::TokenGate;
use crate::names::Name;
use crate::program::callers::audience::functions_on;
use crate::program::callers::believed::has_stand_in;
use crate::program::callers::passage::Passage;
use crate::program::origins::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::verify::{Account, Standing, words};
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, FunctionRef, Gate, Program, Value};

mod form;
mod names;

use names::{door_of_text, names_credential, says_who};

/// What stands in the way of a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// Nothing.
    Open,
    /// A limit on how often.
    Limited,
    /// A check of the caller, or something that may be one.
    Guarded,
}

/// Names that say who asks, as members of a request, a context or a session, or as values of a framework.
pub(super) const WHO: &[&str] = &[
    "user",
    "auth",
    "currentUser",
    "current_user",
    "isAuthenticated",
    "is_authenticated",
    "authInfo",
    "jwt",
    "claims",
    "authorization",
    "Authorization",
];

/// What holds such a name.
const HOLDERS: &[&str] = &[
    "req", "request", "ctx", "context", "c", "locals", "event", "g", "state", "info", "headers", "opts", "res",
    "session",
];

/// Beginnings of words of whatever limits how often: by time, by who asks, or elsewhere.
const PER: &[&str] = &[
    "time",
    "date",
    "clock",
    "monotonic",
    "second",
    "minute",
    "hour",
    "window",
    "interval",
    "period",
    "expire",
    "reset",
    "refill",
    "token",
    "bucket",
    "redis",
    "cache",
    "store",
    "request",
    "client",
    "caller",
    "sleep",
    "semaphore",
    "day",
];

/// The same as whole words.
const LIMITS_OF: &[&str] =
    &["now", "ip", "rate", "rpm", "rps", "ttl", "user", "per", "key", "incr", "limiter", "session"];

/// What middleware of a library is by its role, whatever it is called here.
fn door_of_role(role: KnownRole) -> Option<Door> {
    match role {
        KnownRole::Authenticate => Some(Door::Guarded),
        KnownRole::FillRequest => Some(Door::Open),
        _ => None,
    }
}

impl Program {
    /// Whether the platform asks whoever calls a file's function for a token first: one of a user, or the app's public
    /// key, which is in every browser.
    pub fn is_gated(&self, file: FileId) -> bool {
        let gate = self.manifests.token_gate(&self.file(file).path);
        gate.is_some_and(|(gate, _)| gate != TokenGate::Open)
    }

    /// What stands in front of a call on one way to it. `account` is the entry point's.
    pub fn door(&self, origin: &Origin, account: &Account, last: CallRef) -> Door {
        let entry = &self.entries[origin.entry];
        let mut deeds =
            account.deeds.iter().filter(|deed| deed.at == last || origin.way.iter().any(|edge| edge.call == deed.at));
        let may_be_known = |standing: Standing| match standing {
            Standing::Unverified => false,
            Standing::Open(lapse) => !self.is_left_out(lapse.check),
            Standing::Unknown(place) => !self.is_left_out(place),
            _ => true,
        };
        if account.checks.iter().any(|&check| !self.is_left_out(check)) || deeds.any(|deed| may_be_known(deed.standing))
        {
            return Door::Guarded;
        }
        // What developers try out is shut where the app is deployed.
        let mut steps = origin.way.iter().map(|edge| edge.call).chain([last]);
        if steps.any(|at| self.turns_back_in_production(self.function_of(at), self.call_place(at).span.start)) {
            return Door::Guarded;
        }
        let mut door = Door::Open;
        for gate in entry.middleware.iter().filter(|&&gate| !self.lets_pass(entry, gate)) {
            door = door.max(match *gate {
                Gate::Function(function) => self.door_of_function(function, true),
                Gate::Library(expr) => {
                    let facts = self.facts(expr.file);
                    match self.role_of_made(expr).and_then(door_of_role) {
                        Some(door) => door,
                        None => door_of_text(&spelled(facts, expr.expr, 4), true),
                    }
                }
                // What cannot be followed may check.
                Gate::Unknown => Door::Guarded,
            });
        }
        if door == Door::Open && self.is_limited_by_decorator(entry.function) {
            door = Door::Limited;
        }
        if door == Door::Open && entry.kind == EntryKind::Procedure && self.limits_procedures(entry.function.file) {
            door = Door::Limited;
        }
        let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
        for function in functions_on(self, entry, origin, last) {
            if seen.insert(function) {
                door = door.max(self.door_of_function(function, false));
            }
        }
        door
    }

    /// Whether a handler, or its class, is marked with a limit on how often: `@Throttle(..)`, `@limiter.limit("5/minute")`.
    fn is_limited_by_decorator(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let class = shape.class.map(|class| &facts.classes[class.index()].decorators);
        let mut marks = shape.decorators.iter().chain(class.into_iter().flatten());
        marks.any(|&mark| {
            let text = spelled(facts, mark, 4);
            door_of_text(&text, false) == Door::Limited && !words(&text).iter().any(|word| word == "skip")
        })
    }

    /// Whether a limit on how often stands in front of the path below which procedures are served:
    /// `app.use("/api/", rateLimit())`, then `app.use("/api/trpc", ..)`.
    fn limits_procedures(&self, near: FileId) -> bool {
        self.code().filter(|(file, _)| self.share_app(*file, near)).any(|(file, facts)| {
            if !facts.imports.iter().any(|import| import.specifier.starts_with("@trpc/server/adapters")) {
                return false;
            }
            let used = |at: CallRef| {
                let call = facts.call(at.call);
                let uses = matches!(facts.expr(call.callee), ExprKind::Member(_, name) if *name == "use");
                let path = call.args.first().and_then(|arg| match facts.expr(arg.value) {
                    ExprKind::Text(path) => Some(*path),
                    _ => None,
                });
                let spelled: Vec<String> = call.args.iter().map(|arg| spelled(facts, arg.value, 4)).collect();
                uses.then_some((path, spelled))
            };
            let serves = |spelled: &[String]| {
                spelled.iter().any(|text| words(text).iter().any(|w| w == "middleware" || w == "trpc"))
            };
            let mounts = || self.calls_of(file).filter_map(used).filter(|(_, spelled)| serves(spelled));
            self.calls_of(file).filter_map(used).any(|(path, spelled)| {
                let limits = spelled.iter().any(|text| door_of_text(text, false) == Door::Limited);
                limits
                    && path.is_none_or(|path| {
                        let head = path.trim_end_matches('/');
                        mounts().any(|(mount, _)| mount.is_some_and(|mount| mount.starts_with(head)))
                    })
            })
        })
    }

    /// Whether a gate that decides by path, or refuses nobody, lets whoever brings no session through to this one.
    pub fn lets_pass(&self, entry: &Entry, gate: Gate) -> bool {
        let file = match gate {
            Gate::Function(function) => function.file,
            Gate::Library(expr) => expr.file,
            Gate::Unknown => return false,
        };
        if matches!(gate, Gate::Function(function) if self.is_lock_of_unopened_site(function)) {
            return true;
        }
        let covers = |other: &Entry| other.kind == EntryKind::Middleware && other.place.file == file;
        let Some(route) = entry.route else { return false };
        if !self.entries.iter().any(covers) {
            return matches!(gate, Gate::Function(function) if self.runs_past(entry, function));
        }
        let method = entry.methods.first().map_or("POST", |method| method.as_str());
        self.passage(file, &route, method) == Passage::Passes
    }

    /// Whether a gate lets everybody in while a variable is unset that, by its name, only locks a site before it opens:
    /// `if not os.environ.get("SITE_PASSWORD"): return`. Who is a customer is nothing to it.
    fn is_lock_of_unopened_site(&self, function: FunctionRef) -> bool {
        const UNOPENED: &[&str] = &["site", "staging", "preview", "beta", "launch", "prelaunch", "maintenance"];
        const LOCKS: &[&str] = &["password", "pass", "passcode", "lock", "pwd"];
        let facts = self.facts(function.file);
        let locks = |name: Name| {
            let words = words(&name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            has(UNOPENED) && has(LOCKS)
        };
        let mut steps = facts.blocks.iter().filter(|block| block.function == function.function);
        steps.any(|block| {
            block.steps.iter().any(|step| {
                let Step::If { condition, then, .. } = *step else { return false };
                let ExprKind::Op(Op::Not, parts) = facts.expr(condition) else { return false };
                let leaves = match facts.block(then).steps[..] {
                    [Step::Return(None)] => true,
                    [Step::Return(Some(value))] => matches!(facts.expr(value), ExprKind::Null),
                    _ => false,
                };
                leaves && self.value(ExprRef::new(function.file, parts[0])).envs().into_iter().any(locks)
            })
        })
    }

    /// What a function, or one that it calls, asks of its caller.
    pub fn door_of_function(&self, function: FunctionRef, is_gate: bool) -> Door {
        if self.is_said_verifier(function) {
            return Door::Guarded;
        }
        let facts = self.facts(function.file);
        let mut door = match is_gate {
            true => door_of_text(&self.function_name(function), true),
            false => Door::Open,
        };
        if is_gate {
            // `const gate = authMiddleware({ .. })`, then `return gate(request)`.
            let handed = self.with_inner(function).into_iter().flat_map(|inner| self.calls_in(inner));
            let made = handed.map(|at| facts.call(at.call).callee).filter(|&callee| names_what_is_made(facts, callee));
            door = made.map(|callee| door_of_text(&spelled(facts, callee, 4), true)).fold(door, Ord::max);
        }
        let span = facts.function(function.function).span;
        door = door.max(self.door_of_steps(facts, function));
        if self.refuses_by_credential(function) {
            return Door::Guarded;
        }
        // `if (answer.status === 429) return new Response(.., { status: 429 })` tells of the vendor's limit.
        let hands_on = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal | Op::Compare, parts) => {
                parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Number(number) if *number == 429.0))
            }
            ExprKind::Text(text) => text.contains("429"),
            _ => false,
        });
        // What a caller can leave out asks nobody.
        let left_out = |at: Span| self.is_left_out(Place { file: function.file, span: at });
        for (position, expr) in facts.exprs.iter().enumerate().filter(|(_, expr)| span.contains(expr.span)) {
            if left_out(expr.span) {
                continue;
            }
            let at = ExprRef::new(function.file, ExprId(position as u32));
            door = door.max(match &expr.kind {
                // `req.headers.authorization`
                ExprKind::Member(_, name)
                    if name.eq_ignore_ascii_case("authorization") && self.is_only_believed(at) =>
                {
                    Door::Open
                }
                ExprKind::Member(base, name) if WHO.contains(&name.as_str()) && holds_who(facts, *base) => {
                    if has_stand_in(facts, expr.span) {
                        Door::Open
                    } else {
                        Door::Guarded
                    }
                }
                ExprKind::Ref(name, block)
                    if matches!(name.as_str(), "current_user" | "currentUser" | "login_required")
                        && facts.lookup(*block, *name).is_none_or(|def| facts.def(def).values.len() < 2) =>
                {
                    Door::Guarded
                }
                // `session["user_id"]`, `session.get("admin")`; not what else is kept there.
                ExprKind::Member(base, name) if is_session(facts, *base) && says_who(name) => Door::Guarded,
                // `if "user_id" not in session:`
                ExprKind::Op(Op::In, parts) => match parts[..] {
                    [name, held] if is_session(facts, held) => match facts.expr(name) {
                        ExprKind::Text(name) if says_who(name) => Door::Guarded,
                        _ => Door::Open,
                    },
                    _ => Door::Open,
                },
                ExprKind::Call(call) => {
                    let call = facts.call(*call);
                    let first = call.args.first().map(|arg| facts.expr(arg.value));
                    let asked = matches!(first, Some(ExprKind::Text(text)) if says_who(text));
                    match facts.expr(call.callee) {
                        ExprKind::Member(base, _) if asked && is_session(facts, *base) => Door::Guarded,
                        _ => Door::Open,
                    }
                }
                ExprKind::Text(text) => match text.to_ascii_lowercase().as_str() {
                    "authorization" | "x-api-key" | "x-cron-secret" | "x-internal-secret" => {
                        match self.header_read(at) {
                            Some(header) if self.is_only_believed(header) => Door::Open,
                            None if self.fills_left_out(function, expr.span) => Door::Open,
                            // `kind === "authorization"`: a hold on a card has the same name.
                            None if !self.names_header(at) => Door::Open,
                            _ => Door::Guarded,
                        }
                    }
                    // `headers.get("x-device-token")`, which rows are found by
                    named if names_credential(named) => match self.header_read(at) {
                        Some(header) if !self.is_only_believed(header) => Door::Guarded,
                        _ => Door::Open,
                    },
                    _ => Door::Open,
                },
                // `status: 429`
                ExprKind::Number(number) if *number == 429.0 && !hands_on && self.limits(facts, expr.span) => {
                    Door::Limited
                }
                _ => Door::Open,
            });
        }
        for inner in self.with_inner(function) {
            for call in self.calls_in(inner).filter(|call| !left_out(facts.span(facts.call(call.call).expr))) {
                let name = match facts.expr(facts.call(call.call).callee) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_string(),
                    _ => continue,
                };
                // A client made with the caller's cookies sees what that user may see: what it finds may be the check.
                let reads_cookies = |function: FunctionRef| {
                    let facts = self.facts(function.file);
                    self.calls_in(function).any(|at| {
                        matches!(facts.expr(facts.call(at.call).callee), ExprKind::Ref(name, _) if *name == "cookies")
                    })
                };
                let mut direct = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                if name == "cookies" || direct.any(|edge| reads_cookies(edge.target)) {
                    door = Door::Guarded;
                }
                let mut direct = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                if direct.any(|edge| self.refuses_strangers(edge.target)) {
                    door = Door::Guarded;
                }
                let own = self.edges(call).iter().any(|edge| edge.kind == EdgeKind::Direct);
                // `decodeJwt(token)` reads what is said, which is no question.
                if own && words(&name).iter().any(|word| word == "decode" || word == "parse")
                    || self.looks_up_whoever_is_named(call)
                    || self.only_looks_at_form(call)
                {
                    continue;
                }
                let by_name = door_of_text(&name, own || self.external(call).is_none());
                if by_name == Door::Limited && self.is_no_limit_of_time(call) {
                    continue;
                }
                door = door.max(by_name);
                if self.has_role(call, KnownRole::Authenticate) || self.has_role(call, KnownRole::Verify) {
                    door = Door::Guarded;
                }
            }
        }
        door
    }
}

impl Program {
    /// Whether a call makes an object of the program that is called a limit and knows neither time nor caller: it measures
    /// how long a queue is.
    fn is_no_limit_of_time(&self, call: CallRef) -> bool {
        let Value::Class(class) = self.callee(call) else { return false };
        let facts = self.facts(class.file);
        let shape = &facts.classes[class.class.index()];
        let counts = |name: &str| {
            words(name)
                .iter()
                .any(|word| PER.iter().any(|start| word.starts_with(start)) || LIMITS_OF.contains(&word.as_str()))
        };
        let inside = facts.exprs.iter().filter(|expr| shape.span.contains(expr.span));
        shape.bases.is_empty()
            && !inside.into_iter().any(|expr| match &expr.kind {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) | ExprKind::Text(name) => counts(name),
                _ => false,
            })
    }

    /// The call, or the look-up, that reads the header of this name: `headers.get("Authorization")`.
    pub(crate) fn header_read(&self, name: ExprRef) -> Option<ExprRef> {
        let facts = self.facts(name.file);
        let [used] = self.readers(name.file).uses(name.expr) else { return None };
        match *used {
            Use::Arg(call, 0) if facts.call(call).args.len() == 1 => {
                let callee = facts.last_name(facts.call(call).callee)?;
                matches!(callee.as_str(), "get" | "header" | "getHeader" | "get_header")
                    .then(|| ExprRef::new(name.file, facts.call(call).expr))
            }
            Use::In(outer) if matches!(facts.expr(outer), ExprKind::Index(..)) => Some(ExprRef::new(name.file, outer)),
            _ => None,
        }
    }

    /// Whether a text may name a header that something reads: it is handed on or kept, and not only compared or listed.
    fn names_header(&self, text: ExprRef) -> bool {
        let mut uses = self.readers(text.file).uses(text.expr).iter();
        uses.any(|used| matches!(used, Use::Arg(..) | Use::Kept(_) | Use::Returned(_) | Use::Callee(_)))
    }

    /// Whether a function answers 429 by itself: not where a call has failed, and not among other constants.
    fn limits(&self, facts: &Facts, at: Span) -> bool {
        let within = |span: Span| span.contains(at);
        let around = || facts.blocks.iter().filter(|block| within(block.span));
        let failed = around().any(|block| matches!(block.kind, BlockKind::Catch(_) | BlockKind::Case(..)));
        !failed && around().any(|block| matches!(block.kind, BlockKind::Then(_) | BlockKind::Else(_)))
    }

    /// What a function leaves for: an earlier step that left nothing in the session, too many by one sender.
    fn door_of_steps(&self, facts: &Facts, function: FunctionRef) -> Door {
        let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
        let conditions = blocks.flat_map(|block| &block.steps).filter_map(|step| match step {
            Step::If { condition, then, .. } if ending(facts, *then) != Ending::GoesOn => Some(*condition),
            _ => None,
        });
        let door = |condition: ExprId| match facts.expr(condition) {
            // `if not request.session.get("audit")`: an earlier step has to come first, and may ask.
            ExprKind::Op(Op::Not, parts) if parts.iter().any(|&part| from_session(facts, part, 4)) => Door::Guarded,
            // `if recent_count >= 3`: counted by sender.
            ExprKind::Op(Op::Compare, parts) if parts.iter().any(|&part| counts_senders(facts, part)) => Door::Limited,
            _ => Door::Open,
        };
        conditions.map(door).max().unwrap_or(Door::Open)
    }
}

/// Whether a value is taken out of a session.
pub(super) fn from_session(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => from_session(facts, *only, depth),
            _ => false,
        },
        ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, method) => *method == "get" && is_session(facts, *base),
            _ => false,
        },
        ExprKind::Member(base, _) | ExprKind::Index(base, _) => is_session(facts, *base),
        ExprKind::Op(Op::Or | Op::Nullish | Op::And, parts) => {
            parts.first().is_some_and(|&part| from_session(facts, part, depth))
        }
        _ => false,
    }
}

/// Whether a value is a count, made by a query, of what one sender did of late.
fn counts_senders(facts: &Facts, expr: ExprId) -> bool {
    let ExprKind::Ref(name, block) = facts.expr(expr) else { return false };
    let Some(def) = facts.lookup(*block, *name) else { return false };
    facts.def(def).values.iter().any(|&value| {
        let span = facts.span(value);
        let inside = || facts.exprs.iter().filter(|expr| span.contains(expr.span));
        let counts = inside().any(|expr| matches!(&expr.kind, ExprKind::Member(_, name) if matches!(name.as_str(), "count" | "select" | "countDocuments")));
        let of_late = inside().any(|expr| {
            let name = match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name.as_str(),
                ExprKind::Text(text) => text,
                _ => return false,
            };
            matches!(name, "created_at" | "createdAt" | "timestamp" | "sent_at" | "gte" | "timedelta")
                || words(name).iter().any(|word| matches!(word.as_str(), "ago" | "hour" | "since" | "window" | "stunde" | "cutoff"))
        });
        let by_sender = inside().any(|expr| {
            let name = match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name.as_str(),
                ExprKind::Text(text) => text,
                _ => return false,
            };
            words(name).iter().any(|word| matches!(word.as_str(), "ip" | "email" | "phone" | "addr" | "sender" | "fingerprint"))
        });
        counts && of_late && by_sender
    })
}

/// Whether an expression is a name for what one call makes.
fn names_what_is_made(facts: &Facts, expr: ExprId) -> bool {
    let ExprKind::Ref(name, block) = facts.expr(expr) else { return false };
    let values = facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice());
    matches!(values, Some([only]) if matches!(facts.expr(*only), ExprKind::Call(_)))
}

pub(super) fn is_session(facts: &Facts, expr: ExprId) -> bool {
    matches!(facts.expr(expr), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if *name == "session")
}

pub(super) fn holds_who(facts: &Facts, base: ExprId) -> bool {
    matches!(facts.expr(base), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if HOLDERS.contains(&name.as_str()))
}

/// An expression's names, written after each other.
fn spelled(facts: &Facts, expr: ExprId, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return String::new() };
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => format!("{name} {}", spelled(facts, *only, depth)),
            _ => name.to_string(),
        },
        ExprKind::Member(base, name) => format!("{} {name}", spelled(facts, *base, depth)),
        ExprKind::Call(call) => spelled(facts, facts.call(*call).callee, depth),
        _ => String::new(),
    }
}
