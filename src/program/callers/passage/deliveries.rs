//! What becomes of a vendor's delivery at what runs before its route. It brings no session, no cookie and no token of
//! the app's users; whether anything else that is asked for is there cannot be told.

use super::hooks::{Form, Hook};
use super::{Thing, Walk, instances};
use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind};
use crate::finding::{FileId, Place};
use crate::program::verify::words;
use crate::program::{CallRef, Entry, ExprRef, FunctionRef, Program, Value};

/// How deep what a handler depends on depends on more.
const DEEPEST: usize = 4;

impl Program {
    /// Where a function that runs before an entry point turns every delivery away, whatever else the vendor brings.
    pub(crate) fn turns_deliveries_away(&self, entry: &Entry, function: FunctionRef) -> Option<Place> {
        let route = entry.route.filter(|route| !route.contains("**"))?;
        let method = entry.methods.first().map_or("POST", |method| method.as_str());
        let script = self.facts(function.file).language.is_script();
        let form = match script {
            true => self.form_of_hook(function)?,
            false => match self.depends(function) {
                true => Form { args: self.injected(function, DEEPEST)?, by_nothing: false, relative: false },
                false => self.form_of_hook(function)?,
            },
        };
        let mut seen = instances::of(self, function.file, &route).into_iter().flat_map(|path| {
            let rests = if form.relative { self.rests(function, &path) } else { vec![path.clone()] };
            rests.into_iter().map(move |rest| (path.clone(), rest))
        });
        let mut place = None;
        let all = seen.all(|(path, rest)| {
            let found = self.delivered(function, &form, &path, rest, method);
            place = place.or(found);
            found.is_some()
        });
        place.filter(|_| all)
    }

    fn delivered(&self, function: FunctionRef, form: &Form, path: &str, rest: String, method: &str) -> Option<Place> {
        let script = self.facts(function.file).language.is_script();
        let mut walk = Walk::new(self, path, method);
        let by_anything = !script && form.by_nothing && form.args.is_empty();
        walk.hook = Some(Hook::of_delivery(rest, by_anything));
        if let Some(missing) = form.args.iter().find_map(|arg| match arg {
            Thing::Fails(place) => Some(*place),
            _ => None,
        }) {
            return Some(missing);
        }
        let found = walk.run(function, form.args.clone());
        let sure = walk.fuel > 0 && walk.asked && walk.hook.is_some_and(|hook| !hook.escaped);
        match found {
            Thing::Refusal(place) | Thing::Fails(place) if sure => Some(place),
            _ => None,
        }
    }

    /// Whether a function is handed what it depends on: `token: str = Depends(scheme)`, `authorization = Header(None)`.
    fn depends(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.file);
        facts.function(function.function).params.iter().any(|param| {
            param.default.is_some_and(|default| match facts.expr(default) {
                ExprKind::Call(call) => facts
                    .last_name(facts.call(*call).callee)
                    .is_some_and(|name| matches!(name.as_str(), "Depends" | "Security" | "Header" | "Cookie")),
                _ => false,
            })
        })
    }

    /// What a function is handed by its defaults when a vendor delivers; none where that cannot be told.
    fn injected(&self, function: FunctionRef, depth: usize) -> Option<Vec<Thing>> {
        let facts = self.facts(function.file);
        let params = facts.function(function.function).params.iter();
        Some(
            params
                .map(|param| {
                    let Some(default) = param.default else {
                        let named = param.name.is_some_and(|name| matches!(name.as_str(), "request" | "req"));
                        return if named { Thing::Visitor } else { Thing::Unknown };
                    };
                    self.handed_by(ExprRef::new(function.file, default), param.name.map(|name| name.to_string()), depth)
                })
                .collect(),
        )
    }

    /// What `Depends(..)`, `Header(..)` and `Cookie(..)` hand in.
    fn handed_by(&self, default: ExprRef, param: Option<String>, depth: usize) -> Thing {
        let facts = self.facts(default.file);
        let ExprKind::Call(call) = *facts.expr(default.expr) else { return Thing::Unknown };
        let call = facts.call(call);
        let first = call.args.first().filter(|arg| arg.name.is_none()).map(|arg| ExprRef::new(default.file, arg.value));
        match facts.last_name(call.callee).map(|name| name.to_string()).unwrap_or_default().as_str() {
            "Cookie" => Thing::Nobody,
            "Header" => {
                let alias = call.args.iter().find(|arg| arg.name.is_some_and(|name| name == "alias"));
                let alias = alias.and_then(|arg| self.value(ExprRef::new(default.file, arg.value)).text());
                let name = alias.map(|name| name.to_string()).or(param).unwrap_or_default();
                if name.eq_ignore_ascii_case("authorization") { Thing::Nobody } else { Thing::Unknown }
            }
            "Depends" | "Security" => first.map_or(Thing::Unknown, |on| self.depended_on(on, depth)),
            _ => Thing::Unknown,
        }
    }

    /// What a dependency gives: a scheme of the framework refuses whoever brings no token, unless it is told not to.
    fn depended_on(&self, on: ExprRef, depth: usize) -> Thing {
        let Some(depth) = depth.checked_sub(1) else { return Thing::Unknown };
        if self.role_of_made(on) == Some(KnownRole::Authenticate) {
            let value = self.value(on);
            let lenient = value.externals().flat_map(|external| &external.sites).any(|&made| {
                let facts = self.facts(made.file);
                let mut args = facts.call(made.call).args.iter();
                args.any(|arg| arg.name.is_some_and(|name| name == "auto_error"))
            });
            return if lenient { Thing::Nobody } else { Thing::Fails(self.place(on)) };
        }
        let Value::Function(function) = self.value(on) else { return Thing::Unknown };
        let Some(args) = self.injected(function, depth) else { return Thing::Unknown };
        if let Some(missing) = args.iter().find(|arg| matches!(arg, Thing::Fails(_))) {
            return missing.clone();
        }
        let form = Form { args, by_nothing: false, relative: false };
        match self.delivered(function, &form, "/", "/".to_owned(), "POST") {
            Some(place) => Thing::Fails(place),
            None => Thing::Unknown,
        }
    }
}

impl Walk<'_> {
    /// Whether a vendor delivers.
    pub(super) fn delivers(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.delivers)
    }

    /// What a method of the request, or of what it does not bring, says to a vendor.
    pub(super) fn asked_by_delivery(&mut self, base: &Thing, method: &str) -> Option<Thing> {
        match (base, method) {
            (Thing::Visitor, "isAuthenticated" | "isLoggedIn") => {
                self.asked = true;
                Some(Thing::Bool(false))
            }
            // `header.slice(7)`, `session.get("user_id")`
            (Thing::Nobody, "startsWith" | "startswith") => Some(Thing::Bool(false)),
            (Thing::Nobody, _) => Some(Thing::Nobody),
            _ => None,
        }
    }

    /// What a call does that is handed no credential: a check of one throws, or tells its callback so.
    pub(super) fn checks_nothing(&mut self, call: CallRef, args: &[Thing]) -> Option<Thing> {
        let name = self.program.called_name(call)?;
        let checks = self.program.has_role(call, KnownRole::Verify)
            || words(&name).iter().any(|word| matches!(word.as_str(), "verify" | "decode" | "decrypt"));
        let own = self.program.edges(call).iter().any(|edge| edge.kind == crate::program::EdgeKind::Direct);
        if !checks || own || !matches!(args.first(), Some(Thing::Nobody)) {
            return None;
        }
        self.asked = true;
        match args.last() {
            // `jwt.verify(token, SECRET, (error, user) => ..)`
            Some(Thing::Function(callback)) => {
                let said = self.run(*callback, vec![Thing::Something, Thing::Nothing]);
                Some(match said {
                    Thing::Refusal(place) => Thing::Stops(place),
                    _ => Thing::Unknown,
                })
            }
            _ => Some(Thing::Fails(self.program.call_place(call))),
        }
    }

    /// What a hook gives that turns the request away by giving anything: `return redirect("/login")`.
    pub(super) fn answered(&self, file: FileId, given: ExprId, thing: Thing) -> Thing {
        let by_anything = self.hook.as_ref().is_some_and(|hook| hook.by_anything) && self.depth == 1;
        if !by_anything || !matches!(thing, Thing::Unknown | Thing::Something | Thing::List(_) | Thing::Text(_)) {
            return thing;
        }
        let facts = self.program.facts(file);
        let answers = match facts.expr(given) {
            ExprKind::Call(call) => facts.last_name(facts.call(*call).callee).is_some_and(|name| {
                matches!(
                    name.as_str(),
                    "redirect" | "jsonify" | "make_response" | "render_template" | "Response" | "unauthorized"
                )
            }),
            ExprKind::List(items) => items.len() > 1,
            _ => false,
        };
        if answers { Thing::Refusal(self.program.place(ExprRef::new(file, given))) } else { thing }
    }
}
