//! What calls give and what parameters receive: own functions, callbacks of elements, libraries, conversions.

use super::{Origin, Tracer, any_of, is_whole};
use crate::catalogue::KnownRole;
use crate::facts::{Call, ExprId, ExprKind};
use crate::names::Name;
use crate::program::values::assigned::Holder;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Value};

/// How many callers of a helper are asked.
const MOST_CALLERS: usize = 24;

/// Methods that give the elements they are called on, all or some.
const SAME_ELEMENTS: &[&str] =
    &["filter", "find", "slice", "sort", "concat", "reverse", "at", "pop", "shift", "flat", "values", "entries"];

impl Tracer<'_> {
    pub(super) fn call(&mut self, at: ExprRef, call: CallRef, path: &mut Vec<Name>) -> Origin {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let method = match facts.expr(shape.callee) {
            ExprKind::Member(base, name) => Some((ExprRef::new(at.file, *base), *name)),
            _ => None,
        };
        // `Message(recipients=[address])`: what a library's class is made of is no answer of a vendor.
        if let Some(arg) = self.made_of(call, path) {
            let taken = path.pop();
            let origin = self.origin(ExprRef::new(call.file, arg), path);
            path.extend(taken);
            return origin;
        }
        if self.asks_server(call) {
            return self.just_written(call, path).unwrap_or(Origin::Server);
        }
        let targets: Vec<_> = program
            .edges(call)
            .iter()
            .filter(|edge| edge.kind != EdgeKind::Deferred && edge.kind != EdgeKind::Jump)
            .copied()
            .collect();
        if let Some(origin) = method.and_then(|(base, name)| self.of_elements(base, name, &targets, path)) {
            return origin;
        }
        let direct: Vec<FunctionRef> =
            targets.iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if !direct.is_empty() && !shape.is_new {
            let origins: Vec<Origin> =
                direct.into_iter().map(|target| self.result(target, call, EdgeKind::Direct, path)).collect();
            return any_of(origins);
        }
        let args: Vec<ExprId> = shape.args.iter().map(|arg| arg.value).collect();
        if let Some(external) = program.external(call) {
            // `Message(recipients=[email])`
            let named = path.last().and_then(|name| shape.args.iter().find(|arg| arg.name == Some(*name)));
            if let Some(arg) = named.copied() {
                let taken = path.pop();
                let origin = self.origin(ExprRef::new(call.file, arg.value), path);
                path.extend(taken);
                return origin;
            }
            let foreign = ["npm:", "pypi:", "url:"].iter().any(|scheme| external.package.starts_with(scheme));
            if foreign && !path.is_empty() && !program.has_role(call, KnownRole::Validate) {
                // A member of what a library gives is no part of what it was given.
                return Origin::Unknown;
            }
            // What a library makes of values: numbers, decimals, checks of their form.
            let mut origins = vec![self.any(at, &args, path)];
            let put = program.puts(Holder::Made(call)).iter();
            let put: Vec<ExprRef> = put.filter(|put| is_whole(put.name, path)).filter_map(|put| put.value).collect();
            origins.extend(put.into_iter().map(|value| self.origin(value, &mut vec![])));
            let of_base = method.map(|(base, _)| self.origin(base, &mut vec![]));
            origins.extend(of_base.filter(|origin| matches!(origin, Origin::Request(_))));
            return any_of(origins);
        }
        match method {
            // `amount.toFixed(2)`, `body.get("amount")`, `PRICES.get(plan)`
            Some((base, _)) => {
                let named = args.first().and_then(|&arg| match facts.expr(arg) {
                    ExprKind::Text(text) => Some(*text),
                    _ => None,
                });
                path.extend(named);
                let origin = self.origin(base, path);
                path.truncate(path.len() - usize::from(named.is_some()));
                if origin == Origin::Constant { Origin::Server } else { origin }
            }
            None => match facts.expr(shape.callee) {
                ExprKind::Ref(name, block) if facts.lookup(*block, *name).is_none() && is_conversion(name) => {
                    self.any(at, &args, path)
                }
                _ => Origin::Unknown,
            },
        }
    }

    /// The keyword under which an object of a vendor's package is given what is asked of it, where making it asks nobody.
    fn made_of(&self, call: CallRef, path: &[Name]) -> Option<ExprId> {
        let program = self.program;
        let facts = program.facts(call.file);
        let wanted = *path.last()?;
        let shape = facts.call(call.call);
        let is_class =
            facts.last_name(shape.callee).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
        let asks = !program.vendors_at(call).is_empty() || !program.requests_at(call).is_empty();
        if facts.language.is_script() || !is_class || asks || program.has_role(call, KnownRole::Write) {
            return None;
        }
        let external = program.external(call)?;
        program.catalogue.package(external.package)?;
        shape.args.iter().find(|arg| arg.name == Some(wanted)).map(|arg| arg.value)
    }

    /// What a row holds that was written a moment before out of the request: `insert({ amount: body.amount })`, then
    /// `row.amount`.
    fn just_written(&mut self, call: CallRef, path: &[Name]) -> Option<Origin> {
        let wanted = *path.first()?;
        let program = self.program;
        let facts = program.facts(call.file);
        let mut link = call;
        loop {
            let ExprKind::Member(base, name) = *facts.expr(facts.call(link.call).callee) else { return None };
            if matches!(name.as_str(), "insert" | "create" | "values" | "add") && self.writes_row(link) {
                let row = program.row_written(link);
                let inner = row.iter().find(|(key, _)| *key == "data").map(|&(_, value)| program.value(value));
                let row = inner.map_or(row, |inner| program.entries(&inner));
                let value = row.into_iter().find(|(key, _)| *key == wanted)?.1;
                let origin = self.origin(value, &mut vec![]);
                return matches!(origin, Origin::Request(_)).then_some(origin);
            }
            let ExprKind::Call(inner) = *facts.expr(base) else { return None };
            link = CallRef::new(call.file, inner);
        }
    }

    /// Whether a call writes into a database.
    fn writes_row(&self, call: CallRef) -> bool {
        let program = self.program;
        let own = |used: &crate::program::VendorUse| program.catalogue.vendor(used.vendor).own_backend;
        program.has_role(call, KnownRole::Write) || program.vendors_at(call).iter().any(own)
    }

    /// Whether a call asks a database, a vendor or another service.
    fn asks_server(&self, call: CallRef) -> bool {
        let program = self.program;
        let store = |value: &Value| {
            value.externals().any(|external| {
                program.catalogue.is_database(external.package) || program.catalogue.package(external.package).is_some()
            })
        };
        !program.vendors_at(call).is_empty()
            || !program.requests_at(call).is_empty()
            || program.has_role(call, KnownRole::Write)
            || program.has_role(call, KnownRole::Authenticate)
            || store(program.callee(call))
    }

    /// What `items.map(f)`, `items.reduce(f, 0)`, `items.find(f)`, `promise.then(f)` give.
    fn of_elements(
        &mut self,
        base: ExprRef,
        name: Name,
        targets: &[crate::program::Edge],
        path: &mut Vec<Name>,
    ) -> Option<Origin> {
        let callback = targets.iter().find(|edge| edge.kind == EdgeKind::Callback);
        match name.as_str() {
            "map" | "flatMap" | "reduce" | "then" => {
                let edge = *callback?;
                let element =
                    path.last().is_some_and(|name| *name == "[]") && matches!(name.as_str(), "map" | "flatMap");
                let popped = if element { path.pop() } else { None };
                let origin = self.result(edge.target, edge.call, EdgeKind::Callback, path);
                path.extend(popped);
                Some(origin)
            }
            name if SAME_ELEMENTS.contains(&name) => {
                let origin = self.origin(base, path);
                Some(if origin == Origin::Constant { Origin::Server } else { origin })
            }
            _ => None,
        }
    }

    /// What a function of the program gives when a call runs it.
    fn result(&mut self, target: FunctionRef, call: CallRef, kind: EdgeKind, path: &mut Vec<Name>) -> Origin {
        const DEEPEST: usize = 8;
        if self.entered.len() >= DEEPEST || self.entered.iter().any(|(active, ..)| *active == target) {
            return Origin::Unknown;
        }
        let facts = self.program.facts(target.file);
        let returned: Vec<ExprId> = facts.returned(target.function).collect();
        if returned.is_empty() {
            return Origin::Unknown;
        }
        self.entered.push((target, call, kind));
        let origins: Vec<Origin> =
            returned.into_iter().map(|value| self.origin(ExprRef::new(target.file, value), path)).collect();
        self.entered.pop();
        any_of(origins)
    }

    /// What arrives in a parameter: of the call that was followed here, else of every caller.
    pub(super) fn param(&mut self, at: ExprRef, function: FunctionRef, index: u16, path: &mut Vec<Name>) -> Origin {
        if let Some(position) = self.entered.iter().rposition(|(entered, ..)| *entered == function) {
            let (_, call, kind) = self.entered[position];
            // The argument is read where the call stands: outside of what was entered since.
            let inner = self.entered.split_off(position);
            let origin = self.argument(call, kind, function, index, path);
            self.entered.extend(inner);
            return origin;
        }
        if let Some(origin) = self.entrance(at, function, index, path) {
            return origin;
        }
        let incoming: Vec<_> = self
            .program
            .incoming(function)
            .iter()
            .filter(|edge| matches!(edge.kind, EdgeKind::Direct | EdgeKind::Callback))
            .filter(|edge| self.program.runs_on_server(edge.call.file))
            .copied()
            .take(MOST_CALLERS)
            .collect();
        if incoming.is_empty() {
            return Origin::Unknown;
        }
        let origins: Vec<Origin> = incoming
            .into_iter()
            .map(|edge| {
                let handed = edge.kind == EdgeKind::Direct;
                if handed {
                    self.calls.push(edge.call);
                }
                let origin = self.argument(edge.call, edge.kind, function, index, path);
                if handed {
                    self.calls.pop();
                }
                origin
            })
            .collect();
        any_of(origins)
    }

    fn argument(
        &mut self,
        call: CallRef,
        kind: EdgeKind,
        function: FunctionRef,
        index: u16,
        path: &mut Vec<Name>,
    ) -> Origin {
        let facts = self.program.facts(call.file);
        let shape = facts.call(call.call);
        if kind == EdgeKind::Callback {
            return self.element(call, shape, function, index, path);
        }
        let name = self.program.facts(function.file).function(function.function).params.get(index as usize);
        let name = name.and_then(|param| param.name);
        let by_name = shape.args.iter().find(|arg| arg.name.is_some() && arg.name == name);
        let by_place = || shape.args.iter().filter(|arg| arg.name.is_none()).nth(index as usize);
        match by_name.or_else(by_place) {
            Some(arg) if matches!(facts.expr(arg.value), ExprKind::Spread(_)) => Origin::Unknown,
            Some(arg) => self.origin(ExprRef::new(call.file, arg.value), path),
            // Its default.
            None => Origin::Constant,
        }
    }

    /// What a callback is handed by the method that runs it.
    fn element(
        &mut self,
        call: CallRef,
        shape: &Call,
        function: FunctionRef,
        index: u16,
        path: &mut Vec<Name>,
    ) -> Origin {
        let facts = self.program.facts(call.file);
        let ExprKind::Member(base, name) = facts.expr(shape.callee) else { return Origin::Unknown };
        let wanted = match name.as_str() {
            "map" | "flatMap" | "forEach" | "filter" | "find" | "some" | "every" | "sort" | "then" => 0,
            "reduce" => 1,
            _ => return Origin::Unknown,
        };
        let handed = shape.args.iter().any(|arg| match facts.expr(arg.value) {
            ExprKind::Function(inner) => FunctionRef::new(call.file, *inner) == function,
            ExprKind::Ref(..) | ExprKind::Member(..) => true,
            _ => false,
        });
        if index != wanted || !handed {
            return Origin::Constant;
        }
        let base = ExprRef::new(call.file, *base);
        if name == "then" {
            return self.origin(base, path);
        }
        path.push(Name::new("[]"));
        let origin = self.origin(base, path);
        path.pop();
        origin
    }
}

/// Functions of the language that keep what a value says.
fn is_conversion(name: &str) -> bool {
    matches!(
        name,
        "Number"
            | "parseInt"
            | "parseFloat"
            | "String"
            | "BigInt"
            | "int"
            | "float"
            | "str"
            | "round"
            | "sum"
            | "abs"
            | "max"
            | "min"
            | "dict"
            | "list"
            | "Decimal"
    )
}
