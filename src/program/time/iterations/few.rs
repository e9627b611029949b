//! Collections of which nothing says how large they are, but which are small as a rule.

use super::nouns::{
    CROWDS, CROWDS_OF_PEOPLE, FEW, FEW_ANYWHERE, FILLERS, FIRMS, HOLDERS, OF_FIRMS, PAIRS, PARTAKERS, PASSES, PERSONS,
    SHARED, THINGS,
};
use super::sizes::{DEEPEST, KEEPERS, Size, is_kept};
use crate::facts::{Call, ExprId, ExprKind, Facts, Op, Step};
use crate::names::Name;
use crate::program::repeats::OnChain;
use crate::program::repeats::claims::named_in;
use crate::program::terms::{Ending, ending, less_far};
use crate::program::verify::words;
use crate::program::{CallRef, DefRef, EdgeKind, ExprRef, FunctionRef, Program};

impl Program {
    /// Whether a collection is what someone else's answer holds, or what the own database keeps for one person: a few
    /// as a rule, though nothing says so. So are lists whose name or whose table's name says what there are few of:
    /// `slack_channels`, `adminUsers`, `getAllBadges()`.
    pub fn is_likely_small(&self, at: ExprRef) -> bool {
        self.is_small_or_handed(at, 3)
    }

    fn is_small_or_handed(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        if self.is_likely_small_to(at, 2 * DEEPEST) || self.is_named_few(at, DEEPEST) {
            return true;
        }
        let handed = self.handed_by_callers(at);
        !handed.is_empty() && handed.iter().all(|&handed| self.is_small_or_handed(handed, depth))
    }

    /// What all callers of the program hand in where a function goes through a parameter, or through a part of one:
    /// `{ recipients: admins }`. None when one of them cannot be seen.
    fn handed_by_callers(&self, at: ExprRef) -> Vec<ExprRef> {
        let facts = self.facts(at.file);
        let param = |expr: ExprId| -> Option<(FunctionRef, usize)> {
            let of = |expr: ExprId| match *facts.expr(expr) {
                ExprKind::Param(function, index) => Some((FunctionRef::new(at.file, function), usize::from(index))),
                _ => None,
            };
            of(expr).or_else(|| match *facts.expr(expr) {
                ExprKind::Ref(name, block) => {
                    facts.def(facts.lookup(block, name)?).values.iter().find_map(|&value| of(value))
                }
                _ => None,
            })
        };
        let part = |expr: ExprId| match *facts.expr(expr) {
            ExprKind::Member(base, name) => param(base).map(|at| (at, Some(name))),
            _ => None,
        };
        let mut expr = at.expr;
        while let ExprKind::Op(Op::Or | Op::Nullish, parts) = facts.expr(expr)
            && let Some(&first) = parts.first()
        {
            expr = first;
        }
        let taken = param(expr).map(|at| (at, None)).or_else(|| part(expr)).or_else(|| match *facts.expr(expr) {
            ExprKind::Ref(name, block) => {
                facts.def(facts.lookup(block, name)?).values.iter().find_map(|&value| part(value))
            }
            _ => None,
        });
        let Some(((function, index), member)) = taken else { return vec![] };
        let handed = self.callers(function).iter().map(|call| {
            let facts = self.facts(call.file);
            let arg = facts.call(call.call).args.get(index).filter(|arg| arg.name.is_none())?.value;
            let Some(member) = member else { return Some(ExprRef::new(call.file, arg)) };
            match facts.expr(arg) {
                ExprKind::Object(entries) => {
                    entries.iter().find(|(key, _)| *key == member).map(|&(_, value)| ExprRef::new(call.file, value))
                }
                _ => None,
            }
        });
        handed.collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    /// `const concerts = [first]; for (const concert of related) concerts.push(concert.id)`: as few as what fills it.
    fn is_filled_with_few(&self, at: DefRef, depth: usize) -> bool {
        let facts = self.facts(at.file);
        let written = |&value: &ExprId| match facts.expr(value) {
            ExprKind::List(_) => true,
            // `new Set()`
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                call.args.is_empty()
                    && facts.last_name(call.callee).is_some_and(|name| KEEPERS.contains(&name.as_str()))
            }
            _ => false,
        };
        let filling = self.filling(at);
        facts.def(at.def).values.iter().all(written)
            && !filling.is_empty()
            && filling.iter().all(|head| head.is_some_and(|head| self.is_few(head, depth)))
    }

    /// Whether a collection that another one is as large as has a bound, or is small as a rule.
    fn is_few(&self, at: ExprRef, depth: usize) -> bool {
        self.is_likely_small_to(at, depth) || self.is_named_few(at, DEEPEST) || self.size_to(at, depth.min(DEEPEST))
    }

    fn is_likely_small_to(&self, at: ExprRef, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.is_likely_small_to(ExprRef::new(at.file, expr), depth);
        match facts.expr(at.expr) {
            ExprKind::Ref(name, block) => {
                let Some(def) = facts.lookup(*block, *name) else { return false };
                let values = &facts.def(def).values;
                // `all = all.concat(page)` gathers every page.
                let own = || values.iter().filter(|&&value| !is_kept(facts, value, *name));
                let depth = less_far(depth, own().count());
                let next = |expr: ExprId| self.is_likely_small_to(ExprRef::new(at.file, expr), depth);
                !values.iter().any(|&value| names(facts, value, *name, 4)) && own().any(|&value| next(value))
                    || self.is_filled_with_few(DefRef::new(at.file, def), depth)
            }
            ExprKind::Member(base, name) => {
                let of = ExprRef::new(at.file, *base);
                self.is_element(of, 4)
                    || self.is_part_of_one(of, name)
                    || !names_any(name, CROWDS_OF_PEOPLE) && next(*base)
            }
            ExprKind::Index(base, _) | ExprKind::Await(base) | ExprKind::Spread(base) => next(*base),
            ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, parts) => parts.iter().any(|&part| next(part)),
            ExprKind::List(items) => items.iter().any(|&item| next(item)),
            ExprKind::Call(call) => {
                let call = CallRef::new(at.file, *call);
                let shape = facts.call(call.call);
                if self.gives_answer(call, 3)
                    || self.counts_as_sent(call)
                    || self.is_of_one_person(call)
                    || self.is_of_one_thing(call)
                    || self.is_of_a_role(call)
                    || self.gives_few(call, depth)
                    || self.keys_asked(call).is_some_and(|keys| self.is_few(keys, depth))
                {
                    return true;
                }
                let of_args = || shape.args.iter().any(|arg| next(arg.value));
                match *facts.expr(shape.callee) {
                    ExprKind::Member(base, name) => {
                        // Many rows may have one of a few values: `.in("department", ["sales"])`.
                        let picks = matches!(name.as_str(), "in" | "in_" | "contains" | "overlaps")
                            && !matches!(shape.args.first().map(|arg| facts.expr(arg.value)),
                                Some(ExprKind::Text(column)) if *column == "id");
                        next(base) || !picks && matches!(facts.expr(base), ExprKind::Ref(..)) && of_args()
                    }
                    // `list(rows)`
                    ExprKind::Ref(name, _) => (shape.is_new || KEEPERS.contains(&name.as_str())) && of_args(),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Whether a function of the program gives a short list on every way: `getAccounts(userId)`.
    fn gives_few(&self, call: CallRef, depth: usize) -> bool {
        let direct = self.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct);
        let given: Vec<ExprRef> = direct
            .flat_map(|edge| {
                self.returns_of(edge.target).into_iter().filter(|&at| !self.is_passed_by(call, edge.target, at))
            })
            .collect();
        // What gives an object gives a client or a record, no list.
        let few = |&at: &ExprRef| {
            !matches!(self.facts(at.file).expr(at.expr), ExprKind::Object(_))
                && (self.size(at) == Size::Bounded || self.is_likely_small_to(at, depth.min(DEEPEST)))
        };
        !given.is_empty() && given.iter().all(few)
    }

    /// Whether a function does not come to a place when a call gives what it may be given: the last line of
    /// `if (userId) return of(userId); return all()`.
    fn is_passed_by(&self, call: CallRef, function: FunctionRef, at: ExprRef) -> bool {
        let facts = self.facts(function.file);
        let handed = &self.facts(call.file).call(call.call).args;
        let span = facts.span(at.expr);
        let is_given = |asked: ExprId| {
            let ExprKind::Ref(name, block) = *facts.expr(asked) else { return false };
            let Some(def) = facts.lookup(block, name) else { return false };
            facts.def(def).values.iter().any(|&value| match *facts.expr(value) {
                ExprKind::Param(of, index) if of == function.function => {
                    handed.get(usize::from(index)).is_some_and(|arg| {
                        arg.name.is_none() && !matches!(self.facts(call.file).expr(arg.value), ExprKind::Null)
                    })
                }
                _ => false,
            })
        };
        let body = facts.function(function.function).body;
        facts.block(body).steps.iter().any(|step| match step {
            Step::If { condition, then, otherwise: None } => match facts.expr(*condition) {
                ExprKind::Op(Op::Not, parts) => is_given(parts[0]) && facts.block(*then).span.contains(span),
                _ => {
                    let leaves = matches!(ending(facts, *then), Ending::Returns(_) | Ending::Throws);
                    leaves && is_given(*condition) && facts.block(*then).span.end <= span.start
                }
            },
            _ => false,
        })
    }

    /// `.eq("user_id", user.id)`, `filter_by(user_id=user.id)`, `findMany({ where: { userId } })`.
    fn is_of_one_person(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, method) = *facts.expr(shape.callee) else { return false };
        let of_people = || self.table_words(call).iter().any(|word| is_one_of(word, CROWDS_OF_PEOPLE));
        let owner = |column: &str| {
            let words = words(column);
            let of_person =
                matches!(&words[..], [.., person, last] if last == "id" && PERSONS.contains(&person.as_str()));
            let column = column.to_ascii_lowercase();
            ["user", "owner", "profile", "customer", "recipient"].iter().any(|word| column.contains(word))
                || of_person && !of_people()
        };
        // `.where(eq(deals.merchantEmail, email))`: one address is one person.
        let equal = |condition: ExprId| match facts.expr(condition) {
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                let column = call.args.first().and_then(|arg| facts.last_name(arg.value));
                facts.last_name(call.callee).is_some_and(|name| name == "eq")
                    && column.is_some_and(|column| {
                        words(&column).last().is_some_and(|word| word == "email" || word == "phone")
                    })
            }
            _ => false,
        };
        match method.as_str() {
            "eq" | "where" => match shape.args.first().map(|arg| (arg.value, facts.expr(arg.value))) {
                Some((_, ExprKind::Text(column))) => {
                    owner(column) || words(column).last().is_some_and(|word| word == "email" || word == "phone")
                }
                Some((condition, _)) if equal(condition) => true,
                // `.where(eq(accounts.userId, userId))`
                Some((condition, _)) => {
                    let mut columns = Vec::new();
                    named_in(facts, condition, &mut columns, 5);
                    columns.iter().any(|column| owner(column))
                }
                None => false,
            },
            "findMany" | "findAll" | "find" => equal_to(facts, shape).iter().any(|column| owner(column)),
            // `orders.searchByEmail(email)`, `decisionsByMerchantEmail(email)`
            name if {
                let words = words(name);
                words.iter().any(|word| word == "by")
                    && words.last().is_some_and(|word| word == "email" || word == "phone")
            } =>
            {
                true
            }
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

    /// `.eq("invoice_id", id)`; `.from("project_members").eq("project_id", id)`.
    fn is_of_one_thing(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let shape = facts.call(call.call);
        let ExprKind::Member(_, method) = *facts.expr(shape.callee) else { return false };
        let mut columns: Vec<String> = Vec::new();
        match (method.as_str(), shape.args.first().map(|arg| (arg.value, facts.expr(arg.value)))) {
            ("eq", Some((_, ExprKind::Text(column)))) => columns.push(column.to_string()),
            ("where", Some((condition, _))) => named_in(facts, condition, &mut columns, 5),
            ("filter" | "filter_by", _) => {
                columns.extend(shape.args.iter().filter_map(|arg| arg.name).map(|name| name.to_string()))
            }
            ("findMany" | "findAll" | "find", _) => columns = equal_to(facts, shape),
            _ => {}
        }
        let table_says = |any: &[&str]| self.table_words(call).iter().any(|word| is_one_of(word, any));
        columns.iter().any(|column| {
            let words = words(column);
            let Some((last, before)) = words.split_last() else { return false };
            let Some(thing) = before.last().filter(|_| last == "id") else { return false };
            THINGS.contains(&thing.as_str())
                || SHARED.contains(&thing.as_str()) && table_says(PARTAKERS)
                || FIRMS.contains(&thing.as_str()) && (table_says(OF_FIRMS) || self.is_no_crowd(call))
        })
    }

    /// The words of the table that a query reads.
    fn table_words(&self, call: CallRef) -> Vec<String> {
        match self.table_on(call.file, self.facts(call.file).call(call.call).callee) {
            Some(OnChain::Text(table) | OnChain::Variable(table)) => words(&table),
            // `db.offer.findMany(..)`
            Some(OnChain::Start(model)) => self.facts(call.file).last_name(model).map_or(vec![], |name| words(&name)),
            None => vec![],
        }
    }

    /// Whether nothing says that a firm has many of the rows that a query reads: neither their name, nor what they point
    /// at by the migrations.
    fn is_no_crowd(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let on = self.table_on(call.file, facts.call(call.call).callee);
        let Some(OnChain::Text(table) | OnChain::Variable(table)) = on else { return false };
        let mut made = self.database().tables(&table);
        // Who wrote a row last is none of those it is for.
        let counts = |column: &str| !words(column).iter().any(|word| word == "by");
        !names_any(&table, CROWDS)
            && !made.any(|(history, table)| {
                let columns = table.columns.iter().filter(|column| counts(&column.name));
                columns.filter_map(|column| history.refers_to(table, column.name)).any(|of| names_any(&of.name, CROWDS))
            })
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
                let values = facts.lookup(*block, *name).map_or(&[][..], |def| &facts.def(def).values);
                let depth = less_far(depth, values.len());
                let next = |expr: ExprId| self.is_named_few(ExprRef::new(at.file, expr), depth);
                says_few(name) || is_class_of_few(name) || values.iter().any(|&value| next(value))
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
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|word| FILLERS.contains(&word.as_str())) {
        words.pop();
    }
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    FEW.contains(&last.strip_suffix('s').unwrap_or(last)) && last.ends_with('s')
        || last == "items" && before.is_some_and(|before| HOLDERS.contains(&before))
        || PAIRS.iter().any(|(noun, owners)| last == noun && before.is_some_and(|before| owners.contains(&before)))
        || matches!(last.as_str(), "cart" | "basket")
        || words.iter().any(|word| FEW_ANYWHERE.contains(&word.as_str()))
}

/// Whether a name is a class's whose rows are a few: `TicketTier.query.all()`.
fn is_class_of_few(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_lowercase())
        && words(name).last().is_some_and(|last| FEW.contains(&last.as_str()))
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

/// Whether a name says one of some nouns, or several of them.
pub(super) fn names_any(name: &str, nouns: &[&str]) -> bool {
    words(name).iter().any(|word| is_one_of(word, nouns))
}

fn is_one_of(word: &str, nouns: &[&str]) -> bool {
    nouns.contains(&word) || nouns.contains(&word.strip_suffix('s').unwrap_or(word))
}

/// The columns that `findMany({ where: { userId, state: "open" } })` asks to be one value.
fn equal_to(facts: &Facts, call: &Call) -> Vec<String> {
    let Some(ExprKind::Object(entries)) = call.args.first().map(|arg| facts.expr(arg.value)) else { return vec![] };
    let place = entries.iter().find(|(name, _)| name == "where").map(|&(_, value)| facts.expr(value));
    let asked = match place {
        Some(ExprKind::Object(asked)) => asked,
        _ => entries,
    };
    let is_one = |value: ExprId| !matches!(facts.expr(value), ExprKind::Object(_) | ExprKind::Bool(_) | ExprKind::Null);
    asked.iter().filter(|(_, value)| is_one(*value)).map(|(name, _)| name.to_string()).collect()
}
