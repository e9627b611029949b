//! What a vendor's calls do.

use serde::{Deserialize, Serialize};

use super::{Effect, Source, Takes};

/// A path that the app cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Core {
    /// An account is made: also onboarding.
    Signup,
    /// Someone logs in.
    Login,
    /// Someone pays, subscribes or orders.
    Checkout,
    /// An address is verified, as a part of making the account.
    Verification,
    /// Someone gets back in whose password is lost.
    Reset,
}

impl Core {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Signup, Self::Login, Self::Checkout, Self::Verification, Self::Reset];
}

/// When what is made waits for the payer.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Only where one of these fields is given, or says so: `payment_behavior=default_incomplete`; empty: always.
    #[serde(default)]
    pub with: Vec<String>,
    /// Not where one of these fields is given.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Where that comes from.
    pub source: Source,
}

/// What asks a list for one page, in the language of the caller.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PageOf {
    /// In JavaScript and TypeScript.
    pub script: String,
    /// In Python.
    pub python: String,
}

/// An operation of a vendor.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Paths on a client or on a `self` package: `checkout.sessions.create`; a `*` segment matches any one segment,
    /// `**` any run of them.
    #[serde(default)]
    pub sdk: Vec<String>,
    /// HTTP forms: `POST /v1/checkout/sessions`; `{id}` or `*` matches one segment, a trailing `**` the rest.
    #[serde(default)]
    pub http: Vec<String>,
    /// Only on this host, when the vendor has several that differ.
    pub host: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// In words, for messages: `creates a checkout session`.
    pub does: String,
    /// It moves money: charge, transfer, payout, refund, invoice, order.
    #[serde(default)]
    pub money: bool,
    /// A repeat is harmless though it creates: portal sessions, ephemeral keys.
    #[serde(default)]
    pub harmless: bool,
    /// A repeat is harmless where none of these fields is given: a refund of all that was paid, which the vendor makes
    /// only once.
    #[serde(default)]
    pub harmless_without: Vec<String>,
    /// A repeat is harmless where one of these fields is given: what is made of an object that can be used for it once.
    #[serde(default)]
    pub harmless_with: Vec<String>,
    /// Nothing moves until the payer says yes: what a repeat leaves is a second payment to confirm.
    pub open: Option<Open>,
    /// It makes a record of a person, and a second one for the same person when it is called again: the vendor
    /// neither refuses nor merges it.
    #[serde(default)]
    pub person: bool,
    /// Where its payload says what is to be paid: `amount`, `line_items[].price_data.unit_amount`.
    #[serde(default)]
    pub amounts: Vec<String>,
    /// Where its payload says for how long nothing is to be paid: `trial_period_days`.
    #[serde(default)]
    pub trials: Vec<String>,
    /// Where its payload says whom it reaches: `to`, `#1` for the second argument.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// It pays the app's money out to somebody.
    #[serde(default)]
    pub pays_out: bool,
    /// Each answer is billed, or used up of what was paid for in advance; of a token what it opens.
    #[serde(default)]
    pub metered: bool,
    /// It gives back what a customer paid.
    #[serde(default)]
    pub refunds: bool,
    /// Where its payload names the customer whose records its answer opens, or whose card it charges.
    pub whose: Option<String>,
    /// Where its payload says that a card on file is charged while its owner is away.
    pub on_file: Option<String>,
    /// Where its payload names the card to pay with: what a page was given for it, or one that a customer left.
    #[serde(default)]
    pub cards: Vec<String>,
    /// It takes the money in the same step, and a card may refuse: under the same key the refusal stays.
    #[serde(default)]
    pub declines: bool,
    /// Where its payload names a price or plan that the vendor keeps: `line_items[].price`.
    #[serde(default)]
    pub prices: Vec<String>,
    /// A list that asks for one page after the other by itself, until it has all.
    #[serde(default)]
    pub whole: bool,
    /// It asks whether something is there: that it fails says no.
    #[serde(default)]
    pub asks_whether: bool,
    /// How many things it gives when it is not told which page: only a list of the app's own backend must say so,
    /// since its queries give all there is.
    pub first_page: Option<u32>,
    /// What asks it for one page, as it is written into the call: `{ page, perPage: 1000 }`.
    pub page_of: Option<PageOf>,
    /// It is what a core path is for: `signup`, `checkout`, `message` (a mail or code that delivers what the path
    /// is for).
    pub essential: Option<String>,
    /// It is the step that a core path exists for: whoever waits for it is signing up, logging in or paying.
    pub core: Option<Core>,
    /// The id of the [`super::Idempotency`] entry that applies; none: it takes no key.
    pub idempotency: Option<String>,
    /// What a key is made of where it is no order's: `customer-{user.id}`.
    pub key: Option<String>,
    /// How long its answer may take, where that is longer than other answers.
    pub takes: Option<Takes>,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}
