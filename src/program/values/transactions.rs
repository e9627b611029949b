//! What runs inside a transaction, through the object that it hands its callback:
//! `db.runTransaction(async (t) => { const seen = await t.get(ref); .. })`.

use crate::facts::{DefKind, ExprKind};
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

/// Methods that run what they are given in one transaction.
const TRANSACTIONS: &[&str] = &["runtransaction", "transaction", "$transaction", "withtransaction", "begin", "tx"];

/// Methods of a transaction that read.
const READS: &[&str] = &["get", "getAll", "select", "selectDistinct", "query", "execute", "queryRow"];

impl Program {
    /// Whether a call reads through what a transaction hands its callback.
    pub fn reads_in_transaction(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let ExprKind::Member(base, method) = *facts.expr(facts.call(at.call).callee) else { return false };
        if !READS.contains(&method.as_str()) {
            return false;
        }
        let ExprKind::Ref(name, block) = *facts.expr(base) else { return false };
        let Some(def) = facts.lookup(block, name).map(|def| facts.def(def)) else { return false };
        if def.kind != DefKind::Param {
            return false;
        }
        def.values.iter().any(|&value| match *facts.expr(value) {
            ExprKind::Param(function, 0) => self.runs_in_transaction(FunctionRef::new(at.file, function)),
            _ => false,
        })
    }

    /// Whether a call runs what it is given in a transaction: what it gives is what was found there.
    pub fn gives_transaction(&self, at: CallRef) -> bool {
        let facts = self.facts(at.file);
        let first = facts.call(at.call).args.first();
        self.called_name(at).is_some_and(|name| is_transaction(&name))
            && first.is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Function(_)))
    }

    /// Whether a function is what a transaction is handed to run.
    fn runs_in_transaction(&self, function: FunctionRef) -> bool {
        let mut handed = self.incoming(function).iter().filter(|edge| edge.kind == EdgeKind::Callback);
        handed.any(|edge| self.called_name(edge.call).is_some_and(|name| is_transaction(&name)))
    }
}

fn is_transaction(name: &str) -> bool {
    TRANSACTIONS.contains(&name.to_ascii_lowercase().as_str())
}
