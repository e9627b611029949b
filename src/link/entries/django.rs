//! Django: `urlpatterns` and what they include, function and class views, REST framework's routers and view sets.

use rustc_hash::{FxHashMap, FxHashSet};

use super::django_views::{Defaults, action_gates, class_gates, function_defaults, opens};
use super::handlers::{arguments, follow, gates, handler, keyword};
use super::python_web::{decorator_gates, view_class, view_methods};
use super::{KnownRoute, Label, Seeker, paths};
use crate::facts::{ExprId, ExprKind, Facts, FunctionId, Op};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{CallRef, ClassRef, Entry, EntryKind, ExprRef, FunctionRef, Gate, Program, Value};

/// What REST framework's routers serve for a view set: method of the class, HTTP method, on one object.
const ACTIONS: &[(&str, &str, bool)] = &[
    ("list", "GET", false),
    ("create", "POST", false),
    ("retrieve", "GET", true),
    ("update", "PUT", true),
    ("partial_update", "PATCH", true),
    ("destroy", "DELETE", true),
];

/// Finds the routes of every `urlpatterns`, and those that no function of the program serves.
pub fn find(seeker: Seeker<'_>) -> (Vec<Entry>, Vec<KnownRoute>) {
    let program = seeker.program;
    let name = Name::new("urlpatterns");
    let files: Vec<FileId> = program
        .code()
        .filter(|(_, facts)| !facts.language.is_script())
        .filter(|(_, facts)| facts.defined_in(facts.function(FunctionId::MODULE).body, name).is_some())
        .map(|(file, _)| file)
        .collect();
    if files.is_empty() {
        return (vec![], vec![]);
    }
    let mut walk = Walk {
        program,
        registered: registered(program),
        defaults: Defaults::of(program),
        roots: roots(program),
        lost: false,
        included: FxHashSet::default(),
        found: vec![],
        known: vec![],
        stack: vec![],
        dry: true,
    };
    for &file in &files {
        walk.file(file, "");
    }
    walk.dry = false;
    for &file in &files {
        if !walk.included.contains(&file) && walk.is_served(file) {
            walk.file(file, "");
        }
    }
    (walk.found, walk.known)
}

/// View sets registered on REST framework's routers, by the call that makes the router.
fn registered(program: &Program) -> FxHashMap<CallRef, Vec<(String, ClassRef, Place)>> {
    let mut all: FxHashMap<CallRef, Vec<(String, ClassRef, Place)>> = FxHashMap::default();
    for (file, facts) in program.code().filter(|(_, facts)| !facts.language.is_script()) {
        for call in program.calls_of(file) {
            let ExprKind::Member(base, method) = facts.expr(facts.call(call.call).callee) else { continue };
            if method != "register" {
                continue;
            }
            let args = arguments(program, call);
            let prefix = args.first().copied().or_else(|| keyword(program, call, "prefix"));
            let class = args.get(1).copied().or_else(|| keyword(program, call, "viewset"));
            let (Some(prefix), Some(class)) = (prefix, class) else { continue };
            let (Some(prefix), Value::Class(class)) = (program.value(prefix).text(), program.value(class)) else {
                continue;
            };
            let value = program.value(ExprRef::new(file, *base));
            let sites: Vec<CallRef> =
                value.externals().filter_map(|external| external.sites.first().copied()).collect();
            for site in sites {
                let path = paths::normal(&paths::regex(&prefix));
                all.entry(site).or_default().push((path, class, program.call_place(call)));
            }
        }
    }
    all
}

struct Walk<'p> {
    program: &'p Program,
    registered: FxHashMap<CallRef, Vec<(String, ClassRef, Place)>>,
    /// What the settings ask of every view.
    defaults: Defaults,
    /// The files that the settings begin with.
    roots: Vec<FileId>,
    /// Something that may include routes could not be followed.
    lost: bool,
    included: FxHashSet<FileId>,
    found: Vec<Entry>,
    known: Vec<KnownRoute>,
    stack: Vec<FileId>,
    /// Only what includes what is of interest.
    dry: bool,
}

/// `urlpatterns.append(..)`: more routes than the list says.
fn grows(facts: &Facts, call: CallRef) -> bool {
    let ExprKind::Member(base, name) = facts.expr(facts.call(call.call).callee) else { return false };
    matches!(name.as_str(), "append" | "extend" | "insert")
        && matches!(facts.expr(*base), ExprKind::Ref(list, _) if *list == "urlpatterns")
}

/// The files that `ROOT_URLCONF` names.
fn roots(program: &Program) -> Vec<FileId> {
    let name = Name::new("ROOT_URLCONF");
    let settings = program.code().filter(|(_, facts)| !facts.language.is_script());
    let named = settings.filter_map(|(file, facts)| {
        let def = facts.defined_in(facts.function(FunctionId::MODULE).body, name)?;
        let value = *facts.def(def).values.last()?;
        module(program, file, &program.value(ExprRef::new(file, value)).text()?)
    });
    named.collect()
}

/// The file of a dotted module, nearest to the one that names it.
pub(super) fn module(program: &Program, from: FileId, dotted: &str) -> Option<FileId> {
    let tail = format!("{}.py", dotted.replace('.', "/"));
    let mut folder = program.file(from).path.as_str();
    loop {
        folder = folder.rsplit_once('/').map_or("", |(head, _)| head);
        let path = crate::link::projects::join(folder, &tail);
        if let Ok(at) = program.files.binary_search_by(|file| file.path.as_str().cmp(&path)) {
            return Some(FileId(at as u32));
        }
        if folder.is_empty() {
            return None;
        }
    }
}

impl Walk<'_> {
    /// Whether a file that nothing includes is one that the settings begin with, as far as they say so.
    fn is_served(&self, file: FileId) -> bool {
        if self.lost || self.roots.is_empty() || self.roots.contains(&file) {
            return true;
        }
        let path = self.program.file(file).path.as_str();
        // `shop/config/urls.py`: the project is what lies under `shop/`.
        !self.roots.iter().any(|&root| {
            let mut up = self.program.file(root).path.as_str().rsplitn(3, '/').skip(2);
            up.next().is_none_or(|project| path.strip_prefix(project).is_some_and(|rest| rest.starts_with('/')))
        })
    }

    fn file(&mut self, file: FileId, prefix: &str) {
        if self.stack.contains(&file) || self.stack.len() > 10 {
            return;
        }
        let facts = self.program.facts(file);
        let body = facts.function(FunctionId::MODULE).body;
        let Some(def) = facts.defined_in(body, Name::new("urlpatterns")) else { return };
        self.stack.push(file);
        self.lost |= self.program.calls_of(file).any(|call| grows(facts, call));
        for &value in &facts.def(def).values {
            self.list(ExprRef::new(file, value), prefix, 0);
        }
        self.stack.pop();
    }

    fn list(&mut self, at: ExprRef, prefix: &str, depth: usize) {
        let facts = self.program.facts(at.file);
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        if depth > 8 {
            return;
        }
        match facts.expr(at.expr) {
            ExprKind::List(items) => items.iter().for_each(|&item| self.item(here(item), prefix, depth + 1)),
            ExprKind::Op(Op::Add | Op::Other, operands) => {
                // `urlpatterns += more` names itself: that part is listed already.
                let own = |expr: &ExprId| matches!(facts.expr(*expr), ExprKind::Ref(name, _) if name == "urlpatterns");
                operands.iter().filter(|expr| !own(expr)).for_each(|&expr| self.list(here(expr), prefix, depth + 1));
            }
            ExprKind::Call(call) => {
                for arg in arguments(self.program, CallRef::new(at.file, *call)) {
                    self.item(arg, prefix, depth + 1);
                }
            }
            ExprKind::Member(base, name) if name == "urls" => self.router(here(*base), prefix),
            ExprKind::Ref(..) => {
                let target = follow(self.program, at);
                if target != at {
                    self.list(target, prefix, depth + 1);
                } else {
                    self.lost = true;
                }
            }
            ExprKind::Unknown | ExprKind::ElementOf(_) => self.lost = true,
            _ => {}
        }
    }

    fn item(&mut self, at: ExprRef, prefix: &str, depth: usize) {
        let facts = self.program.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Spread(inner) => self.list(ExprRef::new(at.file, *inner), prefix, depth),
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                let name = match facts.expr(facts.call(call.call).callee) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.as_str(),
                    _ => return,
                };
                let args = arguments(self.program, call);
                let pattern = args.first().copied().or_else(|| keyword(self.program, call, "route"));
                let view = args.get(1).copied().or_else(|| keyword(self.program, call, "view"));
                let (Some(pattern), Some(view)) = (pattern, view) else { return };
                let Some(text) = self.program.value(pattern).text() else { return };
                let path = match name {
                    "path" => text.as_str().to_owned(),
                    "re_path" | "url" => paths::regex(&text),
                    _ => return,
                };
                let route = paths::join(prefix, &paths::normal(&path));
                self.view(view, &route, self.program.call_place(call), vec![], depth);
            }
            ExprKind::Unknown | ExprKind::ElementOf(_) => self.lost = true,
            _ => {}
        }
    }

    fn view(&mut self, at: ExprRef, route: &str, place: Place, before: Vec<Gate>, depth: usize) {
        if depth > 12 {
            return;
        }
        if let Some(class) = view_class(self.program, at) {
            return self.class(class, at, route, place, before);
        }
        let facts = self.program.facts(at.file);
        if let ExprKind::Call(call) = facts.expr(at.expr) {
            let call_ref = CallRef::new(at.file, *call);
            let callee = facts.call(*call).callee;
            let name = match facts.expr(callee) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => *name,
                _ => return,
            };
            let args = arguments(self.program, call_ref);
            let Some(&first) = args.first() else { return };
            if name == "include" {
                return self.include(first, route);
            }
            // `login_required(View.as_view())`, `csrf_exempt(view)`.
            let mut gates_here = before;
            gates_here.extend(gates(self.program, ExprRef::new(at.file, callee)));
            return self.view(first, route, place, gates_here, depth + 1);
        }
        if let ExprKind::Member(base, name) = facts.expr(at.expr)
            && name == "urls"
        {
            return self.router(ExprRef::new(at.file, *base), route);
        }
        if self.dry {
            return;
        }
        let served = handler(self.program, at);
        if served.functions.is_empty() {
            self.note(route, place);
        }
        for function in served.functions {
            let mut gates_here = before.clone();
            gates_here.extend(served.gates.iter().copied());
            let (methods, decorators) = self.decorators(function);
            gates_here.extend(decorators.into_iter().filter(|gate| !opens(self.program, gate)));
            gates_here.extend(function_defaults(self.program, &self.defaults, function));
            self.push(function, &methods, route, gates_here, place);
        }
    }

    /// A route that a library's view serves.
    fn note(&mut self, route: &str, place: Place) {
        self.known.push(KnownRoute { methods: vec![], route: Name::new(route), file: place.file });
    }

    fn push(&mut self, function: FunctionRef, methods: &[Name], route: &str, own: Vec<Gate>, place: Place) {
        let mut gates = self.defaults.middleware(self.program, function.file);
        gates.extend(own);
        let label = Label::new(EntryKind::Route, "django").at(route);
        let mut entry = label.entry(function, gates, place);
        entry.methods = methods.to_vec();
        self.found.push(entry);
    }

    /// The methods that a view's decorators let through, and the decorators.
    fn decorators(&self, function: FunctionRef) -> (Vec<Name>, Vec<Gate>) {
        let facts = self.program.facts(function.file);
        let mut methods = Vec::new();
        for &decorator in &facts.function(function.function).decorators {
            let (callee, call) = match facts.expr(decorator) {
                ExprKind::Call(call) => (facts.call(*call).callee, Some(CallRef::new(function.file, *call))),
                _ => (decorator, None),
            };
            let (ExprKind::Ref(name, _) | ExprKind::Member(_, name)) = facts.expr(callee) else { continue };
            match name.as_str() {
                "require_POST" => methods.push(Name::new("POST")),
                "require_GET" | "require_safe" => methods.push(Name::new("GET")),
                "api_view" | "require_http_methods" => {
                    let list = call.and_then(|call| arguments(self.program, call).first().copied());
                    methods.extend(list.map(|list| self.texts(list)).unwrap_or_default());
                }
                _ => {}
            }
        }
        (methods, decorator_gates(self.program, function))
    }

    fn texts(&self, list: ExprRef) -> Vec<Name> {
        let list = follow(self.program, list);
        match self.program.facts(list.file).expr(list.expr) {
            ExprKind::List(items) => {
                let values = items.iter().map(|&item| self.program.value(ExprRef::new(list.file, item)));
                values.filter_map(|value| value.text().map(|text| Name::new(&text.to_ascii_uppercase()))).collect()
            }
            _ => vec![],
        }
    }

    fn class(&mut self, class: ClassRef, at: ExprRef, route: &str, place: Place, before: Vec<Gate>) {
        if self.dry {
            return;
        }
        let mut gates_here = before;
        gates_here.extend(class_gates(self.program, &self.defaults, class));
        // `ViewSet.as_view({ "post": "create" })`.
        let at = follow(self.program, at);
        let facts = self.program.facts(at.file);
        if let ExprKind::Call(call) = facts.expr(at.expr)
            && let Some(arg) = facts.call(*call).args.iter().find(|arg| arg.name.is_none())
            && let ExprKind::Object(entries) = facts.expr(arg.value)
        {
            for &(verb, method) in entries {
                let Some(method) = self.program.value(ExprRef::new(at.file, method)).text() else { continue };
                let value = self.program.member(&Value::Instance(class), method);
                for function in value.functions().collect::<Vec<_>>() {
                    let verb = Name::new(&verb.to_ascii_uppercase());
                    self.push(function, &[verb], route, self.with_own(&gates_here, function), place);
                }
            }
            return;
        }
        let mut methods: Vec<(&str, FunctionRef)> = view_methods(self.program, class);
        if methods.is_empty() {
            // Generic views: the hooks that a form view runs.
            let hooks = [
                ("form_valid", "POST"),
                ("perform_create", "POST"),
                ("get_context_data", "GET"),
                ("get_queryset", "GET"),
            ];
            for (name, verb) in hooks {
                let value = self.program.member(&Value::Instance(class), Name::new(name));
                methods.extend(value.functions().map(|function| (verb, function)));
            }
            self.note(route, place);
        }
        for (verb, function) in methods {
            let verbs: Vec<Name> = if verb.is_empty() { vec![] } else { vec![Name::new(verb)] };
            self.push(function, &verbs, route, self.with_own(&gates_here, function), place);
        }
    }

    fn with_own(&self, before: &[Gate], function: FunctionRef) -> Vec<Gate> {
        let mut gates = before.to_vec();
        gates.extend(decorator_gates(self.program, function));
        gates
    }

    fn include(&mut self, at: ExprRef, route: &str) {
        match self.program.value(at) {
            Value::Text(dotted) => {
                if let Some(file) = module(self.program, at.file, &dotted) {
                    self.included.insert(file);
                    self.file(file, route);
                }
            }
            Value::Module(file) => {
                self.included.insert(file);
                self.file(file, route);
            }
            _ => {
                let facts = self.program.facts(at.file);
                match facts.expr(at.expr) {
                    // `include((patterns, "app"))`, `include(("app.urls", "app"))`.
                    ExprKind::List(items)
                        if matches!(items[..], [first, name]
                            if !matches!(facts.expr(first), ExprKind::Call(_) | ExprKind::Spread(_))
                                && !matches!(facts.expr(name), ExprKind::Call(_) | ExprKind::Spread(_))) =>
                    {
                        self.include(ExprRef::new(at.file, items[0]), route);
                    }
                    ExprKind::List(_) | ExprKind::Ref(..) | ExprKind::Member(..) => self.list(at, route, 0),
                    _ => self.lost = true,
                }
            }
        }
    }

    /// The view sets of a REST framework router.
    fn router(&mut self, at: ExprRef, prefix: &str) {
        if self.dry {
            return;
        }
        let value = self.program.value(at);
        let sites: Vec<CallRef> = value.externals().filter_map(|external| external.sites.first().copied()).collect();
        for site in sites {
            let sets: Vec<(String, ClassRef, Place)> = self.registered.get(&site).cloned().unwrap_or_default();
            for (path, class, place) in sets {
                self.view_set(class, &paths::join(prefix, &path), place);
            }
        }
    }

    fn view_set(&mut self, class: ClassRef, route: &str, place: Place) {
        let before = class_gates(self.program, &self.defaults, class);
        let one = paths::join(route, "/:pk");
        // Inherited actions are served by the framework.
        self.note(route, place);
        self.note(&one, place);
        for (name, verb, detail) in ACTIONS {
            let value = self.program.member(&Value::Instance(class), Name::new(name));
            for function in value.functions().collect::<Vec<_>>() {
                let path = if *detail { &one } else { route };
                self.push(function, &[Name::new(verb)], path, self.with_own(&before, function), place);
            }
        }
        let facts = self.program.facts(class.file);
        for method in &facts.classes[class.class.index()].methods {
            let function = FunctionRef::new(class.file, method.function);
            // Hooks that the inherited actions run.
            let hook = match method.name.as_str() {
                "perform_create" => Some(("POST", route)),
                "perform_update" => Some(("PUT", one.as_str())),
                "perform_destroy" => Some(("DELETE", one.as_str())),
                _ => None,
            };
            if let Some((verb, path)) = hook {
                self.push(function, &[Name::new(verb)], path, self.with_own(&before, function), place);
            }
            for &decorator in &facts.function(method.function).decorators {
                let ExprKind::Call(call) = facts.expr(decorator) else { continue };
                let call = CallRef::new(class.file, *call);
                let is_action = match facts.expr(facts.call(call.call).callee) {
                    ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "action",
                    _ => false,
                };
                if !is_action {
                    continue;
                }
                let on_one = keyword(self.program, call, "detail").map(|at| self.program.value(at));
                let base = if on_one == Some(Value::Bool(true)) { &one } else { route };
                let named = keyword(self.program, call, "url_path").and_then(|at| self.program.value(at).text());
                let path = paths::join(base, &paths::normal(&named.unwrap_or(method.name)));
                let methods = keyword(self.program, call, "methods").map(|at| self.texts(at));
                let methods = methods.unwrap_or_else(|| vec![Name::new("GET")]);
                let asked = action_gates(self.program, call).unwrap_or_else(|| before.clone());
                self.push(function, &methods, &path, asked, place);
            }
        }
    }
}
