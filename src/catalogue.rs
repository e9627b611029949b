//! What the tool knows of vendors and libraries: one TOML each, checked when loaded. Rules, link and extract
//! never name a vendor; they ask here.

use serde::{Deserialize, Serialize};

mod api_version;
mod check;
mod dropped;
mod effect;
mod errors;
mod fault;
mod gatekeepers;
mod glob;
mod hosts;
mod index;
mod jwt;
mod key_headers;
mod keyless;
mod load;
mod mailboxes;
mod names;
mod operation;
mod package;
mod paths;
mod pattern;
mod platforms;
mod plausible;
mod repeats;
mod retired;
mod returned;
mod scan;
mod schedulers;
mod scopes;
mod scripts;
mod seg;
mod shape;
mod tables;
mod takes;
mod token_life;
mod tokens;
mod trackers;
mod webhook;
mod widgets;

pub use api_version::{ApiVersion, OldSdk};
pub(crate) use check::is_date;
pub use dropped::Dropped;
pub use effect::Effect;
pub use errors::ErrorTells;
pub use gatekeepers::Gatekeeper;
pub use hosts::{host_of_url, is_among, is_own_host};
pub use index::VendorId;
pub use key_headers::KeyHeader;
pub use keyless::{Empty, RefusesEmpty, Throws, WithoutKey};
pub use load::Catalogue;
pub use mailboxes::Mailboxes;
pub use names::unqualified;
pub use operation::{Core, Open, Operation};
pub use package::{Key, Package, Runs, Timeout};
pub use paths::{OperationMatch, RequestMatch, VerifierMatch};
pub use platforms::{Platform, Said, Server};
pub use repeats::{Growth, Idempotency, Retries};
pub use retired::{Retired, RetiredPackage};
pub use returned::{ErrorsBelow, Reports};
pub use schedulers::Scheduler;
pub use scopes::Scope;
pub use scripts::PageScript;
pub use seg::Seg;
pub use tables::{TableChanges, TableForm, Tables};
pub use takes::Takes;
pub use token_life::{HandedToken, Offline, OfflineScope, TokenLife};
pub use trackers::{SentTo, Tracker};
pub use webhook::{FormBody, Recurring, Scheme, VerifySince, Webhook};
pub use widgets::Widget;

/// How well a fact is founded. Only the first three may decide a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Read in the package's own code.
    Sdk,
    /// The vendor's documentation.
    Doc,
    /// Token shape of a public secret scanner.
    Scanner,
    /// A primary source plus a third party for part of it.
    Mixed,
    /// A third party only: low confidence at most.
    Secondary,
    /// Common knowledge, not verified: low confidence at most.
    Convention,
}

/// What a vendor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Category {
    Payments,
    Email,
    Sms,
    Llm,
    Crm,
    Analytics,
    Chat,
    Auth,
    Data,
    Maps,
    Storage,
    Search,
    Automation,
    Monitoring,
    Webhooks,
    Commerce,
    Developer,
    Scheduling,
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A URL, or `npm:NAME@VERSION:file` / `pypi:NAME@VERSION:file`.
    pub src: String,
    /// How well it is founded.
    pub tier: Tier,
    /// When it was read: `YYYY-MM-DD`.
    pub date: String,
}

/// A vendor: one file of `catalogue/vendors/` or of a user's `.seamcheck/vendors/`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Stable id: `stripe`.
    pub id: String,
    /// Name in messages: `Stripe`.
    pub name: String,
    /// What it is for.
    pub category: Category,
    /// API hosts; `*` stands for any run of characters. With the beginning of a path (`api.example.com/v1/chat/`) where
    /// the host is another vendor's.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Those of its hosts that know test data only.
    #[serde(default)]
    pub test_hosts: Vec<String>,
    /// Their counterparts, which move real money and data.
    #[serde(default)]
    pub live_hosts: Vec<String>,
    /// Calls to it are the app's own backend (its Supabase project), not outbound.
    #[serde(default)]
    pub own_backend: bool,
    /// It stands for services that no entry knows: their secrets are told by the names they are given.
    #[serde(default)]
    pub nameless: bool,
    /// Members of its clients whose queries are sent only when somebody waits for them: `from`.
    #[serde(default)]
    pub lazy: Vec<String>,
    /// Where its facts come from, unless an entry says otherwise.
    pub source: Source,
    /// Its SDKs.
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
    /// Environment variables that hold its credentials.
    #[serde(default, rename = "env")]
    pub envs: Vec<EnvName>,
    /// Its token formats.
    #[serde(default, rename = "credential")]
    pub credentials: Vec<Credential>,
    /// Its operations that matter, SDK and HTTP forms of one operation in one entry. The first match wins.
    #[serde(default, rename = "call")]
    pub calls: Vec<Operation>,
    /// How repeats are made harmless.
    #[serde(default, rename = "idempotency")]
    pub idempotency: Vec<Idempotency>,
    /// What it delivers.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<Webhook>,
    /// What it has shut down, or will.
    #[serde(default)]
    pub retired: Vec<Retired>,
    /// Fields that its answers have no more from some version on.
    #[serde(default)]
    pub dropped: Vec<Dropped>,
    /// How its API is called without saying which version.
    #[serde(default, rename = "api_version")]
    pub api_versions: Vec<ApiVersion>,
    /// Permissions it grants that are broader than most uses need.
    #[serde(default, rename = "scope")]
    pub scopes: Vec<Scope>,
    /// Headers that take what is also taken as a parameter of the URL.
    #[serde(default, rename = "key_header")]
    pub key_headers: Vec<KeyHeader>,
    /// How long its OAuth access tokens last.
    pub token_life: Option<TokenLife>,
    /// The permission without which its OAuth gives nothing that renews a token.
    pub offline: Option<OfflineScope>,
    /// The parameter without which its OAuth gives no refresh token.
    pub offline_parameter: Option<Offline>,
    /// Kinds of records that say what the app sells or how it is set up: a list of them compares nothing that customers
    /// have. As calls and addresses name them, in small letters without `_`.
    #[serde(default)]
    pub offers: Vec<String>,
    /// Tokens of others that its login hands on.
    #[serde(default, rename = "handed_token")]
    pub handed_tokens: Vec<HandedToken>,
    /// Snippets that must be recognised as said: the entry's tests.
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
    /// Further facts for people: versions, limits, scopes, traps.
    #[serde(default, rename = "note")]
    pub notes: Vec<Note>,
}

/// A fact for people.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What is so.
    pub fact: String,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

/// An environment variable that holds a credential.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EnvName {
    /// Its usual name without a bundler's prefix: `STRIPE_SECRET_KEY`. `*` stands for any run of characters.
    pub name: String,
    /// Whether what it holds must stay on the server.
    pub secret: bool,
    /// The same name is also given to what browsers may have: its use decides.
    #[serde(default)]
    pub by_use: bool,
}

/// Who may see a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// Must stay on the server.
    Secret,
    /// Made for browsers and repositories.
    Publishable,
    /// Decided by use, never by shape.
    ByUse,
}

/// A token format.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `secret key`.
    pub name: String,
    /// Who may see it.
    pub kind: CredentialKind,
    /// The shape, as a regular expression of the `regex` crate.
    pub pattern: String,
    /// Literal text every match holds near its start; matches are looked for only where it stands.
    /// Needed for speed; at least 3 bytes (`sk_`, `SG.`, `eyJ`).
    pub prefix: Option<String>,
    /// Checks a match must pass besides the shape: `jwt:role=service_role`, `entropy:3.5`, `crc32-base62`,
    /// `not-all-one-letter` is always on.
    #[serde(default)]
    pub checks: Vec<String>,
    /// A match of this (case-insensitive regex) on the same line or in the name assigned to is needed.
    pub context: Option<String>,
    /// The part of the shape that says it reaches test data only: `sk_test_`.
    pub test_prefix: Option<String>,
    /// The other half, without which it opens nothing: a key's secret.
    pub opens_with: Option<String>,
    /// The variable that holds it by custom, where its vendor has others as well.
    pub variable: Option<String>,
    /// What whoever holds it can do, where that is less than what the account can: `start deployments`.
    pub allows: Option<String>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

/// A snippet and what must be understood of it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// `ts`, `py`, ...: the file ending it is read as.
    pub language: String,
    /// The code; `{}` inside a credential is removed before use, and keeps scanners away: `sk_live_{}4eC39...`.
    pub code: String,
    /// What must be found, in order: `call create creates a session`, `client npm:stripe`, `token secret key`, `host`.
    pub finds: Vec<String>,
}

/// A library that is no vendor: HTTP clients, verifiers, deferral, timeouts. One file of `catalogue/libraries/`.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// HTTP clients.
    #[serde(default, rename = "http_client")]
    pub http_clients: Vec<HttpClient>,
    /// Functions of libraries with a meaning for flow.
    #[serde(default, rename = "function")]
    pub functions: Vec<Known>,
    /// Environment variables that hold the app's own URL or host, after a bundler's prefix; `*` stands for any run.
    #[serde(default)]
    pub own_urls: Vec<String>,
    /// Environment variables that platforms and tools set by themselves; `*` stands for any run.
    #[serde(default)]
    pub injected_envs: Vec<String>,
    /// Options of clients that every package which has them does without.
    #[serde(default)]
    pub optional_options: Vec<String>,
    /// Packages that keep failures where somebody looks: structured loggers, tracing. Error trackers are vendors.
    #[serde(default)]
    pub watchers: Vec<String>,
    /// Hosts that stand for a developer's machine or a preview of the app, and go away; `*` stands for any run.
    #[serde(default)]
    pub passing_hosts: Vec<String>,
    /// Mail services for persons.
    #[serde(default, rename = "mailboxes")]
    pub mailboxes: Vec<Mailboxes>,
    /// Scripts that pages load from others.
    #[serde(default, rename = "page_script")]
    pub page_scripts: Vec<PageScript>,
    /// Calls that report an event to an analytics or advertising vendor.
    #[serde(default, rename = "tracker")]
    pub trackers: Vec<Tracker>,
    /// Payment forms that browser code opens.
    #[serde(default, rename = "widget")]
    pub widgets: Vec<Widget>,
    /// Calls by which code has the clock start something.
    #[serde(default, rename = "scheduler")]
    pub schedulers: Vec<Scheduler>,
    /// Middleware that refuses whoever has no session.
    #[serde(default, rename = "gatekeeper")]
    pub gatekeepers: Vec<Gatekeeper>,
    /// How long platforms let functions run.
    #[serde(default, rename = "platform")]
    pub platforms: Vec<Platform>,
    /// Ways to declare tables in code.
    #[serde(default)]
    pub tables: Vec<Tables>,
    /// How migrations that are code change tables.
    #[serde(default)]
    pub table_changes: Vec<TableChanges>,
    /// Servers that end workers whose request takes too long.
    #[serde(default, rename = "server")]
    pub servers: Vec<Server>,
}

/// An HTTP client.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HttpClient {
    /// Its id: `axios`.
    pub id: String,
    /// `npm:axios`, `pypi:requests`, `node:https`, `global:fetch`, `py:urllib.request`.
    pub package: String,
    /// Calls that send a request.
    #[serde(rename = "request")]
    pub requests: Vec<Request>,
    /// How an instance is made, from the package's root: `create`, `new Axios`, `Session`, `AsyncClient`.
    #[serde(default)]
    pub instances: Vec<String>,
    /// The instance option (first argument's object, or keyword) that holds the base URL.
    #[serde(default)]
    pub base_url: Vec<String>,
    /// Seconds until it gives up by default; 0 is never.
    pub default_timeout_s: f64,
    /// Options (object keys or keywords) of a call that set a limit: `signal`, `timeout`.
    #[serde(default)]
    pub timeout: Vec<String>,
    /// The same for an instance; also attributes of the package that set it for all: `defaults.timeout`.
    #[serde(default)]
    pub instance_timeout: Vec<String>,
    /// Methods of an instance that bring one: `mount` (an adapter).
    #[serde(default)]
    pub instance_calls: Vec<String>,
    /// Calls that bound every request of the process: `py:socket.setdefaulttimeout`.
    #[serde(default)]
    pub process_timeout: Vec<String>,
    /// It talks to another machine whatever it is given: a mail server.
    #[serde(default)]
    pub always_outbound: bool,
    /// The framework's settings that configure it.
    pub settings: Option<Settings>,
    /// It throws on a 4xx / 5xx answer.
    #[serde(default)]
    pub throws_on_status: bool,
    /// Its answer is false where the vendor refuses: `if not response`.
    #[serde(default)]
    pub false_when_refused: bool,
    /// The keyword of a call with which it throws nothing when it fails: `fail_silently`.
    pub silenced_by: Option<String>,
    /// How what it throws tells the URL that was asked for.
    pub error_tells: Option<ErrorTells>,
    /// Parameters of the URL that it takes out there.
    #[serde(default)]
    pub error_hides: Vec<String>,
    /// What to write, with `{ms}` or `{s}` for the limit: `signal: AbortSignal.timeout({ms})`.
    pub cure: String,
    /// Where it comes from.
    pub source: Source,
}

impl HttpClient {
    /// What to write for a limit of so many seconds.
    pub fn cure_of(&self, seconds: u32) -> String {
        self.cure.replace("{ms}", &format!("{seconds}_000")).replace("{s}", &seconds.to_string())
    }
}

/// Settings of a framework: names that a module of the app defines.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The one that sets the limit.
    pub timeout: String,
    /// The one that names the server: without it nothing leaves.
    pub host: String,
    /// The one that chooses another way than this client, and what its value holds when it does not.
    pub chosen_by: String,
    /// See `chosen_by`.
    pub chosen: String,
    /// What its value holds while people develop: as the default of a variable it says that another is set elsewhere.
    #[serde(default)]
    pub developing: Vec<String>,
    /// The one that holds the password for this way: who sets it goes it.
    pub password: Option<String>,
}

/// A call of an HTTP client.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// From the package's root or an instance: `get`, `request`; `self` when the package itself is called.
    pub path: String,
    /// The method, when the name says it; else the `method` option decides, `GET` by default.
    pub method: Option<String>,
    /// Position of the URL.
    pub url: Option<usize>,
    /// Position of the method argument: `requests.request("POST", url)`.
    pub method_arg: Option<usize>,
    /// Position of the body.
    pub body: Option<usize>,
    /// Position of the options object.
    pub options: Option<usize>,
    /// Position of a time limit given without a name.
    pub timeout: Option<usize>,
    /// Where a message says whom it reaches: `#1` for the second argument, `#0.To` for a header put into the first,
    /// a keyword.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// A library function that means something for flow.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// `npm:svix`, `pypi:svix`, `node:crypto`, `global:Promise`.
    pub package: String,
    /// Paths in it: `Webhook.verify`, `waitUntil`.
    pub paths: Vec<String>,
    /// What it means.
    pub role: KnownRole,
    /// Its result is a promise.
    #[serde(default)]
    pub is_async: bool,
    /// Its result is a coroutine, which does nothing until somebody waits for it.
    #[serde(default)]
    pub lazy: bool,
    /// What it starts is held by nobody but whoever keeps its result: it may be collected before it is done.
    #[serde(default)]
    pub held_weakly: bool,
    /// It returns whether, rather than throwing.
    #[serde(default)]
    pub boolean: bool,
    /// What it is handed is kept in the process only: when that ends or fails, it is lost.
    #[serde(default)]
    pub in_memory: bool,
    /// A plain digest that takes no key: what it computes may serve other ends than to prove who is calling.
    #[serde(default)]
    pub keyless: bool,
    /// Since when it refuses an empty key: until then it signs with it, and so can anybody.
    pub refuses_empty: Option<RefusesEmpty>,
    /// How it repeats: a `retry` what it is handed, a queue the jobs that fail.
    pub retries: Option<Retries>,
    /// Where it takes the secret that it signs, checks or encrypts with.
    pub secret: Option<Key>,
    /// Where it comes from.
    pub source: Source,
}

/// What a library function means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownRole {
    /// Verifies a webhook or a signed token.
    Verify,
    /// Signs tokens, cookies or sessions.
    Sign,
    /// Makes the URL at which a customer authorizes; takes `state` among its options.
    Authorize,
    /// Exchanges the code that a customer comes back with for tokens.
    Exchange,
    /// Computes a MAC: the comparison of its result with a header is a verification.
    Mac,
    /// Compares in constant time.
    Compare,
    /// Runs its argument after the answer, in a queue or in the background.
    Defer,
    /// Bounds the time of its argument.
    Timeout,
    /// Retries its argument.
    Retry,
    /// Looks the user up: auth.
    Authenticate,
    /// Made of patterns of paths; says of a request whether its path is one of them.
    MatchRoute,
    /// Never comes back: it throws, or ends the process.
    Leave,
    /// Checks a password or opens a session: someone is logging in.
    SignIn,
    /// Validates its argument against a schema.
    Validate,
    /// Writes to the app's own database.
    Write,
    /// Holds its argument back: a few at a time, so many a second.
    Limit,
    /// Gives another value each time it is asked.
    Random,
    /// Gives the time of the call; constructed with arguments, the time they say.
    Clock,
    /// Reads the environment variable that its first argument names.
    Env,
    /// Sends nothing outbound though it looks so.
    Local,
    /// Refuses requests from elsewhere that bring no token of the app's own forms, on every route not exempted.
    CsrfCheck,
    /// Exempts a route from that.
    CsrfExempt,
    /// Middleware that parses the body: what follows has an object.
    ParseBody,
    /// Middleware that keeps the body as bytes or text.
    KeepBody,
    /// Middleware that fills the request in (cookies, a session) and turns nobody away.
    FillRequest,
    /// Keeps or reports a failure where somebody looks.
    Log,
    /// Keeps what its argument gives for later calls, also of other requests.
    Cache,
    /// Makes a key of what it is given, and throws when that is empty.
    MakeKey,
    /// Takes functions that what it is called on runs later: the nodes of a graph.
    Compose,
    /// Runs all the functions that what it is called on was put together of.
    RunComposed,
    /// A decorator that makes a function a tool, which is run by its methods.
    MakeTool,
}
