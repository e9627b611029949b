//! Which values are routers: objects that routes, middleware and other routers are registered on.
//!
//! A router is known by the call that makes it, wherever it goes from there; one that a function receives is that
//! function's parameter until the mount graph joins it to what its callers hand in.

use super::handlers::{self, arguments};
use super::paths;
use crate::facts::{ExprId, ExprKind, FunctionId, Op};
use crate::finding::{FileId, Place};
use crate::link::outbound::Lookup;
use crate::names::Name;
use crate::program::{CallRef, ExprRef, External, FunctionRef, Gate, Program, Value};

/// What is known of a web framework's routers.
#[derive(Debug)]
pub struct Framework {
    /// Its name.
    pub name: &'static str,
    /// Its packages.
    pub packages: &'static [&'static str],
    /// What makes a router: the last name on the way, empty for the package itself; and whether that is an app,
    /// which serves by itself, or a part that must be mounted.
    pub makers: &'static [(&'static str, bool)],
    /// Middleware covers only what is registered after it.
    pub ordered: bool,
}

/// The frameworks.
pub static FRAMEWORKS: &[Framework] = &[
    Framework {
        name: "express",
        packages: &["npm:express", "npm:polka", "npm:restify", "npm:@tinyhttp/app", "npm:ultimate-express"],
        makers: &[("", true), ("Router", false), ("createServer", true), ("App", true)],
        ordered: true,
    },
    Framework {
        name: "express",
        packages: &["npm:express-promise-router", "npm:router"],
        makers: &[("", false), ("Router", false)],
        ordered: true,
    },
    Framework {
        name: "fastify",
        packages: &["npm:fastify"],
        makers: &[("", true), ("fastify", true), ("Fastify", true)],
        ordered: false,
    },
    Framework {
        name: "hono",
        packages: &["npm:hono", "npm:@hono/zod-openapi", "npm:hono-openapi"],
        makers: &[("Hono", true), ("OpenAPIHono", true)],
        ordered: true,
    },
    Framework { name: "koa", packages: &["npm:koa"], makers: &[("", true)], ordered: true },
    Framework {
        name: "koa",
        packages: &["npm:koa-router", "npm:@koa/router"],
        makers: &[("", false), ("Router", false)],
        ordered: true,
    },
    Framework { name: "elysia", packages: &["npm:elysia"], makers: &[("Elysia", true), ("", true)], ordered: true },
    Framework {
        name: "oak",
        packages: &["npm:oak", "npm:@oak/oak"],
        makers: &[("Application", true), ("Router", false)],
        ordered: true,
    },
    Framework {
        name: "itty",
        packages: &["npm:itty-router"],
        makers: &[("Router", true), ("AutoRouter", true), ("IttyRouter", true)],
        ordered: true,
    },
    Framework {
        name: "h3",
        packages: &["npm:h3"],
        makers: &[("createApp", true), ("createRouter", false)],
        ordered: true,
    },
    Framework {
        name: "flask",
        packages: &["pypi:flask", "pypi:quart", "pypi:apiflask", "pypi:flask_openapi3"],
        makers: &[
            ("Flask", true),
            ("Quart", true),
            ("APIFlask", true),
            ("OpenAPI", true),
            ("Blueprint", false),
            ("APIBlueprint", false),
        ],
        ordered: false,
    },
    Framework {
        name: "flask",
        packages: &["pypi:flask_restful", "pypi:flask_restx", "pypi:flask_smorest"],
        makers: &[("Api", true), ("Namespace", false), ("Blueprint", false)],
        ordered: false,
    },
    Framework {
        name: "fastapi",
        packages: &["pypi:fastapi", "pypi:starlette"],
        makers: &[("FastAPI", true), ("APIRouter", false), ("Starlette", true)],
        ordered: false,
    },
    Framework {
        name: "sanic",
        packages: &["pypi:sanic"],
        makers: &[("Sanic", true), ("Blueprint", false)],
        ordered: false,
    },
    Framework {
        name: "aiohttp",
        packages: &["pypi:aiohttp"],
        makers: &[("Application", true), ("RouteTableDef", false)],
        ordered: false,
    },
    Framework {
        name: "django-ninja",
        packages: &["pypi:ninja", "pypi:ninja_extra"],
        makers: &[("NinjaAPI", true), ("Router", false)],
        ordered: false,
    },
];

/// How many values of one name are looked at: loops over lists of routers use one again and again.
const MOST_VALUES: usize = 24;

/// Types that annotate a router handed to a function.
const TYPES: &[&str] = &[
    "Express",
    "Application",
    "Router",
    "IRouter",
    "FastifyInstance",
    "FastifyPluginAsync",
    "Hono",
    "OpenAPIHono",
    "Elysia",
    "Koa",
    "FastAPI",
    "APIRouter",
    "Flask",
    "Blueprint",
    "Api",
    "Quart",
];

/// A router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouterId {
    /// Made by a call.
    Made(CallRef),
    /// Handed to a function.
    Param(FunctionRef, u16),
}

impl RouterId {
    /// The file it is written in.
    pub fn file(self) -> FileId {
        match self {
            Self::Made(call) => call.file,
            Self::Param(function, _) => function.file,
        }
    }
}

/// A value that stands for a router.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The router.
    pub id: RouterId,
    /// The path put on it on the way: `app.route("/x")`, `app.basePath("/x")`.
    pub prefix: String,
    /// Its framework, when known.
    pub framework: Option<&'static Framework>,
    /// It serves by itself.
    pub is_app: bool,
}

/// What happens to a router.
#[derive(Debug, Clone)]
pub enum What {
    /// Middleware for a path and what is below.
    Use(String, Vec<Gate>),
    /// Another router below a path.
    Mount {
        /// The path.
        path: String,
        /// The other one.
        child: RouterId,
        /// What stands in front of it.
        gates: Vec<Gate>,
        /// It is the same router under another name, not a part of it.
        inline: bool,
        /// The path takes the place of the one the child was made with.
        replaces: bool,
    },
    /// A route.
    Route {
        /// Methods; empty for any.
        methods: Vec<Name>,
        /// The path; none when it is not known.
        path: Option<String>,
        /// What stands in front of this route.
        gates: Vec<Gate>,
        /// What serves it; empty when it is no function of the program.
        functions: Vec<FunctionRef>,
    },
}

/// A registration.
#[derive(Debug, Clone)]
pub struct Event {
    /// On which router.
    pub router: RouterId,
    /// Where.
    pub place: Place,
    /// What.
    pub what: What,
}

/// The framework of a package and how its routers are made.
pub fn framework(package: &str) -> impl Iterator<Item = &'static Framework> {
    let package = package.to_owned();
    FRAMEWORKS.iter().filter(move |framework| {
        framework.packages.iter().any(|own| {
            *own == package
                || package.starts_with("url:")
                    && own.split_once(':').is_some_and(|(_, name)| package.contains(&format!("/x/{name}")))
        })
    })
}

/// The router that an external thing is, made by a call or known by its type only.
fn made(program: &Program, external: &External) -> Option<(Option<CallRef>, Handle)> {
    let mut candidates = framework(&external.package).peekable();
    candidates.peek()?;
    let steps = handlers::steps(external);
    let &(member, site) = steps.first()?;
    let name = member.filter(|name| *name != "default").map_or("", Name::as_str);
    for framework in candidates {
        let maker = framework.makers.iter().find(|(maker, _)| *maker == name);
        let is_app = match maker {
            Some((_, is_app)) => *is_app,
            None if site.is_none() && TYPES.contains(&name) => false,
            None => continue,
        };
        let mut prefix = String::new();
        for &(member, site) in &steps[1..] {
            if let (Some(member), Some(site)) = (member, site) {
                add_prefix(program, member, site, &mut prefix);
            }
        }
        // The id is a stand-in when it is known by its type only.
        let id = RouterId::Param(FunctionRef::new(FileId(0), FunctionId::MODULE), u16::MAX);
        let id = site.map_or(id, RouterId::Made);
        return Some((site, Handle { id, prefix, framework: Some(framework), is_app }));
    }
    None
}

/// `.route("/x")` with nothing else, `.basePath("/x")`.
fn add_prefix(program: &Program, member: Name, site: CallRef, prefix: &mut String) {
    let args = arguments(program, site);
    let extends = (member == "route" && args.len() == 1) || member == "basePath";
    if extends && let Some(text) = args.first().and_then(|&arg| program.value(arg).text()) {
        *prefix = paths::join(prefix, &paths::normal(&text));
    }
}

/// The routers that an expression can stand for.
pub fn handles(program: &Program, at: ExprRef) -> Vec<Handle> {
    let mut found = Vec::new();
    handles_to(program, at, 8, &mut found);
    found.dedup_by(|a, b| a.id == b.id && a.prefix == b.prefix);
    found
}

fn handles_to(program: &Program, at: ExprRef, depth: usize, found: &mut Vec<Handle>) {
    if depth == 0 {
        return;
    }
    let before = found.len();
    for value in program.value(at).alternatives() {
        match value {
            Value::External(external) => {
                if let Some((Some(_), handle)) = made(program, external) {
                    found.push(handle);
                }
            }
            Value::Param(function, index) => found.push(param_handle(program, *function, *index)),
            Value::Module(file) => {
                if let Some(whole) = handlers::export(program, *file, Name::new("default"))
                    && whole != at
                {
                    handles_to(program, whole, depth - 1, found);
                }
            }
            _ => {}
        }
    }
    if found.len() == before {
        structural(program, at, depth, found);
    }
}

/// What the way an expression is written tells, where its value is only a type.
fn structural(program: &Program, at: ExprRef, depth: usize, found: &mut Vec<Handle>) {
    let facts = program.facts(at.file);
    let here = |expr: ExprId| ExprRef::new(at.file, expr);
    match facts.expr(at.expr) {
        ExprKind::Param(function, index) => {
            found.push(param_handle(program, FunctionRef::new(at.file, *function), *index))
        }
        ExprKind::Ref(name, block) => {
            let Some(def) = facts.lookup(*block, *name) else { return };
            for &value in facts.def(def).values.iter().take(MOST_VALUES) {
                handles_to(program, here(value), depth - 1, found);
            }
        }
        ExprKind::Await(inner) => handles_to(program, here(*inner), depth - 1, found),
        // `for router in routers: app.include_router(router)`, for one list or a list of them.
        ExprKind::ElementOf(list) => {
            for element in elements(program, here(*list), depth - 1) {
                handles_to(program, element, depth - 1, found);
            }
        }
        ExprKind::Imported(..) => {
            let target = handlers::follow(program, at);
            if target != at {
                handles_to(program, target, depth - 1, found);
            }
        }
        ExprKind::Call(call) => {
            let site = CallRef::new(at.file, *call);
            if let ExprKind::Member(base, name) = facts.expr(facts.call(*call).callee) {
                let before = found.len();
                handles_to(program, here(*base), depth - 1, found);
                for handle in &mut found[before..] {
                    add_prefix(program, *name, site, &mut handle.prefix);
                }
            }
        }
        ExprKind::Member(base, name) => {
            if let ExprKind::This(class) = facts.expr(*base) {
                let fields = facts.classes[class.index()].fields.iter().filter(|field| field.name == *name);
                for value in fields.filter_map(|field| field.value) {
                    handles_to(program, here(value), depth - 1, found);
                }
            } else if matches!(name.as_str(), "router" | "routes" | "app" | "fetch") {
                handles_to(program, here(*base), depth - 1, found);
            }
        }
        _ => {}
    }
}

/// What stands in a list, wherever it is written.
fn elements(program: &Program, list: ExprRef, depth: usize) -> Vec<ExprRef> {
    let Some(depth) = depth.checked_sub(1) else { return vec![] };
    let list = handlers::follow(program, list);
    let facts = program.facts(list.file);
    let here = |expr: ExprId| ExprRef::new(list.file, expr);
    match facts.expr(list.expr) {
        ExprKind::List(items) => items
            .iter()
            .flat_map(|&item| match facts.expr(item) {
                ExprKind::Spread(inner) => elements(program, here(*inner), depth),
                _ => vec![here(item)],
            })
            .collect(),
        ExprKind::Op(Op::Add, parts) => parts.iter().flat_map(|&part| elements(program, here(part), depth)).collect(),
        ExprKind::ElementOf(outer) => {
            let outer = elements(program, here(*outer), depth);
            outer.into_iter().flat_map(|inner| elements(program, inner, depth)).collect()
        }
        _ => vec![],
    }
}

/// The router that a function receives.
pub fn param_handle(program: &Program, function: FunctionRef, index: u16) -> Handle {
    let facts = program.facts(function.file);
    let ty = facts.function(function.function).params.get(index as usize).and_then(|param| param.ty);
    // `value` of the type's name is the type itself, not an instance.
    let framework = ty.and_then(|ty| match program.value(ExprRef::new(function.file, ty)) {
        Value::External(external) => {
            let name = external.last_member().filter(|name| *name != "default");
            let is_router = name.is_none_or(|name| TYPES.contains(&name.as_str()));
            self::framework(&external.package).next().filter(|_| is_router)
        }
        _ => None,
    });
    Handle { id: RouterId::Param(function, index), prefix: String::new(), framework, is_app: false }
}

/// What a router was made with: its own prefix, and what stands in front of everything on it.
pub fn own(program: &Program, id: RouterId) -> (String, Vec<Gate>) {
    let RouterId::Made(site) = id else { return (String::new(), vec![]) };
    let text = ["prefix", "url_prefix"].iter().find_map(|name| match program.option(site, name) {
        Lookup::Present(value) => path_of(&value),
        _ => None,
    });
    let prefix = text.map(|text| paths::normal(&text)).unwrap_or_default();
    let mut gates = Vec::new();
    if let Some(given) = handlers::keyword(program, site, "dependencies") {
        gates.extend(super::python_web::dependencies(program, given));
    }
    // Django Ninja is handed what asks.
    if let Some(given) = handlers::keyword(program, site, "auth") {
        gates.extend(handlers::gates(program, given));
    }
    (prefix, gates)
}

/// The path that a value says. A variable with a default is its default: nobody sets where an API lies.
pub fn path_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.as_str().to_owned()),
        Value::Template(parts) => parts.iter().map(path_of).collect(),
        Value::OneOf(values) => {
            let mut said = values.iter().filter(|value| !matches!(value, Value::Env(_)));
            said.next().filter(|_| said.next().is_none()).and_then(path_of)
        }
        _ => None,
    }
}

/// The paths that a path argument can be, in the normal spelling; empty when it is none that can be read.
pub fn texts(program: &Program, value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![paths::normal(text)],
        Value::Template(parts) => {
            let part = |part: &Value| part.text().map_or(":part".to_owned(), |text| text.as_str().to_owned());
            vec![paths::normal(&parts.iter().map(part).collect::<String>())]
        }
        Value::OneOf(values) => values.iter().flat_map(|value| texts(program, value)).collect(),
        Value::List(list) => match program.facts(list.file).expr(list.expr) {
            ExprKind::List(items) => {
                items.iter().flat_map(|&item| texts(program, &program.value(ExprRef::new(list.file, item)))).collect()
            }
            _ => vec![],
        },
        _ => vec![],
    }
}
