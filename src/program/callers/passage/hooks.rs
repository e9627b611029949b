//! Functions that servers run before each request: whether one lets a request for a path through though nobody is
//! logged in, and whoever asks makes up what they send. Only what is told for certain counts.

use rustc_hash::FxHashMap;

use super::calls::any_of;
use super::{Flow, Passage, Thing, Walk, instances};
use crate::catalogue::KnownRole;
use crate::facts::{BlockId, ExprKind, Step};
use crate::finding::FileId;
use crate::link::entries::handlers::{arguments, gates};
use crate::link::entries::routers::{handles, texts};
use crate::program::verify::words;
use crate::program::{CallRef, DefRef, Entry, ExprRef, External, FunctionRef, Gate, Program};

/// Words of calls that may refuse by throwing.
const CHECKS: &[&str] = &[
    "verify",
    "verified",
    "authenticate",
    "authorize",
    "decode",
    "decrypt",
    "validate",
    "check",
    "assert",
    "ensure",
    "require",
    "protect",
];

/// Methods of what answers that send it.
const SENDS: &[&str] = &["json", "send", "end", "sendStatus", "redirect", "render", "sendFile", "jsonp"];

/// What is kept while a hook is gone through.
#[derive(Default)]
pub(super) struct Hook {
    /// The path as middleware that is mounted below one sees it.
    rest: String,
    /// How many `try` are open.
    tries: usize,
    /// Something was called that may have refused by throwing.
    doubt: bool,
    /// Something was called of which nothing can be told.
    shaky: bool,
    /// A vendor delivers, who brings no credential of the app's users; else whoever likes asks.
    pub(super) delivers: bool,
    /// What lets the request through, or answers it, was handed to something of which nothing can be told.
    pub(super) escaped: bool,
    /// It turns away by giving anything.
    pub(super) by_anything: bool,
}

impl Hook {
    /// A hook that a vendor's delivery meets.
    pub(super) fn of_delivery(rest: String, by_anything: bool) -> Self {
        Self { rest, delivers: true, by_anything, ..Self::default() }
    }

    /// What was called so far.
    pub(super) fn learnt(&self) -> (bool, bool) {
        (self.doubt, self.shaky)
    }
}

/// The paths below which middleware is mounted on apps; none where it is on a router, which is mounted anywhere.
pub(crate) type HookMounts = FxHashMap<FunctionRef, Vec<Option<String>>>;

/// How a function stands before a route.
pub(super) struct Form {
    pub(super) args: Vec<Thing>,
    /// It lets the request through by giving nothing.
    pub(super) by_nothing: bool,
    /// It sees the path without what it is mounted below.
    pub(super) relative: bool,
}

impl Program {
    /// Whether a function that runs before each request lets one for an entry point through though nobody is logged
    /// in.
    pub(crate) fn runs_past(&self, entry: &Entry, function: FunctionRef) -> bool {
        let Some(route) = entry.route.filter(|route| !route.contains("**")) else { return false };
        let Some(form) = self.form_of_hook(function) else { return false };
        let method = entry.methods.first().map_or("POST", |method| method.as_str());
        let mut seen = instances::of(self, function.file, &route).into_iter().flat_map(|path| {
            let rests = if form.relative { self.rests(function, &path) } else { vec![path.clone()] };
            rests.into_iter().map(move |rest| (path.clone(), rest))
        });
        let mut any = false;
        let all = seen.all(|(path, rest)| {
            any = true;
            self.hook_passage(function, &form, &path, rest, method) == Passage::Passes
        });
        any && all
    }

    fn hook_passage(&self, function: FunctionRef, form: &Form, path: &str, rest: String, method: &str) -> Passage {
        let mut walk = Walk::new(self, path, method);
        walk.hook = Some(Hook { rest, ..Hook::default() });
        let found = walk.run(function, form.args.clone());
        let sure = walk.fuel > 0 && walk.hook.is_some_and(|hook| !hook.doubt);
        match found {
            Thing::Passes if sure => Passage::Passes,
            Thing::Nothing if sure && form.by_nothing => Passage::Passes,
            Thing::Refusal(place) => Passage::TurnedAway(place),
            _ => Passage::Unknown,
        }
    }

    /// `(req, res, next)`, `(c, next)`, `(request, reply)`, `(request, call_next)`, nothing at all.
    pub(super) fn form_of_hook(&self, function: FunctionRef) -> Option<Form> {
        let facts = self.facts(function.file);
        let params = &facts.function(function.function).params;
        let named = |at: usize| params.get(at).and_then(|param| param.name).map(|name| name.to_ascii_lowercase());
        let last = named(params.len().saturating_sub(1)).unwrap_or_default();
        let last_is = |part: &str| last.contains(part);
        let form = |args: Vec<Thing>, by_nothing: bool, relative: bool| Some(Form { args, by_nothing, relative });
        match (facts.language.is_script(), params.len()) {
            (true, 3) => form(vec![Thing::Visitor, Thing::Answerer, Thing::Next], false, !last_is("done")),
            (true, 2) if last_is("next") => form(vec![Thing::Visitor, Thing::Next], false, false),
            (true, 2) if last.starts_with("re") => form(vec![Thing::Visitor, Thing::Answerer], true, false),
            (false, 0) => form(vec![], true, false),
            (false, 1) => form(vec![Thing::Visitor], true, false),
            (false, 2) if last_is("next") => form(vec![Thing::Visitor, Thing::Next], false, false),
            _ => None,
        }
    }

    /// What middleware sees of a path: on an app, what is behind its own; elsewhere any end of it.
    pub(super) fn rests(&self, function: FunctionRef, path: &str) -> Vec<String> {
        let mounts = self.hook_mounts.get_or_init(|| mounts(self)).get(&function);
        let known: Option<Vec<&String>> = mounts.map(|mounts| mounts.iter().flatten().collect());
        let on_apps = mounts.is_some_and(|mounts| mounts.iter().all(Option::is_some));
        if let (Some(below), true) = (known, on_apps) {
            let rest = |below: &&String| {
                let rest = path.strip_prefix(below.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then(|| format!("/{}", rest.trim_start_matches('/')))
            };
            return below.iter().filter_map(rest).collect();
        }
        path.match_indices('/').map(|(at, _)| path[at..].to_owned()).collect()
    }
}

fn mounts(program: &Program) -> HookMounts {
    let mut found = HookMounts::default();
    for (file, facts) in program.code().filter(|(_, facts)| facts.language.is_script()) {
        for call in program.calls_of(file) {
            let ExprKind::Member(base, name) = facts.expr(facts.call(call.call).callee) else { continue };
            if *name != "use" {
                continue;
            }
            let on = handles(program, ExprRef::new(file, *base));
            let args = arguments(program, call);
            let leading = args.first().map(|&first| texts(program, &program.value(first))).unwrap_or_default();
            let below = if leading.is_empty() || args.len() < 2 { vec!["/".to_owned()] } else { leading };
            for gate in args.iter().flat_map(|&arg| gates(program, arg)) {
                let Gate::Function(function) = gate else { continue };
                for handle in &on {
                    let mounted = found.entry(function).or_default();
                    mounted.extend(below.iter().map(|below| handle.is_app.then(|| below.clone())));
                }
            }
        }
    }
    found
}

impl<'p> Walk<'p> {
    /// Goes back to what had been called before, on a way that was chosen.
    pub(super) fn relearn(&mut self, learnt: Option<(bool, bool)>, chosen: bool) {
        if let (Some(hook), Some((doubt, shaky)), true) = (&mut self.hook, learnt, chosen) {
            (hook.doubt, hook.shaky) = (doubt, shaky);
        }
    }

    /// Both ways may have been gone.
    pub(super) fn doubt_again(&mut self, learnt: Option<(bool, bool)>) {
        if let (Some(hook), Some((doubt, shaky))) = (&mut self.hook, learnt) {
            (hook.doubt, hook.shaky) = (hook.doubt || doubt, hook.shaky || shaky);
        }
    }

    /// Whether what is thrown here answers the request.
    pub(super) fn refuses_by_throwing(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.tries == 0)
    }

    /// What a header or a cookie is: that it is there, or the same as another, whoever asks sees to; what a call makes
    /// of it may tell who asks. That a form is the app's own says nothing of who sends it.
    fn carried(&self, name: &str, base: &Thing) -> Thing {
        let name = name.to_ascii_lowercase();
        if self.delivers() {
            let of_users = matches!(base, Thing::Cookies) || matches!(name.as_str(), "authorization" | "cookie");
            return if of_users { Thing::Nobody } else { Thing::Unknown };
        }
        if name.contains("csrf") || name.contains("xsrf") { Thing::Brought } else { Thing::Given }
    }

    pub(super) fn hook_member(&self, base: &Thing, name: &str) -> Option<Thing> {
        let rest = || self.hook.as_ref().map_or_else(String::new, |hook| hook.rest.clone());
        Some(match (base, name) {
            (Thing::Visitor, "req" | "request") => Thing::Visitor,
            (Thing::Visitor, "res" | "response" | "reply") => Thing::Answerer,
            (Thing::Visitor, "path" | "routerPath") => Thing::Text(rest()),
            (Thing::Visitor, "originalUrl" | "full_path") | (Thing::Url, "path" | "pathname") => {
                Thing::Text(self.path.to_owned())
            }
            (Thing::Visitor, "body" | "query" | "params" | "form" | "args" | "values" | "query_params") => {
                if self.delivers() { Thing::Unknown } else { Thing::Brought }
            }
            (Thing::Visitor, "signedCookies") => Thing::Cookies,
            (Thing::Headers | Thing::Cookies, name) => self.carried(name, base),
            (Thing::Brought, _) => Thing::Brought,
            (Thing::Given, _) => Thing::Given,
            (Thing::Answerer, _) => Thing::Answerer,
            _ => return None,
        })
    }

    pub(super) fn hook_element(&self, base: &Thing, index: &Thing) -> Thing {
        match (base, index) {
            (Thing::Headers | Thing::Cookies, Thing::Text(name)) => self.carried(name, base),
            (Thing::List(items), Thing::Text(at)) => {
                at.parse::<usize>().ok().and_then(|at| items.get(at)).cloned().unwrap_or(Thing::Unknown)
            }
            (Thing::Brought | Thing::Given | Thing::Nobody, _) => base.clone(),
            _ => Thing::Unknown,
        }
    }

    pub(super) fn hook_method(&mut self, call: CallRef, base: &Thing, method: &str, args: &[Thing]) -> Option<Thing> {
        let place = self.program.call_place(call);
        if self.delivers()
            && let Some(found) = self.asked_by_delivery(base, method)
        {
            return Some(found);
        }
        Some(match (base, method, args) {
            (Thing::Headers | Thing::Cookies | Thing::Visitor, "get" | "has" | "header", [Thing::Text(name), ..]) => {
                self.carried(name, base)
            }
            (Thing::Headers | Thing::Cookies, ..) => Thing::Given,
            (Thing::Visitor, "json" | "text" | "form" | "formData" | "body" | "parseBody", []) => Thing::Brought,
            (Thing::Visitor, "json" | "text" | "html" | "body" | "redirect" | "notFound" | "throw", _) => {
                Thing::Stops(place)
            }
            (Thing::Answerer, method, _) if SENDS.contains(&method) => Thing::Stops(place),
            (Thing::Answerer, ..) => Thing::Answerer,
            (Thing::Text(text), "startsWith" | "startswith", [Thing::Text(head), ..]) => {
                Thing::Bool(text.starts_with(head.as_str()))
            }
            (Thing::Text(text), "endsWith" | "endswith", [Thing::Text(tail), ..]) => {
                Thing::Bool(text.ends_with(tail.as_str()))
            }
            (Thing::Text(text), "startswith", [Thing::List(heads), ..]) => {
                any_of(heads.iter().map(|head| match head {
                    Thing::Text(head) => Some(text.starts_with(head.as_str())),
                    _ => None,
                }))
            }
            (Thing::Text(text), "lower", _) => Thing::Text(text.to_lowercase()),
            (Thing::Text(text), "rstrip" | "strip", _) => Thing::Text(text.clone()),
            (Thing::Text(text), "split", _) => Thing::List(vec![Thing::Text(text.clone())]),
            (Thing::Url, "startsWith" | "endsWith" | "split", _) => {
                let rest = self.hook.as_ref().map_or_else(String::new, |hook| hook.rest.clone());
                return self.hook_method(call, &Thing::Text(rest), method, args);
            }
            (Thing::List(_), "has", [element, ..]) => is_in(element, base),
            (
                _,
                "compare_digest" | "timingSafeEqual",
                [Thing::Brought | Thing::Given, Thing::Brought | Thing::Given],
            ) => Thing::Brought,
            (_, "get_response", _) => Thing::Passes,
            (Thing::Brought, ..) => Thing::Brought,
            (Thing::Given, ..) => Thing::Given,
            _ => return None,
        })
    }

    /// What a call gives that decides by itself: what runs the route, what turns the request away.
    pub(super) fn hook_call(&mut self, call: CallRef) -> Option<Thing> {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let here = |expr| ExprRef::new(call.file, expr);
        let ExprKind::Ref(name, _) = facts.expr(shape.callee) else {
            return program.is_logging(call).then_some(Thing::Something);
        };
        if let Thing::Next = self.eval(here(shape.callee)) {
            // `next(error)`
            let refused = facts.language.is_script() && !shape.args.is_empty();
            return Some(if refused { Thing::Stops(program.call_place(call)) } else { Thing::Passes });
        }
        let first = shape.args.first().map(|arg| arg.value);
        match (name.as_str(), first) {
            ("any", Some(first)) => {
                let told = self.comprehended(here(first))?;
                let mut truths = Vec::new();
                for thing in &told {
                    truths.push(self.truth(thing));
                }
                Some(any_of(truths.into_iter()))
            }
            ("Set" | "set" | "frozenset" | "tuple" | "list", Some(first)) => match self.eval(here(first)) {
                list @ Thing::List(_) => Some(list),
                _ => None,
            },
            ("abort", _) => Some(Thing::Stops(program.call_place(call))),
            _ if program.has_role(call, KnownRole::Leave) => Some(Thing::Stops(program.call_place(call))),
            _ => None,
        }
    }

    /// The elements of a comprehension over a list that is known.
    fn comprehended(&mut self, at: ExprRef) -> Option<Vec<Thing>> {
        let facts = self.program.facts(at.file);
        let only = |expr: ExprRef| match facts.expr(expr.expr) {
            ExprKind::List(items) if items.len() == 1 => Some(items[0]),
            _ => None,
        };
        let ExprKind::Spread(inner) = *facts.expr(only(at)?) else { return None };
        let element = only(ExprRef::new(at.file, inner))?;
        let span = facts.span(element);
        let (def, of) =
            facts.exprs.iter().filter(|expr| span.contains(expr.span)).find_map(|expr| match expr.kind {
                ExprKind::Ref(name, block) => {
                    let def = facts.lookup(block, name)?;
                    match facts.def(def).values[..] {
                        [value] => match *facts.expr(value) {
                            ExprKind::ElementOf(of) => Some((def, of)),
                            _ => None,
                        },
                        _ => None,
                    }
                }
                _ => None,
            })?;
        let Thing::List(items) = self.eval(ExprRef::new(at.file, of)) else { return None };
        let mut told = Vec::with_capacity(items.len());
        for item in items {
            self.known.defs.insert(DefRef::new(at.file, def), item);
            told.push(self.eval(ExprRef::new(at.file, element)));
        }
        Some(told)
    }

    /// Keeps in mind that a call gives what cannot be told.
    pub(super) fn unclear(&mut self, call: CallRef, args: &[Thing]) {
        let checks = self
            .program
            .called_name(call)
            .is_some_and(|name| words(&name).iter().any(|word| CHECKS.contains(&word.as_str())));
        let checks = checks || self.program.has_role(call, KnownRole::Verify);
        let escapes = args.iter().any(|arg| matches!(arg, Thing::Next | Thing::Answerer));
        if let Some(hook) = &mut self.hook {
            hook.shaky = true;
            hook.escaped |= escapes;
            hook.doubt |= checks || args.iter().any(|arg| matches!(arg, Thing::Given));
        }
    }

    /// `try`: what may throw in it leads to its handlers.
    pub(super) fn attempt(&mut self, file: FileId, body: BlockId, handlers: &[BlockId], rest: &'p [Step]) -> Flow {
        let before = self.known.clone();
        let Some(hook) = &mut self.hook else { return Flow::Ends(Thing::Unknown) };
        let outer = (std::mem::take(&mut hook.shaky), std::mem::take(&mut hook.doubt));
        hook.tries += 1;
        let mut met = self.block(file, body);
        let Some(hook) = &mut self.hook else { return Flow::Ends(Thing::Unknown) };
        hook.tries -= 1;
        let may_throw = hook.shaky || hook.doubt;
        hook.shaky |= outer.0;
        hook.doubt = outer.1 || hook.doubt && handlers.is_empty();
        if let (Flow::Ends(Thing::Fails(_)), [handler, ..]) = (&met, handlers) {
            self.known = before;
            return match self.block(file, *handler) {
                Flow::GoesOn => self.steps(file, rest),
                ends => ends,
            };
        }
        if let Flow::GoesOn = met {
            met = self.steps(file, rest);
        }
        if may_throw {
            for &handler in handlers {
                self.known = before.clone();
                let mut other = self.block(file, handler);
                if let Flow::GoesOn = other {
                    other = self.steps(file, rest);
                }
                met = self.both(met, other);
            }
        }
        met
    }

    /// A loop: for each element of a list that is known; else it may run, or not.
    pub(super) fn each(&mut self, file: FileId, body: BlockId, rest: &'p [Step]) -> Flow {
        let facts = self.program.facts(file);
        let steps = &facts.block(body).steps;
        let bound = match steps.first() {
            Some(Step::Bind(def, value)) => match *facts.expr(*value) {
                ExprKind::ElementOf(of) => Some((*def, of)),
                _ => None,
            },
            _ => None,
        };
        let list = bound.map(|(def, of)| (def, self.eval(ExprRef::new(file, of))));
        if let Some((def, Thing::List(items))) = list {
            for item in items {
                self.known.defs.insert(DefRef::new(file, def), item);
                if let ends @ Flow::Ends(_) = self.steps(file, &steps[1..]) {
                    return ends;
                }
            }
            return Flow::GoesOn;
        }
        match self.block(file, body) {
            Flow::GoesOn => Flow::GoesOn,
            left => {
                let other = self.steps(file, rest);
                self.both(left, other)
            }
        }
    }
}

/// What a framework gives of the request to whoever imports it.
pub(super) fn of_framework(external: &External) -> Thing {
    match external.last_member() {
        Some(name) if name == "request" => Thing::Visitor,
        Some(name) if name == "session" || name == "current_user" => Thing::Nobody,
        _ => Thing::Unknown,
    }
}

/// `path in OPEN`
pub(super) fn is_in(element: &Thing, of: &Thing) -> Thing {
    match (element, of) {
        (Thing::Text(text), Thing::List(items)) => any_of(items.iter().map(|item| match item {
            Thing::Text(item) => Some(item == text),
            _ => None,
        })),
        (Thing::Text(text), Thing::Record(entries)) => {
            Thing::Bool(entries.iter().any(|(key, _)| *key == text.as_str()))
        }
        (Thing::Text(part), Thing::Text(text)) => Thing::Bool(text.contains(part.as_str())),
        (_, Thing::Nobody) => Thing::Bool(false),
        _ => Thing::Unknown,
    }
}
