//! What the app's own data holds of who is signed in: their own row, and the rows that this one leads to. A vendor's key
//! out of such a row is theirs: what is charged with it is paid to them.

use crate::facts::{ExprId, ExprKind, Op};
use crate::program::values::options::Lookup;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, Edge, ExprRef, Program, Value, VendorUse, Via};

/// Words of options that say whose account is paid.
const PAYEES: &[&str] = &["account", "destination", "behalf", "merchant", "subaccount", "seller"];

/// How many steps a value is followed back to a row.
const DEEPEST: usize = 20;

impl Program {
    /// Whether a charge is paid to whoever is signed in: it is made with a key, or for an account, out of their own row.
    pub fn pays_caller(&self, used: &VendorUse) -> bool {
        let own = |file, expr| self.is_of_own_row(ExprRef::new(file, expr), DEEPEST);
        let facts = self.facts(used.at.file);
        let mut open: Vec<(ExprId, usize)> = Vec::new();
        for arg in &facts.call(used.at.call).args {
            match arg.name {
                Some(name) if says_payee(&name) && own(used.at.file, arg.value) => return true,
                _ => open.push((arg.value, 4)),
            }
        }
        while let Some((expr, depth)) = open.pop() {
            let ExprKind::Object(entries) = facts.expr(expr) else { continue };
            for &(key, value) in entries {
                if says_payee(&key) && own(used.at.file, value) {
                    return true;
                }
                // What is only written down beside it pays nobody.
                let notes = matches!(key.as_str(), "metadata" | "meta" | "notes" | "custom_data" | "customData");
                open.extend((depth > 0 && !notes).then(|| (value, depth - 1)));
            }
        }
        match used.via {
            Via::Sdk(_, Some(made)) => {
                let facts = self.facts(made.file);
                facts.call(made.call).args.iter().any(|arg| own(made.file, arg.value))
            }
            Via::Sdk(_, None) => false,
            Via::Http(_) => {
                let headers = self.request_of(used).map(|http| self.request_option(http, "headers"));
                let Some(Lookup::Present(headers)) = headers else { return false };
                let credentials = self.entries(&headers).into_iter().filter(|(name, _)| says_credential(name));
                credentials.into_iter().any(|(_, value)| self.is_of_own_row(value, DEEPEST))
            }
        }
    }

    /// Whether a client on the way to a charge is made with a key out of the row of who is signed in:
    /// `ShopPayments(shop.access_token).create_link(..)`.
    pub fn pays_caller_on(&self, way: &[Edge]) -> bool {
        way.iter().any(|edge| {
            let facts = self.facts(edge.call.file);
            let ExprKind::Member(mut client, _) = *facts.expr(facts.call(edge.call.call).callee) else { return false };
            if let ExprKind::Ref(name, block) = facts.expr(client) {
                let def = facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]);
                let Some(&[made]) = def else { return false };
                client = made;
            }
            // What is made here: of a client that a function hands out nothing is known.
            let ExprKind::Call(made) = *facts.expr(client) else { return false };
            let is_class = matches!(self.value(ExprRef::new(edge.call.file, facts.call(made).callee)), Value::Class(_));
            let own = |expr: ExprId| self.is_of_own_row(ExprRef::new(edge.call.file, expr), DEEPEST);
            is_class && facts.call(made).args.iter().any(|arg| own(arg.value))
        })
    }

    /// Whether a value was read out of the row of who is signed in, or of one that this row names.
    fn is_of_own_row(&self, at: ExprRef, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        match facts.expr(at.expr) {
            ExprKind::Await(inner) | ExprKind::Index(inner, _) => self.is_of_own_row(here(*inner), depth),
            ExprKind::Member(base, name) => {
                let says_who = matches!(name.as_str(), "id" | "uid" | "_id" | "email" | "sub" | "name");
                !says_who && self.is_signed_in(here(*base)) || self.is_of_own_row(here(*base), depth)
            }
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) | ExprKind::Template(parts) => {
                parts.iter().any(|&part| self.is_of_own_row(here(part), depth))
            }
            ExprKind::Op(Op::Add, parts) => parts.iter().any(|&part| self.is_of_own_row(here(part), depth)),
            ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_some_and(|def| {
                let values = &facts.def(def).values;
                !values.is_empty() && values.iter().all(|&value| self.is_of_own_row(here(value), depth))
            }),
            ExprKind::Object(entries) => entries.iter().any(|&(_, value)| self.is_of_own_row(here(value), depth)),
            // The query that reads the row, or what decrypts and hands on what stands in it.
            ExprKind::Call(call) => {
                let picks = |expr: ExprId| self.names_own(here(expr), depth);
                let call = CallRef::new(at.file, *call);
                let mut chain = vec![call.call];
                let mut callee = facts.call(call.call).callee;
                while let ExprKind::Member(base, _) = *facts.expr(callee) {
                    let ExprKind::Call(inner) = *facts.expr(base) else { break };
                    chain.push(inner);
                    callee = facts.call(inner).callee;
                }
                chain.iter().any(|&link| facts.call(link).args.iter().any(|arg| picks(arg.value)))
            }
            _ => false,
        }
    }

    /// Whether a value names who is signed in, or a row of theirs: `user.id`, `eq(users.id, user.id)`, `me.company_id`.
    fn names_own(&self, at: ExprRef, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        let inside = |expr: &ExprId| self.names_own(here(*expr), depth);
        if self.is_own_id(at, 8) {
            return !matches!(self.origin_on(&[], at, &[]), Origin::Request(_));
        }
        if self.is_signed_in(at) {
            return true;
        }
        match facts.expr(at.expr) {
            ExprKind::Object(entries) => entries.iter().any(|(_, value)| inside(value)),
            ExprKind::List(items) => items.iter().any(inside),
            ExprKind::Op(Op::Equal | Op::And, parts) => parts.iter().any(inside),
            ExprKind::Call(call) => facts.call(*call).args.iter().any(|arg| inside(&arg.value)),
            ExprKind::Await(inner) => inside(inner),
            ExprKind::Member(..) | ExprKind::Ref(..) => self.is_of_own_row(at, depth),
            _ => false,
        }
    }

    /// Whether a value is the account of who is signed in, and no row that the request picked.
    pub(in crate::program) fn is_signed_in(&self, at: ExprRef) -> bool {
        self.is_person(at, 8)
            && !self.is_looked_up(at, 6)
            && !matches!(self.origin_on(&[], at, &[]), Origin::Request(_))
    }

    /// Whether a value is a row that a query found: `const user = await users.findOne({ email })`.
    fn is_looked_up(&self, at: ExprRef, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        match facts.expr(at.expr) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) | ExprKind::Index(inner, _) => {
                self.is_looked_up(here(*inner), depth)
            }
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().any(|&part| self.is_looked_up(here(part), depth)),
            ExprKind::Ref(name, block) => facts
                .lookup(*block, *name)
                .is_some_and(|def| facts.def(def).values.iter().any(|&value| self.is_looked_up(here(value), depth))),
            ExprKind::Call(call) => {
                let found = |name: &str| {
                    let first = words(name).first().cloned().unwrap_or_default();
                    matches!(first.as_str(), "find" | "single" | "maybe" | "first" | "query" | "execute" | "scalar")
                };
                facts.last_name(facts.call(*call).callee).is_some_and(|name| found(&name))
            }
            _ => false,
        }
    }
}

fn says_credential(header: &str) -> bool {
    let words = words(header);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    has(&["authorization", "auth", "token", "key", "secret", "account"]) && !has(&["idempotency"])
}

fn says_payee(key: &str) -> bool {
    words(key).iter().any(|word| PAYEES.contains(&word.as_str()))
}
