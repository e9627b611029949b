//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod browser_secrets;
mod core_path;
mod create_without_idempotency;
mod duplicate_customer;
mod missing_timeout;
mod retry_duplicates;
mod retry_without_backoff;
mod secret_in_client;
mod secret_in_public_env;
mod unbounded_fan_out;
mod unbounded_retry;
mod unstable_idempotency_key;
mod vendor_on_checkout_path;
mod vendor_on_signup_path;
mod vendor_sdk_in_browser;
mod webhook_unverified;
mod webhook_verification_bypass;

/// Every rule.
pub static RULES: &[&Rule] = &[
    &secret_in_client::RULE,
    &secret_in_public_env::RULE,
    &vendor_sdk_in_browser::RULE,
    &webhook_unverified::RULE,
    &webhook_verification_bypass::RULE,
    &create_without_idempotency::RULE,
    &unstable_idempotency_key::RULE,
    &retry_duplicates::RULE,
    &duplicate_customer::RULE,
    &missing_timeout::RULE,
    &retry_without_backoff::RULE,
    &unbounded_retry::RULE,
    &unbounded_fan_out::RULE,
    &vendor_on_signup_path::RULE,
    &vendor_on_checkout_path::RULE,
];
