//! What tells the rounds of a loop from each other in an idempotency key: the element's id, what it is called, and its
//! place in the list only where there is nothing else.

use crate::facts::{BlockId, BlockKind, CallId, DefId, DefKind, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::keys::scope::is_quoted;
use crate::program::keys::things::is_once;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, FunctionRef, Program};

/// Fields that say whom one message goes to, or which of a few things it is.
const FIELDS: &[&str] = &["email", "phone", "address", "to", "slug", "sku", "code", "token"];

/// Methods of a collection that run their argument for each element.
const EACH: &[&str] = &["map", "forEach", "flatMap", "filter", "reduce"];

/// Members that lists have and rows do not.
const LISTED: &[&str] = &["map", "forEach", "filter", "flatMap", "reduce", "some", "every", "push", "length"];

/// What tells an element from the others.
pub(in crate::program) enum Element {
    /// An id.
    Id(String),
    /// The id of the row that it is, which the code does not read yet.
    Row(String),
    /// Its place in the list.
    Index(String),
    /// What the callers know.
    Outside,
}

impl Element {
    /// Whether it is paid, booked or handed over once, by its name.
    pub(in crate::program) fn is_once(&self) -> bool {
        let (Self::Id(text) | Self::Row(text)) = self else { return false };
        let name = match text.rsplit_once('.') {
            Some((name, "id" | "_id" | "uuid" | "pk")) => name,
            _ => text.split("['").next().unwrap_or(text),
        };
        let mut said = words(name);
        if said.len() > 1 && matches!(said.last().map(String::as_str), Some("id" | "uuid")) {
            said.pop();
        }
        is_once(&said)
    }
}

impl Program {
    /// What tells one run of a call from the others, where it runs once for each element of a list.
    pub(in crate::program) fn element_of(&self, at: CallRef) -> Option<Element> {
        if let Some(element) = self.elements_around(at).into_iter().next() {
            return Some(element);
        }
        let function = self.function_of(at);
        // A function that is called in a loop, or for each element.
        let callers = self.callers(function);
        let each = |&caller: &CallRef| {
            let facts = self.facts(caller.file);
            let retried: Vec<_> = self.retried_at(caller).map(|retry| retry.region).collect();
            let in_loop = facts.enclosing(facts.call(caller.call).block).any(|(id, block)| match block.kind {
                BlockKind::Loop(Some(head)) if !retried.contains(&block.span) => {
                    self.looped(caller.file, id, head).is_some()
                }
                _ => false,
            });
            in_loop || self.handed_element(self.function_of(caller)).is_some()
        };
        let runs_itself = function.function != FunctionId::MODULE && self.entries_of(function).is_empty();
        (runs_itself && callers.iter().any(each)).then_some(Element::Outside)
    }

    /// What tells the rounds of the loops around a call's own loop from each other, outermost first.
    pub(in crate::program) fn outer_elements(&self, at: CallRef) -> Vec<String> {
        let mut elements = self.elements_around(at).into_iter();
        // A place in a list tells nothing without the place of the list.
        let by_place = matches!(elements.next(), Some(Element::Index(_)));
        let texts = elements.filter_map(|element| match element {
            Element::Id(text) | Element::Row(text) => Some(text),
            Element::Index(text) => Some(text).filter(|_| by_place),
            Element::Outside => None,
        });
        let mut texts: Vec<String> = texts.take(2).collect();
        texts.reverse();
        texts
    }

    /// What tells the rounds of the loops and callbacks around a call from each other, innermost first.
    fn elements_around(&self, at: CallRef) -> Vec<Element> {
        let facts = self.facts(at.file);
        let retried: Vec<_> = self.retried_at(at).map(|retry| retry.region).collect();
        let elements = facts.enclosing(facts.call(at.call).block).filter_map(|(id, block)| match block.kind {
            BlockKind::Loop(Some(head)) if !retried.contains(&block.span) => self.looped(at.file, id, head),
            BlockKind::Body => self.handed_element(FunctionRef::new(at.file, block.function)),
            _ => None,
        });
        elements.collect()
    }

    /// Whether a loop's rounds are for the elements of a list.
    pub(in crate::program) fn rounds_are_elements(&self, at: CallRef, id: BlockId, head: ExprId) -> bool {
        self.looped(at.file, id, head).is_some()
    }

    /// The element that a callback of `map` and its kind is given.
    pub(in crate::program) fn handed_element(&self, function: FunctionRef) -> Option<Element> {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let edge = self.incoming(function).iter().find(|edge| {
            let call = facts.calls.get(edge.call.call.index());
            edge.kind == EdgeKind::Callback
                && edge.call.file == function.file
                && call.is_some_and(|call| {
                    matches!(facts.expr(call.callee), ExprKind::Member(_, name) if EACH.contains(&name.as_str()))
                        && call.args.first().is_some_and(|arg| facts.span(arg.value).contains(shape.span))
                })
        })?;
        let reduces = facts.last_name(facts.call(edge.call.call).callee).is_some_and(|name| name == "reduce");
        let at = usize::from(reduces);
        let body = shape.body;
        let param = shape.params.get(at)?;
        let index = shape.params.get(at + 1).and_then(|param| param.name).map(|name| name.to_string());
        let list = match facts.expr(facts.call(edge.call.call).callee) {
            ExprKind::Member(base, _) => Some(*base),
            _ => None,
        };
        let id = match param.name {
            Some(name) => {
                let holds = |block| facts.lookup(block, name).is_some_and(|def| facts.def(def).block == body);
                id_of(facts, &name, holds)
                    .map(Element::Id)
                    .or_else(|| self.told_apart(function.file, list?, name, &holds))
            }
            None => facts
                .defs
                .iter()
                .find(|def| def.kind == DefKind::Param && def.block == body && is_id(&def.name))
                .map(|def| Element::Id(def.name.to_string())),
        };
        Some(id.unwrap_or_else(|| Element::Index(index.unwrap_or_else(|| "index".to_owned()))))
    }

    /// What tells the elements of a list without an id at hand from each other: the id of the row that each of them is,
    /// the element itself, an address or name that it has.
    fn told_apart(&self, file: FileId, list: ExprId, name: Name, holds: &dyn Fn(BlockId) -> bool) -> Option<Element> {
        let facts = self.facts(file);
        let is_it = |expr: ExprId| matches!(facts.expr(expr), ExprKind::Ref(of, block) if *of == name && holds(*block));
        let fields = facts.exprs.iter().enumerate().filter_map(|(at, expr)| match expr.kind {
            ExprKind::Member(base, field) if is_it(base) => Some((ExprId(at as u32), base, field)),
            _ => None,
        });
        let fields: Vec<(ExprId, ExprId, Name)> = fields.collect();
        let is_written = matches!(facts.expr(list), ExprKind::Ref(of, block) if facts.lookup(*block, *of).is_some_and(|def| {
            facts.def(def).values.iter().any(|&value| matches!(facts.expr(value), ExprKind::List(_)))
        }));
        let tells = |field: &Name| {
            let last = words(field).pop().unwrap_or_default();
            FIELDS.contains(&last.as_str()) || is_written && matches!(last.as_str(), "name" | "key")
        };
        let quoted = |&(expr, base, field): &(ExprId, ExprId, Name)| {
            is_quoted(facts, facts.span(expr).end.saturating_sub(facts.span(base).end), field)
        };
        let of = |field: &str, quoted: bool| match quoted {
            true => format!("{name}['{field}']"),
            false => format!("{name}.{field}"),
        };
        let row = || Element::Row(of("id", fields.iter().any(quoted)));
        // A part of a list has no id: `for (const batch of chunk(people, 100))`, then `batch.map(..)`.
        if fields.iter().any(|(_, _, field)| LISTED.contains(&field.as_str())) {
            return None;
        }
        if self.is_queried(file, list, 8) {
            return Some(row());
        }
        // A list of addresses.
        let said = words(&name).pop().unwrap_or_default();
        if fields.is_empty() {
            let plain = FIELDS.contains(&said.as_str()) || matches!(said.as_str(), "recipient" | "mail");
            return plain.then(|| Element::Id(name.to_string()));
        }
        if let Some(found) = fields.iter().find(|(_, _, field)| tells(field)) {
            return Some(Element::Id(of(&found.2, quoted(found))));
        }
        // The request's own list comes again as it is.
        let at = facts.blocks.iter().rfind(|block| block.span.contains(facts.span(list)));
        let owner = at.map(|block| self.owner_around(FunctionRef::new(file, block.function)));
        let sent = owner.is_some_and(|owner| {
            !self.entries_of(owner).is_empty() && self.is_brought(CallRef::new(file, CallId(0)), owner, list)
        });
        (!is_written && !sent && !name.starts_with('_')).then(row)
    }

    /// Whether a list is what a query of the app's own database found.
    fn is_queried(&self, file: FileId, list: ExprId, depth: usize) -> bool {
        const FINDS: &[&str] =
            &["findMany", "findAll", "fetchall", "fetch", "scalars", "filter_by", "toArray", "select", "query", "all"];
        let (facts, Some(depth)) = (self.facts(file), depth.checked_sub(1)) else { return false };
        match facts.expr(list) {
            ExprKind::Await(inner) | ExprKind::Member(inner, _) => self.is_queried(file, *inner, depth),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => {
                parts.first().is_some_and(|&first| self.is_queried(file, first, depth))
            }
            ExprKind::Ref(name, block) => facts
                .lookup(*block, *name)
                .is_some_and(|def| facts.def(def).values.iter().any(|&value| self.is_queried(file, value, depth))),
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let own = |used: &crate::program::VendorUse| self.catalogue.vendor(used.vendor).own_backend;
                let ExprKind::Member(base, name) = *facts.expr(shape.callee) else { return false };
                let all = matches!(facts.expr(base), ExprKind::Ref(of, _) if *of == "Promise");
                self.vendors_at(CallRef::new(file, *call)).iter().any(own)
                    || !all && FINDS.contains(&name.as_str())
                    || name != "map" && self.is_queried(file, base, depth)
            }
            _ => false,
        }
    }

    /// What a loop's rounds are told apart by.
    fn looped(&self, file: FileId, id: BlockId, head: ExprId) -> Option<Element> {
        let facts = self.facts(file);
        // `for (let i = 0; i < items.length; i++)`
        if let ExprKind::Op(crate::facts::Op::Compare, parts) = facts.expr(head) {
            let counts = parts.iter().any(
                |&part| matches!(facts.expr(part), ExprKind::Member(_, name) if matches!(name.as_str(), "length" | "size")),
            );
            let counter = parts.iter().find_map(|&part| match facts.expr(part) {
                ExprKind::Ref(name, _) => Some(name.to_string()),
                _ => None,
            });
            return counts.then_some(Element::Index(counter?));
        }
        // `for attempt in range(3)`
        if let ExprKind::Call(call) = facts.expr(head)
            && facts.last_name(facts.call(*call).callee).is_some_and(|name| name == "range")
        {
            return None;
        }
        let block = facts.block(id);
        let of_head = |def: &crate::facts::Def| def.values.iter().any(|&value| is_element(facts, value, head, 4));
        let defs: Vec<DefId> = (0..facts.defs.len() as u32)
            .map(DefId)
            .filter(|&def| block.span.contains(facts.def(def).span) || facts.def(def).block == id)
            .filter(|&def| of_head(facts.def(def)))
            .collect();
        let ids = defs.iter().find_map(|&def| {
            let name = facts.def(def).name;
            id_of(facts, &name, |block| facts.lookup(block, name) == Some(def))
        });
        let destructured = defs.len() > 1;
        let names = || defs.iter().map(|&def| facts.def(def).name).filter(|_| destructured);
        let told = |name: &Name| words(name).pop().is_some_and(|last| FIELDS.contains(&last.as_str()));
        // `for (const [rep, leads] of byRep.entries())`: the key comes first.
        let keyed = match facts.expr(head) {
            ExprKind::Call(call) => facts
                .last_name(facts.call(*call).callee)
                .is_some_and(|name| matches!(name.as_str(), "entries" | "items")),
            _ => false,
        };
        let own = names().find(|name| is_id(name)).or_else(|| names().find(told));
        let own = own.or_else(|| names().next().filter(|_| keyed));
        // `for (const id in byCustomer)`: its keys tell themselves apart.
        let unknown = |&value: &ExprId| matches!(facts.expr(value), ExprKind::Unknown);
        let keys = || {
            let mut own = facts
                .defs
                .iter()
                .filter(|def| def.block == id && def.kind != DefKind::Param && def.values.iter().all(unknown));
            let first = own.next().filter(|def| def.span.start < first_step(facts, id))?;
            Some(Element::Id(first.name.to_string()))
        };
        if defs.is_empty() {
            return keys();
        }
        (!defs.is_empty()).then(|| match own.map(|name| name.to_string()).or(ids) {
            Some(id) => Element::Id(id),
            None => {
                let only = defs.first().filter(|_| !destructured).map(|&def| (def, facts.def(def).name));
                let told = only.and_then(|(def, name)| {
                    self.told_apart(file, head, name, &|block| facts.lookup(block, name) == Some(def))
                });
                told.unwrap_or_else(|| Element::Index("index".to_owned()))
            }
        })
    }
}

/// Where a loop's head ends: at what it goes over.
fn first_step(facts: &Facts, id: BlockId) -> u32 {
    match facts.block(id).kind {
        BlockKind::Loop(Some(head)) => facts.span(head).start,
        _ => 0,
    }
}

fn is_element(facts: &Facts, value: ExprId, head: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(value) {
        ExprKind::ElementOf(list) => *list == head,
        ExprKind::Member(inner, _) | ExprKind::Index(inner, _) | ExprKind::Await(inner) => {
            is_element(facts, *inner, head, depth)
        }
        _ => false,
    }
}

/// The id of what a name holds, as the code reads it elsewhere: `person.id`; a name that is an id itself.
fn id_of(facts: &Facts, name: &str, holds: impl Fn(BlockId) -> bool) -> Option<String> {
    if is_id(name) {
        return Some(name.to_owned());
    }
    let mut fields = facts.exprs.iter().filter_map(|expr| match expr.kind {
        ExprKind::Member(base, field) if matches!(field.as_str(), "id" | "_id" | "uuid" | "pk") => {
            match facts.expr(base) {
                ExprKind::Ref(object, block) if *object == *name && holds(*block) => Some(field),
                _ => None,
            }
        }
        _ => None,
    });
    fields.next().map(|field| format!("{name}.{field}"))
}

fn is_id(name: &str) -> bool {
    words(name).last().is_some_and(|last| matches!(last.as_str(), "id" | "uuid" | "pk"))
}
