//! Events that stand for a customer won (a signup, a purchase, a lead): where they are reported from, and whether that
//! place runs again each time a page is loaded.

use rustc_hash::FxHashSet;

use crate::catalogue::Tracker;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::link::outbound::Lookup;
use crate::names::Name;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, ExprRef, FunctionRef, Program, Value};

mod sent;

/// How far a report is followed up to what starts it, and a condition down to what it asks.
const FARTHEST: usize = 6;

/// A report of a conversion.
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'p> {
    /// The call that says which event it is.
    pub at: CallRef,
    /// How it is reported.
    pub tracker: &'p Tracker,
    /// The event.
    pub event: Name,
    /// Something tells a repeat of it apart, or may do so.
    pub told_apart: bool,
}

/// What makes a report run on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// An effect that runs after every rendering.
    EveryRender,
    /// An effect that runs whenever the page or component is opened.
    Mount,
    /// The body of a component.
    Body,
    /// A script of the document itself.
    Document,
}

/// What stands between a report and each new load of the page, the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// Nothing, or what the address says: a reload finds it again.
    Nothing,
    /// Something that is not known to hold.
    Unknown,
    /// A mark that it was sent, or the page is left.
    Sent,
}

impl Program {
    /// The conversions that are reported, by place.
    pub fn conversions(&self) -> Vec<Conversion<'_>> {
        let mut found = Vec::new();
        // Few of an app's calls are named like one of these: the others need not be compared with each.
        let last = |tracker: &Tracker| Name::new(tracker.call.rsplit('.').next().unwrap_or_default());
        let called = self.catalogue.trackers().iter().filter(|tracker| tracker.sent_to.is_none());
        let names: FxHashSet<Name> = called.map(last).collect();
        for (file, facts) in self.code().filter(|(file, _)| !self.side(*file).tooling && !self.side(*file).dead) {
            for at in self.calls_of(file) {
                let named = facts.last_name(facts.call(at.call).callee).is_some_and(|name| names.contains(&name));
                if !named {
                    continue;
                }
                let Some(tracker) = self.tracker(at) else { continue };
                let Some(event) = self.event_of(at, tracker) else { continue };
                self.named(at, event, tracker, false, 3, &mut found);
            }
        }
        self.sent_events(&mut found);
        found.sort_by_key(|conversion| conversion.at);
        found.dedup_by_key(|conversion| conversion.at);
        found
    }

    /// How a call reports an event, if it does.
    fn tracker(&self, at: CallRef) -> Option<&Tracker> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let (ExprKind::Ref(last, _) | ExprKind::Member(_, last)) = facts.expr(call.callee) else { return None };
        self.catalogue.trackers().iter().find(|tracker| {
            let (base, name) = tracker.call.rsplit_once('.').map_or((None, &*tracker.call), |(b, n)| (Some(b), n));
            tracker.sent_to.is_none()
                && *last == *name
                && base.is_none_or(|base| match facts.expr(call.callee) {
                    ExprKind::Member(of, _) => facts.last_name(*of).is_some_and(|of| of == *base),
                    _ => false,
                })
                && tracker
                    .package
                    .as_ref()
                    .is_none_or(|package| self.callee(at).externals().any(|external| external.package == **package))
                && (tracker.first.is_empty() || {
                    let first = call.args.first().map(|arg| facts.expr(arg.value));
                    matches!(first, Some(ExprKind::Text(text)) if tracker.first.iter().any(|known| *text == **known))
                })
        })
    }

    /// What names the event.
    fn event_of(&self, at: CallRef, tracker: &Tracker) -> Option<ExprRef> {
        let facts = self.facts(at.file);
        let args = &facts.call(at.call).args;
        let keyword = args.iter().find(|arg| arg.name.is_some() && arg.name.as_deref() == tracker.option.as_deref());
        let plain = |index: usize| args.iter().filter(|arg| arg.name.is_none()).nth(index);
        let second = tracker.after_person.filter(|_| !facts.language.is_script()).and_then(plain);
        let arg = keyword.or(second).or_else(|| args.get(tracker.event))?.value;
        let given = match (facts.expr(arg), &tracker.option) {
            (ExprKind::Object(entries), Some(option)) => entries.iter().find(|(key, _)| *key == **option)?.1,
            _ => arg,
        };
        Some(ExprRef::new(at.file, given))
    }

    /// The calls that say which event it is: this one, or those that hand its name in.
    fn named<'p>(
        &'p self,
        at: CallRef,
        event: ExprRef,
        tracker: &'p Tracker,
        told_apart: bool,
        depth: usize,
        found: &mut Vec<Conversion<'p>>,
    ) {
        let tells = |at: CallRef, unknown: bool| {
            tracker.dedup.iter().any(|name| match self.option(at, name) {
                Lookup::Present(_) => true,
                Lookup::Unknown => unknown,
                Lookup::Absent => false,
            })
        };
        for value in self.value(event).alternatives() {
            match value {
                Value::Text(event) if is_conversion(event) => {
                    // What puts a sent event together has been looked at whole.
                    let told_apart = told_apart || tells(at, tracker.sent_to.is_none());
                    found.push(Conversion { at, tracker, event: *event, told_apart });
                }
                Value::Param(function, position) if depth > 0 => {
                    let told_apart = told_apart || tells(at, false);
                    for &caller in self.callers(*function) {
                        let args = &self.facts(caller.file).call(caller.call).args;
                        if let Some(arg) = args.get(usize::from(*position)) {
                            let event = ExprRef::new(caller.file, arg.value);
                            self.named(caller, event, tracker, told_apart, depth - 1, found);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Where a report runs on its own each time a page is loaded, and nothing keeps it from doing so: the call there.
    pub fn repeats_on_load(&self, conversion: &Conversion<'_>) -> Option<(CallRef, Repeat)> {
        let mut seen = FxHashSet::default();
        self.climb(conversion.at, Hold::Nothing, FARTHEST, &mut seen)
    }

    fn climb(
        &self,
        at: CallRef,
        held: Hold,
        depth: usize,
        seen: &mut FxHashSet<FunctionRef>,
    ) -> Option<(CallRef, Repeat)> {
        let function = self.function_of(at);
        let held = held.max(self.hold(at, function));
        if held != Hold::Nothing || depth == 0 || !seen.insert(function) {
            return None;
        }
        let entries = self.entries_of(function);
        if let Some(&entry) = entries.first() {
            let entry = &self.entries[entry];
            let quiet = entry.kind != EntryKind::Effect || self.leaves_a_mark(function);
            return (!quiet).then(|| (at, self.effect_repeats(entry.place)))?.1.map(|repeat| (at, repeat));
        }
        let facts = self.facts(at.file);
        if function.function == FunctionId::MODULE {
            let is_page = crate::walk::names::is_page(&self.file(at.file).path);
            return (is_page && !self.leaves_a_mark(function)).then_some((at, Repeat::Document));
        }
        if is_component(facts, function) {
            return (!self.leaves_a_mark(function)).then_some((at, Repeat::Body));
        }
        self.incoming(function)
            .iter()
            .filter(|edge| self.side(edge.call.file).client && runs_now(self, edge.call, edge.kind))
            .find_map(|edge| self.climb(edge.call, held, depth - 1, seen))
    }

    /// How often an effect runs, by what it depends on.
    fn effect_repeats(&self, place: crate::finding::Place) -> Option<Repeat> {
        let facts = self.facts(place.file);
        let call = facts.calls.iter().find(|call| facts.span(call.expr) == place.span)?;
        if !facts.last_name(call.callee)?.ends_with("Effect") {
            return Some(Repeat::Mount);
        }
        Some(if call.args.len() < 2 { Repeat::EveryRender } else { Repeat::Mount })
    }

    /// Whether a function notes that it has run, or leaves the page: a reload does not find it again.
    fn leaves_a_mark(&self, function: FunctionRef) -> bool {
        const MARKS: &[&str] = &[
            "setItem",
            "replaceState",
            "setSearchParams",
            "replace",
            "push",
            "navigate",
            "redirect",
            "setCookie",
            "assign",
            "set",
        ];
        // A page's own script pushes to lists all the time; only what is written there counts.
        if function.function == FunctionId::MODULE {
            return self.calls_in(function).any(|at| self.called(at).is_some_and(|name| name == "setItem"));
        }
        let facts = self.facts(function.file);
        self.with_inner(function).into_iter().any(|inner| {
            let marks = self.calls_in(inner).any(|at| {
                let name = self.called(at);
                (name.is_some_and(|name| MARKS.contains(&name.as_str())) || moves_on(facts, facts.call(at.call).callee))
                    && self.tracker(at).is_none()
            });
            let assigns = |target: ExprId| {
                matches!(facts.expr(target), ExprKind::Member(_, name) if matches!(name.as_str(), "current" | "href" | "cookie" | "location"))
            };
            marks
                || facts.blocks.iter().filter(|block| block.function == inner.function).any(|block| {
                    block.steps.iter().any(|step| matches!(step, Step::Assign(target, _) if assigns(*target)))
                })
        })
    }

    fn called(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        facts.last_name(facts.call(at.call).callee)
    }

    /// What holds a call back within its function.
    fn hold(&self, at: CallRef, function: FunctionRef) -> Hold {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let span = facts.span(call.expr);
        let mut hold = Hold::Nothing;
        let mut asked = |condition: ExprId| hold = hold.max(asks(facts, condition, FARTHEST));
        for (_, block) in facts.enclosing(call.block).take_while(|(_, block)| block.function == function.function) {
            match block.kind {
                BlockKind::Then(condition) | BlockKind::Else(condition) => asked(condition),
                BlockKind::Case(..) | BlockKind::Catch(_) => return Hold::Unknown,
                _ => {}
            }
            for step in &block.steps {
                if let Step::If { condition, then, .. } = step
                    && facts.block(*then).span.end <= span.start
                    && ending(facts, *then) != Ending::GoesOn
                {
                    asked(*condition);
                }
            }
        }
        // `ready && report()`
        let around = facts.function(function.function).span;
        let holds = |at: ExprId| facts.span(at).contains(span) && around.contains(facts.span(at));
        for (_, (op, parts)) in facts.operations().filter(|(at, _)| holds(*at)) {
            if matches!(op, Op::And | Op::Or | Op::Nullish | Op::Choose) && !facts.span(parts[0]).contains(span) {
                asked(parts[0]);
            }
        }
        hold
    }
}

/// Whether a function that is called came of a hook that changes the address: `const [, setQuery] = useSearchParams()`.
fn moves_on(facts: &Facts, callee: ExprId) -> bool {
    let ExprKind::Ref(name, block) = facts.expr(callee) else { return false };
    let Some(def) = facts.lookup(*block, *name).map(|def| facts.def(def)) else { return false };
    let [mut value] = def.values[..] else { return false };
    while let ExprKind::Index(base, _) | ExprKind::Member(base, _) = facts.expr(value) {
        value = *base;
    }
    let ExprKind::Call(call) = facts.expr(value) else { return false };
    let hook = facts.last_name(facts.call(*call).callee);
    hook.is_some_and(|hook| matches!(hook.as_str(), "useSearchParams" | "useNavigate" | "useRouter"))
}

/// Whether what makes a function run does so at once, on the way: a call, a promise's handler, a timer.
fn runs_now(program: &Program, at: CallRef, kind: EdgeKind) -> bool {
    let by_name = |name: Name| {
        matches!(
            name.as_str(),
            "then" | "finally" | "forEach" | "setTimeout" | "requestAnimationFrame" | "requestIdleCallback"
        )
    };
    match kind {
        EdgeKind::Direct => true,
        EdgeKind::Callback | EdgeKind::Deferred => program.called(at).is_some_and(by_name),
        EdgeKind::Jump => false,
    }
}

/// Whether a function is a component: it has a component's name and holds elements.
fn is_component(facts: &Facts, function: FunctionRef) -> bool {
    let shape = facts.function(function.function);
    shape.name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        && facts.elements().any(|(at, _)| shape.span.contains(facts.span(at)))
}

/// What a condition asks for.
fn asks(facts: &Facts, condition: ExprId, depth: usize) -> Hold {
    /// What the address gives: a reload finds it again.
    const ADDRESS: &[&str] =
        &["useSearchParams", "useParams", "useLocation", "useRouter", "useSearch", "URLSearchParams", "URL"];
    const PRESENT: &[&str] = &["window", "document", "location", "navigator", "undefined", "console"];
    const MARKS: &[&str] = &["getItem", "getCookie", "current", "cookie"];
    let Some(depth) = depth.checked_sub(1) else { return Hold::Unknown };
    let of = |part: ExprId| asks(facts, part, depth);
    match facts.expr(condition) {
        ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Env(_) => {
            Hold::Nothing
        }
        ExprKind::Op(_, parts) => parts.iter().map(|&part| of(part)).max().unwrap_or(Hold::Nothing),
        ExprKind::Member(base, name) => {
            if MARKS.contains(&name.as_str()) {
                return Hold::Sent;
            }
            // `window.gtag`
            if matches!(facts.expr(*base), ExprKind::Ref(name, block) if PRESENT.contains(&name.as_str()) && facts.lookup(*block, *name).is_none())
            {
                return Hold::Nothing;
            }
            of(*base)
        }
        ExprKind::Index(base, _) | ExprKind::Await(base) => of(*base),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let Some(name) = facts.last_name(call.callee) else { return Hold::Unknown };
            if MARKS.contains(&name.as_str()) {
                Hold::Sent
            } else if ADDRESS.contains(&name.as_str()) {
                Hold::Nothing
            } else if let ExprKind::Member(base, _) = facts.expr(call.callee)
                && matches!(name.as_str(), "get" | "has" | "includes" | "toString" | "startsWith" | "endsWith")
            {
                of(*base)
            } else {
                Hold::Unknown
            }
        }
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def)) {
            None => Hold::Nothing,
            Some(def) => match def.values[..] {
                [only] => of(only),
                _ => Hold::Unknown,
            },
        },
        _ => Hold::Unknown,
    }
}

/// Whether an event's name says that a customer was won, not merely that something was looked at or begun.
fn is_conversion(event: &str) -> bool {
    const NOT_YET: &[&str] = &[
        "view",
        "viewed",
        "views",
        "click",
        "clicked",
        "page",
        "open",
        "opened",
        "shown",
        "show",
        "seen",
        "fail",
        "failed",
        "failure",
        "error",
        "cancel",
        "canceled",
        "cancelled",
        "abandoned",
        "attempt",
        "attempted",
        "begin",
        "initiate",
        "initiated",
        "modal",
        "button",
        "exit",
        "intent",
        "impression",
        "visit",
        "visited",
        "status",
        "select",
        "selected",
        "landing",
        "unsubscribe",
        "unsubscribed",
        "magnet",
        "popup",
    ];
    let words = words(event);
    let has = |word: &str| words.iter().any(|found| found == word);
    let done = || {
        ["complete", "completed", "success", "succeeded", "successful", "placed", "paid", "created"]
            .into_iter()
            .any(has)
    };
    let begins = (has("start") || has("started")) && !has("trial");
    if begins || NOT_YET.iter().any(|word| has(word)) {
        return false;
    }
    has("purchase")
        || has("purchased")
        || has("signup")
        || (has("sign") || has("signed")) && has("up")
        || has("registration")
        || has("registered")
        || has("lead")
        || has("subscribe")
        || has("subscribed")
        || has("conversion")
        || has("trial") && (has("start") || has("started"))
        || (has("order") || has("checkout") || has("payment") || has("subscription") || has("booking")) && done()
}
