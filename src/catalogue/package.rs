//! What is known of an SDK: its clients, where their keys go, how long their calls wait.

use serde::{Deserialize, Serialize};

use super::{ErrorsBelow, Source, Throws, WithoutKey};

/// Which side a package is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Runs {
    /// Needs a secret: server only.
    #[default]
    Server,
    /// Made for browsers, with publishable keys.
    Browser,
    /// Either, decided by the key it is given (supabase-js with the anon or the service key).
    Both,
}

/// An SDK.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// `npm:stripe`, `pypi:stripe`, or `script:stripe` for a global that a `<script>` brings.
    pub name: String,
    /// Which side it is made for.
    #[serde(default)]
    pub runs: Runs,
    /// How a client is made, from the package's root: `new default`, `new Stripe`, `createClient`, `init`.
    /// `self` when the module itself is the client (`stripe.Customer.create`, `sgMail.send`).
    #[serde(default)]
    pub clients: Vec<String>,
    /// Where the credential goes when a client is made.
    pub key: Option<Key>,
    /// Its time limits.
    pub timeout: Option<Timeout>,
    /// What held for the versions before [`Timeout::until`].
    pub older_timeout: Option<Timeout>,
    /// It reports failure by returning `{ error }` rather than throwing.
    #[serde(default)]
    pub returns_errors: bool,
    /// Older versions report failure in another way.
    pub errors_below: Option<ErrorsBelow>,
    /// To make a client without a key throws at once.
    pub throws_without_key: Option<Throws>,
    /// A client is made without a key all the same, and asks the vendor without one.
    pub without_key: Option<WithoutKey>,
    /// Methods of a client or a query after which it throws all the same: `throwOnError`.
    #[serde(default)]
    pub throws_after: Vec<String>,
    /// Paths on the package or a client that send nothing (local signing, parsing): `webhooks.*`.
    #[serde(default)]
    pub sends_nothing: Vec<String>,
    /// A member of it, or an option, that says the secret is used in a browser on purpose: `dangerouslyAllowBrowser`.
    pub browser_flag: Option<String>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}

/// Where a credential goes when a client is made or the package is set up.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Position of the argument (0 is the first).
    #[serde(default)]
    pub arg: usize,
    /// Inside that argument's object: `apiKey`. Python: the keyword.
    pub option: Option<String>,
    /// A module attribute that takes it: Python's `stripe.api_key = ..`.
    pub attribute: Option<String>,
}

/// Time limits of a package.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Timeout {
    /// Seconds until it gives up by default; 0 is never.
    pub default_s: f64,
    /// Options of the client's constructor (dotted) that set one: `timeout`, `httpOptions.timeout`.
    /// Python: keywords. `fetch` names an option that takes a replacement for fetch.
    #[serde(default)]
    pub client: Vec<String>,
    /// The same for a call's own options.
    #[serde(default)]
    pub call: Vec<String>,
    /// The first argument of a call that can hold those options; the payload before it says nothing.
    #[serde(default)]
    pub call_from: usize,
    /// Calls that limit all connections of the process: `py:socket.setdefaulttimeout`.
    #[serde(default)]
    pub process: Vec<String>,
    /// There is no option: the cure is a race with a timer.
    #[serde(default)]
    pub race_only: bool,
    /// What to write, in JavaScript or Python: `new OpenAI({ timeout: 30_000 })`.
    pub cure: Option<String>,
    /// The major version from which on it is no longer so; of [`Package::older_timeout`] alone.
    pub until: Option<u32>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}
