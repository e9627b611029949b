//! Which entry points are webhook handlers: what a vendor calls, and how that is known.
//!
//! Told by what the code does first (a signature header is read, a vendor's verify function is used, a vendor's event
//! names are compared) and by the names of route, file and function second.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Category, VendorId, Webhook};
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Span};
use crate::finding::{FileId, Place, Remark};
use crate::names::Name;
use crate::program::verify::{Account, Verdict, words};
use crate::program::{EdgeKind, Entry, EntryKind, FunctionRef, Program};

mod words;

/// An entry point that a vendor calls.
#[derive(Debug, Clone)]
pub struct WebhookHandler {
    /// The entry: index into [`Program::entries`].
    pub entry: usize,
    /// Whose deliveries it takes, when one vendor is meant.
    pub vendor: Option<VendorId>,
    /// What shows it.
    pub evidence: Vec<Remark>,
    /// Only names show it.
    pub by_name: bool,
    /// What it does, and what it knows of its caller then.
    pub account: Account,
    /// What that comes to.
    pub verdict: Verdict,
}

/// Something in a function that a webhook handler does.
struct Sign {
    function: FunctionRef,
    vendors: Vec<VendorId>,
    place: Place,
    text: String,
}

/// How many calls up from a sign its entry point is looked for.
const FARTHEST: usize = 7;

/// Words that say what comes in is a delivery.
const DELIVERIES: &[&str] =
    &["webhook", "webhooks", "webhhook", "ipn", "callback", "callbacks", "hook", "hooks", "postback"];

/// Words beside them that say the app itself sends, sets up or shows webhooks, or that someone signs in.
const OTHERWISE: &[&str] = &[
    "send",
    "sender",
    "sending",
    "dispatch",
    "dispatcher",
    "emit",
    "trigger",
    "deliver",
    "outgoing",
    "outbound",
    "register",
    "registration",
    "setup",
    "configure",
    "config",
    "configuration",
    "settings",
    "manage",
    "manager",
    "management",
    "list",
    "create",
    "test",
    "tests",
    "tester",
    "retry",
    "replay",
    "simulate",
    "simulator",
    "logs",
    "stats",
    "admin",
    "enable",
    "disable",
    "generate",
    "proxy",
    "url",
    "urls",
    "endpoints",
    "renew",
    "oauth",
    "oauth2",
    "auth",
    "login",
    "signin",
    "sso",
    "saml",
    "oidc",
    "token",
    "health",
    "debug",
    "me",
    "dashboard",
];

/// Methods that read a header by its name.
const READERS: &[&str] = &["get", "header", "headers", "getHeader", "get_header", "getheader", "getlist"];

impl Program {
    /// The webhook handlers, one for each function that serves one.
    pub fn webhook_handlers(&self) -> &[WebhookHandler] {
        self.webhooks.get_or_init(|| find(self))
    }

    /// What the catalogue says of a handler's deliveries.
    pub fn webhook_of(&self, handler: &WebhookHandler) -> Option<&Webhook> {
        self.catalogue.vendor(handler.vendor?).webhooks.first()
    }
}

fn find(program: &Program) -> Vec<WebhookHandler> {
    let entries: Vec<usize> =
        (0..program.entries.len()).filter(|&at| may_take(program, &program.entries[at])).collect();
    let mut by_function: FxHashMap<FunctionRef, Vec<usize>> = FxHashMap::default();
    for &at in &entries {
        by_function.entry(program.entries[at].function).or_default().push(at);
    }
    let mut shown: FxHashMap<usize, Vec<Sign>> = FxHashMap::default();
    let signs = signs(program);
    if !signs.is_empty() {
        let callers = callers(program);
        for sign in signs {
            for function in upwards(&callers, sign.function) {
                for &entry in by_function.get(&function).into_iter().flatten() {
                    let Sign { function, ref vendors, place, ref text } = sign;
                    let sign = Sign { function, vendors: vendors.clone(), place, text: text.clone() };
                    shown.entry(entry).or_default().push(sign);
                }
            }
        }
    }
    let mut handlers: Vec<WebhookHandler> = Vec::new();
    let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
    for at in entries {
        let entry = &program.entries[at];
        let signs = shown.remove(&at).unwrap_or_default();
        let named = named(program, entry);
        if signs.is_empty() && !named.as_ref().is_some_and(|named| named.alone) {
            continue;
        }
        if !seen.insert(entry.function) {
            continue;
        }
        let vendor = vendor(&signs, named.as_ref());
        let by_name = signs.is_empty();
        let mut evidence: Vec<Remark> =
            signs.into_iter().map(|sign| Remark { place: sign.place, text: sign.text }).collect();
        evidence.sort();
        evidence.dedup();
        let vendors: Vec<VendorId> = vendor.into_iter().collect();
        let account = program.account_of(entry, &vendors);
        let verdict = account.verdict();
        handlers.push(WebhookHandler { entry: at, vendor, evidence, by_name, account, verdict });
    }
    handlers
}

/// Whether an entry takes requests that change something.
fn may_take(program: &Program, entry: &Entry) -> bool {
    let side = program.side(entry.function.file);
    matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction)
        && (entry.methods.is_empty()
            || entry.methods.iter().any(|method| matches!(method.as_str(), "POST" | "ALL" | "*")))
        && !side.tooling
        && !side.dead
}

// ---- signs in the code ----------------------------------------------------------------------------------

fn signs(program: &Program) -> Vec<Sign> {
    let mut names = Names { program, headers: FxHashMap::default(), events: FxHashMap::default() };
    let mut found = Vec::new();
    for (file, facts) in program.code() {
        let side = program.side(file);
        if side.tooling || side.dead {
            continue;
        }
        verifiers(program, file, &mut found);
        headers(&mut names, file, facts, &mut found);
        events(&mut names, file, facts, &mut found);
    }
    found
}

/// What names of headers and events say, each asked once.
struct Names<'p> {
    program: &'p Program,
    headers: FxHashMap<Name, Option<Vec<VendorId>>>,
    events: FxHashMap<Name, Vec<VendorId>>,
}

impl Names<'_> {
    /// The vendors that sign with a header; none when it is no such header.
    fn header(&mut self, name: Name) -> Option<Vec<VendorId>> {
        let catalogue = &self.program.catalogue;
        let found = self.headers.entry(name).or_insert_with(|| {
            if name.len() > 60 || name.contains([' ', ',', '/', ':']) {
                return None;
            }
            if !name.contains('-') && !name.starts_with("HTTP_") {
                return None;
            }
            let small = name.to_ascii_lowercase().replace('_', "-");
            let small = small.strip_prefix("http-").unwrap_or(&small);
            let signs = ["sig", "hash", "token", "webhook", "transmission", "hmac"];
            if !signs.iter().any(|part| small.contains(part)) {
                return None;
            }
            let vendors = catalogue.webhook_by_header(small);
            let says = small.contains("webhook") || small.starts_with("x-") && small.contains("signature");
            (!vendors.is_empty() || says && small.contains('-')).then_some(vendors)
        });
        found.clone()
    }

    fn event(&mut self, name: Name) -> &[VendorId] {
        let catalogue = &self.program.catalogue;
        self.events.entry(name).or_insert_with(|| {
            let fits = name.len() < 60 && name.contains(['.', '_', ':']) && !name.contains([' ', '/']);
            if fits || name.chars().any(|c| c.is_ascii_uppercase()) {
                catalogue.webhook_by_event(&name)
            } else {
                vec![]
            }
        })
    }
}

fn verifiers(program: &Program, file: FileId, found: &mut Vec<Sign>) {
    for call in program.calls_of(file) {
        for external in program.callee(call).externals() {
            if let Some(matched) = program.catalogue.verifier(external.package, &external.segs)
                && let Some(vendor) = matched.vendor
            {
                let text = "verifies a delivery".to_owned();
                let (function, place) = (program.function_of(call), program.call_place(call));
                found.push(Sign { function, vendors: vec![vendor], place, text });
            }
        }
    }
}

fn headers(names: &mut Names<'_>, file: FileId, facts: &Facts, found: &mut Vec<Sign>) {
    let mut note = |names: &mut Names<'_>, name: Name, span: Span| {
        if let Some(vendors) = names.header(name) {
            let function = innermost(file, facts, span);
            let text = format!("reads the header {}", name.to_ascii_lowercase());
            found.push(Sign { function, vendors, place: Place { file, span }, text });
        }
    };
    for call in &facts.calls {
        let reads = matches!(facts.expr(call.callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
            if READERS.contains(&name.as_str()));
        if let (true, Some(arg)) = (reads, call.args.first())
            && let ExprKind::Text(text) = facts.expr(arg.value)
        {
            note(names, *text, facts.span(arg.value));
        }
    }
    for expr in &facts.exprs {
        if let ExprKind::Member(_, name) = &expr.kind
            && (name.contains('-') || name.starts_with("HTTP_"))
        {
            note(names, *name, expr.span);
        }
    }
    for function in &facts.functions {
        for param in &function.params {
            let from_header = param.default.is_some_and(|default| match facts.expr(default) {
                ExprKind::Call(call) => {
                    matches!(facts.expr(facts.call(*call).callee), ExprKind::Ref(name, _) if *name == "Header")
                }
                _ => false,
            });
            if let (true, Some(name), Some(default)) = (from_header, param.name, param.default) {
                note(names, Name::new(&name.replace('_', "-")), facts.span(default));
            }
        }
    }
}

fn events(names: &mut Names<'_>, file: FileId, facts: &Facts, found: &mut Vec<Sign>) {
    let mut compared: Vec<ExprId> = Vec::new();
    for expr in &facts.exprs {
        match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => compared.extend(parts.iter()),
            ExprKind::Op(Op::In, parts) => {
                if let Some(ExprKind::List(items)) = parts.get(1).map(|&list| facts.expr(list)) {
                    compared.extend(items.iter());
                }
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                if let ExprKind::Member(base, name) = facts.expr(call.callee)
                    && name == "includes"
                    && let ExprKind::List(items) = facts.expr(*base)
                {
                    compared.extend(items.iter());
                }
            }
            ExprKind::Object(entries) => {
                for &(key, value) in entries {
                    let runs =
                        matches!(facts.expr(value), ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..));
                    if runs && key.contains('.') && !names.event(key).is_empty() {
                        push_event(names, key, file, facts, facts.span(value), found);
                    }
                }
            }
            _ => {}
        }
    }
    for block in &facts.blocks {
        if let BlockKind::Case(_, Some(value)) = block.kind {
            compared.push(value);
        }
    }
    for expr in compared {
        if let ExprKind::Text(text) = facts.expr(expr)
            && !names.event(*text).is_empty()
        {
            push_event(names, *text, file, facts, facts.span(expr), found);
        }
    }
}

fn push_event(names: &mut Names<'_>, name: Name, file: FileId, facts: &Facts, span: Span, found: &mut Vec<Sign>) {
    let vendors = names.event(name).to_vec();
    let text = format!("asks for the event {name}");
    found.push(Sign { function: innermost(file, facts, span), vendors, place: Place { file, span }, text });
}

/// The function that a span stands in.
fn innermost(file: FileId, facts: &Facts, span: Span) -> FunctionRef {
    let holding = facts.functions.iter().enumerate().filter(|(at, function)| *at == 0 || function.span.contains(span));
    let narrowest = holding.min_by_key(|(at, function)| match at {
        0 => u32::MAX,
        _ => function.span.end - function.span.start,
    });
    FunctionRef::new(file, FunctionId(narrowest.map_or(0, |(at, _)| at as u32)))
}

// ---- from signs to entries ------------------------------------------------------------------------------

/// The functions that make each function run: callers, and the functions that others are written in.
fn callers(program: &Program) -> FxHashMap<FunctionRef, Vec<FunctionRef>> {
    let mut callers: FxHashMap<FunctionRef, Vec<FunctionRef>> = FxHashMap::default();
    for edge in program.all_edges().iter().filter(|edge| edge.kind != EdgeKind::Jump) {
        let from = program.function_of(edge.call);
        let known = callers.entry(edge.target).or_default();
        if !known.contains(&from) {
            known.push(from);
        }
    }
    for (file, facts) in program.code() {
        for (at, function) in facts.functions.iter().enumerate() {
            if let Some(parent) = function.parent.filter(|&parent| parent != FunctionId::MODULE) {
                let inner = FunctionRef::new(file, FunctionId(at as u32));
                callers.entry(inner).or_default().push(FunctionRef::new(file, parent));
            }
        }
    }
    callers
}

fn upwards(callers: &FxHashMap<FunctionRef, Vec<FunctionRef>>, from: FunctionRef) -> Vec<FunctionRef> {
    const MOST: usize = 400;
    let mut found = vec![from];
    let mut level = vec![from];
    for _ in 0..FARTHEST {
        let mut next = Vec::new();
        for function in level {
            for &caller in callers.get(&function).into_iter().flatten() {
                if !found.contains(&caller) && found.len() < MOST && caller.function != FunctionId::MODULE {
                    found.push(caller);
                    next.push(caller);
                }
            }
        }
        level = next;
    }
    found
}

// ---- names ----------------------------------------------------------------------------------------------

/// What an entry's names say.
struct Named {
    vendors: Vec<VendorId>,
    /// They are enough by themselves.
    alone: bool,
}

fn named(program: &Program, entry: &Entry) -> Option<Named> {
    let facts = program.facts(entry.function.file);
    let path = program.file(entry.function.file).path.as_str();
    let stem = path.rsplit('/').next().unwrap_or(path).split('.').next().unwrap_or("");
    let function = facts.function(entry.function.function).name.map_or("", Name::as_str);
    let route = entry.route.map_or("", Name::as_str);
    let name = entry.name.map_or("", Name::as_str);
    let own: Vec<String> = [route, name, function].iter().flat_map(|text| words(text)).collect();
    let file = words(stem);
    let is_delivery = |words: &[String]| words.iter().any(|word| DELIVERIES.contains(&word.as_str()));
    let vendors = mentioned(program, &own);
    let vendors = if vendors.is_empty() { mentioned(program, &file) } else { vendors };
    if !is_delivery(&own) && !(is_delivery(&file) && !vendors.is_empty()) {
        return (!vendors.is_empty()).then_some(Named { vendors, alone: false });
    }
    let all: Vec<&String> = own.iter().chain(&file).collect();
    let otherwise = own.iter().any(|word| OTHERWISE.contains(&word.as_str()));
    // "callback" and "hook" alone say little: signing in comes back that way too.
    let clear = all.iter().any(|word| matches!(word.as_str(), "webhook" | "webhooks" | "ipn"));
    let pays = vendors.iter().any(|&vendor| {
        matches!(program.catalogue.vendor(vendor).category, Category::Payments | Category::Sms | Category::Commerce)
    });
    let pays =
        pays || all.iter().any(|word| matches!(word.as_str(), "payment" | "payments" | "pay" | "checkout" | "sms"));
    let posts = entry.methods.iter().any(|method| *method == "POST") || entry.kind == EntryKind::EdgeFunction;
    let alone = !otherwise
        && (clear || pays && posts)
        && !is_own_interface(program, entry)
        && !exchanges_code(program, entry)
        && !called_by_client(program, entry);
    Some(Named { vendors, alone })
}

/// The vendors that words name.
fn mentioned(program: &Program, words: &[String]) -> Vec<VendorId> {
    let vendors = program.catalogue.vendors().iter().enumerate();
    let named = vendors.filter(|(_, vendor)| {
        let id = vendor.id.replace('-', "");
        words.contains(&id) || words.windows(2).any(|pair| format!("{}{}", pair[0], pair[1]) == id)
    });
    named.map(|(at, _)| VendorId(at as u16)).collect()
}

/// Whether the same route also lists, changes or deletes: an interface of the app's own, to manage webhooks.
fn is_own_interface(program: &Program, entry: &Entry) -> bool {
    let Some(route) = entry.route else { return false };
    program.entries.iter().any(|other| {
        other.kind == EntryKind::Route
            && other.methods.iter().any(|method| matches!(method.as_str(), "DELETE" | "PATCH" | "PUT"))
            && other.route.is_some_and(|path| {
                path == route || path.strip_prefix(route.as_str()).is_some_and(|rest| rest.starts_with("/:"))
            })
    })
}

/// Whether it reads a `code` and a `state` from the request: someone comes back from granting access.
fn exchanges_code(program: &Program, entry: &Entry) -> bool {
    let facts = program.facts(entry.function.file);
    let span = facts.function(entry.function.function).span;
    let reads = |what: &str| {
        let inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
        inside.into_iter().any(|expr| match &expr.kind {
            ExprKind::Member(_, name) => *name == what,
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                matches!(facts.expr(call.callee), ExprKind::Member(_, name) if READERS.contains(&name.as_str()))
                    && call
                        .args
                        .first()
                        .is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if *text == what))
            }
            _ => false,
        })
    };
    reads("code") && reads("state")
}

/// Whether the app's own pages call it.
fn called_by_client(program: &Program, entry: &Entry) -> bool {
    program
        .all_edges()
        .iter()
        .any(|edge| edge.kind == EdgeKind::Jump && edge.target == entry.function && program.side(edge.call.file).client)
}

/// The vendor that most of the evidence names.
fn vendor(signs: &[Sign], named: Option<&Named>) -> Option<VendorId> {
    let mut votes: FxHashMap<VendorId, (usize, usize)> = FxHashMap::default();
    for sign in signs {
        for &vendor in &sign.vendors {
            let (alone, any) = votes.entry(vendor).or_default();
            *alone += usize::from(sign.vendors.len() == 1);
            *any += 1;
        }
    }
    if let Some(named) = named {
        let meant: Vec<VendorId> = named
            .vendors
            .iter()
            .copied()
            .filter(|vendor| votes.contains_key(vendor) || (votes.is_empty() && named.alone))
            .collect();
        if let [only] = meant[..] {
            return Some(only);
        }
    }
    let most = votes.values().max().copied()?;
    let mut best = votes.iter().filter(|&(_, &count)| count == most).map(|(&vendor, _)| vendor);
    let first = best.next()?;
    best.next().is_none().then_some(first)
}
