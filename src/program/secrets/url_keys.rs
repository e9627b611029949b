//! Credentials in the URLs of requests, and who gets hold of the exceptions that tell such URLs.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::ErrorTells;
use crate::facts::{BlockId, BlockKind, DefKind, ExprKind, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::secrets::bundling::Nature;
use crate::program::secrets::exposure::names::says_credential;
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef, HttpUse, Program, Value};

/// A credential in a URL.
#[derive(Debug, Clone, PartialEq)]
pub struct UrlKey {
    /// The parameter of the query; none when it is part of the path, or the URL itself is the secret.
    pub parameter: Option<Name>,
    /// The variable that holds it, if one does.
    pub variable: Option<Name>,
}

impl UrlKey {
    /// What it is called, for messages.
    pub fn name(&self) -> Name {
        self.variable.or(self.parameter).unwrap_or(Name::new("the secret"))
    }
}

/// A request whose exception holds a credential, as it reaches a handler.
#[derive(Debug, Clone)]
pub struct Telling {
    /// The call that sends it.
    pub call: CallRef,
    /// What its URL holds.
    pub key: UrlKey,
    /// Where the exception shows it.
    pub tells: ErrorTells,
    /// What failed, for messages: the client.
    pub client: String,
}

/// The handlers that such exceptions reach.
#[derive(Debug, Default)]
pub struct Tellings {
    /// `catch` and `except` blocks.
    pub blocks: FxHashMap<(FileId, BlockId), Telling>,
    /// Functions handed to `.catch`.
    pub functions: FxHashMap<FunctionRef, Telling>,
}

/// Words of parameters that are credentials.
const PARAMETERS: &[&str] = &[
    "key",
    "apikey",
    "api_key",
    "appid",
    "token",
    "access_token",
    "api_token",
    "secret",
    "client_secret",
    "auth",
    "password",
];

fn is_parameter(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    PARAMETERS.contains(&small.as_str()) || says_credential(name)
}

impl Program {
    /// The credentials that the URL of a request holds.
    pub fn url_keys(&self, http: &HttpUse) -> Vec<UrlKey> {
        let mut found = Vec::new();
        for url in self.expand(&http.url).alternatives() {
            self.keys_of_url(url, &mut found);
        }
        match self.request_option(http, "params") {
            Lookup::Present(params) => self.keys_of_entries(&params, &mut found),
            // One caller that brings a credential is enough: what is told of its failure tells it.
            _ => self.params_of_some(http).iter().for_each(|params| self.keys_of_entries(params, &mut found)),
        }
        found
    }

    /// The parameters that some callers of a wrapper hand in for the query, and others do not: in an options object, or
    /// as a keyword of Python's.
    fn params_of_some(&self, http: &HttpUse) -> Vec<Value> {
        const PARAMS: &str = "params";
        let mut found = Vec::new();
        for options in http.options.iter().map(|options| self.expand(options)) {
            for one in options.alternatives() {
                if let Lookup::Present(params) = self.lookup(one, Name::new(PARAMS)) {
                    found.push(params);
                }
            }
        }
        let file = http.inner.file;
        let spread =
            self.facts(file).call(http.inner.call).args.iter().filter(|arg| arg.name.is_some_and(|name| name == "**"));
        for arg in spread {
            let Value::Param(function, index) = self.value(ExprRef::new(file, arg.value)) else { continue };
            let params = &self.facts(function.file).function(function.function).params;
            if !params.get(index as usize).is_some_and(|param| param.rest) {
                continue;
            }
            for caller in self.callers(function) {
                let args = &self.facts(caller.file).call(caller.call).args;
                let handed = args.iter().filter(|arg| arg.name.is_some_and(|name| name == PARAMS));
                found.extend(handed.map(|arg| self.value(ExprRef::new(caller.file, arg.value))));
            }
        }
        found
    }

    fn keys_of_url(&self, url: &Value, found: &mut Vec<UrlKey>) {
        match url {
            // A hook's URL is its secret.
            Value::Env(name) if self.variable(name).0 == Nature::Secret => note(found, None, Some(*name)),
            Value::Template(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    let before = at.checked_sub(1).and_then(|at| parts.get(at)).and_then(Value::text);
                    let parameter = before.and_then(|before| {
                        before.strip_suffix('=').and_then(|before| before.rsplit(['?', '&']).next()).map(Name::new)
                    });
                    let value = self.expand(part);
                    let secret = value.envs().into_iter().find(|name| self.is_secret_variable(name));
                    match parameter {
                        Some(parameter) if is_parameter(&parameter) => self.note_all(Some(parameter), &value, found),
                        // `https://api.telegram.org/bot${TOKEN}/send`
                        None if at > 0 => {
                            if let Some(name) = secret.filter(|name| self.variable(name).0 == Nature::Secret) {
                                note(found, None, Some(name));
                            } else {
                                self.keys_of_entries(&value, found);
                            }
                        }
                        _ => {}
                    }
                }
            }
            Value::External(external) if matches!(external.package.as_str(), "global:URL" | "node:url") => {
                let Some(&made) = external.sites.first() else { return };
                for put in self.puts(Holder::Made(made)) {
                    if let Some(parameter) = put.name.strip_prefix("searchParams.")
                        && let Some(value) = put.value
                    {
                        self.key_of_pair(Name::new(parameter), &self.expand(&self.value(value)), found);
                    }
                }
                if let Some(arg) = self.facts(made.file).call(made.call).args.first() {
                    let value = self.expand(&self.value(ExprRef::new(made.file, arg.value)));
                    if !matches!(value, Value::External(_)) {
                        value.alternatives().iter().for_each(|url| self.keys_of_url(url, found));
                    }
                }
            }
            _ => {}
        }
    }

    /// Credentials under the keys of an object, a `URLSearchParams`.
    fn keys_of_entries(&self, object: &Value, found: &mut Vec<UrlKey>) {
        for (name, at) in self.entries(object) {
            self.key_of_pair(name, &self.expand(&self.value(at)), found);
        }
    }

    fn key_of_pair(&self, name: Name, value: &Value, found: &mut Vec<UrlKey>) {
        if !is_parameter(&name) {
            return;
        }
        self.note_all(Some(name), value, found);
    }

    /// Notes every variable that a parameter can hold, or that something is handed in.
    fn note_all(&self, parameter: Option<Name>, value: &Value, found: &mut Vec<UrlKey>) {
        let held: Vec<Name> = value.envs().into_iter().filter(|name| self.is_secret_variable(name)).collect();
        if held.is_empty() && is_handed(value) {
            note(found, parameter, None);
        }
        held.into_iter().for_each(|name| note(found, parameter, Some(name)));
    }

    /// Whether a variable's value is no publishable one.
    fn is_secret_variable(&self, name: &str) -> bool {
        match self.variable(name).0 {
            Nature::Secret | Nature::ByUse => true,
            Nature::Public => false,
            Nature::Unknown => {
                !name.starts_with("NEXT_PUBLIC_")
                    && !name.starts_with("VITE_")
                    && (name.contains("KEY") || name.contains("TOKEN") || name.contains("SECRET"))
            }
        }
    }

    /// The handlers that an exception reaches whose URL holds a credential.
    pub fn tellings(&self) -> Tellings {
        let mut found = Tellings::default();
        for http in self.requests().iter().filter(|http| self.runs_on_server(http.at.file)) {
            let client = self.http_client(http);
            let Some(tells) = client.error_tells else { continue };
            let raises = || {
                self.looks(http.at).iter().any(|look| look.part.last().is_some_and(|part| part == "raise_for_status()"))
            };
            if tells == ErrorTells::Status && !raises() {
                continue;
            }
            // A wrapper is told of where it sends; of its callers only those that hand the key in.
            if http.at != http.inner {
                continue;
            }
            let hides = |key: &UrlKey| key.parameter.is_some_and(|name| client.error_hides.contains(&name.to_string()));
            let Some(key) = self.url_keys(http).into_iter().find(|key| !hides(key)) else { continue };
            let telling = Telling { call: http.at, key, tells, client: client.id.clone() };
            self.rises(&telling, &client.package, &mut found);
        }
        found
    }

    /// Whether a handler takes the exceptions of an HTTP client: any, those of the system, or the client's own.
    fn takes(&self, file: FileId, handler: BlockId, package: &str) -> bool {
        let facts = self.facts(file);
        let BlockKind::Catch(Some(kind)) = facts.block(handler).kind else { return true };
        let kinds = match facts.expr(kind) {
            ExprKind::List(kinds) => kinds.to_vec(),
            _ => vec![kind],
        };
        kinds.into_iter().any(|kind| {
            let named = facts.last_name(kind).is_some_and(|name| {
                matches!(name.as_str(), "Exception" | "BaseException" | "IOError" | "OSError" | "EnvironmentError")
            });
            let value = self.value(ExprRef::new(file, kind));
            // `requests` is a package, `requests.exceptions` a module of it.
            named || value.externals().any(|external| external.package.starts_with(package))
        })
    }

    /// Whether a handler takes only some of a client's exceptions, and leaves the others to those after it; and whether
    /// those that tell the URL are among them. None where it takes all that tell it.
    fn takes_some(&self, file: FileId, handler: BlockId, tells: ErrorTells) -> Option<bool> {
        const SOME: &[&str] = &[
            "Timeout",
            "ConnectTimeout",
            "ReadTimeout",
            "TimeoutException",
            "ConnectError",
            "ConnectionError",
            "NetworkError",
            "ProxyError",
            "SSLError",
            "TooManyRedirects",
            "InvalidURL",
            "JSONDecodeError",
        ];
        let facts = self.facts(file);
        let BlockKind::Catch(Some(kind)) = facts.block(handler).kind else { return None };
        let kinds = match facts.expr(kind) {
            ExprKind::List(kinds) => kinds.to_vec(),
            _ => vec![kind],
        };
        let of_status = tells == ErrorTells::Status;
        let is_some = kinds.into_iter().all(|kind| {
            let name = facts.last_name(kind);
            name.is_some_and(|name| SOME.contains(&name.as_str()) || !of_status && name == "HTTPError")
        });
        is_some.then_some(!of_status)
    }

    /// Whether a handler throws on what it caught.
    fn throws_on(&self, file: FileId, handler: BlockId) -> bool {
        let facts = self.facts(file);
        facts.block(handler).steps.iter().any(|step| match step {
            Step::Throw(None) => true,
            Step::Throw(Some(value)) => match *facts.expr(*value) {
                ExprKind::Ref(name, block) => {
                    facts.lookup(block, name).is_some_and(|def| facts.def(def).kind == DefKind::Caught)
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Follows an exception to whoever catches it.
    fn rises(&self, telling: &Telling, package: &str, found: &mut Tellings) {
        const HIGHEST: usize = 5;
        let mut open = vec![(telling.call, 0)];
        let mut seen: FxHashSet<CallRef> = FxHashSet::default();
        while let Some((call, height)) = open.pop() {
            if height > HIGHEST || !seen.insert(call) || self.is_caught(call, telling, package, found) {
                continue;
            }
            let callers = self.incoming(self.function_of(call)).iter().filter(|edge| edge.kind == EdgeKind::Direct);
            open.extend(callers.map(|edge| (edge.call, height + 1)));
        }
    }

    /// Notes who in its own function catches the failure of a call; whether it ends there.
    fn is_caught(&self, call: CallRef, telling: &Telling, package: &str, found: &mut Tellings) -> bool {
        let facts = self.facts(call.file);
        let around = self.around(call);
        let function = self.function_of(call);
        let mut handled = false;
        for (outer, name) in self.chain(call) {
            if name == "catch"
                && let Some(arg) = facts.call(outer.call).args.first()
            {
                handled = true;
                for handler in self.value(ExprRef::new(call.file, arg.value)).functions() {
                    found.functions.entry(handler).or_insert_with(|| telling.clone());
                }
            }
        }
        let block = facts.call(call.call).block;
        let mut inner = facts.enclosing(block).take_while(|(_, block)| block.function == function.function);
        while let (false, Some((id, _))) = (handled, inner.next()) {
            for &handler in around.handlers(id).iter().filter(|&&handler| self.takes(call.file, handler, package)) {
                let some = self.takes_some(call.file, handler, telling.tells);
                if some == Some(false) {
                    continue;
                }
                found.blocks.entry((call.file, handler)).or_insert_with(|| telling.clone());
                if some.is_none() {
                    handled = !self.throws_on(call.file, handler);
                    break;
                }
            }
        }
        handled
    }
}

/// Whether a value is handed in or read from somewhere: no constant, no setting.
fn is_handed(value: &Value) -> bool {
    value
        .alternatives()
        .iter()
        .all(|value| matches!(value, Value::Param(..) | Value::Member(..) | Value::Unknown | Value::Result(_)))
}

fn note(found: &mut Vec<UrlKey>, parameter: Option<Name>, variable: Option<Name>) {
    let key = UrlKey { parameter, variable };
    if !found.contains(&key) {
        found.push(key);
    }
}
