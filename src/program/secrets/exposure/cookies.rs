//! The cookies of a request: whoever reads one that holds a session is that customer.

use super::Secret;
use super::walk::{Known, Walker};
use crate::facts::ExprKind;
use crate::names::Name;
use crate::program::{CallRef, ExprRef};

/// So many first characters of a cookie say no more than in which form it is written.
const FORM: u32 = 12;

impl Walker<'_> {
    /// All cookies, or what `path` takes of them: of each one its name is no secret.
    pub(super) fn cookies(&mut self, at: ExprRef, path: &[Name]) -> Known {
        let values = match path {
            [] => true,
            [value] => self.parts > 0 && *value == "value",
            _ => false,
        };
        match values {
            true if self.head.is_none_or(|head| head > FORM) => self.note(Secret::Cookies, at),
            true => Known::Harmless,
            false if self.parts > 0 => Known::Harmless,
            // `req.cookies.session`
            false => Known::Open,
        }
    }

    /// Whether a call gives the cookies of the request that is being answered, which arrives nowhere as a parameter.
    pub(super) fn gives_cookies(&self, call: CallRef) -> bool {
        self.program.external(call).is_some_and(|external| {
            external.package == "npm:next" && external.last_member().is_some_and(|name| name == "cookies")
        })
    }

    /// What a callback makes of each cookie: `cookies.getAll().map((cookie) => cookie.name)`; none of other lists.
    pub(super) fn each_cookie(&mut self, call: CallRef, list: ExprRef, path: &mut Vec<Name>) -> Option<Known> {
        if !self.are_cookies(list, 6) {
            return None;
        }
        let facts = self.program.facts(call.file);
        let callback = facts.call(call.call).args.first()?.value;
        let ExprKind::Function(function) = *facts.expr(callback) else { return None };
        let returned: Vec<_> = facts.returned(function).collect();
        let mut known = Known::Harmless;
        for value in returned {
            known = known.and(self.walk(ExprRef::new(call.file, value), path));
        }
        Some(known)
    }

    fn are_cookies(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.program.facts(at.file);
        let next = |expr| self.are_cookies(ExprRef::new(at.file, expr), depth);
        match *facts.expr(at.expr) {
            ExprKind::Await(inner) => next(inner),
            ExprKind::Ref(name, block) => match facts.lookup(block, name).map(|def| &facts.def(def).values[..]) {
                Some(&[only]) => next(only),
                _ => false,
            },
            ExprKind::Member(base, name) => self.holds_cookies(ExprRef::new(at.file, base), name),
            ExprKind::Call(call) => {
                let at = CallRef::new(at.file, call);
                let taken = match *facts.expr(facts.call(call).callee) {
                    ExprKind::Member(base, name) if name == "getAll" => next(base),
                    _ => false,
                };
                taken || self.gives_cookies(at)
            }
            _ => false,
        }
    }

    /// Whether a member of something is the cookies of the incoming request.
    pub(super) fn holds_cookies(&self, base: ExprRef, name: Name) -> bool {
        matches!(name.as_str(), "cookies" | "COOKIES") && self.is_request(base)
    }
}
