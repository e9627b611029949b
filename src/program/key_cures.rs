//! What an idempotency key is to be made of: the operation, the thing it is about, and in a loop the element. A vendor
//! refuses a key that came with another operation or other parameters before, so two calls never share one.

use crate::catalogue::{Effect, Idempotency, Operation};
use crate::facts::{BlockId, BlockKind, DefId, DefKind, ExprId, ExprKind, Facts, FunctionId};
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, FunctionRef, Program, VendorUse, Via};

/// The length of an id as databases make them.
const UUID: usize = 36;

/// The length of a day, a month, a count.
const COUNT: usize = 10;

/// What the catalogue's cures write where the key stands.
const SCRIPT_KEY: &str = "order-${order.id}";
const PYTHON_KEY: &str = "order-{order.id}";

/// Methods of a collection that run their argument for each element.
const EACH: &[&str] = &["map", "forEach", "flatMap", "filter", "reduce"];

/// First words of names that say that something is made or sent, not what.
const VERBS: &[&str] = &[
    "create",
    "send",
    "make",
    "add",
    "new",
    "post",
    "do",
    "start",
    "initialize",
    "initiate",
    "init",
    "handle",
    "process",
    "notify",
    "dispatch",
    "trigger",
    "deliver",
    "generate",
    "async",
    "bulk",
    "perform",
    "try",
    "queue",
];

/// Words of paths that say nothing of the operation.
const EMPTY: &[&str] = &["api", "apis", "v", "rest", "client", "async", "request", "service", "self"];

/// What a key is made of at a call.
struct Made {
    /// The whole key, with `{..}` around what is filled in.
    key: String,
    /// What to add in words.
    advice: String,
}

impl Program {
    /// What to write to give a key at this call, in its language.
    pub fn key_cure(&self, used: &VendorUse, how: &Idempotency) -> String {
        let script = self.facts(used.at.file).language.is_script();
        let cure = match used.via {
            Via::Sdk(..) if script => self.placed_key(used, how, &how.cure_js),
            Via::Sdk(..) => self.placed_key(used, how, &how.cure_py),
            Via::Http(_) if script => how.cure_http.clone(),
            Via::Http(_) => as_python(&how.cure_http),
        };
        let cure = self.with_key(used, how, cure);
        match (&used.via, how.js_since) {
            // The version is the one that the client was made with.
            (Via::Sdk(package, made), Some(since))
                if script && self.is_older(made.map_or(used.at.file, |made| made.file), *package, since) =>
            {
                let package = package.split_once(':').map_or(package.as_str(), |(_, name)| name);
                format!(
                    "{cure}; first raise `{package}` to {}.{} or later, for the version in use here drops the key",
                    since.0, since.1
                )
            }
            _ => cure,
        }
    }

    /// A cure with this call's key in place of an order's id.
    fn with_key(&self, used: &VendorUse, how: &Idempotency, cure: String) -> String {
        if !cure.contains(SCRIPT_KEY) && !cure.contains(PYTHON_KEY) {
            return cure;
        }
        if self.is_shared(used) {
            let handed = cure
                .replace(&format!("`{SCRIPT_KEY}`"), "key")
                .replace(&format!("f\"{PYTHON_KEY}\""), "key")
                .replace(SCRIPT_KEY, "${key}")
                .replace(PYTHON_KEY, "{key}");
            let name = self.function_name(self.function_of(used.at));
            return format!("{handed}, where `key` is a parameter of {name} and each caller hands in one of its own");
        }
        let made = self.made_key(used, how.longest);
        let script = made.key.replace('{', "${");
        let cure = cure.replace(SCRIPT_KEY, &script).replace(PYTHON_KEY, &made.key);
        cure + &made.advice
    }

    /// Whether the call stands in a helper that one function calls several times, or that sends for several: no key
    /// made in it can tell them apart.
    fn is_shared(&self, used: &VendorUse) -> bool {
        let function = self.function_of(used.at);
        if function.function == FunctionId::MODULE || !self.entries_of(function).is_empty() {
            return false;
        }
        let callers = self.callers(function);
        let sends = self.operation(used).is_some_and(|operation| operation.effect == Effect::Send);
        let twice = |&at: &CallRef| {
            let of = |&other: &CallRef| other != at && self.function_of(other) == self.function_of(at);
            callers.iter().any(|other| of(other) && !self.excludes(at, *other))
        };
        callers.len() > 1 && (sends || callers.iter().any(twice))
    }

    fn made_key(&self, used: &VendorUse, longest: Option<usize>) -> Made {
        let operation = self.operation(used);
        let is = |holds: fn(&Operation) -> bool| operation.is_some_and(holds);
        // What was paid may be given back part by part.
        let refunds = is(|operation| operation.refunds);
        let mut advice: Vec<String> = vec![];
        let mut key = match operation.and_then(|operation| operation.key.clone()) {
            Some(key) => key,
            None if refunds => {
                advice.push("where `refund` is a row that is inserted before".to_owned());
                "refund-{refund.id}".to_owned()
            }
            None => format!("{}-{{order.id}}", self.key_word(used, operation)),
        };
        let element = self.element_of(used.at);
        let sends = is(|operation| operation.effect == Effect::Send);
        self.name_thing(used, element.as_ref(), sends, &mut key, &mut advice);
        let period = is(|operation| operation.money && operation.effect == Effect::Create)
            && !refunds
            && element.as_ref().is_some_and(Element::may_be_customer)
            && self.is_periodic(used.at);
        match element {
            Some(Element::Id(id)) if !key.contains(&format!("{{{id}}}")) => key.push_str(&format!("-{{{id}}}")),
            Some(Element::Index(index)) => {
                key.push_str(&format!("-{{{index}}}"));
                advice.push(format!("where `{index}` is the element's place in a list that stays the same"));
            }
            Some(Element::Outside) if !key.contains("{id}") => {
                advice.push("with the id of the list's element that it runs for".to_owned());
            }
            Some(Element::Outside) => {
                advice.push("where `id` is that of the list's element that it runs for".to_owned())
            }
            _ => {}
        }
        if period {
            key.push_str("-{period}");
            advice.push("where `period` is the day or month that is billed".to_owned());
        }
        let by_page = key.contains("{attemptId}") || key.contains("{attempt_id}");
        if is(|operation| operation.declines) && !self.waits_for_payer(used) && !by_page {
            key.push_str("-{attempt}");
            advice.push("where `attempt` goes up when a payment was refused".to_owned());
        }
        let before = self.same_before(used);
        if before > 0 {
            key.push_str(&format!("-{}", before + 1));
        }
        if let Some(longest) = longest {
            key = fitted(key, longest);
        }
        let advice = if advice.is_empty() { String::new() } else { format!(", {}", advice.join(", and ")) };
        Made { key, advice }
    }

    /// Whether a call runs again for the same thing by plan: each day, each month.
    pub(super) fn is_periodic(&self, at: CallRef) -> bool {
        const PERIODS: &[&str] =
            &["daily", "weekly", "monthly", "yearly", "nightly", "cron", "overage", "usage", "recurring", "renewal"];
        self.origins(self.function_of(at)).iter().any(|origin| {
            let entry = &self.entries[origin.entry];
            let names = [self.entry_name(entry), self.file(entry.place.file).path.to_string()];
            entry.kind == EntryKind::Job
                || names.iter().flat_map(|name| words(name)).any(|word| PERIODS.contains(&word.as_str()))
        })
    }

    /// How many calls of the same operation the function makes before this one.
    fn same_before(&self, used: &VendorUse) -> usize {
        let facts = self.facts(used.at.file);
        let start = |at: CallRef| facts.span(facts.call(at.call).expr).start;
        let same = |other: &CallRef| {
            start(*other) < start(used.at)
                && !self.excludes(*other, used.at)
                && self.vendors_at(*other).iter().any(|twin| {
                    (twin.vendor, twin.operation) == (used.vendor, used.operation) && twin.operation.is_some()
                })
        };
        self.calls_in(self.function_of(used.at)).filter(same).count()
    }

    /// Whether of two calls of a function only one runs: they stand in two arms, or the first one's arm leaves.
    pub(super) fn excludes(&self, first: CallRef, second: CallRef) -> bool {
        let facts = self.facts(first.file);
        let second_in: Vec<BlockId> = facts.enclosing(facts.call(second.call).block).map(|(id, _)| id).collect();
        let own = facts.enclosing(facts.call(first.call).block).take_while(|(id, _)| !second_in.contains(id));
        let other_arm = |kind: &BlockKind| {
            second_in.iter().any(|&id| match (kind, &facts.block(id).kind) {
                (BlockKind::Then(one), BlockKind::Else(other)) | (BlockKind::Else(one), BlockKind::Then(other)) => {
                    one == other
                }
                (BlockKind::Case(one, _), BlockKind::Case(other, _)) => one == other,
                _ => false,
            })
        };
        own.into_iter().any(|(id, block)| match block.kind {
            BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..) => {
                other_arm(&block.kind) || ending(facts, id) != Ending::GoesOn
            }
            _ => false,
        })
    }

    /// The word of a key that tells the operation from others.
    fn key_word(&self, used: &VendorUse, operation: Option<&Operation>) -> String {
        let sends = operation.is_some_and(|operation| operation.effect == Effect::Send);
        // `sendWelcomeEmail` says more than `emails.send`.
        if sends {
            let function = self.function_of(used.at);
            let name = self.facts(function.file).function(function.function).name;
            let said = name.map(|name| words(&name)).unwrap_or_default();
            if said.len() > 2 && VERBS.contains(&said[0].as_str()) && said.len() < 6 {
                return said[1..].join("-");
            }
        }
        let word = operation.and_then(operation_word);
        word.or_else(|| path_word(used.name.split_once('.').map_or(used.name.as_str(), |(_, path)| path)))
            .unwrap_or_else(|| if sends { "message".to_owned() } else { "order".to_owned() })
    }

    /// What tells one run of a call from the others, where it runs once for each element of a list.
    fn element_of(&self, at: CallRef) -> Option<Element> {
        let facts = self.facts(at.file);
        let function = self.function_of(at);
        let retried: Vec<_> = self.retried_at(at).map(|retry| retry.region).collect();
        let element = facts.enclosing(facts.call(at.call).block).find_map(|(id, block)| match block.kind {
            BlockKind::Loop(Some(head)) if !retried.contains(&block.span) => looped(facts, id, head),
            _ => None,
        });
        if element.is_some() {
            return element;
        }
        if let Some(element) = self.handed_element(function) {
            return Some(element);
        }
        // A function that is called in a loop, or for each element.
        let callers = self.callers(function);
        let each = |&caller: &CallRef| {
            let facts = self.facts(caller.file);
            let retried: Vec<_> = self.retried_at(caller).map(|retry| retry.region).collect();
            let in_loop = facts.enclosing(facts.call(caller.call).block).any(|(id, block)| match block.kind {
                BlockKind::Loop(Some(head)) if !retried.contains(&block.span) => looped(facts, id, head).is_some(),
                _ => false,
            });
            in_loop || self.handed_element(self.function_of(caller)).is_some()
        };
        let runs_itself = function.function != FunctionId::MODULE && self.entries_of(function).is_empty();
        (runs_itself && callers.iter().any(each)).then_some(Element::Outside)
    }

    /// The element that a callback of `map` and its kind is given.
    fn handed_element(&self, function: FunctionRef) -> Option<Element> {
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
        let id = match param.name {
            Some(name) => id_of(facts, &name, |block| {
                let def = facts.lookup(block, name);
                def.is_some_and(|def| facts.def(def).block == body)
            }),
            None => facts
                .defs
                .iter()
                .find(|def| def.kind == DefKind::Param && def.block == body && is_id(&def.name))
                .map(|def| def.name.to_string()),
        };
        Some(id.map_or_else(|| Element::Index(index.unwrap_or_else(|| "index".to_owned())), Element::Id))
    }
}

/// What tells an element from the others.
pub(super) enum Element {
    /// An id.
    Id(String),
    /// Its place in the list.
    Index(String),
    /// What the callers know.
    Outside,
}

impl Element {
    /// Whether it may be a person, who gets more than one message.
    pub(super) fn may_be_person(&self) -> bool {
        const PERSONS: &[&str] = &[
            "contact",
            "lead",
            "recipient",
            "person",
            "participant",
            "attendee",
            "guest",
            "student",
            "email",
            "admin",
            "owner",
            "employee",
            "staff",
            "driver",
            "provider",
            "to",
            "address",
        ];
        let named = |id: &String| words(id).iter().any(|word| PERSONS.contains(&word.as_str()));
        self.may_be_customer() || matches!(self, Self::Id(id) if named(id))
    }

    /// Whether it may be somebody who is billed again and again, rather than what is billed once.
    fn may_be_customer(&self) -> bool {
        const BILLED: &[&str] = &[
            "customer",
            "user",
            "account",
            "tenant",
            "company",
            "org",
            "organization",
            "client",
            "member",
            "subscriber",
            "profile",
            "shop",
            "store",
            "workspace",
            "team",
            "subscription",
            "affiliate",
            "partner",
        ];
        match self {
            Self::Id(id) => words(id).iter().any(|word| BILLED.contains(&word.as_str())),
            Self::Index(_) => false,
            Self::Outside => true,
        }
    }
}

/// A key that is short enough with ids of 36 characters: words in front go first, then all ids but the last.
fn fitted(mut key: String, longest: usize) -> String {
    while filled_length(&key) > longest {
        let Some((first, rest)) = key.split_once('-') else { break };
        if first.starts_with('{') && !holes(rest).any(is_long) {
            break;
        }
        key = rest.to_owned();
    }
    key
}

/// What a key is filled with, by name.
fn holes(key: &str) -> impl Iterator<Item = &str> {
    key.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// Whether what is filled in is an id, rather than a count or a word.
fn is_long(hole: &str) -> bool {
    hole.to_ascii_lowercase().contains("id")
}

/// How long a key is once it is filled.
fn filled_length(key: &str) -> usize {
    let names: usize = holes(key).map(|hole| hole.len() + 2).sum();
    let values: usize = holes(key).map(|hole| if is_long(hole) { UUID } else { COUNT }).sum();
    key.len() - names + values
}

/// What a loop's rounds are told apart by.
fn looped(facts: &Facts, id: BlockId, head: ExprId) -> Option<Element> {
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
    let own = defs.iter().map(|&def| facts.def(def).name).find(|name| destructured && is_id(name));
    // `for (const id in byCustomer)`: its keys tell themselves apart.
    let keys = || {
        let mut own =
            facts.defs.iter().filter(|def| def.block == id && def.values.is_empty() && def.kind != DefKind::Param);
        let first = own.next().filter(|def| def.span.start < first_step(facts, id))?;
        Some(Element::Id(first.name.to_string()))
    };
    if defs.is_empty() {
        return keys();
    }
    (!defs.is_empty()).then(|| match own.map(|name| name.to_string()).or(ids) {
        Some(id) => Element::Id(id),
        None => Element::Index("index".to_owned()),
    })
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

/// The word of an operation, from its path: `invoice-item` of `invoiceItems.create`.
fn operation_word(operation: &Operation) -> Option<String> {
    let plain = |form: &&String| !form.contains('*');
    operation
        .sdk
        .iter()
        .filter(plain)
        .find_map(|path| path_word(path))
        .or_else(|| operation.http.iter().filter(plain).find_map(|form| url_word(form)))
}

/// `checkout.sessions.create` is about a `checkout-session`.
fn path_word(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('.').collect();
    let (method, spaces) = segments.split_last()?;
    let told = |text: &str| words(text).into_iter().filter(|word| !EMPTY.contains(&word.as_str())).collect::<Vec<_>>();
    let mut space: Vec<String> = spaces.iter().rev().take(2).rev().flat_map(|part| told(part)).map(singular).collect();
    let mut done = told(method);
    if done.first().is_some_and(|word| VERBS.contains(&word.as_str())) {
        done.remove(0);
    }
    let done: Vec<String> = done.into_iter().map(singular).collect();
    // `payments.create_payment`
    if done.first().is_some_and(|word| space.contains(word)) {
        space.clear();
    }
    joined(space.into_iter().chain(done))
}

/// `POST /v1/invoices/{id}/pay` is an `invoice-pay`.
fn url_word(form: &str) -> Option<String> {
    let (_, path) = form.split_once(' ')?;
    let segments = path.split(['/', '?']).filter(|part| !part.contains('{') && !part.contains('='));
    let mut told: Vec<Vec<String>> = Vec::new();
    for segment in segments {
        let said: Vec<String> = words(segment).into_iter().filter(|word| !EMPTY.contains(&word.as_str())).collect();
        if !said.is_empty() && !VERBS.contains(&said[0].as_str()) {
            told.push(said.into_iter().map(singular).collect());
        }
    }
    joined(told.into_iter().rev().take(2).rev().flatten())
}

/// The words of a key, each once; an `intent` to pay is a payment.
fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    for word in words {
        if word != "intent" && !told.contains(&word) {
            told.push(word);
        }
    }
    (!told.is_empty()).then(|| told.join("-"))
}

fn singular(word: String) -> String {
    match word.strip_suffix('s') {
        _ if word.ends_with("ss") || word.ends_with("us") || word.len() < 4 => word,
        Some(stem) if stem.ends_with("ie") => format!("{}y", &stem[..stem.len() - 2]),
        Some(stem) if ["sse", "xe", "che"].iter().any(|end| stem.ends_with(end)) => stem[..stem.len() - 1].to_owned(),
        Some(stem) => stem.to_owned(),
        None => word,
    }
}

/// A template literal as Python writes it: `f"order-{order.id}"`.
fn as_python(cure: &str) -> String {
    let mut text = String::with_capacity(cure.len());
    let mut inside = false;
    for part in cure.split_inclusive('`') {
        let body = part.trim_end_matches('`');
        text.push_str(&if inside { body.replace("${", "{") } else { body.to_owned() });
        if part.ends_with('`') {
            text.push_str(if inside { "\"" } else { "f\"" });
            inside = !inside;
        }
    }
    text
}
