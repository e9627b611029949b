//! Reads of fields that a vendor's answers have no more in the version of its API that the code asks for.

use std::cell::LazyCell;

use rustc_hash::FxHashMap;

use crate::catalogue::{Dropped, Seg, VendorId};
use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::value::External;
use crate::program::values::options::Lookup;
use crate::program::values::readers::Use;
use crate::program::{EdgeKind, ExprRef, FunctionRef, Program, Value};

/// How many callers of a function are asked what they hand in.
const MOST_CALLERS: usize = 12;

/// A field that is read, and that no answer has.
#[derive(Debug)]
pub struct DroppedField<'p> {
    /// Whose answer.
    pub vendor: VendorId,
    /// What is known of it.
    pub dropped: &'p Dropped,
    /// The field.
    pub field: Name,
    /// Where it is read.
    pub place: Place,
    /// The version that the code asks for, where it names one; else the SDK that does.
    pub version: String,
}

impl Program {
    /// The fields of vendors' answers that are read and that the version in use does not have.
    pub fn dropped_fields(&self) -> Vec<DroppedField<'_>> {
        let mut known: FxHashMap<Name, Vec<(VendorId, &Dropped)>> = FxHashMap::default();
        for (vendor, dropped) in self.catalogue.dropped() {
            for field in dropped.fields.keys() {
                known.entry(Name::new(field)).or_default().push((vendor, dropped));
            }
        }
        let set_on_sdk = LazyCell::new(|| self.names_version());
        let mut found = Vec::new();
        for (file, facts) in self.code().filter(|_| !known.is_empty()) {
            let side = self.side(file);
            if side.tooling || side.dead {
                continue;
            }
            for at in 0..facts.exprs.len() as u32 {
                let ExprKind::Member(base, field) = facts.expr(ExprId(at)) else { continue };
                let Some(dropped) = known.get(field) else { continue };
                let at = ExprRef::new(file, ExprId(at));
                let is_called = || self.readers(file).uses(at.expr).iter().any(|used| matches!(used, Use::Callee(_)));
                // A field may have the name of a method: `subscription["items"]`.
                let fits = |dropped: &Dropped| !dropped.methods || !facts.language.is_script() && is_called();
                if !dropped.iter().any(|(_, dropped)| fits(dropped)) {
                    continue;
                }
                let object = self.object(ExprRef::new(file, *base), 6);
                for &(vendor, dropped) in dropped.iter().filter(|(_, dropped)| fits(dropped)) {
                    let mut known = object.externals();
                    if let Some(version) =
                        known.find_map(|external| self.version_without(file, external, dropped, &set_on_sdk))
                        && !self.knows_both(file, facts, at.expr, *field, dropped)
                    {
                        found.push(DroppedField { vendor, dropped, field: *field, place: self.place(at), version });
                    }
                }
            }
        }
        found
    }

    /// What an expression is, also where it is an element of a list that is gone through.
    fn object(&self, at: ExprRef, depth: usize) -> Value {
        let value = self.value(at);
        let Some(depth) = depth.checked_sub(1) else { return value };
        let element = |list: ExprRef| {
            let list = self.object(list, depth);
            list.externals().next().map(|list| Value::External(list.then(Seg::Member(Name::new("[]")), None).into()))
        };
        match &value {
            // `subs.data.map((sub) => ..)`
            Value::Param(function, position) => {
                let handed = self.incoming(*function).iter().filter(|edge| edge.kind == EdgeKind::Callback);
                let mut lists = handed.filter_map(|edge| {
                    let facts = self.facts(edge.call.file);
                    let ExprKind::Member(list, name) = facts.expr(facts.call(edge.call.call).callee) else {
                        return None;
                    };
                    let through = ["map", "forEach", "find", "filter", "some", "every", "flatMap"];
                    through.contains(&name.as_str()).then(|| ExprRef::new(edge.call.file, *list))
                });
                let element = lists.next().filter(|_| *position == 0).and_then(element);
                element.or_else(|| self.given_by_callers(*function, *position, depth)).unwrap_or(value)
            }
            // `for (const sub of subs.data)`
            Value::Member(list, name) if *name == "[]" => match &**list {
                Value::External(list) => Value::External(list.then(Seg::Member(*name), None).into()),
                _ => value,
            },
            _ => value,
        }
    }

    /// What the callers of a function hand in, where that is something of a vendor's: `save(sub)`.
    fn given_by_callers(&self, function: FunctionRef, position: u16, depth: usize) -> Option<Value> {
        let calls = self.incoming(function).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.call);
        let given = calls.take(MOST_CALLERS).filter_map(|call| {
            let args = &self.facts(call.file).call(call.call).args;
            let plain = args.iter().all(|arg| arg.name.is_none());
            let arg = args.get(position as usize).filter(|_| plain)?;
            Some(self.object(ExprRef::new(call.file, arg.value), depth))
        });
        let given: Vec<Value> = given.filter(|given| given.externals().next().is_some()).collect();
        (!given.is_empty()).then(|| Value::one_of(given))
    }

    /// The version in use, when the object is one that has lost the field in it.
    fn version_without(
        &self,
        file: FileId,
        object: &External,
        dropped: &Dropped,
        set_on_sdk: &LazyCell<bool, impl FnOnce() -> bool>,
    ) -> Option<String> {
        let way = way(object);
        let is =
            |form: &String| way.strip_suffix(form.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let major = *dropped.sdk.get(object.package.as_str())?;
        if !dropped.answers.iter().any(is) {
            return None;
        }
        let made = object.segs.contains(&Seg::New).then(|| object.sites.first()).flatten();
        match made.map_or(Lookup::Absent, |made| self.option(*made, &dropped.option)) {
            Lookup::Present(Value::Text(version)) => dropped.is_gone_in(&version)?.then(|| version.to_string()),
            Lookup::Absent if dropped.methods || !**set_on_sdk => {
                let asked_in = made.map_or(file, |made| made.file);
                let used = self.major_of(asked_in, object.package)?;
                (used >= major)
                    .then(|| format!("{} {used}", object.package.split_once(':').map_or("", |(_, name)| name)))
            }
            _ => None,
        }
    }

    /// Whether a version is set on the SDK itself: `stripe.api_version = ".."`.
    fn names_version(&self) -> bool {
        self.code().filter(|(_, facts)| !facts.language.is_script()).any(|(_, facts)| {
            facts.blocks.iter().flat_map(|block| &block.steps).any(|step| {
                matches!(step, Step::Assign(target, _)
                    if matches!(facts.expr(*target), ExprKind::Member(_, name) if *name == "api_version"))
            })
        })
    }

    /// Whether the code knows both places: the old one is one of several that are tried, or the new one is read too.
    fn knows_both(&self, file: FileId, facts: &Facts, at: ExprId, field: Name, dropped: &Dropped) -> bool {
        // `x.get("a") if hasattr(x, "get") else x["a"]`
        let asks = |call: &crate::facts::Call| {
            facts.last_name(call.callee).is_some_and(|name| matches!(name.as_str(), "hasattr" | "isinstance"))
        };
        if dropped.methods && facts.calls.iter().any(asks) {
            return true;
        }
        let constant = |expr: &ExprId| {
            matches!(facts.expr(*expr), ExprKind::Null | ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_))
        };
        let tried = self.readers(file).uses(at).iter().any(|used| match used {
            Use::In(outer) => matches!(facts.expr(*outer), ExprKind::Op(Op::Or | Op::Nullish, parts)
                if !parts.iter().filter(|part| **part != at).all(constant)),
            // It is given a value, not read.
            Use::Put => true,
            _ => false,
        });
        let now =
            dropped.fields.get(field.as_str()).and_then(|now| now.split('`').nth(1)?.split(['.', '[', '(']).next());
        let newer = now.is_some_and(|now| {
            facts.exprs.iter().any(
                |expr| matches!(&expr.kind, ExprKind::Member(base, name) if *name == field && reads(facts, *base, now)),
            )
        });
        tried || newer
    }
}

/// Whether a chain of members goes through one of this name.
fn reads(facts: &Facts, at: ExprId, name: &str) -> bool {
    match facts.expr(at) {
        ExprKind::Member(base, member) => *member == name || reads(facts, *base, name),
        ExprKind::Index(base, _) | ExprKind::Await(base) => reads(facts, *base, name),
        ExprKind::Ref(named, block) => {
            let values = facts.lookup(*block, *named).map(|def| facts.def(def).values.as_slice());
            matches!(values, Some(&[only]) if !matches!(facts.expr(only), ExprKind::Ref(..)) && reads(facts, only, name))
        }
        _ => false,
    }
}

/// The way to an object as the catalogue writes it: `subscriptions.list().data[]`.
fn way(object: &External) -> String {
    let mut way = String::new();
    let mut segs = object.segs.iter().peekable();
    while let Some(seg) = segs.next() {
        let called = segs.peek() == Some(&&Seg::Call);
        match seg {
            Seg::Member(name) if *name == "[]" => way.push_str("[]"),
            // One of them, and some of them.
            Seg::Member(name) if called && matches!(name.as_str(), "find" | "at" | "shift" | "pop") => {
                segs.next();
                way.push_str("[]");
            }
            Seg::Member(name) if called && matches!(name.as_str(), "filter" | "slice" | "sort" | "toSorted") => {
                segs.next();
            }
            Seg::Member(name) => {
                if !way.is_empty() {
                    way.push('.');
                }
                way.push_str(name);
            }
            Seg::Call => way.push_str("()"),
            Seg::New => {}
        }
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_parts_of_lists_are_written_alike() {
        let step = |name: &str| Seg::Member(Name::new(name));
        let mut object = External::root(Name::new("npm:stripe"));
        object.segs = vec![Seg::New, step("subscriptions"), step("list"), Seg::Call, step("data")];
        object.segs.extend([step("filter"), Seg::Call, step("at"), Seg::Call]);
        assert_eq!(way(&object), "subscriptions.list().data[]");
    }
}
