//! Registrations on JavaScript routers: Express, Fastify, Hono, Koa, Elysia, Oak and their like.

use super::handlers::{self, arguments, gates, handler, key};
use super::routers::{Event, Handle, RouterId, What, handles, texts};
use crate::facts::{ExprKind, Facts};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, FunctionRef, Gate, Program, Value};

const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "del", "head", "options", "all", "any"];

const OTHERS: &[&str] =
    &["use", "route", "register", "mount", "group", "guard", "on", "addHook", "openapi", "onBeforeHandle", "derive"];

/// Option keys that hold middleware.
const OPTION_GATES: &[&str] =
    &["onRequest", "preParsing", "preValidation", "preHandler", "beforeHandle", "middleware", "middlewares"];

/// Hooks that run before the handler.
const HOOKS: &[&str] = &["onRequest", "preParsing", "preValidation", "preHandler"];

/// The registrations of a file.
pub fn events(program: &Program, file: FileId, facts: &Facts) -> Vec<Event> {
    let mut found = Vec::new();
    for call in program.calls_of(file) {
        let shape = facts.call(call.call);
        let ExprKind::Member(base, method) = facts.expr(shape.callee) else { continue };
        let is_verb = VERBS.contains(&method.as_str());
        if shape.args.is_empty() || !(is_verb || OTHERS.contains(&method.as_str())) {
            continue;
        }
        for handle in handles(program, ExprRef::new(file, *base)) {
            let registration = Registration { program, call, handle, args: arguments(program, call) };
            registration.events(method, is_verb, &mut found);
        }
    }
    found
}

struct Registration<'p> {
    program: &'p Program,
    call: CallRef,
    handle: Handle,
    args: Vec<ExprRef>,
}

impl Registration<'_> {
    fn push(&self, what: What, found: &mut Vec<Event>) {
        found.push(Event { router: self.handle.id, place: self.place(), what });
    }

    /// The place of the call; in a chain all calls start at the same byte, so the method's own end tells them apart.
    fn place(&self) -> crate::finding::Place {
        self.program.call_place(self.call)
    }

    fn framework(&self) -> &'static str {
        self.handle.framework.map_or("", |framework| framework.name)
    }

    fn kind(&self, at: ExprRef) -> &ExprKind {
        self.program.facts(at.file).expr(at.expr)
    }

    fn events(&self, method: &Name, is_verb: bool, found: &mut Vec<Event>) {
        match method.as_str() {
            _ if is_verb => self.verb(method, found),
            "use" => self.middleware(found),
            "route" => self.route(found),
            "register" => self.register(found),
            "mount" => self.mount(found),
            "group" | "guard" => self.group(found),
            "on" => self.on(found),
            "openapi" => self.openapi(found),
            "addHook" => {
                let name = self.args.first().and_then(|&arg| self.program.value(arg).text());
                if name.is_some_and(|name| HOOKS.contains(&name.as_str())) {
                    let hooks = self.args[1..].iter().flat_map(|&arg| gates(self.program, arg)).collect();
                    self.push(What::Use("/".to_owned(), hooks), found);
                }
            }
            _ => {
                let hooks = self.args.iter().flat_map(|&arg| gates(self.program, arg)).collect();
                self.push(What::Use("/".to_owned(), hooks), found);
            }
        }
    }

    fn prefixed(&self, path: &str) -> String {
        super::paths::join(&self.handle.prefix, path)
    }

    /// `app.post("/x", before, handler)`.
    fn verb(&self, method: &Name, found: &mut Vec<Event>) {
        let mut args = &self.args[..];
        let mut paths: Vec<Option<String>> = Vec::new();
        // Koa's routes can have a name before the path.
        if let [first, second, _, ..] = args
            && matches!(self.kind(*first), ExprKind::Text(name) if !name.starts_with('/') && name != "*")
            && matches!(self.kind(*second), ExprKind::Text(path) if path.starts_with('/'))
        {
            args = &args[1..];
        }
        let on_route = !self.handle.prefix.is_empty() && self.is_handler(args[0]);
        if on_route {
            paths.push(Some(self.handle.prefix.clone()));
        } else {
            if args.len() < 2 {
                return;
            }
            let value = self.program.value(args[0]);
            paths.extend(texts(self.program, &value).into_iter().map(|path| Some(self.prefixed(&path))));
            if paths.is_empty() {
                if self.handle.framework.is_none() && !matches!(self.handle.id, RouterId::Made(_)) {
                    return;
                }
                paths.push(None);
            }
            args = &args[1..];
        }
        let methods: Vec<Name> = match method.as_str() {
            "all" | "any" => vec![],
            "del" => vec![Name::new("DELETE")],
            other => vec![Name::new(&other.to_ascii_uppercase())],
        };
        self.routes(&methods, paths, args, found);
    }

    /// Whether an argument is what serves rather than a path.
    fn is_handler(&self, at: ExprRef) -> bool {
        match self.kind(at) {
            ExprKind::Text(_) | ExprKind::Template(_) => false,
            ExprKind::Function(_) => true,
            _ => texts(self.program, &self.program.value(at)).is_empty(),
        }
    }

    fn routes(&self, methods: &[Name], paths: Vec<Option<String>>, args: &[ExprRef], found: &mut Vec<Event>) {
        let is_options = |at: &ExprRef| matches!(self.kind(*at), ExprKind::Object(_));
        let (objects, rest): (Vec<ExprRef>, Vec<ExprRef>) = args.iter().partition(|at| is_options(at));
        let mut before: Vec<Gate> = Vec::new();
        for &object in &objects {
            before.extend(self.option_gates(object));
        }
        let (last, middle) = match rest.split_last() {
            Some((last, middle)) => (Some(*last), middle),
            None => (objects.iter().find_map(|&object| key(self.program, object, Name::new("handler"))), &[][..]),
        };
        let Some(last) = last else { return };
        before.extend(middle.iter().flat_map(|&arg| gates(self.program, arg)));
        let served = handler(self.program, last);
        before.extend(served.gates);
        for path in paths {
            let what = What::Route {
                methods: methods.to_vec(),
                path,
                gates: before.clone(),
                functions: served.functions.clone(),
            };
            self.push(what, found);
        }
    }

    fn option_gates(&self, object: ExprRef) -> Vec<Gate> {
        OPTION_GATES
            .iter()
            .filter_map(|name| key(self.program, object, Name::new(name)))
            .flat_map(|value| gates(self.program, value))
            .collect()
    }

    /// The leading path of `use` and its like, and the arguments after it.
    fn leading(&self) -> (Vec<String>, &[ExprRef]) {
        let paths = texts(self.program, &self.program.value(self.args[0]));
        if paths.is_empty() || self.args.len() < 2 {
            return (vec![self.prefixed("/")], &self.args);
        }
        (paths.iter().map(|path| self.prefixed(path)).collect(), &self.args[1..])
    }

    /// `app.use("/api", before, router)`.
    fn middleware(&self, found: &mut Vec<Event>) {
        let (paths, args) = self.leading();
        for path in paths {
            let mut before: Vec<Gate> = Vec::new();
            for &arg in args {
                let mounted = self.mounted(arg);
                if mounted.is_empty() {
                    before.extend(self.plain_gates(arg));
                    continue;
                }
                if !before.is_empty() {
                    self.push(What::Use(path.clone(), std::mem::take(&mut before)), found);
                }
                for (child, prefix, inline) in mounted {
                    let path = super::paths::join(&path, &prefix);
                    self.push(What::Mount { path, child, gates: vec![], inline, replaces: false }, found);
                }
            }
            if !before.is_empty() {
                self.push(What::Use(path, before), found);
            }
        }
    }

    /// The routers that an argument of `use` is, with their prefix and whether they are this one under a new name.
    fn mounted(&self, arg: ExprRef) -> Vec<(RouterId, String, bool)> {
        let mut found: Vec<(RouterId, String, bool)> = handles(self.program, arg)
            .into_iter()
            .filter(|handle| handle.framework.is_some() && handle.id != self.handle.id)
            .map(|handle| (handle.id, handle.prefix, false))
            .collect();
        if found.is_empty() && self.framework() == "elysia" {
            let functions = handler(self.program, arg).functions;
            found.extend(functions.into_iter().map(|function| (RouterId::Param(function, 0), String::new(), true)));
        }
        found
    }

    /// Middleware; handlers of errors are not among them.
    fn plain_gates(&self, arg: ExprRef) -> Vec<Gate> {
        let mut before = gates(self.program, arg);
        before.retain(|gate| match gate {
            Gate::Function(function) => self.params(*function) != 4,
            _ => true,
        });
        before
    }

    fn params(&self, function: FunctionRef) -> usize {
        self.program.facts(function.file).function(function.function).params.len()
    }

    /// `app.route("/x", child)` of Hono, `fastify.route({ method, url, handler })`. Express's `app.route("/x")` is a
    /// step of a chain.
    fn route(&self, found: &mut Vec<Event>) {
        if let [path, child, ..] = self.args[..] {
            let paths = texts(self.program, &self.program.value(path));
            for path in &paths {
                for handle in handles(self.program, child) {
                    let path = super::paths::join(&self.prefixed(path), &handle.prefix);
                    self.push(
                        What::Mount { path, child: handle.id, gates: vec![], inline: false, replaces: false },
                        found,
                    );
                }
            }
            return;
        }
        let Some(object) = handlers::object(self.program, self.args[0]) else { return };
        let text = |name: &str| key(self.program, object, Name::new(name)).map(|at| self.program.value(at));
        let Some(url) = text("url").or_else(|| text("path")) else { return };
        let methods = text("method").map(|value| self.methods(&value)).unwrap_or_default();
        let mut paths: Vec<Option<String>> = texts(self.program, &url).into_iter().map(Some).collect();
        if paths.is_empty() {
            paths.push(None);
        }
        self.routes(&methods, paths, &[object], found);
    }

    fn methods(&self, value: &Value) -> Vec<Name> {
        let upper = |text: Name| Name::new(&text.to_ascii_uppercase());
        match value {
            Value::Text(text) => vec![upper(*text)],
            Value::List(list) => match self.program.facts(list.file).expr(list.expr) {
                ExprKind::List(items) => {
                    let values = items.iter().map(|&item| self.program.value(ExprRef::new(list.file, item)));
                    values.filter_map(|value| value.text().map(upper)).collect()
                }
                _ => vec![],
            },
            _ => vec![],
        }
    }

    /// `fastify.register(plugin, { prefix })`.
    fn register(&self, found: &mut Vec<Event>) {
        let plugin = self.args[0];
        let options = self.args.get(1).and_then(|&options| handlers::object(self.program, options));
        let prefix = options.and_then(|options| key(self.program, options, Name::new("prefix")));
        let prefix = prefix.and_then(|prefix| self.program.value(prefix).text());
        let path = self.prefixed(&prefix.map(|prefix| super::paths::normal(&prefix)).unwrap_or_default());
        let whole = match self.program.value(plugin) {
            Value::Module(file) => handlers::export(self.program, file, Name::new("default")).unwrap_or(plugin),
            _ => plugin,
        };
        let followed = handlers::follow(self.program, whole);
        // `fp(plugin)` does not encapsulate.
        let inline = matches!(self.program.facts(followed.file).expr(followed.expr), ExprKind::Call(_));
        let functions = handler(self.program, whole).functions;
        for &function in &functions {
            let child = RouterId::Param(function, 0);
            self.push(What::Mount { path: path.clone(), child, gates: vec![], inline, replaces: false }, found);
        }
        if functions.is_empty() {
            let before: Vec<Gate> = gates(self.program, plugin);
            self.push(What::Use(path, before), found);
        }
    }

    fn mount(&self, found: &mut Vec<Event>) {
        let (paths, args) = self.leading();
        for path in paths {
            for handle in args.iter().flat_map(|&arg| handles(self.program, arg)) {
                let path = super::paths::join(&path, &handle.prefix);
                self.push(What::Mount { path, child: handle.id, gates: vec![], inline: false, replaces: false }, found);
            }
        }
    }

    /// Elysia's `.group("/x", app => app.post(..))`, `.guard({ beforeHandle }, app => ..)`.
    fn group(&self, found: &mut Vec<Event>) {
        let (paths, args) = self.leading();
        let before: Vec<Gate> = args
            .iter()
            .filter(|at| matches!(self.kind(**at), ExprKind::Object(_)))
            .flat_map(|&object| self.option_gates(object))
            .collect();
        let inner: Vec<FunctionRef> = args.iter().flat_map(|&arg| handler(self.program, arg).functions).collect();
        for path in paths {
            if inner.is_empty() {
                self.push(What::Use(path.clone(), before.clone()), found);
            }
            for &function in &inner {
                let child = RouterId::Param(function, 0);
                let gates = before.clone();
                self.push(What::Mount { path: path.clone(), child, gates, inline: false, replaces: false }, found);
            }
        }
    }

    /// Hono's `.on("POST", "/x", handler)`.
    fn on(&self, found: &mut Vec<Event>) {
        if self.framework() != "hono" || self.args.len() < 3 {
            return;
        }
        let methods = self.methods(&self.program.value(self.args[0]));
        let paths = texts(self.program, &self.program.value(self.args[1]));
        let paths = paths.iter().map(|path| Some(self.prefixed(path))).collect();
        self.routes(&methods, paths, &self.args[2..], found);
    }

    /// `.openapi(createRoute({ method, path }), handler)`.
    fn openapi(&self, found: &mut Vec<Event>) {
        let at = handlers::follow(self.program, self.args[0]);
        let ExprKind::Call(call) = self.kind(at) else { return };
        let made = CallRef::new(at.file, *call);
        let Some(object) = arguments(self.program, made).first().and_then(|&arg| handlers::object(self.program, arg))
        else {
            return;
        };
        let text = |name: &str| key(self.program, object, Name::new(name)).map(|at| self.program.value(at));
        let methods = text("method").map(|value| self.methods(&value)).unwrap_or_default();
        let paths = text("path").map(|path| texts(self.program, &path)).unwrap_or_default();
        let paths = paths.iter().map(|path| Some(self.prefixed(path))).collect();
        let mut args: Vec<ExprRef> = vec![];
        args.extend(&self.args[1..]);
        let mut events = Vec::new();
        self.routes(&methods, paths, &args, &mut events);
        let before = self.option_gates(object);
        for mut event in events {
            if let What::Route { gates, .. } = &mut event.what {
                gates.splice(0..0, before.iter().copied());
            }
            found.push(event);
        }
    }
}
