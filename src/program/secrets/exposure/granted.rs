//! What a vendor gives for the code that a customer comes back with.

use crate::catalogue::{Category, KnownRole, VendorId};
use crate::facts::{ExprId, ExprKind};
use crate::program::{CallRef, EdgeKind, ExprRef, Program};

impl Program {
    /// Whether a value is what a vendor gave for a code, itself or through functions of the app: not where that vendor
    /// signs the app's own users in, whose pages may need the tokens.
    pub(super) fn is_granted(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_granted(ExprRef::new(at.file, expr), depth);
        match *facts.expr(at.expr) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => next(inner),
            ExprKind::Ref(name, block) => match facts.lookup(block, name).map(|def| &facts.def(def).values[..]) {
                Some(&[only]) => next(only),
                _ => false,
            },
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, call);
                if self.is_exchange(call) {
                    return true;
                }
                let shape = facts.call(call.call);
                let mut own = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).peekable();
                if own.peek().is_none() {
                    // `await answer.json()`
                    return matches!(*facts.expr(shape.callee), ExprKind::Member(base, name)
                        if name == "json" && next(base));
                }
                own.any(|edge| {
                    let mut returned = self.facts(edge.target.file).returned(edge.target.function);
                    returned.any(|value| self.is_granted(ExprRef::new(edge.target.file, value), depth))
                })
            }
            _ => false,
        }
    }

    /// Whether a call exchanges a code at a vendor that does not keep the app's own users.
    fn is_exchange(&self, call: CallRef) -> bool {
        let signs_in = |vendor: VendorId| self.catalogue.vendor(vendor).category == Category::Auth;
        if self.has_role(call, KnownRole::Exchange) {
            let vendors = self.callee(call).externals().filter_map(|found| self.catalogue.package(found.package));
            let vendors: Vec<VendorId> = vendors.map(|(vendor, _)| vendor).collect();
            return !vendors.is_empty() && !vendors.into_iter().any(signs_in);
        }
        let mut uses = self.vendors_at(call).iter();
        !self.requests_at(call).is_empty()
            && uses.any(|used| !signs_in(used.vendor) && !self.catalogue.vendor(used.vendor).own_backend)
            && self.hands_in_code(call)
    }

    /// Whether a request is handed what exchanges a code, in place or by a name.
    fn hands_in_code(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let span = facts.span(shape.expr);
        let named = facts.exprs.iter().filter(|expr| span.contains(expr.span)).filter_map(|expr| match expr.kind {
            ExprKind::Ref(name, block) => facts.lookup(block, name),
            _ => None,
        });
        let mut spans: Vec<_> = named.flat_map(|def| &facts.def(def).values).map(|&value| facts.span(value)).collect();
        spans.push(span);
        let mut exchanges = self.exchanges(call.file).into_iter().map(|exchange| facts.span(exchange.expr));
        exchanges.any(|exchange| spans.iter().any(|span| span.contains(exchange)))
    }
}
