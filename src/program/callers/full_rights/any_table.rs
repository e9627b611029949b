//! Doors to whichever table the request names.

use crate::catalogue::{Effect, Operation};
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::callers::full_rights::{Pick, Touch};
use crate::program::values::requested::Origin;
use crate::program::values::requested::asked::Asked;
use crate::program::{Edge, ExprRef, Program, VendorUse};

/// What a pick is of that the request names as a table.
pub const TABLES: &str = "tables";

impl Program {
    /// The table that the request names, unless it is held against those that are meant.
    pub(super) fn any_table(&self, way: &[Edge], used: &VendorUse, operation: &Operation) -> Option<Pick> {
        let touch = match operation.effect {
            Effect::Read | Effect::List => Touch::Reads,
            Effect::Create | Effect::Update | Effect::Delete => Touch::TakesOver,
            _ => return None,
        };
        let named = ExprRef::new(used.at.file, self.names_table(used)?);
        match self.origin_on(way, named, &[]) {
            Origin::Request(source) if self.is_asked_for(&source, used.at) < Asked::Checked => {
                Some(Pick { touch, what: Name::new(TABLES), by: Name::new("*"), source: Some(source) })
            }
            _ => None,
        }
    }

    /// The value that names the table of a query: `table` of `db.from(table).select("*")`.
    fn names_table(&self, used: &VendorUse) -> Option<ExprId> {
        const LONGEST: usize = 12;
        let facts = self.facts(used.at.file);
        let mut callee = facts.call(used.at.call).callee;
        for _ in 0..LONGEST {
            let ExprKind::Member(base, _) = *facts.expr(callee) else { return None };
            let ExprKind::Call(inner) = *facts.expr(base) else { return None };
            let inner = facts.call(inner);
            // A bucket is named in the same way.
            if let ExprKind::Member(of, name) = *facts.expr(inner.callee)
                && (name == "from" || name == "table")
                && facts.last_name(of).is_none_or(|of| of != "storage")
            {
                return inner.args.first().map(|arg| arg.value);
            }
            callee = inner.callee;
        }
        None
    }
}
