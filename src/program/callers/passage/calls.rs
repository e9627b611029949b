//! What calls, members and methods give in middleware that is gone through in thought.

use std::sync::Arc;

use super::{Thing, Walk, matchers};
use crate::catalogue::KnownRole;
use crate::facts::{CallId, ExprKind};
use crate::finding::{FileId, Place};
use crate::link::entries::handlers::arguments;
use crate::program::{CallRef, ExprRef};

impl Walk<'_> {
    pub(super) fn member(&self, base: &Thing, name: &str) -> Thing {
        if self.hook.is_some()
            && let Some(found) = self.hook_member(base, name)
        {
            return found;
        }
        match (base, name) {
            (Thing::Nobody, _) => Thing::Nobody,
            (Thing::Visitor, "nextUrl" | "url") => Thing::Url,
            (Thing::Visitor, "cookies") => Thing::Cookies,
            (Thing::Visitor, "headers") => Thing::Headers,
            (Thing::Visitor, "method") => Thing::Text(self.method.to_owned()),
            (Thing::Visitor, "auth" | "nextauth" | "session" | "user" | "userId" | "sessionId") => Thing::Nobody,
            (Thing::Url, "pathname") => Thing::Text(self.path.to_owned()),
            (Thing::Record(entries), _) => {
                let found = entries.iter().rev().find(|(key, _)| *key == name);
                found.map_or(Thing::Unknown, |(_, thing)| thing.clone())
            }
            _ => Thing::Unknown,
        }
    }

    pub(super) fn call(&mut self, call: CallRef) -> Thing {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        if program.has_role(call, KnownRole::MatchRoute) {
            let Some(&of) = arguments(program, call).first() else { return Thing::Unknown };
            let patterns = match self.eval(of) {
                Thing::List(patterns) => patterns,
                one => vec![one],
            };
            return Thing::Paths(Arc::new(matchers(&patterns)));
        }
        if self.hook.is_some()
            && let Some(found) = self.hook_call(call)
        {
            return found;
        }
        let args: Vec<Thing> = shape.args.iter().map(|arg| self.eval(ExprRef::new(call.file, arg.value))).collect();
        if let ExprKind::Member(base, method) = *facts.expr(shape.callee) {
            let thing = self.eval(ExprRef::new(call.file, base));
            let response = matches!(facts.expr(base), ExprKind::Ref(name, _) if name.ends_with("Response"));
            let by_hook = if self.hook.is_some() { self.hook_method(call, &thing, &method, &args) } else { None };
            if let Some(found) = by_hook.or_else(|| self.method(call, &thing, &method, &args, response)) {
                return found;
            }
        }
        if self.delivers()
            && let Some(found) = self.checks_nothing(call, &args)
        {
            return found;
        }
        if program.has_role(call, KnownRole::Authenticate) {
            self.unclear(call, &args);
            return Thing::Nobody;
        }
        match self.eval(ExprRef::new(call.file, shape.callee)) {
            // `auth()` of what the middleware is handed.
            Thing::Visitor => return Thing::Nobody,
            Thing::Paths(patterns) => return self.is_one_of(&patterns).map_or(Thing::Unknown, Thing::Bool),
            Thing::Function(function) => {
                let found = self.run(function, args.clone());
                if !matches!(found, Thing::Unknown) {
                    return found;
                }
            }
            _ => {}
        }
        let found = self.by_name(call.file, call.call, &args);
        if !matches!(found, Thing::Bool(_) | Thing::Text(_) | Thing::Url | Thing::Refusal(_)) {
            self.unclear(call, &args);
        }
        found
    }

    /// What a method gives; none when nothing is known of it.
    fn method(&mut self, call: CallRef, base: &Thing, method: &str, args: &[Thing], response: bool) -> Option<Thing> {
        let place = self.program.call_place(call);
        Some(match (base, method, args) {
            (Thing::Text(text), "startsWith", [Thing::Text(head), ..]) => Thing::Bool(text.starts_with(head.as_str())),
            (Thing::Text(text), "endsWith", [Thing::Text(tail), ..]) => Thing::Bool(text.ends_with(tail.as_str())),
            (Thing::Text(text), "includes", [Thing::Text(part), ..]) => Thing::Bool(text.contains(part.as_str())),
            (Thing::Text(text), "toLowerCase", _) => Thing::Text(text.to_lowercase()),
            (Thing::List(items), "includes", [Thing::Text(text), ..]) => {
                let known = |item: &Thing| if let Thing::Text(item) = item { Some(item == text) } else { None };
                any_of(items.iter().map(known))
            }
            (Thing::List(items), "some" | "find", [Thing::Function(test), ..]) => {
                let mut told = Vec::new();
                for item in items {
                    let found = self.run(*test, vec![item.clone()]);
                    told.push(self.truth(&found));
                }
                any_of(told.into_iter())
            }
            (Thing::Cookies, "get" | "has", _) => Thing::Nobody,
            (Thing::Headers, "get" | "has", [Thing::Text(name), ..]) if name.eq_ignore_ascii_case("cookie") => {
                Thing::Nobody
            }
            (Thing::Cookies | Thing::Headers, ..) => Thing::Unknown,
            (Thing::Url, "clone", _) => Thing::Url,
            (Thing::Visitor | Thing::Nobody, "protect" | "redirectToSignIn", _) => {
                self.asked = true;
                Thing::Stops(place)
            }
            (Thing::Nobody, ..) => Thing::Nobody,
            (_, "redirect", _) if response => Thing::Refusal(place),
            (_, "json", [_, options, ..]) if response => self.answer(place, options),
            (_, "next" | "json", _) if response => Thing::Something,
            (
                Thing::Unknown | Thing::Something,
                "getUser" | "getSession" | "getClaims" | "getToken" | "currentUser",
                _,
            ) => Thing::Nobody,
            _ => return None,
        })
    }

    /// A constructed or JSON answer, by its status.
    fn answer(&self, place: Place, options: &Thing) -> Thing {
        let Thing::Record(entries) = options else { return Thing::Something };
        match entries.iter().find(|(key, _)| *key == "status") {
            Some((_, Thing::Text(status))) if matches!(status.as_str(), "401" | "403") => Thing::Refusal(place),
            _ => Thing::Something,
        }
    }

    /// Calls of which the name says enough.
    fn by_name(&mut self, file: FileId, call: CallId, args: &[Thing]) -> Thing {
        let facts = self.program.facts(file);
        let shape = facts.call(call);
        let Some(name) = facts.last_name(shape.callee) else { return Thing::Unknown };
        let lower = name.to_ascii_lowercase();
        match (name.as_str(), args) {
            ("URL", [Thing::Url, ..]) => Thing::Url,
            ("Response" | "NextResponse", [_, options, ..]) if shape.is_new => {
                self.answer(self.program.call_place(CallRef::new(file, call)), options)
            }
            ("Response" | "NextResponse", _) if shape.is_new => Thing::Something,
            ("Boolean", [thing, ..]) => self.truth(thing).map_or(Thing::Unknown, Thing::Bool),
            // A look-up that is handed no session finds none.
            (_, [Thing::Nobody, ..])
                if ["session", "token", "user", "auth", "verify", "decrypt", "jwt"]
                    .iter()
                    .any(|w| lower.contains(w)) =>
            {
                Thing::Nobody
            }
            _ => Thing::Unknown,
        }
    }
}

/// Whether any of some answers is yes.
pub(super) fn any_of(told: impl Iterator<Item = Option<bool>>) -> Thing {
    let told: Vec<Option<bool>> = told.collect();
    match () {
        () if told.contains(&Some(true)) => Thing::Bool(true),
        () if told.contains(&None) => Thing::Unknown,
        () => Thing::Bool(false),
    }
}
