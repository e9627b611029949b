//! Where a value comes from: out of what the request says, out of what the server knows, or that cannot be told.
//!
//! A value is followed back through names, members, arithmetic, own functions and the callers of helpers, with the
//! members still to be taken from what is found: `const { amount } = body` asks the body for `amount`.

use rustc_hash::FxHashSet;

use crate::facts::{DefId, DefKind, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::assigned::Holder;
use crate::program::values::payload::segments;
use crate::program::verify::words;
use crate::program::{CallRef, Edge, EdgeKind, EntryKind, ExprRef, FunctionRef, Program, Value};

pub mod asked;
mod calls;
mod entrance;
pub mod touched;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The program's own text: numbers, texts, settings.
    Constant,
    /// What the server knows or works out: its database, a vendor, a table of prices.
    Server,
    /// The request: whoever calls decides.
    Request(Source),
    /// That cannot be told.
    Unknown,
}

/// A value that the request brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Where it is taken out of the request.
    pub read: ExprRef,
    /// What it is called on its way, from the use back to the request.
    pub names: Vec<Name>,
    /// The field of the request.
    pub field: Option<Name>,
    /// What is taken out of the request, of several members the innermost: `price` of `dishes[].price`.
    pub leaf: Option<Name>,
    /// What else of the request is taken off it.
    pub off: Option<Box<Source>>,
    /// The functions it passes, from the use back to the request.
    pub functions: Vec<FunctionRef>,
    /// The calls that hand it on, from the use back to the request.
    pub calls: Vec<CallRef>,
}

impl Source {
    /// Whether it is taken out of the row that the database says has changed, as its webhooks bring it: `{ record }`.
    pub fn is_row_change(&self) -> bool {
        self.names.iter().chain(&self.field).any(|name| *name == "record")
    }
}

impl Program {
    /// Where the value under a dotted name of a value comes from, as one way gets there (none: as any does).
    pub fn origin_on(&self, way: &[Edge], at: ExprRef, path: &[Name]) -> Origin {
        let mut tracer = Tracer::new(self);
        tracer.entered = way.iter().map(|edge| (edge.target, edge.call, edge.kind)).collect();
        tracer.origin(at, &mut path.iter().rev().copied().collect())
    }
}

/// How many expressions one question may look at.
const MOST_STEPS: usize = 1_500;

struct Tracer<'p> {
    program: &'p Program,
    steps: usize,
    /// What is being asked, so that a value that is made of itself ends.
    active: FxHashSet<(ExprRef, usize)>,
    stack: Vec<ExprRef>,
    /// By which call a function was entered from outside: its parameters are that call's arguments.
    entered: Vec<(FunctionRef, CallRef, EdgeKind)>,
    calls: Vec<CallRef>,
    /// The variables being asked, with how many calls were entered: one that is made of itself says nothing new.
    made: Vec<(FileId, DefId, usize)>,
}

/// What holds of several values of which any can be meant.
fn any_of(origins: impl IntoIterator<Item = Origin>) -> Origin {
    let rank = |origin: &Origin| match origin {
        Origin::Constant => 0,
        Origin::Server => 1,
        Origin::Unknown => 2,
        // Of `item.price * item.quantity` the price is what matters, and of a sum not what is put on top or taken off.
        Origin::Request(source) => {
            let says = |says: fn(&str) -> bool| source.leaf.is_some_and(|name| says(&name));
            let last = source.names.last().is_some_and(|name| says_amount(name));
            match () {
                () if says(says_discount) || says(says_tip) => 3,
                () if says(says_extra) => 4,
                () if says(says_amount) || last => 5,
                () => 4,
            }
        }
    };
    let mut off = None;
    let mut found = Origin::Constant;
    for origin in origins {
        let (kept, other) = if rank(&origin) >= rank(&found) { (origin, found) } else { (found, origin) };
        found = kept;
        if let Origin::Request(source) = other {
            off = source.off.clone().or(off);
            if source.leaf.is_some_and(|name| says_discount(&name)) {
                off = Some(Box::new(source));
            }
        }
    }
    if let Origin::Request(source) = &mut found
        && source.off.is_none()
    {
        source.off = off;
    }
    found
}

/// Whether a name says an amount of money.
pub fn says_amount(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "amount"
                | "amounts"
                | "price"
                | "prices"
                | "total"
                | "subtotal"
                | "cost"
                | "fee"
                | "cents"
                | "sum"
                | "charge"
                | "payable"
                | "valor"
                | "preco"
                | "precio"
                | "betrag"
                | "preis"
                | "montant"
                | "prix"
                | "monto"
        )
    })
}

/// Whether a name says what is taken off a price.
pub fn says_discount(name: &str) -> bool {
    let words = words(name);
    // Of tickets at a discount it says how many.
    let counts = |word: &String| {
        matches!(
            word.trim_end_matches('s'),
            "ticket" | "count" | "quantity" | "qty" | "seat" | "person" | "item" | "code" | "id"
        )
    };
    !words.iter().any(counts)
        && words.iter().any(|word| {
            matches!(word.as_str(), "discount" | "discounts" | "rabatt" | "desconto" | "descuento" | "remise")
        })
}

/// Whether a name says what comes along with the price of what is sold.
fn says_extra(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(word.as_str(), "fee" | "fees" | "tax" | "vat" | "shipping" | "delivery" | "postage" | "surcharge")
    })
}

/// Whether a name says what a payer puts on top of a price.
pub fn says_tip(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(word.as_str(), "tip" | "tips" | "gratuity" | "trinkgeld" | "propina" | "gorjeta" | "pourboire")
    })
}

impl<'p> Tracer<'p> {
    fn new(program: &'p Program) -> Self {
        Self {
            program,
            steps: 0,
            active: FxHashSet::default(),
            stack: vec![],
            entered: vec![],
            calls: vec![],
            made: vec![],
        }
    }

    fn source(&self, read: ExprRef, path: &[Name]) -> Origin {
        let mut names: Vec<Name> = Vec::new();
        let mut functions: Vec<FunctionRef> = Vec::new();
        for &at in &self.stack {
            let facts = self.program.facts(at.file);
            if let ExprKind::Ref(name, block) = *facts.expr(at.expr) {
                names.push(name);
                functions.push(FunctionRef::new(at.file, facts.function_of(block)));
            } else if let ExprKind::Member(_, name) = *facts.expr(at.expr) {
                names.push(name);
            }
        }
        let taken = || path.iter().rev().copied().filter(|name| *name != "[]");
        let field = taken().next().or(names.last().copied());
        let leaf = taken().next_back().or(field);
        names.extend(taken());
        let mut seen = FxHashSet::default();
        names.retain(|name| seen.insert(*name));
        functions.dedup();
        Origin::Request(Source { read, names, field, leaf, off: None, functions, calls: self.calls.clone() })
    }

    /// Where a value comes from, of which the members of `path` are still to be taken, the last one first.
    fn origin(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Origin {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.stack.len() > 60 {
            return Origin::Unknown;
        }
        if !self.active.insert((at, path.len())) {
            return Origin::Constant;
        }
        self.stack.push(at);
        let origin = self.of_kind(at, path);
        self.stack.pop();
        self.active.remove(&(at, path.len()));
        origin
    }

    fn of_kind(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Origin {
        let facts = self.program.facts(at.file);
        let here = |expr: ExprId| ExprRef::new(at.file, expr);
        if let Some(origin) = self.read_of_request(at, path) {
            return origin;
        }
        match facts.expr(at.expr) {
            ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null | ExprKind::Env(_) => {
                Origin::Constant
            }
            ExprKind::Template(parts) => self.any(at, parts, path),
            ExprKind::Await(inner) | ExprKind::Spread(inner) | ExprKind::ElementOf(inner) => {
                self.origin(here(*inner), path)
            }
            ExprKind::Member(base, name) => {
                path.push(*name);
                let origin = self.origin(here(*base), path);
                path.pop();
                origin
            }
            ExprKind::Index(base, index) => {
                // `request.form[field]` is the request's; `PRICES[plan]` is the table's, whoever names the plan.
                let _ = index;
                path.push(Name::new("[]"));
                let origin = self.origin(here(*base), path);
                path.pop();
                if origin == Origin::Constant { Origin::Server } else { origin }
            }
            ExprKind::Object(entries) => self.object(at, entries, path),
            ExprKind::List(items) => {
                let element = path.last().is_some_and(|name| *name == "[]");
                let popped = if element { path.pop() } else { None };
                let origin = self.any(at, items, path);
                path.extend(popped);
                origin
            }
            ExprKind::Op(op, parts) => self.operator(at, *op, parts, path),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                Some(def) => self.definition(at, def, path),
                None => Origin::Unknown,
            },
            ExprKind::Imported(..) => self.by_value(at, path),
            ExprKind::Param(function, index) => self.param(at, FunctionRef::new(at.file, *function), *index, path),
            ExprKind::Call(call) => self.call(at, CallRef::new(at.file, *call), path),
            _ => Origin::Unknown,
        }
    }

    fn any(&mut self, at: ExprRef, parts: &[ExprId], path: &mut Vec<Name>) -> Origin {
        let origins: Vec<Origin> = parts.iter().map(|&part| self.origin(ExprRef::new(at.file, part), path)).collect();
        any_of(origins)
    }

    fn object(&mut self, at: ExprRef, entries: &[(Name, ExprId)], path: &mut Vec<Name>) -> Origin {
        // Forms write the whole way in one key: `"line_items[0][price]": id`.
        if let Some(&(_, value)) = entries.iter().find(|(key, _)| is_whole(*key, path)) {
            return self.origin(ExprRef::new(at.file, value), &mut vec![]);
        }
        let Some(name) = path.pop() else {
            let values: Vec<ExprId> = entries.iter().map(|&(_, value)| value).collect();
            return self.any(at, &values, path);
        };
        let mut values: Vec<ExprRef> = entries
            .iter()
            .filter(|(key, _)| *key == name || name == "[]" && *key != "...")
            .map(|&(_, value)| ExprRef::new(at.file, value))
            .collect();
        let later = self.program.puts(Holder::Object(at)).iter().filter(|put| put.name == name);
        values.extend(later.filter_map(|put| put.value));
        let found: Vec<Origin> = values.iter().map(|&value| self.origin(value, path)).collect();
        path.push(name);
        if !found.is_empty() {
            return any_of(found);
        }
        let spread: Vec<ExprId> =
            entries.iter().filter(|(key, _)| *key == "..." || *key == "[]").map(|&(_, value)| value).collect();
        self.any(at, &spread, path)
    }

    fn operator(&mut self, at: ExprRef, op: Op, parts: &[ExprId], path: &mut Vec<Name>) -> Origin {
        let parts = match op {
            Op::Choose if parts.len() == 3 => &parts[1..],
            Op::Assign if parts.len() == 2 => &parts[1..],
            Op::And if parts.len() == 2 => &parts[1..],
            // A truth value is no amount.
            Op::Not | Op::Equal | Op::Unequal | Op::Compare | Op::In | Op::Instance | Op::TypeOf => {
                return Origin::Constant;
            }
            _ => parts,
        };
        if !matches!(op, Op::Add | Op::Arithmetic) {
            return self.any(at, parts, path);
        }
        let origins: Vec<Origin> = parts.iter().map(|&part| self.origin(ExprRef::new(at.file, part), path)).collect();
        // `product.price * quantity`: the price is the server's, the quantity may well be the customer's.
        if origins.contains(&Origin::Server) {
            let discount = origins.into_iter().find(|origin| match origin {
                Origin::Request(source) => source.names.iter().any(|name| says_discount(name)),
                _ => false,
            });
            // `price * (1 - body.discount / 100)`: whoever sets what is taken off sets the price.
            return discount.unwrap_or(Origin::Server);
        }
        let facts = self.program.facts(at.file);
        let rate = parts
            .iter()
            .zip(&origins)
            .any(|(&part, origin)| *origin == Origin::Constant && self.is_rate(ExprRef::new(at.file, part), facts));
        match any_of(origins) {
            // `UNIT_PRICE * quantity`: a price that the program's text sets.
            Origin::Request(source) if rate && !source.names.iter().any(|name| says_amount(name)) => Origin::Server,
            origin => origin,
        }
    }

    /// Whether a constant is more than a change of units: 100 cents are one euro.
    fn is_rate(&self, at: ExprRef, facts: &Facts) -> bool {
        let number = match facts.expr(at.expr) {
            ExprKind::Number(number) => Some(*number),
            _ => match self.program.value(at) {
                Value::Number(number) => Some(number),
                _ => None,
            },
        };
        !number.is_some_and(|number| [0.0, 1.0, 10.0, 100.0, 1000.0, 0.01, 0.001, 0.5].contains(&number))
    }

    fn definition(&mut self, at: ExprRef, def: crate::facts::DefId, path: &mut Vec<Name>) -> Origin {
        let facts = self.program.facts(at.file);
        let shape = facts.def(def);
        if matches!(shape.kind, DefKind::Import | DefKind::Function | DefKind::Class) {
            return self.by_value(at, path);
        }
        let asked = (at.file, def, self.calls.len());
        let again = self.made.iter().filter(|made| **made == asked).count();
        if shape.values.len() > 1 && again > 0 {
            // `if (!body.to && body.record) body = body.record`: what it was made of first.
            let first = shape.values.first().filter(|_| again < 2);
            self.made.push(asked);
            let origin = first.map_or(Origin::Constant, |&value| self.origin(ExprRef::new(at.file, value), path));
            self.made.pop();
            return origin;
        }
        self.made.push(asked);
        let mut origins: Vec<Origin> =
            shape.values.iter().map(|&value| self.origin(ExprRef::new(at.file, value), path)).collect();
        self.made.pop();
        let pushed = self.pushed(at, def);
        let lists = !pushed.is_empty();
        let element = lists && path.last().is_some_and(|name| *name == "[]");
        let popped = if element { path.pop() } else { None };
        origins.extend(pushed.into_iter().map(|value| self.origin(value, path)));
        path.extend(popped);
        if shape.values.len() > 1 && !lists {
            // `let amount = body.amount; if (order) amount = order.total`: which of them counts is not known.
            let mixed = origins.contains(&Origin::Server) || origins.contains(&Origin::Unknown);
            if mixed && origins.iter().any(|origin| matches!(origin, Origin::Request(_))) {
                return Origin::Unknown;
            }
        }
        if origins.is_empty() { Origin::Unknown } else { any_of(origins) }
    }

    /// What is pushed to a list that starts empty: `lineItems.push({ .. })`.
    fn pushed(&self, at: ExprRef, def: crate::facts::DefId) -> Vec<ExprRef> {
        let facts = self.program.facts(at.file);
        let shape = facts.def(def);
        let is_list = shape.values.first().is_some_and(|&value| matches!(facts.expr(value), ExprKind::List(_)));
        if !is_list {
            return vec![];
        }
        let owner = FunctionRef::new(at.file, facts.function_of(shape.block));
        let mut found = Vec::new();
        for function in self.program.with_inner(owner) {
            for call in self.program.calls_in(function) {
                let call = facts.call(call.call);
                let ExprKind::Member(base, name) = facts.expr(call.callee) else { continue };
                if !matches!(name.as_str(), "push" | "append") {
                    continue;
                }
                if let ExprKind::Ref(of, block) = facts.expr(*base)
                    && facts.lookup(*block, *of) == Some(def)
                {
                    found.extend(call.args.iter().map(|arg| ExprRef::new(at.file, arg.value)));
                }
            }
        }
        found
    }

    /// What constant propagation knows of an imported thing.
    fn by_value(&mut self, at: ExprRef, path: &mut Vec<Name>) -> Origin {
        let value = self.program.value(at);
        let origins: Vec<Origin> = value
            .alternatives()
            .iter()
            .map(|value| match value {
                Value::Text(_)
                | Value::Number(_)
                | Value::Bool(_)
                | Value::Null
                | Value::Env(_)
                | Value::Template(_) => Origin::Constant,
                Value::Object(inner) | Value::List(inner) if *inner != at => self.origin(*inner, path),
                Value::Module(_) | Value::Object(_) | Value::List(_) => Origin::Server,
                _ => Origin::Unknown,
            })
            .collect();
        any_of(origins)
    }

    fn is_entry(&self, function: FunctionRef) -> Option<EntryKind> {
        let kinds = || self.program.entries_of(function).iter().map(|&entry| self.program.entries[entry].kind);
        // `<form action={save}>` names an action, which stays a door of its own.
        kinds().find(|&kind| kind == EntryKind::ServerAction).or_else(|| kinds().next())
    }
}

/// Whether a key of a form names all the members that are still to be taken, or the only one.
fn is_whole(key: Name, path: &[Name]) -> bool {
    (key.contains('[') || path.len() == 1) && segments(&key).iter().rev().eq(path)
}

/// The function around a function that is not a callback of its own, at the outside: what handles a request, where
/// all handlers are written into one function that registers them.
pub(crate) fn outermost(program: &Program, function: FunctionRef) -> FunctionRef {
    let facts = program.facts(function.file);
    let mut at = function.function;
    while let Some(parent) = facts.function(at).parent {
        if parent == FunctionId::MODULE || !program.entries_of(FunctionRef::new(function.file, at)).is_empty() {
            break;
        }
        at = parent;
    }
    FunctionRef::new(function.file, at)
}
