//! Which entry points are webhook handlers: what a vendor calls, and how that is known.
//!
//! Told by what the code does first (a signature header is read, a vendor's verify function is used, a vendor's event
//! names are compared, fields of its forms are read) and by the names of route, file and function second.

mod answering;
mod branch;
mod harm;
mod known_before;
mod returns;
mod senders;
mod signs;
mod wording;

use senders::{carrier, is_for_another, is_row_change, signed_by_stranger};
use signs::{READERS, Sign, signs};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Category, VendorId, Webhook};
use crate::facts::{ExprId, ExprKind, Facts, FunctionId, Span};
use crate::finding::{FileId, Place, Remark};
use crate::manifest::TokenGate;
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::values::readers::Use;
use crate::program::verify::{Account, Standing, Verdict, words};
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, FunctionRef, Program};

/// An entry point that a vendor calls.
#[derive(Debug, Clone)]
pub struct WebhookHandler {
    /// The entry: index into [`Program::entries`].
    pub entry: usize,
    /// Whose deliveries it takes, when one vendor is meant.
    pub vendor: Option<VendorId>,
    /// The signature header of a sender that the catalogue does not know.
    pub signed_in: Option<Name>,
    /// What shows it.
    pub evidence: Vec<Remark>,
    /// Only names show it.
    pub by_name: bool,
    /// What comes in tells of a change of a row of the app's own database, which sends it once.
    pub of_row: bool,
    /// The same entry also serves requests that are no deliveries: one function of many actions.
    pub serves_others: bool,
    /// The branch of it that takes deliveries, where that is known.
    pub branch: Option<Place>,
    /// What it does, and what it knows of its caller then.
    pub account: Account,
    /// What that comes to.
    pub verdict: Verdict,
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
    "queue",
];

impl Program {
    /// The webhook handlers, one for each function that serves one.
    pub fn webhook_handlers(&self) -> &[WebhookHandler] {
        self.webhooks.get_or_init(|| {
            let signs = self.file_ids().flat_map(|file| signs(self, file));
            candidates(self, signs).into_iter().filter_map(|candidate| handler(self, candidate)).collect()
        })
    }

    /// Finds the webhook handlers ahead, on all threads. Not where they are first asked for: a thread that waits for
    /// others there would pick up work that asks for the same.
    pub fn find_webhook_handlers(&self) {
        let files: Vec<FileId> = self.file_ids().collect();
        let signs: Vec<Sign> = files.par_iter().flat_map_iter(|&file| signs(self, file)).collect();
        let handlers =
            candidates(self, signs).into_par_iter().filter_map(|candidate| handler(self, candidate)).collect();
        // Found before by someone who could not wait: the same.
        let _ = self.webhooks.set(handlers);
    }

    /// The files that a handler is written in: its entry's, and those that look at the event.
    pub fn home_files(&self, handler: &WebhookHandler) -> Vec<FileId> {
        let entry = &self.entries[handler.entry];
        let signs = handler.evidence.iter().map(|sign| sign.place.file);
        let mut files: Vec<FileId> = std::iter::once(entry.function.file).chain(signs).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Whether who calls a handler waits for its answer and goes on with it: its work has to be done in line.
    pub fn is_called_in_line(&self, handler: &WebhookHandler) -> bool {
        let webhooks = self.catalogue.vendors().iter().flat_map(|vendor| &vendor.webhooks);
        self.reads_shape(handler, webhooks.flat_map(|webhook| &webhook.in_line))
    }

    /// Whether what comes in is what a person has set off and waits for: it comes once.
    pub fn is_by_hand(&self, handler: &WebhookHandler) -> bool {
        let webhook = self.webhook_of(handler);
        self.reads_shape(handler, webhook.into_iter().flat_map(|webhook| &webhook.by_hand))
    }

    /// Whether a handler's files read all the members or fields of one of several lists.
    fn reads_shape<'s>(&self, handler: &WebhookHandler, shapes: impl Iterator<Item = &'s Vec<String>>) -> bool {
        let mut shapes = shapes.peekable();
        if shapes.peek().is_none() {
            return false;
        }
        let files = self.home_files(handler);
        let exprs = files.iter().flat_map(|&file| &self.facts(file).exprs);
        let read: FxHashSet<&str> = exprs
            .filter_map(|expr| match &expr.kind {
                ExprKind::Member(_, name) | ExprKind::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        shapes.any(|shape| shape.iter().all(|member| read.contains(member.as_str())))
    }

    /// What the catalogue says of a handler's deliveries.
    pub fn webhook_of(&self, handler: &WebhookHandler) -> Option<&Webhook> {
        self.catalogue.vendor(handler.vendor?).webhooks.first()
    }
}

/// An entry point that may be a handler.
struct Candidate {
    entry: usize,
    signs: Vec<Sign>,
    named: Option<Named>,
}

/// The entry points that take requests and show a sign of deliveries, or are named for them; each function once.
fn candidates(program: &Program, signs: impl IntoIterator<Item = Sign>) -> Vec<Candidate> {
    let entries: Vec<usize> =
        (0..program.entries.len()).filter(|&at| may_take(program, &program.entries[at])).collect();
    let mut by_function: FxHashMap<FunctionRef, Vec<usize>> = FxHashMap::default();
    for &at in &entries {
        by_function.entry(program.entries[at].function).or_default().push(at);
    }
    let mut shown: FxHashMap<usize, Vec<Sign>> = FxHashMap::default();
    for sign in signs {
        for function in upwards(program, sign.function) {
            for &entry in by_function.get(&function).into_iter().flatten() {
                shown.entry(entry).or_default().push(sign.clone());
            }
        }
    }
    let mut seen: FxHashSet<FunctionRef> = FxHashSet::default();
    let candidate = |entry: usize| {
        let signs = shown.remove(&entry).unwrap_or_default();
        let named = named(program, &program.entries[entry]);
        let may = !signs.is_empty() || named.as_ref().is_some_and(|named| named.alone);
        let may = may && !program.takes_payers_return(&program.entries[entry]);
        (may && seen.insert(program.entries[entry].function)).then_some(Candidate { entry, signs, named })
    };
    entries.into_iter().filter_map(candidate).collect()
}

/// The handler that a candidate is, if it is one.
fn handler(program: &Program, candidate: Candidate) -> Option<WebhookHandler> {
    let Candidate { entry: at, signs, named } = candidate;
    let entry = &program.entries[at];
    if signs.is_empty() && sends_on(program, entry) {
        return None;
    }
    let vendor = vendor(program, &signs, named.as_ref());
    let carrier = vendor.filter(|_| signs.is_empty()).and_then(|vendor| carrier(program, entry, vendor));
    // Who answers in a vendor's own words is called by that vendor.
    let vendor = carrier.or(vendor).or_else(|| program.answers_vendor(entry));
    let of_row = is_row_change(program, entry, &signs);
    let another = signs.is_empty() && vendor.is_some_and(|vendor| is_for_another(program, entry, vendor));
    let vendor = vendor.filter(|_| !of_row && !another);
    let by_name = signs.is_empty();
    let stranger = signs.iter().find(|sign| signed_by_stranger(program, sign));
    let signed_in = stranger.and_then(|sign| sign.header).filter(|_| vendor.is_none());
    let delivered: Vec<(FunctionRef, Place)> =
        signs.iter().filter(|sign| sign.of_body).map(|sign| (sign.function, sign.place)).collect();
    let mut evidence: Vec<Remark> =
        signs.into_iter().map(|sign| Remark { place: sign.place, text: sign.text }).collect();
    evidence.sort();
    evidence.dedup();
    let vendors: Vec<VendorId> = vendor.into_iter().collect();
    let mut account = program.account_of_posts(entry, &vendors);
    // Some of those who notify of payments ask by GET and send the id alone.
    if account.deeds.is_empty() && notifies_of_payments(program, entry) {
        account = program.account_of(entry, &vendors);
    }
    // What never runs does nothing, and refuses nobody.
    if program.shadowing(entry).is_some() {
        account = Account::default();
    }
    let mut verdict = program.verdict_of_delivery(&account);
    if let Some((lapse, deed)) = program.way_past_signature(entry, &account, &delivered) {
        verdict = Verdict::Bypass(lapse, deed);
    }
    // Verified on one way, something else on another: that way is the app's own, `if (signature) return hook(req)`.
    let serves_others = matches!(verdict, Verdict::Unverified { partly: true, .. });
    if serves_others {
        account.deeds.retain(|deed| deed.standing != Standing::Unverified);
        verdict = program.verdict_of_delivery(&account);
    }
    // `if (action === "webhook") { .. return }`: the rest is done for others.
    let branch = program.branch_of_deliveries(entry, serves_others);
    if let Some(branch) = branch {
        let is_run = program.runs_in_branch(entry.function, branch);
        account.deeds.retain(|deed| is_run(deed.at));
        verdict = program.verdict_of_delivery(&account);
    }
    let serves_others = serves_others || branch.is_some();
    Some(WebhookHandler {
        entry: at,
        vendor,
        signed_in,
        evidence,
        by_name,
        of_row,
        serves_others,
        branch,
        account,
        verdict,
    })
}

/// Whether all that an entry does is to post to hooks of others, whose URLs are settings: `make-webhook` that posts
/// to `MAKE_WEBHOOK_URL` is no hook itself.
fn sends_on(program: &Program, entry: &Entry) -> bool {
    let deeds = program.account_of(entry, &[]).deeds;
    let posts = |call: CallRef| {
        let requests = program.requests_at(call);
        !requests.is_empty()
            && requests.iter().all(|http| {
                let mut settings = http.url.envs().into_iter();
                settings.any(|name| words(&name).iter().any(|word| word == "webhook" || word == "hook"))
            })
    };
    !deeds.is_empty()
        && (deeds.iter().all(|deed| posts(deed.at)) || deeds.iter().any(|deed| is_signed(program, deed.at)))
}

/// Whether a request is signed for those who get it: `headers: { "X-Webhook-Signature": made }`.
fn is_signed(program: &Program, call: CallRef) -> bool {
    program.requests_at(call).iter().any(|http| match program.request_option(http, "headers") {
        Lookup::Present(headers) => {
            program.entries(&headers).iter().any(|(name, _)| words(name).iter().any(|word| word == "signature"))
        }
        _ => false,
    })
}

/// Whether an entry takes requests that change something.
fn may_take(program: &Program, entry: &Entry) -> bool {
    let side = program.side(entry.function.file);
    let by_get = || entry.methods.iter().any(|method| *method == "GET") && notifies_of_payments(program, entry);
    matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction)
        && (entry.methods.is_empty()
            || entry.methods.iter().any(|method| matches!(method.as_str(), "POST" | "ALL" | "*"))
            || by_get())
        && !side.tooling
        && !side.dead
}

/// Whether an entry's names say that payments are notified there, by whichever method: `/api/pesapal/ipn`.
fn notifies_of_payments(program: &Program, entry: &Entry) -> bool {
    let function = program.facts(entry.function.file).function(entry.function.function).name;
    let names = [entry.route, entry.name, function];
    let mut words = names.into_iter().flatten().flat_map(|name| words(&name));
    words.any(|word| word == "ipn")
}

// ---- from signs to entries ------------------------------------------------------------------------------

/// The functions that make a function run, at some distance: callers, and the functions that others are written in.
fn upwards(program: &Program, from: FunctionRef) -> Vec<FunctionRef> {
    const MOST: usize = 400;
    let mut found = vec![from];
    let mut level = vec![from];
    for _ in 0..FARTHEST {
        let mut next = Vec::new();
        for function in level {
            let edges = program.incoming(function).iter().filter(|edge| edge.kind != EdgeKind::Jump);
            let parent = program.facts(function.file).function(function.function).parent;
            let around = parent
                .filter(|_| !is_handed_out(program, function))
                .map(|parent| FunctionRef::new(function.file, parent));
            for caller in edges.map(|edge| program.function_of(edge.call)).chain(around) {
                if caller.function != FunctionId::MODULE && found.len() < MOST && !found.contains(&caller) {
                    found.push(caller);
                    next.push(caller);
                }
            }
        }
        level = next;
    }
    found
}

/// Whether a function is only a part of an object that the one around it gives back: `return { send() {}, verify() {} }`
/// runs neither.
fn is_handed_out(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let readers = program.readers(function.file);
    let holds = |entries: &[(Name, ExprId)]| {
        entries
            .iter()
            .any(|&(_, value)| matches!(facts.expr(value), ExprKind::Function(of) if *of == function.function))
    };
    facts.objects().filter(|(_, entries)| holds(entries)).any(|(object, _)| {
        let uses = readers.uses(object);
        !uses.is_empty() && uses.iter().all(|used| matches!(used, Use::Returned(_)))
    })
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
    let by_file = is_delivery(&file) && !vendors.is_empty();
    if !is_delivery(&own) && !by_file {
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
        && (!called_by_client(program, entry) || is_opened_webhook(program, entry));
    Some(Named { vendors, alone })
}

/// The vendors that words name, alone or two together.
fn mentioned(program: &Program, words: &[String]) -> Vec<VendorId> {
    let pairs = words.windows(2).map(|pair| format!("{}{}", pair[0], pair[1]));
    let named = |word: String| program.catalogue.vendor_spelled(&word);
    let mut vendors: Vec<VendorId> = words.iter().cloned().chain(pairs).filter_map(named).collect();
    vendors.sort_unstable();
    vendors.dedup();
    vendors
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

/// Whether an edge function that is named a webhook is open to whoever calls it: a page that tries it out takes
/// nothing of that.
fn is_opened_webhook(program: &Program, entry: &Entry) -> bool {
    let named = entry.name.map(|name| words(&name)).unwrap_or_default();
    let is_webhook = |word: Option<&String>| word.is_some_and(|word| word == "webhook");
    let gate = program.manifests.token_gate(&program.file(entry.function.file).path);
    (is_webhook(named.first()) || is_webhook(named.last())) && matches!(gate, Some((TokenGate::Open, _)))
}

/// Whether a vendor signs by another's scheme: all the headers of its deliveries are headers of the other's.
fn signs_alike(program: &Program, vendor: VendorId, other: VendorId) -> bool {
    let headers = |id: VendorId| program.catalogue.vendor(id).webhooks.iter().flat_map(|webhook| &webhook.headers);
    let mut own = headers(vendor).peekable();
    own.peek().is_some() && own.all(|name| headers(other).any(|known| known.eq_ignore_ascii_case(name)))
}

/// The vendor that most of the evidence names. Names decide between those that it fits: also where a verifier of a
/// common scheme shows whoever made it, and the names say who signs by it.
fn vendor(program: &Program, signs: &[Sign], named: Option<&Named>) -> Option<VendorId> {
    let mut votes: FxHashMap<VendorId, (usize, usize)> = FxHashMap::default();
    // Names of events are alike with many; who signs says who it is.
    let by_stranger = signs.iter().any(|sign| signed_by_stranger(program, sign));
    for sign in signs.iter().filter(|sign| !(by_stranger && sign.of_body)) {
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
            .filter(|vendor| {
                votes.contains_key(vendor)
                    || (votes.is_empty() && named.alone)
                    || votes.keys().any(|&voted| signs_alike(program, *vendor, voted))
            })
            .collect();
        // `/twilio/whatsapp`: of a channel and who carries it, the carrier delivers.
        let is_channel =
            |vendor: VendorId| program.catalogue.vendor(vendor).webhooks.iter().any(|webhook| webhook.is_channel);
        let carriers: Vec<VendorId> = meant.iter().copied().filter(|&vendor| !is_channel(vendor)).collect();
        if let ([only], _) | (_, [only]) = (&meant[..], &carriers[..]) {
            return Some(*only);
        }
    }
    let most = votes.values().max().copied()?;
    let mut best = votes.iter().filter(|&(_, &count)| count == most).map(|(&vendor, _)| vendor);
    let first = best.next()?;
    best.next().is_none().then_some(first)
}

// ---- for messages ---------------------------------------------------------------------------------------

impl Program {
    /// A call in words: `stripe.refunds.create`, `db.insert`.
    pub fn call_text(&self, call: CallRef) -> String {
        if let Some(used) = self.vendors_at(call).first()
            && self.operation(used).is_some()
        {
            return used.name.clone();
        }
        let facts = self.facts(call.file);
        dotted(facts, facts.call(call.call).callee, 6).unwrap_or_else(|| "a call".to_owned())
    }

    /// The head of a function: its first line, up to its body where that begins there.
    pub fn function_head(&self, function: FunctionRef) -> Place {
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        let start = shape.span.start;
        let next_line = facts.lines.partition_point(|&line| line <= start);
        let line_end = facts.lines.get(next_line).map_or(shape.span.end, |line| line - 1);
        let body = facts.block(shape.body).span.start;
        let end = if body > start { body.min(line_end) } else { line_end };
        Place { file: function.file, span: Span { start, end: end.min(shape.span.end).max(start + 1) } }
    }

    /// Where an entry is told of: the head of its function, or where it is registered.
    pub fn entry_head(&self, entry: &Entry) -> Place {
        if entry.function.function == FunctionId::MODULE { entry.place } else { self.function_head(entry.function) }
    }

    /// The way from an entry to a call in another function; empty when it stands in the entry's own.
    pub fn trace_to(&self, entry: &Entry, call: CallRef, text: &str) -> Vec<Remark> {
        let to = self.function_of(call);
        if to == entry.function {
            return vec![];
        }
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let Some(stop) = reach.stops.iter().position(|stop| stop.function == to) else { return vec![] };
        self.trace(self.entry_head(entry), "a delivery comes in", &reach.way(stop), call, text)
    }
}

fn dotted(facts: &Facts, expr: ExprId, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => Some(name.to_string()),
        ExprKind::This(_) => Some(if facts.language.is_script() { "this" } else { "self" }.to_owned()),
        ExprKind::Member(base, name) => match dotted(facts, *base, depth) {
            Some(base) => Some(format!("{base}.{name}")),
            None => Some(name.to_string()),
        },
        ExprKind::Call(call) => dotted(facts, facts.call(*call).callee, depth),
        ExprKind::Await(inner) => dotted(facts, *inner, depth),
        _ => None,
    }
}
