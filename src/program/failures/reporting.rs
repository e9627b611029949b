//! Functions of the program that tell of a failure by what they return, and callers that count it as success.

use crate::catalogue::{Effect, KnownRole, VendorId};
use crate::facts::{BlockId, BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::names::Name;
use crate::program::money::core_paths::says::{is_success, tells_failure};
use crate::program::terms::{Ending, ending};
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program, VendorUse};

/// What a function does that may fail.
#[derive(Debug, Clone, Copy)]
pub struct Acting {
    /// The call that can fail.
    pub at: CallRef,
    /// Whose it is; none: a server of mail.
    pub vendor: Option<VendorId>,
    /// It sends a message.
    pub sends: bool,
}

/// How a function tells that its vendor failed.
#[derive(Debug, Clone)]
pub struct Reporting {
    /// What it does, and at whom.
    pub acting: Acting,
    /// What it returns then, in words of the language: `{ success: false }`, `false`, `None`.
    pub returns: String,
    /// Whether it logs that.
    pub logs: bool,
}

impl Program {
    /// How a function tells of a vendor's failure by what it returns; none when it throws, or asks no vendor to
    /// send or change anything.
    pub fn reporting(&self, function: FunctionRef) -> Option<Reporting> {
        let facts = self.facts(function.file);
        if function.function == FunctionId::MODULE || !self.entries_of(function).is_empty() {
            return None;
        }
        let mut failing: Vec<(ExprId, BlockId)> = Vec::new();
        let mut succeeds = false;
        let mut verdict: Option<ExprId> = None;
        for (at, block) in facts.blocks.iter().enumerate().filter(|(_, block)| block.function == function.function) {
            for step in &block.steps {
                match step {
                    Step::Return(Some(value)) if is_failure(facts, *value) => {
                        failing.push((*value, BlockId(at as u32)))
                    }
                    Step::Return(Some(value)) => {
                        succeeds = true;
                        // `return response.status_code == 200`
                        verdict = verdict.or(Some(*value).filter(|&value| status_of(facts, value, true) == Some(true)));
                    }
                    _ => {}
                }
            }
        }
        if failing.is_empty() && verdict.is_none() || !succeeds {
            return None;
        }
        let (by, acting) = self.acts_at_vendor(function)?;
        let Some((value, block)) = failing.into_iter().find(|&(_, block)| self.is_told_in(by, block)) else {
            verdict?;
            let logs = self.calls_in(function).any(|call| self.is_logging(call) || self.is_reporting_call(call));
            let no = if facts.language.is_script() { "false" } else { "False" };
            return Some(Reporting { acting, returns: no.to_owned(), logs });
        };
        let span = facts.block(block).span;
        let logs = self.calls_in(function).any(|call| {
            let shape = facts.call(call.call);
            span.contains(facts.span(shape.expr)) && (self.is_logging(call) || self.is_reporting_call(call))
        });
        Some(Reporting { acting, returns: self.in_words(facts, value), logs })
    }

    /// The function that gives back what a call gives, and does nothing else with it: it reports as the called one does.
    pub fn passed_on_by(&self, call: CallRef) -> Option<FunctionRef> {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let function = self.function_of(call);
        let given = |value: ExprId| match facts.expr(value) {
            ExprKind::Await(inner) => *inner == shape.expr,
            _ => value == shape.expr,
        };
        let mut steps = facts.block(shape.block).steps.iter();
        let returned = steps.any(|step| matches!(step, Step::Return(Some(value)) if given(*value)));
        (returned && function.function != FunctionId::MODULE && self.entries_of(function).is_empty())
            .then_some(function)
    }

    fn in_words(&self, facts: &Facts, value: ExprId) -> String {
        match facts.expr(value) {
            ExprKind::Object(entries) => match entries.iter().find(|&&(_, value)| is_false(facts, value)) {
                Some((key, _)) => format!("{{ {key}: false }}"),
                None => "{ error }".to_owned(),
            },
            ExprKind::List(_) => "False".to_owned(),
            ExprKind::Bool(_) if facts.language.is_script() => "false".to_owned(),
            ExprKind::Bool(_) => "False".to_owned(),
            _ if facts.language.is_script() => "null".to_owned(),
            _ => "None".to_owned(),
        }
    }

    /// The first call by which a function sends or changes something at a vendor, itself or in what it calls, and what
    /// that is.
    fn acts_at_vendor(&self, function: FunctionRef) -> Option<(CallRef, Acting)> {
        let follow = |edge: crate::program::Edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback);
        self.calls_in(function).find_map(|call| {
            let inner = || {
                let edges = self.edges(call).iter().filter(|edge| follow(**edge));
                edges.map(|edge| self.reach(edge.target, follow)).find_map(|reach| {
                    let mut stops = reach.stops.iter().take(8);
                    stops.find_map(|stop| self.calls_in(stop.function).find_map(|call| self.acts(call)))
                })
            };
            self.acts(call).or_else(inner).map(|acting| (call, acting))
        })
    }

    /// What a call sends or changes at a vendor, or hands to a server of mail.
    fn acts(&self, call: CallRef) -> Option<Acting> {
        let by_vendor = self.vendors_at(call).iter().find_map(|used| {
            let effect = self.operation(used)?.effect;
            let acts = matches!(effect, Effect::Send | Effect::Create | Effect::Update | Effect::Delete)
                && !self.catalogue.vendor(used.vendor).own_backend;
            acts.then_some(Acting { at: used.at, vendor: Some(used.vendor), sends: effect == Effect::Send })
        });
        let mails = || self.requests_at(call).iter().any(|http| http.inner == call && self.sends_mail(http));
        by_vendor.or_else(|| mails().then_some(Acting { at: call, vendor: None, sends: true }))
    }

    /// Whether nobody looks at what a call says of its failure: `{ success: false, error }` is given, and all that is
    /// read of it is something else, `result.status`.
    pub(in crate::program) fn outcome_is_unread(&self, by: CallRef) -> bool {
        let facts = self.facts(by.file);
        let whole = facts.call(by.call).expr;
        let holds =
            |value: ExprId| value == whole || matches!(facts.expr(value), ExprKind::Await(inner) if *inner == whole);
        let Some(def) = facts.defs.iter().position(|def| def.values.iter().any(|&value| holds(value))) else {
            return false;
        };
        let mut told: Vec<Name> = Vec::new();
        for edge in self.edges(by).iter().filter(|edge| edge.kind == EdgeKind::Direct) {
            let inner = self.facts(edge.target.file);
            for value in inner.returned(edge.target.function).filter(|&value| is_failure(inner, value)) {
                let ExprKind::Object(entries) = inner.expr(value) else { return false };
                told.extend(entries.iter().map(|&(key, _)| key));
            }
        }
        if told.is_empty() || told.iter().any(|key| *key == "..." || *key == "[]") {
            return false;
        }
        let readers = self.readers(by.file);
        let reads = readers.reads(crate::facts::DefId(def as u32)).iter().copied();
        let reads: Vec<ExprId> = reads.filter(|&read| !readers.uses(read).is_empty()).collect();
        let is = |expr: ExprId| reads.contains(&expr);
        // `result.status`, `result.get("status")`
        let tested = |at: usize| {
            readers.uses(ExprId(at as u32)).iter().any(|used| match *used {
                Use::Tested => true,
                Use::In(outer) => matches!(facts.expr(outer), ExprKind::Op(..)),
                _ => false,
            })
        };
        let elsewhere = facts.exprs.iter().enumerate().filter(|(at, expr)| match &expr.kind {
            ExprKind::Member(base, name) => *name != "get" && is(*base) && !told.contains(name) && !tested(*at),
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let ExprKind::Member(base, name) = facts.expr(call.callee) else { return false };
                let key = call.args.first().map(|arg| facts.expr(arg.value));
                *name == "get"
                    && is(*base)
                    && matches!(key, Some(ExprKind::Text(key)) if !told.iter().any(|told| told == key))
                    && !tested(*at)
            }
            _ => false,
        });
        !reads.is_empty() && elsewhere.count() == reads.len()
    }

    /// The block by which a function returns an object that says so where a call in it has failed: `{ error }`,
    /// `{ success: false }`.
    pub fn arm_of_failure(&self, acting: CallRef) -> Option<BlockId> {
        let facts = self.facts(acting.file);
        let function = self.function_of(acting).function;
        let own = facts.blocks.iter().enumerate().filter(|(_, block)| block.function == function);
        let mut telling = own.filter(|(_, block)| {
            block.steps.iter().any(|step| match step {
                Step::Return(Some(value)) => {
                    matches!(facts.expr(*value), ExprKind::Object(_)) && is_failure(facts, *value)
                }
                _ => false,
            })
        });
        telling.find_map(|(at, _)| Some(BlockId(at as u32)).filter(|&block| self.is_told_in(acting, block)))
    }

    /// Whether a block runs when `acting` failed: a handler around it, or an arm of failure after it.
    pub(in crate::program) fn is_told_in(&self, acting: CallRef, block: BlockId) -> bool {
        let facts = self.facts(acting.file);
        let shape = facts.call(acting.call);
        let end = facts.span(shape.expr).end;
        let around = self.around(acting);
        let handlers: Vec<BlockId> = facts
            .enclosing(shape.block)
            .filter(|(_, block)| block.kind == BlockKind::Try)
            .flat_map(|(id, _)| around.handlers(id).iter().copied())
            .collect();
        let function = facts.function_of(block);
        facts.enclosing(block).take_while(|(_, block)| block.function == function).any(|(id, block)| match block.kind {
            BlockKind::Catch(_) => handlers.contains(&id),
            BlockKind::Then(condition) => {
                block.span.start >= end
                    && (tells_failure(facts, condition, true) || status_of(facts, condition, true) == Some(false))
            }
            BlockKind::Else(condition) => {
                block.span.start >= end
                    && (tells_failure(facts, condition, false) || status_of(facts, condition, false) == Some(false))
            }
            _ => false,
        }) || facts.block(block).steps.iter().any(|step| match *step {
            // `if response.status_code == 200: return True`, and what is left.
            Step::If { condition, then, otherwise: None } => {
                facts.block(then).span.start >= end
                    && status_of(facts, condition, true) == Some(true)
                    && matches!(ending(facts, then), Ending::Returns(_))
            }
            _ => false,
        })
    }

    /// Whether a call hands a failure to something that people read: an error tracker, an alert.
    pub fn is_reporting_call(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let name = match facts.expr(facts.call(call.call).callee) {
            ExprKind::Member(_, name) | ExprKind::Ref(name, _) => name.to_ascii_lowercase(),
            _ => return false,
        };
        ["log", "capture", "report", "notify", "alert", "toast", "track", "warn", "print", "seterror"]
            .iter()
            .any(|word| name.contains(word))
    }

    /// Whether a message is what its entry point is for, by its name, and nothing else is done there, and an answer behind
    /// it says `success: true`: that is of the message.
    pub fn answers_success_of(&self, call: CallRef) -> bool {
        const SENDS: &[&str] = &[
            "mail",
            "mails",
            "email",
            "emails",
            "sms",
            "send",
            "notify",
            "contact",
            "confirm",
            "confirmation",
            "welcome",
            "message",
        ];
        let does = |used: &VendorUse| match self.operation(used) {
            Some(operation) => !matches!(operation.effect, Effect::Read | Effect::List),
            None => !self.catalogue.vendor(used.vendor).own_backend,
        };
        let function = self.function_of(call);
        let entries = self.entries_of(function);
        let [entry] = entries[..] else { return false };
        let name = self.entry_name(&self.entries[entry]);
        if !words(&name).iter().any(|word| SENDS.contains(&word.as_str()))
            || self.calls_in(function).filter(|&other| other != call).any(|at| self.vendors_at(at).iter().any(does))
        {
            return false;
        }
        let facts = self.facts(call.file);
        let end = facts.span(facts.call(call.call).expr).end;
        facts.calls.iter().any(|other| {
            facts.span(other.expr).start > end
                && facts.function_of(other.block) == function.function
                && !facts.enclosing(other.block).any(|(_, block)| matches!(block.kind, BlockKind::Catch(_)))
                && other.args.iter().any(|arg| {
                    matches!(facts.expr(arg.value), ExprKind::Object(entries) if entries.iter().any(|&(key, value)| {
                        matches!(key.as_str(), "success" | "ok") && matches!(facts.expr(value), ExprKind::Bool(true))
                    }))
                })
        })
    }

    /// Whether, after a call, its function logs that something was sent, and answers with success, of nothing else.
    pub fn tells_of_success_after(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let end = facts.span(facts.call(call.call).expr).end;
        let block = facts.call(call.call).block;
        let around: Vec<BlockId> = facts.enclosing(block).map(|(id, _)| id).collect();
        let function = self.function_of(call);
        let is_after = |other: &CallRef| {
            let other = facts.call(other.call);
            facts.span(other.expr).start >= end && around.contains(&other.block)
        };
        let after: Vec<CallRef> = self.calls_in(function).filter(is_after).collect();
        let says = |value: ExprId| match facts.expr(value) {
            ExprKind::Text(text) => says_done(text),
            ExprKind::Template(parts) => {
                parts.iter().any(|&part| matches!(facts.expr(part), ExprKind::Text(text) if says_done(text)))
            }
            _ => false,
        };
        let logged = after.iter().any(|&other| {
            self.is_logging(other) && facts.call(other.call).args.first().is_some_and(|arg| says(arg.value))
        });
        let answered = || {
            let mut steps = around.iter().flat_map(|&id| &facts.block(id).steps);
            let returned = steps.any(|step| {
                matches!(step, Step::Return(Some(value)) if facts.span(*value).start >= end && is_success(facts, *value))
            });
            returned
                || after
                    .iter()
                    .any(|other| facts.call(other.call).args.first().is_some_and(|arg| is_success(facts, arg.value)))
        };
        logged && answered() && !self.works_before(call)
    }

    /// Whether a function changes something else before a call: what it answers is of that, too.
    fn works_before(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let start = facts.span(facts.call(call.call).expr).start;
        let callee = self.callee(call);
        // `cursor.execute("INSERT INTO ..")`
        let by_statement = |at: CallRef| {
            let facts = self.facts(at.file);
            let first = facts.call(at.call).args.first().map(|arg| facts.expr(arg.value));
            matches!(first, Some(ExprKind::Text(text)) if text.split_whitespace().next().is_some_and(|word| {
                ["insert", "update", "delete"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
            }))
        };
        let works = |at: CallRef| {
            self.has_role(at, KnownRole::Write)
                || by_statement(at)
                || self.vendors_at(at).iter().any(|used| {
                    let effect = self.operation(used).map(|operation| operation.effect);
                    matches!(effect, Some(Effect::Create | Effect::Update | Effect::Delete | Effect::Upload))
                })
        };
        let before = self
            .calls_in(self.function_of(call))
            .filter(|&other| facts.span(facts.call(other.call).expr).start < start && self.callee(other) != callee);
        before.into_iter().any(|other| {
            let edges = self.edges(other).iter().filter(|edge| edge.kind == EdgeKind::Direct);
            works(other)
                || edges
                    .map(|edge| self.reach(edge.target, |edge| edge.kind == EdgeKind::Direct))
                    .any(|reach| reach.stops.iter().take(40).any(|stop| self.calls_in(stop.function).any(works)))
        })
    }

    /// Whether, after a call, its function writes down that something was sent or done.
    pub fn records_success_after(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let end = facts.span(shape.expr).end;
        let function = facts.function_of(shape.block);
        // As far as the same step of the work goes: the case, the round of the loop, the way until it leaves.
        let mut around: Vec<BlockId> = Vec::new();
        for (id, block) in facts.enclosing(shape.block).take_while(|(_, block)| block.function == function) {
            around.push(id);
            let leaves =
                ending(facts, id) != Ending::GoesOn || block.steps.iter().any(|step| matches!(step, Step::Jump));
            if leaves || matches!(block.kind, BlockKind::Case(..) | BlockKind::Loop(_)) {
                break;
            }
        }
        // What is recorded after another message is that one's.
        let name = self.callee(call);
        let next =
            self.calls_in(self.function_of(call)).find(|other| other.call > call.call && self.callee(*other) == name);
        let next = next.map_or(u32::MAX, |next| facts.span(facts.call(next.call).expr).start);
        let follows = |block: BlockId, start: u32| {
            (end..next).contains(&start)
                && facts.enclosing(block).any(|(id, _)| around.contains(&id))
                && !matches!(facts.block(block).kind, BlockKind::Catch(_) | BlockKind::Else(_))
        };
        let written = around.iter().flat_map(|&id| &facts.block(id).steps).any(|step| match step {
            Step::Assign(target, value) => {
                (end..next).contains(&facts.span(*target).start)
                    && matches!(facts.expr(*target), ExprKind::Member(_, name)
                        if says_done(name) || tells_done(facts, *name, *value))
                    && !is_failure(facts, *value)
            }
            Step::Bind(def, value) => {
                (end..next).contains(&facts.span(*value).start)
                    && says_done(&facts.def(*def).name)
                    && counts_up(facts, *value)
            }
            // `return {"message": "Invoice sent"}`
            Step::Return(Some(value)) => {
                (end..next).contains(&facts.span(*value).start)
                    && matches!(facts.expr(*value), ExprKind::Object(entries)
                        if entries.iter().any(|&(key, value)| tells_done(facts, key, value)))
            }
            _ => false,
        });
        written
            || self.calls_in(self.function_of(call)).any(|other| {
                let other = facts.call(other.call);
                follows(other.block, facts.span(other.expr).start)
                    && other.args.iter().any(|arg| match facts.expr(arg.value) {
                        ExprKind::Object(entries) => entries.iter().any(|&(key, value)| tells_done(facts, key, value)),
                        _ => arg.name.is_some_and(|name| says_done(&name) || tells_done(facts, name, arg.value)),
                    })
            })
    }
}

/// Whether an entry of an object says that something went out: `sent: true`, `status: "sent"`, `message: "Mail sent"`;
/// not `"If there is an account, a link was sent"`, which says so on purpose.
fn tells_done(facts: &Facts, key: Name, value: ExprId) -> bool {
    let says = |text: &Name| says_done(text) && !text.starts_with("If ");
    says_done(&key) && !is_failure(facts, value)
        || matches!(key.as_str(), "status" | "message" | "msg" | "detail")
            && matches!(facts.expr(value), ExprKind::Text(text) if says(text))
}

/// Whether a returned value tells of a failure.
pub fn is_failure(facts: &Facts, value: ExprId) -> bool {
    match facts.expr(value) {
        ExprKind::Bool(truth) => !truth,
        ExprKind::Null => true,
        ExprKind::Object(entries) => {
            let says = |name: &str| entries.iter().find(|(key, _)| key.as_str() == name).map(|&(_, value)| value);
            let told = ["success", "ok", "sent"].iter().find_map(|name| says(name));
            match told {
                Some(value) => is_false(facts, value),
                None => says("error").is_some_and(|value| !matches!(facts.expr(value), ExprKind::Null)),
            }
        }
        // Python's `return False, "reason"`.
        ExprKind::List(items) => items.first().is_some_and(|&first| is_false(facts, first)),
        _ => false,
    }
}

/// What a condition of this truth says of an answer's status: that it is one of success, or of failure.
fn status_of(facts: &Facts, condition: ExprId, truth: bool) -> Option<bool> {
    let is_status = |expr: ExprId| {
        matches!(facts.expr(expr), ExprKind::Member(_, name)
            if matches!(name.as_str(), "status_code" | "status" | "statusCode"))
    };
    let good = |expr: ExprId| match facts.expr(expr) {
        ExprKind::Number(status) => Some((200.0..300.0).contains(status)),
        ExprKind::List(items) => {
            let all = items
                .iter()
                .all(|&item| matches!(facts.expr(item), ExprKind::Number(status) if (200.0..300.0).contains(status)));
            (all && !items.is_empty()).then_some(true)
        }
        _ => None,
    };
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => status_of(facts, *parts.first()?, !truth),
        ExprKind::Op(op @ (Op::Equal | Op::Unequal | Op::In), parts) => {
            let [status, wanted] = parts[..] else { return None };
            let is_it = (*op != Op::Unequal) == truth;
            match (is_status(status), good(wanted)?) {
                (false, _) => None,
                (true, true) => Some(is_it),
                // Not this failure says nothing of the others.
                (true, false) => is_it.then_some(false),
            }
        }
        ExprKind::Op(Op::And, parts) if truth => parts.iter().find_map(|&part| status_of(facts, part, true)),
        ExprKind::Op(Op::Or, parts) if !truth => parts.iter().find_map(|&part| status_of(facts, part, false)),
        ExprKind::Member(_, name) if matches!(name.as_str(), "ok" | "is_success") => Some(truth),
        ExprKind::Member(_, name) if *name == "is_error" => Some(!truth),
        _ => None,
    }
}

fn is_false(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Bool(false))
}

/// `sent + 1`.
fn counts_up(facts: &Facts, value: ExprId) -> bool {
    matches!(facts.expr(value), ExprKind::Op(Op::Add | Op::Arithmetic | Op::Other | Op::Assign, _))
}

/// Whether a name or status says that something went out.
fn says_done(name: &Name) -> bool {
    /// In French, Spanish and Portuguese, Swedish, German, Italian, Dutch, Polish.
    const ELSEWHERE: &[&str] =
        &["envoy", "enviad", "skickat", "gesendet", "verschickt", "versendet", "inviat", "verzonden", "wysłan"];
    crate::program::verify::words(name).iter().any(|word| {
        matches!(word.as_str(), "sent" | "delivered" | "notified" | "emailed" | "mailed" | "reminded")
            || ELSEWHERE.iter().any(|start| word.starts_with(start))
    })
}
