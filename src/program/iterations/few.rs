//! Collections of which nothing says how large they are, but which are small as a rule.

use super::EACH;
use super::sizes::{DEEPEST, KEEPERS};
use crate::facts::{ExprId, ExprKind, Facts, Op};
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// What an app has a few of. Nouns without their `s`.
const FEW: &[&str] = &[
    "admin",
    "administrator",
    "attachment",
    "badge",
    "bridge",
    "calendar",
    "candidate",
    "category",
    "categorie",
    "channel",
    "connection",
    "connector",
    "credential",
    "date",
    "day",
    "endpoint",
    "format",
    "instance",
    "integration",
    "language",
    "locale",
    "mention",
    "model",
    "moderator",
    "month",
    "owner",
    "plan",
    "platform",
    "region",
    "role",
    "selection",
    "setting",
    "size",
    "slide",
    "step",
    "tier",
    "tile",
    "type",
    "variant",
    "webhook",
];

/// Words that say so wherever they stand in a name: `adminUsers`, `mentionedEmails`.
const FEW_ANYWHERE: &[&str] = &["admin", "admins", "moderator", "moderators", "mention", "mentioned", "mentions"];

/// What somebody puts together by hand: what it holds are a few.
const HOLDERS: &[&str] = &["cart", "basket", "order", "booking", "invoice", "subscription", "quote", "bundle", "line"];

/// Words of whose rows they are, when one of them is named: `filter(account=client)`.
const PERSONS: &[&str] =
    &["client", "customer", "user", "owner", "profile", "person", "member", "patient", "subscriber", "student"];

/// Words of elements that stand for many: what they hold are not the parts of one thing.
const GROUPS: &[&str] = &[
    "page",
    "batch",
    "chunk",
    "group",
    "segment",
    "tenant",
    "org",
    "organization",
    "company",
    "team",
    "bucket",
    "shop",
    "store",
    "list",
    "result",
    "res",
    "response",
    "part",
];

/// Methods of collections and queries: what they are called on is the collection.
const PASSES: &[&str] = &[
    "filter",
    "map",
    "flatMap",
    "sort",
    "order",
    "order_by",
    "orderBy",
    "select",
    "eq",
    "neq",
    "in",
    "in_",
    "is",
    "not",
    "or",
    "gte",
    "lte",
    "gt",
    "lt",
    "where",
    "filter_by",
    "all",
    "findMany",
    "findAll",
    "find",
    "query",
    "from",
    "table",
    "collection",
    "returns",
    "execute",
    "values",
    "entries",
    "keys",
    "items",
    "exec",
    "toArray",
    "slice",
    "concat",
];

impl Program {
    /// Whether a collection is what someone else's answer holds, or what the own database keeps for one person: a few
    /// as a rule, though nothing says so. So are lists whose name or whose table's name says what there are few of:
    /// `slack_channels`, `adminUsers`, `getAllBadges()`.
    pub fn is_likely_small(&self, at: ExprRef) -> bool {
        self.is_likely_small_to(at, 2 * DEEPEST) || self.is_named_few(at, DEEPEST)
    }

    fn is_likely_small_to(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_likely_small_to(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                // `all = all.concat(page)` gathers every page.
                values.is_some_and(|values| {
                    !values.iter().any(|&value| names(facts, value, *name, 4))
                        && values.iter().any(|&value| next(value))
                })
            }
            ExprKind::Member(base, _) => self.is_element(ExprRef::new(at.file, *base), 4) || next(*base),
            ExprKind::Index(base, _) | ExprKind::Await(base) | ExprKind::Spread(base) => next(*base),
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::List(items) => items.iter().any(|&item| next(item)),
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                let shape = facts.call(call.call);
                if self.gives_answer(call, 3) || self.counts_as_sent(call) || self.is_of_one_person(call) {
                    return true;
                }
                let of_args = || shape.args.iter().any(|arg| next(arg.value));
                match *facts.expr(shape.callee) {
                    ExprKind::Member(base, _) => {
                        next(base) || matches!(facts.expr(base), ExprKind::Ref(..)) && of_args()
                    }
                    // `list(rows)`
                    ExprKind::Ref(name, _) => (shape.is_new || KEEPERS.contains(&name.as_str())) && of_args(),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Whether a value is one element of another collection, or a part of one: what it holds belongs to one thing.
    fn is_element(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        match facts.expr(at.expr) {
            ExprKind::Member(base, _) => self.is_element(ExprRef::new(at.file, *base), depth),
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name) else { return false };
                let stands_for_many = words(name).iter().any(|word| {
                    GROUPS.contains(&word.as_str()) || GROUPS.contains(&word.strip_suffix('s').unwrap_or(word))
                });
                !stands_for_many
                    && facts.def(def).values.iter().any(|&value| match facts.expr(value) {
                        ExprKind::ElementOf(_) => true,
                        ExprKind::Param(function, 0) => self.takes_elements(FunctionRef::new(at.file, *function)),
                        _ => false,
                    })
            }
            _ => false,
        }
    }

    /// Whether a function is handed to `map` and its kind.
    fn takes_elements(&self, function: FunctionRef) -> bool {
        self.incoming(function).iter().any(|edge| {
            let facts = self.facts(edge.call.file);
            let callee = facts.expr(facts.call(edge.call.call).callee);
            edge.kind == EdgeKind::Callback
                && matches!(callee, ExprKind::Member(_, name) if EACH.contains(&name.as_str()))
        })
    }

    /// `.eq("user_id", user.id)`, `filter_by(user_id=user.id)`.
    fn is_of_one_person(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, method) = *facts.expr(shape.callee) else { return false };
        let owner = |column: &str| {
            let column = column.to_ascii_lowercase();
            ["user", "owner", "profile", "customer", "recipient"].iter().any(|word| column.contains(word))
        };
        match method.as_str() {
            "eq" | "where" => match shape.args.first().map(|arg| facts.expr(arg.value)) {
                Some(ExprKind::Text(column)) => owner(column),
                _ => false,
            },
            // `Site.objects.filter(owner=person)`; `user__active=True` asks for something else.
            "filter" | "filter_by" => shape.args.iter().any(|arg| {
                let Some(name) = arg.name else { return false };
                let value = facts.last_name(arg.value);
                let person = value.is_some_and(|value| PERSONS.contains(&value.as_str()));
                (owner(&name) || person) && !name.contains("__") && !matches!(facts.expr(arg.value), ExprKind::Bool(_))
            }),
            _ => false,
        }
    }

    /// Whether a call gives what someone else answered, directly or through functions of the program.
    fn gives_answer(&self, call: CallRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).any(|edge| {
            self.calls_in(edge.target).any(|inner| self.counts_as_sent(inner) || self.gives_answer(inner, depth))
        })
    }

    /// Whether the name of a collection, or of what it is read from, says that there are few.
    fn is_named_few(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_named_few(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let values = facts.lookup(*block, *name).map(|def| &facts.def(def).values);
                says_few(name) || values.is_some_and(|values| values.iter().any(|&value| next(value)))
            }
            ExprKind::Member(base, name) => {
                let holder = facts.last_name(*base).is_some_and(|base| HOLDERS.contains(&base.as_str()));
                says_few(name)
                    || holder
                    || matches!(name.as_str(), "data" | "rows" | "query" | "objects") && next(*base)
            }
            ExprKind::Await(base) | ExprKind::Spread(base) => next(*base),
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let first = call.args.first().map(|arg| arg.value);
                match facts.expr(call.callee) {
                    ExprKind::Member(base, name) => {
                        // The table says it, not the client: `admin.from("users")`.
                        if let Some(ExprKind::Text(table)) = first.map(|arg| facts.expr(arg))
                            && matches!(name.as_str(), "from" | "table" | "collection")
                        {
                            return says_few(table);
                        }
                        // A name in an address: `ids.split(",")`.
                        says_few(name)
                            || *name == "split"
                            || PASSES.contains(&name.as_str()) && next(*base)
                            || matches!(facts.expr(*base), ExprKind::Ref(object, _) if *object == "Array" || *object == "Object")
                                && first.is_some_and(next)
                    }
                    ExprKind::Ref(name, _) => says_few(name) || call.is_new && first.is_some_and(next),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// Whether a name is one of what there are few of.
fn says_few(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    FEW.contains(&last.strip_suffix('s').unwrap_or(last)) && last.ends_with('s')
        || last == "items" && before.is_some_and(|before| HOLDERS.contains(&before))
        || matches!(last.as_str(), "cart" | "basket")
        || words.iter().any(|word| FEW_ANYWHERE.contains(&word.as_str()))
}

/// Whether an expression names something.
fn names(facts: &Facts, expr: ExprId, wanted: Name, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => *name == wanted,
        ExprKind::Spread(base) | ExprKind::Await(base) => names(facts, *base, wanted, depth),
        ExprKind::List(parts) => parts.iter().any(|&part| names(facts, part, wanted, depth)),
        ExprKind::Call(call) => match *facts.expr(facts.call(*call).callee) {
            ExprKind::Member(base, name) => name == "concat" && names(facts, base, wanted, depth),
            _ => false,
        },
        _ => false,
    }
}
