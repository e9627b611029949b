//! Where client code hands a credential to a vendor: a client being made, a header, a query parameter; and what
//! that credential is made of.

use crate::catalogue::{Runs, Seg, VendorId};
use crate::facts::{BlockKind, CallId, ExprKind, Facts, Op, Span};
use crate::finding::FileId;
use crate::link::eval::Eval;
use crate::link::outbound::Lookup;
use crate::link::sides::SERVER_EXPORTS;
use crate::names::Name;
use crate::program::{CallRef, Destination, ExprRef, External, HttpUse, Program, Value};

/// Functions of the platform that only write their argument differently.
const ENCODERS: &[&str] = &[
    "btoa",
    "window.btoa",
    "JSON.stringify",
    "Buffer.from",
    "buffer.Buffer.from",
    "base64.encode",
    "Base64.encode",
    "encodeBase64",
    "encode",
];

/// The frameworks that leave their pages' data functions out of what browsers get.
const STRIPPING: &[&str] = &["next", "@remix-run/react", "@remix-run/node", "@react-router/dev"];

/// A credential handed to a vendor by code that browsers get.
#[derive(Debug, Clone)]
pub struct KeyUse {
    /// The call that takes it.
    pub at: CallRef,
    /// Whose it is.
    pub vendor: VendorId,
    /// How it is handed over.
    pub way: Way,
    /// What it is made of; empty when none is given.
    pub key: Vec<Value>,
}

/// How a credential is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To a client of the vendor's package; whether that is told to run in a browser all the same.
    Client(Runs, bool),
    /// In a header of a request.
    Header(Name),
    /// In a parameter of a URL.
    Query(Name),
}

impl KeyUse {
    /// The environment variables that reach it.
    pub fn variables(&self) -> impl Iterator<Item = Name> + '_ {
        self.key.iter().filter_map(|part| if let Value::Env(name) = part { Some(*name) } else { None })
    }
}

impl Program {
    /// The credentials that client code hands to vendors, by call.
    pub fn key_uses(&self) -> &[KeyUse] {
        // One thread only: a rule that waits for this must not be started by the thread that makes it.
        self.key_uses.get_or_init(|| self.keys_handed(|at| self.is_in_browser(at)))
    }

    /// The credentials that code which never reaches a browser hands to vendors, by call.
    pub fn server_key_uses(&self) -> Vec<KeyUse> {
        self.keys_handed(|at| !self.is_in_browser(at))
    }

    fn keys_handed(&self, wanted: impl Fn(CallRef) -> bool) -> Vec<KeyUse> {
        let mut found = Vec::new();
        clients(self, &wanted, &mut found);
        // Wrappers first, so that of their callers only those are told that hand a key in.
        let asked = self.requests().iter().filter(|http| wanted(http.at));
        let (inner, outer): (Vec<&HttpUse>, Vec<&HttpUse>) = asked.partition(|http| http.at == http.inner);
        for http in inner.into_iter().chain(outer) {
            requests(self, http, &mut found);
        }
        found.retain(|used| wanted(used.at));
        found.sort_by_key(|used| used.at);
        found
    }

    /// What a value is made of: its alternatives, the parts of texts, what goes through an encoder.
    pub fn ingredients(&self, value: &Value) -> Vec<Value> {
        let mut found = Vec::new();
        self.take_apart(value, 6, &mut found);
        found
    }

    fn take_apart(&self, value: &Value, depth: usize, found: &mut Vec<Value>) {
        match value {
            Value::OneOf(parts) | Value::Template(parts) if depth > 0 => {
                parts.iter().for_each(|part| self.take_apart(part, depth - 1, found));
            }
            Value::External(external) if depth > 0 && !external.sites.is_empty() && encodes(&external.dotted()) => {
                let site = external.sites[0];
                let args = &self.facts(site.file).call(site.call).args;
                if let Some(arg) = args.first() {
                    let value = self.expand(&self.value(ExprRef::new(site.file, arg.value)));
                    self.take_apart(&value, depth - 1, found);
                }
            }
            other if found.contains(other) => {}
            other => found.push(other.clone()),
        }
    }

    /// The keys of an object value with their values, spreads and the platform's own wrappers followed; of several
    /// alternatives all.
    pub fn entries(&self, value: &Value) -> Vec<(Name, ExprRef)> {
        let mut found = Vec::new();
        self.list_entries(value, 4, &mut found);
        found
    }

    fn list_entries(&self, value: &Value, depth: usize, found: &mut Vec<(Name, ExprRef)>) {
        for alternative in value.alternatives() {
            match alternative {
                Value::Object(object) => {
                    let ExprKind::Object(entries) = self.facts(object.file).expr(object.expr) else { continue };
                    for &(key, value) in entries.iter() {
                        let value = ExprRef::new(object.file, value);
                        if key != "..." {
                            found.push((key, value));
                        } else if depth > 0 {
                            self.list_entries(&self.value(value), depth - 1, found);
                        }
                    }
                }
                Value::External(external) if depth > 0 => {
                    let made = matches!(external.dotted().as_str(), "Headers" | "URLSearchParams" | "window.Headers");
                    if let (true, Some(site)) = (made, external.sites.first())
                        && let Some(arg) = self.facts(site.file).call(site.call).args.first()
                    {
                        let value = self.value(ExprRef::new(site.file, arg.value));
                        self.list_entries(&value, depth - 1, found);
                    }
                    if let (true, Some(&site)) = (made, external.sites.first()) {
                        self.put_in_later(site, found);
                    }
                }
                _ => {}
            }
        }
    }

    /// `headers.append("name", value)` on what a call made.
    pub(in crate::program) fn put_in_later(&self, made: CallRef, found: &mut Vec<(Name, ExprRef)>) {
        for call in self.calls_of(made.file) {
            let puts = |external: &External| {
                external.sites.first() == Some(&made)
                    && external.last_member().is_some_and(|name| matches!(name.as_str(), "append" | "set"))
            };
            if !self.callee(call).externals().any(puts) {
                continue;
            }
            if let [name, value] = self.facts(call.file).call(call.call).args[..]
                && let Value::Text(name) = self.value(ExprRef::new(call.file, name.value))
            {
                found.push((name, ExprRef::new(call.file, value.value)));
            }
        }
    }

    /// Any element of a list literal.
    pub fn elements(&self, list: ExprRef) -> Value {
        Eval::new(self).elements(list)
    }

    /// Whether browsers get a call.
    pub fn is_in_browser(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        self.is_client_code(call.file, facts.span(facts.call(call.call).expr))
    }

    /// Whether browsers get a part of a file: it is on the client's side, and nothing keeps the part on the server.
    pub fn is_client_code(&self, file: FileId, span: Span) -> bool {
        let side = self.side(file);
        side.client && !side.tooling && !self.kept_on_server(file).iter().any(|kept| kept.contains(span))
    }

    /// The parts of a file of the client's side that browsers do not get or never run: server actions, the data
    /// functions of pages, branches for where there is no window, the head of an Astro page.
    pub fn kept_on_server(&self, file: FileId) -> Vec<Span> {
        let facts = self.facts(file);
        let path = self.file(file).path.as_str();
        if path.ends_with(".astro") {
            return facts.head.into_iter().collect();
        }
        let mut kept: Vec<Span> =
            facts.functions.iter().filter(|function| function.use_server).map(|function| function.span).collect();
        if STRIPPING.iter().any(|framework| self.projects.of(file).uses(framework)) {
            let exported = |name: Name| facts.exports.iter().any(|export| export.name == name);
            let named = facts.functions.iter().filter(|function| {
                let named = function.name.filter(|name| SERVER_EXPORTS.contains(&name.as_str()));
                function.parent.is_some_and(|parent| parent.index() == 0) && named.is_some_and(exported)
            });
            kept.extend(named.map(|function| function.span));
        }
        for at in (0..facts.calls.len() as u32).map(|call| CallRef::new(file, CallId(call))) {
            if self.callee(at).externals().any(makes_server_function) {
                let args = facts.call(at.call).args.iter().map(|arg| arg.value);
                kept.extend(
                    args.filter(|&arg| matches!(facts.expr(arg), ExprKind::Function(_))).map(|arg| facts.span(arg)),
                );
            }
        }
        for block in &facts.blocks {
            let server = match block.kind {
                BlockKind::Then(condition) => asks_for_window(facts, condition) == Some(false),
                BlockKind::Else(condition) => asks_for_window(facts, condition) == Some(true),
                _ => false,
            };
            if server {
                kept.push(block.span);
            }
        }
        kept
    }
}

/// `createServerFn().handler(f)`: the compiler takes `f` out of what browsers get.
fn makes_server_function(external: &External) -> bool {
    external.package.starts_with("npm:")
        && external.segs.iter().any(
            |seg| matches!(seg, Seg::Member(name) if matches!(name.as_str(), "createServerFn" | "createServerOnlyFn")),
        )
}

pub(in crate::program) fn encodes(dotted: &str) -> bool {
    ENCODERS
        .iter()
        .any(|encoder| dotted.strip_prefix(encoder).is_some_and(|rest| rest.is_empty() || rest == ".toString"))
}

/// Whether a condition says that there is a window (`typeof window !== "undefined"`) or that there is none.
fn asks_for_window(facts: &Facts, condition: crate::facts::ExprId) -> Option<bool> {
    let ExprKind::Op(op @ (Op::Equal | Op::Unequal), operands) = facts.expr(condition) else { return None };
    let is_type_of = |expr: &ExprKind| {
        matches!(expr, ExprKind::Op(Op::TypeOf, of)
            if of.iter().any(|&of| matches!(facts.expr(of), ExprKind::Ref(name, _) if matches!(name.as_str(), "window" | "document"))))
    };
    let [left, right] = operands[..] else { return None };
    let (left, right) = (facts.expr(left), facts.expr(right));
    let absent = |expr: &ExprKind| matches!(expr, ExprKind::Text(text) if *text == "undefined");
    let asks = (is_type_of(left) && absent(right)) || (is_type_of(right) && absent(left));
    asks.then_some(matches!(op, Op::Unequal))
}

// ---- clients --------------------------------------------------------------------------------------------

fn clients(program: &Program, wanted: impl Fn(CallRef) -> bool, found: &mut Vec<KeyUse>) {
    for client in program.clients().iter().filter(|client| wanted(client.at)) {
        let packages = program.catalogue.packages(client.package, &[]);
        let mut packages = packages.filter(|(vendor, _)| *vendor == client.vendor);
        let Some((vendor, package)) = packages.next() else { continue };
        let flag = package
            .browser_flag
            .as_ref()
            .is_some_and(|flag| matches!(program.option(client.at, flag), Lookup::Present(Value::Bool(true))));
        let Some(key) = &package.key else { continue };
        if key.attribute.is_some() && key.option.is_none() && package.runs == Runs::Server {
            continue;
        }
        let args = &program.facts(client.at.file).call(client.at.call).args;
        let value = match &key.option {
            Some(option) => match program.option(client.at, option) {
                Lookup::Present(value) => Some(value),
                Lookup::Unknown => Some(Value::Unknown),
                Lookup::Absent => None,
            },
            None => args.get(key.arg).map(|arg| program.value(ExprRef::new(client.at.file, arg.value))),
        };
        let key = value.map_or(vec![], |value| program.ingredients(&program.expand(&value)));
        found.push(KeyUse { at: client.at, vendor, way: Way::Client(package.runs, flag), key });
    }
    for (file, facts) in program.code().filter(|(file, _)| program.side(*file).client) {
        for call in (0..facts.calls.len() as u32).map(|call| CallRef::new(file, CallId(call))) {
            setters(program, call, found);
        }
    }
}

/// `client.setApiKey(key)`: a package that takes its key by a call of its own.
fn setters(program: &Program, call: CallRef, found: &mut Vec<KeyUse>) {
    for external in program.callee(call).externals().filter(|external| external.package.starts_with("npm:")) {
        let Some(last) = external.last_member() else { continue };
        for (vendor, package) in program.catalogue.packages(external.package, &[]) {
            let Some(key) = &package.key else { continue };
            if key.option.is_some() || key.attribute.as_deref() != Some(last.as_str()) {
                continue;
            }
            let args = &program.facts(call.file).call(call.call).args;
            let Some(arg) = args.get(key.arg) else { continue };
            let value = program.expand(&program.value(ExprRef::new(call.file, arg.value)));
            let key = program.ingredients(&value);
            found.push(KeyUse { at: call, vendor, way: Way::Client(package.runs, false), key });
        }
    }
}

// ---- requests -------------------------------------------------------------------------------------------

fn requests(program: &Program, http: &HttpUse, found: &mut Vec<KeyUse>) {
    let vendor = http.to.iter().find_map(|to| match to {
        Destination::Vendor(vendor, ..) => Some(*vendor),
        // A variable under a public prefix that names whose the base is.
        Destination::Env(name, _) => program.catalogue.env_entry(name).map(|(vendor, _)| vendor),
        _ => None,
    });
    let Some(vendor) = vendor else { return };
    let mut note = |way: Way, value: Value| {
        let key = program.ingredients(&value);
        // A wrapper's caller is told only of what it hands in itself.
        let known = found.iter().any(|used| used.way == way && used.at == http.inner && used.key == key);
        if !known && key.iter().any(|part| matches!(part, Value::Env(_) | Value::Text(_))) {
            found.push(KeyUse { at: http.at, vendor, way, key });
        }
    };
    let mut options = http.options.clone();
    if let Some(instance) = http.instance {
        let args = &program.facts(instance.file).call(instance.call).args;
        options.extend(args.iter().map(|arg| program.value(ExprRef::new(instance.file, arg.value))));
    }
    for (setting, at) in options.iter().flat_map(|option| program.entries(option)) {
        if !matches!(setting.as_str(), "headers" | "params" | "auth") {
            continue;
        }
        for (name, at) in program.entries(&as_called(program, http, program.value(at))) {
            let value = as_called(program, http, program.value(at));
            if setting == "params" {
                note(Way::Query(name), value);
            } else {
                note(Way::Header(name), value);
            }
        }
    }
    for url in http.url.alternatives() {
        in_query(url, |name, value| note(Way::Query(name), as_called(program, http, value)));
    }
}

/// A value as it is when a request is sent from where it is told of. In a wrapper whose callers say where the
/// request goes, what they hand in is left to them.
fn as_called(program: &Program, http: &HttpUse, value: Value) -> Value {
    if http.at != http.inner {
        let mut eval = Eval::new(program);
        let wrappers = program.callee(http.at).functions();
        let value = wrappers.fold(value, |value, wrapper| eval.substitute(&value, wrapper, http.at));
        return program.expand(&value);
    }
    if http.url.any(|part| matches!(part, Value::Param(..))) { value } else { program.expand(&value) }
}

/// The parameters of a URL that look like credentials.
pub(in crate::program) fn in_query(url: &Value, mut note: impl FnMut(Name, Value)) {
    let is_key =
        |name: &str| ["key", "token", "secret", "auth"].iter().any(|word| name.to_ascii_lowercase().contains(word));
    match url {
        Value::Text(text) => {
            let pairs = text.split_once('?').into_iter().flat_map(|(_, query)| query.split('&'));
            for (name, value) in pairs.filter_map(|pair| pair.split_once('=')).filter(|(name, _)| is_key(name)) {
                note(Name::new(name), Value::Text(Name::new(value)));
            }
        }
        Value::Template(parts) => {
            for pair in parts.windows(2) {
                if let (Value::Text(before), value) = (&pair[0], &pair[1])
                    && let Some(name) = before.strip_suffix('=').and_then(|before| before.rsplit(['?', '&']).next())
                    && is_key(name)
                {
                    note(Name::new(name), value.clone());
                }
            }
            // A key that is written out stands in the text itself, before or after what is put in.
            for (at, part) in parts.iter().enumerate() {
                let Value::Text(text) = part else { continue };
                let mut pairs: Vec<&str> = text.split(['?', '&']).skip(1).collect();
                if at + 1 < parts.len() {
                    pairs.pop();
                }
                for (name, value) in pairs.into_iter().filter_map(|pair| pair.split_once('=')) {
                    if is_key(name) && !value.is_empty() {
                        note(Name::new(name), Value::Text(Name::new(value)));
                    }
                }
            }
        }
        _ => {}
    }
}
