//! Keys by which deliveries are known again, and that are too coarse for it: the event's name and the id of an object
//! that sends the same event many times. From the second on they pass for handled, and what they tell is lost.

use crate::catalogue::{KnownRole, Recurring};
use crate::facts::{ExprId, ExprKind, Facts, Op};
use crate::finding::Place;
use crate::names::Name;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, Program};

/// Through how many names, calls and parameters a key is followed.
const FARTHEST: usize = 12;

/// A key that several events share.
#[derive(Debug, Clone)]
pub struct CoarseKey<'p> {
    /// Where it is made, or asked for.
    pub place: Place,
    /// What asks whether it is there.
    pub look: CallRef,
    /// An event that is handled, and that shares its key with later ones.
    pub event: &'p str,
    /// What the key's id is the id of.
    pub thing: &'p str,
    /// The event's name is a part of it.
    pub named: bool,
}

/// What a key is made of.
#[derive(Debug, Default)]
struct Key {
    /// The fields of the delivery in it, each from the delivery's root.
    fields: Vec<Vec<Name>>,
    /// Where it is put together, if it is.
    made: Option<ExprRef>,
}

impl Program {
    /// The key by which a handler takes later events of the same kind for one that it has handled.
    pub fn coarse_key<'p>(&'p self, handler: &WebhookHandler) -> Option<CoarseKey<'p>> {
        let families = &self.webhook_of(handler)?.recurring;
        if families.is_empty() {
            return None;
        }
        let functions = self.functions_of(handler);
        let looks = self.looks_of(handler);
        families.iter().find_map(|family| {
            let event = family.events.iter().find(|event| self.names_event(&functions, event))?;
            looks.iter().find_map(|&look| {
                let table = self.table_asked(look)?;
                let writes = |at: CallRef| self.table_asked(at) == Some(table) && self.writes_own(at);
                let keeps = |&function: &FunctionRef| {
                    self.calls_in(function).any(|at| writes(at) || self.called_name(at) == Some(table))
                };
                let key = self.key_asked(look)?;
                let named = self.is_coarse(&key, family)?;
                // Without the event's name it is the object's own row, unless all that is kept there is deliveries.
                let records =
                    || handler.account.deeds.iter().any(|deed| deed.records && self.table_of(deed.at) == Some(table));
                if !named && !records() || !functions.iter().any(keeps) {
                    return None;
                }
                let place = match key.made {
                    Some(made) => Place { file: made.file, span: self.facts(made.file).span(made.expr) },
                    None => self.call_place(look),
                };
                Some(CoarseKey { place, look, event, thing: &family.thing, named })
            })
        })
    }

    /// The functions that a handler runs.
    pub(in crate::program) fn functions_of(&self, handler: &WebhookHandler) -> Vec<FunctionRef> {
        let reach = self.reach(self.entries[handler.entry].function, |edge| edge.kind != EdgeKind::Jump);
        reach.stops.iter().map(|stop| stop.function).collect()
    }

    /// The looks at what is kept that decide whether a handler does its work: those in helpers are what these ask.
    pub(in crate::program) fn looks_of(&self, handler: &WebhookHandler) -> Vec<CallRef> {
        let reach = self.reach(self.entries[handler.entry].function, |edge| edge.kind != EdgeKind::Jump);
        let mut looks: Vec<CallRef> = Vec::new();
        for deed in handler.account.deeds.iter().filter(|deed| !deed.records) {
            let function = self.function_of(deed.at);
            let Some(stop) = reach.stops.iter().position(|stop| stop.function == function) else { continue };
            let way = reach.way(stop);
            for at in way.iter().map(|edge| edge.call).chain([deed.at]) {
                for look in self.looks_before(at) {
                    let helpers = self.edges(look).iter().filter(|edge| edge.kind == EdgeKind::Direct);
                    let inner = helpers.flat_map(|edge| self.calls_in(edge.target));
                    let own = |&at: &CallRef| self.has_role(at, KnownRole::Write) || self.is_own_query(at);
                    looks.extend(inner.chain([look]).filter(own));
                }
            }
        }
        looks.dedup();
        looks
    }

    fn is_own_query(&self, at: CallRef) -> bool {
        self.vendors_at(at).iter().any(|used| self.catalogue.vendor(used.vendor).own_backend)
            || self.callee(at).externals().any(|external| self.catalogue.is_database(external.package))
    }

    /// Whether some functions name an event.
    fn names_event(&self, functions: &[FunctionRef], event: &str) -> bool {
        functions.iter().any(|function| {
            let facts = self.facts(function.file);
            let span = facts.function(function.function).span;
            let mut inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
            inside.any(|expr| matches!(&expr.kind, ExprKind::Text(text) if *text == event))
        })
    }

    /// Whether a key is made of nothing but the id of an object that sends events again and again, and of the event's
    /// name; none where it is not, and whether the name is in it.
    fn is_coarse(&self, key: &Key, family: &Recurring) -> Option<bool> {
        let id: Vec<&str> = family.id.split('.').collect();
        let name = family.name.rsplit('.').next().unwrap_or(&family.name);
        let is_id = |field: &[Name]| {
            let from = field.len().checked_sub(id.len());
            // What the delivery itself was called comes before: `body.data.id`.
            from.is_some_and(|from| from <= 1 && field[from..].iter().map(|name| name.as_str()).eq(id.iter().copied()))
        };
        let is_name = |field: &[Name]| field.last().is_some_and(|last| plain(last) == plain(name)) && !is_id(field);
        let fields = || key.fields.iter().map(Vec::as_slice);
        let coarse = fields().any(is_id) && fields().all(|field| is_id(field) || is_name(field));
        coarse.then(|| fields().any(is_name))
    }

    /// The table of a query or write, or what stands for it in code: `session.query(Event)`, `from(events)`.
    pub(in crate::program) fn table_asked(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        let named = || {
            let mut links = self.links(at);
            links.find_map(|link| {
                let arg = facts.call(link.call).args.first()?.value;
                let ExprKind::Ref(stands_for, _) = facts.expr(arg) else { return None };
                match self.called_name(link)?.as_str() {
                    "query" | "select" | "scalars" | "execute" if !stands_for.starts_with(char::is_uppercase) => None,
                    "query" | "select" | "scalars" | "execute" | "from" | "insert" | "into" => Some(*stands_for),
                    _ => None,
                }
            })
        };
        self.table_of(at).or_else(named)
    }

    /// A call, and those that it is chained to: `first()`, `filter_by(..)`, `query(..)`.
    fn links(&self, at: CallRef) -> impl Iterator<Item = CallRef> + '_ {
        let facts = self.facts(at.file);
        let inner = move |&at: &CallRef| match *facts.expr(facts.call(at.call).callee) {
            ExprKind::Member(base, _) => match *facts.expr(base) {
                ExprKind::Call(inner) => Some(CallRef::new(at.file, inner)),
                _ => None,
            },
            _ => None,
        };
        std::iter::successors(Some(at), inner).take(FARTHEST)
    }

    /// What the links before a query's last ask for: `filter_by(key=key)`, `filter(Event.key == key)`, and
    /// `where(eq(events.key, key))`.
    fn picked_within(&self, at: CallRef) -> Option<Vec<ExprId>> {
        let facts = self.facts(at.file);
        let mut values: Vec<ExprId> = Vec::new();
        for link in self.links(at) {
            let picks = matches!(self.called_name(link)?.as_str(), "filter_by" | "filter" | "where" | "get");
            for arg in facts.call(link.call).args.iter().filter(|_| picks) {
                match facts.expr(arg.value) {
                    _ if arg.name.is_some() => values.push(arg.value),
                    ExprKind::Op(Op::Equal, parts) => values.push(*parts.get(1)?),
                    ExprKind::Call(asked) => self.compared_in(CallRef::new(at.file, *asked), &mut values)?,
                    _ => return None,
                }
            }
        }
        (!values.is_empty()).then_some(values)
    }

    /// `eq(events.key, key)`, `and(eq(..), eq(..))`
    fn compared_in(&self, at: CallRef, values: &mut Vec<ExprId>) -> Option<()> {
        let facts = self.facts(at.file);
        let args = &facts.call(at.call).args;
        match self.called_name(at)?.as_str() {
            "eq" => values.push(args.get(1)?.value),
            "and" => args.iter().try_for_each(|arg| match facts.expr(arg.value) {
                ExprKind::Call(inner) if *inner != at.call => match self.called_name(CallRef::new(at.file, *inner)) {
                    Some(name) if name == "eq" => self.compared_in(CallRef::new(at.file, *inner), values),
                    _ => None,
                },
                _ => None,
            })?,
            _ => return None,
        }
        Some(())
    }

    /// What a query asks for, or a new row is known again by.
    fn key_asked(&self, at: CallRef) -> Option<Key> {
        let facts = self.facts(at.file);
        let values = match self.writes_own(at) {
            true => {
                let row = facts.call(at.call).args.first()?.value;
                match facts.expr(row) {
                    ExprKind::Object(entries) => self.keys_of(at, entries),
                    _ => return None,
                }
            }
            false => self.picked_by(at).or_else(|| self.picked_within(at))?,
        };
        let mut key = Key::default();
        for value in values {
            self.add_parts(ExprRef::new(at.file, value), &mut key, FARTHEST)?;
        }
        (!key.fields.is_empty()).then_some(key)
    }

    /// Of a new row, what its table's keys hold; all that it holds where nothing tells of the table.
    fn keys_of(&self, at: CallRef, entries: &[(Name, ExprId)]) -> Vec<ExprId> {
        let holds = |columns: &[Name]| {
            let value = |column: &Name| entries.iter().find(|(key, _)| key == column).map(|&(_, value)| value);
            columns.iter().map(value).collect::<Option<Vec<ExprId>>>()
        };
        let tables = self.tables_at(at);
        if tables.is_empty() {
            return entries.iter().map(|&(_, value)| value).collect();
        }
        let mut keys = tables.iter().flat_map(|table| table.unique_keys()).filter_map(holds);
        keys.next().unwrap_or_default()
    }

    /// Adds what a value is made of; none where something in it cannot be followed.
    fn add_parts(&self, at: ExprRef, key: &mut Key, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let each = |parts: &[ExprId], key: &mut Key| {
            parts.iter().try_for_each(|&part| self.add_parts(ExprRef::new(at.file, part), key, depth))
        };
        match facts.expr(at.expr) {
            ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Bool(_) => Some(()),
            ExprKind::Template(parts) | ExprKind::Op(Op::Add, parts) => {
                key.made.get_or_insert(at);
                each(parts, key)
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                match *facts.expr(call.callee) {
                    // `[name, id].join(":")`
                    ExprKind::Member(list, name) if name == "join" => match facts.expr(list) {
                        ExprKind::List(parts) => {
                            key.made.get_or_insert(at);
                            each(parts, key)
                        }
                        _ => None,
                    },
                    _ => self.add_field(at, key, depth),
                }
            }
            ExprKind::Ref(name, block) => match facts.def(facts.lookup(*block, *name)?).values[..] {
                [value] => match *facts.expr(value) {
                    ExprKind::Param(function, position) => {
                        let function = FunctionRef::new(at.file, function);
                        self.handed_once(function, usize::from(position))
                            .and_then(|value| self.add_parts(value, key, depth))
                    }
                    ExprKind::Template(_) | ExprKind::Op(Op::Add, _) | ExprKind::Text(_) | ExprKind::Call(_) => {
                        self.add_parts(ExprRef::new(at.file, value), key, depth)
                    }
                    _ => self.add_field(at, key, depth),
                },
                _ => None,
            },
            _ => self.add_field(at, key, depth),
        }
    }

    fn add_field(&self, at: ExprRef, key: &mut Key, depth: usize) -> Option<()> {
        let field = self.field_path(at, depth).filter(|field| !field.is_empty())?;
        key.fields.push(field);
        Some(())
    }

    /// Which field of a delivery a value is, from the delivery's root.
    fn field_path(&self, at: ExprRef, depth: usize) -> Option<Vec<Name>> {
        let depth = depth.checked_sub(1)?;
        let facts = self.facts(at.file);
        let next = |expr: ExprId| self.field_path(ExprRef::new(at.file, expr), depth);
        let then = |base: ExprId, name: Name| {
            let mut path = next(base)?;
            path.push(name);
            Some(path)
        };
        match facts.expr(at.expr) {
            ExprKind::Member(base, name) => then(*base, *name),
            ExprKind::Await(inner) => next(*inner),
            ExprKind::Op(Op::Or | Op::Nullish, parts) => next(*parts.first()?),
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]) {
                Some(&[value]) => next(value),
                Some(_) => None,
                None => Some(vec![]),
            },
            ExprKind::Param(function, position) => {
                let given = self.handed_once(FunctionRef::new(at.file, *function), usize::from(*position));
                given.map_or(Some(vec![]), |given| self.field_path(given, depth))
            }
            ExprKind::Call(call) => {
                let at = CallRef::new(at.file, *call);
                let call = facts.call(*call);
                if self.is_own_query(at) {
                    return None;
                }
                match *facts.expr(call.callee) {
                    // `payload.get("data", {})`, `str(data["id"])`, `data.id.toString()`
                    ExprKind::Member(base, name) if name == "get" => {
                        then(base, text_of(facts, call.args.first()?.value)?)
                    }
                    ExprKind::Member(base, name) if name == "toString" => next(base),
                    ExprKind::Ref(name, _) if name == "String" || name == "str" => next(call.args.first()?.value),
                    // What reads or checks the delivery gives its root.
                    _ => Some(vec![]),
                }
            }
            _ => None,
        }
    }

    /// What the only call of a function hands it.
    fn handed_once(&self, function: FunctionRef, position: usize) -> Option<ExprRef> {
        let [call] = self.callers(function)[..] else { return None };
        let args = &self.facts(call.file).call(call.call).args;
        let name = self.facts(function.file).function(function.function).params.get(position)?.name;
        let named = args.iter().find(|arg| arg.name.is_some() && arg.name == name);
        let arg = named.or_else(|| args.get(position).filter(|arg| arg.name.is_none()))?;
        Some(ExprRef::new(call.file, arg.value))
    }
}

fn text_of(facts: &Facts, expr: ExprId) -> Option<Name> {
    match facts.expr(expr) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}

/// `event_type`, `eventType` and `X-Event-Type` are one name.
fn plain(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace(['_', '-'], "");
    lower.strip_prefix('x').filter(|rest| rest.starts_with("event")).unwrap_or(&lower).to_owned()
}
