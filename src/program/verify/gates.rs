//! What stands in front of an entry point: middleware, decorators, guards.

use rustc_hash::FxHashSet;

use super::ways::{Reason, Way, meet};
use super::{Behind, Ends, Standing, Walk, Why};
use crate::catalogue::{KnownRole, Seg};
use crate::facts::{BlockKind, ExprId, ExprKind, Step};
use crate::link::entries::django_views::external_of;
use crate::link::eval::Eval;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, FunctionRef, Gate, Value};

/// Words in the names of library middleware that checks nothing of the caller.
const HARMLESS: &[&str] = &[
    "json",
    "urlencoded",
    "raw",
    "text",
    "cors",
    "helmet",
    "morgan",
    "pino",
    "logger",
    "log",
    "logging",
    "rate",
    "limit",
    "limiter",
    "throttle",
    "slow",
    "compress",
    "compression",
    "cookie",
    "session",
    "static",
    "body",
    "parser",
    "multer",
    "upload",
    "csrf",
    "exempt",
    "methods",
    "timeout",
    "sentry",
    "opentelemetry",
    "tracing",
    "metrics",
    "catch",
    "cache",
    "transaction",
    "atomic",
    "route",
    "view",
    "post",
    "get",
    "trace",
    "favicon",
    "locale",
    "wrap",
    "wraps",
    "handler",
    "headers",
    "options",
    "preflight",
    "xray",
    "inject",
    "injectable",
    "controller",
    "status",
    "http",
    "validate",
    "validator",
    "response",
    "request",
    "renderer",
    "schema",
    "extend",
    "renderers",
    "middleware",
    "express",
    "async",
];

impl Walk<'_> {
    /// Walks what stands in front of an entry point, outermost first.
    pub(super) fn gates(&mut self, entry: &Entry) -> Standing {
        let mut standing = Standing::Unverified;
        for gate in &entry.middleware {
            if matches!(standing, Standing::Verified(_)) {
                break;
            }
            if self.program.lets_pass(entry, *gate) {
                continue;
            }
            standing = match *gate {
                Gate::Function(function) => self.gate(function, entry.function, standing),
                Gate::Library(expr) => self.library_gate(expr, standing),
                Gate::Unknown => Standing::Unknown(entry.place),
            };
        }
        standing
    }

    /// The standing in which a function of the program lets a request through.
    fn gate(&mut self, function: FunctionRef, entry: FunctionRef, standing: Standing) -> Standing {
        if self.program.is_said_verifier(function) {
            return Standing::Verified(self.program.function_place(function));
        }
        let served: FxHashSet<FunctionRef> =
            self.program.entries.iter().map(|entry| entry.function).chain([entry]).filter(|f| *f != function).collect();
        self.behind = Some(Behind { served, passed: None });
        let known = std::mem::take(&mut self.known);
        let function = self.innermost(function);
        let plain = self.account.plain.len();
        let (checks, pending) = (self.account.checks.len(), self.account.pending.len());
        let ends = self.function(function, standing, None);
        if self.only_looks_on(function, ends) {
            // It notes who is signed in; who is not goes on all the same.
            self.account.checks.truncate(checks);
            self.account.pending.truncate(pending);
            self.account.plain.truncate(plain);
            self.known = known;
            self.behind = None;
            return standing;
        }
        if self.covers_all(function) {
            // What it compares for other paths is no concern of this one.
            self.account.plain.truncate(plain);
        }
        self.known = known;
        let passed = self.behind.take().and_then(|behind| behind.passed);
        if let Some(way) = passed.filter(|_| !self.covers_all(function)) {
            return way.standing;
        }
        // A guard tells by its result; what it refused never comes here.
        let ways = [ends.truthy, ends.falsy].into_iter().flatten();
        let let_through: Vec<Standing> = match ends.truthy {
            Some(truthy) if ends.falsy.is_some() && !matches!(truthy, Standing::Rejected(_)) => vec![truthy],
            _ => ways.filter(|standing| !matches!(standing, Standing::Rejected(_))).collect(),
        };
        let met = let_through.into_iter().map(|standing| Some(Way::plain(standing))).fold(None, meet);
        // Middleware that covers the whole app decides by path; what it asks for other paths is nothing to this one.
        let covers_all = self.covers_all(function);
        match met.map(|way| way.standing) {
            Some(Standing::Verified(place)) => Standing::Verified(place),
            _ if covers_all => standing,
            // A check that its caller answers: it did not come back by that way.
            Some(Standing::Unknown(place)) if self.account.checks.contains(&place) => Standing::Verified(place),
            Some(found) => found,
            None => standing,
        }
    }

    /// Whether a hook that runs before each request turns nobody away: it gives no answer, throws nothing and leaves
    /// nowhere, and no check it makes throws out of it.
    fn only_looks_on(&self, function: FunctionRef, ends: Ends) -> bool {
        let facts = self.facts(function);
        if facts.language.is_script() || !facts.function(function.function).params.is_empty() {
            return false;
        }
        let gives_nothing = ends.falsy.is_none() && !matches!(ends.truthy, Some(Standing::Verified(_)) | None);
        let steps = facts.blocks.iter().filter(|block| block.function == function.function).flat_map(|b| &b.steps);
        let mut steps = steps.filter(|step| match step {
            Step::Throw(_) => true,
            Step::Return(Some(value)) => !matches!(facts.expr(*value), ExprKind::Null),
            _ => false,
        });
        let aborts = self.program.calls_in(function).any(|at| {
            self.program.has_role(at, KnownRole::Leave)
                || self.program.called_name(at).is_some_and(|name| name == "abort")
        });
        gives_nothing && steps.next().is_none() && !aborts
    }

    /// The closure that a decorator, or what makes one, puts in front.
    fn innermost(&self, function: FunctionRef) -> FunctionRef {
        let mut at = function;
        for _ in 0..3 {
            let result = Eval::new(self.program).result(at);
            match result.functions().find(|&inner| inner != at && self.is_within(inner, at)) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        at
    }

    fn covers_all(&self, function: FunctionRef) -> bool {
        self.program.entries.iter().any(|entry| entry.kind == EntryKind::Middleware && entry.function == function)
    }

    /// While middleware is walked: whether a call lets the request through to what stands behind.
    pub(super) fn lets_through(&mut self, at: CallRef, standing: Standing) -> bool {
        if self.behind.is_none() {
            return false;
        }
        let program = self.program;
        let by_param = program.callee(at).alternatives().iter().any(|value| match value {
            Value::Param(function, _) => {
                let gate = self.active.first().map(|(gate, _)| *gate);
                gate.is_some_and(|gate| self.is_within(*function, gate) || self.is_within(gate, *function))
            }
            _ => false,
        });
        // `if os.environ.get("CHECK", "1") == "0": return view(..)`: why nothing was checked.
        let reason = self.reason_around(at).filter(|_| standing == Standing::Unverified);
        let Some(behind) = &mut self.behind else { return false };
        let by_edge =
            program.edges(at).iter().any(|edge| edge.kind == EdgeKind::Direct && behind.served.contains(&edge.target));
        if by_param || by_edge {
            behind.passed = meet(behind.passed, Some(Way { standing, reason }));
        }
        by_param || by_edge
    }

    /// Why the flow comes to a call, by the conditions around it: a setting, a mode, a secret that is unset.
    fn reason_around(&self, at: CallRef) -> Option<Reason> {
        let facts = self.program.facts(at.file);
        let function = self.program.function_of(at);
        let around = facts.enclosing(facts.call(at.call).block);
        let mut around = around.take_while(|(_, block)| block.function == function.function);
        around.find_map(|(_, block)| {
            let reason = match block.kind {
                BlockKind::Then(condition) => self.reason(function, condition, true),
                BlockKind::Else(condition) => self.reason(function, condition, false),
                _ => return None,
            };
            (reason.why != Why::Condition).then_some(reason)
        })
    }

    fn library_gate(&mut self, expr: ExprRef, standing: Standing) -> Standing {
        let program = self.program;
        let place = program.place(expr);
        let value = program.value(expr);
        if program.role_of_made(expr) == Some(KnownRole::FillRequest) {
            return standing;
        }
        let mut harmless = false;
        // `"rest.permissions.SignedIn"`: settings name what they ask by text.
        if let Some(external) = value.text().and_then(|dotted| external_of(&dotted))
            && self.check_kind_of(&external).is_some()
        {
            return Standing::Verified(place);
        }
        for external in value.externals() {
            let mut external = external.clone();
            loop {
                if self.check_kind_of(&external).is_some() && !self.allows_any(expr) {
                    return Standing::Verified(place);
                }
                match external.segs.last() {
                    Some(Seg::Call | Seg::New) => drop(external.segs.pop()),
                    _ => break,
                }
            }
            let member = external.last_member();
            let name = match &member {
                Some(member) if *member != "default" => member.as_str(),
                _ => external.package.rsplit([':', '/']).next().unwrap_or(""),
            };
            harmless |=
                super::words(name).iter().any(|word| HARMLESS.contains(&word.as_str())) || self.allows_any(expr);
        }
        if harmless {
            return standing;
        }
        self.adapted_gate(expr, standing).unwrap_or(Standing::Unknown(place))
    }

    /// `method_decorator(check)`: what a library only adapts.
    fn adapted_gate(&mut self, expr: ExprRef, standing: Standing) -> Option<Standing> {
        let facts = self.program.facts(expr.file);
        let ExprKind::Call(call) = facts.expr(expr.expr) else { return None };
        let given = facts.call(*call).args.first().filter(|arg| arg.name.is_none())?;
        let inner = ExprRef::new(expr.file, given.value);
        let value = self.program.value(inner);
        if let Some(function) = value.functions().next() {
            return Some(self.gate(function, function, standing));
        }
        let is_gate = matches!(facts.expr(given.value), ExprKind::Ref(..) | ExprKind::Member(..) | ExprKind::Call(_));
        (is_gate && value.externals().next().is_some()).then(|| self.library_gate(inner, standing))
    }

    /// `permission_classes([AllowAny])`, `authentication_classes([])`: a gate that is open.
    fn allows_any(&self, expr: ExprRef) -> bool {
        let facts = self.program.facts(expr.file);
        let ExprKind::Call(call) = facts.expr(expr.expr) else { return false };
        let open = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if *name == "AllowAny");
        facts.call(*call).args.iter().any(|arg| match facts.expr(arg.value) {
            ExprKind::List(items) => items.is_empty() || items.iter().any(|&item| open(item)),
            _ => open(arg.value),
        })
    }
}
