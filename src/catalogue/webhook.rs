//! What a vendor delivers, and how it proves that a delivery is its own.

use serde::{Deserialize, Serialize};

use super::Source;

/// How a vendor proves that a delivery is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// HMAC with a shared secret.
    Hmac,
    /// A token or basic auth that the vendor repeats.
    StaticToken,
    /// A public key: RSA, ECDSA, Ed25519.
    Asymmetric,
    /// A signed JWT.
    Jwt,
    /// Ask the vendor: its verify API, or fetch the object by id.
    Ask,
}

/// From which version on a package can verify deliveries.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySince {
    /// The package: `npm:acme`.
    pub package: String,
    /// Major and minor version.
    pub version: (u32, u32),
    /// Where it comes from.
    pub source: Source,
}

/// Deliveries that are forms (`application/x-www-form-urlencoded`), and no JSON.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FormBody {
    /// Fields that handlers take out of them: `id`.
    pub fields: Vec<String>,
    /// Names by which a handler shows that it is written for deliveries of another kind, which are JSON: `entityId`.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

/// What a vendor delivers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Headers that carry the signature or token, as the vendor writes them.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Fields of its forms that nobody else sends, as it writes them: `CallSid`.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Fields that its payment page hands back with the payer's own browser, and no delivery has: `razorpay_signature`.
    #[serde(default)]
    pub returned: Vec<String>,
    /// Event names, `*` stands for any run: `checkout.session.*`, `invoice.paid`. Only ones no other vendor sends.
    #[serde(default)]
    pub events: Vec<String>,
    /// Paths in its packages that verify a delivery: `webhooks.constructEvent`, `Webhook.construct_event`, `validateRequest`.
    #[serde(default)]
    pub verify: Vec<String>,
    /// Those of them that return a promise, so that a missing `await` verifies nothing.
    #[serde(default)]
    pub verify_async: Vec<String>,
    /// Those of them that return a boolean instead of throwing, so that a dropped result verifies nothing.
    #[serde(default)]
    pub verify_boolean: Vec<String>,
    /// Those of them that need Node's own crypto: they throw on Deno, Bun, workers and edge runtimes.
    #[serde(default)]
    pub verify_node: Vec<String>,
    /// From which major version of the package on.
    pub verify_node_since: Option<u32>,
    /// Those of them that make their MAC by the web's crypto on Deno, workers and edge runtimes, where no key is empty.
    #[serde(default)]
    pub verify_web: Vec<String>,
    /// Its verifiers throw when they are given an empty secret.
    #[serde(default)]
    pub refuses_empty: bool,
    /// HTTP forms that verify: `POST /v1/notifications/verify-webhook-signature`.
    #[serde(default)]
    pub verify_http: Vec<String>,
    /// How it proves itself.
    pub scheme: Scheme,
    /// It signs the raw bytes.
    #[serde(default)]
    pub raw_body: bool,
    /// It sends forms.
    pub form: Option<FormBody>,
    /// It does not send again when a delivery fails.
    #[serde(default)]
    pub never_redelivers: bool,
    /// It delivers the app's own work, handed to it before: what comes in may take its time.
    #[serde(default)]
    pub delivers_jobs: bool,
    /// Members of deliveries whose answer it waits for and goes on with, all of a list: hooks that do their work in
    /// line, and are not delivered again.
    #[serde(default)]
    pub in_line: Vec<Vec<String>>,
    /// What an answer is made of that it goes on with: names of its packages, and how elements begin.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The same where somebody waits for it, a caller on the line: the work has to be done before.
    #[serde(default)]
    pub heard: Vec<String>,
    /// Members or fields of deliveries that a person sets off and waits for, all of a list: each comes once, and who
    /// asked sees that it failed.
    #[serde(default)]
    pub by_hand: Vec<Vec<String>>,
    /// Members and texts of deliveries that tell of changed rows of a database, all of a list: each is sent once, and
    /// nobody looks at the answer.
    #[serde(default)]
    pub row_changes: Vec<Vec<String>>,
    /// Its id names a channel that gateways of others carry too.
    #[serde(default)]
    pub is_channel: bool,
    /// Words by which routes and files call who delivers, beside its id.
    #[serde(default)]
    pub also_called: Vec<String>,
    /// Where the event id stands: `event.id`.
    pub event_id: Option<String>,
    /// Events that come again and again for one object.
    #[serde(default)]
    pub recurring: Vec<Recurring>,
    /// Each endpoint that is registered has a secret of its own.
    #[serde(default)]
    pub secret_per_endpoint: bool,
    /// From which version of a package on the cures' function is there.
    pub verify_since: Option<VerifySince>,
    /// How to verify on Node.
    pub cure_js: String,
    /// How to verify on Deno, Bun, Workers and edge runtimes, when it differs.
    pub cure_edge: Option<String>,
    /// How to verify in Python.
    pub cure_py: String,
    /// Where it comes from.
    pub source: Source,
}

/// Events that come again and again for one object, so that its id and the event's name are no id of a delivery.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// What the object is, for messages: `subscription`.
    pub thing: String,
    /// Where its id stands: `data.id`.
    pub id: String,
    /// Where the event's name stands: `meta.event_name`.
    pub name: String,
    /// The events.
    pub events: Vec<String>,
    /// Where it says that they come more than once.
    pub source: Source,
}
