//! What webhook handlers make of what deliveries say: which fields they write unseen, and which states they overwrite
//! in whatever order events come.

use rustc_hash::FxHashSet;

use crate::catalogue::{Effect, KnownRole};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::repeats::Again;
use crate::program::repeats::claims::{changes_what_it_asks, says_state};
use crate::program::values::bodies::Form;
use crate::program::verify::{Standing, words};
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Edge, EdgeKind, EntryKind, ExprRef, FunctionRef, Program};

/// Parts of event names that say that something changed that was there before.
const CHANGES: &[&str] =
    &["updat", "delet", "cancel", "status", "chang", "revok", "expir", "renew", "past_due", "paus"];

/// Parts of names that say when something was so, or which state of it is meant.
const ORDER: &[&str] =
    &["created", "timestamp", "version", "updated", "sequence", "occurred", "event_time", "eventtime"];

/// A write, and the way to it.
#[derive(Debug, Clone)]
pub struct Written {
    /// The call that writes.
    pub at: CallRef,
    /// From the handler's function to it.
    pub way: Vec<Edge>,
}

impl Program {
    /// Whether a webhook does something only with what its check has turned away: no delivery of the vendor comes there.
    pub fn is_for_refused(&self, entry: usize, at: CallRef) -> bool {
        let handlers = self.webhook_handlers().iter().filter(|handler| handler.entry == entry);
        let mut deeds = handlers.flat_map(|handler| &handler.account.deeds).filter(|deed| deed.at == at).peekable();
        deeds.peek().is_some() && deeds.all(|deed| matches!(deed.standing, Standing::Rejected(_)))
    }

    /// The writes of a handler to what the app itself keeps, records of deliveries left out.
    pub fn writes_of(&self, handler: &WebhookHandler) -> Vec<Written> {
        let entry = &self.entries[handler.entry];
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let deeds = handler.account.deeds.iter().filter(|deed| !deed.records && self.keeps_by(deed.at));
        let mut found = Vec::new();
        for deed in deeds {
            let function = self.function_of(deed.at);
            let Some(stop) = reach.stops.iter().position(|stop| stop.function == function) else { continue };
            let way = reach.way(stop);
            // A function that writes is called from several arms: each call is a way of its own.
            for (index, edge) in way.iter().enumerate() {
                let others = self.calls_in(self.function_of(edge.call)).flat_map(|call| self.edges(call));
                for &other in others.filter(|other| other.target == edge.target && other.call != edge.call) {
                    let mut way = way.clone();
                    way[index] = other;
                    found.push(Written { at: deed.at, way });
                }
            }
            found.push(Written { at: deed.at, way });
        }
        found
    }

    /// Whether the rows that a handler puts down are worked off by a job to which a second one is nothing new: all
    /// that it writes is the same when done twice.
    pub fn is_worked_off_safely(&self, handler: usize, at: CallRef) -> bool {
        let Some(table) = self.table_of(at) else { return false };
        let mut jobs = self.entries.iter().enumerate().filter(|(index, entry)| {
            let names = [entry.route, entry.name].into_iter().flatten();
            let named = names.flat_map(|name| words(&name)).any(|word| {
                matches!(word.as_str(), "cron" | "job" | "jobs" | "queue" | "worker" | "process" | "scheduled")
            });
            *index != handler && (matches!(entry.kind, EntryKind::Job | EntryKind::Worker) || named)
        });
        jobs.any(|(_, entry)| {
            let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
            let reads = reach.stops.iter().any(|stop| {
                self.calls_in(stop.function).any(|call| {
                    self.table_of(call) == Some(table)
                        && self.called_name(call).is_some_and(|name| name.starts_with("find") || name == "select")
                })
            });
            if !reads {
                return false;
            }
            let deeds = self.account_of(entry, &[]).deeds;
            let again: Vec<Again> = deeds
                .iter()
                .filter(|deed| self.table_of(deed.at) != Some(table))
                .map(|deed| self.again(deed.at))
                .collect();
            !again.is_empty() && again.iter().all(|again| *again == Again::Nothing)
        })
    }

    /// Whether a call writes into what the app itself keeps.
    pub(in crate::program) fn keeps_by(&self, at: CallRef) -> bool {
        let own = self.vendors_at(at).iter().any(|used| {
            self.catalogue.vendor(used.vendor).own_backend
                && self
                    .operation(used)
                    .is_some_and(|operation| matches!(operation.effect, Effect::Create | Effect::Update))
        });
        own || self.has_role(at, KnownRole::Write)
    }

    /// Whether a vendor's own function checks deliveries: what is compared by hand beside it is another secret.
    pub fn is_checked_by_sdk(&self, handler: &WebhookHandler) -> bool {
        let reach = self.reach(self.entries[handler.entry].function, |edge| edge.kind != EdgeKind::Jump);
        reach.stops.iter().any(|stop| self.calls_in(stop.function).any(|at| self.verifies_by_sdk(at)))
    }

    /// Whether a call is a vendor's own function that checks deliveries.
    pub(in crate::program) fn verifies_by_sdk(&self, at: CallRef) -> bool {
        let mut called = self.callee(at).externals();
        called.any(|external| self.catalogue.verifier(external.package, &external.segs).is_some())
    }

    /// Whether somebody made sure of a delivery's form on the way: an SDK that verifies it gives an event of its own
    /// types, a schema checks it.
    pub fn delivery_has_form(&self, handler: &WebhookHandler) -> bool {
        let entry = &self.entries[handler.entry];
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        reach.stops.iter().any(|stop| {
            self.calls_in(stop.function).any(|at| {
                self.has_role(at, KnownRole::Verify)
                    || self.has_role(at, KnownRole::Validate)
                    || self.called_name(at).is_some_and(|name| {
                        let name = name.to_ascii_lowercase();
                        name.contains("validate") || name == "safeparse" || name.contains("schema")
                    })
                    || self
                        .vendors_at(at)
                        .iter()
                        .any(|used| self.operation(used).is_some_and(|operation| operation.effect == Effect::Verify))
            })
        })
    }

    /// The fields of a delivery that a write is given and that nobody asked for before: none when one was asked for.
    pub fn unseen_fields(&self, handler: &WebhookHandler, written: &Written) -> Vec<(ExprRef, Name)> {
        let entry = &self.entries[handler.entry];
        let mut within: FxHashSet<FunctionRef> = self.with_inner(entry.function).into_iter().collect();
        within.extend(written.way.iter().flat_map(|edge| [edge.target, self.function_of(edge.call)]));
        let facts = self.facts(written.at.file);
        let mut leaves = Vec::new();
        for arg in &facts.call(written.at.call).args {
            leaves_of(facts, arg.value, 4, &mut leaves);
        }
        let mut fields = Vec::new();
        for leaf in leaves {
            if let Some((name, root)) = field_of(facts, leaf, 8)
                && let Form::Parsed(_) = self.body_form(entry, &within, ExprRef::new(written.at.file, root))
            {
                fields.push((ExprRef::new(written.at.file, leaf), name));
            }
        }
        let asked: FxHashSet<Name> = within.iter().flat_map(|&function| self.asked_names(function)).collect();
        if fields.iter().any(|(at, name)| {
            asked.contains(name)
                || matches!(self.facts(at.file).expr(at.expr), ExprKind::Ref(name, _) if asked.contains(name))
        }) {
            return vec![];
        }
        fields
    }

    /// The names that a function's decisions ask for.
    fn asked_names(&self, function: FunctionRef) -> Vec<Name> {
        let facts = self.facts(function.file);
        let span = facts.function(function.function).span;
        let mut asked: Vec<Span> = Vec::new();
        for block in facts.blocks.iter().filter(|block| block.function == function.function) {
            for step in &block.steps {
                match step {
                    Step::If { condition, .. } | Step::Switch(condition, _) => asked.push(facts.span(*condition)),
                    _ => {}
                }
            }
        }
        for expr in facts.exprs.iter().filter(|expr| span.contains(expr.span)) {
            match &expr.kind {
                ExprKind::Op(Op::Choose, parts) => asked.push(facts.span(parts[0])),
                ExprKind::Op(
                    Op::And | Op::Or | Op::Nullish | Op::Not | Op::In | Op::TypeOf | Op::Equal | Op::Unequal,
                    _,
                ) => {
                    asked.push(expr.span);
                }
                _ => {}
            }
        }
        let inside = facts.exprs.iter().filter(|expr| asked.iter().any(|asked| asked.contains(expr.span)));
        inside
            .flat_map(|expr| match &expr.kind {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => vec![*name],
                // `body.get("email")`
                ExprKind::Call(call) => {
                    let call = facts.call(*call);
                    let looks = facts.last_name(call.callee).is_some_and(|name| name == "get");
                    call.args.first().filter(|_| looks).map_or(vec![], |arg| texts_of(facts, arg.value, 3))
                }
                // `"email" in body`, `any(key not in body for key in ("email", "answers"))`
                ExprKind::Op(Op::In, parts) => parts.first().map_or(vec![], |&name| texts_of(facts, name, 6)),
                _ => vec![],
            })
            .collect()
    }

    /// Whether a write runs because something changed that was there before, and nothing on the way compares what
    /// the event says with when it was said or with what is kept: the event's name.
    pub fn overwrites_in_any_order(&self, handler: &WebhookHandler, written: &Written) -> Option<Name> {
        let calls: Vec<CallRef> = written.way.iter().map(|edge| edge.call).chain([written.at]).collect();
        let name = self.called_name(written.at)?;
        let name = name.to_ascii_lowercase();
        let overwrites = ["update", "upsert", "save", "commit", "set", "merge", "execute", "query"]
            .iter()
            .any(|part| name.contains(part));
        if !overwrites {
            return None;
        }
        let (from, (event, arm)) =
            calls.iter().enumerate().find_map(|(index, &at)| Some((index, self.change_told(at)?)))?;
        // The arm of the event, and what is called from there.
        let regions = calls[from..].iter().enumerate().map(|(index, &at)| {
            let function = self.function_of(at);
            let whole = self.facts(at.file).function(function.function).span;
            (function, if index == 0 { arm } else { whole })
        });
        let settled = regions.into_iter().any(|(function, region)| {
            let facts = self.facts(function.file);
            self.compares_order(function, region)
                || self.calls_in(function).any(|at| {
                    // The vendor was asked for what is so now.
                    region.contains(facts.span(facts.call(at.call).expr))
                        && self.vendors_at(at).iter().any(|used| {
                            Some(used.vendor) == handler.vendor
                                && self
                                    .operation(used)
                                    .is_some_and(|operation| matches!(operation.effect, Effect::Read | Effect::List))
                        })
                })
        });
        let once = ends(&event)
            && (self.is_found_by_event(written)
                || calls.iter().any(|&at| self.runs_for_event_object(at, &written.way)));
        (!settled && !once && !self.compares_state(written.at)).then_some(event)
    }

    /// Whether what a call writes is found by the id of the event's own object: what happens to an object once is then
    /// the last that is told of it.
    fn is_found_by_event(&self, written: &Written) -> bool {
        let at = written.at;
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let asked = |expr: ExprId| self.names_event_object(at.file, expr, &written.way, 12);
        let filters = self.chain(at).flat_map(|(outer, _)| &facts.call(outer.call).args).any(|arg| asked(arg.value));
        let within = call.args.iter().any(|arg| match facts.expr(arg.value) {
            ExprKind::Object(entries) => entries.iter().any(|&(key, value)| key == "where" && asked(value)),
            _ => false,
        });
        filters || within
    }

    /// Whether a call is made only where a row was found by the id of the event's own object, or is kept with it.
    fn runs_for_event_object(&self, at: CallRef, way: &[Edge]) -> bool {
        let facts = self.facts(at.file);
        let block = facts.call(at.call).block;
        let function = facts.function_of(block);
        let asked = |expr: ExprId| self.names_event_object(at.file, expr, way, 12);
        let mut around = facts.enclosing(block).take_while(|(_, block)| block.function == function);
        let says = |condition: ExprId| match facts.expr(condition) {
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => parts.iter().any(|&part| asked(part)),
            ExprKind::Ref(..) => asked(condition),
            _ => false,
        };
        around.any(|(_, block)| match block.kind {
            BlockKind::Then(condition) => match facts.expr(condition) {
                ExprKind::Op(Op::And, parts) => parts.iter().any(|&part| says(part)),
                _ => says(condition),
            },
            _ => false,
        })
    }

    /// Whether a value is the id of the object that an event is about, or of a row that was found by it.
    fn names_event_object(&self, file: FileId, expr: ExprId, way: &[Edge], depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(file);
        let inside = |part: ExprId| self.names_event_object(file, part, way, depth);
        match facts.expr(expr) {
            ExprKind::Member(base, name) if *name == "id" => self.is_event_object(file, *base, depth) || inside(*base),
            ExprKind::Object(entries) => entries.iter().any(|&(_, value)| inside(value)),
            ExprKind::List(items) => items.iter().any(|&item| inside(item)),
            ExprKind::Await(inner) => inside(*inner),
            // What the function was handed on this way.
            ExprKind::Param(function, position) => {
                let target = FunctionRef::new(file, *function);
                let name = facts.function(*function).params.get(usize::from(*position)).and_then(|param| param.name);
                way.iter().find(|edge| edge.target == target).is_some_and(|edge| {
                    let args = &self.facts(edge.call.file).call(edge.call.call).args;
                    let named = args.iter().find(|arg| arg.name.is_some() && arg.name == name);
                    let placed = args.get(usize::from(*position)).filter(|arg| arg.name.is_none());
                    named.or(placed).is_some_and(|arg| self.names_event_object(edge.call.file, arg.value, way, depth))
                })
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                // `subscription.get("id")`
                if let ExprKind::Member(base, method) = facts.expr(call.callee)
                    && *method == "get"
                    && call
                        .args
                        .first()
                        .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(key) if *key == "id"))
                {
                    return self.is_event_object(file, *base, depth);
                }
                let before = match facts.expr(call.callee) {
                    ExprKind::Member(base, _) if matches!(facts.expr(*base), ExprKind::Call(_)) => inside(*base),
                    _ => false,
                };
                before || call.args.iter().any(|arg| inside(arg.value))
            }
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name).map(|def| facts.def(def));
                def.is_some_and(|def| def.values.iter().any(|&value| inside(value)))
            }
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().any(|&part| inside(part)),
            // `const { data: row } = await ..`
            ExprKind::Member(base, name) if *name == "data" => inside(*base),
            _ => false,
        }
    }

    /// Whether a value is the object that an event is about: `event.data.object`, or what a function is handed of it.
    fn is_event_object(&self, file: FileId, expr: ExprId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(file);
        match facts.expr(expr) {
            ExprKind::Member(_, name) => matches!(name.as_str(), "object" | "data" | "resource" | "payload"),
            ExprKind::Param(function, position) => {
                let param = facts.function(*function).params.get(usize::from(*position)).and_then(|param| param.name);
                param.is_some_and(|name| {
                    words(&name).iter().any(|word| {
                        matches!(
                            word.as_str(),
                            "event" | "subscription" | "sub" | "object" | "data" | "payload" | "resource" | "invoice"
                        )
                    })
                })
            }
            ExprKind::Ref(name, block) => {
                let def = facts.lookup(*block, *name).map(|def| facts.def(def));
                def.is_some_and(|def| def.values.iter().any(|&value| self.is_event_object(file, value, depth)))
            }
            _ => false,
        }
    }

    /// The name of a changing event that a call runs for, and the arm that does.
    fn change_told(&self, at: CallRef) -> Option<(Name, Span)> {
        let facts = self.facts(at.file);
        let block = facts.call(at.call).block;
        let function = facts.function_of(block);
        facts.enclosing(block).take_while(|(_, block)| block.function == function).find_map(|(_, block)| {
            let event = match block.kind {
                BlockKind::Then(condition) => change_in(facts, condition, 4),
                BlockKind::Case(_, Some(value)) => change_in(facts, value, 2),
                _ => None,
            };
            Some((event?, block.span))
        })
    }

    /// Whether a part of a function compares times, versions or numbers of events.
    fn compares_order(&self, function: FunctionRef, span: Span) -> bool {
        let facts = self.facts(function.file);
        let compared = facts.exprs.iter().filter(|expr| span.contains(expr.span)).filter_map(|expr| match &expr.kind {
            ExprKind::Op(Op::Compare, _) => Some(expr.span),
            ExprKind::Call(call) => match facts.expr(facts.call(*call).callee) {
                ExprKind::Member(_, name) if matches!(name.as_str(), "lt" | "lte" | "gt" | "gte" | "or") => {
                    Some(expr.span)
                }
                _ => None,
            },
            _ => None,
        });
        let compared: Vec<Span> = compared.collect();
        !compared.is_empty()
            && facts.exprs.iter().any(|expr| {
                let name = match &expr.kind {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) | ExprKind::Text(name) => name,
                    _ => return false,
                };
                let name = name.to_ascii_lowercase();
                ORDER.iter().any(|part| name.contains(part)) && compared.iter().any(|span| span.contains(expr.span))
            })
    }

    /// Whether a write only changes what is in a certain state: it asks for what it comes after, or for the column
    /// that it writes.
    fn compares_state(&self, at: CallRef) -> bool {
        if self.chain(at).any(|(_, name)| matches!(name.as_str(), "lt" | "lte" | "neq" | "in" | "gt")) {
            return true;
        }
        if self.statement(at).is_some_and(|statement| changes_what_it_asks(&statement)) {
            return true;
        }
        if self.called_name(at).is_some_and(|name| name == "commit") {
            // What is committed are the statements before it.
            let run = self.calls_in(self.function_of(at)).filter(|&other| other != at);
            let changes = run.filter_map(|other| self.statement(other)).filter(|text| text.starts_with("update"));
            let mut changes = changes.map(|text| changes_what_it_asks(&text)).peekable();
            if changes.peek().is_some() && changes.all(|asks| asks) {
                return true;
            }
        }
        let asked = self.columns_asked(at);
        let written = self.fields_written(at);
        written.iter().any(|field| says_state(field) && asked.iter().any(|column| column == field.as_str()))
    }
}

/// The values that stand in what a call is given.
fn leaves_of(facts: &Facts, expr: ExprId, depth: usize, found: &mut Vec<ExprId>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match facts.expr(expr) {
        ExprKind::Object(entries) => {
            entries.iter().for_each(|&(key, value)| {
                if key != "..." {
                    leaves_of(facts, value, depth, found);
                }
            });
        }
        ExprKind::List(items) => items.iter().for_each(|&item| leaves_of(facts, item, depth, found)),
        ExprKind::Member(..) | ExprKind::Ref(..) => found.push(expr),
        _ => {}
    }
}

/// The texts that a value can be: itself, or the elements of a list that it is one of.
fn texts_of(facts: &Facts, expr: ExprId, depth: usize) -> Vec<Name> {
    let Some(depth) = depth.checked_sub(1) else { return vec![] };
    let next = |expr: ExprId| texts_of(facts, expr, depth);
    match facts.expr(expr) {
        ExprKind::Text(text) => vec![*text],
        ExprKind::ElementOf(list) => next(*list),
        ExprKind::List(items) => items.iter().flat_map(|&item| next(item)).collect(),
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]) {
            Some(&[only]) => next(only),
            _ => vec![],
        },
        _ => vec![],
    }
}

/// The field that a value is, and what it is taken from at first: `body` of `body.data.email`.
fn field_of(facts: &Facts, expr: ExprId, depth: usize) -> Option<(Name, ExprId)> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
            [only] => field_of(facts, only, depth),
            _ => None,
        },
        ExprKind::Member(base, name) => {
            let root = match facts.expr(*base) {
                ExprKind::Member(_, inner) if *inner != "body" && *inner != "json" => field_of(facts, *base, depth)?.1,
                ExprKind::Ref(of, block) => {
                    let values = facts.lookup(*block, *of).map(|def| &facts.def(def).values[..]);
                    match values {
                        Some(&[only]) => field_of(facts, only, depth).map_or(*base, |(_, root)| root),
                        _ => *base,
                    }
                }
                _ => *base,
            };
            (*name != "body" && *name != "json").then_some((*name, root))
        }
        _ => None,
    }
}

/// Whether an event says that its object is no more.
pub fn ends(event: &str) -> bool {
    let lower = event.to_ascii_lowercase();
    ["deleted", "removed", "ended", "terminated", "destroyed", "expired"].iter().any(|part| lower.contains(part))
}

/// Whether a name tells somebody what to do rather than what happened: `update_keywords`.
fn is_order(event: &str) -> bool {
    let first = event.split(['.', '_', '/', ':', '-']).next().unwrap_or(event);
    matches!(first, "update" | "delete" | "cancel" | "change" | "revoke" | "renew" | "pause" | "set" | "get" | "expire")
}

/// The name of a changing event that a condition asks for.
fn change_in(facts: &Facts, expr: ExprId, depth: usize) -> Option<Name> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Text(text) => {
            let lower = text.to_ascii_lowercase();
            let named = lower.contains(['.', '_', '/', ':', '-']) && !is_order(&lower);
            let lower = lower.replace("non_renew", "");
            (named && lower.len() < 80 && CHANGES.iter().any(|part| lower.contains(part))).then_some(*text)
        }
        ExprKind::Op(Op::Equal | Op::Or | Op::And, parts) | ExprKind::List(parts) => {
            parts.iter().find_map(|&part| change_in(facts, part, depth))
        }
        ExprKind::Op(Op::In, parts) => parts.iter().find_map(|&part| change_in(facts, part, depth)),
        _ => None,
    }
}
