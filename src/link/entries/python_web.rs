//! Registrations on Python routers: Flask and its blueprints, FastAPI and its routers, their like; decorators and
//! dependencies as gates.

use super::handlers::{arguments, follow, gates, handler, keyword};
use super::paths;
use super::routers::{Event, Handle, RouterId, What, handles, path_of, texts};
use crate::facts::{ClassId, ExprId, ExprKind, Facts, FunctionId};
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::{CallRef, ClassRef, ExprRef, FunctionRef, Gate, Program, Value};

const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

/// Decorators that add a route, besides the verbs.
const ROUTES: &[&str] = &["route", "api_route", "websocket", "websocket_route", "api_operation"];

/// The framework whose routes say themselves who may ask.
pub const NINJA: &str = "django-ninja";

/// Decorators that add middleware.
const BEFORE: &[&str] = &["before_request", "before_app_request", "before_serving", "on_request", "middleware"];

/// The registrations of a file.
pub fn events(program: &Program, file: FileId, facts: &Facts) -> Vec<Event> {
    let mut found = Vec::new();
    for (at, function) in facts.functions.iter().enumerate() {
        let function_ref = FunctionRef::new(file, FunctionId(at as u32));
        for &decorator in &function.decorators {
            decorated(program, file, facts, decorator, &[function_ref], &mut found);
        }
    }
    for (at, class) in facts.classes.iter().enumerate() {
        for &decorator in &class.decorators {
            in_class(program, ClassRef::new(file, ClassId(at as u32)), decorator, &mut found);
        }
    }
    for call in program.calls_of(file) {
        // `app.middleware("http")(check)`: the decorator called by hand.
        let callee = facts.expr(facts.call(call.call).callee);
        if let ExprKind::Call(inner) = callee
            && let ExprKind::Member(base, name) = facts.expr(facts.call(*inner).callee)
            && name == "middleware"
        {
            let before: Vec<Gate> = arguments(program, call).iter().flat_map(|&arg| gates(program, arg)).collect();
            let place = program.call_place(call);
            for handle in handles(program, ExprRef::new(file, *base)) {
                found.push(Event { router: handle.id, place, what: What::Use("/".to_owned(), before.clone()) });
            }
        }
        let ExprKind::Member(base, method) = callee else { continue };
        if !is_registration(method) {
            continue;
        }
        for handle in handles(program, ExprRef::new(file, *base)) {
            called(program, call, &handle, method, &mut found);
        }
    }
    found
}

fn is_registration(method: &str) -> bool {
    matches!(
        method,
        "add_url_rule"
            | "add_api_route"
            | "add_route"
            | "register_blueprint"
            | "blueprint"
            | "include_router"
            | "add_router"
            | "mount"
            | "before_request"
            | "add_middleware"
            | "add_resource"
            | "add_namespace"
            | "add_routes"
            | "add_get"
            | "add_post"
            | "add_put"
            | "add_patch"
            | "add_delete"
    )
}

/// A decorator on a router: its name, the router, the call's arguments if it is one.
fn on_router(
    program: &Program,
    file: FileId,
    facts: &Facts,
    decorator: ExprId,
) -> Option<(Name, Vec<Handle>, Option<CallRef>)> {
    let (callee, call) = match facts.expr(decorator) {
        ExprKind::Call(call) => (facts.call(*call).callee, Some(CallRef::new(file, *call))),
        _ => (decorator, None),
    };
    let ExprKind::Member(base, name) = facts.expr(callee) else { return None };
    let known = VERBS.contains(&name.as_str()) || ROUTES.contains(&name.as_str()) || BEFORE.contains(&name.as_str());
    known.then(|| (*name, handles(program, ExprRef::new(file, *base)), call))
}

fn decorated(
    program: &Program,
    file: FileId,
    facts: &Facts,
    decorator: ExprId,
    functions: &[FunctionRef],
    found: &mut Vec<Event>,
) {
    let Some((name, routers, call)) = on_router(program, file, facts, decorator) else { return };
    let place = program.place(ExprRef::new(file, decorator));
    for handle in routers {
        let router = handle.id;
        if BEFORE.contains(&name.as_str()) {
            let before = functions.iter().copied().map(Gate::Function).collect();
            found.push(Event { router, place, what: What::Use("/".to_owned(), before) });
            continue;
        }
        let Some(call) = call else { continue };
        let path = arguments(program, call).first().copied().or_else(|| keyword(program, call, "path"));
        let path = path.or_else(|| keyword(program, call, "rule"));
        let paths = path.map(|path| texts(program, &program.value(path))).unwrap_or_default();
        let methods = match VERBS.iter().find(|verb| name == **verb) {
            Some(verb) => vec![Name::new(&verb.to_ascii_uppercase())],
            None if name.starts_with("websocket") => vec![Name::new("GET")],
            None => methods(program, call),
        };
        let mut before = Vec::new();
        if let Some(given) = keyword(program, call, "dependencies") {
            before.extend(dependencies(program, given));
        }
        if let Some(given) = own_auth(program, call).filter(|_| handle.framework.is_some_and(|f| f.name == NINJA)) {
            before.extend(gates(program, given));
        }
        for &function in functions {
            let mut gates = before.clone();
            gates.extend(decorator_gates(program, function));
            gates.extend(parameter_gates(program, function));
            let paths = if paths.is_empty() { vec![None] } else { paths.iter().cloned().map(Some).collect() };
            for path in paths {
                let what =
                    What::Route { methods: methods.clone(), path, gates: gates.clone(), functions: vec![function] };
                found.push(Event { router, place, what });
            }
        }
    }
}

/// What asks on one route of Django Ninja, in place of what its routers say: `@api.post("/hook", auth=None)`.
pub fn own_auth(program: &Program, call: CallRef) -> Option<ExprRef> {
    keyword(program, call, "auth")
}

/// `methods=["POST"]`; Flask's default is GET.
fn methods(program: &Program, call: CallRef) -> Vec<Name> {
    let Some(given) = keyword(program, call, "methods") else { return vec![Name::new("GET")] };
    match program.value(given) {
        Value::List(list) => match program.facts(list.file).expr(list.expr) {
            ExprKind::List(items) => {
                let values = items.iter().map(|&item| program.value(ExprRef::new(list.file, item)));
                values.filter_map(|value| value.text().map(|text| Name::new(&text.to_ascii_uppercase()))).collect()
            }
            _ => vec![],
        },
        _ => vec![],
    }
}

/// What stands around a function: its decorators, but for those that register it.
pub fn decorator_gates(program: &Program, function: FunctionRef) -> Vec<Gate> {
    let facts = program.facts(function.file);
    let shape = facts.function(function.function);
    let mut found = Vec::new();
    for &decorator in &shape.decorators {
        let on = on_router(program, function.file, facts, decorator);
        if on.is_none_or(|(_, routers, _)| routers.is_empty()) {
            found.extend(around(program, ExprRef::new(function.file, decorator)));
        }
    }
    found
}

/// What a decorator puts around a function: the function it gives back, which is what runs.
fn around(program: &Program, decorator: ExprRef) -> Vec<Gate> {
    let found = gates(program, decorator);
    let inner = |gate: Gate| match gate {
        Gate::Function(function) => {
            let given: Vec<Gate> = Eval::new(program).result(function).functions().map(Gate::Function).collect();
            if given.is_empty() { vec![gate] } else { given }
        }
        other => vec![other],
    };
    found.into_iter().flat_map(inner).collect()
}

/// FastAPI: `user = Depends(current_user)`, `user: Annotated[User, Depends(current_user)]`, `user: CurrentUser`.
pub fn parameter_gates(program: &Program, function: FunctionRef) -> Vec<Gate> {
    let facts = program.facts(function.file);
    let mut found = Vec::new();
    for param in &facts.function(function.function).params {
        let written = param.default.into_iter().chain(param.ty);
        found.extend(written.flat_map(|expr| dependencies(program, ExprRef::new(function.file, expr))));
    }
    found
}

/// The functions that `Depends(..)` names in an expression; those that cannot see the request are left out.
pub fn dependencies(program: &Program, at: ExprRef) -> Vec<Gate> {
    dependencies_to(program, at, 4)
}

fn dependencies_to(program: &Program, at: ExprRef, depth: usize) -> Vec<Gate> {
    let at = follow(program, at);
    let facts = program.facts(at.file);
    let here = |expr: ExprId| ExprRef::new(at.file, expr);
    match facts.expr(at.expr) {
        ExprKind::List(items) => items.iter().flat_map(|&item| dependencies_to(program, here(item), depth)).collect(),
        ExprKind::Index(_, index) => match facts.expr(*index) {
            ExprKind::List(items) => {
                let calls = items.iter().filter(|item| matches!(facts.expr(**item), ExprKind::Call(_)));
                calls.flat_map(|&item| dependencies_to(program, here(item), depth)).collect()
            }
            _ => vec![],
        },
        ExprKind::Call(call) => {
            let callee = facts.call(*call).callee;
            let depends = match facts.expr(callee) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "Depends" || name == "Security",
                _ => false,
            };
            let call = CallRef::new(at.file, *call);
            if !depends {
                return vec![];
            }
            let given = arguments(program, call).first().copied().or_else(|| keyword(program, call, "dependency"));
            let mut found = given.map(|given| gates(program, given)).unwrap_or_default();
            let plain =
                matches!(facts.expr(callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if *name == "Depends");
            found.retain(|gate| !plain || !matches!(gate, Gate::Function(given) if is_blind(program, *given, depth)));
            // What a dependency depends on runs before it.
            let inner = found.iter().filter_map(|gate| match gate {
                Gate::Function(given) => Some(*given),
                _ => None,
            });
            let before: Vec<Gate> = inner.flat_map(|given| asked_first(program, given, depth)).collect();
            before.into_iter().chain(found).collect()
        }
        _ => vec![],
    }
}

/// The dependencies of a dependency.
fn asked_first(program: &Program, function: FunctionRef, depth: usize) -> Vec<Gate> {
    let Some(depth) = depth.checked_sub(1) else { return vec![] };
    let params = program.facts(function.file).function(function.function).params.iter();
    let written = params.flat_map(|param| param.default.into_iter().chain(param.ty));
    written.flat_map(|expr| dependencies_to(program, ExprRef::new(function.file, expr), depth)).collect()
}

/// Whether a dependency cannot look at who is calling: it takes nothing of the request, through no other dependency
/// either, asks no context that could hold it, and refuses nobody in so many words.
fn is_blind(program: &Program, function: FunctionRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(function.file);
    let shape = facts.function(function.function);
    let takes_nothing = shape.params.iter().all(|param| {
        let written: Vec<ExprRef> =
            param.default.into_iter().chain(param.ty).map(|expr| ExprRef::new(function.file, expr)).collect();
        let depends = written.iter().any(|&at| names_dependency(program, at));
        depends && written.iter().all(|&at| dependencies_to(program, at, depth).is_empty())
    });
    let asks = facts.exprs.iter().filter(|expr| shape.span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            let name = name.to_ascii_lowercase();
            let context = name.contains("request") && !name.contains("requests") || name.contains("context");
            let user = ["current_user", "ctx", "_var", "user_id", "http_401", "http_403"];
            context || user.iter().any(|part| name.contains(part))
        }
        ExprKind::Number(status) => *status == 401.0 || *status == 403.0,
        _ => false,
    });
    takes_nothing && !asks
}

/// Whether an expression names a dependency at all.
fn names_dependency(program: &Program, at: ExprRef) -> bool {
    let at = follow(program, at);
    let facts = program.facts(at.file);
    match facts.expr(at.expr) {
        ExprKind::Index(_, index) => match facts.expr(*index) {
            ExprKind::List(items) => items.iter().any(|&item| names_dependency(program, ExprRef::new(at.file, item))),
            _ => false,
        },
        ExprKind::Call(call) => matches!(facts.expr(facts.call(*call).callee),
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) if name == "Depends"),
        _ => false,
    }
}

/// `@ns.route("/x") class X(Resource)`.
fn in_class(program: &Program, class: ClassRef, decorator: ExprId, found: &mut Vec<Event>) {
    let facts = program.facts(class.file);
    let Some((name, routers, Some(call))) = on_router(program, class.file, facts, decorator) else { return };
    if !ROUTES.contains(&name.as_str()) {
        return;
    }
    let paths: Vec<String> =
        arguments(program, call).iter().flat_map(|&arg| texts(program, &program.value(arg))).collect();
    for handle in routers {
        methods_of_class(program, handle.id, class, &paths, call, found);
    }
}

/// A route for each method that a class has under a verb's name.
fn methods_of_class(
    program: &Program,
    router: RouterId,
    class: ClassRef,
    paths: &[String],
    call: CallRef,
    found: &mut Vec<Event>,
) {
    let place = program.call_place(call);
    for (verb, function) in view_methods(program, class) {
        let gates = decorator_gates(program, function);
        for path in paths {
            let what = What::Route {
                methods: vec![Name::new(verb)],
                path: Some(path.clone()),
                gates: gates.clone(),
                functions: vec![function],
            };
            found.push(Event { router, place, what });
        }
    }
}

/// The methods of a class that serve a verb, its bases of the program among them.
pub fn view_methods(program: &Program, class: ClassRef) -> Vec<(&'static str, FunctionRef)> {
    const PAIRS: &[(&str, &str)] =
        &[("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE"), ("head", "HEAD")];
    let instance = Value::Instance(class);
    PAIRS
        .iter()
        .flat_map(|(name, verb)| {
            let value = program.member(&instance, Name::new(name));
            value.functions().map(|function| (*verb, function)).collect::<Vec<_>>()
        })
        .collect()
}

/// A registration by a call.
fn called(program: &Program, call: CallRef, handle: &Handle, method: &Name, found: &mut Vec<Event>) {
    let args = arguments(program, call);
    let place = program.call_place(call);
    let router = handle.id;
    let option = |name: &str| keyword(program, call, name);
    let text = |name: &str| option(name).and_then(|at| path_of(&program.value(at)));
    let mut push = |what: What| found.push(Event { router, place, what });
    match method.as_str() {
        "register_blueprint" | "blueprint" | "include_router" | "add_router" | "add_namespace" => {
            // Django Ninja puts the path first.
            let (child, path) = match (method.as_str(), &args[..]) {
                ("add_router", [path, child, ..]) => (Some(*child), path_of(&program.value(*path))),
                (_, [child, rest @ ..]) => (Some(*child), rest.first().and_then(|&at| path_of(&program.value(at)))),
                _ => (option("blueprint").or_else(|| option("router")), None),
            };
            let Some(child) = child else { return };
            let given = text("url_prefix").or_else(|| text("prefix")).or_else(|| text("path")).or(path);
            let replaces = method == "register_blueprint" && given.is_some();
            let path = given.map(|given| paths::normal(&given)).unwrap_or_default();
            let before = option("dependencies").map(|at| dependencies(program, at)).unwrap_or_default();
            for child in handles(program, child) {
                push(What::Mount {
                    path: path.clone(),
                    child: child.id,
                    gates: before.clone(),
                    inline: false,
                    replaces,
                });
            }
        }
        "mount" => {
            let [path, child, ..] = args[..] else { return };
            for path in texts(program, &program.value(path)) {
                for child in handles(program, child) {
                    push(What::Mount {
                        path: path.clone(),
                        child: child.id,
                        gates: vec![],
                        inline: false,
                        replaces: false,
                    });
                }
            }
        }
        "before_request" | "add_middleware" => {
            let before = args.first().map(|&arg| gates(program, arg)).unwrap_or_default();
            push(What::Use("/".to_owned(), before));
        }
        "add_resource" => {
            let Some((&class, rest)) = args.split_first() else { return };
            let paths: Vec<String> = rest.iter().flat_map(|&arg| texts(program, &program.value(arg))).collect();
            if let Value::Class(class) = program.value(class) {
                methods_of_class(program, router, class, &paths, call, found);
            }
        }
        "add_routes" => {
            let Some(&given) = args.first() else { return };
            for child in handles(program, given) {
                let (child, gates) = (child.id, vec![]);
                push(What::Mount { path: String::new(), child, gates, inline: false, replaces: false });
            }
            route_list(program, given, router, found);
        }
        _ => {
            let path = args.first().copied().or_else(|| option("rule")).or_else(|| option("path"));
            let paths = path.map(|path| texts(program, &program.value(path))).unwrap_or_default();
            let view = option("view_func").or_else(|| option("endpoint").filter(|_| method == "add_api_route"));
            let view = view.or_else(|| args.iter().skip(1).rev().find(|at| is_view(program, **at)).copied());
            let Some(view) = view else { return };
            let verb = method.strip_prefix("add_").map(|verb| verb.to_ascii_uppercase());
            let methods = match verb.filter(|verb| VERBS.contains(&verb.to_ascii_lowercase().as_str())) {
                Some(verb) => vec![Name::new(&verb)],
                None => methods(program, call),
            };
            if let Some(class) = view_class(program, view) {
                return methods_of_class(program, router, class, &paths, call, found);
            }
            routes(program, router, place, &paths, &methods, view, found);
        }
    }
}

/// `[web.get("/x", handler)]`.
fn route_list(program: &Program, at: ExprRef, router: RouterId, found: &mut Vec<Event>) {
    let at = follow(program, at);
    let facts = program.facts(at.file);
    let ExprKind::List(items) = facts.expr(at.expr) else { return };
    for &item in items {
        let ExprKind::Call(call) = facts.expr(item) else { continue };
        let call = CallRef::new(at.file, *call);
        let ExprKind::Member(_, verb) = facts.expr(facts.call(call.call).callee) else { continue };
        let [path, view, ..] = arguments(program, call)[..] else { continue };
        if VERBS.contains(&verb.as_str()) {
            let paths = texts(program, &program.value(path));
            let methods = [Name::new(&verb.to_ascii_uppercase())];
            routes(program, router, program.call_place(call), &paths, &methods, view, found);
        }
    }
}

fn routes(
    program: &Program,
    router: RouterId,
    place: crate::finding::Place,
    paths: &[String],
    methods: &[Name],
    view: ExprRef,
    found: &mut Vec<Event>,
) {
    let served = handler(program, view);
    let mut before = served.gates;
    for &function in &served.functions {
        before.extend(decorator_gates(program, function));
        before.extend(parameter_gates(program, function));
    }
    for path in paths {
        let what = What::Route {
            methods: methods.to_vec(),
            path: Some(path.clone()),
            gates: before.clone(),
            functions: served.functions.clone(),
        };
        found.push(Event { router, place, what });
    }
}

fn is_view(program: &Program, at: ExprRef) -> bool {
    !matches!(program.facts(at.file).expr(at.expr), ExprKind::Text(_) | ExprKind::Null)
}

/// The class of `View.as_view()`.
pub fn view_class(program: &Program, at: ExprRef) -> Option<ClassRef> {
    let at = follow(program, at);
    let facts = program.facts(at.file);
    let ExprKind::Call(call) = facts.expr(at.expr) else { return None };
    let ExprKind::Member(base, name) = facts.expr(facts.call(*call).callee) else { return None };
    if name != "as_view" {
        return None;
    }
    match program.value(ExprRef::new(at.file, *base)) {
        Value::Class(class) => Some(class),
        _ => None,
    }
}
