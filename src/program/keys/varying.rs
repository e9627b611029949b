//! What of a request goes into a call: a key that holds less than this is refused, or gives back what was asked for
//! before, as soon as the request says something else.

use rustc_hash::FxHashSet;

use crate::facts::{BlockKind, DefId, DefKind, ExprId, ExprKind, Facts, FunctionId, Op};
use crate::names::Name;
use crate::program::keys::scope::Made;
use crate::program::values::requested::says_amount;
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, FunctionRef, Program, VendorUse};

/// What a request is called where a framework hands it out by import.
const REQUESTS: &[&str] = &["req", "request"];

/// Parts of a request that say who asks or how, not what is asked for.
const WHO: &[&str] = &[
    "headers", "cookies", "user", "auth", "session", "method", "ip", "signal", "env", "app", "locals", "state",
    "context",
];

/// What hands out a part of a request, or the same thing in another form.
const TAKES: &[&str] = &[
    "json",
    "text",
    "formData",
    "form",
    "get",
    "getAll",
    "get_json",
    "getlist",
    "clone",
    "param",
    "query",
    "valid",
    "parse",
    "safeParse",
    "parseAsync",
    "safeParseAsync",
    "validate",
    "validateSync",
    "loads",
    "trim",
    "strip",
    "toLowerCase",
    "lower",
    "toString",
    "model_dump",
    "dict",
    "String",
    "Number",
    "parseInt",
    "parseFloat",
    "str",
    "int",
    "float",
    "URL",
    "Decimal",
    "Boolean",
    "toUpperCase",
    "upper",
];

/// What stands for the request's own words once it has been read.
const READ: &[&str] = &[
    "body",
    "query",
    "params",
    "form",
    "json",
    "args",
    "values",
    "POST",
    "GET",
    "data",
    "searchParams",
    "get_json",
    "formData",
    "text",
    "path_params",
    "query_params",
    "param",
    "input",
    "valid",
    "nextUrl",
    "url",
    "getAll",
];

/// A part of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::program) struct Leaf {
    /// What the request calls it; none for all of it.
    pub(in crate::program) name: Option<Name>,
    /// How the code writes it at the call.
    pub(in crate::program) text: Option<String>,
    /// What it is taken out of, by name.
    pub(in crate::program) root: Option<DefId>,
}

impl Leaf {
    /// How the code writes it, where it says which of several things is meant rather than a text of any length.
    pub(in crate::program) fn tells(&self) -> Option<String> {
        const TELLS: &[&str] = &[
            "step",
            "index",
            "number",
            "round",
            "kind",
            "type",
            "stage",
            "status",
            "state",
            "template",
            "action",
            "event",
            "phase",
            "level",
            "day",
            "date",
            "week",
            "month",
            "year",
            "period",
            "time",
            "slot",
            "plan",
            "interval",
            "tier",
            "locale",
            "language",
            "lang",
            "to",
            "email",
            "recipient",
            "role",
            "version",
            "decision",
            "approved",
            "part",
            "parts",
            "sequence",
            "quantity",
            "count",
        ];
        let last = words(&self.name?).pop()?;
        (self.is_id() || self.is_amount() || TELLS.contains(&last.as_str())).then(|| self.text.clone())?
    }

    /// Whether it is an id.
    pub(in crate::program) fn is_id(&self) -> bool {
        let said = self.name.map(|name| words(&name)).unwrap_or_default();
        said.last().is_some_and(|last| matches!(last.as_str(), "id" | "uuid"))
    }

    /// Whether it says which of several things about one row is meant, rather than for whom.
    pub(in crate::program) fn is_which(&self) -> bool {
        let said = self.name.map(|name| words(&name)).unwrap_or_default();
        let whom = said.last().is_none_or(|last| matches!(last.as_str(), "to" | "email" | "recipient" | "id" | "uuid"));
        !whom
    }

    /// Whether it is a sum of money.
    pub(in crate::program) fn is_amount(&self) -> bool {
        self.name.is_some_and(|name| says_amount(&name))
    }
}

/// A value of the request.
struct Brought {
    /// Taken out of what the request says, rather than the request itself.
    read: bool,
    name: Option<Name>,
    root: Option<DefId>,
}

/// Looks for what of the request an expression is made of.
struct Seeker<'p> {
    program: &'p Program,
    at: CallRef,
    facts: &'p Facts,
    owner: FunctionRef,
    seen: FxHashSet<ExprId>,
    found: Vec<Leaf>,
}

impl Program {
    /// What of the request goes into a call, or decides that it is made.
    pub(in crate::program) fn varying(&self, used: &VendorUse, owner: FunctionRef) -> Vec<Leaf> {
        let facts = self.facts(used.at.file);
        let call = facts.call(used.at.call);
        let mut seeker = Seeker::new(self, used.at, owner);
        call.args.iter().for_each(|arg| seeker.look(arg.value, 24));
        let span = facts.function(owner.function).span;
        for (_, block) in facts.enclosing(call.block).filter(|(_, block)| span.contains(block.span)) {
            match block.kind {
                BlockKind::Then(asked) | BlockKind::Else(asked) | BlockKind::Case(asked, _) => seeker.look(asked, 24),
                _ => {}
            }
        }
        seeker.found
    }

    /// What of the request an expression is made of.
    pub(in crate::program) fn varying_in(&self, at: CallRef, owner: FunctionRef, expr: ExprId) -> Vec<Leaf> {
        let mut seeker = Seeker::new(self, at, owner);
        seeker.look(expr, 24);
        seeker.found
    }

    /// The sum that a call asks for: as its code writes it, nothing where it cannot be written, none where it is
    /// constant or a price of the vendor's.
    pub(in crate::program) fn amount_of(&self, used: &VendorUse) -> Option<Option<String>> {
        let facts = self.facts(used.at.file);
        let call = facts.call(used.at.call);
        let whole = facts.span(call.expr);
        let named = call.args.iter().filter_map(|arg| Some((arg.name?, arg.value)));
        let inside = facts.objects().filter(|(at, _)| whole.contains(facts.span(*at)));
        let given = inside.flat_map(|(_, entries)| entries.iter().copied()).chain(named);
        let given: Vec<(Name, ExprId)> = given.collect();
        let sums = given.iter().filter(|(key, _)| says_amount(key));
        let mut found: Option<Option<String>> = None;
        for &(_, value) in sums {
            if matches!(facts.expr(value), ExprKind::Object(_)) || self.is_fixed(used.at, value, 4) {
                continue;
            }
            let text = self.sum_printed(used.at, value, 4);
            found = match (&found, text) {
                (None, text) => Some(text),
                (Some(Some(one)), Some(other)) if *one == other => found,
                _ => Some(None),
            };
        }
        // `line_items: items`
        let lists = given.iter().any(|&(key, value)| {
            matches!(key.as_str(), "line_items" | "lineItems" | "items")
                && !matches!(facts.expr(value), ExprKind::List(_))
        });
        found.or(lists.then_some(None))
    }

    /// Whether a sum is the program's own text.
    fn is_fixed(&self, at: CallRef, value: ExprId, depth: usize) -> bool {
        let (facts, Some(depth)) = (self.facts(at.file), depth.checked_sub(1)) else { return false };
        match facts.expr(value) {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Env(_) | ExprKind::Null => true,
            ExprKind::Op(_, parts) => parts.iter().all(|&part| self.is_fixed(at, part, depth)),
            ExprKind::Ref(name, block) => facts.lookup(*block, *name).is_none_or(|def| {
                let def = facts.def(def);
                def.kind == DefKind::Import
                    || !def.values.is_empty() && def.values.iter().all(|&value| self.is_fixed(at, value, depth))
            }),
            _ => false,
        }
    }

    /// A sum as the code writes it: `order.total` of `Math.round(order.total * 100)`.
    fn sum_printed(&self, at: CallRef, value: ExprId, depth: usize) -> Option<String> {
        let (facts, depth) = (self.facts(at.file), depth.checked_sub(1)?);
        if let Some((text, _)) = self.printed(at, value) {
            return (self.made(at, value, 6) != Made::New).then_some(text);
        }
        match facts.expr(value) {
            ExprKind::Op(Op::Arithmetic | Op::Add | Op::Or | Op::Nullish, parts) | ExprKind::Template(parts) => {
                let mut open = parts.iter().filter(|&&part| !self.is_fixed(at, part, 4));
                let only = open.next()?;
                open.next().is_none().then(|| self.sum_printed(at, *only, depth))?
            }
            ExprKind::Call(call) => match &facts.call(*call).args[..] {
                [only] => self.sum_printed(at, only.value, depth),
                [] => match facts.expr(facts.call(*call).callee) {
                    ExprKind::Member(base, _) => self.sum_printed(at, *base, depth),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether an expression is a part of the request, or of what a helper is handed.
    pub(in crate::program) fn is_brought(&self, at: CallRef, owner: FunctionRef, expr: ExprId) -> bool {
        Seeker::new(self, at, owner).brought(expr, 12).is_some_and(|brought| brought.read)
    }
}

impl<'p> Seeker<'p> {
    fn new(program: &'p Program, at: CallRef, owner: FunctionRef) -> Self {
        Self { program, at, facts: program.facts(at.file), owner, seen: FxHashSet::default(), found: vec![] }
    }

    fn look(&mut self, expr: ExprId, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if !self.seen.insert(expr) {
            return;
        }
        let facts = self.facts;
        if let Some(brought) = self.brought(expr, 12) {
            // The request as a whole is handed to what asks who it is.
            if brought.read {
                let printed = self.program.printed(self.at, expr);
                let root = brought.root.or(printed.as_ref().map(|(_, def)| *def));
                let leaf = Leaf { name: brought.name, text: printed.map(|(text, _)| text), root };
                if !self.found.contains(&leaf) {
                    self.found.push(leaf);
                }
            }
            return;
        }
        match facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name).map(|def| facts.def(def)) else { return };
                if matches!(def.kind, DefKind::Import | DefKind::Function | DefKind::Class) {
                    return;
                }
                def.values.iter().for_each(|&value| self.look(value, depth));
            }
            ExprKind::Member(inner, _)
            | ExprKind::Await(inner)
            | ExprKind::Spread(inner)
            | ExprKind::ElementOf(inner) => self.look(*inner, depth),
            ExprKind::Index(base, index) => {
                self.look(*base, depth);
                self.look(*index, depth);
            }
            ExprKind::Object(entries) => entries.iter().for_each(|&(_, value)| self.look(value, depth)),
            ExprKind::List(parts) | ExprKind::Template(parts) | ExprKind::Op(_, parts) => {
                parts.iter().for_each(|&part| self.look(part, depth));
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                call.args.iter().for_each(|arg| self.look(arg.value, depth));
                if let ExprKind::Member(base, _) = facts.expr(call.callee) {
                    self.look(*base, depth);
                }
            }
            _ => {}
        }
    }

    fn brought(&self, expr: ExprId, depth: usize) -> Option<Brought> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts;
        match facts.expr(expr) {
            ExprKind::Await(inner) => self.brought(*inner, depth),
            ExprKind::Param(function, index) => self.handed(*function, *index),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name) {
                None => REQUESTS.contains(&name.as_str()).then_some(Brought { read: false, name: None, root: None }),
                Some(id) => {
                    let def = facts.def(id);
                    if def.kind == DefKind::Import && REQUESTS.contains(&name.as_str()) {
                        return Some(Brought { read: false, name: None, root: None });
                    }
                    let [value] = def.values[..] else { return None };
                    let brought = self.brought(value, depth)?;
                    Some(Brought { root: brought.root.or(brought.read.then_some(id)), ..brought })
                }
            },
            ExprKind::Member(base, name) => {
                let base = self.brought(*base, depth)?;
                if !base.read && WHO.contains(&name.as_str()) {
                    return None;
                }
                let read = base.read || READ.contains(&name.as_str()) || self.is_procedure();
                Some(self.part(base, read, *name))
            }
            ExprKind::Index(base, _) => self.brought(*base, depth).filter(|brought| brought.read),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.iter().find_map(|&part| self.brought(part, depth)),
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let name = facts.last_name(call.callee)?;
                if !TAKES.contains(&name.as_str()) {
                    return None;
                }
                let of = match facts.expr(call.callee) {
                    ExprKind::Member(base, _) => self.brought(*base, depth),
                    _ => None,
                };
                let Some(base) = of else {
                    return call.args.first().and_then(|arg| self.brought(arg.value, depth));
                };
                let read = base.read || READ.contains(&name.as_str());
                match call.args.first().map(|arg| facts.expr(arg.value)) {
                    Some(ExprKind::Text(field)) if read => Some(self.part(base, read, *field)),
                    _ => Some(Brought { read, ..base }),
                }
            }
            _ => None,
        }
    }

    /// A part of what was brought: what the request says has a name of its own, what holds all of it has not.
    fn part(&self, base: Brought, read: bool, name: Name) -> Brought {
        let holder = base.name.is_none() && READ.contains(&name.as_str());
        let own = base.name.or((read && !holder).then_some(name));
        Brought { read, name: own, root: base.root }
    }

    fn is_procedure(&self) -> bool {
        let kinds = self.program.entries_of(self.owner).iter().map(|&entry| self.program.entries[entry].kind);
        kinds.into_iter().any(|kind| matches!(kind, EntryKind::ServerAction | EntryKind::Procedure))
    }

    /// What arrives in a parameter of the function that the call belongs to.
    fn handed(&self, function: FunctionId, index: u16) -> Option<Brought> {
        if function != self.owner.function {
            return None;
        }
        let facts = self.facts;
        let name = facts.function(function).params.get(index as usize).and_then(|param| param.name);
        let entries = self.program.entries_of(self.owner);
        let kinds: Vec<EntryKind> = entries.iter().map(|&entry| self.program.entries[entry].kind).collect();
        let root = name.and_then(|name| facts.defined_in(facts.function(function).body, name));
        // What a helper is handed is its callers' to say.
        if entries.is_empty() {
            return Some(Brought { read: true, name, root });
        }
        const HOLDERS: &[&str] = &["req", "request", "ctx", "context", "event", "c"];
        let is_request = name.is_some_and(|name| HOLDERS.contains(&name.as_str()));
        let by_name = !facts.language.is_script() || kinds.contains(&EntryKind::ServerAction);
        match by_name && !is_request {
            true => Some(Brought { read: true, name, root }),
            false => Some(Brought { read: false, name: None, root: None }),
        }
    }
}
