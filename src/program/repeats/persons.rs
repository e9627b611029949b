//! Whether code looks for a person's record at a vendor before it makes one.

use crate::catalogue::{Category, Effect};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, Op, Span};
use crate::names::Name;
use crate::program::terms::handles_missing_row;
use crate::program::{CallRef, FunctionRef, Program, VendorUse};

impl Program {
    /// Whether a function looks, before a call, whether the person is there: a condition that names the customer or
    /// what is stored, or a question to the vendor.
    pub fn is_person_looked_up(&self, call: CallRef, vendor: Name) -> bool {
        let facts = self.facts(call.file);
        let span = facts.span(facts.call(call.call).expr);
        // `except Customer.DoesNotExist:` is where the look-up found none.
        if facts.enclosing(facts.call(call.call).block).any(|(block, _)| handles_missing_row(facts, block)) {
            return true;
        }
        let mut function = Some(facts.function_of(facts.call(call.call).block));
        // A callback stands in what the functions around it found out.
        while let Some(id) = function {
            let own = FunctionRef::new(call.file, id);
            if id.index() != 0 && (asks_vendor(self, own, span, vendor) || asks_state(facts, own, span, &vendor)) {
                return true;
            }
            function = facts.function(id).parent;
        }
        false
    }
}

/// Whether a use of a vendor is about its record of a person, by its name.
fn is_of_person(used: &VendorUse) -> bool {
    used.name.to_ascii_lowercase().contains("customer")
}

fn asks_vendor(program: &Program, function: FunctionRef, until: Span, vendor: Name) -> bool {
    let facts = program.facts(function.file);
    program.with_inner(function).into_iter().flat_map(|inner| program.calls_in(inner)).any(|other| {
        facts.span(facts.call(other.call).expr).start < until.start && {
            let name = program.call_text(other).to_ascii_lowercase();
            let finds = ["find", "list", "search", "retrieve", "lookup", "getorcreate", "get_or_create", "upsert"];
            let person = ["customer", "client", "cliente", "person", "contact"].iter().any(|word| name.contains(word));
            person && finds.iter().any(|word| name.contains(word))
                || program.vendors_at(other).iter().any(|used| {
                    program.vendor_id(used.vendor) == vendor
                        && program.operation(used).map_or_else(
                            || is_of_person(used),
                            |operation| {
                                let looks = matches!(operation.effect, Effect::Read | Effect::List)
                                    && program.catalogue.vendor(used.vendor).category == Category::Crm;
                                !operation.person && (looks || is_of_person(used))
                            },
                        )
                })
        }
    })
}

/// Whether a condition before (or around) the call names what is known of the person already.
fn asks_state(facts: &Facts, function: FunctionRef, call: Span, vendor: &str) -> bool {
    let body = facts.function(function.function).span;
    let is_known = |name: Name| {
        let name = name.to_ascii_lowercase();
        let about = ["customer", "existing", "already", "found", "record", "subscription", "profile", "cliente"];
        let field = ["email", "name", "phone", "data"].iter().any(|word| name.ends_with(word));
        // `if (person.crmId)`, `contactId ? .. : ..`
        let id = name.ends_with("id") && ["person", "contact", "lead", "crm"].iter().any(|word| name.contains(word));
        (about.iter().any(|word| name.contains(word)) || name.contains(vendor) || id) && !field
    };
    let conditions = facts.blocks.iter().filter_map(|block| match block.kind {
        BlockKind::Then(condition) | BlockKind::Else(condition) => Some(condition),
        _ => None,
    });
    let chosen = facts.operations().filter_map(|(_, operation)| match operation {
        (Op::Or | Op::Nullish | Op::Choose, parts) => parts.first().copied(),
        _ => None,
    });
    conditions.chain(chosen).any(|condition| {
        let at = facts.span(condition);
        body.contains(at) && at.start < call.start && names(facts, condition, &is_known, 6)
    })
}

fn names(facts: &Facts, expr: ExprId, wanted: &dyn Fn(Name) -> bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let next = |&part: &ExprId| names(facts, part, wanted, depth);
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => wanted(*name),
        ExprKind::Member(base, name) => wanted(*name) || next(base),
        ExprKind::Index(base, _) | ExprKind::Await(base) => next(base),
        ExprKind::Op(_, parts) => parts.iter().any(next),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            next(&call.callee) || call.args.iter().any(|arg| next(&arg.value))
        }
        _ => false,
    }
}
