//! The words of an idempotency key that tell one act from others: a vendor knows one space of keys an account, and two
//! functions that write about one order send different things.

use crate::catalogue::{Effect, Operation};
use crate::facts::FunctionId;
use crate::program::verify::words;
use crate::program::{Entry, EntryKind, FunctionRef, Program, VendorUse};

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
const EMPTY: &[&str] = &["api", "apis", "v", "rest", "client", "async", "request", "service", "self", "company"];

/// Names of functions that say nothing of what they do.
const PLAIN: &[&str] = &[
    "get", "post", "put", "patch", "delete", "handler", "handle", "main", "default", "serve", "route", "action", "run",
    "execute", "index", "fn", "callback", "loader", "page", "on", "request", "req", "server", "app", "all", "process",
    "create", "send", "start", "do", "submit", "function", "worker", "job", "task", "email", "mail", "inner", "view",
    "v", "and",
];

/// How many words of an act's name a key holds.
const MOST_WORDS: usize = 5;

impl Program {
    /// The words of a key that tell the act from others: what the function, route or job is called, and the operation
    /// where that is not said yet.
    pub(in crate::program) fn act_word(
        &self,
        used: &VendorUse,
        operation: Option<&Operation>,
        owner: FunctionRef,
    ) -> String {
        let mut act = self.act_of(owner);
        // The vendor has no need to be told its name.
        let vendor = self.vendor_id(used.vendor).to_string();
        if act.len() > 1 {
            act.retain(|word| *word != vendor);
        }
        let sends = operation.is_some_and(|operation| operation.effect == Effect::Send);
        if sends && !act.is_empty() {
            return act.join("-");
        }
        let done = self.operation_words(used, operation);
        let said: Vec<String> = act.iter().cloned().map(singular).collect();
        let rest = done.split('-').filter(|word| !said.iter().any(|said| said == word)).map(str::to_owned);
        act.iter().cloned().chain(rest).collect::<Vec<_>>().join("-")
    }

    /// What the operation does, in words: `invoice-item`.
    pub(in crate::program) fn operation_words(&self, used: &VendorUse, operation: Option<&Operation>) -> String {
        let own = operation.and_then(|operation| operation.key.as_deref()).and_then(|key| key.split("-{").next());
        let sends = operation.is_some_and(|operation| operation.effect == Effect::Send);
        own.map(str::to_owned)
            .or_else(|| operation.and_then(operation_word))
            .or_else(|| path_word(used.name.split_once('.').map_or(used.name.as_str(), |(_, path)| path)))
            .unwrap_or_else(|| if sends { "message".to_owned() } else { "order".to_owned() })
    }

    /// The name of what runs: the function's own, else that of what it serves.
    pub(in crate::program) fn act_of(&self, owner: FunctionRef) -> Vec<String> {
        let shape = self.facts(owner.file).function(owner.function);
        let own = shape.name.filter(|_| owner.function != FunctionId::MODULE);
        let own = own.map(|name| telling(words(&name))).unwrap_or_default();
        if !own.is_empty() {
            return own;
        }
        let entries = self.entries_of(owner);
        let served = entries.iter().map(|&entry| self.entry_words(&self.entries[entry]));
        let served = served.into_iter().find(|words| !words.is_empty());
        served.unwrap_or_else(|| {
            let origins = self.origins(owner);
            let mut named = origins.iter().map(|origin| self.entry_words(&self.entries[origin.entry]));
            named.find(|words| !words.is_empty()).unwrap_or_default()
        })
    }

    fn entry_words(&self, entry: &Entry) -> Vec<String> {
        let fixed = |route: &str| {
            let parts = route.split('/').filter(|part| !part.starts_with([':', '*', '<', '[', '{', '$']));
            parts.flat_map(words).filter(|word| !EMPTY.contains(&word.as_str())).collect::<Vec<_>>()
        };
        let name = entry.name.filter(|_| entry.kind != EntryKind::Route).map(|name| telling(words(&name)));
        let named = name.filter(|words| !words.is_empty());
        let routed = || entry.route.map(|route| telling(fixed(&route))).filter(|words| !words.is_empty());
        named.or_else(routed).unwrap_or_default()
    }
}

/// The words that say what is done, from a name's; none where it says nothing.
fn telling(said: Vec<String>) -> Vec<String> {
    let mut said: Vec<String> =
        said.into_iter().filter(|word| word.chars().any(|letter| letter.is_ascii_alphabetic())).collect();
    if said.iter().all(|word| PLAIN.contains(&word.as_str()) || EMPTY.contains(&word.as_str())) {
        return vec![];
    }
    while said.len() > 1 && VERBS.contains(&said[0].as_str()) {
        said.remove(0);
    }
    // The end of a route says most.
    let from = said.len().saturating_sub(MOST_WORDS);
    said.split_off(from)
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
        let version = |word: &str| word.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let says = |word: &String| !EMPTY.contains(&word.as_str()) && !version(word);
        let said: Vec<String> = words(segment).into_iter().filter(says).collect();
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
