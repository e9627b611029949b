//! What stands in front of Django's class views: mixins, and REST framework's permissions, inherited or by default.

use super::django::module;
use super::handlers::{export, follow, gates, key};
use crate::catalogue::{KnownRole, Seg};
use crate::facts::{ExprId, ExprKind, FunctionId, Op, Step};
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::{CallRef, ClassRef, ExprRef, External, FunctionRef, Gate, Program, Value};

/// The package whose views ask for permissions.
const FRAMEWORK: &str = "pypi:rest_framework";

/// The permissions that the settings of the program's projects ask of every view.
pub struct Defaults {
    /// The settings file, and what it puts in front.
    settings: Vec<(FileId, Vec<Gate>)>,
    /// The same of the app's own middleware, which stands before every view.
    middleware: Vec<(FileId, Vec<Gate>)>,
}

impl Defaults {
    /// Reads `REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"]` of every settings file.
    pub fn of(program: &Program) -> Self {
        let name = Name::new("REST_FRAMEWORK");
        let settings = program.code().filter(|(_, facts)| !facts.language.is_script()).filter_map(|(file, facts)| {
            let def = facts.defined_in(facts.function(FunctionId::MODULE).body, name)?;
            let values = facts.def(def).values.iter().map(|&value| program.value(ExprRef::new(file, value)));
            let asked = values.filter_map(|value| match value {
                Value::Object(object) => key(program, object, Name::new("DEFAULT_PERMISSION_CLASSES")),
                _ => None,
            });
            Some((file, asked.flat_map(|list| by_name(program, list)).collect()))
        });
        Self { settings: settings.collect(), middleware: own_middleware(program) }
    }

    /// The app's own middleware before the views of a file.
    pub fn middleware(&self, program: &Program, file: FileId) -> Vec<Gate> {
        nearest(&self.middleware, program, file)
    }

    /// What the settings nearest to a file put in front of its views.
    fn at(&self, program: &Program, file: FileId) -> Vec<Gate> {
        nearest(&self.settings, program, file)
    }
}

/// What the settings nearest to a file say.
fn nearest(settings: &[(FileId, Vec<Gate>)], program: &Program, file: FileId) -> Vec<Gate> {
    let path = program.file(file).path.as_str();
    let near = |other: FileId| {
        let other = program.file(other).path.as_str().split('/');
        path.split('/').zip(other).take_while(|(one, two)| one == two).count()
    };
    let Some(nearest) = settings.iter().map(|&(file, _)| near(file)).max() else { return vec![] };
    // Settings for one environment as a rule say nothing of it, or open it for tests.
    let mut there = settings.iter().filter(|&&(file, _)| near(file) == nearest).map(|(_, gates)| gates);
    there.find(|gates| !gates.is_empty()).cloned().unwrap_or_default()
}

/// The middleware of the program's own that settings list and that asks who is signed in: `MIDDLEWARE = ["club.gate.Login"]`.
fn own_middleware(program: &Program) -> Vec<(FileId, Vec<Gate>)> {
    let name = Name::new("MIDDLEWARE");
    let settings = program.code().filter(|(_, facts)| !facts.language.is_script()).filter_map(|(file, facts)| {
        facts.defined_in(facts.function(FunctionId::MODULE).body, name)?;
        let listed = facts.texts().filter(|(_, text)| !text.starts_with("django.") && text.contains('.'));
        let own = listed.filter_map(|(_, dotted)| {
            let (path, class) = dotted.rsplit_once('.')?;
            let made = export(program, module(program, file, path)?, Name::new(class))?;
            let function = match program.value(made) {
                Value::Class(class) => ["__call__", "process_request", "process_view"]
                    .iter()
                    .find_map(|name| program.member(&Value::Instance(class), Name::new(name)).functions().next())?,
                Value::Function(maker) => Eval::new(program).result(maker).functions().next()?,
                _ => return None,
            };
            asks_who(program, function).then_some(Gate::Function(function))
        });
        Some((file, own.collect()))
    });
    settings.collect()
}

/// Whether a function of middleware asks whether nobody is signed in, and may answer by itself then.
fn asks_who(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let asks = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Member(_, name) if *name == "is_authenticated");
    let unsigned = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Op(Op::Not, parts) => asks(parts[0]),
        ExprKind::Member(_, name) => *name == "is_anonymous",
        _ => false,
    });
    let answers = |step: &Step| match step {
        Step::Throw(_) => true,
        Step::Return(Some(value)) => match facts.expr(*value) {
            ExprKind::Call(call) => {
                facts.last_name(facts.call(*call).callee).is_some_and(|name| name != "get_response")
            }
            _ => false,
        },
        _ => false,
    };
    let mut blocks = facts.blocks.iter().filter(|block| block.function == function.function);
    unsigned && blocks.any(|block| block.steps.iter().any(answers))
}

/// The permission classes of a list of dotted names.
fn by_name(program: &Program, list: ExprRef) -> Vec<Gate> {
    let list = follow(program, list);
    let ExprKind::List(items) = program.facts(list.file).expr(list.expr) else { return vec![Gate::Unknown] };
    let items = items.iter().map(|&item| ExprRef::new(list.file, item));
    items
        .flat_map(|item| match program.value(item).text() {
            Some(name) if name.ends_with(".AllowAny") => vec![],
            Some(name) if is_authentication(program, &name) => vec![Gate::Library(item)],
            Some(_) => vec![Gate::Unknown],
            None => permissions(program, item),
        })
        .collect()
}

/// The thing of a package that a dotted name in the settings means.
pub fn external_of(dotted: &str) -> Option<External> {
    let (package, rest) = dotted.split_once('.')?;
    let mut external = External::root(Name::new(&format!("pypi:{package}")));
    external.segs = rest.split('.').map(|part| Seg::Member(Name::new(part))).collect();
    Some(external)
}

fn is_authentication(program: &Program, dotted: &str) -> bool {
    external_of(dotted)
        .and_then(|external| program.catalogue.known(external.package, &external.segs).map(|known| known.role))
        == Some(KnownRole::Authenticate)
}

/// What a list of permission classes asks; the one that lets everybody in asks nothing.
pub fn permissions(program: &Program, list: ExprRef) -> Vec<Gate> {
    let list = follow(program, list);
    let facts = program.facts(list.file);
    match facts.expr(list.expr) {
        ExprKind::List(items) => items
            .iter()
            .filter(|&&item| !lets_all_in(program, ExprRef::new(list.file, item)))
            .flat_map(|&item| gates(program, ExprRef::new(list.file, item)))
            .collect(),
        _ if lets_all_in(program, list) => vec![],
        _ => gates(program, list),
    }
}

fn lets_all_in(program: &Program, item: ExprRef) -> bool {
    let named = match program.facts(item.file).expr(item.expr) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name == "AllowAny",
        _ => false,
    };
    named || program.value(item).externals().any(|external| external.last_member().is_some_and(|n| n == "AllowAny"))
}

/// `@permission_classes([AllowAny])`, `@authentication_classes([])`: a decorator that opens the view.
pub fn opens(program: &Program, gate: &Gate) -> bool {
    let Gate::Library(at) = gate else { return false };
    let facts = program.facts(at.file);
    let ExprKind::Call(call) = facts.expr(at.expr) else { return false };
    let call = facts.call(*call);
    let (ExprKind::Ref(name, _) | ExprKind::Member(_, name)) = facts.expr(call.callee) else { return false };
    let open = |value: ExprId| permissions(program, ExprRef::new(at.file, value)).is_empty();
    matches!(name.as_str(), "permission_classes" | "authentication_classes")
        && call.args.first().is_some_and(|arg| open(arg.value))
}

/// What the settings ask of a function view, where its decorators make it one of the framework's and say nothing.
pub fn function_defaults(program: &Program, defaults: &Defaults, function: FunctionRef) -> Vec<Gate> {
    let facts = program.facts(function.file);
    let named = |wanted: &str| {
        facts.function(function.function).decorators.iter().any(|&decorator| {
            let callee = match facts.expr(decorator) {
                ExprKind::Call(call) => facts.call(*call).callee,
                _ => decorator,
            };
            matches!(facts.expr(callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name) if *name == wanted)
        })
    };
    match named("api_view") && !named("permission_classes") {
        true => defaults.at(program, function.file),
        false => vec![],
    }
}

/// The classes of the program that a class is made of, itself first, and whether a view of the framework is among
/// their bases.
fn lineage(program: &Program, class: ClassRef) -> (Vec<ClassRef>, bool) {
    /// Deeper hierarchies of views are not written.
    const MOST: usize = 16;
    let (mut line, mut of_framework) = (vec![class], false);
    let mut at = 0;
    while let Some(&class) = line.get(at) {
        at += 1;
        let facts = program.facts(class.file);
        for &base in &facts.classes[class.class.index()].bases {
            match program.value(ExprRef::new(class.file, base)) {
                Value::Class(base) if !line.contains(&base) && line.len() < MOST => line.push(base),
                value => of_framework |= value.externals().any(|external| external.package == FRAMEWORK),
            }
        }
    }
    (line, of_framework)
}

/// Decorators, mixins, `permission_classes` and `authentication_classes` of a class and what it inherits from.
pub fn class_gates(program: &Program, defaults: &Defaults, class: ClassRef) -> Vec<Gate> {
    let (line, of_framework) = lineage(program, class);
    let mut found: Vec<Gate> = Vec::new();
    for &class in &line {
        let facts = program.facts(class.file);
        let shape = &facts.classes[class.class.index()];
        for &decorator in &shape.decorators {
            found.extend(gates(program, ExprRef::new(class.file, decorator)));
        }
        for &base in &shape.bases {
            let name = match facts.expr(base) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.as_str(),
                _ => "",
            };
            if name.ends_with("RequiredMixin") || name.ends_with("TestMixin") {
                found.extend(gates(program, ExprRef::new(class.file, base)));
            }
        }
    }
    let asked = field(program, &line, "permission_classes");
    let asked_gates = asked.map(|list| permissions(program, list));
    if let Some(list) = field(program, &line, "authentication_classes") {
        let known = gates(program, list).into_iter();
        // Who it is may be told, but nobody has to say so.
        let open = asked_gates.as_ref().is_some_and(Vec::is_empty);
        found.extend(known.filter(|gate| !open || !matches!(gate, Gate::Library(_))));
    }
    let decides = line.iter().any(|class| {
        let methods = &program.facts(class.file).classes[class.class.index()].methods;
        methods.iter().any(|method| matches!(method.name.as_str(), "get_permissions" | "check_permissions"))
    });
    match asked_gates {
        _ if decides => found.push(Gate::Unknown),
        Some(gates) => found.extend(gates),
        None if of_framework => found.extend(defaults.at(program, class.file)),
        None => {}
    }
    found
}

/// The value of a class attribute: of the first class that has it.
fn field(program: &Program, line: &[ClassRef], name: &str) -> Option<ExprRef> {
    line.iter().find_map(|class| {
        let shape = &program.facts(class.file).classes[class.class.index()];
        let value = shape.fields.iter().filter(|field| field.name == name).find_map(|field| field.value)?;
        Some(ExprRef::new(class.file, value))
    })
}

/// The permissions that `@action(permission_classes=..)` asks in place of its class's.
pub fn action_gates(program: &Program, call: CallRef) -> Option<Vec<Gate>> {
    super::handlers::keyword(program, call, "permission_classes").map(|list| permissions(program, list))
}
